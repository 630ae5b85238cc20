"""Who follows an account: how large, how engaged, and about what its audience is.

Everything is taken from the ties that stand at the end of a block. They hold no tie between the
pair of a dyad, so B is never among A's followers there, nor A among B's.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from followkit.features.blocks import Block
from followkit.features.context import ACT_KINDS
from followkit.features.liking import sum_products
from followkit.features.pooling import shrink_to_pool
from followkit.features.records import SHRINKAGE
from followkit.features.ties import DAY_US, IntArray

FloatArray = npt.NDArray[np.float64]

#: Days before the end of a block in which an act counts as recent.
RECENT_DAYS = 90
#: Steps follower of follower that are looked at together, so that memory stays bounded.
STEP_CHUNK = 4_000_000


def mark_followers(block: Block) -> sparse.csr_array:
    """Return accounts × accounts, 1 where the second follows the first."""

    def make() -> sparse.csr_array:
        graph = block.graph
        shape = (graph.node_count, graph.node_count)
        return sparse.csr_array((np.ones(len(graph.source)), (graph.target, graph.source)), shape)

    marks: sparse.csr_array = block.cached("followers", make)
    return marks


def find_recent_acts(block: Block) -> pd.DataFrame:
    """Return the acts of `ACT_KINDS` of the last 90 days of a block; of any time in a snapshot."""
    acts = block.text.acts
    recent = acts["kind"].isin(ACT_KINDS).to_numpy(dtype=bool)
    if block.text.end_us is not None:
        recent = recent & (acts["at_us"].to_numpy() >= block.text.end_us - RECENT_DAYS * DAY_US)
    return acts[recent]


# -- how large -------------------------------------------------------------------------------------


def two_step_reach(block: Block) -> FloatArray:
    """Return how many accounts but A and B follow A or one of A's followers."""
    followers = mark_followers(block)
    reached = np.zeros(len(block.pairs))
    for places, row, reach in _walk_twice(followers, block.node("initiator")):
        decider = block.node("decider")[places]
        size = np.diff(reach.indptr).astype(np.float64)
        width = reach.shape[1] + 1
        rows = np.repeat(np.arange(reach.shape[0]), np.diff(reach.indptr))
        # A follows some of its followers, and B may: neither is reach of A for B.
        is_in = np.isin(row * width + decider, rows * width + reach.indices) & (decider >= 0)
        reached[places] = size[row] - is_in
    return reached


def _walk_twice(
    followers: sparse.csr_array, node: IntArray
) -> Iterator[tuple[IntArray, IntArray, sparse.csr_array]]:
    """Yield dyads, their rows, and rows × accounts within two steps but the account itself."""
    known = np.unique(node[node >= 0])
    work = np.asarray(followers @ np.diff(followers.indptr).astype(np.float64))[known]
    part = np.cumsum(work) // STEP_CHUNK
    for number in np.unique(part):
        chosen = known[part == number]
        first = followers[chosen]
        both = sparse.csr_array(first + first @ followers).tocoo()
        others = both.col != chosen[both.row]
        marks = (np.ones(int(others.sum())), (both.row[others], both.col[others]))
        places = np.flatnonzero(np.isin(node, chosen))
        yield places, np.searchsorted(chosen, node[places]), sparse.csr_array(marks, both.shape)


# -- how engaged -----------------------------------------------------------------------------------


def engaged_followers_share(block: Block) -> FloatArray:
    """Return the share of A's followers who acted towards A of late, drawn to the pool."""
    return share_live_ties(block, block.graph.target)[block.node("initiator")]


def curation_share(block: Block) -> FloatArray:
    """Return the share of B's followees towards whom B acted of late, drawn to the pool."""
    return share_live_ties(block, block.graph.source)[block.node("decider")]


def share_live_ties(block: Block, ends: IntArray) -> FloatArray:
    """Return the share of each account's ties along which the follower acted of late.

    Parameters
    ----------
    block
        Its graph and acts.
    ends
        The account that each tie of the graph counts for: its source or its target.

    Returns
    -------
    numpy.ndarray
        One value a node, drawn to the pool, and last the pool's.
    """
    graph, acts = block.graph, find_recent_acts(block)
    size = graph.node_count
    actor, target = graph.code(acts["actor_id"]), graph.code(acts["target_id"])
    known = (actor >= 0) & (target >= 0)
    is_live = np.isin(graph.source * size + graph.target, actor[known] * size + target[known])
    live, everyone = (
        np.bincount(ends[keep], minlength=size).astype(np.float64)
        for keep in (is_live, slice(None))
    )
    return shrink_to_pool(live, everyone)


