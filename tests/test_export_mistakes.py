"""Eighteen mistakes that other readers of Instagram exports made, each on a small file by hand."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from followkit.sources.exports.found import Found
from followkit.sources.exports.instagram import read_instagram
from followkit.sources.exports.members import open_members
from followkit.sources.exports.to_tables import make_export_dataset

EGO = "me.myself"
NAME = f"instagram-{EGO}-2026-06-15-Ab3dE9xY"
RELATIONS = "connections/followers_and_following"
ACTIVITY = "your_instagram_activity"
NOON = 1_700_000_000  # 2023-11-14 22:13:20 UTC


def pack(folder: Path, files: Mapping[str, Any], name: str = NAME) -> Path:
    """Write a zip; a text goes in as it is, anything else as JSON."""
    path = folder / f"{name}.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for inside, content in files.items():
            text = content if isinstance(content, str) else json.dumps(content)
            packed.writestr(inside, text)
    return path


def read(*paths: Path) -> Found:
    with open_members(list(paths)) as members:
        return read_instagram(members)


def entry(handle: str, at: int = NOON, *, title: str = "", link: str = "") -> dict[str, Any]:
    href = link or f"https://www.instagram.com/{handle}"
    return {
        "title": title,
        "media_list_data": [],
        "string_list_data": [{"href": href, "value": handle, "timestamp": at}],
    }


def titled(handle: str, at: int = NOON) -> dict[str, Any]:
    """An entry of following since 2025-10."""
    href = f"https://www.instagram.com/_u/{handle}"
    return {"title": handle, "string_list_data": [{"href": href, "timestamp": at}]}


def labelled(name: str, handle: str, *, words: tuple[str, str, str], at: int = NOON) -> Any:
    values = [{"label": words[0], "value": ""}, {"label": words[1], "value": name},
              {"label": words[2], "value": handle}]  # fmt: skip
    return {"timestamp": at, "media": [], "label_values": values, "fbid": "100"}


def followers(*entries: Any, part: int = 1) -> dict[str, Any]:
    return {f"{RELATIONS}/followers_{part}.json": list(entries)}


def following(*entries: Any) -> dict[str, Any]:
    return {f"{RELATIONS}/following.json": {"relationships_following": list(entries)}}


def pairs(found: Found, kind: str = "follow") -> set[tuple[str, str]]:
    return {(tie.source, tie.target) for tie in found.ties if tie.kind == kind}


def times(found: Found, source: str, target: str) -> list[datetime | None]:
    return [tie.at for tie in found.ties if (tie.source, tie.target) == (source, target)]


def follow_backs(found: Found) -> set[str]:
    """Whom the ego follows and who follows the ego."""
    ties = pairs(found)
    return {one for ego, one in ties if ego == found.ego and (one, found.ego) in ties}


def refused(found: Found) -> list[str]:
    return [check.name for check in found.checks if check.verdict == "refuse"]


def watched(found: Found) -> set[str]:
    """Whose follows could be seen, so that an absent one is an answer."""
    table = make_export_dataset(found).observation
    assert table is not None
    return set(table["account_id"][table["list_is_complete"].astype(bool)])


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


@pytest.fixture
def far_from_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A computer in a zone 7 or 8 hours behind UTC."""
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_01_bare_array_of_2023(tmp_path: Path) -> None:
    found = read(pack(tmp_path, followers(entry("ana.lu")) | following(entry("bo_77"))))
    assert pairs(found) == {("ana.lu", EGO), (EGO, "bo_77")}
    assert found.listed("followers").state == "whole"
    old = {f"{RELATIONS}/followers.json": {"relationships_followers": [entry("ana.lu")]}}
    assert pairs(read(pack(tmp_path, old | following(entry("bo_77"))))) == pairs(found)


