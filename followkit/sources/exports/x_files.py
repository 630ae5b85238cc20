"""Which files of an X archive count: those of its manifest, or all of known names without one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from followkit.errors import InputError
from followkit.sources.exports.careful_json import read_json
from followkit.sources.exports.found import Check
from followkit.sources.exports.members import Member, Members
from followkit.sources.exports.reading import epoch_time, number_of, text_of, written_time
from followkit.sources.exports.reading import field as value_of

__all__ = ["XFiles", "find_files", "moment_of", "read_js", "unwrap"]

#: The name of a file without its part → what it holds; `tweet.js` became `tweets.js` during 2022.
_KINDS = {
    "account": "account", "follower": "follower", "following": "following", "block": "block",
    "mute": "mute", "like": "like", "tweet": "tweets", "tweets": "tweets",
    "direct-message": "messages", "direct-messages": "messages",
    "direct-message-group": "groups", "direct-messages-group": "groups",
}  # fmt: skip
_NAME = re.compile(r"([a-z][a-z-]*?)(?:-part(\d{1,4}))?\.js", re.IGNORECASE)
_GIVE_ALL = "Give all parts of the archive together, or ask X for a new one."


@dataclass
class XFiles:
    """The files that count, and what the manifest says of owner, moment and lengths."""

    by_kind: dict[str, list[Member]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    made_at: datetime | None = None
    owner_id: str = ""
    owner_handle: str = ""
    owner_name: str = ""

    def is_short(self, kind: str, read: dict[str, int]) -> bool:
        """Return whether a list misses a part, or holds less than the manifest announces."""
        if any(_kind_of(name) == kind for name in self.missing):
            return True
        short = [
            f"{path}: {count:,} of {self.counts[path]:,}"
            for path, count in read.items()
            if count < self.counts.get(path, 0)
        ]
        if short:
            value = f"fewer records than the manifest says: {'; '.join(short[:3])}"
            self.checks.append(Check(f"{kind} shorter than announced", value, "warn", _GIVE_ALL))
        return bool(short)


def _kind_of(name: str) -> str:
    match = _NAME.fullmatch(name.rpartition("/")[2])
    return _KINDS.get(match[1].lower(), "") if match else ""


def _part_of(member: Member) -> tuple[int, str]:
    match = _NAME.fullmatch(member.name)
    return int((match and match[2]) or 0), member.path


def find_files(members: Members) -> XFiles:
    """Return the files of an X archive that are worth reading, parts in order.

    With a readable manifest the files that it lists; those that it does not list are ignored, those
    that are missing are named. Without one, and in the layout of before 2020, by their names.
    """
    named = [member for member in members if _kind_of(member.name)]
    manifests = [member for member in members if member.name.casefold() == "manifest.js"]
    files = XFiles()
    listed: dict[str, int | None] = {}
    if manifests and named:
        listed = _read_manifests(files, manifests)
    if listed:
        named = _keep_listed(files, named, listed)
    for member in sorted(named, key=_part_of):
        files.by_kind.setdefault(_kind_of(member.name), []).append(member)
    return files


def _read_manifests(files: XFiles, manifests: Iterable[Member]) -> dict[str, int | None]:
    """Return the names of listed files with their announced lengths; note owner and moment."""
    listed: dict[str, int | None] = {}
    for member in manifests:
        try:
            content = read_json(_plain(member), prefix="=")
        except InputError as error:
            value = f"{error}; files are taken by their names"
            files.checks.append(Check("manifest", value, "warn", _GIVE_ALL))
            continue
        owner, about = value_of(content, "userInfo"), value_of(content, "archiveInfo")
        files.owner_id = files.owner_id or text_of(value_of(owner, "accountId"))
        files.owner_handle = files.owner_handle or text_of(value_of(owner, "userName"))
        files.owner_name = files.owner_name or text_of(value_of(owner, "displayName"))
        files.made_at = files.made_at or written_time(value_of(about, "generationDate"))
        listed |= _list_names(value_of(content, "dataTypes"))
    return listed


def _list_names(types: Any) -> dict[str, int | None]:
    listed: dict[str, int | None] = {}
    for one in types.values() if isinstance(types, dict) else ():
        entries = value_of(one, "files")
        for entry in entries if isinstance(entries, list) else ():
            name = text_of(value_of(entry, "fileName"))
            if _kind_of(name):
                listed[name] = number_of(value_of(entry, "count"))
    return listed


def _keep_listed(files: XFiles, named: list[Member], listed: dict[str, int | None]) -> list[Member]:
    """Return the members that the manifest lists, by the last part of their names."""
    lengths = {name.rpartition("/")[2].casefold(): count for name, count in listed.items()}
    kept = [member for member in named if member.name.casefold() in lengths]
    for member in kept:
        count = lengths[member.name.casefold()]
        if count is not None:
            files.counts[member.path] = count
    there = {member.name.casefold() for member in kept}
    files.missing = [name for name in listed if name.rpartition("/")[2].casefold() not in there]
    extra = [member.path for member in named if member.name.casefold() not in lengths]
    if files.missing:
        value = f"{len(files.missing):,} files of the manifest are missing: {_some(files.missing)}"
        files.checks.append(Check("missing files", value, "warn", _GIVE_ALL))
    if extra:
        value = f"{len(extra):,} files that the manifest does not list are ignored: {_some(extra)}"
        files.checks.append(Check("unlisted files", value, "note"))
    return kept


def _some(names: list[str]) -> str:
    return ", ".join(names[:3])


# --------------------------------------------------------------------------------------- one file


def _plain(member: Member) -> Member:
    """Return the same file without the semicolon that may end the assignment."""

    def read() -> bytes:
        content = member.read_bytes().rstrip()
        return content[:-1] if content.endswith(b";") else content

    return replace(member, read_bytes=read)


def read_js(member: Member) -> list[Any]:
    """Return the records of one `window.YTD.<type>.part0 = [ … ]`.

    Raises
    ------
    InputError
        If what follows the first equals sign is not a JSON array.

    Examples
    --------
    >>> from followkit.sources.exports.members import Member
    >>> text = b'window.YTD.mute.part0 = [ {"muting": {"accountId": "5"}} ]'
    >>> [unwrap(one) for one in read_js(Member("mute.js", len(text), "", lambda: text))]
    [{'accountId': '5'}]
    """
    content = _plain(member).read_bytes()
    is_bare = content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    once = replace(member, read_bytes=lambda: content)
    records = read_json(once, prefix="" if is_bare else "=")
    if not isinstance(records, list):
        raise InputError(
            f"{member.path}: a list is needed after the equals sign; download it again"
        )
    return records


def unwrap(record: Any) -> dict[str, Any]:
    """Return a record without its wrapper, as in `{"tweet": {…}}`; old archives have none."""
    if not isinstance(record, dict):
        return {}
    if len(record) == 1:
        inside = next(iter(record.values()))
        if isinstance(inside, dict):
            return inside
    return record


def moment_of(value: Any) -> datetime | None:
    """Return a moment as archives write it (UTC, whole seconds): ISO 8601 or, in 2018, a number.

    Archives of 2018 hold milliseconds since 1970, as text like every other number.

    Examples
    --------
    >>> str(moment_of("2018-08-13T05:36:07.670Z")), str(moment_of("1534138567670"))
    ('2018-08-13 05:36:07+00:00', '2018-08-13 05:36:07+00:00')
    """
    at = written_time(value) or epoch_time(value)
    return at.replace(microsecond=0) if at is not None else None
