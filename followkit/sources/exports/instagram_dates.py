"""Row dates of an Instagram page: `Aug 10, 2026 6:32 pm`, months in the account's language.

All rows that could be compared stood exactly 8 h behind their JSON twins, in summer too. So 8 h
are added; the zone stays an assumption, and a date is good to the minute only.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from followkit.sources.exports.instagram_values import MALFORMED

__all__ = ["PAGE_SHIFT", "month_of", "parse_row_time"]

PAGE_SHIFT = timedelta(hours=8)
ROW_TIME = re.compile(
    r"(\S{1,20}(?: ?[月월])?) {1,3}([0-9]{1,2}),? {1,3}([0-9]{4}),? {1,3}"
    r"(?:(上午|下午|午前|午後|오전|오후) ?)?([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?"
    r"(?: {0,3}(\D{1,12}))?"
)
CJK_MONTH = re.compile(r"([0-9]{1,2}) ?[月월]")

#: Long names, and short ones that are not their beginning. en, es, fr, de, it, pt, nl, ru, tr, zh.
MONTHS = (
    "january enero janvier januar gennaio janeiro januari январь января ocak 一月",
    "february febrero février februar febbraio fevereiro februari февраль февраля şubat 二月",
    "march marzo mars märz maart mrt março март марта mart 三月",
    "april abril avril aprile апрель апреля nisan 四月",
    "may mayo mai maggio maio mei май мая mayıs 五月",
    "june junio juin juni giugno junho июнь июня haziran 六月",
    "july julio juillet juli luglio julho июль июля temmuz 七月",
    "august agosto août augustus август августа ağustos 八月",
    "september septiembre setiembre septembre settembre setembro сентябрь сентября eylül 九月",
    "october octubre octobre oktober ottobre outubro октябрь октября ekim 十月",
    "november noviembre novembre ноябрь ноября kasım 十一月",
    "december diciembre décembre dezember dicembre dezembro декабрь декабря aralık 十二月",
)
HALVES = {
    "am": 0, "pm": 12, "午前": 0, "午後": 12, "오전": 0, "오후": 12, "上午": 0, "下午": 12,
    "öö": 0, "ös": 12, "vorm": 0, "nachm": 12,
}  # fmt: skip


@lru_cache(maxsize=1_000)
def month_of(token: str) -> int:
    """Return the month, 1 to 12, that a word or a number with 月 or 월 stands for; 0 if unsure.

    The word has to be the beginning of names of one month only, in all languages together.

    Examples
    --------
    >>> month_of("Aug"), month_of("sep."), month_of("sept"), month_of("8月"), month_of("8 월")
    (8, 9, 9, 8, 8)
    >>> month_of("ju"), month_of("jui"), month_of("ma"), month_of("13月"), month_of("ženář")
    (0, 0, 0, 0, 0)
    """
    if numbered := CJK_MONTH.fullmatch(token.strip()):
        month = int(numbered[1])
        return month if 1 <= month <= 12 else 0
    word = token.strip().rstrip(".").casefold()
    # Two letters say too little; Chinese names have two signs in all.
    if len(word) < (3 if word[:1].isascii() or not word.endswith("月") else 2):
        return 0
    fitting = {
        month
        for month, names in enumerate(MONTHS, start=1)
        if any(name.startswith(word) for name in names.split())
    }
    return fitting.pop() if len(fitting) == 1 else 0


def parse_row_time(text: str) -> datetime | None:
    """Return a row's date in UTC, 8 h added; None if there is none, `MALFORMED` if unreadable.

    Examples
    --------
    >>> parse_row_time("Aug 10, 2026 6:32 pm").isoformat()
    '2026-08-11T02:32:00+00:00'
    >>> parse_row_time("ago 10, 2026 6:32 pm") == parse_row_time("8月 10, 2026 6:32 PM")
    True
    >>> parse_row_time("Foo 10, 2026 6:32 pm") is MALFORMED, parse_row_time("bo_77")
    (True, None)
    """
    match = ROW_TIME.fullmatch(_plain(text))
    if not match:
        return None
    month, hour = month_of(match[1]), _hour(int(match[5]), match[8] or match[4])
    if not month or hour is None:
        return MALFORMED
    try:
        moment = datetime(int(match[3]), month, int(match[2]), hour, int(match[6]),
                          int(match[7] or 0), tzinfo=UTC)  # fmt: skip
        return moment + PAGE_SHIFT
    except (ValueError, OverflowError):
        return MALFORMED


def _plain(text: str) -> str:
    """Return a short text with plain blanks; some pages have narrow ones before am and pm."""
    return " ".join(text.split()) if len(text) <= 60 else ""


def _hour(hour: int, half: str | None) -> int | None:
    if half is None:
        return hour if hour <= 23 else None
    shift = HALVES.get(re.sub(r"[\s.]", "", half).casefold())
    if shift is None or not 1 <= hour <= 12:
        return None
    return hour % 12 + shift
