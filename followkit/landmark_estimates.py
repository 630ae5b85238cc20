"""Estimates from a landmark: a result is filled in step by step, or given the reason why it is not.

Odds ratios come from the logistic model, differences in acts per week from least squares; both with
dyadic-robust errors and what is named beside them held equal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from followkit import covariance as cov
from followkit.errors import CannotFitError
from followkit.model import (
    FEWEST_EFFECTIVE_ACCOUNTS,
    FEWEST_EVENTS,
    FollowBackModel,
    fit_follow_back,
)

FloatArray = npt.NDArray[np.float64]
FlagArray = npt.NDArray[np.bool_]
Scale = Literal["odds ratio", "acts per week"]


@dataclass(frozen=True)
class LandmarkResult:
    """One claim about what follows an answer.

    Attributes
    ----------
    claim, label
        The claim ("0a") and, in words, what is compared.
    unit, scale
        The step that the estimate is for, and what `ci_low` and `ci_high` are limits of: an odds
        ratio, or a difference in acts per week.
    sign
        +1 or −1, what the claim expects of the estimate.
    estimate, std_error
        Log odds per step, or acts per week; the error is dyadic-robust (`dyadic_cr3`).
    odds_ratio, ci_low, ci_high, p_value
        exp(estimate) where the scale is an odds ratio; limits and a two-sided p with effective
        accounts less one degrees of freedom, neither adjusted for the number of claims.
    rate_answered, rate_unanswered
        Unadjusted share with the outcome in each group, or mean acts per week; missing where a
        claim is about one of the groups only.
    n, n_answered, n_unanswered
        Dyads used, in all and by group.
    adjusted_for
        What else is in the model, joined by commas.
    reason
        Why nothing could be estimated; empty where something was.
    """

    claim: str
    label: str
    unit: str
    scale: Scale
    sign: int
    estimate: float = np.nan
    std_error: float = np.nan
    odds_ratio: float = np.nan
    ci_low: float = np.nan
    ci_high: float = np.nan
    p_value: float = np.nan
    rate_answered: float = np.nan
    rate_unanswered: float = np.nan
    n: int = 0
    n_answered: int = 0
    n_unanswered: int = 0
    adjusted_for: str = ""
    reason: str = ""


def add_groups(result: LandmarkResult, values: FloatArray, answered: FlagArray) -> LandmarkResult:
    """Add the means of both groups and how many dyads are in each."""
    means = [values[flag].mean() if flag.any() else np.nan for flag in (answered, ~answered)]
    count = int(answered.sum())
    return replace(
        result, rate_answered=float(means[0]), rate_unanswered=float(means[1]), n=len(values),
        n_answered=count, n_unanswered=len(values) - count,
    )  # fmt: skip


def add_odds_ratio(
    result: LandmarkResult,
    rows: pd.DataFrame,
    outcome: FloatArray,
    values: pd.DataFrame,
    event: str,
    confidence: float,
    *,
    step: float = 1.0,
) -> LandmarkResult:
    """Add the odds ratio of the first column for a step of it, the others held equal."""
    count = int(outcome.sum())
    if min(count, len(outcome) - count) < FEWEST_EVENTS:
        return replace(
            result, reason=f"{count:,} {event} among {len(outcome):,}: at least {FEWEST_EVENTS} "
            "are needed, and as many without",
        )  # fmt: skip
    try:
        model = fit_follow_back(
            values, outcome, initiator=rows["initiator_id"], decider=rows["decider_id"],
            confidence=confidence,
        )  # fmt: skip
    except CannotFitError:
        return replace(result, reason="too few dyads differ in what is compared")
    reason = _find_fault(model, str(values.columns[0]))
    if reason:
        return replace(result, reason=reason)
    slope = model.coefficients.set_index("term").loc[str(values.columns[0])]
    low, middle, high = (step * slope[name] for name in ("ci_low", "estimate", "ci_high"))
    return replace(
        result, estimate=float(middle), std_error=float(step * slope["std_error"]),
        odds_ratio=float(np.exp(middle)), ci_low=float(np.exp(low)), ci_high=float(np.exp(high)),
        p_value=float(slope["p_value"]), adjusted_for=", ".join(model.names[1:]),
    )  # fmt: skip


def _find_fault(model: FollowBackModel, contrast: str) -> str:
    """Return why the fit says nothing about its first feature; empty where it does."""
    if contrast not in model.names:
        dropped = model.dropped.set_index("feature")["reason"]
        return f"{contrast} was left out: {dropped[contrast]}"
    if model.penalty != "none":
        return "one feature alone (nearly) decides the outcome, so no odds ratio can be given"
    return _check_accounts(model.accounts, float(model.coefficients["std_error"].iloc[1]))


def _check_accounts(accounts: cov.Accounts, std_error: float) -> str:
    if accounts.effective_count < FEWEST_EFFECTIVE_ACCOUNTS:
        return (
            f"{accounts.effective_count:.0f} effective accounts: at least "
            f"{FEWEST_EFFECTIVE_ACCOUNTS} are needed"
        )
    return "" if std_error > 0 else "there are too few accounts for a robust error"


def add_difference(
    result: LandmarkResult,
    rows: pd.DataFrame,
    change: FloatArray,
    values: pd.DataFrame,
    confidence: float,
) -> LandmarkResult:
    """Add the least-squares slope of the first column, a flag, the others held equal."""
    if min(result.n_answered, result.n_unanswered) < FEWEST_EVENTS:
        return replace(
            result, reason=f"{result.n_answered:,} answered and {result.n_unanswered:,} unanswered "
            f"follows: at least {FEWEST_EVENTS} of each are needed",
        )  # fmt: skip
    if np.count_nonzero(change) < FEWEST_EVENTS:
        return replace(
            result, reason=f"contact changed in {np.count_nonzero(change):,} dyads: at least "
            f"{FEWEST_EVENTS} are needed",
        )  # fmt: skip
    names = [str(name) for name in values if np.ptp(values[name].to_numpy(float)) > 0]
    accounts = cov.code_accounts(rows["initiator_id"], rows["decider_id"])
    estimate, error = fit_line(values[names].to_numpy(float), change, accounts)
    reason = _check_accounts(accounts, error)
    if reason:
        return replace(result, reason=reason)
    freedom = accounts.degrees_of_freedom
    reach = float(stats.t.ppf((1 + confidence) / 2, freedom)) * error
    return replace(
        result, estimate=estimate, std_error=error, ci_low=estimate - reach,
        ci_high=estimate + reach, p_value=float(2 * stats.t.sf(abs(estimate / error), freedom)),
        adjusted_for=", ".join(names[1:]),
    )  # fmt: skip


def fit_line(values: FloatArray, y: FloatArray, accounts: cov.Accounts) -> tuple[float, float]:
    """Return the least-squares slope of the first column and its dyadic-robust error.

    The second derivatives of the squared error are 1 a row, where the logistic model has p(1 − p).
    """
    design = np.column_stack([np.ones(len(values)), values])
    beta = np.linalg.lstsq(design, y, rcond=None)[0]
    scores = design * (y - design @ beta)[:, None]
    matrix = cov.dyadic_cr3(design, np.ones(len(design)), scores, accounts)
    return float(beta[1]), float(np.sqrt(matrix[1, 1]))
