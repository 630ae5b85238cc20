"""Relevance: best fitting posts, formats and embeddings equal plain loops and hand-made numbers."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from leakage_checks import check_future, check_renaming
from plain_world import Cut, PlainWorld
from worlds import World, make_tables, make_world, open_world

from followkit.dyads import make_dyads
from followkit.features import CATALOGUE, CLAIMS, find_reason, make_features
from followkit.features.claim import BACKBONE
from followkit.tables import make_dataset

NAN = math.nan
SNAPSHOT = ("dyad_same_format_share", "dyad_format_bridge")
DATED = ("dyad_top_posts_cosine", "dyad_mean_posts_cosine", *SNAPSHOT)
Words = dict[str, float]


# -- the same by plain loops -----------------------------------------------------------------------


def weigh(words: Counter[str], spread: Counter[str], accounts: int) -> Words:
    """Return counts times rarity; rarity is 1 + log((1 + N) / (1 + accounts that use the word))."""
    return {w: n * (1 + math.log((1 + accounts) / (1 + spread[w]))) for w, n in words.items()}


def cosine(one: Words, other: Words) -> float:
    length = math.hypot(*one.values()) * math.hypot(*other.values())
    return (
        sum(value * other.get(word, 0.0) for word, value in one.items()) / length if length else 0
    )


def split(text: str | None) -> Counter[str]:
    return Counter(re.findall(r"\w+", (text or "").lower()))


def slow_cosines(cut: Cut) -> tuple[list[float], float]:
    """Return the cosine of each of A's last posts to B's vector, and that of A's own vector."""
    accounts: dict[Any, Counter[str]] = {}
    for post in cut.posts:
        accounts.setdefault(post["account_id"], Counter()).update(split(post["text"]))
    spread = Counter(word for words in accounts.values() for word in words)
    vectors = {who: weigh(words, spread, len(accounts)) for who, words in accounts.items()}
    mine = [post for post in cut.posts if post["account_id"] == cut.a][-30:]
    theirs = vectors.get(cut.b, {})
    found = [cosine(weigh(split(p["text"]), spread, len(accounts)), theirs) for p in mine]
    return found, cosine(vectors.get(cut.a, {}), theirs)


def slow_format_share(cut: Cut) -> float:
    of = {
        who: Counter(p["format"] for p in cut.posts if p["account_id"] == who and p["format"])
        for who in (cut.a, cut.b)
    }
    everyone = Counter(post["format"] for post in cut.posts if post["format"])
    most = of[cut.b] or everyone
    main = min(most, key=lambda name: (-most[name], name))
    pooled = everyone[main] / everyone.total()
    return (of[cut.a][main] + 10 * pooled) / (of[cut.a].total() + 10)


def slow_row(cut: Cut) -> dict[str, float]:
    names = SNAPSHOT if cut.t is None else DATED
    if not cut.posts or not all(cut.is_watched(who, "posts") for who in (cut.a, cut.b)):
        return dict.fromkeys(names, NAN)
    cosines, whole = slow_cosines(cut)
    top = sorted(cosines, reverse=True)[:3]
    share = slow_format_share(cut)
    found = {
        "dyad_top_posts_cosine": sum(top) / len(top) if top else 0.0,
        "dyad_mean_posts_cosine": sum(cosines) / len(cosines) if cosines else 0.0,
        "dyad_same_format_share": share,
        "dyad_format_bridge": share * (1 - whole),
    }
    return {name: found[name] for name in names}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("mode", ["timed", "crawl", "snapshot"])
def test_features_equal_plain_loops(mode: str, seed: int) -> None:
    assert_equal_to_loops(make_world(seed, mode))


def test_only_the_last_thirty_posts_count() -> None:
    """Some accounts of this world have far more than thirty posts by the end."""
    world = make_world(5, "timed", accounts=6, pair_count=12, post_count=400)
    assert max(len(posts_of(cut)) for cut in PlainWorld(world).cuts()) > 40
    assert_equal_to_loops(world)


def posts_of(cut: Cut) -> list[dict[str, Any]]:
    return [post for post in cut.posts if post["account_id"] == cut.a]


def assert_equal_to_loops(world: World) -> None:
    slow = pd.DataFrame([slow_row(cut) for cut in PlainWorld(world).cuts()])
    fast = make_features(world.dyads, world.dataset, names=list(slow), allow_untimed=True).values
    for name in slow:
        assert len(slow[name].unique()) > 1
        np.testing.assert_allclose(fast[name], slow[name], rtol=0, atol=1e-9, err_msg=name)


# -- worked by hand --------------------------------------------------------------------------------


