"""Are the numbers of a personal report right? Simulated lives with known truth, read and studied.

`python tests/test_ego_study.py 0.1` runs a tenth of the study and writes its figures.
The truth is computed here from the lives alone, by nothing that the report uses.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ego_worlds import simulate_ego
from scipy import stats

from followkit.ego import EgoStudy, study_ego
from followkit.ego.alters import make_alters
from followkit.ego.checks import read_export
from followkit.ego.waits import add_chances, add_outcomes, make_ego_waiting, measure_rate
from followkit.simulate.exports import Life, make_life, write_export
from followkit.simulate.exports import life as making
from followkit.sources import load_dataset
from followkit.tables import Dataset

STUDIES = Path(__file__).parents[1] / "reports" / "studies"
#: Lives for the rate and its chances; for each kind of model; and fits for odds ratios.
RATES, LIVES, FITS = 500, 200, 100
SPAN_DAYS = 400
HORIZON = timedelta(days=30)
NOTHING = {"intercept": -0.3, "ego_acts_before_log": 0.0, "messages_before_log": 0.0}
#: Of the answers that are not a program's, so many leave again before the export.
LEAVE_SHARE = 0.05
#: Ages of open follows, in days, within which chances are compared with what came.
AGES = (0.0, 0.25, 1.0, 3.0, 7.0, 30.0, 90.0, 400.0)


@dataclass(frozen=True)
class Kind:
    """Lives of one kind: what is planted, and the platform whose file is written and read."""

    name: str
    coefficients: dict[str, float]
    platform: str
    variant: dict[str, str]
    alter_count: int = 250
    life_count: int = LIVES


KINDS = {
    "null": Kind("nothing planted, TikTok", NOTHING, "tiktok", {}),
    "null named": Kind("nothing planted, Instagram", NOTHING, "instagram", {"era": "E"}),
    "planted": Kind("planted, TikTok", dict(making.COEFFICIENTS), "tiktok", {}),
    "planted many": Kind("planted, TikTok", dict(making.COEFFICIENTS), "tiktok", {}, 1000, 60),
}


def open_life(life: Life, kind: Kind) -> Dataset:
    """Return what is read from the export that the life writes."""
    with TemporaryDirectory() as folder:
        write_export(life, kind.platform, folder, **kind.variant)
        return load_dataset(folder)


def find_expected(life: Life) -> float:
    """Return the mean chance that a follow old enough was answered in time, and still is.

    An answer comes at once from programs, else after a lognormal delay; some leave again.
    """
    z = np.log(HORIZON.total_seconds() / making.DELAY_MEDIAN_S) / making.DELAY_SPREAD
    slow = (1 - making.AUTOMATIC_SHARE) * (1 - LEAVE_SHARE) * stats.norm.cdf(z)
    kept = making.AUTOMATIC_SHARE + slow
    chances = {row["number"]: row["chance"] * kept for row in life.truth["dyads"]}
    found = []
    for alter in life.alters:
        at = alter.following_at
        if at is None or alter.is_deleted or life.exported_at - at < HORIZON:
            continue
        if alter.follower_at is None or alter.follower_at > at:
            # The oldest mutuals answer by construction.
            found.append(chances.get(alter.number, 1.0))
    return float(np.mean(found))


def count_later(life: Life, study: pd.DataFrame, moment: Any) -> list[tuple[float, ...]]:
    """Return age, chance told, its interval and whether the answer came, a row an open follow."""
    early = life.as_of(moment)
    number = {alter.account: alter.number for alter in early.alters}
    final = {alter.number: alter for alter in life.alters}
    rows = []
    for row in study[study["waiting_days"].notna()].itertuples():
        alter = final[number[row.alter_id]]
        backs = [at for at in (alter.follower_at, alter.was_follower_at) if at]
        came = any(moment < at <= moment + HORIZON for at in backs)
        rows.append((row.waiting_days, row.probability_still, row.still_low, row.still_high, came))
    return rows


def tell_chances(data: Dataset) -> pd.DataFrame:
    """Return the alters of an export with their chances, without fitting a model."""
    export = read_export(data)
    alters = add_outcomes(make_alters(data, export), export, 30.0)
    return add_chances(alters, make_ego_waiting(alters, export), days=30.0, confidence=0.95)


def try_rate(seed: int) -> tuple[dict[str, Any], list[tuple[float, ...]]]:
    """Return whether the rate's interval holds the truth, and the calibration of an earlier one."""
    kind = KINDS["planted"]
    life = make_life(seed, kind.alter_count, coefficients=kind.coefficients, span_days=SPAN_DAYS)
    data = open_life(life, kind)
    export = read_export(data)
    rate = measure_rate(
        add_outcomes(make_alters(data, export), export, 30.0), export, 30.0, 0.95
    )  # fmt: skip
    truth, moment = find_expected(life), life.exported_at - HORIZON
    chances = tell_chances(open_life(life.as_of(moment), kind))
    line = {"n": rate.n, "rate": rate.rate, "truth": truth,
            "is_held": rate.ci_low <= truth <= rate.ci_high}  # fmt: skip
    return line, count_later(life, chances, moment)


