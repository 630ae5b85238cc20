"""Blocks of 28 days: what fitted features may know, refitted at the end of each.

Blocks are counted from 1970-01-01 UTC, so that no data can move them. A dyad uses the last block
that ends before its t. At a crawl and in a snapshot there is one moment; fits on the graph then
leave out the ties of all pairs of the dyad's fold.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit.communities import find_communities, page_rank
from followkit.features.feature import Side
from followkit.features.memo import Memo
from followkit.features.texts import TextBlock
from followkit.features.ties import DAY_US, IntArray
from followkit.graph import FollowGraph, count_degrees, make_graph

FloatArray = npt.NDArray[np.float64]
BLOCK_DAYS = 28


def find_block_ends(at_us: IntArray) -> IntArray:
    """Return the end of the last whole 28-day block before each moment.

    Examples
    --------
    >>> day = 86_400_000_000
    >>> (find_block_ends(np.array([28 * day, 28 * day + 1, 57 * day])) // day).tolist()
    [0, 28, 56]
    """
    block_us = BLOCK_DAYS * DAY_US
    ends: IntArray = (at_us - 1) // block_us * block_us
    return ends


class Block(Memo):
    """One block's dyads, and the texts and ties that they may use.

    Attributes
    ----------
    rows
        Places of the dyads in the context.
    pairs
        initiator_id, decider_id and at of those dyads.
    text
        Posts and acts before the block's end (`followkit.features.texts.TextBlock`).
    ties
        follower_id, followee_id: what stands at the end of the block; at a crawl and in a snapshot,
        without any tie of the fold's pairs.
    """

    def __init__(
        self, rows: IntArray, pairs: pd.DataFrame, text: TextBlock, ties: pd.DataFrame
    ) -> None:
        self.rows, self.pairs, self.text, self.ties = rows, pairs, text, ties

    def ids(self, side: Side) -> pd.Series:
        """Return the accounts of one side of the block's dyads."""
        return self.pairs[f"{side}_id"]

    @cached_property
    def graph(self) -> FollowGraph:
        """The follow graph of `ties`; accounts without a tie are not in it (code −1)."""
        return make_graph(self.ties["follower_id"], self.ties["followee_id"])

    def node(self, side: Side) -> IntArray:
        """Return the codes of one side's accounts in `graph`; −1 without a tie."""
        return self.graph.code(self.ids(side))

    def at_node(self, values: FloatArray, side: Side, *, missing: float = np.nan) -> FloatArray:
        """Return a value per node for one side of the dyads."""
        return np.append(np.asarray(values, dtype=np.float64), missing)[self.node(side)]

    @cached_property
    def degrees(self) -> tuple[IntArray, IntArray]:
        """(followees, followers) of every node of `graph`."""
        return count_degrees(self.graph, np.arange(self.graph.node_count))

    @cached_property
    def communities(self) -> IntArray:
        """The community of every node of `graph` (Louvain, seeded)."""
        return find_communities(self.graph.source, self.graph.target, self.graph.node_count)

    @cached_property
    def page_rank(self) -> FloatArray:
        """PageRank of every node of `graph`, times the number of nodes (1: average)."""
        return page_rank(self.graph.source, self.graph.target, self.graph.node_count)

    @cached_property
    def node_account(self) -> IntArray:
        """The code in `text` of every node's account; −1 for one without posts."""
        return self.text.code(pd.Series(self.graph.nodes))
