"""Factor 4, algorithmic visibility: whether the decider sees the initiator at all.

Contact of both before t, shared neighbours of the four directed kinds and the distance between the
two; what feeds are said to weigh is measured in `followkit.features.exposure`.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from scipy import sparse

from followkit.features.blocks import Block
from followkit.features.claim import Claim
from followkit.features.context import (
    ACT_KINDS,
    FeatureContext,
    FeatureFunction,
    FloatArray,
    select_acts,
)
from followkit.features.engagement import CONTACT_DAYS, acts_log
from followkit.features.exposure import (
    below_median_share,
    engagement_rate_log,
    first_hour_engagement_log,
    format_reach,
    liked_posts_cosine,
    video_share,
    views_log,
)
from followkit.features.feature import (
    PER_DOUBLING,
    PER_TEN_POINTS,
    PER_TENTH,
    PER_UNIT,
    Feature,
    Product,
    Side,
    dated_feature,
    graph_feature,
    untimed_feature,
)
from followkit.features.liking import sum_products
from followkit.features.literature import ADAMIC, CHENG, HOPCROFT
from followkit.features.texts import ENGAGED, FlagArray
from followkit.features.ties import DAY_US, UNKNOWN_US, IntArray, to_times, to_us
from followkit.timeline import count_before, last_before

BOTH_ACT: tuple[tuple[Side, str], ...] = (
    ("initiator", "interactions"),
    ("decider", "interactions"),
)
#: Kinds of contact that are counted apart: part of the name, the kinds, their words.
CONTACTS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("like", ("like",), "likes"),
    ("comment", ("comment", "reply"), "comments and replies"),
    ("message", ("mention", "message"), "mentions and messages"),
    ("share", ("share", "save"), "shares and saves"),
)
#: Walks of three ties that are looked at together, so that memory stays bounded.
WALK_CHUNK = 4_000_000

# -- contact of both -------------------------------------------------------------------------------


def _number_pairs(context: FeatureContext, left: pd.Series, right: pd.Series) -> IntArray:
    """Return one number a pair, whoever comes first; −1 where one is in none of the dyads."""
    sides = [context.rows[f"{side}_id"] for side in ("initiator", "decider")]
    known = pd.Index(pd.concat(sides).unique())
    codes = np.array([known.get_indexer(pd.Index(ids)) for ids in (left, right)], dtype=np.int64)
    numbers = codes.min(axis=0) * len(known) + codes.max(axis=0)
    return np.where(codes.min(axis=0) >= 0, numbers, -1)


def _pair_contact(context: FeatureContext) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return timed acts between accounts of the dyads (pair, kind, at, amount) and the queries."""
    rows, acts = context.rows, context.library.acts
    pair = _number_pairs(context, acts["actor_id"], acts["target_id"])
    keep = acts["kind"].isin(ACT_KINDS).to_numpy(dtype=bool) & (pair >= 0)
    keep &= acts["at_us"].to_numpy() != UNKNOWN_US
    events = acts.loc[keep, ["kind", "amount"]].reset_index(drop=True)
    events = events.assign(pair=pair[keep], at=to_times(acts["at_us"].to_numpy()[keep]))
    numbers = _number_pairs(context, rows["initiator_id"], rows["decider_id"])
    queries = pd.DataFrame({"pair": numbers, "at": to_times(context.at_us)})
    return events[events["pair"].isin(numbers)].reset_index(drop=True), queries


def contact_log(context: FeatureContext, kinds: tuple[str, ...]) -> FloatArray:
    """Return log(1 + acts of these kinds between the two, both ways, in 28 days)."""
    events, queries = context.cached("pair_contact", lambda: _pair_contact(context))
    events = events[events["kind"].isin(kinds).to_numpy(dtype=bool)]
    counted = count_before(events, queries, window_days=CONTACT_DAYS, by=["pair"])
    return context.where_watched(np.log1p(counted), *BOTH_ACT)


