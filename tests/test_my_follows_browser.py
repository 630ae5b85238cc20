"""The personal report in a real browser: quiet, reachable, and its table works with and without."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browser as look
import ego_made as made
import hostile
import nbformat
import pytest

from followkit.ego import sections as part
from followkit.page import PageText, make_page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(look.CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.usefixtures("quick_pictures"),
]
ROWS = ".fk-people tbody tr"
SEARCH, STATE = "Search", "Show"


def write_page(path: Path, study: Any, *, are_shown: bool = True) -> Path:
    """Write a page as the notebook makes it."""
    alters = study.alters if len(study.alters) else made.make_alters()
    names = made.make_names(alters, are_shown=are_shown)
    shown = [part.show_opening(study, names), part.show_trust(study), part.show_answer(study),
             part.show_states(study), part.show_still(study), part.show_reasons(study),
             part.show_people(study, names), part.show_limits(study),
             part.show_uses(study, names), part.show_method(study)]  # fmt: skip
    cells = [nbformat.v4.new_markdown_cell("# T")]
    for piece in shown:
        output = nbformat.v4.new_output("display_data", data={"text/html": piece.html})
        cells.append(nbformat.v4.new_code_cell("x", outputs=[output] if piece.html else []))
    text = PageText("Who follows you back?", "followkit report", "followkit report my_follows")
    path.write_text(make_page(nbformat.v4.new_notebook(cells=cells), text), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, quick_pictures: None) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("personal")
    return {
        "plain": write_page(folder / "plain.html", made.make_study("warn", count=130)),
        "odd": write_page(folder / "odd.html", made.make_study(count=40, is_hostile=True)),
        "refused": write_page(folder / "refused.html", made.make_study("refuse")),
    }


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with look.open_browser() as browser:
        yield browser


def read_names(page: Any) -> list[str]:
    return page.locator(f"{ROWS}:visible th > bdi").all_inner_texts()


def save(page: Any) -> tuple[str, list[dict[str, str]]]:
    """Press the button and return what the button said, and the rows of the file that came."""
    button = page.get_by_role("button", name=re.compile("as CSV"))
    label = button.inner_text()
    with page.expect_download() as waiting:
        button.click()
    assert waiting.value.suggested_filename == "people.csv"
    text = Path(waiting.value.path()).read_text(encoding="utf-8")
    assert text.startswith("\ufeff")
    return label, list(csv.DictReader(io.StringIO(text[1:], newline="")))


# ---------------------------------------------------------------------------- silent and in place


@pytest.mark.parametrize("name", ["plain", "odd", "refused"])
def test_a_page_asks_for_nothing_and_complains_of_nothing(name, pages, chromium) -> None:
    with look.visit(chromium, pages[name]) as (page, seen):
        look.open_folds(page)
        assert [url for url in seen.requests[1:] if not url.startswith("data:")] == []
        # The pictures are stand-ins here; nothing else may be amiss.
        assert (seen.complaints, seen.dialogs) == ([], [])
        assert page.evaluate("window.__ran") is None
        assert page.evaluate("document.scripts.length") == (name != "refused")
        hrefs = page.locator("a").evaluate_all("(all) => all.map((one) => one.protocol)")
        assert set(hrefs) == {"file:"}
        assert page.locator(".fk-people a").count() == 0


LOOKS = {"light": {}, "dark": {"dark": True}, "phone": {"width": look.PHONE, "height": 844}}


@pytest.mark.parametrize(
    ("name", "how"), [("plain", "light"), ("plain", "phone"), ("odd", "dark"), ("refused", "light")]
)
def test_axe_finds_nothing_grave(name, how, pages, chromium) -> None:
    with look.visit(chromium, pages[name], **LOOKS[how]) as (page, _):
        look.open_folds(page)
        assert look.run_axe(page) == []


@pytest.mark.parametrize("name", ["plain", "odd"])
def test_nothing_sticks_out_of_a_phone(name, pages, chromium) -> None:
    with look.visit(chromium, pages[name], width=look.PHONE) as (page, _):
        look.open_folds(page)
        for width in (look.PHONE, 320):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            right = page.locator(f"{ROWS}:visible :is(th, td, textarea)").evaluate_all(
                "(all) => all.map((one) => one.getBoundingClientRect().right)"
            )
            assert max(right) <= width


# ------------------------------------------------------------------------------------- with script


def test_the_table_tells_its_rows_and_headings_to_those_who_hear_it(pages, chromium) -> None:
    for width in (look.SCREEN, look.PHONE):
        with look.visit(chromium, pages["plain"], width=width) as (page, _):
            assert page.get_by_role("table", name=re.compile("The people in your lists")).count()
            assert page.get_by_role("rowheader", name=re.compile("alter.000")).count() == 1
            box = page.get_by_role("textbox", name="Your note on alter.000", exact=True)
            assert box.count() == 1
    with look.visit(chromium, pages["plain"]) as (page, _):
        heads = page.locator(".fk-people thead th")
        assert heads.all_inner_texts() == [
            "person", "state", "you followed", "they followed", "answer", "chance",
            "what your data say", "your note",
        ]  # fmt: skip
        assert set(heads.evaluate_all("(all) => all.map((one) => one.scope)")) == {"col"}


def test_rows_come_in_steps_and_go_on_where_they_stopped(pages, chromium) -> None:
    with look.visit(chromium, pages["plain"]) as (page, _):
        status = page.get_by_role("status")
        assert len(read_names(page)) == 50
        assert status.inner_text() == "50 of 130 people shown"
        page.get_by_role("button", name="Show 50 more").click()
        names = read_names(page)
        assert len(names) == len(set(names)) == 100
        focused = page.evaluate("document.activeElement.ariaLabel")
        assert focused == f"Your note on {names[50]}"
        page.get_by_role("button", name="Show all 130").click()
        assert len(read_names(page)) == 130
        assert page.get_by_role("button", name=re.compile("Show")).count() == 0


def test_columns_sort_both_ways_by_keyboard_and_unknowns_stay_last(pages, chromium) -> None:
    with look.visit(chromium, pages["plain"]) as (page, seen):
        page.get_by_role("button", name="Show all 130").click()
        for column in range(6):
            head = page.locator(".fk-people thead th").nth(column)
            cells = page.locator(f"{ROWS} > :nth-child({column + 1})")
            read = (
                "(all) => all.map((one) => one.dataset.value === undefined ? "
                "one.textContent.trim() : one.dataset.value && Number(one.dataset.value))"
            )
            keys = cells.evaluate_all(read)
            head.get_by_role("button").focus()
            for way, sign in (("ascending", 1), ("descending", -1)):
                page.keyboard.press("Enter")
                assert head.get_attribute("aria-sort") == way
                known = sorted((key for key in keys if key != ""), reverse=sign < 0)
                found = cells.evaluate_all(read)
                assert found == known + [""] * (len(keys) - len(known))
            assert page.locator("th[aria-sort]").count() == 1
        assert seen.complaints == []


def test_states_and_words_filter_together(pages, chromium) -> None:
    study = made.make_study(count=130)
    counts = study.alters["state"].value_counts()
    with look.visit(chromium, pages["plain"], width=look.PHONE) as (page, _):
        state, search = page.get_by_label(STATE, exact=True), page.get_by_label(SEARCH, exact=True)
        options = state.locator("option").all_inner_texts()
        assert options[0] == "everybody (130)"
        assert f"does not follow you now ({counts['not_following_back']})" in options
        assert len(options) == len(counts) + 2
        state.select_option("not_following_back")
        rows = page.locator(f"{ROWS}:visible")
        kinds = set(rows.evaluate_all("(all) => all.map((one) => one.dataset.state)"))
        assert kinds == {"not_following_back"}
        assert rows.count() == counts["not_following_back"]
        search.fill("ALTER.0 open")
        names = read_names(page)
        assert names
        assert all(name.startswith("alter.0") for name in names)
        search.fill("nobody at all")
        assert read_names(page) == []
        status = page.get_by_role("status").inner_text()
        assert status == "0 of 130 people shown; 0 match"


def test_notes_are_kept_in_the_page_found_again_and_saved(pages, chromium) -> None:
    note = '=1+1, "a friend\nof mine" 😀'
    with look.visit(chromium, pages["plain"]) as (page, seen):
        page.get_by_label("Your note on alter.003").fill(note)
        page.get_by_label("Your note on alter.001").fill("  later ")
        page.locator(".fk-people thead button").nth(2).click()
        page.get_by_label(STATE, exact=True).select_option("*note")
        assert sorted(read_names(page)) == ["alter.001", "alter.003"]
        page.get_by_label(SEARCH, exact=True).fill("FRIEND")
        assert read_names(page) == ["alter.003"]
        label, rows = save(page)
        assert label == "Save these 1 as CSV"
        assert rows == [{
            "person": "alter.003", "state": "you follow each other",
            "you followed": "2026-08-01T15:42:00Z", "they followed": "2026-08-05T15:42:00Z",
            "answer": "they answered after 4 days", "chance": "",
            "what your data say": "said of mutual", "note": f"'{note}",
        }]  # fmt: skip
        page.get_by_label(SEARCH, exact=True).fill("")
        page.get_by_label(STATE, exact=True).select_option("")
        label, rows = save(page)
        assert label == "Save all 130 as CSV"
        assert len(rows) == 130
        notes = {row["person"]: row["note"] for row in rows if row["note"]}
        assert notes == {"alter.003": f"'{note}", "alter.001": "later"}
        assert page.evaluate("localStorage.length + sessionStorage.length") == 0
        assert [url for url in seen.requests[1:] if not url.startswith(("data:", "blob:"))] == []
        assert seen.complaints == []


def test_unsaved_notes_hold_the_page_open_and_saved_ones_do_not(pages, chromium) -> None:
    leave = "window.dispatchEvent(new Event('beforeunload', {cancelable: true}))"
    with look.visit(chromium, pages["plain"]) as (page, _):
        assert page.evaluate(leave), "nothing to lose"
        page.get_by_label("Your note on alter.003").fill("a note")
        assert not page.evaluate(leave)
        save(page)
        assert page.evaluate(leave)


def test_hostile_names_and_notes_are_text_in_page_and_file(pages, chromium) -> None:
    with look.visit(chromium, pages["odd"]) as (page, seen):
        page.get_by_role("textbox", name=re.compile("Your note on")).first.fill("@SUM(A1)")
        for button in page.locator(".fk-people thead button").all():
            button.click()
        _, rows = save(page)
        assert page.evaluate("window.__ran") is None
        assert (seen.dialogs, seen.outside, seen.complaints) == ([], [], [])
    assert len(rows) == 40
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if re.match(r"[=+\-@\t\r＝＋－＠]", cell)]
    assert "'@SUM(A1)" in cells
    names = {row["person"] for row in rows}
    assert {f"{hostile.PAYLOADS[0]} 0", f"'{hostile.PAYLOADS[14]} 14"} <= names


def test_only_the_pages_own_script_runs(pages, chromium, tmp_path: Path) -> None:
    text = pages["plain"].read_text("utf-8")
    broken = tmp_path / "broken.html"
    broken.write_text(text.replace("</main>", f"<script>{hostile.MARK}</script></main>"))
    changed = tmp_path / "changed.html"
    changed.write_text(text.replace("const STEP = 50", f"{hostile.MARK};const STEP = 50"))
    for path, boxes in ((broken, 130), (changed, 0)):
        with look.visit(chromium, path) as (page, seen):
            assert page.evaluate("window.__ran") is None
            assert page.locator("textarea").count() == boxes
            assert any("Content Security Policy" in text for text in seen.complaints)


# ---------------------------------------------------------------------------------- without script


@pytest.mark.parametrize("width", [look.SCREEN, look.PHONE])
def test_without_a_script_the_table_is_complete_and_in_order(width, pages, chromium) -> None:
    with look.visit(chromium, pages["plain"], script=False, width=width) as (page, _):
        assert page.locator("input, button, select, textarea").count() == 0
        names = page.locator(f"{ROWS} th > bdi").all_text_contents()
        study = made.make_study(count=130)
        people = part.make_people(study, made.make_names(study.alters))
        assert names == people["person"].tolist()
        assert page.locator(".fk-people thead th").count() == 7
        last = page.locator(ROWS).last
        last.scroll_into_view_if_needed()
        assert last.is_visible()
        box = page.locator(".fk-crowd .fk-scroll")
        assert box.get_attribute("tabindex") == "0"
        assert box.bounding_box()["height"] <= 900


def test_paper_holds_the_table_without_its_buttons(pages, chromium) -> None:
    with look.visit(chromium, pages["plain"]) as (page, _):
        page.set_viewport_size({"width": 673, "height": 900})
        page.emulate_media(media="print")
        assert not page.locator(".fk-filter").first.is_visible()
        assert page.locator(f"{ROWS}:visible").count() == 50
        assert page.evaluate("document.documentElement.scrollWidth") <= 673
