"""Follow graphs on integer codes: degrees, mutual ties and shared neighbours, whole or as of t.

A tie stands *as of t* if it began strictly before t and was not withdrawn strictly before t.
Without times every tie stands. A tie with several spells stands whenever one of them does.

The pair kernels exist twice with the same integers: as NumPy (the oracle, and all that a browser
has) and compiled (`followkit._kernels`), used from a size on where compiling pays.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

IntArray = npt.NDArray[np.int64]
Engine = Literal["auto", "numpy", "numba"]

NEVER = np.iinfo(np.int64).max
ALWAYS = np.iinfo(np.int64).min

#: Neighbour lookups below which NumPy is done before a compiled kernel has even been loaded.
#: Measured by `bench/bench_graph.py`; see reports/studies/graph_kernels.md.
COMPILED_FROM = 40_000_000
#: The same where ties count as of a moment, which costs NumPy about four times as much.
COMPILED_FROM_ASOF = 10_000_000
#: Lookups that one NumPy chunk may hold, so that memory stays below about 300 MB.
CHUNK = 4_000_000


@dataclass(frozen=True)
class SharedNeighbours:
    """Counts of accounts x that link two others, one entry a pair (A, B); x is neither of them.

    Attributes
    ----------
    paths_out
        x with A→x and x→B.
    paths_back
        x with B→x and x→A.
    common_followees
        x with A→x and B→x.
    common_followers
        x with x→A and x→B.
    adamic_adar
        Σ 1 / log d(x) over x tied in any direction to both; d(x) counts the distinct neighbours
        of x (as of t where times are given), so d(x) ≥ 2.
    """

    paths_out: IntArray
    paths_back: IntArray
    common_followees: IntArray
    common_followers: IntArray
    adamic_adar: npt.NDArray[np.float64]


@dataclass(frozen=True)
class FollowGraph:
    """Distinct directed ties between `node_count` accounts, with their spells.

    Attributes
    ----------
    nodes
        Account ids; the place of an id is its code.
    source, target
        Codes of the distinct ties, sorted by source, then target.
    spell_first
        Tie k has the spells `spell_first[k]` to `spell_first[k + 1]`; spells never overlap.
    start, end
        Microseconds since 1970 (UTC); `NEVER` is an end that was not seen.
    has_times
        False for a graph without times.
    """

    nodes: pd.Index
    source: IntArray
    target: IntArray
    spell_first: IntArray
    start: IntArray
    end: IntArray
    has_times: bool
    _cache: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def node_count(self) -> int:
        """Number of accounts."""
        return len(self.nodes)

    def code(self, ids: Any) -> IntArray:
        """Return the codes of ids; −1 for an id that is not in the graph."""
        return np.asarray(self.nodes.get_indexer(pd.Index(ids)), dtype=np.int64)

    @cached_property
    def neighbours(self) -> Neighbours:
        """The union adjacency, made on first use."""
        return _make_neighbours(self)


@dataclass(frozen=True)
class Neighbours:
    """For each account its distinct neighbours in either direction, sorted.

    `out_tie` and `in_tie` hold the number of the tie towards and from the neighbour, or −1.
    `tied_from`, `tied_until` hold, account by account and sorted, when ties in any direction
    began and ended (overlapping ones merged), from which d(x) as of t follows.
    """

    first: IntArray
    neighbour: IntArray
    out_tie: IntArray
    in_tie: IntArray
    tied_first: IntArray
    tied_from: IntArray
    tied_until: IntArray


def make_graph(
    follower: Any, followee: Any, *, nodes: Any = None, start: Any = None, end: Any = None
) -> FollowGraph:
    """Return the graph of ties follower → followee; self-follows and repeats are folded away.

    Parameters
    ----------
    follower, followee
        Account ids, one pair a spell.
    nodes
        Further accounts that shall have a code; without it those of the ties.
    start, end
        When each spell began and ended, microseconds since 1970; `NEVER` for no end.

    Examples
    --------
    >>> graph = make_graph(["a", "b", "c"], ["b", "a", "b"])
    >>> graph.node_count, graph.source.tolist(), graph.target.tolist()
    (3, [0, 1, 2], [1, 0, 1])
    """
    ids = pd.Index(pd.unique(pd.concat([pd.Series(follower), pd.Series(followee)])))
    if nodes is not None:
        ids = ids.append(pd.Index(nodes)).unique()
    ids = ids.sort_values()
    source, target = ids.get_indexer(pd.Index(follower)), ids.get_indexer(pd.Index(followee))
    has_times = start is not None
    begins = np.asarray(start, np.int64) if has_times else np.full(len(source), ALWAYS)
    ends = np.asarray(end, np.int64) if end is not None else np.full(len(source), NEVER)
    kept = source != target
    key = source[kept].astype(np.int64) * len(ids) + target[kept]
    key, begins, ends = merge_spells(key, begins[kept], ends[kept])
    is_first = np.r_[True, key[1:] != key[:-1]] if len(key) else np.zeros(0, bool)
    ties = key[is_first]
    spell_first = np.r_[np.flatnonzero(is_first), len(key)].astype(np.int64)
    size = max(len(ids), 1)
    return FollowGraph(ids, ties // size, ties % size, spell_first, begins, ends, has_times)


def merge_spells(
    key: IntArray, start: IntArray, end: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Merge overlapping or touching spells of equal keys; the result is sorted by key and start.

    Examples
    --------
    >>> merge_spells(np.array([1, 1, 1]), np.array([0, 3, 9]), np.array([4, 6, 10]))
    (array([1, 1]), array([0, 9]), array([ 6, 10]))
    """
    order = np.lexsort((start, key))
    key, start, end = key[order], start[order], end[order]
    if not len(key):
        return key, start, end
    group = np.cumsum(np.r_[0, key[1:] != key[:-1]])
    # The running latest end within a key: ranks keep it in one vectorised pass.
    values, rank = np.unique(end, return_inverse=True)
    latest = values[np.maximum.accumulate(group * len(values) + rank) - group * len(values)]
    is_new = np.r_[True, (key[1:] != key[:-1]) | (start[1:] > latest[:-1])]
    last = np.r_[np.flatnonzero(is_new)[1:] - 1, len(key) - 1]
    return key[is_new], start[is_new], latest[last]


