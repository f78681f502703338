"""Where a request carries its token, in the order in which the original gateway looks."""

from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from ks_apigateway.proxy.head import Head
from ks_apigateway.proxy.request import Request
from ks_apigateway.proxy.target import take_parameter
from servicekit.errors import BadRequest, Unauthorized

COOKIE = b"token"
PARAMETER = "token"


class Source(Enum):
    """What carried the token."""

    HEADER = "header"
    COOKIE = "cookie"
    QUERY = "query"


_SHORT = 1024
"""Bytes; only what is shorter is remembered, so that the memory for it is bounded."""


class Credential(NamedTuple):
    """A token, not yet verified."""

    token: str
    source: Source


def unauthorized(reason: str) -> Unauthorized:
    """401 in the words of the original: `WWW-Authenticate: Unauthorized,<reason>`."""
    return Unauthorized(reason, headers={"WWW-Authenticate": f"Unauthorized,{reason}"})


def find(request: Request, parameter: str | None) -> Credential:
    """The token of `request`, whose query parameter `token` is `parameter`. Raises Unauthorized without
    one.

    The header counts only when it is exactly `Bearer <token>`; a header that is wrong in content still
    wins over a cookie that is right, and both over the query.
    """
    head = request.head
    found = head.note
    if found is None:
        found = head.note = _of_headers(head)
    if isinstance(found, Credential):
        return found
    if parameter:
        return Credential(parameter, Source.QUERY)
    raise unauthorized("no token found")


def _of_headers(head: Head) -> Credential | None:
    headers = head.all(b"authorization")
    if headers:
        if len(headers) > 1:
            raise BadRequest("the request has more than one Authorization header")
        header = headers[0]
        bearer = _remembered(header) if len(header) <= _SHORT else _bearer(header)
        if bearer is not None:
            return bearer
    cookie = _cookie(head)
    return Credential(_text(cookie), Source.COOKIE) if cookie is not None else None


def split_query(request: Request) -> tuple[str | None, bytes]:
    """The token in the query, and the query without it."""
    return take_parameter(request.query, PARAMETER)


def other_cookies(head: Head) -> bytes:
    """The Cookie header without the token."""
    if head.get(b"cookie") is None:
        return b""
    kept = [pair for pair in _pairs(head) if pair.partition(b"=")[0].strip() != COOKIE]
    return b"; ".join(pair.strip() for pair in kept if pair.strip())


def _pairs(head: Head) -> list[bytes]:
    return [pair for header in head.all(b"cookie") for pair in header.split(b";")]


def _cookie(head: Head) -> bytes | None:
    for pair in _pairs(head):
        name, equals, value = pair.partition(b"=")
        if equals and name.strip() == COOKIE:
            return value.strip().strip(b'"')
    return None


def _bearer(header: bytes) -> Credential | None:
    parts = header.split(b" ")
    if len(parts) == 2 and parts[0] == b"Bearer":
        return Credential(_text(parts[1]), Source.HEADER)
    return None


_remembered = lru_cache(maxsize=1024)(_bearer)


def _text(token: bytes) -> str:
    if not token.isascii():
        raise unauthorized("token contains an invalid number of segments")
    return token.decode("ascii")
