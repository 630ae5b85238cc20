"""What an answer means: what A and B do once a follow has been answered, or has not.

Claims with an outcome of their own, judged from a landmark (see `followkit.landmarks`): what comes
after it is compared between follows answered by then and follows not answered by then.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from followkit import covariance as cov
from followkit.dyads import DyadSet
from followkit.errors import CannotFitError, InputError, ParameterError
from followkit.features import CATALOGUE, FeatureTable
from followkit.features.context import select_acts
from followkit.features.engagement import CONTACT_DAYS
from followkit.landmarks import (
    CONTACT,
    check_days,
    count_acts,
    covers_acts,
    make_landmarks,
    measure_habits,
    span_before,
)
from followkit.model import (
    FEWEST_EFFECTIVE_ACCOUNTS,
    FEWEST_EVENTS,
    FollowBackModel,
    fit_follow_back,
)
from followkit.tables import Dataset

__all__ = ["LandmarkResult", "judge_attention", "judge_meaning"]

FloatArray = npt.NDArray[np.float64]
FlagArray = npt.NDArray[np.bool_]
Scale = Literal["odds ratio", "acts per week"]

WEEKS = CONTACT_DAYS / 7
TOPIC = "dyad_topic_cosine"
#: Adjusters of claim 4e from the catalogue, where the data give them.
ANSWER_ADJUSTERS = ("decider_ratio_log", TOPIC)


@dataclass(frozen=True)
class LandmarkResult:
    """One claim about what follows an answer.

    Attributes
    ----------
    claim, label
        The claim ("0a") and, in words, what is compared.
    unit, scale
        The step that the estimate is for, and what `ci_low` and `ci_high` are limits of: an odds
        ratio, or a difference in acts per week.
    sign
        +1 or −1, what the claim expects of the estimate.
    estimate, std_error
        Log odds per step, or acts per week; the error is dyadic-robust (`dyadic_cr3`).
    odds_ratio, ci_low, ci_high, p_value
        exp(estimate) where the scale is an odds ratio; limits and a two-sided p with effective
        accounts less one degrees of freedom, neither adjusted for the number of claims.
    rate_answered, rate_unanswered
        Unadjusted share with the outcome in each group, or mean acts per week; missing where a
        claim is about one of the groups only.
    n, n_answered, n_unanswered
        Dyads used, in all and by group.
    adjusted_for
        What else is in the model, joined by commas.
    reason
        Why nothing could be estimated; empty where something was.
    """

    claim: str
    label: str
    unit: str
    scale: Scale
    sign: int
    estimate: float = np.nan
    std_error: float = np.nan
    odds_ratio: float = np.nan
    ci_low: float = np.nan
    ci_high: float = np.nan
    p_value: float = np.nan
    rate_answered: float = np.nan
    rate_unanswered: float = np.nan
    n: int = 0
    n_answered: int = 0
    n_unanswered: int = 0
    adjusted_for: str = ""
    reason: str = ""


@dataclass(frozen=True)
class _Study:
    """What all claims share: the dyads at their landmark and the arguments of the call."""

    dataset: Dataset
    dyads: DyadSet
    rows: pd.DataFrame
    missing: dict[str, str]
    landmark_days: float
    window_days: float
    confidence: float

    def find_lack(self, table: str, column: str) -> str:
        """Return why a column cannot be used; empty where it can."""
        if self.dyads.asof != "timed":
            return "needs follow times"
        if not self.dataset.has(table, column):
            return f"needs {table} with {column}"
        is_blind = column == "unfollowed_at" and not self.dyads.sees_unfollows
        return "withdrawn follows are not seen in these data" * is_blind


def judge_meaning(
    dataset: Dataset,
    dyads: DyadSet,
    features: FeatureTable | None = None,
    *,
    landmark_days: float = 7.0,
    window_days: float = 56.0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return what follows an answer, one row for each of the claims 0a, 0b, 0c and 4e.

    With L = `landmark_days`, W = `window_days`, H the horizon of the dyads, and A→B standing at
    t + L in all but 0c:

    - 0a, an unanswered follow loses its worth: odds that A withdraws in (t + L, t + L + W],
      unanswered by t + L against answered, adjusted for A's habits as of t (share of follows
      withdrawn, followees). Dyads with A watched until t + L + W.
    - 0b, an answer announces contact: acts per week of both towards each other in
      (t + L, t + L + 28 days] less those in [t − 28 days, t), answered against unanswered, at equal
      contact before t. Dyads with both watched over all of it.
    - 0c, answers that rest on relevance last: odds that B→A still stands W days after an answer
      within H, per 0.1 of topic similarity as of t, adjusted for B's habits as of t. Answers with
      B watched for those W days.
    - 4e, what is not seen is not answered: odds of an answer in (t + L, t + H] among the dyads
      unanswered at t + L, per doubling of 1 + A's acts towards B in (t, t + L], adjusted for the
      acts before t and, where known, for B's follower ratio and topic similarity.

    These are associations: whoever answers may differ in much else from whoever does not.

    Parameters
    ----------
    dataset
        Canonical tables.
    dyads
        From `make_dyads(dataset, "follow_back")`; pairs with equal stamps are left out.
    features
        Of these dyads, for topic similarity and follower ratio.
    landmark_days, window_days
        L, at most the horizon, and W.
    confidence
        Of the intervals.

    Returns
    -------
    pandas.DataFrame
        The fields of `LandmarkResult`. Where the data lack a table, are not about timed follows,
        or hold under 20 of either outcome, a row has a reason and no estimate.

    Raises
    ------
    ParameterError
        If the landmark is not positive or lies beyond the horizon, the window is not positive, or
        the confidence is not between 0 and 1.
    InputError
        If the features belong to other dyads, or the dyads to another dataset.

    Examples
    --------
    >>> from followkit.dyads import make_dyads
    >>> from followkit.tables import make_dataset
    >>> ties = pd.DataFrame({
    ...     "follower_id": ["a", "b", "c"], "followee_id": ["b", "a", "a"],
    ...     "followed_at": ["2024-01-01", "2024-01-03", "2024-02-20"]})
    >>> data = make_dataset({"follows": ties})
    >>> rows = judge_meaning(data, make_dyads(data, "follow_back"))
    >>> rows[["claim", "reason"]].values.tolist()[:2]
    [['0a', 'needs follows with unfollowed_at'], ['0b', 'needs interactions with at']]
    """
    study = _open(dataset, dyads, features, landmark_days, window_days, confidence)
    judges = (_judge_withdrawal, _judge_contact, _judge_lasting, _judge_persistence)
    return pd.DataFrame([asdict(judge(study)) for judge in judges])


