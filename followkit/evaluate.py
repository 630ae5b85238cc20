"""The baseline ladder: models from the base rate up, scored on the same held-out dyads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit import covariance as cov
from followkit import scores as sc
from followkit.dyads import DyadSet
from followkit.errors import InputError
from followkit.features import FeatureTable
from followkit.rungs import CHENG_SET, TRIAD_SET, Rung, find_rungs, logistic, predict_rung
from followkit.splits import Split
from followkit.tuning import Choice, InnerFolds, Lesson, choose_setting, make_inner_folds

__all__ = ["CHENG_SET", "TRIAD_SET", "Ladder", "Lesson", "compare_families", "run_ladder"]

FloatArray = npt.NDArray[np.float64]
FlagArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

SCORE_COLUMNS = (
    "split", "rung", "label", "score", "value", "ci_low", "ci_high", "n", "answer_count", "note",
)  # fmt: skip
PAIR_COLUMNS = ("split", "rung", "against", "gain", "ci_low", "ci_high")
TUNED_COLUMNS = ("split", "rung", "label", "cell", "setting", "log_loss", "n", "inner")


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
    tuned
        split, rung, label, cell, setting, log_loss, n, inner: what was chosen for each test cell
        inside its training dyads; log_loss (nats a dyad) and n are those of the inner folds, inner
        is accounts, pairs or none (see `followkit.tuning.Choice`).
    held
        The held-out probabilities of every rung, by split name, then by rung.
    places
        By split name, where the held-out dyads stand in the table of all dyads.
    """

    scores: pd.DataFrame
    paired: pd.DataFrame
    tested: dict[str, sc.HeldOut]
    missing: pd.DataFrame
    notes: tuple[str, ...]
    tuned: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(TUNED_COLUMNS)))
    held: dict[str, dict[str, sc.HeldOut]] = field(default_factory=dict)
    places: dict[str, IntArray] = field(default_factory=dict)


