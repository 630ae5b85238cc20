"""Factor 4, algorithmic visibility: whether the decider sees the initiator at all.

Shared neighbours of the four directed kinds, and contact of both before t.
"""

from __future__ import annotations

import numpy as np

from followkit.features.claim import Claim
from followkit.features.context import FeatureContext, FeatureFunction, FloatArray, select_acts
from followkit.features.engagement import acts_log
from followkit.features.feature import (
    PER_DOUBLING,
    PER_UNIT,
    Feature,
    Product,
    dated_feature,
    graph_feature,
    untimed_feature,
)
from followkit.features.literature import ADAMIC, CHENG, HOPCROFT


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


FEATURES: dict[str, FeatureFunction] = {
    "dyad_common_followees_log": lambda c: np.log1p(c.shared("common_followees")),
    "dyad_common_followers_log": lambda c: np.log1p(c.shared("common_followers")),
    "dyad_paths_out_log": lambda c: np.log1p(c.shared("paths_out")),
    "dyad_paths_back_log": lambda c: np.log1p(c.shared("paths_back")),
    "dyad_adamic_adar": lambda c: c.shared("adamic_adar"),
    "dyad_acts_from_decider_log": lambda c: acts_log(c, "decider", "initiator"),
    "dyad_untimed_contact_log": untimed_contact_log,
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
)

PRODUCTS: tuple[Product, ...] = ()

CLAIMS: tuple[Claim, ...] = ()
