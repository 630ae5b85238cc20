"""Files held in memory → a folder, one zip, several zips, or a zip with a wrapper folder."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from followkit.errors import ParameterError

__all__ = ["PACKINGS", "pack"]

PACKINGS = ("folder", "zip", "split", "wrapped")
_EPOCH = (2026, 1, 1, 0, 0, 0)


def pack(
    files: Mapping[str, bytes],
    path: Path,
    *,
    name: str,
    packing: str = "zip",
    wrapper: str = "export",
    second: Mapping[str, bytes] | None = None,
    junk: bool = False,
) -> list[Path]:
    """Write files as an export and return the paths to hand to a reader.

    Parameters
    ----------
    files
        Path inside the export (forward slashes) → content.
    path
        Folder in which the export is made.
    name
        Name of the export without its ending: `<name>.zip`, `<name>_part_1.zip`, or the folder.
    packing
        `folder`, `zip`, `split` (two zips) or `wrapped` (one zip, all in the folder `wrapper`).
    second
        What the second zip of a split holds; without it every other file goes there. It may hold
        a path that the first zip has too.
    junk
        Whether `__MACOSX`, `._` and `.DS_Store` files lie between.

    Raises
    ------
    ParameterError
        For a packing that is not one of `PACKINGS`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = pack({"a.json": b"[]", "b.json": b"[]"}, Path(folder), name="x", packing="split")
    ...     [one.name for one in made]
    ['x_part_1.zip', 'x_part_2.zip']
    """
    if packing not in PACKINGS:
        raise ParameterError(f"packing: {packing!r} came, not one of {', '.join(PACKINGS)}")
    path.mkdir(parents=True, exist_ok=True)
    if packing == "wrapped":
        files = {f"{wrapper}/{inside}": content for inside, content in files.items()}
    if junk:
        files = _add_junk(files)
    if packing == "folder":
        return [_write_folder(files, path / name)]
    if packing == "split":
        first, rest = (files, second) if second is not None else _halve(files)
        return [_write_zip(first, path / f"{name}_part_1.zip"),
                _write_zip(rest, path / f"{name}_part_2.zip")]  # fmt: skip
    return [_write_zip(files, path / f"{name}.zip")]


def _halve(files: Mapping[str, bytes]) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return every other file apart, so that lists and messages come to lie in both zips."""
    names = sorted(files)
    return {one: files[one] for one in names[::2]}, {one: files[one] for one in names[1::2]}


def _add_junk(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files with what a Mac leaves beside each of them."""
    made = dict(files)
    for inside in files:
        folder, slash, last = inside.rpartition("/")
        made[f"{folder}{slash}._{last}"] = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X"
        made[f"__MACOSX/{folder}{slash}._{last}"] = b"\x00\x05\x16\x07"
    made[".DS_Store"] = b"\x00\x00\x00\x01Bud1"
    return made


def _write_folder(files: Mapping[str, bytes], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for inside, content in files.items():
        target = folder / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder


def _write_zip(files: Mapping[str, bytes], path: Path) -> Path:
    """Write a zip with a fixed time stamp, so that the same files give the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for inside, content in files.items():
            packed.writestr(zipfile.ZipInfo(inside, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return path
