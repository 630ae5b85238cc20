"""The pair kernels in NumPy: the oracle of tests, and what runs where numba is not installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from followkit.graph import count_events_before
from followkit.scale._pair_view import ASOF, MASKED, STATIC, STEP_BITS, View
from followkit.scale.csr import NO_RANK, CodeArray, IntArray, PairGraph, TiedTimes, owners_of

FloatArray = npt.NDArray[np.float64]

#: Neighbour look-ups that one chunk may hold, so that memory stays below about 400 MB.
CHUNK = 4_000_000


def count_before(nodes: CodeArray, rank: CodeArray, asked: CodeArray) -> IntArray:
    """Return for each tie how many ties of `nodes` equal to its asked account came before it."""
    known = rank != NO_RANK
    wide = np.where(known, rank, -1).astype(np.int64)
    return count_events_before(
        nodes[known].astype(np.int64), wide[known], asked.astype(np.int64), wide
    )


def count_numpy(
    graph: PairGraph, view: View, initiators: Any, deciders: Any, moment: Any, own: Any
) -> tuple[CodeArray, FloatArray]:
    """Return what the kernels return, by NumPy: the smaller list is walked, the larger searched."""
    a, b = graph.inner(initiators).astype(np.int64), graph.inner(deciders).astype(np.int64)
    size = graph.node_count
    owner = owners_of(graph, 0, graph.pair_count)
    key = owner * size + (graph.lower >> 2)
    near = graph.neighbour_count.astype(np.int64)
    union_first = graph.first + graph.back_first
    node, slots = _make_union(graph, owner)
    counts = np.zeros((4, len(a)), dtype=np.int32)
    total = np.zeros(len(a), dtype=np.int64)
    small, large = np.where(near[b] < near[a], b, a), np.where(near[b] < near[a], a, b)
    chunk = np.cumsum(near[small]) // CHUNK
    for part in np.split(np.arange(len(a)), np.flatnonzero(np.diff(chunk)) + 1):
        lengths = near[small[part]]
        row = np.repeat(part, lengths)
        entry = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        entry += union_first[small[row]]
        x = node[entry]
        wanted = np.maximum(large[row], x) * size + np.minimum(large[row], x)
        found = np.searchsorted(key, wanted)
        hit = found < len(key)
        hit[hit] = key[found[hit]] == wanted[hit]
        row, x, mine, theirs = row[hit], x[hit], slots[entry[hit]], found[hit]
        turned = small[row] != a[row]
        slot_a, slot_b = np.where(turned, theirs, mine), np.where(turned, mine, theirs)
        _add_numpy(graph, view, row, x, (a, slot_a), (b, slot_b), moment, own, counts, total)
    return counts, (total * 2.0**-STEP_BITS).astype(np.float64)


def _make_union(graph: PairGraph, owner: IntArray) -> tuple[IntArray, IntArray]:
    """Return every account's neighbours of either direction, and the slots of those pairs."""
    nodes = np.r_[owner, (graph.lower >> 2).astype(np.int64)]
    others = np.r_[nodes[len(owner) :], owner]
    slots = np.r_[np.arange(len(owner)), np.arange(len(owner))]
    order = np.lexsort((others, nodes))
    return others[order], slots[order]


def _add_numpy(
    graph: PairGraph, view: View, row: IntArray, x: IntArray, one: Any, two: Any,
    moment: Any, own: Any, counts: CodeArray, total: IntArray,
) -> None:  # fmt: skip
    """Add neighbours x of both accounts of dyads `row`."""
    seen = []
    for codes, slot in (one, two):
        flags = (graph.lower[slot] & 3).astype(np.int64)
        if view.mode == ASOF:
            stands = view.pair_rank[slot] < moment[row][:, None]
            flags = stands[:, 0] + 2 * stands[:, 1].astype(np.int64)
        elif view.mode == MASKED:
            flags = np.where(view.fold[slot] == own[row], 0, flags)
        is_owner = codes[row] > x
        seen.append(np.where(is_owner, flags, ((flags & 1) << 1) | (flags >> 1)))
    near, far = seen
    kept = (near > 0) & (far > 0)
    row, x, near, far = row[kept], x[kept], near[kept], far[kept]
    kinds = (
        (near & 1) & (far >> 1), (near >> 1) & (far & 1), near & far & 1, (near & far) >> 1
    )  # fmt: skip
    for place, kind in enumerate(kinds):
        np.add.at(counts[place], row[kind > 0], 1)
    if view.mode == ASOF:
        degree = _count_tied(graph, view.tied, x, moment[row])
    else:
        found = view.degree[x] if view.mode == STATIC else view.by_fold[x, own[row]]
        degree = found.astype(np.int64)
    np.add.at(total, row, view.weight[degree])


def _count_tied(graph: PairGraph, tied: TiedTimes, x: IntArray, moment: Any) -> IntArray:
    union_first = graph.first + graph.back_first
    width = np.int64(NO_RANK) + 1
    owner = np.repeat(np.arange(graph.node_count), np.diff(union_first))
    place = np.searchsorted(owner * width + tied.rank, x * width + moment)
    return np.asarray(place - union_first[x])
