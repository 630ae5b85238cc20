"""Time to follow-back against published and brute-force answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from followkit.latency import _influence, _make_steps, follow_back_curve, median_days

#: Remission of leukaemia, 6-MP and placebo arms, weeks; a plus marks censoring. Freireich et al.
#: (1963), Blood 21; as printed in every textbook of survival analysis.
TREATED = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
PLACEBO = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"


def make_arm(text: str) -> pd.DataFrame:
    marks = text.split()
    return make_waiting(
        [float(mark.rstrip("+")) for mark in marks],
        ["censored" if mark.endswith("+") else "answered" for mark in marks],
    )


def make_waiting(days, states) -> pd.DataFrame:
    names = [f"a{place}" for place in range(len(days))]
    return pd.DataFrame({"initiator_id": names, "decider_id": [f"b{name}" for name in names],
                         "duration_days": days, "state": states})  # fmt: skip


def test_freireich_survival_at_ten_weeks() -> None:
    curve = follow_back_curve(make_arm(TREATED), until_days=35, point_count=36)
    assert 1 - curve["incidence"].iloc[10] == pytest.approx(0.7529, abs=5e-5)
    placebo = follow_back_curve(make_arm(PLACEBO), until_days=23, point_count=24)
    assert 1 - placebo["incidence"].iloc[10] == pytest.approx(0.3810, abs=5e-5)


def test_freireich_medians() -> None:
    assert median_days(make_arm(TREATED)) == 23
    assert median_days(make_arm(PLACEBO)) == 8


def test_influence_gives_greenwoods_error_for_independent_dyads() -> None:
    """Greenwood at week 10 of the treated arm: .0963 (published with S = .7529)."""
    arm = make_arm(TREATED)
    days = arm["duration_days"].to_numpy()
    answered = (arm["state"] == "answered").to_numpy()
    steps = _make_steps(days, answered, answered)
    share = float(steps.incidence[np.searchsorted(steps.times, 10)])
    influence = _influence(steps, days, answered, answered, 10.0, share)
    assert influence.sum() == pytest.approx(0, abs=1e-9)
    assert np.sqrt((influence**2).sum()) / len(days) == pytest.approx(0.0963, abs=5e-5)


def test_without_censoring_it_is_the_share_answered() -> None:
    days = np.random.default_rng(1).integers(1, 20, 200).astype(float)
    curve = follow_back_curve(make_waiting(days, ["answered"] * 200), point_count=20)
    expected = [(days <= day).mean() for day in curve["duration_days"]]
    assert np.allclose(curve["incidence"], expected, rtol=0, atol=1e-12)


def test_withdrawal_competes_as_in_a_slow_walk() -> None:
    """Aalen–Johansen: at each moment, survivors so far times the answers among those at risk."""
    rng = np.random.default_rng(2)
    days = rng.integers(1, 12, 150).astype(float)
    states = rng.choice(["answered", "withdrawn", "censored"], 150, p=[0.4, 0.3, 0.3])
    curve = follow_back_curve(make_waiting(days, states), until_days=11, point_count=12)
    surviving, incidence = 1.0, [0.0]
    for day in range(1, 12):
        at_risk = (days >= day).sum()
        now = days == day
        incidence.append(incidence[-1] + surviving * (now & (states == "answered")).sum() / at_risk)
        surviving *= 1 - (now & (states != "censored")).sum() / at_risk
    assert np.allclose(curve["incidence"], incidence, rtol=0, atol=1e-12)


def test_nobody_answered_and_nobody_seen_to_the_end() -> None:
    curve = follow_back_curve(make_waiting([3.0, 5.0], ["censored", "censored"]), point_count=3)
    assert curve["incidence"].tolist() == [0, 0, 0]
    assert curve["ci_high"].tolist() == [0, 0, 0]
    assert np.isnan(median_days(make_waiting([3.0, 5.0], ["censored", "censored"])))


def test_interval_contains_the_curve_and_stays_inside() -> None:
    curve = follow_back_curve(make_arm(TREATED))
    assert (curve["ci_low"] <= curve["incidence"]).all()
    assert (curve["incidence"] <= curve["ci_high"]).all()
    assert curve["ci_low"].min() >= 0
    assert curve["ci_high"].max() <= 1
