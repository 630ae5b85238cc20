"""Engagement strategy: purposes, rhythm and learning (6c to 6e), by hand and by plain loops."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from statistics import fmean, pstdev
from typing import Any

import numpy as np
import pandas as pd
import pytest
from plain_world import BLOCK_US, Cut, PlainWorld, micros
from worlds import World, make_tables, make_world, open_world, watch

from followkit.dyads import make_dyads
from followkit.features import CATALOGUE, CLAIMS, commenting, engagement, make_features, purposes
from followkit.features.claim import BACKBONE
from followkit.features.rhythm import correct_burstiness
from followkit.tables import make_dataset

NAN = math.nan
DAY, SECOND = 86_400_000_000, 1_000_000
RHYTHM = ("initiator_posting_burstiness", "initiator_longest_silence_days_log")
NAMES = [*RHYTHM, *purposes.FEATURES]
DATED = {*RHYTHM, "initiator_metric_response"}
REACTIONS = {"like", "comment", "reply", "share", "save"}
Row = dict[str, Any]


# -- the same by plain loops -----------------------------------------------------------------------


def entropy(counted: Counter) -> float:
    return -sum(n / counted.total() * math.log(n / counted.total()) for n in counted.values())


def slow_entropy(cut: Cut, column: str) -> float:
    of: dict[Any, Counter] = {}
    for post in cut.posts:
        if post[column]:
            of.setdefault(post["account_id"], Counter())[post[column]] += 1
    total = sum(counted.total() for counted in of.values())
    pooled = sum(c.total() * entropy(c) for c in of.values()) / total
    mine = of.get(cut.a, Counter())
    return (mine.total() * entropy(mine) + 10 * pooled) / (mine.total() + 10)


def slow_promotion(cut: Cut) -> dict[str, float]:
    known = [p for p in cut.posts if p["is_promotional"] is not None]
    pooled = (sum(p["is_promotional"] for p in known) + 1) / (len(known) + 2)
    mine = [bool(p["is_promotional"]) for p in known if p["account_id"] == cut.a]
    return {
        "initiator_promotional_share": (sum(mine) + 10 * pooled) / (len(mine) + 10),
        "initiator_is_mostly_promotional": float(len(mine) >= 10 and sum(mine) > 0.9 * len(mine)),
    }


def slow_distance(cut: Cut) -> float:
    """Topics and account vectors are the package's own; the rest is not."""
    text = cut.plain.text(cut)
    ids = list(text.ids)
    if cut.a not in ids or text.main_topic[ids.index(cut.a)] < 0:
        return 0.0
    vectors = dict(zip(text.space.ids, text.space.matrix.toarray(), strict=True))
    topic = dict(zip(ids, text.main_topic.tolist(), strict=True))
    others = [vectors[w] for w in ids if w != cut.a and topic[w] == topic[cut.a]]
    if not others:
        return 0.0
    total = [math.fsum(column) for column in zip(*others, strict=True)]
    product = math.fsum(x * y for x, y in zip(vectors[cut.a], total, strict=True))
    return 1 - product / math.hypot(*total)


def gaps_of(moments: list[int]) -> list[int]:
    return [later - one for one, later in pairwise(moments)]


