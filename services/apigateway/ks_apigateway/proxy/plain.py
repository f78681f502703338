"""Heads with nothing to doubt, read in a few steps; every other one is left to llhttp, unread.

What is taken here is less than what llhttp takes, and is taken in the same way: one line for the request
or the status, header lines that `lines` reads, no coding, no upgrade, one length at most. A request's head
must have come whole and in one piece.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from ks_apigateway.proxy import headers, target
from ks_apigateway.proxy.head import Head
from ks_apigateway.proxy.headers import Fields
from ks_apigateway.proxy.limits import ClientLimits
from ks_apigateway.proxy.lines import (
    UNIQUE,
    AnswerLine,
    AnswerLines,
    Doubtful,
    RequestLines,
    StatusLines,
    remember,
)
from ks_apigateway.proxy.request import METHODS, Request
from ks_apigateway.proxy.target import Target
from servicekit.errors import ServiceError

_UNUSUAL = frozenset((b"transfer-encoding", b"upgrade", b"expect", b"trailer", b"te", b"proxy-connection"))
_KEPT_OPEN = frozenset((b"keep-alive", b"close"))
_BODILESS = frozenset((204, 304))
_SHORT = 4096
_REMEMBERED = 1024
"""Bytes of headers, and how many of them, that are remembered for all connections."""
_ID_BEGINS = b"\r\nX-Request-Id: "

_request_lines = RequestLines()
_answer_lines = AnswerLines()
_status_lines = StatusLines()


Heads = dict[tuple[str, bytes, bytes], Head]
"""By the client's address, the scheme, and the lines."""


class _FirstLines(dict[bytes, tuple[bytes, Target]]):
    """Method and target of a request's first line. Raises Doubtful, ServiceError."""

    def __missing__(self, line: bytes) -> tuple[bytes, Target]:
        parts = line.split(b" ")
        if len(parts) != 3 or parts[2] != b"HTTP/1.1" or parts[0] not in METHODS or parts[1][:1] != b"/":
            raise Doubtful
        meaning = parts[0], target.read(parts[1])
        remember(self, line, meaning)
        return meaning


_first_lines = _FirstLines()


class PlainReader:
    """Reads the requests of one connection. Headers that were read before, there or in another connection of
    the same client, are not read again.
    """

    __slots__ = ("_block", "_head", "_header_bytes", "_headers", "_heads", "_is_trusted", "address", "scheme")

    def __init__(
        self,
        address: str,
        scheme: bytes,
        limits: ClientLimits,
        is_trusted: Callable[[str], bool],
        heads: Heads,
    ) -> None:
        """`address` is the socket's peer; `heads` are those that all connections have read."""
        self.address = address
        self.scheme = scheme
        self._is_trusted = is_trusted
        self._heads = heads
        self._header_bytes = limits.header_bytes
        self._headers = limits.headers
        self._block = b""
        self._head: Head | None = None

    def head(self, version: str, fields: Fields, size: int = 0) -> Head:
        """The head of `fields`; `size` in bytes if it is shared. Raises ServiceError."""
        return Head(
            version,
            fields,
            address=self.address,
            scheme=self.scheme,
            peer_is_trusted=self._is_trusted,
            size=size,
        )

    def read(self, data: bytes) -> tuple[Request, int] | None:
        """The request that `data` begins with, and the length of its head; None leaves it to llhttp."""
        end = data.find(b"\r\n\r\n")
        if end < 0 or end >= self._header_bytes - 4:
            return None
        line_end = data.find(b"\r\n")
        if line_end == end:
            return None
        block = data[line_end + 2 : end]
        try:
            method, where = _first_lines[data[:line_end]]
            head = self._head if block == self._block else self._find(block)
            if head is None:
                return None
            return Request(method, where, head), end + 4
        except (Doubtful, ServiceError):
            return None

    def _find(self, block: bytes) -> Head | None:
        key = (self.address, self.scheme, block)
        head = self._heads.get(key)
        if head is None:
            head = self._read_block(block)
            if head is None:
                return None
            if len(block) <= _SHORT:
                if len(self._heads) >= _REMEMBERED:
                    self._heads.clear()
                self._heads[key] = head
        self._block = block
        self._head = head
        return head

    def _read_block(self, block: bytes) -> Head | None:
        fields = [_request_lines[line] for line in block.split(b"\r\n")]
        if len(fields) > self._headers or not _UNUSUAL.isdisjoint([name for name, _ in fields]):
            return None
        head = self.head("1.1", fields, len(block))
        return head if head.options <= _KEPT_OPEN else None


@dataclass(slots=True)
class PlainAnswer:
    """The head of an answer whose body has a length."""

    status: int
    reason: bytes
    lines: bytes
    """Those that go on to the client, without framing."""
    length: int
    keeps: bool
    """Whether the connection is good for another request."""
    head: bytes = field(init=False)
    """What the client gets of it: all lines but that of the connection, up to the request's id."""

    def __post_init__(self) -> None:
        self.head = b"HTTP/1.1 %d %b\r\n%bcontent-length: %d\r\n%bx-request-id: " % (
            self.status,
            self.reason,
            self.lines,
            self.length,
            headers.VIA_LINE,
        )


class _AnswerHeads(dict[bytes, PlainAnswer]):
    """What heads say, without the empty line at their end. Raises Doubtful for what is not read here."""

    def __missing__(self, head: bytes) -> PlainAnswer:
        lines = head.split(b"\r\n")
        status, reason = _status_lines[lines[0]]
        meanings = [_answer_lines[line] for line in lines[1:]]
        length, keeps = _framing([each for each in meanings if not each.passed])
        if status in _BODILESS:
            raise Doubtful
        passed = b"".join([each.passed for each in meanings])
        answer = PlainAnswer(status, reason, passed, length, keeps)
        if UNIQUE.isdisjoint([each.name for each in meanings]):
            remember(self, head, answer)
        return answer


_answers = _AnswerHeads()


def read_answer(head: bytes) -> PlainAnswer | None:
    """What `head` says, which ends before the empty line; None leaves it to llhttp. Not for answers to HEAD.

    Other answers may share what is given: nobody changes it.
    """
    begins = head.find(_ID_BEGINS)
    try:
        return _answers[head if begins < 0 else _without_id(head, begins)]
    except Doubtful:
        return None


def _without_id(head: bytes, begins: int) -> bytes:
    """Without the line at `begins`: the request's id does not go on, and no two answers have the same.
    Raises Doubtful.
    """
    ends = head.find(b"\r\n", begins + 2)
    if ends < 0:
        ends = len(head)
    if not headers.given_request_id(head[begins + len(_ID_BEGINS) : ends]):
        raise Doubtful
    return head[:begins] + head[ends:]


def _framing(lines: list[AnswerLine]) -> tuple[int, bool]:
    """How long a body is, and whether the connection is good for another request. Raises Doubtful unless
    both are plain.
    """
    length = b""
    keeps = True
    for name, value, _ in lines:
        if name == b"content-length":
            if length or not value:
                raise Doubtful
            length = value
        elif name == b"connection":
            options = value.lower()
            if options not in _KEPT_OPEN:
                raise Doubtful
            keeps = keeps and options == b"keep-alive"
        elif name in _UNUSUAL:
            raise Doubtful
    if not length.isdigit() or len(length) > 18:
        raise Doubtful
    return int(length), keeps
