"""Posts of an X archive: what the ego wrote, whom it answered, named and passed on."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from followkit.sources.exports.found import Act, Check, FileRead, Found, Person, Post
from followkit.sources.exports.members import Member
from followkit.sources.exports.reading import MONTHS, number_of, read_or_report, text_of
from followkit.sources.exports.reading import field as value_of
from followkit.sources.exports.x_files import XFiles, read_js, unwrap

__all__ = ["Names", "post_time", "read_posts"]

_CREATED = re.compile(
    r"[A-Za-z]{3} ([A-Za-z]{3}) (\d\d?) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d) (\d{4})"
)
_REPOST = re.compile(r"RT @(\w{1,20})\b", re.ASCII)
#: Ids are made from the time of the post since November 2010; those before count up by one.
_FIRST_TIMED_ID = 30_000_000_000
_ID_EPOCH = datetime(2010, 11, 4, 1, 42, 54, 657000, tzinfo=UTC)
#: Nothing was posted before this; single archives have stamps of 1997 and 2003.
_OPENED = datetime(2006, 3, 21, tzinfo=UTC)


@dataclass
class Names:
    """Handles and names of accounts as the ego's posts give them, the latest post last."""

    handles: dict[str, tuple[datetime, str, str]] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def add(self, account: str, handle: str, name: str, at: datetime | None) -> None:
        """Remember one mention; a later post overrules an earlier one."""
        when = at or _OPENED
        known = self.handles.get(account)
        if handle:
            self.ids[handle.casefold()] = account
            if known is None or when >= known[0]:
                self.handles[account] = (when, handle, name or (known[2] if known else ""))

    def people(self, ego: str) -> list[Person]:
        """Return everybody with a handle, but for the ego."""
        return [
            Person(account, handle, name or None)
            for account, (_, handle, name) in self.handles.items()
            if account != ego
        ]


def post_time(created: Any, post_id: str) -> datetime | None:
    """Return when a post was made (UTC): as written, or from its id where that cannot be.

    Examples
    --------
    >>> post_time("Wed Oct 10 20:19:24 +0000 2018", "").isoformat()
    '2018-10-10T20:19:24+00:00'
    >>> post_time("Wed Oct 10 20:19:24 +0000 1997", "1050118621198921728").year
    2018
    """
    written = _written(text_of(created))
    return written if written and written >= _OPENED else _time_of_id(post_id)


def _written(text: str) -> datetime | None:
    match = _CREATED.fullmatch(text[:40])
    if not match or match[1].lower() not in MONTHS:
        return None
    try:
        at = datetime(
            int(match[9]), MONTHS[match[1].lower()], int(match[2]), int(match[3]), int(match[4]),
            int(match[5]), tzinfo=UTC,
        )  # fmt: skip
        shift = timedelta(hours=int(match[7]), minutes=int(match[8]))
        return at - shift if match[6] == "+" else at + shift
    except (ValueError, OverflowError):
        return None


def _time_of_id(post_id: str) -> datetime | None:
    number = int(post_id) if _is_id(post_id) else 0
    if number < _FIRST_TIMED_ID:
        return None
    # Cut to seconds, as in `created_at`.
    return (_ID_EPOCH + timedelta(milliseconds=number >> 22)).replace(microsecond=0)


def _is_id(text: str) -> bool:
    return 0 < len(text) <= 20 and text.isascii() and text.isdigit()


# -------------------------------------------------------------------------------------- the posts


def read_posts(found: Found, files: XFiles, names: Names) -> None:
    """Add the ego's posts and its acts in them; `names` learns who has which handle."""
    posts: list[tuple[Member, dict[str, Any]]] = []
    for member in files.by_kind.get("tweets", []):
        records = read_or_report(found, member, "posts", read_js)
        if records is None:
            continue
        read = [unwrap(record) for record in records]
        kept = [record for record in read if _post_id(record)]
        posts += [(member, record) for record in kept]
        left_out = {"no id": len(read) - len(kept)} if len(kept) < len(read) else {}
        found.files.append(FileRead(member.path, "posts", len(kept), left_out))
    for _, record in posts:
        _learn_names(record, names)
    lost = sum(_add_post(found, names, member.path, record) for member, record in posts)
    if lost:
        value = f"{lost:,} reposts name an account whose id is not in the archive"
        found.checks.append(Check("reposts without an id", value, "note"))


