"""The streamed fit and its dyadic-robust errors against the small-data modules and statsmodels."""

from __future__ import annotations

import pickle
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from followkit import covariance as cov
from followkit import scores
from followkit.errors import CannotFitError, InputError, ParameterError
from followkit.logit import LogitRegression, expit
from followkit.scale import _fit_kernels, _robust_kernels, fit, robust
from followkit.scale.fit import StreamedLogit, fit_parquet, newton_sums
from followkit.scale.robust import (
    bootstrap_scores,
    code_ends,
    dyadic_errors,
    dyadic_errors_parquet,
)

NAMES = ["x1", "x2", "x3"]


def make_dyads(n=5_000, accounts=300, seed=0, *, ego=False):
    """Dyads of busy and quiet accounts; a fifth of the pairs come a second time, turned round."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 3)) * [0.2, 1.0, 40.0] + [3.0, 0.0, 500.0]
    a = (rng.pareto(1.0, n) * 4).astype(np.int64) % accounts
    b = rng.integers(0, accounts, n)
    if ego:
        a[: n * 6 // 10] = 0
    b = np.where(a == b, (b + 1) % accounts, b)
    again = n // 5
    a[-again:], b[-again:] = b[:again].copy(), a[:again].copy()
    habit = rng.normal(0, 0.8, accounts)
    y = (rng.random(n) < expit(2 * (X[:, 0] - 3) - 0.5 * X[:, 1] + habit[b] - 0.4)).astype(int)
    return X, y, a, b, rng.uniform(0.5, 2.0, n)


def write(folder, X, y, a, b, w, *, parts=1):
    frame = pd.DataFrame(X, columns=NAMES).assign(y=y, a=a, b=b, w=w)
    for number, part in enumerate(np.array_split(np.arange(len(frame)), parts)):
        duckdb.from_df(frame.iloc[part]).to_parquet(str(folder / f"part-{number}.parquet"))
    return str(folder / "part-*.parquet")


@pytest.fixture
def small_blocks(monkeypatch):
    """Make blocks small, so that small data have many."""
    monkeypatch.setattr(_fit_kernels, "BLOCK_ROWS", 700)
    monkeypatch.setattr(_fit_kernels, "BLOCK_VECTORS", 1)
    monkeypatch.setattr(_fit_kernels, "INNER_ROWS", 256)
    monkeypatch.setattr(fit, "INNER_ROWS", 256)


def test_two_by_two_table_gives_its_odds_ratio():
    x, y = np.repeat([0, 0, 1, 1], [30, 10, 12, 24]), np.repeat([0, 1, 0, 1], [30, 10, 12, 24])
    model = StreamedLogit().fit(x[:, None], y)
    assert model.coef_[0, 0] == pytest.approx(np.log((24 / 12) / (10 / 30)), abs=1e-12)
    assert model.intercept_[0] == pytest.approx(np.log(10 / 30), abs=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_equals_logit_regression_and_statsmodels(small_blocks, weighted):
    X, y, *_, w = make_dyads()
    weight = w if weighted else None
    model = StreamedLogit().fit(X, y, weight)
    z = StandardScaler().fit(X)
    small = LogitRegression().fit(z.transform(X), y, weight)
    np.testing.assert_allclose(model.coef_ * z.scale_, small.coef_, rtol=0, atol=1e-10)
    family = sm.families.Binomial()
    peer = sm.GLM(y, sm.add_constant(X), family, freq_weights=weight).fit(tol=1e-14)
    np.testing.assert_allclose(np.r_[model.intercept_, model.coef_[0]], peer.params, rtol=1e-8)
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], peer.fittedvalues, atol=1e-9)


def test_ridge_is_that_of_logit_regression():
    X, y, *_ = make_dyads(1_000)
    z = StandardScaler().fit(X)
    small = LogitRegression(ridge=25.0).fit(z.transform(X), y)
    model = StreamedLogit(25.0, standardise=True).fit(X, y)
    np.testing.assert_allclose(model.coef_ * z.scale_, small.coef_, atol=1e-9)
    raw, centred = StreamedLogit(3.0).fit(X, y), LogitRegression(ridge=3.0).fit(X - X.mean(0), y)
    np.testing.assert_allclose(raw.coef_, centred.coef_, atol=1e-8)


def test_threads_layout_and_a_far_off_zero_change_nothing(small_blocks):
    X, y, *_ = make_dyads()
    model = StreamedLogit(threads=1).fit(X, y)
    for other in (StreamedLogit(threads=3).fit(X, y), StreamedLogit().fit(np.asfortranarray(X), y)):
        assert np.array_equal(model.coef_, other.coef_)
        assert np.array_equal(model.intercept_, other.intercept_)
    single = StreamedLogit().fit(X.astype(np.float32), y)
    double = StreamedLogit().fit(X.astype(np.float32).astype(float), y)
    assert np.array_equal(single.coef_, double.coef_)
    shifted = StreamedLogit().fit(X + np.array([0.0, 2.0**30, 0.0]), y)
    np.testing.assert_allclose(shifted.coef_, model.coef_, rtol=1e-6)


def test_a_sample_saves_steps_and_a_bad_one_does_no_harm(small_blocks, monkeypatch):
    rng = np.random.default_rng(2)
    X = rng.standard_normal((20_000, 2))
    y = (rng.random(20_000) < expit(2 * X[:, 0] - X[:, 1] - 1)).astype(int)
    whole = StreamedLogit().fit(X, y)
    monkeypatch.setattr(fit, "SAMPLE_ROWS", 4_000)
    sampled = StreamedLogit().fit(X, y)
    assert sampled.n_iter_ < whole.n_iter_
    np.testing.assert_allclose(sampled.coef_, whole.coef_, atol=1e-9)
    far = whole.intercept_[0], *(whole.coef_[0] * whole.scale_ * -30)
    monkeypatch.setattr(StreamedLogit, "_start", lambda *_: np.array(far))
    np.testing.assert_allclose(StreamedLogit().fit(X, y).coef_, whole.coef_, atol=1e-9)


def test_sums_of_parts_are_sums_of_the_whole_and_derivatives_of_the_loss():
    X, y, *_, w = make_dyads(900)
    beta, mean = np.array([0.1, -0.4, 0.3, 0.01]), X.mean(axis=0)

    def sums(rows, at):
        return newton_sums(X[rows].T, y[rows].astype(float), w[rows], at, mean)

    whole, parts = sums(slice(None), beta), sums(slice(0, 400), beta) + sums(slice(400, None), beta)
    np.testing.assert_allclose(parts.information, whole.information, rtol=1e-12)
    np.testing.assert_allclose(parts.gradient, whole.gradient, rtol=1e-12)
    assert parts.loss == pytest.approx(whole.loss)
    for k, step in enumerate(np.eye(4) * 1e-5):
        up, down = sums(slice(None), beta + step), sums(slice(None), beta - step)
        assert (down.loss - up.loss) / 2e-5 == pytest.approx(whole.gradient[k], rel=1e-5)
        slope = (down.gradient - up.gradient) / 2e-5
        np.testing.assert_allclose(slope, whole.information[k], rtol=1e-5, atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), size=st.integers(-8, 8), offset=st.floats(-1e3, 1e3))
def test_units_and_offsets_do_not_matter(seed, size, offset):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((200, 2))
    y = (rng.random(200) < expit(X[:, 0])).astype(int)
    one, two = StreamedLogit().fit(X, y), StreamedLogit().fit((X + offset) * 10.0**size, y)
    np.testing.assert_allclose(two.coef_ * 10.0**size, one.coef_, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(np.linalg.norm(two.predict_proba((X + offset) * 10.0**size)
                               - one.predict_proba(X)), 0, atol=1e-6)  # fmt: skip


def test_is_a_scikit_learn_classifier():
    X, y, *_ = make_dyads(600)
    model = StreamedLogit(2.0)
    assert clone(model).get_params()["l2"] == 2.0
    labels = np.where(y == 1, "yes", "no")
    fitted = pickle.loads(pickle.dumps(model.fit(X, labels)))
    assert set(fitted.predict(X)) == {"yes", "no"}
    assert cross_val_score(make_pipeline(StandardScaler(), model), X, y, cv=3).mean() > 0.5
    named = StreamedLogit().fit(pd.DataFrame(X, columns=NAMES), y)
    assert list(named.feature_names_in_) == NAMES
    check_estimator(StreamedLogit(1.0), on_skip=None)


def test_parquet_gives_the_same_bits(small_blocks, tmp_path, monkeypatch):
    X, y, a, b, w = make_dyads()
    monkeypatch.setattr(fit, "SAMPLE_ROWS", 600)
    files = write(tmp_path, X, y, a, b, w, parts=3)
    for threads in (1, 2):
        model = fit_parquet(files, NAMES, "y", weight="w", threads=threads)
        same = StreamedLogit().fit(X, y, w)
        assert np.array_equal(model.coef_, same.coef_)
        assert np.array_equal(model.intercept_, same.intercept_)
    assert model.row_count_ == 5_000
    frame = pd.DataFrame(X, columns=NAMES)
    np.testing.assert_allclose(model.predict_proba(frame), same.predict_proba(X), rtol=1e-12)


def test_parquet_leaves_out_and_counts_rows_with_a_missing_value(tmp_path):
    X, y, a, b, w = make_dyads(2_000)
    X[::10, 1] = np.nan
    w[5] = np.nan
    files = write(tmp_path, X, y, a, b, w)
    model = fit_parquet(files, NAMES, "y", weight="w")
    kept = np.isfinite(X).all(axis=1) & np.isfinite(w)
    assert (model.row_count_, model.left_out_) == (kept.sum(), 201)
    same = StreamedLogit().fit(X[kept], y[kept], w[kept])
    assert np.array_equal(model.coef_, same.coef_)


def test_parquet_columns_of_other_kinds(tmp_path):
    file = str(tmp_path / "kinds.parquet")
    duckdb.sql(
        'COPY (SELECT (k % 3)::TINYINT AS few, (k % 7)::DECIMAL(6, 2) AS "de""cimal", '
        "k % 2 = 0 AS flag, hash(k) % 5 < 2 AS yes FROM range(500) AS made(k)) "
        f"TO '{file}'"
    )
    columns = ["few", 'de"cimal', "flag"]
    model = fit_parquet(file, columns, "yes")
    frame = duckdb.from_parquet(file).df()
    same = StreamedLogit().fit(frame[columns].to_numpy(float), frame["yes"])
    assert np.array_equal(model.coef_, same.coef_)


def test_separation_is_said_by_name():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((400, 2))
    y = (rng.random(400) < 0.5).astype(int)
    for column, told in [
        (np.where(y == 1, 1.0, -1.0) * (1 + rng.random(400)), "apart alone decides the outcome"),
        (np.where(y == 1, 1.0, -1.0) * rng.integers(0, 9, 400), r"apart alone \(nearly\) decides"),
        ((y == 1) & (X[:, 0] > 1.5), r"all \d+ dyads with apart were answered"),
        ((y == 0) & (X[:, 0] > 1.5), r"none of the \d+ dyads with apart was answered"),
    ]:
        frame = pd.DataFrame(X, columns=["one", "two"]).assign(apart=column.astype(float))
        with pytest.raises(CannotFitError, match=told):
            StreamedLogit().fit(frame, y)
        assert np.isfinite(StreamedLogit(1.0).fit(frame, y).coef_).all()
    with pytest.raises(CannotFitError, match="one and two with the other columns decide the outc"):
        StreamedLogit().fit(pd.DataFrame(X, columns=["one", "two"]), X[:, 0] + X[:, 1] > 0)


def test_columns_without_an_answer_of_their_own_are_said_by_name():
    X, y, *_ = make_dyads(500)
    frame = pd.DataFrame(X, columns=NAMES)
    with pytest.raises(CannotFitError, match="x4 is the same for every dyad; leave it out"):
        StreamedLogit().fit(frame.assign(x4=0.1), y)
    with pytest.raises(CannotFitError, match="x1 and x2 and x4 repeat each other"):
        StreamedLogit().fit(frame.assign(x4=2 * frame["x1"] - 3 * frame["x2"] + 1), y)
    both = StreamedLogit(1.0).fit(frame.assign(x4=0.1), y)
    assert both.coef_[0, 3] == pytest.approx(0, abs=1e-12)
    with pytest.raises(CannotFitError, match="did not settle in 1 steps"):
        StreamedLogit(1.0, max_iter=1).fit(X, y)


def test_bad_arrays_are_errors():
    X, y, *_, w = make_dyads(500)
    with pytest.raises(ValueError, match="it holds 1 class"):
        StreamedLogit().fit(X, 0 * y)
    with pytest.raises(
        ValueError, match="one finite number of 0 or more a row is needed, not all zero"
    ):
        StreamedLogit().fit(X, y, -w)
    with pytest.raises(ParameterError, match="l2: must be 0 or more"):
        StreamedLogit(-1.0).fit(X, y)


def bad_file(folder, **columns):
    X, y, a, b, w = make_dyads(200)
    frame = pd.DataFrame(X, columns=NAMES).assign(y=y, a=a, b=b, w=w).assign(**columns)
    file = folder / "bad.parquet"
    duckdb.from_df(frame).to_parquet(str(file))
    return file


@pytest.mark.parametrize(
    ("columns", "error", "told"),
    [
        ({"y": 2}, InputError, "y: must be 0 or 1; 200 of 200 rows are not"),
        ({"y": None}, InputError, "y: must hold numbers|y: must be 0 or 1"),
        ({"y": 0}, CannotFitError, "nobody followed back"),
        ({"y": 1}, CannotFitError, r"everybody followed back \(n = 200\)"),
        ({"x1": "high"}, InputError, "x1: must hold numbers; it holds VARCHAR"),
        ({"x2": np.inf}, InputError, "x2: values must be finite; 200 rows are infinite"),
        ({"x2": np.nan}, CannotFitError, "every row has a missing value"),
        ({"w": -1.0}, InputError, "w: a weight must be 0 or more; 200 rows are not"),
    ],
)
def test_bad_files_are_errors(tmp_path, columns, error, told):
    with pytest.raises(error, match=told):
        fit_parquet(bad_file(tmp_path, **columns), NAMES, "y", weight="w")


def test_wrong_names_are_errors(tmp_path):
    file = bad_file(tmp_path)
    with pytest.raises(InputError, match="no column is called x9; valid: x1"):
        fit_parquet(file, ["x9"], "y")
    with pytest.raises(InputError, match="there is no column"):
        fit_parquet(file, [], "y")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        fit_parquet(tmp_path / "absent.parquet", NAMES, "y")
    with pytest.raises(InputError, match="memory_limit: 1KB is too little to read these files"):
        fit_parquet(file, NAMES, "y", memory_limit="1KB")
    with pytest.raises(ParameterError, match="memory_limit: 'some' cannot be used"):
        fit_parquet(file, NAMES, "y", memory_limit="some")
    model = fit_parquet(file, NAMES, "y")
    with pytest.raises(InputError, match="x1: must hold whole numbers"):
        dyadic_errors_parquet(model, file, "y", "x1", "b")
    with pytest.raises(ParameterError, match="kind: 'cr9' is unknown"):
        dyadic_errors_parquet(model, file, "y", "a", "b", kind="cr9")
    with pytest.raises(InputError, match="a: accounts need codes of 0 and more; 200 rows"):
        dyadic_errors_parquet(model, bad_file(tmp_path, a=-1), "y", "a", "b")
    with pytest.raises(InputError, match="codes that count up from 0; the largest of 200 rows is"):
        dyadic_errors_parquet(model, bad_file(tmp_path, b=10**9), "y", "a", "b")
    file = bad_file(tmp_path)
    with pytest.raises(InputError, match="so they have no errors"):
        dyadic_errors_parquet(fit_parquet(file, NAMES, "y", l2=1.0), file, "y", "a", "b")


def oracle(X, y, a, b, w, model, kind):
    """Return the covariance of the small-data module, made on standardised columns."""
    scaler = StandardScaler().fit(X)
    z = np.column_stack([np.ones(len(X)), scaler.transform(X)])
    slopes = model.coef_[0]
    p = expit(z @ np.r_[model.intercept_[0] + slopes @ scaler.mean_, slopes * scaler.scale_])
    residuals = z * (w * (y - p))[:, None]
    curvature, accounts = w * p * (1 - p), cov.code_accounts(a, b)
    if kind == "dyadic":
        matrix = cov.dyadic(residuals, (z * curvature[:, None]).T @ z, accounts)
    else:
        matrix = cov.dyadic_cr3(z, curvature, residuals, accounts)
    back = np.diag(np.r_[1.0, 1.0 / scaler.scale_])
    back[0, 1:] = -scaler.mean_ / scaler.scale_
    return back @ matrix @ back.T, accounts


def assert_same(errors, expected, accounts):
    size = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    np.testing.assert_allclose(errors.covariance / size, expected / size, rtol=0, atol=1e-10)
    assert errors.account_count == accounts.count
    assert errors.effective_count == pytest.approx(accounts.effective_count, rel=1e-12)
    assert errors.largest_share == accounts.largest_share
    assert (errors.conditioned >= 0) == (accounts.conditioned >= 0)


@pytest.mark.parametrize("kind", ["dyadic", "dyadic_cr3"])
@pytest.mark.parametrize("made", [{}, {"ego": True}, {"n": 120, "accounts": 7}, {"n": 900}])
def test_errors_equal_the_small_data_module(small_blocks, monkeypatch, kind, made):
    X, y, a, b, w = make_dyads(**made)
    model = StreamedLogit().fit(X, y, w)
    expected, accounts = oracle(X, y, a, b, w, model, kind)
    errors = dyadic_errors(model, X, y, a, b, sample_weight=w, kind=kind)
    assert_same(errors, expected, accounts)
    # Few parts are kept and the accounts come in ranges: the series and the ranges are tried.
    monkeypatch.setattr(_robust_kernels, "PART_NUMBERS", 160)
    for outer_rows in (64, 2_048):
        monkeypatch.setattr(_robust_kernels, "OUTER_ROWS", outer_rows)
        few = robust._estimate(
            model, _fit_kernels.ArrayRows(X, y.astype(float), w, ends=(a, b)), kind, 0.006
        )
        assert_same(few, expected, accounts)


@pytest.mark.parametrize("kind", ["dyadic", "dyadic_cr3"])
@pytest.mark.parametrize("ego", [False, True])
def test_errors_from_parquet(small_blocks, tmp_path, kind, ego):
    X, y, a, b, w = make_dyads(ego=ego)
    files = write(tmp_path, X, y, a, b, w, parts=2)
    model = fit_parquet(files, NAMES, "y", weight="w")
    errors = dyadic_errors_parquet(model, files, "y", "a", "b", weight="w", kind=kind)
    assert_same(errors, *oracle(X, y, a, b, w, model, kind))
    table = errors.coefficients(model)
    assert table["term"].tolist() == ["intercept", *NAMES]
    assert table["std_error"].to_numpy() == pytest.approx(errors.std_errors)
    twice = dyadic_errors_parquet(model, files, "y", "a", "b", weight="w", kind=kind)
    assert np.array_equal(errors.covariance, twice.covariance)


def test_plain_dyadic_is_the_brute_force_sum():
    X, y, a, b, _ = make_dyads(2_000)
    model = StreamedLogit().fit(X, y)
    design = np.column_stack([np.ones(2_000), X])
    p = model.predict_proba(X)[:, 1]
    rows = design * (y - p)[:, None]
    touch = (a[:, None] == a) | (a[:, None] == b) | (b[:, None] == a) | (b[:, None] == b)
    bread = np.linalg.inv((design * (p * (1 - p))[:, None]).T @ design)
    expected = bread @ (rows.T @ touch.astype(float) @ rows) @ bread
    assert np.linalg.eigvalsh(expected).min() > 0
    errors = dyadic_errors(model, X, y, a, b, kind="dyadic")
    np.testing.assert_allclose(errors.covariance, expected, rtol=1e-7, atol=1e-12)


def test_an_account_that_owns_a_direction_is_solved_like_the_small_module():
    X, y, a, b, w = make_dyads(400, 60)
    a[a == 7], b[b == 7] = 8, 8
    b = np.where(a == b, (b + 1) % 60, b)
    X[:, 1] = 0.0
    a[:12] = 7
    X[:12, 1], y[:12] = 1.0, np.arange(12) % 2
    X[12, 1] = 1e-4
    model = StreamedLogit().fit(X, y, w)
    expected, accounts = oracle(X, y, a, b, w, model, "dyadic_cr3")
    assert_same(dyadic_errors(model, X, y, a, b, sample_weight=w), expected, accounts)


def test_ids_of_any_kind_give_the_same_errors():
    X, y, a, b, _ = make_dyads(900)
    model = StreamedLogit().fit(X, y)
    codes = dyadic_errors(model, X, y, a, b)
    named = dyadic_errors(model, X, y, [f"u{k}" for k in a], [f"u{k}" for k in b])
    sparse = dyadic_errors(model, X, y, a * 10**12, b * 10**12)
    for other in (named, sparse):
        np.testing.assert_allclose(other.covariance, codes.covariance, rtol=1e-9, atol=1e-14)
    with pytest.raises(InputError, match="1 of 4 are"):
        code_ends(["a", None], ["b", "c"])
    with pytest.raises(InputError, match="got 1 initiators and 2 deciders"):
        code_ends([1], [2, 3])
    with pytest.raises(InputError, match="same number of rows"):
        dyadic_errors(model, X, y, a[1:], b[1:])
    for wrong in (X[:, :2], np.full_like(X, np.nan)):
        with pytest.raises(InputError, match="X: 3 columns of finite numbers are needed"):
            dyadic_errors(model, wrong, y, a, b)


@pytest.mark.parametrize("ego", [False, True])
def test_bootstrap_agrees_with_the_intervals_of_scores(ego):
    X, y, a, b, w = make_dyads(3_000, ego=ego)
    p = StreamedLogit().fit(X, y, w).predict_proba(X)[:, 1]
    tested = scores.HeldOut(
        y.astype(float), p, cov.code_accounts(a, b), np.zeros(len(y), int), weight=w
    )
    table = bootstrap_scores(y, p, a, b, weight=w, replicates=2_000).set_index("score")
    loss, auc = scores.mean_with_interval(scores.log_losses(tested), tested), scores.auc(tested)
    for name, (value, low, high) in {"log_loss": loss, "auc": auc}.items():
        row = table.loc[name]
        assert row["value"] == pytest.approx(value, abs=1e-12)
        assert row["ci_low"] == pytest.approx(low, abs=0.15 * (high - low))
        assert row["ci_high"] == pytest.approx(high, abs=0.15 * (high - low))
    error = cov.dyadic_mean(scores.log_losses(tested), tested.accounts, w)[1]
    assert table.loc["log_loss", "std_error"] == pytest.approx(error, rel=1e-10)
    error = cov.dyadic_mean(scores.auc_influence(tested)[1], tested.accounts, w)[1]
    assert table.loc["auc", "std_error"] == pytest.approx(error, rel=1e-10)
    again = bootstrap_scores(y, p, a, b, weight=w, replicates=2_000).set_index("score")
    pd.testing.assert_frame_equal(table, again, check_exact=True)


def test_multipliers_have_mean_0_variance_1_and_skewness_1():
    drawn = robust._multiply(np.array([[1.0]]), 400_000, 1)[:, 0]
    moments = drawn.mean(), (drawn**2).mean(), (drawn**3).mean()
    for found, expected, error in zip(moments, (0, 1, 1), (0.0016, 0.0016, 0.005), strict=True):
        assert abs(found - expected) < 4 * error


def test_bootstrap_says_what_it_cannot_do():
    p, ends = np.array([0.1, 0.4, 0.35, 0.8]), (np.arange(4), np.arange(4, 8))
    table = bootstrap_scores([0, 0, 1, 1], p, *ends).set_index("score")
    assert table.loc["auc", "value"] == 0.75
    assert np.isnan(table.loc["auc", "ci_low"])
    assert np.isfinite(table.loc["log_loss", "ci_low"])
    with pytest.raises(InputError, match="outcome: must be 0 or 1; 1 are not"):
        bootstrap_scores([0, 0, 1, 2], p, *ends)
    with pytest.raises(InputError, match="same number of rows"):
        bootstrap_scores([], [], [], [])


def test_the_pairs_key_does_not_meet_its_neighbours(small_blocks):
    X, y, a, b, _ = make_dyads(2_000, 40)
    rows = _fit_kernels.ArrayRows(X, y.astype(float), ends=(a, b))
    blocks = list(rows.repeated_pairs(-1))
    found = [frozenset(pair) for block in blocks
             for pair in zip(block.initiator, block.decider, strict=True)]  # fmt: skip
    count = pd.Series([frozenset(pair) for pair in zip(a, b, strict=True)]).value_counts()
    assert pd.Series(found).value_counts().to_dict() == count[count > 1].to_dict()
    whole = [{frozenset(pair) for pair in zip(block.initiator, block.decider, strict=True)}
             for block in blocks]  # fmt: skip
    assert sum(map(len, whole)) == len(set.union(*whole))
    assert not list(_fit_kernels.ArrayRows(X[:1], y[:1], ends=(a[:1], b[:1])).repeated_pairs(-1))


def test_files_are_removed_again(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = tmp_path / "data"
    folder.mkdir()
    fit_parquet(bad_file(folder), NAMES, "y")
    with pytest.raises(InputError):
        fit_parquet(bad_file(folder, y=2), NAMES, "y")
    assert [path.name for path in Path(tmp_path).iterdir()] == ["data"]
