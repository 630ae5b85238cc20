"""Honest train and test sets for dyads: later in time, or other accounts altogether."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit.covariance import code_accounts
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
        time, accounts or pairs.
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

    Accounts fall into K blocks by a keyed hash of their id. The dyads between blocks i and j are
    one test cell; the dyads that touch neither block train for it: about ((K − 2)/K)² of all, or
    ((K − 1)/K)² where i = j. Dyads of a cell that nothing could train for are not tested, and
    counted in the note. An account in half of the dyads or more (the owner of an export) cannot
    be held out; the others are, and what is found holds for that account only.

    Raises
    ------
    ParameterError
        If there are fewer than 3 blocks.
    InputError
        If no cell has anything to train on: too few accounts.

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
    initiator, decider, has_owner = _block_accounts(dyads, block_count, seed)
    low, high = np.minimum(initiator, decider), np.maximum(initiator, decider)
    pairs = [(i, j) for i in range(block_count) for j in range(i, block_count)]
    cell = np.full(len(low), -1, dtype=np.int64)
    train = np.zeros((len(pairs), len(low)), dtype=bool)
    for number, (i, j) in enumerate(pairs):
        train[number] = ~(np.isin(initiator, (i, j)) | np.isin(decider, (i, j)))
        if train[number].any():
            cell[(low == i) & (high == j)] = number
    if not (cell >= 0).any():
        raise InputError(
            f"dyads: {len(low):,} dyads cannot be split by account into {block_count} blocks: "
            "nothing is left to train on; more accounts are needed"
        )
    note = (
        f"Accounts fall into {block_count} blocks; every dyad is tested with a model that has "
        "seen neither of its accounts."
    )
    if has_owner:
        note += " One account is in half of the dyads or more; only the others are held out."
    if (cell < 0).any():
        note += f" {(cell < 0).sum():,} dyads had nothing to train on and are not tested."
    return Split("accounts", cell, train, note)


def make_pair_groups(dyads: DyadSet, *, group_count: int = 5, seed: int = 0) -> Split:
    """Test every dyad with a model that has seen its accounts, but never this pair of them.

    Unordered pairs fall into groups by a keyed hash, so that both directions of a pair are held
    out together; the other groups train. Easier than the other splits, because what is particular
    to an account may be learnt: an upper bound for known accounts, and the sharpest test of leaks.

    Raises
    ------
    ParameterError
        If there are fewer than 2 groups.
    """
    if group_count < 2:
        raise ParameterError(f"group_count: at least 2 groups are needed; got {group_count}")
    table = dyads.table
    # The word keeps these groups independent of the folds that features are computed by.
    ends = table[["initiator_id", "decider_id"]].astype(str).to_numpy()
    cell = _hash_texts(["\t".join(sorted(pair)) for pair in ends], group_count, f"pairs{seed}")
    train = cell[None, :] != np.arange(group_count)[:, None]
    note = (
        f"Pairs fall into {group_count} groups; every dyad is tested with a model that has not "
        "seen this pair, but may have seen its accounts."
    )
    return Split("pairs", cell, train, note)


def _block_accounts(dyads: DyadSet, block_count: int, seed: int) -> tuple[IntArray, IntArray, bool]:
    """Return the blocks of both accounts of each dyad, and whether one is in most of them."""
    table = dyads.table
    accounts = code_accounts(table["initiator_id"], table["decider_id"])
    block = _hash_texts([str(name) for name in accounts.ids], block_count, f"blocks{seed}")
    initiator, decider = block[accounts.initiator], block[accounts.decider]
    owner = accounts.conditioned
    if owner < 0:
        return initiator, decider, False
    # The owner stands in whichever block the other account is in.
    both = np.where(accounts.initiator == owner, decider, initiator)
    held = (accounts.initiator == owner) | (accounts.decider == owner)
    return np.where(held, both, initiator), np.where(held, both, decider), True


def _hash_texts(texts: list[str], count: int, key: str) -> IntArray:
    hashes = [blake2b(text.encode(), digest_size=8, key=key.encode()).digest() for text in texts]
    return np.array([int.from_bytes(one, "big") % count for one in hashes], dtype=np.int64)
