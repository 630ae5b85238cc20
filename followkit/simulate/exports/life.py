"""What truly happened around one simulated account: the truth behind every written export.

`make_life` draws it; the records it is made of (`Life`, `Alter`, `Deed`, …) are passed on from
`life_records`. Times are UTC and whole seconds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from followkit.errors import ParameterError
from followkit.simulate.draws import Draws
from followkit.simulate.exports.life_names import draw_handles, draw_names
from followkit.simulate.exports.life_records import (
    DOMAINS,
    EGO,
    Account,
    Alter,
    Deed,
    Expected,
    Group,
    Life,
    OwnPost,
)

__all__ = ["COEFFICIENTS", "EGO", "EXPORTED_AT", "Account", "Alter", "Deed", "Expected", "Group",
           "Life", "OwnPost", "make_life"]  # fmt: skip

#: Log odds that an alter answers a follow of the ego, per unit of log(1 + count).
COEFFICIENTS: Mapping[str, float] = {
    "intercept": -0.8,
    "ego_acts_before_log": 0.7,
    "messages_before_log": 0.9,
}
EXPORTED_AT = datetime(2026, 6, 15, 9, 41, 7, tzinfo=UTC)
AUTOMATIC_SHARE = 0.08
DELAY_MEDIAN_S, DELAY_SPREAD = 8 * 3600.0, 2.3
_TEXTS = ("", "morning light", "café at noon ☕", "旅の写真", "new work, 3 prints left #art",
          "Привет!", "it's \"raining\" & <cold>")  # fmt: skip
#: Where the ego's deeds towards an alter happen, with their kind and weight.
_DEED_KINDS = (("like", "post", 8.0), ("like", "comment", 1.0), ("comment", "post", 2.0),
               ("comment", "reel", 0.7), ("story", "like", 1.5), ("story", "quick_reaction", 0.5),
               ("story", "poll", 0.4), ("story", "answer", 0.5), ("save", "post", 0.7),
               ("view", "post", 1.0), ("mention", "post", 0.4), ("reply", "post", 0.6),
               ("share", "post", 0.6))  # fmt: skip


def make_life(
    seed: int,
    alter_count: int = 60,
    *,
    exported_at: datetime = EXPORTED_AT,
    span_days: int = 1000,
    coefficients: Mapping[str, float] = COEFFICIENTS,
    post_count: int = 24,
    group_count: int = 2,
) -> Life:
    """Return a simulated account owner and what truly happened, the same for the same seed.

    Parameters
    ----------
    alter_count
        Accounts around the ego; of the first twenty, each has a part to play (both oldest
        mutuals, pending, received, unfollowed, deleted, marked, shared names), so that even a
        small life shows every list.
    exported_at
        The moment of the export, UTC; nothing happens later.
    coefficients
        Log odds of an answer to the ego's follow: an intercept and one for log(1 + n) of the
        ego's acts towards the alter before the follow and of messages exchanged before it.

    Raises
    ------
    ParameterError
        For fewer than one alter, or coefficients under other names.

    Examples
    --------
    >>> make_life(3, 30) == make_life(3, 30)
    True
    >>> sorted(make_life(3, 30).truth["coefficients"])
    ['ego_acts_before_log', 'intercept', 'messages_before_log']
    """
    if alter_count < 1:
        raise ParameterError(f"alter_count: {alter_count} came; give 1 or more")
    if set(coefficients) != set(COEFFICIENTS):
        raise ParameterError(f"coefficients: {sorted(coefficients)} came, not {[*COEFFICIENTS]}")
    draws = Draws(seed)
    end = exported_at.replace(microsecond=0)
    start = end - timedelta(days=span_days)
    maker = _Maker(draws, start, end, coefficients)
    handles = draw_handles(draws, alter_count + 1)
    names = draw_names(draws, alter_count + 1, handles)
    alters = tuple(maker.draw_alter(n, handles[n], names[n]) for n in range(1, alter_count + 1))
    ego = Account(number=EGO, handle=handles[0], name=names[0], domain=DOMAINS[0])
    return Life(
        seed=seed,
        exported_at=end,
        ego=ego,
        alters=alters,
        deeds=tuple(sorted(maker.deeds, key=lambda deed: (deed.at, deed.number))),
        posts=tuple(maker.draw_posts(post_count)),
        groups=tuple(maker.draw_groups(group_count, alter_count)),
        truth={
            "question": "follow_back",
            "seed": seed,
            "coefficients": dict(coefficients),
            "dyads": maker.dyads,
            "automatic_share": AUTOMATIC_SHARE,
        },
    )


class _Maker:
    """Draws the parts of one life; every moment it gives is used once only."""

    def __init__(
        self, draws: Draws, start: datetime, end: datetime, coefficients: Mapping[str, float]
    ) -> None:
        self.draws, self.start, self.end = draws, start, end
        self.coefficients = coefficients
        self.deeds: list[Deed] = []
        self.dyads: list[dict[str, Any]] = []
        self._used: set[datetime] = set()

    def draw_alter(self, number: int, handle: str, name: str) -> Alter:
        """Return one alter with its ties; its deeds and its row of the truth are kept."""
        who = Alter(
            number=number,
            handle=handle,
            name=name,
            domain=DOMAINS[int(self.draws.whole(0, len(DOMAINS), 1)[0])],
            is_private=bool(self.draws.uniform(1)[0] < 0.3),
        )
        part = _PARTS.get(number) or self._draw_part()
        alter = getattr(self, f"_make_{part}")(who)
        alter = replace(alter, marks=tuple(self._draw_marks(alter)))
        if number % 20 == 18 and not alter.is_deleted:
            renamed = self._moment(self.end - timedelta(days=30), self.end)
            alter = replace(alter, former_handle=f"old.{handle}"[:15], renamed_at=renamed)
        self._add_deeds_after(alter)
        return alter

    def _draw_part(self) -> str:
        parts = ("asked", "fan", "pending", "received", "unfollowed", "deleted")
        weights = np.array([0.68, 0.2, 0.03, 0.03, 0.04, 0.02])
        return parts[int(self.draws.pick(weights, 1)[0])]

    def _make_oldest(self, who: Alter) -> Alter:
        """One of the first mutuals: both lists then begin at the same time."""
        at = self._moment(self.start, self.start + timedelta(days=5))
        back = self._clear(at + timedelta(minutes=11 * who.number))
        return replace(who, following_at=at, follower_at=back, marks=())

    def _make_asked(self, who: Alter) -> Alter:
        """The ego follows first; the alter answers as planted, or not."""
        at = self._moment(self.start, self.end)
        acts, messages = self._add_deeds_before(who.number, at)
        logit = (
            self.coefficients["intercept"]
            + self.coefficients["ego_acts_before_log"] * np.log1p(acts)
            + self.coefficients["messages_before_log"] * np.log1p(messages)
        )
        chance = float(1 / (1 + np.exp(-logit)))
        answers = bool(self.draws.chance(chance, 1)[0])
        delay, automatic = self._draw_delay()
        back = self._clear(at + timedelta(seconds=delay)) if answers else None
        row = {"number": who.number, "acts_before": acts, "messages_before": messages,
               "chance": chance, "answers": answers, "delay_s": delay if answers else None,
               "is_automatic": answers and automatic}  # fmt: skip
        self.dyads.append(row)
        asked = self._clear(at - timedelta(minutes=30)) if who.is_private else None
        alter = replace(who, following_at=at, request_at=asked,
                        is_automatic=answers and automatic)  # fmt: skip
        if back is None or back > self.end:
            return alter
        if self.draws.uniform(1)[0] < 0.05 and not automatic:
            return replace(alter, was_follower_at=back, left_at=self._moment(back, self.end))
        return replace(alter, follower_at=back)

    def _make_fan(self, who: Alter) -> Alter:
        """The alter follows first; the ego answers some."""
        at = self._moment(self.start + timedelta(days=20), self.end)
        alter = replace(who, follower_at=at, ego_first=False)
        back = at + timedelta(seconds=self._draw_delay()[0])
        if self.draws.uniform(1)[0] < 0.4 and back <= self.end:
            return replace(alter, following_at=self._clear(back))
        return alter

    def _make_pending(self, who: Alter) -> Alter:
        at = self._moment(self.end - timedelta(days=60), self.end)
        return replace(who, request_at=at, is_private=True)

    def _make_received(self, who: Alter) -> Alter:
        at = self._moment(self.end - timedelta(days=90), self.end)
        return replace(who, received_at=at, ego_first=False)

    def _make_unfollowed(self, who: Alter) -> Alter:
        left = self._moment(self.end - timedelta(days=100), self.end)
        began = self._moment(self.start, left - timedelta(days=1))
        return replace(who, was_following_at=began, unfollowed_at=left)

    def _make_deleted(self, who: Alter) -> Alter:
        at = self._moment(self.start + timedelta(days=30), self.end)
        letters = hashlib.sha256(who.handle.encode()).hexdigest()[:10]
        return replace(who, handle=f"__deleted__{letters}", following_at=at, is_deleted=True)

    def _draw_delay(self) -> tuple[int, bool]:
        """Return seconds to an answer (heavy tail: seconds to weeks), and whether it is a bot's."""
        draw, spread, bot = self.draws.uniform(1)[0], self.draws.normal(1)[0], self.draws.whole
        if draw < AUTOMATIC_SHARE:
            return int(bot(1, 4, 1)[0]), True
        return max(9, int(DELAY_MEDIAN_S * float(np.exp(DELAY_SPREAD * spread)))), False

    def _draw_marks(self, alter: Alter) -> list[tuple[str, datetime]]:
        kind = _MARKED.get(alter.number)
        if kind is None and self.draws.uniform(1)[0] < 0.12:
            kinds = sorted(set(_MARKED.values()))
            kind = kinds[int(self.draws.whole(0, len(kinds), 1)[0])]
        if kind is None or alter.is_deleted or (kind == "blocked" and alter.following_at):
            return []
        return [(kind, self._moment(self.start, self.end))]

    def _add_deeds_before(self, number: int, follow_at: datetime) -> tuple[int, int]:
        """Add what came before a follow; return the ego's acts and the messages exchanged."""
        early = max(self.start, follow_at - timedelta(days=90))
        warm = float(self.draws.normal(1)[0])
        acts = int(self.draws.counts(np.array([np.exp(0.2 + warm)]))[0])
        talk = int(self.draws.counts(np.array([np.exp(-0.9 + float(self.draws.normal(1)[0]))]))[0])
        if follow_at - early < timedelta(hours=1):
            return 0, 0
        self._add_acts(number, acts, early, follow_at)
        self._add_messages(number, talk, early, follow_at)
        return acts, talk

    def _add_deeds_after(self, alter: Alter) -> None:
        """Add what came after the follows: more between mutuals, so it must not be used."""
        known = [at for at in (alter.following_at, alter.follower_at) if at]
        if not known or alter.is_deleted:
            return
        begin = max(known) + timedelta(minutes=1)
        if self.end - begin < timedelta(hours=1):
            return
        closeness = 4.0 if len(known) == 2 else 0.8
        acts, talk = self.draws.counts(np.array([closeness, closeness * 0.6]))
        self._add_acts(alter.number, int(acts), begin, self.end)
        self._add_messages(alter.number, int(talk), begin, self.end)

    def _add_acts(self, number: int, count: int, begin: datetime, end: datetime) -> None:
        weights = np.array([weight for _, _, weight in _DEED_KINDS])
        for place in self.draws.pick(weights, count).tolist():
            kind, where, _ = _DEED_KINDS[place]
            at = self._moment(begin, end)
            self.deeds.append(Deed(len(self.deeds) + 1, EGO, number, kind, where, at))

    def _add_messages(self, number: int, count: int, begin: datetime, end: datetime) -> None:
        for mine, reacts in zip(
            self.draws.chance(0.5, count), self.draws.chance(0.25, count), strict=True
        ):
            actor, target = (EGO, number) if mine else (number, EGO)
            at = self._moment(begin, end)
            deed = Deed(len(self.deeds) + 1, actor, target, "message", "message", at)
            self.deeds.append(deed)
            if reacts:
                self.deeds.append(Deed(len(self.deeds) + 1, target, actor, "reaction", "message",
                                       at, answers=deed.number))  # fmt: skip

    def draw_posts(self, count: int) -> Iterable[OwnPost]:
        """Return the ego's posts, oldest first."""
        moments = sorted(self._moment(self.start, self.end) for _ in range(count))
        formats = ("image", "image", "carousel", "video", "story")
        for number, at in enumerate(moments, 1):
            counts = self.draws.whole(0, 2_000, 3).tolist()
            text = _TEXTS[int(self.draws.whole(0, len(_TEXTS), 1)[0])]
            form = formats[number % len(formats)]
            yield OwnPost(number, at, text and f"{text} {number}", form, number % 4 == 0, *counts)

    def draw_groups(self, count: int, alter_count: int) -> Iterable[Group]:
        """Return conversations of the ego with two alters."""
        for number in range(1, count + 1 if alter_count >= 2 else 1):
            members = (1, 1 + int(self.draws.whole(1, alter_count, 1)[0]))
            said = tuple(
                ((EGO, *members)[turn % 3], self._moment(self.start, self.end)) for turn in range(4)
            )
            yield Group(number, f"Group ☀ {number}", members, said)

    def _moment(self, begin: datetime, end: datetime) -> datetime:
        """Return an unused second between the two."""
        seconds = max(1, int((end - begin).total_seconds()))
        return self._clear(begin + timedelta(seconds=int(self.draws.whole(0, seconds, 1)[0])))

    def _clear(self, at: datetime) -> datetime:
        """Return the moment, or the first second after it that nothing else has."""
        while at in self._used:
            at += timedelta(seconds=1)
        self._used.add(at)
        return at


#: What the first alters are, so that every list has at least one of them.
_PARTS = {1: "oldest", 2: "oldest", 3: "pending", 4: "received", 5: "unfollowed", 12: "deleted",
          13: "fan", 14: "pending", 15: "received", 16: "unfollowed", 17: "fan"}  # fmt: skip
_MARKED = {1: "close_friend", 2: "favorite", 3: "hidden_from", 4: "restricted", 5: "blocked",
           13: "dismissed", 15: "blocked", 16: "dismissed", 17: "muted"}  # fmt: skip
