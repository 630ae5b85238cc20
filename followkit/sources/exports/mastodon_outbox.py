"""Mastodon's archive: what the ego posted, answered, boosted, liked and saved.

Posts to named people only are messages: they count as acts, their text is never taken.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from followkit.sources.exports.careful_json import clean_text
from followkit.sources.exports.found import Act, Post
from followkit.sources.exports.mastodon_names import address_of_uri, host_of, read_address
from followkit.sources.exports.moments import read_moment

__all__ = ["Outbox", "read_likes", "read_outbox", "strip_tags"]

#: The address of a quoted post, under the names that servers have for it.
_QUOTES = ("quote", "quoteUri", "quoteUrl", "_misskey_quote")
_MOST = 10**12
PUBLIC = ("https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public")


@dataclass
class Outbox:
    """Posts and acts of an outbox; `count` activities were in it, some of them left out."""

    posts: list[Post] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    count: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    #: URIs of accounts and their addresses, as mentions tell them.
    known: dict[str, str] = field(default_factory=dict)


def strip_tags(markup: str) -> str:
    r"""Return the text of a post without its tags; paragraphs and breaks become line ends.

    Examples
    --------
    >>> strip_tags("<p>Zo&euml; &amp; <b>Bo</b></p><p>2 &lt; 3</p>")
    'Zoë & Bo\n2 < 3'
    """
    first, *rest = markup.split("<")
    parts = [first]
    for piece in rest:
        tag, closed, text = piece.partition(">")
        if tag.startswith(("/p", "br")):
            parts.append("\n")
        parts.append(text if closed else "")
    return clean_text(html.unescape("".join(parts))).strip()


def read_outbox(items: list[Any], ego: str, ego_uri: str, file: str) -> Outbox:
    """Return posts and acts of the activities in an outbox.

    Parameters
    ----------
    items
        `orderedItems`; anything may be in it.
    ego, ego_uri
        The owner's address, and the URI that stands for it ("" if unknown).
    file
        Its path, for the records.

    Examples
    --------
    >>> note = {"id": "https://a.example/users/me/statuses/1", "type": "Note",
    ...         "inReplyTo": "https://b.example/users/bo/statuses/9", "content": "<p>yes</p>"}
    >>> box = read_outbox([{"type": "Create", "published": "2024-05-01T10:00:00Z",
    ...                     "object": note}], "me@a.example", "", "outbox.json")
    >>> box.acts[0].target, box.acts[0].kind, box.posts[0].text
    ('bo@b.example', 'reply', 'yes')
    """
    box = Outbox(count=len(items))
    local = ego.partition("@")[2]
    if ego_uri:
        box.known[ego_uri] = ego
    for item in items:
        for tag in _mentions(item.get("object") if isinstance(item, dict) else None):
            _learn(box, tag, local)
    for item in items:
        kind = item.get("type") if isinstance(item, dict) else None
        if kind == "Create" and isinstance(item.get("object"), dict):
            _add_post(box, item, ego, file)
        elif kind == "Announce":
            _add_boost(box, item, ego, file)
        else:
            box.left_out["activities of other kinds"] += 1
    return box


def read_likes(
    items: list[Any], ego: str, kind: str, file: str, known: dict[str, str]
) -> tuple[list[Act], int]:
    """Return acts towards the authors of posts whose URIs are listed, and how many have no author.

    They carry no time. `known` as in `address_of_uri`.

    Examples
    --------
    >>> uris = ["https://b.example/users/bo/statuses/9", "https://c.example/objects/77aa"]
    >>> acts, unknown = read_likes(uris, "me@a.example", "like", "likes.json", {})
    >>> [act.target for act in acts], unknown
    (['bo@b.example'], 1)
    """
    acts, unknown = [], 0
    for uri in items:
        target = address_of_uri(uri, known) if isinstance(uri, str) else None
        if target is None:
            unknown += 1
        elif target != ego:
            acts.append(Act(ego, target, kind, None, file, uri))
    return acts, unknown


def _mentions(note: Any) -> Iterator[dict[str, Any]]:
    tags = note.get("tag") if isinstance(note, dict) else None
    for tag in tags if isinstance(tags, list) else []:
        if isinstance(tag, dict) and tag.get("type") == "Mention":
            yield tag


def _learn(box: Outbox, tag: dict[str, Any], local: str) -> None:
    """Keep which address a mention gives to a URI; without a domain it is of the ego's server."""
    uri, name = tag.get("href"), tag.get("name")
    if not isinstance(uri, str) or not host_of(uri):
        return
    address = read_address(name, local or host_of(uri)) if isinstance(name, str) else None
    if address:
        box.known.setdefault(uri, address)


