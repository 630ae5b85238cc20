"""Dyads of the three questions: every rule on a case small enough to count by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from followkit.dyads import (
    DyadSet,
    find_questions,
    make_dyads,
    make_folds,
    make_waiting,
    select_dyads,
)
from followkit.errors import InputError, ParameterError
from followkit.tables import Dataset, make_dataset

START = pd.Timestamp("2024-01-01", tz="UTC")
Row = tuple[str, str, float, float | None]


def day(number: float) -> pd.Timestamp:
    return START + pd.Timedelta(days=number)


def watch(
    ids: Sequence[str], start: float = 0, end: float = 100, whole: bool = True
) -> pd.DataFrame:
    return pd.DataFrame(
        {"account_id": list(ids), "table_name": "follows", "observed_from_at": day(start),
         "observed_until_at": day(end), "list_is_complete": whole, "sees_unfollows": True}
    )  # fmt: skip


def timed(rows: Sequence[Row], observation: pd.DataFrame | None = None) -> Dataset:
    """Return follows (follower, followee, from day, to day) that were all watched for 100 days."""
    follows = pd.DataFrame(list(rows), columns=["follower_id", "followee_id", "from", "to"])
    follows["followed_at"] = START + pd.to_timedelta(follows.pop("from"), unit="D")
    follows["unfollowed_at"] = START + pd.to_timedelta(follows.pop("to").astype(float), unit="D")
    if observation is None:
        observation = watch(sorted({name for row in rows for name in row[:2]}))
    return make_dataset({"follows": follows, "observation": observation})


def answers(dyads: DyadSet) -> dict[tuple[str, str], tuple[int, str]]:
    table = dyads.table
    pairs = zip(table["initiator_id"], table["decider_id"], strict=True)
    found = zip(table["outcome"], table["state"], strict=True)
    return dict(zip(pairs, ((int(one), str(two)) for one, two in found), strict=True))


def counts(dyads: DyadSet) -> dict[str, int]:
    return dict(zip(dyads.census["step"], dyads.census["count"].astype(int), strict=True))


def ask(rows: Sequence[Row], horizon: float = 10, observation: pd.DataFrame | None = None):
    return make_dyads(timed(rows, observation), "follow_back", horizon_days=horizon)


# -- follow-back ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer_day", "outcome"), [(5.001, 1), (15.0, 1), (15.00001, 0), (40.0, 0)]
)
def test_an_answer_counts_up_to_and_including_the_horizon(answer_day: float, outcome: int) -> None:
    dyads = ask([("a", "b", 5, None), ("b", "a", answer_day, None)])
    state = "answered" if outcome else "not_answered"
    assert answers(dyads) == {("a", "b"): (outcome, state)}


def test_who_followed_first_is_the_initiator() -> None:
    assert list(answers(ask([("z", "a", 1, None), ("a", "z", 2, None)]))) == [("z", "a")]


def test_withdrawn_first_is_no_answer_and_stays() -> None:
    rows = [("a", "b", 0, 3), ("b", "a", 4, None), ("c", "d", 0, 3), ("e", "f", 0, 20)]
    assert answers(ask(rows)) == {
        ("a", "b"): (0, "withdrawn_first"),
        ("c", "d"): (0, "withdrawn_first"),
        ("e", "f"): (0, "not_answered"),
    }


def test_withdrawn_after_the_answer_is_an_answer() -> None:
    rows = [("a", "b", 0, 5), ("b", "a", 4, None)]
    assert answers(ask(rows)) == {("a", "b"): (1, "answered")}


def test_an_answer_taken_back_is_an_answer() -> None:
    rows = [("a", "b", 0, None), ("b", "a", 4, 6)]
    assert answers(ask(rows)) == {("a", "b"): (1, "answered")}


def test_young_dyads_leave_whatever_their_outcome() -> None:
    rows = [("a", "b", 91, None), ("b", "a", 92, None), ("c", "d", 95, None), ("e", "f", 90, None)]
    dyads = ask(rows)
    assert answers(dyads) == {("e", "f"): (0, "not_answered")}  # t + H is the very end
    assert counts(dyads)["too young"] == 2


def test_deciders_not_watched_at_t_or_with_lists_cut_off_are_unobservable() -> None:
    rows = [("a", "b", 5, None), ("b", "a", 6, None), ("c", "d", 5, None), ("c", "e", 5, None),
            ("c", "f", 5, None)]  # fmt: skip
    observation = pd.concat([watch("af"), watch("b", whole=False), watch("d", start=6)])
    dyads = ask(rows, observation=observation)
    assert answers(dyads) == {("c", "f"): (0, "not_answered")}
    assert counts(dyads)["unobservable"] == 3


def test_a_gap_in_the_watch_makes_a_dyad_too_young() -> None:
    rows = [("a", "b", 0, None), ("b", "a", 13, None), ("c", "d", 20, None)]
    observation = pd.concat([watch("b", end=8), watch("b", start=12), watch("acd")])
    dyads = ask(rows, observation=observation)
    assert list(answers(dyads)) == [("c", "d")]
    assert counts(dyads)["too young"] == 1


def test_the_first_spell_opens_the_dyad() -> None:
    rows = [("a", "b", 0, 2), ("a", "b", 30, None), ("b", "a", 32, None)]
    dyads = ask(rows)
    assert answers(dyads) == {("a", "b"): (0, "withdrawn_first")}
    assert counts(dyads)["followed again"] == 1


def test_equal_stamps_have_no_initiator_and_are_counted_and_said() -> None:
    rows = [("a", "b", 3, None), ("b", "a", 3, None), ("c", "d", 3, None), ("d", "c", 4, None)]
    dyads = ask(rows)
    assert list(answers(dyads)) == [("c", "d")]
    assert counts(dyads)["equal stamps"] == 2
    assert any("same stamp" in note for note in dyads.notes)


def test_pending_requests_and_self_follows_are_no_follows() -> None:
    follows = pd.DataFrame(
        {"follower_id": ["a", "b", "a", "c"], "followee_id": ["b", "a", "a", "d"],
         "followed_at": [day(0), day(1), day(0), day(0)],
         "status": ["active", "pending", "active", None]}
    )  # fmt: skip
    data = make_dataset({"follows": follows, "observation": watch("abcd")})
    dyads = make_dyads(data, "follow_back", horizon_days=10)
    assert answers(dyads) == {("a", "b"): (0, "not_answered"), ("c", "d"): (0, "not_answered")}
    assert counts(dyads)["pending"] == 1


def test_an_answer_before_the_initiators_second_follow_does_not_change_roles() -> None:
    rows = [("b", "a", 0, 1), ("a", "b", 2, None), ("b", "a", 3, None)]
    assert answers(ask(rows)) == {("b", "a"): (0, "withdrawn_first")}


def random_rows(seed: int, pair_count: int = 80) -> list[Row]:
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    for one in range(pair_count):
        a, b = rng.choice(25, size=2, replace=False)
        start, wait, leave = rng.integers(0, 95), rng.integers(0, 25), rng.integers(1, 40)
        end = float(start + leave) if rng.random() < 0.4 else None
        rows.append((f"u{a}", f"u{b}", float(start), end))
        if one % 2:
            rows.append((f"u{b}", f"u{a}", float(start + wait), None))
    unique = {(row[0], row[1], row[2]): row for row in rows}
    return list(unique.values())


@pytest.mark.parametrize("seed", range(6))
def test_outcomes_equal_a_slow_walk_over_pairs(seed: int) -> None:
    rows = random_rows(seed)
    first: dict[tuple[str, str], Row] = {}
    for row in sorted(rows, key=lambda row: (row[2], row[3] is None, row[3] or 0)):
        first.setdefault((row[0], row[1]), row)
    expected = {}
    for (a, b), (_, _, start, end) in first.items():
        back = first.get((b, a), ("", "", np.inf, None))[2]
        if back <= start or start + 10 > 100:
            continue
        answered = back <= start + 10 and (end is None or back <= end)
        expected[a, b] = int(answered)
    found = {pair: outcome for pair, (outcome, _) in answers(ask(rows)).items()}
    assert found == expected


@pytest.mark.parametrize("seed", range(3))
def test_the_census_adds_up(seed: int) -> None:
    dyads = ask(random_rows(seed))
    count = counts(dyads)
    left_out = ("pending", "without a time", "followed again", "answers among ties", "equal stamps")
    reverse = count.get("reverse without a time", 0)
    assert count["follows read"] - sum(count[s] for s in left_out) - reverse == count["dyads"]
    lost = count["unobservable"] + count["too young"] + count.get("decider deleted", 0)
    assert count["dyads"] - lost == count["eligible"] == len(dyads.table)
    kept = ("answered", "not answered", "withdrawn first", "not_answered", "withdrawn_first",
            "decider_deleted")  # fmt: skip
    assert sum(count.get(state, 0) for state in kept) == count["eligible"]


def test_row_order_names_and_strangers_change_nothing_for_the_others() -> None:
    rows = random_rows(11)
    base = answers(ask(rows))
    assert answers(ask(rows[::-1])) == base
    renamed = [(f"x{one}", f"x{two}", start, end) for one, two, start, end in rows]
    assert {(a[1:], b[1:]): v for (a, b), v in answers(ask(renamed)).items()} == base
    more = answers(ask([*rows, ("new1", "new2", 4.0, None), ("new2", "new1", 5.0, None)]))
    assert more.pop(("new1", "new2")) == (1, "answered")
    assert more == base


def test_waiting_keeps_the_young_and_says_how_the_watch_ended() -> None:
    rows = [("a", "b", 0, None), ("b", "a", 4, None), ("c", "d", 0, 7), ("e", "f", 98, None)]
    waiting = make_waiting(timed(rows))
    assert waiting[["initiator_id", "duration_days", "state"]].values.tolist() == [
        ["a", 4.0, "answered"], ["c", 7.0, "withdrawn"], ["e", 2.0, "censored"],
    ]  # fmt: skip


def test_without_observation_the_data_end_with_the_last_follow() -> None:
    follows = timed([("a", "b", 0, None), ("b", "a", 4, None), ("c", "d", 12, None)]).follows
    data = make_dataset({"follows": follows.drop(columns="unfollowed_at")})
    dyads = make_dyads(data, "follow_back", horizon_days=10)
    assert answers(dyads) == {("a", "b"): (1, "answered")}
    assert not dyads.sees_unfollows
    assert any("survived" in note for note in dyads.notes)


# -- late answer ------------------------------------------------------------------------------


def crawled() -> Dataset:
    """Return two crawls that hold one case of each kind; list of x is cut off in the second."""
    early, late = day(0), day(200)
    none = None
    cases = [  # follower, followee, known absent, first seen, last seen, known gone
        ("a", "b", none, early, late, none), ("b", "a", early, late, late, none),  # mutual
        ("c", "b", none, early, late, none),  # still one-way
        ("d", "b", none, early, early, late), ("b", "d", early, late, late, none),  # flipped
        ("e", "b", none, early, early, late),  # gone
        ("x", "b", none, early, early, none),  # unknown
        ("x", "c", none, early, late, none), ("c", "x", none, early, late, none),  # mutual before
        ("a", "x", none, early, late, none),  # x could not answer in sight
        ("a", "c", early, late, late, none),  # new: not at risk
    ]  # fmt: skip
    names = ["follower_id", "followee_id", "followed_after_at", "followed_before_at",
             "unfollowed_after_at", "unfollowed_before_at"]  # fmt: skip
    follows = pd.DataFrame(cases, columns=names)
    for name in names[2:]:
        follows[name] = pd.to_datetime(follows[name], utc=True)
    observation = pd.concat(
        [watch("abcdex", 0, 0), watch("abcde", 200, 200), watch("x", 200, 200, whole=False)]
    )
    return make_dataset({"follows": follows, "observation": observation})


def test_the_five_states_of_a_late_answer() -> None:
    dyads = make_dyads(crawled(), "late_answer")
    assert answers(dyads) == {
        ("a", "b"): (1, "mutual"),
        ("c", "b"): (0, "one_way"),
        ("d", "b"): (1, "flipped"),
        ("e", "b"): (0, "gone"),
        ("x", "b"): (0, "unknown"),
    }
    assert dyads.horizon_days == 200
    assert dyads.crawl_at == day(0)
    assert (dyads.table["at"] == day(0)).all()


def test_the_late_census_adds_up() -> None:
    count = counts(make_dyads(crawled(), "late_answer"))
    lost = count["mutual already"] + count["unobservable"] + count["not crawled again"]
    assert count["ties at the first crawl"] - lost == count["at risk"] == 5
    assert count["unobservable"] == 1
    states = ("one_way", "mutual", "flipped", "gone", "unknown")
    assert [count[state] for state in states] == [1, 1, 1, 1, 1]


def test_late_answers_have_the_gap_as_their_horizon() -> None:
    with pytest.raises(InputError, match=r"200\.0 days"):
        make_dyads(crawled(), "late_answer", horizon_days=45)
    assert make_dyads(crawled(), "late_answer", horizon_days=200).horizon_days == 200
    assert make_dyads(crawled(), "late_answer", horizon_days=None).horizon_days == 200


def test_changes_after_the_baseline_do_not_change_who_is_at_risk() -> None:
    data = crawled()
    later = data.follows["followed_before_at"] == day(200)
    without = data.replace(follows=data.follows[~later])
    pairs = list(answers(make_dyads(data, "late_answer")))
    assert list(answers(make_dyads(without, "late_answer"))) == pairs


# -- mutuality --------------------------------------------------------------------------------


def plain(pairs: Sequence[tuple[str, str]]) -> Dataset:
    return make_dataset(
        {"follows": pd.DataFrame(list(pairs), columns=["follower_id", "followee_id"])}
    )


def test_a_mutual_pair_enters_in_both_directions() -> None:
    dyads = make_dyads(plain([("a", "b"), ("b", "a"), ("c", "a")]), "mutuality")
    assert answers(dyads) == {
        ("a", "b"): (1, "mutual"),
        ("b", "a"): (1, "mutual"),
        ("c", "a"): (0, "one_way"),
    }
    assert dyads.table["at"].isna().all()
    assert (dyads.asof, dyads.crawl_at, dyads.horizon_days) == ("snapshot", None, None)


def test_with_crawls_the_snapshot_is_the_first_crawl_between_whole_lists() -> None:
    dyads = make_dyads(crawled(), "mutuality")
    assert dyads.crawl_at == day(0)
    found = answers(dyads)
    assert found["c", "x"] == (1, "mutual")
    assert ("b", "a") not in found
    assert len(found) == 8


def test_withdrawn_ties_do_not_stand() -> None:
    dyads = make_dyads(timed([("a", "b", 0, None), ("b", "a", 1, 5)]), "mutuality")
    assert answers(dyads) == {("a", "b"): (0, "one_way")}


def test_both_directions_share_a_fold_that_no_order_moves() -> None:
    pairs = [(f"u{i}", f"u{j}") for i in range(20) for j in range(20) if i != j]
    table = make_dyads(plain(pairs), "mutuality", seed=3).table
    fold = dict(zip(zip(table["initiator_id"], table["decider_id"], strict=True), table["fold"],
                    strict=True))  # fmt: skip
    assert all(fold[a, b] == fold[b, a] for a, b in pairs)
    shuffled = make_dyads(plain(pairs[::-1]), "mutuality", seed=3).table
    pd.testing.assert_frame_equal(shuffled, table)
    sizes = np.bincount(table["fold"], minlength=5)
    assert sizes.min() > 40  # 76 expected in each of the five
    other = make_dyads(plain(pairs), "mutuality", seed=4).table["fold"]
    assert (other != table["fold"]).any()


def test_folds_do_not_depend_on_the_other_pairs() -> None:
    one = make_folds([1, 2], [2, 3], seed=0, fold_count=5)
    two = make_folds([9, 2, 1], [8, 3, 2], seed=0, fold_count=5)
    assert list(one) == [two[2], two[1]]


# -- all questions ----------------------------------------------------------------------------


def test_the_table_has_the_promised_columns_and_order() -> None:
    for dyads in (make_dyads(crawled(), "late_answer"), ask(random_rows(2))):
        table = dyads.table
        names = ["dyad_id", "initiator_id", "decider_id", "at", "outcome", "fold", "weight",
                 "state"]  # fmt: skip
        assert list(table)[:8] == names
        assert list(table["dyad_id"]) == list(range(len(table)))
        assert table[["initiator_id", "decider_id"]].apply(tuple, axis=1).is_monotonic_increasing
        assert str(table["at"].dtype) == "datetime64[us, UTC]"
        assert table["outcome"].dtype == np.int8
        assert table["fold"].dtype == np.int16
        assert (table["weight"] == 1.0).all()


def test_find_questions_tells_what_is_missing() -> None:
    assert find_questions(plain([("a", "b")])) == {
        "follow_back": "needs follows with followed_at",
        "late_answer": "needs two crawls in observation",
        "mutuality": "",
    }
    assert find_questions(crawled())["late_answer"] == ""
    assert find_questions(timed([("a", "b", 0, None)]))["follow_back"] == ""


def test_select_dyads_writes_itself_into_census_and_notes() -> None:
    dyads = make_dyads(crawled(), "late_answer")
    chosen = select_dyads(dyads, dyads.table["state"] != "unknown", "withdrawals were visible")
    assert list(chosen.table["dyad_id"]) == [0, 1, 2, 3]
    assert counts(chosen)["selected"] + counts(chosen)["left out"] == len(dyads.table)
    assert chosen.notes == (*dyads.notes, "withdrawals were visible")
    assert len(dyads.table) == 5


@pytest.mark.parametrize("question", ["follow_back", "late_answer"])
def test_questions_the_data_cannot_answer_name_what_is_missing(question: str) -> None:
    with pytest.raises(InputError, match="these data can answer mutuality"):
        make_dyads(plain([("a", "b")]), question)  # type: ignore[arg-type]


def test_bad_arguments_are_refused() -> None:
    data = timed([("a", "b", 0, None)])
    with pytest.raises(ParameterError, match="mutuality"):
        make_dyads(data, "mutualty")  # type: ignore[arg-type]
    for horizon in (0, -3, float("nan"), float("inf")):
        with pytest.raises(ParameterError, match="horizon_days"):
            make_dyads(data, "follow_back", horizon_days=horizon)
    with pytest.raises(ParameterError, match="fold_count"):
        make_dyads(data, "mutuality", fold_count=1)


def test_no_dyad_left_shows_the_counts() -> None:
    with pytest.raises(InputError, match="too young 1"):
        ask([("a", "b", 95, None)])


# -- rules that need more than one table --------------------------------------------------------


def test_a_reverse_tie_without_a_time_leaves_who_came_first_open() -> None:
    follows = pd.DataFrame(
        {"follower_id": ["a", "b", "c"], "followee_id": ["b", "a", "d"],
         "followed_at": [day(0), None, day(0)]}
    )  # fmt: skip
    data = make_dataset({"follows": follows, "observation": watch("abcd")})
    dyads = make_dyads(data, "follow_back", horizon_days=10)
    assert list(answers(dyads)) == [("c", "d")]
    assert counts(dyads)["reverse without a time"] == 1


@pytest.mark.parametrize("end", [6, 100])
def test_a_deleted_decider_is_a_third_state_and_stays_whatever_came_before(end: float) -> None:
    rows = [("a", "b", 0, None), ("c", "b", 0, None), ("b", "c", 2, None), ("d", "b", 0, 1)]
    data = timed(rows, pd.concat([watch("acd"), watch("b", end=end)]))
    accounts = pd.DataFrame({"account_id": list("abcd"), "deleted_at": [None, day(6), None, None]})
    dyads = make_dyads(data.replace(accounts=accounts), "follow_back", horizon_days=10)
    assert answers(dyads) == {
        ("a", "b"): (0, "decider_deleted"),
        ("c", "b"): (1, "answered"),
        ("d", "b"): (0, "withdrawn_first"),
    }


def test_spans_that_touch_are_one_watch() -> None:
    observation = pd.concat([watch("b", end=8), watch("b", start=8), watch("a")])
    rows = [("a", "b", 5, None), ("b", "a", 12, None)]
    assert answers(ask(rows, observation=observation)) == {("a", "b"): (1, "answered")}


def test_equal_stamps_are_answers_in_rates_and_enter_both_ways_at_half_weight() -> None:
    rows = [("a", "b", 3, None), ("b", "a", 3, None), ("c", "d", 3, None)]
    data = timed(rows)
    waiting = make_waiting(data)
    assert waiting[["initiator_id", "duration_days", "has_answer"]].values.tolist() == [
        ["a", 0.0, True], ["c", 97.0, False],
    ]  # fmt: skip
    dyads = make_dyads(data, "follow_back", horizon_days=10, keep_equal_stamps=True)
    assert answers(dyads) == {
        ("a", "b"): (1, "answered"), ("b", "a"): (1, "answered"), ("c", "d"): (0, "not_answered"),
    }  # fmt: skip
    assert list(dyads.table["weight"]) == [0.5, 0.5, 1.0]


def test_the_usual_thirty_days_are_refused_for_late_answers_too() -> None:
    with pytest.raises(InputError, match=r"200\.0 days"):
        make_dyads(crawled(), "late_answer", horizon_days=30)
    assert make_dyads(crawled(), "late_answer").horizon_days == 200
    assert make_dyads(timed([("a", "b", 0, None)]), "follow_back").horizon_days == 30


def test_a_tie_listed_twice_is_one_tie() -> None:
    data = crawled()
    twice = data.replace(follows=pd.concat([data.follows, data.follows]))
    for question in ("late_answer", "mutuality"):
        one, two = make_dyads(data, question), make_dyads(twice, question)  # type: ignore[arg-type]
        pd.testing.assert_frame_equal(one.table, two.table)


def test_lists_cut_off_leave_mutuality_without_crawls() -> None:
    rows = [("a", "b", 0, None), ("b", "a", 1, None), ("a", "c", 0, None)]
    data = timed(rows, pd.concat([watch("ab"), watch("c", whole=False)]))
    assert list(answers(make_dyads(data, "mutuality"))) == [("a", "b"), ("b", "a")]
