"""Data that defeat a logistic regression: row by row, the sentence that a reader gets.

Each test is a row of one table: perfect and quasi-separation, one class, constant and collinear
columns, few answers, missing and infinite values, huge units, few accounts, shared accounts,
accounts that own a result, repeated and undecided follows, order and names. Durations (all
censored, negative) are in test_latency, held-out scores of few dyads in test_scores, reverse ties
in test_leakage.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from plain_dyads import draw_rows, make_timed

from followkit import covariance as cov
from followkit.analysis import Analysis, analyse
from followkit.describe import describe_effects, describe_notes, describe_obstacle
from followkit.dyads import make_dyads
from followkit.effects import average_marginal_effects, leave_one_account_out, odds_ratios
from followkit.errors import CannotFitError, InputError
from followkit.features import CATALOGUE
from followkit.logit import expit
from followkit.model import FollowBackModel, fit_follow_back
from followkit.tables import make_dataset


def fit(data: dict[str, Any], **options: Any) -> FollowBackModel:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # no library may warn where followkit has a sentence
        return fit_follow_back(**{**data, **options})


def reason(model: FollowBackModel, name: str) -> str:
    return str(model.dropped.set_index("feature").loc[name, "reason"])


def count(dyads: Any) -> dict[str, int]:
    return dict(zip(dyads.census["step"], dyads.census["count"].astype(int), strict=True))


# --- separation ------------------------------------------------------------------------------


def test_perfect_separation() -> None:
    data = draw_rows(1)
    model = fit(data, outcome=(data["features"]["x"] > 0.2).to_numpy().astype(int))
    assert model.notes[0] == (
        "In these data x alone decides the outcome, so maximum likelihood has no finite answer: "
        "Firth's fit, intervals as if dyads were independent."
    )
    assert model.penalty == "firth"
    assert not model.has_verdicts
    assert np.isfinite(model.coefficients[["estimate", "std_error"]]).all(axis=None)
    assert model.coefficients.set_index("term").loc["x", "ci_low"] > 0


def test_separation_by_two_features_together() -> None:
    """No single one divides the dyads; their sum does."""
    data = draw_rows(2)
    total = data["features"]["x"] + 3 * data["features"]["z"]
    model = fit(data, outcome=(total > 1.5).to_numpy().astype(int))
    assert "x and z alone (nearly) decide the outcome" in model.notes[0]
    assert model.penalty == "firth"


@pytest.mark.parametrize(
    ("answered", "words"),
    [
        (1, "all 40 dyads with flag were answered"),
        (0, "none of the 40 dyads with flag was answered"),
    ],
)
def test_quasi_separation_and_empty_cells(answered: int, words: str) -> None:
    """One empty cell of four: other libraries print coefficients of 24 ± 16,900 in silence."""
    data = draw_rows(3, flag=(np.arange(600) < 40).astype(float))
    data["outcome"][:40] = answered
    model = fit(data)
    assert model.notes[0].startswith(f"In these data {words}, so maximum likelihood has no finite")
    row = model.coefficients.set_index("term").loc["flag"]
    assert abs(row["estimate"]) < 8
    assert (row["estimate"] > 0) == bool(answered)
    assert row["ci_low"] < row["estimate"] < row["ci_high"]
    assert odds_ratios(model, {})["odds_ratio"].max() < np.exp(8)


def test_a_full_two_by_two_table_is_fitted_as_usual() -> None:
    """One dyad in the cell that was empty, and maximum likelihood is finite again."""
    data = draw_rows(3, flag=(np.arange(600) < 40).astype(float))
    data["outcome"][:40] = 1
    data["outcome"][7] = 0
    model = fit(data)
    assert model.penalty == "none"
    assert not any("Firth" in note for note in model.notes)


# --- nothing to compare ----------------------------------------------------------------------


@pytest.mark.parametrize(("value", "who"), [(0, "nobody"), (1, "everybody")])
def test_one_class_only(value: int, who: str) -> None:
    """No model, but an interval: z² / (d + z²) over d deciders, just above the rule of three."""
    data = draw_rows(4)
    deciders = len(np.unique(data["decider"]))
    limit = 1.959964**2 / (deciders + 1.959964**2)
    assert 3 / deciders < limit
    spread = f"0.0 to {100 * limit:.1f} %" if value == 0 else f"{100 - 100 * limit:.1f} to 100.0 %"
    with pytest.raises(CannotFitError) as said:
        fit(data, outcome=np.full(600, value))
    assert str(said.value) == (
        f"{who} followed back (n = 600; {100 * value}.0 %, interval {spread}): no model is possible"
    )


def test_constant_column() -> None:
    model = fit(draw_rows(5, same=7.0))
    assert reason(model, "same") == "it is the same for every dyad"
    assert model.names == ("x", "z")


def test_collinear_pair() -> None:
    """The later of the two goes, and the earlier is named."""
    data = draw_rows(6)
    x = data["features"]["x"]
    model = fit(data, features=data["features"].assign(twin=5 - 2 * x))
    assert reason(model, "twin") == "it repeats what x and the features before it say"
    both = fit(data, features=data["features"].assign(sum_of=x + data["features"]["z"]))
    assert reason(both, "sum_of").endswith("and the features before it say")
    assert model.names == both.names == ("x", "z")


@pytest.mark.parametrize(("events", "kind"), [(19, "answers"), (585, "refusals")])
def test_under_twenty_events(events: int, kind: str) -> None:
    data = draw_rows(7)
    with pytest.raises(CannotFitError) as said:
        fit(data, outcome=np.random.default_rng(1).permutation(np.arange(600) < events).astype(int))
    fewer = min(events, 600 - events)
    assert str(said.value).startswith(f"only {fewer} {kind} among 600 dyads (")
    assert str(said.value).endswith(
        "too few for a model, which needs 20; the base rate is all that can be said"
    )


def test_five_rows_and_three_factors() -> None:
    with pytest.raises(CannotFitError, match=r"only 2 answers among 5 dyads \(40\.0 %, interval"):
        fit(draw_rows(8, n=5, w=np.arange(5.0)), outcome=[0, 1, 0, 1, 0])


def test_more_features_than_the_answers_carry() -> None:
    rng = np.random.default_rng(9)
    model = fit(draw_rows(9, n=300, **{f"f{k}": rng.normal(size=300) for k in range(30)}))
    kept = len(model.names)
    note = next(note for note in model.notes if "in order of priority" in note)
    assert note.endswith(f"carry {kept} features; the first {kept} in order of priority were kept.")
    assert reason(model, "f29") == "there are too few answers for it"


# --- values ----------------------------------------------------------------------------------


def test_missing_values() -> None:
    data = draw_rows(10)
    holes = data["features"].assign(z=data["features"]["z"].mask(np.arange(600) % 8 == 0))
    model = fit(data, features=holes)
    assert model.notes[0] == (
        "75 of 600 dyads were left out because a feature is unknown for them (most often z)."
    )
    rest = {key: value[model.used] for key, value in data.items()}
    assert model.beta == pytest.approx(fit(rest).beta, abs=1e-10)  # nothing was filled in


def test_infinite_values() -> None:
    data = draw_rows(11)
    with pytest.raises(InputError) as said:
        fit(data, features=data["features"].assign(x=np.inf))
    assert str(said.value) == "features: values must be finite; x holds an infinite one"


@pytest.mark.parametrize("scale", [1e9, 1e-9])
def test_units_of_a_billion(scale: float) -> None:
    data = draw_rows(12)
    plain = fit(data)
    huge = fit(data, features=data["features"].assign(x=data["features"]["x"] * scale))
    assert huge.beta[1] * scale == pytest.approx(plain.beta[1], rel=1e-9)
    one, two = odds_ratios(plain, {"x": 1.0}), odds_ratios(huge, {"x": scale})
    for column in ("odds_ratio", "ci_low", "ci_high", "p_value"):
        assert two.loc[0, column] == pytest.approx(one.loc[0, column], rel=1e-8)
    effects = [
        average_marginal_effects(plain, {"x": 1}),
        average_marginal_effects(huge, {"x": scale}),
    ]
    assert effects[0].loc[0, "effect"] == pytest.approx(effects[1].loc[0, "effect"], rel=1e-8)


# --- accounts --------------------------------------------------------------------------------


def test_few_accounts() -> None:
    model = fit(draw_rows(13, count=12))
    assert model.accounts.effective_count < 20
    assert model.notes[-1] == (
        "Only 12 effective accounts: intervals are rough and no verdicts are given."
    )
    assert not model.has_verdicts


def test_a_covariance_that_is_not_positive_definite() -> None:
    """Two-way with a handful of accounts: clipped, finite, and said."""
    said = 0
    for seed in range(10):
        model = fit(draw_rows(seed, n=120, count=5), covariance="two_way", penalty="none")
        assert np.isfinite(model.coefficients["std_error"]).all()
        said += (
            "The two_way covariance was not positive definite and its negative eigenvalues were "
            "set to 0: there are too few accounts for it."
        ) in model.notes
    assert said >= 3


@pytest.fixture(scope="module")
def snapshot() -> Analysis:
    """A network of 120 accounts with a self-follow, repeats, and mutual ties beyond chance."""
    rng = np.random.default_rng(3)
    drawn = rng.integers(0, 120, (700, 2))
    back = drawn[rng.random(700) < 0.4][:, ::-1]
    rows = np.vstack([drawn, back, drawn[:20], [[5, 5]]])
    follows = pd.DataFrame(rows, columns=["follower_id", "followee_id"])
    return analyse(make_dataset({"follows": follows}), "mutuality")


def test_dyads_that_share_accounts(snapshot: Analysis) -> None:
    """The kind of error is printed with the accounts it stands on."""
    model = snapshot.model
    assert model is not None
    note = describe_effects(snapshot).notes[0]
    assert note.startswith(
        f"Errors: dyadic_cr3; {model.accounts.count} accounts, "
        f"{model.accounts.effective_count:.0f} effective; the busiest is in "
        f"{100 * model.accounts.largest_share:.1f} % of the dyads."
    )
    data = draw_rows(14, n=2_000)
    habit = np.random.default_rng(1).normal(size=60)
    x = data["features"].assign(x=habit[data["decider"]])
    errors = {
        kind: fit(data, features=x, covariance=kind).coefficients["std_error"].iloc[1]
        for kind in ("classical", "dyadic_cr3")
    }
    noisy = expit(1.2 * np.random.default_rng(2).normal(size=60)[data["decider"]])
    data["outcome"] = (np.random.default_rng(3).random(2_000) < noisy).astype(int)
    shared = {
        kind: fit(data, features=x, covariance=kind).coefficients["std_error"].iloc[1]
        for kind in ("classical", "dyadic_cr3")
    }
    assert shared["dyadic_cr3"] > 1.8 * shared["classical"]
    assert errors["dyadic_cr3"] < 1.5 * errors["classical"]


def test_an_export_of_one_account() -> None:
    data = draw_rows(15)
    model = fit(data, initiator=np.zeros(600), decider=1 + np.arange(600))
    assert model.notes[-1] == (
        "One account is in half of the dyads or more: errors are clustered on the others, and "
        "results hold for this account only."
    )


def test_bots_and_celebrities() -> None:
    """One account that follows everybody and one that never answers: each is found by name."""
    data = draw_rows(16, n=1_500)
    x = data["features"]["x"].to_numpy()
    data["initiator"] = np.where(np.arange(1_500) < 350, 777, data["initiator"])
    bot = data["initiator"] == 777
    data["outcome"] = np.where(bot, (x < 0).astype(int), data["outcome"])
    model = fit(data, penalty="none")
    table = leave_one_account_out(model).set_index("account_id")
    assert table.index[0] == 777
    assert (table["x"] - model.beta[1]).abs().idxmax() == 777
    without = fit({key: value[~bot] for key, value in data.items()}, penalty="none")
    assert table.loc[777, "x"] == pytest.approx(without.beta[1], abs=0.1)
    assert table.loc[777, "x"] > model.beta[1] + 0.3
    assert table.loc[777, "rate"] == pytest.approx(data["outcome"][~bot].mean())


def test_degrees_enter_as_logs() -> None:
    """A celebrity with a million followers is 2.3 units beyond one with a hundred thousand."""
    skewed = [name for name in CATALOGUE if "follower_count" in name or "followee_count" in name]
    assert skewed
    assert all(name.endswith(("_log", "_log_squared")) for name in skewed)


# --- dyads -----------------------------------------------------------------------------------


def test_self_follows_and_repeats(snapshot: Analysis) -> None:
    """Dropped, and counted where the data are described."""
    quality = snapshot.dataset.quality
    dropped = quality[(quality["table"] == "follows") & (quality["step"] == "dropped")]
    notes = dropped.set_index("note")["rows"]
    drawn = np.random.default_rng(3).integers(0, 120, (700, 2))
    own = int((drawn[:, 0] == drawn[:, 1]).sum())
    assert notes["self-follow"] >= 1 + own
    assert notes["same follow again"] >= 20
    kept = quality.loc[(quality["table"] == "follows") & (quality["step"] == "kept"), "rows"]
    assert kept.item() == len(snapshot.dyads.table)
    ties = snapshot.dyads.table
    assert (ties["initiator_id"] != ties["decider_id"]).all()
    assert not ties.duplicated(["initiator_id", "decider_id"]).any()


def test_a_tie_at_two_times_and_a_follow_after_a_withdrawal() -> None:
    """The first spell opens the dyad; an answer to the second one does not count for it."""
    dyads = make_dyads(
        make_timed([("a", "b", 0, 3), ("a", "b", 10, None), ("b", "a", 12, None),
                    ("c", "d", 0, None)]),
        "follow_back", horizon_days=20,
    )  # fmt: skip
    states = dyads.table.set_index("initiator_id")["state"]
    assert states.to_dict() == {"a": "withdrawn_first", "c": "not_answered"}
    assert count(dyads)["followed again"] == 1
    assert count(dyads)["withdrawn first"] == 1


def test_outcomes_not_yet_decidable() -> None:
    """A follow younger than the horizon is unknown whatever its outcome, never a refusal."""
    dyads = make_dyads(
        make_timed([("a", "b", 0, None), ("c", "d", 95, None),
               ("e", "f", 96, None), ("f", "e", 97, None)]),
        "follow_back", horizon_days=10,
    )  # fmt: skip
    assert dyads.table["initiator_id"].tolist() == ["a"]
    assert count(dyads)["too young"] == 2
    note = dyads.census.set_index("step").loc["too young", "note"]
    assert note == "t + H lies after the decider's observation"


def test_why_there_is_no_model_reaches_the_report() -> None:
    """The sentence of the refusal is what the report prints instead of a model."""
    rng = np.random.default_rng(5)
    follows = pd.DataFrame(rng.integers(0, 400, (300, 2)), columns=["follower_id", "followee_id"])
    follows = follows[follows["follower_id"] < follows["followee_id"]]
    analysis = analyse(make_dataset({"follows": follows}), "mutuality")
    assert describe_obstacle(analysis).startswith("nobody followed back (n = ")
    assert describe_effects(analysis).text == f"No model was fitted: {analysis.no_model}."
    assert describe_notes(analysis)


# --- order and names -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["dyadic_cr3", "dyadic", "two_way", "white", "classical"])
def test_order_and_names(kind: str) -> None:
    """Shuffled rows and renamed accounts: the same to 1e-10, rates, errors and all."""
    data = draw_rows(17, flag=(np.arange(600) % 7 == 0).astype(float))
    order = np.random.default_rng(1).permutation(600)
    names = np.array([f"u{k * 37 % 101}" for k in range(60)])
    moved = {
        "features": data["features"].iloc[order], "outcome": data["outcome"][order],
        "initiator": names[data["initiator"]][order], "decider": names[data["decider"]][order],
    }  # fmt: skip
    one, two = fit(data, covariance=kind), fit(moved, covariance=kind)
    assert one.names == two.names
    for table in ("coefficients", "dropped"):
        pd.testing.assert_frame_equal(getattr(one, table), getattr(two, table), rtol=0, atol=1e-10)
    assert np.allclose(one.covariance, two.covariance, rtol=0, atol=1e-10)
    rates = [
        cov.dyadic_rate(d["outcome"], cov.code_accounts(d["initiator"], d["decider"]))
        for d in (data, moved)
    ]
    for name in ("rate", "ci_low", "ci_high", "std_error", "design_effect"):
        assert getattr(rates[0], name) == pytest.approx(getattr(rates[1], name), abs=1e-10)
    effects = [average_marginal_effects(model, {}).drop(columns="term") for model in (one, two)]
    assert np.allclose(*effects, rtol=0, atol=1e-10)
