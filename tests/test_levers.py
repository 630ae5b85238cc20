"""Changes of raw quantities: every column that depends on one moves, by hand-made numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from followkit.errors import ParameterError
from followkit.features import CATALOGUE
from followkit.levers import LEVERS, PER_FOLLOWER, QUANTITIES, Change, Lever, RawQuantities

#: 99 followers and 49 followees against a decider with 999 followers and 99 followees.
STANDING = {
    "initiator_ratio_log": np.log(100 / 50),
    "initiator_ratio_log_squared": np.log(100 / 50) ** 2,
    "initiator_follower_count_log": np.log(100),
    "initiator_followee_count_log": np.log(50),
    "dyad_follower_gap_log": np.log(1000 / 100),
    "dyad_ratio_gap": np.log(1000 / 100) - np.log(100 / 50),
    "initiator_first_hour_engagement_log": np.log1p(5.0),
}
#: One post and no act in four weeks, the last action 20 days ago.
HABITS = {
    "initiator_posts_per_week_log": np.log1p(0.25),
    "initiator_posting_weeks_share": 1 / 12,
    "initiator_days_since_action_log": np.log1p(20.0),
    "initiator_acts_per_week_log": 0.0,
    "initiator_acting_weeks_share": 0.0,
    "dyad_acts_to_decider_log": 0.0,
    "dyad_has_contact_7d": 0.0,
}


def make_raw(row: dict[str, float], *changes: Change) -> RawQuantities:
    raw = RawQuantities(pd.DataFrame([row]))
    for change in changes:
        raw.change(change)
    return raw


def rebuilt(raw: RawQuantities, row: dict[str, float]) -> dict[str, float]:
    return {name: float(raw.rebuild(name)[0]) for name in row}


# --- numbers by hand -------------------------------------------------------------------------


def test_followers_move_ratio_prestige_and_engagement_together() -> None:
    """Twice 99 followers are 198, over whom the same engagement is 2.5 instead of 5 per 100."""
    found = rebuilt(make_raw(STANDING, Change("followers", "multiply", 2.0)), STANDING)
    assert found == pytest.approx(
        {
            "initiator_ratio_log": np.log(199 / 50),
            "initiator_ratio_log_squared": np.log(199 / 50) ** 2,
            "initiator_follower_count_log": np.log(199),
            "initiator_followee_count_log": np.log(50),
            "dyad_follower_gap_log": np.log(1000 / 199),
            "dyad_ratio_gap": np.log(1000 / 100) - np.log(199 / 50),
            "initiator_first_hour_engagement_log": np.log1p(2.5),
        },
        abs=1e-12,
    )


def test_followees_move_the_ratio_and_leave_prestige() -> None:
    found = rebuilt(make_raw(STANDING, Change("followees", "add", -30.0)), STANDING)
    assert found == pytest.approx(
        {
            **STANDING,
            "initiator_ratio_log": np.log(100 / 20),
            "initiator_ratio_log_squared": np.log(100 / 20) ** 2,
            "initiator_followee_count_log": np.log(20),
            "dyad_ratio_gap": np.log(10) - np.log(100 / 20),
        },
        abs=1e-12,
    )


def test_a_balanced_ratio_is_reached_by_following() -> None:
    found = rebuilt(make_raw(STANDING, Change("follower_ratio", "set", 1.0)), STANDING)
    assert found["initiator_ratio_log"] == pytest.approx(0, abs=1e-12)
    assert found["initiator_ratio_log_squared"] == pytest.approx(0, abs=1e-12)
    assert np.expm1(found["initiator_followee_count_log"]) == pytest.approx(99)
    assert found["initiator_follower_count_log"] == STANDING["initiator_follower_count_log"]
    assert found["dyad_ratio_gap"] == pytest.approx(np.log(10))


def test_nobody_follows_fewer_than_none() -> None:
    """99 followers over no followee at all give a ratio of 100, and no more."""
    found = rebuilt(make_raw(STANDING, Change("follower_ratio", "set", 5000.0)), STANDING)
    assert found["initiator_followee_count_log"] == pytest.approx(0, abs=1e-12)
    assert found["initiator_ratio_log"] == pytest.approx(np.log(100))
    assert found["initiator_ratio_log_squared"] == pytest.approx(np.log(100) ** 2)
    assert found["dyad_ratio_gap"] == pytest.approx(np.log(10) - np.log(100))


def test_one_more_post_a_week() -> None:
    """Four more posts fill four of twelve weeks; at 1.25 a week the last is 5.6 days back."""
    raw = make_raw(HABITS, Change("posts_per_week", "add", 1.0))
    assert raw.read("posts_per_week")[0] == pytest.approx(1.25)
    assert raw.read("posting_weeks_share")[0] == pytest.approx(4 / 12)
    assert raw.read("days_since_action")[0] == pytest.approx(7 / 1.25)
    still = ("initiator_acts_per_week_log", "dyad_acts_to_decider_log", "dyad_has_contact_7d")
    assert rebuilt(raw, HABITS).items() >= {name: HABITS[name] for name in still}.items()


def test_posts_raise_steadiness_only_when_needed() -> None:
    steady = {
        **HABITS,
        "initiator_posting_weeks_share": 1.0,
        "initiator_days_since_action_log": np.log1p(0.5),
    }
    raw = make_raw(steady, Change("posts_per_week", "add", 1.0))
    assert raw.read("posting_weeks_share")[0] == 1.0
    assert raw.read("days_since_action")[0] == pytest.approx(0.5)
    fewer = make_raw(steady, Change("posts_per_week", "multiply", 0.5))
    assert fewer.read("posting_weeks_share")[0] == 1.0
    assert fewer.read("days_since_action")[0] == pytest.approx(0.5)


def test_more_weeks_with_a_post_need_posts() -> None:
    raw = make_raw(HABITS, Change("posting_weeks_share", "add", 0.5))
    share = 1 / 12 + 0.5
    assert raw.read("posts_per_week")[0] == pytest.approx(share)
    assert raw.read("days_since_action")[0] == pytest.approx(7 / share)


def test_an_act_towards_the_decider_is_contact_and_an_act() -> None:
    raw = make_raw(HABITS, Change("acts_to_decider", "add", 1.0))
    assert raw.columns["dyad_has_contact_7d"][0] == 1.0
    assert raw.read("acts_to_decider")[0] == pytest.approx(1)
    assert raw.read("acts_per_week")[0] == pytest.approx(0.25)
    assert raw.read("acting_weeks_share")[0] == pytest.approx(1 / 12)
    assert raw.read("days_since_action")[0] == pytest.approx(7)
    raw.change(Change("acts_to_decider", "add", -1.0))
    assert raw.columns["dyad_has_contact_7d"][0] == 0.0
    assert raw.read("acts_per_week")[0] == pytest.approx(0, abs=1e-12)


def test_acts_towards_others() -> None:
    raw = make_raw(HABITS, Change("acts_per_week", "add", 2.0))
    assert raw.read("acting_weeks_share")[0] == pytest.approx(4 / 12)
    assert raw.read("days_since_action")[0] == pytest.approx(3.5)
    raw = make_raw(HABITS, Change("acting_weeks_share", "set", 0.5))
    assert raw.read("acts_per_week")[0] == pytest.approx(0.5)
    assert raw.read("days_since_action")[0] == pytest.approx(14)


def test_changes_add_up_in_the_order_given() -> None:
    both = Change("followers", "multiply", 2.0), Change("followees", "multiply", 2.0)
    there, back = make_raw(STANDING, *both), make_raw(STANDING, *both[::-1])
    expected = np.log(199 / 99)
    for raw in (there, back):
        assert raw.rebuild("initiator_ratio_log")[0] == pytest.approx(expected)
        assert raw.rebuild("initiator_ratio_log_squared")[0] == pytest.approx(expected**2)


@pytest.mark.parametrize("missing", ["follower_count", "followee_count", "ratio"])
def test_any_two_of_followers_followees_and_ratio_give_the_third(missing: str) -> None:
    row = {k: v for k, v in STANDING.items() if k != f"initiator_{missing}_log"}
    raw = make_raw(row, Change("followers", "multiply", 2.0))
    assert raw.read("followers")[0] == pytest.approx(198)
    assert raw.read("followees")[0] == pytest.approx(49)
    assert raw.read("follower_ratio")[0] == pytest.approx(199 / 50)


# --- squares and products --------------------------------------------------------------------


def add_product(monkeypatch: pytest.MonkeyPatch, name: str, *parts: str) -> None:
    entry = replace(CATALOGUE["dyad_topic_cosine"], name=name, parts=parts)
    monkeypatch.setitem(CATALOGUE, name, entry)


def test_products_follow_their_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    ratio, posts = "initiator_ratio_log", "initiator_posts_per_week_log"
    add_product(monkeypatch, "dyad_twofold", "dyad_topic_cosine", f"{ratio}_squared")
    add_product(monkeypatch, "dyad_threefold", "dyad_twofold", posts)
    add_product(monkeypatch, "dyad_apart", "dyad_topic_cosine", posts)
    row = {**STANDING, **HABITS, "dyad_topic_cosine": 0.3, "dyad_twofold": 0.0,
           "dyad_threefold": 0.0, "dyad_apart": 123.0}  # fmt: skip
    raw = make_raw(row, Change("followers", "multiply", 2.0))
    twofold = 0.3 * np.log(199 / 50) ** 2
    assert raw.rebuild("dyad_twofold")[0] == pytest.approx(twofold)
    assert raw.rebuild("dyad_threefold")[0] == pytest.approx(twofold * np.log1p(0.25))
    # Nothing that it is made of has moved, so it keeps what was observed.
    assert raw.rebuild("dyad_apart")[0] == 123.0


def test_spam_score_follows_ratio_and_originality() -> None:
    """One follower on four followees is log 4 below balance, log 2 more than allowed."""
    row = {"initiator_ratio_log": -np.log(4), "initiator_originality_share": 0.25,
           "initiator_followee_count_log": np.log(200), "initiator_spam_excess": np.log(2),
           "initiator_spam_score": np.log(2) * 0.75}  # fmt: skip
    original = rebuilt(make_raw(row, Change("originality_share", "add", 0.5)), row)
    assert original["initiator_spam_excess"] == np.log(2)
    assert original["initiator_spam_score"] == pytest.approx(np.log(2) * 0.25)
    fewer = rebuilt(make_raw(row, Change("followees", "set", 149.0)), row)
    assert fewer["initiator_spam_excess"] == pytest.approx(np.log(1.5))
    assert fewer["initiator_spam_score"] == pytest.approx(np.log(1.5) * 0.75)
    balanced = rebuilt(make_raw(row, Change("follower_ratio", "set", 1.0)), row)
    assert balanced["initiator_spam_score"] == 0.0


def test_what_a_product_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    add_product(monkeypatch, "dyad_mixed", "dyad_topic_cosine", "initiator_posts_per_week_log")
    row = {**HABITS, "dyad_mixed": 0.2}
    raw = make_raw(row, Change("posts_per_week", "add", 1.0))
    assert raw.find_lacking("dyad_mixed") == "dyad_topic_cosine"
    assert raw.find_lacking("initiator_posting_weeks_share") == ""


# --- invariants ------------------------------------------------------------------------------


def random_rows(n: int = 200, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    followers, followees = rng.integers(0, 500, (2, n))
    acts = rng.integers(0, 3, n)
    ratio = np.log((followers + 1) / (followees + 1))
    return pd.DataFrame(
        {
            "initiator_ratio_log": ratio,
            "initiator_ratio_log_squared": ratio**2,
            "initiator_followee_count_log": np.log1p(followees),
            "initiator_follower_count_log": np.log1p(followers),
            "initiator_posts_per_week_log": np.log1p(rng.integers(0, 40, n) / 4),
            "initiator_posting_weeks_share": rng.integers(0, 13, n) / 12,
            "initiator_days_since_action_log": np.log1p(rng.exponential(9, n)),
            "initiator_acts_per_week_log": np.log1p((acts + rng.integers(0, 9, n)) / 4),
            "initiator_acting_weeks_share": rng.integers(0, 13, n) / 12,
            "dyad_acts_to_decider_log": np.log1p(acts),
            "dyad_has_contact_7d": (acts > 0).astype(float),
            "initiator_originality_share": rng.random(n),
            "dyad_topic_cosine": rng.random(n),
            "dyad_bio_cosine": rng.random(n),
            "initiator_hashtag_mix": rng.random(n),
            "initiator_promotional_share": rng.random(n),
            "initiator_metric_response": rng.uniform(-1, 1, n),
            "dyad_on_topic_acts_share": rng.random(n),
        }
    )


@pytest.mark.parametrize("lever", LEVERS, ids=lambda lever: lever.name)
def test_levers_keep_to_the_possible(lever: Lever) -> None:
    table = random_rows()
    raw = RawQuantities(table)
    for change in lever.changes:
        raw.change(change)
    for name, quantity in QUANTITIES.items():
        values = raw.read(name)
        assert (values >= quantity.low - 1e-9).all(), name
        assert (values <= quantity.high + 1e-9).all(), name
    followers, followees = raw.read("followers"), raw.read("followees")
    assert raw.read("follower_ratio") == pytest.approx((followers + 1) / (followees + 1))
    assert not raw.read("acts_to_decider")[raw.columns["dyad_has_contact_7d"] == 0].any()
    assert (raw.read("acts_per_week") * 4 >= raw.read("acts_to_decider") - 1e-9).all()
    moved = any((raw.rebuild(name) != table[name].to_numpy()).any() for name in table)
    assert moved


@pytest.mark.parametrize("name", list(QUANTITIES))
def test_a_change_that_changes_nothing_keeps_every_bit(name: str) -> None:
    table = random_rows()
    raw = RawQuantities(table)
    raw.change(Change(name, "add", 0.0))
    for column in table:
        assert (raw.rebuild(column) == table[column].to_numpy()).all(), column


def test_the_table_itself_is_left_alone_and_unknown_stays_unknown() -> None:
    table = random_rows()
    table.loc[4, "initiator_posts_per_week_log"] = np.nan
    table["initiator_id"] = "someone"
    kept = table.copy()
    raw = RawQuantities(table)
    raw.change(Change("posts_per_week", "set", 3.0))
    pd.testing.assert_frame_equal(table, kept)
    assert np.flatnonzero(np.isnan(raw.read("posts_per_week"))).tolist() == [4]


# --- the lists -------------------------------------------------------------------------------


def test_every_piece_of_advice_has_a_lever() -> None:
    """The advice of the what-if section, claim by claim."""
    covered = {claim for lever in LEVERS for claim in lever.claims}
    assert covered == {"1a", "2a", "2b", "3e", "3f", "5a", "6a", "6b", "6c", "6d", "6e", "9c"}
    assert len({lever.name for lever in LEVERS}) == len(LEVERS)


def test_whatever_is_counted_per_follower_moves_with_followers() -> None:
    """A new column per 100 followers of the initiator has to be named here."""
    entries = [entry for entry in CATALOGUE.values() if entry.side == "initiator"]
    per_follower = [e.name for e in entries if "per 100 followers" in e.formula and not e.parts]
    assert set(per_follower) <= set(PER_FOLLOWER)


# --- bad input -------------------------------------------------------------------------------


def test_unknown_quantities_are_met_with_a_suggestion() -> None:
    with pytest.raises(ParameterError, match=r"did you mean posts_per_week\?"):
        Change("posts_a_week", "add", 1.0)
    with pytest.raises(ParameterError, match=r"did you mean multiply\?"):
        Change("followers", "multiplied", 1.0)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"followers cannot multiply -1"):
        Change("followers", "multiply", -1.0)
    with pytest.raises(ParameterError, match=r"followers cannot add nan"):
        Change("followers", "add", np.nan)