def count_degrees(graph: FollowGraph, codes: IntArray) -> tuple[IntArray, IntArray]:
    """Return (followees, followers) of accounts, each tie counted once, whatever its times.

    Examples
    --------
    >>> graph = make_graph(["a", "b", "c"], ["b", "a", "b"])
    >>> [degrees.tolist() for degrees in count_degrees(graph, graph.code(["b", "c"]))]
    [[1, 1], [2, 0]]
    """
    out = np.bincount(graph.source, minlength=graph.node_count)
    into = np.bincount(graph.target, minlength=graph.node_count)
    return out[codes].astype(np.int64), into[codes].astype(np.int64)


def count_degrees_asof(
    graph: FollowGraph, codes: IntArray, at_us: IntArray
) -> tuple[IntArray, IntArray]:
    """Return (followees, followers) of accounts as of a moment of their own, strictly before it.

    Examples
    --------
    >>> graph = make_graph(["a", "b"], ["c", "c"], start=[10, 20], end=[30, NEVER])
    >>> at = np.array([10, 11, 21, 31])
    >>> count_degrees_asof(graph, graph.code(["c"] * 4), at)[1].tolist()
    [0, 1, 2, 1]
    """
    spells = np.diff(graph.spell_first)
    sides = (np.repeat(graph.source, spells), np.repeat(graph.target, spells))
    counted = [
        count_events_before(nodes, graph.start, codes, at_us)
        - count_events_before(
            nodes[graph.end != NEVER], graph.end[graph.end != NEVER], codes, at_us
        )
        for nodes in sides
    ]
    return counted[0], counted[1]


def count_events_before(
    nodes: IntArray, times: IntArray, codes: IntArray, at_us: IntArray
) -> IntArray:
    """Return for each (code, moment) how many events of that node lie strictly before it.

    Examples
    --------
    >>> nodes, times = np.array([0, 0, 1]), np.array([5, 9, 5])
    >>> count_events_before(nodes, times, np.array([0, 0]), np.array([9, 10])).tolist()
    [1, 2]
    """
    moments = np.unique(times)
    width = len(moments) + 1
    events = np.sort(nodes * width + np.searchsorted(moments, times))
    base = np.searchsorted(events, codes * width)
    until = np.searchsorted(events, codes * width + np.searchsorted(moments, at_us))
    return (until - base).astype(np.int64)