def days_since_contact_log(context: FeatureContext) -> FloatArray:
    """Return log(1 + days since the last act of either); with none, since both were watched."""
    events, queries = context.cached("pair_contact", lambda: _pair_contact(context))
    last = to_us(pd.Series(last_before(events, queries, by=["pair"])))
    watched = [context.watched(*one) for one in BOTH_ACT]
    known = watched[0][0] & watched[1][0]
    began = np.maximum(watched[0][1], watched[1][1])
    days = np.where(known, context.at_us - np.where(last == UNKNOWN_US, began, last), 0) / DAY_US
    return context.where_watched(np.log1p(days), *BOTH_ACT)


def untimed_contact_log(context: FeatureContext) -> FloatArray:
    """Return log(1 + acts between the two whose order against the follow is unknown)."""
    acts = select_acts(context.dataset, is_timed=False if context.is_dated else None)
    sums = acts.groupby(["actor_id", "target_id"])["amount"].sum()
    total = np.zeros(len(context.rows))
    for actor, target in (("initiator", "decider"), ("decider", "initiator")):
        pairs = context.rows[[f"{actor}_id", f"{target}_id"]].set_axis(sums.index.names, axis=1)
        found = pairs.merge(sums.reset_index(), on=["actor_id", "target_id"], how="left")
        total += found["amount"].fillna(0).to_numpy(dtype=np.float64)
    return np.log1p(total)


# -- distance --------------------------------------------------------------------------------------


def distance(context: FeatureContext) -> FloatArray:
    """Return the ties on the shortest way A→…→B: 2, 3, or 4 for anything farther."""
    return context.by_block(find_distances, needs_posts=False)


def find_distances(block: Block) -> FloatArray:
    """Return the distances of a block's dyads; NaN where no tie stands at all."""
    graph = block.graph
    if not len(graph.source):
        return np.full(len(block.pairs), np.nan)
    shape = (graph.node_count, graph.node_count)
    ties = sparse.csr_array((np.ones(len(graph.source)), (graph.source, graph.target)), shape=shape)
    back = sparse.csr_array(ties.T)
    left, right = block.node("initiator"), block.node("decider")
    values = np.full(len(left), 4.0)
    tied = np.flatnonzero((left >= 0) & (right >= 0))
    near = _meets_in_two(ties, back, left[tied], right[tied])
    values[tied[near]] = 2.0
    rest = tied[~near]
    values[rest[_meets_in_three(ties, back, left[rest], right[rest])]] = 3.0
    return values


def _meets_in_two(
    ties: sparse.csr_array, back: sparse.csr_array, left: IntArray, right: IntArray
) -> FlagArray:
    return sum_products(ties, left, back, right) > 0


