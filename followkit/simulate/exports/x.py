"""Writing a simulated life as an X archive: scripts of numbers as text, follows without times."""

from __future__ import annotations

import html
import json
from collections.abc import Collection, Mapping
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
    ego_deeds,
    pair_messages,
)

__all__ = ["FAULTS", "LAYOUTS", "expected_x", "handles_x", "number_of", "write_x"]

#: `manifest`: 2022 on. `plain`: `data/` without a manifest, `tweet.js`. `root`: before 2020-03.
#: `csv`: before 2018, which no reader takes.
LAYOUTS = ("manifest", "plain", "root", "csv")
FAULTS = ("missing_listed", "missing_part", "no_followers", "unlisted", "truncated", "empty",
          "no_user_link", "mention_gone", "impossible_times", "next_line", "follower_parts",
          "missing_follower_part")  # fmt: skip
_FIRST_TWEET_MS = 1_288_834_974_657
_REPLIES = ("reply", "comment")
_ACTS = {"reply": "reply", "comment": "reply", "mention": "mention", "share": "share"}
_NAMES_GONE = "with @gone_one today"
_Tweet = dict[str, Any]


def write_x(
    life: Life, path: str | Path, *, layout: str = "manifest", packing: str = "zip",
    faults: Collection[str] = (),
) -> list[Path]:  # fmt: skip
    """Write a life as an X archive and return the paths to hand to a reader.

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
    ...     [made.name for made in write_x(make_life(1, 20), folder, packing="folder")]
    ['twitter-2026-06-15-0a1b2c']
    """
    check_choice("layout", layout, LAYOUTS)
    check_faults(faults, FAULTS)
    files = _csv_files(life) if layout == "csv" else _script_files(life, layout, faults)
    name = f"twitter-{life.exported_at:%Y-%m-%d}-0a1b2c"
    return pack(files, Path(path), name=name, packing=packing, wrapper="twitter-archive")


def expected_x(
    life: Life, *, layout: str = "manifest", packing: str = "zip", faults: Collection[str] = ()
) -> Expected:
    """Return what a right reader finds: ids without times, and the ego's timed acts.

    Likes name no author, so they are no acts; a mention of id -1 is nobody. Posts are the ego's
    own, without its answers to others and what it passed on.
    """
    del layout, packing
    ego = number_of(life.ego)
    lost = {"missing_listed", "no_followers", "truncated", "empty"} & set(faults)
    fans, rest = _follower_halves(life, faults)
    truth = Expected(ego, life.exported_at)
    truth.ties = {(ego, number_of(one), "follow", None) for one in life.following()}
    if not lost:
        there = fans if "missing_follower_part" in faults else [*fans, *rest]
        truth.ties |= {(number_of(one), ego, "follow", None) for one in there}
    for kind in ("blocked", "muted"):
        truth.marks |= {(number_of(one), kind, None) for one, _ in life.marked(kind)}
    late = _second_part(life) if "missing_part" in faults else set()
    truth.acts = _expected_acts(life, ego, late)
    truth.posts = {(post.at, post.text) for post in life.posts if post.at not in late}
    if "mention_gone" in faults:
        truth.posts.add((_named_gone_at(life), _NAMES_GONE))
    state = {"missing_listed": "absent", "no_followers": "absent", "truncated": "unreadable",
             "missing_follower_part": "cut"}  # fmt: skip
    followers = next((state[fault] for fault in faults if fault in state), "whole")
    truth.states = {"following": "whole", "followers": followers}
    return truth


def _expected_acts(
    life: Life, ego: str, late: Collection[datetime]
) -> set[tuple[str, str, str, datetime | None]]:
    """Return the ego's tweets towards others that are not in a lost file, and all messages."""
    people = life.by_number()
    acts: set[tuple[str, str, str, datetime | None]] = {
        (ego, number_of(target), _ACTS[deed.kind], deed.at)
        for deed, target in ego_deeds(life, _ACTS)
        if deed.at not in late
    }
    acts |= {
        (number_of(people[deed.actor]), number_of(people[deed.target]), "message", deed.at)
        for deed in life.deeds
        if deed.kind == "message"
    }
    return acts


