"""A process that has everything imported and turns copies of itself into kernels.

Run as `python -P -m followkit.fork_server`; `followkit.kernels` talks to it, a line of JSON each
way. It stays without threads, so that its copies start in a sound state.
"""

from __future__ import annotations

import ast
import gc
import json
import os
import sys
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any

from followkit import remember

#: What report notebooks import, and what it takes to be a kernel.
MODULES = (
    "ipykernel.kernelapp", "ipykernel.ipkernel", "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg", "matplotlib.pyplot", "seaborn", "sklearn.ensemble", "duckdb",
    "followkit.factors", "followkit.factor_sections", "followkit.sections", "followkit.sources",
)  # fmt: skip


def main() -> None:
    """Import what reports need, then answer requests until the caller hangs up."""
    requests = os.fdopen(os.dup(0), "r")
    answers = os.fdopen(os.dup(1), "w")
    # Whatever else prints must not be taken for an answer.
    os.dup2(2, 1)
    for name in MODULES:
        __import__(name)
    handlers: dict[str, Callable[..., Any]] = {"prepare": prepare, "start": start, "poll": poll}
    for line in requests:
        request = json.loads(line)
        answer = handlers[request.pop("do")](**request)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    # The caller hung up without removing this folder, which it made: it was killed.
    with suppress(OSError):
        Path.cwd().rmdir()


def prepare(cells: list[str], parameters: dict[str, Any]) -> dict[str, Any]:
    """Run a notebook's cells here, so that later kernels remember what they computed.

    The first cell holds the parameters. A cell that fails ends the preparation; the report itself
    will say why.
    """
    remember.start()
    scope: dict[str, Any] = {"__name__": "__main__"}
    done = 0
    with Path(os.devnull).open("w") as nowhere, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with redirect_stdout(nowhere), redirect_stderr(nowhere):
            try:
                for done, source in enumerate(cells, start=1):
                    exec(compile(ast.parse(source), "<cell>", "exec"), scope)
                    if done == 1:
                        scope.update(parameters)
            # SystemExit too: the server has to outlive whatever a notebook does.
            except BaseException:
                done -= 1
    # What all kernels share is not to be copied because the collector touched it.
    gc.collect()
    gc.freeze()
    return {"cells": done, "threads": count_threads()}


def count_threads() -> int:
    """Return how many threads this process has; 1 where the system does not say."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else 1


def start(argv: list[str], cwd: str, env: dict[str, str]) -> dict[str, int]:
    """Turn a copy of this process into a kernel."""
    sys.stdout.flush()
    process = os.fork()
    if process == 0:
        _become_kernel(argv, cwd, env)
    return {"process": process}


def _become_kernel(argv: list[str], cwd: str, env: dict[str, str]) -> None:
    code = 1
    try:
        # A group of its own, so that a kernel is stopped with whatever it started.
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.closerange(3, 64)
        os.chdir(cwd)
        os.environ.update(env)
        sys.argv = ["ipykernel_launcher", *argv]
        from ipykernel import kernelapp

        # When the server is gone, its kernels end too.
        kernelapp.launch_new_instance(argv=[*argv, f"--IPKernelApp.parent_handle={os.getppid()}"])
        code = 0
    finally:
        os._exit(code)


def poll(process: int) -> dict[str, int | None]:
    """Return the exit code of a kernel, or None while it runs."""
    try:
        found, status = os.waitpid(process, os.WNOHANG)
    except ChildProcessError:
        return {"code": 0}
    return {"code": os.waitstatus_to_exitcode(status) if found else None}


if __name__ == "__main__":
    main()
