"""Is it still worth waiting? What is left of the chance once a follow has gone L days unanswered.

A landmark analysis (Anderson, Cain & Gelber 1983, doi:10.1200/JCO.1983.1.11.710): only follows that
are unanswered, standing and watched at t + L count, and only what happened up to then may predict
an answer in (t + L, t + H].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit import covariance as cov
from followkit.dyads import DyadSet
from followkit.effects import average_marginal_effects, odds_ratios
from followkit.errors import CannotFitError, InputError, ParameterError
from followkit.features import CATALOGUE
from followkit.features.context import select_acts
from followkit.incidence import check_waiting, count_waiting, estimate_incidence
from followkit.landmarks import count_acts, covers_acts, make_landmarks
from followkit.model import FollowBackModel, fit_follow_back
from followkit.observation import keep_active
from followkit.tables import Dataset
from followkit.timeline import count_before

__all__ = [
    "LANDMARKS",
    "SINCE",
    "StillWaiting",
    "chance_after",
    "fit_still_waiting",
    "keep_waiting",
    "measure_since",
]

FloatArray = npt.NDArray[np.float64]

LANDMARKS = (0.0, 1.0, 3.0, 7.0, 14.0, 30.0)
#: What happened in (t, t + L], in words; each is log(1 + count).
SINCE = {
    "initiator_acts_since_log": "initiator's acts towards the decider since then",
    "decider_acts_since_log": "decider's acts towards the initiator since then",
    "decider_follows_since_log": "decider's follows of others since then",
}
#: A doubling of 1 + count.
DOUBLING = float(np.log(2))
MICROSECOND = pd.Timedelta(microseconds=1)


def chance_after(
    waiting: pd.DataFrame,
    landmarks: Sequence[float] = LANDMARKS,
    *,
    horizon_days: float = 30.0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return P(answered in (L, H] | unanswered, standing and watched at L) for several L.

    The Aalen–Johansen incidence of the follows that are left at L, begun anew at L; 1 − this is
    the share that will not have been answered by H. For L = 0 it is the follow-back rate.

    Parameters
    ----------
    waiting
        initiator_id, decider_id, duration_days, state (and entry_days) from `make_waiting`.
    landmarks
        L in days; those at the horizon or beyond it are left out.
    horizon_days
        H, counted from the follow.
    confidence
        Of the intervals: dyadic-robust on the logit scale; where nobody or everybody is
        answered later, Wilson's with one observation a decider watched to the end.

    Returns
    -------
    pandas.DataFrame
        landmark_days, n (follows left at L), answered_later (of them, seen in (L, H]), watched_to_h
        (of them, still waiting and watched at H), chance, ci_low, ci_high; missing where none of
        them was watched until H.

    Examples
    --------
    >>> waiting = pd.DataFrame({"initiator_id": list("abcd"), "decider_id": list("efgh"),
    ...     "duration_days": [0.5, 4.0, 40.0, 40.0], "state": ["answered"] * 2 + ["censored"] * 2})
    >>> chance_after(waiting, [0, 1, 5])["chance"].round(3).tolist()
    [0.5, 0.333, 0.0]
    """
    check_waiting(waiting)
    if not (np.isfinite(horizon_days) and horizon_days > 0):
        raise ParameterError(
            f"horizon_days: a positive number of days is needed; got {horizon_days}"
        )
    kept = [float(one) for one in landmarks if 0 <= one < horizon_days]
    rows = [_chance(waiting, one, horizon_days, confidence) for one in kept]
    names = ["landmark_days", "n", "answered_later", "watched_to_h", "chance", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=names)


