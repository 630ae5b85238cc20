"""Run a report notebook and write its page: everything, or nothing at all.

papermill reports success for notebooks that stopped early or whose kernel died, and takes any name
as a parameter. Here parameters are checked against the notebook's own cell before a kernel starts,
every cell must have completed, and files appear only when all of them are ready.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import re
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from followkit import __version__, errors
from followkit.errors import FollowkitError, InputError, ReportError
from followkit.kernels import ForkServer, kernel_manager
from followkit.locks import PART, hold
from followkit.notebooks import (
    STANDARD,
    Parameter,
    cell_source,
    check_parameters,
    read_cells,
    read_parameters,
)
from followkit.page import PageText, check_page, find_script, find_title, make_page
from followkit.record import PARAMETERS_MIME, SUMMARY_MIME, TABLES_MIME, clean
from followkit.sharing import (
    hide_folders,
    hide_in_code,
    hide_in_command,
    hide_in_outputs,
    list_folders,
    make_command,
    show_parameters,
)

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

SUMMARY = "summary.json"
CELL_SECONDS = 900
TOTAL_SECONDS = 3600

_TABLE_NAME = r"[a-z0-9][a-z0-9_]{0,59}"
# Names that Windows keeps for devices.
_RESERVED = {"con", "prn", "aux", "nul"}
_RESERVED |= {f"{port}{number}" for port in ("com", "lpt") for number in range(10)}


@dataclass(frozen=True)
class ReportResult:
    """What a finished report consists of.

    Attributes
    ----------
    page, code_page, summary
        The three files; the second shows the code too.
    tables
        The CSV files.
    title, numbers
        The page's title; the numbers that the notebook recorded.
    """

    page: Path
    code_page: Path
    summary: Path
    tables: tuple[Path, ...]
    title: str
    numbers: Mapping[str, Any] = field(default_factory=dict)


def render_report(
    notebook: str | Path,
    output: str | Path,
    parameters: Mapping[str, Any] | None = None,
    *,
    timeout: float = TOTAL_SECONDS,
    cell_timeout: float = CELL_SECONDS,
    root: str | Path | None = None,
    command: str = "",
    server: ForkServer | None = None,
) -> ReportResult:
    """Run a notebook with parameters and write `output` with its companions, or write nothing.

    Parameters
    ----------
    notebook
        The `.ipynb` file, with one cell tagged `parameters`.
    output
        The page to write, ending in `.html`; an earlier one is replaced only by a complete one.
        Beside it appear `<name>.code.html`, `summary.json` and `tables/*.csv`.
    parameters
        Values for the notebook's parameters; the others keep the notebook's own.
    timeout, cell_timeout
        Seconds for the whole notebook, and for each cell.
    root
        Where relative data paths start; the working folder without it.
    command
        How to repeat the report, for its footer; made from the parameters without it. Where it
        gives parameters as `-p NAME VALUE`, they stand there as in the rest of the report.
    server
        Where to fork the kernel from; one is started anew without it.

    Raises
    ------
    ParameterError
        Unknown names, wrong types.
    InputError
        No such notebook, or no usable output name.
    ReportError
        The notebook did not run to its end. Its `exit_code` is that of the `FollowkitError` that
        stopped the notebook, if one did.
    """
    source, page = Path(notebook), _output_path(Path(output))
    schema = read_parameters(source)
    values = check_parameters(parameters or {}, schema, source.name)
    begun = time.monotonic()
    place = Path(root or Path.cwd()).absolute()
    manager = kernel_manager(place, server)
    with hold(page.parent):
        book = _run(source, values, timeout, cell_timeout, manager)
        return _write(book, source, page, values, schema, command, begun, place)


def _write(
    book: Any,
    source: Path,
    page: Path,
    values: Mapping[str, Any],
    schema: Mapping[str, Parameter],
    command: str,
    begun: float,
    root: Path,
) -> ReportResult:
    """Write a finished notebook's page and companions, all or none."""
    numbers, tables, said = _take_outputs(book, source.name)
    shown = show_parameters(values, schema, said, root)
    hide_in_code(book, values, schema, shown, root)
    folders = list_folders(root)
    hide_in_outputs(book, folders)
    numbers, tables = hide_folders(numbers, folders), hide_folders(tables, folders)
    title = clean(shown.get("title") or find_title(book) or source.stem)
    text = PageText(
        title=title,
        kicker="followkit report",
        command=hide_in_command(command, values, shown) or make_command(
            source.stem if source.stem != STANDARD else "",
            {name: shown[name] for name in schema if name in values},
            f"{page.parent.parent.name}/{page.parent.name}",
        ),
        versions=_versions(),
        made=_made(time.monotonic() - begun),
        links=((("This page with its code", f"{page.stem}.code.html"),
                ("Its numbers", SUMMARY))),
    )  # fmt: skip
    pages = _make_pages(book, text, page, source.name)
    summary = {
        "title": title,
        "headline": numbers.get("headline", ""),
        "page": page.name,
        "followkit": __version__,
        "parameters": shown,
        "numbers": {key: value for key, value in numbers.items() if key != "headline"},
        "tables": sorted(tables),
    }
    files = {_table_path(page.parent, name): table for name, table in tables.items()}
    code_page, summary_file = page.with_name(f"{page.stem}.code.html"), page.with_name(SUMMARY)
    written = {**files, code_page: pages[1], summary_file: _json(summary), page: pages[0]}
    earlier = _earlier_tables(page.parent)
    write_all({path: content.encode("utf-8") for path, content in written.items()})
    for path in earlier - set(files):
        path.unlink(missing_ok=True)
    return ReportResult(page, code_page, summary_file, tuple(files), title, numbers)


