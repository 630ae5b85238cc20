"""Tuned rungs and triads: chosen inside training alone, equal to scikit-learn, counted by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from plain_ladder import NAMES, make_problem
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from worlds import QUESTIONS, make_coin_world

from followkit.dyads import DyadSet, make_dyads
from followkit.evaluate import CHENG_SET, TRIAD_SET, run_ladder
from followkit.features import FeatureTable, make_features
from followkit.rungs import BOOSTS, DEPTHS, boosting_tuner, find_rungs, predict_rung, tree_tuner
from followkit.scores import log_loss
from followkit.splits import Split, make_account_blocks, make_pair_groups
from followkit.tuning import InnerFolds, Lesson, choose_setting, make_inner_folds


def make_lesson(seed: int = 0, size: int = 800, weight: float = 1.0) -> Lesson:
    """Return dyads whose answers follow two features of the set, and three that say nothing."""
    rng = np.random.default_rng(seed)
    values = pd.DataFrame(rng.normal(size=(size, 5)), columns=list(CHENG_SET))
    logit = values[CHENG_SET[0]] - values[CHENG_SET[1]]
    outcome = (rng.random(size) < expit(logit.to_numpy())).astype(float)
    return Lesson(values, outcome, np.full(size, weight))


def make_parity(seed: int, size: int = 1500) -> Lesson:
    """Return dyads answered where two features agree in sign: nothing that one cut can see."""
    lesson = make_lesson(seed, size)
    agree = (lesson.values[CHENG_SET[0]] * lesson.values[CHENG_SET[1]] > 0).to_numpy()
    rng = np.random.default_rng(seed + 1)
    return replace(lesson, outcome=(rng.random(size) < np.where(agree, 0.8, 0.2)).astype(float))


def fold_rows(size: int) -> InnerFolds:
    """Return three inner folds of rows in turn."""
    held = np.arange(size)[None, :] % 3 == np.arange(3)[:, None]
    return InnerFolds("accounts", ~held, held)


def everyone(size: int) -> list[np.ndarray]:
    return [np.ones(size, bool)]


# -- inner folds -----------------------------------------------------------------------------------


def test_inner_folds_keep_accounts_and_pairs_apart() -> None:
    dyads, _ = make_problem(size=900)
    by_account, by_pair = make_inner_folds(dyads, seed=3)
    table = dyads.table
    ends = table[["initiator_id", "decider_id"]].to_numpy()
    for train, held in zip(by_account.train, by_account.held, strict=True):
        assert held.sum() > 20
        assert not set(ends[train].ravel()) & set(ends[held].ravel())
    pairs = np.array([f"{min(pair)}-{max(pair)}" for pair in ends])
    for train, held in zip(by_pair.train, by_pair.held, strict=True):
        assert not set(pairs[train]) & set(pairs[held])
    assert by_pair.held.sum(axis=0).tolist() == [1] * len(table)


def test_inner_blocks_cut_across_the_outer_ones() -> None:
    """Within one outer training set every inner fold still finds dyads."""
    dyads, _ = make_problem(size=1500)
    outer, inner = make_account_blocks(dyads, seed=0), make_inner_folds(dyads, seed=0)[0]
    for train in outer.train:
        assert ((inner.held & train).sum(axis=1) > 5).all()
        assert ((inner.train & train).sum(axis=1) > 20).all()


def test_few_accounts_leave_pairs_alone() -> None:
    dyads, _ = make_problem(size=40, accounts=2)
    assert [way.name for way in make_inner_folds(dyads)] == ["pairs"]


# -- choosing --------------------------------------------------------------------------------------


def test_choice_is_the_smallest_inner_loss_by_brute_force() -> None:
    lesson, way = make_lesson(), fold_rows(800)
    found = choose_setting(tree_tuner(CHENG_SET, 0), lesson, everyone(800), [way])
    losses = {}
    for setting, depth in DEPTHS.items():
        total = 0.0
        for train, held in zip(way.train, way.held, strict=True):
            seen, y = lesson.values[train].to_numpy(), lesson.outcome[train]
            tree = DecisionTreeClassifier(max_depth=depth, random_state=0, min_samples_leaf=20)
            tree.fit(seen, y)
            leaf, other = tree.apply(seen), tree.apply(lesson.values[held].to_numpy())
            share = {k: (y[leaf == k].sum() + y.mean()) / ((leaf == k).sum() + 1)
                     for k in np.unique(leaf)}  # fmt: skip
            p = np.array([share[k] for k in other])
            total += log_loss(lesson.outcome[held], p).sum()
        losses[setting] = total / 800
    assert found.setting == min(losses, key=losses.__getitem__)
    assert found.log_loss == pytest.approx(losses[found.setting])
    assert (found.n, found.inner) == (800, "accounts")


def test_depth_follows_what_there_is_to_learn() -> None:
    """Parity of two features needs depth; a single step and pure noise do not."""
    tuner, way = tree_tuner(CHENG_SET, 0), fold_rows(1500)
    deep = [choose_setting(tuner, make_parity(seed), everyone(1500), [way]) for seed in range(4)]
    assert all(DEPTHS[one.setting] >= 3 for one in deep), deep
    noise = make_lesson(5, 1500)
    coin = np.random.default_rng(9).integers(0, 2, 1500).astype(float)
    flat = choose_setting(tuner, replace(noise, outcome=coin), everyone(1500), [way])
    assert DEPTHS[flat.setting] <= 2
    assert flat.log_loss > np.log(2) - 0.01


def test_too_few_to_choose_falls_back_to_pairs_then_to_the_simplest() -> None:
    lesson = make_lesson(size=120)
    tuner = tree_tuner(CHENG_SET, 0)
    way = fold_rows(120)
    empty = InnerFolds("accounts", way.train, np.zeros_like(way.held))
    pairs = InnerFolds("pairs", way.train, way.held)
    assert choose_setting(tuner, lesson, everyone(120), [empty, pairs]).inner == "pairs"
    few = replace(lesson, outcome=(np.arange(120) < 9).astype(float))
    found = choose_setting(tuner, few, everyone(120), [way, pairs])
    assert (found.setting, found.n, found.inner) == ("depth 1", 0, "none")
    assert np.isnan(found.log_loss)


def test_equal_losses_go_to_the_simpler_setting() -> None:
    lesson = make_lesson(size=90)
    tuner = tree_tuner(CHENG_SET, 0)
    same = replace(tuner, try_all=lambda _, test: {one: np.full(len(test), 0.5) for one in DEPTHS})
    assert choose_setting(same, lesson, everyone(90), [fold_rows(90)]).setting == "depth 1"


@pytest.mark.parametrize("asof", ["timed", "snapshot"])
def test_test_outcomes_do_not_change_the_choice(asof: str) -> None:
    """Outcomes of a test cell drawn anew: its settings stay; those trained on them need not."""
    dyads, features = make_problem(size=900)
    dyads = replace(dyads, asof=asof)
    split = make_pair_groups(dyads, group_count=2)
    table = dyads.table.copy()
    inside = split.cell == 0
    table.loc[inside, "outcome"] = np.random.default_rng(0).integers(
        0, 2, inside.sum(), dtype="int8"
    )
    before, after = (
        run_ladder(one, features, names=NAMES, splits=[split]).tuned
        for one in (dyads, replace(dyads, table=table))
    )
    same = before["cell"] == 0
    assert same.sum() == 2
    pd.testing.assert_frame_equal(before[same], after[same])
    assert (before.loc[~same, "log_loss"] < after.loc[~same, "log_loss"]).all()


def test_every_cell_of_every_tuned_rung_is_recorded() -> None:
    dyads, features = make_problem(size=900)
    split = make_account_blocks(dyads, block_count=3)
    tuned = run_ladder(dyads, features, names=NAMES, splits=[split]).tuned
    cells = len(np.unique(split.cell[split.tested]))
    assert tuned["rung"].value_counts().to_dict() == {
        "cheng_tree": cells, "gradient_boosting": cells,
    }  # fmt: skip
    assert set(tuned["setting"]) <= {*DEPTHS, *BOOSTS}
    assert tuned["inner"].isin(["accounts", "pairs", "none"]).all()


# -- models ----------------------------------------------------------------------------------------


def test_tree_does_not_care_about_the_unit_of_weights() -> None:
    test = make_lesson(3, 200).values
    tuner = tree_tuner(CHENG_SET, 0)
    one, half = make_lesson(1), make_lesson(1, weight=0.5)
    twice = Lesson(pd.concat([half.values] * 2, ignore_index=True), np.tile(half.outcome, 2),
                   np.tile(half.weight, 2))  # fmt: skip
    for setting in DEPTHS:
        expected = tuner.predict(one, test, setting)
        assert np.allclose(tuner.predict(twice, test, setting), expected)
        assert ((expected > 0) & (expected < 1)).all()


def test_boosting_equals_scikit_learn_at_every_stage() -> None:
    lesson, test = make_lesson(1, 600), make_lesson(2, 100).values
    tuner = boosting_tuner(CHENG_SET, 0)
    tried = tuner.try_all(lesson, test)
    assert list(tried) == list(tuner.settings)
    for setting, (leaves, rounds) in BOOSTS.items():
        plain = HistGradientBoostingClassifier(
            max_iter=rounds, max_leaf_nodes=leaves, learning_rate=0.1, early_stopping=False,
            random_state=0,
        ).fit(lesson.values.to_numpy(), lesson.outcome)  # fmt: skip
        expected = plain.predict_proba(test.to_numpy())[:, 1]
        assert np.allclose(tried[setting], expected)
        assert np.allclose(tuner.predict(lesson, test, setting), expected)
    # Unequal weights count.
    weight = np.where(lesson.outcome == 1, 3.0, 1.0)
    weighed = tuner.predict(replace(lesson, weight=weight), test, "4 leaves, 20 rounds")
    assert weighed.mean() > tried["4 leaves, 20 rounds"].mean() + 0.1


def test_a_lesson_of_one_class_gives_a_rate() -> None:
    lesson = replace(make_lesson(0, 30), outcome=np.zeros(30))
    rungs, _ = find_rungs(list(CHENG_SET), lesson.values, (), 0)
    for rung in rungs:
        assert predict_rung(rung, lesson, lesson.values, "depth 1") == pytest.approx(0.5 / 31)


def make_triadic(seed: int) -> tuple[DyadSet, FeatureTable]:
    """Return a problem in which mutual triads raise the odds and half ones lower them."""
    dyads, features = make_problem(seed, size=2500)
    values, rng = features.values.copy(), np.random.default_rng(seed)
    logit = -1 + 1.5 * values[TRIAD_SET[0]] - 1.5 * values[TRIAD_SET[1]]
    table = dyads.table.assign(outcome=(rng.random(2500) < expit(logit.to_numpy())).astype("int8"))
    return replace(dyads, table=table), replace(features, values=values)


def test_triads_count_where_they_matter() -> None:
    dyads, features = make_triadic(0)
    ladder = run_ladder(dyads, features, names=NAMES, splits=[make_account_blocks(dyads)])
    auc = ladder.scores[ladder.scores["score"] == "auc"].set_index("rung")["value"]
    assert auc["triadic"] > auc["full_logistic"] + 0.2
    gain = ladder.paired.set_index(["rung", "against"]).loc[("triadic", "full_logistic")]
    assert gain["ci_high"] < 0


def test_triadic_rung_is_the_logistic_fit_of_attributes_and_triads() -> None:
    dyads, features = make_triadic(1)
    size = len(dyads.table)
    split = Split("in_sample", np.zeros(size, int), np.ones((1, size), bool), "All train.")
    found = run_ladder(dyads, features, names=NAMES, splits=[split]).held["in_sample"]["triadic"]
    used = features.values[[*NAMES, *TRIAD_SET]]
    y = dyads.table["outcome"].to_numpy()
    plain = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(used, y)
    assert np.allclose(found.probability, plain.predict_proba(used)[:, 1], atol=1e-5)


def test_rungs_without_their_features_say_so() -> None:
    dyads, features = make_problem(size=400)
    values = features.values.drop(columns=[TRIAD_SET[1], CHENG_SET[4]])
    names = [name for name in NAMES if name in values]
    found = run_ladder(
        dyads, replace(features, values=values), names=names, splits=[make_pair_groups(dyads)]
    )
    reasons = found.missing.set_index("rung")["reason"]
    assert reasons["triadic"] == f"needs {TRIAD_SET[1]}"
    assert reasons["cheng_tree"] == f"needs {CHENG_SET[4]}"


# -- triads ----------------------------------------------------------------------------------------


def count_by_hand(ties: set[tuple[str, str]], a: str, b: str) -> list[int]:
    """Return triads with both, one and none of the other two ties mutual, by looking at all x."""
    counts = [0, 0, 0]
    for x in {end for tie in ties for end in tie} - {a, b}:
        if not all((x, end) in ties or (end, x) in ties for end in (a, b)):
            continue
        mutual = sum((x, end) in ties and (end, x) in ties for end in (a, b))
        counts[2 - mutual] += 1
    return counts


@pytest.mark.parametrize("mode", ["crawl", "snapshot"])
def test_triads_by_brute_force(mode: str) -> None:
    """On the graph without any tie of the dyad's fold, in every fold."""
    dataset = make_coin_world(3, mode)
    dyads = make_dyads(dataset, QUESTIONS[mode])
    values = make_features(dyads, dataset, names=[*TRIAD_SET]).values
    follows = dataset.follows
    if dyads.crawl_at is not None:
        gone = follows["unfollowed_before_at"].notna() & (
            follows["unfollowed_before_at"] <= dyads.crawl_at
        )
        follows = follows[(follows["followed_before_at"] <= dyads.crawl_at) & ~gone]
    table = dyads.table
    fold = {
        frozenset(pair): fold
        for pair, fold in zip(
            table[["initiator_id", "decider_id"]].itertuples(index=False, name=None),
            table["fold"], strict=True,
        )
    }  # fmt: skip
    ties = set(follows[["follower_id", "followee_id"]].itertuples(index=False, name=None))
    some = np.random.default_rng(0).choice(len(table), 40, replace=False)
    seen = 0
    for row in some:
        a, b = table.loc[row, ["initiator_id", "decider_id"]]
        mine = {tie for tie in ties if fold.get(frozenset(tie)) != table.loc[row, "fold"]}
        expected = count_by_hand(mine, a, b)
        assert np.expm1(values.iloc[row].to_numpy()) == pytest.approx(expected)
        seen += sum(expected)
    assert seen > 20


def test_triads_add_up_to_the_shared_neighbours() -> None:
    """Each shared neighbour, tied in whatever direction to both, is in one of the three kinds."""
    dataset = make_coin_world(1, "snapshot")
    dyads = make_dyads(dataset, "mutuality")
    names = [*TRIAD_SET, "dyad_common_followees_log", "dyad_common_followers_log",
             "dyad_paths_out_log", "dyad_paths_back_log"]  # fmt: skip
    counts = np.expm1(make_features(dyads, dataset, names=names).values).round()
    kinds = counts[[*TRIAD_SET]].to_numpy() @ np.ones(3)
    directed = counts.drop(columns=[*TRIAD_SET]).sum(axis=1)
    # A triad with two mutual ties is counted in all four directions, a half one in two.
    weight = counts[TRIAD_SET[0]] * 4 + counts[TRIAD_SET[1]] * 2 + counts[TRIAD_SET[2]]
    assert np.array_equal(weight, directed)
    assert kinds.max() > 1
