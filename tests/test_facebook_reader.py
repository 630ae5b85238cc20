"""Facebook exports written by hand: friends, follows, requests, and names that collide."""

from __future__ import annotations

from typing import Any

import pytest
from export_members import check_of, left_out, members_of, ties_of, utc

from followkit.errors import InputError
from followkit.sources.exports.facebook import read_facebook, recognise
from followkit.sources.exports.found import Found

#: 14 November 2023, 22:13:20 UTC.
STAMP = 1700000000
FOLDER = "connections/"


def people(*names: str, first: int = STAMP) -> list[dict[str, Any]]:
    return [{"name": name, "timestamp": first + 60 * place} for place, name in enumerate(names)]


def export() -> dict[str, Any]:
    return {
        FOLDER + "friends/your_friends.json": {"friends_v2": people("ZoÃ« L", "Bo B")},
        FOLDER + "followers/people_who_followed_you.json": {"followers_v3": people("Cy C", "Di D")},
        FOLDER + "followers/who_you've_followed.json": {"following_v3": people("Di D", "Page P")},
        FOLDER + "friends/sent_friend_requests.json": {"sent_requests_v2": people("Eve E")},
        FOLDER + "friends/received_friend_requests.json": {"received_requests_v2": people("Fay F")},
        FOLDER + "friends/rejected_friend_requests.json": {"rejected_requests_v2": people("Gil G")},
        FOLDER + "friends/removed_friends.json": {"deleted_friends_v2": people("Hal H")},
        "your_facebook_activity/messages/inbox/x/message_1.json": "not opened",
    }


def read(files: dict[str, Any], origin: str = "facebook-me-2023-11-20-ab12.zip") -> Found:
    members = members_of(files, origin)
    assert recognise(members)
    return read_facebook(members)


def test_friends_are_mutual_with_one_stamp() -> None:
    ties = ties_of(read(export()))
    for friend, at in (("Zoë L", "2023-11-14 22:13"), ("Bo B", "2023-11-14 22:14")):
        assert {("me", friend, at), (friend, "me", at)} <= ties


def test_follows_have_a_direction() -> None:
    ties = ties_of(read(export()))
    pairs = {tie[:2] for tie in ties if not {"Zoë L", "Bo B"} & set(tie)}
    assert pairs == {("Cy C", "me"), ("Di D", "me"), ("me", "Di D"), ("me", "Page P")}
    assert ("me", "Page P", "2023-11-14 22:14") in ties


def test_requests_rejections_and_ends() -> None:
    found = read(export())
    assert ties_of(found, "request") == {
        ("me", "Eve E", "2023-11-14 22:13"), ("Fay F", "me", "2023-11-14 22:13"),
    }  # fmt: skip
    assert ties_of(found, "unfollow") == {("me", "Hal H", "2023-11-14 22:13")}
    assert [(mark.alter, mark.kind) for mark in found.marks] == [("Gil G", "dismissed")]


def test_states_of_lists() -> None:
    found = read(export())
    counts = {one.kind: (one.state, one.count, one.timed_count) for one in found.lists}
    assert counts == {
        "followers": ("whole", 4, 4), "following": ("whole", 4, 4),
        "requests_sent": ("whole", 1, 1), "requests_received": ("whole", 1, 1),
        "unfollowed": ("whole", 1, 1),
    }  # fmt: skip
    assert check_of(found, "followers list").verdict == "ok"
    assert check_of(found, "paired by name").value.startswith("1 names")


