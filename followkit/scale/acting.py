"""What accounts did before t, and who was watched: posts, acts, follows and contact."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import narwhals as nw

from followkit.scale.asof import put_event, put_query, read_line
from followkit.scale.frames import (
    CONTACTS,
    DAY_US,
    EVENT_TABLES,
    FAR_AHEAD_US,
    LONG_AGO_US,
    ROW_BASE,
    SIDES,
    WEEKS,
    WINDOW_DAYS,
    Frame,
    Keep,
    Tables,
    as_int,
    filled,
    join_rows,
    log1p,
    number,
    row_number,
)


def find_events(tables: Tables, table: str) -> Frame | None:
    """Return account, at_us, amount of a table's events; None where there is no such table."""
    if table == "posts" and tables.posts is not None:
        return tables.posts.select(as_int("account"), as_int("at_us"), amount=number(1))
    if table == "interactions" and tables.acts is not None:
        return tables.acts.select(
            as_int("actor").alias("account"), as_int("at_us"), as_int("amount")
        )
    if table == "follows" and tables.mode == "timed":
        ties = tables.ties.filter(~nw.col("start_us").is_null())
        return ties.select(account=as_int("source"), at_us=as_int("start_us"), amount=number(1))
    return None


def add_watched(dyads: Frame, tables: Tables, side: str, table: str) -> Frame:
    """Add `_{side}_{table}_us`: since when one side's table was visible at t; null if not."""
    events = find_events(tables, table)
    name = f"_{side}_{table}_us"
    assert events is not None
    first = events.select(first_us=nw.col("at_us").min())
    first = first.select(first_us=filled("first_us", FAR_AHEAD_US))
    if table not in tables.seen:
        dated = dyads.join(first, how="cross")
        is_on = nw.col("first_us") < nw.col("at_us")
        return dated.with_columns(nw.when(is_on).then(nw.col("first_us")).alias(name)).drop(
            "first_us"
        )
    spans = tables.seen[table].join(first, how="cross")
    # A crawl sees everything since the table begins, up to itself.
    is_crawl = nw.col("from_us") == nw.col("until_us")
    spans = spans.select(
        as_int("account").alias(side),
        from_us=nw.when(is_crawl).then(nw.col("first_us")).otherwise(nw.col("from_us")),
        until_us=filled("until_us", FAR_AHEAD_US),
    )
    moments = tables.dyads.select(as_int(side), as_int("at_us"), row=row_number())
    covers = (nw.col("from_us") < nw.col("at_us")) & (nw.col("until_us") >= nw.col("at_us"))
    found = moments.join(spans, on=side, how="inner").filter(covers)
    found = found.group_by("row").agg(nw.col("from_us").min())
    return join_rows(dyads, [found.select("row", nw.col("from_us").alias(name))])


def _list_counts(tables: Tables, *, weeks: bool) -> list[tuple[str, str, int]]:
    """Return what has to be counted: side, column, days before t."""
    found = {name: find_events(tables, name) is not None for name in EVENT_TABLES}
    own = (("posts", ("posts",)), ("interactions", ("interactions", "acts")))
    cuts = {0, WINDOW_DAYS} | ({7 * week for week in range(WEEKS + 1)} if weeks else set())
    wanted = [
        ("initiator", column, days)
        for table, columns in own
        for column in columns
        for days in sorted(cuts)
        if found[table]
    ]
    if found["follows"]:
        wanted += [("initiator", "follows", days) for days in (0, 1)]
    wanted += [
        ("decider", table, days) for table in EVENT_TABLES for days in (0, WINDOW_DAYS)
        if found[table]
    ]  # fmt: skip
    if found["posts"] or found["interactions"]:
        wanted.append(("initiator", "last_own", 0))
    return [*wanted, ("decider", "last_any", 0)]


