"""What all claims share: the usable features, one model a set of them, and tests of combinations.

A contrast is a row of numbers, one a coefficient of the model: the combination that is tested.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

from followkit import covariance as cov
from followkit.dyads import DyadSet
from followkit.effects import average_marginal_effects
from followkit.errors import CannotFitError, InputError
from followkit.features import CATALOGUE, FeatureTable
from followkit.features.claim import Claim
from followkit.logit import expit
from followkit.model import (
    FEWEST_EFFECTIVE_ACCOUNTS,
    FEWEST_EVENTS,
    FollowBackModel,
    fit_follow_back,
)
from followkit.splits import Split, make_account_blocks

FloatArray = npt.NDArray[np.float64]
FlagArray = npt.NDArray[np.bool_]

#: A feature has to be known for more than this share of the dyads.
SHARE_KNOWN = 0.5
#: A robust variance this much below the classical one was clipped, not estimated.
SMALLEST_RATIO = 1e-6
#: Column that says which dyads were opened after the median follow.
LATER = "later_half"


class CannotMeasureError(CannotFitError):
    """The data lack what a claim's contrast is made from; the message says what is needed."""


class Bench:
    """The data that all claims share, with every model fitted once.

    Parameters
    ----------
    features, dyads
        The same rows; raises InputError where they are not.
    confidence
        Of the models' intervals.
    """

    def __init__(self, features: FeatureTable, dyads: DyadSet, confidence: float) -> None:
        ids = dyads.table["dyad_id"].to_numpy()
        if not np.array_equal(features.values.index.to_numpy(), ids):
            raise InputError(
                f"features: rows must be those of the {len(ids):,} dyads in the same order (index "
                f"dyad_id); got {len(features.values):,} rows. Make both from one DyadSet."
            )
        self.dyads, self.confidence = dyads, confidence
        self.rows = dyads.table.reset_index(drop=True)
        self.values = features.values.reset_index(drop=True)
        self.untimed = set(features.untimed)
        self.lacking = dict(
            zip(features.missing["feature"], features.missing["reason"], strict=True)
        )
        self.share_known = self.values.notna().mean()
        self.models: dict[tuple[str, ...], FollowBackModel] = {}
        self.rates: dict[bytes, cov.Rate] = {}
        self.split: Split | None = None

    def find_fault(self, name: str) -> str:
        """Return why a feature, or a part of it, cannot be used; "" where it can."""
        if name in self.untimed:
            return f"{CATALOGUE[name].label}: its moment is unknown, so it may post-date the answer"
        if name not in self.values:
            return self.lacking.get(name, f"needs {name}, which was not computed")
        if self.share_known[name] <= SHARE_KNOWN:
            share = f"{self.share_known[name]:.0%}"
            return f"{CATALOGUE[name].label}: not known for enough dyads ({share})"
        return next(filter(None, map(self.find_fault, CATALOGUE[name].parts)), "")

    def choose(self, contrast: Sequence[str], needed: int = 1) -> tuple[str, ...]:
        """Return the usable features of a contrast; the first `needed` ones have to be."""
        for name in contrast[:needed]:
            fault = self.find_fault(name)
            if fault:
                raise CannotMeasureError(fault)
        return tuple(name for name in contrast if not self.find_fault(name))

    def count_known(self, name: str) -> int:
        """Return for how many dyads a feature is known."""
        return int(self.values[name].notna().sum()) if name in self.values else 0

    def find_parts(self, tested: Sequence[str]) -> tuple[str, ...]:
        """Return the main effects that interactions among the tested features need beside them."""
        parts = dict.fromkeys(part for name in tested for part in CATALOGUE[name].parts)
        return tuple(part for part in parts if part not in tested)

    def find_adjusters(self, claim: Claim) -> tuple[str, ...]:
        """Return what was declared for the claim, as far as the data give it."""
        return tuple(name for name in claim.choose_adjusters() if not self.find_fault(name))

    def add_period(self, names: Sequence[str]) -> tuple[str, ...]:
        """Add which dyads are later than the median, and its product with these features."""
        later = (self.rows["at"] > self.rows["at"].median()).to_numpy(float)
        changes = {f"{name}_{LATER}": self.values[name].to_numpy() * later for name in names}
        self.values = self.values.assign(**{LATER: later, **changes})
        return tuple(changes)

    def fit(
        self, tested: Sequence[str], mains: Sequence[str], adjusters: Sequence[str]
    ) -> FollowBackModel:
        """Return the model of these features, in which tested ones and main effects all remain.

        Columns stand in one order whatever the claim, so that claims share models to the last
        bit. Only where a tested feature repeats an adjuster is the tested one put first.

        Raises CannotFitError where the data cannot carry a verdict on them.
        """
        needed = (*tested, *mains)
        everything = tuple(dict.fromkeys((*needed, *adjusters)))
        model = self._fit_once(tuple(name for name in self.values if name in everything))
        if not set(needed) <= set(model.names):
            model = self._fit_once(everything)
        reasons = dict(zip(model.dropped["feature"], model.dropped["reason"], strict=True))
        lost = next((name for name in needed if name in reasons), None)
        if lost:
            raise CannotFitError(f"{_label(lost)}: {reasons[lost]}")
        if model.penalty != "none":
            raise CannotFitError(
                "these features (nearly) decide the outcome in these data, so no finite odds "
                "ratio can be estimated"
            )
        if not model.has_verdicts:
            raise CannotFitError(
                f"only {model.accounts.effective_count:.0f} effective accounts; a verdict needs "
                f"{FEWEST_EFFECTIVE_ACCOUNTS}"
            )
        return model

    def _fit_once(self, names: tuple[str, ...]) -> FollowBackModel:
        if names not in self.models:
            self._check_size(names)
            self.models[names] = fit_follow_back(
                self.values[list(names)], self.rows["outcome"],
                initiator=self.rows["initiator_id"], decider=self.rows["decider_id"],
                weights=self.rows["weight"], confidence=self.confidence,
            )  # fmt: skip
        return self.models[names]

    def _check_size(self, names: tuple[str, ...]) -> None:
        """Refuse more features than the answers carry: a declared adjustment is not cut short."""
        table = self.values[list(names)]
        known = table.notna().all(axis=1).to_numpy()
        rate = self._find_rate(known)
        if rate is None or min(rate.event_count, rate.n - rate.event_count) < FEWEST_EVENTS:
            return  # The fit itself says so, and better.
        carried = cov.count_carried(rate)
        asked = int((table[known].max() > table[known].min()).sum())
        if asked > carried:
            events = min(rate.event_count, rate.n - rate.event_count)
            kind = "answers" if events == rate.event_count else "refusals"
            raise CannotFitError(
                f"{events:,} {kind} (design effect {max(rate.design_effect, 1.0):.1f}) carry "
                f"{carried} features; this contrast and what it is adjusted for are {asked}"
            )

    def _find_rate(self, known: FlagArray) -> cov.Rate | None:
        key = known.tobytes()
        if key not in self.rates and known.any():
            rows = self.rows[known]
            accounts = cov.code_accounts(rows["initiator_id"], rows["decider_id"])
            self.rates[key] = cov.dyadic_rate(rows["outcome"], accounts, weights=rows["weight"])
        return self.rates.get(key)

    def find_blocks(self) -> Split:
        """Return the blocks of accounts that held-out comparisons use."""
        if self.split is None:
            self.split = make_account_blocks(self.dyads)
        return self.split


