"""Pictures of a model card. As in `followkit.figures`, nothing is computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from followkit import words
from followkit.drawing import (
    colour,
    draw_forest,
    draw_pairs,
    finish_rows,
    muted_text,
    open_axes,
    write_rows,
)
from followkit.figures import plot_gains

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: How far apart the two values of a row stand, in rows.
APART = 0.14


def plot_paired(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw each rung's log loss less the full model's, with intervals; right of 0 it is worse.

    Parameters
    ----------
    table
        Columns `label`, `gain`, `ci_low`, `ci_high` (nats a dyad).
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    notes = [_signed(value) for value in table["gain"]]
    draw_forest(ax, table, "gain", notes, reference=0.0)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.set_xlabel("log loss less the full model's (right of 0: worse)")
    return ax


def plot_strata(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw two AUCs a rung: over all dyads, and among deciders equally much followed.

    Parameters
    ----------
    table
        Columns `label`; `auc`, `ci_low`, `ci_high`; `adjusted`, `adjusted_low`, `adjusted_high`.
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    kinds = (
        ("auc", "ci_low", "ci_high", "over all dyads", -APART),
        ("adjusted", "adjusted_low", "adjusted_high", "equally much followed", APART),
    )
    rows = draw_pairs(ax, table, kinds, 0.5)
    write_rows(ax, table["label"].astype(str).tolist(), [""] * len(table))
    for row, one, other in zip(rows, table["auc"], table["adjusted"], strict=True):
        # Below both lines: on a phone a note beside the name would have no room.
        ax.text(1, row + 0.28, f"{one:.2f} → {other:.2f}", transform=ax.get_yaxis_transform(),
                va="top", ha="right", color=muted_text(), fontsize="small")  # fmt: skip
    ax.set_xlabel("AUC (0.5: no better than chance)")
    finish_rows(ax, len(table), below=0.7)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, borderaxespad=0)
    return ax


def plot_gains_band(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw which share of all answers lies among the dyads ranked highest, with its band.

    Parameters
    ----------
    table
        Columns `share_ranked`, `share_found`, `ci_low`, `ci_high`, all 0–1; the band is missing
        where it has no interval.
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    ax.fill_between(table["share_ranked"].to_numpy(float), table["ci_low"], table["ci_high"],
                    alpha=0.22, lw=0, color=colour(0))  # fmt: skip
    return plot_gains(table, ax=ax)


def plot_bands(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the AUC of the model in bands of deciders by followers.

    Parameters
    ----------
    table
        Columns `lowest`, `highest` (followers), `auc`, `ci_low`, `ci_high`, `answer_count`
        (missing where it may not be shown).
    ax
        Where to draw; a new figure without it.
    """
    ax = open_axes(ax)
    names = [f"{words.count(low)} to {words.count(high)} followers" for low, high in
             zip(table["lowest"], table["highest"], strict=True)]  # fmt: skip
    answers = [f", {words.count(count, 'answer')}" if np.isfinite(count) else ""
               for count in table["answer_count"]]  # fmt: skip
    notes = [f"{value:.2f}{told}" for value, told in zip(table["auc"], answers, strict=True)]
    draw_forest(ax, table.assign(label=names), "auc", notes, reference=0.5)
    ax.set_xlabel("AUC (0.5: no better than chance)")
    return ax


def _signed(value: float) -> str:
    """Write a difference with three decimals, and what rounds to 0 without a sign."""
    text = f"{value:+.3f}".replace("-", "−")
    return "0.000" if text in ("+0.000", "−0.000") else text
