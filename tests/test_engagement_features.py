"""Engagement strategy: aim, comments and haste (6a, 6b), by hand and by plain loops."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from leakage_checks import assert_nothing_leaks, find_changes
from plain_world import ACTS, BLOCK_US, Cut, PlainWorld
from worlds import World, make_world

from followkit.dyads import make_dyads
from followkit.features import commenting, make_features, purposes
from followkit.features.texts import Library
from followkit.tables import Dataset, make_dataset
from followkit.text import Tokens

NAN = math.nan
SECOND = 1_000_000
REACTIONS = {"like", "comment", "reply", "share", "save"}
TALK = {"comment", "reply"}
NEW = ("dyad_on_topic_acts_share", "initiator_acts_topic_entropy", "initiator_posting_burstiness",
       "initiator_longest_silence_days_log")  # fmt: skip
NAMES = [*NEW, *commenting.FEATURES, *purposes.FEATURES]
HERE = [*NEW[:2], *commenting.FEATURES]
DATED = {"initiator_repeated_comments_share", "initiator_rapid_acts_share",
         "initiator_topic_shares_per_week_log"}  # fmt: skip
MODES = ["timed", "crawl", "snapshot"]
Row = dict[str, Any]
Vector = dict[str, float]


# -- the same by plain loops -----------------------------------------------------------------------


def amount(act: Row) -> int:
    return 1 if act["count"] is None else int(act["count"])


def words_of(text: str | None) -> Counter[str]:
    return Counter(w for w in re.findall(r"\w+", (text or "").lower()) if not w.isdigit())


def told_acts(cut: Cut, kinds: set[str] = REACTIONS) -> list[tuple[Row, Row, int]]:
    """Return acts on known posts of others with words: act, post, topic."""
    topic = cut.plain.text(cut).topic
    posts = {p["post_id"]: (p, int(z)) for p, z in zip(cut.posts, topic, strict=True) if z >= 0}
    found = []
    for act in cut.acts:
        if act["kind"] in kinds and act["post_id"] in posts:
            post, about = posts[act["post_id"]]
            if post["account_id"] != act["actor_id"]:
                found.append((act, post, about))
    return found


def main_topic(cut: Cut, who: Any) -> int:
    text = cut.plain.text(cut)
    return int(text.main_topic[list(text.ids).index(who)]) if who in text.ids else -1


def slow_aim(cut: Cut) -> float:
    told, wanted = told_acts(cut), main_topic(cut, cut.b)
    if wanted < 0:
        return 0.0
    everyone, mine = Counter(), Counter()
    for act, post, about in told:
        everyone[about] += amount(act)
        if act["actor_id"] == cut.a and post["account_id"] != cut.b:
            mine[about] += amount(act)
    pooled = (everyone[wanted] + 1) / (everyone.total() + cut.plain.text(cut).topic_count)
    return (mine[wanted] + 10 * pooled) / (mine.total() + 10)


def entropy(counted: Counter) -> float:
    return -sum(n / counted.total() * math.log(n / counted.total()) for n in counted.values() if n)


def shrink_entropy(of: dict[Any, Counter], who: Any) -> float:
    total = sum(counted.total() for counted in of.values())
    pooled = sum(c.total() * entropy(c) for c in of.values()) / total if total else 0.0
    mine = of.get(who, Counter())
    return (mine.total() * entropy(mine) + 10 * pooled) / (mine.total() + 10)


def slow_scatter(cut: Cut) -> float:
    of: dict[Any, Counter] = {}
    for act, _, about in told_acts(cut):
        of.setdefault(act["actor_id"], Counter())[about] += amount(act)
    return shrink_entropy(of, cut.a)


def slow_specificity(cut: Cut) -> list[tuple[Any, Any, float]]:
    """Return actor, owner and specificity of every comment that counts."""
    accounts: dict[Any, set[str]] = {}
    for post in cut.posts:
        if words_of(post["text"]):
            accounts.setdefault(post["account_id"], set()).update(words_of(post["text"]))
    spread = Counter(word for words in accounts.values() for word in words)

    def weigh(text: str | None) -> Vector:
        raw = {
            w: n * (1 + math.log((1 + len(accounts)) / (1 + spread[w])))
            for w, n in words_of(text).items()
            if w in spread
        }
        length = math.hypot(*raw.values())
        return {w: value / length for w, value in raw.items()}

    def cosine(one: Vector, other: Vector) -> float:
        return sum(value * other.get(w, 0.0) for w, value in one.items())

    posts = {p["post_id"]: (p["account_id"], weigh(p["text"])) for p in cut.posts}
    posts = {key: (who, vector) for key, (who, vector) in posts.items() if vector}
    found = []
    for act in cut.acts:
        if act["kind"] not in TALK or not (act["text"] or "").strip():
            continue
        owner, about = posts.get(act["post_id"], (None, {}))
        if owner is None or owner == act["actor_id"]:
            continue
        said = weigh(act["text"])
        rest = [
            cosine(said, vector)
            for key, (who, vector) in posts.items()
            if key != act["post_id"] and who != act["actor_id"]
        ]
        mean = sum(rest) / len(rest) if rest else 0.0
        found.append((act["actor_id"], owner, cosine(said, about) - mean))
    return found


def slow_comments(cut: Cut) -> dict[str, float]:
    found = slow_specificity(cut)
    pooled = sum(s for *_, s in found) / (len(found) + 1)
    mine = [s for actor, _, s in found if actor == cut.a]
    to_b = [s for actor, owner, s in found if (actor, owner) == (cut.a, cut.b)]
    return {
        "initiator_comment_specificity": (sum(mine) + 10 * pooled) / (len(mine) + 10),
        "dyad_comment_specificity": (sum(to_b) + 10 * pooled) / (len(to_b) + 10),
    }


def shrink(cut: Cut, flagged: list[tuple[Any, bool]]) -> float:
    if not flagged:
        return NAN
    pooled = (sum(flag for _, flag in flagged) + 1) / (len(flagged) + 2)
    mine = [flag for who, flag in flagged if who == cut.a]
    return (sum(mine) + 10 * pooled) / (len(mine) + 10)


def said_to_others(cut: Cut) -> list[Row]:
    return [
        act for act in cut.acts
        if act["kind"] in TALK and (act["text"] or "").strip()
        and act["actor_id"] != act["target_id"]
    ]  # fmt: skip


def slow_wordless(cut: Cut) -> float:
    return shrink(cut, [(a["actor_id"], not words_of(a["text"])) for a in said_to_others(cut)])


def slow_repeated(cut: Cut) -> float:
    comments = said_to_others(cut)
    return shrink(
        cut,
        [
            (
                one["actor_id"],
                any(
                    other["actor_id"] == one["actor_id"]
                    and other["target_id"] != one["target_id"]
                    and other["us"] < one["us"]
                    and other["text"].lower().split() == one["text"].lower().split()
                    for other in comments
                ),
            )
            for one in comments
        ],
    )


def slow_rapid(cut: Cut) -> float:
    of: dict[Any, list[int]] = {}
    for act in cut.acts:
        if act["kind"] in ACTS and act["actor_id"] != act["target_id"]:
            of.setdefault(act["actor_id"], []).append(act["us"])
    flagged: list[tuple[Any, bool]] = []
    for who, moments in of.items():
        runs: list[list[int]] = []
        for moment in sorted(moments):
            if runs and moment - runs[-1][-1] < 5 * SECOND:
                runs[-1].append(moment)
            else:
                runs.append([moment])
        flagged += [(who, len(run) >= 10) for run in runs for _ in run]
    return shrink(cut, flagged)


def slow_topic_shares(cut: Cut) -> float:
    mine, counted = main_topic(cut, cut.a), 0
    for act, _, about in told_acts(cut, {"share"}):
        is_recent = act["us"] >= cut.end - BLOCK_US
        counted += amount(act) * (act["actor_id"] == cut.a and about == mine and is_recent)
    return math.log1p(counted / 4)


def slow_row(cut: Cut) -> dict[str, float]:
    acts = cut.is_watched(cut.a, "interactions")
    posts = {who: cut.is_watched(who, "posts") for who in (cut.a, cut.b)}

    def given(condition: bool, compute: Callable[[Cut], float]) -> float:
        return compute(cut) if condition else NAN

    some = acts and bool(cut.posts)
    found = {
        "dyad_on_topic_acts_share": given(some and posts[cut.b], slow_aim),
        "initiator_acts_topic_entropy": given(some, slow_scatter),
        "initiator_wordless_comments_share": given(acts, slow_wordless),
    }
    said = slow_comments(cut) if some else dict.fromkeys(
        ("initiator_comment_specificity", "dyad_comment_specificity"), NAN
    )  # fmt: skip
    found |= said | ({} if posts[cut.b] else {"dyad_comment_specificity": NAN})
    if cut.t is None:
        return found
    return found | {
        "initiator_repeated_comments_share": given(acts, slow_repeated),
        "initiator_rapid_acts_share": given(acts, slow_rapid),
        "initiator_topic_shares_per_week_log": given(some and posts[cut.a], slow_topic_shares),
    }


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("mode", MODES)
def test_features_equal_plain_loops(mode: str, seed: int) -> None:
    world = make_world(seed, mode, post_count=120, act_count=1000)
    slow = pd.DataFrame([slow_row(cut) for cut in PlainWorld(world).cuts()])
    assert set(slow) == set(HERE) - (DATED if mode == "snapshot" else set())
    fast = compute(world)
    for name in slow:
        # Shares on topic of four weeks are rare: a crawl, with its one moment, may hold none.
        is_rare = (name, mode) == ("initiator_topic_shares_per_week_log", "crawl")
        assert is_rare or len(slow[name].dropna().unique()) > 1, name
        np.testing.assert_allclose(fast[name], slow[name], rtol=0, atol=1e-9, err_msg=name)


def compute(world: World, dataset: Dataset | None = None) -> pd.DataFrame:
    return make_features(
        world.dyads, dataset or world.dataset, names=NAMES, allow_untimed=True
    ).values


# -- worked by hand --------------------------------------------------------------------------------

T = pd.Timestamp("2026-06-01", tz="UTC")
#: 28-day blocks are counted from 1970: this one ends 25 days before T.
END = pd.Timestamp("2026-05-07", tz="UTC")
Act = tuple[str, str, str, str | None, float, str | None]


def measure(posts: list[tuple[str, str, str]], acts: list[Act], **columns: Any) -> pd.Series:
    """Return the features of a → b at T.

    Posts are (post, account, text), in the order of time; acts (actor, target, kind, post, seconds
    before END, text).
    """
    moments = END - pd.Timedelta(days=60) + pd.to_timedelta(np.arange(len(posts)), unit="h")
    table = pd.DataFrame(posts, columns=["post_id", "account_id", "text"])
    done = pd.DataFrame(acts, columns=["actor_id", "target_id", "kind", "post_id", "at", "text"])
    follows = pd.DataFrame(
        {"follower_id": ["a", "z"], "followee_id": ["b", "y"],
         "followed_at": [T, T + pd.Timedelta(days=100)]}
    )  # fmt: skip
    data = make_dataset(
        {
            "follows": follows,
            "posts": table.assign(posted_at=moments),
            "interactions": done.assign(
                at=END - pd.to_timedelta(done["at"].astype(float), unit="s"), **columns
            ),
        }
    )
    dyads = make_dyads(data, "follow_back", horizon_days=14)
    row = int(np.flatnonzero(dyads.table["at"] == T)[0])
    return make_features(dyads, data, names=NAMES).values.iloc[row]


#: Two topics: c, d and b about cats, e, f and g about tea.
TOWN = [
    *((f"p{place}", who, "cat fur purr") for place, who in enumerate("cdb", start=1)),
    *((f"p{place}", who, "tea cup leaf") for place, who in enumerate("efg", start=4)),
]


def like(actor: str, post: str, count: int = 1) -> list[Act]:
    owner = {key: who for key, who, _ in TOWN}[post]
    return [(actor, owner, "like", post, 1000.0, None)] * count


def test_aim_by_hand() -> None:
    """Of a's acts 3 go to cats (1 more to b itself, left out), 1 to tea; in all 4 and 3."""
    acts = [*like("a", "p1", 2), *like("a", "p2"), *like("a", "p3"), *like("a", "p4"),
            *like("b", "p5", 2)]  # fmt: skip
    found = measure(TOWN, acts)
    pooled = (4 + 1) / (7 + 2)
    assert found["dyad_on_topic_acts_share"] == pytest.approx((3 + 10 * pooled) / (4 + 10))
    mine = 5 * (math.log(5) - 0.8 * math.log(4))
    assert found["initiator_acts_topic_entropy"] == pytest.approx((mine + 10 * mine / 7) / 15)


