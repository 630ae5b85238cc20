"""Bluesky's public API: who follows an account, whom it follows, and since when, both ways.

No login is needed. The keys of follow records are times, and `getRelationships` tells the key of
both directions, so that every follow around the account is timed.

**Consent.** Public does not mean consented: pull the network around an account only if its owner
agreed, keep the folder to yourself, and show pseudonyms in reports.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from followkit.errors import InputError
from followkit.live.http import Client, FetchError, Keep, Pace, Query, RefusedError
from followkit.live.pull import About, Pull, judge_list, note_pages, open_pull, write_tables
from followkit.sources.exports.bluesky_ids import account_of_uri, is_did, time_of_uri
from followkit.sources.exports.found import Act, Check, Person, Post, Tie
from followkit.sources.exports.moments import read_moment

__all__ = ["BASE_URL", "fetch_bluesky"]

BASE_URL = "https://public.api.bsky.app"
SPACES = {"getProfiles": "actor", "getAuthorFeed": "feed"}
LIST_LIMIT, PROFILE_LIMIT, OTHERS_LIMIT = 100, 25, 30
#: Pages of posts; a hundred posts each.
MOST_POST_PAGES = 50
#: Who sets this label asks not to be shown to people who are not logged in.
HIDDEN_LABEL = "!no-unauthenticated"

POST_COUNTS = ("likeCount", "repostCount", "replyCount")

Relation = tuple[str | None, str | None]


def fetch_bluesky(
    actor: str,
    folder: str | Path,
    *,
    base_url: str = BASE_URL,
    neighbours: int = 0,
    posts: bool = False,
    pace: Pace | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> Path:
    """Fetch the timed follows around one account into a folder that `load_dataset` reads.

    Do this only with the consent of the account's owner. The accounts around it were not asked:
    keep the folder private and show pseudonyms only.

    A run that breaks can be started again with the same folder: pages that are there are not asked
    for again. For a new pull give a new folder.

    Parameters
    ----------
    actor
        A handle (`ana.bsky.social`) or DID.
    folder
        For the pages and tables; new, or that of the same account's unfinished pull.
    base_url
        The API's server.
    neighbours
        Also fetch the follows among this many of the accounts around it. They are the first in
        order of their DIDs, which is as good as drawing lots. n of them cost about n²/60 requests.
    posts
        Also fetch the account's own posts (times, counts, whom they answer; no text).
    pace
        How fast and how much may be asked.
    sleep
        How to wait; for tests.

    Returns
    -------
    Path
        The folder. Follows carry times in UTC to the microsecond; those made after the pull was
        begun are left out. Every account counts as watched from the first follow to the begin of
        the pull; withdrawn follows are unseen.

    Raises
    ------
    InputError
        If there is no such account, or the folder holds something else.
    FetchError
        If the server cannot be asked now.

    Examples
    --------
    >>> fetch_bluesky("not a handle", "pull")
    Traceback (most recent call last):
        ...
    followkit.errors.InputError: actor: 'not a handle' is neither a handle (ana.bsky.social) nor ...
    """
    name = actor.strip().removeprefix("@")
    name = name if is_did(name) else name.lower()
    if not is_did(name) and not _is_handle(name):
        raise InputError(f"actor: {actor!r} is neither a handle (ana.bsky.social) nor a DID")
    if neighbours < 0:
        raise InputError(f"neighbours: must be 0 or more, not {neighbours}")
    client = Client(Path(folder), base_url, pace=pace, sleep=sleep)
    with open_pull(folder, "bluesky", name, client.base_url) as pull:
        _Fetching(client, pull).fetch(name, neighbours, posts)
        return write_tables(pull, _describe(pull, neighbours))


def _is_handle(name: str) -> bool:
    allowed = name.replace("-", "").replace(".", "")
    return "." in name and len(name) <= 253 and allowed.isalnum() and allowed.isascii()


def _describe(pull: Pull, neighbours: int) -> About:
    among = (
        f"Follows among {neighbours:,} of the accounts around it were read, too." if neighbours
        else "Follows among the accounts around it were not read."
    )  # fmt: skip
    return About(
        title="Follows around one Bluesky account",
        source="public API of Bluesky (app.bsky.graph.getFollowers, getFollows, getRelationships)",
        licence="none given: public records of people; keep them to yourself",
        notes=(
            f"Begun at {pull.begun_at.isoformat()}; follows made later are left out.",
            f"Other follows of the accounts around it are unseen. {among}",
            "Withdrawn follows leave no trace; deleted and hidden accounts are missing.",
            "Times are those of the record's key, which the program that wrote it has set.",
            "Public does not mean consented: show pseudonyms only.",
        ),
    )


@dataclass
class _Fetching:
    """The state of one pull."""

    client: Client
    pull: Pull
    ego: str = ""
    untimed: int = 0
    later: int = 0
    withdrawn: int = 0
    files: tuple[str, ...] = ("pages/getFollowers", "pages/getFollows", "pages/getRelationships")
    relations: dict[str, Relation] = field(default_factory=dict)

    def fetch(self, actor: str, neighbours: int, posts: bool) -> None:
        """Fetch lists, relations, profiles, and what else was asked for."""
        owner = self._profile(actor)
        self.ego = self.pull.found.ego = owner["did"]
        followers = self._list("getFollowers", "followers")
        followees = self._list("getFollows", "follows")
        alters = sorted({*followers, *followees} - {self.ego})
        self.relations = self._relate(self.ego, alters)
        self._add_ties(set(followers), set(followees), alters)
        self._judge_lists(owner)
        for first, other, relation in self._among(alters[:neighbours]):
            self._add_pair(first, other, relation)
        self._add_people(owner, alters, {**followers, **followees})
        if posts:
            self._add_posts()
        self.pull.found.checks += self._check()

    # ------------------------------------------------------------------------------------ asking

    def _ask(self, method: str, query: Query, keep: Keep) -> Any:
        space = SPACES.get(method, "graph")
        page = self.client.get(f"/xrpc/app.bsky.{space}.{method}", query, keep=keep)
        self.pull.note_page(page.asked_at)
        return page.body

    def _pages(self, method: str, query: Query, keep: Keep) -> Iterator[Any]:
        """Yield all pages of a list; each names the cursor of the next."""
        cursor, seen = "", set()
        while True:
            more = [("cursor", cursor)] if cursor else []
            page = self._ask(method, [*query, ("limit", str(LIST_LIMIT)), *more], keep)
            yield page
            cursor = page.get("cursor", "")
            if not cursor:
                return
            if cursor in seen:
                raise FetchError(f"{method}: the server goes round in circles; try again later")
            seen.add(cursor)

    def _profile(self, actor: str) -> dict[str, Any]:
        try:
            found = self._ask("getProfiles", [("actors", actor)], _keep_profiles)["profiles"]
        except RefusedError as error:
            if error.status != 400:
                raise
            found = []
        if not found:
            raise InputError(f"actor: there is no account {actor!r} (any more), or it is hidden")
        return dict(found[0])

    def _list(self, method: str, name: str) -> dict[str, dict[str, Any]]:
        people: dict[str, dict[str, Any]] = {}
        try:
            for page in self._pages(method, [("actor", self.ego)], _keep_list(name)):
                people |= {one["did"]: one for one in page[name]}
        except RefusedError as error:
            raise InputError(f"{error}; the account may block or hide its lists") from None
        note_pages(self.pull, method, len(people))
        return people

    def _relate(self, first: str, others: Sequence[str]) -> dict[str, Relation]:
        """Return, for each other account, the follow records there and back; none if it is gone."""
        relations: dict[str, Relation] = {}
        for start in range(0, len(others), OTHERS_LIMIT):
            part = others[start : start + OTHERS_LIMIT]
            query = [("actor", first), *(("others", one) for one in part)]
            told = self._ask("getRelationships", query, _keep_relations)["relationships"]
            for one in told:
                if one["did"] in part:
                    relations[one["did"]] = (one.get("following"), one.get("followedBy"))
        return relations

    def _among(self, chosen: Sequence[str]) -> Iterator[tuple[str, str, Relation]]:
        """Yield every pair of the chosen accounts once, with its follow records."""
        for place, first in enumerate(chosen[:-1]):
            try:
                relations = self._relate(first, chosen[place + 1 :])
            except RefusedError as error:
                if error.status not in (400, 404):
                    raise
                continue
            for other, relation in relations.items():
                yield first, other, relation

    # ---------------------------------------------------------------------------------- what it is

    def _add_ties(self, followers: set[str], followees: set[str], alters: Sequence[str]) -> None:
        """Add the ego's ties: what the relation says, or the list where the account is gone."""
        for alter in alters:
            if alter in self.relations:
                there, back = self.relations[alter]
                self.withdrawn += alter in followees and not there
                self.withdrawn += alter in followers and not back
                self._add_pair(self.ego, alter, (there, back))
                continue
            self.pull.found.people.append(Person(alter, state="unknown"))
            if alter in followees:
                self._add_tie(self.ego, alter, None)
            if alter in followers:
                self._add_tie(alter, self.ego, None)

    def _add_pair(self, first: str, other: str, relation: Relation) -> None:
        there, back = relation
        if there:
            self._add_tie(first, other, there)
        if back:
            self._add_tie(other, first, back)

    def _add_tie(self, source: str, target: str, uri: str | None) -> None:
        at = time_of_uri(uri) if account_of_uri(uri) == source else None
        if at is not None and at > self.pull.begun_at:
            self.later += 1
            return
        self.untimed += at is None
        self.pull.found.ties.append(Tie(source, target, "follow", at, self.files[2]))

    def _judge_lists(self, owner: dict[str, Any]) -> None:
        ties = self.pull.found.ties
        for kind, told, side in (("following", "followsCount", "source"),
                                 ("followers", "followersCount", "target")):  # fmt: skip
            mine = [tie for tie in ties if getattr(tie, side) == self.ego]
            timed = sum(tie.at is not None for tie in mine)
            listed, checks = judge_list(
                "following" if kind == "following" else "followers", len(mine), timed,
                owner.get(told), self.files,
            )  # fmt: skip
            self.pull.found.lists.append(listed)
            self.pull.found.checks += checks

    def _add_people(
        self, owner: dict[str, Any], alters: Sequence[str], listed: dict[str, dict[str, Any]]
    ) -> None:
        people = self.pull.found.people
        people.append(_make_person(owner, self.pull.begun_at))
        hidden = 0
        for start in range(0, len(alters), PROFILE_LIMIT):
            query = [("actors", one) for one in alters[start : start + PROFILE_LIMIT]]
            for profile in self._ask("getProfiles", query, _keep_profiles)["profiles"]:
                people.append(_make_person(profile, self.pull.begun_at))
                hidden += bool(profile.get("hidden"))
        people += [_make_person(one, None) for one in listed.values()]
        note_pages(self.pull, "getProfiles", len(alters))
        if hidden:
            self.pull.found.checks.append(
                Check("asked not to be shown", f"{hidden:,} accounts (to people not logged in)",
                      "warn", "Never show their names.")
            )  # fmt: skip

    def _add_posts(self) -> None:
        found, count = self.pull.found, 0
        pages = self._pages("getAuthorFeed", [("actor", self.ego)], _keep_feed)
        for number, page in enumerate(pages, start=1):
            for post, act in filter(None, (_read_post(one, self.ego) for one in page["feed"])):
                if post.at is None or post.at <= self.pull.begun_at:
                    found.posts.append(post)
                    found.acts += [act] if act and act.target != self.ego else []
                    count += 1
            if number == MOST_POST_PAGES:
                found.checks.append(
                    Check("posts", f"cut after {count:,}", "note", "Older posts were not read.")
                )
                break
        note_pages(self.pull, "getAuthorFeed", count)

    def _check(self) -> Iterator[Check]:
        if self.untimed:
            yield Check("follows without a time", f"{self.untimed:,}", "note",
                        "Their account is gone, or the record's key holds no time.")  # fmt: skip
        if self.later:
            yield Check("follows during the pull", f"{self.later:,} left out", "note",
                        "They were made after it was begun.")  # fmt: skip
        if self.withdrawn:
            yield Check("lists and relations", f"differ for {self.withdrawn:,} follows", "note",
                        "Withdrawn during the pull, or hidden by a block: left out.")  # fmt: skip


