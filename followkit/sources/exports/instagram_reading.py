"""Reading the chosen files of an Instagram or Threads export, and keeping what went wrong.

A file that cannot be read is never an empty list: it stays in `Reading.failures`, and its list
is unreadable.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from followkit.errors import InputError
from followkit.sources.exports.careful_json import read_json, read_text
from followkit.sources.exports.found import FileRead, Found
from followkit.sources.exports.instagram_entries import Entry, Sheet, entries_of_json
from followkit.sources.exports.instagram_files import is_page
from followkit.sources.exports.instagram_html import read_page, sheet_of_page
from followkit.sources.exports.instagram_labels import Keys
from followkit.sources.exports.instagram_values import DELETED
from followkit.sources.exports.members import Member
from followkit.sources.exports.reading import short_place

__all__ = ["Reading", "Row", "read_sheet", "read_sheets"]


@dataclass(frozen=True, slots=True)
class Row:
    """One person on one list, by user name; `at` in UTC, not yet checked for sense."""

    handle: str
    at: datetime | None
    file: str
    precision_s: int
    link: str = ""


@dataclass
class Reading:
    """One export on its way: the files, what they hold so far, and what could not be read."""

    found: Found
    files: Mapping[str, list[Member]]
    sheets: dict[str, list[Sheet]] = field(default_factory=dict)
    #: Role → "file: reason" of files that cannot be read.
    failures: dict[str, list[str]] = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)
    #: Which labels hold the user name, by role.
    keys: dict[str, Keys] = field(default_factory=dict)
    page_times: list[datetime] = field(default_factory=list)
    #: Findings that are counted over all files.
    counts: Counter[str] = field(default_factory=Counter)

    def fail(self, role: str, reason: object, path: str = "") -> None:
        """Note that a file of a role cannot be read; its path is shown as its last two parts."""
        self.failures.setdefault(role, []).append(short_place(str(reason), path).rstrip("."))

    def entries(self, role: str) -> list[Entry]:
        """Return all records of a role, over all its files."""
        return [entry for sheet in self.sheets.get(role, ()) for entry in sheet.entries]

    def note_file(self, sheet: Sheet, role: str, left_out: Mapping[str, int]) -> None:
        """Note one file that was read, and what of it was left out."""
        counted = {reason: count for reason, count in left_out.items() if count}
        if sheet.broken_count:
            counted["not a record"] = sheet.broken_count
        what = role.replace("_", " ")
        record_count = len(sheet.entries) + sheet.broken_count
        self.found.files.append(FileRead(sheet.file, what, record_count, counted))

    def read_json(self, member: Member, role: str) -> Any:
        """Return a file's JSON, or None if it cannot be read; that is noted."""
        try:
            payload = read_json(member, mojibake=True)
        except InputError as error:
            self.fail(role, error, member.path)
            return None
        if payload is None:
            self.fail(role, f"{member.path}: there is nothing in it", member.path)
        return payload


def read_sheet(member: Member) -> Sheet:
    """Return the records of one file, JSON or page.

    Raises
    ------
    InputError
        If it cannot be read, is cut short, or has a form that is not known.

    Examples
    --------
    >>> read_sheet(Member("followers_1.json", 2, "my.zip", lambda: b"[]")).entries
    []
    """
    if is_page(member):
        return sheet_of_page(read_page(read_text(member), member.path), member.path)
    return entries_of_json(read_json(member, mojibake=True), member.path)


def read_sheets(reading: Reading, roles: Iterable[str], *, threads: bool = False) -> None:
    """Read all files of some roles into `reading.sheets`; failures are noted.

    A file whose key says that it belongs to the other platform is left out.
    """
    for role in roles:
        for member in reading.files.get(role, ()):
            try:
                sheet = read_sheet(member)
            except InputError as error:
                reading.fail(role, error, member.path)
                continue
            if sheet.is_threads and not threads:
                reading.counts["threads files"] += 1
                continue
            reading.sheets.setdefault(role, []).append(sheet)
            reading.counts["rows with an assumed zone"] += sheet.zone_assumed_count
            if sheet.page_time:
                reading.page_times.append(sheet.page_time)


def is_deleted(handle: str) -> bool:
    """Tell whether a user name stands for an account that is gone.

    Examples
    --------
    >>> is_deleted("__deleted__1f"), is_deleted("bo_77")
    (True, False)
    """
    return bool(DELETED.fullmatch(handle))
