"""What an answer means: what A and B do once a follow has been answered, or has not.

Claims with an outcome of their own, judged from a landmark (see `followkit.landmarks`): what comes
after it is compared between follows answered by then and follows not answered by then.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit.dyads import DyadSet
from followkit.errors import InputError, ParameterError
from followkit.features import CATALOGUE, FeatureTable
from followkit.features.context import select_acts
from followkit.features.engagement import CONTACT_DAYS
from followkit.landmark_estimates import (
    LandmarkResult,
    add_difference,
    add_groups,
    add_odds_ratio,
)
from followkit.landmarks import (
    CONTACT,
    check_days,
    count_acts,
    covers_acts,
    make_landmarks,
    measure_habits,
    span_before,
)
from followkit.tables import Dataset

__all__ = ["LandmarkResult", "judge_attention", "judge_meaning"]

FloatArray = npt.NDArray[np.float64]

WEEKS = CONTACT_DAYS / 7
TOPIC = "dyad_topic_cosine"
#: Adjusters of claim 4e from the catalogue, where the data give them.
ANSWER_ADJUSTERS = ("decider_ratio_log", TOPIC)


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
    result = add_groups(result, withdrawn, ~unanswered)
    return add_odds_ratio(result, rows, withdrawn, values, "withdrawn follows", study.confidence)


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
    result = add_groups(result, stands, np.ones(len(rows), dtype=bool))
    return add_odds_ratio(
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
    result = add_groups(result, outcome, np.zeros(len(rows), dtype=bool))
    return add_odds_ratio(
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
    result = add_groups(result, change, answered)
    contrast = (answered == is_for_answered).astype(float)
    values = pd.DataFrame({"contrast": contrast, "acts_before": earlier})
    return add_difference(result, rows, change, values, study.confidence)


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
