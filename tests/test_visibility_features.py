"""Visibility: contact, distance, engagement, formats, views, by plain loops and by hand."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from statistics import fmean, median
from typing import Any

import numpy as np
import pandas as pd
import pytest
from leakage_checks import check_future, check_renaming, check_reverse_tie
from plain_world import ACTS, BLOCK_US, Cut, PlainWorld, micros
from worlds import World, make_tables, make_world, open_world

from followkit.dyads import make_dyads
from followkit.features import CATALOGUE, CLAIMS, find_reason, make_features, visibility
from followkit.features.claim import BACKBONE
from followkit.tables import Dataset, make_dataset

NAN = math.nan
DAY, HOUR = 86_400_000_000, 3_600_000_000
REACTIONS = {"like", "comment", "reply", "share", "save"}
CONTACTS = {
    "dyad_like_contact_log": {"like"},
    "dyad_comment_contact_log": {"comment", "reply"},
    "dyad_message_contact_log": {"mention", "message"},
    "dyad_share_contact_log": {"share", "save"},
}
ANY_MODE = (
    "dyad_distance", "dyad_liked_posts_cosine", "initiator_format_reach", "initiator_video_share"
)  # fmt: skip
DATED = (
    *CONTACTS, "dyad_days_since_contact_log", "initiator_first_hour_engagement_log",
    "initiator_engagement_rate_log", "initiator_below_median_share", "dyad_views_from_decider_log",
)  # fmt: skip
NAMES = [*ANY_MODE, *DATED]
Row = dict[str, Any]


# -- the same by plain loops -----------------------------------------------------------------------


def amount(act: Row) -> int:
    return 1 if act["count"] is None else int(act["count"])


def reactions(cut: Cut, post: Row, *, until: float = math.inf) -> int:
    """Return the reactions of others to a post that are known, those of its first µs alone."""
    return sum(
        amount(act)
        for act in cut.acts
        if act["post_id"] == post["post_id"]
        and act["kind"] in REACTIONS
        and act["actor_id"] != post["account_id"]
        and (math.isinf(until) or 0 <= act["us"] - post["us"] < until)
    )


def followers(cut: Cut, who: Any) -> int:
    """Return followers as of t (timed), or at the crawl without the pair's own ties."""
    world, found = cut.plain.world, set()
    for row in cut.plain.follows:
        if world.mode == "timed":
            end = micros(row["unfollowed_at"])
            stands = micros(row["followed_at"]) < cut.t and (end is None or end >= cut.t)
        else:
            stands = row["followed_before_at"] <= world.dyads.crawl_at
        if stands and row["followee_id"] == who and {row["follower_id"], who} != {cut.a, cut.b}:
            found.add(row["follower_id"])
    return len(found)


def last_by_account(cut: Cut, known: Iterable[Row]) -> dict[Any, list[Row]]:
    """Return each account's last ten posts among the known ones."""
    found: dict[Any, list[Row]] = {}
    for post in known:
        found.setdefault(post["account_id"], []).append(post)
    return {who: posts[-10:] for who, posts in found.items()}


def per_hundred(cut: Cut, values: dict[Any, list[float]]) -> float:
    medians = {who: median(mine) for who, mine in values.items()}
    if not medians:
        return NAN
    usual = medians.get(cut.a, fmean(medians.values()))
    return math.log1p(100 * usual / max(1, followers(cut, cut.a)))


def slow_first_hour(cut: Cut) -> float:
    figures = {post["post_id"]: post.get("first_hour_engagement") for post in cut.posts}
    posts = [post for post in cut.posts if post["us"] + HOUR <= cut.end]
    if any(figure is not None for figure in figures.values()):
        posts = [post for post in posts if figures[post["post_id"]] is not None]
        count = lambda post: figures[post["post_id"]]  # noqa: E731
    else:
        count = lambda post: reactions(cut, post, until=HOUR)  # noqa: E731
    latest = last_by_account(cut, posts)
    return per_hundred(cut, {who: [count(p) for p in mine] for who, mine in latest.items()})


