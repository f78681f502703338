"""A connection of a client: bytes to requests, in order, and what happens when it is slow, wrong or gone."""

import asyncio
import logging
from collections import deque
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, cast

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpRequestParser

from ks_apigateway.proxy import tunnel
from ks_apigateway.proxy.errors import HeadersTooLarge
from ks_apigateway.proxy.exchange import Exchange
from ks_apigateway.proxy.headers import Fields, Rule, classify
from ks_apigateway.proxy.limits import WRITE_BUFFER
from ks_apigateway.proxy.pool import PooledConnection
from ks_apigateway.proxy.request import Request
from servicekit.errors import BadRequest, MethodNotAllowed, RequestTimeout, ServiceError

if TYPE_CHECKING:
    from ks_apigateway.proxy.server import Server

log = logging.getLogger(__name__)

_REFUSE = Rule.REFUSE


class ClientConnection(asyncio.Protocol):
    """Reads requests with httptools (llhttp without any leniency), and answers them one after the other."""

    __slots__ = (
        "_advancing",
        "_current",
        "_deaf",
        "_fields",
        "_fields_bytes",
        "_head_begun",
        "_head_bytes",
        "_lingering",
        "_parser",
        "_reading",
        "_receiving",
        "_refusal",
        "_scheme",
        "_target",
        "_waiting",
        "address",
        "deadline",
        "server",
        "transport",
        "write_blocked",
    )

    def __init__(self, server: "Server") -> None:
        self.server = server
        self.transport: asyncio.Transport | None = None
        self.deadline = inf
        self.write_blocked = False
        self._parser = HttpRequestParser(self)
        self.address = ""
        self._scheme = b"http"
        self._current: Exchange | None = None
        self._receiving: Exchange | None = None
        self._waiting: deque[Exchange] = deque()
        self._refusal: ServiceError | None = None
        self._fields: Fields = []
        self._fields_bytes = 0
        self._target = b""
        self._head_begun = False
        self._head_bytes = 0
        self._advancing = False
        self._deaf = False
        self._lingering = False
        self._reading = True

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(WRITE_BUFFER)
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]).partition("%")[0] if isinstance(peer, tuple) and peer else "::"
        self._scheme = b"https" if transport.get_extra_info("sslcontext") else b"http"
        self.deadline = monotonic() + self.server.limits.header_timeout
        self.server.joined(self)

    def data_received(self, data: bytes) -> None:
        if self._lingering:
            return
        if self._deaf:
            self._keep_early(data)
            return
        if self._receiving is None:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self._stop_parsing(data[upgrade.args[0] :])
        except HttpParserCallbackError as error:
            log.exception("a request could not be taken apart", exc_info=error.__context__)
            self._refuse_head(ServiceError("the gateway failed to read the request"))
        except HttpParserError as error:
            if not self._deaf:
                self._misunderstood(error)
        else:
            if self._head_begun and self._head_bytes > self.server.limits.header_bytes:
                self._refuse_head(self._too_large())
        self._advance()
        self.update_reading()

    def eof_received(self) -> None:
        """A client that sends no more wants no more: nothing else tells a watch that nobody listens."""

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
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

    # HttpRequestParser

    def on_message_begin(self) -> None:
        self._fields = []
        self._fields_bytes = 0
        self._target = b""
        self._head_begun = True
        if self._current is None and not self._waiting:
            self.deadline = monotonic() + self.server.limits.header_timeout

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        lower, rule = classify(name)
        if self._receiving is not None:
            self._on_trailer(lower, value)
            return
        if rule is _REFUSE and self._refusal is None:
            self._refusal = BadRequest(
                f"the header {name.decode('ascii', 'replace')} must be spelt with dashes"
            )
        value = value.rstrip(b" \t")
        self._fields_bytes += len(lower) + len(value) + 4
        self._fields.append((lower, value))

    def _on_trailer(self, name: bytes, value: bytes) -> None:
        assert self._receiving is not None
        trailers = self._receiving.trailers
        if len(trailers) < self.server.limits.headers:
            trailers.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        if self._deaf:
            return
        self._head_begun = False
        refusal, self._refusal = self._refusal, None
        request: Request | None = None
        limits = self.server.limits
        size = len(self._target) + self._fields_bytes
        if size > limits.header_bytes or len(self._fields) > limits.headers:
            refusal = self._too_large()
        elif refusal is None:
            try:
                request = Request(
                    self._parser.get_method(),
                    self._target,
                    self._parser.get_http_version(),
                    self._fields,
                    address=self.address,
                    scheme=self._scheme,
                    peer_is_trusted=self.server.is_trusted,
                )
            except ServiceError as error:
                refusal = error
        exchange = Exchange(self, request, refusal)
        self._waiting.append(exchange)
        if request is None or len(self._waiting) > limits.pipelined:
            self._deaf = True
            exchange.closes = True
        else:
            self._receiving = exchange

    def on_body(self, data: bytes) -> None:
        if self._receiving is not None:
            self._receiving.request_data(data)

    def on_message_complete(self) -> None:
        exchange, self._receiving = self._receiving, None
        self._head_bytes = 0
        if exchange is None:
            return
        exchange.request_end()
        if exchange.closes:
            self._deaf = True

    # What an exchange asks of its client.

    def write(self, data: bytes) -> None:
        if self.transport is not None:
            self.transport.write(data)

    def abort(self) -> None:
        """Ends the connection at once, so that the client sees that its answer is not whole."""
        if self.transport is not None:
            self.transport.abort()

    def finished(self, exchange: Exchange) -> None:
        """`exchange` is answered: the next one, or the end."""
        if exchange is not self._current:
            return
        self._current = None
        self.server.observe(exchange, aborted=False)
        if exchange.closes or not exchange.request_done:
            self._close_gently(whole=exchange.request_done)
            return
        limits = self.server.limits
        self.deadline = monotonic() + (limits.header_timeout if self._head_begun else limits.idle_timeout)
        if self.server.draining and not self._waiting:
            self._close_gently(whole=True)
            return
        self._advance()
        self.update_reading()

    def become_tunnel(self, exchange: Exchange, upstream: PooledConnection, rest: bytes) -> None:
        """From here on the bytes of both sides pass unread."""
        self._current = None
        self.deadline = inf
        assert self.transport is not None
        self.server.left(self)
        early, exchange.early = exchange.early, b""
        tunnel.splice(self.server, exchange, self.transport, upstream, early=early, rest=rest)

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
            self._advance()
        else:
            self.abort()

    def end(self) -> None:
        """Closes once everything is written, and hears no more."""
        self._deaf = True
        if self.transport is not None:
            self.transport.close()

    def drain(self) -> None:
        """The gateway stops: a connection without a request ends now, any other after its answer."""
        if self._current is None and not self._waiting and self.transport is not None:
            self.transport.close()

    @property
    def is_long_running(self) -> bool:
        """Whether its answer goes on until somebody ends it."""
        request = self._current.request if self._current is not None else None
        return request is not None and request.long_running

    # Its own

    def _advance(self) -> None:
        if self._advancing:
            return
        self._advancing = True
        while self._current is None and self._waiting and self.transport is not None:
            self._current = self._waiting.popleft()
            self.deadline = inf
            self._current.start()
        self._advancing = False

    def _misunderstood(self, error: HttpParserError) -> None:
        receiving = self._receiving
        refusal: ServiceError = BadRequest(f"the request is malformed: {error}")
        if "method" in str(error).lower():
            refusal = MethodNotAllowed(f"the request is malformed: {error}")
        if receiving is None:
            self._refuse_head(refusal)
            return
        self._deaf = True
        self._receiving = None
        receiving.closes = True
        if receiving is self._current:
            receiving.refuse(refusal)
        else:
            receiving.refusal = refusal

    def _refuse_head(self, error: ServiceError) -> None:
        self._deaf = True
        self._head_begun = False
        self._waiting.append(Exchange(self, None, error))

    def _too_large(self) -> HeadersTooLarge:
        limits = self.server.limits
        return HeadersTooLarge(
            f"the request line and headers exceed {limits.header_bytes} bytes or {limits.headers} headers"
        )

    def _stop_parsing(self, rest: bytes) -> None:
        """llhttp reads no further than a request to upgrade, and neither do we, whatever the answer is."""
        self._deaf = True
        last = self._waiting[-1] if self._waiting else self._current
        if last is not None:
            last.closes = True
            last.early = rest

    def _keep_early(self, data: bytes) -> None:
        """Bytes for a tunnel that is not there yet; other bytes that nobody will read are dropped."""
        current = self._current
        if current is not None and current.request is not None and current.request.upgrade:
            current.early += data
            self.update_reading()

    def _close_gently(self, *, whole: bool) -> None:
        if self.transport is None:
            return
        if whole:
            self.transport.close()
            return
        # Closing with unread bytes would reset the connection, and the client might never see the answer.
        self._lingering = True
        self._receiving = None
        self._waiting.clear()
        self.deadline = monotonic() + self.server.limits.linger
        self.update_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
