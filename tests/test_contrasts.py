"""Each kind of contrast: planted, by hand, and what it says where it cannot be tested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from followkit import covariance as cov
from followkit.contrasts import average_effect, joint_wald
from followkit.dyads import DyadSet
from followkit.errors import CannotFitError, InputError, ParameterError
from followkit.features import CATALOGUE, FeatureTable
from followkit.features.claim import Claim
from followkit.features.feature import Product, multiply_entries
from followkit.logit import expit
from followkit.model import FollowBackModel, fit_follow_back
from followkit.verdicts import COLUMNS, VERDICTS, judge_claims

RATIO, TOPICS, SHARED = "decider_ratio_log", "dyad_topic_cosine", "dyad_common_followees_log"
OWN, POSTS, ACTS = "initiator_ratio_log", "initiator_posts_per_week_log", "decider_actions_log"
SQUARE = "initiator_ratio_log_squared"
PRODUCT = "dyad_topics_by_ratio"

World = tuple[FeatureTable, DyadSet]


def claim(id_: str, sign: int, *contrast: str, **options: Any) -> Claim:
    return Claim(id_, f"Claim {id_}.", sign, contrast, **options)


def make_world(
    seed: int = 0,
    *,
    slopes: Mapping[str, float] | None = None,
    names: Sequence[str] = (RATIO, OWN, SHARED, TOPICS),
    n: int = 2000,
    accounts: int = 150,
    habit: float = 0.4,
    level: float = 0.0,
) -> World:
    """Return features and dyads whose log odds are a planted line plus habits of both accounts."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, accounts, n)
    b = (a + rng.integers(1, accounts, n)) % accounts
    values = pd.DataFrame(rng.normal(size=(n, len(names))), columns=list(names))
    if OWN in values:
        values[SQUARE] = values[OWN] ** 2
    if PRODUCT in CATALOGUE and {TOPICS, RATIO} <= set(names):
        values[PRODUCT] = values[TOPICS] * values[RATIO]
    habits = rng.normal(0, habit, (2, accounts))
    line = level + habits[0, a] + habits[1, b]
    line += sum(slope * values[name] for name, slope in (slopes or {}).items())
    table = pd.DataFrame(
        {
            "dyad_id": np.arange(n),
            "initiator_id": [f"u{k}" for k in a],
            "decider_id": [f"u{k}" for k in b],
            "at": pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(rng.permutation(n), "h"),
            "outcome": (rng.random(n) < expit(np.asarray(line))).astype("int8"),
            "fold": 0,
            "weight": 1.0,
        }
    )
    return open_world(values, table)


def open_world(values: pd.DataFrame, table: pd.DataFrame, **options: Any) -> World:
    values = values.set_axis(pd.Index(table["dyad_id"], name="dyad_id"))
    missing = pd.DataFrame(options.pop("missing", []), columns=["feature", "claim", "reason"])
    dyads = DyadSet("follow_back", table, pd.DataFrame(), 30.0, "timed", None, True)
    return FeatureTable(values, missing, **options), dyads


def judge(world: World, *claims: Claim, **options: Any) -> pd.DataFrame:
    table = judge_claims(claims, *world, **options)
    assert tuple(table.columns) == COLUMNS
    assert set(table["verdict"]) <= set(VERDICTS)
    return table.set_index("claim")


def fit(world: World, *names: str) -> FollowBackModel:
    features, dyads = world
    return fit_follow_back(
        features.values[list(names)].reset_index(drop=True), dyads.table["outcome"],
        initiator=dyads.table["initiator_id"], decider=dyads.table["decider_id"],
    )  # fmt: skip


