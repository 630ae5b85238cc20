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

from followkit import covariance as cov
from followkit.errors import InputError
from followkit.logit import LogitRegression, expit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
FlagArray = npt.NDArray[np.bool_]

FEWEST_A_CLASS = 5
EDGE = 1e-9
#: A calibration slope beyond this is separation, not a slope.
LARGEST_SLOPE = 1e3
#: How far in rank, as a share of all dyads, the neighbours of a threshold reach on either side.
NEAR_SHARE = 0.02


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


def select_held(tested: HeldOut, rows: FlagArray) -> HeldOut:
    """Return some of the held-out dyads, their accounts coded anew."""
    accounts = cov.code_accounts(tested.accounts.initiator[rows], tested.accounts.decider[rows])
    weight = None if tested.weight is None else tested.weight[rows]
    return HeldOut(tested.outcome[rows], tested.probability[rows], accounts, tested.group[rows],
                   tested.confidence, weight)  # fmt: skip


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
    rows = is_comparable(tested)
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
    for group in np.unique(tested.group[is_comparable(tested)]):
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


def is_comparable(tested: HeldOut) -> FlagArray:
    """Return which dyads are in a group that holds both answered and unanswered dyads."""
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


def average_precision(tested: HeldOut) -> tuple[float, float, float]:
    """Return average precision, averaged over groups weighing by their answers, with its interval.

    Σ (recallₖ − recallₖ₋₁) · precisionₖ down the ranking; the base rate is what chance gives. The
    interval is made on the logit scale from `precision_influence`; it is missing with fewer than 5
    dyads of a class and for a perfect ranking.

    Examples
    --------
    >>> accounts = cov.code_accounts(list("abcd"), list("efgh"))
    >>> tested = HeldOut(np.array([0., 0, 1, 1]), np.array([.1, .4, .35, .8]), accounts,
    ...                 np.zeros(4, int))
    >>> round(average_precision(tested)[0], 3)
    0.833
    """
    value, influence = precision_influence(tested)
    if not np.isfinite(value) or too_few(tested) or value >= 1.0:
        return value, np.nan, np.nan
    error = cov.dyadic_mean(influence, tested.accounts, tested.weights)[1]
    freedom = tested.accounts.degrees_of_freedom
    return (value, *cov.logit_interval(value, error, freedom, tested.confidence))


def precision_influence(tested: HeldOut) -> tuple[float, FloatArray]:
    """Return average precision and what each dyad adds to it: values of weighted mean 0.

    With T(c) = E[y; p ≥ c], S(c) = P(p ≥ c) and π = T/S, average precision is E[y π(p)] / E[y],
    ties included. A dyad (y, p) moves it by its own precision, y (π(p) − AP), and by those of all
    answered dyads ranked no higher: E[y′ (y − π(p′)) / S(p′); p′ ≤ p]; both over E[y]. This is the
    derivative of the statistic by the weight of the dyad (Hampel 1974, doi:10.2307/2285666). How
    many answers each group has is taken as given.
    """
    influence = np.zeros(len(tested.outcome))
    total, value = 0.0, 0.0
    for group in np.unique(tested.group):
        rows = np.flatnonzero(tested.group == group)
        y, weight = tested.outcome[rows], tested.weights[rows]
        answered = float(weight @ y)
        if not answered:
            continue
        one, moves = _precision_moves(y, tested.probability[rows], weight / weight.sum())
        influence[rows] = answered * moves / weight.sum()
        value += answered * one
        total += answered
    if not total:
        return np.nan, influence
    return value / total, influence * tested.weights.sum() / total


