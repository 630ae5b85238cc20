"""Tabular features: one narwhals text on DuckDB, polars and pandas, beside SQL by hand.

    python bench/bench_tabular.py                    # 1 M follows
    python bench/bench_tabular.py 1e6 1e7            # and 10 M
    python bench/bench_tabular.py 3e7 --limit 4GB    # the whole run within an address space
    python bench/bench_tabular.py 1e7 --works follow_back --engines duckdb --add
    BENCH=big python bench/bench_tabular.py          # 1 M, 10 M, 30 M, 100 M

Every measurement is a process of its own, so that its peak memory is its own; equal sums are
asserted. Writes reports/studies/tabular.md and .csv. Seconds hang on what else runs: the load is
written beside them, CPU seconds hang on it less, ratios least.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

STUDIES = Path(__file__).resolve().parents[1] / "reports" / "studies"
DAY_US = 86_400_000_000
HORIZON_US = 30 * DAY_US
BEGAN_US, LASTED_US = 1_700_000_000_000_000, 400 * DAY_US
DEGREES = "initiator_followee_count, initiator_follower_count, decider_followee_count, " \
          "decider_follower_count"  # fmt: skip
WORKS = {
    "snapshot": "reciprocity and degrees without the dyad's fold",
    "as of t": "first follows, outcomes and degrees as of t",
    "mutuality": "all features of the snapshot, written as Parquet",
    "follow_back": "all features of timed follows, written as Parquet",
}
#: Works that run from edges to a folder of Parquet; the others have a twin by hand.
WHOLE = ("mutuality", "follow_back")


def make_edges(folder: Path, size: int, seed: int = 1) -> None:
    """Write a heavy-tailed graph in which two fifths of the follows are answered."""
    rng = np.random.default_rng(seed)
    accounts = int(size * 0.06)
    share = np.cumsum(np.arange(1, accounts + 1) ** -0.6)
    first = int(size / 1.35)
    source, target = (
        np.searchsorted(share, rng.random(first) * share[-1]).astype(np.int32) for _ in range(2)
    )
    back = rng.random(first) < 0.4
    table = pd.DataFrame({"source": np.r_[source, target[back]],
                          "target": np.r_[target, source[back]]})  # fmt: skip
    # Whole seconds, so that some are equal.
    table["at_us"] = BEGAN_US + rng.integers(0, LASTED_US // 10**6, len(table)) * 10**6
    database = duckdb.connect()
    database.register("made", table)
    folder.mkdir()
    distinct = "SELECT source, target, min(at_us) AS at_us FROM made WHERE source <> target " \
               "GROUP BY source, target"  # fmt: skip
    database.execute(f"COPY ({distinct}) TO '{folder}/edges.parquet' (FORMAT parquet)")
    nodes = f"SELECT range::INTEGER AS code, range AS id FROM range({accounts})"
    database.execute(f"COPY ({nodes}) TO '{folder}/nodes.parquet' (FORMAT parquet)")


# -- the same work, by hand ------------------------------------------------------------------------


def raw_snapshot(database: Any, edges: str) -> tuple[int, ...]:
    """Return the sums of the snapshot's work in SQL written by hand."""
    # The fold is any hash: here only sums are compared, so it is the same arithmetic.
    from followkit.scale.hashing import HASH_PRIME, make_hash_keys

    keys = make_hash_keys(0)
    sql = f"SELECT source::BIGINT s, target::BIGINT t FROM {edges}"
    steps = [f"(least(s, t) + {keys[0]}) % {HASH_PRIME}",
             f"(h + greatest(s, t) + {keys[1]}) % {HASH_PRIME}",
             f"(h + {keys[2]}) % {HASH_PRIME}"]  # fmt: skip
    for step in steps:
        sql = f"SELECT s, t, {step} AS h FROM ({sql})"
        sql = f"SELECT s, t, h * (h * h % {HASH_PRIME}) % {HASH_PRIME} AS h FROM ({sql})"
    database.execute(f"CREATE TEMP TABLE folded AS SELECT s, t, h % 5 AS f FROM ({sql})")
    database.execute(
        "CREATE TEMP TABLE ties AS SELECT a.s, a.t, a.f, (b.s IS NOT NULL)::INT AS m FROM folded a "
        "LEFT JOIN folded b ON a.s = b.t AND a.t = b.s"
    )
    database.execute(
        "CREATE TEMP TABLE inside AS SELECT v, f, sum(o)::BIGINT o, sum(i)::BIGINT i FROM "
        "(SELECT s v, f, 1 o, 0 i FROM ties UNION ALL SELECT t, f, 0, 1 FROM ties) GROUP BY v, f"
    )
    database.execute(
        "CREATE TEMP TABLE total AS SELECT v, sum(o) o, sum(i) i FROM inside GROUP BY v"
    )
    masked = (
        "SELECT v, f, w.o - coalesce(n.o, 0) AS o, w.i - coalesce(n.i, 0) AS i FROM total w "
        "CROSS JOIN range(5) r(f) LEFT JOIN inside n USING (v, f)"
    )
    database.execute(f"CREATE TEMP TABLE masked AS {masked}")
    found = database.execute(
        "SELECT sum(m), sum(a.o), sum(a.i), sum(b.o), sum(b.i) FROM ties JOIN masked a ON a.v = s "
        "AND a.f = ties.f JOIN masked b ON b.v = t AND b.f = ties.f"
    ).fetchone()
    return tuple(int(value) for value in found)


