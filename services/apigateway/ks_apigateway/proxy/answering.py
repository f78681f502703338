"""The answer's side of an exchange: its parts come from the upstream's connection, and go to the client's
as they come.
"""

import logging
from abc import ABC, abstractmethod
from enum import Enum
from typing import TYPE_CHECKING

from ks_apigateway.proxy import heads
from ks_apigateway.proxy.answers import error_answer
from ks_apigateway.proxy.headers import Fields, answer_fields, trailer_lines
from ks_apigateway.proxy.outbox import AT_ONCE
from ks_apigateway.proxy.outcome import Answer, Forward
from ks_apigateway.proxy.plain import PlainAnswer
from ks_apigateway.proxy.pool import PooledConnection
from ks_apigateway.proxy.request import Request
from servicekit.errors import BadGateway, ServiceError

if TYPE_CHECKING:
    from ks_apigateway.proxy.client import ClientConnection

log = logging.getLogger(__name__)


class Framing(Enum):
    """How the end of an answer is told to the client."""

    NONE = "none"
    LENGTH = "length"
    CHUNKED = "chunked"
    CLOSE = "close"


# Reading a member of an Enum costs as much as a call; these are read for every request.
NONE, _LENGTH, _CHUNKED, _CLOSE = Framing


class Answering(ABC):
    """What becomes of the answer to `request`, which is None only where its head could not be read."""

    __slots__ = (
        "_blocked",
        "_framing",
        "_pending",
        "_streaming",
        "_upstream",
        "bytes_out",
        "client",
        "closes",
        "early",
        "forward",
        "id",
        "request",
        "request_done",
        "status",
    )

    client: "ClientConnection"
    request: Request | None
    id: bytes
    status: int
    bytes_out: int
    closes: bool
    early: bytes
    forward: Forward | None
    request_done: bool
    _upstream: PooledConnection | None
    _blocked: bool
    _streaming: bool
    _framing: Framing
    _pending: list[bytes]

    # Of the request's side.

    @abstractmethod
    def detach(self) -> None:
        """Lets go of the upstream and of whatever is awaited."""

    @abstractmethod
    def try_again(self) -> bool:
        """Sends the request once more, where that is allowed."""

    @abstractmethod
    def await_next(self) -> None:
        """Sets the time until which the next thing must happen."""

    # From the upstream.

    def answer_interim(self, status: int, reason: bytes, fields: Fields) -> None:
        """100 Continue and its kind: passed on to those who know them."""
        assert self.request is not None
        head = self.request.head
        if head.version == "1.1" and (status != 100 or head.expects):
            self.client.write(heads.answer_head(status, reason, answer_fields(fields), self.id))

    def answer_plain(self, answer: PlainAnswer, body: bytes, *, whole: bool, reusable: bool) -> None:
        """The head of a final answer with a length, to anything but HEAD, and the beginning of its body or
        the `whole` of it.
        """
        client, request = self.client, self.request
        assert request is not None
        self.status = answer.status
        self.bytes_out = len(body)
        if request.tap is not None:
            request.tap.answer_lines(answer.lines)
            request.tap.answer_data(body)
        stays = request.head.stays and not (self.closes or client.server.draining)
        connection = b"" if stays else self._connection_line()
        head = b"%b%b\r\n%b\r\n" % (answer.head, self.id, connection)
        if len(body) < AT_ONCE:
            client.write(head + body)
        else:
            client.write(head)
            client.write(body)
        if whole:
            self._end(reusable=reusable)
        else:
            self._streaming = True
            self._framing = _LENGTH
            self.await_next()

    def answer_head(self, status: int, reason: bytes, fields: Fields) -> None:
        """The head of any other final answer."""
        assert self.request is not None
        self.status = status
        self._streaming = True
        if self.request.tap is not None:
            self.request.tap.answer_head(fields)
        lines = answer_fields(fields)
        self._framing, framing_lines = self._frame(status, fields)
        lines += framing_lines
        self.closes = self.closes or self._framing is _CLOSE
        lines.append(self._connection_line())
        self._pending.append(heads.answer_head(status, reason, lines, self.id))

    def _connection_line(self) -> bytes:
        """Says whether the client's connection goes on, where that is not understood."""
        head = self.request.head if self.request is not None else None
        if self.closes or head is None or head.upgrade or self.client.server.draining:
            self.closes = True
            return b"connection: close\r\n"
        return b"" if head.version == "1.1" else b"connection: keep-alive\r\n"

    def _frame(self, status: int, fields: Fields) -> tuple[Framing, list[bytes]]:
        assert self.request is not None
        lengths = [value for name, value in fields if name == b"content-length"]
        length = [b"content-length: %b\r\n" % lengths[0]] if lengths else []
        if status == 204:
            return NONE, []
        if self.request.method == b"HEAD" or status == 304:
            return NONE, length
        if length:
            return _LENGTH, length
        if self.request.head.version == "1.1":
            return _CHUNKED, [b"transfer-encoding: chunked\r\n"]
        return _CLOSE, []

    def answer_data(self, data: bytes) -> None:
        """A piece of the answer's body."""
        self.bytes_out += len(data)
        if self.request is not None and self.request.tap is not None:
            self.request.tap.answer_data(data)
        if self._framing is _CHUNKED:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        self._pending.append(data)

    def answer_flush(self) -> None:
        """Nothing more is here for now, and more is to come."""
        self._write_pending()
        self.await_next()

    def _write_pending(self) -> None:
        for piece in self._pending:
            self.client.write(piece)
        self._pending.clear()

    def answer_end(self, trailers: Fields, *, reusable: bool) -> None:
        """The answer is complete."""
        if self._framing is _CHUNKED:
            self._pending.append(b"0\r\n%b\r\n" % trailer_lines(trailers))
        self._write_pending()
        self._end(reusable=reusable)

    def _end(self, *, reusable: bool) -> None:
        upstream, self._upstream = self._upstream, None
        if upstream is not None:
            if reusable and self.request_done:
                upstream.pool.release(upstream)
            else:
                upstream.close()
        self._streaming = False
        self.client.finished(self)

    def answer_upgraded(self, fields: Fields, rest: bytes) -> None:
        """101: from now on, bytes."""
        assert self.request is not None
        upstream, self._upstream = self._upstream, None
        if upstream is None or upstream.transport is None:
            return
        wanted = self.request.head.upgrade
        if not wanted:
            upstream.close()
            self.refuse(BadGateway(f"{upstream.pool.name} changed the protocol unasked"))
            return
        self.status = 101
        protocol = b", ".join(value for name, value in fields if name == b"upgrade")
        lines = answer_fields(fields)
        lines.append(b"connection: Upgrade\r\nupgrade: %b\r\n" % (protocol or wanted))
        self.client.write(heads.answer_head(101, b"", lines, self.id))
        self.client.become_tunnel(upstream, rest)

    def answer_lost(self, why: str) -> None:
        """The upstream is gone before its answer was complete."""
        upstream, self._upstream = self._upstream, None
        if upstream is None:
            return
        if self._streaming:
            log.warning("%s %s in the middle of an answer", upstream.pool.name, why)
            self._write_pending()
            self.client.abort()
        elif upstream.answered or upstream.used <= 1 or not self.try_again():
            self.refuse(BadGateway(f"{upstream.pool.name} {why} before it answered"))

    # Of the gateway itself.

    def refuse(self, error: ServiceError) -> None:
        """Answers with `error`, unless an answer has begun; then the connection ends."""
        if self.status:
            self.client.abort()
            return
        self.answer(error_answer(error, self.id))

    def answer(self, answer: Answer) -> None:
        """Answers with `answer`."""
        self.detach()
        self.status = answer.status
        self.closes = self.closes or not self.request_done
        has_body = self.request is None or self.request.method != b"HEAD"
        lines = [b"%b: %b\r\n" % (name.encode(), value.encode()) for name, value in answer.headers.items()]
        if answer.body:
            lines.append(b"content-type: %b\r\n" % answer.content_type.encode("ascii"))
        lines.append(b"content-length: %d\r\n" % len(answer.body))
        lines.append(self._connection_line())
        body = answer.body if has_body else b""
        self.bytes_out = len(body)
        self.client.write(heads.answer_head(answer.status, b"", lines, self.id) + body)
        self._streaming = False
        self.client.finished(self)
