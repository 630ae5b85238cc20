"""CARv1 files of DAG-CBOR blocks, as Bluesky writes a repository: a strict, bounded subset.

Only the standard library. Read are whole numbers, bytes, text, lists, maps with text keys, links
(tag 42), true, false, null and 64-bit floats. Lengths are compared with the bytes that are left
before anything is made of them, depth is bounded, and a block must match the checksum in its
address, so that a damaged download is noticed.
"""

from __future__ import annotations

import hashlib
import math
import struct
from dataclasses import dataclass
from typing import Any

from followkit.errors import InputError

__all__ = ["Car", "Link", "decode_block", "looks_like_car", "read_car"]

#: Maps and lists within each other; records of Bluesky need about ten.
DEEPEST = 48
#: Bytes of a variable-length number: more than nine would not fit 63 bits.
LONGEST_VARINT = 9
CID_V0 = b"\x12\x20"
SHA2_256, SHA2_BYTES = 0x12, 32
LINK_TAG = 42
SIMPLE = {20: False, 21: True, 22: None}
FLOAT64 = 27


class Link(bytes):
    """The address of a block (its CID) as bytes."""


@dataclass(frozen=True)
class Car:
    """A CAR file: the addresses it starts from, and its blocks as they stand, not decoded."""

    name: str
    roots: tuple[Link, ...]
    blocks: dict[Link, bytes]

    def decode(self, link: Link) -> Any:
        """Return the value of a block.

        Raises
        ------
        InputError
            If the file does not hold the block, or it is no DAG-CBOR.
        """
        if link not in self.blocks:
            raise InputError(f"{self.name}: a block that is referred to is missing")
        try:
            return decode_block(self.blocks[link])
        except InputError as error:
            raise InputError(f"{self.name}: {error}") from None


def looks_like_car(content: bytes) -> bool:
    """Return whether bytes begin as a CARv1 does: a short map with roots and version.

    Examples
    --------
    >>> looks_like_car(bytes.fromhex("11a265726f6f7473806776657273696f6e01"))
    True
    >>> looks_like_car(b"PK")
    False
    """
    head = content[:128]
    return b"\xa2" in head[1:4] and b"eroots" in head and b"gversion" in content[:4096]


def read_car(content: bytes, name: str) -> Car:
    """Return the roots and blocks of a CARv1 file.

    Parameters
    ----------
    content, name
        The whole file, and what errors call it.

    Raises
    ------
    InputError
        If it is no CARv1, ends in the middle of a block, or a block differs from its checksum.

    Examples
    --------
    >>> car = read_car(bytes.fromhex("11a265726f6f7473806776657273696f6e01"), "repo.car")
    >>> car.roots, len(car.blocks)
    ((), 0)
    """
    try:
        size, at = _read_varint(content, 0)
        header = decode_block(_cut(content, at, size))
    except InputError as error:
        raise InputError(
            f"{name}: not a CAR file ({error}); download the repository again"
        ) from None
    roots = header.get("roots") if isinstance(header, dict) else None
    if not isinstance(roots, list) or not all(isinstance(root, Link) for root in roots):
        raise InputError(f"{name}: not a CAR file (no list of roots in its header)")
    if header.get("version") != 1:
        raise InputError(f"{name}: CAR version {header.get('version')!r}; only version 1 is read")
    return Car(name, tuple(roots), _read_blocks(content, at + size, name))


def _read_blocks(content: bytes, at: int, name: str) -> dict[Link, bytes]:
    blocks: dict[Link, bytes] = {}
    try:
        while at < len(content):
            size, start = _read_varint(content, at)
            at = start + size
            section = _cut(content, start, size)
            link, is_sha = _read_link(section)
            data = section[len(link) :]
            if is_sha and hashlib.sha256(data).digest() != link[-SHA2_BYTES:]:
                raise InputError("its content does not match its checksum")
            blocks.setdefault(link, data)
    except InputError as error:
        raise InputError(
            f"{name}: block {len(blocks) + 1:,}: {error}; the download looks incomplete or "
            "damaged: download it again"
        ) from None
    return blocks


def decode_block(content: bytes) -> Any:
    """Return the one value that bytes of DAG-CBOR hold.

    Raises
    ------
    InputError
        If they are cut off, nested deeper than 48, hold anything beyond the subset, or go on.

    Examples
    --------
    >>> decode_block(bytes.fromhex("a2616101616283f5f66178"))
    {'a': 1, 'b': [True, None, 'x']}
    """
    value, at = _decode(content, 0, 0)
    if at != len(content):
        raise InputError(f"{len(content) - at:,} bytes follow the value")
    return value


