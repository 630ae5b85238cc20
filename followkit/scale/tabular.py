"""Tabular features of dyads, written once and run on pandas, polars, DuckDB and PySpark.

Every function takes and returns narwhals lazy frames of integer codes, so one text serves all
engines. Names and meanings are those of `followkit.features`; what joins cannot do (shared
neighbours) is in `followkit.scale.pairs`, what needs fitted texts stays with `make_features`.

- *timed*: everything strictly before the dyad's moment t;
- *crawl*: the ties of one crawl without the pair's own two;
- *snapshot*: the ties without any pair of the dyad's fold.

Only integers are summed, so results do not hang on the order of rows. There are no range joins:
queries and events are put on one line of time, queries first at equal times, and a running sum
per account is read off at the queries.
"""

from __future__ import annotations

from math import log

import narwhals as nw

from followkit.errors import InputError
from followkit.scale.acting import (
    activity_features,
    add_watched,
    contact_features,
    count_contact,
    count_events,
    find_events,
)
from followkit.scale.asof import count_asof, count_past_answers
from followkit.scale.degrees import add_crawled, add_masked
from followkit.scale.frames import (
    DEGREES,
    EVENT_TABLES,
    FAR_AHEAD_US,
    KEY_COLUMNS,
    LONG_AGO_US,
    PRIOR,
    SIDES,
    Frame,
    Keep,
    Tables,
    as_int,
    filled,
    join_rows,
    keep_nothing,
    log1p,
    number,
)
from followkit.scale.hashing import HASH_PRIME, make_hash_keys


def add_folds(frame: Frame, one: str, two: str, *, seed: int, fold_count: int) -> Frame:
    """Add `fold`, 0 to `fold_count` − 1, by a keyed hash of the unordered pair of codes.

    With c₀, c₁, c₂ from the seed and p = 2 147 483 579: x = (low + c₀)³, x = (x + high + c₁)³,
    x = (x + c₂)³, all modulo p; the fold is x modulo `fold_count`. Integers only, none above
    2⁶², so that every engine gives the same. The construction is that of MiMC (Albrecht, Grassi,
    Rechberger, Roy & Tiessen 2016, doi:10.1007/978-3-662-53887-6_7) with three rounds: folds that
    no pattern of codes is in step with, not secrets.

    Parameters
    ----------
    frame
        Holds the two columns of codes, 0 to 2³¹ − 1.
    one, two
        Their names; either order gives the same fold.
    seed, fold_count
        The key, and how many folds.

    Returns
    -------
    narwhals.LazyFrame
        The frame with `fold` (int64). Nothing is computed here.

    Raises
    ------
    InputError
        If there are fewer than two folds.

    Examples
    --------
    >>> import pandas as pd
    >>> pairs = nw.from_native(pd.DataFrame({"a": [0, 7, 3], "b": [7, 0, 4]})).lazy()
    >>> add_folds(pairs, "a", "b", seed=0, fold_count=50).collect("pandas")["fold"].to_list()
    [43, 43, 23]
    """
    if fold_count < 2:
        raise InputError(f"fold_count: at least 2 folds are needed; got {fold_count}")
    keys = make_hash_keys(seed)
    low = nw.when(nw.col(one) < nw.col(two)).then(as_int(one)).otherwise(as_int(two))
    high = as_int(one) + as_int(two) - low
    parts = [low + keys[0], nw.col("_hash") + high + keys[1], nw.col("_hash") + keys[2]]
    # Step by step, since SQL would else write the number out twice in every product.
    for part in parts:
        frame = frame.with_columns(_hash=part % HASH_PRIME)
        frame = frame.with_columns(_square=(nw.col("_hash") * nw.col("_hash")) % HASH_PRIME)
        frame = frame.with_columns(_hash=(nw.col("_hash") * nw.col("_square")) % HASH_PRIME)
    return frame.with_columns(fold=nw.col("_hash") % fold_count).drop("_hash", "_square")


