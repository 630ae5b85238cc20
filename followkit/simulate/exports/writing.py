"""What the writers of exports share: checked choices, clocks, and the deeds a platform tells."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from followkit.errors import ParameterError, suggest
from followkit.simulate.exports.life import Account, Deed, Life
from followkit.simulate.exports.packing import PACKINGS, pack

__all__ = ["SECRETS", "check_choice", "check_faults", "cut_short", "dump", "ego_deeds",
           "pack_or_file", "pair_messages", "seconds"]  # fmt: skip

#: What exports hold and no reader may let through: an e-mail, a birth date, a phone, a message.
SECRETS = ("someone@mail.example", "1991-02-03", "+15550100", "nobody else may read this")
_EGO = 0


def check_choice(name: str, given: str, known: Sequence[str]) -> None:
    """Raise a ParameterError for a choice that is not among the known ones."""
    if given not in known:
        raise ParameterError(f"{name}: {given!r} came; {suggest(given, list(known))}")


def check_faults(faults: Collection[str], known: Sequence[str]) -> None:
    """Raise a ParameterError for a fault that the writer does not know."""
    for fault in faults:
        check_choice("faults", fault, known)


def seconds(at: datetime) -> int:
    """Return a moment as whole seconds since 1970, UTC."""
    return int(at.timestamp())


def dump(value: Any, *, ascii_only: bool = False) -> bytes:
    """Return JSON as bytes, UTF-8 or with every other letter escaped."""
    return json.dumps(value, ensure_ascii=ascii_only, indent=1).encode()


def cut_short(content: bytes) -> bytes:
    """Return the first two thirds of a file, as a broken download leaves it."""
    return content[: len(content) * 2 // 3]


def ego_deeds(life: Life, kinds: Iterable[str]) -> Iterator[tuple[Deed, Account]]:
    """Yield the ego's own deeds of some kinds with their targets, oldest first."""
    people, wanted = life.by_number(), frozenset(kinds)
    for deed in life.deeds:
        if deed.actor == _EGO and deed.kind in wanted:
            yield deed, people[deed.target]


def pair_messages(life: Life) -> dict[int, list[Deed]]:
    """Return the messages of every conversation of two, by the alter's number, oldest first."""
    found: dict[int, list[Deed]] = {}
    for deed in life.deeds:
        if deed.kind == "message":
            found.setdefault(deed.target if deed.actor == _EGO else deed.actor, []).append(deed)
    return found


def pack_or_file(
    files: dict[str, bytes], path: Path, *, name: str, packing: str, wrapper: str = "export",
    main: str = "",
) -> list[Path]:  # fmt: skip
    """Write files like `pack`, or with `packing="file"` the file `main` alone, unpacked.

    Raises
    ------
    ParameterError
        For a packing that is not known.
    """
    check_choice("packing", packing, (*PACKINGS, "file"))
    if packing != "file":
        return pack(files, path, name=name, packing=packing, wrapper=wrapper)
    path.mkdir(parents=True, exist_ok=True)
    target = path / main.rpartition("/")[2]
    target.write_bytes(files[main])
    return [target]
