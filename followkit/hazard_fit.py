"""The sums behind the hazard regression, bin by bin, over dyads sorted by when they left.

A bin's risk set is a prefix of the sorted dyads, so that no row a dyad and bin is ever made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit import covariance as cov
from followkit.errors import CannotFitError, ParameterError
from followkit.grouped_errors import grouped_cr3
from followkit.incidence import estimate_incidence
from followkit.logit import expit

__all__ = ["HazardFit", "Link", "RiskSets", "make_risk_sets"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
FlagArray = npt.NDArray[np.bool_]
Link = Literal["cloglog", "logit"]

MOST_STEPS = 60
#: A standardised slope with such an error is not estimated but separated.
LARGEST_ERROR = 10.0


@dataclass(frozen=True)
class RiskSets:
    """Dyads sorted by the bin in which they left, the last first: those of a bin are a prefix.

    Attributes
    ----------
    order
        Rows in that order; `place` leads back.
    first, last
        Bin of entry and of leaving, sorted rows.
    begin, end
        Share of those bins' cumulative hazard that had passed at entry and on leaving.
    happened
        Whether the event ended it.
    counts
        Rows whose last bin is bin j or later.
    """

    order: IntArray
    place: IntArray
    first: IntArray
    last: IntArray
    begin: FloatArray
    end: FloatArray
    happened: FlagArray
    counts: IntArray

    def weights(self, number: int) -> tuple[FloatArray, IntArray]:
        """Return the share of a bin that each of its rows was at risk, and where events are."""
        count = self.counts[number]
        weight = np.ones(count)
        later = self.counts[number + 1] if number + 1 < len(self.counts) else 0
        weight[later:] = self.end[later:count]
        first = self.first[:count]
        weight -= np.where(first == number, self.begin[:count], 0.0)
        weight[first > number] = 0.0
        events = later + np.flatnonzero(self.happened[later:count])
        # An event is one, however much of its bin had passed.
        weight[events] = 1.0
        return np.maximum(weight, 0.0), events


def make_risk_sets(rows: pd.DataFrame, event: str, edges: FloatArray) -> RiskSets:
    """Return who is at risk in which bin, and for how much of it.

    Examples
    --------
    >>> rows = pd.DataFrame({"duration_days": [1.0, 2.0, 3.0],
    ...     "state": ["answered", "censored", "answered"]})
    >>> risk = make_risk_sets(rows, "answered", np.array([0.0, 1.0, 3.0]))
    >>> [risk.weights(number)[0].tolist() for number in (0, 1)]
    [[1.0, 1.0, 1.0], [0.0, 1.0]]
    """
    is_event = (rows["state"] == event).to_numpy(dtype=bool)
    if len(edges) < 2 or edges[0] != 0 or not (np.diff(edges) > 0).all():
        raise ParameterError("limits: at least two numbers are needed, rising from 0")
    marked = rows.assign(state=np.where(is_event, "answered", "censored"))
    found = estimate_incidence(marked, "censor")
    happened = is_event & (found.days <= edges[-1])
    days, entry = np.minimum(found.days, edges[-1]), np.maximum(found.entry, 0.0)
    last = np.clip(np.searchsorted(edges, days, side="left") - 1, 0, len(edges) - 2)
    first = np.clip(np.searchsorted(edges, entry, side="right") - 1, 0, len(edges) - 2)
    # Who enters after the last limit is never at risk within the bins.
    never = entry >= edges[-1]
    passed = np.r_[0.0, np.cumsum(found.answer_hazard)]
    at_edges = passed[np.searchsorted(found.times, edges, side="right")]
    at_edges[0] = 0.0
    shares = [_share_passed(found.times, passed, at_edges, moment, bins)
              for moment, bins in ((entry, first), (days, last))]  # fmt: skip
    shares[0][found.entry == -np.inf] = 0.0
    shares[1][never] = shares[0][never]
    order = np.argsort(-last, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    counts = np.array([int((last >= number).sum()) for number in range(len(edges) - 1)])
    return RiskSets(
        order, place, first[order], last[order], shares[0][order], shares[1][order],
        happened[order], counts,
    )  # fmt: skip


def _share_passed(
    times: FloatArray, passed: FloatArray, at_edges: FloatArray, moment: FloatArray, bins: IntArray
) -> FloatArray:
    """Return how much of its bin's cumulative hazard had passed at each moment, 0 to 1."""
    low, high = at_edges[bins], at_edges[bins + 1]
    reached = passed[np.searchsorted(times, moment, side="right")]
    length = high - low
    share = np.divide(reached - low, length, out=np.ones_like(low), where=length > 0)
    return np.clip(share, 0.0, 1.0)


