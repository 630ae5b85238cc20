"""The personal report in words: each function returns a `Summary`, sentence and table in one.

The reader is the owner of the export, so it says "you". A tie that is not answered is a fact about
a list, and nothing is guessed of the person behind it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from followkit import __version__, words
from followkit.describe import list_rows
from followkit.ego.results import EgoRate, EgoStudy
from followkit.html import Summary
from followkit.latency import follow_back_curve
from followkit.latency_study import make_grid
from followkit.small_cells import FEWEST_SHOWN, UNDER

#: What platforms call the file that is needed, where a new one has to be asked for.
ASK: dict[str, tuple[str, ...]] = {
    "instagram": (
        "In the app, open the Accounts Center, then “Your information and permissions”, and ask "
        "for an export to your device.",
        "Choose “All time” as the date range. A shorter range cuts your list of followers and "
        "leaves the list of those you follow whole, so that friends look like strangers.",
        "Choose JSON as the format. Leave out what you do not want to hand on; the part on "
        "followers and following is needed.",
        "The link works for a few days. If several zip files come, give all of them.",
    ),
    "tiktok": (
        "In the app's settings, ask for your data; choose JSON as the format, and everything.",
        "The list of followers may be capped by the platform: compare its length with the number "
        "on your profile.",
    ),
    "x": (
        "In the settings, ask for an archive of your data, and give the zip file as it comes.",
        "It holds who follows whom, without times: waiting times cannot be told from it.",
    ),
    "linkedin": (
        "In the settings, ask for a copy of your data: the large archive with connections and "
        "invitations.",
    ),
}
#: Where the file never holds the followers, a new one would not either.
ASK["mastodon"] = (
    "No file of Mastodon's holds your followers: your server tells them when it is asked.",
    "Type: followkit fetch mastodon YOU@SERVER --out FOLDER. It uses the network, for this alone.",
    "Then make the report with --data FOLDER in place of the file.",
)
ASK["bluesky"] = (
    "Your repository holds what you did; who follows you is public on the network.",
    "Type: followkit fetch bluesky HANDLE --out FOLDER. It uses the network, for this alone.",
    "Then make the report with --data FOLDER in place of the file.",
)
ASK["youtube"] = ("YouTube tells nobody who subscribes to them: this question has no file.",)
ASK["threads"] = ASK["instagram"]
ASK_ANY = (
    "Ask the platform for a new export: everything, of all time, in a format for programs such as "
    "JSON, and give every file that comes as it is.",
)
#: Ages of a follow beside the first and the last that the sentence names.
AGE_TOLD = 30.0


def describe_trust(study: EgoStudy) -> Summary:
    """Say in a sentence or two whether the lists may be believed."""
    trust = study.trust
    if trust.is_refused:
        reasons = " ".join(trust.refusals) or "The lists cannot be trusted."
        text = f"This export cannot say who follows you back. {reasons}"
        return Summary(trust.lists, text, "What the export holds")
    opening = f"{_tell_lists(study)} {_tell_moment(study)}"
    close = {
        "ok": "Nothing was found that speaks against them.",
        "warn": "Something was found that you should know before you read on.",
    }[trust.verdict]
    return Summary(trust.lists, f"{opening} {close}", "What the export holds")


def describe_answer(study: EgoStudy) -> Summary:
    """Say in one paragraph how many followed back, and how sure that is."""
    rate = study.rate
    if study.trust.is_refused:
        return Summary(pd.DataFrame(), "Who follows you back cannot be told from this export.")
    if rate is None:
        return _describe_untimed(study)
    table = pd.DataFrame({"follows": [rate.n], "answered": [rate.answered], "rate": [rate.rate],
                          "ci_low": [rate.ci_low], "ci_high": [rate.ci_high]})  # fmt: skip
    horizon = words.days(study.horizon_days)
    if not rate.n:
        return Summary(
            table,
            f"No follow that you started is {horizon} old yet, so there is no rate to tell. "
            f"{_tell_now(study)}",
        )
    text = (
        f"Of {words.count(rate.n)} people you followed first at least {horizon} ago, "
        f"{words.count(rate.answered)} followed you back within {horizon} "
        f"({words.percent(rate.rate)}, {words.level(study.confidence)} interval "
        f"{words.percent_range(rate.ci_low, rate.ci_high)})."
        f"{_tell_standing(study)} However late they came, "
        f"{words.count(rate.answered_now)} of them follow you now "
        f"({words.percent(rate.now_rate)}). {_tell_young(rate, horizon)}"
    )
    return Summary(table, text.strip(), "The answer in numbers")


def describe_interval(study: EgoStudy) -> str:
    """Say what the interval of the rate means, and what it does not."""
    return (
        "The interval says how far chance alone could have moved the share, if each of them "
        "decided for themselves (Wilson). It holds for your account only, and says nothing of "
        f"other people's. The horizon of {words.days(study.horizon_days)} is a choice; it counts "
        "everybody you followed long enough ago, whatever came of it. Who followed back and has "
        f"left again is not seen, and counts as unanswered.{_tell_withdrawn(study)}"
    )


def describe_states(study: EgoStudy) -> Summary:
    """Say what became of the ties around the ego: counts, with what each of them means."""
    states = study.states
    told = [f"{row.label}: {words.count(row.count)}" for row in _rows(states[states["count"] > 0])]
    text = f"Of the {words.count(int(states['count'].sum()), 'account')} in your lists: "
    text = f"{text}{'; '.join(told)}." if told else "There is nobody in your lists."
    return Summary(states, text, "Everybody in your lists, and what a count does not say")


def describe_curve(study: EgoStudy) -> Summary:
    """Say how long answers took: among the answered, and over all."""
    found = study.latency
    if found is None or not found.dyad_count:
        return Summary(study.curve.iloc[0:0], "")
    if not found.answered_count:
        text = (
            f"None of the {words.count(found.dyad_count, 'follow')} that you started was answered; "
            f"the longest has been watched for {words.span(found.longest_days)}."
        )
        return Summary(make_curve(study), text)
    over_all = (
        f"it took {words.span(found.median_days)} until half of all were answered."
        if np.isfinite(found.median_days)
        else "fewer than half of all were answered, so a median over all is not reached."
    )
    text = (
        f"{words.count(found.answered_count)} of the {words.count(found.dyad_count, 'follow')} "
        f"that you started were answered by somebody who still follows you. Half of those answers "
        f"came within {words.span(found.median_answered_days)}; {over_all}"
    )
    if study.rate is not None and study.rate.automatic_count:
        few = words.count(study.rate.automatic_count, "answer")
        text += f" {few} came within 3 seconds, which may be automatic."
    return Summary(make_curve(study), text, "Answered by day")


def make_curve(study: EgoStudy) -> pd.DataFrame:
    """Return the share answered at moments evenly spaced in log time: most answers come early."""
    if study.waiting.empty:
        return study.curve
    days = make_grid(study.waiting, study.horizon_days)
    return follow_back_curve(study.waiting, days=days, confidence=study.confidence)


def describe_still(study: EgoStudy) -> Summary:
    """Say what chance is left for a follow that has gone unanswered for so long."""
    still = study.still
    known = still[still["chance"].notna()] if len(still) else still
    if known.empty:
        return Summary(known, "")
    places = _pick_ages(known["landmark_days"].to_numpy(float))
    told = [
        f"{_tell_age(row.landmark_days)} {_tell_left(row)}" for row in _rows(known.iloc[places])
    ]
    text = (
        f"Chance of an answer within the next {words.days(study.horizon_days)}, by how long a "
        f"follow has gone without one: {words.join(told)}. {_tell_expected(study)}"
    )
    return Summary(still, text.strip(), "Chance that is left, by the age of the follow")


def describe_since(study: EgoStudy) -> Summary:
    """Say what came of follows that were unanswered after a week, by what had happened in it."""
    since = study.since
    if since.empty:
        return Summary(since, "")
    told = [f"{row.label}: {_tell_group(row.answered_later, row.n)}" for row in _rows(since)]
    text = (
        f"Follows still unanswered after 7 days, answered within the next "
        f"{words.days(study.horizon_days)}, by what happened in those 7 days: {'; '.join(told)}."
    )
    return Summary(since, text, "What happened in the first 7 days, and what came of it")


def describe_model(study: EgoStudy) -> Summary:
    """Say whether the ego's own data tell more than the base rate."""
    model = study.model
    tests = [
        f"{row.test}, {row.model_loss:.3f} against {row.base_loss:.3f} for the base rate "
        f"({words.count(row.n, 'follow')})"
        for row in _rows(model.tests)
    ]
    seen = f" Log loss on follows that it had not seen: {'; '.join(tests)}." if tests else ""
    text = f"{model.sentence}{seen}"
    return Summary(model.tests, text, "The model against the base rate")


