"""Shapes of an association: an inverted U with its peak, and a monotone rival of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize, stats
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from followkit import covariance as cov
from followkit import scores as sc
from followkit.effects import SQUARED
from followkit.errors import InputError, ParameterError
from followkit.logit import LogitRegression, expit
from followkit.model import FollowBackModel
from followkit.splits import Split

FloatArray = npt.NDArray[np.float64]
FlagArray = npt.NDArray[np.bool_]

#: Between these percentiles of the feature a peak counts as shown.
INTERIOR = (5.0, 95.0)
#: Knots of the monotone shape, as shares of the training dyads.
KNOTS = (0.25, 0.5, 0.75)
#: Lets small cells with a constant column fit; it moves nothing else.
TOUCH = 1e-6


@dataclass(frozen=True)
class InvertedU:
    """Whether the log odds rise and then fall with a feature, and where they turn.

    Attributes
    ----------
    slope_low, slope_high
        Slope of the log odds, per raw unit, at the low and at the high percentile.
    p_value
        The larger of the one-sided p of "slope_low > 0" and "slope_high < 0".
    p_reverse
        The same for an upright U: "slope_low < 0" and "slope_high > 0".
    peak, peak_low, peak_high
        −β₁ / (2 β₂) and its Fieller interval, in raw units; infinite limits where the data put no
        bound on it. For an upright U it is the trough.
    is_interior
        Whether that interval lies within the 5th and 95th percentile of the feature.
    """

    slope_low: float
    slope_high: float
    p_value: float
    p_reverse: float
    peak: float
    peak_low: float
    peak_high: float
    is_interior: bool


@dataclass(frozen=True)
class ShapeGain:
    """How much better one shape predicts held-out dyads than another.

    Attributes
    ----------
    gain
        Mean log loss of the quadratic less that of the monotone shape, in nats a dyad; above 0 the
        monotone shape is better.
    ci_low, ci_high, p_value
        Paired and dyadic-robust, two-sided.
    n
        Held-out dyads.
    """

    gain: float
    ci_low: float
    ci_high: float
    p_value: float
    n: int


def inverted_u_test(
    model: FollowBackModel, name: str, percentiles: tuple[float, float] = (10, 90)
) -> InvertedU:
    """Test for an inverted U in a feature whose square is in the model.

    With log odds … + β₁ x + β₂ x², the slope is β₁ + 2 β₂ x. It has to be above 0 at the low
    percentile and below 0 at the high one; p is the larger of the two one-sided p, t with the
    model's degrees of freedom. Sasabuchi (1980), Biometrika 67, doi:10.1093/biomet/67.2.429; Lind &
    Mehlum (2010), Oxford Bulletin of Economics and Statistics 72,
    doi:10.1111/j.1468-0084.2009.00569.x. The interval of the peak: Fieller (1954), Journal of the
    Royal Statistical Society B 16, doi:10.1111/j.2517-6161.1954.tb00159.x.

    Parameters
    ----------
    model
        With `name` and `name_squared` among its features, and with errors.
    name
        The feature.
    percentiles
        Of the feature over the dyads used, where the two slopes are tested.

    Returns
    -------
    InvertedU

    Raises
    ------
    ParameterError
        If the feature or its square is not in the model, or the percentiles are not in order.

    Examples
    --------
    >>> from followkit.model import fit_follow_back
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=2000)
    >>> y = (rng.random(2000) < expit(0.5 * x - x**2)).astype(int)
    >>> table = pd.DataFrame({"ratio": x, "ratio_squared": x**2})
    >>> model = fit_follow_back(table, y, initiator=np.arange(2000), decider=np.arange(2000) + 2000)
    >>> shape = inverted_u_test(model, "ratio")
    >>> shape.p_value < 0.001, shape.is_interior, round(shape.peak, 1)
    (True, True, 0.2)
    """
    low, high = percentiles
    if not 0 <= low < high <= 100:
        raise ParameterError(f"percentiles: need 0 ≤ low < high ≤ 100; got {percentiles}")
    for term in (name, name + SQUARED):
        if term not in model.names:
            raise ParameterError(
                f"name: a model with {name} and {name + SQUARED} is needed; {term} is not among "
                f"its features ({', '.join(model.names)})"
            )
    places = [model.names.index(term) + 1 for term in (name, name + SQUARED)]
    beta, matrix = model.beta[places], model.covariance[np.ix_(places, places)]
    column = model.design[:, places[0]]
    ends = np.percentile(column, percentiles)
    rows = np.column_stack([np.ones(2), 2.0 * ends])
    slopes = rows @ beta
    t_low, t_high = slopes / np.sqrt(np.einsum("ij,jk,ik->i", rows, matrix, rows))
    freedom = model.degrees_of_freedom if "dyadic" in model.covariance_kind else np.inf
    peak, peak_low, peak_high = find_peak(beta, matrix, freedom, model.confidence)
    inside = np.percentile(column, INTERIOR)
    return InvertedU(
        slope_low=float(slopes[0]),
        slope_high=float(slopes[1]),
        p_value=float(stats.t.sf([t_low, -t_high], freedom).max()),
        p_reverse=float(stats.t.sf([-t_low, t_high], freedom).max()),
        peak=peak,
        peak_low=peak_low,
        peak_high=peak_high,
        is_interior=bool(inside[0] <= peak_low and peak_high <= inside[1]),
    )


def find_peak(
    beta: FloatArray, covariance: FloatArray, degrees_of_freedom: float, confidence: float = 0.95
) -> tuple[float, float, float]:
    """Return where β₁ x + β₂ x² turns, −β₁ / (2 β₂), with its Fieller interval.

    The interval holds every x at which a slope of 0 is not rejected: (β₁ + 2 β₂ x)² ≤ t² · Var.
    Where the curvature itself is not told from 0 that set has no end, and the limits are infinite.

    Examples
    --------
    >>> peak, low, high = find_peak(np.array([1.0, -0.5]), np.diag([0.01, 0.0025]), np.inf)
    >>> round(peak, 3), round(low, 3), round(high, 3)
    (1.0, 0.754, 1.325)
    """
    reach = float(stats.t.ppf((1 + confidence) / 2, degrees_of_freedom)) ** 2
    first, second = float(beta[0]), 2.0 * float(beta[1])
    v_first, v_both, v_second = covariance[0, 0], 2.0 * covariance[0, 1], 4.0 * covariance[1, 1]
    peak = -first / second if second else np.nan
    leading = second**2 - reach * v_second
    if leading <= 0:
        return peak, -np.inf, np.inf
    middle = first * second - reach * v_both
    rest = first**2 - reach * v_first
    spread = float(np.sqrt(max(middle**2 - leading * rest, 0.0)))
    return peak, float((-middle - spread) / leading), float((-middle + spread) / leading)


def compare_shapes(
    x: npt.ArrayLike,
    adjusters: npt.ArrayLike,
    dyads: pd.DataFrame,
    split: Split,
    *,
    sign: int = 1,
    confidence: float = 0.95,
) -> ShapeGain:
    """Compare a monotone with a quadratic shape of one feature by held-out log loss.

    The monotone shape is piecewise linear with knots at the quartiles of the training dyads and
    all its slopes in the direction of `sign` or 0; the quadratic one is free. Both hold the same
    adjusters, and every dyad is judged by models that the split kept from seeing it.

    Parameters
    ----------
    x, adjusters
        The feature (n) and what is adjusted for (n × k, k may be 0), without missing values.
    dyads
        Their rows of `DyadSet.table`: initiator_id, decider_id, outcome, weight.
    split
        Cells and training flags of the same rows.
    sign
        +1 for a rising shape, −1 for a falling one.
    confidence
        Of the interval.

    Returns
    -------
    ShapeGain

    Raises
    ------
    InputError
        If the pieces differ in length, or no dyad can be tested.

    Examples
    --------
    >>> from followkit.splits import Split
    >>> rng = np.random.default_rng(2)
    >>> x = rng.normal(size=600)
    >>> rows = pd.DataFrame({"initiator_id": np.arange(600), "decider_id": np.arange(600, 1200)})
    >>> rows["outcome"] = (rng.random(600) < expit(2 * (x > 0) - 1.0)).astype(int)
    >>> rows["weight"] = 1.0
    >>> half = Split("halves", np.arange(600) % 2, np.arange(600) % 2 != [[0], [1]], "")
    >>> compare_shapes(x, np.empty((600, 0)), rows, half).n
    600
    """
    x, others = np.asarray(x, dtype=np.float64), np.asarray(adjusters, dtype=np.float64)
    lengths = {"x": len(x), "adjusters": len(others), "dyads": len(dyads), "split": len(split.cell)}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} {length:,}" for name, length in lengths.items())
        raise InputError(f"rows: all parts need the same number of rows; got {found}")
    outcome = dyads["outcome"].to_numpy(float)
    weight = dyads["weight"].to_numpy(float)
    gain = np.full(len(x), np.nan)
    for cell in np.unique(split.cell[split.tested]):
        train, test = split.train[cell], split.cell == cell
        if len(np.unique(outcome[train])) == 2:
            monotone = _predict_monotone(sign * x, others, outcome, weight, train, test)
            quadratic = _predict_quadratic(x, others, outcome, weight, train, test)
            gain[test] = sc.log_loss(outcome[test], quadratic) - sc.log_loss(
                outcome[test], monotone
            )
    tested = np.isfinite(gain)
    if not tested.any():
        raise InputError("split: no test cell has both answers and refusals to train on")
    accounts = cov.code_accounts(dyads.loc[tested, "initiator_id"], dyads.loc[tested, "decider_id"])
    mean, error = cov.dyadic_mean(gain[tested], accounts, weight[tested])
    freedom = accounts.degrees_of_freedom
    reach = float(stats.t.ppf((1 + confidence) / 2, freedom)) * error
    p_value = float(2 * stats.t.sf(abs(mean) / error, freedom)) if error > 0 else 1.0
    return ShapeGain(mean, mean - reach, mean + reach, p_value, int(tested.sum()))


def _predict_quadratic(
    x: FloatArray,
    others: FloatArray,
    outcome: FloatArray,
    weight: FloatArray,
    train: FlagArray,
    test: FlagArray,
) -> FloatArray:
    design = np.column_stack([x, x**2, others])
    model = make_pipeline(StandardScaler(), LogitRegression(ridge=TOUCH))
    model.fit(design[train], outcome[train], logitregression__sample_weight=weight[train])
    return np.asarray(model.predict_proba(design[test])[:, 1])


def _predict_monotone(
    x: FloatArray,
    others: FloatArray,
    outcome: FloatArray,
    weight: FloatArray,
    train: FlagArray,
    test: FlagArray,
) -> FloatArray:
    """Return probabilities of a fit whose slopes of x are all 0 or more."""
    knots = np.unique(np.quantile(x[train], KNOTS))
    ramps = _make_ramps(x, knots)
    design = np.column_stack([ramps, others])
    scaler = StandardScaler().fit(design[train])
    z = np.column_stack([np.ones(len(x)), scaler.transform(design)])
    bounds = [(None, None)] + [(0.0, None)] * ramps.shape[1] + [(None, None)] * others.shape[1]
    rate = float(np.average(outcome[train], weights=weight[train]))
    start = np.zeros(z.shape[1])
    start[0] = np.log(rate / (1 - rate))
    fit = optimize.minimize(
        _mean_loss, start, (z[train], outcome[train], weight[train] / weight[train].sum()),
        method="L-BFGS-B", jac=True, bounds=bounds, options={"ftol": 1e-12, "gtol": 1e-7},
    )  # fmt: skip
    return expit(z[test] @ fit.x)


def _make_ramps(x: FloatArray, knots: FloatArray) -> FloatArray:
    """Return columns that add up to x, each rising between two knots and flat elsewhere."""
    lower, upper = np.r_[-np.inf, knots], np.r_[knots, np.inf]
    held = [np.clip(x, low, high) for low, high in zip(lower, upper, strict=True)]
    return np.column_stack(held)


def _mean_loss(
    beta: FloatArray, design: FloatArray, outcome: FloatArray, share: FloatArray
) -> tuple[float, FloatArray]:
    linear = design @ beta
    deviance = np.logaddexp(0.0, linear) - outcome * linear
    residual = share * (expit(linear) - outcome)
    touch = TOUCH / len(design) * np.r_[0.0, beta[1:]]
    loss = float(share @ deviance + 0.5 * touch @ beta)
    return loss, np.asarray(design.T @ residual + touch, dtype=np.float64)
