"""Several processes for one service, supervised by gunicorn with aiohttp's uvloop workers."""

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable
from typing import Any, cast

from aiohttp import web
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from prometheus_client import multiprocess

from servicekit.app import Service
from servicekit.metrics import MULTIPROCESS_DIRECTORY

# gunicorn has no types of its own.
_Application = cast("type[Any]", BaseApplication)
_Logger = cast("type[Any]", Logger)

WORKER = "aiohttp.GunicornUVLoopWebWorker"
MakeRunner = Callable[[Service], web.AppRunner]
OpenSockets = Callable[[], list[socket.socket]]


def prepare() -> None:
    """Starts this program anew with a directory where its workers leave their metrics, unless it has one.

    prometheus_client looks for the directory when it is imported, which has happened by now.
    """
    if MULTIPROCESS_DIRECTORY not in os.environ:
        os.environ[MULTIPROCESS_DIRECTORY] = tempfile.mkdtemp(prefix="servicekit-metrics-")
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606


def serve_with_workers(service: Service, open_sockets: OpenSockets, make_runner: MakeRunner) -> None:
    """Serves from server.workers processes until SIGTERM or SIGINT.

    `open_sockets` is called once, `make_runner` in each process. gunicorn replaces a worker that dies, and
    kills what has not stopped within server.shutdownGrace.
    """
    supervisor = os.getpid()
    try:
        _Supervisor(service, open_sockets(), make_runner).run()
    finally:
        if os.getpid() == supervisor:  # workers are forks, and come by here as well
            shutil.rmtree(os.environ[MULTIPROCESS_DIRECTORY], ignore_errors=True)


class _Supervisor(_Application):
    """gunicorn, with its settings from ours instead of from a command line."""

    def __init__(self, service: Service, sockets: list[socket.socket], make_runner: MakeRunner):
        self._service = service
        self._sockets = sockets
        self._make_runner = make_runner
        super().__init__()  # pyright: ignore[reportUnknownMemberType]

    def load_config(self) -> None:
        server = self._service.config.server
        settings: dict[str, Any] = {
            "bind": [f"fd://{sock.detach()}" for sock in self._sockets],
            "workers": server.workers,
            "worker_class": WORKER,
            "graceful_timeout": int(server.shutdown_grace) + 1,
            "proc_name": self._service.name,
            "logger_class": _Logs,
            "child_exit": _forget_metrics,
            "control_socket_disable": True,
        }
        for key, value in settings.items():
            self.cfg.set(key, value)

    def load(self) -> Any:
        async def runner() -> web.AppRunner:
            return self._make_runner(self._service)

        return runner


class _Logs(_Logger):
    """gunicorn's own messages through the service's log."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)  # pyright: ignore[reportUnknownMemberType]
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True


def _forget_metrics(arbiter: Any, worker: Any) -> None:
    """Drops the gauges of a worker that has ended; its counters stay in the sums."""
    multiprocess.mark_process_dead(worker.pid)  # pyright: ignore[reportUnknownMemberType]
