"""One request of a client, once its head is complete and known to be unambiguous."""

import re
from collections.abc import Callable
from time import monotonic

from ks_apigateway.proxy import headers, target
from ks_apigateway.proxy.errors import ExpectationFailed, VersionNotSupported
from servicekit.errors import BadRequest, MethodNotAllowed

METHODS = {name.encode(): name for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")}
"""Those that are served, as bytes and as text."""
IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"))
"""Methods that may be sent twice (RFC 9110, 9.2.2)."""

_NO_OPTIONS: frozenset[bytes] = frozenset()
_LENGTH = re.compile(rb"[0-9]{1,18}")
_TUNNELS_REFUSED = re.compile(rb"h2c|http|tls", re.IGNORECASE)
"""Protocols behind which whole HTTP requests could pass unseen; the upgrade is ignored, as RFC 9110, 7.8
allows.
"""


class Request:
    """The head of a request. Header names in `fields` are in lower case; values are as the client sent them.

    `options` are those of its Connection header. `route` and `user` are notes for the access log, made by
    whoever decides what becomes of the request.
    """

    __slots__ = (
        "_first",
        "address",
        "authority",
        "chunked",
        "closes",
        "fields",
        "id",
        "length",
        "long_running",
        "method",
        "method_name",
        "options",
        "path",
        "peer",
        "peer_is_trusted",
        "query",
        "raw_path",
        "route",
        "scheme",
        "started",
        "upgrade",
        "user",
        "version",
    )

    def __init__(
        self,
        method: bytes,
        raw_target: bytes,
        version: str,
        fields: list[tuple[bytes, bytes]],
        *,
        address: str,
        scheme: bytes = b"http",
        peer_is_trusted: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """`address` is the socket's peer. Raises ServiceError when the head must be refused."""
        self.started = monotonic()
        self.route = ""
        self.user = ""
        self.method = method
        self.version = version
        self.fields = fields
        first = self._first = dict(fields)
        if len(first) != len(fields):
            first = self._first = dict(reversed(fields))
        self.scheme = scheme
        self.method_name = self._check_method()
        self.length: int | None = None
        self.chunked = False
        if b"content-length" in first or b"transfer-encoding" in first:
            self._read_framing()
        parsed = target.read(raw_target)
        self.path = parsed.path
        self.raw_path = parsed.raw_path
        self.query = parsed.query
        self.long_running = parsed.is_long_running
        self.authority = self._read_host(parsed.authority)
        if b"expect" in first:
            self._check_expectation()
        self.options = headers.connection_options(fields) if b"connection" in first else _NO_OPTIONS
        self.closes = b"close" in self.options or (version == "1.0" and b"keep-alive" not in self.options)
        self.upgrade = self._read_upgrade() if b"upgrade" in self.options else b""
        self.peer = address
        self.peer_is_trusted = peer_is_trusted(address)
        self.address = address
        if self.peer_is_trusted:
            self.address = self._client_address(address, peer_is_trusted)
            self.scheme = self._client_scheme()
        self.id = headers.request_id(first.get(b"x-request-id"))

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

    @property
    def has_body(self) -> bool:
        return self.chunked or bool(self.length)

    def _check_method(self) -> str:
        if self.version not in ("1.1", "1.0"):
            raise VersionNotSupported(f"HTTP/{self.version} is not supported; use HTTP/1.1")
        name = METHODS.get(self.method)
        if name is None:
            raise MethodNotAllowed(f"the method {self.method.decode('ascii', 'replace')} is not supported")
        return name

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

    def _read_host(self, authority: bytes) -> bytes:
        hosts = self.all(b"host")
        if len(hosts) > 1 or (not hosts and self.version == "1.1"):
            raise BadRequest("the request needs exactly one Host header")
        host = hosts[0] if hosts else authority
        if not headers.is_host(host):
            raise BadRequest("the Host header is malformed")
        if authority and authority.lower() != host.lower():
            raise BadRequest("the Host header names another host than the request target")
        return host

    def _check_expectation(self) -> None:
        expectation = self.get(b"expect")
        if expectation is not None and expectation.lower() != b"100-continue":
            raise ExpectationFailed("Expect may only be 100-continue")

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
