"""The comparison notebook: every parameter matters, its numbers are the page's, its cells short."""

from __future__ import annotations

import ast
import json
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from followkit.notebooks import (
    cell_source,
    cell_tags,
    make_notebook,
    read_cells,
    read_parameters,
)
from followkit.record import Record
from followkit.simulate import make_town, write_dataset

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "report" / "comparison.ipynb"


def run_notebook(parameters: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Run the cells in this process; return what they show and the numbers they record."""
    scope: dict[str, Any] = {}
    shown, numbers = [], {}
    for cell in read_cells(NOTEBOOK):
        if cell["cell_type"] != "code":
            continue
        value = _run_cell(cell_source(cell), scope)
        if "parameters" in cell_tags(cell):
            scope.update(parameters)
        if isinstance(value, Record):
            numbers = json.loads(json.dumps(value.values))
        elif hasattr(value, "_repr_html_"):
            shown.append(value._repr_html_())
    return "".join(shown), numbers


def _run_cell(source: str, scope: dict[str, Any]) -> Any:
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), scope)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), scope) if last else None


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
    sources = [cell_source(cell) for cell in read_cells(NOTEBOOK) if cell["cell_type"] == "code"]
    tagged = [cell for cell in read_cells(NOTEBOOK) if "parameters" in cell_tags(cell)]
    assert len(tagged) == 1
    assert "parameters" in cell_tags(
        next(cell for cell in read_cells(NOTEBOOK) if cell["cell_type"] == "code")
    )
    assert all(len(source.splitlines()) <= 10 for source in sources)
    assert not any("def " in source or "lambda" in source for source in sources)


def test_the_twins_agree_and_hold_no_outputs() -> None:
    assert NOTEBOOK.read_text("utf-8") == make_notebook(NOTEBOOK.with_suffix(".py"))