def test_02_all_parts_of_the_followers(tmp_path: Path) -> None:
    files = (
        followers(entry("ana.lu"))
        | followers(entry("bo_77"), part=2)
        | followers(entry("cy"), part=10)
        | following(entry("ana.lu"), entry("bo_77"), entry("cy"))
    )
    found = read(pack(tmp_path, files))
    assert follow_backs(found) == {"ana.lu", "bo_77", "cy"}
    assert found.listed("followers").count == 3
    assert len(found.listed("followers").files) == 3


def test_03_name_in_title_and_u_in_link(tmp_path: Path) -> None:
    files = followers(entry("bo_77", NOON + 60)) | following(titled("bo_77"))
    found = read(pack(tmp_path, files))
    assert follow_backs(found) == {"bo_77"}
    assert times(found, EGO, "bo_77") == [at(NOON)]
    nameless = {"title": "", "string_list_data": titled("bo_77")["string_list_data"]}
    found = read(pack(tmp_path, followers(entry("bo_77")) | following(nameless)))
    assert follow_backs(found) == {"bo_77"}, "the link alone names the account"


def test_04_empty_title_and_empty_list(tmp_path: Path) -> None:
    brand = {"title": "some_brand", "string_list_data": []}
    nobody = {"title": "", "string_list_data": []}
    files = followers(entry("ana.lu")) | following(entry("ana.lu"), brand, nobody)
    found = read(pack(tmp_path, files))
    assert pairs(found) == {("ana.lu", EGO), (EGO, "ana.lu"), (EGO, "some_brand")}
    assert times(found, EGO, "some_brand") == [None], "an unknown time is unknown, not 1970"
    listed = found.listed("following")
    assert (listed.count, listed.timed_count) == (2, 1)
    left_out = [one.left_out for one in found.files if one.file.endswith("following.json")]
    assert sum(sum(reasons.values()) for reasons in left_out) == 1


def test_05_hashtags_are_no_people(tmp_path: Path) -> None:
    tag = entry("art", link="https://www.instagram.com/explore/tags/art")
    hashtags = {"relationships_following_hashtags": [tag]}
    files = followers(entry("ana.lu")) | following(entry("ana.lu"))
    files[f"{RELATIONS}/following_hashtags.json"] = hashtags
    found = read(pack(tmp_path, files))
    assert pairs(found) == {("ana.lu", EGO), (EGO, "ana.lu")}
    assert found.listed("following").count == 1


def test_06_case_does_not_tell_accounts_apart(tmp_path: Path) -> None:
    files = followers(entry("Ana.Lu"), entry("BO_77")) | following(titled("ana.lu"), entry("bo_77"))
    found = read(pack(tmp_path, files))
    assert follow_backs(found) == {"ana.lu", "bo_77"}


def test_07_single_object(tmp_path: Path) -> None:
    files = {f"{RELATIONS}/followers_1.json": entry("ana.lu")} | following(entry("ana.lu"))
    words = ("URL", "Name", "Username")
    files[f"{RELATIONS}/pending_follow_requests.json"] = labelled("Bo", "bo_77", words=words)
    files[f"{RELATIONS}/close_friends.json"] = entry("ana.lu", NOON + 5)
    found = read(pack(tmp_path, files))
    assert follow_backs(found) == {"ana.lu"}
    assert pairs(found, "request") == {(EGO, "bo_77")}
    assert found.listed("followers").count == 1
    assert [(one.alter, one.kind, one.at) for one in found.marks] == [
        ("ana.lu", "close_friend", at(NOON + 5))
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("URL", "Naam", "Gebruikersnaam"),
        ("URL-адрес", "Имя", "Имя пользователя"),
        ("URL", "姓名", "用户名"),
    ],
)
def test_08_labels_in_any_language(tmp_path: Path, words: tuple[str, str, str]) -> None:
    garbled = tuple(word.encode().decode("latin-1") for word in words)
    name = "Zoë Ağaoğlu".encode().decode("latin-1")
    # Display names such as `maria` look like user names too, but not in every record.
    people = [("maria", "m_torres"), (name, "zoe.a"), ("Bo Ng", "bo_77"), ("Cy & Co", "cy")]
    assert len(garbled) == 3
    records = [labelled(*person, words=(garbled[0], garbled[1], garbled[2])) for person in people]
    files = followers(entry("ana.lu")) | following(entry("ana.lu"))
    files[f"{RELATIONS}/pending_follow_requests.json"] = records
    found = read(pack(tmp_path, files))
    assert pairs(found, "request") == {(EGO, handle) for _, handle in people}
    assert "maria" not in {tie.target for tie in found.ties}


