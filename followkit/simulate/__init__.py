"""A simulated platform with known effects: people, posts, acts, follows and who answers them."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from followkit.errors import ParameterError
from followkit.graph import NEVER
from followkit.simulate.content import make_interactions, make_posts
from followkit.simulate.draws import Draws, IntArray
from followkit.simulate.follows import WEEK_US, Ties, World, simulate_follows
from followkit.simulate.people import People, make_accounts, make_people
from followkit.simulate.truth import describe_truth
from followkit.tables import Dataset, make_dataset

__all__ = ["make_town", "write_dataset"]

START = np.datetime64("2025-01-06T00:00:00", "us")  # a Monday
COUNT_EVERY_WEEKS = 8


def make_town(
    account_count: int = 2_400,
    *,
    seed: int = 7,
    weeks: int = 39,
    follows_per_account: float = 14.0,
    horizon_days: float = 30.0,
) -> Dataset:
    """Simulate a town: all canonical tables but media, and the truth in `about["truth"]`.

    Whether a decider answers within the horizon is exactly logistic in the planted catalogue
    features, and dyads that share an account in a week are dependent (see
    `followkit.simulate.follows`). Nothing else depends on the answers but later degrees. Traps for
    a naive analysis: popular accounts are also active, bots follow many and are active about
    anything, some accounts fall silent, follows are withdrawn, and the world simply ends.

    Parameters
    ----------
    account_count
        People, businesses, creators and bots.
    seed
        The same seed gives the same tables on every machine.
    weeks
        From Monday, 6 January 2025 (UTC).
    follows_per_account
        Follows that are initiated, on average; answers come on top.
    horizon_days
        Within which every planned answer falls.

    Returns
    -------
    Dataset

    Raises
    ------
    ParameterError
        If a number is too small for a town.

    Examples
    --------
    >>> town = make_town(200, weeks=8)
    >>> sorted(town.tables), town.about["truth"]["question"]
    (['account_counts', 'accounts', 'follows', 'interactions', 'observation', 'posts'],
     'follow_back')
    """
    if account_count < 50 or weeks < 8 or follows_per_account <= 0 or horizon_days < 14:
        raise ParameterError(
            "simulate: at least 50 accounts, 8 weeks, a positive number of follows and a horizon "
            f"of 14 days are needed; got {account_count}, {weeks}, {follows_per_account}, "
            f"{horizon_days}"
        )
    draws = Draws(seed)
    people = make_people(draws, account_count, weeks, follows_per_account / (weeks + 8))
    posts = make_posts(draws, people, weeks, START)
    acts = make_interactions(draws, people, posts, weeks, START)
    accounts = make_accounts(draws, people, START)
    world = _make_world(people, posts, acts, weeks, horizon_days)
    ties, probability = simulate_follows(draws, world)
    follows = _make_follows(draws, ties, accounts, world)
    tables = {
        "follows": follows,
        "accounts": accounts,
        "account_counts": _make_counts(ties, account_count, weeks),
        "posts": posts,
        "interactions": acts,
        "observation": _make_observation(account_count, weeks),
    }
    counts = {name: len(table) for name, table in tables.items()} | {"dyads": len(probability)}
    about = {
        "title": "A simulated town",
        "source": f"followkit.simulate.make_town(account_count={account_count}, seed={seed})",
        "licence": "CC0",
        "notes": ["Simulated: nobody in it exists. truth.json holds the planted effects."],
        "truth": describe_truth(seed, horizon_days, counts),
    }
    return make_dataset(tables, name="town", about=about)


def write_dataset(dataset: Dataset, folder: str | Path) -> list[Path]:
    """Write tables as plain CSV, and truth.json where there is one; each file whole or not at all.

    Times are written as `2025-01-06T09:30:00Z`, missing values as nothing.

    Returns
    -------
    list of Path
        The files, in the order of the tables.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    written = []
    for name, table in dataset.tables.items():
        text = table.copy()
        for column in text.columns[text.dtypes.map(lambda dtype: dtype.kind == "M")]:
            text[column] = text[column].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        content = text.to_csv(index=False, lineterminator="\n")
        written.append(_write_whole(place / f"{name}.csv", content))
    if "truth" in dataset.about:
        content = json.dumps(dataset.about["truth"], indent=1) + "\n"
        written.append(_write_whole(place / "truth.json", content))
    return written


