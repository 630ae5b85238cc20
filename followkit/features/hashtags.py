"""Hashtags of posts: which uses ride on a trend, which reach a niche, and which fit the text."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse

from followkit.features.liking import sum_products
from followkit.features.pooling import NOTHING, shrink_to_pool
from followkit.features.texts import FlagArray, FloatArray, Library, TextBlock
from followkit.features.ties import UNKNOWN_US, IntArray, to_times
from followkit.timeline import count_before

#: A tag trends where the last week has so many times the uses of a mean week of the last four,
#: and so many uses at all.
TREND_DAYS, MONTH_DAYS = 7, 28
TREND_FACTOR, FEWEST_USES = 3, 3
#: A tag is of a niche while so few of the accounts with tags use it.
NICHE_SHARE, FEWEST_USERS = 0.05, 2


def find_trending(library: Library) -> FlagArray:
    """Return which uses of hashtags (`library.tag_uses`) come while the tag trends.

    A use is trending where the tag was used at least 3 times in the 7 days before the post, and
    at least three quarters of what it was used in the 28 days before it: so often would come in
    three weeks at the mean of the four. A post of the same moment is not before it, and one without
    a time rides no trend.
    """
    found: FlagArray = library.cached("trending", lambda: _find_trending(library))
    return found


def _find_trending(library: Library) -> FlagArray:
    uses = library.tag_uses
    posted_us = library.posts["posted_us"].to_numpy(np.int64)[uses["row"]]
    is_dated = posted_us != UNKNOWN_US
    at = to_times(np.where(is_dated, posted_us, 0))
    dated = pd.DataFrame({"tag": uses["tag"].astype(str), "at": at})[is_dated]
    week, month = (
        count_before(dated, dated, window_days=days, by=["tag"])
        for days in (TREND_DAYS, MONTH_DAYS)
    )
    trending = np.zeros(len(uses), dtype=bool)
    weeks = MONTH_DAYS // TREND_DAYS
    trending[is_dated] = (week >= FEWEST_USES) & (weeks * week >= TREND_FACTOR * month)
    return trending


def find_niche(uses: pd.DataFrame) -> FlagArray:
    """Return which uses are of a tag that two accounts or more use, but at most 5 % of them.

    Two are never too many; a tag that one account has to itself reaches nobody.

    Examples
    --------
    >>> uses = pd.DataFrame({"account": [0, 1, 0, 1, 2, 2], "tag": ["a", "a", "b", "b", "b", "c"]})
    >>> find_niche(uses).tolist()
    [True, True, False, False, False, False]
    """
    users = uses.drop_duplicates(["account", "tag"])["tag"].value_counts()
    limit = max(NICHE_SHARE * uses["account"].nunique(), FEWEST_USERS)
    count = uses["tag"].map(users).to_numpy(np.float64)
    return np.asarray((count >= FEWEST_USERS) & (count <= limit))


def hashtag_mix(text: TextBlock) -> FloatArray:
    """Return 4 p (1 − p) of the share p of trending among an account's niche and trending uses.

    One value an account of the block and, last, 0 for those without posts. p is drawn to the pool.
    """
    uses = text.hashtags
    trending = find_trending(text.library)[uses["use"].to_numpy(np.int64)]
    owner = uses["account"].to_numpy(np.int64)
    counts = trending | find_niche(uses)
    size = len(text.ids)
    total, count = (
        np.bincount(owner[keep], minlength=size).astype(np.float64) for keep in (trending, counts)
    )
    share = shrink_to_pool(total, count)
    return np.where(np.append(count, 0) > 0, 4.0 * share * (1.0 - share), 0.0)


def tag_relevance(text: TextBlock) -> FloatArray:
    """Return the mean likeness of an account's posts to what others post with the same tags.

    One value an account of the block and, last, the pool's (0 while no tag is shared). Likeness:
    the cosine of the post's vector and the mean vector of the posts of other accounts with the tag
    (0 without words); uses of a tag that nobody else uses do not count.
    """
    uses = text.hashtags
    post, owner = (uses[name].to_numpy(np.int64) for name in ("post", "account"))
    tag = pd.factorize(uses["tag"], sort=True)[0]
    place = np.unique(tag * (len(text.ids) + 1) + owner, return_inverse=True)[1]
    others = (np.bincount(tag)[tag] - np.bincount(place)[place]) if len(tag) else tag
    counts = others > 0
    likeness = _compare_with_others(text, post, tag, place)[counts]
    size = len(text.ids)
    total, count = (
        np.bincount(owner[counts], weights, size).astype(np.float64) for weights in (likeness, None)
    )
    return np.nan_to_num(shrink_to_pool(total, count, NOTHING))


def _compare_with_others(
    text: TextBlock, post: IntArray, tag: IntArray, place: IntArray
) -> FloatArray:
    """Return for each use the cosine of the post and the sum of the others' posts with the tag.

    Parameters
    ----------
    text, post, tag
        The posts and tags of the uses.
    place
        One number for each tag and account.
    """
    vectors = text.vectors[post]
    if not len(post):
        return np.zeros(0)
    has_words = np.asarray(abs(vectors).sum(axis=1)) > 0
    everyone, own = (_add_rows(vectors, group) for group in (tag, place))
    tag_of = np.zeros(own.shape[0], dtype=np.int64)
    tag_of[place] = tag
    # Others = everyone − own, multiplied out: the sums of a tag are wide, those of a post are not.
    uses = np.arange(len(post))
    dots = sum_products(vectors, uses, everyone, tag) - sum_products(vectors, uses, own, place)
    each, wide = np.arange(len(tag_of)), np.arange(everyone.shape[0])
    squares = (
        sum_products(everyone, wide, everyone, wide)[tag_of]
        - 2.0 * sum_products(own, each, everyone, tag_of)
        + sum_products(own, each, own, each)
    )
    told = np.bincount(tag, has_words)[tag] - np.bincount(place, has_words)[place] > 0
    length = np.sqrt(np.maximum(squares[place], 0.0))
    cosine = np.divide(dots, length, out=np.zeros(len(post)), where=told & (length > 0))
    return np.clip(cosine, -1.0, 1.0)


def _add_rows(rows: sparse.csr_array, group: IntArray) -> sparse.csr_array:
    """Return the sum of the rows of each group."""
    shape = (int(group.max(initial=-1)) + 1, rows.shape[0])
    marks = sparse.csr_array((np.ones(len(group)), (group, np.arange(len(group)))), shape=shape)
    return sparse.csr_array(marks @ rows)
