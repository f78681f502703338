"""What the controllers are at: GET /debug/queues."""

from __future__ import annotations

from aiohttp import web

from ks_controller_manager.manager import Manager
from servicekit.responses import to_response


def queues(manager: Manager) -> web.RouteDef:
    """The route; whoever describes the service says who may ask."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return to_response(manager.view())

    return web.get("/debug/queues", answer)
