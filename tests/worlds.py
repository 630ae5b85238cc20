"""Small random worlds: all tables, in the three kinds of data that followkit knows.

Times fall on a coarse grid on purpose, so that events at the very moment of a follow occur and
"strictly before" is put to the test.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from followkit.dyads import DyadSet, make_dyads
from followkit.tables import Dataset, make_dataset

START = pd.Timestamp("2026-01-01", tz="UTC")
GRID = pd.Timedelta(hours=6)
QUESTIONS = {"timed": "follow_back", "crawl": "late_answer", "snapshot": "mutuality"}
WORDS = ("light", "lens", "chart", "model", "garden", "bread", "river", "tram", "chess", "ink")
#: The account that posts more than the others, and only to promote.
BUSY = 2
KINDS = ("like", "comment", "reply", "mention", "share", "save", "message", "view", "block")


@dataclass(frozen=True)
class World:
    """A dataset with the dyads of its question."""

    mode: str
    dataset: Dataset
    dyads: DyadSet


def at(steps: np.ndarray | int) -> pd.Series | pd.Timestamp:
    """Return the moment(s) so many grid steps after the start."""
    if np.isscalar(steps):
        return START + int(steps) * GRID
    return pd.Series(START + pd.to_timedelta(np.asarray(steps) * 6, unit="h"))


def watch(
    ids: Iterable[str], since: pd.Timestamp, until: pd.Timestamp, *tables: str
) -> pd.DataFrame:
    """Return an observation in which these accounts' tables are watched from beginning to end."""
    rows = [(who, table, since, until, True, True) for who in ids for table in tables]
    columns = ["account_id", "table_name", "observed_from_at", "observed_until_at",
               "list_is_complete", "sees_unfollows"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def make_pairs(rng: np.random.Generator, accounts: int, count: int) -> np.ndarray:
    """Return distinct unordered pairs in random orientation; some accounts are sought more."""
    pull = 1.0 / np.arange(1, accounts + 1) ** 0.5
    pull /= pull.sum()
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for _ in range(count * 6):
        source, target = int(rng.integers(accounts)), int(rng.choice(accounts, p=pull))
        if source != target:
            found.setdefault((min(source, target), max(source, target)), (source, target))
        if len(found) == count:
            break
    return np.array(list(found.values()), dtype=np.int64).reshape(-1, 2)


def make_timed_follows(
    rng: np.random.Generator, pairs: np.ndarray, steps: int, chance: float, first_delay: int
) -> pd.DataFrame:
    """Return first follows, answers by a coin, unfollows, and a few follows that come again."""
    first = rng.integers(0, steps, len(pairs))
    answered = rng.random(len(pairs)) < chance
    delay = rng.integers(first_delay, 60, len(pairs))
    ties = pd.DataFrame({"follower_id": pairs[:, 0], "followee_id": pairs[:, 1], "start": first})
    back = pd.DataFrame(
        {"follower_id": pairs[:, 1], "followee_id": pairs[:, 0], "start": first + delay}
    )[answered]
    ties = pd.concat([ties, back], ignore_index=True)
    gone = rng.random(len(ties)) < 0.2
    end = ties["start"] + rng.integers(1, 80, len(ties))
    again = ties[gone].head(3).assign(start=end[gone].head(3) + 4)
    spans = pd.concat([ties, again], ignore_index=True)
    stop = np.concatenate([np.where(gone, end, -1), np.full(len(again), -1)])
    return pd.DataFrame(
        {
            "follower_id": spans["follower_id"],
            "followee_id": spans["followee_id"],
            "followed_at": at(spans["start"].to_numpy()),
            "unfollowed_at": at(np.maximum(stop, 0)).where(stop >= 0),
        }
    )


def make_crawled_follows(
    rng: np.random.Generator, pairs: np.ndarray, crawls: tuple[int, int], chance: float
) -> pd.DataFrame:
    """Return ties of two crawls: standing, answered in between, and gone in between."""
    early, late = at(crawls[0]), at(crawls[1])
    is_new = rng.random(len(pairs)) < 0.2
    rows = []
    for (source, target), new in zip(pairs.tolist(), is_new, strict=True):
        seen, gone = (late if new else early), (not new and rng.random() < 0.15)
        rows.append((source, target, early if new else None, seen, gone))
        if rng.random() < chance:
            at_once = not new and rng.random() < 0.5
            rows.append(
                (target, source, None if at_once else early, early if at_once else late, False)
            )
    follower, followee, after, before, gone = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "follower_id": follower,
            "followee_id": followee,
            "followed_after_at": pd.to_datetime(list(after), utc=True),
            "followed_before_at": pd.to_datetime(list(before), utc=True),
            "unfollowed_after_at": pd.to_datetime([early if g else None for g in gone], utc=True),
            "unfollowed_before_at": pd.to_datetime([late if g else None for g in gone], utc=True),
        }
    )


