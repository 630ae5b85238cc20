"""Which ties each kind of data may use, and what they tell about past answers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit.dyads import DyadSet
from followkit.observation import find_standing
from followkit.schema import SCHEMAS
from followkit.tables import Dataset

DAY_US = 86_400_000_000
NEVER_US = np.iinfo(np.int64).max
UNKNOWN_US = np.iinfo(np.int64).min

IntArray = npt.NDArray[np.int64]


def to_us(times: pd.Series) -> IntArray:
    """Return UTC microseconds since 1970; a missing time becomes the smallest integer."""
    naive = times.dt.tz_convert("UTC").dt.tz_localize(None)
    stamps: IntArray = naive.to_numpy(dtype="datetime64[us]").astype(np.int64)
    return stamps


def get_table(dataset: Dataset, name: str) -> pd.DataFrame:
    """Return a table with every canonical time and count column, empty where it has none."""
    frame = dataset.table(name)
    dtypes = {"time": "datetime64[us, UTC]", "count": "Int64"}
    missing = {
        column.name: pd.Series(index=frame.index, dtype=dtypes[column.kind])
        for column in SCHEMAS[name].columns
        if column.kind in dtypes and column.name not in frame
    }
    return frame.assign(**missing)


def to_times(stamps: IntArray) -> pd.Series:
    """Return microseconds since 1970 as UTC times; the inverse of `to_us`."""
    return pd.Series(stamps.astype("datetime64[us]")).dt.tz_localize("UTC")


def is_export(rows: pd.DataFrame) -> bool:
    """Return whether one account takes part in half of the dyads or more."""
    if rows.empty:
        return False
    return bool(
        pd.concat([rows["initiator_id"], rows["decider_id"]]).value_counts().iloc[0] * 2
        >= len(rows)
    )


def find_tie_folds(ties: pd.DataFrame, rows: pd.DataFrame, folds: IntArray) -> IntArray:
    """Return the fold of each tie's unordered pair; −1 where the pair is no dyad."""
    pairs = rows[["initiator_id", "decider_id"]].set_axis(["follower_id", "followee_id"], axis=1)
    pairs = pairs.assign(fold=folds.astype(np.int64))
    turned = pairs.rename(columns={"follower_id": "followee_id", "followee_id": "follower_id"})
    known = pd.concat([pairs, turned]).drop_duplicates(["follower_id", "followee_id"])
    found = ties.merge(known, on=["follower_id", "followee_id"], how="left", sort=False)
    return np.asarray(found["fold"].fillna(-1), dtype=np.int64)


def make_ties(dyads: DyadSet, dataset: Dataset) -> pd.DataFrame:
    """Return the ties that the mode may use: follower_id, followee_id, start_us, end_us.

    Timed: every follow whose moment is known (a tie seen between two crawls counts from the
    crawl that first saw it). Crawl: the ties that stand at the crawl. Snapshot: the ties that
    stand at the crawl of the snapshot, or that were never seen to end.
    """
    follows = get_table(dataset, "follows")
    if "status" in follows:
        follows = follows[(follows["status"] != "pending").fillna(True).to_numpy(dtype=bool)]
    start = _first_known(follows, "followed_at", "followed_before_at", UNKNOWN_US)
    end = _first_known(follows, "unfollowed_at", "unfollowed_before_at", NEVER_US)
    ties = pd.DataFrame(
        {
            "follower_id": follows["follower_id"].to_numpy(),
            "followee_id": follows["followee_id"].to_numpy(),
            "start_us": start,
            "end_us": end,
        }
    )
    if dyads.asof == "timed":
        return ties[start != UNKNOWN_US].reset_index(drop=True)
    if dyads.crawl_at is None:
        stands = end == NEVER_US
    else:
        stands = find_standing(follows, dyads.crawl_at)[0]
    ties = ties[stands]
    return ties.drop_duplicates(["follower_id", "followee_id"]).reset_index(drop=True)


def _first_known(follows: pd.DataFrame, exact: str, bound: str, missing: int) -> IntArray:
    stamps = np.full(len(follows), UNKNOWN_US, dtype=np.int64)
    for column in (exact, bound):
        stamps = np.where(stamps == UNKNOWN_US, to_us(follows[column]), stamps)
    return np.where(stamps == UNKNOWN_US, missing, stamps)


def make_history(ties: pd.DataFrame, horizon_us: int) -> pd.DataFrame:
    """Return every first follow: initiator_id, decider_id, known_us (t + H), answered (0/1).

    The first spell of each ordered pair counts. A follow that is itself an answer (the reverse
    came earlier) is not a follow received. Answered: the reverse first appears at most H later
    while the follow still stands.
    """
    first = ties.sort_values("start_us", kind="stable").drop_duplicates(
        ["follower_id", "followee_id"]
    )
    reverse = first[["follower_id", "followee_id", "start_us"]].rename(
        columns={"follower_id": "followee_id", "followee_id": "follower_id", "start_us": "back_us"}
    )
    pairs = first.merge(reverse, on=["follower_id", "followee_id"], how="left")
    start = pairs["start_us"].to_numpy(dtype=np.int64)
    has_back = pairs["back_us"].notna().to_numpy(dtype=bool)
    back = pairs["back_us"].astype("Int64").fillna(0).to_numpy(dtype=np.int64)
    opened = ~has_back | (back >= start)
    answered = has_back & (back <= start + horizon_us) & (pairs["end_us"].to_numpy() >= back)
    frame = pd.DataFrame(
        {
            "initiator_id": pairs["follower_id"],
            "decider_id": pairs["followee_id"],
            "known_us": start + horizon_us,
            "answered": answered.astype(np.int64),
        }
    )
    return frame[opened].reset_index(drop=True)
