"""Bluesky repositories: what is written from a simulated life is read back as it was."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from platform_round_trips import (
    a_life,
    check_counts,
    check_found,
    check_given_wins,
    check_round_trip,
    is_recognised,
    read_back,
    read_or_refuse,
    ties_of,
    told,
)

from followkit.errors import InputError
from followkit.simulate.exports import expected, make_life, write_export
from followkit.simulate.exports.bluesky_car import Link, make_tree
from followkit.sources.exports.bluesky import read_bluesky, recognise
from followkit.sources.exports.members import open_members

#: The protocol's own known answers: keys of records with one and the same link → root of the tree.
KNOWN_LINK = "bafyreie5cvv4h45feadgeuwhbcutmh6t2ceseocckahdoe6uat64zmz454"
KNOWN_ROOTS = {
    "bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm": (),
    "bafyreibj4lsc3aqnrvphp5xmrnfoorvru4wynt6lwidqbm2623a6tatzdu": ("3jqfcqzm3fo2j",),
    "bafyreih7wfei65pxzhauoibu3ls7jgmkju4bspy4t2ha2qdjnzqvoy33ai": ("3jqfcqzm3fx2j",),
    "bafyreicmahysq4n6wfuxo522m6dpiy7z7qzym3dzs756t5n7nfdgccwq7m": (
        "3jqfcqzm3fp2j", "3jqfcqzm3fr2j", "3jqfcqzm3fs2j", "3jqfcqzm3ft2j", "3jqfcqzm4fc2j"),
}  # fmt: skip


@pytest.mark.parametrize("root", list(KNOWN_ROOTS))
def test_the_written_tree_has_the_published_root(root: str) -> None:
    """Roots of the interoperability tests of the AT protocol (known maps)."""
    padded = KNOWN_LINK[1:].upper() + "=" * (-len(KNOWN_LINK[1:]) % 8)
    link = Link(base64.b32decode(padded))
    made = make_tree({f"com.example.record/{key}": link for key in KNOWN_ROOTS[root]}, {})
    assert "b" + base64.b32encode(made.content).decode().lower().rstrip("=") == root


@pytest.mark.parametrize("packing", ["file", "folder", "zip", "wrapped"])
def test_every_packing_gives_the_truth(packing: str, tmp_path: Path) -> None:
    found = check_round_trip(read_bluesky, "bluesky", tmp_path, packing=packing)
    check_counts(found, timed=True)
    assert [one.name for one in told(found, "warn")] == []


def test_a_large_repository_with_a_deep_tree(tmp_path: Path) -> None:
    check_round_trip(read_bluesky, "bluesky", tmp_path, life=make_life(8, 300))


@pytest.mark.parametrize("packing", ["file", "folder", "zip"])
def test_it_is_recognised(packing: str, tmp_path: Path) -> None:
    assert is_recognised(recognise, "bluesky", tmp_path, packing=packing)


def test_what_the_caller_gives_wins(tmp_path: Path) -> None:
    check_given_wins(read_bluesky, "bluesky", tmp_path, ego=f"did:plc:{'a' * 24}")


def test_a_handle_given_by_the_caller_is_kept_beside_the_did(tmp_path: Path) -> None:
    with open_members(write_export(a_life(), "bluesky", tmp_path)) as members:
        found = read_bluesky(members, ego="ana.example.social")
    assert found.ego == a_life().ego.did
    handles = {one.handle for one in found.people if one.account == found.ego and one.handle}
    assert handles == {"ana.example.social"}


@pytest.mark.parametrize("fault", ["shuffled", "unknown_records", "quotes", "empty", "odd_keys"])
def test_harmless_variants_give_the_truth(fault: str, tmp_path: Path) -> None:
    found = check_round_trip(read_bluesky, "bluesky", tmp_path, faults=[fault])
    check_counts(found, timed=True)


def test_followers_are_never_told(tmp_path: Path) -> None:
    found = read_back(read_bluesky, "bluesky", tmp_path)
    assert any("follower" in one.name + one.value for one in told(found, "refuse"))


def test_the_key_tells_the_time_when_the_client_dates_back(tmp_path: Path) -> None:
    found = check_round_trip(read_bluesky, "bluesky", tmp_path, faults=["back_dated"])
    assert any("3" in one.value for one in told(found, "warn"))


def test_of_a_follow_written_twice_the_first_counts(tmp_path: Path) -> None:
    found = read_back(read_bluesky, "bluesky", tmp_path, faults=["duplicates"])
    first = {}
    for source, target, kind, at in sorted(ties_of(found), key=lambda one: str(one[3])):
        first.setdefault((source, target, kind), at)
    truth = expected(a_life(), "bluesky").ties
    assert {(*pair, at) for pair, at in first.items()} == truth


@pytest.mark.parametrize("fault", ["truncated", "not_a_car"])
def test_a_broken_file_is_refused(fault: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"repo\.car"):
        read_back(read_bluesky, "bluesky", tmp_path, faults=[fault])


def test_a_lost_record_is_not_passed_over(tmp_path: Path) -> None:
    truth = expected(a_life(), "bluesky")
    found = read_or_refuse(read_bluesky, "bluesky", tmp_path, "repo.car", faults=["lost_record"])
    if found is None:
        return
    assert len(truth.ties - ties_of(found)) == 1
    assert found.listed("following").state != "whole"


def test_a_lost_part_of_the_tree_is_not_passed_over(tmp_path: Path) -> None:
    truth = expected(a_life(), "bluesky")
    found = read_or_refuse(read_bluesky, "bluesky", tmp_path, "repo.car", faults=["lost_tree"])
    if found is None:
        return
    assert ties_of(found) <= truth.ties
    if ties_of(found) == truth.ties:
        check_found(found, truth, a_life())
    assert told(found, "warn", "refuse")
