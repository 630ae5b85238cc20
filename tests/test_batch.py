"""Batches: shared work, what is kept and what is made again, failures, kills, and equal bytes."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from followkit import batch
from followkit.batch import JOURNAL, Outcome, run_batch
from followkit.cli import main
from followkit.errors import ReportError
from followkit.index import write_index
from followkit.kernels import ForkServer, can_fork
from followkit.report import render_report
from followkit.simulate import make_town, write_dataset
from followkit.sweeps import Run, Sweep

ROOT = Path(__file__).parents[1]
STOPS = ROOT / "tests" / "notebooks" / "stops.ipynb"
QUICK = STOPS.with_name("quick.ipynb")

needs_fork = pytest.mark.skipif(not can_fork(), reason="this system cannot copy a process")


@pytest.fixture(autouse=True)
def epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")


@pytest.fixture
def fresh_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start every kernel anew: quicker for a few reports that compute nothing."""
    monkeypatch.setattr(batch, "can_fork", lambda: False)


def sweep_of(out: Path, **reports: dict[str, Any]) -> Sweep:
    return Sweep(tuple(Run(name, STOPS, values) for name, values in reports.items()), out)


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != JOURNAL
    }


def statuses(outcomes: list[Outcome]) -> dict[str, str]:
    return {one.name: one.status for one in outcomes}


@pytest.fixture(scope="module")
def small_town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "town"
    write_dataset(make_town(220, seed=1, weeks=14, follows_per_account=12), folder)
    return folder


# ------------------------------------------------------------------------------- what is made again


@pytest.mark.usefixtures("fresh_kernels")
def test_what_is_there_is_kept_and_what_changed_is_made_again(tmp_path: Path) -> None:
    reports = {"one": {"limit": 1}, "two": {"limit": 2}}
    first = run_batch(sweep_of(tmp_path, **reports), workers=2)
    assert statuses(first) == {"one": "done", "two": "done"}
    before = files_of(tmp_path)
    second = run_batch(sweep_of(tmp_path, **reports), workers=2)
    assert statuses(second) == {"one": "kept", "two": "kept"}
    reports["two"] = {"limit": 3}
    third = run_batch(sweep_of(tmp_path, **reports), workers=2)
    assert statuses(third) == {"one": "kept", "two": "done"}
    after = files_of(tmp_path)
    assert {name for name in before if before[name] != after[name]} == {
        "two/two.html", "two/two.code.html", "two/summary.json",
    }  # fmt: skip
    # A page that somebody changed is not what was made.
    (tmp_path / "one" / "one.html").write_text("changed")
    (tmp_path / "two" / "summary.json").unlink()
    fourth = run_batch(sweep_of(tmp_path, **reports), workers=2)
    assert statuses(fourth) == {"one": "done", "two": "done"}
    assert files_of(tmp_path) == after


def test_a_report_depends_on_its_data_its_notebook_and_the_software(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, notebook = tmp_path / "data", tmp_path / "a.ipynb"
    data.mkdir()
    (data / "follows.csv").write_text("a")
    notebook.write_text("{}")
    runs = [Run("a", notebook, {"data": "data"}), Run("b", notebook, {"data": "elsewhere"})]

    def keys() -> dict[str, str]:
        return batch._make_keys(runs, tmp_path)

    first = keys()
    assert keys() == first
    (data / "follows.csv").write_text("b")
    second = keys()
    assert second["a"] != first["a"]
    assert second["b"] == first["b"]
    (data / "follows.csv").rename(data / "posts.csv")
    assert keys()["a"] != second["a"]
    notebook.write_text("{ }")
    assert keys()["b"] != first["b"]
    third = keys()
    monkeypatch.setattr(batch, "_hash_software", lambda: "another version")
    assert keys()["b"] != third["b"]


@pytest.mark.usefixtures("fresh_kernels")
def test_a_torn_journal_line_is_passed_over(tmp_path: Path) -> None:
    run_batch(sweep_of(tmp_path, one={}), workers=1)
    with (tmp_path / JOURNAL).open("a") as stream:
        stream.write('{"name": "one", "sta')
    assert statuses(run_batch(sweep_of(tmp_path, one={}), workers=1)) == {"one": "kept"}
    run_batch(sweep_of(tmp_path, one={}, two={}), workers=1)
    entries = [line for line in (tmp_path / JOURNAL).read_text().splitlines() if "two" in line]
    assert json.loads(entries[-1])["status"] == "done"


# ---------------------------------------------------------------------------------------- failures


@pytest.mark.usefixtures("fresh_kernels")
def test_failures_are_collected_and_the_rest_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sweep.toml").write_text(
        f'notebook = "{STOPS.as_posix()}"\nout = "made"\n[grid]\n'
        'how = ["completes", "raises", "dies", "cannot fit"]\n'
    )
    assert main(["batch", "sweep.toml", "--workers", "2"]) == 1
    said = capsys.readouterr()
    assert "1 made, 0 kept, 3 failed" in said.out
    assert "3 of 4 reports could not be made" in said.err
    assert "ValueError: no such column" in said.err
    assert "repeat with: followkit report stops -p how raises" in said.err
    assert sorted(path.name for path in Path("made").iterdir() if path.is_dir()) == [
        "how-completes"
    ]
    page = Path("made", "index.html").read_text()
    assert "3 reports could not be made" in page
    assert "Nobody followed back (n = 12)" in page
    # Failed reports are tried again, and nothing else.
    assert main(["batch", "sweep.toml", "--workers", "2"]) == 1
    assert "0 made, 1 kept, 3 failed" in capsys.readouterr().out


