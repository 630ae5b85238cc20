"""Blocks of rows, from arrays or from Parquet, and what a fit sums over each block.

A block always holds the same rows: `BLOCK_ROWS` of them in the order of the source, the last one
fewer. Workers may take blocks in any order; `map_blocks` hands results back in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt

from followkit.errors import InputError, ParameterError, suggest

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Files = str | Path | Sequence[str | Path]
Result = TypeVar("Result")

#: DuckDB hands out vectors of 2,048 rows; a block is 32 of them.
BLOCK_VECTORS = 32
BLOCK_ROWS = 2_048 * BLOCK_VECTORS
#: Rows worked on at once: their columns, 4,096 × 20 numbers, stay in the processor's cache.
INNER_ROWS = 4_096
INTEGERS = {f"{sign}{kind}INT" for sign in ("", "U") for kind in ("TINY", "SMALL", "BIG", "")} | {
    "INTEGER",
    "UINTEGER",
    "HUGEINT",
}
NUMBERS = INTEGERS | {"FLOAT", "DOUBLE", "BOOLEAN"}


@dataclass(frozen=True)
class RowBlock:
    """Some rows: p × n columns (perhaps a view), outcomes, weights, codes of both accounts."""

    number: int
    values: npt.NDArray[Any]
    outcome: FloatArray
    weight: FloatArray | None = None
    initiator: IntArray | None = None
    decider: IntArray | None = None


class Rows(Protocol):
    """A source of blocks that can be read again and again."""

    @property
    def names(self) -> list[str]:
        """Names of the columns."""

    @property
    def row_count(self) -> int:
        """Rows in all blocks."""

    @property
    def left_out(self) -> int:
        """Rows in no block because a value is missing."""

    def blocks(self) -> Iterator[RowBlock]:
        """Return all rows in order."""

    def ends(self) -> Iterator[tuple[IntArray, IntArray]]:
        """Return the accounts' codes of all rows, initiators and deciders."""

    def repeated_pairs(self, ego: int) -> Iterator[RowBlock]:
        """Return the rows of unordered pairs with two rows and more, in the order of their pairs.

        Rows of account `ego` are left out; a pair is in one block.
        """


class ArrayRows:
    """Blocks of arrays; nothing is copied.

    `ends` are codes from 0 of initiators and deciders, where they are needed.
    """

    left_out = 0

    def __init__(
        self,
        X: npt.NDArray[Any],
        outcome: FloatArray,
        weight: FloatArray | None = None,
        *,
        names: Sequence[str] = (),
        ends: tuple[IntArray, IntArray] | None = None,
    ) -> None:
        self.columns, self.outcome, self.weight = X.T, outcome, weight
        self.names, self.row_count = list(names), len(outcome)
        self._ends = ends

    @classmethod
    def join(cls, blocks: Sequence[RowBlock], names: Sequence[str]) -> ArrayRows:
        """Return the rows of some blocks as one source."""
        values = np.concatenate([block.values for block in blocks], axis=1)
        weights = [block.weight for block in blocks if block.weight is not None]
        outcome = np.concatenate([block.outcome for block in blocks])
        return cls(values.T, outcome, np.concatenate(weights) if weights else None, names=names)

    def blocks(self) -> Iterator[RowBlock]:
        """Return all rows in order."""
        for number, begin in enumerate(range(0, self.row_count, BLOCK_ROWS)):
            yield self._take(number, slice(begin, begin + BLOCK_ROWS))

    def ends(self) -> Iterator[tuple[IntArray, IntArray]]:
        """Return the accounts' codes of all rows."""
        assert self._ends is not None
        yield self._ends

    def repeated_pairs(self, ego: int) -> Iterator[RowBlock]:
        """Return the rows of pairs with two rows and more, in the order of their pairs."""
        assert self._ends is not None
        one, two = self._ends
        high = np.maximum(one, two)
        key = np.minimum(one, two) * (int(high.max(initial=0)) + 1) + high
        ordered = np.sort(key)
        repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        if not len(repeated):
            return
        place = np.minimum(np.searchsorted(repeated, key), len(repeated) - 1)
        rows = np.flatnonzero((repeated[place] == key) & (one != ego) & (two != ego))
        rows = rows[np.argsort(key[rows], kind="stable")]
        until = np.r_[np.flatnonzero(np.diff(key[rows])) + 1, len(rows)]
        begin = number = 0
        while begin < len(rows):
            end = int(until[np.searchsorted(until, min(begin + BLOCK_ROWS, len(rows)))])
            yield self._take(number, rows[begin:end])
            begin, number = end, number + 1

    def _take(self, number: int, rows: slice | IntArray) -> RowBlock:
        one, two = (None, None) if self._ends is None else (end[rows] for end in self._ends)
        weight = None if self.weight is None else self.weight[rows]
        return RowBlock(number, self.columns[:, rows], self.outcome[rows], weight, one, two)