def test_an_act_on_a_post_of_the_decider_changes_nothing_but_the_pool() -> None:
    acts = [*like("a", "p1"), *like("a", "p4"), *like("c", "p4")]
    found = measure(TOWN, acts + like("a", "p3"))["dyad_on_topic_acts_share"]
    assert found == pytest.approx((1 + 10 * (2 + 1) / (4 + 2)) / (2 + 10))
    views = [("a", "c", "view", "p1", 1.0, None), ("a", "c", "mention", "p1", 1.0, None)]
    assert measure(TOWN, acts + like("a", "p3") + views)["dyad_on_topic_acts_share"] == found


def test_a_decider_without_words_has_no_topic() -> None:
    town = [post for post in TOWN if post[1] != "b"]
    assert measure(town, like("a", "p1"))["dyad_on_topic_acts_share"] == 0.0


def test_amounts_count_as_acts() -> None:
    one = measure(TOWN, [*like("a", "p1", 3), *like("a", "p4")])
    other = measure(TOWN, [*like("a", "p1"), *like("a", "p4")], count=pd.array([3, 1], "Int64"))
    for name in NEW[:2]:
        assert one[name] == pytest.approx(other[name], abs=1e-15)


def comment(post: str, text: str, seconds: float = 1000.0, actor: str = "a") -> Act:
    owner = {key: who for key, who, _ in TOWN}[post]
    return (actor, owner, "comment", post, seconds, text)


