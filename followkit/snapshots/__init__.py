"""Exports kept from one download to the next, and what changed between them.

One export cannot say who left: its list of followers holds those who follow now. Two can.
"""

from __future__ import annotations

from followkit.snapshots.changes import SnapshotChanges, compare_snapshots
from followkit.snapshots.join import join_snapshots
from followkit.snapshots.store import HOME_VARIABLE, Snapshot, SnapshotStore, find_home

__all__ = [
    "HOME_VARIABLE", "Snapshot", "SnapshotChanges", "SnapshotStore", "compare_snapshots",
    "find_home", "join_snapshots",
]  # fmt: skip
