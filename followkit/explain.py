"""Why the model gives one dyad its probability: exact shares of the log odds, and words for them.

The log odds of a logistic model are a sum, so each feature's share of the distance between this
dyad and the average one is exact; nothing is sampled or approximated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from followkit import words
from followkit.effects import SQUARED
from followkit.errors import InputError, ParameterError
from followkit.features import CATALOGUE
from followkit.logit import expit
from followkit.model import FollowBackModel

COLUMNS = ("feature", "label", "value", "reference", "contribution", "log_odds", "probability")
#: A feature outside the catalogue is shown by its name only if the name looks like one of ours.
PLAIN_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")


@dataclass(frozen=True)
class Explanation:
    """The log odds of one dyad, taken apart; all that a waterfall needs.

    Attributes
    ----------
    table
        One row a feature, the largest share first: feature, label, value (of this dyad) and
        reference (weighted mean over the dyads that the model was fitted to), both as in the
        model; contribution (log odds); log_odds and probability reached after this row, counted
        from `base`.
    base
        Log odds of a dyad whose every feature is at its reference.
    log_odds
        Of this dyad: `base` plus all contributions.
    probability
        Of an answer by this dyad.
    flags
        Features that are a plain yes or no among the model's dyads.
    """

    table: pd.DataFrame
    base: float
    log_odds: float
    probability: float
    flags: frozenset[str]

    @property
    def reasons(self) -> list[str]:
        """The three strongest reasons in words."""
        return describe_reasons(self)


def explain_dyad(model: FollowBackModel, features: Any, dyad_id: Any = None) -> Explanation:
    """Take the log odds of one dyad apart, feature by feature.

    The share of feature j is β_j (x_j − mean_j), with the weighted mean over the dyads that the
    model was fitted to, so that base + Σ shares = logit P(answered). A feature and its square
    are one row. A share says what goes with the answer here; it is no cause.

    Parameters
    ----------
    model
        A fitted model.
    features
        The dyad's row (a Series, or a table of one row), or a table indexed by dyad_id.
    dyad_id
        Which row of the table.

    Returns
    -------
    Explanation

    Raises
    ------
    InputError
        If the row is not there, not unique or lacks a feature of the model, or if the model uses
        features about convictions, which are never shown for a person.

    Examples
    --------
    >>> from followkit.model import fit_follow_back
    >>> x = pd.DataFrame({"decider_ratio_log": np.tile([0.0, 1.0, 2.0], 100)})
    >>> y = np.tile([1, 1, 0, 0, 1, 0], 50)
    >>> model = fit_follow_back(x, y, initiator=np.arange(300), decider=np.arange(300, 600))
    >>> explanation = explain_dyad(model, x, 2)
    >>> print(explanation.reasons[0])
    Decider's followers per followee: 7.39, above the 2.72 that is typical here; goes with odds
    0.33 times as high.
    """
    _refuse_sensitive(model)
    row = _choose_row(model, features, dyad_id)
    means = np.average(model.design, axis=0, weights=model.weights)
    shares = model.beta[1:] * (row - means[1:])
    base = float(model.beta @ means)
    values = {"value": row, "reference": means[1:], "contribution": shares}
    table = _merge_squares(pd.DataFrame({"feature": model.names, **values}))
    # Equal shares keep the order of the model, so that the same dyad always reads the same.
    strongest = np.argsort(-table["contribution"].abs().to_numpy(), kind="stable")
    table = table.iloc[strongest].reset_index(drop=True)
    table["label"] = [label_feature(name) for name in table["feature"]]
    table["log_odds"] = base + table["contribution"].cumsum()
    table["probability"] = expit(table["log_odds"].to_numpy())
    log_odds = float(table["log_odds"].iloc[-1])
    columns = zip(model.names, model.design[:, 1:].T, strict=True)
    flags = frozenset(name for name, column in columns if np.isin(column, (0.0, 1.0)).all())
    probability = float(table["probability"].iloc[-1])
    return Explanation(table[list(COLUMNS)], base, log_odds, probability, flags)


def describe_reasons(explanation: Explanation, top: int = 3) -> list[str]:
    """Say the strongest shares in words, each with its value, what is typical and its odds factor.

    Logarithms are taken back to the quantity itself, so that what is typical of a count or a
    ratio is a geometric mean; shares are per cent. Features without a share are left out, so
    there may be fewer sentences than asked for.

    Parameters
    ----------
    explanation
        Of one dyad.
    top
        How many sentences at most.

    Raises
    ------
    ParameterError
        If `top` is below 1.
    """
    if top < 1:
        raise ParameterError(f"top: must be 1 or more; got {top}. Ask for three, as a rule.")
    told = explanation.table[explanation.table["contribution"] != 0].head(top)
    return [_describe(row, explanation.flags) for row in told.itertuples(name="Row")]


def label_feature(name: str) -> str:
    """Return a feature's label in the catalogue, or its plain name where it has none.

    Examples
    --------
    >>> label_feature("decider_ratio_log"), label_feature("my_own_column")
    ("decider's followers per followee", 'my own column')
    >>> label_feature("<b>@someone</b>")
    'a feature outside the catalogue'
    """
    entry = CATALOGUE.get(name)
    if entry:
        return entry.label
    is_plain = PLAIN_NAME.fullmatch(name)
    return name.replace("_", " ") if is_plain else "a feature outside the catalogue"


def _refuse_sensitive(model: FollowBackModel) -> None:
    entries = [CATALOGUE[name] for name in model.names if name in CATALOGUE]
    parts = [CATALOGUE[part] for entry in entries for part in entry.parts if part in CATALOGUE]
    private = [entry.name for entry in [*entries, *parts] if entry.is_sensitive]
    if private:
        raise InputError(
            f"model: it uses {private[0]}, and what it says about a person's convictions is never "
            "shown. Fit a model without that feature to explain single dyads."
        )


def _choose_row(model: FollowBackModel, features: Any, dyad_id: Any) -> Any:
    """Return the model's features of one dyad, complete or refused."""
    if isinstance(features, pd.Series):
        features = features.to_frame().T
    lacking = [name for name in model.names if name not in features.columns]
    if lacking:
        raise InputError(f"features: {lacking[0]} is in the model but not in the table; add it")
    found = features if dyad_id is None else features[features.index == dyad_id]
    if len(found) != 1:
        which = "the table" if dyad_id is None else f"dyad_id {dyad_id!r}"
        raise InputError(
            f"features: one row is needed; {which} has {len(found):,}. Give a dyad_id that is in "
            "the table's index once."
        )
    row = found[list(model.names)].to_numpy(float)[0]
    if not np.isfinite(row).all():
        unknown = model.names[int(np.argmin(np.isfinite(row)))]
        raise InputError(
            f"features: {unknown} is unknown for this dyad, so the model gives it no probability. "
            "Choose a dyad that is known in every feature."
        )
    return row


