"""Worth: copies, repetition and replies counted by hand, and by plain loops."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from leakage_checks import assert_nothing_leaks
from worlds import make_world, watch

from followkit.duplicates import find_duplicates
from followkit.dyads import make_dyads
from followkit.features import CATALOGUE, make_features
from followkit.features.texts import Library
from followkit.features.worth import ENTRIES, PRODUCTS, find_copies
from followkit.tables import make_dataset

NAMES = [entry.name for entry in (*ENTRIES, *PRODUCTS)]
DAY = pd.Timedelta(days=1)
START = pd.Timestamp("2026-01-01", tz="UTC")


def triples(text: str) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[k : k + 3]) for k in range(len(words) - 2)} or {(w,) for w in words}


def test_near_copies_are_those_of_brute_force() -> None:
    rng = np.random.default_rng(3)
    words = [f"w{number}" for number in range(40)]
    texts = [" ".join(rng.choice(words, 30)) for _ in range(120)]
    for _ in range(80):
        text = texts[rng.integers(len(texts))].split()
        if rng.random() < 0.5:
            text[-1] = "altered"
        texts.append(" ".join(text))
    sets = [triples(text) for text in texts]
    expected = []
    for place, mine in enumerate(sets):
        likes = [k for k in range(place) if len(mine & sets[k]) >= 0.8 * len(mine | sets[k])]
        expected.append(bool(likes))
    found = find_duplicates(texts) >= 0
    assert sum(expected) == 80
    assert found.tolist() == expected


def make_tiny() -> pd.DataFrame:
    """Return worth features of one dyad, whose initiator posts twice: one own text, one copy."""
    posts = pd.DataFrame(
        {
            "post_id": ["p1", "p2", "p3", "p4"],
            "account_id": ["b", "a", "a", "b"],
            "posted_at": [START, START + DAY, START + 2 * DAY, START + 3 * DAY],
            "text": [
                "red lens night street",
                "own words about bread",
                "red lens night street",
                "tea",
            ],
        }
    )
    follows = pd.DataFrame(
        {"follower_id": ["a", "c"], "followee_id": ["b", "b"],
         "followed_at": [START + 70 * DAY, START + 71 * DAY]}
    )  # fmt: skip
    seen = watch("abc", START - DAY, START + 200 * DAY, "follows", "posts")
    data = make_dataset({"follows": follows, "posts": posts, "observation": seen})
    names = ["initiator_originality_share", "initiator_self_repetition_share"]
    dyads = make_dyads(data, "follow_back")
    return make_features(dyads, data, names=names).values.set_index(
        pd.Index(dyads.table["initiator_id"])
    )


def test_a_copy_is_not_original_and_few_posts_are_shrunk_to_the_pool() -> None:
    table = make_tiny()
    pool = (3 + 1) / (4 + 2)  # of four posts, one repeats an earlier one; one each is added
    assert table.loc["a", "initiator_originality_share"] == pytest.approx((1 + 10 * pool) / 12)
    assert table.loc["c", "initiator_originality_share"] == pytest.approx(pool)
    assert table.loc["a", "initiator_self_repetition_share"] == pytest.approx(
        10 * (0 + 1) / (4 + 2) / 12
    )


@pytest.mark.parametrize("seed", range(3))
def test_copies_repeat_only_what_came_before(seed: int) -> None:
    library = Library(make_world(seed, "timed").dataset)
    copies = find_copies(library, own=False)
    own = find_copies(library, own=True)
    later = np.flatnonzero(copies >= 0)
    assert len(later) > 2
    assert (copies[later] < later).all()
    accounts = library.posts["account_id"].to_numpy()
    mine = np.flatnonzero(own >= 0)
    assert (accounts[own[mine]] == accounts[mine]).all()
    assert set(mine) <= set(later)


@pytest.mark.parametrize("mode", ["timed", "crawl", "snapshot"])
@pytest.mark.parametrize("seed", range(3))
def test_no_feature_of_worth_leaks(seed: int, mode: str) -> None:
    world = make_world(seed, mode)
    moment = world.dyads.crawl_at if mode == "crawl" else world.dyads.table["at"].iloc[5]
    assert_nothing_leaks(world, seed, NAMES, moment)


def test_shares_and_rates_stay_between_nothing_and_all() -> None:
    world = make_world(1, "timed")
    values = make_features(world.dyads, world.dataset, names=NAMES).values
    for name in values:
        if CATALOGUE[name].name.endswith(("_share", "_rate")):
            known = values[name].dropna()
            assert len(known)
            assert known.between(0, 1).all(), name
