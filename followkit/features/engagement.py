"""Factor 6, engagement strategy, who approached whom, and how steadily."""

from __future__ import annotations

import numpy as np

from followkit.features.claim import Claim
from followkit.features.context import (
    FeatureContext,
    FeatureFunction,
    FloatArray,
)
from followkit.features.feature import (
    PER_DOUBLING,
    PER_TEN_POINTS,
    YES_OR_NO,
    Feature,
    Product,
    Side,
    dated_feature,
)

CONTACT_DAYS = 28.0
APPROACH_DAYS = 7.0
STEADY_WEEKS = 12


def acts_log(context: FeatureContext, actor: Side, target: Side) -> FloatArray:
    """Return log(1 + acts of one side towards the other in 28 days)."""
    counted = context.count_pair_acts(actor, target, CONTACT_DAYS)
    return context.where_watched(np.log1p(counted), (actor, "interactions"))


def has_contact(context: FeatureContext) -> FloatArray:
    """Return 1 where the initiator acted towards the decider in the 7 days before t."""
    counted = context.count_pair_acts("initiator", "decider", APPROACH_DAYS)
    flags = (counted > 0).astype(np.float64)
    return context.where_watched(flags, ("initiator", "interactions"))


def active_weeks_share(context: FeatureContext, table: str) -> FloatArray:
    """Return the share of the last 12 weeks in which the initiator has an event."""
    weeks = context.count_active_weeks("initiator", table, STEADY_WEEKS)
    return context.where_watched(weeks / STEADY_WEEKS, ("initiator", table))


FEATURES: dict[str, FeatureFunction] = {
    "dyad_acts_to_decider_log": lambda c: acts_log(c, "initiator", "decider"),
    "dyad_has_contact_7d": has_contact,
    "initiator_posting_weeks_share": lambda c: active_weeks_share(c, "posts"),
    "initiator_acting_weeks_share": lambda c: active_weeks_share(c, "interactions"),
}

ENTRIES: tuple[Feature, ...] = (
    dated_feature(
        "dyad_acts_to_decider_log",
        "6a",
        1,
        "initiator's acts towards the decider",
        "log(1 + likes, comments, replies, mentions, shares, saves and messages A→B in "
        "[t − 28 days, t))",
        unit=PER_DOUBLING,
        tables=("interactions.at",),
    ),
    dated_feature(
        "initiator_posting_weeks_share",
        "6d",
        1,
        "share of the last 12 weeks in which the initiator posted",
        "weeks [t − 7k days, t − 7(k − 1) days), k = 1…12, with a post / 12",
        unit=PER_TEN_POINTS,
        tables=("posts.posted_at",),
    ),
    dated_feature(
        "dyad_has_contact_7d",
        "6a",
        1,
        "initiator approached the decider in the week before",
        "1 where any act A→B lies in [t − 7 days, t), else 0",
        unit=YES_OR_NO,
        tables=("interactions.at",),
    ),
    dated_feature(
        "initiator_acting_weeks_share",
        "6d",
        1,
        "share of the last 12 weeks in which the initiator acted towards others",
        "weeks [t − 7k days, t − 7(k − 1) days), k = 1…12, with an act towards others / 12",
        unit=PER_TEN_POINTS,
        tables=("interactions.at",),
    ),
)

PRODUCTS: tuple[Product, ...] = ()

CLAIMS: tuple[Claim, ...] = ()
