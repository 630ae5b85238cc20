"""Case-control samples against the fit to all dyads, the formula, and dyads never sampled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import followkit
from followkit.effects import average_marginal_effects
from followkit.errors import CannotFitError, InputError, ParameterError
from followkit.logit import LogitRegression, expit
from followkit.model import fit_follow_back
from followkit.sampling import correct_intercept, fit_case_control, sample_case_control

TRUTH = {"x": 0.8, "z": -0.5}


def make_data(seed: int = 0, n: int = 20_000, base: float = -4.2) -> dict[str, Any]:
    """Independent dyads, about one in fifty answered."""
    rng = np.random.default_rng(seed)
    x = pd.DataFrame({"x": rng.normal(size=n), "z": rng.normal(size=n)})
    y = (rng.random(n) < expit(base + x.to_numpy() @ list(TRUTH.values()))).astype(int)
    return {"features": x, "outcome": y, "initiator": np.arange(n), "decider": np.arange(n) + n}


def make_network(seed: int, n: int = 6_000, count: int = 300, base: float = -3.0) -> dict[str, Any]:
    """Dyads of accounts with habits, so that errors depend on who shares an account."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, count, n)
    b = (a + rng.integers(1, count, n)) % count
    habit = rng.normal(size=(2, count)) * 0.7
    x = pd.DataFrame({"x": rng.normal(size=count)[b] + rng.normal(size=n)})
    p = expit(base + 0.5 * x["x"].to_numpy() + habit[0][a] + habit[1][b])
    y = (rng.random(n) < p).astype(int)
    return {"features": x, "outcome": y, "initiator": a, "decider": b}


# --- against the full fit --------------------------------------------------------------------


def draw_fit(data: dict[str, Any], seed: int, controls: float) -> dict[str, Any]:
    """Return coefficients and variances of the full fit and of a sample, without the module."""
    x, y = data["features"].to_numpy(), data["outcome"]
    drawn = sample_case_control(y, controls_per_case=controls, seed=seed)
    found = []
    for rows in (np.arange(len(y)), drawn.rows):
        fit = LogitRegression().fit(x[rows], y[rows])
        design = np.column_stack([np.ones(len(rows)), x[rows]])
        p = fit.predict_proba(x[rows])[:, 1]
        inverse = np.linalg.inv((design * (p * (1 - p))[:, None]).T @ design)
        found.append((np.r_[fit.intercept_, fit.coef_[0]], np.diag(inverse).copy()))
    (full, v_full), (beta, v_cc) = found
    beta[0] = correct_intercept(beta[0], drawn)
    v_cc[0] -= 1 / (1 - y[drawn.rows]).sum() - 1 / (1 - y).sum()
    p = expit(beta[0] + x @ beta[1:])
    off = (p.mean() - y.mean()) / np.sqrt(y.mean() * (1 - y.mean()) / len(y))
    return {"gap": beta - full, "v_cc": v_cc, "v_full": v_full, "off": off, "beta": beta}


def test_samples_of_one_data_set_stay_near_the_full_fit() -> None:
    """200 samples of 20,000 dyads: gaps within 3 √diag(V_cc − V_full)."""
    data = make_data(1)
    runs = [draw_fit(data, seed, 3) for seed in range(200)]
    gap = np.array([run["gap"] for run in runs])
    v_cc = np.mean([run["v_cc"] for run in runs], axis=0)
    bound = 3 * np.sqrt(v_cc - runs[0]["v_full"])
    assert (np.abs(gap) <= bound).mean() >= 0.99
    model = fit_case_control(
        **data, controls_per_case=3, seed=7, covariance="classical", penalty="none"
    )
    assert model.beta == pytest.approx(runs[7]["beta"], abs=1e-7)
    assert np.diag(model.covariance) == pytest.approx(runs[7]["v_cc"], rel=1e-6)
    rows = model.coefficients
    assert rows["std_error"].to_numpy() == pytest.approx(np.sqrt(runs[7]["v_cc"]), rel=1e-6)
    reach = (rows["ci_high"] - rows["ci_low"]) / rows["std_error"] / 2
    assert reach.to_numpy() == pytest.approx(1.959964, rel=1e-6)


def test_gaps_vary_as_the_difference_of_the_variances() -> None:
    """200 data sets with a sample each: the full fit is efficient, so Var(gap) = V_cc − V_full.

    And the mean of p over all dyads is the rate: within .1 of its standard error on average.
    """
    runs = [draw_fit(make_data(1_000 + k, n=6_000, base=-3.4), k, 3) for k in range(200)]
    gap = np.array([run["gap"] for run in runs])
    spread = np.sqrt(np.mean([run["v_cc"] - run["v_full"] for run in runs], axis=0))
    ratio = gap.std(axis=0) / spread
    assert ((ratio > 0.85) & (ratio < 1.15)).all()  # three errors of an SD of 200
    assert (np.abs(gap.mean(axis=0)) < 3 * spread / np.sqrt(200)).all()
    assert abs(np.mean([run["off"] for run in runs])) < 0.1