def _merge_squares(table: pd.DataFrame) -> pd.DataFrame:
    """Add the share of each square to that of its feature, where both are in the model."""
    names = set(table["feature"])
    bases = [
        name.removesuffix(SQUARED) if name.removesuffix(SQUARED) in names else name
        for name in table["feature"]
    ]
    summed = table["contribution"].groupby(bases).sum()
    kept = table[table["feature"] == bases]
    return kept.assign(contribution=summed.loc[kept["feature"]].to_numpy())


def _describe(row: Any, flags: frozenset[str]) -> str:
    opening = f"{row.label[0].upper()}{row.label[1:]}"
    ending = f"goes with odds {words.factor(float(np.exp(row.contribution)))} times as high."
    if row.feature in flags:
        answer = "yes" if row.value == 1 else "no"
        return f"{opening}: {answer}, where {words.percent(row.reference)} have yes; {ending}"
    value, usual = (write_value(row.feature, number) for number in (row.value, row.reference))
    place = "above" if row.value > row.reference else "below"
    # Where rounding makes them look alike, "above" would contradict what is read.
    compared = f"{place} the {usual} that is typical here"
    if value == usual:
        compared = "about what is typical here"
    return f"{opening}: {value}, {compared}; {ending}"


def write_value(name: str, value: float) -> str:
    """Write a feature's value in the unit that readers know: logarithms are taken back.

    Examples
    --------
    >>> write_value("initiator_posts_per_week_log", np.log1p(3.0)), write_value("x_share", 0.25)
    ('3.00', '25.0 %')
    """
    entry = CATALOGUE.get(name)
    if entry and entry.parts:
        return _number(value)
    if name.endswith("_gap_log") or name == "dyad_ratio_gap":
        return f"{_number(float(np.exp(value)))} times"
    if name.endswith("_ratio_log"):
        return _number(float(np.exp(value)))
    if name.endswith("_log"):
        return _number(float(np.expm1(value)))
    if name.endswith(("_share", "_rate")):
        return words.percent(value)
    return _number(value)


def _number(value: float) -> str:
    """Write a number to about three digits."""
    size = abs(value)
    text = f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"
    return text.replace("-", "−").replace("−0.00", "0.00")
