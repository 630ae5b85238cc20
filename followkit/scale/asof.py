"""Degrees and past answers as of t: queries and events on one line of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import narwhals as nw

from followkit.scale.frames import (
    DAY_US,
    DEGREES,
    FAR_AHEAD_US,
    HOUR_US,
    LONG_AGO_US,
    ROW_BASE,
    SIDES,
    Frame,
    Keep,
    Tables,
    as_int,
    filled,
    number,
    row_number,
    sum_by,
)


def put_event(frame: Frame, columns: Sequence[str], **values: nw.Expr) -> Frame:
    """Return events for the line: the columns that are not given are zero."""
    zeros = {name: number() for name in columns if name not in values}
    return frame.select(
        **values, **zeros, row=number(-1), slot=number(-1), is_event=number(1)
    ).select("account", "at_us", *columns, "row", "slot", "is_event")


def put_query(dyads: Frame, columns: Sequence[str], side: str, days: int, slot: int) -> Frame:
    """Return each dyad's account of one side at t − days, with nothing of its own to add."""
    at_us = as_int("at_us") - days * DAY_US
    moments = {name: number(LONG_AGO_US if name.startswith("last_") else 0) for name in columns}
    return dyads.select(
        account=as_int(side),
        at_us=at_us,
        **moments,
        row=row_number(),
        slot=number(slot),
        is_event=number(),
    ).select("account", "at_us", *columns, "row", "slot", "is_event")


def read_line(
    parts: Sequence[Frame], columns: Sequence[str], wanted: Mapping[str, tuple[str, int]]
) -> Frame:
    """Return one row a dyad: `row`, and each wanted column as it stood before its query.

    Parameters
    ----------
    parts
        Events (`_event`) and queries (`_query`), both with these columns.
    columns
        Summed along the line of each account; those named last_ are running maxima.
    wanted
        Name of a result → the column, and the slot of its query.
    """
    line = nw.concat(list(parts), how="vertical")
    running = []
    for name in columns:
        so_far = nw.col(name).cum_max() if name.startswith("last_") else nw.col(name).cum_sum()
        # Queries come first at equal times: an event at exactly t is not before t.
        in_order = so_far.over("account", order_by=("at_us", "is_event"))
        running.append(in_order.cast(nw.Int64).alias(name))
    asked = line.with_columns(*running).filter(nw.col("is_event") == 0)
    picked = {
        name: nw.when(nw.col("slot") == slot).then(nw.col(column)).otherwise(number(LONG_AGO_US))
        for name, (column, slot) in wanted.items()
    }
    return (
        asked.select("row", **picked).group_by("row").agg(*(nw.col(name).max() for name in wanted))
    )


def list_steps(ties: Frame, *, has_spells: bool) -> Frame:
    """Return source, target, at_us and step: when a tie begins to stand (1) and ceases to (−1).

    Overlapping or touching spells are one: of the spells begun and ended so far, begins before ends
    at equal times, a tie begins to stand at the first open one and ceases when none is left.

    Examples
    --------
    >>> import pandas as pd
    >>> spells = pd.DataFrame({"source": 0, "target": 1, "start_us": [0, 3, 9],
    ...                        "end_us": [4, 6, None]})
    >>> steps = list_steps(nw.from_native(spells).lazy(), has_spells=True)
    >>> sorted(steps.select("at_us", "step").collect("pandas").rows())
    [(0, 1), (6, -1), (9, 1)]
    """
    pair = ("source", "target")
    moments = {"start_us": 1, "end_us": -1} if has_spells else {"start_us": 1}
    parts = []
    for moment, step in moments.items():
        known = ties.filter(~nw.col(moment).is_null())
        parts.append(
            known.select(*(as_int(name) for name in pair), at_us=as_int(moment), step=number(step))
        )
    if not has_spells:
        return parts[0]
    # Begins first: −step is their order at equal times.
    line = nw.concat(parts, how="vertical").with_columns(turn=number() - nw.col("step"))
    still_open = nw.col("step").cum_sum().over(*pair, order_by=("at_us", "turn"))
    line = line.with_columns(still_open=still_open.cast(nw.Int64))
    begins = (nw.col("step") == 1) & (nw.col("still_open") == 1)
    ends = (nw.col("step") == -1) & (nw.col("still_open") == 0)
    return line.filter(begins | ends).select(*pair, "at_us", "step")


def count_asof(tables: Tables, keep: Keep) -> list[Frame]:
    """Return by `row` the degrees of both accounts as of t, strictly before it."""
    if tables.opens_ties and not tables.has_spells:
        return _rank_degrees(tables.ties, keep)
    columns = ("out", "into")
    steps = list_steps(tables.ties, has_spells=tables.has_spells)
    if tables.has_spells:
        steps = keep(steps, "steps")
    parts = [
        put_event(
            steps, columns, account=as_int(account), at_us=as_int("at_us"), **{name: as_int("step")}
        )
        for account, name in (("source", "out"), ("target", "into"))
    ]
    parts += [put_query(tables.dyads, columns, side, 0, k) for k, side in enumerate(SIDES)]
    slots = [(name, k) for k in range(len(SIDES)) for name in columns]
    wide = read_line(parts, columns, dict(zip(DEGREES, slots, strict=True)))
    return [keep(wide, "asof_degrees")]


