"""Two parts side by side: planted changes are found and told apart, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from followkit import covariance as cov
from followkit.changes import BEHAVIOUR, COMPOSITION, Changes, compare_parts
from followkit.errors import CannotFitError, InputError
from followkit.model import fit_follow_back

NAMES = ["a", "b"]


def make_part(
    seed: int,
    *,
    shift: float = 0.0,
    slopes: tuple[float, float] = (0.8, -0.5),
    base: float = -1.0,
    size: int = 2000,
    accounts: int = 300,
    prefix: str = "u",
) -> Any:
    """Return what `compare_parts` reads of an analysis: dyads, features, rate and model."""
    rng = np.random.default_rng(seed)
    initiator = rng.integers(0, accounts, size)
    decider = (initiator + rng.integers(1, accounts, size)) % accounts
    x = pd.DataFrame(rng.normal(size=(size, 2)), columns=NAMES)
    x["a"] += shift
    outcome = (rng.random(size) < expit(base + x.to_numpy() @ np.array(slopes))).astype(int)
    return describe_part(x, outcome, [f"{prefix}{k}" for k in initiator],
                         [f"{prefix}{k}" for k in decider])  # fmt: skip


def describe_part(x: pd.DataFrame, outcome: Any, initiator: Any, decider: Any) -> Any:
    table = pd.DataFrame({"initiator_id": initiator, "decider_id": decider, "outcome": outcome,
                          "weight": 1.0})  # fmt: skip
    reason, model = "", None
    try:
        model = fit_follow_back(x, outcome, initiator=initiator, decider=decider)
    except CannotFitError as error:
        reason = str(error)
    ends = cov.code_accounts(initiator, decider)
    return SimpleNamespace(
        question="follow_back", confidence=0.95, dataset=object(), model=model, no_model=reason,
        dyads=SimpleNamespace(table=table, horizon_days=30.0, question="follow_back"),
        features=SimpleNamespace(values=x), rate=cov.dyadic_rate(table["outcome"], ends),
    )  # fmt: skip


def piece(changes: Changes, name: str) -> pd.Series:
    return changes.pieces.set_index("piece").loc[name]


def mean_answer(shift: float, slopes: tuple[float, float], base: float = -1.0) -> float:
    """Return the share answered in endless data."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2_000_000, 2)) + np.array([shift, 0.0])
    return float(expit(base + x @ np.array(slopes)).mean())


@pytest.mark.parametrize(
    ("change", "composition", "behaviour"),
    [
        ({"shift": 0.7}, True, False),
        ({"slopes": (-0.2, -0.5)}, False, True),
        ({"base": -0.2}, False, True),
        ({}, False, False),
    ],
)
def test_a_planted_change_is_found_where_it_was_planted(
    change: dict[str, Any], composition: bool, behaviour: bool
) -> None:
    usual = (0.8, -0.5)
    before = mean_answer(0.0, usual)
    expected = mean_answer(change.get("shift", 0.0), usual)
    after = mean_answer(change.get("shift", 0.0), change.get("slopes", usual),
                        change.get("base", -1.0))  # fmt: skip
    found = compare_parts(make_part(3), make_part(4, prefix="v", **change))
    for name, truth, is_there in (
        (COMPOSITION, expected - before, composition), (BEHAVIOUR, after - expected, behaviour),
    ):  # fmt: skip
        row = piece(found, name)
        error = (row["ci_high"] - row["ci_low"]) / 2 / 1.97
        assert abs(row["value"] - truth) < 3 * error
        assert (row["ci_low"] > 0 or row["ci_high"] < 0) == is_there
    assert found.effects["is_changed"].tolist() == [change.get("slopes", usual) != usual, False]


def test_pieces_add_up_to_the_difference() -> None:
    found = compare_parts(make_part(1), make_part(2, shift=0.5, base=-0.5))
    together = piece(found, "together")
    assert piece(found, COMPOSITION)["value"] + piece(found, BEHAVIOUR)["value"] == pytest.approx(
        together["value"]
    )
    # Every feature is known, so the dyads with known features are all dyads.
    assert together[["value", "ci_low", "ci_high"]].tolist() == pytest.approx(found.difference)