def test_the_sample_of_everything_is_the_full_fit() -> None:
    data = make_network(2, n=2_000)
    full, whole = fit_follow_back(**data), fit_case_control(**data, controls_per_case=1e9, seed=1)
    pd.testing.assert_frame_equal(whole.coefficients, full.coefficients)
    assert whole.notes == full.notes


def test_dyads_never_sampled_are_predicted_at_their_rate() -> None:
    """The uncorrected intercept would promise answers several times too often."""
    train, test = make_data(3), make_data(4)
    drawn = sample_case_control(train["outcome"], controls_per_case=1, seed=5)
    model = fit_case_control(**train, controls_per_case=1, seed=5)
    p = model.predict_proba(test["features"])
    error = np.sqrt((p * (1 - p)).sum())
    # Both data sets have their own luck: errors of both rates.
    assert abs(p.sum() - test["outcome"].sum()) < 3 * np.sqrt(2) * error
    line = LogitRegression().fit(np.log(p / (1 - p))[:, None], test["outcome"])
    assert abs(line.coef_[0, 0] - 1) < 0.25
    raw = expit(np.log(p / (1 - p)) + drawn.offset).mean()
    assert raw > 5 * test["outcome"].mean()
    assert model.pipeline.predict_proba(test["features"].to_numpy())[:, 1] == pytest.approx(p)


# --- the formula and identities --------------------------------------------------------------


def test_the_correction_is_king_and_zengs() -> None:
    """Their equation 7 in shares, and the odds of one group written out."""
    y = np.r_[np.ones(40), np.zeros(960)]
    drawn = sample_case_control(y, controls_per_case=2, seed=1)
    t, s = y.mean(), y[drawn.rows].mean()
    expected = 1.3 - np.log((1 - t) / t * s / (1 - s))
    assert correct_intercept(1.3, drawn) == pytest.approx(expected)
    alone = np.log(s / (1 - s))
    assert correct_intercept(alone, drawn) == pytest.approx(np.log(t / (1 - t)))


def test_all_of_the_rarer_and_so_many_of_the_other() -> None:
    y = make_data(6, n=3_000)["outcome"]
    drawn = sample_case_control(y, controls_per_case=2.5, seed=2)
    assert y[drawn.rows].sum() == y.sum()
    assert (1 - y[drawn.rows]).sum() == round(2.5 * y.sum())
    assert (np.diff(drawn.rows) > 0).all()
    assert drawn.refused_rate == pytest.approx(round(2.5 * y.sum()) / (1 - y).sum())


def test_every_refusal_is_as_likely_to_be_drawn() -> None:
    y = np.r_[np.ones(5), np.zeros(20)]
    counts = np.zeros(25)
    for seed in range(2_000):
        counts[sample_case_control(y, controls_per_case=2, seed=seed).rows] += 1
    assert (counts[:5] == 2_000).all()
    assert np.abs(counts[5:] - 1_000).max() < 4.5 * np.sqrt(500)


def test_where_refusals_are_rarer_they_are_the_cases() -> None:
    """Turning the outcome round turns every sign, the intercept's included."""
    data = make_data(7, n=8_000, base=-3)
    turned = {**data, "outcome": 1 - data["outcome"]}
    options: dict[str, Any] = {"controls_per_case": 2, "seed": 3}
    one, two = fit_case_control(**data, **options), fit_case_control(**turned, **options)
    assert one.beta == pytest.approx(-two.beta, abs=1e-8)
    assert "all answers and" in one.notes[0]
    assert "all refusals and" in two.notes[0]


def test_seeds_decide_and_nothing_else() -> None:
    y = make_data(8, n=2_000)["outcome"]
    rows = [sample_case_control(y, controls_per_case=1, seed=seed).rows for seed in (1, 1, 2)]
    assert (rows[0] == rows[1]).all()
    assert not np.array_equal(rows[0], rows[2])


def test_marginal_effects_are_means_over_all_dyads() -> None:
    data = make_data(9)
    full = fit_follow_back(**data, covariance="classical")
    model = fit_case_control(**data, covariance="classical", controls_per_case=4, seed=1)
    assert len(model.design) == len(data["outcome"])
    found, expected = (average_marginal_effects(m, {}).set_index("term") for m in (model, full))
    gap = (found["effect"] - expected["effect"]).abs()
    assert (gap < 3 * found["std_error"]).all()
    assert (found["effect"] / expected["effect"]).to_numpy() == pytest.approx(1, abs=0.15)
    p = model.predict_proba(data["features"])
    slope = model.coefficients.set_index("term").loc["x", "estimate"]
    assert found.loc["x", "effect"] == pytest.approx(slope * (p * (1 - p)).mean())


