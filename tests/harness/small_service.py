"""Services of a few lines, built on servicekit and served in this process over real sockets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from servicekit.app import service
from servicekit.config import Config
from servicekit.group import Group
from servicekit.identity import IDENTITY_HEADER, Identity, IdentitySigner
from servicekit.serving import make_runner

SECRET = b"a secret that gateway and service share"
SIGNER = IdentitySigner(SECRET)
BOB = Identity("bob", ("developers",), "203.0.113.7")


def make_config(**server: Any) -> Config:
    return Config.model_validate({"authentication": {"jwtSecret": SECRET.decode()}, "server": server})


def signed(identity: Identity = BOB) -> dict[str, str]:
    return {IDENTITY_HEADER: SIGNER.sign(identity)}


class Client:
    """Asks one service, by default as bob."""

    def __init__(self, session: aiohttp.ClientSession, host: str, port: int):
        self.host = host
        self.port = port
        self.session = session
        self.base = f"http://{host}:{port}"

    async def ask(self, method: str, path: str, **options: Any) -> aiohttp.ClientResponse:
        options.setdefault("headers", {})
        options["headers"] = {**signed(), **options["headers"]}
        answer = await self.session.request(method, self.base + path, **options)
        await answer.read()
        return answer

    async def get(self, path: str, **options: Any) -> aiohttp.ClientResponse:
        return await self.ask("GET", path, **options)

    async def post(self, path: str, **options: Any) -> aiohttp.ClientResponse:
        return await self.ask("POST", path, **options)


def demo_group(**options: Any) -> Group:
    return Group("demo.kubesphere.io", "v1", prefix="", **options)


async def error_of(answer: aiohttp.ClientResponse) -> dict[str, str]:
    """The body of an error, once it is sure that it has the one shape."""
    body = await answer.json()
    assert set(body) == {"message", "reason", "requestId"}
    assert body["requestId"] == answer.headers["X-Request-Id"]
    assert all(isinstance(value, str) and value for value in body.values())
    return body


@asynccontextmanager
async def serving(
    *groups: Group, config: Config | None = None, parts: dict[str, Any] | None = None, **server: Any
) -> AsyncIterator[Client]:
    """Serves `groups` on a free port, with `server` as the keys of that section (`max_body=1024`)."""
    runner = make_runner(service("ks-test", config or make_config(**server), groups=groups, **(parts or {})))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        async with aiohttp.ClientSession() as session:
            yield Client(session, host, port)
    finally:
        await runner.cleanup()