def try_life(seed: int, name: str) -> dict[str, Any]:
    """Return what one life's whole report says of what goes with an answer."""
    kind = KINDS[name]
    life = make_life(seed, kind.alter_count, coefficients=kind.coefficients, span_days=SPAN_DAYS)
    study = study_ego(open_life(life, kind), seed=seed)
    return {"seed": seed, "kind": name, **tell_findings(study)}


def tell_findings(study: EgoStudy) -> dict[str, Any]:
    """Return the verdict of the model, and that of the groups of contact."""
    effects = study.model.effects
    wrote = study.contacts[study.contacts["contact"].isin(["wrote_both", "alter_wrote",
                                                           "ego_wrote"])]  # fmt: skip
    return {
        "verdict": study.model.verdict, "n": study.model.n, "is_better": study.model.is_better,
        "clear": int((effects["p_holm"] < 0.05).sum()) if len(effects) else 0,
        "contacts_p": study.contacts_p, "is_different": study.contacts_p < 0.05,
        "wrote_count": int(wrote["n"].sum()),
    }  # fmt: skip


def try_slopes(seed: int) -> list[tuple[float, ...]]:
    """Return truth and interval of log odds ratios of a model that was found better, or nothing."""
    truth = {"ego_likes_log": 0.8, "ego_comments_log": 0.4, "ego_messages_log": 0.0}
    slopes = {"like": 0.8, "comment": 0.4}
    model = study_ego(simulate_ego(seed, 300, intercept=-1.0, slopes=slopes), seed=seed).model
    table = model.effects.set_index("term")
    doubling = np.log(2)
    return [
        (value, *(np.log(table.loc[term, ["odds_ratio", "ci_low", "ci_high"]].astype(float))
                  / doubling).tolist())
        for term, value in truth.items() if term in table.index
    ]  # fmt: skip


def try_threads(seed: int) -> list[tuple[bool, bool]]:
    """Return whose thread would be found by name, and who answered, with nothing planted."""
    kind = KINDS["null named"]
    data = open_life(make_life(seed, 1000, coefficients=kind.coefficients), kind)
    export = read_export(data)
    alters = add_outcomes(make_alters(data, export), export, 30.0)
    rows = alters[alters["is_in_rate"]]
    return list(zip(rows["display_name"].notna(), rows["is_answered_in_time"], strict=True))


def calibrate(rows: list[tuple[float, ...]]) -> pd.DataFrame:
    """Return, by the age of open follows, the mean chance told and the share that was answered."""
    table = pd.DataFrame(rows, columns=["age", "chance", "low", "high", "came"])
    table = table[table["chance"].notna()].astype(float)
    table["group"] = pd.cut(table["age"], AGES, right=False, labels=False)
    lines = []
    for group, part in table.groupby("group"):
        told = part["chance"]
        error = np.sqrt((told * (1 - told)).sum()) / len(part)
        lines.append({
            "from_days": AGES[int(group)], "to_days": AGES[int(group) + 1], "n": len(part),
            "told": told.mean(), "came": part["came"].mean(), "error": error,
            "z": (part["came"].mean() - told.mean()) / error if error else np.nan,
        })  # fmt: skip
    return pd.DataFrame(lines)


