"""The timed features once more, in plain loops over rows: the answer key of the fast ones.

Written from the formulas of the catalogue, for small worlds, without any code of the package.
Times are integer microseconds. A feature that cannot be known is NaN.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Any

import pandas as pd

NAN = math.nan
DAY = 86_400_000_000
BLOCK = 28 * DAY
ACTS = {"like", "comment", "reply", "mention", "share", "save", "message"}


def micros(value: Any) -> int | None:
    return None if pd.isna(value) else round(pd.Timestamp(value).timestamp() * 1e6)


def is_known(value: Any) -> bool:
    return value is not None and not pd.isna(value)


class SlowWorld:
    """The tables as lists of plain tuples."""

    def __init__(self, dataset: Any, dyads: Any) -> None:
        tables = dataset.tables
        self.horizon = round(dyads.horizon_days * DAY)
        self.ties = []
        for row in tables["follows"].to_dict("records"):
            start, end = micros(row["followed_at"]), micros(row.get("unfollowed_at"))
            if start is not None:
                self.ties.append(
                    (
                        row["follower_id"],
                        row["followee_id"],
                        start,
                        math.inf if end is None else end,
                    )
                )
        self.posts = [
            row | {"us": micros(row["posted_at"])}
            for row in tables["posts"].to_dict("records")
            if is_known(row["posted_at"])
        ]
        self.acts = []
        self.untimed_acts = []
        for row in tables["interactions"].to_dict("records"):
            if row["kind"] in ACTS and row["actor_id"] != row["target_id"]:
                amount = int(row["count"]) if is_known(row["count"]) else 1
                moment = micros(row["at"])
                entry = (row["actor_id"], row["target_id"], moment, amount)
                (self.untimed_acts if moment is None else self.acts).append(entry)
        self.profiles = {row["account_id"]: row for row in tables["accounts"].to_dict("records")}
        sides = Counter(dyads.table["initiator_id"]) + Counter(dyads.table["decider_id"])
        self.is_export = 2 * max(sides.values(), default=0) >= len(dyads.table)
        self.figures = [
            (
                row["account_id"],
                micros(row["counts_at"]),
                row["followee_count"],
                row["follower_count"],
            )
            for row in tables["account_counts"].to_dict("records")
        ]
        self.seen = [
            (
                row["account_id"],
                row["table_name"],
                micros(row["observed_from_at"]),
                micros(row["observed_until_at"]),
            )
            for row in tables["observation"].to_dict("records")
        ]

    # -- graph as of t

    def standing(self, t: int) -> set[tuple[Any, Any]]:
        return {(a, b) for a, b, start, end in self.ties if start < t and not end < t}

    def first(self, a: Any, b: Any) -> tuple[int, float] | None:
        spells = sorted((s, e) for x, y, s, e in self.ties if (x, y) == (a, b))
        return spells[0] if spells else None

    def history(self) -> list[tuple[Any, int, bool]]:
        """(decider, moment at which the answer is known, answered) of each follow received."""
        if not hasattr(self, "_history"):
            found = []
            for a, b in {(x, y) for x, y, _, _ in self.ties}:
                start, end = self.first(a, b)  # type: ignore[misc]
                back = self.first(b, a)
                if back is not None and back[0] < start:
                    continue
                yes = back is not None and back[0] - start <= self.horizon and end >= back[0]
                found.append((b, start + self.horizon, yes))
            self._history = found
        return self._history

    def degrees(self, who: Any, t: int) -> tuple[float, float]:
        """(followees, followers): of the graph, or in one person's export the platform's own."""
        if self.is_export and self.figures:
            mine = [entry for entry in self.figures if entry[0] == who and entry[1] < t]
            last = max(mine, key=lambda entry: entry[1], default=(0, 0, NAN, NAN))
            return tuple(NAN if pd.isna(n) else float(n) for n in last[2:])  # type: ignore[return-value]
        ties = self.standing(t)
        return sum(x == who for x, _ in ties), sum(y == who for _, y in ties)

    # -- watching

    def watched(self, who: Any, table: str, t: int) -> tuple[bool, int]:
        moments = {
            "posts": [post["us"] for post in self.posts],
            "interactions": [act[2] for act in self.acts],
            "follows": [tie[2] for tie in self.ties],
        }[table]
        spans = [span for span in self.seen if span[1] == table]
        if not spans:
            return bool(moments) and min(moments) < t, min(moments, default=0)
        begins = [
            begin
            for account, _, begin, end in spans
            if account == who and begin < t and (end is None or end >= t)
        ]
        return bool(begins), min(begins, default=0)


def slow_row(world: SlowWorld, a: Any, b: Any, t: int) -> dict[str, float]:
    """Return every feature of one timed dyad."""
    return (
        slow_graph(world.standing(t), a, b, {v: world.degrees(v, t) for v in (a, b)})
        | slow_rate(world, b, t)
        | slow_activity(world, a, b, t)
        | slow_engagement(world, a, b, t)
        | slow_relevance(world, a, b, t)
        | slow_profile(world, a, b, t)
    )


def slow_graph(
    ties: set[tuple[Any, Any]], a: Any, b: Any, degrees: dict[Any, tuple[float, float]]
) -> dict[str, float]:
    """Return the graph features given the ties and each side's (followees, followers)."""
    out = {v: {y for x, y in ties if x == v} for v in (a, b)}
    into = {v: {x for x, y in ties if y == v} for v in (a, b)}
    ratio = {v: math.log((degrees[v][1] + 1) / (degrees[v][0] + 1)) for v in (a, b)}
    others = {v for tie in ties for v in tie} - {a, b}
    around = {v: (out[v] | into[v]) & others for v in (a, b)}
    adamic = 0.0
    for x in sorted(around[a] & around[b]):
        neighbours = {y for p, y in ties if p == x} | {p for p, y in ties if y == x}
        adamic += 1 / math.log(len(neighbours))
    lf = {v: math.log1p(degrees[v][1]) for v in (a, b)}
    return {
        "decider_ratio_log": ratio[b],
        "initiator_ratio_log": ratio[a],
        "initiator_ratio_log_squared": ratio[a] ** 2,
        "initiator_followee_count_log": math.log1p(degrees[a][0]),
        "dyad_ratio_gap": ratio[b] - ratio[a],
        "dyad_follower_gap_log": lf[b] - lf[a],
        "initiator_follower_count_log": lf[a],
        "decider_follower_count_log": lf[b],
        "dyad_paths_out_log": math.log1p(len(out[a] & into[b] & others)),
        "dyad_paths_back_log": math.log1p(len(out[b] & into[a] & others)),
        "dyad_common_followees_log": math.log1p(len(out[a] & out[b] & others)),
        "dyad_common_followers_log": math.log1p(len(into[a] & into[b] & others)),
        "dyad_adamic_adar": adamic,
    }


