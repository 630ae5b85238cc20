"""Features of the decider's preferences equal plain loops and tiny examples worked by hand."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from leakage_checks import append_rows, find_changes
from plain_world import Cut, PlainWorld
from scipy import sparse
from worlds import WORDS, World, make_world

from followkit.communities import find_communities
from followkit.dyads import make_dyads
from followkit.errors import InputError
from followkit.features import CATALOGUE, CLAIMS, make_features
from followkit.features.preferences import ENTRIES, learn_opposed, read_opposed
from followkit.graph import make_graph
from followkit.tables import Dataset, make_dataset

NAMES = [entry.name for entry in ENTRIES]
MODES = ["timed", "crawl", "snapshot"]
NAN = math.nan
Vector = dict[str, float]


def compute(world: World, dataset: Dataset | None = None, names: list[str] = NAMES) -> pd.DataFrame:
    table = make_features(
        world.dyads, dataset or world.dataset, names=names, allow_untimed=True, allow_sensitive=True
    )
    assert table.missing.empty
    return table.values


# -- plain loops: words ----------------------------------------------------------------------------


def words_of(text: str | None) -> list[str]:
    return [word for word in re.findall(r"\w+", (text or "").lower()) if not word.isdigit()]


def unit(vector: Vector) -> Vector:
    length = math.sqrt(sum(value**2 for value in vector.values()))
    return {word: value / length for word, value in vector.items()} if length else {}


def dot(one: Vector, other: Vector) -> float:
    return sum(value * other.get(word, 0.0) for word, value in one.items())


def add_up(vectors: list[Vector]) -> Vector:
    total: Vector = {}
    for vector in vectors:
        for word, value in vector.items():
            total[word] = total.get(word, 0.0) + value
    return total


def weigh_words(cut: Cut) -> tuple[dict[Any, Vector], dict[Any, Vector]]:
    """Return the TF-IDF vectors of accounts and of posts."""
    said: dict[Any, Counter] = {}
    for post in cut.posts:
        said.setdefault(post["account_id"], Counter()).update(words_of(post["text"]))
    said = {who: counts for who, counts in said.items() if counts}
    users = Counter(word for counts in said.values() for word in counts)
    rarity = {word: 1 + math.log((1 + len(said)) / (1 + n)) for word, n in users.items()}

    def weigh(counts: Counter) -> Vector:
        return unit({word: n * rarity[word] for word, n in counts.items()})

    posts = {post["post_id"]: weigh(Counter(words_of(post["text"]))) for post in cut.posts}
    return {who: weigh(counts) for who, counts in said.items()}, posts


def slow_consumed(cut: Cut) -> float:
    accounts, posts = weigh_words(cut)
    owner = {post["post_id"]: post["account_id"] for post in cut.posts}
    followed = [accounts.get(y, {}) for x, y in cut.ties if x == cut.b and y != cut.a]
    liked = {
        act["post_id"]
        for act in cut.acts
        if act["actor_id"] == cut.b and act["kind"] in ("like", "save", "share")
    }
    texts = [posts[p] for p in liked if p in owner and owner[p] not in (cut.a, cut.b)]
    consumed = unit(add_up([unit(add_up(followed)), unit(add_up(texts))]))
    return dot(accounts.get(cut.a, {}), consumed)


# -- plain loops: convictions ----------------------------------------------------------------------


def slow_stance(world: World, cut: Cut) -> float:
    both = []
    for who in (cut.a, cut.b):
        row = next(row for row in cut.plain.accounts if row["account_id"] == who)
        read = pd.Timestamp(row["counts_at"]).timestamp() * 1e6
        both.append(row["stance"] if cut.t is None or read < cut.t else None)
    return NAN if None in both else float(both[0] == both[1])


def tags_of(post: dict[str, Any]) -> set[str]:
    return set((post["hashtags"] or "").split())


def slow_opposed_tags(cut: Cut, declared: list[tuple[str, str]] | None) -> float:
    used: dict[Any, set[str]] = {}
    for post in cut.posts:
        used.setdefault(post["account_id"], set()).update(tags_of(post))
    total = 0.0
    for one in used.get(cut.a, set()):
        for other in used.get(cut.b, set()):
            if declared is not None:
                total += (one, other) in declared or (other, one) in declared
            elif one != other:
                total += slow_opposition(cut, used, one, other)
    return math.log1p(total)


def slow_opposition(cut: Cut, used: dict[Any, set[str]], one: str, other: str) -> float:
    topic = cut.plain.text(cut).topic
    main = []
    for tag in (one, other):
        found = Counter(
            int(topic[place])
            for place, post in enumerate(cut.posts)
            if tag in tags_of(post) and topic[place] >= 0
        )
        main.append(min(found, key=lambda k: (-found[k], k)) if found else None)
    if None in main or main[0] != main[1]:
        return 0.0
    users = [sum(tag in tags for tags in used.values()) for tag in (one, other)]
    both = sum({one, other} <= tags for tags in used.values())
    expected = users[0] * users[1] / sum(bool(tags) for tags in used.values())
    return max(0.0, expected - both) / (expected + 20)


def slow_opposed_ties(cut: Cut) -> float:
    stance = cut.profiles("stance")
    if cut.b not in stance:
        return NAN
    counted = Counter(stance.values())
    camps = sorted(counted, key=lambda name: (-counted[name], name))[:2]
    if stance[cut.b] not in camps:
        return 0.0
    other = next((camp for camp in camps if camp != stance[cut.b]), None)
    ends = [*cut.ties, *((y, x) for x, y in cut.ties)]
    known = [(x, stance[y]) for x, y in ends if y in stance]
    pool = sum(s == other for _, s in known) / len(known) if known else 0.5
    mine = [stance[y] for x, y in ends if x == cut.a and y != cut.b and y in stance]
    return (mine.count(other) + 10 * pool) / (len(mine) + 10)


# -- plain loops: circles --------------------------------------------------------------------------


def communities_of(cut: Cut) -> dict[Any, int]:
    """Return the package's own communities of these ties: Louvain is no plain loop."""
    ties = sorted(cut.ties)
    graph = make_graph([x for x, _ in ties], [y for _, y in ties])
    found = find_communities(graph.source, graph.target, graph.node_count)
    return dict(zip(graph.nodes.tolist(), found.tolist(), strict=True))


