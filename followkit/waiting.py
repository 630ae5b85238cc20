"""Timed dyads: who opened each pair, how long the decider was watched, and what came first.

The first follow of an ordered pair opens it; later spells of the same pair (follow, unfollow,
follow again) are counted and left alone. The initiator is the one whose first follow is earlier.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from followkit.errors import InputError
from followkit.observation import find_last_moment, keep_active, make_spans
from followkit.tables import Dataset

__all__ = ["DAY", "PAIR", "TIE", "add_observation", "make_waiting", "pair_up"]

DAY = pd.Timedelta(days=1)
PAIR = ["initiator_id", "decider_id"]
TIE = ["follower_id", "followee_id"]

CensusRow = tuple[str, int, str]


def make_waiting(dataset: Dataset, *, late_entry: bool = False) -> pd.DataFrame:
    """Return every timed dyad with how long it was watched, the young ones included.

    A dyad leaves the watch at the first of: the answer, the withdrawal of A→B, the deletion of
    the decider, the end of the decider's observation (censored). A withdrawal at the very moment
    of the answer counts as answered. A pair with equal stamps is one row, answered on day 0, if
    both accounts were watched; its roles are arbitrary (the smaller id stands first).

    Parameters
    ----------
    dataset
        Canonical tables with times of follows.
    late_entry
        Also return dyads whose decider was watched only from some time after t: those that were
        still open then enter the risk set at that moment, and those answered, withdrawn or deleted
        by then are left out, since such a dyad could not have been seen unless it was open.

    Returns
    -------
    pandas.DataFrame
        dyad_id, initiator_id, decider_id, at (UTC), duration_days (from `at` to leaving the
        watch), state (answered, withdrawn, deleted, censored), has_answer, is_equal_stamp; with
        late_entry also entry_days (from `at` to the begin of the watch; 0: watched from t on).
        Sorted by initiator and decider.

    Raises
    ------
    InputError
        If the data hold no times of follows.

    Examples
    --------
    >>> from followkit.tables import make_dataset
    >>> ties = pd.DataFrame({
    ...     "follower_id": ["a", "b", "c"], "followee_id": ["b", "a", "a"],
    ...     "followed_at": ["2024-01-01", "2024-01-03", "2024-01-02"]})
    >>> make_waiting(make_dataset({"follows": ties}))[["duration_days", "state"]].values.tolist()
    [[2.0, 'answered'], [1.0, 'censored']]
    """
    if not dataset.has("follows", "followed_at"):
        raise InputError("follows: followed_at is needed to follow dyads over time; it is missing")
    pairs, _ = pair_up(dataset)
    pairs = add_observation(pairs, dataset)
    is_watched = pairs["is_watched"].to_numpy(dtype=bool)
    if late_entry:
        late = _enter_late(pairs[~is_watched], dataset)
        pairs = pd.concat([pairs[is_watched].assign(entry_days=0.0), late])
    else:
        pairs = pairs[is_watched]
    equal = pairs["is_equal_stamp"].to_numpy(dtype=bool)
    forth = pd.MultiIndex.from_frame(pairs[PAIR])
    back = pd.MultiIndex.from_frame(pairs[PAIR[::-1]])
    is_first = (pairs["initiator_id"] < pairs["decider_id"]).to_numpy(dtype=bool)
    kept = pairs[~equal | (is_first & back.isin(forth[equal]))]
    entry = ["entry_days"] * late_entry
    table = kept[[*PAIR, "at", "duration_days"]].assign(
        state=kept["end_state"],
        has_answer=(kept["end_state"] == "answered").to_numpy(dtype=bool),
        is_equal_stamp=kept["is_equal_stamp"].to_numpy(dtype=bool),
        **{name: kept[name] for name in entry},
    )
    table = table.sort_values(PAIR, kind="stable", ignore_index=True)
    table.insert(0, "dyad_id", np.arange(len(table), dtype=np.int64))
    return table


def pair_up(dataset: Dataset) -> tuple[pd.DataFrame, list[CensusRow]]:
    """Return one row a pair that somebody opened, and the census from follows to dyads.

    Columns initiator_id, decider_id, at, withdrawn_at, answer_at (UTC), is_equal_stamp. Pairs
    with equal stamps have a row in each direction.
    """
    follows = keep_active(dataset.follows)
    is_timed = follows["followed_at"].notna().to_numpy(dtype=bool)
    timed = follows[is_timed]
    if "unfollowed_at" not in timed:
        none = pd.Series(pd.NaT, timed.index, dtype="datetime64[us, UTC]")
        timed = timed.assign(unfollowed_at=none)
    spells = timed.sort_values([*TIE, "followed_at"], kind="stable")
    ties = spells.drop_duplicates(TIE)[[*TIE, "followed_at", "unfollowed_at"]]
    ties.columns = pd.Index([*PAIR, "at", "withdrawn_at"])
    undated = pd.MultiIndex.from_frame(follows.loc[~is_timed, TIE[::-1]])
    is_open = ~pd.MultiIndex.from_frame(ties[PAIR]).isin(undated)
    reverse = ties[[*PAIR, "at"]]
    reverse.columns = pd.Index(["decider_id", "initiator_id", "answer_at"])
    is_dated = pd.MultiIndex.from_frame(ties[PAIR[::-1]]).isin(pd.MultiIndex.from_frame(ties[PAIR]))
    is_open |= is_dated
    both = ties[is_open].merge(reverse, on=PAIR, how="left")
    equal = (both["answer_at"] == both["at"]).to_numpy(dtype=bool)
    later = (both["answer_at"] < both["at"]).to_numpy(dtype=bool)
    pairs = both.assign(is_equal_stamp=equal)[~later].reset_index(drop=True)
    census = [
        ("follows read", len(dataset.follows), ""),
        ("pending", len(dataset.follows) - len(follows), "requests are not follows"),
        ("without a time", len(follows) - len(timed), "cannot be placed before or after"),
        ("followed again", len(spells) - len(ties), "the first follow opens the dyad"),
        ("reverse without a time", int((~is_open).sum()), "who came first is unknown"),
        ("answers among ties", int(later.sum()), "the later tie of a pair"),
        ("equal stamps", int(equal.sum()), "answered, but nobody came first: no initiator"),
        ("dyads", int((~equal & ~later).sum()), "pairs with a known initiator"),
    ]
    return pairs, census


def add_observation(pairs: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Add whether the decider was watched from t on, until when, and how the watch ended.

    Adds is_watched, until_at (end of the span of observation that holds t), deleted_at,
    duration_days and end_state (answered, withdrawn, deleted, censored).
    """
    spans = make_spans(dataset)
    found = _join_spans(pairs, spans)
    found = found[(found["from_at"] <= found["at"]) & (found["at"] <= found["until_at"])]
    until = found.groupby("index")["until_at"].max().reindex(pairs.index)
    deleted = _find_deleted(pairs["decider_id"], dataset)
    deleted = deleted.where(deleted > pairs["at"])
    # Watching somebody to their deletion is watching them to the end of the data.
    until = until.mask((deleted <= until).to_numpy(dtype=bool), find_last_moment(dataset))
    return _name_ends(pairs.assign(until_at=until, is_watched=until.notna(), deleted_at=deleted))


