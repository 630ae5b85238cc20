"""Pictures of the personal report: `plot_<noun>(table, *, ax=None) -> Axes`. Nothing is computed.

No account is named in a picture, and no state is painted as a fault: one colour marks what is
answered, everything else is grey.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.ticker import FuncFormatter, MaxNLocator

from followkit import words
from followkit.drawing import (
    colour,
    draw_forest,
    finish_rows,
    label,
    muted,
    open_axes,
    write_rows,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis


def plot_states(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how many accounts there are of each state: one bar a state.

    Parameters
    ----------
    table
        Columns `state` (as in `followkit.ego.results.STATE_LABELS`), `label` and `count`.
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    rows = np.arange(len(table))
    colours = [colour(0) if state == "mutual" else muted() for state in table["state"]]
    ax.barh(rows, table["count"].to_numpy(float), height=0.34, color=colours)
    write_rows(ax, table["label"].astype(str).tolist(), [f"{count:,}" for count in table["count"]])
    ax.set_xlim(0, max(1.0, float(table["count"].max())) * 1.02)
    ax.xaxis.set_visible(False)
    finish_rows(ax, len(table))
    sns.despine(ax=ax, left=True, bottom=True)
    return ax


def plot_still(table: pd.DataFrame, *, horizon_days: float, ax: Axes | None = None) -> Axes:
    """Draw the chance that is left for a follow by how long it has gone without an answer.

    Parameters
    ----------
    table
        Columns `landmark_days` (age of the follow), `n` (follows unanswered at that age), `chance`,
        `ci_low`, `ci_high` (0–1).
    horizon_days
        Within which the answer would have to come, counted from that age; for the axis.
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    rows = np.arange(len(table))
    ax.barh(rows, table["chance"].to_numpy(float), height=0.34, color=colour(0))
    ink = str(mpl.rcParams["text.color"])
    low, high = (table[name].to_numpy(float) for name in ("ci_low", "ci_high"))
    ax.hlines(rows, low, high, color=ink, lw=1.8)
    names = [_name_age(row.landmark_days, row.n) for row in table.itertuples()]
    write_rows(ax, names, [words.percent(chance) for chance in table["chance"]])
    ax.set_xlim(0, (float(np.nanmax(high)) or 0.1) * 1.08)
    _write_percent(ax.xaxis)
    ax.set_xlabel(f"chance of an answer within the next {words.days(horizon_days)}")
    finish_rows(ax, len(table))
    return ax


def plot_contacts(table: pd.DataFrame, *, base_rate: float, ax: Axes | None = None) -> Axes:
    """Draw the share answered by the contact that went before the follow, with its interval.

    Parameters
    ----------
    table
        Columns `label`, `n`, `answered`, `rate`, `ci_low`, `ci_high` (0–1).
    base_rate
        The share over all; it is marked on every row.
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    notes = [f"{row.answered:,.0f} of {row.n:,.0f}" for row in table.itertuples()]
    rows = table.assign(label=[label(str(text)) for text in table["label"]])
    draw_forest(ax, rows, "rate", notes, reference=base_rate)
    ax.set_xlim(0, 1)
    _write_percent(ax.xaxis)
    ax.set_xlabel("answered in time (grey: all follows)")
    return ax


def _name_age(age: float, count: float) -> str:
    start = f"after {words.days(age)}" if age else "right after the follow"
    return f"{start} ({count:,.0f} open)"


def _write_percent(axis: Axis) -> None:
    """Label an axis of shares with percentages that are not rounded."""
    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}%"))