def run_study(scale: float = 1.0) -> dict[str, pd.DataFrame]:
    """Return what each part found, and write the figures."""
    parts = draw_parts(scale)
    STUDIES.mkdir(parents=True, exist_ok=True)
    figures = list_figures(parts)
    figures.to_csv(STUDIES / "personal.csv", index=False, float_format="%.5g",
                   lineterminator="\n")  # fmt: skip
    (STUDIES / "personal.md").write_text("\n".join(describe(parts)) + "\n", encoding="utf-8")
    return parts


def draw_parts(scale: float = 1.0) -> dict[str, pd.DataFrame]:
    """Return what each part found in a share of the lives."""
    rates, rows = [], []
    for seed in range(round(RATES * scale)):
        line, found = try_rate(seed)
        rates.append(line)
        rows += found
    lives = [
        try_life(seed, name)
        for name, kind in KINDS.items() for seed in range(round(kind.life_count * scale))
    ]  # fmt: skip
    slopes = [row for seed in range(round(FITS * scale)) for row in try_slopes(seed)]
    threads = [row for seed in range(max(round(8 * scale), 1)) for row in try_threads(seed)]
    return {
        "rate": pd.DataFrame(rates), "chance": calibrate(rows), "model": pd.DataFrame(lives),
        "slopes": pd.DataFrame(slopes, columns=["truth", "estimate", "low", "high"]),
        "threads": pd.DataFrame(threads, columns=["is_found", "is_answered"]),
    }  # fmt: skip


