"""The comparison notebook: every parameter matters, its numbers are the page's, its cells short."""

from __future__ import annotations

from functools import partial
from html import unescape
from pathlib import Path
from typing import Any

import notebook_runs
import pytest

from followkit.notebooks import (
    make_notebook,
    read_parameters,
)
from followkit.simulate import make_town, write_dataset

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "report" / "comparison.ipynb"


pytestmark = pytest.mark.usefixtures("quick_pictures")
run_notebook = partial(notebook_runs.run_notebook, NOTEBOOK)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with two small towns."""
    place: Path = tmp_path_factory.mktemp("towns")
    for name, seed in (("one", 1), ("two", 2)):
        write_dataset(make_town(120, seed=seed, weeks=14, follows_per_account=10), place / name)
    return place


@pytest.fixture(scope="module")
def usual(folder) -> dict[str, Any]:
    return {"data": str(folder / "one"), "question": "auto"}


@pytest.fixture(scope="module")
def plain_run(usual) -> tuple[str, dict[str, Any]]:
    return run_notebook(usual)


CHANGES: dict[str, Any] = {
    "data": "two; gone",
    "question": "mutuality",
    "horizon_days": 21.0,
    "seed": 5,
    "confidence": 0.8,
    "with_naive": False,
}


def test_every_parameter_is_tried() -> None:
    """The title is the page's own and is tried where pages are made."""
    assert set(CHANGES) | {"title"} == set(read_parameters(NOTEBOOK))


@pytest.fixture(scope="module")
def other_data(usual, folder) -> tuple[str, dict[str, Any]]:
    paths = [str(folder / part) for part in CHANGES["data"].split("; ")]
    return run_notebook({**usual, "data": "; ".join(paths)})


@pytest.mark.parametrize("name", [name for name in CHANGES if name != "data"])
def test_a_changed_parameter_changes_the_output(name, usual, plain_run) -> None:
    assert run_notebook({**usual, name: CHANGES[name]}) != plain_run


def test_other_data_change_the_output(other_data, plain_run) -> None:
    assert other_data != plain_run


def test_the_opening_is_what_the_summary_holds(plain_run) -> None:
    page, numbers = plain_run
    assert numbers["headline"].rstrip(".") in numbers["answer"]
    assert numbers["answer"] in unescape(page).replace("\u00a0", " ")
    overview = numbers["comparison"]["overview"]
    assert [row["data"] for row in overview] == ["one"]
    assert f"{overview[0]['full logistic model']:.2f}" in numbers["answer"]
    assert numbers["comparison"]["failed"] == []
    assert len(numbers["comparison"]["leaks"]) == 3  # sets of features, on one split


def test_a_path_that_leads_nowhere_costs_the_others_nothing(other_data) -> None:
    page, numbers = other_data
    assert [row["data"] for row in numbers["comparison"]["failed"]] == ["gone"]
    assert [row["data"] for row in numbers["comparison"]["overview"]] == ["two"]
    assert "was not found" in page


def test_cells_are_short_and_define_no_functions() -> None:
    notebook_runs.check_cells(NOTEBOOK)


def test_the_twins_agree_and_hold_no_outputs() -> None:
    assert NOTEBOOK.read_text("utf-8") == make_notebook(NOTEBOOK.with_suffix(".py"))
