"""Graph kernels: two implementations, brute force with Python sets, and sums that must agree."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followkit.graph import (
    NEVER,
    count_degrees,
    count_degrees_asof,
    count_events_before,
    count_mutual,
    count_shared,
    make_graph,
    merge_spells,
)

ENGINES = [
    "numpy",
    pytest.param(
        "numba", marks=pytest.mark.skipif(not find_spec("numba"), reason="numba is not installed")
    ),
]
KINDS = ("paths_out", "paths_back", "common_followees", "common_followers")

spells = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 9), st.integers(0, 9)),
    max_size=40,
)


class SlowGraph:
    """Ties as Python sets, asked one at a time."""

    def __init__(self, rows: list[tuple[int, int, int, int]]) -> None:
        self.rows = [(u, v, start, end) for u, v, start, end in rows if u != v]
        self.nodes = range(7)

    def stands(self, u: int, v: int, t: int | None) -> bool:
        return any((u, v) == row[:2] and (t is None or (row[2] < t <= row[3])) for row in self.rows)

    def degrees(self, u: int, t: int | None) -> tuple[int, int]:
        out = sum(self.stands(u, v, t) for v in self.nodes)
        return out, sum(self.stands(v, u, t) for v in self.nodes)

    def shared(self, a: int, b: int, t: int | None) -> tuple[list[int], float]:
        counts, weight = [0, 0, 0, 0], 0.0
        for x in self.nodes:
            if x in (a, b):
                continue
            ax, xa = self.stands(a, x, t), self.stands(x, a, t)
            bx, xb = self.stands(b, x, t), self.stands(x, b, t)
            for kind, linked in enumerate((ax and xb, bx and xa, ax and bx, xa and xb)):
                counts[kind] += linked
            if (ax or xa) and (bx or xb):
                near = sum(self.stands(x, y, t) or self.stands(y, x, t) for y in self.nodes)
                weight += 1 / np.log(near)
        return counts, weight


def make(rows, *, timed: bool = True):
    source, target, start, length = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    # Length 0 stands for a tie that was never withdrawn.
    end = np.where(length == 0, NEVER, start + length)
    spans = {"start": start, "end": end} if timed else {}
    return make_graph(source, target, nodes=np.arange(7), **spans), SlowGraph(
        list(zip(source.tolist(), target.tolist(), start.tolist(), end.tolist(), strict=True))
    )


PAIRS = np.array([(a, b) for a in range(7) for b in range(7) if a != b])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("timed", [True, False])
@given(rows=spells, t=st.integers(0, 20))
@settings(max_examples=25, deadline=None)
def test_shared_neighbours_equal_brute_force(engine, timed, rows, t) -> None:
    graph, slow = make(rows, timed=timed)
    at = np.full(len(PAIRS), t) if timed else None
    found = count_shared(graph, PAIRS[:, 0], PAIRS[:, 1], at, engine=engine)
    expected = [slow.shared(a, b, t if timed else None) for a, b in PAIRS]
    for place, kind in enumerate(KINDS):
        assert getattr(found, kind).tolist() == [counts[place] for counts, _ in expected]
    assert np.allclose(found.adamic_adar, [weight for _, weight in expected], rtol=0, atol=1e-12)


@given(rows=spells, t=st.integers(0, 20))
@settings(max_examples=40, deadline=None)
def test_degrees_equal_brute_force(rows, t) -> None:
    graph, slow = make(rows)
    codes = np.arange(7)
    asof = np.transpose(count_degrees_asof(graph, codes, np.full(7, t)))
    assert [tuple(row) for row in asof.tolist()] == [slow.degrees(u, t) for u in codes]
    whole = np.transpose(count_degrees(graph, codes))
    assert [tuple(row) for row in whole.tolist()] == [slow.degrees(u, None) for u in codes]


@pytest.fixture(scope="module")
def heavy():
    """A heavy-tailed graph of 6,000 ties with two fifths of them answered."""
    rng = np.random.default_rng(4)
    share = np.arange(1, 401) ** -0.7
    source, target = (rng.choice(400, 4_000, p=share / share.sum()) for _ in range(2))
    back = rng.random(4_000) < 0.4
    ends = np.r_[source, target[back]], np.r_[target, source[back]]
    return make_graph(*ends, start=rng.integers(0, 10**9, len(ends[0])))


@pytest.mark.skipif(not find_spec("numba"), reason="numba is not installed")
@pytest.mark.parametrize("timed", [True, False])
def test_both_engines_give_the_same_numbers(heavy, timed) -> None:
    rows = np.random.default_rng(1).integers(0, len(heavy.source), 3_000)
    at = heavy.start[rows] if timed else None
    pairs = heavy.source[rows], heavy.target[rows]
    one, two = (count_shared(heavy, *pairs, at, engine=engine) for engine in ("numpy", "numba"))
    for kind in KINDS:
        assert (getattr(one, kind) == getattr(two, kind)).all()
    assert np.allclose(one.adamic_adar, two.adamic_adar, rtol=0, atol=1e-12)


def test_static_sums_agree_over_all_pairs(heavy) -> None:
    """Each x closes in(x)·out(x) paths less its mutual ties, and d(d − 1) ordered co-ties."""
    size = heavy.node_count
    pairs = np.array([(a, b) for a in range(size) for b in range(size) if a != b])
    found = count_shared(heavy, pairs[:, 0], pairs[:, 1])
    out, into = count_degrees(heavy, np.arange(size))
    mutual = count_mutual(heavy, np.arange(size))
    assert found.paths_out.sum() == found.paths_back.sum() == (into * out - mutual).sum()
    assert found.common_followees.sum() == (into * (into - 1)).sum()
    assert found.common_followers.sum() == (out * (out - 1)).sum()


def test_asof_sums_over_ties_count_each_ordered_triangle_once(heavy) -> None:
    """Over the ties u→v of a static graph, Σ(A→x→B) = Σ(co-followees) = Σ(co-followers); as of
    each tie's own moment the three sums add up to it, since one tie of a triangle comes last."""
    pairs = heavy.source, heavy.target
    whole = count_shared(heavy, *pairs)
    asof = count_shared(heavy, *pairs, heavy.start)
    assert len(np.unique(heavy.start)) == len(heavy.start)
    total = whole.paths_out.sum()
    assert total == whole.common_followees.sum() == whole.common_followers.sum()
    parts = (asof.paths_out, asof.common_followees, asof.common_followers)
    assert sum(part.sum() for part in parts) == total


