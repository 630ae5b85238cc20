"""From an executed notebook to one offline page: nbconvert with followkit's own template.

What nbconvert leaves is put in order here, in Python, since most pages run no script: one h1,
headings without gaps, sections, a contents list, numbers for figures and tables; and whatever
could run or load is taken out.
The page's content security policy is the second wall. A table may ask for one of followkit's own
scripts; the policy then names that script by its hash, and nothing else can run.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup, Tag
from bs4.element import Script

from followkit.record import clean

TEMPLATES = Path(__file__).parent / "templates"
NO_ALT = "No description has been provided for this image"
#: What a table may ask for by `data-script` → the file among the templates. A page carries one.
SCRIPTS = {"people": "people.js"}

_FORBIDDEN = ("script", "iframe", "object", "embed", "link", "base", "form", "frame", "applet",
              "portal", "template", "noscript")  # fmt: skip
_URLS = ("href", "src", "srcset", "action", "formaction", "data", "poster", "xlink:href", "ping",
         "background")  # fmt: skip
_RUNS = re.compile(r"^\s*(javascript|vbscript|data:text)", re.IGNORECASE)


@dataclass(frozen=True)
class PageText:
    """What a page says beside the notebook's own content.

    Attributes
    ----------
    title
        Its h1 and title.
    kicker
        A short line above the h1.
    command
        How to make the page again.
    versions, made
        Of the software; and when, on a line of its own.
    links
        `(label, address)` of files beside the page.
    has_code
        Whether code and warnings are shown.
    """

    title: str
    kicker: str = ""
    command: str = ""
    versions: str = ""
    made: str = ""
    links: tuple[tuple[str, str], ...] = ()
    has_code: bool = False


def make_page(book: Any, text: PageText) -> str:
    """Return the page of an executed notebook.

    Parameters
    ----------
    book
        The notebook (`nbformat` node), all cells run.
    text
        Title, footer and whether code is shown.
    """
    from nbconvert.exporters import HTMLExporter

    exporter = HTMLExporter(
        template_name="followkit",
        extra_template_basedirs=[str(TEMPLATES)],
        exclude_input=not text.has_code,
        exclude_anchor_links=True,
    )
    raw, _ = exporter.from_notebook_node(book, resources={"page": text})
    # Control characters reach the page through tables that nobody wrapped.
    soup = BeautifulSoup(clean(raw), "html.parser")
    take_out_what_runs(soup)
    _order_headings(soup)
    _make_sections(soup)
    _frame_loose_tables(soup)
    _number_figures(soup)
    _number_tables(soup)
    _add_script(soup)
    return str(soup)


def find_title(book: Any) -> str:
    """Return the text of the first h1 of a notebook's own text, or ""."""
    for cell in book.cells:
        if cell.cell_type == "markdown":
            for line in cell.source.splitlines():
                if line.startswith("# "):
                    return str(line[2:].strip())
    return ""


def take_out_what_runs(soup: BeautifulSoup) -> None:
    """Take out scripts, frames, handlers and links that run; keep only pictures inside the page.

    Examples
    --------
    >>> soup = BeautifulSoup('<p onclick="x()">a<script>x()</script></p>', "html.parser")
    >>> take_out_what_runs(soup)
    >>> str(soup)
    '<p>a</p>'
    """
    for element in soup.find_all(_FORBIDDEN):
        element.decompose()
    for element in soup.find_all(["meta", "style", "title"]):
        if not element.find_parent("head"):
            element.decompose()
    for element in soup.find_all(True):
        for name in list(element.attrs):
            value = str(element.attrs[name])
            loads = name in ("src", "srcset", "poster", "background") and not value.startswith(
                "data:image/"
            )
            hidden = _RUNS.match(re.sub(r"[\x00-\x20]", "", value)) and name.lower() in _URLS
            styled = name == "style" and "url(" in value.lower()
            if name.lower().startswith("on") or loads or hidden or styled:
                del element.attrs[name]


def read_script(name: str) -> str:
    """Return the text of one of followkit's own scripts.

    Examples
    --------
    >>> read_script("people").splitlines()[0]
    '"use strict";'
    """
    return (TEMPLATES / "followkit" / SCRIPTS[name]).read_text(encoding="utf-8")


def find_script(page: str) -> str:
    """Return the script of followkit's own that a page carries, or "": the one it may have.

    Examples
    --------
    >>> find_script("<p>text</p><script>strange()</script>")
    ''
    >>> find_script(f"<script>{read_script('people')}</script>") == read_script("people")
    True
    """
    known = (read_script(name) for name in SCRIPTS)
    return next((text for text in known if f"<script>{text}</script>" in page), "")


def _add_script(soup: BeautifulSoup) -> None:
    """Add the script that a table asks for, and let the policy allow it by its hash alone."""
    asking = soup.select("main table[data-script]")
    names = [name for name in SCRIPTS if name in {str(one["data-script"]) for one in asking}]
    policy = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})
    if not names or not isinstance(policy, Tag) or soup.body is None:
        return
    text = read_script(names[0])
    digest = base64.b64encode(sha256(text.encode()).digest()).decode()
    policy["content"] = f"{policy['content']}; script-src 'sha256-{digest}'"
    element = soup.new_tag("script")
    # Unlike other text, this must not be escaped: its hash would be another.
    element.append(Script(text))
    soup.body.append(element)


