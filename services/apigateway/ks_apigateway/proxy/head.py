"""What the headers of a request say, whatever its first line is.

A client sends the same headers with one request after the other; then they are read once.
"""

import re
from collections.abc import Callable

from ks_apigateway.proxy import headers
from ks_apigateway.proxy.errors import ExpectationFailed, VersionNotSupported
from ks_apigateway.proxy.headers import Fields
from servicekit.errors import BadRequest

_NO_OPTIONS: frozenset[bytes] = frozenset()
_LENGTH = re.compile(rb"[0-9]{1,18}")
_TUNNELS_REFUSED = re.compile(rb"h2c|http|tls", re.IGNORECASE)
"""Protocols behind which whole HTTP requests could pass unseen; the upgrade is ignored, as RFC 9110, 7.8
allows.
"""


class Head:
    """The headers. Names in `fields` are in lower case; values are as the client sent them.

    `options` are those of its Connection header. `lines` are those that an upstream gets of it, once they
    were made; `note` is for whoever decides what becomes of the request, to keep what follows from the
    headers alone. `stays`: the connection goes on after the answer, and the client takes that for granted.
    """

    __slots__ = (
        "_first",
        "address",
        "chunked",
        "closes",
        "expects",
        "fields",
        "given_id",
        "has_body",
        "has_cookie",
        "has_host",
        "host",
        "length",
        "lines",
        "note",
        "options",
        "peer",
        "peer_is_trusted",
        "scheme",
        "size",
        "stays",
        "upgrade",
        "version",
    )

    def __init__(
        self,
        version: str,
        fields: Fields,
        *,
        address: str,
        scheme: bytes = b"http",
        peer_is_trusted: Callable[[str], bool] = lambda _: False,
        size: int = 0,
    ) -> None:
        """`address` is the socket's peer; `size`, in bytes, is given for a head that others of the same lines
        share. Raises ServiceError when the request must be refused."""
        if version not in ("1.1", "1.0"):
            raise VersionNotSupported(f"HTTP/{version} is not supported; use HTTP/1.1")
        self.version = version
        self.fields = fields
        first = self._first = dict(fields)
        if len(first) != len(fields):
            first = self._first = dict(reversed(fields))
        self.size = size
        self.lines: bytes | None = None
        self.note: object | None = None
        self.length: int | None = None
        self.chunked = False
        if b"content-length" in first or b"transfer-encoding" in first:
            self._read_framing()
        self.has_body = self.chunked or bool(self.length)
        self.has_host = b"host" in first
        self.has_cookie = b"cookie" in first
        self.host = self._read_host()
        self.expects = b"expect" in first and self._read_expectation()
        self.options = headers.connection_options(fields) if b"connection" in first else _NO_OPTIONS
        self.closes = b"close" in self.options or (version == "1.0" and b"keep-alive" not in self.options)
        self.upgrade = self._read_upgrade() if b"upgrade" in self.options else b""
        self.stays = version == "1.1" and not (self.closes or self.upgrade)
        self.peer = self.address = address
        self.scheme = scheme
        self.peer_is_trusted = peer_is_trusted(address)
        if self.peer_is_trusted:
            self.address = self._client_address(address, peer_is_trusted)
            self.scheme = self._client_scheme()
        self.given_id = headers.given_request_id(first.get(b"x-request-id"))

    def get(self, name: bytes) -> bytes | None:
        """The first value of the header `name` (lower case), or None."""
        return self._first.get(name)

    def all(self, name: bytes) -> list[bytes]:
        """Every value of the header `name` (lower case), in order."""
        first = self._first.get(name)
        if first is None:
            return []
        if len(self._first) == len(self.fields):
            return [first]
        return [value for key, value in self.fields if key == name]

    def _read_framing(self) -> None:
        """RFC 9112, 6: where the body ends. Whatever two readers could disagree on is refused."""
        lengths = self.all(b"content-length")
        codings = self.all(b"transfer-encoding")
        if lengths and codings:
            raise BadRequest("Content-Length and Transfer-Encoding exclude each other")
        if lengths:
            if len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0]):
                raise BadRequest("Content-Length must be one number")
            self.length = int(lengths[0])
        if codings:
            if self.version == "1.0":
                raise BadRequest("HTTP/1.0 has no Transfer-Encoding")
            if len(codings) > 1 or codings[0].lower() != b"chunked":
                raise BadRequest("Transfer-Encoding must be chunked, and nothing else")
            self.chunked = True

    def _read_host(self) -> bytes:
        hosts = self.all(b"host")
        if len(hosts) > 1 or (not hosts and self.version == "1.1"):
            raise BadRequest("the request needs exactly one Host header")
        host = hosts[0] if hosts else b""
        if not headers.is_host(host):
            raise BadRequest("the Host header is malformed")
        return host

    def _read_expectation(self) -> bool:
        """Whether the client waits to be told to go on."""
        expectation = self.get(b"expect")
        if expectation is not None and expectation.lower() != b"100-continue":
            raise ExpectationFailed("Expect may only be 100-continue")
        return self.version == "1.1"

    def _read_upgrade(self) -> bytes:
        """The protocol that the client wants to change to, or nothing."""
        if self.version == "1.0":
            return b""
        wanted = b", ".join(self.all(b"upgrade"))
        if not wanted or _TUNNELS_REFUSED.search(wanted):
            return b""
        if self.has_body:
            raise BadRequest("a request that upgrades the connection must not have a body")
        return wanted

    def _client_scheme(self) -> bytes:
        told = self.get(b"x-forwarded-proto")
        return told if told in (b"http", b"https") else self.scheme

    def _client_address(self, peer: str, is_trusted: Callable[[str], bool]) -> str:
        """The right-most address of X-Forwarded-For that is no trusted proxy; the peer's where there is
        none.
        """
        chain = b",".join(self.all(b"x-forwarded-for")).decode("ascii", "replace").split(",")
        for entry in reversed([part.strip() for part in chain]):
            if not headers.is_address(entry):
                return peer
            if not is_trusted(entry):
                return entry
            peer = entry
        return peer