def _precision_moves(y: FloatArray, p: FloatArray, mass: FloatArray) -> tuple[float, FloatArray]:
    """Return average precision of one group and its influence values; the masses add up to 1."""
    place = np.unique(-p, return_inverse=True)[1]
    size, found = np.bincount(place, weights=mass), np.bincount(place, weights=mass * y)
    above, hit = np.cumsum(size), np.cumsum(found)
    precision, share = hit / above, float(found.sum())
    value = float(found @ precision) / share
    # What lies no higher than each place, summed from the bottom of the ranking.
    gain = np.cumsum((found / above)[::-1])[::-1]
    cost = np.cumsum((found * precision / above)[::-1])[::-1]
    moves = y * (precision[place] - value) + y * gain[place] - cost[place]
    return value, moves / share


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
    place = _bin(tested.probability, bin_count)
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
    """Return which share of all answers lies among the dyads ranked highest, with its interval.

    L(s) = E[y a] / E[y], where a is 1 for the dyads within the share s ranked highest; tied dyads
    are found evenly. Its interval holds at one s at a time and comes from y (a − L) / E[y] less
    E[y | p = c] (a − s) / E[y], dyad by dyad: the second term is for the threshold c, which is
    itself estimated.

    Returns
    -------
    pandas.DataFrame
        share_ranked, share_found, ci_low, ci_high, all from 0 to 1. Missing where nobody answered;
        no interval with fewer than 5 dyads of a class, nor where none or all are found.

    Examples
    --------
    >>> accounts = cov.code_accounts(list("abcd"), list("efgh"))
    >>> tested = HeldOut(np.array([0., 0, 1, 1]), np.array([.1, .2, .7, .8]), accounts,
    ...                 np.zeros(4, int))
    >>> cumulative_gains(tested, point_count=3)["share_found"].tolist()
    [0.0, 1.0, 1.0]
    """
    place = np.unique(-tested.probability, return_inverse=True)[1]
    size: FloatArray = np.bincount(place, weights=tested.weights).astype(np.float64)
    found = np.bincount(place, weights=tested.weights * tested.outcome).astype(np.float64)
    ranked = np.r_[0.0, np.cumsum(size) / size.sum()]
    gained = np.r_[0.0, np.cumsum(found) / found.sum() if found.any() else np.nan * found]
    grid = np.linspace(0, 1, point_count)
    shares = np.interp(grid, ranked, gained)
    limits = np.full((point_count, 2), np.nan)
    one, count = int(tested.outcome.sum()), len(tested.outcome)
    if min(one, count - one) >= FEWEST_A_CLASS:
        near = _local_rate(size, found)
        for row, (share, value) in enumerate(zip(grid, shares, strict=True)):
            if 0 < share < 1 and 1e-9 < value < 1 - 1e-9:
                limits[row] = _gain_interval(tested, place, ranked, near, share, value)
    return pd.DataFrame({"share_ranked": grid, "share_found": shares, "ci_low": limits[:, 0],
                         "ci_high": limits[:, 1]})  # fmt: skip


def _local_rate(size: FloatArray, found: FloatArray) -> FloatArray:
    """Return the share answered at each place of the ranking, among its neighbours in rank.

    Neighbours are the places within `NEAR_SHARE` of all dyads on either side, and within ten.
    """
    total = float(size.sum())
    reach = max(NEAR_SHARE * total, min(10.0, total / 4))
    until = np.cumsum(size)
    middle = until - size / 2
    first = np.minimum(np.searchsorted(middle, middle - reach, "left"), np.arange(len(size)))
    last = np.maximum(np.searchsorted(middle, middle + reach, "right"), np.arange(len(size)) + 1)
    sums, answers = np.r_[0.0, until], np.r_[0.0, np.cumsum(found)]
    # A block of ties wider than the reach is its own neighbourhood.
    wide = size >= 2 * reach
    rate = (answers[last] - answers[first]) / (sums[last] - sums[first])
    return np.where(wide, found / size, rate)


