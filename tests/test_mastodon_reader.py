"""Mastodon's CSV lists and archive: hand-written files, each with its answer."""

from __future__ import annotations

import json
import socket
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followkit.errors import InputError
from followkit.sources.exports.found import Found
from followkit.sources.exports.mastodon import read_mastodon, recognise
from followkit.sources.exports.mastodon_names import address_of_uri, read_address
from followkit.sources.exports.mastodon_outbox import read_outbox, strip_tags
from followkit.sources.exports.members import Limits, Member, Members, open_members
from followkit.sources.exports.to_tables import make_export_dataset

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
HOME = "https://home.example/users/me"
HEADER = "Account address,Show boosts,Notify on new posts,Languages\n"
FOLLOWING = HEADER + "bo@town.example,true,false,\nCy,true,false,\nDi@Far.Example,false,true,en\n"
ACTOR = {
    "id": HOME, "type": "Person", "preferredUsername": "Me", "name": "Me Myself",
    "url": "https://home.example/@me", "manuallyApprovesFollowers": True,
    "published": "2022-11-07T00:00:00Z", "summary": "<p>secret-summary</p>",
    "publicKey": {"publicKeyPem": "secret-key"},
}  # fmt: skip


def note(number: int, *, to: str = PUBLIC, **fields: Any) -> dict[str, Any]:
    at = f"2024-05-0{number}T10:00:00Z"
    inside = {
        "id": f"{HOME}/statuses/{number}", "type": "Note", "inReplyTo": None, "published": at,
        "attributedTo": HOME, "to": [to], "cc": [], "content": f"<p>post {number}</p>",
        "attachment": [], "tag": [], **fields,
    }  # fmt: skip
    return {"id": f"{HOME}/statuses/{number}/activity", "type": "Create", "actor": HOME,
            "published": at, "to": [to], "cc": [], "object": inside}  # fmt: skip


def boost(number: int, shared: Any) -> dict[str, Any]:
    return {"id": f"{HOME}/statuses/{number}/activity", "type": "Announce", "actor": HOME,
            "published": f"2024-05-0{number}T10:00:00Z", "to": [PUBLIC],
            "object": shared}  # fmt: skip


def mention(uri: str, name: str) -> dict[str, str]:
    return {"type": "Mention", "href": uri, "name": name}


def collection(items: list[Any], **fields: Any) -> dict[str, Any]:
    return {"id": "outbox.json", "type": "OrderedCollection", "totalItems": len(items),
            "orderedItems": items, **fields}  # fmt: skip


