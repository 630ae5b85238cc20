"""Shapley shares: brute force over orders, the ladder's own numbers, planted groups and noise."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from plain_dyads import PlainDyads, draw_dyads

from followkit import covariance as cov
from followkit import scores as sc
from followkit.contributions import (
    Contributions,
    find_entry,
    group_by_factor,
    shapley_contributions,
    shapley_values,
)
from followkit.dyads import DyadSet
from followkit.errors import CannotFitError, InputError, ParameterError
from followkit.evaluate import run_ladder
from followkit.features import CATALOGUE, FeatureTable
from followkit.logit import LogitRegression
from followkit.tuning import Tuner

GROUPS = {"ratio": ["r1", "r2"], "topic": ["t"], "noise": ["n"]}
NAMES = list(chain.from_iterable(GROUPS.values()))
SLOPES = {"r1": 0.9, "r2": -0.4, "t": 0.5}


def share_out(world: PlainDyads, groups: Any = None, **options: Any) -> Contributions:
    return shapley_contributions(**{**world.parts, **options}, groups=groups or GROUPS)


@pytest.fixture(scope="module")
def world() -> PlainDyads:
    return draw_dyads(0, NAMES, SLOPES, size=1500)


@pytest.fixture(scope="module")
def found(world: PlainDyads) -> Contributions:
    return share_out(world)


# --- the game --------------------------------------------------------------------------------


def average_over_orders(values: np.ndarray, count: int) -> np.ndarray:
    """Shapley values straight from the words: the mean gain over all orders of joining."""
    gains = np.zeros(count)
    orders = list(permutations(range(count)))
    for order in orders:
        inside = 0
        for player in order:
            gains[player] += values[inside | 1 << player] - values[inside]
            inside |= 1 << player
    return gains / len(orders)


@pytest.mark.parametrize("count", [1, 3, 5])
def test_shapley_values_are_means_over_all_orders(count: int) -> None:
    games = np.random.default_rng(count).normal(size=(4, 2**count))
    expected = [average_over_orders(game, count) for game in games]
    assert shapley_values(games) == pytest.approx(np.array(expected), abs=1e-13)
    assert shapley_values(games).sum(axis=1) == pytest.approx(games[:, -1] - games[:, 0])


def test_shapley_values_by_hand() -> None:
    """A game of three: v(A) = 1, v(B) = 2, v(C) = 0, v(AB) = 4, v(AC) = 1, v(BC) = 3, v(ABC) = 6.

    A: 1 first (twice), 2 after B, 1 after C, 3 last (twice): (1·2 + 2 + 1 + 3·2) / 6 = 11/6.
    B: 2 twice, 3 after A, 3 after C, 5 twice: 20/6. C: 0 twice, 0, 1, 2 twice: 5/6.
    """
    game = np.array([0, 1, 2, 4, 0, 1, 3, 6.0])
    assert shapley_values(game) == pytest.approx([11 / 6, 20 / 6, 5 / 6])


def test_the_airport_game() -> None:
    """Littlechild & Owen (1973), doi:10.1287/mnsc.20.3.370: each stretch is shared by its users."""
    cost = np.array([8.0, 11.0, 13.0])
    sets = [[player for player in range(3) if k >> player & 1] for k in range(8)]
    game = np.array([max((cost[player] for player in one), default=0.0) for one in sets])
    assert shapley_values(game) == pytest.approx([8 / 3, 8 / 3 + 3 / 2, 8 / 3 + 3 / 2 + 2])


# --- against other computations --------------------------------------------------------------


def test_readings_from_single_models(world: PlainDyads, found: Contributions) -> None:
    """Shapley, alone and last, rebuilt from eight ladders that each know some of the groups."""
    table = pd.DataFrame(
        {"initiator_id": world.initiator, "decider_id": world.decider, "outcome": world.outcome,
         "fold": 0, "weight": 1.0}
    )  # fmt: skip
    dyads = DyadSet("follow_back", table, pd.DataFrame(), 30.0, "timed", None, True)
    none = pd.DataFrame(columns=["feature", "claim", "reason"])
    losses = []
    for k in range(8):
        names = [name for g, part in enumerate(GROUPS.values()) if k >> g & 1 for name in part]
        losses.append(ladder_losses(dyads, FeatureTable(world.features, none), names, world))
    gains = 2 * (losses[0][:, None] - np.stack(losses, axis=1)) + estimation_costs(world)
    assert found.per_dyad == pytest.approx(shapley_values(gains), abs=2e-5)
    means = gains.mean(axis=0)
    assert found.table["shapley"].to_numpy() == pytest.approx(shapley_values(means), abs=1e-6)
    assert found.table["alone"].to_numpy() == pytest.approx(means[[1, 2, 4]], abs=1e-6)
    assert found.table["last"].to_numpy() == pytest.approx(means[7] - means[[6, 5, 3]], abs=1e-6)
    assert found.null_per_dyad == pytest.approx(2 * losses[0], abs=1e-9)


def estimation_costs(world: PlainDyads) -> np.ndarray:
    """Return tr(V h) of each dyad's eight models beyond the base rate's, one model at a time."""
    costs = np.zeros((len(world.split.train), 8))
    for cell, train in enumerate(world.split.train):
        values = world.features[train]
        z = np.column_stack([np.ones(len(values)), (values - values.mean()) / values.std(ddof=0)])
        y = world.outcome[train]
        full = LogitRegression(ridge=1e-6).fit(z[:, 1:], y)
        p = full.predict_proba(z[:, 1:])[:, 1]
        ends = cov.code_accounts(world.initiator[train], world.decider[train])
        for k in range(8):
            names = [name for g, part in enumerate(GROUPS.values()) if k >> g & 1 for name in part]
            inside = [0, *(1 + values.columns.get_loc(name) for name in names)]
            x, w = z[:, inside], p * (1 - p)
            information = (x * w[:, None]).T @ x
            spread = cov.dyadic(x * (y - p)[:, None], information, ends)
            costs[cell, k] = np.trace(spread @ information) / len(y)
    return (costs - costs[:, :1])[world.split.cell]


def ladder_losses(
    dyads: DyadSet, features: FeatureTable, names: list[str], world: PlainDyads
) -> np.ndarray:
    """Return the held-out log losses of the ladder's logistic model on these features."""
    with pytest.MonkeyPatch.context() as patch:
        # The ladder asks the catalogue for sides; these names are not in it.
        entry = CATALOGUE["dyad_topic_cosine"]
        patch.setattr("followkit.rungs.CATALOGUE", dict.fromkeys(NAMES, entry))
        patch.setattr("followkit.rungs.boosting_tuner", lambda names, seed: STAND_IN)
        if names:
            ladder = run_ladder(dyads, features, names=names, splits=[world.split])
            return sc.log_losses(ladder.tested["accounts"])
    rates = np.array([world.outcome[row].mean() for row in world.split.train])
    return sc.log_losses(
        sc.HeldOut(world.outcome, rates[world.split.cell], world.accounts, world.split.cell)
    )


