"""A hundred reports in a batch beside bare papermill and nbconvert in a loop, and one kernel start.

Writes reports/studies/batch.md and batch.csv. `python bench/bench_batch.py [reports] [bare]` makes
so many reports in the batch, and so many one after the other; the loop's time a report is what
counts, since its reports cost alike. Two cases: parts of one data set, which share data and
features, and data sets of their own, which share nothing but the warm process.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from followkit.batch import run_batch
from followkit.simulate import make_town, write_dataset
from followkit.sweeps import Run, Sweep

ROOT = Path(__file__).resolve().parents[1]
STUDIES = ROOT / "reports" / "studies"
NOTEBOOK = ROOT / "notebooks" / "report" / "follow_back.ipynb"
WORKERS = 2

BARE = """
import sys
import papermill
from nbconvert import HTMLExporter
book = papermill.execute_notebook(sys.argv[1], None, dict(zip(sys.argv[3::2], sys.argv[4::2])),
                                  kernel_name="python3", progress_bar=False)
page, _ = HTMLExporter(exclude_input=True).from_notebook_node(book)
open(sys.argv[2], "w").write(page)
"""
KERNEL = """
import papermill, nbformat
book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
book.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "Python 3"}
nbformat.write(book, "empty.ipynb")
papermill.execute_notebook("empty.ipynb", None, kernel_name="python3", progress_bar=False)
"""


def main(reports: int, bare: int) -> None:
    """Time both cases and write the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [
            time_case("parts of one data set", make_parts(folder, reports), bare, folder),
            time_case("data sets of their own", make_own(folder, reports), bare, folder),
        ]
        start = time_kernel(folder)
    table = pd.DataFrame(rows)
    table["kernel_start"] = start
    table.to_csv(STUDIES / "batch.csv", index=False, float_format="%.4g", lineterminator="\n")
    (STUDIES / "batch.md").write_text("\n".join(describe(table)) + "\n", encoding="utf-8")
    print("\n".join(describe(table)))


def make_parts(folder: Path, reports: int) -> list[Run]:
    """Return a report for each of the busiest initiators of one town."""
    town = make_town(400, seed=1, weeks=16, follows_per_account=14.0)
    write_dataset(town, folder / "town")
    busy = town.follows["follower_id"].value_counts().index[:reports]
    shared = {"data": str(folder / "town"), "with_mutuality": False}
    return [Run(f"account-{one}", NOTEBOOK, {**shared, "initiator": str(one)}) for one in busy]


def make_own(folder: Path, reports: int) -> list[Run]:
    """Return a report for each of as many small towns."""
    runs = []
    for seed in range(reports):
        path = folder / f"town-{seed}"
        write_dataset(make_town(150, seed=seed, weeks=12, follows_per_account=10.0), path)
        runs.append(Run(f"town-{seed}", NOTEBOOK, {"data": str(path), "with_mutuality": False}))
    return runs


def time_case(case: str, runs: Sequence[Run], bare: int, folder: Path) -> dict[str, object]:
    """Time the loop over some reports and the batch of all."""
    begun = time.monotonic()
    for run in runs[:bare]:
        words = [str(word) for item in run.parameters.items() for word in item]
        subprocess.run(
            [sys.executable, "-c", BARE, str(run.notebook), str(folder / "bare.html"), *words],
            check=True, cwd=folder, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    loop = (time.monotonic() - begun) / bare
    begun = time.monotonic()
    outcomes = run_batch(Sweep(tuple(runs), folder / f"batch-{len(runs)}-{case[:4]}"),
                         workers=WORKERS)  # fmt: skip
    total = time.monotonic() - begun
    failed = [one for one in outcomes if one.status != "done"]
    for one in failed:
        print(f"{one.name}: {one.cause}", file=sys.stderr)
    return {"case": case, "reports": len(runs), "failed": len(failed), "batch_total": total,
            "batch_report": total / len(runs), "bare_reports": bare, "bare_report": loop,
            "ratio": loop * len(runs) / total}  # fmt: skip


def time_kernel(folder: Path) -> float:
    """Return the seconds of papermill on an empty notebook in a process of its own, median of 3."""
    times = []
    for _ in range(3):
        begun = time.monotonic()
        subprocess.run([sys.executable, "-c", KERNEL], check=True, cwd=folder,
                       stderr=subprocess.DEVNULL)  # fmt: skip
        times.append(time.monotonic() - begun)
    return sorted(times)[1]


def describe(table: pd.DataFrame) -> list[str]:
    """Return the figures as lines of Markdown."""
    lines = [
        "# A batch of reports beside bare papermill",
        "",
        "Written by `python bench/bench_batch.py`. Wall seconds on one machine in one run; ratios "
        "are what travels. Bare: papermill and nbconvert's HTML, one process a report, one after "
        f"the other. Batch: `followkit batch` with {WORKERS} workers, pages, code pages, JSON and "
        "CSV included. Kernel start: papermill on a notebook with one cell that says `1`.",
        "",
        "| case | reports | batch, total | batch, a report | bare, a report (of) | bare over batch "
        "| kernel start |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row.case} | {row.reports} ({row.failed} failed) | {row.batch_total:.0f} | "
        f"{row.batch_report:.2f} | {row.bare_report:.2f} ({row.bare_reports}) | {row.ratio:.1f} | "
        f"{row.kernel_start:.2f} |"
        for row in table.itertuples()
    ]
    return [*lines, "", f"{platform.python_version()}, {os.cpu_count()} cores."]


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:] or ("100", "5")))
