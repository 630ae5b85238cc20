"""The logistic model: what it drops, refuses and names (published numbers: test_known_answers)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from plain_dyads import draw_rows
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from followkit.errors import CannotFitError, InputError, ParameterError
from followkit.logit import LogitRegression, expit
from followkit.model import FollowBackModel, fit_follow_back


def fit(data: dict[str, Any], **options: Any) -> FollowBackModel:
    return fit_follow_back(**{**data, **options})


def test_ridge_solves_its_own_equation() -> None:
    data = draw_rows(3)
    x, y = data["features"].to_numpy(), data["outcome"]
    model = LogitRegression(ridge=5.0).fit(x, y)
    rest = y - model.predict_proba(x)[:, 1]
    assert x.T @ rest == pytest.approx(5.0 * model.coef_[0], abs=1e-8)
    assert rest.sum() == pytest.approx(0, abs=1e-8)


# --- the estimator ---------------------------------------------------------------------------


def test_estimator_basics() -> None:
    model = LogitRegression(ridge=2.0)
    assert clone(model).get_params() == {"ridge": 2.0, "max_iter": 60, "tolerance": 1e-9}
    with pytest.raises(NotFittedError):
        model.predict_proba([[0.0]])
    with pytest.raises(ValueError, match="two classes"):
        model.fit([[0.0], [1.0]], [1, 1])
    with pytest.raises(ValueError, match="NaN"):
        model.fit([[0.0], [np.nan]], [0, 1])


def test_predict_before_fit() -> None:
    with pytest.raises(NotFittedError):
        LogitRegression().predict([[0.0]])


def test_weights_are_copies() -> None:
    data = draw_rows(1, n=200)
    x, y = data["features"].to_numpy(), data["outcome"]
    times = np.random.default_rng(0).integers(0, 4, 200)
    weighted = LogitRegression().fit(x, y, times)
    copied = LogitRegression().fit(np.repeat(x, times, axis=0), np.repeat(y, times))
    assert weighted.coef_ == pytest.approx(copied.coef_, abs=1e-9)


def test_pipeline_and_model_agree() -> None:
    data = draw_rows(2)
    model = fit(data)
    p = model.predict_proba(data["features"])
    assert model.pipeline.predict_proba(data["features"].to_numpy())[:, 1] == pytest.approx(p)
    assert p.mean() == pytest.approx(data["outcome"].mean())


# --- invariants ------------------------------------------------------------------------------


def test_units_do_not_matter() -> None:
    data = draw_rows(4)
    plain = fit(data).coefficients.set_index("term")
    data["features"] = data["features"].assign(x=data["features"]["x"] * 1e9)
    scaled = fit(data).coefficients.set_index("term")
    for column in ("estimate", "std_error"):
        assert scaled.loc["x", column] * 1e9 == pytest.approx(plain.loc["x", column], rel=1e-8)
    assert scaled.loc["x", "p_value"] == pytest.approx(plain.loc["x", "p_value"], rel=1e-8)


def test_order_and_names_do_not_matter() -> None:
    data = draw_rows(5)
    order = np.random.default_rng(1).permutation(600)
    names = np.array([f"u{k * 37 % 101}" for k in range(60)])
    moved = {
        "features": data["features"].iloc[order], "outcome": data["outcome"][order],
        "initiator": names[data["initiator"]][order], "decider": names[data["decider"]][order],
    }  # fmt: skip
    columns = ["estimate", "std_error", "ci_low", "ci_high"]
    one, two = fit(data).coefficients[columns], fit(moved).coefficients[columns]
    assert np.allclose(one, two, rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", ["dyadic_cr3", "dyadic", "two_way", "white", "classical"])
def test_every_covariance_runs(kind: str) -> None:
    model = fit(draw_rows(6), covariance=kind)
    assert model.covariance_kind == kind
    assert (model.coefficients["std_error"] > 0).all()


# --- what is dropped, and the sentence that says so ------------------------------------------


def test_constant_column_is_named() -> None:
    model = fit(draw_rows(7, always=3.0))
    assert "always" not in model.names
    reason = model.dropped.set_index("feature").loc["always", "reason"]
    assert "same for every dyad" in reason


def test_a_flag_that_hardly_anybody_has_is_named() -> None:
    """Nineteen dyads carry no contrast, twenty may: in either direction."""
    flags = {f"of_{k}": (np.arange(600) < k).astype(float) for k in (19, 25, 581)}
    model = fit(draw_rows(7, **flags))
    reasons = model.dropped.set_index("feature")["reason"]
    assert reasons["of_19"] == reasons["of_581"] == "too few dyads differ in it (19)"
    assert "of_25" in model.names


def test_collinear_pair_is_named_and_the_later_goes() -> None:
    data = draw_rows(8)
    data["features"] = data["features"].assign(again=data["features"]["x"] * -2 + 5)
    model = fit(data)
    assert model.names == ("x", "z")
    reason = model.dropped.set_index("feature").loc["again", "reason"]
    assert "x" in reason.split()


def test_missing_rows_are_counted() -> None:
    data = draw_rows(9)
    data["features"] = data["features"].assign(z=data["features"]["z"].mask(np.arange(600) < 45))
    model = fit(data)
    assert model.used.sum() == 555
    assert any(note.startswith("45 of 600 dyads") and "z" in note for note in model.notes)


def test_as_many_features_as_the_answers_carry() -> None:
    rng = np.random.default_rng(10)
    data = draw_rows(10, n=300, **{f"f{k}": rng.normal(size=300) for k in range(40)})
    model = fit(data)
    events = min(data["outcome"].sum(), 300 - data["outcome"].sum())
    effect = max(model.rate.design_effect, 1)
    assert len(model.names) == max(3, int(events / (10 * effect)))
    assert model.names == tuple(data["features"].columns[: len(model.names)])
    assert set(model.dropped["feature"]) | set(model.names) == set(data["features"].columns)
    assert len(fit(data, penalty="ridge").names) == 42


def test_ridge_is_announced_and_gives_no_errors() -> None:
    model = fit(draw_rows(11), penalty="ridge")
    assert model.coefficients[["std_error", "ci_low", "ci_high", "p_value"]].isna().all(axis=None)
    assert any("no errors and no verdicts" in note for note in model.notes)
    assert not model.has_verdicts


def test_verdicts_need_twenty_effective_accounts() -> None:
    assert fit(draw_rows(12)).has_verdicts
    few = fit(draw_rows(12, count=12))
    assert few.accounts.effective_count < 20
    assert not few.has_verdicts
    assert any("no verdicts" in note for note in few.notes)


def test_verdicts_need_dyadic_errors() -> None:
    assert not fit(draw_rows(12), covariance="classical").has_verdicts


def test_clipping_is_said() -> None:
    """With a handful of accounts the two-way covariance is often not positive definite."""
    notes = [fit(draw_rows(seed, n=120, count=5), covariance="two_way").notes for seed in range(12)]
    said = [any("not positive definite" in note for note in each) for each in notes]
    assert any(said)


def test_an_export_holds_for_its_owner_only() -> None:
    data = draw_rows(13, n=300)
    data["initiator"], data["decider"] = np.full(300, 999), np.arange(300)
    assert any("this account only" in note for note in fit(data).notes)


# --- separation ------------------------------------------------------------------------------


def test_perfect_separation_becomes_firth_with_a_sentence() -> None:
    data = draw_rows(14)
    data["outcome"] = (data["features"]["x"] > 0).to_numpy().astype(int)
    model = fit(data)
    assert model.penalty == "firth"
    assert not model.has_verdicts
    assert np.isfinite(model.coefficients["estimate"]).all()
    assert any("as if dyads were independent" in note for note in model.notes)
    assert any("In these data x alone" in note for note in model.notes)


@pytest.mark.parametrize("size", [20, 60, 200])
def test_quasi_separation_is_never_printed_as_a_number(size: int) -> None:
    """One group all 1: the maximum lies at infinity, whatever odds ratio the steps stop at."""
    flag = (np.arange(600) < size).astype(float)
    data = draw_rows(15, alone=flag)
    data["outcome"][:size] = 1
    model = fit(data)
    assert model.penalty == "firth"
    assert model.coefficients.set_index("term").loc["alone", "estimate"] < 12
    assert any("alone" in note.split() for note in model.notes)


def test_a_column_that_one_account_owns_is_not_judged() -> None:
    data = draw_rows(16, n=1800)
    owner = data["decider"] == 7
    assert owner.sum() >= 20
    data["features"] = data["features"].assign(owned=owner.astype(float))
    data["outcome"][np.flatnonzero(owner)[:2]] = 0, 1
    model = fit(data)
    assert "owned" not in model.names
    reason = model.dropped.set_index("feature").loc["owned", "reason"]
    assert reason.endswith("dyads of one account")


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "word"), [(0, "nobody"), (1, "everybody")])
def test_one_class_gives_the_interval_of_the_rate(value: int, word: str) -> None:
    data = draw_rows(17)
    with pytest.raises(CannotFitError, match=rf"{word} followed back \(n = 600; .* interval"):
        fit(data, outcome=np.full(600, value))


def test_few_events_give_the_rate_only() -> None:
    with pytest.raises(CannotFitError, match=r"only 5 answers among 600 dyads .* interval"):
        fit(draw_rows(18), outcome=(np.arange(600) < 5).astype(int))


def test_five_rows() -> None:
    with pytest.raises(CannotFitError, match="too few for a model"):
        fit(draw_rows(19, n=5), outcome=[0, 1, 0, 1, 0])


def test_nothing_left() -> None:
    with pytest.raises(CannotFitError, match="missing value"):
        fit(draw_rows(20, empty=np.nan))
    with pytest.raises(CannotFitError):
        fit({key: value[:0] for key, value in draw_rows(20).items()})
    data = draw_rows(20)
    with pytest.raises(CannotFitError, match="no feature varies"):
        fit(data, features=pd.DataFrame({"flat": np.ones(600)}))


def test_bad_input_is_told_apart() -> None:
    data = draw_rows(21)
    with pytest.raises(ParameterError, match="did you mean ridge"):
        fit(data, penalty="rigde")
    with pytest.raises(ParameterError, match="no feature is called xx"):
        fit(data, names=["xx"])
    with pytest.raises(InputError, match="same number of rows"):
        fit(data, outcome=data["outcome"][:-1])
    with pytest.raises(InputError, match="must be 0 or 1; 1 rows"):
        fit(data, outcome=np.r_[2, data["outcome"][1:]])
    with pytest.raises(InputError, match="z holds an infinite"):
        fit(data, features=data["features"].assign(z=np.inf))


# --- recovery --------------------------------------------------------------------------------


def recover(runs: int, n: int) -> Any:
    """Return the planted coefficients' estimates over runs of independent dyads."""
    found = []
    for run in range(runs):
        rng = np.random.default_rng(run)
        x = pd.DataFrame({"x": rng.normal(size=n), "z": rng.normal(size=n)})
        y = (rng.random(n) < expit(-1 + 0.6 * x["x"] - 0.3 * x["z"])).astype(int)
        ids = np.arange(n)
        found.append(fit_follow_back(x, y, initiator=ids, decider=ids + n).beta)
    return np.array(found)


def test_recovers_planted_coefficients() -> None:
    found = recover(20, 2000)
    error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    assert (np.abs(found.mean(axis=0) - [-1, 0.6, -0.3]) < 4 * error).all()


@pytest.mark.study
def test_recovery_study() -> None:
    found = recover(200, 4000)
    error = found.std(axis=0, ddof=1) / np.sqrt(200)
    assert (np.abs(found.mean(axis=0) - [-1, 0.6, -0.3]) < 3 * error).all()
