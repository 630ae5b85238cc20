"""Features of dyads: one module a factor, one catalogue entry a feature, one leakage rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from followkit import words
from followkit.dyads import DyadSet
from followkit.errors import ParameterError, suggest
from followkit.features.catalogue import (
    CATALOGUE,
    CLAIMS,
    FACTORS,
    FUNCTIONS,
    Feature,
)
from followkit.features.claim import Claim
from followkit.features.context import make_contexts
from followkit.features.needs import find_reason, is_untimed
from followkit.features.texts import Vectors
from followkit.features.ties import is_export
from followkit.reprs import make_repr, name_some
from followkit.tables import Dataset

__all__ = [
    "CATALOGUE",
    "CLAIMS",
    "FACTORS",
    "FUNCTIONS",
    "Claim",
    "Feature",
    "FeatureTable",
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

    def _repr_html_(self) -> str:
        dyads, count = self.values.shape
        facts = [
            ("dyads", dyads),
            ("features", count),
            ("that these data cannot give", len(self.missing)),
            ("unknown values", words.percent(float(self.values.isna().to_numpy().mean()))
             if self.values.size else "none"),
        ]  # fmt: skip
        rows = [
            (f"{factor} {title}", len(have), name_some(CATALOGUE[name].label for name in have))
            for factor, title in FACTORS.items()
            if (have := [name for name in self.values if CATALOGUE[name].factor == factor])
        ]
        columns = ("factor", "features", "which")
        return make_repr("Features of dyads", facts, columns, rows, self.notes)


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
