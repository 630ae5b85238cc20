"""Writing a simulated life as a Facebook export: display names, seconds, spoilt letters."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from followkit.simulate.exports.life import Account, Alter, Expected, Life
from followkit.simulate.exports.packing import pack
from followkit.simulate.exports.writing import (
    SECRETS,
    check_choice,
    check_faults,
    cut_short,
    dump,
    seconds,
)

__all__ = ["FAULTS", "LAYOUTS", "expected_facebook", "write_facebook"]

#: `v3`: in `connections/`. `v2`: in `friends_and_followers/`, with older keys.
LAYOUTS = ("v3", "v2")
FAULTS = ("missing_followers", "unreadable", "new_keys", "empty", "rejected")
_Rows = list[dict[str, Any]]


def write_facebook(
    life: Life, path: str | Path, *, layout: str = "v3", packing: str = "zip",
    faults: Collection[str] = (),
) -> list[Path]:  # fmt: skip
    """Write a life as a Facebook export and return the paths to hand to a reader.

    Half of those with both follows are friends, of whom one stamp is told; the others stand in
    the lists of follows with a stamp for each side.

    Parameters
    ----------
    layout
        One of `LAYOUTS`.
    packing
        `folder`, `zip`, `wrapped` or `split`.
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
    ...     [made.name for made in write_facebook(make_life(1, 20), folder)]
    ['facebook-someone-2026-06-15-0a1b2c.zip']
    """
    check_choice("layout", layout, LAYOUTS)
    check_faults(faults, FAULTS)
    name = f"facebook-someone-{life.exported_at:%Y-%m-%d}-0a1b2c"
    files = _files(life, layout, faults)
    return pack(files, Path(path), name=name, packing=packing, wrapper=name)


def expected_facebook(
    life: Life, *, layout: str = "v3", packing: str = "zip", faults: Collection[str] = ()
) -> Expected:
    """Return what a right reader finds: accounts by display name, so shared names run together."""
    del layout, packing
    lost = {"missing_followers", "unreadable", "new_keys", "empty"} & set(faults)
    truth = Expected("me", life.exported_at)
    for one, at in _friends(life):
        truth.ties |= {("me", one.name, "follow", at), (one.name, "me", "follow", at)}
    truth.ties |= {("me", one.name, "follow", at) for one, at in _following(life)}
    if not lost:
        truth.ties |= {(one.name, "me", "follow", at) for one, at in _followers(life)}
    truth.ties |= {("me", one.name, "request", at) for one, at in _asked(life)}
    truth.ties |= {(one.name, "me", "request", at) for one, at in _received(life)}
    truth.ties |= {("me", one.name, "unfollow", at) for one, at in _removed(life)}
    states = {"missing_followers": "absent", "unreadable": "unreadable", "new_keys": "unreadable"}
    followers = next((states[fault] for fault in faults if fault in states), "whole")
    truth.states = {"following": "whole", "followers": followers}
    return truth


def _is_friend(one: Alter) -> bool:
    return bool(one.following_at and one.follower_at) and one.number % 2 == 0


def _friends(life: Life) -> list[tuple[Account, datetime]]:
    return [(one, max(one.following_at, one.follower_at)) for one in life.alters
            if one.following_at and one.follower_at and _is_friend(one)]  # fmt: skip


def _following(life: Life) -> list[tuple[Account, datetime]]:
    return [(one, one.following_at) for one in life.following()
            if one.following_at and not _is_friend(one)]  # fmt: skip


def _followers(life: Life) -> list[tuple[Account, datetime]]:
    return [(one, one.follower_at) for one in life.followers()
            if one.follower_at and not _is_friend(one)]  # fmt: skip


def _asked(life: Life) -> list[tuple[Account, datetime]]:
    return [(one, one.request_at) for one in life.alters if one.request_at and one.is_pending]


def _received(life: Life) -> list[tuple[Account, datetime]]:
    return [(one, one.received_at) for one in life.alters if one.received_at]


def _removed(life: Life) -> list[tuple[Account, datetime]]:
    return [(one, one.unfollowed_at) for one in life.alters if one.unfollowed_at]


def _spoil_letters(text: str) -> str:
    """Return text as the export writes it: every byte of its UTF-8 as a letter of its own."""
    return text.encode().decode("latin-1")


def _rows(people: Iterable[tuple[Account, datetime]]) -> _Rows:
    return [{"name": _spoil_letters(one.name), "timestamp": seconds(at)} for one, at in people]


def _files(life: Life, layout: str, faults: Collection[str]) -> dict[str, bytes]:
    new = layout == "v3"
    top, version = ("connections", "v3") if new else ("friends_and_followers", "v2")
    friends = f"{top}/friends" if new else top
    follows = f"{top}/followers" if new else top
    fans = f"{follows}/people_who_followed_you.json"
    rejected = [{"name": "Somebody Rejected", "timestamp": seconds(life.exported_at) - 86_400}]
    made: dict[str, tuple[str, _Rows]] = {
        f"{friends}/your_friends.json": ("friends_v2", _rows(_friends(life))),
        f"{follows}/who_you've_followed.json": (f"following_{version}", _rows(_following(life))),
        fans: (f"followers_{version}", [] if "empty" in faults else _rows(_followers(life))),
        f"{friends}/sent_friend_requests.json": ("sent_requests_v2", _rows(_asked(life))),
        f"{friends}/received_friend_requests.json": (
            "received_requests_v2", _rows(_received(life))),
        f"{friends}/removed_friends.json": ("deleted_friends_v2", _rows(_removed(life))),
    }  # fmt: skip
    if "rejected" in faults:
        made[f"{friends}/rejected_friend_requests.json"] = ("rejected_requests_v2", rejected)
    files = {path: dump({key: rows}, ascii_only=True) for path, (key, rows) in made.items()}
    if "new_keys" in faults:
        files[fans] = dump({"people_v9": [{"who": "A", "when": 1_700_000_000}]}, ascii_only=True)
    if "unreadable" in faults:
        files[fans] = cut_short(files[fans])
    if "missing_followers" in faults:
        del files[fans]
    return files | _private_files(life)


def _private_files(life: Life) -> dict[str, bytes]:
    """Return what lies beside the lists and is nobody's business."""
    messages = {
        "participants": [{"name": "A"}, {"name": _spoil_letters(life.ego.name)}],
        "messages": [{"sender_name": "A", "timestamp_ms": 1, "content": SECRETS[3]}],
    }
    about = {"profile_v2": {"emails": {"emails": [SECRETS[0]]}, "birthday": SECRETS[1],
                            "phone_numbers": [{"phone_number": SECRETS[2]}]}}  # fmt: skip
    return {
        "your_facebook_activity/messages/inbox/a_1/message_1.json": dump(messages),
        "personal_information/profile_information/contact_info.json": dump(about),
    }
