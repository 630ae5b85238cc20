"""Pages in the system's chromium: what they ask for, what they complain of, what axe-core finds.

Nothing here downloads a browser, and no name of a host can be resolved, so nothing leaves the
machine: a page that asks for something outside is seen to ask, and gets nothing.
"""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND",
]  # fmt: skip
SCREEN, PHONE = 1280, 390
#: WCAG 2.2, levels A and AA.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
GRAVE = ("serious", "critical")


@dataclass
class Seen:
    """What happened while a page was open."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    @property
    def outside(self) -> list[str]:
        """Addresses beyond this machine's files that the page asked for."""
        return [url for url in self.requests if not url.startswith(("file:", "data:"))]


@contextmanager
def open_browser() -> Iterator[Any]:
    """Start chromium for as long as the block runs."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def visit(
    browser: Any, path: Path, *, width: int = SCREEN, height: int = 900, dark: bool = False,
    script: bool = True,
) -> Iterator[tuple[Any, Seen]]:  # fmt: skip
    """Open a file as a reader would, and write down what it does."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        java_script_enabled=script,
    )
    try:
        page, seen = context.new_page(), Seen()
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("console", lambda message: seen.complaints.append(message.text))
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.on("dialog", lambda dialog: _dismiss(dialog, seen))
        page.goto(path.as_uri())
        yield page, seen
    finally:
        context.close()


def _dismiss(dialog: Any, seen: Seen) -> None:
    seen.dialogs.append(dialog.message)
    dialog.dismiss()


def run_axe(page: Any) -> list[str]:
    """Return what axe-core finds that is serious or critical: rule, place and why.

    Its script comes in through the debugger, past the page's content security policy.
    """
    from axe_playwright_python.sync_playwright import Axe

    options = {"runOnly": RULES, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{fault['id']} at {' '.join(map(str, node['target']))}: {node['failureSummary']}"
        for fault in found
        if fault["impact"] in GRAVE
        for node in fault["nodes"][:3]
    ]


def wait_until(page: Any, condition: str) -> bool:
    """Look for up to five seconds whether a condition becomes true.

    What playwright brings for this is stopped by the page's own policy.
    """
    return bool(
        page.evaluate(
            "async () => { for (let n = 0; n < 100; n += 1) {"
            f"if ({condition}) return true; await new Promise((go) => setTimeout(go, 50)); }}"
            "return false; }"
        )
    )


def open_folds(page: Any) -> None:
    """Open every folded part, since nothing can be checked in what is not drawn."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")


def read_bookmarks(pdf: bytes) -> list[str]:
    """Return the titles in a PDF's outline, which chromium makes of the headings that it printed.

    A title is text in brackets with escapes, or UTF-16 in hexadecimal digits.
    """
    titles = []
    for plain, coded in re.findall(rb"/Title (?:\(((?:\\.|[^\\()])*)\)|<([0-9A-Fa-f]+)>)", pdf):
        if coded:
            titles.append(bytes.fromhex(coded.decode()).decode("utf-16"))
            continue
        text = re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), plain)
        titles.append(re.sub(rb"\\(.)", rb"\1", text).decode("latin-1"))
    return titles


def read_sheets(pdf: bytes) -> list[str]:
    """Return for each sheet of a PDF of chromium's whether it is "upright" or "sideways"."""
    sizes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    return ["sideways" if float(wide) > float(high) else "upright" for wide, high in sizes]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2 of two colours, `#rrggbb` or `rgb(r, g, b)`."""
    low, high = sorted([_luminance(one), _luminance(other)])
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    if colour.startswith("#"):
        parts = [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
    else:
        parts = [int(part) for part in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
              for c in (part / 255 for part in parts)]  # fmt: skip
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@dataclass(frozen=True)
class Letters:
    """Text in a picture as a reader sees it: its colour on the page's, and its height in pixels."""

    text: str
    contrast: float
    pixels: float


def read_pictures(page: Any) -> list[list[Letters]]:
    """Return the text of every SVG picture in the version that the browser chose."""
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    chosen = page.evaluate(
        "Array.from(document.querySelectorAll('figure img'), (one) => "
        "[one.currentSrc, one.getBoundingClientRect().width])"
    )
    return [_read_letters(uri, width, ground) for uri, width in chosen if "svg+xml" in uri]


def _read_letters(uri: str, width: float, ground: str) -> list[Letters]:
    root = ElementTree.fromstring(base64.b64decode(uri.partition(",")[2]))
    scale = width / float(root.attrib["viewBox"].split()[2])
    found = []
    for element in root.iter("{http://www.w3.org/2000/svg}text"):
        style = element.attrib["style"]
        size, fill = re.search(r"font-size: ([\d.]+)px", style), re.search("fill: (#[^;]+)", style)
        assert size is not None, style
        ink = fill[1] if fill else "#000000"
        letters = "".join(element.itertext())
        found.append(Letters(letters, contrast(ink, ground), float(size[1]) * scale))
    return found
