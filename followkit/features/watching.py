"""Who was watched, and since when: what tells an inactive account from one that was not read."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit.features.ties import NEVER_US, UNKNOWN_US, IntArray, to_us

FlagArray = npt.NDArray[np.bool_]


def find_watched(
    ids: pd.Series, at_us: IntArray | None, seen: pd.DataFrame, first_us: int
) -> tuple[FlagArray, IntArray]:
    """Return whether each account's table was visible before its moment, and since when.

    Parameters
    ----------
    ids, at_us
        The accounts and their moments (microseconds, UTC); None where nothing is dated.
    seen
        The rows of `observation` for the table. They decide account by account; without any, the
        table is taken to cover every account from its first row on.
    first_us
        When the table begins.
    """
    size = len(ids)
    if seen.empty:
        since = np.full(size, first_us, dtype=np.int64)
        return (since < at_us) if at_us is not None else np.ones(size, dtype=bool), since
    spans = _make_spans(ids, np.zeros(size, np.int64) if at_us is None else at_us, seen)
    if at_us is not None:
        # A crawl sees everything since the table begins, up to itself.
        spans.loc[spans["is_crawl"], "from_us"] = first_us
        covers = (spans["from_us"] < spans["at_us"]) & (spans["until_us"] >= spans["at_us"])
        spans = spans[covers]
    since_by_row = spans.groupby("row")["from_us"].min().reindex(range(size))
    flags = since_by_row.notna().to_numpy(dtype=bool)
    return flags, since_by_row.fillna(0).to_numpy(dtype=np.int64)


def _make_spans(ids: pd.Series, at_us: IntArray, seen: pd.DataFrame) -> pd.DataFrame:
    """Return each row's spans of observation, a crawl marked as such."""
    spans = pd.DataFrame(
        {
            "account_id": seen["account_id"].to_numpy(),
            "from_us": to_us(seen["observed_from_at"]),
            "until_us": to_us(seen["observed_until_at"]),
        }
    )
    spans["is_crawl"] = spans["from_us"] == spans["until_us"]
    spans.loc[spans["until_us"] == UNKNOWN_US, "until_us"] = NEVER_US
    rows = pd.DataFrame({"row": np.arange(len(ids)), "account_id": ids.to_numpy(), "at_us": at_us})
    return rows.merge(spans, on="account_id", how="inner")
