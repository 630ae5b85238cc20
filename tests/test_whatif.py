"""What-if against brute force, finite differences, drawn coefficients and a planted truth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from followkit.errors import InputError, ParameterError
from followkit.features import CATALOGUE
from followkit.levers import LEVERS, Change
from followkit.logit import expit
from followkit.model import FollowBackModel, fit_follow_back
from followkit.whatif import what_if, what_if_table

SLOPES = pd.Series(
    {
        "initiator_ratio_log": 0.3,
        "initiator_ratio_log_squared": -0.2,
        "dyad_follower_gap_log": -0.15,
        "initiator_posts_per_week_log": 0.6,
        "dyad_topic_cosine": 1.5,
        "dyad_topic_by_posts": 0.5,
        "has_decider_history": 0.4,
    }
)
PARTS = ("dyad_topic_cosine", "initiator_posts_per_week_log")


@pytest.fixture(autouse=True)
def product(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enter topics × posts into the catalogue."""
    entry = replace(CATALOGUE[PARTS[0]], name="dyad_topic_by_posts", parts=PARTS)
    monkeypatch.setitem(CATALOGUE, "dyad_topic_by_posts", entry)


def make_data(seed: int = 0, n: int = 1500, count: int = 120) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    followers = np.round(rng.lognormal(4.5, 0.8, count))
    followees = np.round(rng.lognormal(4.5, 0.6, count))
    posts = rng.integers(0, 30, count) / 4
    a = rng.integers(0, count, n)
    b = (a + rng.integers(1, count, n)) % count
    ratio = np.log((followers + 1) / (followees + 1))[a]
    topic = rng.beta(2, 5, n)
    table = pd.DataFrame(
        {
            "initiator_ratio_log": ratio,
            "initiator_ratio_log_squared": ratio**2,
            "dyad_follower_gap_log": np.log1p(followers[b]) - np.log1p(followers[a]),
            "initiator_posts_per_week_log": np.log1p(posts)[a],
            "dyad_topic_cosine": topic,
            "dyad_topic_by_posts": topic * np.log1p(posts)[a],
            "has_decider_history": (rng.random(n) < 0.6).astype(float),
            "initiator_followee_count_log": np.log1p(followees)[a],
        }
    )
    linear = table[list(SLOPES.index)].to_numpy() @ SLOPES.to_numpy() - 1.2
    y = (rng.random(n) < expit(linear)).astype(int)
    return {"features": table, "outcome": y, "initiator": a, "decider": b}


def fit(data: dict[str, Any], **options: Any) -> FollowBackModel:
    names = list(SLOPES.index)
    return fit_follow_back(**{"penalty": "none", "names": names, **data, **options})


def post_more(table: pd.DataFrame, factor: float = 2.0) -> pd.DataFrame:
    """Post `factor` times as often, written without the module."""
    posts = np.log1p(factor * np.expm1(table["initiator_posts_per_week_log"]))
    table = table.assign(initiator_posts_per_week_log=posts)
    return table.assign(dyad_topic_by_posts=table["dyad_topic_cosine"] * posts)


def gain_followers(table: pd.DataFrame, factor: float = 2.0) -> pd.DataFrame:
    log_followees = table["initiator_followee_count_log"]
    log_followers = table["initiator_ratio_log"] + log_followees
    by = np.log1p(factor * np.expm1(log_followers)) - log_followers
    ratio = table["initiator_ratio_log"] + by
    gap = table["dyad_follower_gap_log"] - by
    return table.assign(
        initiator_ratio_log=ratio, initiator_ratio_log_squared=ratio**2, dyad_follower_gap_log=gap
    )


CHANGES = {"posts_per_week": post_more, "followers": gain_followers}


def design_of(model: FollowBackModel, table: pd.DataFrame) -> np.ndarray:
    return np.column_stack([np.ones(len(table)), table[list(model.names)].to_numpy(float)])


