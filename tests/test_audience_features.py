"""Audience targeting: words, audiences, hashtags and success by hand, and by plain loops."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from leakage_checks import assert_nothing_leaks
from plain_world import ACTS, Cut, PlainWorld, micros
from worlds import World, make_tables, make_world, open_world, watch

from followkit.communities import find_communities
from followkit.dyads import make_dyads
from followkit.features import CATALOGUE, CLAIMS, find_reason, make_features
from followkit.features.audience import ENTRIES
from followkit.features.hashtags import find_trending
from followkit.features.texts import Library
from followkit.graph import make_graph
from followkit.tables import Dataset, make_dataset

NAMES = [entry.name for entry in ENTRIES]
MODES = pytest.mark.parametrize("mode", ["timed", "crawl", "snapshot"])
SEEDS = pytest.mark.parametrize("seed", range(3))
REACTIONS = ("like", "comment", "reply", "share", "save")
NAN = math.nan
DAY = pd.Timedelta(days=1)
DAY_US = 86_400_000_000
START = pd.Timestamp("2026-01-01", tz="UTC")
Vector = dict[str, float]


def compute(world: World) -> pd.DataFrame:
    table = make_features(world.dyads, world.dataset, names=NAMES, allow_untimed=True)
    assert table.missing.empty
    return table.values


def make_varied(seed: int, mode: str) -> World:
    """Return a world in which some words are of few accounts, and hashtags are used often."""
    tables = make_tables(seed, mode, accounts=16, pair_count=70, post_count=260, act_count=500)
    posts, rng = tables["posts"], np.random.default_rng(seed)
    added = [f" narrow{k}" if k < 9 else "" for k in rng.integers(0, 30, len(posts))]
    return open_world(mode, tables | {"posts": posts.assign(text=posts["text"] + added)})


# -- plain loops -----------------------------------------------------------------------------------


def words_of(post: dict[str, Any]) -> list[str]:
    words = re.findall(r"\w+", (post["text"] or "").casefold())
    return [word for word in words if not word.isdigit()]


def tags_of(post: dict[str, Any]) -> list[str]:
    return sorted(set((post["hashtags"] or "").split()))


def shrink(total: float, count: float, pool: float) -> float:
    return (total + 10 * pool) / (count + 10)


def count_users(cut: Cut) -> tuple[Counter, int]:
    """Return how many accounts use each word, and how many have words at all."""
    pairs = {(word, post["account_id"]) for post in cut.posts for word in words_of(post)}
    return Counter(word for word, _ in pairs), len({who for _, who in pairs})


def slow_specificity(cut: Cut) -> float:
    if not cut.posts or not cut.is_watched(cut.a, "posts"):
        return NAN
    users, size = count_users(cut)
    uses = [
        (post["account_id"], math.log((1 + size) / (1 + users[word])))
        for post in cut.posts
        for word in words_of(post)
        if 2 <= users[word] <= size / 2
    ]
    if not uses:
        return 0.0
    mine = [value for who, value in uses if who == cut.a]
    return shrink(sum(mine), len(mine), sum(value for _, value in uses) / len(uses))


def find_topics(cut: Cut) -> tuple[dict[Any, int], dict[Any, int], dict[Any, np.ndarray]]:
    """Return the main topics of posts and of accounts, and the mixes of accounts with words."""
    text = cut.plain.text(cut)
    of_post = dict(zip(text.posts["post_id"], text.topic, strict=True))
    main = {w: k for w, k in zip(text.ids, text.main_topic, strict=True) if k >= 0}
    mixes = {w: m for w, m in zip(text.ids, text.account_mix, strict=True) if w in main}
    return of_post, main, mixes


def reactions(cut: Cut) -> list[tuple[dict[str, Any], Any, int]]:
    """Return (act, owner of the post, amount) of reactions to known posts of others."""
    owner = {post["post_id"]: post["account_id"] for post in cut.posts}
    return [
        (act, owner[act["post_id"]], act["count"] or 1)
        for act in cut.acts
        if act["kind"] in REACTIONS
        and act["post_id"] in owner
        and owner[act["post_id"]] != act["actor_id"]
    ]


def sees_reactions(cut: Cut) -> bool:
    watched = cut.is_watched(cut.a, "posts") and cut.is_watched(cut.a, "interactions")
    return watched and bool(cut.posts)


def slow_resonance(cut: Cut) -> float:
    if not sees_reactions(cut):
        return NAN
    of_post, main, _ = find_topics(cut)
    found: Counter = Counter()
    for act, owner, amount in reactions(cut):
        topic = of_post[act["post_id"]]
        if topic >= 0:
            fits = amount * (main.get(act["actor_id"]) == topic)
            found += Counter({"n": amount, "k": fits, ("n", owner): amount, ("k", owner): fits})
    pool = (found["k"] + 1) / (found["n"] + 2)
    return shrink(found["k", cut.a], found["n", cut.a], pool)


def slow_outside(cut: Cut) -> float:
    if not sees_reactions(cut):
        return NAN
    pairs = {(act["actor_id"], owner) for act, owner, _ in reactions(cut)}
    pool = (len(pairs - cut.ties) + 1) / (len(pairs) + 2)
    mine = {pair for pair in pairs if pair[1] == cut.a and pair[0] != cut.b}
    return shrink(len(mine - cut.ties), len(mine), pool)


def slow_likelihood(cut: Cut) -> float:
    if not cut.posts or not cut.is_watched(cut.b, "posts"):
        return NAN
    _, _, mixes = find_topics(cut)
    sought = {y for x, y in cut.ties if x == cut.a}
    sought |= {act["target_id"] for act in cut.acts
               if act["actor_id"] == cut.a and act["kind"] in ACTS}  # fmt: skip
    told = [mixes[y] for y in sorted(sought - {cut.a, cut.b}) if y in mixes]
    if cut.b not in mixes:
        return 0.0
    aim = (sum(told) + 10 * np.mean(list(mixes.values()), axis=0)) / (len(told) + 10)
    return float(aim @ mixes[cut.b])


def slow_community(cut: Cut) -> float:
    ties = sorted(cut.ties)
    if cut.b not in {who for tie in ties for who in tie}:
        return 0.0
    graph = make_graph([x for x, _ in ties], [y for _, y in ties])
    group = find_communities(graph.source, graph.target, graph.node_count)
    inside = {who for who in graph.nodes if group[graph.code([who])] == group[graph.code([cut.b])]}
    mine = [y for x, y in ties if x == cut.a]
    pool = sum(y in inside for _, y in ties) / len(ties)
    return shrink(sum(y in inside for y in mine), len(mine), pool)


def slow_mix(cut: Cut) -> float:
    if not cut.posts or not cut.is_watched(cut.a, "posts"):
        return NAN
    uses = [(tag, post["us"], post["account_id"]) for post in cut.posts for tag in tags_of(post)]
    users = {tag: len({who for other, _, who in uses if other == tag}) for tag, _, _ in uses}
    limit = max(2, 0.05 * len({who for _, _, who in uses}))
    counted: Counter = Counter()
    for tag, moment, who in uses:
        ages = [moment - us for other, us, _ in uses if other == tag and us < moment]
        week, month = (sum(age <= days * DAY_US for age in ages) for days in (7, 28))
        trends = week >= 3 and week >= 3 * month / 4
        if trends or 2 <= users[tag] <= limit:
            counted += Counter({"n": 1, "k": trends, ("n", who): 1, ("k", who): trends})
    if not counted["n", cut.a]:
        return 0.0
    pool = (counted["k"] + 1) / (counted["n"] + 2)
    share = shrink(counted["k", cut.a], counted["n", cut.a], pool)
    return 4 * share * (1 - share)


def weigh_posts(cut: Cut) -> dict[Any, Vector]:
    """Return the TF-IDF vector of each post, of length one."""
    users, size = count_users(cut)
    found = {}
    for post in cut.posts:
        counts = Counter(words_of(post))
        vector = {w: n * (1 + math.log((1 + size) / (1 + users[w]))) for w, n in counts.items()}
        length = math.sqrt(sum(value**2 for value in vector.values())) or 1.0
        found[post["post_id"]] = {word: value / length for word, value in vector.items()}
    return found


def slow_relevance(cut: Cut) -> float:
    if not cut.posts or not cut.is_watched(cut.a, "posts"):
        return NAN
    vectors, scores = weigh_posts(cut), []
    for post in cut.posts:
        for tag in tags_of(post):
            total: Counter = Counter()
            others = [
                other for other in cut.posts
                if other["account_id"] != post["account_id"] and tag in tags_of(other)
            ]  # fmt: skip
            for other in others:
                total.update(vectors[other["post_id"]])
            length = math.sqrt(sum(value**2 for value in total.values()))
            dot = sum(value * total[word] for word, value in vectors[post["post_id"]].items())
            if others:
                scores.append((post["account_id"], dot / length if length else 0.0))
    mine = [value for who, value in scores if who == cut.a]
    pool = sum(value for _, value in scores) / len(scores) if scores else 0.0
    return shrink(sum(mine), len(mine), pool)


def slow_success(cut: Cut) -> float:
    world = cut.plain.world
    if world.mode != "timed":
        ties = cut.ties
        if world.mode == "crawl":
            crawl = micros(world.dyads.crawl_at)
            ties = {
                (row["follower_id"], row["followee_id"])
                for row in cut.plain.follows
                if micros(row["followed_before_at"]) <= crawl
            } - {(cut.a, cut.b), (cut.b, cut.a)}
        answered = [tie[::-1] in ties for tie in ties]
        mine = [tie[::-1] in ties for tie in ties if tie[0] == cut.a]
        return shrink(sum(mine), len(mine), (sum(answered) + 1) / (len(answered) + 2))
    first: dict[tuple[Any, Any], tuple[int, float]] = {}
    for row in sorted(cut.plain.follows, key=lambda row: micros(row["followed_at"])):
        end = micros(row["unfollowed_at"])
        pair = row["follower_id"], row["followee_id"]
        first.setdefault(pair, (micros(row["followed_at"]), math.inf if end is None else end))
    horizon, found = 14 * DAY_US, Counter()
    for (x, y), (start, end) in first.items():
        back = first.get((y, x), (math.inf, 0))[0]
        if back >= start and start + horizon < cut.t:
            is_answered = back <= start + horizon and end >= back
            found += Counter({"n": 1, "k": is_answered, ("n", x): 1, ("k", x): is_answered})
    pool = (found["k"] + 1) / (found["n"] + 2)
    return shrink(found["k", cut.a], found["n", cut.a], pool)


SLOW = {
    "initiator_topic_specificity": slow_specificity,
    "initiator_resonance_share": slow_resonance,
    "initiator_success_rate": slow_success,
    "dyad_audience_topic_likelihood": slow_likelihood,
    "dyad_audience_community_share": slow_community,
    "initiator_hashtag_mix": slow_mix,
    "initiator_tag_relevance": slow_relevance,
    "initiator_outside_engagers_share": slow_outside,
}


def test_every_feature_has_a_loop() -> None:
    assert set(SLOW) == set(NAMES)


@MODES
@SEEDS
def test_features_equal_plain_loops(seed: int, mode: str) -> None:
    world = make_varied(seed, mode)
    values, cuts = compute(world), PlainWorld(world).cuts()
    for name, slow in SLOW.items():
        expected = [slow(cut) for cut in cuts]
        np.testing.assert_allclose(
            values[name], expected, rtol=1e-9, atol=1e-11, equal_nan=True, err_msg=name
        )
        assert len(values[name].dropna().unique()) > 1, name


# -- by hand ---------------------------------------------------------------------------------------


def make_posts(rows: list[tuple[str, int, str, str]], **columns: list[float]) -> pd.DataFrame:
    """Return posts from rows of account, day, text and hashtags."""
    account, day, text, tags = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "post_id": [f"p{place}" for place in range(len(rows))],
            "account_id": account,
            "posted_at": START + pd.to_timedelta(day, unit="D"),
            "text": text,
            "hashtags": tags,
            **columns,
        }
    )


def measure(
    posts: pd.DataFrame,
    ties: list[str],
    *names: str,
    acts: pd.DataFrame | None = None,
) -> pd.Series:
    """Return features of a→b, 70 days after all the other ties began."""
    follows = pd.DataFrame(
        {
            "follower_id": [tie[0] for tie in ties] + ["a"],
            "followee_id": [tie[1] for tie in ties] + ["b"],
            "followed_at": [START] * len(ties) + [START + 70 * DAY],
        }
    )
    ids = sorted(set("ab") | set("".join(ties)) | set(posts["account_id"]))
    tables = {
        "follows": follows,
        "posts": posts,
        "observation": watch(ids, START - DAY, START + 300 * DAY, "follows", "posts",
                             "interactions"),
    }  # fmt: skip
    data = make_dataset(tables | ({} if acts is None else {"interactions": acts}))
    dyads = make_dyads(data, "follow_back")
    values = make_features(dyads, data, names=list(names)).values
    table = dyads.table
    return values[((table["initiator_id"] == "a") & (table["decider_id"] == "b")).to_numpy()].iloc[
        0
    ]


def test_hashtags_of_a_niche_and_of_a_trend_by_hand() -> None:
    posts = make_posts(
        [
            ("x", 1, "one", "now"),
            ("x", 2, "two", "now"),
            ("x", 3, "three", "now"),
            ("a", 5, "four", "now nook alone"),
            ("z", 6, "five", "nook"),
        ]
    )
    name = "initiator_hashtag_mix"
    # Only a's use of "now" comes after three in a week. Two accounts share "now", and "nook"; the
    # tag that a has to itself does not count: 6 uses, of which one is trending.
    pool = (1 + 1) / (6 + 2)
    share = (1 + 10 * pool) / (2 + 10)
    assert measure(posts, ["xz"], name)[name] == pytest.approx(4 * share * (1 - share))
    without = posts[posts["account_id"] != "a"]
    assert measure(without, ["xz"], name)[name] == 0.0


def find_trends(days: list[float]) -> list[bool]:
    rows = [("x", 0, f"text {k}", "tag") for k in range(len(days))]
    posts = make_posts(rows).assign(posted_at=START + pd.to_timedelta(days, unit="D"))
    follows = pd.DataFrame({"follower_id": ["a"], "followee_id": ["b"]})
    return find_trending(Library(make_dataset({"follows": follows, "posts": posts}))).tolist()


def test_a_trend_is_three_times_the_usual_and_three_uses() -> None:
    assert find_trends([0, 1, 2, 3]) == [False, False, False, True]
    # A use of the same moment is not before it, and one of seven days ago is.
    assert find_trends([0, 1, 2, 2]) == [False] * 4
    assert find_trends([0, 1, 2, 7]) == [False, False, False, True]
    assert find_trends([0, 1, 2, 7.01]) == [False] * 4
    # A steady tag never trends: seven uses a week are no more than a quarter of 28.
    steady = find_trends([float(day) for day in range(60)])
    assert not any(steady[28:])
    # Three of four uses in 28 days are three quarters; three of five are not.
    assert find_trends([0, 20, 21, 22, 23])[-1]
    assert not find_trends([0, 1, 20, 21, 22, 23])[-1]


def test_tags_fit_where_others_write_alike_by_hand() -> None:
    posts = make_posts(
        [
            ("a", 1, "lens", "art"),
            ("x", 2, "lens", "art"),
            ("y", 3, "bread", "art alone"),
            ("z", 4, "", "mute"),
            ("x", 5, "tram", "mute"),
        ]
    )
    name = "initiator_tag_relevance"
    # With the tag "art": a against lens + bread and x against lens + bread come to 1 / √2, y
    # against twice lens to 0. Of "mute", the other has no words, either way: 0.
    fit = math.sqrt(0.5)
    pool = 2 * fit / 5
    assert measure(posts, ["xz"], name)[name] == pytest.approx((fit + 10 * pool) / 11)


def test_words_of_few_weigh_more_by_hand() -> None:
    posts = make_posts(
        [("a", 1, "all lens lens", ""), ("x", 2, "all lens", ""), ("y", 3, "all", ""),
         ("z", 4, "all chess", "")]
    )  # fmt: skip
    name = "initiator_topic_specificity"
    # "all" is of everyone and "chess" of one: "lens" alone is topical, and its value the pool's.
    assert measure(posts, ["xz"], name)[name] == pytest.approx(math.log(5 / 3))


def test_words_and_tags_that_nobody_shares_say_nothing() -> None:
    posts = make_posts([("a", 1, "lens", "art"), ("x", 2, "chart", "data")])
    found = measure(posts, ["xz"], "initiator_topic_specificity", "initiator_tag_relevance")
    assert found.tolist() == [0.0, 0.0]


def test_the_audience_of_an_initiator_by_hand() -> None:
    rows = [("x", 1, "lens", ""), ("z", 1, "chart", ""), ("b", 1, "chart", ""), ("a", 1, "", "")]
    posts = make_posts(rows, topic_0=[1.0, 0, 0, 0], topic_1=[0.0, 1, 1, 0])
    acts = pd.DataFrame(
        {
            "actor_id": ["a", "a", "x", "z", "b", "z"],
            "target_id": ["z", "b", "a", "a", "a", "x"],
            "kind": ["comment", "like", "like", "like", "share", "like"],
            "at": START + 20 * DAY,
            "post_id": [None, None, "p3", "p3", "p3", "p0"],
        }
    )
    found = measure(
        posts, ["ax", "xa", "zb"],
        "dyad_audience_topic_likelihood", "initiator_outside_engagers_share",
        "initiator_resonance_share",
        acts=acts,
    )  # fmt: skip
    # a follows x and commented on z; the like of b is left out. One of three accounts is on lenses.
    assert found["dyad_audience_topic_likelihood"] == pytest.approx((1 + 10 * 2 / 3) / (2 + 10))
    # x follows a, z and b do not, nor does z follow x. Of a's, b is left out.
    pool = (3 + 1) / (4 + 2)
    assert found["initiator_outside_engagers_share"] == pytest.approx((1 + 10 * pool) / 12)
    # The post of a has no topic; z, on charts, liked a post on lenses: none of one.
    assert found["initiator_resonance_share"] == pytest.approx((0 + 1) / (1 + 2))


def test_success_is_known_only_after_the_horizon() -> None:
    rows = [("a", "x", 0), ("x", "a", 5), ("a", "y", 1), ("a", "z", 50), ("z", "a", 51),
            ("w", "a", 2), ("a", "w", 3), ("a", "b", 62)]  # fmt: skip
    follower, followee, day = zip(*rows, strict=True)
    follows = pd.DataFrame(
        {
            "follower_id": follower,
            "followee_id": followee,
            "followed_at": START + pd.to_timedelta(day, unit="D"),
        }
    )
    seen = watch("abwxyz", START - DAY, START + 300 * DAY, "follows")
    data = make_dataset({"follows": follows, "observation": seen})
    dyads = make_dyads(data, "follow_back", horizon_days=14)
    name = "initiator_success_rate"
    values = make_features(dyads, data, names=[name]).values[name]
    # x answered, y did not; z was followed 12 days ago; w came first, so following w was an answer.
    pool = (2 + 1) / (3 + 2)
    last = values[(dyads.table["decider_id"] == "b").to_numpy()].iloc[0]
    assert last == pytest.approx((1 + 10 * pool) / (2 + 10))


# -- leakage, and what has to hold -----------------------------------------------------------------


@MODES
@SEEDS
def test_no_feature_of_the_audience_leaks(seed: int, mode: str) -> None:
    world = make_varied(seed, mode) if seed == 2 else make_world(seed, mode)
    moment = world.dyads.table["at"].sort_values().iloc[len(world.dyads.table) // 2]
    assert_nothing_leaks(world, seed, NAMES, moment)


@MODES
def test_shares_and_mixes_are_bounded(mode: str) -> None:
    values = compute(make_varied(5, mode))
    for name in set(NAMES) - {"initiator_topic_specificity"}:
        assert values[name].dropna().between(0, 1).all(), name


def test_hashtags_need_the_times_of_posts() -> None:
    """Without times nothing can be told to trend, in a snapshot either."""
    tables = make_world(1, "snapshot").dataset.tables
    undated = make_dataset({"follows": tables["follows"],
                            "posts": tables["posts"].drop(columns="posted_at")})  # fmt: skip
    entry = CATALOGUE["initiator_hashtag_mix"]
    assert find_reason(entry, undated, "snapshot", allow_untimed=True).startswith("needs posts")
    kept: Dataset = make_dataset({"follows": tables["follows"], "posts": tables["posts"]})
    assert find_reason(entry, kept, "snapshot", allow_untimed=True) == ""


def test_claims_and_what_they_are_not_adjusted_for() -> None:
    # Rare words lower the cosine with anybody, so relevance has to be held equal.
    for claim in ("9a", "9b"):
        assert {"dyad_topic_cosine", "dyad_consumed_cosine"} <= {*CLAIMS[claim].choose_adjusters()}
    assert CLAIMS["9c"].contrast == ("initiator_hashtag_mix",)
    assert (CLAIMS["9d"].test, CLAIMS["9d"].needs) == ("none", "advertising records")