def put(folder: Path, **files: Any) -> Path:
    """Write files (double underscores stand for the dot before csv and json)."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return folder


def read(path: Path, **given: Any) -> Found:
    with open_members(path) as members:
        assert recognise(members)
        return read_mastodon(members, **given)


def verdicts(found: Found) -> dict[str, str]:
    return {check.name: check.verdict for check in found.checks}


def at(day: int) -> datetime:
    return datetime(2024, 5, day, 10, tzinfo=UTC)


# ------------------------------------------------------------------------------------ the lists


def test_lists_with_an_actor(tmp_path: Path) -> None:
    folder = put(
        tmp_path, following_accounts__csv=FOLLOWING, blocked_accounts__csv="eve@far.example\n",
        muted_accounts__csv="Account address,Hide notifications\nfay,true\n",
        lists__csv="close,bo@town.example\n", actor__json=ACTOR,
    )  # fmt: skip
    found = read(folder)
    assert found.ego == "me@home.example"
    assert [(tie.source, tie.target, tie.at) for tie in found.ties] == [
        ("me@home.example", "bo@town.example", None), ("me@home.example", "cy@home.example", None),
        ("me@home.example", "di@far.example", None),
    ]  # fmt: skip
    assert [(mark.alter, mark.kind) for mark in found.marks] == [
        ("eve@far.example", "blocked"), ("fay@home.example", "muted")
    ]  # fmt: skip
    listed = found.listed("following")
    assert (listed.state, listed.count, listed.timed_count) == ("whole", 3, 0)
    assert found.listed("followers").state == "absent"
    assert verdicts(found)["followers list"] == "refuse"
    assert "addresses without a server" not in verdicts(found)
    person = found.people[0]
    assert (person.display_name, person.is_private) == ("Me Myself", True)
    assert person.created_at == datetime(2022, 11, 7, tzinfo=UTC)


def test_domainless_without_an_actor(tmp_path: Path) -> None:
    found = read(put(tmp_path, following_accounts__csv=FOLLOWING))
    assert found.ego == "me"
    assert [tie.target for tie in found.ties] == ["bo@town.example", "cy", "di@far.example"]
    assert verdicts(found)["addresses without a server"] == "note"
    told = read(tmp_path, ego="@Me@Home.example")
    assert [tie.target for tie in told.ties][1] == "cy@home.example"
    assert told.ego == "me@home.example"
    assert "addresses without a server" not in verdicts(told)


@pytest.mark.parametrize(
    "text",
    [
        "bo@town.example\nCy@home.example\n",
        "\ufeffAccount address,Show boosts\n@bo@town.example,true\n@Cy@home.example,true\n",
        'Account address,Show boosts,Notify,Languages\nbo@town.example,true,false,"en, nl"\n'
        "cy@home.example,true,false,\n\n",
        "Account adress,Show Boosts\r\n@bo@town.example,TRUE\r\n@cy@home.example,TRUE\r\n",
    ],
    ids=["no header", "mark and at signs", "several languages", "shared by hand"],
)
def test_variants_of_the_list(tmp_path: Path, text: str) -> None:
    found = read(put(tmp_path, following_accounts__csv=text))
    assert [tie.target for tie in found.ties] == ["bo@town.example", "cy@home.example"]
    assert found.listed("following").state == "whole"


def test_second_download_and_other_name(tmp_path: Path) -> None:
    for name in ("following_accounts (1).csv", "my follows.csv"):
        path = tmp_path / name
        path.write_text(FOLLOWING, encoding="utf-8")
        assert read(path).listed("following").count == 3


def test_header_alone_follows_nobody(tmp_path: Path) -> None:
    found = read(put(tmp_path, following_accounts__csv=HEADER))
    assert (found.listed("following").state, found.listed("following").count) == ("whole", 0)


@pytest.mark.parametrize(
    "text",
    ["", HEADER + "not an address\nneither,is this\n", HEADER + 'bo@town.example,"cut',
     "<html><body>Log in</body></html>\n", HEADER + "x" * 200_000 + "\n"],
    ids=["empty", "no addresses", "cut in quotes", "a web page", "one endless field"],
)  # fmt: skip
def test_unreadable_is_never_an_empty_list(tmp_path: Path, text: str) -> None:
    found = read(put(tmp_path, following_accounts__csv=text))
    assert found.listed("following").state == "unreadable"
    assert verdicts(found)["follows: unreadable"] == "refuse"
    assert not found.ties


def test_one_bad_row_is_counted(tmp_path: Path) -> None:
    found = read(put(tmp_path, following_accounts__csv=FOLLOWING + "no address at all,x\n"))
    assert found.listed("following").count == 3
    assert found.files[0].left_out == {"rows without an address": 1}
    assert verdicts(found)["rows without an address"] == "warn"


def test_duplicates_count_once(tmp_path: Path) -> None:
    found = read(put(tmp_path, following_accounts__csv=FOLLOWING + "BO@town.example,true,false,\n"))
    assert found.listed("following").count == 3
    assert found.files[0].record_count == 4


# ---------------------------------------------------------------------------------- the archive


def test_archive(tmp_path: Path) -> None:
    bo, cy = "https://town.example/users/bo", "https://home.example/users/cy"
    items = [
        note(1, inReplyTo=f"{bo}/statuses/7", tag=[mention(bo, "@bo@town.example")]),
        note(2, tag=[mention(cy, "@cy"), mention(bo, "@bo@town.example")]),
        boost(3, f"{bo}/statuses/8"),
        boost(4, note(1)["object"]),
        note(5, inReplyTo=f"{HOME}/statuses/2"),
        note(6, to=bo, content="<p>secret-letter</p>", tag=[mention(bo, "@bo@town.example")]),
        note(7, type="Question"),
        {"type": "Undo", "object": {}},
    ]  # fmt: skip
    folder = put(
        tmp_path / "archive", outbox__json=collection(items, totalItems=11), actor__json=ACTOR,
        likes__json=collection([f"{bo}/statuses/9", "https://far.example/objects/77-aa"]),
        bookmarks__json=collection(["https://far.example/@di/5"]),
    )  # fmt: skip
    found = read(folder)
    assert [(act.target, act.kind, act.at) for act in found.acts] == [
        ("bo@town.example", "reply", at(1)), ("bo@town.example", "mention", at(2)),
        ("cy@home.example", "mention", at(2)), ("bo@town.example", "share", at(3)),
        ("bo@town.example", "message", at(6)), ("bo@town.example", "like", None),
        ("di@far.example", "save", None),
    ]  # fmt: skip
    assert [(post.text, post.format, post.is_repost, post.original_account)
            for post in found.posts] == [
        ("post 1", "text", False, None), ("post 2", "text", False, None),
        (None, None, True, "bo@town.example"), (None, None, True, "me@home.example"),
        ("post 5", "text", False, None), ("post 7", "poll", False, None),
    ]  # fmt: skip
    outbox = next(file for file in found.files if file.file.endswith("outbox.json"))
    assert outbox.record_count == 8
    assert outbox.left_out["activities of other kinds"] == 1
    assert verdicts(found)["count of posts and boosts"] == "note"
    assert verdicts(found)["following list"] == "refuse"
    assert found.listed("following").state == "absent"
    assert found.exported_at == at(7)
    assert verdicts(found)["time of the export"] == "note"


def test_no_private_word_leaves(tmp_path: Path) -> None:
    bo = "https://town.example/users/bo"
    letter = note(6, to=bo, content="<p>secret-letter</p>", tag=[mention(bo, "@bo@town.example")])
    put(tmp_path, outbox__json=collection([letter, note(1)]), actor__json=ACTOR,
        following_accounts__csv=FOLLOWING)  # fmt: skip
    found = read(tmp_path)
    assert "message" in {act.kind for act in found.acts}
    assert "secret" not in repr(found)
    interactions = make_export_dataset(found).interactions
    assert interactions["kind"].tolist() == ["message"]


def test_list_named_twice_as_servers_write_it(tmp_path: Path) -> None:
    """Mastodon's archives hold `"orderedItems":[],"orderedItems":[…]`."""
    text = json.dumps(collection([note(1)]))
    text = text.replace('"orderedItems": [', '"orderedItems":[],"orderedItems":[', 1)
    assert text.count("orderedItems") == 2
    found = read(put(tmp_path, outbox__json=text, actor__json=ACTOR))
    assert [post.text for post in found.posts] == ["post 1"]


