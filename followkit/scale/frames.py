"""The tables that tabular features are made from, and the few words all engines share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import narwhals as nw

Frame = nw.LazyFrame[Any]
Mode = Literal["timed", "crawl", "snapshot"]
#: Stores an interim table under a name and returns it, ready to be read more than once.
Keep = Callable[[Frame, str], Frame]

DAY_US = 86_400_000_000
HOUR_US = DAY_US // 24
#: Earlier than any moment; far enough from the smallest integer to be subtracted from.
LONG_AGO_US = -(2**61)
FAR_AHEAD_US = 2**61
#: One number a dyad: initiator × 2³¹ + decider.
ROW_BASE = 2**31

#: Acts that one account directs at another, as in `followkit.features.context`.
ACT_KINDS = ("like", "comment", "reply", "mention", "share", "save", "message")
#: Kinds of contact counted apart, as in `followkit.features.visibility`.
CONTACTS: Mapping[str, tuple[str, ...]] = {
    "like": ("like",),
    "comment": ("comment", "reply"),
    "message": ("mention", "message"),
    "share": ("share", "save"),
}
WINDOW_DAYS = 28
WEEKS = 12
PRIOR = 10.0
SIDES = ("initiator", "decider")
EVENT_TABLES = ("posts", "interactions", "follows")

#: Integer columns of every result beside the features.
KEY_COLUMNS = ("initiator", "decider", "at_us", "fold", "outcome")
DEGREES = tuple(f"{side}_{kind}_count" for side in SIDES for kind in ("followee", "follower"))


@dataclass(frozen=True)
class Tables:
    """What features are made from: lazy frames of codes and integer microseconds (UTC).

    Attributes
    ----------
    mode
        Which rule keeps the answer out.
    dyads
        initiator, decider, fold, outcome and, but for a snapshot, at_us; no pair twice.
    ties
        source, target; in a snapshot also fold and is_mutual; timed: start_us and, with
        `has_spells`, end_us (null: not seen to end).
    has_spells
        Whether a tie may end or come twice.
    opens_ties
        Timed: every dyad's t is the moment its own tie began. Degrees then are two ranks.
    posts
        account, at_us.
    acts
        actor, target, at_us, amount, kind; acts of `ACT_KINDS` towards others, none without time.
    seen
        Name of a table → account, from_us, until_us: when it was visible. A table without an
        entry covers every account from its first row on.
    horizon_us
        The horizon, for past answers.
    """

    mode: Mode
    dyads: Frame
    ties: Frame
    has_spells: bool = False
    opens_ties: bool = False
    posts: Frame | None = None
    acts: Frame | None = None
    seen: Mapping[str, Frame] = field(default_factory=dict)
    horizon_us: int = 0


def keep_nothing(frame: Frame, name: str) -> Frame:
    """Return the frame as it is: for engines that compute at once."""
    del name
    return frame


# -- small words that all engines share ------------------------------------------------------------


def as_int(name: str) -> nw.Expr:
    """Return a column as int64."""
    return nw.col(name).cast(nw.Int64)


def number(value: int = 0) -> nw.Expr:
    """Return an int64 constant."""
    return nw.lit(value, nw.Int64)


def filled(name: str, value: int = 0) -> nw.Expr:
    """Return an integer column with nulls (of a left join) replaced."""
    return nw.col(name).fill_null(value).cast(nw.Int64)


def row_number() -> nw.Expr:
    """Return the number of a dyad: initiator × 2³¹ + decider."""
    return as_int("initiator") * ROW_BASE + as_int("decider")


def sum_by(frame: Frame, keys: Sequence[str], names: Sequence[str]) -> Frame:
    """Return integer sums by keys. Plain sums, which pandas has a fast way for."""
    sums = frame.group_by(*keys).agg(*(nw.col(name).sum() for name in names))
    # DuckDB adds integers up in 128 bits.
    return sums.select(*keys, *(as_int(name) for name in names))


def log1p(value: nw.Expr) -> nw.Expr:
    """Return log(1 + value)."""
    return (value.cast(nw.Float64) + 1.0).log()


def join_rows(dyads: Frame, counted: Sequence[Frame], keep: Keep = keep_nothing) -> Frame:
    """Join what was counted for each dyad, one table at a time.

    Stored in between, since the hash tables of all joins at once may be more than the memory.
    """
    dyads = dyads.with_columns(row=row_number())
    for place, frame in enumerate(counted):
        dyads = keep(dyads.join(frame, on="row", how="left"), f"joined_{place}")
    return dyads.drop("row")
