"""JSON from strangers: bytes in any usual encoding → plain values, or one `InputError`.

What the standard library lets pass is refused here: keys that stand twice, numbers that are none,
numbers longer than any id, nesting without end. Text comes out without control characters.
"""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from typing import Any, NoReturn

from followkit.errors import InputError
from followkit.sources.exports.members import Limits, Member

__all__ = ["clean_text", "decode_text", "read_json", "read_text", "repair_mojibake"]

#: The longest number any platform writes is an id of 64 bits; longer ones break sums and dates.
_MOST_DIGITS = 25
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"), (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_ODD_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
#: How odd letters may stand in the JSON itself; without one of them no value needs a second look.
_ESCAPES = ("\\u", "\\b", "\\f", "\\r")


def decode_text(content: bytes, name: str) -> str:
    """Return bytes as text: UTF-8 with or without a mark, UTF-16 or UTF-32 by their marks.

    Halves of surrogate pairs become U+FFFD.

    Parameters
    ----------
    content, name
        The bytes, and the file's name for messages.

    Raises
    ------
    InputError
        For any other encoding.

    Examples
    --------
    >>> decode_text("Zoë".encode("utf-8-sig"), "a.csv"), decode_text("Zoë".encode("utf-16"), "a")
    ('Zoë', 'Zoë')
    >>> decode_text("Zoë".encode("latin-1"), "a.csv")
    Traceback (most recent call last):
        ...
    followkit.errors.InputError: a.csv: must be UTF-8 text; byte 3 (0xeb) is none. Save it as ...
    """
    mark, encoding = next(
        ((mark, kind) for mark, kind in _MARKS if content.startswith(mark)), (b"", "utf-8")
    )
    # JSON and CSV begin with ASCII letters, so NULs beside them say which half comes first.
    nul = [byte == 0 for byte in content[:4]]
    if nul == [False, True, False, True]:
        encoding = "utf-16-le"
    elif nul == [True, False, True, False]:
        encoding = "utf-16-be"
    body = content[len(mark) :]
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        place = error.start
    try:
        return _SURROGATES.sub("\ufffd", body.decode(encoding, "surrogatepass"))
    except UnicodeDecodeError:
        spelt = encoding.upper().removesuffix("-LE").removesuffix("-BE")
        raise InputError(
            f"{name}: must be {spelt} text; byte {place + len(mark) + 1:,} "
            f"(0x{body[place]:02x}) is none. Save it as UTF-8, or download the export again."
        ) from None


def read_text(member: Member) -> str:
    r"""Return a member's text, without control characters but tab and line feed.

    Line ends of any kind become line feeds.

    Raises
    ------
    InputError
        As `decode_text`, or because the member cannot be read.

    Examples
    --------
    >>> read_text(Member("a.txt", 6, "export", lambda: b"a\x00b\r\nc"))
    'ab\nc'
    """
    return clean_text(decode_text(member.read_bytes(), member.path))


def clean_text(text: str) -> str:
    r"""Return text without control characters but tab and line feed; lone surrogates become U+FFFD.

    Examples
    --------
    >>> clean_text("a\x1bb\ud800\r\nc")
    'ab\ufffd\nc'
    """
    if _ODD_TEXT.search(text) is None:
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("", text))


def read_json(
    member: Member, *, mojibake: bool = False, prefix: str = "", limits: Limits | None = None
) -> Any:
    r"""Return a member's JSON as plain values, text repaired and cleaned.

    Parameters
    ----------
    member
        The file.
    mojibake
        Repair every string and key by `repair_mojibake`.
    prefix
        Skip to after the first place where it stands, such as "=" in X archives.
    limits
        For `json_depth`; the usual ones without it.

    Raises
    ------
    InputError
        If it cannot be read, is no JSON, holds one key twice in an object, a number that is none
        (NaN, Infinity, 1e999) or has more than 25 digits, or is nested too deep.

    Examples
    --------
    >>> read_json(Member("a.json", 0, "export", lambda: b'{"name": "Zo\\u00c3\\u00ab"}'),
    ...           mojibake=True)
    {'name': 'Zoë'}
    >>> read_json(Member("a.json", 0, "export", lambda: b'{"a": 1, "a": 2}'))
    Traceback (most recent call last):
        ...
    followkit.errors.InputError: a.json: the key 'a' stands twice in one object; which one ...
    """
    name = member.path
    text = decode_text(member.read_bytes(), name)
    if prefix:
        _, found, text = text.partition(prefix)
        if not found:
            raise InputError(
                f"{name}: must begin with something like {prefix!r} before its data, and does "
                "not; the format may have changed. Download the export again."
            )
        text = text.rstrip().removesuffix(";")
    value = _parse(text, name)
    is_odd = any(escape in text for escape in _ESCAPES) or _ODD_TEXT.search(text) is not None
    is_odd = is_odd or (mojibake and not text.isascii())
    del text
    depth = (limits or Limits()).json_depth
    return _Tidying(name, depth, mojibake, is_odd).tidy(value)


