"""What exploring shows, in words: each function returns a `Summary`, sentence and table in one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from followkit import words
from followkit.analysis import STATE_LABELS, Analysis
from followkit.binned import FeatureLook
from followkit.describe import QUESTION_WORDS
from followkit.dyads import QUESTIONS, find_questions
from followkit.explain import Explanation
from followkit.features import CATALOGUE, CLAIMS, FACTORS
from followkit.features.needs import describe_needs
from followkit.histories import Prediction, get_row
from followkit.html import Summary
from followkit.tables import Dataset

NOT_TIMED = "Follows carry no times here, so what happened before one cannot be laid out."
#: A unit that differs in more than chance is told so only if intervals do not overlap.
SIGNS = {1: "more", -1: "less", 0: "no claim about the direction"}


# -- the data ----------------------------------------------------------------------------------


def describe_questions(dataset: Dataset) -> Summary:
    """Say which of the three questions the data can answer, and what the others lack."""
    lacking = find_questions(dataset)
    table = pd.DataFrame({
        "question": list(QUESTIONS),
        "asks": [QUESTION_WORDS[name].split(": ", 1)[1] for name in QUESTIONS],
        "can_be_answered": [not lacking[name] for name in QUESTIONS],
        "lacks": [lacking[name] or None for name in QUESTIONS],
    })  # fmt: skip
    able = [name.replace("_", " ") for name in QUESTIONS if not lacking[name]]
    text = f"These data can answer: {words.join(able)}."
    return Summary(table, text, "Questions")


def describe_unknown(table: pd.DataFrame) -> Summary:
    """Say where most is unknown."""
    if table.empty:
        return Summary(table, "No value is unknown in any column that is there.")
    worst = table.sort_values("unknown_share", ascending=False, kind="stable").iloc[0]
    text = (
        f"{words.count(len(table), 'column')} have unknown values, {worst['column']} of "
        f"{worst['table']} most often ({words.percent(worst['unknown_share'])}). Unknown stays "
        "unknown: nothing is filled in."
    )
    return Summary(table, text, "Unknown values")


def describe_times(table: pd.DataFrame) -> Summary:
    """Say which events have times, from when to when."""
    if table.empty:
        return Summary(table, "No follow, post or act carries a time.")
    happened = table[table["count"] > 0]
    parts = [
        f"{words.count(part['count'].sum())} {what} ({_span(part['at'])})"
        for what, part in happened.groupby("what", sort=False)
    ]
    text = f"With a time: {words.join(parts)}."
    return Summary(table, text, "Events by time")


def _span(at: pd.Series) -> str:
    first, last = f"{at.min():%Y-%m}", f"{at.max():%Y-%m}"
    return first if first == last else f"{first} to {last}"


def describe_watched(watched: pd.DataFrame, crawls: pd.DataFrame) -> Summary:
    """Say when accounts were watched, or when their lists were crawled."""
    if not crawls.empty:
        parts = [
            f"{row.at:%Y-%m-%d} ({words.count(row.lists, 'list')}, {words.count(row.complete)} "
            "read whole)"
            for row in crawls.itertuples(name="Row")
        ]
        text = f"Follow lists were crawled on {words.join(parts)}."
        if watched.empty:
            return Summary(crawls, text, "Crawls")
    elif watched.empty:
        text = (
            "Nothing says when accounts were watched: all count as watched from the first follow "
            "to the last, so an absent follow may only be one that nobody could see."
        )
        return Summary(watched, text)
    else:
        text = ""
    parts = [
        f"{what} of up to {words.count(part['watched'].max(), 'account')} ({_span(part['at'])})"
        for what, part in watched[watched["watched"] > 0].groupby("what", sort=False)
    ]
    return Summary(watched, f"{text} Watched: {words.join(parts)}.".strip(), "Accounts watched")


def describe_churn(table: pd.DataFrame) -> Summary:
    """Say how many follows were withdrawn and made again."""
    row = table.set_index("step")
    text = (
        f"{words.count(row.loc['withdrawn', 'count'])} of "
        f"{words.count(row.loc['follows read', 'count'], 'follow')} "
        f"({words.percent(row.loc['withdrawn', 'share'])}) were seen to be withdrawn, "
        f"{words.count(row.loc['followed again', 'count'])} were made again."
    )
    return Summary(table, text, "What became of follows")


def describe_degrees(table: pd.DataFrame) -> Summary:
    """Say how unequal followers and followees are."""
    parts = []
    for side, part in table.groupby("side", sort=False):
        busy = part[part["share"] >= 0.01]
        edge = int(busy["degree"].max()) if len(busy) else int(part["degree"].min())
        parts.append(f"the busiest 1 % of accounts have {words.count(edge)} or more {side}")
    text = f"{words.join(parts)}; the most are ".capitalize()
    most = table.groupby("side", sort=False)["degree"].max()
    text += words.join([f"{words.count(value)} {side}" for side, value in most.items()]) + "."
    return Summary(table, text, "Accounts with at least so many followers and followees")


def describe_horizons(table: pd.DataFrame) -> Summary:
    """Say what longer horizons cost in dyads and bring in answers."""
    if table.empty:
        return Summary(table, "Without times of follows there is no horizon to choose.")
    first, last = table.iloc[0], table.iloc[-1]
    text = (
        f"Within {words.days(first['horizon_days'])} {words.percent(first['rate'])} of "
        f"{words.count(first['dyads'], 'dyad')} were answered, within "
        f"{words.days(last['horizon_days'])} {words.percent(last['rate'])} of "
        f"{words.count(last['dyads'])}. A longer horizon sees more answers, but fewer follows are "
        f"old enough for it: {words.count(last['too_young'])} are too young for the longest."
    )
    notes = ["Only dyads whose decider was watched from the follow to the horizon, whatever came."]
    return Summary(table, text, "Horizons that these data carry", notes=notes)


# -- one factor, one feature -------------------------------------------------------------------


def describe_factor(analysis: Analysis, claims: pd.DataFrame, factor: int) -> Summary:
    """Say what of a factor these data measure, with odds ratios and verdicts.

    The table has a row a feature that was computed: label, odds_ratio (in the model, with its step
    and interval, in words; missing outside it), claim, verdict (where the feature decides about
    the claim), known (share of the dyads), feature.
    """
    values = analysis.features.values
    names = [name for name in values if CATALOGUE[name].factor == factor]
    title = FACTORS[factor].lower()
    if not names:
        reasons = analysis.features.missing
        is_own = [CATALOGUE[name].factor == factor for name in reasons["feature"]]
        why = next(iter(reasons.loc[is_own, "reason"]), "nothing was asked for")
        return Summary(pd.DataFrame(), f"Nothing of factor {factor}, {title}, is measured: {why}.")
    verdicts = claims.set_index("claim")["verdict"]
    rows = []
    for name in names:
        entry = CATALOGUE[name]
        judged = name in CLAIMS[entry.claim].contrast
        verdict = verdicts.get(entry.claim) if judged else None
        known = float(values[name].notna().mean())
        rows.append((entry.label, _tell_odds(analysis, name), entry.claim, verdict, known, name))
    columns = ["label", "odds_ratio", "claim", "verdict", "known", "feature"]
    table = pd.DataFrame(rows, columns=columns)
    used = int(table["odds_ratio"].notna().sum())
    text = (
        f"Factor {factor}, {title}: {words.count(len(table), 'feature')} measured, "
        f"{words.count(used)} in the model."
    )
    return Summary(table, text, f"Features of factor {factor}")


def _tell_odds(analysis: Analysis, name: str) -> str | None:
    """Return a feature's odds ratio in the model with its step and interval; None outside it."""
    rows = analysis.effects[analysis.effects["term"] == name]
    if rows.empty:
        return None
    row = rows.iloc[0]
    told = f"{words.factor(row['odds_ratio'])} {row['unit']}"
    if not np.isfinite([row["ci_low"], row["ci_high"]]).all():
        return told
    return f"{told} ({words.factor_range(row['ci_low'], row['ci_high'])})"