def _output_path(output: Path) -> Path:
    stem = output.stem
    plain = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}", stem)
    if output.suffix != ".html" or not plain or stem.lower() in _RESERVED:
        raise InputError(
            f"A report's file must end in .html and have a name of letters, digits, - and _ "
            f"(at most 60); got {clean(output.name)!r}."
        )
    return output.absolute()


# ------------------------------------------------------------------------------------- the kernel


def _run(
    source: Path,
    values: Mapping[str, Any],
    timeout: float,
    cell_timeout: float,
    manager: type[AsyncKernelManager],
) -> Any:
    """Run the notebook in a kernel of this interpreter, in an empty folder; return it complete."""
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    cells = read_cells(source)
    end = time.monotonic() + timeout
    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="followkit-") as folder:
        # papermill would fill braces in a path and fetch addresses: it gets a copy, plainly named.
        copy, work = Path(folder, "report.ipynb"), Path(folder, "work")
        copy.write_bytes(source.read_bytes())
        work.mkdir()
        try:
            book = papermill.execute_notebook(
                str(copy), None, dict(values), kernel_name="python3", progress_bar=False,
                resources={"metadata": {"path": str(work)}},
                kernel_manager_class=manager,
                timeout_func=lambda _: max(1, min(cell_timeout, end - time.monotonic())),
            )  # fmt: skip
        except PapermillExecutionError as error:
            raise _stopped(error, cells, source.name, has_values=bool(values)) from None
        except CellTimeoutError:
            limit = f"{cell_timeout:,.0f} seconds a cell, {timeout:,.0f} in all"
            raise ReportError(
                f"{source.name} took too long ({limit}); no report written."
            ) from None
        except DeadKernelError:
            raise ReportError(
                f"{source.name}: Python stopped in the middle, perhaps out of memory; "
                f"no report written."
            ) from None
    _require_complete(book, cells, source.name)
    for number, cell in enumerate(book.cells):
        cell["id"] = f"c{number}"
    return book


def _require_complete(book: Any, cells: list[dict[str, Any]], name: str) -> None:
    """Raise unless every code cell ran to its end: `sys.exit(0)` counts as a failure."""
    for position, cell in enumerate(book.cells):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        errors_ = [output for output in cell.outputs if output.output_type == "error"]
        status = cell.metadata.get("papermill", {}).get("status")
        if status != "completed" or errors_ or cell.execution_count is None:
            cause = "it left the notebook early"
            if errors_ and errors_[0].ename != "SystemExit":
                cause = f"{errors_[0].ename}: {errors_[0].evalue}"
            place = _place(cells, _original(position, book.cells))
            raise ReportError(f"{name}, {place}: {clean(cause)}; no report written.")


def _stopped(
    error: Any, cells: list[dict[str, Any]], name: str, *, has_values: bool
) -> ReportError:
    """Turn an exception in a cell into one sentence with the exit code that it deserves."""
    kind = getattr(errors, str(error.ename), None)
    known = isinstance(kind, type) and issubclass(kind, FollowkitError)
    # papermill puts a cell of its own behind the parameters, if there are values to put there.
    injected = int(has_values and error.cell_index > _parameters_position(cells))
    place = _place(cells, max(0, int(error.cell_index) - injected))
    message = clean(str(error.evalue).strip() or "no message")
    if known:
        raised = ReportError(f"{message}\n({name}, {place}; no report written.)")
        raised.exit_code = kind.exit_code  # type: ignore[union-attr]
        return raised
    return ReportError(f"{name}, {place}: {error.ename}: {message}; no report written.")


