"""Degrees, as-of degrees, shared neighbours and PageRank at scale, beside their best peers.

    python bench/bench_pairs.py [--ties 1000000 10000000 30000000] [--tail 0.6]

`BENCH=big` adds 100 million. Peers (bench/peers.txt) that are not installed are left out. All work
on the same follows in one process with the same number of threads, and equal sums are asserted.
Writes reports/studies/pairs.md and .csv. Ratios are what travels between machines.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numba
import numpy as np
import pandas as pd

from followkit.scale.codes import encode_follows
from followkit.scale.csr import PairGraph, load_pair_graph, make_pair_graph, rank_moments
from followkit.scale.folds import folds_of_ties, make_pair_folds
from followkit.scale.page_rank import rank_pages
from followkit.scale.pairs import (
    count_degrees_asof,
    count_shared,
    count_shared_of_ties,
    count_tie_degrees,
    find_mutual,
)

#: Above this many follows, peers and ways that are known to be slow are left out.
SLOW_TO = 2_000_000
STUDIES = Path(__file__).resolve().parents[1] / "reports" / "studies"
THREADS = min(os.cpu_count() or 1, 2)
ACCOUNT_TIES = 17
CLOSURE, ANSWERED = 0.3, 0.4
#: What was tried while the kernels were written, by processor time on one thread at 1 M follows.
LESSONS = (
    "",
    "## What paid and what did not",
    "",
    "Paid: rows that hold the neighbours of smaller code only, with codes by degree (the look-ups "
    "above); every triangle told to its three pairs at once, so that both directions, all kinds and"
    " all folds share a pass; copying the small functions into the kernels (passing a dozen arrays "
    "cost more than the work: as-of counts took 620 ns a follow, then 480, tail 0.75); a table of "
    "2^k ranks for degrees as of a moment, and rows in blocks that fit the cache (together 480 to "
    "about 260); sorting moments with their rows instead of through them; cutting as-of degrees by "
    "time, not by account (no branch to guess wrong).",
    "",
    "Did not pay: walking the marked row's neighbours from the other side (three times the "
    "look-ups, and slower at 10 M); searching by halves where one row is sixteen times the other "
    "(rows ordered by degree are short: the longest of 1 M follows holds 36 accounts, of codes in "
    "any order 4,308). Bitmaps of hubs were not tried, for the same reason.",
)
Follows = tuple[int, np.ndarray, np.ndarray, np.ndarray]


def make_follows(ties: int, tail: float, seed: int = 1) -> Follows:
    """Return about so many heavy-tailed follows; codes by degree, sorted.

    Both ends are drawn in proportion to rank^−tail, three tenths close a path of two, two fifths
    are answered, moments are drawn evenly.
    """
    size, rng = max(ties // ACCOUNT_TIES, 50), np.random.default_rng(seed)
    share = np.cumsum(np.arange(1, size + 1) ** -tail)
    first = int(ties / (1 + ANSWERED) * (1 - CLOSURE) * 1.03)
    source, target = (np.searchsorted(share, rng.random(first) * share[-1]) for _ in range(2))
    order = np.argsort(source, kind="stable")
    source, target = source[order].astype(np.int32), target[order].astype(np.int32)
    begin = np.searchsorted(source, np.arange(size + 1))
    tie = rng.integers(0, first, int(ties / (1 + ANSWERED) * CLOSURE * 1.08))
    count = np.diff(begin)[target[tie]]
    tie, count = tie[count > 0], count[count > 0]
    end = target[begin[target[tie]] + (rng.random(len(tie)) * count).astype(np.int64)]
    source, target = np.r_[source, source[tie]], np.r_[target, end]
    back = rng.random(len(source)) < ANSWERED
    source, target = np.r_[source, target[back]], np.r_[target, source[back]]
    key = np.unique(source[source != target].astype(np.int64) * size + target[source != target])
    source, target = key // size, key % size
    degree = np.bincount(source, minlength=size) + np.bincount(target, minlength=size)
    place = np.empty(size, np.int64)
    place[np.argsort(-degree, kind="stable")] = np.arange(size)
    key = np.sort(place[source] * size + place[target])
    at = rng.integers(1_600_000_000_000_000, 1_700_000_000_000_000, len(key))
    return size, (key // size).astype(np.int32), (key % size).astype(np.int32), at


def seconds_of(run: Callable[[], Any], runs: int) -> tuple[float, Any]:
    """Return the least wall time of some runs, and what the last one returned."""
    best, result = np.inf, None
    for _ in range(runs):
        result = None
        begun = time.perf_counter()
        result = run()
        best = min(best, time.perf_counter() - begun)
    return best, result


class Table:
    """Rows of the study; every peer's sum is held against followkit's."""

    def __init__(self, ties: int, runs: int) -> None:
        self.ties, self.runs, self.rows = ties, runs, []
        self.sums: dict[str, Any] = {}

    def add(self, step: str, engine: str, run: Callable[[], Any], total: Any = None) -> Any:
        """Time a run; `total` makes the sums that must agree within a step."""
        is_ours = engine.startswith("followkit")
        seconds, result = seconds_of(run, self.runs if is_ours else max(self.runs - 2, 1))
        if total is not None:
            found = np.asarray(total(result), dtype=np.float64)
            known = self.sums.setdefault(step, found)
            assert np.allclose(found, known, rtol=1e-9), (step, engine, found, known)
        ours = next((row["seconds"] for row in self.rows if row["step"] == step), seconds)
        self.rows.append(
            {"ties": self.ties, "step": step, "engine": engine, "seconds": seconds,
             "ns_per_tie": seconds / self.ties * 1e9, "ratio": seconds / ours}
        )  # fmt: skip
        # Where the run is cut short, this is what is left of it.
        print(f"{self.ties:>12,} {step:<44} {engine:<34} {seconds:9.3f} s "
              f"{seconds / self.ties * 1e9:8.1f} ns {seconds / ours:6.2f}", flush=True)  # fmt: skip
        return result


def has(*names: str) -> bool:
    """Return whether peers are installed."""
    return all(find_spec(name) for name in names)


def degree_sums(result: Any) -> list[float]:
    """Return the sums of mutual ties and of the four degrees."""
    mutual, degrees = result
    return [mutual.sum(), *(np.sum(column, dtype=np.int64) for column in vars(degrees).values())]


def bench_degrees(table: Table, follows: Follows) -> None:
    """Reciprocity and leak-free degrees of every tie, from the edge list."""
    size, source, target, _ = follows
    step = "reciprocity + leak-free degrees"

    def ours() -> Any:
        graph = make_pair_graph(source, target, node_count=size, threads=THREADS)
        return find_mutual(graph), count_tie_degrees(graph)

    table.add(step, "followkit (graph built too)", ours, degree_sums)
    if has("polars"):
        table.add(step, "polars", lambda: degrees_polars(source, target), list)
    if has("duckdb"):
        table.add(step, "DuckDB", lambda: degrees_duckdb(source, target), list)


def degrees_polars(source: np.ndarray, target: np.ndarray) -> list[int]:
    """Return the sums of `degree_sums` by joins and groups."""
    import polars as pl

    ties = pl.DataFrame({"s": source, "t": target}).lazy()
    out = ties.group_by("s").agg(pl.len().cast(pl.Int32).alias("out")).rename({"s": "v"})
    into = ties.group_by("t").agg(pl.len().cast(pl.Int32).alias("into")).rename({"t": "v"})
    node = out.join(into, on="v", how="full", coalesce=True).fill_null(0)
    back = ties.select(pl.col("t").alias("s"), pl.col("s").alias("t"), m=pl.lit(1, pl.Int32))
    made = (
        ties.join(back, on=["s", "t"], how="left")
        .with_columns(pl.col("m").fill_null(0))
        .join(node.rename({"out": "so", "into": "si"}), left_on="s", right_on="v")
        .join(node.rename({"out": "to", "into": "ti"}), left_on="t", right_on="v")
        .select("m", a=pl.col("so") - 1, b=pl.col("si") - pl.col("m"),
                c=pl.col("to") - pl.col("m"), d=pl.col("ti") - 1)
    ).collect()  # fmt: skip
    return [int(made[name].cast(pl.Int64).sum()) for name in "mabcd"]


def degrees_duckdb(source: np.ndarray, target: np.ndarray) -> list[int]:
    """Return the sums of `degree_sums` by SQL, the rows materialised first as the others do."""
    import duckdb

    with duckdb.connect(config={"threads": THREADS}) as database:
        database.register("given", {"s": source, "t": target})
        database.execute("CREATE TABLE tie AS FROM given")
        database.execute(
            "CREATE TABLE made AS WITH o AS (SELECT s AS v, count(*)::INTEGER AS n FROM tie GROUP "
            "BY s), i AS (SELECT t AS v, count(*)::INTEGER AS n FROM tie GROUP BY t), node AS "
            "(SELECT v, coalesce(o.n, 0) AS o, coalesce(i.n, 0) AS i FROM o FULL JOIN i USING (v)) "
            "SELECT (r.s IS NOT NULL)::INTEGER AS m, a.o - 1 AS ao, a.i - m AS ai, b.o - m AS bo, "
            "b.i - 1 AS bi FROM tie LEFT JOIN tie r ON r.s = tie.t AND r.t = tie.s "
            "JOIN node a ON a.v = tie.s JOIN node b ON b.v = tie.t"
        )
        sums = "SELECT sum(m), sum(ao), sum(ai), sum(bo), sum(bi) FROM made"
        return list(database.execute(sums).fetchone())


def bench_degrees_asof(table: Table, follows: Follows, graph: PairGraph) -> None:
    """Four degrees of every tie strictly before its moment, from the edge list."""
    _, source, target, at = follows
    step = "as-of degrees"

    def ours() -> Any:
        rank_moments(at, threads=THREADS)
        return count_degrees_asof(graph, threads=THREADS)

    def total(result: Any) -> list[float]:
        sums = [np.sum(column, dtype=np.int64) for column in vars(result).values()]
        return [sums[0] + sums[2], sums[1] + sums[3]]

    table.add(step, "followkit (time order made too)", ours, total)
    if has("polars"):
        table.add(step, "polars", lambda: asof_polars(source, target, at), list)
    if has("duckdb"):
        table.add(step, "DuckDB", lambda: asof_duckdb(source, target, at), list)


def asof_polars(source: np.ndarray, target: np.ndarray, at: np.ndarray) -> list[int]:
    """Return sums of followees and followers before each moment, over both ends of every tie."""
    import polars as pl

    ties = pl.DataFrame({"s": source, "t": target, "at": at}).lazy()
    one, zero = pl.lit(1, pl.Int32), pl.lit(0, pl.Int32)
    events = pl.concat(
        [ties.select(pl.col("s").alias("v"), "at", o=one, i=zero),
         ties.select(pl.col("t").alias("v"), "at", o=zero, i=one)]
    )  # fmt: skip
    # Moments of one account that are equal are one row, so that they do not see each other.
    made = (
        events.sort("v", "at")
        .group_by("v", "at", maintain_order=True)
        .agg(pl.col("o", "i").sum())
        .with_columns((pl.col(name).cum_sum().over("v") - pl.col(name)).alias(f"{name}_before")
                      for name in ("o", "i"))
        .select("v", "at", "o_before", "i_before")
    )  # fmt: skip
    found = events.select("v", "at").join(made, on=["v", "at"], how="left").collect()
    return [int(found[name].cast(pl.Int64).sum()) for name in ("o_before", "i_before")]


def asof_duckdb(source: np.ndarray, target: np.ndarray, at: np.ndarray) -> list[int]:
    """Return the sums of `asof_polars` by a window over events."""
    import duckdb

    with duckdb.connect(config={"threads": THREADS}) as database:
        database.register("given", {"s": source, "t": target, "m": at})
        database.execute("CREATE TABLE tie AS FROM given")
        database.execute(
            "CREATE TABLE made AS SELECT v, m, coalesce(sum(o) OVER w, 0) AS o, "
            "coalesce(sum(i) OVER w, 0) AS i FROM (SELECT s AS v, m, 1 AS o, 0 AS i FROM tie UNION"
            " ALL SELECT t, m, 0, 1 FROM tie) WINDOW w AS (PARTITION BY v ORDER BY m RANGE "
            "BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
        )
        return list(database.execute("SELECT sum(o), sum(i) FROM made").fetchone())


def shared_sums(result: Any) -> list[float]:
    """Return the sums of the four kinds and of Adamic–Adar."""
    return [float(np.sum(column, dtype=np.float64)) for column in vars(result).values()]


def bench_shared(table: Table, follows: Follows, graph: PairGraph) -> None:
    """Shared neighbours and Adamic–Adar of every tie, in three views."""
    _, source, target, at = follows
    step = "shared neighbours + Adamic-Adar"
    ours = table.add(
        step, "followkit", lambda: count_shared_of_ties(graph, threads=THREADS), shared_sums
    )
    scan, lists = probe(graph)
    table.add(step, "probe: read the smaller list a tie", lists)
    table.add(step, "probe: read the rows walked", scan)
    if has("graphblas"):
        table.add(step, "GraphBLAS masked dot", lambda: shared_graphblas(follows), list)
    if table.ties <= SLOW_TO:
        table.add(
            step,
            "followkit, ties as given dyads",
            lambda: count_shared(graph, source, target, threads=THREADS),
            shared_sums,
        )
    bench_small(table, step, follows, None, ours)
    step = "as-of shared neighbours + Adamic-Adar"
    ours = table.add(
        step, "followkit", lambda: count_shared_of_ties(graph, asof=True, threads=THREADS),
        shared_sums,
    )  # fmt: skip
    if table.ties <= SLOW_TO:
        table.add(
            step,
            "followkit, ties as given dyads",
            lambda: count_shared(graph, source, target, at_us=at, threads=THREADS),
            shared_sums,
        )
    bench_small(table, step, follows, at, ours)
    folds = make_pair_folds(graph, seed=1)
    table.add("fold-masked shared neighbours + Adamic-Adar", "followkit, five folds",
              lambda: count_shared_of_ties(graph, folds=folds, threads=THREADS))  # fmt: skip


def bench_small(
    table: Table, step: str, follows: Follows, at: np.ndarray | None, ours: Any
) -> None:
    """The exact kernels for small data, where they fit."""
    if table.ties > SLOW_TO:
        return
    from followkit.graph import count_shared as exact
    from followkit.graph import make_graph

    size, source, target, moments = follows
    small = make_graph(source, target, nodes=np.arange(size), start=moments)
    _ = small.neighbours
    exact(small, source[:9], target[:9], None if at is None else at[:9], engine="numba")
    found = table.add(
        step,
        "followkit.graph (small data)",
        lambda: exact(small, source, target, at, engine="numba"),
        shared_sums,
    )
    assert np.array_equal(found.paths_out, ours.paths_out)
    assert np.array_equal(found.common_followers, ours.common_followers)


def probe(graph: PairGraph) -> tuple[Callable[[], int], Callable[[], int]]:
    """Return runs that only read: the rows that our kernel walks, and the smaller list a tie."""

    @numba.njit(parallel=True)
    def rows(first: Any, lower: Any, back_first: Any, back_node: Any, back_slot: Any) -> Any:
        total = 0
        for v in numba.prange(len(first) - 1):
            for place in range(back_first[v], back_first[v + 1]):
                for slot in range(first[back_node[place]], back_slot[place]):
                    total += lower[slot]
        return total

    @numba.njit(parallel=True)
    def lists(first: Any, near: Any, source: Any, target: Any) -> Any:
        total = 0
        for tie in numba.prange(len(source)):
            a, b = source[tie], target[tie]
            small = a if first[a + 1] - first[a] < first[b + 1] - first[b] else b
            for place in range(first[small], first[small + 1]):
                total += near[place]
        return total

    owner = np.repeat(np.arange(graph.node_count, dtype=np.int32), np.diff(graph.first))
    first = graph.first + graph.back_first
    near = np.empty(2 * graph.pair_count, np.int32)
    offset = np.arange(graph.pair_count) - np.repeat(graph.first[:-1], np.diff(graph.first))
    near[first[owner] + offset] = graph.lower >> 2
    back = np.repeat(np.arange(graph.node_count), np.diff(graph.back_first))
    shift = np.arange(graph.pair_count) - graph.back_first[back]
    near[first[back] + np.diff(graph.first)[back] + shift] = graph.back_node
    walked = (graph.first, graph.lower, graph.back_first, graph.back_node, graph.back_slot)
    read = (first, near, graph.source, graph.target)
    rows(*walked)
    lists(*read)
    return lambda: rows(*walked), lambda: lists(*read)


def shared_graphblas(follows: Follows) -> list[float]:
    """Return the sums of the four kinds and of Adamic–Adar by products masked with the ties."""
    import graphblas as gb

    gb.ss.config["nthreads"] = THREADS
    size, source, target, _ = follows
    ties = gb.Matrix.from_coo(source, target, 1, nrows=size, ncols=size, dtype=gb.dtypes.INT32)
    back = ties.T.new()
    either = ties.ewise_add(back, gb.binary.pair).new()
    pair = gb.semiring.plus_pair[gb.dtypes.INT32]
    sums = []
    for left, right in ((ties, back), (back, ties), (ties, ties), (back, back)):
        made = gb.Matrix(gb.dtypes.INT32, size, size)
        made(ties.S) << left.mxm(right.T, pair)
        sums.append(float(made.reduce_scalar(gb.monoid.plus[gb.dtypes.INT64]).value))
    degree = either.reduce_rowwise(gb.monoid.plus[gb.dtypes.INT64]).new()
    places, counts = degree.to_coo()
    weight = gb.Vector.from_coo(places, 1 / np.log(np.maximum(counts, 2)), size=size)
    weighted = either.mxm(weight.diag(), gb.semiring.any_second[gb.dtypes.FP64]).new()
    made = gb.Matrix(gb.dtypes.FP64, size, size)
    made(ties.S) << either.mxm(weighted.T, gb.semiring.plus_second[gb.dtypes.FP64])
    return [*sums, float(made.reduce_scalar(gb.monoid.plus).value)]


def bench_pages(table: Table, follows: Follows, graph: PairGraph) -> None:
    """Cross-fitted PageRank: five graphs, each without one fold."""
    size, source, target, _ = follows
    folds = make_pair_folds(graph, seed=1)
    tie_folds = folds_of_ties(graph, folds)
    step = "PageRank, five folds"
    ours = table.add(step, "followkit", lambda: rank_pages(graph, folds=folds, threads=THREADS))
    if not has("igraph") or table.ties > SLOW_TO:
        return
    import igraph

    def peer() -> np.ndarray:
        columns = []
        for fold in range(5):
            rest = tie_folds != fold
            ends = np.stack([source[rest], target[rest]], axis=1)
            made = igraph.Graph(n=size, edges=ends, directed=True)
            columns.append(made.pagerank(implementation="prpack"))
        return np.array(columns).T

    found = table.add(step, "igraph (PRPACK, graphs built too)", peer)
    # igraph also ranks accounts without ties; among the others only the scale differs.
    for fold in range(5):
        here = ~np.isnan(ours[:, fold])
        scaled = found[here, fold] / found[here, fold].mean()
        assert np.allclose(scaled, ours[here, fold], rtol=1e-5), fold


def measure_peak(follows: Follows, sender: Any) -> None:
    """Send what a new process needs at most: the edge list, then the graph and as-of counts."""
    size, source, target, at = follows
    before = read_peak()
    graph = make_pair_graph(source, target, node_count=size, at_us=at, threads=THREADS)
    count_shared_of_ties(graph, asof=True, threads=THREADS)
    sender.send((before, read_peak()))


def read_peak() -> int:
    """Return the peak of this process's memory in kB (Linux).

    `ru_maxrss` will not do: a new process starts with its parent's.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def bench_encode(table: Table, follows: Follows) -> None:
    """Text ids from a CSV file to codes, and codes to a graph."""
    import duckdb

    _, source, target, at = follows
    with TemporaryDirectory() as name:
        folder = Path(name)
        with duckdb.connect(config={"threads": THREADS}) as database:
            database.register("given", {"s": source, "t": target, "m": at})
            database.execute(
                "COPY (SELECT 'user' || (s::BIGINT * 7919 % 100000007) AS follower_id, 'user' || "
                "(t::BIGINT * 7919 % 100000007) AS followee_id, m AS followed_at FROM given) "
                f"TO '{folder}/follows.csv'"
            )
        file, made = folder / "follows.csv", folder / "made"
        table.add("CSV with text ids to codes (1 GB)", "followkit on DuckDB",
                  lambda: encode_follows(file, made, threads=THREADS))  # fmt: skip
        table.add("codes to graph with times", "followkit on DuckDB",
                  lambda: load_pair_graph(made, threads=THREADS))  # fmt: skip


