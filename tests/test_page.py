"""A page loads nothing, runs nothing, fits a phone: looked at with a browser where there is one."""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from followkit import html
from followkit.page import PageText, check_page, make_page
from followkit.record import TABLES_MIME

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND"]  # fmt: skip
HOSTILE = (
    '<img src="http://outside.invalid/a.png" onerror="document.title=1">'
    "<script>document.title='ran'</script>"
    "<script src='https://outside.invalid/x.js'></script>"
    "<link rel=stylesheet href='https://outside.invalid/x.css'>"
    "<iframe src='https://outside.invalid/'></iframe>"
    "<p style='background:url(https://outside.invalid/y.png)' onclick='x()'>kept</p>"
    "<a href=' java&#10;script:alert(1)'>link</a><form action='https://outside.invalid'></form>"
    "<style>body{background:url(https://outside.invalid/z.png)}</style>"
    "<meta http-equiv=refresh content='0;url=https://outside.invalid'>"
)


def code(*outputs: html.Shown | html.Summary, tags: tuple[str, ...] = ()) -> nbformat.NotebookNode:
    cell = nbformat.v4.new_code_cell("made = 1  # code\n", metadata={"tags": list(tags)})
    for shown in outputs:
        data = {"text/html": shown._repr_html_()}
        assert TABLES_MIME not in data
        cell.outputs.append(nbformat.v4.new_output("display_data", data=data))
    return cell


