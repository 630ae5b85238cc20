"""Parquet files and DuckDB databases, read by DuckDB as text and with nothing else allowed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from followkit.errors import InputError
from followkit.schema import SCHEMAS
from followkit.sources.text_files import CONTROLS

if TYPE_CHECKING:
    import duckdb


def read_parquet(path: str | Path) -> pd.DataFrame:
    """Return a Parquet file with every column as text.

    Times become ISO 8601 in UTC to the microsecond, lists become items with blanks between them,
    all else is written as DuckDB writes it; null stays missing.

    Raises
    ------
    InputError
        If it is no readable Parquet file.
    """
    path = Path(path)
    # Else `[`, `*` and `?` in a folder's name would pick other files.
    literal = re.sub(r"([\[*?])", r"[\1]", str(path))
    with _connect(path) as database:
        return _fetch(database, "read_parquet(?, hive_partitioning = false)", [literal], path)


def read_database(path: str | Path) -> dict[str, pd.DataFrame]:
    """Return the canonical base tables of a DuckDB file as text; views are never run.

    A view could read any file of this machine, so only base tables are taken, the file is opened
    read-only and all other access is switched off first.

    Raises
    ------
    InputError
        If it is no DuckDB file, holds no canonical table, or holds one in two schemas.
    """
    path = Path(path)
    with _connect(path) as database:
        _attach(database, path)
        found = database.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() "
            "WHERE database_name = 'given' AND NOT internal ORDER BY ALL"
        ).fetchall()
        names = [name for _, name in found if name in SCHEMAS]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InputError(f"{path.name}: {twice[0]} is in two schemas; keep one")
        tables = {
            name: _fetch(database, f"given.{_quote(schema)}.{_quote(name)}", [], path)
            for schema, name in found
            if name in SCHEMAS
        }
    if not tables:
        have = ", ".join(name for _, name in found) or "none"
        raise InputError(
            f"{path.name}: no canonical table is in it (tables: {have}); expected at least follows"
        )
    return tables


def _attach(database: duckdb.DuckDBPyConnection, path: Path) -> None:
    import duckdb

    quoted = str(path).replace("'", "''")
    try:
        database.execute(f"ATTACH '{quoted}' AS given (READ_ONLY, TYPE DUCKDB)")
    except duckdb.Error as error:
        raise InputError(f"{path.name}: not a readable DuckDB file ({_first(error)})") from None
    database.execute("SET enable_external_access = false")


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        import duckdb
    except ImportError:
        raise InputError(
            f"{path.name}: reading it needs the package duckdb, which is not here; give CSV files"
        ) from None
    options = {"autoload_known_extensions": False, "autoinstall_known_extensions": False,
               "threads": 1}  # fmt: skip
    database = duckdb.connect(":memory:", config=options)
    database.execute("SET TimeZone = 'UTC'")
    return database


def _fetch(
    database: duckdb.DuckDBPyConnection, source: str, values: list[str], path: Path
) -> pd.DataFrame:
    """Return a relation as text: times as ISO 8601 in UTC, lists with blanks between items."""
    import duckdb

    try:
        columns = database.execute(f"DESCRIBE SELECT * FROM {source}", values).fetchall()
        picks = ", ".join(_as_text(str(name), str(kind)) for name, kind, *_ in columns)
        rows = database.execute(f"SELECT {picks} FROM {source}", values).fetchall()
    except (duckdb.Error, UnicodeDecodeError) as error:
        raise InputError(f"{path.name}: cannot be read ({_first(error)})") from None
    whole = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    return pd.DataFrame(
        {
            str(name): pd.Series(list(values), dtype="str").str.replace(CONTROLS, "", regex=True)
            for (name, *_), values in zip(columns, whole, strict=True)
        }
    )


def _as_text(name: str, kind: str) -> str:
    column = _quote(name)
    if kind.startswith("TIMESTAMP"):
        moment = f"({column} AT TIME ZONE 'UTC')" if "ZONE" in kind else column
        # No zone is added to times that have none: that they were taken as UTC is counted later.
        zone = "Z" if "ZONE" in kind else ""
        return f"strftime({moment}::TIMESTAMP, '%Y-%m-%dT%H:%M:%S.%f{zone}') AS {column}"
    if kind.endswith("]"):
        return f"array_to_string({column}::VARCHAR[], ' ') AS {column}"
    return f"CAST({column} AS VARCHAR) AS {column}"


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _first(error: Exception) -> str:
    return str(error).split("\n", 1)[0]
