"""Whatever bytes come, a reader gives `Found` or a `FollowkitError`, in bounded memory.

`FOLLOWKIT_FUZZ=2000 pytest tests/test_export_fuzz.py` looks longer than the usual few examples.
"""

from __future__ import annotations

import copy
import hashlib
import importlib
import json
import os
import random
import re
import struct
import tempfile
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from followkit.errors import FollowkitError, InputError
from followkit.simulate.exports import make_life, write_export
from followkit.simulate.exports.bluesky_car import Link as CarLink
from followkit.simulate.exports.bluesky_car import encode_cbor
from followkit.sources.exports import PLATFORMS, read_found
from followkit.sources.exports.bluesky_car import Link, decode_block, read_car
from followkit.sources.exports.found import Found, ListKind
from followkit.sources.exports.members import Limits, Member, Members, open_members
from followkit.sources.exports.structure import describe_structure
from followkit.sources.exports.to_tables import make_export_dataset
from followkit.tables import Dataset

EXAMPLES = int(os.environ.get("FOLLOWKIT_FUZZ", "40"))
BAD = Path(__file__).parent / "bad"
Files = dict[str, bytes]
#: Files with the lists themselves are changed more often than the rest.
LISTS = re.compile(r"follow|friend|request|connections|invitations|user_data|subscriptions", re.I)

#: Platform and variant of each export that is mutated.
MADE: list[tuple[str, dict[str, Any]]] = [
    ("instagram", {"era": "A"}), ("instagram", {"era": "C"}), ("instagram", {"era": "E"}),
    ("instagram", {"era": "D", "layout": "html", "locale": "es"}), ("threads", {}),
    ("x", {}), ("x", {"layout": "root"}), ("tiktok", {"layout": "2024"}), ("tiktok", {}),
    ("tiktok", {"layout": "txt"}), ("mastodon", {}), ("bluesky", {}), ("linkedin", {}),
    ("facebook", {}), ("youtube", {}),
]  # fmt: skip
#: The smallest export of each platform, by hand: one entry a list.
SMALL: dict[str, Files] = {
    "instagram": {
        "connections/followers_and_following/followers_1.json":
            b'{"title": "", "string_list_data": [{"value": "ana", "timestamp": 1700050000}]}',
        "connections/followers_and_following/following.json":
            b'{"relationships_following": [{"title": "bo", "string_list_data": [{"href": '
            b'"https://www.instagram.com/_u/bo", "timestamp": 1700000000}]}]}',
    },
    "threads": {
        "your_instagram_activity/threads/followers_1.json":
            b'{"text_post_app_text_post_app_followers": [{"title": "Ana", "string_list_data": '
            b'[{"href": "https://www.threads.com/ana", "timestamp": 1700000000}]}]}',
    },
    "x": {
        "data/follower.js": b'window.YTD.follower.part0 = [{"follower": {"accountId": "12"}}]',
        "data/following.js": b'window.YTD.following.part0 = [{"following": {"accountId": "13"}}]',
    },
    "tiktok": {
        "user_data.json":
            b'{"Activity": {"Follower List": {"FansList": [{"Date": "2024-01-02 10:00:00", '
            b'"UserName": "bo_77"}]}, "Following List": null}}',
    },
    "mastodon": {"following_accounts.csv": b"Account address,Show boosts\nbo@b.example,true\n"},
    "bluesky": {"repo.car": bytes.fromhex("1ba265726f6f7473816161") + b"gversion\x01"},
    "linkedin": {
        "Connections.csv": b"First Name,Last Name,URL,Connected On\n"
                           b"Bo,B,https://www.linkedin.com/in/bo,08 Feb 2023\n",
    },
    "facebook": {
        "connections/followers/people_who_followed_you.json":
            b'{"followers_v3": [{"name": "Bo B", "timestamp": 1700000000}]}',
    },
    "youtube": {
        "Takeout/subscriptions.csv": b"Channel Id,Channel Url,Channel Title\n"
                                     b"UCaaaaaaaaaaaaaaaaaaaaaa,http://a,Bo\n",
    },
}  # fmt: skip
ODD: list[Any] = [
    None, True, False, 0, -1, 1, 7, 10**9, 10**12, 1_700_000_000, 1_700_000_000_000, 2**63, 10**24,
    -(10**24), 0.5, 1e308, -1e-300, "", " ", "N/A", "0", "-1", "--", "1,204", "1e999", "NaN", "²",
    "٣", "०१", "a" * 300, "a.b_c", "@bo", "\x00", "\ud800", "a\u202eb", "Zo\u00c3\u00ab", "日本",
    "__deleted__x", "https://", "https://www.instagram.com/_u/", "https://[::1", "http://a:b:c/",
    "//", "/@a/video/1", "at://", "at://did:plc:x/app.bsky.feed.post/", "did:plc:", "%ff%zz",
    "1997-01-01 00:00:00", "9999-12-31 23:59:59", "0001-01-01T00:00:00+23:59", "0000-00-00",
    "9999-12-31T23:59:59-23:59", "2024-02-30", "2024-01-02T03:04:05.123456789Z", "Feb 30, 2024",
    "Sat Feb 30 25:61:61 +9999 9999", "1/14/26, 13:02 PM", "08 Foo 2023", "inbox/a_1", "12-", "-",
    "999999999999999999999999", "RT @: ", "<b>", "&#x110000;", "&amp", "\ufffe",
    [], {}, [[]], [None], {"": None}, [{}], [""], {"value": None}, {"a": {"b": {}}},
]  # fmt: skip
BYTES: list[bytes] = [
    b"", b"\0", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xff\xfe", b'"', b"'", b",",
    b"\n", b"\r", b"[", b"]", b"{", b"}", b"<", b">", b"</html>", b"<div class='_a6-g'>", b"<td>",
    b"&#55296;", b"<!--", b"<![CDATA[", b"<!DOCTYPE", b"<?", b"=", b";", b":", b"\\u0000", b"\\",
    b"\x1b", b"\xe2\x80\xae", b"NaN", b"1e999", b"9" * 30, b"[" * 90, b'{"a":' * 90, b"a" * 2000,
    b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff", b"\x81" * 99,
    b"\xd8\x2a", b"<h2>", b"<table>" * 50, b"Date: ", b"Username: ", b"Notes:",
]  # fmt: skip


