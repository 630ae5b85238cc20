"""What deciders did, with nothing of their initiator's: likes and ties, pair by pair."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from followkit.features.context import FloatArray
from followkit.features.texts import TextBlock
from followkit.features.ties import IntArray
from followkit.text import PAIR_CHUNK


def find_liked(text: TextBlock, kinds: Sequence[str]) -> pd.DataFrame:
    """Return who liked which post of others: actor_id, owner_id, post; each once."""
    acts = text.acts_on_posts(kinds)
    liked = pd.DataFrame(
        {"actor_id": acts["actor_id"], "owner_id": text.ids[acts["owner"]], "post": acts["post"]}
    )
    return liked.drop_duplicates(["actor_id", "post"], ignore_index=True)


def gather_events(
    pairs: pd.DataFrame, events: pd.DataFrame, size: int
) -> tuple[IntArray, sparse.csr_array]:
    """Return for each dyad its row, and rows × items: what its decider did but to its initiator.

    Parameters
    ----------
    pairs
        initiator_id and decider_id.
    events
        actor_id, owner_id (whose item it is) and item (0 to size − 1).

    Examples
    --------
    >>> pairs = pd.DataFrame({"initiator_id": ["a", "c"], "decider_id": ["b", "b"]})
    >>> likes = pd.DataFrame({"actor_id": ["b", "b"], "owner_id": ["a", "d"], "item": [0, 1]})
    >>> row, did = gather_events(pairs, likes, 2)
    >>> did.toarray()[row].tolist()
    [[0.0, 1.0], [1.0, 1.0]]
    """
    known = pd.Index(pd.concat([pairs["initiator_id"], pairs["decider_id"]]).unique())
    initiator, decider, actor, owner = (
        known.get_indexer(pd.Index(ids)).astype(np.int64)
        for ids in (pairs["initiator_id"], pairs["decider_id"], events["actor_id"],
                    events["owner_id"])
    )  # fmt: skip
    deciders, row = np.unique(decider, return_inverse=True)
    place = np.full(len(known) + 1, -1, dtype=np.int64)
    place[deciders] = np.arange(len(deciders))
    told = pd.DataFrame({"actor": actor, "owner": owner, "item": events["item"].to_numpy(np.int64)})
    told = told[place[actor] >= 0]
    # Few deciders had anything to do with their initiator: only those pairs get their own row.
    width = len(known) + 1
    met = np.isin(decider * width + initiator, told["actor"] * width + told["owner"])
    own = np.flatnonzero(met)
    row[own] = len(deciders) + np.arange(len(own))
    chosen = pd.DataFrame({"actor": decider[own], "initiator": initiator[own], "row": row[own]})
    chosen = chosen.merge(told, on="actor")
    chosen = chosen[chosen["owner"] != chosen["initiator"]]
    rows = np.concatenate([place[told["actor"]], chosen["row"]])
    items = np.concatenate([told["item"], chosen["item"]])
    shape = (len(deciders) + len(own), size)
    return row.astype(np.int64), sparse.csr_array((np.ones(len(rows)), (rows, items)), shape=shape)


def sum_products(
    left: sparse.csr_array, rows_left: IntArray, right: sparse.csr_array, rows_right: IntArray
) -> FloatArray:
    """Return the dot product of a row of one matrix and one of another, pair by pair.

    Examples
    --------
    >>> matrix = sparse.csr_array([[1.0, 2.0], [3.0, 0.0]])
    >>> sum_products(matrix, np.array([0, 1]), matrix, np.array([1, 1])).tolist()
    [3.0, 9.0]
    """
    values = np.zeros(len(rows_left))
    for start in range(0, len(values), PAIR_CHUNK):
        part = slice(start, start + PAIR_CHUNK)
        product = left[rows_left[part]].multiply(right[rows_right[part]])
        values[part] = product.sum(axis=1)
    return values
