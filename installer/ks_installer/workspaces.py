"""Takes workspaces away without their namespaces.

Namespaces are owned by their workspace, so deleting one the plain way lets the cluster delete them with all
that runs in them. Removing the platform must not do that: the namespaces are set free first.
"""

from __future__ import annotations

import asyncio

from kubekit.cluster import Cluster
from kubekit.errors import Conflict, NotFound
from kubekit.resource import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, NAMESPACES, WORKSPACES, Object, Resource

WORKSPACE_FINALIZER = "finalizers.tenant.kubesphere.io"
NAMESPACE_FINALIZER = "finalizers.kubesphere.io/namespaces"
WORKSPACE_LABEL = "kubesphere.io/workspace"


async def names(cluster: Cluster) -> list[str]:
    """All workspaces; none where the cluster does not know the kind."""
    try:
        found = await cluster.list(WORKSPACES)
    except NotFound:
        return []
    return [workspace["metadata"]["name"] for workspace in found.items]


async def release(cluster: Cluster, name: str) -> None:
    """Deletes workspace `name`, its cluster roles and bindings, and leaves its namespaces, owned by nobody.

    It ends without the controller manager as well: the finalizer of the platform is taken off here. It
    waits without bound for finalizers of others: give it a timeout.
    """
    # Before, as whoever is killed in between finds no workspace any more whose roles these would be; and
    # after, as a controller that still runs makes them anew for as long as there is one.
    await _delete_roles(cluster, name)
    try:
        await cluster.delete(WORKSPACES, name, propagation="Orphan")
    except NotFound:
        return
    while (workspace := await _get(cluster, WORKSPACES, name)) is not None:
        await _drop_finalizer(cluster, WORKSPACES, workspace, WORKSPACE_FINALIZER)
        await asyncio.sleep(0.1)
    await _delete_roles(cluster, name)


async def release_namespaces(cluster: Cluster) -> None:
    """Takes the platform's finalizer off every namespace; each can then go when no controller runs."""
    for namespace in (await cluster.list(NAMESPACES)).items:
        await _drop_finalizer(cluster, NAMESPACES, namespace, NAMESPACE_FINALIZER)


async def _delete_roles(cluster: Cluster, workspace: str) -> None:
    for resource in (CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES):
        for obj in (await cluster.list(resource, label_selector=f"{WORKSPACE_LABEL}={workspace}")).items:
            await _delete(cluster, resource, obj["metadata"]["name"])


async def _drop_finalizer(cluster: Cluster, resource: Resource, obj: Object, finalizer: str) -> None:
    meta = obj["metadata"]
    finalizers = meta.get("finalizers") or []
    if finalizer not in finalizers:
        return
    kept = [other for other in finalizers if other != finalizer]
    # The resource version makes this fail rather than overwrite a finalizer that somebody adds meanwhile.
    patch = {"metadata": {"resourceVersion": meta["resourceVersion"], "finalizers": kept}}
    try:
        await cluster.patch(resource, meta["name"], patch)
    except Conflict:
        fresh = await _get(cluster, resource, meta["name"])
        if fresh is not None:
            await _drop_finalizer(cluster, resource, fresh, finalizer)
    except NotFound:
        return


async def _get(cluster: Cluster, resource: Resource, name: str) -> Object | None:
    try:
        return await cluster.get(resource, name)
    except NotFound:
        return None


async def _delete(cluster: Cluster, resource: Resource, name: str) -> None:
    try:
        await cluster.delete(resource, name)
    except NotFound:
        return
