"""Is the list right? What must hold before anybody is said not to follow back.

Most false accusations come from lists that are not whole: a range of dates was chosen, a file is
missing, a format has changed. So the lists are proved first, and nothing is said where they fail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from followkit import words
from followkit.ego.results import Trust
from followkit.errors import InputError
from followkit.observation import find_last_moment, keep_active
from followkit.tables import Dataset

__all__ = ["DATED_PLATFORMS", "EgoExport", "check_export", "read_export"]

#: Their dialogs offer a range of dates that cuts the followers and leaves the other list whole.
DATED_PLATFORMS = ("instagram", "threads")
#: The detector of a cut list: both lists need so many times, and followers begin so much later.
FEWEST_STAMPS = 10
LARGEST_LAG_DAYS = 180.0
#: Ranges that dialogs offer, in days.
ROUND_SPANS = (7.0, 30.0, 90.0, 365.0, 1095.0)
#: A list that holds less than this of what the platform counts is short, and then useless.
SHORT_SHARE, USELESS_SHARE = 0.9, 0.5
LATEST = pd.Timedelta(days=1)

LIST_LABELS = {
    "followers": "your followers", "following": "the accounts that you follow",
    "requests_sent": "requests that you sent", "requests_received": "requests that you received",
    "unfollowed": "accounts that you stopped following",
}  # fmt: skip
VERDICTS = ("refuse", "warn", "note", "ok")
WHOLE_EXPORT = (
    "Ask for your data once more: followers and following, all of your information, range of dates "
    '"All time", format JSON. Give every file that you are sent.'
)

CheckRow = tuple[str, str, str, str]


@dataclass(frozen=True)
class EgoExport:
    """What is known of an export: whose, from where, of when, and the state of its lists.

    Attributes
    ----------
    ego, platform
        The owner's account id as text, and the platform.
    exported_at, is_time_known
        The moment of the export (UTC); the last stamp of a follow where it is not known.
    lists
        State of each list by kind: whole, cut, absent or unreadable.
    facts
        `about["export"]` as it is.
    """

    ego: str
    platform: str
    exported_at: pd.Timestamp
    is_time_known: bool
    lists: Mapping[str, str]
    facts: Mapping[str, Any]


def read_export(dataset: Dataset) -> EgoExport:
    """Return what a dataset says of the export that it was read from.

    Raises
    ------
    InputError
        If it was not read from an export, names no owner, or the owner has no ties.

    Examples
    --------
    >>> from followkit.tables import make_dataset
    >>> ties = pd.DataFrame({"follower_id": ["me"], "followee_id": ["bo"]})
    >>> about = {"export": {"platform": "x", "ego": "me", "exported_at": "2024-05-01T00:00:00Z"}}
    >>> export = read_export(make_dataset({"follows": ties}, about=about))
    >>> export.ego, str(export.exported_at.date())
    ('me', '2024-05-01')
    """
    facts = dataset.about.get("export")
    if not isinstance(facts, Mapping):
        raise InputError(
            f"{dataset.name}: a personal report needs the export of one account; these tables do "
            "not say whose they are. Load the file that the platform sent you."
        )
    ego = str(facts.get("ego") or "")
    ends = dataset.follows[["follower_id", "followee_id"]].astype(str)
    if not ego or not (ends == ego).to_numpy().any():
        raise InputError(
            f"{dataset.name}: the owner of the export is {ego or 'not named'!r}, and none of "
            f"{len(ends):,} follows is theirs. Load the export again, and give the owner's name."
        )
    stamp = pd.to_datetime(str(facts.get("exported_at") or ""), utc=True, errors="coerce")
    is_known = not pd.isna(stamp)
    lists = {str(kind): str(_get(one, "state")) for kind, one in _listed(facts).items()}
    return EgoExport(
        ego, str(facts.get("platform") or "unknown"),
        stamp if is_known else find_last_moment(dataset), is_known, lists, facts,
    )  # fmt: skip


def check_export(dataset: Dataset, export: EgoExport) -> Trust:
    """Return whether it may be said who follows back, with every finding.

    Refused: the followers are cut off, absent or unreadable; so is the list of follows, but for a
    cut, which only hides people; the reader refused; on Instagram and Threads followers begin over
    180 days after the first follow (ten times in each list); the platform counts over twice as
    many followers as are listed.

    Examples
    --------
    >>> from followkit.tables import make_dataset
    >>> ties = pd.DataFrame({"follower_id": ["me"], "followee_id": ["bo"]})
    >>> about = {"export": {"platform": "x", "ego": "me", "exported_at": "2024-05-01T00:00:00Z",
    ...     "lists": {"followers": {"state": "absent"}, "following": {"state": "whole"}}}}
    >>> data = make_dataset({"follows": ties}, about=about)
    >>> check_export(data, read_export(data)).refusals
    ('The list of your followers is absent, so nobody can be said not to follow back.',)
    """
    told = _told_checks(export.facts)
    # The reader knows the platform, so what it says to do stands alone.
    is_told = any(row[2] == "refuse" and row[3] for row in told)
    own = [(name, value, verdict, "" if is_told else remedy)
           for name, value, verdict, remedy in _check_lists(export)]  # fmt: skip
    rows = [*told, *own]
    stamps = _list_stamps(dataset, export)
    is_refused = any(row[2] == "refuse" for row in rows)
    rows += [] if is_refused else _check_range(stamps, export)
    rows += [*_check_size(dataset, export), *_check_times(stamps, export)]
    table = pd.DataFrame(rows, columns=["name", "value", "verdict", "remedy"]).drop_duplicates()
    table = table.sort_values(
        "verdict", key=lambda one: one.map(VERDICTS.index), kind="stable", ignore_index=True
    )
    said = [_tell(*pair) for pair in zip(table["name"], table["value"], strict=True)]
    sentences = pd.Series(said, index=table.index, dtype=object)
    grave = table[table["verdict"] == "refuse"]
    mild = table[table["verdict"] == "warn"]
    worst = grave if len(grave) else mild
    remedies = tuple(dict.fromkeys(remedy for remedy in worst["remedy"] if remedy))
    return Trust(
        "refuse" if len(grave) else "warn" if len(mild) else "ok",
        tuple(sentences[grave.index]), remedies, tuple(sentences[mild.index]), table,
        _tell_lists(export.facts),
    )  # fmt: skip


def _get(facts: Any, name: str, default: Any = "") -> Any:
    """Return one fact; what is of another shape than expected says nothing."""
    return facts.get(name, default) if isinstance(facts, Mapping) else default


def _listed(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    lists = facts.get("lists")
    return lists if isinstance(lists, Mapping) else {}


def _tell(name: str, value: str) -> str:
    """Return a finding as a sentence; a value that is none follows its name."""
    if value.endswith((".", "!", "?")):
        return value
    text = f"{name}: {value}" if name and value else name or value
    return f"{text[:1].upper()}{text[1:]}."


def _told_checks(facts: Mapping[str, Any]) -> list[CheckRow]:
    """Return what the reader found; a verdict that is not known counts as a warning."""
    told = facts.get("checks")
    rows = []
    for check in told if isinstance(told, Sequence) and not isinstance(told, str) else []:
        verdict = str(_get(check, "verdict"))
        verdict = verdict if verdict in VERDICTS else "warn"
        rows.append((str(_get(check, "name")), str(_get(check, "value")), verdict,
                     str(_get(check, "remedy"))))  # fmt: skip
    return rows


def _check_lists(export: EgoExport) -> list[CheckRow]:
    rows = []
    for kind in ("followers", "following"):
        state, label = export.lists.get(kind, "absent"), LIST_LABELS[kind]
        name = f"list of {label}"
        if state == "whole":
            rows.append((name, f"The list of {label} is whole.", "ok", ""))
        elif kind == "following" and state == "cut":
            value = (
                f"The list of {label} is cut off: only what it shows is counted, and of those who "
                "follow you it is not known whom you follow."
            )
            rows.append((name, value, "warn", WHOLE_EXPORT))
        else:
            word = {"cut": "cut off"}.get(state, state)
            value = f"The list of {label} is {word}, so nobody can be said not to follow back."
            rows.append((name, value, "refuse", WHOLE_EXPORT))
    return rows


def _list_stamps(dataset: Dataset, export: EgoExport) -> dict[str, pd.Series]:
    """Return the times of both lists, those of the future included."""
    follows = keep_active(dataset.follows)
    if "followed_at" not in follows:
        none = pd.Series(pd.NaT, index=follows.index, dtype="datetime64[us, UTC]")
        follows = follows.assign(followed_at=none)
    sides = {"followers": "followee_id", "following": "follower_id"}
    return {
        kind: follows.loc[follows[side].astype(str) == export.ego, "followed_at"]
        for kind, side in sides.items()
    }


def _check_range(stamps: Mapping[str, pd.Series], export: EgoExport) -> list[CheckRow]:
    """Look for a followers list that a range of dates has cut."""
    timed = {kind: column.dropna() for kind, column in stamps.items()}
    if min(len(column) for column in timed.values()) < FEWEST_STAMPS:
        return []
    first = {kind: column.min() for kind, column in timed.items()}
    lag = (first["followers"] - first["following"]) / pd.Timedelta(days=1)
    dates = f"{first['followers']:%Y-%m-%d}, and your own follows on {first['following']:%Y-%m-%d}"
    if lag > LARGEST_LAG_DAYS:
        value = (
            f"Your followers begin on {dates}: {lag:,.0f} days earlier. So it looks when a range "
            "of dates was chosen for the export, which cuts the followers only: older followers "
            "are missing and would be taken for people who do not follow back."
        )
        is_dated = export.platform in DATED_PLATFORMS
        return [("range of dates", value, "refuse" if is_dated else "warn", WHOLE_EXPORT)]
    span = _find_round_span(first["followers"], export.exported_at)
    if span and lag > 1:
        value = (
            f"Your followers begin on {dates}. That is {words.days(span)} before the export, to "
            "the day, as if a range of dates had been chosen."
        )
        return [("range of dates", value, "warn", WHOLE_EXPORT)]
    return [("range of dates", f"Your followers begin on {dates}.", "ok", "")]


def _find_round_span(first: pd.Timestamp, exported_at: pd.Timestamp) -> float:
    """Return the round span that the first follower lies inside of by a day at most, or 0."""
    age = (exported_at - first) / pd.Timedelta(days=1)
    return next((span for span in ROUND_SPANS if 0 <= span - age <= 1), 0.0)


def _check_size(dataset: Dataset, export: EgoExport) -> list[CheckRow]:
    """Compare the followers list with the count of the platform, where there is one."""
    accounts = dataset.accounts
    if not dataset.has("accounts", "follower_count"):
        return []
    own = accounts.loc[accounts["account_id"].astype(str) == export.ego, "follower_count"].dropna()
    if own.empty:
        return []
    follows = keep_active(dataset.follows)
    is_listed = follows["followee_id"].astype(str) == export.ego
    listed, counted = int(follows.loc[is_listed, "follower_id"].nunique()), int(own.iloc[0])
    value = f"{listed:,} followers are listed; the platform counts {counted:,}"
    if listed >= SHORT_SHARE * counted:
        return [("number of followers", f"{value}.", "ok", "")]
    value += ": those who are missing would be taken for people who do not follow back."
    verdict = "refuse" if listed < USELESS_SHARE * counted else "warn"
    return [("number of followers", value, verdict, WHOLE_EXPORT)]


def _check_times(stamps: Mapping[str, pd.Series], export: EgoExport) -> list[CheckRow]:
    rows = []
    if not export.is_time_known:
        value = (
            "The export does not say when it was made; its last follow stands in, so waits may be "
            "too short."
        )
        rows.append(("date of the export", value, "warn", ""))
    both = pd.concat(list(stamps.values()))
    if not both.notna().any():
        value = "The export carries no times of follows: who came first is unknown."
        return [*rows, ("times of follows", value, "note", "")]
    late = int((both > export.exported_at + LATEST).sum())
    if late:
        value = (
            f"{words.count(late, 'follow')} of {len(both):,} lie after the export; these times are "
            "taken as unknown."
        )
        rows.append(("times of follows", value, "warn", ""))
    lacking = int(both.isna().sum())
    share = words.percent(float(np.mean(both.isna())))
    value = f"{lacking:,} of {len(both):,} follows carry no time ({share})."
    rows.append(("times of follows", value, "note" if lacking else "ok", ""))
    return rows


def _tell_lists(facts: Mapping[str, Any]) -> pd.DataFrame:
    rows = []
    for kind, label in LIST_LABELS.items():
        one = _listed(facts).get(kind, {})
        files = _get(one, "files", ())
        count = len(files) if isinstance(files, Sequence) and not isinstance(files, str) else 0
        numbers = [_whole(_get(one, name, 0)) for name in ("count", "timed_count")]
        rows.append((kind, label, str(_get(one, "state") or "absent"), *numbers, count))
    columns = ["kind", "label", "state", "count", "timed_count", "files"]
    return pd.DataFrame(rows, columns=columns)


def _whole(number: Any) -> int:
    return int(number) if isinstance(number, int | float) and np.isfinite(number) else 0
