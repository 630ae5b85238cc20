"""Delimited text files, read as text: no value is guessed, only the empty string is missing."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from pathlib import Path

import pandas as pd

from followkit.errors import InputError

DELIMITERS = ",;\t"
SNIFFED_LINES = 20
#: C0 and C1 controls but tab and line feeds.
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
SURROGATES = re.compile("[\ud800-\udfff]")
MOST_BYTES = 4_000_000_000


def read_text_table(path: Path) -> pd.DataFrame:
    """Read a CSV file (comma, semicolon or tab; perhaps .gz) with every column as text.

    Raises
    ------
    InputError
        If the file cannot be read or decoded, a header comes twice, or a line has more or fewer
        fields than the header; the message names the line.
    """
    text = read_text(path)
    first = next((line for line in text.split("\n") if line.strip()), "")
    if not first:
        raise InputError(f"{path.name}: the file is empty; a line of column names is needed")
    delimiter = find_delimiter(text)
    rows = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        return _collect(path, rows)
    except csv.Error as error:
        raise InputError(f"{path.name}: line {rows.line_num}: {error}; check the quotes") from None


def _collect(path: Path, rows: object) -> pd.DataFrame:
    reader = rows
    header: list[str] = []
    kept: list[list[str]] = []
    wrong: list[str] = []
    wrong_count = 0
    for row in reader:  # type: ignore[attr-defined]
        if not row or (len(row) == 1 and not row[0].strip()):
            continue
        if not header:
            header = _check_header(path, row)
        elif len(row) != len(header):
            wrong_count += 1
            if wrong_count <= 3:
                wrong.append(f"line {reader.line_num} has {len(row)}")  # type: ignore[attr-defined]
        else:
            kept.append(row)
    if wrong_count:
        raise InputError(
            f"{path.name}: every line needs {len(header)} fields as the header has; "
            f"{wrong_count:,} lines differ, first: {'; '.join(wrong)}. Quote fields that hold the "
            "delimiter."
        )
    columns = list(zip(*kept, strict=True)) if kept else [()] * len(header)
    return pd.DataFrame(
        {
            name: pd.Series(list(column), dtype="str")
            for name, column in zip(header, columns, strict=True)
        }
    )


def _check_header(path: Path, row: list[str]) -> list[str]:
    header = [name.strip() for name in row]
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice or "" in header:
        what = f"{twice[0]!r} comes twice" if twice else "a column has no name"
        raise InputError(f"{path.name}: column names must differ; {what}. Rename the columns.")
    return header


def read_text(path: Path) -> str:
    """Return a text file's content as Unicode, without control characters.

    UTF-8, with or without a byte order mark, or UTF-16 with one; .gz files are unpacked.

    Raises
    ------
    InputError
        If there is no such file, or it is neither.
    """
    content = _read_bytes(path)
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig")):
        if content.startswith(mark):
            try:
                text = content.decode(encoding)
            except UnicodeDecodeError as error:
                raise InputError(
                    f"{path.name}: not UTF-8 text (byte {error.start:,}); save the file as UTF-8"
                ) from None
            return _clean(text)
    raise AssertionError("unreachable: every content starts with nothing")  # pragma: no cover


def _read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        if not packed:
            return path.read_bytes()
        with gzip.open(path) as unpacked:
            content = unpacked.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path.name}: cannot be read ({error}); is it complete?") from None
    if len(content) > MOST_BYTES:
        raise InputError(f"{path.name}: unpacks to more than {MOST_BYTES:,} bytes; split it")
    return content


def _clean(text: str) -> str:
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    return SURROGATES.sub("\ufffd", CONTROLS.sub("", unified))


def find_delimiter(text: str) -> str:
    r"""Return the delimiter that the first lines hold equally often, the comma in doubt.

    Examples
    --------
    >>> find_delimiter("a;b;c\n1;2,5;3\n")
    ';'
    """
    lines = [line for line in text.split("\n", SNIFFED_LINES)[:SNIFFED_LINES] if line.strip()]
    best = max(DELIMITERS, key=lambda mark: lines[0].count(mark) if lines else 0)
    return best if lines and best in lines[0] else ","
