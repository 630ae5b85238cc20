"""Many reports: in lanes side by side, what they share computed once, resumed where they stopped.

Every lane is a thread that runs one report after another; the work is done by the kernels, one
process a report. Reports that differ in title, segment or initiator alone share their data and
features: their kernels are forked from a process that has run the first of them.
"""

from __future__ import annotations

import json
import os
import platform
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any, Literal

from jupyter_core.utils import ensure_event_loop

from followkit import __version__
from followkit.errors import FollowkitError, ReportError
from followkit.kernels import ForkServer, can_fork
from followkit.locks import hold
from followkit.notebooks import cell_source, read_cells
from followkit.report import SUMMARY, render_report
from followkit.sharing import hide_in_cause, make_command, shorten_paths
from followkit.sources import find_data
from followkit.sweeps import Run, Sweep

Status = Literal["done", "kept", "failed"]

JOURNAL = "journal.jsonl"
#: Parameters that change a report and not what it takes to compute it.
LIGHT = ("title", "segment", "initiator", "show_names", "with_mutuality", "delta")
#: Preparing pays from so many reports on.
FEWEST_TO_PREPARE = 2


@dataclass(frozen=True)
class Outcome:
    """What became of one report.

    Attributes
    ----------
    name
        Of the report and its folder.
    status
        done (made now), kept (made before, and nothing changed since) or failed.
    key
        Hash of everything that it depends on.
    page_hash
        Of the page; "" where it failed.
    seconds
        It took to make.
    cause, exit_code
        Of the failure.
    command
        That repeats it alone.
    shown_cause, shown_command
        The same as they may be passed on: without ids and folders.
    """

    name: str
    status: Status
    key: str
    page_hash: str = ""
    seconds: float = 0.0
    cause: str = ""
    exit_code: int = 0
    command: str = ""
    shown_cause: str = ""
    shown_command: str = ""


def run_batch(
    sweep: Sweep,
    *,
    workers: int | None = None,
    again: bool = False,
    root: Path | None = None,
    timeout: float = 3600.0,
    tell: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """Make every report of a sweep that is not there yet; failures do not stop the others.

    Parameters
    ----------
    sweep
        From `followkit.sweeps.read_sweep`.
    workers
        Reports made at once; one a core without it.
    again
        Make also those that are there already, unchanged.
    root
        Folder that relative data paths start from; the working folder without it.
    timeout
        Seconds for each report.
    tell
        Called with each outcome, from the thread that made it.

    Returns
    -------
    list of Outcome
        In the order of the sweep.

    Raises
    ------
    ReportError
        If another process is making this batch.
    """
    home = (root or Path.cwd()).absolute()
    out = sweep.out if sweep.out.is_absolute() else home / sweep.out
    with hold(out), _open_journal(out) as journal:
        keys = _make_keys(sweep.runs, home)
        kept = {} if again else _find_kept(out, sweep.runs, keys)
        for outcome in kept.values():
            tell(outcome)
        left = [run for run in sweep.runs if run.name not in kept]
        work = _Work(left, keys, out, home, timeout, journal, tell)
        made = work.run(workers or os.cpu_count() or 1)
    return [kept.get(run.name) or made[run.name] for run in sweep.runs]


# ---------------------------------------------------------------------------- what is there already


def _make_keys(runs: Sequence[Run], root: Path) -> dict[str, str]:
    """Return a hash of all that each report depends on: notebook, values, data, versions."""
    software = _hash_software()
    contents: dict[Path, str] = {}
    keys = {}
    for run in runs:
        parts = [software, _hash_files(run.notebook, contents)]
        for name in ("data", "mapping"):
            value = str(run.parameters.get(name, ""))
            parts += [_hash_files(path, contents) for path in _find_inputs(value, root)]
        parts.append(json.dumps(run.parameters, sort_keys=True))
        keys[run.name] = _hash("\n".join(parts).encode())
    return keys


def _find_inputs(value: str, root: Path) -> list[Path]:
    """Return the files behind a parameter; none where they are missing, as the report will say."""
    found = []
    for part in filter(None, value.split(";")):
        with suppress(FollowkitError, OSError):
            found.append(find_data(part.strip(), start=root))
    return found


def _hash_files(path: Path, known: dict[Path, str]) -> str:
    if path not in known:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        digest = blake2b(digest_size=16)
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(path.parent)}\n".encode())
                with file.open("rb") as stream:
                    while block := stream.read(1 << 20):
                        digest.update(block)
        known[path] = digest.hexdigest()
    return known[path]


