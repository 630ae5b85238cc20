"""Factor 2, content relevance: whether what the two accounts post belongs together.

Word weights, topics, hashtag use and main languages are refitted in blocks of 28 days
(`followkit.features.blocks`). Before the first block with a post nothing is known: NaN.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import sparse

from followkit.features.blocks import Block
from followkit.features.claim import Claim
from followkit.features.context import FeatureContext, FeatureFunction, FloatArray
from followkit.features.feature import (
    PER_TENTH,
    YES_OR_NO,
    Feature,
    Product,
    Side,
    dated_feature,
    profile_feature,
)
from followkit.features.texts import list_hashtags
from followkit.features.ties import UNKNOWN_US, IntArray, get_table, to_us
from followkit.text import TopicSpace, cosine_of_pairs

PairFunction = Callable[[pd.DataFrame, pd.Series, pd.Series], FloatArray]
BOTH_POST: tuple[tuple[Side, str], ...] = (("initiator", "posts"), ("decider", "posts"))


def of_posts(context: FeatureContext, compute: PairFunction) -> FloatArray:
    """Return `compute(posts so far, initiators, deciders)` for each block's dyads."""
    return context.by_block(
        lambda block: compute(block.text.posts, block.ids("initiator"), block.ids("decider")),
        *BOTH_POST,
    )


def topic_cosine(context: FeatureContext) -> FloatArray:
    """Return the cosine of two accounts' vectors over their posts; 0 without words."""
    return context.by_block(
        lambda block: block.text.cosine(block.ids("initiator"), block.ids("decider")), *BOTH_POST
    )


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
    """Return the cosine of two bios' TF-IDF vectors; NaN where one has no bio known by then."""
    accounts = get_table(context.dataset, "accounts")
    accounts = accounts[accounts["bio"].notna()]
    return context.by_block(
        lambda block: _compare_bios(read_before(accounts, block.text.end_us), block),
        needs_posts=False,
    )


def read_before(accounts: pd.DataFrame, end_us: int | None) -> pd.DataFrame:
    """Return the profiles read before a moment; all of them where nothing says when."""
    if end_us is None or accounts["counts_at"].isna().all():
        return accounts
    read_us = to_us(accounts["counts_at"])
    return accounts[(read_us != UNKNOWN_US) & (read_us < end_us)]


def _compare_bios(accounts: pd.DataFrame, block: Block) -> FloatArray:
    left, right = block.ids("initiator"), block.ids("decider")
    known = left.isin(accounts["account_id"]) & right.isin(accounts["account_id"])
    if not known.any():
        return np.full(len(left), np.nan)
    values = cosine_in(TopicSpace(accounts["account_id"], accounts["bio"]), left, right)
    return np.where(known.to_numpy(dtype=bool), values, np.nan)


def cosine_in(space: TopicSpace, left: pd.Series, right: pd.Series) -> FloatArray:
    """Return the cosine of two accounts' vectors in a space; 0 where one has no words."""
    values = np.zeros(len(left))
    rows_left, rows_right = find_rows(space.ids, left), find_rows(space.ids, right)
    both = (rows_left >= 0) & (rows_right >= 0)
    values[both] = cosine_of_pairs(space.matrix, rows_left[both], rows_right[both])
    return values


def same_category(context: FeatureContext) -> FloatArray:
    """Return 1 where both accounts declare the same category; NaN where one declares none."""
    left, right = (
        context.profile(side, "category").astype("string") for side in ("initiator", "decider")
    )
    return np.asarray((left == right).to_numpy(dtype=np.float64, na_value=np.nan))


FEATURES: dict[str, FeatureFunction] = {
    "dyad_topic_cosine": topic_cosine,
    "dyad_hashtag_jaccard": lambda c: of_posts(c, hashtag_jaccard),
    "dyad_same_language": lambda c: of_posts(c, same_language),
    "dyad_bio_cosine": bio_cosine,
    "dyad_same_category": same_category,
}

ENTRIES: tuple[Feature, ...] = (
    dated_feature(
        "dyad_topic_cosine",
        "2a",
        1,
        "topic similarity of their posts",
        "cosine of the two accounts' TF-IDF vectors over all posts up to the last 28-day block "
        "that ends before t; 0 where a watched account has no words yet",
        unit=PER_TENTH,
        tables=("posts.text",),
        in_snapshots=True,
    ),
    dated_feature(
        "dyad_hashtag_jaccard",
        "2a",
        1,
        "share of hashtags in common",
        "hashtags used by both / hashtags used by either, up to the last 28-day block that ends "
        "before t; 0 where neither uses any",
        unit=PER_TENTH,
        tables=("posts.hashtags", "posts.text"),
        in_snapshots=True,
    ),
    dated_feature(
        "dyad_same_language",
        "2a",
        1,
        "posts mostly in the same language",
        "1 where the commonest language of the posts up to the last 28-day block that ends before "
        "t agrees (ties: the first in the alphabet), else 0; 0 where a watched account has no post "
        "with a language yet",
        unit=YES_OR_NO,
        tables=("posts.language",),
        in_snapshots=True,
    ),
    profile_feature(
        "dyad_bio_cosine",
        "2b",
        1,
        "similarity of the two bios",
        "cosine of the TF-IDF vectors of the two bios, fitted to those read before the last 28-day "
        "block ended; missing where a bio is missing",
        unit=PER_TENTH,
        tables=("accounts.bio",),
    ),
    profile_feature(
        "dyad_same_category",
        "2b",
        1,
        "same declared category",
        "1 where both accounts declare the same category, else 0; missing where one declares none",
        unit=YES_OR_NO,
        tables=("accounts.category",),
    ),
)

PRODUCTS: tuple[Product, ...] = ()

CLAIMS: tuple[Claim, ...] = ()
