"""The files inside an export: a folder, one zip or several, read without ever extracting.

Nothing is believed that an archive says about itself: bytes are counted as they come, names are
looked at before anything is opened, and whatever is odd ends in one `InputError`.
"""

from __future__ import annotations

import copy
import io
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

from followkit.errors import InputError
from followkit.sources.exports.zip_directory import list_names

__all__ = ["Limits", "Member", "Members", "open_members"]

AGAIN = "the download looks incomplete; download it again"

_STEP = 64 * 1024
#: Deflate and no packing at all: what platforms write. The others unpack without a bound on memory.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
#: Pictures and the like are passed over by their names; a zip may hold so many times more of them.
_MEDIA_FACTOR = 3
_MEDIA = (
    ".jpg", ".jpeg", ".png", ".gif", ".webp", ".heic", ".heif", ".bmp", ".tif", ".tiff", ".svg",
    ".ico", ".avif", ".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".3gp", ".mp3", ".m4a",
    ".aac", ".ogg", ".oga", ".opus", ".wav", ".flac", ".woff", ".woff2", ".ttf", ".otf",
)  # fmt: skip
_JUNK = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OTHER_MAGIC = {b"\x1f\x8b": "gzip", b"Rar!": "RAR", b"7z\xbc\xaf": "7z", b"BZh": "bzip2"}
_UNSAFE_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
#: What the standard library raises on archives that are cut, damaged or made up.
_ZIP_FAULTS = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError,
    NotImplementedError, OverflowError, LookupError,
)  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """How much an export may hold; settable by whoever trusts a larger one.

    Attributes
    ----------
    member_bytes, total_bytes
        Unpacked bytes of one file, and of all files that are read.
    ratio, free_bytes
        Unpacked over packed bytes, looked at once more than `free_bytes` came out.
    members
        Files that are no pictures, sound or film.
    json_depth
        Objects and lists inside each other.
    """

    member_bytes: int = 400_000_000
    total_bytes: int = 2_000_000_000
    ratio: int = 200
    free_bytes: int = 20_000_000
    members: int = 200_000
    json_depth: int = 64


@dataclass(frozen=True)
class Member:
    """One file: `path` inside the export with forward slashes, its declared `size`, and `origin`.

    `origin` is the name of the zip or folder it lies in. `read_bytes` reads all of it, or raises
    `InputError`; `read_start` so many bytes, where that costs less than all.
    """

    path: str
    size: int
    origin: str
    read_bytes: Callable[[], bytes]
    read_start: Callable[[int], bytes] | None = None

    def head(self, size: int) -> bytes:
        """Return the first bytes; of a plain file no more than these are read."""
        return self.read_start(size) if self.read_start else self.read_bytes()[:size]

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The path of the folder it lies in, "" at the top."""
        return self.path.rpartition("/")[0]


@dataclass(frozen=True)
class Members:
    """All files of an export, junk and media left out, in order of their paths.

    `left_out` counts what was passed over by its name or kind: media, junk, link, special.
    """

    files: tuple[Member, ...]
    origins: tuple[str, ...]
    limits: Limits
    left_out: dict[str, int] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Member]:
        """Iterate over the files."""
        return iter(self.files)


@contextmanager
def open_members(
    paths: str | Path | Sequence[str | Path], limits: Limits | None = None
) -> Iterator[Members]:
    """Open an export: a folder, a file, one zip or several parts of one.

    What a zip is, its first bytes say, not its name. A folder that holds nothing but zips is taken
    as the parts of one export. Zips inside zips are listed and never opened. Links inside a folder
    are passed over.

    Parameters
    ----------
    paths
        One path, or the parts of a split export; the same path twice counts once.
    limits
        How much is read at most.

    Raises
    ------
    InputError
        Here, or when a member is read: for a path that is not there, an archive that is cut,
        damaged, locked or no archive, a member whose name leads out of the export or stands twice,
        a link in a zip, and whatever is larger than the limits.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "likes.json").write_text("[]")
    ...     with open_members(folder) as members:
    ...         [(member.path, member.read_bytes()) for member in members]
    [('likes.json', b'[]')]
    """
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    unique = list({_resolve(path): Path(path) for path in given}.values())
    with ExitStack() as stack:
        gathering = _Gathering(limits or Limits(), stack)
        for path in unique:
            gathering.add(path)
        files = sorted(gathering.files, key=lambda one: (one.path, one.origin))
        origins = tuple(_show(_origin(path)) for path in unique)
        yield Members(tuple(files), origins, gathering.limits, gathering.left_out)


class _Counted(io.BufferedReader):
    """A file that counts the bytes read from it: what an archive says of itself may be a lie."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Read and count."""
        content = super().read(size)
        self.count += len(content)
        return content