def slow_engagement(cut: Cut) -> dict[str, float]:
    latest = last_by_account(cut, cut.posts)
    gained = {who: [reactions(cut, post) for post in mine] for who, mine in latest.items()}
    sizes = {who: sum(y == who for _, y in cut.ties) for who in gained}
    ordered = sorted(sizes.values())
    cuts = []
    for share in (1 / 3, 2 / 3):
        place = (len(ordered) - 1) * share
        low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
        cuts.append(low + (high - low) * (place - math.floor(place)))
    third = {who: sum(edge < size for edge in cuts) for who, size in sizes.items()}
    usual = {
        size: median(n for who, mine in gained.items() if third[who] == size for n in mine)
        for size in set(third.values())
    }
    below = {who: sum(n < usual[third[who]] for n in mine) for who, mine in gained.items()}
    pooled = sum(below.values()) / sum(len(mine) for mine in gained.values())
    return {
        "initiator_engagement_rate_log": per_hundred(cut, gained),
        "initiator_below_median_share": (below.get(cut.a, 0) + 10 * pooled)
        / (len(gained.get(cut.a, [])) + 10),
    }


def slow_formats(cut: Cut) -> dict[str, float]:
    used = [post for post in cut.posts if post["format"]]
    everyone = Counter(post["format"] for post in used)
    mine = Counter(post["format"] for post in used if post["account_id"] == cut.a)
    share = {
        name: (mine[name] + 10 * count / everyone.total()) / (mine.total() + 10)
        for name, count in everyone.items()
    }
    others = [
        (post["format"], reactions(cut, post))
        for post in used
        if post["account_id"] != cut.a and is_recent(cut, post)
    ]
    usual = fmean(n for _, n in others) if others else 0.0

    def level(formats: set[str]) -> float:
        found = [n for name, n in others if name in formats]
        return math.log1p((sum(found) + 10 * usual) / (len(found) + 10))

    stills = {"image", "text"}
    reach = sum(
        share[name] * (level({name}) - level(stills)) for name in share if name not in stills
    )
    films = sum(share.get(name, 0.0) for name in ("video", "story"))
    return {"initiator_format_reach": reach, "initiator_video_share": films}


def is_recent(cut: Cut, post: Row) -> bool:
    return cut.end is None or post["us"] >= cut.end - BLOCK_US


def slow_liked(cut: Cut) -> float:
    split = {
        post["post_id"]: re.findall(r"\w+", (post["text"] or "").lower()) for post in cut.posts
    }
    accounts: dict[Any, set[str]] = {}
    for post in cut.posts:
        accounts.setdefault(post["account_id"], set()).update(split[post["post_id"]])
    spread = Counter(word for words in accounts.values() for word in words)

    def add_up(posts: Iterable[Row]) -> Counter[str]:
        total: Counter[str] = Counter()
        for post in posts:
            words = Counter(split[post["post_id"]])
            weights = {
                word: n * (1 + math.log((1 + len(accounts)) / (1 + spread[word])))
                for word, n in words.items()
            }
            length = math.hypot(*weights.values())
            for word, weight in weights.items():
                total[word] += weight / length
        return total

    liked = {
        act["post_id"] for act in cut.acts if act["actor_id"] == cut.b and act["kind"] in REACTIONS
    }
    wrote = add_up(p for p in cut.posts if p["account_id"] == cut.a and is_recent(cut, p))
    theirs = add_up(
        p for p in cut.posts if p["post_id"] in liked and p["account_id"] not in (cut.a, cut.b)
    )
    length = math.hypot(*wrote.values()) * math.hypot(*theirs.values())
    return sum(wrote[word] * theirs[word] for word in wrote) / length if length else 0.0


def slow_distance(cut: Cut) -> float:
    if not cut.ties:
        return NAN
    reached = {cut.a}
    for steps in (1, 2, 3):
        reached = {y for x, y in cut.ties if x in reached}
        if cut.b in reached:
            assert steps > 1
            return steps
    return 4


def slow_contact(cut: Cut) -> dict[str, float]:
    timed = [act for act in cut.plain.acts if act["us"] is not None]
    timed = [act for act in timed if act["actor_id"] != act["target_id"]]
    between = [
        act for act in timed
        if {act["actor_id"], act["target_id"]} == {cut.a, cut.b} and act["us"] < cut.t
    ]  # fmt: skip
    found = {
        name: math.log1p(
            sum(amount(act) for act in between
                if act["kind"] in kinds and act["us"] >= cut.t - 28 * DAY)
        )
        for name, kinds in CONTACTS.items()
    }  # fmt: skip
    moments = [act["us"] for act in between if act["kind"] in ACTS]
    first = min(act["us"] for act in timed if act["kind"] in ACTS)
    last = max(moments, default=first)
    views = [act for act in timed if act["kind"] == "view"]
    seen = sum(
        amount(act) for act in views
        if (act["actor_id"], act["target_id"]) == (cut.b, cut.a) and act["us"] < cut.t
    )  # fmt: skip
    is_viewing = any(act["us"] < cut.t for act in views)
    return found | {
        "dyad_days_since_contact_log": math.log1p((cut.t - last) / DAY),
        "dyad_views_from_decider_log": math.log1p(seen) if is_viewing else NAN,
    }


