"""The walk of a request: which route, who asks, may they, and what the upstream is told.

Every step refuses by raising; there is no way to an upstream that leaves one out. Where the session is
known in memory the walk is one plain call; only when Redis must be asked does it become a coroutine.
"""

from collections.abc import Awaitable, Collection

import orjson

from ks_apigateway.audit.trail import Trail
from ks_apigateway.authn import credential, origin
from ks_apigateway.authn.credential import Credential
from ks_apigateway.authn.sessions import Sessions
from ks_apigateway.authn.token import Claims
from ks_apigateway.authz.access import Access
from ks_apigateway.authz.limits import Limits
from ks_apigateway.forwards import Forwards
from ks_apigateway.proxy.outcome import Answer, Forward, Outcome
from ks_apigateway.proxy.request import Request
from ks_apigateway.ratelimit.limiter import Limiter
from ks_apigateway.routes import Authentication, Authorization, Route, Table
from ks_apigateway.upstreams import Upstreams
from servicekit.errors import NotFound
from servicekit.health import Health

HEALTH_PATHS = frozenset(("/healthz", "/readyz"))
# Reading a member of an Enum costs as much as a call; these are read for every request.
_ANONYMOUS = Authentication.NONE
_RBAC = Authorization.RBAC


class Gateway:
    """Decides what becomes of each request. `table` may be replaced at any time."""

    def __init__(
        self,
        table: Table,
        upstreams: Upstreams,
        *,
        sessions: Sessions,
        access: Access,
        limits: Limits,
        forwards: Forwards,
        health: Health,
        limiter: Limiter,
        trail: Trail | None = None,
        allowed_origins: Collection[str] = (),
    ) -> None:
        """`trail` is None where nothing is audited."""
        self.table = table
        self.upstreams = upstreams
        self._sessions = sessions
        self._access = access
        self._limits = limits
        self.forwards = forwards
        self._health = health
        self.limiter = limiter
        self._trail = trail
        self._allowed_origins = allowed_origins

    def handle(self, request: Request) -> Outcome | Awaitable[Outcome]:
        """What becomes of `request`; a coroutine when its session must be looked up. Raises ServiceError."""
        if request.path in HEALTH_PATHS:
            return self._answer_health(request.path)
        route = self.table.find(request.method_name, request.path)
        is_public = route is not None and route.authenticate is _ANONYMOUS
        if route is not None:
            request.route = route.path
        if self._trail is not None:
            level = None if route is None else route.audit
            self._trail.begin(request, level, is_public=is_public)
        self.limiter.check_address(request.head.address)
        if route is not None and is_public:
            request.long_running = False
            return self._forward(request, route, None, None, request.query)
        query = request.query
        found = request.head.note
        if query or not isinstance(found, Credential):
            parameter, query = credential.split_query(request)
            found = credential.find(request, parameter)
        claims = self._sessions.known(found.token)
        if claims is None:
            return self._ask(request, route, found, query)
        return self._admit(request, route, claims, found, query)

    async def _ask(self, request: Request, route: Route | None, found: Credential, query: bytes) -> Outcome:
        claims = await self._sessions.ask(found.token)
        return self._admit(request, route, claims, found, query)

    def _admit(
        self, request: Request, route: Route | None, claims: Claims, found: Credential, query: bytes
    ) -> Outcome:
        request.user = claims.user
        request.groups = claims.groups
        self.limiter.check_user(claims.user)
        if route is None:
            raise NotFound("no service of the platform has this path")
        if claims.is_limited:
            self._limits.check(claims, request)
        if request.head.upgrade:
            origin.check(request, found.source, self._allowed_origins)
        if route.authorize is _RBAC:
            request.because = self._access.check(claims, request.method_name, request.target.raw_text)
        return self._forward(request, route, claims, found, query)

    def _forward(
        self, request: Request, route: Route, claims: Claims | None, found: Credential | None, query: bytes
    ) -> Forward:
        if route.rate_limit is not None:
            self.limiter.check_route(route.label, route.rate_limit, request.user, request.head.address)
        if self._trail is not None:
            self._trail.started(request)
        return self.forwards.of(request, route, claims, found, query)

    def _answer_health(self, path: str) -> Answer:
        if path == "/healthz":
            return Answer(200, b'{"status":"ok"}')
        status, report = self._health.report()
        return Answer(status, orjson.dumps(report))