# ---------------------------------------------------------------------------------------- mutations


@cache
def _make(place: int) -> Files:
    """Return the files of a made export, each by its path."""
    platform, variant = MADE[place]
    with tempfile.TemporaryDirectory() as folder:
        paths = write_export(make_life(11, 14), platform, Path(folder), **variant)
        with open_members(paths) as members:
            return {member.path: member.read_bytes() for member in members}


def _mutate(files: Files, dice: random.Random) -> Files:
    changed = dict(files)
    for _ in range(dice.choice((1, 1, 2, 4))):
        lists = [path for path in sorted(changed) if LISTS.search(path)]
        path = dice.choice(lists if lists and dice.random() < 0.5 else sorted(changed))
        how = dice.random()
        if how < 0.05:
            del changed[path]
            changed[f"{dice.choice(('', 'a/', 'threads/'))}{path}"] = files.get(path, b"")
        elif how < 0.12:
            other = dice.choice(sorted(changed))
            changed[path] = changed[other]
        elif how < 0.8 and path.endswith((".json", ".js")):
            changed[path] = _mutate_json(changed[path], dice)
        elif how < 0.9 and path.endswith(".car"):
            changed[path] = _mutate_car(changed[path], dice)
        else:
            changed[path] = _mutate_bytes(changed[path], dice)
    return changed


def _mutate_json(content: bytes, dice: random.Random) -> bytes:
    start = content.find(b"=") + 1 if content.lstrip()[:6] == b"window" else 0
    try:
        tree = [json.loads(content[start:])]
    except (ValueError, RecursionError):
        return _mutate_bytes(content, dice)
    for _ in range(dice.choice((1, 1, 2, 5, 20))):
        _mutate_tree(tree, dice)
    text = json.dumps(tree[0], ensure_ascii=dice.random() < 0.5)
    return content[:start] + text.encode("utf-8", "surrogatepass")


def _mutate_tree(tree: list[Any], dice: random.Random) -> None:
    places = list(_list_places(tree))
    holder, key = dice.choice(places)
    value = holder[key]
    change = dice.randrange(9)
    if change <= 2:
        holder[key] = _copy(dice.choice(ODD))
    elif change == 3 and isinstance(holder, dict):
        del holder[key]
    elif change == 4 and isinstance(value, list):
        holder[key] = (value * dice.choice((2, 3, 50)))[: dice.choice((0, 1, 200))]
    elif change == 5 and isinstance(holder, dict):
        holder[str(dice.choice(ODD))] = holder.pop(key)
    elif change == 6:
        other_holder, other_key = dice.choice(places)
        holder[key] = _copy(other_holder[other_key])
    elif change == 7:
        for _ in range(dice.choice((1, 2, 30, 70))):
            value = [value] if dice.random() < 0.5 else {"a": value}
        holder[key] = value
    else:
        holder[key] = _retype(value, dice)


