"""What the data are like before any question is asked: gaps, times, watches, churn, degrees.

Tables only: each counts what was read, and nothing here looks at who answered but `try_horizons`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from followkit.covariance import code_accounts, dyadic_rate
from followkit.observation import (
    find_complete,
    find_crawled,
    find_crawls,
    find_last_moment,
    keep_active,
    sees_unfollows,
)
from followkit.tables import Dataset
from followkit.waiting import PAIR, TIE, add_observation, pair_up

#: Table → its main time, and what happens then.
EVENTS = (
    ("follows", "followed_at", "follows"),
    ("follows", "unfollowed_at", "withdrawals"),
    ("posts", "posted_at", "posts"),
    ("interactions", "at", "acts"),
)
BIN_DAYS = (1, 7, 28, 91, 364)
MOST_BINS = 60
WATCH_POINTS = 60
HORIZONS = (1.0, 3.0, 7.0, 14.0, 30.0, 60.0, 90.0, 180.0)
FEWEST_DYADS = 20


def list_unknown(dataset: Dataset) -> pd.DataFrame:
    """Return how often each column of each table is unknown.

    Returns
    -------
    pandas.DataFrame
        table, column, rows, unknown_count, unknown_share (unknown_count / rows): only columns with
        an unknown value, and columns that the schema does not require. In the order of tables.

    Examples
    --------
    >>> from followkit.tables import make_dataset
    >>> ties = pd.DataFrame({"follower_id": ["a", "b"], "followee_id": ["b", "a"],
    ...                      "followed_at": ["2024-01-01", None]})
    >>> list_unknown(make_dataset({"follows": ties})).to_dict("records")[0]["unknown_share"]
    0.5
    """
    rows = [
        (name, str(column), len(frame), int(frame[column].isna().sum()))
        for name, frame in dataset.tables.items()
        for column in frame
    ]
    table = pd.DataFrame(rows, columns=["table", "column", "rows", "unknown_count"])
    table = table[table["unknown_count"] > 0].reset_index(drop=True)
    return table.assign(unknown_share=table["unknown_count"] / table["rows"])


def count_over_time(dataset: Dataset, *, most_bins: int = MOST_BINS) -> pd.DataFrame:
    """Return how many follows, withdrawals, posts and acts fall into each stretch of time.

    Returns
    -------
    pandas.DataFrame
        what, at (begin of the stretch, UTC), count, bin_days. One width for all: the smallest of
        1, 7, 28, 91 and 364 days that needs at most `most_bins` stretches (364 if none does).
        Stretches without an event have a count of 0; without any time there is no row.
    """
    stamps = {
        what: dataset.table(table)[column].dropna()
        for table, column, what in EVENTS
        if dataset.has(table, column)
    }
    if not stamps:
        return pd.DataFrame(columns=["what", "at", "count", "bin_days"])
    first = min(values.min() for values in stamps.values()).floor("D")
    last = max(values.max() for values in stamps.values())
    days = (last - first) / pd.Timedelta(days=1)
    width = next((size for size in BIN_DAYS if days / size < most_bins), BIN_DAYS[-1])
    step = pd.Timedelta(days=width)
    size = int(days // width) + 1
    parts = [
        pd.DataFrame({
            "what": what,
            "at": first + np.arange(size) * step,
            "count": np.bincount(((values - first) // step).to_numpy(int), minlength=size),
        })
        for what, values in stamps.items()
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True).assign(bin_days=width)


def count_watched(dataset: Dataset, *, points: int = WATCH_POINTS) -> pd.DataFrame:
    """Return how many accounts were watched at evenly spaced moments, table by table.

    Returns
    -------
    pandas.DataFrame
        what (follows, posts, interactions), at (UTC), watched: accounts with a span of observation
        that holds the moment, both ends included. An open end is the last moment of the follows.
        Crawls, which are moments, are in `list_crawls`; empty where no span is known.
    """
    seen = dataset.observation
    if seen.empty or "observed_until_at" not in seen:
        return pd.DataFrame(columns=["what", "at", "watched"])
    until = seen["observed_until_at"].fillna(find_last_moment(dataset))
    spans = seen.assign(observed_until_at=until)
    spans = spans[spans["observed_from_at"] < spans["observed_until_at"]]
    if spans.empty:
        return pd.DataFrame(columns=["what", "at", "watched"])
    first, last = spans["observed_from_at"].min(), spans["observed_until_at"].max()
    moments = pd.date_range(first, last, periods=points)
    rows = [
        (what, at, _count_at(part, at))
        for what, part in spans.groupby("table_name", sort=True)
        for at in moments
    ]
    return pd.DataFrame(rows, columns=["what", "at", "watched"])


def _count_at(spans: pd.DataFrame, at: pd.Timestamp) -> int:
    inside = (spans["observed_from_at"] <= at) & (at <= spans["observed_until_at"])
    return int(spans.loc[inside, "account_id"].nunique())


def list_crawls(dataset: Dataset) -> pd.DataFrame:
    """Return every crawl of follow lists: at (UTC), lists (read), complete (read whole)."""
    rows = [
        (at, len(find_crawled(dataset, at)), len(find_complete(dataset, at)))
        for at in find_crawls(dataset)
    ]
    return pd.DataFrame(rows, columns=["at", "lists", "complete"])


def measure_churn(dataset: Dataset) -> pd.DataFrame:
    """Return what became of follows: made, withdrawn, made again.

    Returns
    -------
    pandas.DataFrame
        step, count, share (of the follows read), note.

    Examples
    --------
    >>> from followkit.tables import make_dataset
    >>> ties = pd.DataFrame({
    ...     "follower_id": ["a", "a"], "followee_id": ["b", "b"],
    ...     "followed_at": ["2024-01-01", "2024-03-01"], "unfollowed_at": ["2024-02-01", None]})
    >>> measure_churn(make_dataset({"follows": ties}))["count"].tolist()
    [2, 0, 1, 1]
    """
    follows = dataset.follows
    active = keep_active(follows)
    ends = active.filter(["unfollowed_at", "unfollowed_before_at"])
    gone = int(ends.notna().any(axis=1).sum())
    again = int(active.duplicated(TIE).sum())
    seen = "" if sees_unfollows(dataset) else "these data do not see every withdrawal"
    rows = [
        ("follows read", len(follows), ""),
        ("pending", len(follows) - len(active), "requests are not follows"),
        ("withdrawn", gone, seen),
        ("followed again", again, "later follows of the same pair"),
    ]
    table = pd.DataFrame(rows, columns=["step", "count", "note"])
    table.insert(2, "share", table["count"] / max(len(follows), 1))
    return table


def measure_degrees(dataset: Dataset) -> pd.DataFrame:
    """Return which share of the accounts has at least so many followers, or followees.

    Distinct pairs, whether or not the follow still stands; accounts are all that appear in a
    follow, at either end.

    Returns
    -------
    pandas.DataFrame
        side (followers, followees), degree (1 and more, each that occurs), account_count and share
        (accounts with at least that degree, over all accounts).

    Examples
    --------
    >>> from followkit.tables import make_dataset
    >>> ties = pd.DataFrame({"follower_id": ["a", "b", "c"], "followee_id": ["b", "a", "a"]})
    >>> table = measure_degrees(make_dataset({"follows": ties}))
    >>> table[table["side"] == "followers"][["degree", "account_count"]].values.tolist()
    [[1, 2], [2, 1]]
    """
    pairs = keep_active(dataset.follows)[TIE].drop_duplicates()
    accounts = pd.unique(pd.concat([pairs["follower_id"], pairs["followee_id"]]))
    parts = []
    for side, column in (("followers", "followee_id"), ("followees", "follower_id")):
        degrees = np.sort(pairs[column].value_counts().to_numpy())
        values = np.unique(degrees)
        counts = len(degrees) - np.searchsorted(degrees, values)
        parts.append(pd.DataFrame({"side": side, "degree": values, "account_count": counts}))
    table = pd.concat(parts, ignore_index=True)
    return table.assign(share=table["account_count"] / max(len(accounts), 1))


def try_horizons(
    dataset: Dataset, horizons: Sequence[float] = HORIZONS, *, confidence: float = 0.95
) -> pd.DataFrame:
    """Return how many dyads could be watched for each horizon, and how many were answered by then.

    The same dyads as `make_dyads(dataset, "follow_back", horizon_days=…)`: those whose decider was
    watched from the follow until the horizon, whatever the outcome.

    Returns
    -------
    pandas.DataFrame
        horizon_days, dyads (watched so long), too_young (watched, but not so long), answered, rate
        (answered / dyads) with its dyadic-robust ci_low and ci_high. Horizons with fewer than 20
        dyads are left out; empty where follows carry no times.
    """
    columns = ["horizon_days", "dyads", "too_young", "answered", "rate", "ci_low", "ci_high"]
    if not dataset.has("follows", "followed_at"):
        return pd.DataFrame(columns=columns)
    pairs = add_observation(pair_up(dataset)[0], dataset)
    kept = pairs["is_watched"].to_numpy(bool) & ~pairs["is_equal_stamp"].to_numpy(bool)
    pairs = pairs[kept]
    answer = pairs["answer_at"].where(pairs["end_state"] == "answered")
    rows = []
    for horizon in horizons:
        end = pairs["at"] + pd.Timedelta(days=horizon)
        old = (end <= pairs["until_at"]).to_numpy(bool)
        if old.sum() < FEWEST_DYADS:
            continue
        accounts = code_accounts(*(pairs.loc[old, name] for name in PAIR))
        found = dyadic_rate((answer <= end)[old].astype(int), accounts, confidence=confidence)
        rows.append((horizon, found.n, int((~old).sum()), found.event_count, found.rate,
                     found.ci_low, found.ci_high))  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