def keep_waiting(waiting: pd.DataFrame, landmark_days: float) -> pd.DataFrame:
    """Return the follows unanswered, standing and watched after L days, time begun anew at L.

    Examples
    --------
    >>> waiting = pd.DataFrame({"duration_days": [0.5, 4.0], "state": "answered"})
    >>> keep_waiting(waiting, 1.0)["duration_days"].tolist()
    [3.0]
    """
    if landmark_days == 0:
        return waiting
    left = waiting[(waiting["duration_days"] > landmark_days).to_numpy(dtype=bool)]
    later = {"duration_days": left["duration_days"] - landmark_days}
    if "entry_days" in left:
        later["entry_days"] = (left["entry_days"] - landmark_days).clip(lower=0.0)
    return left.assign(**later)


@dataclass(frozen=True)
class StillWaiting:
    """A model of later answers among follows that are unanswered after L days.

    Attributes
    ----------
    landmark_days, horizon_days
        L and H.
    rows
        dyad_id, initiator_id, decider_id, at, landmark_at, outcome (answered in (t + L, t + H]).
    values
        The features, one row each: those as of t, and those of (t, t + L] (`SINCE`).
    model
        The logistic model.
    effects
        term, label, unit, odds_ratio, ci_low, ci_high, p_value, effect, effect_low, effect_high.
    """

    landmark_days: float
    horizon_days: float
    rows: pd.DataFrame
    values: pd.DataFrame
    model: FollowBackModel
    effects: pd.DataFrame


def fit_still_waiting(
    dataset: Dataset,
    dyads: DyadSet,
    features: pd.DataFrame,
    *,
    landmark_days: float = 7.0,
    names: Sequence[str] | None = None,
    confidence: float = 0.95,
) -> StillWaiting:
    """Fit who, among the follows unanswered after L days, is answered by the horizon.

    Parameters
    ----------
    dataset, dyads
        The tables, and `make_dyads(dataset, "follow_back")` of them; pairs with equal stamps are
        left out.
    features
        As of t: rows of `make_features(...).values`, by dyad_id.
    landmark_days
        L, below the horizon.
    names
        Features of the model, in order of priority; `SINCE` first, then all without it.
    confidence
        Of the intervals, dyadic-robust.

    Returns
    -------
    StillWaiting

    Raises
    ------
    ParameterError
        If the landmark is not between 0 and the horizon.
    InputError
        If the features are of other dyads.
    CannotFitError
        If under 20 of them were answered later, or not answered.
    """
    horizon = dyads.horizon_days or 0.0
    if not 0 < landmark_days < horizon:
        raise ParameterError(
            f"landmark_days: it must lie between 0 and the horizon of {horizon:g} days; got "
            f"{landmark_days:g}. Shorten it, or make the dyads with a longer horizon."
        )
    lacking = ~dyads.table["dyad_id"].isin(features.index)
    if lacking.any():
        raise InputError(
            f"features: {int(lacking.sum()):,} of {len(lacking):,} dyads have no row; make them "
            "with make_features(dyads, dataset)"
        )
    rows = make_landmarks(dataset, dyads, landmark_days=landmark_days)
    rows = rows[rows["is_standing"] & ~rows["is_answered"]].reset_index(drop=True)
    since = measure_since(rows, dataset)
    values = since.join(features.loc[rows["dyad_id"]].reset_index(drop=True))
    chosen = list(values.columns if names is None else names)
    # A count that is unknown for half of the dyads would throw those dyads away.
    chosen = [name for name in chosen if name in values and values[name].notna().mean() > 0.5]
    if not len(rows) or not chosen:
        raise CannotFitError(
            f"still waiting: {len(rows):,} follows are left after {landmark_days:g} days, with "
            f"{len(chosen)} usable features; nothing can be fitted"
        )
    model = fit_follow_back(
        values[chosen], rows["outcome"], initiator=rows["initiator_id"],
        decider=rows["decider_id"], confidence=confidence,
    )  # fmt: skip
    kept = ["dyad_id", "initiator_id", "decider_id", "at", "landmark_at", "outcome"]
    return StillWaiting(
        landmark_days, horizon, rows[kept], values[chosen], model, _make_effects(model)
    )


