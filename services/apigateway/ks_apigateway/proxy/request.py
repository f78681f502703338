"""One request of a client, once its head is complete and known to be unambiguous."""

from time import monotonic

from ks_apigateway.proxy import headers
from ks_apigateway.proxy.head import Head
from ks_apigateway.proxy.tap import Tap
from ks_apigateway.proxy.target import Target
from servicekit.errors import BadRequest, MethodNotAllowed

METHODS = {name.encode(): name for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")}
"""Those that are served, as bytes and as text."""
IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"))
"""Methods that may be sent twice (RFC 9110, 9.2.2)."""


class Request:
    """The request line and its head.

    `route`, `user`, `groups`, `because` (why the user may) and `audit` are notes for those who observe
    requests, made by whoever decides what becomes of the request; `tap` gets copies of the bodies.
    """

    __slots__ = (
        "audit",
        "authority",
        "because",
        "groups",
        "head",
        "id",
        "long_running",
        "method",
        "method_name",
        "path",
        "query",
        "route",
        "started",
        "tap",
        "target",
        "user",
    )

    def __init__(self, method: bytes, target: Target, head: Head) -> None:
        """Raises ServiceError when the request must be refused."""
        name = METHODS.get(method)
        if name is None:
            raise MethodNotAllowed(f"the method {method.decode('ascii', 'replace')} is not supported")
        self.started = monotonic()
        self.route = ""
        self.user = ""
        self.groups: tuple[str, ...] = ()
        self.because = ""
        self.audit: object | None = None
        self.tap: Tap | None = None
        self.method = method
        self.method_name = name
        self.head = head
        self.target = target
        self.path = target.path
        self.query = target.query
        self.long_running = target.is_long_running
        self.authority = _authority(target.authority, head) if target.authority else head.host
        self.id = head.given_id or headers.new_request_id()

    def get(self, name: bytes) -> bytes | None:
        """The first value of the header `name` (lower case), or None."""
        return self.head.get(name)

    def all(self, name: bytes) -> list[bytes]:
        """Every value of the header `name` (lower case), in order."""
        return self.head.all(name)

    @property
    def address(self) -> str:
        """Of the client, as far as trusted proxies tell."""
        return self.head.address

    @property
    def upgrade(self) -> bytes:
        """The protocol that the client wants to change to, or nothing."""
        return self.head.upgrade


def _authority(told: bytes, head: Head) -> bytes:
    """The host of an absolute target; Host must say the same."""
    if not headers.is_host(told):
        raise BadRequest("the host of the request target is malformed")
    if head.has_host and told.lower() != head.host.lower():
        raise BadRequest("the Host header names another host than the request target")
    return head.host if head.has_host else told
