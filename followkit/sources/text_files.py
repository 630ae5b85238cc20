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
#: C0 and C1 controls but tab and line feeds.
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
SURROGATES = re.compile("[\ud800-\udfff]")
STEP_BYTES = 1 << 20
#: An unpacked file may have this many bytes, and be this many times its packed size once it is
#: larger than FREE_BYTES: follow lists pack 3 to 20 times, a bomb about 1,000 times.
MOST_BYTES = 4_000_000_000
FREE_BYTES = 50_000_000
MOST_RATIO = 200


def read_text_table(path: str | Path) -> pd.DataFrame:
    r"""Read a CSV file (comma, semicolon or tab; perhaps .gz) with every column as text.

    Parameters
    ----------
    path
        UTF-8, with or without byte order mark, or UTF-16 with one. The first line names columns.

    Returns
    -------
    pandas.DataFrame
        One string column for each name, values as they stand in the file: `NA`, `null`, `007` and
        19-digit ids survive. The empty string stays the empty string; later stages read it as
        missing. Control characters are taken out, lone surrogates become U+FFFD.

    Raises
    ------
    InputError
        If the file cannot be read or decoded, a header comes twice, or a line has more or fewer
        fields than the header; the message names the line.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "follows.csv"
    >>> _ = path.write_text("follower_id;followee_id\nNA;007\n", encoding="utf-8")
    >>> read_text_table(path).to_dict("list")
    {'follower_id': ['NA'], 'followee_id': ['007']}
    """
    return read_delimited(Path(path))[0]


def read_delimited(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Return a CSV file as text columns, and remarks on what was changed while reading."""
    text, remarks = read_text(path)
    first = next((line for line in text.split("\n") if line.strip()), "")
    if not first:
        raise InputError(f"{path.name}: the file is empty; a line of column names is needed")
    rows = csv.reader(io.StringIO(text), delimiter=find_delimiter(first), strict=True)
    kept: list[list[str]] = []
    wrong: list[tuple[int, int]] = []
    header: list[str] = []
    try:
        for row in rows:
            if not row or (len(row) == 1 and not row[0].strip()):
                continue
            if not header:
                header = _check_header(path, row)
            elif len(row) == len(header):
                kept.append(row)
            else:
                wrong.append((rows.line_num, len(row)))
    except csv.Error as error:
        raise InputError(f"{path.name}: line {rows.line_num}: {error}; check the quotes") from None
    if wrong:
        lines = "; ".join(f"line {line} has {width}" for line, width in wrong[:3])
        raise InputError(
            f"{path.name}: every line needs {len(header)} fields as the header has; "
            f"{len(wrong):,} lines differ, first: {lines}. Quote fields that hold the delimiter."
        )
    return _make_frame(header, kept), remarks


def _make_frame(header: list[str], rows: list[list[str]]) -> pd.DataFrame:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(header)
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
        what = "a column has no name" if "" in header else f"{twice[0]!r} comes twice"
        raise InputError(f"{path.name}: column names must differ; {what}. Rename the columns.")
    return header


def read_text(path: Path) -> tuple[str, list[str]]:
    """Return a text file's content as Unicode, and remarks on the characters that were changed.

    UTF-8, with or without a byte order mark, or UTF-16 with one; .gz files are unpacked.

    Raises
    ------
    InputError
        If there is no such file, or it is neither.
    """
    content = _read_bytes(path)
    is_wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    # Plain letters in UTF-16 are every second byte NUL; as UTF-8 they would lose letters unseen.
    if not is_wide and content[:1000].count(0) > 0.2 * len(content[:1000]):
        raise InputError(
            f"{path.name}: not a text file, or UTF-16 without its mark; save it as UTF-8"
        )
    try:
        text = content.decode("utf-16" if is_wide else "utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path.name}: not UTF-8 text (byte {error.start:,}); save the file as UTF-8"
        ) from None
    return clean_text(text.removeprefix("\ufeff"))


def clean_text(text: str) -> tuple[str, list[str]]:
    r"""Return text with plain line ends and without control characters, and what was changed.

    Examples
    --------
    >>> clean_text("a\x00b\ud800\r\n")
    ('ab�\n', ['1 control characters were taken out', '1 broken characters became U+FFFD'])
    """
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    calm, control_count = CONTROLS.subn("", unified)
    whole, broken_count = SURROGATES.subn("\ufffd", calm)
    remarks = []
    if control_count:
        remarks.append(f"{control_count:,} control characters were taken out")
    if broken_count:
        remarks.append(f"{broken_count:,} broken characters became U+FFFD")
    return whole, remarks


def _read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            if file.read(2) != b"\x1f\x8b":
                return path.read_bytes()
        return _unpack(path)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path.name}: cannot be read ({error}); is it complete?") from None


def _unpack(path: Path) -> bytes:
    """Unpack step by step, so that a small file that unpacks to a huge one is stopped early."""
    most = min(MOST_BYTES, max(FREE_BYTES, MOST_RATIO * path.stat().st_size))
    content = bytearray()
    with gzip.open(path) as packed:
        while step := packed.read(STEP_BYTES):
            content += step
            if len(content) > most:
                raise InputError(
                    f"{path.name}: unpacks to more than {most:,} bytes; unpack it yourself if you "
                    "trust it"
                )
    return bytes(content)


def find_delimiter(line: str) -> str:
    """Return the delimiter that a header line holds most often outside quotes, else the comma.

    Examples
    --------
    >>> find_delimiter('a;"b,c,d,e";f')
    ';'
    """
    outside = re.sub('"[^"]*"', "", line)
    return max(DELIMITERS, key=outside.count)
