"""Tables on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def print_frame(frame: pd.DataFrame, title: str) -> None:
    """Print a frame as a table: numbers to the right, hostile names harmless, the missing empty."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from followkit.record import clean, is_missing, is_number_column

    table = Table(title=title, title_justify="left", title_style="bold")
    for column in frame.columns:
        side = "right" if is_number_column(frame[column]) else "left"
        table.add_column(Text(clean(column)), justify=side, overflow="fold")  # type: ignore[arg-type]
    for row in frame.itertuples(index=False):
        table.add_row(*(Text("" if is_missing(value) else _cell(value)) for value in row))
    Console().print(table)


def print_text(text: str) -> None:
    """Print a sentence in lines that fit the terminal; hostile names in it are harmless."""
    from rich.console import Console
    from rich.text import Text

    from followkit.record import clean

    Console().print(Text(str(clean(text))))


def _cell(value: Any) -> str:
    from followkit.record import clean

    return f"{value:,}" if hasattr(value, "__index__") else str(clean(value))
