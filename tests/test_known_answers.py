"""Published numbers, each with its source: the anchors of the statistics in this package.

| data | numbers |
|---|---|
| Spector & Mazzeo (1980), in Greene's textbook and in statsmodels | logit, marginal effects |
| Fair (1978), in statsmodels | logit on 6,366 rows |
| Petersen's test data (Review of Financial Studies 22, 2009), in statsmodels | clustered errors |
| Wilson (1927) | interval of a share |
| KONECT, UC Irvine messages | edge reciprocity |

Other anchors live beside what they anchor: Freireich's leukaemia data in test_reciprocity, the AUC
of Spector's fit in test_scores, brute-force dyadic errors in test_covariance, enumerated networks
in test_nulls.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shared_data
from scipy import stats

from followkit import covariance as cov
from followkit.effects import average_marginal_effects, odds_ratios
from followkit.logit import LogitRegression
from followkit.model import FollowBackModel, fit_follow_back
from followkit.nulls import reciprocity_correlation
from followkit.reciprocity import count_ties, edge_reciprocity, list_ties
from followkit.sources.duckdb_files import read_parquet

# --- Spector & Mazzeo ------------------------------------------------------------------------


def spector() -> tuple[pd.DataFrame, Any]:
    import statsmodels.api as sm

    data = sm.datasets.spector.load_pandas()
    return data.exog[["GPA", "TUCE", "PSI"]], data.endog.to_numpy()


def fit_copies(copies: int, **options: Any) -> FollowBackModel:
    """Fit the 32 rows so many times over: 11 events are too few, and copies keep the estimate."""
    x, y = spector()
    ids = np.arange(32 * copies)
    return fit_follow_back(
        pd.concat([x] * copies, ignore_index=True), np.tile(y, copies), initiator=ids,
        decider=ids + len(ids), **options,
    )  # fmt: skip


def test_logit() -> None:
    """Greene: −13.0213, 2.82611, .0951577, 2.37869; log-likelihood −12.88963, null −20.59173."""
    x, y = spector()
    model = LogitRegression().fit(x, y)
    assert model.intercept_[0] == pytest.approx(-13.0213, abs=5e-5)
    assert model.coef_[0] == pytest.approx([2.82611, 0.0951577, 2.37869], abs=6e-6)
    p = model.predict_proba(x)[:, 1]
    assert np.log(np.where(y == 1, p, 1 - p)).sum() == pytest.approx(-12.88963, abs=6e-6)
    alone = LogitRegression().fit(np.zeros((32, 1)), y).predict_proba(np.zeros((32, 1)))[:, 1]
    assert np.log(np.where(y == 1, alone, 1 - alone)).sum() == pytest.approx(-20.59173, abs=6e-6)
    design = np.column_stack([np.ones(32), x])
    error = np.sqrt(np.diag(np.linalg.inv((design * (p * (1 - p))[:, None]).T @ design)))
    assert error == pytest.approx([4.93132, 1.26294, 0.141554, 1.06456], rel=1e-4)


def test_the_model_and_its_errors() -> None:
    """Four copies keep the estimate and halve the errors."""
    rows = fit_copies(4, covariance="classical", penalty="none").coefficients.set_index("term")
    assert rows.loc["GPA", "estimate"] == pytest.approx(2.82611, abs=6e-6)
    assert rows.loc["intercept", "estimate"] == pytest.approx(-13.0213, abs=5e-5)
    expected = np.array([4.93132, 1.26294, 0.141554, 1.06456]) / 2
    assert rows["std_error"].to_numpy() == pytest.approx(expected, rel=1e-4)


def test_firth() -> None:
    """Firth on spector: 2.2845, .0706, 2.0067; with all 32 rows doubled it lies nearer to ML."""
    from firthmodels import FirthLogisticRegression

    x, y = spector()
    found = FirthLogisticRegression(backend="numpy", max_iter=100).fit(x.to_numpy(), y.astype(int))
    assert found.coef_ == pytest.approx([2.2845, 0.0706, 2.0067], abs=2e-4)
    model = fit_copies(2, penalty="firth")
    estimate = model.coefficients["estimate"].to_numpy()[1:]
    assert (estimate > found.coef_).all()
    assert (estimate < [2.82611, 0.0951577, 2.37869]).all()
    assert model.covariance_kind == "profile"
    assert not model.has_verdicts


def test_marginal_effects() -> None:
    """.362581 (.109439), .012208 (.017799), and PSI from 0 to 1: .357515 (.142003).

    As given by the R package marginaleffects; a 0-to-1 change, not the slope .3052, for PSI.
    """
    model = fit_copies(4, covariance="classical", penalty="none")
    table = average_marginal_effects(model, {}).set_index("term")
    effects = table.loc[["GPA", "TUCE", "PSI"], "effect"].to_numpy()
    assert effects == pytest.approx([0.362581, 0.012208, 0.357515], abs=2e-6)
    errors = table.loc[["GPA", "TUCE", "PSI"], "std_error"].to_numpy()
    # Four copies of each row halve the error and change nothing else.
    assert 2 * errors == pytest.approx([0.109439, 0.017799, 0.142003], abs=5e-6)


def test_odds_ratios() -> None:
    model = fit_copies(2, covariance="classical", penalty="none")
    table = odds_ratios(model, {"GPA": 0.1}).set_index("term")
    assert table.loc["GPA", "odds_ratio"] == pytest.approx(np.exp(0.282611), rel=1e-6)
    assert table.loc["PSI", "odds_ratio"] == pytest.approx(np.exp(2.37869), rel=1e-5)
    assert table.loc["GPA", "step"] == 0.1
    assert "intercept" not in table.index


# --- Fair ------------------------------------------------------------------------------------


def test_fair() -> None:
    """Affairs > 0 on eight features (statsmodels' own example); log-likelihood −3471.471."""
    import statsmodels.api as sm

    data = sm.datasets.fair.load_pandas().data
    names = ["occupation", "educ", "occupation_husb", "rate_marriage", "age", "yrs_married"]
    names += ["children", "religious"]
    x, ids = data[names], np.arange(len(data))
    y = (data["affairs"] > 0).astype(int)
    model = fit_follow_back(x, y, initiator=ids, decider=ids + 10_000, covariance="classical")
    rows = model.coefficients.set_index("term")
    found = rows.loc[["intercept", "rate_marriage", "yrs_married", "religious"], "estimate"]
    assert found.to_numpy() == pytest.approx([3.7257, -0.7161, 0.1100, -0.3752], abs=6e-5)
    p = model.predict_proba(x)
    assert np.log(np.where(y == 1, p, 1 - p)).sum() == pytest.approx(-3471.471, abs=1e-3)
    oracle = sm.Logit(y, sm.add_constant(x)).fit(disp=0)
    assert rows["std_error"].to_numpy() == pytest.approx(oracle.bse.to_numpy(), rel=1e-5)


# --- Petersen --------------------------------------------------------------------------------


def petersen() -> pd.DataFrame:
    import statsmodels.stats

    path = Path(statsmodels.stats.__file__).parent / "tests" / "test_data.txt"
    return pd.read_csv(path, sep=r"\s+", header=None, names=["firm", "year", "x", "y"])


def linear_parts() -> tuple[pd.DataFrame, Any, Any, Any]:
    """Return the data with the residuals, scores and information of y on x."""
    data = petersen()
    design = np.column_stack([np.ones(len(data)), data["x"]])
    H = design.T @ design
    rest = data["y"].to_numpy() - design @ np.linalg.solve(H, design.T @ data["y"].to_numpy())
    return data, rest, design * rest[:, None], H


def test_petersen_linear() -> None:
    """Petersen's test data: OLS .0286, White .0284, both .0536 (slope), .0651 (constant)."""
    data, rest, scores, H = linear_parts()
    plain = np.sqrt(cov.classical(H)[1, 1] * (rest @ rest) / (len(data) - 2))
    both = np.sqrt(np.diag(cov.two_way(scores, H, data["firm"], data["year"])))
    assert plain == pytest.approx(0.0286, abs=5e-5)
    assert np.sqrt(cov.white(scores, H)[1, 1]) == pytest.approx(0.0284, abs=6e-5)
    assert both[1] == pytest.approx(0.0536, abs=5e-5)
    assert both[0] == pytest.approx(0.0651, abs=5e-5)


def test_petersen_one_way() -> None:
    """By firm .0506, by year .0334: an end that is all one account leaves the other end alone."""
    data, _, scores, H = linear_parts()
    same = np.zeros(len(data), dtype=int)
    for end, expected in (("firm", 0.0506), ("year", 0.0334)):
        for ends in ((data[end], same), (same, data[end])):
            found = np.sqrt(cov.two_way(scores, H, *ends)[1, 1])
            assert found == pytest.approx(expected, abs=6e-5)


def test_which_two_way() -> None:
    """Three conventions are in use: .05245 (plm), .05356 (Petersen, statsmodels), .0553 (pyfixest).

    Ours is the middle one: each of V₁ + V₂ − V₁₂ times its own G / (G − 1).
    """
    data, _, scores, H = linear_parts()
    bread = np.linalg.inv(H)

    def one_way(groups: Any, factor: float) -> Any:
        sums = pd.DataFrame(scores).groupby(groups).sum().to_numpy()
        return factor * bread @ sums.T @ sums @ bread

    sides = [data["firm"].to_numpy(), data["year"].to_numpy(), np.arange(len(data))]
    counts = [len(np.unique(side)) for side in sides]
    fewest = min(counts)
    k = (len(data) - 1) / (len(data) - 2)
    ours, none, least = (
        np.sqrt(sum(sign * one_way(side, factor) for sign, side, factor in
                    zip((1, 1, -1), sides, factors, strict=True))[1, 1])
        for factors in ([g / (g - 1) for g in counts], [1.0] * 3,
                        [k * fewest / (fewest - 1)] * 3)
    )  # fmt: skip
    assert (none, ours, least) == pytest.approx((0.05245, 0.05356, 0.0553), abs=3e-5)
    found = np.sqrt(cov.two_way(scores, H, data["firm"], data["year"])[1, 1])
    assert found == pytest.approx(ours, rel=1e-10)


def test_petersen_logit() -> None:
    """y > 0 on Petersen's data: .04771 and .05882 (statsmodels), to its (n−1)/(n−k) factor."""
    data = petersen()
    x, y = data[["x"]].to_numpy(), (data["y"] > 0).to_numpy().astype(int)
    p = LogitRegression().fit(x, y).predict_proba(x)[:, 1]
    design = np.column_stack([np.ones(len(x)), x])
    scores, H = design * (y - p)[:, None], (design * (p * (1 - p))[:, None]).T @ design
    error = np.sqrt(np.diag(cov.two_way(scores, H, data["firm"], data["year"])))
    assert error[1] == pytest.approx(0.04771, abs=2e-5)
    assert error[0] == pytest.approx(0.05882, abs=2e-5)


# --- shares ----------------------------------------------------------------------------------


def test_wilson() -> None:
    """0 of 10: at most .2775 (Brown, Cai & DasGupta 2001 give z² / (n + z²)); statsmodels."""
    from statsmodels.stats.proportion import proportion_confint

    z = stats.norm.ppf(0.975)
    assert cov.wilson_interval(0, 10) == pytest.approx((0.0, z**2 / (10 + z**2)))
    assert cov.wilson_interval(0, 10)[1] == pytest.approx(0.2775, abs=5e-5)
    for events, n in [(15, 148), (1, 7), (0, 10), (10, 10)]:
        expected = proportion_confint(events, n, method="wilson")
        assert cov.wilson_interval(events, n) == pytest.approx(expected, abs=1e-12)


# --- reciprocity -----------------------------------------------------------------------------


def test_konect_college_messages() -> None:
    """KONECT (opsahl-ucsocial): 1,899 vertices, 20,296 unique edges, fill .0056310, 63.6 %."""
    place = shared_data.find_network("college_msg")
    if place is None:
        pytest.skip("the data set college_msg is not beside the project")
    table = read_parquet(place / "edges.parquet")
    ties = list_ties(table.rename(columns={"source": "follower_id", "target": "followee_id"}))
    assert len(ties) == 20_296
    assert round(100 * edge_reciprocity(ties), 1) == 63.6
    found, counts = reciprocity_correlation(ties), count_ties(ties)
    assert found.account_count == 1_899
    assert 2 * counts.mutual_pair_count + counts.one_way_count == 20_296
    assert round(found.density, 7) == 0.0056310
