"""What the pair kernels and their NumPy twin read beside the adjacency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from followkit.errors import InputError
from followkit.scale.csr import CodeArray, Engine, IntArray, PairGraph, TiedTimes
from followkit.scale.folds import FoldArray, tally_folds

#: 1 / log d in whole steps: sums are exact in any order. A term is off by at most 2⁻⁴¹.
STEP_BITS = 40
#: With more neighbours in common than this a sum might not fit 63 bits.
MOST_SHARED = int(2 ** (63 - STEP_BITS) * np.log(2))
STATIC, MASKED, ASOF = 0, 1, 2

NO_TIMES = TiedTimes(np.zeros(0, np.int32), np.zeros((0, 3), np.int64), np.zeros(0, np.int32))


@dataclass(frozen=True)
class View:
    """What the kernels read beside the adjacency; arrays that a mode does not need are empty."""

    mode: int
    weight: IntArray
    degree: CodeArray
    fold: FoldArray
    by_fold: CodeArray
    pair_rank: CodeArray
    tied: TiedTimes

    @property
    def arrays(self) -> tuple[Any, ...]:
        """The arrays in the order in which kernels take them."""
        return self.weight, self.degree, self.fold, self.by_fold, self.pair_rank, *self.tied.arrays


def make_view(
    graph: PairGraph, asof: bool, folds: FoldArray | None, fold_count: int, engine: Engine
) -> View:
    """Return the view that is asked for.

    Raises
    ------
    InputError
        If two views are asked for, what one needs is missing, or an account is too busy.
    """
    if asof and folds is not None:
        raise InputError("folds: a dyad is seen as of its moment or without its fold, not both")
    if asof:
        need_times(graph)
    if folds is not None and len(folds) != graph.pair_count:
        raise InputError(f"folds: {graph.pair_count:,} slots have {len(folds):,} folds")
    degree = graph.neighbour_count
    most = int(degree.max()) if len(degree) else 0
    if most > MOST_SHARED:
        raise InputError(f"ties: an account has {most:,} neighbours; {MOST_SHARED:,} are possible")
    weight = np.rint(2.0**STEP_BITS / np.log(np.maximum(np.arange(most + 2), 2))).astype(np.int64)
    by_fold = np.zeros((0, 0), dtype=np.int32)
    if folds is not None:
        near = tally_folds(graph, folds, fold_count, engine)[:, :, 2]
        by_fold = near.sum(axis=1, keepdims=True, dtype=np.int32) - near
    mode = ASOF if asof else STATIC if folds is None else MASKED
    ranks = graph.pair_rank if asof else None
    tied = graph.tied if asof else None
    return View(
        mode,
        weight,
        degree,
        np.zeros(0, np.uint8) if folds is None else np.asarray(folds, np.uint8),
        by_fold,
        np.zeros((0, 2), np.int32) if ranks is None else ranks,
        NO_TIMES if tied is None else tied,
    )


def need_times(graph: PairGraph) -> tuple[CodeArray, CodeArray]:
    """Return the ranks and the time order of the ties, or say that there are none."""
    if graph.rank is None or graph.order is None:
        raise InputError("at_us: the graph has no times, so nothing can be counted as of a moment")
    return graph.rank, graph.order
