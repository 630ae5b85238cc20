"""Two exports show what one cannot; the store keeps them whole or not at all."""

from __future__ import annotations

import os
import random
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from followkit.dyads import find_questions, make_dyads
from followkit.errors import InputError
from followkit.observation import find_crawls, sees_unfollows
from followkit.snapshots import (
    SnapshotStore,
    compare_snapshots,
    find_home,
    join_snapshots,
)
from followkit.snapshots.ties import find_renames, read_lists
from followkit.tables import Dataset, make_dataset
from followkit.waiting import make_waiting

JAN, FEB, MAR, APR = (pd.Timestamp(f"2026-0{month}-01T12:00:00Z") for month in (1, 2, 3, 4))


def _at(day: int, second: int = 7) -> pd.Timestamp:
    return pd.Timestamp("2025-06-01T10:00:00Z") + pd.Timedelta(days=day, seconds=second)


def _export(
    moment: Any,
    followers: dict[str, Any],
    following: dict[str, Any],
    *,
    platform: str = "instagram",
    pending: dict[str, Any] | None = None,
    withdrawn: dict[str, Any] | None = None,
    deleted: Sequence[str] = (),
    states: dict[str, str] | None = None,
    refuse: str = "",
    extra: dict[str, pd.DataFrame] | None = None,
    ego: str = "me",
) -> Dataset:
    rows = [(one, ego, at, None, None, "active") for one, at in followers.items()]
    rows += [(ego, one, at, None, None, "active") for one, at in following.items()]
    rows += [(ego, one, None, None, at, "pending") for one, at in (pending or {}).items()]
    rows += [(ego, one, None, at, None, "active") for one, at in (withdrawn or {}).items()]
    names = ["follower_id", "followee_id", "followed_at", "unfollowed_at", "requested_at", "status"]
    accounts = sorted({one for row in rows for one in row[:2]})
    people = pd.DataFrame({
        "account_id": accounts,
        "state": ["deleted" if one in deleted else "ok" for one in accounts],
    })  # fmt: skip
    states = {"followers": "whole", "following": "whole", **(states or {})}
    checks = [{"name": refuse, "value": "cut", "verdict": "refuse", "remedy": "Ask again."}]
    about = {
        "export": {
            "platform": platform, "ego": ego, "checks": checks * bool(refuse),
            "exported_at": moment.isoformat() if moment is not None else "",
            "lists": {side: {"state": state, "count": 1, "timed_count": 1, "files": []}
                      for side, state in states.items()},
        }
    }  # fmt: skip
    tables = {"follows": pd.DataFrame(rows, columns=names), "accounts": people, **(extra or {})}
    return make_dataset(tables, name=platform, about=about)


def _row(data: Dataset, source: str, target: str) -> dict[str, Any]:
    follows = data.follows
    rows = follows[(follows["follower_id"] == source) & (follows["followee_id"] == target)]
    assert len(rows) == 1
    return dict(rows.iloc[0])


EARLIER = {"ana": _at(1), "bo": _at(2), "cy": _at(3), "dee": _at(4)}


# ----------------------------------------------------------------------------------------- changes


def test_changes_between_two_exports() -> None:
    first = _export(JAN, EARLIER, {"bo": _at(0), "cy": _at(9), "eve": _at(5)})
    second = _export(FEB, {"ana": _at(1), "fay": _at(220)}, {"cy": _at(9), "gus": _at(230)},
                     withdrawn={"eve": _at(225)})  # fmt: skip
    found = compare_snapshots(first, second)
    assert found.left["account_id"].tolist() == ["bo", "cy", "dee"]
    assert found.left["ego_follows"].tolist() == [False, True, False]
    assert found.left["is_gone_from_both"].tolist() == [True, False, False]
    # Only bo had answered a follow of the ego; cy came first, dee was never followed.
    assert found.followed_then_left["account_id"].tolist() == ["bo"]
    assert found.came["account_id"].tolist() == ["fay"]
    assert found.came["is_older"].tolist() == [False]
    assert found.unfollowed["account_id"].tolist() == ["bo", "eve"]
    assert found.unfollowed["unfollowed_at"].tolist() == [pd.NaT, _at(225)]
    assert found.renamed.empty
    assert found.deleted.empty
    assert found.counts() == {"left": 3, "came": 1, "followed_then_left": 1, "unfollowed": 2,
                              "renamed": 0, "deleted": 0}  # fmt: skip
    assert "dee" not in found._repr_html_()


