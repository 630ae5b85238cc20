"""Carriers: brute force over all pairs of dyads, planted habits, nothing where there is none."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from plain_dyads import PlainDyads, draw_dyads
from scipy.special import expit

from followkit import covariance as cov
from followkit.carriers import (
    RELATIONS,
    Carriers,
    compare_deciders,
    decompose_carriers,
    measure_comovement,
)
from followkit.errors import InputError, ParameterError

NAMES = [
    "decider_ratio_log", "dyad_topic_cosine", "initiator_ratio_log", "initiator_posts_per_week_log",
]  # fmt: skip
SLOPES = {"decider_ratio_log": -0.9, "dyad_topic_cosine": 0.6, "initiator_ratio_log": 0.3}
CONTROLLABLE = ("initiator_posts_per_week_log", "dyad_topic_cosine")


def decompose(world: PlainDyads, **options: Any) -> Carriers:
    return decompose_carriers(**{**world.parts, **options})


@pytest.fixture(scope="module")
def world() -> PlainDyads:
    return draw_dyads(0, NAMES, SLOPES, size=2500, accounts=250, decider_sd=0.8)


@pytest.fixture(scope="module")
def found(world: PlainDyads) -> Carriers:
    return decompose(world, controllable=CONTROLLABLE)


# --- pairs of dyads by brute force -----------------------------------------------------------


def small_case(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, cov.Accounts]:
    """Dyads among nine accounts: both directions, and some pairs more than once."""
    rng = np.random.default_rng(seed)
    initiator = rng.integers(0, 9, 60)
    decider = (initiator + rng.integers(1, 9, 60)) % 9
    p = rng.uniform(0.1, 0.9, 60)
    residual = (rng.random(60) < p) - p
    return residual, p * (1 - p), rng.choice([0.5, 1.0], 60), cov.code_accounts(initiator, decider)


def stand_in_relation(ends: cov.Accounts, d: int, e: int, relation: str) -> bool:
    if ends.pair[d] == ends.pair[e]:
        return False
    one = {"same decider": ends.decider, "same initiator": ends.initiator}
    first = one.get(relation, ends.initiator)
    return bool(first[d] == one.get(relation, ends.decider)[e])


def brute_force(case: tuple[Any, ...], relation: str, without: set[int]) -> dict[str, float]:
    """Sums over all ordered pairs of dyads, none of which touches every account in `without`."""
    r, q, w, ends = case
    sums = {"above": 0.0, "below": 0.0, "squared": 0.0, "count": 0.0}
    for d, e in permutations(range(len(r)), 2):
        touched = {ends.initiator[d], ends.decider[d], ends.initiator[e], ends.decider[e]}
        in_one = [{ends.initiator[k], ends.decider[k]} >= without for k in (d, e)]
        left_out = any(in_one) if len(without) == 2 else bool(without) and without <= touched
        if stand_in_relation(ends, d, e, relation) and not left_out:
            sums["above"] += w[d] * w[e] * r[d] * r[e]
            sums["below"] += w[d] * w[e]
            sums["squared"] += w[d] * w[e] * q[d] * q[e]
            sums["count"] += 1
    return sums


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("seed", [1, 2])
def test_sums_by_account_equal_all_pairs_of_dyads(seed: int, relation: str) -> None:
    case = small_case(seed)
    residual, variance, weight, ends = case
    row = measure_comovement(residual, variance, ends, weights=weight).set_index("relation")
    row = row.loc[relation]
    sums = brute_force(case, relation, set())
    covariance = sums["above"] / sums["below"]
    assert row["covariance"] == pytest.approx(covariance, abs=1e-10)
    scale = np.average(variance, weights=weight)
    assert row["icc"] == pytest.approx(covariance / scale, abs=1e-10)
    is_one_role = relation.startswith("same")
    assert row["pair_count"] == sums["count"] / (2 if is_one_role else 1)
    if is_one_role:
        squared = max(sums["above"] / sums["squared"], 0.0)
        assert row["log_odds_sd"] == pytest.approx(np.sqrt(squared), abs=1e-10)
    else:
        assert np.isnan(row["log_odds_sd"])


def test_interval_equals_leaving_accounts_out_one_by_one() -> None:
    """Accounts less pairs of accounts, each by its own recount; t with the effective accounts."""
    case = small_case(1)
    ends = case[3]
    table = measure_comovement(case[0], case[1], ends, weights=case[2]).set_index("relation")
    for relation in ("same decider", "initiator of one decides the other"):
        value = table.loc[relation, "covariance"]

        def move(without: set[int], relation: str = relation, value: float = value) -> float:
            sums = brute_force(case, relation, without)
            return sums["above"] / sums["below"] - value

        accounts = sum(move({who}) ** 2 for who in range(9)) * 8 / 9
        pairs = sum(move({one, two}) ** 2 for one in range(9) for two in range(one))
        variance = accounts - pairs if accounts > pairs else accounts
        from scipy import stats

        reach = stats.t.ppf(0.975, ends.degrees_of_freedom) * np.sqrt(variance)
        assert table.loc[relation, "ci_high"] - value == pytest.approx(reach, abs=1e-10)


# --- planted habits --------------------------------------------------------------------------


def truth_of(sd: float, base: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return p, p(1 − p), and the mean covariance of two answers of a decider, by quadrature."""
    nodes, weight = np.polynomial.hermite_e.hermegauss(40)
    given = expit(base[:, None] + sd * nodes)
    weight = weight / weight.sum()
    p = given @ weight
    return p, p * (1 - p), float((given.mean(axis=0) ** 2) @ weight - p.mean() ** 2)


