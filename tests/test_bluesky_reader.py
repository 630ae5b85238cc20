"""Bluesky repositories: what is written into a CAR file is what is read, or it is refused."""

from __future__ import annotations

import hashlib
import io
import socket
import struct
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followkit.errors import InputError
from followkit.sources.exports import bluesky
from followkit.sources.exports.bluesky import read_bluesky, recognise
from followkit.sources.exports.bluesky_car import Link, decode_block, read_car
from followkit.sources.exports.bluesky_ids import TID_LETTERS, time_of_tid
from followkit.sources.exports.found import Found
from followkit.sources.exports.members import Limits, Member, Members, open_members
from followkit.sources.exports.to_tables import make_export_dataset

ME, BO, CY, DI = (f"did:plc:{name * 8}" for name in ("me2", "bo2", "cy2", "di2"))
T0 = datetime(2024, 3, 1, 12, tzinfo=UTC)
FOLLOW, LIKE, POST = "app.bsky.graph.follow", "app.bsky.feed.like", "app.bsky.feed.post"


# --------------------------------------------------------------------- a writer of its own


def head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    size = next(size for size in (1, 2, 4, 8) if number < 256**size)
    return bytes([major << 5 | 23 + size.bit_length()]) + number.to_bytes(size, "big")


def encode(value: Any) -> bytes:
    if value is None or isinstance(value, bool):
        return {False: b"\xf4", True: b"\xf5", None: b"\xf6"}[value]
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, Link):
        return b"\xd8\x2a" + encode(b"\x00" + bytes(value))
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(encode, value))
    keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
    return head(5, len(value)) + b"".join(encode(key) + encode(value[key]) for key in keys)


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


class Repo:
    """Blocks of a repository as they are added."""

    def __init__(self) -> None:
        self.blocks: dict[Link, bytes] = {}

    def add(self, value: Any) -> Link:
        data = encode(value)
        link = Link(b"\x01\x71\x12\x20" + hashlib.sha256(data).digest())
        self.blocks[link] = data
        return link

    def node(self, records: list[tuple[str, Any]], left: Link | None = None,
             below: Link | None = None) -> Link:  # fmt: skip
        """Add a node of the tree; `below` hangs on its last entry."""
        entries, before = [], b""
        for key, record in records:
            path = key.encode()
            shared = next((n for n in range(len(path)) if path[: n + 1] != before[: n + 1]), 0)
            entries.append({"p": shared, "k": path[shared:], "v": self.add(record), "t": None})
            before = path
        if below is not None:
            entries[-1]["t"] = below
        return self.add({"l": left, "e": entries})

    def file(self, root: Link | None, did: str = ME, rev: str = "") -> bytes:
        commit = {"did": did, "version": 3, "data": root, "rev": rev or tid(T0 + timedelta(days=9)),
                  "prev": None, "sig": b"s" * 64}  # fmt: skip
        return self.car([self.add(commit)])

    def car(self, roots: list[Link]) -> bytes:
        header = encode({"version": 1, "roots": roots})
        parts = [varint(len(header)) + header]
        for link, data in self.blocks.items():
            parts.append(varint(len(link) + len(data)) + link + data)
        return b"".join(parts)


def tid(at: datetime, clock: int = 0) -> str:
    number = int((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) << 10 | clock
    return "".join(TID_LETTERS[number >> 5 * place & 31] for place in reversed(range(13)))


def iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def follow(did: str, at: datetime, created: datetime | None = None) -> tuple[str, Any]:
    record = {"$type": FOLLOW, "subject": did, "createdAt": iso(created or at)}
    return f"{FOLLOW}/{tid(at)}", record


def record(collection: str, at: datetime, **fields: Any) -> tuple[str, Any]:
    return f"{collection}/{tid(at)}", {"$type": collection, "createdAt": iso(at), **fields}


def simple(records: list[tuple[str, Any]], did: str = ME) -> bytes:
    repo = Repo()
    return repo.file(repo.node(sorted(records, key=lambda one: one[0])), did)


def read(content: bytes, folder: Path, name: str = "repo.car", **given: Any) -> Found:
    path = folder / name
    path.write_bytes(content)
    with open_members(path) as members:
        assert recognise(members)
        return read_bluesky(members, **given)


def names(found: Found) -> dict[str, str]:
    return {check.name: check.verdict for check in found.checks}


# -------------------------------------------------------------------------------- DAG-CBOR


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("00", 0), ("17", 23), ("1818", 24), ("190100", 256), ("1a00010000", 65_536), ("20", -1),
        ("3903e7", -1000), ("fb3ff8000000000000", 1.5), ("f4", False), ("f6", None), ("40", b""),
        ("43010203", b"\1\2\3"), ("63e282ac", "€"), ("83010203", [1, 2, 3]), ("a0", {}),
        ("1bffffffffffffffff", 2**64 - 1),
    ],
)  # fmt: skip
def test_known_encodings(data: str, value: Any) -> None:
    """The examples of RFC 8949, appendix A, that the subset allows."""
    got = decode_block(bytes.fromhex(data))
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    "data",
    [
        "", "18", "1c", "5f", "9fff", "f7", "f97e00", "fb7ff0000000000000", "fb7ff8000000000000",
        "62c328", "8201", "9bffffffffffffffff", "bbffffffffffffffff", "5bffffffffffffffff",
        "a10102", "a2616101616102", "c11a514b67b0", "d82a4101", "d82a60", "0000", "81" * 60 + "00",
    ],
)  # fmt: skip
def test_refused_encodings(data: str) -> None:
    with pytest.raises(InputError):
        decode_block(bytes.fromhex(data))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=8)
    | st.binary(max_size=8) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(VALUES)
