"""Every export is taken for its own platform's, and for no other's."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from platform_round_trips import a_life

from followkit.simulate.exports import WRITERS, write_export
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