def _order_headings(soup: BeautifulSoup) -> None:
    """Keep the page's h1 only, and let no level be skipped."""
    main = soup.find("main")
    if not isinstance(main, Tag):
        return
    title = soup.find("h1")
    first = main.find("h1")
    if isinstance(first, Tag) and not _has_headings_before(first, main):
        first.decompose()
    previous = 1
    taken: set[str] = {"main"}
    for element in main.find_all(re.compile("^h[1-6]$")):
        level = min(max(int(element.name[1]), 2), previous + 1)
        element.name, previous = f"h{level}", level
        element.attrs["id"] = _slug(element.get_text(), taken)
    if isinstance(title, Tag):
        title.attrs.pop("id", None)


def _has_headings_before(first: Tag, main: Tag) -> bool:
    return main.find(re.compile("^h[1-6]$")) is not first


def _slug(text: str, taken: set[str]) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    start = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60] or "section"
    name, number = start, 2
    while name in taken:
        name, number = f"{start}-{number}", number + 1
    taken.add(name)
    return name


def _make_sections(soup: BeautifulSoup) -> None:
    """Wrap the opening, and each h2 with what follows it; list the sections in the contents."""
    main, contents = soup.find("main"), soup.find("nav")
    if not isinstance(main, Tag) or not isinstance(contents, Tag):
        return
    part = soup.new_tag("div", attrs={"class": "fk-opening"})
    parts, entries = [part], []
    for child in list(main.children):
        if isinstance(child, Tag) and child.name == "h2":
            name = str(child["id"])
            part = soup.new_tag("section", attrs={"aria-labelledby": name})
            parts.append(part)
            entries.append((name, child.get_text()))
        part.append(child.extract())
    main.extend(parts)
    contents.extract()
    if len(entries) > 1:
        _fill_contents(soup, contents, entries)
        parts[0].insert_after(contents)


def _fill_contents(soup: BeautifulSoup, contents: Tag, entries: list[tuple[str, str]]) -> None:
    title = soup.new_tag("p")
    title.string = "Contents"
    items = soup.new_tag("ol")
    for name, label in entries:
        item, link = soup.new_tag("li"), soup.new_tag("a", attrs={"href": f"#{name}"})
        link.string = label
        item.append(link)
        items.append(item)
    contents.extend([title, items])


def _frame_loose_tables(soup: BeautifulSoup) -> None:
    """Give tables that nobody wrapped a box that scrolls, so that the page never does."""
    for found in soup.find_all("table"):
        parent = found.find_parent("div", class_="fk-scroll")
        if parent is None:
            found.attrs.pop("border", None)
            box = soup.new_tag("div", attrs={"class": "fk-scroll", "tabindex": "0"})
            found.wrap(box)
        for header in found.find_all("th"):
            if "scope" not in header.attrs:
                in_head = header.find_parent("thead") is not None
                header.attrs["scope"] = "col" if in_head else "row"


def _number_figures(soup: BeautifulSoup) -> None:
    """Number the figures in reading order, in words that every reader gets, on paper too."""
    for number, found in enumerate(soup.select("main figure"), start=1):
        caption = found.find("figcaption")
        if not isinstance(caption, Tag):
            caption = soup.new_tag("figcaption")
            found.append(caption)
        _put_number(soup, caption, f"Figure {number}")


def _number_tables(soup: BeautifulSoup) -> None:
    """Number the tables that have a caption; a folded part says which tables it holds."""
    numbers: dict[int, int] = {}
    for number, caption in enumerate(soup.select("main table > caption"), start=1):
        _put_number(soup, caption, f"Table {number}")
        numbers[id(caption)] = number
        box = caption.find_parent("div", class_="fk-scroll")
        if isinstance(box, Tag):
            box.attrs["aria-label"] = caption.get_text()
    for folded in soup.select("main details"):
        inside = [numbers[id(caption)] for caption in folded.select("table > caption")]
        summary = folded.find("summary")
        if inside and isinstance(summary, Tag):
            summary.append(f" ({_name_tables(inside[0], inside[-1])})")


def _name_tables(first: int, last: int) -> str:
    if first == last:
        return f"Table {first}"
    return f"Tables {first} {'and' if last == first + 1 else 'to'} {last}"


def _put_number(soup: BeautifulSoup, caption: Tag, label: str) -> None:
    mark = soup.new_tag("span", attrs={"class": "fk-number"})
    mark.string = f"{label}."
    if caption.get_text(strip=True):
        caption.insert(0, " ")
    caption.insert(0, mark)


def check_page(page: str, *, script: str = "") -> list[str]:
    """Return a sentence for everything that a page must not have: the last look before it is kept.

    One h1, headings in order, words for every picture, nothing loaded, and nothing that runs but
    the one script that is given.
    """
    soup = BeautifulSoup(page, "html.parser")
    faults = []
    levels = [int(element.name[1]) for element in soup.find_all(re.compile("^h[1-6]$"))]
    if levels.count(1) != 1:
        faults.append(f"the page has {levels.count(1)} main headings instead of one")
    if any(after > before + 1 for before, after in pairwise(levels)):
        faults.append("a heading level is skipped")
    silent = [img for img in soup.find_all("img") if img.get("alt") in (None, "", NO_ALT)]
    if silent:
        faults.append(
            f"{len(silent)} picture(s) have no alt text; use followkit.html.figure(…, alt=…)"
        )
    running = [element for element in soup.find_all(_FORBIDDEN) if element.string != script]
    if running or len(soup.find_all("script")) > bool(script):
        faults.append("something in the page could run")
    return faults
