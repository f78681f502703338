"""A small API server that speaks list and watch for one resource, and fails as it is told.

For what a real one does not do on demand: forget old resource versions, cut answers off, serve thousands of
objects. Behaviour follows https://kubernetes.io/docs/reference/using-api/api-concepts/.
"""

import asyncio
import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import yaml
from aiohttp import web
from aiohttp.typedefs import Handler

Object = dict[str, Any]


class FakeApiServer:
    """Holds the objects of one resource at `path`; each change gets the next resource version."""

    def __init__(self, path: str = "/api/v1/pods") -> None:
        self.path = path
        self.objects: dict[tuple[str, str], Object] = {}
        self.version = 100
        self.oldest = 0
        self.served = True
        self.lists = 0
        self.watches: list[str] = []
        self.failing: list[int] = []
        self.retry_after: str | None = None
        self.token: str | None = None
        self._events: list[tuple[int, bytes]] = []
        self._changed = asyncio.Event()
        self._cut = asyncio.Event()

    def put(self, obj: Object) -> None:
        """Creates or changes an object, and tells watches."""
        key = (obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        present = self.objects.get(key)
        self.version += 1
        stored = copy.deepcopy(obj)
        stored["metadata"]["resourceVersion"] = str(self.version)
        uid = present["metadata"]["uid"] if present else f"uid-{self.version}"
        stored["metadata"].setdefault("uid", uid)
        self.objects[key] = stored
        self._tell("MODIFIED" if present else "ADDED", stored)

    def delete(self, name: str, namespace: str = "") -> None:
        """Deletes an object, and tells watches."""
        self.version += 1
        gone = self.objects.pop((namespace, name))
        gone["metadata"]["resourceVersion"] = str(self.version)
        self._tell("DELETED", gone)

    def compact(self) -> None:
        """Forgets every version before now: watches from before answer 410."""
        self.oldest = self.version
        self._events.clear()

    def cut(self) -> None:
        """Breaks every open watch in the middle."""
        self._cut.set()
        self._cut = asyncio.Event()

    def expire(self) -> None:
        """Ends every open watch by an ERROR event with code 410, as when its position was compacted."""
        self.version += 1
        self.compact()
        status = {
            "kind": "Status",
            "status": "Failure",
            "reason": "Expired",
            "code": 410,
            "message": "too old",
        }
        self._tell("ERROR", status)

    def _tell(self, kind: str, obj: Object) -> None:
        self._events.append((self.version, orjson.dumps({"type": kind, "object": obj}) + b"\n"))
        self._changed.set()
        self._changed = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answers any request."""
        if self.token is not None and request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response({"kind": "Status", "code": 401, "reason": "Unauthorized"}, status=401)
        if request.path == "/version":
            return web.json_response({"major": "1", "minor": "37"})
        if self.failing:
            status = self.failing.pop(0)
            headers = {"Retry-After": self.retry_after} if self.retry_after is not None else {}
            body = {"kind": "Status", "code": status, "reason": "Told"}
            return web.json_response(body, status=status, headers=headers)
        if request.path != self.path or not self.served:
            return web.Response(status=404, text="404 page not found")
        if request.query.get("watch") == "true":
            return await self._watch(request)
        return self._list(request)

    def _list(self, request: web.Request) -> web.Response:
        self.lists += 1
        limit = int(request.query.get("limit", "0")) or len(self.objects)
        start = int(request.query.get("continue") or 0)
        items = list(self.objects.values())[start : start + limit]
        more = str(start + limit) if start + limit < len(self.objects) else ""
        metadata = {"resourceVersion": str(self.version), "continue": more}
        return web.Response(
            body=orjson.dumps({"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": items}),
            content_type="application/json",
        )

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        version = request.query["resourceVersion"]
        self.watches.append(version)
        position = int(version)
        if position < self.oldest:
            status = {
                "kind": "Status",
                "reason": "Expired",
                "code": 410,
                "message": "too old resource version",
            }
            return web.json_response(status, status=410)
        response = web.StreamResponse()
        response.content_type = "application/json"
        await response.prepare(request)
        cut = self._cut
        while not cut.is_set():
            changed = self._changed
            for at, line in [event for event in self._events if event[0] > position]:
                await response.write(line)
                position = at
                if b'"ERROR"' in line[:20]:
                    return response
            waits = [asyncio.ensure_future(changed.wait()), asyncio.ensure_future(cut.wait())]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
        if request.transport is not None:
            request.transport.abort()
        return response


@asynccontextmanager
async def running_fake_api_server(
    directory: Path, path: str = "/api/v1/pods"
) -> AsyncIterator[tuple[FakeApiServer, Path]]:
    """Such a server, and a kubeconfig for it."""
    async with running_fake_cluster(directory, path) as (fakes, kubeconfig):
        yield fakes[path], kubeconfig


@asynccontextmanager
async def running_fake_cluster(
    directory: Path, *paths: str
) -> AsyncIterator[tuple[dict[str, FakeApiServer], Path]]:
    """Several resources behind one address, each by its path, and a kubeconfig for it."""
    fakes = {path: FakeApiServer(path) for path in paths}
    first = fakes[paths[0]]

    async def answer(request: web.Request) -> web.StreamResponse:
        return await fakes.get(request.path, first).answer(request)

    async with serving(answer, directory) as kubeconfig:
        try:
            yield fakes, kubeconfig
        finally:
            for fake in fakes.values():
                fake.cut()


@asynccontextmanager
async def serving(answer: Handler, directory: Path) -> AsyncIterator[Path]:
    """A kubeconfig in `directory` for a server on loopback, where `answer` answers everything."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    kubeconfig = directory / "fake-kubeconfig"
    kubeconfig.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "fake",
                "clusters": [{"name": "fake", "cluster": {"server": f"http://{host}:{port}"}}],
                "users": [{"name": "fake", "user": {"token": "fake"}}],
                "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
            }
        )
    )
    try:
        yield kubeconfig
    finally:
        await runner.cleanup()
