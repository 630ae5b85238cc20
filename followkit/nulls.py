"""How mutual ties would be by chance: networks with the same degrees, and with the same density.

Busy accounts meet each other often, so some ties are mutual even where nobody answers anybody. The
null of `reciprocity_null` keeps every account's numbers of followers and followees and switches who
follows whom; `reciprocity_correlation` only takes the density of ties out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from followkit.covariance import Accounts, code_accounts
from followkit.errors import InputError, ParameterError
from followkit.reciprocity import list_ties
from followkit.tables import Dataset

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Times that a tie is switched on average before the first network counts, and between networks.
SWITCHES_BEFORE, SWITCHES_BETWEEN = 10.0, 0.5
#: Rounds after which a network that would not move so far is taken as it is.
MOST_ROUNDS, MOST_ROUNDS_BETWEEN = 2_000, 200
#: Rounds without a single switch that tell that no other network has these degrees.
STUCK_AFTER = 300
FEWEST_DRAWS = 20
#: Share of the ties that are in groups at once, at most: in dense networks groups hinder others.
LARGEST_SHARE = 0.5
#: Ordered pairs up to which a table says at once which tie stands.
LARGEST_TABLE = 1 << 26
#: Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4).
MARK_FACTOR = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class ReciprocityNull:
    """Dyad reciprocity beside that of networks with the same degrees.

    Attributes
    ----------
    observed
        M / (M + A), with M mutual pairs and A one-way ties.
    null_mean, null_low, null_high, null_sd
        Of the same share over the drawn networks: mean, the central range that holds the share
        `confidence` of them, and standard deviation.
    ratio
        observed / null_mean; missing where no drawn network has a mutual pair.
    z
        (observed − null_mean) / null_sd; missing where the null does not vary.
    p_value
        (1 + networks at least as far from the null mean) / (1 + networks), two-sided.
    draws
        The share in each drawn network.
    effective_draw_count
        Independent networks that would give the same error of the mean.
    switches_per_tie
        Times that a tie was switched on average before the first network was taken.
    drift
        Mean of the first half of the draws less that of the second, in standard errors; beyond ±4
        the networks had not settled.
    tie_count, account_count, confidence
        Of the network, and of the range.
    """

    observed: float
    null_mean: float
    null_low: float
    null_high: float
    null_sd: float
    ratio: float
    z: float
    p_value: float
    draws: FloatArray
    effective_draw_count: float
    switches_per_tie: float
    drift: float
    tie_count: int
    account_count: int
    confidence: float


@dataclass(frozen=True)
class ReciprocityEstimate:
    """A measure of reciprocity with its interval.

    Attributes
    ----------
    value, std_error, ci_low, ci_high
        The estimate, its error and its interval; the last three are missing where every tie, or
        none, is mutual.
    tie_count, account_count
        Directed ties, and accounts among which they could be.
    density
        Ties over ordered pairs of accounts.
    method
        How the interval was made.
    """

    value: float
    std_error: float
    ci_low: float
    ci_high: float
    tie_count: int
    account_count: int
    density: float
    method: str


def reciprocity_null(
    data: Dataset | pd.DataFrame, *, draw_count: int = 100, seed: int = 0, confidence: float = 0.95
) -> ReciprocityNull:
    """Compare dyad reciprocity with networks that have the same degrees.

    Networks are drawn by switching: two ties a→b, c→d become a→d, c→b, three become a→d, c→f,
    e→b (which also turns a ring of three round), unless that makes a tie twice or to oneself. Every
    proposal is as likely as its reverse, so all networks with these degrees are equally likely in
    the end. Rao, Jana & Bandyopadhyay (1996), Sankhyā A 58, 225–242; Milo et al. (2003),
    arXiv:cond-mat/0312028.

    Parameters
    ----------
    data
        A dataset (ties that stand between accounts whose lists were read whole) or a frame with
        follower_id and followee_id; self-follows and repeated ties are ignored.
    draw_count, seed
        Networks to draw, and their seed.
    confidence
        Share of the networks within `null_low` and `null_high`.

    Returns
    -------
    ReciprocityNull

    Raises
    ------
    ParameterError
        If fewer than 20 networks are asked for.
    InputError
        If no tie is left, or no other network has these degrees.

    Examples
    --------
    >>> ring = pd.DataFrame({"follower_id": np.r_[:30, :30], "followee_id": np.r_[1:31, 29, :29]})
    >>> found = reciprocity_null(ring % 30, draw_count=50)
    >>> found.observed, found.null_mean < 0.2, found.z > 5
    (1.0, True, True)
    """
    if draw_count < FEWEST_DRAWS:
        raise ParameterError(
            f"draw_count: at least {FEWEST_DRAWS} networks are needed; got {draw_count}"
        )
    accounts = _code(data)
    chain = _Chain(accounts.initiator, accounts.decider, len(accounts.ids), seed)
    observed = chain.dyad_reciprocity()
    rounds = chain.settle()
    draws = np.empty(draw_count)
    for place in range(draw_count):
        chain.run(rounds)
        draws[place] = chain.dyad_reciprocity()
    return _compare(observed, draws, chain, confidence)


def reciprocity_correlation(
    data: Dataset | pd.DataFrame, *, account_count: int | None = None, confidence: float = 0.95
) -> ReciprocityEstimate:
    """Return Garlaschelli and Loffredo's ρ = (r − ā) / (1 − ā), with its dyadic-robust interval.

    r is the edge reciprocity, 2M / (2M + A), and ā = L / (N (N − 1)) the share of ordered pairs of
    accounts that are tied, L = 2M + A. ρ is the correlation of a tie with its reverse over all
    pairs: 0 if ties were laid at random, 1 if all are mutual, below 0 if they avoid each other.
    Garlaschelli & Loffredo (2004), Physical Review Letters 93, doi:10.1103/PhysRevLett.93.268701.

    The error leaves out each account in turn, less each pair in turn (which two accounts share);
    the interval is a t interval on Fisher's scale with effective accounts less one degrees of
    freedom. An account in half of the ties or more is conditioned on.

    Parameters
    ----------
    data
        As for `reciprocity_null`.
    account_count
        N, where accounts without a tie belong to the network; those with one without it.
    confidence
        Of the interval.

    Returns
    -------
    ReciprocityEstimate

    Raises
    ------
    ParameterError
        If `account_count` is below the number of accounts that have ties.
    InputError
        If no tie is left, or every account follows every other.

    Examples
    --------
    >>> ties = pd.DataFrame({"follower_id": list("abca"), "followee_id": list("bacc")})
    >>> round(reciprocity_correlation(ties).value, 3)  # r = 2/3, ā = 3/6
    0.333
    """
    accounts = _code(data)
    size = len(accounts.ids) if account_count is None else account_count
    if size < len(accounts.ids):
        raise ParameterError(
            f"account_count: {len(accounts.ids):,} accounts have ties; got {account_count}"
        )
    tied = len(accounts.initiator)
    if tied == size * (size - 1):
        raise InputError(
            f"follows: each of the {size:,} accounts follows every other, so density alone makes "
            "all ties mutual"
        )
    is_mutual = _find_mutual(accounts)
    value = float(_correlate(is_mutual.sum(), tied, size * (size - 1)))
    error = _jackknife(accounts, is_mutual, size)
    method = "dyadic-robust (accounts left out in turn, less pairs), on Fisher's scale"
    low = high = np.nan
    if is_mutual.all() or not is_mutual.any():
        error = np.nan
        method = f"no interval: {'every' if is_mutual.all() else 'no'} tie is mutual"
    else:
        reach = stats.t.ppf((1 + confidence) / 2, accounts.degrees_of_freedom) * error
        step = reach / (1 - value**2)
        low, high = np.tanh(np.arctanh(value) + np.array([-step, step]))
    density = tied / (size * (size - 1))
    return ReciprocityEstimate(
        value, float(error), float(low), float(high), tied, size, density, method
    )


def _code(data: Dataset | pd.DataFrame) -> Accounts:
    ties = list_ties(data)
    return code_accounts(ties["follower_id"], ties["followee_id"])


class _Chain:
    """A network whose ties are switched without changing anybody's degrees."""

    def __init__(self, source: IntArray, followee: IntArray, size: int, seed: int) -> None:
        # Sorted, so that the order of rows does not change what a seed draws.
        order = np.lexsort((followee, source))
        self.source, self.followee, self.size = source[order], followee[order].copy(), size
        self.random = np.random.default_rng(seed)
        self.stands: npt.NDArray[np.bool_] | None = None
        if size**2 <= LARGEST_TABLE:
            self.stands = np.zeros(size**2, dtype=bool)
            self.stands[self.keys()] = True
        self.switch_count = self.switches_before = self.round_count = 0

    def keys(self) -> IntArray:
        """Return one number a tie."""
        return self.source * self.size + self.followee

    def dyad_reciprocity(self) -> float:
        """Return M / (M + A) of the network as it is now."""
        both = np.sort(np.concatenate([self.keys(), self.followee * self.size + self.source]))
        mutual = int((both[1:] == both[:-1]).sum()) // 2
        return mutual / (len(self.source) - mutual)

    def settle(self) -> int:
        """Switch until the start is forgotten; return the rounds that part two networks."""
        enough = SWITCHES_BEFORE * len(self.source)
        while self.switch_count < enough and self.round_count < MOST_ROUNDS:
            self.run(1)
            if self.round_count >= STUCK_AFTER and not self.switch_count:
                raise InputError(
                    f"follows: no other network was found in which all {self.size:,} accounts "
                    f"keep their degrees ({len(self.source):,} ties), so there is nothing to "
                    "compare with"
                )
        a_round = self.switch_count / self.round_count
        self.switches_before = self.switch_count
        rounds = int(np.ceil(SWITCHES_BETWEEN * len(self.source) / a_round))
        return min(rounds, MOST_ROUNDS_BETWEEN)

    def run(self, rounds: int) -> None:
        """Try many switches at once, `rounds` times."""
        for _ in range(rounds):
            self.round_count += 1
            width = 2 if self.random.random() < 0.7 else 3
            most = len(self.source) // width
            if not most:
                continue
            # Now and then one group only: then no other hinders it, and no network is out of reach.
            count = max(int(np.sqrt(self.random.random()) * most * LARGEST_SHARE), 1)
            chosen = self.random.permutation(len(self.source))[: count * width]
            self.switch(chosen.reshape(width, count))

    def switch(self, groups: IntArray) -> None:
        """Pass followees on within each group (a column of places of ties), where that fits.

        A group is left alone if any tie that it would remove or make meets one of another group,
        or if it would make a tie that stands. Both rules read the same backwards, which is what
        makes all networks equally likely.
        """
        source, after = self.source[groups], np.roll(self.followee[groups], -1, axis=0)
        now, new = source * self.size + self.followee[groups], source * self.size + after
        # Without a table of the ties that stand, all of them are sorted along with the new ones.
        rest = self.keys() if self.stands is None else now.ravel()
        every = np.sort(np.concatenate([rest, new.ravel()]))
        twice = every[1:][every[1:] == every[:-1]]
        hindered = _holds(twice, new) | _holds(twice, now) | (source == after)
        if self.stands is not None:
            hindered |= self.stands[new]
        fits = ~hindered.any(axis=0)
        self.followee[groups[:, fits]] = after[:, fits]
        if self.stands is not None:
            self.stands[now[:, fits]], self.stands[new[:, fits]] = False, True
        self.switch_count += int(fits.sum()) * len(groups)


