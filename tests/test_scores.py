"""Scores held to published numbers, brute force, statsmodels and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from followkit import covariance as cov
from followkit import scores as sc

few = settings(max_examples=25, deadline=None, derandomize=True, database=None)


def hold_out(
    outcome: object, probability: object, *, group: object = None, weight: object = None
) -> sc.HeldOut:
    """Return held-out dyads that share no account, unless they are told to."""
    y = np.asarray(outcome, float)
    ids = np.arange(len(y))
    where = np.zeros(len(y), int) if group is None else np.asarray(group)
    mass = None if weight is None else np.asarray(weight, float)
    accounts = cov.code_accounts([f"a{k}" for k in ids], [f"b{k}" for k in ids])
    return sc.HeldOut(y, np.asarray(probability, float), accounts, where, weight=mass)


def draw(seed: int, count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Return outcomes of both classes and probabilities with ties."""
    rng = np.random.default_rng(seed)
    p = rng.integers(1, 20, count) / 20
    y = (rng.random(count) < p).astype(float)
    y[:6], y[6:12] = 1, 0
    return y, p


def count_pairs(y: np.ndarray, p: np.ndarray) -> float:
    """Return the AUC by looking at every pair."""
    wins = [float(a > b) + (a == b) / 2 for a in p[y == 1] for b in p[y == 0]]
    return float(np.mean(wins))


@few
@given(seed=st.integers(0, 10_000))
def test_point_scores_equal_scikit_learn_and_brute_force(seed: int) -> None:
    y, p = draw(seed)
    tested = hold_out(y, p)
    value = sc.auc(tested)[0]
    assert value == pytest.approx(count_pairs(y, p), abs=1e-12)
    assert value == pytest.approx(roc_auc_score(y, p), abs=1e-12)
    u = stats.mannwhitneyu(p[y == 1], p[y == 0]).statistic
    assert value == pytest.approx(u / (y.sum() * (1 - y).sum()), abs=1e-12)
    assert sc.log_losses(tested).mean() == pytest.approx(log_loss(y, p))
    assert sc.brier_losses(tested).mean() == pytest.approx(brier_score_loss(y, p))
    assert sc.average_precision(tested) == pytest.approx(average_precision_score(y, p))


@few
@given(seed=st.integers(0, 10_000))
def test_weights_count_like_repeated_rows(seed: int) -> None:
    y, p = draw(seed)
    times = np.random.default_rng(seed).integers(1, 4, len(y))
    weighed, repeated = hold_out(y, p, weight=times), hold_out(y.repeat(times), p.repeat(times))
    assert sc.auc(weighed)[0] == pytest.approx(sc.auc(repeated)[0])
    assert sc.average_precision(weighed) == pytest.approx(sc.average_precision(repeated))
    pairs = zip(sc.calibration_line(weighed)["estimate"], sc.calibration_line(repeated)["estimate"],
                strict=True)  # fmt: skip
    assert all(one == pytest.approx(other, abs=1e-7) for one, other in pairs)
    gains = [sc.cumulative_gains(one)["share_found"] for one in (weighed, repeated)]
    assert np.allclose(*gains)


def test_auc_of_the_spector_fit() -> None:
    """Spector & Mazzeo (Greene's table): the logit fit ranks with AUC .88312."""
    sm = pytest.importorskip("statsmodels.api")
    data = sm.datasets.spector.load()
    fit = sm.Logit(data.endog, sm.add_constant(data.exog)).fit(disp=0)
    assert sc.auc(hold_out(data.endog, fit.predict()))[0] == pytest.approx(0.88312, abs=5e-6)


def compute_delong_variance(y: np.ndarray, p: np.ndarray) -> float:
    """Return DeLong's variance of the AUC from all pairs (dividing by n, not n − 1)."""
    ones, zeros = p[y == 1], p[y == 0]
    wins = (ones[:, None] > zeros) + (ones[:, None] == zeros) / 2
    return float(wins.mean(axis=1).var() / len(ones) + wins.mean(axis=0).var() / len(zeros))


@few
@given(seed=st.integers(0, 10_000))
def test_without_shared_accounts_the_error_is_delongs(seed: int) -> None:
    y, p = draw(seed)
    tested = hold_out(y, p)
    influence = sc.auc_influence(tested)[1]
    error = cov.dyadic_mean(influence, tested.accounts)[1]
    n = len(y)
    assert error**2 == pytest.approx(compute_delong_variance(y, p) * n / (n - 1), rel=1e-9)


