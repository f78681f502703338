"""A connection of a client: its requests are answered in order, and what happens when it is slow or gone."""

import asyncio
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, cast

from ks_apigateway.proxy import tunnel
from ks_apigateway.proxy.answering import Answering
from ks_apigateway.proxy.exchange import Exchange
from ks_apigateway.proxy.limits import LAST_REQUEST, WRITE_BUFFER
from ks_apigateway.proxy.pool import PooledConnection
from ks_apigateway.proxy.reading import RequestReading
from ks_apigateway.proxy.request import Request
from servicekit.errors import RequestTimeout, ServiceError

if TYPE_CHECKING:
    from ks_apigateway.proxy.server import Server


class ClientConnection(RequestReading):
    """Answers requests one after the other, and reads no further than what it can answer."""

    __slots__ = ("_advancing", "write_blocked")

    def __init__(self, server: "Server") -> None:
        super().__init__(server)
        self.write_blocked = False
        self._advancing = False

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(WRITE_BUFFER)
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple) and peer:
            self._plain.address = str(peer[0]).partition("%")[0]
        if transport.get_extra_info("sslcontext"):
            self._plain.scheme = b"https"
        self.deadline = monotonic() + self.server.limits.header_timeout
        self.server.joined(self)

    def eof_received(self) -> None:
        """A client that sends no more wants no more: nothing else tells a watch that nobody listens."""

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self.unsent = b""
        self._parser = None
        self.deadline = inf
        self._deaf = True
        self._waiting.clear()
        self._receiving = None
        current, self._current = self._current, None
        if current is not None:
            current.detach()
            self.server.observe(current, aborted=True)
        self.server.left(self)

    def pause_writing(self) -> None:
        self.write_blocked = True
        if self._current is not None:
            self._current.client_writable(False)

    def resume_writing(self) -> None:
        self.write_blocked = False
        if self._current is not None:
            self._current.client_writable(True)

    # What an exchange asks of its client.

    @property
    def address(self) -> str:
        """Of the socket's other end."""
        return self._plain.address

    def abort(self) -> None:
        """Ends the connection at once, so that the client sees that its answer is not whole."""
        self.send_unsent()
        if self.transport is not None:
            self.transport.abort()

    def finished(self, answered: Answering) -> None:
        """An exchange is answered: the next one, or the end."""
        exchange = self._current
        if exchange is None or answered is not exchange:
            return
        self._current = None
        self.server.observe(exchange, aborted=False)
        if exchange.closes or not exchange.request_done:
            self._close_gently(whole=exchange.request_done)
            return
        limits = self.server.limits
        self.deadline = monotonic() + (limits.header_timeout if self._head_begun else limits.idle_timeout)
        if self._waiting:
            self.advance()
            self.update_reading()
        elif self.server.draining:
            self._close_gently(whole=True)
        elif not self._reading:
            self.update_reading()

    def become_tunnel(self, upstream: PooledConnection, rest: bytes) -> None:
        """From here on the bytes of both sides pass unread."""
        exchange, self._current = self._current, None
        self.deadline = inf
        assert exchange is not None
        assert self.transport is not None
        self.send_unsent()
        upstream.send_unsent()
        self.server.left(self)
        early, exchange.early = exchange.early, b""
        tunnel.splice(self.server, exchange, self.transport, upstream, early=early, rest=rest)

    def advance(self) -> None:
        """Begins with the next request, when it is its turn."""
        if self._advancing:
            return
        self._advancing = True
        while self._current is None and self._waiting and self.transport is not None:
            self._current = self._waiting.popleft()
            self.deadline = inf
            self._current.start()
        self._advancing = False

    def new_exchange(self, request: Request | None, refusal: ServiceError | None) -> Exchange:
        """An exchange of this client."""
        return Exchange(self, request, refusal)

    def update_reading(self) -> None:
        """Reads from the client, or lets it wait: while others wait already, or the upstream takes no
        more.
        """
        if self.transport is None or self.transport.is_closing():
            return
        current = self._current
        wanted = not self._waiting and (
            self._lingering
            or current is None
            or current.wants_data
            or (current.request_done and not current.early)
        )
        if wanted != self._reading:
            self._reading = wanted
            if wanted:
                self.transport.resume_reading()
            else:
                self.transport.pause_reading()

    # Time

    def sweep(self, now: float) -> None:
        """Acts when the deadline has passed."""
        if now < self.deadline:
            return
        self.deadline = inf
        if self._current is not None:
            self._current.timed_out()
        elif self._head_begun and not self._lingering:
            self._refuse_head(RequestTimeout("the headers of the request did not come in time"))
            self.advance()
        else:
            self.abort()

    def end(self) -> None:
        """Closes once everything is written, and hears no more."""
        self._deaf = True
        self.send_unsent()
        if self.transport is not None:
            self.transport.close()

    def drain(self) -> None:
        """The gateway stops: a connection ends after its answer. One without a request may ask once more, and
        soon: what it asks may be on its way already.
        """
        if self._current is None and not self._waiting:
            self.deadline = min(self.deadline, monotonic() + LAST_REQUEST)

    @property
    def is_long_running(self) -> bool:
        """Whether its answer goes on until somebody ends it."""
        request = self._current.request if self._current is not None else None
        return request is not None and request.long_running

    # Its own

    def _close_gently(self, *, whole: bool) -> None:
        self._deaf = True
        self._waiting.clear()
        self.send_unsent()
        if self.transport is None:
            return
        if whole:
            self.transport.close()
            return
        # Closing with unread bytes would reset the connection, and the client might never see the answer.
        self._lingering = True
        self._receiving = None
        self.deadline = monotonic() + self.server.limits.linger
        self.update_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
