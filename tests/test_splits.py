"""Splits: who may train for whom, by brute force; and what happens when nothing can."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followkit.dyads import DyadSet
from followkit.errors import InputError, ParameterError
from followkit.splits import make_account_blocks, make_pair_groups, make_temporal_split

few = settings(max_examples=20, deadline=None, derandomize=True, database=None)


def make_dyad_set(initiator: object, decider: object, *, at: object = None) -> DyadSet:
    """Return a dyad set of just these pairs."""
    count = len(initiator)
    timed = at is not None
    never = pd.Series(pd.NaT, index=range(count), dtype="datetime64[us, UTC]")
    table = pd.DataFrame(
        {
            "dyad_id": np.arange(count),
            "initiator_id": initiator,
            "decider_id": decider,
            "at": at if timed else never,
            "outcome": np.arange(count) % 2,
            "fold": np.arange(count) % 5,
            "weight": 1.0,
        }
    )
    question = "follow_back" if timed else "mutuality"
    mode = "timed" if timed else "snapshot"
    return DyadSet(question, table, pd.DataFrame(), 30.0 if timed else None, mode, None, True)


def draw_pairs(seed: int, accounts: int = 30, count: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    first = rng.integers(0, accounts, count)
    return first, (first + rng.integers(1, accounts, count)) % accounts


@few
@given(seed=st.integers(0, 1000), block_count=st.integers(3, 6))
def test_blocks_share_no_account_between_training_and_test(seed: int, block_count: int) -> None:
    initiator, decider = draw_pairs(seed)
    split = make_account_blocks(make_dyad_set(initiator, decider), block_count=block_count)
    for cell in np.unique(split.cell[split.tested]):
        tested = split.cell == cell
        seen = set(initiator[tested]) | set(decider[tested])
        train = split.train[cell]
        assert train.any()
        assert not seen & (set(initiator[train]) | set(decider[train]))


def test_blocks_use_every_dyad_that_may_train() -> None:
    """About ((K − 2)/K)² of the dyads train for a cell of two blocks, ((K − 1)/K)² for one."""
    split = make_account_blocks(make_dyad_set(*draw_pairs(3, accounts=2000, count=20_000)))
    shares = np.sort(split.train.mean(axis=1))
    assert np.allclose(shares[:6], 0.25, atol=0.04)
    assert np.allclose(shares[6:], 0.5625, atol=0.04)
    assert split.tested.all()


def test_blocks_depend_on_names_and_seed_only() -> None:
    initiator, decider = draw_pairs(5)
    first = make_account_blocks(make_dyad_set(initiator, decider))
    order = np.random.default_rng(0).permutation(len(initiator))
    again = make_account_blocks(make_dyad_set(initiator[order], decider[order]))
    turned = make_account_blocks(make_dyad_set(decider, initiator))
    as_text = make_account_blocks(make_dyad_set(initiator.astype(str), decider.astype(str)))
    assert (again.cell == first.cell[order]).all()
    assert (turned.cell == first.cell).all()
    assert (as_text.cell == first.cell).all()
    other = make_account_blocks(make_dyad_set(initiator, decider), seed=1)
    assert (other.cell != first.cell).any()


def test_the_owner_of_an_export_is_not_held_out() -> None:
    others = np.arange(1, 81)
    split = make_account_blocks(make_dyad_set(np.zeros(80, int), others))
    assert split.tested.all()
    assert "only the others are held out" in split.note
    for cell in np.unique(split.cell):
        assert not split.train[cell][split.cell == cell].any()
        assert split.train[cell].sum() == (split.cell != cell).sum()


def test_cells_without_training_are_counted_not_guessed() -> None:
    # Whatever block the middle account of the five is in, the dyads beside it find others only
    # in some cells; with three accounts nothing is ever left.
    initiator = [1, 2, 3, 4, *range(10, 16)]
    split = make_account_blocks(make_dyad_set(initiator, [2, 3, 4, 5, *range(20, 26)]))
    for cell in np.unique(split.cell[split.tested]):
        assert split.train[cell].any()
    assert ("not tested" in split.note) == (~split.tested).any()
    with pytest.raises(InputError, match="nothing is left to train on"):
        make_account_blocks(make_dyad_set([1, 2, 3], [2, 3, 1]))


def test_time_leaves_a_gap_of_one_horizon() -> None:
    days = pd.Series(pd.date_range("2026-01-01", periods=200, freq="D", tz="UTC"))
    initiator, decider = draw_pairs(1)
    split = make_temporal_split(make_dyad_set(initiator, decider, at=days), test_share=0.3)
    last_train = days[split.train[0]].max()
    first_test = days[split.tested].min()
    assert first_test - last_train >= pd.Timedelta(days=30)
    assert first_test - last_train < pd.Timedelta(days=32)
    assert split.tested.sum() == 60
    assert not (split.train[0] & split.tested).any()


def test_time_needs_times_and_room() -> None:
    initiator, decider = draw_pairs(1)
    with pytest.raises(InputError, match="use account blocks"):
        make_temporal_split(make_dyad_set(initiator, decider))
    close = pd.Series(pd.date_range("2026-01-01", periods=200, freq="h", tz="UTC"))
    with pytest.raises(InputError, match="no room for a gap of 30 days"):
        make_temporal_split(make_dyad_set(initiator, decider, at=close))
    with pytest.raises(ParameterError, match="between 0 and 1"):
        make_temporal_split(make_dyad_set(initiator, decider, at=close), test_share=1.0)


@few
@given(seed=st.integers(0, 1000))
def test_both_directions_of_a_pair_are_held_out_together(seed: int) -> None:
    initiator, decider = draw_pairs(seed, accounts=8)
    split = make_pair_groups(make_dyad_set(initiator, decider))
    pairs = pd.Series([tuple(sorted(p)) for p in zip(initiator, decider, strict=True)])
    assert pd.Series(split.cell).groupby(pairs).nunique().max() == 1
    for cell in range(5):
        assert (split.train[cell] == (split.cell != cell)).all()


def test_counts_of_blocks_and_groups_are_checked() -> None:
    dyads = make_dyad_set(*draw_pairs(1))
    with pytest.raises(ParameterError, match="at least 3 blocks"):
        make_account_blocks(dyads, block_count=2)
    with pytest.raises(ParameterError, match="at least 2 groups"):
        make_pair_groups(dyads, group_count=1)
