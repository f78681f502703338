"""Objects in caches, as a service keeps them, without a cluster."""

import json
from collections.abc import Iterable, Mapping

from kubekit.cache import Cache, IndexFn
from kubekit.cluster import Impersonation, ObjectList
from kubekit.resource import Object, Resource


class RecordedCluster:
    """Takes the place of a Cluster for whoever reads caches and lists; it knows no other requests."""

    def __init__(self, objects: Mapping[str, Iterable[Object]]) -> None:
        self._objects = objects
        self._caches: dict[str, Cache] = {}
        self.read_as: list[Impersonation | None] = []
        """As whom lists were asked for."""

    def cache(
        self, resource: Resource, *, index: Mapping[str, IndexFn] | None = None, required: bool = True
    ) -> Cache:
        """A full cache of the resource, whatever its version."""
        found = self._caches.get(resource.plural)
        if found is None:
            found = self._caches[resource.plural] = Cache(resource)
            for item in self._objects.get(resource.plural, ()):
                found.put(json.loads(json.dumps(item)))
            found.mark_synced()
        for name, fn in (index or {}).items():
            found.add_index(name, fn)
        return found

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        limit: int | None = None,
        continue_: str | None = None,
        as_user: Impersonation | None = None,
    ) -> ObjectList:
        """All of it in one page, to anybody: what Kubernetes refuses is not recorded here."""
        self.read_as.append(as_user)
        items = [
            json.loads(json.dumps(item))
            for item in self._objects.get(resource.plural, ())
            if namespace is None or item["metadata"]["namespace"] == namespace
        ]
        return ObjectList(items, "1", "")

    async def request(self, method: str, path: str) -> bytes:
        """Discovery: every version serves everything."""
        names: set[str] = set(self._objects) | {"cronjobs", "ingresses", "horizontalpodautoscalers"}
        return json.dumps({"resources": [{"name": name} for name in sorted(names)]}).encode()
