"""Odds ratios, marginal effects and influence: identities, differences, simulation, refits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from followkit.effects import (
    average_marginal_effects,
    leave_one_account_out,
    odds_ratios,
)
from followkit.errors import InputError, ParameterError
from followkit.logit import expit
from followkit.model import FollowBackModel, fit_follow_back
from followkit.sampling import fit_case_control


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


# --- simulation and bad data -----------------------------------------------------------------


def test_the_average_effect_is_recovered() -> None:
    """Sixty runs of independent dyads; the truth is E[p(1 − p)] · β and E[P(1) − P(0)] of all."""
    beta = {"x": 0.9, "flag": -0.7}
    rng = np.random.default_rng(0)
    x = rng.normal(size=1_000_000)
    flag = rng.random(1_000_000) < 0.3
    p = expit(-0.5 + beta["x"] * x + beta["flag"] * flag)
    with_flag = expit(-0.5 + beta["x"] * x + beta["flag"])
    truth = {"x": float((p * (1 - p)).mean() * beta["x"]),
             "flag": float((with_flag - expit(-0.5 + beta["x"] * x)).mean())}  # fmt: skip
    effects, errors = [], []
    for run in range(60):
        rng, ids = np.random.default_rng(100 + run), np.arange(1_200)
        table = pd.DataFrame({"x": rng.normal(size=1_200), "flag": rng.random(1_200) < 0.3})
        table = table.astype(float)
        chance = expit(-0.5 + table.to_numpy() @ list(beta.values()))
        y = (rng.random(1_200) < chance).astype(int)
        model = fit_follow_back(table, y, initiator=ids, decider=ids + 1_200)
        found = average_marginal_effects(model, {}).set_index("term")
        effects.append(found["effect"])
        errors.append(found["std_error"])
    every = pd.DataFrame(effects)
    for name, value in truth.items():
        assert abs(every[name].mean() - value) < 3 * every[name].std() / np.sqrt(60)
        # The errors say how far estimates scatter: an SD of 60 runs is known to a tenth.
        assert pd.DataFrame(errors)[name].mean() == pytest.approx(every[name].std(), rel=0.3)


def test_steps_are_numbers_other_than_zero() -> None:
    model = fit(make_data(5))
    for step in (0.0, float("nan"), float("inf")):
        for function in (odds_ratios, average_marginal_effects):
            with pytest.raises(ParameterError, match="x needs a finite step other than 0"):
                function(model, {"x": step})


def test_a_step_down_turns_the_interval_round() -> None:
    model = fit(make_data(5))
    up, down = (odds_ratios(model, {"x": step}).set_index("term").loc["x"] for step in (2, -2))
    assert down["odds_ratio"] == pytest.approx(1 / up["odds_ratio"])
    assert (down["ci_low"], down["ci_high"]) == pytest.approx((1 / up["ci_high"], 1 / up["ci_low"]))
    effect = average_marginal_effects(model, {"x": -2}).set_index("term").loc["x"]
    assert effect["effect_low"] < effect["effect"] < effect["effect_high"]


# --- influence -------------------------------------------------------------------------------


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
    table = leave_one_account_out(model).set_index("account_id")
    moved = (table["x"] - model.beta[1]).abs()
    assert moved.idxmax() == 5
    assert table.loc[5, "x"] < model.beta[1]


def test_leaving_out_an_account_is_close_to_the_refit() -> None:
    data = make_data(13, n=1500)
    model = fit(data)
    table = leave_one_account_out(model).set_index("account_id")
    assert table["initiated_count"].sum() == table["received_count"].sum() == 1500
    assert table["answer_count"].sum() == 2 * data["outcome"].sum()
    for account in table.index[:5]:
        rest = (data["initiator"] != account) & (data["decider"] != account)
        part = fit({key: value[rest] for key, value in data.items()})
        assert table.loc[account, "rate"] == pytest.approx(data["outcome"][rest].mean())
        found = table.loc[account, list(model.names)].to_numpy(float)
        assert found == pytest.approx(part.beta[1:], abs=0.015)


def test_an_account_in_all_dyads_cannot_be_left_out() -> None:
    data = make_data(14)
    data["initiator"], data["decider"] = np.full(800, 99), 100 + np.arange(800)
    table = leave_one_account_out(fit(data)).set_index("account_id")
    assert table.index[0] == 99
    assert table.loc[99, ["rate", "x"]].isna().all()
    assert table.loc[100:, ["rate", "x"]].notna().all(axis=None)


def test_accounts_of_a_sample_are_refused() -> None:
    data = make_data(15)
    rare = {**data, "outcome": data["outcome"] * (np.arange(800) % 4 == 0)}
    model = fit_case_control(**rare, controls_per_case=1, seed=1, names=["x"])
    with pytest.raises(InputError, match="fitted to a sample of"):
        leave_one_account_out(model)