def page(*records: str, closed: bool = True) -> str:
    end = "</main></body></html>" if closed else ""
    return (
        "<html><head><style>._a6-g{color:red}</style></head><body><header><h1>Seguidores</h1>"
        '<aside>Generated by Me on <time datetime="2026-06-15T18:42Z">x</time></aside></header>'
        f'<main class="_a706" role="main">{"".join(records)}{end}'
    )


def row(handle: str, date: str) -> str:
    link = f'<a target="_blank" href="https://www.instagram.com/{handle}">{handle}</a>'
    return (
        '<div class="pam _3-95 _2ph- _a6-g uiBoxWhite noborder"><div class="_a6-p"><div>'
        f"<div>{link}</div><div>{date}</div></div></div></div>"
    )


def test_09_html_is_read_and_never_silently_empty(tmp_path: Path) -> None:
    there = page(row("ana.lu", "Aug 10, 2025 6:32 pm"), row("bo_77", "ago 09, 2025 12:05 am"))
    files = {
        f"{RELATIONS}/followers_1.html": there,
        f"{RELATIONS}/following.html": page(row("ana.lu", "Aug 09, 2025 6:32 pm")),
    }
    found = read(pack(tmp_path, files))
    assert pairs(found) == {("ana.lu", EGO), ("bo_77", EGO), (EGO, "ana.lu")}
    assert found.listed("followers").state == "whole"
    changed = page('<div class="new_design"><a href="https://www.instagram.com/ana.lu">x</a></div>')
    found = read(pack(tmp_path, files | {f"{RELATIONS}/followers_1.html": changed}))
    assert found.listed("followers").state == "unreadable", "a new design is not 0 followers"
    assert refused(found)


@pytest.mark.parametrize(
    ("content", "state"),
    [
        ("", "unreadable"),
        ('[{"title": "", "string_list_data": [{"hr', "unreadable"),
        ("<html>log in</html>", "unreadable"),
        ('{"error": "try again later"}', "unreadable"),
        (None, "absent"),
    ],
)
def test_10_unreadable_or_missing_is_not_empty(
    tmp_path: Path, content: str | None, state: str
) -> None:
    files = following(entry("ana.lu"), entry("bo_77"))
    if content is not None:
        files[f"{RELATIONS}/followers_1.json"] = content
    found = read(pack(tmp_path, files))
    listed = found.listed("followers")
    assert (listed.state, listed.count) == (state, 0)
    assert refused(found), "nobody may be said not to follow back"
    assert watched(found) == {EGO}, "what the wrong reading would call two refusals"


def test_10b_an_empty_list_that_is_there_is_whole(tmp_path: Path) -> None:
    found = read(pack(tmp_path, followers() | following(entry("ana.lu"))))
    listed = found.listed("followers")
    assert (listed.state, listed.count) == ("whole", 0)
    assert watched(found) == {EGO, "ana.lu"}


