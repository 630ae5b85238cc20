"""Time to follow-back: the share answered within so many days, when some are watched only briefly.

Two estimates, never mixed: `follow_back_curve` lets withdrawals compete with the answer
(Aalen–Johansen) and says what does happen; `survival_curve` counts them as cut off (Kaplan–Meier)
and says how long an answer would take if nobody ever withdrew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from followkit import covariance as cov
from followkit.errors import InputError, ParameterError
from followkit.incidence import (
    Errors,
    Incidence,
    Withdrawals,
    check_choice,
    check_waiting,
    count_waiting,
    estimate_incidence,
    loglog_interval,
)

__all__ = [
    "LatencySummary",
    "answer_quantiles",
    "at_risk_table",
    "cause_specific_hazards",
    "follow_back_curve",
    "median_days",
    "split_groups",
    "summarise_latency",
    "survival_curve",
]

FloatArray = npt.NDArray[np.float64]


def follow_back_curve(
    waiting: pd.DataFrame,
    *,
    until_days: float | None = None,
    point_count: int = 41,
    days: Sequence[float] | FloatArray | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return the share of follows answered within so many days.

    Parameters
    ----------
    waiting
        From `followkit.dyads.make_waiting`: initiator_id, decider_id, duration_days and state
        (answered, withdrawn, deleted, censored); entry_days where the watch began late.
    until_days
        The last day shown; the longest observation without it.
    point_count
        Points between day 0 and the last, evenly spaced.
    days
        The days themselves, in place of both.
    confidence
        Of the pointwise intervals: dyadic-robust from influence values, on the logit scale.

    Returns
    -------
    pandas.DataFrame
        duration_days, incidence (cumulative incidence of answers), ci_low, ci_high, at_risk
        (follows still waiting and watched on that day).

    Raises
    ------
    InputError
        If there is no row, or a duration is negative, missing or infinite.

    Examples
    --------
    >>> waiting = pd.DataFrame({"initiator_id": list("abcd"), "decider_id": list("efgh"),
    ...     "duration_days": [1.0, 2.0, 2.0, 4.0],
    ...     "state": ["answered", "answered", "censored", "answered"]})
    >>> curve = follow_back_curve(waiting, point_count=5)
    >>> curve["incidence"].tolist(), curve["at_risk"].tolist()
    ([0.0, 0.25, 0.5, 0.5, 1.0], [4, 4, 3, 1, 1])
    """
    found = estimate_incidence(waiting)
    grid = _make_grid(found, until_days, point_count, days)
    shares = found.share_at(grid)
    limits = [_logit_interval(found, day, share, confidence)
              for day, share in zip(grid, shares, strict=True)]  # fmt: skip
    low, high = np.transpose(limits)
    at_risk = count_waiting(found.days, found.entry, grid)
    return pd.DataFrame(
        {"duration_days": grid, "incidence": shares, "ci_low": low, "ci_high": high,
         "at_risk": at_risk}
    )  # fmt: skip


