"""The notebook of the personal report: every parameter matters, each kind of export has a page."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any

import notebook_runs
import pytest
from bs4 import BeautifulSoup

from followkit.ego import study_ego
from followkit.errors import InputError
from followkit.notebooks import cell_source, read_cells, read_parameters
from followkit.page import find_script, read_script
from followkit.report import ReportResult, render_report
from followkit.simulate.exports import make_life, write_export
from followkit.sources import load_dataset, load_parts

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "report" / "my_follows.ipynb"
FULL = [
    "Is the list right?",
    "How many follow you back?",
    "How do things stand?",
    "How long does an answer take?",
    "Will they still follow back?",
    "What goes with an answer?",
    "Person by person",
    "What your export cannot tell",
    "What this may be used for",
]

pytestmark = pytest.mark.usefixtures("quick_pictures")
run_notebook = partial(notebook_runs.run_notebook, NOTEBOOK)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Exports of two simulated accounts, one of them with a list cut by dates, and one of X."""
    folder = tmp_path_factory.mktemp("exports")
    one, two = make_life(3, 200), make_life(4, 120)
    made = {
        "one": write_export(one, "instagram", folder / "one"),
        "two": write_export(two, "instagram", folder / "two", era="E", packing="split"),
        "cut": write_export(one, "instagram", folder / "cut", faults=["date_cut"]),
        "gone": write_export(two, "instagram", folder / "gone", faults=["missing_followers"]),
        "x": write_export(two, "x", folder / "x"),
    }
    made["earlier"] = [rewind(made["one"][0], folder, datetime(2026, 3, 1, tzinfo=UTC))]
    return {name: "; ".join(map(str, paths)) for name, paths in made.items()}


def rewind(path: Path, folder: Path, day: datetime) -> Path:
    """Write the two lists of an export as they stood on a day, and one follower who left later."""
    gone = [{"value": "somebody.gone", "timestamp": int(day.timestamp()) - 86_400}]
    earlier = folder / f"instagram-{make_life(3, 200).ego.handle}-{day:%Y-%m-%d}-Zz.zip"
    with zipfile.ZipFile(path) as packed, zipfile.ZipFile(earlier, "w") as made:
        for name in packed.namelist():
            base = name.rpartition("/")[2]
            if base.startswith("followers_"):
                content = keep_until(json.loads(packed.read(name)), day)
                more = [{"string_list_data": gone}] * (base == "followers_1.json")
                made.writestr(name, json.dumps([*content, *more]))
            elif base == "following.json":
                lists = json.loads(packed.read(name))
                kept = {key: keep_until(rows, day) for key, rows in lists.items()}
                made.writestr(name, json.dumps(kept))
    return earlier


def keep_until(rows: list[Any], day: datetime) -> list[Any]:
    return [
        row
        for row in rows
        if all(one["timestamp"] < day.timestamp() for one in row["string_list_data"])
    ]


@pytest.fixture(scope="module")
def plain_run(places: dict[str, str]) -> tuple[str, dict[str, Any]]:
    return run_notebook({"data": places["one"]})


def list_headings(page: str) -> list[str]:
    return [found.text for found in BeautifulSoup(page, "html.parser").find_all("h2")]


CHANGES: dict[str, Any] = {
    "data": "two",
    "platform": "threads",
    "ego": "somebody.else",
    "exported_at": "2026-06-20",
    "earlier": "earlier",
    "horizon_days": 7.0,
    "confidence": 0.8,
    "seed": 1,
    "show_names": False,
}


def test_every_parameter_is_tried() -> None:
    """The title is the page's own and is tried where pages are made."""
    assert set(CHANGES) | {"title"} == set(read_parameters(NOTEBOOK))


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_parameter_changes_the_output(name, places, plain_run) -> None:
    value = places[CHANGES[name]] if name in ("data", "earlier") else CHANGES[name]
    if name == "platform":
        # A zip without Threads says so, and the same file is not read as something else.
        with pytest.raises(InputError, match="hreads"):
            run_notebook({"data": places["one"], name: value})
        return
    page, numbers = run_notebook({"data": places["one"], name: value})
    assert page != plain_run[0]
    # Names stand in no number.
    assert (numbers != plain_run[1]) == (name != "show_names")


def test_an_earlier_export_shows_who_left(places, plain_run) -> None:
    page, numbers = run_notebook({"data": places["one"], "earlier": places["earlier"]})
    assert "somebody.gone" in page
    assert "somebody.gone" not in plain_run[0]
    assert numbers["ego"]["states"]["former_fan"] == 1
    assert plain_run[1]["ego"]["states"]["former_fan"] == 0


def test_the_list_of_reports_gets_the_rate(plain_run) -> None:
    numbers = plain_run[1]
    assert numbers["main"]["dyads"] == numbers["ego"]["rate"]["n"]
    assert 0 < numbers["main"]["rate"]["ci_low"] < numbers["main"]["rate"]["value"] < 1


def test_the_same_parameters_give_the_same_page(places, plain_run) -> None:
    assert run_notebook({"data": places["one"]}) == plain_run


def test_cells_are_short_and_define_no_functions() -> None:
    notebook_runs.check_cells(NOTEBOOK)


