"""An API server that holds recorded objects of several resources, as they were, and lets nobody change them.

For what a real one cannot hold: objects with the times of their creation, and those of a Kubernetes of then.
"""

import itertools
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from harness.fake_api_server import FakeApiServer, serving
from kubekit.resource import Object, Resource


class RecordedApiServer:
    """Answers lists, watches and single objects of the resources that were recorded; all else is 404."""

    def __init__(self, recorded: Mapping[Resource, Iterable[Object]]) -> None:
        self._by_path: dict[str, FakeApiServer] = {}
        self._single: dict[str, Object] = {}
        versions = itertools.count(1)
        for resource, objects in recorded.items():
            collection = self._by_path[resource.path()] = FakeApiServer(resource.path())
            for recorded_object in objects:
                stored = _stored(resource, recorded_object, next(versions))
                metadata = stored["metadata"]
                place = metadata.get("namespace"), metadata["name"]
                collection.objects[place[0] or "", place[1]] = stored
                self._single[resource.path(*place)] = stored

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answers any request that reads."""
        if request.method != "GET":
            return web.json_response({"kind": "Status", "code": 403, "reason": "Forbidden"}, status=403)
        if request.path in self._single:
            return web.json_response(self._single[request.path])
        collection = self._by_path.get(request.path) or FakeApiServer("")
        return await collection.answer(request)

    def cut(self) -> None:
        """Breaks every open watch."""
        for collection in self._by_path.values():
            collection.cut()


def _stored(resource: Resource, recorded: Object, version: int) -> Object:
    metadata = {"uid": f"uid-{version}", "resourceVersion": str(version), **recorded["metadata"]}
    return {"apiVersion": resource.api_version, "kind": resource.kind, **recorded, "metadata": metadata}


@asynccontextmanager
async def running_recorded_api_server(
    directory: Path, recorded: Mapping[Resource, Iterable[Object]]
) -> AsyncIterator[Path]:
    """A kubeconfig for such a server, which runs meanwhile."""
    server = RecordedApiServer(recorded)
    async with serving(server.answer, directory) as kubeconfig:
        try:
            yield kubeconfig
        finally:
            server.cut()
