"""Forms in which Instagram wrote its exports over the years, with invented names."""

from __future__ import annotations

from typing import Any

import pytest
from export_members import acts_of, check_of, members_of, ties_of, utc

from followkit.sources.exports.found import Found
from followkit.sources.exports.instagram import read_instagram, recognise
from followkit.sources.exports.instagram_dates import parse_row_time, parse_written_date
from followkit.sources.exports.instagram_values import MALFORMED

LISTS = "connections/followers_and_following/"
BOX = '<div class="pam _3-95 _2ph- _a6-g uiBoxWhite noborder">'
END = "</main></div></body></html>"


def read(files: dict[str, Any], origin: str = "export.zip", **options: Any) -> Found:
    members = members_of(files, origin)
    assert recognise(members)
    return read_instagram(members, **options)


def mojibake(text: str) -> str:
    return text.encode().decode("latin-1")


# ------------------------------------------------------------------------------------------ dates


@pytest.mark.parametrize(
    "text",
    [
        "Sep 3, 2019, 5:16 PM", "sept. 03, 2019 5:16:00pm", "set 03, 2019 5:16 da tarde/noite",
        "3 сен 2019 г., 17:16", "3 de set de 2019 17:16", "3. Sep. 2019, 17:16",
        "3 sept. 2019 à 17:16", "2019年9月3日 17:16", "2019年9月3日 下午5:16",
        "2019년 9월 3일 오후 5:16", "2019/09/03 17:16", "Tháng 9 03, 2019 5:16:00 ch",
        "Eyl 03, 2019 5:16 ÖS", "Sep 03, 2019 5:16 pm", "Σεπ 03, 2019 5:16 μ.μ.",
    ],
)  # fmt: skip
def test_a_date_reads_the_same_in_every_form(text: str) -> None:
    assert parse_written_date(text) == utc("2019-09-03T17:16")
    assert parse_row_time(text) == utc("2019-09-04T01:16")


@pytest.mark.parametrize(
    ("text", "day"),
    [("Agu 18, 2016 8:31 pm", "2016-08-18T20:31"), ("Des 01, 2016 8:31 am", "2016-12-01T08:31"),
     ("mai 16, 2018 7:12 da manhã", "2018-05-16T07:12"), ("déc 02, 2025 3:15 pm",
     "2025-12-02T15:15"), ("maj 02, 2025 3:15 pm", "2025-05-02T15:15")],
)  # fmt: skip
def test_months_of_more_languages(text: str, day: str) -> None:
    assert parse_written_date(text) == utc(day)


def test_a_date_in_numbers_tells_no_month_and_a_name_is_no_date() -> None:
    assert parse_written_date("03/04/2023 17:10") == MALFORMED
    assert parse_written_date("3 xyz 2019 17:16") == MALFORMED
    assert parse_written_date("Jan 40, 2024 1:00 am") == MALFORMED
    for text in ("bo_77", "call me 2024", "10:30", "14/11/2023"):
        assert parse_written_date(text) is None


# ------------------------------------------------------------------------------------------ pages


def head(about: str = "") -> str:
    return (
        '<html><head><style>._a6-g{color:red}</style><title>T</title></head><body><div>'
        f'<header class="_a70a"><div class="_a70d"><h1>Followers</h1>{about}</div></header>'
        '<main class="_a706" role="main">'
    )  # fmt: skip


def row(name: str, date: str) -> str:
    link = f'<a target="_blank" href="https://www.instagram.com/{name}">{name}</a>'
    return f'{BOX}<div class="_a6-p"><div><div>{link}</div><div>{date}</div></div></div></div>'


def page(*rows: str, about: str = "") -> str:
    return head(about) + "".join(rows) + END


def table(*cells: tuple[str, str]) -> str:
    return "<table>" + "".join(
        f'<tr><td class="_a6_q">{label}</td><td class="_2piu _a6_r">{value}</td></tr>'
        for label, value in cells
    ) + "</table>"  # fmt: skip


def record(inside: str, date: str) -> str:
    """A record of 2026: it holds a record that holds a table; the date stands outside."""
    part = f'{BOX}<div class="_a6-p">{inside}</div></div>'
    return f'{BOX}<div class="_3-95 _a6-p">{part}</div><div class="_3-94 _a6-o">{date}</div></div>'