def joint_wald(model: FollowBackModel, contrasts: FloatArray) -> float:
    """Return the p-value of "all these combinations of coefficients are 0".

    W = (Lβ)ᵀ (L V Lᵀ)⁻¹ Lβ, and W / K against F with K and G_eff − 1 degrees of freedom; with one
    combination it is the square of its t.

    Parameters
    ----------
    model
        A fitted model with dyadic errors.
    contrasts
        L, one row a combination, one column a coefficient (the intercept first).

    Raises
    ------
    CannotFitError
        If the robust covariance was clipped in the direction of a combination, so that it claims
        a certainty that it could not estimate.

    Examples
    --------
    >>> import pandas as pd
    >>> x = pd.DataFrame({"x": np.arange(400) % 7.0, "z": np.arange(400) % 5.0})
    >>> y = np.arange(400) % 3 % 2
    >>> model = fit_follow_back(x, y, initiator=np.arange(400), decider=np.arange(400) + 400)
    >>> p = joint_wald(model, np.array([[0.0, 1.0, 0.0]]))
    >>> bool(np.isclose(p, model.coefficients.loc[1, "p_value"]))
    True
    """
    probability = expit(model.design @ model.beta)
    curvature = model.weights * probability * (1 - probability)
    information = (model.design * curvature[:, None]).T @ model.design
    size = np.sqrt(np.diag(information))
    lines = contrasts / size
    classical = lines @ np.linalg.solve(information / np.outer(size, size), lines.T)
    robust = contrasts @ model.covariance @ contrasts.T
    root = np.linalg.cholesky((classical + classical.T) / 2)
    whitened = np.linalg.solve(root, np.linalg.solve(root, robust).T)
    if not np.linalg.eigvalsh((whitened + whitened.T) / 2).min() > SMALLEST_RATIO:
        raise CannotFitError("its error could not be estimated from so few accounts")
    values = contrasts @ model.beta
    statistic = float(values @ np.linalg.solve(robust, values)) / len(contrasts)
    return float(stats.f.sf(statistic, len(contrasts), model.degrees_of_freedom))


def average_effect(model: FollowBackModel, contrast: FloatArray) -> tuple[float, float]:
    """Return the average marginal effect of a combination of coefficients and its error.

    The combination cβ times the mean of p(1 − p), a change in probability; the error by the delta
    method. For one yes-or-no feature and a step of 1 it is the mean of P(1) − P(0), as in
    `followkit.effects`.

    Examples
    --------
    >>> import pandas as pd
    >>> x = pd.DataFrame({"x": np.arange(400) % 7.0, "z": np.arange(400) % 5.0})
    >>> y = np.arange(400) % 3 % 2
    >>> model = fit_follow_back(x, y, initiator=np.arange(400), decider=np.arange(400) + 400)
    >>> effect, error = average_effect(model, np.array([0.0, 2.0, 0.0]))
    >>> table = average_marginal_effects(model, {"x": 2.0})
    >>> bool(np.allclose([effect, error], table.loc[0, ["effect", "std_error"]].tolist()))
    True
    """
    places = np.flatnonzero(contrast)
    is_flag = len(places) == 1 and bool(np.isin(model.design[:, places[0]], (0.0, 1.0)).all())
    if is_flag and contrast[places[0]] == 1.0:
        table = average_marginal_effects(model, {}).set_index("term")
        found = table.loc[model.names[places[0] - 1]]
        return float(found["effect"]), float(found["std_error"])
    probability = expit(model.design @ model.beta)
    density = probability * (1 - probability)
    size = float(contrast @ model.beta)
    level = float(np.average(density, weights=model.weights))
    curve = np.average(
        (density * (1 - 2 * probability))[:, None] * model.design, axis=0, weights=model.weights
    )
    gradient = level * contrast + size * curve
    return level * size, float(np.sqrt(max(float(gradient @ model.covariance @ gradient), 0.0)))


def _label(name: str) -> str:
    return CATALOGUE[name].label if name in CATALOGUE else name
