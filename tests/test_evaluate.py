"""The ladder on plain arrays: order of rungs, who sees what, weights, and what is missing."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from plain_ladder import NAMES, make_problem
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, log_loss

from followkit.dyads import DyadSet
from followkit.errors import InputError
from followkit.evaluate import Ladder, run_ladder
from followkit.features import FeatureTable
from followkit.splits import Split, make_account_blocks, make_pair_groups

RUNGS = [
    "prevalence", "decider_rate", "ratio_threshold", "decider_logistic", "cheng_ratio_set",
    "cheng_tree", "full_logistic", "triadic", "gradient_boosting",
]  # fmt: skip


def in_sample(dyads: DyadSet) -> Split:
    """Return the split that tests every dyad on a model trained on all."""
    size = len(dyads.table)
    return Split("in_sample", np.zeros(size, int), np.ones((1, size), bool), "All train.")


def climb(dyads: DyadSet, features: FeatureTable, *splits: Split, **options: object) -> Ladder:
    chosen = list(splits) or [make_account_blocks(dyads)]
    return run_ladder(dyads, features, names=NAMES, splits=chosen, **options)


def value_of(ladder: Ladder, rung: str, score: str) -> float:
    rows = ladder.scores
    return float(rows.loc[(rows["rung"] == rung) & (rows["score"] == score), "value"].iloc[0])


@pytest.fixture(scope="module")
def problem() -> tuple[DyadSet, FeatureTable]:
    return make_problem()


@pytest.fixture(scope="module")
def ladder(problem: tuple[DyadSet, FeatureTable]) -> Ladder:
    return climb(*problem)


def test_rungs_in_order_and_the_true_model_on_top(ladder: Ladder) -> None:
    assert list(dict.fromkeys(ladder.scores["rung"])) == RUNGS
    auc = {rung: value_of(ladder, rung, "auc") for rung in RUNGS}
    assert auc["prevalence"] == 0.5
    assert auc["full_logistic"] == max(auc.values())
    assert auc["full_logistic"] > auc["cheng_ratio_set"] + 0.05 > auc["decider_logistic"] + 0.05
    assert value_of(ladder, "prevalence", "brier_skill") == 0.0
    assert (ladder.scores["n"] == 1500).all()
    assert ladder.missing.empty


def test_rungs_are_compared_dyad_by_dyad(ladder: Ladder) -> None:
    pairs = ladder.paired.set_index(["rung", "against"])
    gain = pairs.loc[("prevalence", "full_logistic")]
    by_hand = value_of(ladder, "prevalence", "log_loss")
    by_hand -= value_of(ladder, "full_logistic", "log_loss")
    assert gain["gain"] == pytest.approx(by_hand)
    assert 0 < gain["ci_low"] < gain["gain"] < gain["ci_high"]
    assert set(pairwise(RUNGS)) <= set(pairs.index)
    assert pairs.index.is_unique


def test_full_model_equals_scikit_learn_in_sample(problem: tuple[DyadSet, FeatureTable]) -> None:
    dyads, features = problem
    y = dyads.table["outcome"].to_numpy()
    used = features.values[list(NAMES)]
    plain = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(used, y)
    expected = plain.predict_proba(used)[:, 1]
    found = climb(dyads, features, in_sample(dyads))
    assert np.allclose(found.tested["in_sample"].probability, expected, atol=1e-5)
    assert value_of(found, "full_logistic", "log_loss") == pytest.approx(log_loss(y, expected))


def test_threshold_is_the_best_cut_and_its_auc_balanced_accuracy(
    problem: tuple[DyadSet, FeatureTable],
) -> None:
    dyads, features = problem
    coarse = features.values.assign(
        decider_ratio_log=features.values["decider_ratio_log"].round(1),
        initiator_ratio_log=features.values["initiator_ratio_log"].round(1),
    )
    gap = (coarse["decider_ratio_log"] - coarse["initiator_ratio_log"]).to_numpy()
    y = dyads.table["outcome"].to_numpy()
    best = max(
        max(accuracy, 1 - accuracy)
        for accuracy in (balanced_accuracy_score(y, gap > cut) for cut in np.unique(gap))
    )
    found = climb(dyads, replace(features, values=coarse), in_sample(dyads))
    assert value_of(found, "ratio_threshold", "auc") == pytest.approx(best)


def test_nobody_trains_for_itself(problem: tuple[DyadSet, FeatureTable]) -> None:
    """Turning every outcome of a test cell round leaves the cell's probabilities as they are."""
    dyads, features = problem
    for split in (
        make_account_blocks(dyads, block_count=3),
        make_pair_groups(dyads, group_count=2),
    ):
        inside = split.cell == split.cell[0]
        table = dyads.table.copy()
        table.loc[inside, "outcome"] = 1 - table.loc[inside, "outcome"]
        before = climb(dyads, features, split).tested[split.name].probability
        after = climb(replace(dyads, table=table), features, split).tested[split.name].probability
        assert np.array_equal(before[inside], after[inside])
        assert not np.array_equal(before, after)


