"""Mapping files: a TOML that says which file and column of other people's data is what.

See docs/data_format.md for the format and docs/adapters for examples.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from followkit.errors import InputError, suggest
from followkit.schema import SCHEMAS

COMPARISONS = {
    ">": lambda column, value: column > value,
    "<": lambda column, value: column < value,
    "=": lambda column, value: column == value,
}


@dataclass(frozen=True)
class TableMapping:
    """How one canonical table is made from one file."""

    file: str
    columns: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    where: str = ""


@dataclass(frozen=True)
class Mapping:
    """A whole mapping file."""

    tables: dict[str, TableMapping]
    about: dict[str, Any]


def read_mapping(path: Path) -> Mapping:
    """Read and check a mapping file.

    Raises
    ------
    InputError
        If it is no TOML, or names an unknown table, column or setting.
    """
    raw = read_toml(path)
    tables = raw.pop("tables", {})
    if not isinstance(tables, dict) or "follows" not in tables:
        raise InputError(f"{path.name}: [tables.follows] is needed; it says which file holds them")
    return Mapping({name: _check_table(path, name, part) for name, part in tables.items()}, raw)


def read_toml(path: Path) -> dict[str, Any]:
    """Return a TOML file's content; `InputError` if it is missing or broken."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name}: not valid TOML ({error})") from None


def apply_mapping(
    frame: pd.DataFrame, mapping: TableMapping, table: str
) -> tuple[pd.DataFrame, int]:
    """Return the canonical columns of a text frame, and how many rows `where` left out.

    Raises
    ------
    InputError
        If a mapped column is not in the file.
    """
    lacking = [name for name in mapping.columns.values() if name not in frame]
    if lacking:
        have = [str(name) for name in frame.columns]
        raise InputError(
            f"{mapping.file}: the mapping of {table} names the column {lacking[0]}, which is not "
            f"there; {suggest(lacking[0], have)}"
        )
    kept = frame[_where(frame, mapping, table)].reset_index(drop=True)
    result = pd.DataFrame({new: kept[old] for new, old in mapping.columns.items()})
    for name, words in mapping.values.items():
        result[name] = result[name].replace(words)
    for name, value in mapping.constants.items():
        result[name] = str(value)
    return result, len(frame) - len(kept)


def _where(frame: pd.DataFrame, mapping: TableMapping, table: str) -> pd.Series:
    if not mapping.where:
        return pd.Series(True, index=frame.index)
    parts = mapping.where.split()
    if len(parts) != 3 or parts[1] not in COMPARISONS or parts[0] not in frame:
        raise InputError(
            f"where: must read `column > value` (or < or =) with a column of {mapping.file}; "
            f"the mapping of {table} has {mapping.where!r}"
        )
    column: pd.Series = frame[parts[0]]
    try:
        value: Any = float(parts[2])
        column = pd.to_numeric(column, errors="coerce")
    except ValueError:
        value = parts[2].strip("'\"")
    return COMPARISONS[parts[1]](column, value).fillna(False).astype(bool)


def _check_table(path: Path, name: str, part: Any) -> TableMapping:
    if name not in SCHEMAS:
        raise InputError(f"{path.name}: no table is called {name}; {suggest(name, list(SCHEMAS))}")
    settings = set(TableMapping.__dataclass_fields__)
    unknown = sorted(set(part) - settings) if isinstance(part, dict) else [str(part)]
    if unknown or "file" not in part:
        what = f"{unknown[0]!r} is unknown" if unknown else "file is missing"
        raise InputError(f"{path.name}: [tables.{name}]: {what}; {suggest('', sorted(settings))}")
    mapping = TableMapping(**part)
    schema = SCHEMAS[name]
    named = [*mapping.columns, *mapping.constants, *mapping.values]
    wrong = [column for column in named if column not in schema.names and not schema.keeps_extra]
    if wrong:
        raise InputError(
            f"{path.name}: {name} has no column {wrong[0]}; {suggest(wrong[0], schema.names)}"
        )
    return mapping
