"""Exports kept from one download to the next: a small local store.

Nothing of a kept export leaves the machine, and message texts and posts are not kept at all.
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
from followkit.snapshots.ties import (
    Lists,
    read_lists,
    read_moment,
)
from followkit.sources.text_files import read_text_table
from followkit.tables import Dataset, make_dataset

__all__ = ["HOME_VARIABLE", "Snapshot", "SnapshotStore", "find_home"]

HOME_VARIABLE = "FOLLOWKIT_HOME"
#: What is kept. Posts are the ego's own texts, and nothing here needs them.
KEPT = ("follows", "accounts", "interactions", "observation")
ABOUT = "about.json"
PART = ".part-"
_PLATFORM = re.compile(r"[a-z][a-z0-9_]{0,29}")
#: `list` means something else inside the store.
Datasets = list[Dataset]
_MOMENT = "%Y-%m-%dT%H%M%SZ"


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
