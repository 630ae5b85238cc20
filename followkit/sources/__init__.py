"""Reading data: tables, a DuckDB file, an edge list or a platform's export → a `Dataset`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, time
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pandas as pd

from followkit.errors import InputError, ParameterError, suggest
from followkit.remember import remembered
from followkit.schema import SCHEMAS
from followkit.sources.duckdb_files import read_database, read_parquet
from followkit.sources.edge_lists import name_columns, read_edge_list
from followkit.sources.exports import (
    ARCHIVE_SUFFIXES,
    find_platform,
    is_zip,
    list_parts,
    read_export,
    require_export,
)
from followkit.sources.mapping import apply_mapping, make_observation, read_mapping, read_toml
from followkit.sources.text_files import read_delimited, read_text_table
from followkit.tables import Dataset, make_dataset

__all__ = [
    "check_is_export", "describe_dataset", "find_data", "find_export", "load_dataset", "load_parts",
    "read_text_table",
]  # fmt: skip

ROOT_VARIABLE = "FOLLOWKIT_ROOT"
TABLE_SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")
EDGE_SUFFIXES = (".csv", ".tsv", ".txt", ".edges", ".edgelist", ".gz", ".dat")
DATABASE_SUFFIXES = (".duckdb", ".db")
MAPPING_FILE = "followkit.toml"
STAMPS = ("followed_at", "followed_after_at", "followed_before_at", "unfollowed_at")

Step = tuple[str, str, int, str]
Tables = dict[str, pd.DataFrame]


def find_data(name: str | Path, *, start: Path | None = None) -> Path:
    """Return where data lie: as given, else looked for upwards to the folder with pyproject.toml.

    The search begins in `start`; without it where the report was asked for, or the working folder.

    Raises
    ------
    InputError
        If there is nothing of that name; the message says where it was looked for.
    """
    try:
        # A shell leaves the ~ of `--export=~/my.zip` and of quoted paths as it is.
        given = Path(name).expanduser()
        start = start or Path(os.environ.get(ROOT_VARIABLE) or Path.cwd())
        places = [start]
        while not (places[-1] / "pyproject.toml").exists() and places[-1] != places[-1].parent:
            places.append(places[-1].parent)
        for place in places:
            if (place / given).exists():
                return place / given
        parent = (start / given).parent
        near = [item.name for item in parent.iterdir()] if parent.is_dir() else []
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", "") or error
        raise InputError(f"data: {str(name)!r} cannot be looked up ({reason})") from None
    close = get_close_matches(given.name, sorted(near), n=1)
    hint = f"; did you mean {given.with_name(close[0])}?" if close else "; check the spelling"
    raise InputError(f"data: {str(name)!r} was not found here or in a folder above{hint}")


@remembered
def load_dataset(path: str | Path, *, mapping: str | Path | None = None) -> Dataset:
    r"""Load data as canonical tables.

    Parameters
    ----------
    path
        A folder of CSV or Parquet tables with canonical names (`follows.csv`, …), a `.duckdb` file,
        one edge list, or a mapping file that says in `folder` where its files are. A folder may
        hold `dataset.toml` (title, source, licence, notes) and `truth.json` (of simulated data).
        Or a platform's export as it was downloaded: its zip, a folder of its zips, or its folder
        (`followkit.sources.exports`).
    mapping
        A TOML file for tables with other names; `followkit.toml` in the folder is found by itself.

    Returns
    -------
    Dataset
        `quality` says what was read and dropped, and what was assumed where no observation table
        says who was watched when.

    Raises
    ------
    InputError
        If something is missing or cannot be read (`TableError` with every problem of the tables).

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "ties.csv"
    >>> _ = path.write_text("source,target\nNA,007\n007,NA\n", encoding="utf-8")
    >>> load_dataset(path).follows.to_dict("list")
    {'follower_id': ['NA', '007'], 'followee_id': ['007', 'NA']}
    """
    place = _locate(path)
    if mapping is not None and str(mapping):
        return _load_mapped(_locate(mapping), place)
    _require_readable(place)
    if (place / MAPPING_FILE).is_file():
        return _load_mapped(place / MAPPING_FILE, None)
    if place.suffix.lower() == ".toml":
        return _load_mapped(place, None)
    if _is_export(place):
        return read_export(list_parts(place))
    name = place.name if place.is_dir() else place.name.split(".")[0]
    tables, steps = _read_any(place)
    about = _read_about(place) if place.is_dir() else {}
    steps += _say_assumptions(tables)
    return make_dataset(tables, name=name, about=about, quality=_quality(steps))


def load_parts(
    data: str, *, platform: str = "", ego: str = "", exported_at: str | datetime = ""
) -> Dataset:
    """Load the parts of one export, separated by semicolons; or any one place that holds data.

    Parameters
    ----------
    data
        One place, or all parts of one export.
    platform
        Which of the platforms in an export: Threads lies in the zip of Instagram.
    ego
        Account id of the owner, where the export does not tell it.
    exported_at
        When the export was made (UTC), where it does not tell: a moment, or a day such as
        "2026-06-15", which counts to its end.

    Raises
    ------
    InputError
        As `load_dataset` and `find_data`; `ParameterError` if `exported_at` is no day.
    """
    moment = _parse_moment(exported_at)
    parts = _find_places(data)
    if len(parts) == 1 and not (platform or ego or moment):
        return load_dataset(parts[0])
    every = [part for place in parts for part in list_parts(place)]
    return read_export(every, platform=platform or None, ego=ego or None, exported_at=moment)


def check_is_export(data: str) -> None:
    """Check that an export lies there, or tables made from one, before anything long is begun.

    Parameters
    ----------
    data
        As for `load_parts`.

    Raises
    ------
    InputError
        If it is not there, cannot be opened, or is no export; the message says what it is.

    Examples
    --------
    >>> check_is_export("pyproject.toml")
    Traceback (most recent call last):
    ...
    followkit.errors.InputError: pyproject.toml: no export that followkit knows. Give ...
    """
    places = _find_places(data)
    if not all(place.is_dir() and _has_tables(place) for place in places):
        require_export([part for place in places for part in list_parts(place)])


def find_export(data: str) -> str:
    """Return whose export lies there, by the names of its files; "" for tables and edge lists.

    Examples
    --------
    >>> find_export("data/town"), find_export("data/my_export")
    ('', 'instagram')
    """
    places = _find_places(data)
    if any(place.is_dir() and _has_tables(place) for place in places):
        return ""
    return find_platform([part for place in places for part in list_parts(place)])


def _find_places(data: str) -> list[Path]:
    names: Sequence[str] = [part.strip() for part in data.split(";") if part.strip()]
    with suppress(InputError):
        # A name may hold a semicolon itself.
        names = names if len(names) < 2 else [str(find_data(data.strip()))]
    places = [find_data(name) for name in names]
    if not places:
        raise InputError("data: no place is named; give the export as it was downloaded")
    for place in places:
        _require_readable(place)
    return places


def _parse_moment(given: str | datetime) -> datetime | None:
    """Return a moment in UTC; a day counts to its end, since lists may hold follows of that day."""
    if not given:
        return None
    try:
        moment = given if isinstance(given, datetime) else datetime.fromisoformat(given.strip())
    except ValueError:
        raise ParameterError(
            f"exported_at: {given!r} is no day; write it as 2026-06-15, or as a moment, such as "
            "2026-06-15T18:30:00Z."
        ) from None
    if isinstance(given, str) and len(given.strip()) <= len("2026-06-15"):
        moment = datetime.combine(moment, time(23, 59, 59))
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _has_tables(folder: Path) -> bool:
    names = (f"{name}{suffix}" for name in SCHEMAS for suffix in TABLE_SUFFIXES)
    return any((folder / name).is_file() for name in names)


def _is_export(place: Path) -> bool:
    """Return whether an export lies here; tables with canonical names come first."""
    if place.is_dir():
        return not _has_tables(place) and bool(find_platform(list_parts(place)))
    suffix = place.suffix.lower()
    if suffix in ARCHIVE_SUFFIXES:
        return True
    if suffix in (*DATABASE_SUFFIXES, ".parquet"):
        return False
    # Browsers rename what they download, so a zip is known by its first bytes.
    return is_zip(place) or (suffix in (".csv", ".txt") and bool(find_platform(place)))


def _require_readable(place: Path) -> None:
    """Say in a sentence that a place may not be read; else libraries say it in many ways."""
    if place.exists() and not os.access(place, os.R_OK | (os.X_OK if place.is_dir() else 0)):
        raise InputError(
            f"{place.name}: may not be read by you (no permission); copy it into a folder of yours."
        )


def _locate(path: str | Path) -> Path:
    try:
        return Path(path) if Path(path).exists() else find_data(path)
    except OSError as error:
        raise InputError(f"data: {str(path)[:80]!r} cannot be looked up ({error})") from None


def _read_any(place: Path) -> tuple[Tables, list[Step]]:
    suffix = place.suffix.lower()
    if place.is_dir():
        return _read_folder(place)
    if suffix in DATABASE_SUFFIXES:
        tables = read_database(place)
        return tables, [(name, "read", len(table), place.name) for name, table in tables.items()]
    if suffix == ".parquet":
        frame = read_parquet(place)
        ties, remarks = name_columns(frame, [str(name).casefold() for name in frame.columns])
        return {"follows": ties}, _read_steps("follows", ties, place, remarks)
    if suffix in EDGE_SUFFIXES or place.name.startswith("out."):
        ties, remarks = read_edge_list(place)
        return {"follows": ties}, _read_steps("follows", ties, place, remarks)
    raise InputError(
        f"{place.name}: unknown kind of file; give a folder of tables, a .duckdb or .parquet file, "
        f"an edge list ({', '.join(EDGE_SUFFIXES)}), or a platform's export as it was downloaded"
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


def _read_folder(folder: Path) -> tuple[Tables, list[Step]]:
    tables: Tables = {}
    steps: list[Step] = []
    for name in SCHEMAS:
        files = [folder / f"{name}{suffix}" for suffix in TABLE_SUFFIXES]
        files = [file for file in files if file.is_file()]
        if len(files) > 1:
            both = " and ".join(file.name for file in files)
            raise InputError(f"{folder.name}: {name} comes twice ({both}); keep one")
        if files:
            tables[name], remarks = _read_table(files[0])
            steps += _read_steps(name, tables[name], files[0], remarks)
    if not tables:
        have = ", ".join(sorted(item.name for item in folder.iterdir())[:12]) or "nothing"
        packed = "; if the zip is a platform's export, give the zip itself" * (".zip" in have)
        raise InputError(
            f"{folder.name}: no canonical table is in it (found {have}); expected at least "
            f"follows.csv, or a {MAPPING_FILE} that names the files{packed}"
        )
    return tables, steps


def _read_table(path: Path) -> tuple[pd.DataFrame, list[str]]:
    if path.suffix.lower() == ".parquet":
        return read_parquet(path), []
    return read_delimited(path)


def _load_mapped(mapping_file: Path, place: Path | None) -> Dataset:
    """Load what a mapping names: from the folder given, else from the folder that it names."""
    mapping = read_mapping(mapping_file)
    folder = place if place is not None else mapping_file.parent / mapping.folder
    if not folder.is_dir():
        raise InputError(f"{mapping_file.name}: {folder} is no folder; a mapping needs one")
    tables: Tables = {}
    steps: list[Step] = []
    for name, part in mapping.tables.items():
        file = (folder / part.file).resolve()
        if not file.is_relative_to(folder.resolve()) or not file.is_file():
            hint = suggest(part.file, sorted(item.name for item in folder.iterdir())[:20])
            raise InputError(f"{mapping_file.name}: {part.file} is not in {folder}; {hint}")
        frame, remarks = _read_table(file)
        tables[name], left_out = apply_mapping(frame, part, name)
        steps += _read_steps(name, frame, file, remarks)
        if left_out:
            steps.append((name, "dropped", left_out, f"not where {part.where}"))
    if {"follower_id", "followee_id"} <= set(tables["follows"]):
        declared = make_observation(mapping, tables["follows"])
        if declared is not None:
            tables["observation"] = declared
            steps += _note("observation", [f"declared for every account in {mapping_file.name}"])
    about = {**_read_about(folder), **mapping.about}
    steps += _say_assumptions(tables)
    return make_dataset(
        tables, name=str(about.pop("name", folder.name)), about=about, quality=_quality(steps)
    )


def _say_assumptions(tables: Tables) -> list[Step]:
    """Return what is taken for granted where nothing says who was watched when."""
    seen = tables.get("observation")
    if "follows" not in tables or (seen is not None and _has_value(seen, "table_name", "follows")):
        return []
    if any(_has_value(tables["follows"], name) for name in STAMPS):
        what = "every account counts as watched from the first time of a follow to the last"
        if not _has_value(tables["follows"], "unfollowed_at"):
            what += ", and withdrawn follows as unseen"
    else:
        what = "follows carry no times: one snapshot, every list counts as complete"
    return _note("follows", [f"assumed, as no observation of follows is given: {what}"])


def _has_value(frame: pd.DataFrame, name: str, value: str | None = None) -> bool:
    if name not in frame:
        return False
    is_it: Callable[[pd.Series], pd.Series] = (
        (lambda column: column == value) if value is not None else (lambda column: column != "")
    )
    return bool((frame[name].notna() & is_it(frame[name])).any())


def _read_steps(table: str, frame: pd.DataFrame, file: Path, remarks: list[str]) -> list[Step]:
    return [(table, "read", len(frame), file.name), *_note(table, remarks)]


def _note(table: str, remarks: list[str]) -> list[Step]:
    return [(table, "noted", 0, remark) for remark in remarks]


def _quality(steps: list[Step]) -> pd.DataFrame:
    return pd.DataFrame(steps, columns=["table", "step", "rows", "note"])


def _read_about(folder: Path) -> dict[str, Any]:
    about = read_toml(folder / "dataset.toml") if (folder / "dataset.toml").is_file() else {}
    truth = folder / "truth.json"
    if truth.is_file():
        try:
            about["truth"] = json.loads(truth.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(f"{truth.name}: not valid JSON ({error})") from None
    return about
