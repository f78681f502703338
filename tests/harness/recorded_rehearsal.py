"""A rehearsal on recorded objects, without a cluster: what controllers would write to it."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from kubekit.controller import Controller
from kubekit.errors import NotFound
from kubekit.rehearsal import Rehearsal
from kubekit.resource import Object, Resource
from kubekit.store import Key
from kubekit.verbs import ObjectList


class RecordedRehearsal(Rehearsal):
    """Answers reads from recorded objects; there is nothing else."""

    def __init__(self, recorded: Mapping[Resource, Iterable[Object]]) -> None:
        super().__init__()
        self._recorded = {resource: list(objects) for resource, objects in recorded.items()}

    def fill(self, controllers: Iterable[Controller]) -> None:
        """Fills the caches of the controllers with what was recorded."""
        for cache in {id(one): one for each in controllers for one in each.cache.values()}.values():
            for obj in self._recorded.get(cache.resource, ()):
                cache.put(copy.deepcopy(obj))
            cache.mark_synced()

    async def get(self, resource: Resource, name: str, namespace: str | None = None, **more: Any) -> Object:
        if any(place.resource == resource and place.key == Key(namespace, name) for place in self.changes):
            return await super().get(resource, name, namespace, **more)
        for obj in self._recorded.get(resource, ()):
            metadata = obj["metadata"]
            if (metadata["name"], metadata.get("namespace")) == (name, namespace):
                return copy.deepcopy(obj)
        raise NotFound(f'{resource} "{name}" was not recorded', 404, "NotFound")

    async def list(self, resource: Resource, namespace: str | None = None, **_: Any) -> ObjectList:
        found = self._recorded.get(resource, ())
        chosen = [obj for obj in found if namespace in (None, obj["metadata"].get("namespace"))]
        return ObjectList(copy.deepcopy(chosen), "1", "")
