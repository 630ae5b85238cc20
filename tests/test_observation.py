"""Who could be seen when: crawls, whole lists, spans, and which ties stand at a moment."""

from __future__ import annotations

import pandas as pd
import pytest

from followkit.observation import (
    find_complete,
    find_crawled,
    find_crawls,
    find_standing,
    make_spans,
    sees_unfollows,
)
from followkit.tables import Dataset, make_dataset

EARLY, LATE = pd.Timestamp("2024-01-01", tz="UTC"), pd.Timestamp("2024-07-01", tz="UTC")
FOLLOWS = pd.DataFrame(
    {"follower_id": ["a", "b"], "followee_id": ["b", "c"],
     "followed_at": ["2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"]}
)  # fmt: skip


def make(rows: list[tuple[str, str, object, object, object, object]]) -> Dataset:
    names = ["account_id", "table_name", "observed_from_at", "observed_until_at",
             "list_is_complete", "sees_unfollows"]  # fmt: skip
    observation = pd.DataFrame(rows, columns=names)
    for name in ("observed_from_at", "observed_until_at"):
        observation[name] = pd.to_datetime(observation[name], utc=True)
    return make_dataset({"follows": FOLLOWS, "observation": observation})


def test_a_crawl_begins_when_it_ends_and_other_tables_do_not_count() -> None:
    data = make(
        [
            ("b", "follows", LATE, LATE, True, True),
            ("a", "follows", EARLY, EARLY, True, True),
            ("a", "follows", LATE, LATE, False, True),
            ("c", "follows", EARLY, LATE, True, True),
            ("c", "posts", "2023-01-01", "2023-01-01", True, None),
        ]
    )
    assert find_crawls(data) == [EARLY, LATE]
    assert sorted(find_crawled(data, LATE)) == ["a", "b"]
    assert list(find_complete(data, LATE)) == ["b"]
    assert list(find_complete(data, EARLY)) == ["a"]


def test_an_unknown_list_is_not_a_whole_list_of_a_crawl() -> None:
    data = make([("a", "follows", EARLY, EARLY, None, True)])
    assert list(find_complete(data, EARLY)) == []
    assert list(find_crawled(data, EARLY)) == ["a"]


def test_spans_leave_out_crawls_and_lists_cut_off() -> None:
    data = make(
        [
            ("a", "follows", EARLY, LATE, True, True),
            ("b", "follows", EARLY, LATE, False, True),
            ("c", "follows", EARLY, EARLY, True, True),
        ]
    )
    assert make_spans(data).values.tolist() == [["a", EARLY, LATE]]


def test_without_observation_everybody_is_watched_from_first_follow_to_last() -> None:
    spans = make_spans(make_dataset({"follows": FOLLOWS}))
    assert sorted(spans["account_id"]) == ["a", "b", "c"]
    assert set(spans["from_at"]) == {pd.Timestamp("2024-02-01", tz="UTC")}
    assert set(spans["until_at"]) == {pd.Timestamp("2024-03-01", tz="UTC")}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [(True, True, True), (True, False, False), (True, None, False)],
)
def test_unfollows_are_seen_only_if_every_row_says_so(
    first: object, second: object, expected: bool
) -> None:
    data = make(
        [
            ("a", "follows", EARLY, LATE, True, first),
            ("b", "follows", EARLY, LATE, True, second),
        ]
    )
    assert sees_unfollows(data) is expected


def test_without_observation_a_withdrawal_is_the_proof() -> None:
    assert not sees_unfollows(make_dataset({"follows": FOLLOWS}))
    ends = FOLLOWS.assign(unfollowed_at=["2024-05-01T00:00:00Z", None])
    assert sees_unfollows(make_dataset({"follows": ends}))


def test_standing_ties_of_exact_times() -> None:
    ends = FOLLOWS.assign(unfollowed_at=["2024-05-01T00:00:00Z", None])
    follows = make_dataset({"follows": ends}).follows
    for moment, expected in [
        ("2024-01-31", [False, False]),
        ("2024-02-01", [True, False]),
        ("2024-04-30", [True, True]),
        ("2024-05-01", [False, True]),
    ]:
        standing, unknown = find_standing(follows, pd.Timestamp(moment, tz="UTC"))
        assert (list(standing), list(unknown)) == (expected, [False, False])


def test_a_tie_last_seen_before_the_moment_is_unknown_unless_seen_gone() -> None:
    bounds = pd.DataFrame(
        {"follower_id": list("abcd"), "followee_id": list("efgh"),
         "followed_before_at": [EARLY, EARLY, EARLY, LATE],
         "unfollowed_after_at": [LATE, EARLY, EARLY, LATE],
         "unfollowed_before_at": pd.to_datetime([None, None, LATE, None], utc=True)}
    )  # fmt: skip
    follows = make_dataset({"follows": bounds}).follows
    standing, unknown = find_standing(follows, LATE)
    assert list(standing) == [True, False, False, True]
    assert list(unknown) == [False, True, False, False]
    standing, unknown = find_standing(follows, EARLY)
    assert list(standing) == [True, True, True, False]
    assert not unknown.any()


def test_ties_without_any_time_stand() -> None:
    plain = make_dataset({"follows": FOLLOWS[["follower_id", "followee_id"]]}).follows
    standing, unknown = find_standing(plain, LATE)
    assert standing.all()
    assert not unknown.any()