def bench_size(ties: int, tail: float) -> tuple[Table, str]:
    """Run every step at one size; return its rows and a sentence on the graph and on memory."""
    follows = make_follows(ties, tail)
    size, source, target, at = follows
    table = Table(len(source), 3 if ties < 5_000_000 else 2)
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=measure_peak, args=(follows, sender))
    child.start()
    before, peak = receiver.recv()
    child.join()
    graph = table.add("graph with times", "followkit", lambda: make_pair_graph(
        source, target, node_count=size, at_us=at, threads=THREADS))  # fmt: skip
    bench_degrees(table, follows)
    bench_degrees_asof(table, follows, graph)
    bench_shared(table, follows, graph)
    # These take long enough for one run.
    table.runs = 1
    bench_pages(table, follows, graph)
    bench_encode(table, follows)
    near = graph.neighbour_count
    walked = count_walked(size, source, target)
    mixed = np.random.default_rng(0).permutation(size)
    unordered = count_walked(size, mixed[source], mixed[target])
    listed = int(np.minimum(near[source], near[target]).sum(dtype=np.int64))
    return table, (
        f"- {len(source):,} follows of {size:,} accounts, {graph.pair_count:,} pairs, largest "
        f"neighbourhood {int(near.max()):,}; a tie's smaller list holds {listed / len(source):.1f} "
        f"accounts on average, the rows that are walked {walked / len(source):.1f} "
        f"(codes in any order: {unordered / len(source):.1f}). Peak memory of graph and as-of "
        f"counts: {(peak - before) / len(source) * 1024:.0f} bytes a follow above "
        f"the edge list."
    )


