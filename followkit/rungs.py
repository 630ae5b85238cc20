"""The rungs of the baseline ladder: what each model may look at and how it predicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from followkit.features import CATALOGUE
from followkit.logit import LogitRegression, expit
from followkit.tuning import Lesson, Tuner

FloatArray = npt.NDArray[np.float64]
Predict = Callable[[Lesson, pd.DataFrame], FloatArray]

#: Cheng, Romero, Meeder & Kleinberg (2011): degrees and ratios of both accounts.
CHENG_SET = (
    "decider_ratio_log", "initiator_ratio_log", "initiator_followee_count_log",
    "initiator_follower_count_log", "decider_follower_count_log",
)  # fmt: skip
RATE_SET = ("decider_follow_back_rate",)
RATIO_GAP = ("decider_ratio_log", "initiator_ratio_log")
#: Triads by how many of their other ties are mutual, after Hopcroft, Lou & Tang (2011).
TRIAD_SET = ("dyad_mutual_triads_log", "dyad_half_mutual_triads_log", "dyad_one_way_triads_log")
#: Depths of the tree that are tried.
DEPTHS = {f"depth {depth}": depth for depth in (1, 2, 3, 4, 6, 8)}
#: Leaves and rounds of boosting that are tried.
BOOSTS = {
    f"{leaves} leaves, {rounds} rounds": (leaves, rounds)
    for leaves in (4, 15)
    for rounds in (20, 40, 80)
}
LEARNING_RATE = 0.1
#: Dyads that a leaf of the tree holds at least.
SMALLEST_LEAF = 20


@dataclass(frozen=True)
class Rung:
    """One model of the ladder: what it is called, what it needs, how it predicts.

    A flexible model could read the answer off the features of another fold's graph, so in a
    snapshot it is trained and scored fold by fold. One with a tuner has its setting chosen inside
    the training dyads first.
    """

    name: str
    label: str
    needs: tuple[str, ...]
    predict: Predict | None
    is_flexible: bool = False
    tuner: Tuner | None = None


def find_rungs(
    names: Sequence[str], values: pd.DataFrame, untimed: Sequence[str], seed: int
) -> tuple[list[Rung], list[tuple[str, str, str]]]:
    """Return the rungs that the features allow, from the base rate up, and those they do not.

    Parameters
    ----------
    names
        Features of the full logistic model; those of `untimed` only serve the last rung.
    values
        Features of the dyads; a rung needs its own known for all of them.
    untimed
        Features that may post-date the answer.
    seed
        Of the tree and of boosting.

    Returns
    -------
    tuple
        The rungs, and (rung, label, reason) of each that is missing.
    """
    timed = tuple(name for name in names if name not in untimed)
    decider_side = tuple(name for name in timed if CATALOGUE[name].side == "decider")
    triadic = tuple(dict.fromkeys([*timed, *TRIAD_SET]))
    rungs = [
        Rung("prevalence", "base rate", (), _predict_prevalence),
        Rung("decider_rate", "decider's past rate", RATE_SET, _predict_rate),
        Rung("ratio_threshold", "ratio threshold", RATIO_GAP, _predict_threshold),
        Rung("decider_logistic", "decider only", decider_side, logistic(decider_side)),
        Rung("cheng_ratio_set", "degrees and ratios", CHENG_SET, logistic(CHENG_SET)),
        Rung("cheng_tree", "tree on degrees and ratios", CHENG_SET, None, True,
             tree_tuner(CHENG_SET, seed)),
        Rung("full_logistic", "full logistic model", timed, logistic(timed)),
        Rung("triadic", "triads (after Hopcroft et al., pseudo-likelihood)", triadic,
             triadic_logistic(timed)),
        Rung("gradient_boosting", "gradient boosting", timed, None, True,
             boosting_tuner(timed, seed)),
    ]  # fmt: skip
    if len(timed) < len(names):
        rungs.append(
            Rung("untimed_contact", "contact, order unknown", tuple(names), logistic(names))
        )
    usable, missing = [], []
    for rung in rungs:
        lacking = _find_lacking(rung, values)
        if lacking:
            missing.append((rung.name, rung.label, lacking))
        else:
            usable.append(rung)
    return usable, missing


def predict_rung(rung: Rung, lesson: Lesson, test: pd.DataFrame, setting: str) -> FloatArray:
    """Return the probabilities of a rung for test dyads that are not in its lesson."""
    if not lesson.has_both:
        # Nothing to tell apart: never a probability of 0 or 1 for want of data.
        return np.full(len(test), lesson.rate)
    if rung.tuner is not None:
        return rung.tuner.predict(lesson, test, setting)
    assert rung.predict is not None
    return rung.predict(lesson, test)


def _find_lacking(rung: Rung, values: pd.DataFrame) -> str:
    """Return why a rung is not available, or ""."""
    if rung.name == "decider_logistic" and not rung.needs:
        return "needs features of the decider"
    absent = [name for name in rung.needs if name not in values]
    if absent:
        return f"needs {', '.join(absent)}"
    partly = [name for name in rung.needs if values[name].isna().any()]
    return f"{', '.join(partly)} is unknown for some dyads" if partly else ""


# -- rules -----------------------------------------------------------------------------------------


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


def _predict_threshold(lesson: Lesson, test: pd.DataFrame) -> FloatArray:
    """Cut the ratio gap where balanced accuracy is best in training; predict each side's share.

    The AUC of the two values it gives is its balanced accuracy.
    """
    y, weight = lesson.outcome, lesson.weight
    gaps, place = np.unique(_ratio_gap(lesson.values), return_inverse=True)
    ones = np.cumsum(np.bincount(place, weights=weight * y)) / (weight @ y)
    zeros = np.cumsum(np.bincount(place, weights=weight * (1 - y))) / (weight @ (1 - y))
    cut = gaps[int(np.argmax(np.abs(ones - zeros)))]
    below = gaps[place] <= cut
    shares = [_smooth(lesson, side) for side in (below, ~below)]
    return np.where(_ratio_gap(test) <= cut, shares[0], shares[1])


def _ratio_gap(values: pd.DataFrame) -> FloatArray:
    return np.asarray((values[RATIO_GAP[0]] - values[RATIO_GAP[1]]).to_numpy(), dtype=np.float64)


def _smooth(lesson: Lesson, side: npt.NDArray[np.bool_]) -> float:
    """Return a share answered with one dyad of the overall rate added: no certainty from a few."""
    answered = float(lesson.weight[side] @ lesson.outcome[side])
    return (answered + lesson.rate) / (float(lesson.weight[side].sum()) + 1)


# -- logistic models -------------------------------------------------------------------------------


def logistic(names: Sequence[str]) -> Predict:
    """Return the logistic model of named features, with a touch of ridge."""

    def predict(lesson: Lesson, test: pd.DataFrame) -> FloatArray:
        ridge = lesson.choose_ridge(len(names))
        model = make_pipeline(StandardScaler(), LogitRegression(ridge=ridge))
        model.fit(
            lesson.values[list(names)].to_numpy(), lesson.outcome,
            logitregression__sample_weight=lesson.weight,
        )  # fmt: skip
        return np.asarray(model.predict_proba(test[list(names)].to_numpy())[:, 1])

    return predict


def triadic_logistic(names: Sequence[str]) -> Predict:
    """Return the logistic model of attributes and triads, after Hopcroft, Lou & Tang (2011).

    Their triad factor graph scores whole labellings of a network: attributes of each tie, and
    triads by how many of their ties are reciprocal, fitted together by loopy belief propagation
    (doi:10.1145/2063576.2063740). Here each tie is predicted given the others (pseudo-likelihood,
    Besag 1975, doi:10.2307/2987782): then a triad factor is a count of the triads whose other two
    ties are both, half or not mutual, and the fit is a logistic regression on attributes and
    counts. What this is not: no message is passed, ties that are still to be predicted do not
    inform each other, and nothing is learnt from unlabelled ties; "the others" are ties of the
    fold-masked graph, or those that stood before t.
    """
    return logistic(tuple(dict.fromkeys([*names, *TRIAD_SET])))


# -- flexible models -------------------------------------------------------------------------------


def tree_tuner(names: Sequence[str], seed: int) -> Tuner:
    """Return a decision tree whose depth is tuned.

    A leaf holds at least 20 dyads and predicts its share answered, one dyad of the overall rate
    added.
    """

    def predict(lesson: Lesson, test: pd.DataFrame, setting: str) -> FloatArray:
        total = float(lesson.weight.sum())
        tree = DecisionTreeClassifier(
            max_depth=DEPTHS[setting], random_state=seed,
            # A hair less, so that rounding does not refuse a leaf of just so many dyads.
            min_weight_fraction_leaf=min((SMALLEST_LEAF - 1e-6) / total, 0.5),
        )  # fmt: skip
        seen = lesson.values[list(names)].to_numpy()
        tree.fit(seen, lesson.outcome, lesson.weight)
        leaf, size = tree.apply(seen), tree.tree_.node_count
        answered = np.bincount(leaf, lesson.weight * lesson.outcome, size)
        share = (answered + lesson.rate) / (np.bincount(leaf, lesson.weight, size) + 1)
        return np.asarray(share[tree.apply(test[list(names)].to_numpy())])

    def try_all(lesson: Lesson, test: pd.DataFrame) -> dict[str, FloatArray]:
        return {setting: predict(lesson, test, setting) for setting in DEPTHS}

    return Tuner(tuple(DEPTHS), try_all, predict)


def boosting_tuner(names: Sequence[str], seed: int) -> Tuner:
    """Return gradient boosting whose leaves and rounds are tuned."""

    def fit(lesson: Lesson, leaves: int, rounds: int) -> HistGradientBoostingClassifier:
        model = HistGradientBoostingClassifier(
            max_iter=rounds, learning_rate=LEARNING_RATE, max_leaf_nodes=leaves,
            early_stopping=False, random_state=seed,
        )  # fmt: skip
        # Equal weights change nothing, and scikit-learn bins weighted columns many times slower.
        weight = lesson.weight if np.ptp(lesson.weight) else None
        return model.fit(lesson.values[list(names)].to_numpy(), lesson.outcome, weight)

    def predict(lesson: Lesson, test: pd.DataFrame, setting: str) -> FloatArray:
        model = fit(lesson, *BOOSTS[setting])
        return np.asarray(model.predict_proba(test[list(names)].to_numpy())[:, 1])

    def try_all(lesson: Lesson, test: pd.DataFrame) -> dict[str, FloatArray]:
        """Fit once for each number of leaves; fewer rounds are stages on the way."""
        found, seen = {}, test[list(names)].to_numpy()
        for leaves in dict.fromkeys(leaves for leaves, _ in BOOSTS.values()):
            wanted = {rounds: word for word, (size, rounds) in BOOSTS.items() if size == leaves}
            model = fit(lesson, leaves, max(wanted))
            for number, stage in enumerate(model.staged_predict_proba(seen), start=1):
                if number in wanted:
                    found[wanted[number]] = np.asarray(stage[:, 1])
        return found

    return Tuner(tuple(BOOSTS), try_all, predict)
