"""A gateway for the console's contract tests, and a browser without scripts.

The console asks very little of the gateway: a login, a logout, one list. This stand-in answers these over
real HTTP, and can be told to answer as a gateway does in trouble: slowly, with nonsense, not at all. What the
real gateway answers is tested with the whole platform.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

LOGIN = "/kapis/iam.kubesphere.io/v1alpha2/login"
TOKEN = "/kapis/iam.kubesphere.io/v1alpha2/token"
WORKSPACES = "/kapis/tenant.kubesphere.io/v1alpha2/workspaces"


def make_token(username: str) -> str:
    """A token with the shape of the platform's; nobody here checks the signature."""
    parts = ({"alg": "HS256", "typ": "JWT"}, {"username": username})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


def make_workspace(name: str, **annotations: str) -> dict[str, Any]:
    marks = {f"kubesphere.io/{key.replace('_', '-')}": value for key, value in annotations.items()}
    return {"metadata": {"name": name, "annotations": marks}, "spec": {"manager": "admin"}}


@dataclass
class FakeGateway:
    """Knows people by their passwords; keeps what it was asked."""

    people: dict[str, str] = field(default_factory=lambda: {"admin": "right"})
    sessions: set[str] = field(default_factory=set)
    workspaces: list[Any] = field(default_factory=list)
    instead: web.Response | None = None
    """What everything is answered with, when there is one."""
    delay: float = 0
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    def reset(self) -> None:
        fresh = FakeGateway()
        for name in ("people", "sessions", "workspaces", "instead", "delay", "asked"):
            setattr(self, name, getattr(fresh, name))

    def last(self, path: str) -> tuple[dict[str, str], bytes]:
        """Headers, with their names in lower case, and body of the latest request to `path`."""
        for _, asked, headers, body in reversed(self.asked):
            if asked == path:
                return headers, body
        raise AssertionError(f"{path} was not asked for")

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append((request.method, request.path, headers, body))
        await asyncio.sleep(self.delay)
        if self.instead is not None:
            return web.Response(
                status=self.instead.status, body=self.instead.body, headers=self.instead.headers
            )
        if (request.method, request.path) == ("POST", LOGIN):
            return self._log_in(json.loads(body))
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.sessions:
            return web.json_response({"message": "token not found"}, status=401)
        if (request.method, request.path) == ("DELETE", TOKEN):
            self.sessions.discard(token)
            return web.json_response({"message": "success"})
        if request.path == WORKSPACES:
            return web.json_response({"items": self.workspaces, "total_count": len(self.workspaces)})
        return web.json_response({"message": "not found"}, status=404)

    def _log_in(self, form: dict[str, str]) -> web.Response:
        username = form["username"]
        if username not in self.people or self.people[username] != form["password"]:
            return web.json_response({"message": "incorrect username or password"}, status=401)
        token = make_token(username)
        self.sessions.add(token)
        return web.json_response({"access_token": token})


@asynccontextmanager
async def running_gateway() -> AsyncIterator[FakeGateway]:
    gateway = FakeGateway()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", gateway.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        gateway.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield gateway
    finally:
        await runner.cleanup()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@dataclass
class Page:
    """What came back: status, headers, and what a reader sees."""

    status: int
    headers: Any
    html: str

    def __post_init__(self) -> None:
        reader = _Reader()
        reader.feed(self.html)
        self.text = " ".join(" ".join(reader.text).split())
        self.tags = reader.tags

    def fields(self, tag: str = "input") -> dict[str, str]:
        """The values of the form's fields, by name."""
        return {
            attributes["name"] or "": attributes.get("value") or ""
            for name, attributes in self.tags
            if name == tag and "name" in attributes
        }

    @property
    def is_login(self) -> bool:
        return "password" in self.fields()


class Browser:
    """Keeps cookies, and sends the forms that it was given. Follows no redirect unless told to."""

    def __init__(self, url: str):
        self.url = url
        self.session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie.key: cookie.value for cookie in self.session.cookie_jar}

    def set_cookie(self, name: str, value: str) -> None:
        self.session.cookie_jar.update_cookies({name: value}, response_url=URL(self.url))

    async def get(self, path: str = "/", **options: Any) -> Page:
        return await self._ask("GET", path, **options)

    async def post(self, path: str, form: dict[str, str] | bytes | str, **options: Any) -> Page:
        return await self._ask("POST", path, data=form, **options)

    async def sign_in(self, username: str = "admin", password: str = "right", **options: Any) -> Page:
        """Fills in the login form and sends it; follows where it leads."""
        form = (await self.get()).fields()
        form.update(username=username, password=password)
        return await self.post("/login", form, allow_redirects=True, **options)

    async def close(self) -> None:
        await self.session.close()

    async def _ask(self, method: str, path: str, **options: Any) -> Page:
        options.setdefault("allow_redirects", False)
        async with self.session.request(method, self.url + path, **options) as answer:
            return Page(answer.status, answer.headers, await answer.text())
