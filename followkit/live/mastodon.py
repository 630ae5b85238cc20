"""A Mastodon server's API: followers and followees of an account, with counts.

The lists carry no times. With the owner's token the server also tells pending requests, blocks and
mutes, and when somebody followed (notifications, as far back as they are kept).

**Consent.** Pull the lists of an account only if its owner agreed, keep the folder to yourself, and
show pseudonyms in reports.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from followkit.errors import InputError
from followkit.live.http import Client, FetchError, Keep, Pace, RefusedError
from followkit.live.pull import About, Pull, judge_list, note_pages, open_pull, write_tables
from followkit.sources.exports.found import Check, Mark, MarkKind, Person, Tie
from followkit.sources.exports.mastodon_names import read_address
from followkit.sources.exports.moments import read_moment

__all__ = ["TOKEN_VARIABLE", "fetch_mastodon"]

TOKEN_VARIABLE = "FOLLOWKIT_MASTODON_TOKEN"
#: 300 requests in five minutes are allowed.
PACE = Pace(per_second=0.9)
LIST_LIMIT, RELATION_LIMIT = 80, 40
COUNTS = ("followers_count", "following_count", "statuses_count")
FLAGS = ("requested", "blocking", "muting", "requested_by")

Row = dict[str, Any]


def fetch_mastodon(
    address: str,
    folder: str | Path,
    *,
    base_url: str = "",
    token_variable: str = TOKEN_VARIABLE,
    pace: Pace | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> Path:
    """Fetch who follows an account and whom it follows into a folder that `load_dataset` reads.

    Do this only with the consent of the account's owner. A run that breaks can be started again
    with the same folder; pages that are there are not asked for again.

    Parameters
    ----------
    address
        `user@domain`.
    folder
        For the pages and tables; new, or that of the same account's unfinished pull.
    base_url
        The server, if it is not `https://domain`. Ask the account's own: others know only a part
        of its lists.
    token_variable
        The environment variable with an access token (scopes read:accounts, read:follows,
        read:notifications). Without it only public lists are read.
    pace, sleep
        How fast to ask; how to wait (for tests).

    Returns
    -------
    Path
        The folder. Follows carry no times (one snapshot at the begin of the pull, UTC), but for
        those towards the token's owner that notifications tell.

    Raises
    ------
    InputError
        If there is no such account, the token is refused, or the folder holds something else.
    FetchError
        If the server cannot be asked now.

    Examples
    --------
    >>> fetch_mastodon("ana", "pull")
    Traceback (most recent call last):
        ...
    followkit.errors.InputError: address: 'ana' must be user@domain
    """
    name = read_address(address)
    if name is None or "@" not in name:
        raise InputError(f"address: {address!r} must be user@domain")
    domain = name.partition("@")[2]
    token = os.environ.get(token_variable, "").strip()
    client = Client(Path(folder), base_url or f"https://{domain}", pace=pace or PACE, token=token,
                    sleep=sleep)  # fmt: skip
    with open_pull(folder, "mastodon", name, client.base_url) as pull:
        pull.found.ego = name
        _Fetching(client, pull, domain).fetch(bool(token))
        return write_tables(pull, _describe(pull, client.base_url))


def _describe(pull: Pull, base_url: str) -> About:
    return About(
        title="Followers and followees of one Mastodon account",
        source=f"API of {base_url} (accounts/:id/followers, accounts/:id/following)",
        licence="none given: lists of people; keep them to yourself",
        notes=(
            f"Begun at {pull.begun_at.isoformat()}: one snapshot, as the lists carry no times.",
            "Follows among the accounts around it, and their other follows, are unseen.",
            "Times of follows come from notifications, where there are any.",
            "Public does not mean consented: show pseudonyms only.",
        ),
    )


@dataclass
class _Fetching:
    """The state of one pull."""

    client: Client
    pull: Pull
    #: What an address without a domain is completed with.
    local: str
    ids: dict[str, str] = field(default_factory=dict)

    def fetch(self, has_token: bool) -> None:
        """Fetch the profile, both lists, and what the owner's token lets see."""
        found = self.pull.found
        owner = self._owner()
        followers = self._list(owner, "followers")
        followees = self._list(owner, "following")
        is_owner = has_token and self._is_own(owner)
        times = self._follow_times() if is_owner else {}
        for one in followers:
            found.ties.append(Tie(one, found.ego, "follow", times.get(one), "pages/followers"))
        for one in followees:
            found.ties.append(Tie(found.ego, one, "follow", None, "pages/following"))
        timed = sum(one in times for one in followers)
        self._judge("followers", len(followers), timed, owner.get("followers_count"))
        self._judge("following", len(followees), 0, owner.get("following_count"))
        if is_owner:
            self._relate(sorted({*followers, *followees, *times}))
        found.checks += self._check(has_token, is_owner, set(times) - {*followers})

    # ------------------------------------------------------------------------------------ asking

    def _ask(self, path: str, query: Sequence[tuple[str, str]], keep: Keep) -> Any:
        page = self.client.get(path, query, keep=keep)
        self.pull.note_page(page.asked_at)
        return page.body

    def _pages(self, path: str, query: Sequence[tuple[str, str]], keep: Keep) -> Iterator[Any]:
        """Yield all pages of a list; the Link header names the next."""
        seen: set[str] = set()
        page = self.client.get(path, query, keep=keep)
        while True:
            self.pull.note_page(page.asked_at)
            yield page.body
            if not page.next_path:
                return
            if page.next_path in seen:
                raise FetchError(f"{path}: the server goes round in circles; try again later")
            seen.add(page.next_path)
            page = self.client.get(page.next_path, keep=keep)

    def _owner(self) -> Row:
        """Return the profile; a name without a domain says that the server is the account's own."""
        ego = self.pull.found.ego
        try:
            owner: Row = self._ask("/api/v1/accounts/lookup", [("acct", ego)], _keep_account)
        except RefusedError as error:
            if error.status != 404:
                raise InputError(f"{error}; the server may ask for a token") from None
            raise InputError(f"address: {self.client.base_url} knows no account {ego}") from None
        if "@" in owner["acct"]:
            self.local = urlsplit(self.client.base_url).netloc.lower()
            self.pull.found.checks.append(
                Check("server", f"{self.local} is not the account's own", "warn",
                      "It knows a part of the lists only; ask the account's own server.")
            )  # fmt: skip
        if self._address(owner) != ego:
            raise InputError(f"address: the server answers for {self._address(owner)}, not {ego}")
        self.pull.found.people.append(_make_person(ego, owner, self.pull.begun_at))
        return owner

    def _list(self, owner: Row, name: str) -> list[str]:
        addresses: dict[str, None] = {}
        path = f"/api/v1/accounts/{quote(owner['id'], safe='')}/{name}"
        try:
            for page in self._pages(path, [("limit", str(LIST_LIMIT))], _keep_accounts):
                for one in page:
                    addresses[self._meet(one)] = None
        except RefusedError as error:
            raise InputError(f"{error}; the server shows its lists to a token only") from None
        note_pages(self.pull, name, len(addresses))
        return list(addresses)

    def _meet(self, account: Row) -> str:
        """Note an account and return its address."""
        address = self._address(account)
        if address not in self.ids:
            self.ids[address] = account["id"]
            self.pull.found.people.append(_make_person(address, account, self.pull.begun_at))
        return address

    def _address(self, account: Row) -> str:
        return read_address(account["acct"], self.local) or account["acct"].lower()

    def _is_own(self, owner: Row) -> bool:
        try:
            mine = self._ask("/api/v1/accounts/verify_credentials", [], _keep_account)
        except RefusedError as error:
            raise InputError(f"{error}; the token is not valid there: make a new one") from None
        return bool(mine["id"] == owner["id"])

    def _follow_times(self) -> dict[str, datetime]:
        """Return when each account followed last, as notifications tell."""
        times: dict[str, datetime] = {}
        query = [("types[]", "follow"), ("limit", str(LIST_LIMIT))]
        try:
            for page in self._pages("/api/v1/notifications", query, _keep_notifications):
                for one in page:
                    at = read_moment(one["created_at"])
                    if at is not None and at <= self.pull.begun_at:
                        address = self._address(one["account"])
                        self.ids.setdefault(address, one["account"]["id"])
                        times[address] = max(at, times.get(address, at))
        except RefusedError as error:
            self.pull.found.checks.append(
                Check("times of follows", str(error), "note", "Give the token read:notifications.")
            )
        return times

    def _relate(self, addresses: Sequence[str]) -> None:
        """Add requests that wait for an answer, blocks and mutes."""
        found = self.pull.found
        by_id = {self.ids[one]: one for one in addresses}
        ids = list(by_id)
        for start in range(0, len(ids), RELATION_LIMIT):
            query = [("id[]", one) for one in ids[start : start + RELATION_LIMIT]]
            for one in self._ask("/api/v1/accounts/relationships", query, _keep_relations):
                alter = by_id.get(one["id"])
                if alter is None:
                    continue
                if one.get("requested"):
                    found.ties.append(Tie(found.ego, alter, "request", None, "pages/relationships"))
                if one.get("requested_by"):
                    found.ties.append(Tie(alter, found.ego, "request", None, "pages/relationships"))
                marks: tuple[tuple[str, MarkKind], ...] = (("blocking", "blocked"),
                                                           ("muting", "muted"))  # fmt: skip
                for flag, kind in marks:
                    if one.get(flag):
                        found.marks.append(Mark(alter, kind, None, "pages/relationships"))

    # ---------------------------------------------------------------------------------- findings

    def _judge(self, kind: Any, count: int, timed: int, told: int | None) -> None:
        listed, checks = judge_list(kind, count, timed, told, [f"pages/{kind}"])
        self.pull.found.lists.append(listed)
        self.pull.found.checks += checks

    def _check(self, has_token: bool, is_owner: bool, gone: set[str]) -> Iterator[Check]:
        if not has_token:
            yield Check(
                "token", "none: only public lists were read", "note",
                f"With the owner's token in {TOKEN_VARIABLE} pending requests, and the times "
                "of follows that notifications tell, are read, too.",
            )  # fmt: skip
        elif not is_owner:
            yield Check("token", "of another account: only public lists were read", "note",
                        "Use the token of the account itself.")  # fmt: skip
        if gone:
            yield Check("followers who left", f"{len(gone):,} by their notifications", "note",
                        "They followed once; when they left is unknown.")  # fmt: skip


