"""Exports of platforms: a zip, a folder or one file → canonical tables, without a network.

Each platform's module recognises its files by their names and reads them; nothing is extracted,
and only the fields that followkit needs leave a reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from followkit.errors import InputError, ParameterError, suggest
from followkit.sources.exports.found import Found
from followkit.sources.exports.members import Limits, Members, open_members
from followkit.sources.exports.to_tables import TITLES, make_export_dataset
from followkit.tables import Dataset

__all__ = [
    "PLATFORMS", "find_platform", "is_zip", "list_parts", "read_export", "read_found",
    "require_export",
]  # fmt: skip

#: In the order in which they are tried: the more telling file names first.
PLATFORMS = ("instagram", "x", "tiktok", "mastodon", "bluesky", "linkedin", "facebook", "youtube",
             "threads")  # fmt: skip
#: Canonical tables and edge lists have these too, so such a file must be recognised by its name.
ARCHIVE_SUFFIXES = (".zip", ".car", ".json", ".js", ".html")

#: What systems leave in folders; names with a dot in front are left out too.
JUNK = ("thumbs.db", "desktop.ini", "__macosx")
#: Files of which an export holds one, however many zips it comes in. Meta's lists may be spread.
SINGLE = {
    "x": ("account.js", "follower.js", "following.js"),
    "tiktok": ("user_data.json", "user_data_tiktok.json"),
    "mastodon": ("actor.json", "following_accounts.csv"),
    "linkedin": ("connections.csv", "invitations.csv"),
    "instagram": ("personal_information.json",),
    "threads": ("personal_information.json",),
    "facebook": ("your_friends.json", "people_who_followed_you.json", "who_you've_followed.json"),
}

Paths = str | Path | Sequence[str | Path]


def read_export(
    paths: Paths,
    *,
    platform: str | None = None,
    ego: str | None = None,
    exported_at: datetime | None = None,
    limits: Limits | None = None,
) -> Dataset:
    """Read an export of a platform as canonical tables.

    Parameters
    ----------
    paths
        The zip, folder or single file as downloaded; or all parts of one export.
    platform
        One of `PLATFORMS`; recognised by the files without it.
    ego, exported_at
        Account id of the owner, and when the export was made (UTC), where the files do not say it.
    limits
        How much may be read; see `Limits`.

    Returns
    -------
    Dataset
        See `make_export_dataset`. `about["export"]["checks"]` says whether its lists can be
        trusted.

    Raises
    ------
    InputError
        If the files are damaged, of no known platform, or hold no tie.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp(), "connections", "followers_and_following")
    >>> folder.mkdir(parents=True)
    >>> entry = '{"string_list_data": [{"value": "%s", "timestamp": 1700000000}]}'
    >>> _ = (folder / "followers_1.json").write_text(f"[{entry % 'bo'}]", encoding="utf-8")
    >>> _ = (folder / "following.json").write_text(
    ...     f'{{"relationships_following": [{entry % "bo"}, {entry % "cy"}]}}', encoding="utf-8")
    >>> read_export(folder.parents[1]).follows[["follower_id", "followee_id"]].values.tolist()
    [['bo', 'me'], ['me', 'bo'], ['me', 'cy']]
    """
    return make_export_dataset(
        read_found(paths, platform=platform, ego=ego, exported_at=exported_at, limits=limits)
    )


def read_found(
    paths: Paths,
    *,
    platform: str | None = None,
    ego: str | None = None,
    exported_at: datetime | None = None,
    limits: Limits | None = None,
) -> Found:
    """Return what an export holds before it becomes tables; parameters as in `read_export`."""
    if platform is not None and platform not in PLATFORMS:
        raise ParameterError(f"platform: {platform!r} is unknown; {suggest(platform, PLATFORMS)}")
    with open_members(paths, limits) as members:
        name = platform or _recognise(members)
        if not name:
            raise InputError(_unknown(members))
        if not platform:
            _require_one_platform(members, name)
        _require_one_export(members, name)
        read: Any = getattr(_module(name), f"read_{name}")
        found: Found = read(members, ego=ego, exported_at=exported_at)
        if name == "instagram" and not found.ties and not platform:
            # Threads lies in Instagram's zip; whoever asked for it alone means it.
            other = _module("threads")
            if other.recognise(members):
                found = other.read_threads(members, ego=ego, exported_at=exported_at)
        return found


def find_platform(paths: Paths) -> str:
    """Return whose export lies at `paths`, by the names of its files; "" if nobody's.

    Examples
    --------
    >>> find_platform("pyproject.toml")
    ''
    """
    with suppress(InputError), open_members(paths) as members:
        return _recognise(members)
    return ""


def require_export(paths: Paths) -> str:
    """Return whose export lies at `paths`, by the names of its files alone.

    Raises
    ------
    InputError
        If it cannot be opened, no platform's export is in it, or those of two accounts or days
        are; the message says what is.

    Examples
    --------
    >>> require_export("pyproject.toml")
    Traceback (most recent call last):
    ...
    followkit.errors.InputError: pyproject.toml: no export that followkit knows. Give ...
    """
    with open_members(paths) as members:
        name = _recognise(members)
        if not name:
            raise InputError(_unknown(members))
        _require_one_export(members, name)
        return name


def is_zip(path: Path) -> bool:
    """Return whether a file is a zip, whatever its name: a browser may have renamed it.

    Examples
    --------
    >>> is_zip(Path("pyproject.toml"))
    False
    """
    try:
        with path.open("rb") as stream:
            return stream.read(4) in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
    except OSError:
        return False


def _recognise(members: Members) -> str:
    return next((name for name in PLATFORMS if _module(name).recognise(members)), "")


def _module(name: str) -> Any:
    return import_module(f"followkit.sources.exports.{name}")


def _require_one_platform(members: Members, platform: str) -> None:
    """Refuse zips of two platforms, of which one would be left out without a word."""
    others = set()
    for origin in sorted({member.origin for member in members}):
        inside = replace(members, files=tuple(one for one in members if one.origin == origin))
        if not _module(platform).recognise(inside):
            others.add(_recognise(inside))
    # Threads comes from Instagram, and may lie in a zip of its own.
    others -= {"", "threads"}
    if others:
        names = ", ".join(TITLES[name] for name in sorted({platform, *others}))
        raise InputError(
            f"{', '.join(members.origins)}: exports of {names} lie together; give those of one "
            "platform."
        )


def _require_one_export(members: Members, platform: str) -> None:
    """Refuse two exports that were given as the parts of one: their union is nobody's list."""
    if len({member.origin for member in members}) < 2 and len(members.origins) < 2:
        return
    for single in SINGLE.get(platform, ()):
        same = [member for member in members if member.name.lower() == single]
        if len(same) > 1 and len({member.read_bytes() for member in same}) > 1:
            raise InputError(
                f"{same[0].name}: comes {len(same)} times and differs, so these are several "
                "exports and not the parts of one. Give one; what changed between two is said by "
                "followkit snapshots keep, and by -p earlier."
            )


