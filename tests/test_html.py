"""Pieces of a page: text stays text, tables and figures can be read by everybody."""

from __future__ import annotations

import base64
import csv
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from followkit import html, style
from followkit.errors import FollowkitError, InputError
from followkit.record import Record, csv_text, plain

PAYLOADS = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "javascript:alert(3)",
    "\" onmouseover=\"alert(4)",
    "' autofocus onfocus='alert(5)",
    "<svg/onload=alert(6)>",
    "a\u202eb\x00\x1b[31m",
    "\ud800half",
)  # fmt: skip
CSS = Path(html.__file__).parent / "templates/followkit/style.css"


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_piece_lets_text_become_markup(payload: str) -> None:
    frame = pd.DataFrame({"handle": [payload], payload: [1.5]})
    shown = html.show(
        payload,
        html.lead(payload),
        html.heading(payload),
        html.callout(payload),
        html.details(payload, payload),
        html.key_numbers((payload, payload, payload)),
        html.table(frame, payload, notes=[payload], names=["handle"], labels={"handle": payload}),
        html.table(frame, payload, formats={"handle": lambda text: text}),
        html.Summary(frame, payload, caption=payload),
        html.figure(lambda ax: ax.plot([1, 2]), alt=payload or "x", caption=payload),
    )
    page = BeautifulSoup(shown.html, "html.parser")
    assert not page.find_all(["script", "svg", "a"])
    assert len(page.find_all("img")) == 1
    assert not [name for tag in page.find_all(True) for name in tag.attrs if name.startswith("on")]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", shown.html)
    shown.html.encode("utf-8")


def test_a_table_is_labelled_aligned_and_reachable() -> None:
    frame = pd.DataFrame(
        {
            "feature": ["ratio", "neighbours"],
            "odds_ratio": [0.7123, np.nan],
            "dyad_count": [8147, 12],
            "is_timed": [True, False],
            "effect": [-0.004, 0.02],
        }
    )
    shown = html.table(
        frame, "Odds", notes=["Per doubling."], formats={"effect": "+.1%"}, marked=[1]
    )
    page = BeautifulSoup(shown.html, "html.parser")
    box = page.select_one("div.fk-scroll")
    assert box is not None
    assert (box["tabindex"], box["aria-label"]) == ("0", "Odds")
    assert page.caption is not None
    assert page.caption.text == "Odds"
    heads = [(th["scope"], th.text, th["class"]) for th in page.select("thead th")]
    assert heads[1] == ("col", "odds ratio", ["fk-right"])
    assert heads[3] == ("col", "is timed", ["fk-left"])
    rows = [[cell.text for cell in tr.find_all(["th", "td"])] for tr in page.select("tbody tr")]
    assert rows == [
        ["ratio", "0.712", "8,147", "yes", "−0.4%"],
        ["neighbours", "–", "12", "no", "+2.0%"],
    ]
    assert [th["scope"] for th in page.select("tbody th")] == ["row", "row"]
    assert page.select_one("tbody tr.fk-marked th").text == "neighbours"  # type: ignore[union-attr]


def test_empty_and_odd_tables_are_shown() -> None:
    empty = pd.DataFrame({"a": pd.Series(dtype=float)})
    assert "<tbody></tbody>" in html.table_html(empty, "none")
    infinite = pd.DataFrame({"a": [np.inf, -np.inf], "at": pd.to_datetime(["2026-01-02", None])})
    text = html.table_html(infinite, "x", formats={"at": "%Y-%m-%d"})
    assert "∞" in text
    assert "−∞" in text
    assert "2026-01-02" in text


def _pictures(shown: html.Shown) -> list[str]:
    return re.findall(r"data:image/[a-z+]+;base64,[A-Za-z0-9+/=]+", shown.html)


def test_a_figure_is_drawn_for_every_page_and_always_the_same() -> None:
    def plot(values: list[int], *, ax: object, step: int = 1) -> None:
        ax.plot(values[::step])  # type: ignore[attr-defined]
        ax.set_xlabel("days 日 😀")  # type: ignore[attr-defined]

    def make() -> html.Shown:
        return html.figure(plot, [1, 3, 2], step=1, alt="Up, then down.", caption="Days.")

    first, second = make(), make()
    pictures = _pictures(first)
    assert first.html == second.html
    assert len(set(pictures)) == 4
    media = re.findall(r'<source media="([^"]+)"', first.html)
    assert sum("prefers-color-scheme: dark" in rule for rule in media) == 2
    assert all(rule.startswith("screen and") for rule in media), "paper is light and wide"
    drawing = base64.b64decode(pictures[-1].partition(",")[2]).decode()
    assert "days 日 😀" in drawing, "letters stay letters, so that every alphabet can be read"
    assert "http://" not in re.sub(r'xmlns(:xlink)?="[^"]+"', "", drawing)
    assert not re.search(r"20\d\d-\d\d-\d\d", drawing)


