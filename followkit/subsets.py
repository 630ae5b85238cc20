"""Logistic models of many subsets of the same columns, fitted side by side, and what they cost."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from followkit import covariance as cov
from followkit.evaluate import Lesson
from followkit.logit import LogitRegression, expit

FloatArray = npt.NDArray[np.float64]
FlagArray = npt.NDArray[np.bool_]

#: Rows are taken in blocks that stay in the processor's cache.
BLOCK_ROWS = 256
#: A fit has converged when no component of its gradient is larger than this per dyad.
STEEPEST = 1e-7
MOST_PASSES = 60


def fit_subsets(design: FloatArray, lesson: Lesson, member: FlagArray) -> FloatArray:
    """Fit the logistic model of every subset of columns at once.

    Quasi-Newton steps (BFGS) from the base rate, all subsets side by side, so that each pass over
    the rows is two matrix products. A step that goes too far is shortened by the secant of its
    slope. What has not converged in the end is fitted alone by Newton's method.

    Parameters
    ----------
    design
        Training rows × columns, standardised, the intercept first.
    lesson
        Their outcomes and weights.
    member
        Which columns belong to which subset (subsets × columns); the intercept to all.

    Returns
    -------
    numpy.ndarray
        Coefficients, columns × subsets; 0 for columns outside the subset.
    """
    rate = lesson.rate
    beta = np.zeros(member.T.shape)
    beta[0] = np.log(rate / (1 - rate))
    if len(np.unique(lesson.outcome)) < 2:
        # Nothing to tell apart: the base rate for every subset, as on the ladder.
        return beta
    ridge = lesson.choose_ridge(design.shape[1] - 1)
    descent = _Descent(design, lesson, member, ridge, beta)
    for _ in range(MOST_PASSES):
        if not len(descent.left):
            break
        descent.move()
    for subset in descent.left:
        columns = np.flatnonzero(member[subset, 1:]) + 1
        alone = LogitRegression(ridge=ridge)
        alone.fit(design[:, columns], lesson.outcome, sample_weight=lesson.weight)
        beta[:, subset] = 0.0
        beta[0, subset], beta[columns, subset] = alone.intercept_[0], alone.coef_[0]
    return beta


def expected_costs(
    design: FloatArray,
    lesson: Lesson,
    beta: FloatArray,
    member: FlagArray,
    accounts: cov.Accounts,
) -> FloatArray:
    """Return what it costs each subset out of fold that its coefficients had to be estimated.

    A model with estimated coefficients does worse on new dyads than one with the coefficients it
    would have with endless data, by about tr(V h) of deviance a dyad: V the dyadic-robust
    covariance of the estimates, h the information of one dyad. For independent dyads and a true
    model that is (columns) / (training dyads), the penalty of Akaike (1974,
    doi:10.1109/TAC.1974.1100705); in general that of Takeuchi (1976). Residuals are those of the
    last subset, which holds all columns.

    Parameters
    ----------
    design, lesson, member
        As for `fit_subsets`.
    beta
        What `fit_subsets` returned.
    accounts
        Of the training rows.

    Returns
    -------
    numpy.ndarray
        Deviance per dyad (2 nats), one value a subset; 0 where all outcomes are alike, since
        nothing was estimated.

    Examples
    --------
    Two columns and 1,000 independent dyads: one constant, and one beside it that says nothing.

    >>> rng = np.random.default_rng(1)
    >>> x = np.column_stack([np.ones(1000), rng.normal(size=1000)])
    >>> rows = Lesson(x, rng.integers(0, 2, 1000).astype(float), np.ones(1000))
    >>> sets = np.array([[True, False], [True, True]])
    >>> ends = cov.code_accounts(np.arange(1000), np.arange(1000, 2000))
    >>> (1000 * expected_costs(x, rows, fit_subsets(x, rows, sets), sets, ends)).round(1).tolist()
    [1.0, 2.0]
    """
    if len(np.unique(lesson.outcome)) < 2:
        return np.zeros(len(member))
    fitted = expit(design @ beta[:, -1])
    information = (design * (lesson.weight * fitted * (1 - fitted))[:, None]).T @ design
    penalty = np.full(design.shape[1], lesson.choose_ridge(design.shape[1] - 1))
    penalty[0] = 0.0
    curvature = information + np.diag(penalty)
    scores = design * (lesson.weight * (lesson.outcome - fitted))[:, None]
    meat = curvature @ cov.dyadic(scores, curvature, accounts) @ curvature
    inside = member[:, :, None] & member[:, None, :]
    bread = np.where(inside, _invert_each(curvature, member), 0.0)
    spread = bread @ meat @ bread
    return np.asarray(np.einsum("sij,ji->s", spread, information)) / float(lesson.weight.sum())


class _Descent:
    """Quasi-Newton descent of many subsets; `beta` is filled in place as they converge."""

    def __init__(
        self,
        design: FloatArray,
        lesson: Lesson,
        member: FlagArray,
        ridge: float,
        beta: FloatArray,
    ) -> None:
        self.design, self.member = design, member
        self.weighted = design * lesson.weight[:, None]
        self.target = (self.weighted.T @ lesson.outcome)[:, None]
        self.penalty = np.full((design.shape[1], 1), ridge)
        self.penalty[0] = 0.0
        self.limit = STEEPEST * float(lesson.weight.sum())
        self.beta = beta
        self.left = np.arange(len(member))
        self.inverse = self._invert(lesson.rate)
        #: Steps taken, changes of the gradient, and 1 / their product (0: nothing was learnt).
        self.learnt: list[tuple[FloatArray, FloatArray, FloatArray]] = []
        self.gradient = self._slope(beta)
        self.step = self._aim()
        self._drop()

    def move(self) -> None:
        """Try the step of every subset; take it, or shorten it for the next pass."""
        trial = self.beta[:, self.left] + self.step
        gradient = self._slope(trial)
        before = (self.gradient * self.step).sum(axis=0)
        after = (gradient * self.step).sum(axis=0)
        taken = after <= np.abs(before) / 2
        self._learn(taken, gradient - self.gradient)
        self.beta[:, self.left[taken]] = trial[:, taken]
        self.gradient[:, taken] = gradient[:, taken]
        # The slope along the step is nearly straight, so the secant tells where it is 0.
        shorter = np.clip(before / np.where(taken, 1.0, before - after), 0.1, 0.5)
        self.step = np.where(taken, self._aim(), self.step * shorter)
        self._drop()

    def _invert(self, rate: float) -> FloatArray:
        """Return each subset's inverse Hessian at the base rate (subsets × columns × columns)."""
        information = rate * (1 - rate) * self.weighted.T @ self.design
        information += np.diag(self.penalty[:, 0])
        return _invert_each(information, self.member)

    def _slope(self, beta: FloatArray) -> FloatArray:
        """Return the gradient of the penalised loss, columns × subsets left."""
        total = self.penalty * beta - self.target
        for start in range(0, len(self.design), BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS)
            total += self.weighted[rows].T @ _expit(self.design[rows] @ beta)
        return np.where(self.member[self.left].T, total, 0.0)

    def _learn(self, taken: FlagArray, change: FloatArray) -> None:
        along = (self.step * change).sum(axis=0)
        size = np.linalg.norm(self.step, axis=0) * np.linalg.norm(change, axis=0)
        # Rounding can turn the curvature along a tiny step; such a step teaches nothing.
        sound = taken & (along > 1e-12 * size)
        self.learnt.append((self.step, change, sound / np.where(sound, along, 1.0)))

    def _aim(self) -> FloatArray:
        """Return the next steps by the two loops of Nocedal (1980), doi:10.2307/2006193."""
        aim, shares = self.gradient, []
        for step, change, scale in reversed(self.learnt):
            shares.append(scale * (step * aim).sum(axis=0))
            aim = aim - shares[-1] * change
        aim = np.einsum("sij,js->is", self.inverse, aim)
        for (step, change, scale), share in zip(self.learnt, reversed(shares), strict=True):
            aim = aim + (share - scale * (change * aim).sum(axis=0)) * step
        return -aim

    def _drop(self) -> None:
        """Leave out the subsets that have converged."""
        going = np.abs(self.gradient).max(axis=0) > self.limit
        if not going.all():
            self.left, self.inverse = self.left[going], self.inverse[going]
            self.gradient, self.step = self.gradient[:, going], self.step[:, going]
            self.learnt = [(s[:, going], y[:, going], r[going]) for s, y, r in self.learnt]


def _invert_each(matrix: FloatArray, member: FlagArray) -> FloatArray:
    """Return the inverse among each subset's columns, and 1 for each column outside it."""
    inside = member[:, :, None] & member[:, None, :]
    outside = np.eye(len(matrix)) * ~member[:, None, :]
    return np.linalg.inv(np.where(inside, matrix, outside))


def _expit(line: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(−x)) in place: the passes over the rows spend their time here."""
    np.negative(line, out=line)
    with np.errstate(over="ignore"):
        np.exp(line, out=line)
    line += 1.0
    return np.reciprocal(line, out=line)
