"""The simulated town: the same everywhere, and its planted features are the catalogue's."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from slow_features import slow_features

from followkit.analysis import fit_dyads
from followkit.dyads import DyadSet, make_dyads, select_dyads
from followkit.errors import ParameterError
from followkit.features import CATALOGUE, FeatureTable, make_features
from followkit.logit import expit
from followkit.simulate import Town, make_town, simulate_town, write_dataset
from followkit.simulate.draws import Draws
from followkit.simulate.truth import INTERCEPT, PLANTED
from followkit.sources import load_dataset

TOWN = Path(__file__).parents[1] / "data" / "town"

#: SHA-256 over the CSV files and truth.json that `make_town()` writes, in the order of their names.
TOWN_HASH = "176f16b812c77e58c6454be4a421abf542ae263d6eea508f45fd785601e2e40f"


def hash_folder(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted([*folder.glob("*.csv"), folder / "truth.json"]):
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def small_town():
    return make_town(250, seed=3, weeks=8, follows_per_account=10)


@pytest.fixture(scope="module")
def planted_values(town) -> tuple[DyadSet, FeatureTable]:
    """The dyads of the bundled town and their planted features."""
    dyads = make_dyads(town, "follow_back")
    return dyads, make_features(dyads, town, names=list(PLANTED))


def test_bundled_town_is_what_the_simulator_writes(tmp_path) -> None:
    write_dataset(make_town(), tmp_path)
    assert hash_folder(tmp_path) == TOWN_HASH
    assert hash_folder(TOWN) == TOWN_HASH


def test_another_seed_is_another_town(small_town) -> None:
    again = make_town(250, seed=3, weeks=8, follows_per_account=10)
    other = make_town(250, seed=4, weeks=8, follows_per_account=10)
    assert small_town.fingerprint() == again.fingerprint() != other.fingerprint()


def test_written_tables_read_back_equal(small_town, tmp_path) -> None:
    write_dataset(small_town, tmp_path)
    back = load_dataset(tmp_path)
    assert back.fingerprint() == small_town.fingerprint()
    assert back.about["truth"] == json.loads(json.dumps(small_town.about["truth"]))


def test_planted_values_are_the_catalogue_values_and_those_of_a_slow_loop() -> None:
    """The x that decided about answers, kept as they were drawn, equal both implementations."""
    town = simulate_town(250, seed=3, weeks=14, follows_per_account=10)
    dyads = make_dyads(town.dataset, "follow_back")
    made = make_features(dyads, town.dataset, names=list(PLANTED)).values
    found = find_drawn(town, dyads)
    assert len(found) > 1_000
    assert found.notna().all(axis=None)
    gap = (made[list(PLANTED)].reset_index(drop=True) - found[list(PLANTED)]).abs()
    assert gap.to_numpy().max() < 1e-9
    part = select_dyads(dyads, np.arange(len(found)) % 25 == 0, "every 25th dyad")
    counted = town.dataset.replace(interactions=town.dataset.interactions.assign(count=1))
    slow = slow_features(counted, part).reset_index(drop=True)
    looped = [name for name in PLANTED if name in slow]
    assert len(looped) == 7
    gap = (slow[looped] - found.loc[::25, looped].reset_index(drop=True)).abs()
    assert gap.to_numpy().max() < 1e-9


def find_drawn(town: Town, dyads: DyadSet) -> pd.DataFrame:
    """Return what was drawn for these dyads, in their order."""
    drawn = town.dyads.set_index(["initiator_id", "decider_id"])
    keys = pd.MultiIndex.from_frame(dyads.table[["initiator_id", "decider_id"]])
    return drawn.loc[keys].reset_index(drop=True)


def test_planned_outcomes_are_those_that_are_found() -> None:
    town = simulate_town(250, seed=3, weeks=12, horizon_days=45.0)
    dyads = make_dyads(town.dataset, "follow_back", horizon_days=45.0)
    drawn = find_drawn(town, dyads)
    assert dyads.table["outcome"].tolist() == drawn["outcome"].tolist()
    linear = town.dataset.about["truth"]["coefficients"][0]["coefficient"] + sum(
        value * drawn[name] for name, value in PLANTED.items()
    )
    assert np.abs(expit(linear.to_numpy()) - drawn["probability"]).max() < 1e-8
    assert len(town.dyads) > len(dyads.table)
    assert town.dyads["at"].is_monotonic_increasing


def test_a_feature_that_is_not_known_yet_adds_nothing(monkeypatch) -> None:
    """Without posts before the first follow, the first block comes too late for some."""
    for module in ("content", "acts"):
        monkeypatch.setattr(f"followkit.simulate.{module}.LEAD_WEEKS", 0, raising=False)
    planted = {"dyad_topic_cosine": 2.0, "initiator_ratio_log": 0.5}
    dyads = simulate_town(200, weeks=8, planted=planted, intercept=-1.0).dyads
    unknown = dyads["dyad_topic_cosine"].isna()
    assert 0 < unknown.sum() < len(dyads)
    first = dyads[unknown]
    expected = expit((-1.0 + 0.5 * first["initiator_ratio_log"]).to_numpy())
    assert np.abs(first["probability"] - expected).max() < 1e-8


def test_truth_names_what_is_planted(small_town) -> None:
    truth = small_town.about["truth"]
    planted = {item["feature"]: item["coefficient"] for item in truth["coefficients"]}
    assert planted == {"intercept": INTERCEPT, **PLANTED}
    assert {CATALOGUE[name].factor for name in PLANTED} == set(range(1, 10))
    for item in truth["coefficients"][1:]:
        assert item["formula"] == CATALOGUE[item["feature"]].formula
        assert item["claim"] == CATALOGUE[item["feature"]].claim
        assert np.sign(item["coefficient"]) == CATALOGUE[item["feature"]].expected_sign


def test_another_truth_can_be_planted() -> None:
    planted = {**PLANTED, "dyad_topic_cosine": 0.0, "initiator_page_rank_log": 0.2}
    town = simulate_town(200, weeks=8, planted=planted, intercept=-2.0)
    assert list(town.dyads)[5:] == list(planted)
    truth = {item["feature"]: item["coefficient"]
             for item in town.dataset.about["truth"]["coefficients"]}  # fmt: skip
    assert truth == {"intercept": -2.0, **planted}
    assert town.dataset.about["truth"]["base_rate"] == pytest.approx(
        town.dyads["probability"].mean(), abs=1e-6
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("dyad_topic_cosin", "did you mean dyad_topic_cosine"),
        ("dyad_look_similarity", "a town cannot give dyad_look_similarity .needs media"),
        ("dyad_untimed_contact_log", "untimed"),
        ("dyad_same_stance", "about convictions"),
    ],
)
def test_what_a_town_cannot_give_is_not_planted(name: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        make_town(60, weeks=8, planted={name: 1.0})


def test_answers_come_as_often_as_their_probabilities_say(town, planted_values) -> None:
    """Marginally exact: the mean planted probability is the rate, within 4 standard errors."""
    dyads, features = planted_values
    linear = INTERCEPT + sum(value * features.values[name] for name, value in PLANTED.items())
    model = fit_dyads(dyads, features, list(PLANTED))
    assert features.values[list(PLANTED)].notna().all(axis=None)
    expected = expit(linear.to_numpy()).mean()
    assert abs(dyads.table["outcome"].mean() - expected) < 4 * model.rate.std_error
    assert 0.15 < expected < 0.19


def test_moods_make_dyads_of_one_account_and_week_dependent() -> None:
    town = make_town(600, seed=5, weeks=12, follows_per_account=30)
    table = make_dyads(town, "follow_back").table
    week = table["at"].dt.isocalendar().week
    share = table.groupby([table["decider_id"], week])["outcome"]
    sizes, sums = share.transform("size"), share.transform("sum")
    many = sizes > 1
    others = (sums - table["outcome"])[many] / (sizes - 1)[many]
    answered = table["outcome"][many] == 1
    assert others[answered].mean() > others[~answered].mean() + 0.05


def test_traps_are_there(town) -> None:
    """Traits that go together, so that one is taken for the other."""
    accounts = town.accounts.set_index("account_id")
    ids = accounts.index
    is_bot = accounts["handle"].str.contains("daily").to_numpy(dtype=bool)
    is_business = accounts["is_business"].to_numpy(dtype=bool)
    posts, acts = town.posts, town.interactions
    last = town.account_counts.sort_values("counts_at").groupby("account_id").last()
    followers = np.log1p(last["follower_count"].reindex(ids).astype(float)).to_numpy()
    written = posts.groupby("account_id").size().reindex(ids).fillna(0).to_numpy()
    # Popular people post more, copy less, and find engagement.
    assert np.corrcoef(followers[~is_bot], np.log1p(written[~is_bot]))[0, 1] > 0.15
    shared = posts.groupby("account_id")["is_repost"].mean().reindex(ids).to_numpy(float)
    wrote = written >= 5
    assert np.corrcoef(followers[wrote & ~is_bot], shared[wrote & ~is_bot])[0, 1] < -0.1
    engaged = acts[acts["post_id"].notna()].groupby("target_id").size().reindex(ids).fillna(0)
    by_post = np.log1p(engaged.to_numpy() / np.maximum(written, 1))
    assert np.corrcoef(followers[wrote], by_post[wrote])[0, 1] > 0.4
    # Bots post much, repeat others, and comment alike, seconds apart.
    assert written[is_bot].mean() > 1.8 * written[~is_bot].mean()
    assert np.nanmean(shared[is_bot]) > 2 * np.nanmean(shared[~is_bot])
    comments = acts[acts["kind"] == "comment"]
    is_theirs = comments["actor_id"].isin(ids[is_bot])
    assert comments[is_theirs]["text"].nunique() < 5 < comments[~is_theirs]["text"].nunique()
    gap = acts.sort_values(["actor_id", "at"]).groupby("actor_id")["at"].diff().dt.total_seconds()
    is_quick = gap.groupby(acts["actor_id"].isin(ids[is_bot])).agg(lambda gaps: (gaps < 5).mean())
    assert is_quick[True] > 0.5 > 10 * is_quick[False]
    # Businesses promote.
    promoted = posts.groupby("account_id")["is_promotional"].mean().reindex(ids).to_numpy(float)
    assert np.nanmean(promoted[is_business]) > 5 * np.nanmean(promoted[~is_business])
    assert town.follows["unfollowed_at"].notna().sum() > 1_000
    assert (town.follows["status"] == "pending").sum() > 50


def test_a_naive_analysis_goes_wrong_and_a_better_one_does_not(town, planted_values) -> None:
    """What only goes along is taken for a cause, and what bots overdo for useless."""
    dyads, _ = planted_values
    traps = {
        "initiator_median_engagement_log": 1,
        "initiator_comment_specificity": 1,
        "initiator_acts_per_week_log": -1,
        "initiator_rapid_acts_share": -1,
    }
    features = make_features(dyads, town, names=[*PLANTED, *traps])

    def find_z(name: str, names: list[str]) -> float:
        row = fit_dyads(dyads, features, names).coefficients.set_index("term").loc[name]
        return float(row["estimate"] / row["std_error"])

    for name, sign in traps.items():
        assert sign * find_z(name, [name]) > 5
        assert abs(find_z(name, [name, *PLANTED])) < 3
    posts = "initiator_posts_per_week_log"
    assert find_z(posts, [posts]) < 3 < 4 < find_z(posts, list(PLANTED))


def test_taste_is_not_what_one_posts(planted_values) -> None:
    """Factors 2 and 7 can be told apart, and so can originality, frequency and standing."""
    _, features = planted_values
    apart = features.values[list(PLANTED)].corr().to_numpy() - np.eye(len(PLANTED))
    assert np.abs(apart).max() < 0.6


def test_replies_answer_comments_on_ones_own_posts(town) -> None:
    acts = town.interactions
    said = acts.set_index("interaction_id")
    replies = acts[acts["kind"] == "reply"]
    answered = said.loc[replies["reply_to_id"].astype("int64")].reset_index(drop=True)
    replies = replies.reset_index(drop=True)
    assert len(replies) > 1_000
    assert (replies["actor_id"] == answered["target_id"]).all()
    assert (replies["target_id"] == answered["actor_id"]).all()
    assert (replies["post_id"] == answered["post_id"]).all()
    assert (replies["at"] > answered["at"]).all()
    assert set(answered["kind"]) == {"comment", "reply"}


def test_nothing_happens_on_a_post_before_it_is_there(town) -> None:
    acts = town.interactions[town.interactions["post_id"].notna()]
    posts = town.posts.set_index("post_id").loc[acts["post_id"].astype("int64")]
    assert (acts["at"].to_numpy() > posts["posted_at"].to_numpy()).all()
    owner = np.where(acts["actor_id"] == posts["account_id"].to_numpy(), acts["actor_id"],
                     acts["target_id"])  # fmt: skip
    assert (owner == posts["account_id"].to_numpy()).all()
    copies = town.posts[town.posts["is_repost"].to_numpy(dtype=bool)]
    sources = town.posts.set_index("post_id").loc[copies["original_post_id"].astype("int64")]
    assert (copies["text"].to_numpy() == sources["text"].to_numpy()).all()
    assert (copies["original_account_id"].to_numpy() == sources["account_id"].to_numpy()).all()
    assert (copies["posted_at"].to_numpy() >= sources["posted_at"].to_numpy()).all()


def test_answers_are_given_on_sundays_within_the_horizon(town) -> None:
    dyads = make_dyads(town, "follow_back").table
    follows = town.follows.set_index(["follower_id", "followee_id"])["followed_at"]
    answered = dyads[dyads["outcome"] == 1]
    back = follows.loc[pd.MultiIndex.from_frame(answered[["decider_id", "initiator_id"]])]
    assert set(back.dt.day_of_week) == {6}
    assert set(dyads["at"].dt.day_of_week) == {0, 1, 2, 3, 4, 5}


def test_a_town_too_small_is_refused() -> None:
    with pytest.raises(ParameterError, match="at least 50 accounts"):
        make_town(10)


def test_an_interrupted_write_leaves_the_old_file(small_town, tmp_path, monkeypatch) -> None:
    write_dataset(small_town, tmp_path)
    before = hash_folder(tmp_path)
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_dataset(make_town(60, weeks=8), tmp_path)
    assert hash_folder(tmp_path) == before
    assert not list(tmp_path.glob(".*"))


def test_draws_are_the_same_on_every_machine() -> None:
    draws = Draws(1)
    assert draws.whole(0, 1_000, 4).tolist() == [473, 511, 755, 950]
    assert draws.counts(np.array([1.0, 2.0])).tolist() == [1, 2]
    assert np.abs(Draws(2).normal(20_000).mean()) < 0.03
    picked = np.bincount(Draws(3).pick(np.array([1.0, 3.0]), 20_000)) / 20_000
    assert picked == pytest.approx([0.25, 0.75], abs=0.02)
