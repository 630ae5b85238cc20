"""Sentences and reading tables for a comparison of data sets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from followkit import words
from followkit.comparison import Comparison
from followkit.html import Summary
from followkit.naive import LEAK_SETS

#: A split by time that trains on a smaller share of the dyads is noted.
LEAST_TRAINED = 0.1
MODEL, BOOSTING, BASE = "full_logistic", "gradient_boosting", "prevalence"
#: The features of the headline on leakage; the other sets stand beside it in the table.
MAIN_FEATURES = next(iter(LEAK_SETS))


def name_question(question: str, horizon_days: float = 30.0) -> str:
    """Return what was asked in a few words.

    Examples
    --------
    >>> name_question("follow_back", 30.0), name_question("mutuality")
    ('answered within 30 days', 'mutual')
    """
    if question == "mutuality":
        return "mutual"
    if question == "late_answer":
        return "late answer"
    return (
        f"answered within {words.days(horizon_days)}" if np.isfinite(horizon_days) else "answered"
    )


def shorten(label: str) -> str:
    """Return the label of a rung without what stands in brackets, for the head of a column.

    Examples
    --------
    >>> shorten("triads (after Hopcroft et al., pseudo-likelihood)")
    'triads'
    """
    return label.split(" (")[0]


def list_scored(comparison: Comparison) -> pd.DataFrame:
    """Return the rungs with an AUC on the split of headlines, with a `title` a data set."""
    table = comparison.table
    kept = table[table["is_main"].astype(bool) & table["auc"].notna()].reset_index(drop=True)
    return kept.assign(title=_titles(kept))


def _titles(rows: pd.DataFrame) -> list[str]:
    return [
        f"{row.data}: {name_question(row.question, row.horizon_days)}"
        for row in rows.itertuples(name="Row")
    ]


def make_overview(comparison: Comparison) -> pd.DataFrame:
    """Return one row a data set and question: its dyads, its base rate, and AUC by rung.

    Columns data, asked, dyads, rate, then the label of every rung but the base rate, in the order
    of the ladder; and, where they were scored, naive and leak_free AUC and their difference
    false_gain, for the features of `MAIN_FEATURES`.
    """
    scored = list_scored(comparison)
    rungs = _order_rungs(scored)
    rows = []
    for (data, question), part in scored.groupby(["data", "question"], sort=False):
        first = part.iloc[0]
        values = dict(zip(part["label"], part["auc"], strict=True))
        head = {
            "data": data, "asked": name_question(str(question), first["horizon_days"]),
            "dyads": int(first["dyad_count"]), "rate": first["rate"],
        }  # fmt: skip
        rows.append(head | {shorten(label): values.get(label, np.nan) for label in rungs}
                    | _find_leak(comparison, str(data), str(question)))  # fmt: skip
    return pd.DataFrame(rows)


def _order_rungs(scored: pd.DataFrame) -> list[str]:
    """Return labels of rungs in the order of the ladder, taken from every data set together."""
    place = scored.groupby(["data", "question"], sort=False).cumcount()
    order = place.groupby(scored["label"], sort=False).max().sort_values(kind="stable")
    base = set(scored.loc[scored["rung"] == BASE, "label"])
    return [str(label) for label in order.index if label not in base]


def _find_leak(comparison: Comparison, data: str, question: str) -> dict[str, float]:
    found = list_leaks(comparison)
    if found.empty:
        return {}
    row = found[(found["data"] == data) & (found["question"] == question)]
    if row.empty:
        return dict.fromkeys(("naive", "leak_free", "false_gain"), np.nan)
    one = row.iloc[0]
    return {"naive": one["naive_auc"], "leak_free": one["auc"], "false_gain": one["gain"]}


def list_rungs(comparison: Comparison) -> pd.DataFrame:
    """Return the rungs to draw: title, kind, auc, auc_low, auc_high, rate; no base rates.

    The kind is model (the full logistic one), baseline (rungs below it) or further (above it).
    """
    scored = list_scored(comparison)
    keys = ["data", "question"]
    place = scored.groupby(keys, sort=False).cumcount()
    models = place.where(scored["rung"] == MODEL).groupby([scored[key] for key in keys], sort=False)
    is_below = (place < models.transform("max")).to_numpy(dtype=bool)
    is_model = (scored["rung"] == MODEL).to_numpy()
    kind = np.select([is_model, is_below], ["model", "baseline"], "further")
    kept = scored.assign(kind=kind)[scored["rung"] != BASE]
    return kept[["title", "kind", "label", "auc", "auc_low", "auc_high", "rate"]].reset_index(
        drop=True
    )


def list_leaks(comparison: Comparison) -> pd.DataFrame:
    """Return what leakage seems to be worth, split and features of the headline, with titles."""
    table = comparison.leaks
    chosen = table["is_main"].astype(bool) & (table["features"] == MAIN_FEATURES)
    kept = table[chosen & table["gain"].notna()].reset_index(drop=True)
    horizons = comparison.table.groupby(["data", "question"])["horizon_days"].first()
    keys = pd.MultiIndex.from_frame(kept[["data", "question"]])
    kept = kept.assign(horizon_days=horizons.reindex(keys).to_numpy(float))
    return kept.assign(title=_titles(kept))


def list_failures(comparison: Comparison) -> pd.DataFrame:
    """Return data, asked and reason of every data set and question without any score."""
    table = comparison.table
    rows = []
    for (data, question), part in table.groupby(["data", "question"], sort=False):
        if part["auc"].notna().any():
            continue
        told = part.loc[part["reason"] != "", "reason"]
        asked = name_question(str(question), part["horizon_days"].iloc[0]) if question else ""
        rows.append((data, asked, told.iloc[0] if len(told) else "no score could be made"))
    return pd.DataFrame(rows, columns=["data", "asked", "reason"])


def describe_comparison(comparison: Comparison) -> Summary:
    """Say in plain words how far each question can be answered, and what leaks would add."""
    scored = list_scored(comparison)
    failed = len(list_failures(comparison))
    lost = f" {describe_failures(comparison).text}" if failed else ""
    if scored.empty:
        return Summary(make_overview(comparison), f"No data set could be scored.{lost}")
    text = " ".join(filter(None, [_say_models(scored), _say_lead(list_leaks(comparison))]))
    return Summary(
        make_overview(comparison), f"{text}{lost}",
        "AUC on dyads held out", notes=(*NOTES, *_note_thin(scored)),
    )  # fmt: skip


def describe_headline(comparison: Comparison) -> str:
    """Return the answer in one sentence, for lists of reports."""
    scored = list_scored(comparison)
    if scored.empty:
        return "No data set could be scored."
    return _say_models(scored).split(" Base rates")[0]


def describe_counted(comparison: Comparison) -> str:
    """Say who was counted, for the card that says what a report may be used for."""
    models = list_scored(comparison)
    models = models[models["rung"] == MODEL]
    return (
        f"Counted here: {words.count(models['dyad_count'].sum(), 'dyad')} in "
        f"{words.count(len(models), 'question')} asked of "
        f"{words.count(models['data'].nunique(), 'data set')}, each by itself. Everybody else is "
        "not in these numbers."
    )


NOTES = (
    "AUC is the probability that an answered dyad (a mutual tie) is ranked above one that is not; "
    "0.5 is chance. Each row is scored on dyads that its models never saw.",
    "Rows ask different questions of different people: a higher AUC does not make one network more "
    "reciprocal than another, and a mutual tie is not an answer.",
)


def _note_thin(scored: pd.DataFrame) -> list[str]:
    """Say where a split by time leaves too little to train on to be a fair test."""
    models = scored[(scored["rung"] == MODEL) & (scored["split"] == "time")]
    thin = models[models["train_count"] < LEAST_TRAINED * models["dyad_count"]]
    return [
        f"{row.title}: within one horizon of the first test follow nothing may train, which leaves "
        f"{words.count(row.train_count)} of {words.count(row.dyad_count)} dyads; the first of "
        "their kind are a poor teacher. The split by accounts is among all scores."
        for row in thin.itertuples(name="Row")
    ]


METHOD = (
    "Each data set is analysed as in its own report: the same dyads, the same leak-free features, "
    "the same ladder. Where follows have times, scores are of the last three tenths of them, with "
    "a gap of one horizon; else accounts are held out. Intervals let dyads that share an account "
    "move together.",
    "Answers left in: in a snapshot nothing is masked; timed follows are taken as they stand in "
    "the end; of two crawls, the later one. Leak-free: without any tie of the dyad's fold, "
    "strictly before the follow, or at the first crawl. Both are scored on the same dyads, and "
    "their difference is taken dyad by dyad.",
)


def _say_models(scored: pd.DataFrame) -> str:
    models = scored[scored["rung"] == MODEL].sort_values("auc", kind="stable")
    if models.empty:
        return "No data set could carry the full model."
    low, high = models.iloc[0], models.iloc[-1]
    if len(models) == 1:
        return (
            f"Asked of {low['title']}: the full model ranks a yes above a no with probability "
            f"{_score(low)}; 0.5 is chance."
        )
    rates = words.percent_range(models["rate"].min(), models["rate"].max())
    return (
        f"{words.count(len(models), 'question')} asked of "
        f"{words.count(models['data'].nunique(), 'data set')}: the full model ranks dyads with an "
        f"AUC from {low['auc']:.2f} ({low['title']}) to {high['auc']:.2f} ({high['title']}); "
        f"0.5 is chance. Base rates run from {rates}."
    )


def _score(row: Any) -> str:
    if not np.isfinite(row["auc_low"]):
        return f"{row['auc']:.2f}"
    return f"{row['auc']:.2f} (interval {row['auc_low']:.2f} to {row['auc_high']:.2f})"


def _say_best(scored: pd.DataFrame) -> str:
    """Say which rung ranks best how often."""
    models = scored[scored["rung"] == MODEL]
    if len(models) < 2:
        return ""
    best = scored.loc[scored.groupby(["data", "question"], sort=False)["auc"].idxmax()]
    wins = best["label"].value_counts()
    told = [f"{shorten(str(label))} in {count}" for label, count in wins.items()]
    return f"The rung that ranks best is {words.join(told)} of {len(best)}."


def describe_rungs(comparison: Comparison) -> Summary:
    """Say how much the full model adds to the rungs below it, and further models to it."""
    rungs = list_rungs(comparison)
    if not (rungs["kind"] == "model").any():
        return Summary(rungs, "No full model was scored.")
    best = rungs.pivot_table(index="title", columns="kind", values="auc", aggfunc="max")
    best = best.reindex(columns=["baseline", "model", "further"])
    text = (
        f"{_say_best(list_scored(comparison))} Next to the best simpler rule, the full logistic "
        f"model gains {_range(best['model'] - best['baseline'])} in AUC; next to the full model, "
        f"the best of trees and triads gains {_range(best['further'] - best['model'])}."
    )
    return Summary(rungs, text.strip(), "Every rung of the ladder, data set by data set")


def _range(gains: pd.Series) -> str:
    known = gains.dropna()
    if known.empty:
        return "an unknown amount"
    low, high = _gain(known.min()), _gain(known.max())
    return low if low == high else f"{low} to {high}"


def describe_leaks(comparison: Comparison) -> Summary:
    """Say what the same model would seem to be worth with the answers left in its features."""
    text = _say_leaks(list_leaks(comparison))
    if not text:
        return Summary(pd.DataFrame(), "Features with the answers left in were not scored.")
    return Summary(list_leaks(comparison), text, "AUC with the answers left in, and leak-free")


def describe_failures(comparison: Comparison) -> Summary:
    """Say which data sets and questions could not be scored."""
    failed = list_failures(comparison)
    if failed.empty:
        return Summary(failed, "Every data set could be scored.")
    lines = words.count(len(failed), "data set or question", "data sets or questions")
    return Summary(failed, f"{lines} could not be scored.", "Not scored, and why")


def _say_leaks(leaks: pd.DataFrame) -> str:
    if leaks.empty:
        return ""
    ordered = leaks.sort_values("gain", kind="stable")
    low, high = ordered.iloc[0], ordered.iloc[-1]
    clear = int((leaks["gain_low"] > 0).sum())
    spread = (
        f"{_gain(high['gain'])} ({high['title']})"
        if len(leaks) == 1
        else f"{_gain(low['gain'])} ({low['title']}) to {_gain(high['gain'])} "
             f"({high['title']})"
    )  # fmt: skip
    return (
        "Had degrees, ratios, shared neighbours and the decider's past rate been computed with the "
        f"answers left in, the same simple model would seem better by {spread} in AUC; in {clear} "
        f"of {len(leaks)} the interval is above 0. None of that would hold for a new follow."
    )


def _say_lead(leaks: pd.DataFrame) -> str:
    """Say in a sentence what leakage would seem to be worth."""
    if leaks.empty:
        return ""
    return (
        "Features computed with the answers left in, as is often done, would make a simple model "
        f"look better by {_range(leaks['gain'])} in AUC, and none of that would hold for a new "
        "follow."
    )


def _gain(gain: float) -> str:
    return f"{gain:+.3f}".replace("-", "−")


def collect_comparison(comparison: Comparison) -> dict[str, Any]:
    """Return the numbers of `summary.json`: the overview, the leaks and what failed."""
    leaks = comparison.leaks.drop(columns="is_main")
    return {
        "overview": _list_records(make_overview(comparison)),
        "leaks": _list_records(leaks),
        "failed": _list_records(list_failures(comparison)),
    }


def _list_records(table: pd.DataFrame) -> Sequence[dict[Any, Any]]:
    return table.astype(object).where(table.notna(), None).to_dict("records")