def test_specificity_by_hand() -> None:
    """Each word is used by three of six accounts, so all weigh alike.

    "cup" has cosine 1/√3 to its post, and to two of the five others: 1/√3 · (1 − 2/5). "nice" is
    in no post, "🔥" no word: 0.
    """
    s = 1 / math.sqrt(3) * (1 - 2 / 5)
    found = measure(TOWN, [comment("p4", "Cup!"), comment("p5", "nice"), comment("p3", "🔥")])
    pooled = s / (3 + 1)
    assert found["initiator_comment_specificity"] == pytest.approx((s + 10 * pooled) / 13)
    assert found["dyad_comment_specificity"] == pytest.approx((0 + 10 * pooled) / 11)
    assert found["initiator_wordless_comments_share"] == pytest.approx((1 + 10 * 2 / 5) / 13)


def test_a_comment_that_would_fit_anywhere_is_at_chance() -> None:
    town = [(key, who, "tea") for key, who, _ in TOWN]
    assert measure(town, [comment("p1", "tea")])["initiator_comment_specificity"] == 0


def test_unknown_words_and_the_own_posts_of_the_commenter_do_not_count() -> None:
    posts = [*TOWN, ("p7", "a", "cup cup cup zebra")]
    plain, more = (measure(posts, [comment("p4", said)]) for said in ("cup", "cup dromedary"))
    assert more["initiator_comment_specificity"] == plain["initiator_comment_specificity"]
    s = 1 / math.sqrt(3)
    # Four of seven accounts use "cup" now, three the other two words.
    few, many = 1 + math.log(8 / 4), 1 + math.log(8 / 5)
    s = many / math.hypot(many, few, few)
    s -= 2 / 5 * s
    assert plain["initiator_comment_specificity"] == pytest.approx((s + 10 * s / 2) / 11)


