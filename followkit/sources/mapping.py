"""Mapping files: a TOML that says which file and column of other people's data is what.

See docs/data_format.md for the format and docs/adapters for examples.
"""

from __future__ import annotations

import operator
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from followkit.convert import to_times
from followkit.errors import InputError, suggest
from followkit.schema import SCHEMAS

COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
    "=": operator.eq, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
CONDITION = re.compile(r"\s*(\S+?)\s*(>=|<=|!=|==|>|<|=)\s*(.+?)\s*")
OBSERVATION = ("from", "until", "sees_unfollows", "list_is_complete")
STAMPS = ("followed_at", "unfollowed_at")


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
    """A whole mapping file; `folder` is where the files lie if not beside the mapping."""

    tables: dict[str, TableMapping]
    about: dict[str, Any]
    observation: dict[str, Any] = field(default_factory=dict)
    folder: str = ""


def read_mapping(path: Path) -> Mapping:
    """Read and check a mapping file.

    Raises
    ------
    InputError
        If it is no TOML, or names an unknown table, column or setting.
    """
    raw = read_toml(path)
    tables, seen, folder = raw.pop("tables", {}), raw.pop("observation", {}), raw.pop("folder", "")
    if not isinstance(tables, dict) or "follows" not in tables:
        raise InputError(f"{path.name}: [tables.follows] is needed; it says which file holds them")
    if not isinstance(folder, str):
        raise InputError(f"{path.name}: folder must be text, the way from this file to the data")
    unknown = sorted(set(seen) - set(OBSERVATION)) if isinstance(seen, dict) else ["it"]
    if unknown:
        raise InputError(
            f"{path.name}: [observation]: {unknown[0]} is unknown; {suggest('', OBSERVATION)}"
        )
    if seen and "observation" in tables:
        raise InputError(f"{path.name}: give [observation] or [tables.observation], not both")
    parts = {name: _check_table(path, name, part) for name, part in tables.items()}
    return Mapping(parts, raw, seen, folder)


def read_toml(path: Path) -> dict[str, Any]:
    """Return a TOML file's content; `InputError` if it is missing or broken."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read ({error})") from None
    except (ValueError, RecursionError) as error:
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
    have = [str(name) for name in frame.columns]
    for name in mapping.columns.values():
        if name not in have:
            raise InputError(
                f"{mapping.file}: the mapping of {table} names the column {name}, which is not "
                f"there; {suggest(name, have)}"
            )
    kept = frame[_where(frame, mapping, table)].reset_index(drop=True)
    result = pd.DataFrame({new: kept[old] for new, old in mapping.columns.items()})
    result = result.reindex(kept.index)
    for name, words in mapping.values.items():
        renamed = result[name].map(words)
        result[name] = renamed.where(renamed.notna(), result[name]).astype("str")
    for name, value in mapping.constants.items():
        result[name] = pd.Series(value, index=kept.index, dtype="str")
    return result, len(frame) - len(kept)


def make_observation(mapping: Mapping, follows: pd.DataFrame) -> pd.DataFrame | None:
    """Return the observation table that `[observation]` declares for every account, if any.

    Raises
    ------
    InputError
        If `from` or `until` is no time, or "first" and "last" are asked of follows without times.
    """
    said = mapping.observation
    if not said:
        return None
    ids = pd.concat([follows["follower_id"], follows["followee_id"]]).dropna().drop_duplicates()
    stamps = [to_times(follows[name])[0] for name in STAMPS if name in follows]
    known = pd.concat(stamps).dropna() if stamps else pd.Series(dtype="str")
    ends = {}
    for end, default in (("from", "first"), ("until", "last")):
        value = str(said.get(end, default))
        if value in ("first", "last"):
            if known.empty:
                raise InputError(
                    f"[observation]: {end} = {value!r} needs follows with times; give a time, or "
                    "leave [observation] out"
                )
            value = (known.min() if value == "first" else known.max()).isoformat()
        if to_times(pd.Series([value]))[1].any():
            raise InputError(f"[observation]: {end} must be first, last or ISO 8601, not {value!r}")
        ends[end] = value
    return pd.DataFrame(
        {"account_id": ids, "table_name": "follows", "observed_from_at": ends["from"],
         "observed_until_at": ends["until"],
         "list_is_complete": str(said.get("list_is_complete", True)),
         "sees_unfollows": str(said.get("sees_unfollows", False))}
    ).reset_index(drop=True)  # fmt: skip


def _where(frame: pd.DataFrame, mapping: TableMapping, table: str) -> pd.Series:
    if not mapping.where:
        return pd.Series(True, index=frame.index)
    parts = CONDITION.fullmatch(mapping.where)
    if parts is None or parts[1] not in frame:
        raise InputError(
            f"where: must read `column > value` (or >=, <, <=, =, !=) with a column of "
            f"{mapping.file}; the mapping of {table} has {mapping.where!r}"
        )
    column: pd.Series = frame[parts[1]]
    try:
        value: Any = float(parts[3])
        column = pd.to_numeric(column, errors="coerce")
    except ValueError:
        value = parts[3].strip("'\"")
    # A row without a value meets no condition, `!=` included.
    return (COMPARISONS[parts[2]](column, value) & column.notna()).fillna(False).astype(bool)


def _check_table(path: Path, table: str, part: Any) -> TableMapping:
    if table not in SCHEMAS:
        raise InputError(
            f"{path.name}: no table is called {table}; {suggest(table, list(SCHEMAS))}"
        )
    where = f"{path.name}: [tables.{table}]"
    settings = sorted(TableMapping.__dataclass_fields__)
    if not isinstance(part, dict) or "file" not in part:
        raise InputError(f"{where}: file is missing; {suggest('', settings)}")
    unknown = sorted(set(part) - set(settings))
    if unknown:
        raise InputError(f"{where}: {unknown[0]!r} is unknown; {suggest(unknown[0], settings)}")
    mapping = TableMapping(
        _text(where, "file", part["file"]),
        _texts(where, "columns", part.get("columns", {})),
        {name: str(value) for name, value in _table(where, "constants", part).items()},
        {name: _texts(where, "values", new) for name, new in _table(where, "values", part).items()},
        _text(where, "where", part.get("where", "")),
    )  # fmt: skip
    _check_columns(where, table, mapping)
    return mapping


def _check_columns(where: str, table: str, mapping: TableMapping) -> None:
    schema = SCHEMAS[table]
    for column in [*mapping.columns, *mapping.constants, *mapping.values]:
        if column not in schema.names and not schema.keeps_extra:
            raise InputError(
                f"{where}: {table} has no column {column}; {suggest(column, schema.names)}"
            )
    for column in mapping.values:
        if column not in mapping.columns:
            raise InputError(f"{where}: values of {column} need it in columns, too")


def _table(where: str, setting: str, part: dict[str, Any]) -> dict[str, Any]:
    value = part.get(setting, {})
    if not isinstance(value, dict):
        raise InputError(f"{where}: {setting} must be {{ name = … }}, not {value!r}")
    return value


def _texts(where: str, setting: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise InputError(f'{where}: {setting} must be {{ name = "text" }}, not {value!r}')
    return value


def _text(where: str, setting: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InputError(f"{where}: {setting} must be text in quotes, not {value!r}")
    return value
