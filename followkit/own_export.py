"""An export of one's own, together with earlier ones, as one data set."""

from __future__ import annotations

from followkit.errors import InputError
from followkit.snapshots import SnapshotStore, join_snapshots
from followkit.sources import load_parts
from followkit.tables import Dataset

__all__ = ["KEPT", "load_own_export"]

#: Stands for the exports that followkit keeps (`followkit snapshots keep`).
KEPT = "kept"


def load_own_export(
    data: str, *, platform: str = "", earlier: str = "", ego: str = "", exported_at: str = ""
) -> Dataset:
    """Load an export; with earlier ones of the same account, joined, so that leaving is seen.

    Parameters
    ----------
    data
        The export: zip, folder or file; its parts with semicolons between them.
    platform
        Which of the platforms in the export, as for `load_parts`.
    earlier
        Earlier exports with semicolons between them, each one place; or "kept".
    ego, exported_at
        Whose export it is, and of which day, where it does not tell; as for `load_parts`.

    Returns
    -------
    Dataset
        Of the last export alone where there is no earlier one; see `join_snapshots`.

    Raises
    ------
    InputError
        If `data` is no export, an earlier one cannot be read, or none is kept of this account.
    """
    dataset = load_parts(data, platform=platform, ego=ego, exported_at=exported_at)
    facts = dataset.about.get("export")
    if not earlier or not isinstance(facts, dict):
        return dataset
    if earlier.strip() != KEPT:
        places = [part.strip() for part in earlier.split(";") if part.strip()]
        others = [load_parts(one, platform=platform, ego=ego) for one in places]
        return join_snapshots([dataset, *others])
    kept = SnapshotStore().load(platform=str(facts["platform"]), ego=str(facts["ego"]))
    others = [one for one in kept if _moment(one) != _moment(dataset)]
    if not others:
        raise InputError(
            "earlier: no other export of this account is kept; keep the next one with followkit "
            "snapshots keep EXPORT, or leave this parameter out."
        )
    return join_snapshots([*others, dataset])


def _moment(dataset: Dataset) -> str:
    return str(dataset.about["export"]["exported_at"])