def part_of(title: str, *cells: tuple[str, str]) -> str:
    """A person within a post: records in cells of tables in records."""
    inner = (
        f'{BOX}<div class="_a6-p">{BOX}<div class="_a6-p">{table(*cells)}</div></div></div></div>'
    )
    cell = f'<table><tr><td colspan="2" class="_a6_q"><div>{inner}</div></td></tr></table>'
    box = f'{BOX}<div class="_a6-p">{cell}</div></div>'
    return (
        f'<tr><td colspan="2" class="_a6_q"><div>{BOX}<h2 class="_a6-h _a6-i">{title}</h2>'
        f'<div class="_a6-p">{box}</div></div></div></td></tr>'
    )


BOTH = {
    LISTS + "followers_1.html": page(row("ana.lu", "Aug 10, 2026 6:32 pm")),
    LISTS + "following.html": page(row("bo_77", "Aug 10, 2026 6:33 pm")),
}


def test_the_pages_of_2021_have_other_classes() -> None:
    def old_row(name: str, date: str) -> str:
        link = f'<a href="https://www.instagram.com/{name}">{name}</a>'
        body = f'<div class="_2let"><div><div>{link}</div><div>{date}</div></div></div>'
        return f'<div class="pam _2lej uiBoxWhite">{body}<div class="_3-94 _2lem"></div></div>'

    def old_page(*rows: str) -> str:
        title = '<div class="_3b0d">Followers</div><div class="_3b0e">Who follows you</div>'
        return f'<html><body>{title}<div role="main">{"".join(rows)}</div></body></html>'

    old = "followers_and_following/"
    found = read({
        old + "followers.html": old_page(old_row("ana.lu", "Sep 3, 2019, 5:16 PM")),
        old + "following.html": old_page(old_row("bo_77", "Sep 3, 2019, 5:17 PM")),
        old + "unfollowed_accounts.html": old_page(old_row("cy", "Jun 19, 2021, 8:30 AM")),
        old + "blocked_accounts.html": old_page(old_row("ed", "Apr 26, 2021, 7:02 AM")),
    })  # fmt: skip
    assert ties_of(found) == {("ana.lu", "me", "2019-09-04 01:16"),
                              ("me", "bo_77", "2019-09-04 01:17")}  # fmt: skip
    assert ties_of(found, "unfollow") == {("me", "cy", "2021-06-19 16:30")}
    assert [(mark.alter, mark.kind) for mark in found.marks] == [("ed", "blocked")]
    assert [one.state for one in found.lists[:2]] == ["whole", "whole"]
    alone = {"following.html": old_page(old_row("bo_77", "Sep 3, 2019, 5:17 PM"))}
    assert recognise(members_of(alone))


def test_a_record_in_a_record_is_one_person_with_one_date() -> None:
    rows = [
        record(table(("Name", "Cy C"), ("Username", "cy")), "Aug 09, 2026 1:00 am"),
        record(table(("Username", "dee")), "Aug 08, 2026 1:00 am"),
        record(
            table(("Bio-Link", "https://x.example/e"), ("Username", "e")), "Aug 07, 2026 1:00 am"
        ),
    ]
    found = read(BOTH | {LISTS + "pending_follow_requests.html": page(*rows)})
    assert ties_of(found, "request") == {("me", "cy", "2026-08-09 09:00"),
                                         ("me", "dee", "2026-08-08 09:00"),
                                         ("me", "e", "2026-08-07 09:00")}  # fmt: skip
    named = {one.account: one.display_name for one in found.people if one.display_name}
    assert named == {"cy": "Cy C"}
    assert not [one for one in found.checks if one.name == "records without a user name"]


def test_the_owner_of_a_liked_post_on_a_page() -> None:
    def post(code: str, *parts: str) -> str:
        link = f"https://www.instagram.com/p/{code}/"
        first = (
            f'<tr><td colspan="2" class="_a6_q">URL<div><a href="{link}">{link}</a></div></td></tr>'
        )
        return f"<table>{first}{''.join(parts)}</table>"

    tags = part_of("Hashtags", ("Name", "garden"))
    bio = ("URL", "https://www.instagram.com/p/BIO/")
    rows = [
        record(post("P1", tags, part_of("Owner", bio, ("Name", "Cy C"), ("Username", "cy"))),
               "Aug 09, 2026 1:00 am"),
        record(post("P2", part_of("Owner", ("Username", "dee"))), "Aug 08, 2026 1:00 am"),
        record(post("P3", tags), "Aug 07, 2026 1:00 am"),
    ]  # fmt: skip
    found = read(BOTH | {"your_instagram_activity/likes/liked_posts.html": page(*rows)})
    assert acts_of(found) == [("like", "me", "cy", "2026-08-09 09:00:00"),
                              ("like", "me", "dee", "2026-08-08 09:00:00")]  # fmt: skip
    assert {act.post_id for act in found.acts} == {"P1", "P2"}


