"""Parts of a report page that are more than one piece: tables with words for their columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from followkit import figures as draw
from followkit import words
from followkit.analysis import (
    Analysis,
    main_split,
    make_ladder_table,
    make_states,
)
from followkit.describe import (
    describe_answer,
    describe_census,
    describe_effects,
    describe_ladder,
    describe_notes,
    describe_people,
    describe_reciprocity,
)
from followkit.html import Shown, Summary, callout, details, figure, heading, show, table
from followkit.pseudonyms import AccountNames
from followkit.small_cells import hide_small_groups, tell_count
from followkit.tables import Dataset

EFFECT_LABELS = {
    "label": "feature",
    "odds_ratio": "odds ratio",
    "ci_low": "from",
    "ci_high": "to",
    "p_value": "p",
    "effect": "change in probability",
    "effect_low": "change from",
    "effect_high": "change to",
}
INTERVAL_LABELS = {"ci_low": "from", "ci_high": "to", "n": "dyads"}
SCORE_WORDS = {
    "log_loss": "log loss",
    "brier": "Brier",
    "brier_skill": "Brier skill",
    "auc": "AUC",
    "average_precision": "average precision",
}
RATES = dict.fromkeys(("rate", "ci_low", "ci_high", "share"), words.percent)
NOTHING = Shown("")
#: Rows of the forest plot of odds ratios.
MOST_EFFECTS = 10

METHOD = (
    "Dyads: the account that followed first is the initiator, the other the decider. A dyad enters "
    "only if the decider could be watched until the horizon, whatever the outcome.",
    "Features use only what happened before the follow, never the pair's own two ties; in a "
    "snapshot they are computed on the graph without any tie of the dyad's fold.",
    "Model: logistic regression by maximum likelihood, with as many features as the answers carry. "
    "Standard errors let all dyads that share an account move together (leave-one-account-out "
    "form); intervals use the t distribution with as many degrees of freedom as there are "
    "effective accounts, less one.",
    "Scores: every dyad is predicted by a model that has seen neither of its accounts, or, where "
    "follows have times, nothing from its own time on. AUC is the probability that an answered "
    "dyad is ranked above an unanswered one.",
)
LIMITS = (
    "These are associations among people who were observed, not effects of doing something. They "
    "hold for the accounts in these data and the time of their collection."
)
USES = (
    "Use it to learn how often follows like these are answered and how sure that is, to compare "
    "groups of follows, and to check what is claimed about them."
)
NO_USES = (
    "Do not use it to rank people, to shame or to reward them; to follow, unfollow or write to "
    "anybody by machine; or to decide or guess anything about a single person. Nobody owes an "
    "answer."
)
HIDDEN_NAMES = (
    "Accounts go by pseudonyms, and groups of fewer than five are not told apart. Who knows the "
    "network may still recognise somebody: pass this page on with care."
)
SHOWN_NAMES = (
    "This page shows real names. It is for whoever made it: to pass it on, make it again without "
    "them."
)


def picture(
    plot: Callable[..., Any],
    data: pd.DataFrame,
    said: Summary,
    *,
    caption: str = "",
    row_inches: float = 0.0,
) -> Shown:
    """Draw a table with its sentence as text for those who cannot see it; nothing without rows.

    With `row_inches` the picture grows with the rows of the table.
    """
    if data.empty:
        return NOTHING
    height = row_inches * len(data) + 1.0 if row_inches else 4.0
    return figure(plot, data, alt=said.text, caption=caption or said.text, height=height)


def list_key_numbers(analysis: Analysis) -> list[tuple[str, str, str]]:
    """Return the headline figures of a question: value, label and note."""
    rate, deciders = analysis.rate, analysis.dyads.table
    answering = deciders.loc[deciders["outcome"] == 1, "decider_id"].nunique()
    noun = "ties mutual" if analysis.question == "mutuality" else "answered"
    return [
        (words.percent(rate.rate), noun, words.percent_range(rate.ci_low, rate.ci_high)),
        (words.count(rate.n), "dyads", f"{words.count(rate.event_count)} {noun}"),
        (
            words.count(answering),
            "deciders who answered",
            f"of {words.count(deciders['decider_id'].nunique())}",
        ),
    ]


def show_census(analysis: Analysis) -> Shown:
    """Show every step from rows read to dyads, folded away."""
    steps = table(analysis.dyads.census, "From ties read to dyads", save_as="census")
    return details("The whole census", steps)


def hide_small_choices(sensitivity: pd.DataFrame) -> pd.DataFrame:
    """Return the rates among dyads chosen in other ways without what points at few people."""
    return hide_small_groups(sensitivity, ["deciders", "n", "answered"],
                             ["rate", "ci_low", "ci_high"], whole=["deciders", "n"])  # fmt: skip


def show_sensitivity(sensitivity: pd.DataFrame) -> Shown:
    """Show the rate among dyads chosen in other ways; nothing where there is no other way."""
    if len(sensitivity) < 2:
        return NOTHING
    return table(
        sensitivity, "The rate among dyads chosen in other ways", formats=RATES,
        labels={**INTERVAL_LABELS, "label": "dyads chosen"}, save_as="sensitivity",
        align=dict.fromkeys(("deciders", "n", "answered"), "right"),
        notes=["Only the first choice, and choices by what was known at baseline, are fair: the "
               "others look at what happened afterwards, and are here to be compared."],
    )  # fmt: skip


def label_effects(effects: pd.DataFrame) -> pd.DataFrame:
    """Return effects with labels that carry their step, for the forest plot.

    At most ten, those with the strongest evidence, in the order of the model: a reader takes
    no more in. The table beside the plot has them all.
    """
    if effects.empty:
        return effects
    strongest = effects["p_value"].rank(method="first", na_option="bottom") <= MOST_EFFECTS
    kept = effects[strongest]
    return kept.assign(label=kept["label"] + ", " + kept["unit"])


def show_effects(effects: Summary, *, save_as: str = "effects") -> Shown:
    """Show the table of odds ratios and average marginal effects."""
    if effects.table.empty:
        return NOTHING
    kept = ["label", "unit", *list(EFFECT_LABELS)[1:]]
    forms = dict.fromkeys(("odds_ratio", "ci_low", "ci_high"), ".2f")
    forms |= dict.fromkeys(("effect", "effect_low", "effect_high"), "+.1%")
    shown = table(effects.table[kept], effects.caption, labels=EFFECT_LABELS, save_as=save_as,
                  formats={**forms, "p_value": ".3f"}, notes=list(effects.notes))  # fmt: skip
    return details("The numbers", shown)


def show_fragility(fragility: Summary) -> Shown:
    """Show how far odds ratios move without any one account, folded away."""
    if fragility.table.empty:
        return NOTHING
    forms = dict.fromkeys(("odds_ratio", "lowest", "highest"), ".2f")
    shown = table(fragility.table, fragility.caption, formats=forms, save_as="fragility",
                  labels={"label": "feature", "odds_ratio": "odds ratio"})  # fmt: skip
    return details("The numbers", shown)


def name_deciders(influence: pd.DataFrame, names: AccountNames) -> pd.DataFrame:
    """Return the influence table with a label a row in which deciders go by their names here."""
    ids = influence["decider_id"].iloc[1:]
    answers = influence["answer_count"].iloc[1:]
    labels = [
        f"without {names.name(one)} ({tell_count(count, 'answer')})"
        for one, count in zip(ids, answers, strict=True)
    ]
    return influence.drop(columns="decider_id").assign(
        label=["nobody left out", *labels], is_reference=[True] + [False] * len(labels)
    )


def describe_counted(analysis: Analysis) -> str:
    """Say who was counted, for the card that says what a report may be used for."""
    noun = "follow" if analysis.question == "follow_back" else "tie"
    return describe_people(analysis.dyads.table, noun)


def show_export(dataset: Dataset) -> Shown:
    """Show what an export's checks found against its lists; nothing for other data."""
    facts = dataset.about.get("export")
    checks = facts.get("checks", []) if isinstance(facts, Mapping) else []
    worst = [one for one in checks if one["verdict"] == "refuse"]
    return show(
        *(callout(f"The lists of this export cannot be trusted: {one['value'].rstrip('.')}. "
                  f"{one['remedy']}", "stop") for one in worst)
    )  # fmt: skip