def count_events(tables: Tables, keep: Keep, *, weeks: bool) -> Frame:
    """Return by `row` running counts of each side's events: `_{side}_{column}_{days}`.

    Columns posts, interactions (amounts), acts (rows) and follows, up to so many days before t;
    and the last post or act (last_own) and the last of anything (last_any) before t.
    """
    counts = _list_counts(tables, weeks=weeks)
    columns = tuple(dict.fromkeys(column for _, column, _ in counts))
    parts: list[Frame] = []
    for table in EVENT_TABLES:
        events = find_events(tables, table)
        if events is None:
            continue
        own = number(LONG_AGO_US) if table == "follows" else as_int("at_us")
        values = {"last_own": own, "last_any": as_int("at_us"), table: as_int("amount")}
        if table == "interactions":
            values["acts"] = number(1)
        kept = {name: value for name, value in values.items() if name in columns}
        parts.append(
            put_event(events, columns, account=as_int("account"), at_us=as_int("at_us"), **kept)
        )
    # A slot is one side at one moment: 1000 days and more are the decider's.
    slots = {(side, days): 1000 * SIDES.index(side) + days for side, _, days in counts}
    parts += [
        put_query(tables.dyads, columns, side, days, slot) for (side, days), slot in slots.items()
    ]
    wanted = {f"_{side}_{name}_{days}": (name, slots[side, days]) for side, name, days in counts}
    return keep(read_line(parts, columns, wanted), "events")


def count_contact(dyads: Frame, acts: Frame, keep: Keep) -> Frame:
    """Return by `row` the acts between the two of a dyad, by direction, kind and window.

    Few pairs have any, so acts are joined to the dyads of their pair and summed.
    """
    moments = dyads.select(row=row_number(), t_us=as_int("at_us"))
    met = []
    for actor, target, is_forth in (("actor", "target", 1), ("target", "actor", 0)):
        row = as_int(actor) * ROW_BASE + as_int(target)
        one = acts.select(
            "kind", as_int("at_us"), as_int("amount"), row=row, forth=number(is_forth)
        )
        met.append(moments.join(one, on="row", how="inner"))
    events = nw.concat(met, how="vertical").filter(nw.col("at_us") < nw.col("t_us"))
    age = nw.col("t_us") - nw.col("at_us")
    lately = age <= WINDOW_DAYS * DAY_US
    forth = nw.col("forth") == 1
    flags = {
        "_acts_forth_28": forth & lately,
        "_acts_forth_7": forth & (age <= 7 * DAY_US),
        "_acts_back_28": ~forth & lately,
        "_mentions": nw.col("kind") == "mention",
        **{f"_contact_{name}": lately & nw.col("kind").is_in(kinds)
           for name, kinds in CONTACTS.items()},
    }  # fmt: skip
    amounts = {
        name: nw.when(flag).then(nw.col("amount")).otherwise(number())
        for name, flag in flags.items()
    }
    sums = (
        events.select("row", "at_us", **amounts)
        .group_by("row")
        .agg(*(nw.col(name).sum() for name in amounts), nw.col("at_us").max())
    )
    return keep(sums.rename({"at_us": "_contact_us"}), "contact")


def _between(side: str, name: str, days: int, until: int = 0) -> nw.Expr:
    """Return a count of one side's events in [t − days, t − until)."""
    return nw.col(f"_{side}_{name}_{until}") - nw.col(f"_{side}_{name}_{days}")


def _where(known: Sequence[str], value: nw.Expr) -> nw.Expr:
    """Return the value, null where one of the columns is."""
    is_known = ~nw.any_horizontal(*(nw.col(name).is_null() for name in known), ignore_nulls=False)
    return nw.when(is_known).then(value.cast(nw.Float64))


def _days_log(since: nw.Expr) -> nw.Expr:
    return log1p((nw.col("at_us") - since).cast(nw.Float64) / DAY_US)


def _tables_watched(tables: Tables, side: str) -> list[str]:
    """Return the tables whose events are one side's actions."""
    # The initiator's own follows are left to features of their own.
    names = EVENT_TABLES if side == "decider" else EVENT_TABLES[:2]
    return [name for name in names if find_events(tables, name) is not None]


