"""What the townspeople post and do to one another; none of it depends on who answers whom."""

from __future__ import annotations

import numpy as np
import pandas as pd

from followkit.simulate.draws import Draws, IntArray
from followkit.simulate.people import BUSINESS, People
from followkit.simulate.words import BOT_COMMENTS, COMMENTS, SMALL_TALK, TOPICS

WEEK_S = 7 * 86_400
FORMATS = ("image", "text", "video", "carousel", "story", "link")
PURPOSES = ("inform", "entertain", "personal", "promote")
KINDS = ("like", "comment", "mention", "share")


def _spread(
    draws: Draws, expected: np.ndarray, people: People, weeks: int
) -> tuple[IntArray, IntArray]:
    """Return (account, second) of events at a weekly rate, until people go quiet."""
    counts = draws.counts(np.tile(expected, weeks))
    account = np.tile(np.arange(people.count), weeks)
    week = np.repeat(np.arange(weeks), people.count)
    counts[week >= people.dormant_from[account]] = 0
    account, week = np.repeat(account, counts), np.repeat(week, counts)
    second = week * WEEK_S + draws.whole(0, WEEK_S, len(account))
    order = np.lexsort((account, second))
    return account[order], second[order]


def make_posts(draws: Draws, people: People, weeks: int, start: np.datetime64) -> pd.DataFrame:
    """Return the posts: mostly about the account's topic; a bot's about anything."""
    account, second = _spread(draws, people.posts_a_week, people, weeks)
    count = len(account)
    strays = draws.chance(np.where(people.is_bot[account], 1.0, 0.25), count)
    topic = np.where(strays, draws.whole(0, len(TOPICS), count), people.topic[account])
    texts, tags = _write(draws, topic, people.language[account])
    promotes = draws.chance(np.where(people.kind[account] == BUSINESS, 0.6, 0.05), count)
    purpose = np.where(promotes, 3, draws.whole(0, 3, count))
    return pd.DataFrame(
        {
            "post_id": np.arange(1, count + 1),
            "account_id": account + 1,
            "posted_at": start + second.astype("timedelta64[s]"),
            "text": texts,
            "language": np.array(["en", "es", "de"])[people.language[account]],
            "hashtags": tags,
            "format": np.array(FORMATS)[draws.pick(np.array([5, 3, 2, 1.5, 1, 0.5]), count)],
            "purpose": np.array(PURPOSES)[purpose],
            "is_repost": draws.chance(np.where(people.is_bot[account], 0.5, 0.08), count),
            "is_promotional": promotes,
        }
    )


def _write(draws: Draws, topic: IntArray, language: IntArray) -> tuple[list[str], list[str]]:
    words = [[part.split() for part in parts] for _, parts in TOPICS]
    talk = [part.split() for part in SMALL_TALK]
    picks = draws.whole(0, 1_000_003, len(topic) * 7).reshape(-1, 7)
    texts, tags = [], []
    for number, tongue, pick in zip(topic.tolist(), language.tolist(), picks.tolist(), strict=True):
        own, small = words[number][tongue], talk[tongue]
        chosen = [own[place % len(own)] for place in pick[:4]]
        texts.append(" ".join([*chosen, *(small[place % len(small)] for place in pick[4:6])]))
        tags.append(" ".join(dict.fromkeys(chosen[: pick[6] % 3])))
    return texts, tags


def make_interactions(
    draws: Draws, people: People, posts: pd.DataFrame, weeks: int, start: np.datetime64
) -> pd.DataFrame:
    """Return acts: half of them towards a small circle, to whom people return."""
    actor, second = _spread(draws, people.acts_a_week, people, weeks)
    count = len(actor)
    place = draws.whole(0, people.circle.shape[1], count)
    anyone = draws.pick(people.popularity, count)
    close = draws.chance(np.where(people.is_bot[actor], 0.1, 0.6), count)
    target = np.where(close, people.circle[actor, place], anyone)
    kept = actor != target
    actor, target, second = actor[kept], target[kept], second[kept]
    count = len(actor)
    kind = draws.pick(np.array([6, 2.5, 0.8, 0.7]), count)
    at = start + second.astype("timedelta64[s]")
    return pd.DataFrame(
        {
            "interaction_id": np.arange(1, count + 1),
            "actor_id": actor + 1,
            "target_id": target + 1,
            "kind": np.array(KINDS)[kind],
            "at": at,
            "post_id": _last_posts(posts, target + 1, at),
            "text": _comment(draws, people, actor, target, kind == 1),
        }
    )


def _last_posts(posts: pd.DataFrame, account: IntArray, at: np.ndarray) -> pd.Series:
    """Return the newest post of the account before each moment, where there is one."""
    acts = pd.DataFrame({"account_id": account, "at": at, "row": np.arange(len(at))})
    found = pd.merge_asof(
        acts.sort_values("at", kind="stable"),
        posts[["account_id", "posted_at", "post_id"]].sort_values("posted_at", kind="stable"),
        left_on="at", right_on="posted_at", by="account_id", allow_exact_matches=False,
    )  # fmt: skip
    return found.set_index("row")["post_id"].sort_index().astype("Int64").reset_index(drop=True)


def _comment(
    draws: Draws, people: People, actor: IntArray, target: IntArray, says: np.ndarray
) -> list[str]:
    picks = draws.whole(0, 1_000_003, len(actor))
    bots = people.is_bot[actor]
    texts = []
    topics = people.topic[target]
    columns = (column.tolist() for column in (picks, bots, topics, says))
    for pick, bot, topic, spoken in zip(*columns, strict=True):
        words = TOPICS[topic][1][0].split()
        if not spoken:
            texts.append("")
        elif bot:
            texts.append(BOT_COMMENTS[pick % len(BOT_COMMENTS)])
        else:
            texts.append(COMMENTS[pick % len(COMMENTS)].format(word=words[pick % len(words)]))
    return texts