def judge_attention(
    dataset: Dataset,
    dyads: DyadSet,
    *,
    landmark_days: float = 7.0,
    confidence: float = 0.95,
) -> LandmarkResult:
    """Return the second measure of claim 0a: whether A turns away from B without withdrawing.

    A's acts towards B per week in (t + L, t + L + 28 days] less those in [t − 28 days, t),
    unanswered by t + L against answered, at equal contact before t (expected sign −). Dyads with
    A→B standing at t + L and A's acts watched over all of it. Parameters and errors as in
    `judge_meaning`.

    Examples
    --------
    >>> from followkit.dyads import make_dyads
    >>> from followkit.tables import make_dataset
    >>> ties = pd.DataFrame({
    ...     "follower_id": ["a", "b", "c"], "followee_id": ["b", "a", "a"],
    ...     "followed_at": ["2024-01-01", "2024-01-03", "2024-02-20"]})
    >>> data = make_dataset({"follows": ties})
    >>> judge_attention(data, make_dyads(data, "follow_back")).reason
    'needs interactions with at'
    """
    study = _open(dataset, dyads, None, landmark_days, CONTACT_DAYS, confidence)
    result = LandmarkResult(
        "0a", f"change in the initiator's acts towards the decider after day {landmark_days:g}, "
        "unanswered against answered", "unanswered against answered", "acts per week", -1,
    )  # fmt: skip
    return _compare_change(study, result, [("initiator", "decider")], is_for_answered=False)


# -- the claims ------------------------------------------------------------------------------