def _meets_in_three(
    ties: sparse.csr_array, back: sparse.csr_array, left: IntArray, right: IntArray
) -> FlagArray:
    starts, row = np.unique(left, return_inverse=True)
    walks = np.cumsum((ties @ ties.sum(axis=1))[starts])
    part = (walks // WALK_CHUNK).astype(np.int64)
    meets = np.zeros(len(left), dtype=bool)
    for number in np.unique(part):
        chosen = np.flatnonzero(part[row] == number)
        reached = ties[starts[part == number]] @ ties
        own = row[chosen] - np.searchsorted(part, number)
        meets[chosen] = sum_products(reached, own, back, right[chosen]) > 0
    return meets


FEATURES: dict[str, FeatureFunction] = {
    "dyad_common_followees_log": lambda c: np.log1p(c.shared("common_followees")),
    "dyad_common_followers_log": lambda c: np.log1p(c.shared("common_followers")),
    "dyad_paths_out_log": lambda c: np.log1p(c.shared("paths_out")),
    "dyad_paths_back_log": lambda c: np.log1p(c.shared("paths_back")),
    "dyad_adamic_adar": lambda c: c.shared("adamic_adar"),
    "dyad_acts_from_decider_log": lambda c: acts_log(c, "decider", "initiator"),
    "dyad_untimed_contact_log": untimed_contact_log,
    **{
        f"dyad_{name}_contact_log": partial(contact_log, kinds=kinds) for name, kinds, _ in CONTACTS
    },
    "dyad_days_since_contact_log": days_since_contact_log,
    "dyad_distance": distance,
    "dyad_liked_posts_cosine": liked_posts_cosine,
    "initiator_first_hour_engagement_log": first_hour_engagement_log,
    "initiator_engagement_rate_log": engagement_rate_log,
    "initiator_below_median_share": below_median_share,
    "initiator_format_reach": format_reach,
    "initiator_video_share": video_share,
    "dyad_views_from_decider_log": views_log,
}

ENTRIES: tuple[Feature, ...] = (
    graph_feature(
        "dyad_common_followees_log",
        "4c",
        1,
        "accounts that both follow",
        "log(1 + number of x with A→x and B→x)",
        source=HOPCROFT,
    ),
    dated_feature(
        "dyad_acts_from_decider_log",
        "4c",
        1,
        "decider's acts towards the initiator",
        "log(1 + likes, comments, replies, mentions, shares, saves and messages B→A in "
        "[t − 28 days, t))",
        unit=PER_DOUBLING,
        tables=("interactions.at",),
    ),
    graph_feature(
        "dyad_common_followers_log",
        "4c",
        1,
        "accounts that follow both",
        "log(1 + number of x with x→A and x→B)",
        source=HOPCROFT,
    ),
    graph_feature(
        "dyad_paths_out_log",
        "4c",
        1,
        "initiator's followees who follow the decider",
        "log(1 + number of x with A→x and x→B)",
        source=CHENG,
    ),
    graph_feature(
        "dyad_paths_back_log",
        "4c",
        1,
        "decider's followees who follow the initiator",
        "log(1 + number of x with B→x and x→A)",
        source=CHENG,
    ),
    graph_feature(
        "dyad_adamic_adar",
        "4c",
        1,
        "shared neighbours, rare ones counting more",
        "sum of 1 / log(d(x)) over x tied in any direction to both; d(x) = distinct neighbours",
        unit=PER_UNIT,
        source=ADAMIC,
    ),
    untimed_feature(
        "dyad_untimed_contact_log",
        "4c",
        "contact, order unknown",
        "log(1 + acts between the two accounts, both ways, that carry no time)",
        unit=PER_DOUBLING,
        tables=("interactions",),
    ),
    *(
        dated_feature(
            f"dyad_{name}_contact_log",
            "4c",
            1,
            f"{words} between the two",
            f"log(1 + {words} A→B and B→A in [t − 28 days, t))",
            unit=PER_DOUBLING,
            tables=("interactions.at",),
            in_model=False,
        )
        for name, _, words in CONTACTS
    ),
    dated_feature(
        "dyad_days_since_contact_log",
        "4c",
        -1,
        "days since the two last had contact",
        "log(1 + days from the last like, comment, reply, mention, share, save or message A→B or "
        "B→A before t to t); with none yet, the days since both were watched",
        unit=PER_DOUBLING,
        tables=("interactions.at",),
        in_model=False,
    ),
    graph_feature(
        "dyad_distance",
        "4c",
        -1,
        "ties on the shortest way from initiator to decider",
        "number of ties on the shortest way A→…→B, 2 or 3, and 4 where it is longer or there is "
        "none; ties that stand at the end of the last 28-day block before t, without the pair's "
        "own; missing while no tie stands",
        unit=PER_UNIT,
        in_model=False,
    ),
    dated_feature(
        "dyad_liked_posts_cosine",
        "4a",
        1,
        "likeness of the initiator's posts to those the decider acted on",
        "cosine of the mean TF-IDF vector of A's posts in the last 28-day block that ends before "
        "t to that of the posts of others that B liked, commented on, replied to, shared or saved "
        "before that block ended, each once and A's left out; 0 where there are none",
        unit=PER_TENTH,
        tables=("posts.text+interactions.post_id",),
        in_snapshots=True,
    ),
    dated_feature(
        "initiator_first_hour_engagement_log",
        "4b",
        1,
        "engagement in the first hour per 100 followers of the initiator",
        "log(1 + 100 m / max(1, followers of A before t)); m = median over A's last 10 posts at "
        "least 1 h old when the last 28-day block before t ended of likes, comments, replies, "
        "shares and saves of others in [posted, posted + 1 h), or of the platform's own figure "
        "where it gives one. Without such a post: the mean of m over the accounts that have one",
        unit=PER_DOUBLING,
        tables=("posts.first_hour_engagement", "posts.posted_at+interactions.post_id"),
    ),
    dated_feature(
        "initiator_engagement_rate_log",
        "4b",
        1,
        "engagement with the initiator's posts per 100 followers",
        "log(1 + 100 m / max(1, followers of A before t)); m = median engagement of A's last 10 "
        "posts up to the last 28-day block that ends before t: likes, comments, replies, shares "
        "and saves of others known by then, or the platform's own counts where acts name no "
        "posts. Without such a post: the mean of m over the accounts that have one",
        unit=PER_DOUBLING,
        tables=tuple(f"posts.posted_at+{option}" for option in ENGAGED),
        in_model=False,
    ),
    dated_feature(
        "initiator_below_median_share",
        "4b",
        -1,
        "share of the initiator's posts with less engagement than usual at its size",
        "share of A's last 10 posts up to the last 28-day block that ends before t whose "
        "engagement is below the median of the last 10 posts of each account in A's third by "
        "followers: (k + 10 p) / (n + 10), p = the same share over all accounts",
        unit=PER_TEN_POINTS,
        tables=tuple(f"posts.posted_at+follows+{option}" for option in ENGAGED),
        in_model=False,
    ),
    dated_feature(
        "initiator_format_reach",
        "4d",
        1,
        "reach of the formats that the initiator uses",
        "sum over formats of A's share (n_f + 10 p_f) / (n + 10) of posts up to the last 28-day "
        "block that ends before t (p_f: all accounts) × premium. Premium: log(1 + mean engagement "
        "of others' posts of that block in the format) less the same of their image and text "
        "posts, means shrunk by 10 posts to that of all formats; 0 for image and text",
        unit=PER_TENTH,
        tables=tuple(f"posts.format+{option}" for option in ENGAGED),
        in_snapshots=True,
    ),
    dated_feature(
        "initiator_video_share",
        "4d",
        1,
        "share of videos and stories among the initiator's posts",
        "(videos and stories + 10 p) / (posts with a known format + 10), up to the last 28-day "
        "block that ends before t; p = the same share over all accounts",
        unit=PER_TEN_POINTS,
        tables=("posts.format",),
        in_snapshots=True,
        in_model=False,
    ),
    dated_feature(
        "dyad_views_from_decider_log",
        "4e",
        1,
        "decider's views of the initiator",
        "log(1 + views B→A before t); missing before the first view of anybody",
        unit=PER_DOUBLING,
        tables=("interactions.at",),
    ),
)

PRODUCTS: tuple[Product, ...] = ()

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "4a",
        "Feeds show what matches past likes: the more the initiator's recent posts are like those "
        "that the decider acted on, the more often the decider answers.",
        1,
        ("dyad_liked_posts_cosine",),
        # Nearly the same quantity: what the decider likes is most of what it consumes.
        not_adjusted=("dyad_consumed_cosine",),
    ),
    Claim(
        "4b",
        "Quick, high engagement is ranked up: the more reactions the initiator's posts draw in "
        "their first hour, for its size, the more often the decider answers.",
        1,
        ("initiator_first_hour_engagement_log",),
    ),
    Claim(
        "4c",
        "Past contact raises exposure: the more the decider has acted towards the initiator, the "
        "more often the decider answers.",
        1,
        ("dyad_acts_from_decider_log",),
    ),
    Claim(
        "4d",
        "Favoured formats travel further: the more the initiator posts in formats that reach more "
        "people, the more often the decider answers.",
        1,
        ("initiator_format_reach",),
    ),
    Claim(
        "4e",
        "The decider cannot answer what it never sees: the more often it has viewed the "
        "initiator, the more often it answers.",
        1,
        ("dyad_views_from_decider_log",),
    ),
    Claim(
        "4f",
        "Visibility rules change: what raises the initiator's visibility to the decider is worth "
        "more in one period than in another.",
        0,
        (
            "dyad_liked_posts_cosine",
            "initiator_first_hour_engagement_log",
            "dyad_acts_from_decider_log",
            "initiator_format_reach",
        ),
        "period",
        not_adjusted=("dyad_consumed_cosine",),
    ),
)
