"""Rows of numbers as vectors: of length one, with standard columns, alike within an account."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: A standard deviation below this (relative to the mean, where that is above 1) is rounding.
SPREADLESS = 1e-12


def to_unit_rows(rows: FloatArray) -> FloatArray:
    """Return rows of length one; a row of zeros stays one.

    Examples
    --------
    >>> to_unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    length = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    return np.asarray(np.divide(rows, length, out=np.zeros_like(rows), where=length > 0))


def standardise(columns: FloatArray, *, spreadless: float = SPREADLESS) -> FloatArray:
    """Return columns with mean 0 and standard deviation 1; a constant column becomes 0.

    Parameters
    ----------
    columns
        Rows × columns; it may be empty.
    spreadless
        Standard deviation, relative to the mean where that is above 1, up to which a column counts
        as constant: what rounding leaves of it must not be blown up.

    Examples
    --------
    >>> standardise(np.array([[1.0, 5.0], [3.0, 5.0]])).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    if not columns.size:
        return columns
    centre, spread = columns.mean(axis=0), columns.std(axis=0)
    varies = np.broadcast_to(spread > spreadless * np.maximum(1.0, np.abs(centre)), columns.shape)
    return np.asarray(np.divide(columns - centre, spread, out=np.zeros_like(columns), where=varies))


def mean_cosine(vectors: FloatArray, owner: IntArray, size: int) -> tuple[FloatArray, IntArray]:
    """Return the mean cosine between two different rows of each account, and its rows.

    Parameters
    ----------
    vectors
        Rows of length one (or zeros).
    owner, size
        The account's code of each row, and how many accounts there are.

    Returns
    -------
    tuple
        Mean over all pairs of different rows, Σ u·v = (|Σ u|² − Σ |u|²) / (n (n − 1)), which n
        does not bias; 0 below two rows. And n.

    Examples
    --------
    >>> mean_cosine(np.array([[1.0, 0], [1, 0], [0, 1]]), np.array([0, 0, 1]), 2)
    (array([1., 0.]), array([2, 1]))
    """
    count = np.bincount(owner, minlength=size).astype(np.int64)
    sums = np.column_stack([np.bincount(owner, column, size) for column in vectors.T])
    own = np.bincount(owner, (vectors**2).sum(axis=1), size)
    pairs = count * (count - 1)
    total = (sums**2).sum(axis=1) - own
    return np.divide(total, pairs, out=np.zeros(size), where=pairs > 0), count
