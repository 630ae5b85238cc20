"""Factor 5, account activity: how much, how recently, and towards whom.

Posts, acts towards others (`followkit.features.context.ACT_KINDS`) and, for the decider, follows
made. Windows are half open, [t − w, t). A window that reaches back before watching began counts
what was seen.
"""

from __future__ import annotations

import numpy as np

from followkit.features.claim import Claim
from followkit.features.context import FeatureContext, FeatureFunction, FloatArray
from followkit.features.feature import PER_DOUBLING, Feature, Product, Side, dated_feature
from followkit.features.ties import DAY_US, NEVER_US, UNKNOWN_US

WINDOW_DAYS = 28.0
WEEKS = 4.0


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


FEATURES: dict[str, FeatureFunction] = {
    "initiator_posts_per_week_log": lambda c: events_per_week_log(c, "initiator", "posts"),
    "initiator_acts_per_week_log": lambda c: events_per_week_log(c, "initiator", "interactions"),
    "initiator_days_since_action_log": lambda c: days_since_action_log(c, "initiator"),
    "decider_actions_log": lambda c: actions_log(c, "decider"),
    "decider_days_since_action_log": lambda c: days_since_action_log(c, "decider"),
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
)

PRODUCTS: tuple[Product, ...] = ()

CLAIMS: tuple[Claim, ...] = ()