def _write_whole(path: Path, content: str) -> Path:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def _make_world(
    people: People, posts: pd.DataFrame, acts: pd.DataFrame, weeks: int, horizon_days: float
) -> World:
    known = pd.DataFrame(
        {
            "account_id": posts["account_id"],
            "code": posts["account_id"] - 1,
            "text": posts["text"],
            "posted_us": posts["posted_at"].to_numpy("datetime64[us]").astype(np.int64),
        }
    )
    at_us = acts["at"].to_numpy("datetime64[us]").astype(np.int64)
    done = pd.DataFrame({"a": acts["actor_id"] - 1, "b": acts["target_id"] - 1, "at_us": at_us})
    return World(people, known, done, int(START.astype(np.int64)), weeks, horizon_days)


def _end_us(weeks: int) -> int:
    return int(START.astype(np.int64)) + weeks * WEEK_US


def _make_follows(draws: Draws, ties: Ties, accounts: pd.DataFrame, world: World) -> pd.DataFrame:
    """Return ties up to the end of the world, and a few requests that nobody has approved."""
    source, target, start, end = ties.whole()
    seen = start < _end_us(world.weeks)
    table = pd.DataFrame(
        {
            "follower_id": source[seen] + 1,
            "followee_id": target[seen] + 1,
            "followed_at": _stamps(start[seen]),
            "unfollowed_at": _stamps(np.where(end[seen] < _end_us(world.weeks), end[seen], NEVER)),
            "requested_at": _stamps(np.full(seen.sum(), NEVER)),
            "status": "active",
        }
    )
    private = np.flatnonzero(accounts["is_private"])
    who = draws.whole(0, len(accounts), len(private))
    asked = _end_us(world.weeks) - draws.whole(1, 20 * 86_400, len(private)) * 1_000_000
    requests = pd.DataFrame(
        {
            "follower_id": who + 1,
            "followee_id": private + 1,
            "followed_at": _stamps(np.full(len(private), NEVER)),
            "unfollowed_at": _stamps(np.full(len(private), NEVER)),
            "requested_at": _stamps(asked),
            "status": "pending",
        }
    )
    known = set(zip(table["follower_id"], table["followee_id"], strict=True))
    fresh = [
        one != two and (one, two) not in known and (two, one) not in known
        for one, two in zip(requests["follower_id"], requests["followee_id"], strict=True)
    ]
    whole = pd.concat([table, requests[fresh]], ignore_index=True)
    return whole.sort_values(["follower_id", "followee_id"], kind="stable", ignore_index=True)


def _stamps(times: IntArray) -> pd.Series:
    known = times != NEVER
    stamps = pd.Series(np.where(known, times, 0).astype("datetime64[us]")).dt.tz_localize("UTC")
    return stamps.where(known)


def _make_counts(ties: Ties, count: int, weeks: int) -> pd.DataFrame:
    source, target, start, end = ties.whole()
    parts = []
    for week in range(COUNT_EVERY_WEEKS, weeks + 1, COUNT_EVERY_WEEKS):
        at = int(START.astype(np.int64)) + week * WEEK_US
        stands = (start < at) & (end >= at)
        parts.append(
            pd.DataFrame(
                {
                    "account_id": np.arange(1, count + 1),
                    "counts_at": _stamps(np.full(count, at)),
                    "follower_count": np.bincount(target[stands], minlength=count),
                    "followee_count": np.bincount(source[stands], minlength=count),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _make_observation(count: int, weeks: int) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "account_id": np.arange(1, count + 1),
                "table_name": name,
                "observed_from_at": _stamps(np.full(count, int(START.astype(np.int64)))),
                "observed_until_at": _stamps(np.full(count, _end_us(weeks))),
                "list_is_complete": True,
                "sees_unfollows": True,
            }
        )
        for name in ("follows", "posts", "interactions")
    ]
    return pd.concat(parts, ignore_index=True)