def survival_curve(
    waiting: pd.DataFrame,
    *,
    by: Any = None,
    until_days: float | None = None,
    point_count: int = 41,
    days: Sequence[float] | FloatArray | None = None,
    errors: Errors = "dyadic",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return the share of follows still unanswered after so many days (Kaplan–Meier).

    A withdrawal cuts the wait off like the end of the watch, as if the follow could have been
    answered later; where follows are withdrawn, one minus this curve is more than what is answered
    (see `follow_back_curve`).

    Parameters
    ----------
    waiting
        As in `follow_back_curve`.
    by
        Groups, one a row, or the name of a column; all rows are one group without it.
    until_days, point_count, days
        As in `follow_back_curve`; the same days for all groups.
    errors
        dyadic: all dyads sharing an account may move together. greenwood: as if dyads were
        independent (Greenwood's formula, normal quantiles).
    confidence
        Of the pointwise intervals, on the scale log(−log S).

    Returns
    -------
    pandas.DataFrame
        group (only with `by`), duration_days, unanswered (0 to 1), ci_low, ci_high, at_risk.

    Examples
    --------
    >>> waiting = pd.DataFrame({"initiator_id": list("abcd"), "decider_id": list("efgh"),
    ...     "duration_days": [1.0, 2.0, 3.0, 4.0],
    ...     "state": ["answered", "withdrawn", "answered", "censored"]})
    >>> curve = survival_curve(waiting, days=[0, 1, 3])
    >>> curve["unanswered"].tolist()
    [1.0, 0.75, 0.375]
    """
    check_choice("errors", errors, ("dyadic", "greenwood"))
    check_waiting(waiting)
    parts = []
    for name, rows in split_groups(waiting, by):
        found = estimate_incidence(rows, "censor")
        grid = _make_grid(found, until_days, point_count, days)
        curve = _survival(found, grid, errors, confidence)
        if by is not None:
            curve.insert(0, "group", name)
        parts.append(curve)
    return pd.concat(parts, ignore_index=True)


def at_risk_table(waiting: pd.DataFrame, days: Sequence[float] | FloatArray) -> pd.DataFrame:
    """Return what had become of the follows by each day.

    Returns
    -------
    pandas.DataFrame
        duration_days; at_risk (watched and still waiting just before that day); answered, withdrawn
        (or deleted) and censored up to that day, it included.

    Examples
    --------
    >>> waiting = pd.DataFrame({"duration_days": [1.0, 2.0, 3.0],
    ...     "state": ["answered", "censored", "withdrawn"]})
    >>> at_risk_table(waiting, [0, 2]).values.tolist()
    [[0.0, 3.0, 0.0, 0.0, 0.0], [2.0, 2.0, 1.0, 0.0, 1.0]]
    """
    durations, entry = check_waiting(waiting)
    grid = np.asarray(days, dtype=np.float64)
    columns = {"duration_days": grid, "at_risk": count_waiting(durations, entry, grid)}
    groups = {"answered": ("answered",), "withdrawn": ("withdrawn", "deleted"),
              "censored": ("censored",)}  # fmt: skip
    for name, states in groups.items():
        gone = np.sort(durations[waiting["state"].isin(states).to_numpy(dtype=bool)])
        columns[name] = np.searchsorted(gone, grid, side="right")
    return pd.DataFrame(columns)


def answer_quantiles(
    waiting: pd.DataFrame,
    shares: Sequence[float] = (0.25, 0.5, 0.75),
    *,
    withdrawals: Withdrawals = "compete",
    errors: Errors = "dyadic",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return the day by which a share of all follows was answered, with intervals.

    The limits are the first days at which the pointwise interval of the curve, on the scale
    log(−log S), reaches the share (Brookmeyer & Crowley 1982, doi:10.2307/2530286). They are looked
    for by bisection over the days on which follows were answered, since both limits rise with time.

    Parameters
    ----------
    waiting, errors, confidence
        As in `survival_curve`.
    shares
        Each between 0 and 1.
    withdrawals
        compete: the curve of `follow_back_curve`. censor: that of `survival_curve`.

    Returns
    -------
    pandas.DataFrame
        share, duration_days, ci_low, ci_high; missing where the curve, or its limit, does not get
        that far within the watch ("not reached").

    Examples
    --------
    >>> waiting = pd.DataFrame({"initiator_id": list("abcd"), "decider_id": list("efgh"),
    ...     "duration_days": [1.0, 2.0, 3.0, 4.0], "state": ["answered"] * 3 + ["censored"]})
    >>> answer_quantiles(waiting, [0.5, 0.9])[["share", "duration_days"]].values.tolist()
    [[0.5, 2.0], [0.9, nan]]
    """
    check_choice("errors", errors, ("dyadic", "greenwood"))
    if not all(0 < share < 1 for share in shares):
        raise ParameterError(f"shares: each must lie between 0 and 1; got {list(shares)}")
    found = estimate_incidence(waiting, withdrawals)
    moments = found.times[found.answer_hazard > 0]
    rows = []
    for share in shares:
        limits = [_find_limit(found, moments, share, errors, confidence, side) for side in (1, 0)]
        rows.append((share, _first_day(found, share), *limits))
    return pd.DataFrame(rows, columns=["share", "duration_days", "ci_low", "ci_high"])


def median_days(waiting: pd.DataFrame) -> float:
    """Return the day by which half of all follows were answered; NaN where that was not reached.

    Examples
    --------
    >>> waiting = pd.DataFrame({"duration_days": [1.0, 2.0, 3.0], "state": ["answered"] * 3})
    >>> median_days(waiting)
    2.0
    """
    return _first_day(estimate_incidence(waiting), 0.5)


def cause_specific_hazards(
    waiting: pd.DataFrame, limits: Sequence[float] | FloatArray, *, confidence: float = 0.95
) -> pd.DataFrame:
    """Return how fast follows are answered, and withdrawn, at each age: events per day at risk.

    Parameters
    ----------
    waiting
        As in `follow_back_curve`.
    limits
        Of the bins, rising from 0: `followkit.incidence.make_bins(waiting)`.
    confidence
        Of the intervals: dyadic-robust, on the log scale.

    Returns
    -------
    pandas.DataFrame
        One row a bin: from_days, to_days, at_risk (waiting at its begin, or entering within it),
        risk_days (days that they were watched and waiting within it, summed), answered, withdrawn
        (or deleted), answers_per_day = answered / risk_days with ci_low and ci_high (missing where
        none came), withdrawals_per_day = withdrawn / risk_days.

    Examples
    --------
    >>> waiting = pd.DataFrame({"initiator_id": list("abcd"), "decider_id": list("efgh"),
    ...     "duration_days": [1.0, 2.0, 3.0, 4.0],
    ...     "state": ["answered", "withdrawn", "answered", "censored"]})
    >>> table = cause_specific_hazards(waiting, [0, 2, 4])
    >>> table[["risk_days", "answered", "withdrawn"]].values.tolist()
    [[7.0, 1.0, 1.0], [3.0, 1.0, 0.0]]
    """
    edges = np.asarray(limits, dtype=np.float64)
    if len(edges) < 2 or edges[0] != 0 or not (np.diff(edges) > 0).all():
        raise ParameterError(
            f"limits: at least two are needed, rising from 0; got {edges[:4].tolist()}"
        )
    found = estimate_incidence(waiting)
    left = found.ended & ~found.answered
    rows = [_count_bin(found, left, low, high, confidence)
            for low, high in pairwise(edges)]  # fmt: skip
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class LatencySummary:
    """How long answers take, in numbers.

    Attributes
    ----------
    dyad_count, answered_count, censored_count, withdrawn_count
        Follows; those answered while watched; those no longer watched before anything happened;
        those withdrawn, or whose decider was deleted, first.
    answered_share
        answered_count / dyad_count: too low where many were watched only briefly.
    same_moment_count
        Answers after 0 days.
    median_answered_days
        Median over the answered only: the speed of those who did answer.
    median_days, median_low, median_high
        Day by which half of *all* follows were answered, and its interval; missing: not reached.
    longest_days
        The longest watch.
    """

    dyad_count: int
    answered_count: int
    censored_count: int
    withdrawn_count: int
    answered_share: float
    same_moment_count: int
    median_answered_days: float
    median_days: float
    median_low: float
    median_high: float
    longest_days: float


def summarise_latency(waiting: pd.DataFrame, *, confidence: float = 0.95) -> LatencySummary:
    """Return the medians that are easily taken for one another, and what they rest on.

    The median over the answered leaves out everybody who never answered, so it is far shorter than
    the day by which half of all follows were answered.

    Examples
    --------
    >>> waiting = pd.DataFrame({"initiator_id": list("abcde"), "decider_id": list("fghij"),
    ...     "duration_days": [1.0, 2.0, 9.0, 30.0, 30.0],
    ...     "state": ["answered"] * 3 + ["censored"] * 2})
    >>> summary = summarise_latency(waiting)
    >>> summary.median_answered_days, summary.median_days
    (2.0, 9.0)
    """
    days, _ = check_waiting(waiting)
    states = waiting["state"].value_counts()
    answered = (waiting["state"] == "answered").to_numpy(dtype=bool)
    middle = answer_quantiles(waiting, [0.5], confidence=confidence).iloc[0]
    return LatencySummary(
        dyad_count=len(days),
        answered_count=int(answered.sum()),
        censored_count=int(states.get("censored", 0)),
        withdrawn_count=int(states.get("withdrawn", 0) + states.get("deleted", 0)),
        answered_share=float(answered.mean()),
        same_moment_count=int((days[answered] == 0).sum()),
        median_answered_days=float(np.median(days[answered])) if answered.any() else np.nan,
        median_days=float(middle["duration_days"]),
        median_low=float(middle["ci_low"]),
        median_high=float(middle["ci_high"]),
        longest_days=float(days.max()),
    )


def split_groups(waiting: pd.DataFrame, by: Any) -> list[tuple[Any, pd.DataFrame]]:
    """Return (group, rows) by a column or by values, one a row; the groups in sorted order.

    Examples
    --------
    >>> rows = pd.DataFrame({"duration_days": [1.0, 2.0], "side": ["b", "a"]})
    >>> [(name, len(part)) for name, part in split_groups(rows, "side")]
    [('a', 1), ('b', 1)]
    """
    if by is None:
        return [("", waiting)]
    if isinstance(by, str) and by not in waiting:
        raise ParameterError(f"by: there is no column {by!r}; give one, or a value for each row")
    values = waiting[by].to_numpy() if isinstance(by, str) else np.asarray(by)
    if len(values) != len(waiting):
        raise InputError(f"by: {len(waiting):,} rows need as many groups; got {len(values):,}")
    if pd.isna(values).any():
        raise InputError(f"by: {int(pd.isna(values).sum()):,} rows have no group; leave them out")
    return [(name, waiting[values == name]) for name in sorted(set(values.tolist()))]


def _make_grid(
    found: Incidence, until_days: float | None, point_count: int, days: Any
) -> FloatArray:
    if days is not None:
        return np.asarray(days, dtype=np.float64)
    last = float(found.days.max()) if until_days is None else float(until_days)
    return np.linspace(0, last, point_count)


def _logit_interval(
    found: Incidence, day: float, share: float, confidence: float
) -> tuple[float, float]:
    if not 0 < share < 1:
        return share, share
    error, freedom = found.error(day, "dyadic")
    return cov.logit_interval(share, error, freedom, confidence)


def _survival(
    found: Incidence, grid: FloatArray, errors: Errors, confidence: float
) -> pd.DataFrame:
    shares = found.share_at(grid)
    limits = [_limits(found, day, errors, confidence) for day in grid]
    low, high = np.transpose(limits)
    return pd.DataFrame(
        {"duration_days": grid, "unanswered": 1 - shares, "ci_low": 1 - high, "ci_high": 1 - low,
         "at_risk": count_waiting(found.days, found.entry, grid)}
    )  # fmt: skip


def _limits(found: Incidence, day: float, errors: Errors, confidence: float) -> tuple[float, float]:
    share = float(found.share_at(day))
    if not 0 < share < 1:
        return share, share
    return loglog_interval(share, *found.error(day, errors), confidence)


def _first_day(found: Incidence, share: float) -> float:
    reached = np.flatnonzero(found.incidence >= share - 1e-12)
    return float(found.times[reached[0]]) if len(reached) else np.nan


def _find_limit(
    found: Incidence,
    moments: FloatArray,
    share: float,
    errors: Errors,
    confidence: float,
    side: int,
) -> float:
    """Return the first moment at which one limit of the curve reaches a share."""
    low, high = 0, len(moments)
    while low < high:
        middle = (low + high) // 2
        if _limits(found, float(moments[middle]), errors, confidence)[side] >= share - 1e-12:
            high = middle
        else:
            low = middle + 1
    return float(moments[low]) if low < len(moments) else np.nan


def _count_bin(
    found: Incidence, left: npt.NDArray[np.bool_], low: float, high: float, confidence: float
) -> dict[str, float]:
    from_ = np.where(low > 0, low, -1.0)
    inside = (found.days > from_) & (found.days <= high)
    begin = np.maximum(found.entry, low)
    risk = np.clip(np.minimum(found.days, high) - begin, 0, None)
    answered, gone = inside & found.answered, inside & left
    total = float(risk.sum())
    row = {
        "from_days": low, "to_days": high,
        "at_risk": int(((found.days > from_) & (found.entry < high)).sum()), "risk_days": total,
        "answered": int(answered.sum()), "withdrawn": int(gone.sum()),
    }  # fmt: skip
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = float(np.float64(answered.sum()) / total)
        row |= {"answers_per_day": rate, "ci_low": np.nan, "ci_high": np.nan,
                "withdrawals_per_day": float(np.float64(gone.sum()) / total)}  # fmt: skip
    if 0 < rate < np.inf:
        error = cov.dyadic_mean((answered - rate * risk) / risk.mean(), found.accounts)[1]
        reach = stats.t.ppf((1 + confidence) / 2, found.accounts.degrees_of_freedom)
        row |= {"ci_low": rate * float(np.exp(-reach * error / rate)),
                "ci_high": rate * float(np.exp(reach * error / rate))}  # fmt: skip
    return row
