"""Who is answered sooner: a discrete-time hazard regression whose person-period table never exists.

Waiting time is cut into bins; in each bin a dyad still at risk is answered with probability p,
cloglog(p) = α_bin + xβ (Prentice & Gloeckler 1978, doi:10.2307/2529588: the proportional-hazards
model of grouped times, so exp(β) is a hazard ratio) or logit(p) = α_bin + xβ. Features hold as of t
throughout. The usual fit expands each dyad into a row a bin; here each bin is a slice of the dyads
sorted by when they left, so memory stays that of the features.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from followkit import covariance as cov
from followkit.errors import CannotFitError, InputError, ParameterError
from followkit.hazard_fit import HazardFit, Link, RiskSets, make_risk_sets
from followkit.incidence import check_choice, estimate_incidence, make_bins
from followkit.usable import drop_owned, drop_useless, keep_first

__all__ = ["HazardModel", "Link", "compare_incidence", "fit_hazard", "predict_incidence"]

FloatArray = npt.NDArray[np.float64]
FlagArray = npt.NDArray[np.bool_]

FEWEST_EVENTS = 20
COVARIANCES = ("dyadic_cr3", "dyadic", "classical")


@dataclass(frozen=True)
class HazardModel:
    """A fitted hazard regression.

    Attributes
    ----------
    event, link
        Which state is the event; cloglog (hazard ratios) or logit (odds ratios of the hazard).
    limits
        Of the bins, J + 1 numbers of days.
    names, dropped
        Features in the model; feature, reason of those left out.
    coefficients
        term, estimate, std_error, ci_low, ci_high, p_value: log hazard ratio (or log odds ratio)
        per raw unit of each feature.
    baseline
        from_days, to_days, at_risk, event_count, alpha: the bins, and their intercept where all
        features are 0; −∞ where a bin has no event.
    covariance
        Of (α of the bins with events, β).
    covariance_kind, degrees_of_freedom, accounts
        How errors were made.
    used
        Which rows of the input were used.
    values
        Features of the used rows, n × p.
    log_likelihood, step_count
        At the maximum; Newton steps to it.
    confidence, notes
        Of the intervals; decisions of the fit in sentences.
    """

    event: str
    link: Link
    limits: FloatArray
    names: tuple[str, ...]
    dropped: pd.DataFrame
    coefficients: pd.DataFrame
    baseline: pd.DataFrame
    covariance: FloatArray
    covariance_kind: str
    degrees_of_freedom: float
    accounts: cov.Accounts
    used: FlagArray
    values: FloatArray
    log_likelihood: float
    step_count: int
    confidence: float
    notes: tuple[str, ...]

    def bin_hazards(self, values: FloatArray) -> Iterator[FloatArray]:
        """Yield each bin's hazard −log(1 − p) for rows of features, in order of time."""
        beta = self.coefficients["estimate"].to_numpy(float)
        linear = values @ beta
        for alpha in self.baseline["alpha"].to_numpy(float):
            if self.link == "cloglog":
                yield np.exp(np.minimum(alpha + linear, 700.0))
            else:
                yield np.logaddexp(0.0, alpha + linear)


