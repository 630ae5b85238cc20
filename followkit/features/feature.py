"""One entry of the catalogue, and short ways to write the three common kinds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import Literal

Mode = Literal["timed", "crawl", "snapshot"]
Side = Literal["initiator", "decider", "pair"]

ALL_MODES: tuple[Mode, ...] = ("timed", "crawl", "snapshot")
DATED_MODES: tuple[Mode, ...] = ("timed", "crawl")

FACTORS: Mapping[int, str] = {
    1: "Perceived account worth",
    2: "Content relevance",
    3: "Follower ratio",
    4: "Algorithmic visibility",
    5: "Account activity",
    6: "Engagement strategy",
    7: "Personal preferences",
    8: "Network influence",
    9: "Audience targeting",
}

DOUBLING = log(2.0)


@dataclass(frozen=True)
class Feature:
    """One entry of the catalogue.

    Attributes
    ----------
    name
        Column name; the prefix says whose feature it is.
    factor, claim
        The factor (1 to 9) and the claim that the feature measures ("3a").
    side
        Who carries it: the initiator, the decider or the pair.
    label
        Plain words for readers.
    formula
        How it is computed; windows and the treatment of missing data included.
    unit, unit_scale
        The step that an odds ratio is reported for, in words and as a change of the feature.
    expected_sign
        +1, −1, or 0 where no claim is made.
    tables
        Alternatives, any of which suffices; "posts.text" asks for a column, "a+b" for both.
    modes
        Where it can be computed: timed follows, a baseline crawl, one snapshot.
    is_untimed
        Made from data whose moment is unknown in every mode; left out unless allowed.
    untimed_modes
        Modes in which the moment is unknown although the data carry times (a snapshot has no t).
    in_model
        False for exact combinations of other features.
    source
        Literature that used the same quantity; empty where none is claimed.
    """

    name: str
    factor: int
    claim: str
    side: Side
    label: str
    formula: str
    unit: str
    unit_scale: float
    expected_sign: int
    tables: tuple[str, ...]
    modes: tuple[Mode, ...]
    is_untimed: bool = False
    untimed_modes: tuple[Mode, ...] = ()
    in_model: bool = True
    source: str = ""

    def is_untimed_in(self, mode: Mode) -> bool:
        """Return whether the feature may post-date the follow in this mode."""
        return self.is_untimed or mode in self.untimed_modes


def find_side(name: str) -> Side:
    """Return whose feature it is, from the prefix of its name."""
    prefix = name.removeprefix("has_").split("_", maxsplit=1)[0]
    sides: dict[str, Side] = {"initiator": "initiator", "decider": "decider"}
    return sides.get(prefix, "pair")


def graph_feature(
    name: str,
    claim: str,
    sign: int,
    label: str,
    formula: str,
    *,
    unit: tuple[str, float] = ("per doubling", DOUBLING),
    tables: tuple[str, ...] = ("follows",),
    in_model: bool = True,
    source: str = "",
) -> Feature:
    """Return a feature of the follow graph: every mode, never untimed."""
    return Feature(
        name=name,
        factor=int(claim[0]),
        claim=claim,
        side=find_side(name),
        label=label,
        formula=formula,
        unit=unit[0],
        unit_scale=unit[1],
        expected_sign=sign,
        tables=tables,
        modes=ALL_MODES,
        in_model=in_model,
        source=source,
    )


def dated_feature(
    name: str,
    claim: str,
    sign: int,
    label: str,
    formula: str,
    *,
    unit: tuple[str, float],
    tables: tuple[str, ...],
    in_snapshots: bool = False,
) -> Feature:
    """Return a feature of posts or interactions: before t, or of unknown order in a snapshot."""
    return Feature(
        name=name,
        factor=int(claim[0]),
        claim=claim,
        side=find_side(name),
        label=label,
        formula=formula,
        unit=unit[0],
        unit_scale=unit[1],
        expected_sign=sign,
        tables=tables,
        modes=ALL_MODES if in_snapshots else DATED_MODES,
        untimed_modes=("snapshot",) if in_snapshots else (),
    )


def untimed_feature(
    name: str,
    claim: str,
    label: str,
    formula: str,
    *,
    unit: tuple[str, float],
    tables: tuple[str, ...],
) -> Feature:
    """Return a feature that carries no time at all and may post-date the answer."""
    return Feature(
        name=name,
        factor=int(claim[0]),
        claim=claim,
        side=find_side(name),
        label=label,
        formula=formula,
        unit=unit[0],
        unit_scale=unit[1],
        expected_sign=1,
        tables=tables,
        modes=ALL_MODES,
        is_untimed=True,
    )
