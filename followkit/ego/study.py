"""Who follows the ego back, after how long, and how sure that is: `study_ego`.

The ego is the owner of an export, an alter an account around it. Nothing here ranks, blames or acts
on anybody; every result holds for this one account only.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from followkit import words
from followkit.ego.alters import FLAGS, INVITING, list_acts, make_alters
from followkit.ego.checks import EgoExport, check_export, read_export
from followkit.ego.features import (
    find_acts_begin,
    keep_comparable,
    knows_threads,
    make_ego_features,
    name_contacts,
)
from followkit.ego.model import fit_ego_model, no_ego_model
from followkit.ego.reasons import NO_ACTION, compare_contacts, count_contacts, tell_reasons
from followkit.ego.results import (
    ACT_GROUPS,
    INVITED_REASONS,
    LIMITS,
    STATE_LABELS,
    STATE_REASONS,
    EgoModel,
    EgoRate,
    EgoStudy,
)
from followkit.ego.waits import (
    AGES,
    add_chances,
    add_outcomes,
    chance_by_acts,
    chance_by_age,
    count_left,
    make_ego_waiting,
    measure_rate,
)
from followkit.errors import ParameterError
from followkit.landmarks import check_days
from followkit.latency import LatencySummary, follow_back_curve, summarise_latency
from followkit.tables import Dataset

__all__ = ["ALTER_COLUMNS", "study_ego"]

#: The columns of `EgoStudy.alters`, in order.
ALTER_COLUMNS = [
    "alter_id", "handle", "display_name", "account_state", "state", "who_first", "ego_follows",
    "alter_follows", "followed_at", "answered_at", "ego_followed_at", "alter_followed_at",
    "requested_at", "unfollowed_at", "answer_days", "waiting_days", "is_automatic", "is_in_rate",
    "is_answered_in_time", "position",
    *(
        f"{side}_{group}_{part}"
        for part in ("before", "after") for side in ("ego", "alter") for group in ACT_GROUPS
    ),
    "ego_acts_untimed", "alter_acts_untimed", "contact", *FLAGS, "is_shut_out",
    "left_after_at", "left_before_at", "probability_still", "still_low", "still_high",
    "still_age_days", "predicted", "reason", "suggestion",
]  # fmt: skip

KEPT_OUT = (
    " Whose thread is found depends on what came after the follow, so messages are not compared "
    "with answers."
)


def study_ego(
    dataset: Dataset,
    *,
    horizon_days: float = 30.0,
    confidence: float = 0.95,
    seed: int = 0,
) -> EgoStudy:
    """Return what became of one ego's follows: who answered, after how long, how sure that is.

    The lists are proved first; where they fail, nothing is said about anybody. Without times of
    follows there are states and counts only.

    Parameters
    ----------
    dataset
        Read from an export: `about["export"]` says whose and when.
    horizon_days
        H: an answer within so many days counts as a follow-back; follows younger than H at the
        export are in no rate. Chances that are left are those of the next H days.
    confidence
        Of every interval. All dyads share the ego, so intervals condition on it (Wilson's for
        shares) and hold for this account only.
    seed
        Of the folds in which follows are held out.

    Returns
    -------
    EgoStudy
        Times are UTC.

    Raises
    ------
    InputError
        If the dataset was not read from an export, or its owner has no ties.
    ParameterError
        If the horizon is not a positive number of days, or the confidence not between 0 and 1.

    Examples
    --------
    >>> import pandas as pd
    >>> from followkit.tables import make_dataset
    >>> ties = pd.DataFrame({"follower_id": ["me", "bo", "me"], "followee_id": ["bo", "me", "cy"],
    ...     "followed_at": ["2024-01-01", "2024-01-03", "2024-01-20"]})
    >>> whole = {"state": "whole"}
    >>> about = {"export": {"platform": "instagram", "ego": "me",
    ...     "exported_at": "2024-03-01T00:00:00Z",
    ...     "lists": {"followers": whole, "following": whole}}}
    >>> study = study_ego(make_dataset({"follows": ties}, about=about))
    >>> study.rate.answered, study.rate.n, study.model.verdict
    (1, 2, 'too_few')
    >>> study.states[study.states["count"] > 0][["state", "count"]].values.tolist()
    [['mutual', 1], ['not_following_back', 1]]
    """
    check_days("horizon_days", horizon_days)
    if not 0 < confidence < 1:
        raise ParameterError(f"confidence: a share between 0 and 1 is needed; got {confidence}")
    export = read_export(dataset)
    trust = check_export(dataset, export)
    alters = make_alters(dataset, export)
    has_times = _has_times(alters)
    maker = _Maker(dataset, export, horizon_days, confidence, seed)
    parts = maker.make(alters.iloc[:0] if trust.is_refused else alters, has_times=has_times)
    if trust.is_refused:
        sentence = "No model is made: the lists cannot be trusted."
        parts |= {"rate": None, "model": no_ego_model("too_few", sentence)}
    return EgoStudy(
        ego=export.ego, platform=export.platform, exported_at=export.exported_at,
        is_export_time_known=export.is_time_known, horizon_days=horizon_days,
        confidence=confidence, seed=seed, has_times=has_times, trust=trust,
        limits=(*LIMITS, *_list_limits(dataset, export, alters, has_times=has_times)), **parts,
    )  # fmt: skip


class _Maker:
    """Makes the parts of one study."""

    def __init__(
        self, dataset: Dataset, export: EgoExport, horizon_days: float, confidence: float, seed: int
    ) -> None:
        self.dataset, self.export, self.seed = dataset, export, seed
        self.horizon, self.confidence = horizon_days, confidence
        self.acts = list_acts(dataset, export)

    def make(self, alters: pd.DataFrame, *, has_times: bool) -> dict[str, Any]:
        """Return the parts of the study by name."""
        given = {"days": self.horizon, "confidence": self.confidence}
        begin = find_acts_begin(self.acts, self.dataset, self.export)
        alters = add_outcomes(alters, self.export, self.horizon)
        alters["contact"] = name_contacts(alters, begin, self.export)
        waiting = make_ego_waiting(alters, self.export)
        alters = add_chances(alters, waiting, **given)
        rate = measure_rate(alters, self.export, self.horizon, self.confidence)
        contacts = count_contacts(alters, self.confidence)
        model, predicted = self._fit(alters, has_times=has_times)
        alters["predicted"] = predicted.reindex(alters.index)
        comparable = keep_comparable(self.acts, alters, self.export)
        has_messages = bool(knows_threads(alters, self.export).any())
        shown = rate if has_times else None
        alters["reason"] = tell_reasons(alters, contacts, shown, self.horizon, self.export.platform)
        alters["suggestion"] = pd.Series(NO_ACTION, index=alters.index, dtype=object)
        states = _count_states(alters["state"], self.export.platform)
        return {
            "alters": alters[ALTER_COLUMNS], "states": states,
            "rate": shown, "waiting": waiting, "latency": self._summarise(waiting),
            "curve": self._draw(waiting),
            "still": chance_by_age(waiting, list(AGES), **given),
            "since": chance_by_acts(alters, comparable, waiting, begin=begin,
                                     has_messages=has_messages, **given),
            "contacts": contacts, "contacts_p": compare_contacts(contacts, self.seed),
            "model": model, "left": count_left(alters),
            "notes": tuple(_tell_notes(alters, rate, waiting, self.export)),
        }  # fmt: skip

    def _fit(self, alters: pd.DataFrame, *, has_times: bool) -> tuple[EgoModel, pd.Series]:
        if not has_times and len(alters):
            sentence = (
                "The export carries no times of follows, so the order of acts and follows is "
                "unknown: an act may be the answer's effect. No model is made of that."
            )
            return no_ego_model("no_times", sentence), pd.Series(dtype=float)
        features = make_ego_features(alters, self.acts, self.dataset, self.export)
        opened = alters.loc[features.index, "who_first"].isin(["ego", "same_time"])
        rows = alters[alters["is_in_rate"]]
        return fit_ego_model(
            features.loc[rows.index], rows["is_answered_in_time"].astype(int), rows["followed_at"],
            rows["alter_id"], ego=self.export.ego, horizon_days=self.horizon,
            confidence=self.confidence, seed=self.seed, everyone=features[opened],
        )  # fmt: skip

    def _summarise(self, waiting: pd.DataFrame) -> LatencySummary | None:
        if waiting.empty:
            return None
        return summarise_latency(waiting, confidence=self.confidence)

    def _draw(self, waiting: pd.DataFrame) -> pd.DataFrame:
        """Return the share answered by day, up to thrice the horizon."""
        if waiting.empty:
            names = ["duration_days", "incidence", "ci_low", "ci_high", "at_risk"]
            return pd.DataFrame(columns=names)
        last = min(3 * self.horizon, float(waiting["duration_days"].max()))
        return follow_back_curve(waiting, until_days=last, confidence=self.confidence)


def _has_times(alters: pd.DataFrame) -> bool:
    """Return whether both lists carry times; nobody's follow needs none."""
    has_own = bool(alters["ego_followed_at"].notna().any())
    is_followed = alters["alter_follows"].any()
    return has_own and bool(alters["alter_followed_at"].notna().any() or not is_followed)


