"""What is planted: catalogue features and the coefficients that decide about an answer.

To plant another feature, add a line here and a way to compute it in `followkit.simulate.follows`.
"""

from __future__ import annotations

from typing import Any

from followkit.features.catalogue import CATALOGUE

INTERCEPT = -1.5
#: Log odds of an answer per unit of the catalogue feature.
PLANTED: dict[str, float] = {
    "decider_ratio_log": -0.45,
    "initiator_ratio_log": 0.35,
    "initiator_posts_per_week_log": 0.30,
    "dyad_topic_cosine": 1.80,
    "dyad_acts_to_decider_log": 0.60,
    "dyad_common_followees_log": 0.25,
}
#: Share of the latent variance that a dyad shares with others of the same initiator or decider.
RHO_INITIATOR, RHO_DECIDER = 0.10, 0.20


def describe_truth(seed: int, horizon_days: float, counts: dict[str, int]) -> dict[str, Any]:
    """Return the truth as it is written beside the data."""
    planted = [
        {
            "feature": name,
            "coefficient": value,
            "unit": "log odds per unit of the feature",
            "formula": CATALOGUE[name].formula,
            "claim": CATALOGUE[name].claim,
            "expected_sign": CATALOGUE[name].expected_sign,
        }
        for name, value in PLANTED.items()
    ]
    return {
        "question": "follow_back",
        "model": "P(answered within the horizon) = 1 / (1 + exp(-(intercept + sum of coefficient "
        "x feature))), marginally over the moods of both accounts",
        "horizon_days": horizon_days,
        "seed": seed,
        "coefficients": [
            {"feature": "intercept", "coefficient": INTERCEPT, "unit": "log odds"},
            *planted,
        ],
        "dependence": {
            "rho_initiator": RHO_INITIATOR,
            "rho_decider": RHO_DECIDER,
            "note": "moods are drawn anew each week, so no feature can carry one",
        },
        "not_planted": "every other catalogue feature has coefficient 0",
        "counts": counts,
    }