class _Budget:
    """Counts unpacked and packed bytes of all that was read; a member read twice counts once."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._unpacked = 0
        self._packed = 0
        self._counted: set[tuple[Path, str]] = set()

    def read(self, stream: IO[bytes], path: Path, name: str, source: _Counted | None) -> bytes:
        """Read a stream to its end in small steps, and stop where it becomes too much.

        `path` is the zip, and `source` that zip, opened; None for a file that is not packed.
        """
        start = source.count if source else 0
        is_new = (path, name) not in self._counted
        content = io.BytesIO()
        size = packed = 0
        while chunk := stream.read(_STEP):
            size += len(chunk)
            packed = source.count - start if source else size
            self._require(size, packed, _show(name), is_new)
            content.write(chunk)
        if is_new:
            self._counted.add((path, name))
            self._unpacked += size
            self._packed += packed
        return content.getvalue()

    def _require(self, size: int, packed: int, name: str, is_new: bool) -> None:
        limits = self._limits
        before, stored = (self._unpacked, self._packed) if is_new else (0, 0)
        if size > limits.member_bytes:
            raise _too_large(name, limits.member_bytes)
        if before + size > limits.total_bytes:
            raise InputError(
                f"{name}: all files together are larger than {limits.total_bytes:,} bytes, which "
                "no follow list is. Raise total_bytes if you trust this export."
            )
        for unpacked, least in ((size, packed), (before + size, stored + packed)):
            if unpacked > max(limits.free_bytes, limits.ratio * least):
                raise InputError(
                    f"{name}: unpacks to more than {limits.ratio:,} times its packed size, as "
                    "archives do that are made to fill a machine. Do not use this file; "
                    "download the export again from the platform."
                )


class _Gathering:
    """Members so far, and the zips that must be closed."""

    def __init__(self, limits: Limits, stack: ExitStack) -> None:
        self.limits = limits
        self.files: list[Member] = []
        self.left_out: dict[str, int] = {}
        self._stack = stack
        self._budget = _Budget(limits)

    def add(self, path: Path) -> None:
        """Add a folder, a zip or a file."""
        try:
            mode = path.stat().st_mode
            if stat.S_ISDIR(mode):
                self._add_folder(path)
            elif stat.S_ISREG(mode):
                self._add_file(path)
            else:
                raise InputError(f"{_show(path.name)}: is neither a file nor a folder.")
        except FileNotFoundError:
            raise InputError(f"{_show(path.name)}: is not there; check the path.") from None
        except (OSError, ValueError) as error:
            raise InputError(f"{_show(path.name)}: cannot be read ({_reason(error)}).") from None

    def _add_file(self, path: Path) -> None:
        with path.open("rb") as stream:
            start = stream.read(4)
        if start in _ZIP_MAGIC:
            self._add_zip(path)
            return
        name = _show(path.name)
        other = next((kind for magic, kind in _OTHER_MAGIC.items() if start.startswith(magic)), "")
        if other:
            raise InputError(
                f"{name}: is packed as {other}, which is not read here. Unpack it and give the "
                "folder, or ask the platform for a zip."
            )
        if path.suffix.lower() == ".zip":
            raise InputError(f"{name}: is no zip, whatever its name says; {AGAIN}.")
        self._take_plain(name, path.stat().st_size, name, path)

    def _add_folder(self, folder: Path) -> None:
        found = list(self._walk(folder))
        if found and all("/" not in inside and _is_zip(path) for inside, path, _ in found):
            for _, path, _ in found:
                self._add_zip(path)
            return
        origin = _show(_origin(folder))
        for inside, path, size in found:
            self._take_plain(inside, size, origin, path)

    def _walk(self, folder: Path) -> Iterator[tuple[str, Path, int]]:
        """Return the plain files below a folder: path inside, path and size. Links are no files."""
        waiting = [("", folder)]
        seen = 0
        while waiting:
            before, place = waiting.pop()
            with os.scandir(place) as entries:
                ordered = sorted(entries, key=lambda one: one.name)
            for entry in ordered:
                inside = before + _UNSAFE_TEXT.sub("\ufffd", entry.name)
                if entry.is_symlink():
                    self._leave_out("link")
                elif entry.is_dir(follow_symlinks=False):
                    waiting.append((f"{inside}/", Path(entry.path)))
                elif not entry.is_file(follow_symlinks=False):
                    self._leave_out("special")
                elif kind := _passed_over(inside):
                    self._leave_out(kind)
                else:
                    yield inside, Path(entry.path), entry.stat(follow_symlinks=False).st_size
                seen += 1
                if seen > _MEDIA_FACTOR * self.limits.members:
                    raise self._too_many(_show(_origin(folder)))

    def _read_plain(self, path: Path, name: str) -> bytes:
        try:
            with path.open("rb") as stream:
                return self._budget.read(stream, path, name, None)
        except OSError as error:
            raise InputError(f"{_show(name)}: cannot be read ({_reason(error)}).") from None

    def _take_plain(self, inside: str, size: int, origin: str, path: Path) -> None:
        whole, start = (partial(read, path, inside) for read in (self._read_plain, _read_start))
        self._take(Member(inside, size, origin, whole, start))

    def _add_zip(self, path: Path) -> None:
        origin = _show(path.name)
        try:
            self._require_few(path, origin)
            source = self._stack.enter_context(_Counted(io.FileIO(path)))
            packed = self._stack.enter_context(zipfile.ZipFile(source))
        except _ZIP_FAULTS as error:
            raise InputError(f"{origin}: is no whole zip ({_reason(error)}); {AGAIN}.") from None
        infos = packed.infolist()
        if not infos:
            raise InputError(f"{origin}: holds no file at all; {AGAIN}.")
        if sum(info.compress_size for info in infos) > path.stat().st_size:
            raise InputError(f"{origin}: says that it holds more than it is long; {AGAIN}.")
        seen: set[str] = set()
        for info in infos:
            name = _whole_name(info)
            inside = _check_name(name, origin)
            if name.endswith("/"):
                continue
            if kind := _passed_over(inside):
                self._leave_out(kind)
                continue
            _check_info(info, inside, origin)
            if inside in seen:
                raise InputError(
                    f"{origin}: {_show(inside)} stands in it twice, so nobody can say which one is "
                    "meant; platforms do not write such files. Download it again."
                )
            seen.add(inside)
            read = partial(self._read_packed, packed, source, info, path, inside)
            self._take(Member(inside, info.file_size, origin, read))

    def _require_few(self, path: Path, origin: str) -> None:
        """Count the directory of a zip before the library makes an object of each entry."""
        with path.open("rb") as stream:
            few = 0
            for every, name in enumerate(list_names(stream), start=1):
                few += not _passed_over(name)
                if few > self.limits.members or every > _MEDIA_FACTOR * self.limits.members:
                    raise self._too_many(origin)

    def _read_packed(
        self,
        packed: zipfile.ZipFile,
        source: _Counted,
        info: zipfile.ZipInfo,
        path: Path,
        inside: str,
    ) -> bytes:
        name = _show(inside)
        if info.file_size > self.limits.member_bytes:
            raise _too_large(name, self.limits.member_bytes)
        # The declared size is not believed: reading goes on to the end of the packed bytes, and
        # only then the two are compared.
        unbelieved = copy.copy(info)
        unbelieved.file_size = self.limits.member_bytes + 1
        try:
            with packed.open(unbelieved) as stream:
                content = self._budget.read(stream, path, inside, source)
        except _ZIP_FAULTS as error:
            raise InputError(f"{name}: is damaged ({_reason(error)}); {AGAIN}.") from None
        if len(content) != info.file_size:
            raise InputError(
                f"{name}: the zip says {info.file_size:,} bytes, and {len(content):,} are in it; "
                f"{AGAIN}."
            )
        return content

    def _take(self, member: Member) -> None:
        self.files.append(member)
        if len(self.files) > self.limits.members:
            raise self._too_many(member.origin)

    def _leave_out(self, kind: str) -> None:
        self.left_out[kind] = self.left_out.get(kind, 0) + 1

    def _too_many(self, name: str) -> InputError:
        return InputError(
            f"{name}: holds more than {self.limits.members:,} files beside pictures and films, "
            "which no export does. Raise members if you trust it."
        )


def _too_large(name: str, most: int) -> InputError:
    return InputError(
        f"{name}: is larger than {most:,} bytes, which no follow list is. Raise member_bytes if "
        "you trust this export."
    )


def _check_name(name: str, origin: str) -> str:
    """Return a member's path in plain form, or say what is wrong with it."""
    parts = name.split("/")
    fault = (
        "a NUL" if "\0" in name
        else "a backslash" if "\\" in name
        else "a drive letter" if re.match(r"[A-Za-z]:", name)
        else "a path from the root" if name.startswith("/")
        else "a step out of its folder (..)" if ".." in parts
        else "nothing" if not name
        else ""
    )  # fmt: skip
    if fault:
        raise InputError(
            f"{origin}: the member {_show(name)!r} has {fault} in its name, which platforms do not "
            "write. Do not use this file; download the export again from the platform."
        )
    plain = "/".join(part for part in parts if part not in ("", "."))
    return _UNSAFE_TEXT.sub("\ufffd", plain)


