"""The people of the town: what they care about, how well known and how busy they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from followkit.simulate.draws import Draws, FloatArray, IntArray
from followkit.simulate.words import LANGUAGES, TOPICS

BOT_SHARE, BUSINESS_SHARE, CREATOR_SHARE, DORMANT_SHARE = 0.06, 0.05, 0.09, 0.12
CIRCLE_SIZE = 12


@dataclass(frozen=True)
class People:
    """Arrays with one entry an account; its code is its place, its id the code plus one."""

    topic: IntArray
    language: IntArray
    kind: IntArray
    popularity: FloatArray
    posts_a_week: FloatArray
    acts_a_week: FloatArray
    follows_a_week: FloatArray
    dormant_from: IntArray
    circle: IntArray

    @property
    def count(self) -> int:
        """Number of accounts."""
        return len(self.topic)

    @property
    def is_bot(self) -> np.ndarray:
        """Which accounts are bots."""
        return self.kind == BOT


PERSON, CREATOR, BUSINESS, BOT = 0, 1, 2, 3


def make_people(draws: Draws, count: int, weeks: int, follows_a_week: float) -> People:
    """Draw the people.

    Popularity is heavy-tailed, and popular people also post more: an association without effect
    that a naive analysis mistakes for one. Bots follow many, post a lot, and about anything.
    """
    topic = draws.whole(0, len(TOPICS), count)
    language = draws.pick(np.array([0.7, 0.15, 0.15])[: len(LANGUAGES)], count)
    kind = _draw_kinds(draws, count)
    reach = np.minimum((1 - draws.uniform(count)) ** -0.7, 60.0)
    popularity = reach * np.choose(kind, [1.0, 4.0, 6.0, 0.3])
    busy = np.exp(0.8 * draws.normal(count))
    posts = 0.12 * busy * popularity**0.35 * np.choose(kind, [1.0, 2.0, 1.5, 3.0])
    acts = 0.42 * np.exp(0.9 * draws.normal(count)) * np.choose(kind, [1.0, 1.4, 0.5, 2.0])
    follows = np.exp(0.7 * draws.normal(count)) * np.choose(kind, [1.0, 0.9, 0.3, 5.0])
    dormant = draws.chance(DORMANT_SHARE, count) & (kind == PERSON)
    dormant_from = np.where(dormant, draws.whole(4, weeks, count), weeks + 1)
    return People(
        topic, language, kind, popularity, np.minimum(posts, 12.0), np.minimum(acts, 20.0),
        follows_a_week * np.minimum(follows / follows.mean(), 25.0), dormant_from,
        _draw_circles(draws, topic, popularity),
    )  # fmt: skip


def _draw_kinds(draws: Draws, count: int) -> IntArray:
    level = draws.uniform(count)
    steps = np.cumsum([BOT_SHARE, BUSINESS_SHARE, CREATOR_SHARE])
    return np.array([BOT, BUSINESS, CREATOR, PERSON])[np.searchsorted(steps, level, side="right")]


def _draw_circles(draws: Draws, topic: IntArray, popularity: FloatArray) -> IntArray:
    """Draw for each account a few others of its topic, to whom it returns."""
    wanted = np.repeat(topic, CIRCLE_SIZE)
    return pick_within(draws, topic, popularity, wanted).reshape(-1, CIRCLE_SIZE)


def pick_within(
    draws: Draws, topic: IntArray, popularity: FloatArray, wanted: IntArray
) -> IntArray:
    """Draw for each wanted topic one of its accounts, in proportion to popularity."""
    picked = np.zeros(len(wanted), dtype=np.int64)
    for number in np.unique(wanted):
        same, rows = np.flatnonzero(topic == number), np.flatnonzero(wanted == number)
        picked[rows] = same[draws.pick(popularity[same], len(rows))]
    return picked


def make_accounts(draws: Draws, people: People, start: np.datetime64) -> pd.DataFrame:
    """Return the table of accounts."""
    count = people.count
    names = np.array([name for name, _ in TOPICS])
    words = np.array(["", "studio", "shop", "daily"])
    handle = [
        f"{names[topic]}{words[kind]}{code + 1}"
        for code, (topic, kind) in enumerate(zip(people.topic, people.kind, strict=True))
    ]
    age_days = draws.whole(30, 2_500, count)
    has_bio = draws.chance(np.where(people.is_bot, 0.3, 0.8), count)
    bio = [f"{word} and more" if told else "" for word, told in
           zip(names[people.topic], has_bio, strict=True)]  # fmt: skip
    return pd.DataFrame(
        {
            "account_id": np.arange(1, count + 1),
            "handle": handle,
            "display_name": [text.title() for text in handle],
            "bio": bio,
            "has_picture": draws.chance(np.where(people.is_bot, 0.5, 0.93), count),
            "language": np.array(LANGUAGES)[people.language],
            "category": np.where(people.kind == BUSINESS, names[people.topic], ""),
            "created_at": start - age_days.astype("timedelta64[D]"),
            "is_verified": (people.popularity > 25) & ~people.is_bot,
            "is_business": people.kind == BUSINESS,
            "is_creator": people.kind == CREATOR,
            "is_private": draws.chance(0.08, count) & (people.kind == PERSON),
        }
    )
