"""Commands on exports: what a person types, and what is said."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from followkit.cli import main
from followkit.errors import InputError, ParameterError
from followkit.simulate.exports import make_life, write_export
from followkit.sources import check_is_export, load_dataset, load_parts


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
    assert main(["snapshots", "list"]) == 0
    assert "Nothing is kept yet" in capsys.readouterr().out
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
    assert "yes" in said[left:came]
    assert "+00:00" not in said
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


@pytest.mark.parametrize("name", ["download.bin", "download", "my export; ü (1).zip"])
def test_a_renamed_download_is_known_by_its_bytes(name: str, tmp_path: Path) -> None:
    path = write_lists(tmp_path, ["bo"], ["bo", "cy"], "2026-01-01")
    renamed = path.rename(tmp_path / name)
    for dataset in (load_dataset(renamed), load_parts(str(renamed))):
        assert dataset.about["export"]["platform"] == "instagram"
        assert len(dataset.follows) == 3


def test_a_path_may_begin_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    path = write_lists(tmp_path, ["bo"], ["bo"], "2026-01-01")
    assert main(["inspect", f"~/{path.name}"]) == 0
    assert "its lists" in capsys.readouterr().out
    assert len(load_parts(f"~/{path.name}; ~/{path.name}").follows) == 2


def test_what_is_no_export_is_said_before_anything_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, members in {"letter.docx": ["word/a.xml"], "photos.zip": ["1.jpg", "2.png"]}.items():
        with zipfile.ZipFile(name, "w") as packed:
            for member in members:
                packed.writestr(member, "x")
    Path("edges.csv").write_text("source,target\na,b\n", encoding="utf-8")
    Path("user_data.html").write_bytes(b"")
    Path("empty").mkdir()
    wanted = {
        "letter.docx": "in it: a.xml", "photos.zip": "nothing but pictures, sounds or films: 2",
        "edges.csv": "go with --data", "user_data.html": "it is empty", "empty": "in it: nothing",
    }  # fmt: skip
    for name, says in wanted.items():
        for words in (["inspect"], ["snapshots", "keep"], ["report", "--export"]):
            assert main([*words, name]) == 2
            said = capsys.readouterr().err
            assert said.startswith(f"followkit: {name}: no export that followkit knows")
            assert says in said
            assert said.count("\n") == 1
    assert not Path("reports").exists()


def test_a_list_that_is_not_right_answers_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    life = make_life(5, 40)
    whole, lost = tmp_path / "whole", tmp_path / "lost"
    write_export(life, "instagram", whole)
    write_export(life, "instagram", lost, faults=["missing_followers"])
    assert main(["check", str(whole)]) == 0
    said = capsys.readouterr().out
    assert "can say who follows you back" in said
    assert "follow_back: can be answered" in said
    for command in ("check", "inspect"):
        assert main([command, str(lost)]) == 0
        said = capsys.readouterr().out
        assert "cannot say who follows you back" in said
        assert "What to do: Ask Instagram for a new export" in said
        assert "can be answered" not in said


def test_a_folder_of_one_zip_keeps_the_day_in_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lists(tmp_path, ["bo"], ["bo"], "2026-01-01")
    assert main(["inspect", str(tmp_path)]) == 0
    assert "known by the name" in " ".join(capsys.readouterr().out.replace("│", " ").split())


def test_the_day_and_the_owner_can_be_given(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_lists(tmp_path, ["bo"], ["bo"], "2026-01-01").rename(tmp_path / "x.zip")
    given = load_parts(str(path), ego="ana", exported_at="2024-02-01").about["export"]
    assert (given["ego"], given["exported_at"][:19]) == ("ana", "2024-02-01T23:59:59")
    moment = load_parts(str(path), exported_at="2024-02-01T10:00:00+02:00").about["export"]
    assert moment["exported_at"][:19] == "2024-02-01T08:00:00"
    with pytest.raises(ParameterError, match=r"exported_at: '1\.2\.2024' is no day"):
        load_parts(str(path), exported_at="1.2.2024")
    assert main(["snapshots", "keep", str(path), "--exported-at", "2024-02-01"]) == 0
    assert "2024-02-01" in capsys.readouterr().out


def test_what_may_not_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_lists(tmp_path, ["bo"], ["bo"], "2026-01-01")
    monkeypatch.setattr(os, "access", lambda *_: False)
    for read in (load_parts, check_is_export):
        with pytest.raises(InputError, match=r"may not be read by you \(no permission\)"):
            read(str(tmp_path))


@pytest.mark.parametrize("platform", ["instagram", "threads", "x", "tiktok", "linkedin"])
def test_two_exports_are_not_the_parts_of_one(platform: str, tmp_path: Path) -> None:
    """Their union would be nobody's list, whatever the files are called."""
    places = []
    for number in (1, 2):
        (made,) = write_export(make_life(number, 40), platform, tmp_path / str(number))
        places.append(str(made.rename(tmp_path / f"{number}.zip")))
    for place in places:
        assert load_parts(f"{place}; {place}").follows.equals(load_dataset(place).follows)
    for read in (load_parts, check_is_export):
        with pytest.raises(InputError, match="comes 2 times and differs"):
            read("; ".join(places))


