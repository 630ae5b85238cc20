"""Claims and what the data say of them: one declared contrast each, one verdict each.

A claim is judged by its own model: the contrast, the main effects of interactions in it, and the
adjusters that were declared for it, as far as the data give them. Holm's rule then covers all the
claims that could be tested. Every word here is "associated with"; nothing is caused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from followkit.contrasts import LATER, Bench, CannotMeasureError, average_effect, joint_wald
from followkit.dyads import DyadSet
from followkit.effects import SQUARED
from followkit.errors import CannotFitError, InputError, ParameterError, suggest
from followkit.features import CATALOGUE, FeatureTable
from followkit.features.claim import Claim
from followkit.model import FollowBackModel
from followkit.shapes import compare_shapes, inverted_u_test
from followkit.splits import Split

FloatArray = npt.NDArray[np.float64]

VERDICTS = (
    "supported", "contradicted", "negligible", "undecided", "too little data", "not measurable",
)  # fmt: skip
COLUMNS = (
    "claim", "factor", "text", "verdict", "feature", "label", "unit", "estimate", "odds_ratio",
    "ci_low", "ci_high", "effect", "effect_low", "effect_high", "p_value", "p_holm", "sign", "n",
    "adjusted_for", "grade", "reason",
)  # fmt: skip
#: An association is negligible if this interval of it lies within ±delta: two one-sided tests.
NEGLIGIBLE_CONFIDENCE = 0.90
#: What a landmark row may bring along.
TAKEN = (
    "feature", "label", "unit", "estimate", "odds_ratio", "ci_low", "ci_high", "effect",
    "effect_low", "effect_high", "p_value", "n", "adjusted_for", "reason",
)  # fmt: skip


@dataclass(frozen=True)
class _Finding:
    """What the contrast of one claim came to, before the claims are put together.

    `agrees` is +1 as claimed, −1 against the claim, 0 where neither can be said; `verdict` is
    given only where no p-value decides it.
    """

    feature: str = ""
    label: str = ""
    unit: str = ""
    estimate: float = np.nan
    odds_ratio: float = np.nan
    ci_low: float = np.nan
    ci_high: float = np.nan
    effect: float = np.nan
    effect_low: float = np.nan
    effect_high: float = np.nan
    p_value: float = np.nan
    n: int = 0
    adjusted_for: str = ""
    reason: str = ""
    agrees: int = 0
    is_negligible: bool = False
    verdict: str = ""


def judge_claims(
    claims: Iterable[Claim],
    features: FeatureTable,
    dyads: DyadSet,
    *,
    delta: float = 0.01,
    confidence: float = 0.95,
    alpha: float = 0.05,
    landmarks: Mapping[str, Mapping[str, Any]] | None = None,
) -> pd.DataFrame:
    """Return one verdict a claim, from the contrast that was declared for it.

    Each claim has its own logistic model with `dyadic_cr3` errors. Slopes and interactions are
    tested by Wald (several features jointly, F with K and G_eff − 1 degrees of freedom), shapes as
    in `followkit.shapes`. The p-values of all testable claims form one family: Holm (1979),
    Scandinavian Journal of Statistics 6.

    - *supported*, *contradicted*: p_holm < alpha, in the claimed direction or against it.
      Several features have a direction only if the interval of their mean excludes 0.
    - *negligible*: not so, and the 90 % interval of every tested marginal effect lies within
      ±delta.
    - *undecided*: none of these; the association is not told from 0.
    - *too little data*: too few answers or effective accounts, separation, a constant feature.
    - *not measurable*: a table is lacking. These last two are outside the family.

    Parameters
    ----------
    claims
        From `followkit.features.CLAIMS`, each once.
    features, dyads
        Features of the dyads, row by row; those listed in `features.untimed` are not used.
    delta
        Half-width of "negligible", a change in probability (0.01: one percentage point).
    confidence
        Of the intervals shown; they are not adjusted for the number of claims.
    alpha
        Of Holm's rule.
    landmarks
        By claim id, rows about outcomes of their own (`followkit.meaning`): estimate,
        p_value, sign, and any other column of the result. A finite p_value joins the family. Used
        for claims whose test is "landmark" only.

    Returns
    -------
    pandas.DataFrame
        One row a claim, in the order given: claim, factor, text, verdict, feature (the headline),
        label, unit, estimate (log odds per step; of several features the mean over them, each
        turned towards the headline's expected sign), odds_ratio, ci_low, ci_high, effect,
        effect_low, effect_high (average change in probability per step, 0.01 is one percentage
        point; missing for interactions and shapes), p_value (two-sided), p_holm, sign (expected),
        n (dyads used), adjusted_for, grade, reason.

    Raises
    ------
    ParameterError
        If an argument is out of range, a claim comes twice, or it names an unknown feature.
    InputError
        If features and dyads are not the same rows.

    Examples
    --------
    >>> from followkit.logit import expit
    >>> rng = np.random.default_rng(3)
    >>> ids = pd.DataFrame({"initiator_id": np.arange(900) % 60, "decider_id": 60 + np.arange(900)})
    >>> ratio = rng.normal(size=900)
    >>> outcome = (rng.random(900) < expit(-ratio)).astype(int)
    >>> rows = ids.assign(dyad_id=np.arange(900), outcome=outcome, weight=1.0, at=pd.NaT, fold=0)
    >>> dyads = DyadSet("mutuality", rows, pd.DataFrame(), None, "snapshot", None, False)
    >>> values = pd.DataFrame({"decider_ratio_log": ratio})
    >>> none = pd.DataFrame(columns=["feature", "claim", "reason"])
    >>> claim = Claim("3a", "Deciders with many followers are selective.", -1,
    ...               ("decider_ratio_log",))
    >>> judge_claims([claim], FeatureTable(values, none), dyads)["verdict"].tolist()
    ['supported']
    """
    chosen = list(claims)
    _check_arguments(chosen, delta, confidence, alpha)
    bench = Bench(features, dyads, confidence)
    findings = [_find(claim, bench, delta, landmarks or {}) for claim in chosen]
    adjusted = adjust_holm([finding.p_value for finding in findings])
    family = int(np.isfinite(adjusted).sum())
    rows = []
    for claim, finding, p_holm in zip(chosen, findings, adjusted, strict=True):
        verdict = finding.verdict or _decide(finding, p_holm, alpha)
        row = asdict(finding) | {
            "claim": claim.id, "factor": claim.factor, "text": claim.text, "verdict": verdict,
            "p_holm": p_holm, "sign": claim.sign, "grade": claim.grade,
        }  # fmt: skip
        row["reason"] = finding.reason or _explain(verdict, float(p_holm), family, delta, alpha)
        rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def adjust_holm(p_values: Sequence[float]) -> FloatArray:
    """Return p-values adjusted by Holm's step-down rule; missing ones stay out of the family.

    Holm (1979), Scandinavian Journal of Statistics 6: the k-th smallest of m is multiplied by
    m − k + 1, made not to decrease, and cut at 1.

    Examples
    --------
    >>> adjust_holm([0.04, np.nan, 0.01, 0.03]).tolist()
    [0.06, nan, 0.03, 0.06]
    """
    values = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(len(values), np.nan)
    tested = np.flatnonzero(np.isfinite(values))
    order = tested[np.argsort(values[tested], kind="stable")]
    steps = values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def _find(
    claim: Claim, bench: Bench, delta: float, landmarks: Mapping[str, Mapping[str, Any]]
) -> _Finding:
    """Return what the contrast of a claim came to, or why it came to nothing."""
    if claim.test == "none":
        return _Finding(verdict="not measurable", reason=claim.needs)
    if claim.test == "landmark":
        return _find_landmark(claim, landmarks.get(claim.id, {}))
    headline = claim.contrast[0]
    named = _Finding(headline, CATALOGUE[headline].label, CATALOGUE[headline].unit)
    try:
        return TESTS[claim.test](claim, bench, delta)
    except CannotMeasureError as why:
        return replace(named, verdict="not measurable", reason=str(why))
    except CannotFitError as why:
        known = bench.count_known(headline)
        return replace(named, n=known, verdict="too little data", reason=str(why))


def _find_slope(claim: Claim, bench: Bench, delta: float) -> _Finding:
    """Slopes of one feature or several, and products of interactions."""
    tested = bench.choose(claim.contrast)
    if claim.test == "interaction":
        tested = tuple(name for name in tested if CATALOGUE[name].parts)
    model = bench.fit(tested, bench.find_parts(tested), bench.find_adjusters(claim))
    rows = [_make_row(model, name, _find_step(name, tested[0])) for name in tested]
    found = _find_linear(claim, model, np.stack(rows), tested, delta)
    return _hide_effect(found) if any(CATALOGUE[name].parts for name in tested) else found


def _find_difference(claim: Claim, bench: Bench, delta: float) -> _Finding:
    """The standardised slope of the first feature less that of the second."""
    tested = bench.choose(claim.contrast[:2], needed=2)
    model = bench.fit(tested, bench.find_parts(tested), bench.find_adjusters(claim))
    spread = dict(zip(model.names, model.pipeline["scale"].scale_, strict=True))
    first, second = (_make_row(model, name, spread[name]) for name in tested)
    finding = _find_linear(claim, model, (first - second)[None], tested, delta)
    label = f"{CATALOGUE[tested[0]].label} against {CATALOGUE[tested[1]].label}"
    return replace(finding, label=label, unit="per standard deviation of each")


def _find_period(claim: Claim, bench: Bench, delta: float) -> _Finding:
    """Whether slopes differ between the later and the earlier half of the dyads."""
    if bench.dyads.asof != "timed":
        raise CannotMeasureError("needs follow times")
    tested = bench.choose(claim.contrast)
    mains = (*tested, LATER, *bench.find_parts(tested))
    changes = bench.add_period(tested)
    model = bench.fit(changes, mains, bench.find_adjusters(claim))
    rows = [
        _make_row(model, change, _find_step(name, tested[0]))
        for change, name in zip(changes, tested, strict=True)
    ]
    finding = _find_linear(claim, model, np.stack(rows), tested, delta)
    return replace(_hide_effect(finding), label=f"{finding.label}, later half against earlier")


def _find_inverted_u(claim: Claim, bench: Bench, delta: float) -> _Finding:
    """Whether log odds rise and then fall, with a peak inside the data."""
    name = claim.contrast[0].removesuffix(SQUARED)
    tested = bench.choose((name, name + SQUARED), needed=2)
    model = bench.fit(tested, (), bench.find_adjusters(claim))
    rows = np.stack([_make_row(model, term, CATALOGUE[term].unit_scale) for term in tested])
    joint_wald(model, rows)  # Refuses a clipped covariance.
    finding = _find_linear(claim, model, rows[1:], tested[1:], delta)
    shape = inverted_u_test(model, name)
    nearer = min(shape.p_value, shape.p_reverse)
    agrees = 0 if not shape.is_interior else 1 if nearer == shape.p_value else -1
    turn = f"it turns at {shape.peak:.2g} ({shape.peak_low:.2g} to {shape.peak_high:.2g})"
    reason = (
        f"Slopes of the log odds are {shape.slope_low:.2g} at the 10th percentile and "
        f"{shape.slope_high:.2g} at the 90th; {turn if agrees else 'no interior peak shown'}."
    )
    # Both directions are looked at, so the one-sided p of the nearer one counts twice.
    return replace(
        _hide_effect(finding), p_value=min(1.0, 2 * nearer), agrees=agrees, is_negligible=False,
        reason=reason,
    )  # fmt: skip


def _find_rival(claim: Claim, bench: Bench, delta: float) -> _Finding:
    """Whether a monotone shape predicts held-out dyads better than a quadratic one."""
    name = claim.contrast[0].removesuffix(SQUARED)
    tested = bench.choose((name,))
    model = bench.fit(tested, (), bench.find_adjusters(claim))
    step = CATALOGUE[name].unit_scale
    line = _find_linear(claim, model, _make_row(model, name, step)[None], tested, delta)
    kept = [term for term in model.names if term != name]
    table, rows = bench.values[model.used], bench.rows[model.used]
    try:
        blocks = bench.find_blocks()
        split = Split("accounts", blocks.cell[model.used], blocks.train[:, model.used], "")
        gain = compare_shapes(
            table[name], table[kept], rows, split, sign=claim.sign or 1,
            confidence=bench.confidence,
        )  # fmt: skip
    except InputError as why:
        raise CannotFitError(str(why)) from why
    reason = (
        f"Held-out log loss of the quadratic less that of the monotone shape: {gain.gain:.2g} "
        f"({gain.ci_low:.2g} to {gain.ci_high:.2g}) nats a dyad."
    )
    if gain.gain < 0:
        # A quadratic that keeps rising is no peak: it may win by bending less than a spline.
        turns = inverted_u_test(_fit_quadratic(claim, bench, name), name).is_interior
        p_value, agrees = gain.p_value, -1 if turns else 0
        reason += "" if turns else " It does not turn within the data, so neither shape is told."
    else:
        # Without any slope a flat line beats every curve: the claim needs the slope as well.
        p_value, agrees = max(gain.p_value, line.p_value), max(line.agrees, 0)
    return replace(
        line, p_value=p_value, agrees=agrees, n=gain.n, is_negligible=False, reason=reason
    )


def _fit_quadratic(claim: Claim, bench: Bench, name: str) -> FollowBackModel:
    tested = bench.choose((name, name + SQUARED), needed=2)
    return bench.fit(tested, (), bench.find_adjusters(claim))


def _find_landmark(claim: Claim, row: Mapping[str, Any]) -> _Finding:
    """Take over what an analysis with an outcome of its own found."""
    if not row:
        return _Finding(verdict="not measurable", reason="own outcome, see what an answer means")
    own = {name: row[name] for name in TAKEN if name in row}
    if not np.isfinite(own.get("odds_ratio", np.nan)):
        # Limits of something else than an odds ratio would be read as one.
        own |= {"ci_low": np.nan, "ci_high": np.nan}
    finding = _Finding(**own)
    if not np.isfinite(finding.p_value):
        verdict = "too little data" if finding.n else "not measurable"
        return replace(finding, verdict=row.get("verdict", verdict))
    agrees = int(np.sign(finding.estimate * row.get("sign", claim.sign)))
    return replace(finding, agrees=agrees)


TESTS: dict[str, Callable[[Claim, Bench, float], _Finding]] = {
    "slope": _find_slope,
    "interaction": _find_slope,
    "inverted_u": _find_inverted_u,
    "rival": _find_rival,
    "difference": _find_difference,
    "period": _find_period,
}


def _find_linear(
    claim: Claim,
    model: FollowBackModel,
    rows: FloatArray,
    tested: Sequence[str],
    delta: float,
) -> _Finding:
    """Judge linear combinations of coefficients: jointly, their mean, and how large they are."""
    p_value = joint_wald(model, rows)
    mean = rows.mean(axis=0)
    estimate = float(mean @ model.beta)
    wide, narrow = (
        float(stats.t.ppf((1 + level) / 2, model.degrees_of_freedom))
        for level in (model.confidence, NEGLIGIBLE_CONFIDENCE)
    )
    reach = wide * float(np.sqrt(mean @ model.covariance @ mean))
    effect, error = average_effect(model, mean)
    sizes = [average_effect(model, row) for row in rows]
    entry, more = CATALOGUE[tested[0]], len(rows) - 1
    in_test = {model.names[place - 1] for place in np.flatnonzero(rows.any(axis=0))}
    if not claim.sign:
        agrees = 1
    elif more and abs(estimate) <= reach:
        agrees = 0
    else:
        agrees = int(np.sign(estimate)) * claim.sign
    return _Finding(
        feature=tested[0],
        label=f"{entry.label} and {more} more" if more else entry.label,
        unit=f"mean of {more + 1}, per step of each" if more else entry.unit,
        estimate=estimate,
        odds_ratio=float(np.exp(estimate)),
        ci_low=float(np.exp(estimate - reach)),
        ci_high=float(np.exp(estimate + reach)),
        effect=effect,
        effect_low=effect - wide * error,
        effect_high=effect + wide * error,
        p_value=p_value,
        n=len(model.outcome),
        adjusted_for=", ".join(name for name in model.names if name not in in_test),
        agrees=agrees,
        is_negligible=all(abs(size) + narrow * se <= delta for size, se in sizes),
    )


def _hide_effect(finding: _Finding) -> _Finding:
    """Show no marginal effect: of a product or a square alone it would be misread."""
    return replace(finding, effect=np.nan, effect_low=np.nan, effect_high=np.nan)


def _make_row(model: FollowBackModel, name: str, step: float) -> FloatArray:
    """Return the combination that takes one coefficient, times its step."""
    row = np.zeros(len(model.beta))
    row[model.names.index(name) + 1] = step
    return row


def _find_step(name: str, headline: str) -> float:
    """Return the step of a feature, below 0 if it is expected to go against the headline."""
    against = CATALOGUE[name].expected_sign * CATALOGUE[headline].expected_sign < 0
    return -CATALOGUE[name].unit_scale if against else CATALOGUE[name].unit_scale


def _decide(finding: _Finding, p_holm: float, alpha: float) -> str:
    if p_holm < alpha and finding.agrees:
        return "supported" if finding.agrees > 0 else "contradicted"
    return "negligible" if finding.is_negligible else "undecided"


def _explain(verdict: str, p_holm: float, family: int, delta: float, alpha: float) -> str:
    """Return the reason of a verdict that a p-value decided, in a sentence."""
    tail = f"p = {p_holm:.2g} after Holm's rule over {family} claim{'s' * (family > 1)}"
    if verdict == "undecided" and p_holm < alpha:
        return f"There is an association, but its features point different ways: {tail}."
    return {
        "supported": f"The association is as claimed: {tail}.",
        "contradicted": f"The association runs against the claim: {tail}.",
        "negligible": f"Its 90 % interval lies within ±{delta * 100:g} percentage points.",
        "undecided": f"The association is not told from none: {tail}.",
    }[verdict]


def _check_arguments(
    claims: Sequence[Claim], delta: float, confidence: float, alpha: float
) -> None:
    if not 0 < delta < 1:
        raise ParameterError(f"delta: must lie between 0 and 1, a probability; got {delta}")
    for argument, value in (("confidence", confidence), ("alpha", alpha)):
        if not 0 < value < 1:
            raise ParameterError(f"{argument}: must lie between 0 and 1; got {value}")
    ids = [claim.id for claim in claims]
    twice = next((one for one in ids if ids.count(one) > 1), None)
    if twice:
        raise ParameterError(f"claims: {twice} comes twice; give each claim once")
    for claim in claims:
        unknown = [name for name in claim.contrast if name not in CATALOGUE]
        if unknown:
            raise ParameterError(
                f"claims: {claim.id} tests {unknown[0]}, which is no feature; "
                f"{suggest(unknown[0], list(CATALOGUE))}"
            )
        if claim.test == "interaction" and not CATALOGUE[claim.contrast[0]].parts:
            raise ParameterError(
                f"claims: {claim.id} is an interaction, but {claim.contrast[0]} is no product; "
                "name the product first"
            )
        if claim.test == "difference" and len(claim.contrast) < 2:
            raise ParameterError(f"claims: {claim.id} is a difference; two features are needed")
