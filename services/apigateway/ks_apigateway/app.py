"""What the gateway is made of, and what it needs."""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

import uvloop
from aiohttp import web
from prometheus_client import REGISTRY

from ks_apigateway import reload, routes
from ks_apigateway.access_log import AccessLog
from ks_apigateway.authn.sessions import Sessions
from ks_apigateway.authn.token import TokenVerifier
from ks_apigateway.authz.access import Access
from ks_apigateway.authz.limits import Limits
from ks_apigateway.config import GatewayConfig, GatewaySection
from ks_apigateway.gateway import Gateway
from ks_apigateway.identity import Identities
from ks_apigateway.observation import GatewayCollector, Observation
from ks_apigateway.proxy.server import Server
from ks_apigateway.routes import RoutesError, RoutesFile, builtin_routes
from ks_apigateway.upstreams import Upstreams, configured
from kubekit.cluster import Cluster, ClusterConfig
from kubekit.errors import KubeconfigError
from kubekit.rbac.index import RbacIndex
from servicekit.app import Service
from servicekit.config import ConfigError
from servicekit.keys import HEALTH
from servicekit.serving import announce, listen, make_runner

log = logging.getLogger(__name__)

NAME = "ks-apigateway"

GC_THRESHOLD = 10_000
"""Objects between two looks for cycles: connections are in some, what is made for one request is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayService(Service):
    """The operations' listener as a service of the usual kind, with the gateway beside it."""

    settings: GatewayConfig
    sessions: Sessions
    cluster: Cluster
    index: RbacIndex
    upstreams: Upstreams
    routes: RoutesFile

    def application(self) -> web.Application:
        """The operations' application. Raises ConfigError when nobody could be let in."""
        if not self.settings.authentication.jwt_secret.get_secret_value():
            raise ConfigError(
                "authentication.jwtSecret: is not set; give the secret that ks-account signs with, or name "
                "its file in authentication.jwtSecretFile"
            )
        if not self.settings.redis.enabled:
            raise ConfigError("redis.host: is not set; the gateway looks sessions up there")
        return Service.application(self)  # a class with slots is a second one, which super() does not know


@dataclass(frozen=True, slots=True)
class Door:
    """Where clients come in."""

    sock: socket.socket
    tls: ssl.SSLContext | None = None


def build(config: GatewayConfig) -> GatewayService:
    """The gateway that `config` describes. Raises ConfigError."""
    sessions = Sessions(
        config.redis,
        TokenVerifier(config.authentication.jwt_secret.get_secret_value().encode()),
        idle_timeout=config.authentication.token_idle_timeout,
        leeway=config.gateway.clock_leeway,
        believed=config.gateway.session_cache,
        capacity=config.gateway.sessions_cached,
    )
    cluster = Cluster(
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
    index = RbacIndex(cluster)
    operations = config.server.model_copy(update={"listen": config.gateway.ops_listen})
    return GatewayService(
        name=NAME,
        config=config.model_copy(update={"server": operations}),
        needs=(sessions, cluster, index),
        settings=config,
        sessions=sessions,
        cluster=cluster,
        index=index,
        upstreams=_upstreams(config, cluster),
        routes=_routes(config),
    )


def _upstreams(config: GatewayConfig, cluster: Cluster) -> Upstreams:
    try:
        return Upstreams(configured(config), config.gateway.backends, cluster)
    except ValueError as error:
        raise ConfigError(f"gateway.upstreams: {error}") from error


def _routes(config: GatewayConfig) -> RoutesFile:
    if config.gateway.routes_file is None:
        return RoutesFile(routes=builtin_routes())
    try:
        return routes.load(config.gateway.routes_file)
    except RoutesError as error:
        raise ConfigError(f"gateway.routesFile: {error}") from error


def serve(service: GatewayService, address_file: str | None = None) -> None:
    """Serves until SIGTERM or SIGINT, then drains. Raises ListenError, ConfigError."""
    gateway = service.settings.gateway
    tls = _tls(gateway)
    operations = listen(service.config.server.listen)
    doors = [Door(listen(service.settings.server.listen))]
    if tls is not None:
        doors.append(Door(listen(gateway.tls_listen), tls))
    announce(service, doors[0].sock, address_file)
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 20)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(service, doors, operations))


def _tls(gateway: GatewaySection) -> ssl.SSLContext | None:
    if not gateway.tls_listen or gateway.tls_cert_file is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(gateway.tls_cert_file, gateway.tls_key_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"gateway.tlsCertFile: {gateway.tls_cert_file}: {error}") from error
    return context


async def _serve(service: GatewayService, doors: list[Door], operations: socket.socket) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        # The one dependency whose settings are read once: what is wrong with them does not pass by itself.
        await service.cluster.open()
    except KubeconfigError as error:
        raise ConfigError(f"kubernetes.kubeconfig: {error}") from error
    runner = make_runner(service)
    await runner.setup()
    try:
        await web.SockSite(runner, operations).start()
        async with _data_plane(service, runner.app, doors):
            await stop.wait()
            log.info("%s stops: it finishes the requests it has", service.name)
            runner.app[HEALTH].stopping.set()
    finally:
        await runner.cleanup()
    log.info("%s has stopped", service.name)


@contextlib.asynccontextmanager
async def _data_plane(
    service: GatewayService, app: web.Application, doors: list[Door]
) -> AsyncIterator[None]:
    settings = service.settings
    gateway = Gateway(
        routes.Table(service.routes.routes),
        service.upstreams,
        sessions=service.sessions,
        access=Access(service.index, app[HEALTH], settings.gateway.roles_stale),
        limits=Limits(service.cluster),
        identities=Identities(settings.authentication.jwt_secret.get_secret_value().encode()),
        cluster=service.cluster,
        health=app[HEALTH],
        allowed_origins=settings.gateway.allowed_origins,
    )
    reload.apply(gateway, service.routes)
    access_log = AccessLog()
    observation = Observation(access_log)
    server = Server(
        gateway.handle,
        observation,
        settings.gateway.clients,
        pools=lambda: gateway.upstreams,
        is_trusted=settings.gateway.is_trusted,
    )
    collector = GatewayCollector(observation, server, gateway.upstreams, service.sessions)
    REGISTRY.register(collector)
    tasks = [asyncio.create_task(access_log.run(), name="access log")]
    if settings.gateway.routes_file is not None:
        watch = reload.Reloader(gateway, settings.gateway.routes_file)
        tasks.append(asyncio.create_task(watch.run(), name="routes"))
    for door in doors:
        await server.listen(door.sock, tls=door.tls)
    try:
        yield
    finally:
        await server.stop(settings.server.shutdown_grace)
        REGISTRY.unregister(collector)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
