"""How good probabilities are: scores with dyadic-robust intervals, calibration, gains.

Every interval comes from one value per dyad (its loss, or its placement in the ranking), so that
dyads sharing an account may move together. Scores never see the rows they were trained on; that
is the caller's promise (`followkit.evaluate` keeps it).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from sklearn.metrics import average_precision_score

from followkit import covariance as cov
from followkit.logit import LogitRegression, expit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

FEWEST_A_CLASS = 5
EDGE = 1e-9


@dataclass(frozen=True)
class HeldOut:
    """Held-out dyads: outcome and probability of each, its accounts and its test group.

    Rankings are compared only within a group, because each group has a model of its own.
    """

    outcome: FloatArray
    probability: FloatArray
    accounts: cov.Accounts
    group: IntArray
    confidence: float = 0.95


def log_losses(tested: HeldOut) -> FloatArray:
    """Return −log of the probability given to what happened, in nats, a value a dyad."""
    p = np.clip(tested.probability, EDGE, 1 - EDGE)
    return -np.where(tested.outcome == 1, np.log(p), np.log1p(-p))


def brier_losses(tested: HeldOut) -> FloatArray:
    """Return (probability − outcome)², a value a dyad."""
    return (tested.probability - tested.outcome) ** 2


def mean_with_interval(values: FloatArray, tested: HeldOut) -> tuple[float, float, float]:
    """Return a mean over dyads and its dyadic-robust interval."""
    mean, error = cov.dyadic_mean(values, tested.accounts)
    freedom = tested.accounts.degrees_of_freedom
    reach = float(stats.t.ppf((1 + tested.confidence) / 2, freedom)) * error
    return mean, mean - reach, mean + reach


def auc(tested: HeldOut) -> tuple[float, float, float]:
    """Return the area under the ROC curve, averaged over groups, with its interval.

    P(a random answered dyad is ranked above a random unanswered one of its group), ties ½: the
    Mann–Whitney statistic over n₁n₀. Groups weigh by their answers. The interval uses placement
    values (DeLong, DeLong & Clarke-Pearson 1988, doi:10.2307/2531595) summed by account, on the
    logit scale; it is missing with fewer than 5 dyads of a class.

    Examples
    --------
    >>> accounts = cov.code_accounts(list("abcd"), list("efgh"))
    >>> tested = HeldOut(np.array([0., 0, 1, 1]), np.array([.1, .4, .35, .8]), accounts,
    ...                 np.zeros(4, int))
    >>> auc(tested)[0]
    0.75
    """
    influence = np.zeros(len(tested.outcome))
    areas, sizes = [], []
    for group in np.unique(tested.group):
        rows = np.flatnonzero(tested.group == group)
        positive = tested.outcome[rows] == 1
        n_one, n_zero = int(positive.sum()), int((~positive).sum())
        if not n_one or not n_zero:
            continue
        place = _placements(tested.probability[rows], positive)
        area = float(place[positive].mean())
        share = np.where(positive, n_one, n_zero)
        influence[rows] = n_one * (place - area) / share
        areas.append(area)
        sizes.append(n_one)
    if not areas:
        return np.nan, np.nan, np.nan
    value = float(np.average(areas, weights=sizes))
    one = int(tested.outcome.sum())
    few = min(one, len(tested.outcome) - one) < FEWEST_A_CLASS
    if few or value in (0.0, 1.0):
        return value, np.nan, np.nan
    error = cov.dyadic_mean(influence * len(influence) / sum(sizes), tested.accounts)[1]
    freedom = tested.accounts.degrees_of_freedom
    return (value, *cov.logit_interval(value, error, freedom, tested.confidence))


def _placements(probability: FloatArray, positive: npt.NDArray[np.bool_]) -> FloatArray:
    """Return the share of the other class that a dyad is ranked rightly against, ties one half."""
    place = np.empty(len(probability))
    for mine, other in ((positive, ~positive), (~positive, positive)):
        ranked = np.sort(probability[other])
        below = np.searchsorted(ranked, probability[mine], side="left")
        upto = np.searchsorted(ranked, probability[mine], side="right")
        place[mine] = (below + upto) / 2 / len(ranked)
    place[~positive] = 1 - place[~positive]
    return place


def average_precision(tested: HeldOut) -> float:
    """Return average precision, averaged over groups weighing by their answers."""
    values, sizes = [], []
    for group in np.unique(tested.group):
        rows = tested.group == group
        if tested.outcome[rows].any():
            values.append(average_precision_score(tested.outcome[rows], tested.probability[rows]))
            sizes.append(tested.outcome[rows].sum())
    return float(np.average(values, weights=sizes)) if values else np.nan


def calibration_line(tested: HeldOut) -> pd.DataFrame:
    """Return intercept and slope of the outcome on the predicted log odds, with intervals.

    Slope 1 and intercept 0 are perfect; a slope under 1 means predictions are too extreme. The
    intercept is that of a fit with the slope held at 1 (calibration in the large).

    Returns
    -------
    pandas.DataFrame
        term (intercept, slope), estimate, ci_low, ci_high.
    """
    p = np.clip(tested.probability, 1e-6, 1 - 1e-6)
    line = np.log(p / (1 - p))
    rows = []
    if np.ptp(line) > 1e-12:
        fit = LogitRegression().fit(line[:, None], tested.outcome)
        beta = np.array([fit.intercept_[0], fit.coef_[0, 0]])
        slope = _wald(np.column_stack([np.ones(len(line)), line]), beta, 0 * line, tested, 1)
        rows.append(("slope", *slope))
    shift = np.zeros(1)
    for _ in range(25):
        fitted = expit(line + shift[0])
        shift += (tested.outcome - fitted).sum() / (fitted * (1 - fitted)).sum()
    rows.insert(0, ("intercept", *_wald(np.ones((len(line), 1)), shift, line, tested, 0)))
    return pd.DataFrame(rows, columns=["term", "estimate", "ci_low", "ci_high"])


def _wald(
    design: FloatArray, beta: FloatArray, offset: FloatArray, tested: HeldOut, place: int
) -> tuple[float, float, float]:
    fitted = expit(offset + design @ beta)
    scores = design * (tested.outcome - fitted)[:, None]
    matrix = cov.dyadic_cr3(design, fitted * (1 - fitted), scores, tested.accounts)
    freedom = tested.accounts.degrees_of_freedom
    reach = float(stats.t.ppf((1 + tested.confidence) / 2, freedom) * np.sqrt(matrix[place, place]))
    return float(beta[place]), float(beta[place]) - reach, float(beta[place]) + reach


def calibration_curve(tested: HeldOut, *, bin_count: int = 10) -> pd.DataFrame:
    """Return predicted against observed shares in bins of equally many dyads.

    Returns
    -------
    pandas.DataFrame
        predicted (mean probability), observed (share answered), ci_low, ci_high, count; ties keep
        a probability within one bin, so there may be fewer bins.
    """
    edges = np.unique(np.quantile(tested.probability, np.linspace(0, 1, bin_count + 1)))
    place = np.clip(np.searchsorted(edges, tested.probability, side="left") - 1, 0, None)
    rows = []
    for number in np.unique(place):
        inside = place == number
        accounts = cov.code_accounts(
            tested.accounts.initiator[inside], tested.accounts.decider[inside]
        )
        rate = cov.dyadic_rate(tested.outcome[inside], accounts, confidence=tested.confidence)
        mean = float(tested.probability[inside].mean())
        rows.append((mean, rate.rate, rate.ci_low, rate.ci_high, int(inside.sum())))
    return pd.DataFrame(rows, columns=["predicted", "observed", "ci_low", "ci_high", "count"])


def cumulative_gains(tested: HeldOut, *, point_count: int = 101) -> pd.DataFrame:
    """Return which share of all answers lies among the dyads ranked highest.

    Returns
    -------
    pandas.DataFrame
        share_ranked and share_found, both from 0 to 1; tied dyads are found evenly.

    Examples
    --------
    >>> accounts = cov.code_accounts(list("abcd"), list("efgh"))
    >>> tested = HeldOut(np.array([0., 0, 1, 1]), np.array([.1, .2, .7, .8]), accounts,
    ...                 np.zeros(4, int))
    >>> cumulative_gains(tested, point_count=3)["share_found"].tolist()
    [0.0, 1.0, 1.0]
    """
    values, place, size = np.unique(-tested.probability, return_inverse=True, return_counts=True)
    found = np.bincount(place, weights=tested.outcome, minlength=len(values))
    ranked = np.r_[0.0, np.cumsum(size) / size.sum()]
    gained = np.r_[0.0, np.cumsum(found) / max(found.sum(), 1)]
    grid = np.linspace(0, 1, point_count)
    return pd.DataFrame({"share_ranked": grid, "share_found": np.interp(grid, ranked, gained)})
