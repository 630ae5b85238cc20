"""Firth's penalised fit of a logistic model, which has a finite answer where outcomes separate.

Firth (1993), Biometrika 80, doi:10.1093/biomet/80.1.27. Intervals and p-values come from profile
likelihoods, as if dyads were independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
MOST_STEPS = 200


@dataclass(frozen=True)
class FirthFit:
    """A fit on the columns as given.

    Attributes
    ----------
    beta
        Coefficients, intercept first.
    limits
        Slopes × 2: profile-likelihood interval of each.
    p_values
        Of the slopes, by likelihood ratio.
    step_count
        Newton steps taken.
    """

    beta: FloatArray
    limits: FloatArray
    p_values: FloatArray
    step_count: int


def fit_firth(
    columns: FloatArray, outcome: FloatArray, weights: FloatArray, confidence: float
) -> FirthFit:
    """Fit outcome (0 or 1) on columns by Firth's penalised likelihood.

    Raises
    ------
    numpy.linalg.LinAlgError
        If a profile breaks down: its weighted columns lose rank on the way.
    """
    from firthmodels import FirthLogisticRegression

    firth = FirthLogisticRegression(backend="numpy", max_iter=MOST_STEPS)
    firth.fit(columns, outcome.astype(int), sample_weight=weights)
    # Slopes only: the intercept's test is not reported, and it may fail where theirs do not.
    slopes_only = list(range(len(firth.coef_)))
    limits = firth.conf_int(
        alpha=1 - confidence, method="pl", features=slopes_only, max_iter=MOST_STEPS
    )
    firth.lrt(features=slopes_only)
    count = len(slopes_only)
    beta = np.r_[firth.intercept_, firth.coef_]
    return FirthFit(beta, limits[:count], firth.lrt_pvalues_[:count], firth.n_iter_)
