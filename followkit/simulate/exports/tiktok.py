"""Writing a simulated life as a TikTok export: one JSON file in three layouts, or text files."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from followkit.simulate.exports.life import Account, Deed, Expected, Life
from followkit.simulate.exports.writing import (
    SECRETS,
    check_choice,
    check_faults,
    cut_short,
    dump,
    ego_deeds,
    pack_or_file,
    pair_messages,
    seconds,
)

__all__ = ["FAULTS", "LAYOUTS", "expected_tiktok", "write_tiktok"]

#: `2024` and before, `2025`, `2026` (one JSON file each), and `txt` (one text file a list).
LAYOUTS = ("2024", "2025", "2026", "txt")
FAULTS = ("capped", "no_followers", "null_followers", "null_objects", "not_applicable",
          "mixed_keys", "truncated", "empty", "utc_suffix")  # fmt: skip
_CAP = 5
_Rows = list[dict[str, Any]]


def write_tiktok(
    life: Life, path: str | Path, *, layout: str = "2026", packing: str = "zip",
    faults: Collection[str] = (),
) -> list[Path]:  # fmt: skip
    """Write a life as a TikTok export and return the paths to hand to a reader.

    Parameters
    ----------
    layout
        One of `LAYOUTS`.
    packing
        `folder`, `zip`, `wrapped`, `split`, or `file` (the JSON file alone).
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
    ...     [made.name for made in write_tiktok(make_life(1, 20), folder, packing="file")]
    ['user_data_tiktok.json']
    """
    check_choice("layout", layout, LAYOUTS)
    check_faults(faults, FAULTS)
    main = "user_data.json" if layout == "2024" else "user_data_tiktok.json"
    if layout == "txt":
        files, main = _text_files(life, faults), "Profile And Settings/Following.txt"
    else:
        content = dump(_tree(life, layout, faults))
        files = {main: cut_short(content) if "truncated" in faults else content}
    name = f"TikTok_Data_{seconds(life.exported_at)}"
    return pack_or_file(files, Path(path), name=name, packing=packing, wrapper=name, main=main)


def expected_tiktok(
    life: Life, *, layout: str = "2026", packing: str = "zip", faults: Collection[str] = ()
) -> Expected:
    """Return what a right reader finds; a broken file tells of nothing.

    Likes with the author in their link are acts, those with a shared link are not. The text files
    name no owner, who is `me` there.
    """
    text = layout == "txt"
    ego = "me" if text else life.ego.account
    truth = Expected(ego, life.exported_at)
    if "truncated" in faults:
        truth.states = {"following": "unreadable", "followers": "unreadable"}
        return truth
    truth.ties = {(ego, one.account, "follow", one.following_at) for one in life.following()}
    alone = text and packing == "file"
    if not alone:
        truth.ties |= {
            (one.account, ego, "follow", one.follower_at) for one in _followers(life, faults)
        }
    if not alone and "null_objects" not in faults:
        truth.marks = {(one.account, "blocked", at) for one, at in life.marked("blocked")}
        truth.acts = {
            (ego, target.account, "like", deed.at)
            for deed, target in ego_deeds(life, ["like"])
            if _names_author(deed)
        }
        truth.posts = {(post.at, None) for post in life.posts}
    if not text and "null_objects" not in faults:
        people = life.by_number()
        truth.acts |= {(people[deed.actor].account, people[deed.target].account, "message", deed.at)
                       for deed in life.deeds if deed.kind == "message"}  # fmt: skip
    states = {"capped": "cut", "no_followers": "absent", "null_followers": "absent"}
    followers = next((states[fault] for fault in faults if fault in states), "whole")
    truth.states = {"following": "whole", "followers": "absent" if alone else followers}
    return truth


def _followers(life: Life, faults: Collection[str]) -> Sequence[Any]:
    if {"no_followers", "null_followers", "empty"} & set(faults):
        return []
    return life.followers()[: _CAP if "capped" in faults else None]


def _names_author(deed: Deed) -> bool:
    """Return whether the link of a like names the author: one in three does."""
    return deed.number % 3 == 0


def _link(deed: Deed, target: Account) -> str:
    number = 7_000_000_000_000_000_000 + deed.number
    if _names_author(deed):
        return f"https://www.tiktok.com/@{target.handle}/video/{number}/"
    return f"https://www.tiktokv.com/share/video/{number}/"


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _pairs(
    people: Iterable[tuple[Account, datetime]], keys: tuple[str, str] = ("Date", "UserName")
) -> _Rows:
    return [{keys[0]: _when(at), keys[1]: one.handle} for one, at in people]


def _lists(life: Life, faults: Collection[str]) -> dict[str, _Rows | None]:
    """Return every list of the export by the name of its leaf."""
    following = [(one, one.following_at) for one in life.following() if one.following_at]
    followers = [(one, one.follower_at) for one in _followers(life, faults)]
    mixed = "mixed_keys" in faults
    date, link = ("date", "link") if mixed else ("Date", "Link")
    lists: dict[str, _Rows | None] = {
        "FansList": _pairs(followers),
        "Following": _pairs(following, ("date", "userName") if mixed else ("Date", "UserName")),
        "BlockList": _pairs(life.marked("blocked")),
        "ItemFavoriteList": [{date: _when(deed.at), link: _link(deed, target)}
                             for deed, target in ego_deeds(life, ["like"])],
        "VideoList": [{"Date": _when(post.at), "Likes": str(post.like_count),
                       "Link": f"https://www.tiktokv.com/share/video/{post.number}/",
                       "WhoCanView": "Public"} for post in reversed(life.posts)],
        "CommentsList": [{date: _when(deed.at), "comment": SECRETS[3], "photo": "N/A", "url": ""}
                         for deed, _ in ego_deeds(life, ["comment"])],
    }  # fmt: skip
    if "null_followers" in faults:
        lists["FansList"] = None
    return lists


def _chats(life: Life) -> dict[str, _Rows]:
    people = life.by_number()
    return {
        f"Chat History with {people[number].handle}:": [
            {"Date": _when(deed.at), "From": people[deed.actor].handle, "Content": SECRETS[3]}
            for deed in deeds
        ]
        for number, deeds in pair_messages(life).items()
    }


def _profile(life: Life, faults: Collection[str]) -> dict[str, Any]:
    """Return the profile; its count is that of all followers, told or not."""
    count = 0 if "empty" in faults else len(life.followers())
    return {
        "ProfileMap": {
            "userName": life.ego.handle, "followerCount": count,
            "followingCount": len(life.following()), "emailAddress": SECRETS[0],
            "birthDate": SECRETS[1], "telephoneNumber": SECRETS[2],
            "bioDescription": "N/A" if "not_applicable" in faults else "light and lines",
        }
    }  # fmt: skip


def _tree(life: Life, layout: str, faults: Collection[str]) -> dict[str, Any]:
    lists = _lists(life, faults)
    fans: dict[str, Any] = {"FansList": lists["FansList"]}
    following = {"Following": lists["Following"]}
    block: Any = {"BlockList": lists["BlockList"]}
    likes: Any = {"ItemFavoriteList": lists["ItemFavoriteList"]}
    videos: Any = {"VideoList": lists["VideoList"]}
    comments: Any = {"Comments": {"CommentsList": lists["CommentsList"]}}
    chats: Any = {"ChatHistory": _chats(life)}
    if "null_objects" in faults:
        block, likes, videos, comments, chats = None, None, {"VideoList": None}, None, None
    if "not_applicable" in faults:
        comments = {"Comments": {"CommentsList": "N/A"}}
    profile = _profile(life, faults)
    tree = {"2024": _tree_2024, "2025": _tree_2025, "2026": _tree_2026}[layout](
        profile, fans, following, block, likes, videos, chats
    )
    tree["Comment"] = comments
    if "no_followers" in faults:
        for section in tree.values():
            for key in ("Follower List", "Follower"):
                if isinstance(section, dict):
                    section.pop(key, None)
    return tree


def _tree_2024(
    profile: Any, fans: Any, following: Any, block: Any, likes: Any, videos: Any, chats: Any
) -> dict[str, Any]:
    return {
        "Activity": {"Follower List": fans, "Following List": following, "Like List": likes,
                     "Favorite Hashtags": {"FavoriteHashtagList": None}},
        "App Settings": {"Block": block, "Settings": {"SettingsMap": {"App Language": "en",
                                                              "Following": "Only me"}}},
        "Direct Messages": {"Chat History": chats},
        "Profile": {"Profile Information": profile},
        "Video": {"Videos": videos},
    }  # fmt: skip


def _tree_2025(
    profile: Any, fans: Any, following: Any, block: Any, likes: Any, videos: Any, chats: Any
) -> dict[str, Any]:
    return {
        "Your Activity": {"Follower": fans, "Following": following, "Like List": likes,
                          "Watch History": {"VideoList": []}},
        "App Settings": {"Block List": block},
        "Direct Messages": {"Chat History": chats},
        "Profile And Settings": {"Profile Info": profile},
        "Post": {"Posts": videos},
    }  # fmt: skip


def _tree_2026(
    profile: Any, fans: Any, following: Any, block: Any, likes: Any, videos: Any, chats: Any
) -> dict[str, Any]:
    return {
        "Profile And Settings": {"Profile Info": profile, "Follower": fans,
                                 "Following": following, "Block List": block},
        "Likes and Favorites": {"Like List": likes},
        "Direct Message": {"Direct Messages": chats},
        "Post": {"Posts": videos},
        "Your Activity": {"Watch History": {"VideoList": []}},
    }  # fmt: skip


def _text_files(life: Life, faults: Collection[str]) -> dict[str, bytes]:
    """Return one text file a list, in folders, made of blocks of `Key: value` lines."""
    lists = _lists(life, faults)
    places = {"Profile And Settings/Follower.txt": "FansList",
              "Profile And Settings/Following.txt": "Following",
              "Profile And Settings/Block List.txt": "BlockList",
              "Likes and Favorites/Like List.txt": "ItemFavoriteList",
              "Post/Posts.txt": "VideoList"}  # fmt: skip
    if "null_objects" in faults:
        places = {path: leaf for path, leaf in places.items() if "Follow" in path}
    if "no_followers" in faults:
        del places["Profile And Settings/Follower.txt"]
    end = " UTC" if "utc_suffix" in faults else ""
    return {path: _blocks(lists[leaf] or [], end) for path, leaf in places.items()}


def _blocks(rows: _Rows, end: str) -> bytes:
    """Return rows as blocks; a user name stands under `Username` here."""
    blocks = []
    for row in rows:
        lines = [
            f"{'Username' if key == 'UserName' else key}: {value}{end if key == 'Date' else ''}\n"
            for key, value in row.items()
        ]
        blocks.append("".join(lines) + "\n")
    return "".join(blocks).encode()
