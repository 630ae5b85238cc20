"""From a dataset to every number that a report on time to follow-back gives. No drawing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit import covariance as cov
from followkit.analysis import choose_features, choose_question, list_core
from followkit.dyads import DyadSet, Question, make_dyads, make_waiting
from followkit.errors import CannotFitError, InputError, ParameterError
from followkit.features import CATALOGUE, FeatureTable, make_features
from followkit.hazard import HazardModel, compare_incidence, fit_hazard
from followkit.hazard_fit import Link
from followkit.incidence import check_choice, make_bins
from followkit.landmarks import check_days
from followkit.latency import (
    LatencySummary,
    answer_quantiles,
    at_risk_table,
    cause_specific_hazards,
    follow_back_curve,
    summarise_latency,
    survival_curve,
)
from followkit.log_rank import LogRank, log_rank
from followkit.observation import find_crawls, sees_unfollows
from followkit.still_waiting import LANDMARKS, StillWaiting, chance_after, fit_still_waiting
from followkit.tables import Dataset

FloatArray = npt.NDArray[np.float64]

SHARES = (0.1, 0.25, 0.5, 0.75)
MINUTE, HOUR, WEEK = 1 / 1440, 1 / 24, 7.0
#: Moments that a reader knows, for ticks and the table of those at risk.
MOMENTS = (MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, 1.0, 3.0, WEEK, 30.0, 90.0, 365.0, 1461.0)
POINTS = 60
POPULARITY = "decider_ratio_log"


@dataclass(frozen=True)
class Timed:
    """What timed follows say about how long answers take.

    Attributes
    ----------
    waiting
        Every timed dyad (`followkit.dyads.make_waiting`).
    summary
        Counts and medians.
    half_days
        Half of the answers that come by the horizon have come by this day.
    curve, at_risk, quantiles, hazards, chances
        `follow_back_curve`, `at_risk_table`, `answer_quantiles`, `cause_specific_hazards` and
        `chance_after`; the chance after 0 days is the share answered by the horizon.
    groups, test
        Kaplan–Meier of the less and the more sought-after half of the deciders, and the log-rank
        test between them; empty and None where their ratio is unknown.
    model, no_model
        The hazard regression, or None and the reason.
    fit
        Mean predicted incidence beside Aalen–Johansen's (`compare_incidence`).
    later, no_later
        The landmark model, or None and the reason.
    """

    waiting: pd.DataFrame
    summary: LatencySummary
    half_days: float
    curve: pd.DataFrame
    at_risk: pd.DataFrame
    quantiles: pd.DataFrame
    hazards: pd.DataFrame
    chances: pd.DataFrame
    groups: pd.DataFrame
    test: LogRank | None
    model: HazardModel | None
    no_model: str
    fit: pd.DataFrame
    later: StillWaiting | None
    no_later: str


@dataclass(frozen=True)
class LatencyStudy:
    """A dataset and what it can say about time to follow-back.

    Attributes
    ----------
    dataset, question
        The data, and the most telling question that they can answer.
    horizon_days, landmark_days, confidence
        As asked for; the horizon of late answers is the gap between the crawls.
    timed
        The results of timed follows; None for crawls and snapshots.
    single
        For two crawls: the one number there is, with its interval.
    sees_unfollows
        Whether withdrawals would be seen.
    """

    dataset: Dataset
    question: Question
    horizon_days: float
    landmark_days: float
    confidence: float
    timed: Timed | None = None
    single: cov.Rate | None = None
    sees_unfollows: bool = False
    crawls: list[pd.Timestamp] = field(default_factory=list)


def study_latency(
    dataset: Dataset,
    *,
    horizon_days: float = 30.0,
    landmark_days: float = 7.0,
    link: Link = "cloglog",
    bin_count: int = 20,
    late_entry: bool = False,
    confidence: float = 0.95,
) -> LatencyStudy:
    """Measure how long answers take, who is answered sooner, and whether waiting is still worth it.

    Parameters
    ----------
    dataset
        Canonical tables. Without times of follows there is no curve: two crawls give one number, a
        snapshot none.
    horizon_days, landmark_days
        H and L, 0 < L < H.
    link, bin_count, late_entry
        As in `fit_hazard`, `make_bins` and `make_waiting`.
    confidence
        Of every interval.

    Returns
    -------
    LatencyStudy

    Raises
    ------
    ParameterError
        If horizon or landmark are not what they have to be.
    InputError
        If nobody was watched for so long.
    """
    check_days("horizon_days", horizon_days)
    check_days("landmark_days", landmark_days)
    check_choice("link", link, ("cloglog", "logit"))
    if not 0 < confidence < 1:
        raise ParameterError(f"confidence: must lie between 0 and 1; got {confidence}")
    if landmark_days >= horizon_days:
        raise ParameterError(
            f"landmark_days: it must lie before the horizon of {horizon_days:g} days; got "
            f"{landmark_days:g}"
        )
    question = choose_question(dataset)
    seen = sees_unfollows(dataset)
    common = (dataset, question, horizon_days, landmark_days, confidence)
    if question == "mutuality":
        return LatencyStudy(*common, sees_unfollows=seen)
    if question == "late_answer":
        dyads = make_dyads(dataset, question)
        rows = dyads.table
        accounts = cov.code_accounts(rows["initiator_id"], rows["decider_id"])
        rate = cov.dyadic_rate(rows["outcome"], accounts, confidence=confidence)
        return LatencyStudy(
            dataset, question, float(dyads.horizon_days or 0.0), landmark_days, confidence,
            single=rate, sees_unfollows=seen, crawls=find_crawls(dataset)[:2],
        )  # fmt: skip
    timed = _study_times(dataset, horizon_days, landmark_days, link, bin_count, late_entry,
                         confidence)  # fmt: skip
    return LatencyStudy(*common, timed=timed, sees_unfollows=seen)


def _study_times(
    dataset: Dataset,
    horizon_days: float,
    landmark_days: float,
    link: Link,
    bin_count: int,
    late_entry: bool,
    confidence: float,
) -> Timed:
    waiting = make_waiting(dataset, late_entry=late_entry)
    _check_watch(waiting, horizon_days)
    known = waiting[~waiting["is_equal_stamp"].to_numpy(dtype=bool)].reset_index(drop=True)
    features = make_waiting_features(dataset, known, horizon_days)
    names = choose_features(features)
    model, no_model, fit = _fit_pace(known, features, names, horizon_days, link, bin_count,
                                     confidence)  # fmt: skip
    later, no_later = _fit_later(dataset, known, features, horizon_days, landmark_days, confidence)
    groups, test = _compare_halves(known, features, horizon_days, confidence)
    landmarks = sorted({*LANDMARKS, landmark_days})
    chances = chance_after(waiting, landmarks, horizon_days=horizon_days, confidence=confidence)
    share = float(chances["chance"].iloc[0])
    half = answer_quantiles(waiting, [share / 2])["duration_days"].iloc[0] if share else np.nan
    return Timed(
        waiting=waiting,
        summary=summarise_latency(waiting, confidence=confidence),
        half_days=float(half),
        curve=follow_back_curve(waiting, days=make_grid(waiting, horizon_days),
                                confidence=confidence),
        at_risk=at_risk_table(waiting, _known_moments(waiting, horizon_days)),
        quantiles=answer_quantiles(waiting, SHARES, confidence=confidence),
        hazards=_measure_hazards(waiting, horizon_days, bin_count, confidence),
        chances=chances,
        groups=groups, test=test, model=model, no_model=no_model, fit=fit, later=later,
        no_later=no_later,
    )  # fmt: skip


def make_waiting_features(
    dataset: Dataset, waiting: pd.DataFrame, horizon_days: float
) -> FeatureTable:
    """Return the features as of t of every timed dyad, the young ones included.

    The rows are in the order of `waiting`, their index is its dyad_id. Without a row there is no
    column: then nobody came first in any pair.
    """
    if waiting.empty:
        return FeatureTable(pd.DataFrame(), pd.DataFrame(columns=["feature", "claim", "reason"]))
    table = waiting[["dyad_id", "initiator_id", "decider_id", "at"]].assign(
        # Features never look at these; a table of dyads has them.
        outcome=0, fold=0, weight=1.0, state=waiting["state"],
    )  # fmt: skip
    seen = sees_unfollows(dataset)
    dyads = DyadSet("follow_back", table, pd.DataFrame(), horizon_days, "timed", None, seen)
    return make_features(dyads, dataset, names=list_core())


def make_grid(waiting: pd.DataFrame, horizon_days: float) -> FloatArray:
    """Return days evenly spaced in log time, from the first answers to twice the horizon.

    Examples
    --------
    >>> waiting = pd.DataFrame({"duration_days": [0.01, 1.0, 50.0], "state": "answered"})
    >>> grid = make_grid(waiting, 30.0)
    >>> float(grid[0].round(3)), float(grid[-1]), 30.0 in grid
    (0.015, 50.0, True)
    """
    days = waiting["duration_days"].to_numpy(float)
    answers = days[(waiting["state"] == "answered").to_numpy(dtype=bool) & (days > 0)]
    first = min(float(np.quantile(answers, 0.01)) / 2 if len(answers) else HOUR, horizon_days / 10)
    last = max(min(2 * horizon_days, float(days.max())), horizon_days)
    known = [one for one in MOMENTS if first < one < last]
    return np.unique(np.r_[np.geomspace(first, last, POINTS), known, horizon_days])


def list_effects(model: HazardModel) -> pd.DataFrame:
    """Return hazard ratios in catalogue units: term, label, unit, hazard_ratio, limits, p_value.

    For the logit link they are odds ratios of the hazard.
    """
    table = model.coefficients
    steps = np.array([CATALOGUE[term].unit_scale for term in table["term"]])
    scaled = table[["estimate", "ci_low", "ci_high"]].mul(steps, axis=0)
    ratios = np.exp(scaled).set_axis(["hazard_ratio", "ci_low", "ci_high"], axis=1)
    ratios.insert(0, "term", table["term"])
    ratios.insert(1, "label", [CATALOGUE[term].label for term in table["term"]])
    ratios.insert(2, "unit", [CATALOGUE[term].unit for term in table["term"]])
    return ratios.assign(p_value=table["p_value"])


def _check_watch(waiting: pd.DataFrame, horizon_days: float) -> None:
    longest = float(waiting["duration_days"].max()) if len(waiting) else 0.0
    if longest < horizon_days and not (waiting["state"] == "answered").all():
        raise InputError(
            f"horizon_days: no follow was watched for {horizon_days:g} days (longest "
            f"{longest:.1f}, {len(waiting):,} follows); choose a shorter horizon"
        )


def _known_moments(waiting: pd.DataFrame, horizon_days: float) -> list[float]:
    longest = float(waiting["duration_days"].max())
    return [0.0, *sorted({one for one in (*MOMENTS, horizon_days) if one <= longest})]


def _measure_hazards(
    waiting: pd.DataFrame, horizon_days: float, bin_count: int, confidence: float
) -> pd.DataFrame:
    try:
        limits = make_bins(waiting, bin_count=bin_count, until_days=2 * horizon_days)
    except CannotFitError:
        return pd.DataFrame()
    return cause_specific_hazards(waiting, limits, confidence=confidence)


def _fit_pace(
    waiting: pd.DataFrame,
    features: FeatureTable,
    names: list[str],
    horizon_days: float,
    link: Link,
    bin_count: int,
    confidence: float,
) -> tuple[HazardModel | None, str, pd.DataFrame]:
    """Return the hazard regression, the reason why there is none, and its check."""
    options: dict[str, Any] = {"link": link, "confidence": confidence}
    try:
        model = fit_hazard(waiting, features.values, names=names, bin_count=bin_count,
                           until_days=horizon_days, **options)  # fmt: skip
    except CannotFitError as error:
        return None, str(error), pd.DataFrame()
    rival = _fit_rival(waiting, features, model, options)
    return model, "", compare_incidence(model, waiting, rival)


def _fit_rival(
    waiting: pd.DataFrame, features: FeatureTable, model: HazardModel, options: dict[str, Any]
) -> HazardModel | None:
    """Return the hazard of withdrawals and deletions, by the same features where they carry it."""
    gone = waiting["state"].isin(["withdrawn", "deleted"])
    if not gone.any():
        return None
    # Both end the wait alike, so that they are one rival.
    joined = waiting.assign(state=waiting["state"].where(~gone, "withdrawn"))
    # Rows must be those of the model, so what is unknown there is left out here too.
    table = features.values.reset_index(drop=True).where(pd.Series(model.used), np.nan, axis=0)
    for names in (model.names, model.names[:1]):
        try:
            return fit_hazard(joined, table, names=names, event="withdrawn", limits=model.limits,
                              keep_all=True, covariance="classical", **options)  # fmt: skip
        except CannotFitError:
            continue
    return None


def _fit_later(
    dataset: Dataset,
    waiting: pd.DataFrame,
    features: FeatureTable,
    horizon_days: float,
    landmark_days: float,
    confidence: float,
) -> tuple[StillWaiting | None, str]:
    """Return the landmark model on the dyads watched to the horizon, or why there is none."""
    pair = ["initiator_id", "decider_id"]
    places = waiting[pair].assign(place=np.arange(len(waiting)))
    try:
        dyads = make_dyads(dataset, "follow_back", horizon_days=horizon_days)
        place = dyads.table[pair].merge(places, on=pair, how="left", validate="1:1")["place"]
        table = features.values.iloc[place].set_axis(dyads.table["dyad_id"].to_numpy(), axis=0)
        # What may post-date the follow has no place here, and squares only beside their feature.
        table = table[choose_features(features)]
        return fit_still_waiting(dataset, dyads, table, landmark_days=landmark_days,
                                 confidence=confidence), ""  # fmt: skip
    except (CannotFitError, InputError) as error:
        return None, str(error)


def _compare_halves(
    waiting: pd.DataFrame, features: FeatureTable, horizon_days: float, confidence: float
) -> tuple[pd.DataFrame, LogRank | None]:
    """Return Kaplan–Meier by halves of the deciders' follower ratio as of t, and their test."""
    if POPULARITY not in features.values:
        return pd.DataFrame(), None
    ratio = features.values[POPULARITY].reset_index(drop=True)
    known = ratio.notna().to_numpy(dtype=bool)
    rows, ratio = waiting[known], ratio[known]
    half = np.where(ratio > ratio.median(), "more sought-after half", "less sought-after half")
    if len(set(half.tolist())) < 2 or not (rows["state"] == "answered").any():
        return pd.DataFrame(), None
    grid = make_grid(rows, horizon_days)
    curves = survival_curve(rows, by=half, days=grid[grid <= horizon_days], confidence=confidence)
    return curves, log_rank(rows, half)
