"""Safe pieces of a page: text, tables, figures, callouts and the numbers that go with them.

One rule keeps hostile names from running as code: a `str` is always text and is escaped; only a
`Shown` is HTML. Every piece shows itself in JupyterLab and in a rendered report alike.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, Literal

from followkit.errors import InputError
from followkit.record import (
    TABLES_MIME,
    Record,
    clean,
    csv_text,
    is_missing,
    is_number_column,
    numbers_output,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Record", "Shown", "Summary", "callout", "clean", "csv_text", "details", "esc", "figure",
    "figure_html", "heading", "key_numbers", "lead", "name_html", "numbers_output", "piece_html",
    "show", "table", "table_html", "text_html",
]  # fmt: skip

Format = str | Callable[[Any], str]
Side = Literal["left", "right", "center"]


def esc(value: object) -> str:
    """Escape any value for HTML text and attributes; control characters are stripped.

    Examples
    --------
    >>> esc('<img src=x onerror="alert(1)">')
    '&lt;img src=x onerror=&quot;alert(1)&quot;&gt;'
    """
    return escape(clean(value), quote=True)


def name_html(value: object) -> str:
    """Escape a name that somebody chose, and keep its writing direction to itself.

    Examples
    --------
    >>> name_html("<zoë>")
    '<bdi>&lt;zoë&gt;</bdi>'
    """
    return f"<bdi>{esc(value)}</bdi>"


@dataclass(frozen=True)
class Shown:
    """A finished piece of HTML that shows itself in a notebook.

    Attributes
    ----------
    html
        The HTML; whoever makes a `Shown` has escaped what came from data.
    tables
        Tables that a report also writes as CSV files: name → CSV text.
    """

    html: str
    tables: Mapping[str, str] = field(default_factory=dict)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/html": self.html, "text/plain": repr(self)}
        if self.tables:
            bundle[TABLES_MIME] = dict(self.tables)
        return bundle

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        """Return a short text, for places that show no HTML."""
        return f"<followkit.html.Shown, {len(self.html):,} characters>"


@dataclass(frozen=True)
class Summary:
    """A result that readers see, made once: the sentence and the table it was written from.

    Attributes
    ----------
    table
        The numbers.
    text
        The sentence or sentences; a blank line starts a new paragraph.
    caption, formats, notes
        As in `table`.

    Examples
    --------
    >>> import pandas as pd
    >>> summary = Summary(pd.DataFrame({"answered": [200]}), "200 follows were answered.")
    >>> "<p>200 follows were answered.</p>" in summary._repr_html_()
    True
    """

    table: pd.DataFrame
    text: str
    caption: str = ""
    formats: Mapping[str, Format] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def _repr_html_(self) -> str:
        caption = self.caption or "The numbers behind this"
        return text_html(self.text) + table_html(
            self.table, caption, notes=self.notes, formats=self.formats
        )


Piece = str | Shown | Summary


def piece_html(piece: Piece) -> str:
    """Return the HTML of a piece: a `str` becomes escaped paragraphs.

    Examples
    --------
    >>> piece_html("1 < 2")
    '<p>1 &lt; 2</p>'
    """
    return text_html(piece) if isinstance(piece, str) else piece._repr_html_()


def text_html(text: str, css_class: str = "") -> str:
    r"""Turn plain text into paragraphs, one for each blank line between.

    Examples
    --------
    >>> text_html("one\n\ntwo")
    '<p>one</p><p>two</p>'
    """
    start = f'<p class="{esc(css_class)}">' if css_class else "<p>"
    parts = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    # A line never breaks between a number and its percent sign.
    parts = [re.sub(r"(?<=\d) (?=%)", "\u00a0", part) for part in parts]
    return "".join(f"{start}{esc(part)}</p>" for part in parts)


def show(*pieces: Piece) -> Shown:
    """Join pieces into one; as the last line of a cell it shows them all.

    Examples
    --------
    >>> show("A sentence.", callout("Careful.")).html[:18]
    '<p>A sentence.</p>'
    """
    tables: dict[str, str] = {}
    for piece in pieces:
        if isinstance(piece, Shown):
            tables |= piece.tables
    return Shown("".join(piece_html(piece) for piece in pieces), tables)


def heading(text: str, level: int = 2) -> Shown:
    """Return a computed heading; a report puts it into the contents list.

    Examples
    --------
    >>> heading("Who answers?").html
    '<h2>Who answers?</h2>'
    """
    return Shown(f"<h{int(level)}>{esc(text)}</h{int(level)}>")


def lead(text: str) -> Shown:
    """Return the opening paragraph: the answer, in larger letters.

    Examples
    --------
    >>> lead("One in forty.").html
    '<p class="fk-lead">One in forty.</p>'
    """
    return Shown(text_html(text, "fk-lead"))


def key_numbers(*items: tuple[str, str] | tuple[str, str, str]) -> Shown:
    """Return a row of headline numbers, each with a label and perhaps a note.

    Parameters
    ----------
    *items
        `(value, label)` or `(value, label, note)`, all text.

    Examples
    --------
    >>> "<dd>2.5 %</dd>" in key_numbers(("2.5 %", "answered", "1.5 to 3.4 %")).html
    True
    """
    cells = []
    for value, label, *note in items:
        small = f"<small>{esc(note[0])}</small>" if note and note[0] else ""
        cells.append(f"<div><dt>{esc(label)}{small}</dt><dd>{esc(value)}</dd></div>")
    return Shown(f'<dl class="fk-numbers">{"".join(cells)}</dl>')


def callout(text: Piece, kind: Literal["note", "caution", "stop"] = "note") -> Shown:
    """Return a boxed remark whose kind is said in a word, not by colour alone.

    Examples
    --------
    >>> callout("Few answers.", "caution").html
    '<aside class="fk-callout fk-caution"><p class="fk-kind">Caution</p><p>Few ...</p></aside>'
    """
    if kind not in ("note", "caution", "stop"):
        raise InputError(f"callout: kind must be note, caution or stop; got {kind!r}.")
    word = {"note": "Note", "caution": "Caution", "stop": "Not usable"}[kind]
    start = f'<aside class="fk-callout fk-{kind}"><p class="fk-kind">{word}</p>'
    return Shown(f"{start}{piece_html(text)}</aside>")


def details(summary: str, *pieces: Piece) -> Shown:
    """Return pieces folded away behind a line that opens them.

    Examples
    --------
    >>> details("Method", "Newton steps.").html
    '<details><summary>Method</summary><p>Newton steps.</p></details>'
    """
    inside = show(*pieces)
    return Shown(
        f"<details><summary>{esc(summary)}</summary>{inside.html}</details>", inside.tables
    )


# ---------------------------------------------------------------------------------------- figures


def figure(
    plot: Callable[..., Any],
    *args: Any,
    alt: str,
    caption: str = "",
    height: float = 4.0,
    narrow_height: float | None = None,
    dense: bool = False,
    **options: Any,
) -> Shown:
    """Draw `plot(*args, ax=…, **options)` for light and dark pages, screens and phones.

    Parameters
    ----------
    plot
        A function of `followkit.figures`.
    alt
        What the picture shows, for readers who cannot see it. It must not be empty.
    caption
        What to read from it.
    height, narrow_height
        Inches; the screen version is 7.2 inches wide, the phone version 4.4 (same height if not
        given otherwise).
    dense
        Thousands of points: PNG at twice the resolution instead of SVG.

    Returns
    -------
    Shown
        A `<figure>` that holds the pictures itself.
    """
    from followkit import style

    def picture(dark: bool, width: float, inches: float) -> str:
        return style.draw(
            plot, *args, dark=dark, width=width, height=inches, dense=dense, **options
        )

    narrow = narrow_height or height
    sources = [
        (f"{_PHONE} and {_SCHEME}", picture(True, style.NARROW_INCHES, narrow)),
        (_DARK, picture(True, style.WIDE_INCHES, height)),
        (_PHONE, picture(False, style.NARROW_INCHES, narrow)),
    ]
    light = picture(False, style.WIDE_INCHES, height)
    return Shown(_figure_html(sources, light, alt, caption))


_SCHEME = "(prefers-color-scheme: dark)"
_DARK = f"screen and {_SCHEME}"
_PHONE = "screen and (max-width: 640px)"


def figure_html(picture: Any, alt: str, caption: str = "", *, dense: bool = False) -> str:
    """Return a `<figure>` for a maker `maker(ax=…)`, or for a finished matplotlib figure.

    Parameters
    ----------
    picture
        A maker is drawn in every look, like `figure`; a finished figure can only be shown as it is,
        on a light panel.
    alt
        What the picture shows, for readers who cannot see it. It must not be empty.
    caption
        What to read from it.
    dense
        As PNG instead of SVG.
    """
    if callable(picture):
        return figure(picture, alt=alt, caption=caption, dense=dense).html
    from followkit import style

    return _figure_html([], style.encode(picture, dense=dense), alt, caption, "fk-panel")


def _figure_html(
    sources: Sequence[tuple[str, str]], light: str, alt: str, caption: str, css_class: str = ""
) -> str:
    if not alt.strip():
        raise InputError("figure: alt must say what the picture shows; it was empty.")
    start = f'<figure class="{css_class}">' if css_class else "<figure>"
    lines = [f'<source media="{media}" srcset="{uri}">' for media, uri in sources]
    image = f'<img alt="{esc(alt)}" src="{light}">'
    below = f"<figcaption>{esc(caption)}</figcaption>" if caption else ""
    return f"{start}<picture>{''.join(lines)}{image}</picture>{below}</figure>"


# ----------------------------------------------------------------------------------------- tables


def table(
    frame: pd.DataFrame,
    caption: str,
    *,
    notes: Sequence[str] = (),
    formats: Mapping[str, Format] | None = None,
    align: Mapping[str, Side] | None = None,
    labels: Mapping[str, str] | None = None,
    names: Iterable[str] = (),
    marked: Iterable[int] = (),
    save_as: str = "",
) -> Shown:
    """Show a frame as a table; with `save_as` a report also writes it as a CSV file.

    Parameters
    ----------
    frame
        Rows in the order to show; the index is not shown.
    caption, notes
        Above and below the table.
    formats
        Column → format such as `",.2f"` or `".1%"`, or a function value → text. Without one, whole
        numbers get thousands separators and others three significant digits.
    align
        Column → side; numbers stand right, everything else left.
    labels
        Column → words for its header; without one, underscores become blanks.
    names
        Columns that hold names somebody chose: each is kept to its own writing direction.
    marked
        Positions of rows to stress (misses, the chosen model).
    save_as
        File name without its ending, such as `"odds_ratios"`.

    Examples
    --------
    >>> import pandas as pd
    >>> shown = table(pd.DataFrame({"state": ["mutual"], "count": [174]}), "Census")
    >>> '<td class="fk-right">174</td>' in shown.html
    True
    """
    html = table_html(frame, caption, notes=notes, formats=formats, align=align, labels=labels,
                      names=names, marked=marked)  # fmt: skip
    if not save_as:
        return Shown(html)
    if not re.fullmatch(r"[a-z0-9][a-z0-9_]{0,59}", save_as):
        raise InputError(
            f"table: save_as must be lower-case letters, digits, underscores; got {save_as!r}."
        )
    return Shown(html, {save_as: csv_text(frame)})


def table_html(
    frame: pd.DataFrame,
    caption: str,
    notes: Sequence[str] = (),
    formats: Mapping[str, Format] | None = None,
    align: Mapping[str, Side] | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    names: Iterable[str] = (),
    marked: Iterable[int] = (),
) -> str:
    """Return the HTML of `table`, wrapped in a box that scrolls and can be reached by keyboard."""
    formats, labels = formats or {}, labels or {}
    name_columns, stressed = set(names), set(marked)
    columns = list(frame.columns)
    sides = {column: (align or {}).get(column) or _side(frame[column]) for column in columns}
    head = "".join(
        f'<th scope="col" class="fk-{sides[column]}">'
        f"{esc(labels.get(column, str(column).replace('_', ' ')))}</th>"
        for column in columns
    )
    body = []
    for position, values in enumerate(zip(*(frame[column] for column in columns), strict=True)):
        cells = []
        for place, (column, value) in enumerate(zip(columns, values, strict=True)):
            text = _cell(value, formats.get(column), column in name_columns)
            tag = 'th scope="row"' if place == 0 and sides[column] == "left" else "td"
            cells.append(f'<{tag} class="fk-{sides[column]}">{text}</{tag[:2]}>')
        row = '<tr class="fk-marked">' if position in stressed else "<tr>"
        body.append(f"{row}{''.join(cells)}</tr>")
    below = "".join(f'<p class="fk-below">{esc(note)}</p>' for note in notes)
    return (
        f'<div class="fk-table"><div class="fk-scroll" tabindex="0" role="region" '
        f'aria-label="{esc(caption)}"><table><caption>{esc(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>{below}</div>"
    )


def _side(values: pd.Series) -> Side:
    return "right" if is_number_column(values) else "left"


def _cell(value: Any, form: Format | None, is_name: bool) -> str:
    if is_missing(value):
        return '<span class="fk-none" title="not known">–</span>'
    if callable(form):
        return esc(form(value))
    if is_name:
        return name_html(value)
    if type(value).__name__ in ("bool", "bool_"):
        return "yes" if value else "no"
    if _is_number(value):
        return esc(_number_text(value, form)).replace("-", "−", 1)
    return esc(format(value, form) if form else value)


def _is_number(value: Any) -> bool:
    return hasattr(value, "__float__") and not isinstance(value, str)


def _number_text(value: Any, form: str | None) -> str:
    if form is not None:
        return format(value, form)
    number = float(value)
    if not math.isfinite(number):
        return "∞" if number > 0 else "-∞"
    if hasattr(value, "__index__") or abs(number) >= 1000:
        return f"{round(number):,}"
    return f"{number:.3g}"
