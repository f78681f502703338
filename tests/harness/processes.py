"""A child process that writes its log to a file and never outlives the tests."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devstack.program import NotReady

_DIES_WITH_ITS_PARENT = ("setpriv", "--pdeathsig", "TERM", "--")


class StartFailed(Exception):
    """A process ended, or did not become ready in time; the text says why and shows the end of its log."""


@dataclass
class Process:
    """`command` with its output appended to `log`, in a process group that Ctrl-C does not reach.

    It is told to end when the tests' process dies, however that dies."""

    command: list[str]
    log: Path
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_seconds: float = 10
    _child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Raises StartFailed when it does not run."""
        if self._child is None or self._child.poll() is not None:
            raise StartFailed(f"{self.command[0]} does not run")
        return self._child.pid

    def launch(self) -> None:
        """Starts it. Call from the main thread: the kernel ends it with the thread that started it."""
        with self.log.open("ab") as output:
            self._child = subprocess.Popen(
                [*_DIES_WITH_ITS_PARENT, *self.command],
                cwd=self.directory,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    async def ready(self, check: Callable[[], None], within: float) -> None:
        """Waits until `check` (run in a thread) raises no NotReady, at most `within` seconds.

        Raises StartFailed.
        """
        deadline = asyncio.get_running_loop().time() + within
        while True:
            if self._child is None:
                raise StartFailed(self._explain("was stopped while it started"))
            if (status := self._child.poll()) is not None:
                raise StartFailed(self._explain(f"ended with status {status}"))
            try:
                return await asyncio.to_thread(check)
            except NotReady as reason:
                if asyncio.get_running_loop().time() >= deadline:
                    raise StartFailed(self._explain(f"not ready after {within} s: {reason}")) from reason
            await asyncio.sleep(0.05)

    async def stop(self, hard: bool = False) -> None:
        """Ends it and what it started: SIGTERM, a wait, then SIGKILL; `hard` begins with SIGKILL."""
        if self._child is None:
            return
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGKILL if hard else signal.SIGTERM)
            try:
                await asyncio.to_thread(self._child.wait, self.stop_seconds)
            except subprocess.TimeoutExpired:
                self._child.kill()
                await asyncio.to_thread(self._child.wait)
        try:
            os.killpg(self._child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # nothing of its group is left
        self._child = None

    def _explain(self, what: str) -> str:
        text = self.log.read_text(errors="replace")
        return f"{' '.join(self.command)}: {what}\n--- end of {self.log}\n{text[-4000:].strip()}"
