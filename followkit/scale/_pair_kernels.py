"""Kernels on forward adjacency: degrees in time order, triangles, given dyads, PageRank.

Plain Python that `followkit.scale._compile` compiles on first use. Every kernel splits its writes
by owner, so threads never share a cell, and adds whole numbers only (PageRank: in a fixed order):
results do not depend on the number of threads.
"""
# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-calls

from __future__ import annotations

from typing import Any

import numpy as np

#: numba's parallel range once something was compiled.
prange: Any = range
#: A rank that no moment reaches: the tie does not exist or its time is unknown.
NO_RANK = np.iinfo(np.int32).max
STATIC, MASKED, ASOF = 0, 1, 2


# --- degrees --------------------------------------------------------------------------------------


def degrees_asof(ends, rank, order, node_count, cuts, result):
    """Walk ties in time order; read four degrees at each, strictly before its moment.

    Thread k walks the places cuts[k] to cuts[k + 1] of `order`, which part no ties of one moment,
    after counting what came before them. ends: source and target in one word, to be fetched at
    once. result: one row a tie with followees and followers of the source, then of the target.
    """
    for k in prange(len(cuts) - 1):
        held = np.zeros((node_count, 2), np.int32)
        for place in range(cuts[k]):
            _hold(held, ends[order[place]])
        begin = cuts[k]
        while begin < cuts[k + 1]:
            now = rank[order[begin]]
            if now == NO_RANK:
                break
            stop = begin
            while stop < cuts[k + 1] and rank[order[stop]] == now:
                tie = order[stop]
                s, t = ends[tie] >> 32, ends[tie] & 0xFFFFFFFF
                result[tie, 0] = held[s, 0]
                result[tie, 1] = held[s, 1]
                result[tie, 2] = held[t, 0]
                result[tie, 3] = held[t, 1]
                stop += 1
            for place in range(begin, stop):
                _hold(held, ends[order[place]])
            begin = stop


def _hold(held, both):
    held[both >> 32, 0] += 1
    held[both & 0xFFFFFFFF, 1] += 1


def count_folds(first, lower, fold, bounds, tallies):
    """Count ties out, ties in and neighbours of each account by the fold of the pair."""
    for k in prange(len(bounds) - 1):
        low, high = bounds[k], bounds[k + 1]
        for owner in range(len(first) - 1):
            for slot in range(first[owner], first[owner + 1]):
                other, there, back = lower[slot] >> 2, lower[slot] & 1, (lower[slot] >> 1) & 1
                if low <= owner < high:
                    _tally(tallies, owner, fold[slot], there, back)
                if low <= other < high:
                    _tally(tallies, other, fold[slot], back, there)


def _tally(tallies, node, fold, out, into):
    tallies[node, fold, 0] += out
    tallies[node, fold, 1] += into
    tallies[node, fold, 2] += 1


# --- shared neighbours of every tie ---------------------------------------------------------------


def triangles(
    mode, first, lower, back_first, back_node, back_slot, blocks, block_first, spill_first, weight,
    degree, fold, by_fold, pair_rank, tied_at, tied_first, tied, total,
):  # fmt: skip
    """Find every triangle once and add what it tells about each of its three pairs.

    The pair (u, v), u > v, is the middle: v's row is marked, u's row is walked up to v. Thread k
    owns the blocks block_first[k] to block_first[k + 1]; block i holds the rows blocks[i] to
    blocks[i + 1] of u, few enough to stay in the cache. A row of v that another thread owns lies
    below them all and is added to apart, from spill_first[k] on.
    """
    for k in prange(len(block_first) - 1):
        low = blocks[block_first[k]]
        mark = np.zeros(len(first), np.int32)
        # How far each v's list of larger neighbours has been used.
        used = back_first[:-1].copy()
        for block in range(block_first[k], block_first[k + 1]):
            block_low, high = blocks[block], blocks[block + 1]
            for v in range(1, high):
                place, last = used[v], back_first[v + 1]
                if place < last and back_node[place] < block_low:
                    place = _lower(back_node, place, last, block_low)
                    used[v] = place
                if place == last or back_node[place] >= high or first[v] == first[v + 1]:
                    continue
                begin = first[v]
                for slot in range(begin, first[v + 1]):
                    mark[lower[slot] >> 2] = slot - begin + 1
                while place < last and back_node[place] < high:
                    u, uv = back_node[place], back_slot[place]
                    place += 1
                    for uw in range(first[u], uv):
                        hit = mark[lower[uw] >> 2]
                        if hit == 0:
                            continue
                        vw = begin + hit - 1
                        at = vw if v >= low else spill_first[k] + vw
                        if mode == ASOF:
                            _add_asof(u, v, lower[uw] >> 2, uv, uw, vw, at, pair_rank, tied_at,
                                      tied_first, tied, weight, total)  # fmt: skip
                        else:
                            _add_whole(mode, u, v, lower[uw] >> 2, uv, uw, vw, at, lower, fold,
                                       by_fold, degree, weight, total)  # fmt: skip
                used[v] = place
                for slot in range(begin, first[v + 1]):
                    mark[lower[slot] >> 2] = 0


