"""Writing a simulated life as a LinkedIn export: invitations, and connections by their day."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from followkit.simulate.exports.life import Account, Alter, Expected, Life
from followkit.simulate.exports.packing import pack
from followkit.simulate.exports.writing import SECRETS, check_choice, check_faults, pair_messages

__all__ = ["FAULTS", "LAYOUTS", "expected_linkedin", "write_linkedin"]

#: `2023`: preamble and addresses; `2021`: preamble, no addresses; `bare`: addresses, no preamble.
LAYOUTS = ("2023", "bare", "2021")
FAULTS = ("hidden", "vanished", "odd_dates", "alike_months", "new_header", "missing_connections",
          "missing_invitations", "empty")  # fmt: skip
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: February and January as two languages shorten them, and a November that begins like March.
_ELSEWHERE, _ALIKE = ("févr.", "gen"), "marras"
_INVITED = ("From", "To", "Sent At", "Message", "Direction", "inviterProfileUrl",
            "inviteeProfileUrl")  # fmt: skip
_MESSAGE = ("CONVERSATION ID", "CONVERSATION TITLE", "FROM", "SENDER PROFILE URL", "TO",
            "RECIPIENT PROFILE URLS", "DATE", "SUBJECT", "CONTENT", "FOLDER")  # fmt: skip
_Tie = tuple[str, str, str, datetime | None]


def write_linkedin(
    life: Life, path: str | Path, *, layout: str = "2023", packing: str = "zip",
    faults: Collection[str] = (),
) -> list[Path]:  # fmt: skip
    """Write a life as a LinkedIn export and return the paths to hand to a reader.

    Both follows of the life make a connection; a follow of one side alone is an invitation that
    waits. Of the first side's follow the invitation tells the minute, of the second's the
    connection tells the day.

    Parameters
    ----------
    layout
        One of `LAYOUTS`.
    packing
        `folder`, `zip`, `wrapped` or `split`.
    faults
        Any of `FAULTS`.

    Raises
    ------
    ParameterError
        For a layout, packing or fault that is not known.

    Examples
    --------
    >>> import tempfile
    >>> from followkit.simulate.exports.life import make_life
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [made.name for made in write_linkedin(make_life(1, 20), folder)]
    ['Basic_LinkedInDataExport_06-15-2026.zip']
    """
    check_choice("layout", layout, LAYOUTS)
    check_faults(faults, FAULTS)
    name = f"Basic_LinkedInDataExport_{life.exported_at:%m-%d-%Y}"
    files = _files(life, layout, faults)
    return pack(files, Path(path), name=name, packing=packing, wrapper=name)


def _files(life: Life, layout: str, faults: Collection[str]) -> dict[str, bytes]:
    files = {
        "Connections.csv": _connections(life, layout, faults),
        "Invitations.csv": _table(_INVITED, _invitations(life, faults)),
        "messages.csv": _table(_MESSAGE, _messages(life)),
        "Email Addresses.csv": _table(("Email Address", "Confirmed"), [(SECRETS[0], "Yes")]),
        "PhoneNumbers.csv": _table(("Extension", "Number"), [("", SECRETS[2])]),
        "Profile.csv": _table(("First Name", "Last Name", "Birth Date"),
                              [(*_split_name(life.ego), SECRETS[1])]),
    }  # fmt: skip
    for fault, name in (("missing_connections", "Connections.csv"),
                        ("missing_invitations", "Invitations.csv")):  # fmt: skip
        if fault in faults:
            del files[name]
    return files


def expected_linkedin(
    life: Life, *, layout: str = "2023", packing: str = "zip", faults: Collection[str] = ()
) -> Expected:
    """Return what a right reader finds: requests to the minute, answers to the day.

    An answer is never before its invitation: on the same day it stands one minute after it. A
    connection without an invitation has the day for both sides, and so has neither side's order.
    Of a layout without addresses only connections with an invitation have a known account.
    """
    del packing
    ego = life.ego.slug
    truth = Expected(ego, life.exported_at)
    connected = "missing_connections" not in faults and "new_header" not in faults
    for one in life.alters:
        truth.ties |= _expected_ties(one, ego, faults, connected=connected)
    people = life.by_number()
    truth.acts = {
        (people[deed.actor].slug, people[deed.target].slug, "message", deed.at)
        for deed in life.deeds
        if deed.kind == "message"
    }
    if layout != "2021":
        state = "unreadable" if "new_header" in faults else "whole" if connected else "absent"
        truth.states = {"following": state, "followers": state}
    return truth


def _expected_ties(one: Alter, ego: str, faults: Collection[str], *, connected: bool) -> set[_Tie]:
    sent = _invitation(one)
    outgoing = _is_outgoing(one)
    pair = (ego, one.slug) if outgoing else (one.slug, ego)
    invited = sent is not None and not _is_gone(one, faults)
    day = _connected_on(one) if connected and "empty" not in faults else None
    minute = sent.replace(second=0) if sent and invited else None
    if day is None:
        return {(*pair, "request", minute)} if minute else set()
    known = minute + timedelta(minutes=1) if minute and day <= minute else day
    answered = None if _is_odd(one.number, faults) else known
    return {(*pair, "follow", minute or answered), (pair[1], pair[0], "follow", answered)}


def _is_outgoing(one: Alter) -> bool:
    """Return whether the ego asked: it followed first, or waits."""
    if one.following_at and one.follower_at:
        return one.following_at < one.follower_at
    return bool(one.following_at or one.request_at)


def _invitation(one: Alter) -> datetime | None:
    """Return when the side that came first asked."""
    moments = [at for at in (one.following_at, one.follower_at) if at]
    return min(moments) if moments else one.request_at or one.received_at


def _connected_on(one: Alter) -> datetime | None:
    """Return the day on which the second side agreed, or None without a connection."""
    if not (one.following_at and one.follower_at):
        return None
    return max(one.following_at, one.follower_at).replace(hour=0, minute=0, second=0)


def _is_gone(one: Alter, faults: Collection[str]) -> bool:
    """Return whether the invitation is no longer told, as happens to accepted ones."""
    if "missing_invitations" in faults:
        return True
    return "vanished" in faults and _connected_on(one) is not None and one.number % 2 == 0


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue().encode()


def _split_name(one: Account) -> tuple[str, str]:
    first, _, last = one.name.partition(" ")
    return first, last


def _address(one: Account) -> str:
    return f"https://www.linkedin.com/in/{one.slug}"


def _is_odd(number: int, faults: Collection[str]) -> bool:
    """Return whether the day of a connection is written in another language."""
    return bool({"odd_dates", "alike_months"} & set(faults)) and number % 5 == 0


def _day(at: datetime, number: int, faults: Collection[str]) -> str:
    """Return a day as the file writes it, or in a form that tells nothing sure."""
    if _is_odd(number, faults) and "odd_dates" in faults:
        return f"{at.day} {_ELSEWHERE[number % 2]} {at:%Y}"
    if _is_odd(number, faults):
        return f"{at.day} {_ALIKE} {at:%Y}"
    return f"{at.day:02} {_MONTHS[at.month - 1]} {at:%Y}"


def _connections(life: Life, layout: str, faults: Collection[str]) -> bytes:
    """Return the connections, newest first; hidden members have their day only."""
    header = ["First Name", "Last Name", "URL", "Email Address", "Company", "Position",
              "Connected On"]  # fmt: skip
    found = [(day, one) for one in life.alters if (day := _connected_on(one))]
    rows = []
    for day, one in sorted(found, key=lambda pair: (pair[0], pair[1].number), reverse=True):
        email = SECRETS[0] if one.number % 7 == 0 else ""
        rows.append([*_split_name(one), _address(one), email, "Lens, Light & Co", "\"Chief\" cook",
                     _day(day, one.number, faults)])  # fmt: skip
    if "hidden" in faults:
        rows[1:1] = [["", "", "", "", "", "", "08 Feb 2023"]] * 3
    if "empty" in faults:
        rows = []
    if layout == "2021":
        header, rows = [header[:2] + header[3:], [row[:2] + row[3:] for row in rows]]
    if "new_header" in faults:
        header = [f"Column {number}" for number, _ in enumerate(header, 1)]
    preamble = (
        b""
        if layout == "bare"
        else b'Notes:\n"When exporting your connection data, you may '
        b'notice that some of the email addresses are missing."\n\n'
    )
    return preamble + _table(header, rows)


def _invitations(life: Life, faults: Collection[str]) -> list[list[str]]:
    """Return the invitations that are still told, newest first."""
    found = [
        (sent, one)
        for one in life.alters
        if (sent := _invitation(one)) and not _is_gone(one, faults)
    ]
    rows = []
    for sent, one in sorted(found, key=lambda pair: (pair[0], pair[1].number), reverse=True):
        sides: tuple[Account, Account] = (life.ego, one) if _is_outgoing(one) else (one, life.ego)
        message = SECRETS[3] if one.number % 4 == 0 else ""
        hour, half = (sent.hour % 12 or 12), ("AM" if sent.hour < 12 else "PM")
        at = f"{sent.month}/{sent.day}/{sent:%y}, {hour}:{sent:%M} {half}"
        rows.append([sides[0].name, sides[1].name, at, message,
                     "OUTGOING" if sides[0] is life.ego else "INCOMING",
                     *map(_address, sides)])  # fmt: skip
    return rows


def _messages(life: Life) -> list[list[str]]:
    """Return the messages of two, and those of groups, which go to several at once."""
    people = life.by_number()
    rows = []
    for number, deeds in pair_messages(life).items():
        rows += [
            _message(f"2-{number}", people[deed.actor], [people[deed.target]], deed.at)
            for deed in reversed(deeds)
        ]
    for group in life.groups:
        members = [people[number] for number in (0, *group.members)]
        for actor, at in group.messages:
            others = [one for one in members if one.number != actor]
            rows.append(_message(f"3-{group.number}", people[actor], others, at))
    return rows


def _message(talk: str, sender: Account, others: Sequence[Account], at: datetime) -> list[str]:
    return [talk, "", sender.name, _address(sender), ",".join(one.name for one in others),
            ",".join(map(_address, others)), f"{at:%Y-%m-%d %H:%M:%S} UTC", "", SECRETS[3],
            "INBOX"]  # fmt: skip