def _action_features(tables: Tables, side: str) -> dict[str, nw.Expr]:
    """Return what is counted over all tables: known where any of them was watched."""
    watched = [f"_{side}_{table}_us" for table in _tables_watched(tables, side)]
    # Spark wants two columns for the least of them, however many tables there are.
    moments = (filled(name, FAR_AHEAD_US) for name in watched)
    since = nw.min_horizontal(*moments, number(FAR_AHEAD_US))
    last = nw.col(f"_{side}_last_{'any' if side == 'decider' else 'own'}_0")
    has_acted, is_known = last > LONG_AGO_US, since < FAR_AHEAD_US
    origin = nw.when(has_acted).then(last).otherwise(since)
    origin = nw.when(origin < nw.col("at_us")).then(origin).otherwise(nw.col("at_us"))
    found: dict[str, nw.Expr] = {
        f"{side}_days_since_action_log": nw.when(is_known).then(_days_log(origin))
    }
    if side == "decider":
        total = sum(
            (_between(side, name, WINDOW_DAYS) for name in _tables_watched(tables, side)),
            start=number(),
        )
        found["decider_actions_log"] = nw.when(is_known).then(log1p(total))
    return found


def activity_features(tables: Tables, *, weeks: bool) -> dict[str, nw.Expr]:
    """Return what `count_events` is read for; which features there are hangs on the tables."""
    found: dict[str, nw.Expr] = {}
    words = (("posts", "posts", "posting", "posts"), ("interactions", "acts", "acting", "acts"))
    for table, name, doing, rows in words:
        if find_events(tables, table) is None:
            continue
        known = [f"_initiator_{table}_us"]
        rate = log1p(_between("initiator", table, WINDOW_DAYS).cast(nw.Float64) / 4.0)
        found[f"initiator_{name}_per_week_log"] = _where(known, rate)
        if table == "posts":
            found["initiator_posts_per_week_log_squared"] = _where(known, rate * rate)
        if weeks:
            cuts = pairwise(7 * week for week in range(WEEKS + 1))
            active = [
                nw.when(_between("initiator", rows, days, until) > 0)
                .then(number(1))
                .otherwise(number())
                for until, days in cuts
            ]
            share = nw.sum_horizontal(*active).cast(nw.Float64) / WEEKS
            found[f"initiator_{doing}_weeks_share"] = _where(known, share)
    for side in SIDES:
        if _tables_watched(tables, side):
            found |= _action_features(tables, side)
    if tables.mode == "timed":
        lately = log1p(_between("initiator", "follows", 1))
        found["initiator_follows_24h_log"] = _where(["_initiator_follows_us"], lately)
    return found


def contact_features() -> dict[str, nw.Expr]:
    """Return what `count_contact` is read for."""
    mine, theirs = (f"_{side}_interactions_us" for side in SIDES)
    both = [mine, theirs]
    began = nw.max_horizontal(*(filled(name, LONG_AGO_US) for name in both))
    last = filled("_contact_us", LONG_AGO_US)
    origin = nw.when(last > LONG_AGO_US).then(last).otherwise(began)
    approach = nw.when(filled("_acts_forth_7") > 0).then(nw.lit(1.0)).otherwise(nw.lit(0.0))
    return {
        "dyad_acts_to_decider_log": _where([mine], log1p(filled("_acts_forth_28"))),
        "dyad_acts_from_decider_log": _where([theirs], log1p(filled("_acts_back_28"))),
        "dyad_has_contact_7d": _where([mine], approach),
        "dyad_mentions_log": _where(both, log1p(filled("_mentions"))),
        "dyad_days_since_contact_log": _where(both, _days_log(origin)),
        **{
            f"dyad_{name}_contact_log": _where(both, log1p(filled(f"_contact_{name}")))
            for name in CONTACTS
        },
    }