def _add_whole(
    mode, u, v, w, uv, uw, vw, at, lower, fold, by_fold, degree, weight, total
):  # fmt: skip
    """Add one triangle u > v > w, all ties standing."""
    # 64 bits wide, as one count lies above the other.
    a, b, c = np.int64(lower[uv] & 3), np.int64(lower[uw] & 3), np.int64(lower[vw] & 3)
    if mode == STATIC:
        _add(total, uv, b, c, weight[degree[w]])
        _add(total, uw, a, _turn(c), weight[degree[v]])
        _add(total, at, _turn(a), _turn(b), weight[degree[u]])
        return
    f, g, h = fold[uv], fold[uw], fold[vw]
    if f != g and f != h:
        _add(total, uv, b, c, weight[by_fold[w, f]])
    if g != f and g != h:
        _add(total, uw, a, _turn(c), weight[by_fold[v, g]])
    if h != f and h != g:
        _add(total, at, _turn(a), _turn(b), weight[by_fold[u, h]])


def _add_asof(
    u, v, w, uv, uw, vw, at, pair_rank, tied_at, tied_first, tied, weight, total
):  # fmt: skip
    """Add one triangle to those of its six ties that were made after both other sides."""
    a0, a1 = pair_rank[uv, 0], pair_rank[uv, 1]
    b0, b1 = pair_rank[uw, 0], pair_rank[uw, 1]
    c0, c1 = pair_rank[vw, 0], pair_rank[vw, 1]
    a, b, c = min(a0, a1), min(b0, b1), min(c0, c1)
    _add_late(total, uv, a0, a1, max(b, c), b0, b1, c0, c1, w, tied_at, tied_first, tied, weight)
    _add_late(total, uw, b0, b1, max(a, c), a0, a1, c1, c0, v, tied_at, tied_first, tied, weight)
    _add_late(total, at, c0, c1, max(a, b), a1, a0, b1, b0, u, tied_at, tied_first, tied, weight)


def _add_late(
    total, slot, there, back, both, near_out, near_in, far_out, far_in, x, tied_at, tied_first,
    tied, weight,
):  # fmt: skip
    """Add x to the tie or ties of a pair that came after x was tied to both."""
    for way in range(2):
        now = back if way else there
        if (both < now) & (now != NO_RANK):
            near = np.int64(near_out < now) | (np.int64(near_in < now) << 1)
            far = np.int64(far_out < now) | (np.int64(far_in < now) << 1)
            degree = _count_tied(x, now, tied_at, tied_first, tied)
            _add(total, 2 * slot + way, near, far, weight[degree])


def _count_tied(x, now, tied_at, tied_first, tied):
    """Return how many neighbours x was tied to before a rank.

    tied_first holds, for every 2^shift ranks (tied_at[x, 2]), how many ties of x came before them.
    """
    begin = tied_at[x, 0]
    bucket = tied_at[x, 1] + (now >> tied_at[x, 2])
    count, most = tied_first[bucket], tied_first[bucket + 1]
    while count < most:
        middle = (count + most) >> 1
        if tied[begin + middle] < now:
            count = middle + 1
        else:
            most = middle
    return count


def _add(total, slot, near, far, weight):
    """Add x with its ties to the pair's larger (near) and smaller code (far): 1 to x, 2 from x.

    Two counts share a word: paths out and back, common followees and followers.
    """
    total[slot, 0] += ((near & 1) & (far >> 1)) | (((near >> 1) & (far & 1)) << 32)
    total[slot, 1] += (near & far & 1) | (((near & far) >> 1) << 32)
    total[slot, 2] += weight


def _turn(flags):
    return np.int64(((flags & 1) << 1) | (flags >> 1))


