"""Three measures of reciprocity, each with its own name, never mixed.

`edge_reciprocity` and `dyad_reciprocity` describe the ties that stand; `follow_back_rate` says how
many follows are answered within a horizon. With M mutual pairs and A one-way ties they differ even
on the same graph: 2M / (2M + A) of the ties, but M / (M + A) of the connected pairs, are mutual.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from followkit.dyads import make_dyads, make_waiting
from followkit.errors import InputError, ParameterError
from followkit.latency import follow_back_curve
from followkit.observation import sees_unfollows
from followkit.tables import Dataset


@dataclass(frozen=True)
class TieCounts:
    """Mutual pairs and one-way ties.

    Attributes
    ----------
    mutual_pair_count
        Pairs of accounts that follow each other (M).
    one_way_count
        Ties without a reverse (A).
    """

    mutual_pair_count: int
    one_way_count: int


@dataclass(frozen=True)
class FollowBackRate:
    """The share of follows answered within a horizon.

    Attributes
    ----------
    rate, ci_low, ci_high
        Cumulative incidence at the horizon (0 to 1), and its dyadic-robust interval.
    horizon_days
        The horizon in days.
    dyad_count, at_risk_count
        Follows that were watched at all, and follows still waiting and watched at the horizon.
    method
        Aalen–Johansen; Kaplan–Meier where withdrawals can never be seen.
    note
        What the rate holds for, where that has to be said; else "".
    """

    rate: float
    ci_low: float
    ci_high: float
    horizon_days: float
    dyad_count: int
    at_risk_count: int
    method: str
    note: str


def count_ties(data: Dataset | pd.DataFrame) -> TieCounts:
    """Count mutual pairs and one-way ties among the ties that stand.

    Parameters
    ----------
    data
        A dataset (its ties as `make_dyads(data, "mutuality")` counts them) or a frame with
        follower_id and followee_id; self-follows and repeated ties of a frame are ignored.

    Returns
    -------
    TieCounts

    Raises
    ------
    InputError
        If no tie is left.

    Examples
    --------
    >>> ties = pd.DataFrame({"follower_id": ["a", "b", "c"], "followee_id": ["b", "a", "a"]})
    >>> count_ties(ties)
    TieCounts(mutual_pair_count=1, one_way_count=1)
    """
    ties = list_ties(data)
    keys = pd.MultiIndex.from_frame(ties)
    mutual = int(pd.MultiIndex.from_frame(ties.iloc[:, ::-1]).isin(keys).sum())
    return TieCounts(mutual // 2, len(ties) - mutual)


def list_ties(data: Dataset | pd.DataFrame) -> pd.DataFrame:
    """Return the ties that stand, each once: follower_id, followee_id.

    Parameters
    ----------
    data
        As for `count_ties`.

    Raises
    ------
    InputError
        If a column is missing or no tie is left.

    Examples
    --------
    >>> ties = pd.DataFrame({"follower_id": ["a", "a", "b"], "followee_id": ["b", "b", "b"]})
    >>> list_ties(ties).values.tolist()
    [['a', 'b']]
    """
    if isinstance(data, Dataset):
        table = make_dyads(data, "mutuality").table[["initiator_id", "decider_id"]]
        return table.set_axis(["follower_id", "followee_id"], axis=1)
    missing = [name for name in ("follower_id", "followee_id") if name not in data]
    if missing:
        found = ", ".join(map(str, data.columns)) or "none"
        raise InputError(f"follows: {' and '.join(missing)} required; found the columns {found}")
    ties = data[["follower_id", "followee_id"]].drop_duplicates()
    ties = ties[(ties["follower_id"] != ties["followee_id"]).to_numpy(dtype=bool)]
    if ties.empty:
        raise InputError("follows: reciprocity needs at least one tie between two accounts; got 0")
    return ties.reset_index(drop=True)


def edge_reciprocity(data: Dataset | pd.DataFrame) -> float:
    """Return the share of directed ties whose reverse stands too, 2M / (2M + A).

    Examples
    --------
    >>> ties = pd.DataFrame({"follower_id": ["a", "b", "c"], "followee_id": ["b", "a", "a"]})
    >>> round(edge_reciprocity(ties), 3)
    0.667
    """
    counts = count_ties(data)
    ends = 2 * counts.mutual_pair_count
    return ends / (ends + counts.one_way_count)


def dyad_reciprocity(data: Dataset | pd.DataFrame) -> float:
    """Return the share of connected pairs that are mutual, M / (M + A).

    Examples
    --------
    >>> ties = pd.DataFrame({"follower_id": ["a", "b", "c"], "followee_id": ["b", "a", "a"]})
    >>> dyad_reciprocity(ties)
    0.5
    """
    counts = count_ties(data)
    return counts.mutual_pair_count / (counts.mutual_pair_count + counts.one_way_count)


def follow_back_rate(
    dataset: Dataset, horizon_days: float = 30.0, *, confidence: float = 0.95
) -> FollowBackRate:
    """Return the share of follows answered within the horizon: cumulative incidence.

    Every timed dyad enters, the young ones until their decider's watch ends. A withdrawn follow
    can no longer be answered and competes with the answer (Aalen & Johansen 1978). Where
    withdrawals are never seen the same sum is one minus Kaplan–Meier, and holds only for ties
    that survived to be seen.

    Parameters
    ----------
    dataset
        Canonical tables with times of follows.
    horizon_days, confidence
        The horizon in days and the confidence of the dyadic-robust interval.

    Returns
    -------
    FollowBackRate

    Raises
    ------
    ParameterError
        If the horizon is not a positive number.
    InputError
        If the follows carry no times, or nobody was watched for so long.

    Examples
    --------
    >>> from followkit.tables import make_dataset
    >>> ties = pd.DataFrame({"follower_id": list("abcd"), "followee_id": list("badc"),
    ...     "followed_at": ["2024-01-01", "2024-01-03", "2024-01-01", "2024-01-11"]})
    >>> found = follow_back_rate(make_dataset({"follows": ties}), 5)
    >>> found.rate, found.dyad_count, found.method
    (0.5, 2, 'Kaplan–Meier')
    """
    if not np.isfinite(horizon_days) or horizon_days <= 0:
        raise ParameterError(
            f"horizon_days: a positive number of days is needed; got {horizon_days}"
        )
    waiting = make_waiting(dataset)
    longest = float(waiting["duration_days"].max()) if len(waiting) else 0.0
    if longest < horizon_days and not (waiting["state"] == "answered").all():
        raise InputError(
            f"horizon_days: no follow was watched for {horizon_days:g} days (longest "
            f"{longest:.1f}, {len(waiting):,} follows); choose a shorter horizon"
        )
    curve = follow_back_curve(
        waiting, until_days=horizon_days, point_count=2, confidence=confidence
    )
    last = curve.iloc[-1]
    seen = sees_unfollows(dataset)
    note = "" if seen else "Holds among ties that survived to be seen, and is likely too high."
    method = "Aalen–Johansen" if seen else "Kaplan–Meier"
    rate, low, high = (float(last[name]) for name in ("incidence", "ci_low", "ci_high"))
    return FollowBackRate(
        rate, low, high, float(horizon_days), len(waiting), int(last["at_risk"]), method, note
    )
