"""Verdicts: planted claims come out as planted, null ones seldom, and Holm's rule as published."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from followkit.contrasts import joint_wald
from followkit.dyads import DyadSet
from followkit.errors import ParameterError
from followkit.features import FeatureTable
from followkit.features.claim import Claim
from followkit.logit import expit
from followkit.model import fit_follow_back
from followkit.shapes import find_peak, inverted_u_test
from followkit.verdicts import adjust_holm, judge_claims

SUPPORTED = Claim("3a", "Selective deciders answer less.", -1, ("decider_ratio_log",))
AGAINST = Claim("5a", "Frequent posting helps.", 1, ("initiator_posts_per_week_log",))
NOTHING = Claim("2a", "Matching topics help.", 1, ("dyad_topic_cosine",))
JOINT = Claim("4c", "Contact helps.", 1, ("dyad_acts_from_decider_log", "decider_actions_log"))
ABSENT = Claim("6e", "Reading metrics helps.", 1, ("dyad_bio_cosine",))
NEVER = Claim("9d", "Paid targeting helps.", 1, (), "none", needs="advertising records")
CLAIMS = (SUPPORTED, AGAINST, NOTHING, JOINT, ABSENT, NEVER)
COLUMNS = (
    "decider_ratio_log", "initiator_posts_per_week_log", "dyad_topic_cosine",
    "dyad_acts_from_decider_log", "decider_actions_log",
)  # fmt: skip


def make_data(
    seed: int, effects: dict[str, float], *, accounts: int = 150, n: int = 4_000
) -> tuple[FeatureTable, DyadSet]:
    """Return random features and answers that depend on them, and on habits of both sides."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, accounts, n)
    b = (a + rng.integers(1, accounts, n)) % accounts
    values = pd.DataFrame({name: rng.normal(size=n) for name in COLUMNS})
    linear = -0.5 + sum((effect * values[name] for name, effect in effects.items()), np.zeros(n))
    habits = 0.4 * rng.normal(size=accounts)[a] + 0.4 * rng.normal(size=accounts)[b]
    outcome = (rng.random(n) < expit(np.asarray(linear) + habits)).astype(int)
    table = pd.DataFrame(
        {"dyad_id": np.arange(n), "initiator_id": a, "decider_id": b, "at": pd.NaT,
         "outcome": outcome, "fold": 0, "weight": 1.0, "state": "one_way"}
    )  # fmt: skip
    missing = pd.DataFrame(
        [("dyad_bio_cosine", "2b", "needs accounts with bio")],
        columns=["feature", "claim", "reason"],
    )
    dyads = DyadSet("mutuality", table, pd.DataFrame(), None, "snapshot", None, False)
    return FeatureTable(values, missing), dyads


def judge(seed: int, effects: dict[str, float], **options: float) -> pd.DataFrame:
    return judge_claims(CLAIMS, *make_data(seed, effects), **options).set_index("claim")


def test_planted_contrasts_get_their_verdicts() -> None:
    effects = {"decider_ratio_log": -0.5, "initiator_posts_per_week_log": -0.4,
               "dyad_acts_from_decider_log": 0.4, "decider_actions_log": 0.4}  # fmt: skip
    table = judge(1, effects)
    assert table["verdict"].to_dict() == {
        "3a": "supported", "5a": "contradicted", "2a": table.loc["2a", "verdict"],
        "4c": "supported", "6e": "not measurable", "9d": "not measurable",
    }  # fmt: skip
    assert table.loc["2a", "verdict"] in ("undecided", "negligible")
    assert table.loc["6e", "reason"] == "needs accounts with bio"
    assert "advertising records" in table.loc["9d", "reason"]
    # Habits pull marginal slopes towards 0 by about 1/√(1 + 0.346·0.32) = .95.
    step = np.log(2)
    assert table.loc["3a", "estimate"] == pytest.approx(-0.475 * step, abs=0.1)
    assert table.loc["3a", "ci_low"] < table.loc["3a", "odds_ratio"] < table.loc["3a", "ci_high"]


def test_nothing_is_negligible_where_data_are_many_and_the_bound_is_wide() -> None:
    table = judge(2, {}, delta=0.2)
    assert set(table.loc[["3a", "5a", "2a"], "verdict"]) == {"negligible"}


