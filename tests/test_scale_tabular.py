"""Tabular features at scale: the catalogue's numbers on every engine, folds, dyads, folders."""

from __future__ import annotations

import json
import shutil
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followkit.dyads import DyadSet, make_dyads
from followkit.errors import InputError
from followkit.features import (
    CATALOGUE,
    activity,
    context,
    engagement,
    make_features,
    records,
    selectivity,
    visibility,
)
from followkit.graph import NEVER, count_degrees_asof, make_graph
from followkit.scale import engines, frames
from followkit.scale.asof import count_asof, make_history
from followkit.scale.coding import CodedFolder, write_coded
from followkit.scale.engines import check_fits, measure_free_memory, open_engine, parse_bytes
from followkit.scale.features_cli import write_features
from followkit.scale.frames import Frame, Tables, join_rows, keep_nothing
from followkit.scale.hashing import HASH_PRIME, make_code_folds
from followkit.scale.tabular import (
    add_folds,
    make_snapshot_dyads,
    make_snapshot_ties,
    make_tabular_features,
    make_timed_dyads,
)
from followkit.sources import load_dataset
from followkit.tables import Dataset, make_dataset

DATA = Path(__file__).resolve().parents[1] / "data"
KEYS = ["initiator", "decider"]
LOCAL = [
    "duckdb",
    "pandas",
    pytest.param(
        "polars",
        marks=pytest.mark.skipif(find_spec("polars") is None, reason="polars is not installed"),
    ),
]


def frame(table: pd.DataFrame) -> Frame:
    return nw.from_native(table).lazy()


def rows(found: Frame) -> pd.DataFrame:
    return found.collect("pandas").to_native()


@cache
def load(name: str) -> Dataset:
    return load_dataset(DATA / name)


@cache
def small_town() -> Dataset:
    """Return what the first 500 accounts of the town did among themselves."""
    town = load("town")
    some = set(town.tables["accounts"]["account_id"].iloc[:500])
    columns = {
        "accounts": ["account_id"],
        "follows": ["follower_id", "followee_id"],
        "posts": ["account_id"],
        "interactions": ["actor_id", "target_id"],
        "observation": ["account_id"],
    }
    kept = {
        name: town.tables[name][town.tables[name][ids].isin(some).all(axis=1)].reset_index(
            drop=True
        )
        for name, ids in columns.items()
    }
    # Posts that are named but not there would be faults.
    kept["interactions"] = kept["interactions"].drop(columns=["post_id", "reply_to_id"])
    return make_dataset(kept)


def read_folder(folder: Path) -> pd.DataFrame:
    source = f"read_parquet('{folder}/part=*/*.parquet', hive_partitioning = true)"
    return duckdb.sql(f"SELECT * FROM {source} ORDER BY initiator, decider").df()


def coded_features(dyads: DyadSet, dataset: Dataset, folder: Path, engine: str) -> pd.DataFrame:
    """Write coded tables and return the features that an engine makes of them, in order."""
    coded = write_coded(dyads, dataset, folder / "coded")
    (folder / "stage").mkdir()
    with open_engine(engine, folder / "stage") as opened:
        paths = {path.stem: opened.read(path) for path in sorted(coded.folder.glob("*.parquet"))}
        tables = Tables(
            coded.mode,
            paths["dyads"],
            paths["ties"],
            has_spells=coded.has_spells,
            posts=paths.get("posts"),
            acts=paths.get("acts"),
            seen={name: paths[f"seen_{name}"] for name in coded.seen},
            horizon_us=coded.horizon_us,
        )
        found = rows(make_tabular_features(tables, keep=opened.keep))
    return found.sort_values(KEYS, ignore_index=True)


