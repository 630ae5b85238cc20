"""The checks of the leakage rule. Each returns the names of the features that break it.

They run over whatever the catalogue holds, so a new feature is checked without being named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from worlds import KINDS, WORDS, World

from followkit.features import FeatureTable, make_features
from followkit.tables import Dataset

Names = Sequence[str] | None


def compute(world: World, dataset: Dataset | None = None, names: Names = None) -> FeatureTable:
    """Return every feature (or some), the untimed ones too, of the world's own dyads."""
    return make_features(
        world.dyads, dataset or world.dataset, names=names, allow_untimed=True, allow_sensitive=True
    )


def find_changes(before: pd.DataFrame, after: pd.DataFrame, rows: np.ndarray) -> set[str]:
    """Return the columns whose values are not bit-identical in the given rows."""
    assert before.index.equals(after.index)
    return {
        name
        for name in before.columns.intersection(after.columns)
        if not np.array_equal(
            before[name].to_numpy()[rows], after[name].to_numpy()[rows], equal_nan=True
        )
    }


def make_follow_rows(world: World, pairs: list[tuple[Any, Any]], moment: Any) -> pd.DataFrame:
    """Return new follows that begin (timed) or are first seen (crawl) at the moment."""
    rows = pd.DataFrame(pairs, columns=["follower_id", "followee_id"])
    if world.mode == "timed":
        rows["followed_at"] = moment
    elif world.mode == "crawl":
        rows["followed_before_at"] = moment
    return rows