def make_snapshot_ties(edges: Frame, *, seed: int, fold_count: int) -> Frame:
    """Return the edges with `is_mutual` (0/1: the reverse is there) and the fold of their pair.

    One hash join of the edges with their reverse.

    Parameters
    ----------
    edges
        source and target, no edge twice, none to itself.
    seed, fold_count
        See `add_folds`.

    Examples
    --------
    >>> import pandas as pd
    >>> edges = pd.DataFrame({"source": [0, 1, 2], "target": [1, 0, 0]})
    >>> ties = make_snapshot_ties(nw.from_native(edges).lazy(), seed=0, fold_count=2)
    >>> sorted(ties.select("source", "is_mutual").collect("pandas").rows())
    [(0, 1), (1, 1), (2, 0)]
    """
    ties = edges.select(as_int("source"), as_int("target"))
    reverse = ties.select(source="target", target="source", is_mutual=number(1))
    paired = ties.join(reverse, on=["source", "target"], how="left")
    paired = paired.with_columns(is_mutual=filled("is_mutual"))
    return add_folds(paired, "source", "target", seed=seed, fold_count=fold_count)


def make_snapshot_dyads(ties: Frame) -> Frame:
    """Return every directed tie as a dyad; the outcome is whether its reverse stands."""
    return ties.select(
        initiator="source",
        decider="target",
        fold="fold",
        outcome="is_mutual",
    )


def make_timed_dyads(
    ties: Frame, *, horizon_us: int, until_us: int, seed: int, fold_count: int
) -> Frame:
    """Return the dyads of first follows, watched until one moment: t + H at most that.

    The earlier follow of a pair opens it; a pair of equal stamps has no initiator and is left
    out. The outcome is 1 if the reverse begins in (t, t + H]. For ties that never end and come
    once (`Tables.has_spells` false); one hash join of the ties with their reverse. A tie without
    a moment opens nothing, and neither does its reverse: who came first is unknown.

    Parameters
    ----------
    ties
        source, target, start_us (null: unknown); no pair twice.
    horizon_us, until_us
        The horizon, and until when deciders were watched.
    seed, fold_count
        See `add_folds`.

    Examples
    --------
    >>> import pandas as pd
    >>> ties = pd.DataFrame({"source": [0, 1, 2], "target": [1, 0, 0], "start_us": [10, 13, 20]})
    >>> dyads = make_timed_dyads(nw.from_native(ties).lazy(), horizon_us=5, until_us=20, seed=0,
    ...                          fold_count=2)
    >>> dyads.select("initiator", "decider", "outcome").collect("pandas").rows()
    [(0, 1, 1)]
    """
    first = ties.select(as_int("source"), as_int("target"), as_int("start_us"))
    # Before everything, so that it never comes after the tie it is the reverse of.
    back = filled("start_us", LONG_AGO_US)
    reverse = first.select(source="target", target="source", back_us=back)
    first = first.filter(~nw.col("start_us").is_null())
    paired = first.join(reverse, on=["source", "target"], how="left")
    paired = paired.with_columns(back_us=filled("back_us", FAR_AHEAD_US))
    opened = paired.filter(
        nw.col("back_us") > nw.col("start_us"), nw.col("start_us") + horizon_us <= until_us
    )
    is_answered = nw.col("back_us") <= nw.col("start_us") + horizon_us
    dyads = opened.select(
        initiator="source",
        decider="target",
        at_us="start_us",
        outcome=nw.when(is_answered).then(number(1)).otherwise(number()),
    )
    dyads = add_folds(dyads, "initiator", "decider", seed=seed, fold_count=fold_count)
    return dyads.select(KEY_COLUMNS)


