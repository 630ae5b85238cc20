"""The records of a simulated life: accounts, their ties to the ego, deeds, posts and talk.

A `Life` is made once and written by any platform's writer; reading the files back must give the
part of it that the platform tells. Times are UTC and whole seconds. Readers never import this.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

__all__ = ["DOMAINS", "EGO", "Account", "Alter", "Deed", "Expected", "Group", "Life", "OwnPost"]

#: The ego's own number in `Deed.actor` and `Deed.target`; alters count from 1.
EGO = 0
DOMAINS = ("example.social", "fediverse.example", "mastodon.example")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who somebody is; `handle` as its owner types it, in mixed case."""

    number: int
    handle: str
    name: str
    domain: str = DOMAINS[0]
    is_private: bool = False

    @property
    def account(self) -> str:
        """The handle in lower case: the canonical id of most platforms."""
        return self.handle.lower()

    @property
    def did(self) -> str:
        """A `did:plc:` of 24 letters (Bluesky)."""
        made = hashlib.sha256(f"did {self.number} {self.handle}".encode()).digest()
        return "did:plc:" + base64.b32encode(made).decode().lower()[:24]

    @property
    def address(self) -> str:
        """`handle@domain` in lower case (Mastodon), with underscores for dots."""
        return f"{self.account.replace('.', '_')}@{self.domain}"

    @property
    def slug(self) -> str:
        """The handle with hyphens only (LinkedIn, GitHub)."""
        return self.account.replace(".", "-").replace("_", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alter(Account):
    """An account around the ego, and every tie between the two. None: it never happened.

    `following_at` is the ego's standing follow, `follower_at` the alter's. An alter that followed
    and left again has `was_follower_at` and `left_at`, of which no export tells; one whom the ego
    unfollowed has `was_following_at` and `unfollowed_at`. Before `renamed_at` an alter had its
    `former_handle`.
    """

    following_at: datetime | None = None
    follower_at: datetime | None = None
    request_at: datetime | None = None
    received_at: datetime | None = None
    unfollowed_at: datetime | None = None
    left_at: datetime | None = None
    was_following_at: datetime | None = None
    was_follower_at: datetime | None = None
    former_handle: str | None = None
    renamed_at: datetime | None = None
    is_deleted: bool = False
    is_automatic: bool = False
    ego_first: bool = True
    marks: tuple[tuple[str, datetime], ...] = ()

    @property
    def is_pending(self) -> bool:
        """Whether the ego's request waits for an answer."""
        return self.request_at is not None and self.following_at is None


@dataclass(frozen=True, slots=True)
class Deed:
    """One act of `actor` towards `target` (numbers; 0 is the ego).

    `kind` is one of `schema.KINDS`; `where` says on what: post, reel, comment, like,
    quick_reaction, poll, answer (of a story), message. A reaction names its message in `answers`.
    """

    number: int
    actor: int
    target: int
    kind: str
    where: str
    at: datetime
    answers: int | None = None


@dataclass(frozen=True, slots=True)
class OwnPost:
    """A post of the ego; `format` is image, carousel, video (a reel) or story."""

    number: int
    at: datetime
    text: str
    format: str
    is_reply: bool = False
    like_count: int = 0
    comment_count: int = 0
    share_count: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """A conversation of more than two, which says nothing about any pair."""

    number: int
    title: str
    members: tuple[int, ...]
    messages: tuple[tuple[int, datetime], ...]


@dataclass(frozen=True, slots=True)
class Life:
    """The simulated truth: the ego, its alters, what they did, and what was planted.

    Examples
    --------
    >>> from followkit.simulate.exports.life import make_life
    >>> life = make_life(seed=1, alter_count=40)
    >>> len(life.alters), life.ego.number
    (40, 0)
    >>> all(alter.follower_at for alter in life.mutuals())
    True
    """

    seed: int
    exported_at: datetime
    ego: Account
    alters: tuple[Alter, ...]
    deeds: tuple[Deed, ...] = ()
    posts: tuple[OwnPost, ...] = ()
    groups: tuple[Group, ...] = ()
    truth: Mapping[str, Any] = field(default_factory=dict)

    def who(self, number: int) -> Account:
        """Return the account of that number; 0 is the ego."""
        if number == EGO:
            return self.ego
        return next(alter for alter in self.alters if alter.number == number)

    def by_number(self) -> dict[int, Account]:
        """Return every account by its number."""
        return {self.ego.number: self.ego, **{alter.number: alter for alter in self.alters}}

    def following(self) -> list[Alter]:
        """Return whom the ego follows at the export, newest first."""
        return _newest_first(self.alters, "following_at")

    def followers(self) -> list[Alter]:
        """Return who follows the ego at the export, newest first."""
        return _newest_first(self.alters, "follower_at")

    def mutuals(self) -> list[Alter]:
        """Return those with both follows standing."""
        return [alter for alter in self.following() if alter.follower_at]

    def marked(self, kind: str) -> list[tuple[Alter, datetime]]:
        """Return the alters on one of the ego's own lists, newest first."""
        found = [(alter, at) for alter in self.alters for name, at in alter.marks if name == kind]
        return sorted(found, key=lambda pair: pair[1], reverse=True)

    def shrink(self, count: int) -> Life:
        """Return the same life with at most `count` people on any one list or kind of deed."""
        alters = tuple(_shrink_alters(self.alters, count))
        known = {alter.number for alter in alters} | {EGO}
        deeds, seen = [], Counter[tuple[str, str, bool]]()
        for deed in self.deeds:
            key = (deed.kind, deed.where, deed.actor == EGO)
            if {deed.actor, deed.target} <= known and seen[key] < count:
                seen[key] += 1
                deeds.append(deed)
        return replace(self, alters=alters, deeds=tuple(deeds), posts=self.posts[:count], groups=())

    def as_of(self, moment: datetime) -> Life:
        """Return what an export at an earlier moment would have told.

        Follows made later are taken away, those withdrawn later stand again, and a renamed alter
        has its former handle until then.
        """
        alters = tuple(_alter_as_of(alter, moment) for alter in self.alters)
        return replace(
            self,
            exported_at=moment,
            alters=alters,
            deeds=tuple(deed for deed in self.deeds if deed.at <= moment),
            posts=tuple(post for post in self.posts if post.at <= moment),
        )


@dataclass(slots=True)
class Expected:
    """What a right reader finds in a written export, as sets that tests compare.

    ties: (source, target, kind, at); marks: (alter, kind, at); acts: (actor, target, kind, at);
    posts: (at, text); `maybe_acts` may or may not be found (a bridge of names may exist), but no
    act outside `acts | maybe_acts` may be. States by list kind.
    """

    ego: str
    exported_at: datetime | None
    ties: set[tuple[str, str, str, datetime | None]] = field(default_factory=set)
    marks: set[tuple[str, str, datetime | None]] = field(default_factory=set)
    acts: set[tuple[str, str, str, datetime | None]] = field(default_factory=set)
    maybe_acts: set[tuple[str, str, str, datetime | None]] = field(default_factory=set)
    posts: set[tuple[datetime | None, str | None]] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    states: dict[str, str] = field(default_factory=dict)


_LISTS = ("following_at", "follower_at", "request_at", "received_at", "unfollowed_at")


def _alter_as_of(alter: Alter, moment: datetime) -> Alter:
    def before(at: datetime | None) -> datetime | None:
        return at if at and at <= moment else None

    following_at, follower_at = alter.following_at, alter.follower_at
    if alter.unfollowed_at and alter.unfollowed_at > moment:
        following_at = alter.was_following_at
    if alter.left_at and alter.left_at > moment:
        follower_at = alter.was_follower_at
    is_former = alter.renamed_at is not None and alter.renamed_at > moment
    return replace(
        alter,
        handle=alter.former_handle or alter.handle if is_former else alter.handle,
        following_at=before(following_at),
        follower_at=before(follower_at),
        request_at=before(alter.request_at),
        received_at=before(alter.received_at),
        unfollowed_at=before(alter.unfollowed_at),
        left_at=before(alter.left_at),
        marks=tuple(mark for mark in alter.marks if mark[1] <= moment),
    )


def _newest_first(alters: Iterable[Alter], name: str) -> list[Alter]:
    found = [alter for alter in alters if getattr(alter, name)]
    return sorted(found, key=lambda alter: (getattr(alter, name), alter.number), reverse=True)


def _shrink_alters(alters: Iterable[Alter], count: int) -> Iterable[Alter]:
    """Yield the alters, each kept on a list only while that list has room."""
    seen: Counter[str] = Counter()
    for alter in alters:
        changes: dict[str, Any] = {}
        for name in _LISTS:
            if getattr(alter, name):
                seen[name] += 1
                if seen[name] > count:
                    changes[name] = None
        kept = []
        for kind, at in alter.marks:
            seen[kind] += 1
            if seen[kind] <= count:
                kept.append((kind, at))
        yield replace(alter, marks=tuple(kept), **changes)
