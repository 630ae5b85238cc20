"""Inverted U, its peak and its monotone rival: brute force, planted shapes, statsmodels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from followkit.errors import InputError, ParameterError
from followkit.logit import expit
from followkit.model import FollowBackModel, fit_follow_back
from followkit.shapes import compare_shapes, find_peak, inverted_u_test
from followkit.splits import Split


def draw(
    seed: int, curve: tuple[float, float], n: int = 3000, accounts: int = 120
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return features ratio, ratio_squared, other and dyads with sender and receiver effects."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, accounts, n)
    b = (a + rng.integers(1, accounts, n)) % accounts
    x, other = rng.normal(size=n), rng.normal(size=n)
    habit = rng.normal(0, 0.4, (2, accounts))
    line = curve[0] * x + curve[1] * x**2 + 0.4 * other + habit[0, a] + habit[1, b]
    dyads = pd.DataFrame({"initiator_id": a, "decider_id": b})
    dyads["outcome"] = (rng.random(n) < expit(line)).astype(int)
    return (
        pd.DataFrame({"ratio": x, "ratio_squared": x**2, "other": other}),
        dyads.assign(weight=1.0),
    )


def fit(
    table: pd.DataFrame, dyads: pd.DataFrame, covariance: str = "dyadic_cr3"
) -> FollowBackModel:
    return fit_follow_back(
        table, dyads["outcome"], initiator=dyads["initiator_id"], decider=dyads["decider_id"],
        covariance=covariance,
    )  # fmt: skip


# --- inverted U ------------------------------------------------------------------------------


def test_planted_inverted_u_is_found_with_its_peak() -> None:
    """Planted 0.5 x − 0.6 x²: the peak lies at 0.5 / 1.2."""
    shape = inverted_u_test(fit(*draw(1, (0.5, -0.6))), "ratio")
    assert shape.p_value < 1e-6
    assert shape.slope_low > 0 > shape.slope_high
    assert shape.peak_low < 0.5 / 1.2 < shape.peak_high
    assert shape.is_interior
    assert shape.p_reverse > 0.99


def test_a_slope_is_no_inverted_u() -> None:
    shape = inverted_u_test(fit(*draw(2, (0.8, 0.0))), "ratio")
    assert shape.p_value > 0.5
    assert not shape.is_interior


def test_an_upright_u_is_the_mirror_image() -> None:
    """Refusals in place of answers turn every sign and swap the two p-values."""
    table, dyads = draw(3, (0.5, -0.6))
    one = inverted_u_test(fit(table, dyads), "ratio")
    other = inverted_u_test(fit(table, dyads.assign(outcome=1 - dyads["outcome"])), "ratio")
    assert other.p_reverse == pytest.approx(one.p_value, rel=1e-6)
    assert other.p_value == pytest.approx(one.p_reverse, rel=1e-6)
    assert other.peak == pytest.approx(one.peak, rel=1e-6)
    assert other.slope_low == pytest.approx(-one.slope_low, rel=1e-6)


def test_slopes_equal_the_linear_combinations_of_statsmodels() -> None:
    """p is the larger one-sided p of two linear combinations, here with classical errors."""
    import statsmodels.api as sm

    table, dyads = draw(4, (0.3, -0.15))
    shape = inverted_u_test(fit(table, dyads, "classical"), "ratio", (20, 70))
    direct = sm.Logit(dyads["outcome"], sm.add_constant(table)).fit(disp=False)
    one_sided = []
    for share, sign in ((20, 1), (70, -1)):
        row = np.array([0.0, 1.0, 2.0 * np.percentile(table["ratio"], share), 0.0])
        found = direct.t_test(row)
        one_sided.append(stats.norm.sf(sign * found.tvalue.item()))
        slope = shape.slope_low if share == 20 else shape.slope_high
        assert slope == pytest.approx(found.effect.item(), abs=1e-6)
    assert shape.p_value == pytest.approx(max(one_sided), rel=1e-4)


def invert_by_grid(
    beta: np.ndarray, matrix: np.ndarray, freedom: float, grid: np.ndarray
) -> np.ndarray:
    """Return the grid points at which "the slope is 0" is not rejected at 95 %."""
    slope = beta[0] + 2 * grid * beta[1]
    variance = matrix[0, 0] + 4 * grid * matrix[0, 1] + 4 * grid**2 * matrix[1, 1]
    return grid[np.abs(slope) / np.sqrt(variance) <= stats.t.ppf(0.975, freedom)]


@pytest.mark.parametrize("seed", range(5))
def test_fieller_interval_equals_inversion_over_a_grid(seed: int) -> None:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(2, 2)) * 0.05
    beta, matrix = np.array([rng.normal(0, 0.5), -0.5]), root @ root.T + 1e-4 * np.eye(2)
    peak, low, high = find_peak(beta, matrix, 30.0)
    kept = invert_by_grid(beta, matrix, 30.0, np.linspace(-5, 5, 20001))
    assert low == pytest.approx(kept.min(), abs=6e-4)
    assert high == pytest.approx(kept.max(), abs=6e-4)
    assert low < peak < high


def test_no_curvature_bounds_no_peak() -> None:
    """The set of possible peaks then runs to infinity, on the grid as well."""
    beta, matrix = np.array([0.4, -0.01]), np.diag([0.01, 0.01])
    _, low, high = find_peak(beta, matrix, 30.0)
    assert (low, high) == (-np.inf, np.inf)
    far = np.array([-1e6, 1e6])
    assert len(invert_by_grid(beta, matrix, 30.0, far)) == 2


def test_fieller_covers_a_planted_peak() -> None:
    """2,000 draws of normal coefficients: the interval covers the planted peak, 0.5, in 95 %."""
    rng = np.random.default_rng(8)
    matrix = np.array([[0.01, 0.002], [0.002, 0.004]])
    draws = rng.multivariate_normal([0.5, -0.5], matrix, 2000)
    limits = np.array([find_peak(one, matrix, np.inf)[1:] for one in draws])
    covered = ((limits[:, 0] <= 0.5) & (limits[:, 1] >= 0.5)).mean()
    assert covered == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / 2000))
    bounded = np.isfinite(limits).all(axis=1)
    assert bounded.mean() > 0.99


def test_what_inverted_u_needs() -> None:
    table, dyads = draw(5, (0.5, -0.5), n=600)
    model = fit(table[["ratio", "other"]], dyads)
    with pytest.raises(ParameterError, match="ratio_squared is not among"):
        inverted_u_test(model, "ratio")
    with pytest.raises(ParameterError, match="percentiles: need 0 ≤ low < high"):
        inverted_u_test(fit(table, dyads), "ratio", (90, 10))


# --- monotone rival --------------------------------------------------------------------------


def halves(n: int) -> Split:
    """Return a split by the parity of rows; good enough where accounts do not matter."""
    odd = np.arange(n) % 2
    return Split("halves", odd, odd != np.array([[0], [1]]), "")


def draw_steps(seed: int, step: float, bend: float) -> tuple[np.ndarray, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    n = 6000
    x = rng.normal(size=n)
    line = step * np.tanh(4 * (x + 1)) - bend * x**2
    dyads = pd.DataFrame({"initiator_id": np.arange(n) % 900, "decider_id": 1000 + np.arange(n)})
    dyads["outcome"] = (rng.random(n) < expit(line)).astype(int)
    return x, dyads.assign(weight=1.0)


def test_a_saturating_rise_is_better_told_by_the_monotone_shape() -> None:
    x, dyads = draw_steps(1, 2.0, 0.0)
    found = compare_shapes(x, np.empty((len(x), 0)), dyads, halves(len(x)))
    assert found.ci_low > 0
    assert found.p_value < 0.01


def test_a_peak_is_better_told_by_the_quadratic() -> None:
    x, dyads = draw_steps(2, 0.0, 0.6)
    found = compare_shapes(x, np.empty((len(x), 0)), dyads, halves(len(x)))
    assert found.ci_high < 0
    assert found.p_value < 1e-6


def test_a_falling_shape_is_the_rising_one_turned_round() -> None:
    x, dyads = draw_steps(3, 2.0, 0.0)
    one = compare_shapes(x, np.empty((len(x), 0)), dyads, halves(len(x)))
    other = compare_shapes(-x, np.empty((len(x), 0)), dyads, halves(len(x)), sign=-1)
    assert other.gain == pytest.approx(one.gain, abs=1e-7)


def test_monotone_fit_without_binding_limits_is_maximum_likelihood() -> None:
    """Where every slope is clearly above 0 the limits do not bind, and the fit is the free one."""
    from sklearn.linear_model import LogisticRegression

    from followkit.shapes import _make_ramps, _predict_monotone

    rng = np.random.default_rng(4)
    x, other = rng.normal(size=4000), rng.normal(size=(4000, 1))
    y = (rng.random(4000) < expit(1.5 * x + 0.5 * other[:, 0])).astype(float)
    everyone = np.ones(4000, bool)
    found = _predict_monotone(x, other, y, np.ones(4000), everyone, everyone)
    ramps = _make_ramps(x, np.quantile(x, [0.25, 0.5, 0.75]))
    assert ramps.sum(axis=1) - x == pytest.approx(np.full(4000, (ramps.sum(axis=1) - x)[0]))
    design = np.column_stack([ramps, other])
    free = LogisticRegression(C=1e12, tol=1e-10, max_iter=2000).fit(design, y)
    assert (free.coef_[0, :4] > 0).all()
    assert found == pytest.approx(free.predict_proba(design)[:, 1], abs=1e-4)


def test_training_on_one_outcome_only_cannot_test() -> None:
    x, dyads = draw_steps(5, 2.0, 0.0)
    alike = dyads.assign(outcome=1)
    with pytest.raises(InputError, match="both answers and refusals"):
        compare_shapes(x, np.empty((len(x), 0)), alike, halves(len(x)))
    with pytest.raises(InputError, match="same number of rows"):
        compare_shapes(x[:10], np.empty((len(x), 0)), dyads, halves(len(x)))