def draw_habits(
    seed: int, sd: float, role: str = "decider"
) -> tuple[np.ndarray, np.ndarray, cov.Accounts, float]:
    """Return residuals of dyads of which one role has its own log odds, and their covariance."""
    rng = np.random.default_rng(seed)
    initiator = rng.integers(0, 150, 2000)
    decider = (initiator + rng.integers(1, 150, 2000)) % 150
    base = rng.normal(-0.8, 0.6, 2000)
    p, q, covariance = truth_of(sd, base)
    own = sd * rng.normal(size=150)[decider if role == "decider" else initiator]
    y = rng.random(2000) < expit(base + own)
    return y - p, q, cov.code_accounts(initiator, decider), covariance


def repeat(sd: float, role: str, column: str, relation: str, seeds: int = 40) -> np.ndarray:
    tables = (measure_comovement(*draw_habits(s, sd, role)[:3]) for s in range(seeds))
    return np.array([table.set_index("relation").loc[relation, column] for table in tables])


def error_of(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values)))


@pytest.mark.parametrize("role", ["decider", "initiator"])
def test_a_planted_habit_is_recovered(role: str) -> None:
    """Covariance against quadrature; the log odds scale is a delta method, a little low."""
    truth = np.mean([draw_habits(seed, 0.6, role)[3] for seed in range(40)])
    found = repeat(0.6, role, "covariance", f"same {role}")
    assert abs(found.mean() - truth) < 3 * error_of(found)
    spread = repeat(0.6, role, "log_odds_sd", f"same {role}")
    assert -0.06 - 3 * error_of(spread) < spread.mean() - 0.6 < 3 * error_of(spread)
    other = "initiator" if role == "decider" else "decider"
    silent = repeat(0.6, role, "covariance", f"same {other}")
    assert abs(silent.mean()) < 3 * error_of(silent)


def test_intervals_cover_the_planted_covariance() -> None:
    """95 % intervals that miss more than 7 times in 40 have p < .005."""
    truth = np.mean([draw_habits(seed, 0.6)[3] for seed in range(40)])
    low, high = (repeat(0.6, "decider", side, "same decider") for side in ("ci_low", "ci_high"))
    assert ((truth < low) | (truth > high)).sum() <= 7


@pytest.mark.parametrize("relation", RELATIONS)
def test_independent_dyads_do_not_move_together(relation: str) -> None:
    found = repeat(0.0, "decider", "icc", relation)
    low, high = (repeat(0.0, "decider", side, relation) for side in ("icc_low", "icc_high"))
    assert abs(found.mean()) < 3 * error_of(found)
    assert ((low > 0) | (high < 0)).sum() <= 7


def test_one_temper_in_both_roles_shows_in_the_third_relation() -> None:
    rng = np.random.default_rng(3)
    initiator = rng.integers(0, 150, 4000)
    decider = (initiator + rng.integers(1, 150, 4000)) % 150
    temper = rng.normal(size=150)
    p = 0.5
    y = rng.random(4000) < expit(0.8 * (temper[decider] + temper[initiator]))
    table = measure_comovement(y - p, np.full(4000, 0.25), cov.code_accounts(initiator, decider))
    assert (table["icc_low"] > 0.02).all()


# --- the decomposition -----------------------------------------------------------------------


def test_shares_add_up(found: Carriers) -> None:
    shares = found.shares.set_index("carrier")
    for column in ("deviance", "share"):
        sides = shares.loc[["initiator", "decider", "pair"], column].sum()
        assert sides == pytest.approx(shares.loc["explained", column], abs=1e-12)
    both = shares.loc[["explained", "unexplained"], "share"]
    assert both.sum() == pytest.approx(1.0)
    assert shares["feature_count"].tolist() == [2, 1, 1, 4, 0, 2]


