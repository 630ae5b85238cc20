"""Ids to codes out of memory: exact ids back, honest counts, nothing half-written."""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followkit.errors import InputError
from followkit.scale.codes import encode_follows
from followkit.scale.csr import load_pair_graph
from followkit.scale.pairs import count_degrees, count_degrees_asof

HEADER = "follower_id,followee_id,followed_at\n"


def read(folder: Path):
    """Return (follower, followee, at) of every follow, decoded, and the tables' types."""
    query = (
        f"SELECT a.id, b.id, at_us FROM '{folder}/edges.parquet' "
        f"JOIN '{folder}/nodes.parquet' a ON source = a.code "
        f"JOIN '{folder}/nodes.parquet' b ON target = b.code"
    )
    with duckdb.connect() as database:
        return set(database.execute(query).fetchall())


def types(path: Path) -> list[tuple[str, str]]:
    with duckdb.connect() as database:
        return [row[:2] for row in database.execute(f"DESCRIBE FROM '{path}'").fetchall()]


def write(folder: Path, text: str, name: str = "follows.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_ids_come_back_exactly(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        HEADER + '007,7,\n7,007,\nNA,null,\n"a,""b",é 😀,\n9223372036854775808,1.5,\n 7,7,\n',
    )
    made = encode_follows(path, tmp_path / "out")
    expected = {("007", "7"), ("7", "007"), ("NA", "null"), ('a,"b', "é 😀"),
                ("9223372036854775808", "1.5"), (" 7", "7")}  # fmt: skip
    assert read(tmp_path / "out") == {(*pair, None) for pair in expected}
    assert (made.follow_count, made.account_count, made.timed_count) == (6, 9, 0)
    edges = [("source", "INTEGER"), ("target", "INTEGER"), ("at_us", "BIGINT")]
    assert types(tmp_path / "out" / "edges.parquet") == edges
    assert types(tmp_path / "out" / "nodes.parquet") == [("code", "INTEGER"), ("id", "VARCHAR")]


def test_what_is_dropped_is_counted(tmp_path: Path) -> None:
    text = HEADER + "a,b,2024-01-02\na,b,2024-01-01T00:00:00Z\na,b,\na,a,\n,b,\nb,,\nc,a,soon\n"
    made = encode_follows(write(tmp_path, text), tmp_path)
    counts = (made.row_count, made.missing_count, made.self_count, made.repeat_count)
    assert counts == (7, 2, 1, 2)
    assert (made.follow_count, made.timed_count, made.unreadable_count) == (2, 1, 1)
    # The earliest known time is kept.
    assert read(tmp_path) == {("a", "b", 1_704_067_200_000_000), ("c", "a", None)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1600000000", 1_600_000_000_000_000),
        ("1600000000.25", 1_600_000_000_250_000),
        ("1600000000123", 1_600_000_000_123_000),
        ("1600000000123456", 1_600_000_000_123_456),
        ("2020-09-13", 1_599_955_200_000_000),
        ("2020-09-13T12:26", 1_599_999_960_000_000),
        ("2020-09-13 12:26:40.5", 1_600_000_000_500_000),
        ("2020-09-13T14:26:40+02:00", 1_600_000_000_000_000),
        ("2020-09-13T12:26:40Z", 1_600_000_000_000_000),
        ("01/02/2026", None),
        ("12", None),
    ],
)
def test_times_are_read_as_elsewhere(tmp_path: Path, text: str, expected: int | None) -> None:
    import pandas as pd

    from followkit.convert import to_times

    encode_follows(write(tmp_path, HEADER + f"a,b,{text}\n"), tmp_path)
    assert read(tmp_path) == {("a", "b", expected)}
    value = to_times(pd.Series([text], dtype="str"))[0].iloc[0]
    assert (None if pd.isna(value) else value.value // 1000) == expected


def test_whole_numbers_and_typed_times_of_parquet_and_duckdb(tmp_path: Path) -> None:
    rows = "(VALUES (5::BIGINT, -3::BIGINT, TIMESTAMP '2020-09-13 12:26:40'), (-3, 5, NULL)) " \
           "AS t(follower, followee, followed_at)"  # fmt: skip
    with duckdb.connect() as database:
        database.execute(f"COPY (FROM {rows}) TO '{tmp_path}/[odd]*name.parquet'")
    with duckdb.connect(str(tmp_path / "some.duckdb")) as database:
        database.execute(f"CREATE TABLE follows AS FROM {rows}")
        database.execute("CREATE VIEW trap AS FROM read_text('/etc/hostname')")
    for name in ("[odd]*name.parquet", "some.duckdb"):
        encode_follows(tmp_path / name, tmp_path / "out", follower="follower", followee="followee")
        assert read(tmp_path / "out") == {(5, -3, 1_600_000_000_000_000), (-3, 5, None)}


def test_a_view_is_never_run(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "trap.duckdb")) as database:
        database.execute("CREATE VIEW follows AS SELECT content AS source, content AS target "
                         "FROM read_text('/etc/hostname')")  # fmt: skip
    with pytest.raises(InputError, match="one base table follows is needed; 0 found"):
        encode_follows(tmp_path / "trap.duckdb", tmp_path / "out")


