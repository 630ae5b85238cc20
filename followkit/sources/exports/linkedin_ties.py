"""LinkedIn's invitations and connections as ties: inviting is following, accepting follows back.

A connection is mutual by nature. So that the question "who answered whom, and when?" can be asked,
an invitation counts as a follow of whoever sent it, and the connection as the follow back of
whoever accepted it:

- an invitation that led to a connection: sender → receiver at `Sent At` (to the minute), receiver →
  sender at `Connected On` (to the day; in files of 2018 to the minute), never before the
  invitation: an acceptance on the same day is stamped one minute after it, because equal stamps
  would say that nobody came first;
- a connection without an invitation in the file: both ties on the day of the connection, so that
  nobody is said to have been first;
- an invitation without a connection: a request, not a refusal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from followkit.sources.exports.found import Tie
from followkit.sources.exports.linkedin_rows import DAY_S, MINUTE_S

__all__ = ["SLACK", "Connection", "Invitation", "Matched", "match_invitations"]

#: Neither file says its time zone, so that the same moment may lie on two days.
SLACK = timedelta(days=2)
#: How long after its invitation an acceptance on the same day is stamped.
SOON = timedelta(minutes=1)


@dataclass(frozen=True)
class Connection:
    """One connection: the alter, when it was made (UTC; days at midnight), and the alter's name."""

    alter: str
    on: datetime | None
    file: str
    precision_s: int = DAY_S
    name: str = ""


@dataclass(frozen=True)
class Invitation:
    """One invitation between the ego and an alter, when it was sent, and the alter's name."""

    alter: str
    is_outgoing: bool
    at: datetime | None
    file: str
    name: str = ""


@dataclass
class Matched:
    """The ties, and how many connections and invitations went into each kind."""

    ties: list[Tie] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def match_invitations(
    ego: str, connections: Sequence[Connection], invitations: Iterable[Invitation]
) -> Matched:
    """Return invitations and connections as ties; see the top of this module.

    Parameters
    ----------
    ego
        The owner of the export.
    connections, invitations
        As they stand in the files; an alter may come several times.

    Returns
    -------
    Matched
        `counts` has accepted, pending, uninvited (connections without an invitation) and later
        (of these, such as were invited only after the connection).

    Examples
    --------
    >>> from datetime import UTC
    >>> on, at = datetime(2024, 5, 2, tzinfo=UTC), datetime(2024, 5, 2, 9, 30, tzinfo=UTC)
    >>> matched = match_invitations("me", [Connection("bo", on, "c")],
    ...                             [Invitation("bo", True, at, "i")])
    >>> [(tie.source, str(tie.at), tie.precision_s) for tie in matched.ties]
    [('me', '2024-05-02 09:30:00+00:00', 60), ('bo', '2024-05-02 09:31:00+00:00', 86400)]
    """
    matched = Matched()
    by_alter: dict[str, list[Invitation]] = {}
    for invitation in invitations:
        by_alter.setdefault(invitation.alter, []).append(invitation)
    for connection in connections:
        sent = by_alter.get(connection.alter, [])
        leading = _leading(connection, sent)
        if leading is None:
            matched.counts["uninvited"] += 1
            matched.counts["later"] += bool(sent)
            matched.ties += _without(ego, connection)
        else:
            matched.counts["accepted"] += 1
            matched.ties += _accepted(ego, connection, leading)
    known = {connection.alter for connection in connections}
    for alter, sent in by_alter.items():
        if alter not in known:
            matched.counts["pending"] += 1
            matched.ties += [_request(ego, invitation) for invitation in sent]
    return matched


def _leading(connection: Connection, sent: Sequence[Invitation]) -> Invitation | None:
    """Return the last invitation that can have led to a connection."""
    on = connection.on
    if on is None:
        return sent[0] if sent else None
    early = [one for one in sent if one.at is None or one.at < on + SLACK]
    timed = [one for one in early if one.at is not None]
    return max(timed, key=_when, default=early[0] if early else None)


def _when(invitation: Invitation) -> tuple[datetime, bool]:
    assert invitation.at is not None
    return invitation.at, invitation.is_outgoing


def _accepted(ego: str, connection: Connection, invitation: Invitation) -> list[Tie]:
    alter, sent, on = connection.alter, invitation.at, connection.on
    first, second = (ego, alter) if invitation.is_outgoing else (alter, ego)
    answered = sent + SOON if on is not None and sent is not None and on <= sent else on
    return [
        Tie(first, second, "follow", sent, invitation.file, MINUTE_S),
        Tie(second, first, "follow", answered, connection.file, connection.precision_s),
    ]


def _without(ego: str, connection: Connection) -> list[Tie]:
    return [
        Tie(*ends, "follow", connection.on, connection.file, connection.precision_s)
        for ends in ((ego, connection.alter), (connection.alter, ego))
    ]


def _request(ego: str, invitation: Invitation) -> Tie:
    ends = (ego, invitation.alter) if invitation.is_outgoing else (invitation.alter, ego)
    return Tie(*ends, "request", invitation.at, invitation.file, MINUTE_S)
