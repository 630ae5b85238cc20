"""The canonical tables: their columns, kinds and keys. Only declarations; checks are in `tables`.

Times are UTC. Ids are integers or strings, never floats. Unknown is null, never 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["account", "id", "time", "text", "count", "number", "flag", "list"]


@dataclass(frozen=True)
class Column:
    """One column: `kind` decides how text becomes a value.

    `account` is the id of an account (one dtype for all of them), `id` the id of anything else.
    """

    name: str
    kind: Kind
    required: bool = False
    description: str = ""
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableSchema:
    """One canonical table; `key` names the columns that identify a row in messages."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    description: str
    keeps_extra: bool = False

    def column(self, name: str) -> Column | None:
        """Return the declaration of a column, or None for a column that is not canonical."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all canonical columns, in order."""
        return tuple(column.name for column in self.columns)


STATUSES = ("active", "pending")
FORMATS = ("text", "image", "carousel", "video", "story", "poll", "link")
KINDS = (
    "like", "comment", "reply", "mention", "share", "save", "message", "view", "block", "mute",
    "remove_follower", "story", "reaction",
)  # fmt: skip


def _columns(kind: Kind, *names: str) -> tuple[Column, ...]:
    return tuple(Column(name, kind) for name in names)


_COUNTS = _columns("count", "follower_count", "followee_count", "post_count")

FOLLOWS = TableSchema(
    "follows",
    (
        Column("follower_id", "account", required=True, description="who follows"),
        Column("followee_id", "account", required=True, description="who is followed"),
        Column("followed_at", "time", description="when the follow was made"),
        Column("unfollowed_at", "time", description="when it was withdrawn"),
        Column("requested_at", "time", description="when a private account was asked"),
        Column("status", "text", allowed=STATUSES, description="active, or pending approval"),
        Column("followed_after_at", "time", description="last moment known to be absent"),
        Column("followed_before_at", "time", description="first moment seen standing"),
        Column("unfollowed_after_at", "time", description="last moment seen standing"),
        Column("unfollowed_before_at", "time", description="first moment known to be gone"),
        Column("list_position", "count", description="place in the initiator's list"),
    ),
    ("follower_id", "followee_id"),
    "who follows whom, and when if that is known",
)

ACCOUNTS = TableSchema(
    "accounts",
    (
        Column("account_id", "account", required=True),
        *_columns("text", "handle", "display_name", "bio", "url"),
        Column("has_picture", "flag"),
        *_columns("text", "language", "category"),
        Column("created_at", "time"),
        *_COUNTS,
        Column("counts_at", "time", description="when the platform's counts were read"),
        *_columns("flag", "is_verified", "is_business", "is_creator", "is_private"),
        *_columns("text", "location", "stance"),
    ),
    ("account_id",),
    "one row an account; any further column is kept as an attribute",
    keeps_extra=True,
)

ACCOUNT_COUNTS = TableSchema(
    "account_counts",
    (
        Column("account_id", "account", required=True),
        Column("counts_at", "time", required=True),
        *_COUNTS,
    ),
    ("account_id", "counts_at"),
    "the platform's counts over time",
)

POSTS = TableSchema(
    "posts",
    (
        Column("post_id", "id", required=True),
        Column("account_id", "account", required=True),
        Column("posted_at", "time"),
        *_columns("text", "text", "language"),
        Column("hashtags", "list", description="separated by blanks"),
        Column("format", "text", allowed=FORMATS),
        Column("purpose", "text"),
        Column("is_repost", "flag"),
        Column("original_post_id", "id"),
        Column("original_account_id", "account"),
        Column("is_promotional", "flag"),
        *_columns("count", "like_count", "comment_count", "share_count", "save_count"),
        Column("counts_at", "time"),
        Column("first_hour_engagement", "count"),
    ),
    ("post_id",),
    "one row a post; further columns (embeddings) are kept",
    keeps_extra=True,
)

MEDIA = TableSchema(
    "media",
    (
        Column("media_id", "id", required=True),
        Column("post_id", "id"),
        Column("account_id", "account"),
        Column("position", "count"),
        Column("path", "text"),
        *_columns("count", "width", "height"),
    ),
    ("media_id",),
    "pictures of posts or accounts; image statistics are kept as further columns",
    keeps_extra=True,
)

INTERACTIONS = TableSchema(
    "interactions",
    (
        Column("actor_id", "account", required=True),
        Column("target_id", "account", required=True),
        Column("kind", "text", required=True, allowed=KINDS),
        Column("interaction_id", "id"),
        Column("reply_to_id", "id"),
        Column("at", "time"),
        Column("count", "count", description="how many acts the row stands for (1 when empty)"),
        Column("post_id", "id"),
        Column("text", "text"),
    ),
    ("actor_id", "target_id", "kind"),
    "one row an act of one account towards another",
)

OBSERVATION = TableSchema(
    "observation",
    (
        Column("account_id", "account", required=True),
        Column("table_name", "text", required=True, allowed=("follows", "posts", "interactions")),
        Column("observed_from_at", "time", required=True),
        Column("observed_until_at", "time"),
        Column("list_is_complete", "flag"),
        Column("sees_unfollows", "flag"),
    ),
    ("account_id", "table_name", "observed_from_at"),
    "when an account's own follows, posts or acts were really visible; a crawl has from = until",
)

SCHEMAS: dict[str, TableSchema] = {
    schema.name: schema
    for schema in (FOLLOWS, ACCOUNTS, ACCOUNT_COUNTS, POSTS, MEDIA, INTERACTIONS, OBSERVATION)
}
