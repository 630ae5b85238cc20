"""Readers: what the file says survives, what cannot be read is said in one sentence."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from followkit.errors import InputError
from followkit.sources import (
    describe_dataset,
    find_data,
    load_dataset,
    read_text_table,
    text_files,
)
from followkit.sources.edge_lists import read_edge_list
from followkit.tables import Dataset

TWINS = ("1234567890123456788", "1234567890123456789")
HANDLES = ["NA", "null", "None", "nan", "007", "1e5", "True", "#me", "inf", *TWINS]
TIES = [("a", "b", "2024-01-01T00:00:00Z"), ("b", "a", "2024-01-03T12:00:00.250000Z"),
        ("a", "c", "2024-02-01T00:00:00Z")]  # fmt: skip


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def save_parquet(path: Path, query: str) -> Path:
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        database.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path


def read_error(path: Path, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        load_dataset(path, **options)
    assert "Traceback" not in str(caught.value)
    return str(caught.value)


def counts(dataset: Dataset, table: str) -> dict[str, int]:
    steps = describe_dataset(dataset).query("table == @table")
    return {str(step): int(rows) for step, rows in steps.groupby("step")["rows"].sum().items()}


# --- delimited text ------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_handles_that_look_like_values_survive(tmp_path: Path, mark: str) -> None:
    lines = ["follower_id" + mark + "followee_id"]
    lines += [f"{handle}{mark}zoe" for handle in HANDLES]
    write(tmp_path / "follows.csv", "\n".join(lines))
    data = load_dataset(tmp_path)
    assert data.follows["follower_id"].tolist() == HANDLES
    assert set(data.follows["followee_id"]) == {"zoe"}


def test_long_ids_stay_apart_as_integers(tmp_path: Path) -> None:
    write(tmp_path / "follows.csv", "follower_id,followee_id\n" + ",".join(TWINS))
    data = load_dataset(tmp_path)
    assert data.follows.iloc[0].tolist() == [int(twin) for twin in TWINS]
    assert str(data.follows["follower_id"].dtype) == "int64"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_give_the_same_table(tmp_path: Path, encoding: str) -> None:
    text = "follower_id,followee_id\nZoë 😀,b\n"
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    table = read_text_table(write(tmp_path / "t.csv", mark + text, encoding))
    assert table.to_dict("list") == {"follower_id": ["Zoë 😀"], "followee_id": ["b"]}


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16-le"])
def test_other_encodings_are_refused_in_words(tmp_path: Path, encoding: str) -> None:
    write(tmp_path / "follows.csv", "follower_id,followee_id\nZoë,b\n", encoding)
    assert "UTF-8" in read_error(tmp_path)


def test_controls_and_lone_surrogates_are_replaced_and_counted(tmp_path: Path) -> None:
    text = "follower_id,followee_id\na\x00\x1b\x9f,x\ud800\n"
    (tmp_path / "follows.csv").write_bytes(text.encode("utf-8", "surrogatepass"))
    data = load_dataset(tmp_path)
    assert data.follows.iloc[0].tolist() == ["a", "x\ufffd"]
    notes = " ".join(data.quality["note"])
    assert "3 control characters" in notes
    assert "1 broken characters" in notes


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("follower_id,followee_id\na,b,c\n", "line 2 has 3"),
        ("follower_id,followee_id\na,b\n\nc\n", "line 4 has 1"),
        ("follower_id,followee_id,followee_id\na,b,c\n", "'followee_id' comes twice"),
        ("follower_id,followee_id,\na,b,c\n", "no name"),
        ('follower_id,followee_id\n"a,b\n', "check the quotes"),
        ("follower_id,followee_id\n", "at least one follow"),
        ("follower,followee_id\na,b\n", "did you mean follower?"),
        ("follower_id,followee_id\n1.0,2.0\n", "whole numbers"),
        ("follower_id,followee_id\na,\n", "must not be empty"),
        ("follower_id,followee_id,followed_at\na,b,01/02/2026\n", "ISO 8601"),
    ],
)
def test_broken_tables_are_named(tmp_path: Path, text: str, says: str) -> None:
    write(tmp_path / "follows.csv", text)
    assert says in read_error(tmp_path)


def test_quoted_fields_keep_delimiters_and_line_ends(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", 'account_id,bio\r\n"a,1","two\r\nlines ""here"""\r\n')
    assert read_text_table(path).to_dict("list") == {
        "account_id": ["a,1"],
        "bio": ['two\nlines "here"'],
    }


