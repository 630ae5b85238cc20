"""The hazard regression against the expanded table it never makes, and against planted truth."""

from __future__ import annotations

import sys
import tracemalloc
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.duration.hazard_regression import PHReg

from followkit import covariance as cov
from followkit.errors import CannotFitError, InputError, ParameterError
from followkit.hazard import compare_incidence, fit_hazard, predict_incidence
from followkit.hazard_fit import make_risk_sets
from followkit.model import fit_follow_back

STUDIES = Path(__file__).parents[1] / "reports" / "studies"
WORLDS = 200
BETA = np.array([0.5, -0.3])
LINKS = {"cloglog": sm.families.links.CLogLog, "logit": sm.families.links.Logit}


def simulate(
    seed: int, count: int = 1500, *, accounts: int = 150, habit: float = 0.0, gone: float = 0.01
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return waits with proportional hazards exp(.5 u − .3 v), Weibull in time, and the features.

    Accounts may have habits that multiply the hazard; u belongs to the decider, v to the dyad.
    """
    rng = np.random.default_rng(seed)
    decider = rng.integers(0, accounts, count)
    initiator = (decider + rng.integers(1, accounts, count)) % accounts
    u, v = rng.normal(size=accounts)[decider], rng.normal(size=count)
    frailty = habit * rng.normal(size=accounts)
    linear = BETA[0] * u + BETA[1] * v + frailty[decider] + frailty[initiator]
    wait = 5.0 * (rng.exponential(np.exp(-linear))) ** 2
    watch = rng.uniform(0, 60, count)
    left = rng.exponential(1 / gone, count)
    days = np.minimum.reduce([wait, watch, left])
    state = np.select([days == wait, days == left], ["answered", "withdrawn"], "censored")
    waiting = pd.DataFrame({"initiator_id": initiator, "decider_id": decider,
                            "duration_days": days, "state": state})  # fmt: skip
    return waiting, pd.DataFrame({"u": u, "v": v})


def by_whole_days(seed: int, *, late: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return waits of 1 to 10 whole days, so that nobody leaves or enters within a bin of a day."""
    waiting, features = simulate(seed, 700)
    days = np.clip(np.ceil(waiting["duration_days"]), 1, 10)
    state = waiting["state"].where(waiting["duration_days"] <= 10, "censored")
    waiting = waiting.assign(duration_days=days, state=state)
    if late:
        entry = np.floor(np.random.default_rng(seed).random(700) * 0.8 * days)
        waiting["entry_days"] = entry
    return waiting, features


def expand(
    waiting: pd.DataFrame, features: pd.DataFrame, limits: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return design, outcome, weight and row of the expanded table, made by the definition.

    A bin counts for the share of its pooled Nelson–Aalen increment at which the dyad was at risk; a
    bin that holds the event counts once.
    """
    days, happened = waiting["duration_days"].to_numpy(), (waiting["state"] == "answered")
    entry = waiting.get("entry_days", pd.Series(0.0, waiting.index)).to_numpy()
    steps = []
    for moment in np.unique(days[happened]):
        at_risk = ((days >= moment) & ((entry == 0) | (entry < moment))).sum()
        steps.append((moment, (happened & (days == moment)).sum() / at_risk))
    moments, increments = np.array(steps).T

    def passed(low: float, high: float, *, is_first: bool) -> float:
        above = moments >= low if is_first else moments > low
        return float(increments[above & (moments <= high)].sum())

    design, outcome, weight, rows = [], [], [], []
    for row, (begin, end, is_event) in enumerate(zip(entry, days, happened, strict=True)):
        for place, (low, high) in enumerate(pairwise(limits)):
            inside = low < end <= high or (place == 0 and end == 0)
            if end <= low and not inside:
                continue
            part = passed(max(low, begin), min(high, end), is_first=low == begin == 0)
            share = part / passed(low, high, is_first=place == 0)
            is_answer = is_event and inside
            if share > 0 or is_answer:
                design.append([*(np.arange(len(limits) - 1) == place), *features.iloc[row]])
                outcome.append(float(is_answer))
                weight.append(1.0 if is_answer else share)
                rows.append(row)
    return np.array(design, float), np.array(outcome), np.array(weight), np.array(rows)


def fit_expanded(table, link: str):
    design, outcome, weight, _ = table
    family = sm.families.Binomial(LINKS[link]())
    model = sm.GLM(outcome, design, family=family, freq_weights=weight)
    return model.fit(tol=1e-13, maxiter=300)


def parameters(model) -> np.ndarray:
    return np.r_[model.baseline["alpha"], model.coefficients["estimate"]]


# -- the table that is never made ------------------------------------------------------------------


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("late", [False, True])
def test_whole_days_equal_the_expanded_table(link, late) -> None:
    waiting, features = by_whole_days(1, late=late)
    limits = np.arange(11.0)
    table = expand(waiting, features, limits)
    assert set(table[2]) == {1.0}
    assert len(table[0]) == (waiting["duration_days"] - waiting.get("entry_days", 0)).sum()
    oracle = fit_expanded(table, link)
    found = fit_hazard(waiting, features, link=link, limits=limits, covariance="classical")
    assert np.allclose(parameters(found), oracle.params, rtol=0, atol=1e-6)
    assert found.log_likelihood == pytest.approx(oracle.llf, rel=1e-9)
    errors = np.sqrt(np.diag(np.linalg.inv(-oracle.model.hessian(oracle.params))))
    assert np.allclose(np.sqrt(np.diag(found.covariance)), errors, rtol=1e-6)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("late", [False, True])
def test_parts_of_bins_equal_the_expanded_table(link, late) -> None:
    waiting, features = simulate(2, 500)
    waiting.loc[:3, "duration_days"] = 0.0
    if late:
        entry = np.random.default_rng(2).random(500) * waiting["duration_days"]
        waiting["entry_days"] = entry.where(np.arange(500) % 3 == 0, 0.0)
    limits = np.array([0.0, 0.05, 0.5, 3.0, 20.0])
    oracle = fit_expanded(expand(waiting, features, limits), link)
    found = fit_hazard(waiting, features, link=link, limits=limits)
    assert np.allclose(parameters(found), oracle.params, rtol=0, atol=1e-6)


@pytest.mark.parametrize("link", LINKS)
def test_robust_errors_equal_those_of_the_expanded_table(link) -> None:
    """Rows of the expanded table carry the accounts of their dyad: the one-row formula applies."""
    waiting, features = by_whole_days(3, late=True)
    limits = np.array([0.0, 1.0, 2.0, 4.0, 10.0])
    found = fit_hazard(waiting, features, link=link, limits=limits)
    design, outcome, weight, rows = expand(waiting, features, limits)
    eta = design @ parameters(found)
    hazard = np.exp(eta)
    if link == "cloglog":
        ratio = hazard / np.expm1(hazard)
        slope = np.where(outcome == 1, ratio, -weight * hazard)
        curve = np.where(outcome == 1, ratio * (ratio + hazard - 1), weight * hazard)
    else:
        chance = hazard / (1 + hazard)
        slope, curve = weight * (outcome - chance), weight * chance * (1 - chance)
    accounts = cov.code_accounts(
        waiting["initiator_id"].to_numpy()[rows], waiting["decider_id"].to_numpy()[rows]
    )
    scores = design * slope[:, None]
    assert np.allclose(scores.sum(axis=0), 0, atol=1e-7)
    expected = cov.dyadic_cr3(design, curve, scores, accounts)
    assert np.allclose(found.covariance, expected, rtol=1e-7, atol=1e-12)
    plain = fit_hazard(waiting, features, link=link, limits=limits, covariance="dyadic")
    information = (design * curve[:, None]).T @ design
    assert np.allclose(plain.covariance, cov.dyadic(scores, information, accounts), rtol=1e-7)


def test_one_bin_with_logit_is_the_logistic_model() -> None:
    waiting, features = by_whole_days(4, late=False)
    answered = (waiting["state"] == "answered").to_numpy()
    at_end = waiting.assign(duration_days=10.0, state=np.where(answered, "answered", "censored"))
    found = fit_hazard(at_end, features, link="logit", limits=[0, 10])
    oracle = fit_follow_back(
        features, answered, initiator=waiting["initiator_id"], decider=waiting["decider_id"]
    )
    assert np.allclose(parameters(found), oracle.beta, rtol=0, atol=1e-8)
    assert np.allclose(found.covariance, oracle.covariance, rtol=1e-6)


def test_memory_stays_below_the_expanded_table() -> None:
    waiting, features = simulate(5, 20_000, accounts=2000)
    risk = make_risk_sets(waiting, "answered", np.r_[0.0, np.geomspace(0.01, 60, 20)])
    expanded = 8 * (20 + 2) * int(risk.counts.sum())
    tracemalloc.start()
    fit_hazard(waiting, features, covariance="classical")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < expanded / 2


# -- planted truth ---------------------------------------------------------------------------------


def test_planted_proportional_hazards_are_recovered() -> None:
    found = [fit_hazard(*simulate(seed, 800)).coefficients for seed in range(30)]
    z = np.array([(one["estimate"] - BETA) / one["std_error"] for one in found])
    assert np.abs(z.mean(axis=0)).max() < 3 / np.sqrt(len(z))
    assert (np.abs(z) < 3).mean() > 0.95


def test_hazard_ratios_are_those_of_coxs_model() -> None:
    waiting, features = simulate(6, 4000)
    found = fit_hazard(waiting, features).coefficients
    cox = PHReg(waiting["duration_days"], features, status=waiting["state"] == "answered").fit()
    gap = np.abs(found["estimate"].to_numpy() - cox.params)
    assert (gap < 0.5 * found["std_error"].to_numpy()).all()


@pytest.mark.parametrize("link", LINKS)
def test_mean_prediction_adds_up_to_aalen_johansen(link) -> None:
    waiting, features = simulate(7, 4000, gone=0.03)
    # Later on hardly anybody is watched any more, and Aalen–Johansen itself is rough.
    model = fit_hazard(waiting, features, link=link, until_days=45)
    rival = fit_hazard(
        waiting, features, link=link, event="withdrawn", limits=model.limits, keep_all=True
    )
    table = compare_incidence(model, waiting, rival)
    assert table["gap"].abs().max() < 0.01
    # Without the rival the comparison is with Kaplan–Meier, which lies clearly higher.
    alone = compare_incidence(model, waiting)
    assert alone["gap"].abs().max() < 0.01
    assert alone["observed"].iloc[-1] > table["observed"].iloc[-1] + 0.03


def test_parts_of_bins_carry_no_bias_where_others_do() -> None:
    """Four wide bins, everybody cut off somewhere: 1 − exp(−t/10) is the truth."""
    rng = np.random.default_rng(8)
    wait, watch = rng.exponential(10.0, 8000), rng.uniform(0, 20, 8000)
    waiting = pd.DataFrame({
        "initiator_id": np.arange(8000), "decider_id": 8000 + np.arange(8000),
        "duration_days": np.minimum(wait, watch),
        "state": np.where(wait <= watch, "answered", "censored"),
    })  # fmt: skip
    limits = np.array([0.0, 2.0, 5.0, 10.0, 18.0])
    model = fit_hazard(waiting, waiting[[]], limits=limits)
    truth = -np.expm1(-limits[1:] / 10)
    found = predict_incidence(model, waiting[[]].head(1))[0]
    assert np.abs(found - truth).max() < 0.025
    # Leaving out who left within a bin, or counting them whole, misses by several times as much.
    last = np.clip(np.searchsorted(limits, waiting["duration_days"]) - 1, 0, 3)
    last = np.where(waiting["duration_days"] > 18, 4, last)
    answered = (waiting["state"] == "answered").to_numpy()
    for counts_whole in (0, 1):
        left = 1.0
        for place in range(4):
            events = (answered & (last == place)).sum()
            cut_off = (~answered & (last == place)).sum()
            left *= 1 - events / ((last > place).sum() + events + counts_whole * cut_off)
        assert abs((1 - left) - truth[-1]) > 2 * np.abs(found - truth).max()


def test_logit_and_cloglog_agree_on_what_comes_out() -> None:
    waiting, features = simulate(9, 3000)
    models = [fit_hazard(waiting, features, link=link) for link in LINKS]
    shares = [predict_incidence(model, features)[:, -1] for model in models]
    assert np.abs(shares[0] - shares[1]).mean() < 0.02
    assert np.corrcoef(shares)[0, 1] > 0.99


# -- rules -----------------------------------------------------------------------------------------


def test_names_order_and_units_do_not_matter() -> None:
    waiting, features = simulate(10, 600)
    order = np.random.default_rng(1).permutation(600)
    other = waiting.iloc[order].assign(
        initiator_id="n" + waiting["initiator_id"].iloc[order].astype(str),
        decider_id="n" + waiting["decider_id"].iloc[order].astype(str),
    )
    one = fit_hazard(waiting, features).coefficients
    two = fit_hazard(other, 10 + 1000 * features.iloc[order]).coefficients
    for name in ("estimate", "std_error", "ci_low", "ci_high"):
        assert np.allclose(one[name], 1000 * two[name], rtol=1e-7)


def test_unknown_values_are_left_out_and_counted() -> None:
    waiting, features = simulate(11, 600)
    features.loc[:49, "u"] = np.nan
    found = fit_hazard(waiting, features)
    assert found.used.sum() == 550
    assert "50 of 600 dyads" in found.notes[0]
    assert found.baseline["event_count"].sum() == (waiting["state"][50:] == "answered").sum()
    assert found.baseline["event_count"].min() >= 5


def test_waits_beyond_the_last_limit_are_cut_off_there() -> None:
    waiting, features = simulate(12, 800)
    found = fit_hazard(waiting, features, limits=[0, 1, 10])
    days = waiting["duration_days"]
    cut = waiting.assign(state=waiting["state"].where(days <= 10, "censored"),
                         duration_days=days.clip(upper=10))  # fmt: skip
    again = fit_hazard(cut, features, limits=[0, 1, 10])
    assert np.allclose(parameters(found), parameters(again), rtol=0, atol=1e-10)


def test_few_answers_carry_few_features() -> None:
    waiting, features = simulate(13, 300)
    days = waiting["duration_days"].clip(upper=0.2)
    waiting = waiting.assign(
        duration_days=days, state=waiting["state"].where(days < 0.2, "censored")
    )
    rng = np.random.default_rng(0)
    more = features.assign(**{f"x{place}": rng.normal(size=300) for place in range(8)})
    found = fit_hazard(waiting, more)
    assert found.names[:2] == ("u", "v")
    assert len(found.names) < 10
    assert "too few answers" in found.dropped["reason"].iloc[0]


def test_faults_are_named() -> None:
    waiting, features = simulate(14, 400)
    with pytest.raises(InputError, match="waiting has 400 rows and features 399"):
        fit_hazard(waiting, features.head(399))
    with pytest.raises(InputError, match="must be finite"):
        fit_hazard(waiting, features.replace({"u": {features["u"].iloc[0]: np.inf}}))
    with pytest.raises(InputError, match="1 is negative"):
        fit_hazard(
            waiting.assign(duration_days=np.r_[-1.0, waiting["duration_days"][1:]]), features
        )
    with pytest.raises(ParameterError, match="link: 'probit' is unknown"):
        fit_hazard(waiting, features, link="probit")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="no feature is called w"):
        fit_hazard(waiting, features, names=["w"])
    with pytest.raises(ParameterError, match="rising from 0"):
        fit_hazard(waiting, features, limits=[1, 2])
    with pytest.raises(CannotFitError, match="events among 400 dyads: too few"):
        fit_hazard(waiting, features, limits=[0, 1e-3])
    with pytest.raises(CannotFitError, match="no feature varies"):
        fit_hazard(waiting, features * 0)
    decides = pd.DataFrame({"u": (waiting["state"] == "answered").astype(float)})
    with pytest.raises(CannotFitError, match=r"u alone .nearly. decides"):
        fit_hazard(waiting, decides)
    model = fit_hazard(waiting, features)
    with pytest.raises(InputError, match="it needs the limits of the model"):
        predict_incidence(model, features, fit_hazard(waiting, features, limits=[0, 1, 60]))
    missing = features.assign(u=features["u"].where(np.arange(400) > 9))
    rival = fit_hazard(waiting, missing, limits=model.limits)
    with pytest.raises(InputError, match="fitted to the same rows"):
        compare_incidence(model, waiting, rival)


# -- coverage --------------------------------------------------------------------------------------


def try_world(seed: int) -> list[tuple[str, float, bool, bool]]:
    """Return term, z and whether the classical and the robust interval cover, one world.

    Habits of accounts draw hazard ratios towards 1 (they are no part of the model), so truth is
    what a fit to a very large world gives.
    """
    waiting, features = simulate(seed, 1200, accounts=60, habit=0.5)
    robust = fit_hazard(waiting, features).coefficients
    classical = fit_hazard(waiting, features, covariance="classical").coefficients
    rows = []
    for place, term in enumerate(robust["term"]):
        truth = LARGE[term]
        covers = [one["ci_low"][place] <= truth <= one["ci_high"][place]
                  for one in (classical, robust)]  # fmt: skip
        z = (robust["estimate"][place] - truth) / robust["std_error"][place]
        rows.append((str(term), float(z), *map(bool, covers)))
    return rows


def find_large() -> dict[str, float]:
    waiting, features = simulate(1, 300_000, accounts=60_000, habit=0.5)
    found = fit_hazard(waiting, features, covariance="classical").coefficients
    return dict(zip(found["term"], found["estimate"], strict=True))


LARGE: dict[str, float] = {}


def run_study(worlds: int) -> pd.DataFrame:
    """Return a row a world and term, and write the figures."""
    LARGE.update(find_large())
    rows = [(seed, *row) for seed in range(9_000, 9_000 + worlds) for row in try_world(seed)]
    table = pd.DataFrame(rows, columns=["seed", "term", "z", "classical_covers", "robust_covers"])
    table.to_csv(STUDIES / "hazard.csv", index=False, float_format="%.4f", lineterminator="\n")
    (STUDIES / "hazard.md").write_text("\n".join(describe(table)) + "\n", encoding="utf-8")
    return table


def describe(table: pd.DataFrame) -> list[str]:
    """Return the figures as lines of Markdown."""
    shares = table.groupby("term")[["classical_covers", "robust_covers"]].mean()
    lines = [
        "# Intervals of hazard ratios where accounts have habits",
        "",
        "Written by `make study` (`tests/test_hazard.py`). Worlds of 1,200 dyads between 60",
        "accounts, each of which multiplies its hazards by a habit of its own (log-normal, .5);",
        f"{table['seed'].nunique()} worlds. u belongs to the decider, v to the dyad. Truth is the",
        "estimate in a world of 300,000 dyads between 60,000 accounts.",
        "",
        "| term | as if independent | dyadic-robust | mean z | sd of z |",
        "|---|---|---|---|---|",
    ]
    for term, row in shares.iterrows():
        z = table.loc[table["term"] == term, "z"]
        lines.append(
            f"| {term} | {row['classical_covers']:.1%} | {row['robust_covers']:.1%} | "
            f"{z.mean():.2f} | {z.std():.2f} |".replace("-", "−")
        )
    return lines


@pytest.mark.study
def test_robust_intervals_cover_where_classical_ones_do_not() -> None:
    table = run_study(WORLDS)
    shares = table.groupby("term")[["classical_covers", "robust_covers"]].mean()
    assert shares.loc["u", "classical_covers"] < 0.8
    assert (shares["robust_covers"] > 0.9).all()


if __name__ == "__main__":
    print("\n".join(describe(run_study(int(sys.argv[1])))))
