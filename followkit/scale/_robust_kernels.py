"""Sums over accounts and over pairs behind `followkit.scale.robust`, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from followkit import covariance as cov
from followkit.logit import expit
from followkit.scale._fit_kernels import IntArray, RowBlock, Rows, map_blocks
from followkit.scale.fit import StreamedLogit, sum_rows

FloatArray = npt.NDArray[np.float64]
FlagArray = npt.NDArray[np.bool_]
Kind = Literal["dyadic_cr3", "dyadic"]
KINDS: tuple[Kind, ...] = ("dyadic_cr3", "dyadic")

#: Numbers in the p × p parts of the busiest accounts.
PART_NUMBERS = 2_000_000
#: A term of the series that cannot reach this share of the first is left out. The bound is the
#: trace of M; its largest eigenvalue, which counts, is several times smaller.
NEGLIGIBLE = 1e-10
#: An account with more of the information than this is never left to the series.
LARGE_TRACE = 0.1
#: Rows of an account in one block from which its part is a matrix product of its own.
LONG_RUN = 32
#: Enough for the places of a block's entries; 2^39 accounts are left.
PLACE_BITS = 24
OUTER_ROWS = 2_048


@dataclass(frozen=True)
class Degrees:
    """How many rows touch each account, and the account that errors are conditioned on, or −1."""

    row_count: int
    degree: IntArray
    ego: int

    @property
    def is_kept(self) -> FlagArray:
        """Which accounts errors are clustered on."""
        kept = self.degree > 0
        if self.ego >= 0:
            kept[self.ego] = False
        return kept


def count_degrees(ends: Iterator[tuple[IntArray, IntArray]]) -> Degrees:
    """Return how many rows touch each account; the ego as in `code_accounts`."""
    degree, row_count = np.zeros(1, np.int64), 0
    for pair in ends:
        row_count += len(pair[0])
        for codes in pair:
            found = np.bincount(codes, minlength=len(degree))
            found[: len(degree)] += degree
            degree = found.astype(np.int64, copy=False)
    heaviest = int(degree.argmax())
    is_ego = int((degree > 0).sum()) > 3 and int(degree[heaviest]) * 2 >= row_count
    is_ego = is_ego and int((degree == degree[heaviest]).sum()) == 1
    return Degrees(row_count, degree, heaviest if is_ego else -1)


class Whitener:
    """Rows where the information is the identity: z, residual w(y − p), curvature w p(1 − p)."""

    def __init__(self, model: StreamedLogit, rows: Rows) -> None:
        self.mean, scale = model.mean_, model.scale_
        slopes = model.coef_[0]
        self.beta = np.r_[model.intercept_[0] + slopes @ self.mean, slopes]
        unit = np.r_[1.0, 1.0 / scale]
        sums = sum_rows(rows, self.beta / unit, self.mean, scale, model.threads)
        self.root = cov.inverse_root(sums.information)
        self.whiten = unit[:, None] * self.root
        self.back = np.diag(unit)
        self.back[0, 1:] = -self.mean / scale

    def __call__(self, block: RowBlock, chosen: Any = slice(None)) -> tuple[FloatArray, ...]:
        """Return z, residuals and curvatures of (some) rows of a block."""
        design = np.empty((len(self.beta), len(block.outcome[chosen])))
        design[0] = 1.0
        np.subtract(block.values[:, chosen], self.mean[:, None], out=design[1:])
        probability = expit(self.beta @ design)
        weight = 1.0 if block.weight is None else block.weight[chosen]
        residual = weight * (block.outcome[chosen] - probability)
        return design.T @ self.whiten, residual, weight * probability * (1.0 - probability)


@dataclass(frozen=True)
class _Entries:
    """Which rows of a block touch which account: `row[first[k]:first[k + 1]]` touch `code[k]`."""

    code: IntArray
    first: IntArray
    row: IntArray

    def add_up(self, values: FloatArray, factor: FloatArray) -> FloatArray:
        """Return the sum of factor · values for each account, factors one an entry."""
        shape = len(self.code), len(values)
        sums = sparse.csr_array((factor, self.row, self.first), shape=shape) @ values
        return np.asarray(sums, np.float64)


def _list_entries(block: RowBlock, low: int, wanted: FlagArray) -> _Entries:
    """Return the entries of wanted accounts, whose codes begin at `low`, in the order of rows."""
    assert block.initiator is not None
    assert block.decider is not None
    code = np.concatenate([block.initiator, block.decider]) - low
    count = len(block.outcome)
    place = np.arange(2 * count)
    inside = (code >= 0) & (code < len(wanted))
    inside[inside] = wanted[code[inside]]
    # Code and place in one number: sorting numbers is far faster than sorting places by code.
    key = np.sort((code[inside] << PLACE_BITS) | place[inside])
    code, row = key >> PLACE_BITS, (key & ((1 << PLACE_BITS) - 1)) % count
    first = np.flatnonzero(np.r_[True, code[1:] != code[:-1]]) if len(code) else code
    return _Entries(code[first], np.r_[first, len(code)].astype(np.int64), row)


def sum_accounts(
    rows: Rows, whitener: Whitener, degrees: Degrees, kind: Kind, memory_mb: int, threads: int
) -> FloatArray:
    """Return Σ d_v d_vᵀ over accounts, a range of them at a time."""
    size = len(whitener.beta)
    meat = np.zeros((size, size))
    most = max(int(memory_mb * 1e6) // (24 * size), 1)
    for low in range(0, len(degrees.degree), most):
        kept = degrees.is_kept[low : low + most]
        moves = _AccountMoves(rows, whitener, low, kept, threads)
        busy = np.zeros_like(kept)
        if kind == "dyadic_cr3":
            # The busiest first; ties fall to the lower code.
            order = np.argsort(-degrees.degree[low : low + most], kind="stable")
            busy[order[: max(PART_NUMBERS // size**2, 1)]] = True
        d = moves.find(busy & kept) if kind == "dyadic_cr3" else moves.add_scores(busy)[0]
        meat += d.T @ d
    return meat


class _AccountMoves:
    """(I − M_v)⁻¹ g_v of the accounts whose codes begin at `low`."""

    def __init__(
        self, rows: Rows, whitener: Whitener, low: int, kept: FlagArray, threads: int
    ) -> None:
        self.rows, self.whitener, self.low, self.kept = rows, whitener, low, kept
        self.threads, self.size = threads, len(whitener.beta)

    def find(self, busy: FlagArray) -> FloatArray:
        """Return d_v for every account; those of `busy` by solving, the others by the series."""
        moves, trace, parts = self.add_scores(busy)
        large = self.kept & ~busy & (trace > LARGE_TRACE)
        if large.any():
            # Traces add up to 2p, so that there are few such accounts however many there are.
            busy = busy | large
            moves, trace, parts = self.add_scores(busy)
        series = self.kept & ~busy
        moves[busy] = cov.solve_blocks(parts, moves[busy])
        term = moves
        for power in range(1, 60):
            active = series & (trace**power > NEGLIGIBLE)
            if not active.any():
                break
            term = self._apply_parts(term, active)
            moves = moves + term if power == 1 else np.add(moves, term, out=moves)
        return moves

    def add_scores(self, busy: FlagArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return g_v and the trace of M_v of each account, and M_v of the busy ones."""
        slot = np.cumsum(busy) - 1

        def work(block: RowBlock) -> tuple[Any, ...]:
            z, residual, curvature = self.whitener(block)
            entries = _list_entries(block, self.low, self.kept)
            sums = entries.add_up(z, residual[entries.row])
            length = (curvature * np.einsum("ij,ij->i", z, z))[:, None]
            traces = entries.add_up(length, np.ones(len(entries.row)))[:, 0]
            here = np.flatnonzero(busy[entries.code])
            return (
                entries.code,
                sums,
                traces,
                slot[entries.code[here]],
                _outer_sums(z, curvature, entries, here),
            )

        g, trace = np.zeros((len(self.kept), self.size)), np.zeros(len(self.kept))
        parts = np.zeros((int(busy.sum()), self.size, self.size))
        for code, sums, traces, slots, part in map_blocks(work, self.rows.blocks(), self.threads):
            g[code] += sums
            trace[code] += traces
            parts[slots] += part
        return g, trace, parts

    def _apply_parts(self, term: FloatArray, active: FlagArray) -> FloatArray:
        """Return M_v t_v for active accounts, 0 for others."""

        def work(block: RowBlock) -> tuple[IntArray, FloatArray]:
            entries = _list_entries(block, self.low, active)
            if not len(entries.code):
                return entries.code, np.zeros((0, self.size))
            chosen, place = _compress(entries.row, len(block.outcome))
            z, _, curvature = self.whitener(block, chosen)
            entries = _Entries(entries.code, entries.first, place)
            owner = np.repeat(entries.code, np.diff(entries.first))
            factor = np.empty(len(place))
            for begin in range(0, len(place), OUTER_ROWS):
                part = slice(begin, begin + OUTER_ROWS)
                factor[part] = np.einsum("ij,ij->i", z[place[part]], term[owner[part]])
            return entries.code, entries.add_up(z, factor * curvature[place])

        applied = np.zeros_like(term)
        for code, sums in map_blocks(work, self.rows.blocks(), self.threads):
            applied[code] += sums
        return applied


