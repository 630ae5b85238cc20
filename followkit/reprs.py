"""Short HTML of results for a notebook cell: a caption, facts, remarks, a table.

Everything is text and is escaped. There is no style, no class and no script in it, so that it takes
the colours of whatever page it stands on, light or dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from followkit.record import clean

#: A list of names stops after so many.
MOST_NAMED = 12
#: A table stops after so many rows.
MOST_ROWS = 12

Facts = Iterable[tuple[str, object]]


def text_of(value: object) -> str:
    """Escape any value for HTML; control characters are stripped, writing directions kept apart.

    Examples
    --------
    >>> text_of("<b>zoë</b>")
    '<bdi>&lt;b&gt;zoë&lt;/b&gt;</bdi>'
    >>> text_of(8147), text_of(0.25)
    ('8,147', '0.25')
    """
    if isinstance(value, str):
        return f"<bdi>{escape(clean(value), quote=True)}</bdi>"
    # Not bool(): a flag is a whole number too.
    return escape(f"{value:,}" if hasattr(value, "__index__") else clean(value), quote=True)


def name_some(names: Iterable[object], most: int = MOST_NAMED) -> str:
    """Join names; the rest is only counted.

    Examples
    --------
    >>> name_some(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    listed = [str(name) for name in names]
    more = len(listed) - most
    return ", ".join(listed[:most]) + (f" and {more:,} more" if more > 0 else "")


def make_repr(
    caption: str,
    facts: Facts,
    columns: Sequence[str] = (),
    rows: Iterable[Sequence[object]] = (),
    notes: Iterable[str] = (),
) -> str:
    """Return the HTML of one result.

    Parameters
    ----------
    caption
        What it is.
    facts
        `(word, value)`: shown one below the other.
    columns, rows
        A table; the first cell of a row is its header. Rows after the twelfth are only counted; no
        rows, no table.
    notes
        Sentences above the table.

    Examples
    --------
    >>> make_repr("Dyads", [("answered", "2.5 %")], notes=["Few."])
    '<p><strong><bdi>Dyads</bdi></strong></p><ul><li>answered: <bdi>2.5 %</bdi></li></ul><p><bdi>Few.</bdi></p>'
    """  # noqa: E501
    listed = "".join(f"<li>{escape(word)}: {text_of(value)}</li>" for word, value in facts)
    remarks = "".join(f"<p>{text_of(note)}</p>" for note in notes)
    every = list(rows)
    body = "".join(f"<tr>{_row(values)}</tr>" for values in every[:MOST_ROWS])
    more = len(every) - MOST_ROWS
    body += f'<tr><td colspan="{len(columns)}">and {more:,} more</td></tr>' if more > 0 else ""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if body else ""
    title = f"<p><strong>{text_of(caption)}</strong></p>"
    return f"{title}<ul>{listed}</ul>{remarks}{table}"


def _row(values: Sequence[object]) -> str:
    first, *rest = map(text_of, values)
    return f'<th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in rest)
