"""Bluesky: a repository file (`repo.car`) → what the ego did; followers stand elsewhere.

A repository holds the ego's own records only: follows, likes, reposts, posts, blocks. Who follows
the ego is in other people's repositories; the public API tells it (`followkit.live.bluesky`).

The key of a record is a time (TID). It is preferred to `createdAt`, which the program that wrote
the record may have set to anything. Keys stand in the tree (MST) that leads to the records.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from followkit.errors import InputError
from followkit.sources.exports.bluesky_car import Car, Link, looks_like_car, read_car
from followkit.sources.exports.bluesky_ids import (
    EARLIEST,
    account_of_uri,
    is_did,
    time_of_tid,
)
from followkit.sources.exports.careful_json import clean_text
from followkit.sources.exports.found import (
    Act,
    Check,
    FileRead,
    Found,
    Listed,
    Mark,
    Person,
    Post,
    Tie,
)
from followkit.sources.exports.members import Member, Members
from followkit.sources.exports.moments import LATEST, in_utc, read_moment

__all__ = ["read_bluesky", "recognise"]

FOLLOW, BLOCK = "app.bsky.graph.follow", "app.bsky.graph.block"
LIKE, REPOST, POST = "app.bsky.feed.like", "app.bsky.feed.repost", "app.bsky.feed.post"
PROFILE = "app.bsky.actor.profile"
WANTED = (FOLLOW, BLOCK, LIKE, REPOST, POST, PROFILE)
MENTION = "app.bsky.richtext.facet#mention"

#: A key and a `createdAt` further apart than this are not the same moment.
APART = timedelta(days=2)
FUTURE = timedelta(days=1)
#: Keys of records are much shorter; 1,024 bytes is the protocol's bound for a path.
LONGEST_KEY = 1_100
#: One content may stand under several keys, but not so often that reading it all takes for ever.
MOST_READ_AGAIN = 8
FREE_BYTES = 1_000_000

Stamped = TypeVar("Stamped", Tie, Mark, Act, Post)


def recognise(members: Members) -> bool:
    """Return whether the files are a Bluesky repository: `*.car`, or one file that begins so."""
    return bool(_find_cars(members))


def read_bluesky(
    members: Members, *, ego: str | None = None, exported_at: datetime | None = None
) -> Found:
    """Read a repository file.

    Parameters
    ----------
    members
        The files of the export; one of them is the repository.
    ego
        The owner's DID, if it is not to be taken from the file; a handle is kept as the handle.
    exported_at
        When the file was downloaded (UTC). Without it the time of the last change in it, which
        may be much earlier; a check says so.

    Returns
    -------
    Found
        Follows of the ego with times (UTC, microseconds; keys before `createdAt`), blocks, and acts
        like, share (reposts and quotes), reply and mention. The followers list is absent, which a
        check of verdict refuse says together with what to do.

    Raises
    ------
    InputError
        If there is no repository, more than one, or it is damaged or cut off.

    Examples
    --------
    >>> read_bluesky(Members((), (), None))
    Traceback (most recent call last):
        ...
    followkit.errors.InputError: No Bluesky repository is among the files (0, looked for *.car)...
    """
    member, content = _take_car(members)
    car = read_car(content, member.name)
    commit = _find_commit(car)
    work = _Reading(car, member.path, _choose_ego(ego, commit, car))
    work.read(commit, len(content))
    return work.finish(ego, exported_at, commit)


# -------------------------------------------------------------------------------------- the file


def _find_cars(members: Members) -> list[Member]:
    named = [member for member in members if member.name.lower().endswith(".car")]
    if named or len(members.files) != 1 or "." in members.files[0].name.lstrip("."):
        return named
    # A browser may have saved it without its suffix.
    try:
        return [one for one in members if looks_like_car(one.read_bytes())]
    except InputError:
        return []


def _take_car(members: Members) -> tuple[Member, bytes]:
    cars = _find_cars(members)
    if not cars:
        raise InputError(
            f"No Bluesky repository is among the files ({len(members.files)}, looked for *.car); "
            "in the app choose Settings, Account, Export my data"
        )
    contents = {member.read_bytes(): member for member in cars}
    if len(contents) > 1:
        names = ", ".join(member.name for member in cars[:3])
        raise InputError(f"{len(contents)} Bluesky repositories ({names}); give one account's file")
    content, member = next(iter(contents.items()))
    return member, content


def _find_commit(car: Car) -> dict[str, Any]:
    """Return the signed entry that names the owner and the tree; empty where the file has none."""
    for root in car.roots:
        if root in car.blocks:
            commit = car.decode(root)
            if isinstance(commit, dict) and isinstance(commit.get("did"), str):
                return commit
    return {}


def _choose_ego(ego: str | None, commit: dict[str, Any], car: Car) -> str:
    if ego and is_did(ego):
        return ego
    owner = commit.get("did", "")
    if is_did(owner):
        return str(owner)
    raise InputError(
        f"{car.name}: the file does not say whose repository it is; give the account's DID as ego"
    )


# ----------------------------------------------------------------------------------- the records


@dataclass
class _Reading:
    """The state of reading one repository."""

    car: Car
    file: str
    ego: str
    found: Found = field(default_factory=lambda: Found("bluesky"))
    counts: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    missing: int = 0
    apart: int = 0
    by_date: int = 0
    has_keys: bool = True

    def read(self, commit: dict[str, Any], size: int) -> None:
        """Read every record that the tree leads to, or every record at all if there is no tree."""
        root = commit.get("data")
        self.has_keys = isinstance(root, Link) and root in self.car.blocks
        records = (
            self._walk(root, size) if isinstance(root, Link) and self.has_keys else self._scan()
        )
        for collection, key, record in records:
            if collection not in WANTED:
                self.left_out["records of other kinds, not opened"] += 1
            elif not isinstance(record, dict) or record.get("$type", collection) != collection:
                self.left_out["records that are not what their place says"] += 1
            else:
                self.counts[collection] += 1
                self._add(collection, key, record)

    def _walk(self, root: Link, size: int) -> Iterator[tuple[str, str, Any]]:
        """Follow the tree, without recursion; yield collection, key and record."""
        left = size * MOST_READ_AGAIN + FREE_BYTES
        waiting, seen = [root], {root}
        while waiting:
            link = waiting.pop()
            if link not in self.car.blocks:
                self.missing += 1
                continue
            for key, value, below in self._read_node(link):
                if below is not None and below not in seen:
                    seen.add(below)
                    waiting.append(below)
                if value is None:
                    continue
                collection, _, record_key = key.partition("/")
                if collection not in WANTED:
                    yield collection, record_key, None
                elif value not in self.car.blocks:
                    self.missing += 1
                else:
                    left -= len(self.car.blocks[value])
                    if left < 0:
                        raise InputError(f"{self.car.name}: the same records come again and again")
                    yield collection, record_key, self.car.decode(value)

    def _read_node(self, link: Link) -> Iterator[tuple[str, Link | None, Link | None]]:
        """Yield key, record and subtree of a node; a key shares letters with the one before."""
        node = self.car.decode(link)
        entries = node.get("e") if isinstance(node, dict) else None
        if not isinstance(entries, list):
            raise InputError(f"{self.car.name}: a node of the tree is not one")
        yield "", None, _link(node.get("l"))
        before = b""
        for entry in entries:
            shared, rest = (entry.get("p"), entry.get("k")) if isinstance(entry, dict) else (0, 0)
            value = _link(entry.get("v")) if isinstance(entry, dict) else None
            if not isinstance(shared, int) or not isinstance(rest, bytes) or value is None:
                raise InputError(f"{self.car.name}: an entry of the tree is not one")
            if not 0 <= shared <= len(before) or shared + len(rest) > LONGEST_KEY:
                raise InputError(f"{self.car.name}: a key in the tree is broken")
            before = before[:shared] + rest
            yield before.decode("ascii", "replace"), value, _link(entry.get("t"))

    def _scan(self) -> Iterator[tuple[str, str, Any]]:
        """Yield every block that says what it is; keys, and so their times, are unknown."""
        for link in self.car.blocks:
            # The address stands in for the key, so that posts keep ids of their own.
            try:
                record = self.car.decode(link)
            except InputError:
                self.left_out["blocks that are no records"] += 1
                continue
            if isinstance(record, dict) and isinstance(record.get("$type"), str):
                yield record["$type"], link.hex(), record

    def _add(self, collection: str, key: str, record: dict[str, Any]) -> None:
        at = None if collection == PROFILE else self._tell_time(key, record.get("createdAt"))
        uri = f"at://{self.ego}/{collection}/{key}"
        if collection in (FOLLOW, BLOCK):
            self._add_tie(collection, record.get("subject"), at)
        elif collection in (LIKE, REPOST):
            self._add_towards(collection, uri, record.get("subject"), at)
        elif collection == POST:
            self._add_post(uri, record, at)
        else:
            name = record.get("displayName")
            shown = clean_text(name) if isinstance(name, str) and name else None
            self.found.people.append(Person(self.ego, display_name=shown))

    def _tell_time(self, key: str, created: Any) -> datetime | None:
        at, said = time_of_tid(key), read_moment(created)
        if at is None:
            # Years before the network are made up, or were brought along from elsewhere.
            said = said if said is not None and said >= EARLIEST else None
            self.by_date += said is not None
            return said
        self.apart += said is not None and abs(said - at) > APART
        return at

    def _add_tie(self, collection: str, subject: Any, at: datetime | None) -> None:
        if not is_did(subject):
            self.left_out["follows and blocks of no account"] += 1
        elif collection == FOLLOW:
            self.found.ties.append(Tie(self.ego, subject, "follow", at, self.file))
        else:
            self.found.marks.append(Mark(subject, "blocked", at, self.file))

    def _add_towards(self, collection: str, uri: str, subject: Any, at: datetime | None) -> None:
        target = subject.get("uri") if isinstance(subject, dict) else None
        alter = account_of_uri(target)
        if alter is None or target is None:
            self.left_out["likes and reposts of nothing that has an account"] += 1
            return
        self._act(alter, "like" if collection == LIKE else "share", at, target)
        if collection == REPOST:
            self.found.posts.append(
                Post(uri, self.ego, at, self.file, is_repost=True, original_account=alter)
            )

    def _add_post(self, uri: str, record: dict[str, Any], at: datetime | None) -> None:
        reply = record.get("reply")
        parent = reply.get("parent") if isinstance(reply, dict) else None
        answered = account_of_uri(parent.get("uri")) if isinstance(parent, dict) else None
        if answered:
            self._act(answered, "reply", at, uri)
        for account in sorted(_mentioned(record.get("facets"))):
            self._act(account, "mention", at, uri)
        quoted = account_of_uri(_quoted(record.get("embed")))
        if quoted:
            self._act(quoted, "share", at, uri)
        text = record.get("text")
        self.found.posts.append(
            Post(uri, self.ego, at, self.file,
                 text=clean_text(text) if isinstance(text, str) else None,
                 format=_format(record.get("embed")), is_repost=False)
        )  # fmt: skip

    def _act(self, alter: str, kind: str, at: datetime | None, post: str) -> None:
        if alter != self.ego:
            self.found.acts.append(Act(self.ego, alter, kind, at, self.file, post))

    # -------------------------------------------------------------------------- the whole of it

    def finish(
        self, ego: str | None, exported_at: datetime | None, commit: dict[str, Any]
    ) -> Found:
        """Return everything with lists, checks and counts."""
        found = self.found
        found.ego = self.ego
        found.people.insert(0, Person(self.ego, handle=_handle(ego)))
        found.exported_at = in_utc(exported_at) if exported_at else self._last_change(commit)
        found.lists = [self._following(), Listed("followers", "absent", 0, 0, ())]
        found.files.append(
            FileRead(self.file, "records", sum(self.counts.values()), dict(self.left_out))
        )
        found.checks += [*self._check_lists(), *self._check_times(exported_at)]
        owner = commit.get("did")
        if owner and owner != self.ego:
            found.checks.append(
                Check("owner", f"the file is of {owner}, not of {self.ego}", "warn",
                      "Leave ego out to take the owner from the file.")
            )  # fmt: skip
        return found

    def _following(self) -> Listed:
        accounts = {tie.target for tie in self.found.ties}
        timed = {tie.target for tie in self.found.ties if tie.at}
        is_whole = self.has_keys and not self.missing
        return Listed("following", "whole" if is_whole else "cut", len(accounts), len(timed),
                      (self.file,))  # fmt: skip

    def _last_change(self, commit: dict[str, Any]) -> datetime | None:
        revision = commit.get("rev")
        at = time_of_tid(revision) if isinstance(revision, str) else None
        stamps = [tie.at for tie in self.found.ties if tie.at]
        stamps += [post.at for post in self.found.posts if post.at]
        return at or max(stamps, default=None)

    def _check_lists(self) -> Iterator[Check]:
        yield Check(
            "followers list", "not in the file: it holds the owner's own records", "refuse",
            "Fetch it: followkit fetch bluesky HANDLE --out DIR (public, with times in both "
            "directions).",
        )  # fmt: skip
        if self.missing:
            yield Check(
                "parts missing", f"{self.missing:,} blocks that the file refers to are not in it",
                "refuse", "Download the whole repository again.",
            )  # fmt: skip
        if not self.has_keys:
            yield Check(
                "tree", "the file has no tree of keys, so records were taken as they lie", "warn",
                "Times are those that programs wrote; download the repository again.",
            )  # fmt: skip
        again = self.counts[FOLLOW] - len({tie.target for tie in self.found.ties})
        again -= self.left_out["follows and blocks of no account"]
        if again > 0:
            yield Check("duplicated follows", f"{again:,}", "note", "The earliest of each counts.")

    def _check_times(self, exported_at: datetime | None) -> Iterator[Check]:
        if exported_at is None:
            yield Check(
                "time of the export", "taken as the last change in the repository", "note",
                "Give the day of the download if it was much later.",
            )  # fmt: skip
        if self.apart:
            yield Check(
                "times of records", f"createdAt is days from the key in {self.apart:,} records",
                "warn", "The key counts; such records were imported or dated back.",
            )  # fmt: skip
        if self.by_date and self.has_keys:
            yield Check("times without a key", f"{self.by_date:,} records", "note",
                        "Their createdAt counts, which a program set.")  # fmt: skip
        made_at = self.found.exported_at
        limit = min(made_at, LATEST) + FUTURE if made_at else None
        found = self.found
        late = _forget_after(found.ties, limit) + _forget_after(found.marks, limit)
        late += _forget_after(found.acts, limit) + _forget_after(found.posts, limit)
        if late:
            yield Check("future times", f"{late:,} lie more than a day after the export", "warn",
                        "Those times were taken as unknown.")  # fmt: skip


def _forget_after(records: list[Stamped], limit: datetime | None) -> int:
    """Forget times after a moment (clocks were wrong, or keys made up); return how many."""
    count = 0
    for place, one in enumerate(records):
        if limit and one.at and one.at > limit:
            records[place] = replace(one, at=None)
            count += 1
    return count


def _link(value: Any) -> Link | None:
    return value if isinstance(value, Link) else None


def _handle(ego: str | None) -> str | None:
    """Return what was given as ego, if that is a handle."""
    return ego.lstrip("@").lower() if ego and not is_did(ego) else None


def _mentioned(facets: Any) -> set[str]:
    accounts = set()
    for facet in facets if isinstance(facets, list) else []:
        features = facet.get("features") if isinstance(facet, dict) else None
        for feature in features if isinstance(features, list) else []:
            if isinstance(feature, dict) and feature.get("$type") == MENTION:
                account = feature.get("did")
                if is_did(account):
                    accounts.add(account)
    return accounts


def _quoted(embed: Any) -> Any:
    """Return the URI of the post that is quoted; with pictures it stands one level deeper."""
    record = embed.get("record") if isinstance(embed, dict) else None
    if isinstance(record, dict) and isinstance(record.get("record"), dict):
        record = record["record"]
    uri = record.get("uri") if isinstance(record, dict) else None
    # Lists and feeds are embedded in the same way.
    return uri if isinstance(uri, str) and f"/{POST}/" in uri else None


def _format(embed: Any) -> str:
    if isinstance(embed, dict) and isinstance(embed.get("media"), dict):
        embed = embed["media"]
    kind = str(embed.get("$type", "")) if isinstance(embed, dict) else ""
    if kind == "app.bsky.embed.images":
        images = embed.get("images")
        return "carousel" if isinstance(images, list) and len(images) > 1 else "image"
    return {"app.bsky.embed.video": "video", "app.bsky.embed.external": "link"}.get(kind, "text")