def test_groups_are_ranked_apart_and_weigh_by_their_answers() -> None:
    y, p = draw(4, 90)
    group = np.arange(90) % 3
    by_hand = [count_pairs(y[group == g], p[group == g]) for g in range(3)]
    sizes = [y[group == g].sum() for g in range(3)]
    shifted = p / 4 + group / 4  # what a model adds to a whole group ranks nobody
    for probability in (p, shifted):
        tested = hold_out(y, probability, group=group)
        assert sc.auc(tested)[0] == pytest.approx(np.average(by_hand, weights=sizes))


def test_groups_of_one_class_say_nothing() -> None:
    y, p = draw(5)
    with_more = hold_out(np.r_[y, 1, 1], np.r_[p, 0.01, 0.02], group=np.r_[0 * y, 1, 1])
    assert sc.auc(with_more)[0] == pytest.approx(sc.auc(hold_out(y, p))[0])
    assert np.isnan(sc.auc(hold_out([1, 1, 1], [0.1, 0.2, 0.3]))[0])


@few
@given(seed=st.integers(0, 10_000), sharpness=st.floats(0.5, 8))
def test_interval_of_the_auc_stays_inside(seed: int, sharpness: float) -> None:
    """Plain DeLong gives 1.0048 for such rankings."""
    rng = np.random.default_rng(seed)
    y = np.r_[np.ones(6), np.zeros(8)]
    value, low, high = sc.auc(hold_out(y, 1 / (1 + np.exp(-sharpness * y - rng.normal(size=14)))))
    if np.isfinite(low):
        assert 0 < low < value < high < 1
    else:
        assert value in (0.0, 1.0)


def test_too_few_of_a_class_give_a_reason_and_no_interval() -> None:
    y, p = np.r_[np.ones(4), np.zeros(30)], np.linspace(0.1, 0.9, 34)
    tested = hold_out(y, p)
    assert np.isnan(sc.auc(tested)[1])
    assert "4 answered, 30 unanswered" in sc.too_few(tested)
    assert sc.calibration_line(tested)["estimate"].isna().all()
    nobody = hold_out(np.zeros(30), p[:30])
    assert sc.calibration_line(nobody)["estimate"].isna().all()
    assert sc.cumulative_gains(nobody)["share_found"].iloc[1:].isna().all()
    assert np.isnan(sc.average_precision(nobody))


def test_calibration_line_equals_statsmodels() -> None:
    sm = pytest.importorskip("statsmodels.api")
    y, p = draw(7, 400)
    line = np.log(p / (1 - p))
    fit = sm.Logit(y, sm.add_constant(line)).fit(disp=0)
    shift = sm.GLM(y, np.ones(len(y)), family=sm.families.Binomial(), offset=line).fit()
    table = sc.calibration_line(hold_out(y, p)).set_index("term")
    assert table.loc["slope", "estimate"] == pytest.approx(fit.params[1], abs=1e-6)
    assert table.loc["intercept", "estimate"] == pytest.approx(shift.params[0], abs=1e-6)
    # Independent dyads: the interval is about that of White's errors.
    robust = sm.Logit(y, sm.add_constant(line)).fit(disp=0, cov_type="HC1")
    width = table.loc["slope", "ci_high"] - table.loc["slope", "ci_low"]
    assert width == pytest.approx(2 * 1.966 * robust.bse[1], rel=0.03)


def test_calibration_of_extreme_or_equal_predictions() -> None:
    y = np.r_[np.ones(20), np.zeros(20)]
    apart = sc.calibration_line(hold_out(y, np.where(y == 1, 0.9, 0.1))).set_index("term")
    assert np.isnan(apart.loc["slope", "estimate"])
    assert apart.loc["intercept", "estimate"] == pytest.approx(0.0, abs=1e-9)
    equal = sc.calibration_line(hold_out(y, np.full(40, 1e-12)))
    assert equal["term"].tolist() == ["intercept"]
    assert equal["estimate"].iloc[0] == pytest.approx(np.log((1 - 1e-6) / 1e-6))


