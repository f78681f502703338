"""The pages of the console, as responses."""

from typing import Any

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from ks_console.assets import Assets
from ks_console.browser import CSRF, SESSION, Forms, Proxies

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

# no-referrer would have browsers send `Origin: null` with our own forms.
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Pages:
    """Renders templates; what goes into them is escaped."""

    def __init__(self, title: str, assets: Assets, forms: Forms, proxies: Proxies):
        self._forms = forms
        self._proxies = proxies
        self._templates = Environment(
            loader=PackageLoader("ks_console"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(title=title, asset=assets.url)

    def page(self, request: web.Request, template: str, status: int = 200, **values: Any) -> web.Response:
        """The page `template`, with a cookie that its forms match."""
        nonce = self._forms.nonce(request)
        text = self._templates.get_template(template).render(csrf=self._forms.sign(nonce), **values)
        response = web.Response(
            text=text, status=status, content_type="text/html", headers={"Cache-Control": "no-store"}
        )
        self.set_cookie(request, response, CSRF, nonce)
        return response

    def set_cookie(self, request: web.Request, response: web.Response, name: str, value: str) -> None:
        """Sets a cookie that scripts cannot read and other sites cannot send."""
        secure = self._proxies.is_https(request)
        response.set_cookie(name, value, path="/", httponly=True, samesite="Strict", secure=secure)

    def end_session(self, request: web.Request, response: web.Response) -> None:
        """Has the browser forget its token."""
        secure = self._proxies.is_https(request)
        response.del_cookie(SESSION, path="/", httponly=True, samesite="Strict", secure=secure)
