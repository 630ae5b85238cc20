"""Exports written by hand: a few files in memory, as the readers see them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from followkit.sources.exports.found import Check, Found
from followkit.sources.exports.members import Limits, Member, Members


def members_of(files: Mapping[str, Any], origin: str = "export.zip") -> Members:
    """Return files as members: text, bytes, or values that become JSON."""
    made = []
    for path, content in files.items():
        if not isinstance(content, str | bytes):
            content = json.dumps(content)
        data = content.encode() if isinstance(content, str) else content
        made.append(Member(path, len(data), origin, lambda data=data: data))
    return Members(tuple(sorted(made, key=lambda one: one.path)), (origin,), Limits())


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ties_of(found: Found, kind: str = "follow") -> set[tuple[str, str, str]]:
    """Return the ties of a kind as (source, target, time to the minute or "")."""
    return {
        (tie.source, tie.target, f"{tie.at:%Y-%m-%d %H:%M}" if tie.at else "")
        for tie in found.ties
        if tie.kind == kind
    }


def acts_of(found: Found) -> list[tuple[str, str, str, str]]:
    """Return the acts as (kind, actor, target, time to the second or ""), sorted."""
    return sorted(
        (act.kind, act.actor, act.target, f"{act.at:%Y-%m-%d %H:%M:%S}" if act.at else "")
        for act in found.acts
    )


def check_of(found: Found, name: str) -> Check:
    """Return the only check of a name."""
    checks = [check for check in found.checks if check.name == name]
    assert len(checks) == 1, [check.name for check in found.checks]
    return checks[0]


def left_out(found: Found, what: str) -> dict[str, int]:
    """Return what the files of a kind left out."""
    return {why: n for file in found.files if file.what == what for why, n in file.left_out.items()}
