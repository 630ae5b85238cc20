"""The runner: only a notebook that ran to its end leaves files, and always the same ones."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from followkit import report
from followkit.errors import InputError, ParameterError, ReportError
from followkit.index import read_reports, read_script, write_index
from followkit.notebooks import (
    check_notebooks,
    check_parameters,
    make_notebook,
    parse_parameters,
    parse_value,
    read_parameters,
    sync_notebooks,
)
from followkit.page import check_page
from followkit.report import ReportResult, render_report, write_all

NOTEBOOKS = Path(__file__).parent / "notebooks"
STOPS = NOTEBOOKS / "stops.ipynb"
DEMO = NOTEBOOKS / "demo.ipynb"


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as context:
        context.setenv("SOURCE_DATE_EPOCH", "1700000000")
        yield context


@pytest.fixture(scope="module")
def demo(patch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> ReportResult:
    folder = tmp_path_factory.mktemp("one") / "reports" / "demo"
    return render_report(DEMO, folder / "demo.html", {"seed": 3})


@pytest.fixture(scope="module")
def stopped(patch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> ReportResult:
    """Return a good report that the failing runs below must leave alone."""
    folder = tmp_path_factory.mktemp("stops")
    parameters = {
        "many": ("a'", "'+str(exec(\"open('/tmp/followkit_ran','w')\"))+'"),
        "limit": np.int64(7),
        "folder": Path("x") / "y",
    }
    return render_report(STOPS, folder / "stops.html", parameters)


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# ------------------------------------------------------------------------------- a good report


def test_a_report_is_complete(demo: ReportResult) -> None:
    folder = demo.page.parent
    assert sorted(files_of(folder)) == [
        "demo.code.html", "demo.html", "summary.json", "tables/census.csv", "tables/people.csv",
    ]  # fmt: skip
    summary = json.loads(demo.summary.read_text("utf-8"))
    assert summary["numbers"] == {"base_rate": 0.025, "count": 8147}
    assert summary["title"] == "Who answers a follow?"
    assert summary["parameters"]["seed"] == 3
    assert summary["parameters"]["data"] == "data/nostr", "as typed"
    assert summary["headline"] in demo.page.read_text("utf-8").replace("\u00a0", " ")
    assert demo.page.stat().st_size < 2_000_000


def test_a_page_follows_the_rules(demo: ReportResult) -> None:
    text = demo.page.read_text("utf-8")
    page = BeautifulSoup(text, "html.parser")
    assert check_page(text) == []
    assert page.html is not None
    assert page.html["lang"] == "en"
    assert [h1.text for h1 in page.find_all("h1")] == ["Who answers a follow?"]
    assert page.title is not None
    assert page.title.text == "Who answers a follow?"
    policy = page.find("meta", attrs={"http-equiv": "Content-Security-Policy"})
    assert policy is not None
    assert "default-src 'none'" in str(policy)
    assert "script-src" not in str(policy)
    assert [a.text for a in page.select("nav a")] == [h2.text for h2 in page.find_all("h2")]
    ids = [str(tag["id"]) for tag in page.find_all(id=True)]
    assert len(set(ids)) == len(ids)
    assert {str(a["href"])[1:] for a in page.select("nav a, a.fk-skip")} <= set(ids)
    assert not re.findall(r"""(?:src|srcset|href)=["']?(?:https?:)?//""", text)
    assert "¶" not in text
    assert not page.select(".fk-code"), "code is folded away"
    assert not re.search(r"\$[^$\n]{1,80}\$", page.get_text())


def test_names_cannot_run(demo: ReportResult) -> None:
    for path in (demo.page, demo.code_page):
        page = BeautifulSoup(path.read_text("utf-8"), "html.parser")
        assert not page.find_all(["script", "iframe", "object", "embed", "link"])
        for tag in page.find_all(True):
            assert not [name for name in tag.attrs if name.lower().startswith("on")]
            assert not str(tag.get("href", "")).lower().startswith("javascript:")
        assert "<img src=x onerror" not in str(page)
        assert "onerror=alert(1)" in page.get_text(), "the name is there, as text"
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", path.read_text("utf-8"))


def test_the_twin_shows_the_code(demo: ReportResult) -> None:
    page = BeautifulSoup(demo.code_page.read_text("utf-8"), "html.parser")
    assert "def draw_census" in "".join(code.text for code in page.select(".fk-code"))
    assert check_page(str(page)) == []


def test_two_runs_give_the_same_bytes(
    demo: ReportResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "77")
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    folder = tmp_path / "reports" / "demo"
    render_report(DEMO, folder / "demo.html", {"seed": 3}, root=tmp_path)
    first, second = files_of(demo.page.parent), files_of(folder)
    assert first.keys() == second.keys()
    for name, content in first.items():
        lines = zip(content.splitlines(), second[name].splitlines(), strict=True)
        assert [one for one, two in lines if one != two] == (
            [b'<p class="fk-made">Made 2023-11-14 22:13 UTC.</p>'] if name.endswith(".html") else []
        ), name


