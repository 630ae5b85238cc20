"""How much of the explained deviance each factor carries: Shapley shares, out of fold.

A share is a mean over dyads of a value per dyad, so its interval is dyadic-robust like every other.
All of it is association: a factor that stands in for an unmeasured one gets its share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit import covariance as cov
from followkit import scores as sc
from followkit.errors import CannotFitError, InputError, ParameterError, suggest
from followkit.evaluate import Lesson
from followkit.features import CATALOGUE, FACTORS, Feature
from followkit.logit import expit
from followkit.splits import Split
from followkit.subsets import BLOCK_ROWS, expected_costs, fit_subsets

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
FlagArray = npt.NDArray[np.bool_]

#: 2^G models are fitted in every test cell.
MOST_GROUPS = 10
#: Log odds are cut where `scores.log_losses` cuts probabilities.
LARGEST_LOG_ODDS = float(np.log((1 - sc.EDGE) / sc.EDGE))
#: The readings of a group, each with the names of its interval.
READINGS = (
    ("shapley", "ci_low", "ci_high"),
    ("alone", "alone_low", "alone_high"),
    ("last", "last_low", "last_high"),
)


@dataclass(frozen=True)
class Contributions:
    """What each group of features carries of the deviance explained out of fold.

    Attributes
    ----------
    table
        One row a group, in the order given: group, feature_count; shapley, alone and last, each
        with its interval (`ci_low`, `ci_high`, `alone_low`, …), in units of deviance per dyad;
        share = shapley / total, missing unless the interval of the total lies above 0; cost: what
        was added back to the Shapley value because coefficients had to be estimated.
    total
        Deviance per dyad that all groups explain together, with its interval.
    per_dyad
        Shapley value of each group for each tested dyad (tested dyads × groups). Averages over a
        segment are that segment's contributions; a row adds up to what all groups explain of it.
    null_per_dyad
        Deviance of each tested dyad under the base rate.
    cost_per_dyad
        What was added back to each tested dyad's total.
    rows
        Which rows of the input were tested, by position.
    tested
        Outcomes of the tested dyads and their probabilities by the model of all groups.
    notes
        How the dyads were split, and which were left out.
    """

    table: pd.DataFrame
    total: tuple[float, float, float]
    per_dyad: FloatArray
    null_per_dyad: FloatArray
    cost_per_dyad: FloatArray
    rows: IntArray
    tested: sc.HeldOut
    notes: tuple[str, ...]


def shapley_contributions(
    features: pd.DataFrame,
    outcome: Any,
    groups: Mapping[str, Sequence[str]],
    split: Split,
    accounts: cov.Accounts,
    *,
    weights: Any = None,
    confidence: float = 0.95,
) -> Contributions:
    """Return the Shapley share of each group of features in the deviance explained out of fold.

    The game: v(S) of a dyad is twice the log loss of the base rate less twice the log loss of the
    logistic model on the groups S, both learned from the dyads that may train for it, each without
    what it costs to have estimated its coefficients (`followkit.subsets.expected_costs`). The
    Shapley value of a group is its mean gain over all orders in which groups can be added, computed
    from all 2^G models; the values of a dyad add up to v(all) exactly. Units: deviance per dyad
    (2 nats).

    So a group that says nothing has 0 in expectation, and its value is negative half of the time
    and left so. In-sample shares would give every group something, a group of noise about its
    number of features over n, and their intervals would never touch 0; with the costs left in, the
    intervals of a group of noise would lie below 0 in one data set of five (1 feature) to two of
    five (8 features).

    Parameters
    ----------
    features
        One row a dyad. Rows with an unknown value in any grouped column are left out and counted.
    outcome
        0 or 1 a row.
    groups
        Label → columns of `features`; no column twice, at most 10 groups.
    split
        Who trains for whom; account blocks (`followkit.splits.make_account_blocks`) for shares
        that hold for accounts not seen in training.
    accounts
        Of all rows, from `followkit.covariance.code_accounts`.
    weights
        Of the rows; 1 without.
    confidence
        Of the intervals.

    Returns
    -------
    Contributions
        Beside each Shapley value stands what the group explains alone (against the base rate) and
        what it adds last (to all others): groups that say the same differ widely in the two.

    Raises
    ------
    ParameterError
        If there is no group or more than 10, or a group names a column that is not there.
    InputError
        If the pieces differ in length, an outcome is neither 0 nor 1, or a value is infinite.
    CannotFitError
        If no tested dyad has a known value of every feature, or all outcomes are alike.

    Notes
    -----
    Models are those of `followkit.evaluate`, one ridge a test cell whatever the subset. Intervals
    take the trained models as given. How often the interval of a group that says nothing contains 0
    is measured by `make study` (reports/studies/null.md). Read a share below 0 as nothing, not as
    harm.

    Shapley (1953), A value for n-person games; as shares of explained variation: Lipovetsky &
    Conklin (2001), Applied Stochastic Models in Business and Industry 17, doi:10.1002/asmb.446.

    Examples
    --------
    >>> from scipy.special import expit
    >>> rng = np.random.default_rng(1)
    >>> x = pd.DataFrame(rng.normal(size=(600, 2)), columns=["told", "noise"])
    >>> y = (rng.random(600) < expit(2 * x["told"])).astype(int)
    >>> half = np.arange(600) % 2
    >>> split = Split("halves", half, half != np.array([[0], [1]]), "Halves train for each other.")
    >>> ends = cov.code_accounts(np.arange(600), np.arange(600, 1200))
    >>> found = shapley_contributions(x, y, {"A": ["told"], "B": ["noise"]}, split, ends)
    >>> found.table["shapley"].round(2).tolist(), round(found.total[0], 2)
    ([0.43, -0.0], 0.42)
    """
    names = _check_groups(features, groups)
    y, weight = _check_rows(features[names], outcome, split, accounts, weights)
    known = features[names].notna().all(axis=1).to_numpy()
    tested = np.flatnonzero(known & split.tested)
    if not len(tested):
        raise CannotFitError(
            f"features: none of the {int(split.tested.sum()):,} tested dyads has a known value of "
            f"all {len(names)} features; give fewer features"
        )
    if len(np.unique(y[known])) < 2:
        raise CannotFitError("outcome: all dyads have the same outcome, so nothing can be shared")
    game = _Game(features[names], y, weight, accounts, _mark_members(groups, names))
    game.play(split, known)
    ends = cov.code_accounts(
        accounts.ids[accounts.initiator[tested]], accounts.ids[accounts.decider[tested]]
    )
    held_out = sc.HeldOut(
        y[tested], game.probability[tested], ends, split.cell[tested], confidence, weight[tested]
    )
    gains = game.gains[tested]
    costs = game.costs / held_out.weights.sum()
    total = interval_of_gain(gains[:, -1], held_out, float(costs[-1]))
    return Contributions(
        table=_summarise(groups, gains, costs, total, held_out),
        total=total,
        per_dyad=gains[:, : len(groups)],
        null_per_dyad=game.null[tested],
        cost_per_dyad=game.cost_per_dyad[tested],
        rows=tested,
        tested=held_out,
        notes=_note_rows(split, known),
    )


def group_by_factor(names: Iterable[str]) -> dict[str, list[str]]:
    """Return features by factor, "1 Perceived account worth" first; factors without one are absent.

    The claim that a feature measures decides, for an interaction too: content quality that pays
    only where it is relevant is a claim about relevance.

    Raises
    ------
    ParameterError
        If a name is not in the catalogue.

    Examples
    --------
    >>> group_by_factor(["decider_ratio_log", "dyad_topic_cosine", "initiator_ratio_log"])
    {'2 Content relevance': ['dyad_topic_cosine'],
     '3 Follower ratio': ['decider_ratio_log', 'initiator_ratio_log']}
    """
    groups: dict[int, list[str]] = {}
    for name in names:
        groups.setdefault(find_entry(name).factor, []).append(name)
    return {f"{factor} {FACTORS[factor]}": groups[factor] for factor in sorted(groups)}


def find_entry(name: str) -> Feature:
    """Return the catalogue entry of a feature.

    Raises
    ------
    ParameterError
        If the name is not in the catalogue.

    Examples
    --------
    >>> find_entry("decider_ratio_log").side
    'decider'
    """
    if name not in CATALOGUE:
        raise ParameterError(
            f"features: {name!r} is not in the catalogue; {suggest(name, list(CATALOGUE))}"
        )
    return CATALOGUE[name]


def shapley_values(values: FloatArray) -> FloatArray:
    """Return the Shapley values of a game, or of many games at once.

    φ_g = Σ_S |S|! (G − |S| − 1)! / G! · (v(S ∪ g) − v(S)) over all sets S without g.

    Parameters
    ----------
    values
        … × 2^G: v of every set of players. Set number k holds player g where bit g of k is 1.

    Returns
    -------
    numpy.ndarray
        … × G; each row adds up to v(all) − v(none).

    Raises
    ------
    ParameterError
        If the number of sets is not a power of 2.

    Examples
    --------
    The glove game: players 0 and 1 hold a left glove each, player 2 a right one; a pair is worth 1.

    >>> shapley_values(np.array([0, 0, 0, 0, 0, 1, 1, 1.0])).round(4).tolist()
    [0.1667, 0.1667, 0.6667]
    """
    set_count = values.shape[-1]
    if set_count < 2 or set_count & (set_count - 1):
        raise ParameterError(f"values: one for each of 2^G sets is needed; got {set_count}")
    return np.asarray(values @ _weigh_sets(set_count.bit_length() - 1))


def _weigh_sets(count: int) -> FloatArray:
    """Return the weight of each set's value in each player's Shapley value (2^G × G)."""
    holds = _list_sets(count)
    size = holds.sum(axis=1, keepdims=True)
    # |S|! (G − |S| − 1)! / G! = 1 / (G · C(G − 1, |S|)), S being the set without the player.
    weight = np.array([1 / (count * comb(count - 1, k)) for k in range(count)])
    others = np.clip(size - holds, 0, count - 1)
    return np.where(holds, weight[others], -weight[others])


def _list_sets(count: int) -> FlagArray:
    """Return which player is in which set: set k holds player g where bit g of k is 1."""
    return (np.arange(2**count)[:, None] >> np.arange(count) & 1).astype(bool)


def _weigh_readings(count: int) -> FloatArray:
    """Return the map from values of sets to readings: Shapley, alone, last of each group, total."""
    sets = np.eye(2**count)
    alone = sets[:, 1 << np.arange(count)] - sets[:, :1]
    last = sets[:, -1:] - sets[:, 2**count - 1 - (1 << np.arange(count))]
    return np.hstack([_weigh_sets(count), alone, last, sets[:, -1:] - sets[:, :1]])


class _Game:
    """Values of all sets of groups for every tested dyad, read off cell by cell.

    Attributes
    ----------
    gains
        Shapley, alone and last of each group, then the total: dyads × (3 · groups + 1).
    null, probability
        Deviance under the base rate, and the probability by the model of all groups.
    cost_per_dyad
        What estimating the coefficients of all groups costs beyond the base rate.
    costs
        The same for every reading, summed over the tested dyads with their weights.
    """

    def __init__(
        self,
        features: pd.DataFrame,
        outcome: FloatArray,
        weight: FloatArray,
        accounts: cov.Accounts,
        member: FlagArray,
    ) -> None:
        self.features, self.outcome, self.weight = features, outcome, weight
        self.accounts, self.member = accounts, member
        group_count = len(member).bit_length() - 1
        self.readings = _weigh_readings(group_count)
        self.gains = np.full((len(outcome), self.readings.shape[1]), np.nan)
        self.null, self.probability, self.cost_per_dyad = np.full((3, len(outcome)), np.nan)
        self.costs = np.zeros(self.readings.shape[1])

    def play(self, split: Split, known: FlagArray) -> None:
        """Fill in every tested dyad with known features."""
        for cell in np.unique(split.cell[split.tested]):
            test = np.flatnonzero(known & (split.cell == cell))
            train = known & split.train[cell]
            if len(test) and not train.any():
                raise CannotFitError(
                    "features: a test cell has no training dyad with a known value of every "
                    "feature; give fewer features or fewer blocks"
                )
            if len(test):
                self._play_cell(train, test)

    def _play_cell(self, train: FlagArray, test: IntArray) -> None:
        lesson = Lesson(self.features[train], self.outcome[train], self.weight[train])
        mean = lesson.values.mean().to_numpy(float)
        spread = lesson.values.std(ddof=0).to_numpy(float)
        spread = np.where(spread > 0, spread, 1.0)
        design = _standardise(lesson.values, mean, spread)
        beta = fit_subsets(design, lesson, self.member)
        trained = cov.code_accounts(self.accounts.initiator[train], self.accounts.decider[train])
        cost = expected_costs(design, lesson, beta, self.member, trained)
        self.cost_per_dyad[test] = cost[-1] - cost[0]
        self.costs += self.weight[test].sum() * ((cost - cost[0]) @ self.readings)
        for start in range(0, len(test), BLOCK_ROWS):
            rows = test[start : start + BLOCK_ROWS]
            line = _standardise(self.features.iloc[rows], mean, spread) @ beta
            line = np.clip(line, -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS)
            deviance = 2 * (np.logaddexp(0.0, line) - self.outcome[rows, None] * line)
            known = deviance - cost
            self.gains[rows] = -(known - known[:, :1]) @ self.readings
            self.null[rows] = deviance[:, 0]
            self.probability[rows] = expit(line[:, -1])


def _standardise(values: pd.DataFrame, mean: FloatArray, spread: FloatArray) -> FloatArray:
    """Return the design with its intercept."""
    z = (values.to_numpy(float) - mean) / spread
    return np.column_stack([np.ones(len(z)), z])


def _mark_members(groups: Mapping[str, Sequence[str]], names: Sequence[str]) -> FlagArray:
    """Return which columns, intercept first, belong to which set of groups (2^G × columns)."""
    place = {name: column for column, name in enumerate(names, start=1)}
    belongs = np.zeros((len(groups), len(names) + 1), dtype=bool)
    for row, members in enumerate(groups.values()):
        belongs[row, [place[name] for name in members]] = True
    member = (_list_sets(len(groups)).astype(float) @ belongs) > 0
    member[:, 0] = True
    return member


def _summarise(
    groups: Mapping[str, Sequence[str]],
    gains: FloatArray,
    costs: FloatArray,
    total: tuple[float, float, float],
    tested: sc.HeldOut,
) -> pd.DataFrame:
    table = pd.DataFrame(
        {"group": list(groups), "feature_count": [len(names) for names in groups.values()]}
    )
    count = len(groups)
    for place, (name, low, high) in enumerate(READINGS):
        of_reading = range(place * count, (place + 1) * count)
        table[[name, low, high]] = [
            interval_of_gain(gains[:, column], tested, float(costs[column]))
            for column in of_reading
        ]
    share = table["shapley"] / total[0] if total[1] > 0 else np.nan
    return table.assign(share=share, cost=costs[:count])


def interval_of_gain(
    gain: FloatArray, tested: sc.HeldOut, cost: float
) -> tuple[float, float, float]:
    """Return the mean gain in deviance with an interval that knows models were estimated.

    With a truly useless column gains are 2(β̂ u − …) of a β̂ that is noise: their spread over dyads
    shows how the tested outcomes vary, 4 · cost / n, and not that β̂ does too. Since dyads train for
    each other by turns, that is as much again; it is added.
    """
    size = float(tested.weights.sum() ** 2 / (tested.weights**2).sum())
    return sc.mean_with_interval(gain, tested, extra_variance=4 * max(cost, 0.0) / size)


def _note_rows(split: Split, known: FlagArray) -> tuple[str, ...]:
    notes = [split.note]
    left_out = int((~known).sum())
    if left_out:
        notes.append(
            f"{left_out:,} of {len(known):,} dyads were left out because a feature is unknown for "
            "them."
        )
    return tuple(notes)


def _check_groups(features: pd.DataFrame, groups: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the grouped columns, each once."""
    if not 1 <= len(groups) <= MOST_GROUPS:
        raise ParameterError(
            f"groups: between 1 and {MOST_GROUPS} can be shared out (2^G models are fitted); got "
            f"{len(groups)}; join some"
        )
    names = [name for members in groups.values() for name in members]
    have = [str(column) for column in features.columns]
    for label, members in groups.items():
        if isinstance(members, str) or not len(members):
            raise ParameterError(
                f"groups: {label!r} must list at least one column; got {members!r}"
            )
        for name in members:
            if name not in features.columns:
                raise ParameterError(
                    f"groups: {label!r} names {name!r}, which is no column; {suggest(name, have)}"
                )
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise ParameterError(f"groups: {twice[0]!r} comes twice; a feature has one home")
    return names


def _check_rows(
    features: pd.DataFrame, outcome: Any, split: Split, accounts: cov.Accounts, weights: Any
) -> tuple[FloatArray, FloatArray]:
    y = np.asarray(outcome, dtype=np.float64)
    weight = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    lengths = {
        "features": len(features), "outcome": len(y), "split": len(split.cell),
        "accounts": len(accounts.initiator), "weights": len(weight),
    }  # fmt: skip
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} {length:,}" for name, length in lengths.items())
        raise InputError(f"rows: all parts need the same number of rows; got {found}")
    if not np.isin(y, (0.0, 1.0)).all():
        bad = int((~np.isin(y, (0.0, 1.0))).sum())
        raise InputError(f"outcome: must be 0 or 1; {bad:,} rows are not; give decided dyads only")
    if not (np.isfinite(weight) & (weight > 0)).all():
        raise InputError("weights: must be finite and above 0; leave out rows that do not count")
    infinite = np.isinf(features.to_numpy(float, na_value=np.nan)).any(axis=0)
    if infinite.any():
        raise InputError(
            f"features: values must be finite; {features.columns[infinite][0]} holds an infinite "
            "one; leave it unknown instead"
        )
    return y, weight
