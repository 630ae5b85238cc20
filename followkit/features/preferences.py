"""Factor 7, personal preferences of the decider: what it consumes, stands for and avoids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.preprocessing import normalize

from followkit.errors import InputError
from followkit.features.blocks import Block
from followkit.features.claim import Claim
from followkit.features.context import FeatureContext, FeatureFunction, FloatArray
from followkit.features.feature import (
    PER_DOUBLING,
    PER_TEN_POINTS,
    PER_TENTH,
    YES_OR_NO,
    Feature,
    Product,
    dated_feature,
    graph_feature,
    profile_feature,
)
from followkit.features.liking import find_liked, gather_events, sum_products
from followkit.features.literature import MOSLEH
from followkit.features.records import SHRINKAGE
from followkit.features.relevance import read_before, same_attribute
from followkit.features.texts import TextBlock
from followkit.features.ties import IntArray, get_table
from followkit.graph import FollowGraph
from followkit.text import cosine_of_pairs

CONSUMED_KINDS = ("like", "save", "share")
AVOIDED_KINDS = ("block", "mute", "remove_follower")

#: Learnt opposition: the tags that are compared, and the expected number of users of both at which
#: their complete absence counts half.
TAG_LIMIT = 500
HALF_SURE = 20.0


# -- 7a: what the decider consumes -----------------------------------------------------------------


def consumed_cosine(context: FeatureContext) -> FloatArray:
    """Return the cosine of A's vector to what B follows and likes; 0 without words."""
    return context.by_block(_compare_consumed, ("initiator", "posts"))


def _compare_consumed(block: Block) -> FloatArray:
    text = block.text
    accounts, posts = text.space.matrix, text.vectors
    ties, liked = block.ties, find_liked(text, CONSUMED_KINDS)
    followed = pd.DataFrame(
        {
            "actor_id": ties["follower_id"],
            "owner_id": ties["followee_id"],
            "item": text.space.ids.get_indexer(pd.Index(ties["followee_id"])),
        }
    )
    liked = liked.assign(item=liked["post"] + accounts.shape[0])
    followed = followed[followed["item"] >= 0]
    events = followed if liked.empty else pd.concat([followed, liked.drop(columns="post")])
    row, did = gather_events(block.pairs, events, accounts.shape[0] + len(text.posts))
    parts = did[:, : accounts.shape[0]] @ accounts, did[:, accounts.shape[0] :] @ posts
    consumed = normalize(normalize(parts[0]) + normalize(parts[1]))
    mine = text.space.ids.get_indexer(pd.Index(block.ids("initiator")))
    values, told = np.zeros(len(mine)), mine >= 0
    both = sparse.vstack([accounts, consumed], format="csr")
    values[told] = cosine_of_pairs(both, mine[told], accounts.shape[0] + row[told])
    return values


# -- 7c: convictions -------------------------------------------------------------------------------


def read_opposed(about: Mapping[str, Any]) -> list[tuple[str, str]] | None:
    """Return the pairs of hashtags that a dataset declares opposed, None where it declares none.

    Raises
    ------
    InputError
        If `opposed_hashtags` is no list of pairs of tags.

    Examples
    --------
    >>> read_opposed({"opposed_hashtags": [["#Leave", "remain"]]})
    [('leave', 'remain')]
    """
    pairs = about.get("opposed_hashtags")
    if pairs is None:
        return None
    is_sound = isinstance(pairs, Sequence) and all(
        isinstance(pair, Sequence) and len(pair) == 2 and all(isinstance(tag, str) for tag in pair)
        for pair in pairs
    )
    if not is_sound or isinstance(pairs, str):
        raise InputError(
            f"opposed_hashtags: a list of pairs of hashtags is needed, found {str(pairs)[:60]}; "
            'write [["one", "other"]] in dataset.toml'
        )
    return [(one.lstrip("#").casefold(), other.lstrip("#").casefold()) for one, other in pairs]


def opposed_hashtags_log(context: FeatureContext) -> FloatArray:
    """Return log(1 + pairs of a tag of A's and a tag of B's that are opposed)."""
    declared = read_opposed(context.dataset.about)
    return context.by_block(
        lambda block: _count_opposed(block, declared), ("initiator", "posts"), ("decider", "posts")
    )


