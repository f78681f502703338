"""A connection to an upstream: sends one request at a time, and hands the parts of its answer to the
exchange.
"""

import asyncio
from typing import TYPE_CHECKING, Protocol, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from ks_apigateway.proxy.headers import Fields, classify
from ks_apigateway.proxy.limits import WRITE_BUFFER
from ks_apigateway.proxy.outbox import Sender
from ks_apigateway.proxy.plain import PlainAnswer, read_answer

if TYPE_CHECKING:
    from ks_apigateway.proxy.pool import Pool

MAX_ANSWER_HEAD = 256 * 1024


class AnswerSink(Protocol):
    """Who wants the answer."""

    def answer_interim(self, status: int, reason: bytes, fields: Fields) -> None: ...
    def answer_plain(self, answer: PlainAnswer, body: bytes, *, whole: bool, reusable: bool) -> None: ...
    def answer_head(self, status: int, reason: bytes, fields: Fields) -> None: ...
    def answer_data(self, data: bytes) -> None: ...
    def answer_flush(self) -> None: ...
    def answer_end(self, trailers: Fields, *, reusable: bool) -> None: ...
    def answer_upgraded(self, fields: Fields, rest: bytes) -> None: ...
    def answer_lost(self, why: str) -> None: ...
    def upstream_writable(self, writable: bool) -> None: ...


