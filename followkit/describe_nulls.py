"""Reciprocity beside its nulls, in words and as one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from followkit import words
from followkit.errors import InputError
from followkit.html import Summary
from followkit.nulls import (
    ReciprocityEstimate,
    ReciprocityNull,
    reciprocity_correlation,
    reciprocity_null,
)
from followkit.remember import remembered
from followkit.tables import Dataset

#: Halves of the draws that differ by more standard errors had not settled.
MOST_DRIFT = 4.0


@remembered
def compare_with_chance(
    data: Dataset | pd.DataFrame, *, seed: int = 0, confidence: float = 0.95
) -> tuple[Summary, dict[str, Any]]:
    """Return reciprocity beside chance in words, and its numbers for `summary.json`.

    Where no comparison is possible (a star, a complete network), the sentence says why and the
    numbers are empty.

    Examples
    --------
    >>> star = pd.DataFrame({"follower_id": ["me", "me"], "followee_id": ["a", "b"]})
    >>> told, numbers = compare_with_chance(star)
    >>> print(told.text[:61], numbers)
    Reciprocity cannot be compared with chance here: no other net {}
    """
    try:
        null = reciprocity_null(data, seed=seed, confidence=confidence)
        rho = reciprocity_correlation(data, confidence=confidence)
    except InputError as why:
        reason = str(why).removeprefix("follows: ")
        return Summary(
            pd.DataFrame(), f"Reciprocity cannot be compared with chance here: {reason}."
        ), {}
    return describe_nulls(null, rho), collect_nulls(null, rho)


def collect_nulls(null: ReciprocityNull, rho: ReciprocityEstimate) -> dict[str, Any]:
    """Return the numbers of both comparisons by name, missing ones as None."""
    numbers = {
        "dyad_reciprocity": null.observed,
        "by_degrees_alone": null.null_mean,
        "null_low": null.null_low,
        "null_high": null.null_high,
        "ratio": null.ratio,
        "z": null.z,
        "p_value": null.p_value,
        "networks": float(len(null.draws)),
        "effective_networks": null.effective_draw_count,
        "drift": null.drift,
        "rho": rho.value,
        "rho_ci_low": rho.ci_low,
        "rho_ci_high": rho.ci_high,
        "density": rho.density,
    }
    return {name: value if np.isfinite(value) else None for name, value in numbers.items()}


def make_null_table(null: ReciprocityNull, rho: ReciprocityEstimate) -> pd.DataFrame:
    """Return measure, value, range, basis, all as text.

    The range is that of the drawn networks for the null, and an interval for ρ.
    """
    size = f"{words.count(null.tie_count)} ties of {words.count(null.account_count)} accounts"
    drawn = f"{words.count(len(null.draws))} networks with the same degrees"
    level = words.level(null.confidence)
    rows = [
        ("mutual among connected pairs", words.percent(null.observed), "", size),
        ("the same by degrees alone", words.percent(null.null_mean),
         words.percent_range(null.null_low, null.null_high), f"{level} of {drawn}"),
        ("observed over degrees alone", _or_none(null.ratio, words.factor), "", drawn),
        ("z: distance in SDs of those networks", _or_none(null.z, words.signed), "",
         _rank(null)),
        ("ρ: correlation of a tie with its reverse", words.signed(rho.value),
         _range(rho), rho.method),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["measure", "value", "range", "basis"])
    return table.map(lambda text: text.replace(" %", "\u00a0%"))


def describe_nulls(null: ReciprocityNull, rho: ReciprocityEstimate) -> Summary:
    """Say how much of the reciprocity the degrees alone would give, and what density leaves.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> ties = pd.DataFrame(rng.integers(0, 80, (400, 2)), columns=["follower_id", "followee_id"])
    >>> told = describe_nulls(reciprocity_null(ties), reciprocity_correlation(ties))
    >>> print(told.text.split(". ")[0])
    5.1 % of the connected pairs are mutual
    """
    text = (
        f"{words.percent(null.observed)} of the connected pairs are mutual. "
        f"{_compare(null)} {_correlate(rho)}"
    )
    return Summary(make_null_table(null, rho), text, "Reciprocity beside chance", notes=_warn(null))


def _compare(null: ReciprocityNull) -> str:
    spread = words.percent_range(null.null_low, null.null_high)
    level = words.level(null.confidence)
    opening = (
        f"If every account kept its numbers of followers and followees but whom they follow were "
        f"left to chance, {words.percent(null.null_mean)} would be ({level} of "
        f"{words.count(len(null.draws))} such networks: {spread})"
    )
    if null.null_low <= null.observed <= null.null_high:
        return f"{opening}: no more and no fewer than degrees alone would give."
    if not np.isfinite(null.ratio):
        return f"{opening}: degrees alone would give none."
    if null.observed < null.null_low:
        return f"{opening}: fewer than degrees alone would give."
    return (
        f"{opening}. The figure is {words.factor(null.ratio)} times that; "
        f"{words.percent(null.null_mean / null.observed)} of it would be there by degrees alone."
    )


def _correlate(rho: ReciprocityEstimate) -> str:
    text = (
        f"Corrected for density alone ({words.percent(rho.density)} of all possible ties stand), "
        f"reciprocity is ρ = {words.signed(rho.value)}"
    )
    if _range(rho):
        text += f" (interval {_range(rho)})"
    return f"{text}; 0 would be chance and 1 all mutual."


def _range(rho: ReciprocityEstimate) -> str:
    if not np.isfinite(rho.ci_low):
        return ""
    return f"{words.signed(rho.ci_low)} to {words.signed(rho.ci_high)}"


def _rank(null: ReciprocityNull) -> str:
    drawn = len(null.draws)
    if null.p_value * (1 + drawn) < 1.5:
        return f"none of {words.count(drawn)} is as far: p < {1 / drawn:.2g}"
    return f"p = {null.p_value:.2g}, two-sided"


def _or_none(number: float, write: Callable[[float], str]) -> str:
    return write(number) if np.isfinite(number) else "none"


def _warn(null: ReciprocityNull) -> list[str]:
    notes = [
        f"Networks were drawn by switching ties: each was switched "
        f"{null.switches_per_tie:.0f} times on average before the first one counted."
    ]
    if abs(null.drift) > MOST_DRIFT:
        notes.append(
            f"The drawn networks had not settled (first and second half differ by "
            f"{abs(null.drift):.1f} standard errors): do not build on the comparison."
        )
    return notes