def describe_look(look: FeatureLook) -> Summary:
    """Say how the share answered runs along a feature, raw and adjusted."""
    table, entry = look.bins, CATALOGUE[look.name]
    axis = f"{entry.label[0].upper()}{entry.label[1:]}"
    drawn = table.assign(axis=entry.label)
    if len(table) < 2:
        return Summary(drawn, f"{axis} does not differ among the dyads where it is known.")
    first, last = table.iloc[0], table.iloc[-1]
    text = (
        f"{axis}: {words.percent(first['rate'])} answered where it is {first['label']} "
        f"({_interval(first)}), {words.percent(last['rate'])} where it is {last['label']} "
        f"({_interval(last)}), nothing else held equal."
    )
    if look.reason:
        text += f" The model gives no adjusted probability: {look.reason}."
    else:
        text += (
            f" With this feature alone set to the middle of those bins for everybody, the model "
            f"predicts {words.percent(first['probability'])} and "
            f"{words.percent(last['probability'])}, adjusted for "
            f"{words.count(len(look.adjusted_for), 'other feature')}."
        )
    total = look.known + look.unknown
    text += f" Known for {words.count(look.known)} of {words.count(total, 'dyad')}."
    notes = ["Share answered: dyadic-robust interval. Model: delta method, conditional on the "
             "accounts observed. An association, not an effect."]  # fmt: skip
    return Summary(drawn, text, "Share answered along the feature", notes=notes)


