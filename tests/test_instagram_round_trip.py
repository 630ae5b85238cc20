"""What is written from a simulated life must be read back as it truly was: Instagram, Threads."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from followkit.errors import ParameterError
from followkit.simulate.exports import Expected, Life, expected, make_life, write_export
from followkit.simulate.exports.instagram_json import SECRET
from followkit.sources.exports.found import Found
from followkit.sources.exports.instagram import read_instagram, recognise
from followkit.sources.exports.members import open_members
from followkit.sources.exports.threads import read_threads
from followkit.sources.exports.threads import recognise as recognise_threads
from followkit.sources.exports.to_tables import make_export_dataset


@cache
def life(seed: int = 5, alter_count: int = 60) -> Life:
    return make_life(seed, alter_count)


def read_back(folder: Path, truth: Life, **variant: Any) -> Found:
    paths = write_export(truth, "instagram", folder, **variant)
    with open_members(paths) as members:
        assert recognise(members)
        return read_instagram(members)


def ties_of(found: Found) -> set[tuple[str, str, str, datetime | None]]:
    """All ties, but requests that were sent earlier and may have been accepted."""
    return {
        (tie.source, tie.target, tie.kind, tie.at)
        for tie in found.ties
        if "recent_follow_requests" not in tie.file and not is_recent_of_era_a(tie)
    }


def is_recent_of_era_a(tie: Any) -> bool:
    return tie.file.endswith("connections.json") and tie.kind == "request"


def acts_of(found: Found) -> set[tuple[str, str, str, datetime | None]]:
    return {
        (act.actor, act.target, act.kind, None if act.kind == "reaction" else act.at)
        for act in found.acts
    }


def check(found: Found, truth: Expected, *, era: str = "C", layout: str = "json") -> None:
    """Compare everything that an export tells with the truth."""
    assert (found.platform, found.ego) == ("instagram", truth.ego)
    ties = truth.ties
    if era == "A":
        ties = {tie for tie in ties if tie[2] != "request"}
    assert ties_of(found) == ties
    assert {(mark.alter, mark.kind, mark.at) for mark in found.marks} == truth.marks
    acts = acts_of(found)
    assert acts >= truth.acts
    assert acts - truth.acts <= truth.maybe_acts
    if layout != "html" and era != "A":
        assert {(post.at, post.text or None) for post in found.posts} == truth.posts
    gone = {person.account for person in found.people if person.state == "deleted"}
    assert gone == truth.deleted
    for kind, state in truth.states.items():
        assert (kind, found.listed(kind).state) == (kind, state)  # type: ignore[arg-type]
    assert SECRET not in repr(found)


def check_recent(found: Found, truth: Life) -> None:
    """Requests sent earlier are told with the time of asking, whatever became of them."""
    asked = {(truth.ego.account, alter.account, alter.request_at) for alter in truth.alters}
    told = {(tie.source, tie.target, tie.at) for tie in found.ties if tie.kind == "request"
            and tie.source == found.ego and "recent_follow_requests" in tie.file}  # fmt: skip
    assert told <= {(one, other, at) for one, other, at in asked}


def check_export_time(found: Found, truth: Life) -> None:
    """The name of the download has the day only; a page has the minute."""
    assert found.exported_at is not None
    assert abs(found.exported_at - truth.exported_at) <= timedelta(days=1)
    assert found.exported_at.utcoffset() == timedelta(0)
    assert found.exported_at >= max(tie.at for tie in found.ties if tie.at)


GRID = [
    ("A", "json", "en", "zip"),
    ("A", "json", "en", "folder"),
    ("B", "json", "en", "wrapped"),
    ("B", "html", "en", "folder"),
    ("C-early", "json", "nl", "split"),
    ("C", "json", "ja", "split"),
    ("C", "html", "es", "zip"),
    ("C", "both", "ru", "zip"),
    ("D", "json", "es", "folder"),
    ("D", "html", "ja", "wrapped"),
    ("D", "html", "nl", "split"),
    ("D", "both", "en", "split"),
    ("E", "json", "en", "zip"),
    ("E", "json", "nl", "wrapped"),
    ("E", "json", "ru", "split"),
    ("E", "json", "ja", "folder"),
    ("E", "html", "en", "zip"),
    ("E", "html", "ru", "folder"),
    ("E", "html", "ja", "zip"),
    ("E", "both", "es", "wrapped"),
]


@pytest.mark.parametrize(("era", "layout", "locale", "packing"), GRID)
def test_every_era_and_form(
    tmp_path: Path, era: str, layout: str, locale: str, packing: str
) -> None:
    variant = {"era": era, "layout": layout, "locale": locale, "packing": packing}
    found = read_back(tmp_path, life(), **variant)
    check(found, expected(life(), "instagram", **variant), era=era, layout=layout)
    check_export_time(found, life())
    if layout != "html":
        check_recent(found, life())
    assert not [one for one in found.checks if one.verdict == "refuse"]
    minute = {tie.precision_s for tie in found.ties if tie.at}
    assert minute == ({60} if layout == "html" else {1})


FAULTS = [
    ("B", "json", ("deleted", "duplicates")),
    ("C", "json", ("date_cut",)),
    ("D", "html", ("date_cut",)),
    ("E", "json", ("date_cut", "deleted")),
    ("C", "json", ("missing_followers",)),
    ("D", "html", ("missing_followers",)),
    ("D", "html", ("truncated_html",)),
    ("E", "json", ("unreadable_json",)),
    ("B", "json", ("single_object",)),
    ("C", "json", ("single_object",)),
    ("E", "json", ("single_object",)),
    ("C", "json", ("empty",)),
    ("B", "json", ("empty",)),
    ("E", "json", ("duplicates", "junk")),
    ("D", "json", ("deleted", "upper_case")),
    ("D", "html", ("deleted", "upper_case", "duplicates")),
    ("C", "json", ("ms_times",)),
    ("D", "json", ("impossible_times",)),
    ("E", "json", ("hashtags_neighbour", "threads_neighbour", "junk")),
    ("D", "html", ("hashtags_neighbour", "threads_neighbour", "junk")),
    ("B", "json", ("curly_apostrophe",)),
    ("E", "json", ("curly_apostrophe",)),
    ("C", "html", ("curly_apostrophe",)),
    ("A", "json", ("deleted", "hashtags_neighbour", "junk")),
]
REFUSING = {"date_cut", "missing_followers", "truncated_html", "unreadable_json"}


@pytest.mark.parametrize(("era", "layout", "faults"), FAULTS)
def test_every_fault(tmp_path: Path, era: str, layout: str, faults: tuple[str, ...]) -> None:
    variant = {"era": era, "layout": layout, "faults": faults}
    found = read_back(tmp_path, life(), **variant)
    check(found, expected(life(), "instagram", **variant), era=era, layout=layout)
    refuses = {one.name for one in found.checks if one.verdict == "refuse"}
    assert bool(refuses) == bool(REFUSING & set(faults))


@pytest.mark.parametrize(("era", "layout"), [("B", "json"), ("D", "html"), ("E", "json")])
def test_the_same_list_in_both_zips(tmp_path: Path, era: str, layout: str) -> None:
    variant = {"era": era, "layout": layout, "packing": "split", "faults": ("split",)}
    found = read_back(tmp_path, life(), **variant)
    truth = expected(life(), "instagram", **variant)
    check(found, truth, era=era, layout=layout)
    halves = write_export(life(), "instagram", tmp_path / "again", **variant)
    with open_members(halves[0]) as members:
        first = read_instagram(members)
    assert ties_of(first) < truth.ties, "one part alone is not the whole"


def test_an_unreadable_main_file_of_era_a(tmp_path: Path) -> None:
    found = read_back(tmp_path, life(), era="A", faults=("unreadable_json",))
    assert found.listed("followers").state == "unreadable"
    assert found.listed("following").state == "unreadable"
    assert any(one.verdict == "refuse" for one in found.checks)


@pytest.mark.parametrize(("era", "locale"), [("B", "en"), ("C", "ru"), ("D", "ja"), ("E", "es")])
def test_html_and_json_twins_agree_to_the_minute(tmp_path: Path, era: str, locale: str) -> None:
    variant = {"era": era, "locale": locale, "faults": ("deleted",)}
    pages = read_back(tmp_path / "pages", life(), layout="html", **variant)
    files = read_back(tmp_path / "files", life(), layout="json", **variant)

    def to_minute(found: Found) -> Counter[tuple[str, str, str, datetime]]:
        return Counter(
            (tie.source, tie.target, tie.kind, tie.at.replace(second=0))
            for tie in found.ties
            if tie.at
        )

    assert to_minute(pages) == to_minute(files)
    assert sum(to_minute(pages).values()) > 60
    kinds = ("followers", "following", "requests_sent", "requests_received", "unfollowed")
    untimed = 1 if era in ("D", "E") else 0
    for kind in kinds:
        one, other = pages.listed(kind), files.listed(kind)
        assert one.timed_count == other.timed_count
        assert other.count - one.count == (untimed if kind == "following" else 0)


def test_json_is_preferred_over_its_twin(tmp_path: Path) -> None:
    variant = {"era": "D", "faults": ("deleted",)}
    both = read_back(tmp_path / "both", life(), layout="both", **variant)
    files = read_back(tmp_path / "files", life(), layout="json", **variant)
    assert Counter(map(repr, both.ties)) == Counter(map(repr, files.ties))
    assert both.listed("followers").count == files.listed("followers").count


@pytest.mark.parametrize(("era", "layout"), [("A", "json"), ("C", "html"), ("E", "json")])
def test_tables_tell_who_follows_back(tmp_path: Path, era: str, layout: str) -> None:
    """From the files to the canonical tables: mutual, waiting, and not watched."""
    found = read_back(tmp_path, life(), era=era, layout=layout, faults=("deleted",))
    data = make_export_dataset(found)
    ego, truth = life().ego.account, life()
    status = dict(zip(zip(data.follows["follower_id"], data.follows["followee_id"], strict=True),
                      data.follows["status"], strict=True))  # fmt: skip
    active = {pair for pair, state in status.items() if state == "active"}
    mutual = {one for who, one in active if who == ego and (one, ego) in active}
    assert mutual == {alter.account for alter in truth.mutuals()}
    pending = {alter.account for alter in truth.alters if alter.is_pending}
    assert {one for (who, one), state in status.items() if state == "pending" and who == ego} == (
        pending
    )
    assert data.observation is not None
    watched = set(data.observation["account_id"])
    assert not watched & {alter.account for alter in truth.alters if alter.is_deleted}
    assert watched >= mutual | {ego}


def test_two_snapshots_differ_by_what_happened_between(tmp_path: Path) -> None:
    early = life().as_of(life().exported_at - timedelta(days=45))
    one = read_back(tmp_path / "early", early, era="E")
    two = read_back(tmp_path / "late", life(), era="E")
    check(one, expected(early, "instagram", era="E"))
    ego = life().ego.account

    def followees(found: Found) -> set[str]:
        return {tie.target for tie in found.ties if tie.kind == "follow" and tie.source == ego}

    went = followees(one) - followees(two)
    unfollowed = {alter.account for alter in life().alters if alter.unfollowed_at
                  and alter.unfollowed_at > early.exported_at}  # fmt: skip
    renamed = {str(alter.former_handle).lower() for alter in life().alters
               if alter.former_handle and alter.following_at}  # fmt: skip
    assert unfollowed
    assert unfollowed <= went
    assert went - unfollowed <= renamed


def test_impossible_times_are_unknown_and_said(tmp_path: Path) -> None:
    plain = read_back(tmp_path / "plain", life(), era="D")
    found = read_back(tmp_path / "cut", life(), era="D", faults=("impossible_times",))
    for kind in ("followers", "following"):
        one, other = plain.listed(kind), found.listed(kind)  # type: ignore[arg-type]
        assert (other.count, one.timed_count - other.timed_count) == (one.count, 4)
    said = {(check.name, check.verdict) for check in found.checks}
    assert said - {(check.name, check.verdict) for check in plain.checks}


def test_ego_and_time_given_win(tmp_path: Path) -> None:
    paths = write_export(life(), "instagram", tmp_path, era="C")
    moment = datetime(2026, 6, 20, 8, 0, tzinfo=UTC)
    with open_members(paths) as members:
        found = read_instagram(members, ego="Some.One", exported_at=moment)
    assert (found.ego, found.exported_at) == ("some.one", moment)
    assert {tie.source for tie in found.ties if tie.target == "some.one"}


def test_names_shared_by_two_are_not_bridged_wrongly(tmp_path: Path) -> None:
    """Two accounts with one display name each have a thread; neither may get the other's."""
    for seed in range(4):
        truth = life(seed + 11)
        found = read_back(tmp_path / str(seed), truth, era="E")
        real = expected(truth, "instagram", era="E")
        messages = {act for act in acts_of(found) if act[2] == "message"}
        assert messages <= real.acts | real.maybe_acts


