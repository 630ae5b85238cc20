"""Factor 5, account activity: how much, how recently, and towards whom.

Posts, acts towards others (`followkit.features.context.ACT_KINDS`) and, for the decider, follows
made. Windows are half open, [t − w, t). A window that reaches back before watching began counts
what was seen. Whether frequency pays is asked together with what a post usually brings in.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from followkit.features.claim import Claim
from followkit.features.context import FeatureContext, FeatureFunction, FloatArray
from followkit.features.feature import (
    PER_DOUBLING,
    PER_UNIT,
    Feature,
    Product,
    Side,
    dated_feature,
)
from followkit.features.formats import find_latest
from followkit.features.pooling import of_initiators
from followkit.features.texts import ENGAGED, TextBlock
from followkit.features.ties import DAY_US, NEVER_US, UNKNOWN_US

WINDOW_DAYS = 28.0
WEEKS = 4.0
LATEST_POSTS = 30


def events_per_week_log(context: FeatureContext, side: Side, table: str) -> FloatArray:
    """Return log(1 + events of the last 28 days / 4), NaN where the account is not watched."""
    counted = context.count_events(side, table, WINDOW_DAYS)
    return context.where_watched(np.log1p(counted / WEEKS), (side, table))


def _tables(context: FeatureContext, side: Side) -> list[str]:
    # At a crawl the decider's own follows could hold the reverse tie, so they are left out.
    uses_follows = side == "decider" and context.mode == "timed"
    names = ["posts", "interactions"] + ["follows"] * uses_follows
    return [name for name in names if context.has_events(name)]


def actions_log(context: FeatureContext, side: Side) -> FloatArray:
    """Return log(1 + actions of the last 28 days) over the tables in which one is watched."""
    total = np.zeros(len(context.rows))
    known = np.zeros(len(context.rows), dtype=bool)
    for table in _tables(context, side):
        total += context.count_events(side, table, WINDOW_DAYS)
        known |= context.watched(side, table)[0]
    return np.where(known, np.log1p(total), np.nan)


def days_since_action_log(context: FeatureContext, side: Side) -> FloatArray:
    """Return log(1 + days since the last action); with none yet, since watching began."""
    since = np.full(len(context.rows), NEVER_US, dtype=np.int64)
    known = np.zeros(len(context.rows), dtype=bool)
    tables = _tables(context, side)
    for table in tables:
        flags, began = context.watched(side, table)
        known |= flags
        since = np.where(flags, np.minimum(since, began), since)
    last = context.last_event_us(side, tables)
    origin = np.where(last == UNKNOWN_US, since, last)
    days = np.where(known, context.at_us - origin, 0) / DAY_US
    return np.where(known, np.log1p(np.maximum(days, 0.0)), np.nan)


def median_engagement_log(text: TextBlock) -> FloatArray:
    """Return log(1 + median engagement of the last 30 posts), one value an account of `text.ids`.

    The last entry is the mean of the others; it also stands for accounts without a known figure.
    """
    latest = find_latest(text, np.ones(len(text.posts), dtype=bool), LATEST_POSTS)
    medians = pd.Series(text.engagement[latest]).groupby(text.owner[latest]).median()
    medians = np.log1p(medians).reindex(range(len(text.ids)))
    usual = medians.mean()
    return np.append(medians.fillna(usual).to_numpy(dtype=np.float64), usual)


def usual_engagement_log(context: FeatureContext) -> FloatArray:
    """Return the initiators' median engagement, known at the end of the last block before t."""
    return context.by_block(
        lambda block: of_initiators(block, median_engagement_log(block.text)),
        ("initiator", "posts"),
    )


FEATURES: dict[str, FeatureFunction] = {
    "initiator_posts_per_week_log": lambda c: events_per_week_log(c, "initiator", "posts"),
    "initiator_acts_per_week_log": lambda c: events_per_week_log(c, "initiator", "interactions"),
    "initiator_days_since_action_log": lambda c: days_since_action_log(c, "initiator"),
    "decider_actions_log": lambda c: actions_log(c, "decider"),
    "decider_days_since_action_log": lambda c: days_since_action_log(c, "decider"),
    "initiator_median_engagement_log": usual_engagement_log,
    "initiator_posts_per_week_log_squared": lambda c: (
        c.feature("initiator_posts_per_week_log") ** 2
    ),
}

