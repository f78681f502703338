"""Starts the workers, replaces those that end, and stops them together.

Each place has sockets of its own (SO_REUSEPORT: the kernel spreads connections over them), which the
supervisor keeps open: what waits in the queue of a worker that has ended is served by the next one.

SIGHUP replaces the workers one after the other, each by one that reads the configuration anew; the old one
ends when the new one serves. SIGTERM and SIGINT stop all of them gracefully.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from dataclasses import dataclass, field
from functools import partial

from ks_apigateway.app import GatewayService
from ks_apigateway.workers.assignment import Assignment
from ks_apigateway.workers.operations import Operations, is_alive
from servicekit.sections import split_address
from servicekit.serving import announce, listen

log = logging.getLogger(__name__)

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
"""Seconds before a worker that ended by itself is replaced."""
STEADY = 30.0
"""Seconds after which a worker that ends is no sign of a lasting problem."""
READY_WITHIN = 60.0
"""Seconds in which a worker must serve that is to replace another one."""
MARGIN = 10.0
"""Seconds beyond server.shutdownGrace after which a worker is killed."""


@dataclass(slots=True)
class Worker:
    """A process that serves; its operations are at `url`."""

    process: asyncio.subprocess.Process
    url: str

    def terminate(self) -> None:
        try:
            self.process.terminate()
        except ProcessLookupError:
            pass


@dataclass(slots=True)
class Place:
    """Where one worker serves at a time."""

    number: int
    plain: socket.socket
    secure: socket.socket | None
    worker: Worker | None = None
    leaving: set[asyncio.Task[int]] = field(default_factory=set)

    def close(self) -> None:
        """Lets go of the sockets, so that they end with the worker's."""
        self.plain.close()
        if self.secure is not None:
            self.secure.close()


def supervise(service: GatewayService, address_file: str | None) -> None:
    """Runs server.workers processes until SIGTERM or SIGINT. Raises ListenError, ConfigError."""
    service.application()  # what is wrong with the configuration is told once, and not by each worker
    settings = service.settings
    operations = listen(settings.gateway.ops_listen)
    plain = _listen(settings.server.listen, settings.server.workers)
    secure: list[socket.socket] | list[None] = [None] * settings.server.workers
    if settings.gateway.tls_listen:
        secure = _listen(settings.gateway.tls_listen, settings.server.workers)
    places = [Place(number, *pair) for number, pair in enumerate(zip(plain, secure, strict=True))]
    announce(service, plain[0], address_file)
    asyncio.run(Supervisor(places, settings.server.shutdown_grace).run(operations))


def _listen(address: str, count: int) -> list[socket.socket]:
    first = listen(address, shared=True)
    host = split_address(address)[0]
    port = first.getsockname()[1]
    others = [listen(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", shared=True)
              for _ in range(count - 1)]  # fmt: skip
    return [first, *others]


class Supervisor:
    """Keeps a worker at each place."""

    def __init__(self, places: list[Place], grace: float) -> None:
        self._places = places
        self._grace = grace
        self._lifeline, self._kept_open = os.pipe()
        self._stop = asyncio.Event()
        self._replacing = asyncio.Lock()
        self._replacements: set[asyncio.Task[None]] = set()
        self.restarts = 0

    @property
    def urls(self) -> list[str]:
        """Where the operations of each worker are that serves now."""
        return [place.worker.url for place in self._places if place.worker is not None]

    async def run(self, operations: socket.socket) -> None:
        """Until it is told to stop, by a signal."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._begin_replacing)
        keepers = [asyncio.create_task(self._keep(place)) for place in self._places]
        async with Operations(self, len(self._places), operations):
            await self._stop.wait()
            for place in self._places:
                place.close()
            await self._end_workers(keepers)
        os.close(self._kept_open)
        os.close(self._lifeline)

    async def _end_workers(self, keepers: list[asyncio.Task[None]]) -> None:
        for place in self._places:
            if place.worker is not None:
                place.worker.terminate()
        everything = [
            *keepers,
            *self._replacements,
            *(task for place in self._places for task in place.leaving),
        ]
        _, pending = await asyncio.wait(everything, timeout=self._grace + MARGIN)
        if pending:
            log.error("workers did not stop within %g s, and are killed", self._grace + MARGIN)
            for place in self._places:
                if place.worker is not None and place.worker.process.returncode is None:
                    place.worker.process.kill()
            for task in pending:
                task.cancel()

    async def _keep(self, place: Place) -> None:
        pause = FIRST_PAUSE
        loop = asyncio.get_running_loop()
        place.worker = await self._launch(place)
        began = loop.time()
        while True:
            worker = place.worker
            status = await worker.process.wait()
            if self._stop.is_set():
                return
            if worker is not place.worker:  # replaced: the one to wait for now is another
                continue
            pause = FIRST_PAUSE if loop.time() - began > STEADY else min(2 * pause, LONGEST_PAUSE)
            log.error("worker %d ended with status %d; another one starts", place.number, status)
            self.restarts += 1
            try:
                await asyncio.wait_for(self._stop.wait(), pause)
                return
            except TimeoutError:
                place.worker = await self._launch(place)
                began = loop.time()

    async def _launch(self, place: Place) -> Worker:
        operations = listen("127.0.0.1:0")
        try:
            assignment = Assignment(
                plain_fd=place.plain.fileno(),
                secure_fd=None if place.secure is None else place.secure.fileno(),
                operations_fd=operations.fileno(),
                lifeline_fd=self._lifeline,
            )
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *sys.orig_argv[1:],
                env=assignment.environment,
                pass_fds=assignment.descriptors,
            )
            return Worker(process, "http://{}:{}".format(*operations.getsockname()))
        finally:
            operations.close()

    def _begin_replacing(self) -> None:
        task = asyncio.create_task(self._replace_all())
        self._replacements.add(task)
        task.add_done_callback(self._replacements.discard)

    async def _replace_all(self) -> None:
        async with self._replacing:
            log.info("the workers are replaced")
            for place in self._places:
                if self._stop.is_set() or not await self._replace(place):
                    return
            log.info("the workers have been replaced")

    async def _replace(self, place: Place) -> bool:
        fresh = await self._launch(place)
        ended = asyncio.create_task(fresh.process.wait())
        serves = asyncio.create_task(is_alive(fresh.url))
        stopped = asyncio.create_task(self._stop.wait())
        tasks = {ended, serves, stopped}
        await asyncio.wait(tasks, timeout=READY_WITHIN, return_when=asyncio.FIRST_COMPLETED)
        good = serves.done() and not ended.done() and not self._stop.is_set()
        serves.cancel()
        stopped.cancel()
        if not good:
            log.error("the workers stay as they were: a new one did not begin to serve")
            fresh.terminate()
            await ended
            return False
        old, place.worker = place.worker, fresh
        if old is not None:
            old.terminate()
            leaving = asyncio.create_task(old.process.wait())
            place.leaving.add(leaving)
            leaving.add_done_callback(partial(_left, place))
        return True


def _left(place: Place, task: asyncio.Task[int]) -> None:
    place.leaving.discard(task)