def _compress(row: IntArray, count: int) -> tuple[Any, IntArray]:
    """Return which rows of a block are needed, and where each entry's row is among them."""
    is_used = np.zeros(count, bool)
    is_used[row] = True
    if is_used.all():
        return slice(None), row
    return np.flatnonzero(is_used), (np.cumsum(is_used) - 1)[row]


def _outer_sums(
    z: FloatArray, curvature: FloatArray, entries: _Entries, here: IntArray
) -> FloatArray:
    """Return Σ c z zᵀ for the accounts at places `here` of a block's entries."""
    size = z.shape[1]
    sums = np.empty((len(here), size, size))
    begin, end = entries.first[here], entries.first[here + 1]
    is_long = end - begin >= LONG_RUN
    for k in np.flatnonzero(is_long):
        rows = entries.row[begin[k] : end[k]]
        sums[k] = (z[rows] * curvature[rows, None]).T @ z[rows]
    short = np.flatnonzero(~is_long)
    lengths = (end - begin)[short]
    for part in _split(short, lengths):
        counts = (end - begin)[part]
        offsets = np.cumsum(counts) - counts
        place = np.repeat(begin[part] - offsets, counts) + np.arange(int(counts.sum()))
        rows = entries.row[place]
        sums[part] = _outer(z[rows], curvature[rows], offsets)
    return sums


