"""Factor 3, follower ratio: whom a selective decider still answers.

Deciders who answer by calculation (3b), initiators who read as spam (3c), curators (3d). What
blocks fit uses the ties that stand at the block's end; A is then never among B's followees, nor B
among A's.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import or_

import numpy as np

from followkit.features.blocks import Block
from followkit.features.claim import Claim
from followkit.features.context import FeatureContext, FeatureFunction, FloatArray
from followkit.features.feature import (
    FOLLOWS_OR_COUNTS,
    PER_DOUBLING,
    PER_TEN_POINTS,
    PER_TENTH,
    PER_UNIT,
    YES_OR_NO,
    Feature,
    Product,
    dated_feature,
    graph_feature,
    profile_feature,
)
from followkit.features.followers import curation_share
from followkit.features.literature import CHENG
from followkit.features.ratio import exceed_threshold, follower_ratio_log
from followkit.features.records import SHRINKAGE
from followkit.features.ties import IntArray, get_table

SPAM_WINDOW_DAYS = 1.0
LATEST_FOLLOWEES = 50


def any_flag(context: FeatureContext, *columns: str) -> FloatArray:
    """Return 1 where one of the decider's flags is set, 0 where none is, NaN where that is open."""
    given = [column for column in columns if context.dataset.has("accounts", column)]
    flags = [context.profile("decider", column).astype("boolean") for column in given]
    # A flag that is set decides; one that is not set cannot speak for one that is missing.
    return np.asarray(reduce(or_, flags).to_numpy(dtype=np.float64, na_value=np.nan))


def spam_excess(context: FeatureContext) -> FloatArray:
    """Return by how much the log of followees per follower exceeds log 2; 0 below."""
    return exceed_threshold(follower_ratio_log(context, "initiator"))


def spam_score(context: FeatureContext) -> FloatArray:
    """Return the excess of follows times the share of posts that are not original."""
    return spam_excess(context) * (1.0 - context.feature("initiator_originality_share"))


def follows_in_a_day_log(context: FeatureContext) -> FloatArray:
    """Return log(1 + follows that the initiator made in the 24 hours before t)."""
    counted = context.count_events("initiator", "follows", SPAM_WINDOW_DAYS)
    return context.where_watched(np.log1p(counted), ("initiator", "follows"))


def find_latest_followees(context: FeatureContext, block: Block) -> tuple[IntArray, IntArray]:
    """Return node codes (follower, followee) of each account's latest followees.

    Those of an equal moment count alike, so that names never decide who is among the latest.
    """
    graph = block.graph
    if context.mode != "timed":
        return graph.source, graph.target
    pair = ["follower_id", "followee_id"]
    begun = context.cached(
        "first_follows", lambda: context.ties.groupby(pair, as_index=False)["start_us"].min()
    )
    ties = block.ties[pair].merge(begun, on=pair)
    place = ties.groupby("follower_id")["start_us"].rank(method="min", ascending=False)
    ties = ties[(place <= LATEST_FOLLOWEES).to_numpy()]
    return graph.code(ties["follower_id"]), graph.code(ties["followee_id"])


def shrink_entropy(owner: IntArray, group: IntArray, owner_count: int) -> FloatArray:
    """Return (n H + 10 h) / (n + 10) of each owner's groups, in nats.

    H is the Shannon entropy of the groups of an owner's n things, h the mean of H over all things.
    An owner with nothing gets h.

    Examples
    --------
    >>> shrink_entropy(np.array([0, 0, 1]), np.array([5, 7, 5]), 3).round(4).tolist()
    [0.5006, 0.4201, 0.4621]
    """
    width = int(group.max(initial=0)) + 1
    keys, counts = np.unique(owner * width + group, return_counts=True)
    whose = keys // width
    size = np.bincount(whose, counts, owner_count)
    # n H = n log n − Σ c log c, c the things of each group.
    spread = size * np.log(np.maximum(size, 1.0))
    spread = spread - np.bincount(whose, counts * np.log(counts), owner_count)
    pooled = spread.sum() / max(size.sum(), 1.0)
    return np.asarray((spread + SHRINKAGE * pooled) / (size + SHRINKAGE))


