"""Influence: prestige, audiences, circles and new reach by hand, and by plain loops."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from leakage_checks import assert_nothing_leaks
from plain_world import ACTS, Cut, PlainWorld, micros
from worlds import World, make_world, watch

from followkit.dyads import make_dyads
from followkit.features import CATALOGUE, CLAIMS, make_features
from followkit.features.influence import ENTRIES, PRODUCTS
from followkit.tables import make_dataset

NAMES = [entry.name for entry in ENTRIES]
MODES = pytest.mark.parametrize("mode", ["timed", "crawl", "snapshot"])
SEEDS = pytest.mark.parametrize("seed", range(3))
NAN = math.nan
DAY = pd.Timedelta(days=1)
DAY_US = 86_400_000_000
START = pd.Timestamp("2026-01-01", tz="UTC")


def compute(world: World) -> pd.DataFrame:
    table = make_features(world.dyads, world.dataset, names=NAMES, allow_untimed=True)
    assert table.missing.empty
    return table.values


# -- plain loops -----------------------------------------------------------------------------------


def followers_of(cut: Cut, who: Any) -> set[Any]:
    return {x for x, y in cut.ties if y == who}


def slow_page_rank(cut: Cut) -> float:
    """Solve r = .15 + .85 (what followers pass on), those who follow nobody passing to everyone."""
    nodes = sorted({who for tie in cut.ties for who in tie})
    if cut.a not in nodes:
        return math.log(0.15)
    step = np.zeros((len(nodes), len(nodes)))
    for k, giver in enumerate(nodes):
        followees = [nodes.index(y) for x, y in cut.ties if x == giver]
        step[followees or range(len(nodes)), k] = 1 / (len(followees) or len(nodes))
    rank = np.linalg.solve(np.eye(len(nodes)) - 0.85 * step, np.full(len(nodes), 0.15))
    return math.log(rank[nodes.index(cut.a)])


def slow_reach(cut: Cut) -> float:
    near = followers_of(cut, cut.a)
    far = {y for x in near for y in followers_of(cut, x)}
    return math.log1p(len((near | far) - {cut.a, cut.b}))


def recent(cut: Cut) -> list[dict[str, Any]]:
    acts = [act for act in cut.acts if act["kind"] in ACTS]
    return [a for a in acts if cut.end is None or a["us"] >= cut.end - 90 * DAY_US]


def slow_engaged(cut: Cut) -> float:
    if not cut.is_watched(cut.a, "interactions"):
        return NAN
    acted = {(act["actor_id"], act["target_id"]) for act in recent(cut)}
    pool = (sum(tie in acted for tie in cut.ties) + 1) / (len(cut.ties) + 2)
    mine = followers_of(cut, cut.a)
    return (sum((x, cut.a) in acted for x in mine) + 10 * pool) / (len(mine) + 10)


def cosine(one: Counter, other: Counter) -> float:
    lengths = [math.sqrt(sum(n**2 for n in side.values())) for side in (one, other)]
    return sum(one[k] * other[k] for k in one) / math.prod(lengths) if all(lengths) else 0.0


def slow_topics(cut: Cut) -> float:
    text = cut.plain.text(cut)
    mixes = dict(zip(text.ids, text.account_mix, strict=True))
    sides = []
    for who in (cut.a, cut.b):
        told = [mixes[x] for x in followers_of(cut, who) if x in mixes]
        sides.append(Counter(dict(enumerate(sum(told)))) if told else Counter())
    return cosine(*sides) if cut.posts else NAN


def slow_languages(cut: Cut) -> float:
    used: dict[Any, Counter] = {}
    for post in cut.posts:
        if post["language"]:
            used.setdefault(post["account_id"], Counter())[post["language"]] += 1
    main = {who: min(n, key=lambda k: (-n[k], k)) for who, n in used.items()}
    return compare_labels(cut, main) if cut.posts else NAN


def slow_places(cut: Cut) -> float:
    places = cut.profiles("location")
    return compare_labels(cut, places) if places else NAN


def compare_labels(cut: Cut, label: dict[Any, str]) -> float:
    sides = (
        Counter(label[x] for x in followers_of(cut, who) if x in label) for who in (cut.a, cut.b)
    )
    return cosine(*sides)


def slow_circle_share(cut: Cut) -> float:
    ties = ties_as_of(cut)
    followees = [y for x, y in ties if x == cut.b]
    return sum((y, cut.a) in ties for y in followees) / (len(followees) + 10)


def ties_as_of(cut: Cut) -> set[tuple[Any, Any]]:
    mode, found = cut.plain.world.mode, set()
    for row in cut.plain.follows:
        pair = row["follower_id"], row["followee_id"]
        if mode == "timed":
            start, end = micros(row["followed_at"]), micros(row["unfollowed_at"])
            stands = start < cut.t and (end is None or end >= cut.t)
        elif mode == "crawl":
            crawl = micros(cut.plain.world.dyads.crawl_at)
            stands = micros(row["followed_before_at"]) <= crawl and set(pair) != {cut.a, cut.b}
        else:
            stands = pair in cut.ties
        found |= {pair} if stands else set()
    return found


def slow_circle_acts(cut: Cut) -> float:
    if not cut.is_watched(cut.a, "interactions"):
        return NAN
    circle = {y for x, y in cut.ties if x == cut.b}
    total = 0
    for act in recent(cut):
        ends = act["actor_id"], act["target_id"]
        for mine, other in (ends, ends[::-1]):
            total += (act["count"] or 1) if mine == cut.a and other in circle else 0
    return math.log1p(total)


def slow_new_reach(cut: Cut) -> float:
    if not cut.posts:
        return NAN
    text = cut.plain.text(cut)
    topic = {w: k for w, k in zip(text.ids, text.main_topic, strict=True) if k >= 0}
    everyone = Counter(topic[x] for x, _ in cut.ties if x in topic)
    theirs = Counter(topic[x] for x in followers_of(cut, cut.b) if x in topic)
    total = 0.0
    for x in followers_of(cut, cut.a) - followers_of(cut, cut.b):
        if x in topic:
            pool = everyone[topic[x]] / sum(everyone.values())
            total += (theirs[topic[x]] + 10 * pool) / (sum(theirs.values()) + 10)
    return math.log1p(total)


SLOW = {
    "initiator_page_rank_log": slow_page_rank,
    "initiator_two_step_reach_log": slow_reach,
    "initiator_engaged_followers_share": slow_engaged,
    "dyad_audience_topic_cosine": slow_topics,
    "dyad_audience_language_cosine": slow_languages,
    "dyad_audience_location_cosine": slow_places,
    "dyad_followees_follow_initiator_share": slow_circle_share,
    "dyad_acts_with_circle_log": slow_circle_acts,
    "dyad_new_reach_log": slow_new_reach,
}


def test_every_feature_but_the_degree_has_a_loop() -> None:
    assert set(SLOW) | {"initiator_follower_count_log"} == set(NAMES)


@MODES
@SEEDS
def test_features_equal_plain_loops(seed: int, mode: str) -> None:
    world = make_world(seed, mode, accounts=16, pair_count=70, act_count=400)
    values, cuts = compute(world), PlainWorld(world).cuts()
    for name, slow in SLOW.items():
        expected = [slow(cut) for cut in cuts]
        np.testing.assert_allclose(
            values[name], expected, rtol=1e-9, atol=1e-11, equal_nan=True, err_msg=name
        )
        assert len(values[name].dropna().unique()) > 1, name


# -- by hand ---------------------------------------------------------------------------------------

TIES = ["xa", "ya", "wx", "zb", "yb", "bx", "bz"]


@pytest.fixture(scope="module")
def tiny() -> pd.Series:
    """Return the features of a→b: x and y follow a, z and y follow b, b follows x and z."""
    follows = pd.DataFrame(
        {
            "follower_id": [tie[0] for tie in TIES] + ["a"],
            "followee_id": [tie[1] for tie in TIES] + ["b"],
            "followed_at": [START] * len(TIES) + [START + 70 * DAY],
        }
    )
    posts = pd.DataFrame(
        {
            "post_id": [1, 2, 3],
            "account_id": ["x", "y", "z"],
            "posted_at": START,
            "text": ["lens", "chart", "chart"],
            "language": ["en", "de", "de"],
            "topic_0": [1.0, 0.0, 0.0],
            "topic_1": [0.0, 1.0, 1.0],
        }
    )
    acts = pd.DataFrame(
        {
            "actor_id": ["x", "a", "a", "y"],
            "target_id": ["a", "z", "y", "x"],
            "kind": ["like", "comment", "like", "view"],
            "at": START + 30 * DAY,
            "count": [1, 2, 1, 1],
        }
    )
    seen = watch("abwxyz", START - DAY, START + 300 * DAY, "follows", "posts", "interactions")
    data = make_dataset(
        {"follows": follows, "posts": posts, "interactions": acts, "observation": seen}
    )
    dyads = make_dyads(data, "follow_back")
    names = [name for name in NAMES if "location" not in name]
    values = make_features(dyads, data, names=names).values
    is_it = ((dyads.table["initiator_id"] == "a") & (dyads.table["decider_id"] == "b")).to_numpy()
    return values[is_it].iloc[0]


def test_a_small_network_by_hand(tiny: pd.Series) -> None:
    # w follows x, who follows a; b follows x as well but is no reach of a's for b.
    assert tiny["initiator_two_step_reach_log"] == pytest.approx(math.log(1 + 3))
    # Of seven ties one follower acted towards the followee: x towards a, who has two followers.
    pool = (1 + 1) / (7 + 2)
    engaged = tiny["initiator_engaged_followers_share"]
    assert engaged == pytest.approx((1 + 10 * pool) / (2 + 10))
    # b follows x and z; x follows a.
    assert tiny["dyad_followees_follow_initiator_share"] == pytest.approx(1 / (2 + 10))
    # Two comments to z and a like from x; y is not in b's circle.
    assert tiny["dyad_acts_with_circle_log"] == pytest.approx(math.log(1 + 3))
    # One follower of a's on each topic and in each language; both of b's on the second.
    assert tiny["dyad_audience_topic_cosine"] == pytest.approx(math.sqrt(0.5))
    assert tiny["dyad_audience_language_cosine"] == pytest.approx(math.sqrt(0.5))
    # x alone is new to b. None of b's two followers has its topic, one of four in all has.
    assert tiny["dyad_new_reach_log"] == pytest.approx(math.log1p((0 + 10 * 0.25) / (2 + 10)))


def test_a_star_is_ranked_by_hand() -> None:
    """Three accounts follow a: each has .15 and what an account that follows nobody gives back."""
    ties = pd.DataFrame(
        {"follower_id": ["x", "y", "z", "a", "n"], "followee_id": ["a", "a", "a", "n", "q"],
         "followed_at": [START] * 3 + [START + 70 * DAY] * 2}
    )  # fmt: skip
    data = make_dataset(
        {"follows": ties, "observation": watch("anqxyz", START, START + 300 * DAY, "follows")}
    )
    dyads = make_dyads(data, "follow_back")
    values = make_features(dyads, data, names=["initiator_page_rank_log"]).values
    by_id = dict(zip(dyads.table["initiator_id"], values.iloc[:, 0], strict=True))
    # r = .15 + .85 A / 4 for the others, A = r + .85 × 3 r, and all add up to 4.
    other = 4 / (4 + 0.85 * 3)
    assert by_id["a"] == pytest.approx(math.log(other * (1 + 0.85 * 3)))
    # n has no tie by the end of the block.
    assert by_id["n"] == pytest.approx(math.log(0.15))


# -- leakage, and what has to hold -----------------------------------------------------------------


@MODES
@SEEDS
def test_no_feature_of_influence_leaks(seed: int, mode: str) -> None:
    names = [*NAMES, *(product.name for product in PRODUCTS)]
    world = make_world(seed, mode)
    moment = world.dyads.table["at"].sort_values().iloc[len(world.dyads.table) // 2]
    assert_nothing_leaks(world, seed, names, moment)


@MODES
def test_shares_and_cosines_are_bounded(mode: str) -> None:
    values = compute(make_world(4, mode))
    for name in NAMES:
        if name.endswith(("_share", "_cosine")):
            assert values[name].dropna().between(0, 1).all(), name


def test_shares_are_of_known_followees_in_an_export_too() -> None:
    """The platform tells of up to 90 followees; only those in the data can follow the initiator."""
    from dataclasses import replace

    world = make_world(3, "timed", pair_count=60)
    table = world.dyads.table
    name = "dyad_followees_follow_initiator_share"
    whole = compute(world)[name]
    mine = ((table["initiator_id"] == 0) | (table["decider_id"] == 0)).to_numpy()
    dyads = replace(world.dyads, table=table[mine].reset_index(drop=True))
    export = make_features(dyads, world.dataset, names=[name])
    assert "platform's own figures" in " ".join(export.notes)
    assert export.values[name].tolist() == whole[mine].tolist()


def test_claims_and_what_they_are_not_adjusted_for() -> None:
    assert [CLAIMS[f"8{letter}"].contrast[0] for letter in "abcd"] == [
        "initiator_page_rank_log",
        "initiator_engaged_followers_share",
        "dyad_followees_follow_initiator_share",
        "dyad_new_reach_log",
    ]
    assert CLAIMS["8b"].test == "difference"
    for claim in "abcd":
        is_adjusted = "initiator_ratio_log" in CLAIMS[f"8{claim}"].choose_adjusters()
        assert is_adjusted == (claim in "cd")
    for product in PRODUCTS:
        assert CATALOGUE[product.name].parts[0] == "decider_is_business"
