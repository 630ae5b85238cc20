"""Network nulls against enumeration of every network, identities, and planted reciprocity."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from followkit import covariance as cov
from followkit import nulls
from followkit.errors import InputError, ParameterError
from followkit.nulls import ReciprocityNull, _Chain, reciprocity_correlation, reciprocity_null
from followkit.reciprocity import dyad_reciprocity, edge_reciprocity, list_ties
from followkit.sources import load_dataset

DATA = Path(__file__).parents[1] / "data"
NAMES = ["follower_id", "followee_id"]


def as_ties(pairs: object) -> pd.DataFrame:
    return pd.DataFrame(pairs, columns=NAMES)


def start(ties: pd.DataFrame, seed: int = 0) -> _Chain:
    accounts = cov.code_accounts(ties["follower_id"], ties["followee_id"])
    return _Chain(accounts.initiator, accounts.decider, len(accounts.ids), seed)


def random_ties(seed: int, accounts: int, ties: int, *, answered: float = 0.0) -> pd.DataFrame:
    """Ties between accounts of unequal pull; a share of them gets its reverse too."""
    rng = np.random.default_rng(seed)
    out, into = rng.lognormal(0, 0.8, accounts), rng.lognormal(0, 0.8, accounts)
    table = as_ties(
        np.column_stack(
            [rng.choice(accounts, ties, p=out / out.sum()),
             rng.choice(accounts, ties, p=into / into.sum())]
        )
    )  # fmt: skip
    back = table[rng.random(ties) < answered].set_axis(NAMES[::-1], axis=1)
    return list_ties(pd.concat([table, back[NAMES]], ignore_index=True))


def enumerate_networks(ties: pd.DataFrame) -> tuple[list[int], list[int]]:
    """Return every network with the same degrees as a bit code, and its mutual pairs."""
    size = int(ties.to_numpy().max()) + 1
    places = list(permutations(range(size), 2))
    codes = np.arange(1 << len(places), dtype=np.int64)
    edges = {pair: (codes >> k) & 1 for k, pair in enumerate(places)}
    same = np.ones(len(codes), dtype=bool)
    for node in range(size):
        others = [other for other in range(size) if other != node]
        same &= sum(edges[node, o] for o in others) == (ties["follower_id"] == node).sum()
        same &= sum(edges[o, node] for o in others) == (ties["followee_id"] == node).sum()
    mutual = sum(edges[a, b] & edges[b, a] for a, b in combinations(range(size), 2))
    return codes[same].tolist(), mutual[same].tolist()


def bit_code(chain: _Chain) -> int:
    place = {pair: k for k, pair in enumerate(permutations(range(chain.size), 2))}
    return sum(
        1 << place[int(a), int(b)] for a, b in zip(chain.source, chain.followee, strict=True)
    )


SMALL = {
    "ring of three": [(0, 1), (1, 2), (2, 0)],
    "four accounts": [(0, 1), (1, 0), (1, 2), (2, 3), (3, 0), (0, 2)],
    "dense four": [(0, 1), (1, 0), (0, 2), (2, 0), (1, 3), (3, 1), (2, 3), (3, 2), (0, 3)],
    "five accounts": [(0, 1), (1, 0), (2, 3), (3, 4), (4, 2), (0, 2), (3, 1)],
    "two that only trade": [(0, 1), (1, 2), (2, 0), (2, 3), (3, 2)],
}


# --- the drawn networks ----------------------------------------------------------------------


def count_visits(chain: _Chain, codes: list[int], runs: int, rounds: int) -> np.ndarray:
    """Return how often each network is seen; none but these may be."""
    seen = []
    for _ in range(runs):
        chain.run(rounds)
        seen.append(bit_code(chain))
    counts = np.array([seen.count(code) for code in codes])
    assert counts.sum() == runs
    return counts


@pytest.mark.parametrize("name", SMALL)
def test_every_network_with_these_degrees_is_equally_likely(name: str) -> None:
    """Against brute force over all digraphs: each is reached, in equal shares (chi-square)."""
    ties = as_ties(SMALL[name])
    codes, _ = enumerate_networks(ties)
    counts = count_visits(start(ties, seed=2), codes, 60 * len(codes) + 300, 12)
    if len(codes) > 1:
        assert stats.chisquare(counts).pvalue > 0.001


@pytest.mark.parametrize("has_table", [True, False])
@pytest.mark.parametrize("width", [2, 3])
def test_every_step_is_as_likely_as_its_reverse(
    width: int, has_table: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All 720 ways to put six ties into groups, from every state: a symmetric table of steps.

    Symmetric steps on labelled states are what makes all networks equally likely; groups that
    hinder each other must be treated alike in both directions.
    """
    if not has_table:
        monkeypatch.setattr(nulls, "LARGEST_TABLE", 0)
    chain = start(as_ties(SMALL["four accounts"]))
    first = tuple(chain.followee.tolist())
    steps: Counter[tuple[tuple[int, ...], tuple[int, ...]]] = Counter()
    waiting, known = [first], {first}
    while waiting:
        state = waiting.pop()
        for order in permutations(range(6)):
            chain.followee[:] = state
            if chain.stands is not None:
                chain.stands[:] = False
                chain.stands[chain.keys()] = True
            chain.switch(np.array(order).reshape(width, 6 // width))
            after = tuple(chain.followee.tolist())
            steps[state, after] += 1
            if after not in known:
                known.add(after)
                waiting.append(after)
    assert len(known) > 6
    assert all(steps[two, one] == count for (one, two), count in steps.items())


@pytest.mark.parametrize("name", ["four accounts", "five accounts"])
def test_the_null_mean_is_that_of_the_enumeration(name: str) -> None:
    ties = as_ties(SMALL[name])
    _, mutual = enumerate_networks(ties)
    expected = np.mean([m / (len(ties) - m) for m in mutual])
    found = reciprocity_null(ties, draw_count=600, seed=5)
    error = found.null_sd / np.sqrt(found.effective_draw_count)
    assert abs(found.null_mean - expected) < 3.5 * error
    assert found.observed == dyad_reciprocity(ties)


def test_degrees_are_kept_exactly_and_no_tie_doubles() -> None:
    ties = random_ties(1, 300, 4_000, answered=0.3)
    chain = start(ties)
    before = chain.source.copy(), chain.followee.copy()
    chain.settle()
    for side, was in zip((chain.source, chain.followee), before, strict=True):
        np.testing.assert_array_equal(np.bincount(side), np.bincount(was))
    assert len(np.unique(chain.keys())) == len(ties)
    assert (chain.source != chain.followee).all()
    left = np.isin(chain.keys(), before[0] * chain.size + before[1]).mean()
    assert left < 0.3  # the start is forgotten: what is left meets by chance in a dense network
    assert chain.switch_count >= 10 * len(ties)


def test_sparse_networks_follow_the_expected_share() -> None:
    """Σ over pairs of (kout kin)ᵢ(kout kin)ⱼ / L²: Zamora-López et al. (2008), PRE 77, 016106."""
    rng = np.random.default_rng(4)
    ties = list_ties(as_ties(rng.integers(0, 1_500, size=(15_000, 2))))
    both = np.bincount(ties["follower_id"], minlength=1_500) * np.bincount(
        ties["followee_id"], minlength=1_500
    )
    mutual = (both.sum() ** 2 - (both**2).sum()) / (2 * len(ties) ** 2)
    found = reciprocity_null(ties, draw_count=200, seed=1)
    error = found.null_sd / np.sqrt(found.effective_draw_count)
    assert found.null_mean == pytest.approx(mutual / (len(ties) - mutual), abs=3.5 * error)


# --- what it says ----------------------------------------------------------------------------


def test_networks_without_habit_of_answering_lie_within_the_null() -> None:
    """Unequal pull alone makes ties mutual; the null knows, density does not."""
    found = [reciprocity_null(random_ties(s, 150, 1_500), draw_count=60, seed=s) for s in range(12)]
    z = np.array([one.z for one in found])
    assert abs(z.mean()) < 3 / np.sqrt(12)
    assert np.abs(z).max() < 4
    assert np.median([one.p_value for one in found]) > 0.1


def test_planted_answers_are_found() -> None:
    found = reciprocity_null(random_ties(3, 400, 3_000, answered=0.3), draw_count=100)
    assert found.z > 10
    assert found.ratio > 3
    assert found.p_value == pytest.approx(1 / 101)
    assert found.null_low <= found.null_mean <= found.null_high < found.observed


def test_real_ties_are_mutual_far_beyond_their_degrees() -> None:
    if not (DATA / "nostr").is_dir():
        pytest.skip("data/nostr is not there")
    ties = list_ties(load_dataset(DATA / "nostr"))
    found = reciprocity_null(ties, draw_count=40)
    assert found.observed == pytest.approx(0.3228, abs=0.002)  # M / (M + A) of the report
    assert found.z > 20
    assert 1.2 < found.ratio < 5
    assert abs(found.drift) < 4


def test_the_order_of_rows_does_not_matter_and_seeds_do() -> None:
    ties = random_ties(6, 60, 400, answered=0.2)
    one = reciprocity_null(ties, draw_count=30, seed=1)
    two = reciprocity_null(ties.sample(frac=1.0, random_state=3), draw_count=30, seed=1)
    np.testing.assert_array_equal(one.draws, two.draws)
    other = reciprocity_null(ties, draw_count=30, seed=2)
    assert not np.array_equal(one.draws, other.draws)
    names = {code: f"u{(code * 37) % 61:02d}" for code in range(61)}
    renamed = reciprocity_null(ties.replace(dict.fromkeys(NAMES, names)), draw_count=30, seed=1)
    assert renamed.observed == one.observed
    error = np.hypot(one.null_sd, renamed.null_sd) / np.sqrt(30)
    assert abs(renamed.null_mean - one.null_mean) < 4 * error


def test_a_network_that_cannot_be_switched_is_refused() -> None:
    star = as_ties([("me", f"a{k}") for k in range(40)] + [(f"a{k}", "me") for k in range(9)])
    with pytest.raises(InputError, match=r"no other network .* 41 accounts .* \(49 ties\)"):
        reciprocity_null(star)
    with pytest.raises(InputError, match="no other network"):
        reciprocity_null(as_ties([("a", "b")]))


def test_bad_input_of_the_null() -> None:
    with pytest.raises(ParameterError, match="at least 20 networks are needed; got 5"):
        reciprocity_null(random_ties(1, 20, 60), draw_count=5)
    with pytest.raises(InputError, match="at least one tie"):
        reciprocity_null(as_ties([("a", "a")]))


# --- Garlaschelli and Loffredo's ρ -----------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_rho_is_the_correlation_of_ties_with_their_reverses(seed: int) -> None:
    """Their equation 2, over the off-diagonal entries of the adjacency matrix."""
    ties = random_ties(seed, 25, 150, answered=0.3)
    matrix = np.zeros((30, 30))  # five accounts have no tie
    codes = pd.factorize(ties.to_numpy().ravel())[0].reshape(-1, 2)
    matrix[codes[:, 0], codes[:, 1]] = 1
    off = ~np.eye(30, dtype=bool)
    expected = np.corrcoef(matrix[off], matrix.T[off])[0, 1]
    found = reciprocity_correlation(ties, account_count=30)
    assert found.value == pytest.approx(expected, abs=1e-12)
    density = matrix[off].mean()
    assert found.density == pytest.approx(density)
    assert found.value == pytest.approx((edge_reciprocity(ties) - density) / (1 - density))


def test_rho_of_extremes() -> None:
    """All mutual gives 1; none gives the least that its density allows, −ā / (1 − ā)."""
    pairs = list(combinations(range(6), 2))[:7]
    both = reciprocity_correlation(as_ties(pairs + [pair[::-1] for pair in pairs]))
    assert both.value == pytest.approx(1)
    assert np.isnan(both.ci_low)
    assert both.method == "no interval: every tie is mutual"
    none = reciprocity_correlation(as_ties(pairs))
    assert none.value == pytest.approx(-none.density / (1 - none.density))
    assert none.method == "no interval: no tie is mutual"


def leave_out(ties: pd.DataFrame, size: int) -> float:
    """Return the error of ρ with every network written out anew: accounts, less pairs."""

    def rho(kept: pd.DataFrame, ordered_pairs: int) -> float:
        density = len(kept) / ordered_pairs
        return (edge_reciprocity(kept) - density) / (1 - density)

    value, table = rho(ties, size * (size - 1)), ties.to_numpy()
    accounts = pairs = 0.0
    for one in range(size):
        kept = ties[(table != one).all(axis=1)]
        accounts += (rho(kept, (size - 1) * (size - 2)) - value) ** 2
    for one, two in combinations(range(size), 2):
        kept = ties[~np.isin(table, (one, two)).all(axis=1)]
        pairs += (rho(kept, size * (size - 1) - 2) - value) ** 2
    return float(np.sqrt((size - 1) / size * accounts - pairs))


@pytest.mark.parametrize("seed", range(3))
def test_the_error_of_rho_is_the_brute_force_one(seed: int) -> None:
    ties = random_ties(seed, 16, 70, answered=0.3)
    found = reciprocity_correlation(ties, account_count=18)
    codes = pd.factorize(ties.to_numpy().ravel())[0].reshape(-1, 2)
    assert found.std_error == pytest.approx(leave_out(as_ties(codes), 18), rel=1e-10)


def test_in_a_sparse_network_rho_has_the_error_of_the_edge_reciprocity() -> None:
    """Density is then about 0, and one influence value a tie gives the same error."""
    ties = random_ties(7, 3_000, 6_000, answered=0.4)
    accounts = cov.code_accounts(ties["follower_id"], ties["followee_id"])
    mutual = (np.bincount(accounts.pair)[accounts.pair] == 2).astype(float)
    expected = cov.dyadic_mean(mutual, accounts)[1]
    assert reciprocity_correlation(ties).std_error == pytest.approx(expected, rel=0.01)


def draw_habits(rng: np.random.Generator, size: int) -> pd.DataFrame:
    """Ties from a sender's, a receiver's and a pair's pull: mutual beyond chance."""
    out, into = rng.normal(size=(2, size)) * 0.5
    pull = rng.normal(size=(size, size))
    pull = (np.triu(pull, 1) + np.triu(pull, 1).T) * 0.8
    latent = -1.2 + out[:, None] + into[None] + pull + rng.normal(size=(size, size))
    np.fill_diagonal(latent, -np.inf)
    return as_ties(np.argwhere(latent > 0))


def test_intervals_of_rho_hold_the_truth() -> None:
    """The truth is ρ of 1,500 accounts drawn in the same way; 200 networks of 40 accounts."""
    truth = reciprocity_correlation(draw_habits(np.random.default_rng(9), 1_500)).value
    hits = []
    for seed in range(200):
        ties = draw_habits(np.random.default_rng(seed), 40)
        found = reciprocity_correlation(ties, account_count=40)
        hits.append(found.ci_low <= truth <= found.ci_high)
    assert 0.90 <= np.mean(hits) <= 0.99


def test_rho_does_not_care_for_order_or_names() -> None:
    ties = random_ties(8, 50, 300, answered=0.3)
    one = reciprocity_correlation(ties)
    names = {code: f"u{(code * 37) % 61}" for code in range(61)}
    moved = ties.replace(dict.fromkeys(NAMES, names)).sample(frac=1.0, random_state=1)
    two = reciprocity_correlation(moved)
    for name in ("value", "std_error", "ci_low", "ci_high"):
        assert getattr(one, name) == pytest.approx(getattr(two, name), abs=1e-10)


def test_an_export_is_conditioned_on_its_owner() -> None:
    """All ties touch the owner; given the owner, pairs are independent."""
    rng = np.random.default_rng(3)
    mine = [("me", f"a{k}") for k in range(60)]
    ties = as_ties(mine + [pair[::-1] for pair in mine if rng.random() < 0.4])
    found = reciprocity_correlation(ties)
    share = dyad_reciprocity(ties)
    # r = 2s / (1 + s) for the share s of 60 independent pairs, by the delta method.
    expected = 2 / (1 + share) ** 2 * np.sqrt(share * (1 - share) / 59)
    assert found.std_error == pytest.approx(expected, rel=0.1)


def test_bad_input_of_rho() -> None:
    with pytest.raises(InputError, match="each of the 3 accounts follows every other"):
        reciprocity_correlation(as_ties(list(permutations("abc", 2))))
    with pytest.raises(ParameterError, match="3 accounts have ties; got 2"):
        reciprocity_correlation(as_ties([("a", "b"), ("b", "c")]), account_count=2)


def test_nothing_is_claimed_that_was_not_drawn() -> None:
    found = reciprocity_null(random_ties(2, 60, 300, answered=0.2), draw_count=50)
    assert isinstance(found, ReciprocityNull)
    assert len(found.draws) == 50
    assert found.null_mean == pytest.approx(found.draws.mean())
    assert found.z == pytest.approx((found.observed - found.draws.mean()) / found.draws.std(ddof=1))
    assert found.effective_draw_count <= 50
