"""Contributions that add up exactly, and reasons in words that say no more than they show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from followkit.errors import InputError, ParameterError
from followkit.explain import COLUMNS, Explanation, describe_reasons, explain_dyad, label_feature
from followkit.features import CATALOGUE
from followkit.logit import expit
from followkit.model import FollowBackModel, fit_follow_back

HOSTILE = "<script>alert(1)</script>"


def make_data(seed: int = 0, n: int = 900, count: int = 70) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    a = rng.integers(0, count, n)
    b = (a + rng.integers(1, count, n)) % count
    ratio = rng.normal(0.2, 1.0, n)
    table = pd.DataFrame(
        {
            "decider_ratio_log": rng.normal(0.5, 0.8, n),
            "initiator_ratio_log": ratio,
            "initiator_ratio_log_squared": ratio**2,
            "decider_follow_back_rate": rng.random(n),
            "has_decider_history": (rng.random(n) < 0.6).astype(float),
            "initiator_posts_per_week_log": np.log1p(rng.exponential(2.0, n)),
        },
        index=pd.Index([f"d{k}" for k in range(n)], name="dyad_id"),
    )
    slopes = np.array([-0.7, 0.3, -0.2, 1.5, 0.4, 0.5])
    y = (rng.random(n) < expit(table.to_numpy() @ slopes - 1.0)).astype(int)
    weights = rng.choice([0.5, 1.0], n)
    return {"features": table, "outcome": y, "initiator": a, "decider": b, "weights": weights}


def fit(data: dict[str, Any], **options: Any) -> FollowBackModel:
    return fit_follow_back(**{**data, "penalty": "none", **options})


# --- identities ------------------------------------------------------------------------------


def test_shares_add_up_to_the_log_odds_exactly() -> None:
    data = make_data()
    model = fit(data)
    for dyad in ("d0", "d17", "d444"):
        found = explain_dyad(model, data["features"], dyad)
        row = data["features"].loc[[dyad], list(model.names)].to_numpy()[0]
        expected = float(model.beta[0] + row @ model.beta[1:])
        assert found.base + found.table["contribution"].sum() == pytest.approx(expected, abs=1e-12)
        assert found.log_odds == pytest.approx(expected, abs=1e-12)
        assert found.table["log_odds"].iloc[-1] == found.log_odds
        predicted = model.predict_proba(data["features"].loc[[dyad]])[0]
        assert found.probability == pytest.approx(predicted, abs=1e-12)


def test_shares_by_hand() -> None:
    """Each is slope × (value − weighted mean), a square going with its feature."""
    data = make_data(1)
    model = fit(data)
    table = data["features"]
    means = (table.mul(data["weights"], axis=0)).sum() / data["weights"].sum()
    slopes = model.coefficients.set_index("term")["estimate"]
    alone = slopes[list(table)] * (table.loc["d5"] - means)
    found = explain_dyad(model, table, "d5").table.set_index("feature")
    assert len(found) == len(table.columns) - 1
    ratio = ["initiator_ratio_log", "initiator_ratio_log_squared"]
    assert found.loc[ratio[0], "contribution"] == pytest.approx(alone[ratio].sum(), abs=1e-12)
    assert found.loc[ratio[0], "value"] == table.loc["d5", ratio[0]]
    others = [name for name in table if name not in ratio]
    assert found.loc[others, "contribution"].to_numpy() == pytest.approx(alone[others], abs=1e-12)
    assert found.loc[others, "reference"].to_numpy() == pytest.approx(means[others], abs=1e-12)


def test_weighted_shares_over_all_dyads_cancel() -> None:
    data = make_data(2, n=300)
    model = fit(data)
    tables = [explain_dyad(model, data["features"], d).table for d in data["features"].index]
    shares = pd.DataFrame([t.set_index("feature")["contribution"] for t in tables])
    means = np.average(shares, axis=0, weights=data["weights"])
    assert means == pytest.approx(np.zeros(len(means)), abs=1e-12)


def test_the_average_dyad_has_nothing_to_explain() -> None:
    data = make_data(3)
    model = fit(data)
    row = pd.Series(np.average(model.design, axis=0, weights=model.weights)[1:], list(model.names))
    found = explain_dyad(model, row)
    assert found.table["contribution"].abs().max() < 1e-12
    assert found.log_odds == pytest.approx(found.base, abs=1e-12)


def test_largest_first_and_probabilities_follow() -> None:
    data = make_data(4)
    found = explain_dyad(fit(data), data["features"], "d9")
    assert tuple(found.table.columns) == COLUMNS
    sizes = found.table["contribution"].abs().to_numpy()
    assert (np.diff(sizes) <= 0).all()
    steps = found.base + np.cumsum(found.table["contribution"].to_numpy())
    assert found.table["probability"].to_numpy() == pytest.approx(1 / (1 + np.exp(-steps)))


def test_a_square_alone_stands_for_itself() -> None:
    data = make_data(5)
    names = ["decider_ratio_log", "initiator_ratio_log_squared"]
    found = explain_dyad(fit(data, names=names), data["features"], "d1")
    assert set(found.table["feature"]) == set(names)


# --- invariants ------------------------------------------------------------------------------


def test_row_order_and_form_do_not_matter() -> None:
    data = make_data(6)
    model, table = fit(data), data["features"]
    one = explain_dyad(model, table, "d30")
    others = [
        explain_dyad(model, table.sample(frac=1, random_state=1), "d30"),
        explain_dyad(model, table.loc[["d30"]]),
        explain_dyad(model, table.loc["d30"]),
        explain_dyad(model, table[table.columns[::-1]], "d30"),
    ]
    for other in others:
        pd.testing.assert_frame_equal(one.table, other.table, check_exact=True)
        assert other.reasons == one.reasons


# --- words -----------------------------------------------------------------------------------


def make_explanation(rows: list[tuple[Any, ...]], *flags: str) -> Explanation:
    table = pd.DataFrame(rows, columns=["feature", "value", "reference", "contribution"])
    table["label"] = [label_feature(name) for name in table["feature"]]
    return Explanation(table, 0.0, 0.0, 0.5, frozenset(flags))


def test_reasons_are_in_natural_units() -> None:
    found = make_explanation(
        [
            ("decider_ratio_log", np.log(3.2), np.log(1.1), np.log(0.61)),
            ("initiator_posts_per_week_log", np.log1p(0.5), np.log1p(2.0), np.log(0.8)),
            ("decider_follow_back_rate", 0.453, 0.21, np.log(1.5)),
            ("has_decider_history", 0.0, 0.83, np.log(0.9)),
            ("dyad_follower_gap_log", np.log(0.25), np.log(2.0), np.log(1.1)),
            ("dyad_topic_cosine", 0.1, 0.1001, np.log(1.01)),
        ],
        "has_decider_history",
    )
    assert describe_reasons(found, 6) == [
        "Decider's followers per followee: 3.20, above the 1.10 that is typical here; goes with "
        "odds 0.61 times as high.",
        "Initiator's posts per week: 0.50, below the 2.00 that is typical here; goes with odds "
        "0.80 times as high.",
        "Decider's past follow-back rate: 45.3 %, above the 21.0 % that is typical here; goes "
        "with odds 1.50 times as high.",
        "Decider has received follows before: no, where 83.0 % have yes; goes with odds 0.90 "
        "times as high.",
        "How far the decider stands above the initiator: 0.25 times, below the 2.00 times that is "
        "typical here; goes with odds 1.10 times as high.",
        "Topic similarity of their posts: 0.10, about what is typical here; goes with odds 1.01 "
        "times as high.",
    ]


def test_three_reasons_and_none_where_nothing_differs() -> None:
    data = make_data(7)
    found = explain_dyad(fit(data), data["features"], "d2")
    assert len(found.reasons) == 3
    assert found.reasons == describe_reasons(found, 20)[:3]
    flat = replace(found, table=found.table.assign(contribution=0.0))
    assert flat.reasons == []
    with pytest.raises(ParameterError, match=r"top: must be 1 or more; got 0"):
        describe_reasons(found, 0)


def test_products_are_not_read_as_logarithms(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "dyad_fit_of_posts_log"
    parts = ("dyad_topic_cosine", "initiator_posts_per_week_log")
    entry = replace(CATALOGUE["dyad_topic_cosine"], name=name, label="fit of posts", parts=parts)
    monkeypatch.setitem(CATALOGUE, name, entry)
    found = make_explanation([(name, 2.0, 1.0, 0.5)])
    assert found.reasons[0].startswith("Fit of posts: 2.00, above the 1.00 that")


def test_hostile_names_never_appear() -> None:
    data = make_data(8)
    table = data["features"].rename(columns={"decider_ratio_log": HOSTILE})
    table.index = [HOSTILE + str(k) for k in range(len(table))]
    found = explain_dyad(fit({**data, "features": table}), table, HOSTILE + "3")
    told = " ".join([*describe_reasons(found, 20), *found.table["label"]])
    assert "script" not in told
    assert "feature outside the catalogue" in told
    assert "because" not in told.lower()


# --- bad input -------------------------------------------------------------------------------


def test_no_row_or_two_rows() -> None:
    data = make_data(9)
    model, table = fit(data), data["features"]
    with pytest.raises(InputError, match=r"dyad_id 'nobody' has 0"):
        explain_dyad(model, table, "nobody")
    with pytest.raises(InputError, match=r"one row is needed; the table has 900"):
        explain_dyad(model, table)
    with pytest.raises(InputError, match=r"dyad_id 'd1' has 2"):
        explain_dyad(model, pd.concat([table, table.loc[["d1"]]]), "d1")


def test_unknown_values_and_columns() -> None:
    data = make_data(10)
    model, table = fit(data), data["features"]
    hole = table.loc["d1"].copy()
    hole["decider_follow_back_rate"] = np.nan
    with pytest.raises(InputError, match=r"decider_follow_back_rate is unknown for this dyad"):
        explain_dyad(model, hole)
    with pytest.raises(InputError, match=r"decider_ratio_log is in the model but not in the table"):
        explain_dyad(model, table.drop(columns="decider_ratio_log"), "d1")


@pytest.mark.parametrize("is_part", [False, True])
def test_convictions_are_never_shown_for_a_person(
    monkeypatch: pytest.MonkeyPatch, is_part: bool
) -> None:
    data = make_data(11)
    model = fit(data)
    sensitive = replace(CATALOGUE["has_decider_history"], name="dyad_stance", is_sensitive=True)
    if is_part:
        monkeypatch.setitem(CATALOGUE, "dyad_stance", sensitive)
        entry = replace(CATALOGUE["decider_ratio_log"], parts=("dyad_stance", "decider_ratio_log"))
        monkeypatch.setitem(CATALOGUE, "decider_ratio_log", entry)
    else:
        monkeypatch.setitem(CATALOGUE, "has_decider_history", sensitive)
    with pytest.raises(InputError, match=r"never shown"):
        explain_dyad(model, data["features"], "d1")
