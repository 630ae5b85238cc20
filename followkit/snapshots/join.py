"""Several exports of one account → one data set in which follows begin and end.

An export knows who follows now, and since when. A second one, later, knows who has gone since: not
the moment, only the two exports between which it lies. What came and went between two exports was
seen by neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from followkit.errors import InputError
from followkit.snapshots.ties import Lists, Pair, Side, find_renames, read_lists
from followkit.tables import Dataset, make_dataset

__all__ = ["join_snapshots"]

#: Minutes of an HTML page and seconds of its JSON twin are the same moment.
SAME = pd.Timedelta(minutes=2)
SIDES: tuple[Side, ...] = ("followers", "following")

Row = dict[str, Any]


@dataclass
class _Spell:
    """One follow from its begin to its end, as far as the exports saw them."""

    followed_at: pd.Timestamp | None
    first_at: pd.Timestamp
    last_at: pd.Timestamp
    followed_after_at: pd.Timestamp | None = None
    ended_at: pd.Timestamp | None = None
    gone_by_at: pd.Timestamp | None = None
    is_lost: bool = False

    @property
    def is_open(self) -> bool:
        """Whether nobody has seen it end."""
        return self.ended_at is None and self.gone_by_at is None and not self.is_lost


def join_snapshots(datasets: Iterable[Dataset]) -> Dataset:
    """Return two or more exports of one account as one data set in which follows begin and end.

    A follow that stands in one export and no longer in the next, though that list was whole, ended
    between the two: `unfollowed_after_at` is the earlier export, `unfollowed_before_at` the later.
    `unfollowed_at` is filled only where a list of the platform tells the moment, which is for
    withdrawals of the ego. A follow without a time that is new in a whole list began between two
    exports (`followed_after_at`, `followed_before_at`). A follow whose time is later than the last
    export that showed it was made again, and is a row of its own. Lists that were cut or failed
    their checks only say who stands on them, never who does not.

    Accounts that changed their name (`find_renames`) go by their last name, with the earlier ones
    in the column renamed_from. Accounts that were deleted keep their last real name; their ties
    are not seen to end, and they are watched only as long as they were there.

    Observation, where follows have times: every account from the first stamp of the data to the
    first export (`sees_unfollows` false: only survivors are known), and from there to the last
    export that shows the account (true). The second holds for follows that one of the exports
    shows. One that began and ended between two exports was seen by nobody, so short spells are
    missing, and answers soon taken back with them: the longer the gap, the more. An account that
    left every list at once may have closed, so it is watched only until it was last seen. Where no
    follow has a time there are crawls instead, one an export, for the question *late answer*.

    Parameters
    ----------
    datasets
        Exports of one account, in any order. Of two of the same moment the one with more times
        counts.

    Returns
    -------
    Dataset
        follows, accounts (the last word on each), posts, interactions (without text, each act
        once), observation. about["export"] is that of the last one, with `snapshots`: their
        moments as ISO text.

    Raises
    ------
    InputError
        For fewer than two moments, exports of several accounts or platforms, or one whose moment
        or owner is not known.

    Examples
    --------
    >>> def export(day, followers):
    ...     ties = pd.DataFrame({"follower_id": [*followers, "me"], "followee_id": [
    ...         *["me"] * len(followers), "bo"], "followed_at": "2026-01-01T10:00:07Z"})
    ...     lists = {side: {"state": "whole"} for side in ("followers", "following")}
    ...     return make_dataset({"follows": ties}, about={"export": {"platform": "tiktok",
    ...         "ego": "me", "exported_at": day, "lists": lists}})
    >>> joined = join_snapshots([export("2026-03-01", ["bo"]), export("2026-02-01", ["bo", "cy"])])
    >>> gone = joined.follows.dropna(subset="unfollowed_before_at")
    >>> gone[["follower_id", "unfollowed_before_at"]].astype(str).values.tolist()
    [['cy', '2026-03-01 00:00:00+00:00']]
    """
    snapshots = _order(list(datasets))
    join = _Join([lists for lists, _ in snapshots])
    frames = [dataset for _, dataset in snapshots]
    tables = {
        "follows": pd.DataFrame(join.list_follows()),
        "accounts": _join_accounts(frames, join),
        "posts": _join_posts(frames, join),
        "interactions": _join_acts(frames, join),
        "observation": pd.DataFrame(join.list_observation()),
    }
    last = frames[-1]
    moments = [lists.at.isoformat() for lists, _ in snapshots]
    about = {**last.about, "export": {**last.about["export"], "snapshots": moments}}
    steps = pd.DataFrame(join.list_steps(), columns=["table", "step", "rows", "note"])
    return make_dataset({name: frame for name, frame in tables.items() if len(frame)},
                        name=last.name, about=about, quality=steps)  # fmt: skip


def _order(datasets: Sequence[Dataset]) -> list[tuple[Lists, Dataset]]:
    read = [(read_lists(dataset), dataset) for dataset in datasets]
    whose = sorted({(lists.platform, lists.ego) for lists, _ in read})
    if len(whose) > 1:
        named = "; ".join(f"{ego} on {platform}" for platform, ego in whose[:3])
        raise InputError(
            f"snapshots: must be of one account; got {len(whose)}, first: {named}. Join each "
            "account by itself; if they are one, read them again with the same ego."
        )
    best: dict[pd.Timestamp, tuple[Lists, Dataset]] = {}
    for lists, dataset in read:
        if lists.at not in best or _count_times(lists) > _count_times(best[lists.at][0]):
            best[lists.at] = (lists, dataset)
    if len(best) < 2:
        raise InputError(
            f"snapshots: at least 2 exports of different moments are needed; got {len(best)}. Ask "
            "the platform for another one, and keep both."
        )
    return [best[at] for at in sorted(best)]


def _count_times(lists: Lists) -> int:
    return sum(at is not None for side in SIDES for at in lists.side(side).values())


class _Join:
    """Ties over all exports, each account under its last name."""

    def __init__(self, snapshots: Sequence[Lists]) -> None:
        self.snapshots = snapshots
        self.ego = snapshots[-1].ego
        self.names: dict[tuple[int, str], str] = {}
        self.former: dict[str, list[str]] = {}
        self.deleted_from: dict[str, int] = {}
        self._name_accounts()
        self.spells: dict[tuple[Side, str], list[_Spell]] = {}
        self._lapsed = 0
        self._places = self._find_places()
        for side in SIDES:
            self._trace(side)

    def name(self, place: int, account: str) -> str:
        """Return the last name of an account that the export at this place names."""
        return self.names.get((place, account), account)

    def _name_accounts(self) -> None:
        """Carry names from the last export to the first; a deleted account keeps its real one."""
        for place in range(len(self.snapshots) - 2, -1, -1):
            earlier, later = self.snapshots[place], self.snapshots[place + 1]
            renames = {one.earlier: one.later for one in find_renames(earlier, later)}
            for account in earlier.seen:
                after = renames.get(account, account)
                if after != account and after in later.deleted:
                    self._call_deleted(place + 1, after, account)
                    continue
                last = self.name(place + 1, after)
                if last != account:
                    self.names[place, account] = last
                    self.former.setdefault(last, []).append(account)
        for place, lists in enumerate(self.snapshots):
            for account in lists.deleted:
                self.deleted_from.setdefault(self.name(place, account), place)

    def _call_deleted(self, place: int, marked: str, account: str) -> None:
        """Give the deleted account its real name, in this and every later export."""
        for later in range(place, len(self.snapshots)):
            self.names[later, marked] = account

    # ------------------------------------------------------------------------------------- spells

    def _trace(self, side: Side) -> None:
        for place, lists in enumerate(self.snapshots):
            stands = {self.name(place, account): at for account, at in lists.side(side).items()}
            for account, at in stands.items():
                self._see(side, account, at, place)
            if side in lists.whole:
                for (other, account), spells in self.spells.items():
                    if other == side and account not in stands and spells[-1].is_open:
                        self._miss(account, spells[-1], place)
        for place, lists in enumerate(self.snapshots):
            for account, at in lists.withdrawn.items() if side == "following" else ():
                self._withdraw(self.name(place, account), at, place)

    def _see(self, side: Side, account: str, at: pd.Timestamp | None, place: int) -> None:
        now = self.snapshots[place].at
        # Some exports tell only the day on which they were made, and hold follows of that day.
        seen_at = now if at is None else max(now, at)
        spells = self.spells.setdefault((side, account), [])
        last = spells[-1] if spells else None
        is_again = last is not None and at is not None and at > last.last_at + SAME
        if last is not None and last.is_open and not is_again:
            last.last_at = seen_at
            finer = last.followed_at is None or (at is not None and _is_finer(at, last.followed_at))
            last.followed_at = at if finer else last.followed_at
            return
        if last is not None and last.is_open:
            # It must have ended before it could be made again.
            last.gone_by_at = at
        elif last is not None and not is_again and at is not None:
            # The same follow as before: it was away, not withdrawn (a closed account came back).
            last.ended_at = last.gone_by_at = None
            last.is_lost, last.last_at = False, seen_at
            return
        after = self._last_whole(side, place) if at is None else None
        spells.append(_Spell(at, now, seen_at, followed_after_at=after))

    def _last_whole(self, side: Side, place: int) -> pd.Timestamp | None:
        """Return the export before, if its list was whole: the follow was not there yet."""
        before = self.snapshots[place - 1] if place else None
        return before.at if before is not None and side in before.whole else None

    def _miss(self, account: str, spell: _Spell, place: int) -> None:
        if self.deleted_from.get(account, len(self.snapshots)) <= place:
            spell.is_lost = True
        else:
            spell.gone_by_at = self.snapshots[place].at

    def _withdraw(self, account: str, at: pd.Timestamp, place: int) -> None:
        spells = self.spells.setdefault(("following", account), [])
        for spell in spells:
            begin = spell.followed_at if spell.followed_at is not None else spell.first_at
            gone = spell.gone_by_at
            if gone is not None and begin <= at <= gone and at >= spell.last_at - SAME:
                spell.ended_at = at
                return
        is_told = any(spell.ended_at == at for spell in spells)
        is_made_again = any(spell.is_open and at < spell.last_at for spell in spells)
        if not is_told and not is_made_again:
            moment = self.snapshots[place].at
            spells.insert(0, _Spell(None, moment, moment, ended_at=at))

    # --------------------------------------------------------------------------------------- rows

    def list_follows(self) -> list[Row]:
        """Return the rows of follows: spells, and requests that the last export shows open."""
        asked: dict[Pair, pd.Timestamp | None] = {}
        for place, lists in enumerate(self.snapshots):
            for (source, target), at in lists.requested.items():
                pair = self.name(place, source), self.name(place, target)
                asked.setdefault(pair, at)
        rows: list[Row] = []
        for (side, account), spells in sorted(self.spells.items()):
            pair = (account, self.ego) if side == "followers" else (self.ego, account)
            rows += [_make_row(pair, spell, self.snapshots[-1].at) for spell in spells]
            rows[-1]["requested_at"] = _keep_earlier(asked.get(pair), spells[-1].followed_at)
        made = {(row["follower_id"], row["followee_id"]) for row in rows}
        last = len(self.snapshots) - 1
        pending = {(self.name(last, source), self.name(last, target))
                   for source, target in self.snapshots[-1].pending}  # fmt: skip
        standing = {pair for pair in pending if not self._stands(pair)}
        self._lapsed = len(set(asked) - made - pending)
        rows += [
            {"follower_id": source, "followee_id": target, "status": "pending",
             "requested_at": asked.get((source, target))}
            for source, target in sorted(standing)
        ]  # fmt: skip
        return sorted(rows, key=lambda row: (row["follower_id"], row["followee_id"]))

    def _stands(self, pair: Pair) -> bool:
        side: Side = "followers" if pair[1] == self.ego else "following"
        spells = self.spells.get((side, pair[0] if side == "followers" else pair[1]), [])
        return bool(spells) and spells[-1].is_open

    def list_observation(self) -> list[Row]:
        """Return who was watched from when to when: spans, or crawls where no follow has a time."""
        stamps = [
            at for spells in self.spells.values() for spell in spells
            for at in (spell.followed_at, spell.ended_at) if at is not None
        ]  # fmt: skip
        has_times = any(
            spell.followed_at is not None for spells in self.spells.values() for spell in spells
        )
        accounts = sorted({account for _, account in self.spells} | {self.ego})
        if not has_times:
            return [row for account in accounts for row in self._crawls(account)]
        since = min([*stamps, self.snapshots[0].at])
        return [row for account in accounts for row in self._spans(account, since)]

    def _shown(self, account: str) -> list[int]:
        """Return the exports that show an account, alive."""
        if account == self.ego:
            return list(range(len(self.snapshots)))
        end = self.deleted_from.get(account, len(self.snapshots))
        return sorted(place for place in self._places.get(account, ()) if place < end)

    def _find_places(self) -> dict[str, set[int]]:
        """Return for each account the exports that name it."""
        found: dict[str, set[int]] = {}
        for place, lists in enumerate(self.snapshots):
            for account in lists.seen:
                found.setdefault(self.name(place, account), set()).add(place)
        return found

    def _spans(self, account: str, since: pd.Timestamp) -> list[Row]:
        side: Side = "following" if account == self.ego else "followers"
        shown = self._shown(account)
        whole = [place for place in shown if side in self.snapshots[place].whole]
        if not shown:
            return []
        if not whole:
            return [_watch(account, since, self.snapshots[shown[-1]].at, False, False)]
        # Between whole lists withdrawals are seen; before the first one only survivors are.
        first = next(place for place, lists in enumerate(self.snapshots) if side in lists.whole)
        first_at, last_at = self.snapshots[first].at, self.snapshots[whole[-1]].at
        rows = [_watch(account, since, first_at, True, False), _watch(account, first_at, last_at,
                True, True)]  # fmt: skip
        return [row for row in rows if row["observed_from_at"] < row["observed_until_at"]]

    def _crawls(self, account: str) -> list[Row]:
        side: Side = "following" if account == self.ego else "followers"
        return [
            _watch(account, lists.at, lists.at, side in lists.whole, True)
            for lists in (self.snapshots[place] for place in self._shown(account))
        ]

    def list_steps(self) -> list[tuple[str, str, int, str]]:
        """Return what was joined, for the quality table."""
        spells = [spell for found in self.spells.values() for spell in found]
        gone = sum(spell.gone_by_at is not None for spell in spells)
        notes = [
            f"{len(self.snapshots)} exports were joined, from {self.snapshots[0].at:%Y-%m-%d} to "
            f"{self.snapshots[-1].at:%Y-%m-%d}",
            f"{gone:,} follows ended between two exports",
            f"{len(self.former):,} accounts changed their name",
            f"{len(self.deleted_from):,} accounts were deleted",
            f"{self._lapsed:,} requests were neither answered nor kept",
        ]
        return [("follows", "noted", 0, note) for note in notes]


def _is_finer(at: pd.Timestamp, than: pd.Timestamp) -> bool:
    return bool(at.second + at.microsecond) and not than.second + than.microsecond


def _keep_earlier(asked: pd.Timestamp | None, made: pd.Timestamp | None) -> pd.Timestamp | None:
    return asked if asked is None or made is None or asked <= made else None


def _make_row(pair: Pair, spell: _Spell, last_at: pd.Timestamp) -> Row:
    row: Row = {"follower_id": pair[0], "followee_id": pair[1], "status": "active",
                "followed_at": spell.followed_at, "unfollowed_at": spell.ended_at}  # fmt: skip
    is_seen = spell.ended_at is None or spell.gone_by_at is not None
    if spell.followed_at is None and is_seen:
        row |= {"followed_after_at": spell.followed_after_at, "followed_before_at": spell.first_at}
    # Not shown by the last list, and not known to be gone either: from then on nobody knows.
    is_unseen = spell.ended_at is None and spell.last_at < last_at
    if spell.gone_by_at is not None or is_unseen:
        row |= {"unfollowed_after_at": spell.last_at, "unfollowed_before_at": spell.gone_by_at}
    return row


def _watch(
    account: str, since: pd.Timestamp, until: pd.Timestamp, is_whole: bool, sees: bool
) -> Row:
    return {"account_id": account, "table_name": "follows", "observed_from_at": since,
            "observed_until_at": until, "list_is_complete": is_whole,
            "sees_unfollows": sees}  # fmt: skip


def _rename(frame: pd.DataFrame, columns: Sequence[str], join: _Join, place: int) -> pd.DataFrame:
    """Return a table with the account ids of these columns as text, under their last names."""
    found = [name for name in columns if name in frame]
    return frame.assign(**{
        name: [None if pd.isna(one) else join.name(place, str(one)) for one in frame[name]]
        for name in found
    })  # fmt: skip


def _join_accounts(datasets: Sequence[Dataset], join: _Join) -> pd.DataFrame:
    """Return the last word on every account, column by column."""
    parts = [_rename(one.accounts, ["account_id"], join, place)
             for place, one in enumerate(datasets) if one.has("accounts")]  # fmt: skip
    if not parts:
        return pd.DataFrame()
    rows = pd.concat([part.astype(object) for part in parts], ignore_index=True)
    table = rows.groupby("account_id", sort=True, as_index=False).last()
    if join.former:
        names = table["account_id"].map(lambda one: " ".join(sorted(set(join.former.get(one, [])))))
        table["renamed_from"] = names
    return table


def _join_posts(datasets: Sequence[Dataset], join: _Join) -> pd.DataFrame:
    parts = [
        _rename(one.posts, ["account_id", "original_account_id"], join, place).astype(object)
        for place, one in enumerate(datasets)
        if one.has("posts")
    ]
    if not parts:
        return pd.DataFrame()
    return pd.concat(parts).drop_duplicates("post_id", keep="last", ignore_index=True)


def _join_acts(datasets: Sequence[Dataset], join: _Join) -> pd.DataFrame:
    """Return every act once: as often as the export that has most of its kind shows it."""
    parts = []
    for place, dataset in enumerate(datasets):
        if not dataset.has("interactions"):
            continue
        acts = _rename(dataset.interactions, ["actor_id", "target_id"], join, place)
        acts = acts.drop(columns="text", errors="ignore").astype(object)
        acts = acts.where(acts.notna(), None)
        parts.append(acts.assign(again=acts.groupby(list(acts), dropna=False).cumcount()))
    if not parts:
        return pd.DataFrame()
    every = pd.concat(parts, ignore_index=True)
    every = every.where(every.notna(), None).drop_duplicates(ignore_index=True)
    return every.drop(columns="again")
