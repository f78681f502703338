"""Isolation within namespaces on a real cluster: NamespaceNetworkPolicies to NetworkPolicies."""

from typing import Any

import pytest
import pytest_asyncio

from harness.waiting import eventually
from ks_controller_manager.network.rules import FINALIZER, NAMESPACE_NETWORK_POLICIES
from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.resource import EVENTS, NETWORK_POLICIES, Object

pytestmark = [pytest.mark.kubernetes, pytest.mark.usefixtures("chosen_once")]

CONTROLLERS = ("namespacenetworkpolicy-controller",)
LONG = 60
ALLOW = {
    "action": "Allow",
    "protocol": "TCP",
    "source": {"selector": "color == 'blue'"},
    "destination": {"ports": [6379]},
}


class Isolated:
    """A namespace with the policy `redis`."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace

    async def enforce(self, **more: Any) -> Object:
        resource = NAMESPACE_NETWORK_POLICIES
        kind = {"apiVersion": resource.api_version, "kind": resource.kind}
        spec = {"selector": "color == 'red'", "ingress": [ALLOW]}
        return await self.cluster.create(
            resource, {**kind, "metadata": {"name": "redis", **more}, "spec": spec}, self.namespace
        )

    async def change(self, **spec: Any) -> None:
        await self.cluster.patch(NAMESPACE_NETWORK_POLICIES, "redis", {"spec": spec}, self.namespace)

    async def selects(self, color: str) -> None:
        async def check() -> None:
            try:
                found = await self.cluster.get(NETWORK_POLICIES, "redis-nsnp", self.namespace)
            except NotFound as error:
                raise AssertionError(str(error)) from error
            assert found["spec"]["podSelector"] == {"matchLabels": {"color": color}}
            assert found["spec"]["ingress"] == [
                {
                    "from": [{"podSelector": {"matchLabels": {"color": "blue"}}}],
                    "ports": [{"protocol": "TCP", "port": 6379}],
                }
            ]

        await eventually(check, LONG)

    async def says(self, status: str, reason: str) -> str:
        async def check() -> str:
            found = await self.cluster.get(NAMESPACE_NETWORK_POLICIES, "redis", self.namespace)
            condition = found["status"]["conditions"][0]
            assert (condition["status"], condition["reason"]) == (status, reason)
            assert condition["observedGeneration"] == found["metadata"]["generation"]
            return condition["message"]

        return await eventually(check, LONG)


@pytest_asyncio.fixture
async def isolated(cluster: Cluster, tenants: Any) -> Isolated:
    return Isolated(cluster, (await tenants.namespace())["metadata"]["name"])


async def test_a_namespace_is_isolated_as_its_policy_says_as_long_as_it_is_there(isolated: Isolated) -> None:
    await isolated.enforce()
    await isolated.selects("red")
    await isolated.says("True", "Reconciled")
    await isolated.change(selector="color == 'green'")
    await isolated.selects("green")
    opened = {"spec": {"podSelector": {}, "ingress": [{}]}}
    await isolated.cluster.patch(NETWORK_POLICIES, "redis-nsnp", opened, isolated.namespace)
    await isolated.selects("green")
    await isolated.cluster.delete(NAMESPACE_NETWORK_POLICIES, "redis", isolated.namespace)

    async def gone() -> None:
        assert (await isolated.cluster.list(NETWORK_POLICIES, isolated.namespace)).items == []

    await eventually(gone, LONG)


async def test_a_policy_that_cannot_be_enforced_says_so_and_opens_nothing(isolated: Isolated) -> None:
    """namespace-policies"""
    await isolated.enforce()
    await isolated.selects("red")
    await isolated.change(ingress=[{"action": "Deny"}, ALLOW])
    assert "spec.ingress[0]" in await isolated.says("False", "NotSupported")
    await isolated.selects("red")

    async def told() -> None:
        events = (await isolated.cluster.list(EVENTS, isolated.namespace)).items
        assert "NotSupported" in {event["reason"] for event in events}

    await eventually(told, LONG)
    await isolated.change(ingress=[ALLOW], selector="color == 'green'")
    await isolated.selects("green")
    await isolated.says("True", "Reconciled")


async def test_a_policy_of_v211_can_be_deleted(isolated: Isolated) -> None:
    """namespace-policies"""
    await isolated.enforce(finalizers=[FINALIZER])
    await isolated.selects("red")

    async def released() -> None:
        found = await isolated.cluster.get(NAMESPACE_NETWORK_POLICIES, "redis", isolated.namespace)
        assert "finalizers" not in found["metadata"]

    await eventually(released, LONG)