def _degree_features() -> dict[str, nw.Expr]:
    logs = {name: log1p(nw.col(name)) for name in DEGREES}
    ratios = {
        side: (
            (nw.col(f"{side}_follower_count") + 1.0) / (nw.col(f"{side}_followee_count") + 1.0)
        ).log()
        for side in SIDES
    }
    excess = -ratios["initiator"] - log(2.0)
    followers = [logs[f"{side}_follower_count"] for side in SIDES]
    return {
        "decider_ratio_log": ratios["decider"],
        "initiator_ratio_log": ratios["initiator"],
        "initiator_ratio_log_squared": ratios["initiator"] * ratios["initiator"],
        "dyad_ratio_gap": ratios["decider"] - ratios["initiator"],
        "dyad_follower_gap_log": followers[1] - followers[0],
        "initiator_spam_excess": nw.when(excess > 0.0).then(excess).otherwise(nw.lit(0.0)),
        **{f"{name}_log": value for name, value in logs.items()},
    }


def _record_features() -> dict[str, nw.Expr]:
    received, answered = nw.col("decider_received_count"), nw.col("decider_answered_count")
    return {
        "decider_follow_back_rate": (answered + PRIOR * nw.col("_pooled")) / (received + PRIOR),
        "has_decider_history": nw.when(received > 0).then(nw.lit(1.0)).otherwise(nw.lit(0.0)),
    }


def make_tabular_features(
    tables: Tables, *, weeks: bool = True, keep: Keep = keep_nothing
) -> Frame:
    """Return the tabular features of dyads, one row a dyad, on whatever engine holds the tables.

    Parameters
    ----------
    tables
        The dyads and what may be known about them.
    weeks
        Also the shares of weeks with a post or an act: eleven more queries a dyad.
    keep
        Stores interim tables (`followkit.scale.engines`).

    Returns
    -------
    narwhals.LazyFrame
        initiator, decider, at_us (but for a snapshot), fold, outcome; the degrees and past answers
        that the features are made of (int64, `…_count`), then the features (float64, null where
        `make_features` has NaN). Rows in no particular order. Nothing larger than the ties and the
        dyads is held; how much of it in memory is the engine's affair.

    Examples
    --------
    >>> import pandas as pd
    >>> edges = pd.DataFrame({"source": [0, 1, 2], "target": [1, 0, 0]})
    >>> ties = make_snapshot_ties(nw.from_native(edges).lazy(), seed=0, fold_count=2)
    >>> tables = Tables("snapshot", make_snapshot_dyads(ties), ties)
    >>> found = make_tabular_features(tables).collect("pandas")
    >>> found["decider_ratio_log"].round(2).to_list(), found["outcome"].to_list()
    ([...], [1, 1, 0])
    """
    dated = tables.mode != "snapshot"
    features = _degree_features() | _record_features()
    if tables.mode == "snapshot":
        dyads = add_masked(tables, keep)
    elif tables.mode == "crawl":
        dyads = add_crawled(tables, keep)
    else:
        counted = [*count_asof(tables, keep), *count_past_answers(tables, keep)]
        dyads = join_rows(tables.dyads, counted, keep)
    has_events = dated and any(find_events(tables, name) is not None for name in EVENT_TABLES)
    if has_events:
        dyads = join_rows(dyads, [count_events(tables, keep, weeks=weeks)], keep)
        for side in SIDES:
            for table in EVENT_TABLES:
                if find_events(tables, table) is not None:
                    dyads = add_watched(dyads, tables, side, table)
        features |= activity_features(tables, weeks=weeks)
    if dated and tables.acts is not None:
        dyads = join_rows(dyads, [count_contact(tables.dyads, tables.acts, keep)], keep)
        features |= contact_features()
    keys = [name for name in KEY_COLUMNS if dated or name != "at_us"]
    counts = (*DEGREES, "decider_received_count", "decider_answered_count")
    return dyads.select(
        *(as_int(name) for name in (*keys, *counts)),
        **{name: value.cast(nw.Float64) for name, value in features.items()},
    )
