"""Mastodon: the CSV files of Settings > Import and export, and the archive of posts.

No file of Mastodon's holds the followers, and none says when a follow was made. So what an export
can tell is whom the ego follows, and what it did; who follows back needs the server's API
(`followkit.live.mastodon`).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from followkit.errors import InputError
from followkit.sources.exports.careful_json import (
    clean_text,
    decode_text,
    read_json,
    read_text,
)
from followkit.sources.exports.found import (
    Act,
    Check,
    FileRead,
    Found,
    Listed,
    Mark,
    MarkKind,
    Person,
    Tie,
)
from followkit.sources.exports.mastodon_names import host_of, read_address
from followkit.sources.exports.mastodon_outbox import read_likes, read_outbox
from followkit.sources.exports.members import Member, Members
from followkit.sources.exports.moments import in_utc, read_moment

__all__ = ["read_mastodon", "recognise"]

#: A second download is called `following_accounts (1).csv`.
FOLLOWING = re.compile(r"following_accounts[^/]{0,40}\.csv", re.IGNORECASE)
BLOCKED = re.compile(r"blocked_accounts[^/]{0,40}\.csv", re.IGNORECASE)
MUTED = re.compile(r"muted_accounts[^/]{0,40}\.csv", re.IGNORECASE)
#: Bytes that hold the header of a list.
PEEK = 4_096
ARCHIVE = re.compile(r"archive-(\d{14})-[0-9a-f]{8,64}", re.IGNORECASE)
#: Real archives write the list's name twice, the first time empty.
TWICE = re.compile(r'"orderedItems"\s{0,9}:\s{0,9}\[\s{0,9}\]\s{0,9},\s{0,9}(?="orderedItems")')
#: That stands at the head of the file, after the words it uses.
HEAD = 20_000
NO_FOLLOWERS = Check(
    "followers list", "no file of Mastodon's holds it; needs the followers from the API", "refuse",
    "Fetch it from your server: followkit fetch mastodon YOU@SERVER --out DIR.",
)  # fmt: skip


def recognise(members: Members) -> bool:
    """Return whether the files are Mastodon's: the CSV lists, or outbox.json beside actor.json."""
    names = {member.name.lower() for member in members}
    if {"outbox.json", "actor.json"} <= names:
        return True
    if any(FOLLOWING.fullmatch(name) for name in names):
        return True
    only = members.files[0] if len(members.files) == 1 else None
    return only is not None and only.name.lower().endswith(".csv") and _begins_as_list(only)


def read_mastodon(
    members: Members, *, ego: str | None = None, exported_at: datetime | None = None
) -> Found:
    r"""Read Mastodon's CSV lists, its archive, or both together.

    Parameters
    ----------
    members
        The files of the export.
    ego
        The owner's address, `user@domain`. Without it that of actor.json, or "me".
    exported_at
        When it was downloaded (UTC). Without it the time in the archive's name, else the newest
        post, which a check says.

    Returns
    -------
    Found
        Follows without times; blocked and muted; acts reply, mention, share (boosts), message (to
        named people, without text) with times in UTC to the second, like and save without. The
        followers list is always absent, which a check of verdict refuse says.

    Raises
    ------
    InputError
        If nothing of Mastodon's is among the files.

    Examples
    --------
    >>> from followkit.sources.exports.members import Limits
    >>> rows = b"Account address,Show boosts\nbo@town.example,true\ncy,true\n"
    >>> file = Member("following_accounts.csv", len(rows), "mine", lambda: rows)
    >>> found = read_mastodon(Members((file,), ("mine",), Limits()), ego="me@home.example")
    >>> [tie.target for tie in found.ties], found.listed("followers").state
    (['bo@town.example', 'cy@home.example'], 'absent')
    """
    if not recognise(members):
        raise InputError(
            f"No list of Mastodon's is among the files ({len(members.files)}); in Settings, Import "
            "and export, download the follows as CSV (following_accounts.csv), and the archive"
        )
    return _Reading(members).read(ego, exported_at)


