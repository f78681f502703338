"""Binds the admins and viewers of a workspace in its namespaces, and follows every change of them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from ks_controller_manager.clusterrolebinding.members import (
    MEMBER_ROLES,
    made_by_platform,
    member_binding,
    sources,
    workspace_of_binding,
    written_by,
)
from ks_controller_manager.namespace.ownership import WORKSPACE_INDEX, workspace_of
from ks_controller_manager.refusals import told
from kubekit.cluster import Cluster
from kubekit.controller import DONE, Controller, Key, Outcome
from kubekit.errors import NotFound
from kubekit.events import EventRecorder
from kubekit.objects import being_deleted
from kubekit.resource import CLUSTER_ROLE_BINDINGS, NAMESPACES, ROLE_BINDINGS, ROLES, Object


class ClusterRoleBindingController(Controller):
    """Namespaces, woken by their workspace's ClusterRoleBindings; one costs the same in any workspace."""

    name = "clusterrolebinding-controller"
    reconciles = NAMESPACES

    def __init__(self, cluster: Cluster) -> None:
        self.watches = {
            CLUSTER_ROLE_BINDINGS: self._namespaces_of,
            ROLE_BINDINGS: _its_namespace,
            ROLES: _its_namespace,
        }
        super().__init__(cluster)
        self.cache[NAMESPACES].add_index(WORKSPACE_INDEX, workspace_of)
        self._events = EventRecorder(cluster, self.name)

    async def reconcile(self, key: Key) -> Outcome:
        namespace = self.cache[NAMESPACES].get(key.name)
        if namespace is None or being_deleted(namespace):
            return DONE
        workspace = workspace_of(namespace)
        async with told(self._events, namespace, "the members of the namespace could not be written"):
            if workspace is None:
                await self._unbind(key.name)
            else:
                await self.apply(None, self._wanted(key.name, workspace))
        return DONE

    def _wanted(self, namespace: str, workspace: str) -> Iterable[Object]:
        for role, name in sources(workspace).items():
            source = self.cache[CLUSTER_ROLE_BINDINGS].get(name)
            # Until the workspace controller has made it, or made it its own, it says nothing.
            if source is not None and workspace_of_binding(source) == workspace:
                yield member_binding(namespace, role, source)

    async def _unbind(self, namespace: str) -> None:
        """Takes the members of the workspace that the namespace was in out of it."""
        for role in MEMBER_ROLES:
            binding = self.latest(ROLE_BINDINGS, Key(namespace, role))
            if binding and await self._is_ours(binding):
                with suppress(NotFound):
                    uid = binding["metadata"]["uid"]
                    await self.cluster.delete(ROLE_BINDINGS, role, namespace, uid=uid)

    async def _is_ours(self, binding: Object) -> bool:
        """Whether the platform made a binding. Where its Role is gone, or never came, the cluster knows."""
        name, namespace = binding["metadata"]["name"], binding["metadata"]["namespace"]
        role = self.cache[ROLES].get(name, namespace)
        if role is not None:
            return made_by_platform(binding, role)
        try:
            present = await self.cluster.get(ROLE_BINDINGS, name, namespace)
        except NotFound:
            return False
        return written_by(present, self.name)

    def _namespaces_of(self, binding: Object) -> Iterable[Key]:
        workspace = workspace_of_binding(binding)
        return self.cache[NAMESPACES].keys_by(WORKSPACE_INDEX, workspace) if workspace else ()


def _its_namespace(obj: Object) -> Iterable[Key]:
    if obj["metadata"]["name"] in MEMBER_ROLES:
        yield Key(None, obj["metadata"]["namespace"])
