"""Keeps each namespace of a workspace bound to it, with its Roles and its creator as an admin."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from ks_controller_manager.names import ADMIN, NAMESPACE_FINALIZER, OPERATOR, VIEWER
from ks_controller_manager.namespace import ownership, roles
from ks_controller_manager.namespace.router import delete_router
from ks_controller_manager.refusals import told
from kubekit.cluster import Cluster
from kubekit.controller import DONE, Controller, Key, Outcome
from kubekit.errors import KubernetesError, NotFound
from kubekit.events import EventRecorder
from kubekit.objects import being_deleted
from kubekit.resource import NAMESPACES, ROLE_BINDINGS, ROLES, WORKSPACES, Object

_ROLES = (ADMIN, OPERATOR, VIEWER)


class NamespaceController(Controller):
    """Namespaces; a change of their workspace or of what is kept in them wakes them."""

    name = "namespace-controller"
    reconciles = NAMESPACES

    def __init__(self, cluster: Cluster) -> None:
        self.watches = {
            WORKSPACES: self._namespaces_of,
            ROLES: _namespace_of_role,
            ROLE_BINDINGS: _namespace_of_creator_binding,
        }
        super().__init__(cluster)
        self.cache[NAMESPACES].add_index(ownership.WORKSPACE_INDEX, ownership.workspace_of)
        self._events = EventRecorder(cluster, self.name)

    async def reconcile(self, key: Key) -> Outcome:
        namespace = self.cache[NAMESPACES].get(key.name)
        if namespace is None:
            return DONE
        if being_deleted(namespace):
            await self._end(namespace)
            return DONE
        workspace = ownership.workspace_of(namespace)
        if workspace is None:
            await self._patch(namespace, ownership.unbound(namespace))
            return DONE
        await self._patch(namespace, ownership.bound(namespace, self.cache[WORKSPACES].get(workspace)))
        creator = roles.creator_binding(namespace)
        async with told(self._events, namespace, "the roles of the namespace could not be written"):
            await self.apply(None, [*roles.roles(key.name), *([creator] if creator else [])])
        return DONE

    async def _end(self, namespace: Object) -> None:
        patch = ownership.released(namespace)
        if not patch:
            return
        try:
            await delete_router(self.cluster, namespace["metadata"]["name"])
        except KubernetesError as error:
            message = f"The finalizer {NAMESPACE_FINALIZER} stays until the router can be deleted: {error}"
            await self._events.warning(namespace, "RouterNotDeleted", message)
            raise
        await self._patch(namespace, patch)

    async def _patch(self, namespace: Object, patch: dict[str, Any]) -> None:
        if patch:
            with suppress(NotFound):
                name = namespace["metadata"]["name"]
                await self.cluster.patch(NAMESPACES, name, patch, field_manager=self.name)

    def _namespaces_of(self, workspace: Object) -> Iterable[Key]:
        return self.cache[NAMESPACES].keys_by(ownership.WORKSPACE_INDEX, workspace["metadata"]["name"])


def _namespace_of_role(role: Object) -> Iterable[Key]:
    if role["metadata"]["name"] in _ROLES:
        yield Key(None, role["metadata"]["namespace"])


def _namespace_of_creator_binding(binding: Object) -> Iterable[Key]:
    if binding["metadata"]["name"].startswith(f"{ADMIN}-"):
        yield Key(None, binding["metadata"]["namespace"])