# -- the fit -------------------------------------------------------------------------------------


class HazardFit:
    """Newton's method on (α, β), features standardised inside; all sums run bin by bin."""

    def __init__(self, risk: RiskSets, values: FloatArray, link: Link) -> None:
        self.risk, self.link = risk, link
        scale = values.std(axis=0)
        self.scale = np.where(scale > 0, scale, 1.0)
        self.mean = values.mean(axis=0)
        self.z = ((values - self.mean) / self.scale)[risk.order]
        events = [len(risk.weights(number)[1]) for number in range(len(risk.counts))]
        self.event_counts = np.array(events)
        #: Bins without event say α = −∞ and have no part in the sums.
        self.bins = np.flatnonzero(self.event_counts)
        self.step_count, self.log_likelihood = 0, -np.inf
        self.theta = np.r_[self._start(), np.zeros(values.shape[1])]

    def _start(self) -> FloatArray:
        exposed = np.array([self.risk.weights(number)[0].sum() for number in self.bins.tolist()])
        share = np.clip(self.event_counts[self.bins] / exposed, 1e-12, 1 - 1e-6)
        if self.link == "cloglog":
            return np.log(-np.log1p(-share))
        return np.log(share / (1 - share))

    def terms(self, theta: FloatArray) -> Iterator[tuple[int, FloatArray, FloatArray, float]]:
        """Yield per bin: its number, first and (negative) second derivatives a row, likelihood."""
        linear = self.z @ theta[len(self.bins) :]
        for place, number in enumerate(self.bins.tolist()):
            weight, events = self.risk.weights(number)
            eta = theta[place] + linear[: len(weight)]
            yield place, *_LINKS[self.link](eta, weight, events)

    def derivatives(self, theta: FloatArray) -> tuple[FloatArray, FloatArray, float]:
        """Return gradient, information and log likelihood."""
        size, total = len(self.bins), 0.0
        gradient, information = np.zeros(len(theta)), np.zeros((len(theta), len(theta)))
        first, second = np.zeros(len(self.z)), np.zeros(len(self.z))
        for place, slope, curve, likelihood in self.terms(theta):
            gradient[place], information[place, place] = slope.sum(), curve.sum()
            information[place, size:] = curve @ self.z[: len(curve)]
            first[: len(slope)] += slope
            second[: len(curve)] += curve
            total += likelihood
        information[size:, :size] = information[:size, size:].T
        information[size:, size:] = (self.z * second[:, None]).T @ self.z
        gradient[size:] = self.z.T @ first
        return gradient, information, total

    def solve(self, names: Sequence[str]) -> None:
        """Take Newton steps, halved until the likelihood does not fall; complain if none settles.

        Raises
        ------
        CannotFitError
            If a feature (nearly) decides when answers come.
        """
        gradient, information, reached = self.derivatives(self.theta)
        while self.step_count < MOST_STEPS:
            self.step_count += 1
            step = np.linalg.lstsq(information, gradient, rcond=None)[0]
            for _ in range(30):
                trial = self.derivatives(self.theta + step)
                if trial[2] >= reached - 1e-12 * abs(reached):
                    break
                step = step / 2
            self.theta = self.theta + step
            gradient, information, reached = trial
            if np.abs(step).max() < 1e-9:
                break
        self.log_likelihood, self.information = reached, information
        slopes = np.sqrt(np.diag(np.linalg.pinv(information, hermitian=True)))[len(self.bins) :]
        if np.abs(step).max() > 1e-6 or (slopes > LARGEST_ERROR).any():
            worst = names[int(slopes.argmax())] if len(names) else "the baseline"
            raise CannotFitError(
                f"{worst} alone (nearly) decides when the event comes, so that the likelihood has "
                "no finite maximum; leave it out, or take fewer features"
            )

    def covariance(self, kind: str, accounts: cov.Accounts) -> FloatArray:
        """Return the covariance of (α, β), brought back to raw units."""
        if kind == "classical":
            matrix = np.linalg.inv(self.information)
        else:
            scores, curves = self._per_dyad()
            # Dyads stand sorted here, and as they came in `accounts`.
            place = self.risk.place
            scores, curves, z = scores[place], curves[place], self.z[place]
            if kind == "dyadic":
                matrix = cov.dyadic(scores, self.information, accounts)
            else:
                parts = _Parts(curves, z)
                matrix = grouped_cr3(scores, self.information, parts, accounts)
        back = self._back()
        return np.asarray(back @ matrix @ back.T)

    def _back(self) -> FloatArray:
        """Return the map from standardised to raw parameters."""
        size = len(self.bins)
        back = np.diag(np.r_[np.ones(size), 1.0 / self.scale])
        back[:size, size:] = -self.mean / self.scale
        return back

    def raw(self) -> FloatArray:
        """Return (α, β) in raw units."""
        return np.asarray(self._back() @ self.theta)

    def _per_dyad(self) -> tuple[FloatArray, FloatArray]:
        size = len(self.bins)
        scores = np.zeros((len(self.z), size + self.z.shape[1]))
        curves = np.zeros((len(self.z), size))
        for place, slope, curve, _ in self.terms(self.theta):
            scores[: len(slope), place] = slope
            curves[: len(curve), place] = curve
        scores[:, size:] = self.z * scores[:, :size].sum(axis=1)[:, None]
        return scores, curves

    def baseline(self, edges: FloatArray) -> pd.DataFrame:
        """Return the bins with their raw intercepts."""
        alpha = np.full(len(edges) - 1, -np.inf)
        alpha[self.bins] = self.raw()[: len(self.bins)]
        at_risk = [int((self.risk.weights(number)[0] > 0).sum()) for number in range(len(alpha))]
        return pd.DataFrame(
            {"from_days": edges[:-1], "to_days": edges[1:], "at_risk": at_risk,
             "event_count": self.event_counts, "alpha": alpha}
        )  # fmt: skip


