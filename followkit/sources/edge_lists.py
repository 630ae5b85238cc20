"""Plain edge lists: two ids a line, perhaps a weight and a time, as network archives publish them.

Separated by blanks, commas, semicolons or tabs; `%` and `#` begin a comment. A first line without
digits names the columns. Otherwise a third column is a time if every value could be one (2004 to
2100) and else a weight; with four, the third is the weight and the fourth the time.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from followkit.convert import to_times
from followkit.errors import InputError
from followkit.sources.text_files import read_text

SEPARATOR = re.compile(r"[\s,;]+")
SOURCES = ("follower_id", "source", "from", "src", "follower", "u")
TARGETS = ("followee_id", "target", "to", "dst", "followee", "v")
TIMES = ("followed_at", "time", "timestamp", "at", "date")


def read_edge_list(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Return the ties of an edge list as text columns, and remarks on how it was read.

    Raises
    ------
    InputError
        If a line has fewer than two fields, or lines differ in length.
    """
    rows: list[list[str]] = []
    numbers: list[int] = []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        fields = SEPARATOR.split(line.strip())
        if fields != [""] and not line.lstrip().startswith(("%", "#")):
            rows.append([field.strip('"') for field in fields])
            numbers.append(number)
    header = _find_header(rows)
    if header:
        rows, numbers = rows[1:], numbers[1:]
    if not rows:
        raise InputError(f"{path.name}: there is no tie in it; two ids a line are needed")
    _check_widths(path, rows, numbers, len(header) or len(rows[0]))
    table = pd.DataFrame(rows, dtype="str")
    return _name_columns(table, header)


def _find_header(rows: list[list[str]]) -> list[str]:
    known = {*SOURCES, *TARGETS}
    names = [field.casefold() for field in rows[0]] if rows else []
    return names if len(known.intersection(names)) >= 2 else []


def _check_widths(path: Path, rows: list[list[str]], numbers: list[int], width: int) -> None:
    wrong = [place for place, row in enumerate(rows) if len(row) != width or width < 2]
    if wrong:
        first = "; ".join(f"line {numbers[place]} has {len(rows[place])}" for place in wrong[:3])
        raise InputError(
            f"{path.name}: every line needs the same number of fields, at least two ids; "
            f"{len(wrong):,} lines differ from {width}, first: {first}. Mend or remove them."
        )


def _name_columns(table: pd.DataFrame, header: list[str]) -> tuple[pd.DataFrame, list[str]]:
    if header:
        places = [next(header.index(name) for name in names if name in header)
                  for names in (SOURCES, TARGETS)]  # fmt: skip
        time = next((header.index(name) for name in TIMES if name in header), None)
    else:
        places, time = [0, 1], _guess_time(table)
    ties = table[places].set_axis(["follower_id", "followee_id"], axis=1)
    remarks = []
    if time is not None:
        ties["followed_at"] = table[time]
        remarks.append(f"column {time + 1} was read as the time of the follow")
    unused = [place + 1 for place in range(table.shape[1]) if place not in (*places, time)]
    if unused:
        remarks.append(f"column {', '.join(map(str, unused))} (a weight or the like) was left out")
    return ties, remarks


def _guess_time(table: pd.DataFrame) -> int | None:
    place = {3: 2, 4: 3}.get(table.shape[1])
    if place is None:
        return None
    times, bad, _ = to_times(table[place])
    return place if not bad.any() and times.notna().any() else None
