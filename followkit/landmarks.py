"""Dyads at a landmark t + L: who was answered by then, what still stands, who is watched how long.

Groups and predictors are fixed by what happened up to the landmark, outcomes by what happened
after it, so nobody counts as answered because of something that had yet to come. Anderson, Cain &
Gelber (1983), Journal of Clinical Oncology 1, doi:10.1200/JCO.1983.1.11.710.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit.dyads import DyadSet
from followkit.errors import InputError, ParameterError
from followkit.features.engagement import CONTACT_DAYS
from followkit.features.records import SHRINKAGE
from followkit.features.ties import get_table, to_us
from followkit.observation import keep_active, make_spans
from followkit.tables import Dataset
from followkit.timeline import count_before
from followkit.waiting import PAIR, TIE, add_observation, pair_up

__all__ = [
    "CONTACT",
    "check_days",
    "count_acts",
    "covers_acts",
    "make_landmarks",
    "measure_habits",
    "span_before",
]

FloatArray = npt.NDArray[np.float64]
FlagArray = npt.NDArray[np.bool_]

CONTACT = pd.Timedelta(days=CONTACT_DAYS)
#: All times are whole microseconds: what is not after a moment lies before the next one.
MICROSECOND = pd.Timedelta(microseconds=1)


def make_landmarks(dataset: Dataset, dyads: DyadSet, *, landmark_days: float = 7.0) -> pd.DataFrame:
    """Return timed dyads with what was known of them at t + L and when their ties ended.

    Parameters
    ----------
    dataset, dyads
        The tables, and `make_dyads(dataset, "follow_back")` of them.
    landmark_days
        L, at most the horizon, so that the decider was watched up to the landmark.

    Returns
    -------
    pandas.DataFrame
        The dyads without those of equal stamps, in their order: dyad_id, initiator_id, decider_id,
        at, outcome, landmark_at, is_answered (by t + L, while A→B stood), is_standing (at t + L:
        A→B not withdrawn, B not deleted), answer_at, withdrawn_at (of A→B), answer_withdrawn_at
        (of B→A), initiator_until_at and decider_until_at (end of the watch over their follows that
        holds t, or their deletion; missing: not watched at t).

    Raises
    ------
    ParameterError
        If the landmark is not positive or lies beyond the horizon.
    InputError
        If the dyads have no times, or are not of this dataset.

    Examples
    --------
    >>> from followkit.dyads import make_dyads
    >>> from followkit.tables import make_dataset
    >>> ties = pd.DataFrame({
    ...     "follower_id": ["a", "b", "c"], "followee_id": ["b", "a", "a"],
    ...     "followed_at": ["2024-01-01", "2024-01-03", "2024-02-20"]})
    >>> data = make_dataset({"follows": ties})
    >>> rows = make_landmarks(data, make_dyads(data, "follow_back"), landmark_days=1)
    >>> rows[["initiator_id", "outcome", "is_answered", "is_standing"]].values.tolist()
    [['a', 1, False, True]]
    """
    if dyads.asof != "timed" or dyads.horizon_days is None:
        raise InputError(
            f"dyads: landmarks need timed follows; got {dyads.question}. Make the dyads of "
            "follow_back."
        )
    _check_landmark(landmark_days, dyads.horizon_days)
    rows = _join_ends(dyads.table[["dyad_id", *PAIR, "at", "outcome"]], dataset)
    landmark = rows["at"] + pd.Timedelta(days=landmark_days)
    is_gone = (rows["withdrawn_at"] <= landmark) | (rows["deleted_at"] <= landmark)
    is_answered = (rows["outcome"] == 1) & (rows["answer_at"] <= landmark)
    return rows.drop(columns="deleted_at").assign(
        landmark_at=landmark,
        is_answered=is_answered.to_numpy(dtype=bool),
        is_standing=~is_gone.to_numpy(dtype=bool),
        answer_withdrawn_at=_find_answer_ends(rows, dataset),
        initiator_until_at=_watched_until(rows["initiator_id"], rows["at"], dataset),
        decider_until_at=_watched_until(rows["decider_id"], rows["at"], dataset),
    )


def measure_habits(rows: pd.DataFrame, side: str, dataset: Dataset) -> pd.DataFrame:
    """Return one side's past share of follows withdrawn and its followees, strictly before t.

    Parameters
    ----------
    rows
        From `make_landmarks`.
    side
        initiator or decider.
    dataset
        The tables.

    Returns
    -------
    pandas.DataFrame
        On the index of `rows`: {side}_withdrawn_share = (withdrawn + 10 p) / (made + 10), with p
        the share (withdrawn + 1) / (made + 2) of all accounts as of t; {side}_followees_log =
        log(1 + made − withdrawn).

    Examples
    --------
    >>> from followkit.tables import make_dataset
    >>> data = make_dataset({"follows": pd.DataFrame({
    ...     "follower_id": ["a", "a"], "followee_id": ["b", "c"],
    ...     "followed_at": ["2024-01-01", "2024-01-02"],
    ...     "unfollowed_at": ["2024-01-05", None]})})
    >>> at = pd.to_datetime(["2024-01-05", "2024-01-06"], utc=True)
    >>> rows = pd.DataFrame({"initiator_id": ["a", "a"], "at": at})
    >>> measure_habits(rows, "initiator", data).round(3).values.tolist()
    [[0.208, 1.099], [0.5, 0.693]]
    """
    follows = keep_active(get_table(dataset, "follows"))
    follows = follows[follows["followed_at"].notna()]
    queries = pd.DataFrame({"account_id": rows[f"{side}_id"], "at": rows["at"]})
    counts = []
    for column in ("followed_at", "unfollowed_at"):
        events = follows[["follower_id", column]].set_axis(["account_id", "at"], axis=1).dropna()
        everyone = np.searchsorted(np.sort(to_us(events["at"])), to_us(rows["at"]), side="left")
        counts.append((count_before(events, queries), everyone))
    (made, all_made), (withdrawn, all_withdrawn) = counts
    pooled = (all_withdrawn + 1) / (all_made + 2)
    share = (withdrawn + SHRINKAGE * pooled) / (made + SHRINKAGE)
    columns = {
        f"{side}_withdrawn_share": share,
        f"{side}_followees_log": np.log1p(made - withdrawn),
    }
    return pd.DataFrame(columns, index=rows.index)


def covers_acts(
    rows: pd.DataFrame, side: str, after: pd.Series, until: pd.Series, dataset: Dataset
) -> FlagArray:
    """Return whether all of one side's acts in (after, until] were visible.

    As for features: rows of `observation` decide; without any, acts are taken to be known for
    everybody from the first of them to the last.

    Examples
    --------
    >>> from followkit.tables import make_dataset
    >>> data = make_dataset({
    ...     "follows": pd.DataFrame({"follower_id": ["a"], "followee_id": ["b"]}),
    ...     "interactions": pd.DataFrame({"actor_id": ["a", "b"], "target_id": ["b", "a"],
    ...         "kind": "like", "at": ["2024-01-01", "2024-01-09"]})})
    >>> after = pd.Series(pd.to_datetime(["2024-01-02", "2024-01-02"], utc=True))
    >>> until = pd.Series(pd.to_datetime(["2024-01-09", "2024-01-10"], utc=True))
    >>> rows = pd.DataFrame({"initiator_id": ["a", "a"]})
    >>> covers_acts(rows, "initiator", after, until, data).tolist()
    [True, False]
    """
    stays = pd.DataFrame(
        {"row": np.arange(len(rows)), "account_id": rows[f"{side}_id"].to_numpy(),
         "since": (after + MICROSECOND).to_numpy(), "until": until.to_numpy()}
    )  # fmt: skip
    spans = _find_act_spans(dataset)
    joined = stays.merge(spans) if "account_id" in spans else stays.merge(spans, how="cross")
    is_within = (joined["from_at"] <= joined["since"]) & (joined["until"] <= joined["until_at"])
    flags = np.zeros(len(rows), dtype=bool)
    flags[joined.loc[is_within, "row"].to_numpy(dtype=np.int64)] = True
    return flags


def count_acts(
    acts: pd.DataFrame,
    rows: pd.DataFrame,
    way: tuple[str, str],
    after: pd.Series,
    until: pd.Series,
) -> FloatArray:
    """Return how many acts of one side towards the other lie in (after, until].

    Parameters
    ----------
    acts
        actor_id, target_id, at and amount, from `followkit.features.context.select_acts`.
    rows
        initiator_id and decider_id, one row a dyad.
    way
        Who acts towards whom: (initiator, decider) or (decider, initiator).
    after, until
        Moments (UTC), one a row.

    Examples
    --------
    >>> days = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"], utc=True)
    >>> acts = pd.DataFrame({"actor_id": "a", "target_id": "b", "at": days, "amount": [1, 2, 4]})
    >>> rows = pd.DataFrame({"initiator_id": ["a"], "decider_id": ["b"]})
    >>> first, last = pd.Series(days[:1]), pd.Series(days[2:])
    >>> count_acts(acts, rows, ("initiator", "decider"), first, last).tolist()
    [6.0]
    """
    by = ["actor_id", "target_id"]
    pairs = rows[[f"{side}_id" for side in way]].set_axis(by, axis=1)
    # One call sorts all acts once for both limits.
    queries = pd.concat([pairs.assign(at=limit + MICROSECOND) for limit in (until, after)])
    late, early = np.split(count_before(acts, queries, by=by), 2)
    return (late - early).astype(np.float64)


def span_before(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Return the limits of [t − 28 days, t) in the form (after, until].

    Examples
    --------
    >>> rows = pd.DataFrame({"at": pd.to_datetime(["2024-01-29"], utc=True)})
    >>> [str(limit.iloc[0])[:26] for limit in span_before(rows)]
    ['2023-12-31 23:59:59.999999', '2024-01-28 23:59:59.999999']
    """
    return rows["at"] - CONTACT - MICROSECOND, rows["at"] - MICROSECOND


