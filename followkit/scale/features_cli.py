"""Tabular features from data to a folder of Parquet files, on the engine that is asked for."""

from __future__ import annotations

import json
import platform
import secrets
import shutil
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import narwhals as nw

import followkit
from followkit.errors import InputError
from followkit.scale.coding import CodedFolder, code_dataset, code_edges
from followkit.scale.engines import (
    PART,
    Engine,
    check_fits,
    connect_duckdb,
    from_parquet,
    measure_free_memory,
    open_engine,
)
from followkit.scale.frames import DAY_US, Frame, Mode, Tables
from followkit.scale.hashing import HASH_PRIME
from followkit.scale.tabular import (
    make_snapshot_dyads,
    make_snapshot_ties,
    make_tabular_features,
    make_timed_dyads,
)

ABOUT = "_about.json"
NODES = "nodes.parquet"
DEFAULT_HORIZON_DAYS = 30.0
ALL_PARTS = f"/{PART}=*/*.parquet"


@dataclass(frozen=True)
class Request:
    """How the dyads of an edge list are made, and how the result is cut up."""

    question: str = "auto"
    horizon_days: float = DEFAULT_HORIZON_DAYS
    seed: int = 0
    fold_count: int = 5
    part_count: int = 8
    weeks: bool = True


def write_features(
    data: str | Path,
    out: str | Path,
    *,
    engine: str = "duckdb",
    question: str = "auto",
    horizon_days: float = DEFAULT_HORIZON_DAYS,
    seed: int = 0,
    fold_count: int = 5,
    part_count: int = 8,
    weeks: bool = True,
    memory: str | int | None = None,
    threads: int = 2,
) -> dict[str, Any]:
    """Write the tabular features of data as partitioned Parquet, the same rows on every engine.

    Parameters
    ----------
    data
        A folder of canonical tables (every question, with observation, posts and interactions),
        a folder with `nodes.parquet` and `edges.parquet` (`followkit.scale.codes`), or an edge
        list, which is made into one. The last two never lie in memory on DuckDB and Spark.
    out
        A folder that is not there yet; it appears complete or not at all.
    engine
        duckdb, pandas, polars or spark.
    question
        follow_back, late_answer, mutuality; auto: the first of them that the data can answer.
    horizon_days
        Of follow_back.
    seed, fold_count
        Of the folds.
    part_count
        Timed dyads are cut up by initiator (code modulo so many); the others by fold.
    weeks
        Also the shares of active weeks, which cost about as much as all else on posts and acts.
    memory, threads
        See `followkit.scale.engines.open_engine`.

    Returns
    -------
    dict
        What `_about.json` says: versions, question, rows, answered, columns, parts, fingerprint.
        The fingerprint is of all integers, whatever the order of rows: equal on every engine.

    Raises
    ------
    InputError
        If the data cannot be read or answer the question, if `out` is there already, or if the
        engine cannot hold them.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> about = write_features("data/nostr", folder / "features", question="mutuality")
    >>> about["rows"], sorted(item.name for item in (folder / "features").iterdir())[:2]
    (17620, ['_about.json', 'nodes.parquet'])
    """
    request = Request(question, horizon_days, seed, fold_count, part_count, weeks)
    target = Path(out)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(f"out: {target.name} is there already; name another folder or remove it")
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.parent / f".{target.name}-{secrets.token_hex(6)}"
    made, stage = scratch / "made", scratch / "stage"
    try:
        for folder in (made, stage):
            folder.mkdir(parents=True)
        coded = _find_coded(Path(data), stage, request, memory, threads)
        with open_engine(engine, stage, memory=memory, threads=threads) as opened:
            check_fits(engine, coded.count_rows(), measure_free_memory())
            mode = _run(opened, coded, made, request)
            versions = _list_versions(opened)
        shutil.copyfile(coded.folder / NODES, made / NODES)
        about = _describe(made, coded, mode, request, versions, memory, threads)
        (made / ABOUT).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        made.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return about


def _find_coded(
    data: Path, stage: Path, request: Request, memory: str | int | None, threads: int
) -> CodedFolder:
    """Return the data as Parquet files of codes, made where they are not yet."""
    if (data / "edges.parquet").is_file():
        return CodedFolder.read(data, question=request.question)
    coded = stage / "coded"
    if data.is_file() and data.suffix not in (".duckdb", ".db"):
        counts = code_edges(data, coded, memory=memory, threads=threads)
        return replace(CodedFolder.read(coded, question=request.question), read_counts=counts)
    return code_dataset(
        data,
        coded,
        question=request.question,
        horizon_days=request.horizon_days,
        seed=request.seed,
        fold_count=request.fold_count,
    )


