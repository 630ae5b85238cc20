"""What a personal report knows: the results of `followkit.ego.study_ego`, plain and frozen.

The ego is the owner of an export, an alter an account around it. Times are UTC. Everything here
holds for this one account only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from followkit import words
from followkit.latency import LatencySummary
from followkit.reprs import make_repr

__all__ = [
    "ACT_GROUPS",
    "LIMITS",
    "STATE_LABELS",
    "STATE_REASONS",
    "AlterState",
    "EgoModel",
    "EgoRate",
    "EgoStudy",
    "ModelVerdict",
    "Trust",
    "WhoFirst",
]

AlterState = Literal[
    "mutual", "not_following_back", "fan", "pending", "received_request", "unfollowed_by_me",
    "former_fan", "deleted", "unknown",
]  # fmt: skip
WhoFirst = Literal["ego", "alter", "same_time", "unknown"]
ModelVerdict = Literal["better", "base_rate", "too_few", "no_times"]

#: Every state of an alter in words, in the order in which a report shows them.
STATE_LABELS: dict[str, str] = {
    "mutual": "you follow each other",
    "not_following_back": "you follow them, they do not follow you",
    "fan": "they follow you, you do not follow them",
    "pending": "you asked to follow, not answered yet",
    "received_request": "they asked to follow you, and you have not answered",
    "unfollowed_by_me": "you followed them once and withdrew it",
    "former_fan": "they followed you once and left, you do not follow them",
    "deleted": "the account no longer exists",
    "unknown": "the export does not say",
}
#: Why a state says what it says, and what it does not say.
STATE_REASONS: dict[str, str] = {
    "mutual": "both lists name the other",
    "not_following_back": "they are in your following list and not among your followers now; they "
    "may be new, may have left, or may never have seen it: the export does not say why",
    "fan": "they are among your followers and not in your following list",
    "pending": "a request without an answer is not a refusal; it is in no rate",
    "received_request": "their follow waits for your consent; it is in no rate",
    "unfollowed_by_me": "your own withdrawal; what they would have done is not known",
    "former_fan": "seen in an earlier export and gone in a later one",
    "deleted": "somebody who is gone cannot follow back; it is in no rate",
    "unknown": "a list that would tell is cut off, or the account may be out of reach",
}
#: The same where an open invitation is all that waiting can be.
INVITED_REASONS: dict[str, str] = {
    "pending": "an invitation without an answer is not a refusal; the share counts it as not "
    "accepted so far",
}
#: Groups of acts whose counts stand in `EgoStudy.alters`, and the kinds that each holds.
ACT_GROUPS: dict[str, tuple[str, ...]] = {
    "like": ("like",),
    "comment": ("comment", "reply", "mention"),
    "message": ("message", "reaction"),
    "story": ("story",),
    "view": ("view",),
    "other": ("share", "save"),
}
#: What no export can tell; they stand in every report.
LIMITS: tuple[str, ...] = (
    "A list of followers holds only those who follow now. Who followed back and left again looks "
    "like somebody who never did; only two exports of different dates can tell them apart. Keep "
    "each export.",
    "Your own list of follows holds only those that still stand. If you have withdrawn follows "
    "that were not answered, the shares here are too high.",
    "An export says nothing of the other account: not how many follow it, not whether it was there "
    "to see your follow, not why it did what it did.",
)


@dataclass(frozen=True)
class Trust:
    """Whether the lists may be believed, and what to do where not.

    Attributes
    ----------
    verdict
        ok; warn (results are shown, `warnings` stand beside them); refuse (nothing is said about
        who follows back).
    refusals
        Why nothing is shown, in sentences; empty unless refused.
    remedies
        What to do next, such as what to ask the platform for, one for each finding that has one.
    warnings
        Sentences that belong beside every result.
    checks
        name, value, verdict (ok, note, warn, refuse), remedy: every finding, the gravest first.
    lists
        kind, label (in words), state (whole, cut, absent, unreadable), count, timed_count, files
        (number of them).
    """

    verdict: Literal["ok", "warn", "refuse"]
    refusals: tuple[str, ...]
    remedies: tuple[str, ...]
    warnings: tuple[str, ...]
    checks: pd.DataFrame
    lists: pd.DataFrame

    @property
    def is_refused(self) -> bool:
        """Whether nothing may be said about who follows back."""
        return self.verdict == "refuse"


@dataclass(frozen=True)
class EgoRate:
    """How many of the follows that the ego started were answered within the horizon.

    The intervals are Wilson's: all dyads share the ego, and given the ego each alter decides for
    itself, so they hold for this account only.

    Attributes
    ----------
    n
        Follows that the ego started, with a time, at least the horizon before the export, whatever
        became of them.
    answered, rate, ci_low, ci_high
        Of them, answered within the horizon; the share and its interval (missing where n is 0).
    answered_now, now_rate, now_low, now_high
        Of them, those who follow the ego at the export, however late they came, and without those
        known to have left.
    same_time_count
        Among the answered: both follows have the same stamp, so who came first is unknown.
    automatic_count
        Among the answered: answered within 3 seconds, as programs may.
    too_young_count
        Follows that the ego started less than the horizon before the export: in no rate.
    census
        step, count, note: from the accounts around the ego to n; the numbers add up (n = the first
        count less those between).
    """

    n: int
    answered: int
    rate: float
    ci_low: float
    ci_high: float
    answered_now: int
    now_rate: float
    now_low: float
    now_high: float
    same_time_count: int
    automatic_count: int
    too_young_count: int
    census: pd.DataFrame


@dataclass(frozen=True)
class EgoModel:
    """What goes with an answer in the ego's own data, if anything can be told.

    Attributes
    ----------
    verdict
        better: the penalised model beats the base rate on follows that it has not seen; base_rate:
        it does not; too_few: fewer than 20 answers or 20 others, or nothing varies; no_times: the
        order of acts and follows is unknown.
    sentence
        The verdict in words.
    n, event_count, base_rate
        Dyads that the model is made of, how many were answered, and the share.
    features
        name, label, unit (of the odds ratios), in_model, note (why not, where not).
    tests
        test ("held out at random", "later follows"), n, answered, base_loss, model_loss (log loss,
        nats a follow), gain (base_loss − model_loss; above 0: the model is better) with gain_low
        and gain_high, auc with auc_low and auc_high. Empty where nothing was fitted.
    ridge
        The penalty that was chosen on all dyads; missing where nothing was fitted.
    slopes
        term, label, slope: of the penalised model, per standard deviation; without errors.
    effects
        term, label, unit, odds_ratio, ci_low, ci_high, p_value, p_holm (adjusted for looking at all
        of them), effect, effect_low, effect_high (change in probability): of the small model
        without penalty. Empty unless `verdict` is better.
    notes
        Every decision of the fit, in sentences.
    """

    verdict: ModelVerdict
    sentence: str
    n: int
    event_count: int
    base_rate: float
    features: pd.DataFrame
    tests: pd.DataFrame
    ridge: float
    slopes: pd.DataFrame
    effects: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def is_better(self) -> bool:
        """Whether the model says more than the base rate."""
        return self.verdict == "better"


@dataclass(frozen=True)
class EgoStudy:
    """One ego's follows and what became of them.

    Where `trust.is_refused`, the tables have no rows, and `rate` and `latency` are None.

    Attributes
    ----------
    ego, platform, exported_at
        The owner's account id, the platform, and the moment of the export (UTC).
    is_export_time_known
        False: the export does not say when it was made, and the last stamp in it stands in (NaT
        where it has none).
    horizon_days, confidence, seed
        As asked for.
    has_times
        Whether both lists carry times; without them only states and counts are said.
    trust
        Whether the lists may be believed.
    alters
        One row an alter that is, or was, tied to the ego, sorted by alter_id (text):

        - alter_id, handle, display_name (text; missing where unknown), account_state (ok, deleted,
          unknown);
        - state (`STATE_LABELS`), who_first (ego, alter, same_time, unknown);
        - ego_follows, alter_follows (flags: the tie stands at the export);
        - followed_at, answered_at: the first of the two follows and the second, where who came
          first is known; ego_followed_at, alter_followed_at: the same by account;
          requested_at (pending requests, either way), unfollowed_at (the ego's withdrawal);
        - answer_days: from the first follow to the second (missing: not answered, or unknown);
        - waiting_days: of a follow that the ego started and that stands unanswered, from it to the
          export (it is censored there);
        - is_automatic: answered within 3 seconds;
        - is_in_rate, is_answered_in_time: in the denominator, and in the numerator, of `rate`;
        - position: place among the ego's follows by time, 1 the first (missing: no time);
        - ego_<group>_before, alter_<group>_before, ego_<group>_after, alter_<group>_after: acts
          of the ego towards the alter and of the alter towards the ego, strictly before the first
          follow and from then on, for each of `ACT_GROUPS`; acts without a time, and all acts where
          the follow has none, are in ego_acts_untimed and alter_acts_untimed;
        - contact: the strongest contact before the first follow, one of the groups of `contacts`;
        - is_close_friend, is_favorite, is_restricted, is_hidden_from, is_dismissed (flags: the
          ego's own lists), is_shut_out (the ego blocked or removed them);
        - left_after_at, left_before_at: the alter's follow ended between these moments (snapshots);
        - probability_still, still_low, still_high: P(answered within the next `horizon_days` |
          unanswered so far), by the age of the follow alone; missing but for waiting ones;
        - still_age_days: the age it was computed at: waiting_days rounded down (to an hour in the
          first day, 6 hours in the first week, a day up to 60 days, a week in the first year, then
          30 days);
        - predicted: the model's probability as of the follow; missing unless the model is better;
        - reason: what the data say about this tie, in words, and no more than that;
        - suggestion: "no action".
    states
        state, label, count, reason: in the order of `STATE_LABELS`, states without an alter too.
    rate
        The follow-back rate; None without times.
    waiting
        initiator_id, decider_id, duration_days, state: every follow that the ego started, for the
        functions of `followkit.latency`; empty without times.
    latency
        Medians, those over the answered and those over all told apart; None without times.
    curve
        duration_days, incidence, ci_low, ci_high, at_risk: the share answered by day.
    still
        landmark_days (age of the follow), n (unanswered at that age), answered_later, watched_to_h,
        chance (P(answered within the next `horizon_days`)), ci_low, ci_high.
    since
        What happened in the 7 days after the follow, and what came of the follows that were still
        unanswered then: label, n, answered_later, chance (within the next `horizon_days`), ci_low,
        ci_high. Empty without timed acts.
    contacts
        contact, label, n, answered, rate, ci_low, ci_high: follows in the rate by the contact that
        went before; what reasons refer to. Missing but for n where n is under 5.
    model
        The logistic model against the base rate.
    left
        step, count, note: who followed back and left, from joined snapshots; empty without them.
    limits
        What this export cannot tell, in sentences; they belong in every report.
    notes
        Decisions made on the way, in sentences.
    contacts_p
        How often groups of `contacts` would differ as much if contact had nothing to do with the
        answer (one test over all groups of 5 and more, the past of each known; exact but for the
        draws); missing where there are fewer than two.
    """

    ego: str
    platform: str
    exported_at: pd.Timestamp
    is_export_time_known: bool
    horizon_days: float
    confidence: float
    seed: int
    has_times: bool
    trust: Trust
    alters: pd.DataFrame
    states: pd.DataFrame
    rate: EgoRate | None
    waiting: pd.DataFrame
    latency: LatencySummary | None
    curve: pd.DataFrame
    still: pd.DataFrame
    since: pd.DataFrame
    contacts: pd.DataFrame
    model: EgoModel
    left: pd.DataFrame
    limits: tuple[str, ...] = LIMITS
    notes: tuple[str, ...] = field(default=())
    contacts_p: float = float("nan")

    def _repr_html_(self) -> str:
        facts: list[tuple[str, object]] = [
            ("platform", self.platform),
            ("list", self.trust.verdict),
        ]
        if self.rate is not None and self.rate.n:
            spread = words.percent_range(self.rate.ci_low, self.rate.ci_high)
            share = f"{words.percent(self.rate.rate)} ({spread})"
            facts.append((f"answered within {words.days(self.horizon_days)}", share))
        rows = self.states[["label", "count"]].itertuples(index=False, name=None)
        notes = self.trust.refusals or self.trust.warnings
        return make_repr("Personal report", facts, ("state", "accounts"), rows, notes)
