"""Factor 8, network influence: the reach and standing of the initiator's network.

Prestige (8a), an audience that is engaged and fits (8b), standing in the decider's own circle (8c),
new reach that the tie offers (8d). Apart from degrees and shared neighbours, which are taken as of
t, everything is taken from the ties that stand at the end of the last 28-day block before t.
"""

from __future__ import annotations

import numpy as np

from followkit.communities import DAMPING
from followkit.features.blocks import Block
from followkit.features.claim import Claim
from followkit.features.context import (
    INITIATOR_ACTS,
    FeatureContext,
    FeatureFunction,
    FloatArray,
    of_blocks,
)
from followkit.features.feature import (
    FOLLOWS_OR_COUNTS,
    PER_DOUBLING,
    PER_TEN_POINTS,
    PER_TENTH,
    Feature,
    Product,
    dated_feature,
    graph_feature,
    profile_feature,
)
from followkit.features.followers import (
    acts_with_circle_log,
    audience_language_cosine,
    audience_location_cosine,
    audience_topic_cosine,
    engaged_followers_share,
    new_reach_log,
    two_step_reach,
)
from followkit.features.literature import CHENG
from followkit.features.ratio import follower_count_log
from followkit.features.records import SHRINKAGE
from followkit.features.relevance import read_before
from followkit.features.ties import get_table
from followkit.graph import count_degrees, count_degrees_asof


def page_rank_log(block: Block) -> FloatArray:
    """Return the log of the initiators' PageRank, average 1; the least one possible without ties.

    Jumps alone give every account 1 − .85.
    """
    return np.log(block.at_node(block.page_rank, "initiator", missing=1.0 - DAMPING))


def followees_follow_share(context: FeatureContext) -> FloatArray:
    """Return k / (n + 10): of the decider's n known followees, k follow the initiator."""
    graph, decider = context.graph, context.codes("decider")
    if context.mode == "timed":
        followees = count_degrees_asof(graph, decider, context.at_us)[0]
    else:
        followees = count_degrees(graph, decider)[0] - context.own_ties[1]
    return np.asarray(context.shared("paths_back") / (followees + SHRINKAGE))


def location_cosine(context: FeatureContext) -> FloatArray:
    """Return the cosine of the declared places of the followers of A and of B."""
    accounts = get_table(context.dataset, "accounts")
    return context.by_block(
        lambda block: audience_location_cosine(block, read_before(accounts, block.text.end_us)),
        needs_posts=False,
    )


FEATURES: dict[str, FeatureFunction] = {
    "initiator_page_rank_log": of_blocks(page_rank_log, needs_posts=False),
    "initiator_follower_count_log": lambda c: follower_count_log(c, "initiator"),
    "initiator_two_step_reach_log": of_blocks(
        lambda block: np.log1p(two_step_reach(block)), needs_posts=False
    ),
    "initiator_engaged_followers_share": of_blocks(
        engaged_followers_share, INITIATOR_ACTS, needs_posts=False
    ),
    "dyad_audience_topic_cosine": of_blocks(audience_topic_cosine),
    "dyad_audience_language_cosine": of_blocks(audience_language_cosine),
    "dyad_audience_location_cosine": location_cosine,
    "dyad_followees_follow_initiator_share": followees_follow_share,
    "dyad_acts_with_circle_log": of_blocks(acts_with_circle_log, INITIATOR_ACTS, needs_posts=False),
    "dyad_new_reach_log": of_blocks(new_reach_log),
}

STANDING = (
    "ties that stand at the end of the last 28-day block before t (in a crawl or snapshot: those "
    "without the fold's)"
)

