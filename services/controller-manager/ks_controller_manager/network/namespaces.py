"""Keeps the NetworkPolicy of each NamespaceNetworkPolicy in its namespace."""

from __future__ import annotations

from ks_controller_manager.network import rules
from ks_controller_manager.network.enforcing import EnforcingController, Unenforceable
from ks_controller_manager.network.expressions import NotExpressible
from ks_controller_manager.network.rules import FINALIZER, NAMESPACE_NETWORK_POLICIES
from kubekit.finalizers import remove_finalizer
from kubekit.objects import key_of
from kubekit.resource import Object


class NamespaceNetworkPolicyController(EnforcingController):
    """NamespaceNetworkPolicies; one that a NetworkPolicy cannot say leaves the last one in place."""

    name = "namespacenetworkpolicy-controller"
    reconciles = NAMESPACE_NETWORK_POLICIES

    async def enforce(self, policy: Object) -> str:
        await self.released(policy)
        try:
            wanted = rules.network_policy(policy)
        except NotExpressible as error:
            raise Unenforceable(str(error)) from error
        await self.bring(policy, wanted)
        return f"NetworkPolicy {key_of(wanted).name} is in place."

    async def released(self, policy: Object) -> None:
        """Takes off the finalizer of v2.1.1: who put it there is not there to take it off."""
        await remove_finalizer(self.cluster, self.reconciles, policy, FINALIZER)
