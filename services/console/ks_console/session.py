"""Signing in and out, and who is signed in."""

import logging
from typing import Annotated, Any
from urllib.parse import quote

from aiohttp import web
from pydantic import BaseModel, StringConstraints

from ks_console.browser import (
    CSRF,
    SESSION,
    Cookies,
    Forms,
    Proxies,
    is_token,
    session_of,
    user_of,
)
from ks_console.delays import Delays
from ks_console.gateway import IAM, TOKEN, Gateway
from servicekit.errors import ServiceError, Unauthorized, Unavailable
from servicekit.group import Group
from servicekit.responses import to_response

log = logging.getLogger(__name__)

NO_STORE = {"Cache-Control": "no-store"}
Typed = Annotated[str, StringConstraints(max_length=1024)]


class Credentials(BaseModel):
    """What the login form holds."""

    username: Typed
    password: Typed


class SessionRoutes:
    """The routes, over what they need."""

    def __init__(
        self, gateway: Gateway, forms: Forms, cookies: Cookies, proxies: Proxies, delays: Delays
    ) -> None:
        self._gateway = gateway
        self._forms = forms
        self._cookies = cookies
        self._proxies = proxies
        self._delays = delays

    def group(self) -> Group:
        """They stand before the gateway, so their callers carry no signed identity."""
        group = Group("console", "", prefix="", identified=False)

        @group.get("/session")
        async def session(request: web.Request) -> web.StreamResponse:
            """Who is signed in, and what requests that change something must carry."""
            return await self._session(request)

        @group.post("/login")
        async def log_in(request: web.Request, body: Credentials) -> web.StreamResponse:
            """Takes a name and a password; the token goes into a cookie that no script can read."""
            return await self._log_in(request, body)

        @group.post("/logout")
        async def log_out(request: web.Request) -> web.StreamResponse:
            """Ends the session, here and at the gateway."""
            return await self._log_out(request)

        return group

    async def _session(self, request: web.Request) -> web.StreamResponse:
        token = session_of(request)
        user = None if token is None else await self._profile(request, token)
        nonce = self._forms.nonce(request)
        ended = token is not None and user is None
        response = to_response({"csrf": self._forms.sign(nonce), "user": user, "ended": ended})
        response.headers.update(NO_STORE)
        self._cookies.put(request, response, CSRF, nonce)
        if ended:
            self._cookies.end_session(request, response)
        return response

    async def _profile(self, request: web.Request, token: str) -> dict[str, Any] | None:
        """What the platform knows of the owner of `token`; None when it is good for nothing any more."""
        path = f"{IAM}/users/{quote(user_of(token), safe='')}"
        address = self._proxies.client_address(request)
        answer = await self._gateway.ask("GET", path, token=token, address=address)
        if answer.status in (400, 401, 404):
            return None
        if answer.status != 200:
            raise answer.error()
        return answer.json()

    async def _log_in(self, request: web.Request, given: Credentials) -> web.StreamResponse:
        self._forms.require(request)
        address = self._proxies.client_address(request)
        try:
            session = await self._gateway.log_in(given.username, given.password, address)
        except Unauthorized:
            await self._delays.failed(address)
            raise
        self._delays.succeeded(address)
        token = session.get("access_token")
        if not isinstance(token, str) or not is_token(token):
            raise Unavailable("the gateway", "its answer to the login holds no token that a cookie can hold")
        must_change = session.get("password_change_required") is True
        response = to_response({"passwordChangeRequired": must_change})
        response.headers.update(NO_STORE)
        self._cookies.put(request, response, SESSION, token)
        return response

    async def _log_out(self, request: web.Request) -> web.StreamResponse:
        self._forms.require(request)
        token = session_of(request)
        if token is not None:
            await self._end(token, self._proxies.client_address(request))
        response = to_response({})
        response.headers.update(NO_STORE)
        self._cookies.end_session(request, response)
        return response

    async def _end(self, token: str, address: str) -> None:
        try:
            answer = await self._gateway.ask("DELETE", TOKEN, token=token, address=address)
        except ServiceError as down:
            log.warning("the session could not be ended at the gateway: %s", down.message)
            return
        if answer.status >= 400 and answer.status != 401:
            log.warning(
                "the gateway answered %s to the end of a session: the token lives on until it is idle",
                answer.status,
            )
