"""Canonical tables: `make_dataset` converts, cleans and checks them; all faults come at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from followkit.convert import CONVERTERS, TIME_DTYPE, as_text, is_integer_text, to_times
from followkit.errors import Problem, TableError, suggest
from followkit.reprs import make_repr, name_some
from followkit.schema import SCHEMAS, Column, TableSchema

__all__ = ["SCHEMAS", "Dataset", "check_tables", "make_dataset"]

EMPTY_DTYPES = {"time": TIME_DTYPE, "count": "Int64", "number": "float64", "flag": "boolean"}
QUALITY_COLUMNS = ["table", "step", "rows", "note"]

Keys = Callable[[pd.Series], tuple[str, ...]]


def empty_quality() -> pd.DataFrame:
    """Return a quality table without rows: table, step, rows, note."""
    return pd.DataFrame(
        {"table": pd.Series(dtype="str"), "step": pd.Series(dtype="str"),
         "rows": pd.Series(dtype="int64"), "note": pd.Series(dtype="str")}
    )  # fmt: skip


@dataclass(frozen=True)
class Dataset:
    """Checked canonical tables, what they are about, and what was dropped on the way.

    Attributes
    ----------
    tables
        Canonical tables by name, with canonical dtypes.
    name, about
        A short name, and what is known of the origin (title, source, licence, notes, truth).
    quality
        table, step, rows, note: for each table the rows read, the rows dropped for each reason
        and the rows kept, which add up; steps that drop nothing carry a note only.
    """

    tables: Mapping[str, pd.DataFrame]
    name: str = "data"
    about: Mapping[str, Any] = field(default_factory=dict)
    quality: pd.DataFrame = field(default_factory=empty_quality)

    def table(self, name: str) -> pd.DataFrame:
        """Return a table, without rows when the data do not have it."""
        return self.tables[name] if name in self.tables else _empty(SCHEMAS[name])

    @property
    def follows(self) -> pd.DataFrame:
        """Who follows whom."""
        return self.table("follows")

    @property
    def accounts(self) -> pd.DataFrame:
        """One row an account."""
        return self.table("accounts")

    @property
    def account_counts(self) -> pd.DataFrame:
        """The platform's counts over time."""
        return self.table("account_counts")

    @property
    def posts(self) -> pd.DataFrame:
        """One row a post."""
        return self.table("posts")

    @property
    def media(self) -> pd.DataFrame:
        """Pictures of posts and accounts."""
        return self.table("media")

    @property
    def interactions(self) -> pd.DataFrame:
        """Acts of one account towards another."""
        return self.table("interactions")

    @property
    def observation(self) -> pd.DataFrame:
        """When an account's own follows, posts or acts were visible."""
        return self.table("observation")

    def has(self, table: str, *columns: str) -> bool:
        """Return whether the table has rows and every named column holds at least one value."""
        frame = self.tables.get(table)
        if frame is None or frame.empty:
            return False
        return all(name in frame and bool(frame[name].notna().any()) for name in columns)

    def replace(self, **tables: pd.DataFrame | None) -> Dataset:
        """Return a dataset with some tables swapped (None removes one), not checked again."""
        merged = {**self.tables, **tables}
        kept = {name: frame for name, frame in merged.items() if frame is not None}
        return replace(self, tables={name: kept[name] for name in SCHEMAS if name in kept})

    def fingerprint(self) -> str:
        """Return the SHA-256 of the tables as sorted text: row order and file kind do not matter.

        Examples
        --------
        >>> ties = pd.DataFrame({"follower_id": ["a", "b"], "followee_id": ["b", "c"]})
        >>> one, two = make_dataset({"follows": ties}), make_dataset({"follows": ties[::-1]})
        >>> one.fingerprint() == two.fingerprint()
        True
        """
        digest = hashlib.sha256()
        for name in sorted(self.tables):
            frame = self.tables[name]
            columns = sorted(column for column in frame if frame[column].notna().any())
            hashes = pd.util.hash_pandas_object(_plain(frame[columns]), index=False)
            digest.update(f"{name}:{','.join(columns)}:{len(frame)}:".encode())
            digest.update(hashes.sort_values().to_numpy().tobytes())
        return digest.hexdigest()

    @property
    def span(self) -> tuple[pd.Timestamp, pd.Timestamp] | None:
        """The first and the last moment (UTC) in any table; None where nothing has a time."""
        times = [
            column
            for frame in self.tables.values()
            for _, column in frame.select_dtypes("datetimetz").items()
            if column.notna().any()
        ]
        if not times:
            return None
        return min(column.min() for column in times), max(column.max() for column in times)

    def _repr_html_(self) -> str:
        # Which questions can be answered is decided further on in the order of modules.
        from followkit.dyads import find_questions

        moments = self.span
        span = " to ".join(f"{at:%Y-%m-%d}" for at in moments) if moments else "no times"
        able = [f"{name}: {why or 'yes'}" for name, why in find_questions(self).items()]
        title = str(self.about.get("title", ""))
        facts = [("about", title)] if title else []
        facts += [("time span (UTC)", span), ("questions that it can answer", "; ".join(able))]
        rows = [(name, len(frame), name_some(frame.columns)) for name, frame in self.tables.items()]
        return make_repr(f"Dataset {self.name}", facts, ("table", "rows", "columns"), rows)