def test_11_date_range_cuts_the_followers_only(tmp_path: Path) -> None:
    day = 86_400
    ours = [entry(f"alter_{n}", NOON + n * 40 * day) for n in range(20)]
    whole = [entry(f"alter_{n}", NOON + n * 40 * day + 3_600) for n in range(20)]
    found = read(pack(tmp_path, followers(*whole) | following(*ours)))
    assert found.listed("followers").state == "whole"
    assert not refused(found)
    cut = whole[8:]
    found = read(pack(tmp_path, followers(*cut) | following(*ours)))
    assert found.listed("followers").state == "cut"
    assert refused(found)
    assert any(check.remedy for check in found.checks if check.verdict == "refuse")
    falsely = {f"alter_{n}" for n in range(8)}
    assert {one for _, one in pairs(found) if one != EGO} - follow_backs(found) == falsely
    assert watched(found) == {EGO}, "nobody is said not to follow back"


def test_12_pending_and_deleted_are_no_refusals(tmp_path: Path) -> None:
    gone = "__deleted__4f2a9"
    files = followers(entry("ana.lu")) | following(entry("ana.lu"), titled(gone), entry("cy"))
    files[f"{RELATIONS}/pending_follow_requests.json"] = {
        "relationships_follow_requests_sent": [entry("bo_77", NOON + 9)]
    }
    found = read(pack(tmp_path, files))
    assert pairs(found, "request") == {(EGO, "bo_77")}
    assert (EGO, "bo_77") not in pairs(found)
    states = {person.account: person.state for person in found.people}
    assert states[gone] == "deleted"
    data = make_export_dataset(found)
    rows = data.follows.set_index("followee_id")["status"].to_dict()
    assert rows["bo_77"] == "pending"
    assert watched(found) == {EGO, "ana.lu", "bo_77", "cy"}, "the account that is gone is not"


def test_13_no_local_time(tmp_path: Path, far_from_utc: None) -> None:
    local = datetime.fromtimestamp(NOON).replace(tzinfo=UTC)
    assert local == at(NOON) - timedelta(hours=8), "what the wrong reader says here"
    found = read(pack(tmp_path, followers(entry("ana.lu")) | following(entry("ana.lu"))))
    assert times(found, "ana.lu", EGO) == [at(NOON)]
    files = {
        f"{RELATIONS}/followers_1.html": page(row("ana.lu", "Aug 10, 2025 6:32 pm")),
        f"{RELATIONS}/following.html": page(row("ana.lu", "Jan 09, 2025 12:05 am")),
    }
    found = read(pack(tmp_path, files))
    assert times(found, "ana.lu", EGO) == [datetime(2025, 8, 11, 2, 32, tzinfo=UTC)]
    assert times(found, EGO, "ana.lu") == [datetime(2025, 1, 9, 8, 5, tzinfo=UTC)]
    assert {tie.precision_s for tie in found.ties} == {60}


def test_14_second_zip_of_a_split_export(tmp_path: Path) -> None:
    one = pack(tmp_path, followers(entry("ana.lu")), f"{NAME}_part_1")
    rest = followers(entry("bo_77")) | following(entry("ana.lu"), entry("bo_77"))
    two = pack(tmp_path, rest, f"{NAME}_part_2")
    found = read(one, two)
    assert follow_backs(found) == {"ana.lu", "bo_77"}, "the same list lies in both"
    assert found.listed("followers").count == 2
    assert follow_backs(read(two, one)) == follow_backs(found)


def test_15_lists_of_threads_stay_out(tmp_path: Path) -> None:
    files = followers(entry("ana.lu")) | following(entry("ana.lu"))
    key = "text_post_app_text_post_app_"
    other = {"title": "Dee Dee", "string_list_data": [
        {"href": "https://www.threads.com/dee", "value": "dee", "timestamp": NOON}]}  # fmt: skip
    for list_name, base in (("followers", "followers_1"), ("following", "following")):
        files[f"{ACTIVITY}/threads/{base}.json"] = {key + list_name: [other]}
    found = read(pack(tmp_path, files))
    assert pairs(found) == {("ana.lu", EGO), (EGO, "ana.lu")}
    assert found.listed("followers").count == 1
    # Some unpack all into one folder; then only the key tells the lists apart.
    flat = {inside.rpartition("/")[2]: value for inside, value in files.items()
            if "/threads/" not in inside}  # fmt: skip
    flat["threads_1/followers_1.json"] = {key + "followers": [other]}
    assert pairs(read(pack(tmp_path, flat))) == pairs(found)


