"""Writes the bad files that are missing; what is there stays, so that the corpus only grows."""

from __future__ import annotations

import io
import json
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
MOMENT = (2026, 1, 1, 0, 0, 0)
LIST = json.dumps([{"title": "", "string_list_data": [{"value": "ana.lu", "timestamp": 1}]}] * 20)


def make_zip(members: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip whose bytes do not depend on the day."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as packed:
        for name, content in members.items():
            packed.writestr(_info(name, method), content)
    return stream.getvalue()


def make_named(name: str) -> bytes:
    """Return a zip with one good member and one of this name, NUL and all."""
    stand_in = "n" * len(name)
    whole = make_zip({"followers_1.json": LIST.encode(), stand_in: b"[]"})
    return whole.replace(stand_in.encode(), name.encode())


def make_twice() -> bytes:
    """Return a zip in which one name stands twice."""
    return make_zip({"followers_1.json": b"[]", "followers_2.json": b"[1]"}).replace(
        b"followers_2.json", b"followers_1.json"
    )


def make_link() -> bytes:
    """Return a zip with a symbolic link to a file outside."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        info = _info("followers_1.json", zipfile.ZIP_STORED)
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        packed.writestr(info, "../../secret.json")
    return stream.getvalue()


def make_locked() -> bytes:
    """Return a zip whose member says that it is encrypted."""
    whole = bytearray(make_zip({"followers_1.json": LIST.encode()}))
    whole[6] |= 1
    whole[whole.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(whole)


def make_wrong_sum() -> bytes:
    """Return a zip with one byte of a stored member changed."""
    whole = make_zip({"followers_1.json": LIST.encode()}, method=zipfile.ZIP_STORED)
    return whole.replace(b"ana.lu", b"eve.xx", 1)


def make_lying(size: int = 10) -> bytes:
    """Return a zip whose headers say that its member is of this size."""
    whole = bytearray(make_zip({"followers_1.json": LIST.encode()}))
    directory = whole.rindex(b"PK\x01\x02")
    whole[22:26] = whole[directory + 24 : directory + 28] = struct.pack("<L", size)
    return bytes(whole)


def make_overlapping() -> bytes:
    """Return a zip whose directory names the same packed bytes three times."""
    whole = make_zip({f"likes_{place}.json": LIST.encode() for place in range(3)})
    directory = whole.index(b"PK\x01\x02")
    first = whole[: whole.index(b"PK\x03\x04", 4)]
    entries = bytearray(whole[directory : whole.rindex(b"PK\x05\x06")])
    end = bytearray(whole[whole.rindex(b"PK\x05\x06") :])
    step = len(entries) // 3
    for place in range(3):
        entries[place * step + 42 : place * step + 46] = struct.pack("<L", 0)
    end[16:20] = struct.pack("<L", len(first))
    return first + bytes(entries) + bytes(end)


def _info(name: str, method: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, MOMENT)
    info.compress_type = method
    return info


def _good() -> bytes:
    return make_zip({"followers_1.json": LIST.encode(), "following.json": b"[]"})


ZIPS: dict[str, Callable[[], bytes]] = {
    "dots": lambda: make_named("a/../../followers_2.json"),
    "root": lambda: make_named("/etc/followers_2.json"),
    "backslash": lambda: make_named("..\\followers_2.json"),
    "drive": lambda: make_named("C:followers_2.json"),
    "nul": lambda: make_named("followers_2.json\0.jpg"),
    "twice": make_twice,
    "link": make_link,
    "locked": make_locked,
    "wrong_sum": make_wrong_sum,
    "lying_short": make_lying,
    "lying_long": lambda: make_lying(100_000),
    "overlapping": make_overlapping,
    "cut_half": lambda: _good()[: len(_good()) // 2],
    "cut_end": lambda: _good()[:-5],
    "cut_begin": lambda: _good()[40:],
    "no_directory": lambda: _good()[: _good().index(b"PK\x01\x02")],
    "bad_directory": lambda: _good().replace(b"PK\x01\x02", b"PK\x09\x09"),
    "page": lambda: b"<!DOCTYPE html><title>Log in</title>",
    "nothing": lambda: b"",
    "no_member": lambda: make_zip({}),
    "bzip2": lambda: make_zip({"followers_1.json": LIST.encode()}, method=zipfile.ZIP_BZIP2),
    "lzma": lambda: make_zip({"followers_1.json": LIST.encode()}, method=zipfile.ZIP_LZMA),
}

JSON: dict[str, bytes] = {
    "deep_lists": b"[" * 100_000,
    "deep_closed": b"[" * 500 + b"]" * 500,
    "deep_objects": b'{"a":' * 80 + b"1" + b"}" * 80,
    "long_number": b'{"timestamp": ' + b"9" * 5000 + b"}",
    "long_number_small": b'{"timestamp": ' + b"9" * 400 + b"}",
    "nan": b'{"timestamp": NaN}',
    "infinity": b'{"timestamp": -Infinity}',
    "overflow": b'{"timestamp": 1e999}',
    "twice": b'{"followers": [1], "followers": []}',
    "twice_deep": b'[{"a": [{"value": "x", "value": "y"}]}]',
    "twice_repaired": '{"\\u00c3\\u00ab": 1, "ë": 2}'.encode(),
    "two_documents": b"[] []",
    "cut": b'[{"title": "", "string_list_data": [{"href": "htt',
    "empty": b"",
    "blank": b" \n\t ",
    "page": b"<html><body>Log in</body></html>",
    "latin1": '["Zoë"]'.encode("latin-1"),
    "nul_bytes": b"\0" * 64,
    "half_utf16": '["Zoë"]'.encode("utf-16")[:-1],
    "comment": b"[1, /* two */ 2]",
    "trailing_comma": b"[1, 2, ]",
}

#: File → its bytes and what must be read from it.
READ: dict[str, tuple[bytes, object]] = {
    "utf8.json": ('["Zoë 😀"]'.encode(), ["Zoë 😀"]),
    "utf8_mark.json": ('["Zoë 😀"]'.encode("utf-8-sig"), ["Zoë 😀"]),
    "utf16_little.json": (b"\xff\xfe" + '["Zoë 😀"]'.encode("utf-16-le"), ["Zoë 😀"]),
    "utf16_big.json": (b"\xfe\xff" + '["Zoë 😀"]'.encode("utf-16-be"), ["Zoë 😀"]),
    "utf16_no_mark.json": ('["Zoë 😀"]'.encode("utf-16-le"), ["Zoë 😀"]),
    "utf32.json": (b"\xff\xfe\0\0" + '["Zoë 😀"]'.encode("utf-32-le"), ["Zoë 😀"]),
    "escaped.json": (b'["Zo\\u00eb \\ud83d\\ude00"]', ["Zoë 😀"]),
    "mojibake.json": (b'["Zo\\u00c3\\u00ab \\u00f0\\u009f\\u0098\\u0080"]', ["Zoë 😀"]),
    "mojibake_raw.json": (('["' + "Zoë 😀".encode().decode("latin-1") + '"]').encode(),
                          ["Zoë 😀"]),
    "surrogate.json": (b'["a\\ud800b"]', ["a\ufffdb"]),
    "surrogate_raw.json": (b'["a\xed\xa0\x80b"]', ["a\ufffdb"]),
    "controls.json": (b'["a\\u0000\\u001b\\u009b\\bb\\tc\\nd\x01"]', ["ab\tc\nd"]),
    "control_key.json": (b'{"a\\u0000b": 1}', {"ab": 1}),
    "right_to_left.json": (b'["a\\u202eb"]', ["a\u202eb"]),
    "values_like_handles.json": (
        b'["NA", "null", "007", "1e5", "True", 9007199254740993, "9007199254740993"]',
        ["NA", "null", "007", "1e5", "True", 9007199254740993, "9007199254740993"],
    ),
}  # fmt: skip


def write_missing() -> list[Path]:
    """Write every file that is not there yet, and return them."""
    wanted = {HERE / "zips" / f"{name}.zip": make() for name, make in ZIPS.items()}
    wanted |= {HERE / "json" / f"{name}.json": content for name, content in JSON.items()}
    for name, (content, _) in READ.items():
        wanted[HERE / "read" / name] = content
    missing = [path for path in wanted if not path.exists()]
    for path in missing:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(wanted[path])
    expected = {name: value for name, (_, value) in READ.items()}
    (HERE / "read" / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    return missing


if __name__ == "__main__":
    print(f"{len(write_missing())} files written")
