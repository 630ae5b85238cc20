"""Plain edge lists: two ids a line, perhaps a weight and a time, as network archives publish them.

Fields are separated by commas or semicolons where the first tie has one, else by blanks and tabs
in any mixture. Lines that begin with `%` or `#` are comments. A first line names the columns if it
holds known names, or if it holds no digit while every id below is a number. Without known names
the first two columns are initiator and decider; of three columns the third is a time if most of
its values can be one (2004 to 2100), else a weight; of four, the third is a weight and the fourth
a time.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pandas as pd

from followkit.convert import to_times
from followkit.errors import InputError
from followkit.schema import FOLLOWS
from followkit.sources.text_files import read_text

SOURCES = ("follower_id", "source", "from", "src", "follower", "fromnodeid", "u")
TARGETS = ("followee_id", "target", "to", "dst", "followee", "tonodeid", "v")
TIMES = ("followed_at", "time", "timestamp", "at", "date", "datetime")
HAS_DIGIT = re.compile("[0-9]")

Row = tuple[int, list[str]]


def read_edge_list(path: str | Path) -> tuple[pd.DataFrame, list[str]]:
    r"""Return the ties of an edge list as text columns, and remarks on how it was read.

    Parameters
    ----------
    path
        A text file, perhaps .gz; see the module for the rules.

    Returns
    -------
    tuple
        A frame with follower_id, followee_id and, where there are times, followed_at (a header may
        name further columns of `follows`); and sentences on what was read as what.

    Raises
    ------
    InputError
        If there is no tie, a line has fewer than two fields, or lines differ in length.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "ties.txt"
    >>> _ = path.write_text("% asym\n1 2 1 1289241912\n", encoding="utf-8")
    >>> read_edge_list(path)[0].to_dict("list")
    {'follower_id': ['1'], 'followee_id': ['2'], 'followed_at': ['1289241912']}
    """
    path = Path(path)
    text, remarks = read_text(path)
    rows = _split(path, text)
    header = _find_header(rows)
    if header:
        rows = rows[1:]
    if not rows:
        raise InputError(f"{path.name}: there is no tie in it; two ids a line are needed")
    _check_widths(path, rows, len(header) or len(rows[0][1]))
    table = pd.DataFrame([row for _, row in rows], dtype="str")
    ties, more = name_columns(table, header)
    return ties, remarks + more


def _split(path: Path, text: str) -> list[Row]:
    """Return the fields of every line that is no comment, with its number in the file."""
    lines = [
        (number, line)
        for number, line in enumerate(text.split("\n"), start=1)
        if line.strip() and not line.lstrip().startswith(("%", "#"))
    ]
    first = lines[0][1] if lines else ""
    mark = next((mark for mark in ",;" if mark in first), "")
    if not mark:
        return [(number, line.split()) for number, line in lines]
    try:
        reader = csv.reader((line for _, line in lines), delimiter=mark, skipinitialspace=True)
        split = [[field.strip() for field in row] for row in reader]
    except csv.Error as error:
        raise InputError(f"{path.name}: {error}; check the quotes") from None
    if len(split) != len(lines):
        raise InputError(f"{path.name}: a quote is not closed on its line; mend the quotes")
    return [(number, row) for (number, _), row in zip(lines, split, strict=True)]


def _find_header(rows: list[Row]) -> list[str]:
    if not rows:
        return []
    names = [field.strip('"').casefold() for field in rows[0][1]]
    if set(names) & set(SOURCES) and set(names) & set(TARGETS):
        return names
    if len(rows) == 1 or any(HAS_DIGIT.search(name) for name in names):
        return []
    only_numbers = all(field.isdecimal() for _, row in rows[1:] for field in row[:2])
    return names if only_numbers else []


def _check_widths(path: Path, rows: list[Row], width: int) -> None:
    wrong = [(number, len(row)) for number, row in rows if len(row) != width or width < 2]
    if wrong:
        first = "; ".join(f"line {number} has {count}" for number, count in wrong[:3])
        raise InputError(
            f"{path.name}: every line needs the same number of fields, at least two ids; "
            f"{len(wrong):,} lines differ from {max(width, 2)}, first: {first}. Mend or remove "
            "them."
        )


def name_columns(table: pd.DataFrame, header: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """Return the canonical columns of a table of ties, and remarks on what was read as what."""
    source, target = (_find(header, SOURCES), _find(header, TARGETS))
    known = source is not None and target is not None
    picks = {"follower_id": source, "followee_id": target} if known else {
        "follower_id": 0, "followee_id": 1}  # fmt: skip
    time = _find(header, TIMES)
    remarks = []
    if time is None and not known:
        time = _guess_time(table)
    if time is not None:
        picks["followed_at"] = time
        remarks.append(f"column {time + 1} was read as the time of the follow")
    for place, name in enumerate(header):
        if name in FOLLOWS.names and name not in picks:
            picks[name] = place
    unused = [str(place + 1) for place in range(table.shape[1]) if place not in picks.values()]
    if unused:
        what = "column" if len(unused) == 1 else "columns"
        remarks.append(f"{what} {', '.join(unused)} (a weight or the like) left out")
    ties = pd.DataFrame({name: table.iloc[:, place] for name, place in picks.items()})
    return ties, remarks


def _find(header: list[str], names: tuple[str, ...]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)


def _guess_time(table: pd.DataFrame) -> int | None:
    place = {3: 2, 4: 3}.get(table.shape[1])
    if place is None:
        return None
    times, _, _ = to_times(table.iloc[:, place])
    # Most, not all: one broken time is a fault to be reported, not a reason to call it a weight.
    return place if times.notna().mean() > 0.5 else None