def community_entropy(context: FeatureContext, block: Block) -> FloatArray:
    """Return the shrunk entropy of the communities of the initiators' latest followees."""
    source, target = find_latest_followees(context, block)
    # One owner more than there are nodes: the code −1 of an account without ties means the last.
    values = shrink_entropy(source, block.communities[target], block.graph.node_count + 1)
    return values[block.node("initiator")]


def topic_entropy(context: FeatureContext, block: Block) -> FloatArray:
    """Return the shrunk entropy of the main topics of the initiators' latest followees."""
    source, target = find_latest_followees(context, block)
    topic = np.append(block.text.main_topic, -1)[block.node_account[target]]
    told = topic >= 0
    values = shrink_entropy(source[told], topic[told], block.graph.node_count + 1)
    return values[block.node("initiator")]


def mentions_log(context: FeatureContext) -> FloatArray:
    """Return log(1 + mentions of each other before t)."""
    acts = get_table(context.dataset, "interactions")
    acts = acts[(acts["kind"] == "mention").to_numpy(dtype=bool) & acts["at"].notna().to_numpy()]
    mentions = acts[["actor_id", "target_id", "at"]].assign(amount=acts["count"].fillna(1))
    total = context.count_pair_acts("initiator", "decider", acts=mentions)
    total = total + context.count_pair_acts("decider", "initiator", acts=mentions)
    return context.where_watched(
        np.log1p(total), ("initiator", "interactions"), ("decider", "interactions")
    )


FEATURES: dict[str, FeatureFunction] = {
    "decider_is_business": lambda c: any_flag(c, "is_business"),
    "decider_is_creator_or_verified": lambda c: any_flag(c, "is_creator", "is_verified"),
    "initiator_spam_score": spam_score,
    "initiator_spam_excess": spam_excess,
    "initiator_follows_24h_log": follows_in_a_day_log,
    "initiator_followee_community_entropy": lambda c: c.by_block(
        lambda block: community_entropy(c, block), needs_posts=False
    ),
    "initiator_followee_topic_entropy": lambda c: c.by_block(lambda block: topic_entropy(c, block)),
    "decider_curation_share": lambda c: c.by_block(
        curation_share, ("decider", "interactions"), needs_posts=False
    ),
    "decider_followee_count_log": lambda c: np.log1p(c.degrees("decider")[0]),
    "dyad_mentions_log": mentions_log,
}