@pytest.mark.parametrize("packing", ["zip", "folder", "split"])
@pytest.mark.parametrize("host", ["threads.com", "threads.net"])
def test_threads(tmp_path: Path, packing: str, host: str) -> None:
    variant = {"packing": packing, "host": host, "faults": ("deleted", "junk")}
    paths = write_export(life(), "threads", tmp_path, **variant)
    truth = expected(life(), "threads", **variant)
    with open_members(paths) as members:
        assert recognise_threads(members)
        found = read_threads(members)
    assert (found.platform, found.ego) == ("threads", truth.ego)
    assert ties_of(found) == truth.ties
    assert {(mark.alter, mark.kind, mark.at) for mark in found.marks} == truth.marks
    assert acts_of(found) == truth.acts
    assert {(post.at, post.text or None) for post in found.posts} == truth.posts
    assert {one.account for one in found.people if one.state == "deleted"} == truth.deleted
    for kind, state in truth.states.items():
        assert (kind, found.listed(kind).state) == (kind, state)  # type: ignore[arg-type]
    assert SECRET not in repr(found)


@pytest.mark.parametrize("faults", [("empty",), ("duplicates",), ("date_cut",)])
def test_faults_of_threads(tmp_path: Path, faults: tuple[str, ...]) -> None:
    paths = write_export(life(), "threads", tmp_path, faults=faults)
    truth = expected(life(), "threads", faults=faults)
    with open_members(paths) as members:
        found = read_threads(members)
    assert ties_of(found) == truth.ties
    assert found.listed("followers").state == truth.states["followers"]
    refuses = [one.name for one in found.checks if one.verdict == "refuse"]
    assert bool(refuses) == (faults == ("date_cut",))