def _parameters_position(cells: list[dict[str, Any]]) -> int:
    tags = [cell.get("metadata", {}).get("tags", []) for cell in cells]
    return next((n for n, tag in enumerate(tags) if "parameters" in tag), -1)


def _original(position: int, cells: Iterable[Any]) -> int:
    """Return the position that a cell had before papermill put its own cell in."""
    before = list(cells)[: position + 1]
    extra = sum("injected-parameters" in cell.metadata.get("tags", []) for cell in before)
    return max(0, position - extra)


def _place(cells: list[dict[str, Any]], position: int) -> str:
    """Name a cell by its number and the heading above it."""
    heading = ""
    for cell in cells[: position + 1]:
        if cell.get("cell_type") == "markdown":
            found = re.findall(r"^#{1,6}\s+(.+)$", cell_source(cell), flags=re.MULTILINE)
            heading = clean(found[-1].strip()) if found else heading
    return f"cell {position + 1}" + (f" under “{heading}”" if heading else "")


# ------------------------------------------------------------------------------------- the outputs


def _take_outputs(book: Any, name: str) -> tuple[dict[str, Any], dict[str, str], dict[str, Any]]:
    """Take recorded numbers, tables and the names that parameters go by out of the notebook."""
    numbers: dict[str, Any] = {}
    tables: dict[str, str] = {}
    said: dict[str, Any] = {}
    for cell in book.cells:
        kept = []
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            found = data.pop(SUMMARY_MIME, None)
            said |= data.pop(PARAMETERS_MIME, {})
            for key, value in (found or {}).items():
                if numbers.setdefault(key, value) != value:
                    raise ReportError(f"{name} records {key} twice, with different values.")
            tables |= {
                key: text
                for key, text in data.pop(TABLES_MIME, {}).items()
                if re.fullmatch(_TABLE_NAME, key)
            }
            if found is None:
                kept.append(output)
        if cell.cell_type == "code":
            cell.outputs = kept
    return numbers, tables, said


def _make_pages(book: Any, text: PageText, page: Path, name: str) -> tuple[str, str]:
    """Make the page and its twin with code; refuse a page that breaks the rules."""
    from dataclasses import replace

    plain = make_page(book, text)
    back = (("This page without its code", page.name), ("Its numbers", SUMMARY))
    with_code = make_page(book, replace(text, has_code=True, links=back))
    if faults := check_page(plain, script=find_script(plain)):
        raise ReportError(f"{name}: {'; '.join(faults)}; no report written.")
    return plain, with_code


def _versions() -> str:
    names = ("numpy", "pandas", "scipy", "scikit-learn", "matplotlib")
    found = [f"{name} {metadata.version(name)}" for name in names]
    return f"followkit {__version__}, Python {platform.python_version()}, {', '.join(found)}."


def _made(seconds: float) -> str:
    """Say when; the only line of a report that differs between two runs."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if epoch.isdigit():
        return f"Made {datetime.fromtimestamp(int(epoch), UTC):%Y-%m-%d %H:%M} UTC."
    return f"Made {datetime.now(UTC):%Y-%m-%d %H:%M} UTC in {seconds:.0f} seconds."


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


# --------------------------------------------------------------------------------------- the files


def write_all(files: Mapping[Path, bytes]) -> None:
    """Write several files so that a failure half-way leaves the earlier ones untouched.

    Every file is written beside its place and flushed to disk first; only when all are there do
    they take their places, in the order given.

    Parameters
    ----------
    files
        Path → content; folders are made.

    Raises
    ------
    ReportError
        When the disk is full or a folder cannot be written.
    """
    ready: list[tuple[Path, Path]] = []
    try:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=f".{path.name}{PART}", dir=path.parent)
            ready.append((Path(name), path))
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).chmod(0o644)
        for made, path in ready:
            made.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ReportError(f"The report could not be written: {reason}.") from error
    finally:
        for made, _ in ready:
            with suppress(OSError):
                made.unlink(missing_ok=True)


def _earlier_tables(folder: Path) -> set[Path]:
    """Return the tables of an earlier report in this folder, as its summary lists them."""
    try:
        names = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))["tables"]
        return {_table_path(folder, name) for name in names if re.fullmatch(_TABLE_NAME, name)}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _table_path(folder: Path, name: str) -> Path:
    return folder / "tables" / f"{name}.csv"
