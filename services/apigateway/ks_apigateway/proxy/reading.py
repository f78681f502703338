"""The bytes of a client to its requests, in order; what it must not send ends its connection."""

import logging
from abc import ABC, abstractmethod
from collections import deque
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpRequestParser

from ks_apigateway.proxy import target
from ks_apigateway.proxy.errors import HeadersTooLarge
from ks_apigateway.proxy.exchange import Exchange
from ks_apigateway.proxy.headers import Fields, Rule, classify
from ks_apigateway.proxy.outbox import Sender
from ks_apigateway.proxy.plain import PlainReader
from ks_apigateway.proxy.request import Request
from servicekit.errors import BadRequest, MethodNotAllowed, ServiceError

if TYPE_CHECKING:
    from ks_apigateway.proxy.server import Server

log = logging.getLogger(__name__)

_REFUSE = Rule.REFUSE


class RequestReading(Sender, ABC):
    """Puts requests into `_waiting`, the one whose body still comes into `_receiving` too.

    Those that leave nothing to doubt are read by a `PlainReader`, all others by httptools (llhttp without any
    leniency), which sees a request from its first byte to its last, or nothing of it.
    """

    __slots__ = (
        "_current",
        "_deaf",
        "_fields",
        "_fields_bytes",
        "_head_begun",
        "_head_bytes",
        "_left",
        "_lingering",
        "_most_pipelined",
        "_parser",
        "_plain",
        "_reading",
        "_receiving",
        "_refusal",
        "_target",
        "_waiting",
        "deadline",
        "server",
    )

    def __init__(self, server: "Server") -> None:
        super().__init__()
        self.server = server
        self._most_pipelined = server.limits.pipelined
        self.deadline = inf
        self._plain = PlainReader("::", b"http", server.limits, server.is_trusted, server.heads)
        self._parser: HttpRequestParser | None = None
        self._current: Exchange | None = None
        self._receiving: Exchange | None = None
        self._waiting: deque[Exchange] = deque()
        self._left = 0
        self._refusal: ServiceError | None = None
        self._fields: Fields = []
        self._fields_bytes = 0
        self._target = b""
        self._head_begun = False
        self._head_bytes = 0
        self._deaf = False
        self._lingering = False
        self._reading = True

    @abstractmethod
    def advance(self) -> None:
        """Begins with the next request, when it is its turn."""

    @abstractmethod
    def update_reading(self) -> None:
        """Reads from the client, or lets it wait."""

    @abstractmethod
    def new_exchange(self, request: Request | None, refusal: ServiceError | None) -> Exchange:
        """An exchange of this client."""

    def data_received(self, data: bytes) -> None:
        if self._lingering:
            return
        if self._deaf:
            self._keep_early(data)
            return
        if self._left:
            data = self._take_body(data)
        while data and self._receiving is None and not self._head_begun and not self._deaf:
            read = self._plain.read(data)
            if read is None:
                break
            data = self._take(read[0], data, read[1])
        if data and not self._deaf:
            self._parse(data)
        if self._waiting:
            self.advance()
        if not self._reading or self._waiting or self._receiving is not None or self._deaf:
            self.update_reading()

    def _take(self, request: Request, data: bytes, size: int) -> bytes:
        """Takes `request`, whose head is the first `size` bytes of `data`; gives what follows it."""
        exchange = self.new_exchange(request, None)
        self._waiting.append(exchange)
        if len(self._waiting) > self._most_pipelined:
            self._deaf = exchange.closes = True
            return b""
        length = request.head.length
        if length:
            self._left = length
            self._receiving = exchange
            return self._take_body(data[size:])
        exchange.request_done = True
        self._deaf = exchange.closes
        return data[size:] if len(data) > size else b""

    def _take_body(self, data: bytes) -> bytes:
        """Takes what belongs to the body that is being received; gives what follows it."""
        exchange, left = self._receiving, self._left
        if exchange is None:
            return b""
        if len(data) < left:
            self._left = left - len(data)
            if data:
                exchange.request_data(data)
            return b""
        self._left = 0
        exchange.request_data(data[:left] if len(data) > left else data)
        self.on_message_complete()
        return data[left:]

    def _parse(self, data: bytes) -> None:
        parser = self._parser
        if parser is None:
            parser = self._parser = HttpRequestParser(self)
        if self._receiving is None:
            self._head_bytes += len(data)
        try:
            parser.feed_data(data)
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
        parser = self._parser
        if self._deaf or parser is None:
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
                head = self._plain.head(parser.get_http_version(), self._fields)
                request = Request(parser.get_method(), target.read(self._target), head)
            except ServiceError as error:
                refusal = error
        exchange = self.new_exchange(request, refusal)
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
        self._waiting.append(self.new_exchange(None, error))

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
