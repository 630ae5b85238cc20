"""What changed between two exports of one account: who came, who left, who has a new name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from followkit.errors import InputError
from followkit.reprs import make_repr
from followkit.snapshots.ties import (
    Lists,
    Rename,
    Side,
    find_renames,
    pair_key,
    read_lists,
)
from followkit.tables import Dataset

__all__ = ["SnapshotChanges", "compare_snapshots"]


@dataclass(frozen=True)
class SnapshotChanges:
    """What is different between two exports of one account. Account ids are text, times UTC.

    Attributes
    ----------
    earlier_at, later_at
        The two moments.
    left
        Were followers and are none now: account_id, followed_at, ego_followed_at, ego_follows
        (now), is_gone_from_both, may_be_renamed. Whoever is gone from both lists may have closed
        the account or blocked the ego; whoever may be renamed shares the moment of the follow with
        an account that is new, though not alone.
    came
        Are followers and were none: account_id, followed_at, ego_follows, is_older. An older one
        had followed before the earlier export: an account that came back or has a new name.
    followed_then_left
        The rows of `left` that had followed the ego after the ego followed them.
    unfollowed
        The ego followed them and does not now: account_id, followed_at, unfollowed_at (where the
        platform tells), follows_ego, is_gone_from_both.
    renamed
        earlier_id, later_id, lists (followers, following or both), followed_at.
    deleted
        Accounts that the platform has deleted since: account_id, later_id.
    """

    earlier_at: pd.Timestamp
    later_at: pd.Timestamp
    left: pd.DataFrame
    came: pd.DataFrame
    followed_then_left: pd.DataFrame
    unfollowed: pd.DataFrame
    renamed: pd.DataFrame
    deleted: pd.DataFrame

    def counts(self) -> dict[str, int]:
        """Return how many rows each table has."""
        names = ("left", "came", "followed_then_left", "unfollowed", "renamed", "deleted")
        return {name: len(getattr(self, name)) for name in names}

    def _repr_html_(self) -> str:
        facts = [("from", f"{self.earlier_at:%Y-%m-%d}"), ("to", f"{self.later_at:%Y-%m-%d}")]
        rows = [(name.replace("_", " "), count) for name, count in self.counts().items()]
        return make_repr("What changed between two exports", facts, ("change", "accounts"), rows)


def compare_snapshots(earlier: Dataset, later: Dataset) -> SnapshotChanges:
    """Return who left, who came, whom the ego left, and who changed the name, between two exports.

    Accounts are compared under their later names where `find_renames` is certain. A deleted account
    has not left. What happened between the two and was undone again is not seen.

    Raises
    ------
    InputError
        If one of them is refused by its checks (such as a list cut by dates), lacks a whole list of
        followers or of following, if they are of two accounts, or in the wrong order.

    Examples
    --------
    >>> from followkit.tables import make_dataset
    >>> def export(day, followers):
    ...     ties = pd.DataFrame({"follower_id": followers, "followee_id": "me",
    ...                          "followed_at": "2026-01-01T10:00:07Z"})
    ...     lists = {side: {"state": "whole"} for side in ("followers", "following")}
    ...     return make_dataset({"follows": ties}, about={"export": {"platform": "tiktok",
    ...         "ego": "me", "exported_at": day, "lists": lists}})
    >>> found = compare_snapshots(export("2026-02-01", ["bo", "cy"]), export("2026-03-01", ["bo"]))
    >>> found.left["account_id"].tolist(), found.came["account_id"].tolist()
    (['cy'], [])
    """
    before, after = read_lists(earlier), read_lists(later)
    _require_comparable(before, after)
    return _Comparison(before, after).make()


def _require_comparable(before: Lists, after: Lists) -> None:
    if (before.platform, before.ego) != (after.platform, after.ego):
        raise InputError(
            f"snapshots: must be of one account; got {before.ego} on {before.platform} and "
            f"{after.ego} on {after.platform}. If they are one, read them again with the same ego."
        )
    if before.at >= after.at:
        raise InputError(
            f"snapshots: the earlier export must come first; got {before.at:%Y-%m-%d %H:%M} and "
            f"{after.at:%Y-%m-%d %H:%M}. Swap them, or give two different ones."
        )
    for lists, which in ((before, "earlier"), (after, "later")):
        if lists.refusals:
            raise InputError(
                f"snapshots: the {which} export ({lists.at:%Y-%m-%d}) does not pass its checks, so "
                f"whoever is not in its lists may still be there. {lists.refusals[0]}"
            )
        lacking = [side for side in ("followers", "following") if side not in lists.whole]
        if lacking:
            raise InputError(
                f"snapshots: the {which} export ({lists.at:%Y-%m-%d}) has no whole list of "
                f"{lacking[0]}, so whoever is not in it may still be there. Ask the platform for "
                "all of your data, from the beginning."
            )


class _Comparison:
    """Two exports, the earlier one told in the names of the later."""

    def __init__(self, before: Lists, after: Lists) -> None:
        self.before, self.after = before, after
        pairs = find_renames(before, after)
        self.renames = [one for one in pairs if one.later not in after.deleted]
        self.marked = {one.earlier: one.later for one in pairs if one.later in after.deleted}
        names = {one.earlier: one.later for one in self.renames}
        self.names = names
        self.followers = {names.get(one, one): at for one, at in before.followers.items()}
        self.following = {names.get(one, one): at for one, at in before.following.items()}
        known = before.seen & after.deleted - before.deleted
        self.deleted = {**{one: one for one in known}, **self.marked}

    def make(self) -> SnapshotChanges:
        """Return all tables."""
        left = self._make_left()
        is_answer = (left["followed_at"] > left["ego_followed_at"]).to_numpy(dtype=bool)
        return SnapshotChanges(
            self.before.at, self.after.at, left, self._make_came(),
            left[is_answer].reset_index(drop=True), self._make_unfollowed(),
            _make_table([(one.earlier, one.later, _name_lists(one), one.followed_at)
                         for one in self.renames],
                        ("earlier_id", "later_id", "lists", "followed_at")),
            _make_table(sorted(self.deleted.items()), ("account_id", "later_id")),
        )  # fmt: skip

    def _make_left(self) -> pd.DataFrame:
        after = self.after
        new = {pair_key(at) for account, at in after.followers.items()
               if account not in self.followers}  # fmt: skip
        rows = []
        for account in sorted(self.followers.keys() - after.followers.keys() - set(self.deleted)):
            at = self.followers[account]
            rows.append((
                account, at, self.following.get(account), account in after.following,
                self._is_gone_from_both(account), at is not None and pair_key(at) in new,
            ))  # fmt: skip
        return _make_table(rows, ("account_id", "followed_at", "ego_followed_at", "ego_follows",
                                  "is_gone_from_both", "may_be_renamed"))  # fmt: skip

    def _make_came(self) -> pd.DataFrame:
        after = self.after
        rows = [
            (account, at, account in after.following, at is not None and at <= self.before.at)
            for account, at in sorted(after.followers.items())
            if account not in self.followers
        ]
        return _make_table(rows, ("account_id", "followed_at", "ego_follows", "is_older"))

    def _make_unfollowed(self) -> pd.DataFrame:
        after = self.after
        rows = []
        for account in sorted(self.following.keys() - after.following.keys() - set(self.deleted)):
            ended = after.withdrawn.get(account)
            is_since = ended is not None and ended >= self.before.at.floor("D")
            rows.append((
                account, self.following[account], ended if is_since else None,
                account in after.followers, self._is_gone_from_both(account),
            ))  # fmt: skip
        return _make_table(rows, ("account_id", "followed_at", "unfollowed_at", "follows_ego",
                                  "is_gone_from_both"))  # fmt: skip

    def _is_gone_from_both(self, account: str) -> bool:
        was_in_both = account in self.followers and account in self.following
        return was_in_both and account not in self.after.seen


def _name_lists(one: Rename) -> str:
    sides: tuple[Side, ...] = one.sides
    return "both" if len(sides) == 2 else sides[0]


def _make_table(rows: list[Any], columns: tuple[str, ...]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(columns))
    for name in columns:
        if name.endswith("_at"):
            table[name] = pd.to_datetime(table[name], utc=True).astype("datetime64[us, UTC]")
        elif name.startswith(("is_", "may_")) or name in ("ego_follows", "follows_ego"):
            table[name] = table[name].astype(bool)
        else:
            table[name] = table[name].astype("str")
    return table
