"""Parts of a model card: pictures with their tables folded behind them."""

from __future__ import annotations

import pandas as pd

from followkit import card_figures as draw
from followkit import figures, sections, words
from followkit.analysis import Analysis
from followkit.describe_card import MAY, MAY_NOT, TRAINING_WORDS
from followkit.html import Shown, Summary, callout, details, show, table
from followkit.sections import INTERVAL_LABELS, NOTHING, SCORE_WORDS, picture

FINE = dict.fromkeys(("value", "gain", "ci_low", "ci_high"), ".3f")
PART_WORDS = {
    "brier": "Brier score",
    "reliability": "reliability (0: calibrated)",
    "resolution": "resolution (taken off)",
    "uncertainty": "uncertainty of the base rate",
    "within_bin_variance": "variance within bins",
    "within_bin_covariance": "covariance within bins (taken off)",
}


def show_training(said: Summary) -> Shown:
    """Show what the model was fitted to and tested on."""
    frame = said.table.assign(what=said.table["what"].map(TRAINING_WORDS))
    frame = frame[frame["value"].notna()]
    formats = {"value": lambda value: f"{value:,.1f}".removesuffix(".0")}
    return table(frame, said.caption, formats=formats, save_as="training")


def show_tuned(said: Summary) -> Shown:
    """Show the settings that were chosen, and how."""
    if said.table.empty:
        return NOTHING
    labels = {"label": "rung", "cells": "test cells", "log_loss": "inner log loss",
              "n": "dyads held out inside", "inner": "kept apart by"}  # fmt: skip
    return table(said.table.drop(columns="rung"), said.caption, labels=labels, save_as="tuned",
                 formats={"log_loss": ".3f", "n": ",.0f"})  # fmt: skip


def show_scores(scores: pd.DataFrame, ladder: Summary, analysis: Analysis) -> Shown:
    """Show the ladder: the picture of AUCs, and every score with its interval folded away."""
    if scores.empty:
        return NOTHING
    caption = "Every rung scored on the same dyads, none of which it was trained on."
    drawn = picture(figures.plot_ladder, ladder.table, ladder, row_inches=0.6, caption=caption)
    frame = scores.drop(columns="rung").assign(score=scores["score"].map(SCORE_WORDS))
    missing = [] if analysis.ladder is None else analysis.ladder.missing
    notes = [f"{row.label}: {row.reason}." for row in pd.DataFrame(missing).itertuples()]
    numbers = table(frame, "Every score on held-out dyads", formats=FINE, save_as="scores",
                    notes=notes, labels={**INTERVAL_LABELS, "label": "rung",
                                         "answer_count": "answered"})  # fmt: skip
    return show(drawn, details("Every score, with its interval", numbers))


def show_paired(said: Summary) -> Shown:
    """Show how much worse or better each rung is than the full model."""
    if said.table.empty:
        return NOTHING
    caption = "Difference in log loss on the same dyads, with its interval."
    drawn = picture(draw.plot_paired, said.table, said, row_inches=0.6, caption=caption)
    numbers = table(said.table.drop(columns="rung"), said.caption, save_as="paired",
                    formats=dict.fromkeys(FINE, ".4f"),
                    labels={**INTERVAL_LABELS, "label": "rung", "gain": "difference"})  # fmt: skip
    return show(drawn, details("The numbers", numbers))


def show_strata(said: Summary, bands: Summary) -> Shown:
    """Show AUCs over all dyads beside those among deciders equally much followed."""
    if said.table.empty:
        return NOTHING
    caption = "AUC of every rung: over all dyads, and among deciders equally much followed."
    drawn = picture(draw.plot_strata, said.table, said, row_inches=0.86, caption=caption)
    frame = said.table.drop(columns=["rung", "is_model"])
    frame = frame[["label", *[name for name in frame if name != "label"]]]
    forms = {name: ".3f" for name in frame if name not in ("label", "answer_share")}
    labels = {**INTERVAL_LABELS, "label": "rung", "auc": "AUC", "adjusted": "adjusted AUC",
              "adjusted_low": "adjusted from", "adjusted_high": "adjusted to",
              "fall_low": "fall from", "fall_high": "fall to",
              "answer_share": "answers compared"}  # fmt: skip
    numbers = table(frame, said.caption, formats={**forms, "answer_share": words.percent},
                    labels=labels, save_as="strata")  # fmt: skip
    drawn_bands = picture(draw.plot_bands, bands.table, bands, row_inches=0.6,
                          caption="AUC of the full model in four bands of deciders.")  # fmt: skip
    return show(drawn, details("The numbers", numbers), bands.text, drawn_bands)


def show_calibration(bins: pd.DataFrame, said: Summary) -> Shown:
    """Show the calibration curve, and the line's intercept and slope folded away."""
    if bins.empty:
        return NOTHING
    caption = "Share answered against predicted probability, with intervals and dyads a bin."
    drawn = picture(figures.plot_calibration, bins, said, caption=caption)
    line = table(said.table, said.caption, labels=INTERVAL_LABELS, save_as="calibration_line",
                 formats={"estimate": ".3f", **FINE})  # fmt: skip
    forms = dict.fromkeys(("predicted", "observed", "ci_low", "ci_high"), words.percent)
    curve = table(bins, "Calibration by bins", formats=forms, save_as="calibration",
                  labels={**INTERVAL_LABELS, "count": "dyads"})  # fmt: skip
    return show(drawn, details("The numbers", line, curve))


def show_decomposition(said: Summary) -> Shown:
    """Show what the Brier score is made of."""
    if said.table.empty:
        return NOTHING
    frame = said.table[["part", "value"]].assign(part=said.table["part"].map(PART_WORDS))
    return table(frame, said.caption, formats={"value": ".4f"}, save_as="decomposition")


def show_gains(said: Summary) -> Shown:
    """Show the cumulative gains with their band."""
    caption = "Share of all answers among the dyads ranked highest; the band holds point by point."
    return picture(draw.plot_gains_band, said.table, said, caption=caption)


def show_coefficients(coefficients: pd.DataFrame) -> Shown:
    """Show the coefficients, folded away."""
    if coefficients.empty:
        return NOTHING
    frame = coefficients.drop(columns="term")
    forms = dict.fromkeys(("estimate", "std_error", "ci_low", "ci_high", "p_value"), ".3f")
    labels = {**INTERVAL_LABELS, "label": "term", "estimate": "log odds a unit",
              "std_error": "error", "p_value": "p"}  # fmt: skip
    shown = table(frame, "Coefficients in raw units", formats=forms, labels=labels,
                  save_as="coefficients")  # fmt: skip
    return details("Every coefficient", shown)


def show_uses(counted: str) -> Shown:
    """Show the card that every report carries, and folded away what holds for a model.

    Parameters
    ----------
    counted
        Who was counted, in a sentence.
    """
    uses = table(pd.DataFrame({"use": MAY}), "What the model may be used for")
    own = details("This model in particular", uses, *[callout(one, "caution") for one in MAY_NOT])
    return show(sections.show_uses(counted), own)
