"""Whether the service lives, and whether the back ends that it needs answer.

Every dependency is opened and then checked in a task of its own, so that a slow one neither delays the others
nor the listening socket. What the checks found is kept: `/readyz` and `require` answer from memory.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from servicekit.errors import Unavailable
from servicekit.needs import Dependency
from servicekit.responses import to_response

log = logging.getLogger(__name__)

NOT_YET = "it has not been reached yet"
DRAINING = "the service is stopping"
RETRY = 1.0
"""Seconds between checks of what is down, where the configured interval is longer."""
FIRST_RETRY = 0.05
"""Seconds until the second check of what is not ready yet; the wait doubles up to `RETRY`."""


@dataclass(slots=True)
class State:
    """What is known of one dependency. `reason` is empty while it is ready; `since` is when that last
    changed."""

    ready: bool
    reason: str
    since: datetime

    def to_json(self) -> dict[str, Any]:
        since = self.since.isoformat(timespec="seconds").replace("+00:00", "Z")
        return {"ready": self.ready, **({} if self.ready else {"reason": self.reason}), "since": since}


class Health:
    """Opens, watches and closes the dependencies of a service."""

    def __init__(
        self,
        needs: Sequence[Dependency],
        *,
        interval: float,
        timeout: float,
        wants: Sequence[Dependency] = (),
    ):
        """`interval` and `timeout` of a check are in seconds. The service is ready without `wants`."""
        self._needs = (*needs, *wants)
        self._wanted = frozenset(want.name for want in wants)
        self._interval = interval
        self._timeout = timeout
        self._states = {need.name: State(False, NOT_YET, datetime.now(UTC)) for need in self._needs}
        self._tasks: list[asyncio.Task[None]] = []
        self.stopping = asyncio.Event()
        """Set when the service begins to stop; a long answer waits for it, to end in good order."""

    @property
    def ready(self) -> bool:
        needed = (state.ready for name, state in self._states.items() if name not in self._wanted)
        return not self.stopping.is_set() and all(needed)

    def states(self) -> dict[str, State]:
        return self._states

    def require(self, name: str) -> None:
        """Raises Unavailable, with the reason, when the dependency `name` was down at the last check."""
        state = self._states[name]
        if not state.ready:
            raise Unavailable(name, state.reason, retry_after=self._interval)

    def start(self) -> None:
        """Begins to open and check, in the background."""
        self._tasks = [
            asyncio.create_task(self._watch(need), name=f"health of {need.name}") for need in self._needs
        ]

    async def stop(self) -> None:
        """Ends the checks and closes the dependencies, the last one first."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for need in reversed(self._needs):
            try:
                async with asyncio.timeout(self._timeout):
                    await need.close()
            except Exception:
                log.exception("closing %s failed", need.name)

    async def _watch(self, need: Dependency) -> None:
        opened = False
        pause = FIRST_RETRY
        while True:
            try:
                if not opened:
                    await self._open(need)
                    opened = True
                async with asyncio.timeout(self._timeout):
                    await need.check()
            except TimeoutError as error:
                self._record(need.name, str(error) or f"no answer within {self._timeout:g} s")
            except Exception as error:
                self._record(need.name, str(error) or type(error).__name__)
            else:
                self._record(need.name, "")
            if self._states[need.name].ready:
                pause = FIRST_RETRY
                await asyncio.sleep(self._interval)
            else:
                await asyncio.sleep(pause)
                pause = min(2 * pause, RETRY, self._interval)

    async def _open(self, need: Dependency) -> None:
        """Opens `need`, however long that takes: to cut it short could leave it half open."""
        opening = asyncio.ensure_future(need.open())
        try:
            while not (await asyncio.wait((opening,), timeout=self._timeout))[0]:
                self._record(need.name, f"it is still being opened after {self._timeout:g} s")
        finally:
            opening.cancel()
        await opening

    def _record(self, name: str, reason: str) -> None:
        state = self._states[name]
        if state.ready != (not reason) or state.reason == NOT_YET:
            state.ready, state.since = not reason, datetime.now(UTC)
            log.log(
                logging.WARNING if reason else logging.INFO,
                "%s is %s",
                name,
                f"down: {reason}" if reason else "ready",
            )
        state.reason = reason

    def report(self) -> tuple[int, dict[str, Any]]:
        """Status and body of `/readyz`."""
        body: dict[str, Any] = {"status": "ok" if self.ready else "unavailable"}
        if self.stopping.is_set():
            body["reason"] = DRAINING
        body["dependencies"] = {
            name: state.to_json() | ({"optional": True} if name in self._wanted else {})
            for name, state in self._states.items()
        }
        return (200 if self.ready else 503), body

    async def livez(self, request: web.Request) -> web.StreamResponse:
        return to_response({"status": "ok"})

    async def readyz(self, request: web.Request) -> web.StreamResponse:
        status, body = self.report()
        return to_response(body, status)
