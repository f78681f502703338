"""How an admitted request goes on: to which pool, and with which lines about who asks."""

from dataclasses import dataclass
from time import monotonic

from ks_apigateway.authn import credential
from ks_apigateway.authn.credential import Credential
from ks_apigateway.authn.token import Claims
from ks_apigateway.identity import PLATFORM, Identities, basic, bearer, impersonation, user_line
from ks_apigateway.proxy.head import Head
from ks_apigateway.proxy.outcome import Forward
from ks_apigateway.proxy.request import Request
from ks_apigateway.proxy.target import Target
from ks_apigateway.routes import KUBERNETES, Credentials, Route
from ks_apigateway.upstreams import Upstreams
from kubekit.cluster import Cluster

_BASIC, _TOKEN = Credentials.BASIC, Credentials.TOKEN
CAPACITY = 2048
"""Forwards that are remembered."""
_SHORT = 4096
"""Bytes of a head; only with shorter ones anything is remembered, so that the memory for it is bounded."""
_CREDENTIALS_REUSED = 1.0
"""Seconds after which the gateway's own credentials for Kubernetes may be others."""


@dataclass(slots=True)
class _Remembered:
    """A forward, and what must be the same for another request to go the same way."""

    forward: Forward
    route: Route
    claims: Claims | None
    until: float


class Forwards:
    """Remembers what it made: a client asks for the same with the same headers again and again.

    Only what follows from a request's line and headers, its route and its claims is remembered; whether the
    request is admitted is decided before, each time.
    """

    def __init__(self, upstreams: Upstreams, identities: Identities, cluster: Cluster) -> None:
        self._upstreams = upstreams
        self._identities = identities
        self._cluster = cluster
        self._remembered: dict[tuple[Head, str, Target], _Remembered] = {}

    def of(
        self, request: Request, route: Route, claims: Claims | None, found: Credential | None, query: bytes
    ) -> Forward:
        """The way of `request` on `route`. `claims` and `found`, the token that they are from, are None for
        somebody who need not sign in; `query` is what goes on of the request's. Raises Unavailable where the
        route's upstream has no address.
        """
        key = (request.head, request.method_name, request.target)
        known = self._remembered.get(key)
        now = monotonic()
        if known is not None and known.route is route and known.claims is claims and now < known.until:
            return known.forward
        forward = self._basics(request, route, query)
        if route.upstream == KUBERNETES:
            until = self._as_user(forward, claims, now)
        else:
            until = self._with_identity(forward, request.head, route, claims, found)
        if 0 < request.head.size <= _SHORT:
            if len(self._remembered) >= CAPACITY:
                self._remembered.clear()
            self._remembered[key] = _Remembered(forward, route, claims, until)
        return forward

    def forget(self) -> None:
        """The routes or the upstreams have changed."""
        self._remembered.clear()

    def _basics(self, request: Request, route: Route, query: bytes) -> Forward:
        raw_path = request.target.raw_path
        return Forward(
            self._upstreams.pool(route.upstream),
            raw_path if route.rewrite is None else route.upstream_path(raw_path),
            query,
            body_bytes=route.max_body,
            body_timeout=route.body_timeout,
            first_byte_timeout=route.first_byte_timeout,
            answer_timeout=route.answer_timeout,
        )

    def _as_user(self, forward: Forward, claims: Claims | None, now: float) -> float:
        assert claims is not None
        forward.host = forward.pool.servers[0].authority
        forward.lines = impersonation(self._cluster, claims)
        return now + _CREDENTIALS_REUSED

    def _with_identity(
        self,
        forward: Forward,
        head: Head,
        route: Route,
        claims: Claims | None,
        found: Credential | None,
    ) -> float:
        signed = self._identities.sign(route.upstream, claims, head.address)
        lines = [signed.line]
        cookies = credential.other_cookies(head) if head.has_cookie else b""
        if cookies:
            lines.append(b"cookie: %b\r\n" % cookies)
        if claims is not None and found is not None:
            if route.upstream not in PLATFORM:
                lines.append(user_line(claims))
            if route.credentials is _BASIC:
                lines.append(basic(claims, found.token))
            elif route.credentials is _TOKEN:
                lines.append(bearer(found.token))
        forward.lines = b"".join(lines)
        return signed.until