def test_without_comments_the_pool_is_chance_and_shares_are_unknown() -> None:
    found = measure(TOWN, [*like("a", "p1"), ("a", "c", "mention", "p1", 9.0, "cat")])
    assert found["initiator_comment_specificity"] == found["dyad_comment_specificity"] == 0
    assert math.isnan(found["initiator_wordless_comments_share"])
    assert math.isnan(found["initiator_repeated_comments_share"])
    assert found["initiator_rapid_acts_share"] == pytest.approx((0 + 10 * 1 / 4) / 12)


def test_repeated_by_hand() -> None:
    """To c; to c again (no); to d at the same moment as to e (yes, both: c had it); other words."""
    acts = [comment("p1", "Great  shot @c", 50), comment("p1", "great shot", 40),
            comment("p2", "GREAT SHOT", 30), comment("p4", "great shot @e.f", 30),
            comment("p4", "great shots", 20), comment("p5", "great shot", 10, "g")]  # fmt: skip
    found = measure(TOWN, acts)["initiator_repeated_comments_share"]
    assert found == pytest.approx((2 + 10 * (2 + 1) / (6 + 2)) / (5 + 10))


@pytest.mark.parametrize(("count", "gap", "rapid"), [(10, 4.9, 10), (9, 4.9, 0), (10, 5.0, 0)])
def test_rapid_by_hand(count: int, gap: float, rapid: int) -> None:
    """Ten acts less than 5 s apart, then one 5 s later; a row of twenty acts is one."""
    acts = [("a", "c", "like", None, 1000 - place * gap, None) for place in range(count)]
    acts += [("a", "c", "like", None, 1000 - (count - 1) * gap - 5.0, None)]
    acts += [("c", "a", "like", None, 900.0, None), ("a", "a", "like", None, 899.0, None)]
    found = measure(TOWN, acts, count=pd.array([1] * (len(acts) - 1) + [20], "Int64"))
    pooled = (rapid + 1) / (count + 2 + 2)
    expected = (rapid + 10 * pooled) / (count + 1 + 10)
    assert found["initiator_rapid_acts_share"] == pytest.approx(expected)


