"""Public APIs against a server on this computer: what is served is what the tables say."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest

from followkit.errors import InputError, ReportError
from followkit.live import FetchError, Pace, RefusedError, fetch_bluesky, fetch_github
from followkit.live.http import Client
from followkit.live.mastodon import TOKEN_VARIABLE, fetch_mastodon
from followkit.live.pull import judge_list, open_pull
from followkit.sources import load_dataset
from followkit.sources.exports.bluesky_ids import TID_LETTERS
from followkit.tables import Dataset

T0 = datetime(2024, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)
HOUR = timedelta(hours=1)
ME = "did:plc:me"
FAST = Pace(per_second=1e6)
TOKEN = "token-kept-secret-0123456789"
Answer = tuple[int, dict[str, str], bytes]
Fault = Callable[[BaseHTTPRequestHandler], Answer | None]


class Served:
    """A server: routes answer by path, faults come before them; every request is kept."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.routes: dict[str, Callable[[dict[str, list[str]]], Any]] = {}
        self.faults: list[tuple[str, Fault]] = []
        self.links: dict[str, str] = {}
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                served.asked.append(self.path)
                served.headers.append(dict(self.headers))
                status, headers, content = served.answer(self)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def answer(self, handler: BaseHTTPRequestHandler) -> Answer:
        for place, (path, fault) in enumerate(self.faults):
            if path in handler.path:
                del self.faults[place]
                told = fault(handler)
                if told is not None:
                    return told
        parts = urlsplit(handler.path)
        route = self.routes.get(parts.path)
        body = route(parse_qs(parts.query)) if route else None
        if body is None:
            return 404, {}, b'{"error": "Record not found"}'
        headers = {"Link": self.links[handler.path]} if handler.path in self.links else {}
        return 200, headers, json.dumps(body).encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def say(status: int, content: bytes = b"{}", **headers: str) -> Fault:
    return lambda _: (status, {name.replace("_", "-"): value for name, value in headers.items()},
                      content)  # fmt: skip


def cut(_: BaseHTTPRequestHandler) -> Answer:
    """Announce more than comes: the connection breaks."""
    return 200, {"Content-Length": "5000"}, b'{"followers": ['


@pytest.fixture
def served() -> Iterator[Served]:
    one = Served()
    yield one
    one.close()


@pytest.fixture
def waits() -> list[float]:
    return []


# ----------------------------------------------------------------------------------- Bluesky


