"""TikTok exports written by hand: three JSON layouts and the text files."""

from __future__ import annotations

from typing import Any

import pytest
from export_members import acts_of, check_of, left_out, members_of, ties_of, utc

from followkit.errors import InputError
from followkit.sources.exports.found import Found
from followkit.sources.exports.tiktok import read_tiktok, recognise

FANS = [{"Date": "2024-01-02 10:00:00", "UserName": "Bo_77"},
        {"Date": "2024-01-03 11:00:00", "UserName": "cy"}]  # fmt: skip
FOLLOWING = [{"Date": "2024-01-01 09:00:00", "UserName": "bo_77"},
             {"date": "2024-02-01 09:00:00", "userName": "null"}]  # fmt: skip
BLOCKED = [{"Date": "2024-02-03 09:00:00", "UserName": "ed"}]
LIKES = [
    {"date": "2024-02-04 09:00:00", "link": "https://www.tiktokv.com/share/video/71/"},
    {"Date": "2024-02-05 09:00:00", "Link": "https://www.tiktok.com/@Cy/video/72?x=1"},
]
POSTS = [{"Date": "2024-02-06 09:00:00", "Link": "https://cdn.example/a", "Likes": "17",
          "WhoCanView": "Public"}]  # fmt: skip
COMMENTS = [{"date": "2024-02-06 10:00:00", "comment": "SECRET WORDS"}]
CHATS = {
    "Chat History with bo_77:": [
        {"Date": "2024-02-07 09:00:00", "From": "bo_77", "Content": "SECRET WORDS"},
        {"Date": "2024-02-07 10:00:00", "From": "me_tok", "Content": "SECRET WORDS"}],
    "Chat History with Cy:": [
        {"Date": "2024-02-08 10:00:00", "From": "me_tok", "Content": "SECRET WORDS"}],
}  # fmt: skip


def profile(**counts: Any) -> dict[str, Any]:
    return {"userName": "Me_Tok", "emailAddress": "me@secret.example", "birthDate": "1.1.2000",
            "followerCount": 2, "followingCount": 2} | counts  # fmt: skip


def until_2024(**counts: Any) -> dict[str, Any]:
    return {
        "Profile": {"Profile Information": {"ProfileMap": profile(**counts)}},
        "Activity": {
            "Follower List": {"FansList": FANS}, "Following List": {"Following": FOLLOWING},
            "Like List": {"ItemFavoriteList": LIKES}, "Hashtag": None,
            "Video Browsing History": {"VideoList": [{"Date": "2024-03-01 01:00:00", "Link": "x"}]},
        },
        "App Settings": {"Block": {"BlockList": BLOCKED},
                         "Settings": {"SettingsMap": {"Following": "Everyone"}}},
        "Video": {"Videos": {"VideoList": POSTS}},
        "Comment": {"Comments": {"CommentsList": COMMENTS}},
        "Direct Messages": {"Chat History": {"ChatHistory": CHATS}},
    }  # fmt: skip


def of_2025(**counts: Any) -> dict[str, Any]:
    old = until_2024(**counts)
    return {
        "Profile": old["Profile"],
        "Your Activity": {"Follower": {"FansList": FANS}, "Following": {"Following": FOLLOWING},
                          "Watch History": {"VideoList": [{"Date": "2024-03-01 01:00:00"}]},
                          "Login History": None},
        "Likes and Favorites": {"Like List": {"ItemFavoriteList": LIKES}},
        "App Settings": old["App Settings"], "Comment": old["Comment"],
        "Post": {"Posts": {"VideoList": POSTS}}, "Direct Messages": old["Direct Messages"],
    }  # fmt: skip


