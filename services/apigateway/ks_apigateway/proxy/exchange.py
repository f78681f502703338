"""One request and its answer: the state between a client's connection and an upstream's.

The parts of the request come from the client's connection, those of the answer (`answering`) from the
upstream's; each is passed on as it comes, and whoever is slow pauses the other. Nothing is kept but the
beginning of a body that may have to be sent again.
"""

import asyncio
import logging
from collections.abc import Awaitable
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

from ks_apigateway.proxy import heads
from ks_apigateway.proxy.answering import NONE, Answering
from ks_apigateway.proxy.headers import Fields, new_request_id, trailer_lines
from ks_apigateway.proxy.limits import REPLAY_BYTES, WRITE_BUFFER
from ks_apigateway.proxy.outcome import Answer, Forward, Outcome
from ks_apigateway.proxy.pool import PooledConnection
from ks_apigateway.proxy.request import IDEMPOTENT, Request
from servicekit.errors import BadGateway, BodyTooLarge, GatewayTimeout, RequestTimeout, ServiceError

if TYPE_CHECKING:
    from ks_apigateway.proxy.client import ClientConnection

log = logging.getLogger(__name__)


class Exchange(Answering):
    """One request of `client` on its way."""

    __slots__ = ("_kept", "_kept_bytes", "_kept_whole", "_task", "bytes_in", "refusal", "started", "trailers")

    def __init__(
        self, client: "ClientConnection", request: Request | None, refusal: ServiceError | None
    ) -> None:
        """`request` is None only where its head could not be read; then `refusal` says why."""
        self.client = client
        self.request = request
        self.refusal = refusal
        self.id = request.id if request is not None else new_request_id()
        self.started = request.started if request is not None else monotonic()
        self.closes = request is None or request.head.closes
        self.request_done = False
        self.forward = None
        self.status = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.early = b""
        self._upstream = None
        self._blocked = False
        self._streaming = False
        self._framing = NONE
        self._pending = []
        self.trailers: Fields = []
        self._kept: list[bytes] = []
        self._kept_bytes = 0
        self._kept_whole = True
        self._task: asyncio.Task[None] | None = None

    # The way out: decided once, then forwarded or answered.

    def start(self) -> None:
        """It is this request's turn."""
        if self.refusal is not None or self.request is None:
            self.refuse(self.refusal or BadGateway("no request"))
            return
        try:
            outcome = self.client.server.handler(self.request)
            if self.request.tap is not None:
                for piece in self._kept:  # that came before anybody wanted a copy
                    self.request.tap.request_data(piece)
            if isinstance(outcome, Forward):
                self._send(outcome)
            elif isinstance(outcome, Answer):
                self.answer(outcome)
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
            if isinstance(decided, Answer):
                self.answer(decided)
            else:
                self._send(decided)
        except ServiceError as error:
            self.refuse(error)
        except Exception as error:
            self._broken(error)

    def _broken(self, error: Exception) -> None:
        log.exception("a request could not be handled", exc_info=error)
        self.refuse(ServiceError("the gateway failed to handle the request"))

    def _send(self, forward: Forward) -> None:
        self.forward = forward
        if self.request is not None and self.request.head.has_body:
            self._check_size()
        upstream = forward.pool.take()
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
        except Exception as error:
            self._broken(error)
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
        has_body = request.head.has_body
        expect = has_body and request.head.expects and not (self.request_done or self._kept)
        head = heads.request_head(request, self.forward, upstream.server.prefix, expect=expect)
        if has_body:
            head = b"".join((head, *map(self._framed, self._kept)))
            if self.request_done:
                head += self._body_end()
            self._forget_if_large()
        upstream.write(head)
        self.await_next()
        if has_body:
            self.client.update_reading()

    # The request's body.

    def request_data(self, data: bytes) -> None:
        """A piece of the body has come."""
        self.bytes_in += len(data)
        if self.status and self._upstream is None:
            return
        if self.request is not None and self.request.tap is not None:
            self.request.tap.request_data(data)
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
            self.await_next()

    def request_end(self) -> None:
        """The body is complete, and `trailers` too."""
        self.request_done = True
        if self._upstream is not None:
            self._upstream.write(self._body_end())
            self.await_next()

    @property
    def wants_data(self) -> bool:
        """Whether more of the body may be read from the client."""
        if self._blocked or len(self.early) > WRITE_BUFFER:
            return False
        return self._upstream is not None or self._kept_bytes < WRITE_BUFFER

    def _framed(self, data: bytes) -> bytes:
        assert self.request is not None
        return b"%x\r\n%b\r\n" % (len(data), data) if self.request.head.chunked else data

    def _body_end(self) -> bytes:
        assert self.request is not None
        return b"0\r\n%b\r\n" % trailer_lines(self.trailers) if self.request.head.chunked else b""

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
        if limit and max(self.request.head.length or 0, self.bytes_in) > limit:
            raise BodyTooLarge(f"the body is larger than {limit} bytes")

    def try_again(self) -> bool:
        """Connects anew, where the request may be sent twice and all of it is here."""
        if self.request is None or self.request.method not in IDEMPOTENT:
            return False
        if not self._kept_whole or self.request.head.upgrade:
            return False
        self._task = asyncio.create_task(self._connect())
        return True

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
        self.await_next()
        self.client.update_reading()

    def client_writable(self, writable: bool) -> None:
        """The client takes more of the answer, or does not for now."""
        if self._upstream is not None:
            self._upstream.read_on(writable)
        if writable:
            self.await_next()
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

    def await_next(self) -> None:
        """Sets the time until which the next thing must happen."""
        client, request, forward = self.client, self.request, self.forward
        if client.write_blocked:
            return
        if request is None or forward is None:
            client.deadline = inf
        elif not (self.request_done or self._blocked or self._streaming):
            client.deadline = monotonic() + (forward.body_timeout or client.server.limits.body_timeout)
        elif request.long_running or (self._streaming and request.head.upgrade):
            client.deadline = inf
        elif self._streaming:
            client.deadline = monotonic() + (forward.answer_timeout or forward.pool.limits.answer_timeout)
        else:
            client.deadline = monotonic() + (
                forward.first_byte_timeout or forward.pool.limits.first_byte_timeout
            )
