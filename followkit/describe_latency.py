"""Time to follow-back in words: each function returns a `Summary`, sentence and table in one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from followkit import __version__, words
from followkit.describe import describe_people, list_rows
from followkit.effects import SQUARED
from followkit.html import Summary
from followkit.latency_study import LatencyStudy, Timed, list_effects

#: Gaps between prediction and observation below this are no reason to doubt the model.
SMALL_GAP = 0.01


def describe_latency(study: LatencyStudy) -> Summary:
    """Say in one paragraph how many are answered, how soon, and what is left after L days."""
    timed = study.timed
    if timed is None:
        return _describe_untimed(study)
    first = timed.chances.iloc[0]
    table = timed.chances.loc[[0]].assign(half_days=timed.half_days)
    if not first["chance"]:
        text = (
            f"None of {words.count(first['n'])} follows was answered within "
            f"{words.days(study.horizon_days)}, so the time to an answer is not reached; the "
            f"longest was watched for {words.span(timed.summary.longest_days)}."
        )
        return Summary(table, text, "The answer in numbers")
    text = (
        f"{words.percent(first['chance'])} of {words.count(first['n'])} follows are answered "
        f"within {words.days(study.horizon_days)} ({words.level(study.confidence)} interval "
        f"{words.percent_range(first['ci_low'], first['ci_high'])}). Half of those answers come "
        f"within {words.span(timed.half_days)}. {_tell_left(study, timed)}"
    )
    return Summary(table, text, "The answer in numbers")


def describe_counted(study: LatencyStudy) -> str:
    """Say who was counted, for the card that says what a report may be used for."""
    if study.timed is not None:
        return describe_people(study.timed.waiting, "follow")
    if study.single is not None:
        return (
            f"Counted here: {words.count(study.single.n, 'tie')} among "
            f"{words.count(study.single.account_count, 'account')} whose lists both crawls read. "
            "Everybody else is not in these numbers."
        )
    return "Counted here: nobody, since one snapshot shows no time."


def describe_medians(study: LatencyStudy) -> Summary:
    """Say two medians that are easily taken for one another, and why they differ."""
    timed = study.timed
    if timed is None:
        return Summary(pd.DataFrame(), "")
    found = timed.summary
    if not found.answered_count:
        text = (
            f"Nobody answered, so no quantile is reached; the longest follow was watched for "
            f"{words.span(found.longest_days)}."
        )
        return Summary(timed.quantiles, text)
    text = (
        f"{words.percent(found.answered_share)} of {words.count(found.dyad_count)} follows were "
        f"seen to be answered. Among these the median wait is "
        f"{words.span(found.median_answered_days)}; {_tell_median(study, timed)} The two differ "
        "because the first leaves out everybody who had not answered, and so says how quick the "
        "quick are."
    )
    if found.same_moment_count:
        text += (
            f" {words.count(found.same_moment_count, 'answer')} came in the very moment of the "
            "follow."
        )
    return Summary(timed.quantiles, text, "When a share of all follows was answered")


def describe_times(study: LatencyStudy) -> Summary:
    """Say how the share answered grows, by moments that people know."""
    timed = study.timed
    if timed is None:
        return Summary(pd.DataFrame(), "")
    table = timed.curve
    parts = []
    for days in (1 / 24, 1.0, 7.0, study.horizon_days):
        if table["duration_days"].min() <= days <= study.horizon_days:
            at = table.iloc[(table["duration_days"] - days).abs().argmin()]
            parts.append(f"{words.percent(at['incidence'])} after {words.span(days)}")
    compete = (
        "a withdrawn follow can no longer be answered"
        if study.sees_unfollows
        else "withdrawn follows cannot be seen, so this holds for ties that survived to be seen "
        "and is likely too high"
    )
    text = f"Answered so far: {words.join(list(dict.fromkeys(parts)))} ({compete})."
    return Summary(table, text, "Share of all follows answered by each moment")


def describe_pace(study: LatencyStudy) -> Summary:
    """Say when answers come fastest, and how much slower they come later."""
    timed = study.timed
    if timed is None or timed.hazards.empty:
        return Summary(pd.DataFrame(), "")
    table = timed.hazards
    rate = table["answers_per_day"].where(np.isfinite(table["answers_per_day"]))
    top, last = table.loc[rate.idxmax()], table.iloc[-1]
    text = (
        f"Answers come fastest between {words.span(top['from_days'])} and "
        f"{words.span(top['to_days'])} after the follow: {_pace(top['answers_per_day'])}. "
        f"Between {words.span(last['from_days'])} and {words.span(last['to_days'])} it is "
        f"{_pace(last['answers_per_day'])}."
    )
    gone = table["withdrawn"].sum()
    if gone:
        text += (
            f" Over the whole stretch {words.count(table['answered'].sum())} follows were answered "
            f"and {words.count(gone)} withdrawn first."
        )
    return Summary(table, text, "Cause-specific hazards: answers and withdrawals per day at risk")


def describe_chances(study: LatencyStudy) -> Summary:
    """Say whether it is still worth waiting."""
    timed = study.timed
    if timed is None:
        return Summary(pd.DataFrame(), "")
    known = timed.chances[timed.chances["chance"].notna()]
    table = known.assign(is_chosen=known["landmark_days"] == study.landmark_days)
    first = table.iloc[0]
    text = (
        f"Right after a follow the chance of an answer within {words.days(study.horizon_days)} is "
        f"{words.percent(first['chance'])}. {_tell_left(study, timed)}"
    )
    return Summary(table, text, "Chance of an answer by the horizon, for follows still unanswered")


def describe_hazard_ratios(study: LatencyStudy) -> Summary:
    """Say which features go with quicker answers, or why none can be told."""
    timed = study.timed
    if timed is None:
        return Summary(pd.DataFrame(), "")
    model = timed.model
    if model is None:
        return Summary(pd.DataFrame(), f"No hazard regression was fitted: {timed.no_model}.")
    table = list_effects(model)
    clear = find_clear(table)
    ratio = "hazard ratio" if model.link == "cloglog" else "odds ratio of the hazard"
    told = [_tell_ratio(row, ratio) for row in clear.head(3).itertuples(name="Row")]
    text = " ".join(told) or "No feature is clearly associated with quicker or slower answers."
    accounts = model.accounts
    notes = [
        f"Discrete-time hazard regression, link {model.link}, {len(model.baseline)} bins up to "
        f"{words.span(model.limits[-1])}; {words.count(model.used.sum())} dyads. Errors: "
        f"{model.covariance_kind}, {words.count(accounts.effective_count)} effective accounts. "
        f"Intervals are {words.level(study.confidence)} and unadjusted.",
        *model.notes,
    ]
    return Summary(table, text, f"{ratio.capitalize()}s of an answer", notes=notes)


def describe_fit(study: LatencyStudy) -> Summary:
    """Say whether the hazard regression adds up to what was observed."""
    timed = study.timed
    if timed is None or timed.fit.empty:
        return Summary(pd.DataFrame(), "")
    worst = timed.fit.loc[timed.fit["gap"].abs().idxmax()]
    verdict = (
        "the model adds up"
        if abs(worst["gap"]) < SMALL_GAP
        else "the model does not add up there, or how long dyads were watched goes with their "
        "features"
    )
    text = (
        f"The mean predicted share answered is never further than "
        f"{words.points(abs(worst['gap'])).lstrip('+')} percentage points from the observed one "
        f"(after {words.span(worst['duration_days'])}: {words.percent(worst['predicted'])} "
        f"predicted, {words.percent(worst['observed'])} observed): {verdict}."
    )
    return Summary(timed.fit, text, "Mean predicted incidence and Aalen–Johansen's")


def describe_later(study: LatencyStudy) -> Summary:
    """Say what goes with a late answer among the follows unanswered after L days."""
    timed = study.timed
    if timed is None:
        return Summary(pd.DataFrame(), "")
    later = timed.later
    if later is None:
        return Summary(pd.DataFrame(), f"No landmark model was fitted: {timed.no_later}.")
    outcome = later.rows["outcome"]
    table = later.effects
    clear = find_clear(table)
    told = [_tell_odds(row) for row in clear.head(3).itertuples(name="Row")]
    text = (
        f"{words.count(len(outcome))} follows were unanswered and standing after "
        f"{words.days(later.landmark_days)} and could be watched to day {later.horizon_days:g}; "
        f"{words.count(outcome.sum())} were answered later. "
        + (" ".join(told) or "No feature is clearly associated with a later answer.")
    )
    notes = ["Only what happened up to the landmark is used.", *later.model.notes]
    return Summary(table, text, "Odds ratios of a later answer", notes=notes)


def describe_groups(study: LatencyStudy) -> Summary:
    """Say whether deciders with many followers per followee let others wait longer."""
    timed = study.timed
    if timed is None or timed.test is None:
        return Summary(pd.DataFrame(), "")
    test = timed.test
    last = timed.groups.groupby("group", sort=False).last()
    parts = [f"{words.percent(row.unanswered)} in the {name}" for name, row in last.iterrows()]
    text = (
        f"By followers per followee of the decider, still unanswered after "
        f"{words.days(study.horizon_days)} if nobody withdrew: {words.join(parts)}. Log-rank test "
        f"that allows for shared accounts: {_p_value(test.robust_p_value)}."
    )
    note = (
        f"As if dyads were independent: χ² {test.statistic:.1f} on {test.degrees_of_freedom} "
        f"degree of freedom, {_p_value(test.p_value)}. A withdrawal counts as the end of the watch."
    )
    return Summary(timed.groups, text, "Still unanswered, by the decider's popularity",
                   notes=[note])  # fmt: skip


def find_clear(table: pd.DataFrame) -> pd.DataFrame:
    """Return effects whose interval excludes 1, smallest p first, without squares.

    A square says nothing by itself; it bends what its feature says.

    Examples
    --------
    >>> table = pd.DataFrame({"term": ["x", "x_squared", "y"], "ci_low": [1.1, 1.2, 0.9],
    ...     "ci_high": [2.0, 2.0, 2.0], "p_value": [0.02, 0.01, 0.3]})
    >>> find_clear(table)["term"].tolist()
    ['x']
    """
    clear = table[(table["ci_low"] > 1) | (table["ci_high"] < 1)]
    return drop_squares(clear).sort_values("p_value", kind="stable")


def drop_squares(table: pd.DataFrame) -> pd.DataFrame:
    """Return effects without those of squared features.

    Examples
    --------
    >>> drop_squares(pd.DataFrame({"term": ["x", "x_squared"]}))["term"].tolist()
    ['x']
    """
    return table[~table["term"].str.endswith(SQUARED)]


def collect_latency_numbers(study: LatencyStudy) -> dict[str, Any]:
    """Return the numbers behind the page."""
    numbers: dict[str, Any] = {
        "question": study.question, "horizon_days": study.horizon_days,
        "landmark_days": study.landmark_days, "confidence": study.confidence,
        "sees_unfollows": study.sees_unfollows, "followkit": __version__,
    }  # fmt: skip
    if study.single is not None:
        one = study.single
        numbers["single"] = {"dyads": one.n, "answered": one.event_count, "rate": one.rate,
                             "ci_low": one.ci_low, "ci_high": one.ci_high}  # fmt: skip
    timed = study.timed
    if timed is None:
        return numbers
    numbers |= {"summary": vars(timed.summary), "half_days": timed.half_days}
    for name in ("quantiles", "chances", "at_risk", "hazards", "fit"):
        numbers[name] = list_rows(getattr(timed, name).reset_index(drop=True))
    if timed.test is not None:
        numbers["log_rank"] = {
            "statistic": timed.test.statistic, "p_value": timed.test.p_value,
            "robust_p_value": timed.test.robust_p_value,
        }  # fmt: skip
    numbers["hazard"] = None if timed.model is None else {
        "link": timed.model.link, "bins": len(timed.model.baseline),
        "dyads": int(timed.model.used.sum()),
        "features": list_rows(list_effects(timed.model).drop(columns=["label", "unit"])
                              .set_index("term")),
    }  # fmt: skip
    numbers["later"] = None if timed.later is None else {
        "dyads": len(timed.later.rows), "answered": int(timed.later.rows["outcome"].sum()),
        "features": list_rows(timed.later.effects.drop(columns=["label", "unit"])
                              .set_index("term")),
    }  # fmt: skip
    return numbers


def _describe_untimed(study: LatencyStudy) -> Summary:
    rate = study.single
    if rate is None:
        text = (
            "These data are one snapshot without times of follows: whether a tie is mutual can be "
            "told, how long an answer took cannot. There is no curve and no number here."
        )
        return Summary(pd.DataFrame(), text)
    table = pd.DataFrame({"dyads": [rate.n], "answered": [rate.event_count], "rate": [rate.rate],
                          "ci_low": [rate.ci_low], "ci_high": [rate.ci_high]})  # fmt: skip
    text = (
        f"{words.percent(rate.rate)} of {words.count(rate.n)} one-way ties were answered between "
        f"the two crawls ({words.level(study.confidence)} interval "
        f"{words.percent_range(rate.ci_low, rate.ci_high)}), {words.days(study.horizon_days)} "
        "apart. Two crawls are one interval: they give this one number, and no curve. When within "
        "the interval an answer came, and how old the tie was, cannot be told."
    )
    return Summary(table, text, "The answer in numbers")


def _tell_left(study: LatencyStudy, timed: Timed) -> str:
    chosen = timed.chances[timed.chances["landmark_days"] == study.landmark_days].iloc[0]
    after = words.days(study.landmark_days)
    if not np.isfinite(chosen["chance"]):
        return f"No follow was still unanswered after {after} and watched to the horizon."
    return (
        f"A follow still unanswered after {after} has a chance of "
        f"{words.percent(chosen['chance'])} "
        f"({words.percent_range(chosen['ci_low'], chosen['ci_high'])}) to be answered by day "
        f"{study.horizon_days:g}."
    )


def _tell_median(study: LatencyStudy, timed: Timed) -> str:
    found = timed.summary
    if not np.isfinite(found.median_days):
        return (
            "but of all follows fewer than half were answered, so that their median is not "
            f"reached within the longest watch of {words.span(found.longest_days)}."
        )
    high = words.span(found.median_high) if np.isfinite(found.median_high) else "beyond the watch"
    low = words.span(found.median_low) if np.isfinite(found.median_low) else "beyond the watch"
    return (
        f"but it takes {words.span(found.median_days)} until half of all follows are answered "
        f"({words.level(study.confidence)} interval {low} to {high})."
    )


def _tell_ratio(row: Any, ratio: str) -> str:
    way = "sooner" if row.hazard_ratio > 1 else "later"
    return (
        f"{_upper(row.label)} ({row.unit}) is associated with {way} answers: {ratio} "
        f"{words.factor(row.hazard_ratio)}, interval {words.factor_range(row.ci_low, row.ci_high)}."
    )


def _tell_odds(row: Any) -> str:
    way = "higher" if row.odds_ratio > 1 else "lower"
    return (
        f"{_upper(row.label)} ({row.unit}) is associated with {way} odds of a later answer: odds "
        f"ratio {words.factor(row.odds_ratio)}, interval "
        f"{words.factor_range(row.ci_low, row.ci_high)}."
    )


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]


def _pace(rate: float) -> str:
    """Write a rate per day for a hundred dyads, in the largest unit that keeps it below them."""
    units = {"a day": 1.0, "an hour": 24.0, "a minute": 1440.0, "a second": 86_400.0}
    unit = next((name for name, size in units.items() if rate / size < 1), "a second")
    return f"{100 * rate / units[unit]:,.2g} {unit} of every 100 still waiting"


def _p_value(value: float) -> str:
    return "p below 0.001" if value < 0.001 else f"p = {value:.3f}"