def of_2026(**counts: Any) -> dict[str, Any]:
    old = of_2025(**counts)
    return {
        "Profile And Settings": {
            "Profile Info": {"ProfileMap": profile(**counts)}, "Follower": {"FansList": FANS},
            "Following": {"Following": FOLLOWING}, "Block List": {"BlockList": BLOCKED}},
        "Your Activity": {"Watch History": old["Your Activity"]["Watch History"]},
        "Likes and Favorites": old["Likes and Favorites"], "Comment": old["Comment"],
        "Post": old["Post"], "Direct Message": {"Direct Messages": {"ChatHistory": CHATS}},
    }  # fmt: skip


TEXTS = {
    "TikTok/Profile and Settings/Follower.txt":
        "Date: 2024-01-02 10:00:00 UTC\nUsername: Bo_77\n\nDate: 2024-01-03 11:00:00 UTC\n"
        "Username: cy\n\n",
    "TikTok/Profile and Settings/Following.txt":
        "Fecha: 2024-01-01 09:00:00 UTC\r\nNombre de usuario: bo_77\r\n\r\n"
        "Fecha: 2024-02-01 09:00:00 UTC\r\nNombre de usuario: null\r\n",
    "TikTok/Profile and Settings/Block List.txt": "Date: 2024-02-03 09:00:00\nUsername: ed\n",
    "TikTok/Profile and Settings/Profile Info.txt":
        "Username: Me_Tok\nEmail: me@secret.example\nFollower count: 2\n",
    "TikTok/Likes and Favorites/Like List.txt":
        "Date: 2024-02-04 09:00:00 UTC\nLink: https://www.tiktokv.com/share/video/71/\n\n"
        "Date: 2024-02-05 09:00:00 UTC\nLink: https://www.tiktok.com/@Cy/video/72?x=1\n\n",
    "TikTok/Post/Posts.txt":
        "Date: 2024-02-06 09:00:00 UTC\nLink: https://cdn.example/a\nLike(s): 17\n\n",
    "TikTok/Comment/Comments.txt": "Date: 2024-02-06 10:00:00 UTC\nComment: SECRET WORDS\n\n",
    "TikTok/Direct Messages/Direct Messages.txt":
        ">>> Chat History with bo_77::\n\n2024-02-07 09:00:00 UTC bo_77: SECRET WORDS\n"
        "and a second line: SECRET WORDS\n2024-02-07 10:00:00 UTC me_tok: SECRET WORDS\n\n"
        ">>> Chat History with Cy::\n2024-02-08 10:00:00 UTC me_tok: SECRET WORDS\n",
}  # fmt: skip
LAYOUTS: dict[str, dict[str, Any]] = {
    "until 2024": {"user_data.json": until_2024()},
    "2025": {"TikTok_Data_17/user_data_tiktok.json": of_2025()},
    "2026": {"user_data_tiktok (1).json": of_2026()},
    "texts": TEXTS,
}


def read(files: dict[str, Any], **more: Any) -> Found:
    members = members_of(files, "TikTok_Data_1738.zip")
    assert recognise(members)
    return read_tiktok(members, **more)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same(layout: str) -> None:
    found = read(LAYOUTS[layout])
    assert found.ego == "me_tok"
    assert ties_of(found) == {
        ("bo_77", "me_tok", "2024-01-02 10:00"), ("cy", "me_tok", "2024-01-03 11:00"),
        ("me_tok", "bo_77", "2024-01-01 09:00"), ("me_tok", "null", "2024-02-01 09:00"),
    }  # fmt: skip
    assert acts_of(found) == [
        ("like", "me_tok", "cy", "2024-02-05 09:00:00"),
        ("message", "bo_77", "me_tok", "2024-02-07 09:00:00"),
        ("message", "me_tok", "bo_77", "2024-02-07 10:00:00"),
        ("message", "me_tok", "cy", "2024-02-08 10:00:00"),
    ]
    assert [(mark.alter, mark.kind) for mark in found.marks] == [("ed", "blocked")]
    assert [(post.like_count, post.format, post.text) for post in found.posts] == [
        (17, "video", None)
    ]
    assert found.posts[0].at == utc("2024-02-06T09:00:00")
    for kind in ("followers", "following"):
        one = found.listed(kind)  # type: ignore[arg-type]
        assert (one.state, one.count, one.timed_count) == ("whole", 2, 2)
    assert left_out(found, "likes") == {"no author in the link": 1}
    assert left_out(found, "comments") == {"no author of the video": 1}
    assert "SECRET" not in repr(found)
    assert "secret.example" not in repr(found)
    assert "1.1.2000" not in repr(found)


