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

from followkit import words
from followkit.errors import InputError, ParameterError, suggest
from followkit.observation import (
    find_complete,
    find_crawled,
    find_crawls,
    find_standing,
    has_observation,
    keep_active,
    make_snapshot,
    sees_unfollows,
)
from followkit.reprs import make_repr
from followkit.tables import Dataset
from followkit.waiting import DAY, PAIR, TIE, CensusRow, add_observation, make_waiting, pair_up

__all__ = [
    "QUESTIONS",
    "DyadSet",
    "Question",
    "find_questions",
    "make_dyads",
    "make_folds",
    "make_waiting",
    "select_dyads",
]

Question = Literal["follow_back", "late_answer", "mutuality"]
QUESTIONS: tuple[Question, ...] = ("follow_back", "late_answer", "mutuality")
DEFAULT_HORIZON_DAYS = 30.0
ASOF_WORDS = {
    "timed": "only before each follow",
    "crawl": "only at the first crawl",
    "snapshot": "at the graph without the dyad's fold",
}
COLUMNS = ["dyad_id", *PAIR, "at", "outcome", "fold", "weight", "state"]


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

    def _repr_html_(self) -> str:
        outcome = self.table["outcome"]
        facts = [
            ("dyads", len(outcome)),
            ("answered", f"{int(outcome.sum()):,} ({words.percent(float(outcome.mean()))})"),
            ("features look", ASOF_WORDS[self.asof]),
        ]
        if self.horizon_days is not None:
            facts.insert(2, ("horizon", words.days(self.horizon_days)))
        steps = self.census[["step", "count", "note"]].itertuples(index=False, name=None)
        caption = f"Dyads of the question {self.question}"
        return make_repr(caption, facts, ("step", "count", "note"), steps, self.notes)


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
    horizon_days: float | Literal["auto"] | None = "auto",
    seed: int = 0,
    fold_count: int = 5,
    keep_equal_stamps: bool = False,
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
        H, for follow_back ("auto" or None: 30). Late answers have the gap between the crawls;
        any other number is refused. Mutuality has no horizon.
    seed, fold_count
        Of the folds that keep mutuality's features honest.
    keep_equal_stamps
        Follow_back only: keep pairs that followed each other at the same moment, in both
        directions with weight ½, for models that do not use who came first.

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
    horizon = _check_horizon(horizon_days)
    if question == "follow_back":
        dyads = _make_follow_back(dataset, horizon or DEFAULT_HORIZON_DAYS, keep_equal_stamps)
    elif question == "late_answer":
        dyads = _make_late_answer(dataset, horizon)
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


def _check_horizon(horizon_days: float | str | None) -> float | None:
    if horizon_days is None or horizon_days == "auto":
        return None
    if isinstance(horizon_days, str) or not np.isfinite(horizon_days) or horizon_days <= 0:
        raise ParameterError(
            f"horizon_days: a positive number of days, or auto, is needed; got {horizon_days!r}"
        )
    return float(horizon_days)


def _order(table: pd.DataFrame) -> list[str]:
    return [*COLUMNS, *(name for name in table if name not in COLUMNS)]


def _census(rows: Sequence[CensusRow]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["step", "count", "note"])


def _make_follow_back(dataset: Dataset, horizon_days: float, keep_equal: bool) -> DyadSet:
    pairs, census = pair_up(dataset)
    pairs = add_observation(pairs, dataset)
    equal = pairs["is_equal_stamp"].to_numpy(dtype=bool)
    if not keep_equal:
        pairs, equal = pairs[~equal], equal[~equal]
    horizon = pd.Timedelta(days=horizon_days)
    watched = pairs["is_watched"].to_numpy(dtype=bool)
    young = (pairs["at"] + horizon > pairs["until_at"]).to_numpy(dtype=bool)
    kept = watched & ~young
    rows = pairs[kept]
    state = _name_states(rows, horizon)
    table = rows[[*PAIR, "at"]].assign(
        outcome=(state == "answered").astype(np.int8),
        weight=np.where(equal[kept], 0.5, 1.0),
        state=state.astype(str),
        duration_days=rows["duration_days"],
        is_answered_ever=(rows["end_state"] == "answered").to_numpy(dtype=bool),
    )
    kept_equal = [("equal stamps kept", int(equal.sum()), "both directions, weight ½")]
    census += kept_equal * keep_equal + [
        ("unobservable", int((~watched).sum()), "the decider was not watched at t"),
        ("too young", int(young.sum()), "t + H lies after the decider's observation"),
        ("eligible", int(kept.sum()), ""),
        ("answered", int((state == "answered").sum()), ""),
        ("not answered", int((state == "not_answered").sum()), ""),
        ("withdrawn first", int((state == "withdrawn_first").sum()), "counts as not answered"),
        ("decider deleted", int((state == "decider_deleted").sum()), "counts as not answered"),
    ]
    seen = sees_unfollows(dataset)
    notes = _equal_note(census) + _survivor_note(seen) + _watch_note(has_observation(dataset))
    return DyadSet("follow_back", table, _census(census), horizon_days, "timed", None, seen, notes)


def _name_states(rows: pd.DataFrame, horizon: pd.Timedelta) -> npt.NDArray[Any]:
    """Return what came first within the horizon; the end itself still counts for an answer."""
    in_time = {
        name: (rows[column] <= rows["at"] + horizon) & (rows["end_state"] == name)
        for name, column in [
            ("answered", "answer_at"), ("withdrawn", "withdrawn_at"), ("deleted", "deleted_at"),
        ]
    }  # fmt: skip
    names = ["answered", "withdrawn_first", "decider_deleted"]
    return np.select(
        [flag.to_numpy(dtype=bool) for flag in in_time.values()], names, "not_answered"
    )


def _watch_note(is_known: bool) -> tuple[str, ...]:
    if is_known:
        return ()
    return (
        "Nothing says when accounts were watched: all count as watched from the first follow to "
        "the last.",
    )


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
    if horizon_days is not None and abs(horizon_days - gap) > 0.05:
        raise InputError(
            f"horizon_days: late answers have the gap between the crawls ({gap:.1f} days) as their "
            f"horizon; got {horizon_days}. Leave it out."
        )
    follows = keep_active(dataset.follows)
    now, _ = find_standing(follows, crawls[0])
    later, unsure = find_standing(follows, crawls[1])
    keys = pd.MultiIndex.from_frame(follows[TIE])
    ties = follows[now][TIE].drop_duplicates(ignore_index=True).set_axis(PAIR, axis=1)
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
    ties, census = make_snapshot(dataset)
    crawls = find_crawls(dataset)
    ties = ties.set_axis(PAIR, axis=1)
    keys = pd.MultiIndex.from_frame(ties)
    mutual = pd.MultiIndex.from_frame(ties[PAIR[::-1]]).isin(keys)
    table = ties.assign(
        at=pd.Series(pd.NaT, ties.index, dtype="datetime64[us, UTC]"),
        outcome=mutual.astype(np.int8),
        weight=1.0,
        state=np.where(mutual, "mutual", "one_way"),
    )
    census += [
        ("mutual", int(mutual.sum()), "ties whose reverse stands"),
        ("one_way", int((~mutual).sum()), "ties without a reverse"),
    ]
    crawl_at = crawls[0] if crawls else None
    notes = ("Who followed first is unknown: coefficients mix who initiates with who answers.",)
    return DyadSet("mutuality", table, _census(census), None, "snapshot", crawl_at, True, notes)
