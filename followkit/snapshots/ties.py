"""One export as two lists around its owner, and which accounts of two exports are one account.

A list says who stands on it at one moment. Nothing here guesses: a changed name is paired with the
old one only where the moment of the follow leaves no other account.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from followkit.errors import InputError
from followkit.tables import Dataset

__all__ = ["Lists", "Rename", "find_renames", "pair_key", "read_lists", "read_moment"]

#: Accounts of these go by a number that stays when the name changes.
STABLE_IDS = ("x", "bluesky", "youtube")

Side = Literal["followers", "following"]
Pair = tuple[str, str]


@dataclass(frozen=True)
class Lists:
    """What one export says of its ego, by account id as text.

    Attributes
    ----------
    platform, ego, at
        Whose lists, and the moment at which they were read (UTC).
    followers, following
        Alter → when that follow was made; None where the export does not tell.
    withdrawn
        Alter → when the ego withdrew its follow, where a list of the platform says so.
    requested
        (from, to) → when a follow was asked for, answered or not; None where it does not tell.
    pending
        Pairs of such requests that are not answered yet.
    deleted
        Accounts that the export calls deleted.
    whole
        Lists that can be trusted to hold everybody.
    refusals
        Checks of the export that forbid saying who is not on a list, in words.
    """

    platform: str
    ego: str
    at: pd.Timestamp
    followers: dict[str, pd.Timestamp | None]
    following: dict[str, pd.Timestamp | None]
    withdrawn: dict[str, pd.Timestamp]
    requested: dict[Pair, pd.Timestamp | None]
    pending: set[Pair]
    deleted: set[str]
    whole: frozenset[Side]
    refusals: tuple[str, ...] = ()

    @property
    def seen(self) -> set[str]:
        """Every account that the export names in a list, the ego included."""
        asked = (account for pair in self.requested for account in pair)
        return {*self.followers, *self.following, *self.withdrawn, *asked}

    def side(self, side: Side) -> dict[str, pd.Timestamp | None]:
        """Return one of the two lists."""
        return self.followers if side == "followers" else self.following

    def is_coarse(self, side: Side) -> bool:
        """Return whether the times of a list are whole minutes or days, so that many may share one.

        HTML pages give minutes, and some platforms days; nothing else leaves all seconds at zero.
        """
        return not any(at is not None and at.second + at.microsecond for at in
                       self.side(side).values())  # fmt: skip


@dataclass(frozen=True)
class Rename:
    """One account under two names: where the pair was seen, and the moment that both share.

    Of two lists, the moment is that of the followers.
    """

    earlier: str
    later: str
    sides: tuple[Side, ...]
    followed_at: pd.Timestamp


def read_lists(dataset: Dataset) -> Lists:
    """Return the two lists of an export.

    Raises
    ------
    InputError
        If the data are no export, or its ego or its moment are unknown.

    Examples
    --------
    >>> from followkit.tables import make_dataset
    >>> ties = pd.DataFrame({"follower_id": ["bo", "me"], "followee_id": ["me", "cy"]})
    >>> about = {"export": {"platform": "x", "ego": "me", "exported_at": "2026-01-01T00:00:00Z",
    ...                     "lists": {"followers": {"state": "whole"}}}}
    >>> lists = read_lists(make_dataset({"follows": ties}, about=about))
    >>> lists.followers, lists.following, sorted(lists.whole)
    ({'bo': None}, {'cy': None}, ['followers'])
    """
    told = dataset.about.get("export")
    if not isinstance(told, Mapping):
        raise InputError(f"{dataset.name}: is no export of a platform; load one of your exports.")
    ego = str(told.get("ego") or "")
    if not ego:
        raise InputError(f"{dataset.name}: does not say whose export it is; give the ego's handle.")
    refusals = tuple(
        f"{check.get('name', '')}: {str(check.get('value', '')).rstrip('.')}. "
        f"{check.get('remedy', '')}".strip()
        for check in told.get("checks") or []
        if check.get("verdict") == "refuse"
    )
    lists = Lists(str(told.get("platform") or ""), ego, read_moment(dataset.name, told), {}, {},
                  {}, {}, set(), _find_deleted(dataset), _find_whole(told, refusals),
                  refusals)  # fmt: skip
    _fill(lists, dataset.follows)
    return lists


def read_moment(name: str, told: Mapping[str, Any]) -> pd.Timestamp:
    """Return the moment of an export (UTC), from what is told of it.

    Raises
    ------
    InputError
        If it is not told.
    """
    text = str(told.get("exported_at") or "")
    try:
        at = pd.Timestamp(text) if text else pd.NaT
    except ValueError:
        at = pd.NaT
    if pd.isna(at):
        raise InputError(
            f"{name}: the moment of the export is not known (exported_at is {text!r}), so it "
            "cannot be placed before or after another. Give the day on which you asked for it."
        )
    return at.tz_localize("UTC") if at.tzinfo is None else at.tz_convert("UTC")


def _find_whole(told: Mapping[str, Any], refusals: tuple[str, ...]) -> frozenset[Side]:
    listed = told.get("lists") or {}
    sides: tuple[Side, ...] = ("followers", "following")
    whole = {side for side in sides if (listed.get(side) or {}).get("state") == "whole"}
    # Whatever a refusal is about, the list of followers is what it protects.
    return frozenset(whole - {"followers"} if refusals else whole)


def _find_deleted(dataset: Dataset) -> set[str]:
    if not dataset.has("accounts", "state"):
        return set()
    accounts = dataset.accounts
    return set(accounts.loc[(accounts["state"] == "deleted").to_numpy(dtype=bool, na_value=False),
                            "account_id"].map(str))  # fmt: skip


def _fill(lists: Lists, follows: pd.DataFrame) -> None:
    """Sort the rows of follows into the lists; of several follows of a pair the last one counts."""
    times = {
        name: _list_times(follows, name) for name in ("followed_at", "unfollowed_at",
        "unfollowed_before_at", "requested_at")
    }  # fmt: skip
    status = follows["status"].map(str).tolist() if "status" in follows else [""] * len(follows)
    pairs = zip(follows["follower_id"].map(str), follows["followee_id"].map(str), strict=True)
    for row, pair in enumerate(pairs):
        if lists.ego not in pair:
            continue
        alter = pair[1] if pair[0] == lists.ego else pair[0]
        listed = lists.side("following" if pair[0] == lists.ego else "followers")
        asked, ended = times["requested_at"][row], times["unfollowed_at"][row]
        if asked is not None or status[row] == "pending":
            lists.requested[pair] = asked
        if status[row] == "pending":
            lists.pending.add(pair)
        elif ended is not None:
            if listed is lists.following:
                lists.withdrawn[alter] = ended
        elif times["unfollowed_before_at"][row] is None:
            at, before = times["followed_at"][row], listed.get(alter)
            listed[alter] = max(at, before) if at is not None and before is not None else (
                at if at is not None else before)  # fmt: skip


def _list_times(follows: pd.DataFrame, name: str) -> list[pd.Timestamp | None]:
    if name not in follows:
        return [None] * len(follows)
    return [None if pd.isna(at) else at for at in follows[name]]


def pair_key(at: pd.Timestamp | None) -> int | None:
    """Return the second of a moment, by which the follows of two exports are compared."""
    return None if at is None else int(at.timestamp())


def find_renames(earlier: Lists, later: Lists) -> list[Rename]:
    """Return accounts that changed their name between two exports, where that is certain.

    The moment of a follow outlives a change of name. So one account that is gone and one that is
    new are the same if their follow stands in the same list with the same second, and no other
    entry of that list has this second, before or after. Lists whose times are whole minutes or days
    do not count, nor does anything that would make two accounts of one.

    Returns
    -------
    list of Rename
        In order of the earlier names. The later name may be one the platform gives to deleted
        accounts (`later.deleted`).

    Examples
    --------
    >>> at = pd.Timestamp("2025-03-01T10:00:07Z")
    >>> def lists(followers):
    ...     return Lists("instagram", "me", at, followers, {}, {}, {}, set(), set(), frozenset())
    >>> [(one.earlier, one.later) for one in find_renames(lists({"bo": at}), lists({"bob": at}))]
    [('bo', 'bob')]
    """
    if later.platform in STABLE_IDS:
        return []
    found: dict[Pair, list[Side]] = {}
    moments: dict[Pair, pd.Timestamp] = {}
    sides: tuple[Side, ...] = ("followers", "following")
    for side in sides:
        for pair, at in _match(earlier, later, side).items():
            found.setdefault(pair, []).append(side)
            moments.setdefault(pair, at)
    olds = Counter(pair[0] for pair in found)
    news = Counter(pair[1] for pair in found)
    return [
        Rename(old, new, tuple(found[old, new]), moments[old, new])
        for old, new in sorted(found)
        if olds[old] == news[new] == 1 and not _disagree(earlier, later, old, new)
    ]


def _match(earlier: Lists, later: Lists, side: Side) -> dict[Pair, pd.Timestamp]:
    """Return pairs of a gone and a new account that share a second of their own in one list."""
    if earlier.is_coarse(side) or later.is_coarse(side):
        return {}
    before, after = earlier.side(side), later.side(side)
    were_known, are_known = earlier.seen, later.seen
    counts = [Counter(pair_key(at) for at in listed.values()) for listed in (before, after)]
    new = {pair_key(at): account for account, at in after.items() if account not in were_known}
    pairs = {}
    for account, at in before.items():
        key = pair_key(at)
        if at is None or account in are_known or key not in new:
            continue
        if counts[0][key] == counts[1][key] == 1:
            pairs[account, new[key]] = at
    return pairs


def _disagree(earlier: Lists, later: Lists, old: str, new: str) -> bool:
    """Return whether the two accounts stand in one list with two different seconds."""
    sides: tuple[Side, ...] = ("followers", "following")
    for side in sides:
        keys = pair_key(earlier.side(side).get(old)), pair_key(later.side(side).get(new))
        is_exact = not earlier.is_coarse(side) and not later.is_coarse(side)
        if is_exact and None not in keys and keys[0] != keys[1]:
            return True
    return False
