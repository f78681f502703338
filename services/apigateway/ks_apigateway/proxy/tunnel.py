"""After 101: two connections, and bytes between them, until either side ends."""

import asyncio
from typing import TYPE_CHECKING

from ks_apigateway.proxy.limits import WRITE_BUFFER

if TYPE_CHECKING:
    from ks_apigateway.proxy.exchange import Exchange
    from ks_apigateway.proxy.pool import PooledConnection
    from ks_apigateway.proxy.server import Server


class TunnelEnd(asyncio.Protocol):
    """One side. What it receives goes to the other; when the other cannot take more, it reads no further."""

    __slots__ = ("peer", "received", "transport", "tunnel")

    def __init__(self, tunnel: "Tunnel", transport: asyncio.Transport) -> None:
        self.tunnel = tunnel
        self.transport = transport
        self.peer: TunnelEnd | None = None
        self.received = 0

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        if self.peer is not None:
            self.peer.transport.write(data)

    def eof_received(self) -> None:
        """Ends this side too; `connection_lost` ends the other once it has what is on its way."""

    def connection_lost(self, exc: Exception | None) -> None:
        self.tunnel.ended(self)

    def pause_writing(self) -> None:
        if self.peer is not None:
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.peer is not None:
            self.peer.transport.resume_reading()


class Tunnel:
    """Both sides of an upgraded connection."""

    __slots__ = ("client", "exchange", "server", "upstream", "upstream_connection")

    def __init__(
        self,
        server: "Server",
        exchange: "Exchange",
        client: asyncio.Transport,
        connection: "PooledConnection",
    ) -> None:
        assert connection.transport is not None
        self.server = server
        self.exchange = exchange
        self.upstream_connection = connection
        self.client = TunnelEnd(self, client)
        self.upstream = TunnelEnd(self, connection.transport)
        self.client.peer, self.upstream.peer = self.upstream, self.client

    def ended(self, end: TunnelEnd) -> None:
        """One side is gone: the other follows when it has been given everything."""
        if end.peer is not None:
            other, end.peer = end.peer, None
            other.transport.close()
            return
        self.exchange.bytes_in = self.client.received
        self.exchange.bytes_out = self.upstream.received
        connection = self.upstream_connection
        connection.transport = None
        connection.pool.forget(connection)
        self.server.tunnel_closed(self)

    def close(self) -> None:
        """Ends both sides."""
        self.client.transport.close()
        self.upstream.transport.close()


def splice(
    server: "Server",
    exchange: "Exchange",
    client: asyncio.Transport,
    connection: "PooledConnection",
    *,
    early: bytes,
    rest: bytes,
) -> Tunnel:
    """Makes a tunnel of two connections. `early` came from the client before the answer, `rest` after its
    head.
    """
    tunnel = Tunnel(server, exchange, client, connection)
    for end, waiting in ((tunnel.client, rest), (tunnel.upstream, early)):
        end.transport.set_protocol(end)
        end.transport.set_write_buffer_limits(WRITE_BUFFER)
        if waiting:
            end.transport.write(waiting)
    server.tunnel_opened(tunnel)
    client.resume_reading()
    tunnel.upstream.transport.resume_reading()
    return tunnel