def test_null_claims_are_seldom_judged() -> None:
    """Holm holds the chance of any false verdict in a world at 5 %: of 40, six or fewer (99 %)."""
    false = sum(
        judge_claims(CLAIMS, *make_data(seed, {}, accounts=80, n=1_200))["verdict"]
        .isin(["supported", "contradicted"])
        .any()
        for seed in range(100, 140)
    )
    assert false <= 6


def test_holm_is_that_of_statsmodels() -> None:
    p = [0.001, 0.04, 0.03, 0.005, 0.6]
    np.testing.assert_allclose(adjust_holm(p), multipletests(p, method="holm")[1], rtol=1e-12)


def test_joint_wald_is_the_quadratic_form_by_hand() -> None:
    features, dyads = make_data(3, {"decider_actions_log": 0.3})
    table = dyads.table
    names = ["dyad_acts_from_decider_log", "decider_actions_log"]
    model = fit_follow_back(features.values, table["outcome"], initiator=table["initiator_id"],
                            decider=table["decider_id"], names=names)  # fmt: skip
    from scipy import stats

    part, matrix = model.beta[1:], model.covariance[1:, 1:]
    form = float(part @ np.linalg.inv(matrix) @ part) / 2
    expected = stats.f.sf(form, 2, model.degrees_of_freedom)
    lines = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert joint_wald(model, lines) == pytest.approx(expected, rel=1e-9)


def test_too_few_answers_give_no_verdict() -> None:
    features, dyads = make_data(4, {}, accounts=60, n=60)
    table = judge_claims(CLAIMS[:3], features, dyads)
    assert set(table["verdict"]) == {"too little data"}
    assert table["p_holm"].isna().all()


def test_order_and_names_of_rows_do_not_matter() -> None:
    features, dyads = make_data(5, {"decider_ratio_log": -0.3}, n=1_500)
    before = judge_claims(CLAIMS, features, dyads)
    order = np.random.default_rng(0).permutation(len(dyads.table))
    table = dyads.table.iloc[order].reset_index(drop=True)
    table = table.assign(initiator_id=table["initiator_id"] + 7, decider_id=table["decider_id"] + 7)
    moved = DyadSet("mutuality", table, pd.DataFrame(), None, "snapshot", None, False)
    values = features.values.iloc[order]
    after = judge_claims(CLAIMS, FeatureTable(values, features.missing), moved)
    assert before["verdict"].tolist() == after["verdict"].tolist()
    np.testing.assert_allclose(before["p_value"], after["p_value"], rtol=1e-7)


def test_a_claim_that_comes_twice_is_refused() -> None:
    features, dyads = make_data(6, {}, n=500)
    with pytest.raises(ParameterError, match="3a"):
        judge_claims([SUPPORTED, SUPPORTED], features, dyads)


def test_fieller_interval_is_where_the_slope_is_not_told_from_nothing() -> None:
    """Inverted by brute force: x is inside unless |β₁ + 2 β₂ x| exceeds t times its error."""
    from scipy import stats

    beta, matrix = np.array([0.8, -0.5]), np.array([[0.01, -0.002], [-0.002, 0.006]])
    peak, low, high = find_peak(beta, matrix, 30.0, 0.95)
    grid = np.linspace(-5, 10, 150_001)
    slope = beta[0] + 2 * beta[1] * grid
    error = np.sqrt(matrix[0, 0] + 4 * grid * matrix[0, 1] + 4 * grid**2 * matrix[1, 1])
    inside = grid[np.abs(slope) <= stats.t.ppf(0.975, 30) * error]
    assert peak == pytest.approx(0.8)
    assert (low, high) == pytest.approx((inside.min(), inside.max()), abs=2e-4)


@pytest.mark.parametrize(("bend", "is_u"), [(-0.6, True), (0.0, False)])
def test_an_inverted_u_is_found_where_it_is_planted(bend: float, is_u: bool) -> None:
    rng = np.random.default_rng(8)
    x = rng.normal(size=3_000)
    y = (rng.random(3_000) < expit(0.5 * x + bend * x**2)).astype(int)
    ids = np.arange(3_000)
    model = fit_follow_back(pd.DataFrame({"r": x, "r_squared": x**2}), y, initiator=ids,
                            decider=ids + 3_000)  # fmt: skip
    shape = inverted_u_test(model, "r")
    assert (shape.p_value < 0.01) == is_u
    assert shape.is_interior == is_u