def test_delimiters_marks_and_packing(tmp_path: Path) -> None:
    for name, text in (("a.csv", "\ufeffu;v\na;b\n"), ("a.tsv", "u\tv\r\na\tb\r\n")):
        encode_follows(write(tmp_path, text, name), tmp_path / "out")
        assert read(tmp_path / "out") == {("a", "b", None)}
    with gzip.open(tmp_path / "a.csv.gz", "wt", encoding="utf-8") as file:
        file.write("weight,target,source\n1,b,a\n")
    encode_follows(tmp_path / "a.csv.gz", tmp_path / "out")
    assert read(tmp_path / "out") == {("a", "b", None)}


rows = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 3)), min_size=1)


@given(rows=rows.filter(lambda found: any(u != v for u, v, _ in found)), threads=st.integers(1, 3))
@settings(max_examples=15, deadline=None)
def test_any_follows_survive(tmp_path_factory, rows, threads) -> None:
    folder = tmp_path_factory.mktemp("codes")
    text = "".join(f"u{u},u{v},{1_600_000_000 + at}\n" for u, v, at in rows)
    made = encode_follows(write(folder, HEADER + text), folder, threads=threads)
    expected: dict[tuple[str, str], int] = {}
    for u, v, at in rows:
        if u != v:
            pair, moment = (f"u{u}", f"u{v}"), (1_600_000_000 + at) * 1_000_000
            expected[pair] = min(expected.get(pair, moment), moment)
    assert read(folder) == {(*pair, at) for pair, at in expected.items()}
    parts = made.missing_count, made.self_count, made.repeat_count, made.follow_count
    assert sum(parts) == made.row_count == len(rows)


def test_codes_are_ordered_by_degree_and_do_not_depend_on_rows_or_threads(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    share = np.arange(1, 301) ** -0.8
    ends = rng.choice(300, (5_000, 2), p=share / share.sum())
    lines = [f"u{u},u{v},{1_600_000_000 + k}" for k, (u, v) in enumerate(ends)]
    contents = []
    for name, threads in (("one", 1), ("two", 2)):
        path = write(tmp_path, HEADER + "\n".join(lines) + "\n", f"{name}.csv")
        encode_follows(path, tmp_path / name, threads=threads, memory_limit="200MB")
        with duckdb.connect() as database:
            contents.append([database.execute(f"FROM '{tmp_path}/{name}/{part}.parquet'").fetchall()
                             for part in ("nodes", "edges")])  # fmt: skip
        rng.shuffle(lines)
    nodes, edges = contents[0]
    assert edges == sorted(edges)
    assert nodes == sorted(nodes)
    assert contents[1][0] == nodes
    assert [row[:2] for row in contents[1][1]] == [row[:2] for row in edges]
    graph = load_pair_graph(tmp_path / "one")
    assert graph.place is None
    assert graph.source.tolist() == [row[0] for row in edges]
    out, into = count_degrees(graph)
    assert (np.diff(out + into) <= 0).all()
    assert count_degrees_asof(graph).initiator_followees.max() > 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must name at least two"),
        ("a,a\n1,2\n", "must name at least two"),
        ("from,weight\n1,2\n", "which columns hold follower and followee"),
        ("u,v\n1,2,3\n", "cannot be read"),
        ("u,v\n1\n", "cannot be read"),
        ("u,v\n1,1\n", "no follow of one account by another"),
    ],
)
def test_bad_files_are_refused_and_leave_nothing(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InputError, match=message):
        encode_follows(path, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_other_faults_are_named(tmp_path: Path) -> None:
    path = write(tmp_path, "u,v\na,b\n")
    with pytest.raises(InputError, match="did you mean u"):
        encode_follows(path, tmp_path / "out", follower="uu")
    with pytest.raises(InputError, match="no such file"):
        encode_follows(tmp_path / "none.csv", tmp_path / "out")
    with pytest.raises(InputError, match="memory_limit"):
        encode_follows(path, tmp_path / "out", memory_limit="much")
    with pytest.raises(InputError, match=r"no nodes\.parquet"):
        load_pair_graph(tmp_path)
    with duckdb.connect() as database:
        database.execute(f"COPY (SELECT 1.5 AS u, 2 AS v) TO '{tmp_path}/f.parquet'")
    with pytest.raises(InputError, match="ids are text or whole numbers; u is"):
        encode_follows(tmp_path / "f.parquet", tmp_path / "out")


def test_a_failed_run_keeps_what_was_there(tmp_path: Path) -> None:
    encode_follows(write(tmp_path, "u,v\na,b\n"), tmp_path / "out")
    with pytest.raises(InputError):
        encode_follows(write(tmp_path, "u,v\na\n"), tmp_path / "out")
    assert read(tmp_path / "out") == {("a", "b", None)}
    assert sorted(item.name for item in (tmp_path / "out").iterdir()) == [
        "edges.parquet", "nodes.parquet"]  # fmt: skip
