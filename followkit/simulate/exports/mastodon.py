"""Writing a simulated life as Mastodon's two exports: CSV lists and the archive of posts."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from followkit.simulate.exports.life import Account, Deed, Expected, Life
from followkit.simulate.exports.packing import pack
from followkit.simulate.exports.writing import (
    SECRETS,
    check_choice,
    check_faults,
    cut_short,
    dump,
    ego_deeds,
)

__all__ = ["FAULTS", "LAYOUTS", "expected_mastodon", "write_mastodon"]

#: The CSV lists, the archive, or both together.
LAYOUTS = ("csv", "archive", "both")
FAULTS = ("no_header", "numeric_ids", "truncated", "empty", "total_items", "upper_case",
          "other_software")  # fmt: skip
_PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
_ACTS = {"reply": "reply", "comment": "reply", "mention": "mention", "share": "share",
         "message": "message"}  # fmt: skip


def write_mastodon(
    life: Life, path: str | Path, *, layout: str = "both", packing: str = "zip",
    faults: Collection[str] = (),
) -> list[Path]:  # fmt: skip
    """Write a life as Mastodon's exports and return the paths to hand to a reader.

    Parameters
    ----------
    layout
        One of `LAYOUTS`. The CSV files are loose ones, as the site gives them one by one.
    packing
        That of the archive: `folder`, `zip`, `wrapped` or `split`. With `folder` and both
        layouts the CSV files lie in the archive's folder.
    faults
        Any of `FAULTS`.

    Raises
    ------
    ParameterError
        For a layout, packing or fault that is not known.

    Examples
    --------
    >>> import tempfile
    >>> from followkit.simulate.exports.life import make_life
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = write_mastodon(make_life(1, 20), folder, layout="csv")
    ...     sorted(one.name for one in made)[:2]
    ['blocked_accounts.csv', 'following_accounts.csv']
    """
    check_choice("layout", layout, LAYOUTS)
    check_faults(faults, FAULTS)
    lists = {} if layout == "archive" else _csv_files(life, faults)
    archive = {} if layout == "csv" else _archive_files(life, faults)
    name = f"archive-{life.exported_at:%Y%m%d%H%M%S}-{life.seed:032x}"
    if packing == "folder":
        return pack({**lists, **archive}, Path(path), name=name, packing=packing)
    made = pack(archive, Path(path), name=name, packing=packing) if archive else []
    Path(path).mkdir(parents=True, exist_ok=True)
    for inside, content in lists.items():
        (Path(path) / inside).write_bytes(content)
        made.append(Path(path) / inside)
    return made


def expected_mastodon(
    life: Life, *, layout: str = "both", packing: str = "zip", faults: Collection[str] = ()
) -> Expected:
    """Return what a right reader finds; follows have no time, and followers are never told.

    Without the archive the owner is `me`, and an address without a domain stays so. What was
    passed on from an account whose posts do not name it may be left out.
    """
    del packing
    known = layout != "csv"
    ego = life.ego.address if known else "me"
    truth = Expected(ego, life.exported_at)
    truth.states = {
        "followers": "absent",
        "following": "absent" if layout == "archive" else "whole",
    }

    def name(one: Account) -> str:
        local = one.domain == life.ego.domain
        return one.address if known or not local else one.address.partition("@")[0]

    if layout != "archive":
        if "empty" not in faults:
            truth.ties = {(ego, name(one), "follow", None) for one in life.following()}
        truth.marks = {
            (name(one), kind, None) for kind in ("blocked", "muted") for one, _ in life.marked(kind)
        }
    if known:
        truth.acts, truth.maybe_acts = _expected_acts(life, ego, faults)
        if "truncated" not in faults:
            truth.posts = {(post.at, post.text) for post in life.posts}
    return truth


_Acts = set[tuple[str, str, str, datetime | None]]


def _expected_acts(life: Life, ego: str, faults: Collection[str]) -> tuple[_Acts, _Acts]:
    """Return the acts that must be found, and those that only a map of addresses gives."""
    sure: _Acts = set()
    maybe: _Acts = set()
    other = {one.number for one in life.alters if _is_elsewhere(one, faults)}
    for deed, target in ego_deeds(life, (*_ACTS, "like", "save")):
        timeless = deed.kind in ("like", "save")
        if not timeless and "truncated" in faults:
            continue
        act = (ego, target.address, _ACTS.get(deed.kind, deed.kind), None if timeless else deed.at)
        if target.number in other and timeless:
            continue
        if timeless or deed.kind == "share":
            hidden = _is_numeric(target, faults) or target.number in other
        else:
            hidden = False
        (maybe if hidden else sure).add(act)
    return sure, maybe


def _is_numeric(one: Account, faults: Collection[str]) -> bool:
    """Return whether an account's address on the web holds a number, not its name."""
    return "numeric_ids" in faults and one.number % 2 == 0


