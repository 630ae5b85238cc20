"""How long answers take one ego, how many come within the horizon, and what is left of the chance.

All dyads share the ego; given the ego each alter decides for itself. So intervals are those of
independent follows, and hold for this account only.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit.covariance import wilson_interval
from followkit.ego.alters import INVITING, UNDIRECTED, find_times
from followkit.ego.checks import EgoExport
from followkit.ego.results import EgoRate
from followkit.small_cells import FEWEST_SHOWN
from followkit.still_waiting import chance_after
from followkit.waiting import DAY

__all__ = [
    "AGES",
    "LANDMARK_DAYS",
    "SINCE_LABELS",
    "add_chances",
    "add_outcomes",
    "chance_by_acts",
    "chance_by_age",
    "count_left",
    "make_ego_waiting",
    "measure_rate",
]

FlagArray = npt.NDArray[np.bool_]

#: Ages of a follow, in days, at which the chance that is left is told.
AGES = (0.0, 1.0, 3.0, 7.0, 14.0, 30.0, 60.0, 90.0, 180.0, 365.0)
LANDMARK_DAYS = 7.0
SINCE_LABELS = {
    "alter": "they liked, answered or wrote to you in the 7 days after",
    "ego": "only you liked, answered or wrote to them in the 7 days after",
    "none": "no contact in the 7 days after",
}
#: Where messages are left out of what is compared, they may have passed all the same.
QUIET_BUT_MESSAGES = "no contact in the 7 days after, messages left out"
#: Ages of waiting follows are rounded down by the second number of days, up to an age of the first.
#: Most answers come within hours, so a young follow rounded to a day would look too hopeful.
ROUNDING = ((1.0, 1 / 24), (7.0, 0.25), (60.0, 1.0), (365.0, 7.0), (np.inf, 30.0))
WAITING_COLUMNS = ["initiator_id", "decider_id", "duration_days", "state"]
CHANCE_COLUMNS = ["landmark_days", "n", "answered_later", "watched_to_h", "chance", "ci_low",
                  "ci_high"]  # fmt: skip


def add_outcomes(alters: pd.DataFrame, export: EgoExport, horizon_days: float) -> pd.DataFrame:
    """Add is_in_rate and is_answered_in_time: what the follow-back rate counts."""
    masks = _sort_out(alters, export, horizon_days)
    left_out = np.logical_or.reduce([flags for _, flags, _ in masks])
    in_time = (alters["answer_days"] <= horizon_days).to_numpy(dtype=bool)
    return alters.assign(is_in_rate=~left_out, is_answered_in_time=~left_out & in_time)


def measure_rate(
    alters: pd.DataFrame, export: EgoExport, horizon_days: float, confidence: float
) -> EgoRate:
    """Return the follow-back rate of `add_outcomes(alters, …)`, with its census."""
    steps = [("accounts tied to you now or once", len(alters), "")]
    left = np.ones(len(alters), dtype=bool)
    too_young = 0
    for step, flags, note in _sort_out(alters, export, horizon_days):
        gone = int((left & flags).sum())
        too_young = gone if step == TOO_YOUNG else too_young
        steps.append((step, gone, note))
        left &= ~flags
    rows = alters[alters["is_in_rate"]]
    answered = rows[rows["is_answered_in_time"]]
    now = int(rows["alter_follows"].sum())
    steps.append(("follows in the rate", len(rows), "yours came first, and it is old enough"))
    return EgoRate(
        len(rows), len(answered), *_share(len(answered), len(rows), confidence),
        now, *_share(now, len(rows), confidence),
        same_time_count=int((answered["who_first"] == "same_time").sum()),
        automatic_count=int(answered["is_automatic"].sum()), too_young_count=too_young,
        census=pd.DataFrame(steps, columns=["step", "count", "note"]),
    )  # fmt: skip


TOO_YOUNG = "too young"


def _sort_out(
    alters: pd.DataFrame, export: EgoExport, horizon_days: float
) -> list[tuple[str, FlagArray, str]]:
    """Return who is not in the rate, and why; a row counts under the first reason that holds."""
    state, first = alters["state"], alters["who_first"]
    is_pending = (state == "pending") & (export.platform not in INVITING)
    is_connection = (first == "same_time") & (export.platform in UNDIRECTED)
    # Whoever may be out of reach is left out whether they answered or not: their silence tells
    # nothing, so to keep their answers alone would raise the rate.
    is_unknown = (state == "unknown") | alters["is_shut_out"]
    is_unknown |= (alters["account_state"] == "unknown") & (export.platform not in INVITING)
    age = (export.exported_at - alters["followed_at"]) / DAY
    rules = [
        ("deleted", state == "deleted", "somebody who is gone cannot answer"),
        ("requests", is_pending | (state == "received_request"), "not answered, not refused"),
        ("unknown", is_unknown, "a list is cut off, or one of you is out of reach"),
        ("they followed first", first == "alter", "then you are the one who answers"),
        ("one tie for both", is_connection, "a connection does not say who asked"),
        ("who came first is unknown", first == "unknown", "a time is missing"),
        ("without a time", alters["followed_at"].isna(), "its age is unknown"),
        (TOO_YOUNG, age < horizon_days, "made less than the horizon before the export"),
    ]
    return [(step, flags.to_numpy(dtype=bool), note) for step, flags, note in rules]


def _share(count: int, n: int, confidence: float) -> tuple[float, float, float]:
    if not n:
        return np.nan, np.nan, np.nan
    return (count / n, *wilson_interval(count, n, confidence))


def make_ego_waiting(alters: pd.DataFrame, export: EgoExport) -> pd.DataFrame:
    """Return every follow that the ego started and that could be answered, the young ones too.

    Those that nobody can answer (deleted, unknown), requests, and connections without an asker are
    left out as in the rate. A wait ends with the answer, the ego's withdrawal or the export.

    Returns
    -------
    pandas.DataFrame
        initiator_id, decider_id, duration_days, state (answered, withdrawn, censored), sorted by
        decider.
    """
    masks = [flags for step, flags, _ in _sort_out(alters, export, 0.0) if step != TOO_YOUNG]
    rows = alters[~np.logical_or.reduce(masks)]
    # A stamp of the day after the export is still believed; its wait is 0, not negative.
    answer = rows["answer_days"].to_numpy(float)
    withdrawn = ((rows["withdrawn_at"] - rows["followed_at"]) / DAY).to_numpy(float)
    end = ((export.exported_at - rows["followed_at"]) / DAY).clip(lower=0.0).to_numpy(float)
    is_answered, is_withdrawn = np.isfinite(answer), np.isfinite(withdrawn)
    days = np.where(is_answered, answer, np.where(is_withdrawn, withdrawn, end))
    state = np.where(is_answered, "answered", np.where(is_withdrawn, "withdrawn", "censored"))
    table = pd.DataFrame(
        {"initiator_id": export.ego, "decider_id": rows["alter_id"].to_numpy(),
         "duration_days": days.clip(0.0), "state": state}
    )  # fmt: skip
    return table[WAITING_COLUMNS].reset_index(drop=True)


def chance_by_age(
    waiting: pd.DataFrame, ages: list[float], *, days: float, confidence: float
) -> pd.DataFrame:
    """Return P(answered within the next so many days | unanswered at an age), for several ages.

    Columns as in `followkit.still_waiting.chance_after`; ages that no follow has reached are left
    out. Where under 5 follows are left, the chance is missing: so few tell nothing.

    Examples
    --------
    >>> waiting = pd.DataFrame({"initiator_id": "me", "decider_id": list("efghij"),
    ...     "duration_days": [0.5, 4.0] + [40.0] * 4, "state": ["answered"] * 2 + ["censored"] * 4})
    >>> chance_by_age(waiting, [1.0], days=10.0, confidence=0.95)[["n", "chance"]].round(3).values
    array([[5. , 0.2]])
    """
    if waiting.empty or not ages:
        return pd.DataFrame(columns=CHANCE_COLUMNS)
    lines = [
        chance_after(waiting, [age], horizon_days=age + days, confidence=confidence) for age in ages
    ]
    table = pd.concat(lines, ignore_index=True)
    is_few = (table["n"] < FEWEST_SHOWN).to_numpy(dtype=bool)
    told = ["chance", "ci_low", "ci_high"]
    table[told] = table[told].astype(float).mask(np.broadcast_to(is_few[:, None], (len(table), 3)))
    return table[(table["n"] > 0).to_numpy(dtype=bool)].reset_index(drop=True)


def add_chances(
    alters: pd.DataFrame, waiting: pd.DataFrame, *, days: float, confidence: float
) -> pd.DataFrame:
    """Add still_age_days and the chance that a waiting follow is answered within the next days."""
    wait = alters["waiting_days"].to_numpy(float)
    limits, steps = (list(column) for column in zip(*ROUNDING, strict=True))
    step = np.select([wait < limit for limit in limits], steps, steps[-1])
    age = np.floor(wait / step) * step
    ages = sorted(set(age[np.isfinite(age)].tolist()))
    found = chance_by_age(waiting, ages, days=days, confidence=confidence)
    lookup = found.set_index("landmark_days")[["chance", "ci_low", "ci_high"]].astype(float)
    values = lookup.reindex(age).to_numpy(float)
    names = ("probability_still", "still_low", "still_high")
    return alters.assign(still_age_days=age, **dict(zip(names, values.T, strict=True)))


def chance_by_acts(
    alters: pd.DataFrame, acts: pd.DataFrame, waiting: pd.DataFrame, *, begin: pd.Timestamp,
    days: float, confidence: float, has_messages: bool = True,
) -> pd.DataFrame:  # fmt: skip
    """Return the chance of follows unanswered after 7 days, by who acted in these 7 days.

    Groups are fixed by what happened up to the landmark, outcomes by what came after it. Follows
    made before `begin`, since when acts are in the export, are left out: silence is not seen there.

    Returns
    -------
    pandas.DataFrame
        label, n (unanswered after 7 days), answered_later, chance (within the next so many days),
        ci_low, ci_high; missing where n is under 5; empty where no act has a time.
    """
    columns = ["label", "n", "answered_later", "chance", "ci_low", "ci_high"]
    timed = acts[acts["group"].notna() & acts["at"].notna()]
    if timed.empty or waiting.empty:
        return pd.DataFrame(columns=columns)
    opened = alters.set_index("alter_id")["followed_at"]
    is_seen = (find_times(waiting["decider_id"], opened) >= begin).to_numpy(dtype=bool)
    waiting = waiting[is_seen]
    first = find_times(timed["alter_id"], opened)
    since = (timed["at"] - first) / DAY
    recent = timed[((since >= 0) & (since <= LANDMARK_DAYS)).to_numpy(dtype=bool)]
    sides = {side: set(part["alter_id"]) for side, part in recent.groupby("side")}
    by_alter = waiting["decider_id"].isin(sides.get("alter", set())).to_numpy(dtype=bool)
    by_ego = waiting["decider_id"].isin(sides.get("ego", set())).to_numpy(dtype=bool)
    group = np.select([by_alter, by_ego], ["alter", "ego"], "none")
    lines = []
    labels = SINCE_LABELS if has_messages else SINCE_LABELS | {"none": QUIET_BUT_MESSAGES}
    for name, label in labels.items():
        part = waiting[group == name]
        found = chance_by_age(part, [LANDMARK_DAYS], days=days, confidence=confidence)
        lines += [found.assign(label=label)] * (len(found) > 0)
    if not lines:
        return pd.DataFrame(columns=columns)
    table = pd.concat(lines, ignore_index=True)[columns]
    few = table["n"] < FEWEST_SHOWN
    return table.assign(answered_later=table["answered_later"].astype("Int64").mask(few))


def count_left(alters: pd.DataFrame) -> pd.DataFrame:
    """Return who followed and left again, seen in joined exports; empty where none is dated.

    Columns step, count, note.
    """
    left = alters[alters["left_before_at"].notna()]
    if left.empty:
        return pd.DataFrame(columns=["step", "count", "note"])
    first = left["who_first"]
    rows = [
        ("followed you once and left", len(left), "between two of your exports"),
        ("of them, after you had followed first", int((first == "ego").sum()),
         "they followed back and left again"),
        ("of them, you still follow", int(left["ego_follows"].sum()), ""),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["step", "count", "note"])
