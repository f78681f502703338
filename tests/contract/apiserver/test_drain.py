"""Draining nodes. Nodes and pods are objects of a real API server; the test plays their kubelet."""

import asyncio
import itertools
import json
from contextlib import asynccontextmanager, suppress

import pytest

from harness.services import running_service
from harness.signed import SignedClient
from harness.waiting import eventually
from ks_apiserver.operations.drains import BUDGETS
from ks_apiserver.operations.record import ANNOTATION, STALE_AFTER
from kubekit.errors import NotFound
from kubekit.resource import DAEMON_SETS, NODES, PODS, SERVICE_ACCOUNTS

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(300)]

GROUPS = ["operations.kubesphere.io", "resources.kubesphere.io"]
MIRROR = {"kubernetes.io/config.mirror": "x"}
HOST = "kubernetes.io/hostname"
OURS = "tests.example.com/drained"
"""Taint: pods of other tests, which wait for a node, do not come to ours."""
NUMBERS = itertools.count(1)


def path(node, group=GROUPS[0]):
    return f"/kapis/{group}/v1alpha2/nodes/{node}/drainage"


@pytest.fixture(scope="module")
async def namespace(cluster, tenants):
    name = await tenants.namespace("drained")
    account = {"metadata": {"name": "default", "namespace": name}}
    await cluster.apply(SERVICE_ACCOUNTS, account, field_manager="tests")
    return name


@pytest.fixture
async def node(cluster, tenants):
    """A node that is ready."""
    name = tenants.remove_later(NODES, tenants.name(f"node{next(NUMBERS)}"))
    taint = {"key": OURS, "effect": "NoSchedule"}
    await cluster.create(
        NODES, {"metadata": {"name": name, "labels": {HOST: name}}, "spec": {"taints": [taint]}}
    )
    room = {"pods": "110", "cpu": "8", "memory": "8Gi"}
    status = {"conditions": [{"type": "Ready", "status": "True"}], "capacity": room, "allocatable": room}
    await cluster.patch(NODES, name, {"status": status}, subresource="status")
    return name


@pytest.fixture
def pod(cluster, namespace, node):
    """Creates a pod that runs on the node."""

    async def create(name, **metadata):
        name = f"{name}-of-{node}"
        spec = {"nodeName": node, "containers": [{"name": "c", "image": "x"}]}
        body = {"metadata": {"name": name, **metadata}, "spec": spec}
        await cluster.create(PODS, body, namespace)
        status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        await cluster.patch(PODS, name, {"status": status}, namespace, subresource="status")
        return name

    return create


@asynccontextmanager
async def kubelet(cluster, node):
    """Ends the pods of the node that are to end."""

    async def work():
        while True:
            found = await cluster.list(PODS, field_selector=f"spec.nodeName={node}")
            for each in found.items:
                metadata = each["metadata"]
                if metadata.get("deletionTimestamp"):
                    options = {"gracePeriodSeconds": 0, "preconditions": {"uid": metadata["uid"]}}
                    gone = PODS.path(metadata["namespace"], metadata["name"])
                    with suppress(NotFound):
                        await cluster.request("DELETE", gone, body=options)
            await asyncio.sleep(0.2)

    task = asyncio.create_task(work())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def daemon_set(node):
    labels = {"of": node}
    spec = {
        "nodeSelector": {HOST: node},
        "tolerations": [{"key": OURS, "operator": "Exists"}],
        "containers": [{"name": "c", "image": "x"}],
    }
    template = {"metadata": {"labels": labels}, "spec": spec}
    selector = {"matchLabels": labels}
    return {"metadata": {"name": f"daemon-of-{node}"}, "spec": {"selector": selector, "template": template}}


async def names_on(cluster, node):
    found = await cluster.list(PODS, field_selector=f"spec.nodeName={node}")
    return {each["metadata"]["name"] for each in found.items}


async def drained(client, node, group=GROUPS[0]):
    """Has the node drained; returns once it is."""

    async def done():
        answer = await client.request("POST", path(node, group))
        assert (answer.status, answer.json) == (200, {"message": "success"}), answer.text

    await eventually(done, timeout=120)


@pytest.mark.parametrize("group", GROUPS)
async def test_what_may_move_leaves_the_node_and_the_rest_stays(
    cluster, tenants, as_, namespace, node, pod, group
):
    """OPERATIONS-2"""
    await pod("a")
    await pod("b")
    await pod("mirror", annotations=MIRROR)
    await cluster.create(DAEMON_SETS, daemon_set(node), namespace)

    async def daemon_runs():
        assert len(await names_on(cluster, node)) == 4

    await eventually(daemon_runs, timeout=60)
    admin = as_(tenants, "admin")

    async def ended():
        status = (await admin.get(path(node, group))).json
        assert status["drain"]["state"] == "succeeded"
        return status

    async with kubelet(cluster, node):
        answer = await admin.request("POST", path(node, group))
        assert answer.status in (200, 202), answer.text
        status = await eventually(ended, timeout=60)
    left = await names_on(cluster, node)
    assert {name.partition("-")[0] for name in left} == {"mirror", "daemon"}
    await cluster.delete(DAEMON_SETS, f"daemon-of-{node}", namespace)
    found = await cluster.get(NODES, node)
    assert found["spec"]["unschedulable"]
    assert (status["unschedulable"], status["left"], status["pods"]) == (True, 0, [])
    assert (status["drain"]["total"], status["drain"]["user"]) == (2, tenants.name("admin"))