def slow_row(cut: Cut) -> dict[str, float]:
    is_posting = bool(cut.posts) and cut.is_watched(cut.a, "posts")
    acts = {who: cut.is_watched(who, "interactions") for who in (cut.a, cut.b)}
    found = {
        "dyad_distance": slow_distance(cut),
        "dyad_liked_posts_cosine": slow_liked(cut) if is_posting and acts[cut.b] else NAN,
    }
    of_posts = ["initiator_format_reach", "initiator_video_share"]
    found |= slow_formats(cut) if is_posting else dict.fromkeys(of_posts, NAN)
    if cut.t is None:
        return found
    found |= slow_engagement(cut) if is_posting else dict.fromkeys(DATED[5:8], NAN)
    found["initiator_first_hour_engagement_log"] = slow_first_hour(cut) if is_posting else NAN
    names = [*CONTACTS, "dyad_days_since_contact_log", "dyad_views_from_decider_log"]
    return found | (slow_contact(cut) if all(acts.values()) else dict.fromkeys(names, NAN))


def make_quick(seed: int, mode: str, **figures: Any) -> World:
    """Return a world in which many acts on a post come at its very moment."""
    tables = make_tables(seed, mode, act_count=800)
    acts, posts = tables["interactions"], tables["posts"]
    posted = acts["post_id"].map(posts.set_index("post_id")["posted_at"])
    quick = posted.notna() & acts["at"].notna() & (np.arange(len(acts)) % 2 == 0)
    acts = acts.assign(at=acts["at"].where(~quick, posted))
    return open_world(mode, tables | {"interactions": acts, "posts": posts.assign(**figures)})


def make_figures(seed: int) -> pd.Series:
    """Return the platform's own first-hour figures for two posts in three."""
    rng = np.random.default_rng(seed)
    figures = pd.Series(pd.array(rng.integers(0, 9, 80), dtype="Int64"))
    return figures.where(rng.random(80) < 0.7)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("mode", ["timed", "crawl", "snapshot"])
def test_features_equal_plain_loops(mode: str, seed: int) -> None:
    assert_equal_to_loops(make_quick(seed, mode))


@pytest.mark.parametrize("mode", ["timed", "crawl"])
def test_figures_of_the_platform_come_before_counting(mode: str) -> None:
    world = make_quick(3, mode, first_hour_engagement=make_figures(3))
    found = assert_equal_to_loops(world)["initiator_first_hour_engagement_log"]
    counted = compute_all(make_quick(3, mode))["initiator_first_hour_engagement_log"]
    assert not found.equals(counted)


def assert_equal_to_loops(world: World) -> pd.DataFrame:
    slow = pd.DataFrame([slow_row(cut) for cut in PlainWorld(world).cuts()])
    fast = compute_all(world)
    assert set(fast) == set(slow)
    for name in slow:
        assert len(slow[name].unique()) > 1, name
        np.testing.assert_allclose(fast[name], slow[name], rtol=0, atol=1e-9, err_msg=name)
    return fast


def compute_all(world: World, dataset: Dataset | None = None) -> pd.DataFrame:
    return make_features(
        world.dyads, dataset or world.dataset, names=NAMES, allow_untimed=True
    ).values