@dataclass
class _Reading:
    """The state of reading one export."""

    members: Members
    found: Found = field(default_factory=lambda: Found("mastodon"))
    ego_uri: str = ""
    domainless: int = 0
    known: dict[str, str] = field(default_factory=dict)

    def read(self, ego: str | None, exported_at: datetime | None) -> Found:
        """Read the actor first, as it says which server names without one are of."""
        found = self.found
        actor = self._read_actor()
        given = read_address(ego) if ego else None
        if ego and not given:
            raise InputError(f"ego: {ego!r} is no address of Mastodon's; write user@domain")
        found.ego = given or _address_of_actor(actor) or "me"
        if actor:
            found.people.append(_make_person(found.ego, actor))
        self._read_following()
        self._read_marks(BLOCKED, "blocked")
        self._read_marks(MUTED, "muted")
        self._read_archive()
        found.exported_at = in_utc(exported_at) if exported_at else self._find_moment()
        found.lists.append(Listed("followers", "absent", 0, 0, ()))
        found.checks += self._check()
        return found

    # ------------------------------------------------------------------------------- the lists

    def _read_following(self) -> None:
        files = self._named(FOLLOWING)
        if not files and len(self.members.files) == 1:
            files = [one for one in self.members if one.name.lower().endswith(".csv")]
        if not files:
            self.found.lists.append(Listed("following", "absent", 0, 0, ()))
            self.found.checks.append(
                Check("following list", "following_accounts.csv is not among the files", "refuse",
                      "Download the follows as CSV in Settings, Import and export.")
            )  # fmt: skip
            return
        is_whole = True
        for file in files:
            addresses = self._read_list(file, "follows")
            if addresses is None:
                is_whole = False
                continue
            for address in addresses:
                self.found.ties.append(Tie(self.found.ego, address, "follow", None, file.path))
        count = len({tie.target for tie in self.found.ties} - {self.found.ego})
        paths = tuple(file.path for file in files)
        state = Listed("following", "whole" if is_whole else "unreadable", count, 0, paths)
        self.found.lists.append(state)

    def _read_marks(self, pattern: re.Pattern[str], kind: MarkKind) -> None:
        for file in self._named(pattern):
            for address in self._read_list(file, f"{kind} accounts") or ():
                self.found.marks.append(Mark(address, kind, None, file.path))

    def _read_list(self, file: Member, what: str) -> list[str] | None:
        """Return the addresses in a CSV list, or None, with a check, if it cannot be trusted."""
        try:
            rows = _read_rows(file)
        except InputError as error:
            self._refuse(file, what, str(error))
            return None
        if not rows and what == "follows":
            self._refuse(file, what, f"{file.name}: the file is empty, its header is missing")
            return None
        has_header = bool(rows) and _is_header(rows[0])
        entries = [row[0] for row in rows[has_header:]]
        local = self.found.ego.partition("@")[2]
        addresses = [found for entry in entries if (found := read_address(entry, local))]
        bad = len(entries) - len(addresses)
        if bad and bad * 2 >= len(entries):
            self._refuse(
                file, what, f"{file.name}: {bad:,} of {len(entries):,} rows hold no address"
            )
            return None
        self.domainless += sum("@" not in address for address in addresses)
        left_out = {"rows without an address": bad} if bad else {}
        self.found.files.append(FileRead(file.path, what, len(entries), left_out))
        if bad:
            self.found.checks.append(
                Check("rows without an address", f"{bad:,} in {file.name}", "warn",
                      "Those rows were left out.")
            )  # fmt: skip
        return addresses

    # ----------------------------------------------------------------------------- the archive

    def _read_actor(self) -> dict[str, Any]:
        actor = self._read_object("actor.json", "profile")
        uri = actor.get("id")
        self.ego_uri = uri if isinstance(uri, str) and host_of(uri) else ""
        return actor

    def _read_archive(self) -> None:
        for file in self._exactly("outbox.json"):
            items = self._read_items(file, "posts and boosts")
            if items is None:
                continue
            box = read_outbox(items, self.found.ego, self.ego_uri, file.path)
            self.known |= box.known
            self.found.posts += box.posts
            self.found.acts += box.acts
            self.found.files.append(
                FileRead(file.path, "activities", box.count, dict(box.left_out))
            )
        self._read_uris("likes.json", "like")
        self._read_uris("bookmarks.json", "save")

    def _read_uris(self, name: str, kind: str) -> None:
        for file in self._exactly(name):
            items = self._read_items(file, name.removesuffix(".json"))
            if items is None:
                continue
            acts, unknown = read_likes(items, self.found.ego, kind, file.path, self.known)
            self.found.acts += acts
            left_out = {"addresses that do not name an author": unknown} if unknown else {}
            self.found.files.append(FileRead(file.path, f"{kind}s", len(items), left_out))

    def _read_items(self, file: Member, what: str) -> list[Any] | None:
        """Return the items of a collection, or None, with a check, if it is none."""
        try:
            collection = read_json(_write_once(file))
            items = collection.get("orderedItems") if isinstance(collection, dict) else None
            if not isinstance(items, list):
                raise InputError(f"{file.name}: no orderedItems is in it; the format has changed")
        except InputError as error:
            self._warn(file, what, str(error))
            return None
        total = collection.get("totalItems")
        if isinstance(total, int) and total != len(items):
            self.found.checks.append(
                Check(f"count of {what}", f"{file.name} says {total:,} and holds {len(items):,}",
                      "note", "Common in archives; those that are there count.")
            )  # fmt: skip
        return items

    def _read_object(self, name: str, what: str) -> dict[str, Any]:
        for file in self._exactly(name):
            try:
                value = read_json(file)
            except InputError as error:
                self._warn(file, what, str(error))
                continue
            if isinstance(value, dict):
                return value
            self._warn(file, what, f"{file.name}: no profile is in it; the format has changed")
        return {}

    # ------------------------------------------------------------------------- the whole of it

    def _find_moment(self) -> datetime | None:
        for name in (*self.members.origins, *(member.path for member in self.members)):
            stamp = ARCHIVE.search(name)
            if stamp:
                try:
                    return datetime.strptime(stamp[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
                except ValueError:
                    continue
        stamps = [post.at for post in self.found.posts if post.at]
        stamps += [act.at for act in self.found.acts if act.at]
        self.found.checks.append(
            Check("time of the export",
                  "taken as the newest post" if stamps else "not told by the files", "note",
                  "Give the day of the download.")
        )  # fmt: skip
        return max(stamps, default=None)

    def _check(self) -> Iterator[Check]:
        yield NO_FOLLOWERS
        if self.found.listed("following").count:
            yield Check("times of follows", "Mastodon's files hold none", "note",
                        "Only notifications (API) tell when somebody followed you.")  # fmt: skip
        if self.domainless:
            yield Check(
                "addresses without a server", f"{self.domainless:,} accounts of your own server",
                "note", "Give your address (user@domain) to complete them.",
            )  # fmt: skip
        undated = _count_undated(self.found.acts)
        if undated:
            yield Check("acts without a time", f"{undated:,} likes and bookmarks", "note",
                        "They may have come after the follow.")  # fmt: skip

    def _named(self, pattern: re.Pattern[str]) -> list[Member]:
        return [member for member in self.members if pattern.fullmatch(member.name)]

    def _exactly(self, name: str) -> list[Member]:
        return [member for member in self.members if member.name.lower() == name]

    def _refuse(self, file: Member, what: str, cause: str) -> None:
        self.found.files.append(FileRead(file.path, what, 0, {"unreadable": 1}))
        verdict: Any = "refuse" if what == "follows" else "warn"
        self.found.checks.append(
            Check(f"{what}: unreadable", cause, verdict, "Download this list again.")
        )

    def _warn(self, file: Member, what: str, cause: str) -> None:
        self.found.files.append(FileRead(file.path, what, 0, {"unreadable": 1}))
        self.found.checks.append(
            Check(f"{what}: unreadable", cause, "warn", "Download the archive again.")
        )


def _begins_as_list(file: Member) -> bool:
    content = file.head(PEEK)
    # The last letter may be cut in the middle.
    for cut in range(4):
        with suppress(InputError):
            text = clean_text(decode_text(content[: len(content) - cut], file.path))
            row = next(csv.reader([text.lstrip(" ,\n").partition("\n")[0]]), [])
            return bool(row) and _is_header(row)
    return False


def _read_rows(file: Member) -> list[list[str]]:
    """Return the rows of a CSV file that are not empty."""
    lines = csv.reader(io.StringIO(read_text(file), newline=""), strict=True)
    try:
        return [row for row in lines if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InputError(f"{file.name}: line {lines.line_num}: {error}") from None


def _is_header(row: list[str]) -> bool:
    """Return whether a row names columns; lists shared by hand spell it in several ways."""
    first = row[0].strip().lower()
    return first.startswith("account") and "adress" in first.replace("dd", "d")


def _write_once(file: Member) -> Member:
    """Return a file without the empty list that real archives write before the full one."""

    def read() -> bytes:
        text = read_text(file)
        return (TWICE.sub("", text[:HEAD], count=1) + text[HEAD:]).encode()

    return Member(file.path, file.size, file.origin, read)


def _address_of_actor(actor: dict[str, Any]) -> str | None:
    """Return user@domain; `webfinger` says it where the server's name differs from its address."""
    told = actor.get("webfinger")
    address = read_address(told.removeprefix("acct:")) if isinstance(told, str) else None
    if address and "@" in address:
        return address
    name = actor.get("preferredUsername")
    uris = [uri for key in ("id", "url") if isinstance(uri := actor.get(key), str)]
    host = next((found for uri in uris if (found := host_of(uri))), "")
    return read_address(name, host) if isinstance(name, str) else None


def _make_person(ego: str, actor: dict[str, Any]) -> Person:
    name, locked = actor.get("name"), actor.get("manuallyApprovesFollowers")
    return Person(
        ego, handle=ego, display_name=name if isinstance(name, str) and name else None,
        is_private=locked if isinstance(locked, bool) else None,
        created_at=read_moment(actor.get("published")),
    )  # fmt: skip


def _count_undated(acts: Iterable[Act]) -> int:
    return sum(act.at is None for act in acts)
