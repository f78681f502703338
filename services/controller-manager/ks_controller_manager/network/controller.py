"""Keeps the NetworkPolicies of each WorkspaceNetworkPolicy in the namespaces of its workspace."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from ks_controller_manager.namespace import ownership
from ks_controller_manager.network import policies
from ks_controller_manager.network.enforcing import EnforcingController, Unenforceable
from ks_controller_manager.network.policies import WORKSPACE_NETWORK_POLICIES
from ks_controller_manager.selectors import UnknownOperator, matches
from kubekit.applier import OWNER_INDEX
from kubekit.apply import OwnedByAnother
from kubekit.cluster import Cluster
from kubekit.controller import Key
from kubekit.errors import KubernetesError, NotFound
from kubekit.objects import being_deleted, labels
from kubekit.resource import NAMESPACES, NETWORK_POLICIES, WORKSPACES, Object

_WORKSPACE_INDEX = "workspace"
_SELECTING_INDEX = "selects-workspaces"


class WorkspaceNetworkPolicyController(EnforcingController):
    """WorkspaceNetworkPolicies; their namespaces wake them, and so do workspaces that they may select."""

    name = "workspacenetworkpolicy-controller"
    reconciles = WORKSPACE_NETWORK_POLICIES

    def __init__(self, cluster: Cluster) -> None:
        self.watches = {NAMESPACES: self._about, WORKSPACES: self._selecting}
        super().__init__(cluster)
        self.cache[NAMESPACES].add_index(ownership.WORKSPACE_INDEX, ownership.workspace_of)
        own = self.cache[WORKSPACE_NETWORK_POLICIES]
        own.add_index(_WORKSPACE_INDEX, policies.workspace_of)
        own.add_index(_SELECTING_INDEX, lambda policy: str(policies.selects_workspaces(policy)))

    async def enforce(self, policy: Object) -> str:
        """Brings every namespace that it can to the policy. Raises the first error once it has tried all."""
        try:
            spec = policies.spec(policy, self._workspaces)
        except UnknownOperator as error:
            raise Unenforceable(str(error)) from error
        namespaces = self._namespaces(policy)
        await self._withdraw(policy, namespaces)
        errors: list[KubernetesError | OwnedByAnother] = []
        for namespace in namespaces:
            try:
                await self.bring(policy, policies.network_policy(policy, namespace, spec))
            except (KubernetesError, OwnedByAnother) as error:
                errors.append(error)
        if errors:
            raise errors[0]
        return "NetworkPolicies are in place in every namespace of the workspace."

    async def _withdraw(self, policy: Object, namespaces: list[str]) -> None:
        """Takes the policy out of namespaces that have left its workspace."""
        for present in self.cache[NETWORK_POLICIES].by(OWNER_INDEX, policy["metadata"]["uid"]):
            metadata = present["metadata"]
            if metadata["namespace"] not in namespaces and not being_deleted(present):
                with suppress(NotFound):
                    await self.cluster.delete(
                        NETWORK_POLICIES, metadata["name"], metadata["namespace"], uid=metadata["uid"]
                    )

    def _namespaces(self, policy: Object) -> list[str]:
        workspace = policies.workspace_of(policy)
        if workspace is None:
            return []
        found = self.cache[NAMESPACES].by(ownership.WORKSPACE_INDEX, workspace)
        return sorted(namespace["metadata"]["name"] for namespace in found if not being_deleted(namespace))

    def _workspaces(self, selector: Object) -> list[str]:
        return [
            workspace["metadata"]["name"]
            for workspace in self.cache[WORKSPACES].all()
            if matches(selector, labels(workspace))
        ]

    def _about(self, namespace: Object) -> Iterable[Key]:
        workspace = ownership.workspace_of(namespace)
        own = self.cache[WORKSPACE_NETWORK_POLICIES]
        return own.keys_by(_WORKSPACE_INDEX, workspace) if workspace else ()

    def _selecting(self, _workspace: Object) -> Iterable[Key]:
        return self.cache[WORKSPACE_NETWORK_POLICIES].keys_by(_SELECTING_INDEX, str(True))
