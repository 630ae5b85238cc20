"""What an initiator can change: raw quantities, the columns that depend on them, and levers.

A change is made to what an initiator could count (posts a week, accounts followed), never to one
column alone: every column that depends on the quantity moves with it. Columns that cannot be
worked out anew from the others (ranks in the whole graph, entropies) stay as observed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit.effects import SQUARED
from followkit.errors import ParameterError, suggest
from followkit.features import CATALOGUE
from followkit.features.ratio import exceed_threshold

FloatArray = npt.NDArray[np.float64]
FlagArray = npt.NDArray[np.bool_]
Operation = Literal["add", "multiply", "set"]
Scale = Literal["plain", "log", "log1p"]

WEEKS = 4.0
STEADY_WEEKS = 12.0
WEEK_DAYS = 7.0
#: Smaller than any count or rate that data can show; logarithms and back leave less than this.
NOTHING = 1e-9
#: Columns of something per 100 followers: more followers with the same engagement lower them.
PER_FOLLOWER = ("initiator_first_hour_engagement_log", "initiator_engagement_rate_log")

Recipe = tuple[tuple[str, ...], Callable[..., FloatArray]]
#: Columns made of others by a formula of their own; squares and products need no entry.
RECIPES: Mapping[str, Recipe] = {
    "initiator_spam_excess": (
        ("initiator_ratio_log",),
        exceed_threshold,
    ),
    "initiator_spam_score": (
        ("initiator_ratio_log", "initiator_originality_share"),
        lambda ratio, share: exceed_threshold(ratio) * (1.0 - share),
    ),
}


@dataclass(frozen=True)
class Quantity:
    """Something that can be counted about an initiator, and the column that holds it."""

    label: str
    column: str
    scale: Scale = "plain"
    low: float = 0.0
    high: float = 1.0

    def from_column(self, values: FloatArray) -> FloatArray:
        """Return the quantity itself."""
        if self.scale == "plain":
            return values
        return np.exp(values) if self.scale == "log" else np.expm1(values)

    def to_column(self, raw: FloatArray) -> FloatArray:
        """Return the column's values."""
        if self.scale == "plain":
            return raw
        return np.log(raw) if self.scale == "log" else np.log1p(raw)


def _count(label: str, column: str) -> Quantity:
    return Quantity(label, column, "log1p", high=np.inf)


#: What can be changed, by name.
QUANTITIES: Mapping[str, Quantity] = {
    "posts_per_week": _count("posts per week", "initiator_posts_per_week_log"),
    "posting_weeks_share": Quantity(
        "share of weeks with a post", "initiator_posting_weeks_share"
    ),
    "days_since_action": _count("days since the last action", "initiator_days_since_action_log"),
    "acts_per_week": _count("acts towards others per week", "initiator_acts_per_week_log"),
    "acting_weeks_share": Quantity("share of weeks with an act", "initiator_acting_weeks_share"),
    "acts_to_decider": _count("acts towards the decider", "dyad_acts_to_decider_log"),
    "on_topic_acts_share": Quantity(
        "share of acts on the decider's topic", "dyad_on_topic_acts_share"
    ),
    "followers": _count("followers of the initiator", "initiator_follower_count_log"),
    "followees": _count("accounts that the initiator follows", "initiator_followee_count_log"),
    "follower_ratio": Quantity(
        "followers per followee, by following more or fewer accounts", "initiator_ratio_log",
        "log", low=NOTHING, high=np.inf,
    ),
    "originality_share": Quantity("share of original posts", "initiator_originality_share"),
    "topic_cosine": Quantity("topic similarity of the posts", "dyad_topic_cosine"),
    "bio_cosine": Quantity("similarity of the bios", "dyad_bio_cosine"),
    "hashtag_mix": Quantity("mix of niche and trending tags", "initiator_hashtag_mix"),
    "promotional_share": Quantity("share of promotional posts", "initiator_promotional_share"),
    "metric_response": Quantity("response to its metrics", "initiator_metric_response", low=-1.0),
}  # fmt: skip


#: Features that an initiator can move by what it does before it follows. Followers are not its own.
CONTROLLABLE = frozenset(
    {quantity.column for name, quantity in QUANTITIES.items() if name != "followers"}
    | {"dyad_has_contact_7d", "initiator_spam_excess", "initiator_spam_score"}
)


