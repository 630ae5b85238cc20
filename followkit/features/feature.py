"""One entry of the catalogue, and short ways to write the three common kinds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from math import log, prod
from typing import Any, Literal

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

#: Steps that odds ratios are reported for: the words, and the change of the feature.
PER_TENTH = ("per 0.1", 0.1)
PER_TEN_POINTS = ("per 10 percentage points", 0.1)
YES_OR_NO = ("yes against no", 1.0)
PER_UNIT = ("per unit", 1.0)
PER_DOUBLING = ("per doubling", DOUBLING)

#: Alternatives of tables that several features share.
FOLLOWS_OR_COUNTS = ("follows", "account_counts")


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
        False for exact combinations of other features, and for details that refine a headline.
    source
        Literature that used the same quantity; empty where none is claimed.
    parts
        For an interaction: the catalogue features that are multiplied.
    timed_by
        A column that says when the data were read, "accounts.counts_at": without it the feature is
        untimed, with it only what was read before t is used.
    is_sensitive
        About convictions: left out unless asked for, and never shown for a person.
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
    parts: tuple[str, ...] = ()
    timed_by: str = ""
    is_sensitive: bool = False

    def __post_init__(self) -> None:
        """Refuse an entry that readers could not understand or that nothing could check."""
        lacking = [
            what
            for what in ("label", "formula", "unit", "tables", "modes")
            if not getattr(self, what)
        ]
        if self.expected_sign not in (-1, 0, 1):
            lacking.append("expected_sign")
        if not self.unit_scale > 0:
            lacking.append("unit_scale")
        if lacking:
            raise ValueError(f"feature {self.name}: {', '.join(lacking)} must be given")

    def is_untimed_in(self, mode: Mode) -> bool:
        """Return whether the feature may post-date the follow in this mode."""
        return self.is_untimed or mode in self.untimed_modes


def find_side(name: str) -> Side:
    """Return whose feature it is, from the prefix of its name."""
    prefix = name.removeprefix("has_").split("_", maxsplit=1)[0]
    sides: dict[str, Side] = {"initiator": "initiator", "decider": "decider"}
    return sides.get(prefix, "pair")


def _enter(
    name: str,
    claim: str,
    sign: int,
    label: str,
    formula: str,
    unit: tuple[str, float],
    **options: Any,
) -> Feature:
    """Return an entry whose factor and side follow from its claim and name."""
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
        **options,
    )


def graph_feature(
    name: str,
    claim: str,
    sign: int,
    label: str,
    formula: str,
    *,
    unit: tuple[str, float] = PER_DOUBLING,
    tables: tuple[str, ...] = ("follows",),
    in_model: bool = True,
    source: str = "",
) -> Feature:
    """Return a feature of the follow graph: every mode, never untimed."""
    return _enter(
        name, claim, sign, label, formula, unit,
        tables=tables, modes=ALL_MODES, in_model=in_model, source=source,
    )  # fmt: skip


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
    in_model: bool = True,
) -> Feature:
    """Return a feature of posts or interactions: before t, or of unknown order in a snapshot."""
    return _enter(
        name, claim, sign, label, formula, unit,
        tables=tables, modes=ALL_MODES if in_snapshots else DATED_MODES,
        untimed_modes=("snapshot",) if in_snapshots else (), in_model=in_model,
    )  # fmt: skip


def untimed_feature(
    name: str,
    claim: str,
    label: str,
    formula: str,
    *,
    unit: tuple[str, float],
    tables: tuple[str, ...],
    in_model: bool = True,
) -> Feature:
    """Return a feature that carries no time at all and may post-date the answer."""
    return _enter(
        name, claim, 1, label, formula, unit,
        tables=tables, modes=ALL_MODES, is_untimed=True, in_model=in_model,
    )  # fmt: skip


def profile_feature(
    name: str,
    claim: str,
    sign: int,
    label: str,
    formula: str,
    *,
    unit: tuple[str, float],
    tables: tuple[str, ...],
    in_model: bool = True,
    is_sensitive: bool = False,
) -> Feature:
    """Return a feature of profiles: dated by `accounts.counts_at`, and untimed without it."""
    return _enter(
        name, claim, sign, label, formula, unit,
        tables=tables, modes=ALL_MODES, is_untimed=True, in_model=in_model,
        timed_by="accounts.counts_at", is_sensitive=is_sensitive,
    )  # fmt: skip


@dataclass(frozen=True)
class Product:
    """An interaction to be: the product of catalogue features, of whatever factors.

    `parts` are names; the entry is made when all features are known (`multiply_entries`). It needs
    what its parts need, and is untimed or sensitive where one of them is.
    """

    name: str
    claim: str
    expected_sign: int
    label: str
    parts: tuple[str, ...]
    in_model: bool = False
    source: str = ""


def multiply_entries(interaction: Product, catalogue: Mapping[str, Feature]) -> Feature:
    """Return the catalogue entry of an interaction.

    Raises
    ------
    ValueError
        If it multiplies something that is no entry.
    """
    unknown = [part for part in interaction.parts if part not in catalogue]
    if unknown:
        raise ValueError(f"feature {interaction.name}: its part {unknown[0]} is no feature")
    parts = [catalogue[name] for name in interaction.parts]
    needs = ("+".join(option).split("+") for option in product(*(part.tables for part in parts)))
    modes = tuple(mode for mode in ALL_MODES if all(mode in part.modes for part in parts))
    sides = {part.side for part in parts}
    return Feature(
        name=interaction.name,
        factor=int(interaction.claim[0]),
        claim=interaction.claim,
        side=sides.pop() if len(sides) == 1 else "pair",
        label=interaction.label,
        formula=" × ".join(interaction.parts),
        unit=f"for {', and '.join(part.unit for part in parts)}",
        unit_scale=prod(part.unit_scale for part in parts),
        expected_sign=interaction.expected_sign,
        tables=tuple(dict.fromkeys("+".join(dict.fromkeys(option)) for option in needs)),
        modes=modes,
        is_untimed=any(part.is_untimed for part in parts),
        untimed_modes=tuple(m for m in modes if any(m in part.untimed_modes for part in parts)),
        in_model=interaction.in_model,
        source=interaction.source,
        parts=interaction.parts,
        timed_by=next((part.timed_by for part in parts if part.timed_by), ""),
        is_sensitive=any(part.is_sensitive for part in parts),
    )
