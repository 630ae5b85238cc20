"""Factor 3: ratios, deciders who calculate, initiators who read as spam, curators."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from slow_features import ACTS, BLOCK, DAY, NAN, SlowWorld, is_known, micros
from worlds import World, make_tables, make_world, open_world, watch

from followkit.communities import find_communities
from followkit.dyads import make_dyads
from followkit.features import CATALOGUE, CLAIMS, find_reason, make_features, selectivity
from followkit.features.claim import BACKBONE
from followkit.features.feature import ALL_MODES
from followkit.features.texts import Library
from followkit.graph import make_graph
from followkit.tables import Dataset, make_dataset

NAMES = (
    "decider_is_business",
    "decider_is_creator_or_verified",
    "initiator_spam_excess",
    "initiator_follows_24h_log",
    "initiator_followee_community_entropy",
    "initiator_followee_topic_entropy",
    "decider_curation_share",
    "decider_followee_count_log",
    "dyad_mentions_log",
)
MODES = pytest.mark.parametrize("mode", ALL_MODES)
SEEDS = pytest.mark.parametrize("seed", range(3))
Tie = tuple[Any, Any, float]


# -- the same by plain loops --------------------------------------------------------------------


class Slow:
    """One world as lists, and the features of its dyads by loops."""

    def __init__(self, world: World, latest: int) -> None:
        self.mode, self.tables, self.latest = world.mode, world.dataset.tables, latest
        self.known_ties, self.communities, self.topics = (
            cache(slow) for slow in (self.known_ties, self.communities, self.topics)
        )
        self.library = Library(world.dataset)
        self.timed = SlowWorld(world.dataset, world.dyads) if world.mode == "timed" else None
        self.crawl = micros(world.dyads.crawl_at) if world.mode == "crawl" else None
        table = world.dyads.table
        pairs = zip(table["initiator_id"], table["decider_id"], strict=True)
        self.folds = dict(zip(pairs, table["fold"], strict=True))
        self.acts = [
            row | {"us": micros(row["at"]), "n": row["count"] if is_known(row["count"]) else 1}
            for row in self.tables["interactions"].to_dict("records")
        ]
        self.profiles = {
            row["account_id"]: row for row in self.tables["accounts"].to_dict("records")
        }

    def fold(self, a: Any, b: Any) -> Any:
        return self.folds.get((a, b), self.folds.get((b, a)))

    def known_ties(self, end: int | None, fold: int | None) -> tuple[Tie, ...]:
        """Ties at the end of the block (timed), or at the crawl, without any of the fold."""
        if self.timed is not None:
            begun = {}
            for x, y, start, _ in self.timed.ties:
                begun[x, y] = min(start, begun.get((x, y), start))
            return tuple((x, y, begun[x, y]) for x, y in sorted(self.timed.standing(end)))
        rows = self.tables["follows"].to_dict("records")
        if self.crawl is not None:
            rows = [row for row in rows if micros(row["followed_before_at"]) <= self.crawl]
        pairs = sorted({(row["follower_id"], row["followee_id"]) for row in rows})
        return tuple((x, y, 0) for x, y in pairs if fold is None or self.fold(x, y) != fold)

    def degrees(self, who: Any, a: Any, b: Any, t: int | None) -> tuple[float, float]:
        """(followees, followers) as of t, at the crawl without the pair, or without the fold."""
        if self.timed is not None:
            return self.timed.degrees(who, t)
        ties = self.known_ties(None, None if self.crawl is not None else self.fold(a, b))
        others = [(x, y) for x, y, _ in ties if {x, y} != {a, b}]
        return sum(x == who for x, _ in others), sum(y == who for _, y in others)

    def sees_acts(self, t: int | None) -> bool:
        moments = [act["us"] for act in self.acts if self.is_act(act) and act["us"] is not None]
        return t is None or min(moments) < t

    def is_act(self, act: dict[str, Any]) -> bool:
        return act["kind"] in ACTS and act["actor_id"] != act["target_id"]

    # -- features

    def row(self, a: Any, b: Any, t: int | None) -> dict[str, float]:
        end = None if t is None else (t - 1) // BLOCK * BLOCK
        ties = self.known_ties(end, self.fold(a, b))
        out, into = self.degrees(a, a, b, t)
        found = {
            "decider_is_business": self.flag(b, t, "is_business"),
            "decider_is_creator_or_verified": self.flag(b, t, "is_creator", "is_verified"),
            "initiator_spam_excess": max(0.0, math.log((out + 1) / (into + 1)) - math.log(2)),
            "initiator_followee_community_entropy": self.entropy(a, ties, self.communities(ties)),
            "initiator_followee_topic_entropy": self.entropy(a, ties, self.topics(end)),
            "decider_curation_share": self.curation(b, ties, end) if self.sees_acts(t) else NAN,
            "decider_followee_count_log": math.log1p(self.degrees(b, a, b, t)[0]),
        }
        if not self.library.block(end).posts.size:
            found["initiator_followee_topic_entropy"] = NAN
        if t is not None:
            found["dyad_mentions_log"] = (
                math.log1p(self.mentions(a, b, t)) if self.sees_acts(t) else NAN
            )
        if self.timed is not None:
            made = [start for x, _, start, _ in self.timed.ties if x == a and t - DAY <= start < t]
            is_seen = self.timed.watched(a, "follows", t)[0]
            found["initiator_follows_24h_log"] = math.log1p(len(made)) if is_seen else NAN
        return found

    def flag(self, b: Any, t: int | None, *columns: str) -> float:
        profile = self.profiles[b]
        if t is not None and not micros(profile["counts_at"]) < t:
            return NAN
        flags = [profile[column] for column in columns]
        if any(is_known(flag) and flag for flag in flags):
            return 1.0
        return 0.0 if all(is_known(flag) for flag in flags) else NAN

    def communities(self, ties: tuple[Tie, ...]) -> dict[Any, int]:
        graph = make_graph([x for x, _, _ in ties], [y for _, y, _ in ties])
        found = find_communities(graph.source, graph.target, graph.node_count)
        return dict(zip(graph.nodes, found, strict=True))

    def topics(self, end: int | None) -> dict[Any, int]:
        text = self.library.block(end)
        return {
            who: topic for who, topic in zip(text.ids, text.main_topic, strict=True) if topic >= 0
        }

    def entropy(self, a: Any, ties: tuple[Tie, ...], groups: dict[Any, int]) -> float:
        followees: dict[Any, list[Any]] = {}
        starts: dict[Any, list[float]] = {}
        for x, _, start in ties:
            starts.setdefault(x, []).append(start)
        for x, y, start in ties:
            later = sum(begun > start for begun in starts[x])
            if (self.timed is None or later < self.latest) and y in groups:
                followees.setdefault(x, []).append(groups[y])
        spread = {who: len(found) * shannon(found) for who, found in followees.items()}
        things = sum(len(found) for found in followees.values())
        mean = sum(spread.values()) / things if things else 0.0
        return (spread.get(a, 0.0) + 10 * mean) / (len(followees.get(a, [])) + 10)

    def curation(self, b: Any, ties: tuple[Tie, ...], end: int | None) -> float:
        acted = {
            (act["actor_id"], act["target_id"])
            for act in self.acts
            if self.is_act(act)
            and (end is None or (act["us"] is not None and end - 90 * DAY <= act["us"] < end))
        }
        curated = Counter(x for x, y, _ in ties if (x, y) in acted)
        pooled = (curated.total() + 1) / (len(ties) + 2)
        return (curated[b] + 10 * pooled) / (sum(x == b for x, _, _ in ties) + 10)

    def mentions(self, a: Any, b: Any, t: int) -> int:
        return sum(
            act["n"]
            for act in self.acts
            if act["kind"] == "mention"
            and act["us"] is not None
            and act["us"] < t
            and {act["actor_id"], act["target_id"]} == {a, b}
        )


def shannon(groups: Iterable[int]) -> float:
    counts = Counter(groups)
    return -sum(c / counts.total() * math.log(c / counts.total()) for c in counts.values())


@SEEDS
@pytest.mark.parametrize(
    ("mode", "latest"), [("timed", 50), ("timed", 2), ("crawl", 50), ("snapshot", 50)]
)
def test_features_equal_plain_loops(mode: str, seed: int, latest: int, monkeypatch) -> None:
    monkeypatch.setattr(selectivity, "LATEST_FOLLOWEES", latest)
    world = make_world(seed, mode)
    fast = make_features(world.dyads, world.dataset, names=NAMES, allow_untimed=True).values
    slow = Slow(world, latest)
    rows = [
        slow.row(row["initiator_id"], row["decider_id"], micros(row.get("at")))
        for row in world.dyads.table.to_dict("records")
    ]
    assert {name for name in NAMES if mode in CATALOGUE[name].modes} == set(fast.columns)
    assert set(rows[0]) == set(fast.columns)
    expected = pd.DataFrame(rows, index=fast.index)[list(fast.columns)]
    pd.testing.assert_frame_equal(fast, expected, check_dtype=False, rtol=1e-9, atol=1e-9)


def test_the_loops_tell_the_cut_at_the_latest_followees() -> None:
    """If no account had more than two followees, the test above would not see the cut."""
    world = make_world(0, "timed")
    rows = world.dyads.table.to_dict("records")
    name = "initiator_followee_community_entropy"
    long, short = (
        [slow.row(row["initiator_id"], row["decider_id"], micros(row["at"]))[name] for row in rows]
        for slow in (Slow(world, 50), Slow(world, 2))
    )
    assert long != short


@MODES
def test_scores_and_products_are_what_their_formula_says(mode: str) -> None:
    world = make_world(1, mode)
    parts = {part for product in selectivity.PRODUCTS for part in product.parts}
    made = [
        product.name for product in selectivity.PRODUCTS if mode in CATALOGUE[product.name].modes
    ]
    spam = ("initiator_spam_score", "initiator_spam_excess", "initiator_originality_share")
    names = [*parts, *made, *spam]
    values = make_features(world.dyads, world.dataset, names=names, allow_untimed=True).values
    expected = values[spam[1]] * (1 - values[spam[2]])
    pd.testing.assert_series_equal(values[spam[0]], expected, check_names=False)
    assert len(made) >= 6
    for name in made:
        left, right = CATALOGUE[name].parts
        expected = values[left] * values[right]
        pd.testing.assert_series_equal(values[name], expected, check_names=False)


# -- small cases with their numbers written out -------------------------------------------------

START = pd.Timestamp("2024-01-01", tz="UTC")  # the block that ends on day 17 is the first after it


def day(number: float) -> pd.Timestamp:
    return START + pd.Timedelta(days=number)


def ask(
    follows: list[tuple[str, str, float]],
    acts: list[tuple[str, str, str, float]] = (),
    names: tuple[str, ...] = NAMES,
    **tables: pd.DataFrame,
) -> pd.DataFrame:
    """Return features by pair ("a>b") of follows (follower, followee, day)."""
    ids = sorted({name for row in follows for name in row[:2]})
    ties = pd.DataFrame(follows, columns=["follower_id", "followee_id", "day"])
    ties["followed_at"] = [day(number) for number in ties.pop("day")]
    seen = watch(ids, day(-100), day(200), "follows")
    made = {"follows": ties, "observation": seen} | tables
    if acts:
        found = pd.DataFrame(acts, columns=["actor_id", "target_id", "kind", "day"])
        found["at"] = [day(number) for number in found.pop("day")]
        made["interactions"] = found
    dataset: Dataset = make_dataset(made)
    dyads = make_dyads(dataset, "follow_back", horizon_days=14.0)
    values = make_features(dyads, dataset, names=names).values
    pairs = dyads.table["initiator_id"].str.cat(dyads.table["decider_id"], sep=">")
    return values.set_axis(pd.Index(pairs), axis=0)


def test_spam_excess_begins_beyond_two_followees_a_follower() -> None:
    """a: 7 followees, 1 follower, so 8 to 2 and log 4 − log 2. At 3 followees: 4 to 2, none."""
    follows = [("x", "a", 0.0), *(("a", f"f{number}", 1.0 + number) for number in range(8))]
    excess = ask(follows)["initiator_spam_excess"]
    assert excess["a>f3"] == 0
    assert excess["a>f4"] == pytest.approx(math.log(5 / 2) - math.log(2))
    assert excess["a>f7"] == pytest.approx(math.log(2))
    assert excess["x>a"] == 0


def test_follows_of_the_last_24_hours() -> None:
    """Follows at exactly t do not count, those exactly a day old do."""
    follows = [("a", "b", 10.0), ("a", "c", 10.5), ("a", "d", 11.0), ("a", "e", 11.0)]
    made = np.expm1(ask(follows)["initiator_follows_24h_log"]).round(12)
    assert made[["a>b", "a>c", "a>d", "a>e"]].tolist() == [0, 1, 2, 2]


def test_entropy_is_shrunk_to_the_mean_over_followees() -> None:
    """Owner 0: one thing in each of two groups, 2 log 2; owner 1: three of one group; none: 2."""
    owner, group = np.array([0, 1, 1, 0, 1]), np.array([4, 4, 4, 9, 4])
    mean = 2 * math.log(2) / 5
    found = selectivity.shrink_entropy(owner, group, 3)
    expected = [(2 * math.log(2) + 10 * mean) / 12, 10 * mean / 13, mean]
    assert found == pytest.approx(expected, rel=1e-12)
    empty = np.zeros(0, dtype=np.int64)
    assert selectivity.shrink_entropy(empty, empty, 2).tolist() == [0, 0]


def test_scattered_follows_have_more_entropy_than_those_in_one_circle() -> None:
    """Two rings of five; s follows three of each, h all five of one, and both then follow b.

    The rings are the communities, whichever s and h fall to. n H is 6 log 2 for s and 0 for h and
    the members, who keep to their ring; with their 40 follows, h = 6 log 2 / (6 + 5 + 40).
    """
    rings = [
        (f"{ring}{one}", f"{ring}{two}", 0.0)
        for ring in "pq"
        for one in range(5)
        for two in range(5)
        if one != two
    ]
    scattered = [("s", f"{ring}{number}", 1.0) for ring in "pq" for number in range(3)]
    homely = [("h", f"p{number}", 1.0) for number in range(5)]
    follows = [*rings, *scattered, *homely, ("s", "b", 20.0), ("h", "b", 20.0)]
    found = ask(follows)["initiator_followee_community_entropy"]
    mean = 6 * math.log(2) / (6 + 5 + 40)
    assert found["s>b"] == pytest.approx((6 * math.log(2) + 10 * mean) / 16)
    assert found["h>b"] == pytest.approx(10 * mean / 15)


def test_a_curator_attends_to_its_followees() -> None:
    """b follows two and liked one of them within 90 days of the block's end (day 17).

    Three ties stand by then, one of them attended to: p = 2 / 5, (1 + 4) / (2 + 10). The old like,
    the one after day 17, the one of an account that b does not follow and the view count for
    nothing.
    """
    follows = [
        ("b", "c", 0.0),
        ("b", "d", 0.0),
        ("e", "d", 0.0),
        ("a", "b", 20.0),
        ("a", "z", 20.0),
    ]
    acts = [
        ("b", "c", "like", 16.0),
        ("b", "c", "comment", 3.0),
        ("b", "d", "like", -74.0),
        ("b", "d", "like", 17.0),
        ("b", "d", "view", 5.0),
        ("b", "e", "like", 5.0),
    ]
    found = ask(follows, acts)["decider_curation_share"]
    assert found["a>b"] == pytest.approx((1 + 10 * 2 / 5) / 12)
    assert found["a>z"] == pytest.approx(2 / 5)


def test_mentions_count_both_ways_and_only_before_the_follow() -> None:
    acts = [
        ("a", "b", "mention", 1.0),
        ("b", "a", "mention", 2.0),
        ("b", "a", "mention", 5.0),
        ("b", "a", "like", 2.0),
        ("c", "a", "mention", 2.0),
    ]
    found = ask([("a", "b", 5.0), ("a", "c", 6.0)], acts)["dyad_mentions_log"]
    assert np.expm1(found).round(12).to_dict() == {"a>b": 2, "a>c": 1}


def test_a_flag_that_is_set_decides_and_a_missing_one_leaves_it_open() -> None:
    ids = ["a", "b", "c", "d", "e"]
    accounts = pd.DataFrame(
        {
            "account_id": ids,
            "is_business": [None, True, False, None, True],
            "is_creator": [None, True, False, False, None],
            "is_verified": [None, None, False, None, None],
            "counts_at": [day(0)] * 4 + [day(9)],
        }
    )
    follows = [("a", other, 5.0) for other in ids[1:]]
    found = ask(follows, accounts=accounts)
    np.testing.assert_array_equal(found["decider_is_business"], [1, 0, np.nan, np.nan])
    np.testing.assert_array_equal(found["decider_is_creator_or_verified"], [1, 0, np.nan, np.nan])
    alone = ask(follows, accounts=accounts.drop(columns="is_verified"))
    np.testing.assert_array_equal(alone["decider_is_creator_or_verified"], [1, 0, 0, np.nan])


# -- entries and claims -------------------------------------------------------------------------


def test_missing_tables_are_named() -> None:
    tables = make_tables(1, "timed")
    lean = open_world("timed", {name: tables[name] for name in ("follows", "observation")})
    reasons = {
        name: find_reason(CATALOGUE[name], lean.dataset, "timed", allow_untimed=True)
        for name in (*NAMES, "initiator_spam_score", "dyad_curation_common_followees")
    }
    assert reasons["decider_is_business"] == "needs accounts with is_business"
    assert reasons["decider_curation_share"] == "needs follows, and interactions with kind"
    assert reasons["initiator_followee_topic_entropy"] == "needs follows, and posts with text"
    assert reasons["dyad_mentions_log"] == "needs interactions with times"
    assert "posts with text" in reasons["initiator_spam_score"]
    assert "interactions" in reasons["dyad_curation_common_followees"]
    given = {name for name, reason in reasons.items() if not reason}
    assert given == {
        "initiator_spam_excess",
        "initiator_follows_24h_log",
        "initiator_followee_community_entropy",
        "decider_followee_count_log",
    }


def test_profiles_without_a_date_are_untimed() -> None:
    world = make_world(1, "timed")
    unread = world.dataset.replace(accounts=world.dataset.accounts.drop(columns="counts_at"))
    entry = CATALOGUE["dyad_business_follower_count_log"]
    assert find_reason(entry, world.dataset, "timed") == ""
    reason = find_reason(entry, unread, "timed")
    assert reason == "moment unknown: needs accounts with counts_at, or allow_untimed"


def test_every_claim_of_the_factor_has_a_contrast_in_the_catalogue() -> None:
    ids = [f"3{letter}" for letter in "abcdefg"]
    assert [name for name in ids if name in CLAIMS] == ids
    for name in ids:
        claim = CLAIMS[name]
        assert set(claim.contrast) <= set(CATALOGUE)
        assert set(claim.not_adjusted) <= set(BACKBONE)
        assert all(CATALOGUE[feature].factor == 3 for feature in claim.contrast)
        is_product = bool(CATALOGUE[claim.contrast[0]].parts)
        assert is_product == (claim.test == "interaction")
    gap = CLAIMS["3g"].choose_adjusters()
    assert "decider_ratio_log" in gap
    assert "initiator_ratio_log" not in gap
