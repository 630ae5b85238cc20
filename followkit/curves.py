"""Predicted probability of an answer along a raw quantity, and between two ways to be.

Everything else stays as observed, and what depends on the quantity moves with it. As in
`followkit.whatif`, nothing is said where most dyads would leave the joint range seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit.levers import QUANTITIES, Change
from followkit.model import FollowBackModel
from followkit.predictions import LARGEST_OUTSIDE, Chosen, change_design, choose_dyads

FloatArray = npt.NDArray[np.float64]

COLUMNS = ("value", "probability", "ci_low", "ci_high", "n", "outside_share")


@dataclass(frozen=True)
class Comparison:
    """Mean predicted probabilities of the same dyads in two settings, and their difference.

    Attributes
    ----------
    first, second
        Weighted means of P(answered).
    difference, ci_low, ci_high
        second − first, with its delta-method interval, conditional on the accounts observed.
    n
        Dyads in the means.
    outside_share
        The larger share of them that leaves the joint range seen.
    reason
        Why nothing is said; empty where something is.
    """

    first: float = np.nan
    second: float = np.nan
    difference: float = np.nan
    ci_low: float = np.nan
    ci_high: float = np.nan
    n: int = 0
    outside_share: float = np.nan
    reason: str = ""


def predict_curve(
    model: FollowBackModel,
    features: pd.DataFrame,
    quantity: str,
    values: Iterable[float],
    *,
    rows: Any = None,
    weights: Any = None,
    confidence: float | None = None,
) -> pd.DataFrame:
    """Return the mean P(answered) with a raw quantity set to each value for all chosen dyads.

    Parameters
    ----------
    model, features, rows, weights, confidence
        As in `followkit.whatif.what_if`.
    quantity
        A name in `followkit.levers.QUANTITIES`.
    values
        What it is set to, in its own unit.

    Returns
    -------
    pandas.DataFrame
        value, probability with ci_low and ci_high (delta method on the logit scale, conditional on
        the accounts observed; missing for a ridge model), n, outside_share. All points average over
        the same dyads. Values at which more than half of them would leave the joint range that the
        model has seen are left out; empty where the quantity cannot be changed.

    Raises
    ------
    ParameterError, InputError
        As `followkit.whatif.what_if`.

    Examples
    --------
    >>> from followkit.model import fit_follow_back
    >>> posts = np.tile([0.5, 1.0, 2.0, 3.0], 100)
    >>> x = pd.DataFrame({"initiator_posts_per_week_log": np.log1p(posts)})
    >>> y = np.tile([0, 0, 1, 1, 1, 0, 0, 1], 50)
    >>> model = fit_follow_back(x, y, initiator=np.arange(400), decider=np.arange(400, 800))
    >>> predict_curve(model, x, "posts_per_week", [1, 2])["probability"].round(2).tolist()
    [0.36, 0.64]
    """
    chosen = choose_dyads(model, features, rows, weights, confidence)
    lines = []
    for value in values:
        setting = _try_setting(chosen, [Change(quantity, "set", float(value))])
        if not setting.reason:
            mean = chosen.average_with_interval(setting.design, setting.weights)
            lines.append((float(value), *mean, setting.n, setting.outside_share))
    return pd.DataFrame(lines, columns=list(COLUMNS))


def compare_settings(
    model: FollowBackModel,
    features: pd.DataFrame,
    first: Sequence[Change],
    second: Sequence[Change],
    *,
    rows: Any = None,
    weights: Any = None,
    confidence: float | None = None,
) -> Comparison:
    """Return the mean P(answered) of the same dyads in two settings, and its difference.

    Parameters
    ----------
    model, features, rows, weights, confidence
        As in `followkit.whatif.what_if`.
    first, second
        Changes that make each setting.

    Raises
    ------
    ParameterError, InputError
        As `followkit.whatif.what_if`.

    Examples
    --------
    >>> from followkit.model import fit_follow_back
    >>> posts = np.tile([0.5, 1.0, 2.0, 3.0], 100)
    >>> x = pd.DataFrame({"initiator_posts_per_week_log": np.log1p(posts)})
    >>> y = np.tile([0, 0, 1, 1, 1, 0, 0, 1], 50)
    >>> model = fit_follow_back(x, y, initiator=np.arange(400), decider=np.arange(400, 800))
    >>> seldom, often = (Change("posts_per_week", "set", rate) for rate in (1, 2))
    >>> found = compare_settings(model, x, [seldom], [often])
    >>> round(found.first, 2), round(found.second, 2)
    (0.36, 0.64)
    """
    chosen = choose_dyads(model, features, rows, weights, confidence)
    one, other = (_try_setting(chosen, changes) for changes in (first, second))
    if one.reason or other.reason:
        return Comparison(reason=one.reason or other.reason)
    means = [chosen.average(setting.design, setting.weights) for setting in (one, other)]
    gap = means[1].value - means[0].value
    reach = chosen.find_reach(means[1].gradient - means[0].gradient)
    outside = max(one.outside_share, other.outside_share)
    return Comparison(means[0].value, means[1].value, gap, gap - reach, gap + reach, one.n, outside)


def spread_values(values: pd.Series, *, count: int = 7) -> list[float]:
    """Return round values of a heavy-tailed quantity between its 5th and 95th percentile.

    Two significant digits, evenly spaced on the scale of log(1 + value).

    Examples
    --------
    >>> spread_values(pd.Series([0.0, 1, 10, 100, 1000]), count=3)
    [0.2, 30.0, 820.0]
    """
    low, high = np.quantile(values.dropna(), [0.05, 0.95])
    steps = np.expm1(np.linspace(np.log1p(low), np.log1p(high), count))
    rounded = [float(f"{step:.2g}") for step in steps]
    return list(dict.fromkeys(rounded))


@dataclass(frozen=True)
class _Setting:
    """The dyads in a setting: their design, weights (0: unknown), and why there are none."""

    design: FloatArray
    weights: FloatArray
    n: int
    outside_share: float
    reason: str = ""


def _try_setting(chosen: Chosen, changes: Sequence[Change]) -> _Setting:
    """Make the changes and see whether such dyads were seen."""
    design, reason = change_design(chosen, changes)
    if reason:
        return _Setting(design, np.zeros(0), 0, np.nan, reason)
    known = np.asarray(np.isfinite(design).all(axis=1))
    weights = np.where(known, chosen.weights, 0.0)
    design = np.where(known[:, None], design, chosen.design)
    # Dyads outside as observed are no fault of the setting.
    counted = known & ~chosen.seen.excludes(chosen.design)
    outside = float(chosen.seen.excludes(design)[counted].mean()) if counted.any() else 1.0
    if outside > LARGEST_OUTSIDE:
        labels = " and ".join(QUANTITIES[change.quantity].label for change in changes)
        reason = f"too few dyads like that were seen ({labels} as asked for)"
    return _Setting(design, weights, int(known.sum()), outside, reason)
