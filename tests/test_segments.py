"""Segments: which dyads belong, that features stay those of the whole, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from followkit.dyads import make_dyads
from followkit.errors import InputError, ParameterError
from followkit.features import make_features
from followkit.segments import find_values, list_segments, match_segment, select_segment
from followkit.simulate import make_town

NAMES = ["decider_ratio_log", "initiator_ratio_log"]


@pytest.fixture(scope="module")
def world():
    dataset = make_town(150, seed=3, weeks=12, follows_per_account=10)
    dyads = make_dyads(dataset, "follow_back", horizon_days=30)
    return dataset, dyads, make_features(dyads, dataset, names=NAMES)


@pytest.mark.parametrize(
    "kind", ["month", "initiator", "decider.is_business", "initiator.category"]
)
def test_segments_of_a_kind_share_the_dyads_out(world, kind: str) -> None:
    dataset, dyads, _ = world
    names = list_segments(dyads.table, dataset, kind, fewest=1)
    masks = np.array([match_segment(dyads.table, dataset, name) for name in names])
    assert len(names) > 1
    is_known = find_values(dyads.table, dataset, kind) != np.array(None)
    assert (masks.sum(axis=0) == is_known).all()
    assert (masks.sum(axis=1) > 0).all()


def test_a_segment_is_what_it_says(world) -> None:
    dataset, dyads, features = world
    people = dataset.accounts.set_index("account_id")
    chosen, values = select_segment(dyads, features, dataset, "decider.is_business=true")
    assert people.loc[chosen.table["decider_id"], "is_business"].all()
    # Features were computed among all dyads; only rows are chosen.
    rows = people.loc[dyads.table["decider_id"], "is_business"].to_numpy(bool)
    assert values.values.to_numpy() == pytest.approx(features.values[rows].to_numpy(), nan_ok=True)
    assert (values.values.index == chosen.table["dyad_id"]).all()
    assert chosen.notes[-1] == "only dyads of the segment"
    assert len(chosen.table) + int(chosen.census["count"].iloc[-1]) == len(dyads.table)


def test_no_segment_is_everything(world) -> None:
    dataset, dyads, features = world
    assert select_segment(dyads, features, dataset, "") == (dyads, features)


def test_small_segments_are_left_out(world) -> None:
    dataset, dyads, _ = world
    counts = dyads.table["at"].dt.strftime("%Y-%m").value_counts()
    fewest = int(counts.max())
    found = list_segments(dyads.table, dataset, "month", fewest=fewest)
    assert found == [f"month={month}" for month in sorted(counts.index[counts >= fewest])]
    with pytest.raises(InputError, match=f"the most is {fewest:,}"):
        list_segments(dyads.table, dataset, "month", fewest=fewest + 1)


@pytest.mark.parametrize(
    ("segment", "says"),
    [
        ("month", "must be KIND=VALUE"),
        ("month=", "must be KIND=VALUE"),
        ("week=3", "'week' is unknown"),
        ("decider.categry=art", "did you mean category"),
    ],
)
def test_bad_segments_are_named(world, segment: str, says: str) -> None:
    dataset, dyads, _ = world
    with pytest.raises(ParameterError, match=says):
        match_segment(dyads.table, dataset, segment)


def test_what_is_not_there(world) -> None:
    dataset, dyads, features = world
    with pytest.raises(InputError, match=r"none of .* dyads has month=1999-01"):
        select_segment(dyads, features, dataset, "month=1999-01")
    with pytest.raises(InputError, match="months need follows with times"):
        match_segment(dyads.table.assign(at=pd.NaT), dataset, "month=2025-01")
