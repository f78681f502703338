"""Quantities, quotas, components and revisions, on objects that a test writes down: no cluster."""

from typing import Any, cast

import pytest

from harness.recorded_cluster import RecordedCluster
from ks_apiserver.resources.access import Access
from ks_apiserver.resources.components import Components, is_healthy, is_ready
from ks_apiserver.resources.objects import Objects
from ks_apiserver.resources.quantities import Quantity, left, smaller
from ks_apiserver.resources.quotas import smallest
from ks_apiserver.resources.revisions import Revisions
from kubekit.cluster import Cluster
from kubekit.rbac import RbacIndex
from servicekit.errors import BadRequest, Forbidden, NotFound
from servicekit.identity import Identity

ANN = Identity("ann", (), "192.0.2.1")
BOB = Identity("bob", (), "192.0.2.1")
RBAC = "rbac.authorization.k8s.io"


@pytest.mark.parametrize(
    ("hard", "used", "expected"),
    [
        ("8Gi", "64Mi", "8128Mi"),
        ("4", "10m", "3990m"),
        ("20", "1", "19"),
        ("2", "2", "0"),
        ("1", "3", "0"),
        ("1Gi", "1Gi", "0"),
        ("1Gi", "1G", "73741824"),
        ("3k", "1k", "2k"),
        ("2M", "500k", "1500k"),
        ("1Ki", "100", "924"),
        ("5e3", "1", "4999"),
        ("5e3", "2k", "3e3"),
        ("1.5Gi", "0.5Gi", "1Gi"),
        ("2Ei", "1Ei", "1Ei"),
    ],
)
def test_what_is_left_is_written_as_the_limit_is(hard, used, expected):
    assert left(hard, used) == expected


@pytest.mark.parametrize("text", ["", "Gi", "1.2.3", "1 Gi", "12Q", "1e", "--1"])
def test_what_is_no_quantity_is_refused(text):
    with pytest.raises(ValueError, match="is no quantity"):
        Quantity.of(text)


def test_the_smaller_quantity_stays_as_it_is_written():
    assert smaller("1Gi", "1000Mi") == "1000Mi"
    assert smaller("500m", "1") == "500m"


def test_of_several_quotas_the_smallest_limit_counts():
    quotas = [{"status": {"hard": {"pods": "9", "cpu": "1"}}}, {"status": {"hard": {"pods": "10"}}}, {}]
    assert smallest(quotas, "hard") == {"pods": "9", "cpu": "1"}


@pytest.mark.parametrize(
    ("phase", "ready", "expected"),
    [("Running", [True, True], True), ("Running", [True, False], False), ("Pending", [], False)],
)
def test_a_pod_is_healthy_when_it_runs_and_is_ready(phase, ready, expected):
    containers = [{"ready": each} for each in ready]
    assert is_healthy({"status": {"phase": phase, "containerStatuses": containers}}) is expected