def handles_x(life: Life) -> dict[str, str]:
    """Return the handles that an archive tells, by id: those the ego answered or named."""
    return {number_of(target): target.account for _, target in ego_deeds(life, _ACTS)}


def number_of(one: Account) -> str:
    """Return an account's number on X as text: 9 to 19 digits, different for every account."""
    return f"{one.number + 12}3{'0' * (5 + one.number % 10)}7"


def _script_files(life: Life, layout: str, faults: Collection[str]) -> dict[str, bytes]:
    """Return the archive's files; the manifest comes last, as it lists the others."""
    folder = "" if layout == "root" else "data/"
    first, second = _tweet_halves(life, faults)
    fans, rest = _follower_halves(life, faults)
    wrapped = layout != "root"
    stem = "tweets" if layout == "manifest" else "tweet"
    lists: dict[str, tuple[str, int, list[Any]]] = {
        "account": ("account", 0, [{"account": _account(life)}]),
        "following": ("following", 0, _people("following", life.following(), layout, faults)),
        "follower": ("follower", 0, _people("follower", fans, layout, faults)),
        "block": ("block", 0, _marked("blocking", life, "blocked")),
        "mute": ("mute", 0, _marked("muting", life, "muted")),
        "like": ("like", 0, [{"like": _like(deed)} for deed, _ in ego_deeds(life, ["like"])]),
        "direct-messages": ("direct_messages", 0, _conversations(life)),
        "direct-messages-group": ("direct_messages_group", 0, _groups(life)),
        "contact": ("contact", 0, [{"contact": {"emails": [SECRETS[0]],
                                                "phoneNumbers": [SECRETS[2]]}}]),
        stem: (stem, 0, [{"tweet": one} if wrapped else one for one in first]),
        f"{stem}-part1": (stem, 1, [{"tweet": one} if wrapped else one for one in second]),
    }  # fmt: skip
    if rest:
        lists["follower-part1"] = ("follower", 1, _people("follower", rest, layout, faults))
    gap = "\n" if "next_line" in faults else ""
    files = {
        f"{folder}{name}.js": f"window.YTD.{kind}.part{part} = {gap}{_text(rows)}".encode()
        for name, (kind, part, rows) in lists.items()
    }
    if layout == "manifest":
        files["data/manifest.js"] = _manifest(life, lists)
        files["Your archive.html"] = b"<!doctype html><title>archive</title>"
    return _spoil(files, folder, stem, faults)


def _spoil(
    files: dict[str, bytes], folder: str, stem: str, faults: Collection[str]
) -> dict[str, bytes]:
    """Return the files with what the faults take away, break or add."""
    followers = f"{folder}follower.js"
    if "truncated" in faults:
        files[followers] = cut_short(files[followers])
    if "missing_listed" in faults or "no_followers" in faults:
        del files[followers]
    if "no_followers" in faults and "data/manifest.js" in files:
        prefix, _, body = files["data/manifest.js"].decode().partition("=")
        manifest = json.loads(body)
        del manifest["dataTypes"]["follower"]
        files["data/manifest.js"] = f"{prefix}= {_text(manifest)}".encode()
    if "missing_part" in faults:
        del files[f"{folder}{stem}-part1.js"]
    if "missing_follower_part" in faults:
        del files[f"{folder}follower-part1.js"]
    if "unlisted" in faults:
        stray = [{"follower": {"accountId": "999000999"}}]
        files[f"{folder}follower-part7.js"] = f"window.YTD.follower.part7 = {_text(stray)}".encode()
    return files


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.000Z"


def _account(life: Life) -> dict[str, str]:
    return {"email": SECRETS[0], "createdVia": "web", "username": life.ego.handle,
            "accountId": number_of(life.ego), "createdAt": "2015-03-04T05:06:07.000Z",
            "accountDisplayName": life.ego.name}  # fmt: skip


def _follower_halves(life: Life, faults: Collection[str]) -> tuple[list[Account], list[Account]]:
    """Return the followers of the first file and of a second, which most archives do not have."""
    people: list[Account] = [] if "empty" in faults else list(life.followers())
    half = (
        (len(people) + 1) // 2
        if {"follower_parts", "missing_follower_part"} & set(faults)
        else None
    )
    return people[:half], people[half:] if half is not None else []


