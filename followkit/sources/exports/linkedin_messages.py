"""LinkedIn's messages: who wrote to whom and when, in conversations of two; never a text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from followkit.sources.exports.found import Act, FileRead
from followkit.sources.exports.linkedin_reading import Read, Reading, slugs_in
from followkit.sources.exports.linkedin_rows import Record, slug_of, squeeze

__all__ = ["add_messages"]

#: Somebody who has a name, and is neither the owner nor anybody on the lists.
_STRANGER = "\0"


@dataclass(frozen=True)
class _Line:
    """One message: its conversation, who wrote it ("" if not told), and who takes part."""

    room: str
    sender: str
    people: frozenset[str]


def add_messages(reading: Reading, messages: Read, met: Collection[str]) -> None:
    """Add a message act for each message of a conversation of two.

    Parameters
    ----------
    reading
        Changed in place.
    messages
        Their records.
    met
        Everybody whom the owner is connected with or who was invited. Where a file has names only
        (2018: all, until 2023: receivers), others are left out, as LinkedIn's own advertisements
        bear names, too.
    """
    found = reading.found
    lines = {
        (place, number): _read_line(reading, record, f"{place}:{number}", met)
        for place, (_, records) in enumerate(messages)
        for number, record in enumerate(records)
    }
    rooms: dict[str, set[str]] = {}
    for line in lines.values():
        rooms.setdefault(line.room, set()).update(line.people - {found.ego})
    for place, (member, records) in enumerate(messages):
        kept, left_out = 0, Counter[str]()
        for number, record in enumerate(records):
            line = lines[place, number]
            reason = _why_not(reading, line, record, rooms[line.room])
            if reason:
                left_out[reason] += 1
                continue
            alter = next(iter(rooms[line.room]))
            ends = (found.ego, alter) if line.sender == found.ego else (alter, found.ego)
            at = reading.time(record.get("date", ""), member)
            found.acts.append(Act(*ends, "message", at, member.path))
            kept += 1
        found.files.append(FileRead(member.path, "messages", kept, dict(left_out)))


def _why_not(reading: Reading, line: _Line, record: Record, people: set[str]) -> str:
    """Return why a message says nothing about a pair, "" if it does."""
    if len(people) != 1 or not (reading.own or reading.own_names):
        return "not between the owner and one other"
    if _STRANGER in people:
        return "with somebody of whom the file gives a name only"
    is_draft = record.get("is message draft", "").casefold() in ("yes", "true")
    return "no sender, or a draft" if is_draft or not line.sender else ""


def _read_line(reading: Reading, record: Record, place: str, met: Collection[str]) -> _Line:
    """Return who takes part in a message, by addresses where the file has them, else by names."""

    def named(column: str) -> str:
        name = squeeze(record.get(column, ""))
        if name.casefold() in reading.own_names:
            return reading.found.ego
        account = reading.account("", name)
        return account if account in met or account != name else _STRANGER

    address = record.get("sender profile url")
    sender = _own(reading, slug_of(address)) if address is not None else named("from")
    if "recipient profile urls" in record:
        receivers = [_own(reading, one) for one in slugs_in(record["recipient profile urls"])]
    elif reading.own_names:
        receivers = [named("to")]
    else:
        receivers = []
    people = frozenset(one for one in (sender, *receivers) if one)
    return _Line(record.get("conversation id") or place, sender, people)


def _own(reading: Reading, slug: str) -> str:
    return reading.found.ego if slug in reading.own else slug
