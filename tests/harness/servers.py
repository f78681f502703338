"""The back ends as a test sees them: running, stoppable, startable again on the same port."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Generic, TypeVar

from devstack.ports import free_port
from devstack.servers import MariaDB, NodeExporter, OpenLDAP, Prometheus, Redis, Server
from harness.processes import Process

_READY_SECONDS = 60

S = TypeVar("S", bound=Server)


class RunningServer(Generic[S]):
    """A server on loopback; `definition` has what is particular to its kind (manager DN, password, ...)."""

    def __init__(self, definition: S) -> None:
        self.definition = definition
        self.name = definition.name
        self.host = definition.host
        self.port = definition.port
        self.url = definition.url
        self.log = definition.directory / f"{definition.name}.log"
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        """Raises StartFailed when it does not run."""
        return self._require_process().pid

    async def start(self) -> None:
        """Starts it on its port, with the data of before; returns once it answers. Raises StartFailed."""
        directory = self.definition.directory
        directory.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(self.definition.prepare)
        process = Process(
            self.definition.command(), self.log, directory, stop_seconds=self.definition.stop_seconds
        )
        process.launch()
        self._process = process
        await process.ready(self.definition.check, _READY_SECONDS)

    async def stop(self, hard: bool = False) -> None:
        """Stops it, by SIGKILL when `hard`; its port refuses connections afterwards."""
        if self._process is not None:
            await self._process.stop(hard)

    def _require_process(self) -> Process:
        if self._process is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._process


@asynccontextmanager
async def running(definition: S) -> AsyncIterator[RunningServer[S]]:
    """`definition` started, and stopped at the end however the block ends."""
    server = RunningServer(definition)
    try:
        await server.start()
        yield server
    finally:
        await server.stop()


def running_redis(directory: Path, *, port: int = 0, password: str = ""):
    """A Redis of the test's own with its files under `directory`; port 0 takes a free one."""
    return running(Redis(directory=directory / "redis", port=port or free_port(), password=password))


def running_openldap(directory: Path, *, port: int = 0, manager_password: str = "admin"):
    """An OpenLDAP of the test's own, holding dc=kubesphere,dc=io alone."""
    return running(
        OpenLDAP(
            directory=directory / "openldap", port=port or free_port(), manager_password=manager_password
        )
    )


def running_mariadb(directory: Path, *, port: int = 0, password: str = "kubesphere"):
    """A MariaDB of the test's own with an empty database `kubesphere`."""
    return running(MariaDB(directory=directory / "mariadb", port=port or free_port(), password=password))


def running_node_exporter(directory: Path, *, port: int = 0):
    """A node-exporter of the test's own."""
    return running(NodeExporter(directory=directory / "node-exporter", port=port or free_port()))


def running_prometheus(directory: Path, *, port: int = 0, targets: Mapping[str, list[str]] | None = None):
    """A Prometheus of the test's own that scrapes itself and `targets` (addresses by job) every second."""
    return running(
        Prometheus(
            directory=directory / "prometheus",
            port=port or free_port(),
            targets=targets or {},
            scrape_seconds=1,
        )
    )
