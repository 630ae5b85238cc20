"""Messages of an X archive: who wrote to whom and when, in conversations of two; never a text."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from followkit.sources.exports.found import Act, FileRead, Found
from followkit.sources.exports.reading import field as value_of
from followkit.sources.exports.reading import read_or_report, text_of
from followkit.sources.exports.x_files import XFiles, moment_of, read_js, unwrap

__all__ = ["read_messages"]

_PAIR = re.compile(r"(\d{1,20})-(\d{1,20})", re.ASCII)


def read_messages(found: Found, files: XFiles) -> None:
    """Add a message act for each message between the ego and one other, and reactions to them."""
    for member in files.by_kind.get("messages", []):
        records = read_or_report(found, member, "messages", read_js)
        if records is None:
            continue
        before, left_out = len(found.acts), Counter[str]()
        for record in records:
            _add_conversation(found, unwrap(record), member.path, left_out)
        kept = len(found.acts) - before
        found.files.append(FileRead(member.path, "messages", kept, dict(left_out)))
    for member in files.by_kind.get("groups", []):
        # Groups say nothing about a pair, so the file is not opened.
        found.files.append(FileRead(member.path, "group messages", 0, {"groups are not read": 1}))


def _add_conversation(
    found: Found, record: dict[str, Any], file: str, left_out: Counter[str]
) -> None:
    messages = value_of(record, "messages")
    messages = messages if isinstance(messages, list) else []
    pair = _PAIR.fullmatch(text_of(value_of(record, "conversationId"))[:60])
    ends = {pair[1], pair[2]} if pair else set()
    if len(ends) != 2 or found.ego not in ends:
        reason = "not between the owner and one other"
        left_out[reason] += len(messages)
        return
    alter = next(iter(ends - {found.ego}))
    for message in messages:
        _add_message(found, alter, value_of(message, "messageCreate"), file, left_out)


def _add_message(found: Found, alter: str, created: Any, file: str, left_out: Counter[str]) -> None:
    """Add one message; other events of a conversation (calls, joins) have no `messageCreate`."""
    sender = text_of(value_of(created, "senderId"))
    if sender not in (found.ego, alter):
        left_out["no sender"] += 1
        return
    at = moment_of(value_of(created, "createdAt"))
    target = alter if sender == found.ego else found.ego
    found.acts.append(Act(sender, target, "message", at, file))
    reactions = value_of(created, "reactions")
    for reaction in reactions if isinstance(reactions, list) else ():
        actor = text_of(value_of(reaction, "senderId"))
        if actor in (found.ego, alter):
            when = moment_of(value_of(reaction, "createdAt"))
            target = alter if actor == found.ego else found.ego
            found.acts.append(Act(actor, target, "reaction", when, file))
