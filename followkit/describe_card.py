"""A model card in words: each function returns a `Summary`, sentence and table together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from followkit import __version__, words
from followkit.analysis import Analysis, make_ladder_table
from followkit.describe import QUESTION_WORDS, describe_calibration, list_rows
from followkit.evaluate import Ladder
from followkit.html import Summary
from followkit.model_card import MODEL

NO_MODEL = "Without a model there is nothing to score."
SPLIT_WORDS = {
    "time": "Refitted to earlier follows alone and tried on the {n} later ones",
    "accounts": "Refitted each time without the accounts it is tried on, over {n} dyads",
}
TRAINING_WORDS = {
    "dyads": "dyads it was fitted to",
    "answered": "of them answered",
    "initiators": "initiators",
    "deciders": "deciders",
    "features": "features",
    "held_out": "held-out dyads it was tested on",
    "held_out_answered": "of them answered",
    "horizon_days": "horizon in days",
}
MAY = (
    "Say how often follows like these are answered, for a group of dyads.",
    "Compare groups of dyads, with the intervals given here.",
    "Check claims about follow-backs against data.",
)
MAY_NOT = (
    "No ranking of people, to shame, reward or exclude anybody: a probability belongs to a kind of "
    "dyad, and a decider owes nobody an answer.",
    "No automatic following, unfollowing or messaging: the model was fitted to follows that people "
    "made, and would not hold for others.",
    "No conclusions about one person's motives, and none about what would happen if somebody "
    "changed: these are associations.",
    "No use on another platform or in another time without testing it there.",
)


def describe_card(
    analysis: Analysis, split: str, strata: pd.DataFrame, line: pd.DataFrame
) -> Summary:
    """Say in one paragraph what the model is, how well it does on unseen dyads, and for whom."""
    if analysis.model is None or analysis.ladder is None:
        return Summary(pd.DataFrame(), f"There is no model to trust: {analysis.no_model}.")
    scores = analysis.ladder.scores
    rows = scores[(scores["split"] == split) & (scores["rung"] == MODEL)].set_index("score")
    area, skill = rows.loc["auc"], rows.loc["brier_skill"]
    text = (
        f"{_tell_fit(analysis)} {SPLIT_WORDS[split].format(n=words.count(area['n']))}, it ranks "
        f"{_tell_pair(analysis)} with probability {area['value']:.2f}{_span(area)}; 0.5 is chance. "
        f"{_tell_skill(skill)} {_tell_adjusted(strata)}{_tell_slope(line)} "
        "It describes groups of dyads and must not be used to rank people."
    )
    return Summary(rows.reset_index()[["score", "value", "ci_low", "ci_high"]], text,
                   "The model on dyads it has not seen")  # fmt: skip


def describe_card_headline(opening: Summary) -> str:
    """Return the sentence of the opening that an index of reports shows: how well it ranks."""
    first, *others = opening.text.split(". ")
    return (others[0] if others and len(opening.table) else first).rstrip(".") + "."


def describe_training(analysis: Analysis, split: str, table: pd.DataFrame) -> Summary:
    """Say what the model was fitted to and how dyads were held out."""
    facts = dict(zip(table["what"], table["value"], strict=True))
    if analysis.model is None or analysis.ladder is None:
        return Summary(table, f"No model was fitted: {analysis.no_model}.")
    title = str(analysis.dataset.about.get("title", "these data"))
    when = _tell_when(analysis.dyads.table["at"].dropna())
    text = (
        f"{QUESTION_WORDS[analysis.question]} followkit {__version__} fitted it to "
        f"{words.count(facts['dyads'], 'dyad')} of “{title}”{when}, "
        f"{words.count(facts['answered'])} of them answered; those are the coefficients below. "
        f"Every score comes from models fitted anew without the dyads that they are tested on, "
        f"{words.count(facts['held_out'])} in all. {_tell_split(analysis.ladder, split)}"
    )
    return Summary(table, text, "What it was fitted to and tested on")


def describe_tuned(table: pd.DataFrame) -> Summary:
    """Say which settings were chosen, and from what."""
    if table.empty:
        return Summary(table, "No rung has a setting to choose.")
    parts = []
    for label, rows in table.groupby("label", sort=False):
        first = rows.iloc[0]
        often = f"{first['setting']} in {first['cells']} of {rows['cells'].sum()} test cells"
        parts.append(f"{label}, {often if rows['cells'].sum() > 1 else first['setting']}")
    text = (
        f"Settings chosen by log loss inside the training dyads, with three inner folds that the "
        f"test dyads have no part in: {'; '.join(parts)}."
    )
    if (table["inner"] == "none").any():
        text += " Where training dyads were too few to choose, the simplest setting was taken."
    return Summary(table, text, "Settings chosen")


def describe_paired(table: pd.DataFrame) -> Summary:
    """Say which rungs the full model beats, and which beat it, dyad by dyad."""
    if table.empty:
        return Summary(table, NO_MODEL)
    worse = table[table["ci_low"] > 0]["label"].tolist()
    better = table[table["ci_high"] < 0]["label"].tolist()
    level = table[(table["ci_low"] <= 0) & (table["ci_high"] >= 0)]["label"].tolist()
    parts = []
    if worse:
        parts.append(f"The full logistic model gives better probabilities than {_join(worse)}")
    if better:
        parts.append(f"Better probabilities than the full model's come from {_join(better)}")
    if level:
        parts.append(f"There is no clear difference from {_join(level)}")
    return Summary(table, ". ".join(parts) + ".", "Log loss of each rung less the full model's")


def describe_strata(table: pd.DataFrame) -> Summary:
    """Say how much of the ranking is left among deciders who are equally much followed."""
    if table.empty:
        return Summary(table, "How much deciders are followed is unknown here.")
    row = table[table["is_model"]].iloc[0]
    if not np.isfinite(row["adjusted"]):
        text = "No two dyads with different outcomes have deciders equally much followed."
        return Summary(table, text, "AUC among deciders equally much followed")
    text = (
        f"Among deciders equally much followed the model's AUC is {row['adjusted']:.2f}"
        f"{_span(row, 'adjusted_low', 'adjusted_high')}, against {row['auc']:.2f} over all dyads"
        f"{_tell_fall(row)}. A score that only knew the decider's followers would have about 0.50. "
        f"{words.percent(row['answer_share'])} of the answers have an unanswered dyad to be "
        "compared with."
    )
    return Summary(table, text, "AUC over all dyads and among deciders equally much followed")


def describe_bands(table: pd.DataFrame) -> Summary:
    """Say where, by the decider's followers, the model ranks best and worst."""
    known = table[table["auc"].notna()]
    if known.empty:
        return Summary(table, "")
    best, worst = known.loc[known["auc"].idxmax()], known.loc[known["auc"].idxmin()]
    text = (
        f"It ranks best among deciders with {_range(best)} followers (AUC {best['auc']:.2f}) and "
        f"worst among those with {_range(worst)} ({worst['auc']:.2f})."
        if len(known) > 1
        else f"All deciders have {_range(best)} followers."
    )
    return Summary(table, text, "AUC of the full model by the decider's followers")


