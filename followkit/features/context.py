"""What the features of one set of dyads share: the ties, posts and acts that may be used.

A context is the only door to the data for a feature, and it is what keeps the leakage rule:

- *timed*: everything strictly before the dyad's t;
- *crawl*: ties standing at the baseline crawl, the pair's own two taken out, and posts and acts
  strictly before the crawl;
- *snapshot*: one context a fold, on the graph without any tie between a pair of that fold.

A feature is then a function of a context that returns one number a dyad.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit.dyads import DyadSet
from followkit.features.blocks import Block, find_block_ends
from followkit.features.feature import Mode, Side
from followkit.features.memo import Memo
from followkit.features.records import Record, read_graph, read_history
from followkit.features.texts import Library, Vectors
from followkit.features.ties import (
    DAY_US,
    NEVER_US,
    UNKNOWN_US,
    IntArray,
    find_tie_folds,
    get_table,
    is_export,
    make_ties,
    to_times,
    to_us,
)
from followkit.features.watching import find_watched
from followkit.graph import (
    FollowGraph,
    count_degrees,
    count_degrees_asof,
    count_shared,
    make_graph,
)
from followkit.tables import Dataset
from followkit.timeline import EventLine, count_before, last_before

WEEK_US = 7 * DAY_US

#: Kinds of interaction that one account directs at another; views and blocks are not among them.
ACT_KINDS = ("like", "comment", "reply", "mention", "share", "save", "message")

TIME_COLUMNS = {"posts": "posted_at", "interactions": "at", "follows": "followed_at"}

FloatArray = npt.NDArray[np.float64]
FlagArray = npt.NDArray[np.bool_]
FeatureFunction = Callable[["FeatureContext"], FloatArray]

#: Whose tables have to be watched for a feature to be known.
INITIATOR_POSTS: tuple[Side, str] = ("initiator", "posts")
INITIATOR_ACTS: tuple[Side, str] = ("initiator", "interactions")
DECIDER_POSTS: tuple[Side, str] = ("decider", "posts")


@dataclass
class FeatureContext(Memo):
    """The dyads of one part, and what may be known about them.

    Attributes
    ----------
    rows
        initiator_id, decider_id and at, one row a dyad.
    mode
        timed, crawl or snapshot.
    ties
        follower_id, followee_id, start_us, end_us: the ties that this part may use.
    dataset
        The tables; features reach posts and acts through the context's own properties.
    library
        Posts and acts by block, shared with the other contexts of the same data.
    functions
        The functions of the catalogue by name, for features made from other features.
    folds
        The fold of each dyad; fits on the graph of a crawl leave out its pairs.
    horizon_days
        The horizon of the question (None where it has none).
    uses_platform_counts
        True when one account is in half of the dyads, so that only its own ties are in the
        data: then the follower counts of others come from `account_counts` as of t.
    """

    rows: pd.DataFrame
    mode: Mode
    ties: pd.DataFrame
    dataset: Dataset
    library: Library
    functions: Mapping[str, FeatureFunction]
    folds: IntArray
    horizon_days: float | None
    uses_platform_counts: bool = False

    def feature(self, name: str) -> FloatArray:
        """Return a catalogue feature of these dyads, computed once."""
        values: FloatArray = self.cached(("feature", name), lambda: self.functions[name](self))
        return values

    @property
    def at_us(self) -> IntArray:
        """The dyads' t in microseconds; the smallest integer in a snapshot."""
        stamps: IntArray = self.cached("at_us", lambda: to_us(self.rows["at"]))
        return stamps

    @property
    def is_dated(self) -> bool:
        """Whether the dyads have a t, before which everything has to lie."""
        return self.mode != "snapshot"

    # -- the follow graph ------------------------------------------------------------------

    @property
    def graph(self) -> FollowGraph:
        """The follow graph of `ties`, with every account of the dyads among its nodes."""
        graph: FollowGraph = self.cached("graph", self._make_graph)
        return graph

    def _make_graph(self) -> FollowGraph:
        nodes = pd.concat(
            [
                self.rows["initiator_id"],
                self.rows["decider_id"],
                self.ties["follower_id"],
                self.ties["followee_id"],
            ]
        ).unique()
        spans = {}
        if self.mode == "timed":
            spans = {
                "start": self.ties["start_us"].to_numpy(),
                "end": self.ties["end_us"].to_numpy(),
            }
        return make_graph(self.ties["follower_id"], self.ties["followee_id"], nodes=nodes, **spans)

    def codes(self, side: Side) -> IntArray:
        """Return the node codes of the initiators or the deciders."""
        found: IntArray = self.cached(
            ("codes", side), lambda: self.graph.code(self.rows[f"{side}_id"])
        )
        return found

    def _own_ties(self) -> tuple[IntArray, IntArray]:
        """Return 1 where A→B, and where B→A, is among the ties of a crawl."""
        graph = self.graph
        size = np.int64(max(graph.node_count, 1))
        keys = graph.source * size + graph.target
        initiator, decider = self.codes("initiator"), self.codes("decider")
        out = np.isin(initiator * size + decider, keys).astype(np.int64)
        back = np.isin(decider * size + initiator, keys).astype(np.int64)
        return out, back

    @property
    def own_ties(self) -> tuple[IntArray, IntArray]:
        """A→B and B→A in the graph of this part (0/1); only a crawl has them."""
        if self.mode != "crawl":
            none = np.zeros(len(self.rows), dtype=np.int64)
            return none, none
        found: tuple[IntArray, IntArray] = self.cached("own_ties", self._own_ties)
        return found

    def degrees(self, side: Side) -> tuple[FloatArray, FloatArray]:
        """Return (followees, followers) of one side, without the pair's own ties."""
        found: tuple[FloatArray, FloatArray] = self.cached(
            ("degrees", side), lambda: self._degrees(side)
        )
        return found

    def _degrees(self, side: Side) -> tuple[FloatArray, FloatArray]:
        if self.uses_platform_counts:
            return self._platform_counts(side)
        codes = self.codes(side)
        if self.mode == "timed":
            out, into = count_degrees_asof(self.graph, codes, self.at_us)
        else:
            out, into = count_degrees(self.graph, codes)
        first, back = self.own_ties if side == "initiator" else self.own_ties[::-1]
        return (out - first).astype(np.float64), (into - back).astype(np.float64)

    def _platform_counts(self, side: Side) -> tuple[FloatArray, FloatArray]:
        """Return the last platform figures strictly before t; NaN where there are none."""
        counts = get_table(self.dataset, "account_counts")
        events = counts[["account_id", "counts_at"]].rename(columns={"counts_at": "at"})
        queries = self.queries(side)
        last = pd.DataFrame(
            {
                "account_id": queries["account_id"].to_numpy(),
                "counts_at": to_times(to_us(pd.Series(last_before(events, queries)))),
            }
        )
        figures = counts.drop_duplicates(["account_id", "counts_at"], keep="last")
        found = last.merge(figures, on=["account_id", "counts_at"], how="left", sort=False)
        out = found["followee_count"].to_numpy(dtype=np.float64, na_value=np.nan)
        into = found["follower_count"].to_numpy(dtype=np.float64, na_value=np.nan)
        return out, into

    def shared(self, kind: str) -> FloatArray:
        """Return one kind of shared neighbours (see `followkit.graph.count_shared`)."""
        at_us = self.at_us if self.mode == "timed" else None
        found = self.cached(
            "shared",
            lambda: count_shared(self.graph, self.codes("initiator"), self.codes("decider"), at_us),
        )
        return np.asarray(getattr(found, kind), dtype=np.float64)

    def record(self, side: Side) -> Record:
        """Return past answers of the deciders, or to the initiators, but for this dyad's."""

        def make() -> Record:
            if self.mode == "timed":
                horizon_days = self.horizon_days or 0.0
                return read_history(self.ties, self.queries(side), horizon_days, side)
            return read_graph(self.graph, self.codes(side), self.own_ties, side)

        record: Record = self.cached(("record", side), make)
        return record

    # -- fitted features, block by block -----------------------------------------------------

    @property
    def blocks(self) -> list[Block]:
        """The blocks of 28 days (timed), folds (crawl) or the one block (snapshot)."""
        found: list[Block] = self.cached("blocks", lambda: list(self._make_blocks()))
        return found

    def _make_blocks(self) -> Iterator[Block]:
        """Yield the blocks in order of time (and fold)."""
        rows = np.arange(len(self.rows), dtype=np.int64)
        if self.mode == "snapshot":
            yield Block(rows, self.rows, self.library.block(None), self.ties)
            return
        ends = find_block_ends(self.at_us)
        parts = self.folds if self.mode == "crawl" else np.zeros_like(ends)
        for end in np.unique(ends).tolist():
            for part in np.unique(parts[ends == end]).tolist():
                chosen = rows[(ends == end) & (parts == part)]
                ties = self.ties_at(end) if self.mode == "timed" else self.ties_without(part)
                pairs = self.rows.iloc[chosen].reset_index(drop=True)
                yield Block(chosen, pairs, self.library.block(end), ties)

    def by_block(
        self,
        compute: Callable[[Block], FloatArray],
        *watched: tuple[Side, str],
        needs_posts: bool = True,
    ) -> FloatArray:
        """Return `compute(block)` for each block's dyads, one value a dyad.

        NaN where an account of `watched` was not watched and, with `needs_posts`, before the
        first block with a post.
        """
        values = np.full(len(self.rows), np.nan)
        for block in self.blocks:
            if len(block.text.posts) or not needs_posts:
                values[block.rows] = compute(block)
        return self.where_watched(values, *watched)

    def ties_at(self, moment_us: int) -> pd.DataFrame:
        """Return the ties standing at a moment: begun strictly before, not ended before it."""
        start, end = self.ties["start_us"].to_numpy(), self.ties["end_us"].to_numpy()
        standing = self.ties[(start < moment_us) & (end >= moment_us)]
        return standing.drop_duplicates(["follower_id", "followee_id"]).reset_index(drop=True)

    def ties_without(self, fold: int) -> pd.DataFrame:
        """Return the ties of a crawl but those of any pair of a fold."""
        folds = self.cached("tie_folds", lambda: find_tie_folds(self.ties, self.rows, self.folds))
        return self.ties[folds != fold].reset_index(drop=True)

    # -- profiles ----------------------------------------------------------------------------

    def profile(self, side: Side, column: str) -> pd.Series:
        """Return an attribute of one side's accounts, missing where it was read at t or later."""
        accounts = self.library.cached(
            "profiles", lambda: get_table(self.dataset, "accounts").set_index("account_id")
        )
        ids = self.rows[f"{side}_id"]
        found = ids.map(accounts[column])
        if self.is_dated and self.dataset.has("accounts", "counts_at"):
            read_us = to_us(ids.map(accounts["counts_at"]))
            known = (read_us != UNKNOWN_US) & (read_us < self.at_us)
            found = found.where(pd.Series(known, index=found.index))
        return found.reset_index(drop=True)

    # -- posts, acts and follows as events ---------------------------------------------------

    def queries(self, side: Side) -> pd.DataFrame:
        """Return (account_id, at) of one side."""
        return pd.DataFrame(
            {
                "account_id": self.rows[f"{side}_id"].to_numpy(),
                "at": to_times(self.at_us),
            }
        )

    def events(self, table: str) -> pd.DataFrame:
        """Return (account_id, at, amount) of every post, act or follow whose moment is known."""
        makers = {"posts": self._posts, "interactions": self._acts, "follows": self._follows}
        found: pd.DataFrame = self.cached(("events", table), makers[table])
        return found

    def _posts(self) -> pd.DataFrame:
        def make() -> pd.DataFrame:
            posts = get_table(self.dataset, "posts")
            posts = posts[posts["posted_at"].notna()]
            return pd.DataFrame(
                {"account_id": posts["account_id"], "at": posts["posted_at"], "amount": 1}
            ).reset_index(drop=True)

        events: pd.DataFrame = self.library.cached("post_events", make)
        return events

    def _acts(self) -> pd.DataFrame:
        acts = self.pair_acts
        return acts.rename(columns={"actor_id": "account_id"})[["account_id", "at", "amount"]]

    def _follows(self) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "account_id": self.ties["follower_id"].to_numpy(),
                "at": to_times(self.ties["start_us"].to_numpy()),
                "amount": 1,
            }
        )

    @property
    def pair_acts(self) -> pd.DataFrame:
        """Acts towards others with a known moment: actor_id, target_id, at, amount."""
        found: pd.DataFrame = self.library.cached(
            "pair_acts", lambda: select_acts(self.dataset, is_timed=True)
        )
        return found

    def _within_reach(self, events: pd.DataFrame, window_days: float) -> pd.DataFrame:
        """Return the events that lie in the window of any dyad at all."""
        if self.rows.empty:
            return events
        at = self.rows["at"]
        since = at.min() - pd.Timedelta(days=window_days)
        return events[((events["at"] >= since) & (events["at"] < at.max())).to_numpy(dtype=bool)]

    def has_events(self, table: str) -> bool:
        """Return whether the data hold the table with its times."""
        return self.dataset.has(table, TIME_COLUMNS[table])

    def count_events(self, side: Side, table: str, window_days: float) -> FloatArray:
        """Return how many of one side's events lie in the window before t."""
        counted = self.cached(
            ("count", side, table, window_days),
            lambda: count_before(
                self._within_reach(self.events(table), window_days),
                self.queries(side),
                window_days=window_days,
            ),
        )
        return np.asarray(counted, dtype=np.float64)

    def count_active_weeks(self, side: Side, table: str, weeks: int) -> FloatArray:
        """Return in how many of the last `weeks` weeks one side had an event.

        Thirteen cuts in time of the same sorted events: a search in one array, where a running
        sum would have to sort all dyads thirteen times.
        """
        line, ids = self.event_line(table), self.rows[f"{side}_id"]
        cuts = [line.place(ids, self.at_us - week * WEEK_US) for week in range(weeks + 1)]
        return np.asarray(sum((later > cut).astype(np.float64) for later, cut in pairwise(cuts)))

    def event_line(self, table: str) -> EventLine:
        """Return the events of a table in one sorted line, made once."""

        def make() -> EventLine:
            events = self.events(table)
            return EventLine(events["account_id"], to_us(events["at"]))

        line: EventLine = self.cached(("line", table), make)
        return line

    def count_pair_acts(
        self,
        actor: Side,
        target: Side,
        window_days: float | None = None,
        acts: pd.DataFrame | None = None,
    ) -> FloatArray:
        """Return how many acts of `actor` towards `target` lie before t (in the window).

        Of `acts` (actor_id, target_id, at, amount); `pair_acts` without.
        """
        queries = pd.DataFrame(
            {
                "actor_id": self.rows[f"{actor}_id"].to_numpy(),
                "target_id": self.rows[f"{target}_id"].to_numpy(),
                "at": to_times(self.at_us),
            }
        )
        events = self.pair_acts if acts is None else acts
        if window_days is not None:
            events = self._within_reach(events, window_days)
        by = ["actor_id", "target_id"]
        counted = count_before(events, queries, window_days=window_days, by=by)
        return np.asarray(counted, dtype=np.float64)

    def last_event_us(self, side: Side, tables: Sequence[str]) -> IntArray:
        """Return the moment of one side's last event before t (smallest integer: none)."""
        events = pd.concat([self.events(table)[["account_id", "at"]] for table in tables])
        return to_us(pd.Series(last_before(events, self.queries(side))))

    # -- who was watched ---------------------------------------------------------------------

    def watched(self, side: Side, table: str) -> tuple[FlagArray, IntArray]:
        """Return whether one side's `table` was visible before t, and since when.

        With rows for the table in `observation`, those decide, account by account. Without,
        the table is taken to cover every account from its first row on. An account that is
        watched and silent is inactive (0); one that is not watched is unknown (NaN).
        """
        found: tuple[FlagArray, IntArray] = self.cached(
            ("watched", side, table), lambda: self._watched(side, table)
        )
        return found

    def _watched(self, side: Side, table: str) -> tuple[FlagArray, IntArray]:
        events_us = to_us(self.events(table)["at"]) if self.is_dated else np.zeros(1, np.int64)
        first = int(events_us.min()) if len(events_us) else NEVER_US
        at_us = self.at_us if self.is_dated else None
        seen = get_table(self.dataset, "observation")
        seen = seen[(seen["table_name"] == table).to_numpy(dtype=bool)]
        return find_watched(self.rows[f"{side}_id"], at_us, seen, first)

    def where_watched(self, values: FloatArray, *sides_tables: tuple[Side, str]) -> FloatArray:
        """Return the values, NaN where one of the accounts was not watched."""
        known = np.ones(len(values), dtype=bool)
        for side, table in sides_tables:
            known &= self.watched(side, table)[0]
        return np.where(known, values, np.nan)


