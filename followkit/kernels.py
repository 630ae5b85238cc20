"""Kernels for report notebooks: started anew, or forked from a process that is warm already.

Either way papermill talks to an ordinary Jupyter kernel, one process a report.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from followkit.errors import ReportError

# Where a notebook looks for data, since its own folder is empty: the folder of whoever asked.
ROOT_VARIABLE = "FOLLOWKIT_ROOT"
# A kernel that is asked to stop says so on the terminal, as if it were an error.
QUIET = ("--log-level=50",)
LAUNCH = (sys.executable, "-m", "ipykernel_launcher")
START_SECONDS = 120.0


def make_environment(root: Path) -> dict[str, str]:
    """Return what a kernel finds in its environment beside the caller's own."""
    # One thread each: waiting threads make small fits many times slower on a busy machine.
    threads = {
        name: os.environ.get(name, "1") for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    }
    return {"PYTHONHASHSEED": "0", ROOT_VARIABLE: str(root), "MPLBACKEND": "agg", **threads}


def can_fork() -> bool:
    """Return whether this system can copy a process."""
    return hasattr(os, "fork")


def kernel_manager(root: Path, server: ForkServer | None = None) -> type[AsyncKernelManager]:
    """Return a manager that starts this interpreter, whatever kernels the user has installed.

    Parameters
    ----------
    root
        Folder that relative data paths start from.
    server
        Where kernels are forked from; started anew without it.
    """
    spec = KernelSpec(
        argv=[*LAUNCH, "-f", "{connection_file}", *QUIET],
        display_name="Python 3",
        language="python",
        env=make_environment(root),
        metadata={"supported_encryption": ["curve"]},
    )

    class ThisInterpreter(AsyncKernelManager):
        """A kernel of the interpreter that runs followkit."""

        def __init__(self, **options: Any) -> None:
            # Other users of the machine could read plain traffic on its loopback.
            super().__init__(**{**options, "transport_encryption": "auto"})
            if server is not None:
                self.kernel_id = str(uuid.uuid4())
                self.provisioner = ForkProvisioner(
                    kernel_id=self.kernel_id, kernel_spec=spec, parent=self
                )
                self.provisioner.server = server

        @property
        def kernel_spec(self) -> KernelSpec:
            """Return the one specification."""
            return spec

    return ThisInterpreter


class ForkServer:
    """A warm process that kernels are forked from; use it in a `with` block.

    Parameters
    ----------
    root
        Folder that relative data paths of notebooks start from.
    """

    def __init__(self, root: Path) -> None:
        self._lock = threading.Lock()
        # An empty folder of its own: nothing there can be imported instead of what is meant.
        self._folder = tempfile.TemporaryDirectory(prefix="followkit-")
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "followkit.fork_server"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            cwd=self._folder.name,
            env={**os.environ, **make_environment(root), "NUMBA_NUM_THREADS": "1"},
            start_new_session=True,
        )  # fmt: skip

    def __enter__(self) -> ForkServer:
        """Return the server."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the server."""
        self.close()

    @property
    def is_running(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def close(self) -> None:
        """Stop the server; kernels that still run end with it."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._folder.cleanup()

    def ask(self, do: str, timeout: float = START_SECONDS, **request: Any) -> dict[str, Any]:
        """Send a request and return the answer.

        Raises
        ------
        ReportError
            When the server is gone or does not answer in time; it is of no more use then.
        """
        sent, heard = self._process.stdin, self._process.stdout
        assert sent is not None
        assert heard is not None
        with self._lock:
            try:
                sent.write(json.dumps({"do": do, **request}) + "\n")
                sent.flush()
                ready, _, _ = select.select([heard], [], [], timeout)
                line = heard.readline() if ready else ""
            except (OSError, ValueError):
                line = ""
        if not line:
            self._process.kill()
            raise ReportError(
                "The process that kernels start from stopped, perhaps out of memory; no report "
                "written."
            )
        answer: dict[str, Any] = json.loads(line)
        return answer


class ForkedProcess:
    """A forked kernel, with as much of `subprocess.Popen` as jupyter_client asks for."""

    stdin = stdout = stderr = None

    def __init__(self, server: ForkServer, process: int) -> None:
        self.server, self.pid = server, process
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        if self.returncode is None:
            try:
                self.returncode = self.server.ask("poll", process=self.pid)["code"]
            except ReportError:
                self.returncode = -1
        return self.returncode

    def wait(self) -> int:
        """Return the exit code when it is there."""
        while (code := self.poll()) is None:
            time.sleep(0.02)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class ForkProvisioner(LocalProvisioner):
    """Starts kernels by forking a warm process."""

    server: ForkServer

    async def launch_kernel(self, cmd: list[str], **options: Any) -> KernelConnectionInfo:
        """Fork a kernel that reads the same arguments as one started anew."""
        cwd = str(options.get("cwd") or Path.cwd())
        own = {name: text for name, text in options["env"].items() if name.startswith("JPY_")}
        answer = self.server.ask("start", argv=cmd[len(LAUNCH) :], cwd=cwd, env=own)
        self.process = ForkedProcess(self.server, answer["process"])  # type: ignore[assignment]
        self.pid = self.pgid = answer["process"]
        self.cwd = cwd
        return self.connection_info
