"""Drawing what few events say towards the pool of all accounts."""

from __future__ import annotations

import numpy as np

from followkit.features.blocks import Block, FloatArray
from followkit.features.context import SHRINKAGE
from followkit.features.ties import IntArray

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