def of_blocks(
    compute: Callable[[Block], FloatArray], *watched: tuple[Side, str], needs_posts: bool = True
) -> FeatureFunction:
    """Return the feature that `FeatureContext.by_block` makes of a function of a block."""
    return lambda context: context.by_block(compute, *watched, needs_posts=needs_posts)


def select_acts(dataset: Dataset, *, is_timed: bool | None) -> pd.DataFrame:
    """Return acts towards others: actor_id, target_id, at, amount (`None`: timed or not)."""
    acts = get_table(dataset, "interactions")
    keep = acts["kind"].isin(ACT_KINDS) & (acts["actor_id"] != acts["target_id"])
    if is_timed is not None:
        keep &= acts["at"].notna() == is_timed
    acts = acts[keep.to_numpy(dtype=bool, na_value=False)]
    amount = acts["count"].fillna(1).to_numpy(dtype=np.int64)
    return acts[["actor_id", "target_id", "at"]].assign(amount=amount).reset_index(drop=True)


def make_contexts(
    dyads: DyadSet,
    dataset: Dataset,
    functions: Mapping[str, FeatureFunction],
    vectors: Vectors = "auto",
) -> Iterator[tuple[IntArray, FeatureContext]]:
    """Yield each part of the dyads (row positions) with the context it is computed in."""
    library = Library(dataset, vectors)
    mode: Mode = dyads.asof
    rows = dyads.table[["initiator_id", "decider_id", "at"]].reset_index(drop=True)
    ties = make_ties(dyads, dataset)
    counts = mode != "snapshot" and is_export(rows) and dataset.has("account_counts")
    folds = dyads.table["fold"].to_numpy(dtype=np.int64)

    def make(part: IntArray, ties: pd.DataFrame) -> FeatureContext:
        chosen = rows.iloc[part].reset_index(drop=True)
        return FeatureContext(
            chosen, mode, ties, dataset, library, functions, folds[part], dyads.horizon_days, counts
        )

    everyone = np.arange(len(rows), dtype=np.int64)
    if mode != "snapshot":
        yield everyone, make(everyone, ties)
        return
    tie_folds = find_tie_folds(ties, rows, folds)
    for fold in np.unique(folds):
        part = everyone[folds == fold]
        yield part, make(part, ties[tie_folds != fold].reset_index(drop=True))