def _holds(sorted_keys: IntArray, keys: IntArray) -> npt.NDArray[np.bool_]:
    """Return which keys are among the sorted ones; a table of marks spares most of the search."""
    if not len(sorted_keys):
        return np.zeros(keys.shape, dtype=bool)
    bits = (16 * len(sorted_keys)).bit_length()
    marks = np.zeros(1 << bits, dtype=bool)
    marks[_mark(sorted_keys, bits)] = True
    found = marks[_mark(keys, bits)]
    likely = keys[found]
    place = np.searchsorted(sorted_keys, likely)
    found[found] = sorted_keys[np.minimum(place, len(sorted_keys) - 1)] == likely
    return np.asarray(found)


def _mark(keys: IntArray, bits: int) -> npt.NDArray[np.uint64]:
    return (keys.view(np.uint64) * MARK_FACTOR) >> np.uint64(64 - bits)


def _compare(
    observed: float, draws: FloatArray, chain: _Chain, confidence: float
) -> ReciprocityNull:
    mean, spread = float(draws.mean()), float(draws.std(ddof=1))
    tail = (1 - confidence) / 2
    low, high = (float(limit) for limit in np.quantile(draws, [tail, 1 - tail]))
    far = int((np.abs(draws - mean) >= abs(observed - mean) - 1e-12).sum())
    half = len(draws) // 2
    effective = _effective_count(draws)
    gap = float(draws[:half].mean() - draws[half:].mean())
    return ReciprocityNull(
        observed=observed,
        null_mean=mean,
        null_low=low,
        null_high=high,
        null_sd=spread,
        ratio=observed / mean if mean > 0 else np.nan,
        z=(observed - mean) / spread if spread > 0 else np.nan,
        p_value=(1 + far) / (1 + len(draws)),
        draws=draws,
        effective_draw_count=effective,
        switches_per_tie=chain.switches_before / len(chain.source),
        drift=gap / float(2 * spread / np.sqrt(effective)) if spread > 0 else 0.0,
        tie_count=len(chain.source),
        account_count=chain.size,
        confidence=confidence,
    )