def make_dataset(
    tables: Mapping[str, pd.DataFrame],
    *,
    name: str = "data",
    about: Mapping[str, Any] | None = None,
    quality: pd.DataFrame | None = None,
) -> Dataset:
    """Convert tables to canonical dtypes, drop and count what is no follow, and check the rest.

    Dropped and counted: self-follows, exact duplicates of a follow (same pair, same time; without
    times the same pair), repeated accounts that agree in every column. Several follows of one pair
    at different times are kept: `followkit.dyads` decides about them.

    Parameters
    ----------
    tables
        Frames by canonical name, as text or as typed columns. Further columns of `accounts`,
        `posts` and `media` are kept as text or numbers; of other tables dropped and counted.
    name, about
        See `Dataset`.
    quality
        What a reader already dropped, in the columns of `Dataset.quality`.

    Returns
    -------
    Dataset

    Raises
    ------
    TableError
        With every problem of every table.

    Examples
    --------
    >>> ties = pd.DataFrame({"follower_id": ["1", "2", "2"], "followee_id": ["2", "1", "2"]})
    >>> data = make_dataset({"follows": ties})
    >>> data.follows["follower_id"].dtype, len(data.follows)
    (dtype('int64'), 2)
    >>> make_dataset({"follows": ties.rename(columns={"followee_id": "followee"})})
    Traceback (most recent call last):
        ...
    followkit.errors.TableError: 1 problem in the tables:
    - follows: the column followee_id is required; found ... (did you mean followee? ...
    """
    work = _Work(tables, quality)
    if work.problems:
        raise TableError(work.problems)
    return Dataset(work.tables, name, dict(about or {}), work.quality())


def check_tables(tables: Mapping[str, pd.DataFrame]) -> list[Problem]:
    """Return every problem that would keep `make_dataset` from accepting the tables.

    Examples
    --------
    >>> ties = pd.DataFrame({"follower_id": ["a", ""], "followee_id": ["b", "c"]})
    >>> [problem.rule for problem in check_tables({"follows": ties})]
    ['follower_id must not be empty']
    """
    return _Work(tables, None).problems


