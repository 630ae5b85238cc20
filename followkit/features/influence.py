"""Factor 8, network influence: the reach and standing of the initiator's network."""

from __future__ import annotations

from followkit.features.claim import Claim
from followkit.features.context import FeatureFunction
from followkit.features.feature import FOLLOWS_OR_COUNTS, Feature, Product, graph_feature
from followkit.features.literature import CHENG
from followkit.features.ratio import follower_count_log

FEATURES: dict[str, FeatureFunction] = {
    "initiator_follower_count_log": lambda c: follower_count_log(c, "initiator"),
}

ENTRIES: tuple[Feature, ...] = (
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
)

PRODUCTS: tuple[Product, ...] = ()

CLAIMS: tuple[Claim, ...] = ()
