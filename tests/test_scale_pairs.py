"""Pair kernels at scale: equal to the small exact kernels, to brute force, and to themselves."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followkit.communities import page_rank
from followkit.errors import InputError
from followkit.graph import count_degrees_asof as exact_degrees_asof
from followkit.graph import count_shared as exact_shared
from followkit.graph import make_graph
from followkit.scale import pairs as pairs_module
from followkit.scale.csr import NO_RANK, UNKNOWN_US, make_pair_graph, rank_moments, split_work
from followkit.scale.folds import folds_of_ties, make_pair_folds
from followkit.scale.page_rank import rank_pages
from followkit.scale.pairs import (
    count_degrees,
    count_degrees_asof,
    count_degrees_masked,
    count_shared,
    count_shared_of_ties,
    count_tie_degrees,
    find_mutual,
)

ENGINES = [
    "numpy",
    pytest.param(
        "numba", marks=pytest.mark.skipif(not find_spec("numba"), reason="numba is not installed")
    ),
]
KINDS = ("paths_out", "paths_back", "common_followees", "common_followers")
FIELDS = (*KINDS, "adamic_adar")
SIDES = ("initiator_followees", "initiator_followers", "decider_followees", "decider_followers")
#: Every term of Adamic–Adar is off by 2⁻⁴¹ at most.
STEP = 2.0**-41

follows = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(0, 6)),
    min_size=1,
    max_size=60,
    unique_by=lambda row: row[:2],
).filter(lambda rows: any(u != v for u, v, _ in rows))


def split(rows):
    rows = [row for row in rows if row[0] != row[1]]
    return tuple(np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))


@pytest.fixture(scope="module")
def heavy():
    """8,000 heavy-tailed follows, two fifths answered, few moments so that many are equal."""
    rng = np.random.default_rng(4)
    share = np.arange(1, 401) ** -0.7
    ends = [rng.permutation(400)[rng.choice(400, 6_000, p=share / share.sum())] for _ in range(2)]
    back = rng.random(6_000) < 0.4
    source, target = np.r_[ends[0], ends[1][back]], np.r_[ends[1], ends[0][back]]
    key = np.unique((source * 400 + target)[source != target])
    return key // 400, key % 400, rng.integers(0, 500, len(key))


def assert_equal(found, expected, fields=FIELDS) -> None:
    for name in fields:
        assert np.array_equal(getattr(found, name), getattr(expected, name)), name


def assert_exact(found, expected) -> None:
    for name in KINDS:
        assert getattr(found, name).tolist() == getattr(expected, name).tolist(), name
    most = sum(getattr(expected, name) for name in KINDS)
    assert (np.abs(found.adamic_adar - expected.adamic_adar) <= (most + 1) * 2 * STEP).all()


@pytest.mark.parametrize("engine", ENGINES)
@given(rows=follows)
@settings(max_examples=12, deadline=None)
def test_every_tie_equals_the_exact_kernels(engine, rows) -> None:
    source, target, at = split(rows)
    graph = make_pair_graph(source, target, node_count=9, at_us=at, engine=engine)
    exact = make_graph(source, target, nodes=np.arange(9), start=at)
    for moments, kwargs in ((None, {}), (at, {"asof": True})):
        found = count_shared_of_ties(graph, engine=engine, **kwargs)
        assert_exact(found, exact_shared(exact, source, target, moments, engine="numpy"))
    asof = count_degrees_asof(graph, engine=engine)
    for side, ends in (("initiator", source), ("decider", target)):
        expected = exact_degrees_asof(exact, ends, at)
        for name, values in zip(("followees", "followers"), expected, strict=True):
            assert getattr(asof, f"{side}_{name}").tolist() == values.tolist()


@pytest.mark.parametrize("engine", ENGINES)
def test_masked_counts_are_those_of_the_graph_without_the_fold(heavy, engine) -> None:
    source, target, _ = heavy
    graph = make_pair_graph(source, target, engine=engine)
    folds = make_pair_folds(graph, seed=7)
    tie_folds = folds_of_ties(graph, folds)
    assert np.bincount(tie_folds).min() > 0.15 * len(source)
    found = count_shared_of_ties(graph, folds=folds, engine=engine)
    degrees = count_degrees_masked(graph, folds, 5)
    ranks = rank_pages(graph, folds=folds, tolerance=1e-13, engine=engine)
    for fold in range(5):
        mine, rest = tie_folds == fold, tie_folds != fold
        exact = make_graph(source[rest], target[rest], nodes=np.arange(400))
        expected = exact_shared(exact, source[mine], target[mine], engine="numpy")
        assert_exact(pick(found, mine, FIELDS), expected)
        out, into = (np.bincount(ends[rest], minlength=400) for ends in (source, target))
        columns = (out[source], into[source], out[target], into[target])
        for name, values in zip(SIDES, columns, strict=True):
            assert np.array_equal(getattr(degrees, name)[mine], values[mine])
        here, ends = np.unique(np.r_[source[rest], target[rest]], return_inverse=True)
        alone = page_rank(ends[: rest.sum()], ends[rest.sum() :], len(here))
        assert np.allclose(ranks[here, fold], alone, rtol=0, atol=1e-9)
        assert np.isnan(ranks[:, fold]).sum() == 400 - len(here)


class Picked:
    """Some rows of a result."""


def pick(result, mask, fields):
    picked = Picked()
    for name in fields:
        setattr(picked, name, getattr(result, name)[mask])
    return picked


@pytest.mark.parametrize("view", ["whole", "asof", "masked"])
@pytest.mark.skipif(not find_spec("numba"), reason="numba is not installed")
def test_engines_threads_blocks_and_ways_give_the_same_bits(heavy, view, monkeypatch) -> None:
    source, target, at = heavy
    graph = make_pair_graph(source, target, at_us=at, engine="numba", threads=1)
    folds = make_pair_folds(graph, seed=1)
    ties = {"whole": {}, "asof": {"asof": True}, "masked": {"folds": folds}}[view]
    dyads = {
        "whole": {},
        "asof": {"at_us": at},
        "masked": {"folds": folds, "dyad_folds": folds_of_ties(graph, folds)},
    }[view]
    one = count_shared_of_ties(graph, engine="numba", threads=1, **ties)
    assert_equal(count_shared_of_ties(graph, engine="numpy", **ties), one)
    for engine, threads in (("numpy", 1), ("numba", 1), ("numba", 3)):
        found = count_shared(graph, source, target, engine=engine, threads=threads, **dyads)
        assert_equal(found, one)
    monkeypatch.setattr(pairs_module, "BLOCK", 64)
    assert_equal(count_shared_of_ties(graph, engine="numba", threads=3, **ties), one)


@pytest.mark.skipif(not find_spec("numba"), reason="numba is not installed")
def test_builders_agree(heavy) -> None:
    source, target, at = heavy
    plain = make_pair_graph(source, target, at_us=at, engine="numpy")
    for threads in (1, 2, 5):
        built = make_pair_graph(source, target, at_us=at, engine="numba", threads=threads)
        for name in ("place", "first", "lower", "back_first", "back_node", "back_slot", "tie_slot",
                     "moments", "rank", "order", "pair_rank"):  # fmt: skip
            assert np.array_equal(getattr(built, name), getattr(plain, name)), name
        for one, two in zip(built.tied.arrays, plain.tied.arrays, strict=True):
            assert np.array_equal(one, two)


@pytest.mark.parametrize("engine", ENGINES)
def test_sums_over_triangles_agree(heavy, engine) -> None:
    """Σ paths = Σ common followees = Σ common followers; as of, three sums add up to that total.

    Every transitive triple of ties a→x→b, a→b is one of each; as of, it is seen by its last tie.
    """
    source, target, at = heavy
    at = np.random.default_rng(0).permutation(len(at))
    graph = make_pair_graph(source, target, at_us=at, engine=engine)
    whole = count_shared_of_ties(graph, engine=engine)
    total = whole.paths_out.sum()
    assert total == whole.common_followees.sum() == whole.common_followers.sum() > 0
    asof = count_shared_of_ties(graph, asof=True, engine=engine)
    assert total == sum(
        getattr(asof, name).sum() for name in ("paths_out", "common_followees", "common_followers")
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_codes_and_order_of_rows_do_not_matter(heavy, engine) -> None:
    source, target, at = heavy
    rng = np.random.default_rng(2)
    rows, codes = rng.permutation(len(source)), rng.permutation(400)
    one = make_pair_graph(source, target, at_us=at, engine=engine)
    two = make_pair_graph(codes[source[rows]], codes[target[rows]], at_us=at[rows], engine=engine)
    for view in ({}, {"asof": True}):
        here = count_shared_of_ties(one, engine=engine, **view)
        there = count_shared_of_ties(two, engine=engine, **view)
        assert_equal(there, pick(here, rows, FIELDS))
    assert_equal(count_degrees_asof(two), pick(count_degrees_asof(one), rows, SIDES), SIDES)
    ranks = rank_pages(one, engine=engine)[:, 0], rank_pages(two, engine=engine)[codes, 0]
    assert np.allclose(*ranks, rtol=0, atol=1e-9, equal_nan=True)
    keys = rng.integers(0, 2**62, 400)
    inverse = np.empty(400, dtype=np.int64)
    inverse[codes] = keys
    folds = [make_pair_folds(one, seed=1, keys=keys), make_pair_folds(two, seed=1, keys=inverse)]
    assert np.array_equal(folds_of_ties(one, folds[0])[rows], folds_of_ties(two, folds[1]))


@pytest.mark.parametrize("engine", ENGINES)
def test_the_own_reverse_and_the_own_fold_leave_no_trace(heavy, engine) -> None:
    source, target, at = heavy
    graph = make_pair_graph(source, target, at_us=at, engine=engine)
    keys = np.arange(400)
    folds = make_pair_folds(graph, seed=3, keys=keys)
    tie_folds = folds_of_ties(graph, folds)
    whole = count_shared_of_ties(graph, folds=folds, engine=engine)
    row = int(np.flatnonzero(find_mutual(graph))[0])
    reverse = (source == target[row]) & (target == source[row])
    others = (tie_folds == tie_folds[row]) & (np.arange(len(source)) != row)
    for gone in (reverse, others):
        left = make_pair_graph(source[~gone], target[~gone], node_count=400, engine=engine)
        left_folds = make_pair_folds(left, seed=3, keys=keys)
        found = count_shared_of_ties(left, folds=left_folds, engine=engine)
        place = row - int(gone[:row].sum())
        for name in FIELDS:
            assert getattr(found, name)[place] == getattr(whole, name)[row]


@pytest.mark.parametrize("engine", ENGINES)
def test_later_follows_change_nothing_as_of(heavy, engine) -> None:
    source, target, at = heavy
    early = at < 250
    whole = make_pair_graph(source, target, node_count=400, at_us=at, engine=engine)
    part = make_pair_graph(
        source[early], target[early], node_count=400, at_us=at[early], engine=engine
    )
    seen = pick(count_shared_of_ties(whole, asof=True, engine=engine), early, FIELDS)
    assert_equal(count_shared_of_ties(part, asof=True, engine=engine), seen)
    seen = pick(count_degrees_asof(whole, engine=engine), early, SIDES)
    assert_equal(count_degrees_asof(part, engine=engine), seen, SIDES)


@pytest.mark.parametrize("engine", ENGINES)
def test_follows_without_a_time_never_stand_as_of(heavy, engine) -> None:
    source, target, at = heavy
    at = np.where(np.arange(len(at)) % 7 == 0, UNKNOWN_US, at)
    known = at != UNKNOWN_US
    whole = make_pair_graph(source, target, node_count=400, at_us=at, engine=engine)
    part = make_pair_graph(
        source[known], target[known], node_count=400, at_us=at[known], engine=engine
    )
    seen = count_shared_of_ties(whole, asof=True, engine=engine)
    assert_equal(count_shared_of_ties(part, asof=True, engine=engine), pick(seen, known, FIELDS))
    assert not any(getattr(seen, name)[~known].any() for name in FIELDS)
    degrees = count_degrees_asof(whole, engine=engine)
    expected = count_degrees_asof(part, engine=engine)
    assert_equal(expected, pick(degrees, known, SIDES), SIDES)
    assert (whole.rank[~known] == NO_RANK).all()


@pytest.mark.parametrize("engine", ENGINES)
@given(times=st.lists(st.one_of(st.integers(-(2**60), 2**60), st.just(UNKNOWN_US)), max_size=50))
@settings(max_examples=15, deadline=None)
def test_ranks_are_those_of_sorting(engine, times) -> None:
    times = np.array(times, dtype=np.int64)
    known = times != UNKNOWN_US
    moments, rank, order = rank_moments(times, engine=engine, threads=2)
    assert moments.tolist() == sorted(set(times[known].tolist()))
    assert (moments[rank[known]] == times[known]).all()
    assert (rank[~known] == NO_RANK).all()
    assert order.tolist() == np.argsort(rank, kind="stable").tolist()


def test_degrees_leave_the_own_pair_out(heavy) -> None:
    source, target, _ = heavy
    graph = make_pair_graph(source, target)
    ties = set(zip(source.tolist(), target.tolist(), strict=True))
    out, into = count_degrees(graph)
    assert out.tolist() == np.bincount(source, minlength=400).tolist()
    mutual = find_mutual(graph)
    assert mutual.tolist() == [
        (v, u) in ties for u, v in zip(source.tolist(), target.tolist(), strict=True)
    ]
    found = count_tie_degrees(graph)
    assert (found.initiator_followees == out[source] - 1).all()
    assert (found.initiator_followers == into[source] - mutual).all()
    assert (found.decider_followees == out[target] - mutual).all()
    assert (found.decider_followers == into[target] - 1).all()


def test_dyads_without_a_tie_and_empty_lists() -> None:
    graph = make_pair_graph([0, 1, 2], [3, 3, 3], node_count=6)
    found = count_shared(graph, [0, 5, 1], [1, 0, 2])
    assert found.common_followees.tolist() == [1, 0, 1]
    assert found.adamic_adar.round(9).tolist() == [
        round(1 / np.log(3), 9),
        0,
        round(1 / np.log(3), 9),
    ]
    assert len(count_shared(graph, [], []).paths_out) == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_no_graph_is_refused(engine) -> None:
    def make(source, target, **options):
        return make_pair_graph(source, target, engine=engine, **options)

    with pytest.raises(InputError, match="come twice"):
        make([0, 1, 0], [1, 2, 1])
    with pytest.raises(InputError, match="by itself"):
        make([0, 1], [1, 1])
    with pytest.raises(InputError, match="codes must lie"):
        make([0, -1], [1, 2])
    with pytest.raises(InputError, match="codes must lie"):
        make([0, 1], [1, 2], node_count=2)
    with pytest.raises(InputError, match="2 sources"):
        make([0, 1], [1])
    with pytest.raises(InputError, match="moments; give each one"):
        make([0], [1], at_us=[1, 2])
    graph = make([0, 1], [1, 2])
    with pytest.raises(InputError, match="no times"):
        count_shared_of_ties(graph, asof=True, engine=engine)
    with pytest.raises(InputError, match="no times"):
        count_degrees_asof(graph)
    with pytest.raises(InputError, match="codes 0 to 2"):
        count_shared(graph, [0], [3])
    with pytest.raises(InputError, match="one account twice"):
        count_shared(graph, [0], [0])
    with pytest.raises(InputError, match="2 to 200"):
        make_pair_folds(graph, seed=1, fold_count=1)
    folds = np.array([0, 9], dtype=np.uint8)
    with pytest.raises(InputError, match="from 0 to 4"):
        count_shared_of_ties(graph, folds=folds, engine=engine)
    with pytest.raises(InputError, match="not both"):
        count_shared_of_ties(graph, folds=folds, asof=True)
    with pytest.raises(InputError, match="that of each dyad"):
        count_shared(graph, [0], [1], folds=folds % 5)


@given(work=st.lists(st.integers(0, 50), max_size=30), parts=st.integers(1, 6))
def test_work_is_cut_into_parts_that_cover_it(work, parts) -> None:
    bounds = split_work(np.array(work, dtype=np.int64), parts)
    assert len(bounds) == parts + 1
    assert (bounds[0], bounds[-1]) == (0, len(work))
    assert (np.diff(bounds) >= 0).all()
