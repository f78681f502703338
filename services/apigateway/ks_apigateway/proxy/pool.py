"""The servers of one upstream, and the connections to them that are kept for the next request."""

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass, field
from time import monotonic
from urllib.parse import urlsplit

from ks_apigateway.proxy.limits import UpstreamLimits
from ks_apigateway.proxy.upstream import UpstreamConnection
from servicekit.errors import Overloaded, Unavailable


@dataclass(slots=True)
class Server:
    """One address of an upstream."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    server_name: str | None = None
    prefix: bytes = b""
    """A path that goes before that of every request."""
    down_until: float = 0.0
    idle: deque[UpstreamConnection] = field(default_factory=deque)

    @classmethod
    def of(cls, url: str, tls: ssl.SSLContext | None = None, server_name: str | None = None) -> "Server":
        """From `http://host:port/prefix` or `https://...`; without `tls`, https is verified by the
        system's CAs.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"{url!r} must look like http://host:port or https://host:port")
        secure = parts.scheme == "https"
        return cls(
            host=parts.hostname,
            port=parts.port or (443 if secure else 80),
            tls=(tls or ssl.create_default_context()) if secure else None,
            server_name=server_name,
            prefix=parts.path.rstrip("/").encode("ascii"),
        )

    @property
    def authority(self) -> bytes:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (host if self.port in (80, 443) else f"{host}:{self.port}").encode("ascii")


class PooledConnection(UpstreamConnection):
    """A connection that knows the server it goes to."""

    __slots__ = ("holds_place", "server")

    def __init__(self, pool: "Pool", server: Server) -> None:
        super().__init__(pool)
        self.server = server
        self.holds_place = False


class Pool:
    """Connections to the servers of one upstream: bounded, servers in turn, of each the one used last.

    Where as many are open as may be, requests wait in a queue for what others free. A server that refuses a
    connection is left out for a while when there is another one.
    """

    def __init__(self, name: str, servers: list[Server], limits: UpstreamLimits) -> None:
        self.name = name
        self.servers = servers
        self.limits = limits
        self.open = 0
        self._turn = 0
        self._idle = 0
        self._waiting: deque[asyncio.Future[PooledConnection | None]] = deque()

    @property
    def idle(self) -> int:
        return self._idle

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def take(self) -> PooledConnection | None:
        """A kept connection to the server whose turn it is, or None where one must be made: see `connect`."""
        servers = self.servers
        if len(servers) > 1:
            self._turn = (self._turn + 1) % len(servers)
            servers = self._in_turn()
        elif not self._idle:
            return None
        for server in servers:
            while server.idle:
                connection = server.idle.pop()
                self._idle -= 1
                if connection.is_open:
                    assert isinstance(connection, PooledConnection)
                    return connection
            if self.open < self.limits.connections:
                return None
        return None

    async def connect(self) -> PooledConnection:
        """A new connection, or one that became free in the queue where the pool is full.

        Raises Unavailable when no server accepts, Overloaded when too many wait already.
        """
        try:
            async with asyncio.timeout(self.limits.connect_timeout):
                while (freed := await self._admit()) is not None:
                    if freed.is_open:
                        return freed
                return await self._connect()
        except TimeoutError:
            within = f"within {self.limits.connect_timeout:g} s"
            if self.open >= self.limits.connections:
                raise Overloaded(f"{self.name} had no free connection {within}") from None
            raise Unavailable(self.name, f"no connection {within}") from None

    def release(self, connection: PooledConnection) -> None:
        """Takes a connection back whose answer is complete."""
        if connection.transport is None:
            return
        if connection.paused:
            connection.read_on(True)
        if (place := self._first_waiting()) is not None:
            place.set_result(connection)
            return
        if self._idle >= self.limits.idle:
            connection.close()
            return
        connection.idle_since = monotonic()
        connection.server.idle.append(connection)
        self._idle += 1

    def forget(self, connection: UpstreamConnection) -> None:
        """A connection has ended."""
        assert isinstance(connection, PooledConnection)
        if connection.holds_place:
            connection.holds_place = False
            self._free_place()
        try:
            connection.server.idle.remove(connection)
        except ValueError:
            return
        self._idle -= 1

    def sweep(self, now: float) -> None:
        """Closes what was kept for too long."""
        for server in self.servers:
            while server.idle and now - server.idle[0].idle_since > self.limits.idle_timeout:
                server.idle.popleft().close()
                self._idle -= 1

    def close(self) -> None:
        """Closes what is kept."""
        self.sweep(float("inf"))

    async def _admit(self) -> PooledConnection | None:
        """Waits for its turn: a connection that another request freed, or None for the right to make one."""
        if self.open < self.limits.connections:
            self.open += 1
            return None
        if len(self._waiting) >= self.limits.queue:
            raise Overloaded(f"too many requests wait for {self.name}")
        place: asyncio.Future[PooledConnection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            return await place
        except asyncio.CancelledError:
            if not place.done() or place.cancelled():
                self._waiting.remove(place)
            elif (freed := place.result()) is not None:
                self.release(freed)
            else:
                self._free_place()
            raise

    def _first_waiting(self) -> asyncio.Future[PooledConnection | None] | None:
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                return place
        return None

    def _free_place(self) -> None:
        place = self._first_waiting()
        if place is not None:
            place.set_result(None)
        else:
            self.open -= 1

    async def _connect(self) -> PooledConnection:
        problem = "it has no servers"
        connected = False
        try:
            for server in self._in_turn():
                try:
                    # A server that does not even refuse must leave time for the others.
                    async with asyncio.timeout(self.limits.connect_timeout / len(self.servers)):
                        connection = await self._reach(server)
                except OSError as error:
                    problem = f"{server.host}:{server.port}: {_told(error)}"
                    server.down_until = monotonic() + self.limits.ejection
                else:
                    connected = connection.holds_place = True
                    server.down_until = 0.0
                    return connection
        finally:
            if not connected:
                self._free_place()
        raise Unavailable(self.name, problem)

    async def _reach(self, server: Server) -> PooledConnection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: PooledConnection(self, server),
            server.host,
            server.port,
            ssl=server.tls,
            server_hostname=(server.server_name or server.host) if server.tls else None,
        )
        if connection.transport is None:
            raise ConnectionResetError("closed the connection at once")
        return connection

    def _in_turn(self) -> list[Server]:
        turned = self.servers[self._turn :] + self.servers[: self._turn]
        now = monotonic()
        return sorted(turned, key=lambda server: server.down_until > now)


def _told(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no connection in time"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    return error.strerror or str(error) or type(error).__name__
