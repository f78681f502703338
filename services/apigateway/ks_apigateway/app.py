"""What the gateway is made of, and what it needs."""

from dataclasses import dataclass

from aiohttp import web

from ks_apigateway import reload, routes, tls
from ks_apigateway.audit.trail import Trail
from ks_apigateway.authn.sessions import Sessions
from ks_apigateway.authn.token import TokenVerifier
from ks_apigateway.authz.access import Access
from ks_apigateway.authz.limits import Limits
from ks_apigateway.config import GatewayConfig
from ks_apigateway.doubts import doubts
from ks_apigateway.explain import api as explain_api
from ks_apigateway.explain.explanation import Explanations, FindRoute
from ks_apigateway.forwards import Forwards
from ks_apigateway.gateway import Gateway
from ks_apigateway.identity import Identities
from ks_apigateway.openapi import api as openapi_api
from ks_apigateway.openapi.documents import Documents
from ks_apigateway.ratelimit.limiter import Limiter
from ks_apigateway.routes import Route, RoutesError, RoutesFile, Table, builtin_routes
from ks_apigateway.upstreams import Upstreams, configured
from kubekit.cluster import Cluster, ClusterConfig
from kubekit.rbac.index import RbacIndex
from servicekit.app import Service, health_of, version_of
from servicekit.config import ConfigError
from servicekit.openapi import document

NAME = "ks-apigateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayService(Service):
    """The gateway, with the operations' listener and its own API as a service of the usual kind."""

    settings: GatewayConfig
    sessions: Sessions
    cluster: Cluster
    gateway: Gateway
    trail: Trail | None

    def application(self) -> web.Application:
        """The application of /healthz, /metrics and the gateway's own API. Raises ConfigError when nobody
        could be let in, or a file that the configuration names cannot be used.
        """
        if not self.settings.authentication.jwt_secret.get_secret_value():
            raise ConfigError(
                "authentication.jwtSecret: is not set; give the secret that ks-account signs with, or name "
                "its file in authentication.jwtSecretFile"
            )
        if not self.settings.redis.enabled:
            raise ConfigError("redis.host: is not set; the gateway looks sessions up there")
        tls.context(self.settings.gateway)
        return Service.application(self)  # a class with slots is a second one, which super() does not know


def build(config: GatewayConfig) -> GatewayService:
    """The gateway that `config` describes. Raises ConfigError."""
    secret = config.authentication.jwt_secret.get_secret_value().encode()
    sessions = _sessions(config, secret)
    cluster = _cluster(config)
    index = RbacIndex(cluster)
    needs = (sessions, cluster, index)
    health = health_of(needs, config.server)
    access = Access(index, health, config.gateway.roles_stale)
    upstreams = _upstreams(config, cluster)
    trail = _trail(config)
    gateway = Gateway(
        Table(()),
        upstreams,
        sessions=sessions,
        access=access,
        limits=Limits(cluster),
        forwards=Forwards(upstreams, Identities(secret), cluster),
        health=health,
        limiter=Limiter(config.gateway.rate_limits),
        trail=trail,
        allowed_origins=config.gateway.allowed_origins,
    )
    file = _routes(config)
    _apply(gateway, file)
    explain = explain_api.group(Explanations(access, _finder(gateway)))
    operations = config.server.model_copy(update={"listen": config.gateway.ops_listen})
    whole = config.model_copy(update={"server": operations})
    documents = Documents(
        lambda: document(Service(name=NAME, config=whole, groups=(explain,))),
        _services(config),
        cluster,
        version_of(NAME),
    )
    return GatewayService(
        name=NAME,
        config=whole.with_warnings((*config.warnings, *doubts(config, file))),
        needs=needs,
        groups=(explain,),
        plain=openapi_api.routes(documents),
        health=health,
        settings=config,
        sessions=sessions,
        cluster=cluster,
        gateway=gateway,
        trail=trail,
    )


def _sessions(config: GatewayConfig, secret: bytes) -> Sessions:
    return Sessions(
        config.redis,
        TokenVerifier(secret),
        idle_timeout=config.authentication.token_idle_timeout,
        leeway=config.gateway.clock_leeway,
        believed=config.gateway.session_cache,
        capacity=config.gateway.sessions_cached,
    )


def _cluster(config: GatewayConfig) -> Cluster:
    return Cluster(
        ClusterConfig(
            kubeconfig=config.kubernetes.kubeconfig,
            context=config.kubernetes.context,
            qps=config.kubernetes.qps,
            burst=config.kubernetes.burst,
            timeout=config.kubernetes.timeout,
            pool=config.kubernetes.pool,
            user_agent=NAME,
        )
    )


def _upstreams(config: GatewayConfig, cluster: Cluster) -> Upstreams:
    verified_by = tls.towards_upstreams(config.gateway)
    try:
        return Upstreams(configured(config), config.gateway.backends, cluster, verified_by)
    except ValueError as error:
        raise ConfigError(f"gateway.upstreams: {error}") from error


def _trail(config: GatewayConfig) -> Trail | None:
    if not config.gateway.audit.enabled:
        return None
    try:
        return Trail(config.gateway.audit)
    except OSError as error:
        raise ConfigError(f"gateway.audit: {error}") from error


def _routes(config: GatewayConfig) -> RoutesFile:
    if config.gateway.routes_file is None:
        return RoutesFile(routes=builtin_routes())
    try:
        return routes.load(config.gateway.routes_file)
    except RoutesError as error:
        raise ConfigError(f"gateway.routesFile: {error}") from error


def _apply(gateway: Gateway, file: RoutesFile) -> None:
    try:
        reload.apply(gateway, file)
    except ValueError as error:
        raise ConfigError(f"gateway.routesFile: {error}") from error


def _finder(gateway: Gateway) -> FindRoute:
    """Looks in the table as it is at that time: a reload replaces it."""

    def find(method: str, path: str) -> Route | None:
        return gateway.table.find(method, path)

    return find


def _services(config: GatewayConfig) -> dict[str, str]:
    """Where the services that describe themselves are."""
    found = configured(config)
    first = {name: each if isinstance(each, str) else each[0] for name, each in found.items() if each}
    return {f"ks-{name}": first[name] for name in ("account", "apiserver") if name in first}
