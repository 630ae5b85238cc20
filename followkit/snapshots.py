"""Exports kept from one download to the next: a small local store, and what changed between two.

One export cannot say who left: its list of followers holds those who follow now. Two can. Nothing
of a kept export leaves the machine, and message texts and posts are not kept at all.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from followkit.convert import as_text
from followkit.errors import InputError
from followkit.pseudonyms import PREFIX, load_key, make_pseudonyms
from followkit.reprs import make_repr
from followkit.snapshot_join import join_snapshots
from followkit.snapshot_ties import (
    Lists,
    Rename,
    Side,
    find_renames,
    pair_key,
    read_lists,
    read_moment,
)
from followkit.sources.text_files import read_text_table
from followkit.tables import Dataset, make_dataset

__all__ = [
    "HOME_VARIABLE", "Snapshot", "SnapshotChanges", "SnapshotStore", "compare_snapshots",
    "find_home", "join_snapshots",
]  # fmt: skip

HOME_VARIABLE = "FOLLOWKIT_HOME"
#: What is kept. Posts are the ego's own texts, and nothing here needs them.
KEPT = ("follows", "accounts", "interactions", "observation")
ABOUT = "about.json"
PART = ".part-"
_PLATFORM = re.compile(r"[a-z][a-z0-9_]{0,29}")
#: `list` means something else inside the store.
Datasets = list[Dataset]
_MOMENT = "%Y-%m-%dT%H%M%SZ"


# -------------------------------------------------------------------------------------- the store


def find_home() -> Path:
    """Return where followkit keeps exports: `$FOLLOWKIT_HOME`, else `followkit` in the user's data.

    The user's data are `$XDG_DATA_HOME` or `~/.local/share`; on Windows `%LOCALAPPDATA%`; on a Mac
    `~/Library/Application Support`.

    Raises
    ------
    InputError
        If `FOLLOWKIT_HOME` is no absolute path, or this user has no home folder.
    """
    asked = os.environ.get(HOME_VARIABLE, "")
    if asked:
        if not Path(asked).is_absolute():
            raise InputError(
                f"{HOME_VARIABLE}: must be an absolute path, so that exports are found again from "
                "any folder; got a relative one. Write the whole path."
            )
        return Path(asked)
    folder = os.environ.get("LOCALAPPDATA" if os.name == "nt" else "XDG_DATA_HOME", "")
    if folder and Path(folder).is_absolute():
        return Path(folder) / "followkit"
    try:
        home = Path.home()
    except RuntimeError:
        raise InputError(
            f"store: this user has no home folder to keep exports in; set {HOME_VARIABLE}."
        ) from None
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "followkit"
    return home / ".local" / "share" / "followkit"


@dataclass(frozen=True)
class Snapshot:
    """One kept export.

    Attributes
    ----------
    platform, ego, exported_at
        Whose lists, and the moment at which they were read (UTC).
    fingerprint
        Of the tables that are kept (`Dataset.fingerprint`).
    folder
        Where they lie.
    """

    platform: str
    ego: str
    exported_at: pd.Timestamp
    fingerprint: str
    folder: Path


class SnapshotStore:
    """Keeps exports in folders that only their owner may read.

    Parameters
    ----------
    root
        Where; `find_home() / "snapshots"` without it. It is made on first use, mode 700.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> ties = pd.DataFrame({"follower_id": ["bo", "me"], "followee_id": ["me", "cy"]})
    >>> about = {"export": {"platform": "x", "ego": "me", "exported_at": "2026-01-01T00:00:00Z"}}
    >>> data = make_dataset({"follows": ties}, about=about)
    >>> with TemporaryDirectory() as root:
    ...     store = SnapshotStore(root)
    ...     kept = store.keep(data)
    ...     store.load()[0].fingerprint() == kept.fingerprint, store.forget(), store.list()
    (True, 1, [])
    """

    def __init__(self, root: str | Path | None = None) -> None:
        self.root = Path(root) if root is not None else find_home() / "snapshots"

    def keep(self, dataset: Dataset) -> Snapshot:
        """Keep an export, whole or not at all; the same one again changes nothing.

        Kept are follows, accounts, interactions without texts, observation and what is known of
        the export. Another export of the same moment (such as the HTML twin) gets a place beside.

        Raises
        ------
        InputError
            If it is no export, its owner or moment is unknown, or the store cannot be written.
        """
        lists = read_lists(dataset)
        if not _PLATFORM.fullmatch(lists.platform):
            raise InputError(f"store: {lists.platform[:30]!r} is no name of a platform.")
        tables = {name: dataset.table(name).drop(columns="text", errors="ignore")
                  for name in KEPT if dataset.has(name)}  # fmt: skip
        kept = make_dataset(tables, name=dataset.name, about=dataset.about)
        mark = kept.fingerprint()
        same = [one for one in self.list(platform=lists.platform, ego=lists.ego)
                if one.exported_at == lists.at]  # fmt: skip
        for one in same:
            if one.fingerprint == mark:
                return one
        try:
            folder = self._write(kept, lists, mark, len(same))
        except OSError as error:
            raise InputError(
                f"store: the export could not be kept ({error.strerror or error}); set "
                f"{HOME_VARIABLE} to a folder that can be written."
            ) from None
        return Snapshot(lists.platform, lists.ego, lists.at, mark, folder)

    def list(self, *, platform: str = "", ego: str = "") -> list[Snapshot]:
        """Return what is kept, by platform, ego and moment; of one platform or ego where given.

        Raises
        ------
        InputError
            If a kept export cannot be read.
        """
        found = [_read_snapshot(path) for path in sorted(self.root.glob(f"*/*/{ABOUT}"))
                 if not path.parent.name.startswith(".")]  # fmt: skip
        wanted = [one for one in found
                  if platform in ("", one.platform) and ego in ("", one.ego)]  # fmt: skip
        return sorted(wanted, key=lambda one: (one.platform, one.ego, one.exported_at,
                                               one.folder.name))  # fmt: skip

    def load(self, *, platform: str = "", ego: str = "") -> Datasets:
        """Return the kept exports of one account, oldest first.

        Raises
        ------
        InputError
            If those of several accounts would be mixed, or a kept export cannot be read.
        """
        found = self.list(platform=platform, ego=ego)
        whose = sorted({(one.platform, one.ego) for one in found})
        if len(whose) > 1:
            raise InputError(
                f"store: holds exports of {len(whose)} accounts, first: "
                f"{'; '.join(f'{name} on {where}' for where, name in whose[:3])}. Say which one "
                "with platform and ego."
            )
        return [_load(one) for one in found]

    def forget(self, *, platform: str = "", ego: str = "") -> int:
        """Remove the kept exports of a platform, of an ego, or all, and return how many.

        Raises
        ------
        InputError
            If one cannot be removed.
        """
        found = self.list(platform=platform, ego=ego)
        try:
            for one in found:
                # Out of sight first, so that a half removed one is never read.
                aside = one.folder.with_name(f"{PART}{secrets.token_hex(6)}")
                one.folder.rename(aside)
                shutil.rmtree(aside)
            for folder in {one.folder.parent for one in found}:
                with suppress(OSError):
                    folder.rmdir()
        except OSError as error:
            raise InputError(
                f"store: {error.filename or 'an export'} could not be removed "
                f"({error.strerror or error}); remove it by hand."
            ) from None
        return len(found)

    def _write(self, kept: Dataset, lists: Lists, mark: str, same_count: int) -> Path:
        home = self.root / _name_folder(lists)
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        # A store inside a project must not be passed on with it.
        _write_file(self.root / ".gitignore", "*\n")
        home.mkdir(exist_ok=True, mode=0o700)
        _sweep(home)
        made = home / f"{PART}{secrets.token_hex(6)}"
        made.mkdir(mode=0o700)
        try:
            for name, table in kept.tables.items():
                _write_file(made / f"{name}.csv", _to_csv(table))
            about = {"fingerprint": mark, "name": kept.name, "title": kept.about.get("title", ""),
                     "export": kept.about["export"]}  # fmt: skip
            _write_file(made / ABOUT, json.dumps(about, indent=1) + "\n")
            beside = f"-{same_count + 1}" * bool(same_count)
            folder = home / f"{lists.at.strftime(_MOMENT)}{beside}"
            made.rename(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
        return folder


def _name_folder(lists: Lists) -> str:
    """Return a name that says the platform, and the ego only to whoever has the key."""
    name = make_pseudonyms([lists.ego], load_key(), length=10)[lists.ego]
    return f"{lists.platform}-{name.removeprefix(PREFIX)}"


def _sweep(home: Path) -> None:
    """Remove what was left unfinished over a day ago; younger ones may be at work."""
    for path in home.glob(f"{PART}*"):
        with suppress(OSError):
            age = pd.Timestamp.now("UTC").timestamp() - path.stat().st_mtime
            if age > 86_400:
                shutil.rmtree(path)


def _to_csv(table: pd.DataFrame) -> str:
    plain = pd.DataFrame({name: as_text(table[name]).fillna("") for name in table.columns})
    return plain.to_csv(index=False, lineterminator="\n")


def _write_file(path: Path, content: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _read_about(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(told["export"], dict) or not isinstance(told["fingerprint"], str):
            raise ValueError("it lacks its entries")
        return dict(told)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"store: {path.parent.name}/{ABOUT} cannot be read ({error}); remove the folder "
            f"{path.parent} and keep that export again."
        ) from None


def _read_snapshot(path: Path) -> Snapshot:
    told = _read_about(path)
    export = told["export"]
    at = read_moment(f"store: {path.parent}", export)
    return Snapshot(str(export.get("platform", "")), str(export.get("ego", "")), at,
                    told["fingerprint"], path.parent)  # fmt: skip


def _load(one: Snapshot) -> Dataset:
    told = _read_about(one.folder / ABOUT)
    tables = {path.stem: read_text_table(path) for path in sorted(one.folder.glob("*.csv"))
              if path.stem in KEPT}  # fmt: skip
    about = {"title": told.get("title", ""), "export": told["export"]}
    data = make_dataset(tables, name=str(told.get("name", one.platform)), about=about)
    if data.fingerprint() != one.fingerprint:
        raise InputError(
            f"store: {one.folder} is not what was kept; remove it and keep that export again."
        )
    return data


# ------------------------------------------------------------------------------------ what changed


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