def slow_static_row(ties: set[tuple[Any, Any]], a: Any, b: Any) -> dict[str, float]:
    """Return the graph features and the decider's rate on a graph without times."""
    degrees = {v: (sum(x == v for x, _ in ties), sum(y == v for _, y in ties)) for v in (a, b)}
    mutual = [(x, y) for x, y in ties if (y, x) in ties]
    pooled = (len(mutual) + 1) / (len(ties) + 2)
    answered = sum(y == b for _, y in mutual)
    received = degrees[b][1]
    return slow_graph(ties, a, b, degrees) | {
        "decider_follow_back_rate": (answered + 10 * pooled) / (received + 10),
        "has_decider_history": float(received > 0),
    }


def slow_rate(world: SlowWorld, b: Any, t: int) -> dict[str, float]:
    known = [entry for entry in world.history() if entry[1] < t]
    mine = [yes for who, _, yes in known if who == b]
    pooled = (sum(yes for _, _, yes in known) + 1) / (len(known) + 2)
    return {
        "decider_follow_back_rate": (sum(mine) + 10 * pooled) / (len(mine) + 10),
        "has_decider_history": float(len(mine) > 0),
    }


def events_of(world: SlowWorld, who: Any, table: str) -> list[tuple[int, int]]:
    if table == "posts":
        return [(post["us"], 1) for post in world.posts if post["account_id"] == who]
    if table == "interactions":
        return [(moment, amount) for actor, _, moment, amount in world.acts if actor == who]
    return [(start, 1) for actor, _, start, _ in world.ties if actor == who]


def within(events: list[tuple[int, int]], t: int, days: float) -> int:
    return sum(amount for moment, amount in events if t - days * DAY <= moment < t)


