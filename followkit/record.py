"""What a notebook hands to the runner beside its page: numbers, and tables as CSV.

Numbers travel as an output of their own kind, which the runner takes out of the notebook and writes
as `summary.json`; so the page and the file cannot disagree.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from followkit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

SUMMARY_MIME = "application/vnd.followkit.summary+json"
TABLES_MIME = "application/vnd.followkit.tables+json"
PARAMETERS_MIME = "application/vnd.followkit.parameters+json"

# Halves of surrogate pairs, which neither JSON in UTF-8 nor a page can hold.
SURROGATES = re.compile("[\ud800-\udfff]")
# C0 and C1 controls but tab and line feed.
#: C0 and C1, and marks that turn the text after them around: a name must not change its neighbours.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


class Record:
    """Numbers that a notebook collects as it goes; a report writes them as `summary.json`.

    Examples
    --------
    >>> numbers = Record()
    >>> numbers.record("base_rate", 0.025)
    0.025
    >>> numbers.values
    {'base_rate': 0.025}
    """

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self.values: dict[str, Any] = {}
        self.shown: dict[str, Any] = {}
        for name, value in (values or {}).items():
            self.record(name, value)

    def record(self, name: str, value: Any) -> Any:
        """Keep a number (or text, list, dictionary) under a name and return it.

        Parameters
        ----------
        name
            Its name in `summary.json`; a second, different value under one name is an error.
        value
            What `plain` can turn into JSON.

        Raises
        ------
        InputError
            For a value that JSON cannot hold, or a name that is taken.
        """
        simple = plain(value, name)
        if name in self.values and self.values[name] != simple:
            raise InputError(
                f"record: {name} is {self.values[name]!r} already and cannot also be {simple!r}."
            )
        self.values[name] = simple
        return value

    def show_as(self, **parameters: str) -> None:
        """Say how parameters that name somebody stand in the report: by pseudonym.

        What a notebook does not say is withheld (`followkit.pseudonyms.PRIVATE`).

        Examples
        --------
        >>> numbers = Record()
        >>> numbers.show_as(initiator="user-k7m2qx")
        >>> numbers.shown
        {'initiator': 'user-k7m2qx'}
        """
        self.shown |= parameters

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        count = len(self.values)
        bundle: dict[str, Any] = {SUMMARY_MIME: dict(self.values)}
        if self.shown:
            bundle[PARAMETERS_MIME] = dict(self.shown)
        return bundle | {"text/plain": f"{count} numbers for summary.json"}


def numbers_output(values: Mapping[str, Any]) -> Record:
    """Return numbers as the output of a cell: the report takes them out into `summary.json`.

    Parameters
    ----------
    values
        Name → number, text, list or dictionary. `title` and `headline` (one sentence) are what the
        index of all reports shows.
    """
    return Record(values)


def plain(value: Any, name: str = "value") -> Any:
    """Turn a value into what JSON can hold: NumPy and pandas scalars too; not-a-number is null.

    Examples
    --------
    >>> import numpy as np
    >>> plain({"n": np.int64(3), "rates": np.array([0.5, np.nan])})
    {'n': 3, 'rates': [0.5, None]}
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return SURROGATES.sub("\ufffd", value)
    if isinstance(value, float) or is_missing(value):
        return float(value) if not is_missing(value) and math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(inner, f"{name}.{key}") for key, inner in value.items()}
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return [plain(row, name) for row in value.to_dict("records")]
    if hasattr(value, "tolist"):
        return plain(value.tolist(), name)
    if isinstance(value, Sequence):
        return [plain(inner, name) for inner in value]
    raise InputError(f"record: {name} holds a {type(value).__name__}, which JSON cannot hold.")


def clean(value: object) -> str:
    r"""Return a value as text without controls of print or direction; halves become U+FFFD.

    Examples
    --------
    >>> clean("a\x00b\x1b[31m"), clean(7)
    ('ab[31m', '7')
    """
    text = value if isinstance(value, str) else str(value)
    return SURROGATES.sub("\ufffd", _CONTROLS.sub("", text))


def csv_text(frame: pd.DataFrame) -> str:
    r"""Return a frame as CSV in which no text can run as a formula in a spreadsheet.

    Text that begins with `= + - @`, a tab or a carriage return (or a full-width twin) gets a `'` in
    front, and control characters are stripped; numbers stay as they are.

    Examples
    --------
    >>> import pandas as pd
    >>> csv_text(pd.DataFrame({"handle": ["=1+1", "zoe"], "gap": [-1.5, 2.0]}))
    "handle,gap\n'=1+1,-1.5\nzoe,2.0\n"
    """
    guarded = frame.copy()
    guarded.columns = [_guard(str(column)) for column in frame.columns]
    for position in range(guarded.shape[1]):
        column = guarded.iloc[:, position]
        if not is_number_column(column):
            guarded.isetitem(position, column.map(_guard).astype(object))
    text: str = guarded.to_csv(index=False, lineterminator="\n")
    return text


def _guard(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return f"'{clean(value)}" if value.startswith(_FORMULA_STARTS) else clean(value)


def is_missing(value: Any) -> bool:
    """Say whether a value is unknown: None, NaN, NaT or pandas' NA.

    Examples
    --------
    >>> is_missing(float("nan")), is_missing(0)
    (True, False)
    """
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and math.isnan(value)


def is_number_column(values: pd.Series) -> bool:
    """Say whether a column holds numbers; flags are not numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> is_number_column(pd.Series([1.5])), is_number_column(pd.Series([True]))
    (True, False)
    """
    from pandas.api import types

    return bool(types.is_numeric_dtype(values)) and not types.is_bool_dtype(values)
