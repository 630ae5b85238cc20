"""Factor 3, follower ratio: how selective the decider is, how the initiator stands.

Degrees are those of `FeatureContext.degrees`: as of t, at the crawl without the pair's own ties,
or on the graph without the dyad's fold. What else deciders look at is in `selectivity`.
"""

from __future__ import annotations

import numpy as np

from followkit.features.claim import Claim
from followkit.features.context import FeatureContext, FeatureFunction, FloatArray
from followkit.features.feature import (
    DOUBLING,
    FOLLOWS_OR_COUNTS,
    PER_TEN_POINTS,
    PER_UNIT,
    YES_OR_NO,
    Feature,
    Product,
    Side,
    graph_feature,
)
from followkit.features.literature import CHENG, HOPCROFT

#: The log of followees per follower from which on an initiator follows too many: two to one.
SPAM_THRESHOLD = DOUBLING


def exceed_threshold(ratio_log: FloatArray) -> FloatArray:
    """Return by how much the log of followees per follower exceeds log 2; 0 below.

    Examples
    --------
    >>> exceed_threshold(np.log([4.0, 0.5, 0.125])).round(3).tolist()
    [0.0, 0.0, 1.386]
    """
    return np.maximum(0.0, -ratio_log - SPAM_THRESHOLD)


def follower_ratio_log(context: FeatureContext, side: Side) -> FloatArray:
    """Return log((followers + 1) / (followees + 1)) of one side."""
    followees, followers = context.degrees(side)
    return np.log((followers + 1.0) / (followees + 1.0))


def follower_count_log(context: FeatureContext, side: Side) -> FloatArray:
    """Return log(1 + followers) of one side."""
    return np.log1p(context.degrees(side)[1])


FEATURES: dict[str, FeatureFunction] = {
    "decider_ratio_log": lambda c: follower_ratio_log(c, "decider"),
    "decider_follow_back_rate": lambda c: c.record("decider").shrunk(),
    "has_decider_history": lambda c: (c.record("decider").received > 0).astype(np.float64),
    "initiator_ratio_log": lambda c: follower_ratio_log(c, "initiator"),
    "initiator_ratio_log_squared": lambda c: follower_ratio_log(c, "initiator") ** 2,
    "initiator_followee_count_log": lambda c: np.log1p(c.degrees("initiator")[0]),
    "dyad_ratio_gap": lambda c: (
        follower_ratio_log(c, "decider") - follower_ratio_log(c, "initiator")
    ),
    "dyad_follower_gap_log": lambda c: (
        follower_count_log(c, "decider") - follower_count_log(c, "initiator")
    ),
    "decider_follower_count_log": lambda c: follower_count_log(c, "decider"),
}

ENTRIES: tuple[Feature, ...] = (
    graph_feature(
        "decider_ratio_log",
        "3a",
        -1,
        "decider's followers per followee",
        "log((followers + 1) / (followees + 1)) of the decider",
        tables=FOLLOWS_OR_COUNTS,
        source=CHENG,
    ),
    graph_feature(
        "initiator_ratio_log",
        "3f",
        1,
        "initiator's followers per followee",
        "log((followers + 1) / (followees + 1)) of the initiator",
        tables=FOLLOWS_OR_COUNTS,
        source=CHENG,
    ),
    graph_feature(
        "decider_follow_back_rate",
        "3a",
        1,
        "decider's past follow-back rate",
        "(answered + 10 p) / (received + 10): follows that the decider received before t − H, and "
        "those of them answered within H while they stood (equal stamps count as answered); p is "
        "the pooled rate "
        "(answered + 1) / (received + 2) over all deciders as of t. Crawl and snapshot: mutual "
        "ties over follows received, on the graph without the pair (crawl) or the fold (snapshot)",
        unit=PER_TEN_POINTS,
        source=CHENG,
    ),
    graph_feature(
        "has_decider_history",
        "3a",
        0,
        "decider has received follows before",
        "1 where the past follow-back rate rests on at least one follow received, else 0",
        unit=YES_OR_NO,
    ),
    graph_feature(
        "initiator_ratio_log_squared",
        "3e",
        -1,
        "initiator's follower ratio, squared",
        "square of initiator_ratio_log (0 at balance)",
        unit=PER_UNIT,
        tables=FOLLOWS_OR_COUNTS,
    ),
    graph_feature(
        "initiator_followee_count_log",
        "3f",
        -1,
        "accounts that the initiator follows",
        "log(1 + followees of the initiator)",
        tables=FOLLOWS_OR_COUNTS,
        source=CHENG,
    ),
    graph_feature(
        "dyad_follower_gap_log",
        "3g",
        -1,
        "how far the decider stands above the initiator",
        "log(1 + followers of the decider) − log(1 + followers of the initiator)",
        tables=FOLLOWS_OR_COUNTS,
        source=HOPCROFT,
    ),
    graph_feature(
        "dyad_ratio_gap",
        "3g",
        -1,
        "how far the decider's ratio lies above the initiator's",
        "decider_ratio_log − initiator_ratio_log",
        tables=FOLLOWS_OR_COUNTS,
        in_model=False,
    ),
    graph_feature(
        "decider_follower_count_log",
        "3g",
        -1,
        "decider's followers",
        "log(1 + followers of the decider)",
        tables=FOLLOWS_OR_COUNTS,
        in_model=False,
        source=CHENG,
    ),
)

PRODUCTS: tuple[Product, ...] = ()

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "3a",
        "A decider with far more followers than followees is selective and answers less often.",
        -1,
        ("decider_ratio_log",),
        grade="observational",
        source=CHENG,
    ),
    Claim(
        "3e",
        "An initiator with a balanced ratio of followers to followees is answered by the decider "
        "more often than one at either extreme.",
        0,
        ("initiator_ratio_log", "initiator_ratio_log_squared"),
        "inverted_u",
    ),
    Claim(
        "3f",
        "Following few signals standing, without limit: the more followers per followee the "
        "initiator has, the more often the decider answers.",
        1,
        ("initiator_ratio_log",),
        "rival",
        grade="observational",
        source=CHENG,
    ),
    Claim(
        "3g",
        "The higher the decider stands above the initiator, the rarer the answer.",
        -1,
        ("dyad_follower_gap_log",),
        # At an equal ratio of the initiator its followers only tell how many it follows, and half
        # of the gap would be hidden. The decider's ratio stays: it is the rival explanation, that
        # such a decider is selective towards everyone (3a).
        not_adjusted=("initiator_ratio_log",),
        grade="observational",
        source=HOPCROFT,
    ),
)
