"""The logistic model of follow-back, with inference that knows dyads share accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from followkit import covariance as cov
from followkit import words
from followkit.errors import CannotFitError, InputError, ParameterError, suggest
from followkit.features import CATALOGUE
from followkit.firth import fit_firth
from followkit.logit import LogitRegression, expit
from followkit.reprs import make_repr
from followkit.usable import drop_owned, drop_useless, keep_first, list_empty_cells

FloatArray = npt.NDArray[np.float64]
Penalty = Literal["auto", "none", "ridge", "firth"]
PENALTIES: tuple[Penalty, ...] = ("auto", "none", "ridge", "firth")
COVARIANCES = ("dyadic_cr3", "dyadic", "two_way", "white", "classical")

FEWEST_EVENTS = 20
FEWEST_EFFECTIVE_ACCOUNTS = 20
#: A standardised coefficient with such an error is not estimated but separated.
LARGEST_ERROR = 10.0
#: … if fitted probabilities also come closer to 0 or 1 than this.
SMALLEST_PROBABILITY = 1e-6
PENALTY_WORDS = {"none": "maximum likelihood", "ridge": "ridge penalty", "firth": "Firth's penalty"}
#: Penalty of the ridge model: a standardised slope is drawn as by one prior dyad in each class.
RIDGE = 1.0


@dataclass(frozen=True)
class FollowBackModel:
    """A fitted model and what may be said with it.

    Attributes
    ----------
    pipeline
        scikit-learn Pipeline: StandardScaler, then LogitRegression.
    names
        Features in the model, in order.
    dropped
        feature, reason: what was asked for and left out.
    coefficients
        term, estimate, std_error, ci_low, ci_high, p_value; log odds per raw unit of the feature,
        the intercept first. Errors are missing for a ridge fit.
    covariance
        Of the coefficients, in the order of `coefficients`.
    covariance_kind, degrees_of_freedom, accounts
        How errors were made.
    penalty
        none, ridge or firth.
    used
        Which rows of the input were used.
    design, outcome, weights
        Raw design of the used rows with the intercept column, their outcomes and weights.
    rate
        The base rate of the used rows.
    notes
        Every decision of the fit, in sentences.
    """

    pipeline: Pipeline
    names: tuple[str, ...]
    dropped: pd.DataFrame
    coefficients: pd.DataFrame
    covariance: FloatArray
    covariance_kind: str
    degrees_of_freedom: float
    accounts: cov.Accounts
    penalty: str
    used: npt.NDArray[np.bool_]
    design: FloatArray
    outcome: FloatArray
    weights: FloatArray
    rate: cov.Rate
    confidence: float
    notes: tuple[str, ...]

    @property
    def beta(self) -> FloatArray:
        """The coefficients, intercept first."""
        return self.coefficients["estimate"].to_numpy(float)

    @property
    def has_verdicts(self) -> bool:
        """Whether signs may be judged: unpenalised, dyadic errors, 20 effective accounts."""
        enough = self.accounts.effective_count >= FEWEST_EFFECTIVE_ACCOUNTS
        return self.penalty == "none" and "dyadic" in self.covariance_kind and enough

    def predict_proba(self, features: pd.DataFrame) -> FloatArray:
        """Return P(answered) for rows of features; missing where one of them is missing."""
        values = features[list(self.names)].to_numpy(float)
        return expit(np.column_stack([np.ones(len(values)), values]) @ self.beta)

    def _repr_html_(self) -> str:
        rate = self.rate
        spread = words.percent_range(rate.ci_low, rate.ci_high)
        facts = [
            ("dyads", f"{rate.n:,}, {rate.event_count:,} answered"),
            ("base rate", f"{words.percent(rate.rate)} ({spread})"),
            ("accounts", f"{self.accounts.count:,}, as good as "
             f"{self.accounts.effective_count:,.0f} equally busy ones"),
            ("fit", f"{PENALTY_WORDS[self.penalty]}; errors: {self.covariance_kind}"),
            ("interval", f"{100 * self.confidence:g} %"),
        ]  # fmt: skip
        slopes = self.coefficients.iloc[1:]
        rows = [self._tell_row(row) for row in slopes.itertuples(name="Row")]
        columns = ("feature", "step", "odds ratio", "interval")
        return make_repr("Model of an answer", facts, columns, rows, self.notes)

    def _tell_row(self, row: Any) -> tuple[str, str, str, str]:
        entry = CATALOGUE.get(row.term)
        step = entry.unit_scale if entry else 1.0
        name, unit = (entry.label, entry.unit) if entry else (str(row.term), "per unit")
        odds, *limits = np.exp(step * np.array([row.estimate, row.ci_low, row.ci_high]))
        spread = words.factor_range(*limits) if np.isfinite(limits).all() else "none"
        return name, unit, words.factor(float(odds)), spread


def fit_follow_back(
    features: pd.DataFrame,
    outcome: Any,
    *,
    initiator: Any,
    decider: Any,
    weights: Any = None,
    names: Sequence[str] | None = None,
    penalty: Penalty = "auto",
    covariance: str = "dyadic_cr3",
    confidence: float = 0.95,
) -> FollowBackModel:
    """Fit P(answered) = 1 / (1 + exp(−xβ)) over named features.

    How many: with `penalty="auto"` at most max(3, events / (10 × design effect)) features, the
    first in the order given, without penalty; where they separate the outcome, Firth's fit.

    Parameters
    ----------
    features
        One row a dyad; rows with a missing value are left out and counted.
    outcome
        0 or 1 a row.
    initiator, decider
        Account ids a row, for the errors.
    weights
        Of the rows; 1 without.
    names
        Features to use, in order of priority; all without.
    penalty
        auto; none (all features, maximum likelihood); ridge (all, no errors, no verdicts); firth
        (Firth 1993, doi:10.1093/biomet/80.1.27; profile intervals as if dyads were independent).
    covariance
        dyadic_cr3, dyadic, two_way, white or classical.
    confidence
        Of the intervals.

    Returns
    -------
    FollowBackModel

    Raises
    ------
    InputError
        If the pieces differ in length or an outcome is neither 0 nor 1.
    CannotFitError
        If nobody or everybody answered, there are under 20 answers (or refusals), or no feature
        varies.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = pd.DataFrame({"dyad_topic_cosine": rng.random(400)})
    >>> y = (rng.random(400) < expit(x["dyad_topic_cosine"].to_numpy() * 2 - 1)).astype(int)
    >>> ids = [f"a{k % 40}" for k in range(400)], [f"b{k // 10}" for k in range(400)]
    >>> model = fit_follow_back(x, y, initiator=ids[0], decider=ids[1])
    >>> model.names, model.penalty
    (('dyad_topic_cosine',), 'none')
    """
    _check_choice("penalty", penalty, PENALTIES)
    _check_choice("covariance", covariance, COVARIANCES)
    chosen = choose_names(features, names)
    y, weight = check_rows(features, outcome, initiator, decider, weights)
    used = features[chosen].notna().all(axis=1).to_numpy() & np.isfinite(weight)
    notes = note_missing(features[chosen], used)
    if not used.any():
        raise CannotFitError("features: every row has a missing value; nothing is left to fit")
    table, y, weight = features.loc[used, chosen], y[used], weight[used]
    accounts = cov.code_accounts(np.asarray(initiator)[used], np.asarray(decider)[used])
    rate = cov.dyadic_rate(y, accounts, weights=weight, confidence=confidence)
    _check_events(rate)
    kept, dropped = drop_useless(table)
    kept, owned = drop_owned(table[kept], accounts)
    dropped += owned
    if penalty == "auto":
        kept, narrowed, note = keep_first(kept, rate)
        dropped, notes = dropped + narrowed, notes + note
    if not kept:
        raise CannotFitError("features: no feature varies, so there is nothing to explain")
    values = table[kept].to_numpy(float)
    fit = _Fit(values, y, weight, accounts, covariance, confidence, tuple(kept))
    coefficients, matrix, way, pipeline = fit.run("none" if penalty == "auto" else penalty)
    notes += fit.notes
    notes += _note_accounts(accounts)
    return FollowBackModel(
        pipeline=pipeline,
        names=tuple(kept),
        dropped=pd.DataFrame(dropped, columns=["feature", "reason"]),
        coefficients=coefficients.assign(term=["intercept", *kept]),
        covariance=matrix,
        covariance_kind=covariance if way == "none" else "none" if way == "ridge" else "profile",
        degrees_of_freedom=accounts.degrees_of_freedom,
        accounts=accounts,
        penalty=way,
        used=used,
        design=np.column_stack([np.ones(len(table)), table[kept].to_numpy(float)]),
        outcome=y,
        weights=weight,
        rate=rate,
        confidence=confidence,
        notes=tuple(notes),
    )


class _Fit:
    """One fit on the standardised scale, brought back to raw units."""

    def __init__(
        self,
        values: FloatArray,
        outcome: FloatArray,
        weights: FloatArray,
        accounts: cov.Accounts,
        covariance: str,
        confidence: float,
        names: tuple[str, ...],
    ) -> None:
        self.names = names
        self.values, self.outcome, self.weights = values, outcome, weights
        self.accounts, self.covariance, self.confidence = accounts, covariance, confidence
        self.notes: list[str] = []

    def run(self, penalty: str) -> tuple[pd.DataFrame, FloatArray, str, Pipeline]:
        """Return coefficients, covariance, the penalty in force and the pipeline."""
        scaler = StandardScaler().fit(self.values)
        z = scaler.transform(self.values)
        # z = (x − mean) / scale, so raw coefficients are a linear map of the standardised ones.
        back = np.diag(np.r_[1.0, 1.0 / scaler.scale_])
        back[0, 1:] = -scaler.mean_ / scaler.scale_
        if penalty in ("none", "ridge"):
            ridge = RIDGE if penalty == "ridge" else 0.0
            logit = LogitRegression(ridge=ridge).fit(z, self.outcome, self.weights)
            beta = np.r_[logit.intercept_, logit.coef_[0]]
            deciding = self._separated(z, beta, converged=logit.converged_)
            if penalty == "none" and deciding:
                return self._run_firth(deciding)
            matrix = self._matrix(z, beta)
            if penalty == "ridge":
                self.notes.append(
                    "Ridge-penalised fit: coefficients are shrunk, so no errors and no verdicts."
                )
                matrix = np.full_like(matrix, np.nan)
            elif np.linalg.eigvalsh(matrix).min() < 1e-10 * np.trace(matrix):
                self.notes.append(
                    f"The {self.covariance} covariance was not positive definite and its negative "
                    "eigenvalues were set to 0: there are too few accounts for it."
                )
            table = self._wald(back @ beta, back @ matrix @ back.T)
            pipeline = Pipeline([("scale", scaler), ("logit", logit)])
            return table, back @ matrix @ back.T, penalty, pipeline
        return self._firth(scaler, z, back)

    def _run_firth(self, deciding: str) -> tuple[pd.DataFrame, FloatArray, str, Pipeline]:
        """Return Firth's fit, or say that even it has no answer: its profiles can break down."""
        self.notes.append(
            f"In these data {deciding}, so maximum likelihood has no finite answer: Firth's fit, "
            "intervals as if dyads were independent."
        )
        try:
            return self.run("firth")
        except np.linalg.LinAlgError as why:
            raise CannotFitError(
                f"{deciding}, and Firth's fit breaks down as well; give fewer features"
            ) from why

    def _separated(self, z: FloatArray, beta: FloatArray, *, converged: bool) -> str:
        """Say what puts the estimate at infinity; "" where it is finite.

        The information is then singular to rounding, so a pseudo-inverse would drop just the
        direction that matters and report a tiny error: small eigenvalues are raised, not dropped.
        """
        empty = list_empty_cells(self.names, self.values, self.outcome)
        if empty:
            return " and ".join(empty.values())
        design = np.column_stack([np.ones(len(z)), z])
        linear = design @ beta
        curvature = self.weights * expit(linear) * expit(-linear)
        values, vectors = np.linalg.eigh((design * curvature[:, None]).T @ design)
        floor = max(float(values.max()) * 1e-15, 1e-300)
        errors = np.sqrt((vectors**2 / np.maximum(values, floor)).sum(axis=1))[1:]
        extreme = expit(-np.abs(linear[self.weights > 0])).min() < SMALLEST_PROBABILITY
        if converged and not (extreme and errors.max() > LARGEST_ERROR):
            return ""
        return self._name_deciding(z, errors)

    def _name_deciding(self, z: FloatArray, errors: FloatArray) -> str:
        """Say which features divide answers from refusals, each by itself where one does."""
        yes, no = z[self.outcome == 1], z[self.outcome == 0]
        strict = (yes.min(axis=0) > no.max(axis=0)) | (no.min(axis=0) > yes.max(axis=0))
        nearly = (yes.min(axis=0) >= no.max(axis=0)) | (no.min(axis=0) >= yes.max(axis=0))
        wide = errors > min(LARGEST_ERROR, float(errors.max()) / 2)
        chosen = next(mask for mask in (strict, nearly, wide) if mask.any())
        named = [name for name, is_one in zip(self.names, chosen, strict=True) if is_one]
        how = "alone" if strict.any() else "alone (nearly)"
        return f"{' and '.join(named)} {how} decide{'s' * (len(named) == 1)} the outcome"

    def _matrix(self, z: FloatArray, beta: FloatArray, kind: str | None = None) -> FloatArray:
        kind = kind or self.covariance
        design = np.column_stack([np.ones(len(z)), z])
        probability = expit(design @ beta)
        curvature = self.weights * probability * (1 - probability)
        scores = design * (self.weights * (self.outcome - probability))[:, None]
        information = (design * curvature[:, None]).T @ design
        if kind == "dyadic_cr3":
            return cov.dyadic_cr3(design, curvature, scores, self.accounts)
        if kind == "dyadic":
            return cov.dyadic(scores, information, self.accounts)
        if kind == "two_way":
            ends = self.accounts.initiator, self.accounts.decider
            return cov.two_way(scores, information, *ends)
        if kind == "white":
            return cov.white(scores, information)
        return np.asarray(np.linalg.pinv(information, hermitian=True), np.float64)

    def _wald(self, beta: FloatArray, matrix: FloatArray) -> pd.DataFrame:
        error = np.sqrt(np.diag(matrix))
        freedom = self.accounts.degrees_of_freedom if "dyadic" in self.covariance else np.inf
        reach = stats.t.ppf((1 + self.confidence) / 2, freedom) * error
        with np.errstate(divide="ignore", invalid="ignore"):
            p_value = 2 * stats.t.sf(np.abs(beta / error), freedom)
        return _table(beta, error, beta - reach, beta + reach, p_value)

    def _firth(
        self, scaler: StandardScaler, z: FloatArray, back: FloatArray
    ) -> tuple[pd.DataFrame, FloatArray, str, Pipeline]:
        fit = fit_firth(z, self.outcome, self.weights, self.confidence)
        slopes = fit.limits / scaler.scale_[:, None]
        beta, raw = fit.beta, back @ fit.beta
        matrix = back @ self._matrix(z, beta, "classical") @ back.T
        low, high = np.r_[np.nan, slopes[:, 0]], np.r_[np.nan, slopes[:, 1]]
        p_value = np.r_[np.nan, fit.p_values]
        table = _table(raw, np.sqrt(np.diag(matrix)), low, high, p_value)
        logit = LogitRegression()
        logit.classes_, logit.converged_, logit.n_iter_ = np.array([0, 1]), True, fit.step_count
        logit.intercept_, logit.coef_ = beta[:1], beta[None, 1:]
        logit.n_features_in_ = z.shape[1]
        return table, matrix, "firth", Pipeline([("scale", scaler), ("logit", logit)])