@dataclass(frozen=True)
class Change:
    """One change of a raw quantity.

    Attributes
    ----------
    quantity
        A name in `QUANTITIES`.
    operation
        add, multiply or set.
    value
        In the unit of the quantity; shares from 0 to 1.

    Raises
    ------
    ParameterError
        If the quantity or operation is unknown, or the value cannot be used.

    Examples
    --------
    >>> Change("followees", "multiply", 0.8).apply(np.array([100.0, 5.0])).tolist()
    [80.0, 4.0]
    """

    quantity: str
    operation: Operation
    value: float

    def __post_init__(self) -> None:
        """Refuse what cannot be carried out."""
        if self.quantity not in QUANTITIES:
            raise ParameterError(
                f"quantity: {self.quantity!r} cannot be changed; "
                f"{suggest(self.quantity, list(QUANTITIES))}"
            )
        operations = get_args(Operation)
        if self.operation not in operations:
            raise ParameterError(
                f"operation: {self.operation!r} is unknown; {suggest(self.operation, operations)}"
            )
        if not np.isfinite(self.value) or (self.operation == "multiply" and self.value < 0):
            raise ParameterError(
                f"value: {self.quantity} cannot {self.operation} {self.value}; give a finite "
                "number, and 0 or more to multiply by"
            )

    def apply(self, raw: FloatArray) -> FloatArray:
        """Return the changed quantity, kept within its logical limits."""
        quantity = QUANTITIES[self.quantity]
        changed = {
            "add": raw + self.value, "multiply": raw * self.value,
            "set": np.where(np.isnan(raw), np.nan, self.value),
        }[self.operation]  # fmt: skip
        return np.clip(changed, quantity.low, quantity.high)


@dataclass(frozen=True)
class Lever:
    """A piece of advice as a change of raw quantities.

    Attributes
    ----------
    name, label
        A short name, and plain words.
    claims
        The claims that it puts a number on.
    changes
        Carried out one after the other.
    """

    name: str
    label: str
    claims: tuple[str, ...]
    changes: tuple[Change, ...]


def _lever(
    name: str, label: str, claims: str, quantity: str, operation: Operation, value: float
) -> Lever:
    return Lever(name, label, tuple(claims.split()), (Change(quantity, operation, value),))


LEVERS: tuple[Lever, ...] = (
    _lever("more_original_posts", "10 percentage points more original posts",
           "1a", "originality_share", "add", 0.1),
    _lever("closer_topics", "posts 0.1 closer to the decider's topics",
           "2a", "topic_cosine", "add", 0.1),
    _lever("closer_bio", "a bio 0.1 closer to the decider's",
           "2b", "bio_cosine", "add", 0.1),
    _lever("approach", "one more act towards the decider in the week before following",
           "6a 6b", "acts_to_decider", "add", 1.0),
    _lever("acts_on_topic", "10 percentage points more acts on posts about the decider's topic",
           "6a 6b", "on_topic_acts_share", "add", 0.1),
    _lever("balanced_ratio", "as many accounts followed as followers",
           "3e 3f", "follower_ratio", "set", 1.0),
    _lever("fewer_followees", "following a fifth fewer accounts",
           "3e 3f", "followees", "multiply", 0.8),
    _lever("one_more_post", "one more post a week",
           "5a", "posts_per_week", "add", 1.0),
    _lever("twice_the_posts", "posting twice as often",
           "5a", "posts_per_week", "multiply", 2.0),
    _lever("steadier_posts", "one more week in four with a post",
           "5a 6d", "posting_weeks_share", "add", 0.25),
    _lever("even_hashtags", "an even mix of niche and trending tags",
           "9c", "hashtag_mix", "set", 1.0),
    _lever("less_promotion", "20 percentage points fewer promotional posts",
           "6c", "promotional_share", "add", -0.2),
    _lever("follow_metrics", "a response to its metrics higher by 0.25 (on a scale from −1 to 1)",
           "6e", "metric_response", "add", 0.25),
)  # fmt: skip


