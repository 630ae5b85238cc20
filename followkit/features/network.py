"""Network terms: shared neighbours of the four directed kinds (4c) and reach (8a)."""

from __future__ import annotations

import numpy as np

from followkit.features.context import FeatureFunction
from followkit.features.ratio import follower_count_log

FEATURES: dict[str, FeatureFunction] = {
    "dyad_common_followees_log": lambda c: np.log1p(c.shared("common_followees")),
    "dyad_common_followers_log": lambda c: np.log1p(c.shared("common_followers")),
    "dyad_paths_out_log": lambda c: np.log1p(c.shared("paths_out")),
    "dyad_paths_back_log": lambda c: np.log1p(c.shared("paths_back")),
    "dyad_adamic_adar": lambda c: c.shared("adamic_adar"),
    "initiator_follower_count_log": lambda c: follower_count_log(c, "initiator"),
}