def test_a_new_name_is_no_departure() -> None:
    first = _export(JAN, EARLIER, {"bo": _at(0)})
    second = _export(FEB, {"ana": _at(1), "bob": _at(2), "cy": _at(3), "dee": _at(4)},
                     {"bob": _at(0)})  # fmt: skip
    found = compare_snapshots(first, second)
    assert found.renamed.values.tolist() == [["bo", "bob", "both", _at(2)]]
    assert found.counts() | {"renamed": 0} == dict.fromkeys(found.counts(), 0)


@pytest.mark.parametrize(
    ("why", "before", "after"),
    [
        ("two gone with one second", {"a": _at(1), "b": _at(1), "x": _at(5)},
         {"c": _at(1), "x": _at(5)}),
        ("two new with one second", {"a": _at(1), "x": _at(5)},
         {"b": _at(1), "c": _at(1), "x": _at(5)}),
        ("one who stayed has it too", {"a": _at(1), "x": _at(1)}, {"b": _at(1), "x": _at(1)}),
        ("another second", {"a": _at(1), "x": _at(5)}, {"b": _at(1, 8), "x": _at(5)}),
        ("no time", {"a": None, "x": _at(5)}, {"b": None, "x": _at(5)}),
        ("only minutes", {"a": _at(1, 0), "x": _at(5, 0)}, {"b": _at(1, 0), "x": _at(5, 0)}),
        ("minutes before", {"a": _at(1, 0), "x": _at(5, 0)}, {"b": _at(1, 0), "x": _at(5)}),
    ],
)  # fmt: skip
def test_a_name_is_not_guessed(why: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    found = compare_snapshots(
        _export(JAN, before, {"x": _at(1)}), _export(FEB, after, {"x": _at(1)})
    )
    assert found.renamed.empty, why
    assert "a" in found.left["account_id"].tolist()
    is_same_moment = after.get("b", after.get("c")) == before["a"] and before["a"] is not None
    flags = dict(zip(found.left["account_id"], found.left["may_be_renamed"], strict=True))
    assert flags["a"] == is_same_moment


def test_names_must_not_be_known_from_elsewhere() -> None:
    # b was in the earlier export already, and a is still in the later: neither is new nor gone.
    first = _export(JAN, {"a": _at(1), "x": _at(5)}, {"b": _at(3)})
    second = _export(FEB, {"b": _at(1), "x": _at(5)}, {"b": _at(3)})
    assert compare_snapshots(first, second).renamed.empty
    third = _export(FEB, {"c": _at(1), "x": _at(5)}, {"a": _at(3)})
    assert compare_snapshots(first, third).renamed.empty


def test_lists_must_agree_on_a_new_name() -> None:
    first = _export(JAN, {"a": _at(1), "x": _at(5)}, {"a": _at(3), "x": _at(6)})
    second = _export(FEB, {"b": _at(1), "x": _at(5)}, {"c": _at(3), "x": _at(6)})
    assert compare_snapshots(first, second).renamed.empty
    third = _export(FEB, {"b": _at(1), "x": _at(5)}, {"b": _at(4), "x": _at(6)})
    assert compare_snapshots(first, third).renamed.empty
    fourth = _export(FEB, {"b": _at(1), "x": _at(5)}, {"x": _at(6)})
    assert compare_snapshots(first, fourth).renamed["lists"].tolist() == ["followers"]


def test_direction_counts() -> None:
    first = _export(JAN, {"a": _at(1), "x": _at(5)}, {"x": _at(6)})
    second = _export(FEB, {"x": _at(5)}, {"b": _at(1), "x": _at(6)})
    assert compare_snapshots(first, second).renamed.empty


def test_numbers_as_ids_need_no_pairing() -> None:
    first = _export(JAN, {"11": _at(1), "13": _at(5)}, {"13": _at(5)}, platform="x", ego="99")
    second = _export(FEB, {"12": _at(1), "13": _at(5)}, {"13": _at(5)}, platform="x", ego="99")
    assert first.follows["follower_id"].dtype == "int64"
    found = compare_snapshots(first, second)
    assert found.left["account_id"].tolist() == ["11"]
    assert found.came["account_id"].tolist() == ["12"]
    assert found.renamed.empty


def test_deleted_accounts_have_not_left() -> None:
    first = _export(JAN, EARLIER, {"bo": _at(0), "cy": _at(9)})
    second = _export(
        FEB, {"ana": _at(1), "dee": _at(4)}, {"__deleted__1": _at(0), "cy": _at(9)},
        deleted=["__deleted__1", "cy"],
    )  # fmt: skip
    found = compare_snapshots(first, second)
    assert found.deleted.values.tolist() == [["bo", "__deleted__1"], ["cy", "cy"]]
    assert found.left.empty
    assert found.unfollowed.empty
    assert found.renamed.empty


@pytest.mark.parametrize("which", ["earlier", "later"])
def test_refused_exports_are_not_compared(which: str) -> None:
    for fault in ({"refuse": "date range"}, {"states": {"followers": "cut"}},
                  {"states": {"following": "unreadable"}}):  # fmt: skip
        bad: dict[str, Any] = dict(fault)
        first = _export(JAN, EARLIER, {"bo": _at(0)}, **(bad if which == "earlier" else {}))
        second = _export(FEB, EARLIER, {"bo": _at(0)}, **(bad if which == "later" else {}))
        with pytest.raises(InputError, match=f"the {which} export") as caught:
            compare_snapshots(first, second)
        assert "Ask" in str(caught.value)


def test_what_cannot_be_compared() -> None:
    one = _export(JAN, EARLIER, {})
    with pytest.raises(InputError, match="the earlier export must come first"):
        compare_snapshots(_export(FEB, EARLIER, {}), one)
    with pytest.raises(InputError, match="must be of one account"):
        compare_snapshots(one, _export(FEB, EARLIER, {}, ego="you"))
    with pytest.raises(InputError, match="moment of the export is not known"):
        compare_snapshots(one, _export(None, EARLIER, {}))
    with pytest.raises(InputError, match="is no export"):
        compare_snapshots(one, make_dataset({"follows": one.follows}))
    with pytest.raises(InputError, match="whose export"):
        compare_snapshots(one, _export(FEB, EARLIER, {}, ego="x").replace() and make_dataset(
            {"follows": one.follows}, about={"export": {"exported_at": "2026-01-01"}}))  # fmt: skip


# -------------------------------------------------------------------------------------------- join


def test_joined_follows_begin_and_end() -> None:
    first = _export(JAN, EARLIER, {"bo": _at(0), "cy": _at(9), "eve": _at(5)},
                    pending={"hal": _at(200), "ida": _at(201), "jo": _at(202)})  # fmt: skip
    second = _export(FEB, {"ana": _at(1), "fay": _at(220)},
                     {"cy": _at(9), "hal": _at(221), "jim": None},
                     withdrawn={"eve": _at(225)}, pending={"jo": _at(202)})  # fmt: skip
    joined = join_snapshots([second, first])
    left = _row(joined, "bo", "me")
    assert (left["followed_at"], left["unfollowed_after_at"]) == (_at(2), JAN)
    assert left["unfollowed_before_at"] == FEB
    assert pd.isna(left["unfollowed_at"])
    assert pd.isna(_row(joined, "ana", "me")["unfollowed_before_at"])
    assert _row(joined, "fay", "me")["followed_at"] == _at(220)
    told = _row(joined, "me", "eve")
    assert (told["followed_at"], told["unfollowed_at"]) == (_at(5), _at(225))
    untimed = _row(joined, "me", "jim")
    assert pd.isna(untimed["followed_at"])
    assert (untimed["followed_after_at"], untimed["followed_before_at"]) == (JAN, FEB)
    answered = _row(joined, "me", "hal")
    assert (answered["requested_at"], answered["followed_at"]) == (_at(200), _at(221))
    assert answered["status"] == "active"
    pending = _row(joined, "me", "jo")
    assert (pending["status"], pending["requested_at"]) == ("pending", _at(202))
    assert "ida" not in set(joined.follows["followee_id"])
    assert joined.about["export"]["snapshots"] == [JAN.isoformat(), FEB.isoformat()]
    assert joined.about["export"]["exported_at"] == FEB.isoformat()
    assert "1 requests were neither answered nor kept" in set(joined.quality["note"])


def test_followed_again_is_a_second_row() -> None:
    first = _export(JAN, {"ana": _at(1)}, {"ana": _at(0)})
    second = _export(FEB, {"ana": JAN + pd.Timedelta(days=3, seconds=7)}, {"ana": _at(0)})
    rows = join_snapshots([first, second]).follows
    rows = rows[rows["follower_id"] == "ana"].sort_values("followed_at")
    assert rows["followed_at"].tolist() == [_at(1), JAN + pd.Timedelta(days=3, seconds=7)]
    assert rows["unfollowed_after_at"].tolist() == [JAN, pd.NaT]
    assert rows["unfollowed_before_at"].tolist() == [JAN + pd.Timedelta(days=3, seconds=7), pd.NaT]


def test_a_follow_of_the_day_of_the_export_is_one_follow() -> None:
    day = JAN.floor("D")
    later = day + pd.Timedelta(hours=15, seconds=7)
    exports = [_export(day, {"ana": later, "bo": later}, {"x": _at(0)}),
               _export(FEB, {"ana": later}, {"x": _at(0)})]  # fmt: skip
    joined = join_snapshots(exports)
    assert len(joined.follows) == 3
    assert _row(joined, "bo", "me")["unfollowed_after_at"] == later
    assert pd.isna(_row(joined, "ana", "me")["unfollowed_before_at"])


def test_without_times_a_return_is_a_second_row() -> None:
    kept = {"13": None}
    lists: list[dict[str, Any]] = [{"11": None, **kept}, kept, {"11": None, **kept}]
    joined = join_snapshots(_export(at, listed, kept, platform="x", ego="99")
                            for at, listed in zip((JAN, FEB, MAR), lists, strict=True))  # fmt: skip
    rows = joined.follows[joined.follows["follower_id"] == 11]
    names = ["followed_after_at", "followed_before_at", "unfollowed_after_at",
             "unfollowed_before_at"]  # fmt: skip
    assert sorted(rows[names].astype(object).values.tolist(), key=str) == sorted(
        [[pd.NaT, JAN, JAN, FEB], [FEB, MAR, pd.NaT, pd.NaT]], key=str
    )


def test_back_with_the_old_moment_was_never_withdrawn() -> None:
    exports = [_export(JAN, {"ana": _at(1), "bo": _at(2)}, {"bo": _at(0)}),
               _export(FEB, {"bo": _at(2)}, {"bo": _at(0)}),
               _export(MAR, {"ana": _at(1), "bo": _at(2)}, {"bo": _at(0)})]  # fmt: skip
    row = _row(join_snapshots(exports), "ana", "me")
    assert row["followed_at"] == _at(1)
    assert "unfollowed_before_at" not in row or pd.isna(row["unfollowed_before_at"])


def test_a_cut_list_says_nothing_of_who_is_missing() -> None:
    exports = [_export(JAN, EARLIER, {"bo": _at(0)}),
               _export(FEB, {"dee": _at(4)}, {"bo": _at(0)}, refuse="date range"),
               _export(MAR, {"ana": _at(1), "dee": _at(4)}, {"bo": _at(0)})]  # fmt: skip
    joined = join_snapshots(exports)
    for gone in ("bo", "cy"):
        row = _row(joined, gone, "me")
        assert (row["unfollowed_after_at"], row["unfollowed_before_at"]) == (JAN, MAR)
    only_cut = join_snapshots(exports[:2])
    row = _row(only_cut, "cy", "me")
    # Last seen in January, never seen gone: unknown from then on.
    assert row["unfollowed_after_at"] == JAN
    assert pd.isna(row["unfollowed_before_at"])


def test_html_minutes_and_json_seconds_are_one_follow() -> None:
    html = {one: at.floor("min") for one, at in EARLIER.items()}
    for pair in ([html, EARLIER], [EARLIER, html]):
        joined = join_snapshots([_export(JAN, pair[0], {"x": _at(0)}),
                                 _export(FEB, pair[1], {"x": _at(0)})])  # fmt: skip
        assert len(joined.follows) == 5
        assert _row(joined, "cy", "me")["followed_at"] == EARLIER["cy"]


def test_renamed_accounts_are_joined_under_their_last_name() -> None:
    def acts(name: str) -> dict[str, pd.DataFrame]:
        return {"interactions": pd.DataFrame({
            "actor_id": ["me", "me", name], "target_id": [name, name, "me"],
            "kind": ["like", "like", "message"], "at": [_at(3), _at(3), None], "text": "secret",
        })}  # fmt: skip

    exports = [_export(moment, {name: _at(1), "x": _at(5)}, {name: _at(0), "x": _at(6)},
                       extra=acts(name))
               for moment, name in ((JAN, "a"), (FEB, "b"), (MAR, "c"))]  # fmt: skip
    joined = join_snapshots(exports)
    assert set(joined.follows["follower_id"]) == {"c", "x", "me"}
    assert len(joined.follows) == 4
    people = joined.accounts.set_index("account_id")
    assert people["renamed_from"].fillna("").to_dict() == {"c": "a b", "me": "", "x": ""}
    # Two likes of one second were two likes, in every export.
    assert joined.interactions["kind"].tolist() == ["like", "like", "message"]
    assert "text" not in joined.interactions
    assert set(joined.interactions["actor_id"]) == {"me", "c"}


def test_deleted_accounts_are_watched_as_long_as_they_were_there() -> None:
    exports = [_export(JAN, {"bo": _at(2), "x": _at(5)}, {"bo": _at(0), "x": _at(6)}),
               _export(FEB, {"x": _at(5)}, {"__deleted__1": _at(0), "x": _at(6)},
                       deleted=["__deleted__1"])]  # fmt: skip
    joined = join_snapshots(exports)
    assert set(joined.follows["followee_id"]) == {"me", "bo", "x"}
    row = _row(joined, "bo", "me")
    assert row["unfollowed_after_at"] == JAN
    assert pd.isna(row.get("unfollowed_before_at"))
    assert joined.accounts.set_index("account_id").loc["bo", "state"] == "deleted"
    seen = joined.observation
    assert seen.loc[seen["account_id"] == "bo", "observed_until_at"].max() == JAN
    assert seen.loc[seen["account_id"] == "x", "observed_until_at"].max() == FEB


def test_observation_says_what_was_seen() -> None:
    exports = [_export(JAN, EARLIER, {"bo": _at(0), "eve": _at(5)}),
               _export(FEB, {"bo": _at(2)}, {"bo": _at(0), "eve": _at(5)})]  # fmt: skip
    joined = join_snapshots(exports)
    seen = joined.observation
    bo = seen[seen["account_id"] == "bo"]
    assert bo["observed_from_at"].tolist() == [_at(0), JAN]
    assert bo["observed_until_at"].tolist() == [JAN, FEB]
    assert bo["sees_unfollows"].tolist() == [False, True]
    # ana was in no list of February: perhaps she closed her account.
    assert seen.loc[seen["account_id"] == "ana", "observed_until_at"].tolist() == [JAN]
    assert not sees_unfollows(joined)
    assert find_crawls(joined) == []
    waiting = make_waiting(joined).set_index(["initiator_id", "decider_id"])
    assert waiting.loc[("me", "bo"), "state"] == "answered"
    assert waiting.loc[("me", "eve"), "state"] == "censored"
    assert waiting.loc[("me", "eve"), "duration_days"] == (FEB - _at(5)) / pd.Timedelta(days=1)


def test_without_times_exports_are_crawls() -> None:
    exports = [
        _export(JAN, {"11": None, "12": None}, {"13": None, "14": None, "12": None},
                platform="x", ego="99"),
        _export(FEB, {"12": None, "13": None}, {"13": None, "14": None, "12": None},
                platform="x", ego="99"),
    ]  # fmt: skip
    joined = join_snapshots(exports)
    assert find_crawls(joined) == [JAN, FEB]
    assert find_questions(joined)["late_answer"] == ""
    dyads = make_dyads(joined, "late_answer").table.set_index(["initiator_id", "decider_id"])
    # 13 answered between the two exports, 14 did not; 11's follow is one the ego did not answer.
    assert dyads.loc[(99, 13), "outcome"] == 1
    assert dyads.loc[(99, 14), "outcome"] == 0
    assert (99, 12) not in dyads.index
    row = joined.follows[joined.follows["follower_id"] == 13].iloc[0]
    assert (row["followed_after_at"], row["followed_before_at"]) == (JAN, FEB)


def test_two_exports_of_one_moment_count_once() -> None:
    bare = dict.fromkeys(EARLIER)
    joined = join_snapshots([_export(JAN, bare, {}), _export(JAN, EARLIER, {}),
                             _export(FEB, EARLIER, {"x": _at(0)})])  # fmt: skip
    assert _row(joined, "bo", "me")["followed_at"] == EARLIER["bo"]
    assert len(joined.about["export"]["snapshots"]) == 2
    with pytest.raises(InputError, match="at least 2 exports of different moments"):
        join_snapshots([_export(JAN, bare, {}), _export(JAN, EARLIER, {})])
    with pytest.raises(InputError, match="of one account; got 2, first: me on instagram; you on"):
        join_snapshots([_export(JAN, bare, {}), _export(FEB, EARLIER, {}, ego="you")])


class _Life:
    """A made up account whose every follow, withdrawal and new name is known."""

    def __init__(self, seed: int) -> None:
        dice = random.Random(seed)
        self.moments = [JAN, FEB, MAR, APR]
        start = pd.Timestamp("2025-11-01T00:00:00Z")
        seconds = dice.sample(range(1, int((APR - start).total_seconds())), 400)
        stamps = [start + pd.Timedelta(seconds=one) for one in seconds]
        # (list, person) → spells (from, to); names: person → moment of the new name, or None.
        self.spells: dict[tuple[str, int], list[tuple[Any, Any]]] = {}
        for person in range(40):
            for side in ("followers", "following"):
                count = dice.choice((0, 1, 1, 2))
                times = sorted(stamps.pop() for _ in range(2 * count))
                found = [(times[2 * k], times[2 * k + 1]) for k in range(count)]
                if found and dice.random() < 0.6:
                    found[-1] = (found[-1][0], None)
                self.spells[side, person] = found
        self.renamed = {person: dice.choice((None, None, stamps.pop())) for person in range(40)}

    def name(self, person: int, at: Any) -> str:
        moment = self.renamed[person]
        return f"p{person}" if moment is None or at < moment else f"q{person}"

    def standing(self, side: str, at: Any) -> dict[int, Any]:
        return {person: begin for (where, person), spells in self.spells.items() if where == side
                for begin, end in spells if begin <= at and (end is None or end > at)}  # fmt: skip

    def export(self, at: Any) -> Dataset:
        lists = [{self.name(person, at): begin for person, begin in self.standing(side, at).items()}
                 for side in ("followers", "following")]  # fmt: skip
        return _export(at, lists[0], lists[1])


@pytest.mark.parametrize("seed", range(6))
def test_joining_recovers_a_known_life(seed: int) -> None:
    life = _Life(seed)
    joined = join_snapshots([life.export(at) for at in life.moments])
    got = {}
    for row in joined.follows.to_dict("records"):
        side = "followers" if row["followee_id"] == "me" else "following"
        other = row["follower_id"] if side == "followers" else row["followee_id"]
        person = int(other[1:])
        key = (side, person, row["followed_at"])
        assert key not in got
        got[key] = row
    expected = {
        (side, person, begin): end
        for (side, person), spells in life.spells.items()
        for begin, end in spells
        if any(begin <= at and (end is None or end > at) for at in life.moments)
    }
    # Every spell that some export showed is there once, and none beside.
    assert set(got) == set(expected)
    for (side, person, begin), end in expected.items():
        row = got[side, person, begin]
        after, before = row["unfollowed_after_at"], row["unfollowed_before_at"]
        if end is None or end > APR:
            assert pd.isna(before)
        else:
            assert after < end <= before


@pytest.mark.parametrize("seed", range(6))
def test_changes_equal_a_known_life(seed: int) -> None:
    life = _Life(seed)
    found = compare_snapshots(life.export(JAN), life.export(APR))
    before, after = (life.standing("followers", at) for at in (JAN, APR))
    # Whoever followed in both under two names is seen as one, since every second is used once;
    # unless it left and followed again, which no list can tell from somebody new.
    follows_again = {one for one in before.keys() & after.keys() if before[one] != after[one]}
    gone = {life.name(one, JAN) for one in before.keys() - after.keys()}
    new = {life.name(one, APR) for one in after.keys() - before.keys()}
    people = [{*life.standing(side, at)} for side in ("following",) for at in (JAN, APR)]
    unsure = {one for one in (*before, *after, *people[0], *people[1])
              if life.name(one, JAN) != life.name(one, APR)}  # fmt: skip
    assert gone
    assert new
    sure = {life.name(one, at) for one in unsure for at in (JAN, APR)}
    assert set(found.left["account_id"]) - sure == gone - sure
    assert set(found.came["account_id"]) - sure == new - sure
    renamed = {(f"p{one}", f"q{one}") for one in unsure & before.keys() & after.keys()
               if one not in follows_again and _agrees(life, one)}  # fmt: skip
    assert renamed <= set(zip(found.renamed["earlier_id"], found.renamed["later_id"], strict=True))
    for old, later in zip(found.renamed["earlier_id"], found.renamed["later_id"], strict=True):
        assert old[1:] == later[1:]


def _agrees(life: _Life, one: int) -> bool:
    pair = [life.standing("following", at).get(one) for at in (JAN, APR)]
    return None in pair or pair[0] == pair[1]


def test_renames_are_listed_in_order() -> None:
    first = read_lists(_export(JAN, {"b": _at(1), "a": _at(2), "x": _at(3)}, {}))
    second = read_lists(_export(FEB, {"y": _at(1), "z": _at(2), "x": _at(3)}, {}))
    assert [(one.earlier, one.later) for one in find_renames(first, second)] == [
        ("a", "z"), ("b", "y"),
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------- store


def _full() -> Dataset:
    acts = pd.DataFrame({"actor_id": ["me", "bo"], "target_id": ["bo", "me"],
                         "kind": ["like", "message"], "at": [_at(3), None],
                         "text": ["a secret", "another secret"]})  # fmt: skip
    posts = pd.DataFrame({"post_id": ["1"], "account_id": ["me"], "text": ["my secret"]})
    names = {"NA": _at(7), "null": _at(8), "007": None, "1e5": _at(6)}
    return _export(JAN, {**EARLIER, **names}, {"bo": _at(0)},
                   extra={"interactions": acts, "posts": posts})  # fmt: skip


def test_what_is_kept_comes_back_without_texts(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path / "store")
    data = _full()
    kept = store.keep(data)
    (loaded,) = store.load(platform="instagram", ego="me")
    assert loaded.fingerprint() == kept.fingerprint
    pd.testing.assert_frame_equal(loaded.follows, data.follows)
    pd.testing.assert_frame_equal(loaded.accounts, data.accounts)
    pd.testing.assert_frame_equal(loaded.interactions, data.interactions.drop(columns="text"))
    assert loaded.about["export"] == data.about["export"]
    assert "posts" not in loaded.tables
    for path in (tmp_path / "store").rglob("*"):
        assert path.is_dir() or b"secret" not in path.read_bytes()


def test_keeping_again_changes_nothing(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    one = store.keep(_full())
    before = {path: path.stat().st_mtime_ns for path in one.folder.iterdir()}
    assert store.keep(_full()) == one
    assert {path: path.stat().st_mtime_ns for path in one.folder.iterdir()} == before
    # The HTML twin of the same moment has other times: it is kept beside.
    twin = store.keep(_export(JAN, EARLIER, {"bo": None}))
    assert twin.folder != one.folder
    assert [snapshot.fingerprint for snapshot in store.list()] == [
        one.fingerprint, twin.fingerprint,
    ]  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
def test_only_the_owner_may_read(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        kept = SnapshotStore(tmp_path / "deep" / "store").keep(_full())
    finally:
        os.umask(old)
    for path in (kept.folder, kept.folder.parent, kept.folder.parent.parent):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept.folder.iterdir()} == {0o600}


def test_folders_do_not_name_the_ego(tmp_path: Path) -> None:
    kept = SnapshotStore(tmp_path).keep(_export(JAN, EARLIER, {}, ego="zoe.zebra"))
    place = kept.folder.relative_to(tmp_path).as_posix()
    assert "zoe" not in place
    assert place.startswith("instagram-")
    assert place.endswith("/2026-01-01T120000Z")
    assert (tmp_path / ".gitignore").read_text() == "*\n"


def test_accounts_are_kept_apart_and_forgotten_alone(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    for ego in ("me", "you"):
        for moment in (FEB, JAN):
            store.keep(_export(moment, EARLIER, {"x": _at(0)}, ego=ego))
    assert [(one.ego, one.exported_at) for one in store.list()] == [
        ("me", JAN), ("me", FEB), ("you", JAN), ("you", FEB),
    ]  # fmt: skip
    with pytest.raises(InputError, match="holds exports of 2 accounts, first: me on instagram"):
        store.load()
    loaded = store.load(ego="you")
    assert [one.about["export"]["exported_at"] for one in loaded] == [
        JAN.isoformat(), FEB.isoformat(),
    ]  # fmt: skip
    assert len(join_snapshots(loaded).about["export"]["snapshots"]) == 2
    assert store.forget(ego="you") == 2
    assert {one.ego for one in store.list()} == {"me"}
    assert store.forget() == 2
    assert [path.name for path in tmp_path.iterdir()] == [".gitignore"]
    assert store.load() == []


def test_a_broken_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SnapshotStore(tmp_path)

    def fail(path: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", fail)
        with pytest.raises(InputError, match="No space left on device"):
            store.keep(_full())
    assert store.list() == []
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [".gitignore"]
    assert store.keep(_full()) == store.list()[0]


def test_damage_is_named(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    kept = store.keep(_full())
    table = kept.folder / "follows.csv"
    table.write_text(table.read_text().replace("ana", "eva"))
    with pytest.raises(InputError, match="is not what was kept"):
        store.load()
    (kept.folder / "about.json").write_text("{")
    with pytest.raises(InputError, match=r"about\.json cannot be read"):
        store.list()


def test_bad_exports_are_not_kept(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path / "store")
    with pytest.raises(InputError, match="is no name of a platform"):
        store.keep(_export(JAN, EARLIER, {}, platform="../../etc"))
    with pytest.raises(InputError, match="moment of the export is not known"):
        store.keep(_export(None, EARLIER, {}))
    assert not (tmp_path / "store").exists()


def test_home_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FOLLOWKIT_HOME", str(tmp_path))
    assert find_home() == tmp_path
    assert SnapshotStore().root == tmp_path / "snapshots"
    monkeypatch.setenv("FOLLOWKIT_HOME", "here")
    with pytest.raises(InputError, match="must be an absolute path"):
        find_home()
    monkeypatch.delenv("FOLLOWKIT_HOME")
    if sys.platform.startswith("linux"):
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
        assert find_home() == tmp_path / "followkit"
        monkeypatch.setenv("XDG_DATA_HOME", "")
        monkeypatch.setenv("HOME", str(tmp_path))
        assert find_home() == tmp_path / ".local" / "share" / "followkit"
