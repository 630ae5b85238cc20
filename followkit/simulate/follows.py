"""Who follows whom and who answers, week by week, with a known truth.

Whether a decider answers is drawn as Y = 1{U < P} with P = expit(xβ) and
U = Φ(√ρ_A z_A + √ρ_B z_B + √(1 − ρ_A − ρ_B) ε): exactly logistic in x, with dyads that share an
account dependent through its mood z. For that, x must know nothing of z; but x holds degrees, which
grow with earlier answers. So the town lives by the week: moods are drawn anew on Monday, follows
are made from Monday to Saturday, and answers and withdrawals are given on Sundays. Every feature
of a week then rests on answers of earlier weeks alone, which the week's moods did not touch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.special import ndtr

from followkit.features.blocks import find_block_ends
from followkit.graph import NEVER, count_events_before, count_shared, make_graph
from followkit.logit import expit
from followkit.simulate.draws import Draws, FloatArray, IntArray
from followkit.simulate.people import People, pick_within
from followkit.simulate.truth import INTERCEPT, PLANTED, RHO_DECIDER, RHO_INITIATOR
from followkit.text import Tokens, TopicSpace

DAY_US = 86_400_000_000
WEEK_US = 7 * DAY_US
SUNDAY_US = 6 * DAY_US
WINDOW_DAYS = 28
FIRST_WEEKS, FIRST_RATE = 4, 3.0


@dataclass
class Ties:
    """All ties so far: codes of both ends, when they began and ended (microseconds)."""

    source: list[IntArray] = field(default_factory=list)
    target: list[IntArray] = field(default_factory=list)
    start: list[IntArray] = field(default_factory=list)
    end: list[IntArray] = field(default_factory=list)

    def add(self, source: IntArray, target: IntArray, start: IntArray, end: IntArray) -> None:
        """Add ties."""
        for column, values in zip(
            (self.source, self.target, self.start, self.end), (source, target, start, end),
            strict=True,
        ):  # fmt: skip
            column.append(values.astype(np.int64))

    def whole(self) -> tuple[IntArray, IntArray, IntArray, IntArray]:
        """Return all ties as four arrays."""
        parts = (self.source, self.target, self.start, self.end)
        none = np.zeros(0, dtype=np.int64)
        source, target, start, end = (np.concatenate([none, *part]) for part in parts)
        return source, target, start, end


@dataclass(frozen=True)
class World:
    """What is fixed before anybody follows: people, posts, acts, and the calendar."""

    people: People
    posts: pd.DataFrame
    acts: pd.DataFrame
    start_us: int
    weeks: int
    horizon_days: float
    _spaces: dict[int, TopicSpace | None] = field(default_factory=dict, repr=False)

    @cached_property
    def tokens(self) -> Tokens:
        """The words of all posts, split once."""
        return Tokens(self.posts["account_id"], self.posts["text"])

    def space(self, end_us: int) -> TopicSpace | None:
        """Return the topic space of the posts before a block's end; None without any."""
        if end_us not in self._spaces:
            known = self.posts["posted_us"].to_numpy() < end_us
            self._spaces[end_us] = self.tokens.fit(known) if known.any() else None
        return self._spaces[end_us]


def simulate_follows(draws: Draws, world: World) -> tuple[Ties, FloatArray]:
    """Return all ties, and the probability that was drawn against for each dyad, in order."""
    ties, met = Ties(), np.zeros(0, dtype=np.int64)
    probabilities = []
    for week in range(world.weeks):
        monday = world.start_us + week * WEEK_US
        pairs = _choose_pairs(draws, world, ties, week, met)
        if not len(pairs):
            continue
        met = np.sort(np.concatenate([met, _pair_key(world, pairs["a"], pairs["b"])]))
        x = make_x(world, ties, pairs, monday)
        linear = np.full(len(pairs), INTERCEPT)
        for name, column in x.items():
            linear += PLANTED[name] * column
        probability = np.round(expit(linear), 9)
        probabilities.append(probability)
        level = np.round(_draw_levels(draws, world.people.count, pairs), 9)
        _settle(draws, world, ties, pairs, level < probability, monday)
    return ties, np.concatenate(probabilities)


