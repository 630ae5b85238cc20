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
from followkit.dyads import make_dyads, select_dyads
from followkit.errors import ParameterError
from followkit.features import CATALOGUE, make_features
from followkit.logit import expit
from followkit.simulate import make_town, write_dataset
from followkit.simulate.draws import Draws
from followkit.simulate.follows import make_x
from followkit.simulate.truth import INTERCEPT, PLANTED
from followkit.sources import load_dataset

TOWN = Path(__file__).parents[1] / "data" / "town"

#: SHA-256 over the CSV files and truth.json that `make_town()` writes, in the order of their names.
TOWN_HASH = "d363090c613a8329f82c12b4c6c3e3d4d80ed42f3aa2c7100b30079158edb4dd"


def hash_folder(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted([*folder.glob("*.csv"), folder / "truth.json"]):
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def small_town():
    return make_town(250, seed=3, weeks=14, follows_per_account=10)


def test_bundled_town_is_what_the_simulator_writes(tmp_path) -> None:
    write_dataset(make_town(), tmp_path)
    assert hash_folder(tmp_path) == TOWN_HASH
    assert hash_folder(TOWN) == TOWN_HASH


def test_another_seed_is_another_town(small_town) -> None:
    again = make_town(250, seed=3, weeks=14, follows_per_account=10)
    other = make_town(250, seed=4, weeks=14, follows_per_account=10)
    assert small_town.fingerprint() == again.fingerprint() != other.fingerprint()


def test_written_tables_read_back_equal(small_town, tmp_path) -> None:
    write_dataset(small_town, tmp_path)
    back = load_dataset(tmp_path)
    assert back.fingerprint() == small_town.fingerprint()
    assert back.about["truth"] == json.loads(json.dumps(small_town.about["truth"]))


def test_planted_values_are_the_catalogue_values_and_those_of_a_slow_loop(
    small_town, monkeypatch
) -> None:
    """The x that decided about answers, kept as they were drawn, equal both implementations."""
    import followkit.simulate.follows as engine

    kept = []

    def remember(world, ties, pairs, monday):
        x = make_x(world, ties, pairs, monday)
        kept.append(pd.DataFrame({**x, "a": pairs["a"] + 1, "b": pairs["b"] + 1}))
        return x

    monkeypatch.setattr(engine, "make_x", remember)
    town = make_town(250, seed=3, weeks=14, follows_per_account=10)
    drawn = pd.concat(kept).set_index(["a", "b"])
    dyads = make_dyads(town, "follow_back")
    made = make_features(dyads, town, names=list(PLANTED)).values
    keys = pd.MultiIndex.from_frame(dyads.table[["initiator_id", "decider_id"]])
    found = drawn.loc[keys, list(PLANTED)].reset_index(drop=True)
    known = made.notna().all(axis=1).to_numpy()
    assert known.sum() > 500
    gap = (made[list(PLANTED)].reset_index(drop=True) - found)[known].abs()
    assert gap.to_numpy().max() < 1e-9
    part = select_dyads(dyads, np.arange(len(known)) % 25 == 0, "every 25th dyad")
    counted = town.replace(interactions=town.interactions.assign(count=1))
    slow = slow_features(counted, part)[list(PLANTED)].reset_index(drop=True)
    gap = (slow - found[::25].reset_index(drop=True))[known[::25]].abs()
    assert gap.to_numpy().max() < 1e-9


def test_truth_names_what_is_planted(small_town) -> None:
    truth = small_town.about["truth"]
    planted = {item["feature"]: item["coefficient"] for item in truth["coefficients"]}
    assert planted == {"intercept": INTERCEPT, **PLANTED}
    for item in truth["coefficients"][1:]:
        assert item["formula"] == CATALOGUE[item["feature"]].formula
        assert np.sign(item["coefficient"]) == CATALOGUE[item["feature"]].expected_sign


def test_answers_come_as_often_as_their_probabilities_say(town) -> None:
    """Marginally exact: the mean planted probability is the rate, within 4 standard errors."""
    dyads = make_dyads(town, "follow_back")
    features = make_features(dyads, town, names=list(PLANTED)).values
    known = features.notna().all(axis=1).to_numpy()
    linear = INTERCEPT + sum(value * features[name] for name, value in PLANTED.items())
    expected = expit(linear.to_numpy()[known]).mean()
    outcome = dyads.table["outcome"].to_numpy()[known]
    model = fit_dyads(dyads, make_features(dyads, town, names=list(PLANTED)), list(PLANTED))
    assert abs(outcome.mean() - expected) < 4 * model.rate.std_error


def test_moods_make_dyads_of_one_account_and_week_dependent() -> None:
    town = make_town(600, seed=5, weeks=20, follows_per_account=30)
    table = make_dyads(town, "follow_back").table
    week = table["at"].dt.isocalendar().week
    share = table.groupby([table["decider_id"], week])["outcome"]
    sizes, sums = share.transform("size"), share.transform("sum")
    many = sizes > 1
    others = (sums - table["outcome"])[many] / (sizes - 1)[many]
    answered = table["outcome"][many] == 1
    assert others[answered].mean() > others[~answered].mean() + 0.05


def test_traps_are_there(town) -> None:
    """Popular accounts are active; bots follow many and write about anything; some fall silent."""
    posts = town.posts.groupby("account_id").size()
    last = town.account_counts.sort_values("counts_at").groupby("account_id").last()
    posts = posts.reindex(last.index).fillna(0)
    assert np.corrcoef(np.log1p(last["follower_count"].astype(float)), np.log1p(posts))[0, 1] > 0.15
    assert town.follows["unfollowed_at"].notna().sum() > 1_000
    assert (town.follows["status"] == "pending").sum() > 50
    assert town.accounts["is_business"].sum() > 50


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
