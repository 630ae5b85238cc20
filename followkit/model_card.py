"""The numbers of a model card: who trained it on what, and how it fares where it never looked.

Everything comes from one `Analysis`; nothing is fitted anew.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit import scores as sc
from followkit.analysis import Analysis, main_split
from followkit.errors import InputError, ParameterError, suggest
from followkit.evaluate import Ladder
from followkit.features import CATALOGUE
from followkit.strata import BAND_COLUMNS, COLUMNS, score_by_indegree, score_in_bands

FloatArray = npt.NDArray[np.float64]

AUTO = "auto"
MODEL = "full_logistic"
FOLLOWERS = "decider_follower_count_log"
DECOMPOSITION_BINS = 10


def choose_split(analysis: Analysis, split: str = AUTO) -> str:
    """Return the split to report: the one asked for, or that of the headline; "" without a model.

    Raises
    ------
    ParameterError
        If the data do not have this split.
    """
    if analysis.ladder is None or split == AUTO:
        return main_split(analysis)
    have = list(analysis.ladder.tested)
    if split not in have:
        raise ParameterError(
            f"split: these data have no split {split!r}; {suggest(split, [AUTO, *have])}"
        )
    return split


def make_training(analysis: Analysis, split: str) -> pd.DataFrame:
    """Return who trained the model on what: what, value (in numbers, one row a fact).

    Rows: dyads, answered, initiators, deciders, features, held_out (dyads tested on the split),
    held_out_answered, horizon_days (missing without one).
    """
    table, model = analysis.dyads.table, analysis.model
    used = table if model is None else table[model.used]
    tested = _ladder(analysis).tested[split] if analysis.ladder is not None else None
    facts = {
        "dyads": len(used),
        "answered": int(used["outcome"].sum()),
        "initiators": used["initiator_id"].nunique(),
        "deciders": used["decider_id"].nunique(),
        "features": 0 if model is None else len(model.names),
        "held_out": 0 if tested is None else len(tested.outcome),
        "held_out_answered": 0 if tested is None else int(tested.outcome.sum()),
        "horizon_days": analysis.dyads.horizon_days,
    }
    return pd.DataFrame({"what": list(facts), "value": list(facts.values())})


def make_tuned(analysis: Analysis, split: str) -> pd.DataFrame:
    """Return the settings chosen: rung, label, setting, cells, log_loss, n, inner.

    `cells`: test cells that chose the setting; log_loss (nats a dyad) and n are the means of their
    inner folds; inner says what the inner folds kept apart.
    """
    columns = ["rung", "label", "setting", "cells", "log_loss", "n", "inner"]
    if analysis.ladder is None:
        return pd.DataFrame(columns=columns)
    rows = analysis.ladder.tuned
    grouped = rows[rows["split"] == split].groupby(["rung", "label", "setting"], sort=False)
    table = grouped.agg(
        cells=("cell", "size"), log_loss=("log_loss", "mean"), n=("n", "mean"),
        inner=("inner", lambda found: " and ".join(sorted(set(found)))),
    ).reset_index()  # fmt: skip
    order = table["rung"].map({name: k for k, name in enumerate(dict.fromkeys(table["rung"]))})
    ranked = table.assign(order=order).sort_values(
        ["order", "cells"], ascending=[True, False], kind="stable", ignore_index=True
    )
    return ranked[columns]


def make_scores(analysis: Analysis, split: str) -> pd.DataFrame:
    """Return every score of every rung on a split, with intervals: as `Ladder.scores`."""
    if analysis.ladder is None:
        return pd.DataFrame()
    rows = analysis.ladder.scores
    return rows[rows["split"] == split].drop(columns="split").reset_index(drop=True)


def make_paired(analysis: Analysis, split: str) -> pd.DataFrame:
    """Return each rung's log loss less that of the full model: rung, label, gain, interval.

    Nats a dyad, dyad by dyad; above 0 the full model is better.
    """
    if analysis.ladder is None:
        return pd.DataFrame()
    rows = analysis.ladder.paired
    rows = rows[(rows["split"] == split) & (rows["against"] == MODEL)]
    labels = _find_labels(analysis.ladder)
    table = rows[["rung", "gain", "ci_low", "ci_high"]].reset_index(drop=True)
    table.insert(1, "label", [labels[rung] for rung in table["rung"]])
    return table


def make_strata(analysis: Analysis, split: str) -> pd.DataFrame:
    """Return the AUC of each rung, unadjusted and among deciders equally much followed.

    Columns as in `strata.score_by_indegree`, with label and is_model; no rows where the followers
    of deciders are unknown. Dyads whose decider's followers are unknown are left out.
    """
    found = _held_with_followers(analysis, split)
    if found is None:
        return pd.DataFrame(columns=[*COLUMNS, "label", "is_model"])
    table = score_by_indegree(*found)
    labels = _find_labels(_ladder(analysis))
    return table.assign(
        label=[labels[rung] for rung in table["rung"]], is_model=table["rung"] == MODEL
    )


def make_bands(analysis: Analysis, split: str) -> pd.DataFrame:
    """Return the AUC of the full model in bands of deciders by followers (`score_in_bands`)."""
    found = _held_with_followers(analysis, split)
    if found is None:
        return pd.DataFrame(columns=BAND_COLUMNS)
    held, followers = found
    return score_in_bands({MODEL: held[MODEL]}, followers)


def make_decomposition(analysis: Analysis, split: str) -> pd.DataFrame:
    """Return the parts of the full model's Brier score in ten bins (`brier_decomposition`)."""
    if analysis.ladder is None:
        return pd.DataFrame()
    return sc.brier_decomposition(analysis.ladder.tested[split], bin_count=DECOMPOSITION_BINS)


def make_coefficients(analysis: Analysis) -> pd.DataFrame:
    """Return the coefficients: term, label, estimate (log odds a raw unit), std_error, interval."""
    if analysis.model is None:
        return pd.DataFrame()
    table = analysis.model.coefficients.copy()
    labels = [CATALOGUE[term].label if term in CATALOGUE else term for term in table["term"]]
    table.insert(1, "label", labels)
    return table


def _ladder(analysis: Analysis) -> Ladder:
    if analysis.ladder is None:
        raise InputError("analysis: there is no model, so no ladder was scored; see `no_model`")
    return analysis.ladder


def _find_labels(ladder: Ladder) -> dict[str, str]:
    rows = ladder.scores
    return dict(zip(rows["rung"], rows["label"], strict=True))


def _held_with_followers(
    analysis: Analysis, split: str
) -> tuple[dict[str, sc.HeldOut], FloatArray] | None:
    """Return the held-out dyads of every rung whose decider's followers are known, and those."""
    if analysis.ladder is None or FOLLOWERS not in analysis.features.values:
        return None
    places = analysis.ladder.places[split]
    logs = analysis.features.values[FOLLOWERS].to_numpy(float)[places]
    known = np.isfinite(logs)
    if not known.any():
        return None
    held = analysis.ladder.held[split]
    if not known.all():
        held = {rung: sc.select_held(one, known) for rung, one in held.items()}
    # Counts are whole numbers; taking the log and back leaves a last digit.
    return held, np.rint(np.expm1(logs[known]))