def test_an_end_tag_too_few_loses_nobody() -> None:
    rows = row("ana.lu", "Aug 10, 2026 6:32 pm").removesuffix("</div>") + row("cy", "x")
    found = read(BOTH | {LISTS + "followers_1.html": page(rows)})
    assert {tie.source for tie in found.ties if tie.target == "me"} == {"ana.lu", "cy"}


RANGE = (
    '<aside class="_aoaa">Generated by me on <time datetime="2026-08-11T12:14Z">August 11, 2026'
    "</time>{more}</aside>"
)
FROM_TO = (
    '<div>Data from <time datetime="2025-08-11T12:14Z">August 11, 2025</time> to <time '
    'datetime="2026-08-11T12:14Z">August 11, 2026</time></div>'
)


def test_a_range_of_dates_in_the_header_refuses() -> None:
    files = {
        LISTS + "followers_1.html": page(row("ana.lu", "Aug 10, 2026 6:32 pm"),
                                         about=RANGE.format(more=FROM_TO)),
        LISTS + "following.html": page(row("bo_77", "Aug 10, 2019 6:33 pm")),
    }  # fmt: skip
    found = read(files)
    assert found.exported_at == utc("2026-08-11T12:14")
    assert found.listed("followers").state == "cut"
    told = check_of(found, "date range")
    assert told.verdict == "refuse"
    assert "All time" in told.remedy
    # An account that is younger than the range misses nobody.
    young = files | {LISTS + "following.html": page(row("bo_77", "Aug 10, 2026 6:33 pm"))}
    assert read(young).listed("followers").state == "whole"
    # Without a range the header has one date.
    files[LISTS + "followers_1.html"] = page(
        row("ana.lu", "Aug 10, 2026 6:32 pm"), about=RANGE.format(more="")
    )
    assert read(files).listed("followers").state == "whole"
    # Where the dates are text only, when the range begins is not known: it may miss people.
    spoken = "<div>from August 11, 2025 to August 11, 2026</div>"
    young[LISTS + "followers_1.html"] = page(
        row("ana.lu", "Aug 10, 2026 6:32 pm"), about=RANGE.format(more=spoken)
    )
    assert read(young).listed("followers").state == "cut"


# ------------------------------------------------------------------------------------------- JSON


def entry(name: str, at: int = 1_700_000_000) -> dict[str, Any]:
    return {"string_list_data": [{"value": name, "timestamp": at}]}


JSON = {LISTS + "followers_1.json": [entry("ana.lu")],
        LISTS + "following.json": {"relationships_following": [entry("bo_77")]}}  # fmt: skip
LABELS = tuple(map(mojibake, ("İnternet Adresi (URL)", "Ad", "Kullanıcı adı")))


def labels(*values: str) -> list[dict[str, str]]:
    return [{"label": label, "value": value} for label, value in zip(LABELS, values, strict=True)]


def seen(owner: str, partner: str = "", at: int = 1_700_000_100) -> dict[str, Any]:
    def part(title: str, name: str) -> dict[str, Any]:
        people = [{"dict": labels("", name.title(), name), "title": ""}] if name else []
        return {"dict": people, "title": mojibake(title)}

    link = {"label": LABELS[0], "value": "https://www.instagram.com/p/P1/"}
    parts = [{"label": "X", "vec": []}, link, part("Sahibi", owner), part("Marka ortağı", partner)]
    return {"timestamp": at, "media": [], "label_values": parts}


def test_a_partner_who_paid_is_not_the_owner_of_a_post() -> None:
    posts = [seen("cy"), seen("dee"), seen("ed", "brand"), seen("", "brand")]
    found = read(JSON | {"ads_information/ads_and_topics/posts_viewed.json": posts})
    assert sorted(act.target for act in found.acts) == ["cy", "dee", "ed"]
    stories = "your_instagram_activity/story_interactions/stories_viewed.json"
    found = read(JSON | {stories: [seen("cy")]})
    assert [(act.kind, act.target, act.post_id) for act in found.acts] == [("view", "cy", "P1")]


def test_the_owner_in_turkish_is_private() -> None:
    fields = {LABELS[2]: "me_77", LABELS[1]: "Me M", mojibake("Gizli Hesap"): "True"}
    values = {label: {"value": value, "timestamp": 0} for label, value in fields.items()}
    path = "personal_information/personal_information/personal_information.json"
    found = read(JSON | {path: {"profile_user": [{"string_map_data": values}]}})
    assert (found.ego, found.people[0].is_private) == ("me_77", True)


