"""Scores among deciders equally much followed: identities, a published curve, simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plain_ladder import hold_out
from scipy import stats
from sklearn.metrics import roc_auc_score

from followkit import covariance as cov
from followkit import scores as sc
from followkit.errors import InputError, ParameterError
from followkit.strata import make_indegree_strata, score_by_indegree, score_in_bands


def draw_followed(seed: int, size: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Return followers of deciders, heavy-tailed, and answers that are rarer where they are many.

    Followers are all that answers depend on.
    """
    rng = np.random.default_rng(seed)
    followers = np.floor(np.exp(rng.normal(3.5, 1.4, size)))
    answered = rng.random(size) < 1 / (1 + np.exp(0.9 * (np.log1p(followers) - 3)))
    return followers, answered.astype(float)


def draw_shift(
    seed: int, shift: float = 0.8, size: int = 1500
) -> tuple[sc.HeldOut, np.ndarray, np.ndarray]:
    """Return dyads whose score is normal, `shift` higher where answered, plus that of followers.

    Dyads share accounts; the score that is known without followers comes last.
    """
    rng = np.random.default_rng(seed)
    level = rng.integers(0, 6, size)
    followers = np.array([0, 3, 12, 40, 150, 900])[level].astype(float)
    y = (rng.random(size) < np.array([0.5, 0.4, 0.3, 0.2, 0.12, 0.08])[level]).astype(float)
    pure = rng.normal(size=size) + shift * y
    initiator = rng.integers(0, 400, size)
    decider = (initiator + rng.integers(1, 400, size)) % 400
    held = sc.HeldOut(y, stats.norm.cdf(pure - 0.5 * level), cov.code_accounts(initiator, decider),
                      np.zeros(size, int))  # fmt: skip
    return held, followers, pure


def test_a_score_of_followers_alone_falls_to_one_half() -> None:
    """Over all dyads it looks good; among deciders equally much followed it knows next to nothing.

    Strata are a fifth wide, so a little is left; with a stratum for each count nothing is.
    """
    for seed in range(3):
        followers, y = draw_followed(seed)
        held = hold_out(y, 1 / (2 + followers))
        row = score_by_indegree({"followers": held}, followers).iloc[0]
        assert row["auc"] > 0.68
        assert 0.47 < row["adjusted"] < 0.5 + 0.15 * (row["auc"] - 0.5)
        assert 0 < row["fall_low"] < row["fall"] < row["fall_high"]
        # Strata of single counts leave nothing at all.
        exact = score_by_indegree({"followers": held}, followers, per_doubling=20_000).iloc[0]
        assert exact["adjusted"] == 0.5


def test_adjusted_score_is_the_mean_over_strata_weighing_by_answers() -> None:
    followers, y = draw_followed(1, 600)
    p = np.random.default_rng(1).random(600)
    p += 0.3 * y
    strata = make_indegree_strata(followers)
    by_hand, sizes = [], []
    for one in np.unique(strata):
        inside = strata == one
        if 0 < y[inside].sum() < inside.sum():
            by_hand.append(roc_auc_score(y[inside], p[inside]))
            sizes.append(y[inside].sum())
    row = score_by_indegree({"x": hold_out(y, p)}, followers).iloc[0]
    assert row["adjusted"] == pytest.approx(np.average(by_hand, weights=sizes))
    assert row["answer_share"] == pytest.approx(np.sum(sizes) / y.sum())
    assert row["auc"] == pytest.approx(roc_auc_score(y, p))


def test_one_stratum_changes_nothing() -> None:
    _, y = draw_followed(2, 400)
    held = hold_out(y, np.random.default_rng(2).random(400))
    row = score_by_indegree({"x": held}, np.full(400, 7.0)).iloc[0]
    assert row["adjusted"] == pytest.approx(row["auc"])
    assert row["adjusted_low"] == pytest.approx(row["ci_low"])
    assert row[["fall", "fall_low", "fall_high"]].astype(float).tolist() == pytest.approx([0.0] * 3)
    assert row["answer_share"] == 1.0


def test_test_groups_stay_apart_within_strata() -> None:
    followers, y = draw_followed(3, 900)
    p = np.random.default_rng(3).random(900)
    group = np.arange(900) % 3
    held = hold_out(y, p, group=group)
    moved = replace(held, probability=p / 4 + group / 4)
    one, other = (score_by_indegree({"x": part}, followers) for part in (held, moved))
    assert other["adjusted"].iloc[0] == pytest.approx(one["adjusted"].iloc[0])


