"""The model card: every parameter matters, its numbers are the page's, and it can do without."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import notebook_runs
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from followkit import analysis as an
from followkit import card_figures as draw
from followkit import describe_card as tell
from followkit import model_card as card
from followkit import scores as sc
from followkit.errors import InputError, ParameterError
from followkit.notebooks import read_parameters
from followkit.simulate import make_town, write_dataset
from followkit.tables import make_dataset

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "report" / "model_card.ipynb"


pytestmark = pytest.mark.usefixtures("quick_pictures")
run_notebook = partial(notebook_runs.run_notebook, NOTEBOOK)


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> dict[str, str]:
    """Two small towns, and a mapping file for the first that hides all but its follows."""
    folder = tmp_path_factory.mktemp("towns")
    for name, seed in (("one", 1), ("two", 2)):
        write_dataset(make_town(130, seed=seed, weeks=14, follows_per_account=12), folder / name)
    mapping = notebook_runs.write_mapping(folder)
    return {"one": str(folder / "one"), "two": str(folder / "two"), "mapping": mapping}


@pytest.fixture(scope="module")
def usual(places) -> dict[str, Any]:
    return {"data": places["one"], "horizon_days": 14.0}


@pytest.fixture(scope="module")
def plain_run(usual) -> tuple[str, dict[str, Any]]:
    return run_notebook(usual)


CHANGES: dict[str, Any] = {
    "data": "two",
    "mapping": "mapping",
    "question": "mutuality",
    "horizon_days": 10.0,
    "seed": 5,
    "confidence": 0.8,
    "allow_untimed": True,
    "split": "accounts",
}


def test_every_parameter_is_tried() -> None:
    """The title is the page's own and is tried where pages are made."""
    assert set(CHANGES) | {"title"} == set(read_parameters(NOTEBOOK))


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_parameter_changes_the_output(name, usual, places, plain_run) -> None:
    value = CHANGES[name]
    if name in ("data", "mapping"):
        value = places[value]
    changed = {**usual, name: value}
    if name == "allow_untimed":
        changed["question"] = "mutuality"
        assert run_notebook(changed) != run_notebook({**changed, name: False})
        return
    assert run_notebook(changed) != plain_run


def test_the_same_parameters_give_the_same_page(usual, plain_run) -> None:
    assert run_notebook(usual) == plain_run


def test_the_opening_is_what_the_summary_holds(plain_run) -> None:
    page, numbers = plain_run
    assert numbers["answer"] in page
    assert numbers["headline"].rstrip(".") in numbers["answer"]
    card_numbers = numbers["card"]
    split = next(iter(numbers["main"]["auc"]))
    area = numbers["main"]["auc"][split]["full_logistic"]["value"]
    assert f"with probability {area:.2f}" in numbers["answer"]
    adjusted = card_numbers["strata"]["full_logistic"]["adjusted"]
    assert f"equally much followed that probability is {adjusted:.2f}" in numbers["answer"]
    assert card_numbers["training"]["dyads"]["value"] == numbers["main"]["model"]["dyads"]


def test_parts_of_the_recorded_score_add_up(plain_run) -> None:
    numbers = plain_run[1]["card"]
    total = sum(part["value"] * part["sign"] for part in numbers["decomposition"].values())
    brier = next(
        row["value"] for row in numbers["scores"]
        if row["rung"] == "full_logistic" and row["score"] == "brier"
    )  # fmt: skip
    assert total == pytest.approx(brier)
    assert {row["rung"] for row in numbers["tuned"]} == {"cheng_tree", "gradient_boosting"}


def test_uses_are_said(plain_run) -> None:
    page = plain_run[0]
    assert all(use in page for use in (*tell.MAY, *tell.MAY_NOT))


def test_an_unknown_split_is_refused(usual) -> None:
    with pytest.raises(ParameterError, match="split: these data have no split 'acounts'; did you"):
        run_notebook({**usual, "split": "acounts"})


def test_data_without_a_model_still_get_a_card(tmp_path) -> None:
    ties = pd.DataFrame({"follower_id": ["a", "b", "c"], "followee_id": ["b", "c", "d"]})
    write_dataset(make_dataset({"follows": ties}), tmp_path / "few")
    page, numbers = run_notebook({"data": str(tmp_path / "few")})
    assert numbers["answer"].startswith("There is no model to trust: nobody followed back")
    assert "No model was fitted" in page
    assert not re.search(r"\bnan\b", page)


