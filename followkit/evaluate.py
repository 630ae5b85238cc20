"""The baseline ladder: models from the base rate up, scored on the same held-out dyads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from followkit import covariance as cov
from followkit import scores as sc
from followkit.dyads import DyadSet
from followkit.features import CATALOGUE, FeatureTable
from followkit.logit import LogitRegression
from followkit.model import RIDGE
from followkit.splits import Split

FloatArray = npt.NDArray[np.float64]
FlagArray = npt.NDArray[np.bool_]
Predict = Callable[[pd.DataFrame, FloatArray, pd.DataFrame], FloatArray]

#: Cheng, Romero, Meeder & Kleinberg (2011): degrees and ratios of both accounts.
CHENG_SET = (
    "decider_ratio_log", "initiator_ratio_log", "initiator_followee_count_log",
    "initiator_follower_count_log", "decider_follower_count_log",
)  # fmt: skip
RATE_SET = ("decider_follow_back_rate",)
RATIO_GAP = ("decider_ratio_log", "initiator_ratio_log")


@dataclass(frozen=True)
class Rung:
    """One model of the ladder: what it is called, what it needs, how it predicts."""

    name: str
    label: str
    needs: tuple[str, ...]
    predict: Predict
    is_flexible: bool = False


@dataclass(frozen=True)
class Ladder:
    """Scores of every rung on every split.

    Attributes
    ----------
    scores
        split, rung, label, score, value, ci_low, ci_high; scores are log_loss, brier, brier_skill,
        auc, average_precision.
    paired
        split, rung, gain, ci_low, ci_high: log loss of the rung less that of the full logistic
        model, dyad by dyad; above 0 the full model is better.
    tested
        The held-out probabilities of the full logistic model, by split name.
    missing
        rung, label, reason: rungs that these data cannot give.
    notes
        How the dyads were split and which were left out.
    """

    scores: pd.DataFrame
    paired: pd.DataFrame
    tested: dict[str, sc.HeldOut]
    missing: pd.DataFrame
    notes: tuple[str, ...]


def run_ladder(
    dyads: DyadSet,
    features: FeatureTable,
    *,
    names: Sequence[str],
    splits: Sequence[Split],
    seed: int = 0,
    confidence: float = 0.95,
) -> Ladder:
    """Score every rung on every split.

    Parameters
    ----------
    dyads, features
        Dyads and their features, row by row.
    names
        Features of the full logistic model; dyads for which one is unknown are left out everywhere.
    splits
        From `followkit.splits`.
    seed
        Of the gradient boosting.
    confidence
        Of the intervals.

    Returns
    -------
    Ladder

    Notes
    -----
    In a snapshot the features of a fold share one graph, so flexible models are trained and scored
    within folds; a linear model may pool them. No resampling, no class weights.
    """
    everything = features.values
    known = everything[list(names)].notna().all(axis=1).to_numpy()
    table = dyads.table[known].reset_index(drop=True)
    values = everything[known].reset_index(drop=True)
    rungs, missing = _find_rungs(list(names), values, seed)
    folds = table["fold"].to_numpy() if dyads.asof == "snapshot" else np.zeros(len(table), int)
    score_rows: list[tuple[object, ...]] = []
    paired_rows: list[tuple[object, ...]] = []
    kept: dict[str, sc.HeldOut] = {}
    for split in splits:
        cut = Split(split.name, split.cell[known], split.train[:, known], split.note)
        tested = {rung.name: _test(rung, cut, table, values, folds, confidence) for rung in rungs}
        kept[split.name] = tested["full_logistic"]
        for rung in rungs:
            rows = _score(tested[rung.name], tested["prevalence"])
            score_rows += [(split.name, rung.name, rung.label, *row) for row in rows]
        paired_rows += _pair(split.name, rungs, tested)
    notes = [split.note for split in splits]
    if (~known).any():
        notes.append(
            f"{(~known).sum():,} dyads without a known value of every feature were left out."
        )
    return Ladder(
        pd.DataFrame(score_rows, columns=["split", "rung", "label", "score", "value", "ci_low",
                                          "ci_high"]),
        pd.DataFrame(paired_rows, columns=["split", "rung", "gain", "ci_low", "ci_high"]),
        kept,
        pd.DataFrame(missing, columns=["rung", "label", "reason"]),
        tuple(notes),
    )  # fmt: skip


def _find_rungs(
    names: list[str], values: pd.DataFrame, seed: int
) -> tuple[list[Rung], list[tuple[str, str, str]]]:
    have = [name for name in values if values[name].notna().all()]
    decider_side = tuple(name for name in names if CATALOGUE[name].side == "decider")
    rungs = [
        Rung("prevalence", "base rate", (), _predict_prevalence),
        Rung("decider_rate", "decider's past rate", RATE_SET, _predict_rate),
        Rung("ratio_threshold", "ratio threshold", RATIO_GAP, _predict_threshold),
        Rung("decider_logistic", "decider only", decider_side, _logistic(decider_side)),
        Rung("cheng_ratio_set", "degrees and ratios", CHENG_SET, _logistic(CHENG_SET)),
        Rung("full_logistic", "full logistic model", tuple(names), _logistic(tuple(names))),
        Rung("gradient_boosting", "gradient boosting", (), _boosting(seed), is_flexible=True),
    ]
    usable, missing = [], []
    for rung in rungs:
        lacking = [name for name in rung.needs if name not in have]
        if rung.name == "decider_logistic" and not decider_side:
            lacking = ["features of the decider"]
        if lacking:
            missing.append((rung.name, rung.label, f"needs {', '.join(lacking)}"))
        else:
            usable.append(rung)
    return usable, missing


def _test(
    rung: Rung,
    split: Split,
    table: pd.DataFrame,
    values: pd.DataFrame,
    folds: npt.NDArray[np.int64],
    confidence: float,
) -> sc.HeldOut:
    """Return probabilities for every tested dyad, each from a model that never saw it."""
    outcome = table["outcome"].to_numpy(float)
    parts = folds if rung.is_flexible else np.zeros_like(folds)
    probability = np.full(len(table), np.nan)
    for cell in np.unique(split.cell[split.tested]):
        for part in np.unique(parts):
            train = split.train[cell] & (parts == part)
            test = (split.cell == cell) & (parts == part)
            if test.any():
                probability[test] = _predict(rung, values, outcome, train, test)
    seen = split.tested
    accounts = cov.code_accounts(table.loc[seen, "initiator_id"], table.loc[seen, "decider_id"])
    # Scores are compared within one model's test cell; in a snapshot also within one feature graph.
    group = split.cell * (folds.max() + 1) + folds
    return sc.HeldOut(outcome[seen], probability[seen], accounts, group[seen], confidence)


def _predict(
    rung: Rung, values: pd.DataFrame, outcome: FloatArray, train: FlagArray, test: FlagArray
) -> FloatArray:
    y = outcome[train]
    if len(y) == 0 or y.min() == y.max():
        # Nothing to learn from: the overall rate of what may be seen, or an even chance.
        return np.full(int(test.sum()), y.mean() if len(y) else 0.5)
    return rung.predict(values[train], y, values[test])


def _predict_prevalence(_: pd.DataFrame, y: FloatArray, test: pd.DataFrame) -> FloatArray:
    return np.full(len(test), y.mean())


def _predict_rate(_: pd.DataFrame, __: FloatArray, test: pd.DataFrame) -> FloatArray:
    """Take the decider's shrunk past rate at its word; nothing is fitted."""
    return np.asarray(test[RATE_SET[0]].to_numpy())


