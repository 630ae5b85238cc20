"""Row dates of a page of Meta: `Aug 10, 2026 6:32 pm`, months in the account's language.

Since 2024 the order is month, day, year in every language; before, it was the language's own:
`27 de ago de 2020 14:47`, `2023年9月19日 05:36`. Numbers alone, as in 03/04/2023, tell no month.

All rows of Instagram that could be compared stood exactly 8 h behind their JSON twins, in summer
too. So 8 h are added; the zone stays an assumption, and a date is good to the minute only.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from followkit.sources.exports.instagram_values import MALFORMED

__all__ = ["PAGE_SHIFT", "month_of", "parse_row_time", "parse_written_date"]

PAGE_SHIFT = timedelta(hours=8)
_CLOCK = (
    r"(?:(?P<before>上午|下午|午前|午後|오전|오후) ?)?(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2}))?(?: {0,3}(?P<after>\D{1,20}))?"
)
#: Month first; day first, with little words between; year first.
ROW_TIMES = tuple(
    re.compile(pattern + _CLOCK, re.IGNORECASE)
    for pattern in (
        r"(?P<month>\S{1,20}(?: ?[月월])?|(?:thg|tháng) ?[0-9]{1,2}) {1,3}(?P<day>[0-9]{1,2}),? "
        r"{1,3}(?P<year>[0-9]{4}),? {1,3}",
        r"(?P<day>[0-9]{1,2})(?:\.|º)? (?:de |d['’])?(?P<month>[^\W\d]{1,20}\.?),? "
        r"(?:de |del )?(?P<year>[0-9]{4})(?: ?г\.)?,? (?:\S{1,3} )?",
        r"(?P<year>[0-9]{4}) ?[年년/.-] ?(?P<month>[0-9]{1,2}) ?[月월/.-] ?(?P<day>[0-9]{1,2})"
        r"[日일.]?,? {0,3}",
    )
)
NUMBERED_MONTH = re.compile(r"([0-9]{1,2}) ?[月월]?|(?:thg|tháng) ?([0-9]{1,2})", re.IGNORECASE)
#: A year and a clock, in whatever order: a date, even where it cannot be read.
DATED = re.compile(r"(?<![0-9])(?:19|20)[0-9]{2}(?![0-9]).*(?<![0-9])[0-9]{1,2}:[0-9]{2}")

#: Long names, and short ones that are not their beginning. en, es, fr, de, it, pt, nl, ru, tr, zh,
#: id, ms, sv, da, nb, ro, hu, el, uk. Polish, Czech and Croatian share names of different months.
MONTHS = (
    "january enero janvier januar gennaio janeiro januari январь января ocak 一月 jänner ianuarie "
    "január ιανουαρίου січня",
    "february febrero février februar febbraio fevereiro februari февраль февраля şubat 二月 "
    "pebruari februarie február φεβρουαρίου лютого",
    "march marzo mars märz maart mrt março марта mart 三月 maret mac marts martie március μαρτίου "
    "березня",
    "april abril avril aprile апрель апреля nisan 四月 aprilie április απριλίου квітня",
    "may mayo mai maggio maio mei май мая mayıs 五月 maj május травня",
    "june junio juin juni giugno junho июнь июня haziran 六月 iunie június ιουνίου червня",
    "july julio juillet juli luglio julho июль июля temmuz 七月 julai iulie július ιουλίου липня",
    "august agosto août augustus август августа ağustos 八月 agustus ogos augusti augusztus "
    "αυγούστου серпня",
    "september septiembre setiembre septembre settembre setembro сентябрь сентября eylül 九月 "
    "septembrie szeptember σεπτεμβρίου вересня",
    "october octubre octobre oktober ottobre outubro октябрь октября ekim 十月 octombrie október "
    "οκτωβρίου жовтня",
    "november noviembre novembre ноябрь ноября kasım 十一月 nopember noiembrie νοεμβρίου листопада",
    "december diciembre décembre dezember dicembre dezembro декабрь декабря aralık 十二月 desember "
    "disember decembrie δεκεμβρίου грудня",
)
HALVES = {
    "am": 0, "pm": 12, "午前": 0, "午後": 12, "오전": 0, "오후": 12, "上午": 0, "下午": 12,
    "öö": 0, "ös": 12, "vorm": 0, "nachm": 12, "damanhã": 0, "datarde/noite": 12, "datarde": 12,
    "danoite": 12, "sa": 0, "ch": 12, "fm": 0, "em": 12, "de": 0, "du": 12, "πμ": 0, "μμ": 12,
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
    if numbered := NUMBERED_MONTH.fullmatch(token.strip()):
        month = int(numbered[1] or numbered[2])
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
    written = parse_written_date(text)
    try:
        return written if written in (None, MALFORMED) else written + PAGE_SHIFT
    except OverflowError:
        return MALFORMED


def parse_written_date(text: str) -> datetime | None:
    """Return a date as it is written, as if it were UTC; None if there is none, or `MALFORMED`.

    Examples
    --------
    >>> for text in ("feb. 03, 2024 5:08:06pm", "3 фев 2024 г., 17:08", "2024年2月3日 下午5:08"):
    ...     print(parse_written_date(text))
    2024-02-03 17:08:06+00:00
    2024-02-03 17:08:00+00:00
    2024-02-03 17:08:00+00:00
    >>> parse_written_date("03/02/2024 17:08") is MALFORMED
    True
    """
    plain = _plain(text)
    match = next((found for one in ROW_TIMES if (found := one.fullmatch(plain))), None)
    if not match:
        return MALFORMED if DATED.search(plain) else None
    month = month_of(match["month"])
    hour = _hour(int(match["hour"]), match["after"] or match["before"])
    if not month or hour is None:
        return MALFORMED
    try:
        return datetime(int(match["year"]), month, int(match["day"]), hour, int(match["minute"]),
                        int(match["second"] or 0), tzinfo=UTC)  # fmt: skip
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
