"""YouTube's Takeout: what is written from a simulated life is read back as it was."""

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
    told,
)

from followkit.simulate.exports.youtube import LOCALES, name_channel
from followkit.sources.exports.youtube import read_youtube, recognise


@pytest.mark.parametrize("packing", ["folder", "zip", "wrapped", "file"])
@pytest.mark.parametrize("locale", list(LOCALES))
def test_every_language_gives_the_truth(locale: str, packing: str, tmp_path: Path) -> None:
    found = check_round_trip(read_youtube, "youtube", tmp_path, locale=locale, packing=packing)
    check_counts(found, timed=False)


@pytest.mark.parametrize("packing", ["zip", "file"])
@pytest.mark.parametrize("locale", list(LOCALES))
def test_it_is_recognised(locale: str, packing: str, tmp_path: Path) -> None:
    assert is_recognised(recognise, "youtube", tmp_path, locale=locale, packing=packing)


def test_what_the_caller_gives_wins(tmp_path: Path) -> None:
    check_given_wins(read_youtube, "youtube", tmp_path)


@pytest.mark.parametrize("locale", list(LOCALES))
def test_there_is_no_follow_back_to_speak_of(locale: str, tmp_path: Path) -> None:
    found = read_back(read_youtube, "youtube", tmp_path, locale=locale)
    assert any("subscriber" in one.name + one.value for one in told(found, "refuse"))


@pytest.mark.parametrize("fault", ["other_order", "byte_order_mark", "empty"])
@pytest.mark.parametrize("locale", list(LOCALES))
def test_variants_give_the_truth(locale: str, fault: str, tmp_path: Path) -> None:
    found = check_round_trip(read_youtube, "youtube", tmp_path, locale=locale, faults=[fault])
    check_counts(found, timed=False)


def test_titles_are_names_of_channels(tmp_path: Path) -> None:
    found = read_back(read_youtube, "youtube", tmp_path)
    titles = {one.account: one.display_name for one in found.people}
    titles.pop(found.ego, None)
    assert titles == {name_channel(one): one.name for one in a_life().following()}


def test_a_table_without_ids_is_unreadable(tmp_path: Path) -> None:
    found = read_or_refuse(
        read_youtube, "youtube", tmp_path, "subscriptions.csv", faults=["no_ids"]
    )
    if found is None:
        return
    assert found.ties == []
    assert found.listed("following").state == "unreadable"
    assert any("subscriptions.csv" in one.name + one.value for one in told(found, "refuse"))
