"""A small world as plain lists, cut at the end of each dyad's block: for slow loops of tests."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from worlds import World

from followkit.features.texts import Library, TextBlock

BLOCK_US = 28 * 86_400_000_000
ACTS = {"like", "comment", "reply", "mention", "share", "save", "message"}


def micros(value: Any) -> int | None:
    """Return microseconds since 1970, None for no moment."""
    return None if pd.isna(value) else round(pd.Timestamp(value).timestamp() * 1e6)


def records(world: World, table: str) -> list[dict[str, Any]]:
    """Return the rows of a table, missing values as None."""
    rows = world.dataset.table(table).to_dict("records")
    return [{k: None if pd.isna(v) else v for k, v in row.items()} for row in rows]


class Cut:
    """What the dyad (a, b, t) of one fold may use, up to the end of its block."""

    def __init__(self, plain: PlainWorld, a: Any, b: Any, t: int | None, fold: int) -> None:
        self.a, self.b, self.t, self.fold, self.plain = a, b, t, fold, plain
        self.end = None if t is None else (t - 1) // BLOCK_US * BLOCK_US
        self.posts = sorted(
            (post for post in plain.posts if self.is_known(post["us"])),
            key=lambda post: (-math.inf if post["us"] is None else post["us"], post["text"] or "",
                              post["post_id"]),
        )  # fmt: skip
        self.acts = [act for act in plain.acts if self.is_known(act["us"])]
        self.ties = plain.ties_of(self)

    def is_known(self, moment: int | None) -> bool:
        return self.end is None or (moment is not None and moment < self.end)

    def profiles(self, column: str) -> dict[Any, Any]:
        """Return a column of the profiles read before the end of the block."""
        return {
            row["account_id"]: row[column]
            for row in self.plain.accounts
            if row[column] is not None and self.is_known(micros(row["counts_at"]))
        }

    def is_watched(self, who: Any, table: str) -> bool:
        spans = [row for row in self.plain.seen if row["table_name"] == table]
        if not spans:
            if self.t is None:
                return True
            if table == "posts":
                moments = [post["us"] for post in self.plain.posts]
            else:
                moments = [
                    act["us"] for act in self.plain.acts
                    if act["kind"] in ACTS and act["actor_id"] != act["target_id"]
                ]  # fmt: skip
            return any(moment is not None and moment < self.t for moment in moments)
        mine = [row for row in spans if row["account_id"] == who]
        if self.t is None:
            return bool(mine)
        return any(
            micros(row["observed_from_at"]) < self.t <= micros(row["observed_until_at"])
            for row in mine
        )


class PlainWorld:
    """The tables of a world as lists of dictionaries."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.library = Library(world.dataset)
        self.posts = [row | {"us": micros(row["posted_at"])} for row in records(world, "posts")]
        self.acts = [row | {"us": micros(row["at"])} for row in records(world, "interactions")]
        self.media, self.accounts = records(world, "media"), records(world, "accounts")
        self.seen = records(world, "observation")
        self.follows = records(world, "follows")
        self.folds = {}
        for row in world.dyads.table.to_dict("records"):
            for pair in ((row["initiator_id"], row["decider_id"]),) * 2:
                self.folds[pair] = self.folds[pair[::-1]] = row["fold"]

    def text(self, cut: Cut) -> TextBlock:
        """Return the package's own block: for topics, which no loop could fit."""
        return self.library.block(cut.end)

    def ties_of(self, cut: Cut) -> set[tuple[Any, Any]]:
        mode, found = self.world.mode, set()
        for row in self.follows:
            pair = row["follower_id"], row["followee_id"]
            if mode == "timed":
                start, end = micros(row["followed_at"]), micros(row["unfollowed_at"])
                if start < cut.end and (end is None or end >= cut.end):
                    found.add(pair)
                continue
            if mode == "crawl":
                crawl = micros(self.world.dyads.crawl_at)
                if micros(row["followed_before_at"]) > crawl:
                    continue
            if self.folds.get(pair) != cut.fold:
                found.add(pair)
        return found

    def cuts(self) -> list[Cut]:
        table = self.world.dyads.table
        moments = [micros(at) for at in table["at"]]
        if self.world.mode == "snapshot":
            moments = [None] * len(table)
        sides = table["initiator_id"], table["decider_id"], moments, table["fold"]
        return [Cut(self, *row) for row in zip(*sides, strict=True)]
