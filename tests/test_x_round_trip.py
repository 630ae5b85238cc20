"""X archives: what is written from a simulated life is read back as it was."""

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
    ties_of,
    told,
)

from followkit.errors import InputError
from followkit.simulate.exports import expected
from followkit.simulate.exports.x import handles_x, number_of
from followkit.sources.exports.x import read_x, recognise

READABLE = ("manifest", "plain", "root")


@pytest.mark.parametrize("packing", ["folder", "zip", "wrapped", "split"])
@pytest.mark.parametrize("layout", READABLE)
def test_every_layout_gives_the_truth(layout: str, packing: str, tmp_path: Path) -> None:
    found = check_round_trip(read_x, "x", tmp_path, layout=layout, packing=packing)
    check_counts(found, timed=False)
    assert [one for one in told(found, "refuse") if "follow" in one.name] == []


@pytest.mark.parametrize("layout", READABLE)
def test_it_is_recognised(layout: str, tmp_path: Path) -> None:
    assert is_recognised(recognise, "x", tmp_path, layout=layout)


@pytest.mark.parametrize("layout", READABLE)
def test_handles_come_from_answers_and_mentions(layout: str, tmp_path: Path) -> None:
    found = read_back(read_x, "x", tmp_path, layout=layout)
    handles = {one.account: (one.handle or "").lower() for one in found.people if one.handle}
    assert handles.pop(found.ego) == a_life().ego.account
    assert handles == handles_x(a_life())


def test_the_manifest_tells_the_moment(tmp_path: Path) -> None:
    found = read_back(read_x, "x", tmp_path)
    assert found.exported_at == a_life().exported_at


def test_what_the_caller_gives_wins(tmp_path: Path) -> None:
    check_given_wins(read_x, "x", tmp_path)


@pytest.mark.parametrize("layout", READABLE)
@pytest.mark.parametrize(
    "fault", ["no_user_link", "next_line", "mention_gone", "empty", "follower_parts"]
)
def test_harmless_variants_give_the_truth(fault: str, layout: str, tmp_path: Path) -> None:
    found = check_round_trip(read_x, "x", tmp_path, layout=layout, faults=[fault])
    assert "-1" not in {one.account for one in found.people}


def test_impossible_years_are_not_taken_over(tmp_path: Path) -> None:
    found = read_back(read_x, "x", tmp_path, faults=["impossible_times"])
    years = {one.at.year for one in found.posts if one.at}
    assert min(years) > 2020
    assert expected(a_life(), "x").acts == {
        (one.actor, one.target, one.kind, one.at) for one in found.acts
    }
    assert found.exported_at == a_life().exported_at


def test_a_listed_file_that_is_missing_is_reported(tmp_path: Path) -> None:
    found = read_back(read_x, "x", tmp_path, faults=["missing_listed"])
    assert found.listed("followers").state in ("absent", "unreadable")
    assert any("follower.js" in one.value + one.name for one in told(found, "refuse", "warn"))
    assert ties_of(found) == expected(a_life(), "x", faults=["missing_listed"]).ties


def test_a_missing_part_of_the_followers_is_not_a_short_list(tmp_path: Path) -> None:
    found = read_back(read_x, "x", tmp_path, faults=["missing_follower_part"])
    assert found.listed("followers").state in ("cut", "unreadable")
    assert any("follower-part1.js" in one.value + one.name for one in found.checks)
    assert told(found, "refuse")
    assert ties_of(found) <= expected(a_life(), "x").ties


def test_a_missing_part_of_the_tweets_is_reported(tmp_path: Path) -> None:
    found = check_round_trip(read_x, "x", tmp_path, faults=["missing_part"])
    assert any("tweets-part1.js" in one.value + one.name for one in told(found, "refuse", "warn"))


@pytest.mark.parametrize("layout", READABLE)
def test_no_list_of_followers_is_not_an_empty_one(layout: str, tmp_path: Path) -> None:
    found = check_round_trip(read_x, "x", tmp_path, layout=layout, faults=["no_followers"])
    assert told(found, "refuse")


@pytest.mark.parametrize("layout", READABLE)
def test_a_cut_list_is_unreadable_and_never_short(layout: str, tmp_path: Path) -> None:
    found = check_round_trip(read_x, "x", tmp_path, layout=layout, faults=["truncated"])
    assert told(found, "refuse")


def test_what_the_manifest_does_not_list_is_ignored(tmp_path: Path) -> None:
    found = check_round_trip(read_x, "x", tmp_path, faults=["unlisted"])
    assert "999000999" not in {one.source for one in found.ties}


def test_the_archive_of_before_2018_says_what_to_request(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="archive"):
        read_back(read_x, "x", tmp_path, layout="csv")


def test_every_account_has_a_number_of_its_own() -> None:
    people = (a_life().ego, *a_life().alters)
    numbers = {number_of(one) for one in people}
    assert len(numbers) == len(people)
    assert {len(number) for number in numbers} <= set(range(9, 20))
