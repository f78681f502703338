"""Header lines, read strictly and remembered: clients and upstreams send the same ones again and again.

Only a line that every reader takes for the same is read here. For any other, `Doubtful` is raised, and the
whole head goes to llhttp, which says what is wrong with it or finds out what it means.
"""

import re
from typing import NamedTuple, TypeVar

from ks_apigateway.proxy.headers import NOT_ANSWERED, REASONS, Rule, classify

_LINE = re.compile(
    rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*"
    rb"((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[ \t]*"
)
"""RFC 9112, 5: no space before the colon, no control character, no folding."""
_STATUS = re.compile(rb"HTTP/1\.1 ([2-5][0-9][0-9])(?: ([\t\x20-\x7e\x80-\xff]*))?")
_REMEMBERED = 4096
_SHORT = 1024
"""Lines, and bytes of each, that are remembered."""
UNIQUE = frozenset((b"x-request-id", b"audit-id", b"traceparent", b"traceresponse"))
"""Headers of answers that are never the same again."""

T = TypeVar("T")


class Doubtful(Exception):
    """Something that is not read here."""


def _split(line: bytes) -> tuple[bytes, bytes]:
    match = _LINE.fullmatch(line)
    if match is None:
        raise Doubtful
    return match[1].lower(), match[2]


class RequestLines(dict[bytes, tuple[bytes, bytes]]):
    """Name in lower case and value of a line of a request."""

    def __missing__(self, line: bytes) -> tuple[bytes, bytes]:
        field = _split(line)
        if classify(field[0])[1] is Rule.REFUSE:
            raise Doubtful
        remember(self, line, field)
        return field


class AnswerLine(NamedTuple):
    """A line of an answer: its name in lower case, its value, and what of it goes on to the client."""

    name: bytes
    value: bytes
    passed: bytes


class AnswerLines(dict[bytes, AnswerLine]):
    """The meaning of a line of an answer."""

    def __missing__(self, line: bytes) -> AnswerLine:
        name, value = _split(line)
        passed = b"" if name in NOT_ANSWERED else b"%b: %b\r\n" % (name, value)
        meaning = AnswerLine(name, value, passed)
        if name not in UNIQUE:
            remember(self, line, meaning)
        return meaning


class StatusLines(dict[bytes, tuple[int, bytes]]):
    """Status and reason of the first line of a final answer."""

    def __missing__(self, line: bytes) -> tuple[int, bytes]:
        match = _STATUS.fullmatch(line)
        if match is None:
            raise Doubtful
        status = int(match[1])
        meaning = status, match[2] or REASONS.get(status, b"")
        remember(self, line, meaning)
        return meaning


def remember(known: dict[bytes, T], line: bytes, meaning: T) -> None:
    """Keeps in `known` what `line` means, unless it is long."""
    if len(line) > _SHORT:
        return
    if len(known) >= _REMEMBERED:
        known.clear()
    known[line] = meaning