def _unknown(members: Members) -> str:
    """Say what is there instead of an export, and what to give."""
    names = sorted({member.name for member in members})
    origins = ", ".join(members.origins)
    media = members.left_out.get("media", 0)
    some = ", ".join(name[:60] for name in names[:3])
    more = f" and {len(names) - 3:,} more" * (len(names) > 3)
    # A file that was given alone need not be named twice.
    inside = "" if names == list(members.origins) else f" (in it: {some}{more})"
    if not names:
        nothing = f"nothing but pictures, sounds or films: {media:,}" if media else "nothing"
        inside = f" (in it: {nothing})"
    elif not any(member.size for member in members):
        inside = " (it is empty)"
    *first, last = (TITLES[name] for name in PLATFORMS)
    known = f"{', '.join(first)} or {last}"
    is_table = len(names) == 1 and names[0].lower().endswith((".csv", ".tsv", ".parquet"))
    hint = " Tables of your own go with --data." * is_table
    if any(name.lower().endswith(".zip") for name in names):
        hint = " If the zip in it is your export, give the zip itself."
    return (
        f"{origins}: no export that followkit knows{inside}. Give the file as {known} gave it to "
        f"you, and all its parts.{hint}"
    )


def list_parts(path: Path) -> list[Path]:
    """Return the files that make up one export: a folder of nothing but zips is its parts.

    Large exports come as several zips; a list may be spread over them.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("a_part_2.zip", "a_part_1.zip"):
    ...     _ = (folder / name).write_bytes(b"PK")
    >>> [part.name for part in list_parts(folder)]
    ['a_part_1.zip', 'a_part_2.zip']
    """
    if not path.is_dir():
        return [path]
    inside = sorted(item for item in path.iterdir()
                    if not item.name.startswith(".") and item.name.lower() not in JUNK)  # fmt: skip
    zips = [item for item in inside if item.suffix.lower() == ".zip" and item.is_file()]
    return zips if zips and zips == inside else [path]
