"""Scores held to published numbers, brute force, statsmodels and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_ladder import hold_out
from scipy import stats
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from followkit import covariance as cov
from followkit import scores as sc
from followkit.errors import InputError

few = settings(max_examples=25, deadline=None, derandomize=True, database=None)


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
    assert sc.average_precision(tested)[0] == pytest.approx(average_precision_score(y, p))


@few
@given(seed=st.integers(0, 10_000))
def test_weights_count_like_repeated_rows(seed: int) -> None:
    y, p = draw(seed)
    times = np.random.default_rng(seed).integers(1, 4, len(y))
    weighed, repeated = hold_out(y, p, weight=times), hold_out(y.repeat(times), p.repeat(times))
    assert sc.auc(weighed)[0] == pytest.approx(sc.auc(repeated)[0])
    found = sc.average_precision(weighed)[0]
    assert found == pytest.approx(sc.average_precision(repeated)[0])
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
    assert np.isnan(sc.average_precision(nobody)).all()
    assert sc.cumulative_gains(nobody)["ci_low"].isna().all()
    assert np.isnan(sc.average_precision(tested)[1])
    assert sc.cumulative_gains(tested)["ci_low"].isna().all()


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
    # By hand: ō = 7/12; reliability 4/12 · 1/16; resolution (4/12 · 1/9 + 8/12 · 1/36).
    parts = sc.brier_decomposition(tested).set_index("part")["value"]
    assert parts["reliability"] == pytest.approx(1 / 48)
    assert parts["resolution"] == pytest.approx(1 / 18)
    assert parts["uncertainty"] == pytest.approx(35 / 144)
    assert parts["brier"] == pytest.approx(1 / 48 - 1 / 18 + 35 / 144)
    assert parts["brier"] == pytest.approx(brier_score_loss(y, p))
    assert not parts[["within_bin_variance", "within_bin_covariance"]].any()
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


@few
@given(seed=st.integers(0, 10_000), bins=st.sampled_from([None, 1, 3, 10]))
def test_parts_of_the_brier_score_add_up(seed: int, bins: int | None) -> None:
    """Exactly, for distinct probabilities and for bins, whatever the weights."""
    y, p = draw(seed)
    rng = np.random.default_rng(seed)
    weight = rng.integers(1, 4, len(y))
    parts = sc.brier_decomposition(hold_out(y, p, weight=weight), bin_count=bins)
    total = (parts["value"] * parts["sign"]).sum()
    assert total == pytest.approx(np.average((p - y) ** 2, weights=weight), abs=1e-12)
    assert parts.set_index("part").loc["brier", "value"] == pytest.approx(total, abs=1e-12)
    order = rng.permutation(len(y))
    shuffled = sc.brier_decomposition(
        hold_out(y[order], p[order], weight=weight[order]), bin_count=bins
    )
    assert np.allclose(shuffled["value"], parts["value"], atol=1e-12)
    if bins is None:
        left = parts.set_index("part").loc[["within_bin_variance", "within_bin_covariance"]]
        assert np.allclose(left["value"], 0)


def test_parts_of_extreme_forecasts_and_of_nothing() -> None:
    y = np.r_[np.ones(5), np.zeros(15)]
    perfect = sc.brier_decomposition(hold_out(y, y)).set_index("part")["value"]
    assert perfect["resolution"] == perfect["uncertainty"] == pytest.approx(0.1875)
    assert perfect["brier"] == perfect["reliability"] == 0
    base = sc.brier_decomposition(hold_out(y, np.full(20, 0.25))).set_index("part")["value"]
    assert np.allclose(base[["resolution", "reliability"]], 0, atol=1e-15)
    with pytest.raises(InputError, match="no dyad was held out"):
        sc.brier_decomposition(hold_out([], []))
    with pytest.raises(InputError, match="at least 1 bin"):
        sc.brier_decomposition(hold_out(y, y), bin_count=0)


def test_average_precision_of_scikit_learns_example() -> None:
    """The example of scikit-learn's documentation of average_precision_score: 0.83."""
    tested = hold_out([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    assert sc.average_precision(tested)[0] == pytest.approx(0.8333, abs=1e-4)


@few
@given(seed=st.integers(0, 10_000))
def test_influence_on_average_precision_is_its_derivative(seed: int) -> None:
    """Brute force: give each dyad a little more weight and see how the score moves; with ties."""
    y, p = draw(seed, 40)
    weight = np.random.default_rng(seed).integers(1, 3, 40).astype(float)
    group = np.zeros(40, int)
    value, influence = sc.precision_influence(hold_out(y, p, weight=weight, group=group))
    assert np.average(influence, weights=weight) == pytest.approx(0, abs=1e-12)
    step = 1e-5 * weight.sum()
    for row in range(0, 40, 5):
        more, less = weight.copy(), weight.copy()
        more[row] += step
        less[row] -= step
        high, low = (average_precision_score(y, p, sample_weight=part) for part in (more, less))
        slope = (high - low) / (2 * step) * weight.sum()
        assert influence[row] == pytest.approx(slope, abs=1e-6)
    assert value == pytest.approx(average_precision_score(y, p, sample_weight=weight))


def test_error_of_average_precision_is_that_of_the_bootstrap() -> None:
    """Independent dyads: 600 resamples of 500 dyads have the spread that one sample predicts."""
    y, p = draw(11, 500)
    tested = hold_out(y, p)
    error = cov.dyadic_mean(sc.precision_influence(tested)[1], tested.accounts)[1]
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 500, (600, 500))
    spread = np.std([average_precision_score(y[row], p[row]) for row in rows])
    # A spread over 600 is known to about 3 %.
    assert error == pytest.approx(spread, rel=0.12)


def test_average_precision_of_groups_weighs_by_their_answers() -> None:
    y, p = draw(4, 90)
    group = np.arange(90) % 3
    by_hand = [average_precision_score(y[group == g], p[group == g]) for g in range(3)]
    sizes = [y[group == g].sum() for g in range(3)]
    tested = hold_out(y, p, group=group)
    value, low, high = sc.average_precision(tested)
    assert value == pytest.approx(np.average(by_hand, weights=sizes))
    assert 0 < low < value < high < 1
    apart = hold_out(y, np.where(y == 1, 0.9, 0.1), group=group)
    assert sc.average_precision(apart)[0] == 1.0
    assert np.isnan(sc.average_precision(apart)[1:]).all()


@few
@given(seed=st.integers(0, 10_000))
def test_gains_have_ends_and_bands(seed: int) -> None:
    y, p = draw(seed, 80)
    gains = sc.cumulative_gains(hold_out(y, p), point_count=21)
    assert gains["share_found"].iloc[0] == 0
    assert gains["share_found"].iloc[-1] == pytest.approx(1)
    assert gains["share_found"].is_monotonic_increasing
    inner = gains[gains["ci_low"].notna()]
    assert len(inner) >= 10
    assert (inner["ci_low"] <= inner["share_found"]).all()
    assert (inner["share_found"] <= inner["ci_high"]).all()
    assert (inner["ci_low"] > 0).all()
    assert (inner["ci_high"] < 1).all()
    order = np.random.default_rng(seed).permutation(80)
    shuffled = sc.cumulative_gains(hold_out(y[order], p[order]), point_count=21)
    assert np.allclose(shuffled, gains, equal_nan=True, atol=1e-12)


def test_gains_of_equal_scores_are_certain() -> None:
    """All dyads tied: the share found is the share ranked, whatever the data, so no width."""
    y, _ = draw(2, 60)
    gains = sc.cumulative_gains(hold_out(y, np.full(60, 0.3)), point_count=5).iloc[1:-1]
    assert np.allclose(gains["share_found"], gains["share_ranked"])
    assert np.allclose(gains["ci_high"] - gains["ci_low"], 0, atol=1e-9)


def test_bands_of_gains_cover() -> None:
    """The long-run share found lies in 95 % bands of 300 draws in .90 at least; dependent dyads."""
    shares, low, high = [], [], []
    for seed in range(300):
        y, p, accounts = draw_dependent(seed)
        tested = sc.HeldOut(y, p, accounts, np.zeros(len(y), int))
        gains = sc.cumulative_gains(tested, point_count=6).iloc[1:-1]
        shares.append(gains["share_found"])
        low.append(gains["ci_low"])
        high.append(gains["ci_high"])
    truth = np.mean(shares, axis=0)
    cover = ((np.array(low) <= truth) & (truth <= np.array(high))).mean(axis=0)
    assert (cover >= 0.90).all(), cover
    assert (cover <= 0.99).all(), cover


def test_intervals_of_average_precision_cover() -> None:
    rows = []
    for seed in range(300):
        y, p, accounts = draw_dependent(seed)
        rows.append(sc.average_precision(sc.HeldOut(y, p, accounts, np.zeros(len(y), int))))
    value, low, high = np.array(rows).T
    cover = float(((low <= value.mean()) & (value.mean() <= high)).mean())
    assert 0.90 <= cover <= 0.99, cover