def test_the_newest_stamp_is_the_day_of_the_export() -> None:
    found = read(LAYOUTS["2025"])
    assert found.exported_at == utc("2024-03-01T01:00:00")
    assert check_of(found, "day of the export").verdict == "note"
    assert read(LAYOUTS["texts"]).exported_at == utc("2024-02-08T10:00:00")
    assert read(LAYOUTS["2025"], exported_at=utc("2024-04-01")).exported_at == utc("2024-04-01")


def test_a_given_ego_wins() -> None:
    assert read(LAYOUTS["until 2024"], ego="@Other").ego == "other"


def test_without_a_profile_the_chats_tell_the_ego() -> None:
    export = until_2024()
    export["Profile"] = None
    assert read({"user_data.json": export}).ego == "me_tok"
    export["Direct Messages"] = None
    assert read({"user_data.json": export}).ego == "me"


def test_a_capped_followers_list_is_refused() -> None:
    found = read({"user_data.json": until_2024(followerCount=5000)})
    assert found.listed("followers").state == "cut"
    assert check_of(found, "followers list").verdict == "refuse"
    assert "2 on the list, 5,000 in the profile" in check_of(found, "followers count").value


@pytest.mark.parametrize("count", ["N/A", None, "4", 4])
def test_a_few_missing_followers_only_warn(count: Any) -> None:
    found = read({"user_data.json": until_2024(followerCount=count)})
    assert found.listed("followers").state == "whole"
    told = [check.verdict for check in found.checks if check.name == "followers count"]
    assert told == (["warn"] if count in ("4", 4) else [])


@pytest.mark.parametrize(
    ("value", "count", "state"),
    [(None, 0, "whole"), (None, 7, "absent"), ("N/A", "N/A", "absent"), ([], 0, "whole"),
     ([], "N/A", "whole"), ([], 900, "cut"), (17, 0, "unreadable"),
     ([{"Name": "x"}], 1, "unreadable"),
     ({"Date": "2024-01-02 10:00:00", "UserName": "bo"}, 1, "whole")],
)  # fmt: skip
def test_null_empty_and_broken_are_told_apart(value: Any, count: Any, state: str) -> None:
    export = until_2024(followerCount=count)
    export["Activity"]["Follower List"]["FansList"] = value
    found = read({"user_data.json": export})
    assert found.listed("followers").state == state
    expected = "ok" if state == "whole" else "refuse"
    assert check_of(found, "followers list").verdict == expected


def test_null_sections_are_absent() -> None:
    export = dict.fromkeys(of_2025())
    export["Your Activity"] = {"Follower": None, "Following": {"Following": FOLLOWING}}
    found = read({"user_data_tiktok.json": export})
    assert found.listed("followers").state == "absent"
    assert found.listed("following").count == 2
    del export["Your Activity"]["Follower"]
    assert read({"user_data_tiktok.json": export}).listed("followers").state == "absent"


def test_followers_without_a_name_are_counted() -> None:
    export = until_2024()
    export["Activity"]["Follower List"]["FansList"] = [*FANS, {"UserName": "N/A"}, None, "x"]
    assert left_out(read({"user_data.json": export}), "followers") == {"no user name": 3}


