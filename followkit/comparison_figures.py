"""Pictures of a comparison: one row a data set and question. Nothing is computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from followkit import words
from followkit.drawing import (
    colour,
    count_letters,
    draw_intervals,
    finish_rows,
    mark_reference,
    muted_text,
    open_axes,
    write_rows,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Letters that fit across a picture on a phone, at most.
NARROW_LETTERS = 60


def plot_rungs(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw every rung of every data set; the full model stands out with its interval.

    Parameters
    ----------
    table
        One row a title and rung, in order: `title`, `kind` (baseline, model or further), `auc`,
        `auc_low`, `auc_high`, `rate` (0–1).
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    titles = list(dict.fromkeys(table["title"]))
    place = table["title"].map({title: row for row, title in enumerate(titles)}).to_numpy()
    rows = np.arange(len(titles))
    mark_reference(ax, rows, 0.5)
    kinds = table["kind"].to_numpy()
    values = table["auc"].to_numpy(float)
    simple, further = kinds == "baseline", kinds == "further"
    ax.scatter(values[simple], place[simple], marker="|", s=110, lw=1.8, color=muted_text(),
               label="simpler rules", zorder=2)  # fmt: skip
    ax.scatter(values[further], place[further], marker="D", s=42, facecolor="none", lw=1.8,
               edgecolor=colour(1), label="trees and triads", zorder=4)  # fmt: skip
    model = table[kinds == "model"]
    draw_intervals(ax, place[kinds == "model"], model["auc"], model["auc_low"], model["auc_high"],
                   name="full logistic model")  # fmt: skip
    first = table.drop_duplicates("title").set_index("title").loc[titles]
    rates = [f"base {words.percent(rate)}" for rate in first["rate"]]
    write_rows(ax, titles, rates)
    _finish(ax, len(titles), values, table["auc_high"].to_numpy(float))
    return ax


def plot_leaks(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the same model twice a row: leak-free with its interval, and with the answers left in.

    Parameters
    ----------
    table
        Columns `title`, `auc`, `auc_low`, `auc_high`, `naive_auc`, `gain`.
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    rows = np.arange(len(table))
    mark_reference(ax, rows, 0.5)
    fair, naive = table["auc"].to_numpy(float), table["naive_auc"].to_numpy(float)
    ax.hlines(rows, fair, naive, colors=muted_text(), lw=1.2, linestyles=":", zorder=1)
    draw_intervals(ax, rows, table["auc"], table["auc_low"], table["auc_high"], name="leak-free")
    ax.scatter(naive, rows, s=64, facecolor="none", edgecolor=colour(1), lw=2, zorder=4,
               label="answers left in")  # fmt: skip
    gains = [f"{gain:+.3f}".replace("-", "−") for gain in table["gain"]]
    write_rows(ax, table["title"].tolist(), gains)
    _finish(ax, len(table), np.r_[fair, naive], table["auc_high"].to_numpy(float))
    return ax


def _finish(ax: Axes, row_count: int, values: np.ndarray, highs: np.ndarray) -> None:
    low = float(np.nanmin([0.5, *values]))
    high = float(np.nanmax([*values, *highs[np.isfinite(highs)]]))
    ax.set_xlim(max(0.0, low - 0.03), min(1.01, high + 0.03))
    ax.set_xlabel("AUC (0.5: no better than chance)")
    finish_rows(ax, row_count)
    # On a phone three entries side by side would push the axes together.
    columns = 3 if count_letters(ax) > NARROW_LETTERS else 1
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, frameon=False,
              borderaxespad=0.2, handletextpad=0.3, columnspacing=1.2)  # fmt: skip
