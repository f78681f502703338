"""The page that loads the application, at every address that the application has."""

import secrets
from html import escape

from aiohttp import web
from aiohttp.web_routedef import AbstractRouteDef

from ks_console.assets import Assets
from servicekit.errors import NotFound

NONCE = "__NONCE__"
"""In the page: where the value stands that style sheets made by our own scripts must carry."""
TITLE = "__TITLE__"
NOT_BUILT = """<!doctype html><html lang="en"><title>Not built</title>
<h1>The console's application has not been built</h1>
<p>Run <code>python services/console/web/build.py</code>, and start the console again.</p></html>"""


def content_security_policy(nonce: str = "") -> str:
    """Scripts and style sheets are our own files. `nonce` lets in the style sheets that the editor and the
    terminal make while they run; a style is all that it lets in. Colours that a program chooses are
    attributes in the terminal, which can have no nonce."""
    styles = f"style-src 'self' 'nonce-{nonce}'" if nonce else "style-src 'self'"
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            styles,
            "style-src-attr 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


# no-referrer would have browsers send `Origin: null` with our own requests.
SECURITY_HEADERS = {
    "Content-Security-Policy": content_security_policy(),
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Application:
    """Serves the page."""

    def __init__(self, title: str, assets: Assets) -> None:
        self._page = assets.page and assets.page.replace(TITLE, escape(title))

    def routes(self) -> list[AbstractRouteDef]:
        return [web.get("/{path:.*}", self.serve)]

    async def serve(self, request: web.Request) -> web.Response:
        """The page, for whoever asks for one. What is asked for by a program and is not there is 404."""
        if "text/html" not in request.headers.get("Accept", "") and request.path != "/":
            raise NotFound("there is nothing at this path")
        nonce = secrets.token_urlsafe(16)
        page = NOT_BUILT if self._page is None else self._page.replace(NONCE, nonce)
        return web.Response(
            text=page,
            status=503 if self._page is None else 200,
            content_type="text/html",
            headers={"Cache-Control": "no-store", "Content-Security-Policy": content_security_policy(nonce)},
        )