def _count_opposed(block: Block, declared: list[tuple[str, str]] | None) -> FloatArray:
    text = block.text
    uses = text.hashtags
    if declared is None:
        users = uses.drop_duplicates(["account", "tag"])["tag"].value_counts().sort_index()
        tags = pd.Index(users.sort_values(ascending=False, kind="stable").index[:TAG_LIMIT])
    else:
        tags = pd.Index(sorted({tag for pair in declared for tag in pair}), dtype=object)
    uses = uses.assign(column=tags.get_indexer(pd.Index(uses["tag"])))
    uses = uses[uses["column"] >= 0]
    if uses.empty:
        return np.zeros(len(block.rows))
    used = _mark(uses["account"], uses["column"], (len(text.ids), len(tags)))
    if declared is None:
        opposed = learn_opposed(used, _find_tag_topics(text, uses, len(tags)))
    else:
        opposed = _spell_out(tags, declared)
    left, right = (text.code(block.ids(side)) for side in ("initiator", "decider"))
    both = (left >= 0) & (right >= 0)
    total = np.zeros(len(left))
    total[both] = sum_products(used @ opposed, left[both], used, right[both])
    return np.log1p(total)


def _mark(rows: Any, columns: Any, shape: tuple[int, int]) -> sparse.csr_array:
    """Return a matrix of zeros and ones."""
    marked = sparse.csr_array((np.ones(len(rows)), (np.asarray(rows), np.asarray(columns))), shape)
    marked.sum_duplicates()
    marked.data[:] = 1.0
    return marked


def _spell_out(tags: pd.Index, declared: list[tuple[str, str]]) -> sparse.csr_array:
    one, other = (tags.get_indexer(pd.Index(side)) for side in zip(*declared, strict=True))
    rows, columns = np.concatenate([one, other]), np.concatenate([other, one])
    return _mark(rows, columns, (len(tags), len(tags)))


def _find_tag_topics(text: TextBlock, uses: pd.DataFrame, tag_count: int) -> IntArray:
    """Return the commonest topic of the posts with each tag (the first of equals); −1: none."""
    topic = text.topic[uses["post"]]
    told = topic >= 0
    column = uses["column"].to_numpy()[told]
    counts = np.zeros((tag_count, text.topic_count), dtype=np.int64)
    np.add.at(counts, (column, topic[told]), 1)
    return np.where(counts.any(axis=1), counts.argmax(axis=1), -1)


def learn_opposed(used: sparse.csr_array, topic: IntArray) -> sparse.csr_array:
    """Return how surely two tags are opposed: of one topic, yet seldom of the same users.

    With n_i users of tag i among N accounts, e = n_i n_j / N users of both are expected. Where m
    are found, the weight is max(0, e − m) / (e + 20): near 1 only where many were expected and
    hardly any are there. Tags of one topic commonly share more users than expected (weight 0).
    Across topics it is 0: users of different subjects miss each other's tags without opposing them.

    Parameters
    ----------
    used
        Accounts × tags, ones and zeros.
    topic
        The topic of each tag; −1 for none.

    Returns
    -------
    scipy.sparse.csr_array
        Tags × tags.

    Examples
    --------
    >>> used = sparse.csr_array(np.repeat([[1.0, 0.0], [0.0, 1.0]], 40, axis=0))
    >>> learn_opposed(used, np.array([0, 0])).toarray().tolist()
    [[0.0, 0.5], [0.5, 0.0]]
    """
    users = used.sum(axis=0)
    account_count = np.count_nonzero(used.sum(axis=1))
    found = (used.T @ used).toarray()
    expected = np.outer(users, users) / max(account_count, 1)
    alike = (topic[:, None] == topic) & (topic >= 0)
    np.fill_diagonal(alike, val=False)
    lacking = np.maximum(expected - found, 0.0) / (expected + HALF_SURE)
    return sparse.csr_array(np.where(alike, lacking, 0.0))


def opposed_ties_share(context: FeatureContext) -> FloatArray:
    """Return the share of A's ties that lie in the camp opposed to B, shrunk to the pool."""
    accounts = get_table(context.dataset, "accounts")
    accounts = accounts[accounts["stance"].notna()]
    return context.by_block(
        lambda block: _share_opposed(block, read_before(accounts, block.text.end_us)),
        needs_posts=False,
    )


def _share_opposed(block: Block, accounts: pd.DataFrame) -> FloatArray:
    counts = accounts["stance"].value_counts().sort_index()
    camps = pd.Index(counts.sort_values(ascending=False, kind="stable").index[:2])
    # 0 and 1: the two camps; 2: another stance; −1: unknown.
    stance = pd.Series(camps.get_indexer(pd.Index(accounts["stance"])), accounts["account_id"])
    camp = stance.replace(-1, 2)
    graph = block.graph
    of_node = camp.reindex(graph.nodes).fillna(-1).to_numpy(dtype=np.int64)
    decider = camp.reindex(block.ids("decider")).to_numpy(dtype=np.float64, na_value=np.nan)
    wanted = np.select([decider == 0, decider == 1], [1, 0], -1)
    share = share_of_ties(block, of_node, wanted, pool=np.full(len(wanted), 0.5))
    return np.where(np.isnan(decider), np.nan, np.where(wanted < 0, 0.0, share))


