"""Looking at data, one feature, one account and one dyad: known answers and brute force."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from scipy.stats import t as student
from statsmodels.stats.proportion import proportion_confint

from followkit import binned, histories, portraits, quality
from followkit.analysis import Analysis, code_dyads, fit_dyads
from followkit.covariance import dyadic_rate
from followkit.dyads import make_dyads, select_dyads
from followkit.errors import CannotFitError, InputError, ParameterError
from followkit.explore import prepare
from followkit.features import CATALOGUE, make_features
from followkit.model import fit_follow_back
from followkit.simulate import make_town
from followkit.tables import Dataset, make_dataset


@pytest.fixture(scope="module")
def small() -> Dataset:
    return make_town(220, seed=1, weeks=14, follows_per_account=12)


@pytest.fixture(scope="module")
def main(small) -> Analysis:
    return prepare(small)


# -- the data ----------------------------------------------------------------------------------


def test_unknown_values_are_counted(town) -> None:
    table = quality.list_unknown(town).set_index(["table", "column"])
    for (name, column), row in table.iterrows():
        values = town.table(name)[column].tolist()
        assert row["unknown_count"] == sum(map(pd.isna, values)) > 0
        assert row["unknown_share"] == row["unknown_count"] / len(values)
    assert ("follows", "follower_id") not in table.index


def test_every_event_with_a_time_is_counted_once(town) -> None:
    table = quality.count_over_time(town)
    sums = table.groupby("what")["count"].sum()
    assert sums["follows"] == town.follows["followed_at"].notna().sum()
    assert sums["posts"] == len(town.posts)
    assert sums["acts"] == len(town.interactions)
    assert table["bin_days"].unique().tolist() == [7]
    begin = table["at"].unique()[10]
    inside = town.posts["posted_at"].between(begin, begin + pd.Timedelta(days=7), inclusive="left")
    found = table[(table["what"] == "posts") & (table["at"] == begin)]["count"].item()
    assert found == inside.sum()


def test_fewer_bins_are_wider(small) -> None:
    assert quality.count_over_time(small, most_bins=6)["bin_days"].iloc[0] == 28
    assert quality.count_over_time(small, most_bins=1)["bin_days"].iloc[0] == 364


def test_watches_are_counted_by_hand() -> None:
    ties = pd.DataFrame({"follower_id": ["a"], "followee_id": ["b"],
                         "followed_at": ["2024-01-05"]})  # fmt: skip
    seen = pd.DataFrame({
        "account_id": ["a", "b", "a"], "table_name": ["follows", "follows", "posts"],
        "observed_from_at": ["2024-01-01", "2024-01-05", "2024-01-01"],
        "observed_until_at": ["2024-01-09", None, "2024-01-03"],
    })  # fmt: skip
    data = make_dataset({"follows": ties, "observation": seen})
    table = quality.count_watched(data, points=9)
    assert table.loc[table["what"] == "follows", "watched"].tolist() == [1] * 4 + [2] * 5
    assert table.loc[table["what"] == "posts", "watched"].tolist() == [1] * 3 + [0] * 6
    assert quality.list_crawls(data).empty


def test_crawls_are_those_of_the_notes(nostr) -> None:
    """data/nostr/dataset.toml: 272 lists, then 340 of which 41 were cut."""
    crawls = quality.list_crawls(nostr)
    assert crawls["lists"].tolist() == [272, 340]
    assert crawls["complete"].tolist() == [272, 340 - 41]
    assert quality.count_watched(nostr).empty
    assert quality.count_over_time(nostr).empty
    assert quality.try_horizons(nostr).empty


def test_degrees_are_those_of_a_count(nostr) -> None:
    pairs = set(zip(nostr.follows["follower_id"], nostr.follows["followee_id"], strict=True))
    accounts = {one for pair in pairs for one in pair}
    followers = pd.Series([b for _, b in pairs]).value_counts()
    table = quality.measure_degrees(nostr)
    rows = table[table["side"] == "followers"]
    for degree, count, share in rows[["degree", "account_count", "share"]].values[::20]:
        assert count == (followers >= degree).sum()
        assert share == count / len(accounts)


def test_churn_counts_what_was_planted(small) -> None:
    table = quality.measure_churn(small).set_index("step")
    assert table.loc["withdrawn", "count"] == small.follows["unfollowed_at"].notna().sum()
    assert table.loc["pending", "count"] == (small.follows["status"] == "pending").sum()
    twice = pd.concat([small.follows, small.follows.head(3)], ignore_index=True)
    again = quality.measure_churn(small.replace(follows=twice)).set_index("step")
    assert again.loc["followed again", "count"] == 3 + table.loc["followed again", "count"]


def test_horizons_agree_with_dyads_made_for_each(small) -> None:
    table = quality.try_horizons(small, (3.0, 30.0, 60.0))
    assert len(set(table["dyads"] + table["too_young"])) == 1
    for row in table.itertuples():
        dyads = make_dyads(small, "follow_back", horizon_days=row.horizon_days)
        rate = dyadic_rate(dyads.table["outcome"], code_dyads(dyads))
        assert (row.dyads, row.answered) == (rate.n, rate.event_count)
        assert (row.rate, row.ci_low, row.ci_high) == (rate.rate, rate.ci_low, rate.ci_high)


# -- one feature -------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_bins_never_part_equal_values(seed) -> None:
    rng = np.random.default_rng(seed)
    values = rng.choice([0.0, 0.0, 0.0, *rng.normal(size=60).round(1)], 500)
    values[rng.random(500) < 0.1] = np.nan
    codes = binned.cut_bins(values, 5)
    assert (codes == -1).sum() == np.isnan(values).sum()
    found = pd.DataFrame({"value": values, "code": codes}).dropna()
    assert len(found.drop_duplicates()) == len(found.drop_duplicates("value"))
    ends = found.groupby("code")["value"].agg(["min", "max"])
    assert (ends["max"].to_numpy()[:-1] < ends["min"].to_numpy()[1:]).all()
    assert ends.index.tolist() == list(range(len(ends)))
    assert len(ends) <= 5


def test_nothing_at_all_is_a_bin_of_its_own() -> None:
    values = np.r_[np.zeros(80), np.arange(1.0, 101.0)]
    codes = binned.cut_bins(values, 5)
    assert (codes[:80] == 0).all()
    assert np.bincount(codes).tolist() == [80, 25, 25, 25, 25]
    assert np.unique(binned.cut_bins(np.full(50, 3.0), 5)).tolist() == [0]


def test_bins_hold_every_dyad_and_robust_intervals(main) -> None:
    name = "initiator_posts_per_week_log"
    table, rows = binned.bin_feature(main, name), main.dyads.table
    values = main.features.values[name].to_numpy()
    assert table["n"].sum() == np.isfinite(values).sum()
    assert table["answered"].sum() == rows.loc[np.isfinite(values), "outcome"].sum()
    row = table.iloc[-1]
    inside = values >= row["low"]
    rate = dyadic_rate(
        rows.loc[inside, "outcome"], code_dyads(select_dyads(main.dyads, inside, ""))
    )
    assert row[["rate", "ci_low", "ci_high"]].tolist() == [rate.rate, rate.ci_low, rate.ci_high]


def test_a_saturated_model_gives_back_the_raw_shares(main) -> None:
    """Logistic regression on one flag fits both groups exactly."""
    model = fit_dyads(main.dyads, main.features, ["dyad_same_language"])
    look = binned.look_at_feature(replace(main, model=model), "dyad_same_language")
    assert look.bins["label"].tolist() == ["no", "yes"]
    np.testing.assert_allclose(look.bins["probability"], look.bins["rate"], atol=1e-8)
    assert look.adjusted_for == ()


def test_an_adjusted_probability_is_a_mean_over_all_dyads(main) -> None:
    """Brute force: write the value into the column and its square, predict, average."""
    name = "initiator_ratio_log"
    assert f"{name}_squared" in main.model.names
    found = binned.predict_along(main, main.model, name, np.array([0.7]))
    changed = main.features.values.assign(**{name: 0.7, f"{name}_squared": 0.49})
    mean = np.nanmean(main.model.predict_proba(changed))
    assert found["probability"].item() == pytest.approx(mean, abs=1e-12)


def test_the_interval_of_an_adjusted_probability_is_the_delta_method(main) -> None:
    name = "dyad_topic_cosine"
    found = binned.predict_along(main, main.model, name, np.array([0.5])).iloc[0]
    design = main.model.design.copy()
    design[:, 1 + main.model.names.index(name)] = 0.5
    gradient = np.array([
        (expit(design @ (main.model.beta + step)).mean()
         - expit(design @ (main.model.beta - step)).mean()) / 2e-6
        for step in 1e-6 * np.eye(len(main.model.beta))
    ])  # fmt: skip
    mean = expit(design @ main.model.beta).mean()
    error = np.sqrt(gradient @ main.model.covariance @ gradient) / (mean * (1 - mean))
    reach = student.ppf(0.975, main.model.degrees_of_freedom) * error
    limits = expit(logit(mean) + np.array([-reach, reach]))
    np.testing.assert_allclose(found[["model_low", "model_high"]].tolist(), limits, rtol=1e-5)


def test_raw_and_adjusted_part_where_a_confounder_is_at_work(main) -> None:
    """Planted: x does nothing, z does; they go together. Adjusted is flat, raw is not."""
    rng = np.random.default_rng(5)
    n = len(main.dyads.table)
    z = rng.normal(size=n)
    x = (z + rng.normal(size=n) > 0).astype(float)
    outcome = (rng.random(n) < expit(-1 + 1.5 * z)).astype(int)
    names = ["dyad_same_language", "dyad_topic_cosine"]
    values = pd.DataFrame(dict(zip(names, (x, z), strict=True)), index=main.features.values.index)
    features = replace(main.features, values=values)
    dyads = replace(main.dyads, table=main.dyads.table.assign(outcome=outcome))
    model = fit_dyads(dyads, features, names)
    look = binned.look_at_feature(
        replace(main, dyads=dyads, features=features, model=model), names[0]
    )
    first, second = look.bins.iloc[0], look.bins.iloc[1]
    truth = expit(-1 + 1.5 * z).mean()
    for row in (first, second):
        assert row["model_low"] < truth < row["model_high"]
    assert second["ci_low"] - first["ci_high"] > 0.1


def test_a_feature_outside_the_model_joins_it(main) -> None:
    name = "initiator_follower_count_log"
    assert name not in main.model.names
    look = binned.look_at_feature(main, name)
    assert look.reason == ""
    assert look.bins["probability"].notna().all()
    assert main.model.names[0] in look.adjusted_for


def test_features_that_cannot_be_had_say_why(main) -> None:
    lacking = main.features.missing["feature"].iloc[0]
    with pytest.raises(ParameterError, match="cannot be had from these data: needs"):
        binned.look_at_feature(main, lacking)
    with pytest.raises(ParameterError, match="is not among the"):
        binned.look_at_feature(main, "dyad_topic_cosin")
    without = replace(main, model=None, no_model="only 3 answers")
    look = binned.look_at_feature(without, "dyad_topic_cosine")
    assert look.reason == "only 3 answers"
    assert look.bins["probability"].isna().all()


def test_a_spread_holds_all_known_values(main) -> None:
    for name in main.features.values:
        values = binned.find_column(main, name)
        if np.isfinite(values).any():
            assert binned.spread_of(name, values)["share"].sum() == pytest.approx(1)


# -- one account -------------------------------------------------------------------------------


def test_an_account_is_set_beside_all_others(main) -> None:
    rows = main.dyads.table
    account = str(rows["initiator_id"].value_counts().index[0])
    table = portraits.compare_rates(main, account)
    mine = rows["initiator_id"].astype(str) == account
    own, others = table[table["role"] == "initiator"].to_dict("records")
    assert own["n"] == mine.sum()
    assert own["answered"] == rows.loc[mine, "outcome"].sum()
    low, high = proportion_confint(own["answered"], own["n"], method="wilson")
    assert (own["ci_low"], own["ci_high"]) == pytest.approx((low, high), abs=1e-12)
    assert others["n"] == len(rows) - own["n"]
    predicted = main.model.predict_proba(main.features.values)
    assert own["expected"] == pytest.approx(np.nanmean(predicted[mine]))
    # The mean of all predictions of a logistic model is the base rate.
    weights = [np.isfinite(predicted[mask]).sum() for mask in (mine, ~mine)]
    total = np.average([own["expected"], others["expected"]], weights=weights)
    assert total == pytest.approx(main.model.rate.rate, abs=1e-8)


def test_renamed_accounts_have_the_same_portraits(main) -> None:
    rows = main.dyads.table
    named = rows.assign(**{side: "account " + rows[side].astype(str) for side in
                           ("initiator_id", "decider_id")})  # fmt: skip
    other = replace(main, dyads=replace(main.dyads, table=named))
    account = portraits.list_accounts(main)[5]
    for view in (portraits.compare_rates, lambda *a: portraits.place_features(*a, "decider")):
        one, two = view(main, account), view(other, f"account {account}")
        pd.testing.assert_frame_equal(one, two)


def test_percentiles_are_those_of_a_count(main) -> None:
    ids = main.dyads.table["initiator_id"].to_numpy()
    name = "initiator_ratio_log"
    means = main.features.values[name].groupby(ids).mean()
    for account in means.index[:4]:
        found = portraits.place_features(main, str(account), "initiator", names=[name])
        others = means.drop(account)
        below = (others < means[account]).sum() + 0.5 * (others == means[account]).sum()
        assert found["percentile"].item() == pytest.approx(below / len(others))
    top = portraits.place_features(main, str(means.idxmax()), "initiator", names=[name])
    assert top["percentile"].item() == 1.0


def test_accounts_without_dyads_are_refused(main) -> None:
    with pytest.raises(InputError, match="is in none of the"):
        portraits.compare_rates(main, "nobody")
    with pytest.raises(InputError, match="is in none of the"):
        portraits.check_account(main, "<script>")


def test_accounts_are_listed_by_their_ids_and_not_by_their_answers(main) -> None:
    ids = [int(one) for one in portraits.list_accounts(main)]
    assert ids == sorted(ids)


# -- one dyad ----------------------------------------------------------------------------------


def pick_dyad(main: Analysis) -> Any:
    """Return a dyad with acts between the two before it."""
    contact = main.features.values["dyad_acts_to_decider_log"]
    return histories.get_row(main.dyads, int(contact.idxmax()))


def test_events_before_the_follow_are_counted_by_hand(main, small) -> None:
    row = pick_dyad(main)
    events = histories.list_events(main, row["dyad_id"])
    counts = histories.count_windows(events).set_index("what")
    posts = small.posts[small.posts["posted_at"] < row["at"]]
    acts = small.interactions[small.interactions["at"] < row["at"]]
    for side in ("initiator", "decider"):
        own = posts["account_id"] == row[f"{side}_id"]
        assert counts.get("ever").get(f"{side} posts", 0) == own.sum()
        week = own & (row["at"] - posts["posted_at"] <= pd.Timedelta(days=7))
        assert counts.get("last_7_days").get(f"{side} posts", 0) == week.sum()
    between = acts[(acts["actor_id"] == row["initiator_id"])
                   & (acts["target_id"] == row["decider_id"])]  # fmt: skip
    assert len(between) > 0
    found = counts.loc[counts.index.str.startswith("initiator → decider"), "ever"]
    assert found.sum() == len(between)
    assert (events["days_before"] > 0).all()
    assert set(events) == {"what", "at", "days_before", "amount"}


def test_what_comes_later_and_the_own_ties_change_nothing(main, small) -> None:
    row = pick_dyad(main)
    ends = {"initiator_id": row["initiator_id"], "decider_id": row["decider_id"]}
    before = histories.list_events(main, row["dyad_id"])
    posts = small.posts.head(1).assign(account_id=ends["decider_id"], posted_at=row["at"])
    acts = small.interactions.head(1).assign(
        actor_id=ends["decider_id"], target_id=ends["initiator_id"],
        at=row["at"] + pd.Timedelta(seconds=1),
    )  # fmt: skip
    early = row["at"] - pd.Timedelta(days=1)
    ties = small.follows.head(2).assign(
        follower_id=list(ends.values()), followee_id=list(ends.values())[::-1], followed_at=early
    )
    more = small.replace(
        posts=pd.concat([small.posts, posts], ignore_index=True),
        interactions=pd.concat([small.interactions, acts], ignore_index=True),
        follows=pd.concat([small.follows, ties], ignore_index=True),
    )
    after = histories.list_events(replace(main, dataset=more), row["dyad_id"])
    pd.testing.assert_frame_equal(before, after)


def test_rows_of_several_acts_count_as_many(main, small) -> None:
    row = pick_dyad(main)
    acts = small.interactions
    many = small.replace(interactions=acts.assign(count=3))
    once = histories.count_windows(histories.list_events(main, row["dyad_id"]))
    thrice = histories.count_windows(
        histories.list_events(replace(main, dataset=many), row["dyad_id"])
    )
    is_act = once["what"].str.contains("→|acts", regex=True)
    factor = np.where(is_act, 3, 1)
    assert (thrice["ever"] == once["ever"] * factor).all()


def test_a_dyad_is_predicted_with_the_interval_of_its_log_odds(main) -> None:
    model = main.model
    dyad = histories.find_dyad(main)
    found = histories.predict_dyad(main, dyad)
    x = np.r_[1.0, main.features.values.loc[dyad, list(model.names)].to_numpy(float)]
    reach = student.ppf(0.975, model.degrees_of_freedom) * np.sqrt(x @ model.covariance @ x)
    line = x @ model.beta
    expected = expit(line + np.array([0, -reach, reach]))
    assert (found.probability, found.ci_low, found.ci_high) == pytest.approx(expected, abs=1e-9)
    explained = histories.explain(main, dyad)
    assert explained.probability == pytest.approx(found.probability, abs=1e-12)


def test_dyads_are_found_by_their_ends(main) -> None:
    rows = main.dyads.table
    first = rows.iloc[7]
    ends = str(first["initiator_id"]), str(first["decider_id"])
    assert histories.find_dyad(main, *ends) == first["dyad_id"]
    mine = rows[rows["initiator_id"] == first["initiator_id"]]
    assert histories.find_dyad(main, ends[0]) in mine["dyad_id"].tolist()
    with pytest.raises(InputError, match="0 dyads lead from"):
        histories.find_dyad(main, ends[0], ends[0])
    with pytest.raises(InputError, match="initiated none"):
        histories.find_dyad(main, "nobody")
    with pytest.raises(InputError, match="there is no"):
        histories.list_features(main, -1)


def test_dyads_to_choose_from_span_the_predictions(main) -> None:
    listed = histories.list_dyads(main, most=20)
    ids = [one for _, one in listed]
    assert len(ids) == len(set(ids)) == 20
    rows = main.dyads.table.set_index("dyad_id").loc[ids]
    assert rows["outcome"].sum() == 10
    predicted = main.model.predict_proba(main.features.values)
    answered = predicted[(main.dyads.table["outcome"] == 1).to_numpy()]
    chosen = predicted[rows.index.to_numpy()]
    assert chosen.max() >= np.nanmax(answered)
    assert chosen.min() <= np.nanmin(answered)
    assert listed == histories.list_dyads(main, most=20)


def test_convictions_are_never_shown_for_a_person(small, main) -> None:
    sensitive = [name for name, entry in CATALOGUE.items() if entry.is_sensitive]
    names = [*main.features.values, *sensitive]
    features = make_features(main.dyads, small, names=names, allow_sensitive=True)
    assert set(sensitive) & set(features.values)
    told = replace(main, features=features)
    labels = {CATALOGUE[name].label for name in sensitive}
    assert not labels & set(histories.list_features(told, 3)["label"])
    account = str(main.dyads.table["initiator_id"].iloc[3])
    for role in portraits.ROLES:
        assert not labels & set(portraits.place_features(told, account, role)["label"])


def test_without_times_there_is_no_history_and_without_a_model_no_prediction(main, nostr) -> None:
    late = prepare(nostr)
    assert histories.list_events(late, 0).empty
    assert histories.count_windows(histories.list_events(late, 0)).empty
    without = replace(main, model=None, no_model="only 3 answers")
    assert histories.explain(without, 0) is None
    with pytest.raises(CannotFitError, match="only 3 answers"):
        histories.predict_dyad(without, 0)


def test_a_dyad_with_an_unknown_feature_has_no_probability(main) -> None:
    values = main.features.values.copy()
    values.loc[4, main.model.names[0]] = np.nan
    spoiled = replace(main, features=replace(main.features, values=values))
    assert histories.explain(spoiled, 4) is None
    with pytest.raises(InputError, match="none with weight"):
        histories.predict_dyad(spoiled, 4)
    rows = histories.list_features(spoiled, 4)
    assert rows["value"].isna().any()


def test_a_question_made_ready_is_the_analysis_without_its_ladder(small) -> None:
    """The same base rate and coefficients as a fit by hand; nothing is scored."""
    found = prepare(small, "mutuality", confidence=0.8)
    assert found.ladder is None
    assert found.confidence == 0.8
    rows = found.dyads.table
    values = found.features.values.reset_index(drop=True)
    by_hand = fit_follow_back(values, rows["outcome"], initiator=rows["initiator_id"],
                              decider=rows["decider_id"], weights=rows["weight"],
                              names=list(found.model.names), penalty="none")  # fmt: skip
    np.testing.assert_allclose(by_hand.beta, found.model.beta, rtol=1e-8)


def test_data_that_carry_no_model_are_still_looked_at() -> None:
    ties = pd.DataFrame({"follower_id": list("abcde"), "followee_id": list("bcdea")})
    found = prepare(make_dataset({"follows": ties}))
    assert found.model is None
    assert "nobody followed back" in found.no_model
    table = portraits.compare_rates(found, "a")
    assert table["expected"].isna().all()
    assert portraits.try_changes(found, "a").empty
