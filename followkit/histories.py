"""One dyad: what had happened before the follow, in counts, and what the model made of it.

Counts and moments only, never texts. Everything is strictly before the follow, and the pair's own
two ties are left out, as in features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from followkit.analysis import STATE_LABELS, Analysis
from followkit.dyads import DyadSet
from followkit.errors import CannotFitError, InputError
from followkit.explain import Explanation, explain_dyad, write_value
from followkit.factors import find_surprise
from followkit.features import CATALOGUE
from followkit.portraits import predict_all
from followkit.predictions import choose_dyads
from followkit.tables import Dataset
from followkit.waiting import DAY, TIE

WINDOWS = (7, 28, 84)
#: How many dyads a list offers to choose from.
MOST_OFFERED = 60


@dataclass(frozen=True)
class Prediction:
    """P(answered) of one dyad, with the interval of its mean (not of a single outcome)."""

    probability: float
    ci_low: float
    ci_high: float


def find_dyad(analysis: Analysis, initiator: str = "", decider: str = "") -> int:
    """Return the dyad_id of a pair; the likeliest unanswered one for "" (of that initiator).

    Raises
    ------
    InputError
        If there is no such dyad; the message says whom the initiator followed.
    """
    rows = analysis.dyads.table
    mine = (rows["initiator_id"].astype(str) == str(initiator)).to_numpy(bool)
    if not initiator:
        mine = np.ones(len(rows), bool)
    if not mine.any():
        raise InputError(f"initiator: {initiator!r} initiated none of the {len(rows):,} dyads")
    if decider:
        pair = mine & (rows["decider_id"].astype(str) == str(decider)).to_numpy(bool)
        if pair.sum() != 1:
            some = ", ".join(rows.loc[mine, "decider_id"].astype(str).head(5))
            raise InputError(
                f"decider: {int(pair.sum()):,} dyads lead from {initiator or 'anybody'!r} to "
                f"{decider!r}; there are dyads to {some}"
            )
        return int(rows.loc[pair, "dyad_id"].iloc[0])
    found = find_surprise(analysis, mine)
    return int(rows.loc[mine, "dyad_id"].iloc[0] if found is None else found)


def list_dyads(analysis: Analysis, *, most: int = MOST_OFFERED) -> list[tuple[str, int]]:
    """Return dyads to choose from: words and dyad_id, spread evenly over what was predicted.

    Half of them answered, as far as there are so many; in order of initiator and decider.
    """
    rows, probability = analysis.dyads.table, predict_all(analysis)
    places: list[int] = []
    for outcome in (1, 0):
        group = np.flatnonzero((rows["outcome"] == outcome).to_numpy())
        known = group[np.isfinite(probability[group])]
        group = known[np.argsort(probability[known], kind="stable")] if len(known) else group
        step = np.linspace(0, len(group) - 1, min(most // 2, len(group))).round().astype(int)
        places += group[step].tolist()
    chosen = rows.iloc[sorted(set(places))]
    return [(name_dyad(row), int(row.dyad_id)) for row in chosen.itertuples(name="Row")]


def name_dyad(row: object) -> str:
    """Return a dyad in words: who followed whom, and what came of it."""
    state = str(getattr(row, "state"))  # noqa: B009
    ends = (getattr(row, f"{side}_id") for side in ("initiator", "decider"))
    return f"{' → '.join(map(str, ends))}, {STATE_LABELS.get(state, state)}"


def get_row(dyads: DyadSet, dyad_id: int) -> pd.Series:
    """Return the row of a dyad.

    Raises
    ------
    InputError
        If there is none.
    """
    found = dyads.table[dyads.table["dyad_id"] == dyad_id]
    if len(found) != 1:
        raise InputError(f"dyad_id: there is no {dyad_id!r} among {len(dyads.table):,} dyads")
    return found.iloc[0]


def list_events(analysis: Analysis, dyad_id: int) -> pd.DataFrame:
    """Return what the two accounts did before the follow, event by event.

    Posts of either, acts between them by kind, their acts towards others, and follows made and
    received; the ties of this pair are left out. Rows of several acts count as many.

    Returns
    -------
    pandas.DataFrame
        what (in words), at (UTC), days_before (> 0), amount; oldest first. Empty where the moment
        of the follow is unknown (late answers and mutuality).
    """
    columns = ["what", "at", "days_before", "amount"]
    if analysis.dyads.asof != "timed":
        return pd.DataFrame(columns=columns)
    row = get_row(analysis.dyads, dyad_id)
    ends = {"initiator": row["initiator_id"], "decider": row["decider_id"]}
    parts = [*_list_posts(analysis.dataset, ends), *_list_acts(analysis.dataset, ends),
             *_list_follows(analysis.dataset, ends)]  # fmt: skip
    if not parts:
        return pd.DataFrame(columns=columns)
    events = pd.concat(parts, ignore_index=True)
    events = events[events["at"] < row["at"]]
    events = events.assign(days_before=(row["at"] - events["at"]) / DAY)
    return events.sort_values(["at", "what"], kind="stable", ignore_index=True)[columns]


Ends = dict[str, object]


def _list_posts(dataset: Dataset, ends: Ends) -> list[pd.DataFrame]:
    if not dataset.has("posts", "posted_at"):
        return []
    posts = dataset.posts
    return [
        _frame(f"{side} posts", posts.loc[posts["account_id"] == who, "posted_at"])
        for side, who in ends.items()
    ]


def _list_acts(dataset: Dataset, ends: Ends) -> list[pd.DataFrame]:
    if not dataset.has("interactions", "at"):
        return []
    acts, parts = dataset.interactions, []
    for side, other in (("initiator", "decider"), ("decider", "initiator")):
        made = acts[acts["actor_id"] == ends[side]]
        is_pair = (made["target_id"] == ends[other]).to_numpy(bool)
        parts.append(
            _frame(f"{side} acts on others", made.loc[~is_pair, "at"], _amount(made[~is_pair]))
        )
        for kind, part in made[is_pair].groupby("kind", sort=True):
            parts.append(_frame(f"{side} → {other}: {kind}", part["at"], _amount(part)))
    return parts


def _list_follows(dataset: Dataset, ends: Ends) -> list[pd.DataFrame]:
    follows, parts = dataset.follows, []
    pair = set(ends.values())
    own = follows[TIE[0]].isin(pair) & follows[TIE[1]].isin(pair)
    for side, who in ends.items():
        for word, column in (("follows others", TIE[0]), ("is followed by others", TIE[1])):
            chosen = (follows[column] == who) & ~own
            parts.append(_frame(f"{side} {word}", follows.loc[chosen, "followed_at"]))
    return parts


def _amount(acts: pd.DataFrame) -> pd.Series:
    if "count" not in acts:
        return pd.Series(1, index=acts.index)
    return acts["count"].fillna(1).astype(int)


def _frame(what: str, at: pd.Series, amount: pd.Series | int = 1) -> pd.DataFrame:
    frame = pd.DataFrame({"what": what, "at": at, "amount": amount})
    return frame[frame["at"].notna()]


def count_windows(events: pd.DataFrame) -> pd.DataFrame:
    """Return how much happened in the last 7, 28 and 84 days before the follow, and in all.

    Returns
    -------
    pandas.DataFrame
        what, last_7_days, last_28_days, last_84_days, ever; sums of amounts, one row a kind of
        event, those between the two accounts first.
    """
    columns = [f"last_{days}_days" for days in WINDOWS]
    if events.empty:
        return pd.DataFrame(columns=["what", *columns, "ever"])
    amount = events["amount"]
    table = pd.DataFrame(
        {f"last_{days}_days": amount.where(events["days_before"] <= days, 0) for days in WINDOWS}
    ).assign(ever=amount)
    summed = table.astype(int).groupby(events["what"]).sum().reset_index()
    is_between = summed["what"].str.contains("→", regex=False)
    return pd.concat([summed[is_between], summed[~is_between]], ignore_index=True)


def predict_dyad(analysis: Analysis, dyad_id: int) -> Prediction:
    """Return P(answered) of a dyad with its interval.

    Delta method on the logit scale from the covariance of the coefficients, conditional on the
    accounts observed: how sure the probability is, not how sure the answer is.

    Raises
    ------
    CannotFitError
        If there is no model.
    InputError
        If there is no such dyad, or a feature of the model is unknown for it.
    """
    if analysis.model is None:
        raise CannotFitError(analysis.no_model)
    get_row(analysis.dyads, dyad_id)
    table = analysis.features.values
    rows = (table.index == dyad_id).astype(bool)
    chosen = choose_dyads(analysis.model, table, rows, None, analysis.confidence)
    return Prediction(*chosen.average_with_interval(chosen.design, chosen.weights))


def explain(analysis: Analysis, dyad_id: int) -> Explanation | None:
    """Return why the model gives a dyad its probability; None where it gives none."""
    if analysis.model is None or not np.isfinite(predict_all(analysis)[
        (analysis.dyads.table["dyad_id"] == dyad_id).to_numpy(bool)]).any():  # fmt: skip
        return None
    return explain_dyad(analysis.model, analysis.features.values, dyad_id)


def list_features(analysis: Analysis, dyad_id: int) -> pd.DataFrame:
    """Return every feature of a dyad beside those of all dyads.

    Returns
    -------
    pandas.DataFrame
        label, side, value (in words; missing where unknown), typical (of the median dyad),
        percentile (share of known dyads below, equal ones counted half), is_in_model. No feature
        about convictions.
    """
    get_row(analysis.dyads, dyad_id)
    table, rows = analysis.features.values, []
    used = analysis.model.names if analysis.model is not None else ()
    for name in table:
        entry = CATALOGUE[name]
        known = table[name].to_numpy(float)
        known = known[np.isfinite(known)]
        if entry.is_sensitive or not len(known):
            continue
        own = float(table.loc[dyad_id, name])
        below = float((known < own).mean() + (known == own).mean() / 2)
        has_value = bool(np.isfinite(own))
        rows.append((entry.label, entry.side, write_value(name, own) if has_value else None,
                     write_value(name, float(np.median(known))), below if has_value else np.nan,
                     name in used))  # fmt: skip
    columns = ["label", "side", "value", "typical", "percentile", "is_in_model"]
    return pd.DataFrame(rows, columns=columns)
