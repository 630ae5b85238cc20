"""Edge lists of any size → codes: DuckDB turns ids into small whole numbers, out of memory.

Ids are strings or integers and come back exactly as they were. Codes are ordered by degree, the
busiest account first, ties by id: rows that are used often then lie together, and the kernels of
`followkit.scale.pairs` need no order of their own.
"""

from __future__ import annotations

import csv
import gzip
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from followkit.convert import EARLIEST, EPOCH, ISO, LATEST
from followkit.errors import InputError, suggest
from followkit.sources.edge_lists import SOURCES, TARGETS, TIMES
from followkit.sources.text_files import find_delimiter

WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
TABLE = "follows"
#: Header lines are short; a longer first line is no header.
HEADER_BYTES = 1 << 16


@dataclass(frozen=True)
class EncodedFollows:
    """What was read and kept: `row_count` is the sum of the four counts that follow.

    Attributes
    ----------
    folder
        Where nodes.parquet (code int32, id) and edges.parquet (source int32, target int32,
        at_us int64 or null; sorted by source, then target) were written.
    row_count
        Rows read.
    missing_count, self_count, repeat_count, follow_count
        Rows without one of the ids, rows of an account following itself, later rows of a pair
        (the earliest known time is kept), and follows kept.
    account_count, timed_count, unreadable_count
        Accounts, follows whose time is known, rows of follows whose time could not
        be read (kept, untimed).
    """

    folder: Path
    row_count: int
    missing_count: int
    self_count: int
    repeat_count: int
    follow_count: int
    account_count: int
    timed_count: int
    unreadable_count: int


def encode_follows(
    path: str | Path,
    out: str | Path,
    *,
    follower: str | None = None,
    followee: str | None = None,
    at: str | None = None,
    memory_limit: str = "1GB",
    threads: int = 2,
) -> EncodedFollows:
    r"""Write nodes.parquet and edges.parquet for the follows of a file.

    Parameters
    ----------
    path
        CSV (comma, semicolon or tab, with a header line; perhaps .gz), Parquet, or a .duckdb file
        with the base table `follows`. Text is read as text: `007` and `7` are two accounts.
    out
        A folder; both files appear in it only when they are complete. What does not fit in memory
        waits in a temporary folder inside.
    follower, followee, at
        Names of the columns; without them the usual ones are looked for (`follower_id`, `source`,
        …; `followed_at`, `timestamp`, …). Times are ISO 8601 (UTC where no zone is given) or epochs
        in the unit that puts them all between 2004 and 2100.
    memory_limit, threads
        What DuckDB may use; the result does not depend on them.

    Returns
    -------
    EncodedFollows

    Raises
    ------
    InputError
        If the file or a column is not there or cannot be read, ids are neither text nor whole
        numbers, no follow is left, or the limit of memory is too small.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "ties.csv").write_text("source,target\n007,b\nb,007\nb,b\n7,b\n")
    >>> made = encode_follows(folder / "ties.csv", folder)
    >>> made.follow_count, made.self_count, made.account_count
    (3, 1, 3)
    """
    import duckdb

    source, folder = Path(path), Path(out)
    if not source.is_file():
        raise InputError(f"{source}: there is no such file")
    folder.mkdir(parents=True, exist_ok=True)
    work = Path(mkdtemp(prefix=".part-", dir=folder))
    try:
        with _connect(work, memory_limit, threads) as database:
            relation, columns = _open_source(database, source)
            _fence(database, source, work)
            picks = _pick_columns(source, columns, follower, followee, at)
            counts = _encode(database, relation, columns, picks, work)
        # Without nodes.parquet nothing is there, whatever the moment at which this may be stopped.
        (folder / "nodes.parquet").unlink(missing_ok=True)
        for name in ("edges.parquet", "nodes.parquet"):
            (work / name).replace(folder / name)
    except duckdb.OutOfMemoryException:
        raise InputError(
            f"{source.name}: {memory_limit} of memory are too few; raise memory_limit"
        ) from None
    except duckdb.Error as error:
        raise InputError(f"{source.name}: cannot be read ({_first(error)})") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return EncodedFollows(folder, *counts)


@contextmanager
def open_scale_database(
    folder: Path, *, memory_limit: str = "1GB", threads: int = 2
) -> Iterator[Any]:
    """Open an empty DuckDB database that spills into a temporary folder inside `folder`.

    Rows of a file keep their order, so that columns can be read one by one.
    """
    work = Path(mkdtemp(prefix=".part-", dir=folder))
    try:
        with _connect(work, memory_limit, threads, keeps_order=True) as database:
            yield database
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _connect(work: Path, memory_limit: str, threads: int, *, keeps_order: bool = False) -> Any:
    import duckdb

    options = {
        "autoload_known_extensions": False,
        "autoinstall_known_extensions": False,
        "threads": max(threads, 1),
        "memory_limit": memory_limit,
        "temp_directory": str(work / "spill"),
        "preserve_insertion_order": keeps_order,
    }
    try:
        database = duckdb.connect(":memory:", config=options)
    except duckdb.Error as error:
        raise InputError(f"memory_limit: DuckDB cannot start ({_first(error)})") from None
    database.execute("SET TimeZone = 'UTC'")
    database.execute("SET enable_progress_bar = false")
    return database


