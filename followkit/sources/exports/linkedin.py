"""The archive of LinkedIn: connections, invitations, follows and messages.

How a connection, which is mutual, becomes a follow and a follow back stands in `linkedin_ties`.
Message texts, companies, positions and e-mail addresses are not read.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

from followkit.errors import InputError
from followkit.sources.exports.found import (
    Check,
    FileRead,
    Found,
    ListState,
    Person,
    Tie,
    TieKind,
    Verdict,
)
from followkit.sources.exports.linkedin_messages import add_messages
from followkit.sources.exports.linkedin_reading import (
    Read,
    Reading,
    is_outgoing,
    learn_names,
    name_of,
    settle_ego,
)
from followkit.sources.exports.linkedin_rows import (
    DAY_S,
    find_tables,
    precision_of,
    read_message_table,
    read_table,
    squeeze,
)
from followkit.sources.exports.linkedin_ties import (
    SLACK,
    Connection,
    Invitation,
    match_invitations,
)
from followkit.sources.exports.members import Members
from followkit.sources.exports.reading import add_lists, check_lists, settle_times

__all__ = ["read_linkedin", "recognise"]

OPENED = datetime(2003, 5, 1, tzinfo=UTC)
ASK = (
    "Ask LinkedIn for your data (look for Settings, Data privacy, Get a copy of your data) with at "
    "least Connections and Invitations, and give the zip as it is."
)
_IN_NAME = re.compile(r"LinkedInDataExport_(\d\d)-(\d\d)-(\d{4})", re.IGNORECASE)
#: Before the end of 2023 invitations have no addresses.
_HEADS = (b"connectedon", b"inviteeprofileurl", b"sentat,message,direction")


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
        head in member.head(5000).lower().translate(None, b'"_ ')
        for kind in ("connections", "invitations")
        for member in tables.get(kind, [])
        for head in _HEADS
    )


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
        An accepted invitation as a follow (to the minute) and its follow back (to the day; one
        minute after the invitation if it was on the same day), an invitation without a connection
        as a request, messages of two (UTC). Files give no time zone for invitations and
        connections: UTC is assumed, which a check says.

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
    reading = Reading(Found("linkedin"), tables)
    found = reading.found
    invited = reading.records("invitations", lambda one: read_table(one, "sent at", "direction"))
    connected = reading.records(
        "connections", lambda one: read_table(one, "first name", "connected on")
    )
    messages = reading.records("messages", read_message_table)
    settle_ego(reading, ego, invited or [], messages or [])
    learn_names(reading, connected or [], invited or [], messages or [])
    connections = _connections(reading, connected)
    invitations = _pair_renamed(reading, connections, _invitations(reading, invited))
    _add_ties(reading, connections, invitations)
    # Connecting and inviting make LinkedIn follow, which says nothing new.
    met = {one.alter for one in connections} | {one.alter for one in invitations}
    _add_follows(reading, met)
    add_messages(reading, messages or [], met)
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


def _person(alter: str, name: str) -> Person:
    """Return what is told of an alter; one that is known by its name only has no handle."""
    return Person(alter, None if alter == name else alter, name or None)


# ----------------------------------------------------------------------- connections, invitations


def _connections(reading: Reading, connected: Read | None) -> list[Connection]:
    """Return all connections with a name or an address; members who hide theirs are counted."""
    files = [member.path for member in reading.tables.get("connections", [])]
    state: ListState = "unreadable" if connected is None else ("whole" if files else "absent")
    reading.states["followers"] = reading.states["following"] = (state, files)
    kept: list[Connection] = []
    for member, records in connected or []:
        before, hidden = len(kept), 0
        for record in records:
            name = name_of(record)
            alter = reading.account(record.get("url", ""), name)
            if not alter:
                hidden += 1
                continue
            text = record.get("connected on", "")
            on, precision = reading.time(text, member), precision_of(text)
            kept.append(Connection(alter, on, member.path, precision, name))
            reading.found.people.append(_person(alter, name))
        left_out = {"the member hides name and address": hidden} if hidden else {}
        reading.hidden_count += hidden
        count = len(kept) - before
        reading.found.files.append(FileRead(member.path, "connections", count, left_out))
    _check_collisions(reading, kept)
    return list({one.alter: one for one in reversed(kept)}.values())[::-1]


def _check_collisions(reading: Reading, connections: list[Connection]) -> None:
    """Say how many connections share a name, which is all that older files give."""
    often = Counter(one.alter for one in connections)
    twice = [alter for alter, count in often.items() if count > 1 and " " in alter]
    if twice:
        value = f"{len(twice):,} names stand for several connections, which count as one person"
        reading.found.checks.append(Check("equal names", value, "warn", ASK))


def _invitations(reading: Reading, invited: Read | None) -> list[Invitation]:
    files = [member.path for member in reading.tables.get("invitations", [])]
    state: ListState = "unreadable" if invited is None else ("whole" if files else "absent")
    reading.states["requests_sent"] = reading.states["requests_received"] = (state, files)
    kept: list[Invitation] = []
    for member, records in invited or []:
        before, left_out = len(kept), 0
        for record in records:
            direction = record.get("direction", "").strip().casefold()
            side, column = ("invitee", "to") if is_outgoing(record) else ("inviter", "from")
            name = squeeze(record.get(column, ""))
            alter = reading.account(record.get(f"{side}profileurl", ""), name)
            if direction not in ("outgoing", "incoming") or not alter or alter in reading.own:
                left_out += 1
                continue
            at = reading.time(record.get("sent at", ""), member)
            kept.append(Invitation(alter, is_outgoing(record), at, member.path, name))
            reading.found.people.append(_person(alter, name))
        out = {"no direction or no other person": left_out} if left_out else {}
        count = len(kept) - before
        reading.found.files.append(FileRead(member.path, "invitations", count, out))
    return kept


def _pair_renamed(
    reading: Reading, connections: list[Connection], invitations: list[Invitation]
) -> list[Invitation]:
    """Return the invitations, each to the address that its alter has now.

    Invitations keep the address of their day, connections have today's. Whoever changed it would
    be taken for one who never answered. Where exactly one invited address without a connection and
    exactly one connection, without an invitation, have the same name, they are one person.
    """
    invited = {one.alter for one in invitations}
    connected = {one.alter for one in connections}
    waiting: dict[str, set[str]] = {}
    for one in invitations:
        if one.alter not in connected and one.alter != one.name:
            waiting.setdefault(one.name.casefold(), set()).add(one.alter)
    by_name: dict[str, list[Connection]] = {}
    for connection in connections:
        by_name.setdefault(connection.name.casefold(), []).append(connection)
    now: dict[str, Connection] = {}
    for name, old in waiting.items():
        new = by_name.get(name, [])
        if name and len(old) == len(new) == 1 and new[0].alter not in invited:
            now[old.pop()] = new[0]
    paired = [
        replace(one, alter=now[one.alter].alter) if _is_before(one, now.get(one.alter)) else one
        for one in invitations
    ]
    count = len({one.alter for one in invitations} - {one.alter for one in paired})
    if count:
        value = f"{count:,} invited members have another address now; their names pair them"
        reading.found.checks.append(Check("changed addresses", value, "note"))
    return paired


def _is_before(invitation: Invitation, connection: Connection | None) -> bool:
    """Return whether an invitation can have led to a connection."""
    if connection is None:
        return False
    at, on = invitation.at, connection.on
    return at is None or on is None or at < on + SLACK


def _add_ties(
    reading: Reading, connections: list[Connection], invitations: list[Invitation]
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


def _add_follows(reading: Reading, met: set[str]) -> None:
    """Add follows of members neither connected nor invited; their answer nobody can see."""
    found, beyond = reading.found, 0
    for member, records in (
        reading.records("member_follows", lambda one: read_table(one, "date")) or []
    ):
        kept, known, nameless = 0, 0, 0
        for record in records:
            name = squeeze(record.get("full name", ""))
            address = record.get("url", "") or record.get("profile url", "")
            alter = reading.account(address, name)
            if not alter or alter in reading.own:
                nameless += 1
            elif alter in met:
                known += 1
            else:
                kept += 1
                is_over = record.get("status", "").casefold().startswith(("unfollow", "inactive"))
                text = record.get("date", "")
                at = reading.time(text, member)
                # Midnight to the second stands for a day without a time.
                is_day = at is not None and (at.hour, at.minute, at.second) == (0, 0, 0)
                precision = DAY_S if is_day else precision_of(text)
                kind: TieKind = "unfollow" if is_over else "follow"
                found.ties.append(Tie(found.ego, alter, kind, at, member.path, precision))
                beyond += not is_over
                found.people.append(Person(alter, None, name or None, "unknown"))
        out = {"also a connection or an invitation": known, "no name": nameless}
        out = {reason: count for reason, count in out.items() if count}
        found.files.append(FileRead(member.path, "member follows", kept, out))
    if beyond:
        value = f"{beyond:,} members are followed without a connection; their answer is unknown"
        found.checks.append(Check("follows without a connection", value, "note",
                                  "LinkedIn does not list followers."))  # fmt: skip


def _check_times(reading: Reading) -> None:
    found = reading.found
    # An act that makes a follow, too, stands there 7 or 8 hours later, in UTC.
    value = "Sent At and Connected On are written without a zone; UTC is assumed"
    if reading.tables.get("invitations"):
        value += (
            ", but Sent At looks like the time of California, so that invitations may stand up to "
            "8 hours too early"
        )
    found.checks.append(Check("time zone", value, "note", "Days may be off by one."))
    if reading.undated:
        some = "; ".join(f"{count:,} in {file}" for file, count in reading.undated.most_common(3))
        value = f"{sum(reading.undated.values()):,} times are written in no known form: {some}"
        remedy = "Set LinkedIn's language to English before you ask for the file."
        found.checks.append(Check("unknown dates", value, "warn", remedy))
