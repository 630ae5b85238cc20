"""The baseline ladder: models from the base rate up, scored on the same held-out dyads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from followkit import covariance as cov
from followkit import scores as sc
from followkit.dyads import DyadSet
from followkit.errors import InputError
from followkit.features import CATALOGUE, FeatureTable
from followkit.logit import LogitRegression, expit
from followkit.model import RIDGE
from followkit.splits import Split

FloatArray = npt.NDArray[np.float64]
FlagArray = npt.NDArray[np.bool_]
Predict = Callable[["Lesson", pd.DataFrame], FloatArray]

#: Cheng, Romero, Meeder & Kleinberg (2011): degrees and ratios of both accounts.
CHENG_SET = (
    "decider_ratio_log", "initiator_ratio_log", "initiator_followee_count_log",
    "initiator_follower_count_log", "decider_follower_count_log",
)  # fmt: skip
RATE_SET = ("decider_follow_back_rate",)
RATIO_GAP = ("decider_ratio_log", "initiator_ratio_log")
SCORE_COLUMNS = (
    "split", "rung", "label", "score", "value", "ci_low", "ci_high", "n", "answer_count", "note",
)  # fmt: skip


@dataclass(frozen=True)
class Lesson:
    """What a model may learn from: features, outcomes and weights of the training dyads."""

    values: pd.DataFrame
    outcome: FloatArray
    weight: FloatArray

    @property
    def rate(self) -> float:
        """Share answered; half an answer and half a refusal are added where all are alike."""
        total, answered = float(self.weight.sum()), float(self.weight @ self.outcome)
        alike = answered in (0.0, total)
        return (answered + 0.5) / (total + 1) if alike else answered / total

    def choose_ridge(self, feature_count: int) -> float:
        """Return the ridge of a model of so many features: a touch, or more where answers are few.

        A touch lets small cells with a constant column fit; it moves nothing else.
        """
        answered = float(self.weight @ self.outcome)
        fewer = min(answered, float(self.weight.sum()) - answered)
        return RIDGE if fewer < cov.EVENTS_PER_FEATURE * feature_count else 1e-6


@dataclass(frozen=True)
class Rung:
    """One model of the ladder: what it is called, what it needs, how it predicts.

    A flexible model could read the answer off the features of another fold's graph, so in a
    snapshot it is trained and scored fold by fold.
    """

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
        split, rung, label, score, value, ci_low, ci_high, n, answer_count, note; scores are
        log_loss (nats), brier, brier_skill (against the base rate), auc, average_precision. n and
        answer_count are those of the held-out dyads; the note says why there is no interval.
    paired
        split, rung, against, gain, ci_low, ci_high: log loss of the rung less that of `against`,
        dyad by dyad; above 0 the latter is better. First every rung against the full logistic
        model, then against the next rung up.
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
        Features of the full logistic model and of gradient boosting; dyads for which one is
        unknown are left out everywhere. Features that may post-date the answer
        (`features.untimed`) count for the rung "contact, order unknown" only.
    splits
        From `followkit.splits`.
    seed
        Of the gradient boosting.
    confidence
        Of the intervals.

    Returns
    -------
    Ladder

    Raises
    ------
    InputError
        If no dyad has a known value of every feature.

    Notes
    -----
    In a snapshot the features of a fold share one graph, so flexible models are trained and scored
    within folds; a linear model may pool them. No resampling, no class weights.

    Intervals take the trained models as given. Where dyads train for each other by turns (blocks of
    accounts, groups of pairs) and there is nothing to learn, they are too short by up to √2.
    """
    known, table, values, folds = _select_known(dyads, features, names)
    rungs, missing = _find_rungs(list(names), values, features.untimed, seed)
    score_rows: list[tuple[object, ...]] = []
    paired_rows: list[tuple[object, ...]] = []
    kept: dict[str, sc.HeldOut] = {}
    for split in splits:
        cut = _cut_split(split, known)
        tested = {rung.name: _test(rung, cut, table, values, folds, confidence) for rung in rungs}
        kept[split.name] = tested["full_logistic"]
        for rung in rungs:
            rows = _score(tested[rung.name], tested["prevalence"])
            size = len(tested[rung.name].outcome), int(tested[rung.name].outcome.sum())
            score_rows += [
                (split.name, rung.name, rung.label, *row[:4], *size, row[4]) for row in rows
            ]
        paired_rows += _pair(split.name, rungs, tested)
    notes = [split.note for split in splits]
    if (~known).any():
        notes.append(
            f"{(~known).sum():,} dyads without a known value of every feature were left out."
        )
    return Ladder(
        pd.DataFrame(score_rows, columns=list(SCORE_COLUMNS)),
        pd.DataFrame(
            paired_rows, columns=["split", "rung", "against", "gain", "ci_low", "ci_high"]
        ),
        kept,
        pd.DataFrame(missing, columns=["rung", "label", "reason"]),
        tuple(notes),
    )  # fmt: skip


