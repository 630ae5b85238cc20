"""All subsets at once against one fit at a time: followkit's Newton and scikit-learn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from followkit.evaluate import Lesson
from followkit.logit import LogitRegression
from followkit.model import RIDGE
from followkit.subsets import fit_subsets


def draw_lesson(
    seed: int, size: int = 900, columns: int = 7, base: float = -1.0
) -> tuple[np.ndarray, Lesson]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(size, columns)) @ (np.eye(columns) + 0.3 * rng.normal(size=(columns,) * 2))
    x[:, 1] = rng.random(size) < 0.03
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    slopes = np.linspace(0.8, -0.5, columns)
    y = (rng.random(size) < expit(base + x @ slopes)).astype(float)
    weight = rng.choice([0.5, 1.0], size)
    return np.column_stack([np.ones(size), x]), Lesson(pd.DataFrame(x), y, weight)


def draw_members(columns: int, count: int = 40) -> np.ndarray:
    member = np.random.default_rng(5).random((count, columns)) < 0.5
    member[:, 0], member[0, 1:], member[1] = True, False, True
    return member


def losses(line: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.logaddexp(0.0, line) - y * line


@pytest.mark.parametrize("base", [-1.0, -3.5])
def test_equal_to_newton_subset_by_subset(base: float) -> None:
    design, lesson = draw_lesson(0, size=6000, base=base)
    member = draw_members(design.shape[1])
    found = design @ fit_subsets(design, lesson, member)
    for subset, columns in enumerate(member):
        inner = design[:, np.flatnonzero(columns[1:]) + 1]
        if inner.shape[1]:
            alone = LogitRegression(ridge=1e-6).fit(inner, lesson.outcome, lesson.weight)
            line = alone.decision_function(inner)
        else:
            line = np.full(len(design), np.log(lesson.rate / (1 - lesson.rate)))
        expected = losses(line, lesson.outcome)
        assert losses(found[:, subset], lesson.outcome) == pytest.approx(expected, abs=1e-5)
        assert losses(found[:, subset], lesson.outcome).mean() == pytest.approx(
            expected.mean(), abs=1e-8
        )


def test_equal_to_scikit_learn() -> None:
    design, lesson = draw_lesson(1, size=3000)
    member = draw_members(design.shape[1], 6)[1:]
    found = design @ fit_subsets(design, lesson, member)
    for subset, columns in enumerate(member):
        peer = LogisticRegression(C=1e6, tol=1e-12, max_iter=1000)
        peer.fit(design[:, columns][:, 1:], lesson.outcome, lesson.weight)
        line = peer.decision_function(design[:, columns][:, 1:])
        mine, theirs = losses(found[:, subset], lesson.outcome), losses(line, lesson.outcome)
        assert mine.mean() == pytest.approx(theirs.mean(), abs=1e-6)


def test_columns_outside_a_subset_stay_at_zero() -> None:
    design, lesson = draw_lesson(2)
    member = draw_members(design.shape[1])
    beta = fit_subsets(design, lesson, member)
    assert (beta.T[~member] == 0).all()
    assert beta[0, 0] == pytest.approx(np.log(lesson.rate / (1 - lesson.rate)))


def test_few_answers_get_the_ridge_of_the_ladder() -> None:
    design, lesson = draw_lesson(3, size=120)
    fewer = min(lesson.weight @ lesson.outcome, lesson.weight @ (1 - lesson.outcome))
    assert fewer < 10 * (design.shape[1] - 1)
    member = draw_members(design.shape[1])[1:2]
    alone = LogitRegression(ridge=RIDGE).fit(design[:, 1:], lesson.outcome, lesson.weight)
    assert fit_subsets(design, lesson, member)[1:, 0] == pytest.approx(alone.coef_[0], abs=1e-5)


def test_a_column_that_separates_still_ends() -> None:
    """The ridge of a millionth keeps the fit finite; it predicts as Newton's method alone would."""
    design, lesson = draw_lesson(4, size=1500, columns=3)
    design[:, 3] = np.where(lesson.outcome == 1, 1.0, -1.0)
    member = np.array([[True, True, True, True], [True, False, False, True]])
    beta = fit_subsets(design, lesson, member)
    assert np.isfinite(beta).all()
    assert losses(design @ beta, lesson.outcome[:, None]).max() < 1e-3


def test_one_class_gives_the_shrunk_base_rate_to_every_subset() -> None:
    design, lesson = draw_lesson(6, size=50)
    lesson = Lesson(lesson.values, np.zeros(50), np.ones(50))
    beta = fit_subsets(design, lesson, draw_members(design.shape[1]))
    assert expit(beta[0]) == pytest.approx(np.full(40, 0.5 / 51))
    assert (beta[1:] == 0).all()