def slow_burstiness(cut: Cut, mine: list[int]) -> float:
    gaps = gaps_of([m // SECOND for m in mine if cut.t - 182 * DAY <= m < cut.t])
    n = len(gaps)
    if n < 10:
        return 0.0
    if not sum(gaps):
        return 1.0
    r = pstdev(gaps) / fmean(gaps)
    more, less = math.sqrt(n + 1), math.sqrt(n - 1)
    return (more * r - less) / ((more - 2) * r + less)


def slow_silence(cut: Cut, mine: list[int]) -> float:
    spans = [row for row in cut.plain.seen if row["table_name"] == "posts"]
    began = [
        micros(row["observed_from_at"]) for row in spans
        if row["account_id"] == cut.a
        and micros(row["observed_from_at"]) < cut.t <= micros(row["observed_until_at"])
    ]  # fmt: skip
    if not spans:
        began = [min(post["us"] for post in cut.plain.posts)]
    since = max(cut.t - 84 * DAY, min(began))
    stops = [since, *(m for m in mine if since <= m < cut.t), cut.t]
    return math.log1p(max(gaps_of(stops)) / DAY)


def slow_response(cut: Cut) -> float:
    topics = cut.plain.text(cut).topic.tolist()
    gained: Counter = Counter()
    owner = {post["post_id"]: post["account_id"] for post in cut.posts}
    for act in cut.acts:
        post = act["post_id"]
        if act["kind"] in REACTIONS and post in owner and owner[post] != act["actor_id"]:
            gained[post] += 1 if act["count"] is None else int(act["count"])
    mine = [(p, z) for p, z in zip(cut.posts, topics, strict=True) if p["account_id"] == cut.a]
    cells: list[tuple[float, float]] = []
    for kind in ("topic", "format"):
        windows: list[dict[Any, list[int]]] = []
        for place in range(7):
            end, found = cut.end - place * BLOCK_US, {}
            for post, topic in mine:
                group = post["format"] if kind == "format" else (topic if topic >= 0 else None)
                if group is not None and end - BLOCK_US <= post["us"] < end:
                    found.setdefault(group, []).append(gained[post["post_id"]])
            windows.append(found)
        for later, earlier in pairwise(windows):
            if later and earlier and len(earlier) > 1:
                cells += compare(earlier, later)
    n = len(cells)
    if n < 3:
        return 0.0
    spread = math.sqrt(sum(x * x for x, _ in cells) * sum(y * y for _, y in cells))
    return n / (n + 10) * sum(x * y for x, y in cells) / spread if spread else 0.0


def compare(earlier: dict[Any, list[int]], later: dict[Any, list[int]]) -> list[tuple[float, ...]]:
    totals = [sum(len(posts) for posts in window.values()) for window in (earlier, later)]
    worked = [sum(posts) / len(posts) for posts in earlier.values()]
    change = [
        round(len(later.get(g, [])) / totals[1] - len(posts) / totals[0], 12)
        for g, posts in earlier.items()
    ]
    return list(zip(centre(worked), centre(change), strict=True))


def centre(values: list[float]) -> list[float]:
    """Return ranks (equal values share the mean rank) less their mean."""
    ranks = [sum(v < x for v in values) + (sum(v == x for v in values) + 1) / 2 for x in values]
    return [rank - (len(values) + 1) / 2 for rank in ranks]


def slow_row(cut: Cut) -> dict[str, float]:
    names = set(NAMES) - (DATED if cut.t is None else set())
    if not cut.is_watched(cut.a, "posts"):
        return dict.fromkeys(names, NAN)
    found = dict.fromkeys(names, NAN)
    if cut.posts:
        found |= slow_promotion(cut) | {
            "initiator_purpose_entropy": slow_entropy(cut, "purpose"),
            "initiator_format_entropy": slow_entropy(cut, "format"),
            "initiator_topic_distance": slow_distance(cut),
        }
    if cut.t is None:
        return found
    mine = sorted(
        p["us"] for p in cut.plain.posts if p["account_id"] == cut.a and p["us"] is not None
    )
    found[RHYTHM[0]], found[RHYTHM[1]] = slow_burstiness(cut, mine), slow_silence(cut, mine)
    if cut.posts:
        found["initiator_metric_response"] = slow_response(cut)
    return found


@pytest.mark.parametrize("watches", [True, False])
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("mode", ["timed", "crawl", "snapshot"])
def test_features_equal_plain_loops(mode: str, seed: int, watches: bool) -> None:
    tables = make_tables(seed, mode, post_count=300, act_count=600, watches_posts=watches)
    posts, rng = tables["posts"], np.random.default_rng(seed)
    tables["posts"] = posts.assign(
        purpose=posts["purpose"].where(rng.random(300) < 0.8),
        format=posts["format"].where(rng.random(300) < 0.8),
        is_promotional=posts["is_promotional"].astype("boolean").where(rng.random(300) < 0.8),
    )
    assert_equal_to_loops(open_world(mode, tables))


def assert_equal_to_loops(world: World) -> None:
    slow = pd.DataFrame([slow_row(cut) for cut in PlainWorld(world).cuts()])
    fast = make_features(world.dyads, world.dataset, names=NAMES, allow_untimed=True).values
    assert set(fast) == set(slow)
    for name in slow:
        assert len(slow[name].dropna().unique()) > 1, name
        np.testing.assert_allclose(fast[name], slow[name], rtol=0, atol=1e-9, err_msg=name)


# -- worked by hand --------------------------------------------------------------------------------

T = pd.Timestamp("2026-06-01", tz="UTC")
#: 28-day blocks are counted from 1970: this one ends 25 days before T.
END = pd.Timestamp("2026-05-07", tz="UTC")


def measure(
    posts: list[tuple[str, float, dict[str, Any]]],
    likes: tuple[int, ...] = (),
    watched_days: float | None = None,
) -> pd.Series:
    """Return the features of a → b at T.

    Posts are (account, days before END, columns); `likes` says how many each of them got.
    """
    table = pd.DataFrame([{"text": "cat"} | columns for *_, columns in posts])
    table = table.assign(
        post_id=[f"p{place}" for place in range(len(posts))],
        account_id=[who for who, *_ in posts],
        posted_at=[END - pd.Timedelta(days=days) for _, days, _ in posts],
    )
    follows = pd.DataFrame(
        {"follower_id": ["a", "z"], "followee_id": ["b", "y"],
         "followed_at": [T, T + pd.Timedelta(days=100)]}
    )  # fmt: skip
    tables = {"follows": follows, "posts": table}
    acts = [
        ("x", posts[place][0], "like", f"p{place}", END - pd.Timedelta(hours=1))
        for place, count in enumerate(likes)
        for _ in range(count)
    ]
    if acts:
        columns = ["actor_id", "target_id", "kind", "post_id", "at"]
        tables["interactions"] = pd.DataFrame(acts, columns=columns)
    if watched_days is not None:
        tables["observation"] = pd.concat(
            [
                watch("ab", T - pd.Timedelta(days=watched_days), T + pd.Timedelta(days=9), "posts"),
                watch("abzy", T - pd.Timedelta(days=999), T + pd.Timedelta(days=200), "follows"),
            ]
        )
    data = make_dataset(tables)
    dyads = make_dyads(data, "follow_back", horizon_days=14)
    row = int(np.flatnonzero(dyads.table["at"] == T)[0])
    return make_features(dyads, data, names=NAMES).values.iloc[row]


def test_entropies_by_hand() -> None:
    """a: two purposes once each, one post without; c: four times the same."""
    posts = [
        *(("a", 1, {"purpose": purpose}) for purpose in ("Inform", "entertain", None)),
        *(("c", day, {"purpose": "inform ", "format": "text"}) for day in range(1, 5)),
    ]
    found = measure(posts)
    pooled = 2 * math.log(2) / 6
    assert found["initiator_purpose_entropy"] == pytest.approx((2 * math.log(2) + 10 * pooled) / 12)
    assert found["initiator_format_entropy"] == 0


def test_distance_by_hand() -> None:
    """One topic only. c and d say cat, a cat and fur: the cosine is that of (1, rarity) to cat."""
    found = measure([("a", 3, {"text": "cat fur"}), ("c", 2, {}), ("d", 1, {})])
    rarity = 1 + math.log(4 / 2)
    assert found["initiator_topic_distance"] == pytest.approx(1 - 1 / math.hypot(1, rarity))
    assert measure([("a", 1, {})])["initiator_topic_distance"] == 0
    assert measure([("c", 1, {})])["initiator_topic_distance"] == 0
    same = measure([("a", 1, {}), ("c", 1, {})])["initiator_topic_distance"]
    assert same == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("promoting", "posts", "mostly"), [(10, 10, 1), (9, 10, 0), (9, 9, 0), (19, 20, 1), (18, 20, 0)]
)
@pytest.mark.parametrize("column", ["is_promotional", "purpose"])
def test_promotion_by_hand(column: str, promoting: int, posts: int, mostly: int) -> None:
    values = (True, False) if column == "is_promotional" else ("Promotion", "inform")
    flags = [values[place >= promoting] for place in range(posts)]
    found = measure([("a", 1 + place, {column: flag}) for place, flag in enumerate(flags)])
    pooled = (promoting + 1) / (posts + 2)
    assert found["initiator_promotional_share"] == pytest.approx(
        (promoting + 10 * pooled) / (posts + 10)
    )
    assert found["initiator_is_mostly_promotional"] == mostly


def test_burstiness_of_known_rhythms() -> None:
    """Equal gaps −1, a single gap 1; a Poisson rhythm is about 0, however few the gaps."""
    assert measure([("a", day, {}) for day in range(1, 12)])[RHYTHM[0]] == pytest.approx(-1)
    assert measure([("a", day, {}) for day in range(1, 11)])[RHYTHM[0]] == 0
    assert measure([*(("a", 1, {}),) * 10, ("a", 9, {})])[RHYTHM[0]] == pytest.approx(1)
    assert measure([("a", 1, {})] * 11)[RHYTHM[0]] == 1
    rng = np.random.default_rng(0)
    for n in (10, 40):
        gaps = rng.exponential(size=(4000, n))
        found = correct_burstiness(np.full(4000, float(n)), gaps.std(axis=1) / gaps.mean(axis=1))
        assert abs(found.mean()) < 0.05
        naive = (gaps.std(axis=1) - gaps.mean(axis=1)) / (gaps.std(axis=1) + gaps.mean(axis=1))
        assert abs(found.mean()) < abs(naive.mean()) / 2


def test_only_the_last_twenty_six_weeks_show_a_rhythm() -> None:
    """END is 25 days before T: the eleventh post lies 182 days before T, or a little more."""
    ten = [("a", day, {}) for day in range(1, 11)]
    assert measure([*ten, ("a", 157, {})])[RHYTHM[0]] > 0.5
    assert measure([*ten, ("a", 157.01, {})])[RHYTHM[0]] == 0


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([1, 10], 48),  # 26 and 35 days before T: 49 days from t − 84 to the first
        ([50], 75),  # the open one, up to t
        ([-20, 30, 40], 50),  # in between: from 55 to 5 days before T
        ([100], 84),
    ],
)
def test_silence_by_hand(days: list[float], expected: float) -> None:
    if expected == 48:
        expected = 84 - 35
    found = measure([("c", 200, {}), *(("a", day, {}) for day in days)])
    assert found[RHYTHM[1]] == pytest.approx(math.log1p(expected))


