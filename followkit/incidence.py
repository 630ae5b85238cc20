"""The share answered by each day where follows are watched for different times, and its error.

Cumulative incidence after Aalen & Johansen (1978), Scandinavian Journal of Statistics 5; where only
answers count as events it is one minus the estimate of Kaplan & Meier (1958),
doi:10.1080/01621459.1958.10501452. Errors come from one influence value a dyad, so that dyads that
share accounts may move together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from followkit import covariance as cov
from followkit.errors import CannotFitError, InputError, ParameterError, suggest

__all__ = [
    "STATES",
    "Errors",
    "Incidence",
    "Withdrawals",
    "check_choice",
    "check_waiting",
    "count_waiting",
    "estimate_incidence",
    "loglog_interval",
    "make_bins",
]

FloatArray = npt.NDArray[np.float64]
FlagArray = npt.NDArray[np.bool_]
Withdrawals = Literal["compete", "censor"]
Errors = Literal["dyadic", "greenwood"]

STATES = ("answered", "withdrawn", "deleted", "censored")
#: Answers that a bin needs, so that its hazard says something.
FEWEST_IN_BIN = 5
#: The first bin holds about this share of the answers that came at all later than at once.
FIRST_SHARE = 0.02


@dataclass(frozen=True)
class Incidence:
    """The estimate at every moment at which a dyad left the watch, and what its error needs.

    Attributes
    ----------
    days, entry
        Per dyad: when it left the watch, and when it entered (−∞: watched from t on).
    answered, ended
        Per dyad: whether it left answered, and whether it left by any event that counts.
    times
        The moments, rising; the next five are per moment.
    at_risk
        Dyads watched and still waiting just before it.
    surviving
        Share of dyads without event just before it.
    answer_hazard, hazard
        Answers, and events, over dyads at risk.
    incidence
        Cumulative incidence of answers, the moment included.
    ids
        initiator_id and decider_id per dyad, where they are known.
    """

    days: FloatArray
    entry: FloatArray
    answered: FlagArray
    ended: FlagArray
    times: FloatArray
    at_risk: FloatArray
    surviving: FloatArray
    answer_hazard: FloatArray
    hazard: FloatArray
    incidence: FloatArray
    ids: pd.DataFrame | None

    @cached_property
    def accounts(self) -> cov.Accounts:
        """The accounts of the dyads, for errors."""
        if self.ids is None:
            raise InputError(
                "waiting: initiator_id and decider_id are needed for errors; make the table with "
                "make_waiting"
            )
        return cov.code_accounts(self.ids["initiator_id"], self.ids["decider_id"])

    def share_at(self, day: Any) -> Any:
        """Return the share answered by a day, or by each of several."""
        return np.r_[0.0, self.incidence][np.searchsorted(self.times, day, side="right")]

    def influence(self, day: float) -> FloatArray:
        """Return how much each dyad moves the incidence at a day, times the number of dyads.

        The incidence is Σ S(u−) dΛ₁(u); a dyad moves each hazard by its martingale residual over
        the share at risk, directly through Λ₁ and through the survival S before u.
        """
        share = float(self.share_at(day))
        share_at_risk = self.at_risk / len(self.days)
        direct = self.surviving / share_at_risk
        remaining = share - self.incidence
        through = remaining / (share_at_risk * np.clip(1 - self.hazard, 1e-12, None))
        last = int(np.searchsorted(self.times, day, side="right")) - 1
        own = self._own_place
        is_past = own <= last
        first = np.where(is_past & self.answered, direct[own], 0.0)
        second = np.where(is_past & self.ended, through[own], 0.0)
        compensator = np.r_[0.0, np.cumsum(direct * self.answer_hazard - through * self.hazard)]
        stop = np.minimum(own, last) + 1
        begin = np.minimum(self._entry_place, stop)
        return np.asarray(first - second - (compensator[stop] - compensator[begin]))

    @cached_property
    def _own_place(self) -> npt.NDArray[np.int64]:
        return np.searchsorted(self.times, self.days)

    @cached_property
    def _entry_place(self) -> npt.NDArray[np.int64]:
        return np.searchsorted(self.times, self.entry, side="right")

    def error(self, day: float, errors: Errors) -> tuple[float, float]:
        """Return the standard error of the incidence at a day, and its degrees of freedom.

        With `greenwood` dyads count as independent: Greenwood's error, and Gaynor's where
        withdrawals compete; degrees of freedom are then infinite.
        """
        influence = self.influence(day)
        if errors == "greenwood":
            return float(np.sqrt((influence**2).sum()) / len(influence)), np.inf
        error = cov.dyadic_mean(influence, self.accounts)[1]
        return error, self.accounts.degrees_of_freedom


def estimate_incidence(waiting: pd.DataFrame, withdrawals: Withdrawals = "compete") -> Incidence:
    """Return the cumulative incidence of answers.

    Parameters
    ----------
    waiting
        duration_days and state, from `followkit.dyads.make_waiting`; entry_days where dyads
        entered the watch late; initiator_id and decider_id for errors.
    withdrawals
        compete: a withdrawn or deleted dyad can no longer be answered (Aalen–Johansen). censor: its
        wait counts as cut off, as if it could have been answered later (Kaplan–Meier).

    Raises
    ------
    InputError
        If a duration is missing, negative or infinite, or a state unknown: counts are given.

    Notes
    -----
    A late entry is at risk at moments after its entry, one watched from t on at day 0 too. Where
    only few are at risk early on, each of them weighs much in all that follows: look at `at_risk`.

    Examples
    --------
    >>> waiting = pd.DataFrame({"duration_days": [1.0, 2.0, 3.0, 4.0],
    ...     "state": ["answered", "withdrawn", "answered", "censored"]})
    >>> estimate_incidence(waiting).share_at([1, 3]).tolist()
    [0.25, 0.5]
    >>> estimate_incidence(waiting, "censor").share_at([1, 3]).tolist()
    [0.25, 0.625]
    """
    check_choice("withdrawals", withdrawals, ("compete", "censor"))
    days, entry = check_waiting(waiting)
    state = waiting["state"].to_numpy()
    answered = np.asarray(state == "answered", dtype=bool)
    ended = np.asarray(state != "censored", dtype=bool) if withdrawals == "compete" else answered
    times, place = np.unique(days, return_inverse=True)
    at_risk = count_waiting(days, entry, times).astype(np.float64)
    answer_hazard = np.bincount(place, weights=answered) / at_risk
    hazard = np.bincount(place, weights=ended) / at_risk
    surviving = np.r_[1.0, np.cumprod(1 - hazard)[:-1]]
    has_ids = {"initiator_id", "decider_id"} <= set(waiting.columns)
    ids = waiting[["initiator_id", "decider_id"]] if has_ids else None
    return Incidence(
        days, entry, answered, ended, times, at_risk, surviving, answer_hazard, hazard,
        np.cumsum(surviving * answer_hazard), ids,
    )  # fmt: skip


def check_waiting(waiting: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    """Return durations and entries in days (−∞: watched from t on), or say what is wrong.

    A duration of 0 is real: an answer in the same second, or a follow at the end of the watch.

    Examples
    --------
    >>> check_waiting(pd.DataFrame({"duration_days": [1.0, -1.0], "state": "answered"}))
    Traceback (most recent call last):
    followkit.errors.InputError: waiting: duration_days must be finite and not negative; of 2 rows,
    1 is negative, 0 infinite, 0 missing. Repair or leave out these rows.
    """
    lacking = [name for name in ("duration_days", "state") if name not in waiting]
    if lacking:
        raise InputError(
            f"waiting: {' and '.join(lacking)} required; make the table with make_waiting"
        )
    if waiting.empty:
        raise InputError("waiting: at least one follow is needed; got 0 rows")
    days = waiting["duration_days"].to_numpy(np.float64, na_value=np.nan)
    faults = [int(flag.sum()) for flag in (days < 0, np.isinf(days) & (days > 0), np.isnan(days))]
    if any(faults):
        raise InputError(
            f"waiting: duration_days must be finite and not negative; of {len(days):,} rows, "
            f"{faults[0]:,} {'is' if faults[0] == 1 else 'are'} negative, {faults[1]:,} infinite, "
            f"{faults[2]:,} missing. Repair or leave out these rows."
        )
    unknown = ~waiting["state"].isin(STATES).to_numpy(dtype=bool)
    if unknown.any():
        raise InputError(
            f"waiting: state must be one of {', '.join(STATES)}; {unknown.sum():,} of "
            f"{len(days):,} rows are not, first {waiting['state'][unknown].iloc[0]!r}"
        )
    return days, _check_entries(waiting, days)


def _check_entries(waiting: pd.DataFrame, days: FloatArray) -> FloatArray:
    if "entry_days" not in waiting:
        return np.full(len(days), -np.inf)
    entry = waiting["entry_days"].to_numpy(np.float64, na_value=np.nan)
    bad = ~((entry == 0) | ((entry > 0) & (entry < days)))
    if bad.any():
        raise InputError(
            f"waiting: entry_days must be 0, or lie between 0 and duration_days; {bad.sum():,} of "
            f"{len(days):,} rows do not. Who left before the watch began was never at risk."
        )
    return np.where(entry > 0, entry, -np.inf)


def count_waiting(days: FloatArray, entry: FloatArray, at: Any) -> npt.NDArray[np.int64]:
    """Return how many dyads are watched and still waiting just before each moment.

    Examples
    --------
    >>> count_waiting(np.array([1.0, 2.0, 2.0]), np.array([-np.inf, -np.inf, 1.0]), [0, 1, 2])
    array([2, 2, 2])
    """
    left = np.searchsorted(np.sort(days), at, side="left")
    still_out = len(entry) - np.searchsorted(np.sort(entry), at, side="left")
    return np.asarray(len(days) - left - still_out, dtype=np.int64)


def loglog_interval(
    share: float, error: float, degrees_of_freedom: float, confidence: float = 0.95
) -> tuple[float, float]:
    """Return a t interval for a cumulative share, made on the scale log(−log(1 − share)).

    Examples
    --------
    >>> low, high = loglog_interval(0.5, 0.1, np.inf)
    >>> round(low, 3), round(high, 3)
    (0.325, 0.705)
    """
    if not 0 < share < 1:
        return share, share
    reach = float(stats.t.ppf((1 + confidence) / 2, degrees_of_freedom))
    waiting = 1 - share
    step = reach * error / (waiting * -np.log(waiting))
    low, high = -np.expm1(np.log(waiting) * np.exp([-step, step]))
    return float(low), float(high)


def make_bins(
    waiting: pd.DataFrame,
    *,
    bin_count: int = 20,
    until_days: float | None = None,
    event: str = "answered",
) -> FloatArray:
    """Return limits of log-spaced bins of waiting time, each with at least 5 events.

    Most answers come within a day and some after a year, so equal bins would put nearly all answers
    into the first. The first bin ends where 2 % of the events that took any time have come; the
    others are spaced evenly in log time; bins with too few events are joined with the next.

    Parameters
    ----------
    waiting
        duration_days and state, from `make_waiting`.
    bin_count
        Bins at most, at least 1.
    until_days
        Where the last bin ends; at the last event without it.
    event
        The state that counts.

    Returns
    -------
    numpy.ndarray
        Rising limits, the first 0; bin j is (limit j, limit j + 1], the first with 0 included.

    Raises
    ------
    CannotFitError
        If no event lies within `until_days`.

    Examples
    --------
    >>> waiting = pd.DataFrame({"duration_days": 2.0 ** np.arange(20), "state": "answered"})
    >>> make_bins(waiting, bin_count=4).round(1).tolist()
    [0.0, 99.9, 7238.9, 524288.0]
    """
    days = check_waiting(waiting)[0]
    if bin_count < 1 or (until_days is not None and not 0 < until_days < np.inf):
        raise ParameterError(
            "bins: at least one bin and a positive number of days are needed; got bin_count "
            f"{bin_count}, until_days {until_days}"
        )
    happened = days[(waiting["state"] == event).to_numpy(dtype=bool)]
    last = float(until_days if until_days is not None else happened.max(initial=0.0))
    happened = happened[happened <= last]
    if not len(happened):
        raise CannotFitError(
            f"waiting: none of {len(days):,} follows was {event} within {last:g} days, so there "
            "are no bins to make"
        )
    slow = happened[happened > 0]
    if not len(slow):
        # All at once: one bin, of a length that does not matter.
        return np.array([0.0, last or 1.0])
    first = float(np.quantile(slow, FIRST_SHARE))
    limits = np.geomspace(first, last, bin_count) if first < last else np.array([last])
    limits[-1] = last
    return _join_bins(np.r_[0.0, limits], happened)


def _join_bins(limits: FloatArray, happened: FloatArray) -> FloatArray:
    """Take away limits until every bin holds enough events, from the left."""
    places = np.searchsorted(np.sort(happened), limits[1:], side="right")
    kept: list[int] = []
    reached = 0
    for place, seen in enumerate(places):
        if seen - reached >= FEWEST_IN_BIN:
            kept.append(place)
            reached = int(seen)
    # What is left over at the end belongs to the last bin.
    kept = [*kept[:-1], len(places) - 1]
    return np.r_[limits[0], limits[1:][kept]]


def check_choice(argument: str, value: str, valid: Sequence[str]) -> None:
    """Refuse a value that is not among the valid ones.

    Examples
    --------
    >>> check_choice("errors", "greenwod", ("dyadic", "greenwood"))
    Traceback (most recent call last):
    followkit.errors.ParameterError: errors: 'greenwod' is unknown; did you mean greenwood?
    (valid: dyadic, greenwood)
    """
    if value not in valid:
        raise ParameterError(f"{argument}: {value!r} is unknown; {suggest(value, valid)}")
