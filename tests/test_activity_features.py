"""Factor 5: what a post usually brings in, and whether frequency pays only with it."""

from __future__ import annotations

import math
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import pytest
from slow_features import BLOCK, NAN, is_known, micros
from worlds import World, make_tables, make_world, open_world, watch

from followkit.dyads import make_dyads
from followkit.features import CATALOGUE, CLAIMS, activity, find_reason, make_features
from followkit.features.claim import BACKBONE
from followkit.features.feature import DATED_MODES
from followkit.tables import make_dataset

NAMES = ("initiator_median_engagement_log", "initiator_posts_per_week_log_squared")
REACTIONS = {"like", "comment", "reply", "share", "save"}
DATED = pytest.mark.parametrize("mode", DATED_MODES)


# -- the same by plain loops --------------------------------------------------------------------


def slow_medians(world: World, end: int, latest: int) -> dict[Any, float]:
    """Return log(1 + median engagement) of every account with a post before `end`."""
    posts = [
        row | {"us": micros(row["posted_at"])}
        for row in world.dataset.tables["posts"].to_dict("records")
    ]
    acts = world.dataset.tables["interactions"].to_dict("records")
    posts = sorted(
        (post for post in posts if post["us"] < end),
        key=lambda post: (post["us"], post["text"], post["post_id"]),
    )
    found: dict[Any, list[float]] = {}
    for post in posts:
        reactions = [
            act["count"] if is_known(act["count"]) else 1
            for act in acts
            if act["post_id"] == post["post_id"]
            and act["kind"] in REACTIONS
            and act["actor_id"] != post["account_id"]
            and is_known(act["at"])
            and micros(act["at"]) < end
        ]
        found.setdefault(post["account_id"], []).append(float(sum(reactions)))
    return {who: math.log1p(median(numbers[-latest:])) for who, numbers in found.items()}


def slow_column(world: World, latest: int) -> list[float]:
    spans = [
        (row["account_id"], micros(row["observed_from_at"]), micros(row["observed_until_at"]))
        for row in world.dataset.tables["observation"].to_dict("records")
        if row["table_name"] == "posts"
    ]
    by_block: dict[int, dict[Any, float]] = {}
    values = []
    for row in world.dyads.table.to_dict("records"):
        t, a = micros(row["at"]), row["initiator_id"]
        end = (t - 1) // BLOCK * BLOCK
        if end not in by_block:
            by_block[end] = slow_medians(world, end, latest)
        medians = by_block[end]
        is_seen = any(who == a and start < t <= until for who, start, until in spans)
        if not medians or not is_seen:
            values.append(NAN)
        else:
            values.append(medians.get(a, sum(medians.values()) / len(medians)))
    return values


@DATED
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("latest", [30, 3])
def test_usual_engagement_equals_plain_loops(
    mode: str, seed: int, latest: int, monkeypatch
) -> None:
    monkeypatch.setattr(activity, "LATEST_POSTS", latest)
    world = make_world(seed, mode)
    fast = make_features(world.dyads, world.dataset, names=NAMES).values[NAMES[0]]
    np.testing.assert_allclose(fast, slow_column(world, latest), rtol=1e-9, atol=1e-9)
    assert fast.notna().any()


def test_the_loops_tell_the_cut_at_the_latest_posts() -> None:
    world = make_world(0, "timed")
    assert slow_column(world, 30) != slow_column(world, 3)


@DATED
def test_squares_and_products_are_what_their_formula_says(mode: str) -> None:
    world = make_world(1, mode)
    products = [product.name for product in activity.PRODUCTS]
    parts = [part for product in activity.PRODUCTS for part in product.parts]
    names = [*products, *parts, NAMES[1]]
    values = make_features(world.dyads, world.dataset, names=names).values
    square = values["initiator_posts_per_week_log"] ** 2
    pd.testing.assert_series_equal(values[NAMES[1]], square, check_names=False)
    for product in activity.PRODUCTS:
        expected = values[product.parts[0]] * values[product.parts[1]]
        pd.testing.assert_series_equal(values[product.name], expected, check_names=False)


# -- small cases with their numbers written out -------------------------------------------------

START = pd.Timestamp("2024-01-01", tz="UTC")  # the block that ends on day 17 is the first after it


