"""Writing a simulated life as a Bluesky repository: one CAR file of the ego's own records."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from followkit.simulate.exports.bluesky_car import (
    Link,
    make_car,
    make_tid,
    make_tree,
    seal,
)
from followkit.simulate.exports.life import Account, Deed, Expected, Life, OwnPost
from followkit.simulate.exports.writing import check_faults, cut_short, ego_deeds, pack_or_file

__all__ = ["FAULTS", "expected_bluesky", "write_bluesky"]

FAULTS = ("back_dated", "duplicates", "odd_keys", "truncated", "not_a_car", "lost_record",
          "lost_tree", "shuffled", "unknown_records", "quotes", "empty")  # fmt: skip
_ACTS = {"like": "like", "reply": "reply", "comment": "reply", "mention": "mention",
         "share": "share"}  # fmt: skip
_FOLLOW, _POST = "app.bsky.graph.follow", "app.bsky.feed.post"
_BACK_DATED = timedelta(days=400)
_Records = dict[str, dict[str, Any]]


def write_bluesky(
    life: Life, path: str | Path, *, packing: str = "file", faults: Collection[str] = ()
) -> list[Path]:
    """Write a life as a Bluesky repository and return the paths to hand to a reader.

    Parameters
    ----------
    packing
        `file` (`repo.car`), or that file in a `folder`, `zip` or `wrapped` zip.
    faults
        Any of `FAULTS`.

    Raises
    ------
    ParameterError
        For a packing or fault that is not known.

    Examples
    --------
    >>> import tempfile
    >>> from followkit.simulate.exports.life import make_life
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [made.name for made in write_bluesky(make_life(1, 20), folder)]
    ['repo.car']
    """
    check_faults(faults, FAULTS)
    content = _repository(life, faults)
    if "truncated" in faults:
        content = cut_short(content)
    if "not_a_car" in faults:
        content = b"<!doctype html><title>not found</title>"
    return pack_or_file({"repo.car": content}, Path(path), name="bluesky", packing=packing,
                        main="repo.car")  # fmt: skip


def expected_bluesky(
    life: Life, *, packing: str = "file", faults: Collection[str] = ()
) -> Expected:
    """Return what a right reader finds: the ego's own records, at the times in their keys.

    Moments are whole seconds here; a reader may be finer. Of a follow written twice the first one
    counts. A post that quotes another passes it on, but no rule demands that it be found.
    """
    del packing
    ego = life.ego.did
    truth = Expected(ego, life.exported_at)
    truth.states = {"following": "whole", "followers": "absent"}
    if "empty" in faults:
        return truth
    truth.ties = {(ego, one.did, "follow", one.following_at) for one in life.following()}
    truth.marks = {(one.did, "blocked", at) for one, at in life.marked("blocked")}
    for deed, target in ego_deeds(life, _ACTS):
        act = (ego, target.did, _ACTS[deed.kind], deed.at)
        (truth.maybe_acts if _is_quote(deed, faults) else truth.acts).add(act)
    truth.posts = {(post.at, post.text) for post in life.posts}
    return truth


def _when(at: datetime, number: int) -> str:
    """Return a moment in one of the forms that clients write."""
    forms = ("%Y-%m-%dT%H:%M:%S.000Z", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.000000Z",
             "%Y-%m-%dT%H:%M:%S+00:00")  # fmt: skip
    return at.strftime(forms[number % len(forms)])


def _tid(at: datetime, number: int) -> str:
    """Return the key of a record, made within a tenth of a second of its time."""
    return make_tid(at, number * 137 % 90_000, number % 1024)


def _uri(one: Account, at: datetime, number: int) -> str:
    return f"at://{one.did}/{_POST}/{_tid(at - timedelta(minutes=7), number)}"


def _reference(uri: str) -> dict[str, str]:
    """Return a reference to a record; the hash is text here, not a link."""
    return {"uri": uri, "cid": "bafyreib2rxk3rh6kzwq2qm2rkymcvyxvsyrsrmgxt3c7yx4g6z5nuggsim"}


def _follow_records(life: Life, faults: Collection[str]) -> _Records:
    made: _Records = {}
    for place, one in enumerate(life.following()):
        at = one.following_at
        if at is None:
            continue
        shown = at - _BACK_DATED if "back_dated" in faults and place < 3 else at
        key = f"follow-{place}" if "odd_keys" in faults and place < 3 else _tid(at, one.number)
        record = {"$type": _FOLLOW, "subject": one.did, "createdAt": _when(shown, one.number)}
        made[f"{_FOLLOW}/{key}"] = record
        if "duplicates" in faults and place >= len(life.following()) - 3:
            again = at + timedelta(hours=2)
            more = record | {"createdAt": _when(again, one.number)}
            made[f"{_FOLLOW}/{_tid(again, one.number)}"] = more
    return made


def _is_quote(deed: Deed, faults: Collection[str]) -> bool:
    """Return whether something is passed on by quoting it in a post of one's own."""
    return "quotes" in faults and deed.kind == "share" and deed.number % 2 == 1


