"""The directory of a zip, read entry by entry: it can be counted before anything is made of it."""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Iterator
from typing import IO

__all__ = ["list_names"]


def list_names(stream: IO[bytes]) -> Iterator[str]:
    """Return the names in the directory of a zip, one by one, without keeping them.

    Raises
    ------
    zipfile.BadZipFile
        If there is no directory, or it is damaged.

    Examples
    --------
    >>> from io import BytesIO
    >>> stream = BytesIO()
    >>> with zipfile.ZipFile(stream, "w") as packed:
    ...     packed.writestr("likes.json", "[]")
    >>> list(list_names(stream))
    ['likes.json']
    """
    start, size = _find_directory(stream)
    stream.seek(start)
    while size >= 46:
        head = stream.read(46)
        if len(head) < 46 or head[:4] != b"PK\x01\x02":
            raise zipfile.BadZipFile("its directory is damaged")
        name_length, extra_length, comment_length = struct.unpack("<3H", head[28:34])
        yield stream.read(name_length).decode("utf-8", "replace")
        stream.seek(extra_length + comment_length, os.SEEK_CUR)
        size -= 46 + name_length + extra_length + comment_length


def _find_directory(stream: IO[bytes]) -> tuple[int, int]:
    """Return where the directory of a zip begins and how long it is, in bytes."""
    end = stream.seek(0, os.SEEK_END)
    tail_start = max(0, end - 66_000)
    stream.seek(tail_start)
    tail = stream.read()
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) < place + 22:
        raise zipfile.BadZipFile("its end is missing")
    (size,) = struct.unpack("<L", tail[place + 12 : place + 16])
    stop = tail_start + place
    # Zips of more than 4 GB have a second end record of 56 bytes, and 20 bytes that point to it.
    if place >= 76 and tail[place - 20 : place - 16] == b"PK\x06\x07":
        stop -= 76
        (size,) = struct.unpack("<Q", tail[place - 36 : place - 28])
    if size > stop:
        raise zipfile.BadZipFile("its directory is damaged")
    return stop - size, size