# --------------------------------------------------------------------------- the simulated life


def test_a_life_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    assert make_life(4, 30) == make_life(4, 30)
    assert make_life(4, 30) != make_life(5, 30)
    one = write_export(make_life(4, 30), "instagram", tmp_path / "one", era="E")
    two = write_export(make_life(4, 30), "instagram", tmp_path / "two", era="E")
    assert one[0].read_bytes() == two[0].read_bytes()


def test_even_a_small_life_has_every_kind_of_alter() -> None:
    small = make_life(2, 20)
    assert any(alter.is_pending for alter in small.alters)
    assert any(alter.received_at for alter in small.alters)
    assert any(alter.unfollowed_at for alter in small.alters)
    assert any(alter.is_deleted for alter in small.alters)
    assert {kind for alter in small.alters for kind, _ in alter.marks} >= {
        "close_friend", "favorite", "hidden_from", "restricted", "blocked", "dismissed"
    }  # fmt: skip
    names = Counter(alter.name for alter in small.alters)
    assert 2 in names.values()
    assert {alter.name for alter in small.alters} & {alter.account for alter in small.alters}


def test_nothing_happens_after_the_export_and_no_second_is_used_twice() -> None:
    one = life()
    moments = [deed.at for deed in one.deeds if deed.kind != "reaction"]
    moments += [alter.following_at for alter in one.following() if alter.following_at]
    moments += [alter.follower_at for alter in one.followers() if alter.follower_at]
    assert max(moments) <= one.exported_at
    assert len(set(moments)) == len(moments)