def _fence(database: Any, source: Path, work: Path) -> None:
    """Allow the file and the work folder, nothing else: a foreign file cannot reach further."""
    paths = [str(source), str(source.resolve()), _literal(source)]
    database.execute(f"SET allowed_paths = [{', '.join(map(_text, paths))}]")
    database.execute(f"SET allowed_directories = [{_text(str(work))}]")
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")


def _open_source(database: Any, source: Path) -> tuple[str, dict[str, str]]:
    """Return a relation to select from, and its columns with their types."""
    suffix = source.suffix.lower()
    if suffix in (".duckdb", ".db"):
        database.execute(f"ATTACH {_text(str(source))} AS given (READ_ONLY, TYPE DUCKDB)")
        found = database.execute(
            "SELECT schema_name FROM duckdb_tables() WHERE database_name = 'given' "
            "AND NOT internal AND table_name = ?", [TABLE],
        ).fetchall()  # fmt: skip
        if len(found) != 1:
            raise InputError(f"{source.name}: one base table {TABLE} is needed; {len(found)} found")
        relation = f"given.{_name(found[0][0])}.{_name(TABLE)}"
    elif suffix == ".parquet":
        relation = f"read_parquet({_text(_literal(source))}, hive_partitioning = false)"
    else:
        relation = _read_csv(source)
    described = database.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    return relation, {str(name): str(kind) for name, kind, *_ in described}


def _read_csv(source: Path) -> str:
    """Return the call that reads a CSV file with every column as text and nothing guessed."""
    opened = gzip.open if source.suffix.lower() == ".gz" else open
    try:
        with opened(source, "rb") as file:
            line = file.readline(HEADER_BYTES)
        text = line.decode("utf-8-sig").rstrip("\r\n")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"{source.name}: cannot be read as UTF-8 text ({error})") from None
    delimiter = find_delimiter(text)
    header = [name.strip() for name in next(csv.reader([text], delimiter=delimiter), [])]
    if len(header) < 2 or len(set(header)) < len(header) or "" in header or "\0" in text:
        raise InputError(
            f"{source.name}: the first line must name at least two different columns, separated by "
            "comma, semicolon or tab"
        )
    columns = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in header)
    packed = "gzip" if source.suffix.lower() == ".gz" else "none"
    return (
        f"read_csv({_text(_literal(source))}, auto_detect = false, header = true, "
        f"strict_mode = true, delim = {_text(delimiter)}, quote = '\"', escape = '\"', "
        f"compression = '{packed}', allow_quoted_nulls = false, columns = {{{columns}}})"
    )


def _pick_columns(
    source: Path, columns: dict[str, str], follower: Any, followee: Any, at: Any
) -> tuple[str, str, str | None]:
    lowered = {name.casefold(): name for name in columns}
    picked: list[str | None] = []
    for given, known in ((follower, SOURCES), (followee, TARGETS), (at, TIMES)):
        if given is not None and given not in columns:
            raise InputError(f"{source.name}: no column {given!r}; {suggest(given, [*columns])}")
        usual = next((lowered[name] for name in known if name in lowered), None)
        picked.append(usual if given is None else given)
    one, two, moment = picked
    if one is None or two is None:
        have = ", ".join(columns)
        raise InputError(
            f"{source.name}: which columns hold follower and followee? Name them (columns: {have})"
        )
    for name in (one, two):
        if columns[name] not in ("VARCHAR", *WHOLE):
            raise InputError(
                f"{source.name}: ids are text or whole numbers; {name} is {columns[name]}"
            )
    if (columns[one] == "VARCHAR") != (columns[two] == "VARCHAR"):
        raise InputError(f"{source.name}: {one} and {two} must both be text or both be numbers")
    return one, two, moment


