"""Random numbers that are the same on every machine.

Only `Generator.random` and `Generator.integers` are drawn (their streams are part of NumPy's
promise); everything else is made from them with plain arithmetic, rounded where a library could
differ in the last bit.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class Draws:
    """A seeded stream of draws.

    Examples
    --------
    >>> draws = Draws(7)
    >>> draws.whole(0, 10, 3).tolist()
    [9, 6, 6]
    """

    def __init__(self, seed: int) -> None:
        self._generator = np.random.Generator(np.random.PCG64(seed))

    def uniform(self, size: int) -> FloatArray:
        """Return uniform numbers in [0, 1)."""
        return self._generator.random(size)

    def whole(self, low: int, high: int, size: int) -> IntArray:
        """Return whole numbers from low to high − 1."""
        return self._generator.integers(low, high, size, dtype=np.int64)

    def normal(self, size: int) -> FloatArray:
        """Return standard normal numbers, rounded to 1e-12."""
        inner = np.clip(self.uniform(size), 1e-15, 1 - 1e-15)
        return np.round(ndtri(inner), 12)

    def chance(self, probability: FloatArray | float, size: int) -> npt.NDArray[np.bool_]:
        """Return true with the probability, compared after rounding to 1e-9."""
        return self.uniform(size) < np.round(probability, 9)

    def counts(self, expected: FloatArray) -> IntArray:
        """Return whole numbers whose mean is `expected`: its floor, or one more."""
        return np.floor(np.round(expected, 9) + self.uniform(len(expected))).astype(np.int64)

    def pick(self, weights: FloatArray, size: int) -> IntArray:
        """Return positions drawn in proportion to whole-number-rounded weights."""
        steps = np.cumsum(np.round(weights * 1_000).astype(np.int64))
        return np.searchsorted(steps, self.whole(0, int(steps[-1]), size), side="right")