def test_calibration_curve_of_twelve_rows() -> None:
    """Three bins by hand; Brier = reliability − resolution + uncertainty (Murphy 1973)."""
    p = np.repeat([0.25, 0.5, 0.75], 4)
    y = np.array([0, 0, 0, 1, 0, 1, 1, 1, 0, 1, 1, 1.0])
    tested = hold_out(y, p)
    curve = sc.calibration_curve(tested, bin_count=3)
    assert curve["predicted"].tolist() == [0.25, 0.5, 0.75]
    assert curve["observed"].tolist() == [0.25, 0.75, 0.75]
    assert curve["count"].tolist() == [4, 4, 4]
    share = curve["count"] / 12
    reliability = (share * (curve["predicted"] - curve["observed"]) ** 2).sum()
    resolution = (share * (curve["observed"] - y.mean()) ** 2).sum()
    uncertainty = y.mean() * (1 - y.mean())
    brier = sc.brier_losses(tested).mean()
    assert brier == pytest.approx(reliability - resolution + uncertainty)
    assert ((curve["ci_low"] <= curve["observed"]) & (curve["observed"] <= curve["ci_high"])).all()


@few
@given(seed=st.integers(0, 10_000))
def test_calibration_curve_loses_nobody(seed: int) -> None:
    y, p = draw(seed)
    curve = sc.calibration_curve(hold_out(y, p))
    assert curve["count"].sum() == len(y)
    assert (curve["count"] * curve["observed"]).sum() == pytest.approx(y.sum())
    assert curve["predicted"].is_monotonic_increasing


def test_gains_by_hand() -> None:
    y, p = [1, 0, 1, 0, 0], [0.9, 0.8, 0.8, 0.2, 0.1]
    gains = sc.cumulative_gains(hold_out(y, p), point_count=6)
    # The tied second and third dyads are found evenly.
    assert gains["share_found"].tolist() == pytest.approx([0, 0.5, 0.75, 1, 1, 1])
    flat = sc.cumulative_gains(hold_out(y, np.full(5, 0.4)), point_count=6)
    assert np.allclose(flat["share_found"], flat["share_ranked"])


def test_brier_skill_against_itself_is_nothing() -> None:
    y, p = draw(3)
    tested, base = hold_out(y, p), hold_out(y, np.full(len(y), y.mean()))
    assert sc.brier_skill(base, base) == (0.0, 0.0, 0.0)
    value, low, high = sc.brier_skill(tested, base)
    assert value == pytest.approx(1 - brier_score_loss(y, p) / y.var())
    assert low < value < high
    assert sc.brier_skill(hold_out(y, y), base)[0] == 1.0


def draw_dependent(seed: int) -> tuple[np.ndarray, np.ndarray, cov.Accounts]:
    """Return answers, probabilities and accounts; both accounts move what the model misses."""
    rng = np.random.default_rng(seed)
    count, size = 60, 900
    initiator = rng.integers(0, count, size)
    decider = (initiator + rng.integers(1, count, size)) % count
    giving, taking = rng.normal(size=count), rng.normal(size=count)
    x = rng.normal(size=size)
    hidden = 0.5 * giving[initiator] + 0.5 * taking[decider] + rng.normal(0, 0.5**0.5, size)
    y = (0.8 * x + hidden > 0.3).astype(float)
    return y, stats.norm.cdf(0.8 * x - 0.3), cov.code_accounts(initiator, decider)


def test_intervals_cover_where_dyads_share_accounts() -> None:
    """Of 300 draws, 95 % intervals hold the long-run score in at least .90; plain ones fall short.

    The long-run score is the mean over the draws.
    """
    found: dict[str, list[tuple[float, float, float]]] = {"auc": [], "log_loss": [], "plain": []}
    for seed in range(300):
        y, p, accounts = draw_dependent(seed)
        tested = sc.HeldOut(y, p, accounts, np.zeros(len(y), int))
        found["auc"].append(sc.auc(tested))
        losses = sc.log_losses(tested)
        found["log_loss"].append(sc.mean_with_interval(losses, tested))
        reach = 1.96 * losses.std() / np.sqrt(len(y))
        found["plain"].append((losses.mean(), losses.mean() - reach, losses.mean() + reach))
    cover = {}
    for name, rows in found.items():
        value, low, high = np.array(rows).T
        cover[name] = float(((low <= value.mean()) & (value.mean() <= high)).mean())
    assert cover["auc"] >= 0.90, cover
    assert cover["log_loss"] >= 0.90, cover
    assert cover["plain"] < cover["log_loss"], cover
