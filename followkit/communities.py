"""Communities and PageRank of a follow graph, the same whatever the accounts are called.

Louvain's result depends on the order in which nodes are visited, so nodes are first put in an order
that follows from the ties alone.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

DAMPING = 0.85
ROUNDS = 4


def find_communities(source: IntArray, target: IntArray, node_count: int) -> IntArray:
    """Return the community of each node: Louvain on ties taken both ways (mutual ones weigh 2).

    Communities are numbered by size, the largest first. Blondel, Guillaume, Lambiotte & Lefebvre
    (2008), doi:10.1088/1742-5468/2008/10/P10008.

    Examples
    --------
    >>> ring = [0, 1, 2, 3, 4, 5, 0], [1, 2, 0, 4, 5, 3, 3]
    >>> groups = find_communities(np.array(ring[0]), np.array(ring[1]), 6)
    >>> bool(groups[0] == groups[1] == groups[2] != groups[3] == groups[4] == groups[5])
    True
    """
    from sknetwork.clustering import Louvain

    if not len(source):
        return np.arange(node_count, dtype=np.int64)
    order = order_nodes(source, target, node_count)
    place = np.empty(node_count, dtype=np.int64)
    place[order] = np.arange(node_count)
    shape = (node_count, node_count)
    ones = np.ones(len(source), dtype=np.int64)
    ties = sparse.csr_matrix((ones, (place[source], place[target])), shape=shape)
    labels = Louvain(random_state=0, shuffle_nodes=False).fit_predict(ties + ties.T)
    return np.asarray(labels, dtype=np.int64)[place]


def order_nodes(source: IntArray, target: IntArray, node_count: int) -> IntArray:
    """Return the nodes in an order made from the ties alone.

    Each node's colour is refined by those of its followees and followers (Weisfeiler & Leman), in
    whole numbers whose sums do not depend on order; nodes are then sorted by colour. Nodes of equal
    colour are alike to the ties and stay in the order of their codes.

    Examples
    --------
    >>> order_nodes(np.array([0, 1]), np.array([2, 2]), 3).tolist() in ([0, 1, 2], [2, 0, 1])
    True
    """
    colour = np.ones(node_count, dtype=np.uint64)
    for round_ in range(ROUNDS):
        out, into = np.zeros(node_count, np.uint64), np.zeros(node_count, np.uint64)
        np.add.at(out, source, _mix(colour[target], 2 * round_ + 1))
        np.add.at(into, target, _mix(colour[source], 2 * round_ + 2))
        colour = _mix(colour, 97) + _mix(out, 98) + _mix(into, 99)
    return np.argsort(colour, kind="stable").astype(np.int64)


def _mix(values: npt.NDArray[np.uint64], salt: int) -> npt.NDArray[np.uint64]:
    """Scramble whole numbers (splitmix64), so that their sums tell multisets apart."""
    x = values + np.uint64((salt * 0x9E3779B97F4A7C15) % 2**64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)))


def page_rank(
    source: IntArray, target: IntArray, node_count: int, *, weights: FloatArray | None = None
) -> FloatArray:
    """Return PageRank times the number of nodes (1: average), damping .85.

    A follow passes rank to the followee. `weights` (one a node, not all 0) says where jumps land;
    everywhere alike without. Brin & Page (1998), doi:10.1016/S0169-7552(98)00110-X.

    Examples
    --------
    >>> page_rank(np.array([0, 1]), np.array([1, 0]), 2).round(6).tolist()
    [1.0, 1.0]
    """
    if not node_count:
        return np.zeros(0)
    jump = np.ones(node_count) if weights is None else np.asarray(weights, np.float64)
    jump = jump / jump.sum()
    degree = np.bincount(source, minlength=node_count)
    rank = jump.copy()
    for _ in range(200):
        given = np.divide(rank, degree, out=np.zeros(node_count), where=degree > 0)
        flow = np.bincount(target, weights=given[source], minlength=node_count)
        idle = rank[degree == 0].sum()
        fresh = DAMPING * (flow + idle * jump) + (1 - DAMPING) * jump
        moved = float(np.abs(fresh - rank).sum())
        rank = fresh
        if moved < 1e-13:
            break
    return rank * node_count
