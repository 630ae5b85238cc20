"""What readers are told of reciprocity beside chance: each sentence from its own numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from followkit.describe_nulls import compare_with_chance, describe_nulls
from followkit.nulls import (
    ReciprocityEstimate,
    ReciprocityNull,
    reciprocity_correlation,
    reciprocity_null,
)


@pytest.fixture(scope="module")
def found() -> tuple[ReciprocityNull, ReciprocityEstimate]:
    rng = np.random.default_rng(2)
    drawn = rng.integers(0, 100, (600, 2))
    both = np.vstack([drawn, drawn[rng.random(600) < 0.3][:, ::-1]])
    ties = pd.DataFrame(both, columns=["follower_id", "followee_id"])
    return reciprocity_null(ties), reciprocity_correlation(ties)


def test_more_than_degrees(found: tuple[ReciprocityNull, ReciprocityEstimate]) -> None:
    null, rho = found
    told = describe_nulls(null, rho)
    assert f"The figure is {null.ratio:.2f} times that" in told.text
    assert f"{100 * null.null_mean / null.observed:.1f} % of it would be there" in told.text
    assert f"ρ = {rho.value:.2f} (interval {rho.ci_low:.2f} to {rho.ci_high:.2f})" in told.text
    values = told.table.set_index("measure")["value"]
    assert values["mutual among connected pairs"] == f"{100 * null.observed:.1f}\u00a0%"
    assert values["z: distance in SDs of those networks"] == f"{null.z:.2f}"
    assert told.table["basis"].iloc[3] == "none of 100 is as far: p < 0.01"
    near = describe_nulls(replace(null, p_value=0.2), rho).table["basis"].iloc[3]
    assert near == "p = 0.2, two-sided"
    assert len(told.notes) == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"observed": 0.05, "null_low": 0.04, "null_high": 0.06}, "no more and no fewer than"),
        ({"observed": 0.01, "null_low": 0.04, "null_high": 0.06}, ": fewer than degrees alone"),
        ({"null_mean": 0.0, "ratio": np.nan, "null_low": 0.0, "null_high": 0.0}, "give none"),
    ],
)
def test_other_outcomes(
    found: tuple[ReciprocityNull, ReciprocityEstimate], change: dict[str, float], sentence: str
) -> None:
    assert sentence in describe_nulls(replace(found[0], **change), found[1]).text


def test_networks_that_did_not_settle_are_not_to_be_built_on(
    found: tuple[ReciprocityNull, ReciprocityEstimate],
) -> None:
    notes = describe_nulls(replace(found[0], drift=-7.3), found[1]).notes
    assert "differ by 7.3 standard errors" in notes[-1]


def test_no_interval_is_made_up(found: tuple[ReciprocityNull, ReciprocityEstimate]) -> None:
    bare = replace(found[1], ci_low=np.nan, ci_high=np.nan, method="no interval: no tie is mutual")
    told = describe_nulls(found[0], bare)
    assert "interval" not in told.text
    assert told.table["basis"].iloc[-1].startswith("no interval")


def test_a_report_says_why_there_is_no_comparison() -> None:
    """A star, a complete network: a sentence, and nothing in the numbers."""
    star = pd.DataFrame({"follower_id": ["me"] * 30, "followee_id": [f"a{k}" for k in range(30)]})
    told, numbers = compare_with_chance(star)
    assert told.text.startswith("Reciprocity cannot be compared with chance here: no other network")
    assert told.table.empty
    assert numbers == {}


def test_numbers_of_the_summary_are_those_of_the_sentence() -> None:
    rng = np.random.default_rng(2)
    ties = pd.DataFrame(rng.integers(0, 100, (600, 2)), columns=["follower_id", "followee_id"])
    told, numbers = compare_with_chance(ties, seed=3)
    assert f"{100 * numbers['dyad_reciprocity']:.1f} % of the connected pairs" in told.text
    assert f"{100 * numbers['by_degrees_alone']:.1f} % would be" in told.text
    assert numbers["networks"] == 100
    again, _ = compare_with_chance(ties.iloc[::-1], seed=3)
    assert again.text == told.text
