"""Features of dyads: one module a factor, one catalogue entry a feature, one leakage rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pandas as pd

from followkit.dyads import DyadSet
from followkit.errors import ParameterError, suggest
from followkit.features.catalogue import (
    CATALOGUE,
    CLAIMS,
    FACTORS,
    FUNCTIONS,
    Feature,
    Mode,
)
from followkit.features.claim import Claim
from followkit.features.context import TIME_COLUMNS, make_contexts
from followkit.features.texts import Vectors
from followkit.features.ties import is_export
from followkit.tables import Dataset

__all__ = [
    "CATALOGUE",
    "CLAIMS",
    "FACTORS",
    "FUNCTIONS",
    "Claim",
    "Feature",
    "FeatureTable",
    "describe_catalogue",
    "find_reason",
    "make_features",
]


@dataclass(frozen=True)
class FeatureTable:
    """Features of dyads, and what could not be computed.

    Attributes
    ----------
    values
        float64, one row a dyad (index `dyad_id`), columns in catalogue order. NaN: unknown for
        this dyad (not watched, or before the first block); nothing is imputed here.
    missing
        feature, claim, reason: the catalogue entries that these data cannot give.
    notes
        Sentences about how the features were made.
    untimed
        Names of columns that may post-date the follow; only with `allow_untimed=True`.
    """

    values: pd.DataFrame
    missing: pd.DataFrame
    notes: tuple[str, ...] = ()
    untimed: tuple[str, ...] = ()


def make_features(
    dyads: DyadSet,
    dataset: Dataset,
    *,
    names: Sequence[str] | None = None,
    allow_untimed: bool = False,
    allow_sensitive: bool = False,
    vectors: Vectors = "auto",
) -> FeatureTable:
    """Compute catalogue features of dyads from what happened before each dyad, and only that.

    Parameters
    ----------
    dyads
        Dyads with their folds; `dyads.asof` says which rule keeps the answer out: strictly
        before t (timed), the ties standing at a crawl without the pair's own two (crawl), or the
        graph without any tie of the dyad's fold (snapshot).
    dataset
        The tables that the dyads were made from. All times are UTC.
    names
        Catalogue names; all by default.
    allow_untimed
        Also compute features whose moment is unknown. They are listed in `untimed` and belong
        outside claims and what-if.
    allow_sensitive
        Also compute features of convictions (stance).
    vectors
        How texts become vectors: words (TF-IDF), columns (embeddings of the user's own), wordllama
        (static word embeddings, an extra); auto takes declared columns, else words.

    Returns
    -------
    FeatureTable
        Values in catalogue order, the features that are missing with the reason, and notes.

    Raises
    ------
    ParameterError
        If a name is not in the catalogue.

    Examples
    --------
    >>> import pandas as pd
    >>> from followkit.dyads import make_dyads
    >>> from followkit.tables import make_dataset
    >>> edges = [("a", "b"), ("b", "a"), ("a", "c"), ("c", "b"), ("d", "b")]
    >>> follows = pd.DataFrame(edges, columns=["follower_id", "followee_id"])
    >>> data = make_dataset({"follows": follows})
    >>> dyads = make_dyads(data, "mutuality", fold_count=2)
    >>> table = make_features(dyads, data, names=["decider_ratio_log", "dyad_topic_cosine"])
    >>> list(table.values.columns), len(table.values)
    (['decider_ratio_log'], 5)
    >>> table.missing["reason"].tolist()
    ['needs posts with text']
    """
    chosen = _choose(names)
    reasons = {
        name: find_reason(
            CATALOGUE[name], dataset, dyads.asof,
            allow_untimed=allow_untimed, allow_sensitive=allow_sensitive,
        )
        for name in chosen
    }  # fmt: skip
    kept = [name for name in chosen if not reasons[name]]
    columns = {name: np.full(len(dyads.table), np.nan) for name in kept}
    for rows, context in make_contexts(dyads, dataset, FUNCTIONS, vectors):
        for name in kept:
            columns[name][rows] = context.feature(name)
    index = pd.Index(dyads.table["dyad_id"].to_numpy(), name="dyad_id")
    values = pd.DataFrame(columns, index=index, columns=kept, dtype=np.float64)
    untimed = tuple(name for name in kept if is_untimed(CATALOGUE[name], dataset, dyads.asof))
    return FeatureTable(
        values, _missing_frame(reasons), _describe_making(dyads, dataset, untimed), untimed
    )


def _choose(names: Sequence[str] | None) -> list[str]:
    if names is None:
        return list(CATALOGUE)
    unknown = [name for name in names if name not in CATALOGUE]
    if unknown:
        first = suggest(unknown[0], list(CATALOGUE))
        raise ParameterError(f"names: no feature is called {', '.join(unknown)}; {first}")
    return [name for name in CATALOGUE if name in set(names)]


def find_reason(
    feature: Feature,
    dataset: Dataset,
    mode: Mode,
    *,
    allow_untimed: bool = False,
    allow_sensitive: bool = False,
) -> str:
    """Return "" when the data can give the feature, else why not ("needs posts with text")."""
    if not any(_has_tables(option, dataset, mode) for option in feature.tables):
        return "needs " + " or ".join(_describe_need(option) for option in feature.tables)
    if mode not in feature.modes:
        return "needs follow times"
    if feature.is_sensitive and not allow_sensitive:
        return "about convictions: only with allow_sensitive"
    if is_untimed(feature, dataset, mode) and not allow_untimed:
        return "untimed: only with allow_untimed"
    return ""


def is_untimed(feature: Feature, dataset: Dataset, mode: Mode) -> bool:
    """Return whether what these data say about the feature may post-date the follow."""
    table, _, column = feature.timed_by.partition(".")
    if table and mode != "snapshot" and dataset.has(table, column):
        return mode in feature.untimed_modes
    return feature.is_untimed_in(mode)


def _has_tables(option: str, dataset: Dataset, mode: Mode) -> bool:
    """Return whether the data hold every table and column of one alternative."""
    for need in option.split("+"):
        table, _, column = need.partition(".")
        if not dataset.has(table, *([column] if column else [])):
            return False
        # A feature of dated dyads can only use rows whose own moment is known, and at a crawl
        # the times of follows are not used at all.
        if column and mode != "snapshot":
            moment = TIME_COLUMNS.get(table)
            if moment and not dataset.has(table, moment):
                return False
            if table == "follows" and mode != "timed":
                return False
    return True


def _describe_need(option: str) -> str:
    words = []
    for need in option.split("+"):
        table, _, column = need.partition(".")
        is_moment = column == TIME_COLUMNS.get(table)
        detail = " with times" if is_moment else f" with {column}" if column else ""
        words.append(f"{table.replace('_', ' ')}{detail}")
    return " and ".join(words)


def _missing_frame(reasons: Mapping[str, str]) -> pd.DataFrame:
    rows = [(name, CATALOGUE[name].claim, why) for name, why in reasons.items() if why]
    return pd.DataFrame(rows, columns=["feature", "claim", "reason"])


def _describe_making(dyads: DyadSet, dataset: Dataset, untimed: Sequence[str]) -> tuple[str, ...]:
    ways = {
        "timed": "Every feature uses only what happened strictly before the follow.",
        "crawl": "Every feature uses only the baseline crawl, without the pair's own two ties.",
        "snapshot": "Every feature is computed on the graph without any tie of the dyad's fold.",
    }
    notes = [ways[dyads.asof]]
    if dyads.asof != "snapshot" and is_export(dyads.table) and dataset.has("account_counts"):
        notes.append(
            "One account is in half of the dyads or more, so follower counts are the platform's "
            "own figures, the last ones before the follow."
        )
    if untimed:
        notes.append(f"Order unknown, may post-date the answer: {', '.join(untimed)}.")
    return tuple(notes)


def describe_catalogue() -> str:
    """Return the catalogue as a Markdown page, factor by factor.

    Examples
    --------
    >>> describe_catalogue().splitlines()[0]
    '# Features'
    """
    lines = [
        "# Features",
        "",
        "Written by `python -m followkit.features` from the catalogue; edit that instead.",
        "A follows B: A is the initiator, B the decider, t the moment of the follow, H the",
        "horizon. Features use only what happened before t, and never the pair's own two ties.",
        "Modes: *timed* (as of t), *crawl* (ties standing at a baseline crawl), *snapshot*",
        "(the graph without the dyad's fold). Sign: what the claim expects.",
    ]
    for factor, title in FACTORS.items():
        entries = [entry for entry in CATALOGUE.values() if entry.factor == factor]
        if entries:
            lines += ["", f"## {factor} {title}"]
            lines += chain.from_iterable(_describe_entry(entry) for entry in entries)
    return "\n".join(lines) + "\n"


def _describe_entry(entry: Feature) -> list[str]:
    sign = {1: "+", -1: "−", 0: "none"}[entry.expected_sign]
    needs = " or ".join(_describe_need(option) for option in entry.tables)
    modes = [
        f"{mode} (untimed)" if entry.is_untimed_in(mode) else str(mode) for mode in entry.modes
    ]
    if entry.timed_by:
        modes.append(f"dated where {entry.timed_by} says when it was read")
    lines = [
        "",
        f"### `{entry.name}`",
        "",
        f"{entry.label[0].upper()}{entry.label[1:]}.",
        "",
        f"- claim {entry.claim}, expected sign {sign}; side: {entry.side}",
        f"- computed as: {entry.formula}",
        f"- odds ratio {entry.unit} (a step of {entry.unit_scale:.4g})",
        f"- needs {needs}; modes: {', '.join(modes)}",
    ]
    if not entry.in_model:
        lines.append("- shown, not fitted: an exact combination of other features")
    if entry.source:
        lines.append(f"- source: {entry.source}")
    return lines
