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
from scipy import optimize, stats
from sklearn.metrics import average_precision_score

from followkit import covariance as cov
from followkit.logit import LogitRegression, expit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

FEWEST_A_CLASS = 5
EDGE = 1e-9
#: A calibration slope beyond this is separation, not a slope.
LARGEST_SLOPE = 1e3


@dataclass(frozen=True)
class HeldOut:
    """Held-out dyads: outcome and probability of each, its accounts and its test group.

    Rankings are compared only within a group, because each group has a model of its own. Every
    score weighs dyads by `weight` (1 each without).
    """

    outcome: FloatArray
    probability: FloatArray
    accounts: cov.Accounts
    group: IntArray
    confidence: float = 0.95
    weight: FloatArray | None = None

    @property
    def weights(self) -> FloatArray:
        """The weight of each dyad."""
        return np.ones(len(self.outcome)) if self.weight is None else self.weight


def log_losses(tested: HeldOut) -> FloatArray:
    """Return −log of the probability given to what happened, in nats, a value a dyad."""
    return log_loss(tested.outcome, tested.probability)


def log_loss(outcome: FloatArray, probability: FloatArray) -> FloatArray:
    """Return −log of the probability given to what happened, in nats, never infinite.

    Examples
    --------
    >>> log_loss(np.array([1.0, 0.0]), np.array([0.5, 0.25])).round(3).tolist()
    [0.693, 0.288]
    """
    p = np.clip(probability, EDGE, 1 - EDGE)
    return -np.where(outcome == 1, np.log(p), np.log1p(-p))


def brier_losses(tested: HeldOut) -> FloatArray:
    """Return (probability − outcome)², a value a dyad."""
    return (tested.probability - tested.outcome) ** 2


def mean_with_interval(
    values: FloatArray, tested: HeldOut, *, extra_variance: float = 0.0
) -> tuple[float, float, float]:
    """Return a mean over dyads and its dyadic-robust interval.

    `extra_variance` is added to that of the mean: what the values cannot show, such as the chance
    in the models that they were made with.
    """
    mean, error = cov.dyadic_mean(values, tested.accounts, tested.weights)
    freedom = tested.accounts.degrees_of_freedom
    reach = float(stats.t.ppf((1 + tested.confidence) / 2, freedom))
    reach *= float(np.sqrt(error**2 + extra_variance))
    return mean, mean - reach, mean + reach


def brier_skill(tested: HeldOut, base: HeldOut) -> tuple[float, float, float]:
    """Return 1 − Brier score / Brier score of `base`, with its interval.

    `base` holds the same dyads with the probabilities to beat, as a rule the base rate. 0: no
    better; 1: perfect. The interval comes from the linearised ratio, dyad by dyad.

    Examples
    --------
    >>> accounts = cov.code_accounts(list("abcd"), list("efgh"))
    >>> y, group = np.array([0., 0, 1, 1]), np.zeros(4, int)
    >>> tested = HeldOut(y, np.array([.25, .25, .75, .75]), accounts, group)
    >>> brier_skill(tested, HeldOut(y, np.full(4, .5), accounts, group))[0]
    0.75
    """
    losses, reference = brier_losses(tested), brier_losses(base)
    scale = float(np.average(reference, weights=tested.weights))
    if scale == 0.0:
        return np.nan, np.nan, np.nan
    ratio = float(np.average(losses, weights=tested.weights)) / scale
    shift = mean_with_interval((ratio * reference - losses) / scale, tested)
    return 1 - ratio, 1 - ratio + shift[1], 1 - ratio + shift[2]


def too_few(tested: HeldOut) -> str:
    """Return why a ranking can have no interval, or "" where it can.

    Examples
    --------
    >>> accounts = cov.code_accounts(list("abcd"), list("efgh"))
    >>> too_few(HeldOut(np.array([0., 0, 1, 1]), np.full(4, .5), accounts, np.zeros(4, int)))
    'too few to give an interval: 2 answered, 2 unanswered (5 of each are needed)'
    """
    rows = _comparable(tested)
    one = int(tested.outcome[rows].sum())
    zero = int(rows.sum()) - one
    if min(one, zero) >= FEWEST_A_CLASS:
        return ""
    return (
        f"too few to give an interval: {one:,} answered, {zero:,} unanswered "
        f"({FEWEST_A_CLASS} of each are needed)"
    )


