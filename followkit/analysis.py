"""From a dataset to every number a report gives on one question. No drawing, no sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from followkit import covariance as cov
from followkit import scores as sc
from followkit.dyads import (
    QUESTIONS,
    DyadSet,
    Question,
    find_questions,
    make_dyads,
    make_waiting,
    select_dyads,
)
from followkit.effects import average_marginal_effects, leave_one_account_out, odds_ratios
from followkit.errors import CannotFitError, ParameterError, suggest
from followkit.evaluate import CHENG_SET, TRIAD_SET, Ladder, run_ladder
from followkit.features import CATALOGUE, FeatureTable, make_features
from followkit.latency import follow_back_curve
from followkit.model import FollowBackModel, fit_follow_back
from followkit.remember import remembered
from followkit.segments import match_segment, select_segment
from followkit.splits import Split, make_account_blocks, make_temporal_split
from followkit.tables import Dataset

STATE_LABELS = {
    "answered": "answered",
    "not_answered": "not answered",
    "withdrawn_first": "withdrawn first",
    "one_way": "still one-way",
    "mutual": "mutual",
    "flipped": "answered, first tie gone",
    "gone": "withdrawn, unanswered",
    "unknown": "unanswered, then unknown",
}
ANSWERED = ("answered", "mutual", "flipped")

AROUND_ONE = (
    "every tie is one of the same account, so nothing is known of the others that a model could use"
)


@dataclass(frozen=True)
class Analysis:
    """Everything that a report says about one question.

    Attributes
    ----------
    dataset, dyads, features
        What was analysed.
    rate
        Share answered, with its dyadic-robust interval.
    model, no_model
        The fitted model, or None and the reason why there is none.
    effects
        One row a feature: term, label, unit, side, odds_ratio, ci_low, ci_high, p_value, effect,
        effect_low, effect_high, expected_sign.
    ladder
        Baselines and model on held-out dyads; None without a model, or where it was not asked for.
    segment
        Which part of the dyads this is about; "" for all.
    """

    dataset: Dataset
    dyads: DyadSet
    features: FeatureTable
    rate: cov.Rate
    model: FollowBackModel | None
    no_model: str
    effects: pd.DataFrame
    ladder: Ladder | None
    confidence: float
    segment: str = ""

    @property
    def question(self) -> Question:
        """The question that was answered."""
        return self.dyads.question

    @property
    def count(self) -> Mapping[str, int]:
        """The census by step."""
        return dict(zip(self.dyads.census["step"], self.dyads.census["count"], strict=True))


def choose_question(dataset: Dataset, question: str = "auto") -> Question:
    """Return the question to answer: the one asked for, or the most telling that the data allow.

    Raises
    ------
    ParameterError
        If there is no such question.
    """
    able = [name for name, lacking in find_questions(dataset).items() if not lacking]
    if question == "auto":
        return able[0]
    for name in QUESTIONS:
        if name == question:
            return name
    raise ParameterError(
        f"question: {question!r} is unknown; {suggest(question, ['auto', *QUESTIONS])}"
    )


@remembered
def analyse(
    dataset: Dataset,
    question: Question,
    *,
    horizon_days: float = 30.0,
    seed: int = 0,
    confidence: float = 0.95,
    allow_untimed: bool = False,
    allow_sensitive: bool = False,
    names: Sequence[str] | None = None,
    also: Sequence[str] = (),
    segment: str = "",
    with_ladder: bool = True,
) -> Analysis:
    """Make dyads and features, fit the model and score the ladder.

    Parameters
    ----------
    dataset, question
        The data and one of the questions they can answer.
    horizon_days
        For follow-back; late answers have the gap between the crawls.
    seed
        Of folds and splits.
    confidence
        Of every interval.
    allow_untimed
        Also score features whose moment is unknown, as a rung of their own; they stay out of the
        model.
    allow_sensitive
        Also compute features of convictions that were asked for by name; they stay out of the
        model unless they are among `names`.
    names
        Features of the model; those of the catalogue that the data can give without it.
    also
        Further features to compute, such as those of claims.
    segment
        Part of the dyads to look at, as in `followkit.segments`; all without. Features are those
        computed among all dyads.
    with_ladder
        Whether to score the ladder, which takes longest.

    Returns
    -------
    Analysis
        With `model` None where the data cannot carry one; the rate is given all the same.
    """
    everything = measure_dyads(
        dataset, question, horizon_days, seed, (*list_core(), *(names or ()), *also),
        allow_untimed, allow_sensitive,
    )  # fmt: skip
    dyads, features = select_segment(*everything, dataset, segment)
    accounts = code_dyads(dyads)
    rate = cov.dyadic_rate(dyads.table["outcome"], accounts, confidence=confidence)
    wanted = list(names) if names is not None else choose_features(features, dyads)
    try:
        if not wanted and is_around_one(dyads):
            raise CannotFitError(AROUND_ONE)
        model = fit_dyads(dyads, features, wanted, confidence=confidence)
    except CannotFitError as error:
        empty = pd.DataFrame(columns=["term", "label"])
        return Analysis(
            dataset, dyads, features, rate, None, str(error), empty, None, confidence, segment
        )
    ladder = _score(dyads, features, model, seed, confidence) if with_ladder else None
    return Analysis(
        dataset, dyads, features, rate, model, "", make_effects(model), ladder, confidence, segment
    )


def _score(
    dyads: DyadSet, features: FeatureTable, model: FollowBackModel, seed: int, confidence: float
) -> Ladder:
    """Score the ladder on the splits that suit the dyads."""
    # Rungs share their dyads, so a feature that few dyads have would cost all rungs the others.
    known = features.values.notna().mean()
    core = set(list_core())
    untimed = (name for name in features.untimed if name in core and known[name] > 0.95)
    return run_ladder(
        dyads, features, names=[*model.names, *untimed], splits=make_splits(dyads, seed=seed),
        seed=seed, confidence=confidence,
    )  # fmt: skip


@remembered
def measure_dyads(
    dataset: Dataset,
    question: Question,
    horizon_days: float,
    seed: int,
    names: tuple[str, ...],
    allow_untimed: bool,
    allow_sensitive: bool,
) -> tuple[DyadSet, FeatureTable]:
    """Return all dyads of a question and their features."""
    if question == "follow_back":
        dyads = make_dyads(dataset, question, horizon_days=horizon_days, seed=seed)
    else:
        dyads = make_dyads(dataset, question, seed=seed)
    features = make_features(
        dyads, dataset, names=names, allow_untimed=allow_untimed, allow_sensitive=allow_sensitive
    )
    return dyads, features


def list_core() -> list[str]:
    """Return the features that a report computes: those of the model and of the ladder's rungs.

    Details that refine a headline are computed on request (`make_features`).
    """
    rungs = {*CHENG_SET, *TRIAD_SET, "dyad_ratio_gap"}
    return [
        name
        for name, entry in CATALOGUE.items()
        if entry.in_model or name in rungs or (entry.is_untimed and not entry.timed_by)
    ]


def is_around_one(dyads: DyadSet) -> bool:
    """Return whether one account is in every dyad, as in an export of somebody's own.

    Examples
    --------
    >>> from followkit.tables import make_dataset
    >>> ties = pd.DataFrame({"follower_id": ["me", "me", "cy"], "followee_id": ["bo", "cy", "me"]})
    >>> is_around_one(make_dyads(make_dataset({"follows": ties}), "mutuality"))
    True
    """
    pairs = dyads.table[["initiator_id", "decider_id"]]
    # Two accounts and the ties between them are around neither.
    return sum(bool((pairs == one).any(axis=1).all()) for one in pairs.iloc[0]) == 1


def choose_features(features: FeatureTable, dyads: DyadSet | None = None) -> list[str]:
    """Return the features that belong in a model: no exact sums of others, and seldom unknown.

    A feature that is unknown for more than half of the dyads would throw those dyads away. Features
    that may post-date the answer are left to a rung of their own in the ladder. In a snapshot of
    the ties around one account, ties say nothing more: without the dyad's own fold everybody else
    has none, and that account's numbers tell the folds apart.
    """
    table = features.values
    known = table.notna().mean()
    is_bare = dyads is not None and dyads.asof != "timed" and is_around_one(dyads)
    return [
        name
        for name in table
        if CATALOGUE[name].in_model
        and not CATALOGUE[name].is_sensitive
        and known[name] > 0.5
        and name not in features.untimed
        and not (is_bare and CATALOGUE[name].tables[0] == "follows")
    ]


def fit_dyads(
    dyads: DyadSet, features: FeatureTable, names: Sequence[str], **options: Any
) -> FollowBackModel:
    """Fit the model on dyads and their features; options as in `fit_follow_back`."""
    rows = dyads.table
    table = features.values
    return fit_follow_back(
        table.reset_index(drop=True), rows["outcome"], initiator=rows["initiator_id"],
        decider=rows["decider_id"], weights=rows["weight"], names=names, **options,
    )  # fmt: skip


def code_dyads(dyads: DyadSet) -> cov.Accounts:
    """Return the accounts of dyads, for standard errors."""
    return cov.code_accounts(dyads.table["initiator_id"], dyads.table["decider_id"])


def make_splits(dyads: DyadSet, *, seed: int = 0) -> list[Split]:
    """Return the splits that suit the dyads: by account, and by time where there are times."""
    splits = [make_account_blocks(dyads, seed=seed)]
    if dyads.asof == "timed":
        span = dyads.table["at"].max() - dyads.table["at"].min()
        # The gap of one horizon needs room on both sides of it.
        if span > pd.Timedelta(days=3 * (dyads.horizon_days or 0.0)):
            splits.insert(0, make_temporal_split(dyads))
    return splits


def make_effects(model: FollowBackModel) -> pd.DataFrame:
    """Return odds ratios and average marginal effects side by side, in catalogue units."""
    steps = {name: CATALOGUE[name].unit_scale for name in model.names}
    odds = odds_ratios(model, steps)
    changes = average_marginal_effects(model, steps)
    table = odds.merge(changes.drop(columns=["step", "std_error"]), on="term", how="left")
    entries = [CATALOGUE[term] for term in table["term"]]
    table.insert(1, "label", [entry.label for entry in entries])
    table.insert(2, "unit", [entry.unit for entry in entries])
    table.insert(3, "side", [entry.side for entry in entries])
    return table.assign(expected_sign=[entry.expected_sign for entry in entries])


def make_states(dyads: DyadSet) -> pd.DataFrame:
    """Return what became of the dyads: state, label, count, share, is_answer; answers first."""
    counts = dyads.table["state"].value_counts()
    order = [state for state in STATE_LABELS if state in counts]
    table = pd.DataFrame({"state": order, "count": [int(counts[state]) for state in order]})
    plain = {"one_way": "one-way"} if dyads.question == "mutuality" else {}
    table.insert(1, "label", [{**STATE_LABELS, **plain}[state] for state in order])
    table["share"] = table["count"] / len(dyads.table)
    table["is_answer"] = table["state"].isin(ANSWERED)
    return table.sort_values(["is_answer", "count"], ascending=False, kind="stable",
                             ignore_index=True)  # fmt: skip


def make_curve(analysis: Analysis) -> pd.DataFrame:
    """Return the share answered by day, up to twice the horizon; empty where times are unknown."""
    if analysis.question != "follow_back":
        return pd.DataFrame()
    waiting = make_waiting(analysis.dataset)
    waiting = waiting[match_segment(waiting, analysis.dataset, analysis.segment)]
    last = min(2 * (analysis.dyads.horizon_days or 0.0), float(waiting["duration_days"].max()))
    return follow_back_curve(waiting, until_days=last, confidence=analysis.confidence)


def make_sensitivity(analysis: Analysis) -> pd.DataFrame:
    """Return the rate again among dyads chosen in other ways, with their deciders and dyads.

    For late answers: only deciders with lists short enough at baseline never to meet a later cut;
    only ties that still stand; and deciders who never signed a list again. The last two look at
    what happened afterwards and are there to be compared, not believed.
    """
    everyone = analysis.dyads.table["decider_id"].nunique()
    rows = [("all dyads at risk", everyone, analysis.rate)]
    if analysis.question == "late_answer":
        for label, keep in _late_choices(analysis):
            if keep.any():
                chosen = select_dyads(analysis.dyads, keep, label)
                found = cov.dyadic_rate(chosen.table["outcome"], code_dyads(chosen),
                                        confidence=analysis.confidence)  # fmt: skip
                rows.append((label, chosen.table["decider_id"].nunique(), found))
    return pd.DataFrame(
        [
            (label, deciders, rate.n, rate.event_count, rate.rate, rate.ci_low, rate.ci_high)
            for label, deciders, rate in rows
        ],
        columns=["label", "deciders", "n", "answered", "rate", "ci_low", "ci_high"],
    )


def _late_choices(analysis: Analysis) -> list[tuple[str, np.ndarray]]:
    table, dataset = analysis.dyads.table, analysis.dataset
    stands = table["state"].isin(["mutual", "one_way"]).to_numpy()
    choices = [("ties that still stand", stands)]
    most = dataset.about.get("late_answer", {}).get("most_followees")
    if most is not None and dataset.has("account_counts", "followee_count"):
        counts = dataset.account_counts
        then = counts[counts["counts_at"] == analysis.dyads.crawl_at]
        length = table["decider_id"].map(then.set_index("account_id")["followee_count"])
        short = (length <= most).to_numpy(dtype=bool, na_value=False)
        choices.insert(0, (f"deciders with at most {most:,} followees at baseline", short))
    signed = ("list_signed_wave1_at", "list_signed_wave2_at")
    if dataset.has("accounts", *signed):
        accounts = dataset.accounts.set_index("account_id")
        same = accounts.index[accounts[signed[0]] == accounts[signed[1]]]
        choices.append(
            ("deciders who never signed a list again", table["decider_id"].isin(same).to_numpy())
        )
    return choices


def make_influence(analysis: Analysis, *, most: int = 8) -> pd.DataFrame:
    """Return the rate without each of the deciders who answered most, and without nobody.

    Columns decider_id (missing: nobody left out), dyad_count, answer_count, rate, ci_low, ci_high.
    """
    table = analysis.dyads.table
    answers = table.groupby("decider_id")["outcome"].agg(["sum", "size"])
    top = answers.sort_values(["sum", "size"], ascending=False, kind="stable").head(most)
    rate = analysis.rate
    rows: list[tuple[Any, ...]] = [(None, 0, 0, rate.rate, rate.ci_low, rate.ci_high)]
    for decider, sums in top.iterrows():
        rest = table[table["decider_id"] != decider]
        accounts = cov.code_accounts(rest["initiator_id"], rest["decider_id"])
        found = cov.dyadic_rate(rest["outcome"], accounts, confidence=analysis.confidence)
        rows.append((decider, int(sums["size"]), int(sums["sum"]), found.rate, found.ci_low,
                     found.ci_high))  # fmt: skip
    table = pd.DataFrame(
        rows, columns=["decider_id", "dyad_count", "answer_count", "rate", "ci_low", "ci_high"]
    )
    # Beside a missing one, long ids would become decimals and lose digits.
    return table.assign(decider_id=pd.Series([row[0] for row in rows], dtype=object))


def make_fragility(analysis: Analysis) -> pd.DataFrame:
    """Return how far each odds ratio moves when any single account is left out, in either role.

    Columns label, unit, odds_ratio, lowest, highest (over all accounts, one left out at a time).
    """
    if analysis.model is None:
        return pd.DataFrame()
    moved = leave_one_account_out(analysis.model)
    table = analysis.effects[["term", "label", "unit", "odds_ratio"]].copy()
    steps = [CATALOGUE[term].unit_scale for term in table["term"]]
    for name, extreme in (("lowest", "min"), ("highest", "max")):
        table[name] = [
            float(np.exp(step * getattr(moved[term], extreme)()))
            for term, step in zip(table["term"], steps, strict=True)
        ]
    return table.drop(columns="term")


def make_ladder_table(analysis: Analysis, score: str, split: str) -> pd.DataFrame:
    """Return one score of every rung on one split: rung, label, value, interval, is_model."""
    if analysis.ladder is None:
        return pd.DataFrame()
    rows = analysis.ladder.scores
    rows = rows[(rows["score"] == score) & (rows["split"] == split)]
    table = rows.drop(columns=["split", "score"]).reset_index(drop=True)
    return table.assign(is_model=table["rung"] == "full_logistic")


def make_calibration(analysis: Analysis, split: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the calibration curve and line of the full model on one split."""
    if analysis.ladder is None:
        return pd.DataFrame(), pd.DataFrame()
    tested = analysis.ladder.tested[split]
    # About 40 answers a bin, so that a bin's interval says something.
    bins = int(np.clip(tested.outcome.sum() // 40, 4, 10))
    return sc.calibration_curve(tested, bin_count=bins), sc.calibration_line(tested)


def make_gains(analysis: Analysis, split: str) -> pd.DataFrame:
    """Return the cumulative gains of the full model on one split."""
    if analysis.ladder is None:
        return pd.DataFrame()
    return sc.cumulative_gains(analysis.ladder.tested[split])


def main_split(analysis: Analysis) -> str:
    """Return the split that headline scores come from: by time where there are times."""
    return next(iter(analysis.ladder.tested)) if analysis.ladder is not None else ""


def make_missing(analysis: Analysis) -> pd.DataFrame:
    """Return what these data cannot measure: claim, feature in words, reason."""
    missing = analysis.features.missing
    labels = [CATALOGUE[name].label for name in missing["feature"]]
    return pd.DataFrame(
        {"claim": missing["claim"], "feature": labels, "reason": missing["reason"]}
    ).sort_values("claim", kind="stable", ignore_index=True)