def test_order_of_rows_and_labels_do_not_matter() -> None:
    ties = [("ann", "bo"), ("bo", "ann"), ("cy", "bo"), ("ann", "cy"), ("dee", "cy")]
    one = make_graph(*zip(*ties, strict=True))
    two = make_graph(*zip(*reversed(ties), strict=True))
    people = ["ann", "bo", "cy", "dee"]
    for measure in (
        lambda g: count_degrees(g, g.code(people)),
        lambda g: count_mutual(g, g.code(people)),
    ):
        assert np.array_equal(measure(one), measure(two))


def test_own_ties_never_count() -> None:
    alone = make_graph(["a", "b"], ["b", "a"])
    found = count_shared(alone, alone.code(["a"]), alone.code(["b"]))
    assert [int(getattr(found, kind)[0]) for kind in KINDS] == [0, 0, 0, 0]
    assert found.adamic_adar[0] == 0


def test_an_id_that_is_not_there_is_minus_one() -> None:
    assert make_graph([1, 2], [2, 3]).code([3, 9]).tolist() == [2, -1]


def test_no_ties_at_all() -> None:
    graph = make_graph([], [], nodes=["a", "b"])
    found = count_shared(graph, np.array([0]), np.array([1]))
    assert found.paths_out.tolist() == [0]
    assert count_degrees(graph, np.array([0, 1]))[0].tolist() == [0, 0]
    assert count_mutual(graph, np.array([0])).tolist() == [0]


def test_chunks_do_not_change_the_result(heavy, monkeypatch) -> None:
    pairs = heavy.source[:500], heavy.target[:500]
    whole = count_shared(heavy, *pairs, engine="numpy")
    monkeypatch.setattr("followkit.graph.CHUNK", 300)
    parts = count_shared(heavy, *pairs, engine="numpy")
    assert (whole.paths_out == parts.paths_out).all()
    assert (whole.adamic_adar == parts.adamic_adar).all()


def test_spells_that_touch_become_one() -> None:
    key, start, end = merge_spells(np.array([5, 5, 2]), np.array([4, 1, 0]), np.array([9, 4, 1]))
    assert (key.tolist(), start.tolist(), end.tolist()) == ([2, 5], [0, 1], [1, 9])


def test_an_event_at_the_moment_is_not_before_it() -> None:
    counted = count_events_before(np.array([0, 0]), np.array([5, 7]), np.zeros(3, int),
                                  np.array([5, 6, 8]))  # fmt: skip
    assert counted.tolist() == [0, 1, 2]
