"""What pictures look like: the initiator's craft and palette (1b), the decider's taste (7b).

A picture is dated by its post. One whose figures were not measured (`followkit.media`) is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit.features.blocks import Block
from followkit.features.claim import Claim
from followkit.features.context import FeatureContext, FeatureFunction, FloatArray
from followkit.features.feature import (
    PER_TEN_POINTS,
    PER_TENTH,
    PER_UNIT,
    Feature,
    Product,
    dated_feature,
)
from followkit.features.liking import find_liked, gather_events
from followkit.features.literature import AJZENMAN
from followkit.features.pooling import of_initiators, shrink_likeness
from followkit.features.records import SHRINKAGE
from followkit.features.texts import Library, TextBlock
from followkit.features.ties import IntArray, get_table
from followkit.media import PALETTE
from followkit.vectors import standardise, to_unit_rows

FlagArray = npt.NDArray[np.bool_]

LAST_PICTURES = 30
NEWEST_PICTURES = 9
CRAFT = ("sharpness", "clipping", "width", "height")
LOOK = ("brightness", "saturation", "colourfulness", *PALETTE)
TASTE_KINDS = ("like", "save")


@dataclass(frozen=True)
class Pictures:
    """The pictures known by the end of a block for which some figures are known.

    Attributes
    ----------
    owner, post
        The account's code and the post's place in the block's texts; in order of time.
    figures
        Pictures × the columns that were asked for.
    size
        Accounts with a post.
    """

    owner: IntArray
    post: IntArray
    figures: FloatArray
    size: int

    def newest(self, count: int) -> FlagArray:
        """Return whether each picture is among its account's last `count`."""
        later = pd.Series(self.owner).groupby(self.owner).cumcount(ascending=False)
        return np.asarray(later < count)

    def add_up(self, values: FloatArray, which: FlagArray | slice = slice(None)) -> FloatArray:
        """Return the sums of a value of (some) pictures over each account."""
        return np.bincount(self.owner[which], values[which], self.size).astype(np.float64)

    def count(self, which: FlagArray | slice = slice(None)) -> FloatArray:
        """Return how many of (some) pictures each account has."""
        return np.bincount(self.owner[which], minlength=self.size).astype(np.float64)


def list_pictures(library: Library) -> pd.DataFrame:
    """Return the pictures of posts with `post_row`, in order of time, place in the post and id."""
    media = get_table(library.dataset, "media")
    if "post_id" not in media:
        return media.head(0).assign(post_row=np.zeros(0, dtype=np.int64))
    rows = pd.Index(library.posts["post_id"]).get_indexer(pd.Index(media["post_id"]))
    media = media.assign(post_row=rows)[(rows >= 0) & media["post_id"].notna().to_numpy(bool)]
    order = ["post_row", "position", "media_id"]
    return media.sort_values(order, kind="stable", ignore_index=True)


def find_pictures(text: TextBlock, columns: Sequence[str]) -> Pictures:
    """Return the pictures known by the end of a block that have a value in every column."""
    library = text.library
    listed: pd.DataFrame = library.cached("pictures", lambda: list_pictures(library))
    figures = np.column_stack([_read_numbers(listed, name) for name in columns])
    post = text.find_posts(listed["post_row"])
    kept = (post >= 0) & np.isfinite(figures).all(axis=1)
    post = post[kept]
    return Pictures(text.owner[post], post, figures[kept], len(text.ids))


def _read_numbers(table: pd.DataFrame, name: str) -> FloatArray:
    if name not in table:
        return np.full(len(table), np.nan)
    numbers = pd.to_numeric(table[name], errors="coerce")
    return np.asarray(numbers.to_numpy(dtype=np.float64, na_value=np.nan))


# -- 1b: craft and palette -------------------------------------------------------------------------


def palette_consistency(context: FeatureContext) -> FloatArray:
    """Return the mean cosine between the palettes of A's last 30 pictures, shrunk to the pool."""
    return context.by_block(_measure_consistency, ("initiator", "posts"))


