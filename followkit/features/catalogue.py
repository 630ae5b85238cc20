"""The catalogue: every feature and every claim, gathered from the modules of the factors.

A feature is one entry in the module of its factor and one function of the same name. The order is
the order of priority: when data can carry only three features, the first three that can be computed
are taken. Entries with `in_model=False` are exact sums of others, or details that refine the
headline of a claim: they are computed on request, and shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

import numpy as np

from followkit.features import (
    activity,
    audience,
    commenting,
    engagement,
    influence,
    looks,
    preferences,
    purposes,
    ratio,
    relevance,
    selectivity,
    triads,
    visibility,
    worth,
)
from followkit.features.claim import Claim
from followkit.features.context import FeatureFunction
from followkit.features.feature import (
    ALL_MODES,
    DATED_MODES,
    FACTORS,
    Feature,
    Mode,
    Product,
    Side,
    multiply_entries,
)
from followkit.features.meaning_claims import MEANING_CLAIMS

__all__ = [
    "ALL_MODES",
    "CATALOGUE",
    "CLAIMS",
    "DATED_MODES",
    "FACTORS",
    "FUNCTIONS",
    "Feature",
    "Mode",
    "Side",
    "make_catalogue",
]

#: A module a factor; `selectivity` is of factor 3 too, `triads` of factor 4, and two factors share
#: `looks`.
MODULES = (
    worth, looks, relevance, ratio, selectivity, visibility, triads, activity, engagement,
    commenting, purposes, preferences, influence, audience,
)  # fmt: skip

#: What comes first when data cannot carry everything; the rest follows factor by factor.
PRIORITY = (
    "decider_ratio_log",
    "dyad_common_followees_log",
    "initiator_ratio_log",
    "dyad_topic_cosine",
    "decider_follow_back_rate",
    "has_decider_history",
    "initiator_posts_per_week_log",
    "initiator_days_since_action_log",
    "dyad_acts_to_decider_log",
    "dyad_acts_from_decider_log",
    "initiator_posting_weeks_share",
    "decider_actions_log",
    "initiator_ratio_log_squared",
    "initiator_followee_count_log",
    "dyad_follower_gap_log",
    "dyad_common_followers_log",
    "dyad_paths_out_log",
    "dyad_paths_back_log",
    "dyad_adamic_adar",
    "dyad_has_contact_7d",
    "initiator_acts_per_week_log",
    "decider_days_since_action_log",
    "dyad_hashtag_jaccard",
    "dyad_same_language",
    "initiator_acting_weeks_share",
)


def make_catalogue(
    entries: Iterable[Feature], interactions: Iterable[Product] = ()
) -> dict[str, Feature]:
    """Return the entries by name in order of priority, refusing a name that comes twice.

    Raises
    ------
    ValueError
        If two entries share a name, or an interaction multiplies something that is no entry.
    """
    catalogue: dict[str, Feature] = {}
    singles = list(entries)
    alone = {entry.name: entry for entry in singles}
    for entry in chain(singles, (multiply_entries(one, alone) for one in interactions)):
        if entry.name in catalogue:
            raise ValueError(f"two catalogue entries are named {entry.name}")
        catalogue[entry.name] = entry
    first = [name for name in PRIORITY if name in catalogue]
    return {name: catalogue[name] for name in dict.fromkeys([*first, *catalogue])}


def _multiply(parts: tuple[str, ...]) -> FeatureFunction:
    """Return the function of an interaction: the product of its parts."""
    return lambda context: np.prod([context.feature(part) for part in parts], axis=0)


CATALOGUE: dict[str, Feature] = make_catalogue(
    chain.from_iterable(module.ENTRIES for module in MODULES),
    chain.from_iterable(module.PRODUCTS for module in MODULES),
)

#: name → function of a context.
FUNCTIONS: dict[str, FeatureFunction] = {
    **{name: _multiply(entry.parts) for name, entry in CATALOGUE.items() if entry.parts},
    **dict(chain.from_iterable(module.FEATURES.items() for module in MODULES)),
}

#: Every claim by its id, 0a to 9d.
CLAIMS: dict[str, Claim] = {
    claim.id: claim for claim in chain(MEANING_CLAIMS, *(module.CLAIMS for module in MODULES))
}
