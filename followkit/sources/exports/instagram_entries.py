"""Records of an Instagram export, JSON of any era, in one shape; nothing here knows what they mean.

Three shapes occur: `string_list_data` (one link, name and time), `string_map_data` (labels with
values) and `label_values` (a list of labels, persons nested in it). A file holds a list of
records, an object whose values are such lists, or one bare record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from followkit.errors import InputError
from followkit.sources.exports.instagram_values import parse_iso_time, time_of_stamp

__all__ = ["THREADS_PREFIX", "Entry", "Pair", "Sheet", "entries_of_json", "entries_of_map",
           "listed_records"]  # fmt: skip

#: Keys that only Threads' own lists have.
THREADS_PREFIX = "text_post_app_"
SHAPES = ("string_list_data", "string_map_data", "label_values")
#: Beside the shapes, what a post or an almost empty record has.
RECORD_KEYS = (*SHAPES, "media_list_data", "media", "media_map_data", "creation_timestamp")
#: Person → a list of dicts → labels; one level is left free.
NESTING = 4
LONGEST_NAME = 120

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pair:
    """One label with its value; `group` is the title of the part that it stands in."""

    group: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One record: what may name a person, and when. `at` in UTC, not yet checked for sense."""

    file: str
    title: str = ""
    value: str = ""
    link: str = ""
    at: datetime | None = None
    pairs: tuple[Pair, ...] = ()
    precision_s: int = 1


@dataclass
class Sheet:
    """What one file holds: its records, and how many parts were no records."""

    file: str
    entries: list[Entry] = field(default_factory=list)
    broken_count: int = 0
    is_threads: bool = False
    #: Times without a zone (era A), or rows of a page, whose zone is assumed.
    zone_assumed_count: int = 0
    page_time: datetime | None = None
    #: Whether the page says that it holds a range of dates only, and when that begins (UTC).
    is_ranged: bool = False
    range_start: datetime | None = None


def entries_of_json(payload: Any, file: str) -> Sheet:
    """Return the records of one file.

    Parameters
    ----------
    payload
        What the JSON says, names already repaired.
    file
        Its path, for messages.

    Returns
    -------
    Sheet
        One entry a link of a record, or one a record that has no links. Times in UTC.

    Raises
    ------
    InputError
        If the file is neither a list of records, nor an object of such lists, nor one record; or
        if nothing in a list that is not empty is a record. Such a file is never an empty list.

    Examples
    --------
    >>> item = {"title": "bo_77", "string_list_data": [
    ...     {"href": "https://www.instagram.com/_u/bo_77", "timestamp": 1700000000}]}
    >>> sheet = entries_of_json({"relationships_following": [item]}, "following.json")
    >>> sheet.entries[0].title, sheet.entries[0].at.year
    ('bo_77', 2023)
    >>> entries_of_json({"error": "expired"}, "following.json")
    Traceback (most recent call last):
    ...
    followkit.errors.InputError: following.json: no list of records in it; ...
    """
    items = listed_records(payload, file)
    sheet = Sheet(file, is_threads=_is_threads(payload))
    for item in items:
        if isinstance(item, dict) and any(shape in item for shape in RECORD_KEYS):
            sheet.entries.extend(_entries_of_record(item, file))
        else:
            sheet.broken_count += 1
    if items and not sheet.entries:
        raise InputError(
            f"{file}: {len(items):,} items, and none is a record as Instagram writes them; the "
            "format has changed or the file is another. Nothing was read from it."
        )
    return sheet


def listed_records(payload: Any, file: str) -> list[Any]:
    """Return the items of a list, of all lists in an object, or one bare record.

    Raises
    ------
    InputError
        If there is no list and no record.

    Examples
    --------
    >>> listed_records([], "a.json"), listed_records({"media": []}, "posts_1.json")
    ([], [{'media': []}])
    """
    if isinstance(payload, list):
        return payload
    if isinstance(payload, dict):
        if any(key in payload for key in RECORD_KEYS):
            return [payload]
        lists = [value for value in payload.values() if isinstance(value, list)]
        bare = [value for value in payload.values() if _is_record(value)]
        if lists or bare:
            return [item for one in lists for item in one] + bare
    raise InputError(
        f"{file}: no list of records in it; found {type(payload).__name__}"
        f"{_keys_of(payload)}. Download the export again, format JSON."
    )


