"""Mastodon's CSV lists and archive: what is written from a simulated life is read back."""

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
    told,
)

from followkit.sources.exports.mastodon import read_mastodon, recognise

LAYOUTS = ("csv", "archive", "both")


@pytest.mark.parametrize("packing", ["folder", "zip", "wrapped"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_truth(layout: str, packing: str, tmp_path: Path) -> None:
    found = check_round_trip(read_mastodon, "mastodon", tmp_path, layout=layout, packing=packing)
    check_counts(found, timed=False)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_it_is_recognised(layout: str, tmp_path: Path) -> None:
    assert is_recognised(recognise, "mastodon", tmp_path, layout=layout)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_followers_are_never_told_and_the_way_out_is(layout: str, tmp_path: Path) -> None:
    found = read_back(read_mastodon, "mastodon", tmp_path, layout=layout)
    refused = told(found, "refuse")
    assert any("follower" in one.name + one.value for one in refused)
    assert all(one.remedy for one in refused)


@pytest.mark.parametrize("layout", ["csv", "both"])
def test_what_the_caller_gives_wins(layout: str, tmp_path: Path) -> None:
    ego = "somebody@else.example"
    check_given_wins(read_mastodon, "mastodon", tmp_path, ego=ego, layout=layout)


@pytest.mark.parametrize("packing", ["folder", "zip", "wrapped"])
def test_the_name_of_the_archive_tells_the_moment(packing: str, tmp_path: Path) -> None:
    found = read_back(read_mastodon, "mastodon", tmp_path, packing=packing)
    assert found.exported_at == a_life().exported_at


def test_addresses_without_a_domain_are_local(tmp_path: Path) -> None:
    local = {one.address for one in a_life().following() if one.domain == a_life().ego.domain}
    assert local
    found = read_back(read_mastodon, "mastodon", tmp_path / "known", layout="both")
    assert local <= {one.target for one in found.ties}
    alone = read_back(read_mastodon, "mastodon", tmp_path / "alone", layout="csv")
    assert {one.partition("@")[0] for one in local} <= {one.target for one in alone.ties}
    listed = {*a_life().following(), *(one for kind in ("blocked", "muted")
                                       for one, _ in a_life().marked(kind))}  # fmt: skip
    count = sum(one.domain == a_life().ego.domain for one in listed)
    noted = [one for one in told(alone, "note", "warn") if "without a server" in one.name]
    assert [one.value.split()[0] for one in noted] == [str(count)]


@pytest.mark.parametrize("layout", ["csv", "both"])
@pytest.mark.parametrize("fault", ["no_header", "upper_case", "empty"])
def test_lists_of_every_shape_give_the_truth(fault: str, layout: str, tmp_path: Path) -> None:
    found = check_round_trip(read_mastodon, "mastodon", tmp_path, layout=layout, faults=[fault])
    check_counts(found, timed=False)


@pytest.mark.parametrize("layout", ["archive", "both"])
@pytest.mark.parametrize("fault", ["numeric_ids", "total_items", "other_software"])
def test_archives_of_every_shape_give_the_truth(fault: str, layout: str, tmp_path: Path) -> None:
    check_round_trip(read_mastodon, "mastodon", tmp_path, layout=layout, faults=[fault])


def test_numeric_addresses_are_never_taken_for_names(tmp_path: Path) -> None:
    found = read_back(read_mastodon, "mastodon", tmp_path, faults=["numeric_ids"])
    names = {one.address for one in (a_life().ego, *a_life().alters)}
    assert {one.target for one in found.acts} <= names


def test_a_cut_outbox_is_said_and_spares_the_list(tmp_path: Path) -> None:
    found = check_round_trip(read_mastodon, "mastodon", tmp_path, faults=["truncated"])
    assert any("outbox.json" in one.name + one.value for one in told(found, "warn", "refuse"))