def slow_circles(cut: Cut) -> dict[str, float]:
    group = communities_of(cut)
    ends = [*cut.ties, *((y, x) for x, y in cut.ties)]
    mine = [y for x, y in ends if x == cut.a and y != cut.b]
    shared = cut.a in group and group[cut.a] == group.get(cut.b)
    inside, pool = 0, 0.0
    if cut.b in group:
        inside = sum(group[y] == group[cut.b] for y in mine)
        pool = sum(group[y] == group[cut.b] for _, y in ends) / len(ends)
    avoided = {
        act["target_id"]
        for act in cut.acts
        if act["actor_id"] == cut.b and act["kind"] in ("block", "mute", "remove_follower")
    }
    return {
        "dyad_shared_community": float(shared),
        "dyad_ties_in_community_share": (inside + 10 * pool) / (len(mine) + 10),
        "dyad_ties_to_avoided_log": (
            math.log1p(len(avoided & set(mine) - {cut.b}))
            if cut.is_watched(cut.b, "interactions")
            else NAN
        ),
    }


def slow_preferences(
    world: World, cut: Cut, declared: list[tuple[str, str]] | None = None
) -> dict[str, float]:
    watched = [bool(cut.posts) and cut.is_watched(who, "posts") for who in (cut.a, cut.b)]
    return {
        "dyad_consumed_cosine": slow_consumed(cut) if watched[0] else NAN,
        "dyad_same_stance": slow_stance(world, cut),
        "dyad_opposed_hashtags_log": slow_opposed_tags(cut, declared) if all(watched) else NAN,
        "dyad_opposed_ties_share": slow_opposed_ties(cut),
        **slow_circles(cut),
    }


