"""Dyads made of plain arrays: a problem with planted effects, and held-out dyads."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit

from followkit import covariance as cov
from followkit import scores as sc
from followkit.dyads import DyadSet
from followkit.evaluate import CHENG_SET, TRIAD_SET
from followkit.features import FeatureTable

NAMES = (*CHENG_SET, "decider_follow_back_rate", "dyad_topic_cosine")


def make_problem(
    seed: int = 0, size: int = 1500, accounts: int = 120
) -> tuple[DyadSet, FeatureTable]:
    """Return dyads and features with planted effects: both ratios, degrees and topics matter."""
    rng = np.random.default_rng(seed)
    initiator = rng.integers(0, accounts, size)
    decider = (initiator + rng.integers(1, accounts, size)) % accounts
    values = pd.DataFrame(rng.normal(size=(size, len(NAMES))), columns=list(NAMES))
    values["decider_follow_back_rate"] = expit(rng.normal(-1, 0.5, size))
    noise = np.random.default_rng(seed + 1000).poisson(2, (size, len(TRIAD_SET)))
    logit = 1.2 * values["dyad_topic_cosine"] - 0.8 * values["decider_ratio_log"] - 0.8
    logit += 0.7 * values["initiator_ratio_log"] + 0.5 * values["decider_follower_count_log"]
    table = pd.DataFrame(
        {
            "dyad_id": np.arange(size),
            "initiator_id": initiator,
            "decider_id": decider,
            "at": pd.Timestamp("2026-01-01", tz="UTC"),
            "outcome": (rng.random(size) < expit(logit)).astype("int8"),
            "fold": rng.integers(0, 5, size),
            "weight": 1.0,
        }
    )
    # Triads say nothing here; they come last, so that the other columns stay as they are.
    values[list(TRIAD_SET)] = np.log1p(noise)
    values.index = pd.Index(table["dyad_id"], name="dyad_id")
    missing = pd.DataFrame(columns=["feature", "claim", "reason"])
    dyads = DyadSet("follow_back", table, pd.DataFrame(), 30.0, "timed", None, True)
    return dyads, FeatureTable(values, missing)


def hold_out(
    outcome: object, probability: object, *, group: object = None, weight: object = None
) -> sc.HeldOut:
    """Return held-out dyads that share no account, unless they are told to."""
    y = np.asarray(outcome, float)
    ids = np.arange(len(y))
    where = np.zeros(len(y), int) if group is None else np.asarray(group)
    mass = None if weight is None else np.asarray(weight, float)
    accounts = cov.code_accounts([f"a{k}" for k in ids], [f"b{k}" for k in ids])
    return sc.HeldOut(y, np.asarray(probability, float), accounts, where, weight=mass)