def compute(posts: list[tuple[str, str, str | None]], **tables: pd.DataFrame) -> pd.Series:
    """Return the features of the follow a → b; posts are (account, text, format), a day apart."""
    table = pd.DataFrame(posts, columns=["account_id", "text", "format"])
    table = table.assign(
        post_id=[f"p{place}" for place in range(len(posts))],
        posted_at=pd.date_range("2026-01-01", periods=len(posts), tz="UTC"),
    )
    follows = pd.DataFrame(
        {
            "follower_id": ["a", "z"],
            "followee_id": ["b", "a"],
            "followed_at": pd.to_datetime(["2026-06-01", "2026-12-01"], utc=True),
        }
    )
    data = make_dataset({"follows": follows, "posts": table, **tables})
    dyads = make_dyads(data, "follow_back", horizon_days=14)
    return make_features(dyads, data, allow_untimed=True).values.iloc[0]


def test_the_three_best_posts_by_hand() -> None:
    """Posts that say the same as b have cosine 1, one about something else 0."""
    same, other = ("a", "cats", "text"), ("a", "dogs", "text")
    found = compute([same, other, other, same, same, ("b", "cats", "text")])
    assert found["dyad_top_posts_cosine"] == pytest.approx(1)
    assert found["dyad_mean_posts_cosine"] == pytest.approx(3 / 5)
    found = compute([same, other, other, ("b", "cats", "text")])
    assert found["dyad_top_posts_cosine"] == pytest.approx(1 / 3)
    found = compute([same, other, ("b", "cats", "text")])
    assert found["dyad_top_posts_cosine"] == pytest.approx(1 / 2)


def test_a_post_of_two_words_by_hand() -> None:
    """Cats are used by both accounts (rarity 1), dogs by one: 1 + log(3/2)."""
    rarity = 1 + math.log(3 / 2)
    found = compute([("a", "cats dogs", "text"), ("b", "cats", "text")])
    assert found["dyad_top_posts_cosine"] == pytest.approx(1 / math.hypot(1, rarity))


def test_the_main_format_by_hand() -> None:
    """Of 5 posts 3 are images, b's main format; a has 2 in 3: (2 + 10 · 3/5) / (3 + 10)."""
    found = compute(
        [("a", "x", "image"), ("a", "x", "image"), ("a", "x", "video"), ("b", "y", "image"),
         ("c", "z", "text"), ("c", "z", None)]
    )  # fmt: skip
    assert found["dyad_same_format_share"] == pytest.approx(8 / 13)
    assert found["dyad_topic_cosine"] == 0
    assert found["dyad_format_bridge"] == pytest.approx(8 / 13)


def test_equally_common_formats_are_settled_by_the_alphabet() -> None:
    """b has one text and one image post: image. Pooled 2/4; a has 1 in 2."""
    found = compute(
        [("b", "y", "text"), ("b", "y", "image"), ("a", "y", "image"), ("a", "y", "video")]
    )
    assert found["dyad_same_format_share"] == pytest.approx((1 + 10 * 2 / 4) / (2 + 10))
    assert found["dyad_format_bridge"] == pytest.approx(0)


def test_a_decider_without_posts_is_measured_by_the_commonest_format() -> None:
    """Two of three posts are videos; a has 1 in 1. A silent decider has no words: cosines are 0."""
    found = compute([("c", "x", "video"), ("a", "x", "video"), ("c", "x", "text")])
    assert found["dyad_same_format_share"] == pytest.approx((1 + 10 * 2 / 3) / (1 + 10))
    assert found["dyad_top_posts_cosine"] == found["dyad_mean_posts_cosine"] == 0


def test_without_any_format_by_the_block_nothing_is_known() -> None:
    """The only format comes after t."""
    posts = [("a", "x", None)] * 200 + [("b", "x", "image")]
    found = compute(posts)
    assert math.isnan(found["dyad_same_format_share"])


def test_products_multiply_the_topic_cosine() -> None:
    world = make_world(1, "timed")
    values = make_features(world.dyads, world.dataset).values
    for name, part in (
        ("dyad_topic_cosine_originality", "initiator_originality_share"),
        ("dyad_topic_cosine_engagement_rate", "initiator_engagement_rate_log"),
    ):
        np.testing.assert_array_equal(values[name], values["dyad_topic_cosine"] * values[part])


# -- embeddings of the user's own ------------------------------------------------------------------


