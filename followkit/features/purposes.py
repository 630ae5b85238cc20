"""Factor 6, engagement strategy: what posts are for, and whether the initiator learns (6c, 6e).

Varied and distinctive posts against promotion (6c); more of what worked (6e, its counting is in
`metric_response`). All of it is taken at the end of the last 28-day block before t.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse

from followkit.features.blocks import Block
from followkit.features.claim import Claim
from followkit.features.context import INITIATOR_POSTS, FeatureFunction, FloatArray, of_blocks
from followkit.features.feature import (
    PER_TEN_POINTS,
    PER_TENTH,
    YES_OR_NO,
    Feature,
    Product,
    dated_feature,
)
from followkit.features.formats import find_formats
from followkit.features.metric_response import metric_response
from followkit.features.pooling import of_initiators, shrink_to_pool
from followkit.features.selectivity import shrink_entropy
from followkit.features.texts import ENGAGED, TextBlock
from followkit.features.ties import IntArray

PROMOTION = ("promote", "promotion")
FEWEST_POSTS = 10
#: A sum of vectors shorter than this is what rounding leaves of vectors that cancel out.
NO_DIRECTION = 1e-9


def read_purposes(text: TextBlock) -> pd.Series:
    """Return the purpose of each post in small letters, missing where none is known."""
    told = text.posts["purpose"].astype("string").str.strip().str.casefold()
    return told.where(told != "")


def find_purposes(text: TextBlock) -> IntArray:
    """Return a number for the purpose of each post; −1 where none is known."""
    return pd.factorize(read_purposes(text))[0].astype(np.int64)


def _entropy(block: Block, group: IntArray) -> FloatArray:
    """Return the shrunk entropy of the initiators' posts over groups, of those that have one."""
    text, known = block.text, group >= 0
    # One owner more than there are accounts: the last has no posts.
    return of_initiators(block, shrink_entropy(text.owner[known], group[known], len(text.ids) + 1))


def purpose_entropy(block: Block) -> FloatArray:
    """Return the shrunk entropy of the purposes of the initiators' posts."""
    return _entropy(block, find_purposes(block.text))


def format_entropy(block: Block) -> FloatArray:
    """Return the shrunk entropy of the formats of the initiators' posts."""
    return _entropy(block, find_formats(block.text))


def topic_distance(block: Block) -> FloatArray:
    """Return how far the initiators' words are from those of the other accounts of their topic."""
    text = block.text
    values = np.zeros(len(text.ids) + 1)
    told = np.flatnonzero((text.main_topic >= 0) & (text.account_rows >= 0))
    topic, vectors = text.main_topic[told], text.space.matrix[text.account_rows[told]]
    size = max(text.topic_count, 1)
    member = sparse.csr_array(
        (np.ones(len(told)), (topic, np.arange(len(told)))), shape=(size, len(told))
    )
    total = member @ vectors
    product, own = (
        np.asarray(vectors.multiply(part).sum(axis=1)) for part in (total[topic], vectors)
    )
    whole = np.asarray(total.multiply(total).sum(axis=1))[topic]
    # u·(S − u) / (|u| |S − u|), with S the sum over the topic, u among it.
    rest = np.sqrt(np.maximum(whole - 2.0 * product + own, 0.0))
    length = np.sqrt(own) * rest
    has_others = (np.bincount(topic, minlength=size)[topic] > 1) & (length > NO_DIRECTION)
    cosine = np.divide(product - own, length, out=np.ones(len(told)), where=has_others)
    values[told] = 1.0 - np.clip(cosine, -1.0, 1.0)
    return of_initiators(block, values)


def count_promotion(text: TextBlock) -> tuple[FloatArray, FloatArray]:
    """Return how many posts of each account promote, and of how many that is known."""
    if "is_promotional" in text.posts:
        known = text.posts["is_promotional"].notna().to_numpy(dtype=bool)
        flags = text.posts["is_promotional"].to_numpy(dtype=bool, na_value=False)
    else:
        told = read_purposes(text)
        known = told.notna().to_numpy(dtype=bool)
        flags = told.isin(PROMOTION).to_numpy(dtype=bool)
    promoting, posts = (
        np.bincount(text.owner[keep], minlength=len(text.ids)).astype(np.float64)
        for keep in (known & flags, known)
    )
    return promoting, posts


def promotional_share(block: Block) -> FloatArray:
    """Return the shrunk share of the initiators' posts that promote."""
    return of_initiators(block, shrink_to_pool(*count_promotion(block.text)))


def is_mostly_promotional(block: Block) -> FloatArray:
    """Return 1 where ten or more posts are known and over nine in ten promote, else 0."""
    promoting, posts = count_promotion(block.text)
    is_mostly = (posts >= FEWEST_POSTS) & (10.0 * promoting > 9.0 * posts)
    return of_initiators(block, np.append(is_mostly.astype(np.float64), 0.0))