def test_two_platforms_are_not_the_parts_of_one_export(tmp_path: Path) -> None:
    life = make_life(5, 40)
    for platform in ("instagram", "tiktok"):
        write_export(life, platform, tmp_path)
    with pytest.raises(InputError, match="exports of Instagram, TikTok lie together"):
        load_dataset(tmp_path)
    (threads,) = write_export(life, "threads", tmp_path / "a", packing="folder")
    (whole,) = write_export(life, "instagram", tmp_path / "b", packing="folder")
    next(threads.rglob("personal_information.json")).unlink()
    both = load_parts(f"{threads}; {whole}")
    assert both.about["export"]["platform"] == "instagram"


def test_a_folder_of_downloads_says_to_give_the_zip(tmp_path: Path) -> None:
    path = write_lists(tmp_path, ["bo"], ["bo"], "2026-01-01")
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    assert len(load_dataset(tmp_path).follows) == 2
    (tmp_path / "letter.txt").write_text("hello", encoding="utf-8")
    for read in (load_dataset, load_parts, check_is_export):
        with pytest.raises(InputError, match="give the zip itself"):
            read(str(tmp_path))
    assert len(load_dataset(path).follows) == 2


def test_parts_for_a_notebook_that_reads_one_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [write_lists(tmp_path, ["bo"], ["bo"], f"2026-01-0{day}") for day in (1, 2)]
    words = [word for path in paths for word in ("--export", str(path))]
    assert main(["report", "latency", *words]) == 2
    assert "latency reads one place and got 2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["snapshots"], "a command is missing. See followkit snapshots --help."),
        (["inspect"], "See followkit inspect --help."),
        (["reprot"], "Did you mean 'report'? See followkit --help."),
    ],
)
def test_usage_errors_name_their_help(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert says in capsys.readouterr().err


def test_one_command_from_zip_to_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_lists(tmp_path, ["bo", "cy"], ["bo", "cy", "di"], "2026-01-01")
    out = tmp_path / "My page (ü)"
    assert main(["report", "--export", str(path), "--out", str(out)]) == 0
    page = (out / "My-page.html").read_text(encoding="utf-8")
    assert "bo" in page
    assert "people you followed first" in capsys.readouterr().out


def test_other_reports_on_an_export_do_not_name_its_owner(tmp_path: Path) -> None:
    """The name of the zip holds the owner's handle."""
    life = make_life(7, 60)
    (path,) = write_export(life, "instagram", tmp_path / life.ego.handle, faults=["date_cut"])
    out = tmp_path / "page"
    assert main(["report", "latency", "--data", str(path), "--out", str(out)]) == 0
    files = [one.read_text(encoding="utf-8") for one in out.rglob("*") if one.is_file()]
    assert len(files) > 3
    assert not [text for text in files if life.ego.handle.lower() in text.lower()]
    assert any("The lists of this export cannot be trusted" in text for text in files)
