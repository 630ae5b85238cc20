"""Pictures of time to follow-back: `plot_<noun>(table, *, ax=None) -> Axes`. Nothing is computed.

Time runs on a log axis with ticks that people use (an hour, a day, a week), since most answers come
early and some very late.
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
    finish_rows,
    label,
    muted,
    muted_text,
    open_axes,
    write_rows,
)
from followkit.figures import plot_odds_ratios

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

#: Days of the ticks, and how they are written; on a narrow picture every other one.
TICKS = {
    1 / 86_400: "1 s", 1 / 1440: "1 min", 10 / 1440: "10 min", 1 / 24: "1 h", 6 / 24: "6 h",
    1.0: "1 day", 3.0: "3 days", 7.0: "1 week", 30.0: "30 days", 90.0: "90 days", 365.0: "1 year",
}  # fmt: skip
#: Rates per day and dyad, in words for a hundred dyads.
RATES = {
    144.0: "10 a minute", 14.4: "1 a minute", 2.4: "10 an hour", 0.24: "1 an hour",
    0.05: "5 a day", 0.01: "1 a day", 0.001: "1 in 10 days", 0.0001: "1 in 100 days",
}  # fmt: skip
#: Withdrawals that a rate needs to be drawn.
FEWEST_DRAWN = 5
#: Share of the width that a tick's words need.
TICK_ROOM = 0.105


def plot_answer_times(table: pd.DataFrame, *, horizon_days: float, ax: Axes | None = None) -> Axes:
    """Draw the share of follows answered by each moment, with its interval and who still waited.

    Parameters
    ----------
    table
        Columns `duration_days` (above 0), `incidence`, `ci_low`, `ci_high` (0–1) and `at_risk`.
    horizon_days
        Marked by a line.
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    days = table["duration_days"].to_numpy(float)
    ax.axvline(horizon_days, color=muted(), lw=1.4, ls="--")
    ax.fill_between(days, table["ci_low"], table["ci_high"], alpha=0.22, lw=0)
    ax.plot(days, table["incidence"], lw=2.2)
    top = float(table["ci_high"].max()) * 1.15 or 0.1
    ax.text(horizon_days, top, "horizon ", ha="right", va="top", color=muted_text(),
            fontsize="small")  # fmt: skip
    ticks = _set_time_axis(ax, days)
    ax.set(ylim=(0, top), xlabel="time since the follow", ylabel="answered so far")
    _write_percent(ax.yaxis)
    _write_at_risk(ax, ticks, days, table["at_risk"].to_numpy())
    sns.despine(ax=ax)
    return ax


