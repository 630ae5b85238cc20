"""Asking a public API politely: paced, bounded, and every page kept, to ask nothing twice.

Only https (http for this computer alone, as in tests). A redirect is followed on the same server
only, so that a token never reaches another one. What is stored of a page is what its reader keeps.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import socket
import ssl
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit

from followkit import __version__
from followkit.errors import FollowkitError, InputError
from followkit.sources.exports.careful_json import read_json
from followkit.sources.exports.members import Member
from followkit.sources.exports.moments import read_moment
from followkit.whole_files import write_whole

__all__ = ["Client", "FetchError", "Pace", "Page", "RefusedError", "write_private"]

LOCAL = ("localhost", "127.0.0.1", "::1")
PAGES = "pages"
TRANSIENT = (408, 425, 429, 500, 502, 503, 504)
#: Pages of these APIs have some hundred kilobytes.
MOST_BYTES, STEP_BYTES = 20_000_000, 1 << 16
#: A whole answer may take this many times what one silence may.
SLOWEST = 4
LONGEST_PAUSE_S = 60.0
#: `<address>; rel="next"` in a Link header.
NEXT = re.compile(r'<([^<>]{1,2000})>\s{0,9};\s{0,9}rel="?next"?')
TOKEN = re.compile(r"[!-~]{8,400}")
REMAINING = ("ratelimit-remaining", "x-ratelimit-remaining")
RESET = ("ratelimit-reset", "x-ratelimit-reset")

Keep = Callable[[Any], Any]
Query = Sequence[tuple[str, str]]


class FetchError(FollowkitError):
    """A server could not be asked now; what was fetched is kept, and asking again goes on there."""


class RefusedError(InputError):
    """A server answered that it will not: `status` is its code."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Pace:
    """How fast and how much may be asked.

    Attributes
    ----------
    per_second
        Requests a second at most.
    most_requests
        Requests in one run, repeated ones included; pages that are kept cost none.
    tries
        How often one page is asked for before giving up.
    timeout_s
        Seconds without an answer that count as a broken connection.
    longest_wait_s
        The longest pause that a server may ask for; beyond it the run ends and can go on later.
    """

    per_second: float = 4.0
    most_requests: int = 3_000
    tries: int = 5
    timeout_s: float = 30.0
    longest_wait_s: float = 900.0

    def __post_init__(self) -> None:
        if not (self.per_second > 0 and self.most_requests >= 1 and self.tries >= 1):
            raise InputError("pace: per_second must be above 0, most_requests and tries at least 1")


@dataclass(frozen=True)
class Page:
    """One answer: what its reader kept of it, the way to the next one ("" at the end), and when."""

    body: Any
    next_path: str
    asked_at: datetime