async def test_a_budget_holds_a_pod_back_and_is_named_until_it_lets_go(
    cluster, tenants, as_, namespace, node, pod
):
    name = await pod("guarded", labels={"app": node})
    selector = {"matchLabels": {"app": node}}
    budget = {"metadata": {"name": "guard"}, "spec": {"minAvailable": 1, "selector": selector}}
    await cluster.create(BUDGETS, budget, namespace)
    admin = as_(tenants, "admin")
    async with kubelet(cluster, node):
        answer = await admin.request("POST", path(node))
        assert answer.status == 202
        assert answer.json["message"] == "1 of 1 pods are left"

        async def told():
            status = (await admin.get(path(node))).json
            assert status["drain"]["state"] == "running"
            (held,) = status["pods"]
            assert (held["namespace"], held["name"]) == (namespace, name)
            assert "PodDisruptionBudget guard allows no disruption now" in held["reason"]

        await eventually(told, timeout=60)
        assert name in await names_on(cluster, node)
        record = (await cluster.get(NODES, node))["metadata"]["annotations"][ANNOTATION]
        assert name not in record, "who may read nodes may not see every pod"
        await cluster.delete(BUDGETS, "guard", namespace)
        await drained(admin, node)


async def test_a_pod_that_does_not_end_is_told_with_what_holds_it(
    cluster, tenants, as_, node, pod, namespace
):
    name = await pod("held", finalizers=["tests.example.com/hold"])
    admin = as_(tenants, "admin")
    await admin.request("POST", path(node))

    async def told():
        (held,) = (await admin.get(path(node))).json["pods"]
        assert held["reason"].startswith("it is ending, since ")
        assert "tests.example.com/hold" in held["reason"]

    await eventually(told, timeout=60)
    await cluster.patch(PODS, name, {"metadata": {"finalizers": None}}, namespace)
    async with kubelet(cluster, node):
        await drained(admin, node)


async def test_making_the_node_schedulable_again_cancels(cluster, tenants, as_, node, pod, namespace):
    name = await pod("held", finalizers=["tests.example.com/hold"])
    admin = as_(tenants, "admin")
    assert (await admin.request("POST", path(node))).status == 202
    await cluster.patch(NODES, node, {"spec": {"unschedulable": None}})

    async def cancelled():
        assert (await admin.get(path(node))).json["drain"]["state"] == "cancelled"

    await eventually(cancelled, timeout=60)
    await cluster.patch(PODS, name, {"metadata": {"finalizers": None}}, namespace)


async def test_only_whom_kubernetes_lets_drains_a_node_or_sees_its_pods(cluster, tenants, as_, node, pod):
    """OPERATIONS-2"""
    rules = [{"verbs": ["*"], "apiGroups": [""], "resources": ["nodes"]}]
    await tenants.bind_everywhere("nora", await tenants.cluster_role("nodes", rules))
    await pod("a")
    for person in ("erin", "nora"):
        for method in ("GET", "POST"):
            answer = await as_(tenants, person).request(method, path(node))
            assert answer.status == 403
            assert node not in answer.text
    assert "unschedulable" not in (await cluster.get(NODES, node))["spec"]


async def test_who_may_not_evict_is_told_so(cluster, tenants, as_, node, pod):
    rules = [
        {"verbs": ["get", "list", "patch"], "apiGroups": [""], "resources": ["nodes"]},
        {"verbs": ["list"], "apiGroups": [""], "resources": ["pods"]},
    ]
    await tenants.bind_everywhere("olaf", await tenants.cluster_role("cordoner", rules))
    await pod("a")

    async def refused():
        answer = await as_(tenants, "olaf").request("POST", path(node))
        assert answer.status == 409, answer.text
        assert "1 refused" in answer.message
        assert "cannot create pods/eviction" in answer.message

    await eventually(refused, timeout=60)


async def test_a_node_that_is_not_there_is_404(tenants, as_):
    """OPERATIONS-1"""
    for method in ("GET", "POST"):
        answer = await as_(tenants, "admin").request(method, path("nosuch"))
        assert (answer.status, answer.message) == (404, 'nodes "nosuch" not found')


async def test_a_drain_survives_the_service_that_began_it(
    kubernetes, cluster, tenants, as_, node, pod, namespace, apiserver_config, tmp_path
):
    """One that is stopped says so on the node, whoever is asked; one that dies is found out; both go on."""
    name = await pod("held", finalizers=["tests.example.com/hold"])
    admin = as_(tenants, "admin")
    config = apiserver_config(kubernetes.kubeconfig)
    async with running_service("ks-apiserver", config, tmp_path) as other:
        client = SignedClient(other.url, config["authentication"]["jwtSecret"])
        assert (await client.acting_as(tenants.name("admin")).request("POST", path(node))).status == 202
        joined = await admin.request("POST", path(node))
        assert joined.status == 202, "another process drains it already"
        await client.close()
    assert (await admin.get(path(node))).json["drain"]["state"] == "interrupted"

    record = json.loads((await cluster.get(NODES, node))["metadata"]["annotations"][ANNOTATION])
    dead = json.dumps({**record, "state": "running", "updated": "2020-01-01T00:00:00Z"})
    await cluster.patch(NODES, node, {"metadata": {"annotations": {ANNOTATION: dead}}})
    assert (await admin.get(path(node))).json["drain"]["state"] == "interrupted", STALE_AFTER

    await cluster.patch(PODS, name, {"metadata": {"finalizers": None}}, namespace)
    async with kubelet(cluster, node):
        await drained(admin, node)
