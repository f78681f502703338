"""A gateway for the console's contract tests, and a browser's half of HTTP.

The console passes on what it is asked, and itself asks the gateway for very little. This stand-in answers
over real HTTP and WebSockets, keeps what it was asked, and can be told to answer as a gateway does in
trouble: slowly, with nonsense, not at all. What the real gateway answers is tested with the whole platform,
in a real browser.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import aiohttp
import orjson
from aiohttp import WSMsgType, web
from yarl import URL

IAM = "/kapis/iam.kubesphere.io/v1alpha2"
LOGIN = f"{IAM}/login"
TOKEN = f"{IAM}/token"
SOCKET = "/kapis/terminal.kubesphere.io/v1alpha2/namespaces/demo/pods/shell"


def make_token(username: str) -> str:
    """A token with the shape of the platform's; nobody here checks the signature."""
    parts = ({"alg": "HS256", "typ": "JWT"}, {"username": username})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


@dataclass
class Asked:
    """A request that the gateway got; the names of its headers are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class FakeGateway:
    """Knows people by their passwords; keeps what it was asked."""

    people: dict[str, str] = field(default_factory=lambda: {"admin": "right"})
    sessions: set[str] = field(default_factory=set)
    must_change: bool = False
    instead: web.Response | None = None
    """What everything is answered with, when there is one."""
    delay: float = 0
    left: list[str] = field(default_factory=list)
    """Paths of requests whose sender did not wait for the answer."""
    asked: list[Asked] = field(default_factory=list)
    close_with: tuple[int, bytes] | None = None
    """How a WebSocket is closed when it has answered once."""
    url: str = ""

    def reset(self) -> None:
        fresh = FakeGateway()
        for name in ("people", "sessions", "must_change", "instead", "delay", "left", "asked", "close_with"):
            setattr(self, name, getattr(fresh, name))

    @property
    def asked_by_browsers(self) -> int:
        """How many requests there were but for those by which the console sees whether this one lives."""
        return sum(asked.path != "/healthz" for asked in self.asked)

    def last(self, path: str) -> Asked:
        """The latest request to `path`, which may have a query."""
        for asked in reversed(self.asked):
            if asked.path == path:
                return asked
        raise AssertionError(f"{path} was not asked for, only {[asked.path for asked in self.asked]}")

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(Asked(request.method, request.raw_path, headers, body))
        await self._wait(request)
        if self.instead is not None:
            return web.Response(
                status=self.instead.status, body=self.instead.body, headers=self.instead.headers
            )
        if (request.method, request.path) == ("POST", LOGIN):
            return self._log_in(json.loads(body))
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.sessions:
            return web.json_response(
                {"message": "token not found", "reason": "Unauthorized"},
                status=401,
                headers={"WWW-Authenticate": "Unauthorized,token not found"},
            )
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._speak(request)
        return self._of_session(request, token)

    async def _wait(self, request: web.Request) -> None:
        """For `delay` seconds, or until nobody waits for the answer any more."""
        until = monotonic() + self.delay
        while monotonic() < until:
            if request.transport is None or request.transport.is_closing():
                self.left.append(request.raw_path)
                return
            await asyncio.sleep(0.02)

    def _log_in(self, form: dict[str, str]) -> web.Response:
        username = form["username"]
        if username not in self.people or self.people[username] != form["password"]:
            return web.json_response({"message": "incorrect username or password"}, status=401)
        token = make_token(username)
        self.sessions.add(token)
        more = {"password_change_required": True} if self.must_change else {}
        return web.json_response({"access_token": token, **more})

    def _of_session(self, request: web.Request, token: str) -> web.Response:
        if (request.method, request.path) == ("DELETE", TOKEN):
            self.sessions.discard(token)
            return web.json_response({"message": "success"})
        if request.path.startswith(f"{IAM}/users/"):
            return web.json_response({"username": request.path.rpartition("/")[2]})
        return web.json_response(
            {"path": request.raw_path}, headers={"ETag": '"1"', "Set-Cookie": "evil=1", "Refresh": "0; /evil"}
        )

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=("v4.channel.k8s.io",))
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await socket.send_str(f"echo {message.data}")
            elif message.type is WSMsgType.BINARY:
                await socket.send_bytes(b"echo " + message.data)
            if self.close_with is not None:
                code, reason = self.close_with
                await socket.close(code=code, message=reason)
        return socket


@asynccontextmanager
async def running_gateway() -> AsyncIterator[FakeGateway]:
    gateway = FakeGateway()
    app = web.Application(client_max_size=8 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", gateway.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        gateway.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield gateway
    finally:
        await runner.cleanup()


@dataclass
class Page:
    """What came back."""

    status: int
    headers: Any
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


class Browser:
    """Keeps cookies and the console's proof, as its page does. Follows no redirect."""

    def __init__(self, url: str):
        self.url = url
        self.csrf = ""
        self.session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), auto_decompress=False)

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie.key: cookie.value for cookie in self.session.cookie_jar}

    def set_cookie(self, name: str, value: str) -> None:
        self.session.cookie_jar.update_cookies({name: value}, response_url=URL(self.url))

    async def get(self, path: str = "/", **options: Any) -> Page:
        return await self.ask("GET", path, **options)

    async def open(self, **options: Any) -> Page:
        """What the page does first: it asks who is signed in."""
        page = await self.get("/session", **options)
        if page.status == 200:
            self.csrf = page.json["csrf"]
        return page

    async def send(self, method: str, path: str, json: Any = None, **options: Any) -> Page:
        """A request that changes something, with the proof that it comes from our page."""
        headers = {"X-CSRF-Token": self.csrf, **options.pop("headers", {})}
        return await self.ask(method, path, json=json, headers=headers, **options)

    async def sign_in(self, username: str = "admin", password: str = "right", **options: Any) -> Page:
        """Opens the page and sends the login form."""
        await self.open()
        return await self.send("POST", "/login", {"username": username, "password": password}, **options)

    async def close(self) -> None:
        await self.session.close()

    async def ask(self, method: str, path: str, **options: Any) -> Page:
        url = URL(self.url + path, encoded=True)
        async with self.session.request(method, url, allow_redirects=False, **options) as answer:
            return Page(answer.status, answer.headers, await answer.read())
