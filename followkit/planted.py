"""Simulated data: the planted truth beside what is estimated from them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from followkit.analysis import Analysis, fit_dyads
from followkit.features import CATALOGUE
from followkit.model import FollowBackModel


def compare_truth(analysis: Analysis) -> pd.DataFrame:
    """Return planted coefficients beside those of the planted specification fitted to the data.

    Returns
    -------
    pandas.DataFrame
        term, label, truth, estimate, std_error, ci_low, ci_high, is_missed; empty where no truth
        is known for this question and horizon, or a planted feature cannot be measured.
    """
    planted = _find_planted(analysis)
    if not planted:
        return pd.DataFrame()
    model = _fit_planted(analysis, planted)
    table = model.coefficients.drop(columns="p_value")
    table.insert(1, "label", [_term_label(term) for term in table["term"]])
    table.insert(2, "truth", [planted[term] for term in table["term"]])
    missed = (table["truth"] < table["ci_low"]) | (table["truth"] > table["ci_high"])
    return table.assign(is_missed=missed)


def recovery_test(analysis: Analysis) -> tuple[float, float]:
    """Return the joint Wald statistic (β̂ − β)ᵀV⁻¹(β̂ − β) of the planted truth and its p."""
    planted = _find_planted(analysis)
    model = _fit_planted(analysis, planted)
    gap = model.beta - np.array([planted[term] for term in model.coefficients["term"]])
    statistic, rank = wald_statistic(gap, model.covariance)
    return statistic, float(stats.chi2.sf(statistic, rank))


def wald_statistic(gap: np.ndarray, covariance: np.ndarray) -> tuple[float, int]:
    """Return gapᵀ V⁻¹ gap and its degrees of freedom, in the directions in which V says anything.

    Few accounts leave a robust covariance without some directions, since negative eigenvalues are
    clipped.

    Examples
    --------
    >>> wald_statistic(np.array([2.0, 5.0]), np.diag([4.0, 0.0]))
    (1.0, 1)
    """
    error = np.sqrt(np.clip(np.diag(covariance), 0.0, None))
    kept = error > 0
    if not kept.any():
        return 0.0, 0
    # On the scale of their own errors, so that the units of coefficients do not matter.
    z = gap[kept] / error[kept]
    values, axes = np.linalg.eigh(
        covariance[np.ix_(kept, kept)] / np.outer(error[kept], error[kept])
    )
    sound = values > 1e-8 * values.max()
    return float(((axes.T @ z)[sound] ** 2 / values[sound]).sum()), int(sound.sum())


def _find_planted(analysis: Analysis) -> dict[str, float]:
    """Return planted coefficients that hold for this question and horizon and can be fitted."""
    truth = analysis.dataset.about.get("truth", {})
    same = truth.get("question") == analysis.question
    if not same or truth["horizon_days"] != analysis.dyads.horizon_days:
        return {}
    planted = {item["feature"]: item["coefficient"] for item in truth["coefficients"]}
    measured = {"intercept", *analysis.features.values}
    return planted if set(planted) <= measured else {}


def _fit_planted(analysis: Analysis, planted: Mapping[str, float]) -> FollowBackModel:
    names = [name for name in planted if name != "intercept"]
    return fit_dyads(analysis.dyads, analysis.features, names, penalty="none",
                     confidence=analysis.confidence)  # fmt: skip


def _term_label(term: str) -> str:
    return CATALOGUE[term].label if term in CATALOGUE else term
