"""One writer at a time for a folder of reports."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from followkit.errors import ReportError

LOCK = ".writing"
#: In the names of files that are not finished yet.
PART = ".part-"


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold a folder while writing into it; another process or thread that wants it is told so.

    The lock is a file with the number of the process. One whose process is gone is taken over.

    Raises
    ------
    ReportError
        When another process is writing there, or the folder cannot be written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as name, hold(Path(name)):
    ...     sorted(path.name for path in Path(name).iterdir())
    ['.writing']
    """
    lock = folder / LOCK
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _take(lock)
        _sweep(folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ReportError(f"The report could not be written: {reason}.") from error
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        if is_new:
            # Where nothing was written, nothing is left.
            with suppress(OSError):
                folder.rmdir()


def _sweep(folder: Path) -> None:
    """Remove what writers that were killed left unfinished; whoever holds the lock is the only one.

    Reports in folders below have locks of their own.
    """
    for place in (folder, folder / "tables"):
        for path in place.glob(f".*{PART}*"):
            path.unlink(missing_ok=True)
        for path in place.glob(f"{LOCK}.*"):
            if path.suffix != ".gone" and not _is_alive(_read_owner(path)):
                path.unlink(missing_ok=True)


def _take(lock: Path) -> None:
    # Written aside and linked into place, so that a lock always says whose it is.
    mine = lock.with_name(f"{LOCK}.{os.getpid()}.{threading.get_ident()}")
    mine.write_text(str(os.getpid()))
    try:
        for _ in range(3):
            try:
                os.link(mine, lock)
                return
            except FileExistsError:
                owner = _read_owner(lock)
            if _is_alive(owner):
                raise ReportError(
                    f"{lock.parent.name}: process {owner or 'unknown'} is writing this report; "
                    "wait for it, or choose another folder with --out."
                )
            _clear(lock, owner)
        raise ReportError(f"{lock.parent.name}: others keep taking this folder; try again.")
    finally:
        mine.unlink()


def _read_owner(lock: Path) -> int | None:
    """Return whose lock it is; 0 if it is gone by now, None if it does not say."""
    try:
        text = lock.read_text()
    except FileNotFoundError:
        return 0
    return int(text) if text.isdigit() else None


def _is_alive(process: int | None) -> bool:
    # Windows would take signal 0 for Ctrl-C; there a lock stays until somebody removes it.
    if process is None or os.name == "nt":
        return process != 0
    if process == 0:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _clear(lock: Path, owner: int | None) -> None:
    """Remove the lock of a process that is gone, unless somebody else has done so."""
    aside = lock.with_name(f"{LOCK}.{os.getpid()}.{threading.get_ident()}.gone")
    with suppress(FileNotFoundError):
        lock.rename(aside)
        if _read_owner(aside) != owner:
            # Somebody was quicker, and this is their lock.
            aside.rename(lock)
        else:
            aside.unlink()
