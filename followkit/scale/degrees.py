"""Degrees and past answers on the graph of one snapshot or crawl, without what would tell."""

from __future__ import annotations

from collections.abc import Mapping

import narwhals as nw

from followkit.scale.frames import (
    DEGREES,
    SIDES,
    Frame,
    Keep,
    Tables,
    as_int,
    filled,
    number,
    sum_by,
)


def _ends(ties: Frame, *, extra: Mapping[str, nw.Expr]) -> Frame:
    """Return two rows a tie, one for each account: account, out, into, answered and `extra`."""
    outgoing = ties.select(
        account=as_int("source"), out=number(1), into=number(), answered=number(), **extra
    )
    incoming = ties.select(
        account=as_int("target"),
        out=number(),
        into=number(1),
        answered=as_int("is_mutual"),
        **extra,
    )
    return nw.concat([outgoing, incoming], how="vertical")


def count_masked(ties: Frame, keep: Keep) -> Frame:
    """Return each account's degrees and answers on the graph without each of the folds.

    Parameters
    ----------
    ties
        source, target, is_mutual, fold (−1: a tie of no dyad, which stays in every graph).
    keep
        Stores the counts by account and fold, which are read more than once.

    Returns
    -------
    narwhals.LazyFrame
        account, fold, out, into, answered (mutual ties, one a pair), all_answered and all_ties
        (of that fold's whole graph): all int64, accounts × folds rows, by one group sum over two
        rows a tie.

    Examples
    --------
    >>> import pandas as pd
    >>> ties = pd.DataFrame({"source": [0, 1, 2], "target": [1, 0, 0], "is_mutual": [1, 1, 0],
    ...                      "fold": [0, 0, 1]})
    >>> counted = count_masked(nw.from_native(ties).lazy(), lambda frame, name: frame)
    >>> one = counted.filter(nw.col("account") == 0).select("fold", "out", "into", "answered")
    >>> sorted(one.collect("pandas").rows())
    [(0, 0, 1, 0), (1, 1, 1, 1)]
    """
    names = ("out", "into", "answered")
    ends = _ends(ties, extra={"fold": as_int("fold")})
    by_fold = keep(sum_by(ends, ("account", "fold"), names), "by_fold")
    totals = sum_by(by_fold, ("account",), names)
    renamed = (nw.col(name).alias(f"{name}_in") for name in names)
    inside = by_fold.select("account", "fold", *renamed)
    whole = by_fold.select(
        all_answered=nw.col("answered").sum().cast(nw.Int64),
        all_ties=nw.col("out").sum().cast(nw.Int64),
    )
    folds = sum_by(by_fold.filter(nw.col("fold") >= 0), ("fold",), names)
    folds = folds.join(whole, how="cross").select(
        "fold",
        all_answered=nw.col("all_answered") - nw.col("answered"),
        all_ties=nw.col("all_ties") - nw.col("out"),
    )
    grid = totals.join(folds, how="cross").join(inside, on=["account", "fold"], how="left")
    return grid.select(
        "account",
        "fold",
        *((nw.col(name) - filled(f"{name}_in")).alias(name) for name in names),
        "all_answered",
        "all_ties",
    )


def add_masked(tables: Tables, keep: Keep) -> Frame:
    """Add degrees of both accounts and the decider's record, on the graph without the fold."""
    masked = keep(count_masked(tables.ties, keep), "masked")
    dyads = tables.dyads
    pooled = ("answered", "all_answered", "all_ties")
    for side, (followees, followers) in zip(SIDES, (DEGREES[:2], DEGREES[2:]), strict=True):
        extra = pooled if side == "decider" else ()
        mine = masked.select(
            "fold",
            *extra,
            nw.col("account").alias(side),
            nw.col("out").alias(followees),
            nw.col("into").alias(followers),
        )
        # Every account is in every fold's graph, with zeros if it has no tie there. A left join
        # all the same: polars puts inner joins in another order, here accounts with accounts.
        dyads = dyads.join(mine, on=[side, "fold"], how="left")
        # One join at a time: two hash tables at once may be more than the memory there is.
        dyads = keep(dyads, f"masked_{side}")
    return dyads.with_columns(
        decider_received_count="decider_follower_count",
        decider_answered_count="answered",
        _pooled=(nw.col("all_answered") + 1.0) / (nw.col("all_ties") + 2.0),
    ).drop(*pooled)


def _add_own_ties(dyads: Frame, ties: Frame) -> Frame:
    """Add `own_out`, `own_back`: 1 where A→B, and where B→A, is among the ties."""
    for name, columns in (("own_out", SIDES), ("own_back", SIDES[::-1])):
        own = ties.select(
            as_int("source").alias(columns[0]),
            as_int("target").alias(columns[1]),
            number(1).alias(name),
        )
        dyads = dyads.join(own, on=list(SIDES), how="left").with_columns(filled(name))
    return dyads


def add_crawled(tables: Tables, keep: Keep) -> Frame:
    """Add degrees and the decider's record at a crawl, the pair's own two ties taken out."""
    names = ["out", "into", "answered"]
    ties = tables.ties.select(as_int("source"), as_int("target"))
    reverse = ties.select(source="target", target="source", is_mutual=number(1))
    paired = ties.join(reverse, on=["source", "target"], how="left")
    paired = keep(paired.with_columns(is_mutual=filled("is_mutual")), "crawl_ties")
    degrees = keep(sum_by(_ends(paired, extra={}), ("account",), names), "crawl_degrees")
    dyads = _add_own_ties(tables.dyads, ties)
    for side in SIDES:
        mine = degrees.select(
            nw.col("account").alias(side), *(nw.col(name).alias(f"{side}_{name}") for name in names)
        )
        dyads = dyads.join(mine, on=side, how="left")
        dyads = dyads.with_columns(filled(f"{side}_{name}") for name in names)
    sums = degrees.select(
        all_answered=nw.col("answered").sum().cast(nw.Int64),
        all_ties=nw.col("out").sum().cast(nw.Int64),
    )
    dyads = dyads.join(sums, how="cross")
    own, back = nw.col("own_out"), nw.col("own_back")
    both = own * back
    left = nw.col("all_ties") - own - back
    return dyads.with_columns(
        initiator_followee_count=nw.col("initiator_out") - own,
        initiator_follower_count=nw.col("initiator_into") - back,
        decider_followee_count=nw.col("decider_out") - back,
        decider_follower_count=nw.col("decider_into") - own,
        decider_received_count=nw.col("decider_into") - own,
        decider_answered_count=nw.col("decider_answered") - both,
        _pooled=(nw.col("all_answered") - 2 * both + 1.0) / (left + 2.0),
    )
