"""The nine factors of one data set: questions answered from observed numbers, and their words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from followkit import describe_factors as tell
from followkit import factor_sections as part
from followkit import factors as fx
from followkit.analysis import Analysis, analyse
from followkit.dyads import make_dyads
from followkit.errors import InputError
from followkit.features import CATALOGUE, CLAIMS
from followkit.simulate import make_town


@pytest.fixture(scope="module")
def small_town() -> Any:
    return make_town(420, seed=4, weeks=22, follows_per_account=16)


@pytest.fixture(scope="module")
def analysis(small_town: Any) -> Analysis:
    return analyse(small_town, "follow_back", also=fx.list_claim_features())


@pytest.fixture(scope="module")
def study(analysis: Analysis) -> fx.Factors:
    return fx.study_factors(analysis)


@pytest.fixture(scope="module")
def bare(nostr: Any) -> fx.Factors:
    """Two crawls and nothing else: most of it cannot be told."""
    return fx.study_factors(analyse(nostr, "late_answer", also=fx.list_claim_features()))


def test_claims_come_once_each_in_the_order_of_their_ids(study: fx.Factors) -> None:
    assert study.claims["claim"].tolist() == sorted(CLAIMS)
    assert study.claims["verdict"].notna().all()
    assert study.claims.set_index("claim").loc["9d", "verdict"] == "not measurable"


def test_contributions_and_carriers_share_out_the_same_total(study: fx.Factors) -> None:
    assert study.contributions is not None
    assert study.carriers is not None
    total = study.contributions.total[0]
    assert study.contributions.table["shapley"].sum() == pytest.approx(total, abs=1e-9)
    shares = study.carriers.shares.set_index("carrier")["deviance"]
    assert shares[["initiator", "decider", "pair"]].sum() == pytest.approx(total, abs=1e-9)
    assert shares["explained"] == pytest.approx(total, abs=1e-9)


def test_levers_are_tried_on_one_account_alone(analysis: Analysis) -> None:
    busiest = analysis.dyads.table["initiator_id"].value_counts().index[0]
    mine = fx.study_factors(analysis, initiator=str(busiest)).changes
    dyads = int((analysis.dyads.table["initiator_id"] == busiest).sum())
    made = mine[mine["reason"] == ""]
    assert not made.empty
    assert (made["n"] + made["outside_count"]).max() <= dyads


def test_an_account_without_a_follow_is_refused(analysis: Analysis) -> None:
    with pytest.raises(InputError, match="initiated none of the"):
        fx.study_factors(analysis, initiator="nobody")


def test_popular_and_relevant_groups_are_those_of_a_plain_count(study: fx.Factors) -> None:
    groups = fx.compare_popularity(study)
    table = study.analysis.features.values
    outcome = study.analysis.dyads.table["outcome"].to_numpy()
    followers = np.expm1(table["initiator_follower_count_log"].to_numpy())
    topic = table["dyad_topic_cosine"].to_numpy()
    few, many = np.nanquantile(followers, [0.25, 0.75])
    far, near = np.nanquantile(topic, [0.25, 0.75])
    for keep, row in zip(
        ((followers >= many) & (topic <= far), (followers <= few) & (topic >= near)),
        groups.table.itertuples(), strict=True,
    ):  # fmt: skip
        assert (row.n, row.answered) == (keep.sum(), outcome[keep].sum())
    odds = groups.table["rate"] / (1 - groups.table["rate"])
    assert groups.odds_ratio == pytest.approx(odds[1] / odds[0], rel=1e-6)


def test_the_ratio_is_read_at_equal_followers(study: fx.Factors) -> None:
    table = fx.ratio_beyond_followers(study)
    assert set(table["term"]) == {"initiator_ratio_log", "initiator_follower_count_log"}
    assert (table["ci_low"] < table["odds_ratio"]).all()


def test_effects_without_visibility_come_from_a_model_without_it(study: fx.Factors) -> None:
    table = fx.compare_effects_without(study).set_index("term")
    with_it = study.analysis.effects.set_index("term")["odds_ratio"]
    assert table["odds_ratio"].to_dict() == with_it[table.index].to_dict()
    assert (table["odds_ratio"] != table["odds_ratio_without"]).all()


def test_a_silence_is_drawn_with_and_without_visibility(study: fx.Factors) -> None:
    curves = fx.recency_curves(study)
    assert set(curves["series"]) == {"with visibility", "without visibility"}
    ends = curves[curves["series"] == "with visibility"].set_index("value")["probability"]
    found = fx.compare_silence(study)
    assert [found.first, found.second] == pytest.approx([ends[0.0], ends[84.0]])


def test_the_surprise_is_the_likeliest_of_the_unanswered(study: fx.Factors) -> None:
    analysis = study.analysis
    assert analysis.model is not None
    explanation = fx.explain_surprise(study)
    assert explanation is not None
    p = analysis.model.predict_proba(analysis.features.values)
    unanswered = (analysis.dyads.table["outcome"] == 0).to_numpy()
    assert explanation.probability == pytest.approx(np.nanmax(p[unanswered]))


def test_a_waterfall_runs_from_the_average_dyad_to_this_one(study: fx.Factors) -> None:
    explanation = fx.explain_surprise(study)
    assert explanation is not None
    steps = tell.make_waterfall(explanation)
    assert steps["before"].iloc[0] == pytest.approx(1 / (1 + np.exp(-explanation.base)))
    assert steps["after"].iloc[-1] == pytest.approx(explanation.probability)
    assert steps["before"].iloc[1:].tolist() == pytest.approx(steps["after"].iloc[:-1].tolist())
    assert len(steps) <= 9


def test_convictions_stay_out_of_the_model_and_of_explanations(small_town: Any) -> None:
    accounts = small_town.accounts
    camps = np.where(np.arange(len(accounts)) % 2, "north", "south")
    town = small_town.replace(accounts=accounts.assign(stance=camps))
    analysis = analyse(
        town, "follow_back", also=["dyad_same_stance"], allow_sensitive=True, allow_untimed=True
    )
    assert "dyad_same_stance" in analysis.features.values
    assert analysis.model is not None
    assert not any(CATALOGUE[name].is_sensitive for name in analysis.model.names)
    assert fx.find_surprise(analysis) is not None


def test_words_hold_the_numbers_of_their_tables(study: fx.Factors) -> None:
    shares = tell.describe_contributions(study)
    clear = shares.table[shares.table["ci_low"] > 0]
    largest = clear.sort_values("shapley").iloc[-1]
    assert f"{100 * largest['share']:.1f} %" in shares.text
    claims = tell.describe_claims(study)
    tested = int(study.claims["p_holm"].notna().sum())
    assert claims.text.startswith(f"{tested} of {len(CLAIMS)} claims")
    assert len(claims.table) == len(CLAIMS)
    numbers = tell.collect_factor_numbers(study)
    assert set(numbers["claims"]) == set(CLAIMS)
    assert numbers["explained"]["value"] == study.contributions.total[0]  # type: ignore[union-attr]


def test_data_that_cannot_say_are_answered_honestly(bare: fx.Factors) -> None:
    curve, groups = fx.follower_curve(bare), fx.compare_popularity(bare)
    followers = tell.describe_followers(curve, groups, fx.ratio_beyond_followers(bare))
    assert "cannot be set against" in followers.text
    inactive = tell.describe_inactive(
        fx.recency_curves(bare), fx.compare_silence(bare), fx.compare_posting(bare)
    )
    assert inactive.text.count("cannot be") == 2
    changes = tell.describe_changes(bare)
    assert "could not be tried" in changes.text
    claims = tell.describe_claims(bare)
    assert "cannot be measured with these data" in claims.text
    assert set(bare.claims["verdict"]) & {"not measurable", "too little data"}


def test_without_a_model_every_section_still_speaks(study: fx.Factors) -> None:
    empty = replace(study.analysis, model=None, no_model="nobody answered", effects=pd.DataFrame())
    silent = replace(study, analysis=empty, contributions=None, no_contributions="nothing",
                     carriers=None, no_carriers="nothing", changes=pd.DataFrame())  # fmt: skip
    texts = [
        tell.describe_contributions(silent).text,
        tell.describe_visibility(silent, fx.compare_effects_without(silent)).text,
        tell.describe_changes(silent).text,
        tell.describe_carriers(silent).text,
        tell.describe_surprise(fx.explain_surprise(silent)).text,
        tell.describe_inactive(
            fx.recency_curves(silent), fx.compare_silence(silent), fx.compare_posting(silent)
        ).text,
    ]
    assert all(texts)
    assert part.show_changes(silent, tell.describe_changes(silent)).html == ""
    assert part.show_carriers(silent, tell.describe_carriers(silent)).html == ""
    assert part.show_surprise(tell.describe_surprise(None), None).html == ""


def test_a_snapshot_is_read_as_mutuality(town: Any) -> None:
    dyads = make_dyads(town, "mutuality")
    ties = analyse(town, "mutuality", names=["decider_ratio_log"])
    assert dyads.question == "mutuality"
    assert "Read “answered” as mutual" in part.show_snapshot_caution(ties).html
