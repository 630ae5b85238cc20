"""Curves of probability against brute force, drawn coefficients and the range that was seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from followkit.curves import compare_settings, predict_curve, spread_values
from followkit.errors import InputError, ParameterError
from followkit.levers import Change
from followkit.logit import expit
from followkit.model import FollowBackModel, fit_follow_back

NAMES = ["initiator_posts_per_week_log", "initiator_ratio_log", "dyad_topic_cosine"]


def make_world(seed: int = 0, n: int = 1200) -> tuple[FollowBackModel, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    posts = rng.integers(0, 40, n) / 8
    followees = np.round(rng.lognormal(4, 0.7, n))
    followers = np.round(rng.lognormal(4, 1.0, n))
    table = pd.DataFrame(
        {
            NAMES[0]: np.log1p(posts),
            NAMES[1]: np.log((followers + 1) / (followees + 1)),
            NAMES[2]: rng.beta(2, 4, n),
            "initiator_followee_count_log": np.log1p(followees),
        }
    )
    line = -1.5 + 0.5 * table[NAMES[0]] + 0.4 * table[NAMES[1]] + table[NAMES[2]]
    outcome = (rng.random(n) < expit(line.to_numpy())).astype(int)
    ids = rng.integers(0, 150, n)
    model = fit_follow_back(
        table, outcome, initiator=ids, decider=(ids + rng.integers(1, 150, n)) % 150, names=NAMES
    )
    return model, table


def test_a_curve_is_the_mean_of_predictions_with_the_column_replaced() -> None:
    model, table = make_world()
    curve = predict_curve(model, table, "posts_per_week", [0.5, 1, 2])
    for point in curve.itertuples():
        changed = table.assign(**{NAMES[0]: np.log1p(point.value)})
        assert point.probability == pytest.approx(model.predict_proba(changed).mean(), abs=1e-12)
        assert point.ci_low < point.probability < point.ci_high


def test_followers_move_the_ratio_at_equal_followees() -> None:
    model, table = make_world()
    point = predict_curve(model, table, "followers", [50.0]).iloc[0]
    ratio = np.log1p(50.0) - table["initiator_followee_count_log"]
    expected = model.predict_proba(table.assign(**{NAMES[1]: ratio})).mean()
    assert point["probability"] == pytest.approx(expected, abs=1e-12)


def test_intervals_are_those_of_drawn_coefficients() -> None:
    model, table = make_world()
    rng = np.random.default_rng(5)
    design = np.column_stack([np.ones(len(table)), table[NAMES].assign(**{NAMES[0]: np.log1p(2)})])
    drawn = rng.multivariate_normal(model.beta, model.covariance, 4000)
    means = expit(design @ drawn.T).mean(axis=0)
    low, high = np.quantile(means, [0.025, 0.975])
    point = predict_curve(model, table, "posts_per_week", [2.0]).iloc[0]
    width = high - low
    assert point["ci_low"] == pytest.approx(low, abs=0.08 * width)
    assert point["ci_high"] == pytest.approx(high, abs=0.08 * width)


def test_what_was_never_seen_is_not_drawn() -> None:
    model, table = make_world()
    curve = predict_curve(model, table, "posts_per_week", [1.0, 5_000.0])
    assert curve["value"].tolist() == [1.0]
    assert predict_curve(model, table, "originality_share", [0.5]).empty


def test_a_comparison_is_the_difference_of_two_points() -> None:
    model, table = make_world()
    rates = (0.25, 1.0)
    settings = [[Change("posts_per_week", "set", rate)] for rate in rates]
    found = compare_settings(model, table, *settings)
    curve = predict_curve(model, table, "posts_per_week", rates)["probability"]
    assert [found.first, found.second] == pytest.approx(curve.tolist())
    assert found.difference == pytest.approx(found.second - found.first)
    # The two means share the coefficients, so their difference is surer than either.
    assert found.ci_high - found.ci_low < 0.1
    same = compare_settings(model, table, settings[0], settings[0])
    assert (same.difference, same.ci_low, same.ci_high) == (0.0, 0.0, 0.0)


def test_a_comparison_beyond_what_was_seen_says_so() -> None:
    model, table = make_world()
    far = [Change("posts_per_week", "set", 5_000.0)]
    found = compare_settings(model, table, [Change("posts_per_week", "set", 1.0)], far)
    assert "too few dyads like that" in found.reason
    assert np.isnan(found.difference)


def test_dyads_that_lack_the_quantity_are_left_out() -> None:
    model, table = make_world()
    holes = table.copy()
    holes.loc[:99, "initiator_followee_count_log"] = np.nan
    point = predict_curve(model, holes, "followers", [50.0]).iloc[0]
    whole = predict_curve(model, table[100:].reset_index(drop=True), "followers", [50.0]).iloc[0]
    assert point["n"] == whole["n"] == len(table) - 100
    assert point["probability"] == pytest.approx(whole["probability"])


def test_a_silence_takes_posts_and_acts_away() -> None:
    rng = np.random.default_rng(2)
    n = 800
    table = pd.DataFrame(
        {
            "initiator_days_since_action_log": np.log1p(rng.integers(0, 90, n)),
            NAMES[0]: np.log1p(rng.integers(0, 12, n) / 4),
        }
    )
    outcome = rng.integers(0, 2, n)
    ids = np.arange(n)
    model = fit_follow_back(table, outcome, initiator=ids, decider=ids + n, penalty="none")
    point = predict_curve(model, table, "days_since_action", [60.0]).iloc[0]
    silent = pd.DataFrame({"initiator_days_since_action_log": [np.log1p(60.0)], NAMES[0]: [0.0]})
    busy = table["initiator_days_since_action_log"] < np.log1p(60.0)
    changed = table.assign(initiator_days_since_action_log=np.log1p(60.0))
    changed.loc[busy, NAMES[0]] = 0.0
    assert point["probability"] == pytest.approx(model.predict_proba(changed).mean(), abs=1e-12)
    assert model.predict_proba(silent)[0] != pytest.approx(point["probability"], abs=1e-6)


def test_bad_arguments_are_refused() -> None:
    model, table = make_world()
    with pytest.raises(ParameterError, match="cannot be changed"):
        predict_curve(model, table, "luck", [1.0])
    with pytest.raises(InputError, match="is in the model but not in the table"):
        predict_curve(model, table.drop(columns=NAMES[2]), "posts_per_week", [1.0])


def test_values_spread_over_what_is_common() -> None:
    values = spread_values(pd.Series(np.arange(1, 1001)))
    assert values == sorted(set(values))
    assert len(values) == 7
    assert values[0] >= 40
    assert values[-1] <= 960