def count_mutual(graph: FollowGraph, codes: IntArray) -> IntArray:
    """Return how many of an account's followers it follows too, whatever the times.

    Examples
    --------
    >>> graph = make_graph(["a", "b", "c"], ["b", "a", "b"])
    >>> count_mutual(graph, graph.code(["a", "b", "c"])).tolist()
    [1, 1, 0]
    """
    size = graph.node_count
    forth, back = graph.source * size + graph.target, graph.target * size + graph.source
    is_mutual = np.isin(back, forth, assume_unique=True)
    counted = np.bincount(graph.target[is_mutual], minlength=size)
    return counted[codes].astype(np.int64)


def count_shared(
    graph: FollowGraph,
    initiators: IntArray,
    deciders: IntArray,
    at_us: IntArray | None = None,
    *,
    engine: Engine = "auto",
) -> SharedNeighbours:
    """Count the four directed kinds of shared neighbours and Adamic–Adar for pairs of codes.

    The ties between the two accounts themselves never count: x is neither of them.

    Parameters
    ----------
    graph, initiators, deciders
        The graph, and the codes of A and B, one pair a row.
    at_us
        A moment for each pair; ties count as of it. None: every tie counts.
    engine
        "numpy", "numba", or "auto": compiled where the work is worth loading it for.

    Returns
    -------
    SharedNeighbours

    Notes
    -----
    Adamic & Adar (2003), Social Networks 25, doi:10.1016/S0378-8733(03)00009-1.

    Examples
    --------
    >>> graph = make_graph(["a", "b", "x", "a"], ["x", "x", "b", "b"])
    >>> pair = graph.code(["a"]), graph.code(["b"])
    >>> found = count_shared(graph, *pair)
    >>> int(found.common_followees[0]), int(found.paths_out[0]), int(found.paths_back[0])
    (1, 1, 0)
    """
    initiators = np.asarray(initiators, dtype=np.int64)
    deciders = np.asarray(deciders, dtype=np.int64)
    work = _count_lookups(graph.neighbours, initiators, deciders)
    enough = COMPILED_FROM if at_us is None else COMPILED_FROM_ASOF
    if engine == "numba" or (engine == "auto" and work.sum() >= enough and _has_numba()):
        from followkit._kernels import count_shared_compiled

        return SharedNeighbours(*count_shared_compiled(graph, initiators, deciders, at_us))
    return _count_shared_numpy(graph, initiators, deciders, at_us, work)


def _has_numba() -> bool:
    return find_spec("numba") is not None


def _count_lookups(near: Neighbours, initiators: IntArray, deciders: IntArray) -> IntArray:
    """Return the size of the smaller neighbourhood of each pair, the work it takes."""
    sizes = np.diff(near.first)
    return np.minimum(sizes[initiators], sizes[deciders])


def _make_neighbours(graph: FollowGraph) -> Neighbours:
    size = max(graph.node_count, 1)
    ties = np.arange(len(graph.source))
    key = np.r_[graph.source * size + graph.target, graph.target * size + graph.source]
    pairs, place = np.unique(key, return_inverse=True)
    out_tie = np.full(len(pairs), -1, dtype=np.int64)
    in_tie = np.full(len(pairs), -1, dtype=np.int64)
    out_tie[place[: len(ties)]] = ties
    in_tie[place[len(ties) :]] = ties
    first = np.searchsorted(pairs, np.arange(graph.node_count + 1) * size).astype(np.int64)
    tied = np.repeat(key.reshape(2, -1), np.diff(graph.spell_first), axis=1).ravel()
    both = np.r_[graph.start, graph.start], np.r_[graph.end, graph.end]
    tied, begins, ends = merge_spells(tied, *both)
    node = tied // size
    tied_first = np.searchsorted(node, np.arange(graph.node_count + 1)).astype(np.int64)
    # Sorted within each account; which end belongs to which begin no longer matters.
    begins, ends = begins[np.lexsort((begins, node))], ends[np.lexsort((ends, node))]
    return Neighbours(first, pairs % size, out_tie, in_tie, tied_first, begins, ends)


