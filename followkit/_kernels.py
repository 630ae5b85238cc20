"""Compiled pair kernels. numba is imported, and anything compiled, only on the first call."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from followkit.graph import FollowGraph, IntArray


def count_shared_compiled(
    graph: FollowGraph, initiators: IntArray, deciders: IntArray, at_us: IntArray | None
) -> tuple[Any, ...]:
    """Return the five arrays of `followkit.graph.SharedNeighbours`, computed on all cores."""
    near = graph.neighbours
    moments = np.zeros(1, np.int64) if at_us is None else np.asarray(at_us, np.int64)
    return tuple(
        _shared_kernel()(
            initiators, deciders, moments, at_us is not None,
            near.first, near.neighbour, near.out_tie, near.in_tie,
            near.tied_first, near.tied_from, near.tied_until,
            graph.spell_first, graph.start, graph.end,
        )
    )  # fmt: skip


def _jit(**options: Any) -> Any:
    """Return numba's decorator, without its cache where the cache folder cannot be written."""
    import numba

    def decorate(function: Any) -> Any:
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError:
            return numba.njit(**options)(function)

    return decorate


@lru_cache(maxsize=1)
def _shared_kernel() -> Any:
    import numba

    stands = _jit(inline="always")(_stands)
    lower = _jit()(_lower)

    @_jit(parallel=True, nogil=True)
    def kernel(
        initiators,
        deciders,
        moments,
        is_timed,
        first,
        neighbour,
        out_tie,
        in_tie,
        tied_first,
        tied_from,
        tied_until,
        spell_first,
        start,
        end,
    ):
        count = len(initiators)
        paths_out = np.zeros(count, np.int64)
        paths_back = np.zeros(count, np.int64)
        common_followees = np.zeros(count, np.int64)
        common_followers = np.zeros(count, np.int64)
        adamic_adar = np.zeros(count, np.float64)
        for row in numba.prange(count):
            a, b = initiators[row], deciders[row]
            t = moments[row] if is_timed else 0
            i, i_stop = first[a], first[a + 1]
            j, j_stop = first[b], first[b + 1]
            # Walk the smaller list; in a much larger one search instead of stepping.
            is_steep = (i_stop - i) * 16 < (j_stop - j) or (j_stop - j) * 16 < (i_stop - i)
            while i < i_stop and j < j_stop:
                x, y = neighbour[i], neighbour[j]
                if x < y:
                    i = lower(neighbour, i + 1, i_stop, y) if is_steep else i + 1
                    continue
                if y < x:
                    j = lower(neighbour, j + 1, j_stop, x) if is_steep else j + 1
                    continue
                a_out = stands(out_tie[i], t, is_timed, spell_first, start, end)
                a_in = stands(in_tie[i], t, is_timed, spell_first, start, end)
                b_out = stands(out_tie[j], t, is_timed, spell_first, start, end)
                b_in = stands(in_tie[j], t, is_timed, spell_first, start, end)
                paths_out[row] += a_out and b_in
                paths_back[row] += b_out and a_in
                common_followees[row] += a_out and b_out
                common_followers[row] += a_in and b_in
                if (a_out or a_in) and (b_out or b_in):
                    degree = first[x + 1] - first[x]
                    if is_timed:
                        low, high = tied_first[x], tied_first[x + 1]
                        degree = lower(tied_from, low, high, t) - lower(tied_until, low, high, t)
                    adamic_adar[row] += 1.0 / np.log(max(degree, 2))
                i += 1
                j += 1
        return paths_out, paths_back, common_followees, common_followers, adamic_adar

    return kernel


def _stands(tie, at, is_timed, spell_first, start, end):
    if tie < 0:
        return False
    if not is_timed:
        return True
    for spell in range(spell_first[tie], spell_first[tie + 1]):
        if start[spell] < at and end[spell] >= at:
            return True
    return False


def _lower(values, low, high, wanted):
    """Return the first place in values[low:high] (sorted) that is not below `wanted`."""
    while low < high:
        middle = (low + high) // 2
        if values[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low
