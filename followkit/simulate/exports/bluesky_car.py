"""Writing a Bluesky repository: DAG-CBOR blocks, the search tree over them, and the CARv1 file.

Only what a repository needs: null, booleans, integers, text, bytes, lists, maps and links.
Maps are sorted by the length of their keys, then by their bytes, so that equal records always
give equal bytes and thus equal links.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

__all__ = ["Link", "encode_cbor", "make_car", "make_tid", "make_tree", "seal"]

_TID_LETTERS = "234567abcdefghijklmnopqrstuvwxyz"
#: CIDv1, codec dag-cbor, hash sha2-256 of 32 bytes.
_LINK_HEAD = bytes((0x01, 0x71, 0x12, 0x20))
_LINK_TAG = 42


@dataclass(frozen=True, order=True)
class Link:
    """The address of a block: the hash of its bytes."""

    content: bytes


def _head(major: int, size: int) -> bytes:
    if size < 24:
        return bytes((major << 5 | size,))
    for code, form, limit in ((24, ">B", 1 << 8), (25, ">H", 1 << 16), (26, ">I", 1 << 32)):
        if size < limit:
            return bytes((major << 5 | code,)) + struct.pack(form, size)
    return bytes((major << 5 | 27,)) + struct.pack(">Q", size)


def encode_cbor(value: object) -> bytes:
    """Return a plain value as DAG-CBOR.

    Raises
    ------
    TypeError
        For a value of a kind that no repository holds.

    Examples
    --------
    >>> encode_cbor({"bb": 1, "a": [True, None]}).hex()
    'a2616182f5f662626201'
    """
    if value is None:
        return b"\xf6"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        content = value.encode()
        return _head(3, len(content)) + content
    if isinstance(value, Link):
        return _head(6, _LINK_TAG) + encode_cbor(b"\x00" + value.content)
    if isinstance(value, Mapping):
        parts = sorted(
            ((str(key).encode(), encode_cbor(item)) for key, item in value.items()),
            key=lambda part: (len(part[0]), part[0]),
        )
        body = b"".join(_head(3, len(key)) + key + item for key, item in parts)
        return _head(5, len(parts)) + body
    if isinstance(value, list | tuple):
        return _head(4, len(value)) + b"".join(map(encode_cbor, value))
    raise TypeError(f"no DAG-CBOR for {type(value).__name__}")


def seal(value: object, blocks: dict[Link, bytes]) -> Link:
    """Encode a value, keep its block under its link, and return the link."""
    content = encode_cbor(value)
    link = Link(_LINK_HEAD + hashlib.sha256(content).digest())
    blocks[link] = content
    return link


def _height(key: bytes) -> int:
    """Return the layer of a key: half the number of zero bits that begin its hash."""
    digest = int.from_bytes(hashlib.sha256(key).digest(), "big")
    return (256 - digest.bit_length()) // 2


def _shared(one: bytes, other: bytes) -> int:
    """Return with how many equal bytes the two begin."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def _node(keys: list[tuple[bytes, Link]], layer: int, blocks: dict[Link, bytes]) -> Link | None:
    """Write the node that holds the sorted keys at `layer`, and the nodes below it."""
    if not keys:
        return None
    groups: list[list[tuple[bytes, Link]]] = [[]]
    entries: list[tuple[bytes, Link]] = []
    for key, link in keys:
        if _height(key) == layer:
            entries.append((key, link))
            groups.append([])
        else:
            groups[-1].append((key, link))
    below = [_node(group, layer - 1, blocks) for group in groups]
    written = []
    before = b""
    for (key, link), subtree in zip(entries, below[1:], strict=True):
        shared = _shared(before, key)
        written.append({"p": shared, "k": key[shared:], "v": link, "t": subtree})
        before = key
    return seal({"l": below[0], "e": written}, blocks)


def make_tree(records: Mapping[str, Link], blocks: dict[Link, bytes]) -> Link:
    """Write the search tree over the records' paths (`collection/key`) and return its root."""
    keys = sorted((path.encode(), link) for path, link in records.items())
    top = max((_height(key) for key, _ in keys), default=0)
    return _node(keys, top, blocks) or seal({"l": None, "e": []}, blocks)


def _varint(number: int) -> bytes:
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*parts, number))


def make_car(root: Link, blocks: Iterable[tuple[Link, bytes]]) -> bytes:
    """Return a CARv1 file: the header that names the root, then every block behind its link."""
    header = encode_cbor({"version": 1, "roots": [root]})
    parts = [_varint(len(header)) + header]
    for link, content in blocks:
        parts.append(_varint(len(link.content) + len(content)) + link.content + content)
    return b"".join(parts)


def make_tid(at: datetime, microsecond: int = 0, clock: int = 0) -> str:
    """Return the record key of a moment (UTC): 13 letters that sort by time.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> make_tid(datetime(2024, 1, 1, tzinfo=UTC))
    '3khuwc44c2222'
    """
    number = (int(at.timestamp()) * 1_000_000 + microsecond) << 10 | clock
    return "".join(_TID_LETTERS[number >> 5 * place & 31] for place in range(12, -1, -1))
