"""Things that several features share, made on first use and kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Memo:
    """Gives whatever inherits from it a store of its own.

    Examples
    --------
    >>> memo = Memo()
    >>> memo.cached("answer", lambda: 42), memo.cached("answer", lambda: 43)
    (42, 42)
    """

    def cached(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return the value under `key`, making it on first use."""
        kept = self.__dict__.setdefault("_kept", {})
        if key not in kept:
            kept[key] = make()
        return kept[key]
