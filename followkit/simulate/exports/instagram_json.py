"""Rows of Instagram's lists → the JSON files of each era, with their text written as found.

Every byte of a text is written as a letter of its own, as the platform does, in values and keys.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from followkit.simulate.exports.instagram_paths import STORY_LISTS, WRAPPERS, find_path
from followkit.simulate.exports.instagram_sheets import OPTIONAL_PEOPLE, Row, Talk, written_handle
from followkit.simulate.exports.instagram_words import WORDS
from followkit.simulate.exports.life import Life, OwnPost

__all__ = ["BRAND", "SECRET", "dump", "garble", "write_json_files", "write_old_files"]

#: Stands wherever a file holds what must never leave a reader.
SECRET = "SECRETsecret"
#: An account whose entry has neither link nor time (2025 on).
BRAND = "some_brand"
PART_ROWS = 25
_IG = "https://www.instagram.com"
#: The lists whose records became label_values in 2026.
_LABELLED = (*OPTIONAL_PEOPLE, *STORY_LISTS, "liked_posts", "saved_posts")
_MAPPED = ("reels_comments", "hype")


def garble(value: Any) -> Any:
    """Return JSON values in which each byte of a text has become a letter of its own.

    Examples
    --------
    >>> [hex(ord(letter)) for letter in garble("é")]
    ['0xc3', '0xa9']
    """
    if isinstance(value, str):
        return value.encode().decode("latin-1")
    if isinstance(value, Mapping):
        return {garble(key): garble(inside) for key, inside in value.items()}
    if isinstance(value, list):
        return [garble(inside) for inside in value]
    return value


def dump(value: Any) -> bytes:
    """Return JSON as the platform writes it."""
    return json.dumps(garble(value), indent=2).encode()


class _Writer:
    """Writes the files of one export; remembers era, language and faults."""

    def __init__(self, life: Life, era: str, locale: str, faults: Collection[str]) -> None:
        self.life, self.era, self.faults = life, era, faults
        self.words = WORDS[locale]
        self.single = "single_object" in faults

    # ------------------------------------------------------------------------------- records

    def stamp(self, row: Row, *, may_be_ms: bool = False) -> int:
        if row.stamp is not None:
            return row.stamp
        seconds = int(row.at.timestamp()) if row.at else 0
        return seconds * 1000 if may_be_ms and "ms_times" in self.faults else seconds

    def person(self, name: str, row: Row) -> dict[str, Any]:
        """Return a record of a list of people, before 2026."""
        handle = written_handle(row.who, self.faults)
        stamp = self.stamp(row, may_be_ms=True)
        if name == "following" and self.era in ("D", "E"):
            if row.is_bare:
                return {"title": handle, "string_list_data": []}
            link = {"href": f"{_IG}/_u/{handle}", "timestamp": stamp}
            return {"title": handle, "string_list_data": [link]}
        item: dict[str, Any] = {"href": f"{_IG}/{handle}", "value": handle, "timestamp": stamp}
        title = ""
        if name == "blocked":
            title = row.who.name
            del item["value"]
        return {"title": title, "media_list_data": [], "string_list_data": [item]}

    def labels(self, row: Row) -> list[dict[str, Any]]:
        bio = f"{_IG}/somebody.else" if row.who.number % 3 == 0 else ""
        return [
            {"label": self.words["URL"], "value": bio},
            {"label": self.words["Name"], "value": row.who.name},
            {"label": self.words["Username"], "value": written_handle(row.who, self.faults)},
        ]

    def labelled_person(self, row: Row) -> dict[str, Any]:
        fbid = str(17_840_000_000_000_000 + row.who.number)
        return {"timestamp": self.stamp(row), "media": [], "label_values": self.labels(row),
                "fbid": fbid}  # fmt: skip

    def labelled_act(self, name: str, row: Row) -> dict[str, Any]:
        words, handle = self.words, written_handle(row.who, self.faults)
        link = f"{_IG}/stories/{handle}/{row.number}" if name in STORY_LISTS else _post_url(row)
        owner = {"title": "", "dict": self.labels(row)}
        values = [
            {"label": words["URL"], "value": link, "href": link},
            {"label": words["Caption"], "value": f"{SECRET} caption"},
            {"title": words["Hashtags"], "dict": []},
            {"title": words["Owner"], "dict": [owner]},
        ]
        return {"timestamp": self.stamp(row), "media": [], "label_values": values,
                "fbid": str(200_000 + row.number)}  # fmt: skip

    def old_act(self, name: str, row: Row) -> dict[str, Any]:
        """Return a like, story act or old comment: the owner as title."""
        value = f"{SECRET} said" if name == "post_comments" else "👍"
        item = {"href": _post_url(row), "value": value, "timestamp": self.stamp(row)}
        if name in ("post_comments", *STORY_LISTS):
            del item["href"]
        return {"title": written_handle(row.who, self.faults), "string_list_data": [item]}

    def mapped(self, name: str, row: Row) -> dict[str, Any]:
        """Return a comment, a saved or a viewed post: labels as keys."""
        words, handle = self.words, written_handle(row.who, self.faults)
        stamp = self.stamp(row)
        if name == "saved_posts":
            saved = {"href": _post_url(row), "timestamp": stamp}
            return {"title": handle, "string_map_data": {words["Saved on"]: saved}}
        if name == "posts_viewed":
            return {"string_map_data": {words["Author"]: {"value": handle},
                                        words["Time"]: {"timestamp": stamp}}}  # fmt: skip
        values: dict[str, Any] = {words["Comment"]: {"value": f"{SECRET} said {row.number}"}}
        if row.has_owner:
            values[words["Media Owner"]] = {"value": handle}
        values[words["Time"]] = {"timestamp": stamp}
        return {"media_list_data": [{"uri": ""}], "string_map_data": values}

    # --------------------------------------------------------------------------------- lists

    def records(self, name: str, rows: Iterable[Row]) -> tuple[list[Any], bool]:
        """Return a list's records, and whether they stand under a key."""
        if name in _LABELLED and self.era == "E":
            make = self.labelled_person if name in OPTIONAL_PEOPLE else None
            return [make(row) if make else self.labelled_act(name, row) for row in rows], False
        if name in ("followers", "following", *OPTIONAL_PEOPLE):
            wrapped = name != "followers" or self.era == "B"
            return [self.person(name, row) for row in rows], wrapped
        if name == "post_comments" and self.era not in ("B", "C-early"):
            return [self.mapped(name, row) for row in rows], False
        if name in ("saved_posts", "posts_viewed", *_MAPPED):
            return [self.mapped(name, row) for row in rows], True
        return [self.old_act(name, row) for row in rows], True

    def list_files(self, name: str, rows: Sequence[Row]) -> Iterable[tuple[str, bytes]]:
        """Yield the file or files of one list; none when it is empty and not a main list."""
        main = name in ("followers", "following")
        if not rows and not main:
            return
        path = find_path(name, self.era, apostrophe=find_apostrophe(name, self.faults))
        records, wrapped = self.records(name, rows)
        parts = [records]
        if name == "followers" and self.era != "B" and len(records) > PART_ROWS:
            parts = [records[:PART_ROWS], records[PART_ROWS:]]
        for number, part in enumerate(parts, 1):
            value: Any = part
            if len(part) == 1 and (self.single or (not wrapped and name in _LABELLED)):
                value = part[0]
            elif wrapped:
                value = {WRAPPERS[name]: part}
            inside = path if number == 1 else path.removesuffix("1") + str(number)
            yield f"{inside}.json", dump(value)


