"""PageRank of a whole follow graph, or cross-fitted: one for each fold, without the fold's ties."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from followkit.scale.csr import Engine, PairGraph, count_cores, load_kernels, split_work
from followkit.scale.folds import FOLD_COUNT, FoldArray, folds_of_ties, tally_folds

FloatArray = npt.NDArray[np.float64]

DAMPING = 0.85
ROUNDS = 200
#: A fold that no column leaves out.
NO_FOLD = 255


def rank_pages(
    graph: PairGraph,
    *,
    folds: FoldArray | None = None,
    fold_count: int = FOLD_COUNT,
    tolerance: float = 1e-10,
    threads: int | None = None,
    engine: Engine = "auto",
) -> FloatArray:
    """Return PageRank times the accounts with ties, one column a fold, each without its fold.

    All folds share one walk over the ties a round: a tie of fold f is missing from column f only.

    Parameters
    ----------
    graph, folds, fold_count
        The graph and the fold of each slot; without folds one column of the whole graph.
    tolerance
        Rounds end once the ranks (which sum to 1) move by less in all.
    threads, engine
        As in `make_pair_graph`; sums are in a fixed order, whatever the threads.

    Returns
    -------
    numpy.ndarray
        float64, accounts by folds, average 1; NaN for accounts without a tie outside the fold.

    Notes
    -----
    Brin & Page (1998), doi:10.1016/S0169-7552(98)00110-X; damping .85, jumps everywhere alike.

    Examples
    --------
    >>> from followkit.scale.csr import make_pair_graph
    >>> rank_pages(make_pair_graph([0, 1], [1, 0])).round(6).tolist()
    [[1.0], [1.0]]
    """
    tallies = tally_folds(graph, folds, fold_count, engine)
    left = tallies.sum(axis=1, keepdims=True, dtype=np.int32)
    # Without folds every tie is of a fold that has no column.
    rest = left - tallies if folds is not None else left
    out, is_here = rest[:, :, 0], rest[:, :, 2] > 0
    here = np.maximum(is_here.sum(axis=0), 1)
    slot_fold = np.full(graph.pair_count, NO_FOLD, np.uint8) if folds is None else folds
    walk = _choose_walk(graph, slot_fold, threads or count_cores(), engine)
    rank = is_here / here
    for _ in range(ROUNDS):
        given = np.divide(DAMPING * rank, out, out=np.zeros(rank.shape), where=out > 0)
        idle = np.where(out == 0, rank, 0.0).sum(axis=0)
        fresh = walk(given, (DAMPING * idle + 1.0 - DAMPING) / here)
        fresh *= is_here
        moved = float(np.abs(fresh - rank).sum(axis=0).max()) if len(rank) else 0.0
        rank = fresh
        if moved < tolerance:
            break
    rank = np.where(is_here, rank * here, np.nan)
    return rank if graph.place is None else rank[graph.place]


def _choose_walk(graph: PairGraph, fold: FoldArray, threads: int, engine: Engine) -> Any:
    """Return a function (given, rest) → fresh, one round of PageRank."""
    if kernels := load_kernels(engine, graph.tie_count):
        bounds = split_work(graph.neighbour_count + 4, threads)

        def walk(given: FloatArray, rest: FloatArray) -> FloatArray:
            fresh = np.empty_like(given)
            kernels("rank_round")(
                graph.first, graph.lower, graph.back_first, graph.back_node, graph.back_slot,
                fold, given, rest, fresh, bounds,
            )  # fmt: skip
            return fresh

        return walk
    source, target = graph.inner(graph.source), graph.inner(graph.target)
    tie_fold = folds_of_ties(graph, fold)

    def walk_numpy(given: FloatArray, rest: FloatArray) -> FloatArray:
        columns = []
        for column in range(given.shape[1]):
            flow = np.where(tie_fold == column, 0.0, given[source, column])
            columns.append(np.bincount(target, weights=flow, minlength=graph.node_count))
        return np.stack(columns, axis=1) + rest

    return walk_numpy
