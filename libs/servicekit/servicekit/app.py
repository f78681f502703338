"""The application of a service: its groups, what they need, and what every service has."""

import asyncio
import importlib.metadata
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import cast

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from aiohttp.web_routedef import AbstractRouteDef, RouteDef

from servicekit import metrics
from servicekit.config import Config, ConfigError
from servicekit.endpoint import Door
from servicekit.errors import NotFound
from servicekit.group import Group
from servicekit.health import Health
from servicekit.identity import IdentityVerifier
from servicekit.keys import CONFIG, HEADERS, HEALTH
from servicekit.lasting import ANSWERS, Answers
from servicekit.middlewares import middlewares, name_request
from servicekit.needs import Dependency
from servicekit.sections import ServerConfig

log = logging.getLogger(__name__)

Background = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Service:
    """A service, described; `application` builds what runs."""

    name: str
    config: Config
    needs: Sequence[Dependency] = ()
    groups: Sequence[Group] = ()
    plain: Sequence[AbstractRouteDef] = ()
    background: Sequence[Background] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    health: Health | None = None
    """Of `needs`, where something that was built before the application looks at it as well."""
    local: Sequence[RouteDef] = ()
    wants: Sequence[Dependency] = ()

    def application(self) -> web.Application:
        """The aiohttp application. Raises ConfigError when it cannot serve with its configuration."""
        server = self.config.server
        app = web.Application(client_max_size=server.max_body)
        health = self.health or health_of(self.needs, server, self.wants)
        app[CONFIG] = self.config
        app[HEALTH] = health
        app[HEADERS] = {"X-Content-Type-Options": "nosniff", **self.headers}
        app.middlewares.extend(middlewares(*self._tracing(app)))
        app.on_response_prepare.append(name_request)
        verifier = self._verifier()
        app[ANSWERS] = answers = self._answers(verifier, app[HEADERS])
        self._add_routes(app, Door(server, health, verifier, answers))
        app.router.add_get("/healthz", health.livez)
        app.router.add_get("/readyz", _only_at(server.ops_port, health.readyz))
        app.router.add_get("/metrics", _only_at(server.ops_port, metrics.expose))
        app.router.add_get("/openapi/v3", _describe(self))
        for route in self.local:
            handler = _only_from_here(cast(Handler, route.handler))
            app.router.add_route(route.method, route.path, _only_at(server.ops_port, handler))
        app.on_shutdown.append(_announce_stop)
        app.cleanup_ctx.append(_watch_needs)
        app.cleanup_ctx.extend(_run_in_background(self.name, task) for task in self.background)
        return app

    @property
    def version(self) -> str:
        return version_of(self.name)

    def _add_routes(self, app: web.Application, door: Door) -> None:
        known = {need.name for need in (*self.needs, *self.wants)}
        for group in self.groups:
            for route in group.routes:
                if unknown := set(route.needs) - known:
                    raise ConfigError(
                        f"{route.method} {route.path} needs {unknown.pop()}, which is not declared"
                    )
                app.router.add_route(route.method, route.path, door.endpoint(route))
        app.router.add_routes(self.plain)

    def _tracing(self, app: web.Application) -> tuple[Middleware, ...]:
        if not self.config.tracing.enabled:
            return ()
        from servicekit import tracing  # with it comes the SDK, which takes long to import

        return (tracing.install(app, self.name, self.version),)

    def _answers(self, verifier: IdentityVerifier | None, headers: Mapping[str, str]) -> Answers | None:
        """None where each request is to be seen by the application: in traces, for one."""
        if verifier is None or self.config.tracing.enabled:
            return None
        return Answers(verifier, headers)

    def _verifier(self) -> IdentityVerifier | None:
        if not any(group.identified for group in self.groups):
            return None
        secret = self.config.authentication.jwt_secret.get_secret_value()
        if not secret:
            raise ConfigError(
                "authentication.jwtSecret: is not set; give the gateway's secret, or name its file in "
                "authentication.jwtSecretFile"
            )
        return IdentityVerifier(secret.encode())


def health_of(needs: Sequence[Dependency], server: ServerConfig, wants: Sequence[Dependency] = ()) -> Health:
    """What watches `needs` and `wants`, as often as the configuration says."""
    return Health(needs, interval=server.check_interval, timeout=server.check_timeout, wants=wants)


def version_of(name: str) -> str:
    """The version of the distribution that is named as the service is, or else of this library."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return importlib.metadata.version("servicekit")


def service(
    name: str,
    config: Config,
    *,
    needs: Iterable[Dependency] = (),
    groups: Iterable[Group] = (),
    plain: Iterable[AbstractRouteDef] = (),
    background: Iterable[Background] = (),
    headers: Mapping[str, str] | None = None,
    local: Iterable[RouteDef] = (),
    wants: Iterable[Dependency] = (),
) -> Service:
    """Describes a service.

    `needs` are opened when it starts, reported in /readyz, and closed in reverse; so are `wants`, which only
    some of the requests need: the service is ready while they are down. `groups` are its routes;
    `plain` are routes of aiohttp's own kind, without identity, limits or a place in the OpenAPI document.
    `background` are coroutine functions that run beside the requests, once in every process, and are
    cancelled when it stops. `headers` go with every response. `local` are routes for whoever is on the same
    machine, or in the same pod, with a coroutine function each: they are not there for anybody else, nor at
    another port than that of /metrics.
    """
    return Service(
        name,
        config,
        tuple(needs),
        tuple(groups),
        tuple(plain),
        tuple(background),
        headers or {},
        local=tuple(local),
        wants=tuple(wants),
    )


def _describe(service: Service) -> Handler:
    """Answers with the OpenAPI document: anybody who reaches the service may know what it serves."""
    made: asyncio.Future[bytes] | None = None

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal made
        if made is None:
            from servicekit.openapi import encoded  # which takes long, and is rarely asked for

            made = asyncio.ensure_future(asyncio.to_thread(encoded, service))
        body = await asyncio.shield(made)
        return web.Response(body=body, content_type="application/json")

    return answer


def _only_at(port: int | None, handler: Handler) -> Handler:
    """`handler`, for requests that came in at `port` alone; anywhere when that is None."""

    async def answer(request: web.Request) -> web.StreamResponse:
        transport = request.transport
        if transport is None or transport.get_extra_info("sockname")[1] != port:
            raise NotFound("there is nothing at this path")
        return await handler(request)

    return handler if port is None else answer


def _only_from_here(handler: Handler) -> Handler:
    """`handler`, for requests whose connection comes from this machine itself."""

    async def answer(request: web.Request) -> web.StreamResponse:
        peer = request.transport.get_extra_info("peername") if request.transport else None
        if not peer or not _is_loopback(peer[0]):
            raise NotFound("there is nothing at this path")
        return await handler(request)

    return answer


def _is_loopback(address: str) -> bool:
    parsed = ip_address(address)
    return (getattr(parsed, "ipv4_mapped", None) or parsed).is_loopback


async def _watch_needs(app: web.Application) -> AsyncIterator[None]:
    app[HEALTH].start()
    yield
    await app[HEALTH].stop()


async def _announce_stop(app: web.Application) -> None:
    app[HEALTH].stopping.set()


def _run_in_background(name: str, function: Background) -> Callable[[web.Application], AsyncIterator[None]]:
    async def context(app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(_guarded(function), name=f"background of {name}")
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    return context


async def _guarded(function: Background) -> None:
    try:
        await function()
    except Exception:
        log.exception("the background task %s ended", getattr(function, "__qualname__", function))
