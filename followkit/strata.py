"""How well models rank among deciders who are equally much followed.

A score that only finds out who has few followers looks good over all dyads and is worth nothing
among deciders of one size. After Cheng, Romero, Meeder & Kleinberg (2011), who match ties by
in-degree: answered and unanswered dyads are compared only within a stratum of the decider's
followers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit import scores as sc
from followkit.errors import InputError, ParameterError

FloatArray = npt.NDArray[np.float64]
FlagArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

#: Strata a doubling of followers: within one, counts differ by a fifth at most.
PER_DOUBLING = 4
#: Columns of the table by coarser strata, and how many there are.
BAND_COUNT = 4
COLUMNS = ["rung", "auc", "ci_low", "ci_high", "adjusted", "adjusted_low", "adjusted_high", "fall",
           "fall_low", "fall_high", "answer_share"]  # fmt: skip
BAND_COLUMNS = ["band", "lowest", "highest", "rung", "auc", "ci_low", "ci_high", "n",
                "answer_count"]  # fmt: skip


def make_indegree_strata(
    follower_count: FloatArray, *, per_doubling: int = PER_DOUBLING
) -> IntArray:
    """Return the stratum of each dyad by the followers of its decider, log-spaced.

    floor(per_doubling · log₂(1 + followers)): small counts have a stratum each.

    Raises
    ------
    InputError
        If a count is missing or negative.
    ParameterError
        If there is less than one stratum a doubling.

    Examples
    --------
    >>> make_indegree_strata(np.array([0.0, 1.0, 3.0, 100.0, 101.0])).tolist()
    [0, 4, 8, 26, 26]
    """
    if per_doubling < 1:
        raise ParameterError(f"per_doubling: at least 1 stratum is needed; got {per_doubling}")
    bad = ~(follower_count >= 0)
    if bad.any():
        raise InputError(
            f"follower_count: must be known and not negative; {int(bad.sum()):,} of "
            f"{len(bad):,} dyads have none; leave them out first"
        )
    # A hair is added, so that exact powers do not fall below their own edge by rounding.
    return np.floor(per_doubling * np.log2(1.0 + follower_count) + 1e-9).astype(np.int64)


def score_by_indegree(
    tested: Mapping[str, sc.HeldOut],
    follower_count: FloatArray,
    *,
    per_doubling: int = PER_DOUBLING,
) -> pd.DataFrame:
    """Return the AUC of each rung, over all dyads and among deciders equally much followed.

    The adjusted AUC is P(a random answered dyad is ranked above a random unanswered one of its
    test group whose decider is in the same stratum of followers): AUC within each stratum, weighing
    by its answers. A score that knows nothing but the decider's followers has about ½; what differs
    within a stratum, a fifth wide, is left.

    Parameters
    ----------
    tested
        Rung → held-out dyads, all of the same dyads.
    follower_count
        Followers of the decider, one value a held-out dyad.
    per_doubling
        Strata a doubling of followers.

    Returns
    -------
    pandas.DataFrame
        rung; auc, ci_low, ci_high; adjusted, adjusted_low, adjusted_high; fall = auc − adjusted
        with fall_low and fall_high (paired, dyad by dyad); answer_share: the share of the answers
        in strata that hold both answered and unanswered dyads, the only ones that the adjusted AUC
        speaks of. Intervals are dyadic-robust, take strata and their weights as given, and are
        missing where there are too few dyads of a class.

    Raises
    ------
    InputError
        If a count is missing, or the lengths differ.

    Examples
    --------
    >>> from followkit import covariance as cov
    >>> accounts = cov.code_accounts(list("abcdefgh"), list("ijklmnop"))
    >>> followers = np.array([1.0, 1, 1, 1, 60, 60, 60, 60])
    >>> y = np.array([1.0, 1, 1, 0, 1, 0, 0, 0])
    >>> held = sc.HeldOut(y, 1 / (2 + followers), accounts, np.zeros(8, int))
    >>> score_by_indegree({"followers": held}, followers)[["auc", "adjusted"]].values.tolist()
    [[0.75, 0.5]]
    """
    strata = make_indegree_strata(np.asarray(follower_count, float), per_doubling=per_doubling)
    rows = []
    for rung, held in tested.items():
        _check_length(held, strata)
        inner = replace(held, group=_cross(held.group, strata))
        plain, adjusted = sc.auc(held), sc.auc(inner)
        fall = _fall(held, inner)
        rows.append((rung, *plain, *adjusted, *fall, _answer_share(inner)))
    return pd.DataFrame(rows, columns=COLUMNS)


def score_in_bands(
    tested: Mapping[str, sc.HeldOut], follower_count: FloatArray, *, band_count: int = BAND_COUNT
) -> pd.DataFrame:
    """Return the AUC of each rung in bands of deciders by followers, equally many dyads each.

    Returns
    -------
    pandas.DataFrame
        band (from 1, fewest followers), lowest and highest (followers in the band), rung, auc,
        ci_low, ci_high, n, answer_count. Equal counts stay in one band, so there may be fewer.

    Raises
    ------
    InputError
        If a count is missing, or the lengths differ.
    ParameterError
        If there is less than one band.
    """
    if band_count < 1:
        raise ParameterError(f"band_count: at least 1 band is needed; got {band_count}")
    count = np.asarray(follower_count, float)
    make_indegree_strata(count)
    edges = np.unique(np.quantile(count, np.linspace(0, 1, band_count + 1)[1:-1]))
    place = np.searchsorted(edges, count, side="left")
    rows = []
    for band, number in enumerate(np.unique(place), start=1):
        inside = place == number
        for rung, held in tested.items():
            _check_length(held, place)
            part = sc.select_held(held, inside)
            size = int(inside.sum()), int(part.outcome.sum())
            rows.append((band, count[inside].min(), count[inside].max(), rung, *sc.auc(part),
                         *size))  # fmt: skip
    return pd.DataFrame(rows, columns=BAND_COLUMNS)


def _check_length(held: sc.HeldOut, strata: IntArray) -> None:
    if len(held.outcome) != len(strata):
        raise InputError(
            f"follower_count: one value a held-out dyad is needed; got {len(strata):,} for "
            f"{len(held.outcome):,} dyads"
        )


def _cross(group: IntArray, strata: IntArray) -> IntArray:
    """Return the group within which dyads are compared: test group and stratum."""
    return np.asarray(group, np.int64) * (int(strata.max(initial=0)) + 1) + strata


def _fall(held: sc.HeldOut, inner: sc.HeldOut) -> tuple[float, float, float]:
    """Return how much the AUC falls by the adjustment, with its paired interval."""
    (one, before), (other, after) = sc.auc_influence(held), sc.auc_influence(inner)
    if not np.isfinite(one - other) or sc.too_few(inner):
        return one - other, np.nan, np.nan
    shift = sc.mean_with_interval(before - after, held)
    return one - other, one - other + shift[1] - shift[0], one - other + shift[2] - shift[0]


def _answer_share(inner: sc.HeldOut) -> float:
    """Return the share of the answers that some unanswered dyad is compared with."""
    answers = inner.weights * inner.outcome
    if not answers.any():
        return np.nan
    return float(answers[sc.is_comparable(inner)].sum() / answers.sum())
