"""The fit on many rows, in memory and from Parquet, beside scikit-learn and statsmodels.

Writes reports/studies/fit.md and .csv. Each engine runs in a process of its own, so that its peak
memory is its own; engines take turns, and times are medians over the turns. Equal coefficients are
asserted. Ratios are what travels between machines.

    python bench/bench_fit.py                      1 M rows
    python bench/bench_fit.py --rows 2000000 8000000
    BENCH=big python bench/bench_fit.py            1 M, 10 M and 30 M rows
"""

from __future__ import annotations

import argparse
import json
import os
import platform
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
import sklearn
import statsmodels

STUDIES = Path(__file__).resolve().parents[1] / "reports" / "studies"
COLUMNS, TURNS, PART_ROWS = 20, 3, 1_000_000
NAMES = [f"x{k}" for k in range(COLUMNS)]
#: Peers copy what they are given; beyond this they are left out, and the page says so.
MOST_PEER_ROWS = 5_000_000

SCAN, SCAN_FILE = "one reading of X (probe)", "one reading of the Parquet file (probe)"
MEMORY, FILE = "StreamedLogit, in memory", "fit_parquet"
CHOLESKY, LBFGS = "scikit-learn newton-cholesky", "scikit-learn lbfgs"
LOOSE = "scikit-learn newton-cholesky, its own tolerance"
STATSMODELS = "statsmodels Logit"
CR3, CR3_FILE, CR3_SMALL = (
    "dyadic_cr3, in memory",
    "dyadic_cr3, from Parquet",
    ("dyadic_cr3, small-data module"),
)
PLAIN, PLAIN_FILE, PLAIN_SMALL = (
    "dyadic, in memory",
    "dyadic, from Parquet",
    ("dyadic, small-data module"),
)
TWO_WAY = "statsmodels two-way clustering"
SCORES = "score bootstrap, 999 replicates"
FITS = (SCAN, SCAN_FILE, MEMORY, FILE, CHOLESKY, LOOSE, LBFGS, STATSMODELS)
ERRORS = (PLAIN, PLAIN_FILE, PLAIN_SMALL, CR3, CR3_FILE, CR3_SMALL, TWO_WAY, SCORES)
PEERS = (LOOSE, LBFGS, STATSMODELS, PLAIN_SMALL, CR3_SMALL, TWO_WAY)


def make_data(folder: Path, row_count: int) -> None:
    """Write heavy-tailed dyads part by part: 20 columns, outcome, codes; 15 % come turned round."""
    rng = np.random.default_rng(1)
    beta = rng.normal(0, 0.3, COLUMNS)
    accounts = row_count // 10
    whole = np.lib.format.open_memmap(
        folder / "x.npy", mode="w+", dtype=np.float64, shape=(row_count, COLUMNS)
    )
    for number, begin in enumerate(range(0, row_count, PART_ROWS)):
        count = min(PART_ROWS, row_count - begin)
        x = rng.standard_normal((count, COLUMNS))
        source = (accounts * rng.random(count) ** 2.5).astype(np.int32)
        target = (source + 1 + (accounts - 1) * rng.random(count)).astype(np.int32) % accounts
        again = count * 15 // 100
        source[-again:], target[-again:] = target[:again].copy(), source[:again].copy()
        y = rng.random(count) < 1 / (1 + np.exp(1 - x @ beta))
        frame = pd.DataFrame(x, columns=NAMES).assign(y=y.astype(np.int8), a=source, b=target)
        duckdb.from_df(frame).to_parquet(str(folder / f"part-{number:03}.parquet"))
        whole[begin : begin + count] = x
    whole.flush()


