"""Whom workspaces and namespaces name: the manager of a workspace, the creator of a namespace.

The controllers make them administrators, and do so again whenever they are not. So who is to lose that must
not be named any longer, and who gets a name that was somebody else's must not inherit it.
"""

from collections.abc import AsyncIterator
from typing import Any

from ks_account.access.listing import CREATOR
from ks_account.clients.kubernetes import translated
from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.resource import NAMESPACES, WORKSPACES, Object, Resource
from kubekit.transport import Impersonation
from servicekit.identity import Identity


class Owners:
    """Ends such naming as the caller, so that the cluster refuses who may not change the object."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def release_workspace(self, workspace: str, username: str, caller: Identity) -> None:
        """Leave a workspace without a manager if it is that user. Raises Forbidden, and Conflict when it is
        changed meanwhile.
        """
        with translated():
            try:
                found = await self._cluster.get(WORKSPACES, workspace)
            except NotFound:
                return
            if _manager_of(found) == username:
                await self._unname(WORKSPACES, found, caller)

    async def release_all(self, username: str, caller: Identity) -> int:
        """Name a user nowhere any more; gives how many workspaces and namespaces that changed."""
        released = 0
        with translated():
            for resource, name_in in ((WORKSPACES, _manager_of), (NAMESPACES, _creator_of)):
                named = [obj async for obj in self._all(resource) if name_in(obj) == username]
                for obj in named:
                    await self._unname(resource, obj, caller)
                released += len(named)
        return released

    async def _all(self, resource: Resource) -> AsyncIterator[Object]:
        try:
            async for obj in self._cluster.list_all(resource):
                yield obj
        except NotFound:  # the cluster has no such resource (yet)
            return

    async def _unname(self, resource: Resource, obj: Object, caller: Identity) -> None:
        metadata = obj["metadata"]
        change: dict[str, Any] = {"metadata": {"resourceVersion": metadata["resourceVersion"]}}
        if resource is WORKSPACES:
            change["spec"] = {"manager": None}
        else:
            change["metadata"]["annotations"] = {CREATOR: None}
        who = Impersonation(caller.user, caller.groups)
        await self._cluster.patch(resource, metadata["name"], change, as_user=who)


def _manager_of(workspace: Object) -> str:
    return (workspace.get("spec") or {}).get("manager") or ""


def _creator_of(namespace: Object) -> str:
    return (namespace["metadata"].get("annotations") or {}).get(CREATOR) or ""
