"""numba at the last moment: nothing is imported or compiled before a kernel is asked for."""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any

from followkit.scale import _build_kernels, _pair_kernels


@cache
def compiled(name: str) -> Any:
    """Return a kernel, compiled; uncached where the cache folder cannot be written."""
    import numba

    module = next(part for part in (_build_kernels, _pair_kernels) if hasattr(part, name))
    _prepare(module)
    function = getattr(module, name)
    options = {"parallel": function not in module.SERIAL, "nogil": True}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:
        return numba.njit(**options)(function)


@cache
def _prepare(module: ModuleType) -> None:
    """Let kernels of a module call its helpers, which stay plain functions, not closures.

    numba finds no cached code for a closure again in the next process.
    """
    import numba
    from numba.extending import register_jitable

    module.prange = numba.prange  # type: ignore[attr-defined]
    for helper in module.HELPERS:
        inline = "always" if helper in module.INLINED else "never"
        register_jitable(inline=inline)(helper)