def test_packed_bomb_is_stopped_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_files, "FREE_BYTES", 100_000)
    path = tmp_path / "follows.csv.gz"
    path.write_bytes(gzip.compress(b"follower_id,followee_id\n" + b"a,b\n" * 2_000_000))
    assert "unpacks to more than" in read_error(tmp_path)


def test_cut_off_gzip_is_incomplete(tmp_path: Path) -> None:
    packed = gzip.compress(b"follower_id,followee_id\n" + b"a,b\n" * 100)
    (tmp_path / "follows.csv.gz").write_bytes(packed[: len(packed) // 2])
    assert "is it complete?" in read_error(tmp_path)


# --- the same data in every form -----------------------------------------------------------------


def test_every_form_of_the_same_data_has_the_same_fingerprint(tmp_path: Path) -> None:
    rows = "\n".join(",".join(tie) for tie in TIES)
    write(tmp_path / "one" / "follows.csv", "follower_id,followee_id,followed_at\n" + rows)
    (tmp_path / "two").mkdir()
    values = ", ".join(f"('{a}', '{b}', TIMESTAMPTZ '{t}')" for a, b, t in reversed(TIES))
    query = f"SELECT * FROM (VALUES {values}) AS t(follower_id, followee_id, followed_at)"
    save_parquet(tmp_path / "two" / "follows.parquet", query)
    with duckdb.connect(str(tmp_path / "three.duckdb")) as database:
        database.execute("SET TimeZone = 'UTC'")
        database.execute(f"CREATE TABLE follows AS {query}")
    micros = [int(pd.Timestamp(time).timestamp() * 1_000_000) for _, _, time in TIES]
    lines = [f"{a} {b}\t1 {stamp}" for (a, b, _), stamp in zip(TIES, micros, strict=True)]
    (tmp_path / "four.gz").write_bytes(gzip.compress(("% asym\n" + "\n".join(lines)).encode()))
    write(tmp_path / "five.csv", "source,target,timestamp\n" + rows)
    forms = ["one", "two", "three.duckdb", "four.gz", "five.csv", "two/follows.parquet"]
    prints = {form: load_dataset(tmp_path / form).fingerprint() for form in forms}
    assert len(set(prints.values())) == 1, prints
    write(tmp_path / "six.csv", "source,target,timestamp\n" + rows.replace("c", "d"))
    assert load_dataset(tmp_path / "six.csv").fingerprint() not in prints.values()


def test_folder_with_two_forms_of_a_table_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "follows.csv", "follower_id,followee_id\na,b\n")
    write(tmp_path / "follows.tsv", "follower_id\tfollowee_id\na\tb\n")
    assert "comes twice" in read_error(tmp_path)


def test_folder_without_tables_says_what_is_there(tmp_path: Path) -> None:
    write(tmp_path / "tweets.json", "[]")
    message = read_error(tmp_path)
    assert "tweets.json" in message
    assert "follows.csv" in message


def test_about_and_truth_come_along(tmp_path: Path) -> None:
    write(tmp_path / "follows.csv", "follower_id,followee_id\na,b\n")
    write(tmp_path / "dataset.toml", 'title = "Two people"\n')
    write(tmp_path / "truth.json", '{"seed": 7}')
    assert load_dataset(tmp_path).about == {"title": "Two people", "truth": {"seed": 7}}
    write(tmp_path / "truth.json", "[" * 100_000)
    assert "truth.json" in read_error(tmp_path)


# --- Parquet and DuckDB --------------------------------------------------------------------------


def test_parquet_types_become_text_without_loss(tmp_path: Path) -> None:
    path = save_parquet(
        tmp_path / "posts.parquet",
        "SELECT 1234567890123456789 AS post_id, 'NA' AS account_id, ['Cats', 'Dogs'] AS hashtags, "
        "TIMESTAMP '2024-05-01 10:00:00.000001' AS posted_at, true AS is_repost, NULL AS language",
    )
    write(tmp_path / "follows.csv", "follower_id,followee_id\nNA,b\n")
    posts = load_dataset(path.parent).posts.iloc[0]
    assert posts["post_id"] == 1234567890123456789
    assert posts["account_id"] == "NA"
    assert posts["hashtags"] == "Cats Dogs"
    assert posts["posted_at"] == pd.Timestamp("2024-05-01 10:00:00.000001", tz="UTC")
    assert bool(posts["is_repost"])
    assert pd.isna(posts["language"])


def test_decimal_ids_in_parquet_are_refused(tmp_path: Path) -> None:
    save_parquet(tmp_path / "follows.parquet", "SELECT 1.0::DOUBLE follower_id, 2 followee_id")
    assert "whole numbers" in read_error(tmp_path)


def test_signs_in_a_folder_name_pick_no_other_file(tmp_path: Path) -> None:
    for name, whom in (("a", "wrong"), ("[a]", "right"), ("k=v", "right")):
        (tmp_path / name).mkdir()
        query = f"SELECT 'a' AS follower_id, '{whom}' AS followee_id"
        save_parquet(tmp_path / name / "follows.parquet", query)
    for name in ("[a]", "k=v"):
        follows = load_dataset(tmp_path / name).follows
        assert follows["followee_id"].tolist() == ["right"]
        assert list(follows) == ["follower_id", "followee_id"]


def test_views_of_a_database_are_never_run(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.csv", "follower_id,followee_id\nhidden,b\n")
    path = tmp_path / "trap.duckdb"
    with duckdb.connect(str(path)) as database:
        database.execute(f"CREATE VIEW follows AS SELECT * FROM read_csv('{secret}')")
    assert "no canonical table" in read_error(path)
    with duckdb.connect(str(path)) as database:
        database.execute("DROP VIEW follows; CREATE TABLE follows AS SELECT 1 follower_id, 2 AS b")
    assert "followee_id is required" in read_error(path)


def test_table_in_two_schemas_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "two.duckdb"
    with duckdb.connect(str(path)) as database:
        for name in ("main", '"o""dd"'):
            database.execute(f"CREATE SCHEMA IF NOT EXISTS {name}")
            database.execute(f"CREATE TABLE {name}.follows AS SELECT 1 follower_id, 2 followee_id")
    assert "two schemas" in read_error(path)


@pytest.mark.parametrize("name", ["x.duckdb", "follows.parquet"])
def test_broken_binary_files_are_said(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PAR1 not really" * 10)
    read_error(tmp_path / name)


# --- edge lists ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "ties", "columns"),
    [
        ("1 2\n2 1\n", [("1", "2"), ("2", "1")], 2),
        ("% asym\n# note\n 1\t2 \n\n2  1\n", [("1", "2"), ("2", "1")], 2),
        ("1,2\r\n2,1\r\n", [("1", "2"), ("2", "1")], 2),
        ("from to\nann bob\nbob ann\n", [("ann", "bob"), ("bob", "ann")], 2),
        ("who whom\n1 2\n2 1\n", [("1", "2"), ("2", "1")], 2),
        ("ann bob\nbob ann\n", [("ann", "bob"), ("bob", "ann")], 2),
        ("1 2 5\n2 1 3\n", [("1", "2"), ("2", "1")], 2),
        ("1 2 1289241912\n2 1 1289241999\n", [("1", "2"), ("2", "1")], 3),
        ("1 2 1 1289241912\n2 1 1 1289241999\n", [("1", "2"), ("2", "1")], 3),
        ("1;2;-3\n2;1;4\n", [("1", "2"), ("2", "1")], 2),
        ('"a b",c\nc,"a b"\n', [("a b", "c"), ("c", "a b")], 2),
        ("a b, c\nc, a b\n", [("a b", "c"), ("c", "a b")], 2),
        ("weight,target,source\n3,2,1\n4,1,2\n", [("1", "2"), ("2", "1")], 2),
    ],
)
def test_edge_lists(tmp_path: Path, text: str, ties: list[tuple[str, str]], columns: int) -> None:
    table, _ = read_edge_list(write(tmp_path / "x.txt", text))
    assert list(zip(table["follower_id"], table["followee_id"], strict=True)) == ties
    assert table.shape[1] == columns


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no tie"),
        ("% only a comment\n", "no tie"),
        ("source target\n", "no tie"),
        ("a\nb\n", "at least two ids"),
        ("a b\nb\n", "line 2 has 1"),
        ("# c\na b\n\nb a c\n", "line 4 has 3"),
        ("a,,5\n,b,6\n", "must not be empty"),
        ('a,"b\nc,d\n', "quote"),
        ("1 2 1289241912\n2 1 1289241999\n1 3 soon\n", "ISO 8601"),
    ],
)
def test_broken_edge_lists_are_said(tmp_path: Path, text: str, says: str) -> None:
    assert says in read_error(write(tmp_path / "x.txt", text))