def _interval(row: pd.Series) -> str:
    return words.percent_range(row["ci_low"], row["ci_high"])


def describe_spread(look: FeatureLook) -> Summary:
    """Say what is typical of a feature; the outer bars hold what lies beyond them."""
    entry = CATALOGUE[look.name]
    table = look.spread.assign(axis=entry.label)
    if look.spread.empty:
        return Summary(table, "It is known for no dyad.")
    half = int(np.searchsorted(look.spread["share"].cumsum().to_numpy(), 0.5))
    middle = look.spread["text"].iloc[min(half, len(look.spread) - 1)]
    text = f"How {entry.label} is spread over the dyads: about {middle} is typical."
    return Summary(table, text, "Spread of the feature")


def describe_claim_of(claims: pd.DataFrame, name: str) -> Summary:
    """Say the claim that a feature belongs to, and what its declared contrast came to."""
    entry = CATALOGUE[name]
    claim = CLAIMS[entry.claim]
    row = claims[claims["claim"] == entry.claim].iloc[0]
    role = "decides about it" if name in claim.contrast else "only refines it"
    text = f"Claim {claim.id}: {claim.text.rstrip('.')}. This feature {role}."
    if np.isfinite(row["odds_ratio"]):
        odds = words.factor(row["odds_ratio"])
        spread = words.factor_range(row["ci_low"], row["ci_high"])
        unit = f", {row['unit']}" if row["unit"] else ""
        text += f" Its contrast ({row['label']}{unit}): odds {odds} times as high ({spread})."
    text += f" Verdict: {row['verdict']}."
    if isinstance(row["reason"], str) and row["reason"]:
        text += f" {row['reason'][0].upper()}{row['reason'][1:].rstrip('.')}."
    columns = ["claim", "verdict", "label", "odds_ratio", "ci_low", "ci_high", "p_holm", "n"]
    return Summary(
        claims.loc[claims["claim"] == entry.claim, columns], text, "The claim's contrast"
    )


def describe_entry(name: str) -> Summary:
    """Return a feature's entry in the catalogue as a table: what, value."""
    entry = CATALOGUE[name]
    rows = [
        ("name", name),
        ("factor", f"{entry.factor} {FACTORS[entry.factor]}"),
        ("computed as", entry.formula),
        ("whose", entry.side),
        ("odds ratio for", entry.unit),
        ("the claim expects", SIGNS[entry.expected_sign]),
        ("needs", describe_needs(entry)),
        ("source", entry.source or None),
    ]
    table = pd.DataFrame(rows, columns=["what", "value"])
    return Summary(table, f"How {entry.label} is computed.", "In the catalogue")


# -- one account -------------------------------------------------------------------------------


