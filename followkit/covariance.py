"""Standard errors for dyads: every dyad that shares an account with another moves with it.

All functions take the per-row score contributions (n × p) and the information matrix (p × p) of a
fit and return the covariance of its coefficients. `dyadic_cr3` is the default everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from followkit.errors import InputError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: An eigenvalue of (H − H_v) relative to H below which v owns that direction.
SINGULAR = 1e-6
LARGE_GROUP = 256
#: Answers, or refusals where they are fewer, that one feature of a model needs.
EVENTS_PER_FEATURE = 10
BLOCK_NUMBERS = 4_000_000


@dataclass(frozen=True)
class Accounts:
    """Which accounts each dyad touches, as codes.

    Attributes
    ----------
    initiator, decider
        Codes of the two accounts of each row.
    pair
        Code of the unordered pair of each row.
    ids
        Account ids by code.
    degree
        Rows that touch each account.
    conditioned
        Code of an account in at least half of the rows (the owner of an export), else −1: errors
        are then clustered on the other accounts and hold for this account only.
    """

    initiator: IntArray
    decider: IntArray
    pair: IntArray
    ids: pd.Index
    degree: IntArray
    conditioned: int

    @property
    def count(self) -> int:
        """Number of accounts that errors are clustered on."""
        return len(self.ids) - (self.conditioned >= 0)

    @property
    def effective_count(self) -> float:
        """(Σ degree)² / Σ degree² over the clustered accounts."""
        degree = self.degree.astype(float)
        if self.conditioned >= 0:
            degree = np.delete(degree, self.conditioned)
        return float(degree.sum() ** 2 / (degree**2).sum()) if degree.any() else 0.0

    @property
    def largest_share(self) -> float:
        """Share of the rows that the busiest account is part of."""
        return float(self.degree.max() / len(self.initiator)) if len(self.initiator) else 0.0

    @property
    def degrees_of_freedom(self) -> float:
        """Degrees of freedom of t intervals: effective accounts less one, at least one."""
        return max(self.effective_count - 1.0, 1.0)


@dataclass(frozen=True)
class Rate:
    """A share of dyads with a dyadic-robust interval.

    `design_effect` is the robust variance over that of independent dyads; `method` says how the
    interval was made.
    """

    rate: float
    ci_low: float
    ci_high: float
    std_error: float
    n: int
    event_count: int
    account_count: int
    effective_account_count: float
    design_effect: float
    method: str


def code_accounts(initiator: Any, decider: Any) -> Accounts:
    """Return the accounts of dyads as codes.

    Raises
    ------
    InputError
        If the two ends differ in length or an id is missing.

    Examples
    --------
    >>> accounts = code_accounts(["a", "a", "b"], ["b", "c", "a"])
    >>> accounts.degree.tolist(), accounts.pair.tolist()
    ([3, 2, 1], [0, 1, 0])
    """
    ends = pd.Series(initiator), pd.Series(decider)
    if len(ends[0]) != len(ends[1]):
        raise InputError(
            f"accounts: every dyad needs both ends; got {len(ends[0]):,} initiators and "
            f"{len(ends[1]):,} deciders"
        )
    both = pd.concat(ends, ignore_index=True)
    codes, ids = pd.factorize(both, sort=True)
    if len(codes) and codes.min() < 0:
        raise InputError(
            f"accounts: an id must not be missing; {int((codes < 0).sum()):,} of {len(codes):,} "
            "are. Drop or complete these dyads."
        )
    first, second = codes[: len(codes) // 2], codes[len(codes) // 2 :]
    low, high = np.minimum(first, second), np.maximum(first, second)
    pair = pd.factorize(low.astype(np.int64) * len(ids) + high, sort=True)[0]
    degree = np.bincount(codes, minlength=len(ids))
    heaviest = int(degree.argmax()) if len(degree) else -1
    # Three accounts always share half of their rows; only a crowd around one can be an export.
    # Equally busy accounts are not told apart by the order of their names.
    is_ego = len(ids) > 3 and degree[heaviest] * 2 >= len(first)
    is_ego = is_ego and int((degree == degree[heaviest]).sum()) == 1
    return Accounts(first.astype(np.int64), second.astype(np.int64), pair.astype(np.int64),
                    pd.Index(ids), degree.astype(np.int64), heaviest if is_ego else -1)  # fmt: skip


def classical(information: FloatArray) -> FloatArray:
    """Return the inverse information: right only if dyads were independent."""
    return np.asarray(np.linalg.inv(information), dtype=np.float64)


def white(scores: FloatArray, information: FloatArray) -> FloatArray:
    """Return White's covariance: dyads independent, the model not quite true."""
    return _sandwich(scores.T @ scores, information)


