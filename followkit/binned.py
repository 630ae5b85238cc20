"""One feature: how it is spread, how often each part of it was answered, and what the model says.

The share answered in a bin is raw: nothing else is held equal. The model's probability beside it is
adjusted: the feature alone is set to the middle of the bin, for all dyads, and all else stays as
observed. Where the two part, something that goes with the feature makes the difference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit.analysis import Analysis, code_dyads, fit_dyads
from followkit.covariance import dyadic_rate
from followkit.dyads import select_dyads
from followkit.errors import CannotFitError, ParameterError, suggest
from followkit.explain import write_value
from followkit.features import CATALOGUE
from followkit.levers import RawQuantities
from followkit.model import FollowBackModel
from followkit.predictions import Chosen, choose_dyads, stack_design

FloatArray = npt.NDArray[np.float64]

MOST_BINS = 5
#: Bins hold at least so many dyads; a feature with few known values gets fewer bins.
FEWEST_IN_BIN = 20
HISTOGRAM_BARS = 24


@dataclass(frozen=True)
class FeatureLook:
    """One feature beside the answers.

    Attributes
    ----------
    name
        Its name in the catalogue.
    bins
        One row a bin, in order of the feature: label (its range in words), middle (mean of the
        feature in it), n, answered, rate with ci_low and ci_high (raw, dyadic-robust), probability
        with model_low and model_high (adjusted; missing where the model gives none).
    spread
        Histogram over the 1st to the 99th percentile: low, high (as in the model), share (of the
        known dyads), text (low in words).
    known, unknown
        Dyads with and without a value.
    adjusted_for
        The other features of the model.
    reason
        Why there is no adjusted probability; empty where there is one.
    """

    name: str
    bins: pd.DataFrame
    spread: pd.DataFrame
    known: int
    unknown: int
    adjusted_for: tuple[str, ...]
    reason: str


def look_at_feature(analysis: Analysis, name: str, *, most_bins: int = MOST_BINS) -> FeatureLook:
    """Return the spread of a feature, and its answers raw and adjusted.

    Parameters
    ----------
    analysis
        The question, with its features and model.
    name
        A feature that was computed. One outside the model joins it for this look.
    most_bins
        Bins of about equally many dyads; a yes-or-no feature has two.

    Raises
    ------
    ParameterError
        If the feature was not computed; the message says why, or names the nearest one.
    """
    values = find_column(analysis, name)
    known = np.isfinite(values)
    bins = bin_feature(analysis, name, most_bins=most_bins)
    model, reason = _find_model(analysis, name)
    if model is None or bins.empty:
        nothing = bins.assign(probability=np.nan, model_low=np.nan, model_high=np.nan)
        return FeatureLook(name, nothing, spread_of(name, values), int(known.sum()),
                           int((~known).sum()), (), reason)  # fmt: skip
    curve = predict_along(analysis, model, name, bins["middle"].to_numpy())
    others = tuple(other for other in model.names if other != name)
    return FeatureLook(name, bins.join(curve), spread_of(name, values), int(known.sum()),
                       int((~known).sum()), others, "")  # fmt: skip


def find_column(analysis: Analysis, name: str) -> FloatArray:
    """Return a feature of all dyads.

    Raises
    ------
    ParameterError
        If it was not computed.
    """
    table = analysis.features.values
    if name in table:
        return table[name].to_numpy(float)
    missing = analysis.features.missing.set_index("feature")["reason"]
    if name in missing:
        raise ParameterError(f"feature: {name} cannot be had from these data: {missing[name]}")
    hint = suggest(name, list(table))
    raise ParameterError(f"feature: {name!r} is not among the {table.shape[1]} computed; {hint}")


def bin_feature(analysis: Analysis, name: str, *, most_bins: int = MOST_BINS) -> pd.DataFrame:
    """Return the share answered in bins of a feature.

    Edges are quantiles of the known values; equal values are never parted.

    Returns
    -------
    pandas.DataFrame
        label, low, high, middle, n, answered, rate, ci_low, ci_high; in order of the feature.
    """
    values = find_column(analysis, name)
    codes, rows = cut_bins(values, most_bins), []
    for code in np.unique(codes[codes >= 0]):
        inside = codes == code
        chosen = select_dyads(analysis.dyads, inside, name)
        weights = chosen.table["weight"]
        found = dyadic_rate(chosen.table["outcome"], code_dyads(chosen), weights=weights,
                            confidence=analysis.confidence)  # fmt: skip
        low, high = float(values[inside].min()), float(values[inside].max())
        label = label_range(name, low, high)
        middle = float(np.average(values[inside], weights=weights))
        rows.append((label, low, high, middle, found.n, found.event_count, found.rate,
                     found.ci_low, found.ci_high))  # fmt: skip
    columns = ["label", "low", "high", "middle", "n", "answered", "rate", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=columns)


def cut_bins(values: FloatArray, most_bins: int) -> npt.NDArray[np.int64]:
    """Return the bin of each value, from 0; −1 where it is unknown.

    Examples
    --------
    >>> cut_bins(np.array([0.0] * 30 + [1.0] * 30 + [np.nan]), 5)[[0, 30, 60]].tolist()
    [0, 1, -1]
    >>> np.bincount(cut_bins(np.arange(100.0), 4)).tolist()
    [25, 25, 25, 25]
    """
    if most_bins < 1:
        raise ParameterError(f"most_bins: must be 1 or more; got {most_bins}. Five is usual.")
    known = np.isfinite(values)
    codes = np.full(len(values), -1, dtype=np.int64)
    if not known.any():
        return codes
    distinct = np.unique(values[known])
    if len(distinct) <= most_bins:
        codes[known] = np.searchsorted(distinct, values[known])
        return codes
    # What is often the lowest value, nothing at all, is a bin of its own, else it swallows others.
    heap = known & (values == distinct[0])
    rest = known & ~heap if heap.sum() * most_bins >= known.sum() else known
    room = most_bins - int(rest.sum() < known.sum())
    count = max(1, min(room, int(rest.sum()) // FEWEST_IN_BIN))
    edges = np.unique(np.quantile(values[rest], np.linspace(0, 1, count + 1)[1:-1]))
    codes[heap] = 0
    codes[rest] = 1 + np.searchsorted(edges, values[rest], side="right")
    # Equal values elsewhere can leave a bin empty.
    codes[known] = np.unique(codes[known], return_inverse=True)[1]
    return codes


def label_range(name: str, low: float, high: float) -> str:
    """Return a bin's range in the unit that readers know.

    Examples
    --------
    >>> label_range("decider_ratio_log", 0.0, np.log(4))
    '1.00 to 4.00'
    >>> label_range("dyad_same_language", 1.0, 1.0)
    'yes'
    """
    entry = CATALOGUE.get(name)
    if entry is not None and entry.unit == "yes against no" and low == high and low in (0.0, 1.0):
        return "yes" if low else "no"
    first, last = write_value(name, low), write_value(name, high)
    return first if first == last else f"{first} to {last}"


def spread_of(name: str, values: FloatArray, *, bars: int = HISTOGRAM_BARS) -> pd.DataFrame:
    """Return a histogram of a feature between its 1st and 99th percentile.

    Returns
    -------
    pandas.DataFrame
        low, high (as in the model), share (of all known values; what lies beyond the percentiles
        is counted in the outer bars), text (low in words). A feature with few values has a bar
        each.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return pd.DataFrame(columns=["low", "high", "share", "text"])
    distinct = np.unique(known)
    if len(distinct) <= bars:
        share = np.array([(known == value).mean() for value in distinct])
        low, high = distinct, distinct
    else:
        first, last = np.quantile(known, [0.01, 0.99])
        edges = np.linspace(first, last if last > first else distinct[-1], bars + 1)
        share = np.histogram(known.clip(edges[0], edges[-1]), edges)[0] / len(known)
        low, high = edges[:-1], edges[1:]
    text = [write_value(name, value) for value in low]
    return pd.DataFrame({"low": low, "high": high, "share": share, "text": text})