def describe_effects(study: EgoStudy) -> Summary:
    """Say which features go with an answer, where the model says more than the base rate."""
    effects = study.model.effects
    if effects.empty:
        return Summary(effects, "")
    # Several are looked at, so the one that stands out must do so among all of them.
    clear = effects[effects["p_holm"] < 1 - study.confidence].sort_values("p_value")
    told = [
        f"{row.label} ({row.unit}) goes with {'higher' if row.odds_ratio > 1 else 'lower'} odds of "
        f"an answer: odds ratio {words.factor(row.odds_ratio)}, interval "
        f"{words.factor_range(row.ci_low, row.ci_high)}"
        for row in _rows(clear.head(3))
    ]
    start = (
        f"{_upper('; '.join(told))}."
        if told
        else "No single feature stands out among those that were looked at."
    )
    text = (
        f"{start} This is what went together in your own data; it does not say that doing more of "
        "it would bring more answers."
    )
    return Summary(effects, text, "What goes with an answer, in your own data")


def describe_contacts(study: EgoStudy) -> Summary:
    """Say how often follows were answered by the contact that had gone before."""
    contacts = study.contacts
    known = contacts[contacts["n"] > 0] if len(contacts) else contacts
    if known.empty:
        return Summary(known, "")
    told = [f"{row.label}: {_tell_group(row.answered, row.n)}" for row in _rows(known)]
    text = f"By the contact that went before the follow, answered in time: {'; '.join(told)}."
    return Summary(known, text, "Answered in time, by the contact before the follow")


