"""LinkedIn exports: what is written from a simulated life is read back as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from platform_round_trips import (
    a_life,
    check_given_wins,
    check_round_trip,
    is_recognised,
    read_back,
    read_or_refuse,
    ties_of,
    told,
)

from followkit.simulate.exports import expected
from followkit.sources.exports.linkedin import read_linkedin, recognise

ADDRESSED = ("2023", "bare")


@pytest.mark.parametrize("packing", ["folder", "zip", "wrapped", "split"])
@pytest.mark.parametrize("layout", ADDRESSED)
def test_every_layout_gives_the_truth(layout: str, packing: str, tmp_path: Path) -> None:
    found = check_round_trip(read_linkedin, "linkedin", tmp_path, layout=layout, packing=packing)
    assert told(found, "refuse") == []


@pytest.mark.parametrize("layout", [*ADDRESSED, "2021"])
def test_it_is_recognised(layout: str, tmp_path: Path) -> None:
    assert is_recognised(recognise, "linkedin", tmp_path, layout=layout)


def test_what_the_caller_gives_wins(tmp_path: Path) -> None:
    check_given_wins(read_linkedin, "linkedin", tmp_path)


def test_invitations_are_known_to_the_minute_and_answers_to_the_day(tmp_path: Path) -> None:
    found = read_back(read_linkedin, "linkedin", tmp_path)
    follows = [one for one in found.ties if one.kind == "follow"]
    at = {(one.source, one.target): one.at for one in follows}
    precision = {(one.source, one.target): one.precision_s for one in follows}
    for alter in a_life().mutuals():
        pair = (found.ego, alter.slug)
        assert alter.following_at
        assert alter.follower_at
        if alter.following_at > alter.follower_at:
            pair = pair[::-1]
        assert (precision[pair], precision[pair[::-1]]) == (60, 86_400)
        assert at[pair] <= at[pair[::-1]]
    assert {one.precision_s for one in found.ties if one.kind == "request"} == {60}


def test_the_unknown_zone_is_said(tmp_path: Path) -> None:
    found = read_back(read_linkedin, "linkedin", tmp_path)
    assert any("zone" in one.name + one.value for one in told(found, "note", "warn"))


@pytest.mark.parametrize("fault", ["hidden", "vanished", "missing_invitations", "empty"])
@pytest.mark.parametrize("layout", ADDRESSED)
def test_variants_give_the_truth(layout: str, fault: str, tmp_path: Path) -> None:
    check_round_trip(read_linkedin, "linkedin", tmp_path, layout=layout, faults=[fault])


def test_hidden_members_are_counted(tmp_path: Path) -> None:
    found = read_back(read_linkedin, "linkedin", tmp_path, faults=["hidden"])
    read = next(one for one in found.files if one.file.endswith("Connections.csv"))
    assert sum(read.left_out.values()) == 3


@pytest.mark.parametrize("fault", ["odd_dates", "alike_months"])
def test_a_day_in_another_language_is_no_day(fault: str, tmp_path: Path) -> None:
    """One in five days is in French and Italian, or in Finnish (marras: November, not March)."""
    found = check_round_trip(read_linkedin, "linkedin", tmp_path, faults=[fault])
    truth = expected(a_life(), "linkedin", faults=[fault])
    assert sum(one.at is None for one in found.ties) == sum(at is None for *_, at in truth.ties) > 0


def test_another_header_is_unreadable_and_refused(tmp_path: Path) -> None:
    found = read_or_refuse(
        read_linkedin, "linkedin", tmp_path, "Connections.csv", faults=["new_header"]
    )
    if found is None:
        return
    assert found.listed("followers").state == "unreadable"
    assert told(found, "refuse")
    assert {one.kind for one in found.ties} <= {"request"}


def test_without_connections_nobody_is_said_to_be_silent(tmp_path: Path) -> None:
    found = read_back(read_linkedin, "linkedin", tmp_path, faults=["missing_connections"])
    assert found.listed("followers").state == "absent"
    assert told(found, "refuse")
    assert [one for one in found.ties if one.target == found.ego and one.kind == "follow"] == []


def test_without_addresses_names_pair_invitations_and_connections(tmp_path: Path) -> None:
    """A name that two share pairs with nobody for sure; all others give the truth."""
    found = read_back(read_linkedin, "linkedin", tmp_path, layout="2021")
    names = [one.name for one in a_life().alters]
    shared = {one.slug for one in a_life().alters if names.count(one.name) > 1}
    truth = expected(a_life(), "linkedin", layout="2021").ties
    alone = {tie for tie in truth if not {tie[0], tie[1]} & shared}
    assert len(alone) > 20
    assert alone <= ties_of(found)
