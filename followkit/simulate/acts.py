"""What the townspeople do to one another; none of it depends on who follows or answers whom."""

from __future__ import annotations

import numpy as np
import pandas as pd

from followkit.simulate.content import WEEK_S, spread_events
from followkit.simulate.draws import Draws, FloatArray, IntArray
from followkit.simulate.people import People, pick_within
from followkit.simulate.words import BOT_COMMENTS, COMMENTS, GENERIC_COMMENTS, REPLIES

KINDS = ("like", "comment", "mention", "share", "save", "message", "block", "reply")
KIND_WEIGHTS = np.array([6.0, 2.5, 0.6, 0.7, 0.5, 0.2, 0.1])
COMMENT, REPLY = KINDS.index("comment"), KINDS.index("reply")
#: Acts that name no post.
WITHOUT_POST = tuple(KINDS.index(kind) for kind in ("mention", "message", "block"))
BURST_WEEKS = 4
REPLY_HOURS, PROMPT_MINUTES = 14.0, 40.0


def make_interactions(
    draws: Draws, people: People, posts: pd.DataFrame, weeks: int, start: np.datetime64
) -> pd.DataFrame:
    """Return acts: most of them towards a small circle or somebody to one's taste.

    Popular accounts get more of them, whatever they post. Bots act in bursts. Authors answer some
    of the comments on their posts, and some of those who were answered come back.
    """
    actor, second = spread_events(draws, people.acts_a_week, people, weeks)
    second = _bundle(draws, people, actor, second)
    target = _choose_targets(draws, people, actor)
    kept = actor != target
    actor, target, second = actor[kept], target[kept], second[kept]
    kind = draws.pick(KIND_WEIGHTS, len(actor))
    post = _find_posts(draws, posts, target, second, start)
    post = np.where(np.isin(kind, WITHOUT_POST), -1, post)
    second = _hasten(draws, people, actor, posts, post, second, start)
    acts = pd.DataFrame(
        {"actor": actor, "target": target, "second": second, "kind": kind, "post": post,
         "answers": -1}
    )  # fmt: skip
    acts = _add_replies(draws, people, acts, weeks)
    at = start + acts["second"].to_numpy().astype("timedelta64[s]")
    post_id = pd.Series(acts["post"] + 1, dtype="Int64")
    reply_to = pd.Series(acts["answers"] + 1, dtype="Int64")
    return pd.DataFrame(
        {
            "interaction_id": np.arange(1, len(acts) + 1),
            "actor_id": acts["actor"] + 1,
            "target_id": acts["target"] + 1,
            "kind": np.array(KINDS)[acts["kind"]],
            "at": at,
            "post_id": post_id.where(post_id > 0),
            "text": _write_comments(draws, people, acts, posts["text"].tolist()),
            "reply_to_id": reply_to.where(reply_to > 0),
        }
    )


def _bundle(draws: Draws, people: People, actor: IntArray, second: IntArray) -> IntArray:
    """Return the moments, a bot's acts of four weeks put seconds apart."""
    begin = draws.whole(0, WEEK_S, people.count)
    period = second // (BURST_WEEKS * WEEK_S)
    acts = pd.DataFrame({"actor": actor, "period": period})
    place = acts.groupby(["actor", "period"]).cumcount().to_numpy()
    bundled = period * BURST_WEEKS * WEEK_S + begin[actor] + 3 * place
    return np.where(people.is_bot[actor], bundled, second)


def _choose_targets(draws: Draws, people: People, actor: IntArray) -> IntArray:
    count = len(actor)
    circle = people.circle[actor, draws.whole(0, people.circle.shape[1], count)]
    liked = pick_within(draws, people.topic, people.popularity, people.taste[actor])
    anyone = draws.pick(people.popularity, count)
    way = draws.pick(np.array([0.55, 0.25, 0.20]), count)
    return np.where(people.is_bot[actor], anyone, np.choose(way, [circle, liked, anyone]))


