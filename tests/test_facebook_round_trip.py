"""Facebook exports: what is written from a simulated life is read back as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from platform_round_trips import (
    a_life,
    check_given_wins,
    check_round_trip,
    is_recognised,
    read_back,
    ties_of,
    told,
)

from followkit.simulate.exports import expected
from followkit.sources.exports.facebook import read_facebook, recognise

LAYOUTS = ("v3", "v2")


@pytest.mark.parametrize("packing", ["folder", "zip", "wrapped", "split"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_truth(layout: str, packing: str, tmp_path: Path) -> None:
    found = check_round_trip(read_facebook, "facebook", tmp_path, layout=layout, packing=packing)
    assert told(found, "refuse") == []
    assert {one.precision_s for one in found.ties} == {1}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_it_is_recognised(layout: str, tmp_path: Path) -> None:
    assert is_recognised(recognise, "facebook", tmp_path, layout=layout)


def test_what_the_caller_gives_wins(tmp_path: Path) -> None:
    check_given_wins(read_facebook, "facebook", tmp_path)


def test_names_of_every_script_are_whole(tmp_path: Path) -> None:
    found = read_back(read_facebook, "facebook", tmp_path)
    names = {one.source for one in found.ties} | {one.target for one in found.ties}
    foreign = {name for name in names if not name.isascii()}
    assert len(foreign) > 10
    assert foreign <= {one.name for one in a_life().alters}


def test_shared_names_are_counted(tmp_path: Path) -> None:
    """Two pairs of alters share a name; where both stand on one list, a check says so."""
    found = read_back(read_facebook, "facebook", tmp_path)
    follows = [(one.source, one.target) for one in found.ties if one.kind == "follow"]
    assert len(follows) > len(set(follows))
    assert any("name" in one.name for one in told(found, "note", "warn"))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("fault", ["missing_followers", "unreadable", "new_keys"])
def test_what_cannot_be_read_is_not_an_empty_list(fault: str, layout: str, tmp_path: Path) -> None:
    found = check_round_trip(read_facebook, "facebook", tmp_path, layout=layout, faults=[fault])
    assert told(found, "refuse")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_empty_list_is_whole(layout: str, tmp_path: Path) -> None:
    found = check_round_trip(read_facebook, "facebook", tmp_path, layout=layout, faults=["empty"])
    assert told(found, "refuse") == []


def test_a_refused_request_is_no_follow(tmp_path: Path) -> None:
    found = read_back(read_facebook, "facebook", tmp_path, faults=["rejected"])
    more = ties_of(found) - expected(a_life(), "facebook").ties
    assert {one[2] for one in more} <= {"request"}
    assert {one[0] for one in more} <= {"Somebody Rejected"}
    assert expected(a_life(), "facebook").ties <= ties_of(found)
