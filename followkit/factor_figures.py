"""Pictures of the nine factors: contributions, claims, curves of probability, what-if, reasons.

As in `followkit.figures`, nothing is computed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import seaborn as sns
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from followkit import words
from followkit.drawing import (
    colour,
    draw_forest,
    finish_rows,
    label,
    muted,
    muted_text,
    open_axes,
    write_rows,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Verdict → number of its colour in the style; verdicts without one stand back.
VERDICT_COLOURS = {"supported": 2, "contradicted": 1, "negligible": 0}


def plot_contributions(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how much each factor explains, with its interval, of dyads the model has not seen.

    Parameters
    ----------
    table
        Columns `label`, `shapley`, `ci_low`, `ci_high` (deviance per 100 dyads) and `share` (0–1;
        missing where the total is not clearly above 0).
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    notes = ["" if np.isnan(share) else words.percent(share) for share in table["share"]]
    draw_forest(ax, table, "shapley", notes, reference=0.0)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.set_xlabel("deviance explained per 100 unseen dyads (right: share)")
    return ax


def plot_carriers(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw which share of the deviance initiator, decider and pair explain, with its interval.

    Parameters
    ----------
    table
        Columns `label`, `share`, `share_low`, `share_high` (0–1).
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    notes = [words.percent(share) for share in table["share"]]
    ends = table.drop(columns=["ci_low", "ci_high"], errors="ignore")
    ends = ends.rename(columns={"share_low": "ci_low", "share_high": "ci_high"})
    draw_forest(ax, ends, "share", notes, reference=0.0)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.percent(value)))
    ax.set_xlabel("share of the deviance explained, unseen accounts")
    return ax


def plot_claims(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the contrast of every claim that could be tested, coloured by its verdict.

    Parameters
    ----------
    table
        Columns `label` (claim and feature), `odds_ratio`, `ci_low`, `ci_high`, `verdict`.
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    colours = [
        colour(VERDICT_COLOURS[verdict]) if verdict in VERDICT_COLOURS else muted_text()
        for verdict in table["verdict"]
    ]
    # Whatever lies beyond the axis is drawn at its end.
    low, high = np.log([0.25, 4.0])
    names = ["odds_ratio", "ci_low", "ci_high"]
    shown = table.assign(**{name: np.exp(np.log(table[name]).clip(low, high)) for name in names})
    draw_forest(ax, shown, "odds_ratio", list(table["verdict"]), reference=1.0, colours=colours)
    ax.set_xscale("log")
    ax.set_xlim(0.24, 4.2)
    ax.set_xticks([0.25, 0.5, 1, 2, 4])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.minorticks_off()
    ax.set_xlabel("odds ratio of the claim's contrast (cut at 0.25 and 4)")
    return ax


def plot_probability(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the predicted probability of an answer against a raw quantity, a line a model.

    Parameters
    ----------
    table
        Columns `value` (the raw quantity), `probability`, `ci_low`, `ci_high` (0–1), `series` (what
        each line is) and `axis` (the name of the quantity, the same on every row).
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    for number, (name, part) in enumerate(table.groupby("series", sort=False)):
        x = part["value"].to_numpy(float)
        ax.fill_between(x, part["ci_low"], part["ci_high"], color=colour(number), alpha=0.2, lw=0)
        ax.plot(x, part["probability"], color=colour(number), lw=2.2, marker="o", ms=5,
                ls="-" if number == 0 else "--", label=label(str(name)))  # fmt: skip
    if len(table) and table["value"].max() > 30 * max(table["value"].min(), 1):
        ax.set_xscale("symlog", linthresh=1)
        ticks = [t for t in (0, 1, 3, 10, 30, 100, 300, 1_000, 10_000, 100_000)
                 if table["value"].min() <= t <= table["value"].max()]  # fmt: skip
        ax.set_xticks(ticks)
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        ax.minorticks_off()
    else:
        ax.xaxis.set_major_locator(MaxNLocator(7, integer=True))
    ax.set_ylim(0, float(table["ci_high"].max()) * 1.15)
    ax.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.set(xlabel=label(str(table["axis"].iloc[0])), ylabel="predicted probability of an answer")
    if len(set(table["series"])) > 1:
        ax.legend(loc="best", frameon=False)
    sns.despine(ax=ax)
    return ax


def plot_whatif(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw by how many percentage points each change goes with a higher or lower probability.

    Parameters
    ----------
    table
        Columns `label`, `change`, `ci_low`, `ci_high` (probability).
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    notes = [f"{words.points(change)} points" for change in table["change"]]
    draw_forest(ax, table, "change", notes, reference=0.0)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.points(value)))
    ax.set_xlabel("change in the probability of an answer, percentage points")
    return ax


def plot_waterfall(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how a dyad's probability comes about, from the average dyad to this one.

    Parameters
    ----------
    table
        Columns `label`, `before`, `after` (probabilities before and after the step).
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    rows = np.arange(len(table))
    before, after = table["before"].to_numpy(float), table["after"].to_numpy(float)
    paint = [colour(2) if up else colour(1) for up in after >= before]
    ax.barh(rows, after - before, left=before, color=paint, height=0.36)
    ax.vlines(after[:-1], rows[:-1] + 0.18, rows[1:] - 0.18, colors=muted(), lw=1.2)
    notes = [f"{words.points(change)} points" for change in after - before]
    write_rows(ax, table["label"].astype(str).tolist(), notes)
    low, high = min(before.min(), after.min()), max(before.max(), after.max())
    # Room on the right, where the points of each step stand.
    ax.set_xlim(max(0.0, low - 0.1 * (high - low) - 0.005), high + 0.25 * (high - low) + 0.005)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.set_xlabel("probability of an answer, feature by feature")
    finish_rows(ax, len(table))
    return ax