def write_json_files(
    life: Life,
    sheets: Mapping[str, Sequence[Row]],
    talks: Sequence[Talk],
    *,
    era: str,
    locale: str,
    faults: Collection[str],
) -> dict[str, bytes]:
    """Return path → content of all JSON files of the eras B to E."""
    writer = _Writer(life, era, locale, faults)
    files: dict[str, bytes] = {}
    for name, rows in sheets.items():
        shown = list(rows)
        if name == "following" and era in ("D", "E") and len(shown) > 1:
            brand = shown[-1].who
            shown.append(Row(_as_brand(brand), None, is_bare=True))
        files.update(writer.list_files(name, shown))
    files.update(_own_files(life, era, locale, faults))
    files.update(_talk_files(talks, era, faults))
    if "hashtags_neighbour" in faults:
        tag = {"href": f"{_IG}/explore/tags/art", "value": "art", "timestamp": 1_600_000_000}
        item = {"title": "", "media_list_data": [], "string_list_data": [tag]}
        files[find_path("hashtags", era) + ".json"] = dump({WRAPPERS["hashtags"]: [item]})
    return files


def find_apostrophe(name: str, faults: Collection[str]) -> str:
    """Return what stands for the apostrophe in a file name: unzip tools differ."""
    if "curly_apostrophe" in faults:
        return "_" if name == "favorites" else "\u2019"
    return "'"


