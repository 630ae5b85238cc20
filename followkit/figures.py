"""One picture a function: `plot_<noun>(table, *, ax=None) -> Axes`. Nothing is computed here.

Labels and colours go through `followkit.drawing`.
"""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

import numpy as np
import seaborn as sns
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from followkit import words
from followkit.drawing import (
    AXIS_LABEL_LENGTH,
    colour,
    draw_forest,
    draw_intervals,
    finish_rows,
    label,
    mark_reference,
    muted,
    muted_text,
    open_axes,
    write_rows,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def plot_census(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw what became of the dyads: one bar a state, with its count and share.

    Parameters
    ----------
    table
        Columns `label`, `count`, `share` (0–1) and `is_answer` (the states that count as answered).
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    names = [label(name, AXIS_LABEL_LENGTH) for name in table["label"]]
    colours = [colour(0) if answered else muted() for answered in table["is_answer"]]
    sns.barplot(x=table["share"].to_numpy(float), y=names, hue=names, palette=colours,
                legend=False, saturation=1, width=0.62, ax=ax)  # fmt: skip
    for row, (count, share) in enumerate(zip(table["count"], table["share"], strict=True)):
        ax.text(share + 0.012, row, f"{count:,} ({words.percent(share)})", va="center")
    ax.set_xlim(0, float(table["share"].max()) * 1.7)
    ax.xaxis.set_visible(False)
    ax.set_ylabel("")
    sns.despine(ax=ax, left=True, bottom=True)
    ax.tick_params(axis="y", length=0)
    return ax


def plot_follow_back_curve(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the share of follows answered within so many days, with its interval.

    Parameters
    ----------
    table
        Columns `duration_days`, `incidence`, `ci_low`, `ci_high` (0–1) and `at_risk` (follows still
        waiting and watched at that moment), in order of time.
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    days = table["duration_days"].to_numpy(float)
    ax.fill_between(days, table["ci_low"], table["ci_high"], step="post", alpha=0.22, lw=0)
    ax.step(days, table["incidence"], where="post", lw=2)
    ax.set(xlabel="days since the follow", ylabel="answered so far", xlim=(0, days.max()))
    ax.set_ylim(0, float(table["ci_high"].max()) * 1.12)
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    _write_at_risk(ax, days, table["at_risk"].to_numpy())
    sns.despine(ax=ax)
    return ax


def plot_odds_ratios(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw a forest of odds ratios on a log axis, each with its marginal effect in words.

    Parameters
    ----------
    table
        Columns `label` (feature and step), `odds_ratio`, `ci_low`, `ci_high`, and `effect`,
        `effect_low`, `effect_high`: the average marginal effect as a probability change.
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    rows = np.arange(len(table))
    mark_reference(ax, rows, 1.0)
    draw_intervals(ax, rows, table["odds_ratio"], table["ci_low"], table["ci_high"])
    for row, values in zip(rows, table.itertuples(), strict=True):
        points = (
            ""
            if isnan(values.effect)
            else (
                f"{words.points(values.effect)} points ({words.points(values.effect_low)} to "
                f"{words.points(values.effect_high)})"
            )
        )
        # Below the line: on a phone both texts would not fit beside each other.
        ax.text(1, row + 0.16, points, transform=ax.get_yaxis_transform(), va="top", ha="right",
                color=muted_text(), fontsize="small")  # fmt: skip
    ax.set_xscale("log")
    ends = table[["ci_low", "ci_high"]].to_numpy(float)
    # An end that a fit could not find lies beyond the edge of the picture.
    known = ends[np.isfinite(ends) & (ends > 0)]
    set_log_limits(ax, float(known.min(initial=1)), float(known.max(initial=1)))
    ax.set_xlabel("odds ratio (1: no difference)")
    write_rows(ax, table["label"].astype(str).tolist(), [""] * len(table))
    finish_rows(ax, len(table), below=0.62)
    return ax


def plot_truth(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw planted coefficients beside their estimates and intervals; misses are marked.

    Parameters
    ----------
    table
        Columns `label`, `truth`, `estimate`, `ci_low`, `ci_high`, `is_missed`.
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    rows = np.arange(len(table))
    mark_reference(ax, rows, 0.0)
    draw_intervals(ax, rows, table["estimate"], table["ci_low"], table["ci_high"], name="estimate")
    ax.scatter(table["truth"], rows, marker="D", s=44, color=colour(1), zorder=4, label="truth")
    misses = ["misses the truth" if missed else "" for missed in table["is_missed"]]
    write_rows(ax, table["label"].astype(str).tolist(), misses)
    ax.set_xlabel("coefficient (change in log odds per unit)")
    finish_rows(ax, len(table))
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False)
    return ax


def plot_calibration(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw observed against predicted shares in bins, with intervals and the count of each bin.

    Parameters
    ----------
    table
        Columns `predicted`, `observed`, `ci_low`, `ci_high` (0–1) and `count` (dyads in the bin).
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    seen = float(max(table["observed"].max(), table["predicted"].max()))
    # One wide interval must not squeeze the rest into a corner; it runs off the panel instead.
    top = min(float(max(table["ci_high"].max(), seen)), 2.2 * seen) * 1.08
    ax.plot([0, top], [0, top], color=muted(), lw=1.4, ls="--", label="perfectly calibrated")
    observed = table["observed"].to_numpy(float)
    reach = np.clip([observed - table["ci_low"], table["ci_high"] - observed], 0, None)
    ax.errorbar(table["predicted"], observed, yerr=reach, fmt="o", ms=7, lw=1.8, color=colour(0))
    for values in table.itertuples():
        height = min(float(values.ci_high), 1.02 * top)
        ax.annotate(f"{values.count:,}", (values.predicted, height), (0, 5),
                    textcoords="offset points", ha="center", fontsize="small",
                    color=muted_text())  # fmt: skip
    ax.set(xlabel="predicted probability of an answer", ylabel="share answered")
    ax.set(xlim=(0, 1.1 * float(table["predicted"].max())), ylim=(0, top * 1.08))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0 if top > 0.1 else 1))
    ax.legend(loc="upper left", frameon=False)
    sns.despine(ax=ax)
    return ax


def plot_ladder(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw one score for every rung of the baseline ladder, on the same held-out dyads.

    Parameters
    ----------
    table
        Columns `label`, `value`, `ci_low`, `ci_high` (missing where no interval can be given) and
        `is_model` (the rung that the report explains).
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    colours = [colour(1) if chosen else colour(0) for chosen in table["is_model"]]
    notes = [f"{value:.2f}" for value in table["value"]]
    draw_forest(ax, table, "value", notes, reference=0.5, colours=colours)
    low = float(np.nanmin([table["ci_low"].min(), table["value"].min(), 0.5]))
    high = float(np.nanmax([table["ci_high"].max(), table["value"].max()]))
    ax.set_xlim(max(0.0, low - 0.03), min(1.0, high + 0.04))
    ax.set_xlabel("AUC (0.5: no better than chance)")
    return ax


def plot_gains(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw which share of all answers lies among the dyads that the model ranks highest.

    Parameters
    ----------
    table
        Columns `share_ranked` and `share_found`, both 0–1 and rising.
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    ax.plot([0, 1], [0, 1], color=muted(), lw=1.4, ls="--", label="in random order")
    ax.plot(table["share_ranked"], table["share_found"], lw=2.2, label="ranked by the model")
    ax.set(xlim=(0, 1), ylim=(0, 1.01), xlabel="share of dyads, most probable first",
           ylabel="share of all answers found")  # fmt: skip
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.legend(loc="lower right", frameon=False)
    sns.despine(ax=ax)
    return ax


def plot_influence(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the base rate again, each time without one of the deciders who answered most.

    Parameters
    ----------
    table
        Columns `label`, `rate`, `ci_low`, `ci_high` (0–1) and `is_reference` (nobody left out).
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    reference = float(table.loc[table["is_reference"], "rate"].iloc[0])
    colours = [colour(1) if chosen else colour(0) for chosen in table["is_reference"]]
    notes = [words.percent(rate) for rate in table["rate"]]
    draw_forest(ax, table, "rate", notes, reference=reference, colours=colours)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    ax.set_xlabel("share answered")
    return ax


def set_log_limits(ax: Axes, low: float, high: float) -> None:
    """Give a log axis room and ticks that read as plain factors (0.5, 1, 2)."""
    low, high = min(low, 0.8) / 1.08, max(high, 1.25) * 1.08
    ax.set_xlim(low, high)
    steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.33, 0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 3, 5, 10, 20, 50,
             100]  # fmt: skip
    inside = [step for step in steps if low <= step <= high]
    crowded = len(inside) > 7
    kept = [
        step for step in inside if not crowded or step in {0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 100}
    ]
    ax.set_xticks(kept)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.minorticks_off()


def _write_at_risk(ax: Axes, days: np.ndarray, at_risk: np.ndarray) -> None:
    """Write under the axis how many follows were still waiting at each tick."""
    ticks = [tick for tick in ax.get_xticks() if 0 <= tick <= days.max()]
    places = np.clip(np.searchsorted(days, ticks, side="right") - 1, 0, len(days) - 1)
    across = ax.get_xaxis_transform()
    ax.text(0, -0.27, "still waiting", transform=across, ha="left", va="top", color=muted_text(),
            fontsize="small")  # fmt: skip
    for tick, place in zip(ticks, places, strict=True):
        ax.text(tick, -0.34, f"{int(at_risk[place]):,}", transform=across, ha="center", va="top",
                color=muted_text(), fontsize="small")  # fmt: skip
