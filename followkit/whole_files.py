"""A text file that is there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: Path, content: str, *, mode: int = 0o600) -> Path:
    """Write a text file as UTF-8 beside its place, flush it to disk, and put it there.

    Parameters
    ----------
    path, content
        Where, in a folder that is there, and what; line ends stay as they are.
    mode
        Who may read it; without it its owner alone.

    Returns
    -------
    Path
        The path.

    Raises
    ------
    OSError
        If it cannot be written; what was there before is still there then.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_whole(Path(folder, "a.csv"), "x").read_text()
    'x'
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.part-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path