ENTRIES: tuple[Feature, ...] = (
    graph_feature(
        "initiator_page_rank_log",
        "8a",
        1,
        "initiator's PageRank",
        "log of PageRank times the accounts with ties (average 1; damping .85), on the "
        f"{STANDING}; log .15, the least one possible, for an account without ties",
    ),
    graph_feature(
        "initiator_follower_count_log",
        "8a",
        1,
        "initiator's followers",
        "log(1 + followers of the initiator)",
        tables=FOLLOWS_OR_COUNTS,
        in_model=False,
        source=CHENG,
    ),
    graph_feature(
        "initiator_two_step_reach_log",
        "8a",
        1,
        "accounts within two steps of the initiator",
        "log(1 + accounts, neither the initiator nor the decider, that follow the initiator or "
        f"one of its followers), over the {STANDING}",
        in_model=False,
    ),
    dated_feature(
        "initiator_engaged_followers_share",
        "8b",
        1,
        "share of the initiator's followers that act towards it",
        f"(k + 10 p) / (n + 10): n followers of the initiator among the {STANDING}; k of them with "
        "a like, comment, reply, mention, share, save or message towards the initiator in the 90 "
        "days before that end (snapshot: at any time); p = (K + 1) / (N + 2) over all such ties",
        unit=PER_TEN_POINTS,
        tables=("follows+interactions.kind",),
        in_snapshots=True,
    ),
    dated_feature(
        "dyad_audience_topic_cosine",
        "8b",
        1,
        "topic similarity of the two accounts' followers",
        "cosine of the mean topic mixes of the followers of the initiator and of the decider, "
        f"followers with words only; {STANDING}, posts up to then; 0 where one has no such "
        "followers",
        unit=PER_TENTH,
        tables=("follows+posts.text",),
        in_snapshots=True,
        in_model=False,
    ),
    dated_feature(
        "dyad_audience_language_cosine",
        "8b",
        1,
        "similarity of the languages of the two accounts' followers",
        "cosine of the shares of languages among the followers of the initiator and of the "
        "decider, each with the commonest language of its posts (of equals the first in the "
        f"alphabet); {STANDING}, posts up to then; 0 where one has no followers with a language",
        unit=PER_TENTH,
        tables=("follows+posts.language",),
        in_snapshots=True,
        in_model=False,
    ),
    profile_feature(
        "dyad_audience_location_cosine",
        "8b",
        1,
        "similarity of the places of the two accounts' followers",
        "cosine of the shares of declared places (small letters, blanks at the ends cut) among the "
        f"followers of the initiator and of the decider; {STANDING}, profiles read before that "
        "end; 0 where one has no followers with a place, missing while no place is known at all",
        unit=PER_TENTH,
        tables=("follows+accounts.location",),
        in_model=False,
    ),
    graph_feature(
        "dyad_followees_follow_initiator_share",
        "8c",
        1,
        "share of the decider's followees that follow the initiator",
        "k / (n + 10): n followees of the decider, k of them follow the initiator; as of t (at a "
        "crawl without the pair's own ties, in a snapshot without the fold's). Both are counted in "
        "the follows of the data, in an export too, where the platform may tell of more followees",
        unit=PER_TEN_POINTS,
    ),
    dated_feature(
        "dyad_acts_with_circle_log",
        "8c",
        1,
        "acts between the initiator and the accounts that the decider follows",
        "log(1 + likes, comments, replies, mentions, shares, saves and messages, both ways, "
        f"between the initiator and followees of the decider; {STANDING}, acts in the 90 days "
        "before that end, in a snapshot at any time)",
        unit=PER_DOUBLING,
        tables=("follows+interactions.kind",),
        in_snapshots=True,
        in_model=False,
    ),
    dated_feature(
        "dyad_new_reach_log",
        "8d",
        1,
        "followers of the initiator that the decider does not reach, on its followers' topics",
        "log(1 + Σ q(x)) over the initiator's followers x with words who do not follow the "
        "decider; q(x) = (m + 10 p) / (n + 10): n followers of the decider with words, m of them "
        "with the main topic of x, p = that topic's share of the followers with words of all "
        f"accounts, each tie counting; {STANDING}, posts up to then; a decider without followers "
        "has p",
        unit=PER_DOUBLING,
        tables=("follows+posts.text",),
        in_snapshots=True,
    ),
)

#: What is worth more to a decider that is a business: catalogue name, claim, words.
WANTED = (
    ("audience_topic_cosine", "8b", "topic similarity of the two accounts' followers"),
    ("audience_language_cosine", "8b", "similarity of the languages of their followers"),
    ("audience_location_cosine", "8b", "similarity of the places of their followers"),
    ("new_reach_log", "8d", "followers of the initiator that the decider does not reach"),
)

PRODUCTS: tuple[Product, ...] = tuple(
    Product(
        f"dyad_business_{short}",
        claim,
        1,
        f"{words}, decider is a business account",
        ("decider_is_business", f"dyad_{short}"),
    )
    for short, claim, words in WANTED
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "8a",
        "The more prestige and reach the initiator has in the network, the more often the decider "
        "answers.",
        1,
        ("initiator_page_rank_log",),
        # Followers are in the ratio, and those whom the decider follows are a way in which
        # prestige reaches it: with either held equal, little of a rank is left to vary.
        not_adjusted=("initiator_ratio_log", "dyad_followees_follow_initiator_share"),
    ),
    Claim(
        "8b",
        "An engaged audience beats a large idle one: with the decider the share of the "
        "initiator's followers that act towards it counts for more than their number.",
        1,
        ("initiator_engaged_followers_share", "initiator_follower_count_log"),
        "difference",
        # At an equal ratio followers only tell how many the initiator follows.
        not_adjusted=("initiator_ratio_log",),
    ),
    Claim(
        "8c",
        "The more of the accounts that the decider follows follow the initiator, the more often "
        "the decider answers.",
        1,
        ("dyad_followees_follow_initiator_share",),
    ),
    Claim(
        "8d",
        "The more followers the initiator has whom the decider does not reach yet, on the topics "
        "of the decider's own, the more often the decider answers.",
        1,
        # The ratio stays among the adjusters: popularity brings both new reach and answers, so
        # without it the claim would be credited with what factor 3 does.
        ("dyad_new_reach_log",),
    ),
)