def _choose_pairs(draws: Draws, world: World, ties: Ties, week: int, met: IntArray) -> pd.DataFrame:
    """Draw the week's follows: a (initiator), b (decider), t_us, in order of time."""
    people = world.people
    rate = people.follows_a_week * (FIRST_RATE if week < FIRST_WEEKS else 1.0)
    counts = draws.counts(np.where(week >= people.dormant_from, 0.0, rate))
    a = np.repeat(np.arange(people.count), counts)
    t = world.start_us + week * WEEK_US + draws.whole(0, 6 * 86_400, len(a)) * 1_000_000
    way = draws.pick(np.array([0.28, 0.20, 0.20, 0.07, 0.25]), len(a))
    way = np.where(people.is_bot[a] & (way != 3), 1, way)
    choices = [
        people.circle[a, draws.whole(0, people.circle.shape[1], len(a))],
        draws.pick(people.popularity, len(a)),
        _friends_of_friends(draws, people.count, ties, a),
        draws.whole(0, people.count, len(a)),
        pick_within(draws, people.topic, people.popularity, people.topic[a]),
    ]
    b = np.choose(way, choices)
    pairs = pd.DataFrame({"a": a, "b": b, "t_us": t, "key": _pair_key(world, a, b)})
    pairs = pairs[(pairs["a"] != pairs["b"]) & ~np.isin(pairs["key"], met)]
    pairs = pairs.sort_values(["t_us", "a", "b"], kind="stable")
    return pairs.drop_duplicates("key").reset_index(drop=True)


def _pair_key(world: World, a: pd.Series | IntArray, b: pd.Series | IntArray) -> IntArray:
    one, two = np.asarray(a), np.asarray(b)
    return np.minimum(one, two) * np.int64(world.people.count) + np.maximum(one, two)


def _friends_of_friends(draws: Draws, count: int, ties: Ties, a: IntArray) -> IntArray:
    """Draw a followee of a followee; a stays itself (and is dropped) where there is none."""
    source, target, _, _ = ties.whole()
    order = np.argsort(source, kind="stable")
    first = np.searchsorted(source[order], np.arange(count + 1))
    reached = a
    for _ in range(2):
        degree = np.diff(first)[reached]
        place = np.floor(draws.uniform(len(a)) * np.maximum(degree, 1)).astype(np.int64)
        found = (
            target[order][np.minimum(first[reached] + place, max(len(order) - 1, 0))]
            if len(order)
            else reached
        )
        reached = np.where(degree > 0, found, a)
    return reached


def make_x(world: World, ties: Ties, pairs: pd.DataFrame, monday: int) -> dict[str, FloatArray]:
    """Return the planted features of a week's dyads, as the catalogue defines them."""
    a, b, t = (pairs[name].to_numpy() for name in ("a", "b", "t_us"))
    out, into = _degrees(world.people.count, ties, pairs, monday)
    return {
        "decider_ratio_log": np.log((into(b, t) + 1.0) / (out(b, t) + 1.0)),
        "initiator_ratio_log": np.log((into(a, t) + 1.0) / (out(a, t) + 1.0)),
        "initiator_posts_per_week_log": np.log1p(_posts_before(world, a, t) / (WINDOW_DAYS / 7)),
        "dyad_topic_cosine": _cosine(world, pairs),
        "dyad_acts_to_decider_log": np.log1p(_acts_before(world, pairs)),
        "dyad_common_followees_log": np.log1p(_common_followees(world, ties, pairs)),
    }


def _degrees(count: int, ties: Ties, pairs: pd.DataFrame, monday: int):  # type: ignore[no-untyped-def]
    """Return functions (account, t) → followees and followers standing as of t."""
    source, target, start, end = ties.whole()
    stands = (start < monday) & (end >= monday)
    made = pairs["t_us"].to_numpy()

    def make(ends: IntArray, fresh: IntArray):  # type: ignore[no-untyped-def]
        before = np.bincount(ends[stands], minlength=count)
        # From Monday to Saturday only new follows change a degree.
        return lambda who, t: before[who] + count_events_before(fresh, made, who, t)

    return make(source, pairs["a"].to_numpy()), make(target, pairs["b"].to_numpy())


def _count_window(nodes: IntArray, times: IntArray, codes: IntArray, t: IntArray) -> FloatArray:
    """Return events of a node in the 28 days before a moment."""
    window = WINDOW_DAYS * DAY_US
    recent = times >= t.min() - window
    nodes, times = nodes[recent], times[recent]
    counted = count_events_before(nodes, times, codes, t)
    return (counted - count_events_before(nodes, times, codes, t - window)).astype(float)


