"""The ego itself in an Instagram export: user name, name, private or not; posts and their counts.

Of `personal_information` nothing but three fields is looked at: e-mail, phone and birth date stay
where they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from followkit.errors import InputError
from followkit.sources.exports.careful_json import read_json, read_text
from followkit.sources.exports.found import FileRead, Post
from followkit.sources.exports.instagram_entries import listed_records
from followkit.sources.exports.instagram_files import is_page
from followkit.sources.exports.instagram_html import read_page
from followkit.sources.exports.instagram_labels import is_username_label
from followkit.sources.exports.instagram_reading import Reading
from followkit.sources.exports.instagram_values import (
    clean_handle,
    parse_count,
    parse_iso_time,
    time_of_stamp,
)
from followkit.sources.exports.members import Member

__all__ = ["Owner", "add_era_a_posts", "add_posts", "join_insights", "posts_of", "read_owner"]

NAME_WORDS = {"name", "nombre", "nom", "nome", "naam", "имя", "名前", "氏名", "姓名", "이름", "ad",
              "nama", "namn", "navn"}  # fmt: skip
PRIVATE_WORDS = {"private account", "cuenta privada", "compte privé", "privates konto",
                 "conta privada", "account privato", "privéaccount", "gizli hesap",
                 "закрытый аккаунт", "akun privat", "非公開アカウント", "비공개 계정"}  # fmt: skip
TRUE, FALSE = {"true", "yes", "1"}, {"false", "no", "0"}
VIDEO_ENDINGS = (".mp4", ".mov", ".m4v", ".webm", ".srt")
IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".gif")
POST_ROLES = {"posts": "post", "reels": "reel", "stories": "story"}
#: Labels of insights follow the account's language; others are passed over.
INSIGHTS = {
    "like_count": {"likes", "me gusta", "j’aime", "j'aime", "curtidas"},
    "comment_count": {"comments", "comentarios", "commentaires", "comentários"},
    "share_count": {"shares"},
}


@dataclass(frozen=True, slots=True)
class Owner:
    """Who the export belongs to; empty or None where it does not say."""

    handle: str = ""
    name: str = ""
    is_private: bool | None = None


# ---------------------------------------------------------------------------------------- the ego


def read_owner(reading: Reading) -> Owner:
    """Return what the export says of its owner: user name, name, whether the account is private."""
    for role in ("personal", "a_profile"):
        for member in reading.files.get(role, ()):
            try:
                owner = _owner_in(member, role)
            except InputError as error:
                reading.fail(role, error, member.path)
                continue
            reading.found.files.append(FileRead(member.path, "owner", 1))
            if owner.handle:
                return owner
    return Owner()


def _owner_in(member: Member, role: str) -> Owner:
    if is_page(member):
        page = read_page(read_text(member), member.path)
        cells = [cell for block in page.blocks for cell in block.cells]
        return _owner_of_labels([(label, value) for _, label, value in cells])
    payload = read_json(member, mojibake=True)
    if role == "a_profile":
        return _owner_of_profile(payload)
    pairs: list[tuple[str, Any]] = []
    for record in listed_records(payload, member.path):
        pairs.extend(_cells_of(record))
    return _owner_of_labels(pairs)


def _cells_of(record: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(record, dict):
        return
    values, labels = record.get("string_map_data"), record.get("label_values")
    for label, cell in values.items() if isinstance(values, dict) else ():
        if isinstance(cell, dict):
            yield label, cell.get("value")
    for cell in labels if isinstance(labels, list) else ():
        if isinstance(cell, dict) and isinstance(cell.get("label"), str):
            yield cell["label"], cell.get("value")


def _owner_of_labels(cells: list[tuple[str, Any]]) -> Owner:
    handle, name = "", ""
    private: bool | None = None
    for label, value in cells:
        plain = label.strip().casefold()
        if is_username_label(label):
            handle = handle or clean_handle(value)
        elif plain in NAME_WORDS and isinstance(value, str):
            name = name or value.strip()[:200]
        elif plain in PRIVATE_WORDS and private is None:
            private = _flag(value)
    return Owner(handle, name, private)


def _owner_of_profile(payload: Any) -> Owner:
    if not isinstance(payload, dict):
        return Owner()
    name = payload.get("name")
    return Owner(
        clean_handle(payload.get("username")),
        name.strip()[:200] if isinstance(name, str) else "",
        _flag(payload.get("private_account")),
    )


def _flag(value: Any) -> bool | None:
    plain = str(value).strip().casefold() if isinstance(value, str | bool) else ""
    return True if plain in TRUE else False if plain in FALSE else None


# ------------------------------------------------------------------------------------------ posts


def add_posts(reading: Reading) -> None:
    """Add the ego's posts, reels and stories; a post's id is its kind and its second."""
    taken: Counter[str] = Counter()
    for role, kind in POST_ROLES.items():
        for member in reading.files.get(role, ()):
            if is_page(member):
                # Pages of posts hold captions and pictures only; counts and links are not there.
                reading.counts["pages of posts"] += 1
                continue
            payload = reading.read_json(member, role)
            if payload is None:
                continue
            try:
                records = listed_records(payload, member.path)
            except InputError as error:
                reading.fail(role, error, member.path)
                continue
            posts = list(posts_of(records, kind, reading.found.ego, member.path, taken))
            reading.found.posts.extend(posts)
            left_out = {"no time and no medium in it": len(records) - len(posts)}
            left_out = {reason: count for reason, count in left_out.items() if count}
            reading.found.files.append(FileRead(member.path, f"own {role}", len(records), left_out))


def posts_of(
    records: list[Any], kind: str, ego: str, file: str, taken: Counter[str]
) -> Iterator[Post]:
    """Yield the posts of a list of records; `kind` is post, reel, story or thread."""
    for record in records:
        if not isinstance(record, dict):
            continue
        listed = record.get("media")
        media = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        first = media[0] if media else record
        at = time_of_stamp(record.get("creation_timestamp")) or time_of_stamp(
            first.get("creation_timestamp")
        )
        title = record.get("title") or first.get("title") or None
        if at is None and not media:
            continue
        yield Post(
            _new_id(kind, at, taken), ego, at, file, title if isinstance(title, str) else None,
            _format_of(kind, media or [first]),
        )  # fmt: skip


def _new_id(kind: str, at: datetime | None, taken: Counter[str]) -> str:
    base = f"{kind}-{at:%Y%m%dT%H%M%S}" if at else f"{kind}-untimed"
    taken[base] += 1
    return base if taken[base] == 1 else f"{base}-{taken[base]}"


def _format_of(kind: str, media: list[dict[str, Any]]) -> str | None:
    if kind == "story":
        return "story"
    if kind == "reel":
        return "video"
    if len(media) > 1:
        return "carousel"
    uri = media[0].get("uri")
    place = uri.lower() if isinstance(uri, str) else ""
    if place.endswith(VIDEO_ENDINGS):
        return "video"
    if place.endswith(IMAGE_ENDINGS):
        return "image"
    return "text" if kind == "thread" else None


def add_era_a_posts(reading: Reading) -> None:
    """Add the posts of the oldest exports: `media.json`, by kind, with ISO times."""
    taken: Counter[str] = Counter()
    for member in reading.files.get("a_media", ()):
        payload = reading.read_json(member, "a_media")
        if not isinstance(payload, dict):
            continue
        posts = list(_era_a_posts(payload, reading.found.ego, member.path, taken))
        reading.found.posts.extend(posts)
        reading.found.files.append(FileRead(member.path, "own posts", len(posts)))


def _era_a_posts(
    payload: dict[str, Any], ego: str, file: str, taken: Counter[str]
) -> Iterator[Post]:
    for part, form in (("photos", "image"), ("videos", "video"), ("stories", "story")):
        items = payload.get(part)
        for item in items if isinstance(items, list) else ():
            at, _ = parse_iso_time(item.get("taken_at") if isinstance(item, dict) else None)
            if at is None:
                continue
            text = item.get("caption")
            name = _new_id("story" if form == "story" else "post", at, taken)
            yield Post(name, ego, at, file, text if isinstance(text, str) else None, form)


def join_insights(reading: Reading) -> None:
    """Put likes, comments and shares of `past_instagram_insights` on the posts of that second."""
    counts: dict[datetime, dict[str, int]] = {}
    for member in reading.files.get("insights", ()):
        if is_page(member):
            continue
        payload = reading.read_json(member, "insights")
        try:
            records = [] if payload is None else listed_records(payload, member.path)
        except InputError as error:
            reading.fail("insights", error, member.path)
            continue
        for record in records:
            if isinstance(record, dict) and (at := _insight_time(record)):
                counts[at] = _insight_counts(record.get("string_map_data"))
        reading.found.files.append(FileRead(member.path, "insights", len(records)))
    if counts:
        seconds = Counter(post.at for post in reading.found.posts)
        # Two posts of one second cannot be told apart.
        reading.found.posts = [
            replace(post, **counts[post.at])  # type: ignore[arg-type]
            if post.at in counts and seconds[post.at] == 1 else post
            for post in reading.found.posts
        ]  # fmt: skip


def _insight_time(record: Mapping[str, Any]) -> datetime | None:
    media = record.get("media_map_data")
    for cell in media.values() if isinstance(media, dict) else ():
        if isinstance(cell, dict) and (at := time_of_stamp(cell.get("creation_timestamp"))):
            return at
    values = record.get("string_map_data")
    for cell in values.values() if isinstance(values, dict) else ():
        if isinstance(cell, dict) and (at := time_of_stamp(cell.get("timestamp"))):
            return at
    return None


def _insight_counts(values: Any) -> dict[str, int]:
    """Return the counts that are there; `--` is a missing one, not 0."""
    counts = {}
    for label, cell in values.items() if isinstance(values, dict) else ():
        for column, words in INSIGHTS.items():
            number = parse_count(cell.get("value")) if isinstance(cell, dict) else None
            if label.strip().casefold() in words and number is not None:
                counts[column] = number
    return counts
