"""Pages of an Instagram export (HTML) → the same records as its JSON.

A page is one list. Records are recognised by class names, never by the order of boxes: `_a6-g` is
a record, `_a6-h` its heading, `_a6-o` its date, `_a6_q` and `_a6_r` a label and its value; the
pages of 2021 have other names for these. Since 2026 a record holds records, which are its parts:
the table of a person, or of the owner of a post. Tags are found one by one without a tree, so a
broken page costs no more time than a sound one. Facebook's pages are made of the same classes.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from followkit.errors import InputError
from followkit.sources.exports.instagram_dates import parse_row_time
from followkit.sources.exports.instagram_entries import Entry, Pair, Sheet
from followkit.sources.exports.instagram_values import MALFORMED

__all__ = ["Block", "Page", "read_page", "sheet_of_page"]

#: A tag ends at the next > and never holds a <; both make the scan linear in the page's length.
TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,15})([^<>]*)>")
ATTRIBUTE = re.compile(
    r"(?<![a-zA-Z-])(class|href|datetime|role)\s{0,4}=\s{0,4}(?:\"([^\"]*)\"|'([^']*)')",
    re.IGNORECASE,
)
#: Text inside these is no text of the page.
SILENT = {"style", "script", "title", "aside", "footer", "header", "svg"}
BOXES = {"div", "section"}
#: By class, the newer names first.
RECORD, HEADING, DATE = {"_a6-g", "_2lej"}, {"_a6-h", "_2lek"}, {"_a6-o", "_2lem"}
TITLE, ABOUT = {"_a70e", "_3b0d"}, {"_aoaa"}
#: Who made the export and when, and from when to when: three years are told only of a range.
YEAR = re.compile(r"(?<!\w)(?:19|20)[0-9]{2}(?!\w)")
MOST_TIMES = 10
#: The person who owns a post lies four records deep.
MOST_NESTED = 20
CELLS = {"_a6_q": "label", "_a6_r": "value"}
LONGEST_ATTRIBUTES, LONGEST_TEXT = 4_000, 500
MORE_THAN_ANY_RECORD = 2_000
LONGEST_NAME = 120
PRECISION_S = 60


@dataclass
class Block:
    """One record of a page, as it stands there: texts only."""

    heading: str = ""
    links: list[tuple[str, str]] = field(default_factory=list)
    #: Title of the part of the record that it stands in, label, value.
    cells: list[tuple[str, str, str]] = field(default_factory=list)
    date: str = ""
    #: Texts outside heading, links and table; one of them is the date in the older pages.
    texts: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing of it was read so far."""
        return not (self.heading or self.links or self.cells or self.date or self.texts)


@dataclass
class Page:
    """What a page holds: its heading, its records, and when it was made (UTC).

    `times` are those of the header: of making, and from when to when data were asked for. `about`
    is the header's text of the same.
    """

    heading: str = ""
    blocks: list[Block] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    about: str = ""
    is_complete: bool = False

    @property
    def made_at(self) -> datetime | None:
        """When the page was made, by its header (UTC)."""
        return self.times[0] if self.times else None

    @property
    def is_ranged(self) -> bool:
        """Whether the header says that only data of a range of dates were asked for."""
        return len(self.times) > 2 or len(YEAR.findall(self.about)) > 2

    @property
    def range_start(self) -> datetime | None:
        """When that range begins (UTC), where the header tells it in a form for machines."""
        return self.times[1] if len(self.times) > 2 else None


def read_page(text: str, file: str) -> Page:
    r"""Return the records of one page.

    Parameters
    ----------
    text
        The page.
    file
        Its path, for messages.

    Returns
    -------
    Page
        `made_at` is the header's `datetime`, not its visible text, which is in another zone.

    Raises
    ------
    InputError
        If the page does not end (`</html>` is missing), or has no record: a list without entries
        gets no page at all, so the format has changed, or the page is another.

    Examples
    --------
    >>> page = read_page('<html><main><div class="pam _a6-g"><h2 class="_a6-h">bo_77</h2><div>'
    ...     '<a href="https://www.instagram.com/_u/bo_77">https://www…</a></div><div>'
    ...     'Aug 10, 2026 6:32 pm</div></div></main></html>', "following.html")
    >>> page.blocks[0].heading, page.blocks[0].links[0][0]
    ('bo_77', 'https://www.instagram.com/_u/bo_77')
    """
    scan = _Scan()
    for closing, tag, attributes, after in _tags(text):
        if closing:
            scan.close(tag)
        else:
            scan.open(tag, attributes)
        if after:
            scan.read(after)
    page = scan.finish()
    if not page.is_complete:
        raise InputError(f"{file}: the page does not end (</html> is missing), so its list may be "
                         "short. Download the export again.")  # fmt: skip
    if not page.blocks:
        raise InputError(f"{file}: there is no record in a form that is known on this page; the "
                         "format has changed. Ask for the export in the format JSON.")  # fmt: skip
    return page