def acts_with_circle_log(block: Block) -> FloatArray:
    """Return log(1 + recent acts between A and the accounts that B follows, both ways)."""
    graph, acts = block.graph, find_recent_acts(block)
    initiators = pd.Index(block.ids("initiator").unique())
    rows, columns, amounts = [], [], []
    for mine, other in (("actor_id", "target_id"), ("target_id", "actor_id")):
        row, column = initiators.get_indexer(pd.Index(acts[mine])), graph.code(acts[other])
        known = (row >= 0) & (column >= 0)
        rows.append(row[known])
        columns.append(column[known])
        amounts.append(acts["amount"].to_numpy(np.float64)[known])
    cells = np.concatenate(rows), np.concatenate(columns)
    shape = (len(initiators), graph.node_count)
    contact = sparse.csr_array((np.concatenate(amounts), cells), shape=shape)
    followees = sparse.csr_array(mark_followers(block).T)
    left = initiators.get_indexer(pd.Index(block.ids("initiator"))).astype(np.int64)
    right = block.node("decider")
    total, tied = np.zeros(len(left)), right >= 0
    total[tied] = sum_products(contact, left[tied], followees, right[tied])
    return np.log1p(total)


# -- about what ------------------------------------------------------------------------------------


def audience_topic_cosine(block: Block) -> FloatArray:
    """Return the cosine of the mean topic mixes of A's and of B's followers; 0 without."""
    mix = block.text.account_mix
    of_node = np.vstack([mix, np.zeros(mix.shape[1])])[block.node_account]
    return compare_audiences(block, of_node)


def audience_language_cosine(block: Block) -> FloatArray:
    """Return the cosine of the main languages of A's and of B's followers; 0 without."""
    return compare_audiences(block, mark_groups(block.text.main_language[block.node_account]))


def audience_location_cosine(block: Block, profiles: pd.DataFrame) -> FloatArray:
    """Return the cosine of the places of A's and of B's followers; 0 without, NaN unread."""
    places = profiles["location"].astype("string").str.strip().str.casefold()
    told = (places.fillna("") != "").to_numpy(dtype=bool)
    if not told.any():
        return np.full(len(block.pairs), np.nan)
    codes = pd.factorize(places[told], sort=True)[0]
    by_account = pd.Series(codes, profiles["account_id"][told])
    of_node = by_account.reindex(block.graph.nodes).fillna(-1).to_numpy(dtype=np.int64)
    return compare_audiences(block, mark_groups(of_node))


def mark_groups(group: IntArray) -> sparse.csr_array:
    """Return accounts × groups, 1 where an account is in the group; −1 is none.

    Examples
    --------
    >>> mark_groups(np.array([1, -1, 0])).toarray().tolist()
    [[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]]
    """
    told = np.flatnonzero(group >= 0)
    shape = (len(group), int(group.max(initial=0)) + 1)
    return sparse.csr_array((np.ones(len(told)), (told, group[told])), shape=shape)


def compare_audiences(block: Block, of_node: FloatArray | sparse.csr_array) -> FloatArray:
    """Return the cosine of the sums of a vector over A's and over B's followers.

    0 where either sum is. Cosines of sums are those of means.
    """
    sums = sparse.csr_array(mark_followers(block) @ of_node)
    left, right = block.node("initiator"), block.node("decider")
    tied = (left >= 0) & (right >= 0)
    values = np.zeros(len(left))
    places = np.arange(sums.shape[0])
    length = np.sqrt(sum_products(sums, places, sums, places))
    dots = sum_products(sums, left[tied], sums, right[tied])
    lengths = length[left[tied]] * length[right[tied]]
    values[tied] = np.divide(dots, lengths, out=np.zeros(len(dots)), where=lengths > 0)
    return np.clip(values, 0.0, 1.0)


def new_reach_log(block: Block) -> FloatArray:
    """Return log(1 + A's followers who do not follow B, each by B's taste for its topic).

    B's taste for a topic is its share among B's followers with words, drawn to that among the
    followers of everyone.
    """
    topic = np.append(block.text.main_topic, -1)[block.node_account]
    followers, topics = mark_followers(block), mark_groups(topic)
    counts = np.asarray((followers @ topics).toarray())
    taste = _share_topics(counts)
    left, right = block.node("initiator"), block.node("decider")
    total, tied = np.zeros(len(left)), left >= 0
    total[tied] = (counts[left[tied]] * taste[right[tied]]).sum(axis=1)
    # What B reaches already: its own followers, each with B's taste for the follower's topic.
    owner = np.repeat(np.arange(followers.shape[0]), np.diff(followers.indptr))
    whose = topic[followers.indices]
    weight = np.where(whose >= 0, taste[owner, whose], 0.0)
    reached = sparse.csr_array((weight, followers.indices, followers.indptr), followers.shape)
    both = tied & (right >= 0)
    total[both] -= sum_products(followers, left[both], reached, right[both])
    return np.log1p(np.maximum(total, 0.0))


def _share_topics(counts: FloatArray) -> FloatArray:
    """Return (n_k + 10 p_k) / (n + 10) of accounts × topics; last, p for accounts without ties."""
    everything = counts.sum()
    pool = counts.sum(axis=0) / everything if everything else np.zeros(counts.shape[1])
    shares = (counts + SHRINKAGE * pool) / (counts.sum(axis=1)[:, None] + SHRINKAGE)
    return np.vstack([shares, pool])
