"""What is known while LinkedIn's files are read: the owner, and which name is which profile.

Only files since 2023 give the address of everybody's profile. Older ones give names, which stand
for a profile where one alone is known to have that name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from followkit.sources.exports.found import Found, ListKind, ListState, Verdict
from followkit.sources.exports.linkedin_rows import Record, sent_time, slug_of, squeeze
from followkit.sources.exports.members import Member
from followkit.sources.exports.reading import read_or_report

__all__ = ["Read", "Reading", "is_outgoing", "learn_names", "name_of", "settle_ego", "slugs_in"]

Read = list[tuple[Member, list[Record]]]


@dataclass
class Reading:
    """What is known while the files are read."""

    found: Found
    tables: dict[str, list[Member]]
    #: The ego's own slugs and names; more than one after a change.
    own: set[str] = field(default_factory=set)
    own_names: set[str] = field(default_factory=set)
    names: dict[str, set[str]] = field(default_factory=dict)
    states: dict[ListKind, tuple[ListState, list[str]]] = field(default_factory=dict)
    undated: Counter[str] = field(default_factory=Counter)
    hidden_count: int = 0

    def records(self, kind: str, read: Callable[[Member], list[Record]]) -> Read | None:
        """Return the records of all files of a kind; None if one of them cannot be read."""
        tables = []
        for member in self.tables.get(kind, []):
            verdict: Verdict = "refuse" if kind == "connections" else "warn"
            records = read_or_report(self.found, member, kind, read, verdict=verdict)
            if records is None:
                return None
            tables.append((member, records))
        return tables

    def time(self, text: str, member: Member) -> datetime | None:
        """Return a time, and count those that are written in another form."""
        at = sent_time(text)
        if at is None and text.strip():
            self.undated[member.path] += 1
        return at

    def account(self, url: str, name: str) -> str:
        """Return the slug; without an address the one slug of that name, else the name itself."""
        slugs = self.names.get(name.casefold(), set())
        return slug_of(url) or (next(iter(slugs)) if len(slugs) == 1 else name)


def is_outgoing(record: Record) -> bool:
    """Return whether an invitation, or a message of 2018, is the owner's."""
    return record.get("direction", "").strip().casefold() == "outgoing"


def name_of(record: Record) -> str:
    """Return the name of a connection."""
    return squeeze(f"{record.get('first name', '')} {record.get('last name', '')}")


def slugs_in(addresses: str) -> list[str]:
    """Return the slugs in a list of addresses, of which at most 20,000 letters are looked at."""
    return [slug for one in re.split(r"[,;\s]+", addresses[:20_000]) if (slug := slug_of(one))]


def settle_ego(reading: Reading, given: str | None, invited: Read, messages: Read) -> None:
    """Set the ego: the owner sends the outgoing invitations and receives the incoming ones.

    Before the end of 2023 invitations have no addresses: then it is who writes under that name.
    """
    seen: Counter[str] = Counter()
    for _, records in invited:
        for record in records:
            side, name = ("inviter", "from") if is_outgoing(record) else ("invitee", "to")
            seen[slug_of(record.get(f"{side}profileurl", ""))] += 1
            reading.own_names.add(squeeze(record.get(name, "")).casefold())
    rows = [record for _, records in messages for record in records]
    reading.own_names |= {_writer(record) for record in rows if is_outgoing(record)}
    reading.own_names.discard("")
    wrote = Counter(
        slug_of(record.get("sender profile url", ""))
        for record in rows
        if _writer(record) in reading.own_names
    )
    told = _most(seen) or _most(wrote) or _in_every_conversation(rows)
    said = slug_of(given or "") or (given or "").strip().casefold()
    reading.own = {one for one in (told, said) if one}
    reading.found.ego = said or told or "me"


def _writer(record: Record) -> str:
    return squeeze(record.get("from", "")).casefold()


def _most(seen: Counter[str]) -> str:
    named = {slug: count for slug, count in seen.items() if slug}
    return max(named, key=named.__getitem__, default="")


def _in_every_conversation(rows: list[Record]) -> str:
    """Return the only account that takes part in all of two or more conversations, else ""."""
    rooms: dict[str, set[str]] = {}
    for record in rows:
        people = rooms.setdefault(record.get("conversation id", ""), set())
        people.update(slugs_in(record.get("sender profile url", "")))
        people.update(slugs_in(record.get("recipient profile urls", "")))
    named = [people for people in rooms.values() if people]
    common = set.intersection(*named) if len(named) > 1 else set()
    return common.pop() if len(common) == 1 else ""


def learn_names(reading: Reading, connected: Read, invited: Read, messages: Read) -> None:
    """Remember which slugs a name has, for files that give names only."""
    often: Counter[str] = Counter()
    for _, records in connected:
        for record in records:
            often[name_of(record).casefold()] += 1
            _learn(reading, name_of(record), slug_of(record.get("url", "")))
    for _, records in invited:
        for record in records:
            for name, url in (("from", "inviterprofileurl"), ("to", "inviteeprofileurl")):
                slug = slug_of(record.get(url, ""))
                _learn(reading, squeeze(record.get(name, "")), slug)
    # What a message says of a name is asked for only where no list tells it, and one has that name.
    told = {*reading.names, *reading.own_names, *(one for one in often if often[one] > 1)}
    for _, records in messages:
        for record in records:
            if _writer(record) not in told:
                slug = slug_of(record.get("sender profile url", ""))
                _learn(reading, squeeze(record.get("from", "")), slug)


def _learn(reading: Reading, name: str, slug: str) -> None:
    if name and slug:
        reading.names.setdefault(name.casefold(), set()).add(slug)
