"""In which version this cluster serves a resource that has had several."""

from collections.abc import Sequence

import orjson

from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.resource import Resource


class Versions:
    """Asks the cluster's discovery once for each resource of several versions."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: dict[str, Resource] = {}

    async def served(self, candidates: Sequence[Resource]) -> Resource:
        """The first of `candidates` that is served; when none is, the first. Raises KubernetesError."""
        newest = candidates[0]
        if len(candidates) == 1:
            return newest
        known = self._known.get(newest.plural)
        if known is None:
            known = self._known[newest.plural] = await self._look(candidates) or newest
        return known

    def forget(self, resource: Resource) -> None:
        """Has the cluster asked again: what it served is gone, as after an upgrade."""
        self._known.pop(resource.plural, None)

    async def _look(self, candidates: Sequence[Resource]) -> Resource | None:
        for candidate in candidates:
            if candidate.plural in await self._plurals(candidate):
                return candidate
        return None

    async def _plurals(self, resource: Resource) -> set[str]:
        """What the API of this version serves: its APIResourceList."""
        path = f"/apis/{resource.group}/{resource.version}"
        try:
            answer = orjson.loads(await self._cluster.request("GET", path))
        except NotFound:
            return set()
        return {each["name"] for each in answer["resources"]}
