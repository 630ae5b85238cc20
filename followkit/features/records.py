"""How often accounts answered and were answered, without anything that could tell this answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit.features.feature import Side
from followkit.features.ties import DAY_US, IntArray, make_history, to_times, to_us
from followkit.graph import FollowGraph, count_degrees, count_mutual
from followkit.timeline import count_before

FloatArray = npt.NDArray[np.float64]

#: A share of k in n is drawn to the pool's p as by ten more cases: (k + 10 p) / (n + 10).
SHRINKAGE = 10.0


@dataclass(frozen=True)
class Record:
    """An account's follows received (or made), those answered, and the pooled rate as of t."""

    received: IntArray
    answered: IntArray
    pooled: FloatArray

    def shrunk(self) -> FloatArray:
        """Return (answered + 10 p) / (received + 10)."""
        return (self.answered + SHRINKAGE * self.pooled) / (self.received + SHRINKAGE)


def read_graph(
    graph: FollowGraph,
    codes: IntArray,
    own: tuple[IntArray, IntArray],
    side: Side,
) -> Record:
    """Return the record of accounts in a graph without times: its mutual ties are the answers.

    Parameters
    ----------
    graph, codes
        The graph and the nodes of the dyads' deciders, or initiators.
    own
        1 where A→B, and where B→A, is in the graph: the pair's own ties do not count.
    side
        Whose record: the follows received by deciders, or those made by initiators.
    """
    out, back = own
    both = out * back
    all_mutual = np.asarray(count_mutual(graph, np.arange(graph.node_count)), dtype=np.int64)
    received = np.asarray(count_degrees(graph, codes)[int(side == "decider")], np.int64) - out
    answered = all_mutual[codes] - both
    pooled = (int(all_mutual.sum()) - 2 * both + 1.0) / (len(graph.source) - out - back + 2.0)
    return Record(received, answered, np.asarray(pooled, dtype=np.float64))


def read_history(
    ties: pd.DataFrame,
    queries: pd.DataFrame,
    horizon_days: float,
    side: Side,
) -> Record:
    """Return the record of accounts (account_id, at): follows at least a horizon old.

    Received by them as deciders, or made by them as initiators.
    """
    history = make_history(ties, round(horizon_days * DAY_US))
    known_us = history["known_us"].to_numpy()
    answered = history["answered"].to_numpy()
    order = np.argsort(known_us, kind="stable")
    until = np.searchsorted(known_us[order], to_us(queries["at"]), side="left")
    totals = np.concatenate([[0], np.cumsum(answered[order])])
    pooled = (totals[until] + 1.0) / (until + 2.0)
    events = pd.DataFrame({"account_id": history[f"{side}_id"], "at": to_times(known_us)})
    yes = events[answered == 1]
    return Record(
        np.asarray(count_before(events, queries), dtype=np.int64),
        np.asarray(count_before(yes, queries), dtype=np.int64),
        pooled,
    )
