"""Odds ratios, marginal effects and influence against published numbers and finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from followkit.effects import average_marginal_effects, leave_one_decider_out, odds_ratios
from followkit.errors import InputError
from followkit.logit import expit
from followkit.model import FollowBackModel, fit_follow_back


def make_data(seed: int = 0, n: int = 800, count: int = 60) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    a = rng.integers(0, count, n)
    b = (a + rng.integers(1, count, n)) % count
    x = rng.normal(size=n)
    table = pd.DataFrame({"x": x, "x_squared": x**2, "flag": (rng.random(n) < 0.3).astype(float)})
    p = expit(0.5 * x - 0.3 * x**2 + 0.8 * table["flag"].to_numpy() - 0.5)
    y = (rng.random(n) < p).astype(int)
    return {"features": table, "outcome": y, "initiator": a, "decider": b}


def fit(data: dict[str, Any], **options: Any) -> FollowBackModel:
    return fit_follow_back(**{**data, **options})


def spector(copies: int) -> FollowBackModel:
    """Fit the published example, copied so that it has events enough for a model."""
    import statsmodels.api as sm

    data = sm.datasets.spector.load_pandas()
    x = pd.concat([data.exog[["GPA", "TUCE", "PSI"]]] * copies, ignore_index=True)
    ids = np.arange(len(x))
    return fit_follow_back(
        x, np.tile(data.endog, copies), initiator=ids, decider=ids + len(x),
        covariance="classical", penalty="none",
    )  # fmt: skip


# --- published numbers -----------------------------------------------------------------------


def test_marginal_effects_spector() -> None:
    """.362581 (.109439), .012208 (.017799), and PSI from 0 to 1: .357515 (.142003)."""
    table = average_marginal_effects(spector(4), {}).set_index("term")
    effects = table.loc[["GPA", "TUCE", "PSI"], "effect"].to_numpy()
    assert effects == pytest.approx([0.362581, 0.012208, 0.357515], abs=2e-6)
    errors = table.loc[["GPA", "TUCE", "PSI"], "std_error"].to_numpy()
    # Four copies of each row halve the error and change nothing else.
    assert 2 * errors == pytest.approx([0.109439, 0.017799, 0.142003], abs=5e-6)


def test_odds_ratios_spector() -> None:
    table = odds_ratios(spector(2), {"GPA": 0.1}).set_index("term")
    assert table.loc["GPA", "odds_ratio"] == pytest.approx(np.exp(0.282611), rel=1e-6)
    assert table.loc["PSI", "odds_ratio"] == pytest.approx(np.exp(2.37869), rel=1e-5)
    assert table.loc["GPA", "step"] == 0.1
    assert "intercept" not in table.index


# --- identities ------------------------------------------------------------------------------


def test_odds_ratio_of_one_flag_is_the_cross_product() -> None:
    data = make_data(1)
    flag, y = data["features"]["flag"].to_numpy(), data["outcome"]
    model = fit(data, names=["flag"])
    yes, no = y[flag == 1].mean(), y[flag == 0].mean()
    found = odds_ratios(model, {}).loc[0, "odds_ratio"]
    assert found == pytest.approx(yes / (1 - yes) / (no / (1 - no)))
    effect = average_marginal_effects(model, {}).loc[0, "effect"]
    assert effect == pytest.approx(yes - no)


def shifted_mean(model: FollowBackModel, data: dict[str, Any], by: float, beta: Any) -> float:
    """Mean probability when x moves `by`, its square with it, written without the module."""
    table = data["features"].copy()
    table["x"] = table["x"] + by
    table["x_squared"] = table["x"] ** 2
    design = np.column_stack([np.ones(len(table)), table[list(model.names)]])
    return float(expit(design @ beta).mean())


def test_a_feature_and_its_square_move_together() -> None:
    data = make_data(2)
    model = fit(data)
    table = average_marginal_effects(model, {"x": 0.5}).set_index("term")
    assert list(table.index) == ["x", "flag"]
    h = 1e-5
    slope = [shifted_mean(model, data, by, model.beta) for by in (h, -h)]
    assert table.loc["x", "effect"] == pytest.approx(
        0.5 * (slope[0] - slope[1]) / (2 * h), rel=1e-6
    )


def test_delta_method_against_finite_differences() -> None:
    data = make_data(3)
    model = fit(data)
    h, k = 1e-4, 1e-4

    def effect(beta: Any) -> float:
        up, down = (shifted_mean(model, data, by, beta) for by in (h, -h))
        return (up - down) / (2 * h)

    steps = np.eye(len(model.beta)) * k
    gradient = [(effect(model.beta + s) - effect(model.beta - s)) / (2 * k) for s in steps]
    expected = np.sqrt(np.array(gradient) @ model.covariance @ gradient)
    found = average_marginal_effects(model, {}).set_index("term").loc["x", "std_error"]
    assert found == pytest.approx(expected, rel=1e-4)


def test_delta_method_against_draws() -> None:
    """The error of a 0 to 1 change is the spread of that change over drawn coefficients."""
    data = make_data(4, n=3000, count=200)
    model = fit(data)
    draws = np.random.default_rng(0).multivariate_normal(model.beta, model.covariance, 1500)
    design = np.column_stack([np.ones(3000), data["features"][list(model.names)]])
    one, zero, place = design.copy(), design.copy(), 1 + model.names.index("flag")
    one[:, place], zero[:, place] = 1, 0
    changes = (expit(draws @ one.T) - expit(draws @ zero.T)).mean(axis=1)
    found = average_marginal_effects(model, {}).set_index("term").loc["flag", "std_error"]
    assert found == pytest.approx(changes.std(), rel=0.08)


def test_steps_scale_effects_and_leave_evidence_alone() -> None:
    model = fit(make_data(5))
    one, ten = (odds_ratios(model, {"x": step}).set_index("term").loc["x"] for step in (1, 10))
    assert np.log(ten["odds_ratio"]) == pytest.approx(10 * np.log(one["odds_ratio"]))
    assert np.log(ten["ci_low"]) == pytest.approx(10 * np.log(one["ci_low"]))
    assert ten["p_value"] == one["p_value"]
    effects = [average_marginal_effects(model, {"x": s}).set_index("term") for s in (1, 10)]
    for column in ("effect", "std_error", "effect_low", "effect_high"):
        assert effects[1].loc["x", column] == pytest.approx(10 * effects[0].loc["x", column])


def test_intervals_hold_the_estimate() -> None:
    model = fit(make_data(6))
    ratios, effects = odds_ratios(model, {}), average_marginal_effects(model, {})
    assert ratios["odds_ratio"].between(ratios["ci_low"], ratios["ci_high"]).all()
    assert effects["effect"].between(effects["effect_low"], effects["effect_high"]).all()


def test_ridge_gives_effects_without_errors() -> None:
    model = fit(make_data(7), penalty="ridge")
    effects = average_marginal_effects(model, {})
    assert effects["effect"].notna().all()
    assert effects[["std_error", "effect_low", "effect_high"]].isna().all(axis=None)
    assert odds_ratios(model, {})[["ci_low", "ci_high", "p_value"]].isna().all(axis=None)


def test_no_odds_ratio_of_e_to_the_24th() -> None:
    data = make_data(8)
    data["features"] = data["features"].assign(alone=(np.arange(800) < 25).astype(float))
    data["outcome"][:25] = 1
    assert odds_ratios(fit(data), {})["odds_ratio"].max() < np.exp(12)


# --- influence -------------------------------------------------------------------------------


def test_leaving_out_a_decider_is_close_to_the_refit() -> None:
    data = make_data(9, n=1500)
    model = fit(data)
    table = leave_one_decider_out(model, data["decider"]).set_index("decider_id")
    for decider in table.index[:5]:
        rest = data["decider"] != decider
        part = fit({key: value[rest] for key, value in data.items()})
        assert table.loc[decider, "rate"] == pytest.approx(data["outcome"][rest].mean())
        found = table.loc[decider, list(model.names)].to_numpy(float)
        assert found == pytest.approx(part.beta[1:], abs=0.01)


def test_deciders_of_other_rows_are_refused() -> None:
    data = make_data(12)
    with pytest.raises(InputError, match="800 rows used in the fit"):
        leave_one_decider_out(fit(data), data["decider"][:-1])


def test_decider_counts_add_up_and_the_busiest_comes_first() -> None:
    data = make_data(10)
    table = leave_one_decider_out(fit(data), data["decider"])
    assert table["dyad_count"].sum() == 800
    assert table["answer_count"].sum() == data["outcome"].sum()
    assert table["answer_count"].is_monotonic_decreasing
    assert table["decider_id"].is_unique


def test_a_decider_who_owns_the_result_stands_out() -> None:
    """One decider answers only where x is high: without them the slope is smaller."""
    data = make_data(11)
    mine = data["decider"] == 5
    x = data["features"]["x"].to_numpy()
    data["decider"] = np.where(np.arange(800) < 150, 5, data["decider"])
    data["initiator"] = np.where(data["initiator"] == 5, 6, data["initiator"])
    data["initiator"] = np.where(data["initiator"] == data["decider"], 70, data["initiator"])
    mine = data["decider"] == 5
    data["outcome"] = np.where(mine, (x > 0.3).astype(int), data["outcome"])
    model = fit(data, names=["x"])
    table = leave_one_decider_out(model, data["decider"]).set_index("decider_id")
    moved = (table["x"] - model.beta[1]).abs()
    assert moved.idxmax() == 5
    assert table.loc[5, "x"] < model.beta[1]
