"""Kernels that build a pair graph: sorting by rows, transposing, ranking moments.

Plain Python that `followkit.scale._compile` compiles on first use; threads own what they write.
"""
# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-calls

from __future__ import annotations

from typing import Any

import numpy as np

#: numba's parallel range once something was compiled.
prange: Any = range
#: Rows up to this length are sorted by insertion.
SHORT = 24
DIGIT_BITS = 11
DIGITS = 1 << DIGIT_BITS
NO_RANK = np.iinfo(np.int32).max


def scatter_ties(source, target, first, bounds, entry, faults):
    """Put every tie into the row of its larger code, as lower code and tie number in one word.

    first: where rows begin; thread k fills the rows from bounds[k] to bounds[k + 1].
    """
    for k in prange(len(bounds) - 1):
        low, high = bounds[k], bounds[k + 1]
        at = first[low : high + 1].copy()
        for tie in range(len(source)):
            s, t = np.int64(source[tie]), np.int64(target[tie])
            owner = max(s, t)
            if owner < low or owner >= high:
                continue
            if s == t:
                faults[k] += 1
            entry[at[owner - low]] = (min(s, t) << 32) | tie
            at[owner - low] += 1


def sort_rows(entry, first, bounds, pair_count):
    """Sort every row and count its distinct neighbours."""
    for k in prange(len(bounds) - 1):
        for owner in range(bounds[k], bounds[k + 1]):
            begin, stop = first[owner], first[owner + 1]
            _sort_row(entry, begin, stop)
            found = 0
            for place in range(begin, stop):
                found += place == begin or (entry[place] >> 32) != (entry[place - 1] >> 32)
            pair_count[owner] = found


def fill_pairs(entry, entry_first, first, source, bounds, lower, tie_slot, faults):
    """Fold the two ties of a pair into one slot: lower code and two flags; say where ties went."""
    for k in prange(len(bounds) - 1):
        for owner in range(bounds[k], bounds[k + 1]):
            slot = first[owner] - 1
            last = -1
            for place in range(entry_first[owner], entry_first[owner + 1]):
                other = entry[place] >> 32
                tie = entry[place] & 0xFFFFFFFF
                if other != last:
                    slot += 1
                    last = other
                    lower[slot] = other << 2
                is_back = np.int64(source[tie] != owner)
                if lower[slot] & (1 << is_back):
                    faults[k] += 1
                lower[slot] |= 1 << is_back
                tie_slot[tie] = (slot << 1) | is_back


def transpose(lower, first, back_first, bounds, back_node, back_slot):
    """Fill for each account the accounts of larger code, ascending, with their slots."""
    for k in prange(len(bounds) - 1):
        low, high = bounds[k], bounds[k + 1]
        at = back_first[low : high + 1].copy()
        for owner in range(low + 1, len(first) - 1):
            for slot in range(first[owner], first[owner + 1]):
                other = lower[slot] >> 2
                if other >= high:
                    break
                if other >= low:
                    back_node[at[other - low]] = owner
                    back_slot[at[other - low]] = slot
                    at[other - low] += 1


def fill_tied(first, back_first, back_slot, pair_rank, bounds, tied):
    """Fill, account by account and sorted, the ranks at which ties with neighbours began."""
    for k in prange(len(bounds) - 1):
        for node in range(bounds[k], bounds[k + 1]):
            begin = first[node] + back_first[node]
            at = begin
            for slot in range(first[node], first[node + 1]):
                tied[at] = min(pair_rank[slot, 0], pair_rank[slot, 1])
                at += 1
            for place in range(back_first[node], back_first[node + 1]):
                slot = back_slot[place]
                tied[at] = min(pair_rank[slot, 0], pair_rank[slot, 1])
                at += 1
            _sort_row(tied, begin, at)


def sort_digit(key, item, shift, new_key, new_item, threads):
    """Sort keys and their items stably by one digit, in blocks of equal length."""
    count = len(key)
    starts = np.zeros((threads, DIGITS), np.int64)
    for k in prange(threads):
        for place in range(count * k // threads, count * (k + 1) // threads):
            starts[k, (key[place] >> shift) & (DIGITS - 1)] += 1
    total = 0
    for digit in range(DIGITS):
        for k in range(threads):
            held = starts[k, digit]
            starts[k, digit] = total
            total += held
    for k in prange(threads):
        for place in range(count * k // threads, count * (k + 1) // threads):
            digit = (key[place] >> shift) & (DIGITS - 1)
            at = starts[k, digit]
            new_key[at] = key[place]
            new_item[at] = item[place]
            starts[k, digit] = at + 1


def rank_sorted(key, order, known, rank, moments):
    """Write dense ranks and distinct keys from sorted keys; NO_RANK from `known` on."""
    found = -1
    for place in range(known):
        if place == 0 or key[place] != key[place - 1]:
            found += 1
            moments[found] = key[place]
        rank[order[place]] = found
    for place in range(known, len(order)):
        rank[order[place]] = NO_RANK
    return found + 1


def _sort_row(values, begin, stop):
    if stop - begin > SHORT:
        values[begin:stop].sort()
        return
    for place in range(begin + 1, stop):
        held = values[place]
        hole = place
        while hole > begin and values[hole - 1] > held:
            values[hole] = values[hole - 1]
            hole -= 1
        values[hole] = held


def fill_buckets(tied_at, tied_first, tied, bounds, counts):
    """Fill tied_first: one entry a bucket of ranks and one more, account by account."""
    for k in prange(len(bounds) - 1):
        for node in range(bounds[k], bounds[k + 1]):
            begin, at = tied_at[node, 0], 0
            for bucket in range(tied_at[node + 1, 1] - tied_at[node, 1]):
                edge = np.int64(bucket) << tied_at[node, 2]
                while at < counts[node] and tied[begin + at] < edge:
                    at += 1
                tied_first[tied_at[node, 1] + bucket] = at


HELPERS = (_sort_row,)
INLINED: frozenset[Any] = frozenset()
SERIAL = frozenset({rank_sorted})