def list_figures(parts: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return every figure as a row: part, what, n, value, error."""
    rates, slopes = parts["rate"], parts["slopes"]
    gap = rates["rate"] - rates["truth"]
    lines = [
        ("rate", "interval holds the truth", len(rates), *share(rates["is_held"])),
        ("rate", "estimate less truth", len(rates), gap.mean(), gap.std() / np.sqrt(len(gap))),
    ]
    for row in parts["chance"].itertuples():
        what = f"open for {row.from_days:g} to {row.to_days:g} days"
        lines += [("chance", f"{what}: told", row.n, row.told, 0.0),
                  ("chance", f"{what}: came", row.n, row.came, row.error)]  # fmt: skip
    for name, part in parts["model"].groupby("kind", sort=False):
        told = f"{KINDS[name].name}, {KINDS[name].alter_count:,} accounts"
        lines += [
            ("model", f"{told}: found better", len(part), *share(part["is_better"])),
            ("contacts", f"{told}: groups differ", len(part), *share(part["is_different"])),
        ]
    held = (slopes["low"] <= slopes["truth"]) & (slopes["truth"] <= slopes["high"])
    lines.append(("odds ratios", "intervals shown hold the truth", len(slopes), *share(held)))
    for truth, part in slopes.groupby("truth"):
        gap = part["estimate"] - part["truth"]
        what = f"log odds ratio of {truth:g}: estimate less truth"
        lines.append(("odds ratios", what, len(part), gap.mean(), gap.std() / np.sqrt(len(gap))))
    for is_found, part in parts["threads"].groupby("is_found"):
        what = f"{'a' if is_found else 'no'} name by which a thread is found: answered"
        lines.append(("threads", what, len(part), *share(part["is_answered"])))
    return pd.DataFrame(lines, columns=["part", "what", "n", "value", "error"])


def share(flags: pd.Series) -> tuple[float, float]:
    """Return a share and its Monte-Carlo error."""
    p = float(flags.mean())
    return p, float(np.sqrt(p * (1 - p) / max(len(flags), 1)))


def describe(parts: dict[str, pd.DataFrame]) -> list[str]:
    """Return the figures as lines of Markdown."""
    figures = list_figures(parts)
    rows = [
        f"| {row.part} | {row.what} | {row.n:,} | {row.value:.4f} | {row.error:.4f} |"
        for row in figures.itertuples()
    ]
    size = parts["model"].groupby("kind", sort=False)["n"].mean()
    told = "; ".join(f"{name}: {count:.0f}" for name, count in size.items())
    return [
        "# The personal report against the truth",
        "",
        "Written by `make study` (`tests/test_ego_study.py`). Lives of one account are drawn,",
        "written as the platform's export, read again and studied. Truth comes from the lives.",
        "",
        "- rate: the mean chance of the follows that count: answered within 30 days, and not gone",
        "  again by the export. Intervals are Wilson's, 95 %; chances of follows differ, so they",
        "  may hold a little more often than that.",
        "- chance: exports made 30 days before the end of each life. Of the follows open there,",
        "  the mean chance told, and the share that was really answered in the next 30 days, by",
        "  the age of the follow.",
        "- model: how often it is found better than the base rate. With nothing planted that is",
        "  false. Follows in it, mean: " + told + ".",
        "- contacts: how often groups by contact are said to differ (level .05).",
        "- odds ratios: planted slopes 0.8, 0.4 and 0 on 300 follows; only of models that were",
        "  found better, as in a report, so estimates are too large by selection.",
        "- threads: Instagram shows messages by display name, and names are found by acts, later",
        "  ones too. With nothing planted both shares should agree; they do not, which is why",
        "  messages are compared with answers only where nearly everybody has a name.",
        "",
        "| part | what | n | value | Monte-Carlo error |",
        "|---|---|---:|---:|---:|",
        *rows,
    ]


def check_parts(parts: dict[str, pd.DataFrame], *, slack: float) -> None:
    """Check what a report promises; `slack` is how many Monte-Carlo errors are allowed."""
    rates, chance = parts["rate"], parts["chance"]
    error = np.sqrt(0.95 * 0.05 / len(rates))
    assert rates["is_held"].mean() > 0.95 - slack * error
    gap = rates["rate"] - rates["truth"]
    assert abs(gap.mean()) < slack * gap.std() / np.sqrt(len(gap))
    # Follows of one life share its estimate, so each age may miss by more than its own error.
    assert (chance["z"].abs() < slack + 1).all(), chance
    for name, part in parts["model"].groupby("kind", sort=False):
        if name.startswith("null"):
            most = 0.05 + slack * np.sqrt(0.05 * 0.95 / len(part))
            assert part["is_better"].mean() <= most, name
            assert part["is_different"].mean() <= most, name


def test_a_few_lives_hold_against_the_truth() -> None:
    """A small part of the study: rates and chances of six lives, models of two a kind."""
    rates, rows = [], []
    for seed in range(6):
        line, found = try_rate(seed)
        rates.append(line)
        rows += found
    lives = [try_life(seed, name) for name in ("null", "null named") for seed in range(2)]
    parts = {"rate": pd.DataFrame(rates), "chance": calibrate(rows), "model": pd.DataFrame(lives)}
    check_parts(parts, slack=3.0)
    assert parts["chance"]["n"].sum() > 300
    # The oldest ages have almost no chance left, the youngest have some.
    assert parts["chance"]["told"].iloc[-1] < 0.01 < parts["chance"]["told"].iloc[0]
    # Threads of Instagram are found by later contact, so they make no group.
    wrote = parts["model"].groupby("kind")["wrote_count"].sum()
    assert wrote["null"] > 0
    assert wrote["null named"] == 0


@pytest.mark.study
def test_the_report_holds_against_the_truth() -> None:
    parts = run_study()
    check_parts(parts, slack=3.0)
    found = parts["model"].groupby("kind")[["is_better", "is_different"]].mean()
    # Many follows are needed for a model; groups say it sooner.
    assert found.loc["planted many", "is_better"] > 0.2
    assert found.loc["planted many", "is_different"] > 0.9
    assert found.loc["planted", "is_different"] > 2 * found.loc["null", "is_different"]
    by_name = parts["threads"].groupby("is_found")["is_answered"].agg(["mean", "count"])
    # What the report leaves out would be false: with nothing planted the two must agree.
    error = np.sqrt((by_name["mean"] * (1 - by_name["mean"]) / by_name["count"]).sum())
    assert by_name["mean"].diff().iloc[-1] > 3 * error
    slopes = parts["slopes"]
    held = (slopes["low"] <= slopes["truth"]) & (slopes["truth"] <= slopes["high"])
    assert held.mean() > 0.88


if __name__ == "__main__":
    print("\n".join(describe(run_study(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0))))
