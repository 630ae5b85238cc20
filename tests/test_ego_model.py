"""What goes with an answer: features by hand, planted truth, nothing planted, no leak."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from ego_worlds import act, follow, make_about, make_export, simulate_ego
from scipy import stats

from followkit.ego import study_ego
from followkit.ego.alters import list_acts, make_alters
from followkit.ego.checks import read_export
from followkit.ego.features import make_ego_features
from followkit.ego.model import BASE_ONLY, TESTS, _predict, _try_all, fit_ego_model
from followkit.logit import LogitRegression
from followkit.scores import log_loss
from followkit.tables import Dataset
from followkit.tuning import Tuner

LN2 = float(np.log(2))


def features_of(data: Dataset) -> pd.DataFrame:
    """Return the features of every alter, by id."""
    export = read_export(data)
    alters, acts = make_alters(data, export), list_acts(data, export)
    return make_ego_features(alters, acts, data, export).set_index(alters["alter_id"])


def test_features_by_hand() -> None:
    ties = [
        follow("me", "ana", "2024-01-10"), follow("me", "bo", "2024-01-10T12:00:00Z"),
        follow("me", "cy", "2024-03-01"), follow("me", "old", "2023-01-01"),
    ]  # fmt: skip
    acts = [
        act("me", "x", "like", "2024-01-01"),  # acts are in the export from here on
        act("me", "ana", "like", "2024-01-02"), act("me", "ana", "like", "2024-01-03", count="2"),
        act("me", "ana", "comment", "2024-01-03T00:00:00Z"),
        act("me", "ana", "like", "2024-01-10"),  # at the moment of the follow: not before it
        act("me", "bo", "mention", "2024-02-10"),
        act("ana", "me", "message", "2024-01-09"),
        act("me", "cy", "message", "2024-02-02"), act("cy", "me", "like", "2024-02-02"),
    ]  # fmt: skip
    posts = [{"post_id": f"p{k}", "account_id": "me", "posted_at": at} for k, at in
             enumerate(["2023-12-12", "2023-12-13", "2024-01-09"])]  # fmt: skip
    about = make_about(platform="tiktok")
    found = features_of(make_export(ties, about, interactions=acts, posts=posts))
    ana, bo, cy = (np.exp(found.loc[one]) - 1 for one in ("ana", "bo", "cy"))
    assert ana[["ego_likes_log", "ego_comments_log", "alter_messages_log"]].tolist() == (
        pytest.approx([3, 1, 1])
    )
    assert ana["posts_log"] == pytest.approx(2)  # of 2023-12-13 (28 days before) and 2024-01-09
    assert bo[["ego_comments_log", "day_follows_log", "order_log"]].tolist() == (
        pytest.approx([0, 1, 2])
    )
    assert cy[["ego_messages_log", "alter_acts_log", "posts_log", "day_follows_log",
               "order_log"]].tolist() == pytest.approx([1, 1, 0, 0, 3])  # fmt: skip
    assert found.loc["ana", "contact_recency"] == pytest.approx(0.5 ** (1 / 28))
    assert found.loc["cy", "contact_recency"] == pytest.approx(0.5)  # 28 days ago
    assert found.loc["bo", "contact_recency"] == 0.0
    # Before the first act in the export the past is unknown, not empty.
    assert found.loc["old", ["ego_likes_log", "contact_recency"]].isna().all()
    assert found.loc["old", "order_log"] == 0.0


def test_messages_of_unmatched_threads_are_missing() -> None:
    """Instagram names threads by display names: without one a thread is missing, not empty."""
    ties = [follow("me", "ana", "2024-02-01"), follow("me", "bo", "2024-02-01")]
    acts = [act("me", one, "message", "2024-01-01") for one in ("ana", "bo")]
    accounts = [{"account_id": "ana", "display_name": "Ana L"}]
    given = {"interactions": acts, "accounts": accounts}
    # Names come with later contact, so one name among two would let the answer in.
    table = features_of(make_export(ties, make_about(), **given))
    assert table["ego_messages_log"].isna().all()
    assert (table["contact_recency"] == 0).all()
    contacts = study_ego(make_export(ties, make_about(), **given)).alters["contact"]
    assert contacts.tolist() == ["no_acts", "no_acts"]
    named = [{"account_id": one, "display_name": one.title()} for one in ("ana", "bo")]
    both = make_export(ties, make_about(), interactions=acts, accounts=named)
    assert features_of(both)["ego_messages_log"].tolist() == pytest.approx([LN2, LN2])
    assert study_ego(both).alters["contact"].tolist() == ["ego_wrote", "ego_wrote"]
    old = make_about()
    old["export"]["files"] = [{"file": "messages.json"}]
    assert features_of(make_export(ties, old, **given))["ego_messages_log"].notna().all()


def test_the_own_reverse_tie_leaves_its_row() -> None:
    data = simulate_ego(1, 60, slopes={"like": 1.0})
    before = features_of(data)
    follows = data.follows
    answered = follows.loc[follows["followee_id"] == "me", "follower_id"].tolist()
    assert len(answered) > 10
    for alter in answered[:10]:
        rest = follows[follows["follower_id"] != alter].reset_index(drop=True)
        after = features_of(data.replace(follows=rest))
        pd.testing.assert_series_equal(after.loc[alter], before.loc[alter], check_exact=True)
    # All reverse ties at once: no row reads an answer of anybody.
    none = follows[follows["follower_id"] == "me"].reset_index(drop=True)
    pd.testing.assert_frame_equal(features_of(data.replace(follows=none)), before,
                                  check_exact=True)  # fmt: skip


def test_acts_after_the_follow_move_nothing() -> None:
    data = simulate_ego(2, 120, slopes={"like": 1.0})
    own = data.follows[data.follows["follower_id"] == "me"]
    at = own.set_index("followee_id")["followed_at"]
    parts = []
    for days in (0, 3):
        for who, whom in (("me", at.index), (at.index, "me")):
            late = (at + pd.Timedelta(days=days)).to_numpy()
            parts.append(pd.DataFrame({"actor_id": who, "target_id": whom, "at": late}))
    later = pd.concat(parts, ignore_index=True).assign(kind="like")
    more = data.replace(interactions=pd.concat([data.interactions, later], ignore_index=True))
    pd.testing.assert_frame_equal(features_of(more), features_of(data), check_exact=True)
    one, two = study_ego(data), study_ego(more)
    pd.testing.assert_frame_equal(one.model.tests, two.model.tests, check_exact=True)
    pd.testing.assert_frame_equal(one.model.slopes, two.model.slopes, check_exact=True)
    assert (two.alters["alter_like_after"] > one.alters["alter_like_after"]).all()
    # An act before a follow does move it, so the comparison above can fail.
    early = later.assign(at=later["at"] - pd.Timedelta(days=10))
    moved = data.replace(interactions=pd.concat([data.interactions, early], ignore_index=True))
    assert not features_of(moved).equals(features_of(data))


def test_planted_truth_is_recovered_within_its_own_error() -> None:
    truth = {"ego_likes_log": 0.8, "ego_comments_log": 0.4, "ego_messages_log": 0.0}
    scores = []
    for seed in range(4):
        data = simulate_ego(seed, 1200, intercept=-1.0, slopes={"like": 0.8, "comment": 0.4})
        model = study_ego(data).model
        assert model.is_better
        assert model.tests["test"].tolist() == list(TESTS)
        effects = model.effects.set_index("term").loc[list(truth)]
        slope = np.log(effects["odds_ratio"]) / LN2
        width = np.log(effects["ci_high"] / effects["ci_low"]) / LN2
        scores.append((slope - pd.Series(truth)) / (width / (2 * stats.norm.ppf(0.975))))
    table = pd.DataFrame(scores)
    assert table.abs().to_numpy().max() < 3.0
    # The mean of four is within three of its own standard errors, too.
    assert table.mean().abs().max() < 3.0 / np.sqrt(4)


def draw_noise(seed: int, count: int) -> tuple[pd.DataFrame, pd.Series, pd.Series, pd.Series]:
    """Return features, outcomes that have nothing to do with them, times and ids."""
    rng = np.random.default_rng(seed)
    names = ["ego_likes_log", "ego_comments_log", "ego_messages_log", "contact_recency",
             "day_follows_log", "order_log"]  # fmt: skip
    values = rng.exponential(size=(count, 6)) * (rng.random((count, 6)) < 0.4)
    outcome = pd.Series((rng.random(count) < 0.5).astype(int))
    at = pd.Series(pd.date_range("2021", periods=count, freq="3D", tz="UTC"))
    ids = pd.Series([f"b{k}" for k in range(count)])
    return pd.DataFrame(values, columns=names), outcome, at, ids


def test_nothing_planted_says_the_base_rate() -> None:
    models = [fit_ego_model(*draw_noise(seed, 120), ego="me", seed=seed)[0] for seed in range(30)]
    models += [study_ego(simulate_ego(seed, 150), seed=seed).model for seed in range(3)]
    quiet = [model for model in models if model.verdict == "base_rate"]
    assert len(quiet) >= 30
    assert all("the base rate is all that can be said." in model.sentence for model in quiet)
    assert all(model.effects.empty for model in quiet)
    # Each could be tested, so being quiet is a finding and no refusal to look.
    assert all(len(model.tests) > 0 for model in models)


def test_the_strongest_penalty_is_the_base_rate_itself() -> None:
    """A gain of a millionth would be taken for one where its interval is as narrow."""
    values, outcome, at, ids = draw_noise(4, 120)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("followkit.ego.model.RIDGES", {"1e6": BASE_ONLY})
        patch.setattr("followkit.ego.model.TUNER", Tuner(("1e6",), _try_all, _predict))
        model, _ = fit_ego_model(values, outcome, at, ids, ego="me")
    assert model.ridge == BASE_ONLY
    assert (model.slopes["slope"] == 0).all()
    # Exactly none, and so never above 0.
    assert (model.tests[["gain", "gain_low", "gain_high"]] == 0).all(axis=None)
    assert model.verdict == "base_rate"


def test_odds_ratios_come_with_what_they_cannot_tell() -> None:
    notes = " ".join(study_ego(simulate_ego(6, 600, slopes={"like": 1.2})).model.notes)
    assert "further from 1 than the truth" in notes


def test_few_answers_are_too_few() -> None:
    study = study_ego(simulate_ego(5, 30, slopes={"like": 2.0}))
    model = study.model
    assert model.verdict == "too_few"
    assert model.sentence.startswith("Too few data: ")
    assert model.tests.empty
    assert study.rate is not None
    assert (model.n, model.event_count) == (study.rate.n, study.rate.answered)
    assert model.base_rate == study.rate.rate
    assert study.alters["predicted"].isna().all()


def test_predictions_follow_the_model() -> None:
    data = simulate_ego(6, 600, slopes={"like": 1.2})
    study = study_ego(data)
    assert study.model.is_better
    rows = study.alters[study.alters["is_in_rate"]]
    predicted = rows["predicted"]
    assert predicted.between(0, 1).all()
    # A fit with an intercept predicts the base rate on average, whatever its penalty.
    assert predicted.mean() == pytest.approx(study.model.base_rate, abs=1e-4)
    many = rows["ego_like_before"] >= 8
    assert predicted[many].mean() > predicted[rows["ego_like_before"] == 0].mean() + 0.2
    assert study.model.slopes.set_index("term")["slope"].idxmax() == "ego_likes_log"


def test_the_test_is_out_of_sample() -> None:
    """Gain and losses agree, and noise does not gain: a fit scored on itself always would."""
    values, outcome, at, ids = draw_noise(3, 160)
    model, predicted = fit_ego_model(values, outcome, at, ids, ego="me")
    line = model.tests.iloc[0]
    assert line["gain"] == pytest.approx(line["base_loss"] - line["model_loss"])
    assert line["gain_low"] < line["gain"] < line["gain_high"]
    assert line["base_loss"] == pytest.approx(np.log(2), abs=0.03)
    assert line["gain_low"] < 0
    assert model.verdict == "base_rate"
    assert predicted.isna().all()
    assert line["n"] == 160
    free = LogitRegression().fit(values.to_numpy(), outcome)
    own = free.predict_proba(values.to_numpy())[:, 1]
    assert log_loss(outcome.to_numpy(float), own).mean() < line["base_loss"] < line["model_loss"]


def test_later_follows_are_predicted_from_what_was_known_then() -> None:
    """With a horizon longer than the whole span nothing was known, so there is no such test."""
    data = simulate_ego(7, 400, slopes={"like": 0.8})
    export = read_export(data)
    alters, acts = make_alters(data, export), list_acts(data, export)
    features = make_ego_features(alters, acts, data, export)
    outcome = (alters["answer_days"] <= 20).astype(int)
    given = (features, outcome, alters["followed_at"], alters["alter_id"])
    near, _ = fit_ego_model(*given, ego="me", horizon_days=30)
    far, _ = fit_ego_model(*given, ego="me", horizon_days=2000)
    assert near.tests["test"].tolist() == list(TESTS)
    assert far.tests["test"].tolist() == [TESTS[0]]


def test_seed_and_confidence_matter() -> None:
    data = simulate_ego(8, 300, slopes={"like": 0.6})
    one, two = study_ego(data, seed=0).model, study_ego(data, seed=1).model
    assert one.tests["gain"].iloc[0] != two.tests["gain"].iloc[0]
    again = study_ego(data, seed=0).model
    pd.testing.assert_frame_equal(one.tests, again.tests, check_exact=True)
    narrow = study_ego(data, confidence=0.8).model.tests.iloc[0]
    wide = one.tests.iloc[0]
    assert narrow["gain_high"] - narrow["gain_low"] < wide["gain_high"] - wide["gain_low"]


def test_without_timed_acts_only_habits_are_left() -> None:
    data = simulate_ego(9, 200)
    model = study_ego(data.replace(interactions=None)).model
    used = model.features.set_index("name")["in_model"]
    assert used[used].index.tolist() == ["day_follows_log", "order_log"]
    assert "unknown" in model.features.set_index("name").loc["ego_likes_log", "note"]