def show_uses(counted: str, *, names_are_shown: bool = False) -> Shown:
    """Show what a report may be used for, and what not: the one card that every report carries.

    Parameters
    ----------
    counted
        Who was counted, in a sentence.
    names_are_shown
        Whether real names stand in the report.
    """
    names = SHOWN_NAMES if names_are_shown else HIDDEN_NAMES
    return show(
        heading("What this may be used for"),
        callout(f"{USES}\n\n{counted}"),
        callout(f"{NO_USES}\n\n{LIMITS}\n\n{names}", "caution"),
    )


def show_chance(beside: Summary) -> Shown:
    """Show reciprocity beside its nulls; nothing where there is no comparison."""
    if beside.table.empty:
        return NOTHING
    return table(beside.table, beside.caption, notes=list(beside.notes), save_as="nulls")


def show_truth(planted: Summary) -> Shown:
    """Show planted coefficients beside estimates, misses marked; nothing for real data."""
    if planted.table.empty:
        return NOTHING
    caption = "Planted coefficients (diamonds) and estimates with intervals (dots)."
    drawn = picture(draw.plot_truth, planted.table, planted, row_inches=0.62, caption=caption)
    frame = planted.table.drop(columns="term")
    missed = [place for place, is_missed in enumerate(frame["is_missed"]) if is_missed]
    forms = dict.fromkeys(("truth", "estimate", "std_error", "ci_low", "ci_high"), ".3f")
    shown = table(frame, planted.caption, formats=forms, marked=missed, save_as="truth",
                  labels={**INTERVAL_LABELS, "label": "coefficient"})  # fmt: skip
    numbers = details("The numbers", shown)
    return show(heading("Truth and estimate"), planted.text, drawn, numbers)