def distances(model: FollowBackModel, table: pd.DataFrame) -> np.ndarray:
    """Mahalanobis distances over the features that are no flags, by the plain inverse."""
    columns = [name for name in model.names if name != "has_decider_history"]
    seen = pd.DataFrame(model.design[:, 1:], columns=list(model.names))[columns]
    centred = (table[columns] - seen.mean()).to_numpy()
    return np.sqrt(np.einsum("ij,jk,ik->i", centred, np.linalg.inv(np.cov(seen.T)), centred))


def keep_inside(
    model: FollowBackModel, data: dict[str, Any], change: str, share: float = 0.975
) -> np.ndarray:
    """Which dyads stay inside the range seen, or stay as they are, when a quantity doubles."""
    table = data["features"]
    after = CHANGES[change](table)
    limit = np.quantile(distances(model, table), share)
    moved = (after != table).any(axis=1).to_numpy()
    return ~(moved & (distances(model, after) > limit))


# --- brute force and identities --------------------------------------------------------------


@pytest.mark.parametrize("quantity", list(CHANGES))
def test_means_and_range_against_brute_force(quantity: str) -> None:
    data = make_data()
    model = fit(data)
    kept = keep_inside(model, data, quantity)
    table = data["features"][kept]
    sides = [expit(design_of(model, t) @ model.beta) for t in (table, CHANGES[quantity](table))]
    found = what_if(model, data["features"], {quantity: "x2"})
    assert (found.n, found.outside_count) == (kept.sum(), (~kept).sum())
    assert found.outside_count > 0
    assert found.before == pytest.approx(sides[0].mean(), abs=1e-12)
    assert found.after == pytest.approx(sides[1].mean(), abs=1e-12)
    assert found.change == pytest.approx((sides[1] - sides[0]).mean(), abs=1e-12)


def test_forcing_a_flag_is_its_published_marginal_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    """PSI from 0 to 1 in Spector's data: .357515, by setting it for all and for nobody."""
    import statsmodels.api as sm

    monkeypatch.setattr("followkit.predictions.RANGE_SHARE", 1.0)
    data = sm.datasets.spector.load_pandas()
    columns = {"PSI": "initiator_hashtag_mix", "GPA": "gpa", "TUCE": "tuce"}
    x = pd.concat([data.exog[list(columns)]] * 2, ignore_index=True).rename(columns=columns)
    ids = np.arange(len(x))
    model = fit_follow_back(
        x, np.tile(data.endog, 2), initiator=ids, decider=ids + len(x), covariance="classical",
        penalty="none",
    )  # fmt: skip
    all_of_them = what_if(model, x, {"hashtag_mix": "=1"})
    nobody = what_if(model, x, {"hashtag_mix": "=0"})
    assert all_of_them.change - nobody.change == pytest.approx(0.357515, abs=2e-6)


def test_there_and_back_is_no_change() -> None:
    data = make_data(1)
    model = fit(data)
    found = what_if(
        model, data["features"],
        [Change("followers", "multiply", 1.1), Change("followers", "multiply", 1 / 1.1)],
    )  # fmt: skip
    assert found.change == pytest.approx(0, abs=1e-12)
    assert found.ci_high == pytest.approx(0, abs=1e-10)


# --- intervals -------------------------------------------------------------------------------


def standard_error(found: Any, model: FollowBackModel) -> float:
    reach = stats.t.ppf((1 + found.confidence) / 2, model.degrees_of_freedom)
    return float((found.ci_high - found.ci_low) / 2 / reach)


@pytest.mark.parametrize("quantity", list(CHANGES))
def test_interval_against_numerical_differentiation(quantity: str) -> None:
    data = make_data(2)
    model = fit(data)
    table = data["features"][keep_inside(model, data, quantity)]
    before, after = design_of(model, table), design_of(model, CHANGES[quantity](table))

    def change(beta: Any) -> float:
        return float((expit(after @ beta) - expit(before @ beta)).mean())

    h = 1e-5
    steps = np.eye(len(model.beta)) * h
    gradient = np.array(
        [(change(model.beta + s) - change(model.beta - s)) / (2 * h) for s in steps]
    )
    expected = np.sqrt(gradient @ model.covariance @ gradient)
    found = what_if(model, data["features"], {quantity: "x2"})
    assert standard_error(found, model) == pytest.approx(expected, rel=1e-6)
    assert (found.ci_low + found.ci_high) / 2 == pytest.approx(found.change, abs=1e-12)