class Client:
    """Asks one server, and keeps its answers in a folder.

    Parameters
    ----------
    folder
        Where `pages/` lies.
    base_url
        The server, such as `https://api.github.com`, perhaps with a path.
    pace
        See `Pace`.
    token
        Sent to this server only, as a bearer; never written anywhere.
    sleep
        How to wait, in seconds; for tests.

    Attributes
    ----------
    request_count
        Requests made so far; pages that were there are not among them.

    Raises
    ------
    InputError
        If the address is neither https nor this computer, or the token is none.

    Examples
    --------
    >>> Client(Path("pull"), "http://api.example")
    Traceback (most recent call last):
        ...
    followkit.errors.InputError: base_url: 'http://api.example' must begin with https:// ...
    """

    def __init__(
        self,
        folder: Path,
        base_url: str,
        *,
        pace: Pace | None = None,
        token: str = "",
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.base_url = _check_base(base_url)
        self.pace = pace or Pace()
        self.request_count = 0
        if token and not TOKEN.fullmatch(token):
            raise InputError(
                "token: must be 8 to 400 plain characters without blanks; copy it anew"
            )
        self._token = token
        self._pages = folder / PAGES
        self._sleep = sleep
        self._next_at = 0.0
        is_local = urlsplit(self.base_url).hostname in LOCAL
        proxies = urllib.request.ProxyHandler({} if is_local else None)
        self._opener = urllib.request.build_opener(proxies, _SameServer())

    def get(self, path: str, query: Query = (), *, keep: Keep) -> Page:
        """Return a page: the kept one, else asked for and kept.

        Parameters
        ----------
        path, query
            Behind the server's address; the path begins with / and is quoted already.
        keep
            Checks a page and returns what is to be stored of it; it must accept that, too.

        Raises
        ------
        RefusedError
            If the server says no (404, 401, …).
        FetchError
            If it cannot be asked, asks for too long a pause, or the run's requests are used up.
        InputError
            If the page is not what `keep` expects.
        """
        whole = f"{path}?{urlencode(query)}" if query else path
        file = self._pages / f"{self._digest(whole)}.json"
        kept = _read_page(file, keep)
        if kept is not None:
            return kept
        asked_at = datetime.now(UTC)
        content, headers = self._ask(whole)
        try:
            body = keep(content)
        except InputError as error:
            raise InputError(f"{self._name(whole)}: {error}; the API may have changed") from None
        page = Page(body, self._find_next(headers), asked_at)
        _write_page(file, self._url(whole), page)
        return page

    def _url(self, whole: str) -> str:
        return f"{self.base_url}{whole}"

    def _digest(self, whole: str) -> str:
        """Return a page's file name: another token may be shown another page."""
        asked = f"{self._url(whole)}\n{self._token}"
        return hashlib.sha256(asked.encode()).hexdigest()[:32]

    def _name(self, whole: str) -> str:
        """Return what errors call a page: server and path, without what was asked about whom."""
        return f"{urlsplit(self.base_url).netloc}{whole.partition('?')[0]}"

    # ----------------------------------------------------------------------------------- asking

    def _ask(self, whole: str) -> tuple[Any, Message]:
        """Ask until there is an answer; pauses double, or are what the server asks for."""
        cause = ""
        for attempt in range(self.pace.tries):
            self._wait_for_turn()
            try:
                return self._ask_once(whole)
            except HTTPError as error:
                with error:
                    cause = f"HTTP {error.code}"
                    pause = self._judge(error, whole, attempt)
            except _BrokenError as error:
                cause, pause = str(error), _back_off(attempt)
            if attempt + 1 < self.pace.tries:
                self._sleep(pause)
        raise FetchError(
            f"{self._name(whole)}: no answer in {self.pace.tries} tries ({cause}). The pages so "
            "far are kept: run the same again later to go on."
        )

    def _ask_once(self, whole: str) -> tuple[Any, Message]:
        headers = {"User-Agent": f"followkit/{__version__}", "Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(self._url(whole), headers=headers)
        try:
            with self._opener.open(request, timeout=self.pace.timeout_s) as answer:
                content = self._read(answer, whole)
                told = answer.headers
        except HTTPError:
            raise
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise self._explain(error, whole) from None
        size = told.get("Content-Length", "")
        if size.isdigit() and int(size) != len(content):
            raise _BrokenError("the connection was cut")
        try:
            value = read_json(Member(self._name(whole), len(content), "", lambda: content))
        except InputError as error:
            raise _BrokenError(str(error)) from None
        self._heed_limit(told)
        return value, told

    def _read(self, answer: Any, whole: str) -> bytes:
        """Read an answer step by step: neither endless nor dripping for ever."""
        content, until = bytearray(), time.monotonic() + SLOWEST * self.pace.timeout_s
        while step := answer.read1(STEP_BYTES):
            content += step
            if len(content) > MOST_BYTES:
                raise FetchError(f"{self._name(whole)}: the page has over {MOST_BYTES:,} bytes")
            if time.monotonic() > until:
                raise _BrokenError("the answer came too slowly")
        return bytes(content)

    def _explain(self, error: Exception, whole: str) -> Exception:
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            return FetchError(f"{self._name(whole)}: the server cannot prove who it is; not asked")
        if isinstance(reason, socket.gaierror):
            return FetchError(
                f"{self._name(whole)}: the server was not found; check its name and the connection"
            )
        return _BrokenError(f"{type(reason).__name__}: {reason}")

    def _judge(self, error: HTTPError, whole: str, attempt: int) -> float:
        """Return how long to pause before asking again, or raise if that is no use."""
        pause = _asked_pause(error.headers)
        # GitHub answers 403 where others say 429.
        if error.code not in TRANSIENT and not (error.code == 403 and pause is not None):
            raise RefusedError(
                f"{self._name(whole)}: the server refuses (HTTP {error.code})", error.code
            )
        if pause is None:
            return _back_off(attempt)
        if pause > self.pace.longest_wait_s:
            raise FetchError(
                f"{self._name(whole)}: the server asks to wait {pause:,.0f} s. The pages so far "
                "are kept: run the same again after that to go on."
            )
        return pause

    def _wait_for_turn(self) -> None:
        if self.request_count >= self.pace.most_requests:
            raise FetchError(
                f"The {self.pace.most_requests:,} requests of this run are used up. The pages so "
                "far are kept: run the same again to go on, or allow more."
            )
        self.request_count += 1
        now = time.monotonic()
        if now < self._next_at:
            self._sleep(self._next_at - now)
        self._next_at = max(now, self._next_at) + 1 / self.pace.per_second

    def _heed_limit(self, headers: Message) -> None:
        """Put the next request off when the server says that this was the last one for a while."""
        if _first(headers, REMAINING) == "0":
            pause = _asked_pause(headers) or 0.0
            # Beyond that the server is asked, and says itself how long to wait.
            self._next_at = max(
                self._next_at, time.monotonic() + min(pause, self.pace.longest_wait_s)
            )

    def _find_next(self, headers: Message) -> str:
        """Return path and query of the next page from the Link header, or ""."""
        match = NEXT.search(headers.get("Link", "")[:8_000])
        if match is None:
            return ""
        link, base = urlsplit(match[1]), urlsplit(self.base_url)
        if link.netloc and link.netloc.lower() != base.netloc.lower():
            raise FetchError(
                f"{base.netloc}: its next page is said to be at {link.netloc[:80]}; no other "
                "server is asked. Give that server as base_url if you trust it."
            )
        path = link.path.removeprefix(base.path.rstrip("/"))
        return f"{path}?{link.query}" if link.query else path


class _BrokenError(Exception):
    """A connection that broke, or an answer that is none: worth another try."""


class _SameServer(urllib.request.HTTPRedirectHandler):
    """Follows redirects within one server."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        """Return the request to follow, or refuse."""
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if (old.scheme, old.netloc.lower()) != (new.scheme, new.netloc.lower()):
            fp.close()
            raise RefusedError(
                f"{old.netloc}: sends to another server, {new.scheme}://{new.netloc[:80]}; not "
                "followed. Give that address as base_url if you trust it.", code,
            )  # fmt: skip
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_base(base_url: str) -> str:
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or "@" in base_url or parts.query or parts.fragment:
        raise InputError(f"base_url: {base_url!r} is no address of a server, such as https://a.org")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOCAL):
        raise InputError(f"base_url: {base_url!r} must begin with https:// (http is not private)")
    return base_url.rstrip("/")


def _back_off(attempt: int) -> float:
    return float(min(2.0**attempt, LONGEST_PAUSE_S))


def _first(headers: Message, names: Sequence[str]) -> str | None:
    return next((value for name in names if (value := headers.get(name)) is not None), None)


def _asked_pause(headers: Message) -> float | None:
    """Return the seconds that a server asks to wait: Retry-After, or until its limit is reset."""
    after = headers.get("Retry-After")
    if after is not None:
        after = after.strip()
        if after.isascii() and after.isdigit():
            return float(after[:9])
        try:
            return _seconds_until(parsedate_to_datetime(after))
        except (ValueError, TypeError, OverflowError):
            return None
    reset = (_first(headers, RESET) or "").strip()
    if _first(headers, REMAINING) != "0" or not reset:
        return None
    if reset.isascii() and reset.isdigit():
        return _seconds_until(datetime.fromtimestamp(int(reset[:10]), UTC))
    at = read_moment(reset)
    return _seconds_until(at) if at else None


def _seconds_until(at: datetime) -> float:
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return max((at - datetime.now(UTC)).total_seconds(), 0.0) + 1.0


# ------------------------------------------------------------------------------------------- pages


def _read_page(file: Path, keep: Keep) -> Page | None:
    """Return a kept page; None if there is none, or it is not whole."""
    try:
        content = file.read_bytes()
        record = read_json(Member(file.name, len(content), "", lambda: content))
        asked_at, following = read_moment(record["asked_at"]), record["next"]
        if asked_at is None or not isinstance(following, str):
            return None
        return Page(keep(record["body"]), following, asked_at)
    except (OSError, InputError, KeyError, TypeError):
        return None


def _write_page(file: Path, url: str, page: Page) -> None:
    record = {"url": url, "asked_at": page.asked_at.isoformat(), "next": page.next_path,
              "body": page.body}  # fmt: skip
    write_private(file, json.dumps(record, ensure_ascii=False))


def write_private(file: Path, content: str) -> None:
    """Write a file whole or not at all, for its owner's eyes only; its folder is made.

    Raises
    ------
    FetchError
        If it cannot be written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as name:
    ...     write_private(Path(name) / "pages" / "a.csv", "x")
    ...     (Path(name) / "pages" / "a.csv").read_text()
    'x'
    """
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(file, content)
    except OSError as error:
        raise FetchError(f"{file.name}: cannot be written ({error.strerror or error})") from None