@dataclass(frozen=True)
class _Known:
    """The dyads that have every feature: their rows, features, feature graphs and inner folds."""

    kept: FlagArray
    table: pd.DataFrame
    values: pd.DataFrame
    folds: IntArray
    inner: tuple[InnerFolds, ...]
    confidence: float

    def cut(self, split: Split) -> Split:
        """Return a split of the known dyads alone."""
        return Split(split.name, split.cell[self.kept], split.train[:, self.kept], split.note)


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
        Of inner folds, the tree and gradient boosting.
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
    within folds; a linear model may pool them. No resampling, no class weights. The depth of the
    tree, and leaves and rounds of boosting, are chosen for each test cell inside its training
    dyads (`followkit.tuning`).

    Intervals take the trained models as given. Where dyads train for each other by turns (blocks of
    accounts, groups of pairs) and there is nothing to learn, they are too short by up to √2.
    """
    known = _select_known(dyads, features, names, seed, confidence)
    rungs, missing = find_rungs(list(names), known.values, features.untimed, seed)
    score_rows: list[tuple[object, ...]] = []
    paired_rows: list[tuple[object, ...]] = []
    tuned_rows: list[tuple[object, ...]] = []
    held: dict[str, dict[str, sc.HeldOut]] = {}
    places: dict[str, IntArray] = {}
    for split in splits:
        cut, tested = known.cut(split), {}
        for rung in rungs:
            tested[rung.name], choices = _test(rung, cut, known)
            tuned_rows += _list_choices(split.name, rung, choices)
            score_rows += _list_scores(split.name, rung, tested[rung.name], tested["prevalence"])
        paired_rows += _pair(split.name, rungs, tested)
        held[split.name] = tested
        places[split.name] = np.flatnonzero(known.kept)[cut.tested]
    return Ladder(
        scores=pd.DataFrame(score_rows, columns=list(SCORE_COLUMNS)),
        paired=pd.DataFrame(paired_rows, columns=list(PAIR_COLUMNS)),
        tested={name: tested["full_logistic"] for name, tested in held.items()},
        missing=pd.DataFrame(missing, columns=["rung", "label", "reason"]),
        notes=tuple(_note_known([split.note for split in splits], known)),
        tuned=pd.DataFrame(tuned_rows, columns=list(TUNED_COLUMNS)),
        held=held,
        places=places,
    )


def _select_known(
    dyads: DyadSet, features: FeatureTable, names: Sequence[str], seed: int, confidence: float
) -> _Known:
    """Return the dyads that have every feature known."""
    kept = features.values[list(names)].notna().all(axis=1).to_numpy()
    if not kept.any():
        raise InputError(
            f"features: none of {len(kept):,} dyads has a known value of all {len(names)} "
            "features; give fewer names"
        )
    table = dyads.table[kept].reset_index(drop=True)
    folds = table["fold"].to_numpy() if dyads.asof == "snapshot" else np.zeros(len(table), int)
    inner = make_inner_folds(replace(dyads, table=table), seed=seed)
    values = features.values[kept].reset_index(drop=True)
    return _Known(kept, table, values, folds.astype(np.int64), inner, confidence)


def _note_known(notes: list[str], known: _Known) -> list[str]:
    """Return the notes with how many dyads were left out."""
    left_out = int((~known.kept).sum())
    if not left_out:
        return notes
    return [*notes, f"{left_out:,} dyads without a known value of every feature were left out."]


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
    known = _select_known(dyads, features, names, 0, confidence)
    cut = known.cut(split)
    sets = {"": (), **families}
    rows, losses = [], {}
    for family, added in sets.items():
        used = tuple(dict.fromkeys([*base, *added]))
        tested = _test(Rung(family, family, used, logistic(used)), cut, known)[0]
        losses[family] = sc.log_losses(tested)
        gain = sc.mean_with_interval(losses[""] - losses[family], tested)
        rows.append((family or "base", len(added), sc.auc(tested)[0], losses[family].mean(), *gain,
                     len(losses[family]), bool({*added} & {*features.untimed})))  # fmt: skip
    columns = ["family", "feature_count", "auc", "log_loss", "gain", "ci_low", "ci_high", "n",
               "is_untimed"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _test(rung: Rung, split: Split, known: _Known) -> tuple[sc.HeldOut, dict[int, Choice]]:
    """Return probabilities of the tested dyads, each from a model that never saw it, and settings.

    The settings chosen come by test cell; there are none for a model without.
    """
    table, values = known.table, known.values
    lesson = Lesson(values, table["outcome"].to_numpy(float), table["weight"].to_numpy(float))
    graph = known.folds if rung.is_flexible else np.zeros_like(known.folds)
    parts = np.unique(graph)
    probability = np.full(len(table), np.nan)
    choices: dict[int, Choice] = {}
    for cell in np.unique(split.cell[split.tested]).tolist():
        trains = [split.train[cell] & (graph == part) for part in parts]
        if rung.tuner is not None:
            choices[cell] = choose_setting(rung.tuner, lesson, trains, known.inner)
        setting = choices[cell].setting if cell in choices else ""
        for part, train in zip(parts, trains, strict=True):
            test = (split.cell == cell) & (graph == part)
            if test.any():
                probability[test] = predict_rung(rung, lesson.select(train), values[test], setting)
    return keep_tested(table, split, known.folds, probability, known.confidence), choices


def keep_tested(
    table: pd.DataFrame,
    split: Split,
    folds: npt.NDArray[np.int64],
    probability: FloatArray,
    confidence: float,
) -> sc.HeldOut:
    """Return the tested dyads with their probabilities, and what each may be ranked against.

    Parameters
    ----------
    table
        All dyads: initiator_id, decider_id, outcome, weight.
    split
        How they were held out.
    folds
        Their feature graphs; 0 for all outside snapshots.
    probability
        One a dyad; of those that are not tested it is not read.
    confidence
        Of the scores' intervals.
    """
    seen = split.tested
    accounts = cov.code_accounts(table.loc[seen, "initiator_id"], table.loc[seen, "decider_id"])
    # Scores are compared within one model's test cell; in a snapshot also within one feature graph.
    group = split.cell * (folds.max() + 1) + folds
    outcome, weight = table["outcome"].to_numpy(float), table["weight"].to_numpy(float)
    # Matrix products differ in the last digit by the place of a row; equal dyads have to stay tied.
    kept = np.round(probability[seen], 12)
    return sc.HeldOut(outcome[seen], kept, accounts, group[seen], confidence, weight[seen])


def _list_choices(
    split: str, rung: Rung, choices: Mapping[int, Choice]
) -> list[tuple[object, ...]]:
    return [
        (split, rung.name, rung.label, cell, one.setting, one.log_loss, one.n, one.inner)
        for cell, one in choices.items()
    ]


def _list_scores(
    split: str, rung: Rung, tested: sc.HeldOut, base: sc.HeldOut
) -> list[tuple[object, ...]]:
    size = len(tested.outcome), int(tested.outcome.sum())
    rows = _score(tested, base)
    return [(split, rung.name, rung.label, *row[:4], *size, row[4]) for row in rows]


def _score(tested: sc.HeldOut, base: sc.HeldOut) -> list[tuple[str, float, float, float, str]]:
    """Return score, value, ci_low, ci_high, note."""
    loss = sc.mean_with_interval(sc.log_losses(tested), tested)
    brier = sc.mean_with_interval(sc.brier_losses(tested), tested)
    area, precision = sc.auc(tested), sc.average_precision(tested)
    return [
        ("log_loss", loss[0], max(loss[1], 0.0), loss[2], ""),
        ("brier", brier[0], max(brier[1], 0.0), brier[2], ""),
        ("brier_skill", *sc.brier_skill(tested, base), ""),
        ("auc", *area, _explain_missing(area, tested)),
        ("average_precision", *precision, _explain_missing(precision, tested)),
    ]


def _explain_missing(score: tuple[float, float, float], tested: sc.HeldOut) -> str:
    """Return why a ranking has no interval, or "" where it has one."""
    if not np.isfinite(score[0]):
        return "no test cell holds both answered and unanswered dyads"
    if np.isfinite(score[1]):
        return ""
    return sc.too_few(tested) or "a perfect ranking has no interval"


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