def auc(tested: HeldOut) -> tuple[float, float, float]:
    """Return the area under the ROC curve, averaged over groups, with its interval.

    P(a random answered dyad is ranked above a random unanswered one of its group), ties ½: the
    Mann–Whitney statistic over n₁n₀. Groups weigh by their answers; groups with one class only say
    nothing and are left out. The interval is made on the logit scale from the values of
    `auc_influence`; it is missing with fewer than 5 dyads of a class (see `too_few`) and for a
    perfect ranking, whose variance cannot be estimated. Of a rule that says only yes or no, AUC is
    the balanced accuracy.

    Examples
    --------
    >>> accounts = cov.code_accounts(list("abcd"), list("efgh"))
    >>> tested = HeldOut(np.array([0., 0, 1, 1]), np.array([.1, .4, .35, .8]), accounts,
    ...                 np.zeros(4, int))
    >>> auc(tested)[0]
    0.75
    """
    value, influence = auc_influence(tested)
    if too_few(tested) or value in (0.0, 1.0):
        return value, np.nan, np.nan
    error = cov.dyadic_mean(influence, tested.accounts, tested.weights)[1]
    freedom = tested.accounts.degrees_of_freedom
    return (value, *cov.logit_interval(value, error, freedom, tested.confidence))


def auc_influence(tested: HeldOut) -> tuple[float, FloatArray]:
    """Return the AUC and what each dyad adds to it: values of weighted mean 0.

    A dyad's placement value is the share of the other class that it is ranked rightly against
    (DeLong, DeLong & Clarke-Pearson 1988, doi:10.2307/2531595). For independent dyads the squared
    standard error of their mean is DeLong's variance, up to n/(n − 1).
    """
    influence = np.zeros(len(tested.outcome))
    total, area_sum = 0.0, 0.0
    for group in np.unique(tested.group[_comparable(tested)]):
        rows = np.flatnonzero(tested.group == group)
        positive, weight = tested.outcome[rows] == 1, tested.weights[rows]
        place = _placements(tested.probability[rows], positive, weight)
        one, zero = float(weight[positive].sum()), float(weight[~positive].sum())
        area = float(np.average(place[positive], weights=weight[positive]))
        influence[rows] = one * (place - area) / np.where(positive, one, zero)
        area_sum += one * area
        total += one
    if not total:
        return np.nan, influence
    return area_sum / total, influence * tested.weights.sum() / total


def _comparable(tested: HeldOut) -> npt.NDArray[np.bool_]:
    """Return which dyads are in a group that holds both classes."""
    codes = np.unique(tested.group, return_inverse=True)[1]
    size = np.bincount(codes)
    answered = np.bincount(codes, weights=tested.outcome)
    return np.asarray(((answered > 0) & (answered < size))[codes])


def _placements(
    probability: FloatArray, positive: npt.NDArray[np.bool_], weight: FloatArray
) -> FloatArray:
    """Return the share of the other class that a dyad is ranked rightly against, ties one half."""
    place = np.empty(len(probability))
    for mine, other in ((positive, ~positive), (~positive, positive)):
        order = np.argsort(probability[other], kind="stable")
        ranked, mass = probability[other][order], np.r_[0.0, np.cumsum(weight[other][order])]
        below = mass[np.searchsorted(ranked, probability[mine], side="left")]
        upto = mass[np.searchsorted(ranked, probability[mine], side="right")]
        place[mine] = (below + upto) / 2 / mass[-1]
    place[~positive] = 1 - place[~positive]
    return place


def average_precision(tested: HeldOut) -> float:
    """Return average precision, averaged over groups weighing by their answers.

    Σ (recallₖ − recallₖ₋₁) · precisionₖ down the ranking; the base rate is what chance gives. No
    interval: it is not an average over dyads.
    """
    values, sizes = [], []
    for group in np.unique(tested.group):
        rows = tested.group == group
        y, p, weight = tested.outcome[rows], tested.probability[rows], tested.weights[rows]
        if y.any():
            values.append(average_precision_score(y, p, sample_weight=weight))
            sizes.append(weight @ y)
    return float(np.average(values, weights=sizes)) if values else np.nan