def test_stories_and_what_was_seen_in_2020() -> None:
    time = "2020-07-11T04:39:28+00:00"
    found = read({
        "connections.json": {"followers": {"ana.lu": time}, "following": {"bo_77": time}},
        "stories_activities.json": {"polls": [[time, "cy"], [time, "me_77"]], "quizzes": []},
        "seen_content.json": {
            "ads_seen": [{"timestamp": time, "author": "brand"}],
            "chaining_seen": [{"timestamp": time, "username": "nobody"}],
            "posts_seen": [{"timestamp": None, "author": "dee"}],
            "videos_watched": [{"timestamp": time, "author": "ed"}]},
        "profile.json": {"username": "me_77", "email": "me@secret.example"},
    })  # fmt: skip
    at = "2020-07-11 04:39:28"
    assert acts_of(found) == [("story", "me_77", "cy", at), ("view", "me_77", "dee", ""),
                              ("view", "me_77", "ed", at)]  # fmt: skip


# -------------------------------------------------------------------------- who can be matched


def thread(name: str, *senders: str) -> dict[str, Any]:
    return {"participants": [{"name": name}, {"name": "Me M"}], "messages": [
        {"sender_name": one, "timestamp_ms": 1_700_000_200_000} for one in senders]}  # fmt: skip


def person(name: str, handle: str) -> dict[str, Any]:
    cells = [("URL", ""), ("Name", name), ("Username", handle)]
    values = [{"label": label, "value": value} for label, value in cells]
    return {"timestamp": 1_700_000_000, "label_values": values}


def test_people_whose_threads_can_be_matched_have_a_display_name() -> None:
    friends = [person("Ana L", "ana.lu"), person("Bo B", "bo_77"), person("Cy C", "cy"),
               person("Cy C", "cy_2"), person("Dee D", "dee"), person("Ed E", "ed")]  # fmt: skip
    boxes: dict[str, Any] = {
        f"messages/inbox/{place}/message_1.json": content
        for place, content in {
            "ana_1": thread("Ana L", "Ana L", "Me M"), "dee_1": thread("Dee D", "Dee D"),
            "dee_2": thread("Dee D", "Me M"),
        }.items()
    }  # fmt: skip
    values = {"Username": {"value": "me_77"}, "Name": {"value": "Me M"}}
    own = {"personal_information/personal_information.json":
           {"profile_user": [{"string_map_data": values}]}}  # fmt: skip
    found = read(JSON | boxes | own | {LISTS + "close_friends.json": friends})
    named = {one.account: one.display_name for one in found.people if one.account != "me_77"}
    # Two have one name, and two threads have one: for those, silence means nothing.
    assert named == {"ana.lu": "Ana L", "bo_77": "Bo B", "ed": "Ed E"}
    assert {act.target for act in found.acts} == {"ana.lu", "me_77"}
    # A thread that cannot be read may be that of anybody who has no other.
    boxes["messages/inbox/x_1/message_1.json"] = "{"
    found = read(JSON | boxes | own | {LISTS + "close_friends.json": friends})
    named = {one.account: one.display_name for one in found.people if one.account != "me_77"}
    assert named == {"ana.lu": "Ana L"}


def test_a_comment_is_nobodys_display_name() -> None:
    values = {"Comment": {"value": "Secret Words"}, "Media Owner": {"value": "cy"},
              "Time": {"timestamp": 1_700_000_000}}  # fmt: skip
    found = read(JSON | {"comments/post_comments_1.json": [{"string_map_data": values}]})
    assert [act.target for act in found.acts] == ["cy"]
    assert "Secret" not in repr(found)


# ------------------------------------------------------------------------------------- what is told


def test_checks_do_not_tell_the_folders_of_the_owner() -> None:
    top = "instagram-me_77-2026-08-11-ab12/"
    found = read({top + LISTS + "followers_1.json": "{", top + LISTS + "following.json": [],
                  top + "comments/post_comments_1.json": "{"})  # fmt: skip
    values = [one.value for one in found.checks]
    assert "followers_and_following/followers_1.json" in check_of(found, "both lists").value
    assert "comments/post_comments_1.json" in check_of(found, "unreadable files").value
    assert not [value for value in values if "me_77" in value]
    assert all(value.endswith(".") for value in values)
    flat = read({top + "followers_1.json": "{", top + "following.json": []})
    assert not [one.value for one in flat.checks if "me_77" in one.value]
