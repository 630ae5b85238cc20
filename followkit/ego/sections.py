"""Parts of the personal report's page; a part without rows is not shown, nor its heading.

Everything that says who follows back is left out where the lists cannot be trusted.
"""

from __future__ import annotations

from functools import partial

import pandas as pd

from followkit import words
from followkit.ego import figures as draw
from followkit.ego.describe import (
    describe_answer,
    describe_contacts,
    describe_counted,
    describe_curve,
    describe_effects,
    describe_groups,
    describe_interval,
    describe_left,
    describe_model,
    describe_since,
    describe_states,
    describe_still,
    describe_trust,
    list_remedies,
    list_steps,
)
from followkit.ego.results import EgoStudy
from followkit.ego.table import SHORT_STATES, make_people, people_table
from followkit.figures import plot_odds_ratios
from followkit.html import Shown, callout, details, esc, heading, key_numbers, lead, show, table
from followkit.latency_figures import plot_answer_times
from followkit.pseudonyms import AccountNames
from followkit.sections import LIMITS, NO_USES, NOTHING, USES, label_effects, picture, show_effects

INTERVAL = {"ci_low": "from", "ci_high": "to"}
SHARES = dict.fromkeys(("rate", "chance", "ci_low", "ci_high"), words.percent)
NAMES_SHOWN = (
    "This page shows the names of the people in your lists. It is for you alone. Do not pass it "
    "on: they have not agreed to it."
)
NAMES_HIDDEN = (
    "People go by pseudonyms here. But each row of the table is one person, with days and what "
    "passed between you, so whoever knows you may recognise somebody. Keep this page to yourself, "
    "or pass on nothing but its shares."
)
NO_ACTION = (
    "There is nothing that you need to do. People follow back late, or never see a follow, or use "
    "their lists in another way than you do; none of it is a judgement of you, or a fault of "
    "theirs. This page does not advise whom to follow or to leave, has no link that does so, and "
    "does nothing by itself."
)
REFUSED = (
    "Then make this report again from the new file. Until then, nothing is said here about who "
    "follows you back: a wrong list would accuse people of what they did not do."
)
#: Contact before a follow in few words, for a picture on a phone.
SHORT_CONTACTS = {
    "wrote_both": "you had written to each other",
    "alter_wrote": "they had written to you",
    "ego_wrote": "you had written to them",
    "alter_acted": "they had liked or answered you",
    "ego_acted": "you had liked or seen theirs",
    "none": "no contact in the export",
    "no_acts": "none, messages left out",
    "unknown": "contact not known",
}
METHOD = (
    "A follow counts in the rate if you followed first, its time is known, and it is older than "
    "the horizon, whatever came of it. Requests without an answer, accounts that are gone and "
    "young follows are in no rate.",
    "Share answered by day: every follow counts for as long as it could be watched, up to the "
    "export, after which nothing is known of it (cumulative incidence after Aalen and Johansen).",
    "Chance that is left: the same estimate begun anew among the follows that were still "
    "unanswered at an age. It depends on the age of a follow alone, so it is the same for all "
    "people whom you followed on one day.",
    "Model: logistic regression with a penalty, from what had happened before each follow. It is "
    "believed only if it predicts follows that it has not seen better than the one share for all.",
    "All follows share you, so the intervals hold for your account only.",
)


def show_opening(study: EgoStudy, names: AccountNames) -> Shown:
    """Show whether the list can be used at all, and who may see the page."""
    said = _tell_names(study, names)
    banner = [callout(said, "caution")] if said else []
    return show(lead(describe_trust(study).text), *banner)


def show_trust(study: EgoStudy) -> Shown:
    """Show the proof that the lists are right; or why they are not, and what to ask for."""
    trust = study.trust
    remedies, steps = list_remedies(study), _list_html(list_steps(study))
    lists, checks = _show_lists(study), _show_checks(study)
    start = heading("Is the list right?")
    if trust.is_refused:
        refused = "\n\n".join(trust.refusals) or "The lists cannot be trusted."
        asked = [_list_html(remedies)] if remedies else []
        return show(
            start, callout(refused, "stop"), heading("What to do", 3), *asked,
            heading("Step by step", 3), steps, REFUSED, lists, checks,
        )  # fmt: skip
    warned = [callout(text, "caution") for text in trust.warnings]
    better = [details("What to do about it", _list_html(remedies), "To get a new file:", steps)]
    return show(start, *warned, lists, checks, *(better if remedies else []))


def show_answer(study: EgoStudy) -> Shown:
    """Show the answer in a paragraph, its figures, and how it was counted."""
    if study.trust.is_refused:
        return NOTHING
    told = describe_answer(study)
    pieces: list[str | Shown] = [heading("How many follow you back?"), lead(told.text)]
    if items := list_ego_numbers(study):
        pieces.append(key_numbers(*items))
    if study.rate is not None and study.rate.n:
        steps = table(study.rate.census, "From the accounts around you to the rate",
                      save_as="census")  # fmt: skip
        pieces += [describe_interval(study), details("How they were counted", steps)]
    return show(*pieces)


