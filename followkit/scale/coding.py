"""Data as Parquet files of integer codes, which every engine reads.

A folder holds `nodes.parquet` (code, id) and either `edges.parquet` (source, target, at_us), as
`followkit.scale.codes` writes it, or `dyads.parquet` and `ties.parquet` as `followkit.dyads` made
them from canonical tables; and, where known, `posts.parquet` (account, at_us), `acts.parquet`
(actor, target, at_us, amount, kind) and `seen_….parquet` (account, from_us, until_us).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit.dyads import DyadSet, find_questions, make_dyads
from followkit.errors import InputError, suggest
from followkit.features.ties import (
    DAY_US,
    NEVER_US,
    UNKNOWN_US,
    find_tie_folds,
    get_table,
    make_ties,
    to_us,
)
from followkit.scale.engines import connect_duckdb, from_parquet, measure_free_memory, parse_bytes
from followkit.scale.frames import ACT_KINDS, EVENT_TABLES, Mode
from followkit.sources import load_dataset
from followkit.tables import Dataset

QUESTIONS = ("follow_back", "late_answer", "mutuality")
#: Bytes that canonical tables take in memory for one byte of their files.
READ_FACTOR = 12
TABLES = ("edges", "dyads", "ties", "posts", "acts")


@dataclass(frozen=True)
class CodedFolder:
    """A folder of coded tables, and what has to be known before they are read.

    Attributes
    ----------
    folder
        Where the files are.
    mode
        The leakage rule: timed, crawl or snapshot.
    node_count, tie_count
        Accounts and ties.
    until_us
        The last moment of a tie: until when everyone counts as watched (edges only).
    has_spells
        Whether a tie may end or come twice.
    horizon_us
        The horizon that the dyads were made with.
    seen
        The tables with a `seen_….parquet`.
    read_counts
        Rows read, left out and kept, where an edge list was read.
    """

    folder: Path
    mode: Mode
    node_count: int
    tie_count: int
    until_us: int = 0
    has_spells: bool = False
    horizon_us: int = 0
    seen: tuple[str, ...] = ()
    read_counts: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path, *, question: str = "auto") -> CodedFolder:
        """Return what a folder with `edges.parquet` holds.

        Raises
        ------
        InputError
            If its files are not what they have to be, or cannot answer the question.
        """
        import duckdb

        database = duckdb.connect(":memory:")
        edges = from_parquet(folder / "edges.parquet")
        nodes = from_parquet(folder / "nodes.parquet")
        try:
            sql = f"SELECT count(*), count(at_us), max(at_us), count(source) FROM {edges}"
            ties, timed, last, _ = database.execute(sql).fetchone() or (0, 0, None, 0)
            accounts = (database.execute(f"SELECT count(*) FROM {nodes}").fetchone() or (0,))[0]
        except duckdb.Error as error:
            raise InputError(
                f"{folder.name}: nodes.parquet (code, id) and edges.parquet (source, target, "
                f"at_us) are needed ({str(error).splitlines()[0]})"
            ) from None
        finally:
            database.close()
        if not ties:
            raise InputError(f"{folder.name}: edges.parquet holds no tie")
        mode: Mode = "timed" if timed else "snapshot"
        if question == "mutuality":
            mode = "snapshot"
        elif question == "follow_back" and not timed:
            raise InputError("question: follow_back needs ties with at_us; these have none")
        elif question == "late_answer":
            raise InputError("question: late_answer needs two crawls, which an edge list has not")
        elif question not in ("auto", *QUESTIONS):
            raise InputError(f"question: {question!r} is unknown; {suggest(question, QUESTIONS)}")
        seen = tuple(name for name in EVENT_TABLES if (folder / f"seen_{name}.parquet").is_file())
        return cls(folder, mode, int(accounts), int(ties), int(last or 0), seen=seen)

    def count_rows(self) -> int:
        """Return the rows of all tables."""
        import duckdb

        paths = (self.folder / f"{name}.parquet" for name in TABLES)
        total = 0
        with duckdb.connect(":memory:") as database:
            for path in paths:
                if path.is_file():
                    sql = f"SELECT count(*) FROM {from_parquet(path)}"
                    total += (database.execute(sql).fetchone() or (0,))[0]
        return total


def code_edges(
    data: Path, folder: Path, *, memory: str | int | None = None, threads: int = 2
) -> dict[str, int]:
    """Write `nodes.parquet` and `edges.parquet` of an edge list; return what was read and kept."""
    from followkit.scale.codes import encode_follows

    limit = parse_bytes(memory) if memory is not None else int(measure_free_memory() * 0.6)
    found = encode_follows(data, folder, memory_limit=f"{limit // 2**20}MiB", threads=threads)
    return {name: value for name, value in vars(found).items() if name != "folder"}


def code_dataset(
    data: Path,
    folder: Path,
    *,
    question: str = "auto",
    horizon_days: float = 30.0,
    seed: int = 0,
    fold_count: int = 5,
) -> CodedFolder:
    """Write the coded tables of canonical data; their dyads are made in memory, with every rule.

    Raises
    ------
    InputError
        If the files are larger than memory, cannot be read, or cannot answer the question.
    """
    _check_size(data)
    dataset = load_dataset(data)
    able = [name for name, lacking in find_questions(dataset).items() if not lacking]
    chosen = able[0] if question == "auto" else question
    horizon = horizon_days if chosen == "follow_back" else None
    dyads = make_dyads(
        dataset,
        chosen,  # type: ignore[arg-type]
        horizon_days=horizon,
        seed=seed,
        fold_count=fold_count,
    )
    return write_coded(dyads, dataset, folder)


def _check_size(data: Path) -> None:
    files = data.rglob("*") if data.is_dir() else [data]
    size = sum(item.stat().st_size for item in files if item.is_file())
    free = measure_free_memory()
    if size * READ_FACTOR > free:
        raise InputError(
            f"{data.name}: canonical tables are checked in memory; these files have "
            f"{size / 2**30:.1f} GB, which would take about {size * READ_FACTOR / 2**30:.0f} GB, "
            f"and {free / 2**30:.1f} GB are free. Give the follows alone, as an edge list: those "
            "never lie in memory."
        )


def write_coded(dyads: DyadSet, dataset: Dataset, folder: Path) -> CodedFolder:
    """Write dyads and all that their tabular features need as coded Parquet files.

    Parameters
    ----------
    dyads
        Of any question, with their folds.
    dataset
        The tables that they were made from.
    folder
        Made where it is not there.

    Examples
    --------
    >>> import tempfile
    >>> from followkit.tables import make_dataset
    >>> ties = pd.DataFrame({"follower_id": ["a", "b", "c"], "followee_id": ["b", "a", "a"]})
    >>> data = make_dataset({"follows": ties})
    >>> coded = write_coded(make_dyads(data, "mutuality"), data, Path(tempfile.mkdtemp()))
    >>> coded.mode, coded.node_count, coded.tie_count
    ('snapshot', 3, 3)
    """
    rows, ties = dyads.table, make_ties(dyads, dataset)
    nodes = _list_accounts(rows, ties, dataset)
    tables = {
        "nodes": pd.DataFrame({"code": np.arange(len(nodes), dtype=np.int32), "id": nodes}),
        "dyads": _code_dyads(dyads, nodes),
        "ties": _code_ties(dyads, ties, nodes),
        **_code_events(dataset, nodes),
    }
    seen = {} if dyads.asof == "snapshot" else _code_seen(dataset, nodes)
    folder.mkdir(parents=True, exist_ok=True)
    database = connect_duckdb(folder, None, 1)
    try:
        for name, table in (tables | {f"seen_{name}": one for name, one in seen.items()}).items():
            target = str(folder / f"{name}.parquet").replace("'", "''")
            database.register("given", table)
            database.execute(f"COPY (SELECT * FROM given) TO '{target}' (FORMAT parquet)")
            database.unregister("given")
    finally:
        database.close()
    pair = ["follower_id", "followee_id"]
    return CodedFolder(
        folder,
        dyads.asof,
        len(nodes),
        len(ties),
        has_spells=bool((ties["end_us"] != NEVER_US).any() or ties.duplicated(pair).any()),
        horizon_us=round((dyads.horizon_days or 0.0) * DAY_US),
        seen=tuple(seen),
    )


def _list_accounts(rows: pd.DataFrame, ties: pd.DataFrame, dataset: Dataset) -> pd.Index:
    """Return every account of the dyads, ties, posts and acts, in order."""
    acts = get_table(dataset, "interactions")
    columns: list[Any] = [rows["initiator_id"], rows["decider_id"]]
    columns += [ties["follower_id"], ties["followee_id"]]
    columns += [get_table(dataset, "posts")["account_id"], acts["actor_id"], acts["target_id"]]
    filled = [column for column in columns if len(column)]
    return pd.Index(pd.concat(filled).dropna().unique()).sort_values()


def _code(nodes: pd.Index, ids: Iterable[Any]) -> npt.NDArray[np.int32]:
    return np.asarray(nodes.get_indexer(pd.Index(ids)), dtype=np.int32)


def _nullable(stamps: npt.NDArray[np.int64], missing: int) -> pd.Series:
    return pd.Series(stamps).astype("Int64").mask(stamps == missing)


def _code_dyads(dyads: DyadSet, nodes: pd.Index) -> pd.DataFrame:
    rows = dyads.table
    table = pd.DataFrame(
        {
            "initiator": _code(nodes, rows["initiator_id"]),
            "decider": _code(nodes, rows["decider_id"]),
            "fold": rows["fold"].to_numpy(dtype=np.int64),
            "outcome": rows["outcome"].to_numpy(dtype=np.int64),
        }
    )
    return table if dyads.asof == "snapshot" else table.assign(at_us=to_us(rows["at"]))


def _code_ties(dyads: DyadSet, ties: pd.DataFrame, nodes: pd.Index) -> pd.DataFrame:
    table = pd.DataFrame(
        {"source": _code(nodes, ties["follower_id"]), "target": _code(nodes, ties["followee_id"])}
    )
    if dyads.asof == "timed":
        start, end = (ties[name].to_numpy(dtype=np.int64) for name in ("start_us", "end_us"))
        return table.assign(start_us=start, end_us=_nullable(end, NEVER_US))
    if dyads.asof == "snapshot":
        key = table["source"].astype(np.int64) * len(nodes) + table["target"]
        back = table["target"].astype(np.int64) * len(nodes) + table["source"]
        folds = find_tie_folds(ties, dyads.table, dyads.table["fold"].to_numpy(dtype=np.int64))
        return table.assign(fold=folds, is_mutual=back.isin(key).to_numpy(dtype=np.int64))
    return table


def _code_events(dataset: Dataset, nodes: pd.Index) -> dict[str, pd.DataFrame]:
    """Return posts and acts with a known moment, where the data hold such."""
    found = {}
    if dataset.has("posts", "posted_at"):
        posts = get_table(dataset, "posts")
        posts = posts[posts["posted_at"].notna().to_numpy(dtype=bool)]
        found["posts"] = pd.DataFrame(
            {"account": _code(nodes, posts["account_id"]), "at_us": to_us(posts["posted_at"])}
        )
    if dataset.has("interactions", "at"):
        acts = get_table(dataset, "interactions")
        keep = acts["kind"].isin(ACT_KINDS) & (acts["actor_id"] != acts["target_id"])
        keep &= acts["at"].notna()
        acts = acts[keep.to_numpy(dtype=bool, na_value=False)]
        found["acts"] = pd.DataFrame(
            {
                "actor": _code(nodes, acts["actor_id"]),
                "target": _code(nodes, acts["target_id"]),
                "at_us": to_us(acts["at"]),
                "amount": acts["count"].fillna(1).to_numpy(dtype=np.int64),
                "kind": acts["kind"].to_numpy(dtype=object),
            }
        )
    return found


def _code_seen(dataset: Dataset, nodes: pd.Index) -> dict[str, pd.DataFrame]:
    """Return when each table of events was visible, by table, for accounts that take part."""
    seen = get_table(dataset, "observation")
    found = {}
    for name in EVENT_TABLES:
        rows = seen[(seen["table_name"] == name).to_numpy(dtype=bool)]
        if len(rows):
            table = pd.DataFrame(
                {
                    "account": _code(nodes, rows["account_id"]),
                    "from_us": to_us(rows["observed_from_at"]),
                    "until_us": _nullable(to_us(rows["observed_until_at"]), UNKNOWN_US),
                }
            )
            found[name] = table[table["account"] >= 0]
    return found