def test_16_milliseconds_and_seconds(tmp_path: Path) -> None:
    words = ("URL", "Name", "Username")
    files = followers(entry("ana.lu")) | following(entry("ana.lu", NOON * 1000))
    files[f"{RELATIONS}/close_friends.json"] = [labelled("Ana L", "ana.lu", words=words)]
    files["personal_information/personal_information/personal_information.json"] = {
        "profile_user": [{"string_map_data": {"Username": {"value": EGO},
                                              "Name": {"value": "Me Myself"}}}]
    }  # fmt: skip
    said = [("Ana L", (NOON + 300) * 1000), ("Me Myself", (NOON + 200) * 1000),
            ("Ana L", NOON + 100)]  # fmt: skip
    files[f"{ACTIVITY}/messages/inbox/anal_17/message_1.json"] = {
        "participants": [{"name": "Ana L"}, {"name": "Me Myself"}],
        "messages": [{"sender_name": name, "timestamp_ms": stamp, "content": "private words"}
                     for name, stamp in said],
        "title": "Ana L", "thread_path": "inbox/anal_17",
    }  # fmt: skip
    found = read(pack(tmp_path, files))
    assert times(found, EGO, "ana.lu") == [at(NOON)], "not the year 55840"
    messages = {(act.actor, act.target, act.at) for act in found.acts if act.kind == "message"}
    assert messages == {
        ("ana.lu", EGO, at(NOON + 300)),
        (EGO, "ana.lu", at(NOON + 200)),
        ("ana.lu", EGO, at(NOON + 100)),
    }, "not January 1970"
    assert "private words" not in repr(found)


def test_17_numbers_of_insights(tmp_path: Path) -> None:
    def insight(stamp: int, likes: str, comments: str) -> dict[str, Any]:
        thumb = {"uri": "media/posts/x.jpg", "title": "a post", "creation_timestamp": stamp}
        numbers = {"Likes": {"value": likes}, "Comments": {"value": comments},
                   "Shares": {"value": "0"},
                   "Creation Timestamp": {"timestamp": stamp}}  # fmt: skip
        return {"media_map_data": {"Media Thumbnail": thumb}, "string_map_data": numbers}

    files = followers(entry("ana.lu")) | following(entry("ana.lu"))
    files["logged_information/past_instagram_insights/posts.json"] = {
        "organic_insights_posts": [insight(NOON, "1,204", "--"), insight(NOON + 60, "--", "3")]
    }
    files[f"{ACTIVITY}/media/posts_1.json"] = [
        {"media": [{"uri": "media/posts/x.jpg", "creation_timestamp": stamp, "title": "a post"}]}
        for stamp in (NOON, NOON + 60, NOON + 120)
    ]
    found = read(pack(tmp_path, files))
    counts = {post.at: (post.like_count, post.comment_count, post.share_count)
              for post in found.posts}  # fmt: skip
    assert counts == {
        at(NOON): (1204, None, 0),
        at(NOON + 60): (None, 3, 0),
        at(NOON + 120): (None, None, None),
    }, "a missing number is not 0, and a comma does not end one"


def test_18_duplicates_count_once(tmp_path: Path) -> None:
    files = followers(entry("ana.lu"), entry("Ana.Lu"), entry("bo_77"))
    files |= following(entry("ana.lu"), titled("ana.lu"), entry("cy"))
    found = read(pack(tmp_path, files))
    follows = make_export_dataset(found).follows
    rows = sorted(zip(follows["follower_id"], follows["followee_id"], strict=True))
    assert rows == [("ana.lu", EGO), ("bo_77", EGO), (EGO, "ana.lu"), (EGO, "cy")]