def _post_id(record: dict[str, Any]) -> str:
    text = text_of(value_of(record, "id_str")) or text_of(value_of(record, "id"))
    return text if _is_id(text) else ""


def _mentions(record: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return (id, handle, name) of each account that is named; -1 is one that is gone."""
    listed = value_of(value_of(record, "entities"), "user_mentions")
    read = []
    for one in listed if isinstance(listed, list) else ():
        account = text_of(value_of(one, "id_str")) or text_of(value_of(one, "id"))
        if _is_id(account):
            handle = text_of(value_of(one, "screen_name"))
            read.append((account, handle, text_of(value_of(one, "name"))))
    return read


def _answered(record: dict[str, Any]) -> str:
    account = text_of(value_of(record, "in_reply_to_user_id_str"))
    account = account or text_of(value_of(record, "in_reply_to_user_id"))
    return account if _is_id(account) else ""


def _learn_names(record: dict[str, Any], names: Names) -> None:
    at = post_time(value_of(record, "created_at"), _post_id(record))
    if answered := _answered(record):
        names.add(answered, text_of(value_of(record, "in_reply_to_screen_name")), "", at)
    for account, handle, name in _mentions(record):
        names.add(account, handle, name, at)


def _add_post(found: Found, names: Names, file: str, record: dict[str, Any]) -> int:
    """Add one post and its acts; return 1 if it passes on a post of nobody known, else 0."""
    post_id, ego = _post_id(record), found.ego
    at = post_time(value_of(record, "created_at"), post_id)
    text = value_of(record, "full_text")
    text = html.unescape(text if isinstance(text, str) else text_of(value_of(record, "text")))
    repost = _REPOST.match(text)
    if repost:
        # Text, likes and mentions are those of the post that was passed on.
        author = names.ids.get(repost[1].casefold())
        found.posts.append(Post(post_id, ego, at, file, is_repost=True, original_account=author))
        if author and author != ego:
            found.acts.append(Act(ego, author, "share", at, file, post_id))
        return int(author is None)
    likes = number_of(value_of(record, "favorite_count"))
    shares = number_of(value_of(record, "retweet_count"))
    post = Post(post_id, ego, at, file, text, _format_of(record), is_repost=False)
    found.posts.append(replace(post, like_count=likes, share_count=shares))
    _add_acts(found, record, at, file, post_id)
    return 0


def _add_acts(
    found: Found, record: dict[str, Any], at: datetime | None, file: str, post_id: str
) -> None:
    """Add a reply, and a mention of everybody else who is named; an answer names its addressee."""
    answered = _answered(record)
    if answered and answered != found.ego:
        found.acts.append(Act(found.ego, answered, "reply", at, file, post_id))
    for account in dict.fromkeys(account for account, _, _ in _mentions(record)):
        if account not in (answered, found.ego):
            found.acts.append(Act(found.ego, account, "mention", at, file, post_id))


def _format_of(record: dict[str, Any]) -> str:
    """Return the format of a post by the kinds of its media."""
    for holder in ("extended_entities", "entities"):
        listed = value_of(value_of(record, holder), "media")
        if isinstance(listed, list) and listed:
            kinds = {text_of(value_of(one, "type")) for one in listed}
            if kinds & {"video", "animated_gif"}:
                return "video"
            return "carousel" if len(listed) > 1 else "image"
    links = value_of(value_of(record, "entities"), "urls")
    return "link" if isinstance(links, list) and links else "text"
