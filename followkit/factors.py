"""The nine factors in one data set: verdicts, contributions, carriers, changes, questions.

From an `Analysis` to every table that a report shows about factors. No drawing, no sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit.analysis import Analysis, choose_features, code_dyads, fit_dyads
from followkit.carriers import Carriers, decompose_carriers
from followkit.contributions import Contributions, group_by_factor, shapley_contributions
from followkit.covariance import dyadic_rate
from followkit.curves import COLUMNS, Comparison, compare_settings, predict_curve, spread_values
from followkit.dyads import DyadSet, select_dyads
from followkit.effects import odds_ratios
from followkit.errors import CannotFitError, InputError
from followkit.explain import Explanation, explain_dyad
from followkit.features import CATALOGUE, CLAIMS
from followkit.features.claim import BACKBONE
from followkit.levers import CONTROLLABLE, QUANTITIES, Change, RawQuantities
from followkit.meaning import judge_meaning
from followkit.model import FollowBackModel, fit_follow_back
from followkit.remember import remembered
from followkit.small_cells import FEWEST_SHOWN
from followkit.splits import make_account_blocks
from followkit.verdicts import judge_claims
from followkit.whatif import what_if_table

FlagArray = npt.NDArray[np.bool_]
Result = TypeVar("Result")

VISIBILITY = 4
RATIO, FOLLOWERS = "initiator_ratio_log", "initiator_follower_count_log"
TOPIC, RECENCY = "dyad_topic_cosine", "initiator_days_since_action_log"
#: Effects that claim 4e expects to change when factor 4 enters.
THROUGH_VISIBILITY = (
    "initiator_posts_per_week_log", "initiator_posting_weeks_share", "initiator_hashtag_mix",
)  # fmt: skip
SILENT_DAYS = (0.0, 1.0, 3.0, 7.0, 14.0, 28.0, 56.0, 84.0)
MONTHLY, WEEKLY = 0.25, 1.0
FEWEST_IN_GROUP = 20


def list_claim_features() -> list[str]:
    """Return the features that verdicts on all claims need: contrasts, their parts, adjusters.

    Examples
    --------
    >>> "dyad_topic_cosine" in list_claim_features()
    True
    """
    contrasts = [name for claim in CLAIMS.values() for name in claim.contrast]
    parts = [part for name in contrasts for part in CATALOGUE[name].parts]
    return list(dict.fromkeys([*contrasts, *parts, *BACKBONE, FOLLOWERS]))


@dataclass(frozen=True)
class Factors:
    """What one data set says about the nine factors.

    Attributes
    ----------
    analysis
        The question, its dyads, features and model.
    claims
        One row a claim (`followkit.verdicts.judge_claims`), in the order of their ids.
    delta
        Half-width of "negligible".
    contributions, no_contributions
        Shapley shares by factor, or None and the reason.
    carriers, no_carriers
        Shares of initiator, decider and pair, or None and the reason.
    changes
        One row a lever (`followkit.whatif.what_if_table`); empty without a model.
    initiator
        Whose follows `changes` is about; empty for all.
    """

    analysis: Analysis
    claims: pd.DataFrame
    delta: float
    contributions: Contributions | None
    no_contributions: str
    carriers: Carriers | None
    no_carriers: str
    changes: pd.DataFrame
    initiator: str


def study_factors(
    analysis: Analysis, *, delta: float = 0.01, seed: int = 0, initiator: str = ""
) -> Factors:
    """Judge every claim, share the explained deviance out, and try every lever.

    Parameters
    ----------
    analysis
        With the features of claims computed (`analyse(..., also=list_claim_features())`); a claim
        whose features were not asked for is not measurable.
    delta
        Half-width of "negligible", a change in probability.
    seed
        Of the account blocks that contributions are scored in.
    initiator
        An account id: whose follows the changes are averaged over; all dyads without.

    Raises
    ------
    InputError
        If the account initiated no dyad.
    """
    rows = find_follows_of(analysis, initiator)
    contributions, no_contributions = _attempt(lambda: share_factors(analysis, seed))
    carriers, no_carriers = _attempt(lambda: share_carriers(analysis, seed))
    return Factors(
        analysis, judge(analysis, delta), delta, contributions, no_contributions, carriers,
        no_carriers, _try_levers(analysis, rows), initiator,
    )  # fmt: skip


@remembered
def judge(analysis: Analysis, delta: float = 0.01) -> pd.DataFrame:
    """Return the verdict on every claim, 0a to 9d."""
    dyads, features = analysis.dyads, analysis.features
    meaning = judge_meaning(
        analysis.dataset, dyads, features, confidence=analysis.confidence,
        landmark_days=min(7.0, (dyads.horizon_days or 7.0) / 2),
    )  # fmt: skip
    landmarks = {str(row["claim"]): row.to_dict() for _, row in meaning.iterrows()}
    ordered = [CLAIMS[name] for name in sorted(CLAIMS)]
    return judge_claims(
        ordered, features, dyads, delta=delta, confidence=analysis.confidence, landmarks=landmarks
    )


@remembered
def share_factors(analysis: Analysis, seed: int = 0) -> Contributions:
    """Return the contributions of the factors whose main features are known, unseen accounts.

    Raises
    ------
    CannotFitError
        If no feature can be used, or there is nothing to explain.
    """
    names = _list_shared(analysis)
    table = analysis.dyads.table
    return shapley_contributions(
        analysis.features.values.reset_index(drop=True), table["outcome"], group_by_factor(names),
        make_account_blocks(analysis.dyads, seed=seed), code_dyads(analysis.dyads),
        weights=table["weight"], confidence=analysis.confidence,
    )  # fmt: skip


@remembered
def share_carriers(analysis: Analysis, seed: int = 0) -> Carriers:
    """Return what initiator, decider and pair carry, of the same features."""
    names = _list_shared(analysis)
    table = analysis.dyads.table
    return decompose_carriers(
        analysis.features.values[names].reset_index(drop=True), table["outcome"],
        make_account_blocks(analysis.dyads, seed=seed), code_dyads(analysis.dyads),
        controllable=[name for name in names if is_controllable(name)],
        weights=table["weight"], confidence=analysis.confidence,
    )  # fmt: skip


def is_controllable(name: str) -> bool:
    """Return whether the initiator can move a feature by what it does before it follows.

    Examples
    --------
    >>> is_controllable("initiator_posts_per_week_log"), is_controllable("decider_ratio_log")
    (True, False)
    """
    base = name.removesuffix("_squared")
    return base in CONTROLLABLE or any(part in CONTROLLABLE for part in CATALOGUE[name].parts)


def find_follows_of(analysis: Analysis, initiator: str) -> FlagArray:
    """Return which dyads an account initiated; all of them for "".

    Raises
    ------
    InputError
        If it initiated none.
    """
    ids = analysis.dyads.table["initiator_id"].astype(str)
    if not initiator:
        return np.ones(len(ids), dtype=bool)
    mine = (ids == str(initiator)).to_numpy(dtype=bool)
    if not mine.any():
        raise InputError(
            f"initiator: account {initiator!r} initiated none of the {len(ids):,} dyads; give the "
            "account_id or pseudonym of one that did, or leave it empty"
        )
    return mine


# -- the questions -----------------------------------------------------------------------------


def follower_curve(study: Factors) -> pd.DataFrame:
    """Return P(answered) along the initiator's followers; what depends on them moves along.

    Columns of `followkit.curves.predict_curve`; empty where it cannot be said.
    """
    model, table = study.analysis.model, study.analysis.features.values
    if model is None or not _can_read(table, "followers"):
        return predict_nothing()
    values = spread_values(pd.Series(RawQuantities(table).read("followers")))
    return predict_curve(model, table, "followers", values, weights=_weights(study))


@dataclass(frozen=True)
class Groups:
    """Two groups of dyads that were observed, and how far apart their answers are.

    Attributes
    ----------
    table
        label, n, answered, rate with ci_low and ci_high; two rows, or none with a reason.
    odds_ratio, ci_low, ci_high
        Of the second group against the first; missing where no model carries it.
    reason
        Why there is nothing to compare; empty where there is.
    """

    table: pd.DataFrame
    odds_ratio: float = np.nan
    ci_low: float = np.nan
    ci_high: float = np.nan
    reason: str = ""


def compare_popularity(study: Factors) -> Groups:
    """Compare popular but irrelevant initiators with small but relevant ones, as observed.

    First: followers in their upper quarter, topic similarity in its lower quarter. Second: the
    other way round. Shares with dyadic-robust intervals; nothing else is held equal.
    """
    analysis = study.analysis
    table = analysis.features.values
    if not _can_read(table, "followers") or TOPIC not in table:
        return Groups(pd.DataFrame(), reason="needs followers and the words of posts")
    followers = RawQuantities(table).read("followers")
    topic = table[TOPIC].to_numpy()
    few, many = np.nanquantile(followers, [0.25, 0.75])
    far, near = np.nanquantile(topic, [0.25, 0.75])
    popular = (followers >= many) & (topic <= far)
    relevant = (followers <= few) & (topic >= near)
    labels = ("many followers, other topics", "few followers, close topics")
    chosen = [select_dyads(analysis.dyads, keep, label)
              for keep, label in zip((popular, relevant), labels, strict=True)]  # fmt: skip
    if min(len(part.table) for part in chosen) < FEWEST_IN_GROUP:
        return Groups(pd.DataFrame(), reason="too few dyads are one or the other")
    rows = [_read_rate(part, label, analysis.confidence)
            for part, label in zip(chosen, labels, strict=True)]  # fmt: skip
    if any(0 < row["answered"] < FEWEST_SHOWN for row in rows):
        return Groups(pd.DataFrame(), reason="too few of one or the other were answered")
    both = popular | relevant
    model, _ = _attempt(lambda: _fit_flag(analysis, relevant[both], both))
    odds = (np.nan,) * 3 if model is None or not model.names else _read_odds(model)
    return Groups(pd.DataFrame(rows), *odds)


def _read_rate(part: DyadSet, label: str, confidence: float) -> dict[str, Any]:
    found = dyadic_rate(part.table["outcome"], code_dyads(part), confidence=confidence)
    return {"label": label, "n": found.n, "answered": found.event_count, "rate": found.rate,
            "ci_low": found.ci_low, "ci_high": found.ci_high}  # fmt: skip


def _fit_flag(analysis: Analysis, flag: FlagArray, rows: FlagArray) -> FollowBackModel:
    """Fit answers on one flag, among some dyads."""
    chosen = analysis.dyads.table[rows]
    return fit_follow_back(
        pd.DataFrame({"flag": flag.astype(float)}), chosen["outcome"],
        initiator=chosen["initiator_id"], decider=chosen["decider_id"], weights=chosen["weight"],
        penalty="none", confidence=analysis.confidence,
    )  # fmt: skip


def _read_odds(model: FollowBackModel) -> tuple[float, float, float]:
    row = odds_ratios(model, dict.fromkeys(model.names, 1.0)).iloc[0]
    return float(row["odds_ratio"]), float(row["ci_low"]), float(row["ci_high"])


def ratio_beyond_followers(study: Factors) -> pd.DataFrame:
    """Return the odds ratios of followers and of the follower ratio, each given the other.

    Both stand in one model with everything else in it. At equal followers a higher ratio means
    fewer accounts followed. Columns of `followkit.effects.odds_ratios`; empty without either.
    """
    analysis = study.analysis
    names = _model_names(analysis)
    values = analysis.features.values
    if analysis.model is None or RATIO not in names or FOLLOWERS not in values:
        return pd.DataFrame()
    # The number followed is the difference of the two, and says nothing beside both.
    kept = [name for name in names if name != "initiator_followee_count_log"]
    model, _ = _attempt(
        lambda: fit_dyads(analysis.dyads, analysis.features, [FOLLOWERS, *kept],
                          confidence=analysis.confidence)
    )  # fmt: skip
    if model is None or not {FOLLOWERS, RATIO} <= set(model.names) or not model.has_verdicts:
        return pd.DataFrame()
    steps = {name: CATALOGUE[name].unit_scale for name in model.names}
    table = odds_ratios(model, steps)
    return table[table["term"].isin([FOLLOWERS, RATIO])].reset_index(drop=True)


def compare_effects_without(study: Factors, factor: int = VISIBILITY) -> pd.DataFrame:
    """Return odds ratios of what should act through visibility, with and without factor 4.

    Columns term, label, odds_ratio, ci_low, ci_high (with factor 4) and the same with `_without`;
    empty where either is not in the model.
    """
    analysis = study.analysis
    names = _model_names(analysis)
    rest = [name for name in names if CATALOGUE[name].factor != factor]
    watched = [name for name in THROUGH_VISIBILITY if name in names]
    if analysis.model is None or not watched or len(rest) == len(names):
        return pd.DataFrame()
    model, _ = _attempt(lambda: _refit(analysis, rest))
    if model is None:
        return pd.DataFrame()
    steps = {name: CATALOGUE[name].unit_scale for name in model.names}
    without = odds_ratios(model, steps).set_index("term")
    both = analysis.effects.set_index("term")
    terms = [name for name in watched if name in without.index and name in both.index]
    columns = ["odds_ratio", "ci_low", "ci_high"]
    table = both.loc[terms, ["label", *columns]].join(without[columns].add_suffix("_without"))
    return table.reset_index()


def recency_curves(study: Factors) -> pd.DataFrame:
    """Return P(answered) by days since the initiator's last action, with and without factor 4.

    A longer silence takes the posts and acts within it away. Columns of `predict_curve` and
    `series`; empty where it cannot be said.
    """
    analysis, parts = study.analysis, []
    names = _model_names(analysis)
    if analysis.model is None or RECENCY not in analysis.features.values:
        return predict_nothing().assign(series="")
    rest = [name for name in names if CATALOGUE[name].factor != VISIBILITY]
    models = {"with visibility": analysis.model}
    if len(rest) < len(names):
        without, _ = _attempt(lambda: _refit(analysis, rest))
        models |= {"without visibility": without} if without is not None else {}
    for series, model in models.items():
        curve = predict_curve(model, analysis.features.values, "days_since_action", SILENT_DAYS,
                              weights=_weights(study))  # fmt: skip
        parts.append(curve.assign(series=series))
    return pd.concat(parts, ignore_index=True)


def compare_silence(study: Factors) -> Comparison:
    """Compare activity on the day itself with the longest silence of the curve."""
    model, table = study.analysis.model, study.analysis.features.values
    if model is None or RECENCY not in table:
        return Comparison(reason="needs posts or acts with times")
    active, silent = (Change("days_since_action", "set", days)
                      for days in (SILENT_DAYS[0], SILENT_DAYS[-1]))  # fmt: skip
    return compare_settings(model, table, [active], [silent], weights=_weights(study))


def compare_posting(study: Factors) -> Comparison:
    """Compare posting once a month with once a week, everything else as observed."""
    model, table = study.analysis.model, study.analysis.features.values
    if model is None or not _can_read(table, "posts_per_week"):
        return Comparison(reason="needs posts with times")
    monthly, weekly = (Change("posts_per_week", "set", rate) for rate in (MONTHLY, WEEKLY))
    return compare_settings(model, table, [monthly], [weekly], weights=_weights(study))


def predict_nothing() -> pd.DataFrame:
    """Return a curve without points."""
    return pd.DataFrame(columns=list(COLUMNS), dtype=float)


# -- one dyad ----------------------------------------------------------------------------------


def find_surprise(analysis: Analysis, rows: FlagArray | None = None) -> Any:
    """Return the dyad_id of the unanswered follow that the model thought likeliest; None: none.

    Dyads with an unknown feature, and models with features of convictions, give none.
    """
    model = analysis.model
    if model is None or any(CATALOGUE[name].is_sensitive for name in model.names):
        return None
    probability = model.predict_proba(analysis.features.values)
    chosen = np.isfinite(probability) & (analysis.dyads.table["outcome"] == 0).to_numpy()
    if rows is not None:
        chosen = chosen & rows
    if not chosen.any():
        return None
    place = int(np.argmax(np.where(chosen, probability, -1.0)))
    return analysis.features.values.index[place]


def explain_surprise(study: Factors) -> Explanation | None:
    """Return why the likeliest of the unanswered follows seemed likely; None where there is none.

    Of the chosen initiator's, where there is one.
    """
    rows = find_follows_of(study.analysis, study.initiator)
    dyad = find_surprise(study.analysis, rows)
    if dyad is None or study.analysis.model is None:
        return None
    return explain_dyad(study.analysis.model, study.analysis.features.values, dyad)


# -- shared ------------------------------------------------------------------------------------


def _attempt(make: Callable[[], Result]) -> tuple[Result | None, str]:
    """Return what can be made, or None and the reason."""
    try:
        return make(), ""
    except CannotFitError as why:
        return None, str(why)


def _list_shared(analysis: Analysis) -> list[str]:
    """Return the features that contributions are shared over: those that a model may take."""
    names = [name for name in choose_features(analysis.features, analysis.dyads)
             if analysis.features.values[name].std() > 0]  # fmt: skip
    if not names:
        raise CannotFitError("features: none can be used")
    return names


def _model_names(analysis: Analysis) -> list[str]:
    return list(analysis.model.names) if analysis.model is not None else []


def _weights(study: Factors) -> pd.Series:
    return study.analysis.dyads.table["weight"]


def _can_read(table: pd.DataFrame, quantity: str) -> bool:
    return QUANTITIES[quantity].column in RawQuantities(table).columns


def _refit(analysis: Analysis, names: Sequence[str]) -> FollowBackModel:
    if not names:
        raise CannotFitError("features: none is left")
    return fit_dyads(analysis.dyads, analysis.features, names, confidence=analysis.confidence)


def _try_levers(analysis: Analysis, rows: FlagArray) -> pd.DataFrame:
    if analysis.model is None:
        return pd.DataFrame()
    try:
        return what_if_table(analysis.model, analysis.features.values, rows=rows,
                             weights=analysis.dyads.table["weight"])  # fmt: skip
    except InputError:
        # Its follows include no dyad with every feature known.
        return pd.DataFrame()