def make_follows(
    rng: np.random.Generator,
    mode: str,
    pairs: np.ndarray,
    accounts: int,
    steps: int,
    chance: float,
    first_delay: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return follows and the observation of follow lists, of one mode."""
    crawls = (steps // 2, steps)
    if mode == "timed":
        follows = make_timed_follows(rng, pairs, steps, chance, first_delay)
        spans = [(0, steps + 200)]
    elif mode == "crawl":
        follows = make_crawled_follows(rng, pairs, crawls, chance)
        spans = [(crawls[0], crawls[0]), (crawls[1], crawls[1])]
    else:
        # Whichever way a lone tie points must be chance as well, or its direction tells.
        turned = rng.random(len(pairs)) < 0.5
        pairs = np.where(turned[:, None], pairs[:, ::-1], pairs)
        back = pairs[rng.random(len(pairs)) < chance][:, ::-1]
        both = np.concatenate([pairs, back])
        follows = pd.DataFrame({"follower_id": both[:, 0], "followee_id": both[:, 1]})
        spans = []
    rows = [
        (account, "follows", at(begin), at(end), True)
        for account in range(accounts)
        for begin, end in spans
    ]
    columns = [
        "account_id",
        "table_name",
        "observed_from_at",
        "observed_until_at",
        "list_is_complete",
    ]
    return follows, pd.DataFrame(rows, columns=columns)


def make_posts(rng: np.random.Generator, accounts: int, count: int, steps: int) -> pd.DataFrame:
    """Return posts with words, hashtags and languages; the last account never posts."""
    author = rng.integers(0, max(accounts - 1, 1), count)
    author[: count // 5] = min(BUSY, max(accounts - 2, 0))
    texts = [" ".join(rng.choice(WORDS, 4)) for _ in range(count)]
    tags = [
        " ".join(rng.choice(["art", "data", "city", "tea"], rng.integers(0, 3), replace=False))
        for _ in range(count)
    ]
    return pd.DataFrame(
        {
            "post_id": [f"p{number}" for number in range(count)],
            "account_id": author,
            "posted_at": at(rng.integers(-40 * 4, steps + 40, count)),
            "text": texts,
            "hashtags": [tag or None for tag in tags],
            "language": rng.choice(["en", "de"], count),
        }
    )


def make_interactions(
    rng: np.random.Generator, accounts: int, count: int, steps: int
) -> pd.DataFrame:
    """Return acts of all kinds; every fifth carries no time."""
    moments = at(rng.integers(-40 * 4, steps + 40, count)).where(rng.random(count) > 0.2)
    return pd.DataFrame(
        {
            "actor_id": rng.integers(0, accounts, count),
            "target_id": rng.integers(0, accounts, count),
            "kind": rng.choice(KINDS, count),
            "at": moments,
            "count": pd.array(np.where(rng.random(count) < 0.1, 2, 1), dtype="Int64"),
        }
    )


def make_tables(
    seed: int,
    mode: str,
    *,
    accounts: int = 12,
    pair_count: int = 40,
    steps: int = 600,
    chance: float = 0.5,
    post_count: int = 80,
    act_count: int = 250,
    watches_posts: bool = True,
    first_delay: int = 0,
) -> dict[str, pd.DataFrame]:
    """Return the raw canonical tables of a small random world."""
    rng = np.random.default_rng(seed)
    pairs = make_pairs(rng, accounts, pair_count)
    follows, seen = make_follows(rng, mode, pairs, accounts, steps, chance, first_delay)
    ids = np.arange(accounts)
    profiles = pd.DataFrame(
        {
            "account_id": ids,
            "bio": [" ".join(rng.choice(WORDS, 3)) if who % 5 else None for who in ids],
            "category": [str(rng.choice(["art", "food"])) if who % 4 else None for who in ids],
        }
    )
    counts = pd.DataFrame(
        {
            "account_id": np.repeat(ids, 3),
            "counts_at": at(np.tile([-20, steps // 3, steps], accounts)),
            "follower_count": rng.integers(0, 90, 3 * accounts),
            "followee_count": rng.integers(0, 90, 3 * accounts),
        }
    )
    if watches_posts:
        # The first account's posts were never read; the second's only from day 40 on.
        spans = [
            (who, "posts", at(160 if who == 1 else -200), at(steps + 400), None) for who in ids[1:]
        ]
        seen = pd.concat([seen, pd.DataFrame(spans, columns=seen.columns)], ignore_index=True)
    tables = {
        "follows": follows,
        "accounts": profiles,
        "account_counts": counts,
        "posts": make_posts(rng, accounts, post_count, steps),
        "interactions": make_interactions(rng, accounts, act_count, steps),
    }
    tables = tables | ({"observation": seen} if len(seen) else {})
    return enrich(tables, np.random.default_rng([seed, 1]), steps)


def enrich(
    tables: dict[str, pd.DataFrame], rng: np.random.Generator, steps: int
) -> dict[str, pd.DataFrame]:
    """Return the tables with everything else that features may read.

    Drawn from a stream of its own, so that what the tables held before stays as it was.
    """
    accounts, posts = tables["accounts"], tables["posts"]
    return tables | {
        "accounts": enrich_accounts(accounts, rng, steps),
        "posts": enrich_posts(posts, rng),
        "interactions": enrich_interactions(tables["interactions"], posts, rng),
        "media": make_media(posts, rng),
    }


def enrich_accounts(accounts: pd.DataFrame, rng: np.random.Generator, steps: int) -> pd.DataFrame:
    """Return profiles with kinds of account, stances, and when they were read (mostly early)."""
    count = len(accounts)
    read = np.where(rng.random(count) < 0.8, -60 * 4, steps // 2)
    return accounts.assign(
        display_name=[f"Name {who}" if who % 3 else None for who in range(count)],
        url=["https://example.org" if who % 2 else None for who in range(count)],
        has_picture=rng.random(count) < 0.7,
        is_business=rng.random(count) < 0.4,
        is_creator=rng.random(count) < 0.4,
        is_verified=rng.random(count) < 0.3,
        location=rng.choice(["north", "south"], count),
        stance=rng.choice(["red", "blue"], count),
        counts_at=at(read),
        **{f"embedding_{place}": rng.normal(size=count) for place in range(3)},
    )


def enrich_posts(posts: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return posts with formats, purposes, reposts, copies and some longer texts."""
    count = len(posts)
    is_repost = rng.random(count) < 0.15
    original = rng.integers(0, max(count, 1), count)
    texts = posts["text"].to_numpy(object).copy()
    # Some posts repeat another one word for word, some add words of their own.
    copies = np.flatnonzero(rng.random(count) < 0.15)
    texts[copies] = texts[rng.integers(0, max(count, 1), len(copies))]
    longer = np.flatnonzero(rng.random(count) < 0.3)
    for place in longer:
        rare = f" rare{place}" if place % 3 == 0 else ""
        texts[place] = f"{texts[place]} {' '.join(rng.choice(WORDS, 5))}{rare}! 😀"
    ids, who = posts["post_id"].to_numpy(object), posts["account_id"].to_numpy()
    return posts.assign(
        text=texts,
        hashtags=add_rare_tags(posts, rng.spawn(1)[0]),
        format=rng.choice(["image", "text", "video", "story", "carousel"], count),
        purpose=rng.choice(["inform", "entertain", "promote"], count),
        is_promotional=(rng.random(count) < 0.3) | (who == BUSY),
        is_repost=is_repost,
        original_post_id=pd.Series(ids[original]).where(is_repost),
        original_account_id=pd.Series(who[original]).astype("Int64").where(is_repost),
    )


def add_rare_tags(posts: pd.DataFrame, rng: np.random.Generator) -> list[str | None]:
    """Return the posts' hashtags, some with one of a niche beside, some with one of a craze."""
    since = (posts["posted_at"] - START) // GRID
    is_craze = since.between(-60, -10) | since.between(200, 250) | since.between(420, 460)
    is_niche, has_craze = rng.random(len(posts)) < 0.2, rng.random(len(posts)) < 0.8
    niche = rng.integers(0, max(len(posts) // 20, 1), len(posts))
    tags = []
    for place, old in enumerate(posts["hashtags"]):
        found = [old] if isinstance(old, str) else []
        found += [f"niche{niche[place]}"] if is_niche[place] else []
        found += ["craze"] if is_craze.iloc[place] and has_craze[place] else []
        tags.append(" ".join(found) or None)
    return tags


def enrich_interactions(
    acts: pd.DataFrame, posts: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Return acts with the post they concern, comments with words, and replies to comments."""
    count = len(acts)
    ids = np.array([f"i{number}" for number in range(count)], dtype=object)
    by_account = posts.groupby("account_id")["post_id"].apply(list).to_dict()
    choices = [by_account.get(target, []) for target in acts["target_id"]]
    picks = rng.random(count)
    chosen = [
        options[int(pick * len(options))] if options and pick < 0.9 else None
        for options, pick in zip(choices, picks, strict=True)
    ]
    says = acts["kind"].isin(["comment", "reply", "mention", "message"]).to_numpy()
    texts = [
        (f"{' '.join(rng.choice(WORDS, 2))}{'?' if rng.random() < 0.3 else ''}" if spoken else None)
        for spoken in says
    ]
    replies = (acts["kind"] == "reply").to_numpy() & (rng.random(count) < 0.8)
    # Some come at the post's very moment, or the coarse grid would have none in its first hour.
    posted = pd.Series(chosen, index=acts.index).map(posts.set_index("post_id")["posted_at"])
    quick = posted.notna() & acts["at"].notna() & (rng.random(count) < 0.3)
    acts = acts.assign(
        at=acts["at"].where(~quick, posted),
        interaction_id=ids,
        post_id=chosen,
        text=texts,
        reply_to_id=pd.Series(ids[rng.integers(0, max(count, 1), count)]).where(replies),
    )
    # Some speak again under the same post: a thread needs a second turn.
    again = acts[says & acts["post_id"].notna().to_numpy() & (rng.random(count) < 0.6)]
    ids = [f"again{number}" for number in range(len(again))]
    again = again.assign(interaction_id=ids, at=again["at"] + GRID)
    acts = pd.concat([acts, again], ignore_index=True)
    # Some comments are without a word.
    spoken = acts["text"].notna().to_numpy()
    acts["text"] = acts["text"].mask(spoken & (np.arange(count + len(again)) % 9 == 4), "🔥!")
    return pd.concat([acts, make_burst(acts)], ignore_index=True)


def make_burst(acts: pd.DataFrame) -> pd.DataFrame:
    """Return likes by one account, three seconds apart, of what the first acts were about."""
    burst = acts.head(14)
    return burst.assign(
        actor_id=acts["actor_id"].min(),
        kind="like",
        at=START + pd.to_timedelta(np.arange(len(burst)) * 3, unit="s"),
        text=None,
        interaction_id=[f"burst{number}" for number in range(len(burst))],
        reply_to_id=None,
    )


def make_media(posts: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return one picture for most posts, its statistics already measured."""
    shown = posts[rng.random(len(posts)) < 0.7]
    count = len(shown)
    names = ("brightness", "saturation", "colourfulness", "sharpness", "clipping", "edge_density")
    table = pd.DataFrame(
        {
            "media_id": [f"m{number}" for number in range(count)],
            "post_id": shown["post_id"].to_numpy(),
            "width": pd.array(rng.integers(300, 2000, count), dtype="Int64"),
            "height": pd.array(rng.integers(300, 2000, count), dtype="Int64"),
        }
    )
    for name in (*names, *(f"palette_{place}" for place in range(6))):
        table[name] = rng.random(count)
    return table


def make_world(seed: int, mode: str, **sizes: float | bool) -> World:
    """Return a small world of one mode with its dyads (horizon 14 days, three folds)."""
    return open_world(mode, make_tables(seed, mode, **sizes))


def open_world(mode: str, tables: dict[str, pd.DataFrame]) -> World:
    """Return the world that these raw tables make."""
    dataset = make_dataset(tables, name=f"{mode} world")
    horizon = {"horizon_days": 14.0} if mode == "timed" else {}
    return World(mode, dataset, make_dyads(dataset, QUESTIONS[mode], fold_count=3, **horizon))


def make_coin_world(
    seed: int,
    mode: str,
    *,
    accounts: int = 150,
    pair_count: int = 3000,
    chance: float = 0.4,
    **sizes: int,
) -> Dataset:
    """Return a dataset in which every answer is a coin: nothing can predict it.

    Accounts differ widely in how much they follow and are followed, which is what makes naive
    features echo the answer. Any score away from AUC .5 is leakage.
    """
    small = {"post_count": 600, "act_count": 3000, "steps": 1200, "first_delay": 1} | sizes
    tables = make_tables(
        seed, mode, accounts=accounts, pair_count=pair_count, chance=chance, **small
    )
    return make_dataset(tables, name=f"coin world ({mode})")
