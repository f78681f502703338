"""Health and metrics of all workers, as those of one service."""

import asyncio
import logging
import socket
from types import TracebackType
from typing import Any, Protocol, Self

import aiohttp
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from ks_apigateway.workers.merge import merged
from servicekit.responses import to_response

log = logging.getLogger(__name__)

TIMEOUT = 3.0
"""Seconds in which a worker must answer."""
_POLL = 0.1


class Fleet(Protocol):
    """The workers."""

    restarts: int

    @property
    def urls(self) -> list[str]: ...


class Operations:
    """Serves /healthz, /readyz and /metrics for `wanted` workers, in a context."""

    def __init__(self, fleet: Fleet, wanted: int, sock: socket.socket) -> None:
        self._fleet = fleet
        self._wanted = wanted
        self._sock = sock
        app = web.Application()
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/readyz", self._ready)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT))
        await self._runner.setup()
        await web.SockSite(self._runner, self._sock).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _health(self, _: web.Request) -> web.StreamResponse:
        """As long as any worker answers; those that do not are being replaced."""
        answers = await self._ask("/healthz")
        alive = any(status == 200 for status, _ in answers)
        return to_response({"status": "ok" if alive else "unavailable"}, 200 if alive else 503)

    async def _ready(self, _: web.Request) -> web.StreamResponse:
        """When every worker is; else what the first one says that is not."""
        answers = await self._ask("/readyz")
        ready = [body for status, body in answers if status == 200]
        not_ready = [body for status, body in answers if status != 200 and body]
        body = _decoded((not_ready or ready or [b"{}"])[0])
        body["workers"] = {"ready": len(ready), "wanted": self._wanted}
        whole = len(ready) == self._wanted
        body["status"] = "ok" if whole else "unavailable"
        return to_response(body, 200 if whole else 503)

    async def _metrics(self, _: web.Request) -> web.StreamResponse:
        answers = await self._ask("/metrics")
        texts = [body.decode() for status, body in answers if status == 200]
        body = merged(texts, workers=len(texts), restarts=self._fleet.restarts)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _ask(self, path: str) -> list[tuple[int, bytes]]:
        return await asyncio.gather(*(self._ask_one(f"{url}{path}") for url in self._fleet.urls))

    async def _ask_one(self, url: str) -> tuple[int, bytes]:
        assert self._session is not None
        try:
            async with self._session.get(url) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError):
            return 0, b""


async def is_alive(url: str) -> None:
    """Returns once the worker whose operations are at `url` serves."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT)) as session:
        while True:
            try:
                async with session.get(f"{url}/healthz") as answer:
                    if answer.status == 200:
                        return
            except (aiohttp.ClientError, OSError, TimeoutError):
                pass
            await asyncio.sleep(_POLL)


def _decoded(body: bytes) -> dict[str, Any]:
    import orjson

    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
