"""Sweep files: which runs they stand for, how runs are named, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followkit.cli import find_notebook
from followkit.errors import FollowkitError, InputError, ParameterError
from followkit.sweeps import EXAMPLE, LONGEST_NAME, _slug, make_sweep, read_sweep


def no_segments(*_: Any) -> list[str]:
    return []


def sweep_of(content: Mapping[str, Any], segments: Any = no_segments) -> Any:
    return make_sweep(content, find_notebook, segments)


def test_the_example_is_a_sweep(tmp_path: Path) -> None:
    path = tmp_path / "sweep.toml"
    path.write_text(EXAMPLE)
    asked = []

    def segments(values: Mapping[str, Any], by: str, fewest: int) -> list[str]:
        asked.append((values["data"], by, fewest))
        return ["decider.category=art", "decider.category=food"]

    sweep = read_sweep(path, find_notebook, segments)
    names = [run.name for run in sweep.runs]
    # Two data sets × two seeds × two segments, and the single report.
    assert len(names) == 9
    assert names[0] == "town-seed-0-decider-category-art"
    assert names[-1] == "a-week"
    assert asked[0] == ("data/town", "decider.category", 0)
    assert sweep.runs[0].parameters["horizon_days"] == 30.0
    assert sweep.runs[0].parameters["segment"] == "decider.category=art"
    assert sweep.runs[-1].parameters["horizon_days"] == 7.0
    assert sweep.runs[0].parameters["title"] == "Who follows back? (town, decider.category=art)"


def test_a_title_that_is_given_stays() -> None:
    run = sweep_of({"parameters": {"data": "x", "title": "Mine"}}).runs[0]
    assert run.parameters["title"] == "Mine"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"grids": {"seed": [1]}}, "did you mean grid"),
        ({"grid": {"sead": [1]}}, "did you mean seed"),
        ({"grid": {"seed": ["x"]}}, "seed must be a whole number"),
        ({"grid": {"seed": []}}, "no report is asked for"),
        ({"each": {"fewest": 3}}, "needs `segment`"),
        ({"each": {"segment": 3}}, "needs `segment`"),
        ({"each": {"segment": "month", "fewest": "many"}}, "must be a whole number of dyads"),
        ({"parameters": 3}, "must be a table"),
        ({"report": [{"name": "a"}, {"name": "a", "seed": 1}]}, "come twice, such as a"),
    ],
)
def test_bad_sweeps_are_named(content: Mapping[str, Any], says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        sweep_of(content)


def test_files_that_are_no_sweeps(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no sweep file"):
        read_sweep(tmp_path / "none.toml", find_notebook, no_segments)
    for content in (b"a = [", b"\xff\xfe"):
        (tmp_path / "bad.toml").write_bytes(content)
        with pytest.raises(InputError, match="is not a TOML file"):
            read_sweep(tmp_path / "bad.toml", find_notebook, no_segments)


@given(st.text(min_size=1))
def test_any_name_makes_a_folder(name: str) -> None:
    slug = _slug(name)
    assert 1 <= len(slug) <= LONGEST_NAME
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert not slug.startswith("-")


def test_names_that_are_cut_stay_apart() -> None:
    names = ["art", "art!", "art?", "ärt", "x" * 80, "x" * 81, "日本", "中国"]
    assert len({_slug(name) for name in names}) == len(names)
    assert _slug("decider.category art") == "decider-category-art"


@given(
    st.dictionaries(
        st.sampled_from(["notebook", "out", "parameters", "grid", "each", "report", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["seed", "data", "name", "segment"]), inner, max_size=3
                )
            ),
            max_leaves=6,
        ),
    )
)
def test_any_content_is_a_sweep_or_a_sentence(content: dict[str, Any]) -> None:
    with suppress(FollowkitError):
        assert sweep_of(content).runs