def raw_asof(database: Any, edges: str) -> tuple[int, ...]:
    """Return the sums of the work as of t in SQL written by hand."""
    until = database.execute(f"SELECT max(at_us) FROM {edges}").fetchone()[0]
    database.execute(
        f"CREATE TEMP TABLE dyads AS SELECT a.source s, a.target t, "
        f"coalesce(b.at_us <= a.at_us + {HORIZON_US}, false)::INT y FROM {edges} a "
        f"LEFT JOIN {edges} b ON a.source = b.target AND a.target = b.source "
        f"WHERE (b.at_us IS NULL OR b.at_us > a.at_us) AND a.at_us + {HORIZON_US} <= {until}"
    )
    database.execute(
        f"CREATE TEMP TABLE ranks AS SELECT s, t, d, "
        f"rank() OVER (PARTITION BY v ORDER BY at_us) - 1 AS n, "
        f"rank() OVER (PARTITION BY v, d ORDER BY at_us) - 1 AS own "
        f"FROM (SELECT source s, target t, source v, 1 d, at_us FROM {edges} UNION ALL "
        f"SELECT source, target, target, 0, at_us FROM {edges})"
    )
    found = database.execute(
        "SELECT sum(y), sum(a.own), sum(a.n - a.own), sum(b.n - b.own), sum(b.own) FROM dyads "
        "JOIN (FROM ranks WHERE d = 1) a USING (s, t) JOIN (FROM ranks WHERE d = 0) b USING (s, t)"
    ).fetchone()
    return tuple(int(value) for value in found)


def run_raw(work: str, folder: Path, memory: str | None) -> tuple[int, ...]:
    """Run the work by hand in DuckDB, with the settings of followkit's own engine."""
    from followkit.scale.engines import connect_duckdb, parse_bytes

    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        limit = parse_bytes(memory) if memory else None
        database = connect_duckdb(Path(scratch), limit, 2)
        edges = f"read_parquet('{folder}/edges.parquet')"
        return (raw_snapshot if work == "snapshot" else raw_asof)(database, edges)


# -- followkit's text ------------------------------------------------------------------------------


def run_text(work: str, engine: str, folder: Path, memory: str | None) -> tuple[int, ...]:
    """Run the narwhals text on an engine and return the same sums."""
    import narwhals as nw

    from followkit.scale.asof import count_asof
    from followkit.scale.degrees import add_masked
    from followkit.scale.engines import open_engine
    from followkit.scale.frames import DEGREES as NAMES
    from followkit.scale.frames import Tables, join_rows
    from followkit.scale.tabular import make_snapshot_dyads, make_snapshot_ties, make_timed_dyads

    with (
        tempfile.TemporaryDirectory(dir=folder.parent) as scratch,
        open_engine(engine, Path(scratch), memory=memory) as opened,
    ):
        edges = opened.read(folder / "edges.parquet")
        if work == "snapshot":
            ties = opened.keep(make_snapshot_ties(edges, seed=0, fold_count=5), "ties")
            found = add_masked(Tables("snapshot", make_snapshot_dyads(ties), ties), opened.keep)
        else:
            ties = edges.select("source", "target", nw.col("at_us").alias("start_us"))
            until = duckdb.execute(f"SELECT max(at_us) FROM '{folder}/edges.parquet'").fetchone()[0]
            dyads = make_timed_dyads(
                ties, horizon_us=HORIZON_US, until_us=until, seed=0, fold_count=5
            )
            tables = Tables("timed", opened.keep(dyads, "dyads"), ties, opens_ties=True)
            found = join_rows(tables.dyads, count_asof(tables, opened.keep))
        sums = found.select(nw.col("outcome", *NAMES).sum()).collect("pandas").rows()[0]
    return tuple(int(value) for value in sums)


