"""Factor 3, follower ratio: how selective the decider is, how the initiator stands.

Degrees are those of `FeatureContext.degrees`: as of t, at the crawl without the pair's own ties,
or on the graph without the dyad's fold.
"""

from __future__ import annotations

import numpy as np

from followkit.features.catalogue import Side
from followkit.features.context import FeatureContext, FeatureFunction, FloatArray


def follower_ratio_log(context: FeatureContext, side: Side) -> FloatArray:
    """Return log((followers + 1) / (followees + 1)) of one side."""
    followees, followers = context.degrees(side)
    return np.log((followers + 1.0) / (followees + 1.0))


def follower_count_log(context: FeatureContext, side: Side) -> FloatArray:
    """Return log(1 + followers) of one side."""
    return np.log1p(context.degrees(side)[1])


FEATURES: dict[str, FeatureFunction] = {
    "decider_ratio_log": lambda c: follower_ratio_log(c, "decider"),
    "decider_follow_back_rate": lambda c: c.decider_record.shrunk(),
    "has_decider_history": lambda c: (c.decider_record.received > 0).astype(np.float64),
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
