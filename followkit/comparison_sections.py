"""Parts of the comparison page that are tables with words for their columns."""

from __future__ import annotations

from followkit import comparison_figures as draw
from followkit import words
from followkit.comparison import Comparison
from followkit.describe_comparison import (
    describe_comparison,
    describe_failures,
    describe_leaks,
    describe_rungs,
)
from followkit.html import Shown, details, show, table
from followkit.sections import NOTHING, picture

WORDS = {
    "title": "data and question", "rate": "base rate", "naive": "answers left in",
    "leak_free": "leak-free", "false_gain": "false gain",
}  # fmt: skip
LEAK_WORDS = {
    "naive_auc": "answers left in", "auc": "leak-free", "gain": "false gain", "gain_low": "from",
    "gain_high": "to", "n": "dyads",
}  # fmt: skip


def show_overview(comparison: Comparison) -> Shown:
    """Show the one table: a row a data set and question, a column a rung; AUC."""
    said = describe_comparison(comparison)
    if said.table.empty:
        return NOTHING
    frame = said.table.drop(columns=["data", "asked"])
    forms = {name: ".3f" for name in frame if name not in ("dyads", "rate")}
    frame.insert(0, "title", said.table["data"] + ": " + said.table["asked"])
    notes = [f"The table has {frame.shape[1]} columns and moves sideways.", *said.notes]
    if "false_gain" in frame:
        forms["false_gain"] = "+.3f"
        notes.append(
            "Answers left in, leak-free: one simple logistic model of degrees, ratios, shared "
            "neighbours and the decider's past rate, its features computed both ways."
        )
    return table(frame, said.caption, labels=WORDS, names=["title"], notes=notes,
                 formats=forms | {"rate": words.percent}, save_as="comparison")  # fmt: skip


def show_rungs(comparison: Comparison) -> Shown:
    """Show the picture of every rung, and its sentence."""
    said = describe_rungs(comparison)
    titles = max(said.table["title"].nunique(), 1)
    caption = "Each row is one question asked of one data set, with its base rate."
    drawn = picture(draw.plot_rungs, said.table, said, caption=caption,
                    row_inches=0.72 * titles / max(len(said.table), 1))  # fmt: skip
    return show(said.text, drawn)


def show_leaks(comparison: Comparison) -> Shown:
    """Show what the same model would seem to be worth with the answers left in; its numbers."""
    said = describe_leaks(comparison)
    if said.table.empty:
        return show(said.text)
    caption = "The same simple model on the same dyads; the distance is false."
    drawn = picture(draw.plot_leaks, said.table, said, caption=caption, row_inches=0.72)
    rows = comparison.leaks[["data", "question", "split", "features", *LEAK_WORDS]]
    forms = dict.fromkeys(("naive_auc", "auc"), ".3f")
    forms |= dict.fromkeys(("gain", "gain_low", "gain_high"), "+.3f")
    numbers = table(rows, said.caption, labels=LEAK_WORDS, names=["data"], formats=forms,
                    save_as="leaks")  # fmt: skip
    return show(said.text, drawn, details("Every set of features, every split", numbers))


def show_scores(comparison: Comparison) -> Shown:
    """Show every score of every rung and split, folded away."""
    rows = comparison.table.drop(columns=["is_main", "rung"])
    forms = dict.fromkeys(("auc", "auc_low", "auc_high", "log_loss"), ".3f")
    forms |= dict.fromkeys(("skill", "skill_low", "skill_high"), "+.3f")
    forms |= dict.fromkeys(("rate", "rate_low", "rate_high"), ".1%")
    shown = table(rows, "Every rung on every split", names=["data"], save_as="scores",
                  formats=forms | {"effective_account_count": ",.0f"})  # fmt: skip
    return details("All scores, with intervals and base rates", shown)


def show_failures(comparison: Comparison) -> Shown:
    """Show what could not be scored, and why."""
    said = describe_failures(comparison)
    if said.table.empty:
        return show(said.text)
    return show(said.text, table(said.table, said.caption, names=["data"], save_as="not_scored"))
