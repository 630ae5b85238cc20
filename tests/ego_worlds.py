"""Small exports made by hand or by a known logit, as datasets; for the tests of `study_ego`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from followkit.tables import Dataset, make_dataset

EXPORTED = pd.Timestamp("2024-07-01T12:00:00Z")
DAY = pd.Timedelta(days=1)


def make_about(
    *,
    ego: str = "me",
    platform: str = "instagram",
    exported_at: str = EXPORTED.isoformat(),
    checks: Sequence[dict[str, str]] = (),
    **states: str,
) -> dict[str, Any]:
    """Return what an export says of itself; lists are whole unless named with another state."""
    kinds = {"followers": "whole", "following": "whole", **states}
    lists = {
        kind: {"state": state, "count": 0, "timed_count": 0, "files": [f"{kind}.json"]}
        for kind, state in kinds.items()
    }
    return {
        "export": {
            "platform": platform, "ego": ego, "exported_at": exported_at, "lists": lists,
            "checks": list(checks), "files": [],
        }
    }  # fmt: skip


def make_export(
    follows: Sequence[dict[str, Any]], about: dict[str, Any] | None = None, **tables: Any
) -> Dataset:
    """Return a dataset of follows given as dicts; other tables likewise, by name."""
    frames = {name: pd.DataFrame(list(rows)) for name, rows in tables.items()}
    frame = pd.DataFrame(list(follows))
    return make_dataset({"follows": frame, **frames}, about=about or make_about())


def follow(source: str, target: str, at: str | None = None, **more: Any) -> dict[str, Any]:
    """Return one follow; a missing time is unknown."""
    return {"follower_id": source, "followee_id": target, "followed_at": at, **more}


def act(actor: str, target: str, kind: str, at: str | None, **more: Any) -> dict[str, Any]:
    """Return one act."""
    return {"actor_id": actor, "target_id": target, "kind": kind, "at": at, **more}


def simulate_ego(
    seed: int, count: int, *, intercept: float = -0.4, slopes: dict[str, float] | None = None
) -> Dataset:
    """Return an ego that follows `count` alters, answered with a logit of log(1 + its own acts).

    `slopes`: kind of act → coefficient of log(1 + the ego's acts of that kind before the follow).
    Answers come within 20 days; acts after the follow are drawn regardless of the answer.
    """
    rng = np.random.default_rng(seed)
    begin = np.datetime64("2021-01-01", "s")
    at = begin + np.sort(rng.uniform(30, 1200, count) * 86_400).astype(int)
    alters = np.array([f"b{place:05d}" for place in rng.permutation(count)])
    # One early act towards nobody that is followed: acts are in the export from here on.
    acts = [pd.DataFrame({"target_id": ["somebody"], "kind": "like", "at": [begin]})]
    linear = np.full(count, float(intercept))
    for kind in ("like", "comment", "message"):
        counts = rng.poisson(rng.gamma(0.6, 3.0, count))
        linear += (slopes or {}).get(kind, 0.0) * np.log1p(counts)
        for sign, number in ((-1, counts), (1, rng.poisson(1, count))):
            place = np.repeat(np.arange(count), number)
            lag = (rng.uniform(0.1, 20, len(place)) * 86_400).astype(int)
            frame = {"target_id": alters[place], "kind": kind, "at": at[place] + sign * lag}
            acts.append(pd.DataFrame(frame))
    is_yes = rng.random(count) < 1 / (1 + np.exp(-linear))
    later = at + (rng.uniform(0.01, 20, count) * 86_400).astype(int)
    forth = {"follower_id": "me", "followee_id": alters, "followed_at": at}
    back = {"follower_id": alters[is_yes], "followee_id": "me", "followed_at": later[is_yes]}
    tables = {
        "follows": pd.concat([pd.DataFrame(forth), pd.DataFrame(back)], ignore_index=True),
        "interactions": pd.concat(acts, ignore_index=True).assign(actor_id="me"),
    }
    return make_dataset(tables, about=make_about(platform="tiktok"))
