"""Counts of what went before, quick enough for a million follows.

The catalogue counts the same things for any data; here the world is known to be tidy (whole
seconds, no tie twice), so that one sorted line of numbers answers every question by bisection.
Tests hold the two to each other.
"""

from __future__ import annotations

import numpy as np

from followkit.simulate.draws import IntArray

SECOND_US = 1_000_000


class Events:
    """Events of numbered keys, sorted once, counted before any moment.

    Parameters
    ----------
    keys
        Whose events: whole numbers from 0.
    times
        When, in microseconds; whole seconds.
    start, end
        Nothing happens, and nobody asks, before start or from end on (microseconds).

    Examples
    --------
    >>> second = 1_000_000
    >>> events = Events(np.array([0, 0, 1]), np.array([1, 2, 2]) * second, 0, 9 * second)
    >>> events.before(np.array([0, 0, 1]), np.array([2, 3, 2]) * second).tolist()
    [1, 2, 0]
    """

    def __init__(self, keys: IntArray, times: IntArray, start: int, end: int) -> None:
        self._start, self._span = start, (end - start) // SECOND_US + 1
        self._line = np.sort(self._place(keys, times))

    def _place(self, keys: IntArray, times: IntArray) -> IntArray:
        """Return one number that sorts by key, then by time."""
        seconds = np.maximum(times - self._start, 0) // SECOND_US
        return np.asarray(keys, dtype=np.int64) * self._span + seconds

    def before(self, keys: IntArray, at: IntArray, *, window_us: int | None = None) -> IntArray:
        """Return the key's events strictly before each moment, or from `window_us` before it on."""
        since = np.full(len(at), self._start) if window_us is None else at - window_us
        upto, first = self._place(keys, at), self._place(keys, since)
        return np.searchsorted(self._line, upto) - np.searchsorted(self._line, first)


def count_common(
    ties: tuple[IntArray, IntArray, IntArray], a: IntArray, b: IntArray, t: IntArray, count: int
) -> IntArray:
    """Return how many accounts both a and b follow, by ties that began before t.

    Parameters
    ----------
    ties
        (source, target, start) of ties that do not end before any t; each pair once.
    a, b, t
        The dyads and their moments.
    count
        Number of accounts.

    Examples
    --------
    >>> ties = (np.array([0, 1, 1]), np.array([2, 2, 3]), np.array([5, 6, 6]))
    >>> count_common(ties, np.array([0, 0]), np.array([1, 1]), np.array([6, 7]), 4).tolist()
    [0, 1]
    """
    size = np.int64(count)
    line = ties[0] * size + ties[1]
    order = np.argsort(line, kind="stable")
    line, start = line[order], ties[2][order]
    first = np.searchsorted(line, np.arange(count + 1) * size)
    degree = np.diff(first)
    # Each followee of the one who follows fewer is looked up among those of the other.
    less, more = np.where(degree[a] <= degree[b], (a, b), (b, a))
    row = np.repeat(np.arange(len(a)), degree[less])
    if not len(row):
        return np.zeros(len(a), dtype=np.int64)
    inner = np.arange(len(row)) - np.repeat(np.cumsum(degree[less]) - degree[less], degree[less])
    place = first[less][row] + inner
    wanted = more[row] * size + line[place] % size
    found = np.minimum(np.searchsorted(line, wanted), len(line) - 1)
    shared = (line[found] == wanted) & (start[found] < t[row]) & (start[place] < t[row])
    return np.bincount(row[shared], minlength=len(a)).astype(np.int64)