@pytest.fixture
def product(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add an interaction of topics and the decider's ratio to the catalogue."""
    entry = multiply_entries(
        Product(PRODUCT, "2d", 1, "topics by ratio", (TOPICS, RATIO)), CATALOGUE
    )
    monkeypatch.setitem(CATALOGUE, PRODUCT, entry)


# --- planted truths --------------------------------------------------------------------------


def test_a_row_says_what_the_model_says() -> None:
    world = make_world(2, slopes={TOPICS: 0.3})
    row = judge(world, claim("2a", 1, TOPICS, not_adjusted=(OWN,))).loc["2a"]
    model = fit(world, RATIO, SHARED, TOPICS)
    said = model.coefficients.set_index("term").loc[TOPICS]
    step = CATALOGUE[TOPICS].unit_scale
    assert row["adjusted_for"] == f"{RATIO}, {SHARED}"
    assert row["estimate"] == pytest.approx(step * said["estimate"])
    assert row["ci_low"] == pytest.approx(np.exp(step * said["ci_low"]))
    assert row["ci_high"] == pytest.approx(np.exp(step * said["ci_high"]))
    assert row["p_value"] == pytest.approx(said["p_value"])
    p = expit(model.design @ model.beta)
    assert row["effect"] == pytest.approx(step * said["estimate"] * (p * (1 - p)).mean())


def test_features_that_disagree_have_no_direction() -> None:
    """One slope up, one down by the same step: an association, yet not the one claimed."""
    scale = CATALOGUE[TOPICS].unit_scale / CATALOGUE[SHARED].unit_scale
    world = make_world(4, slopes={TOPICS: 0.5, SHARED: -0.5 * scale}, n=3000)
    row = judge(world, claim("2a", 1, TOPICS, SHARED)).loc["2a"]
    assert row["p_holm"] < 1e-3
    assert row["verdict"] == "undecided"
    assert "different ways" in row["reason"]


def test_a_feature_expected_the_other_way_is_turned() -> None:
    """3a: a high ratio lowers, a high past rate raises; the mean counts the latter turned."""
    rate = "decider_follow_back_rate"
    assert CATALOGUE[RATIO].expected_sign * CATALOGUE[rate].expected_sign == -1
    world = make_world(5, slopes={RATIO: -0.5, rate: 0.5}, names=(RATIO, rate))
    row = judge(world, claim("3a", -1, RATIO, rate)).loc["3a"]
    model = fit(world, RATIO, rate)
    expected = (model.beta[1] * CATALOGUE[RATIO].unit_scale
                - model.beta[2] * CATALOGUE[rate].unit_scale) / 2  # fmt: skip
    assert row["estimate"] == pytest.approx(expected)
    assert row["verdict"] == "supported"


def test_an_association_too_small_to_matter_is_negligible() -> None:
    """20,000 dyads: the 90 % interval of a planted 0 lies well within ±2 points, not ±0.05."""
    world = make_world(6, slopes={TOPICS: 0.3}, n=20_000, accounts=1500, habit=0.2)
    null, strict = claim("4c", 1, SHARED), {"alpha": 1e-6}
    assert judge(world, null, delta=0.02, **strict).loc["4c", "verdict"] == "negligible"
    wide = judge(world, null, delta=0.0005, **strict).loc["4c"]
    assert wide["verdict"] == "undecided"
    clear = judge(world, claim("2a", 1, TOPICS), delta=0.5, **strict).loc["2a"]
    assert clear["verdict"] == "supported"


def test_an_interaction_is_the_slope_of_the_product(product: None) -> None:
    world = make_world(7, slopes={TOPICS: 0.4, RATIO: -0.4, PRODUCT: 0.4}, n=3000)
    row = judge(world, claim("2d", 1, PRODUCT, test="interaction")).loc["2d"]
    assert row["verdict"] == "supported"
    assert {TOPICS, RATIO} <= set(row["adjusted_for"].split(", "))
    assert np.isnan(row["effect"])
    model = fit(world, TOPICS, RATIO, PRODUCT, OWN, SHARED)
    step = CATALOGUE[TOPICS].unit_scale * CATALOGUE[RATIO].unit_scale
    expected = model.beta[model.names.index(PRODUCT) + 1] * step
    assert row["odds_ratio"] == pytest.approx(np.exp(expected))


def test_two_main_slopes_are_no_interaction(product: None) -> None:
    world = make_world(8, slopes={TOPICS: 0.6, RATIO: -0.6}, n=3000)
    row = judge(world, claim("2d", 1, PRODUCT, test="interaction"), delta=1e-6).loc["2d"]
    assert row["verdict"] == "undecided"


def test_inverted_u_and_its_mirror() -> None:
    shape = claim("3e", 0, OWN, SQUARE, test="inverted_u")
    up = judge(make_world(9, slopes={SQUARE: -0.5}), shape).loc["3e"]
    assert up["verdict"] == "supported"
    assert "it turns at" in up["reason"]
    assert up["feature"] == SQUARE
    down = judge(make_world(9, slopes={SQUARE: 0.5}), shape).loc["3e"]
    assert down["verdict"] == "contradicted"
    line = judge(make_world(9, slopes={OWN: 0.8}), shape).loc["3e"]
    assert line["verdict"] == "undecided"
    assert "no interior peak shown" in line["reason"]


def test_rival_shapes() -> None:
    """A peak contradicts "without limit"; no slope at all supports neither shape."""
    rival = claim("3f", 1, OWN, test="rival", not_adjusted=(SQUARE,))
    peaked = judge(make_world(10, slopes={SQUARE: -0.7}, n=4000), rival).loc["3f"]
    assert peaked["verdict"] == "contradicted"
    assert "Held-out log loss" in peaked["reason"]
    flat = judge(make_world(10, n=4000), rival).loc["3f"]
    assert flat["verdict"] == "undecided"


def test_a_saturating_rise_supports_the_monotone_rival() -> None:
    features, dyads = make_world(11, n=6000, accounts=400)
    x = features.values[OWN].to_numpy()
    rng = np.random.default_rng(11)
    outcome = (rng.random(len(x)) < expit(2.5 * np.tanh(4 * (x + 1)))).astype(int)
    world = open_world(features.values, dyads.table.assign(outcome=outcome))
    rival = claim("3f", 1, OWN, test="rival")
    assert judge(world, rival).loc["3f", "verdict"] == "supported"
    against = claim("3f", -1, OWN, test="rival")
    assert judge(world, against).loc["3f", "verdict"] == "contradicted"


def test_a_difference_of_standardised_slopes() -> None:
    """Per standard deviation, so another unit of a feature changes nothing."""
    world = make_world(12, slopes={TOPICS: 0.6, SHARED: 0.1})
    versus = claim("8b", 1, TOPICS, SHARED, test="difference")
    row = judge(world, versus).loc["8b"]
    assert row["verdict"] == "supported"
    model = fit(world, RATIO, OWN, TOPICS, SHARED)
    row_of = np.zeros(len(model.beta))
    for name, sign in ((TOPICS, 1), (SHARED, -1)):
        row_of[model.names.index(name) + 1] = sign * world[0].values[name].std(ddof=0)
    assert row["estimate"] == pytest.approx(row_of @ model.beta)
    t = row_of @ model.beta / np.sqrt(row_of @ model.covariance @ row_of)
    assert row["p_value"] == pytest.approx(2 * stats.t.sf(t, model.degrees_of_freedom))
    scaled = world[0].values.assign(**{TOPICS: world[0].values[TOPICS] * 1000})
    again = judge(open_world(scaled, world[1].table), versus).loc["8b"]
    assert again["estimate"] == pytest.approx(row["estimate"])
    turned = judge(world, claim("8b", 1, SHARED, TOPICS, test="difference")).loc["8b"]
    assert turned["verdict"] == "contradicted"


def test_a_change_over_time() -> None:
    """The slope of topics falls from 0.8 to 0 at the median; where it stays, none is told."""
    features, dyads = make_world(13, n=4000, accounts=300)
    at = dyads.table["at"]
    early = (at <= at.median()).to_numpy(float)
    x = features.values
    # A stream of its own: the one of the world's seed also drew the accounts.
    level = np.random.default_rng([13, 1]).random(len(x))

    def answer(line: np.ndarray) -> World:
        return open_world(x, dyads.table.assign(outcome=(level < expit(line)).astype(int)))

    shared, topics = 0.4 * x[SHARED].to_numpy(), x[TOPICS].to_numpy()
    falls, stays = answer(0.8 * early * topics + shared), answer(0.4 * topics + shared)
    change = claim("4f", 0, TOPICS, test="period")
    row = judge(falls, change).loc["4f"]
    assert row["verdict"] == "supported"
    assert row["estimate"] < 0
    assert "later_half" in row["adjusted_for"]
    assert judge(stays, change).loc["4f", "verdict"] in ("undecided", "negligible")
    assert judge(falls, claim("4f", 0, TOPICS, SHARED, test="period")).loc["4f", "p_holm"] < 0.05


def test_period_needs_times() -> None:
    features, dyads = make_world(14, n=600)
    row = judge((features, replace(dyads, asof="snapshot")),
                claim("4f", 0, TOPICS, test="period")).loc["4f"]  # fmt: skip
    assert (row["verdict"], row["reason"]) == ("not measurable", "needs follow times")


# --- Holm ------------------------------------------------------------------------------------


def test_the_family_holds_testable_claims_only() -> None:
    world = make_world(15, slopes={TOPICS: 0.3})
    alone = judge(world, claim("2a", 1, TOPICS)).loc["2a"]
    none = claim("9d", 1, POSTS), claim("9a", 1, RATIO, test="none", needs="needs advertising")
    beside = judge(world, *none, claim("2a", 1, TOPICS), claim("4c", 1, SHARED)).loc["2a"]
    assert alone["p_holm"] == alone["p_value"]
    assert beside["p_value"] == alone["p_value"]
    assert beside["p_holm"] == pytest.approx(2 * alone["p_value"])
    assert "over 2 claims" in beside["reason"]


def test_landmarks_join_the_family() -> None:
    world = make_world(16, slopes={TOPICS: 0.5})
    own = [claim("0a", 1, test="landmark"), claim("0b", 1, test="landmark"),
           claim("0c", 1, test="landmark")]  # fmt: skip
    rows = {
        "0a": {"estimate": 0.4, "odds_ratio": 1.5, "ci_low": 1.2, "ci_high": 1.8, "n": 300,
               "p_value": 1e-4, "sign": 1, "label": "withdrawal", "std_error": 0.1},
        "0b": {"estimate": -2.0, "ci_low": -3.0, "ci_high": -1.0, "n": 200, "p_value": 1e-3},
        "0c": {"reason": "only 4 answers", "n": 9, "p_value": np.nan},
    }  # fmt: skip
    table = judge(world, *own, claim("2a", 1, TOPICS), landmarks=rows)
    expected = ["supported", "contradicted", "too little data", "supported"]
    assert table["verdict"].tolist() == expected
    assert table.loc["0a", "p_holm"] == pytest.approx(2e-4)
    assert table.loc["0c", "reason"] == "only 4 answers"
    assert np.isnan(table.loc["0b", "ci_low"])  # limits of a difference, not of an odds ratio
    without = judge(world, *own)
    assert (without["verdict"] == "not measurable").all()
    assert without["p_holm"].isna().all()


# --- what cannot be measured or carried ------------------------------------------------------


def test_what_is_lacking_is_said() -> None:
    features, dyads = make_world(17, names=(RATIO, OWN, TOPICS, POSTS), n=600)
    values = features.values.copy()
    values.iloc[:400, values.columns.get_loc(POSTS)] = np.nan
    world = open_world(values, dyads.table, untimed=(OWN,),
                       missing=[(ACTS, "5e", "needs posts with times")])  # fmt: skip
    table = judge(
        world, claim("5e", 1, ACTS), claim("5a", 1, POSTS), claim("3f", 1, OWN),
        claim("3e", 0, OWN, test="inverted_u"), claim("4c", 1, SHARED),
        claim("9d", 1, test="none", needs="needs advertising records"), claim("2a", 1, TOPICS),
    )  # fmt: skip
    assert (table["verdict"].iloc[:6] == "not measurable").all()
    reasons = table["reason"]
    assert reasons["5e"] == "needs posts with times"
    assert reasons["5a"].endswith("not known for enough dyads (33%)")
    assert "may post-date the answer" in reasons["3f"]
    assert reasons["4c"] == f"needs {SHARED}, which was not computed"
    assert reasons["9d"] == "needs advertising records"
    # Nor is any of them adjusted for.
    assert table.loc["2a", "adjusted_for"] == RATIO
    assert table.loc["2a", "n"] == 600


def test_an_interaction_without_its_main_effects_is_not_measurable(product: None) -> None:
    features, dyads = make_world(18, n=600)
    world = open_world(features.values.drop(columns=TOPICS), dyads.table)
    row = judge(world, claim("2d", 1, PRODUCT, test="interaction")).loc["2d"]
    assert row["verdict"] == "not measurable"
    assert TOPICS in row["reason"]


def test_a_secondary_feature_that_is_lacking_leaves_the_headline() -> None:
    world = make_world(19, slopes={TOPICS: 0.5})
    row = judge(world, claim("2a", 1, TOPICS, POSTS)).loc["2a"]
    assert row["verdict"] == "supported"
    assert row["label"] == CATALOGUE[TOPICS].label


# What Firth's fit says of intervals that no verdict uses.
@pytest.mark.filterwarnings("ignore:Profile-likelihood CI did not converge")
@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("few answers", "too few for a model"),
        ("nobody", "nobody followed back"),
        ("few accounts", "effective accounts; a verdict needs 20"),
        ("constant", "it is the same for every dyad"),
        ("separated", "(nearly) decide the outcome"),
        ("too many", "carry 3 features; this contrast and what it is adjusted for are 4"),
    ],
)
def test_too_little_data_says_why_and_stays_out_of_the_family(what: str, reason: str) -> None:
    accounts = 12 if what == "few accounts" else 150
    features, dyads = make_world(20, n=600, accounts=accounts, habit=0.1)
    values, table = features.values.drop(columns=SQUARE), dyads.table.copy()
    if what == "few answers":
        table["outcome"] = (np.arange(600) < 15).astype(int)
    if what == "nobody":
        table["outcome"] = 0
    if what == "constant":
        values[TOPICS] = 1.0
    if what == "separated":
        values[TOPICS] = table["outcome"] * 2.0 + 0.1 * values[TOPICS].to_numpy().clip(-1, 1)
    if what == "too many":
        table["outcome"] = (np.random.default_rng(3).random(600) < 0.05).astype(int)
    row = judge(open_world(values, table), claim("2a", 1, TOPICS)).loc["2a"]
    assert row["verdict"] == "too little data"
    assert reason in row["reason"]
    assert np.isnan(row["p_value"])
    assert np.isnan(row["p_holm"])


