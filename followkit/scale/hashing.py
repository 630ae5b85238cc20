"""Folds of pairs of codes by one formula that SQL, frames and NumPy all can write.

x = (low + c₀)³, x = (x + high + c₁)³, x = (x + c₂)³, all modulo a prime below 2³¹, with keys from
the seed: MiMC (Albrecht, Grassi, Rechberger, Roy & Tiessen 2016, doi:10.1007/978-3-662-53887-6_7)
with three rounds. No pattern of codes is in step with it; it keeps no secret.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import numpy.typing as npt

HASH_PRIME = 2_147_483_579
ROUNDS = 3


def make_hash_keys(seed: int) -> list[int]:
    """Return the keys of the rounds, 0 to the prime − 1."""
    digests = (blake2b(f"{seed}:{place}".encode(), digest_size=8) for place in range(ROUNDS))
    return [int.from_bytes(one.digest(), "big") % HASH_PRIME for one in digests]


def make_code_folds(
    one: npt.ArrayLike, two: npt.ArrayLike, *, seed: int, fold_count: int
) -> npt.NDArray[np.int64]:
    """Return the fold of each unordered pair of codes, 0 to `fold_count` − 1.

    Examples
    --------
    >>> make_code_folds([0, 7, 3], [7, 0, 4], seed=0, fold_count=50).tolist()
    [43, 43, 23]
    """
    first, second = np.asarray(one, dtype=np.int64), np.asarray(two, dtype=np.int64)
    mixed = np.zeros(len(first), dtype=np.int64)
    parts = (np.minimum(first, second), np.maximum(first, second), np.zeros_like(first))
    for part, key in zip(parts, make_hash_keys(seed), strict=True):
        mixed = (mixed + part + key) % HASH_PRIME
        mixed = mixed * (mixed * mixed % HASH_PRIME) % HASH_PRIME
    return mixed % fold_count
