"""LinkedIn archives written by hand: accepted and open invitations, hidden members, old files."""

from __future__ import annotations

import pytest
from export_members import acts_of, check_of, left_out, members_of, ties_of, utc

from followkit.errors import InputError
from followkit.sources.exports.found import Found, Tie
from followkit.sources.exports.linkedin import read_linkedin, recognise

PREAMBLE = (
    'Notes:\n"When exporting your connection data, you may notice, that some of the email '
    'addresses are missing."\n\n'
)
HEAD = "First Name,Last Name,URL,Email Address,Company,Position,Connected On\n"
IN = "https://www.linkedin.com/in/"
CONNECTIONS = (
    f"Ana,Lu,{IN}Ana-Lu-1,ana@secret.example,Acme,Boss,15 Jan 2026\n"
    f'Bo,"Bo, Dr.",{IN}bo,,"Acme, Inc",Boss,14 Jan 2026\n'
    f"Cy,Cyan,{IN}cy,,,,08 Feb 2023\n"
    f"Di,,{IN}di/,,,,03 Mar 2020\n"
    ",,,,,,05 Mar 2020\n"
)
INVITE_HEAD = "From,To,Sent At,Message,Direction,inviterProfileUrl,inviteeProfileUrl\n"
INVITATIONS = (
    f'Me M,Ana Lu,"1/14/26, 7:02\u202fAM",SECRET WORDS,OUTGOING,{IN}me-m,{IN}ana-lu-1\n'
    f'Bo Bo,Me M,"1/14/26, 12:30 PM",,INCOMING,{IN}bo,{IN}me-m\n'
    f'Me M,Eve E,"2/1/26, 12:05 AM",,OUTGOING,{IN}me-m,{IN}eve\n'
    f'Fay F,Me M,"2/2/26, 8:00 PM","a\nb",INCOMING,{IN}fay,{IN}me-m\n'
    f'Me M,Di D,"2/3/26, 8:00 PM",,OUTGOING,{IN}me-m,{IN}di\n'
)
MESSAGE_HEAD = (
    "CONVERSATION ID,CONVERSATION TITLE,FROM,SENDER PROFILE URL,TO,RECIPIENT PROFILE URLS,DATE,"
    "SUBJECT,CONTENT,FOLDER\n"
)
MESSAGES = (
    f"c1,,Ana,{IN}ana-lu-1,Me,{IN}me-m,2026-01-20 10:00:00 UTC,,SECRET WORDS,INBOX\n"
    f"c1,,Me,{IN}me-m,Ana,{IN}Ana-Lu-1,2026-01-20 11:00:00 UTC,,SECRET WORDS,INBOX\n"
    f'c2,,Me,{IN}me-m,"A,B","{IN}ana-lu-1,{IN}bo",2026-01-21 11:00:00 UTC,,SECRET WORDS,INBOX\n'
    f"c3,,LinkedIn Member,,Me,{IN}me-m,2026-01-22 11:00:00 UTC,,SECRET WORDS,INBOX\n"
)


def archive() -> dict[str, str]:
    return {
        "Connections.csv": PREAMBLE + HEAD + CONNECTIONS,
        "Invitations.csv": INVITE_HEAD + INVITATIONS,
        "messages.csv": MESSAGE_HEAD + MESSAGES,
    }


def read(files: dict[str, str], origin: str = "Basic_LinkedInDataExport_03-04-2026.zip") -> Found:
    members = members_of(files, origin)
    assert recognise(members)
    return read_linkedin(members)


def tie(found: Found, source: str, target: str) -> Tie:
    ties = [one for one in found.ties if (one.source, one.target) == (source, target)]
    assert len(ties) == 1
    return ties[0]


def test_an_accepted_invitation_is_a_follow_and_its_answer() -> None:
    found = read(archive())
    assert found.ego == "me-m"
    asked, answered = tie(found, "me-m", "ana-lu-1"), tie(found, "ana-lu-1", "me-m")
    assert (asked.kind, asked.at, asked.precision_s) == ("follow", utc("2026-01-14T07:02"), 60)
    assert (answered.kind, answered.at) == ("follow", utc("2026-01-15T00:00"))
    assert answered.precision_s == 86_400
    assert answered.file == "Connections.csv"


