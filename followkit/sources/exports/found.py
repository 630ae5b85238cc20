"""What a reader of a platform's export finds, before it becomes canonical tables.

Plain records of the standard library: every platform's reader returns one `Found`, and
`to_tables` turns it into a `Dataset`. Times are UTC; an unknown time is None, never 0.
Message texts, contacts, e-mail and birth dates have no field here, so they cannot leave a reader.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

__all__ = [
    "Act",
    "Check",
    "FileRead",
    "Found",
    "ListKind",
    "Listed",
    "Mark",
    "Person",
    "Post",
    "Tie",
]

TieKind = Literal["follow", "request", "unfollow"]
#: close_friend and the rest are lists the ego keeps; they say nothing about the alter's choice.
MarkKind = Literal["close_friend", "favorite", "restricted", "hidden_from", "dismissed", "blocked",
                   "muted"]  # fmt: skip
ListKind = Literal["followers", "following", "requests_sent", "requests_received", "unfollowed"]
ListState = Literal["whole", "cut", "absent", "unreadable"]
PersonState = Literal["ok", "deleted", "unknown"]
Verdict = Literal["ok", "note", "warn", "refuse"]


@dataclass(frozen=True, slots=True)
class Tie:
    """source → target: a follow that stands, a request not yet answered, or a follow withdrawn.

    `at` is when it was made (for `unfollow`: when it was withdrawn); `precision_s` in seconds:
    1 for stamps, 60 where only minutes are written, 86,400 for days.
    """

    source: str
    target: str
    kind: TieKind
    at: datetime | None
    file: str
    precision_s: int = 1


@dataclass(frozen=True, slots=True)
class Mark:
    """The ego put an alter on a list of its own (close friends, blocked, …)."""

    alter: str
    kind: MarkKind
    at: datetime | None
    file: str


@dataclass(frozen=True, slots=True)
class Act:
    """One act of `actor` towards `target`; `kind` is one of `schema.KINDS`. Never its text."""

    actor: str
    target: str
    kind: str
    at: datetime | None
    file: str
    post_id: str | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """One post of an account; `text` is what the ego published itself (caption), or None."""

    post_id: str
    account: str
    at: datetime | None
    file: str
    text: str | None = None
    format: str | None = None
    is_repost: bool | None = None
    original_account: str | None = None
    like_count: int | None = None
    comment_count: int | None = None
    share_count: int | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """What an export tells of an account beside its ties. None: not told."""

    account: str
    handle: str | None = None
    display_name: str | None = None
    state: PersonState = "ok"
    is_private: bool | None = None
    is_verified: bool | None = None
    created_at: datetime | None = None
    follower_count: int | None = None
    followee_count: int | None = None
    post_count: int | None = None
    counts_at: datetime | None = None
    bio: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """How far one list can be trusted: `whole`, `cut` (dates filtered, capped), `absent`, …"""

    kind: ListKind
    state: ListState
    count: int
    timed_count: int
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One finding about the export: a name, its value in words, a verdict and what to do.

    `refuse` forbids saying who does not follow back; `warn` stands beside every result.
    """

    name: str
    value: str
    verdict: Verdict
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class FileRead:
    """One file that was read: its records, and how many of them each reason left out."""

    file: str
    what: str
    record_count: int
    left_out: dict[str, int] = field(default_factory=dict)


@dataclass
class Found:
    """All that one export holds of use.

    `ego` is the owner's account id as it stands in the ties ("" until known). `exported_at` is the
    moment at which the lists were read. Lists may hold duplicates; `to_tables` takes them out.
    """

    platform: str
    ego: str = ""
    exported_at: datetime | None = None
    ties: list[Tie] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    lists: list[Listed] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    files: list[FileRead] = field(default_factory=list)

    def listed(self, kind: ListKind) -> Listed:
        """Return the state of a list; absent where no reader spoke of it."""
        found = next((one for one in self.lists if one.kind == kind), None)
        return found or Listed(kind, "absent", 0, 0, ())
