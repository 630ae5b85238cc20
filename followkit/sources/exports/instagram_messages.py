"""Messages of an Instagram export → who wrote to whom and when; the texts are never kept.

The threads show display names. They are bridged to user names by the pairs (name, user name) in
other lists of the export. A thread that cannot be bridged is missing, not silence.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from followkit.errors import InputError
from followkit.sources.exports.careful_json import read_json, read_text
from followkit.sources.exports.found import Act, FileRead, Person
from followkit.sources.exports.instagram_dates import parse_row_time
from followkit.sources.exports.instagram_files import LISTS, is_page
from followkit.sources.exports.instagram_html import Block, Page, read_page
from followkit.sources.exports.instagram_labels import name_before
from followkit.sources.exports.instagram_reading import Reading
from followkit.sources.exports.instagram_values import clean_handle, parse_iso_time, time_of_stamp
from followkit.words import count

__all__ = ["Matched", "add_messages", "add_names", "names_of_handles"]

#: What a thread shows in place of an account that is gone.
GONE_NAME, GONE_FOLDER = "instagram user", "instagramuser_"
#: The ego's name is guessed from the threads only if it stands in so many.
ENOUGH_THREADS = 3
#: Folders of threads are names of people, so only the kind of box is noted.
BOX = re.compile(r"(inbox|message_requests|archived_threads|filtered_threads)/", re.IGNORECASE)


@dataclass
class Thread:
    """One conversation over all its files: who takes part, who wrote and reacted when."""

    box: str
    is_gone: bool = False
    #: A file of it cannot be read, so counts would be too low.
    is_broken: bool = False
    names: set[str] = field(default_factory=set)
    #: (writer, time) and (who reacted, time), by display name.
    messages: list[tuple[str, datetime | None]] = field(default_factory=list)
    reactions: list[tuple[str, datetime | None]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Matched:
    """How many of the threads with one other person could be bridged to a user name."""

    thread_count: int = 0
    matched_count: int = 0
    ambiguous_count: int = 0
    gone_count: int = 0
    group_count: int = 0
    ego_known: bool = True


def names_of_handles(reading: Reading) -> dict[str, set[str]]:
    """Return display name → user names, from every list that has both."""
    names: dict[str, set[str]] = defaultdict(set)
    for role, keys in reading.keys.items():
        # Before the owner of a comment stands its text; a person's label follows the person's name.
        if role not in LISTS and not any(group for group, _ in keys):
            continue
        for entry in reading.entries(role):
            name, handle = name_before(entry, keys) if entry.pairs else ("", "")
            if name and handle:
                names[name].add(handle)
    return names


def add_names(reading: Reading, unsure: Collection[str] = ()) -> None:
    """Add a person for each display name that stands for one user name.

    Only the silence of these people means something: a thread under another name, or under one
    that is unsure, cannot be told to be theirs.
    """
    reading.found.people.extend(
        Person(handle, display_name=name)
        for name, handles in sorted(names_of_handles(reading).items())
        if len(handles) == 1 and name not in unsure
        for handle in handles
    )


def add_messages(reading: Reading, own_name: str) -> Matched:
    """Add the messages and reactions of threads with one other person whose user name is known.

    Parameters
    ----------
    reading
        With its files, and the labels found.
    own_name
        The ego's display name, "" if the export does not tell it.

    Returns
    -------
    Matched
        Counts of threads; also of those left out, and why.
    """
    threads = _read_threads(reading)
    for thread in threads.values():
        # A page names only who wrote: talk that the ego never answered shows one name.
        if own_name and len(thread.names) == 1:
            thread.names.add(own_name)
    pairs = [thread for thread in threads.values() if len(thread.names) == 2]
    group_count = sum(len(thread.names) > 2 for thread in threads.values())
    ego_name = own_name if any(own_name in one.names for one in pairs) else _common_name(pairs)
    if not threads:
        add_names(reading)
    if not ego_name:
        gone = sum(thread.is_gone for thread in pairs)
        matched = Matched(len(pairs), 0, 0, gone, group_count, ego_known=not pairs)
    else:
        has_hidden = any(one.is_broken and len(one.names) < 2 for one in threads.values())
        matched = _add_pairs(reading, pairs, ego_name, group_count, has_hidden=has_hidden)
    return _add_era_a(reading, matched)


def _add_pairs(
    reading: Reading, pairs: list[Thread], ego_name: str, group_count: int, *, has_hidden: bool
) -> Matched:
    known = names_of_handles(reading)
    counts: Counter[str] = Counter()
    with_ego = [(next(iter(one.names - {ego_name})), one) for one in pairs if ego_name in one.names]
    # Two threads under one name are two people, or one person; which is not told.
    times_used = Counter(name for name, thread in with_ego if not thread.is_gone)
    unsure = {name for name, thread in with_ego if thread.is_broken or times_used[name] > 1}
    # A thread that cannot be read may be that of anybody who has no other.
    add_names(reading, unsure | (known.keys() - times_used.keys() if has_hidden else set()))
    for name, thread in with_ego:
        if thread.is_gone or name.casefold() == GONE_NAME:
            counts["gone"] += 1
        elif len(known.get(name, ())) > 1 or times_used[name] > 1:
            counts["ambiguous"] += 1
        elif thread.is_broken:
            counts["broken"] += 1
        elif handles := known.get(name):
            counts["matched"] += 1
            reading.found.acts.extend(
                _acts_of(thread, ego_name, reading.found.ego, next(iter(handles)))
            )
    return Matched(len(pairs), counts["matched"], counts["ambiguous"], counts["gone"], group_count)


def _common_name(pairs: list[Thread]) -> str:
    """Return the name that stands in every thread: the ego's."""
    shared = Counter(name for thread in pairs for name in thread.names)
    always = [name for name, times in shared.items() if times == len(pairs) >= ENOUGH_THREADS]
    return always[0] if len(always) == 1 else ""


