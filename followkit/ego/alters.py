"""One row an alter: what ties it to the ego now, who came first, and what went before.

Only the two lists, the ego's own lists of people and the acts between the two are looked at. A
follow of the future (over a day after the export) has an unknown time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit.convert import as_text, to_flags
from followkit.ego.checks import LATEST, EgoExport
from followkit.ego.results import ACT_GROUPS
from followkit.tables import Dataset
from followkit.waiting import DAY

__all__ = [
    "FLAGS",
    "INVITING",
    "UNDIRECTED",
    "find_times",
    "list_acts",
    "list_alters",
    "make_alters",
]

FlagArray = npt.NDArray[np.bool_]

FLAGS = ("is_close_friend", "is_favorite", "is_restricted", "is_hidden_from", "is_dismissed")
#: A friendship or a connection is one tie, written as two follows of one stamp: nobody came first.
UNDIRECTED = ("facebook", "linkedin")
#: What is sent is an invitation, and those not yet accepted are all that an open wait can be.
INVITING = ("linkedin",)
#: An answer within so many seconds is a program's.
AUTOMATIC_SECONDS = 3.0
STAMPS = (
    "followed_at", "unfollowed_at", "requested_at", "followed_after_at", "followed_before_at",
    "unfollowed_after_at", "unfollowed_before_at",
)  # fmt: skip
#: The ego ended the alter's follow itself.
SHUT_OUT = ("block", "remove_follower")
TIME = "datetime64[us, UTC]"


def make_alters(dataset: Dataset, export: EgoExport) -> pd.DataFrame:
    """Return one row an alter: ties, order, waits, acts; see `EgoStudy.alters`.

    The first follow of each direction opens it; later ones, after a withdrawal, only keep the tie
    standing. Columns `is_in_rate` and those of chances and reasons are added later.

    Examples
    --------
    >>> from followkit.ego.checks import read_export
    >>> from followkit.tables import make_dataset
    >>> ties = pd.DataFrame({"follower_id": ["me", "bo", "me"], "followee_id": ["bo", "me", "cy"],
    ...     "followed_at": ["2024-01-01", "2024-01-03", "2024-01-20"]})
    >>> about = {"export": {"ego": "me", "exported_at": "2024-02-01T00:00:00Z"}}
    >>> data = make_dataset({"follows": ties}, about=about)
    >>> table = make_alters(data, read_export(data))
    >>> table[["alter_id", "state", "answer_days", "waiting_days"]].values.tolist()
    [['bo', 'mutual', 2.0, nan], ['cy', 'not_following_back', nan, 12.0]]
    """
    follows = _own_follows(dataset, export)
    forth, back = (_gather(follows[follows["is_forth"] == way]) for way in (True, False))
    ids = pd.Index(sorted({*forth.index, *back.index}), name="alter_id", dtype=object)
    table = _join_ways(forth.reindex(ids), back.reindex(ids))
    table = _add_accounts(table, dataset)
    acts = list_acts(dataset, export)
    shut = acts.loc[acts["kind"].isin(SHUT_OUT) & (acts["side"] == "ego"), "alter_id"]
    table["is_shut_out"] = table.index.isin(shut)
    table["state"] = _name_states(table, export)
    table = _add_order(table, export)
    table = _add_waits(table, export)
    table["position"] = _rank_follows(table["ego_followed_at"])
    return _add_acts(table, acts).reset_index()


def list_alters(ids: pd.Series) -> pd.Series:
    """Return account ids as text, whatever the dtype that all tables agreed on."""
    return ids.map(str).astype(object)


def find_times(ids: pd.Series, times: pd.Series) -> pd.Series:
    """Return the time of each id, missing where it has none; `times` may be empty."""
    found = times.reindex(pd.Index(ids.to_numpy(object), dtype=object))
    return _to_time(found).set_axis(ids.index)


def list_acts(dataset: Dataset, export: EgoExport) -> pd.DataFrame:
    """Return acts between the ego and others: alter_id, side (who acts), kind, group, at, amount.

    Acts after the export have no place in it and lose their time.
    """
    acts = dataset.interactions
    actor, target = list_alters(acts["actor_id"]), list_alters(acts["target_id"])
    is_own, is_towards = actor == export.ego, target == export.ego
    at = acts["at"] if "at" in acts else pd.Series(pd.NaT, index=acts.index, dtype=TIME)
    amount = acts["count"] if "count" in acts else pd.Series(1, index=acts.index)
    groups = {kind: group for group, kinds in ACT_GROUPS.items() for kind in kinds}
    table = pd.DataFrame(
        {"alter_id": target.where(is_own, actor), "side": np.where(is_own, "ego", "alter"),
         "kind": acts["kind"], "group": acts["kind"].map(groups),
         "at": at.where(~(at > export.exported_at + LATEST)),
         "amount": amount.fillna(1).astype("int64")}
    )  # fmt: skip
    return table[(is_own != is_towards).to_numpy(dtype=bool)].reset_index(drop=True)


def _own_follows(dataset: Dataset, export: EgoExport) -> pd.DataFrame:
    """Return the follows of and towards the ego, with every column of times and of status."""
    follows = dataset.follows
    source, target = list_alters(follows["follower_id"]), list_alters(follows["followee_id"])
    is_forth, is_back = source == export.ego, target == export.ego
    table = pd.DataFrame({"alter_id": target.where(is_forth, source), "is_forth": is_forth})
    for name in STAMPS:
        stamps = follows[name] if name in follows else pd.Series(pd.NaT, follows.index, dtype=TIME)
        table[name] = stamps.where(~(stamps > export.exported_at + LATEST))
    status = follows["status"] if "status" in follows else pd.Series("", follows.index)
    table["is_pending"] = (status == "pending").fillna(False).to_numpy(dtype=bool)
    ends = table[["unfollowed_at", "unfollowed_before_at"]].notna().any(axis=1)
    # Last seen in an earlier export, and no later list was whole: nobody knows.
    table["is_unseen"] = ~ends & table["unfollowed_after_at"].notna()
    table["is_gone"] = ends | table["is_unseen"]
    return table[(is_forth != is_back).to_numpy(dtype=bool)]


def _gather(follows: pd.DataFrame) -> pd.DataFrame:
    """Return one row an alter of the follows of one direction."""
    real = follows[~follows["is_pending"]]
    # The first spell opens the tie; one without a time may be the earliest of all.
    spells = real.sort_values(["alter_id", "followed_at"], kind="stable", na_position="last")
    first = spells.drop_duplicates("alter_id").set_index("alter_id")
    by = real.groupby("alter_id")
    asked = follows[follows["is_pending"]].groupby("alter_id")["requested_at"].min()
    table = first[["followed_at", "followed_after_at", "followed_before_at"]].copy()
    # Between two exports: the last moment at which it was seen standing.
    seen = first["unfollowed_after_at"].where(first["is_gone"])
    table["withdrawn_at"] = first["unfollowed_at"].fillna(seen)
    table["stands"] = ~by["is_gone"].all()
    table["is_unseen"] = by["is_unseen"].any() & ~table["stands"]
    table["unfollowed_at"] = by["unfollowed_at"].max()
    left = real[real["is_gone"]].groupby("alter_id")
    table["left_after_at"] = left["unfollowed_after_at"].max()
    table["left_before_at"] = left["unfollowed_before_at"].max()
    table = table.reindex(table.index.union(asked.index))
    for name in ("stands", "is_unseen"):
        table[name] = table[name].eq(True)
    table["is_made"] = table.index.isin(first.index)
    table["is_asked"] = table.index.isin(asked.index)
    table["requested_at"] = asked.reindex(table.index)
    return table


def _join_ways(forth: pd.DataFrame, back: pd.DataFrame) -> pd.DataFrame:
    table = pd.DataFrame(index=forth.index)
    for side, way in (("ego", forth), ("alter", back)):
        for name in ("stands", "is_unseen", "is_made", "is_asked"):
            table[f"{side}_{name}"] = way[name].eq(True).to_numpy(dtype=bool)
        for name in ("followed_at", "followed_after_at", "followed_before_at"):
            table[f"{side}_{name}"] = _to_time(way[name])
    table["ego_follows"], table["alter_follows"] = table["ego_stands"], table["alter_stands"]
    asked = _to_time(forth["requested_at"])
    table["requested_at"] = asked.fillna(_to_time(back["requested_at"]))
    table["unfollowed_at"] = _to_time(forth["unfollowed_at"]).mask(table["ego_stands"])
    table["withdrawn_at"] = _to_time(forth["withdrawn_at"])
    is_gone = ~table["alter_stands"]
    for name in ("left_after_at", "left_before_at"):
        table[name] = _to_time(back[name]).where(is_gone)
    return table


def _to_time(column: pd.Series) -> pd.Series:
    return pd.to_datetime(column, utc=True).astype(TIME)


def _add_accounts(table: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Add names, the account's own state and the ego's lists that it is on."""
    accounts = dataset.accounts
    own = accounts.set_index(list_alters(accounts["account_id"])).reindex(table.index)
    for name in ("handle", "display_name"):
        table[name] = own.get(name, None)
    state = as_text(own["state"]) if "state" in own else pd.Series("ok", index=table.index)
    table["account_state"] = state.fillna("ok").astype(object)
    for name in FLAGS:
        flags = to_flags(own[name])[0] if name in own else pd.Series(False, index=table.index)
        table[name] = flags.fillna(False).astype(bool)
    return table


