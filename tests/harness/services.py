"""Our services as a test sees them: real processes on free ports."""

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from devstack.ports import LOOPBACK, free_port
from devstack.program import check_http
from harness.processes import Process

_READY_SECONDS = 120


class RunningService:
    """A service started from a configuration file: it serves at `url`, and its health at `ops_url`."""

    def __init__(self, name: str, config: Mapping[str, Any], directory: Path, ops_port: int | None) -> None:
        self.name = name
        self.host = LOOPBACK
        self.port = free_port()
        self.url = f"http://{self.host}:{self.port}"
        self.ops_url = f"http://{self.host}:{ops_port}" if ops_port else self.url
        self.log_file = directory / f"{name}.log"
        self._process = Process(
            self._command(directory / f"{name}.yaml"), self.log_file, directory, {"PYTHONUNBUFFERED": "1"}
        )
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{name}.yaml").write_text(yaml.safe_dump(dict(config), sort_keys=False))

    @property
    def pid(self) -> int:
        """Raises StartFailed when it does not run."""
        return self._process.pid

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self.log_file.read_text(errors="replace")

    async def start(self) -> None:
        """Starts it (again) on its port; returns once /healthz answers. Raises StartFailed with its log."""
        self._process.launch()
        await self._process.ready(lambda: _healthy(self.ops_url), _READY_SECONDS)

    async def stop(self) -> None:
        """SIGTERM, and a wait for it to drain."""
        await self._process.stop()

    async def kill(self) -> None:
        """SIGKILL."""
        await self._process.stop(hard=True)

    def _command(self, config: Path) -> list[str]:
        module = self.name.replace("-", "_")
        listen = f"{self.host}:{self.port}"
        return [sys.executable, "-m", module, "serve", "--config", str(config), "--listen", listen]


@asynccontextmanager
async def running_service(
    name: str, config: Mapping[str, Any], directory: Path, *, ops_port: int | None = None
) -> AsyncIterator[RunningService]:
    """The service `name` (ks-account, ...) with `config` as its file under `directory`.

    `ops_port` is where a service answers /healthz that does not do so on its own port; the caller's
    configuration says the same. Raises StartFailed.
    """
    service = RunningService(name, config, directory, ops_port)
    try:
        await service.start()
        yield service
    finally:
        await service.stop()


def _healthy(url: str) -> None:
    check_http(f"{url}/healthz")
