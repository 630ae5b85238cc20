"""Batches and reports that are killed, and two processes that want to write the same one."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from followkit.batch import JOURNAL, run_batch
from followkit.errors import ReportError
from followkit.kernels import can_fork
from followkit.locks import LOCK, hold
from followkit.report import render_report
from followkit.sweeps import Run, Sweep

ROOT = Path(__file__).parents[1]
STOPS = ROOT / "tests" / "notebooks" / "stops.ipynb"

needs_fork = pytest.mark.skipif(not can_fork(), reason="this system cannot copy a process")


@pytest.fixture(autouse=True)
def epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != JOURNAL
    }


RUN = """
import sys
from pathlib import Path
from followkit.batch import run_batch
from followkit.sweeps import Run, Sweep
names = ["a", "b", "c", "d"]
runs = tuple(Run(n, Path(sys.argv[2]), {"limit": k}) for k, n in enumerate(names))
run_batch(Sweep(runs, Path(sys.argv[1])), workers=2)
"""


def start_batch(out: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", RUN, str(out), str(STOPS)], cwd=ROOT)


def list_children(process: int) -> list[Any]:
    import psutil

    return psutil.Process(process).children(recursive=True)


@needs_fork
def test_kill_9_leaves_no_half_report_and_the_rerun_is_as_if_unbroken(tmp_path: Path) -> None:
    """Killed five times on the way, each time a little later."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert start_batch(whole).wait() == 0
    orphans = []
    for done in range(-1, 4):
        process = start_batch(broken)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            journal = broken / JOURNAL
            lines = journal.read_text().count("\n") if journal.is_file() else -1
            if lines > done:
                break
            time.sleep(0.01)
        orphans += list_children(process.pid) if process.poll() is None else []
        process.send_signal(signal.SIGKILL)
        process.wait()
        for page in broken.glob("*/*.html"):
            assert page.read_bytes() == (whole / page.relative_to(broken)).read_bytes()
    assert start_batch(broken).wait() == 0
    assert files_of(broken) == files_of(whole)
    # Nothing that a killed batch started lives on.
    deadline = time.monotonic() + 20
    while any(one.is_running() for one in orphans) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not any(one.is_running() for one in orphans)


# ------------------------------------------------------------------------------------ two at a time


HOLD = """
import sys, time
from pathlib import Path
from followkit.locks import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_of_two_writers_is_told_so_and_a_dead_one_is_taken_over(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(ReportError, match=f"process {holder.pid} is writing this report"):
        render_report(STOPS, folder / "one.html")
    with pytest.raises(ReportError, match=f"process {holder.pid}"):
        run_batch(Sweep((Run("one", STOPS, {}),), folder))
    holder.kill()
    holder.wait()
    holder.stdout.close()
    render_report(STOPS, folder / "one.html")
    assert not (folder / LOCK).exists()


def test_a_lock_that_says_nothing_stays(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text("?")
    with pytest.raises(ReportError, match="process unknown"), hold(tmp_path):
        pass
    assert (tmp_path / LOCK).read_text() == "?"
