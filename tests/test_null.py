"""Towns in which one factor has no effect: how often a verdict or a contribution says otherwise.

`python tests/test_null.py 40` runs the study on so many towns and writes its figures.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from followkit.contributions import group_by_factor, shapley_contributions
from followkit.covariance import code_accounts
from followkit.dyads import DyadSet
from followkit.features import CLAIMS, FeatureTable
from followkit.simulate import simulate_town
from followkit.simulate.truth import PLANTED
from followkit.splits import make_account_blocks
from followkit.verdicts import judge_claims

STUDIES = Path(__file__).parents[1] / "reports" / "studies"
TOWNS = 200
#: At most so many false verdicts, or intervals without 0, among 200 at a level of .05.
MOST_FALSE = 21
NULL_CLAIM, NULL_FEATURE, NULL_FACTOR = "9c", "initiator_hashtag_mix", "9 Audience targeting"
COLUMNS = ["seed", "verdict", "p_value", "shapley", "ci_low", "ci_high"]


def open_town(seed: int, planted: dict[str, float]) -> tuple[DyadSet, FeatureTable]:
    """Return a town's dyads and the features that decided about them, as they were drawn."""
    rows = simulate_town(1_000, seed=seed, weeks=10, follows_per_account=12.0,
                         planted=planted).dyads.reset_index(drop=True)  # fmt: skip
    table = rows.assign(dyad_id=np.arange(len(rows)), weight=1.0, fold=0)
    dyads = DyadSet("follow_back", table, pd.DataFrame(), 30.0, "timed", None, True)
    none = pd.DataFrame(columns=["feature", "claim", "reason"])
    return dyads, FeatureTable(table[list(PLANTED)], none)


def try_town(seed: int, coefficient: float = 0.0) -> tuple[object, ...]:
    """Return the verdict on the claim and the factor's contribution, one town."""
    dyads, features = open_town(seed, PLANTED | {NULL_FEATURE: coefficient})
    verdict = judge_claims([CLAIMS[NULL_CLAIM]], features, dyads).iloc[0]
    ends = code_accounts(dyads.table["initiator_id"], dyads.table["decider_id"])
    found = shapley_contributions(
        features.values, dyads.table["outcome"], group_by_factor(PLANTED),
        make_account_blocks(dyads), ends,
    ).table.set_index("group").loc[NULL_FACTOR]  # fmt: skip
    return (seed, verdict["verdict"], verdict["p_value"],
            *(float(found[name]) for name in COLUMNS[3:]))  # fmt: skip


def run_study(towns: int, workers: int = 2) -> pd.DataFrame:
    """Return a row a town, and write the figures."""
    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        rows = list(pool.map(try_town, range(5_000, 5_000 + towns)))
    table = pd.DataFrame(rows, columns=COLUMNS)
    STUDIES.mkdir(parents=True, exist_ok=True)
    table.to_csv(STUDIES / "null.csv", index=False, float_format="%.5g", lineterminator="\n")
    (STUDIES / "null.md").write_text("\n".join(describe(table)) + "\n", encoding="utf-8")
    return table


def describe(table: pd.DataFrame) -> list[str]:
    """Return the figures as lines of Markdown."""
    false, above, below = count_false(table)
    size = len(table)
    return [
        "# A factor without effect",
        "",
        "Written by `make study` (`tests/test_null.py`). Towns of 1,000 accounts over 10 weeks in",
        f"which {NULL_FEATURE} has coefficient 0, and every other planted effect is there.",
        "",
        f"- Claim {NULL_CLAIM} alone, level .05: {false} of {size} towns got a false verdict",
        f"  (supported or contradicted); at most {MOST_FALSE} of 200 are allowed.",
        f"- Contribution of factor 9, 95 % interval: above 0 in {above} of {size} towns, below 0",
        f"  in {below}, containing 0 in {size - above - below}.",
    ]


def count_false(table: pd.DataFrame) -> tuple[int, int, int]:
    """Return false verdicts, and contribution intervals above and below 0."""
    false = int(table["verdict"].isin(["supported", "contradicted"]).sum())
    return false, int((table["ci_low"] > 0).sum()), int((table["ci_high"] < 0).sum())


def test_a_planted_claim_is_found_where_a_null_one_is_not() -> None:
    """The same town with and without the effect: the study can tell them apart."""
    planted, null = try_town(5_001, 1.5), try_town(5_001)
    assert planted[1] == "supported"
    assert float(planted[4]) > 0  # type: ignore[arg-type]
    assert null[1] in ("undecided", "negligible")
    assert float(null[4]) <= 0  # type: ignore[arg-type]


@pytest.mark.study
def test_a_null_factor_is_called_one_no_more_often_than_the_level_allows() -> None:
    false, above, below = count_false(run_study(TOWNS))
    assert false <= MOST_FALSE
    assert above + below <= MOST_FALSE


if __name__ == "__main__":
    print("\n".join(describe(run_study(int(sys.argv[1])))))
