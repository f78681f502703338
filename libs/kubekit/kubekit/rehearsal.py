"""A cluster on which controllers are tried out: reads are real, writes are remembered and never sent.

What is written shows in the caches as if the cluster had told of it, so that controllers which build on one
another come to the same end as they would on the cluster itself. What other programs would do about it, such
as the garbage collector or defaults of the API server, does not happen.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from kubekit.cache import default_trim
from kubekit.cluster import Cluster, ClusterConfig
from kubekit.errors import AlreadyExists, Conflict, KubernetesError, NotFound
from kubekit.patches import applied, merged
from kubekit.resource import EVENTS, Object, Resource
from kubekit.store import Key
from kubekit.verbs import APPLY, JSON, PATCH_TYPES, Write

_FIRST_VERSION = 10**15
"""Resource versions above those of any cluster: caches take what is higher for newer."""

Finish = Callable[[Object | None, Write], Object | None]
"""What a write makes of an object, or of none; None where it is deleted."""


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

    async def get(self, resource: Resource, name: str, namespace: str | None = None, **more: Any) -> Object:
        """One object, as it would be by now. Raises NotFound."""
        change = self.changes.get(Place(resource, Key(namespace, name)))
        if change is None or more.get("subresource") is not None:
            return await super().get(resource, name, namespace, **more)
        if change.after is None:
            raise NotFound(f'{resource} "{name}" would be deleted by now', 404, "NotFound")
        return change.after

    async def write(self, write: Write) -> Object:
        """As the cluster would answer; what has finalizers is deleted at once too.

        Raises NotRehearsed for patches of other types than merge.
        """
        finish = _FINISHES.get((write.method, write.content_type))
        if finish is None:
            raise NotRehearsed(f"{write.method} {write.path} ({write.content_type}) cannot be rehearsed")
        return await self._change(write, finish)

    async def _change(self, write: Write, finish: Finish) -> Object:
        resource = write.resource
        key = Key(write.key.namespace if resource.namespaced else None, write.key.name)
        if resource == EVENTS:
            return {"metadata": {"name": key.name, "namespace": key.namespace}}
        try:
            present: Object | None = default_trim(await self.get(resource, key.name, key.namespace))
        except NotFound:
            present = None
        after = finish(present, write)
        if after is not None:
            after = self._stored(resource, present, after)
        place, manager = Place(resource, key), write.params.get("fieldManager")
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


def _created(present: Object | None, write: Write) -> Object:
    if present is not None:
        raise AlreadyExists(f'{write.resource} "{write.key.name}" already exists', 409, "AlreadyExists")
    body, namespace = _one(write), write.key.namespace
    metadata = {**body["metadata"], **({"namespace": namespace} if write.resource.namespaced else {})}
    return {**body, "metadata": metadata}


def _updated(present: Object | None, write: Write) -> Object:
    return _part(_there(present), _one(write), write.subresource)


def _patched(present: Object | None, write: Write) -> Object:
    return _part(_there(present), merged(_there(present), _one(write)), write.subresource)


def _applied(present: Object | None, write: Write) -> Object:
    body = _one(write)
    return body if present is None else _part(present, applied(present, body), write.subresource)


def _deleted(present: Object | None, write: Write) -> None:
    uid = _one(write).get("preconditions", {}).get("uid")
    if uid not in (None, _there(present)["metadata"]["uid"]):
        raise Conflict(f'{write.resource} "{write.key.name}" is another object by now', 409, "Conflict")


_FINISHES: dict[tuple[str, str], Finish] = {
    ("POST", JSON): _created,
    ("PUT", JSON): _updated,
    ("PATCH", PATCH_TYPES["merge"]): _patched,
    ("PATCH", APPLY): _applied,
    ("DELETE", JSON): _deleted,
}


def _one(write: Write) -> Object:
    return cast("Object", write.body)


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
