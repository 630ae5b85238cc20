"""Who follows whom and who answers, week by week, with a known truth.

Whether a decider answers is drawn as Y = 1{U < P} with P = expit(xβ) and
U = Φ(√ρ_A z_A + √ρ_B z_B + √(1 − ρ_A − ρ_B) ε): exactly logistic in x, with dyads that share an
account dependent through its mood z. For that, x must know nothing of z; but x holds degrees, which
grow with earlier answers. So the town lives by the week: moods are drawn anew on Monday, follows
are made from Monday to Saturday, and answers and withdrawals are given on Sundays. Every feature
of a week then rests on answers of earlier weeks alone, which the week's moods did not touch. And
posts and acts are fixed before anybody follows, so nothing but later ties depends on an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import ndtr

from followkit.features import FUNCTIONS
from followkit.features.context import FeatureContext
from followkit.features.texts import Library
from followkit.features.ties import to_times
from followkit.graph import NEVER
from followkit.logit import expit
from followkit.simulate.draws import Draws, FloatArray, IntArray
from followkit.simulate.people import People, pick_within
from followkit.simulate.truth import RHO_DECIDER, RHO_INITIATOR
from followkit.tables import Dataset

DAY_US = 86_400_000_000
WEEK_US = 7 * DAY_US
SUNDAY_US = 6 * DAY_US
FIRST_WEEKS, FIRST_RATE = 4, 3.0
#: How deciders are found: the circle, by popularity, friends of friends, followers of followers,
#: whom one acted towards, anybody, by taste.
WAYS = np.array([0.25, 0.15, 0.15, 0.20, 0.10, 0.05, 0.10])


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
    """What is fixed before anybody follows.

    Attributes
    ----------
    people, dataset
        Who lives there, and the tables of accounts, posts, interactions and observation.
    start_us, weeks
        The first Monday (microseconds since 1970), and how long the town is watched.
    horizon_days
        Within which every planned answer falls.
    planted, intercept
        Log odds of an answer: the intercept, and what a unit of each feature adds.
    library
        Posts and acts by block, for all weeks: they are fixed before anybody follows.
    """

    people: People
    dataset: Dataset
    start_us: int
    weeks: int
    horizon_days: float
    planted: Mapping[str, float]
    intercept: float
    library: Library


def simulate_follows(draws: Draws, world: World) -> tuple[Ties, pd.DataFrame]:
    """Return all ties, and the dyads in order of time with what decided about each.

    The dyads have a, b (codes), t_us, probability (that was drawn against), outcome (1 where an
    answer within the horizon was planned) and one column a planted feature.
    """
    ties, met = Ties(), np.zeros(0, dtype=np.int64)
    dyads = []
    for week in range(world.weeks):
        monday = world.start_us + week * WEEK_US
        pairs = _choose_pairs(draws, world, ties, week, met)
        if not len(pairs):
            continue
        met = np.sort(np.concatenate([met, pairs["key"]]))
        x = measure_pairs(world, ties, pairs)
        linear = np.full(len(pairs), world.intercept)
        for name, value in world.planted.items():
            # What is not known yet adds nothing; such dyads drop out of every fit.
            linear += value * np.nan_to_num(x[name].to_numpy())
        probability = np.round(expit(linear), 9)
        level = np.round(_draw_levels(draws, world.people.count, pairs), 9)
        answers = level < probability
        _settle(draws, world, ties, pairs, answers, monday)
        told = pairs[["a", "b", "t_us"]].assign(probability=probability, outcome=answers * 1)
        dyads.append(pd.concat([told, x], axis=1))
    return ties, pd.concat(dyads, ignore_index=True)


def _choose_pairs(draws: Draws, world: World, ties: Ties, week: int, met: IntArray) -> pd.DataFrame:
    """Draw the week's follows: a (initiator), b (decider), t_us, in order of time."""
    people = world.people
    rate = people.follows_a_week * (FIRST_RATE if week < FIRST_WEEKS else 1.0)
    counts = draws.counts(np.where(week >= people.dormant_from, 0.0, rate))
    a = np.repeat(np.arange(people.count), counts)
    monday = world.start_us + week * WEEK_US
    t = monday + draws.whole(0, 6 * 86_400, len(a)) * 1_000_000
    source, target, _, _ = ties.whole()
    # A friend's friend; a follower's follower; a stays itself (and is dropped) where there is none.
    friends = _walk_twice(draws, people.count, source, target, a)
    readers = _walk_twice(draws, people.count, target, source, a)
    known = _choose_known(draws, world, a, monday)
    chosen = [
        people.circle[a, draws.whole(0, people.circle.shape[1], len(a))],
        draws.pick(people.popularity, len(a)),
        friends,
        readers,
        known,
        draws.whole(0, people.count, len(a)),
        pick_within(draws, people.topic, people.popularity, people.taste[a]),
    ]
    way = draws.pick(WAYS, len(a))
    # Bots follow whom everybody follows, or anybody.
    way = np.where(people.is_bot[a] & (way != 5), 1, way)
    b = np.choose(way, chosen)
    pairs = pd.DataFrame({"a": a, "b": b, "t_us": t, "key": _pair_key(world, a, b)})
    pairs = pairs[(pairs["a"] != pairs["b"]) & ~np.isin(pairs["key"], met)]
    pairs = pairs.sort_values(["t_us", "a", "b"], kind="stable")
    return pairs.drop_duplicates("key").reset_index(drop=True)