# -- the same numbers as the catalogue -------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "question", "feature_count"),
    [
        ("town", "follow_back", 30),
        ("town", "mutuality", 12),
        ("nostr", "late_answer", 12),
        ("nostr", "mutuality", 12),
    ],
)
def test_numbers_are_those_of_the_catalogue(
    name: str, question: str, feature_count: int, tmp_path: Path
) -> None:
    dataset = load(name)
    dyads = make_dyads(dataset, question)
    found = coded_features(dyads, dataset, tmp_path, "duckdb")
    names = [column for column in found if column in CATALOGUE]
    assert len(names) == feature_count
    expected = make_features(dyads, dataset, names=names, allow_untimed=True).values
    assert list(expected.columns) == [column for column in CATALOGUE if column in names]
    assert found["outcome"].tolist() == dyads.table["outcome"].tolist()
    assert found["fold"].tolist() == dyads.table["fold"].tolist()
    for column in names:
        made = found[column].to_numpy(dtype=np.float64, na_value=np.nan)
        np.testing.assert_allclose(
            made, expected[column].to_numpy(), rtol=1e-12, atol=1e-12, err_msg=column
        )


def test_a_crawl_looks_at_posts_and_acts_of_before_it(tmp_path: Path) -> None:
    town = small_town()
    tables = {name: town.tables[name] for name in ("posts", "interactions")}
    follows = town.follows[["follower_id", "followee_id", "followed_at", "unfollowed_at"]]
    crawls = pd.to_datetime(["2025-06-01", "2025-08-01"], utc=True)
    seen = pd.concat(
        [
            pd.DataFrame(
                {
                    "account_id": town.tables["accounts"]["account_id"],
                    "table_name": "follows",
                    "observed_from_at": at,
                    "observed_until_at": at,
                    "list_is_complete": True,
                    "sees_unfollows": True,
                }
            )
            for at in crawls
        ]
    )
    dataset = make_dataset({"follows": follows, "observation": seen, **tables})
    dyads = make_dyads(dataset, "late_answer")
    found = coded_features(dyads, dataset, tmp_path, "pandas")
    names = [column for column in found if column in CATALOGUE]
    assert "dyad_has_contact_7d" in names
    assert "initiator_follows_24h_log" not in names
    expected = make_features(dyads, dataset, names=names).values
    assert set(expected) == set(names)
    made = found[list(expected)].to_numpy(dtype=np.float64, na_value=np.nan)
    np.testing.assert_allclose(made, expected.to_numpy(), rtol=1e-12, atol=1e-12)


def test_constants_are_those_of_the_catalogue() -> None:
    assert frames.ACT_KINDS == context.ACT_KINDS
    assert {name: kinds for name, kinds, _ in visibility.CONTACTS} == dict(frames.CONTACTS)
    assert frames.WINDOW_DAYS == activity.WINDOW_DAYS == engagement.CONTACT_DAYS
    assert frames.WEEKS == engagement.STEADY_WEEKS
    assert frames.PRIOR == records.SHRINKAGE
    assert (engagement.APPROACH_DAYS, selectivity.SPAM_WINDOW_DAYS) == (7, 1)


# -- one text, every engine ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    dyads = make_dyads(small_town(), "follow_back")
    return coded_features(dyads, small_town(), tmp_path_factory.mktemp("reference"), "duckdb")


@pytest.mark.parametrize("engine", LOCAL[1:])
def test_engines_agree(engine: str, reference: pd.DataFrame, tmp_path: Path) -> None:
    dyads = make_dyads(small_town(), "follow_back")
    found = coded_features(dyads, small_town(), tmp_path, engine)
    assert list(found) == list(reference)
    assert len(found) > 500
    for column in found:
        made, wanted = found[column], reference[column]
        if wanted.dtype.kind == "i":
            assert made.dtype == wanted.dtype
            assert made.tolist() == wanted.tolist(), column
        else:
            made = made.to_numpy(dtype=np.float64, na_value=np.nan)
            np.testing.assert_allclose(made, wanted, rtol=1e-12, atol=1e-12, err_msg=column)