def two_way(
    scores: FloatArray, information: FloatArray, initiator: IntArray, decider: IntArray
) -> FloatArray:
    """Return two-way clustered covariance (initiator and decider), each part times G/(G − 1).

    A dyad is let move with dyads of the same initiator and with those of the same decider, but
    not where one's initiator is the other's decider. Cameron, Gelbach & Miller (2011), Journal of
    Business & Economic Statistics 29, doi:10.1198/jbes.2010.07136. The three conventions in use
    differ in that factor; this one gives Petersen's published .0536. An end at which every dyad
    has the same account (the owner of an export) cannot be clustered on: its scores add up to 0,
    so the other end alone counts.
    """
    ends = [groups for groups in (initiator, decider) if len(np.unique(groups)) > 1]
    if len(ends) < 2:
        groups = ends[0] if ends else np.arange(len(scores))
        return _sandwich(_clustered_meat(scores, groups), information)
    both = pd.factorize(pd.MultiIndex.from_arrays([initiator, decider]))[0]
    parts = [_clustered_meat(scores, groups) for groups in (initiator, decider, both)]
    return clip_eigenvalues(_sandwich(parts[0] + parts[1] - parts[2], information))


def dyadic(scores: FloatArray, information: FloatArray, accounts: Accounts) -> FloatArray:
    """Return the plain dyadic covariance: all pairs of rows that share any account.

    The meat Σᵢⱼ sᵢ sⱼᵀ over rows that share an account equals the sum over accounts of the squared
    score sums less that over unordered pairs (rows of one pair share two accounts). Aronow, Samii &
    Assenova (2015), Political Analysis 23, doi:10.1093/pan/mpv018.
    """
    per_account = _sum_by_account(scores, accounts)
    shared = _sum_by(scores[is_shared(accounts)], accounts.pair[is_shared(accounts)])
    meat = per_account.T @ per_account - shared.T @ shared
    return clip_eigenvalues(_sandwich(meat, information))


def dyadic_cr3(
    design: FloatArray, curvature: FloatArray, scores: FloatArray, accounts: Accounts
) -> FloatArray:
    """Return the dyadic covariance in its leave-one-account-out form, the default.

    With H the information, H_v and g_v its part and the score sum of account v, d_v =
    (H − H_v)⁻¹ g_v is about how much the coefficients move when v is left out; d_p likewise for
    an unordered pair. V = (G − 1)/G · Σ d_v d_vᵀ − Σ d_p d_pᵀ, negative eigenvalues clipped.

    Parameters
    ----------
    design, curvature, scores
        n × p design, n second derivatives w·p(1 − p), n × p score contributions w·(y − p)·x.
    accounts
        From `code_accounts`.
    """
    moves = leave_out_moves(design, curvature, scores, accounts)
    shared = np.flatnonzero(is_shared(accounts))
    pair = accounts.pair[shared]
    count = int(accounts.pair.max(initial=-1)) + 1
    d_p = _moves(
        design, curvature, scores, shared, pair, _information(design, curvature), count=count
    )
    return combine_moves(moves, d_p, accounts)


