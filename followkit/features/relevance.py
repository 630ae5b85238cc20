"""Factor 2, content relevance: whether what the two accounts post belongs together.

Word weights, hashtag use and main languages are refitted in blocks of 28 days, counted from
1970-01-01 UTC so that no data can move them; a dyad uses the last block that ends before its t.
Before the first block with a post nothing is known: NaN.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import sparse

from followkit.features.context import FeatureContext, FeatureFunction, FloatArray
from followkit.features.ties import DAY_US, IntArray, get_table, to_us
from followkit.text import TopicSpace, cosine_of_pairs, find_hashtags

BLOCK_DAYS = 28

PairFunction = Callable[[pd.DataFrame, pd.Series, pd.Series], FloatArray]


def by_block(context: FeatureContext, compute: PairFunction) -> FloatArray:
    """Return `compute(posts so far, initiators, deciders)` for each block's dyads.

    In a snapshot the posts have no order against the ties: all of them are used, once.
    """
    posts = get_table(context.dataset, "posts")
    values = np.full(len(context.rows), np.nan)
    for rows, known in _blocks(context, posts):
        if known.any():
            part = context.rows.iloc[rows]
            values[rows] = compute(posts[known], part["initiator_id"], part["decider_id"])
    return context.where_watched(values, ("initiator", "posts"), ("decider", "posts"))


def _blocks(
    context: FeatureContext, posts: pd.DataFrame
) -> list[tuple[IntArray, np.ndarray[tuple[int], np.dtype[np.bool_]]]]:
    """Return (rows of the dyads, mask of the posts they may use) for each block."""
    if not context.is_dated:
        return [(np.arange(len(context.rows)), np.ones(len(posts), dtype=bool))]
    posted_us = to_us(posts["posted_at"])
    has_time = posts["posted_at"].notna().to_numpy(dtype=bool)
    ends = find_block_ends(context.at_us)
    return [(np.flatnonzero(ends == end), has_time & (posted_us < end)) for end in np.unique(ends)]


def find_block_ends(at_us: IntArray) -> IntArray:
    """Return the end of the last whole 28-day block before each moment.

    Examples
    --------
    >>> day = 86_400_000_000
    >>> (find_block_ends(np.array([28 * day, 28 * day + 1, 57 * day])) // day).tolist()
    [0, 28, 56]
    """
    block_us = BLOCK_DAYS * DAY_US
    ends: IntArray = (at_us - 1) // block_us * block_us
    return ends


def topic_cosine(posts: pd.DataFrame, left: pd.Series, right: pd.Series) -> FloatArray:
    """Return the cosine of two accounts' TF-IDF vectors over their posts; 0 without words."""
    posts = posts[posts["text"].notna()]
    return _cosine(posts["account_id"], posts["text"], left, right)


def _cosine(ids: pd.Series, texts: pd.Series, left: pd.Series, right: pd.Series) -> FloatArray:
    if ids.empty:
        return np.zeros(len(left))
    return cosine_in(TopicSpace(ids, texts), left, right)


def cosine_in(space: TopicSpace, left: pd.Series, right: pd.Series) -> FloatArray:
    """Return the cosine of two accounts' vectors in a space; 0 where one has no words."""
    values = np.zeros(len(left))
    rows_left, rows_right = find_rows(space.ids, left), find_rows(space.ids, right)
    both = (rows_left >= 0) & (rows_right >= 0)
    values[both] = cosine_of_pairs(space.matrix, rows_left[both], rows_right[both])
    return values


def find_rows(known: pd.Index, ids: pd.Series) -> IntArray:
    """Return the position of each id among the known ones; −1 where it is not there."""
    return np.asarray(pd.Index(known).get_indexer(pd.Index(ids)), dtype=np.int64)


def hashtag_jaccard(posts: pd.DataFrame, left: pd.Series, right: pd.Series) -> FloatArray:
    """Return hashtags of both over hashtags of either; 0 where neither uses any."""
    uses = pd.DataFrame({"account_id": posts["account_id"], "tag": list_hashtags(posts)})
    uses = uses.explode("tag").dropna().drop_duplicates()
    values = np.zeros(len(left))
    if uses.empty:
        return values
    rows, accounts = pd.factorize(uses["account_id"])
    columns, tags = pd.factorize(uses["tag"])
    ones = np.ones(len(uses), dtype=np.int64)
    used = sparse.csr_array((ones, (rows, columns)), shape=(len(accounts), len(tags)))
    size = np.append(used.sum(axis=1), 0)
    rows_left, rows_right = find_rows(accounts, left), find_rows(accounts, right)
    both = (rows_left >= 0) & (rows_right >= 0)
    shared = np.zeros(len(left), dtype=np.int64)
    shared[both] = used[rows_left[both]].multiply(used[rows_right[both]]).sum(axis=1)
    either = size[rows_left] + size[rows_right] - shared
    return np.asarray(np.divide(shared, either, out=values, where=either > 0))


def list_hashtags(posts: pd.DataFrame) -> list[list[str]]:
    """Return each post's hashtags: the column where there is one, else those in the text."""
    if "hashtags" in posts:
        listed = posts["hashtags"].fillna("").astype(str)
        return [[tag.lstrip("#").casefold() for tag in tags.split()] for tags in listed]
    return [list(find_hashtags(text)) for text in posts["text"].fillna("").astype(str)]


def same_language(posts: pd.DataFrame, left: pd.Series, right: pd.Series) -> FloatArray:
    """Return 1 where the commonest language of both accounts' posts agrees, else 0."""
    spoken = posts[posts["language"].notna()]
    counted = spoken.groupby(["account_id", "language"]).size().rename("posts").reset_index()
    counted = counted.sort_values(["posts", "language"], ascending=[False, True], kind="stable")
    main = counted.drop_duplicates("account_id").set_index("account_id")["language"]
    tongues = [side.map(main).astype("str").to_numpy() for side in (left, right)]
    known = left.isin(main.index).to_numpy(dtype=bool)
    return np.asarray(known & (tongues[0] == tongues[1]), dtype=np.float64)


def bio_cosine(context: FeatureContext) -> FloatArray:
    """Return the cosine of two bios' TF-IDF vectors; NaN where one has no bio."""
    accounts = context.dataset.table("accounts")
    accounts = accounts[accounts["bio"].notna()]
    left, right = context.rows["initiator_id"], context.rows["decider_id"]
    values = _cosine(accounts["account_id"], accounts["bio"], left, right)
    known = left.isin(accounts["account_id"]) & right.isin(accounts["account_id"])
    return np.where(known.to_numpy(dtype=bool), values, np.nan)


def same_category(context: FeatureContext) -> FloatArray:
    """Return 1 where both accounts declare the same category; NaN where one declares none."""
    accounts = context.dataset.table("accounts")
    declared = accounts[accounts["category"].notna()].set_index("account_id")["category"]
    left, right = (
        context.rows[name].map(declared).astype("string") for name in ("initiator_id", "decider_id")
    )
    return np.asarray((left == right).to_numpy(dtype=np.float64, na_value=np.nan))


FEATURES: dict[str, FeatureFunction] = {
    "dyad_topic_cosine": lambda c: by_block(c, topic_cosine),
    "dyad_hashtag_jaccard": lambda c: by_block(c, hashtag_jaccard),
    "dyad_same_language": lambda c: by_block(c, same_language),
    "dyad_bio_cosine": bio_cosine,
    "dyad_same_category": same_category,
}
