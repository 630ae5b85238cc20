"""How an account answers comments and joins discussions, known at the end of a block (1c)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from followkit.features.blocks import BLOCK_DAYS, Block, FloatArray
from followkit.features.pooling import mean_of_initiators
from followkit.features.texts import TextBlock
from followkit.features.ties import DAY_US

TALK = ("comment", "reply")
#: Question marks of Latin, Chinese and Japanese, Spanish (the opening one) and Arabic script.
QUESTION = "[?？¿؟]"
HOUR_US = DAY_US // 24
REPLY_HOURS = 48
LOYAL_POSTS = 3
TURNS = 2
WEEKS = BLOCK_DAYS / 7


def find_end(text: TextBlock) -> int:
    """Return the moment up to which a block knows; features with windows ask no other blocks."""
    if text.end_us is None:
        raise ValueError("a block without an end has no last 28 days")
    return text.end_us


def list_talk(text: TextBlock) -> pd.DataFrame:
    """Return comments and replies on known posts by others, with `post` and `owner` (its code)."""
    talk: pd.DataFrame = text.cached(("replies", "talk"), lambda: text.acts_on_posts(TALK))
    return talk


def list_comments(text: TextBlock) -> pd.DataFrame:
    """Return the talk that could have been answered for 48 hours, with `delay` in hours.

    `delay` is the time to the owner's first answer; 48 where none came by then.
    """

    def make() -> pd.DataFrame:
        talk, acts = list_talk(text), text.acts
        latest = find_end(text) - REPLY_HOURS * HOUR_US
        is_old = (talk["at_us"] <= latest) & talk["interaction_id"].notna()
        talk = talk[is_old.to_numpy(dtype=bool)].reset_index(drop=True)
        talk = talk.assign(owner_id=text.ids[talk["owner"]].array)
        answers = acts[(acts["kind"].isin(TALK) & acts["reply_to_id"].notna()).to_numpy(bool)]
        answers = answers[["reply_to_id", "actor_id", "at_us"]].set_axis(
            ["interaction_id", "owner_id", "answered_us"], axis=1
        )
        pairs = talk.assign(row=talk.index).merge(answers, on=["interaction_id", "owner_id"])
        pairs["delay"] = (pairs["answered_us"] - pairs["at_us"]) / HOUR_US
        first = pairs[pairs["delay"] >= 0].groupby("row")["delay"].min().reindex(talk.index)
        is_late = (first.isna() | (first > REPLY_HOURS)).to_numpy(dtype=bool)
        delay = np.where(is_late, REPLY_HOURS, first.to_numpy(dtype=np.float64))
        return talk.assign(delay=delay, is_answered=~is_late)

    comments: pd.DataFrame = text.cached(("replies", "comments"), make)
    return comments


def reply_rate(block: Block) -> FloatArray:
    """Return the share of comments on the initiators' posts that they answered in time."""
    return _rate_replies(block, list_comments(block.text))


def question_reply_rate(block: Block) -> FloatArray:
    """Return the same of comments that ask something."""
    comments = list_comments(block.text)
    asks = comments["text"].str.contains(QUESTION, regex=True).to_numpy(dtype=bool)
    return _rate_replies(block, comments[asks])


def _rate_replies(block: Block, comments: pd.DataFrame) -> FloatArray:
    answered = comments["is_answered"].to_numpy(np.float64)
    return mean_of_initiators(block, comments["owner"].to_numpy(np.int64), answered)


def reply_delay_log(block: Block) -> FloatArray:
    """Return the mean of log(1 + hours to the answer), 48 where none came by then."""
    comments = list_comments(block.text)
    delay = np.log1p(comments["delay"].to_numpy(np.float64))
    at_once_and_never = (float(np.log1p(REPLY_HOURS)), 2.0)
    return mean_of_initiators(block, comments["owner"].to_numpy(np.int64), delay, at_once_and_never)


def threads_per_week_log(block: Block) -> FloatArray:
    """Return log(1 + posts of others on which the initiator had two turns or more, per week)."""
    talk = list_talk(block.text)
    start = find_end(block.text) - BLOCK_DAYS * DAY_US
    recent = talk[(talk["at_us"] >= start).to_numpy(dtype=bool)]
    turns = recent.groupby(["actor_id", "post"])["amount"].sum()
    threads = turns[turns >= TURNS].groupby("actor_id").size()
    counted = block.ids("initiator").map(threads).fillna(0.0).to_numpy(dtype=np.float64)
    return np.log1p(counted / WEEKS)


def returning_share(block: Block) -> FloatArray:
    """Return the share of those who commented on the initiators' posts that did so on three."""
    talk = list_talk(block.text)[["owner", "actor_id", "post"]].drop_duplicates()
    posts = talk.groupby(["owner", "actor_id"]).size().rename("posts").reset_index()
    is_loyal = (posts["posts"] >= LOYAL_POSTS).to_numpy(np.float64)
    return mean_of_initiators(block, posts["owner"].to_numpy(np.int64), is_loyal)
