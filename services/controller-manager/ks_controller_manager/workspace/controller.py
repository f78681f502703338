"""Keeps the ClusterRoles and bindings of each workspace as its manager implies, and sees to its end."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from ks_controller_manager.conditions import timestamp
from ks_controller_manager.names import SYSTEM_WORKSPACE, WORKSPACE_FINALIZER
from ks_controller_manager.namespace.ownership import (
    WORKSPACE_INDEX,
    left,
    owned_by_system_workspace,
    workspace_of,
)
from ks_controller_manager.workspace import roles, status
from kubekit.apply import OwnedByAnother
from kubekit.cluster import Cluster
from kubekit.controller import DONE, Controller, Key, Outcome
from kubekit.errors import Conflict, KubernetesError, NotFound
from kubekit.events import EventRecorder
from kubekit.finalizers import add_finalizer, remove_finalizer
from kubekit.objects import being_deleted
from kubekit.resource import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, NAMESPACES, WORKSPACES, Object


class WorkspaceController(Controller):
    """Workspaces; a change of one of their roles or bindings wakes them."""

    name = "workspace-controller"
    reconciles = WORKSPACES
    owns = (CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS)

    def __init__(self, cluster: Cluster) -> None:
        self.watches = {NAMESPACES: _system_workspace}
        super().__init__(cluster)
        self.cache[NAMESPACES].add_index(WORKSPACE_INDEX, workspace_of)
        self._events = EventRecorder(cluster, self.name)

    async def reconcile(self, key: Key) -> Outcome:
        workspace = self.cache[WORKSPACES].get(key.name)
        if workspace is None:
            return DONE
        if being_deleted(workspace):
            await self._end(workspace)
            return DONE
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

    async def _end(self, workspace: Object) -> None:
        """Lets the workspace go; the garbage collector takes its roles, bindings and namespaces after it.

        Who asked to keep them (`kubectl delete --cascade=orphan`) keeps namespaces that are in no workspace:
        whoever makes one of the same name later must not find them in it.
        """
        name, namespaces = workspace["metadata"]["name"], self.cache[NAMESPACES]
        if name == SYSTEM_WORKSPACE:
            owned = [one for one in namespaces.all() if owned_by_system_workspace(one)]
            if owned:
                # Clusters of v2.1.1 have such; each is released by the namespace controller, which wakes us.
                await self._say(workspace, status.waiting(workspace, owned, timestamp()))
                return
        present = namespaces.by(WORKSPACE_INDEX, name)
        if status.keeps_namespaces(workspace):
            await self._unbind(workspace, present)
        await remove_finalizer(self.cluster, WORKSPACES, workspace, WORKSPACE_FINALIZER)
        await self._say(workspace, status.ending(workspace, present, timestamp()))

    async def _unbind(self, workspace: Object, namespaces: list[Object]) -> None:
        try:
            for namespace in namespaces:
                with suppress(NotFound):
                    name = namespace["metadata"]["name"]
                    await self.cluster.patch(NAMESPACES, name, left(namespace), field_manager=self.name)
        except Conflict:
            raise
        except KubernetesError as error:
            await self._fail(workspace, error)
            raise

    async def _fail(self, workspace: Object, error: KubernetesError | OwnedByAnother) -> None:
        reason = error.reason if isinstance(error, KubernetesError) else "OwnedByAnother"
        await self._events.warning(workspace, reason or "Failed", str(error))
        with suppress(KubernetesError):
            await self._say(workspace, status.failed(workspace, reason, str(error), timestamp()))

    async def _say(self, workspace: Object, patch: dict[str, Any]) -> None:
        if patch:
            with suppress(NotFound):
                name = workspace["metadata"]["name"]
                await self.cluster.patch(
                    WORKSPACES, name, patch, subresource="status", field_manager=self.name
                )


def _system_workspace(namespace: Object) -> Iterable[Key]:
    if workspace_of(namespace) == SYSTEM_WORKSPACE or owned_by_system_workspace(namespace):
        yield Key(None, SYSTEM_WORKSPACE)
