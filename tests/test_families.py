"""What each family of features adds to the follower ratio: planted, and among politicians."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from followkit.analysis import list_core
from followkit.contributions import group_by_factor
from followkit.dyads import DyadSet, make_dyads
from followkit.evaluate import compare_families
from followkit.features import CATALOGUE, FeatureTable, make_features
from followkit.logit import expit
from followkit.sources import load_dataset
from followkit.splits import make_account_blocks

ROOT = Path(__file__).parents[1]
TIMME = ROOT.parent / "shared" / "data" / "timme_politics"
RATIOS = ["decider_ratio_log", "initiator_ratio_log"]
TOPIC, NOISE = "dyad_topic_cosine", "initiator_posts_per_week_log"


def make_planted(seed: int = 1, n: int = 3000) -> tuple[DyadSet, FeatureTable]:
    """Return dyads whose answers depend on a ratio and on one family, not on the other."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, 300, n)
    table = pd.DataFrame(rng.normal(size=(n, 4)), columns=[*RATIOS, TOPIC, NOISE])
    outcome = rng.random(n) < expit((-1 + table[RATIOS[0]] + table[TOPIC]).to_numpy())
    rows = pd.DataFrame(
        {
            "dyad_id": np.arange(n), "initiator_id": ids,
            "decider_id": (ids + rng.integers(1, 300, n)) % 300, "outcome": outcome.astype(int),
            "weight": 1.0, "at": pd.NaT, "fold": 0,
        }
    )  # fmt: skip
    dyads = DyadSet("late_answer", rows, pd.DataFrame(), None, "crawl", None, False)
    return dyads, FeatureTable(table, pd.DataFrame(columns=["feature", "claim", "reason"]))


def test_a_planted_family_gains_and_noise_does_not() -> None:
    dyads, features = make_planted()
    found = compare_families(
        dyads, features, {"told": [TOPIC], "noise": [NOISE]}, base=RATIOS,
        split=make_account_blocks(dyads),
    ).set_index("family")  # fmt: skip
    assert found.loc["base", "gain"] == 0
    assert found.loc["told", "ci_low"] > 0
    assert found.loc["noise", "ci_low"] < 0.001
    assert found.loc["told", "auc"] > found.loc["base", "auc"] + 0.05
    gap = found["log_loss"]
    assert found.loc["told", "gain"] == pytest.approx(gap["base"] - gap["told"], abs=1e-12)


@pytest.mark.study
def test_what_families_add_among_politicians() -> None:
    """timme_politics: one snapshot, contact without times; so mutuality, and order unknown."""
    if not TIMME.is_dir():
        pytest.skip("the data set timme_politics is not beside the project")
    data = load_dataset(TIMME, mapping=ROOT / "docs" / "adapters" / "timme_politics.toml")
    data = data.replace(accounts=add_embeddings(data.accounts))
    dyads = make_dyads(data, "mutuality")
    features = make_features(dyads, data, names=list_core(), allow_untimed=True)
    usable = [name for name in features.values
              if features.values[name].notna().mean() > 0.95 and name not in RATIOS
              and (CATALOGUE[name].in_model or name in features.untimed)]  # fmt: skip
    timed = [name for name in usable if name not in features.untimed]
    untimed = group_by_factor(name for name in usable if name in features.untimed)
    families = group_by_factor(timed) | {f"{label} (late)": part for label, part in untimed.items()}
    found = compare_families(
        dyads, features, families, base=RATIOS, split=make_account_blocks(dyads)
    )
    found["family"] = found["family"].str.removesuffix(" (late)")
    write_families(found, len(dyads.table), float(dyads.table["outcome"].mean()))
    assert (found["auc"] > 0.5).all()
    contact = found[found["is_untimed"]]
    assert not contact.empty


def add_embeddings(accounts: pd.DataFrame) -> pd.DataFrame:
    """Join the vectors of what accounts wrote, which are not declared as made from text."""
    import duckdb

    path = TIMME / "status_embedding.parquet"
    vectors = duckdb.sql(f"select * from read_parquet('{path}')").df()
    names = {name: f"embedding_{name.removeprefix('v')}" for name in vectors if name[0] == "v"}
    vectors = vectors.rename(columns=names)
    vectors["account_id"] = vectors["account_id"].astype(accounts["account_id"].dtype)
    return accounts.merge(vectors, on="account_id", how="left", validate="1:1")


def write_families(found: pd.DataFrame, dyad_count: int, rate: float) -> None:
    folder = ROOT / "reports" / "studies"
    found.to_csv(folder / "families.csv", index=False, float_format="%.5f", lineterminator="\n")
    lines = [
        "# What each family adds to the follower ratio: timme_politics",
        "",
        "Written by `make study` (`tests/test_families.py`). One snapshot of politicians on X:",
        f"the question is mutuality ({dyad_count:,} directed ties, {rate:.1%} of them mutual).",
        "Base: the follower ratios of both ends. Features are fold-masked, accounts held out; gain",
        "in log loss is per 100 dyads, with a paired dyadic-robust interval. *Order unknown*:",
        "likes, mentions, replies and retweets carry no times, so they may follow from a mutual",
        "tie. Such a row is never evidence for a claim.",
        "",
        "| family added | features | AUC | gain | interval | |",
        "|---|---|---|---|---|---|",
    ]
    for row in found.itertuples(name="Row"):
        gain, low, high = (f"{100 * value:.2f}".replace("-", "−") for value in
                           (row.gain, row.ci_low, row.ci_high))  # fmt: skip
        order = "order unknown" if row.is_untimed else ""
        lines.append(f"| {row.family} | {row.feature_count} | {row.auc:.3f} | {gain} | "
                     f"{low} to {high} | {order} |")  # fmt: skip
    (folder / "families.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
