"""A follow graph as forward adjacency: every pair of tied accounts once, in the busier one's rows.

Codes are ordered by degree, the busiest account first. Each account's row holds only neighbours of
smaller code, so rows stay short (at most about √(2 × ties)) and a triangle is met exactly once.
The transposed rows give the other half. All arrays are 32 bits wide but for where rows begin.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from followkit.errors import InputError

CodeArray = npt.NDArray[np.int32]
IntArray = npt.NDArray[np.int64]
Engine = Literal["auto", "numpy", "numba"]

#: A follow whose moment is not known.
UNKNOWN_US = np.iinfo(np.int64).min
NO_RANK = np.iinfo(np.int32).max
DIGIT_BITS = 11
#: Two bits of a 32-bit word are flags.
MOST_NODES = 2**29
MOST_PAIRS = 2**30
#: Ties below which NumPy is done before compiled kernels are loaded (bench/bench_pairs.py).
COMPILED_FROM = 300_000


@dataclass(frozen=True)
class TiedTimes:
    """When each account was first tied to each neighbour, to be counted as of a rank.

    Attributes
    ----------
    rank
        Account by account and sorted, the rank of the first tie with each neighbour.
    at
        int64, one row an account and one more: where its part of `rank` and of `before` begins,
        and its shift.
    before
        For every 2^shift ranks, how many of them came before: a look-up is then one step or two.
    """

    rank: CodeArray
    at: IntArray
    before: CodeArray

    @property
    def arrays(self) -> tuple[Any, ...]:
        """The arrays in the order in which kernels take them."""
        return self.at, self.before, self.rank


@dataclass(frozen=True)
class PairGraph:
    """Distinct follows between `node_count` accounts, as slots of unordered pairs.

    Attributes
    ----------
    source, target
        int32 codes of the ties, in the order in which they were given.
    node_count
        Number of accounts.
    place
        Inner code of each code where codes were not ordered by degree; None where they were.
    first, lower
        Inner account u has the slots `first[u]` to `first[u + 1]`; `lower` holds the neighbour
        v < u times 4, plus 1 if u follows v, plus 2 if v follows u; sorted within each row.
    back_first, back_node, back_slot
        The same pairs seen from v: the neighbours of larger code, ascending, and their slots.
    tie_slot
        Slot of each tie times 2, plus 1 if it goes from the smaller to the larger inner code.
    moments, rank, order
        With times: the distinct moments (µs since 1970), the dense rank of each tie's moment, ties
        in time order. NO_RANK where a moment is unknown; such ties never stand as of a moment.
    pair_rank, tied
        With times: ranks of the two ties of each slot, and when accounts got their neighbours.
    """

    source: CodeArray
    target: CodeArray
    node_count: int
    place: CodeArray | None
    first: IntArray
    lower: CodeArray
    back_first: IntArray
    back_node: CodeArray
    back_slot: CodeArray
    tie_slot: CodeArray
    moments: IntArray | None = None
    rank: CodeArray | None = None
    order: CodeArray | None = None
    pair_rank: CodeArray | None = None
    tied: TiedTimes | None = None

    @property
    def tie_count(self) -> int:
        """Number of follows."""
        return len(self.source)

    @property
    def pair_count(self) -> int:
        """Number of unordered pairs with a follow in at least one direction."""
        return len(self.lower)

    @property
    def neighbour_count(self) -> CodeArray:
        """Distinct neighbours of each inner code, in either direction."""
        return (np.diff(self.first) + np.diff(self.back_first)).astype(np.int32)

    def inner(self, codes: Any) -> CodeArray:
        """Return the inner codes of codes.

        Raises
        ------
        InputError
            If a code is below 0 or not below `node_count`.
        """
        given = np.asarray(codes)
        if not len(given):
            return np.zeros(0, dtype=np.int32)
        if int(given.min()) < 0 or int(given.max()) >= self.node_count:
            raise InputError(
                f"codes: accounts have the codes 0 to {self.node_count - 1:,}; found "
                f"{int(given.min()):,} to {int(given.max()):,}. Use the codes of nodes.parquet."
            )
        return given.astype(np.int32, copy=False) if self.place is None else self.place[given]


def make_pair_graph(
    source: Any,
    target: Any,
    *,
    node_count: int | None = None,
    at_us: Any = None,
    threads: int | None = None,
    engine: Engine = "auto",
) -> PairGraph:
    """Return the graph of distinct follows source → target.

    Parameters
    ----------
    source, target
        Codes from 0; no follow comes twice, none is of oneself.
    node_count
        Number of accounts; without it the largest code plus 1.
    at_us
        int64 microseconds since 1970 of each follow; `UNKNOWN_US` for none.
    threads
        How many threads build; the result does not depend on it. Without it all cores.
    engine
        "numba", "numpy", or "auto": compiled from `COMPILED_FROM` ties on if numba is there.

    Returns
    -------
    PairGraph
        About 24 bytes a tie, 60 with times; building takes some 25 bytes a tie more.

    Raises
    ------
    InputError
        If a follow comes twice or is of oneself, codes are out of range, or lengths differ.

    Notes
    -----
    Rows towards the busier neighbour: Chiba & Nishizeki (1985), doi:10.1137/0214017; Latapy
    (2008), doi:10.1016/j.tcs.2008.07.017.

    Examples
    --------
    >>> graph = make_pair_graph([0, 1, 2], [1, 0, 1])
    >>> graph.pair_count, graph.neighbour_count[graph.inner([0, 1, 2])].tolist()
    (2, [1, 2, 1])
    """
    source, target, size = _check_ties(source, target, node_count)
    place = _order_nodes(source, target, size)
    inner = (source, target) if place is None else (place[source], place[target])
    workers = threads or count_cores()
    kernels = load_kernels(engine, len(source))
    if kernels:
        first, lower, tie_slot = _build_compiled(*inner, size, kernels, workers)
    else:
        first, lower, tie_slot = _build_numpy(*inner, size)
    back_first, back_node, back_slot = _transpose(first, lower, kernels, workers)
    parts = (place, first, lower, back_first, back_node, back_slot, tie_slot)
    if at_us is None:
        return PairGraph(source, target, size, *parts)
    times = np.ascontiguousarray(at_us, dtype=np.int64)
    if len(times) != len(source):
        raise InputError(
            f"at_us: {len(source):,} follows have {len(times):,} moments; give each one"
        )
    moments, rank, order = rank_moments(times, threads=workers, engine=engine)
    pair_rank = np.full(2 * len(lower), NO_RANK, dtype=np.int32)
    pair_rank[tie_slot] = rank
    ranks = pair_rank.reshape(-1, 2)
    tied = _make_tied(first, back_first, back_slot, ranks, len(moments), kernels, workers)
    return PairGraph(source, target, size, *parts, moments, rank, order, ranks, tied)


def load_pair_graph(
    folder: str | Path, *, memory_limit: str = "1GB", threads: int | None = None
) -> PairGraph:
    """Return the graph that `followkit.scale.codes.encode_follows` wrote to a folder.

    Times are taken if any follow has one.

    Raises
    ------
    InputError
        If the folder has no nodes.parquet and edges.parquet.
    """
    from followkit.scale.codes import open_scale_database

    folder = Path(folder)
    for name in ("nodes.parquet", "edges.parquet"):
        if not (folder / name).is_file():
            raise InputError(f"{folder}: there is no {name}; write it with encode_follows first")
    with open_scale_database(folder, memory_limit=memory_limit, threads=threads or 2) as database:
        edges = [str(folder / "edges.parquet")]
        size = _fetch(database, "count(*)", [str(folder / "nodes.parquet")])[0]
        has_times = _fetch(database, "count(at_us)", edges)[0] > 0
        # One column at a time: the peak is one column above the graph's own memory.
        source, target = (_fetch(database, name, edges) for name in ("source", "target"))
        column = f"coalesce(at_us, CAST('{UNKNOWN_US}' AS BIGINT))"
        at_us = _fetch(database, column, edges) if has_times else None
    return make_pair_graph(source, target, node_count=int(size), at_us=at_us, threads=threads)


def _fetch(database: Any, column: str, values: list[str]) -> Any:
    query = f"SELECT {column} AS value FROM read_parquet(?, hive_partitioning = false)"
    return np.asarray(database.execute(query, values).fetchnumpy()["value"])


def rank_moments(
    at_us: Any, *, threads: int | None = None, engine: Engine = "auto"
) -> tuple[IntArray, CodeArray, CodeArray]:
    """Return the distinct moments, the dense rank of each row, and the rows in time order.

    A radix sort of 11-bit digits, stable, with as many passes as the span of time needs; rows
    without a moment come last and have the rank NO_RANK. 24 bytes a row while it runs.

    Examples
    --------
    >>> moments, rank, order = rank_moments(np.array([30, 10, 30]))
    >>> moments.tolist(), rank.tolist(), order.tolist()
    ([10, 30], [1, 0, 1], [1, 0, 2])
    """
    times = np.ascontiguousarray(at_us, dtype=np.int64)
    known = times if (times != UNKNOWN_US).all() else times[times != UNKNOWN_US]
    kernels = load_kernels(engine, len(times))
    if not kernels:
        moments, inverse = np.unique(known, return_inverse=True)
        rank = np.full(len(times), NO_RANK, dtype=np.int32)
        rank[times != UNKNOWN_US] = inverse
        return moments, rank, np.argsort(rank, kind="stable").astype(np.int32)
    workers = threads or count_cores()
    low = int(known.min()) if len(known) else 0
    # Unknown moments take one past the latest, so that they come last.
    high = int(known.max()) + 1 if len(known) else 0
    if high - low >= 2**62:
        raise InputError("at_us: the moments span more than 146,000 years; check their unit")
    key = times - low if len(known) == len(times) else np.where(
        times == UNKNOWN_US, high, times) - low  # fmt: skip
    order = np.arange(len(times), dtype=np.int32)
    if len(key) and not bool((key[1:] >= key[:-1]).all()):
        spare = np.empty_like(key), np.empty_like(order)
        for shift in range(0, max((high - low).bit_length(), 1), DIGIT_BITS):
            kernels("sort_digit")(key, order, shift, *spare, workers)
            key, order, spare = *spare, (key, order)
    rank = np.empty(len(times), dtype=np.int32)
    moments = np.empty(len(known), dtype=np.int64)
    count = kernels("rank_sorted")(key, order, len(known), rank, moments)
    return moments[:count] + low, rank, order


def load_kernels(engine: Engine, size: int) -> Any:
    """Return the function that hands out compiled kernels by name; None where NumPy shall do it."""
    if engine == "numpy" or (engine == "auto" and (size < COMPILED_FROM or not find_spec("numba"))):
        return None
    from followkit.scale._compile import compiled

    return compiled


def count_cores() -> int:
    """Return how many cores this process may use, at most 8."""
    known = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(known or 1, 8)


def split_work(work: npt.NDArray[Any], parts: int) -> IntArray:
    """Return bounds that cut rows into consecutive parts of about equal work.

    Examples
    --------
    >>> split_work(np.array([4, 1, 1, 2]), 2).tolist()
    [0, 1, 4]
    """
    done = np.cumsum(work, dtype=np.float64)
    goals = (done[-1] if len(done) else 0.0) * np.arange(1, parts) / parts
    return np.r_[0, np.searchsorted(done, goals, side="left") + 1, len(work)].clip(0, len(work))


def owners_of(graph: PairGraph, begin: int, stop: int) -> IntArray:
    """Return the larger inner code of each slot of a range."""
    return np.searchsorted(graph.first, np.arange(begin, stop), side="right") - 1


def _check_ties(source: Any, target: Any, node_count: int | None) -> tuple[Any, Any, int]:
    given = [np.asarray(ends) for ends in (source, target)]
    if len(given[0]) != len(given[1]):
        raise InputError(f"ties: {len(given[0]):,} sources have {len(given[1]):,} targets")
    lowest = min((int(ends.min()) for ends in given if len(ends)), default=0)
    size = max((int(ends.max()) + 1 for ends in given if len(ends)), default=0)
    total = size if node_count is None else node_count
    if lowest < 0 or size > total or total >= MOST_NODES or len(given[0]) >= 2 * MOST_PAIRS:
        raise InputError(
            f"ties: codes must lie from 0 to {total - 1:,} (at most {MOST_NODES:,} accounts and "
            f"{2 * MOST_PAIRS:,} follows); found {lowest:,} to {size - 1:,}"
        )
    ends = [np.ascontiguousarray(part, dtype=np.int32) for part in given]
    return ends[0], ends[1], total


def _order_nodes(source: CodeArray, target: CodeArray, size: int) -> CodeArray | None:
    """Return a code for every account by degree, busiest first; None if codes are so already."""
    ties = np.bincount(source, minlength=size) + np.bincount(target, minlength=size)
    if bool((ties[1:] <= ties[:-1]).all()):
        return None
    place = np.empty(size, dtype=np.int32)
    place[np.argsort(-ties, kind="stable")] = np.arange(size, dtype=np.int32)
    return place


def _build_compiled(
    source: CodeArray, target: CodeArray, size: int, kernels: Any, threads: int
) -> Any:
    larger = np.bincount(np.maximum(source, target), minlength=size)
    bounds = split_work(larger, threads)
    entry_first = _starts(larger)
    entry = np.empty(len(source), dtype=np.int64)
    faults = np.zeros(threads, dtype=np.int64)
    kernels("scatter_ties")(source, target, entry_first, bounds, entry, faults)
    _refuse(faults, "are of an account by itself")
    pair_count = np.zeros(size, dtype=np.int64)
    kernels("sort_rows")(entry, entry_first, bounds, pair_count)
    first = _starts(pair_count)
    _check_pairs(int(first[-1]))
    lower = np.empty(int(first[-1]), dtype=np.int32)
    tie_slot = np.empty(len(source), dtype=np.int32)
    kernels("fill_pairs")(
        entry, entry_first, first, source, bounds, lower, tie_slot, faults
    )  # fmt: skip
    _refuse(faults, "come twice")
    return first, lower, tie_slot


def _build_numpy(source: CodeArray, target: CodeArray, size: int) -> Any:
    owner, other = np.maximum(source, target), np.minimum(source, target)
    _refuse(owner == other, "are of an account by itself")
    key, slot = np.unique(owner.astype(np.int64) * max(size, 1) + other, return_inverse=True)
    _check_pairs(len(key))
    is_back = (source != owner).astype(np.int64)
    seen = np.bincount(2 * slot + is_back, minlength=2 * len(key)).reshape(-1, 2)
    _refuse(seen > 1, "come twice")
    flags = seen[:, 0] + 2 * seen[:, 1]
    lower = (key % max(size, 1) * 4 + flags).astype(np.int32)
    counts = np.bincount(key // max(size, 1), minlength=size)
    return _starts(counts), lower, (2 * slot + is_back).astype(np.int32)


def _transpose(first: IntArray, lower: CodeArray, kernels: Any, threads: int) -> Any:
    counts = np.bincount(lower >> 2, minlength=len(first) - 1)
    back_first = _starts(counts)
    if not kernels:
        back_slot = np.argsort(lower >> 2, kind="stable").astype(np.int32)
        owner = np.repeat(np.arange(len(first) - 1, dtype=np.int32), np.diff(first))
        return back_first, owner[back_slot], back_slot
    back_node, back_slot = np.empty_like(lower), np.empty_like(lower)
    bounds = split_work(counts, threads)
    kernels("transpose")(lower, first, back_first, bounds, back_node, back_slot)
    return back_first, back_node, back_slot


def _make_tied(
    first: IntArray,
    back_first: IntArray,
    back_slot: CodeArray,
    ranks: CodeArray,
    moment_count: int,
    kernels: Any,
    threads: int,
) -> TiedTimes:
    counts = np.diff(first) + np.diff(back_first)
    tied = np.empty(2 * len(back_slot), dtype=np.int32)
    # About one bucket for every one or two neighbours.
    bits = np.ceil(np.log2(max(moment_count, 1) + 1))
    shift = np.maximum(bits - np.floor(np.log2(np.maximum(counts, 1))), 0).astype(np.int64)
    buckets = (max(moment_count, 1) >> shift) + 2
    at = np.stack([first + back_first, _starts(buckets), np.r_[shift, 0]], axis=1)
    before = np.empty(int(at[-1, 1]), dtype=np.int32)
    if kernels:
        bounds = split_work(counts, threads)
        kernels("fill_tied")(first, back_first, back_slot, ranks, bounds, tied)
        kernels("fill_buckets")(at, before, tied, bounds, counts)
        return TiedTimes(tied, at, before)
    begun = ranks.min(axis=1) if len(ranks) else np.zeros(0, np.int32)
    size = len(first) - 1
    nodes = np.r_[np.repeat(np.arange(size), np.diff(first)),
                  np.repeat(np.arange(size), np.diff(back_first))]  # fmt: skip
    both = np.r_[begun, begun[back_slot]]
    order = np.lexsort((both, nodes))
    tied[:] = both[order]
    owner = np.repeat(np.arange(size), buckets)
    bucket = np.arange(len(owner)) - np.repeat(at[:-1, 1], buckets)
    edge = np.minimum(bucket << shift[owner], NO_RANK)
    width = np.int64(NO_RANK) + 1
    found = np.searchsorted(nodes[order] * width + tied, owner * width + edge)
    before[:] = found - at[owner, 0]
    return TiedTimes(tied, at, before)


def _starts(counts: npt.NDArray[Any]) -> IntArray:
    return np.r_[0, np.cumsum(counts)].astype(np.int64)


def _refuse(faults: npt.NDArray[Any], what: str) -> None:
    if faults.any():
        raise InputError(
            f"ties: {int(faults.sum()):,} follows {what}; encode_follows drops and counts them"
        )


def _check_pairs(count: int) -> None:
    if count >= MOST_PAIRS:
        raise InputError(
            f"ties: {count:,} pairs are more than one graph can hold ({MOST_PAIRS:,}); split the "
            "data or use a cluster"
        )