def _user(one: Account) -> str:
    return one.address.partition("@")[0]


def _actor(one: Account, faults: Collection[str]) -> str:
    if _is_numeric(one, faults):
        return f"https://{one.domain}/ap/users/{115_000_000_000_000_000 + one.number}"
    return f"https://{one.domain}/users/{_user(one)}"


def _is_elsewhere(one: Account, faults: Collection[str]) -> bool:
    """Return whether an account's server runs other software, whose posts do not name it."""
    return "other_software" in faults and one.number % 3 == 0 and one.number > 0


def _status(one: Account, number: int, faults: Collection[str]) -> str:
    if _is_elsewhere(one, faults):
        return f"https://{one.domain}/objects/0a1b2c3d-0000-4000-8000-{number:012}"
    return f"{_actor(one, faults)}/statuses/{110_000_000_000_000_000 + number}"


def _write_rows(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _csv_files(life: Life, faults: Collection[str]) -> dict[str, bytes]:
    def address(one: Account) -> str:
        local = one.domain == life.ego.domain
        written = _user(one) if local else one.address
        return written.upper() if "upper_case" in faults else written

    head = ["Account address", "Show boosts", "Notify on new posts", "Languages"]
    follows = [[address(one), "true", "false", ""] for one in life.following()]
    rows = [] if "empty" in faults else follows
    return {
        "following_accounts.csv": _write_rows(rows if "no_header" in faults else [head, *rows]),
        "blocked_accounts.csv": _write_rows([address(one)] for one, _ in life.marked("blocked")),
        "muted_accounts.csv": _write_rows(
            [["Account address", "Hide notifications"],
             *([address(one), "true"] for one, _ in life.marked("muted"))]
        ),
        "lists.csv": _write_rows(["Friends, near", address(one)] for one in life.following()[:2]),
    }  # fmt: skip


def _archive_files(life: Life, faults: Collection[str]) -> dict[str, bytes]:
    outbox = dump(_outbox(life, faults))
    return {
        "actor.json": dump(_describe_ego(life, faults)),
        "outbox.json": cut_short(outbox) if "truncated" in faults else outbox,
        "likes.json": dump(_addresses("likes.json", life, "like", faults)),
        "bookmarks.json": dump(_addresses("bookmarks.json", life, "save", faults)),
        "avatar.png": b"\x89PNG\r\n\x1a\n",
    }


def _describe_ego(life: Life, faults: Collection[str]) -> dict[str, Any]:
    ego = life.ego
    return {
        "@context": ["https://www.w3.org/ns/activitystreams"], "id": _actor(ego, faults),
        "type": "Person", "preferredUsername": _user(ego), "name": ego.name,
        "summary": "<p>light and lines</p>", "url": f"https://{ego.domain}/@{_user(ego)}",
        "manuallyApprovesFollowers": False, "published": "2022-11-05T00:00:00Z",
        "outbox": "outbox.json", "likes": "likes.json", "bookmarks": "bookmarks.json",
        "followers": f"{_actor(ego, faults)}/followers",
        "publicKey": {"publicKeyPem": SECRETS[3]},
    }  # fmt: skip


def _addresses(name: str, life: Life, kind: str, faults: Collection[str]) -> dict[str, Any]:
    """Return the posts that the ego liked or kept: addresses without a time."""
    found = [_status(target, deed.number, faults) for deed, target in ego_deeds(life, [kind])]
    return {"@context": "https://www.w3.org/ns/activitystreams", "id": name,
            "type": "OrderedCollection", "orderedItems": found}  # fmt: skip


def _outbox(life: Life, faults: Collection[str]) -> dict[str, Any]:
    """Return the ego's activities, oldest first; the total may count what is gone."""
    items = [(post.at, _create(life, post.at, post.text, faults)) for post in life.posts]
    items += [(deed.at, _activity(life, deed, target, faults))
              for deed, target in ego_deeds(life, _ACTS)]  # fmt: skip
    items.append(_own_boost(life, faults))
    ordered = [item for _, item in sorted(items, key=lambda pair: pair[0])]
    more = 3 if "total_items" in faults else 0
    return {"@context": "https://www.w3.org/ns/activitystreams", "id": "outbox.json",
            "type": "OrderedCollection", "totalItems": len(ordered) + more,
            "orderedItems": ordered}  # fmt: skip


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"


def _create(
    life: Life, at: datetime, text: str, faults: Collection[str], *,
    named: Sequence[Account] = (), answers: str | None = None, direct: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Return the making of a note, public or for those named alone."""
    me = _actor(life.ego, faults)
    number = int(at.timestamp())
    address = _status(life.ego, number, faults)
    others = [_actor(one, faults) for one in named]
    to, cc = (others, []) if direct else ([_PUBLIC], [f"{me}/followers", *others])
    tags = [{"type": "Mention", "href": _actor(one, faults), "name": f"@{one.address}"}
            for one in named]  # fmt: skip
    note = {
        "id": address, "type": "Note", "summary": None, "inReplyTo": answers,
        "published": _when(at), "url": f"https://{life.ego.domain}/@{_user(life.ego)}/{number}",
        "attributedTo": me, "to": to, "cc": cc, "sensitive": False,
        "content": f"<p>{html.escape(text, quote=False)}</p>", "attachment": [], "tag": tags,
    }  # fmt: skip
    return {"id": f"{address}/activity", "type": "Create", "actor": me, "published": _when(at),
            "to": to, "cc": cc, "object": note}  # fmt: skip


def _activity(life: Life, deed: Deed, target: Account, faults: Collection[str]) -> dict[str, Any]:
    """Return an answer to, a mention of, a message to, or a boost of somebody."""
    status = _status(target, deed.number, faults)
    if deed.kind != "share":
        direct = deed.kind == "message"
        answers = None if deed.kind in ("mention", "message") else status
        text = SECRETS[3] if direct else "quite so"
        return _create(life, deed.at, text, faults, named=[target], answers=answers, direct=direct)
    return _announce(life, deed.at, status, [_actor(target, faults)], faults)


def _announce(
    life: Life, at: datetime, what: Any, authors: list[str], faults: Collection[str]
) -> dict[str, Any]:
    me = _actor(life.ego, faults)
    return {"id": f"{_status(life.ego, int(at.timestamp()), faults)}/activity", "type": "Announce",
            "actor": me, "published": _when(at), "to": [_PUBLIC],
            "cc": [*authors, f"{me}/followers"], "object": what}  # fmt: skip


def _own_boost(life: Life, faults: Collection[str]) -> tuple[datetime, dict[str, Any]]:
    """Return the ego's boost of its own newest post, which is written out whole."""
    post = life.posts[-1]
    at = post.at + timedelta(minutes=1)
    note = _create(life, post.at, post.text, faults)["object"]
    return at, _announce(life, at, note, [_actor(life.ego, faults)], faults)
