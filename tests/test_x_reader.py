"""X archives written by hand from the description of the format."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from export_members import acts_of, check_of, left_out, members_of, ties_of, utc

from followkit.errors import InputError
from followkit.sources.exports.found import Found
from followkit.sources.exports.members import open_members
from followkit.sources.exports.x import read_x, recognise

ME, BO, CY, DI = "100", "555000444", "222000111", "333000222"


def js(kind: str, records: Any) -> str:
    return f"window.YTD.{kind}.part0 = {json.dumps(records)}"


def ids(key: str, *accounts: str) -> list[Any]:
    link = "https://twitter.com/intent/user?user_id="
    return [{key: {"accountId": one, "userLink": link + one}} for one in accounts]


def tweet(post_id: str, text: str, created: str, **more: Any) -> dict[str, Any]:
    told = {"id_str": post_id, "id": post_id, "full_text": text, "created_at": created,
            "favorite_count": "2", "retweet_count": "1", "retweeted": False}  # fmt: skip
    return {"tweet": told | more}


def mention(account: str, handle: str, name: str = "") -> dict[str, Any]:
    return {"id_str": account, "id": account, "screen_name": handle, "name": name}


OWNER = {"accountId": ME, "username": "MeMyself", "accountDisplayName": "Me",
         "createdAt": "2012-03-04T05:06:07.000Z", "email": "me@secret.example"}  # fmt: skip
ACCOUNT = [{"account": OWNER}]
TWEETS = [
    tweet("1700000000000000101", "@cy agreed &amp; with @di", "Tue Mar 05 14:02:11 +0000 2024",
          in_reply_to_user_id_str=CY, in_reply_to_screen_name="Cy",
          entities={"user_mentions": [mention(CY, "Cy", "C Y"), mention(DI, "di_"),
                                      mention("-1", "gone")]}),
    tweet("1700000000000000102", "RT @di_: so true @eve", "Wed Mar 06 14:02:11 +0000 2024",
          entities={"user_mentions": [mention(DI, "di_"), mention("777", "eve")]}),
    tweet("1700000000000000103", "a thread", "Thu Mar 07 14:02:11 +0000 2024",
          in_reply_to_user_id_str=ME, in_reply_to_screen_name="MeMyself"),
]  # fmt: skip
MESSAGES = [{"dmConversation": {"conversationId": f"{ME}-{BO}", "messages": [
    {"messageCreate": {"senderId": BO, "recipientId": ME, "text": "SECRET WORDS",
                       "createdAt": "2022-01-27T15:58:52.744Z", "reactions": [
                           {"senderId": ME, "createdAt": "2022-01-27T16:00:00.000Z"}]}},
    {"messageCreate": {"senderId": ME, "recipientId": BO, "text": "SECRET WORDS",
                       "createdAt": "2022-01-28T15:58:52.000Z"}},
    {"joinConversation": {}}]}}]  # fmt: skip


def archive(folder: str = "data/", **more: str) -> dict[str, str]:
    files = {
        "account.js": js("account", ACCOUNT),
        "follower.js": js("follower", ids("follower", BO, CY)),
        "following.js": js("following", ids("following", CY, DI)),
        "block.js": js("block", ids("blocking", "666")),
        "mute.js": js("mute", ids("muting", "667")),
        "tweets.js": js("tweets", TWEETS),
        "direct-messages.js": js("direct_messages", MESSAGES),
        "like.js": js("like", [{"like": {"tweetId": "1600000000000000001", "fullText": "x"}}]),
    }
    return {folder + name: text for name, text in files.items()} | more


def manifest(*files: tuple[str, int | None], **about: Any) -> str:
    types = {
        f"t{place}": {"files": [{"fileName": name, "count": str(count)} if count is not None
                                else {"fileName": name}]}
        for place, (name, count) in enumerate(files)
    }  # fmt: skip
    told = {"userInfo": {"accountId": ME, "userName": "memyself", "displayName": "Me"},
            "archiveInfo": {"generationDate": "2025-01-22T05:46:38.082Z"}}  # fmt: skip
    return f"window.__THAR_CONFIG = {json.dumps(told | {'dataTypes': types} | about)};"


def read(files: dict[str, str], origin: str = "twitter-2024-05-06-ab12.zip", **more: Any) -> Found:
    members = members_of(files, origin)
    assert recognise(members)
    return read_x(members, **more)


def test_follows_have_ids_and_no_times() -> None:
    found = read(archive())
    assert found.ego == ME
    assert ties_of(found) == {(BO, ME, ""), (CY, ME, ""), (ME, CY, ""), (ME, DI, "")}
    followers = found.listed("followers")
    assert (followers.state, followers.count, followers.timed_count) == ("whole", 2, 0)
    assert check_of(found, "followers list").verdict == "ok"
    assert {(mark.alter, mark.kind) for mark in found.marks} == {
        ("666", "blocked"),
        ("667", "muted"),
    }


def test_acts_are_the_egos_own_and_once_each() -> None:
    found = read(archive())
    assert acts_of(found) == [
        ("mention", ME, DI, "2024-03-05 14:02:11"),
        ("message", ME, BO, "2022-01-28 15:58:52"),
        ("message", BO, ME, "2022-01-27 15:58:52"),
        ("reaction", ME, BO, "2022-01-27 16:00:00"),
        ("reply", ME, CY, "2024-03-05 14:02:11"),
        ("share", ME, DI, "2024-03-06 14:02:11"),
    ]
    assert left_out(found, "likes") == {"X names neither the author nor the moment of a like": 1}


def test_posts_are_the_egos_words_only() -> None:
    posts = {post.post_id[-3:]: post for post in read(archive()).posts}
    assert posts["101"].text == "@cy agreed & with @di"
    assert (posts["101"].like_count, posts["101"].share_count) == (2, 1)
    assert posts["102"].text is None
    assert posts["102"].is_repost
    assert posts["102"].original_account == DI
    assert posts["102"].like_count is None
    assert not posts["103"].is_repost


def test_handles_come_from_mentions_and_replies() -> None:
    people = {one.account: one for one in read(archive()).people}
    assert people[CY].handle == "Cy"
    assert people[CY].display_name == "C Y"
    assert people[DI].handle == "di_"
    assert people["777"].handle == "eve"
    assert people[ME].handle == "MeMyself"
    assert people[ME].created_at == utc("2012-03-04T05:06:07")
    assert "-1" not in people
    assert BO not in people
    value = check_of(read(archive()), "handles").value
    assert value.startswith("2 of 3 accounts")


def test_no_text_of_a_message_and_no_address_leaves() -> None:
    assert "SECRET" not in repr(read(archive()))
    assert "secret.example" not in repr(read(archive()))


@pytest.mark.parametrize("folder", ["", "data/", "twitter-archive/data/"])
def test_layouts_with_and_without_a_data_folder(folder: str) -> None:
    assert len(read(archive(folder)).ties) == 4


def test_old_names_no_wrapper_no_link() -> None:
    files = {
        "account.js": js("account", ACCOUNT),
        "follower.js": js("follower", [{"accountId": BO}, {"follower": {"accountId": CY}}]),
        "following.js": "window.YTD.following.part0 = \n[ ]",
        "tweet.js": js("tweet", [one["tweet"] for one in TWEETS]),
        "direct-message.js": js("direct_message", MESSAGES),
    }
    found = read(files)
    assert ties_of(found) == {(BO, ME, ""), (CY, ME, "")}
    assert (found.listed("following").state, found.listed("following").count) == ("whole", 0)
    assert len(found.posts) == 3
    assert len(acts_of(found)) == 6


def test_parts_are_read_together_and_in_order() -> None:
    files = archive() | {
        "data/follower-part1.js": js("follower", ids("follower", "901")),
        "data/tweets-part1.js": js(
            "tweets", [tweet("5", "more", "Fri Mar 08 14:02:11 +0000 2024")]
        ),
    }
    found = read(files)
    assert ("901", ME, "") in ties_of(found)
    assert len(found.posts) == 4
    assert found.listed("followers").files == ("data/follower.js", "data/follower-part1.js")


def test_manifest_lists_what_counts() -> None:
    files = archive() | {
        "data/manifest.js": manifest(("data/follower.js", 2), ("data/following.js", 2)),
        "data/follower-part1.js": js("follower", ids("follower", "901")),
    }
    found = read(files, "renamed.zip")
    assert found.ego == ME
    assert found.exported_at == utc("2025-01-22T05:46:38")
    assert len(found.ties) == 4
    assert not found.posts
    assert check_of(found, "unlisted files").value.startswith("7 files")


def test_a_listed_file_that_is_missing_cuts_its_list() -> None:
    files = archive() | {
        "data/manifest.js": manifest(
            ("data/follower.js", 2), ("data/follower-part1.js", 9), ("data/following.js", 2)
        )
    }
    found = read(files)
    assert "data/follower-part1.js" in check_of(found, "missing files").value
    assert found.listed("followers").state == "cut"
    assert check_of(found, "followers list").verdict == "refuse"
    assert check_of(found, "following list").verdict == "ok"


def test_fewer_followers_than_announced_refuse() -> None:
    files = archive() | {
        "data/manifest.js": manifest(("data/follower.js", 40), ("data/following.js", None))
    }
    found = read(files)
    assert found.listed("followers").state == "cut"
    assert "2 of 40" in check_of(found, "follower shorter than announced").value


@pytest.mark.parametrize("text", ["window.__THAR_CONFIG = {", "window.__THAR_CONFIG = {}", "= []"])
def test_a_useless_manifest_falls_back_to_names(text: str) -> None:
    assert len(read(archive() | {"data/manifest.js": text}).ties) == 4


def test_missing_list_is_absent_and_refused() -> None:
    files = archive()
    del files["data/follower.js"]
    found = read(files)
    assert found.listed("followers").state == "absent"
    assert check_of(found, "followers list").verdict == "refuse"
    assert "Download an archive" in check_of(found, "followers list").remedy


@pytest.mark.parametrize(
    "text",
    ["", "window.YTD.follower.part0 = [{", 'window.YTD.follower.part0 = {"a": 1}',
     'window.YTD.follower.part0 = [{"follower": {"id": "5"}}]'],
)  # fmt: skip
def test_a_list_that_cannot_be_read_is_never_empty(text: str) -> None:
    found = read(archive() | {"data/follower.js": text})
    assert found.listed("followers").state == "unreadable"
    assert check_of(found, "followers list").verdict == "refuse"
    assert check_of(found, "followers unreadable").verdict == "refuse"


def test_some_records_without_an_id_cut_the_list() -> None:
    records = [*ids("follower", BO), {"follower": {"accountId": "no"}}, 5, None]
    found = read(archive() | {"data/follower.js": js("follower", records)})
    assert found.listed("followers").state == "cut"
    assert left_out(found, "followers") == {"no account id": 3}


def test_impossible_years_come_from_the_id_or_are_unknown() -> None:
    posts = [
        tweet("1050118621198921728", "a", "Wed Oct 10 20:19:24 +0000 1997"),
        tweet("7", "b", "Wed Oct 10 20:19:24 +0000 2003"),
        tweet("8", "c", "Wed Oct 10 20:19:24 +0000 2044"),
    ]
    found = read(archive() | {"data/tweets.js": js("tweets", posts)})
    times = {post.text: post.at for post in found.posts}
    assert times == {"a": utc("2018-10-10T20:19:24"), "b": None, "c": None}
    assert check_of(found, "impossible times").value.startswith("1 times")


def test_the_day_of_the_export_comes_from_manifest_name_or_newest_stamp() -> None:
    assert read(archive()).exported_at == utc("2024-05-06")
    found = read(archive(), "my_download.zip")
    assert found.exported_at == utc("2024-03-07T14:02:11")
    assert check_of(found, "day of the export").verdict == "note"
    given = read(archive(), exported_at=utc("2024-06-01"))
    assert given.exported_at == utc("2024-06-01")


@pytest.mark.parametrize(("given", "ego"), [("@memyself", ME), ("4242", "4242"), (None, ME)])
def test_the_ego_may_be_given_by_id_or_handle(given: str | None, ego: str) -> None:
    assert read(archive(), ego=given).ego == ego


def test_without_an_account_file_the_ego_is_me() -> None:
    files = {"following.js": js("following", ids("following", CY))}
    found = read(files, "following.js")
    assert ties_of(found) == {("me", CY, "")}
    assert check_of(found, "owner").verdict == "note"


def test_stamps_of_2018_are_milliseconds() -> None:
    """Archives of that year have no ISO times in the account and in messages, and no addresses."""
    owner = OWNER | {"createdAt": "1346793019000", "updatedAt": "1534136858534"}
    events = [
        {"messageCreate": {"senderId": BO, "recipientId": ME, "createdAt": "1534138567670"}},
        {"welcomeMessageCreate": {"senderId": BO, "recipientId": ME, "createdAt": "1534138514541"}},
    ]
    talk = {"dmConversation": {"conversationId": f"{BO}-{ME}", "messages": events}}
    found = read_x(members_of({
        "account.js": js("account", [{"account": owner}]),
        "follower.js": js("follower", [{"follower": {"accountId": BO}}]),
        "following.js": js("following", []),
        "direct-message.js": js("direct_message", [talk]),
    }))  # fmt: skip
    assert acts_of(found) == [("message", BO, ME, "2018-08-13 05:36:07")]
    assert left_out(found, "messages") == {"no sender": 1}
    assert found.people[0].created_at == utc("2012-09-04T21:10:19")
    assert found.exported_at == utc("2018-08-13T05:36:07")


def test_groups_are_not_read() -> None:
    message = {"messageCreate": {"senderId": BO, "createdAt": "2022-01-27T15:58:52.744Z"}}
    group = [{"dmConversation": {"conversationId": "999", "messages": [message]}}]
    found = read(archive() | {"data/direct-messages.js": js("direct_messages", group)})
    assert not [act for act in found.acts if act.kind == "message"]
    assert left_out(found, "messages") == {"not between the owner and one other": 1}


def test_the_archive_of_before_2018_says_what_to_ask_for() -> None:
    files = {"tweets.csv": "tweet_id,text\n", "data/js/tweets/2016_03.js": "Grailbird.data = []"}
    members = members_of(files)
    assert recognise(members)
    with pytest.raises(InputError, match=r"before 2018.*Download an archive of your data"):
        read_x(members)


def test_other_exports_are_not_recognised() -> None:
    assert not recognise(members_of({"connections/followers_and_following/following.json": "{}"}))
    assert not recognise(members_of({"app/index.js": "x = [1]", "follows.csv": "a,b\n"}))
    with pytest.raises(InputError, match="No file of an X archive"):
        read_x(members_of({"index.js": "x = [1]"}))


def test_from_a_zip(tmp_path: Path) -> None:
    path = tmp_path / "twitter-2024-05-06-ab12.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for name, text in archive().items():
            packed.writestr(name, text)
        packed.writestr("data/ip-audit.js", "window.YTD.ip_audit.part0 = [broken")
    with open_members(path) as members:
        assert recognise(members)
        assert len(read_x(members).ties) == 4
