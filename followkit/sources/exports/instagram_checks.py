"""What can be wrong with an Instagram or Threads export, and what to ask the platform for.

`refuse` means that nobody may be called somebody who does not follow back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import get_args

from followkit.sources.exports.found import Check, Found, Listed, ListKind, ListState
from followkit.sources.exports.instagram_files import LISTS, Origin, has_copies, missing_numbers
from followkit.sources.exports.instagram_messages import Matched
from followkit.sources.exports.instagram_reading import Reading, is_deleted
from followkit.sources.exports.instagram_times import ExportTime, Settled, is_possible, latest_of
from followkit.words import count

__all__ = ["add_checks", "add_lists", "check_range"]

ASK = (
    "Ask {title} for a new export: followers and following, date range “All time”, format JSON; "
    "then give every zip of it."
)
#: The detector wants so many times in each list, and so many days between the oldest ones.
ENOUGH_TIMES, LARGEST_LEAD = 10, timedelta(days=180)
#: Spans that a dialog offers, in days, and how far a list may miss them.
SPANS = ((7, 0.5), (30, 1.5), (90, 2.0), (365, 1.5), (1_095, 2.0))
#: A list that was cut is as full at its edge as elsewhere: in the first tenth at least this share.
EDGE, EDGE_SHARE = 0.1, 0.05
RANGE_NAME = "date range"
#: With so long without a follow after a range begins, the account is younger than the range.
QUIET_BEFORE = timedelta(days=30)
#: Without these two nothing can be said about following back.
BOTH: tuple[ListKind, ...] = ("followers", "following")
TITLES = {"instagram": "Instagram", "threads": "Threads"}


def add_lists(reading: Reading) -> None:
    """Say of every list how far it can be trusted; an unreadable one is never an empty one."""
    latest = latest_of(reading.found.exported_at)
    is_cut = _check_dates(reading).verdict == "refuse"
    for kind in get_args(ListKind):
        sheets = reading.sheets.get(kind, [])
        state: ListState = "whole" if sheets else "absent"
        if kind in reading.failures:
            state = "unreadable"
        elif (kind == "followers" and is_cut) or (kind in BOTH and _gaps(reading, kind)):
            state = "cut"
        rows = reading.rows.get(kind, [])
        timed = {row.handle for row in rows if row.at and is_possible(row.at, latest)}
        files = tuple(dict.fromkeys(sheet.file for sheet in sheets))
        everybody = {row.handle for row in rows}
        reading.found.lists.append(Listed(kind, state, len(everybody), len(timed), files))


def _gaps(reading: Reading, kind: ListKind) -> list[int]:
    return missing_numbers(reading.files.get(kind, ()))


# ------------------------------------------------------------------------------------------ range


def _follow_times(found: Found) -> tuple[list[datetime], list[datetime]]:
    """Return the times of followers and of following."""
    followers: list[datetime] = []
    following: list[datetime] = []
    for tie in found.ties:
        if tie.kind == "follow" and tie.at is not None:
            (following if tie.source == found.ego else followers).append(tie.at)
    return followers, following


def check_range(found: Found) -> Check:
    """Tell whether the followers list was cut to a range of dates while following was not.

    Choosing a range when asking for an export cuts the followers list only. Then most mutual
    follows look unanswered.

    Returns
    -------
    Check
        refuse: the oldest follower is over 180 days younger than the oldest followee. warn: the
        followers end sharply at a span that the dialog offers. note: under 10 times in a list.

    Examples
    --------
    >>> from followkit.sources.exports.found import Tie
    >>> start = datetime.fromisoformat("2020-01-01T00:00+00:00")
    >>> ties = [Tie("me", f"a{day}", "follow", start + timedelta(days=day), "f")
    ...         for day in range(0, 1000, 50)]
    >>> ties += [Tie(f"b{day}", "me", "follow", start + timedelta(days=day), "f")
    ...          for day in range(700, 1000, 20)]
    >>> check_range(Found("instagram", ego="me", ties=ties)).verdict
    'refuse'
    """
    followers, following = _follow_times(found)
    remedy = ASK.format(title=TITLES.get(found.platform, found.platform))
    if min(len(followers), len(following)) < ENOUGH_TIMES:
        value = (
            f"The lists have {len(followers):,} and {len(following):,} times: too few to see "
            "whether they were cut to a range of dates."
        )
        return Check(RANGE_NAME, value, "note")
    lead = min(followers) - min(following)
    if lead > LARGEST_LEAD:
        value = (
            f"The oldest follower came {lead.days:,} days after the oldest followee: the followers "
            "were cut to a range of dates, so mutual follows are missing."
        )
        return Check(RANGE_NAME, value, "refuse", remedy)
    span = _sharp_span(followers, following, found.exported_at)
    if span:
        value = (
            f"The followers begin sharply {span:,} days before the end, the followees earlier: "
            "perhaps they were cut to a range of dates."
        )
        return Check(RANGE_NAME, value, "warn", remedy)
    return Check(RANGE_NAME, "The two lists reach back alike.", "ok")


def _check_dates(reading: Reading) -> Check:
    """Return what the pages say of a range of dates, else what the times look like."""
    return _check_told_range(reading) or check_range(reading.found)


def _check_told_range(reading: Reading) -> Check | None:
    """Tell of a range that a page of followers says it was cut to; None if nothing is missing.

    A range that begins long before the first follow of either list leaves nobody out.
    """
    sheets = [sheet for sheet in reading.sheets.get("followers", ()) if sheet.is_ranged]
    starts = [sheet.range_start for sheet in sheets]
    if not sheets:
        return None
    followers, following = _follow_times(reading.found)
    first = min([*followers, *following], default=None)
    if first and all(start and first - start >= QUIET_BEFORE for start in starts):
        return None
    value = (
        "The page of followers says that it holds a range of dates only, so those who came before "
        "are missing."
    )
    remedy = ASK.format(title=TITLES.get(reading.found.platform, reading.found.platform))
    return Check(RANGE_NAME, value, "refuse", remedy)


def _sharp_span(
    followers: Sequence[datetime], following: Sequence[datetime], exported_at: datetime | None
) -> int:
    """Return the round number of days at which the followers begin, 0 if there is none."""
    first = min(followers)
    if first - min(following) < timedelta(days=3):
        return 0
    ends = {max(followers), max(max(followers), max(following))} | (
        {exported_at} if exported_at else set()
    )
    for end in sorted(ends):
        days = (end - first) / timedelta(days=1)
        edge = first + EDGE * (end - first)
        share = sum(at <= edge for at in followers) / len(followers)
        for span, tolerance in SPANS:
            if abs(days - span) <= tolerance and share >= EDGE_SHARE:
                return span
    return 0


# ----------------------------------------------------------------------------------------- checks


def add_checks(
    reading: Reading,
    export_time: ExportTime,
    settled: Settled,
    origins: Sequence[Origin],
    matched: Matched | None,
) -> None:
    """Add all findings; those that forbid naming anybody first."""
    found = reading.found
    found.checks.extend(
        [
            *_check_both_lists(reading),
            *_check_parts(reading, origins),
            _check_dates(reading),
            *_check_other_files(reading),
            *_check_left_out(found),
            *_check_times(reading, export_time, settled),
            *_check_rows(reading),
            *(_check_messages(matched) if matched else ()),
        ]
    )


def _check_both_lists(reading: Reading) -> Iterable[Check]:
    found = reading.found
    states = {kind: found.listed(kind) for kind in BOTH}
    told = [
        f"{one.state}" + (f" ({one.count:,})" if one.state in ("whole", "cut") else "")
        for one in states.values()
    ]
    value = f"The list of followers is {told[0]} and that of following is {told[1]}"
    broken = [kind for kind, one in states.items() if one.state in ("absent", "unreadable")]
    reasons = [reason for kind in broken for reason in reading.failures.get(kind, ())]
    if not broken:
        yield Check("both lists", f"{value}.", "ok")
        return
    if reasons:
        value += ": " + "; ".join(reasons[:3])
    yield Check("both lists", f"{value}.", "refuse", ASK.format(title=TITLES[found.platform]))


def _check_parts(reading: Reading, origins: Sequence[Origin]) -> Iterable[Check]:
    for kind in BOTH:
        if gaps := _gaps(reading, kind):
            numbers = ", ".join(map(str, gaps[:3]))
            yield Check(
                "parts of a list", f"Of {kind}, part {numbers} is missing.", "refuse",
                "Give every zip of the export; a large one comes in several.",
            )  # fmt: skip
        if has_copies(reading.files.get(kind, ())):
            yield Check(
                "one version of a list", f"Of {kind} there are two files that differ.", "refuse",
                "Give the newer download only; compare two exports as snapshots.",
            )  # fmt: skip
    parts = {one.part for one in origins if one.part}
    missing = [number for number in range(1, max(parts, default=0)) if number not in parts]
    if missing:
        numbers = ", ".join(map(str, missing[:3]))
        yield Check("parts of the export", f"Part {numbers} is missing.", "refuse",
                    "Give every zip of the export; a large one comes in several.")  # fmt: skip
    days = [one.day for one in origins if one.day and one.is_sure]
    owners = {one.ego for one in origins if one.ego and one.is_sure}
    if len(owners) > 1 or (days and max(days) - min(days) > timedelta(days=2)):
        what = f"{len(owners)} owners" if len(owners) > 1 else "days that lie apart"
        yield Check(
            "one export", f"The names of the files tell of {what}.", "refuse",
            "Give the parts of one export only; compare two exports as snapshots.",
        )  # fmt: skip


def _check_other_files(reading: Reading) -> Iterable[Check]:
    reasons = [
        reason
        for role, of_role in sorted(reading.failures.items())
        for reason in of_role
        if role not in ("followers", "following")
    ]
    if reasons:
        value = f"{count(len(reasons), 'file')} cannot be read: " + "; ".join(reasons[:3]) + "."
        yield Check("unreadable files", value, "warn",
                    "What they hold is missing, not 0. Download the export again.")  # fmt: skip
    if reading.counts["pages of posts"]:
        value = f"{count(reading.counts['pages of posts'], 'page')} of own posts left out."
        yield Check("own posts", value, "note", "The JSON format has them.")
    if reading.counts["threads files"]:
        value = f"{count(reading.counts['threads files'], 'file')} of Threads left out."
        yield Check("threads", value, "note", "They are lists of their own; read them as Threads.")


def _check_left_out(found: Found) -> Iterable[Check]:
    """Tell of relation lists of which a few records could not be read."""
    names = {role.replace("_", " ") for role in LISTS}
    counts = Counter({
        one.what: sum(one.left_out.values()) for one in found.files if one.what in names
    })  # fmt: skip
    told = [f"{number:,} of {what}" for what, number in sorted(counts.items()) if number]
    if told:
        remedy = "They are missing from the lists; look the accounts up in the app."
        value = f"Without a user name: {', '.join(told)}."
        yield Check("records without a user name", value, "warn", remedy)


def _check_times(reading: Reading, export_time: ExportTime, settled: Settled) -> Iterable[Check]:
    found = reading.found
    where = {"given": "as given", "name": "by the name of the file", "page": "by its pages"}
    if export_time.source in where:
        value = f"The day of the export is known {where[export_time.source]}."
        yield Check("export date", value, "ok")
    else:
        newest = (
            "it is taken from the newest entry" if export_time.at else "there is no time at all"
        )
        remedy = "Keep the name of the zip as it came, or give the date."
        yield Check("export date", f"It is not written anywhere; {newest}.", "note", remedy)
    told = [
        f"{number:,} {what}"
        for number, what in (
            (settled.early_count, "before October 2010"),
            (settled.late_count, "after the export"),
            (settled.malformed_count, "in no form that is known"),
        )
        if number
    ]
    if told:
        value = f"Of the times, {', '.join(told)}; the records stay, without a time."
        yield Check("impossible times", value, "warn", "They take no part in anything timed.")
    yield from _check_zone(reading)
    untimed = sum(tie.kind == "follow" and tie.at is None for tie in found.ties)
    if untimed:
        total = sum(tie.kind == "follow" for tie in found.ties)
        yield Check("follows without a time", f"{untimed:,} of {total:,} follows.", "note")


def _check_zone(reading: Reading) -> Iterable[Check]:
    counts = reading.counts
    assumed = counts["rows with an assumed zone"] + counts["era A times without a zone"]
    if assumed:
        value = f"{count(assumed, 'time')} written without a zone, which is assumed."
        remedy = (
            "Differences between two lists are safe, clock hours are not. JSON has exact times."
        )
        yield Check("time zone", value, "note", remedy)


def _check_rows(reading: Reading) -> Iterable[Check]:
    told = []
    for role in LISTS:
        rows = reading.rows.get(role, ())
        repeated = len(rows) - len({row.handle for row in rows})
        if repeated:
            told.append(f"{repeated:,} in {role.replace('_', ' ')}")
    if told:
        yield Check("duplicates", ", ".join(told) + "; each account counts once.", "note")
    gone = len({one.account for one in reading.found.people if is_deleted(one.account)})
    if gone:
        value = f"{count(gone, 'account')} gone; nobody of these is one who does not follow back."
        yield Check("deleted accounts", value, "note")
    if earlier := reading.counts["earlier requests without a follow"]:
        value = f"{count(earlier, 'request')} neither pending nor followed; no answer is told."
        yield Check("earlier requests", value, "note")
    if own := reading.counts["acts towards oneself"]:
        yield Check("acts towards oneself", f"{own:,} left out.", "note")
    if reading.found.ego == "me":
        yield Check("owner", "The export does not say whose it is.", "note",
                    "Give your user name, or keep the name of the zip as it came.")  # fmt: skip
    if reading.counts["other owner"]:
        yield Check("owner", "The user name given is not the one in the export.", "warn",
                    "Leave it out, or choose your own export.")  # fmt: skip


def _check_messages(matched: Matched) -> Iterable[Check]:
    if not matched.thread_count:
        return
    value = (
        f"{matched.matched_count:,} of {matched.thread_count:,} conversations with one other "
        f"person have a known user name ({matched.ambiguous_count:,} with a name that several "
        f"have, {matched.gone_count:,} with accounts that are gone; {matched.group_count:,} groups "
        "left out)."
    )
    if not matched.ego_known:
        value += " The export does not tell your own display name."
    whole = matched.matched_count == matched.thread_count
    yield Check("messages", value, "ok" if whole else "warn",
                "" if whole else "The other conversations are missing, not silence.")  # fmt: skip
