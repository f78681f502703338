"""The base of the controllers that enforce a policy of the platform by NetworkPolicies."""

from __future__ import annotations

from contextlib import suppress

from ks_controller_manager import conditions
from ks_controller_manager.exact import make_exact
from ks_controller_manager.network.policies import canonical
from kubekit.apply import OwnedByAnother
from kubekit.cluster import Cluster
from kubekit.controller import DONE, Controller, Key, Outcome
from kubekit.errors import Conflict, KubernetesError
from kubekit.events import EventRecorder
from kubekit.objects import being_deleted, key_of
from kubekit.resource import NETWORK_POLICIES, Object


class Unenforceable(Exception):
    """What the policy asks for cannot be done, however often it is tried; the text says what to change."""


class EnforcingController(Controller):
    """Policies of one kind, whose condition Ready says whether they are enforced. Subclasses say how."""

    owns = (NETWORK_POLICIES,)

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self._events = EventRecorder(cluster, self.name)

    async def enforce(self, policy: Object) -> str:
        """Brings the NetworkPolicies to what the policy asks for. Gives what is so then, for people.

        Raises Unenforceable, OwnedByAnother and KubernetesError.
        """
        raise TypeError(f"{type(self).__name__} must define enforce()")

    async def released(self, policy: Object) -> None:
        """The policy is being deleted; the garbage collector takes its NetworkPolicies."""

    async def reconcile(self, key: Key) -> Outcome:
        policy = self.cache[self.reconciles].get(key.name, key.namespace)
        if policy is None:
            return DONE
        if being_deleted(policy):
            await self.released(policy)
            return DONE
        try:
            message = await self.enforce(policy)
        except Conflict:
            raise
        except Unenforceable as error:
            await self._fail(policy, "NotSupported", error)
            return DONE
        except (KubernetesError, OwnedByAnother) as error:
            reason = (error.reason if isinstance(error, KubernetesError) else "") or type(error).__name__
            await self._fail(policy, reason, error)
            raise
        patch = conditions.ready(policy, True, "Reconciled", message, conditions.timestamp())
        if patch:
            await self.patch(self.reconciles, policy, patch, subresource="status")
            await self._events.normal(policy, "Enforced", message)
        return DONE

    async def bring(self, policy: Object, wanted: Object) -> None:
        """Makes the spec exactly so: a field that somebody adds may open or close what it should not."""
        present = self.latest(NETWORK_POLICIES, key_of(wanted))
        if present is not None and canonical(present["spec"]) == wanted["spec"]:
            wanted = {**wanted, "spec": present["spec"]}
        await make_exact(self, NETWORK_POLICIES, policy, wanted, adopt=False)

    async def _fail(self, policy: Object, reason: str, error: Exception) -> None:
        await self._events.warning(policy, reason, str(error))
        with suppress(KubernetesError):
            patch = conditions.ready(policy, False, reason, str(error), conditions.timestamp())
            await self.patch(self.reconciles, policy, patch, subresource="status")