def test_silence_is_counted_from_where_watching_begins() -> None:
    """Watched for 20 days: a post 45 days before T says nothing, one 5 days before leaves 15."""
    assert measure([("a", 20, {})], watched_days=20)[RHYTHM[1]] == pytest.approx(math.log1p(20))
    found = measure([("a", 20, {}), ("a", -20, {})], watched_days=20)
    assert found[RHYTHM[1]] == pytest.approx(math.log1p(15))


def respond(later: tuple[int, int, int]) -> float:
    """Return the response of a, whose images won 5, videos 2 and texts 0 likes a post.

    One of each in the earlier window; so many images, videos and texts in the later one.
    """
    names = ("image", "video", "text")
    posts = [("a", 29 + place, {"format": name}) for place, name in enumerate(names)]
    posts += [
        ("a", 1 + place, {"format": name})
        for name, count in zip(names, later, strict=True)
        for place in range(count)
    ]
    return measure(posts, likes=(5, 2, 0))["initiator_metric_response"]


def test_response_by_hand() -> None:
    """Three cells of the formats; one topic alone has no ranks."""
    assert respond((3, 2, 1)) == pytest.approx(3 / 13)
    assert respond((1, 2, 3)) == pytest.approx(-3 / 13)
    # Ranks of the change 2, 3, 1 against 3, 2, 1: (0 + 0 + 1) / 2.
    assert respond((2, 3, 1)) == pytest.approx(3 / 13 * 0.5)
    # Two equal changes share a rank: (1 · .5 − 1 · −1) / √(2 · 1.5).
    assert respond((2, 2, 1)) == pytest.approx(3 / 13 * 1.5 / math.sqrt(3))
    assert respond((2, 2, 2)) == 0
    assert respond((0, 0, 0)) == 0


