"""How steadily an account posts, as of t: burstiness and the longest silence."""

from __future__ import annotations

import numpy as np

from followkit.features.context import FeatureContext, FloatArray
from followkit.features.ties import DAY_US, IntArray

RHYTHM_DAYS = 182
FEWEST_GAPS = 10
SILENCE_DAYS = 84
SECOND_US = 1_000_000


def find_posts(context: FeatureContext, since_us: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return the moments of all posts, account by account, and which are the initiators'.

    Returns
    -------
    tuple
        Moments (µs) in order of account and time, and for each dyad the first place and the place
        after the last of its initiator's posts in [since, t).
    """
    line, ids = context.event_line("posts"), context.rows["initiator_id"]
    first = line.place(ids, np.minimum(since_us, context.at_us))
    return line.at_us, first, line.place(ids, context.at_us)


def reduce_spans(how: np.ufunc, values: IntArray, first: IntArray, last: IntArray) -> IntArray:
    """Return the sum, or whatever `how` makes, of the values in [first, last), span by span.

    No span may be empty.

    Examples
    --------
    >>> values, first, last = np.array([5, 1, 7]), np.array([0, 1, 0]), np.array([2, 3, 3])
    >>> reduce_spans(np.add, values, first, last).tolist()
    [6, 8, 13]
    """
    spans, place = np.unique(np.column_stack([first, last]), axis=0, return_inverse=True)
    # reduceat also goes from each span's end to the next one's start; those are passed over.
    found = how.reduceat(np.append(values, 0), spans.ravel())[::2]
    return np.asarray(found[place.ravel()], dtype=np.int64)


def correct_burstiness(gap_count: FloatArray, spread: FloatArray) -> FloatArray:
    """Return the burstiness of n gaps whose standard deviation is r times their mean.

    (√(n + 1) r − √(n − 1)) / ((√(n + 1) − 2) r + √(n − 1)): −1 where all gaps are equal, about 0
    for a Poisson rhythm, 1 where one gap holds all the time, for any n above 1.

    Examples
    --------
    >>> correct_burstiness(np.array([10.0, 10.0, 10.0]), np.array([0.0, (9 / 11) ** 0.5, 3.0]))
    array([-1.,  0.,  1.])
    """
    more, less = np.sqrt(gap_count + 1.0), np.sqrt(gap_count - 1.0)
    return np.asarray((more * spread - less) / ((more - 2.0) * spread + less))


def posting_burstiness(context: FeatureContext) -> FloatArray:
    """Return the burstiness of the gaps between the initiators' posts; 0 with few of them."""
    since_us = context.at_us - RHYTHM_DAYS * DAY_US
    moments, first, last = find_posts(context, since_us)
    seconds = moments // SECOND_US
    count = last - first - 1
    values = np.zeros(len(count))
    enough = count >= FEWEST_GAPS
    first, last, n = first[enough], last[enough], count[enough].astype(np.float64)
    if len(n):
        # Whole seconds add up exactly, in whatever order.
        squares = reduce_spans(np.add, np.diff(seconds) ** 2, first, last - 1).astype(np.float64)
        total = (seconds[last - 1] - seconds[first]).astype(np.float64)
        # n Σ g² / (Σ g)² − 1 is (sd / mean)². All within one second: the most bursty there is.
        variance = np.divide(n * squares, total**2, out=n.copy(), where=total > 0) - 1.0
        values[enough] = correct_burstiness(n, np.sqrt(np.maximum(variance, 0.0)))
    return context.where_watched(values, ("initiator", "posts"))


def longest_silence_log(context: FeatureContext) -> FloatArray:
    """Return log(1 + days) of the initiators' longest stretch without a post in 12 weeks."""
    at_us, began = context.at_us, context.watched("initiator", "posts")[1]
    since_us = np.maximum(at_us - SILENCE_DAYS * DAY_US, began)
    moments, first, last = find_posts(context, since_us)
    silence = at_us - since_us
    has_post = last > first
    start, stop = first[has_post], last[has_post]
    silence[has_post] = np.maximum(
        moments[start] - since_us[has_post], at_us[has_post] - moments[stop - 1]
    )
    between = last > first + 1
    if between.any():
        gaps = reduce_spans(np.maximum, np.diff(moments), first[between], last[between] - 1)
        silence[between] = np.maximum(silence[between], gaps)
    days = np.maximum(silence, 0) / DAY_US
    return context.where_watched(np.log1p(days), ("initiator", "posts"))
