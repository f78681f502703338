"""What the console answers: the first page, signing in, signing out."""

import logging
from urllib.parse import parse_qs

from aiohttp import web

from ks_console.assets import PREFIX, Assets
from ks_console.browser import FORM_FIELD, SESSION, Forms, Proxies, is_token, session_of, user_of
from ks_console.gateway import Gateway, GatewayDown, SessionEnded, TooManyAttempts, WrongPassword
from ks_console.pages import Pages
from servicekit.errors import BadRequest
from servicekit.group import Group

log = logging.getLogger(__name__)

FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 10
MAX_FIELD = 1024
"""Characters of a user name or a password."""

ENDED = "Your session has ended. Please sign in again."
WRONG = "The user name or the password is wrong."
FOREIGN = "The form was too old, or did not come from this page. Please try again."
DOWN = "The platform does not answer. Please try again in a moment."


class Site:
    """The routes, over what they need."""

    def __init__(self, gateway: Gateway, pages: Pages, forms: Forms, proxies: Proxies):
        self._gateway = gateway
        self._pages = pages
        self._forms = forms
        self._proxies = proxies

    async def home(self, request: web.Request) -> web.Response:
        """The workspaces of who is signed in; the login form for everybody else."""
        token = session_of(request)
        if token is None:
            return self._login_page(request)
        try:
            found = await self._gateway.workspaces(token, self._proxies.client_address(request))
        except SessionEnded:
            response = self._login_page(request, message=ENDED)
            self._pages.end_session(request, response)
            return response
        except TooManyAttempts as refused:
            return self._wait_page(request, refused.seconds)
        except GatewayDown as down:
            return self._down_page(request, down)
        return self._pages.page(request, "home.html", user=user_of(token), workspaces=found)

    async def log_in(self, request: web.Request, body: bytes) -> web.Response:
        """Takes the login form: a cookie and the first page, or the form again with what is wrong."""
        form = _parse_form(body)
        username = form.get("username", "")
        if not self._forms.is_ours(request, form.get(FORM_FIELD, "")):
            return self._login_page(request, 403, FOREIGN, username)
        address = self._proxies.client_address(request)
        try:
            token = await self._gateway.log_in(username, form.get("password", ""), address)
        except WrongPassword:
            return self._login_page(request, 401, WRONG, username)
        except TooManyAttempts as refused:
            return self._wait_page(request, refused.seconds, username)
        except GatewayDown as down:
            return self._down_page(request, down)
        if not is_token(token):
            return self._down_page(request, GatewayDown("its token is not one that a cookie can hold"))
        response = web.Response(status=303, headers={"Location": "/", "Cache-Control": "no-store"})
        self._pages.set_cookie(request, response, SESSION, token)
        return response

    async def log_out(self, request: web.Request, body: bytes) -> web.Response:
        """Takes the sign-out form: ends the session, here and at the gateway."""
        if not self._forms.is_ours(request, _parse_form(body).get(FORM_FIELD, "")):
            return self._login_page(request, 403, FOREIGN)
        token = session_of(request)
        if token is not None:
            try:
                await self._gateway.log_out(token, self._proxies.client_address(request))
            except GatewayDown as down:
                log.warning("the session could not be ended at the gateway: %s", down)
        response = web.Response(status=303, headers={"Location": "/", "Cache-Control": "no-store"})
        self._pages.end_session(request, response)
        return response

    async def to_home(self, request: web.Request) -> web.Response:
        """For who reloads a page that only a form leads to."""
        return web.Response(status=303, headers={"Location": "/", "Cache-Control": "no-store"})

    def _login_page(
        self, request: web.Request, status: int = 200, message: str = "", username: str = ""
    ) -> web.Response:
        return self._pages.page(request, "login.html", status, message=message, username=username)

    def _wait_page(self, request: web.Request, seconds: int, username: str = "") -> web.Response:
        message = f"There were too many attempts. Please try again in {describe_wait(seconds)}."
        response = self._login_page(request, 429, message, username)
        response.headers["Retry-After"] = str(seconds)
        return response

    def _down_page(self, request: web.Request, down: GatewayDown) -> web.Response:
        log.warning("the gateway is not available: %s", down)
        signed_in = session_of(request) is not None
        response = self._pages.page(request, "down.html", 503, message=DOWN, signed_in=signed_in)
        response.headers["Retry-After"] = "5"
        return response


def describe_wait(seconds: int) -> str:
    """`seconds` in words, rounded up."""
    if seconds < 60:
        return f"{seconds} second{'s' if seconds != 1 else ''}"
    minutes = -(-seconds // 60)
    return f"{minutes} minute{'s' if minutes != 1 else ''}"


def _parse_form(body: bytes) -> dict[str, str]:
    try:
        fields = parse_qs(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
        )
    except ValueError:
        raise BadRequest("the form cannot be read") from None
    if any(len(values) > 1 or len(values[0]) > MAX_FIELD for values in fields.values()):
        raise BadRequest("a field of the form is too long, or there twice")
    return {name: values[0] for name, values in fields.items()}


def routes(site: Site, assets: Assets) -> Group:
    """The site as a group: it stands before the gateway, so its callers carry no signed identity."""
    group = Group("console", "", prefix="", identified=False, consumes=(FORM,))
    group.get("/")(site.home)
    group.get("/login")(site.to_home)
    group.post("/login")(site.log_in)
    group.post("/logout")(site.log_out)
    group.get(PREFIX + "/{digest}/{name}")(assets.serve)
    return group