def test_the_card_on_uses_stands_once() -> None:
    code = [cell_source(cell) for cell in read_cells(NOTEBOOK)]
    assert sum("show_uses(" in source for source in code) == 1


def test_the_parts_come_in_order_and_the_opening_is_what_the_summary_holds(plain_run) -> None:
    page, numbers = plain_run
    assert list_headings(page) == FULL
    assert numbers["answer"] in page
    assert numbers["headline"].rstrip(".") in numbers["answer"]
    rate = numbers["ego"]["rate"]
    assert numbers["headline"].startswith(
        f"Of {rate['n']} people you followed first at least 30 days ago, {rate['answered']} "
        f"followed you back within 30 days ({100 * rate['rate']:.1f} %"
    )
    assert "shows the names of the people in your lists" in page


def test_the_page_says_what_the_study_says(places, plain_run) -> None:
    page, numbers = plain_run
    study = study_ego(load_dataset(places["one"]))
    rows = BeautifulSoup(page, "html.parser").select(".fk-people tbody tr")
    assert len(rows) == len(study.alters)
    shown = {row.th["data-save"]: row["data-state"] for row in rows}
    handles = study.alters["handle"].fillna(study.alters["alter_id"])
    assert shown == dict(zip(handles, study.alters["state"], strict=True))
    counts = dict(zip(study.states["state"], study.states["count"], strict=True))
    assert numbers["ego"]["states"] == counts
    for reason in study.alters["reason"].head(20):
        assert reason in page


@pytest.mark.parametrize(("name", "said"), [("cut", "All time"), ("gone", "followers")])
def test_a_list_that_is_not_whole_is_refused_with_what_to_ask_for(name, said, places) -> None:
    page, numbers = run_notebook({"data": places[name]})
    assert numbers["ego"]["trust"] == "refuse"
    assert numbers["headline"] == "Who follows you back cannot be told from this export."
    assert list_headings(page) == [FULL[0], *FULL[-2:]]
    assert said in " ".join(numbers["ego"]["refusals"]) + page
    assert "What to do" in page
    assert "fk-people" not in page
    study = study_ego(load_dataset(places[name]))
    assert study.alters.empty
    handles = set(load_dataset(places["one"]).follows["followee_id"]) - {study.ego}
    assert not [one for one in handles if len(one) > 6 and one in page], "nobody is accused"


def test_an_export_without_times_has_states_only(places) -> None:
    page, numbers = run_notebook({"data": places["x"]})
    assert numbers["ego"]["rate"] is None
    assert list_headings(page) == [*FULL[:3], *FULL[5:]]
    assert "holds no times of follows" in page
    assert "nan" not in BeautifulSoup(page, "html.parser").get_text(" ").split()
    assert numbers["headline"].startswith("Of ")


def test_pseudonyms_hide_every_name_and_whose_export_it_is(places) -> None:
    page, numbers = run_notebook({"data": places["one"], "show_names": False})
    dataset = load_dataset(places["one"])
    people = dataset.accounts
    names = {*people["account_id"], *people["handle"].dropna(), *people["display_name"].dropna()}
    found = [one for one in sorted(map(str, names)) if len(one) > 4 and one in page]
    assert found == []
    assert not [one for one in names if len(str(one)) > 4 and str(one) in json.dumps(numbers)]
    assert "People go by pseudonyms here" in page


def test_data_that_are_no_export_are_refused_in_a_sentence(tmp_path: Path) -> None:
    ties = tmp_path / "ties.csv"
    ties.write_text("follower_id,followee_id\na,b\nb,a\n", encoding="utf-8")
    with pytest.raises(InputError, match="export"):
        run_notebook({"data": str(ties)})


# ------------------------------------------------------------------------------------ a whole page


@pytest.fixture(scope="module")
def whole(places: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> ReportResult:
    page = tmp_path_factory.mktemp("out") / "mine" / "mine.html"
    values = {"data": places["two"], "show_names": False, "title": "Mine <b>"}
    return render_report(NOTEBOOK, page, values)


def test_a_whole_report_carries_its_script_in_both_pages(whole: ReportResult) -> None:
    for page in (whole.page, whole.code_page):
        text = page.read_text("utf-8")
        assert find_script(text) == read_script("people")
        assert BeautifulSoup(text, "html.parser").h1.text == "Mine <b>"
    assert {path.stem for path in whole.tables} >= {
        "people",
        "states",
        "lists",
        "checks",
        "quality",
    }


def test_a_report_with_pseudonyms_names_nobody_in_any_file(whole, places) -> None:
    dataset = load_parts(places["two"])
    people = dataset.accounts
    names = {*people["account_id"], *people["handle"].dropna(), *people["display_name"].dropna()}
    long = {str(one) for one in names if len(str(one)) > 5}
    assert len(long) > 50
    for path in (whole.page, whole.code_page, whole.summary, *whole.tables):
        text = unescape(path.read_text("utf-8"))
        assert [one for one in long if one in text] == [], path.name
    parameters = json.loads(whole.summary.read_text("utf-8"))["parameters"]
    assert parameters["data"] == "my export", "the file's name holds the owner's"