def describe_decomposition(table: pd.DataFrame) -> Summary:
    """Say what the Brier score is made of."""
    if table.empty:
        return Summary(table, NO_MODEL)
    part = table.set_index("part")["value"]
    if not part["uncertainty"]:
        return Summary(table, "All held-out dyads have the same outcome.", "Parts of the score")
    left = words_signed(part["within_bin_variance"] - part["within_bin_covariance"])
    text = (
        f"The Brier score of {part['brier']:.4f} is {part['uncertainty']:.4f} that a forecast of "
        f"the base rate would have (uncertainty), less {part['resolution']:.4f} for telling dyads "
        f"apart (resolution), plus {part['reliability']:.4f} for predictions off the mark "
        f"(reliability); within bins {left} is left. "
        f"Telling apart removes {words.percent(part['resolution'] / part['uncertainty'])} of the "
        "uncertainty."
    )
    return Summary(table, text, "Parts of the Brier score, ten bins")


def describe_gains_band(gains: pd.DataFrame) -> Summary:
    """Say which share of the answers the highest-ranked fifth holds, with its interval."""
    if gains.empty or gains["share_found"].isna().all():
        return Summary(pd.DataFrame(), "")
    at = gains.iloc[(gains["share_ranked"] - 0.2).abs().argmin()]
    spread = ""
    if np.isfinite(at["ci_low"]):
        spread = f" (interval {words.percent_range(at['ci_low'], at['ci_high'])})"
    text = (
        f"The fifth of the dyads ranked highest holds {words.percent(at['share_found'])} of all "
        f"answers{spread}; in random order it would hold 20.0 %."
    )
    return Summary(gains, text, "Cumulative gains")


