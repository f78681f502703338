"""Keeps each namespace of a workspace bound to it, with its Roles and its creator as an admin."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from ks_controller_manager.conditions import timestamp
from ks_controller_manager.names import ADMIN, NAMESPACE_FINALIZER, OPERATOR, VIEWER
from ks_controller_manager.namespace import ownership, roles, status
from ks_controller_manager.namespace.router import delete_router
from ks_controller_manager.refusals import told
from kubekit.cluster import Cluster
from kubekit.controller import DONE, Controller, Key, Outcome, RequeueAfter
from kubekit.errors import Conflict, KubernetesError
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
        namespace = self.latest(NAMESPACES, key)
        if namespace is None:
            return DONE
        if being_deleted(namespace):
            await self._end(key, namespace)
            return DONE
        workspace = ownership.workspace_of(namespace)
        if workspace is None:
            await self.patch(NAMESPACES, namespace, ownership.unbound(namespace))
            await self._say(key, status.silent)
            return DONE
        failure = await self._write_roles(namespace)
        owner = self.cache[WORKSPACES].get(workspace)
        wait = ownership.awaits_workspace(namespace, owner, datetime.now(UTC))
        if wait == 0:
            # In one write with the finalizer; whatever its roles are, who sets a quota must not escape this.
            await self.patch(NAMESPACES, namespace, ownership.bound(namespace, owner))
        if failure is not None:
            with suppress(KubernetesError):
                await self._say(key, _condition(False, failure.reason or "Failed", str(failure)))
            raise failure
        if wait > 0:
            return RequeueAfter(wait)
        await self._say_owner(key, namespace, owner)
        return DONE

    async def _write_roles(self, namespace: Object) -> KubernetesError | None:
        """Gives what the cluster refused. Raises Conflict."""
        creator = roles.creator_binding(namespace)
        wanted = [*roles.roles(namespace["metadata"]["name"]), *([creator] if creator else [])]
        try:
            async with told(self._events, namespace, "the roles of the namespace could not be written"):
                await self.apply(None, wanted)
        except Conflict:
            raise
        except KubernetesError as error:
            return error
        return None

    async def _say_owner(self, key: Key, namespace: Object, owner: Object | None) -> None:
        if owner is not None:
            await self._say(key, _condition(True, "Reconciled", "Roles and owner are in place."))
            return
        workspace = ownership.workspace_of(namespace)
        text = f"there is no workspace {workspace}: the namespace has roles, but no members"
        if await self._say(key, _condition(False, "WorkspaceNotFound", text)):
            await self._events.warning(namespace, "WorkspaceNotFound", text)

    async def _say(self, key: Key, patch_of: Callable[[Object], dict[str, Any]]) -> bool:
        """Writes what the status does not say yet; gives whether it did not."""
        namespace = self.latest(NAMESPACES, key)
        patch = patch_of(namespace) if namespace is not None else {}
        if namespace is not None:
            await self.patch(NAMESPACES, namespace, patch, subresource="status")
        return bool(patch)

    async def _end(self, key: Key, namespace: Object) -> None:
        patch = ownership.released(namespace)
        if not patch:
            return
        try:
            await delete_router(self.cluster, namespace["metadata"]["name"])
        except KubernetesError as error:
            message = f"The finalizer {NAMESPACE_FINALIZER} stays until the router can be deleted: {error}"
            await self._events.warning(namespace, "RouterNotDeleted", message)
            with suppress(KubernetesError):
                await self._say(key, _condition(False, "RouterNotDeleted", message))
            raise
        await self.patch(NAMESPACES, namespace, patch)

    def _namespaces_of(self, workspace: Object) -> Iterable[Key]:
        return self.cache[NAMESPACES].keys_by(ownership.WORKSPACE_INDEX, workspace["metadata"]["name"])


def _condition(holds: bool, reason: str, message: str) -> Callable[[Object], dict[str, Any]]:
    return lambda namespace: status.ready(namespace, holds, reason, message, timestamp())


def _namespace_of_role(role: Object) -> Iterable[Key]:
    if role["metadata"]["name"] in _ROLES:
        yield Key(None, role["metadata"]["namespace"])


def _namespace_of_creator_binding(binding: Object) -> Iterable[Key]:
    if binding["metadata"]["name"].startswith(f"{ADMIN}-"):
        yield Key(None, binding["metadata"]["namespace"])
