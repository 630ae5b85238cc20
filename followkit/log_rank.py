"""Do some groups wait longer? The log-rank test, classical and dyadic-robust."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from followkit import covariance as cov
from followkit.errors import CannotFitError
from followkit.incidence import check_waiting, count_waiting
from followkit.latency import split_groups

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LogRank:
    """A comparison of waits between groups.

    Attributes
    ----------
    statistic, degrees_of_freedom, p_value
        The classical χ², as if dyads were independent.
    robust_statistic, robust_p_value
        The same differences over their dyadic-robust covariance, F with effective accounts less one
        degrees of freedom below.
    table
        group, n, answered, expected: answers had all groups answered at the pooled pace.
    """

    statistic: float
    degrees_of_freedom: int
    p_value: float
    robust_statistic: float
    robust_p_value: float
    table: pd.DataFrame


def log_rank(waiting: pd.DataFrame, by: Any) -> LogRank:
    """Test whether all groups are answered at the same pace; a withdrawal cuts the wait off.

    With O_g answers of a group and E_g those expected, Σ d(u) n_g(u) / n(u) over the moments u of
    answers, the statistic is (O − E)ᵀ V⁻ (O − E), V hypergeometric (Mantel 1966; Peto & Peto 1972,
    doi:10.2307/2344317). In the robust form V is the dyadic covariance of the sums of the dyads'
    own parts of O − E, the score of Cox's model where nothing differs (Lin & Wei 1989,
    doi:10.1080/01621459.1989.10478874).

    Parameters
    ----------
    waiting
        initiator_id, decider_id, duration_days, state (and entry_days) from `make_waiting`.
    by
        Groups, one a row, or the name of a column.

    Returns
    -------
    LogRank

    Raises
    ------
    CannotFitError
        If there is only one group, or nobody answered.

    Examples
    --------
    >>> waiting = pd.DataFrame({"initiator_id": list("abcd"), "decider_id": list("efgh"),
    ...     "duration_days": [1.0, 2.0, 3.0, 4.0], "state": "answered"})
    >>> round(log_rank(waiting, ["slow", "quick", "quick", "slow"]).statistic, 3)
    0.154
    """
    days, entry = check_waiting(waiting)
    names = [name for name, _ in split_groups(waiting, by)]
    values = waiting[by].to_numpy() if isinstance(by, str) else np.asarray(by)
    answered = (waiting["state"] == "answered").to_numpy(dtype=bool)
    if len(names) < 2 or not answered.any():
        raise CannotFitError(
            f"log_rank: at least two groups and one answer are needed; got {len(names)} groups and "
            f"{answered.sum():,} answers"
        )
    member = np.stack([values == name for name in names]).astype(np.float64)
    times = np.unique(days[answered])
    deaths = np.unique(days[answered], return_counts=True)[1].astype(np.float64)
    at_risk = np.stack(
        [count_waiting(days[rows], entry[rows], times) for rows in member.astype(bool)]
    )
    share = at_risk / at_risk.sum(axis=0)
    expected = share @ deaths
    difference = (member @ answered - expected)[:-1]
    classical = _hypergeometric(share, deaths, at_risk.sum(axis=0))[:-1, :-1]
    parts = _split_difference(days, entry, answered, member, times, share, deaths)[:, :-1]
    accounts = cov.code_accounts(waiting["initiator_id"], waiting["decider_id"])
    freedom = len(names) - 1
    statistic = _wald(difference, classical)
    robust = _wald(difference, _dyadic_sums(parts, accounts))
    table = pd.DataFrame({"group": names, "n": member.sum(axis=1).astype(int),
                          "answered": (member @ answered).astype(int),
                          "expected": expected})  # fmt: skip
    return LogRank(
        statistic, freedom, float(stats.chi2.sf(statistic, freedom)), robust,
        float(stats.f.sf(robust / freedom, freedom, accounts.degrees_of_freedom)), table,
    )  # fmt: skip


def _hypergeometric(share: FloatArray, deaths: FloatArray, total: FloatArray) -> FloatArray:
    # The last dyad at risk has no variance left.
    weight = np.where(total > 1, deaths * (total - deaths) / np.maximum(total - 1, 1), 0.0)
    return np.diag(share @ weight) - (share * weight) @ share.T


def _split_difference(
    days: FloatArray,
    entry: FloatArray,
    answered: npt.NDArray[np.bool_],
    member: FloatArray,
    times: FloatArray,
    share: FloatArray,
    deaths: FloatArray,
) -> FloatArray:
    """Return each dyad's part of O − E of every group: what it did less what it had to expect."""
    hazard = deaths / _count_pool(days, entry, times)
    own = np.searchsorted(times, days, side="right")
    begin = np.minimum(np.searchsorted(times, entry, side="right"), own)
    passed = np.r_[0.0, np.cumsum(hazard)]
    shared = np.column_stack([np.zeros(len(share)), np.cumsum(share * hazard, axis=1)])
    compensator = member * (passed[own] - passed[begin]) - (shared[:, own] - shared[:, begin])
    at_answer = np.where(answered, member - share[:, np.maximum(own - 1, 0)], 0.0)
    return np.asarray(at_answer - compensator).T


def _count_pool(days: FloatArray, entry: FloatArray, times: FloatArray) -> FloatArray:
    return count_waiting(days, entry, times).astype(np.float64)


def _dyadic_sums(parts: FloatArray, accounts: cov.Accounts) -> FloatArray:
    """Return the dyadic-robust covariance of column sums, from variances of sums of two columns."""
    count = parts.shape[1]
    variance = np.empty((count, count))
    for one in range(count):
        variance[one, one] = _variance(parts[:, one], accounts)
    for one in range(count):
        for two in range(one):
            both = _variance(parts[:, one] + parts[:, two], accounts)
            shared = (both - variance[one, one] - variance[two, two]) / 2
            variance[one, two] = variance[two, one] = shared
    return variance


def _variance(values: FloatArray, accounts: cov.Accounts) -> float:
    """Return the dyadic-robust variance of a sum whose expectation is 0.

    Parts are not centred on their mean: in a score test the mean is what is tested.
    """
    count = len(values)
    one = np.ones(count)
    of_mean = cov.dyadic_cr3(one[:, None], one, values[:, None], accounts)[0, 0]
    independent = float((values**2).sum())
    # Clipped to 0 where dyads of one account disagree more than by chance; see dyadic_mean.
    found = float(of_mean) * count**2
    return found if found > 1e-9 * independent else independent


def _wald(difference: FloatArray, covariance: FloatArray) -> float:
    return float(difference @ np.linalg.pinv(covariance, hermitian=True) @ difference)