def _tags(text: str) -> Iterator[tuple[bool, str, str, str]]:
    """Yield every tag: whether it closes, its name, its attributes, and the text after it."""
    found = TAG.search(text)
    while found:
        following = TAG.search(text, found.end())
        end = following.start() if following else len(text)
        yield bool(found[1]), found[2].lower(), found[3], text[found.end() : end]
        found = following


class _Scan:
    """Where the scan stands: in which record, heading, link, cell or date it is."""

    def __init__(self) -> None:
        self.page = Page()
        self.block: Block | None = None
        self.depth = 0
        self.silent: list[str] = []
        self.target = ""
        self.target_depth = 0
        self.block_depth = 0
        self.cell = ""
        #: Cells that are open: a record in a cell is a part of the record around it.
        self.cell_depth = 0
        #: Depth and title of the parts that are open.
        self.nested: list[tuple[int, str]] = []
        self.link = ""
        self.parts: list[str] = []
        self.is_about = False

    def open(self, tag: str, written: str) -> None:
        attributes = _attributes(written)
        if tag == "time" and self.is_about and len(self.page.times) < MOST_TIMES:
            self._add_time(attributes.get("datetime", ""))
        # Facebook writes the date of a record into a footer.
        is_date = tag == "footer" and self.block is not None
        if tag in SILENT and not is_date and not written.rstrip().endswith("/"):
            self.silent.append(tag)
        if tag == "main" or attributes.get("role") == "main":
            self.is_about = False
        classes = set(attributes.get("class", "").split())
        self.is_about = self.is_about or bool(classes & ABOUT) or tag == "aside"
        if tag in BOXES:
            self.depth += 1
            if classes & RECORD:
                self._start_block()
        if tag == "h1" or (self.block is None and classes & TITLE):
            self._start("title")
        elif self.block is not None:
            self._open_in_block(tag, classes, attributes.get("href", ""))

    def _add_time(self, written: str) -> None:
        if (moment := _header_time(written)) is not None:
            self.page.times.append(moment)

    def _open_in_block(self, tag: str, classes: set[str], link: str) -> None:
        if classes & HEADING:
            self._start("group" if self.nested else "heading")
        elif classes & DATE and not self.cell_depth:
            self._start("date")
        elif tag == "td":
            self.end_target()
            self.cell_depth += 1
            self.cell = next((CELLS[one] for one in CELLS if one in classes), "other")
            if self.cell == "label" and self.block is not None:
                group = next((title for _, title in self.nested if title), "")
                self.block.cells.append((group, "", ""))
        elif tag == "a":
            # A link in a table is one of a bio or a post, never a profile.
            self.link = link
            if not self.cell_depth:
                self._start("link")

    def _start_block(self) -> None:
        """Begin a record, or a part of the record that is open.

        A record after something else than a cell is the next one: nobody is lost on a page with
        an end tag too few.
        """
        is_part = self.block is not None and (self.cell_depth or self.block.is_empty)
        if is_part and len(self.nested) < MOST_NESTED:
            self.end_target()
            self.nested.append((self.depth, ""))
            return
        self.end_block()
        self.block = Block()
        self.block_depth = self.depth

    def _start(self, target: str) -> None:
        self.end_target()
        self.target, self.target_depth, self.parts = target, self.depth, []

    def close(self, tag: str) -> None:
        self.page.is_complete = self.page.is_complete or tag == "html"
        if tag in self.silent:
            while self.silent.pop() != tag:
                pass
        if tag in ("a", "h1", "h2") or (tag in BOXES and self.depth <= self.target_depth):
            self.end_target()
        if tag in ("td", "table"):
            self.cell = ""
            self.cell_depth = max(self.cell_depth - (tag == "td"), 0)
        if tag in BOXES:
            while self.nested and self.depth <= self.nested[-1][0]:
                self.nested.pop()
            if self.block is not None and self.depth <= self.block_depth:
                self.end_block()
            self.depth = max(self.depth - 1, 0)

    def read(self, text: str) -> None:
        plain = html.unescape(text[: 4 * LONGEST_TEXT]).strip()[:LONGEST_TEXT]
        if self.is_about and len(self.page.about) < LONGEST_TEXT:
            self.page.about = f"{self.page.about} {plain}"
        # The heading of the page stands in its header.
        if not plain or (self.silent and self.target != "title") or "style" in self.silent:
            return
        if self.target:
            self.parts.append(plain)
        elif self.block is not None and self.cell:
            self._read_cell(self.block, plain)
        elif self.block is not None and len(self.block.texts) < MORE_THAN_ANY_RECORD:
            self.block.texts.append(plain)

    def _read_cell(self, block: Block, plain: str) -> None:
        """Take a cell's text; older pages write the value into the label's own cell."""
        if self.cell == "other" or not block.cells:
            return
        group, label, value = block.cells[-1]
        if self.cell == "label" and not label:
            block.cells[-1] = (group, plain, value)
        elif not value:
            block.cells[-1] = (group, label, plain)

    def end_target(self) -> None:
        text = " ".join(self.parts)[:LONGEST_TEXT]
        if self.target == "title":
            self.page.heading = self.page.heading or text
        elif self.target == "group" and self.nested:
            self.nested[-1] = (self.nested[-1][0], text)
        elif self.block is not None and self.target == "heading":
            self.block.heading = self.block.heading or text
        elif self.block is not None and self.target == "date":
            self.block.date = self.block.date or text
        elif self.block is not None and self.target == "link":
            self.block.links.append((self.link, text))
        self.target, self.parts = "", []

    def end_block(self) -> None:
        self.end_target()
        if self.block is not None:
            self.page.blocks.append(self.block)
        self.block, self.cell, self.cell_depth, self.nested = None, "", 0, []

    def finish(self) -> Page:
        self.end_block()
        return self.page