class _Work:
    """The state of one conversion: tables so far, problems, and rows dropped."""

    def __init__(self, tables: Mapping[str, pd.DataFrame], quality: pd.DataFrame | None) -> None:
        self.problems: list[Problem] = []
        self.steps: list[tuple[str, str, int, str]] = []
        self.tables: dict[str, pd.DataFrame] = {}
        self._before = quality if quality is not None else empty_quality()
        self._check_names(tables)
        for name, schema in SCHEMAS.items():
            if name in tables:
                self.tables[name] = self._convert(schema, self._take(name, tables[name]))
        if not self.problems:
            self._unify_ids()
            self._clean()

    def quality(self) -> pd.DataFrame:
        """Return what was read, dropped and kept, table by table."""
        frame = pd.DataFrame(self.steps, columns=QUALITY_COLUMNS)
        kept = [(name, "kept", len(table), "") for name, table in self.tables.items()]
        parts = [self._before, frame, pd.DataFrame(kept, columns=QUALITY_COLUMNS)]
        whole = pd.concat([part for part in parts if len(part)], ignore_index=True)
        order = {name: place for place, name in enumerate(SCHEMAS)}
        return whole.sort_values("table", key=lambda names: names.map(order), kind="stable",
                                 ignore_index=True)  # fmt: skip

    def _check_names(self, tables: Mapping[str, pd.DataFrame]) -> None:
        for name in tables:
            if name not in SCHEMAS:
                self._fault(
                    name, "a canonical table name", f"{name!r}", suggest(name, list(SCHEMAS))
                )
        if "follows" not in tables:
            found = ", ".join(tables) or "no table"
            self._fault("follows", "the table is required", found, "Give the table of follows.")

    def _take(self, name: str, frame: pd.DataFrame) -> pd.DataFrame:
        twice = frame.columns[frame.columns.duplicated()]
        if len(twice):
            self._fault(name, "column names must differ", f"{twice[0]!r} more than once",
                        "Rename or remove one.")  # fmt: skip
        return frame.loc[:, ~frame.columns.duplicated()].reset_index(drop=True)

    def _fault(
        self,
        table: str,
        rule: str,
        found: str,
        remedy: str,
        bad: pd.Series | None = None,
        keys: Keys | None = None,
    ) -> None:
        count = int(bad.sum()) if bad is not None else 0
        first = keys(bad) if bad is not None and keys is not None else ()
        self.problems.append(Problem(table, rule, found, count, first, remedy))

    def _convert(self, schema: TableSchema, frame: pd.DataFrame) -> pd.DataFrame:
        read_before = (self._before["table"] == schema.name) & (self._before["step"] == "read")
        if not read_before.any():
            self.steps.append((schema.name, "read", len(frame), ""))
        for column in schema.columns:
            if column.required and column.name not in frame:
                have = [str(name) for name in frame.columns]
                spare = [name for name in have if name not in schema.names]
                found = f"the columns {', '.join(have) or 'none'}"
                self._fault(schema.name, f"the column {column.name} is required", found,
                            f"Rename one ({suggest(column.name, spare or have)}).")  # fmt: skip
        if frame.empty and schema.name == "follows":
            self._fault("follows", "at least one follow is required", "0 rows",
                        "Check that the file holds follows, one a row.")  # fmt: skip
        keys = _keys(schema, frame)
        known = [column for column in schema.columns if column.name in frame]
        converted = {
            column.name: self._convert_column(schema.name, column, frame[column.name], keys)
            for column in known
        }
        return pd.DataFrame({**converted, **self._extra(schema, frame)}, index=frame.index)

    def _extra(self, schema: TableSchema, frame: pd.DataFrame) -> dict[str, pd.Series]:
        names = [str(name) for name in frame.columns if name not in schema.names]
        if schema.keeps_extra:
            return {name: _attribute(frame[name]) for name in names}
        if names:
            note = f"columns that are not canonical were left out: {', '.join(names)}"
            self.steps.append((schema.name, "left out", 0, note))
        return {}

    def _convert_column(
        self, table: str, column: Column, values: pd.Series, keys: Keys
    ) -> pd.Series:
        if column.kind in ("account", "id"):
            return self._convert_id(table, column, values, keys)
        if column.kind == "time":
            result, bad, naive = to_times(values)
            if naive:
                note = f"{column.name}: {naive:,} times carry no zone and were taken as UTC"
                self.steps.append((table, "noted", 0, note))
            rule = f"{column.name} must be ISO 8601 or an epoch between 2004 and 2100"
        else:
            result, bad = CONVERTERS[column.kind](values)
            rule = f"{column.name} must be a {column.kind}"
            if column.kind == "count":
                rule = f"{column.name} must be a whole number, not negative"
        if column.allowed:
            bad = bad | (result.notna() & ~result.isin(column.allowed))
            rule = f"{column.name} must be one of {', '.join(column.allowed)}"
        self._fault_rows(table, rule, values, bad, keys)
        if column.required:
            self._fault_empty(table, column.name, result.isna() & ~bad, keys)
        return result

    def _convert_id(self, table: str, column: Column, values: pd.Series, keys: Keys) -> pd.Series:
        text = as_text(values)
        if values.dtype.kind == "f" and values.notna().any():
            self._fault(table, f"{column.name} must be text or whole numbers",
                        "ids read as decimals, which merges long ids",
                        "Read the file as text (dtype=str), or let followkit read it.",
                        values.notna(), keys)  # fmt: skip
        else:
            decimal = text.str.fullmatch(r"-?[0-9]+\.0+").fillna(False).astype(bool)
            if decimal.any() and decimal.sum() == text.notna().sum():
                self._fault_rows(table, f"{column.name} must be text or whole numbers", text,
                                 decimal, keys)  # fmt: skip
        if column.required:
            self._fault_empty(table, column.name, text.isna(), keys)
        return text

    def _fault_empty(self, table: str, name: str, bad: pd.Series, keys: Keys) -> None:
        if bad.any():
            self._fault(table, f"{name} must not be empty", "empty values",
                        "Complete or remove these rows.", bad, keys)  # fmt: skip

    def _fault_rows(
        self, table: str, rule: str, values: pd.Series, bad: pd.Series, keys: Keys
    ) -> None:
        if bad.any():
            sample = ", ".join(repr(value)[:40] for value in as_text(values[bad]).head(2))
            self._fault(table, rule, sample, "Correct these values in the file.", bad, keys)

    def _unify_ids(self) -> None:
        """Make account ids integers in all tables if they are integers in all, else text."""
        for kind in ("account", "id"):
            places = [
                (name, column.name)
                for name, table in self.tables.items()
                for column in SCHEMAS[name].columns
                if column.kind == kind and column.name in table
            ]
            whole = all(
                bool(
                    (
                        is_integer_text(self.tables[name][column])
                        | self.tables[name][column].isna()
                    ).all()
                )
                for name, column in places
            )
            for name, column in places if whole else []:
                text = self.tables[name][column]
                dtype = "Int64" if text.isna().any() else "int64"
                self.tables[name][column] = text.astype(dtype)

    def _clean(self) -> None:
        follows = self.tables["follows"]
        own = follows["follower_id"] == follows["followee_id"]
        self._drop("follows", own, "self-follow")
        follows = self.tables["follows"]
        stamps = [name for name in follows if str(name).endswith("_at")]
        repeated = follows.duplicated(["follower_id", "followee_id", *stamps])
        self._drop("follows", repeated, "same follow again")
        if "accounts" in self.tables:
            self._drop("accounts", self.tables["accounts"].duplicated(), "same account again")
        for name in ("accounts", "posts", "media"):
            self._check_unique(name)
        self._check_order()

    def _drop(self, table: str, bad: pd.Series, reason: str) -> None:
        if bad.any():
            self.steps.append((table, "dropped", int(bad.sum()), reason))
            self.tables[table] = self.tables[table][~bad].reset_index(drop=True)

    def _check_unique(self, name: str) -> None:
        if name not in self.tables:
            return
        table, schema = self.tables[name], SCHEMAS[name]
        again = table.duplicated(list(schema.key))
        if again.any():
            self._fault(name, f"{' and '.join(schema.key)} must be unique",
                        "the same key with different rows", "Keep one row for each.",
                        again, _keys(schema, table))  # fmt: skip

    def _check_order(self) -> None:
        follows = self.tables["follows"]
        keys = _keys(SCHEMAS["follows"], follows)
        pairs = (
            ("followed_at", "unfollowed_at"),
            ("followed_after_at", "followed_before_at"),
            ("unfollowed_after_at", "unfollowed_before_at"),
        )
        for first, second in pairs:
            if first in follows and second in follows:
                bad = follows[first] > follows[second]
                if bad.any():
                    self._fault("follows", f"{second} must not lie before {first}",
                                "the reverse order", "Correct the times.", bad, keys)  # fmt: skip


def _empty(schema: TableSchema) -> pd.DataFrame:
    return pd.DataFrame(
        {
            column.name: pd.Series(dtype=EMPTY_DTYPES.get(column.kind, "str"))
            for column in schema.columns
        }
    )


def _keys(schema: TableSchema, frame: pd.DataFrame) -> Keys:
    """Return what names the first three bad rows in a message: place in the table and key columns.

    Names are made for these rows only: for a million follows they would cost half of the reading.
    """

    def name_rows(bad: pd.Series) -> tuple[str, ...]:
        places = np.flatnonzero(bad.to_numpy(dtype=bool))[:3]
        keys = [as_text(frame[name].iloc[places]).fillna("(empty)") for name in schema.key
                if name in frame]  # fmt: skip
        return tuple(
            " ".join([f"row {place + 1}", *(key.iloc[order] for key in keys)])
            for order, place in enumerate(places)
        )

    return name_rows


def _attribute(values: pd.Series) -> pd.Series:
    """Return a further column: numbers stay numbers, all else becomes text."""
    return values if values.dtype.kind in "fib" else as_text(values)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame as text, so that equal values hash equally whatever their dtype."""
    return pd.DataFrame({name: as_text(frame[name]).fillna("") for name in frame.columns})
