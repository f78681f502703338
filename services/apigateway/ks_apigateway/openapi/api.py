"""The routes of /openapi/v3 and of the page that shows it."""

from collections.abc import Sequence

from aiohttp import web
from aiohttp.web_routedef import AbstractRouteDef

from ks_apigateway.openapi import page
from ks_apigateway.openapi.documents import Documents


def routes(documents: Documents) -> Sequence[AbstractRouteDef]:
    """Anybody may read how the platform is asked; the gateway lets in who may."""

    async def discovery(_: web.Request) -> web.StreamResponse:
        return web.Response(body=await documents.discovery(), content_type="application/json")

    async def platform(_: web.Request) -> web.StreamResponse:
        return web.Response(body=await documents.platform(), content_type="application/json")

    async def show(request: web.Request) -> web.StreamResponse:
        asset = page.asset(request.match_info.get("name", ""))
        return web.Response(body=asset.body, content_type=asset.content_type, headers=page.HEADERS)

    return (
        web.get("/openapi/v3", discovery),
        web.get("/openapi/v3/kapis", platform),
        web.get("/swagger-ui", show),
        web.get("/swagger-ui/{name:.*}", show),
    )
