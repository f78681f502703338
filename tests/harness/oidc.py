"""A real provider of OpenID Connect (oidc-provider-mock), and browsers on the way to it and back."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from devstack.ports import free_port
from devstack.program import NotReady, check_http
from harness.account import IAM
from harness.processes import Process
from harness.signed import Reply, SignedClient

OAUTH = f"{IAM}/oauth"


@asynccontextmanager
async def running_provider(directory: Path) -> AsyncIterator[str]:
    """The issuer of a provider whose users are what a test puts there."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce"]
    process = Process(command, directory / "log", directory)
    process.launch()

    def answers() -> None:
        try:
            check_http(f"{url}/.well-known/openid-configuration")
        except OSError as error:
            raise NotReady(str(error)) from error

    await process.ready(answers, 60)
    try:
        yield url
    finally:
        await process.stop()


class Browser:
    """Somebody's browser, on the way to a provider and back."""

    def __init__(self, service: SignedClient, issuer: str) -> None:
        self._service = service
        self._issuer = issuer
        self.cookie = ""

    async def begin(self, name: str, next_: str = "/workspaces") -> str:
        """Where the provider is to be asked."""
        answer = await self._get(f"{OAUTH}/{name}/authorize?next={next_}")
        assert answer.status == 302, answer.text
        self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
        return answer.headers["Location"]

    async def sign_in(self, url: str, sub: str, **claims: Any) -> str:
        """Signs in at the real provider as `sub`; the path that it sends back to."""
        async with aiohttp.ClientSession() as session:
            await session.put(f"{self._issuer}/users/{sub}", json=claims)
            form = {"sub": sub}
            async with session.post(URL(url, encoded=True), data=form, allow_redirects=False) as answer:
                back = urlsplit(answer.headers["Location"])
        return f"{back.path}?{back.query}"

    async def finish(self, path: str, accept: str = "application/json") -> Reply:
        return await self._get(path, Accept=accept)

    async def log_in(self, name: str, sub: str, **claims: Any) -> Reply:
        """All of it."""
        return await self.finish(await self.sign_in(await self.begin(name), sub, **claims))

    async def _get(self, path: str, **headers: str) -> Reply:
        return await self._service.request(
            "GET", path, headers={"Cookie": self.cookie, **headers}, follow=False
        )