def vary(world: World, seed: int) -> World:
    """Add a third stance, some unknown ones, and mutes and removals, to the world."""
    rng = np.random.default_rng(seed)
    accounts, acts = world.dataset.accounts, world.dataset.interactions
    stance = rng.choice(["red", "red", "blue", "blue", "green", ""], len(accounts))
    kinds = rng.choice(["mute", "remove_follower", "same"], len(acts), p=[0.15, 0.15, 0.7])
    return replace(
        world,
        dataset=world.dataset.replace(
            accounts=accounts.assign(stance=pd.Series(stance).where(stance != "")),
            interactions=acts.assign(kind=np.where(kinds == "same", acts["kind"], kinds)),
        ),
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("mode", MODES)
def test_features_equal_plain_loops(mode: str, seed: int) -> None:
    world = vary(make_world(seed, mode), seed)
    fast = compute(world)
    slow = pd.DataFrame([slow_preferences(world, cut) for cut in PlainWorld(world).cuts()])
    for name in NAMES:
        np.testing.assert_allclose(fast[name], slow[name], rtol=1e-9, atol=1e-9, err_msg=name)


def test_declared_pairs_of_hashtags_equal_plain_loops() -> None:
    world = make_world(1, "timed")
    pairs = [["#Art", "data"], ["city", "nobody"], ["tea", "art"]]
    data = replace(world.dataset, about={"opposed_hashtags": pairs})
    declared = [("art", "data"), ("city", "nobody"), ("tea", "art")]
    slow = [
        slow_preferences(world, cut, declared)["dyad_opposed_hashtags_log"]
        for cut in PlainWorld(world).cuts()
    ]
    fast = compute(world, data, ["dyad_opposed_hashtags_log"])["dyad_opposed_hashtags_log"]
    np.testing.assert_allclose(fast, slow, rtol=1e-12)
    assert fast.nunique() > 2


# -- worked by hand --------------------------------------------------------------------------------


def time(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


def make_small(
    ties: list[tuple[str, str]],
    texts: dict[str, str] | None = None,
    acts: list[tuple[str, str, str, str | None]] | None = None,
    stances: dict[str, str] | None = None,
    about: dict[str, Any] | None = None,
) -> pd.Series:
    """Return the features of a → b in June, everything else being from January.

    texts: one post an account, `p` and its name; acts: actor, target, kind, post.
    """
    follows = pd.DataFrame(
        [("a", "b", time("2026-06-01")), *((x, y, time("2026-01-01")) for x, y in ties),
         ("y", "z", time("2026-12-01"))],
        columns=["follower_id", "followee_id", "followed_at"],
    )  # fmt: skip
    tables = {"follows": follows}
    if texts:
        tables["posts"] = pd.DataFrame(
            [(f"p{who}", who, time("2026-01-01"), text) for who, text in texts.items()],
            columns=["post_id", "account_id", "posted_at", "text"],
        )
    if acts:
        rows = [(*act, time("2026-02-01")) for act in acts]
        columns = ["actor_id", "target_id", "kind", "post_id", "at"]
        tables["interactions"] = pd.DataFrame(rows, columns=columns)
    if stances:
        tables["accounts"] = pd.DataFrame(
            {"account_id": list(stances), "stance": list(stances.values())}
        ).assign(counts_at=time("2026-01-01"))
    data = make_dataset(tables, about=about)
    dyads = make_dyads(data, "follow_back", horizon_days=14)
    mine = (dyads.table["initiator_id"] == "a") & (dyads.table["decider_id"] == "b")
    values = make_features(
        dyads, data, names=NAMES, allow_untimed=True, allow_sensitive=True
    ).values
    return values[mine.to_numpy()].iloc[0]


def test_consumed_cosine_by_hand() -> None:
    # Every word is used by two of four accounts, or by one: weights 1 + log(5/3) and 1 + log(5/2).
    texts = {"a": "cats", "b": "maths", "c": "cats", "d": "dogs"}
    name = "dyad_consumed_cosine"
    assert make_small([("b", "c")], texts)[name] == pytest.approx(1.0)
    assert make_small([("b", "d")], texts)[name] == 0.0
    assert make_small([("b", "c"), ("b", "d")], texts)[name] == pytest.approx(1 / math.sqrt(2))
    # What B likes counts as much as all that B follows.
    likes = [("b", "c", "like", "pc")]
    assert make_small([("b", "d")], texts, likes)[name] == pytest.approx(1 / math.sqrt(2))
    assert make_small([], texts, likes)[name] == pytest.approx(1.0)
    # B consumes nothing with words; A's own posts are not what B consumes otherwise.
    assert make_small([], texts)[name] == 0.0
    assert make_small([], texts, [("b", "a", "like", "pa")])[name] == 0.0
    both = [("b", "a", "like", "pa"), ("b", "d", "save", "pd")]
    assert make_small([], texts, both)[name] == 0.0
    # A comment is no sign of liking.
    assert make_small([], texts, [("b", "c", "comment", "pc")])[name] == 0.0


def test_same_stance_by_hand() -> None:
    name = "dyad_same_stance"
    assert make_small([], stances={"a": "red", "b": "red"})[name] == 1.0
    assert make_small([], stances={"a": "red", "b": "blue"})[name] == 0.0
    assert math.isnan(make_small([], stances={"a": "red", "c": "red"})[name])


def test_opposed_ties_by_hand() -> None:
    stances = {"a": "red", "b": "blue", "c": "red", "d": "blue"}
    ties = [("a", "c"), ("d", "a"), ("a", "e")]
    # Ends with a stance: c, a, d, a and a once more at the tie to e: 4 of 5 are red.
    known = make_small(ties, stances=stances)["dyad_opposed_ties_share"]
    assert known == pytest.approx((1 + 10 * 4 / 5) / 12)
    no_ties = make_small([("c", "d")], stances=stances)["dyad_opposed_ties_share"]
    assert no_ties == pytest.approx(0.5)


def test_circles_by_hand() -> None:
    ring = [("a", "c"), ("c", "b"), ("b", "a2"), ("a2", "a"), ("a", "a2"), ("a2", "c")]
    far = [("d", "e"), ("e", "f"), ("f", "d"), ("a", "d")]
    acts = [("c", "d", "like", None), ("b", "c", "mute", None), ("b", "d", "block", None)]
    found = make_small(ring + far, acts=acts)
    assert found["dyad_shared_community"] == 1.0
    # A's ties: c, a2 twice (mutual) and d; all but d lie in B's community, as do 13 of 20 ends.
    assert found["dyad_ties_in_community_share"] == pytest.approx((3 + 10 * 13 / 20) / 14)
    assert found["dyad_ties_to_avoided_log"] == pytest.approx(math.log(3))
    apart = make_small([("a", "c"), ("c", "g"), ("g", "a"), ("b", "d"), ("d", "e"), ("e", "b")])
    assert apart["dyad_shared_community"] == 0.0
    assert apart["dyad_ties_in_community_share"] == pytest.approx(10 * 0.5 / 12)


def test_a_decider_without_ties_can_still_avoid() -> None:
    acts = [("c", "d", "like", None), *(("b", "c", kind, None) for kind in ("block", "mute"))]
    acts += [("b", "d", "remove_follower", None)]
    found = make_small([("a", "c"), ("c", "a"), ("d", "c")], acts=acts)
    assert found["dyad_ties_to_avoided_log"] == pytest.approx(math.log(2))
    assert found["dyad_shared_community"] == 0.0
    assert found["dyad_ties_in_community_share"] == 0.0


def test_opposition_by_hand() -> None:
    # 100 users of each of two tags, 5 of both, among 195 accounts: e = 10000 / 195.
    first, second = np.zeros(195), np.zeros(195)
    first[:100], second[95:] = 1, 1
    used = sparse.csr_array(np.column_stack([first, second]))
    expected = 100 * 100 / 195
    weight = (expected - 5) / (expected + 20)
    found = learn_opposed(used, np.array([2, 2])).toarray()
    np.testing.assert_allclose(found, [[0, weight], [weight, 0]])
    # Tags of different topics, of no topic, and tags that are often used together: not opposed.
    for topics in ([1, 2], [-1, -1]):
        assert learn_opposed(used, np.array(topics)).sum() == 0
    together = sparse.csr_array(np.column_stack([first, first]))
    assert learn_opposed(together, np.array([2, 2])).sum() == 0


def test_opposed_camps_are_found_and_other_subjects_are_not() -> None:
    """Two camps write about one thing under tags of their own; gardeners about another."""
    rng = np.random.default_rng(0)
    votes = "border vote border vote"
    words = {"leave": votes, "stay": votes, "seed": "soil plant soil plant"}
    camp = np.array(["leave", "stay", "seed"] * 60)
    others = [" ".join(rng.choice(WORDS, 2)) for _ in camp]
    texts = [f"{words[c]} {other}" for c, other in zip(camp, others, strict=True)]
    ids = np.arange(180)
    posts = pd.DataFrame({"post_id": ids, "account_id": ids, "text": texts, "hashtags": camp})
    pairs = pd.DataFrame({"follower_id": [0, 0, 3], "followee_id": [1, 2, 0]})
    data = make_dataset({"follows": pairs, "posts": posts})
    dyads = make_dyads(data, "mutuality", fold_count=2)
    table = make_features(
        dyads, data, names=["dyad_opposed_hashtags_log"], allow_untimed=True, allow_sensitive=True
    ).values["dyad_opposed_hashtags_log"]
    sides = dyads.table[["initiator_id", "decider_id"]].max(axis=1).to_numpy()
    expected = 60 * 60 / 180
    known = math.log1p(expected / (expected + 20))
    np.testing.assert_allclose(table, [{1: known, 2: 0.0, 3: 0.0}[who] for who in sides])


# -- what must not be seen, and what is refused ----------------------------------------------------


@pytest.mark.parametrize("mode", ["timed", "crawl"])
def test_likes_and_blocks_after_t_are_not_seen(mode: str) -> None:
    world, rng = make_world(4, mode), np.random.default_rng(4)
    moment = world.dyads.table["at"].sort_values().iloc[len(world.dyads.table) // 2]
    liked = world.dataset.posts.sample(90, random_state=2, replace=True)
    acts = pd.DataFrame(
        {
            "actor_id": rng.choice(world.dyads.table["decider_id"], 90),
            "target_id": liked["account_id"].to_numpy(),
            "kind": rng.choice(["like", "block", "mute", "share"], 90),
            "at": moment,
            "post_id": liked["post_id"].to_numpy(),
        }
    )
    later = world.dataset.replace(interactions=append_rows(world.dataset.interactions, acts))
    before, after = compute(world), compute(world, later)
    rows = np.flatnonzero((world.dyads.table["at"] <= moment).to_numpy())
    assert find_changes(before, after, rows) == set()
    if mode == "timed":
        changed = find_changes(before, after, np.arange(len(before)))
        assert changed == {"dyad_consumed_cosine", "dyad_ties_to_avoided_log"}


@pytest.mark.parametrize("mode", MODES)
def test_ties_between_the_two_do_not_show(mode: str) -> None:
    """Even ties of long ago between a pair stay out of what B consumes and of A's ties."""
    world = make_world(6, mode)
    row = world.dyads.table.iloc[5]
    pair = [(row["initiator_id"], row["decider_id"]), (row["decider_id"], row["initiator_id"])]
    old = pd.DataFrame(pair, columns=["follower_id", "followee_id"])
    begins = {"timed": "followed_at", "crawl": "followed_before_at", "snapshot": None}[mode]
    if begins:
        old[begins] = pd.Timestamp("2025-01-01", tz="UTC")
    added = world.dataset.replace(follows=append_rows(world.dataset.follows, old))
    names = ["dyad_consumed_cosine"]
    assert find_changes(compute(world, names=names), compute(world, added, names), [5]) == set()


def test_convictions_are_left_out_unless_asked_for() -> None:
    world = make_world(1, "timed")
    sensitive = {name for name in NAMES if CATALOGUE[name].is_sensitive}
    assert sensitive == {
        "dyad_same_stance", "dyad_opposed_hashtags_log", "dyad_opposed_ties_share"
    }  # fmt: skip
    plain = make_features(world.dyads, world.dataset, names=NAMES, allow_untimed=True)
    assert sensitive == set(plain.missing["feature"])
    assert sensitive == {e.name for e in ENTRIES if e.claim == "7c"}


@pytest.mark.parametrize("wrong", ["art", [["art"]], [["art", 3]], {"art": "data"}, [3], 7])
def test_wrong_declarations_are_refused(wrong: Any) -> None:
    with pytest.raises(InputError, match="opposed_hashtags: a list of pairs of hashtags"):
        read_opposed({"opposed_hashtags": wrong})


def test_nothing_declared_and_an_empty_declaration_differ() -> None:
    world = make_world(1, "timed")
    assert read_opposed({}) is None
    none = replace(world.dataset, about={"opposed_hashtags": []})
    values = compute(world, none, ["dyad_opposed_hashtags_log"])["dyad_opposed_hashtags_log"]
    assert set(values.dropna()) == {0.0}


def test_claims_and_what_they_are_not_adjusted_for() -> None:
    assert CLAIMS["7a"].contrast == ("dyad_consumed_cosine",)
    assert "dyad_topic_cosine" in CLAIMS["7a"].choose_adjusters()
    assert "dyad_topic_cosine" not in CLAIMS["7c"].choose_adjusters()
    assert "dyad_common_followees_log" not in CLAIMS["7d"].choose_adjusters()