def _as_brand(who: Any) -> Any:
    return type(who)(number=-1, handle=BRAND, name="Some Brand")


def _post_url(row: Row) -> str:
    return f"{_IG}/p/SYN{row.number:06d}/"


# ------------------------------------------------------------------------------- own files


def _own_files(
    life: Life, era: str, locale: str, faults: Collection[str]
) -> Iterable[tuple[str, bytes]]:
    words = WORDS[locale]
    texts = {
        "Username": written_handle(life.ego, faults),
        "Name": life.ego.name,
        "Bio": f"{SECRET} bio",
        "Email": f"{SECRET}@mail.example",
        "Private Account": "False",
        "Date of birth": f"1990-01-01 {SECRET}",
    }
    fields = {words[key]: {"href": "", "value": text, "timestamp": 0}
              for key, text in texts.items()}  # fmt: skip
    profile = {"profile_user": [{"title": "", "media_map_data": {}, "string_map_data": fields}]}
    yield find_path("personal_information", era) + ".json", dump(profile)
    contact = {"title": "", "string_map_data": {"First Name": {"value": SECRET},
               "Contact Information": {"value": f"+1555{SECRET}"}}}  # fmt: skip
    contacts = find_path("contacts", era) + ".json"
    yield contacts, dump({"contacts_contact_info": [contact]})
    posts = [] if "empty" in faults else list(life.posts)
    if "single_object" in faults:
        posts = posts[:1]
    still = [_post(post) for post in posts if post.format in ("image", "carousel")]
    if still:
        yield find_path("posts", era) + ".json", dump(still[0] if len(still) == 1 else still)
    reels = [{"media": [_medium(post)]} for post in posts if post.format == "video"]
    if reels:
        yield find_path("reels", era) + ".json", dump({"ig_reels_media": reels})
    stories = [_medium(post) for post in posts if post.format == "story"]
    if stories:
        yield find_path("stories", era) + ".json", dump({"ig_stories": stories})


def _medium(post: OwnPost, place: int = 0) -> dict[str, Any]:
    stamp = int(post.at.timestamp())
    return {
        "uri": f"media/posts/{post.at:%Y%m}/{post.number}_{place}.jpg",
        "creation_timestamp": stamp,
        "media_metadata": {"photo_metadata": {"exif_data": [{"latitude": SECRET}]}},
        "title": post.text,
        "cross_post_source": {"source_app": "FB"},
    }


def _post(post: OwnPost) -> dict[str, Any]:
    """Return a post; with one medium only that has the caption and the time."""
    if post.format == "image":
        return {"media": [_medium(post)]}
    media = [{**_medium(post, place), "title": ""} for place in range(2)]
    return {"media": media, "title": post.text, "creation_timestamp": int(post.at.timestamp())}


