"""What the ego did on Instagram or Threads → acts towards alters; no text of any act is kept."""

from __future__ import annotations

from collections import Counter
from typing import Any

from followkit.sources.exports.found import Act, FileRead
from followkit.sources.exports.instagram_reading import Reading
from followkit.sources.exports.instagram_values import clean_handle, parse_iso_time, post_in_link

__all__ = ["ACTS", "add_acts", "add_era_a_acts"]

#: role → kind of act. The last column of the page's table: all times are seconds.
ACTS = {
    "liked_posts": "like", "liked_comments": "like", "comments": "comment",
    "story_comments": "story", "story_acts": "story", "saved": "save", "viewed": "view",
    "threads_liked": "like", "threads_viewed": "view",
}  # fmt: skip
#: Era A: role → kind; every key of these files is a list of [time, …, owner].
ERA_A_ACTS = {"a_likes": "like", "a_comments": "comment", "a_saved": "save", "a_stories": "story",
              "a_seen": "view"}  # fmt: skip
#: Of what was seen, these are posts of people; advertisements are not.
SEEN = ("posts_seen", "videos_watched")


def add_acts(reading: Reading) -> None:
    """Turn rows of activity lists into acts; those towards the ego itself are left out, counted."""
    ego = reading.found.ego
    for role, kind in ACTS.items():
        for row in reading.rows.get(role, ()):
            if row.handle == ego:
                reading.counts["acts towards oneself"] += 1
                continue
            post = post_in_link(row.link) or None
            reading.found.acts.append(Act(ego, row.handle, kind, row.at, row.file, post))


def add_era_a_acts(reading: Reading) -> None:
    """Add the acts of the oldest exports: lists of [time, owner] and of [time, text, owner]."""
    for role, kind in ERA_A_ACTS.items():
        for member in reading.files.get(role, ()):
            payload = reading.read_json(member, role)
            if payload is None:
                continue
            if not isinstance(payload, dict):
                reason = f"{member.path}: an object of lists is needed"
                reading.fail(role, reason, member.path)
                continue
            _add_era_a_file(reading, payload, kind, member.path)


def _add_era_a_file(reading: Reading, payload: dict[str, Any], kind: str, file: str) -> None:
    left_out: Counter[str] = Counter()
    if kind == "view":
        payload = {key: payload[key] for key in SEEN if key in payload}
    items = [item for value in payload.values() if isinstance(value, list) for item in value]
    items = [
        [item.get("timestamp"), item.get("author")] if isinstance(item, dict) else item
        for item in items
    ]
    for item in items:
        if not isinstance(item, list) or len(item) < 2:
            left_out["not a record"] += 1
            continue
        at, zoned = parse_iso_time(item[0])
        handle = clean_handle(item[-1])
        if not handle:
            left_out["no user name in it"] += 1
        elif handle == reading.found.ego:
            reading.counts["acts towards oneself"] += 1
        else:
            reading.counts["era A times without a zone"] += not zoned
            reading.found.acts.append(Act(reading.found.ego, handle, kind, at, file))
    reading.found.files.append(FileRead(file, kind + "s", len(items), dict(left_out)))
