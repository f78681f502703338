"""One request and its answer: the state between a client's connection and an upstream's.

The parts of the request come from the client's connection, those of the answer from the upstream's;
each is passed on as it comes, and whoever is slow pauses the other. Nothing is kept but the beginning
of a body that may have to be sent again.
"""

import asyncio
import logging
from collections.abc import Awaitable
from enum import Enum
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

from ks_apigateway.proxy import heads
from ks_apigateway.proxy.answers import error_answer
from ks_apigateway.proxy.headers import Fields, answer_fields, request_id, trailer_lines
from ks_apigateway.proxy.limits import REPLAY_BYTES, WRITE_BUFFER
from ks_apigateway.proxy.outcome import Answer, Forward, Outcome
from ks_apigateway.proxy.pool import PooledConnection
from ks_apigateway.proxy.request import IDEMPOTENT, Request
from servicekit.errors import BadGateway, BodyTooLarge, GatewayTimeout, RequestTimeout, ServiceError

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
_NONE, _LENGTH, _CHUNKED, _CLOSE = Framing


class Exchange:
    """One request of `client` on its way."""

    __slots__ = (
        "_blocked",
        "_framing",
        "_kept",
        "_kept_bytes",
        "_kept_whole",
        "_pending",
        "_streaming",
        "_task",
        "_upstream",
        "bytes_in",
        "bytes_out",
        "client",
        "closes",
        "early",
        "forward",
        "id",
        "refusal",
        "request",
        "request_done",
        "started",
        "status",
        "trailers",
    )

    def __init__(
        self, client: "ClientConnection", request: Request | None, refusal: ServiceError | None
    ) -> None:
        """`request` is None only where its head could not be read; then `refusal` says why."""
        self.client = client
        self.request = request
        self.refusal = refusal
        self.started = request.started if request is not None else monotonic()
        self.forward: Forward | None = None
        self.id = request.id if request is not None else request_id(None)
        self.status = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.closes = request is None or request.closes
        self.request_done = False
        self.trailers: Fields = []
        self.early = b""
        self._kept: list[bytes] = []
        self._kept_bytes = 0
        self._kept_whole = True
        self._upstream: PooledConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self._blocked = False
        self._streaming = False
        self._framing = _NONE
        self._pending: list[bytes] = []

    # The way out: decided once, then forwarded or answered.

    def start(self) -> None:
        """It is this request's turn."""
        if self.refusal is not None or self.request is None:
            self.refuse(self.refusal or BadGateway("no request"))
            return
        try:
            outcome = self.client.server.handler(self.request)
            if isinstance(outcome, (Forward, Answer)):
                self._carry_out(outcome)
            else:
                self._task = asyncio.create_task(self._decide(outcome))
        except ServiceError as error:
            self.refuse(error)
        except Exception as error:
            self._broken(error)

    async def _decide(self, outcome: Awaitable[Outcome]) -> None:
        try:
            decided = await outcome
            self._task = None
            self._carry_out(decided)
        except ServiceError as error:
            self.refuse(error)
        except Exception as error:
            self._broken(error)

    def _broken(self, error: Exception) -> None:
        log.exception("a request could not be handled", exc_info=error)
        self.refuse(ServiceError("the gateway failed to handle the request"))

    def _carry_out(self, outcome: Outcome) -> None:
        if isinstance(outcome, Answer):
            self.answer(outcome)
            return
        self.forward = outcome
        self._check_size()
        upstream = outcome.pool.take()
        if upstream is not None:
            self._attach(upstream)
        else:
            self._task = asyncio.create_task(self._connect())

    async def _connect(self) -> None:
        assert self.forward is not None
        try:
            upstream = await self.forward.pool.connect()
        except ServiceError as error:
            self.refuse(error)
            return
        self._task = None
        self._attach(upstream)

    def _attach(self, upstream: PooledConnection) -> None:
        assert self.request is not None
        assert self.forward is not None
        request = self.request
        self._upstream = upstream
        self._blocked = False
        upstream.begin(self, head_request=request.method == b"HEAD")
        expect = request.has_body and not self.request_done and not self._kept and self._client_waits()
        head = heads.request_head(request, self.forward, upstream.server.prefix, expect=expect)
        if self._kept or request.chunked:
            parts = [head, *map(self._framed, self._kept)]
            if self.request_done:
                parts.append(self._body_end())
            head = b"".join(parts)
            self._forget_if_large()
        upstream.write(head)
        self._await_next()
        self.client.update_reading()

    def _client_waits(self) -> bool:
        return (
            self.request is not None
            and self.request.version == "1.1"
            and self.request.get(b"expect") is not None
        )

    # The request's body.

    def request_data(self, data: bytes) -> None:
        """A piece of the body has come."""
        self.bytes_in += len(data)
        if self.status and self._upstream is None:
            return
        if self._upstream is None or self._kept_whole:
            self._kept.append(data)
            self._kept_bytes += len(data)
        if self.forward is not None:
            try:
                self._check_size()
            except ServiceError as error:
                self.refuse(error)
                return
        if self._upstream is not None:
            self._upstream.write(self._framed(data))
            self._forget_if_large()
            self._await_next()

    def request_end(self) -> None:
        """The body is complete, and `trailers` too."""
        self.request_done = True
        if self._upstream is not None:
            self._upstream.write(self._body_end())
            self._await_next()

    @property
    def wants_data(self) -> bool:
        """Whether more of the body may be read from the client."""
        if self._blocked or len(self.early) > WRITE_BUFFER:
            return False
        return self._upstream is not None or self._kept_bytes < WRITE_BUFFER

    def _framed(self, data: bytes) -> bytes:
        assert self.request is not None
        return b"%x\r\n%b\r\n" % (len(data), data) if self.request.chunked else data

    def _body_end(self) -> bytes:
        assert self.request is not None
        return b"0\r\n%b\r\n" % trailer_lines(self.trailers) if self.request.chunked else b""

    def _forget_if_large(self) -> None:
        assert self.request is not None
        if self._kept_bytes > REPLAY_BYTES or (self._kept and self.request.method not in IDEMPOTENT):
            self._kept.clear()
            self._kept_bytes = 0
            self._kept_whole = False

    def _check_size(self) -> None:
        assert self.forward is not None
        assert self.request is not None
        limit = self.forward.body_bytes or self.client.server.limits.body_bytes
        if limit and max(self.request.length or 0, self.bytes_in) > limit:
            raise BodyTooLarge(f"the body is larger than {limit} bytes")

    # The answer, from the upstream.

    def answer_interim(self, status: int, reason: bytes, fields: Fields) -> None:
        """100 Continue and its kind: passed on to those who know them."""
        assert self.request is not None
        if self.request.version == "1.1" and (status != 100 or self._client_waits()):
            self.client.write(heads.answer_head(status, reason, answer_fields(fields), self.id))

    def answer_head(self, status: int, reason: bytes, fields: Fields) -> None:
        """The head of the final answer."""
        assert self.request is not None
        self.status = status
        self._streaming = True
        lines = answer_fields(fields)
        self._framing, framing_lines = self._frame(status, fields)
        lines += framing_lines
        self.closes = (
            self.closes
            or self._framing is _CLOSE
            or bool(self.request.upgrade)
            or self.client.server.draining
        )
        if self.closes:
            lines.append(b"connection: close\r\n")
        elif self.request.version == "1.0":
            lines.append(b"connection: keep-alive\r\n")
        self._pending.append(heads.answer_head(status, reason, lines, self.id))

    def _frame(self, status: int, fields: Fields) -> tuple[Framing, list[bytes]]:
        assert self.request is not None
        lengths = [value for name, value in fields if name == b"content-length"]
        length = [b"content-length: %b\r\n" % lengths[0]] if lengths else []
        if status == 204:
            return _NONE, []
        if self.request.method == b"HEAD" or status == 304:
            return _NONE, length
        if length:
            return _LENGTH, length
        if self.request.version == "1.1":
            return _CHUNKED, [b"transfer-encoding: chunked\r\n"]
        return _CLOSE, []

    def answer_data(self, data: bytes) -> None:
        """A piece of the answer's body."""
        self.bytes_out += len(data)
        if self._framing is _CHUNKED:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        self._pending.append(data)

    def answer_flush(self) -> None:
        """Nothing more is here for now, and more is to come."""
        self._write_pending()
        self._await_next()

    def _write_pending(self) -> None:
        """What came together goes out in one system call."""
        pending = self._pending
        if pending:
            self.client.write(pending[0] if len(pending) == 1 else b"".join(pending))
            pending.clear()

    def answer_end(self, trailers: Fields, *, reusable: bool) -> None:
        """The answer is complete."""
        if self._framing is _CHUNKED:
            self._pending.append(b"0\r\n%b\r\n" % trailer_lines(trailers))
        self._write_pending()
        upstream, self._upstream = self._upstream, None
        if upstream is not None:
            if reusable and self.request_done:
                upstream.pool.release(upstream)
            else:
                upstream.close()
        self._finish()

    def answer_upgraded(self, fields: Fields, rest: bytes) -> None:
        """101: from now on, bytes."""
        assert self.request is not None
        upstream, self._upstream = self._upstream, None
        if upstream is None or upstream.transport is None:
            return
        if not self.request.upgrade:
            upstream.close()
            self.refuse(BadGateway(f"{upstream.pool.name} changed the protocol unasked"))
            return
        self.status = 101
        protocol = b", ".join(value for name, value in fields if name == b"upgrade")
        lines = answer_fields(fields)
        lines.append(b"connection: Upgrade\r\nupgrade: %b\r\n" % (protocol or self.request.upgrade))
        self.client.write(heads.answer_head(101, b"", lines, self.id))
        self.client.become_tunnel(self, upstream, rest)

    def answer_lost(self, why: str) -> None:
        """The upstream is gone before its answer was complete."""
        upstream, self._upstream = self._upstream, None
        if upstream is None or self.forward is None or self.request is None:
            return
        if self._streaming:
            log.warning("%s %s in the middle of an answer", upstream.pool.name, why)
            self._write_pending()
            self.client.abort()
        elif not upstream.answered and upstream.used > 1 and self._may_be_repeated():
            self._task = asyncio.create_task(self._connect())
        else:
            self.refuse(BadGateway(f"{upstream.pool.name} {why} before it answered"))

    def _may_be_repeated(self) -> bool:
        assert self.request is not None
        return self.request.method in IDEMPOTENT and self._kept_whole and not self.request.upgrade

    # Answers of the gateway itself.

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
        self.closes = self.closes or not self.request_done or self.client.server.draining
        has_body = self.request is None or self.request.method != b"HEAD"
        lines = [b"%b: %b\r\n" % (name.encode(), value.encode()) for name, value in answer.headers.items()]
        if answer.body:
            lines.append(b"content-type: %b\r\n" % answer.content_type.encode("ascii"))
        lines.append(b"content-length: %d\r\n" % len(answer.body))
        if self.closes:
            lines.append(b"connection: close\r\n")
        elif self.request is not None and self.request.version == "1.0":
            lines.append(b"connection: keep-alive\r\n")
        body = answer.body if has_body else b""
        self.bytes_out = len(body)
        self.client.write(heads.answer_head(answer.status, b"", lines, self.id) + body)
        self._finish()

    # Both sides.

    def detach(self) -> None:
        """Lets go of the upstream and of whatever is awaited."""
        upstream, self._upstream = self._upstream, None
        if upstream is not None:
            upstream.close()
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    def upstream_writable(self, writable: bool) -> None:
        """The upstream takes more of the body, or does not for now."""
        self._blocked = not writable
        self._await_next()
        self.client.update_reading()

    def client_writable(self, writable: bool) -> None:
        """The client takes more of the answer, or does not for now."""
        if self._upstream is not None and self._upstream.transport is not None:
            if writable:
                self._upstream.transport.resume_reading()
            else:
                self._upstream.transport.pause_reading()
        if writable:
            self._await_next()
        else:
            self.client.deadline = monotonic() + self.client.server.limits.write_timeout

    def timed_out(self) -> None:
        """Whoever was waited for took too long."""
        if self._streaming or self.forward is None:
            self.client.abort()
        elif self.request_done or self._blocked:
            self.refuse(GatewayTimeout(f"{self.forward.pool.name} did not answer in time"))
        else:
            self.refuse(RequestTimeout("the body of the request did not come in time"))

    def _await_next(self) -> None:
        """Sets the time until which the next thing must happen."""
        client = self.client
        if client.write_blocked:
            return
        if self.request is None or self.forward is None:
            client.deadline = inf
        elif not (self.request_done or self._blocked or self._streaming):
            client.deadline = monotonic() + client.server.limits.body_timeout
        elif self.request.long_running or (self.request.upgrade and self._streaming):
            client.deadline = inf
        elif self._streaming:
            client.deadline = monotonic() + self.forward.pool.limits.answer_timeout
        else:
            limit = self.forward.first_byte_timeout or self.forward.pool.limits.first_byte_timeout
            client.deadline = monotonic() + limit

    def _finish(self) -> None:
        self._streaming = False
        self.client.finished(self)
