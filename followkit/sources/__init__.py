"""Reading data: a folder, one DuckDB file or an edge list → a `Dataset`. Readers only load."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd

from followkit.errors import InputError, suggest
from followkit.schema import SCHEMAS
from followkit.sources.duckdb_files import read_database, read_parquet
from followkit.sources.edge_lists import read_edge_list
from followkit.sources.mapping import apply_mapping, read_mapping, read_toml
from followkit.sources.text_files import read_text_table
from followkit.tables import Dataset, make_dataset

__all__ = ["describe_dataset", "find_data", "load_dataset", "read_text_table"]

ROOT_VARIABLE = "FOLLOWKIT_ROOT"
TABLE_SUFFIXES = (".csv", ".csv.gz", ".tsv", ".parquet")
EDGE_SUFFIXES = (".csv", ".tsv", ".txt", ".edges", ".edgelist", ".gz", ".dat")
MAPPING_FILE = "followkit.toml"

Step = tuple[str, str, int, str]


def find_data(name: str | Path) -> Path:
    """Return where data lie: as given, else looked for upwards to the folder with pyproject.toml.

    Raises
    ------
    InputError
        If there is nothing of that name; the message says where it was looked for.
    """
    given = Path(name)
    start = Path(os.environ.get(ROOT_VARIABLE) or Path.cwd())
    places = [start]
    while not (places[-1] / "pyproject.toml").exists() and places[-1] != places[-1].parent:
        places.append(places[-1].parent)
    for place in places:
        if (place / given).exists():
            return place / given
    parent = (start / given).parent
    near = [item.name for item in parent.iterdir()] if parent.is_dir() else []
    hint = f"; {suggest(given.name, sorted(near)[:20])}" if near else ""
    raise InputError(f"data: {str(name)!r} was not found here or in a folder above{hint}")


def load_dataset(path: str | Path, *, mapping: str | Path | None = None) -> Dataset:
    """Load data as canonical tables.

    Parameters
    ----------
    path
        A folder of CSV or Parquet tables with canonical names (`follows.csv`, …), a `.duckdb` file,
        or one edge list. A folder may hold `dataset.toml` (title, source, licence, notes) and
        `truth.json` (of simulated data).
    mapping
        A TOML file for tables with other names; `followkit.toml` in the folder is found by itself.

    Returns
    -------
    Dataset

    Raises
    ------
    InputError
        If something is missing or cannot be read (`TableError` with every problem of the tables).
    """
    place = Path(path)
    if not place.exists():
        place = find_data(path)
    if mapping is None and (place / MAPPING_FILE).is_file():
        mapping = place / MAPPING_FILE
    if mapping:
        found = Path(mapping) if Path(mapping).exists() else find_data(mapping)
        return _load_mapped(place, found)
    if place.is_dir():
        tables, steps = _read_folder(place)
        return make_dataset(
            tables, name=place.name, about=_read_about(place), quality=_quality(steps)
        )
    if place.suffix in (".duckdb", ".db"):
        return make_dataset(read_database(place), name=place.stem)
    if place.suffix in EDGE_SUFFIXES:
        return _load_edges(place)
    raise InputError(
        f"{place.name}: unknown kind of file; give a folder of tables, a .duckdb file or an edge "
        f"list ({', '.join(EDGE_SUFFIXES)})"
    )


def describe_dataset(dataset: Dataset) -> pd.DataFrame:
    """Return what was read, dropped and kept, with a check that the counts add up.

    Returns
    -------
    pandas.DataFrame
        table, step, rows, note: the steps of `Dataset.quality`; notes say why rows were dropped.

    Examples
    --------
    >>> ties = pd.DataFrame({"follower_id": ["a", "a"], "followee_id": ["b", "a"]})
    >>> describe_dataset(make_dataset({"follows": ties}))[["step", "rows"]].values.tolist()
    [['read', 2], ['dropped', 1], ['kept', 1]]
    """
    quality = dataset.quality
    for name, steps in quality.groupby("table", sort=False):
        rows = steps.set_index("step")["rows"]
        read, kept = rows.get("read", 0), rows.get("kept", 0)
        gone = steps.loc[steps["step"] == "dropped", "rows"].sum()
        if read - gone != kept:
            raise AssertionError(f"{name}: {read} read − {gone} dropped ≠ {kept} kept")
    return quality.reset_index(drop=True)


def _read_folder(folder: Path) -> tuple[dict[str, pd.DataFrame], list[Step]]:
    tables: dict[str, pd.DataFrame] = {}
    for name in SCHEMAS:
        files = [folder / f"{name}{suffix}" for suffix in TABLE_SUFFIXES]
        files = [file for file in files if file.is_file()]
        if len(files) > 1:
            both = " and ".join(file.name for file in files)
            raise InputError(f"{folder}: {name} comes twice ({both}); keep one")
        if files:
            tables[name] = _read_table(files[0])
    if not tables:
        have = ", ".join(sorted(item.name for item in folder.iterdir())[:12]) or "nothing"
        raise InputError(
            f"{folder}: no canonical table is in it (found {have}); expected at least follows.csv, "
            f"or a {MAPPING_FILE} that names the files"
        )
    return tables, []


def _read_table(path: Path) -> pd.DataFrame:
    return read_parquet(path) if path.suffix == ".parquet" else read_text_table(path)


def _load_mapped(folder: Path, mapping_file: Path) -> Dataset:
    mapping = read_mapping(mapping_file)
    tables: dict[str, pd.DataFrame] = {}
    steps: list[Step] = []
    for name, part in mapping.tables.items():
        file = (folder / part.file).resolve()
        if not file.is_relative_to(folder.resolve()) or not file.is_file():
            raise InputError(f"{mapping_file.name}: {part.file} is not in {folder}; mend `file`")
        frame = _read_table(file)
        tables[name], left_out = apply_mapping(frame, part, name)
        steps.append((name, "read", len(frame), part.file))
        if left_out:
            steps.append((name, "dropped", left_out, f"not where {part.where}"))
    about = dict(mapping.about)
    return make_dataset(
        tables, name=str(about.pop("name", folder.name)), about=about, quality=_quality(steps)
    )


def _load_edges(path: Path) -> Dataset:
    ties, remarks = read_edge_list(path)
    steps: list[Step] = [("follows", "read", len(ties), path.name)]
    steps += [("follows", "noted", 0, remark) for remark in remarks]
    if "followed_at" in ties:
        ties = ties.sort_values("followed_at", kind="stable")
    return make_dataset({"follows": ties}, name=path.name.split(".")[0], quality=_quality(steps))


def _quality(steps: list[Step]) -> pd.DataFrame:
    return pd.DataFrame(steps, columns=["table", "step", "rows", "note"])


def _read_about(folder: Path) -> dict[str, Any]:
    about = read_toml(folder / "dataset.toml") if (folder / "dataset.toml").is_file() else {}
    truth = folder / "truth.json"
    if truth.is_file():
        try:
            about["truth"] = json.loads(truth.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise InputError(f"{truth.name}: not valid JSON ({error})") from None
    return about
