"""Keeps the NetworkPolicies of each WorkspaceNetworkPolicy in the namespaces of its workspace."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from ks_controller_manager import conditions
from ks_controller_manager.exact import make_exact
from ks_controller_manager.namespace import ownership
from ks_controller_manager.network import policies
from ks_controller_manager.network.policies import WORKSPACE_NETWORK_POLICIES
from ks_controller_manager.selectors import UnknownOperator, matches
from kubekit.applier import OWNER_INDEX
from kubekit.apply import OwnedByAnother
from kubekit.cluster import Cluster
from kubekit.controller import DONE, Controller, Key, Outcome
from kubekit.errors import Conflict, KubernetesError, NotFound
from kubekit.events import EventRecorder
from kubekit.objects import being_deleted, labels
from kubekit.resource import NAMESPACES, NETWORK_POLICIES, WORKSPACES, Object

_WORKSPACE_INDEX = "workspace"
_SELECTING_INDEX = "selects-workspaces"


class WorkspaceNetworkPolicyController(Controller):
    """WorkspaceNetworkPolicies; their namespaces wake them, and so do workspaces that they may select."""

    name = "workspacenetworkpolicy-controller"
    reconciles = WORKSPACE_NETWORK_POLICIES
    owns = (NETWORK_POLICIES,)

    def __init__(self, cluster: Cluster) -> None:
        self.watches = {NAMESPACES: self._about, WORKSPACES: self._selecting}
        super().__init__(cluster)
        self.cache[NAMESPACES].add_index(ownership.WORKSPACE_INDEX, ownership.workspace_of)
        own = self.cache[WORKSPACE_NETWORK_POLICIES]
        own.add_index(_WORKSPACE_INDEX, policies.workspace_of)
        own.add_index(_SELECTING_INDEX, lambda policy: str(policies.selects_workspaces(policy)))
        self._events = EventRecorder(cluster, self.name)

    async def reconcile(self, key: Key) -> Outcome:
        policy = self.cache[WORKSPACE_NETWORK_POLICIES].get(key.name)
        if policy is None or being_deleted(policy):
            return DONE  # the garbage collector takes its NetworkPolicies
        try:
            await self._enforce(policy)
        except Conflict:
            raise
        except (KubernetesError, OwnedByAnother, UnknownOperator) as error:
            await self._fail(policy, error)
            raise
        message = "NetworkPolicies are in place in every namespace of the workspace."
        await self._say(policy, conditions.ready(policy, True, "Reconciled", message, conditions.timestamp()))
        return DONE

    async def _enforce(self, policy: Object) -> None:
        """Brings every namespace that it can to the policy. Raises the first error once it has tried all."""
        spec = policies.spec(policy, self._workspaces)
        namespaces = self._namespaces(policy)
        await self._withdraw(policy, namespaces)
        errors: list[KubernetesError | OwnedByAnother] = []
        for namespace in namespaces:
            try:
                await self._bring(policy, policies.network_policy(policy, namespace, spec))
            except (KubernetesError, OwnedByAnother) as error:
                errors.append(error)
        if errors:
            raise errors[0]

    async def _bring(self, policy: Object, wanted: Object) -> None:
        """Makes the spec exactly so: a field that somebody adds may open or close what it should not."""
        metadata = wanted["metadata"]
        present = self.cache[NETWORK_POLICIES].get(metadata["name"], metadata["namespace"])
        if present is not None and policies.canonical(present["spec"]) == wanted["spec"]:
            wanted = {**wanted, "spec": present["spec"]}
        await make_exact(self, NETWORK_POLICIES, policy, wanted, adopt=False)

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

    async def _fail(self, policy: Object, error: Exception) -> None:
        reason = (error.reason if isinstance(error, KubernetesError) else "") or type(error).__name__
        await self._events.warning(policy, reason, str(error))
        with suppress(KubernetesError):
            patch = conditions.ready(policy, False, reason, str(error), conditions.timestamp())
            await self._say(policy, patch)

    async def _say(self, policy: Object, patch: dict[str, Any]) -> None:
        if patch:
            with suppress(NotFound):
                await self.cluster.patch(
                    WORKSPACE_NETWORK_POLICIES,
                    policy["metadata"]["name"],
                    patch,
                    subresource="status",
                    field_manager=self.name,
                )

    def _about(self, namespace: Object) -> Iterable[Key]:
        workspace = ownership.workspace_of(namespace)
        own = self.cache[WORKSPACE_NETWORK_POLICIES]
        return own.keys_by(_WORKSPACE_INDEX, workspace) if workspace else ()

    def _selecting(self, _workspace: Object) -> Iterable[Key]:
        return self.cache[WORKSPACE_NETWORK_POLICIES].keys_by(_SELECTING_INDEX, str(True))
