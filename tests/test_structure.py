"""A structure shows what an export is made of, and nothing that it says."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followkit.sources.exports.members import open_members
from followkit.sources.exports.structure import (
    _WORDS,
    blank_key,
    blank_path,
    describe_structure,
)
from followkit.sources.exports.vocabulary import EXTENSIONS, VOCABULARY

BAD = Path(__file__).parent / "bad"
#: What a structure is written with, beside the words of formats.
CHROME = set(
    re.findall(
        "[a-z]+",
        "structure only every name text number and time of the export is left out object list each "
        "like an address true or false null whole seconds milliseconds digits empty not listed "
        "opened cannot be read another reason lines fields tags classes page without its end no "
        "header value files parts were them junk media",
    )
)


def _write(folder: Path, files: dict[str, Any]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text, encoding="utf-8")
    return folder


def test_records_are_described_together(tmp_path: Path) -> None:
    item = {
        "title": "",
        "string_list_data": [
            {"href": "https://www.instagram.com/zq7", "value": "zq7", "timestamp": 1700050000}
        ],
    }
    bare = {"title": "Zq Seven", "string_list_data": []}
    _write(tmp_path, {"connections/followers_and_following/followers_1.json": [item] * 9 + [bare]})
    assert describe_structure(tmp_path).split("\n") == [
        "Structure only: every name, text, number and time of the export is left out.",
        "1 file",
        "",
        "connections/followers_and_following/followers_1.json",
        "  list",
        "    each: object × 10",
        "      string_list_data: list × 10",
        "        each: object × 9",
        "          href: text like an address × 9",
        "          timestamp: number like seconds × 9",
        "          value: text × 9",
        "      title: empty text × 9 or text",
    ]  # fmt: skip


def test_keys_that_are_names_are_blanked(tmp_path: Path) -> None:
    _write(tmp_path, {
        # Some people are called like words of formats.
        "connections.json": {
            "followers": {"zq7": "2020-07-11T04:39:28+00:00", "photo": "", "a": None},
            "following": {"music": "2019-03-02T18:00:01+00:00"}},
        "user_data.json": {"Direct Messages": {"Chat History": {"ChatHistory": {
            "Chat History with zq7:": [{"Date": "2024-01-02 10:00:00", "From": "zq7"}],
            "Chat History with photo:": None}}}},
        "other.json": {"zq7": 1, "relationships_zq7": 2, "timestamp_zq7": 3},
    })  # fmt: skip
    shown = describe_structure(tmp_path)
    assert "zq7" not in shown
    assert "photo" not in shown
    assert "music" not in shown
    assert "followers: object" in shown
    assert "relationships_‹key›: whole number" in shown
    # All names of a map are one line.
    assert shown.count("‹key›:") == 5


def test_paths_name_nobody(tmp_path: Path) -> None:
    threads = {
        f"zq7-2026/your_instagram_activity/messages/inbox/{name}_123/message_1.json": {
            "participants": [{"name": name}], "messages": [], "title": name}
        for name in ("zq", "photo", *(f"zq{n}" for n in range(30)))
    }  # fmt: skip
    _write(
        tmp_path,
        {
            **threads,
            "instagram-zq7-2026-01-01-AbCdEf.json": [],
            "zq7.unknown": "x",
            "liked_posts.json": [],
            "follow_requests_you've_received.json": [],
        },
    )
    shown = describe_structure(tmp_path)
    assert "zq" not in shown
    assert "photo" not in shown
    folder = "‹folder›/your_instagram_activity/messages/inbox/‹folder›/message_1.json"
    assert f"{folder} × 32 (20 of them were read)" in shown
    assert "follow_requests_you've_received.json" in shown
    assert "‹file›.json" in shown
    assert "\n‹file›\n  not opened" in shown


def test_other_kinds_of_files(tmp_path: Path) -> None:
    _write(tmp_path, {
        "data/following.js": 'window.YTD.following.part0 = [{"following": {"accountId": "12345"}}]',
        "following_accounts.csv": "Account address,Show boosts\nzq@z.example,true\nyx,false\n",
        "blocked_accounts.csv": "zq@z.example\nyx@z.example\n",
        "Follower.txt": "Date: 2024-01-02 10:00:00 UTC\nUsername: zq7\n\nprivate video: zq\n",
        "followers_1.html": '<html><style>._a706{}</style><main class="_a706 x"><h2 class="_a6-h">'
                            '<a href="https://www.instagram.com/zq7">zq7</a></h2></main></html>',
        "synced_contacts.json": {"zq7": "+1 555"},
        "page_cut.html": "<html><p>zq",
    })  # fmt: skip
    shown = describe_structure(tmp_path)
    assert "zq" not in shown
    assert "12345" not in shown
    for part in (
        "window.YTD.following.part0 =", "accountId: text of digits",
        "2 lines of 1 field", "3 lines of 2 fields", "Account address: text × 2",
        "‹no header›: text × 2", "Username: × 1", "‹label›: × 1", "3 lines",
        "page with 5 tags", "classes: _a6-h × 1, _a706 × 1, x × 1",
        "synced_contacts.json\n  not opened", "page with 2 tags, without its end",
    ):  # fmt: skip
        assert part in shown
    assert "private" not in shown


def test_bad_files_are_named_without_what_is_in_them(tmp_path: Path) -> None:
    for path in (BAD / "json").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "key.json").write_text('{"zq7": 1, "zq7": 2}')
    (tmp_path / "key2.json").write_text('{"zq7": 1, "title": 2}')
    shown = describe_structure(tmp_path)
    bad = sum(int(count or 1) for count in re.findall(r"cannot be read(?: × (\d+))?:", shown))
    assert bad == len([*tmp_path.iterdir()]) - 1
    assert "title: whole number" in shown
    assert "zq7" not in shown
    assert "Zo" not in shown
    assert "another reason" not in shown


def test_keys_and_paths() -> None:
    for key in (
        "string_list_data", "relationships_following", "Chat History", "FansList", "First Name",
        "dmConversation", "label_values", "inReplyTo", "timestamp_ms",
    ):  # fmt: skip
        assert blank_key(key) == key
    for key in ("ana.lu", "", "…", "99999", "follow_ana", "Opmerking", "a" * 200):
        assert blank_key(key) == "‹key›"
    assert blank_path("a/../b.json") == "‹folder›/‹folder›/‹file›.json"
    assert blank_path("data/tweets-part12.js") == "data/tweets-part12.js"


TOKEN = st.from_regex(r"[qxz]{2}[a-z0-9._]{4,10}", fullmatch=True)
TREE = st.recursive(
    TOKEN | st.integers(10**15, 10**18) | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        TOKEN | st.sampled_from(["title", "value", "followers", "Chat History"]), inner,
        max_size=4) | st.dictionaries(st.builds("Chat History with {}:".format, TOKEN), inner,
        max_size=3),
    max_leaves=25,
)  # fmt: skip


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value)


def _tokens(value: Any) -> set[str]:
    found = (one for leaf in _leaves(value) for one in re.findall(r"[^\s:]+", leaf))
    return {one for one in found if one.startswith(("q", "x", "z")) or len(one) > 14}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(TREE, TOKEN, TOKEN)
def test_no_value_is_shown(tmp_path_factory: Any, tree: Any, folder: str, name: str) -> None:
    place = tmp_path_factory.mktemp("made")
    rows = io.StringIO()
    csv.writer(rows).writerows([["Username", folder], [name, "1"], [folder, name]])
    page = "".join(f'<p title="{one}">{one}</p>' for one in _leaves(tree))
    _write(place, {
        f"{folder}/{name}.json": tree, f"inbox/{folder}/message_1.json": tree,
        f"data/{name}.js": f"window.{name} = {json.dumps(tree)}", "likes.csv": rows.getvalue(),
        "likes.html": f"<html>{page}</html>", "Like.txt": "\n".join(_leaves(tree)),
    })  # fmt: skip
    shown = describe_structure(place)
    assert [one for one in _tokens(tree) | {folder, name} if one in shown] == []


PLATFORMS = ("instagram", "x", "tiktok", "mastodon", "linkedin", "facebook", "youtube", "threads")
VARIANTS = [*((one, {}) for one in PLATFORMS), ("instagram", {"era": "A"}),
            ("instagram", {"era": "E"}), ("instagram", {"era": "D", "layout": "html"})]  # fmt: skip


def _values(path: str, content: bytes) -> Iterator[str]:
    text = content.decode("utf-8-sig")
    if path.endswith((".json", ".js")):
        start = text.index("=") + 1 if path.endswith(".js") else 0
        yield from _leaves(json.loads(text[start:]))
    elif path.endswith(".csv"):
        for row in csv.reader(io.StringIO(text)):
            yield from row
    elif path.endswith(".html"):
        yield from re.findall(r">([^<]+)<", text)
        yield from re.findall(r'href="([^"]+)"', text)


@pytest.mark.parametrize(("platform", "variant"), VARIANTS, ids=str)
def test_no_value_of_a_made_export_is_shown(
    platform: str, variant: dict[str, str], tmp_path: Path
) -> None:
    makers = pytest.importorskip("followkit.simulate.exports")
    life = makers.make_life(5, 30)
    paths = makers.write_export(life, platform, tmp_path, **variant)
    shown = describe_structure(paths)
    # A value that holds a word beside those of formats and of the page itself must not stand there.
    allowed = VOCABULARY | CHROME | EXTENSIONS
    with open_members(paths) as members:
        values = {
            value.strip()
            for member in members
            for value in _values(member.path, member.read_bytes())
        }
        folders = {part for member in members for part in member.folder.split("/")}
    told = [
        value
        for value in values | folders
        # Small numbers are counts as well.
        if any(
            word.lower() not in allowed and len(word) > 2 + 2 * word.isdigit()
            for word in _WORDS.findall(value)
        )
    ]
    assert len(told) > 20
    assert [value for value in told if value in shown] == []
    handles = {one.handle for one in (life.ego, *life.alters)}
    assert [one for one in handles if one in shown] == []
    # It still says something: the files are there by name.
    assert len(shown.split("\n")) > 8
