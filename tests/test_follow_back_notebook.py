"""The report notebook: every parameter matters, its numbers are the page's, its cells are short."""

from __future__ import annotations

from functools import partial
from html import unescape
from pathlib import Path
from typing import Any

import notebook_runs
import pytest

from followkit.notebooks import check_notebooks, read_parameters
from followkit.simulate import make_town, write_dataset

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "report" / "follow_back.ipynb"


pytestmark = pytest.mark.usefixtures("quick_pictures")
run_notebook = partial(notebook_runs.run_notebook, NOTEBOOK)


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> dict[str, str]:
    """Two small towns, and a mapping file for the first."""
    folder = tmp_path_factory.mktemp("towns")
    for name, seed in (("one", 1), ("two", 2)):
        write_dataset(make_town(220, seed=seed, weeks=14, follows_per_account=12), folder / name)
    mapping = notebook_runs.write_mapping(folder)
    return {"one": str(folder / "one"), "two": str(folder / "two"), "mapping": mapping}


@pytest.fixture(scope="module")
def usual(places) -> dict[str, Any]:
    return {"data": places["one"], "with_mutuality": False}


@pytest.fixture(scope="module")
def plain_run(usual) -> tuple[str, dict[str, Any]]:
    return run_notebook(usual)


CHANGES: dict[str, Any] = {
    "data": "two",
    "mapping": "mapping",
    "question": "mutuality",
    "horizon_days": 21.0,
    "seed": 5,
    "confidence": 0.8,
    "allow_untimed": True,
    "allow_sensitive": True,
    "delta": 0.2,
    "segment": "decider.is_business=true",
    "initiator": "1",
    "with_mutuality": True,
    "show_names": True,
}


def test_every_parameter_is_tried() -> None:
    """The title is the page's own and is tried where pages are made."""
    assert set(CHANGES) | {"title"} == set(read_parameters(NOTEBOOK))


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_parameter_changes_the_output(name, usual, places, plain_run) -> None:
    value = CHANGES[name]
    if name in ("data", "mapping"):
        value = places[value]
    assert run_notebook({**usual, name: value}) != plain_run


def test_the_same_parameters_give_the_same_page(usual, plain_run) -> None:
    assert run_notebook(usual) == plain_run


def test_the_opening_is_what_the_summary_holds(plain_run) -> None:
    page, numbers = plain_run
    opening = unescape(page).replace("\u00a0", " ")
    assert numbers["answer"] in opening
    assert numbers["headline"].rstrip(".") in numbers["answer"]


def test_cells_are_short_and_define_no_functions() -> None:
    notebook_runs.check_cells(NOTEBOOK)


def test_twins_agree_and_hold_no_outputs() -> None:
    assert check_notebooks(ROOT / "notebooks") == []