def _encode(
    database: Any,
    relation: str,
    columns: dict[str, str],
    picks: tuple[str, str, str | None],
    work: Path,
) -> tuple[int, ...]:
    """Write both files to the work folder; return the counts of `EncodedFollows`."""
    is_text = columns[picks[0]] == "VARCHAR"
    ids = [f"nullif({_name(name)}, '')" if is_text else f"{_name(name)}::BIGINT"
           for name in picks[:2]]  # fmt: skip
    moment = "NULL::BIGINT" if picks[2] is None else _as_moment(picks[2], columns[picks[2]])
    database.execute(f"CREATE TABLE given_rows AS SELECT {ids[0]} AS a, {ids[1]} AS b, "
                     f"{moment} AS moment FROM {relation}")  # fmt: skip
    rows, missing, self_count = database.execute(
        "SELECT count(*), count(*) FILTER (a IS NULL OR b IS NULL), count(*) FILTER (a = b) "
        "FROM given_rows"
    ).fetchone()
    read = _read_moments(database) if "VARCHAR" in moment else "moment"
    kept = "a IS NOT NULL AND b IS NOT NULL AND a <> b"
    database.execute(
        "CREATE TABLE account AS SELECT id, (row_number() OVER () - 1)::INTEGER AS n FROM "
        f"(SELECT a AS id FROM given_rows WHERE {kept} UNION SELECT b FROM given_rows WHERE {kept})"
    )
    # Repeats are dropped on numbers, which are smaller than ids.
    database.execute(
        f"CREATE TABLE tie AS SELECT p.n AS s, q.n AS t, min({read}) AS at_us, "
        f"count(moment) - count({read}) AS unreadable FROM given_rows "
        f"JOIN account p ON a = p.id JOIN account q ON b = q.id WHERE {kept} GROUP BY ALL"
    )
    database.execute("DROP TABLE given_rows")
    follows, timed, unreadable = database.execute(
        "SELECT count(*), count(at_us), coalesce(sum(unreadable), 0)::BIGINT FROM tie"
    ).fetchone()
    if not follows:
        raise InputError("follows: no follow of one account by another is in the file")
    accounts = _write_codes(database, work)
    repeats = rows - missing - self_count - follows
    return rows, missing, self_count, repeats, follows, accounts, timed, unreadable


def _write_codes(database: Any, work: Path) -> int:
    """Order accounts by degree, busiest first, then id; write nodes and edges."""
    database.execute(
        "CREATE TABLE node AS SELECT n, id, (row_number() OVER (ORDER BY degree DESC, id) - 1)"
        "::INTEGER AS code FROM account JOIN (SELECT n, count(*) AS degree FROM (SELECT s AS n FROM"
        " tie UNION ALL SELECT t FROM tie) GROUP BY n) USING (n)"
    )
    database.execute("DROP TABLE account")
    _copy(database, "SELECT code, id FROM node ORDER BY code", work / "nodes.parquet")
    query = (
        "SELECT p.code AS source, q.code AS target, at_us FROM tie JOIN node p ON s = p.n "
        "JOIN node q ON t = q.n ORDER BY source, target"
    )
    _copy(database, query, work / "edges.parquet")
    return int(database.execute("SELECT count(*) FROM node").fetchone()[0])


def _copy(database: Any, query: str, path: Path) -> None:
    # ORDER BY holds although other results may come in any order.
    database.execute(f"COPY ({query}) TO {_text(str(path))} (FORMAT parquet, COMPRESSION zstd)")


def _as_moment(name: str, kind: str) -> str:
    """Return the expression of a time column: microseconds where typed, else text."""
    if kind.startswith("TIMESTAMP"):
        zoned = f"({_name(name)} AT TIME ZONE 'UTC')" if "ZONE" in kind else _name(name)
        return f"epoch_us({zoned}::TIMESTAMP)"
    if kind == "DATE":
        return f"epoch_us({_name(name)}::TIMESTAMP)"
    return f"nullif(trim({_name(name)}::VARCHAR), '')"


def _read_moments(database: Any) -> str:
    """Return the expression that reads the text `moment` as microseconds."""
    iso = f"regexp_full_match(moment, {_text(ISO)})"
    stamp = "epoch_us(TRY_CAST(moment AS TIMESTAMPTZ) AT TIME ZONE 'UTC')"
    return f"CASE {_read_epoch(database)} WHEN {iso} THEN {stamp} END"


def _read_epoch(database: Any) -> str:
    """Return the branch for epochs: in the unit that puts all of them between 2004 and 2100."""
    is_epoch = f"regexp_full_match(moment, {_text(EPOCH)})"
    low, high = database.execute(
        f"SELECT min(moment::DOUBLE), max(moment::DOUBLE) FROM given_rows WHERE {is_epoch}"
    ).fetchone()
    for per_second in (1, 1_000, 1_000_000):
        if low is not None and low / per_second >= EARLIEST and high / per_second <= LATEST:
            scale = 1_000_000 // per_second
            # Whole numbers stay whole; halves of a unit are rounded by DuckDB.
            return f"WHEN {is_epoch} THEN (moment::DECIMAL(24, 6) * {scale})::BIGINT"
    return f"WHEN {is_epoch} THEN NULL"


def _literal(source: Path) -> str:
    """Return a path in which `[`, `*` and `?` mean themselves and pick no other files."""
    return "".join(f"[{mark}]" if mark in "[*?" else mark for mark in str(source))


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _first(error: Exception) -> str:
    return str(error).split("\n", 1)[0]