@pytest.mark.parametrize("question", ["follow_back", "mutuality"])
@pytest.mark.parametrize("engine", LOCAL[1:])
def test_folders_of_an_edge_list_have_the_same_fingerprint(
    engine: str, question: str, tmp_path: Path
) -> None:
    edges = write_edges(tmp_path / "edges")
    one = write_features(edges, tmp_path / "one", question=question, horizon_days=2)
    two = write_features(edges, tmp_path / "two", question=question, horizon_days=2, engine=engine)
    assert one["rows"] > 200
    for name in ("fingerprint", "rows", "answered", "parts", "columns"):
        assert one[name] == two[name]
    first, second = read_folder(tmp_path / "one"), read_folder(tmp_path / "two")
    pd.testing.assert_frame_equal(first, second, rtol=1e-12, atol=1e-12)


def write_edges(folder: Path, *, size: int = 600, accounts: int = 80, timed: bool = True) -> Path:
    rng = np.random.default_rng(7)
    table = pd.DataFrame(rng.integers(0, accounts, (size, 2)), columns=["source", "target"])
    table = table[table["source"] != table["target"]].drop_duplicates().astype(np.int32)
    # Few moments, so that many are equal.
    days = rng.integers(0, 40, len(table)) * frames.DAY_US // 2
    table["at_us"] = pd.Series(days if timed else None, table.index, dtype="Int64")
    nodes = pd.DataFrame({"code": np.arange(accounts), "id": np.arange(accounts) + 1000})
    folder.mkdir()
    for name, made in (("edges", table), ("nodes", nodes)):
        relation = duckdb.from_df(made)
        relation.write_parquet(str(folder / f"{name}.parquet"))
    return folder


# -- folds -----------------------------------------------------------------------------------------


def test_folds_do_not_know_the_direction_and_are_the_same_in_numpy() -> None:
    rng = np.random.default_rng(0)
    pairs = pd.DataFrame(rng.integers(0, 2**31 - 1, (500, 2)), columns=["a", "b"])
    pairs.loc[0] = [0, 2**31 - 1]
    options = {"seed": 3, "fold_count": 7}
    forth = rows(add_folds(frame(pairs), "a", "b", **options))["fold"]
    back = rows(add_folds(frame(pairs), "b", "a", **options))["fold"]
    assert forth.tolist() == back.tolist()
    assert make_code_folds(pairs["a"], pairs["b"], **options).tolist() == forth.tolist()
    with pytest.raises(InputError, match="at least 2 folds"):
        add_folds(frame(pairs), "a", "b", seed=0, fold_count=1)