def _name_states(table: pd.DataFrame, export: EgoExport) -> pd.Series:
    """Name what ties each alter to the ego at the export; the first rule that holds counts."""
    ego, alter = table["ego_follows"], table["alter_follows"]
    cannot = table["is_shut_out"] | (table["account_state"] != "ok")
    is_hidden = ~ego & alter & (export.lists.get("following", "whole") == "cut")
    # Following without a connection is possible there, and followers are not listed.
    is_hidden |= ego & ~alter & (export.platform in INVITING)
    is_hidden |= table["ego_is_unseen"] | table["alter_is_unseen"]
    rules: dict[str, pd.Series] = {
        "deleted": table["account_state"] == "deleted",
        "mutual": ego & alter,
        "pending": ~ego & table["ego_is_asked"],
        "received_request": ~alter & table["alter_is_asked"],
        "unknown": is_hidden | (ego & ~alter & cannot),
        "fan": alter,
        "not_following_back": ego,
        "unfollowed_by_me": table["ego_is_made"],
        "former_fan": table["alter_is_made"],
    }
    names = np.select([rule.to_numpy(dtype=bool) for rule in rules.values()], list(rules),
                      "unknown")  # fmt: skip
    return pd.Series(names, index=table.index, dtype=object)


def _add_order(table: pd.DataFrame, export: EgoExport) -> pd.DataFrame:
    """Add who followed first, when, and when the other did."""
    ego, alter = table["ego_followed_at"], table["alter_followed_at"]
    # Between two snapshots a follow is known to lie in (after, before].
    ego_ends = _bound(table, "ego")
    alter_ends = _bound(table, "alter")
    both = table["ego_is_made"] & table["alter_is_made"]
    is_equal = (both & (ego == alter)).to_numpy(dtype=bool)
    is_ego = (both & (ego_ends[1] <= alter_ends[0])).to_numpy(dtype=bool) & ~is_equal
    is_alter = (both & (alter_ends[1] <= ego_ends[0])).to_numpy(dtype=bool) & ~is_equal
    invited = table["ego_is_asked"] & ~table["alter_is_made"]
    only_ego = ~table["alter_is_made"] & (table["ego_is_made"] | invited)
    only_alter = ~table["ego_is_made"] & table["alter_is_made"]
    conditions = [is_equal, is_ego | only_ego, is_alter | only_alter]
    table["who_first"] = np.select(conditions, ["same_time", "ego", "alter"], "unknown")
    first = ego.where((table["who_first"] != "alter"), alter)
    second = alter.where((table["who_first"] != "alter"), ego)
    is_known = table["who_first"] != "unknown"
    first, second = first.where(is_known), second.where(is_known & both)
    if export.platform in INVITING:
        is_open = table["state"] == "pending"
        first = first.mask(is_open & first.isna(), table["requested_at"])
    table["followed_at"], table["answered_at"] = first, second
    # A withdrawal before the answer ends the wait: what came later answers another follow.
    late = (table["who_first"] == "ego") & (table["withdrawn_at"] < second)
    table["is_withdrawn_first"] = late.fillna(False).to_numpy(dtype=bool)
    return table