def _effective_count(draws: FloatArray) -> float:
    """Return draws over 1 + 2 Σ autocorrelation, summed while it stays above two of its errors."""
    centred = draws - draws.mean()
    variance = float(centred @ centred)
    inflation, lag = 1.0, 1
    while variance > 0 and lag < len(draws) // 4:
        correlation = float(centred[lag:] @ centred[:-lag]) / variance
        if correlation < 2 / np.sqrt(len(draws)):
            break
        inflation, lag = inflation + 2 * correlation, lag + 1
    return len(draws) / inflation


def _find_mutual(accounts: Accounts) -> npt.NDArray[np.bool_]:
    """Return which ties have their reverse: their unordered pair holds two ties."""
    return np.asarray(np.bincount(accounts.pair)[accounts.pair] == 2)


def _correlate(
    mutual_ties: npt.ArrayLike, ties: npt.ArrayLike, ordered_pairs: npt.ArrayLike
) -> FloatArray:
    reciprocity = np.asarray(mutual_ties) / np.asarray(ties)
    density = np.asarray(ties) / np.asarray(ordered_pairs)
    return np.asarray((reciprocity - density) / (1 - density), np.float64)


def _jackknife(accounts: Accounts, is_mutual: npt.NDArray[np.bool_], size: int) -> float:
    """Return the error of ρ: accounts left out one at a time, less pairs left out one at a time."""
    tied, mutual, pairs = len(is_mutual), int(is_mutual.sum()), size * (size - 1)
    value = _correlate(mutual, tied, pairs)
    ends = np.r_[accounts.initiator, accounts.decider]
    of_account = np.bincount(ends, weights=np.r_[is_mutual, is_mutual], minlength=len(accounts.ids))
    kept = np.arange(len(accounts.ids)) != accounts.conditioned
    rest = tied - accounts.degree[kept]
    with np.errstate(divide="ignore", invalid="ignore"):
        without = _correlate(mutual - of_account[kept], rest, (size - 1) * (size - 2))
    # A network that loses all its ties with an account has no reciprocity to compare.
    moves = np.where(np.isfinite(without), without - value, 0.0)
    alone = size - len(accounts.ids)
    moves_alone = _correlate(mutual, tied, (size - 1) * (size - 2)) - value
    groups = size - (accounts.conditioned >= 0)
    total = (groups - 1) / groups * float(moves @ moves + alone * moves_alone**2)
    overlap = _pair_squares(accounts, is_mutual, size, value)
    variance = total - overlap
    # Accounts may disagree more than by chance; then pairs count as independent, as for rates.
    return float(np.sqrt(variance if variance > 1e-9 * overlap else overlap))


def _pair_squares(
    accounts: Accounts, is_mutual: npt.NDArray[np.bool_], size: int, value: FloatArray
) -> float:
    """Return Σ (ρ without a pair − ρ)² over unordered pairs: mutual, one-way and empty ones."""
    tied, mutual, pairs = len(is_mutual), int(is_mutual.sum()), size * (size - 1)
    busy = accounts.conditioned
    shared = (accounts.initiator != busy) & (accounts.decider != busy)
    groups = size - (busy >= 0)
    both, one = int((is_mutual & shared).sum()) // 2, int((~is_mutual & shared).sum())
    empty = groups * (groups - 1) // 2 - both - one
    counts = np.array([both, one, empty])
    lost, ties = np.array([2, 0, 0]), np.array([2, 1, 0])
    with np.errstate(divide="ignore", invalid="ignore"):
        without = _correlate(mutual - lost, tied - ties, pairs - 2)
    return float(counts @ np.where(counts > 0, without - value, 0.0) ** 2)
