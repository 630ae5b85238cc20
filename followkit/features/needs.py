"""What a feature needs of the tables, checked and in words."""

from __future__ import annotations

from followkit.features.context import TIME_COLUMNS
from followkit.features.feature import Feature, Mode
from followkit.tables import Dataset

#: How many alternatives a reason names; the catalogue page lists them all.
MOST_NAMED = 2


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
        return f"needs {describe_needs(feature, MOST_NAMED)}"
    if mode not in feature.modes:
        return "needs follow times"
    if feature.is_sensitive and not allow_sensitive:
        return "about convictions: only with allow_sensitive"
    if is_untimed(feature, dataset, mode) and not allow_untimed:
        return _describe_untimed(feature, mode)
    return ""


def is_untimed(feature: Feature, dataset: Dataset, mode: Mode) -> bool:
    """Return whether what these data say about the feature may post-date the follow."""
    table, _, column = feature.timed_by.partition(".")
    if table and mode != "snapshot" and dataset.has(table, column):
        return mode in feature.untimed_modes
    return feature.is_untimed_in(mode)


def describe_needs(feature: Feature, most: int | None = None) -> str:
    """Return the tables and columns that a feature needs, alternatives joined by "or".

    Parameters
    ----------
    feature
        A catalogue entry.
    most
        How many alternatives are spelt out; all of them without.
    """
    told = [describe_option(option) for option in feature.tables[:most]]
    more = len(feature.tables) - len(told)
    tail = f" or {more} more" if more else ""
    return ", or ".join(told) + tail


def describe_option(option: str) -> str:
    """Write one alternative of tables and columns in words.

    Examples
    --------
    >>> describe_option("posts.posted_at+posts.text+follows")
    'posts with times and text, and follows'
    """
    columns: dict[str, list[str]] = {}
    for need in option.split("+"):
        table, _, column = need.partition(".")
        word = "times" if column == TIME_COLUMNS.get(table) else column
        columns.setdefault(table, []).extend([word] if word else [])
    parts = [
        f"{table} with {' and '.join(words)}" if words else table
        for table, words in columns.items()
    ]
    return ", and ".join(parts)


def _describe_untimed(feature: Feature, mode: Mode) -> str:
    """Say what is lacking for the moment to be known."""
    if feature.timed_by and mode != "snapshot":
        table, _, column = feature.timed_by.partition(".")
        return f"moment unknown: needs {table} with {column}, or allow_untimed"
    return "moment unknown: only with allow_untimed"


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
