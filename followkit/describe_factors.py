"""The nine factors in words: verdicts, contributions, the six questions, reasons for one dyad.

As in `followkit.describe`: a sentence and the table it was made from, with intervals, and an honest
sentence where the data cannot say.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from followkit import words
from followkit.curves import Comparison
from followkit.describe import list_rows
from followkit.explain import Explanation
from followkit.factors import Factors, Groups
from followkit.features import CLAIMS, FACTORS
from followkit.html import Summary
from followkit.verdicts import VERDICTS
from followkit.whatif import CAUTION

#: Deviance is shown per so many dyads.
PER_DYADS = 100
MOST_TOLD = 3
#: Steps of a waterfall that are shown one by one.
MOST_STEPS = 8
EVIDENCE = {
    "randomised": "randomised trials",
    "observational": "observational",
    "proxy": "none on follow-backs",
    "none": "none",
}
CARRIERS = {
    "initiator": "the initiator",
    "decider": "the decider",
    "pair": "the pair",
    "controllable": "what the initiator can change",
}


# -- question 1 and the claims -----------------------------------------------------------------


def describe_contributions(study: Factors) -> Summary:
    """Say which factors carry the explained deviance, largest first, or why none can be told."""
    found = study.contributions
    if found is None:
        return Summary(pd.DataFrame(), f"Nothing can be shared out: {study.no_contributions}.")
    table = found.table.copy()
    numbers = [name for name in table if name not in ("group", "feature_count", "share")]
    table[numbers] *= PER_DYADS
    table = table.rename(columns={"group": "label"})
    null = float(np.average(found.null_per_dyad, weights=found.tested.weights))
    value, low, high = found.total
    total = (
        f"Together {words.count(len(table), 'measured factor')} explain "
        f"{words.percent(value / null)} of the deviance on accounts not seen in training "
        f"(interval {words.percent_range(low / null, high / null)})."
    )
    if low <= 0:
        text = f"{total} That is not clearly more than nothing, so no shares are given."
    else:
        text = f"{total} {_tell_shares(table)}"
    notes = [
             "Shapley shares of out-of-fold deviance, with what it costs to estimate coefficients "
             "added back: a factor that says nothing reads 0 on average. Alone: against the base "
             "rate. Last: added to all others.", *found.notes,
    ]  # fmt: skip
    return Summary(table, text, "Deviance explained per 100 unseen dyads", notes=notes)


def _tell_shares(table: pd.DataFrame) -> str:
    clear = table[table["ci_low"] > 0].sort_values("shapley", ascending=False, kind="stable")
    rest = table[table["ci_low"] <= 0]
    parts = [f"{_name(row.label)} {words.percent(row.share)}" for row in clear.itertuples()]
    text = f"Of it, {words.join(parts)}." if parts else "No factor's own share is clear."
    if len(rest):
        names = words.join([_name(label) for label in rest["label"]])
        text += f" No share of {names} is told from nothing."
    return text


def _name(label: str) -> str:
    """Return a factor's name as it stands in a sentence."""
    return label.split(" ", 1)[1].lower()


def describe_claims(study: Factors) -> Summary:
    """Say how many claims could be tested, and which verdicts they got."""
    table = study.claims
    by_verdict = {verdict: table.loc[table["verdict"] == verdict, "claim"].tolist()
                  for verdict in VERDICTS}  # fmt: skip
    tested = int(table["p_holm"].notna().sum())
    told = [
        f"{verdict}: {', '.join(by_verdict[verdict]) or 'none'}"
        for verdict in ("supported", "contradicted", "negligible", "undecided", "too little data")
        if by_verdict[verdict] or verdict in ("supported", "contradicted")
    ]
    text = (
        f"{words.count(tested)} of {len(table)} claims could be tested here. "
        f"{'; '.join(told).capitalize()}. "
        f"{words.count(len(by_verdict['not measurable']))} cannot be measured with these data."
    )
    shown = table.assign(
        evidence=table["grade"].map(EVIDENCE),
        interval=[
            words.factor_range(row.ci_low, row.ci_high) if np.isfinite(row.ci_low) else ""
            for row in table.itertuples()
        ],
    )
    notes = [
        "One contrast was declared for each claim. Verdicts by Holm's rule at .05 over all claims "
        "tested here; the intervals shown are not adjusted for their number.",
        f"Negligible: the 90 % interval of the average change in probability lies within "
        f"±{100 * study.delta:g} percentage points.",
        "Evidence: what is known about follow-backs from elsewhere.",
    ]
    return Summary(shown, text, "Every claim and its verdict", notes=notes)