def _enter_late(pairs: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Return the unwatched dyads that were still open when their decider's watch began, with it."""
    found = _join_spans(pairs, make_spans(dataset))
    found = found[found["from_at"] > found["at"]].sort_values("from_at", kind="stable")
    first = found.drop_duplicates("index").set_index("index")
    late = pairs.loc[pairs.index.isin(first.index)]
    begin = first["from_at"].reindex(late.index)
    until = first["until_at"].reindex(late.index)
    is_seen_out = (late["deleted_at"] <= until).to_numpy(dtype=bool)
    until = until.mask(is_seen_out, find_last_moment(dataset))
    late = late.assign(until_at=until, entry_days=(begin - late["at"]) / DAY)
    ends = late[["answer_at", "withdrawn_at", "deleted_at", "until_at"]].min(axis=1)
    return _name_ends(late[(ends > begin).to_numpy(dtype=bool)])


def _join_spans(pairs: pd.DataFrame, spans: pd.DataFrame) -> pd.DataFrame:
    """Return every span of observation of each pair's decider, with the pair's index and t."""
    rows = pairs[["decider_id", "at"]].reset_index()
    return rows.merge(spans, left_on="decider_id", right_on="account_id", how="inner")


def _name_ends(frame: pd.DataFrame) -> pd.DataFrame:
    """Add how long each pair was followed and what ended it first."""
    ends = frame[["answer_at", "withdrawn_at", "deleted_at", "until_at"]].min(axis=1)
    state = np.select(
        [frame[name] == ends for name in ("answer_at", "withdrawn_at", "deleted_at")],
        ["answered", "withdrawn", "deleted"],
        "censored",
    )
    return frame.assign(duration_days=(ends - frame["at"]) / DAY, end_state=state)


def _find_deleted(ids: pd.Series, dataset: Dataset) -> pd.Series:
    """Return when each account was deleted, where the table of accounts says so."""
    if not dataset.has("accounts", "deleted_at"):
        return pd.Series(pd.NaT, index=ids.index, dtype="datetime64[us, UTC]")
    accounts = dataset.accounts.drop_duplicates("account_id")
    deleted = pd.to_datetime(accounts["deleted_at"], utc=True, format="ISO8601", errors="coerce")
    lookup = pd.Series(deleted.to_numpy(), index=accounts["account_id"].to_numpy())
    stamps = pd.to_datetime(ids.map(lookup), utc=True)
    return stamps.astype("datetime64[us, UTC]")
