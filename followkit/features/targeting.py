"""Whom an account speaks to: how specific its words are, who reacts, and whom it seeks out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from followkit.features.blocks import Block
from followkit.features.context import ACT_KINDS
from followkit.features.pooling import NOTHING, of_initiators, shrink_to_pool
from followkit.features.records import SHRINKAGE
from followkit.features.texts import ENGAGEMENT_KINDS
from followkit.features.ties import IntArray

FloatArray = npt.NDArray[np.float64]

#: Words that more of the accounts use than this are too common to be of a topic.
TOPICAL_SHARE = 0.5
FEWEST_USERS = 2


def topic_specificity(block: Block) -> FloatArray:
    """Return how few accounts use the topical words of the initiators, a mean over the uses."""
    text = block.text
    tokens = text.library.tokens
    by_account = tokens.count_words(text.rows, by_account=True)
    accounts = by_account.shape[0]
    users = np.bincount(by_account.indices, minlength=by_account.shape[1])
    is_topical = (users >= FEWEST_USERS) & (users <= TOPICAL_SHARE * accounts)
    rarity = np.where(is_topical, np.log((1.0 + accounts) / (1.0 + users)), 0.0)
    words = tokens.count_words(text.rows)
    size = len(text.ids)
    total, count = (
        np.bincount(text.owner, np.asarray(words @ weight), size).astype(np.float64)
        for weight in (rarity, is_topical.astype(np.float64))
    )
    # Where every word is of nearly everyone, or of one alone, nobody speaks to anybody: 0.
    return np.nan_to_num(of_initiators(block, shrink_to_pool(total, count, NOTHING)))


# -- who reacts ------------------------------------------------------------------------------------


def resonance_share(block: Block) -> FloatArray:
    """Return the share of reactions to A's posts that come from accounts of the post's topic."""
    text = block.text
    acts = text.acts_on_posts(ENGAGEMENT_KINDS)
    about = text.topic[acts["post"]]
    fits = np.append(text.main_topic, -1)[text.code(acts["actor_id"])] == about
    owner, amount = acts["owner"].to_numpy(np.int64), acts["amount"].to_numpy(np.float64)
    total, count = (
        np.bincount(owner[keep], amount[keep], len(text.ids)).astype(np.float64)
        for keep in (fits & (about >= 0), about >= 0)
    )
    return of_initiators(block, shrink_to_pool(total, count))


def outside_engagers_share(block: Block) -> FloatArray:
    """Return the share of the accounts that reacted to A's posts, B left out, that do not follow A.

    Drawn to the same share of all accounts.
    """
    text, ties = block.text, block.ties
    acts = text.acts_on_posts(ENGAGEMENT_KINDS)
    pairs = acts[["actor_id", "owner"]].drop_duplicates(ignore_index=True)
    # One row of numbers for whoever reacts, follows or decides, and one column for owners.
    names = pd.Index(pd.concat([pairs["actor_id"], block.ids("decider")]).unique())
    width = len(text.ids) + 1
    owner = pairs["owner"].to_numpy(np.int64)
    keys = _pair_up(names, pairs["actor_id"], owner, width)
    known = ties["follower_id"].isin(names).to_numpy(dtype=bool)
    followed = text.code(ties["followee_id"])[known] % width
    follows = _pair_up(names, ties["follower_id"][known], followed, width)
    is_outside = ~np.isin(keys, follows)
    outside, everyone = (
        np.bincount(owner[keep], minlength=width).astype(np.float64)
        for keep in (is_outside, slice(None))
    )
    pool = (outside.sum() + 1.0) / (everyone.sum() + 2.0)
    mine = text.code(block.ids("initiator")) % width
    between = _pair_up(names, block.ids("decider"), mine, width)
    total = outside[mine] - np.isin(between, keys[is_outside])
    count = everyone[mine] - np.isin(between, keys)
    return np.asarray((total + SHRINKAGE * pool) / (count + SHRINKAGE))


def _pair_up(names: pd.Index, ids: pd.Series, other: IntArray, width: int) -> IntArray:
    """Return one number for each pair of an account among `names` and the code of another."""
    return names.get_indexer(pd.Index(ids)).astype(np.int64) * width + other


# -- whom it seeks out -----------------------------------------------------------------------------


def audience_topic_likelihood(block: Block) -> FloatArray:
    """Return Σ mix_A · mix_B: B's topics under those of the accounts that A seeks out."""
    text = block.text
    mix = np.vstack([text.account_mix, np.zeros(text.topic_count)])
    has_words = np.append(text.main_topic, -1) >= 0
    initiators = pd.Index(block.ids("initiator").unique())
    sought = list_sought(block, initiators)
    whom = text.code(sought["target_id"])
    sought, whom = sought[has_words[whom]], whom[has_words[whom]]
    row = sought["row"].to_numpy(np.int64)
    sums = np.column_stack([np.bincount(row, part, len(initiators)) for part in mix[whom].T])
    count = np.bincount(row, minlength=len(initiators))
    mine = initiators.get_indexer(pd.Index(block.ids("initiator"))).astype(np.int64)
    decider = text.code(block.ids("decider"))
    width = len(mix)
    met = np.isin(mine * width + decider % width, row * width + whom) & has_words[decider]
    total = sums[mine] - met[:, None] * mix[decider]
    everyone = max(int(has_words.sum()), 1)
    pool = mix[has_words].sum(axis=0) / everyone
    aim = (total + SHRINKAGE * pool) / (count[mine] - met + SHRINKAGE)[:, None]
    return np.asarray((aim * mix[decider]).sum(axis=1))


def list_sought(block: Block, initiators: pd.Index) -> pd.DataFrame:
    """Return the accounts that each initiator follows or ever acted towards, each once.

    Columns row (the place in `initiators`) and target_id.
    """
    acts, ties = block.text.acts, block.ties
    acts = acts[acts["kind"].isin(ACT_KINDS).to_numpy(dtype=bool)]
    names = ["actor_id", "target_id"]
    followed = ties[["follower_id", "followee_id"]].set_axis(names, axis=1)
    both = pd.concat([part[part["actor_id"].isin(initiators)] for part in (followed, acts[names])])
    both = both[(both["actor_id"] != both["target_id"]).to_numpy(dtype=bool)]
    row = initiators.get_indexer(pd.Index(both["actor_id"])).astype(np.int64)
    found = pd.DataFrame({"row": row, "target_id": both["target_id"].to_numpy()})
    return found.drop_duplicates(ignore_index=True)


def audience_community_share(block: Block) -> FloatArray:
    """Return the share of A's followees in B's community, drawn to that of all followees."""
    graph, group = block.graph, block.communities
    left, right = block.node("initiator"), block.node("decider")
    tied = (left >= 0) & (right >= 0)
    wanted = np.append(group, -1)[right]
    shape = (graph.node_count + 1, int(group.max(initial=-1)) + 2)
    marks = (np.ones(len(graph.source)), (graph.source, group[graph.target]))
    inside = np.zeros(len(left))
    if tied.any():
        followees = sparse.csr_array(marks, shape=shape)
        inside[tied] = np.asarray(followees[left[tied], wanted[tied]]).ravel()
    count = np.append(block.degrees[0], 0)[left]
    in_group = np.bincount(group[graph.target], minlength=shape[1])
    pool = in_group[wanted] / max(len(graph.source), 1)
    share = (inside + SHRINKAGE * pool) / (count + SHRINKAGE)
    return np.where(right >= 0, share, 0.0)
