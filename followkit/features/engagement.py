"""Factor 6, engagement strategy: who is approached (6a), and how steadily (6d).

What comments say (6b) is in `commenting`, what posts are for and what is made of their engagement
(6c, 6e) in `purposes`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from followkit.features.acting import acts_topic_entropy, on_topic_share
from followkit.features.claim import Claim
from followkit.features.context import (
    FeatureContext,
    FeatureFunction,
    FloatArray,
)
from followkit.features.feature import (
    PER_DOUBLING,
    PER_TEN_POINTS,
    PER_TENTH,
    YES_OR_NO,
    Feature,
    Product,
    Side,
    dated_feature,
)
from followkit.features.literature import KIM_JO
from followkit.features.rhythm import longest_silence_log, posting_burstiness

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
    "dyad_on_topic_acts_share": lambda c: c.by_block(
        on_topic_share, ("initiator", "interactions"), ("decider", "posts")
    ),
    "initiator_acts_topic_entropy": lambda c: c.by_block(
        acts_topic_entropy, ("initiator", "interactions")
    ),
    "initiator_posting_burstiness": posting_burstiness,
    "initiator_longest_silence_days_log": longest_silence_log,
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
    dated_feature(
        "dyad_on_topic_acts_share",
        "6a",
        1,
        "share of the initiator's acts that go to posts on the decider's topic",
        "(k + 10 p) / (n + 10): n likes, comments, replies, shares and saves by the initiator up "
        "to the last 28-day block that ends before t, on known posts of others that have words, "
        "those of the decider left out; k of them on posts whose main topic is the decider's; "
        "p = (K + 1) / (N + c) over the acts of all accounts on posts of others, c the number of "
        "topics; 0 where the decider has no topic",
        unit=PER_TEN_POINTS,
        tables=("posts.text+interactions.post_id",),
        in_snapshots=True,
    ),
    dated_feature(
        "initiator_acts_topic_entropy",
        "6a",
        -1,
        "how scattered over topics the posts are that the initiator acts on",
        "(n H + 10 h) / (n + 10), H the entropy (nats) of the main topics of the posts of n likes, "
        "comments, replies, shares and saves by the initiator up to the last 28-day block that "
        "ends before t, on known posts of others that have words; h = Σ n H / Σ n over all "
        "accounts; h without such acts",
        unit=PER_TENTH,
        tables=("posts.text+interactions.post_id",),
        in_snapshots=True,
        in_model=False,
    ),
    replace(
        dated_feature(
            "initiator_posting_burstiness",
            "6d",
            -1,
            "how bursty the initiator's posting is",
            "(√(n + 1) r − √(n − 1)) / ((√(n + 1) − 2) r + √(n − 1)), r = standard deviation / "
            "mean of the n gaps (whole seconds) between the initiator's posts in [t − 26 weeks, "
            "t): −1 for equal gaps, about 0 for a Poisson rhythm, up to 1, which also stands where "
            "all come within one second; 0 with fewer than ten gaps, which show no rhythm",
            unit=PER_TENTH,
            tables=("posts.posted_at",),
            in_model=False,
        ),
        source=KIM_JO,
    ),
    dated_feature(
        "initiator_longest_silence_days_log",
        "6d",
        -1,
        "longest silence of the initiator in twelve weeks",
        "log(1 + days) of the longest stretch without a post in [s, t), the one before the first "
        "post and the open one up to t included, s = t − 84 days or, if that is later, when "
        "watching began; all of it where there is no post",
        unit=PER_DOUBLING,
        tables=("posts.posted_at",),
        in_model=False,
    ),
)

PRODUCTS: tuple[Product, ...] = ()

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "6a",
        "The more of its likes, comments and shares the initiator gives to posts on the decider's "
        "topic, the decider's own left out, the more often the decider answers.",
        1,
        # Acts towards the decider, and posts on its topic, stay among what is adjusted for: they
        # are other ways of turning to it, not ways in which this one works.
        ("dyad_on_topic_acts_share",),
    ),
    Claim(
        "6d",
        "The steadier the initiator posts, week by week, the more often the decider answers.",
        1,
        # Posts per week stay among what is adjusted for: how often (5a) and how steadily are asked
        # apart, and whoever posts often fills more weeks.
        ("initiator_posting_weeks_share",),
    ),
)