def _count_shared_numpy(
    graph: FollowGraph,
    initiators: IntArray,
    deciders: IntArray,
    at_us: IntArray | None,
    work: IntArray,
) -> SharedNeighbours:
    counted = np.zeros((4, len(initiators)), dtype=np.int64)
    weights = np.zeros(len(initiators))
    chunk = np.cumsum(work) // CHUNK
    for part in np.split(np.arange(len(work)), np.flatnonzero(np.diff(chunk)) + 1):
        if len(part):
            at = None if at_us is None else np.asarray(at_us)[part]
            counts, sums = _count_chunk(graph, initiators[part], deciders[part], at)
            counted[:, part] = counts
            weights[part] = sums
    return SharedNeighbours(counted[0], counted[1], counted[2], counted[3], weights)


def _count_chunk(
    graph: FollowGraph, initiators: IntArray, deciders: IntArray, at: IntArray | None
) -> tuple[list[IntArray], npt.NDArray[np.float64]]:
    """Count one chunk: walk the smaller neighbourhood, look each neighbour up in the other."""
    near, size = graph.neighbours, max(graph.node_count, 1)
    sizes = np.diff(near.first)
    swap = sizes[deciders] < sizes[initiators]
    small, large = np.where(swap, deciders, initiators), np.where(swap, initiators, deciders)
    lengths = sizes[small]
    row = np.repeat(np.arange(len(small)), lengths)
    offset = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    entry = near.first[small][row] + offset
    x = near.neighbour[entry]
    owner = np.repeat(np.arange(graph.node_count), sizes)
    found = np.searchsorted(owner * size + near.neighbour, large[row] * size + x)
    found = np.minimum(found, len(near.neighbour) - 1)
    hit = (owner[found] == large[row]) & (near.neighbour[found] == x)
    row, x, entry, found = row[hit], x[hit], entry[hit], found[hit]
    is_swapped = swap[row]
    mine, theirs = np.where(is_swapped, found, entry), np.where(is_swapped, entry, found)
    moment = None if at is None else at[row]
    a_out = _stands(graph, near.out_tie[mine], moment)
    a_in = _stands(graph, near.in_tie[mine], moment)
    b_out = _stands(graph, near.out_tie[theirs], moment)
    b_in = _stands(graph, near.in_tie[theirs], moment)
    kinds = (a_out & b_in, b_out & a_in, a_out & b_out, a_in & b_in)
    counts = [np.bincount(row[kind], minlength=len(small)).astype(np.int64) for kind in kinds]
    linked = (a_out | a_in) & (b_out | b_in)
    degree = _count_tied(near, x[linked], None if moment is None else moment[linked])
    weight = 1.0 / np.log(np.maximum(degree, 2))
    sums = np.bincount(row[linked], weights=weight, minlength=len(small))
    return counts, sums.astype(np.float64)


def _stands(graph: FollowGraph, tie: IntArray, at: IntArray | None) -> npt.NDArray[np.bool_]:
    """Return which ties (−1: none) stand as of a moment, or at all."""
    exists = tie >= 0
    if at is None or not exists.any():
        return exists
    stands = np.zeros(len(tie), dtype=bool)
    spell, stop = graph.spell_first[tie], graph.spell_first[tie + 1]
    open_rows = np.flatnonzero(exists)
    while len(open_rows):
        k = spell[open_rows]
        stands[open_rows] |= (graph.start[k] < at[open_rows]) & (graph.end[k] >= at[open_rows])
        spell[open_rows] += 1
        open_rows = open_rows[spell[open_rows] < stop[open_rows]]
    return stands


def _count_tied(near: Neighbours, x: IntArray, at: IntArray | None) -> IntArray:
    """Return d(x): distinct neighbours, all of them or those tied as of the moment."""
    if at is None:
        return np.diff(near.first)[x]
    node = np.repeat(np.arange(len(near.tied_first) - 1), np.diff(near.tied_first))
    begun = count_events_before(node, near.tied_from, x, at)
    is_over = near.tied_until != NEVER
    return begun - count_events_before(node[is_over], near.tied_until[is_over], x, at)
