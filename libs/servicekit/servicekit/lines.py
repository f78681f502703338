"""Lines of a log that are many: they are written together, a moment later, beside the requests."""

import asyncio
import contextlib
import sys
from time import gmtime, strftime, time

DELAY = 0.1
"""Seconds that a line may wait."""
MOST = 512
"""Lines that wait before they are written at once."""


class Lines:
    """Whole lines for standard error. Used by one event loop."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, line: bytes) -> None:
        """Has `line`, without its end, written within `DELAY`."""
        self._waiting.append(line)
        if len(self._waiting) >= MOST:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(DELAY, self.flush)

    def flush(self) -> None:
        """Writes what waits. Where nobody takes it, it is lost, as other lines of the log would be."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        if waiting:
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.buffer.write(b"\n".join(waiting) + b"\n")
                sys.stderr.buffer.flush()


class Clock:
    """The time as logs have it: UTC, RFC 3339, with milliseconds. The date is written out once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._text = ""

    def now(self) -> str:
        now = time()
        second = int(now)
        if second != self._second:
            self._second, self._text = second, strftime("%Y-%m-%dT%H:%M:%S", gmtime(second))
        return f"{self._text}.{int((now - second) * 1000):03d}Z"
