"""Parquet files and DuckDB databases, read by DuckDB as text and with nothing else allowed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from followkit.errors import InputError
from followkit.schema import SCHEMAS

if TYPE_CHECKING:
    import duckdb


def read_parquet(path: Path) -> pd.DataFrame:
    """Return a Parquet file with every column as text.

    Raises
    ------
    InputError
        If it is no readable Parquet file.
    """
    with _connect() as database:
        return _fetch(database, "read_parquet(?)", [str(path)], path)


def read_database(path: Path) -> dict[str, pd.DataFrame]:
    """Return the canonical base tables of a DuckDB file as text; views are never run.

    A view could read any file of this machine, so only base tables are taken, the file is opened
    read-only and all other access is switched off first.

    Raises
    ------
    InputError
        If it is no DuckDB file, or holds no canonical table.
    """
    import duckdb

    with _connect() as database:
        quoted = str(path).replace("'", "''")
        try:
            database.execute(f"ATTACH '{quoted}' AS given (READ_ONLY)")
        except duckdb.Error as error:
            raise InputError(f"{path.name}: not a readable DuckDB file ({_first(error)})") from None
        database.execute("SET enable_external_access = false")
        found = database.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE "
            "table_catalog = 'given' AND table_type = 'BASE TABLE' ORDER BY ALL"
        ).fetchall()
        tables = {
            name: _fetch(database, f'given."{schema}"."{name}"', [], path)
            for schema, name in found
            if name in SCHEMAS and '"' not in schema
        }
    if not tables:
        have = ", ".join(name for _, name in found) or "none"
        raise InputError(
            f"{path.name}: no canonical table is in it (tables: {have}); expected at least follows"
        )
    return tables


def _connect() -> duckdb.DuckDBPyConnection:
    import duckdb

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
        cursor = database.execute(f"SELECT {picks} FROM {source}", values)
        rows = cursor.fetchall()
    except duckdb.Error as error:
        raise InputError(f"{path.name}: cannot be read ({_first(error)})") from None
    names = [str(name) for name, *_ in columns]
    whole = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return pd.DataFrame(
        {
            name: pd.Series(list(column), dtype="str")
            for name, column in zip(names, whole, strict=True)
        }
    )


def _as_text(name: str, kind: str) -> str:
    column = '"' + name.replace('"', '""') + '"'
    if kind.startswith("TIMESTAMP"):
        moment = f"({column} AT TIME ZONE 'UTC')" if "ZONE" in kind else column
        return f"strftime({moment}::TIMESTAMP, '%Y-%m-%dT%H:%M:%S.%fZ') AS {column}"
    if kind.endswith("[]"):
        return f"array_to_string({column}, ' ') AS {column}"
    return f"CAST({column} AS VARCHAR) AS {column}"


def _first(error: Exception) -> str:
    return str(error).split("\n", 1)[0]
