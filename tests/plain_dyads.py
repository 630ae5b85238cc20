"""Plain dyads for tests of models: two accounts a row, features drawn freely, outcomes planted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from followkit import covariance as cov
from followkit.dyads import DyadSet
from followkit.splits import Split, make_account_blocks
from followkit.tables import Dataset, make_dataset


@dataclass(frozen=True)
class PlainDyads:
    """Dyads with features and outcomes, their accounts, and account blocks to hold them out."""

    features: pd.DataFrame
    outcome: np.ndarray
    initiator: np.ndarray
    decider: np.ndarray
    split: Split

    @property
    def accounts(self) -> cov.Accounts:
        return cov.code_accounts(self.initiator, self.decider)

    @property
    def parts(self) -> dict[str, Any]:
        """The arguments that every decomposition takes."""
        return {
            "features": self.features, "outcome": self.outcome, "split": self.split,
            "accounts": self.accounts,
        }  # fmt: skip

    def take(self, rows: np.ndarray) -> PlainDyads:
        """Return the dyads in another order."""
        split = Split(
            self.split.name, self.split.cell[rows], self.split.train[:, rows], self.split.note
        )
        return PlainDyads(
            self.features.iloc[rows], self.outcome[rows], self.initiator[rows],
            self.decider[rows], split,
        )  # fmt: skip


def draw_dyads(
    seed: int,
    names: Sequence[str],
    slopes: Mapping[str, float],
    *,
    size: int = 1000,
    accounts: int = 200,
    base: float = -0.5,
    decider_sd: float = 0.0,
    initiator_sd: float = 0.0,
) -> PlainDyads:
    """Return dyads whose log odds are base + Σ slope · feature + the two accounts' intercepts."""
    rng = np.random.default_rng(seed)
    initiator = rng.integers(0, accounts, size)
    decider = (initiator + rng.integers(1, accounts, size)) % accounts
    features = pd.DataFrame(rng.normal(size=(size, len(names))), columns=list(names))
    line = base + sum(slope * features[name].to_numpy() for name, slope in slopes.items())
    line = line + decider_sd * rng.normal(size=accounts)[decider]
    line = line + initiator_sd * rng.normal(size=accounts)[initiator]
    outcome = (rng.random(size) < expit(line)).astype(float)
    table = pd.DataFrame(
        {"initiator_id": [f"u{who}" for who in initiator],
         "decider_id": [f"u{who}" for who in decider]}
    )  # fmt: skip
    dyads = DyadSet("follow_back", table, pd.DataFrame(), 30.0, "timed", None, True)
    return PlainDyads(features, outcome, initiator, decider, make_account_blocks(dyads))


def draw_rows(seed: int = 0, n: int = 600, count: int = 60, **columns: Any) -> dict[str, Any]:
    """Return what `fit_follow_back` takes: x with slope .7, z without effect, further columns."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, count, n)
    b = (a + rng.integers(1, count, n)) % count
    features = pd.DataFrame({"x": rng.normal(size=n), "z": rng.random(n)}).assign(**columns)
    y = (rng.random(n) < expit(0.7 * features["x"].to_numpy() - 0.8)).astype(int)
    return {"features": features, "outcome": y, "initiator": a, "decider": b}


def make_timed(
    rows: Sequence[tuple[str, str, float, float | None]], until: float = 100.0
) -> Dataset:
    """Return follows (follower, followee, day, day of the withdrawal), all watched to the end."""
    start = pd.Timestamp("2024-01-01", tz="UTC")
    follows = pd.DataFrame(rows, columns=["follower_id", "followee_id", "from", "to"])
    follows["followed_at"] = start + pd.to_timedelta(follows.pop("from"), unit="D")
    follows["unfollowed_at"] = start + pd.to_timedelta(follows.pop("to").astype(float), unit="D")
    ids = sorted({name for row in rows for name in row[:2]})
    watch = pd.DataFrame(
        {"account_id": ids, "table_name": "follows", "observed_from_at": start,
         "observed_until_at": start + pd.Timedelta(days=until), "list_is_complete": True,
         "sees_unfollows": True}
    )  # fmt: skip
    return make_dataset({"follows": follows, "observation": watch})