def _talk_files(
    talks: Sequence[Talk], era: str, faults: Collection[str]
) -> Iterable[tuple[str, bytes]]:
    """Yield the threads, newest message first, in parts of six."""
    boxes = ("inbox", "inbox", "inbox", "archived_threads", "message_requests")
    root = find_path("messages", era).removesuffix("/messages")
    for place, talk in enumerate(talks):
        box = boxes[place % len(boxes)]
        lines = [_line(*said, faults=faults) for said in talk.said]
        for part in range(0, len(lines), 6):
            value = {
                "participants": [{"name": name} for name in talk.names],
                "messages": lines[part : part + 6],
                "title": talk.title,
                "is_still_participant": True,
                "thread_path": f"{box}/{talk.folder}",
                "magic_words": [],
            }
            name = f"message_{part // 6 + 1}.json"
            yield f"{root}/{box}/{talk.folder}/{name}", dump(value)


def _line(
    name: str, _handle: str, at: datetime, reactors: Sequence[str], *, faults: Collection[str]
) -> dict[str, Any]:
    seconds = int(at.timestamp())
    is_short = "ms_times" in faults and seconds % 2 == 0
    line: dict[str, Any] = {
        "sender_name": name,
        "timestamp_ms": seconds if is_short else seconds * 1000,
        "content": f"{SECRET} hello",
        "is_geoblocked_for_viewer": False,
    }
    if reactors:
        line["reactions"] = [{"reaction": "❤", "actor": actor} for actor in reactors]
    return line


# --------------------------------------------------------------------------------------- era A

_OLD_KEYS = {
    "blocked": "blocked_users",
    "restricted": "restricted_users",
    "pending": "follow_requests_sent",
    "recent": "permanent_follow_requests",
    "followers": "followers",
    "following": "following",
    "close_friends": "close_friends",
    "dismissed": "dismissed_suggested_users",
}


def write_old_files(
    life: Life,
    sheets: Mapping[str, Sequence[Row]],
    talks: Sequence[Talk],
    *,
    faults: Collection[str],
) -> dict[str, bytes]:
    """Return path → content of era A: a few files at the root, times as ISO text."""

    def pairs(name: str) -> list[list[str]]:
        return [[_iso(row), written_handle(row.who, faults)] for row in sheets[name]]

    connections: dict[str, Any] = {
        key: {written_handle(row.who, faults): _iso(row) for row in sheets[name]}
        for name, key in _OLD_KEYS.items()
    }
    connections["following_hashtags"] = (
        {"art": "2018-01-02T03:04:05+00:00"} if "hashtags_neighbour" in faults else {}
    )
    comments = [[_iso(row), f"{SECRET} said", written_handle(row.who, faults)]
                for row in sheets["post_comments"]]  # fmt: skip
    return {
        "connections.json": dump(connections),
        "likes.json": dump(
            {"media_likes": pairs("liked_posts"), "comment_likes": pairs("liked_comments")}
        ),
        "comments.json": dump({"media_comments": comments}),
        "messages.json": dump([_old_talk(talk) for talk in talks]),
        "profile.json": dump({"username": written_handle(life.ego, faults), "name": life.ego.name,
                              "email": f"{SECRET}@mail.example", "private_account": False}),
        "contacts.json": dump([{"first_name": SECRET, "contact": f"+1555{SECRET}"}]),
    }  # fmt: skip


def _old_talk(talk: Talk) -> dict[str, Any]:
    said = [{"sender": handle, "created_at": _iso_text(at), "text": f"{SECRET} hello"}
            for _, handle, at, _ in talk.said]  # fmt: skip
    return {"participants": list(talk.handles), "conversation": said}


def _iso(row: Row) -> str:
    if row.at is None:
        return _iso_text(datetime.fromtimestamp(row.stamp or 0, tz=UTC))
    return _iso_text(row.at)


def _iso_text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S+00:00")
