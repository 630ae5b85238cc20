"""One account's own export: who follows the ego back, after how long, and how sure that is.

`results` holds what is known, `checks` whether the lists can be trusted; `alters`, `features`,
`model`, `waits` and `reasons` compute; `study` puts them together; `describe`, `figures`, `table`
and `sections` make the page.
"""

from __future__ import annotations

from followkit.ego.results import (
    ACT_GROUPS,
    LIMITS,
    STATE_LABELS,
    STATE_REASONS,
    AlterState,
    EgoModel,
    EgoRate,
    EgoStudy,
    ModelVerdict,
    Trust,
    WhoFirst,
)
from followkit.ego.study import ALTER_COLUMNS, study_ego

__all__ = [
    "ACT_GROUPS",
    "ALTER_COLUMNS",
    "LIMITS",
    "STATE_LABELS",
    "STATE_REASONS",
    "AlterState",
    "EgoModel",
    "EgoRate",
    "EgoStudy",
    "ModelVerdict",
    "Trust",
    "WhoFirst",
    "study_ego",
]
