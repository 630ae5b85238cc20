"""What goes with an answer in one ego's own data, if more than the base rate can be told at all.

A logistic model with a ridge penalty, tuned inside the training follows, is scored on follows that
it has not seen and compared with the base rate of its training follows. Only where it is better are
odds ratios shown: of a small model without penalty. All of it holds for this account only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit import covariance as cov
from followkit import scores as sc
from followkit import words
from followkit.effects import average_marginal_effects, odds_ratios
from followkit.ego.features import EGO_FEATURES
from followkit.ego.results import EgoModel, ModelVerdict
from followkit.errors import CannotFitError
from followkit.logit import LogitRegression
from followkit.model import FEWEST_EVENTS, fit_follow_back
from followkit.tuning import INNER_FOLDS, InnerFolds, Lesson, Tuner, choose_setting
from followkit.verdicts import adjust_holm
from followkit.waiting import DAY

__all__ = ["TESTS", "fit_ego_model", "no_ego_model"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
FlagArray = npt.NDArray[np.bool_]

TESTS = ("held out at random", "later follows")
#: Penalties on standardised slopes, the strongest first: with it only the base rate is left,
#: exactly, so that a gain of a millionth is never taken for one.
BASE_ONLY = 1e6
RIDGES = {"1e6": BASE_ONLY, "300": 300.0, "30": 30.0, "3": 3.0}
OUTER_FOLDS = 5
#: Later follows: the first of these shares only trains, then blocks are predicted in turn.
FIRST_SHARE, BLOCKS = 0.4, 3
#: Answers, and others, that a block's past must hold before it may predict.
FEWEST_TO_TRAIN = 10
#: A feature in which fewer follows differ from most carries nothing.
FEWEST_DIFFERING = 10
ONLY_BASE = "The base rate is all that can be said."
#: Groups of follows may still differ; what is not better is a chance of its own for each.
NO_MORE = "For any one follow, the base rate is all that can be said."
ACCOUNT_ONLY = "These numbers hold for this account only."

TABLES = {
    "features": ["name", "label", "unit", "in_model", "note"],
    "tests": ["test", "n", "answered", "base_loss", "model_loss", "gain", "gain_low", "gain_high",
              "auc", "auc_low", "auc_high"],
    "slopes": ["term", "label", "slope"],
    "effects": ["term", "label", "unit", "odds_ratio", "ci_low", "ci_high", "p_value", "p_holm",
                "effect", "effect_low", "effect_high"],
}  # fmt: skip


@dataclass(frozen=True)
class _Rows:
    """The dyads of the model, in order of time: values, outcome, moments and alters."""

    values: pd.DataFrame
    outcome: FloatArray
    at: pd.Series
    alters: npt.NDArray[np.object_]
    ego: str

    def __len__(self) -> int:
        return len(self.outcome)


def no_ego_model(verdict: ModelVerdict, sentence: str) -> EgoModel:
    """Return the result where nothing could be fitted, with the reason.

    Examples
    --------
    >>> no_ego_model("no_times", "Order unknown.").is_better
    False
    """
    tables = {name: pd.DataFrame(columns=columns) for name, columns in TABLES.items()}
    return EgoModel(verdict, sentence, 0, 0, np.nan, ridge=np.nan, **tables)


def fit_ego_model(
    features: pd.DataFrame,
    outcome: pd.Series,
    at: pd.Series,
    alter_ids: pd.Series,
    *,
    ego: str,
    horizon_days: float = 30.0,
    confidence: float = 0.95,
    seed: int = 0,
    everyone: pd.DataFrame | None = None,
) -> tuple[EgoModel, pd.Series]:
    """Compare a penalised model with the base rate, and say which of the two may speak.

    The model is better if, with every fifth follow held out at random, the interval of its gain in
    log loss lies above 0, unless that of later follows, predicted from earlier ones, lies below 0.

    Parameters
    ----------
    features
        `make_ego_features` of the follows in the rate; rows with a missing value are left out.
    outcome, at, alter_ids
        Answered in time (0 or 1), the moment of the follow (UTC) and the alter, on the same index.
    ego
        The ego's id, which errors are conditioned on.
    horizon_days
        H: of later follows only those count as known that were made H days earlier.
    confidence
        Of the intervals.
    seed
        Of the folds.
    everyone
        Features of all follows to predict, young ones too; those of `features` without it.

    Returns
    -------
    EgoModel, pandas.Series
        The second: probability of an answer by the penalised model, on the index of `everyone`;
        missing throughout unless the model is better.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = pd.DataFrame({"ego_likes_log": rng.exponential(size=400)})
    >>> y = pd.Series((rng.random(400) < 1 / (1 + np.exp(2 - 2 * x["ego_likes_log"]))).astype(int))
    >>> at = pd.Series(pd.date_range("2020", periods=400, freq="D", tz="UTC"))
    >>> model, _ = fit_ego_model(x, y, at, pd.Series([f"b{k}" for k in range(400)]), ego="me")
    >>> model.verdict
    'better'
    """
    asked = features if everyone is None else everyone
    nothing = pd.Series(np.nan, index=asked.index)
    events = int(outcome.sum())
    if min(events, len(outcome) - events) < FEWEST_EVENTS:
        return _tell_too_few(outcome, events), nothing
    chosen, listed = _choose_features(features)
    rows = _make_rows(features[chosen], outcome, at, alter_ids, ego)
    notes = _note_left_out(len(features) - len(rows))
    fewer = int(min(rows.outcome.sum(), (1 - rows.outcome).sum()))
    if not chosen or fewer < FEWEST_EVENTS:
        why = "no feature varies among them" if not chosen else f"only {fewer} of a kind are left"
        sentence = f"Too few data: {why} once unknown values are left out. {ONLY_BASE}"
        return _base_only("too_few", sentence, rows, listed, notes), nothing
    tests = _run_tests(rows, horizon_days, confidence, seed)
    final, ridge = _learn(rows, np.ones(len(rows), dtype=bool), seed)
    verdict, sentence = _judge(tests, confidence)
    effects, more = _make_effects(rows, confidence) if verdict == "better" else (None, [])
    model = EgoModel(
        verdict, sentence, len(rows), int(rows.outcome.sum()), float(rows.outcome.mean()),
        listed, tests, ridge, _tell_slopes(final, chosen),
        pd.DataFrame(columns=TABLES["effects"]) if effects is None else effects,
        (*notes, *more),
    )  # fmt: skip
    return model, _predict_all(final, asked[chosen]) if verdict == "better" else nothing


def _tell_too_few(outcome: pd.Series, events: int) -> EgoModel:
    sentence = (
        f"Too few data: {words.count(events, 'answer')} and "
        f"{words.count(len(outcome) - events, 'follow')} without one in time, where a model needs "
        f"{FEWEST_EVENTS} of each. {ONLY_BASE}"
    )
    rate = float(outcome.mean()) if len(outcome) else np.nan
    empty = no_ego_model("too_few", sentence)
    return EgoModel("too_few", sentence, len(outcome), events, rate, empty.features, empty.tests,
                    np.nan, empty.slopes, empty.effects)  # fmt: skip


def _base_only(
    verdict: ModelVerdict, sentence: str, rows: _Rows, listed: pd.DataFrame, notes: list[str]
) -> EgoModel:
    empty = no_ego_model(verdict, sentence)
    rate = float(rows.outcome.mean()) if len(rows) else np.nan
    return EgoModel(verdict, sentence, len(rows), int(rows.outcome.sum()), rate, listed,
                    empty.tests, np.nan, empty.slopes, empty.effects, tuple(notes))  # fmt: skip


def _choose_features(features: pd.DataFrame) -> tuple[list[str], pd.DataFrame]:
    """Return the features that say something, judged without the outcome, and why not the rest."""
    chosen, rows = [], []
    for name in features:
        column = features[name].dropna()
        differing = len(column) - int(column.value_counts().max()) if len(column) else 0
        note = ""
        if len(column) <= len(features) / 2:
            note = "unknown for most of your follows"
        elif not differing:
            note = "the same for all of your follows"
        elif differing < FEWEST_DIFFERING:
            note = f"only {differing} of your follows differ in it"
        if not note:
            chosen.append(str(name))
        entry = EGO_FEATURES[str(name)]
        rows.append((name, entry.label, entry.unit, not note, note))
    return chosen, pd.DataFrame(rows, columns=TABLES["features"])


def _make_rows(
    values: pd.DataFrame, outcome: pd.Series, at: pd.Series, alter_ids: pd.Series, ego: str
) -> _Rows:
    """Return the complete rows in order of time; equal times by values, so ids decide nothing."""
    table = values.assign(_at=at, _outcome=outcome.astype(float), _alter=alter_ids)
    known = table[values.notna().all(axis=1)]
    known = known.sort_values(["_at", *values.columns, "_outcome"], kind="stable")
    known = known.reset_index(drop=True)
    return _Rows(known[list(values.columns)], known["_outcome"].to_numpy(float), known["_at"],
                 known["_alter"].to_numpy(object), ego)  # fmt: skip


def _note_left_out(count: int) -> list[str]:
    if not count:
        return []
    follows = words.count(count, "follow")
    return [
        f"{follows} older than the first act in the export, or with another unknown value, "
        f"{'is' if count == 1 else 'are'} not in the model."
    ]


# ------------------------------------------------------------------------------ fitting and scores


class _Ridge:
    """A standardised logistic fit with a ridge penalty; constant columns get no slope."""

    def __init__(self, lesson: Lesson, ridge: float) -> None:
        values = lesson.values.to_numpy(float)
        self.mean, scale = values.mean(axis=0), values.std(axis=0)
        self.is_varying = (scale > 1e-12) & (ridge < BASE_ONLY)
        self.base_rate = float(lesson.outcome.mean())
        self.scale = np.where(self.is_varying, scale, 1.0)
        self.logit = LogitRegression(ridge=ridge, tolerance=1e-6)
        self.logit.fit(self._standardise(values), lesson.outcome)

    def _standardise(self, values: FloatArray) -> FloatArray:
        return np.where(self.is_varying, (values - self.mean) / self.scale, 0.0)

    def predict(self, values: pd.DataFrame) -> FloatArray:
        if not self.is_varying.any():
            return np.full(len(values), self.base_rate)
        return self.logit.predict_proba(self._standardise(values.to_numpy(float)))[:, 1]


def _try_all(lesson: Lesson, test: pd.DataFrame) -> Mapping[str, FloatArray]:
    return {name: _Ridge(lesson, ridge).predict(test) for name, ridge in RIDGES.items()}


def _predict(lesson: Lesson, test: pd.DataFrame, name: str) -> FloatArray:
    return _Ridge(lesson, RIDGES[name]).predict(test)


TUNER = Tuner(tuple(RIDGES), _try_all, _predict)


def _cut(count: int, fold_count: int, seed: int) -> IntArray:
    """Return a fold for each row, of nearly equal sizes, by chance."""
    return np.random.default_rng(seed).permutation(count) % fold_count


def _learn(rows: _Rows, train: FlagArray, seed: int) -> tuple[_Ridge, float]:
    """Return the model of the training rows, its penalty chosen inside them by log loss."""
    lesson = Lesson(rows.values, rows.outcome, np.ones(len(rows)))
    # Another draw than that of the outer folds.
    fold = _cut(len(rows), INNER_FOLDS, seed + 1_000_003)
    held = fold == np.arange(INNER_FOLDS)[:, None]
    choice = choose_setting(TUNER, lesson, [train], [InnerFolds("follows", ~held, held)])
    ridge = RIDGES[choice.setting]
    return _Ridge(lesson.select(train), ridge), ridge


def _run_tests(rows: _Rows, horizon_days: float, confidence: float, seed: int) -> pd.DataFrame:
    fold = _cut(len(rows), OUTER_FOLDS, seed)
    random = [(fold != one, fold == one) for one in range(OUTER_FOLDS)]
    parts = (random, _cut_later(rows, horizon_days))
    lines = [
        _score(rows, cuts, name, confidence, seed) for name, cuts in zip(TESTS, parts, strict=True)
    ]
    return pd.DataFrame([line for line in lines if line], columns=TABLES["tests"])


def _cut_later(rows: _Rows, horizon_days: float) -> list[tuple[FlagArray, FlagArray]]:
    """Return training and tested rows in turn: what was known when each block of follows began."""
    count = len(rows)
    edges = np.linspace(FIRST_SHARE * count, count, BLOCKS + 1).astype(int)
    age = ((rows.at - rows.at.iloc[0]) / DAY).to_numpy(float)
    place = np.arange(count)
    cuts = []
    for first, last in pairwise(edges):
        train = age + horizon_days <= age[first]
        answered = rows.outcome[train].sum()
        if min(answered, train.sum() - answered) >= FEWEST_TO_TRAIN:
            cuts.append((train, (place >= first) & (place < last)))
    return cuts


def _score(
    rows: _Rows, cuts: list[tuple[FlagArray, FlagArray]], name: str, confidence: float, seed: int
) -> tuple[object, ...] | None:
    """Return one line of `EgoModel.tests`; None where the held-out follows are too few."""
    held = np.zeros(len(rows), dtype=bool)
    model, base = np.full((2, len(rows)), np.nan)
    group = np.zeros(len(rows), dtype=np.int64)
    for number, (train, test) in enumerate(cuts):
        past = rows.outcome[train]
        if not test.any() or past.min() == past.max():
            continue
        model[test] = _learn(rows, train, seed)[0].predict(rows.values[test])
        base[test], group[test] = past.mean(), number
        held |= test
    outcome = rows.outcome[held]
    if min(outcome.sum(), len(outcome) - outcome.sum()) < FEWEST_TO_TRAIN:
        return None
    accounts = cov.code_accounts([rows.ego] * len(outcome), rows.alters[held])
    tested = sc.HeldOut(outcome, model[held], accounts, group[held], confidence)
    losses = sc.log_losses(tested)
    reference = sc.log_loss(outcome, base[held])
    gain = sc.mean_with_interval(reference - losses, tested)
    return (name, len(outcome), int(outcome.sum()), float(reference.mean()), float(losses.mean()),
            *gain, *sc.auc(tested))  # fmt: skip


def _judge(tests: pd.DataFrame, confidence: float) -> tuple[ModelVerdict, str]:
    """Return the verdict and its sentence."""
    lines = tests.set_index("test")
    if TESTS[0] not in lines.index:
        return "too_few", f"Too few data to hold any out for a test. {ONLY_BASE}"
    random = lines.loc[TESTS[0]]
    later = lines.loc[TESTS[1]] if TESTS[1] in lines.index else None
    level = words.level(confidence)
    spread = f"{level} interval {random['gain_low']:.3f} to {random['gain_high']:.3f}"
    gain = f"{random['gain']:.3f} ({spread})".replace("-", "−")
    if not random["gain_low"] > 0:
        sentence = (
            "Too few data to say more of a single follow: what the export shows before it is not "
            f"seen to predict its answer better than the base rate does (gain in log loss {gain}). "
            f"{NO_MORE}"
        )
        return "base_rate", sentence
    if later is not None and later["gain_high"] < 0:
        sentence = (
            f"A model fits follows held out at random (gain in log loss {gain}), but predicts "
            "later follows worse than the base rate does, so it is not to be relied on. "
            f"{NO_MORE}"
        )
        return "base_rate", sentence
    sentence = (
        "What the export shows before a follow goes with its answer: the model predicts follows "
        f"that it has not seen better than the base rate does (gain in log loss {gain}; AUC "
        f"{random['auc']:.2f}). {ACCOUNT_ONLY}"
    )
    return "better", sentence


def _tell_slopes(model: _Ridge, names: list[str]) -> pd.DataFrame:
    labels = [EGO_FEATURES[name].label for name in names]
    slopes = np.where(model.is_varying, model.logit.coef_[0], 0.0)
    return pd.DataFrame({"term": names, "label": labels, "slope": slopes})


def _predict_all(model: _Ridge, values: pd.DataFrame) -> pd.Series:
    known = values.notna().all(axis=1)
    result = pd.Series(np.nan, index=values.index)
    if known.any():
        result[known] = model.predict(values[known])
    return result


def _make_effects(rows: _Rows, confidence: float) -> tuple[pd.DataFrame | None, list[str]]:
    """Return odds ratios of the small model without penalty, and its notes; None where none fits.

    All dyads share the ego, so errors are conditioned on it and clustered on the alters.
    """
    names = list(rows.values)
    try:
        model = fit_follow_back(
            rows.values, rows.outcome, initiator=[rows.ego] * len(rows), decider=rows.alters,
            names=names, confidence=confidence,
        )  # fmt: skip
    except CannotFitError as why:
        return None, [f"No odds ratios: {why}."]
    steps = {name: EGO_FEATURES[name].step for name in model.names}
    changes = average_marginal_effects(model, steps).drop(columns=["step", "std_error"])
    table = odds_ratios(model, steps).merge(changes, on="term", how="left")
    entries = [EGO_FEATURES[term] for term in table["term"]]
    table["label"], table["unit"] = [one.label for one in entries], [one.unit for one in entries]
    table["p_holm"] = adjust_holm(table["p_value"])
    notes = [note for note in model.notes if "results hold for this account only" not in note]
    dropped = [
        f"{EGO_FEATURES[name].label}: not in the small model, {why}."
        for name, why in model.dropped.itertuples(index=False, name=None)
    ]
    return table[TABLES["effects"]], [*notes, *dropped, *_note_selection(model.names), ACCOUNT_ONLY]


def _note_selection(names: Sequence[str]) -> list[str]:
    """Say what odds ratios that are shown only after a success cannot tell."""
    notes = [
        "Odds ratios are shown only because the model did well here, so they tend to lie further "
        "from 1 than the truth."
    ]
    if "order_log" in names:
        notes.append(
            "Older follows have had longer for people to leave, and for you to withdraw what was "
            "not answered; the order of follows may show that alone."
        )
    return notes