FEATURES: dict[str, FeatureFunction] = {
    "initiator_purpose_entropy": of_blocks(purpose_entropy, INITIATOR_POSTS),
    "initiator_format_entropy": of_blocks(format_entropy, INITIATOR_POSTS),
    "initiator_topic_distance": of_blocks(topic_distance, INITIATOR_POSTS),
    "initiator_promotional_share": of_blocks(promotional_share, INITIATOR_POSTS),
    "initiator_is_mostly_promotional": of_blocks(is_mostly_promotional, INITIATOR_POSTS),
    "initiator_metric_response": of_blocks(metric_response, INITIATOR_POSTS),
}

UP_TO_BLOCK = "up to the last 28-day block that ends before t"
ENTROPY = (
    "(n H + 10 h) / (n + 10), H the entropy (nats) of the {} of the initiator's n posts "
    f"{UP_TO_BLOCK} for which it is known, h = Σ n H / Σ n over all accounts; h without such a "
    "post"
)

ENTRIES: tuple[Feature, ...] = (
    dated_feature(
        "initiator_purpose_entropy",
        "6c",
        1,
        "how varied the purposes of the initiator's posts are",
        ENTROPY.format("purposes (small letters)"),
        unit=PER_TENTH,
        tables=("posts.purpose",),
        in_snapshots=True,
    ),
    dated_feature(
        "initiator_format_entropy",
        "6c",
        1,
        "how varied the formats of the initiator's posts are",
        ENTROPY.format("formats"),
        unit=PER_TENTH,
        tables=("posts.format",),
        in_snapshots=True,
        in_model=False,
    ),
    dated_feature(
        "initiator_topic_distance",
        "6c",
        1,
        "how far the initiator's words are from those of its topic",
        "1 − cosine of the initiator's word vector and the sum of the vectors of the other "
        f"accounts with the same main topic, from posts {UP_TO_BLOCK}; 0 without words or without "
        "such others",
        unit=PER_TENTH,
        tables=("posts.text",),
        in_snapshots=True,
        in_model=False,
    ),
    dated_feature(
        "initiator_promotional_share",
        "6c",
        -1,
        "share of the initiator's posts that promote",
        f"(k + 10 p) / (n + 10): n posts of the initiator {UP_TO_BLOCK} of which it is known "
        "whether they promote, k that do: is_promotional where there is that column, else a "
        "purpose of promote or promotion; p = (K + 1) / (N + 2) over all accounts",
        unit=PER_TEN_POINTS,
        tables=("posts.is_promotional", "posts.purpose"),
        in_snapshots=True,
        in_model=False,
    ),
    dated_feature(
        "initiator_is_mostly_promotional",
        "6c",
        -1,
        "initiator posts hardly anything but promotion",
        "1 where n ≥ 10 and k / n > .9, with k and n as in initiator_promotional_share, else 0; "
        "not drawn to the pool, because fewer than ten posts say no",
        unit=YES_OR_NO,
        tables=("posts.is_promotional", "posts.purpose"),
        in_snapshots=True,
        in_model=False,
    ),
    dated_feature(
        "initiator_metric_response",
        "6e",
        1,
        "how much the initiator does more of what worked",
        "n r / (n + 10) over n cells; 0 with two or fewer. The last seven 28-day windows end where "
        "the last 28-day block before t ends. For two consecutive windows, and main topics and "
        "formats apart, take the initiator's posts of which the topic (format) is known, if there "
        "are any in both. Each topic (format) with a post of known engagement in the earlier "
        "window is a cell if it is not the only one there: x = its mean engagement per post in "
        "that window, y = its share of posts in the later window less that in the earlier one, "
        "both as ranks among these cells (equal ones share the mean rank) less their mean. "
        "r = Σ x y / √(Σ x² Σ y²) over the cells of all windows, topics and formats, 0 where that "
        "is 0 / 0. Engagement as in initiator_median_engagement_log",
        unit=PER_TENTH,
        tables=tuple(
            f"posts.{column}+{engaged}" for engaged in ENGAGED for column in ("text", "format")
        ),
    ),
)

PRODUCTS: tuple[Product, ...] = ()

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "6c",
        "The more varied the purposes of the initiator's posts are, rather than promotion alone, "
        "the more often the decider answers.",
        1,
        ("initiator_purpose_entropy",),
    ),
    Claim(
        "6e",
        "The more the initiator turns to the topics and formats that found engagement, the more "
        "often the decider answers.",
        1,
        ("initiator_metric_response",),
    ),
)