def test_interval_against_drawn_coefficients() -> None:
    """4,000 draws from N(b, V): standard error and both ends within 10 %."""
    data = make_data(3)
    model = fit(data)
    table = data["features"][keep_inside(model, data, "posts_per_week")]
    before, after = design_of(model, table), design_of(model, post_more(table))
    rng = np.random.default_rng(0)
    draws = rng.multivariate_normal(model.beta, model.covariance, 4000).T
    changes = (expit(after @ draws) - expit(before @ draws)).mean(axis=0)
    found = what_if(model, data["features"], {"posts_per_week": "x2"})
    assert changes.std() == pytest.approx(standard_error(found, model), rel=0.1)
    ends = np.quantile(changes, [0.025, 0.975]) - found.change
    assert ends == pytest.approx([found.ci_low - found.change, found.ci_high - found.change],
                                 rel=0.1)  # fmt: skip


def test_planted_changes_lie_in_their_intervals() -> None:
    """Forty worlds with known slopes: nine intervals in ten at least hold the true change."""
    hits, misses = 0, []
    for seed in range(40):
        data = make_data(100 + seed, n=900)
        model = fit(data, covariance="classical")
        found = what_if(model, data["features"], "twice_the_posts")
        table = data["features"][keep_inside(model, data, "posts_per_week")]
        beta = np.r_[-1.2, SLOPES[list(model.names)]]
        sides = [expit(design_of(model, t) @ beta).mean() for t in (table, post_more(table))]
        hits += found.ci_low <= sides[1] - sides[0] <= found.ci_high
        misses.append(found.change - (sides[1] - sides[0]))
    # Below 33 of 40 has probability .003 at a coverage of .95.
    assert hits >= 33
    assert abs(np.mean(misses)) < 3 * np.std(misses) / np.sqrt(len(misses))


def test_confidence_and_penalties() -> None:
    data = make_data(4)
    model, table = fit(data), data["features"]
    wide = what_if(model, table, "one_more_post", confidence=0.99)
    assert wide.confidence == 0.99
    narrow = what_if(model, table, "one_more_post", confidence=0.5)
    assert wide.ci_high - wide.ci_low > 2 * (narrow.ci_high - narrow.ci_low)
    ridge = what_if(fit(data, penalty="ridge"), table, "one_more_post")
    assert np.isnan([ridge.ci_low, ridge.ci_high]).all()
    assert np.isfinite(ridge.change)
    assert "no interval: the model is penalised" in ridge.text
    firth = what_if(fit(data, penalty="firth"), table, "one_more_post")
    assert "as if dyads were independent" in firth.text


# --- who is changed --------------------------------------------------------------------------


def test_one_initiator() -> None:
    data = make_data(5)
    model, table = fit(data), data["features"]
    mine = data["initiator"] == 7
    found = what_if(model, table, {"posts_per_week": 0.5}, rows=mine)
    alone = what_if(model, table[mine], {"posts_per_week": 0.5})
    assert found == alone
    assert found.n + found.outside_count == mine.sum()
    everyone = what_if(model, table, {"posts_per_week": 0.5})
    assert everyone.n + everyone.outside_count == len(table)


def test_weights_count() -> None:
    data = make_data(6, n=600)
    model, table = fit(data), data["features"]
    weights = np.where(data["initiator"] % 2, 2.0, 0.0)
    twice = pd.concat([table[weights > 0]] * 2)
    weighted = what_if(model, table, "one_more_post", weights=weights)
    repeated = what_if(model, twice, "one_more_post")
    assert weighted.change == pytest.approx(repeated.change, abs=1e-12)
    assert weighted.ci_low == pytest.approx(repeated.ci_low, abs=1e-12)