def test_values_arrive_as_values(stopped: ReportResult) -> None:
    text = BeautifulSoup(stopped.page.read_text("utf-8"), "html.parser").get_text()
    assert "limit=7" in text
    assert "choice='a'" in text
    assert f"folder='x{os.sep}y'" in text.replace("\\\\", "\\")
    assert "exec(" in text
    assert not Path("/tmp/followkit_ran").exists()


def test_the_kernel_is_this_interpreter_in_an_empty_folder(stopped: ReportResult) -> None:
    import sys

    text = BeautifulSoup(stopped.page.read_text("utf-8"), "html.parser").get_text()
    assert "('work', [], '0'" in text
    # In parts: a page names no folder of this computer.
    assert repr(sys.executable.split("/")) in " ".join(text.split())
    assert sys.executable not in text


# --------------------------------------------------------------------- runs that must leave nothing

FAILURES = {
    "raises": ("ValueError: no such column: 'at'", 1),
    "exits": ("it left the notebook early", 1),
    "dies": ("Python stopped in the middle", 1),
    "hangs": ("took too long", 1),
    "expects an error": ("ValueError: expected", 1),
    "is bad input": ("follows: follower_id must not be empty; found 2 empty.", 2),
    "cannot fit": ("Nobody followed back (n = 12), so there is nothing to model.", 3),
}


@pytest.mark.parametrize("how", FAILURES)
def test_a_run_that_fails_leaves_nothing(how: str, stopped: ReportResult) -> None:
    sentence, code = FAILURES[how]
    before = files_of(stopped.page.parent)
    limit = 2.0 if how == "hangs" else 60.0
    with pytest.raises(ReportError) as caught:
        render_report(STOPS, stopped.page, {"how": how}, cell_timeout=limit)
    message = str(caught.value)
    assert sentence in message
    assert caught.value.exit_code == code
    assert "stops.ipynb" in message
    assert "no report written" in message
    if how not in ("dies", "hangs"):
        number = 7 if how == "expects an error" else 6
        assert f"cell {number} under “The end”" in message
    assert files_of(stopped.page.parent) == before


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"hwo": "raises"}, "has no parameter 'hwo': did you mean how?"),
        ({"x\n__import__('os').remove('y')": 1}, "has no parameter"),
        ({"how": ("'+str(exec('1'))+'",)}, "how must be text; got"),
        ({"how": {"a"}}, "how must be text; got"),
        ({"how": "\ud800"}, "how must be text; got text that no file can hold"),
        ({"how": b"x"}, "got a bytes"),
        ({"limit": 1.5}, "limit must be a whole number or none; got 1.5"),
        ({"limit": True}, "limit must be a whole number or none; got True"),
        ({"choice": "c"}, "choice must be a or b; got 'c'"),
        ({"many": [{}]}, "got a dict"),
        ({"title": pd.Timestamp("2026-01-01")}, "got a Timestamp"),
    ],
)
def test_wrong_parameters_start_no_kernel(
    given: dict[str, Any], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "_run", lambda *_: pytest.fail("a kernel was started"))
    with pytest.raises(ParameterError) as caught:
        render_report(STOPS, tmp_path / "x.html", given)
    assert sentence in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_all_wrong_parameters_are_named_at_once() -> None:
    schema = parse_parameters("seed: int = 0\nshare: float = 0.5")
    with pytest.raises(ParameterError) as caught:
        check_parameters({"sead": 1, "seed": "x", "share": float("nan")}, schema)
    assert len(str(caught.value).splitlines()) == 3
    assert check_parameters({"share": 1}, schema) == {"share": 1.0}


def test_a_value_cannot_write_itself() -> None:
    class Sly(str):
        def __str__(self) -> str:
            return "harmless"

        def __repr__(self) -> str:
            return "__import__('os')"

    value = check_parameters({"name": Sly("x")}, parse_parameters("name: str = ''"))["name"]
    assert type(value) is str


@pytest.mark.parametrize("name", ["x.txt", "CON.html", "a b.html", ".html", "{s}.html", "é.html"])
def test_odd_output_names_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must end in \.html"):
        render_report(STOPS, tmp_path / name)


def test_a_missing_or_foreign_notebook_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no notebook"):
        render_report(tmp_path / "none.ipynb", tmp_path / "x.html")
    for content in ("", "[]", '{"cells": 3}', '{"worksheets": []}'):
        foreign = tmp_path / "foreign.ipynb"
        foreign.write_text(content, encoding="utf-8")
        with pytest.raises(InputError):
            render_report(foreign, tmp_path / "x.html")


# ----------------------------------------------------------------------------------------- files


def test_a_full_disk_leaves_the_earlier_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = tmp_path / "one.html", tmp_path / "sub" / "two.json"
    write_all({one: b"old", two: b"old"})
    calls = []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ReportError, match="No space left"):
        write_all({one: b"new", two: b"new"})
    assert files_of(tmp_path) == {"one.html": b"old", "sub/two.json": b"old"}


