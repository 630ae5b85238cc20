"""What the townspeople post; none of it depends on who follows or answers whom."""

from __future__ import annotations

import numpy as np
import pandas as pd

from followkit.simulate.draws import Draws, IntArray
from followkit.simulate.people import BROAD, FORMAT_COUNT, MIXED, NICHE, TAGLESS, TRENDY, People
from followkit.simulate.words import (
    BROAD_TAGS,
    ENDINGS,
    FASHIONS,
    SMALL_TALK,
    SUBJECTS,
    TOPICS,
)

WEEK_S = 7 * 86_400
FORMATS = ("image", "text", "video", "carousel", "story", "link")
PURPOSES = ("inform", "entertain", "personal", "promote")
#: Posts and acts begin so long before the first follow, so that something is known of everybody.
LEAD_WEEKS = 8
#: So many accounts bring about one fashion a week.
ACCOUNTS_A_FASHION = 800
#: Copies are taken from so many of the latest posts on the subject.
RECENT_POSTS = 60


def spread_events(
    draws: Draws, expected: np.ndarray, people: People, weeks: int
) -> tuple[IntArray, IntArray]:
    """Return (account, second) of events at a weekly rate, until people go quiet.

    Seconds count from the first follow; before it they are negative.
    """
    counts = draws.counts(np.tile(expected, LEAD_WEEKS + weeks))
    account = np.tile(np.arange(people.count), LEAD_WEEKS + weeks)
    week = np.repeat(np.arange(-LEAD_WEEKS, weeks), people.count)
    counts[week >= people.dormant_from[account]] = 0
    account, week = np.repeat(account, counts), np.repeat(week, counts)
    second = week * WEEK_S + draws.whole(0, WEEK_S, len(account))
    order = np.lexsort((account, second))
    return account[order], second[order]


def make_posts(draws: Draws, people: People, weeks: int, start: np.datetime64) -> pd.DataFrame:
    """Return the posts: mostly about the account's topic, the others about any.

    Some repeat an earlier post on the same subject, said to be a repost or not.
    """
    account, second = spread_events(draws, people.posts_a_week, people, weeks)
    count = len(account)
    strays = draws.chance(0.25, count)
    topic = np.where(strays, draws.whole(0, len(TOPICS), count), people.topic[account])
    source = _find_sources(draws, people, account, topic)
    is_repost = (source >= 0) & draws.chance(0.5, count) & (account[source] != account)
    texts = _write_texts(draws, people, account, topic)
    tags = _choose_tags(draws, people, account, topic, second // WEEK_S + LEAD_WEEKS)
    for row, origin in zip(np.flatnonzero(source >= 0), source[source >= 0], strict=True):
        texts[row] = texts[origin]
    promotes = draws.chance(people.promoting[account], count)
    usual = draws.chance(0.6, count)
    any_format = draws.whole(0, FORMAT_COUNT, count)
    original = pd.Series(np.where(is_repost, source + 1, 0), dtype="Int64")
    author = pd.Series(np.where(is_repost, account[source] + 1, 0), dtype="Int64")
    return pd.DataFrame(
        {
            "post_id": np.arange(1, count + 1),
            "account_id": account + 1,
            "posted_at": start + second.astype("timedelta64[s]"),
            "text": texts,
            "language": np.array(["en", "es", "de"])[people.language[account]],
            "hashtags": tags,
            "format": np.array(FORMATS)[np.where(usual, people.format[account], any_format)],
            "purpose": np.array(PURPOSES)[np.where(promotes, 3, draws.whole(0, 3, count))],
            "is_repost": is_repost,
            "original_post_id": original.where(is_repost),
            "original_account_id": author.where(is_repost),
            "is_promotional": promotes,
        }
    )


def _find_sources(draws: Draws, people: People, account: IntArray, topic: IntArray) -> IntArray:
    """Return for each post the earlier one of its subject and language that it repeats, or −1."""
    copies = draws.chance(people.copying[account], len(account))
    level = draws.uniform(len(account))
    source = np.full(len(account), -1, dtype=np.int64)
    subject = topic * 8 + people.language[account]
    for number in np.unique(subject):
        rows = np.flatnonzero(subject == number)
        place = np.arange(len(rows))
        back = 1 + np.floor(level[rows] * np.minimum(place, RECENT_POSTS)).astype(np.int64)
        found = copies[rows] & (place > 0)
        source[rows[found]] = rows[(place - back)[found]]
    return source


def _write_texts(draws: Draws, people: People, account: IntArray, topic: IntArray) -> list[str]:
    words = [[part.split() for part in parts] for _, parts in SUBJECTS]
    talk = [part.split() for part in SMALL_TALK]
    picks = draws.whole(0, 1_000_003, len(topic) * 6).reshape(-1, 6)
    language, ending = people.language[account], people.ending[account]
    columns = (column.tolist() for column in (topic, language, ending, picks))
    texts = []
    for number, tongue, last, pick in zip(*columns, strict=True):
        own, small = words[number][tongue], talk[tongue]
        chosen = [own[place % len(own)] for place in pick[:4]]
        chosen += [small[place % len(small)] for place in pick[4:]]
        texts.append(" ".join(chosen) + ENDINGS[last])
    return texts


def _choose_tags(
    draws: Draws, people: People, account: IntArray, topic: IntArray, week: IntArray
) -> list[str]:
    """Return each post's hashtags: up to two of the kinds that its author uses."""
    count = len(account)
    style = people.tag_style[account]
    wanted = np.where(style == TAGLESS, draws.chance(0.1, count), draws.whole(0, 3, count))
    fashions = max(people.count // ACCOUNTS_A_FASHION, 1)
    kinds = np.where(draws.chance(0.5, 2 * count).reshape(2, -1), NICHE, TRENDY)
    kinds = np.where(style == MIXED, kinds, np.where(style == TAGLESS, BROAD, style))
    picks = draws.whole(0, 1_000_003, 2 * count).reshape(2, -1)
    columns = [wanted, topic, week, people.niche[account], *kinds, *picks]
    tags = []
    for number, subject, now, niche, *rest in zip(*(one.tolist() for one in columns), strict=True):
        chosen = []
        for kind, pick in zip(rest[:number], rest[2 : 2 + number], strict=True):
            if kind == NICHE:
                chosen.append(f"{SUBJECTS[subject][0]}{niche + 1}")
            elif kind == TRENDY:
                chosen.append(f"{FASHIONS[pick % fashions % len(FASHIONS)]}{now + 1}")
            else:
                chosen.append((*BROAD_TAGS, SUBJECTS[subject][0])[pick % (len(BROAD_TAGS) + 1)])
        tags.append(" ".join(dict.fromkeys(chosen)))
    return tags
