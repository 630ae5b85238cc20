"""Two parts side by side in words, and as the rows that pictures draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from followkit import words
from followkit.analysis import Analysis
from followkit.changes import Changes
from followkit.describe import describe_obstacle, list_rows
from followkit.html import Summary
from followkit.pseudonyms import mask_segment

#: Features whose odds ratios are drawn; the table has them all.
MOST_EFFECTS = 8


def name_parts(
    changes: Changes, names: Sequence[str], segments: Sequence[str] = ("", "")
) -> tuple[str, str]:
    """Return what to call the two parts: as told, else by their segments.

    Parameters
    ----------
    changes
        Whose parts.
    names
        Two names; "" to have one made.
    segments
        The segments of the parts as they may be shown (`AccountNames.name_segment`); those of
        months without.
    """
    made = []
    for given, shown, part, usual in zip(
        names, segments, (changes.first, changes.second), ("first part", "second part"),
        strict=True,
    ):  # fmt: skip
        segment = shown or mask_segment(part.segment)
        made.append(given or segment.partition("=")[2] or usual)
    if made[0] == made[1]:
        made = [f"{made[0]} (first)", f"{made[1]} (second)"]
    return made[0], made[1]


def describe_change(changes: Changes, names: Sequence[str]) -> Summary:
    """Say how many were answered in either part, and by how much that differs."""
    table = pd.DataFrame(
        [(name, one.rate.n, one.rate.event_count, one.rate.rate, one.rate.ci_low, one.rate.ci_high)
         for name, one in zip(names, (changes.first, changes.second), strict=True)],
        columns=["label", "n", "answered", "rate", "ci_low", "ci_high"],
    )  # fmt: skip
    one, other = changes.first.rate, changes.second.rate
    value, low, high = changes.difference
    text = (
        f"{words.percent(one.rate)} of {words.count(one.n, 'dyad')} were answered in the first "
        f"part ({names[0]}), {words.percent(other.rate)} of {words.count(other.n)} in the second "
        f"({names[1]}). The difference is {words.points(value)} points (interval "
        f"{words.points(low)} to {words.points(high)})"
    )
    if low <= 0 <= high:
        text += ", which is not told from no change."
    else:
        text += "."
    return Summary(table, f"{text} {_tell_source(changes)}".strip(), "Share answered in both parts")


def _tell_source(changes: Changes) -> str:
    if changes.pieces.empty:
        return f"What it comes from cannot be said: {changes.reason.rstrip('.')}."
    clear = changes.pieces[(changes.pieces["ci_low"] > 0) | (changes.pieces["ci_high"] < 0)]
    clear = clear[clear["piece"] != "together"]
    if clear.empty:
        return "Neither other pairs nor other answers to pairs alike stand out."
    told = [f"{row.piece} ({words.points(row.value)} points)" for row in clear.itertuples()]
    return f"It comes from {words.join(told)}."


def describe_pieces(changes: Changes, names: Sequence[str]) -> Summary:
    """Say how much of the difference is that other pairs met, and how much other answers."""
    if changes.pieces.empty:
        return Summary(pd.DataFrame(), "")
    composition, behaviour, _ = changes.pieces.itertuples()
    text = (
        f"Had the follows of {names[1]} been answered as those of {names[0]} were, the share would "
        f"differ by {words.points(composition.value)} points (interval "
        f"{words.points(composition.ci_low)} to {words.points(composition.ci_high)}), because "
        f"other pairs met. The remaining {words.points(behaviour.value)} points (interval "
        f"{words.points(behaviour.ci_low)} to {words.points(behaviour.ci_high)}) are other answers "
        "to pairs that are alike in all measured features."
    )
    table = changes.pieces.rename(columns={"piece": "label"})
    return Summary(table, text, "The difference in two pieces")


def describe_effect_changes(changes: Changes, names: Sequence[str]) -> Summary:
    """Say which odds ratios differ between the parts, all of them compared at once."""
    if changes.effects.empty:
        return Summary(pd.DataFrame(), f"Odds ratios cannot be compared: {changes.reason}")
    table = changes.effects
    changed = table[table["is_changed"]].sort_values("p_value", kind="stable")
    if changed.empty:
        text = (
            f"No odds ratio is told apart between {names[0]} and {names[1]} when all "
            f"{words.count(len(table))} are compared at once (Holm, .05)."
        )
    else:
        told = [
            f"{row.label} ({words.factor(row.first)} and {words.factor(row.second)} {row.unit})"
            for row in changed.itertuples()
        ]
        text = f"Told apart when all are compared at once (Holm, .05): {words.join(told)}."
    return Summary(table, text, "Odds ratios in both parts")


def list_strongest(changes: Changes) -> pd.DataFrame:
    """Return the rows of the picture: the features that differ most, with their step as label."""
    table = changes.effects.sort_values("p_value", kind="stable").head(MOST_EFFECTS)
    labels = [f"{row.label}, {row.unit}" if row.unit else row.label for row in table.itertuples()]
    return table.assign(label=labels).reset_index(drop=True)


def collect_changes(changes: Changes, names: Sequence[str]) -> dict[str, Any]:
    """Return the numbers of `summary.json`."""
    value, low, high = changes.difference
    parts = {}
    for key, name, one in zip(
        ("first", "second"), names, (changes.first, changes.second), strict=True
    ):
        parts[key] = _collect_part(name, one)
    effects = changes.effects.drop(columns=["label", "unit"], errors="ignore").set_index("term")
    return parts | {
        "difference": {"value": value, "ci_low": low, "ci_high": high},
        "pieces": [] if changes.pieces.empty else changes.pieces.to_dict("records"),
        "effects": list_rows(effects),
        "reason": changes.reason,
    }


def _collect_part(name: str, one: Analysis) -> dict[str, Any]:
    rate = one.rate
    return {
        "name": name, "segment": mask_segment(one.segment), "dyads": rate.n,
        "answered": rate.event_count, "rate": rate.rate, "ci_low": rate.ci_low,
        "ci_high": rate.ci_high,
        "cannot_fit": describe_obstacle(one),
    }  # fmt: skip