def test_the_answer_on_the_same_day_is_a_minute_after_the_invitation() -> None:
    """Equal stamps would say that nobody came first, and so lose who asked."""
    found = read(archive())
    asked, answered = tie(found, "bo", "me-m"), tie(found, "me-m", "bo")
    assert (asked.at, answered.at) == (utc("2026-01-14T12:30"), utc("2026-01-14T12:31"))
    assert (asked.precision_s, answered.precision_s) == (60, 86_400)


def test_a_connection_without_an_invitation_has_equal_stamps() -> None:
    found = read(archive())
    assert tie(found, "me-m", "cy").at == tie(found, "cy", "me-m").at == utc("2023-02-08T00:00")
    assert tie(found, "cy", "me-m").precision_s == 86_400


def test_an_invitation_after_the_connection_did_not_lead_to_it() -> None:
    found = read(archive())
    assert tie(found, "me-m", "di").at == tie(found, "di", "me-m").at == utc("2020-03-03T00:00")


def test_open_invitations_are_requests_and_no_refusals() -> None:
    found = read(archive())
    assert ties_of(found, "request") == {
        ("me-m", "eve", "2026-02-01 00:05"), ("fay", "me-m", "2026-02-02 20:00"),
    }  # fmt: skip
    assert not [one for one in found.ties if one.kind == "follow" and "eve" in one.target]
    assert (found.listed("requests_sent").count, found.listed("requests_received").count) == (1, 1)


def test_hidden_members_are_counted_and_said() -> None:
    found = read(archive())
    assert left_out(found, "connections") == {"the member hides name and address": 1}
    hidden = check_of(found, "hidden members")
    assert hidden.verdict == "warn"
    assert "1 connections hide" in hidden.value
    followers = found.listed("followers")
    assert (followers.state, followers.count, followers.timed_count) == ("whole", 4, 4)
    assert check_of(found, "accepted invitations").value.startswith("2 of 4 connections")


def test_messages_of_two_only_and_never_their_words() -> None:
    found = read(archive())
    assert acts_of(found) == [
        ("message", "ana-lu-1", "me-m", "2026-01-20 10:00:00"),
        ("message", "me-m", "ana-lu-1", "2026-01-20 11:00:00"),
    ]
    assert sum(left_out(found, "messages").values()) == 2
    for secret in ("SECRET", "secret.example", "Acme", "Boss"):
        assert secret not in repr(found)


def test_people_have_a_slug_and_a_name() -> None:
    people = {one.account: one for one in reversed(read(archive()).people)}
    assert (people["bo"].handle, people["bo"].display_name) == ("bo", "Bo Bo, Dr.")
    assert people["eve"].display_name == "Eve E"


@pytest.mark.parametrize("preamble", ["", PREAMBLE, "\ufeff" + PREAMBLE])
def test_with_and_without_the_preamble(preamble: str) -> None:
    files = archive() | {"Connections.csv": preamble + HEAD + CONNECTIONS}
    assert read(files).listed("followers").count == 4


def test_an_old_file_without_addresses_goes_by_names() -> None:
    old = "First Name,Last Name,Email Address,Company,Position,Connected On\n"
    rows = "Ana,Lu,,,,15 Jan 2026\nGil,Gray,,,,01 Jan 2020\nGil,Gray,,,,02 Jan 2020\n"
    found = read(archive() | {"Connections.csv": old + rows})
    assert tie(found, "ana-lu-1", "me-m").at == utc("2026-01-15T00:00")
    assert tie(found, "me-m", "ana-lu-1").at == utc("2026-01-14T07:02")
    assert tie(found, "Gil Gray", "me-m").at == utc("2020-01-01T00:00")
    assert check_of(found, "equal names").value.startswith("1 names")


OLD_INVITE_HEAD = "From,To,Sent At,Message,Direction\n"
OLD_INVITATIONS = (
    'Me M,Ana Lu,"8/18/18, 12:37 AM",,OUTGOING\n'
    'Bo  Bo,Me M,"7/10/18, 9:48 AM","come, in",INCOMING\n'
    'Me M,Eve E,"8/18/18, 9:08 AM",,OUTGOING\n'
)
OLD_CONNECTIONS = (
    "First Name,Last Name,Email Address,Company,Position,Connected On\n"
    'Ana ,Lu,ana@secret.example,Acme,Boss,"8/18/18, 12:37 AM"\n'
    'Bo,Bo,urn:li:member:1,,,"7/10/18, 10:01 PM"\n'
    'Cy,Cyan,,,,"11/11/17, 8:33 AM"\n'
)