@pytest.mark.parametrize("pattern", ["hub", "chain", "grid", "multiples"])
def test_folds_are_even_on_patterns_of_codes(pattern: str) -> None:
    size = 20_000
    i = np.arange(size)
    one, two = {
        "hub": (np.zeros(size, np.int64), i + 1),
        "chain": (i, i + 1),
        "grid": (i // 140, 1000 + i % 140),
        "multiples": (5 * i, 5 * i + 5),
    }[pattern]
    for seed in range(3):
        folds = make_code_folds(one, two, seed=seed, fold_count=5)
        counts = np.bincount(folds, minlength=5)
        # Chi-square with 4 degrees of freedom: above 23.5 in one of ten thousand cases.
        assert ((counts - size / 5) ** 2 / (size / 5)).sum() < 23.5
        # Neighbouring pairs share a fold as often as any two do.
        together = float((folds[1:] == folds[:-1]).mean())
        assert abs(together - 0.2) < 4 * (0.16 / size) ** 0.5


def test_folds_change_with_the_seed_and_stay_the_same_for_good() -> None:
    one, two = np.arange(10), np.arange(10) + 3
    assert make_code_folds(one, two, seed=0, fold_count=5).tolist() == PINNED
    other = make_code_folds(np.arange(1000), np.arange(1000) + 3, seed=1, fold_count=5)
    same = make_code_folds(np.arange(1000), np.arange(1000) + 3, seed=0, fold_count=5)
    assert abs(float((other == same).mean()) - 0.2) < 0.06


PINNED = [0, 4, 2, 3, 3, 2, 2, 2, 4, 0]


# -- dyads -----------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 12) | st.none())))
def test_timed_dyads_are_those_of_make_dyads(ties: list[tuple[int, int, int | None]]) -> None:
    table = pd.DataFrame(ties, columns=["source", "target", "day"]).astype("Int64")
    table = table[table["source"] != table["target"]].drop_duplicates(["source", "target"])
    if not table["day"].notna().any():
        return
    at = pd.to_datetime("2025-01-01", utc=True) + pd.to_timedelta(table["day"], unit="D")
    follows = pd.DataFrame(
        {"follower_id": table["source"], "followee_id": table["target"], "followed_at": at}
    )
    try:
        expected = make_dyads(make_dataset({"follows": follows}), "follow_back", horizon_days=3)
    except InputError:
        wanted = []
    else:
        wanted = expected.table[["initiator_id", "decider_id", "outcome"]].values.tolist()
    known = table.assign(start_us=table["day"] * frames.DAY_US)
    made = make_timed_dyads(
        frame(known[["source", "target", "start_us"]]),
        horizon_us=3 * frames.DAY_US,
        until_us=int(known["start_us"].max()),
        seed=0,
        fold_count=5,
    )
    found = rows(made)[[*KEYS, "outcome"]].to_numpy(dtype=np.int64)
    assert sorted(found.tolist()) == sorted([list(map(int, row)) for row in wanted])


def test_a_tie_of_the_same_fold_tells_nothing() -> None:
    rng = np.random.default_rng(1)
    edges = pd.DataFrame(rng.integers(0, 12, (70, 2)), columns=["source", "target"])
    edges = edges[edges["source"] != edges["target"]].drop_duplicates(ignore_index=True)

    def make(table: pd.DataFrame) -> pd.DataFrame:
        ties = make_snapshot_ties(frame(table), seed=0, fold_count=3)
        tables = Tables("snapshot", make_snapshot_dyads(ties), ties)
        return rows(make_tabular_features(tables)).set_index(KEYS)

    before = make(edges)
    for place in range(0, len(edges), 4):
        gone = edges.iloc[place]
        fold = before.loc[tuple(gone), "fold"]
        after = make(edges.drop(index=place))
        kept = after.index[(after["fold"] == fold).to_numpy()]
        columns = [name for name in before if name != "outcome"]
        pd.testing.assert_frame_equal(before.loc[kept, columns], after.loc[kept, columns])


# -- as of t ---------------------------------------------------------------------------------------

SPELLS = st.lists(
    st.tuples(
        st.integers(0, 4), st.integers(0, 4), st.integers(0, 8), st.integers(0, 8) | st.none()
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=15, deadline=None)
@given(SPELLS, st.integers(0, 9))
def test_degrees_as_of_t_are_those_of_the_graph(
    spells: list[tuple[int, int, int, int | None]], at: int
) -> None:
    table = pd.DataFrame(spells, columns=["source", "target", "start_us", "end_us"]).astype("Int64")
    table = table[(table["source"] != table["target"])]
    table = table[(table["end_us"] >= table["start_us"]).fillna(True).to_numpy(dtype=bool)]
    table = table.reset_index(drop=True)
    table = table.astype({"source": int, "target": int, "start_us": int})
    dyads = pd.DataFrame([(a, b, at, 0, 0) for a in range(5) for b in range(5) if a != b])
    dyads.columns = pd.Index([*KEYS, "at_us", "fold", "outcome"])
    tables = Tables("timed", frame(dyads), frame(table), has_spells=True)
    found = rows(join_rows(frame(dyads), count_asof(tables, keep_nothing))).sort_values(KEYS)
    ends = table["end_us"].fillna(NEVER).to_numpy(dtype=np.int64)
    starts = table["start_us"].to_numpy(dtype=np.int64)
    graph = make_graph(table["source"], table["target"], nodes=np.arange(5), start=starts, end=ends)
    for side in KEYS:
        codes = graph.code(found[side])
        out, into = count_degrees_asof(graph, codes, np.full(len(codes), at))
        assert found[f"{side}_followee_count"].tolist() == out.tolist()
        assert found[f"{side}_follower_count"].tolist() == into.tolist()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 6)), min_size=1))