def test_the_other_way_round() -> None:
    one, other = make_part(1), make_part(2, slopes=(0.1, -0.5))
    forth, back = compare_parts(one, other), compare_parts(other, one)
    assert forth.effects["ratio"].to_numpy() == pytest.approx(1 / back.effects["ratio"].to_numpy())
    assert forth.effects["p_value"].tolist() == pytest.approx(back.effects["p_value"].tolist())
    assert forth.difference[0] == pytest.approx(-back.difference[0])
    assert forth.effects["first"].tolist() == pytest.approx(back.effects["second"].tolist())


def test_odds_ratios_are_those_of_the_parts_alone() -> None:
    one, other = make_part(1), make_part(2, slopes=(0.1, -0.5))
    effects = compare_parts(one, other).effects
    for column, part in (("first", one), ("second", other)):
        alone = np.exp(part.model.coefficients["estimate"].to_numpy()[1:])
        assert effects[column].to_numpy() == pytest.approx(alone, rel=1e-6)


def test_row_order_does_not_matter() -> None:
    one, other = make_part(1), make_part(2, shift=0.4)
    order = np.random.default_rng(0).permutation(len(other.features.values))
    rows = other.dyads.table.iloc[order]
    shuffled = describe_part(
        other.features.values.iloc[order].reset_index(drop=True), rows["outcome"].to_numpy(),
        rows["initiator_id"].to_numpy(), rows["decider_id"].to_numpy(),
    )  # fmt: skip
    first, second = compare_parts(one, other), compare_parts(one, shuffled)
    assert second.difference == pytest.approx(first.difference)
    assert second.pieces["ci_low"].tolist() == pytest.approx(first.pieces["ci_low"].tolist())


def test_accounts_in_both_parts_tie_them_together() -> None:
    """Deciders with habits: the difference is surer where the same ones decide in both parts."""
    rng = np.random.default_rng(5)
    habit = rng.normal(scale=1.5, size=60)

    def part(seed: int, prefix: str) -> Any:
        rng = np.random.default_rng(seed)
        decider = np.repeat(np.arange(60), 30)
        initiator = [f"i{k}" for k in rng.integers(0, 900, decider.size) + 1000 * seed]
        x = pd.DataFrame(rng.normal(size=(decider.size, 2)), columns=NAMES)
        outcome = (rng.random(decider.size) < expit(-0.5 + habit[decider])).astype(int)
        return describe_part(x, outcome, initiator, [f"{prefix}{k}" for k in decider])

    def width(found: Changes) -> float:
        return found.difference[2] - found.difference[1]

    same = compare_parts(part(1, "d"), part(2, "d"))
    other = compare_parts(part(1, "d"), part(2, "e"))
    assert width(same) < 0.6 * width(other)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    """60 pairs of parts without any change: 95 % intervals miss 0 in 3; more than 8 has p < .01."""
    missed = {COMPOSITION: 0, BEHAVIOUR: 0, "together": 0}
    for seed in range(60):
        one = make_part(2 * seed, size=500, accounts=120)
        other = make_part(2 * seed + 1, size=500, accounts=120)
        for row in compare_parts(one, other).pieces.itertuples():
            missed[row.piece] += not row.ci_low <= 0 <= row.ci_high
    assert max(missed.values()) <= 8


def test_parts_that_cannot_be_compared() -> None:
    one, other = make_part(1), make_part(2)
    with pytest.raises(InputError, match="the same question"):
        compare_parts(one, SimpleNamespace(**{**vars(other), "question": "mutuality"}))
    late = SimpleNamespace(table=other.dyads.table, horizon_days=7.0)
    with pytest.raises(InputError, match=r"the same horizon; got 30\.0 and 7\.0 days"):
        compare_parts(one, SimpleNamespace(**{**vars(other), "dyads": late}))
    with pytest.raises(InputError, match="share 2,000 dyads"):
        compare_parts(one, one)


def test_a_part_without_a_model_leaves_the_rates() -> None:
    one, other = make_part(1), make_part(2)
    outcome = np.zeros(len(other.dyads.table), dtype=int)
    outcome[:3] = 1
    ends = (other.dyads.table[name].to_numpy() for name in ("initiator_id", "decider_id"))
    thin = describe_part(other.features.values, outcome, *ends)
    found = compare_parts(one, thin)
    assert found.effects.empty
    assert found.reason.startswith("the second part has no model")
    assert found.difference[0] == pytest.approx(thin.rate.rate - one.rate.rate)
    separated = SimpleNamespace(**{**vars(other), "model": replace(other.model, penalty="firth")})
    assert "separated" in compare_parts(one, separated).reason