def test_files_of_2018_have_names_and_minutes() -> None:
    """Connections have a clock there, messages a direction, and nothing has an address."""
    messages = (
        "From,To,Date,Subject,Content,Direction,Folder\n"
        'Me M,Ana Lu,"8/18/18, 12:38 AM",,SECRET WORDS,OUTGOING,SENT\n'
        'Bo Bo,Me M,"7/11/18, 8:00 AM",,SECRET WORDS,INCOMING,INBOX\n'
        'Wonder Soap,Me M,"7/12/18, 8:00 AM",Buy,SECRET WORDS,INCOMING,INBOX\n'
        'Me M,"Ana Lu, Bo Bo","7/13/18, 8:00 AM",,SECRET WORDS,OUTGOING,SENT\n'
    )
    found = read({
        "Connections.csv": OLD_CONNECTIONS, "Invitations.csv": OLD_INVITE_HEAD + OLD_INVITATIONS,
        "Messages.csv": messages,
    })  # fmt: skip
    assert ties_of(found) == {
        ("me", "Ana Lu", "2018-08-18 00:37"), ("Ana Lu", "me", "2018-08-18 00:38"),
        ("Bo Bo", "me", "2018-07-10 09:48"), ("me", "Bo Bo", "2018-07-10 22:01"),
        ("me", "Cy Cyan", "2017-11-11 08:33"), ("Cy Cyan", "me", "2017-11-11 08:33"),
    }  # fmt: skip
    assert {one.precision_s for one in found.ties} == {60}
    assert ties_of(found, "request") == {("me", "Eve E", "2018-08-18 09:08")}
    assert acts_of(found) == [
        ("message", "Bo Bo", "me", "2018-07-11 08:00:00"),
        ("message", "me", "Ana Lu", "2018-08-18 00:38:00"),
    ]
    assert sum(left_out(found, "messages").values()) == 2
    assert "SECRET" not in repr(found)


def test_invitations_without_addresses_are_recognised_alone() -> None:
    found = read({"Invitations.csv": OLD_INVITE_HEAD + OLD_INVITATIONS})
    assert len(ties_of(found, "request")) == 3
    assert found.listed("followers").state == "absent"


def test_until_2023_only_senders_of_messages_have_an_address() -> None:
    """Names of receivers count where one alone is known to bear them."""
    head = "CONVERSATION ID,CONVERSATION TITLE,FROM,SENDER PROFILE URL,TO,DATE,SUBJECT,CONTENT\n"
    messages = head + (
        f"c1,,Me M,{IN}me-m,Ana Lu,2021-01-01 10:00:00 UTC,,x\n"
        f"c2,,Bo Bo,{IN}bo,Me M,2021-01-02 10:00:00 UTC,,x\n"
        f"c2,,Me M,{IN}me-m,Bo Bo,2021-01-03 10:00:00 UTC,,x\n"
        f'c3,,Bo Bo,{IN}bo,"Me M, Ana Lu",2021-01-04 10:00:00 UTC,,x\n'
        f"c4,,Me M,{IN}me-m,Who Knows,2021-01-05 10:00:00 UTC,,x\n"
        "c5,,LinkedIn Member,,Me M,2021-01-06 10:00:00 UTC,,x\n"
    )
    found = read({
        "Connections.csv": OLD_CONNECTIONS, "Invitations.csv": OLD_INVITE_HEAD + OLD_INVITATIONS,
        "messages.csv": messages,
    })  # fmt: skip
    assert found.ego == "me-m"
    assert acts_of(found) == [
        ("message", "bo", "me-m", "2021-01-02 10:00:00"),
        ("message", "me-m", "Ana Lu", "2021-01-01 10:00:00"),
        ("message", "me-m", "bo", "2021-01-03 10:00:00"),
    ]
    assert tie(found, "bo", "me-m").at == utc("2018-07-10T09:48")
    assert left_out(found, "messages") == {
        "not between the owner and one other": 2,
        "with somebody of whom the file gives a name only": 1,
    }  # fmt: skip


