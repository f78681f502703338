"""Isolation of workspaces on a real cluster: NetworkPolicies in their namespaces."""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
import pytest_asyncio

from harness.waiting import eventually
from ks_controller_manager.network.policies import WORKSPACE_NETWORK_POLICIES
from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.resource import EVENTS, NAMESPACES, NETWORK_POLICIES, WORKSPACES, Object

pytestmark = [pytest.mark.kubernetes, pytest.mark.usefixtures("chosen_once")]

CONTROLLERS = ("workspacenetworkpolicy-controller",)
LABEL = "kubesphere.io/workspace"
OPEN_TO_ALL = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]}


class Isolated:
    """A workspace with two namespaces, and a policy about it that admits the team's workspaces."""

    def __init__(self, cluster: Cluster, tenants: Any) -> None:
        self.cluster = cluster
        self.tenants = tenants
        self.policy = tenants.name("np")
        self.team = {"team": self.policy}
        self.namespaces: list[str] = []
        self.workspace = ""

    async def make(self) -> None:
        self.workspace = await self.member()
        for _ in range(2):
            self.namespaces.append((await self.tenants.namespace(self.workspace))["metadata"]["name"])

    async def member(self) -> str:
        """One more workspace of the team."""
        name = (await self.tenants.workspace())["metadata"]["name"]
        await self.cluster.patch(WORKSPACES, name, {"metadata": {"labels": self.team}})
        return name

    async def enforce(self, **spec: Any) -> Object:
        ingress = [{"from": [{"workspaceSelector": {"matchLabels": self.team}}]}]
        asked = {"workspace": self.workspace, "policyTypes": ["Ingress"], "ingress": ingress} | spec
        resource = WORKSPACE_NETWORK_POLICIES
        kind = {"apiVersion": resource.api_version, "kind": resource.kind}
        body = {**kind, "metadata": {"name": self.policy}, "spec": asked}
        return await self.cluster.create(resource, body)

    async def written(self) -> dict[str, Object]:
        selector = f"networking.kubesphere.io/wsnp={self.policy}"
        found = (await self.cluster.list(NETWORK_POLICIES, label_selector=selector)).items
        return {one["metadata"]["namespace"]: one for one in found}

    async def becomes(self, selector: dict[str, Any], namespaces: list[str] | None = None) -> None:
        spec = {
            "podSelector": {},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"namespaceSelector": selector}]}],
        }

        async def check() -> None:
            found = await self.written()
            assert {name: one["spec"] for name, one in found.items()} == dict.fromkeys(
                self.namespaces if namespaces is None else namespaces, spec
            )

        await eventually(check)

    async def ready(self) -> tuple[str, str, str]:
        found = await self.cluster.get(WORKSPACE_NETWORK_POLICIES, self.policy)
        for one in (found.get("status") or {}).get("conditions") or []:
            return one["status"], one["reason"], one["message"]
        return "", "", ""


@pytest_asyncio.fixture
async def isolated(cluster: Cluster, tenants: Any) -> AsyncIterator[Isolated]:
    made = Isolated(cluster, tenants)
    try:
        await made.make()
        yield made
    finally:
        with suppress(NotFound):
            await cluster.delete(WORKSPACE_NETWORK_POLICIES, made.policy)


def of_one(workspace: str) -> dict[str, Any]:
    return {"matchLabels": {LABEL: workspace}}


async def test_every_namespace_admits_the_workspaces_that_are_selected(isolated: Isolated) -> None:
    policy = await isolated.enforce()
    await isolated.becomes(of_one(isolated.workspace))
    for one in (await isolated.written()).values():
        owner = one["metadata"]["ownerReferences"][0]
        assert (owner["uid"], owner["controller"]) == (policy["metadata"]["uid"], True)

    second = await isolated.member()
    among = sorted((isolated.workspace, second))
    await isolated.becomes({"matchExpressions": [{"key": LABEL, "operator": "In", "values": among}]})

    async def said() -> None:
        assert (await isolated.ready())[:2] == ("True", "Reconciled")

    await eventually(said)


async def test_namespaces_that_join_and_leave_are_followed(isolated: Isolated) -> None:
    await isolated.enforce()
    await isolated.becomes(of_one(isolated.workspace))
    joined = (await isolated.tenants.namespace(isolated.workspace))["metadata"]["name"]
    await isolated.becomes(of_one(isolated.workspace), [*isolated.namespaces, joined])
    await isolated.cluster.patch(NAMESPACES, joined, {"metadata": {"labels": {LABEL: None}}})
    await isolated.becomes(of_one(isolated.workspace))