def predict_along(
    analysis: Analysis, model: FollowBackModel, name: str, values: FloatArray
) -> pd.DataFrame:
    """Return the mean P(answered) with a feature set to each value for all dyads.

    Its square and its products with others move along; nothing else does.

    Returns
    -------
    pandas.DataFrame
        probability, model_low, model_high (delta method on the logit scale, conditional on the
        accounts observed), one row a value.
    """
    table = analysis.features.values
    chosen = choose_dyads(model, table, None, analysis.dyads.table["weight"].to_numpy(),
                          analysis.confidence)  # fmt: skip
    rows = [
        chosen.average_with_interval(_set_design(chosen, name, value), chosen.weights)
        for value in values
    ]
    return pd.DataFrame(rows, columns=["probability", "model_low", "model_high"])


def _set_design(chosen: Chosen, name: str, value: float) -> FloatArray:
    raw = RawQuantities(chosen.features)
    raw.put(name, np.ones(len(chosen.features), bool), value)
    return stack_design([raw.rebuild(other) for other in chosen.model.names])


def _find_model(analysis: Analysis, name: str) -> tuple[FollowBackModel | None, str]:
    """Return a model that holds the feature: that of the analysis, or one with it in front."""
    model = analysis.model
    if model is None:
        return None, analysis.no_model
    if name in model.names:
        return model, ""
    if name in analysis.features.untimed:
        return None, "its moment is unknown, so it may post-date the answer"
    try:
        wider = fit_dyads(analysis.dyads, analysis.features, [name, *model.names],
                          confidence=analysis.confidence)  # fmt: skip
    except CannotFitError as why:
        return None, str(why)
    if name not in wider.names:
        dropped = wider.dropped.set_index("feature")["reason"]
        return None, str(dropped.get(name, "the model left it out"))
    return wider, ""
