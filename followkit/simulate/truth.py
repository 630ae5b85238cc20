"""What is planted: catalogue features and the coefficients that decide about an answer.

Any timed feature of the catalogue can be planted by its name, as long as a town can give it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from followkit.errors import ParameterError, suggest
from followkit.features import CATALOGUE, find_reason
from followkit.tables import Dataset

INTERCEPT = -3.6
#: Log odds of an answer per unit of the catalogue feature: each factor has one at least.
PLANTED: dict[str, float] = {
    "initiator_originality_share": 1.20,
    "dyad_topic_cosine": 1.40,
    "decider_ratio_log": -0.45,
    "initiator_ratio_log": 0.35,
    "dyad_common_followees_log": 0.45,
    "initiator_posts_per_week_log": 0.40,
    "decider_actions_log": 0.30,
    "dyad_acts_to_decider_log": 0.60,
    "dyad_consumed_cosine": 1.00,
    "dyad_followees_follow_initiator_share": 5.00,
    "initiator_hashtag_mix": 0.50,
}
#: Share of the latent variance that a dyad shares with others of the same initiator or decider.
RHO_INITIATOR, RHO_DECIDER = 0.10, 0.20


def check_planted(planted: Mapping[str, float], town: Dataset) -> None:
    """Refuse to plant what is no feature, or what a town cannot give before the follow.

    Raises
    ------
    ParameterError
        With the name and the reason.
    """
    for name in planted:
        if name not in CATALOGUE:
            known = suggest(name, list(CATALOGUE))
            raise ParameterError(f"planted: no feature is called {name}; {known}")
        reason = find_reason(CATALOGUE[name], town, "timed")
        if reason:
            raise ParameterError(f"planted: a town cannot give {name} ({reason})")


def describe_truth(
    planted: Mapping[str, float],
    intercept: float,
    *,
    seed: int,
    horizon_days: float,
    base_rate: float,
    counts: Mapping[str, int],
) -> dict[str, Any]:
    """Return the truth as it is written beside the data."""
    terms = [
        {
            "feature": name,
            "coefficient": value,
            "unit": "log odds per unit of the feature",
            "formula": CATALOGUE[name].formula,
            "claim": CATALOGUE[name].claim,
            "expected_sign": CATALOGUE[name].expected_sign,
        }
        for name, value in planted.items()
    ]
    return {
        "question": "follow_back",
        "model": "P(answered within the horizon) = 1 / (1 + exp(-(intercept + sum of coefficient "
        "x feature))), marginally over the moods of both accounts; a feature that is not known "
        "yet (before the first 28-day block with posts) adds nothing",
        "horizon_days": horizon_days,
        "seed": seed,
        "base_rate": round(base_rate, 6),
        "coefficients": [
            {"feature": "intercept", "coefficient": intercept, "unit": "log odds"},
            *terms,
        ],
        "dependence": {
            "rho_initiator": RHO_INITIATOR,
            "rho_decider": RHO_DECIDER,
            "note": "moods are drawn anew each week, so no feature can carry one",
        },
        "not_planted": "every other catalogue feature has coefficient 0",
        "counts": dict(counts),
    }
