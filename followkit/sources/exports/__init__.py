"""Exports of platforms: a zip, a folder or one file → canonical tables, without a network.

Each platform's module recognises its files by their names and reads them; nothing is extracted,
and only the fields that followkit needs leave a reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from followkit.errors import InputError, ParameterError, suggest
from followkit.sources.exports.found import Found
from followkit.sources.exports.members import Limits, Members, open_members
from followkit.sources.exports.to_tables import TITLES, make_export_dataset
from followkit.tables import Dataset

__all__ = ["PLATFORMS", "find_platform", "list_parts", "read_export", "read_found"]

#: In the order in which they are tried: the more telling file names first.
PLATFORMS = ("instagram", "x", "tiktok", "mastodon", "bluesky", "linkedin", "facebook", "youtube",
             "threads")  # fmt: skip
#: Canonical tables and edge lists have these too, so such a file must be recognised by its name.
ARCHIVE_SUFFIXES = (".zip", ".car", ".json", ".js", ".html")

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


def _recognise(members: Members) -> str:
    return next((name for name in PLATFORMS if _module(name).recognise(members)), "")


def _module(name: str) -> Any:
    return import_module(f"followkit.sources.exports.{name}")


def _unknown(members: Members) -> str:
    some = ", ".join(sorted({member.name for member in members})[:5]) or "no file"
    known = ", ".join(TITLES[name] for name in PLATFORMS)
    return (
        f"{', '.join(members.origins)}: no export that followkit knows (found {some}); it reads "
        f"exports of {known}. Give the file as it was downloaded, or ask the platform again."
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
    inside = sorted(item for item in path.iterdir() if not item.name.startswith("."))
    zips = [item for item in inside if item.suffix.lower() == ".zip" and item.is_file()]
    return zips if zips and zips == inside else [path]