def combine_moves(moves: FloatArray, by_pair: FloatArray, accounts: Accounts) -> FloatArray:
    """Return (G − 1)/G · Σ d_v d_vᵀ − Σ d_p d_pᵀ, clipped, from d_v of all accounts and d_p.

    An account that errors are conditioned on is left out of the sum and of G.
    """
    kept = accounts.degree > 0
    if accounts.conditioned >= 0:
        kept[accounts.conditioned] = False
    d_v, group_count = moves[kept], max(int(kept.sum()), 2)
    v = (group_count - 1) / group_count * (d_v.T @ d_v) - by_pair.T @ by_pair
    return clip_eigenvalues(v)


def leave_out_moves(
    design: FloatArray, curvature: FloatArray, scores: FloatArray, accounts: Accounts
) -> FloatArray:
    """Return d_v for every account: the one-step change −(β̂ without v − β̂)."""
    rows = np.tile(np.arange(len(design)), 2)
    groups = np.r_[accounts.initiator, accounts.decider]
    information = _information(design, curvature)
    return _moves(design, curvature, scores, rows, groups, information, count=len(accounts.ids))


def clip_eigenvalues(covariance: FloatArray) -> FloatArray:
    """Return the nearest covariance without negative eigenvalues.

    Examples
    --------
    >>> clip_eigenvalues(np.array([[1.0, 0.0], [0.0, -0.5]])).tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """
    symmetric = (covariance + covariance.T) / 2
    values, vectors = np.linalg.eigh(symmetric)
    if values.min() >= 0:
        return symmetric
    return (vectors * np.clip(values, 0, None)) @ vectors.T


def dyadic_mean(
    values: FloatArray, accounts: Accounts, weights: FloatArray | None = None
) -> tuple[float, float]:
    """Return the weighted mean of a value per dyad and its dyadic-robust standard error.

    Examples
    --------
    >>> accounts = code_accounts(["a", "b", "c", "d"], ["e", "f", "g", "h"])
    >>> mean, error = dyadic_mean(np.array([0.0, 1.0, 1.0, 0.0]), accounts)
    >>> mean, round(error, 3)
    (0.5, 0.289)
    """
    weight = np.ones(len(values)) if weights is None else weights
    mean = float(np.average(values, weights=weight))
    scores = (weight * (values - mean))[:, None]
    variance = float(dyadic_cr3(np.ones((len(values), 1)), weight, scores, accounts)[0, 0])
    between_pairs = float((_sum_by(scores, accounts.pair) ** 2).sum() / weight.sum() ** 2)
    if variance <= 1e-9 * between_pairs:
        # Dyads of one account disagree more than by chance, and the variance was clipped to 0:
        # no width at all would claim certainty, so pairs count as independent instead.
        variance = between_pairs
    return mean, float(np.sqrt(variance))


def dyadic_rate(
    outcome: Any, accounts: Accounts, *, weights: Any = None, confidence: float = 0.95
) -> Rate:
    """Return a share of dyads with a dyadic-robust interval on the logit scale.

    Where nobody or everybody answered there is no variance to estimate: the interval is Wilson's,
    as if each decider were one observation.

    Raises
    ------
    InputError
        If there is no dyad, an outcome is neither 0 nor 1, or lengths differ.

    Examples
    --------
    >>> accounts = code_accounts([f"a{k}" for k in range(10)], [f"b{k}" for k in range(10)])
    >>> rate = dyadic_rate([0] * 10, accounts)
    >>> rate.rate, round(rate.ci_high, 4)
    (0.0, 0.2775)
    """
    values = np.asarray(outcome, dtype=np.float64)
    weight = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=np.float64)
    _check_outcome(values, weight, accounts)
    share = float(np.average(values, weights=weight))
    events = int(values.sum())
    common = (len(values), events, accounts.count, accounts.effective_count)
    if share in (0.0, 1.0):
        size = len(np.unique(accounts.decider))
        low, high = wilson_interval(share * size, size, confidence)
        return Rate(share, low, high, np.nan, *common, np.nan, "Wilson, one observation a decider")
    error = dyadic_mean(values, accounts, weight)[1]
    low, high = logit_interval(share, error, accounts.degrees_of_freedom, confidence)
    independent = share * (1 - share) * (weight**2).sum() / weight.sum() ** 2
    return Rate(
        share, low, high, error, *common, float(error**2 / independent), "dyadic-robust, logit"
    )