def show_ladder(analysis: Analysis, split: str) -> Shown:
    """Show every score of every rung, and the rungs that these data cannot give."""
    ladder = analysis.ladder
    if ladder is None:
        return NOTHING
    rows = ladder.scores[ladder.scores["split"] == split]
    order = list(dict.fromkeys(rows["label"]))
    frame = rows.pivot_table(index="label", columns="score", values="value", sort=False)
    frame = frame.loc[order, list(SCORE_WORDS)].reset_index()
    notes = [*ladder.notes, *(f"{row.label}: {row.reason}." for row in ladder.missing.itertuples())]
    shown = table(frame, "Scores on held-out dyads", labels={**SCORE_WORDS, "label": "rung"},
                  formats=dict.fromkeys(SCORE_WORDS, ".3f"), notes=notes,
                  save_as="ladder")  # fmt: skip
    return details("All scores", shown)


def show_missing(missing: Summary) -> Shown:
    """Show which catalogue features the data cannot give, and what they need."""
    if missing.table.empty:
        return NOTHING
    return details("The list", table(missing.table, missing.caption, save_as="not_measurable"))


def show_mutuality(ties: Analysis | None) -> Shown:
    """Show the other question, clearly apart: what is mutual, what goes with it, how well."""
    if ties is None:
        return show("It is the question above, or was not asked for.")
    effects = describe_effects(ties)
    states, split = make_states(ties.dyads), main_split(ties)
    ladder = describe_ladder(ties, split)
    pieces: list[str | Shown] = [
        describe_answer(ties).text,
        describe_reciprocity(ties).text,
        picture(draw.plot_census, states, describe_census(ties), row_inches=0.5),
    ]
    if ties.model is not None:
        rungs = make_ladder_table(ties, "auc", split)
        pieces += [
            effects.text,
            picture(draw.plot_odds_ratios, label_effects(effects.table), effects,
                    row_inches=0.74, caption="Odds ratios of mutuality."),
            show_effects(effects, save_as="effects_mutuality"),
            ladder.text,
            picture(draw.plot_ladder, rungs, ladder, row_inches=0.6,
                    caption="Every rung on dyads of unseen accounts, features fold-masked."),
        ]  # fmt: skip
    notes = [callout(note) for note in describe_notes(ties)[:1]]
    return show(*pieces, *notes)