# -- 7d: circles -----------------------------------------------------------------------------------


def shared_community(context: FeatureContext) -> FloatArray:
    """Return 1 where both accounts are in one community of the follow graph, else 0."""
    return context.by_block(_share_community, needs_posts=False)


def _share_community(block: Block) -> FloatArray:
    left, right = (
        block.at_node(block.communities.astype(np.float64), side)
        for side in ("initiator", "decider")
    )
    return (left == right).astype(np.float64)


def ties_in_community_share(context: FeatureContext) -> FloatArray:
    """Return the share of A's ties that lie in B's community, shrunk to the pool."""
    return context.by_block(_share_in_community, needs_posts=False)


def _share_in_community(block: Block) -> FloatArray:
    wanted = np.append(block.communities, -1)[block.node("decider")]
    return share_of_ties(block, block.communities, wanted, pool=np.zeros(len(wanted)))


def share_of_ties(
    block: Block, group: IntArray, wanted: IntArray, *, pool: FloatArray
) -> FloatArray:
    """Return the share of A's ties (either way, B's left out) that join it to a wanted group.

    Parameters
    ----------
    group
        The group of every node of the block's graph; ties to nodes of group −1 do not count.
    wanted
        The group that is asked about, dyad by dyad; −1 for none (a share of 0).
    pool
        What the share is shrunk to while no tie at all counts.
    """
    graph, initiator, decider = block.graph, block.node("initiator"), block.node("decider")
    ends = np.concatenate([graph.source, graph.target])
    others = np.concatenate([graph.target, graph.source])
    counts = group[others] >= 0
    ends, to_group = ends[counts], group[others[counts]]
    width = max(int(group.max(initial=-1)), int(wanted.max(initial=-1))) + 2
    between = count_ties_between(graph, initiator, decider)
    theirs = np.append(group, -1)[decider]
    inside = _count_keys(ends * width + to_group, initiator * width + wanted)
    inside = inside - between * ((theirs == wanted) & (theirs >= 0))
    total = _count_keys(ends, initiator) - between * (theirs >= 0)
    if len(ends):
        in_group = np.bincount(to_group, minlength=width)[wanted]
        pool = np.where(wanted >= 0, in_group / len(ends), 0.0)
    return np.asarray((inside + SHRINKAGE * pool) / (total + SHRINKAGE))


def _count_keys(keys: IntArray, asked: IntArray) -> IntArray:
    """Return how often each asked key occurs."""
    counted = pd.Series(keys).value_counts().reindex(asked, fill_value=0)
    return counted.to_numpy(dtype=np.int64)


def count_ties_between(graph: FollowGraph, left: IntArray, right: IntArray) -> IntArray:
    """Return how many of the two ties left → right and right → left there are (0 to 2)."""
    width = graph.node_count + 1
    keys = graph.source * width + graph.target
    both_ways = np.isin(left * width + right, keys), np.isin(right * width + left, keys)
    return both_ways[0].astype(np.int64) + both_ways[1]


def ties_to_avoided_log(context: FeatureContext) -> FloatArray:
    """Return log(1 + accounts tied to A that B blocked, muted or removed)."""
    return context.by_block(_count_avoided, ("decider", "interactions"), needs_posts=False)


def _count_avoided(block: Block) -> FloatArray:
    graph, acts = block.graph, block.text.acts
    acts = acts[acts["kind"].isin(AVOIDED_KINDS).to_numpy(dtype=bool)]
    deciders = pd.Index(block.ids("decider").unique())
    who = deciders.get_indexer(pd.Index(acts["actor_id"]))
    whom = graph.code(acts["target_id"])
    known = (who >= 0) & (whom >= 0) & (acts["actor_id"] != acts["target_id"]).to_numpy(bool)
    avoided = _mark(who[known], whom[known], (len(deciders), graph.node_count))
    ends, others = np.r_[graph.source, graph.target], np.r_[graph.target, graph.source]
    tied = _mark(ends, others, (graph.node_count, graph.node_count))
    left = block.node("initiator")
    total, is_tied = np.zeros(len(left)), left >= 0
    right = deciders.get_indexer(pd.Index(block.ids("decider")))
    total[is_tied] = sum_products(tied, left[is_tied], avoided, right[is_tied])
    return np.log1p(total)


FEATURES: dict[str, FeatureFunction] = {
    "dyad_consumed_cosine": consumed_cosine,
    "dyad_same_stance": lambda c: same_attribute(c, "stance"),
    "dyad_opposed_hashtags_log": opposed_hashtags_log,
    "dyad_opposed_ties_share": opposed_ties_share,
    "dyad_shared_community": shared_community,
    "dyad_ties_in_community_share": ties_in_community_share,
    "dyad_ties_to_avoided_log": ties_to_avoided_log,
}

