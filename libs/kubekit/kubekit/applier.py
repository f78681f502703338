"""Makes wanted objects so, with as few writes as it takes: none when the cache says that nothing differs."""

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from kubekit.apply import check_owner, differs, owned, role_ref_changed
from kubekit.cache import Cache, Change
from kubekit.cluster import Cluster
from kubekit.contest import Contest
from kubekit.errors import AlreadyExists, NotFound
from kubekit.objects import being_deleted, controller_uid, key_of
from kubekit.ownwrites import CAUSE, OwnWrites
from kubekit.resource import Object, Resource
from kubekit.store import Key

log = logging.getLogger(__name__)

OWNER_INDEX = "kubekit.controller-uid"

MergeFn = Callable[[Object, Object], Object]
"""What to write, given the object that is there and the one wanted."""


class Applier:
    """Writes objects of the resources in `caches`, in the name of `field_manager`."""

    def __init__(
        self, cluster: Cluster, caches: Mapping[Resource, Cache], field_manager: str, merge: MergeFn
    ) -> None:
        self._cluster = cluster
        self._caches = caches
        self._field_manager = field_manager
        self._merge = merge
        self._written = OwnWrites()
        self._contest = Contest()

    def follow(self) -> list[Callable[[], None]]:
        """Keeps what was written apart from what the caches have seen since. Gives the undos."""
        return [self._written.follow(cache) for cache in self._caches.values()]

    def begin(self, key: Key) -> None:
        """Says that `key` is reconciled from here on."""
        CAUSE.set(key)
        self._written.begin(key)

    def overdue(self) -> set[Key]:
        """What is to be reconciled anew, as the caches do not come to know of a write of it."""
        return self._written.overdue()

    def cause(self, resource: Resource, change: Change) -> Key | None:
        """What was reconciled when the version that `change` tells of was written here; None for others'."""
        return self._written.cause(resource, change)

    async def apply(self, owner: Object | None, objects: Iterable[Object]) -> int:
        """Makes the objects as wanted. Gives the number of writes. See Controller.apply."""
        writes = 0
        for obj in objects:
            resource = self._resource_of(obj)
            wanted = obj if owner is None else owned(owner, obj)
            writes += await self._apply_one(owner, resource, wanted)
        return writes

    async def patch(self, resource: Resource, obj: Object, patch: Object, subresource: str | None) -> None:
        """Sends a merge patch of an object. See Controller.patch."""
        if not patch:
            return
        key = key_of(obj)
        self._contest.enter(resource, key, patch)
        with suppress(NotFound):
            stored = await self._cluster.patch(
                resource,
                key.name,
                patch,
                key.namespace,
                subresource=subresource,
                field_manager=self._field_manager,
            )
            self._note(resource, stored)
            log.info("%s: patched %s %s", self._field_manager, resource.kind, key)

    async def replace(self, resource: Resource, obj: Object, wanted: Object) -> None:
        """Replaces an object as it was read. See Controller.replace."""
        self._contest.enter(resource, key_of(obj), wanted)
        self._wrote(resource, await self._cluster.update(resource, obj, field_manager=self._field_manager))

    def latest(self, resource: Resource, key: Key) -> Object | None:
        """An object as last written here, or as its cache has it where that is newer."""
        return self._written.latest(self._caches[resource], key)

    async def prune(self, owner: Object, kept: Iterable[Object]) -> int:
        """Deletes what `owner` controls, except `kept`. Gives the number of deletions."""
        keep = {(self._resource_of(obj), key_of(obj)) for obj in kept}
        writes = 0
        for resource, cache in self._caches.items():
            if not cache.has_index(OWNER_INDEX):
                continue
            for present in cache.by(OWNER_INDEX, owner["metadata"]["uid"]):
                if (resource, key_of(present)) not in keep and not being_deleted(present):
                    await self._delete(resource, present)
                    writes += 1
        return writes

    def index_owners(self, resources: Iterable[Resource]) -> None:
        """Lets `prune` find what an owner controls among `resources`."""
        for resource in resources:
            self._caches[resource].add_index(OWNER_INDEX, controller_uid)

    async def _apply_one(self, owner: Object | None, resource: Resource, obj: Object) -> bool:
        key = key_of(obj)
        present = self.latest(resource, key)
        if present is None:
            present = await self._create(resource, obj)
            if present is None:
                return True
        if owner is not None:
            check_owner(owner, present)
        if being_deleted(present):
            return False  # a write would be lost; its end is a change that wakes the controller
        obj = self._merged(present, obj)
        if not differs(present, obj):
            return False
        self._contest.enter(resource, key, obj)
        if role_ref_changed(present, obj):
            await self._delete(resource, present)
            obj = {**obj, "metadata": {**obj["metadata"], "resourceVersion": None}}
        self._wrote(resource, await self._cluster.apply(resource, obj, field_manager=self._field_manager))
        return True

    async def _create(self, resource: Resource, obj: Object) -> Object | None:
        """Creates an object, which costs the API server half of what applying it does.

        Gives the one that is there, where the cache has not seen it yet.
        """
        try:
            stored = await self._cluster.create(resource, obj, field_manager=self._field_manager)
        except AlreadyExists:
            key = key_of(obj)
            return await self._cluster.get(resource, key.name, key.namespace)
        self._wrote(resource, stored)
        return None

    def _wrote(self, resource: Resource, stored: Object) -> None:
        self._note(resource, stored)
        log.info("%s: wrote %s %s", self._field_manager, resource.kind, key_of(stored))

    def _note(self, resource: Resource, stored: Object) -> None:
        if resource in self._caches:  # nothing else would ever catch up
            self._written.note(resource, stored)

    def _merged(self, present: Object, obj: Object) -> Object:
        """What to write over `present`; bound to its version where that took something from it."""
        merged = self._merge(present, obj)
        if merged is obj:
            return obj
        version = present["metadata"]["resourceVersion"]
        return {**merged, "metadata": {**merged["metadata"], "resourceVersion": version}}

    async def _delete(self, resource: Resource, obj: Object) -> None:
        metadata = obj["metadata"]
        name, namespace = metadata["name"], metadata.get("namespace")
        try:
            await self._cluster.delete(resource, name, namespace, uid=metadata["uid"])
            log.info("%s: deleted %s %s", self._field_manager, resource.kind, key_of(obj))
        except NotFound:
            log.debug("%s: %s %s was gone already", self._field_manager, resource.kind, key_of(obj))

    def _resource_of(self, obj: Object) -> Resource:
        for resource in self._caches:
            if (resource.api_version, resource.kind) == (obj["apiVersion"], obj["kind"]):
                return resource
        raise ValueError(
            f"{self._field_manager} has no cache of {obj['kind']} of {obj['apiVersion']}: "
            "add its resource to `owns` or `watches`"
        )
