"""Pictures of two parts side by side. As in `followkit.figures`, nothing is computed here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from followkit import words
from followkit.drawing import colour, draw_forest, draw_pairs, finish_rows, open_axes, write_rows
from followkit.figures import set_log_limits

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def plot_pieces(data: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the pieces of a difference and their sum, each with its interval.

    Parameters
    ----------
    data
        Columns label, value, ci_low, ci_high (differences of shares).
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    inside = data.assign(**{name: 100 * data[name] for name in ("value", "ci_low", "ci_high")})
    notes = [
        f"{words.points(row.value)} ({words.points(row.ci_low)} to {words.points(row.ci_high)})"
        for row in data.itertuples()
    ]
    colours = [colour(0)] * (len(data) - 1) + [colour(1)]
    draw_forest(ax, inside, "value", notes, reference=0.0, colours=colours)
    ax.set_xlabel("percentage points")
    return ax


def plot_pairs(data: pd.DataFrame, names: Sequence[str], *, ax: Axes | None = None) -> Axes:
    """Draw two odds ratios a row on a log axis, the first part above the second.

    Parameters
    ----------
    data
        Columns label, first, first_low, first_high, second, second_low, second_high, is_changed.
    names
        Of the two parts.
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    kinds = (
        ("first", "first_low", "first_high", names[0], -0.1),
        ("second", "second_low", "second_high", names[1], 0.14),
    )
    draw_pairs(ax, data, kinds, 1.0)
    write_rows(ax, data["label"].tolist(), ["differs" if row else "" for row in data["is_changed"]])
    ax.set_xscale("log")
    lows, highs = data[["first_low", "second_low"]], data[["first_high", "second_high"]]
    set_log_limits(ax, float(lows.min(axis=None)), float(highs.max(axis=None)))
    ax.set_xlabel("odds ratio (1: no difference)")
    finish_rows(ax, len(data))
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, frameon=False)
    return ax