def describe_groups(study: EgoStudy) -> str:
    """Say whether follows with different contact before them differ by more than chance."""
    if not np.isfinite(study.contacts_p):
        return ""
    odds = "p < 0.001" if study.contacts_p < 0.001 else f"p = {study.contacts_p:.3f}"
    if study.contacts_p < 1 - study.confidence:
        return (
            "By the contact that went before them, your follows were answered at different rates, "
            f"by more than chance alone would bring ({odds} over all groups together). That went "
            "together in the past; it does not say why, and for one person it says little."
        )
    return (
        "By the contact that went before them, your follows were answered at rates that differ by "
        f"no more than chance alone may bring ({odds} over all groups together), so the picture "
        "shows no pattern."
    )


def describe_left(study: EgoStudy) -> Summary:
    """Say who followed back and left, where several exports were joined."""
    left = study.left
    if left.empty:
        return Summary(left, "")
    told = [f"{row.step}: {words.count(row.count)}" for row in _rows(left)]
    return Summary(left, f"Your exports of several dates together show: {'; '.join(told)}.",
                   "What several exports show")  # fmt: skip


def describe_counted(study: EgoStudy) -> str:
    """Say who was counted, for the card that says what a report may be used for."""
    if study.trust.is_refused:
        return "Counted here: nobody, since the lists cannot be trusted."
    people = words.count(len(study.alters), "account")
    if study.rate is None:
        return f"Counted here: {people} around one account, by state alone."
    return (
        f"Counted here: {people} around one account; in the rate, "
        f"{words.count(study.rate.n, 'follow')} that it started. All numbers hold for this "
        "account only."
    )


def list_remedies(study: EgoStudy) -> list[str]:
    """Return what the findings ask for: those that refuse, where any does; else all."""
    checks = study.trust.checks
    grave = checks.loc[checks["verdict"] == "refuse", "remedy"].tolist() if len(checks) else []
    return list(dict.fromkeys(text for text in grave or study.trust.remedies if text))


def list_steps(study: EgoStudy) -> list[str]:
    """Return how to ask this platform for the right file, step by step."""
    return list(ASK.get(study.platform.lower(), ASK_ANY))


def collect_main(study: EgoStudy) -> dict[str, Any]:
    """Return the rate as other reports record theirs, for the list of reports."""
    rate = study.rate
    if rate is None or not rate.n:
        return {}
    value = {"value": rate.rate, "ci_low": rate.ci_low, "ci_high": rate.ci_high}
    return {"question": "follow_back", "dyads": rate.n, "answered": rate.answered, "rate": value}


def collect_ego_numbers(study: EgoStudy) -> dict[str, Any]:
    """Return the numbers of the report for `summary.json`: counts and shares, no accounts."""
    rate = study.rate
    numbers: dict[str, Any] = {
        "platform": study.platform,
        "exported_at": study.exported_at if pd.notna(study.exported_at) else None,
        "horizon_days": study.horizon_days,
        "confidence": study.confidence,
        "seed": study.seed,
        "has_times": study.has_times,
        "trust": study.trust.verdict,
        "refusals": list(study.trust.refusals),
        "warnings": list(study.trust.warnings),
        "states": dict(zip(study.states["state"], study.states["count"], strict=True)),
        "followkit": __version__,
    }
    numbers["rate"] = None if rate is None else {
        name: getattr(rate, name)
        for name in ("n", "answered", "rate", "ci_low", "ci_high", "answered_now", "now_rate",
                     "same_time_count", "automatic_count", "too_young_count")
    }  # fmt: skip
    numbers["still"] = list_rows(study.still.reset_index(drop=True))
    numbers["contacts"] = list_rows(study.contacts.reset_index(drop=True))
    numbers["contacts_p"] = study.contacts_p if np.isfinite(study.contacts_p) else None
    model = study.model
    numbers["model"] = {
        "verdict": model.verdict, "n": model.n, "answered": model.event_count,
        "base_rate": model.base_rate, "ridge": model.ridge,
        "tests": list_rows(model.tests.reset_index(drop=True)),
        "effects": list_rows(model.effects.reset_index(drop=True)),
    }  # fmt: skip
    return numbers