def _find_posts(
    draws: Draws, posts: pd.DataFrame, target: IntArray, second: IntArray, start: np.datetime64
) -> IntArray:
    """Return one of the target's last three posts before each moment (its row); −1 without any."""
    owner = posts["account_id"].to_numpy() - 1
    made = _find_seconds(posts, start)
    # Posts are in order of time, so a stable sort by account keeps it.
    order = np.argsort(owner, kind="stable")
    first_s = min(made.min(initial=0), second.min(initial=0))
    width = np.int64(max(made.max(initial=0), second.max(initial=0)) - first_s + 1)
    line = owner[order] * width + made[order] - first_s
    newest = np.searchsorted(line, target * width + second - first_s, side="left") - 1
    first = np.searchsorted(owner[order], target, side="left")
    chosen = np.maximum(newest - draws.whole(0, 3, len(target)), first)
    found = order[np.clip(chosen, 0, max(len(order) - 1, 0))] if len(order) else chosen
    return np.where(newest >= first, found, -1)


def _find_seconds(posts: pd.DataFrame, start: np.datetime64) -> IntArray:
    made: IntArray = (posts["posted_at"].to_numpy() - start) // np.timedelta64(1, "s")
    return made


def _hasten(
    draws: Draws,
    people: People,
    actor: IntArray,
    posts: pd.DataFrame,
    post: IntArray,
    second: IntArray,
    start: np.datetime64,
) -> IntArray:
    """Return the moments, half of the acts of people moved to soon after the post they are on."""
    made = np.append(_find_seconds(posts, start), 0)[post]
    minutes = -PROMPT_MINUTES * np.log1p(-draws.uniform(len(post)))
    soon = made + 20 + np.floor(np.round(60 * minutes, 6)).astype(np.int64)
    hastens = draws.chance(0.5, len(post)) & (post >= 0) & ~people.is_bot[actor]
    return np.where(hastens, np.minimum(soon, second), second)


def _add_replies(draws: Draws, people: People, acts: pd.DataFrame, weeks: int) -> pd.DataFrame:
    """Return the acts in order of time, with authors' replies to comments, and replies to those."""
    answers = _answer(draws, people, acts, people.replying, weeks)
    back = _answer(draws, people, answers, 0.5 * (1 - people.generic), weeks)
    back["answers"] += len(acts)
    whole = pd.concat([acts, answers, back], ignore_index=True)
    order = np.argsort(whole["second"].to_numpy(), kind="stable")
    place = np.empty(len(order) + 1, dtype=np.int64)
    place[order] = np.arange(len(order))
    place[-1] = -1
    whole["answers"] = place[whole["answers"]]
    return whole.iloc[order].reset_index(drop=True)


def _answer(
    draws: Draws, people: People, said: pd.DataFrame, share: FloatArray, weeks: int
) -> pd.DataFrame:
    """Return replies to comments (and replies) on a post; `answers` is the place in `said`.

    `share` is how much of what is said to it each account answers.
    """
    count, asked = len(said), said["target"].to_numpy()
    talks = said["kind"].isin([COMMENT, REPLY]).to_numpy() & (said["post"] >= 0).to_numpy()
    hours = -REPLY_HOURS * np.log1p(-draws.uniform(count))
    when = said["second"].to_numpy() + 60 + np.floor(np.round(hours * 3600, 6)).astype(np.int64)
    replies = draws.chance(share[asked], count) & talks & (when < weeks * WEEK_S)
    replies &= when // WEEK_S < people.dormant_from[asked]
    rows = np.flatnonzero(replies)
    return pd.DataFrame(
        {
            "actor": asked[rows],
            "target": said["actor"].to_numpy()[rows],
            "second": when[rows],
            "kind": REPLY,
            "post": said["post"].to_numpy()[rows],
            "answers": rows,
        }
    )


def _write_comments(
    draws: Draws, people: People, acts: pd.DataFrame, posts: list[str]
) -> list[str]:
    """Return what comments and replies say: a word of the post, or a phrase that fits any."""
    actor = acts["actor"].to_numpy()
    picks = draws.whole(0, 1_000_003, len(acts))
    generic = draws.chance(people.generic[actor], len(acts)) | (acts["post"] < 0).to_numpy()
    columns = (acts["kind"], acts["post"], picks, people.is_bot[actor], generic)
    texts = []
    for kind, post, pick, is_bot, fits_any in zip(*(one.tolist() for one in columns), strict=True):
        if kind not in (COMMENT, REPLY):
            texts.append("")
            continue
        phrases: tuple[str, ...] = REPLIES if kind == REPLY else COMMENTS
        if is_bot or fits_any:
            phrases = BOT_COMMENTS if is_bot else GENERIC_COMMENTS
        # The first four words of a post are about its subject.
        word = posts[post].split()[pick % 4]
        texts.append(phrases[pick % len(phrases)].format(word=word))
    return texts