@pytest.mark.parametrize(
    ("name", "content"),
    [("friends_and_followers/friends.json", {"friends": people("Ana A")}),
     ("friends_and_followers/your_friends.json", {"friends_v3": people("Ana A")}),
     ("my_wrapper/connections/friends/your_friends.json", {"friends_v2": people("Ana A")[0]}),
     ("friends/your_friends.json", people("Ana A")),
     ("your_friends.json", {"friends_v2": [
         {"timestamp": STAMP, "label_values": [{"label": "Name", "value": "Ana A"}]}]})],
)  # fmt: skip
def test_older_and_newer_forms(name: str, content: Any) -> None:
    found = read({name: content})
    assert ties_of(found) == {
        ("me", "Ana A", "2023-11-14 22:13"), ("Ana A", "me", "2023-11-14 22:13"),
    }  # fmt: skip


@pytest.mark.parametrize("apostrophe", ["'", "\u2019", "_", ""])
@pytest.mark.parametrize("version", ["following_v2", "following_v3", "following"])
def test_apostrophes_and_versions_of_following(apostrophe: str, version: str) -> None:
    found = read({f"followers/who_you{apostrophe}ve_followed.json": {version: people("Ana A")}})
    assert ties_of(found) == {("me", "Ana A", "2023-11-14 22:13")}


def test_equal_names_have_no_known_answer() -> None:
    files = export()
    files[FOLDER + "followers/who_you've_followed.json"] = {
        "following_v3": [*people("Ann N", "Ann N"), *people("Lee L"), *people("Lee L")]
    }
    found = read(files)
    assert check_of(found, "equal names").value.startswith("1 names")
    assert [one.account for one in found.people if one.state == "unknown"] == ["Ann N"]


def test_friends_alone_accuse_nobody() -> None:
    found = read({FOLDER + "friends/your_friends.json": {"friends_v2": people("Ana A")}})
    assert found.listed("followers").state == "absent"
    assert check_of(found, "followers list").verdict == "warn"


def test_following_without_followers_is_refused() -> None:
    files = export()
    del files[FOLDER + "followers/people_who_followed_you.json"]
    found = read(files)
    assert found.listed("followers").state == "absent"
    assert check_of(found, "followers list").verdict == "refuse"


@pytest.mark.parametrize("content", ["{", "[", {"other": []}, 5, {"followers_v3": 3},
                                     {"followers_v3": [{"title": "x"}]}])  # fmt: skip
def test_followers_that_cannot_be_read_are_never_empty(content: Any) -> None:
    found = read(export() | {FOLDER + "followers/people_who_followed_you.json": content})
    assert found.listed("followers").state == "unreadable"
    assert check_of(found, "followers list").verdict == "refuse"


def test_an_empty_list_is_whole() -> None:
    path = FOLDER + "followers/people_who_followed_you.json"
    found = read({path: {"followers_v3": []}, "followers/following.json": {"following_v2": []}})
    assert (found.listed("followers").state, found.listed("followers").count) == ("whole", 0)
    assert (found.listed("following").state, found.listed("following").count) == ("whole", 0)


def test_records_without_a_name_and_without_a_time() -> None:
    nameless = [{"name": ""}, {"timestamp": STAMP}, {"name": "Facebook user"}, None]
    untimed = [{"name": "Zero Z", "timestamp": 0}, {"name": "Old O", "timestamp": 5}]
    records = [{"name": "Ana A"}, *nameless, *untimed]
    found = read({"people_who_followed_you.json": {"followers_v3": records}})
    assert ties_of(found) == {(name, "me", "") for name in ("Ana A", "Zero Z", "Old O")}
    assert left_out(found, "followers") == {"no name": 4}
    assert check_of(found, "impossible times").value.startswith("1 times")
    assert found.listed("followers").timed_count == 0


def test_the_day_of_the_export() -> None:
    assert read(export()).exported_at == utc("2023-11-20T00:00")
    assert read(export(), "mine.zip").exported_at == utc("2023-11-14T22:14:20")
    given = read_facebook(members_of(export()), exported_at=utc("2024-01-01T00:00"), ego="Me M")
    assert given.exported_at == utc("2024-01-01T00:00")
    assert given.ego == "Me M"