def fit_hazard(
    waiting: pd.DataFrame,
    features: pd.DataFrame,
    *,
    link: Link = "cloglog",
    event: str = "answered",
    names: Sequence[str] | None = None,
    limits: Sequence[float] | FloatArray | None = None,
    bin_count: int = 20,
    until_days: float | None = None,
    keep_all: bool = False,
    covariance: str = "dyadic_cr3",
    confidence: float = 0.95,
) -> HazardModel:
    """Fit how features as of the follow are associated with the pace of answers.

    Parameters
    ----------
    waiting
        initiator_id, decider_id, duration_days, state (and entry_days) from `make_waiting`; pairs
        with equal stamps have no initiator and should be left out beforehand.
    features
        One row each, in the same order; rows with a missing value are left out and counted. May
        have no column: then only the bins are fitted.
    link
        cloglog or logit.
    event
        answered, or withdrawn or deleted for the hazard that competes with it; every other way out
        ends a dyad's time at risk.
    names
        Features to use, in order of priority; all without.
    limits, bin_count, until_days
        Limits of the bins, or what `followkit.incidence.make_bins` makes them from. Waits longer
        than the last limit count as cut off there.
    keep_all
        Use every feature, however few the events; without it max(3, events / (10 × design effect)).
    covariance
        dyadic_cr3; dyadic (plain); classical, as if dyads were independent.
    confidence
        Of the intervals.

    Returns
    -------
    HazardModel

    Notes
    -----
    A dyad that leaves in the middle of a bin without the event was at risk for a part of it. It
    counts with the share of the bin's cumulative hazard (Nelson–Aalen over all dyads) that had
    passed by then: for cloglog exactly an offset log(share). Leaving it out would select on the
    outcome, since dyads with the event by then stay in; counting it whole would understate the
    hazard. Late entries count likewise from where they entered.

    Raises
    ------
    InputError
        If the rows do not match, or waiting is not as it has to be.
    CannotFitError
        If there are under 20 events, no feature varies, or one decides the outcome alone.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = pd.DataFrame({"x": rng.normal(size=600)})
    >>> days = rng.exponential(np.exp(-x["x"].to_numpy()))
    >>> waiting = pd.DataFrame({"initiator_id": [f"a{k % 60}" for k in range(600)],
    ...     "decider_id": [f"b{k // 10}" for k in range(600)], "duration_days": days,
    ...     "state": "answered"})
    >>> model = fit_hazard(waiting, x)
    >>> slope = model.coefficients.iloc[0]
    >>> bool(abs(slope["estimate"] - 1) < 3 * slope["std_error"])
    True
    """
    check_choice("link", link, ("cloglog", "logit"))
    check_choice("event", event, ("answered", "withdrawn", "deleted"))
    check_choice("covariance", covariance, COVARIANCES)
    table, used, notes = _choose_rows(waiting, features, names)
    rows = waiting[used]
    edges = (
        make_bins(rows, bin_count=bin_count, until_days=until_days, event=event)
        if limits is None
        else np.asarray(limits, dtype=np.float64)
    )
    risk = make_risk_sets(rows, event, edges)
    accounts = cov.code_accounts(rows["initiator_id"], rows["decider_id"])
    kept, dropped, more = _choose_columns(table, risk, accounts, keep_all)
    values = table[kept].to_numpy(float)
    fit = HazardFit(risk, values, link)
    fit.solve(kept)
    matrix = fit.covariance(covariance, accounts)
    freedom = accounts.degrees_of_freedom if covariance != "classical" else np.inf
    return HazardModel(
        event=event, link=link, limits=edges, names=tuple(kept),
        dropped=pd.DataFrame(dropped, columns=["feature", "reason"]),
        coefficients=_make_coefficients(fit, matrix, kept, freedom, confidence),
        baseline=fit.baseline(edges), covariance=matrix, covariance_kind=covariance,
        degrees_of_freedom=freedom, accounts=accounts, used=used, values=values,
        log_likelihood=fit.log_likelihood, step_count=fit.step_count, confidence=confidence,
        notes=tuple(notes + more),
    )  # fmt: skip


def predict_incidence(
    model: HazardModel, features: pd.DataFrame, rival: HazardModel | None = None
) -> FloatArray:
    """Return P(answered by the end of each bin) for rows of features, n × J.

    With h the hazard −log(1 − p) of answers and r that of the rival (withdrawals, with the same
    limits), a bin adds S · h / (h + r) · (1 − exp(−h − r)), S being the share still waiting.

    Raises
    ------
    InputError
        If the two models have different bins.

    Examples
    --------
    >>> waiting = pd.DataFrame({"initiator_id": list("abcdef") * 10,
    ...     "decider_id": [f"g{k // 3}" for k in range(60)],
    ...     "duration_days": np.tile([1.0, 2.0], 30), "state": ["answered", "censored"] * 30})
    >>> model = fit_hazard(waiting, waiting[[]], limits=[0, 1, 2])
    >>> predict_incidence(model, waiting[[]].head(1)).tolist()
    [[0.5, 0.5]]
    """
    values = features[list(model.names)].to_numpy(float)
    rivals = None if rival is None else features[list(rival.names)].to_numpy(float)
    return np.column_stack(list(_walk(model, values, rival, rivals)))


