"""Case-control sampling: all dyads of the rarer outcome, a few of the commoner one.

Nothing is sampled unless it is asked for; rare answers need no balance, and the only gain is time.
Features come first and from all dyads, only training rows are sampled, the intercept is put back
(King & Zeng 2001, Political Analysis 9, doi:10.1093/oxfordjournals.pan.a004868), and scores belong
on dyads that were not sampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.pipeline import Pipeline

from followkit import words
from followkit.covariance import code_accounts, dyadic_rate
from followkit.errors import CannotFitError, InputError, ParameterError
from followkit.model import (
    FollowBackModel,
    check_rows,
    choose_names,
    fit_follow_back,
    note_missing,
)
from followkit.usable import drop_useless, keep_first

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CaseControl:
    """Which dyads were drawn, and how often each outcome was.

    Attributes
    ----------
    rows
        Positions of the drawn dyads, ascending.
    answered_rate, refused_rate
        Drawn over all dyads, of those answered and of those not; the rarer outcome has 1.
    n
        Dyads they were drawn from.
    """

    rows: npt.NDArray[np.int64]
    answered_rate: float
    refused_rate: float
    n: int

    @property
    def offset(self) -> float:
        """log(answered_rate / refused_rate): how far sampling raised the log odds of an answer."""
        return float(np.log(self.answered_rate / self.refused_rate))

    @property
    def is_sampled(self) -> bool:
        """Whether any dyad was left out."""
        return len(self.rows) < self.n


def sample_case_control(outcome: Any, *, controls_per_case: float, seed: int) -> CaseControl:
    """Draw all dyads of the rarer outcome and so many of the other for each, without replacement.

    Parameters
    ----------
    outcome
        0 or 1 a dyad.
    controls_per_case
        Dyads of the commoner outcome for each of the rarer; all of them where there are fewer.
    seed
        Of the draw.

    Returns
    -------
    CaseControl

    Raises
    ------
    ParameterError
        If `controls_per_case` is below 1.
    InputError
        If an outcome is neither 0 nor 1.
    CannotFitError
        If nobody or everybody answered.

    Examples
    --------
    >>> drawn = sample_case_control([0] * 90 + [1] * 10, controls_per_case=3, seed=1)
    >>> len(drawn.rows), drawn.answered_rate, round(drawn.refused_rate, 3)
    (40, 1.0, 0.333)
    >>> round(drawn.offset, 4)  # log 3: a third of the refusals was kept
    1.0986
    """
    if not np.isfinite(controls_per_case) or controls_per_case < 1:
        raise ParameterError(
            f"controls_per_case: at least 1 dyad for each of the rarer outcome is needed; got "
            f"{controls_per_case}"
        )
    y = np.asarray(outcome, dtype=np.float64)
    if not np.isin(y, (0.0, 1.0)).all():
        raise InputError(
            f"outcome: must be 0 or 1; {int((~np.isin(y, (0.0, 1.0))).sum()):,} rows are not"
        )
    rarer = float(y.mean() <= 0.5) if len(y) else 1.0
    cases, others = np.flatnonzero(y == rarer), np.flatnonzero(y != rarer)
    if not len(cases):
        who = "nobody" if rarer == 1.0 else "everybody"
        raise CannotFitError(f"{who} followed back (n = {len(y):,}): there is nothing to sample")
    size = min(round(controls_per_case * len(cases)), len(others))
    drawn = np.random.default_rng(seed).choice(others, size, replace=False)
    rates = 1.0, size / len(others)
    answered, refused = rates if rarer == 1.0 else rates[::-1]
    return CaseControl(np.sort(np.r_[cases, drawn]), answered, refused, len(y))


def correct_intercept(intercept: float, drawn: CaseControl) -> float:
    """Return the intercept for all dyads from that of the drawn ones (King & Zeng 2001, eq. 7).

    β₀ = b₀ − log[((1 − τ) / τ) · (ȳ / (1 − ȳ))] with τ the share answered of all dyads and ȳ that
    of the drawn ones, which is b₀ − log(answered_rate / refused_rate). Slopes need no correction.

    Examples
    --------
    >>> drawn = sample_case_control([0] * 90 + [1] * 10, controls_per_case=3, seed=1)
    >>> t, y = 10 / 100, 10 / 40
    >>> by_shares = 0.2 - np.log((1 - t) / t * y / (1 - y))
    >>> bool(np.isclose(correct_intercept(0.2, drawn), by_shares))
    True
    """
    return intercept - drawn.offset


def fit_case_control(
    features: pd.DataFrame,
    outcome: Any,
    *,
    initiator: Any,
    decider: Any,
    controls_per_case: float,
    seed: int,
    weights: Any = None,
    names: Sequence[str] | None = None,
    **options: Any,
) -> FollowBackModel:
    """Fit `fit_follow_back` on a case-control sample, with the intercept of all dyads.

    Coefficients, effective accounts, degrees of freedom and errors come from the drawn dyads (that
    of the intercept less what setting the numbers spares). The base rate, `used`, `design`,
    `outcome` and `weights` are those of all dyads, so marginal effects are means over all of them.
    The mean of p over all dyads is the base rate on average over samples; one sample misses it by
    about half a standard error of the rate with 3 controls a case, by a quarter with 10.

    Parameters
    ----------
    features, outcome, initiator, decider, weights, names
        As for `fit_follow_back`: training rows only, with features made before sampling.
    controls_per_case, seed
        As for `sample_case_control`.
    options
        Further options of `fit_follow_back`.

    Returns
    -------
    FollowBackModel
        With a note that says what was drawn; the full fit where nothing had to be left out.

    Raises
    ------
    ParameterError, InputError, CannotFitError
        As `sample_case_control` and `fit_follow_back`.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = pd.DataFrame({"x": rng.normal(size=4000)})
    >>> y = (rng.random(4000) < 1 / (1 + np.exp(3.5 - x["x"]))).astype(int)
    >>> ids = np.arange(4000)
    >>> model = fit_case_control(x, y, initiator=ids, decider=ids + 4000, controls_per_case=3,
    ...                          seed=1)
    >>> print(f"{y.mean():.3f} {model.predict_proba(x).mean():.3f}")
    0.044 0.045
    """
    chosen = choose_names(features, names)
    y, weight = check_rows(features, outcome, initiator, decider, weights)
    ends = np.asarray(initiator), np.asarray(decider)
    known = features[chosen].notna().all(axis=1).to_numpy() & np.isfinite(weight)
    drawn = sample_case_control(y[known], controls_per_case=controls_per_case, seed=seed)
    rows = np.flatnonzero(known)[drawn.rows]
    rate = dyadic_rate(
        y[known], code_accounts(ends[0][known], ends[1][known]), weights=weight[known],
        confidence=options.get("confidence", 0.95),
    )  # fmt: skip
    dropped: list[tuple[str, str]] = []
    notes = note_missing(features[chosen], known)
    if drawn.is_sampled and options.get("penalty", "auto") == "auto":
        # Drawn dyads share less, so on their own they would seem to carry more features.
        useful, dropped = drop_useless(features.loc[known, chosen])
        chosen, narrowed, note = keep_first(useful, rate)
        dropped, notes = dropped + narrowed, notes + note
    model = fit_follow_back(
        features.iloc[rows], y[rows], initiator=ends[0][rows], decider=ends[1][rows],
        weights=weight[rows], names=chosen, **options,
    )  # fmt: skip
    model = replace(model, dropped=_list_dropped(dropped, model.dropped))
    if not drawn.is_sampled:
        return replace(model, used=known, notes=(*notes, *model.notes))
    table = features.loc[known, list(model.names)].to_numpy(float)
    covariance, coefficients = _correct(model, drawn)
    return replace(
        model,
        covariance=covariance,
        pipeline=_correct_pipeline(model.pipeline, drawn),
        coefficients=coefficients,
        used=known,
        design=np.column_stack([np.ones(len(table)), table]),
        outcome=y[known],
        weights=weight[known],
        rate=rate,
        notes=(*notes, _note(drawn), *model.notes),
    )


def _list_dropped(before: list[tuple[str, str]], after: pd.DataFrame) -> pd.DataFrame:
    """Return what was left out of all dyads and then of the drawn ones: feature, reason."""
    rows = [*before, *after.itertuples(index=False, name=None)]
    return pd.DataFrame(rows, columns=["feature", "reason"])


def _correct(model: FollowBackModel, drawn: CaseControl) -> tuple[FloatArray, pd.DataFrame]:
    """Return covariance and coefficients with the intercept that all dyads would give.

    How many dyads of the commoner outcome are drawn is decided, not observed, so 1 / drawn −
    1 / all of them is no part of the intercept's variance (Prentice & Pyke 1979, Biometrika 66,
    doi:10.1093/biomet/66.3.403); slopes are not touched. Its p-value was for another intercept.
    """
    covariance, table = model.covariance.copy(), model.coefficients.copy()
    rate = min(drawn.answered_rate, drawn.refused_rate)
    common = int((model.outcome == float(drawn.answered_rate < 1)).sum())
    before = float(np.sqrt(covariance[0, 0]))
    covariance[0, 0] = max(covariance[0, 0] - (1 - rate) / common, 0.1 * covariance[0, 0])
    shrunk = float(np.sqrt(covariance[0, 0])) / before
    first = table.iloc[0]
    table.loc[0, "estimate"] = correct_intercept(first["estimate"], drawn)
    for limit in ("ci_low", "ci_high"):
        reach = first[limit] - first["estimate"]
        table.loc[0, limit] = table.loc[0, "estimate"] + shrunk * reach
    table.loc[0, "std_error"] = shrunk * first["std_error"]
    table.loc[0, "p_value"] = np.nan
    return covariance, table


def _correct_pipeline(pipeline: Pipeline, drawn: CaseControl) -> Pipeline:
    logit = pipeline.named_steps["logit"]
    logit.intercept_ = logit.intercept_ - drawn.offset
    return pipeline


def _note(drawn: CaseControl) -> str:
    kept, rarer, commoner = drawn.refused_rate, "answers", "refusals"
    if drawn.answered_rate < 1:
        kept, rarer, commoner = drawn.answered_rate, commoner, rarer
    return (
        f"Case-control sample: all {rarer} and {words.percent(kept)} of the {commoner}, "
        f"{len(drawn.rows):,} of {drawn.n:,} dyads; the intercept is corrected to the base rate of "
        "all dyads (King & Zeng 2001)."
    )
