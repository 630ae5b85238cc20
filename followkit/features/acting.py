"""What accounts did to posts of others: by topic, by pair, and as shares drawn to the pool."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit.features.blocks import Block, FloatArray
from followkit.features.pooling import ONE_EACH, shrink_to_pool
from followkit.features.records import SHRINKAGE
from followkit.features.selectivity import shrink_entropy
from followkit.features.texts import ENGAGEMENT_KINDS, TextBlock
from followkit.features.ties import IntArray


def list_told(text: TextBlock) -> pd.DataFrame:
    """Return acts on known posts of others that have words, with the post's main `topic`."""

    def make() -> pd.DataFrame:
        acts = text.acts_on_posts(ENGAGEMENT_KINDS)
        topic = text.topic[acts["post"].to_numpy(np.int64)]
        return acts.assign(topic=topic)[topic >= 0].reset_index(drop=True)

    told: pd.DataFrame = text.cached("told_acts", make)
    return told


def of_actors(
    block: Block,
    actor_ids: pd.Series,
    values: npt.ArrayLike,
    added: tuple[float, float] = ONE_EACH,
) -> FloatArray:
    """Return the mean of a value of the initiators' acts, drawn to the pool.

    Parameters
    ----------
    block
        Its pairs hold the initiators.
    actor_ids, values
        One entry an act: whose it is (with posts or without), and the value.
    added
        What the pool counts beside: the sum of so many values.
    """
    codes, known = pd.factorize(actor_ids)
    total = np.bincount(codes, np.asarray(values, dtype=np.float64), len(known))
    count = np.bincount(codes, minlength=len(known))
    shrunk = shrink_to_pool(total.astype(np.float64), count.astype(np.float64), added)
    return np.asarray(shrunk[_find(known, block)])


def _find(known: npt.ArrayLike, block: Block) -> IntArray:
    """Return the places of the initiators among these accounts, −1 for those not there."""
    found = pd.Index(known).get_indexer(pd.Index(block.ids("initiator")))
    return np.asarray(found, dtype=np.int64)


def match_pairs(block: Block, acts: pd.DataFrame) -> tuple[IntArray, IntArray, int]:
    """Return the group of each act (one a pair of actor and owner) and that of each dyad.

    Parameters
    ----------
    block
        Its pairs are the dyads.
    acts
        actor_id, and owner: the code of the account in the block's texts.

    Returns
    -------
    tuple
        Groups of the acts, groups of the dyads (the number of groups: no act), number of groups.
    """
    codes, known = pd.factorize(acts["actor_id"])
    size = len(block.text.ids) + 1
    keys, group = np.unique(codes * size + acts["owner"].to_numpy(np.int64), return_inverse=True)
    actor, owner = _find(known, block), block.text.code(block.ids("decider"))
    wanted = np.where((actor >= 0) & (owner >= 0), actor * size + owner, -1)
    found = pd.Index(keys).get_indexer(wanted).astype(np.int64)
    return group.astype(np.int64), np.where(found < 0, len(keys), found), len(keys)


def on_topic_share(block: Block) -> FloatArray:
    """Return the share of the initiators' acts on posts about the decider's main topic.

    Acts on posts of the decider itself are left out.
    """
    text = block.text
    told, width = list_told(text), text.topic_count
    amount, about = told["amount"].to_numpy(np.float64), told["topic"].to_numpy(np.int64)
    codes, known = pd.factorize(told["actor_id"])
    group, pair, pair_count = match_pairs(block, told)
    everything, to_decider = (
        np.bincount(row * width + about, amount, (rows + 1) * width).reshape(-1, width)
        for row, rows in ((codes, len(known)), (group, pair_count))
    )
    left = everything[_find(known, block)] - to_decider[pair]
    total = everything.sum(axis=0)
    pooled = (total + 1.0) / (total.sum() + width)
    topic = np.append(text.main_topic, -1)[text.code(block.ids("decider"))]
    share = (left[np.arange(len(topic)), topic] + SHRINKAGE * pooled[topic]) / (
        left.sum(axis=1) + SHRINKAGE
    )
    return np.where(topic >= 0, share, 0.0)


def acts_topic_entropy(block: Block) -> FloatArray:
    """Return the shrunk entropy of the main topics of the posts that the initiators acted on."""
    told = list_told(block.text)
    codes, known = pd.factorize(told["actor_id"])
    amount = told["amount"].to_numpy(np.int64)
    topics = np.repeat(told["topic"].to_numpy(np.int64), amount)
    # One owner more than there are actors: the place −1 of an account without acts means the last.
    values = shrink_entropy(np.repeat(codes, amount), topics, len(known) + 1)
    return np.asarray(values[_find(known, block)])