def _check_outcome(values: FloatArray, weight: FloatArray, accounts: Accounts) -> None:
    if not len(values) == len(weight) == len(accounts.initiator):
        raise InputError(
            f"outcome: one value a dyad is needed; got {len(values):,} values and {len(weight):,} "
            f"weights for {len(accounts.initiator):,} dyads"
        )
    if not len(values) or not weight.sum() > 0:
        raise InputError("outcome: a rate needs at least one dyad with a weight above 0; got none")
    bad = ~np.isin(values, (0.0, 1.0))
    if bad.any():
        raise InputError(f"outcome: must be 0 or 1; {int(bad.sum()):,} of {len(bad):,} are not")


def count_carried(rate: Rate) -> int:
    """Return how many features the answers can carry: max(3, events / (10 × design effect)).

    Events are answers or refusals, whichever are fewer; a design effect below 1 counts as 1.

    Examples
    --------
    >>> accounts = code_accounts(np.arange(400), np.arange(400, 800))
    >>> count_carried(dyadic_rate([0, 1] * 200, accounts))
    19
    """
    events = min(rate.event_count, rate.n - rate.event_count)
    effect = max(rate.design_effect, 1.0) if np.isfinite(rate.design_effect) else 1.0
    return max(3, int(events / (EVENTS_PER_FEATURE * effect)))


def logit_interval(
    share: float, std_error: float, degrees_of_freedom: float, confidence: float = 0.95
) -> tuple[float, float]:
    """Return a t interval made on the logit scale, so that it stays between 0 and 1.

    Examples
    --------
    >>> low, high = logit_interval(0.5, 0.1, 1e9)
    >>> round(low, 3), round(high, 3)
    (0.313, 0.687)
    """
    reach = stats.t.ppf((1 + confidence) / 2, degrees_of_freedom) * std_error
    centre, step = np.log(share / (1 - share)), reach / (share * (1 - share))
    low, high = 1 / (1 + np.exp(-(centre + np.array([-step, step]))))
    return float(low), float(high)


