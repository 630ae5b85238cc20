"""One look for every picture: light and dark, wide and narrow, safe for colour-blind readers.

A picture is drawn four times, since a page cannot recolour or relayout an image: for light and dark
pages, and for a screen and a phone. Font sizes are the same in both widths, so labels stay legible
at 390 pixels. Colours are those of Okabe and Ito ("Color universal design", 2008), lightened a
little where a dark page needs it.
"""

from __future__ import annotations

import base64
import io
import logging
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDE_INCHES = 7.2
NARROW_INCHES = 4.4
PALETTE_LIGHT = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
PALETTE_DARK = ("#56B4E9", "#E69F00", "#2BB98F", "#E39BC4", "#E8743B", "#F0E442")
# What a page's own text is set in; the letters of a picture are drawn by the reader's machine.
FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

_INK = {
    False: {"text": "#23282d", "soft": "#5a636c", "line": "#bfc5cb"},
    True: {"text": "#e4e2dd", "soft": "#a9b1b9", "line": "#565f69"},
}


def style_settings(*, dark: bool = False) -> dict[str, Any]:
    """Return the matplotlib settings of the light or the dark look.

    Parameters
    ----------
    dark
        For a dark page.

    Returns
    -------
    dict
        Settings for `matplotlib.rc_context`. Backgrounds are transparent; letters are measured with
        the font that matplotlib brings, so that a picture is the same on every machine.

    Examples
    --------
    >>> style_settings()["axes.facecolor"], style_settings(dark=True)["text.color"]
    ('none', '#e4e2dd')
    """
    from cycler import cycler

    ink = _INK[dark]
    settings: dict[str, Any] = {
        f"{part}.facecolor": "none" for part in ("figure", "axes", "savefig", "legend")
    }
    settings |= dict.fromkeys(("text.color", "axes.labelcolor", "axes.titlecolor"), ink["text"])
    settings |= dict.fromkeys(("xtick.labelcolor", "ytick.labelcolor"), ink["soft"])
    settings |= dict.fromkeys(
        ("xtick.color", "ytick.color", "axes.edgecolor", "grid.color", "patch.edgecolor"),
        ink["line"],
    )
    return settings | {
        "axes.prop_cycle": cycler(color=PALETTE_DARK if dark else PALETTE_LIGHT),
        "font.family": ["sans-serif"],
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 10.5,
        "axes.titlesize": 11.0,
        "axes.labelsize": 10.0,
        "xtick.labelsize": 9.5,
        "ytick.labelsize": 10.0,
        "legend.fontsize": 9.5,
        "legend.frameon": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.8,
        "axes.axisbelow": True,
        "axes.labelpad": 6.0,
        "lines.linewidth": 2.0,
        "patch.linewidth": 0.0,
        "xtick.major.size": 3.0,
        "ytick.major.size": 3.0,
        "figure.autolayout": False,
        "svg.fonttype": "none",
        "svg.hashsalt": "followkit",
        "path.simplify_threshold": 0.2,
    }


@contextmanager
def use_style(dark: bool = False) -> Iterator[None]:
    """Draw in the light or the dark look inside a `with` block.

    Parameters
    ----------
    dark
        For a dark page.

    Examples
    --------
    >>> import matplotlib as mpl
    >>> with use_style(dark=True):
    ...     mpl.rcParams["text.color"]
    '#e4e2dd'
    """
    import matplotlib as mpl

    settings: Any = style_settings(dark=dark)
    with mpl.rc_context(settings):
        yield


def draw(
    plot: Callable[..., Any],
    *args: Any,
    dark: bool = False,
    width: float = WIDE_INCHES,
    height: float = 4.0,
    dense: bool = False,
    **options: Any,
) -> str:
    """Draw one picture in one look and return it as a data URI.

    Parameters
    ----------
    plot
        A function `plot(*args, ax=ax, **options)`; it takes its colours from the style in force.
    dark
        For a dark page.
    width, height
        Size in inches; a screen shows about 108 pixels an inch, a phone 80.
    dense
        Thousands of points: a PNG at twice the resolution instead of an SVG.

    Returns
    -------
    str
        `data:image/svg+xml;base64,…` or `data:image/png;base64,…`, the same bytes every time.

    Examples
    --------
    >>> draw(lambda ax: ax.plot([1, 2]))[:26]
    'data:image/svg+xml;base64,'
    """
    from matplotlib.figure import Figure

    with use_style(dark), _without_font_messages():
        figure = Figure(figsize=(width, height), layout="constrained")
        plot(*args, ax=figure.add_subplot(), **options)
        return encode(figure, dense=dense)


def encode(figure: Figure, *, dense: bool = False) -> str:
    """Return a finished matplotlib figure as a data URI, the same bytes every time.

    Parameters
    ----------
    figure
        The figure.
    dense
        As PNG at twice the resolution instead of SVG.
    """
    import matplotlib as mpl

    buffer = io.BytesIO()
    if dense:
        figure.savefig(buffer, format="png", dpi=180, metadata={"Software": None})
        return _data_uri("image/png", buffer.getvalue())
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "followkit"}):
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", metadata=nothing)
    return _data_uri("image/svg+xml", _tidy_svg(buffer.getvalue().decode()).encode())


def _tidy_svg(text: str) -> str:
    """Let the reader's machine choose the letters, and drop what only a file needs."""
    text = re.sub(r"font-family: [^;\"]*'DejaVu Sans'[^;\"]*", f"font-family: {FONTS}", text)
    text = text[text.index("<svg") :]
    # Coordinates only: a number between tags is a label that somebody reads.
    text = re.sub(r'="[^"]*"', lambda found: _shorten(found.group()), text)
    return re.sub(r"\s*\n\s*", "\n", text)


def _shorten(attribute: str) -> str:
    return re.sub(r"(\d+\.\d{2})\d+", r"\1", attribute)


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


@contextmanager
def _without_font_messages() -> Iterator[None]:
    """Silence complaints about letters the measuring font lacks: the reader's machine has them."""
    logger = logging.getLogger("matplotlib.font_manager")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            yield
    finally:
        logger.setLevel(level)