def stand_in(lesson: Any, test: pd.DataFrame) -> np.ndarray:
    """Return anything in place of gradient boosting, which is not looked at here."""
    return np.full(len(test), 0.5)


STAND_IN = Tuner(
    ("any",), lambda lesson, test: {"any": stand_in(lesson, test)},
    lambda lesson, test, setting: stand_in(lesson, test),
)  # fmt: skip


# --- identities and invariants ---------------------------------------------------------------


def test_shares_add_up_dyad_by_dyad(found: Contributions) -> None:
    tested = found.tested
    base = found.null_per_dyad - found.per_dyad.sum(axis=1) + found.cost_per_dyad
    assert base == pytest.approx(2 * sc.log_losses(tested), abs=1e-9)
    assert found.table["shapley"].sum() == pytest.approx(found.total[0], abs=1e-12)
    assert found.table["share"].sum() == pytest.approx(1.0)


def test_intervals_know_dyads_and_models(found: Contributions) -> None:
    mean, error = cov.dyadic_mean(found.per_dyad[:, 0], found.tested.accounts)
    row = found.table.loc[0]
    assert row["shapley"] == mean
    # Besides the spread over dyads, what the estimated coefficients add.
    error = np.sqrt(error**2 + 4 * row["cost"] / len(found.rows))
    assert (row["ci_high"] - row["ci_low"]) / 2 / error == pytest.approx(1.97, abs=0.02)