@pytest.fixture(scope="module")
def study() -> an.Analysis:
    dataset = make_town(160, seed=1, weeks=14, follows_per_account=12)
    return an.analyse(dataset, "follow_back", horizon_days=14.0)


def test_strata_of_the_card_use_the_deciders_own_followers(study) -> None:
    """Followers are read at the place of each held-out dyad; AUCs are those of the ladder."""
    for split in study.ladder.tested:
        table = card.make_strata(study, split).set_index("rung")
        scores = study.ladder.scores
        rows = scores[(scores["split"] == split) & (scores["score"] == "auc")].set_index("rung")
        assert np.allclose(table["auc"], rows.loc[table.index, "value"])
        places = study.ladder.places[split]
        held = study.ladder.tested[split]
        assert np.array_equal(study.dyads.table["outcome"].to_numpy()[places], held.outcome)
        bands = card.make_bands(study, split)
        followers = np.expm1(study.features.values[card.FOLLOWERS].to_numpy()[places]).round()
        assert bands["lowest"].min() == followers.min()
        assert bands["n"].sum() == len(followers)


def test_decomposition_of_the_card_is_that_of_its_scores(study) -> None:
    split = card.choose_split(study)
    parts = card.make_decomposition(study, split).set_index("part")["value"]
    assert parts["brier"] == pytest.approx(sc.brier_losses(study.ladder.tested[split]).mean())


def test_settings_of_the_card_count_every_cell(study) -> None:
    for split in study.ladder.tested:
        tuned = study.ladder.tuned[study.ladder.tuned["split"] == split]
        table = card.make_tuned(study, split)
        assert table.groupby("rung")["cells"].sum().to_dict() == (
            tuned["rung"].value_counts().to_dict()
        )


def test_paired_sentence_sorts_rungs_by_their_intervals() -> None:
    table = pd.DataFrame(
        {"rung": list("abc"), "label": ["base rate", "tree", "boosting"],
         "gain": [0.1, 0.0, -0.1], "ci_low": [0.05, -0.02, -0.2], "ci_high": [0.2, 0.02, -0.01]}
    )  # fmt: skip
    text = tell.describe_paired(table).text
    assert text == (
        "The full logistic model gives better probabilities than the base rate. Better "
        "probabilities than the full model's come from boosting. There is no clear difference "
        "from tree."
    )


def test_pictures_hold_every_row(study) -> None:
    split = card.choose_split(study)
    strata, paired = card.make_strata(study, split), card.make_paired(study, split)
    for plot, table in ((draw.plot_strata, strata), (draw.plot_paired, paired)):
        written = {text.get_text() for text in plot(table).texts}
        assert set(table["label"]) <= written
    bands = card.make_bands(study, split)
    assert len(draw.plot_bands(bands).texts) == 2 * len(bands)
    gains = an.make_gains(study, split)
    line = draw.plot_gains_band(gains).lines[1]
    assert np.array_equal(line.get_ydata(), gains["share_found"])
    plt.close("all")


def test_a_card_without_followers_says_so(study) -> None:
    values = study.features.values.drop(columns=[card.FOLLOWERS])
    features = type(study.features)(values, study.features.missing)
    bare = an.Analysis(study.dataset, study.dyads, features, study.rate, study.model, "",
                       study.effects, study.ladder, study.confidence)  # fmt: skip
    split = card.choose_split(bare)
    strata = card.make_strata(bare, split)
    assert strata.empty
    assert card.make_bands(bare, split).empty
    assert "unknown here" in tell.describe_strata(strata).text


def test_without_a_ladder_there_is_nothing_to_split() -> None:
    ties = pd.DataFrame({"follower_id": ["a", "b"], "followee_id": ["b", "c"]})
    bare = an.analyse(make_dataset({"follows": ties}), "mutuality")
    assert card.choose_split(bare, "time") == ""
    assert card.make_scores(bare, "").empty
    assert card.make_tuned(bare, "").empty
    with pytest.raises(InputError, match="no ladder was scored"):
        card._ladder(bare)


def test_cells_are_short_and_define_no_functions() -> None:
    notebook_runs.check_cells(NOTEBOOK)
