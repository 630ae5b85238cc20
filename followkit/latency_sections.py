"""Parts of the page on time to follow-back; a part without rows is not shown, nor its heading."""

from __future__ import annotations

from functools import partial

import pandas as pd

from followkit import latency_figures as draw
from followkit import words
from followkit.describe_latency import (
    describe_chances,
    describe_fit,
    describe_groups,
    describe_hazard_ratios,
    describe_later,
    describe_medians,
    describe_pace,
    describe_times,
    drop_squares,
)
from followkit.figures import plot_odds_ratios
from followkit.html import Shown, Summary, details, heading, key_numbers, lead, show, table
from followkit.latency_study import LatencyStudy
from followkit.sections import NOTHING, label_effects, picture, show_effects

INTERVAL = {"ci_low": "from", "ci_high": "to"}
SHARES = dict.fromkeys(("share", "chance", "ci_low", "ci_high"), words.percent)
METHOD = (
    "Every follow counts for as long as its decider was watched: a young one that is not yet "
    "answered is not a refusal, and none is left out for being young.",
    "Share answered: cumulative incidence after Aalen and Johansen; a withdrawn follow, or one "
    "whose decider was deleted, can no longer be answered. Share still unanswered by group: "
    "Kaplan–Meier, in which a withdrawal cuts the wait off. Intervals let all dyads that share "
    "an account move together.",
    "Chance left after L days: the same estimate begun anew among follows that are unanswered, "
    "standing and watched at L.",
    "Hazard regression: time is cut into log-spaced bins, each with at least five answers; "
    "features are as of the follow and stay as they were. A dyad that leaves within a bin "
    "counts for the share of the bin's hazard that had passed.",
    "Pairs that followed each other at the same moment are answered after 0 days; they have no "
    "initiator and are left out where features are used.",
)


def show_answer(study: LatencyStudy, answer: Summary) -> Shown:
    """Show the answer in a paragraph, and its figures where there are any."""
    items = list_latency_numbers(study)
    return show(lead(answer.text), *([key_numbers(*items)] if items else []))


def list_latency_numbers(study: LatencyStudy) -> list[tuple[str, str, str]]:
    """Return the headline figures: value, label and note."""
    if study.single is not None:
        one = study.single
        return [(words.percent(one.rate), "answered between the crawls",
                 words.percent_range(one.ci_low, one.ci_high))]  # fmt: skip
    if study.timed is None:
        return []
    first = study.timed.chances.iloc[0]
    items = [(words.percent(first["chance"]), f"answered within {words.days(study.horizon_days)}",
              words.percent_range(first["ci_low"], first["ci_high"]))]  # fmt: skip
    if first["chance"]:
        items.append((words.span(study.timed.half_days), "until half of those answers", ""))
    chosen = study.timed.chances.set_index("landmark_days").loc[study.landmark_days]
    if pd.notna(chosen["chance"]):
        items.append((words.percent(chosen["chance"]),
                      f"chance left after {words.days(study.landmark_days)}",
                      words.percent_range(chosen["ci_low"], chosen["ci_high"])))  # fmt: skip
    return items


def show_times(study: LatencyStudy) -> Shown:
    """Show the curve of answers, the two medians and who was at risk."""
    if study.timed is None:
        return NOTHING
    told, medians = describe_times(study), describe_medians(study)
    plot = partial(draw.plot_answer_times, horizon_days=study.horizon_days)
    curve = picture(plot, told.table, told,
                    caption="Share of all follows answered by each moment, with its interval; "
                    "below, how many were still waiting and watched.")  # fmt: skip
    quantiles = table(
        medians.table, medians.caption,
        formats={"share": lambda share: f"{share:.0%}".replace("%", " %"),
                 **dict.fromkeys(("duration_days", "ci_low", "ci_high"), words.span)},
        labels={**INTERVAL, "duration_days": "answered after"}, save_as="quantiles",
        notes=["A dash: not reached within the watch."],
    )  # fmt: skip
    at_risk = table(study.timed.at_risk, "What had become of the follows",
                    formats={"duration_days": words.span}, save_as="at_risk",
                    labels={"duration_days": "after", "at_risk": "still waiting",
                            "censored": "no longer watched"})  # fmt: skip
    numbers = details("The numbers", quantiles, at_risk)
    return show(heading("How soon do answers come?"), told.text, curve, medians.text, numbers)