def test_every_cell_may_be_quoted() -> None:
    def quoted(text: str) -> str:
        return "\n".join('"' + row.replace(",", '","') + '"' for row in text.splitlines()) + "\n"

    head = "First Name,Last Name,URL,Email Address,Company,Position,Connected On\n"
    rows = f"Ana,Lu,{IN}ana-lu-1,,,,15 Jan 2026\n"
    files = archive() | {"Connections.csv": PREAMBLE + quoted(head + rows)}
    files["messages.csv"] = quoted(MESSAGE_HEAD + MESSAGES.splitlines()[0])
    found = read(files)
    assert found.listed("followers").count == 1
    assert [act[1:3] for act in acts_of(found)] == [("ana-lu-1", "me-m")]


def test_a_header_may_have_lost_its_blanks() -> None:
    head = "FirstName,LastName,EmailAddress,Company,Position,ConnectedOn\n"
    found = read({"Connections.csv": head + "Ana,Lu,,,,04-May-22\n,,,,,25-Oct-21\n"})
    assert ties_of(found) == {
        ("me", "Ana Lu", "2022-05-04 00:00"), ("Ana Lu", "me", "2022-05-04 00:00"),
    }  # fmt: skip
    assert sum(left_out(found, "connections").values()) == 1


NEW_ADDRESS = f"Gil,Gray,{IN}gil-the-cook,,,,15 Jan 2026\n"


def test_an_invited_member_may_have_another_address_now() -> None:
    rows = f'Gil  Gray,Me M,"1/14/26, 7:02 AM",,INCOMING,{IN}gil-gray-b024b51ab,{IN}me-m\n'
    found = read({"Connections.csv": HEAD + NEW_ADDRESS, "Invitations.csv": INVITE_HEAD + rows})
    assert ties_of(found, "request") == set()
    assert ties_of(found) == {
        ("gil-the-cook", "me-m", "2026-01-14 07:02"), ("me-m", "gil-the-cook", "2026-01-15 00:00"),
    }  # fmt: skip
    assert check_of(found, "changed addresses").value.startswith("1 invited members")


@pytest.mark.parametrize(
    ("connections", "sent", "more"),
    [
        (NEW_ADDRESS + f"Gil,Gray,{IN}gil-2,,,,16 Jan 2026\n", "1/14/26, 7:02 AM", ""),
        (NEW_ADDRESS, "1/20/26, 7:02 AM", ""),
        (NEW_ADDRESS, "1/14/26, 7:02 AM",
         f'Gil Gray,Me M,"1/15/26, 7:02 AM",,INCOMING,{IN}gil-the-cook,{IN}me-m\n'),
        (NEW_ADDRESS, "1/14/26, 7:02 AM",
         f'Gil Gray,Me M,"1/13/26, 7:02 AM",,INCOMING,{IN}gil-3,{IN}me-m\n'),
    ],
)  # fmt: skip
def test_a_name_that_may_be_anothers_pairs_nobody(connections: str, sent: str, more: str) -> None:
    """Two of that name, a connection before the invitation, or one that was invited itself."""
    rows = f'Gil Gray,Me M,"{sent}",,INCOMING,{IN}gil-gray-b0,{IN}me-m\n{more}'
    found = read({"Connections.csv": HEAD + connections, "Invitations.csv": INVITE_HEAD + rows})
    assert "gil-gray-b0" in {one.source for one in found.ties if one.kind == "request"}
    assert "changed addresses" not in {check.name for check in found.checks}


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("8-Feb-23", "2023-02-08 00:00"), ("08-Feb-2023", "2023-02-08 00:00"),
        ("8 February 2023", "2023-02-08 00:00"), ("8 Sept 2023", "2023-09-08 00:00"),
        ("8 marras 2023", ""), ("8-Okt-23", ""), ("2-8-23", ""), ("31 Feb 2023", ""),
    ],
)  # fmt: skip
def test_days_of_spreadsheets_and_other_languages(text: str, day: str) -> None:
    found = read({"Connections.csv": HEAD + f"Ana,Lu,{IN}ana,,,,{text}\n"})
    assert ties_of(found) == {("me", "ana", day), ("ana", "me", day)}


def test_follows_are_written_to_the_second_and_named_with_a_number() -> None:
    rows = (
        "Date,Status,FullName\n2024-02-19 17:32:21,Active,Star Person\n"
        "2012-12-04 00:00:00,Active,Old Star\n"
    )
    found = read(archive() | {"Member_Follows_123456789.csv": rows})
    assert tie(found, "me-m", "Star Person").precision_s == 1
    assert tie(found, "me-m", "Old Star").precision_s == 86_400