def list_ego_numbers(study: EgoStudy) -> list[tuple[str, str, str]]:
    """Return the headline figures: value, label and note."""
    counts = dict(zip(study.states["state"], study.states["count"], strict=True))
    mutual = counts.get("mutual", 0)
    followed = mutual + counts.get("not_following_back", 0)
    items = [(words.count(mutual), "follow each other with you",
              f"of {words.count(followed)} you follow")]  # fmt: skip
    rate, latency = study.rate, study.latency
    if rate is not None and rate.n:
        items.insert(0, (words.percent(rate.rate),
                         f"followed back within {words.days(study.horizon_days)}",
                         words.percent_range(rate.ci_low, rate.ci_high)))  # fmt: skip
    if latency is not None and latency.answered_count:
        items.append((words.span(latency.median_answered_days), "until half of the answers", ""))
    return items


def show_states(study: EgoStudy) -> Shown:
    """Show how many accounts there are of each state, and what that does not say."""
    told = describe_states(study)
    present = told.table[told.table["count"] > 0]
    if study.trust.is_refused or present.empty:
        return NOTHING
    short = present.assign(label=present["state"].map(SHORT_STATES).fillna(present["label"]))
    bars = picture(draw.plot_states, short, told, row_inches=0.56,
                   caption="Everybody in your lists, by how things stand between you.")  # fmt: skip
    left = describe_left(study)
    numbers = table(
        told.table.drop(columns="state"), told.caption, save_as="states",
        labels={"label": "state", "reason": "what it means"},
    )  # fmt: skip
    pieces: list[str | Shown] = [heading("How do things stand?"), bars, numbers]
    if not left.table.empty:
        pieces += [left.text, details("The numbers", table(left.table, left.caption))]
    return show(*pieces)


def show_curve(study: EgoStudy) -> Shown:
    """Show how soon follows were answered."""
    told = describe_curve(study)
    if study.trust.is_refused or not told.text:
        return NOTHING
    days = told.table[told.table["duration_days"] > 0] if len(told.table) else told.table
    is_drawn = len(days) > 1 and float(days["incidence"].max()) > 0
    plot = partial(plot_answer_times, horizon_days=study.horizon_days)
    caption = (
        "Share of the follows you started that were answered by each moment, with its interval; "
        "below, how many were still open."
    )
    curve = picture(plot, days, told, caption=caption) if is_drawn else NOTHING
    return show(heading("How long does an answer take?"), told.text, curve)


def show_still(study: EgoStudy) -> Shown:
    """Show what chance is left by the age of a follow."""
    told = describe_still(study)
    if study.trust.is_refused or told.table.empty:
        return NOTHING
    known = told.table[told.table["chance"].notna()]
    plot = partial(draw.plot_still, horizon_days=study.horizon_days)
    bars = picture(plot, known, told, row_inches=0.56,
                   caption="Chance that an open follow is answered, by how long it has been open; "
                   "thin lines are intervals.")  # fmt: skip
    labels = {**INTERVAL, "landmark_days": "open for days", "n": "follows open",
              "answered_later": "answered in time",
              "watched_to_h": "watched to the end"}  # fmt: skip
    numbers = table(told.table, told.caption, formats=SHARES, labels=labels, save_as="still")
    since = describe_since(study)
    later = [] if since.table.empty else [
        table(since.table, since.caption, formats=SHARES, save_as="since",
              labels={**INTERVAL, "label": "in the first 7 days", "n": "follows open",
                      "answered_later": "answered in time"})
    ]  # fmt: skip
    return show(heading("Will they still follow back?"), told.text, bars, since.text,
                details("The numbers", numbers, *later))  # fmt: skip


def show_reasons(study: EgoStudy) -> Shown:
    """Show what goes with an answer in the ego's own data, or that the base rate is all."""
    if study.trust.is_refused:
        return NOTHING
    told, effects, contacts = (
        describe_model(study), describe_effects(study), describe_contacts(study)
    )  # fmt: skip
    pieces: list[str | Shown] = [heading("What goes with an answer?"), told.text]
    if study.model.is_better and not effects.table.empty:
        forest = picture(plot_odds_ratios, label_effects(effects.table), effects, row_inches=0.74,
                         caption="Odds ratios in your own data; right, the average change in "
                         "probability, in points.")  # fmt: skip
        pieces += [effects.text, forest, show_effects(effects)]
    if not contacts.table.empty and study.rate is not None:
        plot = partial(draw.plot_contacts, base_rate=study.rate.rate)
        rows = contacts.table[contacts.table["rate"].notna()]
        short = rows.assign(label=rows["contact"].map(SHORT_CONTACTS).fillna(rows["label"]))
        drawn = picture(plot, short, contacts, row_inches=0.62,
                        caption="Share answered in time by the contact that went before the "
                        "follow; groups of under 5 are left out.")  # fmt: skip
        pieces += [describe_groups(study), drawn] if len(rows) else []
    return show(*pieces, _show_model_numbers(study, contacts.table))


