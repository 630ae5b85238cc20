"""Factor 2, content relevance: whether what the two accounts post belongs together.

Word weights, topics, hashtag use and main languages are refitted in blocks of 28 days
(`followkit.features.blocks`). Before the first block with a post nothing is known: NaN.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse

from followkit.features.blocks import Block
from followkit.features.claim import Claim
from followkit.features.context import FeatureContext, FeatureFunction, FloatArray
from followkit.features.feature import (
    PER_TEN_POINTS,
    PER_TENTH,
    YES_OR_NO,
    Feature,
    Product,
    Side,
    dated_feature,
    profile_feature,
    untimed_feature,
)
from followkit.features.formats import find_latest, share_main_format
from followkit.features.texts import EMBEDDING
from followkit.features.ties import UNKNOWN_US, IntArray, get_table, to_us
from followkit.text import TopicSpace, cosine_of_pairs

#: How many of the initiator's posts a decider who looks in may see, and how many can win it.
LATEST_POSTS = 30
TOP_POSTS = 3

BOTH_POST: tuple[tuple[Side, str], ...] = (("initiator", "posts"), ("decider", "posts"))


def topic_cosine(context: FeatureContext) -> FloatArray:
    """Return the cosine of two accounts' vectors over their posts; 0 without words."""
    return context.by_block(
        lambda block: block.text.space.cosine(block.ids("initiator"), block.ids("decider")),
        *BOTH_POST,
    )


def hashtag_jaccard(context: FeatureContext) -> FloatArray:
    """Return hashtags of both over hashtags of either; 0 where neither uses any."""
    return context.by_block(_compare_hashtags, *BOTH_POST)


def _compare_hashtags(block: Block) -> FloatArray:
    text = block.text
    uses = text.hashtags.drop_duplicates(["account", "tag"])
    columns, tags = pd.factorize(uses["tag"])
    # One account more than there are: the code −1 of one without posts means the last.
    shape = (len(text.ids) + 1, len(tags))
    ones = np.ones(len(uses), dtype=np.int64)
    used = sparse.csr_array((ones, (uses["account"], columns)), shape=shape)
    left, right = (text.code(block.ids(side)) % shape[0] for side in ("initiator", "decider"))
    size = used.sum(axis=1)
    shared = np.asarray(used[left].multiply(used[right]).sum(axis=1))
    either = size[left] + size[right] - shared
    return np.divide(shared, either, out=np.zeros(len(left)), where=either > 0)


def same_language(context: FeatureContext) -> FloatArray:
    """Return 1 where the commonest language of both accounts' posts agrees, else 0."""
    return context.by_block(_compare_languages, *BOTH_POST)


def _compare_languages(block: Block) -> FloatArray:
    text = block.text
    left, right = (text.main_language[text.code(block.ids(side))] for side in
                   ("initiator", "decider"))  # fmt: skip
    return ((left >= 0) & (left == right)).astype(np.float64)


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
    values = TopicSpace(accounts["account_id"], accounts["bio"]).cosine(left, right)
    return np.where(known.to_numpy(dtype=bool), values, np.nan)


def same_attribute(context: FeatureContext, column: str) -> FloatArray:
    """Return 1 where both profiles say the same in a column; NaN where one says nothing."""
    left, right = (
        context.profile(side, column).astype("string") for side in ("initiator", "decider")
    )
    return np.asarray((left == right).to_numpy(dtype=np.float64, na_value=np.nan))


def embedding_cosine(context: FeatureContext) -> FloatArray:
    """Return the cosine of two accounts' embeddings, −1 to 1; NaN where one has none."""
    accounts = get_table(context.dataset, "accounts")
    columns = [name for name in accounts if str(name).startswith(EMBEDDING)]
    vectors = accounts[columns].to_numpy(np.float64, na_value=np.nan)
    vectors = np.vstack([vectors, np.full(len(columns), np.nan)])
    known = pd.Index(accounts["account_id"])
    left, right = (
        vectors[known.get_indexer(pd.Index(context.rows[f"{side}_id"]))]
        for side in ("initiator", "decider")
    )
    lengths = np.sqrt((left**2).sum(axis=1) * (right**2).sum(axis=1))
    dots = (left * right).sum(axis=1)
    return np.asarray(np.divide(dots, lengths, out=0.0 * dots, where=lengths != 0))


