"""Parts of the dyads that get a report of their own: a month, one account, accounts of a kind."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit.dyads import DyadSet, select_dyads
from followkit.errors import InputError, ParameterError, suggest
from followkit.features import FeatureTable
from followkit.tables import Dataset

FlagArray = npt.NDArray[np.bool_]

SIDES = ("initiator", "decider")
#: Segments with fewer dyads get no report unasked: too few to say something.
FEWEST_DYADS = 100
#: Nor do these when asked for: too few to hide in.
FEWEST_TO_HIDE_IN = 5
FORMS = "month, initiator, decider, initiator.COLUMN or decider.COLUMN"


def match_segment(rows: pd.DataFrame, dataset: Dataset, segment: str) -> FlagArray:
    """Return which rows belong to a segment.

    Parameters
    ----------
    rows
        initiator_id, decider_id and, for months, at (UTC), such as a table of dyads.
    dataset
        Where columns of accounts are looked up.
    segment
        "month=2025-03" (the follow was made in that month, UTC), "initiator=ID", "decider=ID",
        "initiator.COLUMN=VALUE" or "decider.COLUMN=VALUE" with a column of accounts; "" for all.

    Raises
    ------
    ParameterError
        If the segment has another form, or accounts have no such column.
    InputError
        If months are asked for and the rows have no times.

    Examples
    --------
    >>> from followkit.tables import make_dataset
    >>> ties = pd.DataFrame({"follower_id": ["a", "b"], "followee_id": ["b", "c"]})
    >>> people = pd.DataFrame({"account_id": ["a", "b", "c"], "category": ["art", "art", "food"]})
    >>> data = make_dataset({"follows": ties, "accounts": people})
    >>> rows = pd.DataFrame({"initiator_id": ["a", "b"], "decider_id": ["b", "c"]})
    >>> match_segment(rows, data, "decider.category=food").tolist()
    [False, True]
    """
    if not segment:
        return np.ones(len(rows), dtype=bool)
    by, equals, value = segment.partition("=")
    if not equals or not value:
        raise ParameterError(f"segment: {segment!r} must be KIND=VALUE; kinds: {FORMS}")
    found = find_values(rows, dataset, by)
    return np.asarray(found == value).astype(bool)


def find_values(rows: pd.DataFrame, dataset: Dataset, by: str) -> npt.NDArray[np.object_]:
    """Return what each row has of a kind of segment, as text; None where it is unknown.

    Raises
    ------
    ParameterError
        If there is no such kind, or accounts have no such column.
    InputError
        If months are asked for and the rows have no times.
    """
    side, dot, column = by.partition(".")
    if by == "month":
        if "at" not in rows or not rows["at"].notna().any():
            raise InputError("segment: months need follows with times; these dyads have none")
        found = rows["at"].dt.strftime("%Y-%m")
    elif side in SIDES and not dot:
        found = rows[f"{side}_id"].astype(str)
    elif side in SIDES:
        found = rows[f"{side}_id"].map(_look_up(dataset, column))
    else:
        raise ParameterError(f"segment: {by!r} is unknown; kinds: {FORMS}")
    values = found.to_numpy(dtype=object)
    values[found.isna().to_numpy()] = None
    return values


def _look_up(dataset: Dataset, column: str) -> pd.Series:
    if not dataset.has("accounts", column):
        known = list(dataset.accounts.columns) if dataset.has("accounts") else []
        raise ParameterError(
            f"segment: accounts have no column {column!r}; {suggest(column, known)}"
        )
    accounts = dataset.accounts.drop_duplicates("account_id")
    texts = accounts[column].map(_as_text, na_action="ignore")
    return pd.Series(texts.to_numpy(), index=accounts["account_id"].to_numpy())


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool | np.bool_) else str(value)


def select_segment(
    dyads: DyadSet, features: FeatureTable, dataset: Dataset, segment: str
) -> tuple[DyadSet, FeatureTable]:
    """Return the dyads of a segment and their features, which all others had a part in.

    Features are those computed among all dyads: a segment changes which decisions are looked at,
    not what was known when they were made.

    Raises
    ------
    ParameterError, InputError
        As `match_segment`; and if fewer than five dyads belong to the segment.
    """
    if not segment:
        return dyads, features
    keep = match_segment(dyads.table, dataset, segment)
    if not keep.any():
        raise InputError(
            f"segment: none of {len(keep):,} dyads has {segment}; `list_segments` of "
            "`followkit.segments` lists what there is"
        )
    if keep.sum() < FEWEST_TO_HIDE_IN:
        raise InputError(
            f"segment: fewer than {FEWEST_TO_HIDE_IN} of {len(keep):,} dyads have {segment}, too "
            "few to hide in; ask for a larger part"
        )
    # The census goes into the report, and the segment may name somebody.
    chosen = select_dyads(dyads, keep, "only dyads of the segment")
    values = features.values[keep].set_axis(pd.Index(chosen.table["dyad_id"]), axis=0)
    return chosen, replace(features, values=values)


def list_segments(
    rows: pd.DataFrame, dataset: Dataset, by: str, *, fewest: int = FEWEST_DYADS
) -> list[str]:
    """Return the segments of a kind that have enough dyads, those with most dyads first.

    Parameters
    ----------
    rows, dataset
        As for `match_segment`.
    by
        month, initiator, decider, initiator.COLUMN or decider.COLUMN; months are in their order.
    fewest
        Dyads that a segment needs.

    Raises
    ------
    ParameterError, InputError
        As `find_values`; and where no segment is large enough.
    """
    counts = pd.Series(find_values(rows, dataset, by)).value_counts()
    table = counts.rename_axis("value").reset_index(name="count")
    order = ["value"] if by == "month" else ["count", "value"]
    table = table.sort_values(order, ascending=[name != "count" for name in order])
    names = [f"{by}={value}" for value in table.loc[table["count"] >= fewest, "value"]]
    if not names:
        most = int(counts.max()) if len(counts) else 0
        raise InputError(
            f"segment: no {by} has {fewest:,} dyads (the most is {most:,}); ask for fewer"
        )
    return [name for name in names if not re.search(r"[\x00-\x1f]", name)]
