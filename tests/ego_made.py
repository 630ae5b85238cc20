"""Personal studies made up by hand: every state, hostile names, refused, without times."""

from __future__ import annotations

from typing import Any

import hostile
import numpy as np
import pandas as pd

from followkit.ego.results import (
    STATE_LABELS,
    STATE_REASONS,
    EgoModel,
    EgoRate,
    EgoStudy,
    Trust,
)
from followkit.latency import LatencySummary
from followkit.pseudonyms import PUBLIC_KEY, AccountNames, make_pseudonyms
from followkit.tables import Dataset, make_dataset

EXPORTED = pd.Timestamp("2026-08-11 18:42", tz="UTC")
FLAGS = ("is_close_friend", "is_favorite", "is_restricted", "is_hidden_from", "is_dismissed")
STATES = list(STATE_LABELS)


def name_alter(number: int, *, is_hostile: bool = False) -> str:
    """Return a handle; a hostile one is a payload with a number behind it."""
    if is_hostile:
        return f"{hostile.PAYLOADS[number % len(hostile.PAYLOADS)]} {number}"
    return f"alter.{number:03d}"


def make_alters(count: int = 90, *, is_hostile: bool = False) -> pd.DataFrame:
    """Return alters of every state; each third is mutual and answered within days."""
    rows = []
    for number in range(count):
        state = ("mutual", "not_following_back", STATES[number // 3 % len(STATES)])[number % 3]
        followed = EXPORTED - pd.Timedelta(days=3 * number + 1, hours=number % 7)
        answered = followed + pd.Timedelta(days=1 + number % 9)
        is_mutual, is_open = state == "mutual", state == "not_following_back"
        first = ("ego", "alter", "same_time")[number % 3] if is_mutual else "unknown"
        rows.append({
            "alter_id": name_alter(number, is_hostile=is_hostile),
            "display_name": f"Dís Name {number}" if number % 2 else None,
            "state": state, "who_first": "ego" if is_open else first,
            "ego_followed_at": followed if is_mutual or is_open else pd.NaT,
            "alter_followed_at": answered if is_mutual or state == "fan" else pd.NaT,
            "requested_at": followed if state in ("pending", "received_request") else pd.NaT,
            "answer_days": 1.0 + number % 9 if is_mutual else np.nan,
            "waiting_days": 3.0 * number + 1 if is_open else np.nan,
            "probability_still": 0.4 / (1 + number) if is_open else np.nan,
            "still_low": 0.2 / (1 + number) if is_open else np.nan,
            "still_high": 0.8 / (1 + number) if is_open else np.nan,
            "reason": name_alter(3, is_hostile=True) if is_hostile else f"said of {state}",
            "suggestion": "no action",
            **dict.fromkeys(FLAGS[:2], number % 11 == 5), **dict.fromkeys(FLAGS[2:], False),
        })  # fmt: skip
    frame = pd.DataFrame(rows).sort_values("alter_id", ignore_index=True)
    for column in ("ego_followed_at", "alter_followed_at", "requested_at"):
        frame[column] = pd.to_datetime(frame[column], utc=True)
    return frame


def make_names(alters: pd.DataFrame, *, are_shown: bool = True) -> AccountNames:
    """Return what the alters are called: by their ids, or by pseudonyms."""
    ids = list(alters["alter_id"])
    names = {one: one for one in ids} if are_shown else make_pseudonyms(ids, PUBLIC_KEY)
    return AccountNames(make_world(ids), names, are_shown=are_shown)


def make_world(ids: list[str]) -> Dataset:
    """Return a data set in which an ego follows each of the accounts."""
    return make_dataset({"follows": pd.DataFrame({"follower_id": "me", "followee_id": ids})})


def make_trust(verdict: Any = "ok", said: str = "The list is cut.") -> Trust:
    """Return what was found of the lists."""
    checks = pd.DataFrame({
        "name": ["date range", "both lists"], "value": [said, "present"],
        "verdict": [verdict if verdict != "ok" else "note", "ok"],
        "remedy": ["Ask for an export of “All time”.", ""],
    })  # fmt: skip
    lists = pd.DataFrame({
        "kind": ["followers", "following"], "label": ["your followers", "people you follow"],
        "state": ["cut" if verdict == "refuse" else "whole", "whole"], "count": [118, 298],
        "timed_count": [118, 290], "files": [1, 1],
    })  # fmt: skip
    told = (said,)
    return Trust(
        verdict, told if verdict == "refuse" else (),
        ("Ask for an export of “All time”.",) if verdict != "ok" else (),
        told if verdict == "warn" else (), checks, lists,
    )  # fmt: skip


def make_study(
    verdict: Any = "ok", *, count: int = 90, is_hostile: bool = False, is_better: bool = True,
    has_times: bool = True, said: str = "The list is cut.",
) -> EgoStudy:  # fmt: skip
    """Return a study whose numbers are fixed: 131 of 240 answered in time."""
    is_refused = verdict == "refuse"
    alters = make_alters(count, is_hostile=is_hostile)
    alters = alters.iloc[0:0] if is_refused else alters
    counts = alters["state"].value_counts()
    states = pd.DataFrame({
        "state": STATES, "label": list(STATE_LABELS.values()),
        "count": [int(counts.get(state, 0)) for state in STATES],
        "reason": [STATE_REASONS[state] for state in STATES],
    })  # fmt: skip
    is_timed = has_times and not is_refused
    return EgoStudy(
        ego="me", platform="instagram", exported_at=EXPORTED, is_export_time_known=True,
        horizon_days=30.0, confidence=0.95, seed=0, has_times=has_times,
        trust=make_trust(verdict, said), alters=alters, states=states,
        rate=_make_rate() if is_timed else None, waiting=pd.DataFrame(),
        latency=_make_latency() if is_timed else None, curve=_make_curve(empty=not is_timed),
        still=_make_still(empty=not is_timed), since=_make_shares(empty=not is_timed),
        contacts=_make_contacts(empty=not is_timed),
        model=_make_model(is_better=is_better and is_timed), left=pd.DataFrame(),
        notes=("A decision on the way.",),
    )  # fmt: skip


def _make_rate() -> EgoRate:
    census = pd.DataFrame({"step": ["accounts around you", "you started, old enough"],
                           "count": [300, 240], "note": ["", ""]})  # fmt: skip
    return EgoRate(240, 131, 131 / 240, 0.483, 0.607, 140, 140 / 240, 0.52, 0.643, 2, 3, 17, census)


def _make_latency() -> LatencySummary:
    return LatencySummary(257, 140, 110, 7, 140 / 257, 2, 1.5, np.nan, np.nan, np.nan, 900.0)


def _make_curve(*, empty: bool) -> pd.DataFrame:
    days = np.array([0.01, 0.1, 0.5, 1, 2, 5, 10, 30, 90, 400])
    share = np.linspace(0.02, 0.6, len(days))
    made = pd.DataFrame({"duration_days": days, "incidence": share, "ci_low": share * 0.8,
                         "ci_high": share * 1.15, "at_risk": np.arange(257, 57, -20)})  # fmt: skip
    return made.iloc[0:0] if empty else made


def _make_still(*, empty: bool) -> pd.DataFrame:
    made = pd.DataFrame({
        "landmark_days": [0.0, 7.0, 30.0, 90.0, 365.0], "n": [257, 150, 120, 80, 40],
        "answered_later": [131, 20, 6, 2, 0], "watched_to_h": [240, 140, 110, 70, 30],
        "chance": [0.546, 0.14, 0.05, 0.02, np.nan], "ci_low": [0.48, 0.09, 0.02, 0.004, np.nan],
        "ci_high": [0.61, 0.21, 0.11, 0.08, np.nan],
    })  # fmt: skip
    return made.iloc[0:0] if empty else made


def _make_shares(*, empty: bool) -> pd.DataFrame:
    made = pd.DataFrame({"label": ["you wrote or liked", "nothing"], "n": [12, 138],
                         "answered_later": [5, 15], "chance": [0.42, 0.11], "ci_low": [0.19, 0.07],
                         "ci_high": [0.68, 0.17]})  # fmt: skip
    return made.iloc[0:0] if empty else made


def _make_contacts(*, empty: bool) -> pd.DataFrame:
    made = pd.DataFrame({
        "contact": ["message", "like", "none"],
        "label": ["you wrote to each other", "you liked a post", "no contact"],
        "n": [9, 60, 171], "answered": [7, 40, 84], "rate": [7 / 9, 2 / 3, 84 / 171],
        "ci_low": [0.45, 0.54, 0.42], "ci_high": [0.94, 0.77, 0.57],
    })  # fmt: skip
    return made.iloc[0:0] if empty else made


def _make_model(*, is_better: bool) -> EgoModel:
    features = pd.DataFrame({"name": ["likes_log"], "label": ["your likes before"],
                             "unit": ["doubled"], "in_model": [True], "note": [""]})  # fmt: skip
    tests = pd.DataFrame({
        "test": ["held out at random"], "n": [240], "answered": [131], "base_loss": [0.689],
        "model_loss": [0.655], "gain": [0.034], "gain_low": [0.004], "gain_high": [0.064],
        "auc": [0.66], "auc_low": [0.59], "auc_high": [0.72],
    })  # fmt: skip
    effects = pd.DataFrame({
        "term": ["likes_log"], "label": ["your likes before"], "unit": ["doubled"],
        "odds_ratio": [1.8], "ci_low": [1.2], "ci_high": [2.7], "p_value": [0.004],
        "p_holm": [0.004],
        "effect": [0.12], "effect_low": [0.04], "effect_high": [0.2],
    })  # fmt: skip
    said = "Your own data say more." if is_better else "Too few data: the base rate is all."
    return EgoModel(
        "better" if is_better else "too_few", said, 240, 131, 131 / 240, features,
        tests if is_better else tests.iloc[0:0], 1.0, pd.DataFrame(),
        effects if is_better else effects.iloc[0:0], ("A note on the fit.",),
    )  # fmt: skip