class _Parts:
    """A dyad's information [[diag c, c xᵀ], [x cᵀ, (Σ c) x xᵀ]], summed over groups of dyads."""

    def __init__(self, curves: FloatArray, z: FloatArray) -> None:
        self.curves, self.z = curves, z

    def __call__(self, dyads: IntArray, begins: IntArray) -> FloatArray:
        curves, z = self.curves[dyads], self.z[dyads]
        size, width = curves.shape[1], z.shape[1]
        parts = np.zeros((len(begins), size + width, size + width))
        own = np.arange(size)
        parts[:, own, own] = np.add.reduceat(curves, begins, axis=0)
        cross = np.add.reduceat(curves[:, :, None] * z[:, None, :], begins, axis=0)
        parts[:, :size, size:] = cross
        parts[:, size:, :size] = cross.transpose(0, 2, 1)
        weighted = z * curves.sum(axis=1)[:, None]
        inner = weighted[:, :, None] * z[:, None, :]
        parts[:, size:, size:] = np.add.reduceat(inner, begins, axis=0)
        return parts


def _cloglog_terms(
    eta: FloatArray, weight: FloatArray, events: IntArray
) -> tuple[FloatArray, FloatArray, float]:
    hazard = np.exp(np.clip(eta, -700.0, 30.0))
    slope, curve = -weight * hazard, weight * hazard
    m = hazard[events]
    ratio = m / np.expm1(m)
    slope[events] = ratio
    # ratio + m − 1 cancels for small m, where it is m / 2.
    curve[events] = np.where(m < 1e-5, m / 2, ratio * (ratio + m - 1))
    total = float(np.log(-np.expm1(-m)).sum() - weight @ hazard + hazard[events].sum())
    return slope, curve, total


def _logit_terms(
    eta: FloatArray, weight: FloatArray, events: IntArray
) -> tuple[FloatArray, FloatArray, float]:
    chance = expit(eta)
    slope, curve = -weight * chance, weight * chance * (1 - chance)
    slope[events] += 1.0
    total = float(eta[events].sum() - weight @ np.logaddexp(0.0, eta))
    return slope, curve, total


_LINKS = {"cloglog": _cloglog_terms, "logit": _logit_terms}