def _check_info(info: zipfile.ZipInfo, inside: str, origin: str) -> None:
    name = _show(inside)
    if stat.S_ISLNK(info.external_attr >> 16):
        raise InputError(
            f"{origin}: {name} is a link, which platforms do not write. Do not use this file; "
            "download the export again from the platform."
        )
    if info.flag_bits & 0x41:
        raise InputError(
            f"{origin}: {name} is locked with a password. Unpack it yourself and give the folder, "
            "or download it again without one."
        )
    if info.compress_type not in _METHODS:
        raise InputError(
            f"{origin}: {name} is packed in a way that platforms do not use (method "
            f"{info.compress_type}). Unpack it and give the folder, or download it again."
        )


def _whole_name(info: zipfile.ZipInfo) -> str:
    """Return the name as it stands in the zip: not cut at a NUL, and UTF-8 without its flag too."""
    name = info.orig_filename
    if info.flag_bits & 0x800 or name.isascii():
        return name
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        return name


def _passed_over(path: str) -> str:
    """Return why a file is passed over by its name: junk, media, or "" where it is not."""
    lower = path.lower()
    name = lower.rpartition("/")[2]
    if name in _JUNK or name.startswith("._") or "__macosx" in lower.split("/"):
        return "junk"
    return "media" if name.endswith(_MEDIA) else ""


def _is_zip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(4) in _ZIP_MAGIC


def _resolve(path: str | Path) -> str:
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return str(path)


def _origin(path: Path) -> str:
    return path.name or path.absolute().name


def _show(name: str) -> str:
    """Return a name fit for a message: one line, no controls, not longer than 120 letters."""
    plain = _UNSAFE_TEXT.sub("\ufffd", name)
    return plain if len(plain) <= 120 else f"{plain[:100]}…{plain[-19:]}"


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return _show(str(text).rstrip("."))


def _read_start(path: Path, name: str, size: int) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(size)
    except OSError as error:
        raise InputError(f"{_show(name)}: cannot be read ({_reason(error)}).") from None
