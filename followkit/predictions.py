"""Mean predicted probabilities of chosen dyads, as they are and with raw quantities changed.

Shared by what-if and by the curves of the six questions: which dyads are complete, which lie in the
joint range that the model has seen, and the delta-method error of a mean or of a difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from scipy.special import logit

from followkit import words
from followkit.errors import InputError, ParameterError
from followkit.explain import label_feature
from followkit.levers import QUANTITIES, Change, RawQuantities
from followkit.logit import expit
from followkit.model import FollowBackModel

FloatArray = npt.NDArray[np.float64]
FlagArray = npt.NDArray[np.bool_]

#: Share of the dyads seen that count as inside the joint range.
RANGE_SHARE = 0.975
#: What takes a larger share of its dyads out of that range is not predicted.
LARGEST_OUTSIDE = 0.5


@dataclass(frozen=True)
class SeenRange:
    """The joint range of the model's continuous features among the dyads it was fitted to."""

    columns: FlagArray
    centre: FloatArray
    scale: FloatArray
    precision: FloatArray
    limit: float

    @classmethod
    def of(cls, model: FollowBackModel) -> SeenRange:
        """Return the range that a model has seen."""
        columns = np.array([not np.isin(column, (0.0, 1.0)).all() for column in model.design.T])
        seen = model.design[:, columns]
        centre, scale = seen.mean(axis=0), seen.std(axis=0)
        size = int(columns.sum())
        correlation = np.corrcoef(seen, rowvar=False).reshape(size, size)
        precision = np.asarray(np.linalg.pinv(correlation, hermitian=True), np.float64)
        unlimited = cls(columns, centre, scale, precision, np.inf)
        limit = np.quantile(unlimited.measure(model.design), RANGE_SHARE)
        # The dyad that sets the limit is inside, whatever the rounding.
        return cls(columns, centre, scale, precision, float(limit) * (1 + 1e-9))

    def measure(self, design: FloatArray) -> FloatArray:
        """Return the Mahalanobis distance of each row."""
        z = (design[:, self.columns] - self.centre) / self.scale
        squared = ((z @ self.precision) * z).sum(axis=1)
        return np.sqrt(np.maximum(squared, 0.0))

    def excludes(self, design: FloatArray) -> FlagArray:
        """Return which rows lie outside."""
        return np.asarray(self.measure(design) > self.limit)


@dataclass(frozen=True)
class Mean:
    """A weighted mean of predicted probabilities, and how it moves with the coefficients."""

    value: float
    gradient: FloatArray


@dataclass(frozen=True)
class Chosen:
    """Complete dyads to predict for, and what it takes to do so.

    Attributes
    ----------
    model, features, weights, confidence
        The model, the dyads' rows, their weights in means, and the level of intervals.
    incomplete_count
        Dyads asked for that lack a feature of the model; they are not among the rows.
    seen
        The joint range of the model's dyads.
    """

    model: FollowBackModel
    features: pd.DataFrame
    weights: FloatArray
    confidence: float
    incomplete_count: int
    seen: SeenRange

    @property
    def design(self) -> FloatArray:
        """The dyads as observed: a column of ones, then the model's features."""
        return stack_design([self.features[name].to_numpy(float) for name in self.model.names])

    def average(self, design: FloatArray, weights: FloatArray) -> Mean:
        """Return the weighted mean of P(answered) over the rows of a design."""
        probability = expit(design @ self.model.beta)
        slope = design * (probability * (1 - probability))[:, None]
        mean = float(np.average(probability, weights=weights))
        return Mean(mean, np.average(slope, axis=0, weights=weights))

    def average_with_interval(
        self, design: FloatArray, weights: FloatArray
    ) -> tuple[float, float, float]:
        """Return the same with its interval, which stays between 0 and 1."""
        mean = self.average(design, weights)
        reach = self.find_reach(mean.gradient) / (mean.value * (1 - mean.value))
        middle = logit(mean.value)
        return mean.value, float(expit(middle - reach)), float(expit(middle + reach))

    def find_reach(self, gradient: FloatArray) -> float:
        """Return the half-width of the delta-method interval; missing for a ridge model."""
        model = self.model
        # Rounding can leave a variance just below 0.
        error = np.sqrt(np.maximum(gradient @ model.covariance @ gradient, 0.0))
        freedom = model.degrees_of_freedom if "dyadic" in model.covariance_kind else np.inf
        return float(stats.t.ppf((1 + self.confidence) / 2, freedom) * error)


def choose_dyads(
    model: FollowBackModel, features: pd.DataFrame, rows: Any, weights: Any, confidence: Any
) -> Chosen:
    """Return the chosen dyads that have every feature of the model.

    Raises
    ------
    InputError
        If the table lacks a feature of the model, or no dyad is chosen that has all of them.
    ParameterError
        If the confidence is no probability.
    """
    lacking = [name for name in model.names if name not in features.columns]
    if lacking:
        raise InputError(f"features: {lacking[0]} is in the model but not in the table; add it")
    level = model.confidence if confidence is None else float(confidence)
    if not 0 < level < 1:
        raise ParameterError(f"confidence: must lie between 0 and 1; got {level}. Try 0.95.")
    mask = np.ones(len(features), bool) if rows is None else np.asarray(rows)
    if mask.dtype != bool or mask.shape != (len(features),):
        raise InputError(
            f"rows: one True or False for each of the {len(features):,} dyads is needed; got "
            f"{mask.size:,} of type {mask.dtype}"
        )
    weight = np.ones(len(features)) if weights is None else np.asarray(weights, np.float64)
    if weight.shape != mask.shape or not (weight >= 0).all():
        raise InputError(
            f"weights: a number of 0 or more for each of the {len(features):,} dyads is needed"
        )
    known = np.isfinite(features[list(model.names)].to_numpy(float)).all(axis=1)
    kept = mask & known
    if not weight[kept].sum() > 0:
        raise InputError(
            f"rows: {words.count(mask.sum(), 'dyad')} chosen, none with weight and with every "
            "feature of the model known; choose others"
        )
    incomplete = int((mask & ~known).sum())
    return Chosen(model, features[kept], weight[kept], level, incomplete, SeenRange.of(model))


def stack_design(columns: Sequence[FloatArray]) -> FloatArray:
    """Return columns beside a column of ones."""
    return np.column_stack([np.ones(len(columns[0])), *columns])


def change_design(chosen: Chosen, changes: Sequence[Change]) -> tuple[FloatArray, str]:
    """Return the design after changes of raw quantities, or why it cannot be made.

    Every column that depends on a changed quantity is made anew. Rows of a design may be unknown
    where a dyad lacks what is changed; without a design there is a reason.
    """
    raw = RawQuantities(chosen.features)
    names = chosen.model.names
    reason = _find_obstacle(raw, names, changes)
    if reason:
        return np.empty((0, len(names) + 1)), reason
    return stack_design([raw.rebuild(name) for name in names]), ""


def _find_obstacle(raw: RawQuantities, names: Sequence[str], changes: Sequence[Change]) -> str:
    """Carry the changes out; return why they cannot be predicted from, or nothing."""
    for change in changes:
        column = QUANTITIES[change.quantity].column
        if column not in raw.columns:
            return f"not available: it needs {label_feature(column)}, which these data do not give"
        raw.change(change)
    if not any(raw.depends(name) for name in names):
        return "not available: nothing that it moves is in the model"
    lacking = next(filter(None, map(raw.find_lacking, names)), "")
    if lacking:
        return f"not available: it moves {label_feature(lacking)}, which the table lacks"
    return ""
