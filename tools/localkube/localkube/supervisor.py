"""Starts and stops the components of one cluster, each at most once."""

import time
from collections.abc import Callable
from pathlib import Path

from localkube.control_plane import Component
from localkube.errors import ComponentFailed, Unanswered
from localkube.process import DetachedProcess

_POLL = 0.05
# Seconds between SIGTERM and SIGKILL. All end at once but the API server, which would wait a minute for the
# watches of its clients; what it has stored is safe.
_GRACE = 5.0


class Supervisor:
    """The processes of the cluster whose state folder is `root`."""

    def __init__(self, root: Path):
        self._root = root

    def process(self, name: str) -> DetachedProcess:
        """The process named `name`, running or not."""
        return DetachedProcess(name, self._root)

    def ensure(self, component: Component) -> bool:
        """Have the component run with its command line; True if it had to be started for that.

        One that runs with another command line is restarted.
        """
        process = self.process(component.name)
        record = process.running()
        if record and record.command == component.command:
            return False
        if record:
            process.stop(_GRACE)
        process.start(component.command)
        return True

    def stop(self, name: str, hard: bool = False) -> bool:
        """Stop the component; True if it was running."""
        return self.process(name).stop(_GRACE, hard)

    def wait(self, name: str, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until `ready` says so; raises ComponentFailed when the process ends or the time is over."""
        process = self.process(name)
        deadline = time.monotonic() + seconds
        while not _holds(ready):
            if process.running() is None:
                raise ComponentFailed(name, "ended", str(process.log), process.tail())
            if time.monotonic() > deadline:
                raise ComponentFailed(
                    name, f"was not ready within {seconds:.0f} s", str(process.log), process.tail()
                )
            time.sleep(_POLL)


def _holds(ready: Callable[[], bool]) -> bool:
    try:
        return ready()
    except Unanswered:
        return False