def _attributes(written: str) -> dict[str, str]:
    if not written:
        return {}
    return {
        name.lower(): html.unescape(double or single)
        for name, double, single in ATTRIBUTE.findall(written[:LONGEST_ATTRIBUTES])
    }


def _header_time(written: str) -> datetime | None:
    """Return the header's machine-readable time; without a zone it is none."""
    try:
        moment = datetime.fromisoformat(written[:40])
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def sheet_of_page(page: Page, file: str) -> Sheet:
    """Return a page's records in the shape of JSON records; times in UTC, good to the minute.

    Examples
    --------
    >>> block = Block(links=[("https://www.instagram.com/ana.lu", "ana.lu")],
    ...               texts=["Aug 10, 2026 6:32 pm"])
    >>> entry = sheet_of_page(Page(blocks=[block]), "followers_1.html").entries[0]
    >>> entry.value, entry.at.isoformat()
    ('ana.lu', '2026-08-11T02:32:00+00:00')
    """
    sheet = Sheet(
        file, page_time=page.made_at, is_ranged=page.is_ranged, range_start=page.range_start
    )
    for block in page.blocks:
        at = _time_of_block(block)
        sheet.zone_assumed_count += at is not None
        link, text = block.links[0] if block.links else ("", "")
        pairs = tuple(
            Pair(group, label, value)
            for group, label, value in block.cells
            if label and len(value) <= LONGEST_NAME
        )
        # A link of a part is that of a person's bio.
        links = (value for group, _, value in block.cells if not group)
        post = next((value for value in links if value.startswith("https://")), "")
        sheet.entries.append(Entry(file, block.heading, text, link or post, at, pairs, PRECISION_S))
    return sheet


def _time_of_block(block: Block) -> datetime | None:
    if block.date:
        return parse_row_time(block.date)
    # The date is the last text of a record; older pages have it in the last cell.
    cells = (value for _, _, value in reversed(block.cells))
    times = [at for text in (*reversed(block.texts), *cells) if (at := parse_row_time(text))]
    return next((at for at in times if at != MALFORMED), times[0] if times else None)