def test_an_adjuster_that_repeats_the_contrast_gives_way() -> None:
    """The contrast stays although the adjuster comes first in the table."""
    features, dyads = make_world(21, slopes={TOPICS: 0.5})
    world = open_world(features.values.assign(**{RATIO: 2 * features.values[TOPICS]}), dyads.table)
    row = judge(world, claim("2a", 1, TOPICS)).loc["2a"]
    assert row["verdict"] == "supported"
    assert RATIO not in row["adjusted_for"]


def test_how_many_features_are_carried() -> None:
    """200 answers of 600 with a design effect of 4: 200 / 40 = 5 features; never under 3."""
    rate = cov.Rate(1 / 3, 0.3, 0.4, 0.02, 600, 200, 90, 40.0, 4.0, "")
    assert cov.count_carried(rate) == 5
    assert cov.count_carried(replace(rate, event_count=400)) == 5
    assert cov.count_carried(replace(rate, event_count=20)) == 3
    assert cov.count_carried(replace(rate, design_effect=0.5)) == 20


def test_a_clipped_covariance_is_refused() -> None:
    """A direction without variance would be certain; it was not estimated."""
    model = fit(make_world(22, n=800), RATIO, TOPICS)
    flat = model.covariance.copy()
    flat[1, :] = flat[:, 1] = 0.0
    with pytest.raises(CannotFitError, match="could not be estimated"):
        joint_wald(replace(model, covariance=flat), np.array([[0.0, 1.0, 0.0]]))