def test_numeric_actors(tmp_path: Path) -> None:
    """From 4.5 on URIs hold numbers; mentions tell whose they are."""
    me, bo = "https://home.example/ap/users/1", "https://town.example/ap/users/115"
    actor = {**ACTOR, "id": me, "webfinger": "me@nice.example"}
    items = [
        note(1, inReplyTo=f"{bo}/statuses/7"),
        note(2, inReplyTo="https://far.example/ap/users/9/statuses/7"),
        note(3, tag=[mention(bo, "@bo@town.example")]),
        note(4, inReplyTo=f"{me}/statuses/1"),
        note(5, inReplyTo="https://odd.example/notes/88",
             tag=[mention("https://odd.example/actors/x", "@di@odd.example")]),
    ]  # fmt: skip
    found = read(put(tmp_path, outbox__json=collection(items), actor__json=actor))
    assert found.ego == "me@nice.example"
    assert [(act.target, act.kind) for act in found.acts] == [
        ("bo@town.example", "reply"), ("bo@town.example", "mention"), ("di@odd.example", "reply")
    ]  # fmt: skip
    left_out = next(file for file in found.files if file.file == "outbox.json").left_out
    assert left_out == {"answers to somebody unknown (the post was kept)": 1}


def test_posts_since_2025_have_counts_and_quotes() -> None:
    """Servers since 4.4 count likes and boosts; those since 4.5 can quote."""
    bo, cy = "https://town.example/users/bo/statuses/9", "https://town.example/objects/77aa"
    items = [
        note(1, likes={"type": "Collection", "totalItems": 3}, shares={"totalItems": 0}, quote=bo),
        note(2, likes={"totalItems": -1}, shares={"totalItems": True}, quoteUri=cy),
        note(3, quote=f"{HOME}/statuses/1"),
        note(4, quote=None, _misskey_quote=bo, likes="later"),
    ]
    box = read_outbox(items, "me@home.example", HOME, "outbox.json")
    assert [(post.like_count, post.share_count) for post in box.posts] == [
        (3, 0), (None, None), (None, None), (None, None),
    ]  # fmt: skip
    acts = [(act.target, act.kind, act.post_id, act.at.day) for act in box.acts if act.at]
    assert acts == [("bo@town.example", "share", bo, 1), ("bo@town.example", "share", bo, 4)]
    assert box.left_out == {"quotes of somebody unknown (the post was kept)": 1}


