"""What a reader found becomes canonical tables: one row a follow, and nobody falsely watched."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from followkit.dyads import make_dyads
from followkit.errors import InputError
from followkit.sources.exports.found import (
    Act,
    Check,
    FileRead,
    Found,
    Listed,
    Mark,
    Person,
    Post,
    Tie,
)
from followkit.sources.exports.to_tables import make_export_dataset

DAY = datetime(2025, 1, 1, tzinfo=UTC)


def at(days: float) -> datetime:
    return DAY + timedelta(days=days)


def follow(source: str, target: str, days: float | None, precision: int = 1) -> Tie:
    moment = None if days is None else at(days)
    return Tie(source, target, "follow", moment, "following.json", precision)


def whole(*ties: Tie, **more: object) -> Found:
    lists = [Listed("followers", "whole", 1, 1, ("f",)), Listed("following", "whole", 1, 1, ("g",))]
    return replace(
        Found("instagram", "me", at(400), list(ties), lists=lists), **more  # type: ignore[arg-type]
    )  # fmt: skip


def test_repeats_are_one_follow_with_its_first_and_finest_time() -> None:
    found = whole(
        follow("me", "bo", 5), follow("me", "bo", 3), follow("me", "bo", None),
        follow("me", "bo", 2.9, precision=60), follow("bo", "me", 4), follow("me", "me", 1),
    )  # fmt: skip
    data = make_export_dataset(found)
    rows = data.follows.set_index(["follower_id", "followee_id"])["followed_at"]
    assert rows.to_dict() == {("bo", "me"): at(4), ("me", "bo"): at(3)}
    notes = " ".join(data.quality["note"])
    assert "3 repeated entries" in notes
    assert "1 entries of the ego itself" in notes


def test_a_request_is_pending_until_it_led_to_a_follow() -> None:
    asked = Tie("me", "bo", "request", at(1), "r")
    data = make_export_dataset(whole(asked, follow("me", "bo", 2), replace(asked, target="cy")))
    rows = data.follows.set_index("followee_id")
    assert rows["status"].to_dict() == {"bo": "active", "cy": "pending"}
    assert rows.loc["bo", "requested_at"] == at(1)
    assert rows.loc["cy", "requested_at"] == at(1)
    assert rows["followed_at"].isna().to_dict() == {"bo": False, "cy": True}


def test_a_withdrawal_ends_a_follow_and_never_one_made_again() -> None:
    gone = Tie("me", "bo", "unfollow", at(9), "u")
    data = make_export_dataset(
        whole(gone, replace(gone, target="cy"), follow("me", "cy", 10),
              replace(gone, target="di", at=None))
    )  # fmt: skip
    rows = data.follows.set_index("followee_id")
    assert rows["unfollowed_at"].dropna().to_dict() == {"bo": at(9)}
    assert sorted(rows.index) == ["bo", "cy"]
    assert "1 withdrawals without a time" in " ".join(data.quality["note"])


def test_follows_without_times_stand_at_the_export() -> None:
    ties = [follow("me", "bo", None), follow("bo", "me", None), follow("me", "cy", None)]
    data = make_export_dataset(whole(*ties))
    assert (data.follows["followed_before_at"] == at(400)).all()
    dyads = make_dyads(data, "mutuality").table
    pairs = dyads[["initiator_id", "decider_id", "outcome"]].to_numpy().tolist()
    assert pairs == [["bo", "me", 1], ["me", "bo", 1], ["me", "cy", 0]]


def test_who_is_gone_or_off_a_cut_list_is_not_watched() -> None:
    people = [Person("cy", state="deleted"), Person("di", state="unknown")]
    ties = [follow("me", one, 1) for one in ("bo", "cy", "di", "__deleted__1f")]
    data = make_export_dataset(whole(*ties, people=people))
    assert set(data.observation["account_id"]) == {"me", "bo"}
    assert data.accounts.set_index("account_id")["state"].to_dict() == {
        "__deleted__1f": "deleted", "bo": "ok", "cy": "deleted", "di": "unknown", "me": "ok",
    }  # fmt: skip
    dyads = make_dyads(data, "follow_back")
    assert dyads.table["decider_id"].tolist() == ["bo"]
    cut = replace(whole(*ties, people=people))
    cut.lists[0] = Listed("followers", "cut", 1, 1, ("f",))
    with pytest.raises(InputError, match="no dyad is left"):
        make_dyads(make_export_dataset(cut), "follow_back")


def test_lists_of_ones_own_are_columns_and_blocks_are_acts() -> None:
    marks = [Mark("bo", "close_friend", None, "c"), Mark("cy", "blocked", at(2), "b")]
    data = make_export_dataset(whole(follow("me", "bo", 1), follow("me", "cy", 1), marks=marks))
    close = data.accounts.set_index("account_id")["is_close_friend"].astype(str).str.lower()
    assert close.to_dict() == {"bo": "true", "cy": "false", "me": "false"}
    acts = data.interactions[["actor_id", "target_id", "kind"]].to_numpy().tolist()
    assert acts == [["me", "cy", "block"]]


def test_names_of_folders_of_threads_do_not_leave() -> None:
    acts = [Act("bo", "me", "message", at(3), "messages/inbox/bo_secret_77/message_1.json")]
    files = [FileRead("messages/inbox/bo_secret_77/message_1.json", "messages", 1)]
    found = whole(follow("me", "bo", 1), acts=acts, files=files)
    data = make_export_dataset(found)
    assert "secret" not in f"{data.about} {data.quality.to_numpy().tolist()}"
    # What a file gave stands with the table that it went into.
    homes = dict(zip(data.quality["note"], data.quality["table"], strict=True))
    assert homes["message_1.json: 1 messages"] == "interactions"


def test_an_export_of_nobody_says_what_to_ask_for() -> None:
    with pytest.raises(InputError, match="are there and empty"):
        make_export_dataset(whole())
    absent = replace(whole(), lists=[], checks=[Check("both lists", "none", "refuse", "Ask Meta.")])
    with pytest.raises(InputError, match=r"nobody who follows anybody .*both lists: Ask Meta\."):
        make_export_dataset(absent)


def test_posts_come_once() -> None:
    post = Post("p1", "me", at(1), "posts.json", text="a", format="image")
    data = make_export_dataset(whole(follow("me", "bo", 1), posts=[post, replace(post, text="b")]))
    assert data.posts["text"].tolist() == ["a"]


@settings(max_examples=60, deadline=None)
@given(
    some.lists(
        some.tuples(
            some.sampled_from(["me>bo", "bo>me", "me>cy", "cy>me", "me>me"]),
            some.sampled_from(["follow", "request", "unfollow"]),
            some.none() | some.integers(0, 300),
        ),
        min_size=1, max_size=12,
    )
)  # fmt: skip
def test_any_pile_of_ties_is_one_row_a_pair_in_any_order(
    entries: list[tuple[str, str, int | None]],
):
    ties = [
        Tie(*pair.split(">"), kind, None if days is None else at(days), "f")  # type: ignore[arg-type]
        for pair, kind, days in entries
    ]
    try:
        data = make_export_dataset(whole(*ties))
    except InputError:
        assert all(tie.source == tie.target or (tie.kind == "unfollow" and tie.at is None)
                   for tie in ties)  # fmt: skip
        return
    assert not data.follows.duplicated(["follower_id", "followee_id"]).any()
    assert data.fingerprint() == make_export_dataset(whole(*ties[::-1])).fingerprint()