def test_edge_list_counts_add_up(tmp_path: Path) -> None:
    data = load_dataset(write(tmp_path / "x.edges", "1 2\n2 1\n1 2\n3 3\n"))
    assert counts(data, "follows") == {"read": 4, "noted": 0, "dropped": 2, "kept": 2}
    assert "snapshot" in " ".join(data.quality["note"])
    timed = load_dataset(write(tmp_path / "y.edges", "1 2 1289241912\n1 2 1289241999\n"))
    assert len(timed.follows) == 2
    assert "watched from the first time" in " ".join(timed.quality["note"])


# --- where data are looked for -------------------------------------------------------------------


def test_data_are_found_upwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "pyproject.toml", "")
    write(tmp_path / "data" / "town" / "follows.csv", "follower_id,followee_id\na,b\n")
    deep = tmp_path / "notebooks" / "learn"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    monkeypatch.delenv("FOLLOWKIT_ROOT", raising=False)
    assert find_data("data/town") == tmp_path / "data" / "town"
    with pytest.raises(InputError, match="was not found"):
        find_data("data/twon")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="did you mean data/town"):
        load_dataset("data/twon")


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, "nowhere/at/all.csv"])
def test_impossible_names_are_input_errors(name: str) -> None:
    with pytest.raises(InputError):
        load_dataset(name)