def _bound(table: pd.DataFrame, side: str) -> tuple[pd.Series, pd.Series]:
    at = table[f"{side}_followed_at"]
    return (
        at.fillna(table[f"{side}_followed_after_at"]),
        at.fillna(table[f"{side}_followed_before_at"]),
    )


def _add_waits(table: pd.DataFrame, export: EgoExport) -> pd.DataFrame:
    days = (table["answered_at"] - table["followed_at"]) / DAY
    table["answer_days"] = days.mask(table["is_withdrawn_first"]).astype(float)
    has_seconds = _precision_seconds(table) <= 1 and export.platform not in UNDIRECTED
    gap = table["answer_days"] * 86_400
    table["is_automatic"] = (gap <= AUTOMATIC_SECONDS + 1e-6).to_numpy(dtype=bool) & has_seconds
    is_open = (table["who_first"] == "ego") & (table["state"] == "not_following_back")
    if export.platform in INVITING:
        is_open |= table["state"] == "pending"
    is_open &= ~table["alter_is_made"]
    waited = ((export.exported_at - table["followed_at"]) / DAY).clip(lower=0.0)
    table["waiting_days"] = waited.where(is_open).astype(float)
    return table


def _precision_seconds(table: pd.DataFrame) -> float:
    """Return how fine the times are: pages in HTML give minutes, some files only days."""
    stamps = pd.concat([table["ego_followed_at"], table["alter_followed_at"]]).dropna()
    if (stamps.dt.second != 0).any() or (stamps.dt.microsecond != 0).any():
        return 1.0
    return 60.0 if ((stamps.dt.minute != 0) | (stamps.dt.hour != 0)).any() else 86_400.0


