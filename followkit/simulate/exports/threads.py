"""A simulated life → the lists of Threads, inside an Instagram zip."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from followkit.errors import ParameterError
from followkit.simulate.exports.instagram_json import SECRET, dump
from followkit.simulate.exports.instagram_paths import find_path
from followkit.simulate.exports.instagram_sheets import Row, draw_sheets
from followkit.simulate.exports.life import Expected, Life, OwnPost
from followkit.simulate.exports.packing import pack

__all__ = ["expected_threads", "make_threads_files", "write_threads"]

HOSTS = ("threads.com", "threads.net")
_FOLDER = "your_instagram_activity/threads"
_KEY = "text_post_app_text_post_app_"
#: List → (file, end of its key).
_LISTS = {
    "followers": ("followers_1", "followers"),
    "following": ("following", "following"),
    "recent": ("recent_follow_requests", "permanent_follow_requests"),
    "unfollowed": ("recently_unfollowed_profiles", "unfollowed_users"),
    "blocked": ("blocked_profiles", "blocked_users"),
}


def write_threads(
    life: Life,
    path: Path,
    *,
    host: str = "threads.com",
    packing: str = "zip",
    faults: Collection[str] = (),
) -> list[Path]:
    """Write a life as the Threads part of an Instagram export; return the paths for a reader.

    Parameters
    ----------
    host
        Of the links: `threads.com`, or the older `threads.net`.
    packing, faults
        As for Instagram, as far as they say something of Threads: `empty`, `duplicates`, `junk`,
        `deleted`, `date_cut`, `impossible_times`.

    Raises
    ------
    ParameterError
        For another host or packing.

    Examples
    --------
    >>> import tempfile
    >>> from followkit.simulate.exports.life import make_life
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [one.suffix for one in write_threads(make_life(1, 20), Path(folder))]
    ['.zip']
    """
    files = make_threads_files(life, host=host, faults=faults)
    profile = {"Username": {"href": "", "value": life.ego.account, "timestamp": 0},
               "Name": {"href": "", "value": life.ego.name, "timestamp": 0}}  # fmt: skip
    own = find_path("personal_information", "D") + ".json"
    files[own] = dump({"profile_user": [{"title": "", "string_map_data": profile}]})
    name = f"instagram-{life.ego.account}-{life.exported_at:%Y-%m-%d}-Th7rE4ds"
    return pack(files, path, name=name, packing=packing, junk="junk" in faults)


def make_threads_files(
    life: Life, *, host: str = "threads.com", faults: Collection[str] = ()
) -> dict[str, bytes]:
    """Return path → content of the files of Threads alone.

    Raises
    ------
    ParameterError
        For a host that Threads never had.
    """
    if host not in HOSTS:
        raise ParameterError(f"host: {host!r} came, not one of {', '.join(HOSTS)}")
    sheets = draw_sheets(life, faults)
    files: dict[str, bytes] = {}
    for name, (base, key) in _LISTS.items():
        rows = sheets[name]
        if rows or name in ("followers", "following"):
            records = [_person(row, host) for row in rows]
            files[f"{_FOLDER}/{base}.json"] = dump({_KEY + key: records})
    files.update(_act_files(sheets, host))
    posts = [] if "empty" in faults else life.posts
    texts = [{"media": [_post(post)]} for post in posts if post.format != "story"]
    if texts:
        key = "text_post_app_text_posts"
        files[f"{_FOLDER}/threads_and_replies.json"] = dump({key: texts})
    return files


def _person(row: Row, host: str) -> dict[str, Any]:
    """Return a record: the display name as title, and now and then no `value`."""
    handle = row.who.account
    item: dict[str, Any] = {"href": f"https://www.{host}/{handle}", "value": handle,
                            "timestamp": _stamp(row)}  # fmt: skip
    if row.who.number % 3 == 0:
        del item["value"]
    return {"title": row.who.name, "media_list_data": [], "string_list_data": [item]}


def _act_files(sheets: dict[str, list[Row]], host: str) -> Iterable[tuple[str, bytes]]:
    liked = [_liked(row, host) for row in sheets["liked_posts"]]
    if liked:
        yield f"{_FOLDER}/liked_threads.json", dump({"text_post_app_media_likes": liked})


def _liked(row: Row, host: str) -> dict[str, Any]:
    handle = row.who.account
    item = {"href": f"https://www.{host}/@{handle}/post/SYN{row.number:06d}", "value": "👍",
            "timestamp": _stamp(row)}  # fmt: skip
    return {"title": handle, "string_list_data": [item]}


def _stamp(row: Row) -> int:
    return row.stamp if row.stamp is not None else int(row.at.timestamp()) if row.at else 0


def _post(post: OwnPost) -> dict[str, Any]:
    return {
        "uri": "",
        "creation_timestamp": int(post.at.timestamp()),
        "media_metadata": {"camera_metadata": {"has_camera_metadata": SECRET}},
        "title": post.text,
        "text_app_post": {"is_reply": post.is_reply},
    }


def expected_threads(
    life: Life,
    *,
    host: str = "threads.com",
    packing: str = "zip",
    faults: Collection[str] = (),
) -> Expected:
    """Return what a right reader finds in the Threads part of the same variant.

    Raises
    ------
    ParameterError
        For another host.
    """
    if host not in HOSTS:
        raise ParameterError(f"host: {host!r} came, not one of {', '.join(HOSTS)} ({packing})")
    sheets, ego = draw_sheets(life, faults), life.ego.account
    truth = Expected(ego, life.exported_at)
    truth.ties |= {(row.who.account, ego, "follow", row.at) for row in sheets["followers"]}
    truth.ties |= {(ego, row.who.account, "follow", row.at) for row in sheets["following"]}
    truth.ties |= {(ego, row.who.account, "unfollow", row.at) for row in sheets["unfollowed"]}
    truth.marks = {(row.who.account, "blocked", row.at) for row in sheets["blocked"]}
    truth.acts = {(ego, row.who.account, "like", row.at) for row in sheets["liked_posts"]}
    posts: Sequence[OwnPost] = [] if "empty" in faults else life.posts
    truth.posts = {(post.at, post.text or None) for post in posts if post.format != "story"}
    truth.deleted = {row.who.account for row in sheets["following"]
                     if row.who.account.startswith("__deleted__")}  # fmt: skip
    truth.states = {"followers": "cut" if "date_cut" in faults else "whole", "following": "whole",
                    "unfollowed": "whole" if sheets["unfollowed"] else "absent"}  # fmt: skip
    return truth
