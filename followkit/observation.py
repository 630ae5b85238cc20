"""Who could be seen when: what makes an absent follow mean "no"."""

from __future__ import annotations

import numpy as np
import pandas as pd

from followkit.tables import Dataset


def find_crawls(dataset: Dataset) -> list[pd.Timestamp]:
    """Return the moments at which follow lists were crawled, oldest first (UTC).

    A crawl is a row of `observation` for follows whose beginning is its end.
    """
    seen = _follow_rows(dataset)
    is_crawl = seen["observed_from_at"] == seen["observed_until_at"]
    return list(pd.DatetimeIndex(seen.loc[is_crawl, "observed_from_at"].unique()).sort_values())


def find_crawled(dataset: Dataset, crawl_at: pd.Timestamp) -> pd.Index:
    """Return the accounts whose list was read in a crawl, whole or cut off."""
    seen = _follow_rows(dataset)
    at = (seen["observed_from_at"] == crawl_at) & (seen["observed_until_at"] == crawl_at)
    return pd.Index(seen.loc[at, "account_id"].unique())


def find_complete(dataset: Dataset, crawl_at: pd.Timestamp) -> pd.Index:
    """Return the accounts whose whole list was read in a crawl."""
    seen = _follow_rows(dataset)
    whole = seen["list_is_complete"].fillna(False).astype(bool)
    at = (seen["observed_from_at"] == crawl_at) & (seen["observed_until_at"] == crawl_at)
    return pd.Index(seen.loc[at & whole, "account_id"].unique())


def make_spans(dataset: Dataset) -> pd.DataFrame:
    """Return since when and until when each account's own follows were watched.

    Columns account_id, from_at, until_at (UTC). Lists that were cut off are left out. Without any
    observation of follows every account counts as watched from the first follow to the last.
    """
    seen = _follow_rows(dataset)
    if seen.empty:
        stamps = dataset.follows["followed_at"].dropna()
        ids = pd.concat([dataset.follows["follower_id"], dataset.follows["followee_id"]]).unique()
        return pd.DataFrame({"account_id": ids, "from_at": stamps.min(), "until_at": stamps.max()})
    whole = seen["list_is_complete"].fillna(True).astype(bool)
    is_span = seen["observed_from_at"] != seen["observed_until_at"]
    spans = seen.loc[whole & is_span, ["account_id", "observed_from_at", "observed_until_at"]]
    spans.columns = pd.Index(["account_id", "from_at", "until_at"])
    last = dataset.follows["followed_at"].max()
    return spans.assign(until_at=spans["until_at"].fillna(last)).reset_index(drop=True)


def sees_unfollows(dataset: Dataset) -> bool:
    """Return whether withdrawals would be seen: every observation of follows says so."""
    seen = _follow_rows(dataset)
    if seen.empty:
        return dataset.has("follows", "unfollowed_at")
    return bool(seen["sees_unfollows"].fillna(False).astype(bool).all())


def find_standing(follows: pd.DataFrame, at: pd.Timestamp) -> tuple[np.ndarray, np.ndarray]:
    """Return for each tie whether it is known to stand at a moment, and whether that is unknown.

    A tie last seen standing before the moment, and never seen gone, is unknown.
    """
    begun = _is_by(follows, "followed_at", at) | _is_by(follows, "followed_before_at", at)
    if not {"followed_at", "followed_before_at"} & set(follows.columns):
        begun = np.ones(len(follows), dtype=bool)
    gone = _is_by(follows, "unfollowed_at", at) | _is_by(follows, "unfollowed_before_at", at)
    unseen = np.zeros(len(follows), dtype=bool)
    if "unfollowed_after_at" in follows:
        unseen = (follows["unfollowed_after_at"] < at).to_numpy(dtype=bool, na_value=False)
    return begun & ~gone & ~unseen, begun & ~gone & unseen


def _is_by(follows: pd.DataFrame, column: str, at: pd.Timestamp) -> np.ndarray:
    if column not in follows:
        return np.zeros(len(follows), dtype=bool)
    return np.asarray((follows[column] <= at).to_numpy(dtype=bool, na_value=False))


def _follow_rows(dataset: Dataset) -> pd.DataFrame:
    seen = dataset.observation
    rows = seen[(seen["table_name"] == "follows").to_numpy(dtype=bool, na_value=False)]
    for column in ("observed_until_at", "list_is_complete", "sees_unfollows"):
        if column not in rows:
            rows = rows.assign(**{column: pd.NA})
    return rows