# -- a bridge: the best posts, or the way of presenting --------------------------------------------


def top_posts_cosine(context: FeatureContext) -> FloatArray:
    """Return the mean cosine to B's posts of the three of A's last posts that come nearest."""
    return context.by_block(lambda block: _compare_latest(block)[0], *BOTH_POST)


def mean_posts_cosine(context: FeatureContext) -> FloatArray:
    """Return the mean cosine of A's last posts to B's posts."""
    return context.by_block(lambda block: _compare_latest(block)[1], *BOTH_POST)


def _compare_latest(block: Block) -> tuple[FloatArray, FloatArray]:
    """Return the mean over the top posts, and over all of A's last posts, made once a block."""
    found: tuple[FloatArray, FloatArray] = block.cached(
        "latest_cosines", lambda: _average_latest(block)
    )
    return found


def _average_latest(block: Block) -> tuple[FloatArray, FloatArray]:
    dyad, post = _list_latest(block)
    text = block.text
    decider = text.space.code(block.ids("decider"))[dyad]
    told = decider >= 0
    cosines = np.zeros(len(dyad))
    both = sparse.vstack([text.vectors, text.space.matrix], format="csr")
    cosines[told] = cosine_of_pairs(both, post[told], len(text.posts) + decider[told])
    order = np.lexsort((-cosines, dyad))
    dyad, cosines = dyad[order], cosines[order]
    is_top = np.arange(len(dyad)) - np.searchsorted(dyad, dyad) < TOP_POSTS
    size = len(block.pairs)
    return (
        _mean_by_dyad(dyad[is_top], cosines[is_top], size),
        _mean_by_dyad(dyad, cosines, size),
    )


def _list_latest(block: Block) -> tuple[IntArray, IntArray]:
    """Return a row for each dyad and each of A's last posts: the dyad and the post, in order."""
    text = block.text
    latest = find_latest(text, np.ones(len(text.posts), dtype=bool), LATEST_POSTS)
    latest = latest[np.argsort(text.owner[latest], kind="stable")]
    count = np.append(np.bincount(text.owner[latest], minlength=len(text.ids)), 0)
    first = np.cumsum(count) - count
    code = text.code(block.ids("initiator"))
    dyad = np.repeat(np.arange(len(code)), count[code])
    within = np.arange(len(dyad)) - np.searchsorted(dyad, dyad)
    return dyad, latest[first[code[dyad]] + within]


def _mean_by_dyad(dyad: IntArray, values: FloatArray, size: int) -> FloatArray:
    count = np.bincount(dyad, minlength=size)
    total = np.bincount(dyad, values, size)
    return np.asarray(np.divide(total, count, out=np.zeros(size), where=count > 0))


def same_format_share(context: FeatureContext) -> FloatArray:
    """Return the share of A's posts that come in the format B uses most."""

    def compute(block: Block) -> FloatArray:
        codes = [block.text.code(block.ids(side)) for side in ("initiator", "decider")]
        return share_main_format(block.text, *codes)

    return context.by_block(compute, *BOTH_POST)