def _measure_consistency(block: Block) -> FloatArray:
    pictures = find_pictures(block.text, PALETTE)
    which = pictures.newest(LAST_PICTURES)
    likeness = shrink_likeness(
        to_unit_rows(pictures.figures[which]), pictures.owner[which], pictures.size
    )
    return of_initiators(block, likeness)


def picture_craft(context: FeatureContext) -> FloatArray:
    """Return the standardised craft of A's last 30 pictures, shrunk to the pool's mean of 0."""
    return context.by_block(_measure_craft, ("initiator", "posts"))


def _measure_craft(block: Block) -> FloatArray:
    pictures = find_pictures(block.text, CRAFT)
    sharpness, clipping, width, height = pictures.figures.T
    parts = np.column_stack(
        [
            np.log1p(np.maximum(sharpness, 0.0)),
            1.0 - clipping,
            np.log(np.maximum(width * height, 1.0)),
        ]
    )
    craft = standardise(parts).mean(axis=1)
    which = pictures.newest(LAST_PICTURES)
    shrunk = pictures.add_up(craft, which) / (pictures.count(which) + SHRINKAGE)
    return block.text.look_up(shrunk, block.ids("initiator"), missing=0.0)


# -- 7b: the decider's taste -----------------------------------------------------------------------


def newest_mean(context: FeatureContext, column: str) -> FloatArray:
    """Return the mean of a figure over A's newest nine pictures, shrunk to the pool."""
    return context.by_block(lambda block: _average_newest(block, column), ("initiator", "posts"))


def _average_newest(block: Block, column: str) -> FloatArray:
    pictures = find_pictures(block.text, [column])
    values = pictures.figures[:, 0]
    if not len(values):
        return np.full(len(block.rows), np.nan)
    which, pool = pictures.newest(NEWEST_PICTURES), float(values.mean())
    total = pictures.add_up(values, which) + SHRINKAGE * pool
    shrunk = total / (pictures.count(which) + SHRINKAGE)
    return block.text.look_up(shrunk, block.ids("initiator"), missing=pool)


def look_similarity(context: FeatureContext) -> FloatArray:
    """Return how near A's newest pictures are to those that B liked, else to B's own."""
    values = context.by_block(_compare_looks, ("initiator", "posts"))
    known = [context.watched("decider", table)[0] for table in ("interactions", "posts")]
    return np.where(np.logical_or(*known), values, np.nan)


def _compare_looks(block: Block) -> FloatArray:
    text = block.text
    pictures = find_pictures(text, LOOK)
    if not len(pictures.post):
        return np.full(len(block.rows), np.nan)
    looks = to_unit_rows(standardise(pictures.figures))
    pool = looks.mean(axis=0)
    shown = _shrink_looks(*_sum_looks(pictures, looks, pictures.newest(NEWEST_PICTURES)), pool)
    liked, liked_count = _sum_liked(block, pictures, looks)
    own, own_count = _sum_looks(pictures, looks)
    decider = text.code(block.ids("decider"))
    has_liked = liked_count > 0
    taste = _shrink_looks(
        np.where(has_liked[:, None], liked, np.vstack([own, 0 * pool])[decider]),
        np.where(has_liked, liked_count, np.append(own_count, 0)[decider]),
        pool,
    )
    ours = np.vstack([shown, pool])[text.code(block.ids("initiator"))]
    return np.asarray((ours * taste).sum(axis=1))


def _sum_looks(
    pictures: Pictures, looks: FloatArray, which: FlagArray | slice = slice(None)
) -> tuple[FloatArray, FloatArray]:
    """Return each account's sum of looks over (some of) its pictures, and their number."""
    sums = np.column_stack([pictures.add_up(column, which) for column in looks.T])
    return sums, pictures.count(which)