def _people(
    key: str, people: Collection[Account], layout: str, faults: Collection[str]
) -> list[dict[str, dict[str, str]]]:
    link = layout != "root" and "no_user_link" not in faults
    address = "https://twitter.com/intent/user?user_id="
    return [
        {
            key: {"accountId": number_of(one)}
            | ({"userLink": address + number_of(one)} if link else {})
        }
        for one in people
    ]


def _marked(key: str, life: Life, kind: str) -> list[dict[str, dict[str, str]]]:
    return [{key: {"accountId": number_of(one)}} for one, _ in life.marked(kind)]


def _tweet_id(at: datetime, number: int) -> str:
    """Return the id of a tweet, which holds the milliseconds since the first one."""
    return str((int(at.timestamp() * 1000) - _FIRST_TWEET_MS) << 22 | number & 0xFFF)


def _like(deed: Deed) -> dict[str, str]:
    """Return a like: the tweet's own id and text, but neither its author nor when it was liked."""
    number = _tweet_id(deed.at - timedelta(hours=3), deed.number)
    return {"tweetId": number, "fullText": SECRETS[3],
            "expandedUrl": f"https://twitter.com/i/web/status/{number}"}  # fmt: skip


def _message(deed: Deed, people: Mapping[int, Account]) -> dict[str, Any]:
    return {"messageCreate": {
        "recipientId": number_of(people[deed.target]), "senderId": number_of(people[deed.actor]),
        "id": _tweet_id(deed.at, deed.number), "createdAt": _iso(deed.at), "text": SECRETS[3],
        "reactions": [], "urls": [], "mediaUrls": []}}  # fmt: skip


def _conversations(life: Life) -> list[dict[str, Any]]:
    people = life.by_number()
    return [
        {"dmConversation": {
            "conversationId": f"{number_of(life.ego)}-{number_of(people[number])}",
            "messages": [_message(deed, people) for deed in reversed(deeds)]}}
        for number, deeds in pair_messages(life).items()
    ]  # fmt: skip


def _groups(life: Life) -> list[dict[str, Any]]:
    """Return conversations of three, whose messages name no recipient."""
    people = life.by_number()
    made = []
    for group in life.groups:
        said = [
            {"messageCreate": {"senderId": number_of(people[number]), "createdAt": _iso(at),
                               "id": _tweet_id(at, 1), "text": SECRETS[3]}}
            for number, at in group.messages
        ]  # fmt: skip
        number = str(1_500_000_000_000_000_000 + group.number)
        made.append({"dmConversation": {"conversationId": number, "messages": said}})
    return made


def _tweet(at: datetime, number: int, text: str, named: Collection[Account] = ()) -> _Tweet:
    mentions = [
        {"name": one.name, "screen_name": one.handle, "indices": ["0", "5"],
         "id_str": number_of(one), "id": number_of(one)}
        for one in named
    ]  # fmt: skip
    return {
        "id_str": _tweet_id(at, number), "id": _tweet_id(at, number), "lang": "en",
        "created_at": f"{at:%a %b %d %H:%M:%S} +0000 {at:%Y}", "retweeted": False,
        "full_text": html.escape(text, quote=False), "favorite_count": "0", "retweet_count": "0",
        "entities": {"hashtags": [], "symbols": [], "urls": [], "user_mentions": mentions},
    }  # fmt: skip


def _answer(deed: Deed, target: Account) -> _Tweet:
    """Return a reply; every other one lacks the screen name of whom it answers."""
    tweet = _tweet(deed.at, deed.number, f"@{target.handle} quite so", [target])
    tweet |= {
        "in_reply_to_user_id_str": number_of(target),
        "in_reply_to_user_id": number_of(target),
    }
    tweet["in_reply_to_status_id_str"] = _tweet_id(deed.at - timedelta(minutes=5), deed.number)
    if deed.number % 2:
        tweet["in_reply_to_screen_name"] = target.handle
    return tweet