def wilson_interval(event_count: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Return Wilson's interval for a share of independent cases.

    Wilson (1927), Journal of the American Statistical Association 22.

    Examples
    --------
    >>> [round(limit, 4) for limit in wilson_interval(15, 148)]
    [0.0624, 0.1605]
    """
    z = stats.norm.ppf((1 + confidence) / 2)
    share, spread = event_count / n, z**2 / n
    centre = (share + spread / 2) / (1 + spread)
    reach = z / (1 + spread) * np.sqrt(share * (1 - share) / n + spread / (4 * n))
    return max(float(centre - reach), 0.0), min(float(centre + reach), 1.0)


def _sandwich(meat: FloatArray, information: FloatArray) -> FloatArray:
    bread = np.linalg.inv(information)
    return bread @ meat @ bread


def _information(design: FloatArray, curvature: FloatArray) -> FloatArray:
    return (design * curvature[:, None]).T @ design


def _clustered_meat(scores: FloatArray, groups: npt.ArrayLike) -> FloatArray:
    codes, names = pd.factorize(np.asarray(groups))
    sums = _sum_by(scores, codes)
    return len(names) / max(len(names) - 1, 1) * (sums.T @ sums)


def _sum_by(values: FloatArray, groups: npt.ArrayLike, count: int = 0) -> FloatArray:
    codes = np.asarray(groups)
    columns = [np.bincount(codes, weights=column, minlength=count) for column in values.T]
    return np.stack(columns, axis=1).astype(np.float64)


def _sum_by_account(values: FloatArray, accounts: Accounts) -> FloatArray:
    count = len(accounts.ids)
    sums = _sum_by(values, accounts.initiator, count) + _sum_by(values, accounts.decider, count)
    if accounts.conditioned >= 0:
        sums[accounts.conditioned] = 0.0
    return sums


def is_shared(accounts: Accounts) -> npt.NDArray[np.bool_]:
    """Return which rows have two clustered accounts, so that their pair is counted twice."""
    ego = accounts.conditioned
    return (accounts.initiator != ego) & (accounts.decider != ego)


def _moves(
    design: FloatArray,
    curvature: FloatArray,
    scores: FloatArray,
    rows: IntArray,
    groups: IntArray,
    information: FloatArray,
    *,
    count: int,
) -> FloatArray:
    """Return (H − H_g)⁻¹ g_g for each group; `rows` and `groups` list who is in which.

    Works where H is the identity, so units do not matter. Groups of one row, nearly all pairs and
    many accounts, need no solving (Sherman & Morrison); others are solved in blocks.
    """
    root = inverse_root(information)
    z, s = design @ root, scores @ root
    order = np.argsort(groups, kind="stable")
    rows = rows[order]
    sizes = np.bincount(groups, minlength=count)
    ends = np.cumsum(sizes)
    moves = np.zeros((count, design.shape[1]))
    single = np.flatnonzero(sizes == 1)
    row = rows[ends[single] - 1]
    left = 1.0 - curvature[row] * np.einsum("ni,ni->n", z[row], z[row])
    moves[single] = (
        s[row] * np.where(left > SINGULAR, 1.0 / np.maximum(left, SINGULAR), 0.0)[:, None]
    )
    for block in _blocks(sizes, design.shape[1]):
        starts, lengths = ends[block] - sizes[block], sizes[block]
        offsets = np.cumsum(lengths) - lengths
        member = rows[np.repeat(starts - offsets, lengths) + np.arange(int(lengths.sum()))]
        inner, weighted = z[member], z[member] * curvature[member, None]
        if len(block) == 1:
            parts = (weighted.T @ inner)[None]
        else:
            outer = weighted[:, :, None] * inner[:, None, :]
            parts = np.add.reduceat(outer, offsets, axis=0)
        moves[block] = solve_blocks(parts, np.add.reduceat(s[member], offsets, axis=0))
    return moves @ root.T


def _blocks(sizes: IntArray, width: int) -> Iterator[IntArray]:
    """Yield groups of two rows and more: large ones alone, others in blocks of bounded memory."""
    for group in np.flatnonzero(sizes > LARGE_GROUP):
        yield np.array([group])
    small = np.flatnonzero((sizes >= 2) & (sizes <= LARGE_GROUP))
    if len(small):
        limit = max(BLOCK_NUMBERS // width**2, LARGE_GROUP)
        block = np.cumsum(sizes[small]) // limit
        yield from np.split(small, np.flatnonzero(np.diff(block)) + 1)


def inverse_root(information: FloatArray) -> FloatArray:
    """Return B with B Bᵀ = H⁻¹ (in the directions in which H says anything)."""
    size = np.sqrt(np.maximum(np.diag(information), 1e-300))
    values, vectors = np.linalg.eigh(information / np.outer(size, size))
    kept = values > 1e-14 * values.max()
    scale = np.where(kept, 1.0 / np.sqrt(np.where(kept, values, 1.0)), 0.0)
    return vectors * scale / size[:, None]


def solve_blocks(parts: FloatArray, vectors: FloatArray) -> FloatArray:
    """Return (I − M)⁻¹ g for many M; where a group owns a column, in the directions that remain.

    The traces of all M add up to at most twice the number of columns, so hardly any group can own
    a column, and only those with a large trace need their eigenvalues looked at.
    """
    left = np.eye(parts.shape[1]) - parts
    safe = np.trace(parts, axis1=1, axis2=2) < 0.9
    solved = np.empty_like(vectors)
    if safe.any():
        solved[safe] = np.linalg.solve(left[safe], vectors[safe][..., None])[..., 0]
    for row in np.flatnonzero(~safe):
        values, axes = np.linalg.eigh(left[row])
        inverse = np.where(values > SINGULAR, 1.0 / np.maximum(values, SINGULAR), 0.0)
        solved[row] = axes @ (inverse * (axes.T @ vectors[row]))
    return solved
