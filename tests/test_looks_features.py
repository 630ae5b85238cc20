"""Features of pictures equal plain loops, tiny examples worked by hand, and see no later like."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import permutations
from statistics import fmean, pstdev
from typing import Any

import numpy as np
import pandas as pd
import pytest
from leakage_checks import append_rows, find_changes
from plain_world import Cut, PlainWorld
from worlds import World, make_world

from followkit.dyads import make_dyads
from followkit.features import CLAIMS, make_features
from followkit.features.looks import ENTRIES, LOOK, PALETTE
from followkit.media import STATISTICS
from followkit.tables import Dataset, make_dataset

NAMES = [entry.name for entry in ENTRIES]
NAN = math.nan
Picture = dict[str, Any]


# -- plain loops -----------------------------------------------------------------------------------


def pictures_of(cut: Cut) -> list[Picture]:
    """Return all pictures of known posts in order of time, with their owners."""
    found = []
    for post in cut.posts:
        mine = [row for row in cut.plain.media if row["post_id"] == post["post_id"]]
        mine.sort(key=lambda row: (row.get("position") or 0, row["media_id"]))
        found += [row | {"owner": post["account_id"]} for row in mine]
    return found


def dot(one: list[float], other: list[float]) -> float:
    return sum(x * y for x, y in zip(one, other, strict=True))


def unit(vector: list[float]) -> list[float]:
    length = math.sqrt(dot(vector, vector))
    return [x / length if length else 0.0 for x in vector]


def scores(values: list[float]) -> list[float]:
    centre, spread = fmean(values), pstdev(values)
    return [(value - centre) / spread if spread > 1e-12 else 0.0 for value in values]


def slow_consistency(cut: Cut) -> float:
    mine: dict[Any, list[Picture]] = {}
    for picture in pictures_of(cut):
        mine.setdefault(picture["owner"], []).append(picture)
    found = {}
    for owner, pictures in mine.items():
        units = [unit([picture[name] for name in PALETTE]) for picture in pictures[-30:]]
        if len(units) > 1:
            found[owner] = len(units), fmean(dot(u, v) for u, v in permutations(units, 2))
    if not found:
        return NAN
    pool = sum(n * c for n, c in found.values()) / sum(n for n, _ in found.values())
    n, c = found.get(cut.a, (0, 0.0))
    return (n * c + 10 * pool) / (n + 10)


def slow_craft(cut: Cut) -> float:
    pictures = pictures_of(cut)
    if not pictures:
        return 0.0
    parts = (
        scores([math.log(1 + picture["sharpness"]) for picture in pictures]),
        scores([1 - picture["clipping"] for picture in pictures]),
        scores([math.log(picture["width"] * picture["height"]) for picture in pictures]),
    )
    craft = [fmean(part) for part in zip(*parts, strict=True)]
    mine = [c for c, picture in zip(craft, pictures, strict=True) if picture["owner"] == cut.a]
    return sum(mine[-30:]) / (len(mine[-30:]) + 10)


def slow_newest(cut: Cut, name: str) -> float:
    pictures = pictures_of(cut)
    if not pictures:
        return NAN
    pool = fmean(picture[name] for picture in pictures)
    mine = [picture[name] for picture in pictures if picture["owner"] == cut.a][-9:]
    return (sum(mine) + 10 * pool) / (len(mine) + 10)


def slow_similarity(cut: Cut) -> float:
    watched = cut.is_watched(cut.b, "interactions") or cut.is_watched(cut.b, "posts")
    pictures = pictures_of(cut)
    if not watched or not pictures:
        return NAN
    columns = [scores([picture[name] for picture in pictures]) for name in LOOK]
    looks = [unit(list(row)) for row in zip(*columns, strict=True)]
    pool = [fmean(column) for column in zip(*looks, strict=True)]

    def mean_look(chosen: list[list[float]]) -> list[float]:
        sums = [sum(look[k] for look in chosen) for k in range(len(LOOK))]
        return [(s + 10 * p) / (len(chosen) + 10) for s, p in zip(sums, pool, strict=True)]

    liked = {
        act["post_id"]
        for act in cut.acts
        if act["actor_id"] == cut.b and act["kind"] in ("like", "save")
    }
    both = list(zip(pictures, looks, strict=True))
    taste = [look for p, look in both if p["post_id"] in liked and p["owner"] not in (cut.a, cut.b)]
    taste = taste or [look for p, look in both if p["owner"] == cut.b]
    shown = [look for p, look in both if p["owner"] == cut.a][-9:]
    return dot(mean_look(shown), mean_look(taste))


def slow_looks(cut: Cut) -> dict[str, float]:
    if not cut.posts or not cut.is_watched(cut.a, "posts"):
        return dict.fromkeys(NAMES, NAN)
    return {
        "initiator_palette_consistency": slow_consistency(cut),
        "initiator_picture_craft": slow_craft(cut),
        "dyad_look_similarity": slow_similarity(cut),
        "initiator_picture_edge_density": slow_newest(cut, "edge_density"),
        "initiator_picture_saturation": slow_newest(cut, "saturation"),
    }


def regroup(world: World, seed: int) -> World:
    """Move some pictures to other posts, so that posts have several, in an order of their own."""
    rng = np.random.default_rng(seed)
    media = world.dataset.media
    posts = media["post_id"].to_numpy(object).copy()
    moved = rng.random(len(media)) < 0.3
    posts[moved] = posts[rng.integers(0, len(media), moved.sum())]
    media = media.assign(post_id=posts, position=pd.array(rng.permutation(len(media)), "Int64"))
    return replace(world, dataset=world.dataset.replace(media=media))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("mode", ["timed", "crawl", "snapshot"])
def test_features_equal_plain_loops(mode: str, seed: int) -> None:
    world = regroup(make_world(seed, mode), seed)
    fast = make_features(world.dyads, world.dataset, names=NAMES, allow_untimed=True)
    assert fast.missing.empty
    slow = pd.DataFrame([slow_looks(cut) for cut in PlainWorld(world).cuts()])
    for name in NAMES:
        np.testing.assert_allclose(
            fast.values[name], slow[name], rtol=1e-9, atol=1e-9, err_msg=name
        )


# -- worked by hand --------------------------------------------------------------------------------


def make_gallery(likes: list[tuple[str, str]], **columns: list[float]) -> pd.Series:
    """Return the features of a → b, one picture a post: p1, p2 of a, p3 of b, p4, p5 of c."""
    posts = pd.DataFrame(
        {
            "post_id": ["p1", "p2", "p3", "p4", "p5"],
            "account_id": ["a", "a", "b", "c", "c"],
            "posted_at": pd.date_range("2026-01-01", periods=5, tz="UTC"),
        }
    )
    media = pd.DataFrame({"media_id": ["m1", "m2", "m3", "m4", "m5"], "post_id": posts["post_id"]})
    plain = dict.fromkeys((*STATISTICS, *PALETTE), [0.5] * 5) | {
        "width": [9] * 5,
        "height": [9] * 5,
    }
    acts = pd.DataFrame(likes, columns=["actor_id", "post_id"]).assign(
        kind="like", at=pd.Timestamp("2026-02-01", tz="UTC")
    )
    owner = dict(zip(posts["post_id"], posts["account_id"], strict=True))
    follows = pd.DataFrame(
        {
            "follower_id": ["a", "z"],
            "followee_id": ["b", "a"],
            "followed_at": pd.to_datetime(["2026-06-01", "2026-12-01"], utc=True),
        }
    )
    tables = {"follows": follows, "posts": posts, "media": media.assign(**(plain | columns))}
    if likes:
        tables["interactions"] = acts.assign(target_id=acts["post_id"].map(owner))
    data = make_dataset(tables)
    dyads = make_dyads(data, "follow_back", horizon_days=14)
    return make_features(dyads, data, names=NAMES).values.iloc[0]


def test_palette_consistency_by_hand() -> None:
    # a: two pictures, one all palette_0, one half of each: cosine 1/√2. c: both alike: cosine 1.
    zero = [0.0] * 5
    palette = {f"palette_{place}": zero for place in range(6)}
    palette |= {"palette_0": [1.0, 0.5, 1.0, 0.2, 0.4], "palette_1": [0.0, 0.5, 0.0, 0.2, 0.4]}
    found = make_gallery([], **palette)["initiator_palette_consistency"]
    own, pool = 1 / math.sqrt(2), (2 / math.sqrt(2) + 2) / 4
    assert found == pytest.approx((2 * own + 10 * pool) / 12)


def test_one_voice_of_colour_beats_a_mixture() -> None:
    zero = [0.0] * 5
    rest = {f"palette_{place}": zero for place in range(2, 6)}
    mixed = make_gallery(
        [], palette_0=[1.0, 0.0, 1.0, 1.0, 0.0], palette_1=[0.0, 1.0, 0.0, 0.0, 1.0], **rest
    )
    alike = make_gallery(
        [], palette_0=[1.0, 1.0, 1.0, 1.0, 0.0], palette_1=[0.0, 0.0, 0.0, 0.0, 1.0], **rest
    )
    name = "initiator_palette_consistency"
    assert mixed[name] == 0.0
    assert alike[name] == pytest.approx((2 + 10 * 0.5) / 12)


def test_craft_by_hand() -> None:
    # Clipping alone varies, around .4; a's two pictures lie .2 below and .1 above.
    found = make_gallery([], clipping=[0.2, 0.5, 0.7, 0.2, 0.4])["initiator_picture_craft"]
    spread = math.sqrt((0.04 + 0.01 + 0.09 + 0.04 + 0.0) / 5)
    assert found == pytest.approx(((0.2 - 0.1) / spread / 3) / 12)


def test_clutter_and_saturation_by_hand() -> None:
    found = make_gallery(
        [], edge_density=[0.1, 0.3, 0.5, 0.5, 0.6], saturation=[1.0, 0.0, 0.0, 0.0, 0.0]
    )
    assert found["initiator_picture_edge_density"] == pytest.approx((0.4 + 10 * 0.4) / 12)
    assert found["initiator_picture_saturation"] == pytest.approx((1.0 + 10 * 0.2) / 12)


def test_taste_is_what_b_liked_of_others_else_its_own() -> None:
    # Brightness alone varies, so looks are +1 or −1: a bright, bright; b dark; c dark, bright.
    bright = {"brightness": [1.0, 1.0, 0.0, 0.0, 1.0]}
    name, pool = "dyad_look_similarity", 0.2
    shown = (2 + 10 * pool) / 12
    dark, light = (-1 + 10 * pool) / 11, (1 + 10 * pool) / 11
    assert make_gallery([], **bright)[name] == pytest.approx(shown * dark)
    assert make_gallery([("b", "p5")], **bright)[name] == pytest.approx(shown * light)
    assert make_gallery([("b", "p4")], **bright)[name] == pytest.approx(shown * dark)
    # B's likes of a's pictures, and of its own, say nothing more than its own pictures do.
    for likes in ([("b", "p1")], [("b", "p3")], [("b", "p1"), ("b", "p2"), ("b", "p3")]):
        assert make_gallery(likes, **bright)[name] == pytest.approx(shown * dark)
    # The same picture liked twice counts once.
    twice = make_gallery([("b", "p5"), ("b", "p5"), ("b", "p1")], **bright)[name]
    assert twice == pytest.approx(shown * light)


# -- gaps, and what must not be seen ---------------------------------------------------------------


def change_media(world: World, **columns: Any) -> Dataset:
    return world.dataset.replace(media=world.dataset.media.assign(**columns))


def test_a_picture_without_figures_is_left_out() -> None:
    world = make_world(2, "snapshot")
    media = world.dataset.media
    gone = np.arange(len(media)) % 3 == 0
    holes = media.assign(palette_3=media["palette_3"].where(~gone, math.inf))
    holes = holes.assign(edge_density=holes["edge_density"].where(~gone))
    names = ["initiator_palette_consistency", "initiator_picture_edge_density"]
    with_holes, without = (
        make_features(
            world.dyads, world.dataset.replace(media=table), names=names, allow_untimed=True
        ).values
        for table in (holes, media[~gone].reset_index(drop=True))
    )
    pd.testing.assert_frame_equal(with_holes, without)


def test_figures_in_text_columns_are_read() -> None:
    world = make_world(2, "timed")
    columns = {name: world.dataset.media[name].astype(str) for name in (*STATISTICS, *PALETTE)}
    same = [
        make_features(world.dyads, data, names=NAMES).values
        for data in (world.dataset, change_media(world, **columns))
    ]
    pd.testing.assert_frame_equal(*same)


def test_without_measured_pictures_the_reason_is_given() -> None:
    world = make_world(2, "timed")
    bare = world.dataset.media[["media_id", "post_id"]]
    found = make_features(world.dyads, world.dataset.replace(media=bare), names=NAMES)
    assert found.values.shape[1] == 0
    reasons = found.missing.set_index("feature")["reason"]
    assert (
        reasons["initiator_palette_consistency"]
        == "needs media with palette_0, and posts with times"
    )


def test_constant_figures_say_nothing() -> None:
    world = make_world(2, "snapshot")
    columns = dict.fromkeys((*STATISTICS, *PALETTE), 0.1) | {"width": 10, "height": 10}
    found = make_features(
        world.dyads, change_media(world, **columns), names=NAMES, allow_untimed=True
    ).values.dropna()
    np.testing.assert_allclose(found["initiator_palette_consistency"], 1.0)
    np.testing.assert_array_equal(found["initiator_picture_craft"], 0.0)
    np.testing.assert_array_equal(found["dyad_look_similarity"], 0.0)
    np.testing.assert_allclose(found["initiator_picture_edge_density"], 0.1)


@pytest.mark.parametrize("mode", ["timed", "crawl"])
def test_pictures_and_likes_after_t_are_not_seen(mode: str) -> None:
    world, rng = make_world(4, mode), np.random.default_rng(4)
    moment = world.dyads.table["at"].sort_values().iloc[len(world.dyads.table) // 2]
    posts, media, acts = (world.dataset.table(t) for t in ("posts", "media", "interactions"))
    ids = [f"later{number}" for number in range(20)]
    new_posts = posts.sample(20, random_state=1).assign(post_id=ids, posted_at=moment)
    new_media = media.sample(20, random_state=1).assign(
        media_id=[f"n{number}" for number in range(20)], post_id=ids, palette_0=9.0, saturation=9.0
    )
    liked = posts.sample(60, random_state=2, replace=True)
    new_acts = pd.DataFrame(
        {
            "actor_id": rng.choice(world.dyads.table["decider_id"], 60),
            "target_id": liked["account_id"].to_numpy(),
            "kind": "like",
            "at": moment,
            "post_id": liked["post_id"].to_numpy(),
        }
    )
    later = world.dataset.replace(
        posts=append_rows(posts, new_posts),
        media=append_rows(media, new_media),
        interactions=append_rows(acts, new_acts),
    )
    before, after = (
        make_features(world.dyads, data, names=NAMES).values for data in (world.dataset, later)
    )
    rows = np.flatnonzero((world.dyads.table["at"] <= moment).to_numpy())
    assert find_changes(before, after, rows) == set()
    if mode == "timed":
        assert find_changes(before, after, np.arange(len(before))) == set(NAMES)


def test_claims_name_their_headlines() -> None:
    assert CLAIMS["1b"].contrast == ("initiator_palette_consistency",)
    assert CLAIMS["7b"].contrast == ("dyad_look_similarity",)
