"""YouTube Takeouts written by hand: subscriptions in several languages, and no subscribers."""

from __future__ import annotations

import pytest
from export_members import check_of, members_of, utc

from followkit.errors import InputError
from followkit.sources.exports.found import Found
from followkit.sources.exports.youtube import read_youtube, recognise

ONE, TWO = "UC-9" + "a" * 20, "UC_" + "B" * 21
HEADS = {
    "Takeout/YouTube and YouTube Music/subscriptions/subscriptions.csv":
        "Channel Id,Channel Url,Channel Title",
    "Takeout/YouTube y YouTube Music/suscripciones/suscripciones.csv":
        "ID del canal,URL del canal,Título del canal",
    "Takeout/YouTube en YouTube Music/abonnementen/abonnementen.csv":
        "Kanaal-ID,Kanaal-URL,Kanaaltitel",
    "Takeout/YouTube/другое/список.csv": "Ид,Адрес,Название",
    "abonnements.csv": "ID des chaînes,URL des chaînes,Titres des chaînes",
    "inscric\u0327o\u0303es.csv": "ID do canal,URL do canal,Título do canal",
}  # fmt: skip


def rows(*channels: tuple[str, str]) -> str:
    return "".join(
        f"{channel},http://www.youtube.com/channel/{channel},{title}\n"
        for channel, title in channels
    )


def read(files: dict[str, str], origin: str = "takeout-20231105T123456Z-001.zip") -> Found:
    members = members_of(files, origin)
    assert recognise(members)
    return read_youtube(members)


@pytest.mark.parametrize("path", HEADS)
def test_channels_are_known_by_their_ids(path: str) -> None:
    found = read({path: HEADS[path] + "\n" + rows((ONE, "Zoë"), (TWO, '"a, b"'))})
    assert [(tie.source, tie.target, tie.kind, tie.at) for tie in found.ties] == [
        ("me", ONE, "follow", None), ("me", TWO, "follow", None),
    ]  # fmt: skip
    assert [(one.account, one.display_name) for one in found.people] == [
        (ONE, "Zoë"),
        (TWO, "a, b"),
    ]
    following = found.listed("following")
    assert (following.state, following.count, following.timed_count) == ("whole", 2, 0)


def test_nobody_can_be_said_not_to_follow_back() -> None:
    found = read({"subscriptions.csv": f"a,b,c\n{rows((ONE, 'x'))}"})
    assert found.listed("followers").state == "absent"
    check = check_of(found, "followers list")
    assert (check.verdict, check.value) == ("refuse", "YouTube gives no subscribers")


def test_the_moment_of_the_takeout() -> None:
    files = {"subscriptions.csv": f"a,b,c\n{rows((ONE, 'x'))}"}
    assert read(files).exported_at == utc("2023-11-05T12:34:56")
    assert read(files, "mine.zip").exported_at is None
    given = read_youtube(members_of(files), ego=TWO, exported_at=utc("2024-01-01T00:00"))
    assert (given.ego, given.exported_at) == (TWO, utc("2024-01-01T00:00"))


def test_an_empty_list_is_whole_and_a_changed_one_is_not() -> None:
    found = read({"subscriptions.csv": "Channel Id,Channel Url,Channel Title\n"})
    assert (found.listed("following").state, found.listed("following").count) == ("whole", 0)
    found = read({"subscriptions.csv": "Channel Id,Channel Url,Channel Title\nx,y,z\n"})
    assert found.listed("following").state == "unreadable"
    assert "1 rows, none with a channel id" in check_of(found, "subscriptions unreadable").value


def test_an_empty_list_is_known_by_its_name_however_its_accents_are_written() -> None:
    apart = "Takeout/YouTube/inscric\u0327o\u0303es/inscric\u0327o\u0303es.csv"
    found = read({apart: "ID do canal,URL do canal,Título do canal\n\n"})
    assert (found.listed("following").state, found.listed("following").count) == ("whole", 0)


def test_other_tables_of_a_takeout_are_left_alone() -> None:
    other = {
        "Takeout/YouTube/comments/comments.csv": f"Comment ID,Channel ID\nUgx1,{ONE}\n",
        "Takeout/YouTube/channels/channel.csv": f"Channel ID,Title\n{ONE},mine\n",
    }
    assert not recognise(members_of(other))
    path = "Takeout/YouTube/abos/abos.csv"
    found = read(other | {path: f"a,b,c\n{rows((TWO, 'x'))}"})
    assert [tie.target for tie in found.ties] == [TWO]
    with pytest.raises(InputError, match="No list of subscriptions"):
        read_youtube(members_of(other))


def test_foreign_files_are_not_recognised() -> None:
    assert not recognise(members_of({"follows.csv": "follower_id,followee_id\na,b\n"}))
    assert not recognise(members_of({"a.csv": f"x,y\n{ONE},b\n"}))