def describe_account(rates: pd.DataFrame, name: str) -> Summary:
    """Say how the follows of an account, and those it received, were answered."""
    parts = []
    for role, part in rates.groupby("role", sort=False):
        own = part[part["is_own"]].iloc[0]
        made = words.count(own["n"], "follow")
        answered = words.count(own["answered"])
        verb = "was" if answered == "1" else "were"
        told = {
            "initiator": f"of {made} it made, {answered} {verb} answered",
            "decider": f"of {made} it received, it answered {answered}",
        }
        verdict = f"{told[str(role)]} ({words.percent(own['rate'])}, interval {_interval(own)}"
        rest = part[~part["is_own"]]
        if len(rest):
            verdict += f"; all others {words.percent(rest.iloc[0]['rate'])}"
        if np.isfinite(own["expected"]):
            verdict += f"; the model expects {words.percent(own['expected'])}"
        parts.append(f"{verdict})")
    text = f"Account {name}: {'; '.join(parts)}."
    notes = [
        "Its own dyads are counted as independent of each other, given this account: the interval "
        "holds for it alone. Few follows say little about anybody, and nothing about reasons.",
    ]
    return Summary(rates, text, "Answered, beside all others", notes=notes)


def describe_places(table: pd.DataFrame, role: str) -> Summary:
    """Say in which features an account differs most from the others in that role."""
    if table.empty:
        return Summary(table, f"No feature of the {role} is known for this account.")
    gap = (table["percentile"] - 0.5).abs()
    told = [
        f"{row.label} ({row.text}, typical {row.typical})"
        for row in table.loc[gap.sort_values(ascending=False, kind="stable").index[:2]].itertuples(
            name="Row"
        )
    ]
    text = f"As {role} it differs most from the other accounts in {words.join(told)}."
    return Summary(table, text, f"As {role}, among all accounts")


# -- one dyad ----------------------------------------------------------------------------------


def describe_dyad(
    analysis: Analysis, dyad_id: int, prediction: Prediction | None, found: Explanation | None
) -> Summary:
    """Say who followed whom, what came of it, what was predicted and the three best reasons."""
    row = get_row(analysis.dyads, dyad_id)
    at = f" on {row['at']:%Y-%m-%d}" if pd.notna(row["at"]) else ""
    state = STATE_LABELS.get(row["state"], row["state"])
    verb = "and is tied to" if analysis.question == "mutuality" else "followed"
    text = f"{row['initiator_id']} {verb} {row['decider_id']}{at}: {state}"
    if row["outcome"] == 1 and "duration_days" in row and pd.notna(row["duration_days"]):
        text += f" after {words.span(float(row['duration_days']))}"
    numbers = pd.DataFrame({"state": [state]})
    if prediction is None:
        why = analysis.no_model or "a feature of the model is unknown for this dyad"
        return Summary(numbers, f"{text}. No probability can be given: {why}.", "The dyad")
    spread = words.percent_range(prediction.ci_low, prediction.ci_high)
    text += (
        f". From what was known before, the model gave it {words.percent(prediction.probability)} "
        f"(interval {spread}), where {words.percent(analysis.rate.rate)} of all are answered."
    )
    reasons = found.reasons if found is not None else []
    numbers = numbers.assign(probability=prediction.probability, ci_low=prediction.ci_low,
                             ci_high=prediction.ci_high)  # fmt: skip
    notes = ["The interval is that of the probability; a single answer stays open. What goes with "
             "the answer is not why one person did or did not answer."]  # fmt: skip
    return Summary(numbers, "\n\n".join([text, *reasons]), "The dyad", notes=notes)


def describe_history(analysis: Analysis, events: pd.DataFrame, windows: pd.DataFrame) -> Summary:
    """Say how much had happened before the follow, and how much of it between the two."""
    if analysis.dyads.asof != "timed":
        return Summary(windows, NOT_TIMED)
    if events.empty:
        return Summary(windows, "Nothing is known of either account before the follow.")
    total = int(windows["ever"].sum())
    between = int(windows.loc[windows["what"].str.contains("→", regex=False), "ever"].sum())
    lately = int(windows["last_28_days"].sum())
    text = (
        f"Before the follow {words.count(total, 'event')} of the two accounts are known, "
        f"{words.count(lately)} of them in the last 28 days; {words.count(between)} passed "
        "between the two."
    )
    return Summary(windows, text, "Counts before the follow")