def book() -> nbformat.NotebookNode:
    """Return a notebook with every piece, hostile text, a very wide table and skipped headings."""
    wide = pd.DataFrame({f"a_rather_long_column_{n}": [n * 1000.5] for n in range(14)})
    long = pd.DataFrame({"handle": ["x" * 300], "count": [1]})
    cells = [
        nbformat.v4.new_markdown_cell("# The notebook's own title\n\nAn opening."),
        code(html.lead("One in forty."), html.key_numbers(("2.5 %", "answered"))),
        nbformat.v4.new_markdown_cell("## First\n\n#### Too deep\n\n# Too high\n"),
        code(html.figure(lambda ax: ax.plot([1, 2]), alt="A line that rises.", caption="Up.")),
        code(html.table(wide, "Wide"), html.table(long, "Long", names=["handle"])),
        nbformat.v4.new_markdown_cell(f"## Second\n\n{HOSTILE}\n\n`{'long' * 60}`"),
        code(html.Shown(HOSTILE), html.callout("Careful.", "caution"), html.details("m", "x" * 99)),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"c{number}"
    stream = nbformat.v4.new_output("stream", name="stderr", text="a warning")
    cells[1].outputs.append(stream)
    return nbformat.v4.new_notebook(cells=cells)


TEXT = PageText(title="Who <answers>?", kicker="k", command="followkit report " + "x" * 200)


@pytest.fixture(scope="module")
def page() -> str:
    return make_page(book(), TEXT)


def test_headings_are_put_in_order(page: str) -> None:
    soup = BeautifulSoup(page, "html.parser")
    levels = [(tag.name, tag.text) for tag in soup.find_all(re.compile("^h[1-6]$"))]
    assert levels == [
        ("h1", "Who <answers>?"), ("h2", "First"), ("h3", "Too deep"), ("h2", "Too high"),
        ("h2", "Second"),
    ]  # fmt: skip
    assert [tag["href"] for tag in soup.select("nav a")] == ["#first", "#too-high", "#second"]
    assert [tag["aria-labelledby"] for tag in soup.find_all("section")] == [
        "first", "too-high", "second",
    ]  # fmt: skip


def test_what_could_run_or_load_is_taken_out(page: str) -> None:
    soup = BeautifulSoup(page, "html.parser")
    body = str(soup.body)
    assert "outside.invalid" not in body
    assert "document.title" not in body
    assert soup.body is not None
    assert not soup.body.find_all(["script", "link", "iframe", "form", "style", "meta"])
    assert body.count("kept") == 2
    assert not [a for a in soup.find_all("a") if "script" in str(a.get("href"))]
    # Two pictures of the hostile text have lost their source and never had words.
    assert check_page(page) == [
        "2 picture(s) have no alt text; use followkit.html.figure(…, alt=…)"
    ]


def test_warnings_are_shown_beside_the_code_only(page: str) -> None:
    from dataclasses import replace

    with_code = make_page(book(), replace(TEXT, has_code=True))
    assert "a warning" in with_code
    assert "made" in with_code
    assert "a warning" not in page
    assert 'class="fk-code"' not in page


def test_figures_and_tables_are_numbered_in_order(page: str) -> None:
    soup = BeautifulSoup(page, "html.parser")
    assert [found.text for found in soup.find_all("figcaption")] == ["Figure 1. Up."]
    assert [found.text for found in soup.find_all("caption")] == ["Table 1. Wide", "Table 2. Long"]
    boxes = [found.get("aria-label") for found in soup.select(".fk-scroll:has(caption)")]
    assert boxes == ["Table 1. Wide", "Table 2. Long"]


def test_a_folded_part_says_which_tables_it_holds() -> None:
    frame = pd.DataFrame({"state": ["mutual"], "count": [3]})
    one, two, three = (html.table(frame, name) for name in ("a", "b", "c"))
    parts = [
        html.details("One", one),
        html.details("More", two, three, one),
        html.details("No", "x"),
    ]
    cells = [nbformat.v4.new_markdown_cell("# Title"), code(html.show(two, *parts)),
             code(html.Shown(html.figure_html(lambda ax: ax.plot([1, 2]), "A line.")))]  # fmt: skip
    soup = BeautifulSoup(make_page(nbformat.v4.new_notebook(cells=cells), TEXT), "html.parser")
    assert [found.text for found in soup.find_all("summary")] == [
        "One (Table 2)", "More (Tables 3 to 5)", "No",
    ]  # fmt: skip
    assert [found.text for found in soup.find_all("figcaption")] == ["Figure 1."]


# ------------------------------------------------------------------------------------- the browser


def run_browser(folder: Path, content: str, *flags: str) -> str:
    target = folder / "page.html"
    target.write_text(content, encoding="utf-8")
    words = [
        str(CHROMIUM),
        *FLAGS,
        f"--user-data-dir={folder / 'profile'}",
        *flags,
        target.as_uri(),
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=120)
    shutil.rmtree(folder / "profile", ignore_errors=True)
    return done.stdout


def outside_requests(log: Path) -> list[str]:
    """Return what the page asked for; what the browser asks for itself has no origin."""
    found = set()
    for event in json.loads(log.read_text("utf-8"))["events"]:
        details = event.get("params", {})
        if details.get("initiator", "not an origin") != "not an origin":
            found.add(str(details.get("url", "")))
    return sorted(url for url in found if not url.startswith(("file:", "data:")))


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
class TestBrowser:
    def test_nothing_is_asked_for_outside(self, page: str, tmp_path: Path) -> None:
        log = tmp_path / "net.json"
        run_browser(tmp_path, page, f"--log-net-log={log}", "--dump-dom")
        assert outside_requests(log) == []

    def test_the_log_would_show_a_request(self, tmp_path: Path) -> None:
        log = tmp_path / "net.json"
        careless = '<img src="http://outside.invalid/a.png">'
        run_browser(tmp_path, careless, f"--log-net-log={log}", "--dump-dom")
        assert outside_requests(log) == ["http://outside.invalid/a.png"]

    def test_the_policy_is_a_second_wall(self, page: str, tmp_path: Path) -> None:
        log = tmp_path / "net.json"
        broken_into = page.replace("</main>", HOSTILE.partition("<meta")[0] + "</main>")
        dom = run_browser(tmp_path, broken_into, f"--log-net-log={log}", "--dump-dom")
        assert "<title>Who &lt;answers&gt;?</title>" in dom
        assert outside_requests(log) == []

    @pytest.mark.parametrize("width", [390, 1280])
    def test_the_page_never_scrolls_sideways(self, page: str, width: int, tmp_path: Path) -> None:
        # Only the copy that is measured may run a script; a frame can be narrower than a window.
        measured = re.sub(r"<meta[^>]*Content-Security-Policy[^>]*>", "", page)
        probe = (
            "<script>onload=()=>{const d=document.documentElement,"
            "img=document.querySelector('picture img');"
            "parent.document.title=[innerWidth,d.scrollWidth,img.naturalWidth>0,"
            "document.querySelector('.fk-scroll').scrollWidth].join(' ')}</script></body>"
        )
        inside = html.esc(measured.replace("</body>", probe))
        frame = f'<title></title><iframe width="{width}" height="900" srcdoc="{inside}"></iframe>'
        dom = run_browser(tmp_path, frame, "--window-size=1400,1000", "--dump-dom")
        found = re.search("<title>(.*?)</title>", dom)
        assert found is not None
        inner, whole, drawn, table = found[1].split()
        assert (int(inner), drawn) == (width, "true")
        assert int(whole) <= width
        assert int(table) > 390, "the wide table scrolls in its own box"

    def test_it_follows_the_readers_light_and_dark(self, page: str, tmp_path: Path) -> None:
        corners = {}
        for scheme, setting in (("dark", 0), ("light", 1)):
            shot = tmp_path / f"{scheme}.png"
            run_browser(tmp_path, page, f"--blink-settings=preferredColorScheme={setting}",
                        "--window-size=800,300", f"--screenshot={shot}")  # fmt: skip
            corners[scheme] = first_pixel(shot.read_bytes())
        assert max(corners["dark"]) < 50
        assert min(corners["light"]) > 230


def first_pixel(png: bytes) -> tuple[int, ...]:
    """Return the colour of a PNG's first pixel (8 bits; any filter leaves it as it is)."""
    place, data, depth = 8, b"", 0
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        kind, body = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        depth = body[8] if kind == b"IHDR" else depth
        data += body if kind == b"IDAT" else b""
        place += 12 + length
    assert depth == 8
    return tuple(zlib.decompress(data)[1:4])