def test_html_and_foreign_files_give_one_sentence() -> None:
    found = read({"connections/friends/your_friends.html": "<html></html>"})
    assert "the format has changed" in check_of(found, "friends unreadable").value
    assert [one.state for one in found.lists[:2]] == ["unreadable", "unreadable"]
    with pytest.raises(InputError, match="No list of people"):
        read_facebook(members_of({"a.json": "{}"}))
    assert not recognise(members_of({"connections/followers_and_following/following.json": "{}"}))


# ------------------------------------------------------------------------------------------ pages


def page_of(*rows: tuple[str, str], about: str = "", is_new: bool = True) -> str:
    """A page of friends: sections with footers, or the boxes of earlier years."""
    date = '<div class="_a72d">{}</div>'
    parts = []
    for name, when in rows:
        if is_new:
            end = f'<footer class="_3-94 _a6-o">{date.format(when)}</footer>' if when else ""
            parts.append(f'<section class="_a6-g"><h2 class="_a6-h">{name}</h2>{end}</section>')
        else:
            end = f'<div class="_a6-o">{date.format(when)}</div>'
            parts.append(f'<div class="_a6-g"><div class="_a6-h">{name}</div>{end}</div>')
    box = (
        f'<div class="_a70d"><div class="_a70e">Friends</div><div class="_aoaa">{about}</div></div>'
    )
    return f'<html><body>{box}<div role="main">{"".join(parts)}</div></body></html>'


def test_pages_are_read_where_json_is_not_there() -> None:
    zone = "Generated by Me M, 5:16 PM UTC+01:00"
    rows = [("ZoÃ« L", "feb. 03, 2024 5:08:06pm"), ("Bo  B", "thg 2 02, 2024 1:00:00 sa")]
    found = read({
        FOLDER + "friends/your_friends.html": page_of(*rows, about=zone, is_new=False),
        FOLDER + "followers/people_who_followed_you.html": page_of(("Cy C", ""), about=zone),
        FOLDER + "followers/who_you've_followed.html": page_of(("Not Read", "x")),
        FOLDER + "followers/who_you've_followed.json": {"following_v3": people("Di D")},
    }, "x.zip")  # fmt: skip
    assert ties_of(found) == {
        ("me", "ZoÃ« L", "2024-02-03 16:08"), ("ZoÃ« L", "me", "2024-02-03 16:08"),
        ("me", "Bo B", "2024-02-02 00:00"), ("Bo B", "me", "2024-02-02 00:00"),
        ("Cy C", "me", ""), ("me", "Di D", "2023-11-14 22:13"),
    }  # fmt: skip
    assert {tie.precision_s for tie in found.ties} == {1, 3600}
    assert "good to an hour" in check_of(found, "time zone").value
    assert [one.state for one in found.lists[:2]] == ["whole", "whole"]


def test_pages_without_a_zone_are_good_to_a_day() -> None:
    made = '<time datetime="2024-03-01T10:00Z">March 1, 2024 at 2:00 AM</time>'
    found = read(
        {"your_friends.html": page_of(("Bo B", "Feb 03, 2024 5:08:06pm"), about=made)}, "x"
    )
    assert {tie.precision_s for tie in found.ties} == {86_400}
    assert found.exported_at == utc("2024-03-01T10:00")
    assert "good to a day" in check_of(found, "time zone").value


def test_a_page_of_a_range_of_dates_is_cut() -> None:
    spoken = "3. mars 2024 UTC+01:00<div>fra 3. mars 2023 til 3. mars 2024</div>"
    rows = page_of(("Bo B", "mars 01, 2024 5:08:06pm"), about=spoken)
    found = read({"people_who_followed_you.html": rows, "who_you've_followed.json":
                  {"following_v3": people("Di D")}}, "x.zip")  # fmt: skip
    assert found.listed("followers").state == "cut"
    assert check_of(found, "date range").verdict == "warn"
    assert check_of(found, "followers list").verdict == "refuse"
