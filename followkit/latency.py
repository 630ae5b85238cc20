"""Time to follow-back: the share answered within so many days, when some are watched only briefly.

Cumulative incidence after Aalen & Johansen (1978): a withdrawn follow can no longer be answered, so
withdrawal competes with the answer. Where withdrawals cannot be seen it is one minus Kaplan–Meier.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit import covariance as cov

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Steps:
    """The estimate at every moment at which something happened, and what its influence needs."""

    times: FloatArray
    at_risk: FloatArray
    surviving: FloatArray
    answer_hazard: FloatArray
    hazard: FloatArray
    incidence: FloatArray


def follow_back_curve(
    waiting: pd.DataFrame,
    *,
    until_days: float | None = None,
    point_count: int = 41,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return the share of follows answered within so many days.

    Parameters
    ----------
    waiting
        From `followkit.dyads.make_waiting`: initiator_id, decider_id, duration_days and state
        (answered, withdrawn, censored).
    until_days
        The last day shown; the longest observation without it.
    point_count
        Points between day 0 and the last.
    confidence
        Of the pointwise intervals: dyadic-robust from influence values, on the logit scale.

    Returns
    -------
    pandas.DataFrame
        duration_days, incidence (cumulative incidence of answers), ci_low, ci_high, at_risk
        (follows still waiting and watched on that day).

    Examples
    --------
    >>> waiting = pd.DataFrame({"initiator_id": list("abcd"), "decider_id": list("efgh"),
    ...     "duration_days": [1.0, 2.0, 2.0, 4.0],
    ...     "state": ["answered", "answered", "censored", "answered"]})
    >>> curve = follow_back_curve(waiting, point_count=5)
    >>> curve["incidence"].tolist(), curve["at_risk"].tolist()
    ([0.0, 0.25, 0.5, 0.5, 1.0], [4, 4, 3, 1, 1])
    """
    days = waiting["duration_days"].to_numpy(float)
    answered = (waiting["state"] == "answered").to_numpy()
    ended = (waiting["state"] != "censored").to_numpy()
    last = float(days.max()) if until_days is None else float(until_days)
    grid = np.linspace(0, last, point_count)
    steps = _make_steps(days, answered, ended)
    place = np.searchsorted(steps.times, grid, side="right") - 1
    incidence = np.where(place >= 0, steps.incidence[place], 0.0)
    accounts = cov.code_accounts(waiting["initiator_id"], waiting["decider_id"])
    limits = [
        _interval(steps, days, answered, ended, day, share, accounts, confidence)
        for day, share in zip(grid, incidence, strict=True)
    ]
    at_risk = len(days) - np.searchsorted(np.sort(days), grid, side="left")
    low, high = np.transpose(limits)
    return pd.DataFrame(
        {"duration_days": grid, "incidence": incidence, "ci_low": low, "ci_high": high,
         "at_risk": at_risk}
    )  # fmt: skip


def median_days(waiting: pd.DataFrame) -> float:
    """Return the day by which half of all follows were answered; NaN where that was not reached.

    Examples
    --------
    >>> waiting = pd.DataFrame({"duration_days": [1.0, 2.0, 3.0], "state": ["answered"] * 3})
    >>> median_days(waiting)
    2.0
    """
    answered = (waiting["state"] == "answered").to_numpy()
    ended = (waiting["state"] != "censored").to_numpy()
    steps = _make_steps(waiting["duration_days"].to_numpy(float), answered, ended)
    reached = np.flatnonzero(steps.incidence >= 0.5 - 1e-12)
    return float(steps.times[reached[0]]) if len(reached) else np.nan


def _make_steps(
    days: FloatArray, answered: npt.NDArray[np.bool_], ended: npt.NDArray[np.bool_]
) -> _Steps:
    times, place = np.unique(days, return_inverse=True)
    leaving = np.bincount(place)
    at_risk = (len(days) - np.r_[0, np.cumsum(leaving)[:-1]]).astype(float)
    answer_hazard = np.bincount(place, weights=answered) / at_risk
    hazard = np.bincount(place, weights=ended) / at_risk
    surviving = np.r_[1.0, np.cumprod(1 - hazard)[:-1]]
    incidence = np.cumsum(surviving * answer_hazard)
    return _Steps(times, at_risk, surviving, answer_hazard, hazard, incidence)


def _interval(
    steps: _Steps,
    days: FloatArray,
    answered: npt.NDArray[np.bool_],
    ended: npt.NDArray[np.bool_],
    day: float,
    share: float,
    accounts: cov.Accounts,
    confidence: float,
) -> tuple[float, float]:
    if not 0 < share < 1:
        return share, share
    influence = _influence(steps, days, answered, ended, day, share)
    error = cov.dyadic_mean(influence, accounts)[1]
    return cov.logit_interval(share, error, accounts.degrees_of_freedom, confidence)


def _influence(
    steps: _Steps,
    days: FloatArray,
    answered: npt.NDArray[np.bool_],
    ended: npt.NDArray[np.bool_],
    day: float,
    share: float,
) -> FloatArray:
    """Return how much each dyad moves the incidence at a day, times the number of dyads.

    The incidence is Σ S(u−) dΛ₁(u); a dyad moves each hazard by its martingale residual over the
    share at risk, directly through Λ₁ and through the survival S before u.
    """
    share_at_risk = steps.at_risk / len(days)
    direct = steps.surviving / share_at_risk
    through = 1.0 / (share_at_risk * np.clip(1 - steps.hazard, 1e-12, None))
    own = np.searchsorted(steps.times, days)
    last = np.searchsorted(steps.times, day, side="right") - 1
    stop = np.minimum(own, last)
    is_past = own <= last
    expected = np.cumsum(direct * steps.answer_hazard)[stop]
    first = np.where(is_past & answered, direct[own], 0.0) - expected
    remaining = share - steps.incidence
    lost = np.cumsum(through * steps.hazard * remaining)[stop]
    second = np.where(is_past & ended, through[own] * remaining[own], 0.0) - lost
    return first - second
