"""Comparing what a reader found in a written export with the simulated truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from followkit.errors import InputError
from followkit.simulate.exports import Expected, Life, expected, make_life, write_export
from followkit.simulate.exports.writing import SECRETS
from followkit.sources.exports.found import Check, Found
from followkit.sources.exports.members import Members, open_members

Reader = Callable[..., Found]
#: A name for the owner that no writer uses, and a moment that no simulated export has.
ANOTHER_EGO, ANOTHER_MOMENT = "somebody-else", datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)


@cache
def a_life(alter_count: int = 40) -> Life:
    """Return the life that most round trips write."""
    return make_life(5, alter_count)


def read_back(
    reader: Reader, platform: str, path: Path, life: Life | None = None, **variant: Any
) -> Found:
    """Write a life and read it with the platform's reader."""
    paths = write_export(life or a_life(), platform, path, **variant)
    with open_members(paths) as members:
        return reader(members)


def read_or_refuse(
    reader: Reader, platform: str, path: Path, named: str, **variant: Any
) -> Found | None:
    """Return what was found, or None if the reader refused and named the file."""
    try:
        return read_back(reader, platform, path, **variant)
    except InputError as error:
        if named not in str(error):
            raise
        return None


def is_recognised(
    recognise: Callable[[Members], bool], platform: str, path: Path, **variant: Any
) -> bool:
    """Return whether a platform's `recognise` takes a written export for its own."""
    with open_members(write_export(a_life(), platform, path, **variant)) as members:
        return recognise(members)


def check_round_trip(
    reader: Reader, platform: str, path: Path, *, life: Life | None = None, **variant: Any
) -> Found:
    """Write, read, and assert that all is found and nothing is made up; return what was found."""
    life = life or a_life()
    found = read_back(reader, platform, path, life, **variant)
    check_found(found, expected(life, platform, **variant), life)
    return found


def check_found(found: Found, truth: Expected, life: Life) -> None:
    """Assert that a result is the truth: ties, marks, acts, posts, states, owner, moment."""
    assert found.ego == truth.ego, f"ego: {found.ego!r} came, {truth.ego!r} is true"
    _same("ties", ties_of(found), truth.ties)
    _same("marks", {(one.alter, one.kind, _cut(one.at)) for one in found.marks}, truth.marks)
    acts = {(one.actor, one.target, one.kind, _cut(one.at)) for one in found.acts}
    _same("acts", acts - truth.maybe_acts, truth.acts - truth.maybe_acts)
    check_posts(found, truth)
    for kind, state in truth.states.items():
        listed = found.listed(kind)  # type: ignore[arg-type]
        assert listed.state == state, f"{kind}: {listed} came, {state} is true"
    check_moment(found, life)
    check_no_secrets(found)


def ties_of(found: Found) -> set[tuple[str, str, str, datetime | None]]:
    """Return ties as tuples in whole seconds."""
    return {(one.source, one.target, one.kind, _cut(one.at)) for one in found.ties}


def check_posts(found: Found, truth: Expected) -> None:
    """Assert that the ego's own posts are there, beside them only answers and passed-on ones."""
    own = {at for at, _ in truth.posts}
    there = {(_cut(one.at), one.text or "") for one in found.posts if _cut(one.at) in own}
    _same("posts", there, {(at, text or "") for at, text in truth.posts})
    moments = {at for _, _, _, at in truth.acts | truth.maybe_acts}
    others = [one for one in found.posts if _cut(one.at) not in own]
    strangers = [one for one in others if not one.is_repost and _cut(one.at) not in moments]
    assert strangers == [], f"posts that nobody made: {strangers[:3]}"
    assert {one.account for one in found.posts} <= {truth.ego}


def check_moment(found: Found, life: Life) -> None:
    """Assert that the export's moment, where one is given, is after all that it tells."""
    dated: list[Any] = [*found.ties, *found.acts, *found.marks, *found.posts]
    told = [one.at for one in dated if one.at]
    if found.exported_at is None:
        assert told == []
        return
    assert found.exported_at.tzinfo is not None
    assert max(told, default=found.exported_at) <= found.exported_at
    assert found.exported_at.date() <= life.exported_at.date()


def check_no_secrets(found: Found) -> None:
    """Assert that messages, addresses, birth dates and phone numbers stayed in the reader."""
    text = repr(found)
    assert [secret for secret in SECRETS if secret in text] == []


def check_given_wins(
    reader: Reader, platform: str, path: Path, *, ego: str = ANOTHER_EGO, **variant: Any
) -> None:
    """Assert that an owner and a moment given by the caller win over those in the export."""
    paths = write_export(a_life(), platform, path, **variant)
    with open_members(paths) as members:
        found = reader(members, ego=ego, exported_at=ANOTHER_MOMENT)
    assert (found.ego, found.exported_at) == (ego, ANOTHER_MOMENT)
    follows = [one for one in found.ties if one.kind == "follow"]
    assert follows
    assert all(ego in (one.source, one.target) for one in follows)


def check_counts(found: Found, *, timed: bool) -> None:
    """Assert that whole lists count the accounts and the known times of their follows."""
    for kind, mine in (("following", True), ("followers", False)):
        listed = found.listed(kind)  # type: ignore[arg-type]
        ties = [one for one in found.ties
                if one.kind == "follow" and (one.source == found.ego) is mine]  # fmt: skip
        if listed.state == "whole":
            assert listed.count == len(ties), f"{listed}: {len(ties)} ties"
            assert listed.timed_count == (len(ties) if timed else 0), str(listed)


def told(found: Found, *verdicts: str) -> list[Check]:
    """Return the checks with one of the verdicts."""
    return [one for one in found.checks if one.verdict in verdicts]


def _cut(at: datetime | None) -> datetime | None:
    return at and at.replace(microsecond=0)


def _same(what: str, found: Iterable[Any], truth: Iterable[Any]) -> None:
    """Assert that two sets are equal, and name the first that differ."""
    found, truth = set(found), set(truth)
    lost, made_up = sorted(truth - found, key=str)[:3], sorted(found - truth, key=str)[:3]
    assert found == truth, f"{what}: lost {lost}, made up {made_up}"