def _list_places(tree: list[Any]) -> Iterator[tuple[Any, Any]]:
    waiting: list[Any] = [tree]
    while waiting:
        node = waiting.pop()
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            yield node, key
            if isinstance(node[key], dict | list):
                waiting.append(node[key])


def _copy(value: Any) -> Any:
    return copy.deepcopy(value)


def _retype(value: Any, dice: random.Random) -> Any:
    if isinstance(value, str):
        cut = dice.randrange(len(value) + 1)
        made = [value[:cut], [value], {value: value}, value.upper(), value + value, f" {value}\n"]
        return dice.choice([*made, int(value) if value.isdecimal() else len(value)])
    if isinstance(value, bool | None.__class__):
        return str(value)
    if isinstance(value, int | float):
        return dice.choice([str(value), -value, value * 1000, value / 7, [value], float(value)])
    if isinstance(value, list):
        return dice.choice([value[0] if value else "", {"0": value}, dict.fromkeys("ab", value)])
    if isinstance(value, dict):
        return dice.choice([list(value.values()), list(value), [value], str(value)])
    return [value]


def _mutate_car(content: bytes, dice: random.Random) -> bytes:
    """Change blocks of a repository, and with them every address that leads to them."""
    try:
        car = read_car(content, "repo.car")
    except InputError:
        return _mutate_bytes(content, dice)
    blocks = {bytes(link): block for link, block in car.blocks.items()}
    # Its length, below 128, is the first byte.
    header = content[: 1 + content[0]]
    for _ in range(dice.choice((1, 2, 5))):
        old = dice.choice(sorted(blocks))
        changed = {old: _mutate_block(blocks[old], dice)}
        while changed:
            link, block = changed.popitem()
            blocks.pop(link, None)
            new = link[:4] + hashlib.sha256(block).digest()
            blocks[new] = block
            header = header.replace(link, new)
            changed |= {one: inner.replace(link, new) for one, inner in blocks.items()
                        if link in inner and one != new}  # fmt: skip
    parts = [_varint(len(link) + len(block)) + link + block for link, block in blocks.items()]
    return header + b"".join(parts)


def _mutate_block(block: bytes, dice: random.Random) -> bytes:
    try:
        tree = [_to_write(decode_block(block))]
        for _ in range(dice.choice((1, 1, 3))):
            _mutate_tree(tree, dice)
        return encode_cbor(tree[0])
    except (InputError, TypeError, UnicodeError, struct.error):
        return _mutate_bytes(block, dice)


def _to_write(value: Any) -> Any:
    if isinstance(value, Link):
        return CarLink(bytes(value))
    if isinstance(value, dict):
        return {key: _to_write(inner) for key, inner in value.items()}
    return [_to_write(inner) for inner in value] if isinstance(value, list) else value


def _varint(number: int) -> bytes:
    low = number & 0x7F
    return bytes([low]) if number < 0x80 else bytes([low | 0x80]) + _varint(number >> 7)