def _acts_of(thread: Thread, ego_name: str, ego: str, alter: str) -> Iterator[Act]:
    for kind, items in (("message", thread.messages), ("reaction", thread.reactions)):
        for name, at in items:
            if name in thread.names:
                actor, target = (ego, alter) if name == ego_name else (alter, ego)
                yield Act(actor, target, kind, at, f"messages/{thread.box}")


# ---------------------------------------------------------------------------------------- reading


def _read_threads(reading: Reading) -> dict[str, Thread]:
    """Return all conversations; the parts of one may lie in several files and zips."""
    threads: dict[str, Thread] = {}
    counts: Counter[str] = Counter()
    for member in reading.files.get("messages", ()):
        found = BOX.search(member.folder + "/")
        box = found[1].lower() if found else "inbox"
        folder = member.folder.rpartition("/")[2].lower()
        thread = threads.setdefault(f"{box}/{folder}", Thread(box, folder.startswith(GONE_FOLDER)))
        try:
            if is_page(member):
                _read_page_of_thread(thread, read_page(read_text(member), "a page of messages"))
            else:
                _read_part_of_thread(thread, read_json(member, mojibake=True))
        except InputError:
            # The path and the text of the error may hold names.
            reading.fail("messages", f"messages/{box}: a file of messages cannot be read")
            thread.is_broken = True
            continue
        counts[box] += 1
    for box, file_count in sorted(counts.items()):
        total = sum(len(thread.messages) for thread in threads.values() if thread.box == box)
        reading.found.files.append(
            FileRead(f"messages/{box}", f"messages ({count(file_count, 'file')})", total)
        )
    return threads


def _read_part_of_thread(thread: Thread, payload: Any) -> None:
    if not isinstance(payload, dict) or not isinstance(payload.get("messages"), list):
        raise InputError("no list of messages in it")
    thread.names |= set(_names_in(payload.get("participants"), "name"))
    for message in payload["messages"]:
        if not isinstance(message, dict) or not isinstance(message.get("sender_name"), str):
            continue
        stamp = message.get("timestamp_ms") or message.get("timestamp")
        thread.messages.append((message["sender_name"], time_of_stamp(stamp)))
        thread.names.add(message["sender_name"])
        reactions = message.get("reactions")
        for one in reactions if isinstance(reactions, list) else ():
            if isinstance(one, dict) and isinstance(one.get("actor"), str):
                # Without a time of its own a reaction came at some time after the message.
                at = time_of_stamp(one.get("timestamp_ms") or one.get("timestamp"))
                thread.reactions.append((one["actor"], at))


def _names_in(items: Any, key: str) -> Iterable[str]:
    for item in items if isinstance(items, list) else ():
        name = item.get(key) if isinstance(item, dict) else item
        if isinstance(name, str) and name:
            yield name


def _read_page_of_thread(thread: Thread, page: Page) -> None:
    """Read a page of messages: the heading of a record is who wrote, that of the page the alter."""
    senders = {block.heading for block in page.blocks if block.heading}
    thread.names |= senders | ({page.heading} if page.heading else set())
    for block in page.blocks:
        if block.heading:
            thread.messages.append((block.heading, _time_of_message(block)))


def _time_of_message(block: Block) -> datetime | None:
    # Only the date's own box counts: a text may look like a date.
    return parse_row_time(block.date) if block.date else None


def _add_era_a(reading: Reading, matched: Matched) -> Matched:
    """Add the messages of the oldest exports, which name their people by user name."""
    ego = reading.found.ego
    thread_count, group_count, matched_count = 0, 0, 0
    for member in reading.files.get("a_messages", ()):
        payload = reading.read_json(member, "messages")
        items = payload if isinstance(payload, list) else []
        for item in items:
            if not isinstance(item, dict):
                continue
            named = _names_in(item.get("participants"), "username")
            people = {clean_handle(name) for name in named}
            if len(people) != 2:
                group_count += 1
                continue
            thread_count += 1
            if ego in people and "" not in people:
                matched_count += 1
                alter = next(iter(people - {ego}))
                reading.found.acts.extend(_era_a_acts(item.get("conversation"), ego, alter,
                                                      member.path))  # fmt: skip
        reading.found.files.append(FileRead(member.path, "messages", len(items)))
    return Matched(
        matched.thread_count + thread_count, matched.matched_count + matched_count,
        matched.ambiguous_count, matched.gone_count, matched.group_count + group_count,
        matched.ego_known,
    )  # fmt: skip


def _era_a_acts(conversation: Any, ego: str, alter: str, file: str) -> Iterator[Act]:
    other = {ego: alter, alter: ego}
    for message in conversation if isinstance(conversation, list) else ():
        if not isinstance(message, dict):
            continue
        sender = clean_handle(message.get("sender"))
        if sender in other:
            at, _ = parse_iso_time(message.get("created_at"))
            yield Act(sender, other[sender], "message", at, file)
        likes = message.get("likes")
        for like in likes if isinstance(likes, list) else ():
            actor = clean_handle(like.get("username")) if isinstance(like, dict) else ""
            if actor in other:
                at, _ = parse_iso_time(like.get("date"))
                yield Act(actor, other[actor], "reaction", at, file)