class UpstreamConnection(Sender):
    """Parses answers. While no exchange holds it, any byte or end means that it is of no more use."""

    __slots__ = (
        "_bodiless",
        "_complete",
        "_fields",
        "_head_bytes",
        "_in_body",
        "_left",
        "_parser",
        "_reason",
        "_reusable",
        "_status",
        "_until_close",
        "answered",
        "idle_since",
        "paused",
        "pool",
        "sink",
        "used",
    )

    def __init__(self, pool: "Pool") -> None:
        super().__init__()
        self.pool = pool
        self.sink: AnswerSink | None = None
        self.used = 0
        self.answered = False
        self.idle_since = 0.0
        self._parser: HttpResponseParser | None = None
        self._bodiless = False
        self._left = 0
        self.paused = False
        self._reset()

    def _reset(self) -> None:
        self._fields: Fields = []
        self._reason = b""
        self._status = 0
        self._head_bytes = 0
        self._in_body = False
        self._complete = False
        self._until_close = False
        self._reusable = False

    def begin(self, sink: AnswerSink, *, head_request: bool) -> None:
        """Takes `sink` as the one whose answer comes next; to HEAD, an answer has no body whatever it
        announces.
        """
        self.sink = sink
        self.used += 1
        self.answered = False
        self.sent = False
        self._bodiless = head_request

    def read_on(self, wanted: bool) -> None:
        """Reads more of the answer, or lets it wait."""
        if self.paused is wanted and self.transport is not None:
            self.paused = not wanted
            if wanted:
                self.transport.resume_reading()
            else:
                self.transport.pause_reading()

    def close(self) -> None:
        """Ends the connection at once; the sink hears no more."""
        self.sink = None
        self.unsent = b""
        if self.transport is not None:
            self.transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(WRITE_BUFFER)

    def data_received(self, data: bytes) -> None:
        if self.sink is None:
            self.close()
            return
        if not self.sent:
            self._fail("spoke before it was asked")
            return
        if self._left:
            self._pass_on(data)
            return
        if not self.answered and not self._bodiless:
            size = data.find(b"\r\n\r\n") + 4
            answer = read_answer(data[: size - 4]) if size > 4 else None
            if answer is not None:
                self._answer_plainly(answer, size, data)
                return
        self.answered = True
        self._parse(data)

    def _answer_plainly(self, answer: PlainAnswer, size: int, data: bytes) -> None:
        """Passes `answer` on, which is the first `size` bytes of `data`, with what there is of its body."""
        sink = self.sink
        assert sink is not None
        self.answered = True
        left = size + answer.length - len(data)
        if left > 0:
            self._left = left
            self._reusable = answer.keeps
            sink.answer_plain(answer, data[size:], whole=False, reusable=False)
            return
        self.sink = None
        body = data[size:] if not left else data[size:left]
        reusable = answer.keeps and not left and self.transport is not None
        sink.answer_plain(answer, body, whole=True, reusable=reusable)

    def _pass_on(self, data: bytes) -> None:
        """A piece of a body whose length is known. What comes behind it is nobody's."""
        sink = self.sink
        assert sink is not None
        left = self._left = self._left - len(data)
        if left < 0:
            data = data[:left]
            self._left = 0
            self._reusable = False
        if data:
            sink.answer_data(data)
        if left > 0:
            sink.answer_flush()
        elif self.sink is not None:
            self.sink = None
            sink.answer_end([], reusable=self._reusable and self.transport is not None)

    def _parse(self, data: bytes) -> None:
        parser = self._parser
        if parser is None:
            parser = self._parser = HttpResponseParser(self)
        if not self._in_body:
            self._head_bytes += len(data)
        try:
            parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self._upgraded(data[upgrade.args[0] :])
            return
        except HttpParserError as error:
            if not self._complete:
                self._fail(f"answered what is no HTTP: {error}")
                return
            self._reusable = False
        if self._complete:
            # Only now: whoever takes the connection next must not be given what is left of these bytes.
            self._end()
        elif self._head_bytes > MAX_ANSWER_HEAD:
            self._fail("answered with too many headers")
        elif self.sink is not None:
            self.sink.answer_flush()

    def eof_received(self) -> None:
        if self.sink is not None and self._until_close:
            self._reusable = False
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self.unsent = b""
        self._parser = None
        sink, self.sink = self.sink, None
        self.pool.forget(self)
        if sink is not None:
            sink.answer_lost("closed the connection" if exc is None else f"broke the connection: {exc}")

    def pause_writing(self) -> None:
        if self.sink is not None:
            self.sink.upstream_writable(False)

    def resume_writing(self) -> None:
        if self.sink is not None:
            self.sink.upstream_writable(True)

    # HttpResponseParser

    def on_message_begin(self) -> None:
        if self._complete:
            self._reusable = False
        else:
            self._reset()

    def on_status(self, status: bytes) -> None:
        self._reason += status

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((classify(name)[0], value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        parser = self._parser
        if self._complete or self.sink is None or parser is None:
            return
        status = self._status = parser.get_status_code()
        if status == 101:
            return
        fields, self._fields = self._fields, []
        self._head_bytes = 0
        if status < 200:
            self.sink.answer_interim(status, self._reason, fields)
            return
        self._in_body = True
        self._reusable = parser.should_keep_alive()
        names = {name for name, _ in fields}
        framed = b"content-length" in names or b"transfer-encoding" in names
        self._until_close = not (framed or self._bodiless or status in (204, 304))
        self._complete = self._bodiless
        self.sink.answer_head(status, self._reason, fields)

    def on_body(self, data: bytes) -> None:
        if self._complete:
            self._reusable = False
        elif self.sink is not None:
            self.sink.answer_data(data)

    def on_message_complete(self) -> None:
        self._complete = self._complete or self._status >= 200

    # its own

    def _end(self) -> None:
        sink, self.sink = self.sink, None
        trailers, reusable = self._fields, self._reusable
        if self._bodiless:
            self._parser = None
        self._reset()
        if sink is not None:
            sink.answer_end(trailers, reusable=reusable and self.transport is not None)

    def _upgraded(self, rest: bytes) -> None:
        sink, self.sink = self.sink, None
        if sink is not None:
            sink.answer_upgraded(self._fields, rest)

    def _fail(self, why: str) -> None:
        sink = self.sink
        self.close()
        if sink is not None:
            sink.answer_lost(why)