def compare_incidence(
    model: HazardModel, waiting: pd.DataFrame, rival: HazardModel | None = None
) -> pd.DataFrame:
    """Return the mean predicted incidence beside Aalen–Johansen's, over the dyads of the fit.

    They differ where the model does not hold, or where how long dyads were watched depends on their
    features (Aalen–Johansen takes the watch to be unrelated to the answer).

    Parameters
    ----------
    model, waiting
        The fit and the table it was fitted to.
    rival
        The hazard of withdrawals, of the same dyads and bins; without it withdrawals are taken not
        to happen, and the comparison is with Kaplan–Meier.

    Returns
    -------
    pandas.DataFrame
        duration_days (the ends of the bins), predicted, observed, gap = predicted − observed.
    """
    rows = waiting[model.used]
    values = None
    if rival is not None:
        if not np.array_equal(rival.used, model.used):
            raise InputError("rival: it must be fitted to the same rows as the model")
        values = rival.values
    predicted = [float(step.mean()) for step in _walk(model, model.values, rival, values)]
    found = estimate_incidence(rows, "censor" if rival is None else "compete")
    observed = found.share_at(model.limits[1:])
    return pd.DataFrame(
        {"duration_days": model.limits[1:], "predicted": predicted, "observed": observed,
         "gap": np.subtract(predicted, observed)}
    )  # fmt: skip


def _walk(
    model: HazardModel, values: FloatArray, rival: HazardModel | None, rivals: FloatArray | None
) -> Iterator[FloatArray]:
    """Yield the incidence by the end of each bin, holding one bin at a time."""
    if rival is not None and not np.array_equal(rival.limits, model.limits):
        raise InputError(
            f"rival: it needs the limits of the model ({len(model.limits):,} numbers); fit it with "
            "limits=model.limits"
        )
    surviving, incidence = np.ones(len(values)), np.zeros(len(values))
    none = np.zeros(len(values))
    others = iter(()) if rival is None or rivals is None else rival.bin_hazards(rivals)
    for hazard in model.bin_hazards(values):
        total = hazard + next(others, none)
        left = -np.expm1(-total)
        share = np.divide(hazard, total, out=np.zeros_like(total), where=total > 0)
        incidence = incidence + surviving * share * left
        surviving = surviving * (1 - left)
        yield incidence


# -- which rows and columns ----------------------------------------------------------------------


def _choose_rows(
    waiting: pd.DataFrame, features: pd.DataFrame, names: Sequence[str] | None
) -> tuple[pd.DataFrame, FlagArray, list[str]]:
    if len(waiting) != len(features):
        raise InputError(
            f"features: waiting has {len(waiting):,} rows and features {len(features):,}; they "
            "must be about the same dyads in the same order"
        )
    chosen = list(features.columns if names is None else names)
    unknown = [name for name in chosen if name not in features]
    if unknown:
        raise ParameterError(f"names: no feature is called {unknown[0]}")
    table = features[chosen].reset_index(drop=True)
    if np.isinf(table.to_numpy(float, na_value=np.nan)).any():
        raise InputError("features: values must be finite; some are infinite")
    used = table.notna().all(axis=1).to_numpy(dtype=bool)
    if not used.any():
        raise CannotFitError(
            f"features: of {len(used):,} dyads none has an initiator and all its features known; "
            "nothing is left to fit"
        )
    lost = int((~used).sum())
    notes = [f"{lost:,} of {len(used):,} dyads were left out because a feature is unknown."]
    return table[used], used, notes * bool(lost)


def _choose_columns(
    table: pd.DataFrame, risk: RiskSets, accounts: cov.Accounts, keep_all: bool
) -> tuple[list[str], list[tuple[str, str]], list[str]]:
    happened = risk.happened.astype(float)
    if happened.sum() < FEWEST_EVENTS:
        raise CannotFitError(
            f"only {happened.sum():.0f} events among {len(happened):,} dyads: too few for a hazard "
            f"regression, which needs {FEWEST_EVENTS}"
        )
    kept, dropped = drop_useless(table)
    kept, owned = drop_owned(table[kept], accounts)
    dropped += owned
    notes: list[str] = []
    if not keep_all and kept and happened.sum() < len(happened):
        rate = cov.dyadic_rate(happened[risk.place], accounts)
        kept, narrowed, notes = keep_first(kept, rate)
        dropped += narrowed
    if not kept and table.shape[1]:
        raise CannotFitError("features: no feature varies, so there is nothing to explain")
    return kept, dropped, notes


def _make_coefficients(
    fit: HazardFit, matrix: FloatArray, names: Sequence[str], freedom: float, confidence: float
) -> pd.DataFrame:
    size = len(fit.bins)
    beta = fit.raw()[size:]
    error = np.sqrt(np.clip(np.diag(matrix)[size:], 0, None))
    reach = stats.t.ppf((1 + confidence) / 2, freedom) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        p_value = 2 * stats.t.sf(np.abs(beta / error), freedom)
    return pd.DataFrame(
        {"term": list(names), "estimate": beta, "std_error": error, "ci_low": beta - reach,
         "ci_high": beta + reach, "p_value": p_value}
    )  # fmt: skip
