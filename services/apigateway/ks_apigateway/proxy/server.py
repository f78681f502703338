"""The listening side: connections of clients, their number, their deadlines and their end."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Protocol

from ks_apigateway.proxy.client import ClientConnection
from ks_apigateway.proxy.exchange import Exchange
from ks_apigateway.proxy.limits import LAST_REQUEST, ClientLimits
from ks_apigateway.proxy.outcome import Handler
from ks_apigateway.proxy.plain import Heads
from ks_apigateway.proxy.pool import Pool
from ks_apigateway.proxy.tunnel import Tunnel

log = logging.getLogger(__name__)

SWEEP_INTERVAL = 0.5
"""Seconds between two looks at every deadline: one timer for all connections costs less than one each."""

BACKLOG = 4096

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: 80\r\n"
    b"retry-after: 1\r\nconnection: close\r\n\r\n"
    b'{"message":"the gateway has too many connections already","reason":"Overloaded"}'
)


class Observer(Protocol):
    """Who is told of every request that ended."""

    def request_ended(self, exchange: Exchange, *, aborted: bool) -> None: ...


class Server:
    """Accepts clients. `handler` decides what becomes of each request; `pools` gives the pools to look
    after.
    """

    def __init__(
        self,
        handler: Handler,
        observer: Observer,
        limits: ClientLimits,
        *,
        pools: Callable[[], Iterable[Pool]],
        is_trusted: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self.handler = handler
        self.limits = limits
        self.is_trusted = is_trusted
        self.heads: Heads = {}
        self.draining = False
        self.connections: set[ClientConnection] = set()
        self.tunnels: set[Tunnel] = set()
        self.observe = observer.request_ended
        """Told of every request that has ended, well or not."""
        self._pools = pools
        self._listeners: list[asyncio.Server] = []
        self._doors: list[tuple[socket.socket, ssl.SSLContext | None]] = []
        self._sweeper: asyncio.TimerHandle | None = None

    async def listen(self, sock: socket.socket, *, tls: ssl.SSLContext | None = None) -> None:
        """Begins to accept at `sock`, which is bound already."""
        loop = asyncio.get_running_loop()
        _keep_alive(sock)
        self._doors.append((sock.dup(), tls))
        listener = await loop.create_server(
            lambda: ClientConnection(self),
            sock=sock,
            ssl=tls,
            ssl_handshake_timeout=self.limits.header_timeout if tls else None,
            backlog=BACKLOG,
        )
        self._listeners.append(listener)
        if self._sweeper is None:
            self._sweeper = loop.call_later(SWEEP_INTERVAL, self._sweep)

    async def stop(self, grace: float) -> None:
        """Accepts no more; lets requests end within `grace` seconds, then ends watches and tunnels too."""
        self.draining = True
        for listener in self._listeners:
            listener.close()
        await self._take_waiting()
        for connection in list(self.connections):
            connection.drain()
        deadline = monotonic() + grace
        while monotonic() < deadline and self._has_ordinary_requests():  # noqa: ASYNC110  once in a life
            await asyncio.sleep(0.05)
        for tunnel in list(self.tunnels):
            tunnel.close()
        for connection in list(self.connections):
            connection.abort()
        await asyncio.sleep(0)
        if self._sweeper is not None:
            self._sweeper.cancel()
        for pool in self._pools():
            pool.close()

    async def _take_waiting(self) -> None:
        """Accepts whoever the kernel has let in already: with the last descriptor of a listening socket, it
        would reset them.
        """
        loop = asyncio.get_running_loop()
        accepted: list[tuple[socket.socket, ssl.SSLContext | None]] = []
        for door, tls in self._doors:
            with contextlib.suppress(OSError):
                while True:
                    accepted.append((door.accept()[0], tls))
            door.close()
        for sock, tls in accepted:
            sock.setblocking(False)
            timeout = self.limits.header_timeout if tls else None
            with contextlib.suppress(OSError):
                await loop.connect_accepted_socket(
                    lambda: ClientConnection(self), sock, ssl=tls, ssl_handshake_timeout=timeout
                )

    def _has_ordinary_requests(self) -> bool:
        return any(not each.is_long_running for each in self.connections)

    # What connections report.

    def joined(self, connection: ClientConnection) -> None:
        """A client has come; one too many is told so and sent away."""
        self.connections.add(connection)
        if self.draining:
            # It was in the kernel's queue when the listener closed: it may ask once, and soon.
            connection.deadline = monotonic() + LAST_REQUEST
        elif len(self.connections) + len(self.tunnels) > self.limits.connections:
            connection.write(_FULL)
            connection.end()

    def left(self, connection: ClientConnection) -> None:
        self.connections.discard(connection)

    def tunnel_opened(self, tunnel: Tunnel) -> None:
        self.tunnels.add(tunnel)

    def tunnel_closed(self, tunnel: Tunnel) -> None:
        self.tunnels.discard(tunnel)
        self.observe(tunnel.exchange, aborted=False)

    def _sweep(self) -> None:
        self._sweeper = asyncio.get_running_loop().call_later(SWEEP_INTERVAL, self._sweep)
        now = monotonic()
        for connection in [each for each in self.connections if each.deadline <= now]:
            try:
                connection.sweep(now)
            except Exception:
                log.exception("a connection could not be ended")
        for pool in self._pools():
            pool.sweep(now)


def _keep_alive(sock: socket.socket) -> None:
    """Has the kernel ask silent clients whether they are there; accepted sockets inherit this.

    A watch has no timeout: nothing else would notice that its client lost power.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 15), (socket.TCP_KEEPCNT, 4)):
        sock.setsockopt(socket.IPPROTO_TCP, option, value)
