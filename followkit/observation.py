"""Who could be seen when: what makes an absent follow mean "no"."""

from __future__ import annotations

import numpy as np
import pandas as pd

from followkit.tables import Dataset

TIMES = ["followed_at", "unfollowed_at"]


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

    Columns account_id, from_at, until_at (UTC). Lists that were cut off are left out, spans that
    touch or overlap are joined, and an open end is the last moment of the data. Without any
    observation of follows every account counts as watched from the first follow to that moment.
    """
    seen = _follow_rows(dataset)
    last = find_last_moment(dataset)
    if seen.empty:
        first = dataset.follows["followed_at"].min()
        ids = pd.concat([dataset.follows["follower_id"], dataset.follows["followee_id"]]).unique()
        return pd.DataFrame({"account_id": ids, "from_at": first, "until_at": last})
    whole = seen["list_is_complete"].fillna(True).astype(bool)
    is_span = (seen["observed_from_at"] != seen["observed_until_at"]).fillna(True).astype(bool)
    spans = seen.loc[whole & is_span, ["account_id", "observed_from_at", "observed_until_at"]]
    spans.columns = pd.Index(["account_id", "from_at", "until_at"])
    return _join_spans(spans.assign(until_at=spans["until_at"].fillna(last)))


def _join_spans(spans: pd.DataFrame) -> pd.DataFrame:
    """Join the spans of an account that touch or overlap."""
    ordered = spans.sort_values(["account_id", "from_at"], kind="stable", ignore_index=True)
    account = ordered["account_id"]
    reached = ordered["until_at"].astype("int64").groupby(account, sort=False).cummax()
    before = reached.groupby(account, sort=False).shift(fill_value=np.iinfo(np.int64).min)
    is_new = ~account.duplicated() | (ordered["from_at"].astype("int64") > before)
    joined = ordered.groupby(is_new.cumsum(), sort=False)
    return joined.agg(
        account_id=("account_id", "first"), from_at=("from_at", "min"), until_at=("until_at", "max")
    ).reset_index(drop=True)


def find_last_moment(dataset: Dataset) -> pd.Timestamp:
    """Return the last moment at which follows are known: the latest stamp or end of a watch."""
    seen = _follow_rows(dataset)
    columns = [seen["observed_from_at"], seen["observed_until_at"]]
    columns += [column for _, column in dataset.follows.filter(TIMES).items()]
    stamps = [column.max() for column in columns]
    return max((stamp for stamp in stamps if not pd.isna(stamp)), default=pd.NaT)


def has_observation(dataset: Dataset) -> bool:
    """Return whether the data say when anybody's follows were watched."""
    return not _follow_rows(dataset).empty


def keep_active(follows: pd.DataFrame) -> pd.DataFrame:
    """Return the follows that were made: a pending request is not a follow."""
    if "status" not in follows:
        return follows
    return follows[(follows["status"] != "pending").fillna(True).to_numpy(dtype=bool)]


def make_snapshot(dataset: Dataset) -> tuple[pd.DataFrame, list[tuple[str, int, str]]]:
    """Return the ties that stand, between accounts whose lists were read whole, and the census.

    With crawls: at the first one. Else: the ties never seen to end, between accounts that were
    watched with whole lists at any time (all accounts, where nothing says who was watched).
    """
    follows = keep_active(dataset.follows)
    crawls = find_crawls(dataset)
    seen = pd.Series(True, index=follows.index)
    if crawls:
        stands = find_standing(follows, crawls[0])[0]
    else:
        ends = follows.filter(["unfollowed_at", "unfollowed_before_at"])
        stands = ~ends.notna().any(axis=1).to_numpy(dtype=bool)
    if has_observation(dataset):
        spans = make_spans(dataset)["account_id"]
        whole = find_complete(dataset, crawls[0]) if crawls else pd.Index(spans.unique())
        seen = follows["follower_id"].isin(whole) & follows["followee_id"].isin(whole)
    chosen = follows.loc[stands & seen.to_numpy(dtype=bool), ["follower_id", "followee_id"]]
    ties = chosen.drop_duplicates(ignore_index=True)
    census = [
        ("follows read", len(dataset.follows), ""),
        ("pending", len(dataset.follows) - len(follows), "requests are not follows"),
        ("not standing", int((~stands).sum()), "withdrawn, or not yet seen"),
        ("unobservable", int((stands & ~seen).sum()), "one of the two lists was not read whole"),
        ("repeated", len(chosen) - len(ties), "the same tie once more"),
        ("ties", len(ties), ""),
    ]
    return ties, census


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