def test_embeddings_by_hand() -> None:
    """(3, 4) and (4, 3): 24 / 25, whichever scale; a column with ten counts like any other."""
    accounts = pd.DataFrame(
        {"account_id": ["b", "a"], "embedding_0": [4.0, 30.0], "embedding_10": [3.0, 40.0]}
    )
    found = compute([("c", "x", "text")], accounts=accounts)
    assert found["dyad_embedding_cosine"] == pytest.approx(0.96)


@pytest.mark.parametrize(("vector", "expected"), [([-3.0, -4.0], -1.0), ([0.0, 0.0], 0.0)])
def test_embeddings_may_be_opposed_or_empty(vector: list[float], expected: float) -> None:
    accounts = pd.DataFrame([[*vector], [3.0, 4.0]], columns=["embedding_0", "embedding_1"])
    found = compute([("c", "x", "text")], accounts=accounts.assign(account_id=["a", "b"]))
    assert found["dyad_embedding_cosine"] == pytest.approx(expected)


@pytest.mark.parametrize(
    "accounts",
    [
        pd.DataFrame({"account_id": ["a"], "embedding_0": [1.0]}),
        pd.DataFrame({"account_id": ["a", "b"], "embedding_0": [1.0, None]}),
    ],
)
def test_an_account_without_an_embedding_is_unknown(accounts: pd.DataFrame) -> None:
    assert math.isnan(compute([("c", "x", "text")], accounts=accounts)["dyad_embedding_cosine"])


def make_embedded(seed: int, mode: str) -> World:
    """Return a world whose accounts carry embeddings."""
    tables, rng = make_tables(seed, mode), np.random.default_rng([seed, 7])
    size = len(tables["accounts"])
    added = {f"embedding_{place}": rng.normal(size=size) for place in (0, 1, 2)}
    return open_world(mode, tables | {"accounts": tables["accounts"].assign(**added)})


@pytest.mark.parametrize("mode", ["timed", "crawl", "snapshot"])
def test_embeddings_are_untimed_and_do_not_depend_on_names(mode: str) -> None:
    name, world = "dyad_embedding_cosine", make_embedded(1, mode)
    reason = find_reason(CATALOGUE[name], world.dataset, mode)
    assert reason == "moment unknown: only with allow_untimed"
    values = make_features(world.dyads, world.dataset, names=[name], allow_untimed=True).values
    accounts = world.dataset.accounts.set_index("account_id").filter(like="embedding_")
    accounts = accounts.to_dict("index")
    expected = [
        sum(accounts[a][x] * accounts[b][x] for x in accounts[a])
        / (math.hypot(*accounts[a].values()) * math.hypot(*accounts[b].values()))
        for a, b in world.dyads.table[["initiator_id", "decider_id"]].to_numpy()
    ]
    np.testing.assert_allclose(values[name], expected, rtol=0, atol=1e-12)
    assert check_renaming(world, np.random.default_rng(1), [name]) == set()


# -- claims ----------------------------------------------------------------------------------------


def test_claims_are_the_ones_declared() -> None:
    expected = {
        "2a": ("dyad_topic_cosine", "slope"),
        "2b": ("dyad_bio_cosine", "slope"),
        "2c": ("dyad_top_posts_cosine", "slope"),
        "2d": ("dyad_topic_cosine_originality", "interaction"),
    }
    found = {key: (CLAIMS[key].contrast[0], CLAIMS[key].test) for key in expected}
    assert found == expected
    for key in expected:
        claim = CLAIMS[key]
        assert set(claim.contrast) <= set(CATALOGUE)
        assert {CATALOGUE[name].claim for name in claim.contrast} == {key}
        assert set(claim.not_adjusted) <= set(BACKBONE)


def test_the_best_posts_are_judged_given_the_whole() -> None:
    assert "dyad_topic_cosine" in CLAIMS["2c"].choose_adjusters()


@pytest.mark.parametrize("mode", ["timed", "crawl"])
def test_formats_of_later_posts_are_not_seen(mode: str) -> None:
    """The common check appends posts without a format; here all later posts change theirs."""
    world = make_world(4, mode)
    moment = world.dyads.table["at"].max() if mode == "timed" else world.dyads.crawl_at
    posts = world.dataset.tables["posts"]
    is_later = (posts["posted_at"] >= moment).to_numpy(dtype=bool)
    assert is_later.any()
    changed = posts.assign(format=posts["format"].where(~is_later, "poll"))
    before, after = (
        make_features(world.dyads, data, names=list(DATED)).values
        for data in (world.dataset, world.dataset.replace(posts=changed))
    )
    pd.testing.assert_frame_equal(before, after, check_exact=True)
    found = check_future(world, moment, np.random.default_rng(4), list(DATED))
    assert found == {kind: set() for kind in found}
