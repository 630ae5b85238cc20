"""A simulated account's data written as each platform's export, with the faults found in the wild.

`make_life` draws the truth, `write_export` writes it, and `expected` says what a right reader
finds in what was written. Nothing here is used by readers.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from followkit.errors import ParameterError, suggest
from followkit.simulate.exports.life import Expected, Life, make_life

__all__ = ["WRITERS", "Expected", "Life", "expected", "make_life", "write_export"]

#: Platform → module of its writer, which holds `write_<platform>` and `expected_<platform>`.
WRITERS = {
    platform: f"followkit.simulate.exports.{platform}"
    for platform in ("instagram", "threads", "x", "tiktok", "mastodon", "bluesky", "linkedin",
                     "facebook", "youtube")
}  # fmt: skip


def write_export(life: Life, platform: str, path: str | Path, **variant: Any) -> list[Path]:
    """Write a life as a platform's export and return the paths to hand to a reader.

    Parameters
    ----------
    path
        Folder in which the export is made; it is created when missing.
    variant
        What the platform's writer takes: era, layout, locale, packing, faults, …

    Raises
    ------
    ParameterError
        For a platform without a writer, or a variant it does not know.
    """
    made: list[Path] = _find(platform, "write")(life, Path(path), **variant)
    return made


def expected(life: Life, platform: str, **variant: Any) -> Expected:
    """Return what a right reader finds in `write_export(life, platform, …, **variant)`.

    Raises
    ------
    ParameterError
        For a platform without a writer, or a variant it does not know.
    """
    truth: Expected = _find(platform, "expected")(life, **variant)
    return truth


def _find(platform: str, verb: str) -> Callable[..., Any]:
    if platform not in WRITERS:
        known = suggest(platform, list(WRITERS))
        raise ParameterError(f"platform: no writer for {platform!r}; {known}")
    return getattr(import_module(WRITERS[platform]), f"{verb}_{platform}")
