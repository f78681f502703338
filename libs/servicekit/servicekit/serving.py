"""Listening, serving, and stopping without dropping a request."""

import asyncio
import logging
import signal
import socket
from pathlib import Path

import uvloop
from aiohttp import web

from servicekit.accepting import EagerSite
from servicekit.access_log import AccessLog, flush
from servicekit.app import Service
from servicekit.connections import BoundedRunner
from servicekit.sections import split_address

log = logging.getLogger("servicekit.serve")
BACKLOG = 1024
LINGER = 2.0
"""Seconds in which the rest of a refused body is read, so that the client gets to see the answer."""


class ListenError(Exception):
    """The address cannot be listened at."""


def serve(service: Service, address_file: str | None = None) -> None:
    """Serves until SIGTERM or SIGINT, then finishes what it has begun. Raises ListenError, ConfigError."""

    def open_sockets() -> list[socket.socket]:
        server = service.config.server
        sockets = [listen(address) for address in (server.listen, server.ops_listen) if address]
        announce(service, sockets[0], address_file)
        return sockets

    if service.config.server.workers > 1:
        from servicekit.workers import prepare, serve_with_workers  # slow to import, and rarely needed

        prepare()
        serve_with_workers(service, open_sockets, make_runner)
    else:
        sockets = open_sockets()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(service, sockets))


def listen(address: str, *, shared: bool = False) -> socket.socket:
    """A socket that listens at `host:port`, `shared` with others of this user's that are so too. Raises
    ListenError with the reason.
    """
    host, port = split_address(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        found = socket.getaddrinfo(host or "0.0.0.0", port, family, socket.SOCK_STREAM)[0]  # noqa: S104
        sock = socket.socket(found[0], found[1])
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(found[4])
        sock.listen(BACKLOG)
    except OSError as error:
        raise ListenError(f"cannot listen at {address}: {error.strerror or error}") from None
    sock.setblocking(False)
    return sock


def announce(service: Service, sock: socket.socket, address_file: str | None) -> None:
    """Logs the address that is listened at, and writes it to `address_file` for who started the service."""
    host, port = sock.getsockname()[:2]
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    log.info("%s listens at %s", service.name, address, extra={"address": address})
    for warning in service.config.warnings:
        log.warning("%s", warning)
    if address_file:
        partial = Path(f"{address_file}.partial")
        try:
            partial.write_text(address)
            partial.rename(address_file)
        except OSError as error:
            raise ListenError(f"cannot write {address_file}: {error.strerror or error}") from None


def make_runner(service: Service) -> web.AppRunner:
    """The runner of the service's application, with its limits."""
    server = service.config.server
    application = service.application()
    application.on_cleanup.append(_write_last_lines)
    return BoundedRunner(
        application,
        limit=server.max_connections,
        access_log_class=AccessLog,
        access_log=logging.getLogger("servicekit.access"),
        shutdown_timeout=server.shutdown_grace / 2,  # aiohttp waits for it twice before it cancels a handler
        keepalive_timeout=server.idle_timeout,
        max_line_size=server.max_header,
        max_field_size=server.max_header,
        max_headers=server.max_headers,
        lingering_time=LINGER,
    )


async def _write_last_lines(app: web.Application) -> None:
    flush()


async def _serve(service: Service, sockets: list[socket.socket]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    runner = make_runner(service)
    await runner.setup()
    try:
        for sock in sockets:
            await EagerSite(runner, sock).start()
        await stop.wait()
        log.info("%s stops: it finishes the requests it has", service.name)
    finally:
        await runner.cleanup()
    log.info("%s has stopped", service.name)