ENTRIES: tuple[Feature, ...] = (
    dated_feature(
        "dyad_consumed_cosine",
        "7a",
        1,
        "topic similarity of the initiator's posts and what the decider consumes",
        "cosine of the initiator's TF-IDF vector and (f + l) / |f + l|; f = mean vector of the "
        "accounts that the decider follows, l = that of the posts of others that it liked, saved "
        "or shared (each once), both scaled to length one and without the initiator's; posts, "
        "acts and ties up to the last 28-day block that ends before t (in a crawl or snapshot: the "
        "ties without the fold's); f or l alone where the other has no words, 0 with neither",
        unit=PER_TENTH,
        tables=("posts.text+follows",),
        in_snapshots=True,
    ),
    profile_feature(
        "dyad_same_stance",
        "7c",
        1,
        "same declared stance",
        "1 where both accounts declare the same stance, else 0; missing where one declares none",
        unit=YES_OR_NO,
        tables=("accounts.stance",),
        is_sensitive=True,
    ),
    replace(
        dated_feature(
            "dyad_opposed_hashtags_log",
            "7c",
            -1,
            "opposed hashtags of the two",
            "log(1 + Σ w over pairs of a tag of the initiator's and a tag of the decider's, up to "
            "the last 28-day block that ends before t); w = 1 for the pairs that the data declare "
            "opposed. Where none are declared: among the 500 tags with most users, with n accounts "
            "using each, N using any of them, m using both and e = n n' / N, w = max(0, e − m) / "
            "(e + 20) where both tags have the same commonest topic, else 0",
            unit=PER_DOUBLING,
            tables=("posts.hashtags", "posts.text"),
            in_snapshots=True,
            in_model=False,
        ),
        is_sensitive=True,
    ),
    profile_feature(
        "dyad_opposed_ties_share",
        "7c",
        -1,
        "share of the initiator's ties that lie in the camp opposed to the decider",
        "camps: the two commonest stances read before the last 28-day block that ends before t "
        "(ties: alphabetical); among the initiator's ties then, either way, the decider's left "
        "out, to the n accounts with a known stance: (ties to the other camp + 10 p) / (n + 10), "
        "p = the same share of all tie ends (½ without ties); 0 where the decider is in neither "
        "camp, missing where it declares none",
        unit=PER_TEN_POINTS,
        tables=("accounts.stance+follows",),
        in_model=False,
        is_sensitive=True,
    ),
    graph_feature(
        "dyad_shared_community",
        "7d",
        1,
        "in one community of the follow graph",
        "1 where Louvain puts both accounts into one community of the ties standing at the end of "
        "the last 28-day block before t (in a crawl or snapshot: the ties without the fold's), "
        "else 0; 0 for an account without ties",
        unit=YES_OR_NO,
    ),
    graph_feature(
        "dyad_ties_in_community_share",
        "7d",
        1,
        "share of the initiator's ties inside the decider's community",
        "(the initiator's ties, either way, the decider's left out, to accounts of the decider's "
        "community + 10 p) / (all of them + 10), p = the share of all tie ends in that community; "
        "ties and communities as in dyad_shared_community; 0 for a decider without ties",
        unit=PER_TEN_POINTS,
        in_model=False,
    ),
    dated_feature(
        "dyad_ties_to_avoided_log",
        "7d",
        -1,
        "initiator's ties to accounts that the decider shut out",
        "log(1 + accounts tied to the initiator, either way, that the decider blocked, muted or "
        "removed as a follower), up to the last 28-day block that ends before t",
        unit=PER_DOUBLING,
        tables=("interactions.kind+follows",),
        in_snapshots=True,
        in_model=False,
    ),
)

PRODUCTS: tuple[Product, ...] = ()

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "7a",
        "An initiator whose themes match what the decider follows and likes is followed back more "
        "often, whatever the decider itself posts.",
        1,
        ("dyad_consumed_cosine",),
    ),
    Claim(
        "7c",
        "An initiator who shares the decider's stance is followed back more often.",
        1,
        ("dyad_same_stance",),
        # What somebody stands for shows in the posts, so holding those equal would hide it.
        not_adjusted=("dyad_topic_cosine", "dyad_consumed_cosine"),
        grade="randomised",
        source=MOSLEH,
    ),
    Claim(
        "7d",
        "An initiator who belongs to the decider's circles is followed back more often.",
        1,
        ("dyad_shared_community",),
        not_adjusted=("dyad_common_followees_log", "dyad_followees_follow_initiator_share"),
    ),
)