def _run(engine: Engine, coded: CodedFolder, made: Path, request: Request) -> Mode:
    tables = _make_tables(engine, coded, request)
    features = make_tabular_features(tables, weeks=request.weeks, keep=engine.keep)
    by_initiator = nw.col("initiator") % request.part_count
    part = by_initiator if tables.mode == "timed" else nw.col("fold")
    engine.write(features.with_columns(part.alias(PART)), made)
    return tables.mode


def _make_tables(engine: Engine, coded: CodedFolder, request: Request) -> Tables:
    """Return the tables of a folder, its dyads made from the edges where it has none."""

    def read(name: str) -> Frame | None:
        path = coded.folder / f"{name}.parquet"
        return engine.read(path) if path.is_file() else None

    seen = {name: engine.read(coded.folder / f"seen_{name}.parquet") for name in coded.seen}
    acts, posts = read("acts"), read("posts")
    dyads, ties = read("dyads"), read("ties")
    if dyads is not None and ties is not None:
        return Tables(
            coded.mode,
            dyads,
            ties,
            has_spells=coded.has_spells,
            opens_ties=coded.mode == "timed" and not coded.has_spells,
            posts=posts,
            acts=acts,
            seen=seen,
            horizon_us=coded.horizon_us,
        )
    edges = engine.read(coded.folder / "edges.parquet")
    if coded.mode == "snapshot":
        ties = make_snapshot_ties(edges, seed=request.seed, fold_count=request.fold_count)
        ties = engine.keep(ties, "ties")
        return Tables("snapshot", make_snapshot_dyads(ties), ties)
    horizon_us = round(request.horizon_days * DAY_US)
    ties = edges.select("source", "target", nw.col("at_us").alias("start_us"))
    dyads = make_timed_dyads(
        ties,
        horizon_us=horizon_us,
        until_us=coded.until_us,
        seed=request.seed,
        fold_count=request.fold_count,
    )
    timed = Tables("timed", engine.keep(dyads, "dyads"), ties, opens_ties=True)
    return replace(timed, posts=posts, acts=acts, seen=seen, horizon_us=horizon_us)


def _list_versions(engine: Engine) -> dict[str, str]:
    return {
        "followkit": followkit.__version__,
        "engine": f"{engine.name} {engine.version}",
        "narwhals": nw.__version__,
        "python": platform.python_version(),
    }


def _describe(
    made: Path,
    coded: CodedFolder,
    mode: Mode,
    request: Request,
    versions: dict[str, str],
    memory: str | int | None,
    threads: int,
) -> dict[str, Any]:
    """Return what was written, read back from the files."""
    from followkit.scale.engines import parse_bytes

    limit = parse_bytes(memory) if memory is not None else None
    database = connect_duckdb(made.parent / "stage", limit, threads)
    try:
        parts, columns, answered, mark = _inspect(database, made)
    finally:
        database.close()
    if not parts:
        raise InputError(
            "follows: no dyad is left; with times, a dyad needs a first follow that is at least "
            f"the horizon ({request.horizon_days:g} days) older than the last follow of all"
        )
    questions = {"timed": "follow_back", "crawl": "late_answer", "snapshot": "mutuality"}
    return {
        "versions": versions,
        "question": questions[mode],
        "horizon_days": request.horizon_days if mode == "timed" else None,
        "seed": request.seed,
        "fold_count": request.fold_count,
        "read": dict(coded.read_counts),
        "ties": coded.tie_count,
        "accounts": coded.node_count,
        "rows": sum(parts.values()),
        "answered": answered,
        "parts": parts,
        "columns": columns,
        "fingerprint": mark,
    }


def _inspect(database: Any, made: Path) -> tuple[dict[str, int], dict[str, str], int, str]:
    """Return rows by part, types of columns, answers, and a mark of all integers."""
    if not any(made.glob(f"{PART}=*")):
        return {}, {}, 0, ""
    source = from_parquet(made, ALL_PARTS)
    described = database.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    columns = {str(name): str(kind) for name, kind, *_ in described if name != PART}
    integers = [name for name, kind in columns.items() if kind == "BIGINT"]
    rows = database.execute(
        f"SELECT {PART}, count(*) FROM {source} GROUP BY {PART} ORDER BY {PART}"
    ).fetchall()
    key = f"((initiator * 1000003 + decider * 7919) % {HASH_PRIME})"
    sums = ", ".join(f'sum({key} * ("{name}" % {HASH_PRIME}) % {HASH_PRIME})' for name in integers)
    found = database.execute(f"SELECT sum(outcome), {sums} FROM {source}").fetchone()
    text = json.dumps([int(sum(count for _, count in rows)), integers, *map(str, found[1:])])
    mark = blake2b(text.encode(), digest_size=16).hexdigest()
    return {str(part): int(count) for part, count in rows}, columns, int(found[0]), mark
