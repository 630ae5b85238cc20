"""Shared neighbours of a million-tie graph: compiled kernel, NumPy twin and a SciPy product.

Writes reports/studies/graph_kernels.md and .csv. Times are medians of three runs in this process;
ratios are what travels between machines.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from followkit.graph import FollowGraph, _count_lookups, count_shared, make_graph

STUDIES = Path(__file__).resolve().parents[1] / "reports" / "studies"
TIES, ACCOUNTS, RUNS = 1_000_000, 60_000, 3


def make_heavy(seed: int = 1) -> FollowGraph:
    """Return a heavy-tailed graph in which two fifths of the ties are answered."""
    rng = np.random.default_rng(seed)
    share = np.arange(1, ACCOUNTS + 1) ** -0.6
    first = int(TIES / 1.4)
    source, target = (rng.choice(ACCOUNTS, first, p=share / share.sum()) for _ in range(2))
    back = rng.random(first) < 0.4
    ends = np.r_[source, target[back]], np.r_[target, source[back]]
    graph = make_graph(*ends, start=rng.integers(0, 10**12, len(ends[0])))
    _ = graph.neighbours  # made once, whoever asks
    return graph


def product(graph: FollowGraph) -> np.ndarray:
    """Return common followees of every tie by one row-wise product of the adjacency with itself."""
    size = graph.node_count
    ones = np.ones(len(graph.source), dtype=np.int64)
    ties = sparse.csr_array((ones, (graph.source, graph.target)), shape=(size, size))
    counts = np.zeros(len(graph.source), dtype=np.int64)
    for start in range(0, len(counts), 50_000):
        part = slice(start, start + 50_000)
        both = ties[graph.source[part]].multiply(ties[graph.target[part]])
        counts[part] = both.sum(axis=1)
    return counts


def median_seconds(run: Callable[[], object]) -> float:
    """Return the median wall time of three runs after a warm-up."""
    run()
    times = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        run()
        times.append(time.perf_counter() - begun)
    return float(np.median(times))


def main() -> None:
    """Time every engine on the same ties and write the table."""
    graph = make_heavy()
    pairs = graph.source, graph.target
    engines: dict[str, tuple[Callable[[], object], str]] = {
        "numba, four kinds + Adamic-Adar": (
            lambda: count_shared(graph, *pairs, engine="numba"),
            "",
        ),
        "NumPy twin, the same": (lambda: count_shared(graph, *pairs, engine="numpy"), ""),
        "numba, as of t": (lambda: count_shared(graph, *pairs, graph.start, engine="numba"), ""),
        "NumPy twin, as of t": (
            lambda: count_shared(graph, *pairs, graph.start, engine="numpy"),
            "",
        ),
        "SciPy row products, common followees only": (lambda: product(graph), ""),
    }
    one = count_shared(graph, *pairs, engine="numba")
    two = count_shared(graph, *pairs, engine="numpy")
    assert one.common_followees.sum() == two.common_followees.sum() == product(graph).sum()
    rows = [(name, median_seconds(run)) for name, (run, _) in engines.items()]
    table = pd.DataFrame(rows, columns=["work", "seconds"])
    table["ns_per_tie"] = table["seconds"] / len(graph.source) * 1e9
    table["ratio_to_numba"] = table["seconds"] / table["seconds"].iloc[0]
    lookups = int(_count_lookups(graph.neighbours, *pairs).sum())
    load = load_seconds("numba") - load_seconds("numpy")
    speeds = lookups / table["seconds"].iloc[[1, 3]].to_numpy()
    STUDIES.mkdir(parents=True, exist_ok=True)
    table.to_csv(
        STUDIES / "graph_kernels.csv", index=False, float_format="%.3f", lineterminator="\n"
    )
    (STUDIES / "graph_kernels.md").write_text(
        describe(table, graph, load, speeds), encoding="utf-8"
    )
    print(table.to_string(index=False))


def load_seconds(engine: str) -> float:
    """Return the seconds a new process takes for one pair: for numba, to load the cached kernel."""
    code = (
        "import time; from followkit.graph import count_shared, make_graph; import numpy as np;"
        "g = make_graph([0, 1], [1, 2]); begun = time.perf_counter();"
        f"count_shared(g, np.array([0]), np.array([2]), engine='{engine}');"
        "print(time.perf_counter() - begun)"
    )
    runs = [
        float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout)
        for _ in range(RUNS)
    ]
    return float(np.median(runs))


def describe(table: pd.DataFrame, graph: FollowGraph, load: float, speeds: np.ndarray) -> str:
    """Return the page."""
    rows = [f"| {row.work} | {row.seconds:.2f} | {row.ns_per_tie:,.0f} | {row.ratio_to_numba:.1f} |"
            for row in table.itertuples()]  # fmt: skip
    return "\n".join(
        [
            "# Shared neighbours",
            "",
            f"Written by `make bench`: {len(graph.source):,} ties of {graph.node_count:,} accounts "
            f"(heavy-tailed, two fifths answered), every tie a pair; equal sums asserted. Python "
            f"{platform.python_version()}, NumPy {np.__version__}, {os.cpu_count()} cores.",
            "",
            "| work | seconds | ns a tie | ratio |",
            "|---|---:|---:|---:|",
            *rows,
            "",
            f"Loading the cached kernel takes {load:.1f} s. NumPy does "
            f"{speeds[0] / 1e6:.1f} million neighbour lookups a second, "
            f"{speeds[1] / 1e6:.1f} million as of t: they meet at "
            f"{load * speeds[0] / 1e6:.0f} and {load * speeds[1] / 1e6:.0f} million lookups.",
            "",
        ]
    )


if __name__ == "__main__":
    main()
