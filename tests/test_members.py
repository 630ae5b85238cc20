"""Archives are listed and read, never extracted; what is odd ends in one sentence."""

from __future__ import annotations

import importlib.util
import io
import os
import random
import struct
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followkit.errors import InputError
from followkit.sources.exports.members import Limits, open_members

BAD = Path(__file__).parent / "bad"


def _load_maker() -> Any:
    spec = importlib.util.spec_from_file_location("make_bad", BAD / "make_bad.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKER = _load_maker()
ZIPS = sorted((BAD / "zips").glob("*.zip"))


def _read_all(path: Any, limits: Limits | None = None) -> dict[str, bytes]:
    with open_members(path, limits) as members:
        return {member.path: member.read_bytes() for member in members}


def _write_zip(path: Path, members: dict[str, bytes]) -> Path:
    path.write_bytes(MAKER.make_zip(members))
    return path


@pytest.fixture
def peak() -> Iterator[Callable[[], int]]:
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# ------------------------------------------------------------------------------------- the corpus


def test_the_corpus_only_grows() -> None:
    have = {path.relative_to(BAD).as_posix() for path in BAD.rglob("*.*")}
    wanted = {f"zips/{name}.zip" for name in MAKER.ZIPS}
    wanted |= {f"json/{name}.json" for name in MAKER.JSON} | {f"read/{name}" for name in MAKER.READ}
    assert wanted <= have
    assert len(ZIPS) >= 22


@pytest.mark.parametrize("path", ZIPS, ids=lambda path: path.stem)
def test_bad_zip_is_one_sentence(path: Path) -> None:
    with pytest.raises(InputError) as caught:
        _read_all(path)
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < 400
    # Every one says what to do next.
    assert "ownload" in said or "npack it" in said


@pytest.mark.parametrize("name", ["cut_half", "cut_end", "wrong_sum", "page", "nothing"])
def test_incomplete_download_is_called_so(name: str) -> None:
    with pytest.raises(InputError, match="the download looks incomplete; download it again"):
        _read_all(BAD / "zips" / f"{name}.zip")


@pytest.mark.parametrize(
    ("name", "named"),
    [("dots", "a/../../followers_2.json"), ("root", "/etc/followers_2.json"),
     ("backslash", "followers_2.json"), ("drive", "C:followers_2.json"),
     ("nul", "followers_2.json"), ("twice", "followers_1.json"), ("link", "followers_1.json")],
)  # fmt: skip
def test_bad_name_is_named(name: str, named: str) -> None:
    with pytest.raises(InputError, match=name) as caught:
        _read_all(BAD / "zips" / f"{name}.zip")
    assert named in str(caught.value)


def test_a_bad_name_is_refused_even_where_nobody_reads_it(tmp_path: Path) -> None:
    for name in ("../a.jpg", "__MACOSX/../../._x", "..", "a/.."):
        path = _write_zip(tmp_path / "one.zip", {name: b"", "followers_1.json": b"[]"})
        with pytest.raises(InputError, match="a step out of its folder"):
            _read_all(path)


# ------------------------------------------------------------------------------------- the bombs


def _make_bomb(size: int, declared: int | None = None) -> bytes:
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed,
        packed.open("followers_1.json", "w") as member,
    ):
        for _ in range(size >> 20):
            member.write(bytes(1 << 20))
    whole = bytearray(stream.getvalue())
    if declared is not None:
        directory = whole.rindex(b"PK\x01\x02")
        for place in (22, directory + 24):
            whole[place : place + 4] = struct.pack("<L", declared)
    return bytes(whole)


@pytest.mark.parametrize("declared", [None, 10, 0, 2**32 - 2])
def test_bomb_is_refused_in_little_memory(
    declared: int | None, tmp_path: Path, peak: Callable[[], int]
) -> None:
    path = tmp_path / "bomb.zip"
    path.write_bytes(_make_bomb(300 << 20, declared))
    assert path.stat().st_size < 400_000
    tracemalloc.reset_peak()
    with pytest.raises(InputError, match=r"times its packed size|is larger than"):
        _read_all(path)
    assert peak() < 50_000_000


def test_many_small_bombs_are_one_bomb(tmp_path: Path, peak: Callable[[], int]) -> None:
    path = _write_zip(tmp_path / "many.zip", {f"{n}.json": bytes(5 << 20) for n in range(8)})
    tracemalloc.reset_peak()
    with pytest.raises(InputError, match="times its packed size"):
        _read_all(path)
    assert peak() < 50_000_000