def test_the_effect_of_a_combination_against_finite_differences() -> None:
    model = fit(make_world(23, slopes={RATIO: 0.5}, n=800), RATIO, TOPICS)
    contrast = np.array([0.0, 0.7, -0.3])

    def mean_slope(beta: np.ndarray) -> float:
        p = expit(model.design @ beta)
        return float((p * (1 - p)).mean() * (contrast @ beta))

    effect, error = average_effect(model, contrast)
    steps = 1e-6 * np.eye(3)
    slope = [(mean_slope(model.beta + h) - mean_slope(model.beta - h)) / 2e-6 for h in steps]
    assert effect == pytest.approx(mean_slope(model.beta))
    assert error == pytest.approx(np.sqrt(slope @ model.covariance @ slope), rel=1e-5)


# --- invariants ------------------------------------------------------------------------------

ALL = (
    claim("2a", 1, TOPICS, SHARED), claim("3a", -1, RATIO),
    claim("3e", 0, OWN, SQUARE, test="inverted_u"), claim("4f", 0, TOPICS, test="period"),
    claim("8b", 1, TOPICS, SHARED, test="difference"),
)  # fmt: skip


def same(one: pd.DataFrame, other: pd.DataFrame, **tolerance: float) -> None:
    numbers = one.select_dtypes("number").columns
    pd.testing.assert_frame_equal(one[numbers], other[numbers], **tolerance)
    assert one["verdict"].equals(other["verdict"])


