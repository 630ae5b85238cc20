"""Triads around a dyad by how many of their other two ties are mutual.

An account x tied to both A and B closes a triad. In balance theory a triad with two mutual ties
asks for a third; one with a single mutual tie asks for none. Only ties to x are looked at, never
those between A and B, so the counts are what a triad factor of Hopcroft, Lou & Tang (2011,
doi:10.1145/2063576.2063740) sees once the labels of the other ties are given. Ties are those that
stand at the end of the last 28-day block before t, or on the graph without the dyad's fold.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from followkit.features.blocks import Block
from followkit.features.claim import Claim
from followkit.features.context import FeatureFunction, FloatArray, of_blocks
from followkit.features.feature import Feature, Product, graph_feature
from followkit.features.liking import sum_products
from followkit.features.literature import HOPCROFT

#: Name of each kind of triad, by how many of its ties to x are mutual, with its words.
KINDS = {
    "dyad_mutual_triads_log": ("mutual", 1, "both of its ties to them are mutual"),
    "dyad_half_mutual_triads_log": ("half", 0, "exactly one of its ties to them is mutual"),
    "dyad_one_way_triads_log": ("one_way", 0, "neither of its ties to them is mutual"),
}
LABELS = {
    "mutual": "shared neighbours with two mutual ties",
    "half": "shared neighbours with one mutual tie",
    "one_way": "shared neighbours with one-way ties only",
}


def count_triads(block: Block) -> dict[str, FloatArray]:
    """Return for each dyad of a block the accounts tied to both, by kind: mutual, half, one_way.

    The three add up to the distinct accounts tied, in any direction, to initiator and decider.
    """
    graph = block.graph
    left, right = block.node("initiator"), block.node("decider")
    counts = {kind: np.zeros(len(left)) for kind in LABELS}
    known = np.flatnonzero((left >= 0) & (right >= 0))
    if not len(known):
        return counts
    shape = (graph.node_count, graph.node_count)
    ties = sparse.csr_array((np.ones(len(graph.source)), (graph.source, graph.target)), shape=shape)
    back = sparse.csr_array(ties.T)
    mutual = sparse.csr_array(ties.multiply(back))
    one_way = sparse.csr_array(ties + back - 2 * mutual)
    a, b = left[known], right[known]
    counts["mutual"][known] = sum_products(mutual, a, mutual, b)
    counts["half"][known] = sum_products(mutual, a, one_way, b)
    counts["half"][known] += sum_products(one_way, a, mutual, b)
    counts["one_way"][known] = sum_products(one_way, a, one_way, b)
    return counts


def _triads_log(kind: str) -> FeatureFunction:
    """Return the feature log(1 + triads of one kind)."""

    def compute(block: Block) -> FloatArray:
        counts = block.cached("triads", lambda: count_triads(block))
        return np.log1p(np.asarray(counts[kind], dtype=np.float64))

    return of_blocks(compute, needs_posts=False)


FEATURES: dict[str, FeatureFunction] = {name: _triads_log(kind) for name, (kind, *_) in
                                        KINDS.items()}  # fmt: skip

ENTRIES: tuple[Feature, ...] = tuple(
    graph_feature(
        name,
        "4c",
        sign,
        LABELS[kind],
        f"log(1 + number of x tied in any direction to both accounts where {words}); ties that "
        "stand at the end of the last 28-day block before t, without the pair's own",
        in_model=False,
        source=HOPCROFT,
    )
    for name, (kind, sign, words) in KINDS.items()
)

PRODUCTS: tuple[Product, ...] = ()

CLAIMS: tuple[Claim, ...] = ()