def _hash_software() -> str:
    from importlib import metadata

    names = ("numpy", "pandas", "scipy", "scikit-learn", "matplotlib", "seaborn", "nbconvert")
    versions = [f"{name} {metadata.version(name)}" for name in names]
    own = _hash_files(Path(__file__).parent, {}) if _is_checkout() else __version__
    return "\n".join([platform.python_version(), own, *versions])


def _is_checkout() -> bool:
    """Return whether the package may change without its version changing."""
    return (Path(__file__).parents[1] / "pyproject.toml").is_file()


def _hash(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()


def _find_kept(out: Path, runs: Sequence[Run], keys: dict[str, str]) -> dict[str, Outcome]:
    """Return the reports that the journal calls done, and that are still what they were."""
    last: dict[str, dict[str, Any]] = {}
    with suppress(FileNotFoundError):
        for line in (out / JOURNAL).read_text(encoding="utf-8").splitlines():
            # The last line of a batch that was killed may be cut short.
            with suppress(ValueError, TypeError, KeyError):
                entry = json.loads(line)
                last[entry["name"]] = entry
    kept = {}
    for run in runs:
        entry = last.get(run.name, {})
        page = _page_path(out, run.name)
        if entry.get("status") == "done" and entry.get("key") == keys[run.name]:
            is_whole = (page.parent / SUMMARY).is_file() and page.is_file()
            if is_whole and _hash(page.read_bytes()) == entry.get("page_hash"):
                kept[run.name] = Outcome(run.name, "kept", keys[run.name], entry["page_hash"])
    return kept


def _page_path(out: Path, name: str) -> Path:
    return out / name / f"{name}.html"


@contextmanager
def _open_journal(out: Path) -> Iterator[Callable[[Outcome], None]]:
    """Open the journal for lines that are on disk before the next report begins."""
    lock = threading.Lock()
    path = out / JOURNAL
    torn = path.is_file() and not path.read_bytes().endswith(b"\n")
    with path.open("a", encoding="utf-8") as stream:
        if torn:
            stream.write("\n")

        def note(outcome: Outcome) -> None:
            with lock:
                # The journal lies beside the reports, and is passed on with them.
                entry = asdict(outcome)
                entry |= {name: entry.pop(f"shown_{name}") for name in ("cause", "command")}
                _append(stream, json.dumps(entry, ensure_ascii=False))

        yield note


def _append(stream: IO[str], line: str) -> None:
    """Write a line that is on disk before anything else happens."""
    try:
        stream.write(f"{line}\n")
        stream.flush()
        os.fsync(stream.fileno())
    except OSError as error:
        reason = error.strerror or str(error)
        raise ReportError(f"The journal could not be written: {reason}.") from error


# -------------------------------------------------------------------------------------------- lanes


class _Group:
    """Reports that share what is costly, and the process that their kernels are forked from."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.left = list(runs)
        self.is_shared = len(runs) >= FEWEST_TO_PREPARE
        self.running = 0
        self.state: Literal["new", "preparing", "ready"] = "new"
        self.server: ForkServer | None = None

    def close(self) -> None:
        """Stop the process, unless others use it too."""
        if self.server is not None and self.is_shared:
            self.server.close()
        self.server = None


class _Work:
    """The reports that are left, handed out to lanes."""

    def __init__(
        self,
        runs: Sequence[Run],
        keys: dict[str, str],
        out: Path,
        root: Path,
        timeout: float,
        journal: Callable[[Outcome], None],
        tell: Callable[[Outcome], None],
    ) -> None:
        self.keys, self.out, self.root, self.timeout = keys, out, root, timeout
        self.journal, self.tell = journal, tell
        self.groups = _group(runs)
        self.outcomes: dict[str, Outcome] = {}
        self.turn = threading.Condition()
        self.is_stopped = False
        self.fault: BaseException | None = None
        #: What single reports are forked from: it has imported everything and computed nothing.
        self.plain: ForkServer | None = None
        self.plain_lock = threading.Lock()

    def run(self, lanes: int) -> dict[str, Outcome]:
        """Make all reports and return what became of each."""
        threads = [threading.Thread(target=self._run_lane) for _ in range(lanes)]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
            if self.fault is not None:
                raise self.fault
        except BaseException:
            # Interrupted: no lane takes another report, and kernels end with their servers.
            self.is_stopped = True
            raise
        finally:
            for group in self.groups:
                group.close()
            if self.plain is not None:
                self.plain.close()
        return self.outcomes

    def _run_lane(self) -> None:
        # papermill would open an event loop for this thread, and leave it open.
        loop = ensure_event_loop()
        try:
            self._make_reports()
        except BaseException as fault:
            # What is no report's own failure stops the batch, and is told by whoever asked for it.
            with self.turn:
                self.fault, self.is_stopped = fault, True
                self.turn.notify_all()
        finally:
            loop.close()

    def _make_reports(self) -> None:
        while (taken := self._take()) is not None:
            group, run = taken
            if group.state == "preparing":
                self._prepare(group, run)
            outcome = self._make(group, run)
            if not self.is_stopped:
                self.outcomes[run.name] = outcome
                self.journal(outcome)
                self.tell(outcome)
            with self.turn:
                group.running -= 1
                if not group.left and not group.running:
                    group.close()
                self.turn.notify_all()

    def _take(self) -> tuple[_Group, Run] | None:
        """Return the next report: of a ready group, else of a new one, which is then prepared."""
        with self.turn:
            while not self.is_stopped:
                open_groups = [group for group in self.groups if group.left]
                if not open_groups:
                    return None
                for state in ("ready", "new"):
                    for group in open_groups:
                        if group.state == state:
                            if state == "new":
                                group.state = "preparing"
                            group.running += 1
                            return group, group.left.pop(0)
                self.turn.wait()
        return None

    def _prepare(self, group: _Group, first: Run) -> None:
        """Start the process of a group; where several share it, run the first report in it."""
        try:
            if can_fork() and group.is_shared:
                group.server = ForkServer(self.root)
                self._compute_shared(group, first)
            elif can_fork():
                group.server = self._share_plain()
        finally:
            with self.turn:
                group.state = "ready"
                self.turn.notify_all()

    def _share_plain(self) -> ForkServer:
        with self.plain_lock:
            if self.plain is None or not self.plain.is_running:
                self.plain = ForkServer(self.root)
            return self.plain

    def _compute_shared(self, group: _Group, first: Run) -> None:
        assert group.server is not None
        cells = [
            cell_source(cell) for cell in read_cells(first.notebook) if cell["cell_type"] == "code"
        ]
        try:
            answer = group.server.ask(
                "prepare", timeout=self.timeout, cells=cells, parameters=dict(first.parameters)
            )
            is_sound = answer["threads"] == 1
        except FollowkitError:
            is_sound = False
        if not is_sound:
            # A process with threads must not be copied: kernels start from a plain one instead.
            group.server.close()
            group.server = ForkServer(self.root)

    def _make(self, group: _Group, run: Run) -> Outcome:
        command, shown_command = _command(run), _command(run, self.root)
        begun = time.monotonic()
        page = _page_path(self.out, run.name)
        try:
            self._render(group, run, page, command)
            key, page_hash = self.keys[run.name], _hash(page.read_bytes())
        except FollowkitError as error:
            shown = hide_in_cause(str(error), run.parameters, run.shown, self.root)
            return Outcome(run.name, "failed", self.keys[run.name], "", time.monotonic() - begun,
                           str(error), error.exit_code, command, shown,
                           shown_command)  # fmt: skip
        return Outcome(run.name, "done", key, page_hash, time.monotonic() - begun, command=command,
                       shown_command=shown_command)  # fmt: skip

    def _render(self, group: _Group, run: Run, page: Path, command: str) -> None:
        """Write one report; where the process that it is forked from dies, once more in another."""
        for is_last in (False, True):
            server = self._find_server(group)
            try:
                render_report(
                    run.notebook, page, run.parameters, timeout=self.timeout, root=self.root,
                    command=command, server=server,
                )  # fmt: skip
            except FollowkitError:
                if is_last or server is None or server.is_running or self.is_stopped:
                    raise
            else:
                return

    def _find_server(self, group: _Group) -> ForkServer | None:
        """Return the process of a group, or the plain one where that died."""
        if group.server is None or group.server.is_running:
            return group.server
        return self._share_plain()


def _group(runs: Sequence[Run]) -> list[_Group]:
    """Return the reports in groups that differ in light parameters only, in their first order."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        heavy = {name: value for name, value in run.parameters.items() if name not in LIGHT}
        key = json.dumps([str(run.notebook), heavy], sort_keys=True)
        groups.setdefault(key, []).append(run)
    return [_Group(members) for members in groups.values()]


def _command(run: Run, root: Path | None = None) -> str:
    """Return what repeats a report; with a root as it may be passed on."""
    values = dict(run.parameters)
    if root is not None:
        told = {**values, **run.shown}
        values = {name: shorten_paths(told[name], root) for name in values}
    return make_command(run.notebook.stem, values)