def run_all(work: str, engine: str, folder: Path, memory: str | None) -> tuple[int, ...]:
    """Write every feature as Parquet and return its rows, answers and fingerprint."""
    from followkit.scale.features_cli import write_features

    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        out = Path(scratch) / "out"
        about = write_features(folder, out, engine=engine, memory=memory, question=work)
        return about["rows"], about["answered"], int(about["fingerprint"], 16)


def run_scan(folder: Path) -> tuple[int, ...]:
    """Return sums of the columns from memory: the least that anything must do with them."""
    columns = duckdb.execute(
        f"SELECT source, target, at_us FROM '{folder}/edges.parquet'"
    ).fetchnumpy()
    begun = time.perf_counter()
    total = sum(int(column.sum(dtype=np.int64)) for column in columns.values())
    return int((time.perf_counter() - begun) * 1e9), len(columns["source"]), total


# -- one process a measurement ---------------------------------------------------------------------


def measure(work: str, engine: str, folder: Path, memory: str | None) -> None:
    """Run one measurement in this process and print it as JSON."""
    begun, used = time.perf_counter(), time.process_time()
    jobs: dict[str, Callable[[], tuple[int, ...]]] = {
        "scan": lambda: run_scan(folder),
        **{name: lambda: run_all(work, engine, folder, memory) for name in WHOLE},
    }
    if engine == "raw SQL":
        job = lambda: run_raw(work, folder, memory)  # noqa: E731
    else:
        job = jobs.get(work, lambda: run_text(work, engine, folder, memory))
    sums = job()
    found = {
        "seconds": time.perf_counter() - begun,
        "cpu_seconds": time.process_time() - used,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "sums": [str(value) for value in sums],
    }
    print(json.dumps(found))


