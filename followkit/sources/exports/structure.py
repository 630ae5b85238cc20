"""What an export is made of, without anything that it says: for bug reports.

Shown are file paths, keys, types and counts. A path or key is shown only where every word of it is
one that formats are made of (`VOCABULARY`); all else, and every value, is replaced by its kind.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from followkit.errors import InputError
from followkit.sources.exports.careful_json import read_json, read_text
from followkit.sources.exports.members import Limits, Member, Members, open_members
from followkit.sources.exports.vocabulary import (
    EXTENSIONS,
    LABELS,
    MAPS,
    NAMES_FOLLOW,
    PREFIXES,
    TAGS,
    THREADS,
    VOCABULARY,
)

__all__ = ["describe_structure"]

#: Of files that differ only in blanked names (message threads) so many are looked into.
MOST_ALIKE = 20
#: Of an object or page so many different keys are shown; the rest is counted.
MOST_KEYS = 80
_HEAD = "Structure only: every name, text, number and time of the export is left out."
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_]+")
_TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?")
Describe = Callable[[Iterable[Member], Limits], list[str]]
_CAMEL = re.compile(r"[a-z]+(?:[A-Z][a-z]+)+")
#: A tag ends at the next > and holds no <, so that looking for tags takes a time like the length.
_TAG = re.compile(r"<([a-zA-Z][a-zA-Z0-9]{0,15})([^<>]*)>")
_CLASS = re.compile(r"""\sclass=["']([^"'<>]{0,400})["']""")
_TOKEN = re.compile(r"(?<![^\s])[A-Za-z0-9_-]{1,24}(?![^\s])")
#: What a reason of `InputError` may say of a file without saying anything that is in it.
_REASONS = {
    "stands twice": "a key stands twice", "nested": "nested too deep",
    "digits": "a number too long",
    "where a number is due": "a number that is none", "is empty": "empty",
    "JSON": "no valid JSON", "text; byte": "no UTF-8", "times its packed size": "a bomb",
    "larger than": "too large", "damaged": "damaged", "must begin": "no data after =",
}  # fmt: skip


def describe_structure(
    paths: str | Path | Sequence[str | Path], limits: Limits | None = None
) -> str:
    """Return the paths, keys, types and counts of an export, with every value left out.

    Of JSON and JavaScript the keys, of CSV the header, of HTML tags and class names, of text the
    words before colons. Files that differ only in names, such as message threads, are described
    together, from the first twenty. Pictures, contacts and unknown files are not opened.

    Parameters
    ----------
    paths, limits
        As `open_members`.

    Returns
    -------
    str
        Lines, meant to be read before they are sent.

    Raises
    ------
    InputError
        If the export cannot be opened at all; a single bad file is named as such instead.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "connections.json")
    ...     _ = path.write_text('{"followers": {"zoe.q": "2020-07-11T04:39:28"}}')
    ...     print(describe_structure(path))
    Structure only: ...
    1 file
    <BLANKLINE>
    connections.json
      object
        followers: object
          ‹key›: text like a time
    """
    with open_members(paths, limits) as members:
        groups: dict[str, list[Member]] = {}
        for member in members:
            groups.setdefault(blank_path(member.path), []).append(member)
        lines = [_HEAD, _count_files(members)]
        for path in sorted(groups):
            lines += ["", *_describe_group(path, groups[path], members.limits)]
    return "\n".join(lines)


def _count_files(members: Members) -> str:
    parts = len(members.origins)
    words = [_number(len(members.files), "file")]
    words += [f"in {parts} parts"] * (parts > 1)
    words += [f"{count:,} {kind} not listed" for kind, count in sorted(members.left_out.items())]
    return ", ".join(words)


def _describe_group(path: str, alike: Sequence[Member], limits: Limits) -> Iterator[str]:
    chosen = alike[:MOST_ALIKE]
    more = f" × {len(alike):,}" * (len(alike) > 1)
    some = f" ({len(chosen)} of them were read)" * (len(chosen) < len(alike))
    yield f"{path}{more}{some}"
    describe = _DESCRIBERS.get(chosen[0].name.lower().rpartition(".")[2])
    if describe is None or "contact" in chosen[0].path.lower():
        yield "  not opened"
        return
    try:
        lines = describe(chosen, limits)
    except InputError as error:
        reasons: Counter[str] = Counter({_reason(str(error)): 1})
        lines = []
        if len(chosen) > 1:
            good, reasons = _part(describe, chosen, limits)
            lines = describe(good, limits) if good else []
        for reason, count in sorted(reasons.items()):
            yield f"  cannot be read{f' × {count}' * (len(chosen) > 1)}: {reason}"
    yield from (f"  {line}" for line in lines)


def _part(
    describe: Describe, members: Iterable[Member], limits: Limits
) -> tuple[list[Member], Counter[str]]:
    """Return the members that can be read, and why the others cannot."""
    good: list[Member] = []
    reasons: Counter[str] = Counter()
    for member in members:
        try:
            describe([member], limits)
            good.append(member)
        except InputError as error:
            reasons[_reason(str(error))] += 1
    return good, reasons


def _reason(said: str) -> str:
    return next((plain for part, plain in _REASONS.items() if part in said), "another reason")


# ---------------------------------------------------------------------------------- words and paths


def _is_known(word: str) -> bool:
    if word.isdigit():
        # Parts and versions are numbered; longer numbers are ids or dates.
        return len(word) <= 2
    return word.lower() in VOCABULARY


def _are_known(text: str) -> bool:
    words = _WORDS.findall(text)
    return bool(words) and all(map(_is_known, words))


def blank_key(key: str) -> str:
    """Return a key if it is made of words of formats alone; else only that there is one.

    A known beginning stays.

    Examples
    --------
    >>> blank_key("string_list_data"), blank_key("zoe.q"), blank_key("Chat History with zoe.q:")
    ('string_list_data', '‹key›', 'Chat History with ‹key›')
    """
    before = next((one for one in NAMES_FOLLOW if key.startswith(one)), "")
    if before:
        return f"{before}‹key›"
    if len(key) <= 80 and _are_known(key):
        return key
    start = next((one for one in PREFIXES if key.startswith(one)), "")
    return f"{start}‹key›"


def blank_path(path: str) -> str:
    """Return a path with every name left out that is not made of words of formats.

    Examples
    --------
    >>> blank_path("meta-2026/messages/inbox/zoe_17/message_1.json")
    '‹folder›/messages/inbox/‹folder›/message_1.json'
    """
    *folders, name = path.split("/")
    shown = [
        folder if _are_known(folder) and (not place or folders[place - 1] not in THREADS)
        else "‹folder›"
        for place, folder in enumerate(folders)
    ]  # fmt: skip
    stem, dot, extension = name.rpartition(".")
    if not dot or extension.lower() not in EXTENSIONS:
        return "/".join([*shown, "‹file›"])
    return "/".join([*shown, f"{stem if _are_known(stem) else '‹file›'}.{extension.lower()}"])


def _kind(text: str) -> str:
    """Return what a text looks like, never what it says."""
    plain = text.strip()
    if not plain:
        return "empty text"
    if plain.isdigit():
        return "text of digits"
    if plain.startswith(("http://", "https://", "at://", "www.")):
        return "text like an address"
    return "text like a time" if _TIME.fullmatch(plain) else "text"


def _number(count: int, word: str) -> str:
    return f"{count:,} {word}{'s' if count != 1 else ''}"


# ---------------------------------------------------------------------------------------- the kinds


@dataclass
class _Shape:
    """What stands at one place of JSON, over all records: kinds, keys and what lies below."""

    kinds: Counter[str] = field(default_factory=Counter)
    keys: dict[str, _Shape] = field(default_factory=dict)
    items: _Shape | None = None
    item_count: int = 0
    hidden: int = 0

    def add(self, value: Any, is_map: bool = False) -> None:
        """Add one value; depth is bounded by the reader of JSON."""
        if isinstance(value, dict):
            self.kinds["object"] += 1
            for key, inner in value.items():
                self._add_key(_blank_name(key) if is_map else blank_key(key), inner)
        elif isinstance(value, list):
            self.kinds["list"] += 1
            self.item_count += len(value)
            if value and self.items is None:
                self.items = _Shape()
            for inner in value:
                self.items.add(inner)  # type: ignore[union-attr]
        else:
            self.kinds[_name_kind(value)] += 1

    def _add_key(self, shown: str, inner: Any) -> None:
        if shown not in self.keys and len(self.keys) >= MOST_KEYS:
            self.hidden += 1
            return
        self.keys.setdefault(shown, _Shape()).add(inner, is_map=shown in MAPS and _is_map(inner))

    def lines(self, name: str = "") -> Iterator[str]:
        """Return what is at this place, and indented what is below it."""
        kinds = " or ".join(
            kind + f" × {count:,}" * (count > 1) for kind, count in sorted(self.kinds.items())
        )
        yield f"{name}: {kinds}" if name else kinds
        if self.items is not None:
            yield from (f"  {line}" for line in self.items.lines("each"))
        for key in sorted(self.keys):
            yield from (f"  {line}" for line in self.keys[key].lines(key))
        if self.hidden:
            yield f"  and {self.hidden:,} values of further keys"


def _blank_name(key: str) -> str:
    """Return a key of an object that may be a map of names: X writes accountId in such a place."""
    return key if _CAMEL.fullmatch(key) and _are_known(key) else "‹key›"


def _is_map(value: Any) -> bool:
    """Return whether the keys of an object may be values: all of its own values are of one kind."""
    kinds = {type(inner) for inner in value.values()} if isinstance(value, dict) else {int, str}
    return len(kinds - {type(None)}) <= 1


def _name_kind(value: Any) -> str:
    if isinstance(value, str):
        return _kind(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int):
        digits = len(str(abs(value)))
        return "number like seconds" if digits == 10 else (
            "number like milliseconds" if digits == 13 else "whole number")  # fmt: skip
    return "number"


def _describe_json(members: Iterable[Member], limits: Limits) -> list[str]:
    shape = _Shape()
    for member in members:
        shape.add(read_json(member, mojibake=True, limits=limits))
    return list(shape.lines())


def _describe_script(members: Iterable[Member], limits: Limits) -> list[str]:
    lines = []
    for member in members:
        start = read_text(member).partition("=")[0].strip()
        words = ".".join(part if _are_known(part) else "‹key›" for part in start[:200].split("."))
        shape = _Shape()
        shape.add(read_json(member, prefix="=", limits=limits))
        lines += [f"{words} =", *(f"  {line}" for line in shape.lines())]
    return lines


def _describe_csv(members: Iterable[Member], _: Limits) -> list[str]:
    lines = []
    for member in members:
        text = read_text(member)
        first = text.partition("\n")[0]
        mark = max(",;\t", key=first.count) if any(map(first.count, ",;\t")) else ","
        try:
            rows = [row for row in csv.reader(io.StringIO(text), delimiter=mark) if row]
        except csv.Error:
            raise InputError("damaged") from None
        widths = Counter(len(row) for row in rows)
        for width, count in sorted(widths.items()):
            lines.append(f"{_number(count, 'line')} of {_number(width, 'field')}")
        lines += _describe_columns(rows, max(widths, key=lambda one: (widths[one], one), default=0))
    return lines


def _describe_columns(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    whole = [row for row in rows if len(row) == width]
    if not whole:
        return []
    names = [blank_key(name) for name in whole[0]]
    # Some files have no header: their first line is a value like all others.
    has_header = sum(name == given for name, given in zip(names, whole[0], strict=True)) * 2 > width
    columns = []
    for place, name in enumerate(names):
        kinds = Counter(_kind(row[place]) for row in whole[has_header:])
        shown = " or ".join(f"{kind} × {count:,}" for kind, count in sorted(kinds.items()))
        columns.append(f"  {name if has_header else '‹no header›'}: {shown or 'no value'}")
    return columns


def _describe_text(members: Iterable[Member], _limits: Limits) -> list[str]:
    labels: Counter[str] = Counter()
    lines = 0
    for member in members:
        for line in read_text(member).split("\n"):
            lines += bool(line.strip())
            start, colon, _ = line.partition(":")
            if colon:
                label = start.strip()
                labels[label if label.lower() in LABELS else "‹label›"] += 1
    shown = sorted(labels.items())[:MOST_KEYS]
    return [_number(lines, "line"), *(f"{label}: × {count:,}" for label, count in shown)]


def _describe_page(members: Iterable[Member], _: Limits) -> list[str]:
    lines = []
    for member in members:
        text = read_text(member)
        tags: Counter[str] = Counter()
        classes: Counter[str] = Counter()
        for name, attributes in _TAG.findall(text):
            tags[name.lower() if name.lower() in TAGS else "‹tag›"] += 1
            for quoted in _CLASS.findall(attributes):
                classes.update(_TOKEN.findall(quoted))
        is_whole = "</html>" in text[-2000:].lower()
        lines += [
            f"page with {_number(sum(tags.values()), 'tag')}"
            + ", without its end" * (not is_whole),
            f"  tags: {_join_counts(tags)}",
            f"  classes: {_join_counts(classes)}",
        ]
    return lines


def _join_counts(counts: Counter[str]) -> str:
    shown = ", ".join(f"{name} × {counts[name]:,}" for name in sorted(counts)[:MOST_KEYS])
    more = f" and {len(counts) - MOST_KEYS:,} more" * (len(counts) > MOST_KEYS)
    return f"{shown}{more}" or "none"


_DESCRIBERS: dict[str, Describe] = {
    "json": _describe_json, "js": _describe_script, "csv": _describe_csv, "txt": _describe_text,
    "html": _describe_page, "htm": _describe_page,
}  # fmt: skip