def test_half_weights_twice_are_one_dyad(problem: tuple[DyadSet, FeatureTable]) -> None:
    dyads, features = problem
    twice = pd.concat([dyads.table.assign(weight=0.5)] * 2, ignore_index=True)
    values = pd.concat([features.values] * 2, ignore_index=True)
    once = climb(dyads, features)
    doubled = climb(replace(dyads, table=twice), replace(features, values=values))
    for rung in RUNGS[:-1]:  # boosting's leaves hold 20 rows at least, whatever they weigh
        for score in ("log_loss", "brier", "auc", "average_precision"):
            one, other = value_of(once, rung, score), value_of(doubled, rung, score)
            assert one == pytest.approx(other, abs=1e-6), (rung, score)


def test_order_of_dyads_does_not_matter(
    problem: tuple[DyadSet, FeatureTable], ladder: Ladder
) -> None:
    dyads, features = problem
    order = np.random.default_rng(0).permutation(len(dyads.table))
    table = dyads.table.iloc[order].reset_index(drop=True)
    shuffled = climb(
        replace(dyads, table=table), replace(features, values=features.values.iloc[order])
    )
    columns = ["value", "ci_low", "ci_high"]
    logistic = ladder.scores["rung"] != "gradient_boosting"
    assert np.allclose(
        shuffled.scores.loc[logistic, columns], ladder.scores.loc[logistic, columns],
        equal_nan=True, atol=1e-10,
    )  # fmt: skip


def test_same_seed_same_ladder(problem: tuple[DyadSet, FeatureTable], ladder: Ladder) -> None:
    pd.testing.assert_frame_equal(climb(*problem).scores, ladder.scores)


def test_dyads_with_unknown_features_are_left_out_everywhere_and_counted(
    problem: tuple[DyadSet, FeatureTable],
) -> None:
    dyads, features = problem
    values = features.values.copy()
    values.loc[values.index[:100], "dyad_topic_cosine"] = np.nan
    found = climb(dyads, replace(features, values=values))
    assert (found.scores["n"] == 1400).all()
    assert any(note.startswith("100 dyads without a known value") for note in found.notes)
    values["dyad_topic_cosine"] = np.nan
    with pytest.raises(InputError, match="none of 1,500 dyads has a known value"):
        climb(dyads, replace(features, values=values))