def test_a_planted_group_comes_first_and_noise_touches_zero(found: Contributions) -> None:
    table = found.table.set_index("group")
    assert table["shapley"].idxmax() == "ratio"
    assert (table.loc[["ratio", "topic"], "ci_low"] > 0).all()
    assert table.loc["noise", "ci_low"] < 0 < table.loc["noise", "ci_high"] + 0.002
    assert table["feature_count"].tolist() == [2, 1, 1]


def test_a_copy_in_another_group_takes_half(world: PlainDyads) -> None:
    features = world.features.assign(copy=world.features["r1"] * 3 + 1)
    groups = {"one": ["r1"], "two": ["copy"], "topic": ["t"]}
    found = share_out(replace(world, features=features), groups)
    first, second = found.per_dyad[:, 0], found.per_dyad[:, 1]
    assert first == pytest.approx(second, abs=1e-5)
    table = found.table.set_index("group")
    assert table.loc["one", "last"] == pytest.approx(0.0, abs=1e-6)
    assert table.loc["one", "shapley"] == pytest.approx(table.loc["one", "alone"] / 2, rel=0.1)


def test_row_order_and_account_names_do_not_matter(world: PlainDyads, found: Contributions) -> None:
    rows = np.random.default_rng(9).permutation(len(world.outcome))
    moved = world.take(rows)
    names = np.random.default_rng(8).permutation(200)
    again = share_out(
        replace(moved, initiator=names[moved.initiator], decider=names[moved.decider])
    )
    pd.testing.assert_frame_equal(again.table, found.table, rtol=1e-5, atol=1e-8)
    assert again.per_dyad[np.argsort(rows)] == pytest.approx(found.per_dyad, abs=1e-6)


def test_group_order_does_not_matter(world: PlainDyads, found: Contributions) -> None:
    turned = share_out(world, dict(reversed(GROUPS.items())))
    expected = found.table.set_index("group")
    again = turned.table.set_index("group").loc[expected.index]
    pd.testing.assert_frame_equal(again, expected, rtol=1e-5, atol=1e-8)


def test_equal_weights_change_nothing(world: PlainDyads, found: Contributions) -> None:
    halved = share_out(world, weights=np.full(len(world.outcome), 0.5))
    assert halved.table["shapley"].to_numpy() == pytest.approx(
        found.table["shapley"].to_numpy(), abs=1e-6
    )


def test_noise_gets_nothing_on_average_and_its_interval_says_so() -> None:
    """80 worlds of 300 dyads with two features of noise.

    Their value is 0 in expectation, and a 95 % interval misses 0 in 4 of 80; more than 9 has
    p < .02 even then. Left uncorrected it would be −2 / (training dyads), far from 0.
    """
    values, missed, costs = [], 0, []
    for seed in range(80):
        one = draw_dyads(seed, ["told", "x", "y"], {"told": 0.8}, size=300, accounts=90)
        row = share_out(one, {"A": ["told"], "B": ["x", "y"]}).table.loc[1]
        values.append(row["shapley"])
        missed += not row["ci_low"] <= 0 <= row["ci_high"]
        costs.append(np.mean(2 / one.split.train.sum(axis=1)[one.split.cell]))
    noise = np.std(values) / np.sqrt(80)
    assert abs(np.mean(values)) < 3 * noise < np.mean(costs)
    assert missed <= 9


