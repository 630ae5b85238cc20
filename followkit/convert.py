"""Text to values, column by column; what cannot be converted is returned as a mask, not raised.

Everything arrives as text (or as typed pandas columns made by a user); nothing but the empty
string counts as missing, so handles such as NA, null and 007 survive.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

TIME_DTYPE = "datetime64[us, UTC]"
INTEGER = r"-?(?:0|[1-9][0-9]{0,18})"
NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
EPOCH = r"-?[0-9]{9,16}(?:\.[0-9]+)?"
OFFSET = r"(?:Z|UTC|[+-][0-9]{2}:?(?:[0-9]{2})?)"
CLOCK = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
ISO = rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:[T ]{CLOCK}\s?{OFFSET}?)?"
ZONED = rf".*{CLOCK}\s?{OFFSET}"
EARLIEST, LATEST = 1_072_915_200, 4_102_444_800  # 2004-01-01 and 2100-01-01 in seconds
FLAGS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False,
         "t": True, "f": False}  # fmt: skip

Converted = tuple[pd.Series, pd.Series]


def as_text(values: pd.Series) -> pd.Series:
    """Return a column as strings; the empty string and missing values become missing.

    Examples
    --------
    >>> as_text(pd.Series(["NA", "", "007"])).tolist()
    ['NA', nan, '007']
    """
    if isinstance(values.dtype, pd.DatetimeTZDtype) or values.dtype.kind == "M":
        text = values.astype("str").where(values.notna())
    elif values.dtype.kind == "O":
        # Missing first: str() would turn None into a name.
        text = values.where(values.notna(), None).map(str, na_action="ignore").astype("str")
        text = text.where(values.notna().to_numpy())
    else:
        text = values.astype("str").where(values.notna())
    text = text.astype("str")
    return text.where(text != "")


def is_integer_text(text: pd.Series) -> pd.Series:
    """Return which strings are plain integers that fit 64 bits (no leading zeros, no plus)."""
    plain = text.str.fullmatch(INTEGER).fillna(False).astype(bool) & (text != "-0")
    long = plain & (text.str.len() >= 19)
    if long.any():
        limit = np.iinfo(np.int64)
        fits = text[long].map(lambda value: limit.min <= int(value) <= limit.max).astype(bool)
        plain.loc[fits.index] = fits
    return plain


def to_times(values: pd.Series) -> tuple[pd.Series, pd.Series, int]:
    """Return UTC times, the rows that are no time, and how many carried no zone (taken as UTC).

    ISO 8601, or epochs whose unit (s, ms, µs) is the one that puts the column in 2004–2100.
    A day and month in doubt ("01/02/2026") are refused, not guessed.
    """
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return values.dt.tz_convert("UTC").astype(TIME_DTYPE), _none(values), 0
    if values.dtype.kind == "M":
        zoned = values.dt.tz_localize("UTC").astype(TIME_DTYPE)
        return zoned, _none(values), int(values.notna().sum())
    text = as_text(values).str.strip()
    present = text.notna()
    epoch = present & text.str.fullmatch(EPOCH).fillna(False).astype(bool)
    iso = present & text.str.fullmatch(ISO).fillna(False).astype(bool)
    result = pd.Series(pd.NaT, index=values.index, dtype=TIME_DTYPE)
    if iso.any():
        parsed = pd.to_datetime(text[iso], format="ISO8601", utc=True, errors="coerce")
        result[iso] = parsed.astype(TIME_DTYPE)
    if epoch.any():
        result[epoch] = _from_epoch(text[epoch])
    naive = int((iso & ~text.str.fullmatch(ZONED).fillna(False).astype(bool)).sum())
    return result, present & result.isna(), naive


def _from_epoch(text: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(text).astype(float)
    for per_second in (1, 1_000, 1_000_000):
        seconds = numbers / per_second
        if seconds.between(EARLIEST, LATEST).all():
            whole = (numbers * (1_000_000 // per_second)).round().astype("int64")
            return pd.to_datetime(whole, unit="us", utc=True).astype(TIME_DTYPE)
    return pd.Series(pd.NaT, index=text.index, dtype=TIME_DTYPE)


def to_counts(values: pd.Series) -> Converted:
    """Return whole numbers (nullable) and the rows that are none, negatives included."""
    text = as_text(values).str.strip().str.replace(r"\.0+$", "", regex=True)
    good = is_integer_text(text) & ~text.str.startswith("-").fillna(False).astype(bool)
    result = pd.Series(pd.NA, index=values.index, dtype="Int64")
    result[good] = text[good].astype("int64")
    return result, text.notna() & ~good


def to_numbers(values: pd.Series) -> Converted:
    """Return finite floats and the rows that are none."""
    text = as_text(values).str.strip()
    good = text.str.fullmatch(NUMBER).fillna(False).astype(bool)
    result = pd.Series(np.nan, index=values.index, dtype="float64")
    result[good] = text[good].astype("float64")
    good &= np.isfinite(result.to_numpy())
    return result.where(good), text.notna() & ~good


def to_flags(values: pd.Series) -> Converted:
    """Return true, false or missing, and the rows that are none of true/false/yes/no/1/0."""
    text = as_text(values).str.strip().str.lower()
    known = text.isin(list(FLAGS))
    result = pd.Series(pd.NA, index=values.index, dtype="boolean")
    result[known] = text[known].map(FLAGS).astype("boolean")
    return result, text.notna() & ~known


def to_text(values: pd.Series) -> Converted:
    """Return the column as text; every text is allowed."""
    return as_text(values), _none(values)


def to_list(values: pd.Series) -> Converted:
    """Return items separated by single blanks; commas and brackets of other writers are undone."""
    text = as_text(values).str.replace(r"[\[\],;\"'\s]+", " ", regex=True).str.strip()
    return text.where(text != ""), _none(values)


def _none(values: pd.Series) -> pd.Series:
    return pd.Series(False, index=values.index)


CONVERTERS: dict[str, Callable[[pd.Series], Converted]] = {
    "count": to_counts,
    "number": to_numbers,
    "flag": to_flags,
    "text": to_text,
    "list": to_list,
}
