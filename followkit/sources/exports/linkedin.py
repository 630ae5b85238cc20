"""The archive of LinkedIn: connections, invitations, follows and messages.

How a connection, which is mutual, becomes a follow and a follow back stands in `linkedin_ties`.
Message texts, companies, positions and e-mail addresses are not read.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

from followkit.errors import InputError
from followkit.sources.exports.found import (
    Act,
    Check,
    FileRead,
    Found,
    ListKind,
    ListState,
    Person,
    Tie,
    TieKind,
    Verdict,
)
from followkit.sources.exports.linkedin_rows import (
    Record,
    find_tables,
    read_table,
    sent_time,
    slug_of,
    squeeze,
)
from followkit.sources.exports.linkedin_ties import (
    DAY_S,
    Connection,
    Invitation,
    match_invitations,
)
from followkit.sources.exports.members import Member, Members
from followkit.sources.exports.reading import add_lists, check_lists, read_or_report, settle_times

__all__ = ["read_linkedin", "recognise"]

OPENED = datetime(2003, 5, 1, tzinfo=UTC)
ASK = (
    "Ask LinkedIn for your data (look for Settings, Data privacy, Get a copy of your data) with at "
    "least Connections and Invitations, and give the zip as it is."
)
_IN_NAME = re.compile(r"LinkedInDataExport_(\d\d)-(\d\d)-(\d{4})", re.IGNORECASE)
_HEADS = (b"connected on", b"inviteeprofileurl")


def recognise(members: Members) -> bool:
    r"""Return whether the files are LinkedIn's, by their names and the headers of their lists.

    Examples
    --------
    >>> from followkit.sources.exports.members import Limits, Member, Members
    >>> text = b"First Name,Last Name,URL,Connected On\n"
    >>> file = Member("Connections.csv", len(text), "", lambda: text)
    >>> recognise(Members((file,), (file.name,), Limits()))
    True
    """
    tables = find_tables(members)
    return any(
        head in member.read_bytes()[:5000].lower()
        for kind in ("connections", "invitations")
        for member in tables.get(kind, [])
        for head in _HEADS
    )


@dataclass
class _Reading:
    """What is known while the files are read."""

    found: Found
    tables: dict[str, list[Member]]
    #: The ego's own slugs; more than one after a rename.
    own: set[str] = field(default_factory=set)
    names: dict[str, set[str]] = field(default_factory=dict)
    states: dict[ListKind, tuple[ListState, list[str]]] = field(default_factory=dict)
    undated: Counter[str] = field(default_factory=Counter)
    hidden_count: int = 0

    def records(self, kind: str, *needed: str) -> list[tuple[Member, list[Record]]] | None:
        """Return the records of all files of a kind; None if one of them cannot be read."""
        read = []
        for member in self.tables.get(kind, []):
            verdict: Verdict = "refuse" if kind == "connections" else "warn"
            records = read_or_report(
                self.found, member, kind, lambda one: read_table(one, *needed), verdict=verdict
            )
            if records is None:
                return None
            read.append((member, records))
        return read

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


def read_linkedin(
    members: Members, *, ego: str | None = None, exported_at: datetime | None = None
) -> Found:
    r"""Read LinkedIn's archive, or its single CSV files.

    Parameters
    ----------
    members
        The files.
    ego
        Slug of the owner's profile (or its address); the one in the invitations without it.
    exported_at
        When the archive was made (UTC); told by the name of the zip, else the newest stamp.

    Returns
    -------
    Found
        An accepted invitation as a follow (to the minute) and its follow back (to the day), one
        without a connection as a request, messages of two (UTC). Files give no time zone for
        invitations and connections: UTC is assumed, which a check says.

    Raises
    ------
    InputError
        If there is neither a connections nor an invitations file.

    Examples
    --------
    >>> from followkit.sources.exports.members import Limits, Member, Members
    >>> text = (b"First Name,Last Name,URL,Connected On\n"
    ...         b"Ana,Lu,https://www.linkedin.com/in/ana-lu,08 Feb 2023\n")
    >>> file = Member("Connections.csv", len(text), "", lambda: text)
    >>> found = read_linkedin(Members((file,), (file.name,), Limits()))
    >>> [(tie.source, tie.target, f"{tie.at:%d %b %Y}") for tie in found.ties]
    [('me', 'ana-lu', '08 Feb 2023'), ('ana-lu', 'me', '08 Feb 2023')]
    """
    tables = find_tables(members)
    if not set(tables) & {"connections", "invitations"}:
        raise InputError(f"Neither Connections.csv nor Invitations.csv is there. {ASK}")
    reading = _Reading(Found("linkedin"), tables)
    found = reading.found
    invited = reading.records("invitations", "sent at", "direction")
    connected = reading.records("connections", "first name", "connected on")
    messages = reading.records("messages", "conversation id", "date")
    _settle_ego(reading, ego, invited or [], messages or [])
    _learn_names(reading, connected or [], invited or [])
    connections = _connections(reading, connected)
    invitations = _invitations(reading, invited)
    _add_ties(reading, connections, invitations)
    # Connecting and inviting make LinkedIn follow, which says nothing new.
    met = {one.alter for one in connections} | {one.alter for one in invitations}
    _add_follows(reading, met)
    _add_messages(reading, messages or [])
    day = _day_in_names(members)
    settle_times(found, given=exported_at, told=day, since=OPENED, is_day=True)
    add_lists(found, reading.states)
    check_lists(found, ASK)
    _check_times(reading)
    return found


def _day_in_names(members: Members) -> datetime | None:
    """Return the day in the name of the zip, which is written month first."""
    tops = {member.path.partition("/")[0] for member in members if "/" in member.path}
    days = []
    for name in [*members.origins, *sorted(tops)]:
        if match := _IN_NAME.search(name):
            try:
                days.append(datetime(int(match[3]), int(match[1]), int(match[2]), tzinfo=UTC))
            except ValueError:
                continue
    return max(days, default=None)


Read = list[tuple[Member, list[Record]]]


# --------------------------------------------------------------------------------- who is who


def _settle_ego(reading: _Reading, given: str | None, invited: Read, messages: Read) -> None:
    """Set the ego: the owner sends the outgoing invitations and receives the incoming ones."""
    seen: Counter[str] = Counter()
    for _, records in invited:
        for record in records:
            side = "inviter" if _is_outgoing(record) else "invitee"
            seen[slug_of(record.get(f"{side}profileurl", ""))] += 1
    del seen[""]
    told = seen.most_common(1)[0][0] if seen else _in_every_conversation(messages)
    said = slug_of(given or "") or (given or "").strip().casefold()
    reading.own = {one for one in (told, said) if one}
    reading.found.ego = said or told or "me"


def _in_every_conversation(messages: Read) -> str:
    """Return the only account that takes part in all of two or more conversations, else ""."""
    rooms: dict[str, set[str]] = {}
    for _, records in messages:
        for record in records:
            people = rooms.setdefault(record.get("conversation id", ""), set())
            people |= {slug for slug in _ends(record) if slug}
    named = [people for people in rooms.values() if people]
    common = set.intersection(*named) if len(named) > 1 else set()
    return common.pop() if len(common) == 1 else ""


def _is_outgoing(record: Record) -> bool:
    return record.get("direction", "").strip().casefold() == "outgoing"


def _name_of(record: Record) -> str:
    return squeeze(f"{record.get('first name', '')} {record.get('last name', '')}")


def _person(alter: str, name: str) -> Person:
    """Return what is told of an alter; one that is known by its name only has no handle."""
    return Person(alter, None if alter == name else alter, name or None)


def _learn_names(reading: _Reading, connected: Read, invited: Read) -> None:
    """Remember which slugs a name has, for files that give names only."""
    for _, records in connected:
        for record in records:
            _learn(reading, _name_of(record), slug_of(record.get("url", "")))
    for _, records in invited:
        for record in records:
            for name, url in (("from", "inviterprofileurl"), ("to", "inviteeprofileurl")):
                slug = slug_of(record.get(url, ""))
                _learn(reading, squeeze(record.get(name, "")), slug)


def _learn(reading: _Reading, name: str, slug: str) -> None:
    if name and slug:
        reading.names.setdefault(name.casefold(), set()).add(slug)


# ----------------------------------------------------------------------- connections, invitations


def _connections(reading: _Reading, connected: Read | None) -> list[Connection]:
    """Return all connections with a name or an address; members who hide theirs are counted."""
    files = [member.path for member in reading.tables.get("connections", [])]
    state: ListState = "unreadable" if connected is None else ("whole" if files else "absent")
    reading.states["followers"] = reading.states["following"] = (state, files)
    kept: list[Connection] = []
    for member, records in connected or []:
        before, hidden = len(kept), 0
        for record in records:
            name = _name_of(record)
            alter = reading.account(record.get("url", ""), name)
            if not alter:
                hidden += 1
                continue
            on = reading.time(record.get("connected on", ""), member)
            kept.append(Connection(alter, on, member.path))
            reading.found.people.append(_person(alter, name))
        left_out = {"the member hides name and address": hidden} if hidden else {}
        reading.hidden_count += hidden
        count = len(kept) - before
        reading.found.files.append(FileRead(member.path, "connections", count, left_out))
    _check_collisions(reading, kept)
    return list({one.alter: one for one in reversed(kept)}.values())[::-1]


def _check_collisions(reading: _Reading, connections: list[Connection]) -> None:
    """Say how many connections share a name, which is all that older files give."""
    often = Counter(one.alter for one in connections)
    twice = [alter for alter, count in often.items() if count > 1 and " " in alter]
    if twice:
        value = f"{len(twice):,} names stand for several connections, which count as one person"
        reading.found.checks.append(Check("equal names", value, "warn", ASK))


def _invitations(reading: _Reading, invited: Read | None) -> list[Invitation]:
    files = [member.path for member in reading.tables.get("invitations", [])]
    state: ListState = "unreadable" if invited is None else ("whole" if files else "absent")
    reading.states["requests_sent"] = reading.states["requests_received"] = (state, files)
    kept: list[Invitation] = []
    for member, records in invited or []:
        before, left_out = len(kept), 0
        for record in records:
            direction = record.get("direction", "").strip().casefold()
            side, name = ("invitee", "to") if direction == "outgoing" else ("inviter", "from")
            url = record.get(f"{side}profileurl", "")
            alter = reading.account(url, squeeze(record.get(name, "")))
            if direction not in ("outgoing", "incoming") or not alter or alter in reading.own:
                left_out += 1
                continue
            at = reading.time(record.get("sent at", ""), member)
            kept.append(Invitation(alter, direction == "outgoing", at, member.path))
            reading.found.people.append(_person(alter, squeeze(record.get(name, ""))))
        out = {"no direction or no other person": left_out} if left_out else {}
        count = len(kept) - before
        reading.found.files.append(FileRead(member.path, "invitations", count, out))
    return kept


def _add_ties(
    reading: _Reading, connections: list[Connection], invitations: list[Invitation]
) -> None:
    found = reading.found
    matched = match_invitations(found.ego, connections, invitations)
    found.ties += matched.ties
    counts = matched.counts
    if connections:
        value = (
            f"{counts['accepted']:,} of {len(connections):,} connections have their invitation in "
            "the file; for the others nobody knows who asked"
        )
        remedy = "LinkedIn may leave accepted invitations out; times to accept hold for the rest."
        verdict: Verdict = "note" if counts["accepted"] else "warn"
        found.checks.append(Check("accepted invitations", value, verdict, remedy))
    if reading.hidden_count:
        value = (
            f"{reading.hidden_count:,} connections hide their names: up to so many of the "
            f"{counts['pending']:,} open invitations may have been accepted"
        )
        found.checks.append(Check("hidden members", value, "warn" if counts["pending"] else "note"))


# ------------------------------------------------------------------------------ follows, messages


def _add_follows(reading: _Reading, met: set[str]) -> None:
    """Add follows of members neither connected nor invited; their answer nobody can see."""
    found, beyond = reading.found, 0
    for member, records in reading.records("member_follows", "date") or []:
        kept, known, nameless = 0, 0, 0
        for record in records:
            name = squeeze(record.get("fullname", "") or record.get("full name", ""))
            address = record.get("url", "") or record.get("profile url", "")
            alter = reading.account(address, name)
            if not alter or alter in reading.own:
                nameless += 1
            elif alter in met:
                known += 1
            else:
                kept += 1
                is_over = record.get("status", "").casefold().startswith(("unfollow", "inactive"))
                at = reading.time(record.get("date", ""), member)
                kind: TieKind = "unfollow" if is_over else "follow"
                found.ties.append(Tie(found.ego, alter, kind, at, member.path, DAY_S))
                beyond += not is_over
                found.people.append(Person(alter, None, name or None, "unknown"))
        out = {"also a connection or an invitation": known, "no name": nameless}
        out = {reason: count for reason, count in out.items() if count}
        found.files.append(FileRead(member.path, "member follows", kept, out))
    if beyond:
        value = f"{beyond:,} members are followed without a connection; their answer is unknown"
        found.checks.append(Check("follows without a connection", value, "note",
                                  "LinkedIn does not list followers."))  # fmt: skip


def _ends(record: Record) -> list[str]:
    """Return the slugs of the sender and of all receivers of a message."""
    receivers = re.split(r"[,;\s]+", record.get("recipient profile urls", "")[:20_000])
    return [slug_of(record.get("sender profile url", "")), *map(slug_of, receivers)]


def _add_messages(reading: _Reading, messages: Read) -> None:
    """Add a message act for each message of a conversation of two."""
    found, own = reading.found, reading.own
    rooms: dict[str, set[str]] = {}
    for _, records in messages:
        for record in records:
            others = {slug for slug in _ends(record) if slug and slug not in own}
            rooms.setdefault(record.get("conversation id", ""), set()).update(others)
    for member, records in messages:
        kept, left_out = 0, Counter[str]()
        for record in records:
            people = rooms[record.get("conversation id", "")]
            sender = _ends(record)[0]
            if len(people) != 1 or not own:
                left_out["not between the owner and one other"] += 1
            elif not sender or record.get("is message draft", "").casefold() in ("yes", "true"):
                left_out["no sender, or a draft"] += 1
            else:
                alter = next(iter(people))
                ends = (found.ego, alter) if sender in own else (alter, found.ego)
                at = reading.time(record.get("date", ""), member)
                found.acts.append(Act(*ends, "message", at, member.path))
                kept += 1
        found.files.append(FileRead(member.path, "messages", kept, dict(left_out)))


def _check_times(reading: _Reading) -> None:
    found = reading.found
    value = "Sent At and Connected On are written without a zone; UTC is assumed"
    found.checks.append(Check("time zone", value, "note", "Days may be off by one."))
    if reading.undated:
        some = "; ".join(f"{count:,} in {file}" for file, count in reading.undated.most_common(3))
        value = f"{sum(reading.undated.values()):,} times are written in no known form: {some}"
        remedy = "Set LinkedIn's language to English before you ask for the file."
        found.checks.append(Check("unknown dates", value, "warn", remedy))
