"""Pictures and tables of two parts side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from followkit import words
from followkit.change_figures import plot_pairs, plot_pieces
from followkit.changes import Changes
from followkit.describe_changes import list_strongest
from followkit.html import Shown, Summary, details, figure, key_numbers, lead, show, table
from followkit.sections import NOTHING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

METHOD = (
    "Accounts that are in both parts tie them together; intervals let all dyads that share an "
    "account move together, across the parts too.",
    "Pieces: with the first part's coefficients, the share expected among the second part's dyads "
    "less the first part's share (other pairs), and what the second part's share has beyond that "
    "(other answers); Blinder 1973, Oaxaca 1973, Yun 2004. Their intervals include that the "
    "coefficients were estimated.",
    "Odds ratios come from one model of both parts in which every feature has a slope of its own "
    "in each. Only features that both parts carry are compared; p-values are adjusted by Holm's "
    "rule.",
    "A difference between parts says that they differ, not why: what changed with the calendar or "
    "between groups was not tried on anybody.",
)


def show_change(changes: Changes, said: Summary) -> Shown:
    """Show the answer in a paragraph, and the two shares with their difference."""
    value, low, high = changes.difference
    items = [
        (words.percent(row.rate), str(row.label), words.percent_range(row.ci_low, row.ci_high))
        for row in said.table.itertuples()
    ]
    items.append((f"{words.points(value)} points", "difference",
                  f"{words.points(low)} to {words.points(high)}"))  # fmt: skip
    return show(lead(said.text), key_numbers(*items))


def show_pieces(said: Summary) -> Shown:
    """Show the two pieces of the difference as a picture, numbers folded away."""
    if said.table.empty:
        return NOTHING
    drawn = figure(plot_pieces, said.table, alt=said.text, height=3.4,
                   caption="The difference in share answered, and the two pieces that it is made "
                           "of, in percentage points.")  # fmt: skip
    forms = dict.fromkeys(("value", "ci_low", "ci_high"), words.points)
    numbers = table(said.table, said.caption, formats=forms, save_as="pieces",
                    labels={"label": "piece", "value": "points", "ci_low": "from",
                            "ci_high": "to"})  # fmt: skip
    return show(said.text, drawn, details("The numbers", numbers))


def show_effect_changes(changes: Changes, names: Sequence[str], said: Summary) -> Shown:
    """Show the odds ratios of both parts, those that differ most first."""
    if said.table.empty:
        return show(said.text)
    rows = list_strongest(changes)

    def plot(data: pd.DataFrame, *, ax: Axes) -> Axes:
        return plot_pairs(data, names, ax=ax)

    drawn = figure(plot, rows, alt=said.text, height=0.85 * len(rows) + 1.4,
                   caption=f"Odds ratios in {names[0]} and {names[1]}, each with its interval; "
                           "those that differ most come first.")  # fmt: skip
    numbers = table(
        said.table.drop(columns=["term", "is_changed"]), said.caption, save_as="changes",
        formats={**dict.fromkeys(("first", "first_low", "first_high", "second", "second_low",
                                  "second_high", "ratio", "ratio_low", "ratio_high"), words.factor),
                 "p_value": ".3f", "p_holm": ".3f"},
        labels={"label": "feature", "first": names[0], "first_low": "from", "first_high": "to",
                "second": names[1], "second_low": "from", "second_high": "to",
                "ratio": "second over first", "ratio_low": "from", "ratio_high": "to",
                "p_value": "p", "p_holm": "p, adjusted"},
    )  # fmt: skip
    return show(said.text, drawn, details("The numbers", numbers))