def _mutate_bytes(content: bytes, dice: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(dice.choice((1, 1, 3, 10))):
        begin = dice.randrange(len(changed) + 1)
        end = min(len(changed), begin + dice.choice((0, 0, 1, 1, 8, 100)))
        kind = dice.randrange(5)
        if kind == 0:
            changed[begin:end] = dice.choice(BYTES)
        elif kind == 1:
            changed[begin:end] = b""
        elif kind == 2:
            changed[begin:begin] = changed[begin:end] * dice.choice((1, 20))
        elif kind == 3 and begin < len(changed):
            changed[begin] = dice.randrange(256)
        else:
            del changed[begin:]
            changed += dice.choice(BYTES)
    return bytes(changed)


# ------------------------------------------------------------------------------------------ reading


def _members(files: Files) -> Members:
    def read(content: bytes) -> Callable[[], bytes]:
        return lambda: content

    made = [Member(path, len(files[path]), "made.zip", read(files[path])) for path in sorted(files)]
    return Members(tuple(made), ("made.zip",), Limits())


def _read(
    platform: str, files: Files, ego: str | None = None, exported_at: datetime | None = None
) -> Found | None:
    """Read files as a platform's; None where they are refused. Nothing else may come."""
    module = importlib.import_module(f"followkit.sources.exports.{platform}")
    members = _members(files)
    try:
        assert module.recognise(members) in (True, False)
        found = getattr(module, f"read_{platform}")(members, ego=ego, exported_at=exported_at)
    except FollowkitError:
        return None
    assert isinstance(found, Found)
    assert found.platform == platform
    assert found.exported_at is None or found.exported_at.utcoffset() is not None
    return found


def _check_lists(found: Found) -> None:
    """A list that cannot be read is not an empty one, and whatever is told is told once."""
    kinds = [one.kind for one in found.lists]
    assert len(kinds) == len(set(kinds))
    for one in found.lists:
        assert 0 <= one.timed_count <= one.count
        if one.state == "unreadable":
            assert any(check.verdict in ("refuse", "warn") for check in found.checks)
    records: list[Any] = [*found.ties, *found.acts, *found.posts, *found.marks]
    for record in records:
        assert record.at is None or record.at.utcoffset() is not None
    for tie in found.ties:
        assert tie.source
        assert tie.target


SETTINGS = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
SEEDS = st.integers(0, 2**40)
IDS = [f"{platform}-{'-'.join(variant.values()) or 'usual'}" for platform, variant in MADE]


@pytest.mark.parametrize("place", range(len(MADE)), ids=IDS)
def test_made_exports_are_read_before_they_are_mutated(place: int) -> None:
    found = _read(MADE[place][0], _make(place))
    assert found is not None
    _check_lists(found)
    assert len(found.ties) > 3


MOMENTS = [datetime.max, datetime.min, datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC),
           datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC),
           datetime(2010, 6, 1, tzinfo=timezone(timedelta(hours=14)))]  # fmt: skip


@pytest.mark.parametrize("place", range(len(MADE)), ids=IDS)
def test_any_moment_of_the_export_is_taken_or_refused(place: int) -> None:
    for moment in MOMENTS:
        found = _read(MADE[place][0], _make(place), exported_at=moment)
        if found is not None:
            _check_lists(found)


@pytest.mark.parametrize("told", ["9999-12-31T23:59:59.000Z", "0001-01-01T00:00:00Z", "", "1e9"])
def test_any_day_that_an_archive_of_x_tells_is_taken_or_refused(told: str) -> None:
    files = dict(_make(5))
    name = next(path for path in files if path.endswith("manifest.js"))
    before = b'"generationDate"'
    assert before in files[name]
    again = b'"generationDate": ' + json.dumps(told).encode() + b', "generationDateBefore"'
    found = _read("x", {**files, name: files[name].replace(before, again)})
    assert found is None or found.exported_at is None or found.exported_at.year <= 9999


@pytest.mark.parametrize("place", range(len(MADE)), ids=IDS)
@SETTINGS
@given(seed=SEEDS)
def test_mutated_exports_are_read_or_refused(place: int, seed: int) -> None:
    dice = random.Random(seed)
    ego = dice.choice((None, None, "me", "", "a\x00b", "@Bo"))
    found = _read(MADE[place][0], _mutate(_make(place), dice), ego)
    if found is not None:
        _check_lists(found)


@pytest.mark.parametrize("platform", sorted(SMALL))
@SETTINGS
@given(seed=SEEDS)
def test_small_exports_are_read_or_refused(platform: str, seed: int) -> None:
    found = _read(platform, _mutate(SMALL[platform], random.Random(seed)))
    if found is not None:
        _check_lists(found)


@pytest.mark.parametrize("platform", sorted(SMALL))
@SETTINGS
@given(content=st.binary(max_size=200), seed=SEEDS)
def test_raw_bytes_are_read_or_refused(platform: str, content: bytes, seed: int) -> None:
    dice = random.Random(seed)
    files = _make(dice.choice([at for at, (name, _) in enumerate(MADE) if name == platform]))
    path = dice.choice(sorted(files))
    _read(platform, {**files, path: content})
    _read(platform, {path: content})