def _table(*columns: FloatArray) -> pd.DataFrame:
    names = ["estimate", "std_error", "ci_low", "ci_high", "p_value"]
    table = pd.DataFrame(dict(zip(names, columns, strict=True)))
    table.insert(0, "term", "")
    return table


def _check_choice(argument: str, value: str, valid: Sequence[str]) -> None:
    if value not in valid:
        raise ParameterError(f"{argument}: {value!r} is unknown; {suggest(value, valid)}")


def choose_names(features: pd.DataFrame, names: Sequence[str] | None) -> list[str]:
    """Return the features that are asked for, or all; an unknown one is an error."""
    chosen = list(features.columns if names is None else names)
    unknown = [name for name in chosen if name not in features.columns]
    if unknown:
        have = [str(name) for name in features.columns]
        raise ParameterError(
            f"names: no feature is called {unknown[0]}; {suggest(unknown[0], have)}"
        )
    if not chosen:
        raise InputError("features: there is no column; make at least one feature")
    return chosen


def check_rows(
    features: pd.DataFrame, outcome: Any, initiator: Any, decider: Any, weights: Any
) -> tuple[FloatArray, FloatArray]:
    """Return outcomes and weights as numbers; parts of unequal length and bad values are errors."""
    y = np.asarray(outcome, dtype=np.float64)
    weight = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    lengths = {
        "features": len(features), "outcome": len(y), "initiator": len(initiator),
        "decider": len(decider), "weights": len(weight),
    }  # fmt: skip
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} {length:,}" for name, length in lengths.items())
        raise InputError(f"rows: all parts need the same number of rows; got {found}")
    bad = ~np.isin(y, (0.0, 1.0))
    if bad.any():
        first = ", ".join(f"row {row + 1}: {y[row]}" for row in np.flatnonzero(bad)[:3])
        raise InputError(f"outcome: must be 0 or 1; {bad.sum():,} rows are not, first {first}")
    infinite = np.isinf(features.to_numpy(float, na_value=np.nan)).any(axis=0)
    if infinite.any():
        named = ", ".join(str(name) for name in features.columns[infinite][:3])
        raise InputError(f"features: values must be finite; {named} holds an infinite one")
    return y, weight