def test_unknown_features_are_left_out_and_counted() -> None:
    data = make_data(7)
    model, table = fit(data), data["features"].copy()
    table.loc[:9, "has_decider_history"] = np.nan
    table.loc[10:14, "initiator_followee_count_log"] = np.nan
    posts = what_if(model, table, "one_more_post")
    assert posts.incomplete_count == 10
    followees = what_if(model, table, "fewer_followees")
    assert followees.incomplete_count == 15
    assert followees.n + followees.outside_count == len(table) - 15


# --- refusals --------------------------------------------------------------------------------


def test_out_of_range_is_refused_in_a_sentence() -> None:
    data = make_data(8)
    model, table = fit(data), data["features"]
    found = what_if(model, table, {"followers": "x1000"})
    assert found.refused
    assert found.n == 0
    assert np.isnan([found.before, found.after, found.change, found.ci_low, found.ci_high]).all()
    assert found.outside_count > len(table) / 2
    assert found.text.startswith("Followers of the initiator × 1000: refused, because 100.0 % of")
    assert "would lie outside the joint range of features seen here" in found.text


def test_jointly_odd_is_refused_where_each_alone_is_common() -> None:
    """Two features that go hand in hand; either value has been seen, the pair has not."""
    rng = np.random.default_rng(9)
    common = rng.uniform(0.2, 0.8, 800)
    table = pd.DataFrame(
        {"dyad_topic_cosine": common, "dyad_bio_cosine": common + rng.normal(0, 0.01, 800)}
    ).clip(0, 1)
    y = (rng.random(800) < common).astype(int)
    ids = np.arange(800)
    model = fit_follow_back(table, y, initiator=ids, decider=ids + 800, penalty="none")
    middle = ((common > 0.4) & (common < 0.6)).astype(bool)
    alone = what_if(model, table, {"topic_cosine": "+0.2"}, rows=middle)
    assert alone.refused
    both = what_if(model, table, {"topic_cosine": "+0.1", "bio_cosine": "+0.1"}, rows=middle)
    assert not both.refused
    assert both.outside_count < 0.05 * middle.sum()


def test_a_dyad_that_was_odd_before_is_not_extrapolated_from() -> None:
    data = make_data(10)
    model, table = fit(data), data["features"]
    odd = distances(model, table).argmax()
    mask = np.arange(len(table)) == odd
    found = what_if(model, table, {"posts_per_week": 0.01}, rows=mask)
    assert found.refused
    still = what_if(model, table, {"posts_per_week": 0.0}, rows=mask)
    assert (still.change, still.n, still.reason) == (0.0, 1, "")


def test_a_lever_at_its_limit_changes_nothing() -> None:
    data = make_data(11)
    table = data["features"].assign(initiator_hashtag_mix=np.random.default_rng(1).random(1500))
    model = fit({**data, "features": table}, names=[*SLOPES.index, "initiator_hashtag_mix"])
    found = what_if(model, table.assign(initiator_hashtag_mix=1.0), "even_hashtags")
    assert (found.change, found.ci_low, found.ci_high) == (0.0, 0.0, 0.0)
    assert found.n == len(table)


def test_levers_without_their_columns_say_what_is_missing() -> None:
    data = make_data(12)
    model, table = fit(data), data["features"]
    found = what_if_table(model, table).set_index("lever")
    assert list(found.index) == [lever.name for lever in LEVERS]
    given = {"closer_topics", "balanced_ratio", "fewer_followees", "one_more_post",
             "twice_the_posts"}  # fmt: skip
    assert set(found.index[found["reason"] == ""]) == given
    assert found.loc["closer_bio", "reason"] == (
        "not available: it needs similarity of the two bios, which these data do not give"
    )
    assert found.loc[list(given), "change"].notna().all()
    assert found.loc["balanced_ratio", "claims"] == "3e, 3f"
    one = what_if(model, table, "twice_the_posts")
    row = found.loc["twice_the_posts"]
    assert (row["change"], row["n"], row["outside_count"]) == (one.change, one.n, one.outside_count)