def calibration_line(tested: HeldOut) -> pd.DataFrame:
    """Return intercept and slope of the outcome on the predicted log odds, with intervals.

    Slope 1 and intercept 0 are perfect; a slope under 1 means predictions are too extreme. The
    intercept is that of a fit with the slope held at 1 (calibration in the large); Cox (1958),
    doi:10.1093/biomet/45.3-4.562.

    Returns
    -------
    pandas.DataFrame
        term (intercept, slope), estimate, ci_low, ci_high. The slope is absent where all
        predictions are equal; estimates are missing with fewer than 5 dyads of a class, or where
        the predictions separate the outcome.
    """
    p = np.clip(tested.probability, 1e-6, 1 - 1e-6)
    line = np.log(p / (1 - p))
    one = int(tested.outcome.sum())
    is_thin = min(one, len(line) - one) < FEWEST_A_CLASS
    missing = (np.nan, np.nan, np.nan)
    rows = [("intercept", *(missing if is_thin else _fit_shift(line, tested)))]
    if np.ptp(line) > 1e-12:
        rows.append(("slope", *(missing if is_thin else _fit_slope(line, tested))))
    return pd.DataFrame(rows, columns=["term", "estimate", "ci_low", "ci_high"])


def _fit_shift(line: FloatArray, tested: HeldOut) -> tuple[float, float, float]:
    def excess(shift: float) -> float:
        return float(tested.weights @ (tested.outcome - expit(line + shift)))

    # The excess falls with the shift, and both classes are there, so it crosses 0 once.
    shift = float(optimize.brentq(excess, -60.0, 60.0, xtol=1e-12))
    return _wald(np.ones((len(line), 1)), np.array([shift]), line, tested)


def _fit_slope(line: FloatArray, tested: HeldOut) -> tuple[float, float, float]:
    fit = LogitRegression().fit(line[:, None], tested.outcome, sample_weight=tested.weights)
    if not fit.converged_ or abs(fit.coef_[0, 0]) > LARGEST_SLOPE:
        return np.nan, np.nan, np.nan
    beta = np.array([fit.intercept_[0], fit.coef_[0, 0]])
    return _wald(np.column_stack([np.ones(len(line)), line]), beta, 0 * line, tested)


def _wald(
    design: FloatArray, beta: FloatArray, offset: FloatArray, tested: HeldOut
) -> tuple[float, float, float]:
    """Return the last coefficient with its dyadic-robust interval."""
    fitted = expit(offset + design @ beta)
    scores = design * (tested.weights * (tested.outcome - fitted))[:, None]
    curvature = tested.weights * fitted * (1 - fitted)
    matrix = cov.dyadic_cr3(design, curvature, scores, tested.accounts)
    freedom = tested.accounts.degrees_of_freedom
    reach = float(stats.t.ppf((1 + tested.confidence) / 2, freedom) * np.sqrt(matrix[-1, -1]))
    return float(beta[-1]), float(beta[-1]) - reach, float(beta[-1]) + reach


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
        weight = tested.weights[inside]
        rate = cov.dyadic_rate(
            tested.outcome[inside], accounts, weights=weight, confidence=tested.confidence
        )
        mean = float(np.average(tested.probability[inside], weights=weight))
        rows.append((mean, rate.rate, rate.ci_low, rate.ci_high, int(inside.sum())))
    return pd.DataFrame(rows, columns=["predicted", "observed", "ci_low", "ci_high", "count"])


def cumulative_gains(tested: HeldOut, *, point_count: int = 101) -> pd.DataFrame:
    """Return which share of all answers lies among the dyads ranked highest.

    Returns
    -------
    pandas.DataFrame
        share_ranked and share_found, both from 0 to 1; tied dyads are found evenly. Missing
        where nobody answered.

    Examples
    --------
    >>> accounts = cov.code_accounts(list("abcd"), list("efgh"))
    >>> tested = HeldOut(np.array([0., 0, 1, 1]), np.array([.1, .2, .7, .8]), accounts,
    ...                 np.zeros(4, int))
    >>> cumulative_gains(tested, point_count=3)["share_found"].tolist()
    [0.0, 1.0, 1.0]
    """
    place = np.unique(-tested.probability, return_inverse=True)[1]
    size = np.bincount(place, weights=tested.weights)
    found = np.bincount(place, weights=tested.weights * tested.outcome)
    ranked = np.r_[0.0, np.cumsum(size) / size.sum()]
    gained = np.r_[0.0, np.cumsum(found) / found.sum() if found.any() else np.nan * found]
    grid = np.linspace(0, 1, point_count)
    return pd.DataFrame({"share_ranked": grid, "share_found": np.interp(grid, ranked, gained)})
