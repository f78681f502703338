"""Routes of signing in at a provider of OpenID Connect."""

from typing import Annotated

from aiohttp import web
from typing_extensions import TypedDict

from ks_account.login.api import session_of
from ks_account.login.signin import SignedIn
from ks_account.oidc.attempt import COOKIE, LIFETIME
from ks_account.oidc.login import OidcLogin
from servicekit.binding import Header, Query
from servicekit.group import Group
from servicekit.identity import Identity
from servicekit.responses import to_response

SESSION = "token"
"""The cookie in which the gateway looks for a token."""


class Provider(TypedDict):
    """Where one may sign in; `login_url` is a path of this site."""

    name: str
    title: str
    login_url: str


def add_routes(group: Group, login: OidcLogin) -> None:
    """Add the routes to the group iam.kubesphere.io."""
    base = f"{group.prefix}/oauth"

    @group.get("/oauth/providers", public=True)
    async def list_providers() -> list[Provider]:
        """The providers at which one may sign in, with the address to begin at."""
        return [
            {"name": name, "title": title, "login_url": f"{base}/{name}/authorize"}
            for name, title in login.providers()
        ]

    @group.get("/oauth/{provider}/authorize", public=True)
    async def authorize(provider: str, next: str = "/") -> web.Response:  # noqa: A002
        """Send the browser to the provider; it comes back to `next`, a path of this site."""
        begun = await login.begin(provider, next)
        answer = _redirect(begun.url)
        answer.set_cookie(
            COOKIE,
            begun.cookie,
            max_age=LIFETIME,
            path=base,
            httponly=True,
            samesite="Lax",
            secure=begun.secure,
        )
        return answer

    @group.get("/oauth/{provider}/callback", public=True)
    async def callback(
        caller: Identity,
        request: web.Request,
        provider: str,
        code: str = "",
        state: str = "",
        refusal: Annotated[str, Query("error")] = "",
        accept: Annotated[str, Header("Accept")] = "",
    ) -> web.StreamResponse:
        """Take what the provider sends the browser back with, and begin a session: in the cookie `token`, and
        for who accepts JSON alone in the answer.
        """
        cookie = request.cookies.get(COOKIE, "")
        done = await login.finish(
            provider, cookie, state=state, code=code, refusal=refusal, address=caller.address
        )
        answer = _answer(done.session, done.next, as_json=accept.startswith("application/json"))
        answer.set_cookie(
            SESSION, done.session.token, path="/", httponly=True, samesite="Lax", secure=done.secure
        )
        answer.del_cookie(COOKIE, path=base)
        return answer


def _answer(session: SignedIn, next_: str, *, as_json: bool) -> web.StreamResponse:
    return to_response(session_of(session)) if as_json else _redirect(next_)


def _redirect(url: str) -> web.Response:
    headers = {"Location": url, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return web.Response(status=302, headers=headers)