def unpack(tie_slot, total, is_directed, threads, counts, sums, scale):
    """Write four counts and the sum of every tie; the other direction has its paths turned."""
    count = len(tie_slot)
    for k in prange(threads):
        for tie in range(count * k // threads, count * (k + 1) // threads):
            place = tie_slot[tie]
            row = np.int64(place) if is_directed else np.int64(place >> 1)
            paths, common = total[row, 0], total[row, 1]
            is_back = place & 1
            counts[is_back, tie] = paths & 0xFFFFFFFF
            counts[1 - is_back, tie] = paths >> 32
            counts[2, tie] = common & 0xFFFFFFFF
            counts[3, tie] = common >> 32
            sums[tie] = total[row, 2] * scale


# --- shared neighbours of given dyads -------------------------------------------------------------


def given_dyads(
    mode, order, bounds, initiator, decider, moment, own_fold, first, lower, back_first, back_node,
    back_slot, weight, degree, fold, by_fold, pair_rank, tied_at, tied_first, tied,
    counts, sums, scale,
):  # fmt: skip
    """Count for dyads sorted by their smaller code: mark its list once, walk the other's list."""
    for k in prange(len(bounds) - 1):
        mark = np.zeros(len(first), np.int32)
        total = np.zeros((1, 3), np.int64)
        hub = np.int64(-1)
        for place in range(bounds[k], bounds[k + 1]):
            row = order[place]
            a, b = np.int64(initiator[row]), np.int64(decider[row])
            small, large = min(a, b), max(a, b)
            if small != hub:
                if hub >= 0:
                    _mark(hub, first, lower, back_first, back_node, back_slot, mark, False)
                hub = small
                _mark(hub, first, lower, back_first, back_node, back_slot, mark, True)
            total[0, 0], total[0, 1], total[0, 2] = 0, 0, 0
            cut = moment[row] if mode == ASOF else own_fold[row] if mode == MASKED else 0
            for near in range(first[large], first[large + 1]):
                x = np.int64(lower[near] >> 2)
                if mark[x]:
                    _add_given(mode, large, hub, x, near, mark[x] - 1, cut, lower,
                               weight, degree, fold, by_fold, pair_rank, tied_at,
                               tied_first, tied, total)  # fmt: skip
            for far in range(back_first[large], back_first[large + 1]):
                x = np.int64(back_node[far])
                if mark[x]:
                    _add_given(mode, large, hub, x, back_slot[far], mark[x] - 1, cut, lower,
                               weight, degree, fold, by_fold, pair_rank, tied_at,
                               tied_first, tied, total)  # fmt: skip
            is_back = np.int64(a == small)
            counts[is_back, row] = total[0, 0] & 0xFFFFFFFF
            counts[1 - is_back, row] = total[0, 0] >> 32
            counts[2, row] = total[0, 1] & 0xFFFFFFFF
            counts[3, row] = total[0, 1] >> 32
            sums[row] = total[0, 2] * scale


def _mark(node, first, lower, back_first, back_node, back_slot, mark, is_on):
    for slot in range(first[node], first[node + 1]):
        mark[lower[slot] >> 2] = slot + 1 if is_on else 0
    for place in range(back_first[node], back_first[node + 1]):
        mark[back_node[place]] = back_slot[place] + 1 if is_on else 0


def _add_given(
    mode, large, small, x, near_slot, far_slot, cut, lower, weight, degree, fold, by_fold,
    pair_rank, tied_at, tied_first, tied, total,
):  # fmt: skip
    """Add one neighbour of both, if its ties stand as of the moment or outside the fold."""
    if mode == ASOF:
        near = np.int64(pair_rank[near_slot, 0] < cut) | (
            np.int64(pair_rank[near_slot, 1] < cut) << 1
        )
        far = np.int64(pair_rank[far_slot, 0] < cut) | (np.int64(pair_rank[far_slot, 1] < cut) << 1)
        if near == 0 or far == 0:
            return
        found = weight[_count_tied(x, cut, tied_at, tied_first, tied)]
    else:
        near, far = np.int64(lower[near_slot] & 3), np.int64(lower[far_slot] & 3)
        if mode == MASKED:
            if fold[near_slot] == cut or fold[far_slot] == cut:
                return
            found = weight[by_fold[x, cut]]
        else:
            found = weight[degree[x]]
    # Flags are seen from the larger code of a slot.
    near = near if x < large else _turn(near)
    far = far if x < small else _turn(far)
    _add(total, 0, near, far, found)


# --- PageRank, all folds at once ------------------------------------------------------------------


def rank_round(first, lower, back_first, back_node, back_slot, fold, given, rest, fresh, bounds):
    """Pass rank along every tie: fresh[v] = rest + damped sum over followers, one column a fold.

    A tie of fold f is missing from column f only, so one walk serves all columns.
    """
    width = given.shape[1]
    for k in prange(len(bounds) - 1):
        flow = np.zeros(width)
        for node in range(bounds[k], bounds[k + 1]):
            flow[:] = 0.0
            for slot in range(first[node], first[node + 1]):
                if lower[slot] & 2:
                    _pass_on(flow, given, lower[slot] >> 2, fold[slot])
            for place in range(back_first[node], back_first[node + 1]):
                slot = back_slot[place]
                if lower[slot] & 1:
                    _pass_on(flow, given, back_node[place], fold[slot])
            for column in range(width):
                fresh[node, column] = flow[column] + rest[column]


def _pass_on(flow, given, node, fold):
    for column in range(len(flow)):
        if column != fold:
            flow[column] += given[node, column]


def _lower(values, low, high, wanted):
    """Return the first place in values[low:high] (sorted) that is not below `wanted`."""
    while low < high:
        middle = (low + high) >> 1
        if values[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


#: What kernels call. Most are copied into them: to pass many arrays costs more than to add.
HELPERS = (
    _add, _add_asof, _add_given, _add_late, _add_whole, _count_tied, _hold, _lower, _mark, _pass_on,
    _tally, _turn,
)  # fmt: skip
INLINED = frozenset(HELPERS) - {_lower, _mark}
SERIAL: frozenset[Any] = frozenset()
