"""What-if: change raw quantities of some dyads and see which prediction goes with the change.

Where the changed dyads leave the joint range that the model has seen, nothing is predicted. What
comes out is an association among the accounts observed; nobody has tried the change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit import words
from followkit.errors import ParameterError, suggest
from followkit.levers import LEVERS, QUANTITIES, Change, Lever, Operation
from followkit.model import FollowBackModel
from followkit.predictions import (
    LARGEST_OUTSIDE,
    RANGE_SHARE,
    Chosen,
    change_design,
    choose_dyads,
)

FlagArray = npt.NDArray[np.bool_]

OPERATIONS: Mapping[str, Operation] = {
    "+": "add", "-": "add", "−": "add", "x": "multiply", "×": "multiply", "=": "set",
}  # fmt: skip
CHANGE_TEXT = re.compile(r"([+\-−x×=])\s*(\d+\.?\d*)")
CAUTION = (
    "This is an association, not an effect: among the accounts observed, those who differ in this "
    "way are answered more or less often; nobody has tried the change."
)


@dataclass(frozen=True)
class WhatIf:
    """What the model predicts for some dyads as they are, and with a change.

    Attributes
    ----------
    label
        The change in words.
    before, after
        Weighted mean of P(answered) over the same dyads, as observed and changed; missing where
        the change is refused.
    change
        after − before.
    ci_low, ci_high
        Delta-method interval of the change from the covariance of the coefficients, conditional
        on the accounts observed; missing for a ridge model.
    confidence
        Of the interval.
    n
        Dyads in the means.
    outside_count
        Dyads that the change would take (or leave) outside the joint range seen; left out.
    incomplete_count
        Dyads chosen for which the model gives no probability, for want of a feature; left out.
    reason
        Why nothing was predicted; empty where something was.
    covariance_kind
        Of the model's errors.
    """

    label: str
    before: float
    after: float
    change: float
    ci_low: float
    ci_high: float
    confidence: float
    n: int
    outside_count: int
    incomplete_count: int
    reason: str
    covariance_kind: str

    @property
    def refused(self) -> bool:
        """Whether nothing was predicted."""
        return bool(self.reason)

    @property
    def text(self) -> str:
        """The result in words, with all that it is conditional on."""
        opening = f"{self.label[0].upper()}{self.label[1:]}"
        if self.refused:
            return f"{opening}: {self.reason}."
        outside = f"; {words.count(self.outside_count, 'dyad')} outside the range seen left out"
        return (
            f"{opening} goes with a predicted {words.percent(self.after)} instead of "
            f"{words.percent(self.before)} answered, {words.points(self.change)} percentage points "
            f"({self._interval()}), on average over {words.count(self.n, 'dyad')}"
            f"{outside * bool(self.outside_count)}. {CAUTION}"
        )

    def _interval(self) -> str:
        if np.isnan(self.ci_low):
            return "no interval: the model is penalised"
        reach = f"{words.points(self.ci_low)} to {words.points(self.ci_high)}"
        dyads = ", as if dyads were independent" * (self.covariance_kind == "profile")
        level = f"{100 * self.confidence:g} %"
        return f"{level} interval {reach}, conditional on the accounts observed{dyads}"


def what_if(
    model: FollowBackModel,
    features: pd.DataFrame,
    changes: str | Lever | Change | Iterable[Change] | Mapping[str, float | str],
    *,
    rows: Any = None,
    weights: Any = None,
    confidence: float | None = None,
) -> WhatIf:
    """Return the change in mean P(answered) that goes with a change of raw quantities.

    For every chosen dyad: change the quantities, compute all columns anew that depend on them,
    and predict. A changed dyad is outside the joint range seen if its Mahalanobis distance, over
    the model's features that are no plain yes or no (standardised, pseudo-inverse), exceeds the
    97.5 % quantile of the distances of the dyads that the model was fitted to. Such dyads are
    left out; if they are more than half of the changed dyads that were inside before, the change
    is refused. Dyads that the change leaves as they are stay in.

    Parameters
    ----------
    model
        A fitted model.
    features
        One row a dyad; all the model's features, and the columns that quantities are read from.
    changes
        A lever or its name; changes; or a mapping from quantities (see `QUANTITIES`) to a number
        to add or a text: "+1", "-0.2", "x2", "=1". Several are carried out in the order given.
    rows
        Boolean, one a dyad: one initiator or a segment; all dyads without.
    weights
        Of the dyads in the means; 1 without.
    confidence
        Of the interval; that of the model without.

    Returns
    -------
    WhatIf

    Raises
    ------
    ParameterError
        If a lever, quantity or operation is unknown.
    InputError
        If the table lacks a feature of the model, or no dyad is chosen that has all of them.

    Examples
    --------
    >>> from followkit.model import fit_follow_back
    >>> posts = np.tile([0.5, 1.0, 2.0, 3.0], 100)
    >>> x = pd.DataFrame({"initiator_posts_per_week_log": np.log1p(posts)})
    >>> y = np.tile([0, 0, 1, 1, 1, 0, 0, 1], 50)
    >>> model = fit_follow_back(x, y, initiator=np.arange(400), decider=np.arange(400, 800))
    >>> found = what_if(model, x, {"posts_per_week": "+0.5"}, rows=posts < 2)
    >>> found.n, found.outside_count, words.points(found.change)
    (200, 0, '+15.5')
    """
    label, asked = _read_changes(changes)
    chosen = choose_dyads(model, features, rows, weights, confidence)
    return _predict(chosen, label, asked)


def what_if_table(
    model: FollowBackModel,
    features: pd.DataFrame,
    levers: Sequence[Lever] = LEVERS,
    *,
    rows: Any = None,
    weights: Any = None,
    confidence: float | None = None,
) -> pd.DataFrame:
    """Return what goes with each lever, one row a lever, in the order given.

    Parameters
    ----------
    model, features, rows, weights, confidence
        See `what_if`.
    levers
        Pieces of advice.

    Returns
    -------
    pandas.DataFrame
        lever, label, claims (joined by ", "), before, after, change, ci_low, ci_high
        (probabilities), n, outside_count, reason (empty, or why nothing is predicted).
    """
    chosen = choose_dyads(model, features, rows, weights, confidence)
    lines = []
    for lever in levers:
        found = _predict(chosen, lever.label, lever.changes)
        numbers = (found.before, found.after, found.change, found.ci_low, found.ci_high)
        claims = ", ".join(lever.claims)
        counts = (found.n, found.outside_count, found.reason)
        lines.append((lever.name, lever.label, claims, *numbers, *counts))
    columns = [
        "lever", "label", "claims", "before", "after", "change", "ci_low", "ci_high", "n",
        "outside_count", "reason",
    ]  # fmt: skip
    return pd.DataFrame(lines, columns=columns)


def _predict(chosen: Chosen, label: str, changes: Sequence[Change]) -> WhatIf:
    """Change, check the range, predict."""
    before = chosen.design
    after, reason = change_design(chosen, changes)
    if reason:
        return _refuse(chosen, label, reason)
    known = np.asarray(np.isfinite(after).all(axis=1))
    changed = known & np.asarray((after != before).any(axis=1))
    outside = changed & chosen.seen.excludes(np.where(known[:, None], after, before))
    counted = changed & ~chosen.seen.excludes(before)
    if _leaves_range(outside, counted, changed):
        judged = counted if counted.any() else changed
        reason = (
            f"refused, because {words.percent(float(outside[judged].mean()))} of the "
            f"{words.count(judged.sum(), 'dyad')} changed would lie outside the joint range of "
            f"features seen here (which holds {words.percent(RANGE_SHARE)} of the dyads seen)"
        )
        return _refuse(chosen, label, reason, int(outside.sum()), int((~known).sum()))
    kept = known & ~outside
    if not chosen.weights[kept].sum() > 0:
        return _refuse(chosen, label, "not available: no dyad chosen has what it changes")
    first, second = (chosen.average(part[kept], chosen.weights[kept]) for part in (before, after))
    change, reach = second.value - first.value, chosen.find_reach(second.gradient - first.gradient)
    means = (first.value, second.value, change, change - reach, change + reach)
    incomplete = chosen.incomplete_count + int((~known).sum())
    counts = (int(kept.sum()), int(outside.sum()), incomplete)
    return WhatIf(label, *means, chosen.confidence, *counts, "", chosen.model.covariance_kind)


def _leaves_range(outside: FlagArray, counted: FlagArray, changed: FlagArray) -> bool:
    """Return whether too many leave the range, of those that were inside before."""
    if counted.any():
        return bool(outside[counted].mean() > LARGEST_OUTSIDE)
    return bool(changed.any() and outside[changed].all())


def _refuse(
    chosen: Chosen, label: str, reason: str, outside_count: int = 0, unknown_count: int = 0
) -> WhatIf:
    numbers = (np.nan, np.nan, np.nan, np.nan, np.nan)
    counts = (0, outside_count, chosen.incomplete_count + unknown_count)
    kind = chosen.model.covariance_kind
    return WhatIf(label, *numbers, chosen.confidence, *counts, reason, kind)


def _read_changes(changes: Any) -> tuple[str, tuple[Change, ...]]:
    """Return the words and the changes that were asked for."""
    if isinstance(changes, str):
        levers = {lever.name: lever for lever in LEVERS}
        if changes not in levers:
            raise ParameterError(
                f"changes: no lever is called {changes!r}; {suggest(changes, list(levers))}"
            )
        changes = levers[changes]
    if isinstance(changes, Lever):
        return changes.label, changes.changes
    if isinstance(changes, Change):
        changes = (changes,)
    if isinstance(changes, Mapping):
        changes = [_read_change(name, value) for name, value in changes.items()]
    asked = tuple(changes)
    if not asked:
        raise ParameterError('changes: none given; try {"posts_per_week": "+1"}')
    return words.join([_say(change) for change in asked]), asked


def _read_change(name: str, value: float | str) -> Change:
    if isinstance(value, str):
        found = CHANGE_TEXT.fullmatch(value.strip())
        if not found:
            raise ParameterError(
                f"changes: {name} cannot be changed by {value!r}; write a number to add, or a "
                'text such as "+1", "-0.2", "x2" or "=1"'
            )
        sign, number = found.groups()
        return Change(name, OPERATIONS[sign], float(number) * (-1 if sign in "-−" else 1))
    return Change(name, "add", float(value))


def _say(change: Change) -> str:
    quantity, operation, value = astuple(change)
    sign = {"add": f"{value:+g}", "multiply": f"× {value:g}", "set": f"= {value:g}"}[operation]
    return f"{QUANTITIES[quantity].label} {sign}".replace("-", "−")