def test_the_day_of_the_export_is_written_month_first() -> None:
    assert read(archive()).exported_at == utc("2026-03-04T00:00")
    assert read(archive(), "mine.zip").exported_at == utc("2026-02-02T20:00")
    assert check_of(read(archive(), "mine.zip"), "day of the export").verdict == "note"


def test_the_time_zone_is_said_to_be_assumed() -> None:
    assert check_of(read(archive()), "time zone").verdict == "note"


def test_times_in_other_forms_are_unknown_and_counted() -> None:
    rows = (
        f'Me M,Ana Lu,"14.01.26, 07:02",,OUTGOING,{IN}me-m,{IN}ana-lu-1\n'
        f'Me M,Eve E,"14/1/26, 7:02 AM",,OUTGOING,{IN}me-m,{IN}eve\n'
    )
    found = read(archive() | {"Invitations.csv": INVITE_HEAD + rows})
    assert tie(found, "me-m", "ana-lu-1").at is None
    assert tie(found, "ana-lu-1", "me-m").at == utc("2026-01-15T00:00")
    assert ties_of(found, "request") == {("me-m", "eve", "")}
    assert check_of(found, "unknown dates").value.startswith("2 times")


def test_follows_without_a_connection_have_no_known_answer() -> None:
    rows = (
        "Date,Status,FullName\n"
        "Tue May 04 12:38:24 UTC 2021,Active,Star Person\n"
        "Tue May 04 12:38:24 UTC 2021,Active,Ana Lu\n"
        "Sun Feb 01 00:05:24 UTC 2026,Active,Eve E\n"
        "Wed May 05 12:38:24 UTC 2021,Unfollow,Former Star\n"
        "Wed May 05 12:38:24 UTC 2021,Active,\n"
    )
    found = read(archive() | {"Member_Follows.csv": rows})
    assert tie(found, "me-m", "Star Person").at == utc("2021-05-04T12:38:24")
    assert tie(found, "me-m", "Former Star").kind == "unfollow"
    states = {one.account: one.state for one in found.people}
    assert states["Star Person"] == "unknown"
    assert states["ana-lu-1"] == "ok"
    assert left_out(found, "member follows") == {
        "also a connection or an invitation": 2, "no name": 1,
    }  # fmt: skip
    assert ties_of(found, "request") >= {("me-m", "eve", "2026-02-01 00:05")}
    assert check_of(found, "follows without a connection").value.startswith("1 members")


def test_without_invitations_the_messages_tell_the_ego() -> None:
    files = archive()
    del files["Invitations.csv"]
    found = read(files)
    assert found.ego == "me-m"
    assert found.listed("requests_sent").state == "absent"
    assert check_of(found, "accepted invitations").verdict == "warn"
    del files["messages.csv"]
    assert read(files).ego == "me"


@pytest.mark.parametrize("given", ["me-m", "https://www.linkedin.com/in/Me-M/", "other"])
def test_the_ego_may_be_given(given: str) -> None:
    found = read_linkedin(members_of(archive()), ego=given)
    assert found.ego == ("other" if given == "other" else "me-m")
    assert [act[1:3] for act in acts_of(found)] == [
        ("ana-lu-1", found.ego), (found.ego, "ana-lu-1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["Name,Connected\nAna,now\n", HEAD + f'Ana,Lu,{IN}ana,"a@b', "\n", "x"]
)
def test_connections_that_cannot_be_read_are_never_empty(text: str) -> None:
    found = read(archive() | {"Connections.csv": text})
    assert found.listed("followers").state == "unreadable"
    assert check_of(found, "followers list").verdict == "refuse"
    assert check_of(found, "connections unreadable").verdict == "refuse"


def test_missing_and_empty_connections() -> None:
    files = archive()
    del files["Connections.csv"]
    assert read(files).listed("followers").state == "absent"
    assert check_of(read(files), "followers list").verdict == "refuse"
    found = read(archive() | {"Connections.csv": PREAMBLE + HEAD})
    assert (found.listed("followers").state, found.listed("followers").count) == ("whole", 0)


def test_other_files_are_not_recognised() -> None:
    assert not recognise(members_of({"Connections.csv": "source,target\na,b\n"}))
    assert not recognise(members_of({"messages.csv": MESSAGE_HEAD}))
    with pytest.raises(InputError, match=r"Neither Connections\.csv nor"):
        read_linkedin(members_of({"messages.csv": MESSAGE_HEAD}))