def _outer(z: FloatArray, curvature: FloatArray, begins: IntArray) -> FloatArray:
    outer = (z * curvature[:, None])[:, :, None] * z[:, None, :]
    return np.asarray(np.add.reduceat(outer, begins, axis=0), np.float64)


def _split(groups: IntArray, lengths: IntArray) -> Iterator[IntArray]:
    """Yield runs of groups with about `OUTER_ROWS` rows together."""
    if len(groups):
        bins = np.cumsum(lengths) // OUTER_ROWS
        yield from np.split(groups, np.flatnonzero(np.diff(bins)) + 1)


def sum_pairs(rows: Rows, whitener: Whitener, ego: int, kind: Kind, threads: int) -> FloatArray:
    """Return Σ d_p d_pᵀ over unordered pairs without the account that errors are conditioned on.

    As if each row were a pair of its own, put right for the pairs with two rows and more.
    """

    def work(block: RowBlock) -> FloatArray:
        assert block.initiator is not None
        shared = (block.initiator != ego) & (block.decider != ego)
        z, residual, curvature = whitener(block, slice(None) if shared.all() else shared)
        moves = _move_singles(z, residual, curvature, kind)
        return moves.T @ moves

    def correct(block: RowBlock) -> FloatArray:
        z, residual, curvature = whitener(block)
        single = _move_singles(z, residual, curvature, kind)
        moves = _move_groups(z, residual, curvature, _find_begins(block), kind)
        return moves.T @ moves - single.T @ single

    size = len(whitener.beta)
    total = np.zeros((size, size))
    for part in map_blocks(work, rows.blocks(), threads):
        total += part
    for part in map_blocks(correct, rows.repeated_pairs(ego), threads):
        total += part
    return total


def _find_begins(block: RowBlock) -> IntArray:
    """Return where each unordered pair begins, in rows that are sorted by pair."""
    assert block.initiator is not None
    assert block.decider is not None
    low = np.minimum(block.initiator, block.decider)
    high = np.maximum(block.initiator, block.decider)
    is_new = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    return np.flatnonzero(np.r_[True, is_new])


def _move_singles(
    z: FloatArray, residual: FloatArray, curvature: FloatArray, kind: Kind
) -> FloatArray:
    """Return (I − M)⁻¹ g of groups of one row (Sherman & Morrison)."""
    if kind == "dyadic":
        return z * residual[:, None]
    left = 1.0 - curvature * np.einsum("ij,ij->i", z, z)
    safe = np.where(left > cov.SINGULAR, 1.0 / np.maximum(left, cov.SINGULAR), 0.0)
    return z * (residual * safe)[:, None]


def _move_groups(
    z: FloatArray, residual: FloatArray, curvature: FloatArray, begins: IntArray, kind: Kind
) -> FloatArray:
    """Return (I − M)⁻¹ g of groups of rows; of two rows, nearly all, from a 2 × 2 system."""
    scores = np.add.reduceat(z * residual[:, None], begins, axis=0)
    if kind == "dyadic":
        return np.asarray(scores, np.float64)
    counts = np.diff(np.r_[begins, len(z)])
    moves = np.empty((len(begins), z.shape[1]))
    length = curvature * np.einsum("ij,ij->i", z, z)
    is_easy = (counts == 2) & (np.add.reduceat(length, begins) < 0.9)
    one, two = begins[is_easy], begins[is_easy] + 1
    # (I − ZᵀCZ)⁻¹ Zᵀr = Zᵀ (I − C Z Zᵀ)⁻¹ r.
    cross = np.einsum("ij,ij->i", z[one], z[two])
    a, b = 1.0 - length[one], 1.0 - length[two]
    off_one, off_two = curvature[one] * cross, curvature[two] * cross
    whole = a * b - off_one * off_two
    first = (b * residual[one] + off_one * residual[two]) / whole
    second = (a * residual[two] + off_two * residual[one]) / whole
    moves[is_easy] = z[one] * first[:, None] + z[two] * second[:, None]
    for part in _split(np.flatnonzero(~is_easy), counts[~is_easy]):
        offsets = np.cumsum(counts[part]) - counts[part]
        rows = np.repeat(begins[part] - offsets, counts[part]) + np.arange(int(counts[part].sum()))
        moves[part] = cov.solve_blocks(_outer(z[rows], curvature[rows], offsets), scores[part])
    return moves