def _rank_follows(at: pd.Series) -> pd.Series:
    """Return the place of each follow of the ego by time, 1 the first; equal times share it."""
    return at.rank(method="min").astype("Int64")


def _add_acts(table: pd.DataFrame, acts: pd.DataFrame) -> pd.DataFrame:
    """Add counts of acts before and after the first follow, by side and group."""
    known = acts[acts["group"].notna() & acts["alter_id"].isin(table.index)]
    first = find_times(known["alter_id"], table["followed_at"])
    is_placed = (known["at"].notna() & first.notna()).to_numpy(dtype=bool)
    is_before = (known["at"] < first).to_numpy(dtype=bool)
    when = np.where(is_placed, np.where(is_before, "before", "after"), "untimed")
    group = np.where(is_placed, known["group"], "acts")
    known = known.assign(column=known["side"].astype(str) + "_" + group + "_" + when)
    sums = known.pivot_table("amount", "alter_id", "column", aggfunc="sum", fill_value=0)
    names = [
        f"{side}_{one}_{part}"
        for part in ("before", "after") for side in ("ego", "alter") for one in ACT_GROUPS
    ]  # fmt: skip
    names += ["ego_acts_untimed", "alter_acts_untimed"]
    counts = sums.reindex(index=table.index, columns=names, fill_value=0).fillna(0)
    return table.join(counts.astype("int64"))
