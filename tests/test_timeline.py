"""Counting what happened before a moment, against plain loops."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followkit.timeline import count_before, last_before

START = pd.Timestamp("2026-01-01", tz="UTC")
moments = st.integers(0, 30)
events = st.lists(st.tuples(st.sampled_from("abc"), moments, st.integers(1, 4)), max_size=25)
queries = st.lists(st.tuples(st.sampled_from("abcd"), moments), min_size=1, max_size=15)


def frame(rows, columns) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=columns)
    table["account_id"] = table["account_id"].astype("str")
    hours = pd.to_timedelta(table["at"].astype("int64") * 12, unit="h")
    return table.assign(at=(START + hours).astype("datetime64[us, UTC]"))


@given(events, queries, st.sampled_from([None, 0.5, 3.0, 7.0]))
@settings(max_examples=60, deadline=None)
def test_counts_equal_a_loop(happened, asked, window) -> None:
    counted = count_before(
        frame(happened, ["account_id", "at", "amount"]), frame(asked, ["account_id", "at"]),
        window_days=window,
    )  # fmt: skip
    reach = float("inf") if window is None else window * 2
    assert counted.tolist() == [
        sum(amount for one, when, amount in happened if one == who and t - reach <= when < t)
        for who, t in asked
    ]


@given(events, queries)
@settings(max_examples=40, deadline=None)
def test_last_equals_a_loop(happened, asked) -> None:
    found = last_before(
        frame(happened, ["account_id", "at", "amount"]), frame(asked, ["account_id", "at"])
    )
    for (who, t), last in zip(asked, found, strict=True):
        before = [when for one, when, _ in happened if one == who and when < t]
        expected = START + pd.Timedelta(hours=12 * max(before)) if before else pd.NaT
        assert last == expected or (pd.isna(last) and pd.isna(expected))


def test_two_columns_can_be_the_key() -> None:
    acts = frame([("a", 1), ("a", 2), ("a", 3)], ["account_id", "at"])
    acts["target_id"] = ["x", "y", "x"]
    asked = frame([("a", 9), ("a", 9)], ["account_id", "at"]).assign(target_id=["x", "z"])
    assert count_before(acts, asked, by=["account_id", "target_id"]).tolist() == [2, 0]


def test_events_without_a_moment_count_nowhere() -> None:
    happened = frame([("a", 1), ("a", 2)], ["account_id", "at"])
    happened.loc[0, "at"] = pd.NaT
    assert count_before(happened, frame([("a", 9)], ["account_id", "at"])).tolist() == [1]


def test_order_of_events_does_not_matter() -> None:
    happened = frame([("a", 3), ("b", 1), ("a", 1), ("a", 2)], ["account_id", "at"])
    asked = frame([("a", 3), ("b", 5)], ["account_id", "at"])
    one, two = count_before(happened, asked), count_before(happened[::-1], asked)
    assert one.tolist() == two.tolist() == [2, 1]


@pytest.mark.parametrize("window", [None, 2.0])
def test_nothing_happened_or_nobody_asked(window) -> None:
    happened = frame([("a", 3)], ["account_id", "at"])
    assert count_before(happened[:0], happened, window_days=window).tolist() == [0]
    assert count_before(happened, happened[:0], window_days=window).tolist() == []
    assert last_before(happened[:0], happened).isna().all()
