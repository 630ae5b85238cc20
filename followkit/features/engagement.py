"""Factor 6, engagement strategy, and contact (4c): who approached whom, and how steadily."""

from __future__ import annotations

import numpy as np

from followkit.features.catalogue import Side
from followkit.features.context import (
    FeatureContext,
    FeatureFunction,
    FloatArray,
    select_acts,
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
    "dyad_acts_to_decider_log": lambda c: acts_log(c, "initiator", "decider"),
    "dyad_acts_from_decider_log": lambda c: acts_log(c, "decider", "initiator"),
    "dyad_has_contact_7d": has_contact,
    "initiator_posting_weeks_share": lambda c: active_weeks_share(c, "posts"),
    "initiator_acting_weeks_share": lambda c: active_weeks_share(c, "interactions"),
    "dyad_untimed_contact_log": untimed_contact_log,
}