def tell_share(answered: float, count: float) -> str:
    """Write so many of so many.

    Examples
    --------
    >>> tell_share(7, 9)
    '7 of 9'
    """
    return f"{words.count(answered)} of {words.count(count)}"


def _tell_group(answered: Any, count: int) -> str:
    """Write so many of so many; under 5 tell nothing of a group, and much of each of them."""
    if count < FEWEST_SHOWN or pd.isna(answered):
        return f"{UNDER} follows, too few to say"
    return tell_share(answered, count)


def _tell_standing(study: EgoStudy) -> str:
    """Say that only those who still follow are seen, unless joined exports show who left."""
    return " Only those who still follow you can be counted." if study.left.empty else ""


def _tell_withdrawn(study: EgoStudy) -> str:
    """Say how far the ego's own withdrawals could lower the share at most."""
    rate, alters = study.rate, study.alters
    if rate is None or not rate.n or "unfollowed_at" not in alters:
        return ""
    is_lost = alters["unfollowed_at"].notna() & alters["ego_followed_at"].isna()
    count = int((is_lost & ~alters["alter_follows"]).sum())
    if not count:
        return ""
    low = words.percent(rate.answered / (rate.n + count))
    return (
        f" {words.count(count, 'follow')} that you withdrew cannot be counted, as the export does "
        "not say when you made them; if all of them had been old enough and none answered, the "
        f"share would be {low} in place of {words.percent(rate.rate)}."
    )


def _rows(table: pd.DataFrame) -> list[Any]:
    return list(table.itertuples(index=False))


def _tell_lists(study: EgoStudy) -> str:
    lists = study.trust.lists.set_index("kind")
    parts = []
    for kind, noun in (("following", "people you follow"), ("followers", "followers")):
        if kind in lists.index:
            row = lists.loc[kind]
            timed = words.count(row["timed_count"])
            parts.append(f"{words.count(row['count'])} {noun} ({timed} with a time)")
    return f"The lists hold {words.join(parts)}." if parts else "The lists were read."


def _tell_moment(study: EgoStudy) -> str:
    if pd.isna(study.exported_at):
        return "When they were made is not known."
    moment = f"{study.exported_at:%Y-%m-%d %H:%M} UTC"
    if study.is_export_time_known:
        return f"They show how things stood on {moment}."
    return f"The export does not say when it was made; its last stamp, {moment}, stands in for it."


def _describe_untimed(study: EgoStudy) -> Summary:
    return Summary(
        study.states,
        f"{_tell_now(study)} The export holds no times of follows, so who followed first, how long "
        "an answer took and what chance is left cannot be told.",
        "The answer in numbers",
    )


def _tell_now(study: EgoStudy) -> str:
    counts = dict(zip(study.states["state"], study.states["count"], strict=True))
    mutual = counts.get("mutual", 0)
    followed = mutual + counts.get("not_following_back", 0)
    share = f" ({words.percent(mutual / followed)})" if followed else ""
    return f"Of {words.count(followed)} people you follow, {words.count(mutual)} follow you{share}."


def _tell_young(rate: EgoRate, horizon: str) -> str:
    if not rate.too_young_count:
        return ""
    few = words.count(rate.too_young_count)
    who = "person" if rate.too_young_count == 1 else "people"
    return f"{few} {who} you followed less than {horizon} ago are not in this, whatever they did."


def _pick_ages(ages: np.ndarray) -> list[int]:
    """Return the places of the first age, the one nearest to a month and the last."""
    middle = int(np.argmin(np.abs(ages - AGE_TOLD)))
    return sorted({0, middle, len(ages) - 1})


def _tell_left(row: Any) -> str:
    """Write a chance with its interval; none seen so far is no chance of nought."""
    if row.chance == 0:
        return f"none has come so far (at most {words.percent(row.ci_high)})"
    limits = words.percent_range(row.ci_low, row.ci_high)
    return f"it is {words.percent(row.chance)} ({limits})"


def _tell_age(age: float) -> str:
    return f"after {words.days(age)}" if age else "right after the follow"


def _tell_expected(study: EgoStudy) -> str:
    chances = study.alters["probability_still"].dropna().astype(float)
    if chances.empty:
        return ""
    more = f"about {chances.sum():.0f} more answers are" if chances.sum() >= 1.5 else (
        "about one more answer is" if chances.sum() >= 0.5 else "less than one more answer is"
    )  # fmt: skip
    return (
        f"{words.count(len(chances), 'follow')} of yours {'is' if len(chances) == 1 else 'are'} "
        f"open now; all together, {more} to be expected from them in that time."
    )


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