def test_walks_are_looked_at_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few walks of three fit into one part, the distances are the same."""
    world = make_world(2, "snapshot", accounts=40, pair_count=120)
    whole = compute_all(world)["dyad_distance"]
    monkeypatch.setattr(visibility, "WALK_CHUNK", 3)
    assert compute_all(world)["dyad_distance"].equals(whole)
    assert set(whole) == {2, 3, 4}


# -- worked by hand --------------------------------------------------------------------------------

T = pd.Timestamp("2026-06-01", tz="UTC")
#: 28-day blocks are counted from 1970: this one ends 25 days before T.
END = pd.Timestamp("2026-05-07", tz="UTC")


def days_before(moment: pd.Timestamp, days: float) -> pd.Timestamp:
    return moment - pd.Timedelta(days=days)


def compute(
    posts: list[tuple[str, str, float, str]] = (),
    acts: list[tuple[str, str, str, str | None, pd.Timestamp]] = (),
    ties: list[tuple[str, str]] = (),
) -> pd.Series:
    """Return the features of a → b at T.

    Posts are (post, account, days before END, format), acts (actor, target, kind, post, moment),
    ties stand since long ago.
    """
    early = pd.Timestamp("2026-01-01", tz="UTC")
    rows = [*((x, y, early) for x, y in ties), ("a", "b", T), ("z", "y", days_before(T, -100))]
    tables = {"follows": pd.DataFrame(rows, columns=["follower_id", "followee_id", "followed_at"])}
    if posts:
        table = pd.DataFrame(posts, columns=["post_id", "account_id", "posted_at", "format"])
        moments = pd.to_datetime([days_before(END, days) for days in table["posted_at"]])
        tables["posts"] = table.assign(posted_at=moments, text="cats")
    if acts:
        columns = ["actor_id", "target_id", "kind", "post_id", "at"]
        tables["interactions"] = pd.DataFrame(acts, columns=columns)
    data = make_dataset(tables)
    dyads = make_dyads(data, "follow_back", horizon_days=14)
    row = int(np.flatnonzero(dyads.table["at"] == T)[0])
    return make_features(dyads, data, names=NAMES).values.iloc[row]


def test_the_block_ends_where_the_examples_say() -> None:
    assert micros(END) % BLOCK_US == 0
    assert (micros(T) - 1) // BLOCK_US * BLOCK_US == micros(END)


def test_contact_by_hand() -> None:
    """Both ways, 28 days: the like at exactly t − 28 days counts, the one at t does not."""
    found = compute(
        acts=[
            ("a", "b", "like", None, days_before(T, 28)),
            ("b", "a", "like", None, days_before(T, 9)),
            ("b", "a", "like", None, T),
            ("a", "b", "reply", None, days_before(T, 30)),
            ("b", "a", "comment", None, days_before(T, 7)),
            ("a", "b", "message", None, days_before(T, 8)),
            ("a", "c", "share", None, days_before(T, 1)),
            ("b", "a", "view", None, days_before(T, 1)),
            ("b", "a", "view", None, days_before(T, 99)),
            ("a", "b", "view", None, days_before(T, 1)),
        ]
    )
    assert found["dyad_like_contact_log"] == pytest.approx(math.log(3))
    assert found["dyad_comment_contact_log"] == pytest.approx(math.log(2))
    assert found["dyad_message_contact_log"] == pytest.approx(math.log(2))
    assert found["dyad_share_contact_log"] == 0
    assert found["dyad_days_since_contact_log"] == pytest.approx(math.log(1 + 7))
    assert found["dyad_views_from_decider_log"] == pytest.approx(math.log(3))


def test_without_contact_the_days_since_watching_began() -> None:
    found = compute(acts=[("c", "d", "like", None, days_before(T, 63))])
    assert found["dyad_days_since_contact_log"] == pytest.approx(math.log(64))
    assert math.isnan(found["dyad_views_from_decider_log"])


@pytest.mark.parametrize(
    ("ties", "distance"),
    [
        ([("a", "c"), ("c", "b")], 2),
        ([("a", "c"), ("c", "d"), ("d", "b"), ("a", "e"), ("e", "d")], 3),
        ([("a", "c"), ("c", "d"), ("d", "e"), ("e", "b")], 4),
        ([("c", "a"), ("b", "c")], 4),
        ([("c", "d")], 4),
    ],
)
def test_distance_by_hand(ties: list[tuple[str, str]], distance: float) -> None:
    assert compute(ties=ties)["dyad_distance"] == distance


def test_distance_is_unknown_before_the_first_tie() -> None:
    assert math.isnan(compute()["dyad_distance"])


def test_first_hour_by_hand() -> None:
    """Three and one reactions in the first hour: median 2, four followers: 50 per 100."""
    posted = [days_before(END, days) for days in (3, 2)]
    minute = pd.Timedelta(minutes=1)
    acts = [("c", "a", "like", "p1", posted[0] + n * minute) for n in (0, 30, 59)]
    acts += [
        ("c", "a", "like", "p1", posted[0] + 60 * minute),
        ("a", "a", "like", "p2", posted[1] + minute),
        ("c", "a", "view", "p2", posted[1] + minute),
        ("d", "a", "save", "p2", posted[1] + minute),
        ("d", "a", "like", "p3", END - minute),
    ]
    posts = [("p1", "a", 3, "text"), ("p2", "a", 2, "text"), ("p3", "a", 0.5 / 24, "text")]
    found = compute(posts, acts, [(who, "a") for who in "cdef"])
    assert found["initiator_first_hour_engagement_log"] == pytest.approx(math.log(1 + 50))
    # p1 has 4 in all, p2 and p3 have 1.
    assert found["initiator_engagement_rate_log"] == pytest.approx(math.log(1 + 25))


def test_an_initiator_without_posts_gets_the_mean_of_the_others() -> None:
    """c has a median of 2, d of 0: 1 reaction on 2 followers."""
    moment = days_before(END, 1)
    acts = [("b", "c", "like", "p1", moment), ("e", "c", "like", "p1", moment)]
    posts = [("p1", "c", 1, "text"), ("p2", "d", 1, "video")]
    found = compute(posts, acts, [("c", "a"), ("d", "a")])
    assert found["initiator_first_hour_engagement_log"] == pytest.approx(math.log(51))
    assert found["initiator_engagement_rate_log"] == pytest.approx(math.log(51))
    assert found["initiator_video_share"] == pytest.approx(1 / 2)


def test_below_the_median_of_ones_size_by_hand() -> None:
    """Small: a with 0 and 2 reactions, c with 1 and 1 (median 1: one below). Large: d and e.

    d has 5, e 9 (median 7: one below). Pooled 2 of 6: (1 + 10 / 3) / (2 + 10).
    """
    posts = [("p1", "a"), ("p2", "a"), ("p3", "c"), ("p4", "c"), ("p5", "d"), ("p6", "e")]
    likes = {"p2": 2, "p3": 1, "p4": 1, "p5": 5, "p6": 9}
    owner = dict(posts)
    acts = [
        ("f", owner[post], "like", post, days_before(END, 0.5))
        for post, count in likes.items()
        for _ in range(count)
    ]
    ties = [(who, popular) for who in "fgh" for popular in "de"]
    found = compute([(post, who, 1, "text") for post, who in posts], acts, ties)
    assert found["initiator_below_median_share"] == pytest.approx((1 + 10 / 3) / 12)


def test_format_reach_by_hand() -> None:
    """Others of the last block: a video with 6 reactions, a text with 2, an old link with 9.

    Their mean is 4. Video: (6 + 40) / 11, stills: (2 + 40) / 11, link: shrunk to 4 altogether.
    a has posted one video and one text; two videos, two texts and one link are there in all.
    """
    posts = [
        ("p1", "a", 1, "video"), ("p2", "a", 1, "text"), ("p3", "c", 1, "video"),
        ("p4", "c", 28, "text"), ("p5", "d", 28.5, "link"),
    ]  # fmt: skip
    likes = {"p1": 20, "p3": 6, "p4": 2, "p5": 9}
    owner = {post: who for post, who, *_ in posts}
    acts = [
        ("f", owner[post], "like", post, days_before(END, 0.5))
        for post, count in likes.items()
        for _ in range(count)
    ]
    found = compute(posts, acts)
    stills = math.log(1 + 42 / 11)
    video, link = math.log(1 + 46 / 11) - stills, math.log(1 + 4) - stills
    expected = (1 + 10 * 2 / 5) / 12 * video + (0 + 10 * 1 / 5) / 12 * link
    assert found["initiator_format_reach"] == pytest.approx(expected)
    assert found["initiator_video_share"] == pytest.approx((1 + 10 * 2 / 5) / 12)


def test_liked_posts_leave_out_those_of_the_initiator() -> None:
    """b liked one post of a's and, in the second case, one of c's that says the same."""
    posts = [("p1", "a", 1, "text"), ("p2", "c", 40, "text"), ("p3", "b", 2, "text")]
    moment = days_before(END, 0.5)
    own = [("b", "a", "like", "p1", moment), ("b", "b", "like", "p3", moment)]
    assert compute(posts, own)["dyad_liked_posts_cosine"] == 0
    other = ("b", "c", "save", "p2", moment)
    assert compute(posts, [*own, other])["dyad_liked_posts_cosine"] == pytest.approx(1)
    late = ("b", "c", "save", "p2", END)
    assert compute(posts, [*own, late])["dyad_liked_posts_cosine"] == 0


def test_old_posts_of_the_initiator_are_not_shown() -> None:
    posts = [("p1", "a", 28.1, "text"), ("p2", "c", 40, "text")]
    acts = [("b", "c", "like", "p2", days_before(END, 1))]
    assert compute(posts, acts)["dyad_liked_posts_cosine"] == 0


# -- other data, leakage, claims -------------------------------------------------------------------


def test_counts_of_the_platform_stand_in_for_acts() -> None:
    """No act names its post: likes and comments that were read before the block ended."""
    world = make_world(1, "timed")
    posts = world.dataset.tables["posts"]
    ones = pd.array(np.arange(len(posts)) % 7, dtype="Int64")
    counted = posts.assign(like_count=ones, comment_count=ones, counts_at=posts["posted_at"])
    data = world.dataset.replace(posts=counted, interactions=None)
    name = "initiator_engagement_rate_log"
    found = make_features(world.dyads, data, names=[name]).values[name]
    for cut, value in zip(PlainWorld(world).cuts(), found, strict=True):
        latest = last_by_account(cut, cut.posts)
        figures = {
            who: [int(post["post_id"][1:]) % 7 * 2 for post in mine] for who, mine in latest.items()
        }
        known = cut.posts and cut.is_watched(cut.a, "posts")
        expected = per_hundred(cut, figures) if known else NAN
        np.testing.assert_allclose(value, expected, rtol=0, atol=1e-9)
    reason = find_reason(CATALOGUE["initiator_first_hour_engagement_log"], data, "timed")
    assert reason.startswith("needs posts with first_hour_engagement, or ")


@pytest.mark.parametrize("mode", ["timed", "crawl"])
@pytest.mark.parametrize("seed", range(2))
def test_quick_reactions_do_not_leak(mode: str, seed: int) -> None:
    """The common worlds have next to no reaction within an hour; these have many."""
    name, rng = ["initiator_first_hour_engagement_log"], np.random.default_rng(seed)
    for world in (
        make_quick(seed, mode),
        make_quick(seed, mode, first_hour_engagement=make_figures(seed)),
    ):
        moment = world.dyads.table["at"].iloc[rng.integers(len(world.dyads.table))]
        # Ties that are first seen at the crawl are part of it.
        moment += pd.Timedelta(hours=1) if mode == "crawl" else pd.Timedelta(0)
        found = check_future(world, moment, rng, name)
        assert found == {kind: set() for kind in found}
        assert check_reverse_tie(world, seed, name) == set()
        assert check_renaming(world, rng, name) == set()


@pytest.mark.parametrize("mode", ["timed", "crawl"])
def test_reactions_to_posts_from_t_on_are_not_seen(mode: str) -> None:
    """The common check appends acts without a post: here they react to posts of all accounts."""
    world = make_quick(4, mode)
    table, tables = world.dyads.table, world.dataset.tables
    moment = world.dyads.crawl_at if mode == "crawl" else table["at"].max()
    posts = tables["posts"]
    later = pd.DataFrame(
        {"target_id": posts["account_id"], "post_id": posts["post_id"], "actor_id": 11}
    ).assign(kind="like", at=np.maximum(posts["posted_at"], moment))
    changed = world.dataset.replace(
        interactions=pd.concat([tables["interactions"], later], ignore_index=True)
    )
    before, after = (compute_all(world, data) for data in (world.dataset, changed))
    pd.testing.assert_frame_equal(before, after, check_exact=True)


def test_claims_are_the_ones_declared() -> None:
    headlines = {
        "4a": "dyad_liked_posts_cosine",
        "4b": "initiator_first_hour_engagement_log",
        "4c": "dyad_acts_from_decider_log",
        "4d": "initiator_format_reach",
        "4e": "dyad_views_from_decider_log",
    }
    for key, name in headlines.items():
        assert CLAIMS[key].contrast == (name,)
        assert CATALOGUE[name].claim == key
        assert CATALOGUE[name].in_model
        assert CATALOGUE[name].expected_sign == CLAIMS[key].sign == 1
    assert CLAIMS["4f"].test == "period"
    assert CLAIMS["4f"].contrast == tuple(headlines[key] for key in ("4a", "4b", "4c", "4d"))
    for key in (*headlines, "4f"):
        assert set(CLAIMS[key].not_adjusted) <= set(BACKBONE)