def _gain_interval(
    tested: HeldOut,
    place: IntArray,
    ranked: FloatArray,
    near: FloatArray,
    share: float,
    value: float,
) -> tuple[float, float]:
    """Return the interval of the share found among the share ranked highest."""
    block = np.clip(np.searchsorted(ranked, share, side="left") - 1, 0, len(near) - 1)
    within = (share - ranked[block]) / (ranked[block + 1] - ranked[block])
    taken = np.where(place < block, 1.0, np.where(place == block, within, 0.0))
    mean = float(np.average(tested.outcome, weights=tested.weights))
    moves = tested.outcome * (taken - value) - near[block] * (taken - share)
    error = cov.dyadic_mean(moves / mean, tested.accounts, tested.weights)[1]
    freedom = tested.accounts.degrees_of_freedom
    return cov.logit_interval(value, error, freedom, tested.confidence)


def brier_decomposition(tested: HeldOut, *, bin_count: int | None = None) -> pd.DataFrame:
    """Return the parts of the Brier score: reliability − resolution + uncertainty, exactly.

    With ō the share answered and ōₖ, p̄ₖ the means of the n_k dyads of a group, reliability =
    Σ nₖ (p̄ₖ − ōₖ)² / n (0: calibrated), resolution = Σ nₖ (ōₖ − ō)² / n (how far groups differ) and
    uncertainty = ō (1 − ō) (Murphy 1973, doi:10.1175/1520-0450(1973)012<0595:ANVPOT>2.0.CO;2).
    Groups are the distinct probabilities, or bins of equally many dyads; within bins two more
    parts are left, Σ (p − p̄ₖ)² / n added and 2 Σ (p − p̄ₖ)(y − ōₖ) / n taken off (Stephenson, Coelho
    & Jolliffe 2008, doi:10.1175/2007WAF2006116.1). Sums weigh dyads as everywhere. Reliability
    and resolution are both too large by chance, the more so the more groups there are.

    Parameters
    ----------
    tested
        Held-out dyads.
    bin_count
        Bins; without it every distinct probability is a group.

    Returns
    -------
    pandas.DataFrame
        part (brier, reliability, resolution, uncertainty, within_bin_variance,
        within_bin_covariance), value, sign (how it enters the Brier score; 0 for the score).

    Raises
    ------
    InputError
        If there is no dyad, or fewer than one bin.

    Examples
    --------
    >>> accounts = cov.code_accounts(list("abcd"), list("efgh"))
    >>> tested = HeldOut(np.array([0., 1, 0, 1]), np.array([.2, .2, .5, .5]), accounts,
    ...                 np.zeros(4, int))
    >>> brier_decomposition(tested).round(3)["value"].tolist()
    [0.295, 0.045, 0.0, 0.25, 0.0, 0.0]
    """
    if not len(tested.outcome):
        raise InputError("tested: no dyad was held out, so there is no Brier score; test some")
    y, p, weight = tested.outcome, tested.probability, tested.weights / tested.weights.sum()
    place = np.unique(p, return_inverse=True)[1] if bin_count is None else _bin(p, bin_count)
    mass = np.bincount(place, weights=weight)
    kept = mass > 0
    predicted = np.bincount(place, weights=weight * p)[kept] / mass[kept]
    observed = np.bincount(place, weights=weight * y)[kept] / mass[kept]
    mass, number = mass[kept], (np.cumsum(kept) - 1)[place]
    mean = float(weight @ y)
    off = p - predicted[number]
    rows = [
        ("brier", float(weight @ (p - y) ** 2), 0),
        ("reliability", float(mass @ (predicted - observed) ** 2), 1),
        ("resolution", float(mass @ (observed - mean) ** 2), -1),
        ("uncertainty", mean * (1 - mean), 1),
        ("within_bin_variance", float(weight @ off**2), 1),
        ("within_bin_covariance", float(2 * (weight * off) @ (y - observed[number])), -1),
    ]
    return pd.DataFrame(rows, columns=["part", "value", "sign"])


def _bin(probability: FloatArray, bin_count: int) -> IntArray:
    """Return the bin of each probability: equally many a bin, equal ones together."""
    if bin_count < 1:
        raise InputError(f"bin_count: at least 1 bin is needed; got {bin_count}")
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, bin_count + 1)))
    place = np.clip(np.searchsorted(edges, probability, side="left") - 1, 0, None)
    return place.astype(np.int64)
