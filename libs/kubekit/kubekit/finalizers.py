"""Adding and removing finalizers without losing anybody else's.

The list is written with the resourceVersion it was read at, so a concurrent change raises Conflict and is
read again.
"""

from collections.abc import Callable

from kubekit.cluster import Cluster
from kubekit.errors import Conflict, NotFound
from kubekit.resource import Object, Resource

ATTEMPTS = 5
"""Times to read and write again when others change the object at the same time."""


async def add_finalizer(cluster: Cluster, resource: Resource, obj: Object, finalizer: str) -> Object:
    """Puts `finalizer` on the object, and gives it as it is then. Raises NotFound, Conflict."""
    return await _change(
        cluster, resource, obj, lambda present: present if finalizer in present else [*present, finalizer]
    )


async def remove_finalizer(cluster: Cluster, resource: Resource, obj: Object, finalizer: str) -> None:
    """Takes `finalizer` off the object, unless it is off or the object is gone. Raises Conflict."""
    try:
        await _change(cluster, resource, obj, lambda present: [one for one in present if one != finalizer])
    except NotFound:
        return


async def _change(
    cluster: Cluster, resource: Resource, obj: Object, change: Callable[[list[str]], list[str]]
) -> Object:
    for attempt in range(ATTEMPTS):
        metadata = obj["metadata"]
        present: list[str] = metadata.get("finalizers") or []
        wanted = change(present)
        if wanted == present:
            return obj
        body = {
            "metadata": {
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
                "finalizers": wanted or None,
            }
        }
        try:
            return await cluster.patch(resource, metadata["name"], body, metadata.get("namespace"))
        except Conflict:
            if attempt == ATTEMPTS - 1:
                raise
            fresh = await cluster.get(resource, metadata["name"], metadata.get("namespace"))
            if fresh["metadata"]["uid"] != metadata["uid"]:
                raise
            obj = fresh
    raise AssertionError("unreachable: the last attempt returns or raises")
