"""A folder that holds one pull from an API: its pages, and at the end canonical tables.

The tables come last and `follows.csv` the very last, so that a folder either loads whole or not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from followkit.errors import InputError
from followkit.live.http import PAGES, FetchError, write_private
from followkit.locks import hold
from followkit.sources.exports.careful_json import read_json
from followkit.sources.exports.found import Check, FileRead, Found, Listed, ListKind
from followkit.sources.exports.members import Member
from followkit.sources.exports.moments import read_moment
from followkit.sources.exports.to_tables import make_export_dataset
from followkit.tables import Dataset

__all__ = ["About", "Pull", "judge_list", "note_pages", "open_pull", "write_tables"]

PULL = "pull.json"
COUNTS = ("follower_count", "followee_count", "post_count")
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
#: A pull that took longer than this is no single moment any more.
LONG = timedelta(hours=6)
#: A list may be shorter than its count by this share, or by this many: accounts that were deleted
#: or hidden stay in counts for a while.
MISSING_SHARE, MISSING_FEW = 0.05, 5


@dataclass(frozen=True)
class About:
    """What stands in `dataset.toml` beside the facts of the pull."""

    title: str
    source: str
    licence: str
    notes: tuple[str, ...] = ()


@dataclass
class Pull:
    """One pull: where it lies, and when it was begun (UTC), which is the moment it stands for."""

    folder: Path
    begun_at: datetime
    found: Found
    #: When the last page was asked for.
    last_at: datetime = field(default_factory=lambda: datetime(1970, 1, 1, tzinfo=UTC))

    def note_page(self, asked_at: datetime) -> None:
        """Remember when a page was asked for."""
        self.last_at = max(self.last_at, asked_at)


@contextmanager
def open_pull(folder: str | Path, platform: str, account: str, base_url: str) -> Iterator[Pull]:
    """Hold a folder for a pull of one account, new or to be gone on with.

    Raises
    ------
    InputError
        If the folder holds something else: another account's pull, or files of another origin.
    ReportError
        If another process is writing there.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as name:
    ...     with open_pull(Path(name) / "a", "github", "ana", "https://api.github.com") as one:
    ...         begun_at = one.begun_at
    ...     with open_pull(Path(name) / "a", "github", "ana", "https://api.github.com") as again:
    ...         again.begun_at == begun_at
    True
    """
    place = Path(folder)
    if place.exists() and not place.is_dir():
        raise InputError(f"{place.name}: is a file; give a folder for the pull")
    what = {"platform": platform, "account": account, "base_url": base_url}
    with hold(place):
        for left in (place / PAGES).glob(".*.part-*"):
            left.unlink(missing_ok=True)
        file = place / PULL
        if file.exists():
            begun_at = _read_begin(file, what)
        else:
            others = sorted(one.name for one in place.iterdir() if not one.name.startswith("."))
            if others:
                raise InputError(
                    f"{place.name}: holds other files ({', '.join(others[:3])}); give a new folder"
                )
            begun_at = datetime.now(UTC).replace(microsecond=0)
            # People's data: no version control takes them along by accident.
            write_private(place / ".gitignore", "*\n")
            record = {"format": 1, **what, "begun_at": begun_at.isoformat()}
            write_private(file, json.dumps(record, ensure_ascii=False, indent=1) + "\n")
        yield Pull(place, begun_at, Found(platform, exported_at=begun_at))


def _read_begin(file: Path, what: dict[str, str]) -> datetime:
    content = file.read_bytes()
    record = read_json(Member(PULL, len(content), "", lambda: content))
    kept = {name: record.get(name) for name in what} if isinstance(record, dict) else {}
    if kept != what:
        told = ", ".join(f"{kept.get(name)!r}" for name in what)
        raise InputError(
            f"{file.parent.name}: holds the pull of {told}; give another folder for this one"
        )
    begun_at = read_moment(record.get("begun_at"))
    if begun_at is None:
        raise InputError(f"{PULL}: begun_at is no time; remove the folder and begin anew")
    return begun_at


def judge_list(
    kind: ListKind, count: int, timed_count: int, told: int | None, files: Sequence[str] = ()
) -> tuple[Listed, list[Check]]:
    """Return how far a fetched list can be trusted, by the count that the profile tells.

    Parameters
    ----------
    kind, count, timed_count
        Which list, how many accounts it holds, and how many with the time of the follow.
    told
        How many there are by the profile; None if it does not say.

    Examples
    --------
    >>> listed, checks = judge_list("followers", 0, 0, 250)
    >>> listed.state, checks[0].verdict
    ('cut', 'refuse')
    >>> judge_list("followers", 118, 0, 120)[0].state
    'whole'
    """
    missing = max((told or 0) - count, 0)
    is_cut = missing > max(MISSING_FEW, MISSING_SHARE * (told or 0)) or (count == 0 < missing)
    listed = Listed(kind, "cut" if is_cut else "whole", count, timed_count, tuple(files))
    value = f"the list holds {count:,}, the profile says {told or 0:,}"
    if is_cut:
        remedy = ("The list is hidden or incomplete. Ask the account's own server, or its owner to "
                  "show it.")  # fmt: skip
        return listed, [Check(f"{kind} list", value, "refuse", remedy)]
    if missing:
        remedy = "Deleted and hidden accounts fall out of lists while counts keep them."
        return listed, [Check(f"{kind} list", value, "note", remedy)]
    return listed, []


def write_tables(pull: Pull, about: About) -> Path:
    """Write the tables of a pull and return its folder; `load_dataset` reads it.

    Written are dataset.toml, accounts, account_counts, observation, and as there are any posts and
    interactions; times are ISO 8601 in UTC to the microsecond.

    Raises
    ------
    InputError
        If the account has neither followers nor followees.
    FetchError
        If a file cannot be written.
    """
    if pull.last_at - pull.begun_at > LONG:
        hours = (pull.last_at - pull.begun_at).total_seconds() / 3600
        pull.found.checks.append(
            Check("length of the pull", f"{hours:,.0f} hours from first to last page", "warn",
                  "Follows withdrawn meanwhile are missing; begin anew in another folder.")
        )  # fmt: skip
    dataset = make_export_dataset(pull.found)
    tables = {name: frame for name, frame in dataset.tables.items() if name != "follows"}
    counts = _make_counts(dataset)
    if len(counts):
        tables["account_counts"] = counts
    last = pull.folder / "follows.csv"
    try:
        last.unlink(missing_ok=True)
    except OSError as error:
        raise FetchError(f"{last.name}: cannot be replaced ({error.strerror})") from None
    facts = {**asdict(about), "export": dataset.about["export"]}
    write_private(pull.folder / "dataset.toml", _to_toml(facts))
    for name, frame in tables.items():
        write_private(pull.folder / f"{name}.csv", _to_csv(frame))
    write_private(last, _to_csv(dataset.follows))
    return pull.folder


def note_pages(pull: Pull, what: str, count: int) -> None:
    """Say how many records of a kind the pages held."""
    pull.found.files.append(FileRead(f"pages/{what}", what, count))


def _make_counts(dataset: Dataset) -> pd.DataFrame:
    """Return the counts that profiles told, as the counts at that moment."""
    accounts = dataset.accounts
    have = [name for name in COUNTS if name in accounts]
    if not have or "counts_at" not in accounts:
        return pd.DataFrame()
    known = accounts["counts_at"].notna() & accounts[have].notna().any(axis=1)
    return accounts.loc[known, ["account_id", "counts_at", *have]]


def _to_csv(frame: pd.DataFrame) -> str:
    text = frame.dropna(axis="columns", how="all").copy()
    for column in text.columns[text.dtypes.map(lambda dtype: dtype.kind == "M")]:
        text[column] = text[column].dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return str(text.to_csv(index=False, lineterminator="\n"))


def _to_toml(facts: dict[str, Any]) -> str:
    """Return facts as TOML, one line a fact; unknown ones are left out."""
    lines = [f"{_key(name)} = {_value(value)}\n" for name, value in facts.items()
             if not isinstance(value, dict)]  # fmt: skip
    for name, table in facts.items():
        if isinstance(table, dict):
            lines.append(f"\n[{_key(name)}]\n")
            lines += [f"{_key(one)} = {_value(value)}\n" for one, value in table.items()]
    return "".join(lines)


def _key(name: str) -> str:
    return name if BARE_KEY.fullmatch(name) else _quote(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, dict):
        inner = (f"{_key(name)} = {_value(one)}" for name, one in value.items() if one is not None)
        return f"{{ {', '.join(inner)} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(one) for one in value)}]"
    return _quote(str(value))


def _quote(text: str) -> str:
    # What JSON writes is TOML, too, but for one control character.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
