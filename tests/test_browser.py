"""Whole reports in a real browser: silent, reachable, legible, printable, and deaf to payloads."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import browser as look
import hostile
import nbformat
import pandas as pd
import pytest
from PIL import Image, ImageStat

from followkit import html
from followkit.index import write_index
from followkit.kernels import ForkServer, can_fork
from followkit.page import PageText, make_page
from followkit.report import render_report
from followkit.simulate import make_town, write_dataset
from followkit.sources import load_dataset

ROOT = Path(__file__).parents[1]
FOLLOW_BACK = ROOT / "notebooks" / "report" / "follow_back.ipynb"
LATENCY = ROOT / "notebooks" / "report" / "latency.ipynb"
DEMO = ROOT / "tests" / "notebooks" / "demo.ipynb"
#: The paper of a page: A4 without its margins, in CSS pixels (178 mm at 96 an inch).
PAPER = 673
FORMULA = tuple("=+-@\t\r＝＋－＠")
ARMED_TITLE = f"=1+1 日本語 {hostile.PAYLOADS[0]}"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(look.CHROMIUM is None, reason="chromium is not installed"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def pages(folder: Path) -> dict[str, Path]:
    """A plain report with its code, the demonstration, hostile reports, and two lists of them."""
    write_dataset(make_town(200, seed=1, weeks=14, follows_per_account=12), folder / "town")
    spoiled = hostile.make_hostile_town(folder)
    busiest = load_dataset(spoiled).follows["follower_id"].value_counts().index[0]
    title = f"{hostile.PAYLOADS[0]} {hostile.PAYLOADS[9]} \u202egnp.exe"
    plain, odd = folder / "reports", folder / "odd"
    runs: tuple[tuple[Path, Path, dict[str, Any]], ...] = (
        (FOLLOW_BACK, plain / "town", {"data": folder / "town", "with_mutuality": False}),
        (DEMO, plain / "demo", {}),
        (FOLLOW_BACK, odd / "names", {"data": spoiled, "with_mutuality": False, "title": title,
                                      "show_names": True, "initiator": busiest,
                                      "mapping": spoiled / "mapping.toml"}),
        (LATENCY, odd / "latency", {"data": spoiled, "title": ARMED_TITLE}),
    )  # fmt: skip
    found = {}
    with ForkServer(ROOT) if can_fork() else nullcontext() as server:
        for notebook, place, values in runs:
            made = render_report(notebook, place / f"{place.name}.html", values, server=server)
            found |= {place.name: made.page, f"{place.name} with code": made.code_page}
    failed = [{"name": text, "cause": text, "command": text} for text in hostile.PAYLOADS]
    return found | {
        "index": write_index(make_many(folder / "many", found["town"])),
        "odd index": write_index(odd, failures=failed),
    }


def make_many(folder: Path, page: Path) -> Path:
    """Lay out twelve reports with known numbers; one of them has no model, one no dyads."""
    summary = json.loads((page.parent / "summary.json").read_text("utf-8"))
    for number in range(1, 13):
        made = folder / f"report-{number:02}"
        made.mkdir(parents=True)
        auc = {"split": {"full_logistic": {"value": 0.5 + number * 5 % 12 / 30}}}
        main = {"dyads": 37 * number % 11 * 1000, "rate": {"value": number * 7 % 12 / 40}}
        main |= {"auc": {} if number == 4 else auc}
        main |= {"dyads": None, "rate": None} if number == 9 else {}
        summary |= {"title": f"Town {number}", "numbers": {"main": main}, "page": "a.html"}
        if number % 4 == 0:
            summary["headline"] = "Gardeners answer twice as often."
        else:
            summary["headline"] = f"Of 1,439 follows that could be watched, {number} were answered."
        (made / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
        (made / "a.html").write_text("a page", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with look.open_browser() as browser:
        yield browser


PLAIN = ("town", "town with code", "demo", "demo with code", "index")
ODD = ("names", "names with code", "latency", "odd index")


# ---------------------------------------------------------------------------- silent and in place


@pytest.mark.parametrize("name", PLAIN)
def test_a_page_asks_for_nothing_and_complains_of_nothing(name, pages, chromium) -> None:
    with look.visit(chromium, pages[name]) as (page, seen):
        look.open_folds(page)
        assert seen.requests[0] == pages[name].as_uri()
        assert [url for url in seen.requests[1:] if not url.startswith("data:")] == []
        assert seen.complaints == []
        assert page.evaluate("document.scripts.length") == (name == "index")
        assert page.evaluate("Array.from(document.images).every((one) => one.naturalWidth > 0)")
    assert pages[name].stat().st_size < 2_000_000


def test_a_careless_page_would_be_seen(chromium, tmp_path: Path) -> None:
    careless = tmp_path / "careless.html"
    careless.write_text("".join(hostile.PAYLOADS[:9]) + "<script>alert(1);nothing()</script>")
    with look.visit(chromium, careless) as (page, seen):
        assert look.wait_until(page, "window.__ran === 1")
        assert "http://outside.invalid/a.png" in seen.outside
        assert seen.dialogs == ["1"]
        assert any("nothing is not defined" in text for text in seen.complaints)


@pytest.mark.parametrize("name", PLAIN)
def test_nothing_sticks_out_of_a_phone(name, pages, chromium) -> None:
    with look.visit(chromium, pages[name], width=look.PHONE) as (page, _):
        look.open_folds(page)
        for width in (look.PHONE, 320):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            captions = page.evaluate(
                "Array.from(document.querySelectorAll('caption, figcaption'), "
                "(one) => one.getBoundingClientRect().right)"
            )
            assert max(captions) <= width, "a caption is read without scrolling"


def test_the_skip_link_leads_to_the_report(pages, chromium) -> None:
    with look.visit(chromium, pages["town"]) as (page, _):
        skip = page.locator(".fk-skip")
        assert skip.bounding_box()["x"] < 0
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "fk-skip"
        assert skip.bounding_box()["x"] >= 0
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"


def test_the_contents_lead_to_their_sections_and_follow_the_reader(pages, chromium) -> None:
    with look.visit(chromium, pages["town"]) as (page, _):
        links = page.locator(".fk-contents a")
        assert links.all_inner_texts() == page.locator("h2").all_inner_texts()
        marks = page.evaluate("CSS.supports('selector(a:target-current)')")
        for link in links.all():
            link.click()
            name = page.evaluate("decodeURIComponent(location.hash.slice(1))")
            heading = page.locator(f"[id='{name}']")
            assert heading.inner_text() == link.inner_text()
            assert 0 <= heading.bounding_box()["y"] < 900
            assert 0 <= link.bounding_box()["y"] < 900, "the list stays in sight"
        page.locator("h2").nth(3).evaluate("(one) => one.scrollIntoView()")
        if marks:
            third = "document.querySelectorAll('.fk-contents a')[3].matches(':target-current')"
            assert look.wait_until(page, third)


# ------------------------------------------------------------------------------- for every reader

LOOKS = {
    "light": {},
    "dark": {"dark": True},
    "phone": {"width": look.PHONE, "height": 844},
}  # fmt: skip


@pytest.mark.parametrize("how", LOOKS)
@pytest.mark.parametrize("name", ["town", "index"])
def test_axe_finds_nothing_grave(name, how, pages, chromium) -> None:
    with look.visit(chromium, pages[name], **LOOKS[how]) as (page, _):
        look.open_folds(page)
        assert look.run_axe(page) == []


@pytest.mark.parametrize("name", ["town with code", "demo with code", "names", "odd index"])
def test_axe_finds_nothing_grave_in_the_other_pages(name, pages, chromium) -> None:
    with look.visit(chromium, pages[name], dark=True, width=look.PHONE) as (page, _):
        look.open_folds(page)
        assert look.run_axe(page) == []


def test_axe_would_find_faults(pages, chromium) -> None:
    with look.visit(chromium, pages["demo"]) as (page, _):
        page.evaluate("document.querySelector('figure img').removeAttribute('alt')")
        page.evaluate("document.querySelector('h2').style.color = '#ddd'")
        found = {fault.partition(" ")[0] for fault in look.run_axe(page)}
    assert found == {"image-alt", "color-contrast"}


def test_figures_and_tables_carry_numbers_that_are_heard(pages, chromium) -> None:
    with look.visit(chromium, pages["town"]) as (page, _):
        look.open_folds(page)
        for role, word, caption in (
            ("figure", "Figure", "figcaption"),
            ("table", "Table", "caption"),
        ):
            marks = page.locator(f"{caption} .fk-number").all_inner_texts()
            assert len(marks) > 5
            assert marks == [f"{word} {number}." for number in range(1, len(marks) + 1)]
            for number in (1, len(marks)):
                heard = page.get_by_role(role, name=re.compile(rf"^{word} {number}\. \w"))
                assert heard.count() == 1
        for folded in page.locator("details:has(table)").all():
            inside = re.findall(
                r"Table (\d+)\.", " ".join(folded.locator("caption").all_inner_texts())
            )
            told = re.findall(r"\d+", folded.locator("summary").inner_text().rpartition("(")[2])
            assert [told[0], told[-1]] == [inside[0], inside[-1]]


def test_tables_say_what_a_cell_belongs_to(pages, chromium) -> None:
    with look.visit(chromium, pages["town"]) as (page, _):
        look.open_folds(page)
        scopes = page.locator("th").evaluate_all("(all) => all.map((one) => one.scope)")
        assert set(scopes) == {"col", "row"}
        sides = page.locator("td.fk-right").evaluate_all(
            "(all) => all.map((one) => getComputedStyle(one).textAlign)"
        )
        assert set(sides) == {"right"}


# -------------------------------------------------------------------------------- light and dark


@pytest.mark.parametrize("width", [look.SCREEN, look.PHONE])
@pytest.mark.parametrize("dark", [False, True])
def test_letters_in_figures_are_legible(dark, width, pages, chromium) -> None:
    with look.visit(chromium, pages["town"], dark=dark, width=width) as (page, _):
        pictures = look.read_pictures(page)
    assert len(pictures) > 5
    for letters in pictures:
        assert letters, "a picture without a word"
        for one in letters:
            assert one.contrast >= 4.5, one
            assert one.pixels >= 9, one


def test_a_picture_for_the_wrong_page_would_be_seen(pages, chromium) -> None:
    with look.visit(chromium, pages["town"], dark=True) as (page, _):
        page.evaluate("document.querySelectorAll('picture source').forEach((one) => one.remove())")
        assert look.wait_until(page, "document.images[0].currentSrc === document.images[0].src")
        assert min(one.contrast for one in look.read_pictures(page)[0]) < 2


def test_light_and_dark_look_different(pages, chromium) -> None:
    means = {}
    for dark in (False, True):
        with look.visit(chromium, pages["town"], dark=dark) as (page, _):
            for part in ("body", "figure"):
                shot = (
                    page.locator(part).first.screenshot() if part == "figure" else page.screenshot()
                )
                grey = Image.open(io.BytesIO(shot)).convert("L")
                means[part, dark] = ImageStat.Stat(grey).mean[0]
                assert ImageStat.Stat(grey).stddev[0] > 5, "there is something to see"
    for part in ("body", "figure"):
        assert means[part, False] > 200
        assert means[part, True] < 80


# ------------------------------------------------------------------------------------------ paper


def test_paper_holds_every_section_and_what_is_folded(pages, chromium) -> None:
    with look.visit(chromium, pages["town"], dark=True) as (page, _):
        headings = page.locator("h1, h2, h3").all_inner_texts()
        pdf = page.pdf(outline=True, tagged=True, prefer_css_page_size=True)
        page.set_viewport_size({"width": PAPER, "height": 900})
        folded = page.locator("details > :not(summary)")
        assert not any(folded.evaluate_all("(all) => all.map((one) => one.checkVisibility())"))
        page.emulate_media(media="print", color_scheme="dark")
        assert folded.count() > 5
        assert all(folded.evaluate_all("(all) => all.map((one) => one.checkVisibility())"))
        for hidden in (".fk-skip", ".fk-contents"):
            assert not page.locator(hidden).is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PAPER
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == (
            "rgb(255, 255, 255)"
        )
        light = "Array.from(document.images).every((one) => one.currentSrc === one.src)"
        assert look.wait_until(page, light)
        for letters in look.read_pictures(page):
            assert all(one.contrast >= 4.5 and one.pixels >= 9 for one in letters)
    assert Counter(look.read_bookmarks(pdf)) >= Counter(headings)
    assert 10 < len(look.read_sheets(pdf)) < 60


def test_a_very_wide_table_turns_its_own_sheet_only(chromium, tmp_path: Path) -> None:
    texts = [["first"], ["second"]]
    for text, columns in zip(texts, (16, 22), strict=True):
        frame = pd.DataFrame({f"column {number}": [1234.5] for number in range(columns)})
        text.append(html.table(frame, f"{columns} columns").html)
    cells = [nbformat.v4.new_markdown_cell(f"## {title}\n\n{table}") for title, table in texts]
    path = tmp_path / "wide.html"
    path.write_text(make_page(nbformat.v4.new_notebook(cells=cells), PageText("Wide")))
    with look.visit(chromium, path) as (page, _):
        pdf = page.pdf(prefer_css_page_size=True)
    assert look.read_sheets(pdf) == ["upright", "sideways", "upright"]


def test_a_section_that_is_not_printed_would_be_missed(pages, chromium) -> None:
    with look.visit(chromium, pages["demo"]) as (page, _):
        headings = page.locator("h2").all_inner_texts()
        page.add_style_tag(content="@media print { section:last-of-type { display: none } }")
        titles = look.read_bookmarks(page.pdf(outline=True, tagged=True))
    assert set(headings) - set(titles) == {headings[-1]}


# ------------------------------------------------------------------------------------------ index


def read_column(page: Any, column: int) -> list[str]:
    rows = page.locator(".fk-list tbody tr:visible")
    cell = "th > a" if column == 0 else f"td:nth-child({column + 1})"
    return [row.locator(cell).inner_text() for row in rows.all()]


def order(texts: list[str], *, down: bool = False) -> list[str]:
    """Sort as a reader expects: numbers by size, "Town 2" before "Town 10", unknowns last."""

    def key(text: str) -> Any:
        return [float(part.replace(",", "")) if part[0].isdigit() else part
                for part in re.findall(r"[\d,.]*\d|[^\d]+", text)]  # fmt: skip

    known = [text for text in texts if text != "–"]
    return sorted(known, key=key, reverse=down) + ["–"] * (len(texts) - len(known))


def test_every_column_sorts_both_ways_and_unknowns_stay_last(pages, chromium) -> None:
    with look.visit(chromium, pages["index"]) as (page, seen):
        heads = page.locator(".fk-list thead th")
        assert [text.lower() for text in heads.all_inner_texts()] == [
            "report", "dyads", "answered, %", "auc", "in one sentence",
        ]  # fmt: skip
        start = read_column(page, 0)
        for column in range(4):
            texts = read_column(page, column)
            button = heads.nth(column).get_by_role("button")
            button.click()
            assert heads.nth(column).get_attribute("aria-sort") == "ascending"
            assert read_column(page, column) == order(texts)
            button.focus()
            page.keyboard.press("Enter")
            assert heads.nth(column).get_attribute("aria-sort") == "descending"
            assert read_column(page, column) == order(texts, down=True)
            assert page.locator("th[aria-sort]").count() == 1
        heads.nth(0).get_by_role("button").click()
        assert read_column(page, 0) == start == [f"Town {number}" for number in range(1, 13)]
        assert seen.complaints == []


@pytest.mark.parametrize("width", [look.SCREEN, look.PHONE])
def test_the_filter_keeps_rows_with_every_word(width, pages, chromium) -> None:
    with look.visit(chromium, pages["index"], width=width) as (page, _):
        box, status = page.get_by_label("Show reports with"), page.get_by_role("status")
        box.fill("GARDENERS")
        assert read_column(page, 0) == ["Town 4", "Town 8", "Town 12"]
        assert status.inner_text() == "3 of 12 reports shown"
        page.locator(".fk-list thead button").nth(2).click()
        assert read_column(page, 0) == ["Town 12", "Town 4", "Town 8"]
        box.fill("gardeners 8")
        assert read_column(page, 0) == ["Town 8"]
        box.fill("nobody")
        assert read_column(page, 0) == []
        assert status.inner_text() == "0 of 12 reports shown"
        box.fill("")
        assert len(read_column(page, 0)) == 12


def test_without_a_script_the_list_is_complete_and_in_order(pages, chromium) -> None:
    with look.visit(chromium, pages["index"], script=False) as (page, _):
        assert page.locator("input, button").count() == 0
        assert read_column(page, 0) == [f"Town {number}" for number in range(1, 13)]
        assert read_column(page, 1)[8] == "–"
        links = page.locator("tbody a")
        links.nth(2).click()
        assert page.url.endswith("/report-03/a.html")


def test_twelve_reports_fit_a_phone(pages, chromium) -> None:
    with look.visit(chromium, pages["index"], width=look.PHONE, height=844) as (page, _):
        boxes = page.locator("tbody th, tbody td").evaluate_all(
            "(all) => all.map((one) => one.getBoundingClientRect())"
        )
        assert len(boxes) == 60
        assert all(box["width"] > 0 and box["right"] <= look.PHONE for box in boxes)
        named = page.get_by_role("row", name=re.compile(r"Town 3 .*dyads 1,000 answered, % 22\.5"))
        assert named.count() == 1, "each number is told with its heading"
        assert page.get_by_role("columnheader").count() == 5


def test_the_index_runs_its_own_script_only(pages, chromium, tmp_path: Path) -> None:
    broken = tmp_path / "index.html"
    text = pages["index"].read_text("utf-8")
    broken.write_text(text.replace("</main>", f"<script>{hostile.MARK}</script></main>"))
    with look.visit(chromium, broken) as (page, seen):
        assert page.evaluate("window.__ran") is None
        assert page.locator("input").count() == 1
        assert any("Content Security Policy" in text for text in seen.complaints)


# ---------------------------------------------------------------------------------------- hostile


@pytest.mark.parametrize("name", ODD)
def test_no_payload_runs(name, pages, chromium) -> None:
    with look.visit(chromium, pages[name]) as (page, seen):
        look.open_folds(page)
        page.keyboard.press("Tab")
        assert hostile.PAYLOADS[0] in page.locator("body").inner_text(), "it is shown as text"
        assert page.evaluate("window.__ran") is None
        assert (seen.dialogs, seen.outside, seen.complaints) == ([], [], [])
        handlers = page.evaluate(
            "Array.from(document.querySelectorAll('*')).flatMap((one) => one.getAttributeNames())"
            ".filter((name) => name.startsWith('on'))"
        )
        assert handlers == []
        hrefs = page.locator("a").evaluate_all("(all) => all.map((one) => one.protocol)")
        assert set(hrefs) == {"file:"}
        assert page.evaluate("document.documentElement.scrollWidth") <= look.SCREEN
        assert page.evaluate("Array.from(document.images).every((one) => one.naturalWidth > 0)")


def test_what_a_mapping_says_of_the_data_is_text(pages, chromium) -> None:
    with look.visit(chromium, pages["names"]) as (page, _):
        cells = page.locator("td").all_inner_texts()
    for payload in (hostile.PAYLOADS[0], hostile.PAYLOADS[1], hostile.PAYLOADS[9]):
        assert payload in cells


def test_a_title_cannot_turn_its_neighbours_around(pages, chromium) -> None:
    with look.visit(chromium, pages["odd index"], width=look.PHONE) as (page, _):
        row = page.locator("tbody tr", has_text="gnp.exe")
        first, last = row.locator("small").evaluate(
            "(one) => [0, one.textContent.length - 1].map((place) => {"
            "const range = document.createRange(); range.setStart(one.firstChild, place);"
            "range.setEnd(one.firstChild, place + 1); return range.getBoundingClientRect().x; })"
        )
    assert first < last, "“names” still runs from left to right"


def test_pictures_show_hostile_names_as_they_are(pages, chromium) -> None:
    with look.visit(chromium, pages["names"]) as (page, _):
        pictures = look.read_pictures(page)
        assert len(pictures) == page.locator("figure").count()
    written = {one.text.replace("\u200b", "") for letters in pictures for one in letters}
    named = {text.removeprefix("without ").rpartition(" (")[0] or text for text in written}
    starts = [payload[:20] for payload in hostile.PAYLOADS]
    shown = [text for text in named if any(text.startswith(start) for start in starts)]
    assert len(shown) >= 3, named


def test_no_cell_runs_in_a_spreadsheet(pages) -> None:
    files = [path for name in ("names", "latency") for path in pages[name].parent.rglob("*.csv")]
    files.append(pages["odd index"].with_name("summaries.csv"))
    assert len(files) > 5
    cells = [cell for path in files for row in csv.reader(io.StringIO(path.read_text("utf-8")))
             for cell in row]  # fmt: skip
    armed = [cell for cell in cells if cell.startswith(FORMULA)]
    assert not [cell for cell in armed if not re.fullmatch(r"-?[\d.e+-]+|-inf", cell)]
    assert f"'{ARMED_TITLE}" in cells, "the title is guarded"
