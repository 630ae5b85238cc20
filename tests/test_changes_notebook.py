"""The notebook on what changed: every parameter matters, and its page says what was compared."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import notebook_runs
import pytest

from followkit.notebooks import read_parameters
from followkit.simulate import make_town, write_dataset

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "report" / "changes.ipynb"


pytestmark = pytest.mark.usefixtures("quick_pictures")
run_notebook = partial(notebook_runs.run_notebook, NOTEBOOK)


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("towns")
    for name, seed in (("one", 1), ("two", 2)):
        write_dataset(make_town(220, seed=seed, weeks=14, follows_per_account=12), folder / name)
    notebook_runs.write_mapping(folder)
    return {"data": str(folder / "one"), "segment": "month=2025-01",
            "segment_second": "month=2025-02"}  # fmt: skip


@pytest.fixture(scope="module")
def plain(usual: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return run_notebook(usual)


CHANGES: dict[str, dict[str, Any]] = {
    "data": {"data": "two"},
    "data_second": {"data_second": "two"},
    "mapping": {"mapping": "mapping.toml"},
    "segment": {"segment": "month=2025-03"},
    "segment_second": {"segment_second": "month=2025-03"},
    # Months need times, so another question needs other segments.
    "question": {"question": "mutuality", "segment": "initiator.language=en",
                 "segment_second": "initiator.language=es"},
    "horizon_days": {"horizon_days": 14.0},
    "confidence": {"confidence": 0.8},
    "name_first": {"name_first": "winter"},
    "name_second": {"name_second": "spring"},
}  # fmt: skip


def test_every_parameter_is_tried() -> None:
    """The title is the page's own; the seed places folds, which a timed question has not."""
    assert set(CHANGES) | {"title", "seed"} == set(read_parameters(NOTEBOOK))


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_parameter_changes_the_output(
    name: str, usual: dict[str, Any], plain: tuple[str, dict[str, Any]]
) -> None:
    changed = dict(CHANGES[name])
    folder = Path(usual["data"]).parent
    for key in ("data", "data_second", "mapping"):
        if key in changed:
            changed[key] = str(folder / changed[key])
    assert run_notebook({**usual, **changed}) != plain


def test_the_seed_places_the_folds_of_a_snapshot(usual: dict[str, Any]) -> None:
    snapshot = {**usual, **CHANGES["question"]}
    assert run_notebook(snapshot) != run_notebook({**snapshot, "seed": 5})


def test_the_page_says_what_was_compared(plain: tuple[str, dict[str, Any]]) -> None:
    page, numbers = plain
    assert "(2025-01)" in numbers["headline"]
    assert "(2025-02)" in numbers["headline"]
    changes = numbers["changes"]
    gap = changes["second"]["rate"] - changes["first"]["rate"]
    assert changes["difference"]["value"] == pytest.approx(gap)
    assert numbers["answer"].split(". ")[0] in page.replace("\u00a0", " ")


def test_cells_are_short_and_define_no_functions() -> None:
    notebook_runs.check_cells(NOTEBOOK)