def _sum_liked(
    block: Block, pictures: Pictures, looks: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return for each dyad the sum of looks over the pictures that B liked, and their number."""
    liked = find_liked(block.text, TASTE_KINDS)
    shown = pd.DataFrame({"post": pictures.post, "item": np.arange(len(pictures.post))})
    row, chosen = gather_events(block.pairs, liked.merge(shown, on="post"), len(shown))
    count = np.asarray(chosen.sum(axis=1), dtype=np.float64)
    return np.asarray(chosen @ looks)[row], count[row]


def _shrink_looks(sums: FloatArray, count: FloatArray, pool: FloatArray) -> FloatArray:
    shrunk: FloatArray = (sums + SHRINKAGE * pool) / (count + SHRINKAGE)[:, None]
    return shrunk


FEATURES: dict[str, FeatureFunction] = {
    "initiator_palette_consistency": palette_consistency,
    "initiator_picture_craft": picture_craft,
    "dyad_look_similarity": look_similarity,
    "initiator_picture_edge_density": lambda c: newest_mean(c, "edge_density"),
    "initiator_picture_saturation": lambda c: newest_mean(c, "saturation"),
}

ENTRIES: tuple[Feature, ...] = (
    dated_feature(
        "initiator_palette_consistency",
        "1b",
        1,
        "how alike the colours of the initiator's pictures are",
        "c = mean cosine between the palettes (palette_0 … palette_5) of two different pictures of "
        "the initiator's last 30 (n) before the last 28-day block that ends before t; "
        "(n c + 10 p) / (n + 10), p = Σ n c / Σ n over all accounts with two such pictures or "
        "more; p with fewer than two; missing while nobody has two",
        unit=PER_TENTH,
        tables=("media.palette_0+posts.posted_at",),
        in_snapshots=True,
    ),
    dated_feature(
        "initiator_picture_craft",
        "1b",
        1,
        "craft of the initiator's pictures",
        "mean of log(1 + sharpness), 1 − clipping and log(width · height), each standardised over "
        "all pictures before the last 28-day block that ends before t; its sum over the "
        "initiator's last 30 of them / (their number + 10); 0 without pictures",
        unit=PER_UNIT,
        tables=("media.sharpness+media.clipping+media.width+media.height+posts.posted_at",),
        in_snapshots=True,
        in_model=False,
    ),
    dated_feature(
        "dyad_look_similarity",
        "7b",
        1,
        "likeness of the initiator's pictures to those the decider likes",
        "u = brightness, saturation, colourfulness and palette of a picture, standardised over all "
        "pictures before the last 28-day block that ends before t, as a vector of length one; dot "
        "product of (Σ u + 10 m) / (n + 10) over the initiator's newest nine and over the pictures "
        "of others that the decider liked or saved by then, the initiator's left out (with none: "
        "all the decider's own), m = the mean u of all pictures; missing while nobody has one",
        unit=PER_TENTH,
        tables=(
            "media.palette_0+media.brightness+media.saturation+media.colourfulness+posts.posted_at",
        ),
        in_snapshots=True,
    ),
    dated_feature(
        "initiator_picture_edge_density",
        "7b",
        -1,
        "clutter of the initiator's pictures",
        "(Σ share of edge pixels of the initiator's newest nine pictures before the last 28-day "
        "block that ends before t + 10 p) / (n + 10), p = its mean over all pictures by then; "
        "missing while nobody has one",
        unit=PER_TEN_POINTS,
        tables=("media.edge_density+posts.posted_at",),
        in_snapshots=True,
        in_model=False,
    ),
    dated_feature(
        "initiator_picture_saturation",
        "7b",
        -1,
        "colour saturation of the initiator's pictures",
        "(Σ saturation of the initiator's newest nine pictures before the last 28-day block that "
        "ends before t + 10 p) / (n + 10), p = its mean over all pictures by then; missing while "
        "nobody has one",
        unit=PER_TENTH,
        tables=("media.saturation+posts.posted_at",),
        in_snapshots=True,
        in_model=False,
    ),
)

PRODUCTS: tuple[Product, ...] = ()

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "1b",
        "An initiator whose pictures share one palette is followed back by the decider more often.",
        1,
        ("initiator_palette_consistency",),
        grade="randomised",
        source=AJZENMAN,
    ),
    Claim(
        "7b",
        "An initiator whose pictures resemble those the decider likes is followed back more often.",
        1,
        ("dyad_look_similarity",),
    ),
)
