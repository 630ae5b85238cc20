"""Logistic regression by Newton's method, as a scikit-learn classifier.

Maximum likelihood to machine precision, with an optional ridge penalty; scikit-learn's own solver
stops earlier and shares out collinear columns without a word.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

FloatArray = npt.NDArray[np.float64]


def expit(linear: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(−x)) without overflow.

    Examples
    --------
    >>> expit(np.array([-1e9, 0.0, 1e9])).tolist()
    [0.0, 0.5, 1.0]
    """
    half = np.exp(-np.abs(linear))
    return np.where(linear >= 0, 1.0, half) / (1.0 + half)


class BinaryLogit(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """What a fitted logistic classifier of two classes says of rows.

    A fit sets coef_, intercept_ and classes_. `_dtypes` are those of X that are taken as they are;
    others are converted to the first.
    """

    _dtypes: tuple[type, ...] = (np.float64,)
    coef_: FloatArray
    intercept_: FloatArray
    classes_: npt.NDArray[Any]

    def decision_function(self, X: Any) -> FloatArray:
        """Return the log odds of the second class."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=self._dtypes, reset=False)
        return np.asarray(X @ self.coef_[0] + self.intercept_[0], np.float64)

    def predict_proba(self, X: Any) -> FloatArray:
        """Return the probabilities of both classes, n × 2."""
        probability = expit(self.decision_function(X))
        return np.column_stack([1 - probability, probability])

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the more probable class."""
        check_is_fitted(self)
        return np.asarray(self.classes_[(self.decision_function(X) > 0).astype(int)])

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: two classes only."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


class LogitRegression(BinaryLogit):
    """Logistic regression fitted by Newton steps with halving.

    Parameters
    ----------
    ridge
        Penalty ½ · ridge · Σ β² on the slopes, not on the intercept; 0 is maximum likelihood.
    max_iter
        Newton steps at most. Separated data do not converge: see `converged_`.
    tolerance
        The largest change of a coefficient at which the fit has converged.

    Attributes
    ----------
    coef_, intercept_
        In scikit-learn's shapes (1 × p and 1).
    converged_, n_iter_
        Whether the steps settled, and how many it took.

    Examples
    --------
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 1, 0, 1])
    >>> model = LogitRegression().fit(X, y)
    >>> model.coef_.round(4).tolist(), model.converged_
    ([[0.9082]], True)
    """

    def __init__(self, ridge: float = 0.0, max_iter: int = 60, tolerance: float = 1e-9) -> None:
        self.ridge = ridge
        self.max_iter = max_iter
        self.tolerance = tolerance

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the coefficients.

        Raises
        ------
        ValueError
            If `y` does not hold exactly two classes.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        self.classes_ = np.unique(y)
        if len(self.classes_) != 2:
            raise ValueError(f"y must hold two classes; it holds {len(self.classes_)}")
        outcome = (y == self.classes_[1]).astype(np.float64)
        weight = (
            np.ones(len(outcome)) if sample_weight is None else np.asarray(sample_weight, float)
        )
        design = np.column_stack([np.ones(len(X)), X])
        beta = self._solve(design, outcome, weight)
        self.intercept_, self.coef_ = beta[:1], beta[None, 1:]
        return self

    def _solve(self, design: FloatArray, outcome: FloatArray, weight: FloatArray) -> FloatArray:
        share = np.clip(np.average(outcome, weights=weight), 1e-12, 1 - 1e-12)
        beta = np.zeros(design.shape[1])
        beta[0] = np.log(share / (1 - share))
        penalty = np.full(design.shape[1], float(self.ridge))
        penalty[0] = 0.0
        loss = self._loss(design, outcome, weight, penalty, beta)
        self.converged_, self.n_iter_ = False, 0
        while self.n_iter_ < self.max_iter and not self.converged_:
            self.n_iter_ += 1
            probability = expit(design @ beta)
            gradient = design.T @ (weight * (outcome - probability)) - penalty * beta
            curvature = weight * probability * (1 - probability)
            information = (design * curvature[:, None]).T @ design + np.diag(penalty)
            step = np.asarray(np.linalg.lstsq(information, gradient, rcond=None)[0], np.float64)
            beta, loss, size = self._take(design, outcome, weight, penalty, beta, step, loss)
            self.converged_ = size < self.tolerance
        return beta

    def _take(
        self,
        design: FloatArray,
        outcome: FloatArray,
        weight: FloatArray,
        penalty: FloatArray,
        beta: FloatArray,
        step: FloatArray,
        loss: float,
    ) -> tuple[FloatArray, float, float]:
        """Take a step, halved until the loss does not rise."""
        for _ in range(30):
            trial = beta + step
            reached = self._loss(design, outcome, weight, penalty, trial)
            if reached <= loss + 1e-12 * abs(loss):
                return trial, reached, float(np.abs(step).max())
            step = step / 2
        return beta, loss, 0.0

    @staticmethod
    def _loss(
        design: FloatArray,
        outcome: FloatArray,
        weight: FloatArray,
        penalty: FloatArray,
        beta: FloatArray,
    ) -> float:
        linear = design @ beta
        deviance = np.logaddexp(0.0, linear) - outcome * linear
        return float(weight @ deviance + 0.5 * penalty @ beta**2)