def _all_tweets(life: Life) -> list[tuple[datetime, _Tweet]]:
    """Return the ego's posts, answers, mentions and what it passed on, newest first."""
    found = []
    for post in life.posts:
        tweet = _tweet(post.at, post.number, post.text)
        tweet |= {"favorite_count": str(post.like_count), "retweet_count": str(post.share_count)}
        if post.is_reply:
            me = {"in_reply_to_user_id_str": number_of(life.ego)}
            tweet |= me | {"in_reply_to_screen_name": life.ego.handle}
        found.append((post.at, tweet))
    for deed, target in ego_deeds(life, _ACTS):
        if deed.kind in _REPLIES:
            tweet = _answer(deed, target)
        elif deed.kind == "mention":
            tweet = _tweet(deed.at, deed.number, f"with @{target.handle} today", [target])
        else:
            tweet = _tweet(deed.at, deed.number, f"RT @{target.handle}: look at this", [target])
        found.append((deed.at, tweet))
    return sorted(found, key=lambda pair: pair[0], reverse=True)


def _tweet_halves(life: Life, faults: Collection[str]) -> tuple[list[_Tweet], list[_Tweet]]:
    """Return the tweets of both parts, with the odd ones in the first."""
    tweets = [tweet for _, tweet in _all_tweets(life)]
    half = (len(tweets) + 1) // 2
    odd = []
    if "mention_gone" in faults:
        tweet = _tweet(_named_gone_at(life), 4001, _NAMES_GONE)
        gone = {"name": "Gone", "screen_name": "gone_one", "indices": ["5", "14"],
                "id_str": "-1", "id": "-1"}  # fmt: skip
        tweet["entities"]["user_mentions"].append(gone)
        odd.append(tweet)
    if "impossible_times" in faults:
        for number, year in ((4002, "1997"), (4003, "2003")):
            tweet = _tweet(life.exported_at - timedelta(hours=number - 4000), number, "odd")
            odd.append(tweet | {"created_at": f"Mon Mar 03 03:03:03 +0000 {year}"})
    return odd + tweets[:half], tweets[half:]


def _named_gone_at(life: Life) -> datetime:
    """Return when the ego named an account that is gone."""
    return life.exported_at - timedelta(hours=1)


def _second_part(life: Life) -> set[datetime]:
    """Return the moments of the tweets that lie in the second file."""
    moments = [at for at, _ in _all_tweets(life)]
    return set(moments[(len(moments) + 1) // 2 :])


def _manifest(life: Life, lists: Mapping[str, tuple[str, int, list[Any]]]) -> bytes:
    """Return the manifest, which lists every data file by its type."""
    types: dict[str, Any] = {}
    for name, (kind, part, rows) in lists.items():
        words = kind.split("_")
        key = words[0] + "".join(word.title() for word in words[1:])
        row = {"fileName": f"data/{name}.js", "globalName": f"YTD.{kind}.part{part}",
               "count": str(len(rows))}  # fmt: skip
        types.setdefault(key, {"files": []})["files"].append(row)
    types["tweets"]["mediaDirectory"] = "data/tweets_media"
    types["smartblock"] = {}
    ego = life.ego
    made = {
        "userInfo": {"accountId": number_of(ego), "userName": ego.handle, "displayName": ego.name},
        "archiveInfo": {"sizeBytes": "12345", "generationDate": _iso(life.exported_at),
                        "isPartialArchive": False},
        "readmeInfo": {"fileName": "data/README.txt", "name": "README.txt"},
        "dataTypes": types,
    }  # fmt: skip
    return f"window.__THAR_CONFIG = {_text(made)}".encode()


def _csv_files(life: Life) -> dict[str, bytes]:
    """Return the layout of before 2018: a table of tweets and a script a month."""
    post = life.posts[0]
    rows = f'"tweet_id","timestamp","text"\n"{_tweet_id(post.at, 1)}","{post.at} +0000","hello"\n'
    months = f"Grailbird.data.tweets_{post.at:%Y_%m} = []\n"
    return {"tweets.csv": rows.encode(), f"data/js/tweets/{post.at:%Y_%m}.js": months.encode(),
            "data/js/user_details.js": b"var user_details = {}\n",
            "index.html": b"<!doctype html>"}  # fmt: skip
