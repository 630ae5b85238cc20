"""Degrees, shared neighbours and PageRank of millions of follows, for every tie or given dyads.

Three views of the same graph: whole (every tie stands), as of each dyad's moment (ties made
strictly before it), and fold-masked (without any tie of the dyad's own fold). The dyad's own two
ties never count among its shared neighbours. The NumPy twin gives the same bits as the compiled
kernels: counts are whole numbers, and Adamic–Adar is summed in whole steps of 2⁻⁴⁰.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from followkit.errors import InputError
from followkit.scale._pair_numpy import count_before, count_numpy
from followkit.scale._pair_view import STEP_BITS, make_view, need_times
from followkit.scale.csr import (
    NO_RANK,
    CodeArray,
    Engine,
    IntArray,
    PairGraph,
    count_cores,
    load_kernels,
    split_work,
)
from followkit.scale.folds import FOLD_COUNT, FoldArray, folds_of_ties, tally_folds

FloatArray = npt.NDArray[np.float64]

#: Slots in a block of rows, so that what is added to stays in the cache.
BLOCK = 1 << 18


@dataclass(frozen=True)
class SharedCounts:
    """Accounts x that link the two of a dyad (A, B), one entry a dyad; x is neither of them.

    Attributes
    ----------
    paths_out, paths_back, common_followees, common_followers
        int32: x with A→x→B, with B→x→A, with A→x and B→x, with x→A and x→B.
    adamic_adar
        float64: Σ 1 / log d(x) over x tied in any direction to both, where d(x) counts the
        distinct neighbours of x in the same view of the graph.
    """

    paths_out: CodeArray
    paths_back: CodeArray
    common_followees: CodeArray
    common_followers: CodeArray
    adamic_adar: FloatArray

    @classmethod
    def of(cls, counts: CodeArray, sums: FloatArray) -> SharedCounts:
        """Return the counts of four kinds, one a row, and the sums."""
        return cls(counts[0], counts[1], counts[2], counts[3], sums)


@dataclass(frozen=True)
class DegreeCounts:
    """Followees and followers of both accounts of a dyad; int32, one entry a dyad."""

    initiator_followees: CodeArray
    initiator_followers: CodeArray
    decider_followees: CodeArray
    decider_followers: CodeArray


def find_mutual(graph: PairGraph) -> npt.NDArray[np.bool_]:
    """Return for every tie whether its reverse exists: bool, in the order of the ties.

    Examples
    --------
    >>> from followkit.scale.csr import make_pair_graph
    >>> find_mutual(make_pair_graph([0, 1, 1], [1, 0, 2])).tolist()
    [True, True, False]
    """
    is_mutual = (graph.lower & 3) == 3
    return is_mutual[graph.tie_slot >> 1]


def count_degrees(graph: PairGraph) -> tuple[CodeArray, CodeArray]:
    """Return (followees, followers) of every account: int32, by code.

    Examples
    --------
    >>> from followkit.scale.csr import make_pair_graph
    >>> [side.tolist() for side in count_degrees(make_pair_graph([0, 1, 1], [1, 0, 2]))]
    [[1, 2, 0], [1, 1, 1]]
    """
    out = np.bincount(graph.source, minlength=graph.node_count)
    into = np.bincount(graph.target, minlength=graph.node_count)
    return out.astype(np.int32), into.astype(np.int32)


def count_tie_degrees(graph: PairGraph) -> DegreeCounts:
    """Return the degrees of both ends of every tie without the pair's own two ties.

    Examples
    --------
    >>> from followkit.scale.csr import make_pair_graph
    >>> count_tie_degrees(make_pair_graph([0, 1, 1], [1, 0, 2])).decider_followees.tolist()
    [1, 0, 0]
    """
    out, into = count_degrees(graph)
    back = find_mutual(graph).astype(np.int32)
    return DegreeCounts(
        out[graph.source] - np.int32(1),
        into[graph.source] - back,
        out[graph.target] - back,
        into[graph.target] - np.int32(1),
    )


def count_degrees_masked(graph: PairGraph, folds: FoldArray, fold_count: int) -> DegreeCounts:
    """Return the degrees of both ends of every tie without any tie of the tie's own fold.

    Parameters
    ----------
    graph, folds
        The graph and the fold of each slot (`make_pair_folds`).
    fold_count
        How many folds there are.
    """
    tallies = tally_folds(graph, folds, fold_count, "auto")
    inner = graph.inner
    rest = tallies.sum(axis=1, keepdims=True, dtype=np.int32) - tallies
    fold = folds_of_ties(graph, folds)
    source, target = inner(graph.source), inner(graph.target)
    return DegreeCounts(
        rest[source, fold, 0], rest[source, fold, 1], rest[target, fold, 0], rest[target, fold, 1]
    )


def count_degrees_asof(
    graph: PairGraph, *, threads: int | None = None, engine: Engine = "auto"
) -> DegreeCounts:
    """Return the degrees of both ends of every tie strictly before the tie's own moment.

    Ties of one moment do not see each other. A tie without a moment counts for nobody, and nothing
    is counted for it (`graph.rank` is NO_RANK there). Ties
    are walked once in time order, after which nothing has to be sorted or searched.

    Raises
    ------
    InputError
        If the graph has no times.

    Examples
    --------
    >>> from followkit.scale.csr import make_pair_graph
    >>> graph = make_pair_graph([0, 1, 1], [1, 0, 2], at_us=[10, 20, 20])
    >>> count_degrees_asof(graph).initiator_followees.tolist()
    [0, 0, 0]
    """
    rank, order = need_times(graph)
    if kernels := load_kernels(engine, graph.tie_count):
        result = np.zeros((graph.tie_count, 4), dtype=np.int32)
        cuts = _cut_time(rank, order, threads or count_cores())
        ends = graph.source.astype(np.int64)
        ends <<= 32
        ends |= graph.target
        kernels("degrees_asof")(ends, rank, order, graph.node_count, cuts, result)
    else:
        sides = (graph.source, graph.target)
        counted = [count_before(events, rank, nodes) for nodes in sides for events in sides]
        result = np.stack(counted, axis=1).astype(np.int32)
    return DegreeCounts(*(result[:, column] for column in range(4)))


def _cut_time(rank: CodeArray, order: CodeArray, threads: int) -> IntArray:
    """Return cuts of the time order that leave ties of one moment together.

    Counting a tie costs about a third of reading four degrees, and later parts count the earlier.
    """
    share = (4 / 3) ** -np.arange(threads + 0.0)
    cuts = np.r_[0, np.cumsum(share) / share.sum() * len(order)].astype(np.int64)
    for k in range(1, threads):
        cut = max(cuts[k], cuts[k - 1])
        while 0 < cut < len(order) and rank[order[cut]] == rank[order[cut - 1]]:
            cut += 1
        cuts[k] = cut
    cuts[threads] = len(order)
    return cuts


def count_shared_of_ties(
    graph: PairGraph,
    *,
    asof: bool = False,
    folds: FoldArray | None = None,
    fold_count: int = FOLD_COUNT,
    threads: int | None = None,
    engine: Engine = "auto",
) -> SharedCounts:
    """Count shared neighbours and Adamic–Adar with every tie as a dyad, in one pass.

    Every triangle is found once and told to its three pairs, so a pair's list is never walked for
    both directions, and all folds share the pass.

    Parameters
    ----------
    graph
        The graph.
    asof
        Count ties made strictly before the dyad's own moment only.
    folds, fold_count
        The fold of each slot: a dyad then sees the graph without any tie of its own fold.
    threads, engine
        As in `make_pair_graph`; the numbers do not depend on them.

    Returns
    -------
    SharedCounts
        In the order of the ties. 24 bytes a tie; while it runs 24 bytes a slot more (as of: 48),
        and as much again for those slots that threads share.

    Raises
    ------
    InputError
        If both views are asked for, or the graph has no times.

    Notes
    -----
    Adamic & Adar (2003), doi:10.1016/S0378-8733(03)00009-1. Triangles by forward adjacency: Latapy
    (2008), doi:10.1016/j.tcs.2008.07.017.

    Examples
    --------
    >>> from followkit.scale.csr import make_pair_graph
    >>> graph = make_pair_graph([0, 1, 0], [2, 2, 1])
    >>> count_shared_of_ties(graph).common_followees.tolist()
    [0, 0, 1]
    """
    view = make_view(graph, asof, folds, fold_count, engine)
    kernels = load_kernels(engine, graph.tie_count)
    if not kernels:
        # A tie without a moment sees nothing.
        moment = (
            None
            if graph.rank is None or not asof
            else np.where(graph.rank == NO_RANK, -1, graph.rank)
        )
        own = None if folds is None else folds_of_ties(graph, folds)
        return SharedCounts.of(*count_numpy(graph, view, graph.source, graph.target, moment, own))
    workers = threads or count_cores()
    width = 2 if asof else 1
    blocks, block_first = _cut_blocks(graph, workers)
    shared = width * graph.first[blocks[block_first[:-1]]]
    begins = width * graph.pair_count + np.r_[0, np.cumsum(shared)].astype(np.int64)
    total = np.zeros((int(begins[-1]), 3), dtype=np.int64)
    kernels("triangles")(
        view.mode, graph.first, graph.lower, graph.back_first, graph.back_node, graph.back_slot,
        blocks, block_first, begins[:-1] // width, *view.arrays, total,
    )  # fmt: skip
    for begin, count in zip(begins[:-1], shared, strict=True):
        total[:count] += total[begin : begin + count]
    counts = np.empty((4, graph.tie_count), dtype=np.int32)
    sums = np.empty(graph.tie_count, dtype=np.float64)
    kernels("unpack")(graph.tie_slot, total, asof, workers, counts, sums, 2.0**-STEP_BITS)
    return SharedCounts.of(counts, sums)


def _cut_blocks(graph: PairGraph, threads: int) -> tuple[IntArray, IntArray]:
    """Return bounds of blocks of rows, and which blocks are whose."""
    rows = np.diff(graph.first)
    # Walking u's row costs each of its pairs half the row, and each pair one look-up of the row.
    bounds = split_work(rows * (rows + 16), threads)
    blocks, owned = [np.zeros(1, np.int64)], [0]
    for low, high in pairwise(bounds):
        parts = max(int(graph.first[high] - graph.first[low]) // BLOCK, 1)
        blocks.append(low + split_work(rows[low:high], parts)[1:])
        owned.append(owned[-1] + parts)
    return np.concatenate(blocks), np.array(owned)


def count_shared(
    graph: PairGraph,
    initiators: Any,
    deciders: Any,
    *,
    at_us: Any = None,
    folds: FoldArray | None = None,
    dyad_folds: Any = None,
    fold_count: int = FOLD_COUNT,
    threads: int | None = None,
    engine: Engine = "auto",
) -> SharedCounts:
    """Count shared neighbours and Adamic–Adar of given dyads, tied or not.

    Dyads are taken by their busier account, whose list is marked once; the other's list is walked.
    For all ties of a graph `count_shared_of_ties` is several times faster.

    Parameters
    ----------
    graph, initiators, deciders
        The graph and the codes of A and B.
    at_us
        A moment for each dyad: only ties made strictly before it count.
    folds, dyad_folds, fold_count
        The fold of each slot and of each dyad: ties of the dyad's fold do not count.
    threads, engine
        As in `make_pair_graph`.

    Returns
    -------
    SharedCounts
        24 bytes a dyad; while it runs 12 bytes a dyad and 4 bytes an account and thread more.

    Raises
    ------
    InputError
        If codes are unknown, lengths differ, a dyad is one account twice, or times are missing.

    Examples
    --------
    >>> from followkit.scale.csr import make_pair_graph
    >>> graph = make_pair_graph([0, 1], [2, 2], at_us=[5, 9])
    >>> count_shared(graph, [0, 0], [1, 1], at_us=[9, 10]).common_followees.tolist()
    [0, 1]
    """
    view = make_view(graph, at_us is not None, folds, fold_count, engine)
    one, two = np.asarray(initiators), np.asarray(deciders)
    a, b = graph.inner(one), graph.inner(two)
    moment = None
    if at_us is not None and graph.moments is not None:
        moment = np.searchsorted(graph.moments, np.asarray(at_us)).astype(np.int32)
    own = None if dyad_folds is None else np.asarray(dyad_folds, dtype=np.uint8)
    _check_dyads(a, b, moment, own, folds)
    kernels = load_kernels(engine, max(graph.tie_count, len(a)))
    if not kernels:
        return SharedCounts.of(*count_numpy(graph, view, one, two, moment, own))
    near = graph.neighbour_count
    order = np.lexsort((np.maximum(a, b), np.minimum(a, b))).astype(np.int64)
    cost = np.minimum(near[a], near[b])[order].astype(np.int64) + 16
    bounds = split_work(cost, threads or count_cores())
    counts = np.empty((4, len(a)), dtype=np.int32)
    sums = np.empty(len(a), dtype=np.float64)
    nothing = np.zeros(0, dtype=np.int32)
    kernels("given_dyads")(
        view.mode, order, bounds, a, b, nothing if moment is None else moment,
        np.zeros(0, np.uint8) if own is None else own, graph.first, graph.lower,
        graph.back_first, graph.back_node, graph.back_slot, *view.arrays, counts, sums,
        2.0**-STEP_BITS,
    )  # fmt: skip
    return SharedCounts.of(counts, sums)


def _check_dyads(
    a: CodeArray, b: CodeArray, moment: Any, own: Any, folds: FoldArray | None
) -> None:
    lengths = {len(part) for part in (a, b, moment, own) if part is not None}
    if len(lengths) > 1:
        raise InputError(f"dyads: columns have the lengths {sorted(lengths)}; they must agree")
    if bool((a == b).any()):
        raise InputError(f"dyads: {int((a == b).sum()):,} of them are one account twice")
    if (own is None) != (folds is None):
        raise InputError("folds: both the fold of each slot and that of each dyad are needed")
