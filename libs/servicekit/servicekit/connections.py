"""A bound on open connections: one more is told so and closed, before anything of it is read."""

import asyncio
from typing import cast

import orjson
from aiohttp import web

from servicekit.lasting import ANSWERS

_BODY = orjson.dumps(
    {
        "message": "the service has as many connections as it may (server.maxConnections); try again shortly",
        "reason": "Overloaded",
    }
)
REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
)


class BoundedRunner(web.AppRunner):
    """Runs an application with at most `limit` connections at once."""

    __slots__ = ("_limit",)

    def __init__(self, app: web.Application, *, limit: int, **options: object):
        super().__init__(app, **options)  # pyright: ignore[reportArgumentType]
        self._limit = limit

    async def setup(self) -> None:
        """Makes the application ready to serve, after what it remembers."""
        await super().setup()
        server, answers = super().server, self.app.get(ANSWERS)
        if server is not None and answers is not None:
            server.request_handler = answers.before(server.request_handler)

    @property
    def server(self) -> web.Server | None:
        """What sites, gunicorn's worker included, ask for the protocol of each new connection."""
        server = super().server
        return None if server is None else cast("web.Server", _Bounded(server, self._limit))


class _Bounded:
    """Stands before a server; has what those who hold it use."""

    def __init__(self, server: web.Server, limit: int):
        self._server = server
        self._limit = limit

    @property
    def requests_count(self) -> int:
        return self._server.requests_count

    def __call__(self) -> asyncio.Protocol:
        if len(self._server.connections) >= self._limit:
            return _Refusal()
        return self._server()


class _Refusal(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        connection = cast("asyncio.Transport", transport)
        connection.write(REFUSAL)
        connection.close()