def peak_mb() -> float:
    """Return the largest resident memory of this process so far, in MB (Linux).

    Not `ru_maxrss`: a new process inherits that from its parent.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def prepare(work: str, folder: Path) -> Callable[[], dict[str, Any]]:
    """Return the work to be timed, its data loaded."""
    files = str(folder / "part-*.parquet")
    if work == SCAN_FILE:
        sums = ", ".join(f"sum({name})" for name in NAMES)
        database = duckdb.connect(config={"threads": 2})
        return lambda: {"beta": list(database.execute(f"SELECT {sums} FROM '{files}'").fetchone())}
    if work in (FILE, CR3_FILE, PLAIN_FILE):
        return prepare_streamed(work, files)
    X = np.load(folder / "x.npy")
    if work == SCAN:
        return lambda: {"beta": [float(X.sum())]}
    y, a, b = duckdb.sql(f"SELECT y, a, b FROM '{files}'").fetchnumpy().values()
    if work == MEMORY:
        from followkit.scale.fit import StreamedLogit

        return lambda: tell(StreamedLogit().fit(X, y))
    if work in (CHOLESKY, LOOSE, LBFGS):
        from sklearn.linear_model import LogisticRegression

        solver = "lbfgs" if work == LBFGS else "newton-cholesky"
        # Its own tolerance, 1e-4, stops newton-cholesky with coefficients off in the 4th digit.
        tolerance = 1e-4 if work in (LBFGS, LOOSE) else 1e-10
        return lambda: tell(LogisticRegression(C=np.inf, solver=solver, tol=tolerance).fit(X, y))
    if work == STATSMODELS:
        import statsmodels.api as sm

        def run() -> dict[str, Any]:
            return {"beta": sm.Logit(y, sm.add_constant(X)).fit(disp=0).params.tolist()}

        return run
    return prepare_errors(work, X, y, a, b)


def prepare_streamed(work: str, files: str) -> Callable[[], dict[str, Any]]:
    """Return the work on Parquet files."""
    from followkit.scale.fit import fit_parquet
    from followkit.scale.robust import dyadic_errors_parquet

    if work == FILE:
        return lambda: tell(fit_parquet(files, NAMES, "y"))
    model = fit_parquet(files, NAMES, "y")
    kind = "dyadic" if work == PLAIN_FILE else "dyadic_cr3"
    return lambda: {
        "beta": dyadic_errors_parquet(model, files, "y", "a", "b", kind=kind).std_errors.tolist()
    }


def prepare_errors(
    work: str, X: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray
) -> Callable[[], dict[str, Any]]:
    """Return the work of errors on arrays; the fit itself is not timed."""
    from followkit import covariance as cov
    from followkit.scale.fit import StreamedLogit
    from followkit.scale.robust import bootstrap_scores, dyadic_errors

    model = StreamedLogit().fit(X, y)
    p = model.predict_proba(X)[:, 1]
    kind = "dyadic" if work in (PLAIN, PLAIN_SMALL) else "dyadic_cr3"
    if work in (PLAIN, CR3):
        return lambda: {"beta": dyadic_errors(model, X, y, a, b, kind=kind).std_errors.tolist()}
    if work == SCORES:
        return lambda: {"beta": bootstrap_scores(y, p, a, b)["std_error"].tolist()}
    if work == TWO_WAY:
        import statsmodels.api as sm
        from statsmodels.stats.sandwich_covariance import cov_cluster_2groups

        result = sm.Logit(y, sm.add_constant(X)).fit(disp=0)
        groups = np.column_stack([a, b]).astype(int)
        return lambda: {"beta": np.sqrt(np.diag(cov_cluster_2groups(result, groups)[0])).tolist()}
    design = np.column_stack([np.ones(len(X)), X])

    def small() -> dict[str, Any]:
        curvature, scores = p * (1 - p), design * (y - p)[:, None]
        accounts = cov.code_accounts(a, b)
        if kind == "dyadic_cr3":
            matrix = cov.dyadic_cr3(design, curvature, scores, accounts)
        else:
            matrix = cov.dyadic(scores, (design * curvature[:, None]).T @ design, accounts)
        return {"beta": np.sqrt(np.diag(matrix)).tolist()}

    return small


def tell(model: Any) -> dict[str, Any]:
    """Return the coefficients and iterations of a fitted classifier."""
    beta = [float(model.intercept_[0]), *model.coef_[0].tolist()]
    return {"beta": beta, "steps": int(np.max(model.n_iter_))}


def run_child(work: str, folder: Path) -> None:
    """Time one piece of work in this process and print what was found."""
    run = prepare(work, folder)
    before, wall, cpu = peak_mb(), time.perf_counter(), time.process_time()
    found = run()
    found |= {
        "seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "peak_mb": peak_mb(),
        "extra_mb": peak_mb() - before,
    }
    print(json.dumps(found))


def call_child(work: str, folder: Path) -> dict[str, Any]:
    """Return what a new process finds."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--child", work, "--folder", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure(row_count: int, turns: int) -> pd.DataFrame:
    """Return one row for each piece of work at one size, equal results asserted."""
    wanted = [work for work in FITS + ERRORS if row_count <= MOST_PEER_ROWS or work not in PEERS]
    with tempfile.TemporaryDirectory(prefix="followkit-bench-") as name:
        folder = Path(name)
        make_data(folder, row_count)
        found: dict[str, list[dict[str, Any]]] = {work: [] for work in wanted}
        for turn in range(turns):
            for work in wanted if turn == 0 else wanted[: wanted.index(PLAIN)]:
                found[work].append(call_child(work, folder))
                print(turn, work, round(found[work][-1]["seconds"], 2), flush=True)
    betas = {work: np.array(runs[0]["beta"]) for work, runs in found.items()}
    gaps = dict.fromkeys(wanted, np.nan)
    for reference, others in ((MEMORY, (FILE, CHOLESKY, LOOSE, LBFGS, STATSMODELS)),
                              (PLAIN, (PLAIN_FILE, PLAIN_SMALL)),
                              (CR3, (CR3_FILE, CR3_SMALL))):  # fmt: skip
        for work in set(others) & set(wanted):
            gaps[work] = float(np.abs(betas[work] - betas[reference]).max())
            assert work in (LBFGS, LOOSE) or gaps[work] < 1e-8, (work, gaps[work])
    rows = [
        {
            "work": work,
            "rows": row_count,
            **{key: float(np.median([run[key] for run in runs]))
               for key in ("seconds", "cpu_seconds", "peak_mb", "extra_mb")},
            "steps": runs[0].get("steps", np.nan),
            "largest_difference": gaps[work],
        }
        for work, runs in found.items()
    ]  # fmt: skip
    table = pd.DataFrame(rows).set_index("work")
    for ratio, unit in (("ratio", "seconds"), ("cpu_ratio", "cpu_seconds")):
        table[ratio] = table[unit] / table.loc[MEMORY, unit]
        for own, works in ((PLAIN, (PLAIN_FILE, PLAIN_SMALL, TWO_WAY)),
                           (CR3, (CR3_FILE, CR3_SMALL))):  # fmt: skip
            for work in (own, *works):
                if work in table.index:
                    table.loc[work, ratio] = table.loc[work, unit] / table.loc[own, unit]
        table.loc[SCORES, ratio] = np.nan
    return table.reset_index()


