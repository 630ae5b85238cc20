"""Pseudonyms: one key, one name; no key, no way back; never two people of one name."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import stat
import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followkit import pseudonyms as ps
from followkit.errors import InputError
from followkit.tables import Dataset, make_dataset

NAME = re.compile(rf"user-[{ps.LETTERS}]{{6,}}")
KEYS = st.binary(min_size=1, max_size=64)
IDS = st.lists(st.text(min_size=1, max_size=20), unique=True, max_size=30)
needs_modes = pytest.mark.skipif(os.name == "nt", reason="this system has no file modes")


def make_people(**columns: Any) -> Dataset:
    """Return six people, two of them in one small town."""
    ids = ["ann", "ben", "cid", "dot", "eva", "fay"]
    ties = pd.DataFrame({"follower_id": ids, "followee_id": [*ids[1:], ids[0]]})
    people = {"account_id": ids, "location": ["Ulm", "Ulm", "Bonn", "Bonn", "Bonn", "Bonn"],
              "category": ["art"] * 6, **columns}  # fmt: skip
    return make_dataset({"follows": ties, "accounts": pd.DataFrame(people)})


# ---------------------------------------------------------------------------------------- the names


def test_a_name_is_the_keyed_hash_in_other_letters() -> None:
    """Spelt out by hand from HMAC as its standard (RFC 2104) defines it."""
    key = b"k" * 32
    block = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in block) + b"followkit account\0zo\xc3\xab")
    outer = hashlib.sha256(bytes(b ^ 0x5C for b in block) + inner.digest())
    number, letters = int(outer.hexdigest(), 16), ""
    for _ in range(6):
        letters += "bcdfghjkmnpqrtvwxz2346789"[number % 25]
        number //= 25
    assert ps.make_pseudonyms(["zoë"], key) == {"zoë": f"user-{letters}"}


@given(IDS, KEYS)
def test_names_are_plain_and_each_its_own(ids: list[str], key: bytes) -> None:
    names = ps.make_pseudonyms(ids, key)
    assert list(names) == ids
    assert all(NAME.fullmatch(name) for name in names.values())
    assert len(set(names.values())) == len(ids)


@given(IDS, KEYS, st.randoms())
def test_neither_order_nor_company_changes_a_name(ids: list[str], key: bytes, random: Any) -> None:
    names = ps.make_pseudonyms(ids, key)
    mixed = [*ids, *ids]
    random.shuffle(mixed)
    assert ps.make_pseudonyms(mixed, key) == names
    assert ps.make_pseudonyms(ids[:5], key).items() <= names.items() or len(ids) > 5
    for one in ids[:3]:
        # Alone a name can only be shorter, where somebody else's begins the same.
        assert names[one].startswith(ps.make_pseudonyms([one], key)[one])


def test_another_key_gives_none_of_the_names() -> None:
    ids = [f"person{number}" for number in range(2000)]
    one, two = (set(ps.make_pseudonyms(ids, key).values()) for key in (b"one" * 11, b"two" * 11))
    # Of 2,000 × 2,000 chances in 25^6, 0.016 are expected to come true; these keys have none.
    assert not one & two


@given(st.sets(st.integers(0, 10_000), min_size=30, max_size=120), KEYS, st.randoms())
@settings(max_examples=40)
def test_ids_that_are_alike_get_longer_names_whatever_their_order(
    ids: set[int], key: bytes, random: Any
) -> None:
    """With one letter of 25, thirty ids must clash."""
    ordered = sorted(ids)
    names = ps.make_pseudonyms(ordered, key, length=1)
    random.shuffle(ordered)
    assert ps.make_pseudonyms(ordered, key, length=1) == names
    made = sorted(names.values())
    assert len(set(made)) == len(ids)
    # Nobody's name is the beginning of another's, so a shortened name still fits one person.
    assert not any(two.startswith(one) for one, two in pairwise(made))
    full = {name: ps._spell(ps._hash(name, key), 55) for name in names}
    for one, name in names.items():
        letters = name.removeprefix("user-")
        assert full[one].startswith(letters)
        shorter = [other for other in full.values() if other.startswith(letters[:-1])]
        assert len(letters) == 1 or len(shorter) > 1, "no longer than it has to be"


def test_clashes_happen_at_full_length_too() -> None:
    names = ps.make_pseudonyms(range(60_000), b"k" * 32)
    assert len(set(names.values())) == 60_000
    lengths = pd.Series([len(name) for name in names.values()]).value_counts()
    # 60,000² / 2 / 25⁶ ≈ 7.4 pairs are expected to begin alike.
    assert 2 <= lengths[12] <= 40
    assert lengths.sum() - lengths[11] - lengths[12] <= 2


@pytest.mark.parametrize(
    "name",
    ["", " ", "\x00", "a\x00", "\ud800", "null", "NA", "007", "7", "-1", "1e5", "user-k7m2qx",
     "<script>", "=1+1", "../../etc", "ab\u202ec", "é", "e\u0301", "x" * 100_000],
)  # fmt: skip
def test_odd_ids_get_ordinary_names(name: str) -> None:
    others = ["zoe", "7.0", "07", "\x00a", "E\u0301"]
    names = ps.make_pseudonyms([name, *others], b"k" * 32)
    assert NAME.fullmatch(names[name])
    assert len(set(names.values())) == len(others) + 1


def test_whole_numbers_keep_every_digit_and_the_missing_have_no_name() -> None:
    """Beside a missing id, long ones would become decimals."""
    long = [9007199254740993, 9007199254740992]
    names = ps.make_pseudonyms([*long, None, float("nan"), pd.NA], b"k" * 32)
    assert list(names) == [str(one) for one in long]
    assert names == ps.make_pseudonyms(pd.Series([*long, None], dtype="Int64"), b"k" * 32)
    assert names == ps.make_pseudonyms([str(one) for one in long], b"k" * 32)


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(InputError, match="empty key"):
        ps.make_pseudonyms(["zoe"], b"")


# ------------------------------------------------------------------------------------------ the key


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "settings" / "followkit" / "key"
    monkeypatch.delenv(ps.KEY_VARIABLE)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setenv("APPDATA", str(tmp_path / "settings"))
    return path


@needs_modes
def test_a_key_is_made_once_for_its_owner_alone(place: Path) -> None:
    before = os.umask(0)
    try:
        key = ps.load_key()
    finally:
        os.umask(before)
    assert ps.find_key_file() == place
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    assert len(key) == 32
    assert bytes.fromhex(place.read_text()) == key == ps.load_key()
    assert [path.name for path in place.parent.iterdir()] == ["key"]


def test_every_key_is_its_own(tmp_path: Path) -> None:
    assert ps.load_key(tmp_path / "one") != ps.load_key(tmp_path / "two")


def test_many_who_make_a_key_at_once_share_it(tmp_path: Path) -> None:
    keys: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: keys.append(ps.load_key(tmp_path / "new" / "key")))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 12
    assert len(set(keys)) == 1


@needs_modes
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    key = ps.load_key(path)
    path.chmod(mode)
    with pytest.raises(InputError, match=f"mode {mode:o}, must be 600.*chmod 600") as caught:
        ps.load_key(path)
    assert key.hex() not in str(caught.value)
    path.chmod(0o400)
    assert ps.load_key(path) == key


@pytest.mark.parametrize("content", ["", "abc", "zz" * 32, "ab" * 31, "ab" * 33, "\xff\xfe"])
def test_a_damaged_key_is_neither_used_nor_shown_nor_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key"
    path.write_bytes(content.encode("latin-1"))
    path.chmod(0o600)
    with pytest.raises(InputError, match="64 hexadecimal digits") as caught:
        ps.load_key(path)
    assert not content or content not in str(caught.value)
    assert path.read_bytes() == content.encode("latin-1")


def test_a_key_inside_the_project_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    (project / "below").mkdir(parents=True)
    (project / "pyproject.toml").touch()
    monkeypatch.setenv("FOLLOWKIT_ROOT", str(project / "below"))
    for inside in (project / "key", project / "below" / ".." / "x" / "key"):
        with pytest.raises(InputError, match="inside the project"):
            ps.load_key(inside)
    assert sorted(path.name for path in project.iterdir()) == ["below", "pyproject.toml"]
    ps.load_key(tmp_path / "key")


def test_where_no_key_can_be_kept_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot be read or made.*FOLLOWKIT_KEY_FILE"):
        ps.load_key(tmp_path / "file" / "key")
    monkeypatch.setenv(ps.KEY_VARIABLE, "key")
    with pytest.raises(InputError, match="absolute path"):
        ps.find_key_file()


def test_the_home_folder_is_not_spelt_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    path = tmp_path / ".config" / "key"
    path.parent.mkdir()
    path.write_text("x")
    path.chmod(0o600)
    with pytest.raises(InputError) as caught:
        ps.load_key(path)
    assert "~/.config/key" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


# ------------------------------------------------------------------------------ names of a data set


def test_only_data_that_look_simulated_get_the_public_key(town: Dataset, nostr: Dataset) -> None:
    assert ps.is_simulated(town)
    assert not ps.is_simulated(nostr)
    names = ps.name_accounts(town)
    assert names.name(7) == ps.make_pseudonyms([7], ps.PUBLIC_KEY)["7"] == "user-chfrtm"
    assert ps.name_accounts(nostr).name(7) == ps.make_pseudonyms([7], ps.load_key())["7"]


def test_a_forgotten_truth_does_not_give_handles_away(town: Dataset) -> None:
    people = make_people()
    forgotten = make_dataset(people.tables, about={"truth": town.about["truth"]})
    assert not ps.is_simulated(forgotten)
    ties = pd.DataFrame({"follower_id": [1, 2], "followee_id": [2, 900_719_925]})
    assert not ps.is_simulated(make_dataset({"follows": ties}, about=forgotten.about))
    assert not ps.is_simulated(make_dataset(town.tables, about={"truth": True}))


def test_an_account_is_found_by_id_pseudonym_or_name() -> None:
    data = make_people(handle=["annika", "", "cid", "dup", "dup", None])
    hidden, shown = ps.name_accounts(data), ps.name_accounts(data, show_names=True)
    assert hidden.find("ben") == hidden.find(hidden.name("ben")) == "ben"
    assert shown.find("annika") == shown.find("ann") == shown.find(hidden.name("ann")) == "ann"
    assert [shown.name(one) for one in ("ann", "ben", "fay")] == ["annika", "ben", "fay"]
    for text in ("", "nobody", "annika"):
        assert hidden.find(text) == text
    assert shown.find("dup") == "dup", "two people bear it"
    assert hidden.name("") == ""
    assert hidden.name("nobody") == "withheld", "it may be somebody, only not here"


def test_an_id_that_looks_like_a_pseudonym_stays_itself() -> None:
    ben = ps.make_pseudonyms(["ben"], ps.load_key())["ben"]
    ties = pd.DataFrame({"follower_id": [ben, "ben"], "followee_id": ["ben", "cid"]})
    names = ps.name_accounts(make_dataset({"follows": ties}))
    assert names.find(ben) == ben
    assert names.name(ben) != ben


@pytest.mark.parametrize(
    ("segment", "shown"),
    [
        ("", ""),
        ("month=2025-03", "month=2025-03"),
        ("initiator=ann", "initiator={ann}"),
        ("decider=nobody", "decider=withheld"),
        ("decider.handle=annika", "decider={ann}"),
        ("initiator.handle=x=y", "initiator={ben}"),
        ("initiator.bio=likes tea", "initiator.bio=withheld"),
        ("decider.location=Ulm", "decider.location=withheld"),
        ("decider.location=Bonn", "decider.location=withheld"),
        ("decider.category=art", "decider.category=art"),
        ("decider.location=Rome", "decider.location=withheld"),
        ("nonsense", "nonsense"),
        ("other=ann", "other=withheld"),
    ],
)
def test_a_segment_shows_nobody(segment: str, shown: str) -> None:
    data = make_people(handle=["annika", "x=y", "c", "d", "e", "f"], bio=["likes tea"] * 6)
    names = ps.name_accounts(data)
    told = {one: names.name(one) for one in ("ann", "ben")}
    assert names.name_segment(segment) == shown.format(**told)
    assert ps.name_accounts(data, show_names=True).name_segment(segment) == segment
    if "{" in shown:
        side = segment.partition("=")[0].partition(".")[0]
        found = names.find_segment(names.name_segment(segment))
        assert found in (f"{side}=ann", f"{side}=ben"), "the owner of the key may type it again"


def test_names_do_not_depend_on_the_hash_seed_of_python() -> None:
    code = "from followkit.pseudonyms import *; print(make_pseudonyms('abcdefgh', b'k', length=1))"
    said = {
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True,
                       env={**os.environ, "PYTHONHASHSEED": seed}).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(said) == 1


def test_python_agrees_with_its_own_hmac() -> None:
    digest = hmac.new(b"key", b"followkit account\x007", hashlib.sha256).digest()
    assert ps._hash("7", b"key") == int.from_bytes(digest, "big")
