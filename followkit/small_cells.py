"""Small cells: counts of few people or dyads are not shown, since they may point at somebody.

A count of 1 to 4 in a group that was picked out (by a category, a choice of deciders, what became
of a follow) reads "under 5". Totals stay: what the whole report is about, steps of the census, rows
read. Nought stays too, as it counts nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit import words

#: The smallest count of a group that is shown.
FEWEST_SHOWN = 5
UNDER = f"under {FEWEST_SHOWN}"


def is_small(counts: pd.Series) -> npt.NDArray[np.bool_]:
    """Return which counts are too small to show.

    Examples
    --------
    >>> is_small(pd.Series([0, 1, 4, 5])).tolist()
    [False, True, True, False]
    """
    return np.asarray((counts > 0) & (counts < FEWEST_SHOWN), dtype=bool)


def tell_count(number: float, noun: str = "") -> str:
    """Write a count of a group, and its noun.

    Examples
    --------
    >>> tell_count(12, "answer"), tell_count(3, "answer"), tell_count(0, "answer")
    ('12 answers', 'under 5 answers', '0 answers')
    >>> tell_count(1)
    'under 5'
    """
    if 0 < number < FEWEST_SHOWN:
        return f"{UNDER} {noun}s" if noun else UNDER
    return words.count(number, noun)


def hide_small_groups(
    table: pd.DataFrame, counts: Sequence[str], also: Sequence[str] = (), *, whole: Sequence[str]
) -> pd.DataFrame:
    """Return groups whose small counts are gone, with all that they could be worked out from.

    The first row is the whole that the groups are parts of, and stays. A count of 1 to 4 reads
    "under 5", and what gives it away is missing: the columns `also`; and, where the size of the
    group is small, or the whole less this group is, every other count too.

    Parameters
    ----------
    table
        One row a group.
    counts
        Columns of counts: dyads, deciders, answers.
    also
        Columns that give a count away, such as a rate with its interval.
    whole
        Those of `counts` that say how large a group is, not how many of it answered.

    Examples
    --------
    >>> table = pd.DataFrame({"n": [90, 60, 87, 40], "answered": [20, 9, 19, 2],
    ...                       "rate": [20 / 90, 0.15, 19 / 87, 0.05]})
    >>> hidden = hide_small_groups(table, ["n", "answered"], ["rate"], whole=["n"])
    >>> hidden["answered"].tolist(), hidden["rate"].notna().tolist()
    ([20, 9, None, 'under 5'], [True, True, False, False])
    >>> hidden["n"].tolist()
    [90, 60, None, 40]
    """
    small = {name: is_small(table[name]) for name in counts}
    rest = {name: is_small(table[name].iloc[0] - table[name]) for name in whole}
    sizes = np.logical_or.reduce([small[name] | rest[name] for name in whole])
    hidden = sizes | np.logical_or.reduce(list(small.values()))
    if not hidden[1:].any():
        return table
    made = table.copy()
    for name in counts:
        values = table[name].tolist()
        cells = zip(values[1:], small[name][1:], sizes[1:], strict=True)
        told = [UNDER if few else None if sized else value for value, few, sized in cells]
        made[name] = pd.Series([values[0], *told], index=table.index, dtype=object)
    made.loc[hidden & (np.arange(len(table)) > 0), list(also)] = np.nan
    return made


def hide_small_parts(table: pd.DataFrame, counts: Sequence[str]) -> pd.DataFrame:
    """Return parts of a whole without the counts of a column in which one is small.

    Where the whole is known, one hidden count is the difference of the others, so all go.

    Examples
    --------
    >>> bands = pd.DataFrame({"n": [50, 50], "answer_count": [3, 20]})
    >>> hide_small_parts(bands, ["n", "answer_count"]).to_dict("list")
    {'n': [50, 50], 'answer_count': [nan, nan]}
    """
    small = [name for name in counts if is_small(table[name]).any()]
    return table.assign(**dict.fromkeys(small, np.nan)) if small else table


def merge_small_states(table: pd.DataFrame) -> pd.DataFrame:
    """Return what became of dyads with states of 1 to 4 dyads joined to the next smallest.

    Only states of one kind are joined, answers or others; a single answer among many dyads is
    the total that a report is about. So every count is either large or the only one of its kind,
    and nothing can be worked out by subtraction.

    Parameters
    ----------
    table
        state, label, count, share, is_answer, as `followkit.analysis.make_states` returns them.

    Examples
    --------
    >>> table = pd.DataFrame({"state": ["answered", "not_answered", "withdrawn_first"],
    ...     "label": ["answered", "not answered", "withdrawn first"], "count": [9, 88, 3],
    ...     "share": [0.09, 0.88, 0.03], "is_answer": [True, False, False]})
    >>> merge_small_states(table)[["label", "count"]].values.tolist()
    [['answered', 9], ['not answered or withdrawn first', 91]]
    """
    rows = table.to_dict("records")
    while True:
        small = [row for row in rows if 0 < row["count"] < FEWEST_SHOWN and _others(row, rows)]
        if not small:
            return pd.DataFrame(rows, columns=table.columns)
        least = min(small, key=lambda row: (row["count"], row["state"]))
        into = min(_others(least, rows), key=lambda row: (row["count"], row["state"]))
        first, last = sorted((into, least), key=lambda row: -row["count"])
        joined = {
            **into,
            "state": f"{first['state']}+{last['state']}",
            "label": f"{first['label']} or {last['label']}",
            "count": into["count"] + least["count"],
            "share": into["share"] + least["share"],
        }
        rows = [joined if row is into else row for row in rows if row is not least]


def _others(row: dict[object, object], rows: list[dict[object, object]]) -> list[dict]:  # type: ignore[type-arg]
    return [one for one in rows if one is not row and one["is_answer"] == row["is_answer"]]
