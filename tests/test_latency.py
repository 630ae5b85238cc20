"""Time to follow-back against published and brute-force answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.duration.survfunc import CumIncidenceRight, survdiff

from followkit import covariance as cov
from followkit.dyads import make_dyads, make_waiting
from followkit.errors import CannotFitError, InputError, ParameterError
from followkit.incidence import (
    check_waiting,
    count_waiting,
    estimate_incidence,
    loglog_interval,
    make_bins,
)
from followkit.latency import (
    answer_quantiles,
    at_risk_table,
    cause_specific_hazards,
    follow_back_curve,
    median_days,
    summarise_latency,
    survival_curve,
)
from followkit.log_rank import log_rank
from followkit.sources.duckdb_files import read_parquet
from followkit.tables import Dataset, make_dataset

SHARED = Path(__file__).parents[2] / "shared" / "data"
START = pd.Timestamp("2025-01-01", tz="UTC")

#: Remission of leukaemia, 6-MP and placebo arms, weeks; a plus marks censoring. Freireich et al.
#: (1963), Blood 21; as printed in every textbook of survival analysis.
TREATED = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
PLACEBO = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"


def make_arm(text: str, name: str = "") -> pd.DataFrame:
    marks = text.split()
    arm = make_table(
        [float(mark.rstrip("+")) for mark in marks],
        ["censored" if mark.endswith("+") else "answered" for mark in marks],
    )
    return arm.assign(initiator_id=name + arm["initiator_id"], decider_id=name + arm["decider_id"])


def make_table(days, states, **more) -> pd.DataFrame:
    names = [f"a{place}" for place in range(len(days))]
    return pd.DataFrame({"initiator_id": names, "decider_id": [f"b{name}" for name in names],
                         "duration_days": days, "state": states, **more})  # fmt: skip


def make_random(seed: int, count: int = 400, *, late: bool = False) -> pd.DataFrame:
    """Return waits on a coarse grid, so that ties occur, between accounts that repeat."""
    rng = np.random.default_rng(seed)
    days = rng.integers(1, 25, count).astype(float)
    states = rng.choice(["answered", "withdrawn", "deleted", "censored"], count, p=[0.5, 0.15,
                        0.05, 0.3])  # fmt: skip
    ids = rng.integers(0, 60, count)
    table = make_table(days, states).assign(
        initiator_id=ids, decider_id=(ids + rng.integers(1, 60, count)) % 60
    )
    if late:
        entry = np.where(rng.random(count) < 0.4, np.floor(rng.random(count) * days), 0.0)
        table["entry_days"] = np.where(entry < days, entry, 0.0)
    return table


# -- published -----------------------------------------------------------------------------------


def test_freireich_survival_at_ten_weeks() -> None:
    """S(10) = .7529, log-log interval .5032 to .8894; placebo .3810."""
    found = survival_curve(make_arm(TREATED), days=[10], errors="greenwood").iloc[0]
    assert found["unanswered"] == pytest.approx(0.7529, abs=5e-5)
    assert found["ci_low"] == pytest.approx(0.5032, abs=5e-5)
    assert found["ci_high"] == pytest.approx(0.8894, abs=5e-5)
    assert found["at_risk"] == 15
    placebo = follow_back_curve(make_arm(PLACEBO), until_days=23, point_count=24)
    assert 1 - placebo["incidence"].iloc[10] == pytest.approx(0.3810, abs=5e-5)


def test_freireich_medians_and_their_intervals() -> None:
    """Medians 23 and 8; log-log limits (13, not reached) and (4, 11), as R and SAS print them."""
    treated = answer_quantiles(make_arm(TREATED), [0.5], errors="greenwood").iloc[0]
    placebo = answer_quantiles(make_arm(PLACEBO), [0.5], errors="greenwood").iloc[0]
    assert treated["duration_days"] == median_days(make_arm(TREATED)) == 23
    assert placebo["duration_days"] == median_days(make_arm(PLACEBO)) == 8
    assert treated["ci_low"] == 13
    assert np.isnan(treated["ci_high"])
    assert placebo[["ci_low", "ci_high"]].tolist() == [4, 11]


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("arm", [TREATED, PLACEBO])
def test_quantile_limits_are_those_of_statsmodels(arm: str) -> None:
    table = make_arm(arm)
    oracle = sm.SurvfuncRight(table["duration_days"], table["state"] == "answered")
    found = answer_quantiles(table, (0.25, 0.5, 0.75), errors="greenwood")
    limits = found[["ci_low", "ci_high"]].fillna(np.inf).to_numpy()
    expected = [oracle.quantile_ci(share, method="cloglog") for share in found["share"]]
    assert np.array_equal(limits, expected)


def test_freireich_log_rank() -> None:
    """χ² = 16.793 on one degree of freedom."""
    both = pd.concat([make_arm(TREATED, "t"), make_arm(PLACEBO, "p")], ignore_index=True)
    found = log_rank(both, ["6-MP"] * 21 + ["placebo"] * 21)
    assert found.statistic == pytest.approx(16.793, abs=5e-4)
    assert found.degrees_of_freedom == 1
    assert found.table["answered"].tolist() == [9, 21]
    # Expected remissions ended: 19.3 and 10.7 (Kleinbaum & Klein, Survival Analysis, table 2.3).
    assert found.table["expected"].round(2).tolist() == [19.25, 10.75]
    assert found.robust_p_value < 0.001


def test_influence_gives_greenwoods_error_for_independent_dyads() -> None:
    """Greenwood at week 10 of the treated arm: .0963 (published with S = .7529)."""
    found = estimate_incidence(make_arm(TREATED))
    assert found.influence(10.0).sum() == pytest.approx(0, abs=1e-9)
    assert found.error(10.0, "greenwood")[0] == pytest.approx(0.0963, abs=5e-5)


# -- identities and brute force --------------------------------------------------------------------


def test_without_censoring_it_is_the_share_answered() -> None:
    days = np.random.default_rng(1).integers(1, 20, 200).astype(float)
    curve = follow_back_curve(make_table(days, ["answered"] * 200), point_count=20)
    expected = [(days <= day).mean() for day in curve["duration_days"]]
    assert np.allclose(curve["incidence"], expected, rtol=0, atol=1e-12)
    waiting = survival_curve(make_table(days, ["answered"] * 200), point_count=20)
    assert np.allclose(1 - waiting["unanswered"], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("late", [False, True])
def test_withdrawal_competes_as_in_a_slow_walk(late: bool) -> None:
    """Aalen–Johansen: at each moment, survivors so far times the answers among those at risk."""
    table = make_random(2, late=late)
    days, states = table["duration_days"].to_numpy(), table["state"].to_numpy()
    entry = table["entry_days"].to_numpy() if late else np.zeros(len(table))
    curve = follow_back_curve(table, until_days=24, point_count=25)
    surviving, incidence = 1.0, [0.0]
    for day in range(1, 25):
        at_risk = ((days >= day) & ((entry == 0) | (entry < day))).sum()
        assert curve["at_risk"].iloc[day] == at_risk
        now = days == day
        incidence.append(incidence[-1] + surviving * (now & (states == "answered")).sum() / at_risk)
        surviving *= 1 - (now & (states != "censored")).sum() / at_risk
    assert np.allclose(curve["incidence"], incidence, rtol=0, atol=1e-12)


def test_incidence_is_that_of_statsmodels() -> None:
    table = make_random(3)
    codes = table["state"].map({"answered": 1, "withdrawn": 2, "deleted": 2, "censored": 0})
    oracle = CumIncidenceRight(table["duration_days"].to_numpy(), codes.to_numpy())
    found = estimate_incidence(table).share_at(oracle.times)
    assert np.allclose(found, oracle.cinc[0], rtol=0, atol=1e-12)


def test_late_entry_is_that_of_statsmodels() -> None:
    table = make_random(4, late=True)
    oracle = sm.SurvfuncRight(
        table["duration_days"].to_numpy(), (table["state"] == "answered").to_numpy(),
        entry=table["entry_days"].to_numpy(),
    )  # fmt: skip
    found = survival_curve(table, days=oracle.surv_times, errors="greenwood")
    assert np.allclose(found["unanswered"], oracle.surv_prob, rtol=0, atol=1e-12)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("withdrawals", ["compete", "censor"])
def test_influence_is_what_leaving_a_dyad_out_does(late: bool, withdrawals) -> None:
    table = make_random(5, 600, late=late)
    whole = estimate_incidence(table, withdrawals)
    influence = whole.influence(9.0)
    share = whole.share_at(9.0)
    left_out = [
        len(table) * (share - estimate_incidence(table.drop(index=row), withdrawals).share_at(9.0))
        for row in range(120)
    ]
    assert influence.sum() == pytest.approx(0, abs=1e-8)
    assert np.allclose(influence[:120], left_out, rtol=0, atol=0.02)


def test_those_at_risk_and_those_gone_add_up() -> None:
    table = make_random(6)
    counts = at_risk_table(table, [0, 3.5, 10, 30])
    gone = counts[["at_risk", "answered", "withdrawn", "censored"]].sum(axis=1)
    # On day 10 itself who left that day is both at risk just before it and gone with it.
    same_day = [0, 0, int((table["duration_days"] == 10).sum()), 0]
    assert (gone - same_day).tolist() == [400] * 4
    assert count_waiting(np.array([1.0]), np.array([-np.inf]), [2.0]).tolist() == [0]


@pytest.mark.parametrize("groups", [2, 3])
def test_log_rank_is_that_of_statsmodels(groups: int) -> None:
    table = make_random(7, late=True)
    by = np.random.default_rng(7).integers(0, groups, len(table))
    table["duration_days"] += 0.1 * by
    found = log_rank(table, by)
    statistic, p_value = survdiff(
        table["duration_days"].to_numpy(), (table["state"] == "answered").to_numpy().astype(int),
        by, entry=table["entry_days"].to_numpy(),
    )  # fmt: skip
    assert found.statistic == pytest.approx(statistic, rel=1e-9)
    assert found.p_value == pytest.approx(p_value, rel=1e-9)
    assert found.table["expected"].sum() == pytest.approx(found.table["answered"].sum(), rel=1e-12)


def test_rates_are_answers_over_days_at_risk() -> None:
    table = make_random(8, late=True)
    found = cause_specific_hazards(table, [0, 5, 12, 24])
    days, entry = table["duration_days"].to_numpy(), table["entry_days"].to_numpy()
    for row in found.itertuples():
        at_risk = np.clip(np.minimum(days, row.to_days) - np.maximum(entry, row.from_days), 0, None)
        inside = (days > row.from_days) & (days <= row.to_days)
        answered = (inside & (table["state"] == "answered")).sum()
        assert row.risk_days == pytest.approx(at_risk.sum(), rel=1e-12)
        assert row.answers_per_day == pytest.approx(answered / at_risk.sum(), rel=1e-12)
        assert row.ci_low < row.answers_per_day < row.ci_high
    assert found["answered"].sum() == (table["state"] == "answered").sum()


def test_bins_are_even_in_log_time_and_never_empty() -> None:
    rng = np.random.default_rng(9)
    table = make_table(np.exp(rng.normal(0, 3, 2000)), ["answered"] * 2000)
    limits = make_bins(table, bin_count=20)
    counts = np.histogram(table["duration_days"], limits)[0]
    assert limits[0] == 0
    assert limits[-1] == table["duration_days"].max()
    assert counts.sum() == 2000
    assert counts.min() >= 5
    steps = np.diff(np.log(limits[1:]))
    assert np.isclose(steps[1:8], steps[1]).all()
    # Few answers make few bins: none is left with under five.
    few = make_bins(table.head(12), bin_count=20)
    assert np.histogram(table["duration_days"].head(12), few)[0].min() >= 5


def test_names_and_order_of_rows_do_not_matter() -> None:
    table = make_random(10, late=True)
    by = (table["decider_id"] % 2).to_numpy()
    order = np.random.default_rng(1).permutation(len(table))
    other = table.iloc[order].reset_index(drop=True)
    other = other.assign(initiator_id="x" + other["initiator_id"].map(hash).astype(str),
                         decider_id="x" + other["decider_id"].map(hash).astype(str))  # fmt: skip
    for one, two in [
        (follow_back_curve(table, point_count=9), follow_back_curve(other, point_count=9)),
        (answer_quantiles(table), answer_quantiles(other)),
        (log_rank(table, by).table, log_rank(other, by[order]).table),
        (cause_specific_hazards(table, [0, 9, 24]), cause_specific_hazards(other, [0, 9, 24])),
    ]:
        pd.testing.assert_frame_equal(one, two, check_exact=False, rtol=1e-10)
    robust = [log_rank(table, by).robust_statistic, log_rank(other, by[order]).robust_statistic]
    assert robust[0] == pytest.approx(robust[1], rel=1e-9)


# -- simulated -------------------------------------------------------------------------------------


def simulate_sharing(seed: int, spread: float = 0.8) -> tuple[pd.DataFrame, np.ndarray]:
    """Return dyads of 60 deciders with habits of their own; the groups mean nothing."""
    rng = np.random.default_rng(seed)
    decider = rng.integers(0, 60, 600)
    habit = np.exp(spread * rng.normal(size=60))
    wait, watch = rng.exponential(habit[decider]), rng.uniform(0, 3, 600)
    table = pd.DataFrame({
        "initiator_id": 60 + rng.integers(0, 200, 600), "decider_id": decider,
        "duration_days": np.minimum(wait, watch),
        "state": np.where(wait <= watch, "answered", "censored"),
    })  # fmt: skip
    return table, decider % 2


def test_the_robust_test_keeps_its_level_where_deciders_have_habits() -> None:
    """Classical p-values reject a true hypothesis in about 30 % of such data."""
    found = [log_rank(*simulate_sharing(seed)) for seed in range(80)]
    classical = sum(one.p_value < 0.05 for one in found)
    robust = sum(one.robust_p_value < 0.05 for one in found)
    assert classical >= 14
    # More than 10 of 80 would come up with probability .004 at a level of .05.
    assert robust <= 10


def simulate_follows(seed: int, last_day: int, accounts: int = 2000) -> Dataset:
    """Return timed follows over so many days, each answered at a rate of .02 a day."""
    rng = np.random.default_rng(seed)
    pairs = rng.permutation(accounts * 3)
    ids, others = pairs % accounts, (pairs % accounts + 1 + pairs // accounts) % accounts
    since = rng.uniform(0, last_day, len(pairs))
    answer = since + rng.exponential(1 / 0.02, len(pairs))
    kept = answer <= last_day
    follows = pd.DataFrame({
        "follower_id": np.r_[ids, others[kept]], "followee_id": np.r_[others, ids[kept]],
        "followed_at": START + pd.to_timedelta(np.r_[since, answer[kept]].round(6), unit="D"),
    })  # fmt: skip
    everyone = np.arange(accounts)
    watch = pd.DataFrame({"account_id": everyone, "table_name": "follows",
                          "observed_from_at": START, "observed_until_at": START
                          + pd.Timedelta(days=last_day), "sees_unfollows": True})  # fmt: skip
    return make_dataset({"follows": follows, "observation": watch})


def test_keeping_the_yes_of_a_young_dyad_would_shift_the_rate() -> None:
    """Truth: 1 − exp(−.02 · 30) = .4512 within 30 days, whatever the age of the dyad."""
    truth = 1 - np.exp(-0.6)
    data = simulate_follows(1, 60)
    eligible = make_dyads(data, "follow_back", horizon_days=30).table
    accounts = cov.code_accounts(eligible["initiator_id"], eligible["decider_id"])
    rate, error = cov.dyadic_mean(eligible["outcome"].to_numpy(float), accounts)
    waiting = make_waiting(data)
    incidence = estimate_incidence(waiting)
    assert abs(rate - truth) < 3 * error
    assert abs(incidence.share_at(30) - truth) < 3 * incidence.error(30, "dyadic")[0]
    # The naive rule keeps what is known of young dyads: an early yes, and no early not-yet.
    known = (waiting["state"] == "answered") & (waiting["duration_days"] <= 30)
    old = waiting["at"] + pd.Timedelta(days=30) <= START + pd.Timedelta(days=60)
    naive = known[known | old].mean()
    assert naive - truth > 8 * error
    assert len(eligible) == old.sum()


def test_late_entries_belong_in_and_early_departures_out() -> None:
    """Half of the deciders are watched from day 60: counting waits whole would flatter them."""
    data = simulate_follows(2, 120)
    watch = data.observation
    from_day = pd.Series(np.where(watch["account_id"] % 2 == 0, 60, 0), watch.index)
    late = data.replace(
        observation=watch.assign(observed_from_at=START + pd.to_timedelta(from_day, unit="D"))
    )
    plain, entered = make_waiting(late), make_waiting(late, late_entry=True)
    assert len(entered) > 1.15 * len(plain)
    found = estimate_incidence(entered)
    truth = 1 - np.exp(-0.02 * 60)
    assert abs(found.share_at(60) - truth) < 3 * found.error(60, "dyadic")[0]
    # Forgetting when they entered counts follows as waiting that could not have been seen to end.
    naive = estimate_incidence(entered.drop(columns="entry_days"))
    assert truth - naive.share_at(60) > 5 * naive.error(60, "dyadic")[0]


def test_late_entry_by_hand() -> None:
    """b is watched from day 10: open follows enter then, what ended before is never seen."""
    rows = [
        ("a", "b", 4), ("b", "a", 13), ("c", "b", 5), ("b", "c", 8), ("d", "b", 7),
        ("e", "b", 11), ("b", "e", 12), ("f", "b", 6), ("g", "b", 10), ("b", "g", 10),
    ]  # fmt: skip
    follows = pd.DataFrame(rows, columns=["follower_id", "followee_id", "day"])
    follows["followed_at"] = START + pd.to_timedelta(follows.pop("day"), unit="D")
    gone = follows["follower_id"].map({"f": START + pd.Timedelta(days=9)})
    follows["unfollowed_at"] = pd.to_datetime(gone, utc=True)
    watch = pd.DataFrame({"account_id": list("abcdefg"), "table_name": "follows",
                          "observed_from_at": [START + pd.Timedelta(days=10 * (one == "b"))
                                               for one in "abcdefg"],
                          "observed_until_at": START + pd.Timedelta(days=20)})  # fmt: skip
    data = make_dataset({"follows": follows, "observation": watch})
    plain = make_waiting(data)
    assert (
        plain[["initiator_id", "decider_id"]].agg("".join, axis=1).tolist()
        == ["bc", "bg", "eb"][1:]
    )
    table = make_waiting(data, late_entry=True).set_index("initiator_id")
    assert table.index.tolist() == ["a", "b", "d", "e"]
    assert table["duration_days"].tolist() == [9.0, 0.0, 13.0, 1.0]
    assert table["entry_days"].tolist() == [6.0, 0.0, 3.0, 0.0]
    assert table["state"].tolist() == ["answered", "answered", "censored", "answered"]


# -- real data -------------------------------------------------------------------------------------


def load_edges(name: str) -> pd.DataFrame:
    path = SHARED / name / "edges.parquet"
    if not path.exists():
        pytest.skip(f"the data set {name} is not beside the project")
    names = {"source": "follower_id", "target": "followee_id", "timestamp": "followed_at"}
    return read_parquet(path)[list(names)].rename(columns=names)


def test_bitcoin_otc_has_two_medians() -> None:
    """All ratings: SOURCE.md counts 21,479 first movers, 14,087 answered, median 4 min 25 s."""
    waiting = make_waiting(make_dataset({"follows": load_edges("bitcoin_otc")}))
    assert waiting["is_equal_stamp"].sum() == 13
    assert (waiting.loc[waiting["is_equal_stamp"], "duration_days"] == 0).all()
    found = summarise_latency(waiting[~waiting["is_equal_stamp"]])
    assert (found.dyad_count, found.answered_count) == (21_479, 14_087)
    assert found.answered_share == pytest.approx(0.656, abs=5e-4)
    assert found.median_answered_days * 1440 == pytest.approx(4 + 25 / 60, abs=1e-6)
    assert found.median_days * 1440 == pytest.approx(992, abs=1)
    assert found.median_low < found.median_days < found.median_high
    assert found.censored_count == 21_479 - 14_087


def test_half_of_college_messages_are_never_answered() -> None:
    """SOURCE.md: 13,836 first messages, 46.7 % answered, their median 3 h 55 min."""
    waiting = make_waiting(make_dataset({"follows": load_edges("college_msg")}))
    found = summarise_latency(waiting[~waiting["is_equal_stamp"]])
    assert (found.dyad_count, found.answered_count) == (13_836, 6_456)
    assert found.median_answered_days * 24 == pytest.approx(3.92, abs=5e-3)
    assert np.isnan(found.median_days)
    assert found.longest_days == pytest.approx(193.7, abs=0.05)


# -- bad and extreme data --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ([1.0, -2.0, 3.0], "1 is negative, 0 infinite, 0 missing"),
        ([np.inf, 2.0, np.inf], "0 are negative, 2 infinite, 0 missing"),
        ([1.0, np.nan, -3.0], "1 is negative, 0 infinite, 1 missing"),
    ],
)
def test_bad_durations_are_refused_and_counted(days, said) -> None:
    for measure in (follow_back_curve, survival_curve, answer_quantiles, summarise_latency):
        with pytest.raises(InputError, match=said):
            measure(make_table(days, ["answered"] * 3))


def test_other_faults_are_named() -> None:
    with pytest.raises(InputError, match="at least one follow is needed; got 0 rows"):
        check_waiting(make_table([], []))
    with pytest.raises(InputError, match="duration_days required"):
        check_waiting(pd.DataFrame({"state": ["answered"]}))
    with pytest.raises(InputError, match="1 of 2 rows are not, first 'unfollowed'"):
        check_waiting(make_table([1.0, 2.0], ["answered", "unfollowed"]))
    with pytest.raises(InputError, match="entry_days must be 0, or lie between"):
        check_waiting(make_table([1.0, 2.0], ["answered"] * 2, entry_days=[0.0, 2.0]))
    with pytest.raises(ParameterError, match="did you mean greenwood"):
        survival_curve(make_arm(TREATED), errors="grenwood")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="shares: each must lie between 0 and 1"):
        answer_quantiles(make_arm(TREATED), [0.0])
    with pytest.raises(ParameterError, match="rising from 0"):
        cause_specific_hazards(make_arm(TREATED), [1, 2])
    with pytest.raises(ParameterError, match="there is no column"):
        survival_curve(make_arm(TREATED), by="arm")
    with pytest.raises(InputError, match="21 rows need as many groups; got 2"):
        log_rank(make_arm(TREATED), ["x", "y"])
    with pytest.raises(InputError, match="1 rows have no group"):
        log_rank(make_arm(TREATED), [None] + ["x"] * 20)
    with pytest.raises(CannotFitError, match="at least two groups"):
        log_rank(make_arm(TREATED), ["x"] * 21)


def test_nobody_answered_and_nobody_seen_to_the_end() -> None:
    table = make_table([3.0, 5.0], ["censored", "censored"])
    curve = follow_back_curve(table, point_count=3)
    assert curve["incidence"].tolist() == [0, 0, 0]
    assert curve["ci_high"].tolist() == [0, 0, 0]
    assert np.isnan(median_days(table))
    assert answer_quantiles(table)[["duration_days", "ci_low", "ci_high"]].isna().all(axis=None)
    found = summarise_latency(table)
    assert found.longest_days == 5
    assert np.isnan(found.median_answered_days)
    with pytest.raises(CannotFitError, match="none of 2 follows was answered"):
        make_bins(table)


def test_answers_in_the_same_moment_count() -> None:
    table = make_table([0.0, 0.0, 0.0, 2.0], ["answered", "answered", "censored", "censored"])
    assert estimate_incidence(table).share_at([0.0, 1.0]).tolist() == [0.5, 0.5]
    assert median_days(table) == 0
    assert summarise_latency(table).same_moment_count == 2
    assert make_bins(table, until_days=3).tolist() == [0, 3]


def test_interval_contains_the_curve_and_stays_inside() -> None:
    curve = follow_back_curve(make_arm(TREATED))
    assert (curve["ci_low"] <= curve["incidence"]).all()
    assert (curve["incidence"] <= curve["ci_high"]).all()
    assert curve["ci_low"].min() >= 0
    assert curve["ci_high"].max() <= 1
    assert loglog_interval(0.0, 0.1, 9) == (0.0, 0.0)


def test_groups_are_estimated_apart_on_the_same_days() -> None:
    both = pd.concat([make_arm(TREATED, "t"), make_arm(PLACEBO, "p")], ignore_index=True)
    both["arm"] = ["6-MP"] * 21 + ["placebo"] * 21
    found = survival_curve(both, by="arm", days=[8, 10]).set_index(["group", "duration_days"])
    alone = survival_curve(make_arm(PLACEBO), days=[8, 10])
    assert found.loc["placebo", "unanswered"].tolist() == alone["unanswered"].tolist()
    assert found.loc[("6-MP", 10), "unanswered"] == pytest.approx(0.7529, abs=5e-5)
