"""The three measures of reciprocity, against identities, brute force and published numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from plain_dyads import make_timed

from followkit.dyads import make_dyads, make_waiting
from followkit.errors import InputError, ParameterError
from followkit.latency import follow_back_curve, median_days
from followkit.reciprocity import (
    TieCounts,
    count_ties,
    dyad_reciprocity,
    edge_reciprocity,
    follow_back_rate,
    list_ties,
)
from followkit.tables import make_dataset

# Weeks in remission of 42 children with leukaemia, 6-mercaptopurine against placebo; a plus marks
# a child still in remission when last seen. Freireich et al. (1963), Blood 21, 699–716.
TREATED = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
PLACEBO = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"


def as_waiting(text: str) -> pd.DataFrame:
    """Return survival times as dyads that share no account; the event stands for the answer."""
    times = text.split()
    return pd.DataFrame(
        {
            "initiator_id": np.arange(len(times)),
            "decider_id": np.arange(len(times)) + 1_000,
            "duration_days": [float(time.rstrip("+")) for time in times],
            "state": ["censored" if time.endswith("+") else "answered" for time in times],
        }
    )


def random_ties(seed: int) -> pd.DataFrame:
    drawn = np.random.default_rng(seed).integers(0, 12, size=(60, 2))
    return pd.DataFrame(drawn, columns=["follower_id", "followee_id"])


@pytest.mark.parametrize("seed", range(5))
def test_counts_equal_a_walk_over_all_pairs(seed: int) -> None:
    ties = random_ties(seed)
    known = {pair for pair in ties.itertuples(index=False, name=None) if pair[0] != pair[1]}
    both = sum(a < b and (a, b) in known and (b, a) in known for a in range(12) for b in range(12))
    assert count_ties(ties) == TieCounts(both, len(known) - 2 * both)


@pytest.mark.parametrize("seed", range(5))
def test_the_two_shares_are_one_function_of_each_other(seed: int) -> None:
    edge, dyad = edge_reciprocity(random_ties(seed)), dyad_reciprocity(random_ties(seed))
    assert edge == pytest.approx(2 * dyad / (1 + dyad))


def test_dataset_and_plain_frame_agree() -> None:
    data = make_dataset({"follows": random_ties(3)})
    assert count_ties(data) == count_ties(data.follows)
    assert edge_reciprocity(data) == make_dyads(data, "mutuality").table["outcome"].mean()


def test_half_weights_on_mutual_ties_give_the_dyad_reciprocity() -> None:
    data = make_dataset({"follows": random_ties(4)})
    table = make_dyads(data, "mutuality").table
    weight = np.where(table["outcome"] == 1, 0.5, 1.0)
    assert np.average(table["outcome"], weights=weight) == pytest.approx(dyad_reciprocity(data))


def test_ties_are_needed() -> None:
    alone = pd.DataFrame({"follower_id": ["a"], "followee_id": ["a"]})
    with pytest.raises(InputError, match="at least one tie"):
        count_ties(alone)
    with pytest.raises(InputError, match="followee_id required; found the columns follower_id, x"):
        count_ties(alone.rename(columns={"followee_id": "x"}))


def test_freireich_survival_and_medians() -> None:
    treated = as_waiting(TREATED)
    curve = follow_back_curve(treated, until_days=10, point_count=2)
    assert 1 - curve["incidence"].iloc[-1] == pytest.approx(0.7529, abs=5e-5)
    assert median_days(treated) == 23
    assert median_days(as_waiting(PLACEBO)) == 8


def test_without_censoring_the_curve_is_the_empirical_distribution() -> None:
    waiting = as_waiting(PLACEBO)
    curve = follow_back_curve(waiting, until_days=23, point_count=24)
    days = waiting["duration_days"].to_numpy()
    expected = [(days <= day).mean() for day in curve["duration_days"]]
    np.testing.assert_allclose(curve["incidence"], expected, atol=1e-12)


def test_a_withdrawn_follow_stays_in_the_denominator() -> None:
    rows = [("a", "b", 0, None), ("b", "a", 4, None), ("c", "d", 0, 2), ("d", "c", 50, None),
            ("e", "f", 0, None), ("g", "h", 0, None)]  # fmt: skip
    found = follow_back_rate(make_timed(rows), 30)
    assert found.rate == pytest.approx(1 / 4)
    assert (found.method, found.note) == ("Aalen–Johansen", "")
    assert (found.dyad_count, found.at_risk_count) == (4, 2)


def test_fully_watched_follows_give_the_plain_share_of_answers() -> None:
    rng = np.random.default_rng(5)
    rows: list[tuple[str, str, float, float | None]] = []
    for pair in range(60):
        start, wait, leave = rng.integers(0, 20), rng.integers(1, 70), rng.integers(1, 70)
        rows.append((f"a{pair}", f"b{pair}", float(start), float(start + leave)))
        rows.append((f"b{pair}", f"a{pair}", float(start + wait), None))
    data = make_timed(rows)
    share = make_dyads(data, "follow_back", horizon_days=30.0).table["outcome"].mean()
    assert follow_back_rate(data, 30).rate == pytest.approx(share)
    assert 0.1 < share < 0.9


def test_young_follows_count_only_while_they_are_watched() -> None:
    rows = [("a", "b", 0, None), ("b", "a", 5, None), ("c", "d", 0, None), ("e", "f", 97, None)]
    found = follow_back_rate(make_timed(rows), 10)
    assert found.rate == pytest.approx(1 / 2)  # the young one leaves on day 3, before the answer


def test_never_seen_unfollows_are_said() -> None:
    ties = pd.DataFrame(
        {"follower_id": list("abc"), "followee_id": list("bad"),
         "followed_at": ["2024-01-01", "2024-01-03", "2024-01-01"]}
    )  # fmt: skip
    found = follow_back_rate(make_dataset({"follows": ties}), 1)
    assert found.method == "Kaplan–Meier"
    assert "survived" in found.note


def test_the_interval_holds_the_rate() -> None:
    rows = [(f"a{i}", f"b{i}", 0.0, None) for i in range(12)]
    rows += [(f"b{i}", f"a{i}", float(i + 1), None) for i in range(8)]
    found = follow_back_rate(make_timed(rows), 30)
    assert found.rate == pytest.approx(8 / 12)
    assert 0 < found.ci_low < found.rate < found.ci_high < 1


@pytest.mark.parametrize("horizon", [0, -1, float("nan"), float("inf")])
def test_horizons_are_positive(horizon: float) -> None:
    with pytest.raises(ParameterError, match="positive number of days"):
        follow_back_rate(make_timed([("a", "b", 0, None)]), horizon)


def test_nobody_was_watched_for_so_long() -> None:
    with pytest.raises(InputError, match="watched for 200 days"):
        follow_back_rate(make_timed([("a", "b", 0, None)]), 200)


def test_times_are_needed() -> None:
    data = make_dataset({"follows": random_ties(1)})
    with pytest.raises(InputError, match="followed_at"):
        follow_back_rate(data)
    with pytest.raises(InputError, match="followed_at"):
        make_waiting(data)


def test_the_rate_of_competing_exponential_waits_is_recovered() -> None:
    """Answers at rate λ, withdrawals at μ, watched for 40 to 100 days, half of them too short.

    The share answered within H is λ / (λ + μ) · (1 − exp(−(λ + μ) H)).
    """
    answer, leave, horizon = 1 / 60, 1 / 90, 45.0
    truth = answer / (answer + leave) * (1 - np.exp(-(answer + leave) * horizon))
    found = []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        rows: list[tuple[str, str, float, float | None]] = []
        for pair in range(300):
            start, wait = rng.uniform(0, 60), rng.exponential(1 / answer)
            end = start + rng.exponential(1 / leave)
            rows.append((f"a{pair}", f"b{pair}", start, end if end < 100 else None))
            if start + wait < 100:
                rows.append((f"b{pair}", f"a{pair}", start + wait, None))
        rate = follow_back_rate(make_timed(rows), horizon)
        found.append((rate.rate, rate.ci_low <= truth <= rate.ci_high))
    rates = np.array([rate for rate, _ in found])
    assert abs(rates.mean() - truth) < 3 * rates.std() / np.sqrt(25)
    assert sum(hit for _, hit in found) >= 20  # three binomial errors below 95 %


def test_ties_are_listed_once() -> None:
    ties = pd.DataFrame(
        {"follower_id": list("aabc"), "followee_id": list("bbac")}, index=[9, 8, 7, 6]
    )
    assert list_ties(ties).values.tolist() == [["a", "b"], ["b", "a"]]
    assert list_ties(make_dataset({"follows": ties})).values.tolist() == [["a", "b"], ["b", "a"]]