def show_people(study: EgoStudy, names: AccountNames) -> Shown:
    """Show the table of people, and that nothing needs to be done."""
    if study.trust.is_refused or study.alters.empty:
        return NOTHING
    people = make_people(study, names)
    suggested = sorted({str(one) for one in people["suggestion"]} - {""})
    horizon = words.days(study.horizon_days)
    notes = [
        f"Suggestion for every row: {words.join(suggested or ['no action'], 'or')}.",
        f"Chance: of an answer within the next {horizon} to a follow that is still open, in per "
        "cent, with its interval; it comes from the age of the follow alone. Days are in UTC.",
        "Where the page has buttons: notes stay in this open page, and are gone when it is "
        "closed. Nothing is sent or stored anywhere; “Save” writes them into a file of yours. "
        "Text that a spreadsheet could take for a formula gets an apostrophe in front.",
    ]
    start = show(heading("Person by person"), callout(NO_ACTION))
    return show(start, people_table(people, "The people in your lists", notes=notes))


def show_limits(study: EgoStudy) -> Shown:
    """Show what no export can tell."""
    return show(heading("What your export cannot tell"), _list_html(study.limits))


def show_method(study: EgoStudy) -> Shown:
    """Show how the numbers were made, folded away."""
    return details("How the numbers were made", *METHOD, *study.notes)


def show_uses(study: EgoStudy, names: AccountNames) -> Shown:
    """Show what the report may be used for, and what not."""
    return show(
        heading("What this may be used for"),
        callout(f"{USES}\n\n{describe_counted(study)}"),
        callout(f"{NO_USES}\n\n{LIMITS}\n\n{_tell_names(study, names)}", "caution"),
    )


def tell_data(names: AccountNames, *, earlier: str = "", ego: str = "") -> dict[str, str]:
    """Return how parameters stand in the report: the name of an export holds its owner's."""
    if names.are_shown:
        return {}
    told = {"data": "my export", "earlier": earlier and "earlier exports",
            "ego": ego and names.name(ego)}  # fmt: skip
    return {name: text for name, text in told.items() if text}


def _tell_names(study: EgoStudy, names: AccountNames) -> str:
    """Say who may see the page; a refused one names nobody."""
    if study.alters.empty:
        return ""
    return NAMES_SHOWN if names.are_shown else NAMES_HIDDEN


def _show_lists(study: EgoStudy) -> Shown:
    lists = study.trust.lists
    if lists.empty:
        return NOTHING
    return table(lists.drop(columns="kind"), "The lists in your export", save_as="lists",
                 labels={"label": "list", "count": "people", "timed_count": "with a time"},
                 notes=["Whole: nothing speaks for a cut. Cut: a part is missing. Absent: the "
                        "export does not hold it. Unreadable: it is there in a form that could "
                        "not be read."])  # fmt: skip


def _show_checks(study: EgoStudy) -> Shown:
    checks = study.trust.checks
    if checks.empty:
        return NOTHING
    grave = [place for place, one in enumerate(checks["verdict"]) if one in ("warn", "refuse")]
    shown = table(checks, "What was checked", marked=grave, save_as="checks",
                  labels={"name": "check", "value": "found", "remedy": "what to do"})  # fmt: skip
    return details("Every check", shown)


def _show_model_numbers(study: EgoStudy, contacts: pd.DataFrame) -> Shown:
    model = study.model
    pieces: list[str | Shown] = []
    if not contacts.empty:
        labels = {**INTERVAL, "label": "contact before the follow", "n": "follows"}
        pieces.append(table(contacts.drop(columns="contact"), "Answered in time, by contact",
                            formats=SHARES, labels=labels, save_as="contacts"))  # fmt: skip
    if not model.tests.empty:
        forms = dict.fromkeys(("base_loss", "model_loss", "gain", "gain_low", "gain_high", "auc",
                               "auc_low", "auc_high"), ".3f")  # fmt: skip
        pieces.append(table(model.tests, "The model against the base rate, on unseen follows",
                            formats=forms, save_as="tests"))  # fmt: skip
    if not model.features.empty:
        pieces.append(table(model.features.drop(columns="name"), "What the model was offered",
                            save_as="features"))  # fmt: skip
    return details("The numbers", *pieces, *model.notes) if pieces or model.notes else NOTHING


def _list_html(texts: list[str] | tuple[str, ...]) -> Shown:
    return Shown(f"<ul>{''.join(f'<li>{esc(text)}</li>' for text in texts)}</ul>")