def test_other_claims_change_nothing_but_the_family() -> None:
    world = make_world(25, slopes={TOPICS: 0.3}, n=1000)
    together = judge(world, *ALL).drop(columns=["p_holm", "reason", "verdict"])
    for one in ALL:
        alone = judge(world, one).drop(columns=["p_holm", "reason", "verdict"])
        pd.testing.assert_frame_equal(alone, together.loc[[one.id]], check_exact=True)


def test_nothing_handed_in_is_changed() -> None:
    features, dyads = make_world(26, n=600)
    before, rows = features.values.copy(), dyads.table.copy()
    judge((features, dyads), *ALL)
    pd.testing.assert_frame_equal(features.values, before)
    pd.testing.assert_frame_equal(dyads.table, rows)


# --- bad input -------------------------------------------------------------------------------


def test_bad_arguments() -> None:
    world = make_world(27, n=300)
    one = claim("2a", 1, TOPICS)
    for options, message in (
        ({"delta": 0.0}, "delta: must lie between 0 and 1"),
        ({"alpha": 1.0}, "alpha: must lie"),
        ({"confidence": 95}, "confidence: must lie"),
    ):
        with pytest.raises(ParameterError, match=message):
            judge(world, one, **options)
    with pytest.raises(ParameterError, match="2a comes twice"):
        judge(world, one, one)
    with pytest.raises(ParameterError, match="did you mean dyad_topic_cosine"):
        judge(world, claim("2a", 1, "dyad_topic_cosin"))
    with pytest.raises(ParameterError, match="is no product"):
        judge(world, claim("2d", 1, TOPICS, test="interaction"))
    with pytest.raises(ParameterError, match="two features are needed"):
        judge(world, claim("8b", 1, TOPICS, test="difference"))
    features, dyads = world
    with pytest.raises(InputError, match="rows must be those of the 300 dyads"):
        judge((replace(features, values=features.values.iloc[::-1]), dyads), one)


# --- false verdicts --------------------------------------------------------------------------
