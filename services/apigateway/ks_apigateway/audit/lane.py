"""What waits for one sink: bounded, and written beside the requests."""

import asyncio
import contextlib
import logging
from collections import deque
from typing import Protocol

log = logging.getLogger(__name__)

INTERVAL = 0.2
"""Seconds between two looks at what waits."""
LAST_WRITE = 5.0
"""Seconds in which what still waits must be written when the gateway stops."""


class Sink(Protocol):
    """Where events go."""

    name: str
    batch: int
    """Events that it takes at once."""

    async def write(self, events: list[bytes]) -> None:
        """Delivers `events`, each a JSON line. Raises whatever error keeps it from doing so."""
        ...

    async def close(self) -> None: ...


class Lane:
    """The queue before one sink. `written`, `dropped` (no room) and `lost` (not delivered) count events."""

    def __init__(self, sink: Sink, capacity: int) -> None:
        """`capacity` in bytes."""
        self.sink = sink
        self.written = 0
        self.dropped = 0
        self.lost = 0
        self._capacity = capacity
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._failing = False
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def put(self, event: bytes) -> None:
        """Adds an event, or counts it as dropped."""
        if self._bytes + len(event) > self._capacity:
            self.dropped += 1
            return
        self._bytes += len(event)
        self._waiting.append(event)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"audit to {self.sink.name}")

    async def stop(self) -> None:
        """Writes what waits, as far as that takes no longer than `LAST_WRITE`."""
        self._stopping.set()
        if self._task is not None:
            _, pending = await asyncio.wait((self._task,), timeout=LAST_WRITE)
            for task in pending:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self.lost += len(self._waiting)
        await self.sink.close()

    async def _run(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), INTERVAL)
            while self._waiting:
                await self._write(self._take())

    def _take(self) -> list[bytes]:
        return [self._waiting.popleft() for _ in range(min(self.sink.batch, len(self._waiting)))]

    async def _write(self, events: list[bytes]) -> None:
        delivered = False
        try:
            await self.sink.write(events)
            delivered = True
        except Exception as error:  # whatever it is: what comes next is tried again
            if not self._failing:
                log.error("audit events are lost: %s: %s", self.sink.name, str(error) or type(error).__name__)
        finally:
            self._failing = not delivered
            self._bytes -= sum(map(len, events))
            if delivered:
                self.written += len(events)
            else:
                self.lost += len(events)