class RawQuantities:
    """Feature columns seen as the raw quantities behind them.

    Parameters
    ----------
    features
        Columns with catalogue names, one row a dyad. The table itself is not changed.

    Attributes
    ----------
    columns
        The columns, with all changes so far.
    moved
        Names of all columns that a change moves, those that are not there included.

    Examples
    --------
    >>> table = pd.DataFrame({"initiator_posts_per_week_log": np.log1p([0.5, 2.0])})
    >>> raw = RawQuantities(table)
    >>> raw.change(Change("posts_per_week", "add", 1.0))
    >>> raw.read("posts_per_week").round(9).tolist()
    [1.5, 3.0]
    """

    def __init__(self, features: pd.DataFrame) -> None:
        numbers = features.select_dtypes(["number", "bool"])
        self.columns: dict[str, FloatArray] = {
            str(name): numbers[name].to_numpy(float) for name in numbers.columns
        }
        self.moved: set[str] = set()
        self._complete_counts()

    def _complete_counts(self) -> None:
        """Work out which of followers, followees and ratio the other two give."""
        have = self.columns
        followers, followees, ratio = (
            QUANTITIES[name].column for name in ("followers", "followees", "follower_ratio")
        )
        if ratio in have and followees in have:
            have.setdefault(followers, have[ratio] + have[followees])
        if ratio in have and followers in have:
            have.setdefault(followees, have[followers] - have[ratio])
        if followers in have and followees in have:
            have.setdefault(ratio, have[followers] - have[followees])

    def read(self, name: str) -> FloatArray:
        """Return a quantity in its own unit."""
        quantity = QUANTITIES[name]
        return quantity.from_column(self.columns[quantity.column])

    def change(self, change: Change) -> None:
        """Change one quantity and every column that depends on it.

        Squares and products are left to `rebuild`.

        Raises
        ------
        KeyError
            If the quantity cannot be worked out from the columns.
        """
        before = self.read(change.quantity)
        after = change.apply(before)
        self._write(change.quantity, before, after)
        follow_up = _FOLLOW_UPS.get(change.quantity)
        if follow_up:
            follow_up(self, before, self.read(change.quantity))

    def rebuild(self, name: str) -> FloatArray:
        """Return a column after the changes, made anew if it is made of columns that moved."""
        if name in self.moved or not self.depends(name):
            return self.columns[name]
        parts, make = _find_recipe(name)
        return make(*map(self.rebuild, parts))

    def depends(self, name: str) -> bool:
        """Return whether a column, or anything that it is made of, has moved."""
        return name in self.moved or any(map(self.depends, _find_recipe(name)[0]))

    def find_lacking(self, name: str) -> str:
        """Return a column that `rebuild` would need and the table lacks; empty if there is none."""
        if name in self.moved or not self.depends(name):
            return "" if name in self.columns else name
        return next(filter(None, map(self.find_lacking, _find_recipe(name)[0])), "")

    def bound(self, name: str, where: FlagArray, *, low: Any = -np.inf, high: Any = np.inf) -> None:
        """Keep a quantity within limits in some rows, if it is there, and nothing else."""
        quantity = QUANTITIES[name]
        self.moved.add(quantity.column)
        if quantity.column in self.columns:
            before = self.read(name)
            self._write(name, before, np.where(where, np.clip(before, low, high), before))

    def shift(self, column: str, by: FloatArray) -> None:
        """Add to a column, if it is there."""
        self.moved.add(column)
        if column in self.columns:
            self.columns[column] = self.columns[column] + by

    def put(self, column: str, where: FlagArray, values: Any) -> None:
        """Write values into some rows of a column, if it is there."""
        self.moved.add(column)
        if column in self.columns:
            self.columns[column] = np.where(where, values, self.columns[column])

    def _write(self, name: str, before: FloatArray, after: FloatArray) -> None:
        # Rows that stay keep their very bits, so that they do not count as changed.
        self.put(QUANTITIES[name].column, after != before, QUANTITIES[name].to_column(after))


def _find_recipe(name: str) -> Recipe:
    """Return the columns that a column is made of, if of any, and how it is made."""
    if name in RECIPES:
        return RECIPES[name]
    if name.endswith(SQUARED):
        return (name.removesuffix(SQUARED),), np.square
    parts = CATALOGUE[name].parts if name in CATALOGUE else ()
    return parts, lambda *values: np.prod(values, axis=0)


def _after_rate(raw: RawQuantities, before: FloatArray, after: FloatArray, *, weeks: str) -> None:
    """Spread added posts or acts over the weeks; the last one lies at most one gap back."""
    more = after > before
    busy = np.minimum(WEEKS * (after - before), WEEKS)
    raw.bound(weeks, more, low=busy / STEADY_WEEKS)
    _act_lately(raw, more, after)


