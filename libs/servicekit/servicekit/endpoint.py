"""One request to one route: may it come in, who asks, what it needs, the handler, the answer."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, cast

from aiohttp import web

from servicekit import conditional
from servicekit.deadline import DeadlineExceeded, within
from servicekit.errors import GatewayTimeout, Overloaded, Unauthorized
from servicekit.group import Route
from servicekit.health import Health
from servicekit.identity import IDENTITY_HEADER, Identity, IdentityVerifier
from servicekit.keys import IDENTITY
from servicekit.lasting import Answers, Lasting
from servicekit.responses import to_response
from servicekit.sections import ServerConfig

Endpoint = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Slots(AbstractContextManager[None]):
    """A number of requests at once, without a queue: one more is refused at once, and may be tried again."""

    def __init__(self, limit: int, setting: str):
        self._free = limit
        self._limit = limit
        self._setting = setting

    def __enter__(self) -> None:
        if self._free <= 0:
            raise Overloaded(f"{self._limit} requests are being served ({self._setting}); try again shortly")
        self._free -= 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._free += 1


class Door:
    """What all routes of a service share: its limits, and how identities are verified."""

    def __init__(
        self,
        server: ServerConfig,
        health: Health,
        verifier: IdentityVerifier | None,
        answers: Answers | None = None,
    ):
        """`answers` are where those that last are kept, if they may be."""
        self._health = health
        self._answers = answers
        self._verifier = verifier
        self._timeout = server.request_timeout
        self._requests = Slots(server.max_requests, "server.maxRequests")
        self._streams = Slots(server.max_streams, "server.maxStreams")

    def endpoint(self, route: Route) -> Endpoint:
        """The aiohttp handler of `route`."""
        slots = self._streams if route.stream else self._requests
        answer = self._answer if route.stream else self._answer_in_time

        async def serve(request: web.Request) -> web.StreamResponse:
            with slots:
                if route.identified:
                    request[IDENTITY] = self._identify(request, route)
                for name in route.needs:
                    self._health.require(name)
                return await answer(request, route)

        return serve

    async def _answer(self, request: web.Request, route: Route) -> web.StreamResponse:
        result = await route.binding.call(request)
        holds = None
        if isinstance(result, Lasting):
            lasting = cast("Lasting[Any]", result)
            result, holds = lasting.value, lasting.holds
        response = to_response(result, route.status)
        if route.etag:
            response = conditional.answer(request, response)
        if holds is not None and self._answers is not None and not route.needs:
            self._answers.keep(request, response, holds)
        return response

    async def _answer_in_time(self, request: web.Request, route: Route) -> web.StreamResponse:
        try:
            return await within(self._timeout, self._answer(request, route))
        except DeadlineExceeded:
            raise GatewayTimeout(f"the request took longer than {self._timeout:g} s") from None

    def _identify(self, request: web.Request, route: Route) -> Identity:
        headers = request.headers.getall(IDENTITY_HEADER, [])
        if len(headers) > 1:
            raise Unauthorized(f"the header {IDENTITY_HEADER} is there twice")
        if self._verifier is None:
            raise Unauthorized(
                "this service has no secret to verify identities with (authentication.jwtSecret)"
            )
        identity = self._verifier.verify(headers[0] if headers else None)
        if identity.is_anonymous and not route.public:
            raise Unauthorized("sign in first")
        return identity
