"""What a fitted model says in readable units: odds ratios, probability changes, influence."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from followkit.covariance import leave_out_moves
from followkit.errors import InputError, ParameterError
from followkit.logit import expit
from followkit.model import FollowBackModel

FloatArray = npt.NDArray[np.float64]
SQUARED = "_squared"


def odds_ratios(model: FollowBackModel, steps: Mapping[str, float]) -> pd.DataFrame:
    """Return the odds ratio of each feature for its stated step.

    Parameters
    ----------
    model
        A fitted model.
    steps
        Change of the feature that the odds ratio is for (`unit_scale` of the catalogue); 1 without.

    Returns
    -------
    pandas.DataFrame
        term, step, odds_ratio = exp(step · β), ci_low, ci_high, p_value; no intercept. The limits
        of a negative step are swapped, so that ci_low stays the lower one.

    Raises
    ------
    ParameterError
        If a step is 0 or not a finite number.
    """
    _check_steps(steps)
    slopes = model.coefficients.iloc[1:]
    step = np.array([steps.get(term, 1.0) for term in slopes["term"]])
    scaled = slopes[["estimate", "ci_low", "ci_high"]].mul(step, axis=0)
    table = np.exp(scaled).set_axis(["odds_ratio", "ci_low", "ci_high"], axis=1)
    limits = table[["ci_low", "ci_high"]].to_numpy()
    table["ci_low"], table["ci_high"] = limits.min(axis=1), limits.max(axis=1)
    table.insert(0, "term", slopes["term"])
    table.insert(1, "step", step)
    return table.assign(p_value=slopes["p_value"]).reset_index(drop=True)


def average_marginal_effects(model: FollowBackModel, steps: Mapping[str, float]) -> pd.DataFrame:
    """Return the average change in P(answered) for a step of each feature.

    For a feature with two values 0 and 1: the mean over dyads of P(1) − P(0). For others: the mean
    slope dP/dx times the step; a feature and its square (`name_squared`) move together, under the
    name of the feature. Errors by the delta method from the model's covariance.

    Returns
    -------
    pandas.DataFrame
        term, step, effect, std_error, effect_low, effect_high (probabilities, not points).

    Raises
    ------
    ParameterError
        If a step is 0 or not a finite number.
    """
    _check_steps(steps)
    rows = []
    reach = stats.t.ppf((1 + model.confidence) / 2, _freedom(model))
    for place, name in enumerate(model.names, start=1):
        if name.endswith(SQUARED) and name.removesuffix(SQUARED) in model.names:
            continue
        column = model.design[:, place]
        is_flag = bool(np.isin(column, (0.0, 1.0)).all())
        step = 1.0 if is_flag else steps.get(name, 1.0)
        effect, gradient = (
            _flag_effect(model, place) if is_flag else _slope_effect(model, place, name)
        )
        error = abs(step) * float(np.sqrt(max(float(gradient @ model.covariance @ gradient), 0.0)))
        effect *= step
        rows.append((name, step, effect, error, effect - reach * error, effect + reach * error))
    columns = ["term", "step", "effect", "std_error", "effect_low", "effect_high"]
    return pd.DataFrame(rows, columns=columns)


def leave_one_account_out(model: FollowBackModel) -> pd.DataFrame:
    """Return how rate and coefficients move when all dyads of each account are left out.

    In either role: a machine that follows everybody is an initiator, a celebrity a decider. Moves
    are one Newton step, (H − H_v)⁻¹ g_v, close to a refit unless the account carries most answers.

    Parameters
    ----------
    model
        A model fitted to all its dyads (not to a case-control sample).

    Returns
    -------
    pandas.DataFrame
        account_id, initiated_count, received_count (dyads in each role), answer_count (answered
        dyads in either), rate (of the dyads without it; missing where none is left), then each
        feature's estimate without the account (missing for an account that errors are conditioned
        on); most dyads first.

    Raises
    ------
    InputError
        If the model was fitted to a sample of its dyads.

    Examples
    --------
    >>> from followkit.model import fit_follow_back
    >>> rng = np.random.default_rng(1)
    >>> x, ids = pd.DataFrame({"x": rng.normal(size=400)}), np.arange(400)
    >>> model = fit_follow_back(x, rng.random(400) < 0.4, initiator=ids % 40, decider=40 + ids % 39)
    >>> leave_one_account_out(model)[["account_id", "initiated_count"]].head(1).values.tolist()
    [[40, 0]]
    """
    accounts = model.accounts
    if len(accounts.initiator) != len(model.outcome):
        raise InputError(
            f"model: it was fitted to a sample of {len(accounts.initiator):,} of its "
            f"{len(model.outcome):,} dyads; fit all of them to leave accounts out"
        )
    count = len(accounts.ids)
    probability = expit(model.design @ model.beta)
    curvature = model.weights * probability * (1 - probability)
    residual = model.weights * (model.outcome - probability)
    moves = leave_out_moves(model.design, curvature, model.design * residual[:, None], accounts)
    if accounts.conditioned >= 0:
        moves[accounts.conditioned] = np.nan
    table = pd.DataFrame({"account_id": accounts.ids})
    roles = ("initiated_count", accounts.initiator), ("received_count", accounts.decider)
    for name, codes in roles:
        table[name] = np.bincount(codes, minlength=count)
    answered = model.weights * model.outcome
    yes, every, answers = (
        sum(np.bincount(codes, weights=value, minlength=count) for _, codes in roles)
        for value in (answered, model.weights, model.outcome)
    )
    table["answer_count"] = np.asarray(answers).astype(int)
    rest = model.weights.sum() - every
    gone = rest > 1e-9 * model.weights.sum()
    table["rate"] = np.where(gone, (answered.sum() - yes) / np.where(gone, rest, 1.0), np.nan)
    for place, name in enumerate(model.names, start=1):
        table[name] = model.beta[place] - moves[:, place]
    dyads = table["initiated_count"] + table["received_count"]
    order = np.lexsort((np.arange(count), -dyads.to_numpy()))
    return table.iloc[order].reset_index(drop=True)


def _check_steps(steps: Mapping[str, float]) -> None:
    for name, step in steps.items():
        if not np.isfinite(step) or step == 0:
            raise ParameterError(f"steps: {name} needs a finite step other than 0; got {step}")


def _freedom(model: FollowBackModel) -> float:
    return model.degrees_of_freedom if "dyadic" in model.covariance_kind else np.inf


def _flag_effect(model: FollowBackModel, place: int) -> tuple[float, FloatArray]:
    sides = []
    for value in (1.0, 0.0):
        design = model.design.copy()
        design[:, place] = value
        probability = expit(design @ model.beta)
        slope = design * (probability * (1 - probability))[:, None]
        sides.append((_mean(model, probability), _mean(model, slope)))
    return float(sides[0][0] - sides[1][0]), np.asarray(sides[0][1] - sides[1][1])


def _slope_effect(model: FollowBackModel, place: int, name: str) -> tuple[float, FloatArray]:
    probability = expit(model.design @ model.beta)
    density = probability * (1 - probability)
    beta, direction = model.beta, np.zeros((len(density), len(model.beta)))
    direction[:, place] = 1.0
    if name + SQUARED in model.names:
        twin = model.names.index(name + SQUARED) + 1
        direction[:, twin] = 2 * model.design[:, place]
    slope = direction @ beta
    curve = density * (1 - 2 * probability) * slope
    gradient = density[:, None] * direction + curve[:, None] * model.design
    return float(_mean(model, density * slope)), np.asarray(_mean(model, gradient))


def _mean(model: FollowBackModel, values: FloatArray) -> FloatArray:
    return np.average(values, axis=0, weights=model.weights)