def tid(at: datetime) -> str:
    number = int((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) << 10
    return "".join(TID_LETTERS[number >> 5 * place & 31] for place in reversed(range(13)))


class Town:
    """The truth: who follows whom since when. Pages of the API hold three accounts each."""

    def __init__(self, served: Served) -> None:
        self.follows: dict[tuple[str, str], datetime] = {}
        self.gone: set[str] = set()
        self.counts: dict[str, int] = {}
        for n in range(8):
            self.follows[ME, did(n)] = T0 + n * HOUR
        for n in range(4, 12):
            self.follows[did(n), ME] = T0 + (n + 30) * HOUR
        for n in range(11):
            self.follows[did(n), did(n + 1)] = T0 + (n + 60) * HOUR
        self.follows[did(1), did(0)] = T0 + 90 * HOUR
        served.routes |= {
            "/xrpc/app.bsky.graph.getFollowers": lambda query: self.page(query, "followers"),
            "/xrpc/app.bsky.graph.getFollows": lambda query: self.page(query, "follows"),
            "/xrpc/app.bsky.graph.getRelationships": self.relate,
            "/xrpc/app.bsky.actor.getProfiles": self.profiles,
            "/xrpc/app.bsky.feed.getAuthorFeed": self.feed,
        }

    def neighbours(self, one: str, name: str) -> list[str]:
        side = 1 if name == "followers" else 0
        return sorted(pair[1 - side] for pair in self.follows if pair[side] == one)

    def page(self, query: dict[str, list[str]], name: str) -> dict[str, Any]:
        start = int(query.get("cursor", ["0"])[0])
        people = self.neighbours(query["actor"][0], name)
        page: dict[str, Any] = {name: [self.profile(one) for one in people[start : start + 3]]}
        return page | ({"cursor": str(start + 3)} if start + 3 < len(people) else {})

    def profile(self, one: str) -> dict[str, Any]:
        return {"did": one, "handle": f"{one[-3:].strip(':')}.bsky.social", "labels": [],
                "displayName": "secret-name", "description": "secret-bio",
                "createdAt": "2023-05-01T00:00:00.000Z"}  # fmt: skip

    def profiles(self, query: dict[str, list[str]]) -> dict[str, Any]:
        known = {"me.bsky.social": ME}
        told = []
        for one in (known.get(one, one) for one in query["actors"]):
            if one.startswith("did:") and one not in self.gone:
                counts = {
                    "followersCount": len(self.neighbours(one, "followers")),
                    "followsCount": len(self.neighbours(one, "follows")),
                    "postsCount": 7,
                }
                told.append(self.profile(one) | counts | ({} if one != ME else self.counts))
        return {"profiles": told}

    def relate(self, query: dict[str, list[str]]) -> dict[str, Any]:
        actor, told = query["actor"][0], []
        assert len(query["others"]) <= 30
        for other in query["others"]:
            if other in self.gone:
                told.append({"actor": other, "notFound": True})
                continue
            one = {"did": other}
            for name, pair in (("following", (actor, other)), ("followedBy", (other, actor))):
                if pair in self.follows:
                    one[name] = f"at://{pair[0]}/app.bsky.graph.follow/{tid(self.follows[pair])}"
            told.append(one)
        return {"actor": actor, "relationships": told}

    def feed(self, query: dict[str, list[str]]) -> dict[str, Any]:
        def post(at: datetime, owner: str = ME, **fields: Any) -> dict[str, Any]:
            record = {"text": "secret-text", "createdAt": at.isoformat(), **fields}
            return {"uri": f"at://{owner}/app.bsky.feed.post/{tid(at)}", "record": record,
                    "likeCount": 3, "replyCount": 2, "repostCount": 1}  # fmt: skip

        theirs = post(T0, did(3))
        answer = post(T0 + 2 * HOUR, reply={"parent": {"uri": theirs["uri"]}})
        reason = {"$type": "app.bsky.feed.defs#reasonRepost",
                  "indexedAt": (T0 + 3 * HOUR).isoformat()}  # fmt: skip
        items = [{"post": post(T0 + HOUR)}, {"post": answer}, {"post": theirs, "reason": reason},
                 {"post": theirs}, {"post": post(datetime.now(UTC) + 9 * HOUR)}]  # fmt: skip
        if query.get("cursor"):
            return {"feed": items[2:]}
        return {"feed": items[:2], "cursor": "more"}

    def around(self, *, among: set[str] | None = None) -> set[tuple[str, str, datetime]]:
        return {(*pair, at) for pair, at in self.follows.items()
                if ME in pair or (among and set(pair) <= among)}  # fmt: skip


def did(n: int) -> str:
    return f"did:plc:{n:02d}"


def ties(data: Dataset) -> set[tuple[str, str, datetime]]:
    table = data.follows
    times = [at.to_pydatetime() if not pd.isna(at) else None for at in table["followed_at"]]
    return set(zip(table["follower_id"], table["followee_id"], times, strict=True))


def test_bluesky_tables_equal_the_truth(served: Served, tmp_path: Path) -> None:
    town = Town(served)
    place = fetch_bluesky("@Me.bsky.social", tmp_path / "pull", base_url=served.url, pace=FAST)
    data = load_dataset(place)
    assert ties(data) == town.around()
    accounts = data.accounts.set_index("account_id")
    assert accounts.loc[ME, "handle"] == "me.bsky.social"
    for one in (ME, did(3), did(11)):
        assert accounts.loc[one, "follower_count"] == len(town.neighbours(one, "followers"))
        assert accounts.loc[one, "followee_count"] == len(town.neighbours(one, "follows"))
    counts = data.account_counts.set_index("account_id")
    assert sorted(counts.index) == sorted({ME, *(did(n) for n in range(12))})
    assert counts.loc[did(5), "post_count"] == 7
    export = data.about["export"]
    assert (export["platform"], export["ego"]) == ("bluesky", ME)
    assert export["lists"]["followers"]["state"] == "whole"
    assert export["lists"]["followers"]["count"] == 8
    assert export["lists"]["following"]["timed_count"] == 8
    assert not [check for check in export["checks"] if check["verdict"] == "refuse"]
    assert "pseudonyms" in " ".join(data.about["notes"])


def test_bluesky_observation_spans_from_first_follow_to_the_pull(
    served: Served, tmp_path: Path
) -> None:
    Town(served)
    before = datetime.now(UTC).replace(microsecond=0)
    data = load_dataset(
        fetch_bluesky("me.bsky.social", tmp_path / "a", base_url=served.url, pace=FAST)
    )
    seen = data.observation
    assert sorted(seen["account_id"]) == sorted({ME, *(did(n) for n in range(12))})
    assert (seen["table_name"] == "follows").all()
    assert (seen["observed_from_at"] == pd.Timestamp(T0)).all()
    ends = seen["observed_until_at"].unique()
    assert len(ends) == 1
    assert before <= ends[0] <= pd.Timestamp.now("UTC")
    assert data.about["export"]["exported_at"] == ends[0].isoformat()
    assert seen["list_is_complete"].astype(bool).all()
    assert not seen["sees_unfollows"].astype(bool).any()


def test_bluesky_neighbours_and_posts(served: Served, tmp_path: Path) -> None:
    town = Town(served)
    place = fetch_bluesky(ME, tmp_path / "pull", base_url=served.url, neighbours=5, posts=True,
                          pace=FAST)  # fmt: skip
    data = load_dataset(place)
    assert ties(data) == town.around(among={did(n) for n in range(5)})
    assert len(ties(data)) == 16 + 5
    posts = data.posts.sort_values("posted_at")
    assert posts["posted_at"].tolist() == [pd.Timestamp(T0 + n * HOUR) for n in (1, 2, 3)]
    assert posts["is_repost"].tolist() == [False, False, True]
    assert posts["like_count"].tolist()[:2] == [3, 3]
    acts = data.interactions.sort_values("at")
    assert acts[["target_id", "kind"]].to_numpy().tolist() == [[did(3), "reply"], [did(3), "share"]]


def test_nothing_private_is_kept(served: Served, tmp_path: Path) -> None:
    Town(served)
    place = fetch_bluesky(ME, tmp_path / "pull", base_url=served.url, posts=True, pace=FAST)
    texts = [path.read_text(encoding="utf-8") for path in place.rglob("*") if path.is_file()]
    assert len(texts) > 10
    assert not [text for text in texts if "secret" in text]
    assert (place / ".gitignore").read_text() == "*\n"
    assert not list(place.rglob("*.part-*"))


def test_bluesky_gone_later_and_withdrawn(served: Served, tmp_path: Path) -> None:
    """An account that is gone keeps its tie without a time; a later follow is not of the pull."""
    town = Town(served)
    town.gone = {did(2), did(10)}
    town.follows[did(11), ME] = datetime.now(UTC) + 5 * HOUR
    place = fetch_bluesky(ME, tmp_path / "pull", base_url=served.url, pace=FAST)
    data = load_dataset(place)
    expected = {(source, target, None if {source, target} & town.gone else at)
                for source, target, at in town.around()
                if (source, target) != (did(11), ME)}  # fmt: skip
    assert ties(data) == expected
    assert data.accounts.set_index("account_id").loc[did(2), "state"] == "unknown"
    assert not {did(2), did(10)} & set(data.observation["account_id"])
    names = {check["name"]: check["value"] for check in data.about["export"]["checks"]}
    assert names["follows during the pull"].startswith("1 ")
    assert names["follows without a time"] == "2"


def test_bluesky_short_list_is_no_list(served: Served, tmp_path: Path) -> None:
    """The profile counts far more followers than the list holds: no absence means a no."""
    Town(served).counts = {"followersCount": 900}
    data = load_dataset(fetch_bluesky(ME, tmp_path / "a", base_url=served.url, pace=FAST))
    export = data.about["export"]
    assert export["lists"]["followers"]["state"] == "cut"
    assert [check["name"] for check in export["checks"] if check["verdict"] == "refuse"] == [
        "followers list"
    ]
    alters = data.observation[data.observation["account_id"] != ME]
    assert not alters["list_is_complete"].astype(bool).any()


def test_missing_account(served: Served, tmp_path: Path) -> None:
    Town(served)
    with pytest.raises(InputError, match=r"no account 'nobody\.bsky\.social'"):
        fetch_bluesky("nobody.bsky.social", tmp_path / "a", base_url=served.url, pace=FAST)
    served.faults.append(("getProfiles", say(400, b'{"error": "InvalidRequest"}')))
    with pytest.raises(InputError, match="no account"):
        fetch_bluesky("other.bsky.social", tmp_path / "b", base_url=served.url, pace=FAST)
    with pytest.raises(InputError, match="no canonical table"):
        load_dataset(tmp_path / "a")


def test_account_without_follows(served: Served, tmp_path: Path) -> None:
    Town(served).follows = {}
    with pytest.raises(InputError, match="are there and empty"):
        fetch_bluesky(ME, tmp_path / "a", base_url=served.url, pace=FAST)


# ------------------------------------------------------------------- resuming, pauses, limits


def test_cut_connection_then_only_the_missing_pages(served: Served, tmp_path: Path) -> None:
    town = Town(served)
    once = Pace(per_second=1e6, tries=1)
    served.faults.append(("getFollows?", lambda _: None))
    served.faults.append(("getFollows?", cut))
    with pytest.raises(FetchError, match=r"cut.*run the same again"):
        fetch_bluesky(ME, tmp_path / "pull", base_url=served.url, pace=once)
    first, served.asked = list(served.asked), []
    place = fetch_bluesky(ME, tmp_path / "pull", base_url=served.url, pace=once)
    assert served.asked[0] == first[-1]
    assert not set(served.asked) & set(first[:-1])
    assert ties(load_dataset(place)) == town.around()
    served.asked = []
    fetch_bluesky(ME, tmp_path / "pull", base_url=served.url, pace=once)
    assert served.asked == []


def test_resumed_equals_unbroken(served: Served, tmp_path: Path) -> None:
    Town(served)
    whole = load_dataset(fetch_bluesky(ME, tmp_path / "a", base_url=served.url, pace=FAST))
    few = Pace(per_second=1e6, most_requests=3)
    runs = 0
    while True:
        runs += 1
        try:
            place = fetch_bluesky(ME, tmp_path / "b", base_url=served.url, pace=few)
            break
        except FetchError as error:
            assert "requests of this run are used up" in str(error)  # noqa: PT017
    assert runs == 3
    assert ties(load_dataset(place)) == ties(whole)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(
    served: Served, tmp_path: Path, waits: list[float], status: int
) -> None:
    town = Town(served)
    served.faults.append(("getFollowers", say(status, Retry_After="7")))
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    served.faults.append(("getFollows", say(status, Retry_After=at)))
    place = fetch_bluesky(ME, tmp_path / "a", base_url=served.url, pace=FAST, sleep=waits.append)
    assert ties(load_dataset(place)) == town.around()
    long = [wait for wait in waits if wait > 1]
    assert long[0] == 7.0
    assert 60 < long[1] < 92


def test_pause_that_is_too_long_ends_the_run(served: Served, tmp_path: Path) -> None:
    Town(served)
    served.faults.append(("getFollowers", say(429, Retry_After="86400")))
    with pytest.raises(FetchError, match="asks to wait 86,400 s"):
        fetch_bluesky(ME, tmp_path / "a", base_url=served.url, pace=FAST)


def test_pauses_double(served: Served, tmp_path: Path, waits: list[float]) -> None:
    served.faults += [("/x", say(500)) for _ in range(9)]
    client = Client(tmp_path, served.url, pace=Pace(per_second=1e6, tries=4), sleep=waits.append)
    with pytest.raises(FetchError, match=r"no answer in 4 tries \(HTTP 500\)"):
        client.get("/x", keep=dict)
    assert [wait for wait in waits if wait >= 1] == [1.0, 2.0, 4.0]
    assert client.request_count == 4


def test_used_up_limit_is_waited_for(served: Served, tmp_path: Path, waits: list[float]) -> None:
    reset = str(int((datetime.now(UTC) + timedelta(seconds=200)).timestamp()))
    served.faults.append(
        ("/x", say(200, b"[]", X_RateLimit_Remaining="0", X_RateLimit_Reset=reset))
    )
    served.routes["/y"] = lambda _: []
    client = Client(tmp_path, served.url, pace=FAST, sleep=waits.append)
    client.get("/x", keep=list)
    client.get("/y", keep=list)
    assert 150 < waits[-1] < 202


def test_pace(served: Served, tmp_path: Path, waits: list[float]) -> None:
    served.routes |= {"/x": lambda _: [], "/y": lambda _: []}
    client = Client(tmp_path, served.url, pace=Pace(per_second=0.001), sleep=waits.append)
    client.get("/x", keep=list)
    client.get("/y", keep=list)
    client.get("/x", keep=list)
    assert len(waits) == 1
    assert 500 < waits[0] <= 1000


def test_bad_json(served: Served, tmp_path: Path, waits: list[float]) -> None:
    town = Town(served)
    served.faults.append(("getFollowers", say(200, b"<html>log in</html>")))
    served.faults.append(("getFollows", say(200, b'{"follows": [], "follows": []}')))
    place = fetch_bluesky(ME, tmp_path / "a", base_url=served.url, pace=FAST, sleep=waits.append)
    assert ties(load_dataset(place)) == town.around()
    served.faults += [("getProfiles", say(200, b"[1,")) for _ in range(9)]
    with pytest.raises(FetchError, match="no answer in 5 tries"):
        fetch_bluesky(ME, tmp_path / "b", base_url=served.url, pace=FAST, sleep=waits.append)


@pytest.mark.parametrize(
    "content", [b"[]", b"{}", b'{"followers": [1]}', b'{"followers": [{"did": 5}]}', b"null"]
)
def test_changed_format_is_no_empty_list(served: Served, tmp_path: Path, content: bytes) -> None:
    Town(served)
    served.faults.append(("getFollowers", say(200, content)))
    with pytest.raises(InputError, match=r"getFollowers.*API may have changed"):
        fetch_bluesky(ME, tmp_path / "a", base_url=served.url, pace=FAST)
    assert not (tmp_path / "a" / "follows.csv").exists()


def test_circle_of_pages_ends(served: Served, tmp_path: Path) -> None:
    Town(served)
    served.routes["/xrpc/app.bsky.graph.getFollowers"] = lambda _: {"followers": [], "cursor": "1"}
    with pytest.raises(FetchError, match="in circles"):
        fetch_bluesky(ME, tmp_path / "a", base_url=served.url, pace=FAST)


def test_damaged_page_is_asked_for_again(served: Served, tmp_path: Path) -> None:
    town = Town(served)
    place = fetch_bluesky(ME, tmp_path / "a", base_url=served.url, pace=FAST)
    pages = sorted((place / "pages").iterdir())
    pages[0].write_text('{"url": "x", "bo')
    pages[1].write_text('{"url": "", "asked_at": "2024-01-01T00:00:00Z", "next": "", "body": 5}')
    served.asked = []
    fetch_bluesky(ME, place, base_url=served.url, pace=FAST)
    assert len(served.asked) == 2
    assert ties(load_dataset(place)) == town.around()


# ---------------------------------------------------------------------------- safety of asking


def test_no_redirect_to_another_server(served: Served, tmp_path: Path) -> None:
    other = Served()
    try:
        for target in (f"{other.url}/steal", "https://127.0.0.1/x", "file:///etc/passwd"):
            served.faults.append(("/x", say(302, Location=target)))
            client = Client(tmp_path, served.url, pace=FAST, token=TOKEN)
            with pytest.raises(RefusedError) as caught:
                client.get("/x", keep=dict)
            assert TOKEN not in str(caught.value)
        assert other.asked == []
        served.links["/y"] = f'<{other.url}/more>; rel="next"'
        served.routes["/y"] = lambda _: []
        with pytest.raises(FetchError, match="no other server is asked"):
            client.get("/y", keep=list)
        assert other.asked == []
    finally:
        other.close()


def test_redirect_on_the_same_server(served: Served, tmp_path: Path) -> None:
    served.faults.append(("/x", say(301, Location="/new")))
    served.routes["/new"] = lambda _: [7]
    client = Client(tmp_path, served.url, pace=FAST, token=TOKEN)
    assert client.get("/x", keep=list).body == [7]
    assert served.headers[-1]["Authorization"] == f"Bearer {TOKEN}"
    served.routes["/round"] = lambda _: None
    served.faults += [("/round", say(302, Location="/round")) for _ in range(20)]
    with pytest.raises(RefusedError):
        client.get("/round", keep=list)


@pytest.mark.parametrize(
    "url",
    ["http://api.example", "ftp://127.0.0.1", "https://", "https://me:word@api.example",
     "api.example", "https://api.example/?q=1", "https://[bad", "http://127.0.0.1.example"],
)  # fmt: skip
def test_only_safe_addresses(tmp_path: Path, url: str) -> None:
    with pytest.raises(InputError, match="base_url"):
        Client(tmp_path, url)


def test_bad_token_is_not_told(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        Client(tmp_path, "https://api.example", token="two words\r\nX: 1")
    assert "two words" not in str(caught.value)


def test_who_asks(served: Served, tmp_path: Path) -> None:
    served.routes["/x"] = lambda _: []
    Client(tmp_path, served.url, pace=FAST).get("/x", keep=list)
    assert served.headers[0]["User-Agent"].startswith("followkit/")
    assert "Authorization" not in served.headers[0]


def test_endless_page(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("followkit.live.http.MOST_BYTES", 1000)
    served.routes["/x"] = lambda _: ["x" * 2000]
    with pytest.raises(FetchError, match="over 1,000 bytes"):
        Client(tmp_path, served.url, pace=FAST).get("/x", keep=list)


def test_nobody_listens(tmp_path: Path, waits: list[float]) -> None:
    gone = Served()
    gone.close()
    client = Client(tmp_path, gone.url, pace=Pace(per_second=1e6, tries=2), sleep=waits.append)
    with pytest.raises(FetchError, match="no answer in 2 tries"):
        client.get("/x", keep=dict)


def test_folders(served: Served, tmp_path: Path) -> None:
    Town(served)
    place = fetch_bluesky(ME, tmp_path / "a", base_url=served.url, pace=FAST)
    with pytest.raises(InputError, match="give another folder"):
        fetch_bluesky(did(3), place, base_url=served.url, pace=FAST)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match=r"holds other files \(letter\.txt\)"):
        fetch_bluesky(ME, tmp_path / "mine", base_url=served.url, pace=FAST)
    with pytest.raises(InputError, match="is a file"):
        fetch_bluesky(ME, tmp_path / "mine" / "letter.txt", base_url=served.url, pace=FAST)
    with open_pull(place, "bluesky", ME, served.url), pytest.raises(ReportError):
        fetch_bluesky(ME, place, base_url=served.url, pace=FAST)


def test_bad_arguments(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neighbours"):
        fetch_bluesky("me.bsky.social", tmp_path / "a", neighbours=-1)
    for pace in ({"per_second": 0}, {"tries": 0}, {"most_requests": 0}):
        with pytest.raises(InputError, match="pace"):
            Pace(**pace)
    assert list(tmp_path.iterdir()) == []


def test_nothing_else_uses_the_network() -> None:
    """Reading data does not even load the modules that ask servers."""
    code = ("import sys, followkit.sources, followkit.sources.exports.bluesky, "
            "followkit.sources.exports.mastodon; "
            "print([one for one in sys.modules if one.startswith('followkit.live')])")  # fmt: skip
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("count", "told", "state"),
    [(0, 0, "whole"), (0, 1, "cut"), (100, 104, "whole"), (96, 100, "whole"), (80, 100, "cut"),
     (1000, 1040, "whole"), (5, None, "whole"), (9, 2, "whole")],
)  # fmt: skip
def test_lists_are_judged_by_their_counts(count: int, told: int | None, state: str) -> None:
    assert judge_list("followers", count, 0, told)[0].state == state


def test_facts_survive_toml(served: Served, tmp_path: Path) -> None:
    Town(served)
    place = fetch_bluesky(ME, tmp_path / "a", base_url=served.url, pace=FAST)
    facts = tomllib.loads((place / "dataset.toml").read_text(encoding="utf-8"))
    assert sorted(facts) == ["export", "licence", "notes", "source", "title"]
    assert sorted(facts["export"]) == ["checks", "ego", "exported_at", "files", "lists", "platform"]


# ---------------------------------------------------------------------------------- Mastodon


class Instance:
    """A server with `me@home.example`, pages of two, and what the owner's token lets see."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.people = {
            "1": "me", "2": "bo", "3": "cy@far.example", "4": "Di", "5": "eve@far.example",
            "6": "fay",
        }  # fmt: skip
        self.lists = {"followers": ["2", "3", "4"], "following": ["3", "4", "5"]}
        self.counts = {"followers_count": 3, "following_count": 3}
        self.flags: dict[str, dict[str, bool]] = {
            "2": {"requested": True},
            "4": {"muting": True},
            "5": {"blocking": True},
        }
        base = "/api/v1/accounts"
        served.routes |= {
            f"{base}/lookup": lambda query: (
                self.account("1") | self.counts
                if query["acct"][0] in ("me", "me@home.example") else None
            ),
            f"{base}/1/followers": lambda query: self.page("followers", query),
            f"{base}/1/following": lambda query: self.page("following", query),
            f"{base}/relationships": self.relations,
            f"{base}/verify_credentials": lambda _: self.account("1"),
            "/api/v1/notifications": lambda _: self.notices(),
        }  # fmt: skip

    def account(self, number: str) -> dict[str, Any]:
        return {"id": number, "acct": self.people[number], "display_name": "secret-name",
                "note": "secret-bio", "followers_count": 10, "following_count": -1,
                "statuses_count": 5, "locked": number == "2", "created_at": "2022-11-07T00:00:00Z",
                "source": {"email": "secret@mail"}}  # fmt: skip

    def page(self, name: str, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        start = int(query.get("max_id", ["0"])[0])
        people = self.lists[name]
        if start + 2 < len(people):
            path = f"/api/v1/accounts/1/{name}"
            here = f"{path}?max_id={start}" if start else f"{path}?limit=80"
            url = f"{self.served.url}{path}"
            self.served.links[here] = (
                f'<{url}?max_id={start + 2}>; rel="next", <{url}?min_id=9>; rel="prev"'
            )
        return [self.account(one) for one in people[start : start + 2]]

    def relations(self, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        return [{"id": one, "following": False, **self.flags.get(one, {})} for one in query["id[]"]]

    def notices(self) -> list[dict[str, Any]]:
        def notice(number: str, at: datetime, kind: str = "follow") -> dict[str, Any]:
            return {
                "id": "9", "type": kind, "created_at": at.isoformat().replace("+00:00", "Z"),
                "account": self.account(number), "status": {"content": "secret-text"},
            }  # fmt: skip

        return [notice("3", T0 + 5 * HOUR), notice("3", T0), notice("6", T0 + HOUR),
                notice("2", T0, "mention")]  # fmt: skip


def fetch_me(served: Served, folder: Path, **given: Any) -> Dataset:
    return load_dataset(
        fetch_mastodon("@Me@home.example", folder, base_url=served.url, pace=FAST, **given)
    )


def test_mastodon_public_lists(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    Instance(served)
    data = fetch_me(served, tmp_path / "a")
    me = "me@home.example"
    assert set(data.follows[["follower_id", "followee_id"]].itertuples(index=False, name=None)) == {
        ("bo@home.example", me), ("cy@far.example", me), ("di@home.example", me),
        (me, "cy@far.example"), (me, "di@home.example"), (me, "eve@far.example"),
    }  # fmt: skip
    assert not data.has("follows", "followed_at")
    seen = data.observation
    assert (seen["observed_from_at"] == seen["observed_until_at"]).all()
    accounts = data.accounts.set_index("account_id")
    assert bool(accounts.loc["bo@home.example", "is_private"])
    assert accounts.loc["bo@home.example", "follower_count"] == 10
    assert "followee_count" not in accounts or accounts.loc[me, "followee_count"] == 3
    assert [check["name"] for check in data.about["export"]["checks"]] == ["token"]
    assert not [path for path in served.asked if "notifications" in path or "relationships" in path]


def test_mastodon_with_the_owners_token(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    Instance(served)
    data = fetch_me(served, tmp_path / "a")
    table = data.follows.set_index(["follower_id", "followee_id"])
    me = "me@home.example"
    assert table.loc[("cy@far.example", me), "followed_at"] == pd.Timestamp(T0 + 5 * HOUR)
    assert pd.isna(table.loc[("di@home.example", me), "followed_at"])
    assert table.loc[(me, "bo@home.example"), "status"] == "pending"
    acts = data.interactions.sort_values("kind")
    assert acts[["target_id", "kind"]].to_numpy().tolist() == [
        ["eve@far.example", "block"], ["di@home.example", "mute"]
    ]  # fmt: skip
    names = {check["name"]: check["value"] for check in data.about["export"]["checks"]}
    assert names["followers who left"].startswith("1 ")
    assert all(one.get("Authorization") == f"Bearer {TOKEN}" for one in served.headers)
    texts = [path.read_text(encoding="utf-8") for path in (tmp_path / "a").rglob("*")
             if path.is_file()]  # fmt: skip
    assert not [text for text in texts if "secret" in text or TOKEN in text]


def test_mastodon_hidden_list_is_no_list(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    Instance(served).lists["followers"] = []
    export = fetch_me(served, tmp_path / "a").about["export"]
    assert export["lists"]["followers"]["state"] == "cut"
    assert export["lists"]["following"]["state"] == "whole"
    assert [check["verdict"] for check in export["checks"]] == ["refuse", "note"]


def test_mastodon_refusals(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    Instance(served)
    with pytest.raises(InputError, match=r"knows no account no@home\.example"):
        fetch_mastodon("no@home.example", tmp_path / "a", base_url=served.url, pace=FAST)
    served.faults.append(("lookup", say(401)))
    with pytest.raises(InputError, match="may ask for a token"):
        fetch_me(served, tmp_path / "b")
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    served.faults.append(("verify_credentials", say(401)))
    with pytest.raises(InputError, match="token is not valid"):
        fetch_me(served, tmp_path / "c")
    served.faults.append(("followers", say(200, b'{"error": "x"}')))
    with pytest.raises(InputError, match="the page is no list"):
        fetch_me(served, tmp_path / "d")


def test_mastodon_of_another_account(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    one = Instance(served)
    served.routes["/api/v1/accounts/verify_credentials"] = lambda _: one.account("2")
    data = fetch_me(served, tmp_path / "a")
    assert not data.has("interactions", "kind")
    assert data.about["export"]["checks"][-1]["value"].startswith("of another account")


# ------------------------------------------------------------------------------------ GitHub


def test_github(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLLOWKIT_GITHUB_TOKEN", TOKEN)

    def user(login: str, **counts: Any) -> dict[str, Any]:
        return {"login": login, "id": 7, "type": "User", "email": "secret@mail",
                "bio": "secret-bio", "created_at": "2015-01-02T03:04:05Z", **counts}  # fmt: skip

    served.routes |= {
        "/users/me": lambda _: user("Me", followers=3, following=2),
        "/users/me/followers": lambda query: (
            [user("Cy")] if query.get("page") else [user("Ana"), user("Bo")]
        ),
        "/user/9/followers": lambda _: [user("Cy")],
        "/users/me/following": lambda _: [user("Bo"), user("Di")],
        "/users/ana": lambda _: user("Ana", followers=5, following=6),
        "/users/bo": lambda _: user("Bo", followers=1, following=2),
        "/users/cy": lambda _: user("Cy", followers=0, following=0),
    }
    served.links["/users/me/followers?per_page=100"] = (
        f'<{served.url}/user/9/followers?page=2>; rel="next", <{served.url}/z>; rel="last"'
    )
    served.faults.append(("followers", say(403, Retry_After="0")))
    place = fetch_github("@Me", tmp_path / "a", base_url=served.url, profiles=True, pace=FAST,
                         sleep=lambda _: None)  # fmt: skip
    data = load_dataset(place)
    assert data.follows[["follower_id", "followee_id"]].to_numpy().tolist() == [
        ["ana", "me"], ["bo", "me"], ["cy", "me"], ["me", "bo"], ["me", "di"]
    ]  # fmt: skip
    accounts = data.accounts.set_index("account_id")
    assert accounts.loc["ana", ["follower_count", "followee_count"]].tolist() == [5, 6]
    assert accounts.loc["di", "state"] == "deleted"
    assert accounts.loc["ana", "handle"] == "Ana"
    assert "di" not in set(data.observation["account_id"])
    assert (data.observation["observed_from_at"] == data.observation["observed_until_at"]).all()
    texts = [path.read_text(encoding="utf-8") for path in place.rglob("*") if path.is_file()]
    assert not [text for text in texts if "secret" in text or TOKEN in text]


def test_github_refusals(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FOLLOWKIT_GITHUB_TOKEN", raising=False)
    with pytest.raises(InputError, match="knows no user 'nobody'"):
        fetch_github("nobody", tmp_path / "a", base_url=served.url, pace=FAST)
    served.faults.append(("/users", say(401)))
    with pytest.raises(InputError, match="token is not valid"):
        fetch_github("nobody", tmp_path / "b", base_url=served.url, pace=FAST)
    reset = str(int((datetime.now(UTC) + timedelta(hours=1)).timestamp()))
    limits = {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": reset}
    served.faults.append(("/users", say(403, **limits)))
    with pytest.raises(FetchError, match=r"asks to wait 3,\d\d\d s"):
        fetch_github("nobody", tmp_path / "c", base_url=served.url, pace=FAST)