def _select_known(
    dyads: DyadSet, features: FeatureTable, names: Sequence[str]
) -> tuple[npt.NDArray[np.bool_], pd.DataFrame, pd.DataFrame, npt.NDArray[np.int64]]:
    """Return which dyads have every feature known; their rows, features and feature graphs."""
    known = features.values[list(names)].notna().all(axis=1).to_numpy()
    if not known.any():
        raise InputError(
            f"features: none of {len(known):,} dyads has a known value of all {len(names)} "
            "features; give fewer names"
        )
    table = dyads.table[known].reset_index(drop=True)
    folds = table["fold"].to_numpy() if dyads.asof == "snapshot" else np.zeros(len(table), int)
    return known, table, features.values[known].reset_index(drop=True), folds


def _cut_split(split: Split, known: npt.NDArray[np.bool_]) -> Split:
    """Return a split of the known dyads alone."""
    return Split(split.name, split.cell[known], split.train[:, known], split.note)


def compare_families(
    dyads: DyadSet,
    features: FeatureTable,
    families: Mapping[str, Sequence[str]],
    *,
    base: Sequence[str],
    split: Split,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return what each family of features adds to a base set, on held-out dyads.

    Parameters
    ----------
    dyads, features
        Dyads and their features, row by row.
    families
        Label → features that are added to the base, alone.
    base
        Features of the model that every family is compared with.
    split
        Who trains for whom.
    confidence
        Of the intervals.

    Returns
    -------
    pandas.DataFrame
        family, feature_count, auc and log_loss of base + family (the first row is the base), gain:
        log loss of the base less that of base + family in nats a dyad, with ci_low and ci_high
        (paired, dyadic-robust), n, is_untimed (a feature of the family may post-date the answer).
        All rows are scored on the dyads with every feature known.

    Raises
    ------
    InputError
        If no dyad has a known value of every feature.
    """
    names = list(dict.fromkeys([*base, *(name for part in families.values() for name in part)]))
    known, table, values, folds = _select_known(dyads, features, names)
    cut = _cut_split(split, known)
    sets = {"": (), **families}
    rows, losses = [], {}
    for family, added in sets.items():
        used = tuple(dict.fromkeys([*base, *added]))
        tested = _test(Rung(family, family, used, _logistic(used)), cut, table, values, folds,
                       confidence)  # fmt: skip
        losses[family] = sc.log_losses(tested)
        gain = sc.mean_with_interval(losses[""] - losses[family], tested)
        rows.append((family or "base", len(added), sc.auc(tested)[0], losses[family].mean(), *gain,
                     len(losses[family]), bool({*added} & {*features.untimed})))  # fmt: skip
    columns = ["family", "feature_count", "auc", "log_loss", "gain", "ci_low", "ci_high", "n",
               "is_untimed"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _find_rungs(
    names: list[str], values: pd.DataFrame, untimed: Sequence[str], seed: int
) -> tuple[list[Rung], list[tuple[str, str, str]]]:
    timed = tuple(name for name in names if name not in untimed)
    decider_side = tuple(name for name in timed if CATALOGUE[name].side == "decider")
    rungs = [
        Rung("prevalence", "base rate", (), _predict_prevalence),
        Rung("decider_rate", "decider's past rate", RATE_SET, _predict_rate),
        Rung("ratio_threshold", "ratio threshold", RATIO_GAP, _predict_threshold),
        Rung("decider_logistic", "decider only", decider_side, _logistic(decider_side)),
        Rung("cheng_ratio_set", "degrees and ratios", CHENG_SET, _logistic(CHENG_SET)),
        Rung("full_logistic", "full logistic model", timed, _logistic(timed)),
        Rung("gradient_boosting", "gradient boosting", timed, _boosting(timed, seed), True),
    ]
    if len(timed) < len(names):
        rungs.append(
            Rung("untimed_contact", "contact, order unknown", tuple(names), _logistic(names))
        )
    usable, missing = [], []
    for rung in rungs:
        lacking = _find_lacking(rung, values)
        if lacking:
            missing.append((rung.name, rung.label, lacking))
        else:
            usable.append(rung)
    return usable, missing


def _find_lacking(rung: Rung, values: pd.DataFrame) -> str:
    """Return why a rung is not available, or ""."""
    if rung.name == "decider_logistic" and not rung.needs:
        return "needs features of the decider"
    absent = [name for name in rung.needs if name not in values]
    if absent:
        return f"needs {', '.join(absent)}"
    partly = [name for name in rung.needs if values[name].isna().any()]
    return f"{', '.join(partly)} is unknown for some dyads" if partly else ""


def _test(
    rung: Rung,
    split: Split,
    table: pd.DataFrame,
    values: pd.DataFrame,
    folds: npt.NDArray[np.int64],
    confidence: float,
) -> sc.HeldOut:
    """Return probabilities for every tested dyad, each from a model that never saw it."""
    outcome, weight = table["outcome"].to_numpy(float), table["weight"].to_numpy(float)
    parts = folds if rung.is_flexible else np.zeros_like(folds)
    probability = np.full(len(table), np.nan)
    for cell in np.unique(split.cell[split.tested]):
        for part in np.unique(parts):
            train = split.train[cell] & (parts == part)
            test = (split.cell == cell) & (parts == part)
            if test.any():
                lesson = Lesson(values[train], outcome[train], weight[train])
                probability[test] = _predict(rung, lesson, values[test])
    seen = split.tested
    accounts = cov.code_accounts(table.loc[seen, "initiator_id"], table.loc[seen, "decider_id"])
    # Scores are compared within one model's test cell; in a snapshot also within one feature graph.
    group = split.cell * (folds.max() + 1) + folds
    # Matrix products differ in the last digit by the place of a row; equal dyads have to stay tied.
    probability = np.round(probability, 12)
    return sc.HeldOut(
        outcome[seen], probability[seen], accounts, group[seen], confidence, weight[seen]
    )


def _predict(rung: Rung, lesson: Lesson, test: pd.DataFrame) -> FloatArray:
    if len(np.unique(lesson.outcome)) < 2:
        # Nothing to tell apart: never a probability of 0 or 1 for want of data.
        return np.full(len(test), lesson.rate)
    return rung.predict(lesson, test)


def _predict_prevalence(lesson: Lesson, test: pd.DataFrame) -> FloatArray:
    return np.full(len(test), lesson.rate)


def _predict_rate(lesson: Lesson, test: pd.DataFrame) -> FloatArray:
    """Rank by the decider's shrunk past rate; only its level is fitted, on the log odds."""
    line, at_test = (_log_odds(part[RATE_SET[0]]) for part in (lesson.values, test))
    shift = 0.0
    for _ in range(25):
        fitted = expit(line + shift)
        slope = float(lesson.weight @ (fitted * (1 - fitted)))
        shift += float(lesson.weight @ (lesson.outcome - fitted)) / max(slope, 1e-12)
        shift = float(np.clip(shift, -30, 30))
    return expit(at_test + shift)


def _log_odds(rate: pd.Series) -> FloatArray:
    share = rate.to_numpy(float).clip(1e-6, 1 - 1e-6)
    return np.log(share / (1 - share))


def _logistic(names: Sequence[str]) -> Predict:
    def predict(lesson: Lesson, test: pd.DataFrame) -> FloatArray:
        ridge = lesson.choose_ridge(len(names))
        model = make_pipeline(StandardScaler(), LogitRegression(ridge=ridge))
        model.fit(
            lesson.values[list(names)].to_numpy(), lesson.outcome,
            logitregression__sample_weight=lesson.weight,
        )  # fmt: skip
        return np.asarray(model.predict_proba(test[list(names)].to_numpy())[:, 1])

    return predict


def _predict_threshold(lesson: Lesson, test: pd.DataFrame) -> FloatArray:
    """Cut the ratio gap where balanced accuracy is best in training; predict each side's share.

    The AUC of the two values it gives is its balanced accuracy.
    """
    y, weight = lesson.outcome, lesson.weight
    gaps, place = np.unique(_ratio_gap(lesson.values), return_inverse=True)
    ones = np.cumsum(np.bincount(place, weights=weight * y)) / (weight @ y)
    zeros = np.cumsum(np.bincount(place, weights=weight * (1 - y))) / (weight @ (1 - y))
    cut = gaps[int(np.argmax(np.abs(ones - zeros)))]
    # One dyad of the overall rate is added, so that a small side claims no certainty.
    shares = [
        (weight[side] @ y[side] + lesson.rate) / (weight[side].sum() + 1)
        for side in (gaps[place] <= cut, gaps[place] > cut)
    ]
    return np.where(_ratio_gap(test) <= cut, shares[0], shares[1])


def _ratio_gap(values: pd.DataFrame) -> FloatArray:
    return np.asarray((values[RATIO_GAP[0]] - values[RATIO_GAP[1]]).to_numpy(), dtype=np.float64)


def _boosting(names: Sequence[str], seed: int) -> Predict:
    def predict(lesson: Lesson, test: pd.DataFrame) -> FloatArray:
        model = HistGradientBoostingClassifier(
            max_iter=60, learning_rate=0.1, max_leaf_nodes=15, early_stopping=False,
            random_state=seed,
        )  # fmt: skip
        model.fit(lesson.values[list(names)].to_numpy(), lesson.outcome, lesson.weight)
        return np.asarray(model.predict_proba(test[list(names)].to_numpy())[:, 1])

    return predict


def _score(tested: sc.HeldOut, base: sc.HeldOut) -> list[tuple[str, float, float, float, str]]:
    """Return score, value, ci_low, ci_high, note."""
    loss = sc.mean_with_interval(sc.log_losses(tested), tested)
    brier = sc.mean_with_interval(sc.brier_losses(tested), tested)
    area = sc.auc(tested)
    if not np.isfinite(area[0]):
        why = "no test cell holds both answered and unanswered dyads"
    elif np.isfinite(area[1]):
        why = ""
    else:
        why = sc.too_few(tested) or "a perfect ranking has no interval"
    return [
        ("log_loss", loss[0], max(loss[1], 0.0), loss[2], ""),
        ("brier", brier[0], max(brier[1], 0.0), brier[2], ""),
        ("brier_skill", *sc.brier_skill(tested, base), ""),
        ("auc", *area, why),
        ("average_precision", sc.average_precision(tested), np.nan, np.nan, "no interval is made"),
    ]


def _pair(
    split: str, rungs: Sequence[Rung], tested: dict[str, sc.HeldOut]
) -> list[tuple[object, ...]]:
    """Compare every rung with the full model, then every rung with the next one up."""
    names = [rung.name for rung in rungs]
    pairs = [(name, "full_logistic") for name in names if name != "full_logistic"]
    pairs += [pair for pair in pairwise(names) if pair not in pairs]
    losses = {name: sc.log_losses(tested[name]) for name in names}
    return [
        (split, one, other, *sc.mean_with_interval(losses[one] - losses[other], tested[one]))
        for one, other in pairs
    ]