def test_a_node_is_ready_when_it_says_so():
    assert is_ready({"status": {"conditions": [{"type": "Ready", "status": "True"}]}})
    assert not is_ready({"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}})
    assert not is_ready({})


def an(name: str, namespace: str | None, **parts: Any) -> dict[str, Any]:
    metadata = {"name": name, "uid": f"uid of {name}", "creationTimestamp": "2026-01-01T00:00:00Z"}
    if namespace:
        metadata["namespace"] = namespace
    return {"metadata": metadata | parts.pop("metadata", {}), **parts}


def owned(name: str, owner: str, uid: str, **annotations: str) -> dict[str, Any]:
    kind, _, of = owner.partition("/")
    owners = [{"kind": kind, "name": of, "uid": uid}]
    return an(name, "n1", metadata={"ownerReferences": owners, "annotations": annotations})


def running(name: str, namespace: str, ready: bool, **labels: str) -> dict[str, Any]:
    status = {"phase": "Running", "containerStatuses": [{"ready": ready}]}
    return an(name, namespace, metadata={"labels": labels}, spec={}, status=status)


REVISION = "deployment.kubernetes.io/revision"
RULE = {"apiGroups": ["resources.kubesphere.io"], "resources": ["*"], "verbs": ["get", "list"]}
OBJECTS: dict[str, list[dict[str, Any]]] = {
    "clusterroles": [an("reader", None, rules=[RULE])],
    "clusterrolebindings": [
        an(
            "ann",
            None,
            roleRef={"apiGroup": RBAC, "kind": "ClusterRole", "name": "reader"},
            subjects=[{"apiGroup": RBAC, "kind": "User", "name": "ann"}],
        )
    ],
    "services": [
        an("redis", "kubesphere-system", spec={"selector": {"app": "redis", "tier": "db"}}),
        an("redis", "kube-system", spec={"selector": {"app": "other"}}),
        an("outside", "kubesphere-system", spec={}),
        an("shop", "n1", spec={"selector": {"app": "redis"}}),
    ],
    "pods": [
        running("redis-1", "kubesphere-system", True, app="redis", tier="db"),
        running("redis-2", "kubesphere-system", False, app="redis", tier="db"),
        running("exporter", "kubesphere-system", True, app="redis"),
        running("redis-3", "n1", True, app="redis", tier="db"),
    ],
    "nodes": [an("k1", None, status={"conditions": [{"type": "Ready", "status": "True"}]}), an("k2", None)],
    "deployments": [an("web", "n1", spec={"replicas": 1})],
    "daemonsets": [an("agent", "n1")],
    "replicasets": [
        owned("web-old", "Deployment/web", "of a web before", **{REVISION: "1"}),
        owned("web-a", "Deployment/web", "uid of web", **{REVISION: "1"}),
        owned("web-b", "Deployment/web", "uid of web", **{REVISION: "2"}),
    ],
    "controllerrevisions": [owned("agent-1", "DaemonSet/agent", "uid of agent") | {"revision": 1}],
}


@pytest.fixture
async def access() -> Access:
    rbac = RbacIndex(cast("Cluster", RecordedCluster(OBJECTS)))
    await rbac.open()
    return Access(rbac)


@pytest.fixture
def objects() -> Objects:
    return Objects(cast("Cluster", RecordedCluster(OBJECTS)))


async def test_a_component_counts_the_pods_that_its_service_selects(objects, access):
    assert await Components(objects, access).one(ANN, "redis") == {
        "name": "redis",
        "namespace": "kubesphere-system",
        "selfLink": "/api/v1/namespaces/kubesphere-system/services/redis",
        "label": {"app": "redis", "tier": "db"},
        "startedAt": "2026-01-01T00:00:00Z",
        "totalBackends": 2,
        "healthyBackends": 1,
    }


async def test_components_are_services_of_the_platform_that_select_pods(objects, access):
    components = Components(objects, access)
    found = [(each["namespace"], each["name"]) for each in await components.all(ANN)]
    assert found == [("kubesphere-system", "redis"), ("kube-system", "redis")]
    health = await components.health(ANN)
    assert len(health["kubesphereStatus"]) == 2
    assert health["nodeStatus"] == {"totalNodes": 2, "healthyNodes": 1}


@pytest.mark.parametrize("name", ["nosuch", "shop", "outside"])
async def test_what_is_no_component_is_not_found(objects, access, name):
    with pytest.raises(NotFound, match=name):
        await Components(objects, access).one(ANN, name)


async def test_a_revision_is_of_this_deployment_and_of_none_before_it(objects, access):
    revisions = Revisions(objects, access)
    found = [await revisions.of_deployment(ANN, "n1", "web", number) for number in ("1", "2")]
    assert [each["metadata"]["name"] for each in found] == ["web-a", "web-b"]
    with pytest.raises(NotFound, match="revision not found web#3"):
        await revisions.of_deployment(ANN, "n1", "web", "3")


async def test_a_revision_of_a_daemon_set_is_its_controller_revision(objects, access):
    revisions = Revisions(objects, access)
    found = await revisions.of_controller(ANN, "daemonsets", "n1", "agent", "1")
    assert found["metadata"]["name"] == "agent-1"
    with pytest.raises(NotFound, match=r'statefulset\.apps "agent" not found'):
        await revisions.of_controller(ANN, "statefulsets", "n1", "agent", "1")


@pytest.mark.parametrize("revision", ["x", "-1", "1.5", "", "9" * 30])
async def test_a_revision_that_is_no_number_is_refused(objects, access, revision):
    with pytest.raises(BadRequest, match="should be a whole number"):
        await Revisions(objects, access).of_controller(ANN, "daemonsets", "n1", "agent", revision)


async def test_who_has_no_role_is_refused_before_anything_is_looked_up(objects, access):
    components, revisions = Components(objects, access), Revisions(objects, access)
    for asked in (
        components.all(BOB),
        components.one(BOB, "nosuch"),
        components.health(BOB),
        revisions.of_deployment(BOB, "n1", "nosuch", "1"),
        revisions.of_controller(BOB, "daemonsets", "n1", "nosuch", "1"),
    ):
        with pytest.raises(Forbidden, match="cannot"):
            await asked