def test_the_planted_carrier_comes_first(found: Carriers) -> None:
    shares = found.shares.set_index("carrier")
    sides = shares.loc[["initiator", "decider", "pair"]]
    assert sides["share"].idxmax() == "decider"
    assert sides["share"].idxmin() == "initiator"
    # Topics are under the initiator's control, posting says nothing: the second cut finds the pair.
    assert shares.loc["controllable", "share"] == pytest.approx(
        shares.loc["pair", "share"], abs=0.01
    )


def test_habit_beyond_the_features_is_found(found: Carriers) -> None:
    table = found.comovement.set_index("relation")
    assert table.loc["same decider", "icc_low"] > 0.03
    assert table.loc["same decider", "sd_low"] < 0.8 < table.loc["same decider", "sd_high"] + 0.1
    assert table.loc["same initiator", "icc_low"] < 0.01
    seldom, middle, often = found.deciders["probability"]
    assert often - middle > 0.1
    assert middle - seldom > 0.1


def test_no_habit_where_none_was_planted() -> None:
    """Out-of-fold residuals share the errors of their models, and still hardly move together."""
    found = decompose(draw_dyads(1, NAMES, SLOPES, size=2500, accounts=250))
    assert (found.comovement["icc"].abs() < 0.02).all()
    assert (found.comovement["icc_low"] < 0.005).all()


def test_row_order_and_account_names_do_not_matter(world: PlainDyads, found: Carriers) -> None:
    rows = np.random.default_rng(4).permutation(len(world.outcome))
    moved = world.take(rows)
    names = np.random.default_rng(5).permutation(250)
    moved = replace(moved, initiator=names[moved.initiator], decider=names[moved.decider])
    again = decompose(moved, controllable=CONTROLLABLE)
    pd.testing.assert_frame_equal(again.shares, found.shares, rtol=1e-5, atol=1e-8)
    pd.testing.assert_frame_equal(again.comovement, found.comovement, rtol=1e-5, atol=1e-7)


def test_a_side_without_features_carries_nothing(world: PlainDyads) -> None:
    found = decompose(replace(world, features=world.features[["decider_ratio_log"]]))
    shares = found.shares.set_index("carrier")
    assert (shares.loc[["initiator", "pair", "controllable"], "deviance"] == 0).all()
    assert shares.loc["decider", "deviance"] == shares.loc["explained", "deviance"]


def test_everything_controllable_is_everything_explained(world: PlainDyads) -> None:
    found = decompose(world, controllable=NAMES).shares.set_index("carrier")
    assert found.loc["controllable", "deviance"] == pytest.approx(
        found.loc["explained", "deviance"], abs=1e-7
    )


def test_an_export_is_held_for_its_owner_only() -> None:
    """One account decides everything: its dyads all share it, and nothing gives an interval."""
    rng = np.random.default_rng(6)
    ends = cov.code_accounts(np.arange(1, 401), np.zeros(400, int))
    table = measure_comovement(rng.normal(size=400), np.full(400, 0.25), ends)
    row = table.set_index("relation").loc["same decider"]
    assert row["pair_count"] == 400 * 399 / 2
    assert row[["ci_low", "ci_high"]].isna().all()
    assert table.set_index("relation").loc["same initiator"][["covariance", "icc"]].isna().all()


# --- deciders in words, and bad input --------------------------------------------------------


def test_odds_between_deciders() -> None:
    """One standard deviation multiplies the odds by its exponential: .25 · e^±.7, by hand."""
    table = compare_deciders(0.2, 0.7, 0.4, 1.0)
    odds = table["probability"] / (1 - table["probability"])
    assert odds.tolist() == pytest.approx([0.25 * np.exp(-0.7), 0.25, 0.25 * np.exp(0.7)])
    often = table.loc[2]
    assert often[["ci_low", "ci_high"]].tolist() == pytest.approx(
        [expit(np.log(0.25) + 0.4), expit(np.log(0.25) + 1.0)]
    )
    assert (table["ci_low"] <= table["probability"]).all()


@pytest.mark.parametrize("rate", [0.0, 1.0, np.nan])
def test_a_rate_must_be_a_probability(rate: float) -> None:
    with pytest.raises(ParameterError, match="rate: must lie between 0 and 1"):
        compare_deciders(rate, 1.0)


def test_bad_input(world: PlainDyads) -> None:
    with pytest.raises(ParameterError, match="did you mean dyad_topic_cosine"):
        decompose(world, controllable=["dyad_topic_cosin"])
    with pytest.raises(ParameterError, match="'mystery' is not in the catalogue"):
        decompose(replace(world, features=world.features.assign(mystery=1.0)))
    ends = cov.code_accounts(["a", "b"], ["c", "d"])
    with pytest.raises(InputError, match="got 3, 2, 2 and 2"):
        measure_comovement([0.1, 0.2, 0.3], [0.2, 0.2], ends, weights=[1, 1])
    with pytest.raises(InputError, match="must be known for every dyad"):
        measure_comovement([0.1, np.nan], [0.2, 0.2], ends)