def test_odd_times_are_unknown_and_their_people_stay() -> None:
    export = until_2024()
    export["Activity"]["Follower List"]["FansList"] = [
        {"Date": "02/01/2024", "UserName": "bo"}, {"Date": "1970-01-01 00:00:00", "UserName": "cy"},
        {"Date": "2024-13-41 00:00:00", "UserName": "di"}, {"UserName": "ed"},
    ]  # fmt: skip
    found = read({"user_data.json": export}, ego="me")
    assert {tie for tie in ties_of(found) if tie[1] == "me"} == {
        (one, "me", "") for one in ("bo", "cy", "di", "ed")
    }
    assert check_of(found, "impossible times").value.startswith("1 times")


def test_chats_of_more_than_two_are_left_out() -> None:
    export = until_2024()
    export["Direct Messages"]["Chat History"]["ChatHistory"] = {
        "Chat History with gang:": [
            {"Date": "2024-02-07 09:00:00", "From": one} for one in ("a", "b", "me_tok")
        ],
        "Chat History with :": [{"Date": "2024-02-07 09:00:00", "From": "a"}],
    }
    found = read({"user_data.json": export})
    assert not [act for act in found.acts if act.kind == "message"]
    assert left_out(found, "messages") == {
        "more than two people": 3, "the chat does not say with whom": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "state", "count"),
    [("", "whole", 0), ("You have no data in this section", "whole", 0),
     ("No hay datos en esta sección.\n", "whole", 0),
     ("<html>\n2024-01-02\nbo_77\ncy\n</html>", "unreadable", 0)],
)  # fmt: skip
def test_a_text_file_without_records(text: str, state: str, count: int) -> None:
    files = TEXTS | {"TikTok/Profile and Settings/Follower.txt": text}
    del files["TikTok/Profile and Settings/Profile Info.txt"]
    found = read(files)
    assert (found.listed("followers").state, found.listed("followers").count) == (state, count)
    assert check_of(found, "followers list").verdict == ("ok" if state == "whole" else "refuse")


def test_a_lone_renamed_file_is_looked_into() -> None:
    assert recognise(members_of({"my tiktok.json": until_2024()}))
    assert not recognise(members_of({"other.json": {"Following": []}}))
    assert not recognise(members_of({"follows.csv": "follower_id,followee_id\n"}))


def test_bad_files_give_one_sentence() -> None:
    with pytest.raises(InputError, match=r"user_data\.json"):
        read({"user_data.json": b'{"Activity": '})
    with pytest.raises(InputError, match="No file of a TikTok export"):
        read_tiktok(members_of({"a.txt": "x"}))


def test_depth_is_bounded() -> None:
    tree: Any = {"FansList": FANS}
    for _ in range(30):
        tree = {"Follower": tree}
    assert read({"user_data.json": tree}).listed("followers").state == "absent"


def test_a_bio_that_looks_like_fields_is_no_profile() -> None:
    text = "Profile Photo: x\nUsername: Me_Tok\nBio Description: hi \n\nUsername: not_me\n\n"
    found = read_tiktok(members_of({
        "TikTok/Profile and Settings/Profile Info.txt": text,
        "TikTok/Profile and Settings/Follower.txt":
            "Date: 2025-05-21 07:01:03 UTC\nUsername: bo_77\n\n"}))  # fmt: skip
    assert ties_of(found) == {("bo_77", "me_tok", "2025-05-21 07:01")}


def test_likes_and_comments_tell_the_day_of_the_export() -> None:
    found = read_tiktok(members_of({"user_data_tiktok.json": {"Activity": {
        "Follower List": {"FansList": FANS}, "Like List": {"ItemFavoriteList": LIKES}},
        "Comment": {"Comments": {"CommentsList": COMMENTS}}}}))  # fmt: skip
    assert found.exported_at == utc("2024-02-06T10:00")


def test_a_foreign_file_of_a_common_name_is_not_tiktoks() -> None:
    assert not recognise(members_of({"user_data.json": {"users": [{"id": 1}]}}, "bot.zip"))
    assert recognise(members_of({"user_data.json": until_2024()}, "bot.zip"))
    assert recognise(members_of({"user_data.json": {}}, "TikTok_Data_1.zip"))