def weeks_active(events: list[tuple[int, int]], t: int) -> int:
    weeks = {-((moment - t) // (7 * DAY)) for moment, _ in events if moment < t}
    return len({week for week in weeks if 1 <= week <= 12})


def slow_activity(world: SlowWorld, a: Any, b: Any, t: int) -> dict[str, float]:
    found = {}
    for name, table in (("posts", "posts"), ("acts", "interactions")):
        count = within(events_of(world, a, table), t, 28)
        known = world.watched(a, table, t)[0]
        found[f"initiator_{name}_per_week_log"] = math.log1p(count / 4) if known else NAN
    for side, who, tables in (
        ("initiator", a, ("posts", "interactions")),
        ("decider", b, ("posts", "interactions", "follows")),
    ):
        watching = [world.watched(who, table, t) for table in tables]
        begins = [begin for known, begin in watching if known]
        moments = [m for table in tables for m, _ in events_of(world, who, table) if m < t]
        origin = max(moments) if moments else min(begins, default=t)
        found[f"{side}_days_since_action_log"] = math.log1p((t - origin) / DAY) if begins else NAN
        total = sum(within(events_of(world, who, table), t, 28) for table in tables)
        found[f"{side}_actions_log"] = math.log1p(total) if begins else NAN
    del found["initiator_actions_log"]
    return found


def slow_engagement(world: SlowWorld, a: Any, b: Any, t: int) -> dict[str, float]:
    to_b = [(m, n) for actor, target, m, n in world.acts if (actor, target) == (a, b)]
    to_a = [(m, n) for actor, target, m, n in world.acts if (actor, target) == (b, a)]
    a_acts, b_acts = (world.watched(who, "interactions", t)[0] for who in (a, b))
    a_posts = world.watched(a, "posts", t)[0]
    return {
        "dyad_acts_to_decider_log": math.log1p(within(to_b, t, 28)) if a_acts else NAN,
        "dyad_acts_from_decider_log": math.log1p(within(to_a, t, 28)) if b_acts else NAN,
        "dyad_has_contact_7d": float(within(to_b, t, 7) > 0) if a_acts else NAN,
        "initiator_posting_weeks_share": (
            weeks_active(events_of(world, a, "posts"), t) / 12 if a_posts else NAN
        ),
        "initiator_acting_weeks_share": (
            weeks_active(events_of(world, a, "interactions"), t) / 12 if a_acts else NAN
        ),
    }


def tf_idf(documents: dict[Any, Counter[str]]) -> dict[Any, dict[str, float]]:
    """Weights of each document by word: count × (log((1 + n) / (1 + documents with it)) + 1)."""
    spread = Counter(word for words in documents.values() for word in words)
    size = len(documents)
    return {
        who: {
            word: count * (math.log((1 + size) / (1 + spread[word])) + 1)
            for word, count in words.items()
        }
        for who, words in documents.items()
    }


def cosine(left: dict[str, float], right: dict[str, float]) -> float:
    norms = math.hypot(*left.values(), 0.0) * math.hypot(*right.values(), 0.0)
    return sum(left[word] * right.get(word, 0.0) for word in left) / norms if norms else 0.0


def slow_relevance(world: SlowWorld, a: Any, b: Any, t: int) -> dict[str, float]:
    names = ("dyad_topic_cosine", "dyad_hashtag_jaccard", "dyad_same_language")
    block_end = ((t - 1) // BLOCK) * BLOCK
    posts = [post for post in world.posts if post["us"] < block_end]
    known = world.watched(a, "posts", t)[0] and world.watched(b, "posts", t)[0]
    if not known or not posts:
        return dict.fromkeys(names, NAN)
    words: dict[Any, Counter[str]] = {}
    tags: dict[Any, set[str]] = {a: set(), b: set()}
    tongues: dict[Any, Counter[str]] = {a: Counter(), b: Counter()}
    for post in posts:
        who = post["account_id"]
        words.setdefault(who, Counter()).update(re.findall(r"\w+", post["text"].lower()))
        if who in tags:
            tags[who] |= set(post["hashtags"].split()) if is_known(post["hashtags"]) else set()
            tongues[who][post["language"]] += 1
    weights = tf_idf(words)
    main = {
        who: min(count, key=lambda tongue: (-count[tongue], tongue)) if count else None
        for who, count in tongues.items()
    }
    either = tags[a] | tags[b]
    return {
        "dyad_topic_cosine": cosine(weights.get(a, {}), weights.get(b, {})),
        "dyad_hashtag_jaccard": len(tags[a] & tags[b]) / len(either) if either else 0.0,
        "dyad_same_language": float(main[a] is not None and main[a] == main[b]),
    }


def slow_profile(world: SlowWorld, a: Any, b: Any, t: int) -> dict[str, float]:
    block_end = ((t - 1) // BLOCK) * BLOCK
    read = {who: micros(row.get("counts_at")) for who, row in world.profiles.items()}
    bios = {
        who: Counter(re.findall(r"\w+", row["bio"].lower()))
        for who, row in world.profiles.items()
        if is_known(row["bio"]) and read[who] is not None and read[who] < block_end
    }
    weights = tf_idf(bios)
    kinds = [
        world.profiles[who]["category"] if read[who] is not None and read[who] < t else None
        for who in (a, b)
    ]
    between = sum(n for x, y, _, n in world.untimed_acts if {x, y} == {a, b})
    return {
        "dyad_bio_cosine": cosine(weights[a], weights[b]) if a in bios and b in bios else NAN,
        "dyad_same_category": (
            float(kinds[0] == kinds[1]) if all(is_known(kind) for kind in kinds) else NAN
        ),
        "dyad_untimed_contact_log": math.log1p(between),
    }


def slow_features(dataset: Any, dyads: Any) -> pd.DataFrame:
    """Return every timed feature of every dyad, by plain loops."""
    world = SlowWorld(dataset, dyads)
    rows = [
        slow_row(world, row["initiator_id"], row["decider_id"], micros(row["at"]))
        for row in dyads.table.to_dict("records")
    ]
    return pd.DataFrame(rows, index=dyads.table["dyad_id"])
