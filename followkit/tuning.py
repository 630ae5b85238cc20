"""What a model may learn from, and how its settings are chosen from that alone.

Settings are chosen inside the training dyads: three inner folds, none of whose accounts stand on
both sides, log loss, nothing of the test dyads. So a tuned model is tested as honestly as a fixed
one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit import covariance as cov
from followkit.dyads import DyadSet
from followkit.errors import InputError
from followkit.model import RIDGE
from followkit.scores import log_loss
from followkit.splits import make_account_blocks, make_pair_groups

FloatArray = npt.NDArray[np.float64]
FlagArray = npt.NDArray[np.bool_]

INNER_FOLDS = 3
#: Answers, and refusals, that the inner folds must hold before they may choose.
FEWEST_TO_CHOOSE = 10


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

    @property
    def has_both(self) -> bool:
        """Whether there are answers and refusals to tell apart."""
        return len(np.unique(self.outcome)) == 2

    def choose_ridge(self, feature_count: int) -> float:
        """Return the ridge of a model of so many features: a touch, or more where answers are few.

        A touch lets small cells with a constant column fit; it moves nothing else.
        """
        answered = float(self.weight @ self.outcome)
        fewer = min(answered, float(self.weight.sum()) - answered)
        return RIDGE if fewer < cov.EVENTS_PER_FEATURE * feature_count else 1e-6

    def select(self, rows: FlagArray) -> Lesson:
        """Return the lesson of some of its dyads."""
        return Lesson(self.values[rows], self.outcome[rows], self.weight[rows])


@dataclass(frozen=True)
class Tuner:
    """A model with settings.

    Attributes
    ----------
    settings
        In words, the simplest first.
    try_all
        (lesson, test) → probabilities of the test dyads under every setting.
    predict
        (lesson, test, setting) → probabilities under one.
    """

    settings: tuple[str, ...]
    try_all: Callable[[Lesson, pd.DataFrame], Mapping[str, FloatArray]]
    predict: Callable[[Lesson, pd.DataFrame, str], FloatArray]


@dataclass(frozen=True)
class Choice:
    """A setting with how it came about.

    Attributes
    ----------
    setting
        In words.
    log_loss
        Of the inner folds, nats a dyad; missing where nothing could be chosen.
    n
        Dyads that the inner folds held out.
    inner
        accounts (no account on both sides of an inner fold), pairs (no pair), or none: too few to
        choose, so the simplest setting.
    """

    setting: str
    log_loss: float
    n: int
    inner: str


@dataclass(frozen=True)
class InnerFolds:
    """One way to hold dyads out again: which may train, which are held out (folds × dyads)."""

    name: str
    train: FlagArray
    held: FlagArray


def make_inner_folds(dyads: DyadSet, *, seed: int = 0) -> tuple[InnerFolds, ...]:
    """Return the ways to hold dyads out inside any training set: by account, then by pair.

    By account: accounts fall into three blocks by a keyed hash of their ids; fold k holds out the
    dyads with both accounts in block k and trains on those with neither. Dyads between blocks
    train where they may and are not held out. Which dyads train in the end is the caller's matter:
    folds are cut with them.

    Examples
    --------
    >>> from followkit.dyads import make_dyads
    >>> from followkit.tables import make_dataset
    >>> ties = pd.DataFrame({"follower_id": [*range(40)], "followee_id": [*range(1, 41)]})
    >>> dyads = make_dyads(make_dataset({"follows": ties.astype(str)}), "mutuality")
    >>> by_account, by_pair = make_inner_folds(dyads)
    >>> by_account.held.shape, bool((by_account.train & by_account.held).any())
    ((3, 40), False)
    """
    # Another key than the outer split's, so that inner blocks cut across the outer ones.
    key = -1 - seed
    pairs = make_pair_groups(dyads, group_count=INNER_FOLDS, seed=key)
    by_pair = InnerFolds("pairs", pairs.train, pairs.cell == np.arange(INNER_FOLDS)[:, None])
    try:
        blocks = make_account_blocks(dyads, block_count=INNER_FOLDS, seed=key)
    except InputError:
        return (by_pair,)
    cells = [(i, j) for i in range(INNER_FOLDS) for j in range(i, INNER_FOLDS)]
    same = np.array([number for number, (i, j) in enumerate(cells) if i == j])
    return InnerFolds("accounts", blocks.train[same], blocks.cell == same[:, None]), by_pair


def choose_setting(
    tuner: Tuner, lesson: Lesson, parts: Sequence[FlagArray], ways: Sequence[InnerFolds]
) -> Choice:
    """Return the setting with the smallest log loss inside the training dyads.

    Parameters
    ----------
    tuner
        The model and its settings.
    lesson
        All dyads; only those of `parts` are looked at.
    parts
        The training dyads, apart by feature graph (one part where all share one). A model learns
        within a part. With several parts each serves one inner fold in turn, which keeps it cheap;
        all share the choice.
    ways
        From `make_inner_folds`, the first that holds out ten answers and ten refusals counts.

    Returns
    -------
    Choice
        Ties go to the simpler setting.
    """
    for way in ways:
        losses = dict.fromkeys(tuner.settings, 0.0)
        total, outcomes = 0.0, []
        for train, held in _cut(parts, way):
            inner, outer = lesson.select(train), lesson.select(held)
            if not inner.has_both or not len(outer.outcome):
                continue
            for setting, probability in tuner.try_all(inner, outer.values).items():
                losses[setting] += float(outer.weight @ log_loss(outer.outcome, probability))
            total += float(outer.weight.sum())
            outcomes.append(outer.outcome)
        seen = np.concatenate(outcomes) if outcomes else np.zeros(0)
        if min(seen.sum(), len(seen) - seen.sum()) >= FEWEST_TO_CHOOSE:
            # Rounded, so that the last digit of a sum never decides between equal settings.
            best = min(tuner.settings, key=lambda setting: round(losses[setting] / total, 9))
            return Choice(best, losses[best] / total, len(seen), way.name)
    return Choice(tuner.settings[0], np.nan, 0, "none")


def _cut(parts: Sequence[FlagArray], way: InnerFolds) -> Iterator[tuple[FlagArray, FlagArray]]:
    """Yield the dyads that train and those held out, all of them within one part."""
    if len(parts) == 1:
        turns = [(0, fold) for fold in range(INNER_FOLDS)]
    else:
        turns = [(part, part % INNER_FOLDS) for part in range(len(parts))]
    for part, fold in turns:
        yield parts[part] & way.train[fold], parts[part] & way.held[fold]