def _rank_degrees(ties: Frame, keep: Keep) -> list[Frame]:
    """Return degrees as of the moment that each tie begins, as two ranks an account.

    Of an account's ties in order of time, rank − 1 began earlier than this one; the rank among
    those of its own direction tells how many of them were followees, or followers.
    """
    ends = []
    known = ties.filter(~nw.col("start_us").is_null())
    for account, is_out in (("source", 1), ("target", 0)):
        columns = {"account": as_int(account), "at_us": as_int("start_us")}
        row = as_int("source") * ROW_BASE + as_int("target")
        ends.append(known.select(**columns, is_out=number(is_out), row=row))
    ranked = nw.concat(ends, how="vertical").select(
        "is_out",
        "row",
        earlier=nw.col("at_us").rank("min").over("account").cast(nw.Int64),
        own=nw.col("at_us").rank("min").over("account", "is_out").cast(nw.Int64),
    )
    ranked = keep(ranked, "ranks")
    own, other = nw.col("own") - number(1), nw.col("earlier") - nw.col("own")
    mine = ranked.filter(nw.col("is_out") == 1)
    theirs = ranked.filter(nw.col("is_out") == 0)
    return [
        mine.select("row", own.alias(DEGREES[0]), other.alias(DEGREES[1])),
        theirs.select("row", other.alias(DEGREES[2]), own.alias(DEGREES[3])),
    ]


def make_history(ties: Frame, *, horizon_us: int, has_spells: bool) -> Frame:
    """Return every first follow: initiator, decider, known_us (t + H) and answered (0/1).

    The first spell of each ordered pair counts; a follow that is itself an answer is not a follow
    received. Answered: the reverse first appears at most H later while the follow still stands.
    """
    pair = ["source", "target"]
    if has_spells:
        spells = ties.select(*pair, "start_us", end_us=filled("end_us", FAR_AHEAD_US))
        first = spells.group_by(*pair).agg(nw.col("start_us").min())
        spells = spells.join(first, on=[*pair, "start_us"], how="inner")
        first = spells.group_by(*pair, "start_us").agg(nw.col("end_us").max())
    else:
        first = ties.select(*pair, "start_us", end_us=number(FAR_AHEAD_US))
    first = first.select(*(as_int(name) for name in (*pair, "start_us", "end_us")))
    reverse = first.select(source="target", target="source", back_us="start_us")
    paired = first.join(reverse, on=pair, how="left")
    paired = paired.with_columns(back_us=filled("back_us", FAR_AHEAD_US))
    start, back = nw.col("start_us"), nw.col("back_us")
    in_time = (back <= start + horizon_us) & (nw.col("end_us") >= back)
    return paired.filter(back >= start).select(
        initiator="source",
        decider="target",
        known_us=start + horizon_us,
        answered=nw.when(in_time).then(number(1)).otherwise(number()),
    )


def count_past_answers(tables: Tables, keep: Keep) -> list[Frame]:
    """Return by `row` the follows the decider received a horizon before t, answered ones, pool."""
    ties = tables.ties.filter(~nw.col("start_us").is_null())
    history = make_history(ties, horizon_us=tables.horizon_us, has_spells=tables.has_spells)
    history = keep(history, "history")
    columns = ("received", "answered")
    happened = put_event(
        history, columns, account=as_int("decider"), at_us=as_int("known_us"),
        received=number(1), answered=as_int("answered"),
    )  # fmt: skip
    wanted = {f"decider_{name}_count": (name, 0) for name in columns}
    queries = put_query(tables.dyads, columns, "decider", 0, 0)
    counted = keep(read_line([happened, queries], columns, wanted), "past_answers")
    return [counted, keep(_pool_answers(history, tables.dyads), "pooled_answers")]


def _pool_answers(history: Frame, dyads: Frame) -> Frame:
    """Return `row` and `_pooled`: (answered + 1) / (received + 2) over all deciders before t.

    A running sum over everyone would go through one worker. So hours are summed first, and the
    line of time runs within an hour.
    """
    columns = ("received", "answered")
    # Counted from the year 1, so that no quotient is of a negative number.
    offset = 62_135_596_800_000_000
    known, asked = ((as_int(name) + offset) // HOUR_US for name in ("known_us", "at_us"))
    happened = put_event(
        history.with_columns(hour=known), columns, account=as_int("hour"), at_us=as_int("known_us"),
        received=number(1), answered=as_int("answered"),
    )  # fmt: skip
    queries = put_query(dyads.with_columns(hour=asked), columns, "hour", 0, 0)
    within = read_line([happened, queries], columns, {name: (name, 0) for name in columns})
    hours = sum_by(
        nw.concat([frame.select("account", *columns) for frame in (happened, queries)],
                  how="vertical"),
        ("account",), columns,
    )  # fmt: skip
    earlier = [
        (nw.col(name).cum_sum().over(order_by="account").cast(nw.Int64) - nw.col(name)).alias(
            f"{name}_earlier"
        )
        for name in columns
    ]
    hours = hours.select(nw.col("account").alias("hour"), *earlier)
    placed = dyads.select(row=row_number(), hour=asked).join(within, on="row", how="left")
    placed = placed.join(hours, on="hour", how="left")
    received, answered = (nw.col(name) + nw.col(f"{name}_earlier") for name in columns)
    return placed.select("row", _pooled=(answered + 1.0) / (received + 2.0))