def count_walked(size: int, source: np.ndarray, target: np.ndarray) -> int:
    """Return how many neighbours are looked up when rows hold the neighbours of smaller code."""
    owner, other = np.maximum(source, target).astype(np.int64), np.minimum(source, target)
    rows = np.bincount(np.unique(owner * size + other) // size, minlength=size)
    return int((rows * (rows - 1) // 2).sum())


def exponents(rows: pd.DataFrame) -> list[str]:
    """Return the growth of time between the smallest and the largest size, step by step."""
    lines = []
    for (step, engine), part in rows.groupby(["step", "engine"], sort=False):
        if part["ties"].iloc[0] != part["ties"].iloc[-1]:
            low, high = part.iloc[0], part.iloc[-1]
            power = np.log(high["seconds"] / low["seconds"]) / np.log(high["ties"] / low["ties"])
            lines.append(f"| {step} | {engine} | {power:.2f} |")
    if not lines:
        return []
    return ["", "Time grows with the number of follows to the power", "",
            "| step | engine | exponent |", "|---|---|---:|", *lines]  # fmt: skip


def describe(rows: pd.DataFrame, notes: list[str], load: tuple[float, float], tail: float) -> str:
    """Return the page."""
    peers = [name for name in ("polars", "duckdb", "python-graphblas", "suitesparse-graphblas",
                               "igraph", "numba") if has_package(name)]  # fmt: skip
    shown = [
        f"| {row.ties:,} | {row.step} | {row.engine} | {row.seconds:.2f} | {row.ns_per_tie:,.0f} | "
        f"{row.ratio:.2f} |"
        for row in rows.itertuples()
    ]
    return "\n".join(
        [
            "# Pair kernels at scale",
            "",
            f"Written by `bench/bench_pairs.py`: heavy-tailed follows (rank^−{tail:g}, three tenths"
            " close a path of two, two fifths answered, moments even), every tie a dyad, all "
            f"engines in one process with {THREADS} threads on the same arrays, equal sums "
            "asserted. Least time of two or three runs (peers at the larger sizes: of one). Load "
            f"average {load[0]:.1f} at the start and {load[1]:.1f} at the end: above {THREADS}, "
            "other work slows all engines, and those that wait for both threads most.",
            "",
            *notes,
            "",
            "| follows | step | engine | seconds | ns a follow | ratio |",
            "|---:|---|---|---:|---:|---:|",
            *shown,
            *exponents(rows),
            *LESSONS,
            "",
            f"Python {platform.python_version()}, NumPy {np.__version__}, "
            + ", ".join(f"{name} {version(name)}" for name in peers)
            + ".",
            "",
        ]
    )


def has_package(name: str) -> bool:
    """Return whether a distribution is installed."""
    try:
        return bool(version(name))
    except ImportError:
        return False


def main() -> None:
    """Run all sizes and write the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ties", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--tail", type=float, default=0.6)
    parser.add_argument("--name", default="pairs", help="name of the study's files")
    options = parser.parse_args()
    sizes = options.ties + ([100_000_000] if os.environ.get("BENCH") == "big" else [])
    begun = os.getloadavg()[0]
    warm(options.tail)
    made = [bench_size(ties, options.tail) for ties in sizes]
    rows = pd.DataFrame([row for table, _ in made for row in table.rows])
    STUDIES.mkdir(parents=True, exist_ok=True)
    rows.to_csv(STUDIES / f"{options.name}.csv", index=False, float_format="%.4f",
                lineterminator="\n")  # fmt: skip
    page = describe(rows, [note for _, note in made], (begun, os.getloadavg()[0]), options.tail)
    (STUDIES / f"{options.name}.md").write_text(page, encoding="utf-8")


def warm(tail: float) -> None:
    """Compile every kernel and start every peer before anything is timed."""
    follows = make_follows(400_000, tail)
    size, source, target, at = follows
    table = Table(len(source), 1)
    graph = make_pair_graph(source, target, node_count=size, at_us=at, threads=THREADS)
    bench_degrees(table, follows)
    bench_degrees_asof(table, follows, graph)
    bench_shared(table, follows, graph)
    rank_pages(graph, threads=THREADS)


if __name__ == "__main__":
    os.environ.setdefault("POLARS_MAX_THREADS", str(THREADS))
    sys.exit(main())
