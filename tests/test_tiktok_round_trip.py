"""TikTok exports: what is written from a simulated life is read back as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from platform_round_trips import (
    a_life,
    check_counts,
    check_given_wins,
    check_round_trip,
    is_recognised,
    read_back,
    read_or_refuse,
    ties_of,
    told,
)

from followkit.simulate.exports import expected
from followkit.sources.exports.tiktok import read_tiktok, recognise

JSON = ("2024", "2025", "2026")
ALL = (*JSON, "txt")


@pytest.mark.parametrize("packing", ["folder", "zip", "wrapped"])
@pytest.mark.parametrize("layout", ALL)
def test_every_layout_gives_the_truth(layout: str, packing: str, tmp_path: Path) -> None:
    found = check_round_trip(read_tiktok, "tiktok", tmp_path, layout=layout, packing=packing)
    check_counts(found, timed=True)
    assert told(found, "refuse") == []
    assert {one.precision_s for one in found.ties} == {1}


@pytest.mark.parametrize("layout", ALL)
def test_one_loose_file(layout: str, tmp_path: Path) -> None:
    check_round_trip(read_tiktok, "tiktok", tmp_path, layout=layout, packing="file")


def test_text_files_in_two_zips(tmp_path: Path) -> None:
    check_round_trip(read_tiktok, "tiktok", tmp_path, layout="txt", packing="split")


@pytest.mark.parametrize("layout", ALL)
def test_it_is_recognised(layout: str, tmp_path: Path) -> None:
    assert is_recognised(recognise, "tiktok", tmp_path, layout=layout)


@pytest.mark.parametrize("layout", ALL)
def test_what_the_caller_gives_wins(layout: str, tmp_path: Path) -> None:
    check_given_wins(read_tiktok, "tiktok", tmp_path, layout=layout)


@pytest.mark.parametrize("layout", JSON)
@pytest.mark.parametrize("fault", ["mixed_keys", "null_objects", "not_applicable", "empty"])
def test_harmless_variants_give_the_truth(fault: str, layout: str, tmp_path: Path) -> None:
    found = check_round_trip(read_tiktok, "tiktok", tmp_path, layout=layout, faults=[fault])
    check_counts(found, timed=True)
    assert told(found, "refuse") == []


def test_times_of_the_text_files_may_name_their_zone(tmp_path: Path) -> None:
    check_round_trip(read_tiktok, "tiktok", tmp_path, layout="txt", faults=["utc_suffix"])


@pytest.mark.parametrize("layout", JSON)
def test_a_capped_list_of_followers_is_cut_and_refused(layout: str, tmp_path: Path) -> None:
    found = check_round_trip(read_tiktok, "tiktok", tmp_path, layout=layout, faults=["capped"])
    assert [bool(one.remedy) for one in told(found, "refuse")] == [True]
    numbers = {"5", str(len(a_life().followers()))}
    assert any(numbers <= set(one.value.split()) for one in told(found, "refuse", "warn"))


@pytest.mark.parametrize("layout", ALL)
def test_no_list_of_followers_is_not_an_empty_one(layout: str, tmp_path: Path) -> None:
    found = check_round_trip(
        read_tiktok, "tiktok", tmp_path, layout=layout, faults=["no_followers"]
    )
    assert told(found, "refuse")


@pytest.mark.parametrize("layout", JSON)
def test_a_null_list_beside_a_count_is_not_an_empty_one(layout: str, tmp_path: Path) -> None:
    found = read_back(read_tiktok, "tiktok", tmp_path, layout=layout, faults=["null_followers"])
    assert found.listed("followers").state != "whole"
    assert told(found, "refuse")
    truth = expected(a_life(), "tiktok", layout=layout, faults=["null_followers"])
    assert ties_of(found) == truth.ties


@pytest.mark.parametrize("layout", JSON)
def test_a_cut_file_gives_no_short_list(layout: str, tmp_path: Path) -> None:
    found = read_or_refuse(
        read_tiktok, "tiktok", tmp_path, "user_data", layout=layout, faults=["truncated"]
    )
    if found is None:
        return
    assert found.ties == []
    assert {found.listed("following").state, found.listed("followers").state} == {"unreadable"}
    assert told(found, "refuse")
