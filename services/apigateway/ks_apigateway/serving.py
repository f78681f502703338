"""One process of the gateway: its listeners, what runs beside them, and its end."""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import uvloop
from aiohttp import web
from prometheus_client import REGISTRY

from ks_apigateway import output, reload, tls
from ks_apigateway.access_log import AccessLog
from ks_apigateway.app import GatewayService
from ks_apigateway.observation import GatewayCollector, Observation
from ks_apigateway.proxy.server import Server
from ks_apigateway.workers.assignment import Assignment
from servicekit.metrics import REQUEST_DURATION
from servicekit.serving import announce, listen, make_runner

log = logging.getLogger(__name__)

GC_THRESHOLD = 10_000
"""Objects between two looks for cycles: connections are in some, what is made for one request is not."""
OWN_API = "127.0.0.1:0"


@dataclass(frozen=True, slots=True)
class Doors:
    """Where clients come in, and where operations are served."""

    plain: socket.socket
    secure: socket.socket | None
    operations: socket.socket


def serve(service: GatewayService, address_file: str | None = None) -> None:
    """Serves until SIGTERM or SIGINT, then drains. Raises ListenError, ConfigError."""
    assignment = Assignment.given()
    if assignment is not None:
        run(service, Doors(assignment.plain(), assignment.secure(), assignment.operations()), assignment)
    elif service.settings.server.workers > 1:
        from ks_apigateway.workers.supervisor import supervise

        supervise(service, address_file)
    else:
        gateway = service.settings.gateway
        operations = listen(service.config.server.listen)
        plain = listen(service.settings.server.listen)
        secure = listen(gateway.tls_listen) if gateway.tls_listen else None
        announce(service, plain, address_file)
        run(service, Doors(plain, secure, operations))


def run(service: GatewayService, doors: Doors, assignment: Assignment | None = None) -> None:
    """Serves at `doors` in this process; a worker also ends when its supervisor does."""
    if assignment is not None:
        output.expect_others()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 20)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(service, doors, assignment))


async def _serve(service: GatewayService, doors: Doors, assignment: Assignment | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if assignment is not None:
        assignment.on_orphaned(stop.set)
    certificate = tls.context(service.settings.gateway)
    loop.add_signal_handler(signal.SIGHUP, partial(_read_again, service, certificate))
    runner = make_runner(service)
    await runner.setup()
    try:
        await web.SockSite(runner, doors.operations).start()
        own = listen(OWN_API)
        await web.SockSite(runner, own).start()
        service.gateway.upstreams.serve_own("http://{}:{}".format(*own.getsockname()))
        async with _data_plane(service, doors, certificate):
            await stop.wait()
            log.info("%s stops: it finishes the requests it has", service.name)
            assert service.health is not None
            service.health.stopping.set()
    finally:
        await runner.cleanup()
    log.info("%s has stopped", service.name)


def _read_again(service: GatewayService, certificate: ssl.SSLContext | None) -> None:
    """SIGHUP: the files that are watched, now."""
    gateway = service.settings.gateway
    if gateway.routes_file is not None:
        reload.reload_routes(service.gateway, gateway.routes_file)
    if certificate is not None:
        tls.renew(certificate, gateway)


@contextlib.asynccontextmanager
async def _data_plane(
    service: GatewayService, doors: Doors, certificate: ssl.SSLContext | None
) -> AsyncIterator[None]:
    settings, gateway = service.settings, service.gateway
    access_log = AccessLog()
    observation = Observation(access_log, service.trail)
    server = Server(
        gateway.handle,
        observation,
        settings.gateway.clients,
        pools=lambda: gateway.upstreams,
        is_trusted=settings.gateway.is_trusted,
    )
    collector = GatewayCollector(observation, server, gateway.upstreams, service.sessions, gateway.limiter)
    REGISTRY.unregister(REQUEST_DURATION)  # the collector tells of it: a name stands there once
    REGISTRY.register(collector)
    tasks = [asyncio.create_task(access_log.run(), name="access log"), *_watches(service, certificate)]
    if service.trail is not None:
        service.trail.start()
    await server.listen(doors.plain)
    if doors.secure is not None:
        await server.listen(doors.secure, tls=certificate)
    try:
        yield
    finally:
        await server.stop(settings.server.shutdown_grace)
        REGISTRY.unregister(collector)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if service.trail is not None:
            await service.trail.stop()


def _watches(service: GatewayService, certificate: ssl.SSLContext | None) -> list[asyncio.Task[None]]:
    gateway = service.settings.gateway
    watches: list[reload.FileWatch] = []
    if gateway.routes_file is not None:
        again = partial(reload.reload_routes, service.gateway, gateway.routes_file)
        watches.append(reload.FileWatch([gateway.routes_file], again))
    if certificate is not None:
        files = [Path(file) for file in (gateway.tls_cert_file, gateway.tls_key_file) if file is not None]
        watches.append(reload.FileWatch(files, partial(tls.renew, certificate, gateway)))
    return [asyncio.create_task(watch.run(), name="file watch") for watch in watches]