def repair_mojibake(text: str) -> str:
    r"""Return text whose UTF-8 bytes had been written as Latin-1 letters; good text is unchanged.

    The rule undoes one writing, as Instagram and Facebook do it; a real é is no valid UTF-8 and
    stays.

    Examples
    --------
    >>> repair_mojibake("Zo\u00c3\u00ab"), repair_mojibake("Zoë"), repair_mojibake("日本")
    ('Zoë', 'Zoë', '日本')
    """
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


class _RefusalError(Exception):
    """Why a value is refused, on its way out of the JSON parser."""


def _parse(text: str, name: str) -> Any:
    try:
        # Raw control characters in strings are common in the wild; `_Tidying` takes them out.
        return _DECODER.decode(text)
    except _RefusalError as refusal:
        raise InputError(f"{name}: {refusal}") from None
    except RecursionError:
        raise InputError(
            f"{name}: is nested deeper than any export; download it again, or leave it out."
        ) from None
    except ValueError as error:
        what = "is empty" if not text.strip() else f"is no valid JSON ({error})"
        raise InputError(
            f"{name}: {what}; the download looks incomplete; download it again."
        ) from None


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        again = next(key for key, count in counts.items() if count > 1)
        raise _RefusalError(
            f"the key {clean_text(again)[:60]!r} stands twice in one object; which one is meant "
            "nobody can say. Download the export again."
        )
    return made


def _refuse_constant(text: str) -> NoReturn:
    raise _RefusalError(f"holds {text} where a number is due; download the export again.")


def _read_float(text: str) -> float:
    number = float(text)
    if number - number != 0.0:
        _refuse_constant(text[:40])
    return number


def _read_int(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise _RefusalError(
            f"holds a number of {len(text):,} digits, longer than any id; download the export "
            "again."
        )
    return int(text)


_DECODER = json.JSONDecoder(
    strict=False,
    object_pairs_hook=_make_object,
    parse_constant=_refuse_constant,
    parse_float=_read_float,
    parse_int=_read_int,
)


class _Tidying:
    """Walks a value level by level, so that no nesting can exhaust the stack."""

    def __init__(self, name: str, depth: int, mojibake: bool, is_odd: bool) -> None:
        self._name = name
        self._depth = depth
        self._mojibake = mojibake
        self._is_odd = is_odd

    def tidy(self, value: Any) -> Any:
        """Clean strings and keys where they need it, and refuse what is nested too deep."""
        root = [value]
        level: list[Any] = [root]
        for _ in range(self._depth + 1):
            if self._is_odd:
                for node in level:
                    self._clean(node)
            level = [
                child
                for node in level
                for child in (node.values() if type(node) is dict else node)
                if type(child) is dict or type(child) is list
            ]
            if not level:
                return root[0]
        raise InputError(
            f"{self._name}: is nested deeper than {self._depth} objects and lists, as no export "
            "is; download it again, or leave it out."
        )

    def _clean(self, node: Any) -> None:
        if type(node) is list:
            for place, child in enumerate(node):
                if type(child) is str and not (child.isascii() and child.isprintable()):
                    node[place] = self._text(child)
            return
        odd = [key for key in node if not (key.isascii() and key.isprintable())]
        if odd:
            self._rename(node)
        for key, child in node.items():
            if type(child) is str and not (child.isascii() and child.isprintable()):
                node[key] = self._text(child)

    def _rename(self, node: dict[str, Any]) -> None:
        pairs = [(self._text(key), child) for key, child in node.items()]
        try:
            renamed = _make_object(pairs)
        except _RefusalError as refusal:
            raise InputError(f"{self._name}: {refusal}") from None
        node.clear()
        node.update(renamed)

    def _text(self, text: str) -> str:
        # Repaired first: bytes 0x80 to 0x9f look like control characters until they are put right.
        return clean_text(repair_mojibake(text) if self._mojibake else text)
