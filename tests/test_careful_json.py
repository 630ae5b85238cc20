"""JSON from strangers: plain values or one sentence, in any usual encoding."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followkit.errors import InputError
from followkit.sources.exports.careful_json import (
    clean_text,
    decode_text,
    read_json,
    read_text,
    repair_mojibake,
)
from followkit.sources.exports.members import Limits, Member

BAD = Path(__file__).parent / "bad"
EXPECTED = json.loads((BAD / "read" / "expected.json").read_text())


def _member(content: bytes, path: str = "x/a.json") -> Member:
    return Member(path, len(content), "export.zip", lambda: content)


def _misread(text: str) -> str:
    return text.encode("utf-8").decode("latin-1")


@pytest.mark.parametrize("path", sorted((BAD / "json").iterdir()), ids=lambda path: path.stem)
def test_bad_json_is_one_sentence(path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_json(_member(path.read_bytes()), mojibake=True)
    said = str(caught.value)
    assert said.startswith("x/a.json: ")
    assert "\n" not in said
    assert "ownload" in said
    assert len(said) < 300


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("deep_lists", "nested deeper"), ("deep_closed", "nested deeper than 64"),
        ("deep_objects", "nested deeper than 64"), ("long_number", "5,000 digits"),
        ("long_number_small", "400 digits"), ("nan", "NaN"), ("infinity", "-Infinity"),
        ("overflow", "1e999"), ("twice", "the key 'followers' stands twice"),
        ("twice_deep", "the key 'value' stands twice"), ("twice_repaired", "the key 'ë'"),
        ("two_documents", "Extra data"), ("empty", "is empty"), ("blank", "is empty"),
        ("cut", "no valid JSON"), ("latin1", r"byte 5 \(0xeb\)"),
    ],
)  # fmt: skip
def test_the_sentence_says_why(name: str, said: str) -> None:
    content = (BAD / "json" / f"{name}.json").read_bytes()
    with pytest.raises(InputError, match=said):
        read_json(_member(content), mojibake=True)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_odd_json_is_read(name: str) -> None:
    content = (BAD / "read" / name).read_bytes()
    assert read_json(_member(content), mojibake=True) == EXPECTED[name]


def test_depth_is_counted_exactly() -> None:
    for content in (b"[" * 64 + b"]" * 64, b'{"a":' * 63 + b"{}" + b"}" * 63):
        assert read_json(_member(content))
    with pytest.raises(InputError, match="deeper than 64"):
        read_json(_member(b"[" * 65 + b"]" * 65))
    with pytest.raises(InputError, match="deeper than 2 "):
        read_json(_member(b"[[[]]]"), limits=Limits(json_depth=2))


def test_prefix_is_skipped_once() -> None:
    content = b'window.YTD.like.part0 = [ {"text": "a = b"} ];\n'
    assert read_json(_member(content), prefix="=") == [{"text": "a = b"}]
    with pytest.raises(InputError, match="must begin with something like '='"):
        read_json(_member(b"[]"), prefix="=")


def test_good_text_is_left_alone_without_mojibake() -> None:
    content = json.dumps(["Zo\u00c3\u00ab"]).encode()
    assert read_json(_member(content)) == ["Zo\u00c3\u00ab"]
    assert read_json(_member(content), mojibake=True) == ["Zoë"]


def test_keys_are_repaired_and_keep_their_order() -> None:
    text = json.dumps(
        {_misread("タイム"): 1, "b": {_misread("é"): [_misread("ü"), [_misread("ä")]]}}
    )
    read = read_json(_member(text.encode()), mojibake=True)
    assert read == {"タイム": 1, "b": {"é": ["ü", ["ä"]]}}
    assert list(read) == ["タイム", "b"]


def test_text_ends_its_lines_in_one_way() -> None:
    content = b"\xef\xbb\xbfa,b\r\n1,\x002\rx\ty\n"
    assert read_text(_member(content)) == "a,b\n1,2\nx\ty\n"


def test_encodings_of_text_agree() -> None:
    text = "Zoë 😀\n"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        assert decode_text(text.encode(encoding), "a.csv") == text
    assert decode_text(b"\xfe\xff" + text.encode("utf-16-be"), "a.csv") == text
    with pytest.raises(InputError, match="must be UTF-16 text"):
        decode_text(b"\xff\xfea", "a.csv")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [_clean(one) for one in value]
    if isinstance(value, dict):
        return {clean_text(key): _clean(one) for key, one in value.items()}
    return value


def _count_keys(value: Any) -> int:
    if isinstance(value, list):
        return sum(map(_count_keys, value))
    return len(value) + sum(map(_count_keys, value.values())) if isinstance(value, dict) else 0


@settings(max_examples=150, deadline=None, derandomize=True)
@given(JSON, st.booleans(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_reading_is_loading_and_cleaning(value: Any, escaped: bool, encoding: str) -> None:
    text = json.dumps(value, ensure_ascii=escaped)
    clean = _clean(value)
    if _count_keys(clean) < _count_keys(value):
        with pytest.raises(InputError, match="stands twice"):
            read_json(_member(text.encode(encoding)))
    else:
        assert read_json(_member(text.encode(encoding))) == clean


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_mojibake_is_undone_and_good_text_kept(text: str) -> None:
    assert repair_mojibake(_misread(text)) == text
    if repair_mojibake(text) == text:
        # Whatever is no misread text itself is the same after any number of repairs.
        assert repair_mojibake(repair_mojibake(_misread(text))) == text


@pytest.mark.parametrize("text", ["Zoë", "日本", "😀", "naïve café", "ÀÉÎ", "a\u00a0b", "", "Ã"])
def test_real_letters_stay(text: str) -> None:
    assert repair_mojibake(text) == text


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.binary(max_size=60))
def test_any_bytes_are_json_or_refused(content: bytes) -> None:
    said, value = "", None
    try:
        value = read_json(_member(content), mojibake=True)
    except InputError as error:
        said = str(error)
    assert "\n" not in said
    assert json.loads(json.dumps(value, allow_nan=False)) == value


def test_refused_numbers_are_the_only_ones() -> None:
    value = read_json(_member(b"[1e308, -1e-400, 12345678901234567890, 0.1]"))
    assert value == [1e308, 0.0, 12345678901234567890, 0.1]
    assert all(map(math.isfinite, value))
