"""Keeps the ClusterRoles and bindings of each workspace as its manager implies, and sees to its end."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from ks_controller_manager.conditions import timestamp
from ks_controller_manager.names import SYSTEM_WORKSPACE, WORKSPACE_FINALIZER, WORKSPACE_LABEL
from ks_controller_manager.namespace.ownership import OWNER_INDEX, left, owner_of, taken, workspace_of
from ks_controller_manager.workspace import roles, status
from kubekit.apply import OwnedByAnother
from kubekit.cluster import Cluster
from kubekit.controller import DONE, Controller, Key, Outcome, RequeueAfter
from kubekit.errors import Conflict, KubernetesError
from kubekit.events import EventRecorder
from kubekit.finalizers import add_finalizer, remove_finalizer
from kubekit.objects import being_deleted
from kubekit.resource import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, NAMESPACES, WORKSPACES, Object

_AGAIN = 2.0
"""Seconds until the namespaces of a workspace that waits for its end are looked at again."""


class WorkspaceController(Controller):
    """Workspaces; a change of one of their roles or bindings wakes them."""

    name = "workspace-controller"
    reconciles = WORKSPACES
    owns = (CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS)

    def __init__(self, cluster: Cluster) -> None:
        self.watches = {NAMESPACES: _owner_of_stray}
        super().__init__(cluster)
        self.cache[NAMESPACES].add_index(OWNER_INDEX, owner_of)
        self._events = EventRecorder(cluster, self.name)

    async def reconcile(self, key: Key) -> Outcome:
        workspace = self.latest(WORKSPACES, key)
        if workspace is None:
            return DONE
        if being_deleted(workspace):
            return await self._end(workspace)
        workspace = await add_finalizer(self.cluster, WORKSPACES, workspace, WORKSPACE_FINALIZER)
        try:
            await self.apply(workspace, [*roles.cluster_roles(workspace), *roles.bindings(workspace)])
        except Conflict:
            raise
        except (KubernetesError, OwnedByAnother) as error:
            await self._fail(workspace, error)
            raise
        await self._say(workspace, status.ready(workspace, timestamp()))
        return DONE

    def merge(self, present: Object, wanted: Object) -> Object:
        return roles.with_members(present, wanted)

    async def _end(self, workspace: Object) -> Outcome:
        """Lets the workspace go; the garbage collector takes its roles, bindings and namespaces after it.

        That is once it would take along those namespaces that are in it, and no others: neither one that has
        just left it, nor any of the system workspace. Who asked to keep them
        (`kubectl delete --cascade=orphan`) keeps namespaces that are in no workspace: whoever makes one of
        the same name later must not find them in it.
        """
        present = await self._namespaces_in(workspace)
        if WORKSPACE_FINALIZER in workspace["metadata"].get("finalizers", []):
            strays = self._strays(workspace, present)
            if strays:
                # The namespace controller releases each, and so wakes this one.
                await self._waits(workspace, status.waiting(workspace, strays, timestamp()))
                return RequeueAfter(_AGAIN)
            try:
                for namespace in present:
                    await self.patch(NAMESPACES, namespace, _parting(workspace, namespace))
            except Conflict:
                raise
            except KubernetesError as error:
                await self._fail(workspace, error)
                raise
            await remove_finalizer(self.cluster, WORKSPACES, workspace, WORKSPACE_FINALIZER)
        await self._waits(workspace, status.ending(workspace, present, timestamp()))
        return DONE

    async def _namespaces_in(self, workspace: Object) -> list[Object]:
        """As the cluster has them now: a cache that is behind could lose one, or take one along."""
        selector = f"{WORKSPACE_LABEL}={workspace['metadata']['name']}"
        listed = await self.cluster.list(NAMESPACES, label_selector=selector)
        return [namespace for namespace in listed.items if not being_deleted(namespace)]

    def _strays(self, workspace: Object, present: list[Object]) -> list[Object]:
        """Namespaces that would go with the workspace, but are not in it."""
        name = workspace["metadata"]["name"]
        kept = {one["metadata"]["uid"] for one in present} if name != SYSTEM_WORKSPACE else set[str]()
        owned = self.cache[NAMESPACES].by(OWNER_INDEX, name)
        return [one for one in owned if one["metadata"]["uid"] not in kept and not being_deleted(one)]

    async def _fail(self, workspace: Object, error: KubernetesError | OwnedByAnother) -> None:
        reason = error.reason if isinstance(error, KubernetesError) else "OwnedByAnother"
        await self._events.warning(workspace, reason or "Failed", str(error))
        with suppress(KubernetesError):
            await self._say(workspace, status.failed(workspace, reason, str(error), timestamp()))

    async def _waits(self, workspace: Object, patch: dict[str, Any]) -> None:
        """Says in its status and in an Event what keeps a workspace that is being deleted."""
        if patch:
            await self._say(workspace, patch)
            await self._events.warning(workspace, "DeletionWaits", status.message(patch))

    async def _say(self, workspace: Object, patch: dict[str, Any]) -> None:
        await self.patch(WORKSPACES, workspace, patch, subresource="status")


def _parting(workspace: Object, namespace: Object) -> dict[str, Any]:
    """The patch that has a namespace go with its workspace, or stay in none."""
    if status.keeps_namespaces(workspace):
        return left(namespace)
    return {} if workspace_of(namespace) == SYSTEM_WORKSPACE else taken(namespace, workspace)


def _owner_of_stray(namespace: Object) -> Iterable[Key]:
    """The workspace that waits until it owns the namespace no more."""
    owner = owner_of(namespace)
    if owner is not None and (owner == SYSTEM_WORKSPACE or owner != workspace_of(namespace)):
        yield Key(None, owner)
