"""A cluster of 200 nodes, whose kubelets kwok plays: what is found there, and drains under budgets."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from harness.kwok import HOST, TOLERATIONS, create_nodes, node, playing
from harness.signed import SignedClient
from harness.tenancy import Tenancy
from harness.waiting import eventually
from ks_apiserver.operations.drains import BUDGETS
from kubekit.cluster import Cluster
from kubekit.resource import DAEMON_SETS, DEPLOYMENTS, NODES, PODS, SERVICE_ACCOUNTS

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(400)]

RESOURCES = "/kapis/resources.kubesphere.io/v1alpha2"
OPERATIONS = "/kapis/operations.kubesphere.io/v1alpha2"
COUNT = 200
REPLICAS = 400
POOL = "tests.example.com/pool"


class Farm(NamedTuple):
    """The nodes, by name, and the namespace whose pods run on them."""

    cluster: Cluster
    admin: SignedClient
    namespace: str
    nodes: list[str]

    async def listed(self, path: str) -> Any:
        answer = await self.admin.get(f"{RESOURCES}{path}")
        assert answer.status == 200, answer.text
        return answer.json

    async def pods_on(self, name: str) -> list[dict[str, Any]]:
        """As Kubernetes tells them."""
        found = await self.cluster.list(PODS, self.namespace, field_selector=f"spec.nodeName={name}")
        return found.items


def workload(name: str, kind: str, pool: str = "", **spec: Any) -> dict[str, Any]:
    """A workload whose pods run on the nodes of the farm, or on those of a pool of it."""
    labels = {"app": name}
    pod = {
        "automountServiceAccountToken": False,
        "tolerations": TOLERATIONS,
        "nodeSelector": {POOL: pool} if pool else {"tests.example.com/farm": "yes"},
        "containers": [{"name": "main", "image": "x"}],
    }
    template = {"metadata": {"labels": labels}, "spec": pod}
    return {
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
    }


async def ready(farm: Farm, name: str, count: int) -> None:
    async def all_ready() -> None:
        status = (await farm.cluster.get(DEPLOYMENTS, name, farm.namespace)).get("status", {})
        assert status.get("readyReplicas") == count, status

    await eventually(all_ready, timeout=180)


@pytest_asyncio.fixture(scope="module")
async def farm(
    kubernetes: Any, cluster: Cluster, tenants: Tenancy, as_: Any, tmp_path_factory: Any
) -> AsyncIterator[Farm]:
    namespace = await tenants.namespace("farm")
    account = {"metadata": {"name": "default", "namespace": namespace}}
    await cluster.apply(SERVICE_ACCOUNTS, account, field_manager="tests")
    pools = {0: "small", 1: "small", 2: "busy", 3: "busy", 4: "busy"}
    nodes = [
        node(
            tenants.name(f"farm{number:03d}"),
            **{"tests.example.com/farm": "yes"},
            **({POOL: pools[number]} if number in pools else {}),
            **({"node-role.kubernetes.io/edge": ""} if number % 10 == 0 else {}),
        )
        for number in range(COUNT)
    ]
    made = Farm(cluster, as_(tenants, "admin"), namespace, [each["metadata"]["name"] for each in nodes])
    async with playing(kubernetes.kubeconfig, tmp_path_factory.mktemp("kwok")):
        try:
            await create_nodes(cluster, nodes)
            await cluster.create(DEPLOYMENTS, workload("many", "Deployment", replicas=REPLICAS), namespace)
            await ready(made, "many", REPLICAS)
            yield made
        finally:
            await empty(made)


async def empty(farm: Farm) -> None:
    """Ends the workloads, then their pods by kwok, then the nodes."""
    for resource in (DEPLOYMENTS, DAEMON_SETS):
        for each in (await farm.cluster.list(resource, farm.namespace)).items:
            await farm.cluster.delete(resource, each["metadata"]["name"], farm.namespace)

    async def no_pods() -> None:
        assert not (await farm.cluster.list(PODS, farm.namespace)).items

    await eventually(no_pods, timeout=180)
    await asyncio.gather(*(farm.cluster.delete(NODES, name) for name in farm.nodes))


async def test_nodes_are_paged_counted_and_found_by_state_and_role(farm):
    label = "tests.example.com%2Ffarm=yes"

    async def all_known() -> None:
        found = await farm.listed(
            f"/nodes?conditions={label},status=running&paging=limit=7,page=2&orderBy=name"
        )
        assert found["total_count"] == COUNT
        assert [item["metadata"]["name"] for item in found["items"]] == sorted(farm.nodes)[7:14]

    await eventually(all_known, timeout=60)
    assert (await farm.listed(f"/nodes?conditions={label},role=edge"))["total_count"] == COUNT // 10

    cordoned = farm.nodes[-3:]
    for name in cordoned:
        await farm.cluster.patch(NODES, name, {"spec": {"unschedulable": True}})

    async def told() -> None:
        found = await farm.listed(f"/nodes?conditions={label},status=unschedulable")
        assert {item["metadata"]["name"] for item in found["items"]} == set(cordoned)

    await eventually(told, timeout=60)
    for name in cordoned:
        await farm.cluster.patch(NODES, name, {"spec": {"unschedulable": None}})


async def test_the_health_of_the_cluster_counts_its_nodes(farm):
    async def counted() -> None:
        told = (await farm.listed("/componenthealth"))["nodeStatus"]
        there = len((await farm.cluster.list(NODES)).items)
        assert told["totalNodes"] == there
        assert COUNT <= told["healthyNodes"] <= there

    await eventually(counted, timeout=60)


async def test_pods_are_found_by_node_and_by_owner(farm):
    where = f"/namespaces/{farm.namespace}/pods"

    async def all_known() -> None:
        assert (await farm.listed(where))["total_count"] == REPLICAS

    await eventually(all_known, timeout=60)
    owned = await farm.listed(f"{where}?conditions=ownerKind=Deployment,ownerName=many")
    assert owned["total_count"] == REPLICAS
    on_each = [
        (await farm.listed(f"{where}?conditions=nodeName={name}"))["total_count"] for name in farm.nodes
    ]
    assert sum(on_each) == REPLICAS
    for name, count in list(zip(farm.nodes, on_each, strict=True))[:5]:
        assert len(await farm.pods_on(name)) == count


async def test_a_budget_lets_a_drain_go_on_only_as_fast_as_replacements_run(farm):
    """Six pods on two nodes, five of which must run at any time: those of one node move to the other."""
    first, second = farm.nodes[:2]
    await farm.cluster.create(
        DEPLOYMENTS, workload("guarded", "Deployment", pool="small", replicas=6), farm.namespace
    )
    await farm.cluster.create(DAEMON_SETS, workload("agent", "DaemonSet", pool="small"), farm.namespace)
    selector = {"matchLabels": {"app": "guarded"}}
    budget = {"metadata": {"name": "guard"}, "spec": {"minAvailable": 5, "selector": selector}}
    await farm.cluster.create(BUDGETS, budget, farm.namespace)
    await ready(farm, "guarded", 6)
    guarded = [each for each in await farm.pods_on(first) if each["metadata"]["labels"]["app"] == "guarded"]
    assert guarded, "the scheduler spreads pods over nodes"

    available: list[int] = []
    left: list[int] = []

    async def watched() -> None:
        while True:
            status = (await farm.cluster.get(DEPLOYMENTS, "guarded", farm.namespace))["status"]
            available.append(status.get("availableReplicas", 0))
            left.append((await farm.admin.get(f"{OPERATIONS}/nodes/{first}/drainage")).json["left"])
            await asyncio.sleep(0.1)

    watching = asyncio.create_task(watched())
    await drained(farm, first)
    watching.cancel()
    assert min(available) >= 5
    assert len(set(left)) > 1, f"no progress was seen: {left}"
    assert {each["metadata"]["labels"]["app"] for each in await farm.pods_on(first)} <= {"agent"}
    assert any(each["metadata"]["labels"]["app"] == "agent" for each in await farm.pods_on(first))
    await ready(farm, "guarded", 6)
    moved = [each for each in await farm.pods_on(second) if each["metadata"]["labels"]["app"] == "guarded"]
    assert len(moved) == 6
    await farm.cluster.patch(NODES, first, {"spec": {"unschedulable": None}})


async def drained(farm: Farm, name: str) -> None:
    """Has a node drained, asking until it is."""

    async def done() -> None:
        answer = await farm.admin.request("POST", f"{OPERATIONS}/nodes/{name}/drainage")
        assert (answer.status, answer.json) == (200, {"message": "success"}), answer.text

    await eventually(done, timeout=180, interval=0.5)


async def test_nodes_that_are_drained_at_once_lose_nothing(farm):
    names = farm.nodes[10:15]
    assert any([await farm.pods_on(name) for name in names])
    await asyncio.gather(*(drained(farm, name) for name in names))
    for name in names:
        assert not await farm.pods_on(name)
    await ready(farm, "many", REPLICAS)
    for name in names:
        await farm.cluster.patch(NODES, name, {"spec": {"unschedulable": None}})


async def test_where_no_node_has_room_a_budget_holds_and_says_so(farm):
    """Three pods for three nodes, one each: there is no place for what a drain would move."""
    selector = {"matchLabels": {"app": "tight"}}
    apart = [{"labelSelector": selector, "topologyKey": HOST}]
    body = workload("tight", "Deployment", pool="busy", replicas=3)
    body["spec"]["template"]["spec"]["affinity"] = {
        "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": apart}
    }
    await farm.cluster.create(DEPLOYMENTS, body, farm.namespace)
    budget = {"metadata": {"name": "tight"}, "spec": {"minAvailable": 2, "selector": selector}}
    await farm.cluster.create(BUDGETS, budget, farm.namespace)
    await ready(farm, "tight", 3)
    await drained(farm, farm.nodes[2])
    second = f"{OPERATIONS}/nodes/{farm.nodes[3]}/drainage"
    answer = await farm.admin.request("POST", second)
    assert answer.status == 202, answer.text

    async def told() -> None:
        status = (await farm.admin.get(second)).json
        assert status["drain"]["state"] == "running"
        reasons = [each["reason"] for each in status["pods"]]
        assert any("PodDisruptionBudget tight allows no disruption now" in reason for reason in reasons)

    await eventually(told, timeout=60)
    await farm.cluster.patch(NODES, farm.nodes[2], {"spec": {"unschedulable": None}})
    await drained(farm, farm.nodes[3])
