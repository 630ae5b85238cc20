"""Counting what happened before a moment, written once as narwhals expressions.

The same text runs on any frame that narwhals knows. There is no range join: queries and events
are put in one table, ordered by time with queries first at equal times, and a running sum per
account is read off at the queries. So an event at exactly t is not before t.
"""

from __future__ import annotations

from collections.abc import Sequence

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

DAY_US = 86_400_000_000
BY_ACCOUNT = ("account_id",)


class EventLine:
    """Events of accounts in one sorted line, account by account and in order of time.

    Attributes
    ----------
    at_us
        Moments of the events (microseconds), in the order of the line.

    Examples
    --------
    >>> line = EventLine(pd.Series(["b", "a", "a"]), np.array([5, 7, 3]))
    >>> ids = pd.Series(["a", "a", "c"])
    >>> since, until = (line.place(ids, np.array([cut] * 3)) for cut in (3, 8))
    >>> (until - since).tolist()
    [2, 2, 0]
    """

    def __init__(self, account_ids: pd.Series, at_us: npt.NDArray[np.int64]) -> None:
        self._accounts = pd.Index(account_ids.unique())
        self._moments = np.unique(at_us)
        codes = self._accounts.get_indexer(pd.Index(account_ids))
        order = np.lexsort((at_us, codes))
        self.at_us = at_us[order]
        self._line = self._key(codes[order], self.at_us)

    def _key(
        self, codes: npt.NDArray[np.int64], at_us: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        return codes * (len(self._moments) + 1) + np.searchsorted(self._moments, at_us)

    def place(self, account_ids: pd.Series, at_us: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the place of each account's first event at a moment or later.

        The place after its last where it has none; 0 for an account without any event.
        """
        codes = self._accounts.get_indexer(pd.Index(account_ids))
        return np.searchsorted(self._line, self._key(codes, at_us)).astype(np.int64)


def count_before(
    events: pd.DataFrame,
    queries: pd.DataFrame,
    *,
    window_days: float | None = None,
    by: Sequence[str] = BY_ACCOUNT,
) -> npt.NDArray[np.int64]:
    """Return for each query how many events of its key lie strictly before its moment.

    Parameters
    ----------
    events
        The key columns, `at` (UTC) and, where an event stands for several, an integer `amount`.
        Events without a moment count nowhere.
    queries
        The key columns and `at`, one row a query.
    window_days
        Count only events at or after `at` minus so many days.
    by
        The key columns.

    Returns
    -------
    numpy.ndarray
        int64, in the order of the queries.

    Examples
    --------
    >>> days = pd.to_datetime(["2026-01-01", "2026-01-05"], utc=True)
    >>> events = pd.DataFrame({"account_id": ["a", "a"], "at": days})
    >>> at = pd.to_datetime(["2026-01-05", "2026-01-06"], utc=True)
    >>> queries = pd.DataFrame({"account_id": ["a", "a"], "at": at})
    >>> count_before(events, queries).tolist()
    [1, 2]
    >>> count_before(events, queries, window_days=2).tolist()
    [0, 1]
    """
    happened = _with_stamps(events[events["at"].notna()], by)
    asked = _with_stamps(queries, by)
    counted = _sum_before(happened, asked, by)
    if window_days is not None:
        earlier = asked.with_columns(nw.col("at_us") - round(window_days * DAY_US))
        counted = counted - _sum_before(happened, earlier, by)
    return counted


def last_before(
    events: pd.DataFrame, queries: pd.DataFrame, *, by: Sequence[str] = BY_ACCOUNT
) -> pd.Series:
    """Return for each query the moment of its key's last event strictly before (NaT: none).

    Examples
    --------
    >>> days = pd.to_datetime(["2026-01-01", "2026-01-05"], utc=True)
    >>> events = pd.DataFrame({"account_id": ["a", "a"], "at": days})
    >>> at = pd.to_datetime(["2026-01-01", "2026-01-05"], utc=True)
    >>> last_before(events, pd.DataFrame({"account_id": ["a", "a"], "at": at})).dt.day.tolist()
    [nan, 1.0]
    """
    happened = _with_stamps(events[events["at"].notna()], by)
    line = _line(happened, _with_stamps(queries, by), by).with_columns(
        nw.when(nw.col("is_event") == 1).then(nw.col("at_us")).alias("event_us")
    )
    # In order of time, the last event so far is the nearest one above.
    carried = nw.col("event_us").fill_null(strategy="forward")
    line = line.with_columns(last_us=carried.over(*by, order_by=("at_us", "is_event")))
    found = _at_queries(line, "last_us")
    # Missing makes the column a float; microseconds stay exact below 2**53, the year 2255.
    stamps = found.to_numpy(dtype="float64", na_value=np.nan)
    is_none = np.isnan(stamps)
    exact = found.where(~is_none, 0).to_numpy(dtype="int64")
    times = pd.Series(exact.astype("datetime64[us]")).dt.tz_localize("UTC")
    return times.where(~is_none)


def _with_stamps(frame: pd.DataFrame, by: Sequence[str]) -> nw.DataFrame[pd.DataFrame]:
    """Return the keys, `at` as integer microseconds, and the amount (1 where not given)."""
    table = nw.from_native(frame, eager_only=True)
    amount = nw.col("amount").cast(nw.Int64) if "amount" in table.columns else nw.lit(1, nw.Int64)
    stamp = nw.col("at").cast(nw.Datetime("us", "UTC")).dt.timestamp("us")
    return table.select(*by, at_us=stamp.cast(nw.Int64), amount=amount)


def _line(
    happened: nw.DataFrame[pd.DataFrame], asked: nw.DataFrame[pd.DataFrame], by: Sequence[str]
) -> nw.DataFrame[pd.DataFrame]:
    """Put events and queries on one line of time; `row` is the place of a query."""
    queries = asked.with_row_index("row").with_columns(
        nw.col("row").cast(nw.Int64), amount=nw.lit(0, nw.Int64), is_event=nw.lit(0, nw.Int64)
    )
    marked = happened.with_columns(row=nw.lit(-1, nw.Int64), is_event=nw.lit(1, nw.Int64))
    columns = [*by, "at_us", "amount", "is_event", "row"]
    parts = [part.select(columns) for part in (queries, marked) if len(part)]
    return nw.concat(parts or [queries.select(columns)], how="vertical")


def _sum_before(
    happened: nw.DataFrame[pd.DataFrame], asked: nw.DataFrame[pd.DataFrame], by: Sequence[str]
) -> npt.NDArray[np.int64]:
    running = nw.col("amount").cum_sum().over(*by, order_by=("at_us", "is_event"))
    line = _line(happened, asked, by).with_columns(before=running)
    return np.asarray(_at_queries(line, "before").to_numpy(dtype="int64"))


def _at_queries(line: nw.DataFrame[pd.DataFrame], name: str) -> pd.Series:
    """Return a column at the queries, in their order."""
    return line.filter(nw.col("is_event") == 0).sort("row").select(name).to_native()[name]