def start(
    work: str, engine: str, folder: Path, memory: str | None = None, limit: int | None = None
) -> dict[str, Any]:
    """Run one measurement in a process of its own, within an address space where asked."""
    command = [sys.executable, __file__, "--work", work, "--engine", engine, "--data", str(folder)]
    if memory:
        command += ["--memory", memory]

    def confine() -> None:
        if limit:
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    settings = os.environ | {"POLARS_MAX_THREADS": "2", "OMP_NUM_THREADS": "1",
                             "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, env=settings, preexec_fn=confine, check=False
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["killed"]
        return {"failed": last[0]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def bench_size(
    size: int, engines: list[str], works: list[str], limit: int | None, folder: Path
) -> list[dict[str, Any]]:
    """Measure every work on every engine at one size, and assert equal sums."""
    make_edges(folder, size)
    ties = duckdb.execute(f"SELECT count(*) FROM '{folder}/edges.parquet'").fetchone()[0]
    rows = []
    scan_ns, _, _ = (int(value) for value in start("scan", "NumPy", folder)["sums"])
    rows.append({"work": "scan", "engine": "NumPy", "seconds": scan_ns / 1e9})
    for work in works:
        names = engines if work in WHOLE else [*engines, "raw SQL"]
        sums = {}
        for engine in names:
            found = start(work, engine, folder)
            print(size, work, engine, found, flush=True)
            if "sums" in found:
                sums[engine] = found.pop("sums")
            rows.append({"work": work, "engine": engine, **found})
        assert len({tuple(value) for value in sums.values()}) <= 1, sums
        if work in WHOLE and limit:
            memory = f"{limit // 2**20 // 3} MiB"
            found = start(work, "duckdb", folder, memory, limit)
            print(size, work, "limited", found, flush=True)
            assert found.pop("sums", None) == sums["duckdb"], found
            rows.append({"work": work, "engine": f"duckdb in {limit / 2**30:.1f} GB", **found})
    return [{"ties": ties, "load": os.getloadavg()[0], **row} for row in rows]


def list_versions() -> str:
    """Return the versions of everything that was measured."""
    from importlib.metadata import PackageNotFoundError, version

    found = [f"Python {platform.python_version()}"]
    for name in ("duckdb", "polars", "pandas", "numpy", "narwhals"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def describe(table: pd.DataFrame) -> str:
    """Return the page."""
    lines = [
        "# Tabular features",
        "",
        "Written by `bench/bench_tabular.py`: generated heavy-tailed follows, two fifths answered; "
        "equal sums asserted between engines, for whole runs equal fingerprints of every integer. "
        f"One process a measurement, two threads. {list_versions()}; {os.cpu_count()} cores; "
        f"load up to {table['load'].max():.0f}, so trust ratios of CPU seconds more than seconds.",
        "",
        *(f"- *{name}*: {words}" for name, words in WORKS.items()),
        "- *raw SQL*: the same work written by hand for DuckDB, with the same settings",
        "- *scan*: adding the three columns up in memory, the bound that nothing can go below",
        "",
        "| work | follows | engine | seconds | CPU s | ns a follow | peak MB | CPU to duckdb |",
        "|---|---:|---|---:|---:|---:|---:|---:|",
    ]
    order = [*WORKS, "scan"]
    table = table.sort_values(
        ["work", "ties"], key=lambda c: c.map(order.index) if c.name == "work" else c, kind="stable"
    )
    for row in table.to_dict("records"):
        if isinstance(row.get("failed"), str):
            lines.append(f"| {row['work']} | {row['ties']:,} | {row['engine']} | — | | | | "
                         f"{row['failed'][:120]} |")  # fmt: skip
            continue
        own = table[(table["work"] == row["work"]) & (table["ties"] == row["ties"])]
        base = own.loc[own["engine"] == "duckdb", "cpu_seconds"]
        ratio = f"{row['cpu_seconds'] / base.iloc[0]:.2f}" if len(base) else ""
        cpu, peak = ("" if np.isnan(row[name]) else f"{row[name]:,.1f}"
                     for name in ("cpu_seconds", "peak_mb"))  # fmt: skip
        lines.append(
            f"| {row['work']} | {row['ties']:,} | {row['engine']} | {row['seconds']:.2f} | {cpu} | "
            f"{row['seconds'] / row['ties'] * 1e9:,.1f} | {peak} | {ratio} |"
        )
    lines += ["", *_say_exponents(table), ""]
    return "\n".join(lines)


def _say_exponents(table: pd.DataFrame) -> list[str]:
    """Return how CPU time grows from the smallest to the largest size, engine by engine."""
    lines = []
    for (work, engine), rows in table.dropna(subset=["cpu_seconds"]).groupby(["work", "engine"]):
        if rows["ties"].iloc[-1] > rows["ties"].iloc[0]:
            first, last = rows.iloc[0], rows.iloc[-1]
            growth = np.log(last["cpu_seconds"] / first["cpu_seconds"])
            exponent = growth / np.log(last["ties"] / first["ties"])
            lines.append(f"- {work}, {engine}: CPU seconds grow as follows to the {exponent:.2f}")
    return lines


def main() -> None:
    """Measure every size asked for and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=float)
    parser.add_argument("--engines", default="duckdb,polars,pandas")
    parser.add_argument("--works", default=",".join(WORKS))
    parser.add_argument("--limit", help="address space for one more run of everything")
    parser.add_argument("--add", action="store_true", help="keep the rows that are there")
    parser.add_argument("--out", type=Path, default=STUDIES)
    for name in ("work", "engine", "memory"):
        parser.add_argument(f"--{name}", help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        measure(asked.work, asked.engine, asked.data, asked.memory)
        return
    from followkit.scale.engines import parse_bytes

    big = os.environ.get("BENCH") == "big"
    sizes = asked.sizes or ([1e6, 1e7, 3e7, 1e8] if big else [1e6])
    limit = parse_bytes(asked.limit) if asked.limit else None
    rows = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "edges"
            works = asked.works.split(",")
            rows += bench_size(int(size), asked.engines.split(","), works, limit, folder)
    table = pd.DataFrame(rows)
    if asked.add and (asked.out / "tabular.csv").exists():
        table = pd.concat([pd.read_csv(asked.out / "tabular.csv"), table], ignore_index=True)
    asked.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(asked.out / "tabular.csv", index=False, float_format="%.3f", lineterminator="\n")
    (asked.out / "tabular.md").write_text(describe(table), encoding="utf-8")


if __name__ == "__main__":
    main()