def list_tested_claims(study: Factors) -> pd.DataFrame:
    """Return the claims with an odds ratio, labelled for the forest plot."""
    table = study.claims[study.claims["odds_ratio"].notna()]
    labels = [f"{row.claim} {_short(row)}" for row in table.itertuples(name="Row")]
    return table.assign(label=labels)


def _short(row: Any) -> str:
    return f"{row.label}, {row.unit}" if row.unit else str(row.label)


# -- question 2 --------------------------------------------------------------------------------


def describe_followers(curve: pd.DataFrame, groups: Groups, beyond: pd.DataFrame) -> Summary:
    """Say whether many followers guarantee an answer, and what the ratio adds to them."""
    parts = [_tell_followers(curve), _tell_groups(groups), _tell_ratio(beyond)]
    drawn = curve.assign(series="followers", axis="followers of the initiator")
    return Summary(drawn, " ".join(part for part in parts if part), "Probability by followers")


def _tell_followers(curve: pd.DataFrame) -> str:
    if len(curve) < 2:
        return "How the number of followers goes with an answer cannot be told from these data."
    first, last = curve.iloc[0], curve.iloc[-1]
    best = float(curve["probability"].max())
    return (
        f"No: even the best placed go unanswered in {words.percent(1 - best)} of cases. With "
        f"{words.count(first['value'], 'follower')} the model predicts "
        f"{words.percent(first['probability'])} answered ({_range(first)}), and with "
        f"{words.count(last['value'], 'follower')} it predicts "
        f"{words.percent(last['probability'])} ({_range(last)}), everything else as observed."
    )


def _tell_groups(groups: Groups) -> str:
    if groups.reason:
        return f"Popular but irrelevant cannot be set against small but relevant: {groups.reason}."
    popular, relevant = groups.table.itertuples(name="Row")
    text = (
        f"Popular but irrelevant initiators were answered in {words.percent(popular.rate)} of "
        f"{words.count(popular.n, 'dyad')} ({_range(popular)}), small but relevant ones in "
        f"{words.percent(relevant.rate)} of {words.count(relevant.n)} ({_range(relevant)})"
    )
    if np.isfinite(groups.odds_ratio):
        spread = words.factor_range(groups.ci_low, groups.ci_high)
        text += f": odds {words.factor(groups.odds_ratio)} times as high ({spread})"
    return f"{text}."


def _tell_ratio(beyond: pd.DataFrame) -> str:
    if len(beyond) < 2:
        return "Whether the follower ratio adds to the number of followers cannot be told here."
    row = beyond.set_index("term").loc["initiator_ratio_log"]
    spread = words.factor_range(row["ci_low"], row["ci_high"])
    verdict = "adds to it"
    if row["ci_low"] <= 1 <= row["ci_high"]:
        verdict = "adds nothing that is told from chance"
    return (
        f"The follower ratio, that crude measure, {verdict}: at equal followers, a ratio twice as "
        f"high goes with odds {words.factor(row['odds_ratio'])} times as high ({spread})."
    )


# -- question 3 --------------------------------------------------------------------------------


def describe_visibility(study: Factors, effects: pd.DataFrame) -> Summary:
    """Say what factor 4 explains on its own and last, and what changes when it enters."""
    row = _find_factor(study, 4)
    if row is None:
        text = "Visibility cannot be measured here: no feature of factor 4 is known for the dyads."
        return Summary(effects, text, "Effects without and with factor 4")
    alone = f"{words.signed(PER_DYADS * row['alone'])} ({_span(row, 'alone')})"
    last = f"{words.signed(PER_DYADS * row['last'])} ({_span(row, 'last')})"
    adds = "adds to what the other factors tell" if row["last_low"] > 0 else (
        "adds nothing clear to what the other factors tell")  # fmt: skip
    judged = [name for name in CLAIMS if name.startswith("4")]
    verdicts = study.claims[study.claims["claim"].isin(judged)].sort_values("claim")
    told = [f"{row.claim} {row.verdict}" for row in verdicts.itertuples(name="Row")]
    text = (
        f"On its own, what B may have seen explains {alone} of deviance per 100 unseen dyads; "
        f"after all the others {last}: it {adds}. Its claims: {words.join(told)}."
    )
    return Summary(effects, f"{text} {_tell_change(effects)}".strip(),
                   "Odds ratios with and without factor 4 in the model")  # fmt: skip