def _judge_withdrawal(study: _Study) -> LandmarkResult:
    """Claim 0a."""
    result = LandmarkResult(
        "0a", f"withdrawal within {study.window_days:g} days of day {study.landmark_days:g}, "
        "unanswered against answered", "unanswered against answered", "odds ratio", 1,
    )  # fmt: skip
    reason = study.find_lack("follows", "unfollowed_at")
    if reason:
        return replace(result, reason=reason)
    rows = study.rows.assign(
        end_at=study.rows["landmark_at"] + pd.Timedelta(days=study.window_days)
    )
    rows = rows[rows["is_standing"] & (rows["end_at"] <= rows["initiator_until_at"])]
    withdrawn = (rows["withdrawn_at"] <= rows["end_at"]).to_numpy(dtype=float)
    unanswered = ~rows["is_answered"].to_numpy(dtype=bool)
    habits = measure_habits(rows, "initiator", study.dataset)
    values = pd.DataFrame({"unanswered": unanswered.astype(float)}, index=rows.index).join(habits)
    result = _add_groups(result, withdrawn, ~unanswered)
    return _add_odds_ratio(result, rows, withdrawn, values, "withdrawn follows", study.confidence)


def _judge_contact(study: _Study) -> LandmarkResult:
    """Claim 0b."""
    result = LandmarkResult(
        "0b", f"change in contact both ways after day {study.landmark_days:g}, answered against "
        "unanswered", "answered against unanswered", "acts per week", 1,
    )  # fmt: skip
    ways = [("initiator", "decider"), ("decider", "initiator")]
    return _compare_change(study, result, ways, is_for_answered=True)


def _judge_lasting(study: _Study) -> LandmarkResult:
    """Claim 0c."""
    topic = CATALOGUE[TOPIC]
    result = LandmarkResult(
        "0c", f"{topic.label}, and whether an answer stands after {study.window_days:g} days",
        topic.unit, "odds ratio", 1,
    )  # fmt: skip
    reason = study.find_lack("follows", "unfollowed_at") or study.missing.get(TOPIC, "")
    if reason:
        return replace(result, reason=reason)
    rows = study.rows.assign(end_at=study.rows["answer_at"] + pd.Timedelta(days=study.window_days))
    is_watched = rows["end_at"] <= rows["decider_until_at"]
    rows = rows[(rows["outcome"] == 1) & is_watched & rows[TOPIC].notna()]
    stands = 1.0 - (rows["answer_withdrawn_at"] <= rows["end_at"]).to_numpy(dtype=float)
    values = rows[[TOPIC]].join(measure_habits(rows, "decider", study.dataset))
    result = _add_groups(result, stands, np.ones(len(rows), dtype=bool))
    return _add_odds_ratio(
        result, rows, stands, values, "lasting answers", study.confidence, step=topic.unit_scale
    )


def _judge_persistence(study: _Study) -> LandmarkResult:
    """Claim 4e, its landmark part."""
    acts = CATALOGUE["dyad_acts_to_decider_log"]
    result = LandmarkResult(
        "4e", f"initiator's acts towards the decider up to day {study.landmark_days:g}, and "
        "whether an answer comes after it", acts.unit, "odds ratio", 1,
    )  # fmt: skip
    reason = study.find_lack("interactions", "at")
    if not reason and study.landmark_days == study.dyads.horizon_days:
        reason = "needs a landmark before the horizon"
    if reason:
        return replace(result, reason=reason)
    rows = study.rows[study.rows["is_standing"] & ~study.rows["is_answered"]]
    since = span_before(rows)[0]
    rows = rows[covers_acts(rows, "initiator", since, rows["landmark_at"], study.dataset)]
    values = _count_approaches(study, rows)
    is_used = values.notna().all(axis=1).to_numpy(dtype=bool)
    rows, values = rows[is_used], values[is_used]
    outcome = rows["outcome"].to_numpy(dtype=float)
    result = _add_groups(result, outcome, np.zeros(len(rows), dtype=bool))
    return _add_odds_ratio(
        result, rows, outcome, values, "later answers", study.confidence, step=acts.unit_scale
    )


def _count_approaches(study: _Study, rows: pd.DataFrame) -> pd.DataFrame:
    """Return A's acts towards B since the follow, and what they are adjusted for."""
    acts = select_acts(study.dataset, is_timed=True)
    way = ("initiator", "decider")
    since = count_acts(acts, rows, way, rows["at"], rows["landmark_at"])
    before = count_acts(acts, rows, way, *span_before(rows))
    counts = {"acts_since_log": np.log1p(since), "acts_before_log": np.log1p(before)}
    # An adjuster unknown for half of the dyads would cost more than it takes away.
    known = [name for name in ANSWER_ADJUSTERS if name not in study.missing]
    known = [name for name in known if rows[name].notna().mean() > 0.5]
    return pd.DataFrame(counts, index=rows.index).join(rows[known])


