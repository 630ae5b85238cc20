"""Pages of an Instagram export (HTML) → the same records as its JSON.

A page is one list. Records are recognised by class names, never by the order of boxes: `_a6-g` is
a record, `_a6-h` its heading, `_a6-o` its date, `_a6_q` and `_a6_r` a label and its value. Tags
are found one by one without a tree, so a broken page costs no more time than a sound one.
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
    cells: list[tuple[str, str]] = field(default_factory=list)
    date: str = ""
    #: Texts outside heading, links and table; one of them is the date in the older pages.
    texts: list[str] = field(default_factory=list)


@dataclass
class Page:
    """What a page holds: its heading, its records, and when it was made (UTC)."""

    heading: str = ""
    blocks: list[Block] = field(default_factory=list)
    made_at: datetime | None = None
    has_text: bool = False
    has_main: bool = False
    is_complete: bool = False


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
        If the page does not end (`</html>` is missing), or has text and yet no record: then the
        format has changed, or the page is another. Neither is an empty list; that has an empty
        `<main>`.

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
    if not page.blocks and (page.has_text or not page.has_main):
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
        self.link = ""
        self.parts: list[str] = []

    def open(self, tag: str, written: str) -> None:
        attributes = _attributes(written)
        if tag == "time" and not self.page.made_at:
            self.page.made_at = _header_time(attributes.get("datetime", ""))
        if tag in SILENT and not written.rstrip().endswith("/"):
            self.silent.append(tag)
        if tag == "main" or attributes.get("role") == "main":
            self.page.has_main = True
        classes = attributes.get("class", "").split()
        if tag in BOXES:
            self.depth += 1
            if "_a6-g" in classes:
                self._start_block()
        if tag == "h1":
            self._start("title")
        elif self.block is not None:
            self._open_in_block(tag, classes, attributes.get("href", ""))

    def _open_in_block(self, tag: str, classes: list[str], link: str) -> None:
        if "_a6-h" in classes:
            self._start("heading")
        elif "_a6-o" in classes:
            self._start("date")
        elif tag == "td":
            self.end_target()
            self.cell = next((CELLS[one] for one in classes if one in CELLS), "other")
            if self.cell == "label" and self.block is not None:
                self.block.cells.append(("", ""))
        elif tag == "a":
            # A link in a table is one of a bio or a post, never a profile.
            self.link = link
            if not self.cell:
                self._start("link")

    def _start_block(self) -> None:
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
        if tag in BOXES:
            if self.block is not None and self.depth <= self.block_depth:
                self.end_block()
            self.depth = max(self.depth - 1, 0)

    def read(self, text: str) -> None:
        plain = html.unescape(text[: 4 * LONGEST_TEXT]).strip()[:LONGEST_TEXT]
        # The heading of the page stands in its header.
        if not plain or (self.silent and self.target != "title") or "style" in self.silent:
            return
        self.page.has_text = self.page.has_text or self.target != "title"
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
        label, value = block.cells[-1]
        if self.cell == "label" and not label:
            block.cells[-1] = (plain, value)
        elif not value:
            block.cells[-1] = (label, plain)

    def end_target(self) -> None:
        text = " ".join(self.parts)[:LONGEST_TEXT]
        if self.target == "title":
            self.page.heading = self.page.heading or text
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
        self.block, self.cell = None, ""

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
    sheet = Sheet(file, page_time=page.made_at)
    for block in page.blocks:
        at = _time_of_block(block)
        sheet.zone_assumed_count += at is not None
        link, text = block.links[0] if block.links else ("", "")
        pairs = tuple(
            Pair("", label, value) for label, value in block.cells if len(value) <= LONGEST_NAME
        )
        post = next((value for _, value in block.cells if value.startswith("https://")), "")
        sheet.entries.append(Entry(file, block.heading, text, link or post, at, pairs, PRECISION_S))
    return sheet


def _time_of_block(block: Block) -> datetime | None:
    if block.date:
        return parse_row_time(block.date)
    # The date is the last text of a record; older pages have it in the last cell.
    for text in (*reversed(block.texts), *(value for _, value in reversed(block.cells))):
        if (at := parse_row_time(text)) is not None:
            return at
    return None
