"""Heads with nothing to doubt, read in a few steps; every other one is left to llhttp, unread.

What is taken here is less than what llhttp takes, and is taken in the same way: one line for the request
or the status, header lines that `lines` reads, no coding, no upgrade, one length at most. A request's head
must have come whole and in one piece.
"""

from collections.abc import Callable
from typing import NamedTuple

from ks_apigateway.proxy import target
from ks_apigateway.proxy.head import Head
from ks_apigateway.proxy.limits import ClientLimits
from ks_apigateway.proxy.lines import AnswerLine, AnswerLines, Doubtful, RequestLines, StatusLines
from ks_apigateway.proxy.request import METHODS, Request
from servicekit.errors import ServiceError

_UNUSUAL = frozenset((b"transfer-encoding", b"upgrade", b"expect", b"trailer", b"te", b"proxy-connection"))
_KEPT_OPEN = frozenset((b"keep-alive", b"close"))
_BODILESS = frozenset((204, 304))

_request_lines = RequestLines()
_answer_lines = AnswerLines()
_status_lines = StatusLines()


class PlainReader:
    """Reads the requests of one connection, and its headers once for as long as they stay the same."""

    __slots__ = ("_block", "_head", "_limits", "address", "is_trusted", "scheme")

    def __init__(
        self, address: str, scheme: bytes, limits: ClientLimits, is_trusted: Callable[[str], bool]
    ) -> None:
        """`address` is the socket's peer."""
        self.address = address
        self.scheme = scheme
        self.is_trusted = is_trusted
        self._limits = limits
        self._block = b""
        self._head: Head | None = None

    def head(self, version: str, fields: list[tuple[bytes, bytes]]) -> Head:
        """The head of `fields`. Raises ServiceError."""
        return Head(
            version, fields, address=self.address, scheme=self.scheme, peer_is_trusted=self.is_trusted
        )

    def read(self, data: bytes) -> tuple[Request, int] | None:
        """The request that `data` begins with, and the length of its head; None leaves it to llhttp."""
        end = data.find(b"\r\n\r\n")
        if end < 0 or end >= self._limits.header_bytes - 4:
            return None
        line_end = data.find(b"\r\n")
        if line_end == end:
            return None
        line = data[:line_end].split(b" ")
        if len(line) != 3 or line[2] != b"HTTP/1.1" or line[0] not in METHODS or line[1][:1] != b"/":
            return None
        block = data[line_end + 2 : end]
        try:
            head = self._head if block == self._block else self._read_block(block)
            if head is None:
                return None
            return Request(line[0], target.read(line[1]), head), end + 4
        except (Doubtful, ServiceError):
            return None

    def _read_block(self, block: bytes) -> Head | None:
        fields = [_request_lines[line] for line in block.split(b"\r\n")]
        if len(fields) > self._limits.headers or not _UNUSUAL.isdisjoint([name for name, _ in fields]):
            return None
        head = self.head("1.1", fields)
        if not head.options <= _KEPT_OPEN:
            return None
        self._block = block
        self._head = head
        return head


class PlainAnswer(NamedTuple):
    """The head of an answer whose body has a length."""

    status: int
    reason: bytes
    lines: bytes
    """Those that go on to the client, without framing."""
    length: int
    keeps: bool
    """Whether the connection is good for another request."""
    size: int
    """Of the head, in bytes."""


def read_answer(data: bytes) -> PlainAnswer | None:
    """The head that `data` begins with; None leaves it to llhttp. Not for answers to HEAD."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    lines = data[:end].split(b"\r\n")
    try:
        status, reason = _status_lines[lines[0]]
        meanings = [_answer_lines[line] for line in lines[1:]]
        length, keeps = _framing([each for each in meanings if not each.passed])
    except Doubtful:
        return None
    if status in _BODILESS:
        return None
    passed = b"".join([each.passed for each in meanings])
    return PlainAnswer(status, reason, passed, length, keeps, end + 4)


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
