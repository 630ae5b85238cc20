"""The leave-one-account-out covariance for fits in which a dyad holds more than one row's worth.

`followkit.covariance.dyadic_cr3` takes one row a dyad. Where a dyad adds to a fit through many
terms, as through every bin it waited in, its part of the information is a whole matrix; here a
caller hands those matrices over by groups of dyads, so that they never exist all at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from followkit import covariance as cov

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
#: Takes dyads and where each group of them begins; returns one p × p information a group.
Informations = Callable[[IntArray, IntArray], FloatArray]

#: Numbers in the largest array of a block of groups.
BLOCK_NUMBERS = 2_000_000


def grouped_cr3(
    scores: FloatArray,
    information: FloatArray,
    informations: Informations,
    accounts: cov.Accounts,
) -> FloatArray:
    """Return V = (G − 1)/G · Σ d_v d_vᵀ − Σ d_p d_pᵀ with d = (H − H_group)⁻¹ g_group.

    v runs over accounts and p over unordered pairs, as in `followkit.covariance.dyadic_cr3`, which
    it equals where every dyad is one row.

    Parameters
    ----------
    scores
        n × p score sums, one row a dyad.
    information
        H, p × p.
    informations
        Function (dyads, begins) → one p × p part of H for each group of dyads.
    accounts
        From `followkit.covariance.code_accounts`.
    """
    dyads = np.tile(np.arange(len(scores)), 2)
    groups = np.r_[accounts.initiator, accounts.decider]
    d_v = leave_out(scores, information, informations, dyads, groups)
    shared = np.flatnonzero(cov.is_shared(accounts))
    d_p = leave_out(scores, information, informations, shared, accounts.pair[shared])
    return cov.combine_moves(d_v, d_p, accounts)


def leave_out(
    scores: FloatArray,
    information: FloatArray,
    informations: Informations,
    dyads: IntArray,
    groups: IntArray,
) -> FloatArray:
    """Return (H − H_g)⁻¹ s_g for each group; `dyads` and `groups` list who is in which."""
    root = cov.inverse_root(information)
    order = np.argsort(groups, kind="stable")
    dyads, sizes = dyads[order], np.bincount(groups)
    ends = np.cumsum(sizes)
    moves = np.zeros((len(sizes), scores.shape[1]))
    white = scores @ root
    for block in _blocks(sizes, scores.shape[1]):
        lengths = sizes[block]
        members = dyads[ends[block[0]] - lengths[0] : ends[block[-1]]]
        begins = np.cumsum(lengths) - lengths
        parts = root.T @ informations(members, begins) @ root
        moves[block] = cov.solve_blocks(parts, np.add.reduceat(white[members], begins, axis=0))
    return moves @ root.T


def _blocks(sizes: IntArray, width: int) -> Iterator[IntArray]:
    """Yield runs of groups that have members, each within the bounds of memory."""
    filled = np.flatnonzero(sizes)
    weight = np.cumsum(sizes[filled] + 1) * width**2 // BLOCK_NUMBERS
    yield from (part for part in np.split(filled, np.flatnonzero(np.diff(weight)) + 1) if len(part))