def _add_post(box: Outbox, item: dict[str, Any], ego: str, file: str) -> None:
    note = item["object"]
    at = read_moment(item.get("published")) or read_moment(note.get("published"))
    uri = note.get("id")
    if not isinstance(uri, str) or not uri:
        box.left_out["posts without an id"] += 1
        return
    is_direct = _is_direct(item, note)
    answered = _answered(box, note)
    if answered and answered != ego and not is_direct:
        box.acts.append(Act(ego, answered, "reply", at, file, uri))
    named = {address_of_uri(str(tag.get("href")), box.known) for tag in _mentions(note)}
    # An answer names whom it answers by itself.
    for target in sorted(one for one in named if one and one != ego):
        if is_direct:
            box.acts.append(Act(ego, target, "message", at, file))
        elif target != answered:
            box.acts.append(Act(ego, target, "mention", at, file, uri))
    if is_direct:
        box.left_out["posts to named people only, counted as messages"] += 1
        return
    _add_quote(box, note, ego, at, file)
    content = note.get("content")
    text = strip_tags(content) if isinstance(content, str) else None
    box.posts.append(
        Post(uri, ego, at, file, text=text, format=_format(note), is_repost=False,
             like_count=_total(note.get("likes")), share_count=_total(note.get("shares")))
    )  # fmt: skip


def _add_quote(box: Outbox, note: dict[str, Any], ego: str, at: datetime | None, file: str) -> None:
    """Add the share of a post that is quoted; servers before 4.5 know no quotes of their own."""
    told = (note.get(name) for name in _QUOTES)
    uri = next((one for one in told if isinstance(one, str) and one), None)
    if uri is None:
        return
    author = address_of_uri(uri, box.known)
    if author is None:
        box.left_out["quotes of somebody unknown (the post was kept)"] += 1
    elif author != ego:
        box.acts.append(Act(ego, author, "share", at, file, uri))


def _total(collection: Any) -> int | None:
    """Return how many likes or boosts a post had, as archives tell since Mastodon 4.4."""
    total = collection.get("totalItems") if isinstance(collection, dict) else None
    if not isinstance(total, int) or isinstance(total, bool):
        return None
    return total if 0 <= total < _MOST else None


def _answered(box: Outbox, note: dict[str, Any]) -> str | None:
    """Return whom a post answers: by the URI, else the one mention from the same server."""
    uri = note.get("inReplyTo")
    if not isinstance(uri, str) or not uri:
        return None
    target = address_of_uri(uri, box.known)
    if target is None:
        hrefs = {str(tag.get("href")) for tag in _mentions(note)}
        same = [href for href in hrefs if host_of(href) == host_of(uri)]
        target = address_of_uri(same[0], box.known) if len(same) == 1 else None
    if target is None:
        box.left_out["answers to somebody unknown (the post was kept)"] += 1
    return target


def _add_boost(box: Outbox, item: dict[str, Any], ego: str, file: str) -> None:
    at, uri, shared = read_moment(item.get("published")), item.get("id"), item.get("object")
    author = None
    if isinstance(shared, dict):
        # The ego's own post stands there whole.
        by, shared = shared.get("attributedTo"), shared.get("id")
        author = address_of_uri(by, box.known) if isinstance(by, str) else None
    if author is None and isinstance(shared, str):
        author = address_of_uri(shared, box.known)
    if author is None:
        box.left_out["boosts of somebody unknown"] += 1
    elif author != ego:
        box.acts.append(
            Act(ego, author, "share", at, file, shared if isinstance(shared, str) else None)
        )
    if isinstance(uri, str) and uri:
        box.posts.append(Post(uri, ego, at, file, is_repost=True, original_account=author))


def _is_direct(item: dict[str, Any], note: dict[str, Any]) -> bool:
    """Return whether a post went to named people only: neither to all nor to the followers."""
    readers: list[Any] = []
    for place in (item, note):
        for name in ("to", "cc"):
            value = place.get(name)
            readers += value if isinstance(value, list) else [value]
    texts = [one for one in readers if isinstance(one, str)]
    return bool(texts) and not any(
        one in PUBLIC or one.rstrip("/").endswith("/followers") for one in texts
    )


def _format(note: dict[str, Any]) -> str:
    if note.get("type") == "Question":
        return "poll"
    files = note.get("attachment")
    kinds = [
        str(one.get("mediaType", "")).partition("/")[0]
        for one in (files if isinstance(files, list) else [])
        if isinstance(one, dict)
    ]
    if "video" in kinds:
        return "video"
    images = kinds.count("image")
    return "carousel" if images > 1 else "image" if images else "text"