def day(number: float) -> pd.Timestamp:
    return START + pd.Timedelta(days=number)


def ask(posts: pd.DataFrame, acts: pd.DataFrame | None = None) -> pd.Series:
    """Return the usual engagement of a, c and d, who all follow b on day 20."""
    ids = ["a", "b", "c", "d"]
    follows = pd.DataFrame({"follower_id": ["a", "c", "d"], "followee_id": "b"})
    seen = watch(ids, day(-100), day(200), "follows")
    tables = {"follows": follows.assign(followed_at=day(20)), "observation": seen, "posts": posts}
    dataset = make_dataset(tables if acts is None else tables | {"interactions": acts})
    dyads = make_dyads(dataset, "follow_back", horizon_days=14.0)
    values = make_features(dyads, dataset, names=NAMES[:1]).values[NAMES[0]]
    return values.set_axis(pd.Index(dyads.table["initiator_id"]))


def make_posts(**columns: Any) -> pd.DataFrame:
    """Return three posts of a and one of c, all before day 17, and one of a after it."""
    posts = pd.DataFrame(
        {
            "post_id": ["p1", "p2", "p3", "q1", "p4"],
            "account_id": ["a", "a", "a", "c", "a"],
            "posted_at": [day(number) for number in (1, 2, 3, 4, 18)],
            "text": "words",
        }
    )
    return posts.assign(**columns)


def test_usual_engagement_is_the_median_over_posts_with_silent_ones() -> None:
    """a: 3, 1 and 0 reactions by day 17, median 1; c: 4; d never posted: the mean of the logs."""
    rows = [
        ("b", "p1", "like", 5, 2),
        ("c", "p1", "comment", 5, 1),
        ("b", "p2", "save", 5, 1),
        ("a", "p2", "like", 5, 9),
        ("b", "p2", "view", 5, 9),
        ("b", "p2", "like", 17, 9),
        ("b", "q1", "share", 5, 4),
        ("b", "p4", "like", 19, 9),
    ]
    acts = pd.DataFrame(rows, columns=["actor_id", "post_id", "kind", "day", "count"])
    acts["target_id"] = ["c" if post == "q1" else "a" for post in acts["post_id"]]
    acts["at"] = [day(number) for number in acts.pop("day")]
    found = ask(make_posts(), acts)
    assert found["a"] == pytest.approx(math.log(2))
    assert found["c"] == pytest.approx(math.log(5))
    assert found["d"] == pytest.approx((math.log(2) + math.log(5)) / 2)


def test_platform_counts_serve_where_acts_name_no_posts() -> None:
    """p2 has no figure, p3's was read on day 18 and is not known yet: a keeps the 7 of p1."""
    posts = make_posts(
        like_count=pd.array([5, None, 90, 1, 90], dtype="Int64"),
        comment_count=pd.array([2, None, 90, None, 90], dtype="Int64"),
        counts_at=[day(number) for number in (9, 9, 18, 9, 19)],
    )
    found = ask(posts)
    assert found["a"] == pytest.approx(math.log(8))
    assert found["c"] == pytest.approx(math.log(2))
    assert found["d"] == pytest.approx((math.log(8) + math.log(2)) / 2)


# -- entries and claims -------------------------------------------------------------------------


def test_missing_tables_are_named() -> None:
    tables = make_tables(1, "timed")
    acts = tables["interactions"].drop(columns="post_id")
    world = open_world("timed", tables | {"interactions": acts})
    reason = find_reason(CATALOGUE[NAMES[0]], world.dataset, "timed")
    assert reason.startswith(
        "needs posts with times, and interactions with post_id, or posts with "
    )
    assert find_reason(CATALOGUE[NAMES[1]], world.dataset, "timed") == ""


def test_every_claim_of_the_factor_has_a_contrast_in_the_catalogue() -> None:
    ids = [f"5{letter}" for letter in "abcde"]
    assert [name for name in ids if name in CLAIMS] == ids
    for name in ids:
        claim = CLAIMS[name]
        assert set(claim.contrast) <= set(CATALOGUE)
        assert set(claim.not_adjusted) <= set(BACKBONE)
        headline = CATALOGUE[claim.contrast[0]]
        assert headline.claim == name
        assert headline.expected_sign == claim.sign
        assert bool(headline.parts) == (claim.test == "interaction")
