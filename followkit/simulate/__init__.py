"""A simulated platform with known effects: people, posts, acts, follows and who answers them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from followkit.errors import ParameterError
from followkit.features.texts import Library
from followkit.features.ties import to_times
from followkit.graph import NEVER
from followkit.schema import SCHEMAS
from followkit.simulate.acts import make_interactions
from followkit.simulate.content import LEAD_WEEKS, make_posts
from followkit.simulate.draws import Draws, IntArray
from followkit.simulate.follows import WEEK_US, Ties, World, simulate_follows
from followkit.simulate.people import make_accounts, make_people
from followkit.simulate.truth import INTERCEPT, PLANTED, check_planted, describe_truth
from followkit.tables import Dataset, make_dataset
from followkit.whole_files import write_whole

__all__ = ["Town", "make_town", "simulate_town", "write_dataset"]

START = np.datetime64("2025-01-06T00:00:00", "us")  # a Monday
COUNT_EVERY_WEEKS = 8


@dataclass(frozen=True)
class Town:
    """A simulated town, and what decided about every answer in it.

    Attributes
    ----------
    dataset
        All canonical tables but media, and the truth in `about["truth"]`.
    dyads
        One row a follow that was no answer, in order of time: initiator_id, decider_id, at,
        probability (of an answer within the horizon), outcome (1 where one was planned, also where
        it falls after the end of the world) and one column a planted feature. A feature is NaN
        where it was not known yet; it then added nothing.
    """

    dataset: Dataset
    dyads: pd.DataFrame


def make_town(
    account_count: int = 2_400,
    *,
    seed: int = 7,
    weeks: int = 39,
    follows_per_account: float = 14.0,
    horizon_days: float = 30.0,
    planted: Mapping[str, float] | None = None,
    intercept: float | None = None,
) -> Dataset:
    """Simulate a town: all canonical tables but media, and the truth in `about["truth"]`.

    Whether a decider answers within the horizon is exactly logistic in the planted catalogue
    features, and dyads that share an account in a week are dependent (see
    `followkit.simulate.follows`). Nothing else depends on the answers but later ties. Traps for a
    naive analysis: popular accounts are also active, original and engaged with; bots follow many,
    post a lot about what nobody cares for, copy, and comment alike in bursts; businesses promote;
    some accounts fall silent, follows are withdrawn, and the world simply ends.

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
    planted
        Log odds per unit of catalogue features, in place of the nine factors' own
        (`followkit.simulate.truth.PLANTED`); 0 plants nothing there.
    intercept
        Log odds where every planted feature is 0.

    Returns
    -------
    Dataset

    Raises
    ------
    ParameterError
        If a number is too small for a town, or a feature cannot be planted.

    Examples
    --------
    >>> town = make_town(200, weeks=8)
    >>> sorted(town.tables), town.about["truth"]["question"]
    (['account_counts', 'accounts', 'follows', 'interactions', 'observation', 'posts'],
     'follow_back')
    """
    return simulate_town(
        account_count, seed=seed, weeks=weeks, follows_per_account=follows_per_account,
        horizon_days=horizon_days, planted=planted, intercept=intercept,
    ).dataset  # fmt: skip


def simulate_town(
    account_count: int = 2_400,
    *,
    seed: int = 7,
    weeks: int = 39,
    follows_per_account: float = 14.0,
    horizon_days: float = 30.0,
    planted: Mapping[str, float] | None = None,
    intercept: float | None = None,
) -> Town:
    """Simulate a town as `make_town` does, and keep what decided about every answer.

    Returns
    -------
    Town

    Examples
    --------
    >>> planted = {"dyad_topic_cosine": 2.0}
    >>> town = simulate_town(200, weeks=8, planted=planted, intercept=-1.0)
    >>> list(town.dyads)[3:]
    ['probability', 'outcome', 'dyad_topic_cosine']
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
    tables = {
        "accounts": make_accounts(draws, people, START - np.timedelta64(LEAD_WEEKS * 7, "D")),
        "posts": posts,
        "interactions": make_interactions(draws, people, posts, weeks, START),
        "observation": _make_observation(account_count, weeks),
    }
    before = make_dataset({**tables, "follows": _make_first_follow()})
    planted = PLANTED if planted is None else dict(planted)
    check_planted(planted, before)
    world = World(
        people, before, int(START.astype(np.int64)), weeks, horizon_days, planted,
        INTERCEPT if intercept is None else intercept, Library(before),
    )  # fmt: skip
    ties, dyads = simulate_follows(draws, world)
    tables["follows"] = _make_follows(draws, ties, tables["accounts"], world)
    tables["account_counts"] = _make_counts(ties, account_count, weeks)
    ordered = {name: tables[name] for name in SCHEMAS if name in tables}
    counts = {name: len(table) for name, table in ordered.items()} | {"dyads": len(dyads)}
    truth = describe_truth(
        planted, world.intercept, seed=seed, horizon_days=horizon_days,
        base_rate=float(dyads["probability"].mean()), counts=counts,
    )  # fmt: skip
    about = {
        "title": "A simulated town",
        "source": f"followkit.simulate.make_town(account_count={account_count}, seed={seed})",
        "licence": "CC0",
        "notes": ["Simulated: nobody in it exists. truth.json holds the planted effects."],
        "truth": truth,
    }
    return Town(make_dataset(ordered, name="town", about=about), _name_dyads(dyads))


def _name_dyads(dyads: pd.DataFrame) -> pd.DataFrame:
    """Return the dyads with ids and times instead of codes."""
    who = pd.DataFrame(
        {
            "initiator_id": dyads["a"] + 1,
            "decider_id": dyads["b"] + 1,
            "at": to_times(dyads["t_us"].to_numpy()),
        }
    )
    return pd.concat([who, dyads.drop(columns=["a", "b", "t_us"])], axis=1)


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
        written.append(write_whole(place / f"{name}.csv", content, mode=0o644))
    if "truth" in dataset.about:
        content = json.dumps(dataset.about["truth"], indent=1) + "\n"
        written.append(write_whole(place / "truth.json", content, mode=0o644))
    return written


def _make_first_follow() -> pd.DataFrame:
    """Return the one follow that a dataset needs before anybody has followed; no feature sees it.

    It says which columns the town will have.
    """
    moment = _stamps(np.array([int(START.astype(np.int64))]))
    return pd.DataFrame(
        {"follower_id": [1], "followee_id": [2], "followed_at": moment, "unfollowed_at": moment}
    )


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
    """Return that everybody is watched from the first post or follow to the end of the world."""
    start = int(START.astype(np.int64))
    leads = {"follows": 0, "posts": LEAD_WEEKS, "interactions": LEAD_WEEKS}
    parts = [
        pd.DataFrame(
            {
                "account_id": np.arange(1, count + 1),
                "table_name": name,
                "observed_from_at": _stamps(np.full(count, start - lead * WEEK_US)),
                "observed_until_at": _stamps(np.full(count, _end_us(weeks))),
                "list_is_complete": True,
                "sees_unfollows": True,
            }
        )
        for name, lead in leads.items()
    ]
    return pd.concat(parts, ignore_index=True)