def test_tables_of_an_earlier_report_go(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    for name in ("old", "kept", "mine"):
        (tmp_path / "tables" / f"{name}.csv").write_text("a\n")
    listed = {"tables": ["old", "kept", "../../x"]}
    (tmp_path / "summary.json").write_text(json.dumps(listed))
    assert {path.name for path in report._earlier_tables(tmp_path)} == {"old.csv", "kept.csv"}


# ----------------------------------------------------------------------------------------- index


def test_the_index_lists_reports_and_escapes(tmp_path: Path) -> None:
    for name, title in (("b", "<script>alert(1)</script>"), ("a", "First"), ("c", "No page")):
        (tmp_path / name).mkdir()
        summary = {"title": title, "headline": f"<b>{name}</b>", "page": f"{name}.html",
                   "parameters": {"data": "data/x"}}  # fmt: skip
        (tmp_path / name / "summary.json").write_text(json.dumps(summary))
        if name != "c":
            (tmp_path / name / f"{name}.html").write_text("page")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "summary.json").write_text("{")
    assert [row["href"] for row in read_reports(tmp_path)] == ["a/a.html", "b/b.html"]
    first = write_index(tmp_path).read_bytes()
    assert write_index(tmp_path).read_bytes() == first
    page = BeautifulSoup(first.decode(), "html.parser")
    assert check_page(first.decode(), script=read_script()) == []
    assert [row.th.a.text for row in page.select("tbody tr")] == [  # type: ignore[union-attr]
        "First", "<script>alert(1)</script>",
    ]  # fmt: skip
    assert "Content-Security-Policy" in first.decode()


def test_an_empty_index_is_a_page(tmp_path: Path) -> None:
    assert "0 reports" in write_index(tmp_path).read_text("utf-8")


# ------------------------------------------------------------------------------- notebooks as files


def test_parameters_are_read_without_running(tmp_path: Path) -> None:
    found = read_parameters(STOPS)
    assert list(found) == ["how", "choice", "limit", "many", "folder", "title"]
    assert found["choice"].choices == ("a", "b")
    assert found["limit"].kinds == ("int", "none")
    assert found["how"].help == "in which way it ends"
    trap = parse_parameters('x: str = "a=b # c"  # real = help')
    assert (trap["x"].default, trap["x"].help) == ("a=b # c", "real = help")
    with pytest.raises(InputError, match="line 1 of the parameters cell"):
        parse_parameters("x = open('y')")


@pytest.mark.parametrize(
    ("text", "declared", "value"),
    [
        ("007", "x: str = ''", "007"), ("no", "x: str = ''", "no"), ("12", "x: int = 0", 12),
        ("1e3", "x: float = 0.0", 1000.0), ("no", "x: bool = True", False),
        ("none", "x: int | None = 3", None), ("a, b", "x: list[str] = []", ["a", "b"]),
        ("null", "x: str = ''", "null"),
    ],
)  # fmt: skip
def test_typed_text_becomes_what_the_parameter_is(text: str, declared: str, value: Any) -> None:
    assert parse_value(text, parse_parameters(declared)["x"]) == value


@pytest.mark.parametrize(
    ("text", "declared"), [("1.5", "x: int = 0"), ("1", "x: bool = True"), ("", "x: float = 0.0")]
)
def test_typed_text_of_the_wrong_kind_is_refused(text: str, declared: str) -> None:
    with pytest.raises(ParameterError, match="x must be"):
        parse_value(text, parse_parameters(declared)["x"])


def test_twins_agree_or_it_is_said(tmp_path: Path) -> None:
    twin = tmp_path / "a.py"
    twin.write_text('# %% [markdown]\n# # Title\n\n# %% tags=["parameters"]\nseed: int = 0\n')
    assert sync_notebooks(tmp_path) == [tmp_path / "a.ipynb"]
    assert sync_notebooks(tmp_path) == []
    assert check_notebooks(tmp_path) == []
    assert make_notebook(twin) == make_notebook(twin)
    book = json.loads((tmp_path / "a.ipynb").read_text())
    assert [cell["id"] for cell in book["cells"]] == ["c0", "c1"]
    assert read_parameters(tmp_path / "a.ipynb")["seed"].default == 0
    book["cells"][1]["id"] = "other"
    (tmp_path / "a.ipynb").write_text(json.dumps(book))
    assert check_notebooks(tmp_path) == [], "ids may differ"
    book["cells"][1]["source"] = "seed: int = 1"
    (tmp_path / "a.ipynb").write_text(json.dumps(book))
    (tmp_path / "b.ipynb").write_text(json.dumps(book))
    faults = check_notebooks(tmp_path)
    assert len(faults) == 2
    assert "differs from a.py" in faults[0]
    assert "has no text twin" in faults[1]
