"""The noise test: where every answer is a coin, no rung of the ladder may do better than chance.

Worlds differ in seed, are fixed in advance and never re-drawn. Leaks put in on purpose show that
the test would notice.

Where dyads train for each other by turns, Σᵢ yᵢ Σⱼ kᵢⱼ yⱼ holds every pair of dyads twice. If
nothing can be learnt, both terms are the same, and the variance is twice what the held-out dyads
alone show: no unbiased estimate of it from one run exists (Bengio & Grandvalet 2004, Journal of
Machine Learning Research 5). Standard errors of fitted rungs on such splits are therefore √2 times
as long here; a study below holds that factor to the spread over worlds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from worlds import QUESTIONS, make_coin_world

from followkit import rungs
from followkit.dyads import DyadSet, make_dyads
from followkit.evaluate import run_ladder
from followkit.features import CATALOGUE, FeatureTable, make_features
from followkit.splits import Split, make_account_blocks, make_pair_groups, make_temporal_split
from followkit.tables import Dataset

MODES = ("timed", "crawl", "snapshot")
RUNGS = {
    "prevalence", "decider_rate", "ratio_threshold", "decider_logistic", "cheng_ratio_set",
    "cheng_tree", "full_logistic", "triadic", "gradient_boosting",
}  # fmt: skip
#: Splits in which the test dyads of one model train another.
CROSSED = ("accounts", "pairs")
UNFITTED = ("prevalence", "decider_rate")
Leak = Callable[[DyadSet, Dataset], np.ndarray]


def make_all_splits(dyads: DyadSet, seed: int) -> list[Split]:
    """Return every split that the dyads allow; accounts first."""
    pairs = make_pair_groups(dyads, group_count=2, seed=seed)
    splits = [make_account_blocks(dyads, seed=seed), pairs]
    return [*splits, make_temporal_split(dyads)] if dyads.asof == "timed" else splits


def spoil(features: FeatureTable, values: np.ndarray) -> FeatureTable:
    """Return the features with a count of the decider's replaced by something else."""
    return replace(features, values=features.values.assign(decider_ratio_log=values))


def fill_unknown(features: FeatureTable) -> FeatureTable:
    """Return the features with the mean where one is unknown, so that every dyad is tested."""
    values = features.values.dropna(axis=1, how="all")
    return replace(features, values=values.fillna(values.mean()))


def run_coin_world(mode: str, seed: int, leak: Leak | None = None) -> pd.DataFrame:
    """Return split, rung, auc and its standard error in one coin world, all features used.

    With a leak, on the split by account only: the one where leaks show least.
    """
    dataset = make_coin_world(seed, mode)
    horizon = {"horizon_days": 14.0} if mode == "timed" else {}
    dyads = make_dyads(dataset, QUESTIONS[mode], **horizon)
    features = fill_unknown(make_features(dyads, dataset))
    if leak is not None:
        features = spoil(features, leak(dyads, dataset))
    names = [name for name in features.values if CATALOGUE[name].in_model]
    if leak is not None:
        # A leak shows best among honest features of the same graph.
        names = [name for name in names if CATALOGUE[name].tables[0] == "follows"]
    splits = make_all_splits(dyads, seed)[: 1 if leak else None]
    ladder = run_ladder(dyads, features, names=names, splits=splits, seed=seed)
    rows = ladder.scores[ladder.scores["score"] == "auc"]
    freedom = [ladder.tested[split].accounts.degrees_of_freedom for split in rows["split"]]
    reach = np.log(rows[["ci_low", "ci_high"]] / (1 - rows[["ci_low", "ci_high"]]))
    error = (reach["ci_high"] - reach["ci_low"]) / 2 / stats.t.ppf(0.975, freedom)
    return pd.DataFrame(
        {
            "split": rows["split"],
            "rung": rows["rung"],
            "auc": rows["value"],
            "error": error * rows["value"] * (1 - rows["value"]),
        }
    )


def find_excess(runs: pd.DataFrame) -> pd.DataFrame:
    """Return AUC averaged over worlds and its distance from ½ in standard errors."""
    grouped = runs.groupby(["split", "rung"])
    table = pd.DataFrame({"auc": grouped["auc"].mean(), "spread": grouped["auc"].std()})
    naive = np.sqrt(grouped["error"].apply(lambda error: (error**2).mean()))
    split, rung = (table.index.get_level_values(level) for level in ("split", "rung"))
    is_doubled = split.isin(CROSSED) & ~rung.isin(UNFITTED)
    table["error"] = naive * np.where(is_doubled, np.sqrt(2), 1.0)
    # Base rates have no error: they must sit at ½ exactly.
    table["z"] = (table["auc"] - 0.5) / (table["error"] / np.sqrt(grouped.size())).clip(lower=1e-12)
    return table


def run_worlds(mode: str, seeds: Sequence[int], leak: Leak | None = None) -> pd.DataFrame:
    """Return the distances from ½ over worlds of these seeds."""
    return find_excess(pd.concat([run_coin_world(mode, seed, leak) for seed in seeds]))


def followees_ever(dyads: DyadSet, dataset: Dataset) -> np.ndarray:
    """Return how many the decider ever followed, answers included: nothing masked."""
    counts = dataset.follows["follower_id"].value_counts()
    return np.log1p(dyads.table["decider_id"].map(counts).fillna(0).to_numpy(float))


def followees_but_this(dyads: DyadSet, dataset: Dataset) -> np.ndarray:
    """Return the same less the answer itself: k − y, which is lower exactly where it is yes."""
    return np.expm1(followees_ever(dyads, dataset)) - dyads.table["outcome"].to_numpy(float)


@pytest.mark.parametrize("mode", MODES)
def test_coins_cannot_be_foretold(mode: str) -> None:
    table = run_worlds(mode, [1, 2, 3])
    splits = {"accounts", "pairs", "time"} if mode == "timed" else {"accounts", "pairs"}
    assert set(table.index) == {(split, rung) for split in splits for rung in RUNGS}
    assert table[table["z"].abs() > 3].empty, table.to_string()


@pytest.mark.parametrize("mode", MODES)
def test_degrees_that_lack_just_the_answer_are_noticed(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taking out only the pair's own ties is a leak too: boosting reads y off k − y.

    With large trees, whatever tuning would pick: a canary has to be sensitive, not good.
    """
    monkeypatch.setattr(rungs, "BOOSTS", {"15 leaves, 60 rounds": (15, 60)})
    table = run_worlds(mode, [1], followees_but_this)
    assert table.loc[("accounts", "gradient_boosting"), "z"] > 3, table.to_string()


@pytest.mark.parametrize("mode", ["crawl", "snapshot"])
def test_unmasked_degrees_are_noticed(mode: str) -> None:
    """Not in timed worlds of this size, where a decider's own first follows outweigh answers."""
    table = run_worlds(mode, [1, 2], followees_ever)
    assert table.loc[("accounts", "full_logistic"), "z"] > 3, table.to_string()


@pytest.mark.study
@pytest.mark.parametrize("mode", MODES)
def test_coins_cannot_be_foretold_in_many_worlds(mode: str) -> None:
    """Thirty worlds: the error of a rung shrinks to .003, so a faint echo would show."""
    table = run_worlds(mode, range(1, 31))
    assert table[table["z"].abs() > 3].empty, table.to_string()
    drawn = table[table["error"] > 0]
    # A spread over thirty worlds is itself known to about 13 %.
    assert ((drawn["spread"] / drawn["error"]).between(0.6, 1.45)).all(), table.to_string()
