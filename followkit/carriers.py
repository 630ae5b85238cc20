"""Who carries the decision: the initiator, the decider or the pair, and what habit is left.

What no feature explains is not all chance. A decider who answers nearly everybody, for reasons that
the data do not hold, answers the next initiator too: that is habit, and says nothing about the
initiator. It shows where the residuals of dyads with the same decider move together, and is
measured here so that it is not booked as chance, nor taken personally.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from scipy.special import logit

from followkit import covariance as cov
from followkit.contributions import (
    Contributions,
    find_entry,
    interval_of_gain,
    shapley_contributions,
)
from followkit.errors import InputError, ParameterError, suggest
from followkit.logit import expit
from followkit.splits import Split

FloatArray = npt.NDArray[np.float64]
Interval = tuple[float, float, float]

#: Sums below this (or this share of the whole) are rounding.
NOTHING = 1e-9
SIDES = ("initiator", "decider", "pair")
#: Which sums of a hub are multiplied: what it initiates (0) and what it decides (1).
RELATIONS: Mapping[str, tuple[int, int]] = {
    "same decider": (1, 1),
    "same initiator": (0, 0),
    "initiator of one decides the other": (0, 1),
}


@dataclass(frozen=True)
class Carriers:
    """Deviance by carrier, and what moves together beyond all features.

    Attributes
    ----------
    shares
        carrier (initiator, decider, pair, explained, unexplained, and controllable by the
        initiator), feature_count, deviance per dyad with ci_low and ci_high, share of the deviance
        under the base rate with share_low and share_high. The three sides add up to explained,
        explained and unexplained to 1. Controllable is a second cut through the same total.
    comovement
        From `measure_comovement`, of the out-of-fold residuals.
    deciders
        From `compare_deciders`: what the spread between deciders means in probabilities.
    contributions
        The Shapley game of the three sides, dyad by dyad.
    """

    shares: pd.DataFrame
    comovement: pd.DataFrame
    deciders: pd.DataFrame
    contributions: Contributions

    @property
    def notes(self) -> tuple[str, ...]:
        """How the dyads were split, and which were left out."""
        return self.contributions.notes


def decompose_carriers(
    features: pd.DataFrame,
    outcome: Any,
    split: Split,
    accounts: cov.Accounts,
    *,
    controllable: Collection[str] = (),
    weights: Any = None,
    confidence: float = 0.95,
) -> Carriers:
    """Return how much of the deviance lies with the initiator, the decider and the pair.

    Shapley shares of the three sides in the deviance explained out of fold (see
    `followkit.contributions.shapley_contributions`), the share that features under the initiator's
    control carry, what stays unexplained, and how the residuals of dyads that share an account
    move together.

    "Unexplained" is a ceiling for chance, not its amount. It holds what the data do not measure and
    the model cannot bend to; the part that dyads of one decider share is that decider's habit,
    stable from one initiator to the next, and calling it chance would make every refusal look like
    a coin (or a judgement) when it was to be expected from this decider. So read the unexplained
    share together with `comovement`: only what neither features nor shared accounts account for is
    particular to the dyad.

    Parameters
    ----------
    features
        Catalogue features, one row a dyad; the catalogue's `side` says who carries each.
    outcome, split, accounts, weights, confidence
        As for `shapley_contributions`.
    controllable
        Names of the columns that the initiator could change before following.

    Returns
    -------
    Carriers

    Raises
    ------
    ParameterError
        If a column is not in the catalogue, or a controllable name is no column.
    InputError, CannotFitError
        As for `shapley_contributions`.
    """
    names = [str(name) for name in features.columns]
    sides = _group_by_side(names)
    chosen = _check_controllable(names, controllable)
    options = {"weights": weights, "confidence": confidence}
    game = shapley_contributions(features, outcome, sides, split, accounts, **options)
    values = {
        side: game.per_dyad[:, list(sides).index(side)] if side in sides else 0 * game.null_per_dyad
        for side in SIDES
    }
    values["explained"] = game.per_dyad.sum(axis=1)
    values["unexplained"] = game.null_per_dyad - values["explained"]
    values["controllable"] = 0 * game.null_per_dyad
    costs = dict(zip(game.table["group"], game.table["cost"], strict=True))
    costs |= dict.fromkeys(("explained", "unexplained"), game.table["cost"].sum())
    if chosen:
        rest = [name for name in names if name not in chosen]
        cut = {"controllable": chosen} | ({"rest": rest} if rest else {})
        second = shapley_contributions(features, outcome, cut, split, accounts, **options)
        values["controllable"] = second.per_dyad[:, 0]
        costs["controllable"] = second.table["cost"].iloc[0]
    counts = {side: len(members) for side, members in sides.items()}
    counts |= {"explained": len(names), "controllable": len(chosen)}
    p = game.tested.probability
    comovement = measure_comovement(
        game.tested.outcome - p, p * (1 - p), game.tested.accounts,
        weights=game.tested.weights, confidence=confidence,
    )  # fmt: skip
    rate = float(np.average(p, weights=game.tested.weights))
    spread = comovement.set_index("relation").loc["same decider"]
    return Carriers(
        _share_out(values, counts, costs, game),
        comovement,
        compare_deciders(rate, spread["log_odds_sd"], spread["sd_low"], spread["sd_high"]),
        game,
    )


def measure_comovement(
    residual: Any,
    variance: Any,
    accounts: cov.Accounts,
    *,
    weights: Any = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return how far residuals of dyads that share an account move together.

    For each relation, over all ordered pairs of dyads (d, e) of different pairs of accounts that
    stand in it: covariance = Σ w_d w_e r_d r_e / Σ w_d w_e, with r = outcome − probability. Dyads
    of the same two accounts are left out: they share both. Residuals should be out of fold; those
    of the rows a model was fitted to are too small and lean towards 0 together.

    Parameters
    ----------
    residual, variance
        y − p and p(1 − p), a value a dyad.
    accounts
        Of the dyads.
    weights
        Of the dyads; 1 without.
    confidence
        Of the intervals.

    Returns
    -------
    pandas.DataFrame
        relation (same decider; same initiator; initiator of one decides the other), pair_count
        (unordered pairs of dyads), covariance, ci_low, ci_high; icc = covariance / mean p(1 − p),
        the correlation of two such dyads, with icc_low and icc_high; log_odds_sd, the standard
        deviation of the accounts' own intercepts on the log-odds scale, with sd_low and sd_high.
        Missing where no two dyads stand in the relation; the last three are missing for the third
        relation, which is no variance.

    Raises
    ------
    InputError
        If the pieces differ in length, or a residual is unknown.

    Notes
    -----
    Log-odds scale by the delta method: a shift b of a decider's log odds moves p by about
    p(1 − p) b, so σ² = Σ w w r r / Σ w w q q with q = p(1 − p), cut at 0. It is a little low for
    widely different deciders: by about an eighth at σ = 1, more where initiators differ as well.
    Intervals by leaving out one account at a time, with t of the effective accounts less one;
    probabilities are taken as given. Sums over pairs are squares of sums by account less the sums
    within pairs, so no pair is ever listed.

    Moment estimates of the sender, receiver and sender–receiver covariances of the social relations
    model: Warner, Kenny & Stoto (1979), doi:10.1037/0022-3514.37.10.1742.

    Examples
    --------
    Two deciders, one pleased and one not, each asked twice:

    >>> ends = cov.code_accounts(["a", "b", "c", "d"], ["x", "x", "y", "y"])
    >>> table = measure_comovement([0.5, 0.5, -0.5, -0.5], [0.25] * 4, ends)
    >>> table.loc[[0], ["pair_count", "covariance", "icc", "log_odds_sd"]].values.tolist()
    [[2.0, 0.25, 1.0, 2.0]]
    """
    r, q = np.asarray(residual, dtype=np.float64), np.asarray(variance, dtype=np.float64)
    weight = np.ones(len(r)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not len(r) == len(q) == len(weight) == len(accounts.initiator):
        raise InputError(
            f"residual: one value, variance, weight and pair of accounts a dyad is needed; got "
            f"{len(r):,}, {len(q):,}, {len(weight):,} and {len(accounts.initiator):,}"
        )
    if not (np.isfinite(r).all() and np.isfinite(q).all()):
        raise InputError("residual: must be known for every dyad; leave out dyads without one")
    hubs = _Hubs(accounts)
    sums = [_PairSums(value, hubs) for value in (weight * r, weight, weight * q)]
    scale = float(np.average(q, weights=weight))
    table = pd.DataFrame([_relate(relation, sums, scale, confidence) for relation in RELATIONS])
    counts = _PairSums(np.ones(len(r)), hubs)
    # Both orders of two dyads count where they stand in the relation alike.
    pair_counts = [counts.total(key) / (1 + (a == b)) for key, (a, b) in RELATIONS.items()]
    table.insert(1, "pair_count", np.round(pair_counts).astype(np.int64))
    return table


def compare_deciders(
    rate: float, log_odds_sd: float, sd_low: float = np.nan, sd_high: float = np.nan
) -> pd.DataFrame:
    """Return what a spread between deciders means for one and the same follow.

    Parameters
    ----------
    rate
        Probability of an answer from the middle decider, such as the base rate.
    log_odds_sd, sd_low, sd_high
        Standard deviation of deciders' own log odds, with its interval.

    Returns
    -------
    pandas.DataFrame
        decider (in words), steps (standard deviations from the middle), probability, with ci_low
        and ci_high from the interval of the spread alone. About 16 % of deciders lie beyond each of
        the two outer rows.

    Raises
    ------
    ParameterError
        If the rate does not lie between 0 and 1.

    Examples
    --------
    >>> compare_deciders(0.2, 1.0)[["decider", "probability"]].round(2).values.tolist()
    [['answers seldom', 0.08], ['in the middle', 0.2], ['answers often', 0.4]]
    """
    if not 0 < rate < 1:
        raise ParameterError(f"rate: must lie between 0 and 1; got {rate}")
    words = ("answers seldom", "in the middle", "answers often")
    rows = []
    for steps, word in zip((-1, 0, 1), words, strict=True):
        ends = np.array([log_odds_sd, sd_low, sd_high]) * steps
        value, one, other = expit(logit(rate) + ends)
        rows.append((word, steps, value, min(one, other), max(one, other)))
    return pd.DataFrame(rows, columns=["decider", "steps", "probability", "ci_low", "ci_high"])


def _group_by_side(names: Sequence[str]) -> dict[str, list[str]]:
    sides = {name: find_entry(name).side for name in names}
    groups = {side: [name for name in names if sides[name] == side] for side in SIDES}
    return {side: members for side, members in groups.items() if members}


def _check_controllable(names: Sequence[str], controllable: Collection[str]) -> list[str]:
    """Return the controllable columns in their order."""
    unknown = sorted(name for name in controllable if name not in names)
    if unknown:
        raise ParameterError(
            f"controllable: {unknown[0]!r} is no column of features; {suggest(unknown[0], names)}"
        )
    return [name for name in names if name in controllable]


def _share_out(
    values: Mapping[str, FloatArray],
    counts: Mapping[str, int],
    costs: Mapping[str, float],
    game: Contributions,
) -> pd.DataFrame:
    """Return deviance and share of the null deviance of each carrier."""
    null = float(np.average(game.null_per_dyad, weights=game.tested.weights))
    rows = []
    for carrier, value in values.items():
        cost = costs.get(carrier, 0.0)
        deviance = interval_of_gain(value, game.tested, cost)
        ratio = deviance[0] / null
        # The interval of a ratio of means is that of its linearised values.
        linear = (value - ratio * game.null_per_dyad) / null
        shift = interval_of_gain(linear, game.tested, cost / null**2)
        share = (ratio, ratio + shift[1], ratio + shift[2])
        rows.append((carrier, counts.get(carrier, 0), *deviance, *share))
    columns = ["carrier", "feature_count", "deviance", "ci_low", "ci_high", "share", "share_low",
               "share_high"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


class _Hubs:
    """Every account as a hub, with one cell for each other account it shares dyads with.

    Attributes
    ----------
    hub, other
        The two accounts of each cell.
    initiated, decided
        The cell of each dyad at its initiator and at its decider.
    pair
        Unordered pair of each cell, as a code.
    """

    def __init__(self, accounts: cov.Accounts) -> None:
        self.accounts, self.count = accounts, len(accounts.ids)
        key = np.r_[
            accounts.initiator * self.count + accounts.decider,
            accounts.decider * self.count + accounts.initiator,
        ]
        cells, place = np.unique(key, return_inverse=True)
        self.hub, self.other = cells // self.count, cells % self.count
        self.initiated, self.decided = np.split(place, 2)
        low, high = np.minimum(self.hub, self.other), np.maximum(self.hub, self.other)
        self.pair = np.unique(low * self.count + high, return_inverse=True)[1]


class _PairSums:
    """Σ over ordered pairs of dyads in a relation of the product of their values.

    A hub has two sums, over the dyads it initiates and over those it decides, and so has each of
    its cells. The pairs of dyads that meet at a hub are then A·B − Σ_cells a·b.
    """

    def __init__(self, values: FloatArray, hubs: _Hubs) -> None:
        self.hubs = hubs
        places = (hubs.initiated, hubs.decided)
        self.cell = [np.bincount(one, values, minlength=len(hubs.hub)) for one in places]
        self.sums = [np.bincount(hubs.hub, one, hubs.count) for one in self.cell]

    def total(self, relation: str) -> float:
        """Return the sum over all pairs of dyads."""
        return float(self._at_hubs(relation).sum())

    def through_account(self, relation: str) -> FloatArray:
        """Return, for each account, the sum over pairs of dyads that touch it."""
        at_others = np.bincount(self.hubs.other, self._at_cells(relation), self.hubs.count)
        return np.asarray(self._at_hubs(relation) + at_others, dtype=np.float64)

    def through_pair(self, relation: str) -> FloatArray:
        """Return, for each unordered pair of accounts, the sum over pairs of dyads it is in."""
        return np.asarray(np.bincount(self.hubs.pair, self._at_cells(relation)), dtype=np.float64)

    def _at_hubs(self, relation: str) -> FloatArray:
        one, two = RELATIONS[relation]
        within = np.bincount(self.hubs.hub, self.cell[one] * self.cell[two], self.hubs.count)
        at_hubs = np.asarray(self.sums[one] * self.sums[two] - within, dtype=np.float64)
        return at_hubs

    def _at_cells(self, relation: str) -> FloatArray:
        """Return the sum over pairs of dyads of each cell with the rest of its hub."""
        one, two = RELATIONS[relation]
        a, b, hub = self.cell[one], self.cell[two], self.hubs.hub
        paired = a * (self.sums[two][hub] - b) + b * (self.sums[one][hub] - a)
        return np.asarray(paired, dtype=np.float64)


def _relate(
    relation: str, sums: Sequence[_PairSums], scale: float, confidence: float
) -> dict[str, float | str]:
    residual, weight, variance = sums
    row: dict[str, float | str] = {"relation": relation}
    covariance = _leave_out_ratio(residual, weight, relation, confidence)
    row |= dict(zip(("covariance", "ci_low", "ci_high"), covariance, strict=True))
    icc = [value / scale for value in covariance]
    row |= dict(zip(("icc", "icc_low", "icc_high"), icc, strict=True))
    spread: Sequence[float] = (np.nan,) * 3
    if len(set(RELATIONS[relation])) == 1:
        squared = _leave_out_ratio(residual, variance, relation, confidence)
        spread = [float(np.sqrt(np.maximum(value, 0.0))) for value in squared]
    return row | dict(zip(("log_odds_sd", "sd_low", "sd_high"), spread, strict=True))


def _leave_out_ratio(
    above: _PairSums,
    below: _PairSums,
    relation: str,
    confidence: float,
) -> Interval:
    """Return a ratio of pair sums, with its interval from leaving each account out in turn.

    A product of two residuals touches three accounts and two pairs of accounts, so what the
    accounts move, less what the pairs move, counts it once (as `cov.dyadic_cr3` does with dyads).
    """
    accounts, total = above.hubs.accounts, below.total(relation)
    if total <= NOTHING:
        return (np.nan,) * 3
    value = above.total(relation) / total
    if accounts.conditioned >= 0:
        # One account is in half of the dyads or more: the others are too thin for an interval.
        return value, np.nan, np.nan
    accounts_move = _move(above.through_account(relation), below.through_account(relation),
                          value, total)  # fmt: skip
    pairs_move = _move(above.through_pair(relation), below.through_pair(relation), value, total)
    count = max(accounts.count, 2)
    by_account = (count - 1) / count * float((accounts_move**2).sum())
    variance = by_account - float((pairs_move**2).sum())
    # Few accounts can disagree by more than chance; no width at all would claim certainty.
    variance = variance if variance > NOTHING * by_account else by_account
    reach = float(stats.t.ppf((1 + confidence) / 2, accounts.degrees_of_freedom))
    return value, value - reach * variance**0.5, value + reach * variance**0.5


def _move(above: FloatArray, below: FloatArray, value: float, total: float) -> FloatArray:
    """Return how much the ratio moves when these parts of both sums are left out."""
    left = total - below
    owns_all = left <= NOTHING * total
    return np.where(owns_all, 0.0, (value * below - above) / np.where(owns_all, 1.0, left))