async def test_what_somebody_opens_by_hand_is_closed(isolated: Isolated) -> None:
    await isolated.enforce()
    await isolated.becomes(of_one(isolated.workspace))
    namespace, name = isolated.namespaces[0], f"{isolated.policy}-np"
    await isolated.cluster.patch(NETWORK_POLICIES, name, {"spec": OPEN_TO_ALL}, namespace)
    await isolated.becomes(of_one(isolated.workspace))
    narrowed = {"spec": {"podSelector": {"matchLabels": {"no": "pod"}}}}
    await isolated.cluster.patch(NETWORK_POLICIES, name, narrowed, namespace)
    await isolated.becomes(of_one(isolated.workspace))
    await isolated.cluster.delete(NETWORK_POLICIES, name, namespace)
    await isolated.becomes(of_one(isolated.workspace))


async def test_with_the_policy_its_network_policies_go(isolated: Isolated) -> None:
    await isolated.enforce()
    await isolated.becomes(of_one(isolated.workspace))
    await isolated.cluster.delete(WORKSPACE_NETWORK_POLICIES, isolated.policy)

    async def gone() -> None:
        assert await isolated.written() == {}

    await eventually(gone, 60)


async def test_the_policy_of_somebody_else_stays_and_it_is_said(isolated: Isolated) -> None:
    first, second = isolated.namespaces
    name = f"{isolated.policy}-np"
    await isolated.cluster.create(NETWORK_POLICIES, {"metadata": {"name": name}, "spec": OPEN_TO_ALL}, first)
    await isolated.enforce()
    await isolated.becomes(of_one(isolated.workspace), [second])

    async def said() -> None:
        status, reason, message = await isolated.ready()
        assert (status, reason) == ("False", "OwnedByAnother")
        assert f"{first}/{name}" in message
        events = (await isolated.cluster.list(EVENTS, "default")).items
        assert "OwnedByAnother" in [
            event["reason"] for event in events if event["involvedObject"]["name"] == isolated.policy
        ]

    await eventually(said)
    kept = await isolated.cluster.get(NETWORK_POLICIES, name, first)
    assert kept["spec"] == OPEN_TO_ALL
    await isolated.cluster.delete(NETWORK_POLICIES, name, first)
    await isolated.becomes(of_one(isolated.workspace))


async def test_what_the_cluster_refuses_is_said(isolated: Isolated) -> None:
    await isolated.enforce(ingress=[{"from": [{"ipBlock": {"cidr": "nonsense"}}]}])

    async def said() -> None:
        status, reason, message = await isolated.ready()
        assert (status, reason) == ("False", "Invalid")
        assert "cidr" in message

    await eventually(said)


async def test_a_restart_writes_nothing(isolated: Isolated, chosen_once: Any) -> None:
    await isolated.enforce()
    await isolated.becomes(of_one(isolated.workspace))
    before = {name: one["metadata"]["resourceVersion"] for name, one in (await isolated.written()).items()}
    await chosen_once.stop()
    await chosen_once.start()
    joined = (await isolated.tenants.namespace(isolated.workspace))["metadata"]["name"]
    await isolated.becomes(of_one(isolated.workspace), [*isolated.namespaces, joined])
    after = {name: one["metadata"]["resourceVersion"] for name, one in (await isolated.written()).items()}
    assert {name: after[name] for name in before} == before


async def test_a_policy_that_somebody_undoes_again_and_again_is_left_and_says_so(
    cluster: Cluster, isolated: Isolated
) -> None:
    """contested-objects"""
    await isolated.enforce()
    await isolated.becomes(of_one(isolated.workspace))

    async def undone_until_it_stays() -> None:
        for namespace, policy in (await isolated.written()).items():
            if policy["spec"] != OPEN_TO_ALL:
                patch = {"spec": OPEN_TO_ALL}
                await cluster.patch(NETWORK_POLICIES, policy["metadata"]["name"], patch, namespace)
        status, reason, message = await isolated.ready()
        assert (status, reason) == ("False", "Contested"), message

    await eventually(undone_until_it_stays, 120, 0.02)
    assert "was set right 10 times" in (await isolated.ready())[2]