def test_rungs_that_cannot_be_had_say_what_they_need(
    problem: tuple[DyadSet, FeatureTable],
) -> None:
    dyads, features = problem
    values = features.values[["initiator_ratio_log", "dyad_topic_cosine"]]
    found = run_ladder(
        dyads, replace(features, values=values), names=list(values),
        splits=[make_account_blocks(dyads)],
    )  # fmt: skip
    reasons = dict(zip(found.missing["rung"], found.missing["reason"], strict=True))
    assert reasons["decider_rate"] == "needs decider_follow_back_rate"
    assert reasons["ratio_threshold"] == "needs decider_ratio_log"
    assert reasons["decider_logistic"] == "needs features of the decider"
    assert "initiator_followee_count_log" in reasons["cheng_ratio_set"]
    assert set(found.scores["rung"]) == {"prevalence", "full_logistic", "gradient_boosting"}
    # A feature outside the model that is unknown for some dyads would change who is compared.
    partly = features.values.copy()
    partly.iloc[:5, partly.columns.get_loc("decider_follow_back_rate")] = np.nan
    others = [name for name in NAMES if name != "decider_follow_back_rate"]
    found = run_ladder(
        dyads, replace(features, values=partly), names=others, splits=[make_account_blocks(dyads)]
    )
    assert found.missing["reason"].tolist() == [
        "decider_follow_back_rate is unknown for some dyads"
    ]


def test_contact_of_unknown_order_stands_in_a_rung_of_its_own(
    problem: tuple[DyadSet, FeatureTable], ladder: Ladder
) -> None:
    dyads, features = problem
    # Contact after the answer: it tells the outcome, and must lift no other rung.
    late = dyads.table["outcome"].to_numpy() * 1.0
    values = features.values.assign(dyad_untimed_contact_log=late)
    untimed = replace(features, values=values, untimed=("dyad_untimed_contact_log",))
    found = run_ladder(
        dyads, untimed, names=[*NAMES, "dyad_untimed_contact_log"],
        splits=[make_account_blocks(dyads)],
    )  # fmt: skip
    assert value_of(found, "untimed_contact", "auc") > 0.99
    rest = found.scores[found.scores["rung"] != "untimed_contact"].reset_index(drop=True)
    pd.testing.assert_frame_equal(rest, ladder.scores)


def test_flexible_models_stay_within_a_fold_of_a_snapshot(
    problem: tuple[DyadSet, FeatureTable],
) -> None:
    """A number that names the fold's graph must not help boosting, nor the other folds' labels."""
    dyads, features = problem
    snapshot = replace(dyads, asof="snapshot")
    before = climb(snapshot, features)
    table = snapshot.table.copy()
    other = table["fold"] == 0
    table.loc[other, "outcome"] = 1 - table.loc[other, "outcome"]
    after = climb(replace(snapshot, table=table), features)
    groups = before.tested["accounts"].group
    assert len(np.unique(groups)) > len(np.unique(make_account_blocks(dyads).cell))
    full = [one.tested["accounts"].probability[~other.to_numpy()] for one in (before, after)]
    assert not np.array_equal(*full)  # the linear model pools folds


def test_nothing_to_learn_gives_no_certainty() -> None:
    """A cell whose training dyads were all unanswered predicts a small rate, never 0."""
    dyads, features = make_problem(size=300)
    table = dyads.table.assign(outcome=0)
    table.loc[:7, "outcome"] = 1
    dyads = replace(dyads, table=table)
    train = np.ones((1, 300), bool)
    train[0, :8] = False
    split = Split("time", np.where(np.arange(300) < 20, 0, -1), train, "Late answers only.")
    found = climb(dyads, features, split)
    assert found.tested["time"].probability == pytest.approx(0.5 / 293)
    assert value_of(found, "full_logistic", "log_loss") < 5
    assert (found.scores.loc[found.scores["score"] == "auc", "value"] == 0.5).all()


def test_too_few_answers_are_noted_beside_the_score() -> None:
    dyads, features = make_problem(size=300)
    first = np.flatnonzero(dyads.table["outcome"] == 1)[:3]
    rest = np.flatnonzero(dyads.table["outcome"] == 0)[:20]
    cell = np.full(300, -1)
    cell[np.r_[first, rest]] = 0
    found = climb(dyads, features, Split("time", cell, (cell < 0)[None, :], "Few."))
    rows = found.scores[(found.scores["score"] == "auc") & (found.scores["rung"] != "prevalence")]
    assert rows["ci_low"].isna().all()
    assert rows["note"].str.startswith("too few to give an interval: 3 answered").all()
    assert (rows["answer_count"] == 3).all()
