"""The leakage rule, over the whole catalogue and every kind of data.

No feature is named here: whatever the catalogue holds is checked, and features that leak on
purpose show that each check can fail.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from leakage_checks import (
    check_fold,
    check_future,
    check_renaming,
    check_reverse_tie,
    compute,
)
from worlds import World, make_world

from followkit.features import CATALOGUE, FUNCTIONS
from followkit.features.catalogue import ALL_MODES, Feature

MODES = pytest.mark.parametrize("mode", ALL_MODES)
DATED = pytest.mark.parametrize("mode", ["timed", "crawl"])
few = settings(max_examples=3, deadline=None, derandomize=True, database=None)
seeds = st.integers(0, 10_000)


def pick_moment(world: World, rng: np.random.Generator) -> pd.Timestamp:
    """Return a dyad's own moment (timed), or a moment after the crawl."""
    if world.mode == "crawl":
        return world.dyads.crawl_at + pd.Timedelta(hours=int(rng.integers(1, 90)))
    return world.dyads.table["at"].iloc[int(rng.integers(len(world.dyads.table)))]


@MODES
@few
@given(seed=seeds)
def test_own_reverse_tie_is_never_seen(mode: str, seed: int) -> None:
    world = make_world(seed, mode)
    row = seed % len(world.dyads.table)
    assert check_reverse_tie(world, row) == set()


@few
@given(seed=seeds)
def test_no_tie_of_the_fold_is_seen(seed: int) -> None:
    world = make_world(seed, "snapshot")
    assert check_fold(world, seed % 3, np.random.default_rng(seed)) == set()


@DATED
@few
@given(seed=seeds)
def test_nothing_after_t_is_seen(mode: str, seed: int) -> None:
    world, rng = make_world(seed, mode), np.random.default_rng(seed)
    found = check_future(world, pick_moment(world, rng), rng)
    assert found == {kind: set() for kind in found}


def test_nothing_after_t_is_seen_in_an_export() -> None:
    """With one account in every dyad, follower counts come from the platform's figures."""
    world, rng = make_export_world(), np.random.default_rng(5)
    assert len(world.dyads.table) > 5
    found = check_future(world, pick_moment(world, rng), rng)
    assert found == {kind: set() for kind in found}


@MODES
@few
@given(seed=seeds)
def test_names_and_order_of_accounts_do_not_matter(mode: str, seed: int) -> None:
    assert check_renaming(make_world(seed, mode), np.random.default_rng(seed)) == set()


def test_every_feature_is_exercised() -> None:
    """A feature that is constant or absent in all worlds would pass every check unseen."""
    varied: set[str] = set()
    for mode in ALL_MODES:
        values = compute(make_world(1, mode)).values
        varied |= {name for name in values if len(values[name].dropna().unique()) > 1}
    assert varied == set(CATALOGUE)


def make_export_world() -> World:
    """Return a timed world whose dyads all have account 0 in them."""
    from dataclasses import replace

    world = make_world(3, "timed", pair_count=60)
    table = world.dyads.table
    mine = table[(table["initiator_id"] == 0) | (table["decider_id"] == 0)]
    return replace(world, dyads=replace(world.dyads, table=mine.reset_index(drop=True)))


# -- features that leak on purpose ------------------------------------------------------------

#: The leak, and honest neighbours that have to pass beside it.
SOME = ("leak", "decider_ratio_log", "decider_follow_back_rate", "initiator_posts_per_week_log")


def reverse_exists(context: object) -> np.ndarray:
    """Read the answer off the follows, whenever it came."""
    ties = context.dataset.tables["follows"]
    known = set(zip(ties["follower_id"], ties["followee_id"], strict=True))
    pairs = zip(context.rows["decider_id"], context.rows["initiator_id"], strict=True)
    return np.array([float(pair in known) for pair in pairs])


def followees_ever(context: object) -> np.ndarray:
    """Count the decider's followees in the whole table: naive degrees echo the answer."""
    counts = context.dataset.tables["follows"]["follower_id"].value_counts()
    return context.rows["decider_id"].map(counts).fillna(0).to_numpy(dtype=float)


def count_ever(table: str, column: str) -> object:
    """Return a feature that counts the initiator's rows of a table, later ones included."""

    def compute_counts(context: object) -> np.ndarray:
        counts = context.dataset.tables[table][column].value_counts()
        return context.rows["initiator_id"].map(counts).fillna(0).to_numpy(dtype=float)

    return compute_counts


def unfollows_ever(context: object) -> np.ndarray:
    """Count how many of the decider's followers will have left in the end."""
    ties = context.dataset.tables["follows"]
    ends = [name for name in ("unfollowed_at", "unfollowed_before_at") if name in ties]
    gone = ties[ends].notna().any(axis=1)
    counts = ties[gone.to_numpy(dtype=bool)]["followee_id"].value_counts()
    return context.rows["decider_id"].map(counts).fillna(0).to_numpy(dtype=float)


def account_number(context: object) -> np.ndarray:
    """Use the id itself as a number."""
    return context.rows["decider_id"].to_numpy(dtype=float)


@pytest.fixture
def leak(monkeypatch: pytest.MonkeyPatch) -> object:
    """Return a function that puts one more feature, named `leak`, into the catalogue."""

    def register(function: object) -> None:
        entry = Feature(
            "leak", 3, "3a", "decider", "leak", "-", "per unit", 1.0, 0, ("follows",), ALL_MODES
        )
        monkeypatch.setitem(CATALOGUE, "leak", entry)
        monkeypatch.setitem(FUNCTIONS, "leak", function)

    return register


@MODES
@pytest.mark.parametrize("function", [reverse_exists, followees_ever])
def test_a_leaky_feature_fails_the_reverse_check(mode: str, function: object, leak) -> None:
    leak(function)
    world = make_world(2, mode)
    found = [check_reverse_tie(world, row, SOME) for row in range(0, len(world.dyads.table), 8)]
    assert set().union(*found) == {"leak"}


@pytest.mark.parametrize("function", [reverse_exists, followees_ever])
def test_a_leaky_feature_fails_the_fold_check(function: object, leak) -> None:
    leak(function)
    assert check_fold(make_world(2, "snapshot"), 1, np.random.default_rng(0), SOME) == {"leak"}


@DATED
@pytest.mark.parametrize(
    ("kind", "function"),
    [
        ("follow", reverse_exists),
        ("follow", followees_ever),
        ("unfollow", unfollows_ever),
        ("post", count_ever("posts", "account_id")),
        ("act", count_ever("interactions", "actor_id")),
        ("counts", count_ever("account_counts", "account_id")),
    ],
)
def test_a_leaky_feature_fails_the_future_check(
    mode: str, kind: str, function: object, leak
) -> None:
    leak(function)
    world, rng = make_world(2, mode), np.random.default_rng(2)
    moment = world.dyads.table["at"].max() + pd.Timedelta(days=1)
    found = check_future(world, moment, rng, SOME)
    assert found == {name: {"leak"} if name == kind else set() for name in found}


@MODES
def test_a_leaky_feature_fails_the_renaming_check(mode: str, leak) -> None:
    leak(account_number)
    assert check_renaming(make_world(2, mode), np.random.default_rng(0), SOME) == {"leak"}