# -------------------------------------------------------------------------- what is kept of a page


def _keep_account(body: Any) -> Row:
    """Keep id, address, counts and age of an account; neither its name nor its words."""
    one = body if isinstance(body, dict) else {}
    number, acct = one.get("id"), one.get("acct")
    if not isinstance(number, str) or not number or not isinstance(acct, str):
        raise InputError("an account has no id or no acct")
    kept: Row = {"id": number[:100], "acct": acct[:400]}
    if isinstance(one.get("created_at"), str):
        kept["created_at"] = one["created_at"][:40]
    for name in COUNTS:
        # -1 stands for hidden counts.
        if type(one.get(name)) is int and one[name] >= 0:
            kept[name] = one[name]
    if isinstance(one.get("locked"), bool):
        kept["locked"] = one["locked"]
    return kept


def _keep_accounts(body: Any) -> list[Row]:
    return [_keep_account(one) for one in _records(body)]


def _keep_notifications(body: Any) -> list[Row]:
    return [
        {"type": "follow", "created_at": str(one.get("created_at", ""))[:40],
         "account": _keep_account(one.get("account"))}
        for one in _records(body)
        if one.get("type") == "follow"
    ]  # fmt: skip


def _keep_relations(body: Any) -> list[Row]:
    return [
        {"id": one["id"], **{name: True for name in FLAGS if one.get(name) is True}}
        for one in _records(body)
        if isinstance(one.get("id"), str)
    ]


def _records(body: Any) -> list[Row]:
    if not isinstance(body, list) or not all(isinstance(one, dict) for one in body):
        raise InputError("the page is no list")
    return body


def _make_person(address: str, one: Row, at: datetime) -> Person:
    return Person(
        address, handle=address, is_private=one.get("locked"),
        created_at=read_moment(one.get("created_at")), follower_count=one.get("followers_count"),
        followee_count=one.get("following_count"), post_count=one.get("statuses_count"),
        counts_at=at,
    )  # fmt: skip