# -------------------------------------------------------------------------- what is kept of a page


def _keep_profiles(body: Any) -> dict[str, Any]:
    return {"profiles": [_keep_person(one) for one in _records(body, "profiles")]}


def _keep_list(name: str) -> Keep:
    def keep(body: Any) -> dict[str, Any]:
        return {name: [_keep_person(one) for one in _records(body, name)], **_cursor(body)}

    return keep


def _keep_person(one: dict[str, Any]) -> dict[str, Any]:
    """Keep id, handle, counts and age of an account; neither its name nor its words."""
    if not is_did(one.get("did")):
        raise InputError("an account has no DID")
    kept: dict[str, Any] = {"did": one["did"]}
    for name in ("handle", "createdAt"):
        if isinstance(one.get(name), str):
            kept[name] = one[name][:260]
    for name in ("followersCount", "followsCount", "postsCount"):
        if type(one.get(name)) is int and one[name] >= 0:
            kept[name] = one[name]
    labels = one.get("labels")
    labels = labels if isinstance(labels, list) else []
    asked = any(isinstance(label, dict) and label.get("val") == HIDDEN_LABEL for label in labels)
    return {**kept, "hidden": True} if asked or one.get("hidden") is True else kept


def _keep_relations(body: Any) -> dict[str, Any]:
    kept = []
    for one in _records(body, "relationships"):
        # Accounts that are gone come as notFoundActor, without a DID.
        if is_did(one.get("did")):
            uris = {name: one[name] for name in ("following", "followedBy")
                    if account_of_uri(one.get(name)) is not None}  # fmt: skip
            kept.append({"did": one["did"], **uris})
    return {"relationships": kept}


