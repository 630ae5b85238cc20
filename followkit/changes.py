"""Two parts of the dyads side by side: what differs, by how much, and what it comes from.

Two months, two segments, or two data sets whose accounts bear the same ids. An account in both
parts ties them together, so errors are made for both at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from followkit import covariance as cov
from followkit.analysis import Analysis
from followkit.errors import CannotFitError, InputError
from followkit.features import CATALOGUE
from followkit.logit import expit
from followkit.model import FollowBackModel, fit_follow_back
from followkit.verdicts import adjust_holm

FloatArray = npt.NDArray[np.float64]

SECOND = "second"
LEVEL = 0.05
COMPOSITION, BEHAVIOUR = "who followed whom", "how such follows were answered"
EFFECT_COLUMNS = (
    "term", "label", "unit", "first", "first_low", "first_high", "second", "second_low",
    "second_high", "ratio", "ratio_low", "ratio_high", "p_value", "p_holm", "is_changed",
)  # fmt: skip


@dataclass(frozen=True)
class Changes:
    """What differs between two parts of the dyads.

    Attributes
    ----------
    first, second
        The parts.
    difference
        Share answered in the second part less that in the first, with its interval.
    pieces
        piece, value, ci_low, ci_high: the same difference in two pieces, of the dyads with known
        features: that other pairs met (`COMPOSITION`), and that pairs alike were answered more or
        less often (`BEHAVIOUR`); then both together. Empty where no model can be fitted.
    effects
        One row a feature: odds ratios in both parts with intervals, ratio (second over first) with
        its interval, p_value, p_holm and is_changed (p_holm under .05).
    reason
        Why pieces and effects are empty; "" where they are not.
    """

    first: Analysis
    second: Analysis
    difference: tuple[float, float, float]
    pieces: pd.DataFrame
    effects: pd.DataFrame
    reason: str


def compare_parts(first: Analysis, second: Analysis) -> Changes:
    """Return what differs between two analyses of the same question.

    Parameters
    ----------
    first, second
        From `followkit.analysis.analyse`, of the same question, horizon and confidence.

    Returns
    -------
    Changes
        Differences are second less first. The pieces are those of Blinder (1973,
        doi:10.2307/144855) and Oaxaca for a logistic model (Yun 2004,
        doi:10.1016/S0165-1765(03)00252-6) with the first part's coefficients: composition is mean
        p₁(x) over the second part less over the first, behaviour is what the second part's rate has
        beyond that. Intervals are dyadic-robust, from influence values that include the fit.

    Raises
    ------
    InputError
        If the analyses differ in question, horizon or confidence, or share a dyad.
    """
    _check_alike(first, second)
    confidence = first.confidence
    outcomes = [one.dyads.table["outcome"].to_numpy(float) for one in (first, second)]
    weights = [one.dyads.table["weight"].to_numpy(float) for one in (first, second)]
    means = [np.average(y, weights=w) for y, w in zip(outcomes, weights, strict=True)]
    influence = np.concatenate([
        sign * w * (y - mean) / w.sum()
        for sign, y, w, mean in zip((-1, 1), outcomes, weights, means, strict=True)
    ])  # fmt: skip
    accounts = _join_accounts(first.dyads.table, second.dyads.table)
    difference = _interval(means[1] - means[0], influence, accounts, confidence)
    try:
        names = _choose_names(first, second)
        pieces, effects = _compare_models(first, second, names)
    except CannotFitError as error:
        empty = pd.DataFrame(columns=list(EFFECT_COLUMNS))
        return Changes(first, second, difference, pd.DataFrame(), empty, str(error))
    return Changes(first, second, difference, pieces, effects, "")


def _check_alike(first: Analysis, second: Analysis) -> None:
    for name in ("question", "confidence"):
        one, other = getattr(first, name), getattr(second, name)
        if one != other:
            raise InputError(f"second: both parts need the same {name}; got {one} and {other}")
    days = first.dyads.horizon_days, second.dyads.horizon_days
    # Late answers have the gap between their crawls as horizon, which may differ a little.
    if first.question == "follow_back" and days[0] != days[1]:
        raise InputError(
            f"second: both parts need the same horizon; got {days[0]} and {days[1]} days"
        )
    if first.dataset is second.dataset:
        keys = ["initiator_id", "decider_id"]
        shared = pd.MultiIndex.from_frame(first.dyads.table[keys]).isin(
            pd.MultiIndex.from_frame(second.dyads.table[keys])
        )
        if shared.any():
            raise InputError(
                f"second: the parts share {int(shared.sum()):,} dyads; choose segments that do not "
                "overlap"
            )


def _join_accounts(first: pd.DataFrame, second: pd.DataFrame) -> cov.Accounts:
    sides = (pd.concat([first[name], second[name]]) for name in ("initiator_id", "decider_id"))
    return cov.code_accounts(*sides)


def _interval(
    value: float, influence: FloatArray, accounts: cov.Accounts, confidence: float
) -> tuple[float, float, float]:
    """Return a value with its interval; influence values add up to its error."""
    error = cov.dyadic_mean(influence * len(influence), accounts)[1]
    reach = float(stats.t.ppf((1 + confidence) / 2, accounts.degrees_of_freedom)) * error
    return float(value), float(value) - reach, float(value) + reach


def _choose_names(first: Analysis, second: Analysis) -> list[str]:
    """Return features of both models, as many as the smaller part carries."""
    for place, one in (("first", first), ("second", second)):
        if one.model is None:
            raise CannotFitError(f"the {place} part has no model: {one.no_model}")
        if one.model.penalty != "none":
            raise CannotFitError(
                f"the {place} part is separated by a feature, so odds ratios cannot be compared"
            )
    assert first.model is not None
    assert second.model is not None
    most = min(cov.count_carried(first.rate), cov.count_carried(second.rate))
    names = [name for name in first.model.names if name in second.model.names][:most]
    if not names:
        raise CannotFitError("the models of the two parts have no feature in common")
    return names


def _compare_models(
    first: Analysis, second: Analysis, names: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    x, rows = _stack(first, second, names)
    known = x.notna().all(axis=1).to_numpy()
    x, rows = x[known].reset_index(drop=True), rows[known].reset_index(drop=True)
    is_second = rows[SECOND].to_numpy(float)
    products = {f"{name} × {SECOND}": x[name] * is_second for name in names}
    design = x.assign(**{SECOND: is_second, **products})
    model = fit_follow_back(
        design, rows["outcome"], initiator=rows["initiator_id"], decider=rows["decider_id"],
        weights=rows["weight"], penalty="none", confidence=first.confidence,
    )  # fmt: skip
    if len(model.names) < design.shape[1]:
        lost = ", ".join(model.dropped["feature"].astype(str))
        raise CannotFitError(f"{lost} cannot be told apart in one of the parts")
    return _split_difference(x, rows, first.confidence), _compare_effects(model, names)


def _stack(
    first: Analysis, second: Analysis, names: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    parts = (first, second)
    columns = ["initiator_id", "decider_id", "outcome", "weight"]
    x = pd.concat([one.features.values[list(names)] for one in parts], ignore_index=True)
    rows = pd.concat([
        one.dyads.table[columns].assign(**{SECOND: place})
        for place, one in enumerate(parts)
    ], ignore_index=True)  # fmt: skip
    return x, rows


def _compare_effects(model: FollowBackModel, names: Sequence[str]) -> pd.DataFrame:
    """Return odds ratios of both parts and their ratio, from the joint fit."""
    place = {term: row for row, term in enumerate(model.coefficients["term"])}
    reach = float(stats.t.ppf((1 + model.confidence) / 2, model.degrees_of_freedom))
    rows = []
    for name in names:
        step = CATALOGUE[name].unit_scale if name in CATALOGUE else 1.0
        base, change = place[name], place[f"{name} × {SECOND}"]
        found: list[float] = []
        for combination in ((1.0, 0.0), (1.0, 1.0), (0.0, 1.0)):
            weight = np.zeros(len(place))
            weight[[base, change]] = combination
            value = step * float(weight @ model.beta)
            error = step * float(np.sqrt(weight @ model.covariance @ weight))
            found += list(np.exp([value, value - reach * error, value + reach * error]))
        z = float(model.beta[change] / np.sqrt(model.covariance[change, change]))
        p = float(2 * stats.t.sf(abs(z), model.degrees_of_freedom))
        entry = CATALOGUE.get(name)
        label, unit = (entry.label, entry.unit) if entry else (name, "")
        rows.append((name, label, unit, *found, p))
    table = pd.DataFrame(rows, columns=list(EFFECT_COLUMNS[:-2]))
    table["p_holm"] = adjust_holm(table["p_value"])
    return table.assign(is_changed=(table["p_holm"] < LEVEL) & model.has_verdicts)


def _split_difference(x: pd.DataFrame, rows: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Return the difference in rates as composition, behaviour and both together."""
    is_second = rows[SECOND].to_numpy(bool)
    y, w = rows["outcome"].to_numpy(float), rows["weight"].to_numpy(float)
    model = fit_follow_back(
        x[~is_second], y[~is_second], initiator=rows.loc[~is_second, "initiator_id"],
        decider=rows.loc[~is_second, "decider_id"], weights=w[~is_second], penalty="none",
        covariance="classical",
    )  # fmt: skip
    z = np.column_stack([np.ones(len(x)), x[list(model.names)].to_numpy(float)])
    p = expit(z @ model.beta)
    share = np.where(is_second, w / w[is_second].sum(), w / w[~is_second].sum())
    bent = z * (p * (1 - p))[:, None]
    over_first, over_second = (share[part] @ bent[part] for part in (~is_second, is_second))
    curvature = (z[~is_second] * (w * p * (1 - p))[~is_second, None]).T @ z[~is_second]
    # How each dyad of the first part moves the coefficients.
    moves = np.where(~is_second, w * (y - p), 0.0)[:, None] * np.linalg.solve(curvature, z.T).T
    expected, rate = share[is_second] @ p[is_second], share[is_second] @ y[is_second]
    before = share[~is_second] @ y[~is_second]
    composition = np.where(is_second, share * (p - expected), -share * (p - before))
    composition = composition + moves @ (over_second - over_first)
    behaviour = np.where(is_second, share * (y - p - (rate - expected)), 0.0)
    behaviour = behaviour - moves @ over_second
    accounts = cov.code_accounts(rows["initiator_id"], rows["decider_id"])
    pieces = [
        (COMPOSITION, expected - before, composition),
        (BEHAVIOUR, rate - expected, behaviour),
        ("together", rate - before, composition + behaviour),
    ]
    return pd.DataFrame(
        [(name, *_interval(value, moved, accounts, confidence)) for name, value, moved in pieces],
        columns=["piece", "value", "ci_low", "ci_high"],
    )