def _is_record(value: Any) -> bool:
    return isinstance(value, dict) and any(shape in value for shape in RECORD_KEYS)


def _keys_of(payload: Any) -> str:
    """Return how many keys an object has; keys may be names of people, so none is shown."""
    return f" with {len(payload):,} keys" if isinstance(payload, dict) else ""


def _is_threads(payload: Any) -> bool:
    return isinstance(payload, dict) and any(
        isinstance(key, str) and key.startswith(THREADS_PREFIX) for key in payload
    )


def entries_of_map(people: Any, file: str) -> Sheet:
    """Return the records of an era A map: user name → ISO time.

    Raises
    ------
    InputError
        If it is no object, or no value in it is a time.

    Examples
    --------
    >>> entries_of_map({"ana.lu": "2020-07-11T04:39:28+00:00"}, "connections.json").entries[0].title
    'ana.lu'
    """
    if not isinstance(people, dict):
        raise InputError(f"{file}: a map of user names and times is needed, found a "
                         f"{type(people).__name__}")  # fmt: skip
    sheet = Sheet(file)
    for name, written in people.items():
        if isinstance(written, str) or written is None:
            at, zoned = parse_iso_time(written)
            sheet.zone_assumed_count += not zoned
        else:
            at = time_of_stamp(written)
        sheet.entries.append(Entry(file, title=name, value=name, at=at))
    return sheet


# ----------------------------------------------------------------------------------------- shapes


def _entries_of_record(record: Record, file: str) -> Iterator[Entry]:
    links = [one for one in _items(record.get("string_list_data")) if isinstance(one, dict)]
    pairs = tuple(_pairs_of_record(record))
    title = _text(record.get("title"))
    own = time_of_stamp(record.get("timestamp"))
    if not links:
        yield Entry(file, title, "", _link_of_labels(record), own or _time_in(record), pairs)
    for one in links:
        yield Entry(
            file, title if len(links) == 1 else "", _text(one.get("value")),
            _text(one.get("href")), time_of_stamp(one.get("timestamp")) or own, pairs,
        )  # fmt: skip


def _pairs_of_record(record: Record) -> Iterator[Pair]:
    values = record.get("string_map_data")
    if isinstance(values, dict):
        for label, cell in values.items():
            if isinstance(cell, dict) and not time_of_stamp(cell.get("timestamp")):
                yield Pair("", label, _short(cell.get("value")))
    yield from _pairs_of_labels(record.get("label_values"), "", NESTING)


def _pairs_of_labels(items: Any, group: str, levels: int) -> Iterator[Pair]:
    """Yield all labels, those of nested persons with the title of the part they stand in."""
    for item in _items(items):
        if not isinstance(item, dict):
            continue
        if isinstance(item.get("label"), str):
            yield Pair(group, item["label"], _short(item.get("value")))
        if levels and isinstance(item.get("dict"), list | dict):
            inside = group or _text(item.get("title"))
            yield from _pairs_of_labels(item["dict"], inside, levels - 1)


def _link_of_labels(record: Record) -> str:
    """Return the first link at the top of a record: that of the post, never one of a person."""
    values = record.get("string_map_data")
    cells = [*values.values()] if isinstance(values, dict) else []
    for cell in [*cells, *_items(record.get("label_values"))]:
        if isinstance(cell, dict):
            link = _text(cell.get("href")) or _text(cell.get("value"))
            if link.startswith(("https://", "http://")):
                return link
    return ""


def _time_in(record: Record) -> datetime | None:
    """Return the first time of a record that is not 0; labels follow the account's language."""
    values = record.get("string_map_data")
    for cell in values.values() if isinstance(values, dict) else ():
        if isinstance(cell, dict) and (at := time_of_stamp(cell.get("timestamp"))):
            return at
    for item in _items(record.get("label_values")):
        if isinstance(item, dict):
            at = time_of_stamp(item.get("timestamp_value") or item.get("timestamp"))
            if at:
                return at
    return None


def _items(value: Any) -> list[Any]:
    """Return a list as it is, one bare object as a list of one, anything else as none."""
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, dict) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _short(value: Any) -> str:
    """Return a value that may be a name; captions and comments are dropped here."""
    return value if isinstance(value, str) and len(value) <= LONGEST_NAME else ""