def test_what_is_encoded_is_decoded(value: Any) -> None:
    assert repr(decode_block(encode(value))) == repr(_sorted(value))


def _sorted(value: Any) -> Any:
    if isinstance(value, list):
        return [_sorted(one) for one in value]
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return {key: _sorted(value[key]) for key in keys}
    return value


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(VALUES)
def test_agrees_with_libipld(value: Any) -> None:
    libipld = pytest.importorskip("libipld", reason="libipld is not installed: no second decoder")
    data = encode(value)
    assert decode_block(data) == libipld.decode_dag_cbor(data)


def test_car_agrees_with_libipld() -> None:
    libipld = pytest.importorskip("libipld", reason="libipld is not installed: no second decoder")
    content = simple([follow(BO, T0), follow(CY, T0 + timedelta(hours=1))])
    header, blocks = libipld.decode_car(content)
    car = read_car(content, "repo.car")
    assert [bytes(root) for root in car.roots] == [bytes(root) for root in header["roots"]]
    assert {bytes(link): _plain(car.decode(link)) for link in car.blocks} == {
        bytes(link): _plain(block) for link, block in blocks.items()
    }


def _plain(value: Any) -> Any:
    """Links as bytes without libipld's prefix, so that both sides compare."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return bytes(value).removeprefix(b"\x00") if isinstance(value, bytes) else value


# --------------------------------------------------------------------------------- reading


def test_tid_is_its_time() -> None:
    at = datetime(2024, 5, 6, 7, 8, 9, 123_456, tzinfo=UTC)
    assert time_of_tid(tid(at, clock=77)) == at
    assert time_of_tid("zzzzzzzzzzzzz") is None
    assert time_of_tid("2222222222222") is None


def test_every_kind_of_record(tmp_path: Path) -> None:
    hour = timedelta(hours=1)
    posted = f"at://{BO}/{POST}/3jzi4jqfh632f"
    facets = [{"index": {}, "features": [{"$type": bluesky.MENTION, "did": CY}]}]
    found = read(
        simple([
            follow(BO, T0), follow(CY, T0 + hour),
            record(LIKE, T0 + 2 * hour, subject={"uri": posted, "cid": "b"}),
            record("app.bsky.feed.repost", T0 + 3 * hour, subject={"uri": posted, "cid": "b"}),
            record(POST, T0 + 4 * hour, text="hello", facets=facets,
                   reply={"root": {"uri": posted}, "parent": {"uri": posted}}),
            record(POST, T0 + 5 * hour, text="see",
                   embed={"$type": "app.bsky.embed.record", "record": {"uri": posted, "cid": "b"}}),
            record(POST, T0 + 6 * hour, text="",
                   embed={"$type": "app.bsky.embed.images", "images": [{}, {}]}),
            record("app.bsky.graph.block", T0 + 7 * hour, subject=DI),
            record("app.bsky.graph.list", T0 + 8 * hour, name="secret list"),
        ]),
        tmp_path,
    )  # fmt: skip
    assert found.ego == ME
    assert [(tie.target, tie.at) for tie in found.ties] == [(BO, T0), (CY, T0 + hour)]
    acts = [(act.target, act.kind, act.at) for act in sorted(found.acts, key=lambda act: act.at)]
    assert acts == [
        (BO, "like", T0 + 2 * hour), (BO, "share", T0 + 3 * hour), (BO, "reply", T0 + 4 * hour),
        (CY, "mention", T0 + 4 * hour), (BO, "share", T0 + 5 * hour),
    ]  # fmt: skip
    posts = sorted(found.posts, key=lambda post: post.at or T0)
    assert [post.format for post in posts] == [None, "text", "text", "carousel"]
    assert [post.is_repost for post in posts] == [True, False, False, False]
    assert [(mark.alter, mark.kind, mark.at) for mark in found.marks] == [
        (DI, "blocked", T0 + 7 * hour)
    ]
    assert found.listed("following").state == "whole"
    assert found.listed("following").count == found.listed("following").timed_count == 2
    assert found.listed("followers").state == "absent"
    assert found.files[0].left_out == {"records of other kinds, not opened": 1}
    assert found.exported_at == T0 + timedelta(days=9)
    refusals = [check for check in found.checks if check.verdict == "refuse"]
    assert [check.name for check in refusals] == ["followers list"]
    assert "followkit fetch bluesky" in refusals[0].remedy


def test_tables_of_a_repository(tmp_path: Path) -> None:
    found = read(simple([follow(BO, T0), follow(BO, T0 + timedelta(days=2))]), tmp_path)
    data = make_export_dataset(found)
    assert data.follows[["follower_id", "followee_id"]].to_numpy().tolist() == [[ME, BO]]
    assert data.follows["followed_at"].iloc[0].to_pydatetime() == T0
    seen = data.observation.set_index("account_id")["list_is_complete"]
    assert bool(seen[ME])
    assert not bool(seen[BO])
    assert names(found)["duplicated follows"] == "note"
    assert found.listed("following").count == 1


def test_key_counts_before_the_date(tmp_path: Path) -> None:
    """createdAt is set by a program: a follow dated back by years is told by its key."""
    back = T0 - timedelta(days=400)
    found = read(simple([follow(BO, T0, created=back)]), tmp_path)
    assert found.ties[0].at == T0
    assert names(found)["times of records"] == "warn"
    honest = read(simple([follow(BO, T0, created=T0 + timedelta(milliseconds=80))]), tmp_path)
    assert "times of records" not in names(honest)


def test_keys_that_are_no_times(tmp_path: Path) -> None:
    made_up = (f"{FOLLOW}/by-hand", {"$type": FOLLOW, "subject": BO, "createdAt": iso(T0)})
    found = read(simple([made_up]), tmp_path)
    assert found.ties[0].at == T0
    assert names(found)["times without a key"] == "note"


def test_times_after_the_export_are_unknown(tmp_path: Path) -> None:
    found = read(simple([follow(BO, T0), follow(CY, T0 + timedelta(days=400))]), tmp_path)
    assert {tie.target: tie.at for tie in found.ties} == {BO: T0, CY: None}
    assert names(found)["future times"] == "warn"
    assert found.listed("following").count == 2


def test_tree_of_several_nodes(tmp_path: Path) -> None:
    repo = Repo()
    hours = [T0 + timedelta(hours=n) for n in range(9)]
    dids = [f"did:plc:alter{n}" for n in range(9)]
    made = [follow(did, at) for did, at in zip(dids, hours, strict=True)]
    left, below = repo.node(made[:3]), repo.node(made[6:])
    found = read(repo.file(repo.node(made[3:6], left, below)), tmp_path)
    assert {tie.target: tie.at for tie in found.ties} == dict(zip(dids, hours, strict=True))
    assert found.listed("following").state == "whole"


def test_missing_part_is_no_short_list(tmp_path: Path) -> None:
    repo = Repo()
    left = repo.node([follow(CY, T0)])
    root = repo.node([follow(BO, T0 + timedelta(hours=1))], left)
    del repo.blocks[left]
    found = read(repo.file(root), tmp_path)
    assert [tie.target for tie in found.ties] == [BO]
    assert found.listed("following").state == "cut"
    assert names(found)["parts missing"] == "refuse"


def test_no_tree_at_all(tmp_path: Path) -> None:
    repo = Repo()
    for did in (BO, CY):
        repo.add(follow(did, T0)[1])
    found = read(repo.file(None), tmp_path)
    assert {tie.target: tie.at for tie in found.ties} == {BO: T0, CY: T0}
    assert found.listed("following").state == "cut"
    assert names(found)["tree"] == "warn"


def test_circle_in_the_tree_ends(tmp_path: Path) -> None:
    """Content addresses forbid circles; a tree whose node stands twice is read once."""
    repo = Repo()
    twice = repo.node([follow(CY, T0)])
    found = read(repo.file(repo.node([follow(BO, T0)], twice, twice)), tmp_path)
    assert sorted(tie.target for tie in found.ties) == [BO, CY]


def test_empty_repository_follows_nobody(tmp_path: Path) -> None:
    found = read(simple([]), tmp_path)
    assert found.listed("following").state == "whole"
    assert found.listed("following").count == 0
    with pytest.raises(InputError, match="followkit fetch bluesky"):
        make_export_dataset(found)


def test_truncated_anywhere(tmp_path: Path) -> None:
    """A file cut at any byte is refused, or holds whole blocks and says that some are missing."""
    content = simple([follow(BO, T0), follow(CY, T0 + timedelta(hours=1))])
    path = tmp_path / "repo.car"
    results = []
    for size in range(0, len(content), 23):
        path.write_bytes(content[:size])
        with open_members(path) as members:
            try:
                found = read_bluesky(members)
                results.append(found.listed("following").state)
            except InputError as error:
                results.append("refused" if "repo.car" in str(error) else str(error))
    assert set(results) <= {"refused", "cut"}
    assert results.count("refused") > len(results) * 0.9


def test_changed_byte_is_noticed(tmp_path: Path) -> None:
    content = bytearray(simple([follow(BO, T0)]))
    content[content.index(b"bo2")] ^= 1
    with pytest.raises(InputError, match="does not match its checksum"):
        read(bytes(content), tmp_path)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_hostile_bytes(data: st.DataObject) -> None:
    """Random nodes of the right outside shape: a result or an InputError, nothing else."""
    repo = Repo()
    wild = repo.add(data.draw(VALUES))
    entry = data.draw(st.fixed_dictionaries({
        "p": st.integers(-3, 2000), "k": st.binary(max_size=40) | st.just(f"{FOLLOW}/a".encode()),
        "v": st.just(wild) | VALUES, "t": st.none() | st.just(wild),
    }))  # fmt: skip
    root = repo.add({"l": data.draw(st.none() | st.just(wild)), "e": [entry, data.draw(VALUES)]})
    content = repo.file(root)
    member = Member("repo.car", len(content), "repo.car", lambda: content)
    try:
        told = read_bluesky(Members((member,), ("repo.car",), Limits())).listed("following").state
    except InputError as error:
        told = str(error)
    assert told in ("whole", "cut") or told.startswith("repo.car: ")


def test_lying_lengths_cost_nothing() -> None:
    for data in ("9b00ffffffffffffff", "bb00ffffffffffffff", "5b00ffffffffffffff", "9a7fffffff"):
        with pytest.raises(InputError):
            decode_block(bytes.fromhex(data))
    with pytest.raises(InputError, match="incomplete or damaged"):
        read_car(Repo().car([]) + varint(2**60), "repo.car")


def test_same_record_again_and_again_is_bounded(tmp_path: Path) -> None:
    repo = Repo()
    long = repo.add({"$type": POST, "createdAt": iso(T0), "text": "x" * 200_000})
    keys = [f"{POST}/{n:013d}".encode() for n in range(200)]
    root = repo.add({"l": None, "e": [{"p": 0, "k": key, "v": long, "t": None} for key in keys]})
    with pytest.raises(InputError, match="again and again"):
        read(repo.file(root), tmp_path)


def test_ego_and_time_given_win(tmp_path: Path) -> None:
    at = T0 + timedelta(days=30)
    found = read(simple([follow(BO, T0)]), tmp_path, ego="@Ana.bsky.social", exported_at=at)
    assert (found.ego, found.exported_at) == (ME, at)
    assert found.people[0].handle == "ana.bsky.social"
    assert "time of the export" not in names(found)
    other = read(simple([follow(BO, T0)]), tmp_path, ego=DI)
    assert other.ties[0].source == DI
    assert names(other)["owner"] == "warn"


def test_recognised_in_a_zip_and_without_suffix(tmp_path: Path) -> None:
    content = simple([follow(BO, T0)])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("my/repo.car", content)
    for name, data in (("export.zip", packed.getvalue()), ("download", content)):
        found = read(data, tmp_path, name)
        assert [tie.target for tie in found.ties] == [BO]


def test_not_recognised(tmp_path: Path) -> None:
    (tmp_path / "likes.json").write_text("{}")
    with open_members(tmp_path) as members:
        assert not recognise(members)
        with pytest.raises(InputError, match=r"looked for \*\.car"):
            read_bluesky(members)


def test_two_accounts_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.car").write_bytes(simple([follow(BO, T0)]))
    (tmp_path / "b.car").write_bytes(simple([follow(BO, T0)], did=DI))
    with open_members(tmp_path) as members, pytest.raises(InputError, match="2 Bluesky"):
        read_bluesky(members)


def test_other_version_and_other_files(tmp_path: Path) -> None:
    header = encode({"version": 2, "roots": []})
    with pytest.raises(InputError, match="only version 1"):
        read(varint(len(header)) + header, tmp_path)
    with pytest.raises(InputError, match="not a CAR file"):
        read(b"hello there", tmp_path)


def test_opens_no_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    assert read(simple([follow(BO, T0)]), tmp_path).listed("following").count == 1