@pytest.mark.parametrize("penalty", ["ridge", "firth"])
def test_penalised_fits_get_the_intercept_of_all_dyads_too(penalty: Any) -> None:
    data = make_data(14, n=6_000, base=-3)
    full = fit_follow_back(**data, penalty=penalty)
    model = fit_case_control(**data, penalty=penalty, controls_per_case=5, seed=1)
    assert model.penalty == penalty
    assert model.beta == pytest.approx(full.beta, abs=0.25)
    assert model.predict_proba(data["features"]).mean() == pytest.approx(full.rate.rate, rel=0.05)
    assert model.coefficients["std_error"].isna().all() == (penalty == "ridge")


# --- what the model says of itself -----------------------------------------------------------


def test_errors_are_dyadic_and_the_base_rate_is_of_all() -> None:
    data = make_network(10)
    full, model = fit_follow_back(**data), fit_case_control(**data, controls_per_case=2, seed=1)
    assert model.covariance_kind == "dyadic_cr3"
    assert model.rate == full.rate
    rows = [m.coefficients.set_index("term") for m in (model, full)]
    assert 0.95 < rows[0].loc["x", "std_error"] / rows[1].loc["x", "std_error"] < 2
    reach = 3 * np.hypot(rows[0]["std_error"], rows[1]["std_error"])
    assert ((rows[0]["estimate"] - rows[1]["estimate"]).abs() < reach).all()
    note = next(note for note in model.notes if "Case-control" in note)
    assert f"of {len(data['outcome']):,} dyads" in note
    assert "corrected to the base rate of all dyads" in note
    assert model.has_verdicts


def test_dyadic_errors_of_samples_say_how_far_estimates_scatter() -> None:
    """Networks with habits, one control a case: mean error over SD, the intercept's included."""
    runs = [
        fit_case_control(
            **make_network(5_000 + k, n=3_000, count=150, base=-2.5), controls_per_case=1, seed=k,
            penalty="none",
        ).coefficients
        for k in range(120)
    ]  # fmt: skip
    spread = np.std([rows["estimate"] for rows in runs], axis=0)
    ratio = np.mean([rows["std_error"] for rows in runs], axis=0) / spread
    assert ((ratio > 0.8) & (ratio < 1.2)).all()  # three errors of an SD of 120


def test_dyads_with_unknown_features_are_left_out_first() -> None:
    data = make_data(11, n=6_000, base=-2.5)
    data["features"] = data["features"].mask(np.arange(6_000)[:, None] % 10 == [[3, 4]])
    model = fit_case_control(**data, controls_per_case=1, seed=1)
    assert model.used.sum() == 4_800
    assert model.rate.n == 4_800
    assert model.notes[0].startswith("1,200 of 6,000 dyads were left out")


def test_no_more_features_than_all_dyads_carry() -> None:
    rng = np.random.default_rng(12)
    data = make_network(12, n=3_000, count=200)
    extra = {f"f{k}": rng.normal(size=3_000) for k in range(40)}
    data["features"] = data["features"].assign(flat=1.0, **extra)
    full, model = fit_follow_back(**data), fit_case_control(**data, controls_per_case=1, seed=1)
    assert len(model.names) <= len(full.names) < 40
    assert set(model.names) | set(model.dropped["feature"]) == set(data["features"].columns)
    reasons = model.dropped.set_index("feature")["reason"]
    assert reasons["flat"] == "it is the same for every dyad"


def test_nothing_is_balanced_behind_the_readers_back() -> None:
    """No module reweights classes, and only the one that is asked samples them."""
    for path in Path(followkit.__file__).parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "class_weight" not in text, path.name
        assert "sample_case_control(" not in text or path.name == "sampling.py"


# --- bad data --------------------------------------------------------------------------------


def test_bad_input() -> None:
    data = make_data(13, n=500)
    for bad in (0, 0.5, -1, float("nan")):
        with pytest.raises(ParameterError, match="at least 1 dyad for each"):
            fit_case_control(**data, controls_per_case=bad, seed=1)
    with pytest.raises(InputError, match="must be 0 or 1; 1 rows"):
        sample_case_control([0, 1, 2], controls_per_case=1, seed=1)
    with pytest.raises(InputError, match="same number of rows"):
        fit_case_control(**{**data, "outcome": [0, 1]}, controls_per_case=1, seed=1)
    with pytest.raises(ParameterError, match="no feature is called xx"):
        fit_case_control(**data, names=["xx"], controls_per_case=1, seed=1)
    for value, who in ((0, "nobody"), (1, "everybody")):
        same = {**data, "outcome": np.full(500, value)}
        with pytest.raises(CannotFitError, match=rf"{who} followed back \(n = 500\)"):
            fit_case_control(**same, controls_per_case=1, seed=1)
    with pytest.raises(CannotFitError, match="nobody followed back"):
        sample_case_control([], controls_per_case=1, seed=1)