def note_missing(table: pd.DataFrame, used: npt.NDArray[np.bool_]) -> list[str]:
    """Say how many dyads are left out because a feature is unknown; nothing is filled in."""
    left_out = int((~used).sum())
    if not left_out:
        return []
    worst = table.isna().sum().idxmax()
    return [
        f"{left_out:,} of {len(used):,} dyads were left out because a feature is unknown for them "
        f"(most often {worst})."
    ]


def _check_events(rate: cov.Rate) -> None:
    spread = words.percent_range(rate.ci_low, rate.ci_high)
    interval = f"{words.percent(rate.rate)}, interval {spread}"
    if rate.event_count in (0, rate.n):
        who = "nobody" if rate.event_count == 0 else "everybody"
        raise CannotFitError(
            f"{who} followed back (n = {rate.n:,}; {interval}): no model is possible"
        )
    fewer = min(rate.event_count, rate.n - rate.event_count)
    if fewer < FEWEST_EVENTS:
        kind = "answers" if fewer == rate.event_count else "refusals"
        raise CannotFitError(
            f"only {fewer} {kind} among {rate.n:,} dyads ({interval}): too few for a model, which "
            f"needs {FEWEST_EVENTS}; the base rate is all that can be said"
        )


def _note_accounts(accounts: cov.Accounts) -> list[str]:
    notes = []
    if accounts.conditioned >= 0:
        notes.append(
            "One account is in half of the dyads or more: errors are clustered on the others, and "
            "results hold for this account only."
        )
    if accounts.effective_count < FEWEST_EFFECTIVE_ACCOUNTS:
        notes.append(
            f"Only {accounts.effective_count:.0f} effective accounts: intervals are rough and no "
            "verdicts are given."
        )
    return notes
