"""Canonical tables: conversion, what is dropped and counted, and every fault at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followkit.errors import TableError
from followkit.sources import describe_dataset
from followkit.tables import SCHEMAS, Dataset, check_tables, make_dataset

UTC = "datetime64[us, UTC]"


def follows(*pairs: tuple[Any, ...], **columns: list[Any]) -> pd.DataFrame:
    table = pd.DataFrame([pair[:2] for pair in pairs], columns=["follower_id", "followee_id"])
    return table.assign(**columns)


def rules(tables: dict[str, pd.DataFrame]) -> list[str]:
    return [problem.rule for problem in check_tables(tables)]


PAIR = follows(("a", "b"))
WHOLE = "follower_count must be a whole number, not negative"


def with_accounts(**columns: list[Any]) -> dict[str, pd.DataFrame]:
    rows = len(next(iter(columns.values())))
    ids = [f"p{row}" for row in range(rows)]
    return {"follows": PAIR, "accounts": pd.DataFrame({"account_id": ids, **columns})}


# --- the schema ----------------------------------------------------------------------------------


def test_schema_lists_every_table_and_its_keys() -> None:
    assert list(SCHEMAS) == [
        "follows", "accounts", "account_counts", "posts", "media", "interactions", "observation"
    ]  # fmt: skip
    for schema in SCHEMAS.values():
        assert set(schema.key) <= set(schema.names)
        assert len(set(schema.names)) == len(schema.names)
        for column in schema.columns:
            is_time = column.name.endswith("_at") or column.name == "at"
            assert (column.kind == "time") == is_time, column.name
            if column.name.endswith("_count"):
                assert column.kind == "count"
            if column.name.startswith(("is_", "has_")):
                assert column.kind == "flag"


def test_absent_tables_are_empty_with_their_columns() -> None:
    data = make_dataset({"follows": PAIR})
    for name, schema in SCHEMAS.items():
        table = getattr(data, name)
        if name != "follows":
            assert len(table) == 0
            assert tuple(table) == schema.names
    assert data.has("follows", "follower_id")
    assert not data.has("follows", "followed_at")
    assert not data.has("posts")
    assert str(data.posts["posted_at"].dtype) == UTC


def test_column_without_values_counts_as_absent() -> None:
    data = make_dataset({"follows": PAIR.assign(followed_at="")})
    assert not data.has("follows", "followed_at")


# --- ids -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [["007", "1"], ["+1", "1"], ["-0", "1"], ["1e5", "1"], ["9223372036854775808", "1"],
     ["١", "1"], ["1 ", "1"], ["NA", "null"]],
)  # fmt: skip
def test_ids_that_are_not_plain_integers_stay_text(names: list[str]) -> None:
    data = make_dataset({"follows": follows((names[0], names[1]))})
    assert data.follows.iloc[0].tolist() == names


def test_largest_integers_fit() -> None:
    ids = [str(np.iinfo(np.int64).max), str(np.iinfo(np.int64).min)]
    data = make_dataset({"follows": follows((ids[0], ids[1]))})
    assert data.follows.iloc[0].tolist() == [int(number) for number in ids]


def test_account_ids_have_one_dtype_in_all_tables() -> None:
    posts = pd.DataFrame({"post_id": ["1", "2"], "account_id": ["1", "2"]})
    whole = make_dataset({"follows": follows(("1", "2")), "posts": posts})
    assert {str(whole.follows["follower_id"].dtype), str(whole.posts["account_id"].dtype)} == {
        "int64"
    }
    mixed = make_dataset({"follows": follows(("1", "x")), "posts": posts})
    assert mixed.posts["account_id"].tolist() == ["1", "2"]
    assert mixed.posts["post_id"].tolist() == [1, 2]


@pytest.mark.parametrize("ids", [[1.0, 2.0], ["1.0", "2.0"], [1.5, np.nan]])
def test_ids_read_as_decimals_are_refused(ids: list[Any]) -> None:
    table = pd.DataFrame({"follower_id": ids, "followee_id": ["8", "9"]})
    assert "follower_id must be text or whole numbers" in rules({"follows": table})


# --- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05-01", "2024-05-01T00:00:00"),
        ("2024-05-01 10:00", "2024-05-01T10:00:00"),
        ("2024-05-01T10:00:00+02:00", "2024-05-01T08:00:00"),
        ("2024-05-01T10:00:00.000001Z", "2024-05-01T10:00:00.000001"),
        ("1714557600", "2024-05-01T10:00:00"),
        ("1714557600000", "2024-05-01T10:00:00"),
        ("1714557600000001", "2024-05-01T10:00:00.000001"),
        ("1714557600.5", "2024-05-01T10:00:00.5"),
    ],
)
def test_times(text: str, expected: str) -> None:
    data = make_dataset({"follows": PAIR.assign(followed_at=text)})
    assert str(data.follows["followed_at"].dtype) == UTC
    assert data.follows["followed_at"].iloc[0] == pd.Timestamp(expected, tz="UTC")


@pytest.mark.parametrize(
    "text",
    ["01/02/2026", "2026-13-01", "2024-02-30", "yesterday", "12", "1e9", "20240501", "nan", "NaT",
     "2024-05-01T10:00:00+25:00", "2024-05-01T25:00", "253402300800000000"],
)  # fmt: skip
def test_times_in_doubt_are_refused(text: str) -> None:
    problems = check_tables({"follows": PAIR.assign(followed_at=text)})
    assert [problem.rule for problem in problems] == [
        "followed_at must be ISO 8601 or an epoch between 2004 and 2100"
    ]
    assert problems[0].first_keys == ("row 1 a b",)


def test_naive_times_are_counted() -> None:
    table = follows(("a", "b"), ("b", "a"), followed_at=["2024-05-01 10:00", "2024-05-02T10:00Z"])
    notes = " ".join(make_dataset({"follows": table}).quality["note"])
    assert "followed_at: 1 times carry no zone" in notes


def test_other_values() -> None:
    tables = with_accounts(
        follower_count=["12", ""], is_verified=["true", "0"], bio=["NA", ""], shoe_size=["44", "x"]
    )
    accounts = make_dataset(tables).accounts
    assert accounts["follower_count"].tolist() == [12, pd.NA]
    assert str(accounts["follower_count"].dtype) == "Int64"
    assert accounts["is_verified"].tolist() == [True, False]
    assert accounts["bio"].iloc[0] == "NA"
    assert pd.isna(accounts["bio"].iloc[1])
    assert accounts["shoe_size"].tolist() == ["44", "x"]


def test_hashtags_have_single_blanks() -> None:
    posts = pd.DataFrame(
        {"post_id": [1, 2], "account_id": ["a", "b"], "hashtags": ["['cat', 'dog']", " x  y "]}
    )
    data = make_dataset({"follows": PAIR, "posts": posts})
    assert data.posts["hashtags"].tolist() == ["cat dog", "x y"]


def test_typed_columns_are_taken_as_they_are() -> None:
    table = follows((1, 2), (2, 1), followed_at=pd.to_datetime(["2024-05-01", "2024-05-02"]))
    data = make_dataset({"follows": table})
    assert data.follows["followed_at"].iloc[0] == pd.Timestamp("2024-05-01", tz="UTC")
    assert data.follows["follower_id"].tolist() == [1, 2]


def test_columns_that_are_not_canonical_are_left_out_and_said() -> None:
    data = make_dataset({"follows": PAIR.assign(mood="good")})
    assert "mood" not in data.follows
    assert "mood" in " ".join(data.quality["note"])


# --- faults --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tables", "rule"),
    [
        ({}, "the table is required"),
        ({"follows": PAIR.iloc[:0]}, "at least one follow is required"),
        ({"follows": PAIR, "folows": PAIR}, "a canonical table name"),
        ({"follows": PAIR[["follower_id"]]}, "the column followee_id is required"),
        ({"follows": follows(("", "b"))}, "follower_id must not be empty"),
        ({"follows": follows((None, "b"))}, "follower_id must not be empty"),
        ({"follows": PAIR.assign(status="maybe")}, "status must be one of active, pending"),
        (
            {"follows": PAIR.assign(followed_at="2024-02-01", unfollowed_at="2024-01-01")},
            "unfollowed_at must not lie before followed_at",
        ),
        (with_accounts(follower_count=["-1"]), WHOLE),
        (with_accounts(follower_count=["1.5"]), WHOLE),
        (with_accounts(is_verified=["maybe"]), "is_verified must be a flag"),
        (
            {
                "follows": PAIR,
                "accounts": pd.DataFrame({"account_id": ["a", "a"], "bio": ["", "x"]}),
            },
            "account_id must be unique",
        ),
    ],
)  # fmt: skip
def test_each_fault_has_its_rule(tables: dict[str, pd.DataFrame], rule: str) -> None:
    assert rule in rules(tables)
    with pytest.raises(TableError):
        make_dataset(tables)


def test_all_faults_come_at_once_with_counts_and_first_keys() -> None:
    table = follows(*[(f"u{row}", "b") for row in range(5)], followed_at=["soon"] * 5)
    table.loc[3, "followee_id"] = ""
    acts = pd.DataFrame({"actor_id": ["a"], "target_id": ["b"], "kind": ["poke"]})
    with pytest.raises(TableError) as caught:
        make_dataset({"follows": table, "interactions": acts})
    problems = {problem.rule: problem for problem in caught.value.problems}
    assert len(problems) == 3
    late = problems["followed_at must be ISO 8601 or an epoch between 2004 and 2100"]
    assert late.row_count == 5
    assert late.first_keys == ("row 1 u0 b", "row 2 u1 b", "row 3 u2 b")
    assert "3 problems in the tables" in str(caught.value)


# --- cleaning ------------------------------------------------------------------------------------


def steps(data: Dataset, table: str) -> list[tuple[str, int]]:
    chosen = describe_dataset(data).query("table == @table")
    return list(zip(chosen["step"], chosen["rows"], strict=True))


def test_self_follows_and_repeats_are_dropped_and_counted() -> None:
    data = make_dataset({"follows": follows(("a", "b"), ("a", "b"), ("a", "a"), ("b", "a"))})
    assert steps(data, "follows") == [("read", 4), ("dropped", 1), ("dropped", 1), ("kept", 2)]


def test_several_follows_at_different_times_are_kept() -> None:
    times = ["2024-01-01", "2024-01-01", "2024-02-01"]
    data = make_dataset({"follows": follows(*[("a", "b")] * 3, followed_at=times)})
    assert len(data.follows) == 2


def test_repeated_accounts_that_agree_are_dropped() -> None:
    accounts = pd.DataFrame({"account_id": ["a", "a"], "bio": ["x", "x"]})
    data = make_dataset({"follows": PAIR, "accounts": accounts})
    assert steps(data, "accounts") == [("read", 2), ("dropped", 1), ("kept", 1)]


NAMES = st.sampled_from(["a", "b", "c", "NA", "", "007", "1"])
STAMPS = st.sampled_from(["", "2024-01-01", "2024-01-02T00:00Z", "1714557600"])


@given(st.lists(st.tuples(NAMES, NAMES, STAMPS), max_size=12), st.randoms())
@settings(max_examples=80, deadline=None)
def test_counts_add_up_and_order_does_not_matter(
    rows: list[tuple[str, str, str]], random: Any
) -> None:
    columns = ["follower_id", "followee_id", "followed_at"]
    table = pd.DataFrame(rows, columns=columns, dtype="str")
    shuffled = pd.DataFrame(random.sample(rows, len(rows)), columns=columns, dtype="str")
    try:
        data = make_dataset({"follows": table})
    except TableError as error:
        faulty = not rows or any("" in row[:2] for row in rows)
        if not faulty:
            raise AssertionError("a sound table was refused") from error
        return
    slow = {row for row in rows if row[0] != row[1]}
    assert len(data.follows) == len(slow)
    counted = dict.fromkeys(["read", "dropped", "kept"], 0)
    for step, count in steps(data, "follows"):
        counted[step] = counted.get(step, 0) + count
    assert counted["read"] - counted["dropped"] == counted["kept"] == len(slow)
    assert make_dataset({"follows": shuffled}).fingerprint() == data.fingerprint()


@given(st.text(max_size=25))
@settings(max_examples=200, deadline=None)
def test_any_text_as_a_time_is_a_time_or_a_problem(text: str) -> None:
    table = {"follows": PAIR.assign(followed_at=text)}
    if not check_tables(table):
        moment = make_dataset(table).follows["followed_at"].iloc[0]
        assert (text == "") == bool(pd.isna(moment))


# --- the dataset ---------------------------------------------------------------------------------


def test_fingerprint_sees_a_changed_value_and_not_the_dtype() -> None:
    one = make_dataset({"follows": follows(("1", "2"), ("2", "3"))})
    same = make_dataset({"follows": follows((2, 3), (1, 2))})
    other = make_dataset({"follows": follows(("1", "2"), ("3", "2"))})
    assert one.fingerprint() == same.fingerprint() != other.fingerprint()


def test_replace_swaps_and_removes_tables() -> None:
    data = make_dataset(with_accounts(bio=["x"]))
    assert not data.replace(accounts=None).has("accounts")
    assert data.has("accounts")
    assert len(data.replace(follows=data.follows.iloc[:0]).follows) == 0


def test_names_are_escaped_in_html() -> None:
    data = make_dataset(with_accounts(**{"<script>": ["x"]}), name="<b>")
    assert "<script>" not in data._repr_html_()
    assert "<b>" not in data._repr_html_()


def test_input_is_left_alone() -> None:
    table = follows(("1", "2"), ("1", "1"))
    before = table.copy(deep=True)
    make_dataset({"follows": table})
    pd.testing.assert_frame_equal(table, before)