def test_two_ranks_count_what_the_line_of_time_counts(ties: list[tuple[int, int, int]]) -> None:
    table = pd.DataFrame(ties, columns=["source", "target", "start_us"])
    table = table[table["source"] != table["target"]].drop_duplicates(["source", "target"])
    dyads = table.set_axis([*KEYS, "at_us"], axis=1).assign(fold=0, outcome=0)
    found = []
    for is_own in (True, False):
        tables = Tables("timed", frame(dyads), frame(table), opens_ties=is_own)
        found.append(rows(join_rows(frame(dyads), count_asof(tables, keep_nothing))))
    if len(table):
        columns = [*KEYS, *frames.DEGREES]
        assert found[0][columns].astype(int).values.tolist() == found[1][columns].values.tolist()


def test_history_takes_the_first_spell() -> None:
    ties = pd.DataFrame(
        [(0, 1, 10, 12), (0, 1, 20, None), (1, 0, 15, None), (2, 1, 10, 30), (1, 2, 14, None)],
        columns=["source", "target", "start_us", "end_us"],
    ).astype("Int64")
    found = rows(make_history(frame(ties), horizon_us=5, has_spells=True)).sort_values(KEYS)
    # 0 → 1 had ended when 1 → 0 began; the answers themselves are no follows received.
    assert found.astype(int).values.tolist() == [[0, 1, 15, 0], [2, 1, 15, 1]]


# -- folders ---------------------------------------------------------------------------------------


def test_a_folder_says_what_is_in_it(tmp_path: Path) -> None:
    edges = write_edges(tmp_path / "edges")
    about = write_features(edges, tmp_path / "out", horizon_days=2, part_count=3)
    kept = json.loads((tmp_path / "out" / "_about.json").read_text(encoding="utf-8"))
    assert kept == about
    found = read_folder(tmp_path / "out")
    assert len(found) == about["rows"] == sum(about["parts"].values())
    assert found["outcome"].sum() == about["answered"]
    assert (found["part"] == found["initiator"] % 3).all()
    assert about["question"] == "follow_back"
    assert set(about["columns"]) == set(found) - {"part"}
    ids = duckdb.sql(f"SELECT id FROM '{tmp_path}/out/nodes.parquet' ORDER BY code").fetchall()
    assert ids[0] == (1000,)
    # Nothing of the work is left beside it.
    assert sorted(item.name for item in tmp_path.iterdir()) == ["edges", "out"]


def test_an_edge_list_is_coded_first(tmp_path: Path) -> None:
    lines = [
        "a,b,2025-01-01",
        "b,a,2025-01-02",
        "c,a,2025-01-03",
        "d,d,2025-01-03",
        "a,b,2025-02-01",
    ]
    text = "\n".join(["follower_id,followee_id,followed_at", *lines, "e,a,2025-03-01"])
    (tmp_path / "follows.csv").write_text(text + "\n", encoding="utf-8")
    about = write_features(tmp_path / "follows.csv", tmp_path / "out", horizon_days=7)
    assert (about["read"]["row_count"], about["read"]["self_count"], about["ties"]) == (6, 1, 4)
    found = read_folder(tmp_path / "out")
    nodes = dict(duckdb.sql(f"SELECT code, id FROM '{tmp_path}/out/nodes.parquet'").fetchall())
    pairs = [(nodes[a], nodes[b]) for a, b in found[KEYS].to_numpy().tolist()]
    assert dict(zip(pairs, found["outcome"], strict=True)) == {("a", "b"): 1, ("c", "a"): 0}
    followers = dict(zip(pairs, found["decider_follower_count"], strict=True))
    assert followers == {("a", "b"): 0, ("c", "a"): 1}