def append_rows(table: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the table with rows appended, its own types kept."""
    rows = rows.reindex(columns=table.columns).astype(table.dtypes.to_dict())
    return pd.concat([table, rows], ignore_index=True)


def drop_pair(follows: pd.DataFrame, follower: Any, followee: Any) -> pd.DataFrame:
    """Return the follows without every tie follower → followee."""
    is_tie = (follows["follower_id"] == follower) & (follows["followee_id"] == followee)
    return follows[~is_tie.to_numpy(dtype=bool)]


def check_reverse_tie(world: World, row: int, names: Names = None) -> set[str]:
    """Delete, then add, the dyad's own reverse tie: its row has to stay as it is."""
    before = compute(world, names=names).values
    dyad = world.dyads.table.iloc[row]
    follows = world.dataset.tables["follows"]
    without = drop_pair(follows, dyad["decider_id"], dyad["initiator_id"])
    moment = world.dyads.crawl_at if world.mode == "crawl" else dyad["at"]
    pair = [(dyad["decider_id"], dyad["initiator_id"])]
    added = append_rows(without, make_follow_rows(world, pair, moment))
    return set().union(
        *(
            find_changes(
                before,
                compute(world, world.dataset.replace(follows=changed), names).values,
                np.array([row]),
            )
            for changed in (without, added)
        )
    )


def check_fold(world: World, fold: int, rng: np.random.Generator, names: Names = None) -> set[str]:
    """Re-draw the ties of a fold's pairs: no row of the fold may notice."""
    table = world.dyads.table
    inside = np.flatnonzero(table["fold"].to_numpy() == fold)
    before = compute(world, names=names).values
    pairs = {
        tuple(sorted(pair))
        for pair in table.iloc[inside][["initiator_id", "decider_id"]].to_numpy().tolist()
    }
    follows = world.dataset.tables["follows"]
    ties = follows[["follower_id", "followee_id"]].to_numpy().tolist()
    rest = follows[[tuple(sorted(tie)) not in pairs for tie in ties]]
    drawn = [
        pair
        for low, high in sorted(pairs)
        for pair in ((low, high), (high, low))
        if rng.random() < 0.5
    ]
    changed = append_rows(rest, make_follow_rows(world, drawn, None))
    return find_changes(
        before, compute(world, world.dataset.replace(follows=changed), names).values, inside
    )


def make_future(world: World, moment: Any, rng: np.random.Generator) -> dict[str, Dataset]:
    """Return datasets to which something of each kind happened at the moment."""
    tables = world.dataset.tables
    ids = pd.unique(world.dyads.table[["initiator_id", "decider_id"]].to_numpy().ravel())
    who, whom = rng.choice(ids, 30), rng.choice(ids, 30)
    reverse = world.dyads.table[["decider_id", "initiator_id"]].sample(
        10, random_state=1, replace=True
    )
    pairs = [pair for pair in zip(who, whom, strict=True) if pair[0] != pair[1]]
    pairs += list(reverse.itertuples(index=False, name=None))
    posts = pd.DataFrame(
        {
            "post_id": [f"later{number}" for number in range(30)],
            "account_id": who,
            "posted_at": moment,
            "text": [" ".join(rng.choice(WORDS, 3)) + " unheard" for _ in who],
            "hashtags": "new art",
            "language": "aa",
        }
    )
    acts = pd.DataFrame(
        {"actor_id": who, "target_id": whom, "kind": rng.choice(KINDS, 30), "at": moment}
    )
    both = reverse.set_axis(["actor_id", "target_id"], axis=1).assign(kind="like", at=moment)
    counts = pd.DataFrame(
        {"account_id": ids, "counts_at": moment, "follower_count": 77, "followee_count": 7}
    )
    return {
        "follow": world.dataset.replace(
            follows=append_rows(tables["follows"], make_follow_rows(world, pairs, moment))
        ),
        "unfollow": world.dataset.replace(follows=end_ties(world, moment, rng)),
        "post": world.dataset.replace(posts=append_rows(tables["posts"], posts)),
        "act": world.dataset.replace(
            interactions=append_rows(tables["interactions"], pd.concat([acts, both]))
        ),
        "counts": world.dataset.replace(
            account_counts=append_rows(tables["account_counts"], counts)
        ),
    }


def end_ties(world: World, moment: Any, rng: np.random.Generator) -> pd.DataFrame:
    """Return the follows, half of those that stand ended at the moment."""
    follows = world.dataset.tables["follows"].copy()
    began, ended = (
        ("followed_at", "unfollowed_at")
        if world.mode == "timed"
        else ("followed_before_at", "unfollowed_before_at")
    )
    stands = follows[ended].isna() & (follows[began] <= moment)
    picked = stands.to_numpy(dtype=bool) & (rng.random(len(follows)) < 0.5)
    follows.loc[picked, ended] = moment
    return follows


def check_future(
    world: World, moment: Any, rng: np.random.Generator, names: Names = None
) -> dict[str, set[str]]:
    """Let things happen at or after t: dated features of dyads up to then may not notice."""
    before = compute(world, names=names)
    rows = np.flatnonzero((world.dyads.table["at"] <= moment).to_numpy())
    return {
        kind: find_changes(before.values, compute(world, dataset, names).values, rows)
        - set(before.untimed)
        for kind, dataset in make_future(world, moment, rng).items()
    }


def check_renaming(world: World, rng: np.random.Generator, names: Names = None) -> set[str]:
    """Rename the accounts and shuffle all rows: values move with their dyads, and no more."""
    before = compute(world, names=names).values
    ids = world.dataset.tables["accounts"]["account_id"].to_numpy()
    new_ids = dict(zip(ids.tolist(), (rng.permutation(len(ids)) + 1000).tolist(), strict=True))
    columns = {
        "account_id", "follower_id", "followee_id", "actor_id", "target_id", "original_account_id"
    }  # fmt: skip
    tables = {}
    for name, table in world.dataset.tables.items():
        moved = table.assign(**{c: table[c].map(new_ids) for c in columns & set(table.columns)})
        tables[name] = moved.sample(frac=1.0, random_state=3).reset_index(drop=True)
    rows = world.dyads.table
    renamed = rows.assign(
        initiator_id=rows["initiator_id"].map(new_ids), decider_id=rows["decider_id"].map(new_ids)
    ).sample(frac=1.0, random_state=4)
    dyads = replace(world.dyads, table=renamed.reset_index(drop=True))
    after = make_features(
        dyads,
        world.dataset.replace(**tables),
        names=names,
        allow_untimed=True,
        allow_sensitive=True,
    ).values
    after = after.loc[before.index]
    return {
        name
        for name in before.columns
        if not np.allclose(before[name], after[name], rtol=1e-12, atol=1e-12, equal_nan=True)
    }


def assert_nothing_leaks(world: World, seed: int, names: Sequence[str], moment: Any) -> None:
    """Try every check that the kind of data allows on some features.

    Parameters
    ----------
    world, seed, names
        The world, what its draws start from, and the features.
    moment
        From which on the future is changed, in dated data.
    """
    rng = np.random.default_rng(seed)
    assert check_reverse_tie(world, seed, names) == set()
    assert check_renaming(world, rng, names) == set()
    if world.mode == "snapshot":
        assert check_fold(world, seed % 3, rng, names) == set()
        return
    if world.mode == "crawl":
        # What a crawl sees stands at its own moment.
        moment = moment + pd.Timedelta(hours=1)
    found = check_future(world, moment, rng, names)
    assert found == {kind: set() for kind in found}
