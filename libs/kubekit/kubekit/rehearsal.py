"""A cluster on which controllers are tried out: reads are real, writes are remembered and never sent.

What is written shows in the caches as if the cluster had told of it, so that controllers which build on one
another come to the same end as they would on the cluster itself. What other programs would do about it, such
as the garbage collector or defaults of the API server, does not happen.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from kubekit.cache import default_trim
from kubekit.cluster import Cluster, ClusterConfig, Impersonation, PatchType
from kubekit.errors import AlreadyExists, Conflict, KubernetesError, NotFound
from kubekit.patches import applied, merged
from kubekit.resource import EVENTS, Object, Resource
from kubekit.store import Key

_FIRST_VERSION = 10**15
"""Resource versions above those of any cluster: caches take what is higher for newer."""

Finish = Callable[[Object | None], Object | None]
"""What becomes of an object, or of none; None where it is deleted."""


class NotRehearsed(KubernetesError):
    """A request whose effect only the API server can tell. It was not sent."""


class Place(NamedTuple):
    """Where an object is."""

    resource: Resource
    key: Key


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What would become of an object: `before` is None for one to create, `after` for one to delete.

    `by` is every field manager that would write it.
    """

    before: Object | None
    after: Object | None
    by: tuple[str, ...]


class Rehearsal(Cluster):
    """Answers writes as if they were done. Events are dropped: they tell of what did not happen."""

    def __init__(self, config: ClusterConfig | None = None) -> None:
        super().__init__(config)
        self.changes: dict[Place, Rehearsed] = {}
        self._versions = itertools.count(_FIRST_VERSION)

    async def request(self, method: str, path: str, **more: Any) -> bytes:
        """Any request that reads; raises NotRehearsed for all others."""
        if method != "GET":
            raise NotRehearsed(f"{method} {path} cannot be rehearsed; nothing was sent")
        return await super().request(method, path, **more)

    async def get(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        subresource: str | None = None,
        as_user: Impersonation | None = None,
    ) -> Object:
        """One object, as it would be by now. Raises NotFound."""
        change = self.changes.get(Place(resource, Key(namespace, name)))
        if change is None or subresource is not None:
            return await super().get(resource, name, namespace, subresource=subresource, as_user=as_user)
        if change.after is None:
            raise NotFound(f'{resource} "{name}" would be deleted by now', 404, "NotFound")
        return change.after

    async def create(
        self,
        resource: Resource,
        body: Object,
        namespace: str | None = None,
        *,
        dry_run: bool = False,
        as_user: Impersonation | None = None,
        field_manager: str | None = None,
    ) -> Object:
        """As Cluster.create would answer."""
        metadata = body["metadata"]
        if resource.namespaced:
            metadata = {**metadata, "namespace": namespace or metadata.get("namespace")}

        def created(present: Object | None) -> Object:
            if present is not None:
                raise AlreadyExists(f'{resource} "{metadata["name"]}" already exists', 409, "AlreadyExists")
            return {**body, "metadata": metadata}

        return await self._change(resource, metadata, created, field_manager)

    async def update(
        self,
        resource: Resource,
        body: Object,
        *,
        subresource: str | None = None,
        as_user: Impersonation | None = None,
        field_manager: str | None = None,
    ) -> Object:
        """As Cluster.update would answer."""
        return await self._change(
            resource,
            body["metadata"],
            lambda present: _part(_there(present), body, subresource),
            field_manager,
        )

    async def patch(
        self,
        resource: Resource,
        name: str,
        body: Object | Sequence[Object],
        namespace: str | None = None,
        *,
        patch_type: PatchType = "merge",
        subresource: str | None = None,
        as_user: Impersonation | None = None,
        field_manager: str | None = None,
    ) -> Object:
        """As Cluster.patch would answer. Raises NotRehearsed for patches of other types than merge."""
        if patch_type != "merge":
            raise NotRehearsed(f"a {patch_type} patch of {resource} {name} cannot be rehearsed")

        def patched(present: Object | None) -> Object:
            return _part(_there(present), merged(_there(present), body), subresource)

        return await self._change(resource, {"name": name, "namespace": namespace}, patched, field_manager)

    async def apply(
        self,
        resource: Resource,
        body: Object,
        *,
        field_manager: str,
        force: bool = True,
        dry_run: bool = False,
        subresource: str | None = None,
        as_user: Impersonation | None = None,
    ) -> Object:
        """As Cluster.apply would answer."""
        body = {"apiVersion": resource.api_version, "kind": resource.kind, **body}

        def brought(present: Object | None) -> Object:
            return body if present is None else _part(present, applied(present, body), subresource)

        return await self._change(resource, body["metadata"], brought, field_manager)

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        propagation: Literal["Background", "Foreground", "Orphan"] = "Background",
        uid: str | None = None,
        as_user: Impersonation | None = None,
    ) -> None:
        """As Cluster.delete would; what has finalizers goes at once too."""

        def gone(present: Object | None) -> None:
            if uid not in (None, _there(present)["metadata"]["uid"]):
                raise Conflict(f'{resource} "{name}" is another object by now', 409, "Conflict")

        await self._change(resource, {"name": name, "namespace": namespace}, gone, None)

    async def _change(
        self, resource: Resource, metadata: Mapping[str, Any], finish: Finish, manager: str | None
    ) -> Object:
        key = Key(metadata.get("namespace") if resource.namespaced else None, metadata["name"])
        if resource == EVENTS:
            return {"metadata": {**metadata}}
        try:
            present: Object | None = default_trim(await self.get(resource, key.name, key.namespace))
        except NotFound:
            present = None
        after = finish(present)
        if after is not None:
            after = self._stored(resource, present, after)
        place = Place(resource, key)
        earlier = self.changes.get(place, Rehearsed(present, None, ()))
        self.changes[place] = Rehearsed(
            earlier.before, after, tuple(dict.fromkeys((*earlier.by, *([manager] if manager else ()))))
        )
        self._tell(place, after)
        return after or {}

    def _stored(self, resource: Resource, present: Object | None, obj: Object) -> Object:
        """The object with what the API server gives it."""
        number = next(self._versions)
        metadata = (present or {}).get("metadata", {})
        given = {
            "uid": metadata.get("uid", f"rehearsed-{number}"),
            "creationTimestamp": metadata.get("creationTimestamp"),
            "resourceVersion": str(number),
        }
        names = {"apiVersion": resource.api_version, "kind": resource.kind}
        return {**names, **obj, "metadata": {**obj["metadata"], **given}}

    def _tell(self, place: Place, after: Object | None) -> None:
        for cache in self.caches(place.resource):
            if cache.namespace not in (None, place.key.namespace):
                continue
            if after is None:
                cache.remove(place.key)
            else:
                cache.put({**after, "metadata": {**after["metadata"]}})


def _there(present: Object | None) -> Object:
    if present is None:
        raise NotFound("there is no such object", 404, "NotFound")
    return present


def _part(present: Object, changed: Object, subresource: str | None) -> Object:
    """`changed`, as far as a request to `subresource` may change `present`."""
    match subresource:
        case None:
            return {**changed, **({"status": present["status"]} if "status" in present else {})}
        case "status":
            return {**present, "status": changed.get("status")}
        case _:
            raise NotRehearsed(f"a change of the subresource {subresource} cannot be rehearsed")
