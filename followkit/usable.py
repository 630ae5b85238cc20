"""Which columns a model can use: they vary, say something of their own, and are not too many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit import covariance as cov
from followkit.small_cells import tell_count

FloatArray = npt.NDArray[np.float64]

#: A yes-or-no feature in which fewer dyads differ from the rest carries no usable contrast.
FEWEST_DIFFERING = 20


def drop_useless(table: pd.DataFrame) -> tuple[list[str], list[tuple[str, str]]]:
    """Drop columns that do not vary or are (nearly) sums of earlier ones, and say which."""
    kept: list[str] = []
    dropped: list[tuple[str, str]] = []
    basis = np.ones((len(table), 1)) / np.sqrt(len(table))
    for name in table.columns:
        column = table[name].to_numpy(float)
        centred = column - column.mean()
        length = np.linalg.norm(centred)
        if length <= 1e-10 * max(float(np.linalg.norm(column)), 1e-300):
            dropped.append((name, "it is the same for every dyad"))
            continue
        differing = _count_differing(column)
        if differing < FEWEST_DIFFERING:
            told = tell_count(differing)
            dropped.append((name, f"too few dyads differ in it ({told})"))
            continue
        rest = centred / length
        rest = rest - basis @ (basis.T @ rest)
        rest = rest - basis @ (basis.T @ rest)
        if np.linalg.norm(rest) < 1e-5:
            twin = table[kept].corrwith(table[name]).abs().idxmax() if kept else ""
            dropped.append((name, f"it repeats what {twin} and the features before it say"))
            continue
        basis = np.column_stack([basis, rest / np.linalg.norm(rest)])
        kept.append(str(name))
    return kept, dropped


def _count_differing(column: FloatArray) -> int:
    """Return how many rows hold the rarer of two values; all rows for other features."""
    if not np.isin(column, (0.0, 1.0)).all():
        return len(column)
    ones = int(column.sum())
    return min(ones, len(column) - ones)


def list_empty_cells(
    names: Sequence[str], values: FloatArray, outcome: FloatArray
) -> dict[str, str]:
    """Return, for each yes-or-no feature with an empty cell beside the outcome, what is empty.

    One empty cell of the 2 × 2 table puts the odds ratio at 0 or infinity, however many dyads
    there are: the fit has no finite answer.

    Examples
    --------
    >>> flag, answered = np.array([[1.0], [1], [0], [0]]), np.array([1.0, 1, 1, 0])
    >>> list_empty_cells(["is_private"], flag, answered)
    {'is_private': 'all 2 dyads with is_private were answered'}
    """
    found: dict[str, str] = {}
    for name, column in zip(names, values.T, strict=True):
        if not np.isin(column, (0.0, 1.0)).all():
            continue
        for value, word in ((1.0, "with"), (0.0, "without")):
            answers = outcome[column == value]
            if len(answers) and answers.min() == answers.max():
                size = f"{len(answers):,} dyads {word} {name}"
                none = f"none of the {size} was answered"
                found.setdefault(name, f"all {size} were answered" if answers[0] else none)
    return found


def drop_owned(
    table: pd.DataFrame, accounts: cov.Accounts
) -> tuple[list[str], list[tuple[str, str]]]:
    """Drop columns that vary only through the dyads of one account.

    What such a column does cannot be told from that account's habits, and leaving the account out
    leaves nothing to estimate, so its error would come out far too small. The account that all
    errors are conditioned on does not count.
    """
    kept: list[str] = []
    dropped: list[tuple[str, str]] = []
    for name in table.columns:
        column = table[name].to_numpy(float)
        values, counts = np.unique(column, return_counts=True)
        rows = np.flatnonzero(column != values[counts.argmax()])
        touched = {int(code) for code in (accounts.initiator[rows[0]], accounts.decider[rows[0]])}
        owners = [
            code
            for code in touched - {accounts.conditioned}
            if ((accounts.initiator[rows] == code) | (accounts.decider[rows] == code)).all()
        ]
        if owners:
            dropped.append((str(name), f"it varies only in the {len(rows):,} dyads of one account"))
        else:
            kept.append(str(name))
    return kept, dropped


def keep_first(
    names: list[str], rate: cov.Rate
) -> tuple[list[str], list[tuple[str, str]], list[str]]:
    """Keep as many features as the answers can carry, the first in order of priority."""
    events = min(rate.event_count, rate.n - rate.event_count)
    effect = max(rate.design_effect, 1.0)
    most = cov.count_carried(rate)
    if len(names) <= most:
        return names, [], []
    reason = "there are too few answers for it"
    note = (
        f"{events:,} answers, worth {events / effect:,.0f} independent ones (design effect "
        f"{effect:.1f}), carry {most} features; the first {most} in order of priority were kept."
    )
    return names[:most], [(name, reason) for name in names[most:]], [note]