def test_limits_are_kept_to_the_byte(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(100_000)
    path = _write_zip(tmp_path / "a.zip", {"a.json": noise, "b.json": noise})
    assert _read_all(path, Limits(member_bytes=100_000, total_bytes=200_000))["a.json"] == noise
    with pytest.raises(InputError, match=r"a\.json: is larger than 99,999 bytes"):
        _read_all(path, Limits(member_bytes=99_999))
    with pytest.raises(InputError, match=r"b\.json: all files together .* 199,999 bytes"):
        _read_all(path, Limits(total_bytes=199_999))
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "a.json").write_bytes(noise)
    with pytest.raises(InputError, match=r"a\.json: is larger than 99,999 bytes"):
        _read_all(folder, Limits(member_bytes=99_999))
    assert _read_all(folder, Limits(ratio=1, free_bytes=0)) == {"a.json": noise}


def test_a_member_read_twice_counts_once(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(100_000)
    path = _write_zip(tmp_path / "a.zip", {"a.json": noise, "b.json": noise})
    with open_members(path, Limits(total_bytes=200_000)) as members:
        for _ in range(3):
            assert [member.read_bytes() for member in members] == [noise, noise]


def test_high_ratio_is_free_for_small_members(tmp_path: Path) -> None:
    zeros = bytes(1_000_000)
    path = _write_zip(tmp_path / "a.zip", {"a.json": zeros})
    assert _read_all(path) == {"a.json": zeros}
    with pytest.raises(InputError, match="unpacks to more than 200 times"):
        _read_all(path, Limits(free_bytes=500_000))


# ------------------------------------------------------------------------- members, kinds, places


def test_too_many_members_are_counted_without_media(tmp_path: Path) -> None:
    pictures = {f"media/{n}.jpg": b"" for n in range(150)}
    path = _write_zip(tmp_path / "a.zip", {"a.json": b"[]", "b.json": b"[]", **pictures})
    with open_members(path, Limits(members=100)) as members:
        assert [member.path for member in members] == ["a.json", "b.json"]
        assert members.left_out == {"media": 150}
    with pytest.raises(InputError, match="more than 1 files beside pictures"):
        _read_all(path, Limits(members=1))


def test_directory_is_counted_before_it_is_loaded(tmp_path: Path, peak: Callable[[], int]) -> None:
    one = MAKER.make_zip({"a.json": b"[]"})
    start, end = one.index(b"PK\x01\x02"), one.rindex(b"PK\x05\x06")
    entry, count = one[start:end], 100_000
    tail = bytearray(one[end:])
    tail[12:16] = struct.pack("<L", len(entry) * count)
    path = tmp_path / "many.zip"
    path.write_bytes(one[:start] + entry * count + bytes(tail))
    tracemalloc.reset_peak()
    before = peak()
    with pytest.raises(InputError, match="more than 20,000 files"):
        _read_all(path, Limits(members=20_000))
    assert peak() - before < 2_000_000


def test_zip_inside_a_zip_is_only_listed(tmp_path: Path) -> None:
    inner = MAKER.make_zip({"followers_1.json": b"[]"})
    path = _write_zip(tmp_path / "outer.zip", {"inner.zip": inner, "a.json": b"[]"})
    assert _read_all(path) == {"a.json": b"[]", "inner.zip": inner}


def test_junk_is_left_out(tmp_path: Path) -> None:
    names = ["__MACOSX/x/._a.json", "x/._a.json", "x/.DS_Store", "x/Thumbs.db", "x/a.json"]
    path = _write_zip(tmp_path / "a.zip", dict.fromkeys(names, b"[]"))
    with open_members(path) as members:
        assert [member.path for member in members] == ["x/a.json"]
        assert members.left_out == {"junk": 4}
        assert (members.files[0].name, members.files[0].folder) == ("a.json", "x")
        assert members.files[0].origin == "a.zip"


def test_paths_come_out_plain_and_in_order(tmp_path: Path) -> None:
    names = ["./b.json", "w//a.json", "w/", "./", "w/ünï.json"]
    path = _write_zip(tmp_path / "a.zip", dict.fromkeys(names, b""))
    assert list(_read_all(path)) == ["b.json", "w/a.json", "w/ünï.json"]


def test_utf8_names_without_their_flag_are_read(tmp_path: Path) -> None:
    whole = MAKER.make_zip({"suscripciónes.csv": b"x"})
    path = tmp_path / "a.zip"
    plain = bytearray(whole)
    for place in (7, whole.rindex(b"PK\x01\x02") + 9):
        plain[place] &= ~0x08
    path.write_bytes(bytes(plain))
    assert _read_all(path) == {"suscripciónes.csv": b"x"}


def test_what_a_zip_is_its_bytes_say(tmp_path: Path) -> None:
    path = tmp_path / "download.json"
    path.write_bytes(MAKER.make_zip({"a.json": b"[]"}))
    assert _read_all(path) == {"a.json": b"[]"}
    single = tmp_path / "user_data.json"
    single.write_bytes(b"{}")
    assert _read_all(single) == {"user_data.json": b"{}"}
    for start, kind in ((b"\x1f\x8b\x08\0", "gzip"), (b"Rar!\x1a", "RAR"), (b"7z\xbc\xaf", "7z")):
        single.write_bytes(start)
        with pytest.raises(InputError, match=f"is packed as {kind}"):
            _read_all(single)


def test_parts_are_joined_and_the_same_path_counts_once(tmp_path: Path) -> None:
    one = _write_zip(tmp_path / "part_1.zip", {"x/message_1.json": b"1", "a.json": b"[]"})
    two = _write_zip(tmp_path / "part_2.zip", {"x/message_1.json": b"2"})
    every: tuple[Any, ...] = ([one, two, str(one)], tmp_path)
    for given_paths in every:
        with open_members(given_paths) as members:
            read = [(member.path, member.origin, member.read_bytes()) for member in members]
        assert read == [
            ("a.json", "part_1.zip", b"[]"),
            ("x/message_1.json", "part_1.zip", b"1"),
            ("x/message_1.json", "part_2.zip", b"2"),
        ]


def test_zips_of_one_name_in_two_folders_share_no_count(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(1000)
    paths = []
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        paths.append(_write_zip(tmp_path / place / "a.zip", {"a.json": noise}))
    with (
        pytest.raises(InputError, match="all files together"),
        open_members(paths, Limits(total_bytes=1500)) as members,
    ):
        assert len([member.read_bytes() for member in members]) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes need a POSIX system")
def test_a_folder_is_never_left(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.json").write_text("secret")
    folder = tmp_path / "export"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.json").write_text("[]")
    (folder / "link.json").symlink_to(outside / "secret.json")
    (folder / "links").symlink_to(outside)
    (folder / "again").symlink_to(folder)
    os.mkfifo(folder / "pipe.json")
    with open_members(folder) as members:
        assert {member.path: member.read_bytes() for member in members} == {"deep/a.json": b"[]"}
        assert members.left_out == {"link": 3, "special": 1}
    with pytest.raises(InputError, match="neither a file nor a folder"):
        _read_all(folder / "pipe.json")


def test_missing_path_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.zip: is not there"):
        _read_all(tmp_path / "gone.zip")
    with pytest.raises(InputError, match=r"cannot be read|is not there"):
        _read_all("a\0b.zip")


def test_files_are_closed_and_nothing_is_written(tmp_path: Path) -> None:
    path = _write_zip(tmp_path / "a.zip", {"a.json": b"[]"})
    with open_members([path]) as members:
        member = members.files[0]
    with pytest.raises(InputError):
        member.read_bytes()
    path.rename(tmp_path / "b.zip")
    assert [one.name for one in tmp_path.iterdir()] == ["b.zip"]


def test_names_in_messages_are_plain(tmp_path: Path) -> None:
    path = _write_zip(tmp_path / "a.zip", {"../\x1b[31m" + "x" * 500: b""})
    with pytest.raises(InputError) as caught:
        _read_all(path)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 400


GOOD = MAKER.make_zip(
    {"followers_1.json": MAKER.LIST.encode(), "x/following.json": b"[1]", "a.jpg": b"\xff\xd8"}
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_mutated_zip_is_read_or_refused(tmp_path_factory: Any, data: st.DataObject) -> None:
    whole = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del whole[data.draw(st.integers(1, len(whole))) :]
    path = tmp_path_factory.getbasetemp() / "mutated.zip"
    path.write_bytes(bytes(whole))
    try:
        read, said = _read_all(path), ""
    except InputError as error:
        read, said = {}, str(error)
    assert "\n" not in said
    assert bool(said) != bool(read) or whole == GOOD