def _keep_feed(body: Any) -> dict[str, Any]:
    """Keep of each post when, its counts and whom it answers; not what it says."""
    kept = [one for item in _records(body, "feed") if (one := _keep_post(item)) is not None]
    return {"feed": kept, **_cursor(body)}


def _keep_post(item: dict[str, Any]) -> dict[str, Any] | None:
    post = _post_of(item) if "post" in item else item
    if account_of_uri(post.get("uri")) is None:
        return None
    kept: dict[str, Any] = {"uri": post["uri"]}
    for name in ("createdAt", "repost", "repostedAt", "parent"):
        if isinstance(post.get(name), str):
            kept[name] = post[name][:400]
    for name in POST_COUNTS:
        if type(post.get(name)) is int and post[name] >= 0:
            kept[name] = post[name]
    return {**kept, "reposted": True} if post.get("reposted") is True else kept


def _post_of(item: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of use from a post as the API nests them."""
    post, reason = _object(item.get("post")), _object(item.get("reason"))
    record = _object(post.get("record"))
    found = {name: post.get(name) for name in ("uri", *POST_COUNTS)}
    found["createdAt"] = record.get("createdAt")
    found["parent"] = _object(_object(record.get("reply")).get("parent")).get("uri")
    if str(reason.get("$type", "")).endswith("#reasonRepost"):
        found |= {"reposted": True, "repost": reason.get("uri"),
                  "repostedAt": reason.get("indexedAt")}  # fmt: skip
    return found


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _read_post(one: dict[str, Any], ego: str) -> tuple[Post, Act | None] | None:
    """Return a post of the ego and the act in it: whom it answers, or whom it shares."""
    uri, repost, file = one["uri"], one.get("repost"), "pages/getAuthorFeed"
    author = account_of_uri(uri)
    if one.get("reposted") is True and author:
        at = time_of_uri(repost) or read_moment(one.get("repostedAt"))
        # Older answers do not name the repost's own record.
        post_id = repost if repost and account_of_uri(repost) else f"{uri}#repost"
        post = Post(post_id, ego, at, file, is_repost=True, original_account=author)
        return post, Act(ego, author, "share", at, file, uri)
    if author != ego:
        return None
    at = time_of_uri(uri) or read_moment(one.get("createdAt"))
    post = Post(
        uri, ego, at, file, is_repost=False, like_count=one.get("likeCount"),
        comment_count=one.get("replyCount"), share_count=one.get("repostCount"),
    )  # fmt: skip
    target = account_of_uri(one.get("parent"))
    return post, Act(ego, target, "reply", at, file, uri) if target else None


def _records(body: Any, name: str) -> list[dict[str, Any]]:
    records = body.get(name) if isinstance(body, dict) else None
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise InputError(f"no list of {name} is in the page")
    return records


def _cursor(body: dict[str, Any]) -> dict[str, str]:
    cursor = body.get("cursor")
    return {"cursor": cursor} if isinstance(cursor, str) and cursor else {}


def _make_person(one: dict[str, Any], at: datetime | None) -> Person:
    return Person(
        one["did"], handle=one.get("handle"), created_at=read_moment(one.get("createdAt")),
        follower_count=one.get("followersCount"), followee_count=one.get("followsCount"),
        post_count=one.get("postsCount"), counts_at=at,
    )  # fmt: skip
