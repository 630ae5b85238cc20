"""The notebook on time to follow-back: every parameter matters, each kind of data has its page."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import notebook_runs
import numpy as np
import pandas as pd
import pytest

from followkit.describe_latency import describe_latency, describe_medians
from followkit.errors import InputError, ParameterError
from followkit.latency_study import study_latency
from followkit.notebooks import read_parameters
from followkit.simulate import make_town, write_dataset
from followkit.tables import Dataset, make_dataset

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "report" / "latency.ipynb"
START = pd.Timestamp("2025-01-01", tz="UTC")


pytestmark = pytest.mark.usefixtures("quick_pictures")
run_notebook = partial(notebook_runs.run_notebook, NOTEBOOK)


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> dict[str, str]:
    """Two small towns, the first with deciders who are watched from week 5 on, and a mapping."""
    folder = tmp_path_factory.mktemp("towns")
    one = make_town(160, seed=1, weeks=12, follows_per_account=10)
    seen = one.observation
    late = (seen["account_id"] % 4 == 0) & (seen["table_name"] == "follows")
    begin = seen["observed_from_at"]
    one = one.replace(
        observation=seen.assign(observed_from_at=begin.mask(late, begin + pd.Timedelta(days=35)))
    )
    write_dataset(one, folder / "one")
    write_dataset(make_town(160, seed=2, weeks=12, follows_per_account=10), folder / "two")
    mapping = notebook_runs.write_mapping(folder)
    return {"one": str(folder / "one"), "two": str(folder / "two"), "mapping": mapping}


@pytest.fixture(scope="module")
def plain_run(places) -> tuple[str, dict[str, Any]]:
    return run_notebook({"data": places["one"]})


CHANGES: dict[str, Any] = {
    "data": "two",
    "mapping": "mapping",
    "horizon_days": 21.0,
    "landmark_days": 5.0,
    "link": "logit",
    "bin_count": 6,
    "late_entry": True,
    "confidence": 0.8,
}


def test_every_parameter_is_tried() -> None:
    """The title is the page's own and is tried where pages are made."""
    assert set(CHANGES) | {"title"} == set(read_parameters(NOTEBOOK))


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_parameter_changes_the_output(name, places, plain_run) -> None:
    value = CHANGES[name]
    if name in ("data", "mapping"):
        value = places[value]
    page, numbers = run_notebook({"data": places["one"], name: value})
    assert page != plain_run[0]
    assert numbers != plain_run[1]


def test_the_same_parameters_give_the_same_page(places, plain_run) -> None:
    assert run_notebook({"data": places["one"]}) == plain_run


def test_the_opening_is_what_the_summary_holds(plain_run) -> None:
    page, numbers = plain_run
    assert numbers["answer"] in page
    assert numbers["headline"].rstrip(".") in numbers["answer"]
    chances = numbers["latency"]["chances"]
    left = next(row for row in chances.values() if row["landmark_days"] == 7)["chance"]
    assert f"{100 * chances['0']['chance']:.1f} % of" in numbers["answer"]
    assert f"{100 * left:.1f} %" in numbers["answer"]
    for heading in ("Is it still worth waiting?", "Who is answered sooner?",
                    "What still counts after 7 days?"):  # fmt: skip
        assert heading in page


def test_cells_are_short_and_define_no_functions() -> None:
    notebook_runs.check_cells(NOTEBOOK)


# -- every kind of data ----------------------------------------------------------------------------


def test_two_crawls_are_one_number_and_no_curve() -> None:
    folder = ROOT / "data" / "nostr"
    if not folder.is_dir():
        pytest.skip("data/nostr is not there")
    page, numbers = run_notebook({"data": str(folder)})
    # README: 2.5 % of 8,147 one-way follows were answered, interval 1.7 to 3.6 %.
    assert "2.5 % of 8,147 one-way ties were answered between the two crawls" in page
    assert "one interval: they give this one number, and no curve" in page
    assert "<figure" not in page
    assert numbers["latency"]["single"]["answered"] == 200
    assert "chances" not in numbers["latency"]


def test_a_snapshot_says_that_it_has_no_times() -> None:
    ties = pd.DataFrame({"follower_id": ["a", "b", "c"], "followee_id": ["b", "a", "a"]})
    study = study_latency(make_dataset({"follows": ties}))
    assert study.timed is None
    assert study.single is None
    assert "without times of follows" in describe_latency(study).text


def make_silent(answers: int, count: int = 300) -> Dataset:
    """Return timed follows of which the first few are answered after two days."""
    ids = np.arange(count)
    day = ids % 60
    follows = pd.DataFrame({
        "follower_id": np.r_[ids, 1000 + ids[:answers]],
        "followee_id": np.r_[1000 + ids, ids[:answers]],
        "followed_at": START + pd.to_timedelta(np.r_[day, day[:answers] + 2], unit="D"),
    })  # fmt: skip
    watch = pd.DataFrame({
        "account_id": np.r_[ids, 1000 + ids], "table_name": "follows", "observed_from_at": START,
        "observed_until_at": START + pd.Timedelta(days=100),
    })  # fmt: skip
    return make_dataset({"follows": follows, "observation": watch})


def test_nobody_answered_is_not_reached_and_said(tmp_path) -> None:
    data = make_silent(0)
    study = study_latency(data)
    told = describe_latency(study).text
    assert "None of 300 follows was answered within 30 days" in told
    assert "not reached; the longest was watched for 100 days" in told
    assert "no quantile is reached" in describe_medians(study).text
    write_dataset(data, tmp_path / "silent")
    page, numbers = run_notebook({"data": str(tmp_path / "silent")})
    assert "No hazard regression was fitted" in page
    assert numbers["latency"]["hazard"] is None
    first = numbers["latency"]["chances"]["0"]
    assert first["chance"] == 0
    assert 0 < first["ci_high"] < 0.05


def test_few_answers_give_a_rate_and_no_model(tmp_path) -> None:
    write_dataset(make_silent(12), tmp_path / "few")
    page, numbers = run_notebook({"data": str(tmp_path / "few")})
    assert "too few for a hazard regression, which needs 20" in page
    assert numbers["latency"]["chances"]["0"]["chance"] == pytest.approx(12 / 300)
    assert numbers["latency"]["half_days"] == 2


def test_arguments_that_cannot_be_are_refused() -> None:
    data = make_silent(12)
    with pytest.raises(ParameterError, match="before the horizon of 7 days; got 7"):
        study_latency(data, horizon_days=7)
    with pytest.raises(ParameterError, match="horizon_days: a positive number"):
        study_latency(data, horizon_days=-1)
    with pytest.raises(InputError, match=r"no follow was watched for 200 days .longest 100.0"):
        study_latency(data, horizon_days=200)


def test_pairs_that_nobody_opened_have_a_curve_and_no_model() -> None:
    """All pairs at the same moment: answered after 0 days, without initiator and features."""
    ids = np.arange(40)
    follows = pd.DataFrame(
        {"follower_id": np.r_[ids, 100 + ids], "followee_id": np.r_[100 + ids, ids]}
    ).assign(followed_at=START)
    study = study_latency(make_dataset({"follows": follows}))
    assert study.timed is not None
    assert study.timed.summary.same_moment_count == 40
    assert study.timed.chances["chance"].iloc[0] == 1
    assert study.timed.model is None
    assert study.timed.later is None
    assert "100.0 % of 40 follows" in describe_latency(study).text
