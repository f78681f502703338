"""Which REST resource an object belongs to, as the cluster's own API discovery says."""

from __future__ import annotations

import orjson

from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.resource import CONFIG_MAPS, CRDS, NAMESPACES, Object, Resource

_WELL_KNOWN = (CONFIG_MAPS, CRDS, NAMESPACES)


class Discovery:
    """Remembers what the cluster serves.

    Asks again for what it has not seen, as a definition may just have come.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known = {(resource.api_version, resource.kind): resource for resource in _WELL_KNOWN}

    async def resource(self, api_version: str, kind: str) -> Resource | None:
        """The resource that serves `kind`; None where the cluster does not (yet) have it."""
        if (api_version, kind) not in self._known:
            await self._learn(api_version)
        return self._known.get((api_version, kind))

    async def resource_of(self, obj: Object) -> Resource | None:
        return await self.resource(obj["apiVersion"], obj["kind"])

    async def _learn(self, api_version: str) -> None:
        group, _, version = api_version.rpartition("/")
        path = f"/apis/{api_version}" if group else f"/api/{version}"
        try:
            listed = orjson.loads(await self._cluster.request("GET", path))
        except NotFound:
            return
        for entry in listed["resources"]:
            if "/" not in entry["name"]:
                resource = Resource(group, version, entry["name"], entry["kind"], entry["namespaced"])
                self._known[api_version, entry["kind"]] = resource