def _after_weeks(raw: RawQuantities, before: FloatArray, after: FloatArray, *, rate: str) -> None:
    """Put a post or an act at least into each week that has one."""
    more = after > before
    raw.bound(rate, more, low=after)
    _act_lately(raw, more, after)


def _after_silence(raw: RawQuantities, before: FloatArray, after: FloatArray) -> None:
    """Take away what was posted and done within a silence that grew longer."""
    longer = after > before
    raw.bound("posting_weeks_share", longer, high=_weeks_left(after))
    raw.bound("acting_weeks_share", longer, high=_weeks_left(after))
    whole = longer & (after >= WEEKS * WEEK_DAYS)
    for name in ("posts_per_week", "acts_per_week", "acts_to_decider"):
        raw.bound(name, whole, high=0.0)
    raw.put("dyad_has_contact_7d", longer & (after >= WEEK_DAYS), 0.0)


def _weeks_left(silent_days: FloatArray) -> FloatArray:
    """Return the share of the last 12 weeks that lie before a silence of so many days."""
    return np.maximum(1.0 - np.floor(silent_days / WEEK_DAYS) / STEADY_WEEKS, 0.0)


def _act_lately(raw: RawQuantities, where: FlagArray, per_week: FloatArray) -> None:
    """Bring the last action no further back than the gap between evenly spread ones."""
    gap = WEEK_DAYS / np.maximum(per_week, NOTHING)
    raw.bound("days_since_action", where, high=gap)


def _after_acts_to_decider(raw: RawQuantities, before: FloatArray, after: FloatArray) -> None:
    """Make added acts in the week before the follow; they are acts towards others too."""
    more = after > before
    column = "dyad_has_contact_7d"
    raw.put(column, more & (after > 1 - NOTHING), 1.0)
    raw.put(column, (after < NOTHING) & (before > after), 0.0)
    acts = QUANTITIES["acts_per_week"]
    raw.moved.add(acts.column)
    if acts.column in raw.columns:
        per_week = raw.read("acts_per_week")
        moved = np.maximum(per_week + (after - before) / WEEKS, 0.0)
        raw.bound("acts_per_week", after != before, low=moved, high=moved)
    raw.bound("acting_weeks_share", more, low=1.0 / STEADY_WEEKS)
    raw.bound("days_since_action", more, high=WEEK_DAYS)


def _after_followers(raw: RawQuantities, before: FloatArray, after: FloatArray) -> None:
    """Move ratio, gaps and what is counted per follower; the same engagement is spread wider."""
    by = np.log1p(after) - np.log1p(before)
    raw.shift("initiator_ratio_log", by)
    raw.shift("dyad_follower_gap_log", -by)
    raw.shift("dyad_ratio_gap", -by)
    for column in PER_FOLLOWER:
        rate = np.expm1(raw.columns.get(column, np.zeros_like(by)))
        spread = rate * np.maximum(before, 1.0) / np.maximum(after, 1.0)
        raw.put(column, after != before, np.log1p(spread))


def _after_followees(raw: RawQuantities, before: FloatArray, after: FloatArray) -> None:
    by = np.log1p(after) - np.log1p(before)
    raw.shift("initiator_ratio_log", -by)
    raw.shift("dyad_ratio_gap", by)


def _after_ratio(raw: RawQuantities, before: FloatArray, after: FloatArray) -> None:
    """Reach the ratio through accounts followed, of which there cannot be fewer than none."""
    by = np.log(after) - np.log(before)
    column = QUANTITIES["followees"].column
    if column in raw.columns:
        most = raw.columns[column]
        raw.shift("initiator_ratio_log", np.minimum(most - by, 0.0))
        by = np.minimum(by, most)
    raw.shift(column, -by)
    raw.shift("dyad_ratio_gap", -by)


_FOLLOW_UPS: Mapping[str, Callable[[RawQuantities, FloatArray, FloatArray], None]] = {
    "posts_per_week": partial(_after_rate, weeks="posting_weeks_share"),
    "posting_weeks_share": partial(_after_weeks, rate="posts_per_week"),
    "acts_per_week": partial(_after_rate, weeks="acting_weeks_share"),
    "acting_weeks_share": partial(_after_weeks, rate="acts_per_week"),
    "acts_to_decider": _after_acts_to_decider,
    "days_since_action": _after_silence,
    "followers": _after_followers,
    "followees": _after_followees,
    "follower_ratio": _after_ratio,
}