class ParquetRows:
    """Blocks of Parquet files, read by DuckDB a few at a time.

    The files are looked through once when this is made, with sums of integers only: `row_count`
    complete rows, `left_out` others, `answered_count`.

    Raises
    ------
    InputError
        If a file or column is absent, not numeric or infinite, an outcome is neither 0 nor 1, a
        weight is negative, or an account has no code of 0 or more.
    """

    def __init__(
        self,
        files: Files,
        columns: Sequence[str],
        outcome: str,
        *,
        weight: str | None = None,
        accounts: tuple[str, str] | None = None,
        memory_limit: str = "512MB",
        threads: int = 2,
    ) -> None:
        self.names, self._weight, self._accounts = list(columns), weight, accounts
        if not self.names:
            raise InputError("columns: there is no column; name at least one")
        given = [files] if isinstance(files, str | Path) else list(files)
        self._files, self._outcome = [str(file) for file in given], outcome
        self._memory_limit = memory_limit
        self._spill = TemporaryDirectory(prefix="followkit-")
        self._database = self._connect(memory_limit, threads)
        try:
            self._look()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database and remove what it put on disk."""
        self._database.close()
        self._spill.cleanup()

    def blocks(self) -> Iterator[RowBlock]:
        """Return all rows in order."""
        arrays = self._arrays(f"SELECT {self._picks()} FROM read_parquet(?) {self._where}")
        yield from (self._pack(number, one) for number, one in enumerate(arrays))

    def ends(self) -> Iterator[tuple[IntArray, IntArray]]:
        """Return the accounts' codes of all rows."""
        assert self._accounts is not None
        picks = ", ".join(_quote(name) for name in self._accounts)
        for one, two in self._arrays(f"SELECT {picks} FROM read_parquet(?) {self._where}"):
            yield one.astype(np.int64), two.astype(np.int64)

    def repeated_pairs(self, ego: int) -> Iterator[RowBlock]:
        """Return the rows of pairs with two rows and more, sorted by DuckDB, on disk if need be."""
        assert self._accounts is not None
        one, two = (_quote(name) for name in self._accounts)
        low, high = f"least({one}, {two})", f"greatest({one}, {two})"
        where = f"{self._where or 'WHERE true'} AND {one} <> {ego} AND {two} <> {ego}"
        source = "read_parquet(?, file_row_number = true, filename = true)"
        query = (
            f"SELECT {self._picks()} FROM {source} {where} AND ({low}, {high}) IN (SELECT ({low}, "
            f"{high}) FROM read_parquet(?) {where} GROUP BY {low}, {high} HAVING count(*) > 1) "
            f"ORDER BY {low}, {high}, filename, file_row_number"
        )
        rest: list[npt.NDArray[Any]] | None = None
        number = 0
        for arrays in self._arrays(query, 2):
            if rest is not None:
                arrays = [np.concatenate(both) for both in zip(rest, arrays, strict=True)]
            key = np.minimum(arrays[-2], arrays[-1]), np.maximum(arrays[-2], arrays[-1])
            # The last pair may go on in the next block.
            last = (key[0] == key[0][-1]) & (key[1] == key[1][-1])
            cut = int(last.argmax())
            rest = [array[cut:] for array in arrays]
            if cut:
                yield self._pack(number, [array[:cut] for array in arrays])
                number += 1
        if rest is not None:
            yield self._pack(number, rest)

    def _arrays(self, query: str, uses: int = 1) -> Iterator[list[npt.NDArray[Any]]]:
        """Return the result of a query in blocks of `BLOCK_ROWS` rows, the last one fewer."""
        cursor = self._database.cursor()
        kept: list[list[npt.NDArray[Any]]] = []
        try:
            for frame in self._frames(cursor, query, uses):
                kept.append([frame.iloc[:, k].to_numpy() for k in range(frame.shape[1])])
                # Readers may hand out short vectors; blocks are whole all the same.
                while sum(len(part[0]) for part in kept) >= BLOCK_ROWS:
                    whole = _join(kept)
                    yield [column[:BLOCK_ROWS] for column in whole]
                    left = [column[BLOCK_ROWS:] for column in whole]
                    kept = [left] if len(left[0]) else []
            if kept:
                yield _join(kept)
        finally:
            cursor.close()

    def _frames(
        self, cursor: duckdb.DuckDBPyConnection, query: str, uses: int
    ) -> Iterator[pd.DataFrame]:
        with self._telling():
            cursor.execute(query, [self._files] * uses)
            while not (frame := cursor.fetch_df_chunk(BLOCK_VECTORS)).empty:
                yield frame

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Say in a sentence what DuckDB could not do."""
        import duckdb

        try:
            yield
        except duckdb.OutOfMemoryException:
            raise InputError(
                f"memory_limit: {self._memory_limit} is too little to read these files; give more"
            ) from None
        except duckdb.Error as error:
            first = str(error).splitlines()[0]
            raise InputError(f"files: cannot be read as Parquet ({first})") from None

    def _pack(self, number: int, arrays: list[npt.NDArray[Any]]) -> RowBlock:
        width = len(self.names)
        values = np.empty((width, len(arrays[0])))
        for row, array in zip(values, arrays[:width], strict=True):
            row[:] = array
        weight = None if self._weight is None else arrays[width + 1]
        ends = [array.astype(np.int64) for array in arrays[-2:]] if self._accounts else [None, None]
        return RowBlock(number, values, arrays[width], weight, *ends)

    def _picks(self) -> str:
        numbers = [*self.names, self._outcome, *([self._weight] if self._weight else [])]
        picks = [f"CAST({_quote(name)} AS DOUBLE) AS c{k}" for k, name in enumerate(numbers)]
        ends = [f"{_quote(name)} AS e{k}" for k, name in enumerate(self._accounts or ())]
        return ", ".join(picks + ends)

    def _connect(self, memory_limit: str, threads: int) -> duckdb.DuckDBPyConnection:
        import duckdb

        options: dict[str, Any] = {
            "autoload_known_extensions": False, "autoinstall_known_extensions": False,
            "threads": threads, "memory_limit": memory_limit, "temp_directory": self._spill.name,
            "preserve_insertion_order": True,
        }  # fmt: skip
        try:
            return duckdb.connect(":memory:", config=options)
        except duckdb.Error as error:
            self._spill.cleanup()
            first = str(error).splitlines()[0]
            raise ParameterError(
                f"memory_limit: {memory_limit!r} cannot be used ({first})"
            ) from None

    def _look(self) -> None:
        """Check names, kinds and values, and count the rows."""
        with self._telling():
            query = "DESCRIBE SELECT * FROM read_parquet(?)"
            found = self._database.execute(query, [self._files]).fetchall()
        kinds = {str(name): str(kind) for name, kind, *_ in found}
        numbers = [*self.names, *([self._weight] if self._weight else [])]
        for name in [*numbers, self._outcome]:
            _check_kind(name, kinds, NUMBERS)
        for name in self._accounts or ():
            _check_kind(name, kinds, INTEGERS)
        # A whole number or a yes-or-no column can be null but never NaN.
        floats = {name for name in numbers if kinds[name] in ("FLOAT", "DOUBLE") or
                  kinds[name].startswith("DECIMAL")}  # fmt: skip
        whole = [f"{_quote(name)} IS NOT NULL" for name in numbers]
        whole += [f"NOT isnan({_quote(name)}::DOUBLE)" for name in numbers if name in floats]
        complete = " AND ".join(whole)
        self._where = f"WHERE {complete}"
        self._count(complete, [name for name in numbers if name in floats])
        if not self.left_out:
            self._where = ""

    def _count(self, complete: str, floats: Sequence[str]) -> None:
        y = f"CAST({_quote(self._outcome)} AS DOUBLE)"
        asked = [
            "count(*)",
            f"count(*) FILTER ({complete})",
            f"count(*) FILTER ({complete} AND {y} = 1)",
            f"count(*) FILTER ({y} IS NULL OR {y} NOT IN (0, 1))",
            f"count(*) FILTER ({_quote(self._weight)} < 0)" if self._weight else "0",
        ]
        asked += [f"count(*) FILTER ({_quote(name)} IS NULL OR {_quote(name)} < 0)"
                  for name in self._accounts or ()]  # fmt: skip
        asked += [f"coalesce(max({_quote(name)}), 0)" for name in self._accounts or ()]
        asked += [f"count(*) FILTER (isinf({_quote(name)}::DOUBLE))" for name in floats]
        query = f"SELECT {', '.join(asked)} FROM read_parquet(?)"
        with self._telling():
            counts = self._database.execute(query, [self._files]).fetchone()
        assert counts is not None
        total, self.row_count, self.answered_count, bad, negative, *others = map(int, counts)
        self.left_out = total - self.row_count
        if bad:
            raise InputError(f"{self._outcome}: must be 0 or 1; {bad:,} of {total:,} rows are not")
        if negative:
            held = self._weight
            raise InputError(f"{held}: a weight must be 0 or more; {negative:,} rows are not")
        ends = self._accounts or ()
        for name, missing in zip(ends, others, strict=False):
            if missing:
                raise InputError(
                    f"{name}: accounts need codes of 0 and more; {missing:,} rows have none"
                )
        for name, most in zip(ends, others[len(ends) :], strict=False):
            if most >= 4 * total + 1_000:
                raise InputError(
                    f"{name}: accounts need codes that count up from 0; the largest of {total:,} "
                    f"rows is {most:,}"
                )
        for name, infinite in zip(floats, others[2 * len(ends) :], strict=True):
            if infinite:
                raise InputError(f"{name}: values must be finite; {infinite:,} rows are infinite")


def map_blocks(
    work: Callable[[Any], Result], blocks: Iterable[Any], threads: int
) -> Iterator[Result]:
    """Return the result of each block in order, a few being worked on at once.

    No more than `threads` + 1 are held, so that a file is read no faster than it is used.
    """
    if threads < 2:
        yield from map(work, blocks)
        return
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for block in blocks:
            waiting.append(pool.submit(work, block))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@dataclass(frozen=True)
class NewtonSums:
    """What one Newton step needs of some rows; sums of parts add up to those of the whole.

    Attributes
    ----------
    loss
        Σ w · (log(1 + exp(η)) − y·η), η the log odds.
    gradient, information
        Σ w (y − p) x and Σ w p (1 − p) x xᵀ, x with a leading 1.
    reach
        The largest |η| of a row with a weight above 0.
    """

    loss: float
    gradient: FloatArray
    information: FloatArray
    reach: float

    def __add__(self, other: NewtonSums) -> NewtonSums:
        """Return the sums of both parts."""
        return NewtonSums(
            self.loss + other.loss,
            self.gradient + other.gradient,
            self.information + other.information,
            max(self.reach, other.reach),
        )


def newton_sums(
    values: npt.NDArray[Any],
    outcome: FloatArray,
    weight: FloatArray | None,
    beta: FloatArray,
    mean: FloatArray,
) -> NewtonSums:
    """Return what a Newton step needs of one block of rows; add the sums of blocks.

    Parameters
    ----------
    values
        p × n columns (of rows, pass the transpose; it is not copied), float64 or float32.
    outcome, weight
        n numbers each; weights None for 1.
    beta
        1 + p coefficients of a 1 and of the columns less `mean`.
    mean
        p numbers near the columns' means, for the arithmetic.

    Returns
    -------
    NewtonSums
        float64, summed over 4,096 rows at a time.

    Examples
    --------
    >>> columns, answered = np.array([[0.0, 2.0]]), np.array([0.0, 1.0])
    >>> sums = newton_sums(columns, answered, None, np.zeros(2), np.ones(1))
    >>> sums.gradient.tolist(), sums.information.tolist()
    ([0.0, 1.0], [[0.5, 0.0], [0.0, 0.5]])
    """
    size = len(beta)
    loss, reach = 0.0, 0.0
    gradient, information = np.zeros(size), np.zeros((size, size))
    for begin in range(0, len(outcome), INNER_ROWS):
        part = slice(begin, begin + INNER_ROWS)
        y = outcome[part]
        w = None if weight is None else weight[part]
        design = np.empty((size, len(y)))
        design[0] = 1.0
        np.subtract(values[:, part], mean[:, None], out=design[1:])
        linear = beta @ design
        absolute = np.abs(linear)
        half = np.exp(-absolute)
        whole = 1.0 + half
        losses = np.maximum(linear, 0.0) + np.log(whole) - y * linear
        residual = y - np.where(linear >= 0, 1.0, half) / whole
        curvature = half / whole**2
        if w is not None:
            losses, residual, curvature = losses * w, residual * w, curvature * w
            absolute = absolute[w > 0]
        loss += float(losses.sum())
        reach = max(reach, float(absolute.max(initial=0.0)))
        gradient += design @ residual
        design *= np.sqrt(curvature)
        information += design @ design.T
    return NewtonSums(loss, gradient, information, reach)


def _join(parts: Sequence[Sequence[npt.NDArray[Any]]]) -> list[npt.NDArray[Any]]:
    if len(parts) == 1:
        return list(parts[0])
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


def _quote(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _check_kind(name: str, kinds: dict[str, str], valid: set[str]) -> None:
    if name not in kinds:
        raise InputError(f"columns: no column is called {name}; {suggest(name, list(kinds))}")
    if kinds[name] not in valid and not (kinds[name].startswith("DECIMAL") and valid is NUMBERS):
        wanted = "numbers" if valid is NUMBERS else "whole numbers, the accounts' codes"
        raise InputError(f"{name}: must hold {wanted}; it holds {kinds[name]}")
