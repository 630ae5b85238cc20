"""How numbers are written in sentences: one rule each, so that prose, tables and figures agree."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def percent(share: float) -> str:
    """Write a share as a percentage with one decimal.

    Examples
    --------
    >>> percent(0.0245), percent(0.314), percent(-0.02), percent(-0.0001)
    ('2.5 %', '31.4 %', '−2.0 %', '0.0 %')
    """
    return f"{_signless_zero(100 * share, '.1f')} %"


def percent_range(low: float, high: float) -> str:
    """Write an interval of shares.

    Examples
    --------
    >>> percent_range(0.015, 0.034), percent_range(0.281, 0.339)
    ('1.5 to 3.4 %', '28.1 to 33.9 %')
    """
    return f"{_signless_zero(100 * low, '.1f')} to {percent(high)}"


def count(number: float, noun: str = "", plural: str = "") -> str:
    """Write a whole number with thousands separators, and its noun in the right number.

    Examples
    --------
    >>> count(8147), count(1, "dyad"), count(3, "reply", "replies")
    ('8,147', '1 dyad', '3 replies')
    """
    text = f"{round(number):,}"
    if not noun:
        return text
    return f"{text} {noun if round(number) == 1 else plural or noun + 's'}"


def factor(odds_ratio: float) -> str:
    """Write an odds ratio with two decimals, or three digits where it is far from 1.

    Examples
    --------
    >>> factor(1.8349), factor(0.052), factor(23.4), factor(1234.0), factor(1e40)
    ('1.83', '0.05', '23.4', '1,234', 'over a million')
    """
    # A nearly separated feature has an odds ratio whose digits say nothing.
    if odds_ratio > 1e6:
        return "over a million"
    if odds_ratio >= 100:
        return f"{odds_ratio:,.0f}"
    return f"{odds_ratio:.1f}" if odds_ratio >= 10 else f"{odds_ratio:.2f}"


def factor_range(low: float, high: float) -> str:
    """Write an interval of odds ratios.

    Examples
    --------
    >>> factor_range(1.5, 2.139)
    '1.50 to 2.14'
    """
    return f"{factor(low)} to {factor(high)}"


def signed(number: float) -> str:
    """Write a number that may lie below 0 with two decimals.

    Examples
    --------
    >>> signed(1.234), signed(-0.5), signed(-0.001)
    ('1.23', '−0.50', '0.00')
    """
    return _signless_zero(number, ".2f")


def points(change: float) -> str:
    """Write a change in probability in percentage points, always with its sign.

    Examples
    --------
    >>> points(0.0312), points(-0.004), points(-0.0002)
    ('+3.1', '−0.4', '0.0')
    """
    text = f"{100 * change:+.1f}".replace("-", "−")
    return text[1:] if text in ("+0.0", "−0.0") else text


def _signless_zero(number: float, form: str) -> str:
    """Write a number with a true minus, and what rounds to 0 without one."""
    text = format(number, form).replace("-", "−")
    return text.removeprefix("−") if not float(text.replace("−", "-")) else text


def days(number: float) -> str:
    """Write a duration in days.

    Examples
    --------
    >>> days(30.0), days(1), days(2.25)
    ('30 days', '1 day', '2.2 days')
    """
    text = f"{number:,.0f}" if number == round(number) or number >= 10 else f"{number:.1f}"
    return f"{text} day" if text == "1" else f"{text} days"


def span(days: float) -> str:
    """Write a stretch of time in the unit that suits it, from seconds to days.

    Examples
    --------
    >>> span(0.00306), span(0.689), span(5.07), span(558.2), span(1 / 24)
    ('4.4 minutes', '16.5 hours', '5.1 days', '558 days', '1 hour')
    """
    sizes = {"day": 1.0, "hour": 24.0, "minute": 1440.0, "second": 86_400.0}
    unit = next((name for name, size in sizes.items() if days * size >= 0.9995), "second")
    number = days * sizes[unit]
    text = f"{number:,.0f}" if number >= 99.95 else f"{number:.1f}".removesuffix(".0")
    return f"{text} {unit}" if text == "1" else f"{text} {unit}s"


def join(parts: Sequence[str], last: str = "and") -> str:
    """Join parts as a sentence does.

    Examples
    --------
    >>> join(["a"]), join(["a", "b"]), join(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def level(confidence: float) -> str:
    """Write the level of an interval.

    Examples
    --------
    >>> level(0.95)
    '95 %'
    """
    return f"{confidence:.0%}".replace("%", " %")


def place(path: Path) -> str:
    """Write a path as it is seen from the working folder.

    Examples
    --------
    >>> place(Path.cwd() / "reports")
    'reports'
    """
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