def _count_states(states: pd.Series, platform: str) -> pd.DataFrame:
    counts = states.value_counts()
    reasons = {**STATE_REASONS, **(INVITED_REASONS if platform in INVITING else {})}
    rows = [
        (state, label, int(counts.get(state, 0)), reasons[state])
        for state, label in STATE_LABELS.items()
    ]
    return pd.DataFrame(rows, columns=["state", "label", "count", "reason"])


def _list_limits(
    dataset: Dataset, export: EgoExport, alters: pd.DataFrame, *, has_times: bool
) -> list[str]:
    limits = []
    if not has_times:
        limits.append(
            "The lists carry no times, so who came first, how long an answer took and what went "
            "before it are unknown: only states and counts are told."
        )
    if export.platform in INVITING:
        limits.append(
            "Here a follow is an invitation and an answer its acceptance. An open invitation is "
            "not a refusal; it counts as not accepted so far. Accepted ones may vanish from the "
            "file, and those accepted on the day they were sent do not show who asked: both make "
            "the shares too low."
        )
    acts = dataset.interactions
    if export.platform == "instagram" and (acts["kind"] == "message").any():
        limits.append(
            "Messages name people as they call themselves, so only some threads could be matched "
            "with a follow; the others are missing, not absent."
            + KEPT_OUT
            * (not knows_threads(alters, export).any())
        )
    return limits


