"""What leakage seems to be worth: the same features and the same model with the answers left in.

Most published code computes degrees, ratios and shared neighbours once, on the whole graph, in
which the ties to be predicted stand already. What that adds to a score is false: it cannot be had
for a follow whose answer is still to come. It is measured here, and used nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from followkit import covariance as cov
from followkit import scores as sc
from followkit.analysis import Analysis
from followkit.dyads import DyadSet
from followkit.errors import InputError, ParameterError, suggest
from followkit.evaluate import keep_tested
from followkit.features import CATALOGUE, FUNCTIONS
from followkit.features.context import FeatureContext
from followkit.features.texts import Library
from followkit.features.ties import make_ties
from followkit.observation import find_crawls
from followkit.rungs import CHENG_SET, RATE_SET, logistic
from followkit.splits import Split
from followkit.tables import Dataset
from followkit.tuning import Lesson

FloatArray = npt.NDArray[np.float64]

NEIGHBOUR_SET = (
    "dyad_common_followees_log", "dyad_common_followers_log", "dyad_paths_out_log",
    "dyad_paths_back_log", "dyad_adamic_adar",
)  # fmt: skip
#: Features that published work computes on the whole graph, answers included; the headline first.
#: The past rate alone ranks as it is; the other sets are fitted.
SIMPLE_SET = (*CHENG_SET, *NEIGHBOUR_SET, *RATE_SET)
LEAK_SETS: dict[str, tuple[str, ...]] = {
    "degrees, ratios, neighbours and past rate": SIMPLE_SET,
    "degrees, ratios and neighbours": (*CHENG_SET, *NEIGHBOUR_SET),
    "decider's past rate alone": RATE_SET,
}


def naive_features(dyads: DyadSet, dataset: Dataset, names: Sequence[str]) -> pd.DataFrame:
    """Return features as most published code computes them: with the answers left in.

    **For showing the damage only.** A snapshot is taken whole, no fold left out; timed follows are
    taken as they stand in the end, whatever the dyad's own time; crawls as the last one found them.
    In each, the ties that are to be predicted are part of the graph. No model of a report can get
    these numbers: they are a bare frame, which `fit_dyads` and `run_ladder` do not take.

    Parameters
    ----------
    dyads, dataset
        The dyads, and the tables that they were made from.
    names
        Features of the follow graph alone, such as those of `LEAK_SETS`.

    Returns
    -------
    pandas.DataFrame
        One row a dyad, one column a name.

    Raises
    ------
    ParameterError
        If a name is no feature of the follow graph that a snapshot can give.

    Examples
    --------
    >>> from followkit.dyads import make_dyads
    >>> from followkit.tables import make_dataset
    >>> ties = pd.DataFrame({"follower_id": ["a", "b", "c"], "followee_id": ["b", "a", "a"]})
    >>> data = make_dataset({"follows": ties})
    >>> dyads = make_dyads(data, "mutuality")
    >>> naive = naive_features(dyads, data, ["initiator_followee_count_log"])
    >>> np.expm1(naive["initiator_followee_count_log"]).round(6).tolist()
    [1.0, 1.0, 1.0]
    """
    known = [name for name in CATALOGUE if _reads_graph_alone(name)]
    wrong = [name for name in names if name not in known]
    if wrong:
        raise ParameterError(
            f"names: {wrong[0]} cannot be computed on a whole graph; {suggest(wrong[0], known)}"
        )
    rows = dyads.table[["initiator_id", "decider_id", "at"]].reset_index(drop=True)
    nothing_left_out = FeatureContext(
        rows, "snapshot", _final_ties(dyads, dataset), dataset, Library(dataset, "auto"),
        FUNCTIONS, np.zeros(len(rows), dtype=np.int64), dyads.horizon_days,
    )  # fmt: skip
    return pd.DataFrame({name: nothing_left_out.feature(name) for name in names})


def _reads_graph_alone(name: str) -> bool:
    entry = CATALOGUE[name]
    return "follows" in entry.tables and "snapshot" in entry.modes and not entry.is_untimed


def _final_ties(dyads: DyadSet, dataset: Dataset) -> pd.DataFrame:
    """Return the ties that published work would use: all that stand at the last look."""
    if dyads.asof == "snapshot":
        return make_ties(dyads, dataset)
    crawls = find_crawls(dataset)
    last = crawls[-1] if dyads.asof == "crawl" and crawls else None
    return make_ties(replace(dyads, asof="snapshot", crawl_at=last), dataset)


def compare_naive(
    analysis: Analysis, split: Split, names: Sequence[str]
) -> tuple[sc.HeldOut, sc.HeldOut]:
    """Return the same logistic model held out twice: answers left in, and leak-free.

    The decider's rate alone ranks by itself, as on the ladder: nothing is fitted. Both are trained
    and tested on the same dyads, those for which every feature is known both ways, and ranked
    within the same groups; so their AUC can be compared dyad by dyad (`auc_gap`).

    Raises
    ------
    InputError
        If no such dyad is tested.
    """
    dyads = analysis.dyads
    honest = analysis.features.values.reset_index(drop=True).reindex(columns=list(names))
    naive = naive_features(dyads, analysis.dataset, names)
    known = (honest.notna() & naive.notna()).all(axis=1).to_numpy()
    if not (known & split.tested).any():
        raise InputError(
            f"features: none of {len(known):,} dyads has a known value of all {len(names)} features"
        )
    cut = Split(split.name, split.cell[known], split.train[:, known], split.note)
    rows = dyads.table[known].reset_index(drop=True)
    predict = _rank_by_rate if tuple(names) == RATE_SET else logistic(names)
    one, two = (
        _hold_out(values[known].reset_index(drop=True), rows, cut, dyads.asof,
                  analysis.confidence, predict)
        for values in (naive, honest)
    )  # fmt: skip
    return one, two


def auc_gap(one: sc.HeldOut, other: sc.HeldOut) -> tuple[float, float, float]:
    """Return the AUC of one model less that of another, with a dyadic-robust paired interval.

    The difference of two averages of placement values over the same dyads is itself an average
    over dyads (DeLong, DeLong & Clarke-Pearson 1988, doi:10.2307/2531595); the interval lets dyads
    that share an account move together. Missing with fewer than 5 dyads of a class.

    Examples
    --------
    >>> accounts = cov.code_accounts(list("abcd"), list("efgh"))
    >>> y, group = np.array([0.0, 0, 1, 1]), np.zeros(4, int)
    >>> one = sc.HeldOut(y, np.array([0.1, 0.2, 0.3, 0.4]), accounts, group)
    >>> other = sc.HeldOut(y, np.array([0.1, 0.4, 0.35, 0.8]), accounts, group)
    >>> auc_gap(one, other)[0]
    0.25
    """
    (first, mine), (second, theirs) = sc.auc_influence(one), sc.auc_influence(other)
    gap = first - second
    if sc.too_few(one):
        return gap, np.nan, np.nan
    error = cov.dyadic_mean(mine - theirs, one.accounts, one.weights)[1]
    reach = error * float(stats.t.ppf((1 + one.confidence) / 2, one.accounts.degrees_of_freedom))
    return gap, gap - reach, gap + reach


def _hold_out(
    values: pd.DataFrame,
    rows: pd.DataFrame,
    split: Split,
    asof: str,
    confidence: float,
    predict: Callable[[Lesson, pd.DataFrame], FloatArray],
) -> sc.HeldOut:
    """Return a model's probabilities for every tested dyad; none was in its lesson."""
    lesson = Lesson(values, rows["outcome"].to_numpy(float), rows["weight"].to_numpy(float))
    probability = np.full(len(rows), np.nan)
    for cell in np.unique(split.cell[split.tested]):
        taught, test = lesson.select(split.train[cell]), split.cell == cell
        probability[test] = predict(taught, values[test]) if taught.has_both else taught.rate
    folds = rows["fold"].to_numpy(np.int64) if asof == "snapshot" else np.zeros(len(rows), np.int64)
    return keep_tested(rows, split, folds, probability, confidence)


def _rank_by_rate(_: Lesson, test: pd.DataFrame) -> FloatArray:
    return test[RATE_SET[0]].to_numpy(np.float64)
