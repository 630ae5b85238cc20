"""Instagram and Threads exports of every era, by hand: small files whose answers are known."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followkit.errors import FollowkitError, InputError
from followkit.sources.exports import instagram, threads
from followkit.sources.exports.found import Check, Found
from followkit.sources.exports.instagram_dates import MONTHS, month_of
from followkit.sources.exports.instagram_labels import find_username_keys
from followkit.sources.exports.instagram_values import parse_count
from followkit.sources.exports.members import Limits, Member, Members, open_members

NEW = "connections/followers_and_following"
OLD = "followers_and_following"
ACTIVITY = "your_instagram_activity"
T0 = 1_700_000_000
WHEN = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)  # T0
ZIP = "instagram-me_myself-2024-01-02-AbCd12.zip"

Files = Mapping[str, Any]


def content_of(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value)).encode()


def write_zip(folder: Path, files: Files, name: str = ZIP) -> Path:
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as packed:
        for path, value in files.items():
            packed.writestr(path, content_of(value))
    return folder / name


def members_of(files: Files, origin: str = ZIP) -> Members:
    made = tuple(
        Member(path, len(content), origin, lambda content=content: content)
        for path, content in ((path, content_of(value)) for path, value in sorted(files.items()))
    )
    return Members(made, (origin,), Limits())


def read(files: Files, **options: Any) -> Found:
    origin = options.pop("origin", ZIP)
    return instagram.read_instagram(members_of(files, origin), **options)


def item(name: str, stamp: int = T0, **more: Any) -> dict[str, Any]:
    """Return a record of eras B and C."""
    link = {"href": f"https://www.instagram.com/{name}", "value": name, "timestamp": stamp}
    return {"title": "", "media_list_data": [], "string_list_data": [link], **more}


def new_item(name: str, stamp: int = T0) -> dict[str, Any]:
    """Return a record of `following.json` since era D."""
    link = {"href": f"https://www.instagram.com/_u/{name}", "timestamp": stamp}
    return {"title": name, "string_list_data": [link]}


def labelled(name: str, username: str, stamp: int = T0, words: tuple[str, str, str] =
             ("URL", "Name", "Username")) -> dict[str, Any]:  # fmt: skip
    values = ("", name, username)
    cells = [{"label": label, "value": value} for label, value in zip(words, values, strict=True)]
    return {"timestamp": stamp, "media": [], "label_values": cells, "fbid": "1"}


def owned(name: str, username: str, stamp: int = T0, owner: str = "Owner",
          words: tuple[str, str, str] = ("URL", "Name", "Username"), link: str =
          "https://www.instagram.com/p/SYN/") -> dict[str, Any]:  # fmt: skip
    person = {"title": "", "dict": labelled(name, username, stamp, words)["label_values"]}
    return {
        "timestamp": stamp, "media": [], "fbid": "2", "label_values": [
            {"label": "URL", "value": link, "href": link},
            {"label": "Caption", "value": "lovely"},
            {"title": "Hashtags", "dict": []},
            {"title": owner, "dict": [person]},
        ],
    }  # fmt: skip


def both(followers: list[Any], following: list[Any]) -> dict[str, Any]:
    return {
        f"{NEW}/followers_1.json": followers,
        f"{NEW}/following.json": {"relationships_following": following},
    }


def pairs(found: Found, kind: str = "follow") -> list[tuple[str, str]]:
    return sorted((tie.source, tie.target) for tie in found.ties if tie.kind == kind)


def check(found: Found, name: str) -> Check:
    return next(one for one in found.checks if one.name == name)


def refusals(found: Found) -> list[str]:
    return [one.name for one in found.checks if one.verdict == "refuse"]


# ------------------------------------------------------------------------------------------- eras


def test_era_a_holds_maps_of_iso_times() -> None:
    found = read(
        {
            "connections.json": {
                "followers": {"ana.lu": "2020-07-11T04:39:28+00:00"},
                "following": {"Bo_77": "2019-03-02T20:00:01+02:00", "cy": "2019-03-02T18:00:01"},
                "follow_requests_sent": {"dee": "2020-07-01T00:00:00+00:00"},
                "blocked_users": {"eve": "2020-01-01T00:00:00+00:00"},
                "following_hashtags": {"cats": "2020-01-01T00:00:00+00:00"},
            },
            "likes.json": {"media_likes": [["2020-07-11T04:39:28+00:00", "ana.lu"]],
                           "comment_likes": [["2020-07-12T04:39:28+00:00", "bo_77"]]},
            "comments.json": {"media_comments": [["2020-07-11T05:00:00+00:00", "secret", "cy"]]},
            "messages.json": [{"participants": ["ana.lu", "old_me"], "conversation": [
                {"sender": "ana.lu", "created_at": "2020-07-11T06:00:00+00:00", "text": "secret"},
                {"sender": "old_me", "created_at": "2020-07-11T06:01:00+00:00", "text": "secret"},
            ]}],
            "profile.json": {"username": "old_me", "name": "Old Me", "email": "secret@a.example"},
        },
        origin="old_me_20200714.zip",
    )  # fmt: skip
    assert found.ego == "old_me"
    assert pairs(found) == [("ana.lu", "old_me"), ("old_me", "bo_77"), ("old_me", "cy")]
    assert pairs(found, "request") == [("old_me", "dee")]
    moment = datetime(2019, 3, 2, 18, 0, 1, tzinfo=UTC)
    assert [tie.at for tie in found.ties if tie.target in ("bo_77", "cy")] == [moment, moment]
    assert [(mark.alter, mark.kind) for mark in found.marks] == [("eve", "blocked")]
    assert Counter((act.actor, act.target, act.kind) for act in found.acts) == Counter(
        [("old_me", "ana.lu", "like"), ("old_me", "bo_77", "like"), ("old_me", "cy", "comment"),
         ("ana.lu", "old_me", "message"), ("old_me", "ana.lu", "message")]
    )  # fmt: skip
    assert check(found, "time zone").value.startswith("1 time ")
    assert found.exported_at == datetime(2020, 7, 14, tzinfo=UTC)
    assert "secret" not in repr(found)
    assert refusals(found) == []


def test_era_b_has_wrapper_keys_on_both_lists() -> None:
    found = read(
        {
            f"{OLD}/followers.json": {"relationships_followers": [item("ana.lu"), item("cy")]},
            f"{OLD}/following.json": {"relationships_following": [item("Bo_77", T0 + 5)]},
        }
    )
    assert pairs(found) == [("ana.lu", "me_myself"), ("cy", "me_myself"), ("me_myself", "bo_77")]
    assert found.ties[0].at == datetime(2023, 11, 14, 22, 13, 25, tzinfo=UTC)
    assert found.listed("followers").state == "whole"
    assert (found.listed("followers").count, found.listed("followers").timed_count) == (2, 2)


def test_era_c_followers_are_a_bare_array_in_parts() -> None:
    files = both([item("ana.lu")], [item("bo_77")])
    files[f"{NEW}/followers_2.json"] = [item("cy")]
    files[f"{NEW}/followers_10.json"] = [item("dee")]
    found = read(files)
    assert {source for source, target in pairs(found) if target == "me_myself"} == {
        "ana.lu", "cy", "dee"
    }  # fmt: skip
    # Parts 3 to 9 are not there, so the list is not whole.
    assert found.listed("followers").state == "cut"
    assert "part 3, 4, 5 is missing" in check(found, "parts of a list").value


def test_era_d_following_has_the_name_in_the_title() -> None:
    brand = {"title": "some_brand", "string_list_data": []}
    nobody = {"title": "", "string_list_data": []}
    linked = {"title": "", "string_list_data": [
        {"href": "https://www.instagram.com/_u/dee/?x=1", "timestamp": T0}]}  # fmt: skip
    found = read(both([item("bo_77")], [new_item("bo_77"), brand, nobody, linked]))
    times = {tie.target: tie.at for tie in found.ties if tie.source == "me_myself"}
    assert times == {"bo_77": WHEN, "some_brand": None, "dee": WHEN}
    listed = found.listed("following")
    assert (listed.state, listed.count, listed.timed_count) == ("whole", 3, 2)
    assert (
        check(found, "records without a user name").value == "Without a user name: 1 of following."
    )
    assert check(found, "follows without a time").value == "1 of 4 follows."


def test_era_e_optional_lists_are_labels() -> None:
    files = both([item("ana.lu")], [new_item("bo_77")])
    files |= {
        f"{NEW}/close_friends.json": [labelled("Ana L", "ana.lu"), labelled("maria", "m.lopez")],
        f"{NEW}/pending_follow_requests.json": labelled("Dee", "dee", T0 + 1),
        f"{NEW}/recently_unfollowed_profiles.json": [labelled("Eve", "eve", T0 + 2)],
        f"{NEW}/follow_requests_you\u2019ve_received.json": [labelled("Fay", "fay", T0 + 3)],
        f"{NEW}/profiles_you've_favorited.json": [labelled("Ana L", "ana.lu")],
        f"{NEW}/hide_story_from.json": labelled("Gus", "gus"),
        f"{NEW}/removed_suggestions.json": [labelled("Hal", "hal")],
        f"{NEW}/restricted_profiles.json": [labelled("Ida", "ida")],
        f"{NEW}/blocked_profiles.json": [labelled("Jo", "jo")],
    }
    found = read(files)
    assert pairs(found, "request") == [("fay", "me_myself"), ("me_myself", "dee")]
    assert pairs(found, "unfollow") == [("me_myself", "eve")]
    assert {(mark.alter, mark.kind) for mark in found.marks} == {
        ("ana.lu", "close_friend"), ("m.lopez", "close_friend"), ("ana.lu", "favorite"),
        ("gus", "hidden_from"), ("hal", "dismissed"), ("ida", "restricted"), ("jo", "blocked"),
    }  # fmt: skip
    assert found.listed("requests_sent").count == found.listed("requests_received").count == 1


# ----------------------------------------------------------------------------- the lists' variants


def test_one_record_may_be_a_bare_object_also_inside_its_wrapper() -> None:
    found = read(
        {
            f"{NEW}/followers_1.json": item("ana.lu"),
            f"{NEW}/following.json": {"relationships_following": new_item("bo_77")},
        }
    )
    assert pairs(found) == [("ana.lu", "me_myself"), ("me_myself", "bo_77")]


def test_an_empty_list_is_whole_and_a_missing_one_is_not() -> None:
    empty = read(both([], [new_item("bo_77")]))
    assert (empty.listed("followers").state, empty.listed("followers").count) == ("whole", 0)
    assert refusals(empty) == []
    missing = read({f"{NEW}/following.json": {"relationships_following": [new_item("bo_77")]}})
    assert missing.listed("followers").state == "absent"
    assert refusals(missing) == ["both lists"]
    assert "All time" in check(missing, "both lists").remedy


@pytest.mark.parametrize(
    "broken",
    [
        b'[{"title": "bo_77", "string_l', b"", b"null", b"{}", b'{"error": "link expired"}',
        b'["ana.lu"]', b'[{"user": "ana.lu"}]', b"\xff\xfe\xff", b"<html></html>",
        b'[{"title": "", "string_list_data": []}]',
    ],
)  # fmt: skip
def test_an_unreadable_list_is_never_an_empty_one(broken: bytes) -> None:
    found = read(both([item("ana.lu")], [new_item("bo_77")]) | {f"{NEW}/followers_1.json": broken})
    assert found.listed("followers").state == "unreadable"
    assert found.listed("following").state == "whole"
    assert refusals(found) == ["both lists"]
    assert "followers_1.json" in check(found, "both lists").value


def test_one_unreadable_part_makes_the_list_unreadable() -> None:
    files = both([item("ana.lu")], [new_item("bo_77")])
    found = read(files | {f"{NEW}/followers_2.json": b"[{"})
    assert found.listed("followers").state == "unreadable"
    assert ("ana.lu", "me_myself") in pairs(found)


def test_hashtags_contacts_and_unknown_files_are_not_opened() -> None:
    def explode() -> bytes:
        raise AssertionError("this file must stay closed")

    known = members_of(both([item("ana.lu")], [new_item("bo_77")]))
    closed = tuple(
        Member(path, 10, ZIP, explode)
        for path in (
            f"{NEW}/following_hashtags.json", "connections/contacts/synced_contacts.json",
            "personal_information/device_information/devices.json", "media/posts/1.jpg",
            f"{NEW}/custom_lists.json", f"{ACTIVITY}/threads/followers_1.json",
            "your_facebook_activity/messages/inbox/x_1/message_1.json",
            "logged_information/link_history/link_history.json",
        )
    )  # fmt: skip
    found = instagram.read_instagram(Members(known.files + closed, known.origins, known.limits))
    assert pairs(found) == [("ana.lu", "me_myself"), ("me_myself", "bo_77")]
    assert len(found.files) == 2


def test_names_are_case_blind_and_duplicates_count_once() -> None:
    found = read(both([item("Ana.Lu"), item("ana.lu", T0 + 9)], [new_item("ANA.LU")]))
    assert found.listed("followers").count == 1
    assert len(found.ties) == 3
    assert set(pairs(found)) == {("ana.lu", "me_myself"), ("me_myself", "ana.lu")}
    assert check(found, "duplicates").value.startswith("1 in followers")


def test_deleted_accounts_are_their_own_class() -> None:
    found = read(both([], [new_item("__deleted__1f2-e9c"), new_item("bo_77")]))
    gone = [person for person in found.people if person.state == "deleted"]
    assert [person.account for person in gone] == ["__deleted__1f2-e9c"]
    assert check(found, "deleted accounts").value.startswith("1 account ")


def test_blocked_lists_have_a_display_name_in_the_title() -> None:
    blocked = {"title": "maria", "string_list_data": [
        {"href": "https://www.instagram.com/m.lopez", "timestamp": T0}]}  # fmt: skip
    wrapper = {"relationships_blocked_users": [blocked]}
    found = read(both([], []) | {f"{NEW}/blocked_profiles.json": wrapper})
    assert [(mark.alter, mark.kind, mark.at) for mark in found.marks] == [
        ("m.lopez", "blocked", WHEN)
    ]


def test_earlier_requests_tell_when_somebody_followed_was_asked() -> None:
    files = both([], [new_item("bo_77"), new_item("cy")])
    files[f"{NEW}/pending_follow_requests.json"] = {
        "relationships_follow_requests_sent": [item("dee")]
    }
    files[f"{NEW}/recent_follow_requests.json"] = {
        "relationships_permanent_follow_requests": [
            item("bo_77", T0 - 60),
            item("dee"),
            item("eve"),
        ]
    }
    found = read(files)
    assert pairs(found, "request") == [("me_myself", "bo_77"), ("me_myself", "dee")]
    assert found.listed("requests_sent").count == 1
    assert check(found, "earlier requests").value.startswith("1 request ")


# ----------------------------------------------------------------------------------------- labels


def mojibake(text: str) -> str:
    return text.encode().decode("latin-1")


def test_labels_in_another_language_and_as_mojibake() -> None:
    words = ("URL", mojibake("Имя"), mojibake("Имя пользователя"))
    files = both([], [])
    files[f"{NEW}/close_friends.json"] = [
        labelled(mojibake("Аня"), f"anya_{number}", words=words) for number in range(3)
    ]
    found = read(files)
    assert {mark.alter for mark in found.marks} == {"anya_0", "anya_1", "anya_2"}


def test_an_unknown_label_is_found_by_the_values_of_the_pool() -> None:
    words = ("URL", "Nomo", "Uzantnomo")
    # Four of twelve display names look like user names; the first value alone would mislead.
    people = [labelled("maria" if n % 3 == 0 else f"Ana L {n}", f"p.{n}", words=words)
              for n in range(12)]  # fmt: skip
    found = read(both([], []) | {f"{NEW}/close_friends.json": people})
    assert {mark.alter for mark in found.marks} == {f"p.{n}" for n in range(12)}


def test_followers_decide_where_values_do_not() -> None:
    words = ("URL", "Nomo", "Uzantnomo")
    people = [labelled("maria", "m.lopez", words=words), labelled("ana", "ana.lu", words=words)]
    files = both([item("ana.lu")], []) | {f"{NEW}/close_friends.json": people}
    assert {mark.alter for mark in read(files).marks} == {"m.lopez", "ana.lu"}
    unsure = read(both([item("cy")], []) | {f"{NEW}/close_friends.json": people})
    assert unsure.marks == []
    assert "no label is sure" in check(unsure, "unreadable files").value


def test_a_label_found_in_a_long_list_serves_a_short_one() -> None:
    words = ("URL", "Nomo", "Uzantnomo")
    likes = [owned(f"Ana L {n}", f"p.{n}", owner="Posedanto", words=words) for n in range(5)]
    files = both([], []) | {
        f"{ACTIVITY}/likes/liked_posts.json": likes,
        f"{NEW}/hide_story_from.json": labelled("maria", "m.lopez", words=words),
    }
    found = read(files)
    assert [mark.alter for mark in found.marks] == ["m.lopez"]
    assert [act.target for act in found.acts] == [f"p.{n}" for n in range(5)]
    assert {act.post_id for act in found.acts} == {"SYN"}


def test_no_list_no_label() -> None:
    assert find_username_keys({}, set()) == {}


# --------------------------------------------------------------------------------------- activity


def test_likes_comments_stories_and_saves_of_eras_b_to_d() -> None:
    reaction = {"href": "https://www.instagram.com/p/C1/", "value": mojibake("👍"), "timestamp": T0}
    like = {"title": "ana.lu", "string_list_data": [reaction]}
    comment = {"media_list_data": [{"uri": ""}], "string_map_data": {
        "Comment": {"value": "nice"}, "Media Owner": {"value": "ana.lu"},
        "Time": {"timestamp": T0 + 1}}}  # fmt: skip
    ownerless = {"string_map_data": {"Comment": {"value": "wow"}, "Time": {"timestamp": T0}}}
    old_comment = {"title": "cy", "string_list_data": [{"value": "bo_77", "timestamp": T0 + 2}]}
    saved = {"title": "bo_77", "string_map_data": {"Saved on": {
        "href": "https://www.instagram.com/reel/R1/", "timestamp": T0 + 3}}}  # fmt: skip
    seen = {"string_map_data": {"Author": {"value": "dee"}, "Time": {"timestamp": T0 + 4}}}
    own = {"title": "me_myself", "string_list_data": [reaction]}
    files = both([], []) | {
        f"{ACTIVITY}/likes/liked_posts.json": {"likes_media_likes": [like, own]},
        f"{ACTIVITY}/likes/liked_comments.json": {"likes_comment_likes": [like]},
        f"{ACTIVITY}/comments/post_comments_1.json": [comment, ownerless],
        f"{ACTIVITY}/comments/post_comments_2.json": {"comments_media_comments": [old_comment]},
        f"{ACTIVITY}/comments/reels_comments.json": {"comments_reels_comments": [comment]},
        f"{ACTIVITY}/comments/hype.json": {"comments_story_comments": [comment]},
        f"{ACTIVITY}/story_sticker_interactions/polls.json": {"story_activities_polls": [like]},
        f"{ACTIVITY}/saved/saved_posts.json": {"saved_saved_media": [saved]},
        "ads_information/ads_and_topics/posts_viewed.json": {
            "impressions_history_posts_seen": [seen]},
    }  # fmt: skip
    found = read(files)
    assert Counter((act.kind, act.target) for act in found.acts) == Counter({
        ("like", "ana.lu"): 2, ("comment", "ana.lu"): 2, ("comment", "cy"): 1,
        ("story", "ana.lu"): 2, ("save", "bo_77"): 1, ("view", "dee"): 1,
    })  # fmt: skip
    assert {act.actor for act in found.acts} == {"me_myself"}
    by_kind = {act.kind: act for act in found.acts}
    assert (by_kind["save"].post_id, by_kind["view"].at.second) == ("R1", 24)
    assert check(found, "acts towards oneself").value.startswith("1 ")
    assert "nice" not in repr(found)


def test_a_localised_comment_of_one_word_is_no_owner() -> None:
    def comment(text: str, owner: str = "") -> dict[str, Any]:
        cells = {"Opmerking": {"value": text}, "Tijd": {"timestamp": T0}}
        return {"string_map_data": cells | ({"Eigenaar": {"value": owner}} if owner else {})}

    path = f"{ACTIVITY}/comments/post_comments_1.json"
    alone = read(both([], []) | {path: [comment("mooi"), comment("leuk")]})
    assert alone.acts == []
    owners = [comment("zo mooi!", "ana.lu"), comment("leuk hoor", "cy"), comment("wat leuk")]
    assert [act.target for act in read(both([], []) | {path: owners}).acts] == ["ana.lu", "cy"]


def test_story_acts_of_era_e_fall_back_to_the_story_link() -> None:
    link = "https://www.instagram.com/stories/ana.lu/3141/"
    act = {"timestamp": T0, "label_values": [{"label": "URL", "value": link, "href": link}]}
    found = read(both([], []) | {f"{ACTIVITY}/story_interactions/story_likes.json": act})
    assert [(one.kind, one.target, one.at) for one in found.acts] == [("story", "ana.lu", WHEN)]


def test_own_posts_take_their_time_from_a_single_medium() -> None:
    medium = {"uri": "media/posts/1.jpg", "creation_timestamp": T0, "title": "Zo\u00c3\u00ab"}
    clip = {"uri": "media/posts/2.mp4", "creation_timestamp": T0}

    def insight(stamp: int, likes: str) -> dict[str, Any]:
        return {
            "media_map_data": {"Media Thumbnail": {"creation_timestamp": stamp}},
            "string_map_data": {
                "Likes": {"value": likes}, "Comments": {"value": "--"},
                "Creation Timestamp": {"timestamp": stamp},
            },
        }  # fmt: skip

    files = both([], []) | {
        f"{ACTIVITY}/media/posts_1.json": [
            {"media": [medium]},
            {"media": [medium, clip], "title": "two", "creation_timestamp": T0 + 60}],
        f"{ACTIVITY}/media/posts_2.json": {"media": [clip], "creation_timestamp": T0},
        f"{ACTIVITY}/media/reels.json": {"ig_reels_media": [{"media": [clip]}]},
        f"{ACTIVITY}/media/stories.json": {"ig_stories": [medium]},
        "logged_information/past_instagram_insights/posts.json": {
            # Four posts share the second T0, so the second insight is of none for sure.
            "organic_insights_posts": [insight(T0 + 60, "1,204"), insight(T0, "7")]},
    }  # fmt: skip
    posts = read(files).posts
    assert [(post.format, post.text) for post in posts] == [
        ("image", "Zoë"), ("carousel", "two"), ("video", None), ("video", None), ("story", "Zoë")
    ]  # fmt: skip
    assert len({post.post_id for post in posts}) == 5
    assert {post.account for post in posts} == {"me_myself"}
    assert [post.like_count for post in posts] == [None, 1204, None, None, None]
    assert {post.comment_count for post in posts} == {None}


@pytest.mark.parametrize(
    ("text", "number"),
    [("1,204", 1204), ("--", None), ("0", 0), ("1.204.000", 1_204_000), ("1\u202f204", 1204),
     ("12 %", None), ("", None), ("1,20", None), (7, 7), (True, None), (None, None)],
)  # fmt: skip
def test_numbers_of_insights(text: Any, number: int | None) -> None:
    assert parse_count(text) == number


# ------------------------------------------------------------------------------------- the owner


def personal(**more: str) -> dict[str, Any]:
    values = {"Email": "secret@a.example", "Username": "Me_Myself", "Name": "Me Myself",
              "Private Account": "True", "Date of birth": "1990-01-01"} | more  # fmt: skip
    cells = {label: {"href": "", "value": value, "timestamp": 0} for label, value in values.items()}
    return {"profile_user": [{"string_map_data": cells}]}


PERSONAL = "personal_information/personal_information/personal_information.json"


def test_of_the_owner_three_fields_are_read() -> None:
    found = read(both([], [new_item("bo_77")]) | {PERSONAL: personal()}, origin="x.zip")
    person = found.people[0]
    assert (found.ego, person.handle, person.display_name, person.is_private) == (
        "me_myself", "me_myself", "Me Myself", True
    )  # fmt: skip
    assert "secret" not in repr(found)
    assert "1990" not in repr(found)


def test_the_page_of_the_owner() -> None:
    rows = "".join(
        f'<tr><td class="_2pin _a6_q">{label}</td><td class="_2piu _a6_r">{value}</td></tr>'
        for label, value in (("Correo", "secret@a.example"), ("Nombre de usuario", "Me_Myself"),
                             ("Nombre", "Me Myself"), ("Cuenta privada", "False"))
    )  # fmt: skip
    text = page(f'<div class="_a6-g"><table>{rows}</table></div>')
    found = read(both([], []) | {PERSONAL.replace("json", "html"): text}, origin="x.zip")
    person = found.people[0]
    assert (found.ego, person.display_name, person.is_private) == ("me_myself", "Me Myself", False)
    assert "secret" not in repr(found)


def test_the_ego_is_given_or_said_or_named_or_me() -> None:
    files = both([], [new_item("bo_77")])
    assert read(files, ego="@Given").ego == "given"
    assert read(files).ego == "me_myself"
    assert read(files, origin="download.zip").ego == "me"
    other = read(files | {PERSONAL: personal()}, ego="given")
    assert check(other, "owner").verdict == "warn"
    with pytest.raises(InputError, match="no user name"):
        read(files, ego="two words")


# --------------------------------------------------------------------------------------- messages


def thread(alter: str, messages: list[tuple[str, int]], **more: Any) -> dict[str, Any]:
    return {
        "participants": [{"name": alter}, {"name": "Me Myself"}],
        "messages": [
            {"sender_name": name, "timestamp_ms": stamp, "content": "secret"}
            for name, stamp in messages
        ],
        **more,
    }


def test_messages_are_counted_by_sender_and_bridged_by_name() -> None:
    zoe = mojibake("Zoë")
    inbox = f"{ACTIVITY}/messages/inbox"
    files = both([item("zoe_z")], [new_item("ana.lu")]) | {
        PERSONAL: personal(),
        f"{NEW}/close_friends.json": [
            labelled(zoe, "zoe_z"), labelled("Ana L", "ana.lu"), labelled("Ana L", "ana.two"),
            labelled("Cy", "cy"),
        ],
        f"{inbox}/zoe_1/message_1.json": thread(zoe, [("Me Myself", T0 * 1000 + 5)]),
        f"{inbox}/zoe_1/message_2.json": thread(zoe, [(zoe, T0)]),
        f"{inbox}/anal_2/message_1.json": thread("Ana L", [("Ana L", T0 * 1000)]),
        f"{inbox}/unknown_3/message_1.json": thread("Un Known", [("Un Known", T0 * 1000)]),
        f"{inbox}/instagramuser_4/message_1.json": thread("Instagram User", []),
        f"{inbox}/group_5/message_1.json": {
            **thread("Cy", [("Cy", T0 * 1000)]),
            "participants": [{"name": name} for name in ("Cy", "Ana L", "Me Myself")]},
        f"{inbox}/cy_6/message_1.json": b"{",
    }  # fmt: skip
    files[f"{inbox}/zoe_1/message_1.json"]["messages"][0]["reactions"] = [
        {"reaction": mojibake("❤"), "actor": zoe}, {"reaction": "x", "actor": "Stranger"},
    ]  # fmt: skip
    found = read(files)
    assert sorted((act.kind, act.actor, act.target, act.at) for act in found.acts if act.at) == [
        ("message", "me_myself", "zoe_z", WHEN.replace(microsecond=5000)),
        ("message", "zoe_z", "me_myself", WHEN),
    ]
    untimed = [(act.kind, act.actor) for act in found.acts if act.at is None]
    assert untimed == [("reaction", "zoe_z")]
    value = check(found, "messages").value
    assert value.startswith("1 of 4 conversations")
    assert "1 with a name that several have, 1 with accounts that are gone; 1 groups" in value
    assert "a file of messages cannot be read" in check(found, "unreadable files").value
    # Folders of threads are names of people, and texts are texts.
    assert "secret" not in repr(found)
    assert "zoe_1" not in repr(found)


def test_two_threads_under_one_name_are_not_bridged() -> None:
    inbox = "messages/inbox"
    files = both([], []) | {
        PERSONAL: personal(),
        f"{NEW}/close_friends.json": [labelled("Ana L", "ana.lu")],
        f"{inbox}/anal_1/message_1.json": thread("Ana L", [("Ana L", T0 * 1000)]),
        f"{inbox}/anal_2/message_1.json": thread("Ana L", [("Ana L", T0 * 1000)]),
    }
    found = read(files)
    assert found.acts == []
    assert "2 with a name that several have" in check(found, "messages").value


def test_a_thread_with_a_broken_part_is_missing_not_short() -> None:
    inbox = "messages/inbox/anal_1"
    files = both([], []) | {
        PERSONAL: personal(),
        f"{NEW}/close_friends.json": [labelled("Ana L", "ana.lu")],
        f"{inbox}/message_1.json": thread("Ana L", [("Ana L", T0 * 1000)]),
    }
    assert len(read(files).acts) == 1
    assert read(files | {f"{inbox}/message_2.json": b"[]"}).acts == []


def test_the_own_name_is_the_one_in_every_thread() -> None:
    names = ("Ana L", "Bo B", "Cy C")
    files = both([], []) | {
        f"{NEW}/close_friends.json": [labelled(name, name[0].lower() * 3) for name in names]
    }
    for name in names:
        files[f"messages/inbox/{name[0]}_1/message_1.json"] = thread(name, [(name, T0 * 1000)])
    found = read(files)
    assert [(act.actor, act.target) for act in found.acts] == [
        ("aaa", "me_myself"), ("bbb", "me_myself"), ("ccc", "me_myself")
    ]  # fmt: skip
    assert check(found, "messages").verdict == "ok"


# ------------------------------------------------------------------------------------------ pages

HEAD = (
    '<html><head><style>._a6-g{color:red}._a6-h{}</style><title>x</title></head><body>'
    '<header><h1 id="u_0">Seguidos</h1><aside>Generated by Me on <time '
    'datetime="2024-01-02T18:42Z">January 2, 2024 at 11:42 AM UTC</time></aside></header>'
    '<main class="_a706" role="main">'
)  # fmt: skip
TAIL = "</main></body></html>"


def row_of_following(name: str, date: str) -> str:
    link = f"https://www.instagram.com/_u/{name}"
    return (
        f'<div class="pam _3-95 _2ph- _a6-g uiBoxWhite noborder"><h2 class="_3-95 _2pim _a6-h '
        f'_a6-i">{name}</h2><div class="_a6-p"><div><div><a target="_blank" href="{link}">{link}'
        f"</a></div><div>{date}</div></div></div></div>"
    )


def row_of_followers(name: str, date: str) -> str:
    return (
        f'<div class="pam _a6-g uiBoxWhite"><div class="_a6-p"><div><div><a target="_blank" '
        f'href="https://www.instagram.com/{name}">{name}</a></div><div>{date}</div></div></div>'
        '<div class="_3-94 _a6-o"></div></div>'
    )


def page(*rows: str) -> str:
    return HEAD + "".join(rows) + TAIL


DATES = {
    "en": "Nov 14, 2023 2:13 pm", "es": "nov 14, 2023 2:13 pm", "ja": "11月 14, 2023 2:13 PM",
    "zh": "11月 14, 2023 下午2:13", "de": "Nov. 14, 2023 2:13 PM", "fr": "nov. 14, 2023 2:13 PM",
    "it": "nov 14, 2023 2:13 PM", "pt": "nov 14, 2023 2:13 pm", "nl": "nov. 14, 2023 2:13 p.m.",
    "ru": "нояб. 14, 2023 2:13 PM", "tr": "Kas 14, 2023 2:13 ÖS", "ko": "11월 14, 2023 2:13 오후",
    "en with commas": "Nov 14, 2023, 2:13 PM", "24 hours": "Nov 14, 2023 14:13",
}  # fmt: skip


@pytest.mark.parametrize("locale", DATES)
def test_pages_of_every_locale_agree_with_their_json(locale: str) -> None:
    date = DATES[locale]
    files = {
        f"{NEW}/following.html": page(row_of_following("bo_77", date)),
        f"{NEW}/followers_1.html": page(row_of_followers("Ana.Lu", date)),
    }
    found = read(files)
    assert pairs(found) == [("ana.lu", "me_myself"), ("me_myself", "bo_77")]
    assert {tie.at for tie in found.ties} == {WHEN.replace(second=0)}
    assert {tie.precision_s for tie in found.ties} == {60}
    assert check(found, "time zone").value.startswith("2 times")
    assert found.exported_at == datetime(2024, 1, 2, 18, 42, tzinfo=UTC)
    as_json = read(both([item("ana.lu")], [new_item("bo_77")]))
    assert pairs(as_json) == pairs(found)


def test_a_month_that_is_not_known_costs_the_time_not_the_row() -> None:
    found = read(
        {
            f"{NEW}/following.html": page(row_of_following("bo_77", "Xyz 14, 2023 2:13 pm")),
            f"{NEW}/followers_1.html": page(row_of_followers("ana.lu", "14/11/2023")),
        }
    )
    assert [tie.at for tie in found.ties] == [None, None]
    assert check(found, "impossible times").value.startswith("Of the times, 1 in no form")
    assert refusals(found) == []


def test_every_month_is_found_by_its_first_letters_or_is_unsure() -> None:
    for number, names in enumerate(MONTHS, start=1):
        for name in names.split():
            assert month_of(name) == number
            for length in range(3, len(name)):
                assert month_of(name[:length]) in (0, number)
    # Short forms that the platform writes in these languages.
    short = {1: "ene janv. gen. jan янв. Oca", 2: "févr. fev Şub", 3: "Mär. mrt. мар.",
             5: "mai mag", 6: "giu июн. Haz", 7: "juil. lug", 8: "août ago Ağu",
             9: "sep sept. set Eyl", 10: "out ott okt Eki", 11: "нояб. Kas",
             12: "dic déc. dez Ara"}  # fmt: skip
    for number, names in short.items():
        assert {month_of(name) for name in names.split()} == {number}


def test_json_is_preferred_to_its_page() -> None:
    files = both([item("ana.lu")], [new_item("bo_77")])
    found = read(files | {f"{NEW}/following.html": page(row_of_following("cy", DATES["en"]))})
    assert pairs(found) == [("ana.lu", "me_myself"), ("me_myself", "bo_77")]
    assert {tie.precision_s for tie in found.ties} == {1}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (HEAD + row_of_followers("ana.lu", DATES["en"]), "</html> is missing"),
        (HEAD + '<div class="new"><a href="https://www.instagram.com/ana.lu">ana.lu</a></div>'
         + TAIL, "the format has changed"),
        (HEAD + '<div class="_a6-g">No name here</div>' + TAIL, "no user name in it"),
        ("<html><body></body></html>", "the format has changed"),
    ],
)  # fmt: skip
def test_a_broken_page_is_no_short_list(text: str, reason: str) -> None:
    good = page(row_of_following("bo_77", DATES["en"]))
    found = read({f"{NEW}/followers_1.html": text, f"{NEW}/following.html": good})
    assert found.listed("followers").state == "unreadable"
    assert reason in check(found, "both lists").value
    assert refusals(found) == ["both lists"]


def test_a_page_without_entries_is_unreadable_and_never_nobody() -> None:
    good = page(row_of_following("bo_77", DATES["en"]))
    found = read({f"{NEW}/followers_1.html": page(), f"{NEW}/following.html": good})
    assert found.listed("followers").state == "unreadable"
    assert refusals(found) == ["both lists"]


def test_pages_of_optional_lists_hold_tables_whose_links_are_bios() -> None:
    def cell(label: str, value: str) -> str:
        return f'<tr><td class="_a6_q">{label}</td><td class="_2piu _a6_r">{value}</td></tr>'

    bio = '<a href="https://bio.example/nobody">https://bio.example/nobody</a>'
    row = (
        '<div class="pam _a6-g"><div class="_a6-p"><table>' + cell("URL", bio)
        + cell("Name", "maria") + cell("Username", "m.lopez")
        + '</table></div><div class="_3-94 _a6-o">Nov 14, 2023 2:13 pm</div></div>'
    )  # fmt: skip
    found = read(both([], []) | {f"{NEW}/close_friends.html": page(row)})
    assert [(mark.alter, mark.at) for mark in found.marks] == [("m.lopez", WHEN.replace(second=0))]


def test_older_pages_write_a_value_into_its_label() -> None:
    row = (
        '<div class="_a6-g"><table><tr><td colspan="2" class="_2pin _a6_q">Comment<div><div>bo_77'
        '</div></div></td></tr><tr><td colspan="2" class="_a6_q">Media Owner<div><div>ana.lu</div>'
        '</div></td></tr><tr><td class="_a6_q">Time</td><td class="_2piu _a6_r">Nov 14, 2023, '
        "2:13 PM</td></tr></table></div>"
    )
    found = read(both([], []) | {f"{ACTIVITY}/comments/post_comments_1.html": page(row)})
    assert [(act.kind, act.target, act.at) for act in found.acts] == [
        ("comment", "ana.lu", WHEN.replace(second=0))
    ]


def test_pages_of_messages() -> None:
    def message(name: str, text: str) -> str:
        return (
            f'<div class="pam _a6-g"><h2 class="_a6-h">{name}</h2><div class="_a6-p">{text}</div>'
            '<div class="_3-94 _a6-o">Nov 14, 2023 2:13 pm</div></div>'
        )

    text = page(message("Ana L", "Nov 1, 2020 1:00 am"), message("Me Myself", "secret"))
    files = both([], []) | {
        PERSONAL: personal(),
        f"{NEW}/close_friends.json": [labelled("Ana L", "ana.lu")],
        "messages/inbox/anal_1/message_1.html": text.replace("Seguidos", "Ana L"),
    }
    found = read(files)
    assert [(act.actor, act.target, act.at) for act in found.acts] == [
        ("ana.lu", "me_myself", WHEN.replace(second=0)),
        ("me_myself", "ana.lu", WHEN.replace(second=0)),
    ]
    assert "secret" not in repr(found)


# ------------------------------------------------------------------------------------------ times


def test_impossible_times_are_taken_out_and_counted() -> None:
    found = read(
        both([item("ana.lu", 0), item("bo", 123_456_789), item("cy", T0 * 10)],
             [new_item("dee", 4_000_000_000), new_item("eve", T0), new_item("fay", 10**17)])
    )  # fmt: skip
    assert [tie.target for tie in found.ties if tie.at] == ["eve"]
    assert len(found.ties) == 6
    value = check(found, "impossible times").value
    assert value.startswith("Of the times, 1 before October 2010, 3 after the export")
    assert found.listed("followers").timed_count == 0


def test_the_export_date_is_given_or_named_or_the_newest_entry() -> None:
    files = both([item("ana.lu")], [new_item("bo_77", T0 - 100)])
    given = datetime(2023, 12, 1, tzinfo=UTC)
    assert read(files, exported_at=given).exported_at == given
    assert read(files).exported_at == datetime(2024, 1, 2, tzinfo=UTC)
    unnamed = read(files, origin="download.zip")
    assert unnamed.exported_at == WHEN
    assert check(unnamed, "export date").verdict == "note"
    same_day = read(files, origin="instagram-me_myself-2023-11-14-x (1).zip")
    assert same_day.exported_at == WHEN
    wrapped = {f"meta-2023-Nov-15-01-02-03/{path}": value for path, value in files.items()}
    assert read(wrapped, origin="download.zip").exported_at == datetime(2023, 11, 15, tzinfo=UTC)


def test_a_page_cannot_be_older_than_its_rows() -> None:
    # Rows are shifted by an assumed zone, so one may end up a little after the header.
    text = page(row_of_following("bo_77", "Jan 2, 2024 11:00 am")).replace(
        "T18:42Z", "T18:42+02:00"
    )
    found = read({f"{NEW}/following.html": text}, origin="x.zip")
    assert found.exported_at == datetime(2024, 1, 2, 19, 0, tzinfo=UTC)
    later = text.replace("Jan 2", "Jan 9")
    found = read({f"{NEW}/following.html": later}, origin="x.zip")
    assert found.exported_at == datetime(2024, 1, 2, 16, 42, tzinfo=UTC)
    assert [tie.at for tie in found.ties] == [None]


def test_one_stamp_in_the_far_future_does_not_date_the_export() -> None:
    found = read(both([item("ana.lu", 4_000_000_000)], [new_item("bo")]), origin="download.zip")
    assert found.exported_at == WHEN


# ------------------------------------------------------------------------------------------ range

DAY = 86_400


def days(names: str, first: int, last: int, count: int) -> list[dict[str, Any]]:
    step = (last - first) * DAY // max(count - 1, 1)
    return [item(f"{names}{n}", T0 - 1500 * DAY + first * DAY + n * step) for n in range(count)]


def test_a_followers_list_cut_by_date_is_refused() -> None:
    cut = read(both(days("a", 700, 1490, 40), days("b", 0, 1490, 40)))
    assert cut.listed("followers").state == "cut"
    assert refusals(cut) == ["date range"]
    assert "All time" in check(cut, "date range").remedy
    # The healthy account of the page: followers reach back further.
    sound = read(both(days("a", 0, 1490, 40), days("b", 60, 1490, 40)))
    assert sound.listed("followers").state == "whole"
    assert check(sound, "date range").verdict == "ok"


def test_few_times_say_nothing_about_a_range() -> None:
    few = read(both(days("a", 700, 1490, 9), days("b", 0, 1490, 40)))
    assert check(few, "date range").verdict == "note"
    assert refusals(few) == []


def test_a_sharp_round_span_is_a_warning() -> None:
    sharp = read(both(days("a", 1410, 1500, 40), days("b", 1330, 1500, 40)))
    assert check(sharp, "date range").verdict == "warn"
    assert "90 days" in check(sharp, "date range").value
    uneven = read(both(days("a", 1437, 1500, 40), days("b", 1330, 1500, 40)))
    assert check(uneven, "date range").verdict == "ok"


# ------------------------------------------------------------------------------ zips, parts, junk


def test_two_zips_are_one_export(tmp_path: Path) -> None:
    one = write_zip(
        tmp_path, {f"{NEW}/followers_1.json": [item("ana.lu")]}, "a_20240102_part_1.zip"
    )
    two = {
        f"{NEW}/followers_1.json": [item("cy")],
        f"{NEW}/followers_2.json": [item("dee")],
        f"{NEW}/following.json": {"relationships_following": [new_item("bo_77")]},
    }
    both_zips = [one, write_zip(tmp_path, two, "a_20240102_part_2.zip")]
    with open_members(both_zips) as members:
        found = instagram.read_instagram(members)
    assert pairs(found) == [("a", "bo_77"), ("ana.lu", "a"), ("cy", "a"), ("dee", "a")]
    assert refusals(found) == []
    with open_members(both_zips[1]) as members:
        alone = instagram.read_instagram(members)
    assert "parts of the export" in refusals(alone)


def test_the_same_zip_twice_changes_nothing(tmp_path: Path) -> None:
    files = both([item("ana.lu")], [new_item("bo_77")]) | {
        f"{ACTIVITY}/likes/liked_posts.json": [owned("Ana", "ana.lu")]
    }
    paths = [write_zip(tmp_path, files), write_zip(tmp_path, files, ZIP.replace(".", " (1)."))]
    with open_members(paths) as members:
        found = instagram.read_instagram(members)
    assert (len(found.ties), len(found.acts)) == (2, 1)


def test_parts_of_two_exports_are_refused(tmp_path: Path) -> None:
    one = write_zip(tmp_path, both([item("ana.lu")], []))
    two = write_zip(tmp_path, both([item("cy")], []), ZIP.replace("2024-01-02", "2024-03-02"))
    with open_members([one, two]) as members:
        assert refusals(instagram.read_instagram(members)) == ["one export"]


def test_a_folder_with_a_wrapper_and_junk(tmp_path: Path) -> None:
    root = tmp_path / "instagram-me_myself-2024-01-02-x"
    files = both([item("ana.lu")], [new_item("bo_77")]) | {
        f"__MACOSX/{NEW}/._followers_1.json": b"\x00\x05", f"{NEW}/.DS_Store": b"\x00"
    }  # fmt: skip
    for path, value in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content_of(value))
    with open_members(tmp_path) as members:
        assert instagram.recognise(members)
        found = instagram.read_instagram(members)
    assert (found.ego, len(found.ties)) == ("me_myself", 2)
    assert refusals(found) == []


def test_single_files_as_a_phone_gives_them(tmp_path: Path) -> None:
    paths = [tmp_path / "followers_1 (1).json", tmp_path / "following.json"]
    paths[0].write_bytes(content_of([item("ana.lu")]))
    paths[1].write_bytes(content_of({"relationships_following": [new_item("bo_77")]}))
    with open_members(paths) as members:
        assert instagram.recognise(members)
        assert pairs(instagram.read_instagram(members)) == [("ana.lu", "me"), ("me", "bo_77")]


def test_two_versions_of_one_list_are_refused() -> None:
    files = both([item("ana.lu")], [new_item("bo_77")])
    found = read(files | {f"{NEW}/followers_1 (1).json": [item("cy")]})
    assert refusals(found) == ["one version of a list"]
    same = read(files | {f"{NEW}/followers_1 (1).json": [item("ana.lu")]})
    assert refusals(same) == []


def test_a_user_name_with_another_platform_in_it() -> None:
    root = "instagram-facebook.threads-2024-01-02-x"
    files = {f"{root}/{path}": value for path, value in both([item("ana.lu")], []).items()}
    assert pairs(read(files, origin="x.zip")) == [("ana.lu", "facebook.threads")]


@pytest.mark.parametrize(
    "files",
    [
        {"following.json": [{"login": "ana", "id": 1}]},
        {"data/following.js": "window.YTD.following.part0 = []"},
        {"user_data_tiktok.json": {"Your Activity": {}}},
        {"your_facebook_activity/messages/inbox/a_1/message_1.json": {}},
        {f"{ACTIVITY}/threads/followers_1.json": [item("ana.lu")]},
        {"readme.txt": "followers_1.json"},
    ],
)
def test_other_platforms_are_not_taken_for_instagram(files: Files) -> None:
    assert not instagram.recognise(members_of(files, "download.zip"))


# ---------------------------------------------------------------------------------------- Threads

THREADS = f"{ACTIVITY}/threads"


def threads_item(name: str, handle: str, *, has_value: bool = True) -> dict[str, Any]:
    link = {"href": f"https://www.threads.net/@{handle}", "timestamp": T0}
    return {"title": name, "string_list_data": [link | ({"value": handle} if has_value else {})]}


def threads_files() -> dict[str, Any]:
    return {
        f"{THREADS}/followers_1.json": {
            "text_post_app_text_post_app_followers": [threads_item("maria", "m.lopez",
                                                                   has_value=False)]},
        f"{THREADS}/following.json": {
            "text_post_app_text_post_app_following": [threads_item("Cy C", "cy")]},
        f"{THREADS}/liked_threads.json": {"text_post_app_media_likes": [
            {"title": "cy", "string_list_data": [{"value": "x", "timestamp": T0}]}]},
        f"{THREADS}/threads_and_replies.json": {"text_post_app_text_posts": [
            {"media": [{"title": "hello", "creation_timestamp": T0,
                        "text_app_post": {"is_reply": True}}]}]},
        f"{THREADS}/threads_viewed.json": {"text_post_app_text_app_posts_seen": [
            {"string_map_data": {"Author": {"value": "dee"}, "Time": {"timestamp": T0}}}]},
        f"{THREADS}/blocked_profiles.json": {"text_post_app_text_post_app_blocked_users": [
            threads_item("Eve", "eve")]},
    }  # fmt: skip


def test_threads_lists_are_never_mixed_into_instagrams() -> None:
    files = both([item("ana.lu")], [new_item("bo_77")]) | threads_files()
    found = read(files)
    assert pairs(found) == [("ana.lu", "me_myself"), ("me_myself", "bo_77")]
    assert (found.acts, found.marks, found.posts) == ([], [], [])
    assert check(found, "threads").value.startswith("6 files")
    members = members_of(files)
    assert threads.recognise(members)
    other = threads.read_threads(members)
    assert other.platform == "threads"
    assert pairs(other) == [("m.lopez", "me_myself"), ("me_myself", "cy")]
    assert {(act.kind, act.target) for act in other.acts} == {("like", "cy"), ("view", "dee")}
    assert [(post.text, post.format, post.at) for post in other.posts] == [("hello", "text", WHEN)]
    assert [(mark.alter, mark.kind) for mark in other.marks] == [("eve", "blocked")]


def test_threads_lists_without_their_folder_are_known_by_their_key() -> None:
    own = {"followers_1.json": {"text_post_app_text_post_app_followers": [threads_item("A", "a")]}}
    files = both([item("ana.lu")], [new_item("bo_77")]) | own
    assert pairs(read(files)) == [("ana.lu", "me_myself"), ("me_myself", "bo_77")]
    assert check(read(files), "threads").value.startswith("1 file ")
    assert pairs(threads.read_threads(members_of(files))) == [("a", "me_myself")]
    assert not threads.recognise(members_of(both([item("ana.lu")], [])))


# ------------------------------------------------------------------------------------ bad exports

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False)
    | st.text(max_size=6) | st.sampled_from(["ana.lu", "Owner", "Username", "2020-01-01T00:00:00"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["title", "string_list_data", "string_map_data", "label_values", "label", "value", "href",
         "timestamp", "timestamp_ms", "dict", "media", "creation_timestamp", "followers",
         "following", "participants", "messages", "sender_name", "reactions", "actor", "name",
         "media_likes", "conversation", "sender", "created_at", "username", "likes", "photos",
         "taken_at", "text_post_app_x", "media_map_data"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
PATHS = (
    f"{NEW}/followers_1.json", f"{NEW}/following.json", f"{NEW}/close_friends.json", PERSONAL,
    f"{ACTIVITY}/likes/liked_posts.json", f"{ACTIVITY}/comments/post_comments_1.json",
    f"{ACTIVITY}/media/posts_1.json", "messages/inbox/a_1/message_1.json", "connections.json",
    "likes.json", "messages.json", "media.json", "profile.json",
    "past_instagram_insights/posts.json", f"{THREADS}/followers_1.json",
    f"{THREADS}/threads_and_replies.json",
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 0.999), st.booleans())
def test_a_list_cut_short_anywhere_is_never_a_shorter_list(part: float, is_page: bool) -> None:
    rows = [f"user_{number}" for number in range(3)]
    whole = (
        page(*[row_of_followers(name, DATES["en"]) for name in rows]).removesuffix("</html>")
        if is_page
        else json.dumps([item(name) for name in rows])
    )
    cut = whole[: int(part * len(whole))].encode()
    found = read({f"{NEW}/followers_1.{'html' if is_page else 'json'}": cut})
    assert found.listed("followers").state == "unreadable"


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(PATHS), VALUES, max_size=6))
def test_any_json_gives_a_result_or_one_error(files: dict[str, Any]) -> None:
    members = members_of(files)
    for reader in (instagram.read_instagram, threads.read_threads):
        try:
            found = reader(members)
        except FollowkitError:
            continue
        assert len(found.lists) == 5
        # Without both lists in a readable form nobody may be called one who does not follow back.
        states = {found.listed("followers").state, found.listed("following").state}
        assert bool(refusals(found)) or states == {"whole"}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(
    ["<html>", "<main>", '<div class="_a6-g">', "</div>", "<td class='_a6_q'>", "</td>", "<a href=",
     '"https://www.instagram.com/ana.lu">', "ana.lu", "</a>", "<h2 class=\"_a6-h\">", "</h2>",
     "Aug 10, 2026 6:32 pm", "<style>", "</style>", "<", ">", '"', "<!--", "&#x110000;", "</html>",
     '<time datetime="0001-01-01T00:00+23:00">', "\x00", "<table>", "</main>"]), max_size=30),
    st.binary(max_size=20))  # fmt: skip
def test_any_page_gives_a_result_or_one_error(pieces: list[str], junk: bytes) -> None:
    content = "".join(pieces).encode() + junk
    found = read({f"{NEW}/followers_1.html": content, "messages/inbox/a_1/message_1.html": content})
    listed = found.listed("followers")
    assert listed.state in ("whole", "unreadable", "cut")
    assert "that of following is absent" in check(found, "both lists").value
