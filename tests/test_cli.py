"""The command line: quick help, one sentence for an error, and the exit codes it promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from followkit import cli
from followkit.errors import CannotFitError, InputError
from followkit.report import ReportResult

NOTEBOOKS = Path(__file__).parent / "notebooks"


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return the calls of the runner, which is not run."""
    calls: list[dict[str, Any]] = []

    def render(notebook: Path, page: Path, given: dict[str, Any], **options: Any) -> ReportResult:
        calls.append({"notebook": notebook, "page": page, "given": given, **options})
        page = page.absolute()
        return ReportResult(page, page, page, (), "t", {"headline": "The answer."})

    monkeypatch.setattr("followkit.report.render_report", render)
    return calls


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from followkit.cli import main\n"
        "assert main(['--help']) == 0\n"
        "heavy = {'pandas', 'numpy', 'matplotlib', 'sklearn', 'scipy', 'duckdb', 'papermill',\n"
        "         'nbconvert', 'IPython', 'jinja2'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for command in ("check", "simulate", "report", "lab"):
        assert command in done.stdout


def test_the_module_runs_like_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "followkit", "chek"], capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.returncode == 2
    assert "No such command 'chek'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (InputError("follows: empty."), 2, "followkit: follows: empty.\n"),
        (CannotFitError("One class only."), 3, "followkit: One class only.\n"),
        (
            ZeroDivisionError("division by zero"),
            1,
            "followkit: this is a bug: ZeroDivisionError: division by zero. "
            "Run again with --traceback to see where.\n",
        ),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_errors_end_as_one_sentence(
    error: BaseException,
    code: int,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(name: str) -> Path:
        raise error

    monkeypatch.setattr("followkit.sources.find_data", fail)
    assert cli.main(["check", "anything"]) == code
    assert capsys.readouterr().err == sentence
    if code != 130:
        assert cli.main(["check", "anything", "--traceback"]) == code
        assert "Traceback (most recent call last)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["report", "--seed", "x"], "Invalid value for '--seed'"),
        (["report", "none.ipynb"], "There is no notebook none.ipynb; valid: "),
        (["report", "latencies"], "did you mean latency?"),
        (["report", str(NOTEBOOKS / "demo.ipynb"), "-p", "sead", "1"], "did you mean seed?"),
        (["report", str(NOTEBOOKS / "demo.ipynb"), "-p", "seed", "1.5"], "seed must be a whole"),
        (["check"], "Missing argument"),
        (["check", "no/such/data"], "no/such/data"),
    ],
)
def test_bad_words_are_bad_input(
    words: list[str],
    sentence: str,
    rendered: list[dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(words) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert "Traceback" not in error
    assert not rendered


def test_report_passes_only_what_was_typed(
    rendered: list[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    notebook = str(NOTEBOOKS / "demo.ipynb")
    words = ["report", notebook, "--data", "007", "-p", "share", "0.5", "-p", "question=a=b",
             "--out", "elsewhere/town"]  # fmt: skip
    assert cli.main(words) == 0
    assert rendered[0]["given"] == {"data": "007", "share": 0.5, "question": "a=b"}
    assert rendered[0]["page"].as_posix() == "elsewhere/town/town.html"
    assert capsys.readouterr().out.splitlines()[-1] == "The answer."
    assert not (tmp_path / "elsewhere").exists(), "an index is written in reports/ only"
    (tmp_path / "reports").mkdir()
    assert cli.main(["report", notebook, "--show-names", "--out", "reports/town"]) == 0
    assert rendered[1]["given"] == {"show_names": True}
    assert (tmp_path / "reports" / "index.html").exists()


def test_a_hostile_table_is_printed_as_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pd.DataFrame({"name": ["[red]x[/red]", "a\x1b[31mb", None], "rows": [8147, 2, 3]})
    dataset = SimpleNamespace(quality=frame, about={})
    monkeypatch.setattr("followkit.sources.find_data", Path)
    monkeypatch.setattr("followkit.sources.load_dataset", lambda path, *, mapping: dataset)
    monkeypatch.setattr("followkit.sources.describe_dataset", lambda _: frame)
    questions = {"follow_back": "", "late_answer": "needs two crawls"}
    monkeypatch.setattr("followkit.dyads.find_questions", lambda _: questions)
    assert cli.main(["check", "x"]) == 0
    out = capsys.readouterr().out
    assert "[red]x[/red]" in out
    assert "\x1b[31m" not in out
    assert "8,147" in out
    assert "follow_back: can be answered" in out
    assert "late_answer: needs two crawls" in out


def test_lab_opens_the_notebooks(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr("followkit.cli.subprocess.call", lambda words: started.append(words) or 0)
    monkeypatch.setattr(cli, "find_notebook", lambda _: Path("x/notebooks/report/a.ipynb"))
    assert cli.main(["lab"]) == 0
    assert started == [[sys.executable, "-m", "jupyterlab", str(Path("x/notebooks"))]]


def test_the_standard_notebook_is_found_from_below(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tmp_path / cli.NOTEBOOKS / "follow_back.ipynb"
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    made.parent.mkdir(parents=True)
    made.write_text("{}")
    monkeypatch.chdir(below)
    assert cli.find_notebook("") == made
    assert cli.find_notebook("follow_back") == made
    assert cli.find_notebook("follow_back.ipynb") == made