def test_adjusted_score_is_that_of_the_normal_curve() -> None:
    """Within a stratum answered dyads score d higher, so AUC = Φ(d / √2).

    The binormal curve: Hanley & McNeil (1982), doi:10.1148/radiology.143.1.7063747.
    """
    truth = stats.norm.cdf(0.8 / np.sqrt(2))
    held, followers, _ = draw_shift(0, size=20_000)
    row = score_by_indegree({"x": held}, followers).iloc[0]
    reach = (row["adjusted_high"] - row["adjusted_low"]) / 2
    assert abs(row["adjusted"] - truth) < 1.5 * reach
    assert row["auc"] - truth > 0.03


def test_intervals_hold_the_truth() -> None:
    """Of 200 draws the 95 % intervals hold the truth within three binomial errors of .95."""
    truth = stats.norm.cdf(0.8 / np.sqrt(2))
    rows = [score_by_indegree({"x": held}, followers).iloc[0]
            for held, followers, _ in map(draw_shift, range(200))]  # fmt: skip
    inside = [row["adjusted_low"] <= truth <= row["adjusted_high"] for row in rows]
    assert 0.904 <= np.mean(inside) <= 0.996, np.mean(inside)
    mean = np.mean([row["fall"] for row in rows])
    falls = [row["fall_low"] <= mean <= row["fall_high"] for row in rows]
    assert np.mean(falls) >= 0.904, np.mean(falls)


def test_order_of_dyads_does_not_matter() -> None:
    held, followers, _ = draw_shift(4, size=500)
    order = np.random.default_rng(4).permutation(500)
    ends = held.accounts.initiator[order], held.accounts.decider[order]
    mixed = sc.HeldOut(held.outcome[order], held.probability[order], cov.code_accounts(*ends),
                       held.group[order])  # fmt: skip
    one, other = (
        score_by_indegree({"x": part}, count).drop(columns="rung").to_numpy(float)
        for part, count in ((held, followers), (mixed, followers[order]))
    )
    assert np.allclose(one, other, atol=1e-10)


def test_strata_are_a_fifth_wide_and_small_counts_alone() -> None:
    counts = np.arange(0, 2000, dtype=float)
    strata = make_indegree_strata(counts)
    assert (np.diff(strata) >= 0).all()
    assert len(np.unique(strata[:4])) == 4
    for one in np.unique(strata):
        inside = 1 + counts[strata == one]
        assert inside.max() / inside.min() < 2**0.25 + 1e-9


def test_bands_hold_all_dyads_and_score_each_alone() -> None:
    held, followers, _ = draw_shift(5)
    table = score_in_bands({"x": held, "y": held}, followers, band_count=3)
    one = table[table["rung"] == "x"]
    assert one["n"].sum() == 1500
    assert one["answer_count"].sum() == held.outcome.sum()
    assert (one["lowest"].iloc[1:].to_numpy() > one["highest"].iloc[:-1].to_numpy()).all()
    first = followers <= one["highest"].iloc[0]
    expected = roc_auc_score(held.outcome[first], held.probability[first])
    assert one["auc"].iloc[0] == pytest.approx(expected)
    everyone = score_in_bands({"x": held}, followers, band_count=1)
    assert everyone["auc"].iloc[0] == pytest.approx(sc.auc(held)[0])


def test_too_few_or_nobody_to_compare() -> None:
    y = np.r_[np.ones(4), np.zeros(30)]
    p = np.linspace(0.1, 0.9, 34)
    row = score_by_indegree({"x": hold_out(y, p)}, np.full(34, 3.0)).iloc[0]
    assert np.isnan(row[["ci_low", "adjusted_low", "fall_low"]].astype(float)).all()
    # Every answer has a decider of a size of its own.
    apart = score_by_indegree({"x": hold_out(y, p)}, np.where(y == 1, 1000.0, 1.0)).iloc[0]
    assert np.isnan(apart["adjusted"])
    assert apart["answer_share"] == 0.0
    nobody = score_by_indegree({"x": hold_out(np.zeros(34), p)}, np.full(34, 3.0)).iloc[0]
    assert np.isnan(nobody["auc"])
    assert np.isnan(nobody["answer_share"])


def test_bad_counts_are_refused() -> None:
    held = hold_out([0, 1, 0], [0.1, 0.2, 0.3])
    with pytest.raises(InputError, match=r"follower_count: .* 1 of 3 dyads have none"):
        score_by_indegree({"x": held}, np.array([1.0, np.nan, 2.0]))
    with pytest.raises(InputError, match="2 of 3"):
        make_indegree_strata(np.array([-1.0, 1.0, -2.0]))
    with pytest.raises(InputError, match="got 2 for 3 dyads"):
        score_by_indegree({"x": held}, np.array([1.0, 2.0]))
    with pytest.raises(ParameterError, match="per_doubling"):
        make_indegree_strata(np.ones(2), per_doubling=0)
    with pytest.raises(ParameterError, match="band_count"):
        score_in_bands({"x": held}, np.ones(3), band_count=0)