def test_truth_counts_are_those_of_the_deeds() -> None:
    """The planted counts, recounted from the deeds one by one."""
    one = life()
    alters = {alter.number: alter for alter in one.alters}
    for row in one.truth["dyads"]:
        begin = alters[row["number"]].following_at
        assert begin is not None
        before = [deed for deed in one.deeds if deed.at < begin
                  and row["number"] in (deed.actor, deed.target)]  # fmt: skip
        messages = sum(deed.kind == "message" for deed in before)
        acts = sum(deed.kind not in ("message", "reaction") for deed in before)
        assert (acts, messages) == (row["acts_before"], row["messages_before"])


def test_planted_effects_can_be_recovered() -> None:
    """A logistic fit to a large life lies within four standard errors of what was planted."""
    big = make_life(8, 2_500, post_count=0, group_count=0)
    rows = big.truth["dyads"]
    design = np.array(
        [[1, np.log1p(row["acts_before"]), np.log1p(row["messages_before"])] for row in rows]
    )
    answers = np.array([row["answers"] for row in rows], dtype=float)
    beta = np.zeros(3)
    for _ in range(12):
        chance = 1 / (1 + np.exp(-design @ beta))
        weights = chance * (1 - chance)
        information = design.T @ (design * weights[:, None])
        beta = beta + np.linalg.solve(information, design.T @ (answers - chance))
    error = np.sqrt(np.diag(np.linalg.inv(information)))
    planted = np.array(list(big.truth["coefficients"].values()))
    assert np.all(np.abs(beta - planted) < 4 * error)
    assert np.all(np.abs(beta[1:]) > 3 * error[1:]), "large enough to see"


