"""Honest train and test sets for dyads: later in time, or other accounts altogether."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit.dyads import DyadSet
from followkit.errors import InputError, ParameterError

FlagArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """A way to hold dyads out: each test cell with the dyads that may train for it.

    Attributes
    ----------
    name
        time or accounts.
    cell
        Test cell of each dyad; −1 for dyads that are never tested.
    train
        For each cell, which dyads train its models (cells × dyads).
    note
        How it was made, in a sentence.
    """

    name: str
    cell: IntArray
    train: FlagArray
    note: str

    @property
    def tested(self) -> FlagArray:
        """Which dyads are tested at all."""
        return self.cell >= 0


def make_temporal_split(dyads: DyadSet, *, test_share: float = 0.3) -> Split:
    """Train on follows whose horizon ended before c, test on follows from c on.

    c is the moment after which `test_share` of the dyads were opened; the gap of one horizon keeps
    training outcomes out of the test period.

    Raises
    ------
    InputError
        If the dyads have no times, or one side is left empty.
    """
    if not 0 < test_share < 1:
        raise ParameterError(f"test_share: must lie between 0 and 1; got {test_share}")
    if dyads.asof != "timed" or dyads.horizon_days is None:
        raise InputError("dyads: a split by time needs follows with times; use account blocks")
    at = dyads.table["at"]
    cut = at.quantile(1 - test_share)
    train = (at <= cut - pd.Timedelta(days=dyads.horizon_days)).to_numpy()
    test = (at >= cut).to_numpy()
    if not train.any() or not test.any():
        raise InputError(
            f"dyads: {len(at):,} dyads in {at.max() - at.min()} leave no room for a gap of "
            f"{dyads.horizon_days:g} days; shorten the horizon"
        )
    note = (
        f"Trained on {train.sum():,} follows answered or not by {cut:%Y-%m-%d}, tested on the "
        f"{test.sum():,} made from then on."
    )
    return Split("time", np.where(test, 0, -1), train[None, :], note)


def make_account_blocks(dyads: DyadSet, *, block_count: int = 4, seed: int = 0) -> Split:
    """Test every dyad with a model that has seen neither of its accounts.

    Accounts fall into blocks by a keyed hash of their id. The dyads between blocks i and j are
    one test cell; the dyads that touch neither block train for it.

    Examples
    --------
    >>> from followkit.dyads import make_dyads
    >>> from followkit.tables import make_dataset
    >>> ties = pd.DataFrame({"follower_id": [*range(40)], "followee_id": [*range(1, 41)]})
    >>> dyads = make_dyads(make_dataset({"follows": ties.astype(str)}), "mutuality")
    >>> split = make_account_blocks(dyads)
    >>> bool(split.tested.all()), bool((split.train[split.cell, range(40)]).any())
    (True, False)
    """
    if block_count < 3:
        raise ParameterError(f"block_count: at least 3 blocks are needed; got {block_count}")
    initiator = _hash_blocks(dyads.table["initiator_id"], block_count, seed)
    decider = _hash_blocks(dyads.table["decider_id"], block_count, seed)
    low, high = np.minimum(initiator, decider), np.maximum(initiator, decider)
    pairs = [(i, j) for i in range(block_count) for j in range(i, block_count)]
    cell = np.full(len(low), -1, dtype=np.int64)
    train = np.zeros((len(pairs), len(low)), dtype=bool)
    for number, (i, j) in enumerate(pairs):
        cell[(low == i) & (high == j)] = number
        touched = np.isin(initiator, (i, j)) | np.isin(decider, (i, j))
        train[number] = ~touched
    note = (
        f"Accounts fall into {block_count} blocks; every dyad is tested with a model that has seen "
        "neither of its accounts."
    )
    return Split("accounts", cell, train, note)


def _hash_blocks(ids: Any, block_count: int, seed: int) -> IntArray:
    codes, names = pd.factorize(pd.Series(ids))
    key = f"blocks{seed}".encode()
    block = [
        int.from_bytes(blake2b(str(name).encode(), digest_size=8, key=key).digest(), "big")
        % block_count
        for name in names
    ]
    return np.asarray(block, dtype=np.int64)[codes]