def _tell_change(effects: pd.DataFrame) -> str:
    if effects.empty:
        return ""
    parts = [
        f"{row.label} {words.factor(row.odds_ratio_without)} without it and "
        f"{words.factor(row.odds_ratio)} with it"
        for row in effects.itertuples(name="Row")
    ]
    return f"Odds ratios of what should act through visibility: {words.join(parts)}."


def _find_factor(study: Factors, factor: int) -> pd.Series | None:
    if study.contributions is None:
        return None
    table = study.contributions.table
    rows = table[table["group"] == f"{factor} {FACTORS[factor]}"]
    return None if rows.empty else rows.iloc[0]


def _span(row: pd.Series, reading: str) -> str:
    low, high = (words.signed(PER_DYADS * row[f"{reading}_{end}"]) for end in ("low", "high"))
    return f"{low} to {high}"


# -- question 4 --------------------------------------------------------------------------------


def describe_inactive(curves: pd.DataFrame, silence: Comparison, posting: Comparison) -> Summary:
    """Say how the probability goes with a silence, and with posting weekly instead of monthly."""
    drawn = curves.assign(axis="days since the initiator's last action")
    return Summary(drawn, f"{_tell_silence(curves, silence)} {_tell_posting(posting)}",
                   "Probability by days since the last action")  # fmt: skip


def _tell_silence(curves: pd.DataFrame, found: Comparison) -> str:
    if found.reason or curves.empty:
        return "What a silence goes with cannot be told from these data."
    longest = float(curves["value"].max())
    text = (
        f"It can: after {words.days(longest)} without a post or an act the model still predicts "
        f"{words.percent(found.second)} answered, instead of {words.percent(found.first)} where "
        f"the last action was on the day itself: {words.points(found.difference)} percentage "
        f"points ({_points_range(found)})."
    )
    if found.ci_low <= 0 <= found.ci_high:
        text += " That is not told from no difference."
    rest = curves[(curves["series"] == "without visibility") & (curves["value"] == longest)]
    if len(rest):
        end = rest.iloc[0]["probability"]
        text += f" Without factor 4 in the model the longest silence reads {words.percent(end)}."
    return text


def _tell_posting(found: Comparison) -> str:
    if found.reason:
        return f"Once a month against once a week cannot be compared: {found.reason}."
    return (
        f"Posting once a week instead of once a month goes with {words.percent(found.second)} "
        f"instead of {words.percent(found.first)} answered, {words.points(found.difference)} "
        f"percentage points ({_points_range(found)})."
    )


# -- question 5: what-if -----------------------------------------------------------------------


def describe_changes(study: Factors, whose: str = "") -> Summary:
    """Say which of the initiator's own changes go with more answers.

    Parameters
    ----------
    study
        Of the factors.
    whose
        The name of the account whose follows they are tried on, as it may be shown
        (`AccountNames.name`); without it the account is not named.
    """
    table = study.changes
    if table.empty:
        return Summary(pd.DataFrame(), "Without a model there is nothing to predict from.")
    made = table[table["reason"] == ""].sort_values("change", ascending=False, kind="stable")
    clear = made[(made["ci_low"] > 0) | (made["ci_high"] < 0)]
    name = whose or "one account"
    of_whom = f" for the follows of {name}" if study.initiator else ""
    if made.empty:
        text = "None of the pieces of advice can be tried on these data."
    elif clear.empty:
        text = f"Of {len(made)} changes tried{of_whom}, none is clearly told from no difference."
    else:
        told = [
            f"{row.label} ({words.points(row.change)} percentage points, {_points_range(row)})"
            for row in clear.head(MOST_TOLD).itertuples(name="Row")
        ]
        text = f"Of {len(made)} changes tried{of_whom}, the most goes with {words.join(told)}."
    dropped = len(table) - len(made)
    if dropped:
        text += f" {words.count(dropped)} could not be tried; the table says why."
    notes = [CAUTION, "Intervals by the delta method, conditional on the accounts observed."]
    return Summary(made, text, "Changes of the initiator's own and what goes with them",
                   notes=notes)  # fmt: skip


# -- question 6 --------------------------------------------------------------------------------