def test_snapshots_are_cut_up_by_fold_and_need_no_times(tmp_path: Path) -> None:
    edges = write_edges(tmp_path / "it's [odd]", timed=False)
    about = write_features(edges, tmp_path / "out", fold_count=4)
    assert about["question"] == "mutuality"
    assert about["rows"] == about["ties"]
    assert list(about["parts"]) == ["0", "1", "2", "3"]
    assert "at_us" not in about["columns"]
    with pytest.raises(InputError, match="follow_back needs ties with at_us"):
        write_features(edges, tmp_path / "two", question="follow_back")


def test_a_run_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edges = write_edges(tmp_path / "edges")

    def fail(self: object, made: Frame, folder: Path) -> None:
        folder.joinpath("part=0").mkdir()
        raise duckdb.OutOfMemoryException("Out of Memory Error: no space")

    monkeypatch.setattr(engines.DuckDBEngine, "write", fail)
    with pytest.raises(InputError, match=r"memory was used up .* \(Out of Memory Error: no space"):
        write_features(edges, tmp_path / "out")
    assert [item.name for item in tmp_path.iterdir()] == ["edges"]


def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    edges = write_edges(tmp_path / "edges")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    cases = [
        ({"out": tmp_path / "full"}, "full is there already"),
        ({"engine": "dukdb"}, "did you mean duckdb"),
        ({"question": "late_answer"}, "needs two crawls"),
        ({"question": "late"}, "question: 'late' is unknown"),
        ({"horizon_days": 100}, "no dyad is left"),
        ({"memory": "much"}, "'much' is no amount of memory"),
    ]
    for options, said in cases:
        with pytest.raises(InputError, match=said):
            write_features(edges, **({"out": tmp_path / "out"} | options))
    assert not (tmp_path / "out").exists()
    shutil.copy(edges / "nodes.parquet", edges / "edges.parquet")
    with pytest.raises(InputError, match=r"edges.parquet \(source, target"):
        write_features(edges, tmp_path / "out")


def test_an_engine_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    for engine, package in (("polars", "polars"), ("spark", "pyspark")):
        with (
            pytest.raises(InputError, match=f"the package {package} is not installed"),
            open_engine(engine, tmp_path),
        ):
            pass


def test_memory_is_measured_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse_bytes("1.5 GB") == 3 * 2**29
    assert 0 < measure_free_memory() < 2**50
    with pytest.raises(InputError, match="12,000,000 rows take about"):
        check_fits("pandas", 12_000_000, 2**30)
    check_fits("duckdb", 10**12, 2**20)
    monkeypatch.setattr("followkit.scale.features_cli.measure_free_memory", lambda: 1000)
    edges = write_edges(tmp_path / "edges")
    with pytest.raises(InputError, match="engine pandas holds every table in memory"):
        write_features(edges, tmp_path / "out", engine="pandas")
    monkeypatch.setattr("followkit.scale.coding.measure_free_memory", lambda: 1000)
    with pytest.raises(InputError, match="Give the follows alone, as an edge list"):
        write_features(DATA / "nostr", tmp_path / "out")


def test_few_megabytes_are_enough_for_duckdb(tmp_path: Path) -> None:
    edges = write_edges(tmp_path / "edges", size=20_000, accounts=2000)
    wide = write_features(edges, tmp_path / "wide", horizon_days=2)
    narrow = write_features(edges, tmp_path / "narrow", horizon_days=2, memory="64MB", threads=1)
    assert narrow["fingerprint"] == wide["fingerprint"]


def test_edges_are_read_with_their_counts(tmp_path: Path) -> None:
    coded = CodedFolder.read(write_edges(tmp_path / "edges"))
    assert (coded.mode, coded.node_count) == ("timed", 80)
    assert coded.count_rows() == coded.tie_count
    assert HASH_PRIME < 2**31