def show_chances(study: LatencyStudy) -> Shown:
    """Show whether it is still worth waiting."""
    told = describe_chances(study)
    if told.table.empty:
        return NOTHING
    bars = picture(draw.plot_chances, told.table, told, row_inches=0.6,
                   caption="Chance that a follow which is still unanswered is answered by the "
                   "horizon; thin lines are intervals.")  # fmt: skip
    numbers = table(
        told.table.drop(columns="is_chosen"), told.caption, formats=SHARES, save_as="chances",
        labels={**INTERVAL, "landmark_days": "unanswered after days", "n": "follows",
                "answered_later": "answered later", "watched_to_h": "watched to the horizon"},
    )  # fmt: skip
    return show(heading("Is it still worth waiting?"), told.text, bars,
                details("The numbers", numbers))  # fmt: skip


def show_pace(study: LatencyStudy) -> Shown:
    """Show how fast waiting follows are answered, and withdrawn, at each age."""
    told = describe_pace(study)
    if told.table.empty:
        return NOTHING
    line = picture(draw.plot_pace, told.table, told,
                   caption="Of 100 follows still waiting, how many are answered in a given time, "
                   "by how long they have waited; both axes are logarithmic.")  # fmt: skip
    rates = dict.fromkeys(("answers_per_day", "ci_low", "ci_high", "withdrawals_per_day"), ".2g")
    spans = dict.fromkeys(("from_days", "to_days"), words.span)
    numbers = table(told.table, told.caption, formats={**rates, **spans}, save_as="hazards",
                    labels={**INTERVAL, "from_days": "after", "to_days": "up to",
                            "at_risk": "waiting"})  # fmt: skip
    return show(heading("When is an answer most likely?"), told.text, line,
                details("The numbers", numbers))  # fmt: skip


def show_groups(study: LatencyStudy) -> Shown:
    """Show Kaplan–Meier curves of two halves of the deciders."""
    told = describe_groups(study)
    if told.table.empty:
        return NOTHING
    lines = picture(draw.plot_waits, told.table, told,
                    caption="Share of follows still unanswered, by the decider's followers per "
                    "followee.")  # fmt: skip
    return show(heading("Do sought-after people let others wait?"), told.text, lines,
                details("The test", *told.notes))  # fmt: skip


def show_hazard_ratios(study: LatencyStudy) -> Shown:
    """Show what goes with quicker answers, and whether the model adds up."""
    told = describe_hazard_ratios(study)
    if study.timed is None:
        return NOTHING
    start = heading("Who is answered sooner?")
    if told.table.empty or study.timed.model is None:
        return show(start, told.text)
    ratios = drop_squares(told.table).rename(columns={"hazard_ratio": "odds_ratio"})
    shown = label_effects(ratios).rename(columns={"odds_ratio": "hazard_ratio"})
    plot = partial(draw.plot_hazard_ratios, is_odds=study.timed.model.link == "logit")
    forest = picture(plot, shown, told, row_inches=0.6,
                     caption="The strongest ten; a ratio of 2 means answers at twice the pace."
                     )  # fmt: skip
    forms = dict.fromkeys(("hazard_ratio", "ci_low", "ci_high"), ".2f") | {"p_value": ".3f"}
    numbers = table(told.table.drop(columns="term"), told.caption, formats=forms,
                    labels={**INTERVAL, "label": "feature", "p_value": "p"},
                    notes=list(told.notes), save_as="hazard_ratios")  # fmt: skip
    fit = describe_fit(study)
    check = picture(draw.plot_fit, fit.table, fit,
                    caption="Share answered as observed, and as the model predicts on average."
                    )  # fmt: skip
    return show(start, told.text, forest, details("The numbers", numbers),
                heading("Does the model add up?", 3), fit.text, check)  # fmt: skip


def show_later(study: LatencyStudy) -> Shown:
    """Show what goes with an answer after the landmark."""
    told = describe_later(study)
    if study.timed is None:
        return NOTHING
    start = heading(f"What still counts after {words.days(study.landmark_days)}?")
    if told.table.empty:
        return show(start, told.text)
    shown = label_effects(drop_squares(told.table))
    forest = picture(plot_odds_ratios, shown, told, row_inches=0.74,
                     caption="The strongest ten. Right: the average change in probability, in "
                     "points.")  # fmt: skip
    return show(start, told.text, forest, show_effects(told, save_as="later_effects"))