def measure_since(rows: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Return what A and B did in (t, t + L], the landmark included and nothing after it.

    Parameters
    ----------
    rows
        initiator_id, decider_id, at and landmark_at, unanswered at the landmark.
    dataset
        The tables.

    Returns
    -------
    pandas.DataFrame
        On the index of `rows`: decider_follows_since_log = log(1 + follows that B made), and, where
        there are dated interactions, initiator_acts_since_log and decider_acts_since_log = log(1 +
        acts of the one towards the other); missing where those were not watched throughout.

    Examples
    --------
    >>> from followkit.tables import make_dataset
    >>> data = make_dataset({"follows": pd.DataFrame({
    ...     "follower_id": ["a", "b", "b"], "followee_id": ["b", "c", "d"],
    ...     "followed_at": ["2024-01-01", "2024-01-02", "2024-01-09"]})})
    >>> at = pd.to_datetime(["2024-01-01"], utc=True)
    >>> rows = pd.DataFrame({"initiator_id": ["a"], "decider_id": ["b"], "at": at,
    ...     "landmark_at": at + pd.Timedelta(days=7)})
    >>> measure_since(rows, data).round(3).values.tolist()
    [[0.693]]
    """
    columns = {}
    if dataset.has("interactions", "at") and len(rows):
        acts = select_acts(dataset, is_timed=True)
        for side, other in (("initiator", "decider"), ("decider", "initiator")):
            count = count_acts(acts, rows, (side, other), rows["at"], rows["landmark_at"])
            seen = covers_acts(rows, side, rows["at"], rows["landmark_at"], dataset)
            columns[f"{side}_acts_since_log"] = np.where(seen, np.log1p(count), np.nan)
    columns["decider_follows_since_log"] = np.log1p(_count_follows(rows, dataset))
    return pd.DataFrame(columns, index=rows.index)


def _count_follows(rows: pd.DataFrame, dataset: Dataset) -> FloatArray:
    follows = keep_active(dataset.follows)
    events = follows[["follower_id", "followed_at"]].set_axis(["account_id", "at"], axis=1).dropna()
    limits = [
        pd.DataFrame({"account_id": rows["decider_id"], "at": moment + MICROSECOND})
        for moment in (rows["landmark_at"], rows["at"])
    ]
    late, early = (count_before(events, queries) for queries in limits)
    return np.asarray(late - early, dtype=np.float64)


def _chance(
    waiting: pd.DataFrame, landmark: float, horizon: float, confidence: float
) -> tuple[float, ...]:
    left = keep_waiting(waiting, landmark)
    nothing = (landmark, len(left), 0, 0, np.nan, np.nan, np.nan)
    if left.empty:
        return nothing
    found, span = estimate_incidence(left), horizon - landmark
    later = int((found.answered & (found.days <= span)).sum())
    to_end = int(count_waiting(found.days, found.entry, span))
    if found.days.max() < span and not found.answered.all():
        return (landmark, len(left), later, to_end, *nothing[4:])
    share = float(found.share_at(span))
    if 0 < share < 1:
        limits = cov.logit_interval(share, *found.error(span, "dyadic"), confidence)
    else:
        told = (found.days >= span) | found.answered
        size = max(left.loc[told, "decider_id"].nunique(), 1)
        limits = cov.wilson_interval(share * size, size, confidence)
    return (landmark, len(left), later, to_end, share, *limits)


def _make_effects(model: FollowBackModel) -> pd.DataFrame:
    steps = {name: DOUBLING if name in SINCE else CATALOGUE[name].unit_scale
             for name in model.names}  # fmt: skip
    odds = odds_ratios(model, steps)
    changes = average_marginal_effects(model, steps).drop(columns=["step", "std_error"])
    table = odds.merge(changes, on="term", how="left")
    labels = [SINCE[term] if term in SINCE else CATALOGUE[term].label for term in table["term"]]
    units = ["per doubling" if term in SINCE else CATALOGUE[term].unit for term in table["term"]]
    table.insert(1, "label", labels)
    table.insert(2, "unit", units)
    return table