def _logistic(names: tuple[str, ...]) -> Predict:
    def predict(train: pd.DataFrame, y: FloatArray, test: pd.DataFrame) -> FloatArray:
        # A touch of ridge lets small cells with a constant column fit; it moves nothing else.
        ridge = RIDGE if min(y.sum(), len(y) - y.sum()) < 10 * len(names) else 1e-6
        model = make_pipeline(StandardScaler(), LogitRegression(ridge=ridge))
        model.fit(train[list(names)].to_numpy(), y)
        return np.asarray(model.predict_proba(test[list(names)].to_numpy())[:, 1])

    return predict


def _predict_threshold(train: pd.DataFrame, y: FloatArray, test: pd.DataFrame) -> FloatArray:
    """Cut the ratio gap where balanced accuracy is best in training; predict each side's share."""
    gap = (train[RATIO_GAP[0]] - train[RATIO_GAP[1]]).to_numpy()
    order = np.argsort(gap, kind="stable")
    ones, zeros = np.cumsum(y[order]) / y.sum(), np.cumsum(1 - y[order]) / (1 - y).sum()
    best = int(np.argmax(np.abs(ones - zeros)))
    cut = gap[order][best]
    low, high = y[gap <= cut], y[gap > cut]
    shares = [(side.sum() + y.mean()) / (len(side) + 1) for side in (low, high)]
    at_test = (test[RATIO_GAP[0]] - test[RATIO_GAP[1]]).to_numpy()
    return np.where(at_test <= cut, shares[0], shares[1])


def _boosting(seed: int) -> Predict:
    def predict(train: pd.DataFrame, y: FloatArray, test: pd.DataFrame) -> FloatArray:
        model = HistGradientBoostingClassifier(
            max_iter=60, learning_rate=0.1, max_leaf_nodes=15, early_stopping=False,
            random_state=seed,
        )  # fmt: skip
        model.fit(train.to_numpy(), y)
        return np.asarray(model.predict_proba(test.to_numpy())[:, 1])

    return predict


def _score(tested: sc.HeldOut, base: sc.HeldOut) -> list[tuple[str, float, float, float]]:
    brier = sc.mean_with_interval(sc.brier_losses(tested), tested)
    reference = float(sc.brier_losses(base).mean())
    return [
        ("log_loss", *sc.mean_with_interval(sc.log_losses(tested), tested)),
        ("brier", *brier),
        ("brier_skill", 1 - brier[0] / reference, np.nan, np.nan),
        ("auc", *sc.auc(tested)),
        ("average_precision", sc.average_precision(tested), np.nan, np.nan),
    ]


def _pair(
    split: str, rungs: Sequence[Rung], tested: dict[str, sc.HeldOut]
) -> list[tuple[object, ...]]:
    full = tested["full_logistic"]
    losses = sc.log_losses(full)
    return [
        (split, rung.name, *sc.mean_with_interval(sc.log_losses(tested[rung.name]) - losses, full))
        for rung in rungs
        if rung.name != "full_logistic"
    ]