def test_time_in_the_archives_name(tmp_path: Path) -> None:
    path = tmp_path / "archive-20260811184210-0123456789abcdef0123456789abcdef.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("outbox.json", json.dumps(collection([note(1)])))
        archive.writestr("actor.json", json.dumps(ACTOR))
        archive.writestr("avatar.png", b"\x89PNG")
    assert read(path).exported_at == datetime(2026, 8, 11, 18, 42, 10, tzinfo=UTC)
    given = datetime(2026, 9, 1, tzinfo=UTC)
    assert read(path, exported_at=given).exported_at == given


def test_broken_archive_beside_a_good_list(tmp_path: Path) -> None:
    put(tmp_path, following_accounts__csv=FOLLOWING, actor__json="{cut", outbox__json='{"a": 1}')
    found = read(tmp_path)
    assert found.listed("following").count == 3
    assert verdicts(found)["profile: unreadable"] == "warn"
    assert verdicts(found)["posts and boosts: unreadable"] == "warn"


def test_packed_archive_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "archive-20200811184210-0123456789abcdef0123456789abcdef.tar.gz"
    path.write_bytes(b"\x1f\x8b\x08\x00 packed")
    with pytest.raises(InputError, match="Unpack it and give the folder"), open_members(path):
        pass


def test_nothing_of_mastodons(tmp_path: Path) -> None:
    put(tmp_path, followers_1__json=[], outbox__json={})
    with open_members(tmp_path) as members:
        assert not recognise(members)
        with pytest.raises(InputError, match=r"following_accounts\.csv"):
            read_mastodon(members)


def test_ego_must_be_an_address(tmp_path: Path) -> None:
    put(tmp_path, following_accounts__csv=FOLLOWING)
    with pytest.raises(InputError, match="user@domain"):
        read(tmp_path, ego="Me Myself")


# ---------------------------------------------------------------------------------- small parts


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("https://a.example/users/Bo", "bo@a.example"), ("https://a.example/@bo", "bo@a.example"),
        ("https://a.example/@bo/112", "bo@a.example"),
        ("https://a.example:8443/@bo", "bo@a.example:8443"),
        ("https://a.example/@bo@b.example/1", None), ("https://a.example/notes/77", None),
        ("https://a.example", None), ("https://a.example/users/", None),
        ("https://a.example/p/Bo/977", "bo@a.example"), ("https://a.example/p/Bo", None),
        ("ftp://a.example/@bo", None),
        ("https://[bad/@bo", None), ("tag:a.example,2024:x", None), ("", None),
        ("https://a.example/@" + "b" * 5000, None),
    ],
)  # fmt: skip
def test_whose_uri(uri: str, address: str | None) -> None:
    assert address_of_uri(uri, {}) == address


def test_addresses() -> None:
    assert read_address("zoë@münchen.example") == "zoë@münchen.example"
    for bad in ("", "@", "a b@c.example", "a@", "a@b c", "a" * 101, "=1+1@x.example", "a@b@c"):
        assert read_address(bad) is None


def test_tags_are_stripped_in_linear_time() -> None:
    assert strip_tags("<" * 300_000) == ""
    assert strip_tags("a<br>b<br />c</p><p>d") == "a\nb\nc\nd"
    assert strip_tags("&lt;script&gt;") == "<script>"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "Create", HOME, PUBLIC]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["id", "type", "object", "tag", "to", "href", "name",
                                       "inReplyTo", "attachment", "content"]), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    items=st.lists(JSON, max_size=3), place=st.sampled_from(["object", "tag", "to", "id"]), odd=JSON
)
def test_odd_activities(items: list[Any], place: str, odd: Any) -> None:
    """Whatever stands in an outbox, a result comes out, and the good post beside it stays."""
    changed = note(2)
    (changed if place == "object" else changed["object"])[place] = odd
    box = read_outbox([*items, changed, note(1)], "me@home.example", HOME, "outbox.json")
    assert box.count == len(items) + 2
    assert "post 1" in [post.text for post in box.posts]


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.binary(max_size=200))
def test_any_bytes_as_list(content: bytes) -> None:
    member = Member("following_accounts.csv", len(content), "x", lambda: content)
    found = read_mastodon(Members((member,), ("x",), Limits()))
    assert found.listed("following").state in ("whole", "unreadable")
    assert found.listed("following").state == "whole" or "refuse" in verdicts(found).values()


def test_opens_no_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    put(tmp_path, following_accounts__csv=FOLLOWING, actor__json=ACTOR,
        outbox__json=collection([note(1)]))  # fmt: skip
    assert read(tmp_path).listed("following").count == 3
