"""Commands on exports: what a person types, and what is said."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from followkit.cli import main
from followkit.simulate.exports import make_life, write_export
from followkit.sources import load_dataset, load_parts


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder in which exports are kept, for this test alone."""
    monkeypatch.setenv("FOLLOWKIT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def write_lists(folder: Path, followers: list[str], following: list[str], day: str) -> Path:
    """Write a small Instagram export by hand; everybody followed on a second of their own."""
    base = 1_700_000_000

    def entry(name: str, of: int) -> dict[str, object]:
        stamp = base + sum(map(ord, name)) + of
        return {"string_list_data": [{"value": name, "timestamp": stamp}]}

    lists = {
        "followers_1.json": [entry(name, 0) for name in followers],
        "following.json": {"relationships_following": [entry(name, 100) for name in following]},
    }
    path = folder / f"instagram-me.too-{day}-abc.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in lists.items():
            inside = f"connections/followers_and_following/{name}"
            packed.writestr(inside, json.dumps(content))
    return path


@pytest.mark.parametrize("platform", ["instagram", "x", "tiktok", "linkedin", "bluesky"])
def test_a_simulated_export_is_written_and_read(
    platform: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", str(tmp_path), "--export", platform, "--accounts", "30"]) == 0
    assert main(["check", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "its lists" in said
    assert "Checks" in said
    assert load_dataset(tmp_path).about["export"]["platform"] == platform


def test_a_damaged_download_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_lists(tmp_path, ["bo"], ["bo"], "2026-01-01")
    path.write_bytes(path.read_bytes()[:-30])
    assert main(["inspect", str(path)]) == 2
    said = capsys.readouterr().err
    assert "download" in said
    assert "Traceback" not in said


def test_the_structure_holds_no_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_lists(tmp_path, ["bolu.yaze", "cy"], ["bolu.yaze"], "2026-01-01")
    assert main(["inspect", "--structure-only", str(path)]) == 0
    said = capsys.readouterr().out
    assert "followers_1.json" in said
    assert "timestamp" in said
    for value in ("bolu", "yaze", "me.too", "17000", "abc"):
        assert value not in said


def test_two_kept_exports_say_who_left(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = write_lists(tmp_path, ["bo", "cy"], ["bo", "cy", "di"], "2026-01-01")
    second = write_lists(tmp_path, ["bo", "ed"], ["bo", "cy", "di"], "2026-02-01")
    assert main(["snapshots", "compare"]) == 2
    assert "0 kept" in capsys.readouterr().err
    for path in (first, second, second):
        assert main(["snapshots", "keep", str(path)]) == 0
    assert "Exports of this account: 2" in capsys.readouterr().out
    assert main(["snapshots", "list"]) == 0
    assert "2026-02-01" in capsys.readouterr().out
    assert main(["snapshots", "compare"]) == 0
    said = capsys.readouterr().out
    left, came = said.index("left: 1"), said.index("came: 1")
    assert "cy" in said[left:came]
    assert "ed" in said[came:]
    assert main(["snapshots", "forget", "--yes"]) == 0
    assert "Removed: 2" in capsys.readouterr().out
    assert not list(home.rglob("follows.csv"))


def test_parts_of_one_export_are_read_together(tmp_path: Path) -> None:
    """Mistake 14: the second zip of a split export is forgotten."""
    life = make_life(5, 40)
    parts = write_export(life, "instagram", tmp_path / "parts", packing="split")
    whole = write_export(life, "instagram", tmp_path / "whole")
    assert len(parts) > 1
    once = load_dataset(whole[0]).follows
    named = load_parts("; ".join(map(str, parts))).follows
    found = load_dataset(tmp_path / "parts").follows
    assert once.equals(named)
    assert once.equals(found)


def test_threads_lies_in_the_same_zip(tmp_path: Path) -> None:
    life = make_life(6, 40)
    (one,) = write_export(life, "instagram", tmp_path / "a", packing="folder")
    (two,) = write_export(life, "threads", tmp_path / "b", packing="folder")
    shutil.copytree(two, one, dirs_exist_ok=True)
    both = load_parts(str(one))
    assert both.about["export"]["platform"] == "instagram"
    assert load_parts(str(one), platform="threads").about["export"]["platform"] == "threads"
    assert load_parts(str(two)).about["export"]["platform"] == "threads"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["fetch", "myspace", "ana", "--out", "x"], "service: 'myspace' is unknown"),
        (["fetch", "github", "ana", "--out", "x", "--neighbours", "3"], "only Bluesky"),
        (["report", "--export", "a.zip", "--data", "b"], "--data or --export"),
        (["report", "--export", "a.zip"], "was not found"),
        (["simulate", "x", "--export", "myspace"], "no writer for 'myspace'"),
    ],
)
def test_what_cannot_be_is_said(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert says in capsys.readouterr().err


def test_one_command_from_zip_to_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_lists(tmp_path, ["bo", "cy"], ["bo", "cy", "di"], "2026-01-01")
    out = tmp_path / "page"
    assert main(["report", "--export", str(path), "--out", str(out)]) == 0
    page = (out / "page.html").read_text(encoding="utf-8")
    assert "bo" in page
    assert "people you followed first" in capsys.readouterr().out
