"""Is it still worth waiting: identities, planted truth, and nothing from after the landmark."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from followkit.dyads import DyadSet, make_dyads, make_waiting
from followkit.errors import CannotFitError, InputError, ParameterError
from followkit.features import make_features
from followkit.incidence import estimate_incidence
from followkit.logit import expit
from followkit.still_waiting import chance_after, fit_still_waiting, measure_since
from followkit.tables import Dataset, make_dataset

START = pd.Timestamp("2025-01-01", tz="UTC")
TOPIC = "dyad_topic_cosine"
ACTS = "initiator_acts_since_log"
PLANTED = {"intercept": -1.5, ACTS: 0.8, TOPIC: 2.0}


def on_day(days) -> pd.Series:
    return (START + pd.to_timedelta(pd.Series(np.asarray(days, dtype=float)), unit="D")).dt.round(
        "s"
    )


def make_random(seed: int, count: int = 500) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, 70, count)
    return pd.DataFrame({
        "initiator_id": ids, "decider_id": (ids + rng.integers(1, 70, count)) % 70,
        "duration_days": rng.integers(0, 40, count).astype(float),
        "state": rng.choice(["answered", "withdrawn", "deleted", "censored"], count,
                            p=[0.45, 0.15, 0.05, 0.35]),
    })  # fmt: skip


# -- the chance that is left -----------------------------------------------------------------------


def test_the_chance_left_follows_from_the_whole_curve() -> None:
    """P(answered in (L, H] | nothing by L) = (F(H) − F(L)) / (1 − F(L) − G(L)), G withdrawals."""
    table = make_random(1)
    swap = {"answered": "withdrawn", "withdrawn": "answered", "deleted": "answered"}
    gone = estimate_incidence(table.assign(state=table["state"].replace(swap)))
    whole = estimate_incidence(table)
    found = chance_after(table, [0, 3, 11, 29], horizon_days=30).set_index("landmark_days")
    for day in (3.0, 11.0, 29.0):
        left = 1 - whole.share_at(day) - gone.share_at(day)
        expected = (whole.share_at(30) - whole.share_at(day)) / left
        assert found.loc[day, "chance"] == pytest.approx(expected, abs=1e-12)
        assert found.loc[day, "n"] == (table["duration_days"] > day).sum()
    assert found.loc[0.0, "chance"] == whole.share_at(30)
    assert (found["ci_low"] < found["chance"]).all()
    assert (found["chance"] < found["ci_high"]).all()


def test_without_censoring_it_is_a_share_of_those_left() -> None:
    table = make_random(2)
    table["state"] = np.where(table["duration_days"] < 35, "answered", "censored")
    table.loc[table["state"] == "censored", "duration_days"] = 40.0
    found = chance_after(table, [7], horizon_days=30).iloc[0]
    left = table[table["duration_days"] > 7]
    later = (left["duration_days"] <= 30).sum()
    assert found["answered_later"] == later
    assert found["chance"] == pytest.approx(later / len(left), abs=1e-12)
    assert found["watched_to_h"] == (left["duration_days"] >= 30).sum()


def test_a_constant_rate_has_no_memory() -> None:
    """Answers at .05 a day: the chance left is 1 − exp(−.05 (H − L)) at every L."""
    rng = np.random.default_rng(3)
    wait, watch = rng.exponential(20.0, 6000), rng.uniform(0, 90, 6000)
    table = pd.DataFrame({
        "initiator_id": rng.integers(0, 500, 6000), "decider_id": 500 + rng.integers(0, 500, 6000),
        "duration_days": np.minimum(wait, watch),
        "state": np.where(wait <= watch, "answered", "censored"),
    })  # fmt: skip
    found = chance_after(table, [0, 5, 15], horizon_days=30, confidence=0.997)
    truth = -np.expm1(-0.05 * (30 - found["landmark_days"]))
    assert ((found["ci_low"] < truth) & (truth < found["ci_high"])).all()
    # Entering late loses nothing: the same rate from those watched from day 10 only.
    late = table[table["duration_days"] > 10].assign(entry_days=10.0)
    entered = chance_after(late, [5, 12], horizon_days=30, confidence=0.997)
    assert entered["n"].tolist() == [len(late), (late["duration_days"] > 12).sum()]
    assert (entered["ci_low"] < -np.expm1(-0.05 * np.array([20, 18]))).all()
    assert (entered["ci_high"] > -np.expm1(-0.05 * np.array([20, 18]))).all()


def test_no_later_answer_is_not_certainty_and_no_watch_is_no_number() -> None:
    table = make_random(4)
    table["state"] = table["state"].where(table["duration_days"] <= 5, "censored")
    found = chance_after(table, [0, 7], horizon_days=30).iloc[1]
    assert found["chance"] == 0
    assert found["ci_low"] == pytest.approx(0, abs=1e-12)
    assert 0 < found["ci_high"] < 0.1
    short = table.assign(duration_days=table["duration_days"].clip(upper=20))
    assert chance_after(short, [7], horizon_days=30)[["chance", "ci_low"]].isna().all(axis=None)
    assert chance_after(table, [30, 60], horizon_days=30).empty
    with pytest.raises(ParameterError, match="positive number of days"):
        chance_after(table, horizon_days=np.nan)


def test_names_and_order_do_not_matter() -> None:
    table = make_random(5)
    other = table.sample(frac=1, random_state=1).assign(
        initiator_id=lambda rows: "n" + rows["initiator_id"].astype(str),
        decider_id=lambda rows: "n" + rows["decider_id"].astype(str),
    )
    pd.testing.assert_frame_equal(chance_after(table), chance_after(other), rtol=1e-10)


# -- the landmark model ----------------------------------------------------------------------------


def make_follows(rows) -> pd.DataFrame:
    follower, followee, since = zip(*rows, strict=True)
    return pd.DataFrame({"follower_id": follower, "followee_id": followee,
                         "followed_at": on_day(since)})  # fmt: skip


def make_acts(rows) -> pd.DataFrame:
    actor, target, days = zip(*rows, strict=True)
    return pd.DataFrame(
        {"actor_id": actor, "target_id": target, "kind": "like", "at": on_day(days)}
    )


def test_only_what_lies_up_to_the_landmark_is_counted() -> None:
    """The follow on day 10, the landmark on day 17: (10, 17] counts, both ways."""
    acts = make_acts([("a", "b", 10), ("a", "b", 10.1), ("a", "b", 17), ("a", "b", 17.1),
                      ("b", "a", 12), ("b", "c", 12), ("z", "z2", 0), ("z", "z2", 90)])  # fmt: skip
    follows = make_follows([("a", "b", 10), ("b", "c", 10), ("b", "d", 16), ("b", "e", 17),
                            ("b", "f", 18), ("a", "c", 13)])  # fmt: skip
    data = make_dataset({"follows": follows, "interactions": acts})
    rows = pd.DataFrame({"initiator_id": ["a"], "decider_id": ["b"], "at": on_day([10]),
                         "landmark_at": on_day([17])})  # fmt: skip
    found = np.expm1(measure_since(rows, data).iloc[0])
    assert found.round(9).to_dict() == {
        ACTS: 2, "decider_acts_since_log": 1, "decider_follows_since_log": 2,
    }  # fmt: skip
    # Acts of which nobody can know whether all were seen are unknown, not none.
    late = data.replace(interactions=acts.assign(at=acts["at"].clip(upper=on_day([16])[0])))
    assert measure_since(rows, late)[ACTS].isna().all()


def simulate(seed: int, pairs: int = 2500) -> tuple[Dataset, DyadSet, pd.DataFrame]:
    """Return follows of which some are answered early, and later ones as PLANTED says.

    The topic similarity is given, not measured; acts since the follow are Poisson.
    """
    rng = np.random.default_rng(seed)
    accounts = 500
    ids = rng.permutation(accounts * 8)[:pairs]
    one, two = ids % accounts, (ids % accounts + 1 + ids // accounts) % accounts
    since = rng.uniform(40, 100, pairs)
    topic, acts = rng.random(pairs), rng.poisson(1.2, pairs)
    early = rng.random(pairs) < 0.2
    chance = expit(PLANTED["intercept"] + PLANTED[ACTS] * np.log1p(acts) + PLANTED[TOPIC] * topic)
    later = ~early & (rng.random(pairs) < chance)
    answer = since + np.where(early, rng.uniform(0.1, 6.9, pairs), rng.uniform(7.1, 29.9, pairs))
    answered = early | later
    follows = make_follows([
        *zip(one, two, since, strict=True),
        *zip(two[answered], one[answered], answer[answered], strict=True),
    ])  # fmt: skip
    when = np.repeat(since, acts) + rng.uniform(0.1, 6.9, acts.sum())
    likes = make_acts([*zip(np.repeat(one, acts), np.repeat(two, acts), when, strict=True)])
    watch = pd.concat([
        pd.DataFrame({"account_id": np.arange(accounts), "table_name": name,
                      "observed_from_at": START, "observed_until_at": on_day([200])[0],
                      "sees_unfollows": True})
        for name in ("follows", "interactions")
    ])  # fmt: skip
    data = make_dataset({"follows": follows, "interactions": likes, "observation": watch})
    dyads = make_dyads(data, "follow_back")
    given = pd.DataFrame({"initiator_id": one, "decider_id": two, TOPIC: topic})
    joined = dyads.table.merge(given, on=["initiator_id", "decider_id"], how="left")
    return data, dyads, joined.set_index("dyad_id")[[TOPIC]]


@pytest.fixture(scope="module")
def planted() -> tuple[Dataset, DyadSet, pd.DataFrame]:
    return simulate(1)


def test_planted_odds_of_a_later_answer_are_recovered(planted) -> None:
    data, dyads, features = planted
    found = fit_still_waiting(data, dyads, features, names=[ACTS, TOPIC])
    assert found.model.penalty == "none"
    slopes = found.model.coefficients.set_index("term")
    for term, truth in PLANTED.items():
        assert abs(slopes.loc[term, "estimate"] - truth) < 3 * slopes.loc[term, "std_error"]
    assert 0.75 < len(found.rows) / len(dyads.table) < 0.85
    effect = found.effects.set_index("term").loc[ACTS]
    assert effect["unit"] == "per doubling"
    assert effect["odds_ratio"] == pytest.approx(2 ** slopes.loc[ACTS, "estimate"], rel=1e-9)


def test_the_model_agrees_with_the_chance_left(planted) -> None:
    """All deciders are watched to the horizon, so that both are the same share of the same."""
    data, dyads, features = planted
    found = fit_still_waiting(data, dyads, features)
    left = chance_after(make_waiting(data), [7], horizon_days=30).iloc[0]
    assert left["n"] == len(found.rows)
    assert left["chance"] == pytest.approx(found.rows["outcome"].mean(), abs=1e-12)
    assert found.model.predict_proba(found.values).mean() == pytest.approx(left["chance"], abs=1e-6)


def test_later_events_leave_the_features_bit_identical(planted) -> None:
    """Acts, follows and the answer itself from just after the landmark on change nothing of it."""
    data, dyads, _ = planted
    features = make_features(dyads, data, names=["decider_ratio_log", "dyad_acts_to_decider_log"])
    before = fit_still_waiting(data, dyads, features.values)
    # The oldest that stayed unanswered: for most others the new events may well come before.
    row = before.rows["at"].where(before.rows["outcome"] == 0).argmin()
    who = before.rows.iloc[row]
    later = who["landmark_at"] + pd.to_timedelta([1e-6, 60, 86_400], unit="s")
    acts = pd.concat([
        pd.DataFrame({"actor_id": one, "target_id": two, "kind": "like", "at": later})
        for one, two in [(who["initiator_id"], who["decider_id"]),
                         (who["decider_id"], who["initiator_id"])]
    ])  # fmt: skip
    follows = pd.DataFrame(
        {
            "follower_id": who["decider_id"],
            "followee_id": [who["initiator_id"], 9001, 9002],
            "followed_at": later,
        }
    )
    changed = make_dataset({
        "follows": pd.concat([data.follows[list(follows)], follows]),
        "interactions": pd.concat([data.interactions[list(acts)], acts]),
        "observation": data.observation,
    })  # fmt: skip
    again = make_dyads(changed, "follow_back")
    remade = make_features(again, changed, names=list(features.values))
    after = fit_still_waiting(changed, again, remade.values)
    ids = ["initiator_id", "decider_id"]
    place = after.rows.index[(after.rows[ids] == who[ids]).all(axis=1)][0]
    assert np.array_equal(before.values.iloc[row], after.values.loc[place])
    assert after.rows.loc[place, "outcome"] == 1
    # A landmark two days later would have seen them all.
    leaky = after.rows.loc[[place]].assign(landmark_at=who["landmark_at"] + pd.Timedelta(days=2))
    assert (measure_since(leaky, changed) > before.values.iloc[row][:3]).all(axis=None)


def test_faults_are_named(planted) -> None:
    data, dyads, features = planted
    for landmark in (0, 30, 40):
        with pytest.raises(ParameterError, match="between 0 and the horizon of 30 days"):
            fit_still_waiting(data, dyads, features, landmark_days=landmark)
    with pytest.raises(InputError, match=r"2,[0-9]+ of 2,[0-9]+ dyads have no row"):
        fit_still_waiting(data, dyads, features.head(100))
    with pytest.raises(CannotFitError, match="answers among"):
        fit_still_waiting(data, dyads, features, landmark_days=29.8)
    with pytest.raises(CannotFitError, match="with 0 usable features"):
        fit_still_waiting(data, dyads, features, names=["unheard_of"])
