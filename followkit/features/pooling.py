"""Drawing what few events say towards the pool of all accounts."""

from __future__ import annotations

import numpy as np

from followkit.features.blocks import Block, FloatArray
from followkit.features.records import SHRINKAGE
from followkit.features.ties import IntArray
from followkit.vectors import mean_cosine

#: One event counted for and one against, so that a pool without events has a share as well.
ONE_EACH = (1.0, 2.0)
NOTHING = (0.0, 0.0)


def shrink_to_pool(
    total: FloatArray, count: FloatArray, added: tuple[float, float] = ONE_EACH
) -> FloatArray:
    """Return (total + 10 p) / (count + 10) for each account and, last, p for those not there.

    p = (Σ total + a) / (Σ count + b) with (a, b) = `added`; NaN where that is 0 / 0.

    Examples
    --------
    >>> shrink_to_pool(np.array([4.0, 0.0]), np.array([4.0, 2.0])).round(4).tolist()
    [0.7321, 0.5208, 0.625]
    """
    everything = count.sum() + added[1]
    pool = (total.sum() + added[0]) / everything if everything else np.nan
    return np.append((total + SHRINKAGE * pool) / (count + SHRINKAGE), pool)


def shrink_likeness(vectors: FloatArray, owner: IntArray, size: int) -> FloatArray:
    """Return (n c + 10 p) / (n + 10) for each account and, last, p for those with fewer than two.

    c is the mean cosine between two different of an account's n rows (`mean_cosine`), p = Σ n c /
    Σ n over all accounts with two rows or more; NaN where there is none.
    """
    cosine, count = mean_cosine(vectors, owner, size)
    weight = np.where(count > 1, count, 0).astype(np.float64)
    return shrink_to_pool(weight * cosine, weight, NOTHING)


def mean_of_initiators(
    block: Block, owner: IntArray, values: FloatArray, added: tuple[float, float] = ONE_EACH
) -> FloatArray:
    """Return the mean of a value of events of the initiators', drawn to the pool.

    Parameters
    ----------
    block
        Its texts hold the accounts, its pairs the initiators.
    owner, values
        One entry an event: the code of its account, and the value (1 or 0 for a share).
    added
        What the pool counts beside: the sum of so many values.
    """
    size = len(block.text.ids)
    total = np.bincount(owner, values, size).astype(np.float64)
    count = np.bincount(owner, minlength=size).astype(np.float64)
    return of_initiators(block, shrink_to_pool(total, count, added))


def of_initiators(block: Block, values: FloatArray) -> FloatArray:
    """Return a value per account with posts for the initiators; the last stands for others."""
    return np.asarray(values[block.text.code(block.ids("initiator"))])