def test_answer_delays_have_a_heavy_tail() -> None:
    delays = [row["delay_s"] for row in make_life(8, 800).truth["dyads"] if row["answers"]]
    automatic = [delay for delay in delays if delay <= 3]
    assert 0.03 < len(automatic) / len(delays) < 0.15
    assert min(delays) >= 1
    assert max(delays) > 14 * 86_400
    assert 3_600 < np.median(delays) < 86_400


def test_a_life_as_of_an_earlier_day() -> None:
    one = life()
    moment = one.exported_at - timedelta(days=45)
    early = one.as_of(moment)
    assert early.exported_at == moment
    assert all(alter.following_at <= moment for alter in early.following() if alter.following_at)
    left = {alter.number for alter in one.alters if alter.unfollowed_at
            and alter.unfollowed_at > moment}  # fmt: skip
    assert left
    assert left <= {alter.number for alter in early.following()}
    renamed = [alter for alter in one.alters if alter.former_handle]
    assert renamed
    handles = {alter.number: alter.handle for alter in early.alters}
    assert all(handles[alter.number] == alter.former_handle for alter in renamed)


def test_a_wrong_variant_is_named(tmp_path: Path) -> None:
    for variant, words in [
        ({"era": "Z"}, "era: 'Z' came, not one of A, B"),
        ({"faults": ("date_cutt",)}, "date_cut"),
        ({"era": "A", "layout": "html"}, "era A had JSON only"),
        ({"packing": "rar"}, "packing: 'rar' came"),
    ]:
        with pytest.raises(ParameterError, match=words):
            write_export(life(), "instagram", tmp_path, **variant)
    with pytest.raises(ParameterError, match="no writer for 'instagrm'"):
        write_export(life(), "instagrm", tmp_path)