def _decode(content: bytes, at: int, depth: int) -> tuple[Any, int]:
    if depth > DEEPEST:
        raise InputError(f"values are nested deeper than {DEEPEST}")
    if at >= len(content):
        raise InputError("the value is cut off")
    major, low = content[at] >> 5, content[at] & 31
    if major == 7:
        return _decode_simple(content, at, low)
    number, at = _read_argument(content, at + 1, low)
    if major == 0:
        return number, at
    if major == 1:
        return -1 - number, at
    if major in (2, 3):
        data = _cut(content, at, number)
        return (data if major == 2 else _to_text(data)), at + number
    if major == 6:
        return _decode_link(content, at, number, depth)
    # Every item takes at least one byte, so that a lying length stops here.
    if number * (major - 3) > len(content) - at:
        raise InputError("a list or map is cut off")
    return _decode_list(content, at, number, depth) if major == 4 else _decode_map(
        content, at, number, depth
    )  # fmt: skip


def _decode_list(content: bytes, at: int, count: int, depth: int) -> tuple[list[Any], int]:
    items = []
    for _ in range(count):
        item, at = _decode(content, at, depth + 1)
        items.append(item)
    return items, at


def _decode_map(content: bytes, at: int, count: int, depth: int) -> tuple[dict[str, Any], int]:
    items: dict[str, Any] = {}
    for _ in range(count):
        key, at = _decode(content, at, depth + 1)
        if not isinstance(key, str) or key in items:
            raise InputError("keys of a map must be text and differ")
        items[key], at = _decode(content, at, depth + 1)
    return items, at


def _decode_link(content: bytes, at: int, tag: int, depth: int) -> tuple[Link, int]:
    value, at = _decode(content, at, depth + 1)
    if tag != LINK_TAG or not isinstance(value, bytes) or not value.startswith(b"\x00"):
        raise InputError(f"tag {tag} is not a link")
    link, _ = _read_link(value[1:])
    if len(link) != len(value) - 1:
        raise InputError("a link goes on after its end")
    return link, at


def _decode_simple(content: bytes, at: int, low: int) -> tuple[Any, int]:
    if low in SIMPLE:
        return SIMPLE[low], at + 1
    if low != FLOAT64:
        raise InputError(f"the simple value {low} is not allowed")
    number = struct.unpack(">d", _cut(content, at + 1, 8))[0]
    if not math.isfinite(number):
        raise InputError("a number is not finite")
    return number, at + 9


def _read_argument(content: bytes, at: int, low: int) -> tuple[int, int]:
    """Return the number that stands in, or after, the first byte of a value."""
    if low < 24:
        return low, at
    if low > FLOAT64:
        raise InputError("values of unknown length are not allowed")
    size = 1 << (low - 24)
    return int.from_bytes(_cut(content, at, size), "big"), at + size


def _read_varint(content: bytes, at: int) -> tuple[int, int]:
    number = 0
    for place in range(LONGEST_VARINT):
        if at + place >= len(content):
            raise InputError("a number is cut off")
        byte = content[at + place]
        number |= (byte & 127) << (7 * place)
        if byte < 128:
            return number, at + place + 1
    raise InputError("a number is too long")


def _read_link(content: bytes) -> tuple[Link, bool]:
    """Return the address at the beginning of bytes, and whether it ends in a SHA-256."""
    if content.startswith(CID_V0):
        return Link(_cut(content, 0, len(CID_V0) + SHA2_BYTES)), True
    version, at = _read_varint(content, 0)
    if version != 1:
        raise InputError(f"an address has version {version}")
    _, at = _read_varint(content, at)
    method, at = _read_varint(content, at)
    size, at = _read_varint(content, at)
    if method == SHA2_256 and size != SHA2_BYTES:
        raise InputError("a checksum has the wrong length")
    _cut(content, at, size)
    return Link(content[: at + size]), method == SHA2_256


def _cut(content: bytes, at: int, size: int) -> bytes:
    part = content[at : at + size]
    if len(part) != size:
        raise InputError(f"{size:,} bytes are announced and {len(part):,} are left")
    return part


def _to_text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError("a text is not UTF-8") from None