def _pair_key(world: World, a: pd.Series | IntArray, b: pd.Series | IntArray) -> IntArray:
    one, two = np.asarray(a), np.asarray(b)
    return np.minimum(one, two) * np.int64(world.people.count) + np.maximum(one, two)


def _walk_twice(
    draws: Draws, count: int, source: IntArray, target: IntArray, begin: IntArray
) -> IntArray:
    """Return where two steps along random ties lead; an account without any stays where it is."""
    order = np.argsort(source, kind="stable")
    first = np.searchsorted(source[order], np.arange(count + 1))
    reached = begin
    for _ in range(2):
        reached = _pick_between(draws, target[order], first[reached], first[reached + 1], reached)
    return reached


def _choose_known(draws: Draws, world: World, a: IntArray, monday: int) -> IntArray:
    """Return somebody towards whom a acted in the four weeks before; a itself without any."""
    acts = world.library.acts
    at_us = acts["at_us"].to_numpy()
    recent = acts[(at_us >= monday - 4 * WEEK_US) & (at_us < monday)]
    actor = recent["actor_id"].to_numpy() - 1
    order = np.argsort(actor, kind="stable")
    target = recent["target_id"].to_numpy()[order] - 1
    first = np.searchsorted(actor[order], np.arange(world.people.count + 1))
    return _pick_between(draws, target, first[a], first[a + 1], a)


def _pick_between(
    draws: Draws, values: IntArray, first: IntArray, stop: IntArray, otherwise: IntArray
) -> IntArray:
    """Return one of values[first:stop] a row, `otherwise` where there is none."""
    level = draws.uniform(len(first))
    if not len(values):
        return otherwise
    place = first + np.floor(level * (stop - first)).astype(np.int64)
    return np.where(stop > first, values[np.minimum(place, len(values) - 1)], otherwise)


def measure_pairs(world: World, ties: Ties, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the planted features of a week's dyads, computed by the catalogue.

    NaN where the catalogue knows nothing yet. The week's own follows are among the ties: those made
    earlier in the week count for later dyads.
    """
    a, b, t = (pairs[name].to_numpy() for name in ("a", "b", "t_us"))
    source, target, start, end = ties.whole()
    known = pd.DataFrame(
        {
            "follower_id": np.r_[source, a] + 1,
            "followee_id": np.r_[target, b] + 1,
            "start_us": np.r_[start, t],
            "end_us": np.r_[end, np.full(len(pairs), NEVER)],
        }
    )
    rows = pd.DataFrame({"initiator_id": a + 1, "decider_id": b + 1, "at": to_times(t)})
    context = FeatureContext(
        rows, "timed", known, world.dataset, world.library, FUNCTIONS,
        np.zeros(len(pairs), dtype=np.int64), world.horizon_days,
    )  # fmt: skip
    return pd.DataFrame({name: context.feature(name) for name in world.planted})


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
    # Later than the horizon of any dyad of the week.
    first_late = int(world.horizon_days // 7) + 1
    late_at = first_sunday + draws.whole(first_late, first_late + 7, count) * WEEK_US + hour
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
