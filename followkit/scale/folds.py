"""Folds of pairs: features of a dyad are then counted on the graph without its own fold.

Both ties of a pair share a fold, so that neither can be read back from what is left.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from followkit.errors import InputError
from followkit.scale.csr import (
    CodeArray,
    Engine,
    PairGraph,
    count_cores,
    load_kernels,
    owners_of,
    split_work,
)
from followkit.scale.hashing import HASH_PRIME, make_code_folds

FoldArray = npt.NDArray[np.uint8]

FOLD_COUNT = 5
#: Slots that are hashed at a time.
CHUNK = 4_000_000


def make_pair_folds(
    graph: PairGraph, *, seed: int, fold_count: int = FOLD_COUNT, keys: Any = None
) -> FoldArray:
    """Return the fold of every slot (unordered pair), that of `hashing.make_code_folds`.

    Parameters
    ----------
    graph
        The graph; folds follow its slots, see `folds_of_ties`.
    seed
        The key of the hash.
    fold_count
        2 to 200.
    keys
        A whole number for each account, made from its id, if folds shall not depend on the codes
        (which change with the data). Without it the code.

    Returns
    -------
    numpy.ndarray
        uint8, one a slot.

    Raises
    ------
    InputError
        If `fold_count` is out of range.

    Examples
    --------
    >>> from followkit.scale.csr import make_pair_graph
    >>> graph = make_pair_graph([0, 1, 1], [1, 0, 2])
    >>> folds = folds_of_ties(graph, make_pair_folds(graph, seed=1))
    >>> bool(folds[0] == folds[1])
    True
    """
    if not 2 <= fold_count <= 200:
        raise InputError(f"fold_count: 2 to 200 folds are possible; got {fold_count}")
    numbers = np.arange(graph.node_count) if keys is None else np.asarray(keys)
    # Larger keys are taken modulo the prime of the hash, as the hash itself would.
    words = (numbers.astype(np.uint64, copy=False) % np.uint64(HASH_PRIME)).astype(np.int64)
    if graph.place is not None:
        inner = np.empty_like(words)
        inner[graph.place] = words
        words = inner
    result = np.empty(graph.pair_count, dtype=np.uint8)
    for begin in range(0, graph.pair_count, CHUNK):
        part = slice(begin, begin + CHUNK)
        one = words[graph.lower[part] >> 2]
        two = words[owners_of(graph, begin, min(begin + CHUNK, graph.pair_count))]
        result[part] = make_code_folds(one, two, seed=seed, fold_count=fold_count)
    return result


def folds_of_ties(graph: PairGraph, folds: FoldArray) -> FoldArray:
    """Return the fold of every tie, given that of every slot."""
    return folds[graph.tie_slot >> 1]


def tally_folds(
    graph: PairGraph, folds: FoldArray | None, fold_count: int, engine: Engine
) -> CodeArray:
    """Return ties out, ties in and neighbours of each inner account by fold of the pair."""
    width = 1 if folds is None else fold_count
    fold = np.zeros(graph.pair_count, np.uint8) if folds is None else folds
    if len(fold) and int(fold.max()) >= width:
        raise InputError(f"folds: they must lie from 0 to {width - 1}; found {int(fold.max())}")
    tallies = np.zeros((graph.node_count, width, 3), dtype=np.int32)
    if kernels := load_kernels(engine, graph.tie_count):
        bounds = split_work(graph.neighbour_count, count_cores())
        kernels("count_folds")(graph.first, graph.lower, fold, bounds, tallies)
        return tallies
    owner, other = owners_of(graph, 0, graph.pair_count), graph.lower >> 2
    there, back = graph.lower & 1, (graph.lower >> 1) & 1
    one = np.ones_like(there)
    sides = ((owner, (there, back, one)), (other, (back, there, one)))
    for node, values in sides:
        for place, value in enumerate(values):
            np.add.at(tallies[:, :, place], (node, fold), value)
    return tallies