def _compare_change(
    study: _Study, result: LandmarkResult, ways: list[tuple[str, str]], *, is_for_answered: bool
) -> LandmarkResult:
    """Compare the change in acts per week between the answered and the unanswered.

    Contact before t is held equal: it draws answers, and a burst of it dies down by itself, so the
    answered would seem to cool although their answer changed nothing.
    """
    reason = study.find_lack("interactions", "at")
    if reason:
        return replace(result, reason=reason)
    rows = study.rows[study.rows["is_standing"]]
    for actor, _ in ways:
        since, until = span_before(rows)[0], rows["landmark_at"] + CONTACT
        rows = rows[covers_acts(rows, actor, since, until, study.dataset)]
    acts = select_acts(study.dataset, is_timed=True)
    after = (rows["landmark_at"], rows["landmark_at"] + CONTACT)
    later = np.sum([count_acts(acts, rows, way, *after) for way in ways], axis=0) / WEEKS
    earlier = (
        np.sum([count_acts(acts, rows, way, *span_before(rows)) for way in ways], axis=0) / WEEKS
    )
    change, answered = later - earlier, rows["is_answered"].to_numpy(dtype=bool)
    result = _add_groups(result, change, answered)
    contrast = (answered == is_for_answered).astype(float)
    values = pd.DataFrame({"contrast": contrast, "acts_before": earlier})
    return _add_difference(result, rows, change, values, study.confidence)


# -- estimates -------------------------------------------------------------------------------


def _add_groups(result: LandmarkResult, values: FloatArray, answered: FlagArray) -> LandmarkResult:
    """Add the means of both groups and how many dyads are in each."""
    means = [values[flag].mean() if flag.any() else np.nan for flag in (answered, ~answered)]
    count = int(answered.sum())
    return replace(
        result, rate_answered=float(means[0]), rate_unanswered=float(means[1]), n=len(values),
        n_answered=count, n_unanswered=len(values) - count,
    )  # fmt: skip


def _add_odds_ratio(
    result: LandmarkResult,
    rows: pd.DataFrame,
    outcome: FloatArray,
    values: pd.DataFrame,
    event: str,
    confidence: float,
    *,
    step: float = 1.0,
) -> LandmarkResult:
    """Add the odds ratio of the first column for a step of it, the others held equal."""
    count = int(outcome.sum())
    if min(count, len(outcome) - count) < FEWEST_EVENTS:
        return replace(
            result, reason=f"{count:,} {event} among {len(outcome):,}: at least {FEWEST_EVENTS} "
            "are needed, and as many without",
        )  # fmt: skip
    try:
        model = fit_follow_back(
            values, outcome, initiator=rows["initiator_id"], decider=rows["decider_id"],
            confidence=confidence,
        )  # fmt: skip
    except CannotFitError:
        return replace(result, reason="too few dyads differ in what is compared")
    reason = _find_fault(model, str(values.columns[0]))
    if reason:
        return replace(result, reason=reason)
    slope = model.coefficients.set_index("term").loc[str(values.columns[0])]
    low, middle, high = (step * slope[name] for name in ("ci_low", "estimate", "ci_high"))
    return replace(
        result, estimate=float(middle), std_error=float(step * slope["std_error"]),
        odds_ratio=float(np.exp(middle)), ci_low=float(np.exp(low)), ci_high=float(np.exp(high)),
        p_value=float(slope["p_value"]), adjusted_for=", ".join(model.names[1:]),
    )  # fmt: skip


def _find_fault(model: FollowBackModel, contrast: str) -> str:
    """Return why the fit says nothing about its first feature; empty where it does."""
    if contrast not in model.names:
        dropped = model.dropped.set_index("feature")["reason"]
        return f"{contrast} was left out: {dropped[contrast]}"
    if model.penalty != "none":
        return "one feature alone (nearly) decides the outcome, so no odds ratio can be given"
    return _check_accounts(model.accounts, float(model.coefficients["std_error"].iloc[1]))


