"""A repository of git behind HTTP: git's own `http-backend`, with a password before what is private."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web

from devstack.ports import LOOPBACK

USER, PASSWORD = "somebody", "secret"


@asynccontextmanager
async def running_git_server(directory: Path) -> AsyncIterator[str]:
    """Its address. It holds `public.git` and, for USER, `private.git`."""
    await asyncio.to_thread(_make_repositories, directory)
    wanted = aiohttp.encode_basic_auth(USER, PASSWORD)

    async def answer(request: web.Request) -> web.Response:
        if request.path.startswith("/private") and request.headers.get("Authorization") != wanted:
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="tests"'})
        return await _backend(directory, request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"{host}:{port}"
    finally:
        await runner.cleanup()


def _make_repositories(directory: Path) -> None:
    for name in ("public.git", "private.git"):
        subprocess.run(["git", "init", "--bare", "-q", str(directory / name)], check=True)


async def _backend(directory: Path, request: web.Request) -> web.Response:
    """What git answers: it is a program of CGI (RFC 3875)."""
    variables = {
        "GIT_PROJECT_ROOT": str(directory),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query_string,
        "REQUEST_METHOD": request.method,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
    }
    process = await asyncio.create_subprocess_exec(
        "git", "http-backend", env={**os.environ, **variables},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate(await request.read())
    head, _, body = out.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    status = int(headers.pop("Status", "200").split()[0])
    return web.Response(status=status, headers=headers, body=body)
