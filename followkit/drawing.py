"""Shared strokes of all pictures: safe labels, rows with intervals, colours of the style in force.

Colours come from the style in force (`followkit.style`), so the same call draws for a light page
and for a dark one. Every label that may hold a name goes through `label`, because matplotlib reads
dollar signs as formulas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

LABEL_LENGTH = 64
AXIS_LABEL_LENGTH = 28
#: Room for a usual letter as a share of the font size.
LETTER_WIDTH = 0.6
#: Letters of a note that is only a number, such as "−12.3 %".
SHORT_NOTE = 7


def label(text: str, length: int = LABEL_LENGTH) -> str:
    r"""Make any text safe as a matplotlib label: no formulas, no controls, and not too long.

    Examples
    --------
    >>> label("cash$app")
    'cash\\$app'
    >>> label("a" * 80)[-1]
    '…'
    """
    clean = "".join(character for character in text if character.isprintable())
    short = clean if len(clean) <= length else clean[: length - 1] + "…"
    # A leading underscore would drop the entry from a legend; a zero-width space keeps it.
    kept = "\u200b" + short if short.startswith("_") else short
    return kept.replace("$", r"\$")


def open_axes(ax: Axes | None) -> Axes:
    """Return the axes to draw on: those given, or of a new figure."""
    return ax if ax is not None else plt.figure(figsize=(7, 4)).add_subplot()


def colour(number: int) -> str:
    """Return a colour of the style in force."""
    cycle: list[str] = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    return cycle[number % len(cycle)]


def muted() -> str:
    """Return the colour of what stands back."""
    return str(mpl.rcParams["grid.color"])


def muted_text() -> str:
    """Return the colour of secondary text."""
    return str(mpl.rcParams["xtick.labelcolor"]).replace("inherit", mpl.rcParams["text.color"])


def draw_intervals(
    ax: Axes,
    rows: np.ndarray,
    value: pd.Series,
    low: pd.Series,
    high: pd.Series,
    *,
    colours: Sequence[str] | None = None,
    name: str | None = None,
) -> None:
    """Draw a dot with its interval on each row; a missing interval leaves the dot alone."""
    paint = list(colours) if colours is not None else [colour(0)] * len(rows)
    ax.hlines(rows, low.to_numpy(float), high.to_numpy(float), colors=paint, lw=2.4, zorder=2)
    ax.scatter(value.to_numpy(float), rows, c=paint, s=64, zorder=3, label=name)


def mark_reference(ax: Axes, rows: np.ndarray, value: float) -> None:
    """Mark a value on every row; a line through all rows would cross their names."""
    ax.vlines([value] * len(rows), rows - 0.2, rows + 0.2, colors=muted(), lw=1.6, zorder=0)


def write_rows(ax: Axes, names: Sequence[str], notes: Sequence[str]) -> None:
    """Write each row's name above its line, so that long names need no margin on a phone.

    A note stands at the end of that line. Where a name and its note do not fit side by side, a
    number keeps its place and the name is cut; longer notes of all rows stand below their rows.
    """
    across, room = ax.get_yaxis_transform(), count_letters(ax)
    longest = max(map(len, notes), default=0)
    is_short = longest <= SHORT_NOTE
    space = room - longest - 2 * bool(longest) if is_short else room
    kept = [name if len(name) <= space else name[: space - 1] + "…" for name in map(label, names)]
    fits = is_short or all(
        len(name) + len(note) + 2 <= room for name, note in zip(kept, notes, strict=True)
    )
    shift, side = (-0.3, "bottom") if fits else (0.22, "top")
    for row, (name, note) in enumerate(zip(kept, notes, strict=True)):
        ax.text(0, row - 0.3, name, transform=across, va="bottom", ha="left", fontweight="medium")
        ax.text(1, row + shift, note, transform=across, va=side, ha="right", color=muted_text())


def count_letters(ax: Axes) -> int:
    """Return about how many letters of the usual size fit across the picture."""
    figure = ax.get_figure(root=True)
    points = (figure.get_figwidth() if figure is not None else 7.0) * 72.0
    return int(points / (LETTER_WIDTH * float(mpl.rcParams["font.size"])))


def draw_forest(
    ax: Axes,
    table: pd.DataFrame,
    value: str,
    notes: Sequence[str],
    *,
    reference: float,
    colours: Sequence[str] | None = None,
) -> None:
    """Draw a row for each line of a table: its name, a note, and a value with its interval.

    Parameters
    ----------
    ax
        Where to draw.
    table
        Columns `label`, `ci_low`, `ci_high` and the one that `value` names.
    notes
        What stands to the right of each name.
    reference
        A value that is marked on every row.
    colours
        Of the rows; the first of the style without.
    """
    rows = np.arange(len(table))
    mark_reference(ax, rows, reference)
    draw_intervals(ax, rows, table[value], table["ci_low"], table["ci_high"], colours=colours)
    write_rows(ax, table["label"].astype(str).tolist(), notes)
    finish_rows(ax, len(table))


def draw_pairs(
    ax: Axes,
    table: pd.DataFrame,
    kinds: Sequence[tuple[str, str, str, str, float]],
    reference: float,
) -> np.ndarray:
    """Draw several values on each row, each kind in a colour of its own, and return the rows.

    Parameters
    ----------
    ax
        Where to draw.
    table
        Holds the columns that the kinds name.
    kinds
        Columns of value, low and high; the name for the legend; how far from the row's middle.
    reference
        A value that is marked on every row.
    """
    rows = np.arange(len(table), dtype=float)
    mark_reference(ax, rows, reference)
    for number, (value, low, high, name, shift) in enumerate(kinds):
        draw_intervals(ax, rows + shift, table[value], table[low], table[high],
                       colours=[colour(number)] * len(table), name=name)  # fmt: skip
    return rows


def finish_rows(ax: Axes, row_count: int, *, below: float = 0.55) -> None:
    """Give the rows their room; their names stand above their lines, so there is no axis."""
    ax.set_ylim(row_count - 1 + below, -0.85)
    ax.yaxis.set_visible(False)
    sns.despine(ax=ax, left=True)
