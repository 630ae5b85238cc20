"""Dyads: one row a pair, from the follow that opens it to what became of it.

A → B means that A follows B. A, who followed first, is the initiator; B is the decider. Three
questions are kept apart and never mixed: *follow-back* needs times, *late answer* two crawls,
*mutuality* one snapshot. In the last two the initiator is only the one whose tie is seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit.errors import InputError, ParameterError, suggest
from followkit.observation import (
    find_complete,
    find_crawled,
    find_crawls,
    find_standing,
    make_spans,
    sees_unfollows,
)
from followkit.tables import Dataset

Question = Literal["follow_back", "late_answer", "mutuality"]
QUESTIONS: tuple[Question, ...] = ("follow_back", "late_answer", "mutuality")
DAY = pd.Timedelta(days=1)
PAIR = ["initiator_id", "decider_id"]
TIE = ["follower_id", "followee_id"]
COLUMNS = ["dyad_id", *PAIR, "at", "outcome", "fold", "weight", "state"]

CensusRow = tuple[str, int, str]


@dataclass(frozen=True)
class DyadSet:
    """The dyads of one question.

    Attributes
    ----------
    question
        follow_back, late_answer or mutuality.
    table
        One row a dyad (mutuality: a directed tie), sorted by initiator and decider: dyad_id,
        initiator_id, decider_id, at (UTC; the baseline crawl for late answers, missing for
        mutuality), outcome (0 or 1), fold (the same for both directions of a pair), weight, state.
    census
        step, count, note: from ties read to dyads kept; each block adds up.
    horizon_days
        Days within which an answer counts; the gap between crawls; None for mutuality.
    asof
        How features may look: timed (before `at`), crawl (at the baseline), snapshot (by fold).
    crawl_at
        The crawl that features may use, where there is one.
    sees_unfollows
        False: rates hold only among ties that survived to be seen, and are likely too high.
    notes
        Sentences that belong beside every result.
    """

    question: Question
    table: pd.DataFrame
    census: pd.DataFrame
    horizon_days: float | None
    asof: Literal["timed", "crawl", "snapshot"]
    crawl_at: pd.Timestamp | None
    sees_unfollows: bool
    notes: tuple[str, ...] = ()


def find_questions(dataset: Dataset) -> dict[Question, str]:
    """Return for each question "" where the data can answer it, else what they lack.

    Examples
    --------
    >>> from followkit.tables import make_dataset
    >>> ties = pd.DataFrame({"follower_id": ["a", "b"], "followee_id": ["b", "a"]})
    >>> find_questions(make_dataset({"follows": ties}))["follow_back"]
    'needs follows with followed_at'
    """
    has_times = dataset.has("follows", "followed_at")
    crawls = find_crawls(dataset)
    return {
        "follow_back": "" if has_times else "needs follows with followed_at",
        "late_answer": "" if len(crawls) >= 2 else "needs two crawls in observation",
        "mutuality": "",
    }


def make_dyads(
    dataset: Dataset,
    question: Question,
    *,
    horizon_days: float | None = 30.0,
    seed: int = 0,
    fold_count: int = 5,
) -> DyadSet:
    """Make the dyads of one question, with a census of everything left out.

    Parameters
    ----------
    dataset
        Canonical tables; pending follows are not follows.
    question
        follow_back: outcome 1 if B→A first appears in (t, t+H] while A→B stands; withdrawn first
        is 0 and kept; only dyads with t+H within B's observation, whatever their outcome.
        late_answer: ties one-way at the first crawl whose decider's list was whole in both; 1 if
        B→A stands at the second. mutuality: every directed tie; 1 if its reverse stands.
    horizon_days
        H, for follow_back. For late answers only the gap between the crawls (or None) is valid.
    seed, fold_count
        Of the folds that keep mutuality's features honest.

    Returns
    -------
    DyadSet

    Raises
    ------
    ParameterError
        If the question is unknown or the horizon is not positive.
    InputError
        If the data cannot answer the question, or hold no dyad for it.

    Examples
    --------
    >>> from followkit.tables import make_dataset
    >>> ties = pd.DataFrame({"follower_id": ["a", "b", "c"], "followee_id": ["b", "a", "a"]})
    >>> dyads = make_dyads(make_dataset({"follows": ties}), "mutuality")
    >>> dyads.table[["initiator_id", "decider_id", "outcome"]].values.tolist()
    [['a', 'b', 1], ['b', 'a', 1], ['c', 'a', 0]]
    """
    if question not in QUESTIONS:
        raise ParameterError(f"question: {question!r} is unknown; {suggest(question, QUESTIONS)}")
    lacking = find_questions(dataset)[question]
    if lacking:
        able = [name for name, why in find_questions(dataset).items() if not why]
        raise InputError(f"question: {question} {lacking}; these data can answer {', '.join(able)}")
    if question == "follow_back":
        dyads = _make_follow_back(dataset, _check_horizon(horizon_days))
    elif question == "late_answer":
        dyads = _make_late_answer(dataset, horizon_days)
    else:
        dyads = _make_mutuality(dataset)
    if dyads.table.empty:
        counts = "; ".join(
            f"{row.step} {row.count:,}" for row in dyads.census.itertuples(name="Row")
        )
        raise InputError(f"follows: no dyad is left for {question} ({counts}); see the census")
    table = dyads.table.sort_values(PAIR, kind="stable", ignore_index=True)
    table.insert(0, "dyad_id", np.arange(len(table), dtype=np.int64))
    folds = make_folds(table["initiator_id"], table["decider_id"], seed=seed, fold_count=fold_count)
    return replace(dyads, table=table.assign(fold=folds)[_order(table)])


def select_dyads(dyads: DyadSet, keep: Any, note: str) -> DyadSet:
    """Return the dyads where `keep` is true, with the step written into census and notes.

    Examples
    --------
    >>> from followkit.tables import make_dataset
    >>> ties = pd.DataFrame({"follower_id": ["a", "b", "c"], "followee_id": ["b", "a", "a"]})
    >>> dyads = make_dyads(make_dataset({"follows": ties}), "mutuality")
    >>> chosen = select_dyads(dyads, dyads.table["initiator_id"] != "c", "without c")
    >>> len(chosen.table), chosen.notes[-1]
    (2, 'without c')
    """
    mask = np.asarray(keep, dtype=bool)
    table = dyads.table[mask].reset_index(drop=True)
    table["dyad_id"] = np.arange(len(table), dtype=np.int64)
    step = _census([("selected", len(table), note), ("left out", int((~mask).sum()), note)])
    census = pd.concat([dyads.census, step], ignore_index=True)
    return replace(dyads, table=table, census=census, notes=(*dyads.notes, note))


def make_folds(
    initiator_ids: Any, decider_ids: Any, *, seed: int, fold_count: int
) -> npt.NDArray[np.int16]:
    """Return a fold for each pair from a keyed hash: both directions and any row order agree.

    Examples
    --------
    >>> one = make_folds(["a", "b"], ["b", "c"], seed=1, fold_count=5)
    >>> two = make_folds(["c", "b"], ["b", "a"], seed=1, fold_count=5)
    >>> (one == two[::-1]).all()
    np.True_
    """
    if fold_count < 2:
        raise ParameterError(f"fold_count: at least 2 folds are needed; got {fold_count}")
    key = str(seed).encode()
    folds = np.empty(len(initiator_ids), dtype=np.int16)
    for row, (one, two) in enumerate(
        zip(map(str, initiator_ids), map(str, decider_ids), strict=True)
    ):
        pair = f"{one}\x1f{two}" if one < two else f"{two}\x1f{one}"
        digest = blake2b(pair.encode(), digest_size=8, key=key).digest()
        folds[row] = int.from_bytes(digest, "big") % fold_count
    return folds


def make_waiting(dataset: Dataset) -> pd.DataFrame:
    """Return every timed dyad with how long it was watched, the young ones included.

    Returns
    -------
    pandas.DataFrame
        initiator_id, decider_id, at (UTC), duration_days (to the answer, the withdrawal or the end
        of the decider's observation, whichever came first) and state: answered, withdrawn or
        censored.

    Raises
    ------
    InputError
        If the data hold no times of follows.
    """
    if not dataset.has("follows", "followed_at"):
        raise InputError("follows: followed_at is needed to follow dyads over time; it is missing")
    pairs, _ = _pair_up(dataset)
    pairs = _add_observation(pairs, dataset)
    pairs = pairs[pairs["is_watched"]]
    ends = pairs[["answer_at", "withdrawn_at", "until_at"]].min(axis=1)
    answered = pairs["answer_at"].notna() & (pairs["answer_at"] == ends)
    withdrawn = ~answered & pairs["withdrawn_at"].notna() & (pairs["withdrawn_at"] == ends)
    state = np.select([answered, withdrawn], ["answered", "withdrawn"], "censored")
    table = pairs[[*PAIR, "at"]].assign(duration_days=(ends - pairs["at"]) / DAY, state=state)
    return table.sort_values(PAIR, kind="stable", ignore_index=True)


def _check_horizon(horizon_days: float | None) -> float:
    if horizon_days is None or not np.isfinite(horizon_days) or horizon_days <= 0:
        raise ParameterError(
            f"horizon_days: a positive number of days is needed; got {horizon_days}"
        )
    return float(horizon_days)


def _order(table: pd.DataFrame) -> list[str]:
    return [*COLUMNS, *(name for name in table if name not in COLUMNS)]


def _census(rows: Sequence[CensusRow]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["step", "count", "note"])


def _active(dataset: Dataset) -> pd.DataFrame:
    follows = dataset.follows
    if "status" not in follows:
        return follows
    return follows[(follows["status"] != "pending").fillna(True).to_numpy(dtype=bool)]


def _pair_up(dataset: Dataset) -> tuple[pd.DataFrame, list[CensusRow]]:
    """Return one row a connected pair with known times: who opened it, when it was answered."""
    follows = _active(dataset)
    timed = follows[follows["followed_at"].notna()]
    if "unfollowed_at" not in timed:
        timed = timed.assign(
            unfollowed_at=pd.Series(pd.NaT, timed.index, dtype="datetime64[us, UTC]")
        )
    spells = timed.sort_values([*TIE, "followed_at"], kind="stable")
    ties = spells.drop_duplicates(TIE)[[*TIE, "followed_at", "unfollowed_at"]]
    ties.columns = pd.Index([*PAIR, "at", "withdrawn_at"])
    reverse = ties[[*PAIR, "at"]]
    reverse.columns = pd.Index(["decider_id", "initiator_id", "answer_at"])
    both = ties.merge(reverse, on=PAIR, how="left")
    first = both[(both["answer_at"].isna() | (both["answer_at"] > both["at"])).to_numpy(dtype=bool)]
    equal = int((both["answer_at"] == both["at"]).sum()) // 2
    census = [
        ("follows read", len(dataset.follows), ""),
        ("pending", len(dataset.follows) - len(follows), "requests are not follows"),
        ("without a time", len(follows) - len(timed), "cannot be placed before or after"),
        ("followed again", len(spells) - len(ties), "the first follow opens the dyad"),
        ("answers among ties", len(ties) - len(first) - 2 * equal, "the later tie of a pair"),
        ("equal stamps", 2 * equal, "answered, but nobody came first: no initiator"),
        ("dyads", len(first), "pairs with a known initiator"),
    ]
    return first.reset_index(drop=True), census


def _add_observation(pairs: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Add until when the decider was watched from t on, and whether at all."""
    spans = make_spans(dataset).sort_values(["account_id", "from_at"], kind="stable")
    found = pairs.reset_index().merge(
        spans, left_on="decider_id", right_on="account_id", how="inner"
    )
    found = found[(found["from_at"] <= found["at"]) & (found["at"] <= found["until_at"])]
    until = found.groupby("index")["until_at"].max()
    result = pairs.assign(until_at=until.reindex(pairs.index))
    return result.assign(is_watched=result["until_at"].notna())


def _make_follow_back(dataset: Dataset, horizon_days: float) -> DyadSet:
    pairs, census = _pair_up(dataset)
    pairs = _add_observation(pairs, dataset)
    horizon = pd.Timedelta(days=horizon_days)
    answered = pairs["answer_at"] <= pairs["at"] + horizon
    withdrawn = pairs["withdrawn_at"] < pairs["answer_at"].fillna(pairs["at"] + horizon)
    withdrawn &= pairs["withdrawn_at"] <= pairs["at"] + horizon
    state = np.select([withdrawn, answered], ["withdrawn_first", "answered"], "not_answered")
    young = pairs["is_watched"] & (pairs["at"] + horizon > pairs["until_at"])
    gone = _find_deleted(pairs, dataset, horizon) & pairs["is_watched"] & ~young & ~answered
    kept = (pairs["is_watched"] & ~young & ~gone).to_numpy(dtype=bool)
    states = pd.Series(state)[kept]
    census += [
        ("unobservable", int((~pairs["is_watched"]).sum()), "the decider was not watched at t"),
        ("too young", int(young.sum()), "t + H lies after the decider's observation"),
        ("decider deleted", int(gone.sum()), "gone before it could answer"),
        ("eligible", int(kept.sum()), ""),
        ("answered", int((states == "answered").sum()), ""),
        ("not answered", int((states == "not_answered").sum()), ""),
        ("withdrawn first", int((states == "withdrawn_first").sum()), "counts as not answered"),
    ]
    table = pairs.loc[kept, [*PAIR, "at"]].assign(
        outcome=(states == "answered").to_numpy().astype(np.int8),
        weight=1.0,
        state=states.to_numpy(),
    )
    seen = sees_unfollows(dataset)
    notes = _equal_note(census) + _survivor_note(seen)
    return DyadSet("follow_back", table, _census(census), horizon_days, "timed", None, seen, notes)


def _find_deleted(pairs: pd.DataFrame, dataset: Dataset, horizon: pd.Timedelta) -> pd.Series:
    """Return which deciders are known to have been deleted in (t, t + H]."""
    if not dataset.has("accounts", "deleted_at"):
        return pd.Series(False, index=pairs.index)
    deleted = pd.to_datetime(dataset.accounts["deleted_at"], utc=True)
    moment = pairs["decider_id"].map(pd.Series(deleted.to_numpy(), dataset.accounts["account_id"]))
    moment = pd.to_datetime(moment, utc=True)
    return (moment > pairs["at"]) & (moment <= pairs["at"] + horizon)


def _equal_note(census: Sequence[CensusRow]) -> tuple[str, ...]:
    counts = {step: count for step, count, _ in census}
    answers = counts["answers among ties"] + counts["equal stamps"] // 2
    if counts["equal stamps"] // 2 <= 0.01 * answers:
        return ()
    share = counts["equal stamps"] // 2 / answers
    return (
        f"{share:.0%} of the answers carry the same stamp as the follow; they have no initiator "
        "and are missing from the model, which therefore sees a lower base rate.",
    )


def _survivor_note(seen: bool) -> tuple[str, ...]:
    if seen:
        return ()
    return (
        "Withdrawn follows cannot be seen in these data: rates hold among ties that survived to "
        "be seen, and are likely too high.",
    )


def _make_late_answer(dataset: Dataset, horizon_days: float | None) -> DyadSet:
    crawls = find_crawls(dataset)[:2]
    gap = (crawls[1] - crawls[0]) / DAY
    if horizon_days is not None and horizon_days not in (30.0, gap):
        raise InputError(
            f"horizon_days: late answers have the gap between the crawls ({gap:.1f} days) as their "
            f"horizon; got {horizon_days}. Leave it out."
        )
    follows = _active(dataset)
    now, _ = find_standing(follows, crawls[0])
    later, unsure = find_standing(follows, crawls[1])
    keys = pd.MultiIndex.from_frame(follows[TIE])
    ties = follows[now][TIE].set_axis(PAIR, axis=1).reset_index(drop=True)
    reverse = pd.MultiIndex.from_frame(ties[PAIR[::-1]])
    one_way = ~reverse.isin(keys[now])
    whole = [find_complete(dataset, crawl) for crawl in crawls]
    is_open = ties["decider_id"].isin(whole[0]) & ties["decider_id"].isin(whole[1])
    again = ties["initiator_id"].isin(find_crawled(dataset, crawls[1])).to_numpy()
    at_risk = ties[one_way & is_open.to_numpy() & again].reset_index(drop=True)
    forth = pd.MultiIndex.from_frame(at_risk[PAIR])
    back = pd.MultiIndex.from_frame(at_risk[PAIR[::-1]]).isin(keys[later])
    stands, unknown = forth.isin(keys[later]), forth.isin(keys[unsure])
    state = np.select(
        [back & stands, back, stands, unknown], ["mutual", "flipped", "one_way", "unknown"], "gone"
    )
    table = at_risk.assign(at=crawls[0], outcome=back.astype(np.int8), weight=1.0, state=state)
    notes = {
        "one_way": "still one-way", "mutual": "answered, both stand",
        "flipped": "answered, the first tie is gone or unknown", "gone": "withdrawn, not answered",
        "unknown": "not answered; the initiator's list was cut off",
    }  # fmt: skip
    census = [
        ("ties at the first crawl", len(ties), ""),
        ("mutual already", int((~one_way).sum()), "both directions stand"),
        ("unobservable", int((one_way & ~is_open).sum()), "the decider's list was not read whole"),
        ("not crawled again", int((one_way & is_open & ~again).sum()), "initiator without a list"),
        ("at risk", len(at_risk), "one-way ties whose decider could be seen answering"),
        *((name, int((state == name).sum()), note) for name, note in notes.items()),
    ]
    seen = sees_unfollows(dataset)
    remark = ("Ages of the ties are unknown and the initiator is only apparent.",)
    return DyadSet("late_answer", table, _census(census), gap, "crawl", crawls[0], seen,
                   remark + _survivor_note(seen))  # fmt: skip


def _make_mutuality(dataset: Dataset) -> DyadSet:
    follows = _active(dataset)
    crawls = find_crawls(dataset)
    crawl_at = crawls[0] if crawls else None
    if crawl_at is not None:
        stands = find_standing(follows, crawl_at)[0]
        whole = find_complete(dataset, crawl_at)
        seen = follows["follower_id"].isin(whole) & follows["followee_id"].isin(whole)
    else:
        gone = follows.filter(["unfollowed_at", "unfollowed_before_at"]).notna().any(axis=1)
        stands, seen = ~gone.to_numpy(), pd.Series(True, index=follows.index)
    kept = follows[stands & seen.to_numpy(dtype=bool)]
    ties = kept[TIE].drop_duplicates().set_axis(PAIR, axis=1).reset_index(drop=True)
    keys = pd.MultiIndex.from_frame(ties)
    mutual = pd.MultiIndex.from_frame(ties[PAIR[::-1]]).isin(keys)
    table = ties.assign(
        at=pd.Series(pd.NaT, ties.index, dtype="datetime64[us, UTC]"),
        outcome=mutual.astype(np.int8),
        weight=1.0,
        state=np.where(mutual, "mutual", "one_way"),
    )
    census = [
        ("follows read", len(dataset.follows), ""),
        ("not standing", int((~stands).sum()) + len(dataset.follows) - len(follows),
         "withdrawn, not yet made, or pending"),
        ("unobservable", int((stands & ~seen).sum()), "one of the two lists was not read whole"),
        ("ties", len(ties), ""),
        ("mutual", int(mutual.sum()), "ties whose reverse stands"),
        ("one_way", int((~mutual).sum()), "ties without a reverse"),
    ]  # fmt: skip
    notes = ("Who followed first is unknown: coefficients mix who initiates with who answers.",)
    return DyadSet("mutuality", table, _census(census), None, "snapshot", crawl_at, True, notes)
