"""Results kept while a process lives, so that a batch of reports computes them once.

Nothing is kept unless `start` was called: a fork server does so before it prepares a group of
reports, whose kernels then inherit what it computed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_PLAIN = (str, int, float, bool, type(None), Path)


class _Memory:
    """Results by function and arguments; arguments are kept too, so that no identity is reused."""

    def __init__(self) -> None:
        self.results: dict[Hashable, tuple[Any, Any]] = {}


_memory: list[_Memory] = []


def start() -> None:
    """Keep the results of remembered functions from now on."""
    if not _memory:
        _memory.append(_Memory())


def stop() -> None:
    """Forget everything, and keep nothing more."""
    _memory.clear()


def remembered(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Return a function that, once `start` was called, answers the same question once.

    Plain arguments (and sequences of them) are compared by value, others by identity. For
    functions whose result nobody changes and which depend on their arguments alone.

    Examples
    --------
    >>> calls = []
    >>> double = remembered(lambda x: calls.append(x) or 2 * x)
    >>> start()
    >>> double(2), double(2), double(2.0), calls
    (4, 4, 4.0, [2, 2.0])
    >>> stop()
    >>> double(2), calls
    (4, [2, 2.0, 2])
    """

    @wraps(function)
    def answer(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        if not _memory:
            return function(*args, **kwargs)
        named = tuple((name, _token(value)) for name, value in sorted(kwargs.items()))
        key = (function, tuple(map(_token, args)), named)
        results = _memory[0].results
        if key not in results:
            results[key] = function(*args, **kwargs), (args, kwargs)
        return results[key][0]

    return answer


def _token(value: Any) -> Hashable:
    if isinstance(value, _PLAIN):
        # 1, 1.0 and True are equal, and may still mean different things.
        return type(value), value
    if isinstance(value, list | tuple):
        return type(value), tuple(map(_token, value))
    return id, id(value)