def _posts_before(world: World, a: IntArray, t: IntArray) -> FloatArray:
    posted = world.posts["posted_us"].to_numpy()
    return _count_window(world.posts["code"].to_numpy(), posted, a, t)


def _acts_before(world: World, pairs: pd.DataFrame) -> FloatArray:
    size = np.int64(world.people.count)
    acted = (world.acts["a"] * size + world.acts["b"]).to_numpy()
    asked, codes = np.unique((pairs["a"] * size + pairs["b"]).to_numpy(), return_inverse=True)
    place = np.minimum(np.searchsorted(asked, acted), len(asked) - 1)
    met = asked[place] == acted
    times = world.acts["at_us"].to_numpy()
    return _count_window(place[met], times[met], codes, pairs["t_us"].to_numpy())


def _cosine(world: World, pairs: pd.DataFrame) -> FloatArray:
    """Return the catalogue's topic cosine; before the first block with a post it counts as 0."""
    values = np.zeros(len(pairs))
    ends = find_block_ends(pairs["t_us"].to_numpy())
    for end in np.unique(ends).tolist():
        space = world.space(end)
        if space is not None:
            rows = np.flatnonzero(ends == end)
            part = pairs.iloc[rows]
            values[rows] = space.cosine(part["a"] + 1, part["b"] + 1)
    return values


def _common_followees(world: World, ties: Ties, pairs: pd.DataFrame) -> FloatArray:
    a, b, t = (pairs[name].to_numpy() for name in ("a", "b", "t_us"))
    # Only what this week's accounts follow can be followed by two of them.
    concerned = np.zeros(world.people.count, dtype=bool)
    concerned[a] = concerned[b] = True
    columns = ties.whole()
    source, target, start, end = (column[concerned[columns[0]]] for column in columns)
    fresh = np.full(len(pairs), NEVER)
    graph = make_graph(
        np.r_[source, a], np.r_[target, b], nodes=np.arange(world.people.count),
        start=np.r_[start, t], end=np.r_[end, fresh],
    )  # fmt: skip
    return count_shared(graph, a, b, t, engine="numpy").common_followees.astype(float)


def _draw_levels(draws: Draws, count: int, pairs: pd.DataFrame) -> FloatArray:
    """Return U of each dyad: uniform, and dependent through the week's moods of both accounts."""
    moods_a, moods_b = draws.normal(count), draws.normal(count)
    own = draws.normal(len(pairs))
    latent = (
        np.sqrt(RHO_INITIATOR) * moods_a[pairs["a"].to_numpy()]
        + np.sqrt(RHO_DECIDER) * moods_b[pairs["b"].to_numpy()]
        + np.sqrt(1 - RHO_INITIATOR - RHO_DECIDER) * own
    )
    return np.asarray(ndtr(latent))


def _settle(
    draws: Draws, world: World, ties: Ties, pairs: pd.DataFrame, answers: np.ndarray, monday: int
) -> None:
    """Add the week's follows, and the answers and withdrawals that will follow on Sundays."""
    a, b, t = (pairs[name].to_numpy() for name in ("a", "b", "t_us"))
    count = len(pairs)
    first_sunday = monday + SUNDAY_US
    hour = draws.whole(0, 86_400, count) * 1_000_000
    # Patience: most answer on the first Sunday, some weeks later, all within the horizon.
    wait = np.floor(np.round(np.log1p(-draws.uniform(count)) / np.log(0.35), 9)).astype(np.int64)
    horizon_us = int(world.horizon_days * DAY_US)
    most = (horizon_us - (first_sunday + 86_399_000_000 - t)) // WEEK_US
    answered_at = first_sunday + np.minimum(wait, most) * WEEK_US + hour
    late = ~answers & draws.chance(0.04, count)
    late_at = first_sunday + draws.whole(5, 12, count) * WEEK_US + hour
    leaves = draws.chance(np.where(answers, 0.06, 0.22), count) & ~late
    left_at = (
        first_sunday
        + draws.whole(2, 16, count) * WEEK_US
        + draws.whole(0, 86_400, count) * 1_000_000
    )
    left_at = np.where(answers, np.maximum(left_at, answered_at + 6 * WEEK_US), left_at)
    ties.add(a, b, t, np.where(leaves, left_at, NEVER))
    back = answers | late
    back_at = np.where(answers, answered_at, late_at)
    drops = draws.chance(0.03, count)
    end = back_at + draws.whole(4, 20, count) * WEEK_US
    ties.add(b[back], a[back], back_at[back], np.where(drops, end, NEVER)[back])
