"""The table of people in the personal report: one row an account around the ego.

Without a script it is a plain table, complete and in order. With followkit's own script
(`templates/followkit/people.js`) it can be sorted, searched, filtered and saved, and takes notes
that never leave the open page. No row links anywhere, and nothing in it can follow or unfollow
anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from followkit import words
from followkit.ego.results import STATE_LABELS, EgoStudy
from followkit.html import Shown, esc, name_html
from followkit.pseudonyms import AccountNames
from followkit.record import csv_text, is_missing

__all__ = ["MOST_ROWS", "SHORT_STATES", "make_people", "people_table"]

#: Rows that a page holds at most; the CSV beside it holds all.
MOST_ROWS = 3000
#: States in a few words, for a narrow column. None of them blames anybody.
SHORT_STATES: dict[str, str] = {
    "mutual": "you follow each other",
    "not_following_back": "does not follow you now",
    "fan": "follows you",
    "pending": "request not answered yet",
    "received_request": "asks to follow you",
    "unfollowed_by_me": "you withdrew your follow",
    "former_fan": "followed you once",
    "deleted": "account is gone",
    "unknown": "not known",
}
MARKS: dict[str, str] = {
    "is_close_friend": "close friend",
    "is_favorite": "favorite",
    "is_restricted": "restricted by you",
    "is_hidden_from": "does not see your stories",
    "is_dismissed": "suggestion dismissed",
}
#: What follows the file name of the table, and how long its text may be.
FILE = "people.csv"
NONE = '<span class="fk-none" title="not known">–</span>'
FIRST_WORDS = {"ego": "you", "alter": "they", "same_time": "same moment", "unknown": "not known"}
#: Columns of the page: words, side, class.
HEADS: tuple[tuple[str, str], ...] = (
    ("person", "fk-left fk-who"),
    ("state", "fk-left fk-state"),
    ("you followed", "fk-left fk-day"),
    ("they followed", "fk-left fk-day"),
    ("answer", "fk-left fk-wait"),
    ("chance", "fk-right fk-chance"),
    ("what your data say", "fk-left fk-reason"),
)


def make_people(study: EgoStudy, names: AccountNames) -> pd.DataFrame:
    """Return one row an account: what the page and its CSV file say of it.

    Parameters
    ----------
    study
        From `followkit.ego.study_ego`.
    names
        What accounts are called; display names appear only where real names are shown.

    Returns
    -------
    pandas.DataFrame
        person, display_name, state (key), state_label, who_first, you_followed_at,
        they_followed_at, requested_at (UTC), answer_days, waiting_days, chance, chance_low,
        chance_high (0–1), marks, reason, suggestion. Ordered by state as in `STATE_LABELS`, then by
        name: the order ranks nobody.
    """
    alters = study.alters
    called = [names.name(one) for one in alters["alter_id"]]
    made = pd.DataFrame({"person": pd.Series(called, index=alters.index, dtype=object)})
    shown = alters["display_name"].astype(object) if names.are_shown else None
    made["display_name"] = "" if shown is None else shown.where(shown.notna(), "")
    made["state"] = alters["state"].astype(str)
    made["state_label"] = made["state"].map(lambda state: STATE_LABELS.get(state, state))
    made["who_first"] = alters["who_first"].map(lambda one: FIRST_WORDS.get(str(one), str(one)))
    renamed = {
        "ego_followed_at": "you_followed_at", "alter_followed_at": "they_followed_at",
        "requested_at": "requested_at", "answer_days": "answer_days",
        "waiting_days": "waiting_days", "probability_still": "chance", "still_low": "chance_low",
        "still_high": "chance_high",
    }  # fmt: skip
    for old, new in renamed.items():
        made[new] = alters[old]
    made["marks"] = _join_marks(alters)
    for column in ("reason", "suggestion"):
        made[column] = alters[column].astype(object).where(alters[column].notna(), "")
    order = {state: place for place, state in enumerate(STATE_LABELS)}
    made["_place"] = made["state"].map(lambda state: order.get(state, len(order)))
    made["_name"] = made["person"].map(lambda name: (name.casefold(), name))
    ordered = made.sort_values(["_place", "_name"], kind="stable", ignore_index=True)
    return ordered.drop(columns=["_place", "_name"])


def people_table(people: pd.DataFrame, caption: str, *, notes: Sequence[str] = ()) -> Shown:
    """Show the people as a table that a page's script can sort, filter, annotate and save.

    Parameters
    ----------
    people
        From `make_people`. Over `MOST_ROWS` rows only the first are shown, those whom the ego
        follows before those whom it does not; a report's `tables/people.csv` holds all.
    caption, notes
        Above and below the table.
    """
    kept, left = _keep_rows(people)
    head = "".join(
        f'<th scope="col" role="columnheader" class="{css}">{esc(text)}</th>' for text, css in HEADS
    )
    body = "".join(_row_html(row) for row in kept.itertuples(index=False))
    more = [f"{words.count(left)} more are in tables/{FILE}, beside this page."] if left else []
    below = "".join(f'<p class="fk-below">{esc(note)}</p>' for note in [*more, *notes])
    html = (
        f'<div class="fk-table fk-crowd"><div class="fk-scroll" tabindex="0" role="region" '
        f'aria-label="{esc(caption)}"><table class="fk-list fk-people" role="table" '
        f'data-script="people" data-file="{FILE}"><caption>{esc(caption)}</caption>'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{body}</tbody></table></div>{below}</div>'
    )
    return Shown(html, {"people": csv_text(_as_saved(people))})


def _keep_rows(people: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    if len(people) <= MOST_ROWS:
        return people, 0
    # Followers whom the ego does not follow can be very many; they give way first.
    first = people.sort_values("state", key=lambda state: state == "fan", kind="stable")
    return first.head(MOST_ROWS).sort_index(), len(people) - MOST_ROWS


def _as_saved(people: pd.DataFrame) -> pd.DataFrame:
    saved = people.drop(columns="state")
    for column in ("you_followed_at", "they_followed_at", "requested_at"):
        saved[column] = [_moment(value) for value in people[column]]
    return saved.rename(columns={"state_label": "state"})


def _join_marks(alters: pd.DataFrame) -> pd.Series:
    marks = pd.Series("", index=alters.index, dtype=object)
    for column, word in MARKS.items():
        if column in alters:
            flagged = alters[column].fillna(False).astype(bool)
            marks = marks.where(~flagged, marks.map(lambda text, word=word: _add(text, word)))
    return marks


def _add(text: str, word: str) -> str:
    return f"{text}, {word}" if text else word


# -------------------------------------------------------------------------------------------- cells


def _row_html(row: Any) -> str:
    cells = [
        _cell(1, _state_html(row), ""),
        _cell(2, *_day(row.you_followed_at, row.requested_at if row.state == "pending" else None)),
        _cell(3, *_day(row.they_followed_at,
                       row.requested_at if row.state == "received_request" else None)),
        _cell(4, *_wait(row)),
        _cell(5, *_chance(row)),
        _cell(6, esc(row.reason), ""),
    ]  # fmt: skip
    return f'<tr role="row" data-state="{esc(row.state)}">{_who_html(row)}{"".join(cells)}</tr>'


def _cell(place: int, inside: str, extra: str) -> str:
    text, css = HEADS[place]
    return f'<td role="cell" class="{css}" data-label="{esc(text)}"{extra}>{inside}</td>'


def _who_html(row: Any) -> str:
    small = [name_html(row.display_name)] if row.display_name else []
    small += [esc(row.marks)] if row.marks else []
    below = f" <small>{' · '.join(small)}</small>" if small else ""
    return (
        f'<th scope="row" role="rowheader" class="{HEADS[0][1]}" data-save="{esc(row.person)}">'
        f"{name_html(row.person)}{below}</th>"
    )


def _state_html(row: Any) -> str:
    return esc(SHORT_STATES.get(row.state, row.state))


def _day(followed: Any, requested: Any) -> tuple[str, str]:
    """Return a day as HTML, and what to sort it by and to save."""
    moment, word = (followed, "") if not is_missing(followed) else (requested, "asked ")
    if is_missing(moment):
        return NONE, ' data-value="" data-save=""'
    text = _moment(moment)
    inside = f'{word}<time datetime="{text}">{text[:10]}</time>'
    return inside, f' data-value="{int(moment.timestamp())}" data-save="{esc(word)}{text}"'


def _wait(row: Any) -> tuple[str, str]:
    """Return in how many days an answer came, or for how many the follow has been open."""
    if not is_missing(row.answer_days):
        who = {"you": "they answered", "they": "you answered"}.get(row.who_first, "answered")
        text = f"{who} after {words.span(float(row.answer_days))}"
        return esc(text), f' data-value="{float(row.answer_days):.6f}"'
    if not is_missing(row.waiting_days):
        text = f"open for {words.span(float(row.waiting_days))}"
        return esc(text), f' data-value="{float(row.waiting_days):.6f}"'
    return NONE, ' data-value="" data-save=""'


def _chance(row: Any) -> tuple[str, str]:
    if is_missing(row.chance):
        return NONE, ' data-value="" data-save=""'
    chance = float(row.chance)
    low, high = (float(value) for value in (row.chance_low, row.chance_high))
    # A number alone would look surer than it is.
    inside = esc(f"{100 * chance:.0f} %")
    if low == low and high == high:
        inside += f" <small>{100 * low:.0f}–{100 * high:.0f}</small>"
    return inside, f' data-value="{chance:.6f}" data-save="{chance:.4f}"'


def _moment(value: Any) -> str:
    return "" if is_missing(value) else f"{value:%Y-%m-%dT%H:%M:%SZ}"