def describe_carriers(study: Factors) -> Summary:
    """Say who carries the decision, what is left, and how much deciders differ."""
    found = study.carriers
    if found is None:
        return Summary(pd.DataFrame(), f"That cannot be told: {study.no_carriers}.")
    shares = found.shares.set_index("carrier")
    left = shares.loc["unexplained"]
    parts = [
        f"{CARRIERS[name]} {words.percent(shares.loc[name, 'share'])}"
        for name in ("initiator", "decider", "pair")
    ]
    text = (
        f"Mostly not: {words.percent(left['share'])} of the deviance stays unexplained "
        f"({_share_range(left)}), which is a ceiling for chance. Of the whole, features of "
        f"{words.join(parts)} explain; what the initiator can change explains "
        f"{words.percent(shares.loc['controllable', 'share'])}."
    )
    table = found.shares[found.shares["carrier"].isin(list(CARRIERS))]
    table = table.assign(label=[CARRIERS[name] for name in table["carrier"]])
    return Summary(table, f"{text} {_tell_habit(study)}", "Shares of the deviance, unseen accounts",
                   notes=list(found.notes))  # fmt: skip


def _tell_habit(study: Factors) -> str:
    if study.carriers is None:
        return ""
    habit = study.carriers.comovement.set_index("relation").loc["same decider"]
    if not np.isfinite(habit["sd_low"]):
        return "How far deciders differ by habit cannot be told with an interval here."
    low, _, high = study.carriers.deciders["probability"]
    if habit["sd_low"] <= 0:
        return "Deciders' own habits, beyond all features, are not told from none."
    return (
        f"Beyond all features deciders differ by habit (standard deviation "
        f"{habit['log_odds_sd']:.2f} in log odds, {habit['sd_low']:.2f} to "
        f"{habit['sd_high']:.2f}): the same follow is answered with probability "
        f"{words.percent(low)} by one who answers seldom and {words.percent(high)} by one who "
        "answers often. That is the decider's habit, not a judgement on the initiator."
    )


# -- one dyad ----------------------------------------------------------------------------------


def describe_surprise(explanation: Explanation | None) -> Summary:
    """Say why the likeliest of the unanswered follows seemed likely, in its three best reasons."""
    if explanation is None:
        return Summary(pd.DataFrame(), "No unanswered follow can be explained by a model here.")
    opening = (
        "Of all follows that went unanswered, the model thought one the likeliest to be answered: "
        f"{words.percent(explanation.probability)}. What spoke for it:"
    )
    text = "\n\n".join([opening, *explanation.reasons])
    return Summary(make_waterfall(explanation), text, "Feature by feature")


def make_waterfall(explanation: Explanation) -> pd.DataFrame:
    """Return the steps of a waterfall: label, before, after; the small ones together at the end."""
    table = explanation.table
    start = 1 / (1 + np.exp(-explanation.base))
    after = table["probability"].to_numpy(float)
    before = np.concatenate([[start], after[:-1]])
    steps = pd.DataFrame({"label": table["label"], "before": before, "after": after})
    if len(steps) <= MOST_STEPS + 1:
        return steps
    kept, rest = steps.iloc[:MOST_STEPS], steps.iloc[MOST_STEPS:]
    others = {
        "label": f"{len(rest)} more features",
        "before": rest["before"].iloc[0],
        "after": rest["after"].iloc[-1],
    }
    return pd.concat([kept, pd.DataFrame([others])], ignore_index=True)


# -- numbers -----------------------------------------------------------------------------------


def collect_factor_numbers(study: Factors) -> dict[str, Any]:
    """Return the numbers about factors for `summary.json`."""
    claims = study.claims.set_index("claim")[
        ["verdict", "feature", "estimate", "odds_ratio", "ci_low", "ci_high", "effect", "p_value",
         "p_holm", "n"]
    ]  # fmt: skip
    numbers: dict[str, Any] = {"delta": study.delta, "claims": list_rows(claims)}
    if study.contributions is not None:
        table = study.contributions.table.set_index("group")
        numbers["contributions"] = list_rows(table)
        numbers["explained"] = dict(
            zip(("value", "ci_low", "ci_high"), study.contributions.total, strict=True)
        )
    if study.carriers is not None:
        numbers["carriers"] = list_rows(study.carriers.shares.set_index("carrier"))
    if not study.changes.empty:
        numbers["changes"] = list_rows(study.changes.set_index("lever").drop(columns="label"))
    return numbers


def _range(row: Any) -> str:
    return words.percent_range(row.ci_low, row.ci_high)


def _share_range(row: pd.Series) -> str:
    return words.percent_range(row["share_low"], row["share_high"])


def _points_range(row: Any) -> str:
    return f"{words.points(row.ci_low)} to {words.points(row.ci_high)}"