def check_days(argument: str, days: float) -> None:
    """Refuse a span of time that is not a positive number of days.

    Examples
    --------
    >>> check_days("window_days", 0)
    Traceback (most recent call last):
    followkit.errors.ParameterError: window_days: a positive number of days is needed; got 0
    """
    if not (np.isfinite(days) and days > 0):
        raise ParameterError(f"{argument}: a positive number of days is needed; got {days}")


def _check_landmark(landmark_days: float, horizon_days: float) -> None:
    check_days("landmark_days", landmark_days)
    if landmark_days > horizon_days:
        raise ParameterError(
            f"landmark_days: deciders are watched for the horizon of {horizon_days:g} days, and "
            f"the landmark must lie within it; got {landmark_days:g}. Shorten it, or make the "
            "dyads with a longer horizon."
        )


def _join_ends(table: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Add when each dyad was answered, withdrawn and its decider deleted; drop equal stamps."""
    pairs = add_observation(pair_up(dataset)[0], dataset)
    known = pairs[[*PAIR, "at", "answer_at", "withdrawn_at", "deleted_at", "is_equal_stamp"]]
    rows = table.merge(known, on=[*PAIR, "at"], how="left", validate="one_to_one")
    is_equal = rows.pop("is_equal_stamp")
    if is_equal.isna().any():
        raise InputError(
            f"dyads: {is_equal.isna().sum():,} of them are not in the dataset; make both from the "
            "same tables"
        )
    return rows[~is_equal.to_numpy(dtype=bool)].reset_index(drop=True)


def _find_answer_ends(rows: pd.DataFrame, dataset: Dataset) -> pd.Series:
    """Return when the first spell of B→A was withdrawn (missing: never, or it never began)."""
    follows = keep_active(get_table(dataset, "follows"))
    spells = follows[follows["followed_at"].notna()].sort_values("followed_at", kind="stable")
    ends = spells.drop_duplicates(TIE)[[*TIE, "unfollowed_at"]]
    ends.columns = pd.Index([*PAIR[::-1], "answer_withdrawn_at"])
    return rows[PAIR].merge(ends, on=PAIR, how="left")["answer_withdrawn_at"]


def _watched_until(ids: pd.Series, at: pd.Series, dataset: Dataset) -> pd.Series:
    """Return the end of each account's watch that holds `at`; a deletion ends the watch."""
    never = pd.Series(pd.NaT, ids.index, dtype=at.dtype)
    # What holds for the watch over deciders holds for that over initiators.
    asked = pd.DataFrame({"decider_id": ids, "at": at, "answer_at": never, "withdrawn_at": never})
    seen = add_observation(asked, dataset)
    return seen[["until_at", "deleted_at"]].min(axis=1).where(seen["is_watched"])


def _find_act_spans(dataset: Dataset) -> pd.DataFrame:
    """Return account_id, from_at, until_at of acts; no account_id where one span is for all."""
    moments = dataset.interactions["at"].dropna()
    seen = dataset.observation
    seen = seen[(seen["table_name"] == "interactions").to_numpy(dtype=bool, na_value=False)]
    if seen.empty:
        return pd.DataFrame({"from_at": [moments.min()], "until_at": [moments.max()]})
    if "observed_until_at" in seen:
        # A crawl of acts reaches back to the first of them.
        is_crawl = (seen["observed_from_at"] == seen["observed_until_at"]).fillna(False)
        since = seen["observed_from_at"].mask(is_crawl.to_numpy(dtype=bool), moments.min())
        seen = seen.assign(observed_from_at=since)
    # Spans are closed and joined by the rules for follows.
    return make_spans(dataset.replace(observation=seen.assign(table_name="follows")))
