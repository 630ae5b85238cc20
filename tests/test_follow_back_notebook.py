"""The report notebook: every parameter matters, its numbers are the page's, its cells are short."""

from __future__ import annotations

import ast
import json
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from followkit.notebooks import cell_source, cell_tags, check_notebooks, read_cells, read_parameters
from followkit.record import Record
from followkit.simulate import make_town, write_dataset

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "report" / "follow_back.ipynb"


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
def places(tmp_path_factory) -> dict[str, str]:
    """Two small towns, and a mapping file for the first."""
    folder = tmp_path_factory.mktemp("towns")
    for name, seed in (("one", 1), ("two", 2)):
        write_dataset(make_town(220, seed=seed, weeks=14, follows_per_account=12), folder / name)
    mapping = folder / "mapping.toml"
    mapping.write_text(
        'name = "mapped"\n[tables.follows]\nfile = "follows.csv"\n[tables.follows.columns]\n'
        'follower_id = "follower_id"\nfollowee_id = "followee_id"\nfollowed_at = "followed_at"\n'
    )
    return {"one": str(folder / "one"), "two": str(folder / "two"), "mapping": str(mapping)}


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
    sources = [cell_source(cell) for cell in read_cells(NOTEBOOK) if cell["cell_type"] == "code"]
    tagged = [cell for cell in read_cells(NOTEBOOK) if "parameters" in cell_tags(cell)]
    assert len(tagged) == 1
    # Parameters are a list of names, one a line.
    assert all(len(source.splitlines()) <= 10 for source in sources[1:])
    assert not any("def " in source or "lambda" in source for source in sources)


def test_twins_agree_and_hold_no_outputs() -> None:
    assert check_notebooks(ROOT / "notebooks") == []
