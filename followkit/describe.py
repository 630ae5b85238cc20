"""Results in words: each function returns a `Summary`, the sentence and the table it was made from.

Sentences are computed, so they change when the data change; the numbers in them are those of the
table, and of `summary.json`. Associations are called associations.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from followkit import __version__, words
from followkit.analysis import (
    Analysis,
    make_ladder_table,
    make_missing,
    make_states,
)
from followkit.dyads import Question
from followkit.features import CATALOGUE
from followkit.html import Summary
from followkit.pseudonyms import WITHHELD
from followkit.reciprocity import dyad_reciprocity, edge_reciprocity
from followkit.small_cells import merge_small_states, tell_count

QUESTION_WORDS: dict[Question, str] = {
    "follow_back": "Follow-back: will a new follow be answered within the horizon?",
    "late_answer": "Late answer: will a standing one-way tie still be answered by the next crawl?",
    "mutuality": "Mutuality: is a tie of this snapshot mutual?",
}
FEWEST_FOR_RANKING = 4


def describe_answer(analysis: Analysis, segment: str = "") -> Summary:
    """Say in one paragraph how many were answered, how sure that is, and what goes with it.

    Parameters
    ----------
    analysis
        Of the question.
    segment
        The analysis's segment as it may be shown (`AccountNames.name_segment`); without it the
        segment is not named.
    """
    rate = analysis.rate
    table = pd.DataFrame(
        [(rate.n, rate.event_count, rate.rate, rate.ci_low, rate.ci_high)],
        columns=["dyads", "answered", "rate", "ci_low", "ci_high"],
    )
    interval = words.percent_range(rate.ci_low, rate.ci_high)
    shares = f"{words.percent(rate.rate)}, {words.level(analysis.confidence)} interval {interval}"
    part = describe_segment(segment) or (" of one segment" if analysis.segment else "")
    opening = {
        "follow_back": f"Of {words.count(rate.n)} follows{part} that could be watched for "
        f"{words.days(analysis.dyads.horizon_days or 0)}, {words.count(rate.event_count)} were "
        f"followed back in time ({shares}).",
        "late_answer": f"Of {words.count(rate.n)} one-way ties{part}, "
        f"{words.count(rate.event_count)} were answered by the next crawl, "
        f"{words.days(analysis.dyads.horizon_days or 0)} later ({shares}).",
        "mutuality": f"Of {words.count(rate.n)} ties in the snapshot{part}, "
        f"{words.count(rate.event_count)} are mutual ({shares}).",
    }[analysis.question]
    return Summary(table, f"{opening} {_describe_strongest(analysis)}", "The answer in numbers")


def describe_segment(segment: str) -> str:
    """Return which part of the dyads this is about, to stand behind "follows"; "" for all.

    Examples
    --------
    >>> describe_segment("month=2025-03"), describe_segment("decider.category=art")
    (' made in 2025-03', ' whose decider has category = art')
    >>> describe_segment("initiator=user-k7m2qx")
    ' with user-k7m2qx as initiator'
    >>> describe_segment("decider.location=withheld")
    ' whose decider has a location that few share'
    """
    if not segment:
        return ""
    by, _, value = segment.partition("=")
    if by == "month":
        return f" made in {value}"
    side, dot, column = by.partition(".")
    if dot and value == WITHHELD:
        return f" whose {side} has a {column} that few share"
    return f" whose {side} has {column} = {value}" if dot else f" with {value} as {side}"


def describe_people(rows: pd.DataFrame, noun: str) -> str:
    """Say how many people are behind a table of dyads.

    Examples
    --------
    >>> rows = pd.DataFrame({"initiator_id": [1, 1, 2], "decider_id": [2, 3, 3]})
    >>> describe_people(rows, "follow")
    'Counted here: 3 follows of 2 initiators, with 2 deciders who could be watched. Everybody else
    is not in these numbers.'
    """
    initiators, deciders = (rows[f"{side}_id"].nunique() for side in ("initiator", "decider"))
    return (
        f"Counted here: {words.count(len(rows), noun)} of {words.count(initiators, 'initiator')}, "
        f"with {words.count(deciders, 'decider')} who could be watched. Everybody else is not in "
        "these numbers."
    )


def describe_headline(answer: Summary) -> str:
    """Return the first sentence of an answer, for an index of reports."""
    return answer.text.split(". ")[0].rstrip(".") + "."


def describe_census(analysis: Analysis) -> Summary:
    """Say what became of the dyads, state by state."""
    table = make_states(analysis.dyads)
    if analysis.segment:
        table = merge_small_states(table)
    parts = [
        f"{words.count(row.count)} {row.label} ({words.percent(row.share)})"
        for row in table.itertuples(name="Row")
    ]
    text = f"Of {words.count(table['count'].sum(), 'dyad')}: {words.join(parts)}."
    return Summary(table, text, "What became of the dyads")


def describe_reciprocity(analysis: Analysis) -> Summary:
    """Say how mutual the ties are, under both names that one pair count can have."""
    table = analysis.dyads.table
    ties = table.rename(columns={"initiator_id": "follower_id", "decider_id": "followee_id"})
    edge, dyad = edge_reciprocity(ties), dyad_reciprocity(ties)
    text = (
        f"{words.percent(edge)} of the directed ties have their reverse (edge reciprocity), which "
        f"is {words.percent(dyad)} of the connected pairs (dyad reciprocity)."
    )
    numbers = pd.DataFrame({"edge_reciprocity": [edge], "dyad_reciprocity": [dyad]})
    return Summary(numbers, text, "Two names for one count")


def describe_effects(analysis: Analysis) -> Summary:
    """Say which features go with an answer, strongest evidence first, or why none can be told."""
    model = analysis.model
    if model is None:
        return Summary(pd.DataFrame(), f"No model was fitted: {analysis.no_model}.")
    clear = _clear(analysis)
    told = [_tell_effect(row, analysis) for row in clear.head(4).itertuples(name="Row")]
    if not told:
        text = "No feature's interval excludes an odds ratio of 1."
    else:
        more = len(clear) - len(told)
        tail = f" {words.count(more)} more are in the table." if more else ""
        text = f"{' '.join(told)}{tail}"
    if not model.has_verdicts:
        text += " These data do not allow verdicts on the signs."
    if _is_too_thin(analysis):
        text += f" There are {_thin_words(analysis)}: too few answers to rank factors."
    return Summary(analysis.effects, text, "Odds ratios and average marginal effects",
                   notes=[_error_note(analysis)])  # fmt: skip


def describe_fragility(table: pd.DataFrame) -> Summary:
    """Say whether any single account carries a coefficient."""
    if table.empty:
        return Summary(table, "")
    turning = table[(table["lowest"] - 1) * (table["highest"] - 1) < 0]
    if turning.empty:
        text = "No odds ratio changes its side of 1 when any single account is left out."
    else:
        text = (
            f"Leaving out one account is enough to move {words.join(list(turning['label']))} to "
            "the other side of 1: do not build on it."
        )
    return Summary(table, text, "Odds ratios with any one account left out")


def describe_influence(table: pd.DataFrame) -> Summary:
    """Say how much of the rate hangs on the decider who answered most."""
    first, rest = table.iloc[0], table.iloc[1:]
    if rest.empty or not rest["answer_count"].iloc[0]:
        return Summary(table, "Nobody answered, so nobody carries the rate.")
    top = rest.iloc[0]
    text = (
        f"The busiest decider gave {tell_count(top['answer_count'], 'answer')}; without them the "
        f"rate is {words.percent(top['rate'])} instead of {words.percent(first['rate'])}."
    )
    return Summary(table, text, "The rate without the deciders who answered most")


def describe_curve(curve: pd.DataFrame, analysis: Analysis) -> Summary:
    """Say how much is answered by the horizon, or why there is no curve."""
    if curve.empty:
        gap = analysis.dyads.horizon_days
        told = "one number, and no curve" if gap else "no times at all, so no curve"
        why = f"two crawls are one interval of {words.days(gap)}" if gap else "a snapshot"
        return Summary(curve, f"How long answers take cannot be seen here: {why} gives {told}.")
    horizon = analysis.dyads.horizon_days or 0.0
    at = curve.iloc[(curve["duration_days"] - horizon).abs().argmin()]
    early = curve.iloc[(curve["duration_days"] - horizon / 4).abs().argmin()]
    text = (
        f"By day {horizon:g}, {words.percent(at['incidence'])} of all follows are answered "
        f"({words.level(analysis.confidence)} interval "
        f"{words.percent_range(at['ci_low'], at['ci_high'])}), the young ones "
        f"included; {words.percent(early['incidence'])} are by day "
        f"{early['duration_days']:.0f}."
    )
    return Summary(curve, text, "Cumulative incidence of answers")


def describe_truth(table: pd.DataFrame, test: tuple[float, float] | None) -> Summary:
    """Say how many planted coefficients the intervals cover."""
    if table.empty or test is None:
        return Summary(table, "")
    covered = int((~table["is_missed"]).sum())
    text = (
        f"{covered} of {len(table)} intervals cover the planted truth; about one in twenty is "
        f"expected to miss. Taken together, estimates this far from the truth come up with "
        f"probability {test[1]:.2f} (Wald statistic {test[0]:.1f}, {len(table)} coefficients)."
    )
    return Summary(table, text, "Planted truth and estimate")


def describe_ladder(analysis: Analysis, split: str) -> Summary:
    """Say how well the model tells answers apart, beside the base rate and gradient boosting."""
    table = make_ladder_table(analysis, "auc", split)
    if table.empty or analysis.ladder is None:
        return Summary(pd.DataFrame(), "Without a model there is nothing to score.")
    model = table[table["is_model"]].iloc[0]
    best = table.loc[table["value"].idxmax()]
    interval = ""
    if np.isfinite(model["ci_low"]):
        interval = f" (interval {model['ci_low']:.2f} to {model['ci_high']:.2f})"
    text = (
        f"On dyads it has not seen, the model ranks {_ranked(analysis)} with "
        f"probability {model['value']:.2f}{interval}; 0.5 is chance."
    )
    if best["rung"] != model["rung"]:
        text += f" The best rung is {best['label']} with {best['value']:.2f}."
    return Summary(table, f"{text} {_describe_gain(analysis, split)}", "AUC of every rung")


def describe_calibration(line: pd.DataFrame) -> Summary:
    """Say whether predicted probabilities can be taken at their word."""
    if line.empty or "slope" not in set(line["term"]):
        return Summary(line, "Every prediction is the same, so there is no calibration slope.")
    slope = line.set_index("term").loc["slope"]
    spread = f"{slope['ci_low']:.2f} to {slope['ci_high']:.2f}".replace("-", "−")
    if slope["ci_high"] - slope["ci_low"] > 1:
        verdict = "too uncertain to tell whether predictions are too extreme or too timid"
    elif slope["ci_low"] <= 1 <= slope["ci_high"]:
        verdict = "no sign that predictions are too extreme or too timid"
    elif slope["estimate"] < 1:
        verdict = "predictions are too extreme: far ones should be pulled towards the base rate"
    else:
        verdict = "predictions are too timid: far ones could be further from the base rate"
    text = f"The calibration slope is {slope['estimate']:.2f} (interval {spread}): {verdict}."
    return Summary(line, text, "Calibration line")


def describe_gains(gains: pd.DataFrame) -> Summary:
    """Say which share of the answers the highest-ranked fifth of the dyads holds."""
    if gains.empty:
        return Summary(gains, "")
    found = gains.iloc[(gains["share_ranked"] - 0.2).abs().argmin()]["share_found"]
    text = f"The fifth of the dyads ranked highest holds {words.percent(found)} of all answers."
    return Summary(gains, text, "Cumulative gains")


def describe_missing(analysis: Analysis) -> Summary:
    """Say how much of the catalogue these data cannot measure."""
    table = make_missing(analysis)
    if table.empty:
        return Summary(table, "Every feature of the catalogue could be measured.")
    measured = analysis.features.values.shape[1]
    text = (
        f"{measured} of {measured + len(table)} main features could be measured; the table "
        "says what the others need. Nothing was filled in for them."
    )
    return Summary(table, text, "Not measurable here")


def describe_notes(analysis: Analysis) -> list[str]:
    """Return the remarks that belong beside the results."""
    notes = [*analysis.dyads.notes, *analysis.features.notes]
    if analysis.model is not None:
        notes += analysis.model.notes
        dropped = analysis.model.dropped
        for reason, names in dropped.groupby("reason", sort=False)["feature"]:
            labels = [CATALOGUE[name].label if name in CATALOGUE else name for name in names]
            notes.append(f"Left out of the model, since {reason}: {words.join(labels)}.")
    if analysis.ladder is not None:
        notes += analysis.ladder.notes
    return list(dict.fromkeys(notes))


def describe_data(analysis: Analysis) -> pd.DataFrame:
    """Return what the data are: title, source, licence, rows, fingerprint."""
    about, dataset = analysis.dataset.about, analysis.dataset
    rows = [(name, f"{len(table):,} rows") for name, table in dataset.tables.items()]
    known = [(name, str(about[name])) for name in ("title", "source", "licence") if name in about]
    print_ = dataset.fingerprint()
    return pd.DataFrame([*known, *rows, ("fingerprint", print_)], columns=["what", "value"])


def describe_obstacle(analysis: Analysis) -> str:
    """Return why no ordinary model could be fitted; "" where one was."""
    model = analysis.model
    if model is None:
        return analysis.no_model
    if model.penalty == "firth":
        return next((note for note in model.notes if "Firth" in note), "Firth's fit")
    return ""


def collect_numbers(analysis: Analysis) -> dict[str, Any]:
    """Return the numbers of `summary.json` for one question; prose and figures use the same."""
    rate = analysis.rate
    numbers: dict[str, Any] = {
        "question": analysis.question,
        "horizon_days": analysis.dyads.horizon_days,
        "dyads": rate.n,
        "answered": rate.event_count,
        "rate": {"value": rate.rate, "ci_low": rate.ci_low, "ci_high": rate.ci_high,
                 "method": rate.method},
        "design_effect": None if np.isnan(rate.design_effect) else rate.design_effect,
        "accounts": rate.account_count,
        "effective_accounts": rate.effective_account_count,
        "answering_deciders": int(
            analysis.dyads.table.loc[analysis.dyads.table["outcome"] == 1, "decider_id"].nunique()
        ),
        "census": dict(analysis.count),
        "followkit": __version__,
        "cannot_fit": describe_obstacle(analysis),
    }  # fmt: skip
    if analysis.model is None:
        return numbers | {"model": None}
    effects = analysis.effects.drop(columns=["label", "unit", "side"]).set_index("term")
    numbers["model"] = {
        "penalty": analysis.model.penalty,
        "covariance": analysis.model.covariance_kind,
        "dyads": len(analysis.model.outcome),
        "features": list_rows(effects),
    }
    if analysis.ladder is not None:
        numbers["auc"] = {
            split: list_rows(make_ladder_table(analysis, "auc", split).drop(columns="label")
                          .set_index("rung"))
            for split in analysis.ladder.tested
        }  # fmt: skip
    return numbers


def list_rows(table: pd.DataFrame) -> dict[str, Any]:
    """Return the rows of a table by the name of their index, missing values as None."""
    rows = table.astype(object).where(table.notna(), None)
    return {str(name): row.to_dict() for name, row in rows.iterrows()}


def _clear(analysis: Analysis) -> pd.DataFrame:
    """Return effects whose interval excludes 1, smallest p first."""
    table = analysis.effects
    clear = table[(table["ci_low"] > 1) | (table["ci_high"] < 1)]
    return clear.sort_values("p_value", kind="stable")


def _describe_strongest(analysis: Analysis) -> str:
    if analysis.model is None:
        return f"No model was fitted: {analysis.no_model}."
    if _is_too_thin(analysis):
        return (
            f"That is too few answers to rank factors: {_thin_words(analysis)}, given by "
            f"{words.count(collect_numbers(analysis)['answering_deciders'], 'decider')}."
        )
    clear = _clear(analysis)
    if clear.empty:
        return f"No measured feature is clearly associated with {_event(analysis)}."
    return _tell_effect(next(iter(clear.itertuples(name="Row"))), analysis)


def _tell_effect(row: Any, analysis: Analysis) -> str:
    way = "higher" if row.odds_ratio > 1 else "lower"
    change = ""
    if np.isfinite(row.effect):
        change = f", {words.points(row.effect)} percentage points on average"
    spread = words.factor_range(row.ci_low, row.ci_high)
    return (
        f"{row.label[0].upper()}{row.label[1:]} ({row.unit}) is associated with {way} odds of "
        f"{_event(analysis)}: odds ratio {words.factor(row.odds_ratio)}, interval {spread}{change}."
    )


def _event(analysis: Analysis) -> str:
    return "a mutual tie" if analysis.question == "mutuality" else "an answer"


def _ranked(analysis: Analysis) -> str:
    if analysis.question == "mutuality":
        return "a mutual tie above a one-way one"
    return "an answered one above an unanswered one"


def _is_too_thin(analysis: Analysis) -> bool:
    return analysis.model is not None and len(analysis.model.names) < FEWEST_FOR_RANKING


def _thin_words(analysis: Analysis) -> str:
    rate = analysis.rate
    fewer = min(rate.event_count, rate.n - rate.event_count)
    effect = max(rate.design_effect, 1.0)
    return (
        f"{words.count(fewer)} answers, worth {words.count(fewer / effect)} independent ones "
        f"(design effect {effect:.1f})"
    )


def _describe_gain(analysis: Analysis, split: str) -> str:
    if analysis.ladder is None:
        return ""
    rows = analysis.ladder.paired
    gain = rows[(rows["split"] == split) & (rows["rung"] == "prevalence")].iloc[0]
    if gain["ci_low"] > 0:
        return "Its probabilities are clearly better than the base rate's (log loss)."
    if gain["ci_high"] < 0:
        return "Its probabilities are worse than the base rate's (log loss): use the base rate."
    return "Its probabilities are not clearly better than the base rate's (log loss)."


def _error_note(analysis: Analysis) -> str:
    model = analysis.model
    if model is None:
        return ""
    accounts = model.accounts
    return (
        f"Errors: {model.covariance_kind}; {words.count(accounts.count)} accounts, "
        f"{words.count(accounts.effective_count)} effective; the busiest is in "
        f"{words.percent(accounts.largest_share)} of the dyads. Intervals are "
        f"{words.level(analysis.confidence)} and unadjusted."
    )
