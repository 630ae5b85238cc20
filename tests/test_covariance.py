"""Covariances and rates against brute force and identities (coverage: test_coverage)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from followkit import covariance as cov
from followkit.dyads import make_dyads
from followkit.errors import InputError
from followkit.logit import LogitRegression, expit
from followkit.tables import make_dataset

DATA = Path(__file__).parents[1] / "data"


def draw_dyads(seed: int, n: int, count: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    a = rng.integers(0, count, n)
    return a, (a + rng.integers(1, count, n)) % count


def draw_logit(seed: int, n: int = 60, count: int = 12) -> dict[str, Any]:
    """Return a fitted small logit with weights, repeated pairs and both orientations."""
    rng = np.random.default_rng(seed)
    a, b = draw_dyads(seed, n, count)
    a, b = np.r_[a, b[:8]], np.r_[b, a[:8]]
    x = rng.normal(size=(len(a), 2))
    y = (rng.random(len(a)) < expit(x[:, 0] * 0.5)).astype(float)
    weight = rng.choice([0.5, 1.0], len(a))
    fit = LogitRegression().fit(x, y, weight)
    design = np.column_stack([np.ones(len(a)), x])
    p = fit.predict_proba(x)[:, 1]
    curvature = weight * p * (1 - p)
    scores = design * (weight * (y - p))[:, None]
    return {
        "a": a, "b": b, "x": x, "y": y, "weight": weight, "design": design,
        "curvature": curvature, "scores": scores, "H": (design * curvature[:, None]).T @ design,
    }  # fmt: skip


def brute_meat(scores: Any, a: Any, b: Any) -> Any:
    meat = np.zeros((scores.shape[1],) * 2)
    for i in range(len(a)):
        for j in range(len(a)):
            if {a[i], b[i]} & {a[j], b[j]}:
                meat += np.outer(scores[i], scores[j])
    return meat


# --- published numbers -----------------------------------------------------------------------


def test_nostr_late_answers() -> None:
    """200 of 8,147 late answers; dyadic interval about 1.5 to 3.4 %, design effect about 7.5."""
    folder = DATA / "nostr"
    if not folder.is_dir():
        pytest.skip("data/nostr is not there")
    tables = {
        path.stem: pd.read_csv(path, dtype=str, keep_default_na=False)
        for path in sorted(folder.glob("*.csv"))
    }
    table = make_dyads(make_dataset(tables), "late_answer", horizon_days=None).table
    accounts = cov.code_accounts(table["initiator_id"], table["decider_id"])
    rate = cov.dyadic_rate(table["outcome"], accounts)
    assert (rate.n, rate.event_count) == (8147, 200)
    assert rate.design_effect == pytest.approx(7.5, abs=1.5)
    assert 0.014 < rate.ci_low < 0.018
    assert 0.032 < rate.ci_high < 0.039


# --- brute force and identities --------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_dyadic_equals_brute_force(seed: int) -> None:
    made = draw_logit(seed)
    bread = np.linalg.inv(made["H"])
    expected = bread @ brute_meat(made["scores"], made["a"], made["b"]) @ bread
    found = cov.dyadic(made["scores"], made["H"], cov.code_accounts(made["a"], made["b"]))
    assert np.allclose(found, cov.clip_eigenvalues(expected), rtol=0, atol=1e-10)


def test_dyadic_is_white_when_nothing_is_shared() -> None:
    made = draw_logit(0)
    n = len(made["a"])
    accounts = cov.code_accounts(np.arange(n), np.arange(n) + n)
    assert np.allclose(
        cov.dyadic(made["scores"], made["H"], accounts),
        cov.white(made["scores"], made["H"]),
        atol=1e-12,
    )


@pytest.mark.parametrize("seed", range(3))
def test_cr3_is_the_leave_one_account_out_formula(seed: int) -> None:
    """(H − H_v)⁻¹ g_v written as loops over accounts and over unordered pairs."""
    made = draw_logit(seed, n=140, count=14)
    a, b, X, w, s = (made[k] for k in ("a", "b", "design", "curvature", "scores"))

    def moved(rows: Any) -> Any:
        left = made["H"] - (X[rows] * w[rows, None]).T @ X[rows]
        return np.linalg.solve(left, s[rows].sum(axis=0))

    names = np.unique(np.r_[a, b])
    d_v = np.array([moved((a == v) | (b == v)) for v in names])
    pairs = sorted({(min(i, j), max(i, j)) for i, j in zip(a, b, strict=True)})
    d_p = np.array([moved((np.minimum(a, b) == i) & (np.maximum(a, b) == j)) for i, j in pairs])
    G = len(names)
    expected = (G - 1) / G * d_v.T @ d_v - d_p.T @ d_p
    found = cov.dyadic_cr3(X, w, s, cov.code_accounts(a, b))
    assert np.allclose(found, cov.clip_eigenvalues(expected), rtol=0, atol=1e-10)


def test_one_step_move_is_close_to_the_refit() -> None:
    made = draw_logit(5, n=1500, count=60)
    a, b = made["a"], made["b"]
    accounts = cov.code_accounts(a, b)
    moves = cov.leave_out_moves(made["design"], made["curvature"], made["scores"], accounts)
    full = LogitRegression().fit(made["x"], made["y"], made["weight"])
    for code in range(0, 60, 12):
        rest = (a != accounts.ids[code]) & (b != accounts.ids[code])
        part = LogitRegression().fit(made["x"][rest], made["y"][rest], made["weight"][rest])
        exact = np.r_[full.intercept_ - part.intercept_, full.coef_[0] - part.coef_[0]]
        assert np.allclose(moves[code], exact, atol=0.005)


def test_mean_of_rows_that_share_nothing_is_the_jackknife() -> None:
    """Two accounts a row: V = (G−1)/G · 2 Σ d² − Σ d² with d = (v − m)/(n − 1)."""
    values = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    mean, error = cov.dyadic_mean(values, cov.code_accounts(list("abcde"), list("vwxyz")))
    d = (values - values.mean()) / 4
    assert mean == pytest.approx(6.2)
    assert error**2 == pytest.approx((9 / 10 * 2 - 1) * (d @ d))


def test_ego_is_conditioned_on() -> None:
    """In a star every dyad shares the owner; given the owner, dyads are independent."""
    values = np.random.default_rng(3).random(40)
    accounts = cov.code_accounts(["me"] * 40, [f"b{k}" for k in range(40)])
    assert accounts.conditioned == accounts.ids.get_loc("me")
    assert accounts.count == 40
    assert accounts.effective_count == pytest.approx(40)
    assert accounts.largest_share == 1.0
    error = cov.dyadic_mean(values, accounts)[1]
    assert error**2 == pytest.approx(values.var() / 39)


def test_effective_count() -> None:
    assert cov.code_accounts(range(10), range(10, 20)).effective_count == pytest.approx(20)
    a, b = ["h", "h", "h", "p", "r", "t", "v"], ["x", "y", "z", "q", "s", "u", "w"]
    assert cov.code_accounts(a, b).effective_count == pytest.approx(14**2 / (9 + 11))


# --- rates -----------------------------------------------------------------------------------


def test_rate_of_nobody_and_everybody() -> None:
    accounts = cov.code_accounts(range(10), range(10, 20))
    nobody, everybody = (cov.dyadic_rate([y] * 10, accounts) for y in (0, 1))
    assert (nobody.rate, nobody.ci_low) == (0.0, 0.0)
    assert nobody.ci_high == pytest.approx(0.2775, abs=5e-5)
    assert everybody.ci_low == pytest.approx(1 - nobody.ci_high)
    assert "Wilson" in nobody.method


def test_one_decider_is_one_observation() -> None:
    accounts = cov.code_accounts(range(50), ["b"] * 50)
    assert cov.dyadic_rate([0] * 50, accounts).ci_high > 0.7


@pytest.mark.parametrize("seed", range(5))
def test_rate_interval_stays_within_zero_and_one(seed: int) -> None:
    a, b = draw_dyads(seed, 80, 20)
    y = (np.random.default_rng(seed).random(80) < 0.04).astype(int)
    y[0] = 1
    rate = cov.dyadic_rate(y, cov.code_accounts(a, b))
    assert 0 <= rate.ci_low <= rate.rate <= rate.ci_high <= 1


def test_design_effect_sees_deciders_with_habits() -> None:
    """Deciders who answer all or nothing: each ten dyads are worth about one."""
    a, b = np.arange(400), 1000 + np.arange(400) // 10
    y = (np.random.default_rng(1).random(40) < 0.5)[np.arange(400) // 10]
    effect = cov.dyadic_rate(y, cov.code_accounts(a, b)).design_effect
    assert effect == pytest.approx(10, rel=0.15)


def test_balanced_ring_has_an_interval() -> None:
    a = np.arange(20)
    rate = cov.dyadic_rate(a % 2, cov.code_accounts(a, (a + 1) % 20))
    assert rate.ci_low < 0.5 < rate.ci_high


# --- invariants and bad data -----------------------------------------------------------------


def test_order_and_names_do_not_matter() -> None:
    made = draw_logit(2, n=200, count=20)
    order = np.random.default_rng(0).permutation(len(made["a"]))
    names = np.array([f"user-{k * 7919 % 101}" for k in range(20)])
    arrays = [made[k] for k in ("design", "curvature", "scores")]
    plain = cov.code_accounts(made["a"], made["b"])
    other = cov.code_accounts(names[made["a"]][order], names[made["b"]][order])
    moved = [array[order] for array in arrays]
    assert np.allclose(
        cov.dyadic_cr3(*arrays, plain), cov.dyadic_cr3(*moved, other), rtol=0, atol=1e-10
    )
    assert np.allclose(
        cov.dyadic(arrays[2], made["H"], plain),
        cov.dyadic(moved[2], made["H"], other),
        rtol=0,
        atol=1e-10,
    )


def test_dyadic_forms_do_not_care_who_initiated() -> None:
    made = draw_logit(4, n=120, count=15)
    arrays = [made[k] for k in ("design", "curvature", "scores")]
    one = cov.dyadic_cr3(*arrays, cov.code_accounts(made["a"], made["b"]))
    two = cov.dyadic_cr3(*arrays, cov.code_accounts(made["b"], made["a"]))
    assert np.allclose(one, two, rtol=0, atol=1e-10)


def test_four_equal_accounts_have_no_ego() -> None:
    assert cov.code_accounts(list("abcd"), list("bcda")).conditioned == -1


def test_few_groups_are_clipped() -> None:
    """4 × 4 groups and 60 rows: two-way is often not positive definite (137 of 200 runs)."""
    clipped = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        a, b = rng.integers(0, 4, 60), rng.integers(0, 4, 60)
        design = np.column_stack([np.ones(60), rng.normal(size=(60, 3))])
        scores = design * rng.normal(size=60)[:, None]
        values = np.linalg.eigvalsh(cov.two_way(scores, design.T @ design, a, b))
        assert values.min() > -1e-12 * values.max()
        clipped += values.min() < 1e-12 * values.max()
    assert clipped > 10


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
def test_an_account_that_owns_a_column_leaves_finite_errors(scale: float) -> None:
    rng = np.random.default_rng(8)
    a, b = draw_dyads(8, 300, 30)
    design = np.column_stack([np.ones(300), (b == 7) * scale, rng.normal(size=300)])
    y = (rng.random(300) < 0.4).astype(float)
    y[np.flatnonzero(b == 7)[:2]] = 0, 1
    p = (
        LogitRegression()
        .fit(design[:, 1:] / [scale, 1], y)
        .predict_proba(design[:, 1:] / [scale, 1])[:, 1]
    )
    scores = design * (y - p)[:, None]
    found = cov.dyadic_cr3(design, p * (1 - p), scores, cov.code_accounts(a, b))
    error = np.sqrt(np.diag(found)) * [1, scale, 1]
    assert np.isfinite(error).all()
    assert error.max() < 10


def test_two_way_of_an_export_is_clustered_on_the_others() -> None:
    """One initiator: its scores add up to 0, which must not make errors vanish."""
    rng = np.random.default_rng(2)
    design = np.column_stack([np.ones(200), rng.normal(size=200)])
    y = design @ [0.2, 0.5] + rng.normal(size=200)
    H = design.T @ design
    scores = design * (y - design @ np.linalg.solve(H, design.T @ y))[:, None]
    found = cov.two_way(scores, H, np.zeros(200, dtype=int), np.arange(200))
    assert np.allclose(found, 200 / 199 * cov.white(scores, H), rtol=1e-10)


def test_bad_accounts_and_outcomes() -> None:
    with pytest.raises(InputError, match="got 1 initiators and 2 deciders"):
        cov.code_accounts(["a"], ["b", "c"])
    with pytest.raises(InputError, match="must not be missing; 1 of 4"):
        cov.code_accounts(["a", None], ["b", "c"])
    accounts = cov.code_accounts(list("abc"), list("xyz"))
    with pytest.raises(InputError, match="got 2 values and 2 weights for 3 dyads"):
        cov.dyadic_rate([0, 1], accounts)
    with pytest.raises(InputError, match="must be 0 or 1; 1 of 3 are not"):
        cov.dyadic_rate([0, 1, np.nan], accounts)
    with pytest.raises(InputError, match="at least one dyad"):
        cov.dyadic_rate([], cov.code_accounts([], []))
    with pytest.raises(InputError, match="at least one dyad"):
        cov.dyadic_rate([0, 1, 1], accounts, weights=np.zeros(3))