def _tell_notes(
    alters: pd.DataFrame, rate: EgoRate, waiting: pd.DataFrame, export: EgoExport
) -> list[str]:
    notes = []
    joined = export.facts.get("snapshots")
    if isinstance(joined, list) and len(joined) > 1:
        notes.append(
            f"{len(joined):,} exports of yours were joined. Who left between two of them is seen, "
            "without the moment; who came and left between two was seen by neither."
        )
    if rate.same_time_count:
        follows = words.count(rate.same_time_count, "answer")
        notes.append(
            f"{follows} {'bears' if rate.same_time_count == 1 else 'bear'} the same time as your "
            "follow: who came first is unknown, and they count as answered."
        )
    unknown = int(((alters["who_first"] == "unknown") & (alters["state"] == "mutual")).sum())
    if unknown and rate.n:
        notes.append(
            f"For {words.count(unknown, 'mutual follow')} it is unknown who came first; if you did "
            f"in all of them, {rate.answered_now + unknown:,} of {rate.n + unknown:,} would follow "
            "you now."
        )
    count = int((waiting["state"] == "withdrawn").sum())
    if count:
        notes.append(f"{words.count(count, 'follow')} of yours ended before an answer came.")
    is_inviting = export.platform in INVITING
    same_day = _count_same_day(alters) if is_inviting else 0
    if same_day and rate.n:
        low, high = rate.answered / rate.n, (rate.answered + same_day) / (rate.n + same_day)
        notes.append(
            f"{words.count(same_day, 'invitation')} accepted on the day of sending do not show who "
            "sent them, and are in no rate. With those that are yours the share lies between "
            f"{words.percent(low)} and {words.percent(high)}."
        )
    if is_inviting and rate.n and not rate.answered:
        notes.append(
            "No accepted invitation is in the file although some are open: accepted ones seem to "
            "be taken out of it, so the share says nothing."
        )
    return notes


def _count_same_day(alters: pd.DataFrame) -> int:
    """Return how many connections have the clock time of an invitation in both directions.

    Days of connections are written as midnight; an acceptance of the same day takes the moment of
    its invitation.
    """
    at = alters.loc[alters["who_first"] == "same_time", "followed_at"]
    return int((at != at.dt.normalize()).sum())