def test_a_quantity_that_the_model_does_not_use_is_no_zero() -> None:
    data = make_data(13)
    model = fit(data, names=["dyad_topic_cosine", "has_decider_history"])
    found = what_if(model, data["features"], "one_more_post")
    assert found.reason == "not available: nothing that it moves is in the model"


def test_a_product_whose_part_is_missing_is_not_held_still() -> None:
    data = make_data(14)
    model = fit(data, names=["dyad_topic_by_posts", "has_decider_history"])
    table = data["features"].drop(columns="dyad_topic_cosine")
    found = what_if(model, table, "one_more_post")
    assert found.reason == (
        "not available: it moves topic similarity of their posts, which the table lacks"
    )


# --- words -----------------------------------------------------------------------------------


def test_the_sentence_says_what_it_is_conditional_on() -> None:
    data = make_data(15)
    model, table = fit(data), data["features"]
    text = what_if(model, table, "one_more_post").text
    for said in (
        "One more post a week goes with a predicted",
        "95 % interval",
        "conditional on the accounts observed",
        "outside the range seen left out",
        "an association, not an effect",
    ):
        assert said in text
    assert "independent" not in text
    both = what_if(model, table, {"posts_per_week": "−0.5", "followees": "x0.9"})
    assert both.label == "posts per week −0.5 and accounts that the initiator follows × 0.9"


# --- invariants ------------------------------------------------------------------------------


def test_row_order_and_names_do_not_matter() -> None:
    data = make_data(16)
    model, table = fit(data), data["features"]
    one = what_if_table(model, table)
    order = np.random.default_rng(2).permutation(len(table))
    shuffled = {
        "features": table.iloc[order].set_axis([f"row {k}" for k in order]),
        "outcome": data["outcome"][order],
        "initiator": [f"a{k}" for k in data["initiator"][order]],
        "decider": [f"a{k}" for k in data["decider"][order]],
    }
    pd.testing.assert_frame_equal(
        one, what_if_table(fit(shuffled), shuffled["features"]), rtol=1e-8, atol=1e-10
    )
    again = what_if_table(model, table)
    pd.testing.assert_frame_equal(one, again, check_exact=True)


# --- bad input -------------------------------------------------------------------------------


def test_unknown_levers_quantities_and_texts() -> None:
    data = make_data(17)
    model, table = fit(data), data["features"]
    with pytest.raises(ParameterError, match=r"did you mean one_more_post\?"):
        what_if(model, table, "one_more_posts")
    with pytest.raises(ParameterError, match=r"did you mean followers\?"):
        what_if(model, table, {"follower": "x2"})
    for text in ("2", "double", "x", "x-2", ""):
        with pytest.raises(ParameterError, match=r"followers cannot be changed by"):
            what_if(model, table, {"followers": text})
    with pytest.raises(ParameterError, match=r"changes: none given"):
        what_if(model, table, {})
    with pytest.raises(ParameterError, match=r"confidence: must lie between 0 and 1; got 95"):
        what_if(model, table, "one_more_post", confidence=95)


def test_rows_and_weights_that_do_not_fit() -> None:
    data = make_data(18)
    model, table = fit(data), data["features"]
    for rows in (np.ones(3, bool), np.arange(len(table))):
        with pytest.raises(InputError, match=r"rows: one True or False for each of the 1,500"):
            what_if(model, table, "one_more_post", rows=rows)
    with pytest.raises(InputError, match=r"rows: 0 dyads chosen"):
        what_if(model, table, "one_more_post", rows=np.zeros(len(table), bool))
    with pytest.raises(InputError, match=r"weights: a number of 0 or more for each of the 1,500"):
        what_if(model, table, "one_more_post", weights=-np.ones(len(table)))
    with pytest.raises(InputError, match=r"dyad_topic_cosine is in the model but not in the"):
        what_if(model, table.drop(columns="dyad_topic_cosine"), "one_more_post")