def test_no_percentages_of_nothing() -> None:
    one = draw_dyads(3, NAMES, {}, size=400)
    found = share_out(one)
    assert found.total[1] <= 0
    assert found.table["share"].isna().all()


# --- which rows ------------------------------------------------------------------------------


def test_unknown_values_are_left_out_and_counted(world: PlainDyads) -> None:
    features = world.features.copy()
    features.loc[:9, "n"] = np.nan
    found = share_out(replace(world, features=features))
    assert found.rows.tolist() == list(range(10, 1500))
    assert found.notes[-1].startswith("10 of 1,500 dyads were left out")
    kept = share_out(world.take(np.arange(10, 1500)))
    pd.testing.assert_frame_equal(found.table, kept.table)


def test_a_segment_is_a_mean_of_its_dyads(world: PlainDyads, found: Contributions) -> None:
    """Dyads in which the ratio says much carry more of its contribution than the rest."""
    told = np.abs(world.features["r1"].to_numpy()[found.rows]) > 1.5
    assert found.per_dyad[told, 0].mean() > 3 * found.per_dyad[~told, 0].mean()


def test_a_cell_whose_training_dyads_are_alike_says_nothing(world: PlainDyads) -> None:
    train = world.split.train.copy()
    first = world.split.cell[0]
    train[first] &= world.outcome == 0
    found = share_out(replace(world, split=replace(world.split, train=train)))
    inside = found.tested.group == first
    assert (found.per_dyad[inside] == 0).all()
    assert (found.per_dyad[~inside] != 0).any(axis=1).all()


# --- groups by factor ------------------------------------------------------------------------


def test_every_catalogue_feature_has_one_home() -> None:
    groups = group_by_factor(CATALOGUE)
    assert sorted(chain.from_iterable(groups.values())) == sorted(CATALOGUE)
    assert list(groups) == sorted(groups)
    for label, names in groups.items():
        assert {CATALOGUE[name].claim[0] for name in names} == {label[0]}


# --- bad input -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("groups", "says"),
    [
        ({f"g{k}": [f"x{k}"] for k in range(11)}, "between 1 and 10"),
        ({"a": ["r1"], "b": ["rr2"]}, "did you mean r2"),
        ({"a": ["r1"], "b": ["r1"]}, "'r1' comes twice"),
        ({"a": []}, "at least one column"),
        ({"a": "r1"}, "at least one column"),
    ],
)
def test_bad_groups(world: PlainDyads, groups: Any, says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        share_out(world, groups)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"outcome": np.zeros(3)}, "same number of rows; got features 1,500, outcome 3"),
        ({"outcome": np.full(1500, 2.0)}, "outcome: must be 0 or 1; 1,500"),
        ({"weights": np.zeros(1500)}, "weights: must be finite and above 0"),
    ],
)
def test_bad_rows(world: PlainDyads, change: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        share_out(world, **change)


def test_infinite_values_are_named(world: PlainDyads) -> None:
    features = world.features.copy()
    features.loc[4, "t"] = np.inf
    with pytest.raises(InputError, match="t holds an infinite one"):
        share_out(replace(world, features=features))


def test_nothing_to_share(world: PlainDyads) -> None:
    with pytest.raises(CannotFitError, match="all dyads have the same outcome"):
        share_out(replace(world, outcome=np.ones(1500)))
    with pytest.raises(CannotFitError, match="none of the 1,500 tested dyads"):
        share_out(replace(world, features=world.features.assign(n=np.nan)))
    nobody = replace(world.split, train=np.zeros_like(world.split.train))
    with pytest.raises(CannotFitError, match="no training dyad"):
        share_out(replace(world, split=nobody))


def test_unknown_feature_is_suggested() -> None:
    with pytest.raises(ParameterError, match="did you mean decider_ratio_log"):
        find_entry("decider_ratio_lg")
