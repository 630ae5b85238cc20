"""GitHub's API: who follows a user and whom the user follows. No dates, so one snapshot.

**Consent.** Lists on GitHub are public; still, pull those of an account whose owner agreed, keep
the folder to yourself, and show pseudonyms in reports.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from followkit.errors import InputError
from followkit.live.http import Client, FetchError, Pace, RefusedError
from followkit.live.pull import About, Pull, judge_list, note_pages, open_pull, write_tables
from followkit.sources.exports.found import Check, Person, Tie
from followkit.sources.exports.moments import read_moment

__all__ = ["BASE_URL", "TOKEN_VARIABLE", "fetch_github"]

BASE_URL = "https://api.github.com"
TOKEN_VARIABLE = "FOLLOWKIT_GITHUB_TOKEN"
LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,60}[A-Za-z0-9_])?(?:\[bot\])?")
LIST_LIMIT = 100
COUNTS = {"followers": "follower_count", "following": "followee_count"}

Row = dict[str, Any]


def fetch_github(
    login: str,
    folder: str | Path,
    *,
    base_url: str = BASE_URL,
    token_variable: str = TOKEN_VARIABLE,
    profiles: bool = False,
    pace: Pace | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> Path:
    """Fetch who follows a user and whom the user follows into a folder that `load_dataset` reads.

    Do this only with the consent of the account's owner. A run that breaks can be started again
    with the same folder; pages that are there are not asked for again.

    Parameters
    ----------
    login
        The user's name.
    folder
        For the pages and tables; new, or that of the same account's unfinished pull.
    base_url
        The API's server (another one for GitHub Enterprise).
    token_variable
        The environment variable with a token: 5,000 requests an hour instead of 60.
    profiles
        Also fetch counts and age of every account around the user, one request each.
    pace, sleep
        How fast to ask; how to wait (for tests).

    Returns
    -------
    Path
        The folder. Follows carry no times: one snapshot at the begin of the pull (UTC).

    Raises
    ------
    InputError
        If there is no such user, the token is refused, or the folder holds something else.
    FetchError
        If the server cannot be asked now.

    Examples
    --------
    >>> fetch_github("not a login", "pull")
    Traceback (most recent call last):
        ...
    followkit.errors.InputError: login: 'not a login' is no user name of GitHub's
    """
    name = login.strip().removeprefix("@").lower()
    if not LOGIN.fullmatch(name):
        raise InputError(f"login: {login!r} is no user name of GitHub's")
    token = os.environ.get(token_variable, "").strip()
    client = Client(Path(folder), base_url, pace=pace, token=token, sleep=sleep)
    with open_pull(folder, "github", name, client.base_url) as pull:
        pull.found.ego = name
        _Fetching(client, pull).fetch(profiles)
        return write_tables(pull, _describe(pull))


def _describe(pull: Pull) -> About:
    return About(
        title="Followers and followees of one GitHub account",
        source="API of GitHub (users/:login/followers, users/:login/following)",
        licence="none given: lists of people; keep them to yourself",
        notes=(
            f"Begun at {pull.begun_at.isoformat()}: one snapshot, as follows carry no times.",
            "Follows among the accounts around it, and their other follows, are unseen.",
            "Public does not mean consented: show pseudonyms only.",
        ),
    )


@dataclass
class _Fetching:
    """The state of one pull."""

    client: Client
    pull: Pull

    def fetch(self, profiles: bool) -> None:
        """Fetch the profile, both lists, and perhaps the profiles of all."""
        found, ego = self.pull.found, self.pull.found.ego
        owner = self._profile(ego)
        if owner is None:
            raise InputError(f"login: GitHub knows no user {ego!r}")
        followers, followees = self._list("followers"), self._list("following")
        found.ties += [Tie(one, ego, "follow", None, "pages/followers") for one in followers]
        found.ties += [Tie(ego, one, "follow", None, "pages/following") for one in followees]
        for kind, people in (("followers", followers), ("following", followees)):
            listed, checks = judge_list(
                "followers" if kind == "followers" else "following", len(people), 0,
                owner.get(kind), [f"pages/{kind}"],
            )  # fmt: skip
            found.lists.append(listed)
            found.checks += checks
        found.people.append(_make_person(owner, self.pull.begun_at))
        for one in sorted({*followers, *followees}) if profiles else ():
            profile = self._profile(one)
            found.people.append(
                Person(one, state="deleted") if profile is None
                else _make_person(profile, self.pull.begun_at)
            )  # fmt: skip
        found.checks.append(
            Check("times of follows", "GitHub tells none", "note",
                  "Pull again later into another folder: two snapshots bound them.")
        )  # fmt: skip

    def _profile(self, login: str) -> Row | None:
        try:
            page = self.client.get(f"/users/{login}", keep=_keep_profile)
        except RefusedError as error:
            if error.status in (404, 410, 451):
                return None
            if error.status == 401:
                raise InputError(f"{error}; the token is not valid: make a new one") from None
            raise
        self.pull.note_page(page.asked_at)
        return dict(page.body)

    def _list(self, name: str) -> list[str]:
        """Return everybody on a list; the Link header names the next page."""
        logins: dict[str, None] = {}
        seen: set[str] = set()
        path = f"/users/{self.pull.found.ego}/{name}"
        page = self.client.get(path, [("per_page", str(LIST_LIMIT))], keep=_keep_users)
        while True:
            self.pull.note_page(page.asked_at)
            for one in page.body:
                logins[one["login"].lower()] = None
                self.pull.found.people.append(_make_person(one, None))
            if not page.next_path:
                break
            if page.next_path in seen:
                raise FetchError(f"{path}: the server goes round in circles; try again later")
            seen.add(page.next_path)
            page = self.client.get(page.next_path, keep=_keep_users)
        note_pages(self.pull, name, len(logins))
        return list(logins)


def _keep_users(body: Any) -> list[Row]:
    if not isinstance(body, list):
        raise InputError("the page is no list of users")
    return [_keep_profile(one) for one in body]


def _keep_profile(body: Any) -> Row:
    """Keep login, counts and age of a user; neither name nor mail nor words."""
    login = body.get("login") if isinstance(body, dict) else None
    if not isinstance(login, str) or not LOGIN.fullmatch(login):
        raise InputError("a user has no login")
    kept: Row = {"login": login}
    for name in COUNTS:
        if type(body.get(name)) is int and body[name] >= 0:
            kept[name] = body[name]
    if isinstance(body.get("created_at"), str):
        kept["created_at"] = body["created_at"][:40]
    return kept


def _make_person(one: Row, at: datetime | None) -> Person:
    return Person(
        one["login"].lower(), handle=one["login"], created_at=read_moment(one.get("created_at")),
        follower_count=one.get("followers"), followee_count=one.get("following"), counts_at=at,
    )  # fmt: skip