def test_two_cells_or_windows_apart_say_nothing() -> None:
    two = [("a", 30, {"format": "image"}), ("a", 30, {"format": "text"}),
           ("a", 1, {"format": "image"})]  # fmt: skip
    assert measure(two, likes=(3, 0))["initiator_metric_response"] == 0
    names = ("image", "video", "text")
    apart = [("a", 60, {"format": name}) for name in names] + [("a", 1, {"format": "image"})]
    assert measure(apart, likes=(3, 2, 0))["initiator_metric_response"] == 0
    # The eighth window back is not looked at.
    old = [("a", 7 * 28 + 1, {"format": name}) for name in names]
    old += [("a", 6 * 28 + 1, {"format": "image"})]
    assert measure(old, likes=(3, 2, 0))["initiator_metric_response"] == 0
    newer = [(who, days - 2, columns) for who, days, columns in old]
    assert measure(newer, likes=(3, 2, 0))["initiator_metric_response"] > 0


def test_posts_that_follow_a_coin_show_no_response() -> None:
    """Whatever is posted next has nothing to do with likes: the mean is 0 within four errors."""
    found = []
    for seed in range(4):
        world = make_world(seed, "timed", accounts=60, pair_count=150, post_count=2500,
                           act_count=4000)  # fmt: skip
        values = make_features(world.dyads, world.dataset, names=["initiator_metric_response"])
        last = pd.Series(values.values.iloc[:, 0].to_numpy(), world.dyads.table["initiator_id"])
        found += last.dropna().groupby(level=0).last().tolist()
    assert len(found) > 100
    assert abs(fmean(found)) < 4 * pstdev(found) / math.sqrt(len(found))


# -- claims of the whole factor --------------------------------------------------------------------


def test_claims_are_the_ones_declared() -> None:
    expected = {
        "6a": "dyad_on_topic_acts_share",
        "6b": "initiator_comment_specificity",
        "6c": "initiator_purpose_entropy",
        "6d": "initiator_posting_weeks_share",
        "6e": "initiator_metric_response",
    }
    assert {key: CLAIMS[key].contrast for key in expected} == {
        key: (name,) for key, name in expected.items()
    }
    for key, name in expected.items():
        assert CATALOGUE[name].in_model
        assert CATALOGUE[name].claim == key
        assert (CLAIMS[key].test, CLAIMS[key].sign) == ("slope", 1)
        assert set(CLAIMS[key].not_adjusted) <= set(BACKBONE)
    entries = [*engagement.ENTRIES, *commenting.ENTRIES, *purposes.ENTRIES]
    assert {entry.factor for entry in entries} == {6}
    headlines = {entry.name for entry in entries if entry.in_model}
    assert headlines - set(expected.values()) == {
        "dyad_acts_to_decider_log", "dyad_has_contact_7d", "initiator_acting_weeks_share"
    }  # fmt: skip