def collect_card_numbers(**tables: pd.DataFrame) -> dict[str, Any]:
    """Return the tables of a card as numbers for `summary.json`; long curves are left out."""
    keys = {
        "training": "what", "strata": "rung", "paired": "rung", "decomposition": "part",
        "coefficients": "term",
    }  # fmt: skip
    return {
        name: list_rows(table.set_index(keys[name])) if name in keys and len(table) else
        table.astype(object).where(table.notna(), None).to_dict("records")
        for name, table in tables.items()
    }  # fmt: skip


def words_signed(number: float) -> str:
    """Write a small number with four decimals and a true minus.

    Examples
    --------
    >>> words_signed(-0.00123), words_signed(0.5)
    ('−0.0012', '0.5000')
    """
    return f"{number:.4f}".replace("-", "−")


def describe_rungs(analysis: Analysis, split: str) -> Summary:
    """Say how many rungs there are and which ranks best."""
    table = make_ladder_table(analysis, "auc", split)
    if table.empty:
        return Summary(table, NO_MODEL)
    best = table.loc[table["value"].idxmax()]
    text = (
        f"{words.count(len(table), 'model')} on the same held-out dyads, from the base rate up. "
        f"The best ranking is that of the rung “{best['label']}” (AUC {best['value']:.2f})."
    )
    return Summary(table, text, "AUC of every rung")


def _tell_when(at: pd.Series) -> str:
    """Return the days between which dyads were opened; "" where times are unknown."""
    if at.empty:
        return ""
    first, last = f"{at.min():%Y-%m-%d}", f"{at.max():%Y-%m-%d}"
    return f", of {first}" if first == last else f", from {first} to {last}"


def _tell_split(ladder: Ladder, split: str) -> str:
    """Return the note on how this split was made, and which dyads no split holds."""
    splits = list(ladder.tested)
    return " ".join([ladder.notes[splits.index(split)], *ladder.notes[len(splits) :]])


def _tell_fit(analysis: Analysis) -> str:
    """Say what the model gives and what it was fitted to."""
    model = analysis.model
    assert model is not None
    horizon = analysis.dyads.horizon_days
    gives = {
        "follow_back": "a new follow is answered within " + words.days(horizon or 0),
        "late_answer": "a one-way tie is answered by the next crawl",
        "mutuality": "a tie is mutual",
    }[analysis.question]
    return (
        f"This model gives the probability that {gives}, from "
        f"{words.count(len(model.names), 'feature')}, fitted to "
        f"{words.count(len(model.outcome), 'dyad')}."
    )


def _tell_pair(analysis: Analysis) -> str:
    if analysis.question == "mutuality":
        return "a mutual tie above a one-way one"
    return "an answered dyad above an unanswered one"


def _tell_skill(skill: pd.Series) -> str:
    share = words.percent(abs(skill["value"]))
    if not np.isfinite(skill["value"]):
        return "All held-out dyads have one outcome, so there is no skill to give."
    spread = words.percent_range(skill["ci_low"], skill["ci_high"])
    if skill["ci_low"] > 0:
        return f"Its Brier score is {share} below the base rate's (interval {spread})."
    if skill["ci_high"] < 0:
        return f"Its Brier score is {share} above the base rate's: use the base rate."
    return (
        f"Its Brier score is not clearly below the base rate's (skill interval {spread}): it is "
        "not shown to be better."
    )


def _tell_adjusted(strata: pd.DataFrame) -> str:
    rows = strata[strata["is_model"]] if len(strata) else strata
    if rows.empty or not np.isfinite(rows.iloc[0]["adjusted"]):
        return ""
    return (
        f"Among deciders equally much followed that probability is {rows.iloc[0]['adjusted']:.2f}. "
    )


def _tell_slope(line: pd.DataFrame) -> str:
    said = describe_calibration(line).text
    return said if "slope is nan" not in said else "There are too few answers to judge calibration."


def _tell_fall(row: pd.Series) -> str:
    if not np.isfinite(row["fall_low"]):
        return ""
    low, high = words.signed(row["fall_low"]), words.signed(row["fall_high"])
    return f" (a fall of {words.signed(row['fall'])}, interval {low} to {high})"


def _span(row: pd.Series, low: str = "ci_low", high: str = "ci_high") -> str:
    if not np.isfinite(row[low]):
        return ""
    return f" (interval {row[low]:.2f} to {row[high]:.2f})"


def _range(row: pd.Series) -> str:
    low, high = words.count(row["lowest"]), words.count(row["highest"])
    return low if low == high else f"{low} to {high}"


def _join(labels: list[str]) -> str:
    return words.join([f"the {label}" if label == "base rate" else label for label in labels])
