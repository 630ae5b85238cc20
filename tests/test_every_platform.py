"""What holds for every platform: known alone, the same bytes, any life's truth, named faults."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from platform_round_trips import a_life, check_round_trip

from followkit.errors import ParameterError
from followkit.simulate.exports import WRITERS, make_life, write_export
from followkit.sources.exports.members import open_members

VARIANTS = [
    ("x", {"layout": "manifest"}), ("x", {"layout": "plain"}), ("x", {"layout": "root"}),
    ("tiktok", {"layout": "2024"}), ("tiktok", {"layout": "2026"}), ("tiktok", {"layout": "txt"}),
    ("mastodon", {"layout": "csv"}), ("mastodon", {"layout": "archive"}), ("bluesky", {}),
    ("linkedin", {"layout": "2023"}), ("linkedin", {"layout": "2021"}),
    ("facebook", {"layout": "v3"}), ("facebook", {"layout": "v2"}),
    ("youtube", {"locale": "en"}), ("youtube", {"locale": "nl"}),
    ("instagram", {"era": "B"}), ("instagram", {"era": "D"}),
]  # fmt: skip


@pytest.mark.parametrize(("platform", "variant"), VARIANTS)
def test_one_platform_alone_knows_the_export(
    platform: str, variant: dict[str, str], tmp_path: Path
) -> None:
    paths = write_export(a_life(), platform, tmp_path, **variant)
    with open_members(paths) as members:
        took = {
            one
            for one in WRITERS
            if one != "threads"
            and import_module(f"followkit.sources.exports.{one}").recognise(members)
        }
    assert took == {platform}


@pytest.mark.parametrize(("platform", "variant"), VARIANTS)
def test_the_same_life_gives_the_same_bytes(
    platform: str, variant: dict[str, str], tmp_path: Path
) -> None:
    once, again = (
        write_export(a_life(), platform, tmp_path / folder, **variant) for folder in ("a", "b")
    )
    assert [one.name for one in once] == [one.name for one in again]
    assert [one.read_bytes() for one in once] == [one.read_bytes() for one in again]
    assert sum(len(one.read_bytes()) for one in once) > 500


@pytest.mark.parametrize(("seed", "size"), [(2, 1), (11, 18), (12, 18), (13, 18)])
@pytest.mark.parametrize("platform", sorted({*WRITERS} - {"instagram", "threads"}))
def test_any_life_gives_its_truth(platform: str, seed: int, size: int, tmp_path: Path) -> None:
    reader = getattr(import_module(f"followkit.sources.exports.{platform}"), f"read_{platform}")
    found = check_round_trip(reader, platform, tmp_path, life=make_life(seed, size))
    assert len(found.ties) <= 2 * size


@pytest.mark.parametrize(
    ("platform", "variant", "known"),
    [
        ("bluesky", {"faults": ["shufled"]}, "shuffled"),
        ("facebook", {"faults": ["unreadabel"]}, "unreadable"),
        ("linkedin", {"layout": "2033"}, "2023"),
        ("mastodon", {"packing": "tar"}, "folder"),
        ("tiktok", {"layout": "2027"}, "2026"),
        ("x", {"faults": ["missing_liste"]}, "missing_listed"),
        ("youtube", {"locale": "nk"}, "nl"),
    ],
)
def test_a_variant_that_is_not_known_is_named(
    platform: str, variant: dict[str, Any], known: str, tmp_path: Path
) -> None:
    with pytest.raises(ParameterError, match=known):
        write_export(a_life(), platform, tmp_path, **variant)