ENTRIES: tuple[Feature, ...] = (
    profile_feature(
        "decider_is_business",
        "3b",
        -1,
        "decider is a business account",
        "1 where the decider's profile says so, else 0; missing where it says nothing",
        unit=YES_OR_NO,
        tables=("accounts.is_business",),
        in_model=False,
    ),
    profile_feature(
        "decider_is_creator_or_verified",
        "3b",
        -1,
        "decider is a creator or verified",
        "1 where one of the two flags of the decider's profile is set, 0 where none of those there "
        "are is; missing where the answer hangs on a missing flag",
        unit=YES_OR_NO,
        tables=("accounts.is_creator", "accounts.is_verified"),
        in_model=False,
    ),
    dated_feature(
        "initiator_spam_score",
        "3c",
        -1,
        "many follows, few followers and little of its own",
        "initiator_spam_excess × (1 − initiator_originality_share)",
        unit=PER_UNIT,
        tables=("follows+posts.text", "account_counts+posts.text"),
        in_snapshots=True,
    ),
    graph_feature(
        "initiator_spam_excess",
        "3c",
        -1,
        "initiator follows more than two accounts per follower",
        "max(0, −initiator_ratio_log − log 2): 0 up to two followees per follower, and from there "
        "on the log of followees per follower beyond two",
        tables=FOLLOWS_OR_COUNTS,
        in_model=False,
    ),
    replace(
        dated_feature(
            "initiator_follows_24h_log",
            "3c",
            -1,
            "accounts that the initiator followed in the last 24 hours",
            "log(1 + follows made by the initiator in [t − 24 h, t))",
            unit=PER_DOUBLING,
            tables=("follows.followed_at",),
            in_model=False,
        ),
        modes=("timed",),
    ),
    graph_feature(
        "initiator_followee_community_entropy",
        "3c",
        -1,
        "how scattered the initiator's latest followees are over communities",
        "(n H + 10 h) / (n + 10): H the Shannon entropy (nats, not normalised) of the communities "
        "(Louvain) of the n accounts that the initiator came to follow last: 50, or fewer where "
        "there are fewer, those of an equal moment counting alike; without times all followees. h "
        "is the mean of H over all followees counted so, and stands for an initiator without any. "
        "Ties that stand at the end of the last 28-day block before t",
        unit=PER_TENTH,
        in_model=False,
    ),
    dated_feature(
        "initiator_followee_topic_entropy",
        "3c",
        -1,
        "how scattered the initiator's latest followees are over topics",
        "as initiator_followee_community_entropy, over the main topics of those of the latest 50 "
        "followees whose posts have words",
        unit=PER_TENTH,
        tables=("follows+posts.text",),
        in_snapshots=True,
        in_model=False,
    ),
    dated_feature(
        "decider_curation_share",
        "3d",
        -1,
        "share of its followees that the decider attends to",
        "(k + 10 p) / (n + 10): n followees of the decider at the end of the last 28-day block "
        "before t, k of them with an act of the decider towards them in the 90 days before that "
        "end (snapshot: at any time), p = (Σ k + 1) / (Σ n + 2) over all accounts",
        unit=PER_TEN_POINTS,
        tables=("follows+interactions.kind",),
        in_snapshots=True,
        in_model=False,
    ),
    graph_feature(
        "decider_followee_count_log",
        "3d",
        1,
        "accounts that the decider follows",
        "log(1 + followees of the decider)",
        tables=FOLLOWS_OR_COUNTS,
        in_model=False,
        source=CHENG,
    ),
    dated_feature(
        "dyad_mentions_log",
        "3d",
        1,
        "mentions of each other",
        "log(1 + mentions A→B and B→A before t)",
        unit=PER_DOUBLING,
        tables=("interactions.at",),
        in_model=False,
    ),
)

#: What might be worth more to a decider who calculates: short name, catalogue name, words.
CALCULATED = (
    ("follower_count_log", "initiator_follower_count_log", "initiator's followers"),
    ("same_category", "dyad_same_category", "same declared category"),
    ("topic_cosine", "dyad_topic_cosine", "topic similarity of their posts"),
    ("engagement_rate_log", "initiator_engagement_rate_log", "initiator's engagement per follower"),
)
CALCULATING = (
    ("business", "decider_is_business", "a business account"),
    ("creator_or_verified", "decider_is_creator_or_verified", "a creator or verified"),
)

PRODUCTS: tuple[Product, ...] = (
    *(
        Product(f"dyad_{kind}_{short}", "3b", 1, f"{words}, decider is {who}", (flag, part))
        for kind, flag, who in CALCULATING
        for short, part, words in CALCULATED
    ),
    Product(
        "dyad_curation_common_followees",
        "3d",
        1,
        "accounts that both follow, for a decider who attends to its followees",
        ("decider_curation_share", "dyad_common_followees_log"),
    ),
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "3b",
        "A decider that is a business answers by calculation: the more followers the initiator "
        "has, the more its answer gains over that of other deciders.",
        1,
        ("dyad_business_follower_count_log",),
        "interaction",
    ),
    Claim(
        "3c",
        "An initiator with many follows, few followers and little of its own reads as spam to the "
        "decider.",
        -1,
        # The ratio and the originality share stay among what is adjusted for: the claim is about
        # their coming together, beyond what each is associated with alone.
        ("initiator_spam_score",),
    ),
    Claim(
        "3d",
        "A decider who attends to the accounts it follows answers insiders only: common "
        "neighbours with the initiator count for more.",
        1,
        ("dyad_curation_common_followees",),
        "interaction",
    ),
)