@pytest.mark.usefixtures("fresh_kernels")
@pytest.mark.parametrize("is_full_for", [1, 100])
def test_a_full_disk_leaves_no_half_report(
    is_full_for: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Full for a moment: one report fails. Full from then on: the batch stops and says why."""
    reports = {"one": {"limit": 1}, "two": {"limit": 2}}
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run_batch(sweep_of(whole, **reports), workers=1)
    sync, calls = os.fsync, []

    def full(handle: int) -> None:
        calls.append(handle)
        # Three files of the first report are flushed, then its line of the journal.
        if 5 <= len(calls) < 5 + is_full_for:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(handle)

    monkeypatch.setattr(os, "fsync", full)
    if is_full_for == 1:
        outcomes = run_batch(sweep_of(broken, **reports), workers=1)
        assert statuses(outcomes) == {"one": "done", "two": "failed"}
        assert "No space left" in outcomes[1].cause
    else:
        with pytest.raises(ReportError, match="journal could not be written: No space left"):
            run_batch(sweep_of(broken, **reports), workers=1)
    assert not (broken / "two").exists()
    monkeypatch.setattr(os, "fsync", sync)
    assert statuses(run_batch(sweep_of(broken, **reports), workers=1)) == {
        "one": "kept", "two": "done",
    }  # fmt: skip
    assert files_of(broken) == files_of(whole)


# ----------------------------------------------------------------------------------- forked kernels


@needs_fork
@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"how": "dies"}, "Python stopped in the middle"),
        ({"how": "exits"}, "it left the notebook early"),
        ({"how": "hangs"}, "took too long"),
        ({"how": "is bad input"}, "follower_id must not be empty"),
    ],
)
def test_forked_kernels_fail_like_others(
    tmp_path: Path, values: dict[str, Any], says: str, warm: ForkServer
) -> None:
    page = tmp_path / "a" / "a.html"
    with pytest.raises(ReportError, match=says):
        render_report(STOPS, page, values, server=warm, timeout=6)
    assert not page.parent.exists()


@pytest.fixture(scope="module")
def warm() -> Any:
    with ForkServer(ROOT) as server:
        yield server


@needs_fork
def test_a_server_that_is_gone_says_so(tmp_path: Path) -> None:
    server = ForkServer(ROOT)
    server.close()
    with pytest.raises(ReportError, match="stopped, perhaps out of memory"):
        render_report(STOPS, tmp_path / "a.html", server=server)


@needs_fork
def test_a_group_whose_process_dies_goes_on_in_the_plain_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[ForkServer] = []

    def die(work: Any, group: Any, first: Run) -> None:
        made.append(group.server)
        group.server.close()

    monkeypatch.setattr(batch._Work, "_compute_shared", die)
    outcomes = run_batch(sweep_of(tmp_path, one={"title": "a"}, two={"title": "b"}), workers=1)
    assert [server.is_running for server in made] == [False], "one group, its process gone"
    assert statuses(outcomes) == {"one": "done", "two": "done"}, [one.cause for one in outcomes]


@needs_fork
def test_shared_work_changes_no_byte(tmp_path: Path, small_town: Path) -> None:
    """Two segments and one account in a batch, each again alone in a kernel of its own."""
    light = {
        "whole": {}, "firms": {"segment": "decider.is_business=true"}, "one": {"initiator": "3"},
    }  # fmt: skip
    shared = {"data": str(small_town)}
    runs = tuple(Run(name, QUICK, shared | values) for name, values in light.items())
    outcomes = run_batch(Sweep(runs, tmp_path / "batch"), workers=2)
    assert statuses(outcomes) == dict.fromkeys(light, "done"), [one.cause for one in outcomes]
    for run, outcome in zip(runs, outcomes, strict=True):
        page = tmp_path / "alone" / run.name / f"{run.name}.html"
        render_report(run.notebook, page, run.parameters, command=outcome.command)
    assert files_of(tmp_path / "batch") == files_of(tmp_path / "alone")


def test_reports_that_differ_lightly_share_a_group() -> None:
    runs = [
        Run("a", STOPS, {"data": "x", "segment": "1"}), Run("b", STOPS, {"data": "y"}),
        Run("c", STOPS, {"data": "x", "title": "t"}),
    ]  # fmt: skip
    groups = batch._group(runs)
    assert [[run.name for run in group.left] for group in groups] == [["a", "c"], ["b"]]
    assert [group.is_shared for group in groups] == [True, False]


# --------------------------------------------------------------------------------------- their list


@pytest.mark.usefixtures("fresh_kernels")
def test_the_list_of_a_batch_is_there_as_table_and_data(tmp_path: Path) -> None:
    run_batch(sweep_of(tmp_path, one={"title": "=1+1"}, two={}), workers=2)
    first = write_index(tmp_path).read_bytes()
    rows = json.loads((tmp_path / "summaries.json").read_text())
    assert [row["name"] for row in rows] == ["one", "two"]
    assert rows[0]["title"] == "=1+1"
    lines = (tmp_path / "summaries.csv").read_text().splitlines()
    assert lines[1].startswith("one,'=1+1,")
    assert write_index(tmp_path).read_bytes() == first