FEATURES: dict[str, FeatureFunction] = {
    "dyad_topic_cosine": topic_cosine,
    "dyad_hashtag_jaccard": hashtag_jaccard,
    "dyad_same_language": same_language,
    "dyad_bio_cosine": bio_cosine,
    "dyad_same_category": lambda c: same_attribute(c, "category"),
    "dyad_embedding_cosine": embedding_cosine,
    "dyad_top_posts_cosine": top_posts_cosine,
    "dyad_mean_posts_cosine": mean_posts_cosine,
    "dyad_same_format_share": same_format_share,
    "dyad_format_bridge": lambda c: (
        c.feature("dyad_same_format_share") * (1.0 - c.feature("dyad_topic_cosine"))
    ),
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
    untimed_feature(
        "dyad_embedding_cosine",
        "2a",
        "similarity of embeddings supplied for the accounts",
        "cosine, −1 to 1, of the columns embedding_… of the two accounts; 0 for a vector of zeros, "
        "missing where one has none",
        unit=PER_TENTH,
        tables=("accounts.embedding_0",),
        in_model=False,
    ),
    dated_feature(
        "dyad_top_posts_cosine",
        "2c",
        1,
        "similarity of the initiator's best fitting posts",
        "mean of the 3 largest cosines of A's last 30 posts, up to the last 28-day block that ends "
        "before t, to the TF-IDF vector of all of B's posts by then (fewer posts: of those there "
        "are); 0 where a watched account has no words yet",
        unit=PER_TENTH,
        tables=("posts.text",),
    ),
    dated_feature(
        "dyad_mean_posts_cosine",
        "2c",
        0,
        "similarity of the initiator's last posts",
        "mean of the cosines of A's last 30 posts, up to the last 28-day block that ends before "
        "t, to the TF-IDF vector of all of B's posts by then; 0 where a watched account has no "
        "words yet",
        unit=PER_TENTH,
        tables=("posts.text",),
        in_model=False,
    ),
    dated_feature(
        "dyad_same_format_share",
        "2c",
        1,
        "share of the initiator's posts in the decider's main format",
        "(A's posts in the format + 10 p) / (A's posts with a known format + 10), up to the last "
        "28-day block that ends before t; the format: B's commonest (ties: the first in the "
        "alphabet; without any, the commonest of all accounts); p = its share over all accounts",
        unit=PER_TEN_POINTS,
        tables=("posts.format",),
        in_snapshots=True,
        in_model=False,
    ),
    dated_feature(
        "dyad_format_bridge",
        "2c",
        1,
        "the decider's main format where topics differ",
        "dyad_same_format_share × (1 − dyad_topic_cosine)",
        unit=PER_TENTH,
        tables=("posts.format+posts.text",),
        in_snapshots=True,
        in_model=False,
    ),
)

PRODUCTS: tuple[Product, ...] = (
    Product(
        "dyad_topic_cosine_originality",
        "2d",
        1,
        "topic similarity with an initiator who posts originals",
        ("dyad_topic_cosine", "initiator_originality_share"),
    ),
    Product(
        "dyad_topic_cosine_engagement_rate",
        "2d",
        1,
        "topic similarity with an initiator whose posts find engagement",
        ("dyad_topic_cosine", "initiator_engagement_rate_log"),
    ),
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "2a",
        "The more the initiator's posts are about what the decider posts about, the more often "
        "the decider answers.",
        1,
        ("dyad_topic_cosine",),
        # What the decider consumes is nearly what it posts about.
        not_adjusted=("dyad_consumed_cosine",),
    ),
    Claim(
        "2b",
        "The more the initiator's profile is like that of the decider, the more often the decider "
        "answers.",
        1,
        ("dyad_bio_cosine",),
    ),
    Claim(
        "2c",
        "A bridge is enough: a few posts of the initiator that fit the decider bring its answer, "
        "however much the rest differs.",
        1,
        # Adjusted for the topic cosine: the best posts, given how alike the two are as a whole.
        ("dyad_top_posts_cosine",),
        not_adjusted=("dyad_consumed_cosine",),
    ),
    Claim(
        "2d",
        "Quality pays only where it is relevant: the nearer the two are in topic, the more the "
        "initiator's original content is worth with the decider.",
        1,
        ("dyad_topic_cosine_originality",),
        "interaction",
        not_adjusted=("dyad_consumed_cosine",),
    ),
)
