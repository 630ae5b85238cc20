"""Opt-in: public APIs → a folder of canonical tables. Nothing else in followkit uses the network.

Only with the consent of the account's owner; see docs/live.md.
"""

from __future__ import annotations

from followkit.live.bluesky import fetch_bluesky
from followkit.live.github import fetch_github
from followkit.live.http import FetchError, Pace, RefusedError
from followkit.live.mastodon import fetch_mastodon

__all__ = [
    "FetchError", "Pace", "RefusedError", "fetch_bluesky", "fetch_github", "fetch_mastodon",
]  # fmt: skip
