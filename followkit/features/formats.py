"""Posts of an account: the latest ones, the formats they come in, and how far a format travels."""

from __future__ import annotations

import numpy as np
import pandas as pd

from followkit.features.records import SHRINKAGE
from followkit.features.texts import FlagArray, FloatArray, IntArray, TextBlock
from followkit.schema import FORMATS

#: In the order of the alphabet, which decides between formats that are used equally often.
FORMAT_NAMES = tuple(sorted(FORMATS))
#: What other formats are compared with: pictures that stand still, and text.
STILLS = ("image", "text")
FILMS = ("story", "video")


def _places(names: tuple[str, ...]) -> list[int]:
    return [FORMAT_NAMES.index(name) for name in names]


def find_latest(text: TextBlock, known: FlagArray, count: int) -> IntArray:
    """Return the places in `text.posts` of each account's last `count` posts among the known."""
    places = np.flatnonzero(known)
    owner = pd.Series(text.owner[places])
    is_latest = owner.groupby(owner).cumcount(ascending=False) < count
    return places[is_latest.to_numpy(dtype=bool)]


def find_formats(text: TextBlock) -> IntArray:
    """Return the place of each post's format in `FORMAT_NAMES`; −1 where it is not known."""
    if "format" not in text.posts:
        return np.full(len(text.posts), -1, dtype=np.int64)
    return np.asarray(pd.Index(FORMAT_NAMES).get_indexer(text.posts["format"]), dtype=np.int64)


def _sum_by_format(
    text: TextBlock, keep: FlagArray, weights: FloatArray | None = None
) -> FloatArray:
    """Return sums over posts, accounts × formats; the last row (zeros) is for other accounts."""
    width, rows = len(FORMAT_NAMES), len(text.ids) + 1
    cell = text.owner[keep] * width + find_formats(text)[keep]
    chosen = None if weights is None else weights[keep]
    return np.bincount(cell, chosen, rows * width).astype(np.float64).reshape(rows, width)


def count_formats(text: TextBlock) -> FloatArray:
    """Return how many posts of each account have each format (a last row of zeros: no posts)."""
    found: FloatArray = text.cached(
        "format_counts", lambda: _sum_by_format(text, find_formats(text) >= 0)
    )
    return found


def share_formats(text: TextBlock) -> FloatArray:
    """Return each account's shares of the formats, (n_f + 10 p_f) / (n + 10); rows add up to 1.

    p_f is the share among the posts of all accounts. NaN where no post has a known format.
    """
    used = count_formats(text)
    total = used.sum()
    pooled = used.sum(axis=0) / total if total else np.full(len(FORMAT_NAMES), np.nan)
    return np.asarray((used + SHRINKAGE * pooled) / (used.sum(axis=1)[:, None] + SHRINKAGE))


def share_films(text: TextBlock) -> FloatArray:
    """Return each account's share of videos and stories, shrunk (last: an account without posts).

    Examples
    --------
    >>> from followkit.features.texts import Library
    >>> from followkit.tables import make_dataset
    >>> formats = {"post_id": [1, 2], "account_id": ["a", "b"], "format": ["text", "video"]}
    >>> follows = pd.DataFrame({"follower_id": ["a"], "followee_id": ["b"]})
    >>> data = make_dataset({"follows": follows, "posts": pd.DataFrame(formats)})
    >>> text = Library(data).block(None)
    >>> share_films(text).round(3).tolist()
    [0.455, 0.545, 0.5]
    """
    return np.asarray(share_formats(text)[:, _places(FILMS)].sum(axis=1))


def share_main_format(text: TextBlock, codes: IntArray, others: IntArray) -> FloatArray:
    """Return the share of one account's posts in the format that another one uses most.

    Parameters
    ----------
    text
        The posts.
    codes, others
        Codes of the accounts in `text`, −1 without posts. For another one without a format, the
        commonest format of all posts is taken.
    """
    used = count_formats(text)
    is_told = used[others].sum(axis=1) > 0
    main = np.where(is_told, used[others].argmax(axis=1), used.sum(axis=0).argmax())
    return np.asarray(share_formats(text)[codes, main])


def find_premiums(text: TextBlock, recent: FlagArray) -> FloatArray:
    """Return for each account how much further the posts of others travel in each format.

    log(1 + m_f) − log(1 + m_0): m_f is the mean engagement of recent posts of others in format f,
    m_0 that of their image and text posts together. Both are shrunk to the mean m over all
    formats, (sum + 10 m) / (n + 10). 0 for image and text.
    """
    keep = recent & (find_formats(text) >= 0) & ~np.isnan(text.engagement)
    gained, count = (_sum_by_format(text, keep, how) for how in (text.engagement, None))
    gained, count = gained.sum(axis=0) - gained, count.sum(axis=0) - count
    posts = count.sum(axis=1)[:, None]
    usual = np.divide(gained.sum(axis=1)[:, None], posts, out=np.zeros_like(posts), where=posts > 0)
    stills = _places(STILLS)
    base = [part[:, stills].sum(axis=1)[:, None] for part in (gained, count)]
    levels = [
        np.log1p((total + SHRINKAGE * usual) / (size + SHRINKAGE))
        for total, size in ((gained, count), base)
    ]
    premiums = levels[0] - levels[1]
    premiums[:, stills] = 0.0
    return np.asarray(premiums)
