"""The same ladder on many data sets, and what leakage would seem to be worth.

A row that compares data sets also compares questions, populations and base rates: it says how far
each question can be answered from such data, never that one network is better than another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from followkit import scores as sc
from followkit.analysis import Analysis, analyse, choose_question, main_split, make_splits
from followkit.dyads import QUESTIONS, Question, find_questions
from followkit.errors import FollowkitError, InputError, ParameterError, suggest
from followkit.naive import LEAK_SETS, auc_gap, compare_naive
from followkit.schema import SCHEMAS
from followkit.sources import EDGE_SUFFIXES, MAPPING_FILE, TABLE_SUFFIXES, find_data, load_dataset
from followkit.splits import Split
from followkit.tables import Dataset

Source = Dataset | Callable[[], Dataset]

WHOLE = [
    "data", "question", "horizon_days", "dyad_count", "answer_count", "rate", "rate_low",
    "rate_high", "account_count", "effective_account_count",
]  # fmt: skip
COLUMNS = [
    *WHOLE, "split", "is_main", "train_count", "rung", "label", "n", "auc", "auc_low", "auc_high",
    "log_loss", "skill", "skill_low", "skill_high", "reason",
]  # fmt: skip
LEAK_COLUMNS = [
    "data", "question", "split", "is_main", "features", "feature_count", "n",
    "naive_auc", "naive_low", "naive_high", "auc", "auc_low", "auc_high",
    "gain", "gain_low", "gain_high", "reason",
]  # fmt: skip

TEXTS = {"data", "question", "split", "rung", "label", "features", "reason"}
COUNTS = {"dyad_count", "answer_count", "account_count", "feature_count", "train_count", "n"}


@dataclass(frozen=True)
class Comparison:
    """The ladder of every data set and question, and the same features with the answers left in.

    Attributes
    ----------
    table
        One row a data set, question, split and rung: data, question, horizon_days, dyad_count,
        answer_count, rate (share answered) with rate_low and rate_high, account_count,
        effective_account_count (G_eff), split, is_main (the split of headlines), train_count
        (dyads that train for a held-out one, on average), rung, label, n (held-out dyads), auc,
        log_loss (nats a dyad), skill (Brier, against the base rate), with their intervals; reason:
        why a rung, a question or a whole data set has no scores.
    leaks
        One row a data set, question, split and set of features: naive_auc (answers left in), auc
        (leak-free), gain (naive less leak-free, paired) with intervals; n, feature_count.
    """

    table: pd.DataFrame
    leaks: pd.DataFrame


def compare_datasets(
    datasets: Mapping[str, Source],
    *,
    question: str = "auto",
    horizon_days: float = 30.0,
    seed: int = 0,
    confidence: float = 0.95,
    with_naive: bool = True,
) -> Comparison:
    """Run the ladder on every data set; one that cannot be used is a row with its reason.

    Parameters
    ----------
    datasets
        Name → data, or a function that reads them: then only one is in memory at a time.
    question
        One question for all, "auto" (the most telling that each can answer) or "all" (every one
        that each can answer).
    horizon_days
        For follow-back; late answers have the gap between the crawls.
    seed, confidence
        As in `followkit.analysis.analyse`.
    with_naive
        Also score the same features with the answers left in (`followkit.naive`).

    Returns
    -------
    Comparison
        Rows in the order of the data sets; within one, as `run_ladder` gives them.

    Raises
    ------
    ParameterError
        If there is no data set, or no such question.

    Examples
    --------
    >>> from followkit.tables import make_dataset
    >>> ties = pd.DataFrame({"follower_id": ["a", "b"], "followee_id": ["b", "a"]})
    >>> found = compare_datasets({"tiny": make_dataset({"follows": ties})}).table
    >>> found[["data", "question", "dyad_count"]].values.tolist()
    [['tiny', 'mutuality', 2]]
    >>> found["reason"].str.contains("no model is possible").tolist()
    [True]
    """
    if not datasets:
        raise ParameterError("datasets: none was given; name at least one")
    if question != "all":
        _check_question(question)
    tables, leaks = [], []
    for name, source in datasets.items():
        try:
            dataset = source if isinstance(source, Dataset) else source()
            questions = list_questions(dataset, question)
        except FollowkitError as error:
            tables.append(_make_failure(name, "", str(error)))
            continue
        for asked in questions:
            try:
                found = analyse(
                    dataset, asked, horizon_days=horizon_days, seed=seed, confidence=confidence
                )
            except FollowkitError as error:
                tables.append(_make_failure(name, asked, str(error)))
                continue
            splits = make_splits(found.dyads, seed=seed) if found.ladder is not None else []
            tables.append(_tabulate(name, found, splits))
            if with_naive and splits:
                leaks.append(_tabulate_leaks(name, found, splits))
    return Comparison(_stack(tables, COLUMNS), _stack(leaks, LEAK_COLUMNS))


def list_questions(dataset: Dataset, question: str) -> list[Question]:
    """Return the questions to ask of data: the one named, the most telling, or all they answer."""
    if question == "all":
        return [name for name, lacking in find_questions(dataset).items() if not lacking]
    return [choose_question(dataset, question)]


def find_datasets(paths: str | Sequence[str | Path]) -> dict[str, Callable[[], Dataset]]:
    """Return a reader for each data set, by a short name; nothing is read yet.

    Parameters
    ----------
    paths
        Folders of tables, DuckDB files, edge lists or mapping files, as for `load_dataset`, in a
        list or in one text with semicolons between; a folder that holds no table of its own
        stands for every data set inside it.

    Raises
    ------
    ParameterError
        If no path is given.
    InputError
        If a folder of data sets holds none. A path that is missing or broken fails when it is
        read, so that it costs no other data set its place.

    Examples
    --------
    >>> list(find_datasets("mine/ties.csv; hers/ties.csv; town"))
    ['mine', 'hers', 'town']
    """
    if isinstance(paths, str):
        paths = [part.strip() for part in paths.split(";") if part.strip()]
    if not paths:
        raise ParameterError("data: none was given; name at least one folder or file")
    places = list(dict.fromkeys(place for path in paths for place in _open_folder(Path(path))))
    return {
        name: partial(_read, place)
        for name, place in zip(_name_places(places), places, strict=True)
    }


def _name_places(places: Sequence[Path]) -> list[str]:
    """Return the shortest names that tell all places apart.

    Its own; where two agree, that of the folder a file lies in; then with the folder's; then whole.
    """
    names = [place.name.split(".")[0] or str(place) for place in places]
    beside = [place.parent.name if place.suffix else own
              for place, own in zip(places, names, strict=True)]  # fmt: skip
    longer = [f"{place.parent.name}/{own}" for place, own in zip(places, names, strict=True)]
    for better in (beside, longer, [str(place) for place in places]):
        names = [
            other if names.count(name) > 1 else name
            for name, other in zip(names, better, strict=True)
        ]
    return names


def _read(path: Path) -> Dataset:
    return load_dataset(find_data(path))


def _open_folder(path: Path) -> list[Path]:
    """Return the path itself, or the data sets in a folder that has no table of its own."""
    try:
        place = find_data(path)
    except InputError:
        return [path]
    if not place.is_dir() or _is_dataset(place):
        return [path]
    inside = [item for item in sorted(place.iterdir()) if _is_dataset(item) or _is_file(item)]
    if not inside:
        raise InputError(
            f"{path}: neither a table nor a data set is in this folder; give a folder with "
            "follows.csv, or one whose folders are data sets"
        )
    return inside


def _is_dataset(place: Path) -> bool:
    names = {f"{name}{suffix}" for name in SCHEMAS for suffix in TABLE_SUFFIXES}
    return place.is_dir() and any(
        item.name in names or item.name == MAPPING_FILE for item in place.iterdir()
    )


def _is_file(place: Path) -> bool:
    is_read = place.suffix in (*EDGE_SUFFIXES, ".duckdb", ".parquet", ".toml")
    return is_read and place.is_file() and place.stem.lower() not in ("readme", "license")


# -------------------------------------------------------------------------------------- tables


def _tabulate(name: str, found: Analysis, splits: Sequence[Split]) -> pd.DataFrame:
    """Return the rows of one question: every rung on every split, then the rungs it lacks."""
    rate = found.rate
    whole = (
        name, found.question, found.dyads.horizon_days, rate.n, rate.event_count, rate.rate,
        rate.ci_low, rate.ci_high, rate.account_count, rate.effective_account_count,
    )  # fmt: skip
    if found.ladder is None:
        return _make_row(dict(zip(WHOLE, whole, strict=True)) | {"reason": found.no_model})
    main = main_split(found)
    scored = _spread_scores(found.ladder.scores)
    lacking = found.ladder.missing.assign(split=main)
    table = pd.concat([scored, lacking], ignore_index=True).reindex(columns=COLUMNS)
    table[WHOLE] = whole
    table["train_count"] = table["split"].map({split.name: _count_train(split) for split in splits})
    return table.assign(is_main=table["split"] == main, reason=table["reason"].fillna(""))


def _count_train(split: Split) -> int:
    """Return how many dyads train for a held-out one, on average."""
    return round(float(split.train.sum(axis=1)[split.cell[split.tested]].mean()))


def _spread_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """Return one row a split and rung, with its scores beside each other."""
    keys = ["split", "rung"]
    table = scores[[*keys, "label", "n"]].drop_duplicates(keys, ignore_index=True)
    names = {"auc": "auc", "log_loss": "log_loss", "brier_skill": "skill"}
    for score, column in names.items():
        ends = {"value": column, "ci_low": f"{column}_low", "ci_high": f"{column}_high"}
        part = scores.loc[scores["score"] == score, [*keys, *ends]].rename(columns=ends)
        table = table.merge(part, on=keys, how="left", validate="1:1")
    notes = scores.loc[scores["score"] == "auc", [*keys, "note"]]
    return table.merge(notes.rename(columns={"note": "reason"}), on=keys, how="left")


def _tabulate_leaks(name: str, found: Analysis, splits: Sequence[Split]) -> pd.DataFrame:
    rows = []
    main = main_split(found)
    for split in splits:
        for label, names in LEAK_SETS.items():
            head = (name, found.question, split.name, split.name == main, label, len(names))
            rows.append((*head, *_measure_leak(found, split, names)))
    return pd.DataFrame(rows, columns=LEAK_COLUMNS)


def _measure_leak(found: Analysis, split: Split, names: Sequence[str]) -> tuple[object, ...]:
    try:
        naive, honest = compare_naive(found, split, names)
    except InputError as error:
        return (0, *[np.nan] * 9, str(error))
    reason = sc.too_few(naive)
    return (len(naive.outcome), *sc.auc(naive), *sc.auc(honest), *auc_gap(naive, honest), reason)


def _make_failure(name: str, question: str, reason: str) -> pd.DataFrame:
    return _make_row({"data": name, "question": question, "reason": reason})


def _make_row(values: Mapping[str, object]) -> pd.DataFrame:
    texts = dict.fromkeys(("split", "rung", "label"), "")
    return pd.DataFrame([texts | {"is_main": True} | dict(values)], columns=COLUMNS)


def _stack(tables: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """Return the tables one below the other, in the same dtypes whatever they hold."""
    parts = [table.astype(object) for table in tables if len(table)]
    whole = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(columns))
    kinds = dict.fromkeys(columns, "float64")
    kinds |= dict.fromkeys(TEXTS & set(columns), "str") | {"is_main": "bool"}
    return whole.astype(kinds | dict.fromkeys(COUNTS & set(columns), "Int64"))


def _check_question(question: str) -> None:
    valid = ["auto", "all", *QUESTIONS]
    if question not in valid:
        raise ParameterError(f"question: {question!r} is unknown; {suggest(question, valid)}")