def _act_record(deed: Deed, target: Account, faults: Collection[str]) -> tuple[str, dict[str, Any]]:
    """Return the collection and the record of one act towards somebody."""
    at = _when(deed.at, deed.number)
    theirs = _reference(_uri(target, deed.at, deed.number))
    if deed.kind in ("like", "share") and not _is_quote(deed, faults):
        kind = "app.bsky.feed.like" if deed.kind == "like" else "app.bsky.feed.repost"
        return kind, {"$type": kind, "subject": theirs, "createdAt": at}
    post: dict[str, Any] = {"$type": _POST, "text": "quite so", "createdAt": at, "langs": ["en"]}
    if deed.kind == "mention":
        feature = {"$type": "app.bsky.richtext.facet#mention", "did": target.did}
        text = f"with @{target.account}.example.social"
        span = {"byteStart": 5, "byteEnd": len(text.encode())}
        return _POST, post | {"text": text, "facets": [{"index": span, "features": [feature]}]}
    if deed.kind == "share":
        return _POST, post | {"embed": {"$type": "app.bsky.embed.record", "record": theirs}}
    return _POST, post | {"reply": {"root": theirs, "parent": theirs}}


def _post_record(life: Life, post: OwnPost) -> dict[str, Any]:
    """Return a post of the ego; one marked as a reply goes on with the ego's own thread."""
    record: dict[str, Any] = {"$type": _POST, "text": post.text, "langs": ["en"],
                              "createdAt": _when(post.at, post.number)}  # fmt: skip
    if post.is_reply:
        mine = _reference(_uri(life.ego, post.at, post.number))
        record["reply"] = {"root": mine, "parent": mine}
    if post.format == "image":
        picture = Link(bytes((0x01, 0x55, 0x12, 0x20)) + bytes(32))
        image = {"alt": "", "image": {"$type": "blob", "ref": picture, "mimeType": "image/jpeg",
                                      "size": 70_000}}  # fmt: skip
        record["embed"] = {"$type": "app.bsky.embed.images", "images": [image]}
    return record


def _records(life: Life, faults: Collection[str]) -> _Records:
    """Return every record of the repository by its path."""
    profile = {"$type": "app.bsky.actor.profile", "displayName": life.ego.name,
               "description": "light and lines"}  # fmt: skip
    made: _Records = {"app.bsky.actor.profile/self": profile}
    if "empty" in faults:
        return made
    made |= _follow_records(life, faults)
    for deed, target in ego_deeds(life, _ACTS):
        kind, record = _act_record(deed, target, faults)
        made[f"{kind}/{_tid(deed.at, deed.number)}"] = record
    for post in life.posts:
        made[f"{_POST}/{_tid(post.at, post.number)}"] = _post_record(life, post)
    for one, at in life.marked("blocked"):
        record = {"$type": "app.bsky.graph.block", "subject": one.did,
                  "createdAt": _when(at, one.number)}  # fmt: skip
        made[f"app.bsky.graph.block/{_tid(at, one.number)}"] = record
    if "unknown_records" in faults:
        odd = {"$type": "com.example.game.move", "subject": life.alters[0].did, "n": [-7, 70_000],
               "createdAt": 5, "sealed": b"\x00\x01", "none": None, "yes": True}  # fmt: skip
        made["com.example.game.move/first"] = odd
    return made


def _repository(life: Life, faults: Collection[str]) -> bytes:
    """Return the CAR file: the signed commit, the tree of keys, and the records."""
    blocks: dict[Link, bytes] = {}
    links = {path: seal(record, blocks) for path, record in _records(life, faults).items()}
    records = set(links.values())
    root = make_tree(links, blocks)
    nodes = set(blocks) - records
    commit = {"did": life.ego.did, "version": 3, "data": root, "prev": None,
              "rev": make_tid(life.exported_at), "sig": bytes(range(64))}  # fmt: skip
    head = seal(commit, blocks)
    ordered = [head, *(link for link in blocks if link != head)]
    if "lost_record" in faults:
        follows = sorted(path for path in links if path.startswith(_FOLLOW))
        ordered.remove(links[follows[0]])
    if "lost_tree" in faults:
        ordered = [link for link in ordered if link not in nodes or link == root]
    if "shuffled" in faults:
        ordered.sort()
    return make_car(head, [(link, blocks[link]) for link in ordered])
