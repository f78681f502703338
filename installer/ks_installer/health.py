"""What the kubelet asks of the installer in the cluster."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from ks_installer.errors import UsageError

_EVERYWHERE = "0.0.0.0"  # noqa: S104 - the kubelet asks at the address of the pod


class Health:
    """Answers `/healthz` while the process is not stuck, and `/readyz` while the ConfigMap is followed.

    An installation that fails is told by Events, and is no reason to start the installer anew.
    """

    def __init__(self) -> None:
        self.follows = False

    async def healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(self, _: web.Request) -> web.Response:
        if self.follows:
            return web.Response(text="ok\n")
        return web.Response(status=503, text="the ConfigMap is not followed\n")


@asynccontextmanager
async def answering(health: Health, port: int | None) -> AsyncIterator[None]:
    """Answers at `port` of every address; nothing where there is none. Raises UsageError when it is taken."""
    if port is None:
        yield
        return
    app = web.Application()
    app.router.add_get("/healthz", health.healthz)
    app.router.add_get("/readyz", health.readyz)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, _EVERYWHERE, port).start()
        except OSError as error:
            raise UsageError(f"--health-port {port}: {error.strerror}") from error
        yield
    finally:
        await runner.cleanup()
