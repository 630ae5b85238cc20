"""What feeds are said to weigh: likeness to what was liked, quick engagement, formats, views."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.preprocessing import normalize

from followkit.features.blocks import BLOCK_DAYS, Block
from followkit.features.context import FeatureContext, FloatArray
from followkit.features.formats import find_latest, find_premiums, share_films, share_formats
from followkit.features.liking import find_liked, gather_events
from followkit.features.pooling import NOTHING, of_initiators, shrink_to_pool
from followkit.features.texts import ENGAGEMENT_KINDS, FlagArray, TextBlock
from followkit.features.ties import DAY_US, NEVER_US, UNKNOWN_US, to_times
from followkit.text import cosine_of_pairs

HOUR_US = 3_600_000_000
LATEST_POSTS = 10
TERCILES = (1 / 3, 2 / 3)

MeasureFunction = Callable[[TextBlock], FloatArray]


def find_recent(text: TextBlock) -> FlagArray:
    """Return which posts were made in the last 28-day block; all of them in a snapshot."""
    if text.end_us is None:
        return np.ones(len(text.posts), dtype=bool)
    since = text.end_us - BLOCK_DAYS * DAY_US
    return np.asarray(text.posts["posted_us"].to_numpy(np.int64) >= since)


# -- 4a: likeness to what the decider acted on -----------------------------------------------------


def liked_posts_cosine(context: FeatureContext) -> FloatArray:
    """Return the cosine of A's recent posts to the posts of others that B acted on."""
    return context.by_block(_compare_liked, ("initiator", "posts"), ("decider", "interactions"))


def _compare_liked(block: Block) -> FloatArray:
    text = block.text
    liked = find_liked(text, ENGAGEMENT_KINDS).rename(columns={"post": "item"})
    row, did = gather_events(block.pairs, liked, len(text.posts))
    recent = np.flatnonzero(find_recent(text))
    accounts = len(text.ids) + 1
    wrote = sparse.csr_array(
        (np.ones(len(recent)), (text.owner[recent], recent)), shape=(accounts, len(text.posts))
    )
    # A sum has the direction of the mean.
    both = sparse.vstack([normalize(part @ text.vectors) for part in (wrote, did)], format="csr")
    initiator = text.code(block.ids("initiator"))
    return cosine_of_pairs(both, np.where(initiator < 0, accounts - 1, initiator), accounts + row)


# -- 4b: quick, high engagement --------------------------------------------------------------------


def count_first_hour(text: TextBlock) -> FloatArray:
    """Return the reactions of others in each post's first hour; NaN before the hour is over.

    The platform's own figure where any post has one by then (NaN for the others), else counted.
    """
    posted_us = text.posts["posted_us"].to_numpy(np.int64)
    is_over = posted_us + HOUR_US <= (NEVER_US if text.end_us is None else text.end_us)
    figures = text.posts["first_hour_engagement"]
    if figures.notna().any():
        return np.where(is_over, figures.to_numpy(np.float64, na_value=np.nan), np.nan)
    acts = text.acts_on_posts(ENGAGEMENT_KINDS)
    delay_us = acts["at_us"].to_numpy(np.int64) - posted_us[acts["post"]]
    acts = acts[(delay_us >= 0) & (delay_us < HOUR_US)]
    found = np.bincount(acts["post"], acts["amount"].to_numpy(float), len(posted_us))
    return np.where(is_over, found, np.nan)


def find_medians(text: TextBlock, values: FloatArray) -> FloatArray:
    """Return the median of a value over each account's last ten posts with a known one.

    The last entry is the mean of the medians; it also stands for accounts without a known value.
    """
    latest = find_latest(text, ~np.isnan(values), LATEST_POSTS)
    medians = pd.Series(values[latest]).groupby(text.owner[latest]).median()
    usual = medians.mean()
    return np.append(medians.reindex(range(len(text.ids))).fillna(usual).to_numpy(float), usual)


def first_hour_engagement_log(context: FeatureContext) -> FloatArray:
    """Return log(1 + A's median first-hour engagement per 100 followers)."""
    return _per_hundred_followers(context, count_first_hour)


def engagement_rate_log(context: FeatureContext) -> FloatArray:
    """Return log(1 + A's median engagement per 100 followers)."""
    return _per_hundred_followers(context, lambda text: text.engagement)


def _per_hundred_followers(context: FeatureContext, measure: MeasureFunction) -> FloatArray:
    usual = context.by_block(
        lambda block: of_initiators(block, find_medians(block.text, measure(block.text))),
        ("initiator", "posts"),
    )
    followers = context.degrees("initiator")[1]
    return np.log1p(100.0 * usual / np.maximum(followers, 1.0))


def below_median_share(context: FeatureContext) -> FloatArray:
    """Return the share of A's last posts that lie below the median of accounts of A's size."""
    return context.by_block(
        lambda block: of_initiators(block, _share_below(block)), ("initiator", "posts")
    )


def _share_below(block: Block) -> FloatArray:
    """Return the shrunk share for each account, and last that of an account without posts."""
    text = block.text
    latest = find_latest(text, ~np.isnan(text.engagement), LATEST_POSTS)
    owner, gained = text.owner[latest], text.engagement[latest]
    followers = np.append(block.degrees[1], 0)[block.graph.code(text.ids)]
    size = np.searchsorted(np.quantile(followers, TERCILES), followers, side="left")
    is_below = gained < pd.Series(gained).groupby(size[owner]).transform("median").to_numpy()
    below, posts = (
        np.bincount(owner[keep], minlength=len(text.ids)) for keep in (is_below, slice(None))
    )
    return shrink_to_pool(below.astype(np.float64), posts.astype(np.float64), NOTHING)


# -- 4d: favoured formats --------------------------------------------------------------------------


def format_reach(context: FeatureContext) -> FloatArray:
    """Return the sum over formats of A's share times how much further others' posts travel."""
    return context.by_block(_sum_reach, ("initiator", "posts"))


def _sum_reach(block: Block) -> FloatArray:
    text = block.text
    reach = (share_formats(text) * find_premiums(text, find_recent(text))).sum(axis=1)
    return of_initiators(block, np.asarray(reach))


def video_share(context: FeatureContext) -> FloatArray:
    """Return the shrunk share of videos and stories among A's posts."""
    return context.by_block(
        lambda block: of_initiators(block, share_films(block.text)), ("initiator", "posts")
    )


# -- 4e: what the decider has seen -----------------------------------------------------------------


def views_log(context: FeatureContext) -> FloatArray:
    """Return log(1 + B's views of A before t); NaN before anybody's first view."""
    acts = context.library.acts
    is_view = (acts["kind"] == "view").to_numpy(dtype=bool)
    views = acts[is_view & (acts["at_us"].to_numpy() != UNKNOWN_US)].reset_index(drop=True)
    first_us = views["at_us"].min() if len(views) else NEVER_US
    events = views[["actor_id", "target_id", "amount"]].assign(
        at=to_times(views["at_us"].to_numpy())
    )
    counted = context.count_pair_acts("decider", "initiator", acts=events)
    values = np.where(first_us < context.at_us, np.log1p(counted), np.nan)
    return context.where_watched(values, ("decider", "interactions"))