def test_unknown_kind_of_file(tmp_path: Path) -> None:
    assert "unknown kind of file" in read_error(write(tmp_path / "x.xlsx", "?"))


# --- any bytes at all ----------------------------------------------------------------------------

PIECES = st.sampled_from(
    [b"follower_id", b"followee_id", b"followed_at", b",", b";", b"\t", b" ", b"\n", b"\r\n", b'"',
     b"a", b"b", b"1", b"2", b"1.0", b"2024-01-01", b"1289241912", b"%", b"#", b"\xff\xfe",
     b"\xef\xbb\xbf", b"\x1f\x8b", b"\x00", b"\xed\xa0\x80", b"9" * 20, b"source", b"target"]
)  # fmt: skip
ANY_BYTES = st.one_of(
    st.binary(max_size=200),
    st.lists(PIECES, max_size=30).map(b"".join),
    st.lists(PIECES, max_size=20).map(lambda tail: b"follower_id,followee_id\n" + b"".join(tail)),
)


@pytest.mark.parametrize("name", ["follows.csv", "ties.txt", "ties.gz"])
@given(content=ANY_BYTES)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_bytes_give_a_table_or_a_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    try:
        data = load_dataset(tmp_path if name == "follows.csv" else path)
    except InputError:
        return
    assert len(data.fingerprint()) == 64
    describe_dataset(data)