def plot_waits(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the share still unanswered by group (Kaplan–Meier), with intervals.

    Parameters
    ----------
    table
        Columns `group`, `duration_days` (above 0), `unanswered`, `ci_low`, `ci_high` (0–1).
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    for number, (name, rows) in enumerate(table.groupby("group", sort=False)):
        days = rows["duration_days"].to_numpy(float)
        ax.fill_between(days, rows["ci_low"], rows["ci_high"], alpha=0.2, lw=0,
                        color=colour(number))  # fmt: skip
        ax.plot(days, rows["unanswered"], lw=2.2, color=colour(number), label=label(str(name)),
                ls=("-", "--", "-.", ":")[number % 4])  # fmt: skip
    _set_time_axis(ax, table["duration_days"].to_numpy(float))
    low = float(table["ci_low"].min())
    ax.set(ylim=(max(0.0, low - 0.08), 1.01), xlabel="time since the follow",
           ylabel="still unanswered")  # fmt: skip
    _write_percent(ax.yaxis)
    ax.legend(loc="lower left", frameon=False)
    sns.despine(ax=ax)
    return ax


def plot_pace(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how fast waiting follows are answered at each age, both axes logarithmic.

    Parameters
    ----------
    table
        Columns `from_days`, `to_days`, `answers_per_day`, `ci_low`, `ci_high`, `withdrawn`,
        `withdrawals_per_day`; no rate of 0 is drawn, nor one of under five withdrawals.
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    low = np.maximum(table["from_days"].to_numpy(float), table["to_days"].iloc[0] / 4)
    middle = np.sqrt(low * table["to_days"].to_numpy(float))
    rate = table["answers_per_day"].to_numpy(float)
    shown = (rate > 0) & np.isfinite(rate)
    ax.fill_between(middle[shown], table["ci_low"][shown], table["ci_high"][shown], alpha=0.22,
                    lw=0)  # fmt: skip
    ax.plot(middle[shown], rate[shown], "-o", ms=4.5, lw=1.8, label="answered")
    gone = table["withdrawals_per_day"].to_numpy(float)
    enough = (table["withdrawn"] >= FEWEST_DRAWN).to_numpy(dtype=bool) & np.isfinite(gone)
    gone = np.where(enough, gone, np.nan)
    if enough.any():
        ax.plot(middle, gone, "--s", ms=4, lw=1.4, color=colour(1), label="withdrawn")
        ax.legend(loc="lower left", frameon=False)
    ends = np.r_[table["ci_low"], table["ci_high"], gone]
    ends = ends[np.isfinite(ends) & (ends > 0)]
    _write_rates(ax, float(ends.min()), float(ends.max()))
    _set_time_axis(ax, middle)
    ax.set(xlabel="time since the follow", ylabel="of 100 waiting")
    sns.despine(ax=ax)
    return ax


def plot_chances(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the chance that is left after so many days without an answer: one bar a landmark.

    Parameters
    ----------
    table
        Columns `landmark_days`, `chance`, `ci_low`, `ci_high` (0–1), `is_chosen` (the landmark that
        the report is about).
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    rows = np.arange(len(table))
    colours = [colour(1) if chosen else colour(0) for chosen in table["is_chosen"]]
    ax.barh(rows, table["chance"], height=0.34, color=colours)
    ink = str(mpl.rcParams["text.color"])
    ax.hlines(rows, table["ci_low"], table["ci_high"], color=ink, lw=1.8)
    names = [_name_landmark(days) for days in table["landmark_days"]]
    notes = [words.percent(chance) for chance in table["chance"]]
    write_rows(ax, names, notes)
    ax.set_xlim(0, float(table["ci_high"].max()) * 1.08)
    _write_percent(ax.xaxis)
    ax.set_xlabel("chance of an answer by the horizon")
    finish_rows(ax, len(table))
    return ax


def plot_hazard_ratios(
    table: pd.DataFrame, *, is_odds: bool = False, ax: Axes | None = None
) -> Axes:
    """Draw a forest of hazard ratios on a log axis.

    Parameters
    ----------
    table
        Columns `label` (feature and step), `hazard_ratio`, `ci_low`, `ci_high`.
    is_odds
        The ratios are odds ratios of the hazard (logit link).
    ax
        Where to draw; a new figure without it.
    """
    none = table.rename(columns={"hazard_ratio": "odds_ratio"}).assign(
        effect=np.nan, effect_low=np.nan, effect_high=np.nan
    )
    ax = plot_odds_ratios(none, ax=ax)
    name = "odds ratio of the hazard" if is_odds else "hazard ratio"
    ax.set_xlabel(f"{name} (above 1: sooner)")
    return ax


def plot_fit(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the mean predicted incidence beside the observed one.

    Parameters
    ----------
    table
        Columns `duration_days`, `predicted`, `observed` (0–1).
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    days = table["duration_days"].to_numpy(float)
    ax.plot(days, table["observed"], lw=5, alpha=0.4, color=colour(0),
            label="observed (Aalen–Johansen)")  # fmt: skip
    ax.plot(days, table["predicted"], lw=1.8, ls="--", color=colour(1), label="predicted, mean")
    top = float(max(table["observed"].max(), table["predicted"].max())) * 1.12
    _set_time_axis(ax, days)
    ax.set(ylim=(0, top), xlabel="time since the follow", ylabel="answered so far")
    _write_percent(ax.yaxis)
    ax.legend(loc="upper left", frameon=False)
    sns.despine(ax=ax)
    return ax


def _name_landmark(days: float) -> str:
    return f"unanswered after {words.days(days)}" if days else "right after the follow"


def _write_rates(ax: Axes, low: float, high: float) -> None:
    """Label the log axis of rates per day in words, of every hundred that wait."""
    ax.set_yscale("log")
    ax.set_ylim(low / 1.5, high * 1.5)
    inside = {rate: text for rate, text in RATES.items() if low / 1.5 <= rate <= high * 1.5}
    ax.set_yticks(list(inside), list(inside.values()))
    ax.minorticks_off()


def _write_percent(axis: Axis) -> None:
    """Label an axis of shares with percentages that are not rounded."""
    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}%"))


def _set_time_axis(ax: Axes, days: np.ndarray) -> list[float]:
    """Make time logarithmic, with ticks in words that do not run into each other; return them."""
    low, high = float(days.min()), float(days.max())
    ax.set_xscale("log")
    ax.set_xlim(low, high * 1.02)
    inside = [tick for tick in TICKS if low <= tick <= high * 1.02]
    room = TICK_ROOM * 7.2 / _width(ax) * np.log(high / low)
    kept: list[float] = []
    # A day is what everybody thinks in, so ticks are laid from there.
    for tick in sorted(inside, key=lambda one: (abs(np.log(one)), one)):
        if all(abs(np.log(tick / other)) >= room for other in kept):
            kept.append(tick)
    ax.minorticks_off()
    ax.set_xticks(sorted(kept), [TICKS[tick] for tick in sorted(kept)])
    return sorted(kept)


def _width(ax: Axes) -> float:
    figure = ax.get_figure(root=True)
    return float(figure.get_figwidth()) if figure is not None else 7.2


def _write_at_risk(ax: Axes, ticks: list[float], days: np.ndarray, at_risk: np.ndarray) -> None:
    """Write under the axis how many follows were still waiting at each tick."""
    across = ax.get_xaxis_transform()
    ax.text(float(days.min()), -0.27, "still waiting", transform=across, ha="left", va="top",
            color=muted_text(), fontsize="small")  # fmt: skip
    for tick in ticks:
        place = min(int(np.searchsorted(days, tick)), len(days) - 1)
        ax.text(tick, -0.34, f"{int(at_risk[place]):,}", transform=across, ha="center", va="top",
                color=muted_text(), fontsize="small")  # fmt: skip