def _check_accounts(accounts: cov.Accounts, std_error: float) -> str:
    if accounts.effective_count < FEWEST_EFFECTIVE_ACCOUNTS:
        return (
            f"{accounts.effective_count:.0f} effective accounts: at least "
            f"{FEWEST_EFFECTIVE_ACCOUNTS} are needed"
        )
    return "" if std_error > 0 else "there are too few accounts for a robust error"


def _add_difference(
    result: LandmarkResult,
    rows: pd.DataFrame,
    change: FloatArray,
    values: pd.DataFrame,
    confidence: float,
) -> LandmarkResult:
    """Add the least-squares slope of the first column, a flag, the others held equal."""
    if min(result.n_answered, result.n_unanswered) < FEWEST_EVENTS:
        return replace(
            result, reason=f"{result.n_answered:,} answered and {result.n_unanswered:,} unanswered "
            f"follows: at least {FEWEST_EVENTS} of each are needed",
        )  # fmt: skip
    if np.count_nonzero(change) < FEWEST_EVENTS:
        return replace(
            result, reason=f"contact changed in {np.count_nonzero(change):,} dyads: at least "
            f"{FEWEST_EVENTS} are needed",
        )  # fmt: skip
    names = [str(name) for name in values if np.ptp(values[name].to_numpy(float)) > 0]
    accounts = cov.code_accounts(rows["initiator_id"], rows["decider_id"])
    estimate, error = _fit_line(values[names].to_numpy(float), change, accounts)
    reason = _check_accounts(accounts, error)
    if reason:
        return replace(result, reason=reason)
    freedom = accounts.degrees_of_freedom
    reach = float(stats.t.ppf((1 + confidence) / 2, freedom)) * error
    return replace(
        result, estimate=estimate, std_error=error, ci_low=estimate - reach,
        ci_high=estimate + reach, p_value=float(2 * stats.t.sf(abs(estimate / error), freedom)),
        adjusted_for=", ".join(names[1:]),
    )  # fmt: skip


def _fit_line(values: FloatArray, y: FloatArray, accounts: cov.Accounts) -> tuple[float, float]:
    """Return the least-squares slope of the first column and its dyadic-robust error.

    The second derivatives of the squared error are 1 a row, where the logistic model has p(1 − p).
    """
    design = np.column_stack([np.ones(len(values)), values])
    beta = np.linalg.lstsq(design, y, rcond=None)[0]
    scores = design * (y - design @ beta)[:, None]
    matrix = cov.dyadic_cr3(design, np.ones(len(design)), scores, accounts)
    return float(beta[1]), float(np.sqrt(matrix[1, 1]))


# -- what the estimates are made from ----------------------------------------------------------


def _open(
    dataset: Dataset,
    dyads: DyadSet,
    features: FeatureTable | None,
    landmark_days: float,
    window_days: float,
    confidence: float,
) -> _Study:
    """Check the arguments and join what all claims need; no rows where follows have no times."""
    check_days("window_days", window_days)
    if not 0 < confidence < 1:
        raise ParameterError(f"confidence: must lie between 0 and 1; got {confidence}")
    missing = {name: _find_lack(name, features) for name in ANSWER_ADJUSTERS}
    missing = {name: reason for name, reason in missing.items() if reason}
    rows = pd.DataFrame()
    if dyads.asof == "timed":
        rows = make_landmarks(dataset, dyads, landmark_days=landmark_days)
        if features is not None:
            _check_features(features, dyads)
            known = [name for name in ANSWER_ADJUSTERS if name not in missing]
            rows = rows.join(features.values[known], on="dyad_id")
    return _Study(dataset, dyads, rows, missing, landmark_days, window_days, confidence)


def _check_features(features: FeatureTable, dyads: DyadSet) -> None:
    if not np.array_equal(features.values.index, dyads.table["dyad_id"]):
        raise InputError(
            f"features: they must be those of the dyads, row by row; got {len(features.values):,} "
            f"rows for {len(dyads.table):,} dyads. Make them with make_features(dyads, dataset)."
        )


def _find_lack(name: str, features: FeatureTable | None) -> str:
    """Return why a feature may not be used; empty where it may."""
    if features is not None and name in features.values:
        return f"{name} may post-date the follow" if name in features.untimed else ""
    reasons = {} if features is None else dict(features.missing[["feature", "reason"]].to_numpy())
    return str(reasons.get(name, f"needs the feature {name}"))