@pytest.mark.parametrize("place", range(len(MADE)), ids=IDS)
@settings(SETTINGS, max_examples=max(3, EXAMPLES // 8))
@given(seed=SEEDS)
def test_what_is_read_becomes_tables_or_is_refused(place: int, seed: int) -> None:
    found = _read(MADE[place][0], _mutate(_make(place), random.Random(seed)))
    if found is None:
        return
    try:
        data = make_export_dataset(found)
    except FollowkitError:
        return
    assert isinstance(data, Dataset)
    json.dumps(data.about["export"], allow_nan=False)


@pytest.mark.parametrize("platform", sorted(SMALL))
def test_every_reader_is_tried(platform: str) -> None:
    assert set(SMALL) == {name for name, _ in MADE} == set(PLATFORMS)


FOLDER = "connections/followers_and_following"
#: Platform, file, and which list is in it.
LIST_FILES: list[tuple[str, str, ListKind]] = [
    ("instagram", f"{FOLDER}/followers_1.json", "followers"),
    ("instagram", f"{FOLDER}/following.json", "following"),
    ("threads", "your_instagram_activity/threads/followers_1.json", "followers"),
    ("x", "data/follower.js", "followers"),
    ("x", "data/following.js", "following"),
    ("facebook", "connections/followers/people_who_followed_you.json", "followers"),
]


@pytest.mark.parametrize(("platform", "file", "kind"), LIST_FILES, ids=str)
def test_a_list_that_cannot_be_read_is_not_an_empty_one(
    platform: str, file: str, kind: ListKind
) -> None:
    for path in sorted((BAD / "json").iterdir()):
        content = path.read_bytes()
        start = b"window.YTD.list.part0 = " if file.endswith(".js") else b""
        found = _read(platform, {**SMALL[platform], file: start + content})
        if found is not None:
            assert found.listed(kind).state == "unreadable", path.name
            assert any(check.verdict == "refuse" for check in found.checks), path.name


@pytest.mark.parametrize("place", range(len(MADE)), ids=IDS)
@settings(SETTINGS, max_examples=max(3, EXAMPLES // 8))
@given(seed=SEEDS)
def test_structure_of_anything_is_shown_or_refused(
    place: int, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "mutated.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in _mutate(_make(place), random.Random(seed)).items():
            packed.writestr(name, content)
    assert describe_structure(path).startswith("Structure only")


# ------------------------------------------------------------------------------------------- bounds


@pytest.mark.parametrize("place", range(len(MADE)), ids=IDS)
def test_long_and_many_are_read_in_little_memory(place: int) -> None:
    files = {}
    for path, content in _make(place).items():
        if path.endswith(".json"):
            tree = [json.loads(content)]
            for holder, key in list(_list_places(tree)):
                if isinstance(holder[key], list) and holder[key] and len(holder) < 60:
                    holder[key] = holder[key] * (400 // len(holder[key]))
                    break
            content = json.dumps(tree[0]).encode()
        elif path.endswith(".csv"):
            content += content[content.find(b"\n") + 1 :] * 40
        files[path] = content
    tracemalloc.start()
    try:
        _read(MADE[place][0], files)
        assert tracemalloc.get_traced_memory()[1] < 200_000_000
    finally:
        tracemalloc.stop()


LONG = ("a" * 50_000, "/" * 50_000, "@" * 50_000, "1" * 50_000, "(" * 50_000, " " * 50_000 + "x",
        "_u/" * 20_000, "-" * 50_000, "a." * 30_000, "\u00c3\u00ab" * 20_000, "<" * 30_000,
        "&" * 30_000, "1:" * 20_000, "&#" * 20_000)  # fmt: skip


@pytest.mark.parametrize("platform", ["instagram", "threads", "x", "tiktok", "facebook"])
def test_long_texts_do_not_hang(platform: str) -> None:
    # A pattern that goes back and forth over such a text would not come to an end.
    dice = random.Random(1)
    at = next(at for at, (name, _) in enumerate(MADE) if name == platform)
    for text in LONG:
        files = {}
        for path, content in _make(at).items():
            start = content.find(b"=") + 1 if path.endswith(".js") else 0
            if not path.endswith((".json", ".js")):
                continue
            tree = [json.loads(content[start:])]
            texts = [(holder, key) for holder, key in _list_places(tree)
                     if isinstance(holder[key], str)]  # fmt: skip
            for holder, key in dice.sample(texts, min(3, len(texts))):
                holder[key] = text
            files[path] = content[:start] + json.dumps(tree[0]).encode()
        _read(platform, files)


def test_bombs_are_refused_by_the_whole_way_in(tmp_path: Path) -> None:
    path = tmp_path / "instagram-a-2026-01-01.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in ("followers_1", "following"):
            inside = f"connections/followers_and_following/{name}.json"
            with packed.open(inside, "w") as member:
                for _ in range(60):
                    member.write(b" " * (1 << 20))
    tracemalloc.start()
    try:
        try:
            found = read_found(path)
        except InputError:
            found = None
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()
    if found is not None:
        assert {found.listed("followers").state, found.listed("following").state} == {"unreadable"}
        assert any(check.verdict == "refuse" for check in found.checks)