def test_topic_shares_by_hand() -> None:
    """Of five shares in all, one is on another topic, one too old, one a like; a is about tea."""
    week = 7 * 86_400.0
    posts = [*TOWN, ("p7", "a", "tea cup leaf")]
    acts: list[Act] = [
        ("a", "e", "share", "p4", week, None), ("a", "f", "share", "p5", 4 * week, None),
        ("a", "g", "share", "p6", 4 * week + 1, None), ("a", "c", "share", "p1", week, None),
        ("a", "e", "like", "p4", week, None), ("a", "a", "share", "p7", week, None),
    ]  # fmt: skip
    found = measure(posts, acts)
    assert found["initiator_topic_shares_per_week_log"] == pytest.approx(math.log1p(2 / 4))


def test_foreign_texts_are_weighed_as_the_posts_are() -> None:
    """A text that is also a post gets that post's vector; words of later posts are left out."""
    texts = ["cat cat tea", "tea", "leaf cat"]
    tokens = Tokens(pd.Series([1, 2, 3]), pd.Series(texts))
    known = np.array([0, 1])
    own = tokens.weigh_texts(known, known).toarray()
    foreign = tokens.weigh_foreign(tokens.count_foreign([*texts, "", "leaf 7"]), known).toarray()
    np.testing.assert_array_equal(foreign[:2], own)
    assert foreign[2].tolist() == [1.0, 0.0, 0.0]
    assert not foreign[3:].any()


def test_comments_are_words_even_where_posts_have_embeddings() -> None:
    world = make_world(1, "timed")
    before = compute(world)["initiator_comment_specificity"]
    rng = np.random.default_rng(0)
    posts = world.dataset.tables["posts"]
    posts = posts.assign(**{f"embedding_{k}": rng.normal(size=len(posts)) for k in (0, 1)})
    tables = world.dataset.tables | {"posts": posts}
    data = make_dataset(tables, name="vectors", about={"embeddings": {"made_from": "text"}})
    assert Library(data).embeddings is not None
    np.testing.assert_array_equal(compute(world, data)["initiator_comment_specificity"], before)


# -- leakage ------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(2))
def test_nothing_leaks(seed: int, mode: str) -> None:
    world = make_world(seed, mode)
    moment = world.dyads.crawl_at if mode == "crawl" else world.dyads.table["at"].iloc[7]
    assert_nothing_leaks(world, seed, NAMES, moment)


def pick_moment(world: World) -> pd.Timestamp:
    if world.mode == "crawl":
        return world.dyads.crawl_at + pd.Timedelta(hours=1)
    return world.dyads.table["at"].iloc[7]


@pytest.mark.parametrize("mode", ["timed", "crawl"])
def test_what_comes_later_may_be_anything(mode: str) -> None:
    """The common check appends acts without texts; here all later posts and acts are gone."""
    world = make_world(3, mode, act_count=500)
    moment = pick_moment(world)
    posts, acts = (world.dataset.tables[name] for name in ("posts", "interactions"))
    changed = world.dataset.replace(
        posts=posts[(posts["posted_at"] < moment).to_numpy(dtype=bool, na_value=False)],
        interactions=acts[(acts["at"] < moment).to_numpy(dtype=bool, na_value=False)],
    )
    assert len(changed.tables["interactions"]) < len(acts) * 0.9
    rows = np.flatnonzero((world.dyads.table["at"] <= moment).to_numpy())
    assert find_changes(compute(world), compute(world, changed), rows) == set()


def test_shares_stay_between_nothing_and_all() -> None:
    values = compute(make_world(1, "timed"))
    for name in values:
        if name.endswith("_share"):
            assert values[name].dropna().between(0, 1).all(), name