def describe(tables: list[pd.DataFrame], turns: int, load: float) -> str:
    """Return the page."""
    lines = [
        "# Fitting many rows",
        "",
        f"Written by `bench/bench_fit.py`: {COLUMNS} columns, heavy-tailed accounts (one for ten "
        "rows), 15 % of the rows are pairs that come a second time. Every engine in a process of "
        f"its own, in turns, medians of {turns} turns for fits, one turn for errors; "
        "BLAS on one thread, because other work may share the cores. Coefficients and "
        "errors equal to 1e-8 asserted, except for scikit-learn at its own tolerance, whose "
        "difference is shown. "
        f"Python {platform.python_version()}, NumPy {np.__version__}, DuckDB {duckdb.__version__}, "
        f"scikit-learn {sklearn.__version__}, statsmodels {statsmodels.__version__}, "
        f"{os.cpu_count()} cores, load {load:.1f} at the end. *Ratio* is to the "
        "same work in memory by this package (of two-way clustering, to dyadic), of seconds and, "
        "which other work on the machine moves less, of CPU seconds; *extra* is peak memory beyond "
        "the loaded data.",
    ]
    for table in tables:
        lines += ["", f"## {table['rows'].iloc[0]:,} rows", "",
                  "| work | seconds | CPU seconds | ratio | CPU ratio | peak MB | extra MB | "
                  "steps | largest difference |", "|---" + "|---:" * 8 + "|"]  # fmt: skip
        for row in table.itertuples():
            steps = "" if np.isnan(row.steps) else f"{row.steps:.0f}"
            ratio, cpu_ratio = (
                "" if np.isnan(value) else f"{value:.2g}" for value in (row.ratio, row.cpu_ratio)
            )
            gap = "" if np.isnan(row.largest_difference) else f"{row.largest_difference:.0e}"
            lines.append(
                f"| {row.work} | {row.seconds:.2f} | {row.cpu_seconds:.2f} | {ratio} | "
                f"{cpu_ratio} | {row.peak_mb:,.0f} | {row.extra_mb:,.0f} | {steps} | {gap} |"
            )
    if len(tables) > 1:
        lines += ["", "## From the smallest to the largest", "",
                  "| work | exponent of time | peak MB, smallest | peak MB, largest |",
                  "|---|---:|---:|---:|"]  # fmt: skip
        first, last = tables[0].set_index("work"), tables[-1].set_index("work")
        growth = np.log(last["rows"].iloc[0] / first["rows"].iloc[0])
        for work in last.index:
            slope = np.log(last.loc[work, "seconds"] / first.loc[work, "seconds"]) / growth
            lines.append(f"| {work} | {slope:.2f} | {first.loc[work, 'peak_mb']:,.0f} | "
                         f"{last.loc[work, 'peak_mb']:,.0f} |")  # fmt: skip
    return "\n".join([*lines, ""])


def main() -> None:
    """Time everything at every size and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    big = os.environ.get("BENCH") == "big"
    sizes = [1_000_000, 10_000_000, 30_000_000] if big else [1_000_000]
    parser.add_argument("--rows", type=int, nargs="+", default=sizes)
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--child")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.child:
        run_child(given.child, given.folder)
        return
    tables = [measure(row_count, given.turns) for row_count in sorted(given.rows)]
    STUDIES.mkdir(parents=True, exist_ok=True)
    pd.concat(tables).to_csv(
        STUDIES / "fit.csv", index=False, float_format="%.4g", lineterminator="\n"
    )
    (STUDIES / "fit.md").write_text(
        describe(tables, given.turns, os.getloadavg()[0]), encoding="utf-8"
    )
    print(pd.concat(tables).to_string(index=False))


if __name__ == "__main__":
    main()
