"""Pictures for exploring: the data as they are, one feature, one account, one dyad.

As in `followkit.figures`, nothing is computed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.dates as mdates
import numpy as np
import seaborn as sns
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from followkit import words
from followkit.drawing import (
    AXIS_LABEL_LENGTH,
    colour,
    draw_forest,
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

#: Bars of a histogram that carry their value below them.
TICKS_OF_SPREAD = 5


def plot_unknown(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw which share of each column is unknown, one bar a column.

    Parameters
    ----------
    table
        Columns `table`, `column` and `unknown_share` (0–1).
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    rows = np.arange(len(table))
    share = table["unknown_share"].to_numpy(float)
    ax.barh(rows, np.ones(len(rows)), color=muted(), height=0.16, alpha=0.5)
    ax.barh(rows, share, color=colour(0), height=0.16)
    names = [f"{row.table}: {row.column}" for row in table.itertuples(name="Row")]
    write_rows(ax, names, [words.percent(one) for one in share])
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.set_xlabel("share of the rows in which it is unknown")
    finish_rows(ax, len(table))
    return ax


def plot_over_time(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how many events fall into each stretch of time, a line a kind, on a log axis.

    Parameters
    ----------
    table
        Columns `what`, `at` (begin of the stretch), `count` and `bin_days` (one value).
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    for number, (what, part) in enumerate(table.groupby("what", sort=False)):
        ax.step(part["at"].to_numpy("datetime64[ns]"), part["count"].to_numpy(float),
                where="post", color=colour(number), lw=2, label=label(str(what)))  # fmt: skip
    ax.set_yscale("symlog", linthresh=10)
    ax.set_ylim(0, None)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.minorticks_off()
    ax.set_ylabel(f"events per {words.days(float(table['bin_days'].iloc[0]))}")
    _format_dates(ax)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
    sns.despine(ax=ax)
    return ax


def plot_watched(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how many accounts were watched at each moment, a line a table.

    Parameters
    ----------
    table
        Columns `what`, `at`, `watched`.
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    for number, (what, part) in enumerate(table.groupby("what", sort=False)):
        # Lines that lie on one another: the later ones are thinner, so that all are seen.
        ax.step(part["at"].to_numpy("datetime64[ns]"), part["watched"].to_numpy(float),
                where="post", color=colour(number), lw=5 - 1.6 * number,
                label=label(str(what)))  # fmt: skip
    ax.set_ylim(0, 1.08 * float(table["watched"].max()))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.set_ylabel("accounts watched")
    _format_dates(ax)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False)
    sns.despine(ax=ax)
    return ax


def plot_degrees(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw which share of the accounts has at least so many followers or followees.

    Parameters
    ----------
    table
        Columns `side`, `degree` (1 and more), `share` (0–1), in order of degree.
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    for number, (side, part) in enumerate(table.groupby("side", sort=False)):
        ax.plot(part["degree"].to_numpy(float), part["share"].to_numpy(float), lw=2,
                ls="-" if number == 0 else "--", color=colour(number),
                label=label(str(side)))  # fmt: skip
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    ax.minorticks_off()
    ax.set(xlabel="at least so many", ylabel="share of the accounts")
    ax.legend(loc="lower left", frameon=False)
    sns.despine(ax=ax)
    return ax


def plot_horizons(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the share answered within each horizon, and on how many dyads it rests.

    Parameters
    ----------
    table
        Columns `horizon_days`, `dyads`, `rate`, `ci_low`, `ci_high` (0–1).
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    rows = table.assign(label=[f"within {words.days(days)}" for days in table["horizon_days"]])
    notes = [words.count(count, "dyad") for count in table["dyads"]]
    draw_forest(ax, rows, "rate", notes, reference=float("nan"))
    ax.set_xlim(0, None)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.percent(value)))
    ax.set_xlabel("share answered (right: dyads that were watched so long)")
    return ax


def plot_spread(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how a feature is spread over the dyads.

    Parameters
    ----------
    table
        Columns `share` (0–1) and `text` (where each bar begins, in words), in order; `axis` (the
        name of the feature, the same on every row).
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    places = np.arange(len(table))
    ax.bar(places, table["share"].to_numpy(float), width=0.92, color=colour(0))
    kept = np.unique(np.linspace(0, len(table) - 1, TICKS_OF_SPREAD).round().astype(int))
    ax.set_xticks(kept, [label(str(table["text"].iloc[place])) for place in kept])
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.percent(value)))
    ax.set(xlabel=label(str(table["axis"].iloc[0])), ylabel="share of the dyads")
    sns.despine(ax=ax)
    return ax


def plot_feature(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the share answered in bins of a feature beside the model's adjusted probability.

    Parameters
    ----------
    table
        Columns `label` (the bin), `rate`, `ci_low`, `ci_high` (raw, 0–1), `probability`,
        `model_low`, `model_high` (adjusted; missing where there is none) and `axis` (the name of
        the feature, the same on every row).
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    places = np.arange(len(table))
    rate = table["rate"].to_numpy(float)
    reach = np.clip([rate - table["ci_low"], table["ci_high"] - rate], 0, None)
    if table["probability"].notna().any():
        ax.fill_between(places, table["model_low"], table["model_high"], color=colour(1),
                        alpha=0.2, lw=0)  # fmt: skip
        ax.plot(places, table["probability"], color=colour(1), lw=2.2, marker="D", ms=6, ls="--",
                label="model: all else as observed")  # fmt: skip
    ax.errorbar(places, rate, yerr=reach, fmt="o", ms=8, lw=2.2, color=colour(0),
                label="share answered, as it is")  # fmt: skip
    ax.set_xticks(places, [_break(str(one)) for one in table["label"]])
    ax.set_xlim(-0.5, len(table) - 0.5)
    tops = table[["ci_high", "model_high"]].max().dropna()
    # One wide interval must not squeeze the rest into a corner; it runs off the panel instead.
    ax.set_ylim(0, 1.1 * min(float(tops.max()), 3 * float(np.nanmax(rate)) + 0.01))
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.percent(value)))
    ax.set(xlabel=label(str(table["axis"].iloc[0])), ylabel="answered")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=1, frameon=False)
    sns.despine(ax=ax)
    return ax


def _break(text: str) -> str:
    """Set a range on two lines, so that five of them stand side by side on a phone."""
    first, joint, last = text.partition(" to ")
    return f"{label(first, AXIS_LABEL_LENGTH)}{' to' * bool(joint)}\n{label(last)}".strip()


def plot_rates(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw shares answered with their intervals, and what the model expects (diamonds).

    Parameters
    ----------
    table
        Columns `label`, `n`, `answered`, `rate`, `ci_low`, `ci_high`, `expected` (0–1; missing
        without a model) and `is_own`.
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    colours = [colour(1) if own else colour(0) for own in table["is_own"]]
    notes = [f"{row.answered:,} of {row.n:,}" for row in table.itertuples(name="Row")]
    draw_forest(ax, table, "rate", notes, reference=float("nan"), colours=colours)
    ax.scatter(table["expected"].to_numpy(float), np.arange(len(table)), marker="D", s=46, zorder=4,
               facecolors="none", edgecolors=muted_text(), linewidths=1.8)  # fmt: skip
    ax.set_xlim(left=0)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.percent(value)))
    ax.set_xlabel("share answered (diamond: what the model expects)")
    return ax


def plot_percentiles(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw where something stands among all others, feature by feature.

    Parameters
    ----------
    table
        Columns `label`, `text` (its value in words) and `percentile` (0–1).
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    rows = np.arange(len(table))
    ax.hlines(rows, 0, 1, colors=muted(), lw=1.4, zorder=1)
    mark_reference(ax, rows, 0.5)
    ax.scatter(table["percentile"].to_numpy(float), rows, s=64, color=colour(0), zorder=3)
    write_rows(ax, table["label"].astype(str).tolist(), table["text"].astype(str).tolist())
    ax.set_xlim(-0.02, 1.02)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.set_xlabel("share of the others that lie below (middle: half)")
    finish_rows(ax, len(table))
    return ax


def plot_history(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw when things happened before a follow: a row a kind, a stroke an event.

    Parameters
    ----------
    table
        Columns `what`, `days_before` (above 0) and `amount`; `most_days` (how far back the picture
        reaches, the same on every row).
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    kinds = list(dict.fromkeys(table["what"]))
    far = float(table["most_days"].iloc[0])
    notes = []
    for row, what in enumerate(kinds):
        part = table[table["what"] == what]
        paint = colour(1) if "→" in what else colour(0)
        ax.hlines(row, -far, 0, colors=muted(), lw=1, zorder=0)
        ax.vlines(-part["days_before"].to_numpy(float), row - 0.16, row + 0.16, colors=paint,
                  lw=1.6, alpha=0.75)  # fmt: skip
        notes.append(words.count(part["amount"].sum()))
    write_rows(ax, kinds, notes)
    ax.set_xlim(-far, 0)
    ax.xaxis.set_major_locator(MaxNLocator(7, integer=True))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{-value:g}".replace("-0", "0")))
    ax.set_xlabel("days before the follow (right edge: the follow)")
    finish_rows(ax, len(kinds))
    return ax


def _format_dates(ax: Axes) -> None:
    locator = mdates.AutoDateLocator(minticks=3, maxticks=6)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    form = mdates.ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_formatter(form)
