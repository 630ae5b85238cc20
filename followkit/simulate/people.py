"""The people of the town: what they care about, how well known and how busy they are, and habits.

Everything about a person is drawn before anybody posts or follows. Several traits go together on
purpose: these are the traps that a naive analysis falls into.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from followkit.simulate.draws import Draws, FloatArray, IntArray
from followkit.simulate.words import LANGUAGES, PLACES, SUBJECTS, TOPICS

BOT_SHARE, BUSINESS_SHARE, CREATOR_SHARE, DORMANT_SHARE = 0.06, 0.05, 0.09, 0.12
PERSON, CREATOR, BUSINESS, BOT = 0, 1, 2, 3
CIRCLE_SIZE, QUARTER_SIZE = 12, 20
#: How one uses hashtags: hardly, broad ones, those of a niche, those in fashion, niche and fashion.
TAGLESS, BROAD, NICHE, TRENDY, MIXED = 0, 1, 2, 3, 4
STYLE_WEIGHTS = np.array([1.5, 2.0, 2.0, 2.0, 2.5])
NICHES = 12
FORMAT_COUNT = 6


@dataclass(frozen=True)
class People:
    """Arrays with one entry an account; its code is its place, its id the code plus one.

    Attributes
    ----------
    topic, taste
        What an account posts about, and what it likes and follows.
    quarter
        Who lives near whom: circles are made of neighbours.
    popularity
        How much attention it gets, in proportion.
    posts_a_week, acts_a_week, follows_a_week
        Expected numbers; 0 from the week `dormant_from` on.
    circle
        Accounts to whom it returns, one row an account.
    copying, generic, replying, promoting
        Shares: of its posts that repeat another's, of its comments that fit any post, of comments
        on its posts that it answers, of its posts that promote.
    tag_style, niche, format, ending
        Habits of hashtags, of format, and of how a post ends.
    """

    topic: IntArray
    taste: IntArray
    quarter: IntArray
    language: IntArray
    kind: IntArray
    popularity: FloatArray
    posts_a_week: FloatArray
    acts_a_week: FloatArray
    follows_a_week: FloatArray
    dormant_from: IntArray
    circle: IntArray
    copying: FloatArray
    generic: FloatArray
    replying: FloatArray
    promoting: FloatArray
    tag_style: IntArray
    niche: IntArray
    format: IntArray
    ending: IntArray

    @property
    def count(self) -> int:
        """Number of accounts."""
        return len(self.topic)

    @property
    def is_bot(self) -> np.ndarray:
        """Which accounts are bots."""
        return self.kind == BOT


def make_people(draws: Draws, count: int, weeks: int, follows_a_week: float) -> People:
    """Draw the people.

    Popularity is heavy-tailed, and popular people also post more and copy less: to tell what helps,
    an analysis has to hold the others equal. Bots follow many, post a lot about deals that nobody
    else cares for, copy, and comment in phrases that fit any post. Businesses promote.
    """
    topic = draws.whole(0, len(TOPICS), count)
    # Two of five like something else than what they post about.
    taste = np.where(draws.chance(0.4, count), draws.whole(0, len(TOPICS), count), topic)
    quarters = max(count // (len(TOPICS) * QUARTER_SIZE), 1)
    quarter = draws.whole(0, quarters, count)
    language = draws.pick(np.array([0.7, 0.15, 0.15])[: len(LANGUAGES)], count)
    kind = _draw_kinds(draws, count)
    reach = np.minimum((1 - draws.uniform(count)) ** -0.7, 60.0)
    popularity = reach * np.choose(kind, [1.0, 4.0, 6.0, 0.3])
    busy = np.exp(0.8 * draws.normal(count))
    posts = 0.12 * busy * popularity**0.35 * np.choose(kind, [1.0, 2.0, 1.5, 5.0])
    acts = 0.36 * np.exp(0.9 * draws.normal(count)) * np.choose(kind, [1.0, 1.4, 0.5, 6.0])
    follows = np.exp(0.7 * draws.normal(count)) * np.choose(kind, [1.0, 0.9, 0.3, 5.0])
    dormant = draws.chance(DORMANT_SHARE, count) & (kind == PERSON)
    is_bot = kind == BOT
    topic = np.where(is_bot, len(TOPICS), topic)
    copying = _share(draws, -1.3 - 0.5 * np.log(popularity) + 3.0 * is_bot, 2.0)
    return People(
        topic=topic,
        taste=taste,
        quarter=quarter,
        language=language,
        kind=kind,
        popularity=popularity,
        posts_a_week=np.minimum(posts, 12.0),
        acts_a_week=np.minimum(acts, 20.0),
        follows_a_week=follows_a_week * np.minimum(follows / follows.mean(), 25.0),
        dormant_from=np.where(dormant, draws.whole(4, weeks, count), weeks + 1),
        circle=_draw_circles(
            draws, topic * quarters + quarter, taste * quarters + quarter, popularity
        ),
        copying=copying,
        generic=np.where(is_bot, 1.0, _share(draws, np.full(count, -0.8), 1.5)),
        replying=np.where(is_bot, 0.0, _share(draws, -1.0 + 1.2 * (kind == CREATOR), 1.2)),
        promoting=np.where(kind == BUSINESS, 0.6, np.where(draws.chance(0.1, count), 0.3, 0.03)),
        tag_style=np.where(is_bot, TRENDY, draws.pick(STYLE_WEIGHTS, count)),
        niche=draws.whole(0, NICHES, count),
        format=draws.pick(np.array([5, 3, 2, 1.5, 1, 0.5]), count),
        ending=draws.whole(0, 4, count),
    )


def _share(draws: Draws, centre: FloatArray, spread: float) -> FloatArray:
    """Draw shares between 0 and 1 whose log odds are normal."""
    return np.round(1 / (1 + np.exp(-(centre + spread * draws.normal(len(centre))))), 9)


def _draw_kinds(draws: Draws, count: int) -> IntArray:
    level = draws.uniform(count)
    steps = np.cumsum([BOT_SHARE, BUSINESS_SHARE, CREATOR_SHARE])
    return np.array([BOT, BUSINESS, CREATOR, PERSON])[np.searchsorted(steps, level, side="right")]


def _draw_circles(
    draws: Draws, home: IntArray, wanted: IntArray, popularity: FloatArray
) -> IntArray:
    """Draw for each account a few neighbours to its taste, to whom it returns."""
    every = np.repeat(wanted, CIRCLE_SIZE)
    return pick_within(draws, home, popularity, every).reshape(-1, CIRCLE_SIZE)


def pick_within(
    draws: Draws, group: IntArray, popularity: FloatArray, wanted: IntArray
) -> IntArray:
    """Draw for each wanted group one of its accounts, in proportion to popularity.

    Where nobody belongs to a group, anybody.
    """
    picked = np.zeros(len(wanted), dtype=np.int64)
    for number in np.unique(wanted):
        same, rows = np.flatnonzero(group == number), np.flatnonzero(wanted == number)
        same = same if len(same) else np.arange(len(group))
        picked[rows] = same[draws.pick(popularity[same], len(rows))]
    return picked


def make_accounts(draws: Draws, people: People, read_at: np.datetime64) -> pd.DataFrame:
    """Return the table of accounts, as it was read at a moment."""
    count = people.count
    topics = np.array([name for name, _ in SUBJECTS])[people.topic]
    words = np.array(["", "studio", "shop", "daily"])
    handle = [
        f"{topic}{words[kind]}{code + 1}"
        for code, (topic, kind) in enumerate(zip(topics, people.kind, strict=True))
    ]
    age_days = draws.whole(90, 2_500, count)
    places = np.array(PLACES)
    place = places[people.language, draws.whole(0, places.shape[1], count)]
    # Neighbours tend to agree, and most say where they stand.
    is_for = draws.chance(np.where(people.quarter % 2 == 0, 0.7, 0.3), count)
    has_trade = (people.kind == BUSINESS) | (people.kind == CREATOR)
    return pd.DataFrame(
        {
            "account_id": np.arange(1, count + 1),
            "handle": handle,
            "display_name": [text.title() for text in handle],
            "bio": [f"{word} in {town}" for word, town in zip(topics, place, strict=True)],
            "has_picture": draws.chance(np.where(people.is_bot, 0.5, 0.93), count),
            "language": np.array(LANGUAGES)[people.language],
            "category": np.where(has_trade, topics, ""),
            "created_at": read_at - age_days.astype("timedelta64[D]"),
            "counts_at": read_at,
            "is_verified": (people.popularity > 25) & ~people.is_bot,
            "is_business": people.kind == BUSINESS,
            "is_creator": people.kind == CREATOR,
            "is_private": draws.chance(0.08, count) & (people.kind == PERSON),
            "location": place,
            "stance": np.where(draws.chance(0.85, count), np.where(is_for, "for", "against"), ""),
        }
    )