def test_a_dense_figure_is_a_png() -> None:
    shown = html.figure(lambda ax: ax.scatter([1], [2]), alt="One point.", dense=True)
    assert {picture[:22] for picture in _pictures(shown)} == {"data:image/png;base64,"}
    again = html.figure(lambda ax: ax.scatter([1], [2]), alt="One point.", dense=True)
    assert shown.html == again.html


def test_a_figure_needs_words() -> None:
    with pytest.raises(InputError, match="alt must say what the picture shows"):
        html.figure(lambda ax: ax.plot([1]), alt=" ")


def test_styles_leave_no_trace() -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    with style.use_style(dark=True):
        assert mpl.rcParams["text.color"] != before["text.color"]
    assert dict(mpl.rcParams) == before


def test_csv_cannot_run_as_a_formula() -> None:
    texts = ["=1+1", "+1", "-2", "@SUM(A1)", "\t=1", "\r=1", "＝1", "plain", "", "a\x00b", None]
    frame = pd.DataFrame({"text": texts, "number": np.arange(-5.0, 6.0), "=h": 1})
    rows = list(csv.reader(io.StringIO(csv_text(frame))))
    assert rows[0] == ["text", "number", "'=h"]
    cells = [row[0] for row in rows[1:]]
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@\t\r＝"))]
    assert cells[7:] == ["plain", "", "ab", ""]
    assert [float(row[1]) for row in rows[1:]] == list(np.arange(-5.0, 6.0))


def test_record_keeps_what_json_can_hold() -> None:
    numbers = Record({"n": np.int64(3), "when": pd.Timestamp("2026-01-02", tz="UTC")})
    assert numbers.values == {"n": 3, "when": "2026-01-02T00:00:00+00:00"}
    assert numbers.record("n", 3) == 3
    with pytest.raises(InputError, match="n is 3 already"):
        numbers.record("n", 4)
    with pytest.raises(InputError, match=r"record: x\.y holds a object"):
        numbers.record("x", {"y": object()})
    assert plain([np.nan, np.inf, None, pd.NA, np.bool_(True), (1, 2)]) == [
        None, None, None, None, True, [1, 2],
    ]  # fmt: skip
    frame = pd.DataFrame({"a": [1], "b": ["x"]})
    assert plain(frame) == [{"a": 1, "b": "x"}]


def test_bad_names_and_kinds_are_refused() -> None:
    frame = pd.DataFrame({"a": [1]})
    with pytest.raises(FollowkitError, match="save_as"):
        html.table(frame, "x", save_as="../x")
    with pytest.raises(FollowkitError, match="kind must be"):
        html.callout("x", "loud")  # type: ignore[arg-type]


def test_tables_are_kept_when_pieces_are_joined() -> None:
    frame = pd.DataFrame({"a": [1]})
    shown = html.show("x", html.details("more", html.table(frame, "t", save_as="one")))
    assert shown.tables == {"one": "a\n1\n"}


# ---------------------------------------------------------------------------------------- contrast


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2."""
    low, high = sorted([_luminance(one), _luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_computed_as_wcag_does() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("dark", [False, True])
def test_text_and_lines_stand_out(dark: bool) -> None:
    themes = re.findall(r":root \{(.*?)\}", CSS.read_text("utf-8"), flags=re.DOTALL)
    colours = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6})", themes[int(dark)]))
    for ink in ("ink", "soft", "accent", "caution", "stop", "good"):
        for ground in ("paper", "raised"):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    assert contrast(colours["ink"], colours["mark"]) >= 4.5
    settings = style.style_settings(dark=dark)
    for key in ("text.color", "xtick.labelcolor"):
        assert contrast(settings[key], colours["paper"]) >= 4.5, key
    palette = style.PALETTE_DARK if dark else style.PALETTE_LIGHT
    for colour in palette[:3]:
        assert contrast(colour, colours["paper"]) >= 3, colour