ACTIONS = ("posts.posted_at", "interactions.at")

ENTRIES: tuple[Feature, ...] = (
    dated_feature(
        "initiator_posts_per_week_log",
        "5a",
        1,
        "initiator's posts per week",
        "log(1 + posts in [t − 28 days, t) / 4)",
        unit=PER_DOUBLING,
        tables=("posts.posted_at",),
    ),
    dated_feature(
        "initiator_days_since_action_log",
        "5b",
        -1,
        "days since the initiator last did anything",
        "log(1 + days from the last post or act towards others to t); with none yet, the days "
        "since watching began",
        unit=PER_DOUBLING,
        tables=ACTIONS,
    ),
    dated_feature(
        "decider_actions_log",
        "5e",
        1,
        "decider's actions in four weeks",
        "log(1 + posts, acts towards others and follows made in [t − 28 days, t)), from the "
        "tables there are",
        unit=PER_DOUBLING,
        tables=("posts.posted_at", "interactions.at", "follows.followed_at"),
    ),
    dated_feature(
        "initiator_acts_per_week_log",
        "5c",
        1,
        "initiator's acts towards others per week",
        "log(1 + acts towards others in [t − 28 days, t) / 4)",
        unit=PER_DOUBLING,
        tables=("interactions.at",),
    ),
    dated_feature(
        "decider_days_since_action_log",
        "5e",
        -1,
        "days since the decider last did anything",
        "log(1 + days from the last post, act towards others or follow made to t); with none "
        "yet, the days since watching began",
        unit=PER_DOUBLING,
        tables=("posts.posted_at", "interactions.at", "follows.followed_at"),
    ),
    dated_feature(
        "initiator_median_engagement_log",
        "5d",
        1,
        "usual engagement with the initiator's posts",
        "log(1 + median engagement of the initiator's last 30 posts up to the last 28-day block "
        "that ends before t): likes, comments, replies, shares and saves of others known by then, "
        "or the platform's own counts where acts name no posts; posts without a known figure are "
        "left out. Without any: the mean over the accounts that have one",
        unit=PER_DOUBLING,
        tables=(f"posts.posted_at+{ENGAGED[0]}", *ENGAGED[1:]),
        in_model=False,
    ),
    dated_feature(
        "initiator_posts_per_week_log_squared",
        "5d",
        -1,
        "initiator's posts per week, squared",
        "square of initiator_posts_per_week_log (0 without posts)",
        unit=PER_UNIT,
        tables=("posts.posted_at",),
        in_model=False,
    ),
)

PRODUCTS: tuple[Product, ...] = (
    Product(
        "initiator_posts_median_engagement",
        "5d",
        1,
        "posts per week of an initiator whose posts find engagement",
        ("initiator_posts_per_week_log", "initiator_median_engagement_log"),
    ),
    Product(
        "initiator_posts_self_repetition",
        "5d",
        -1,
        "posts per week of an initiator who repeats itself",
        ("initiator_posts_per_week_log", "initiator_self_repetition_share"),
    ),
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "5a",
        "The more often the initiator posts, the more often the decider answers.",
        1,
        ("initiator_posts_per_week_log",),
    ),
    Claim(
        "5b",
        "A dormant initiator is overlooked: the longer ago its last action, the rarer the "
        "decider's answer.",
        -1,
        ("initiator_days_since_action_log",),
        # Posts of the last four weeks and acts towards the decider are themselves actions, and
        # recent ones.
        not_adjusted=("initiator_posts_per_week_log", "dyad_acts_to_decider_log"),
    ),
    Claim(
        "5c",
        "The more the initiator likes, comments and shares what others post, the more often the "
        "decider answers.",
        1,
        ("initiator_acts_per_week_log",),
        # Acts towards the decider are among the acts towards others, and a way in which they
        # reach the decider.
        not_adjusted=("dyad_acts_to_decider_log",),
    ),
    Claim(
        "5d",
        "Posting often pays only with quality: the more engagement the initiator's posts find, "
        "the more each further post per week is worth with the decider.",
        1,
        ("initiator_posts_median_engagement",),
        "interaction",
    ),
    Claim(
        "5e",
        "A dormant decider cannot answer: the more the decider did in the last four weeks, the "
        "more often it answers.",
        1,
        ("decider_actions_log",),
    ),
)
