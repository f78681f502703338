"""Searching what a real cluster holds, through the service as a process."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from harness.signed import SignedClient
from harness.tenancy import Tenancy
from harness.waiting import eventually
from ks_apiserver.resources.kinds import KINDS
from kubekit.cluster import Cluster
from kubekit.resource import (
    CONFIG_MAPS,
    CRON_JOBS,
    DEPLOYMENTS,
    HORIZONTAL_POD_AUTOSCALERS,
    INGRESSES,
    NAMESPACES,
    PERSISTENT_VOLUME_CLAIMS,
    RESOURCE_QUOTAS,
    SECRETS,
    Resource,
)

pytestmark = pytest.mark.kubernetes

RESOURCES = "/kapis/resources.kubesphere.io/v1alpha2"

As = Callable[[Tenancy, str], SignedClient]


def deployment(name: str, replicas: int) -> dict[str, Any]:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "busybox"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"metadata": {"name": name, "labels": labels}, "spec": spec}


def made_in() -> list[tuple[Resource, dict[str, Any]]]:
    job = {"spec": {"template": deployment("x", 1)["spec"]["template"]}}
    job["spec"]["template"]["spec"]["restartPolicy"] = "Never"
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    specs: list[tuple[Resource, str, dict[str, Any]]] = [
        (CRON_JOBS, "cron", {"schedule": "0 0 1 1 *", "suspend": True, "jobTemplate": job}),
        (PERSISTENT_VOLUME_CLAIMS, "data", {"storageClassName": "nosuch", **claim}),
        (INGRESSES, "ing", {"defaultBackend": backend}),
        (HORIZONTAL_POD_AUTOSCALERS, "web", {"maxReplicas": 2, "scaleTargetRef": target}),
    ]
    return [
        (DEPLOYMENTS, deployment("web", 1)),
        (DEPLOYMENTS, deployment("zero", 0)),
        (CONFIG_MAPS, {"metadata": {"name": "settings"}, "data": {"a": "b"}}),
        (SECRETS, {"metadata": {"name": "hush"}, "stringData": {"a": "b"}, "type": "Opaque"}),
        *((resource, {"metadata": {"name": name}, "spec": spec}) for resource, name, spec in specs),
    ]


@pytest_asyncio.fixture(scope="module")
async def made(cluster: Cluster, tenants: Tenancy) -> AsyncIterator[Tenancy]:
    """The two workspaces, with namespace ns1 that holds one of most kinds, and an empty ns2.

    erin is admin of ns1, and otto its operator; vic is bound to the ClusterRole `view` there, and sara may
    read what the platform serves of it, but nothing in Kubernetes.
    """
    namespace = await tenants.namespace("ns1", tenants.name("demo-ws"), admin=["erin"], operator=["otto"])
    await tenants.namespace("ns2", tenants.name("demo-ws"), admin=["erin"])
    await tenants.bind_in(namespace, "vic-view", ["vic"], "ClusterRole", "view")
    served = [{"apiGroups": ["resources.kubesphere.io"], "resources": ["*"], "verbs": ["list", "get"]}]
    await tenants.bind_in(
        namespace, "sara", ["sara"], "ClusterRole", await tenants.cluster_role("served", served)
    )
    for resource, body in made_in():
        await cluster.create(resource, body, namespace)
    yield tenants


async def listed(as_: As, made: Tenancy, path: str, person: str = "erin") -> list[Any]:
    answer = await as_(made, person).get(f"{RESOURCES}{path}")
    assert answer.status == 200, answer.text
    assert len(answer.json["items"]) <= answer.json["total_count"]
    return answer.json["items"]


def names(items: list[Any]) -> list[str]:
    return [item["metadata"]["name"] for item in items]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("deployments?orderBy=name", ["web", "zero"]),
        ("deployments?conditions=status%3Dstopped", ["zero"]),
        ("deployments?conditions=name~e,app%3Dweb", ["web"]),
        ("cronjobs?conditions=status%3Dpaused", ["cron"]),
        ("persistentvolumeclaims?conditions=status%3Dpending", ["data"]),
        ("ingresses", ["ing"]),
        ("horizontalpodautoscalers?conditions=targetKind%3DDeployment,targetName%3Dweb", ["web"]),
        ("configmaps?conditions=name%3Dsettings", ["settings"]),
        ("secrets?conditions=type%3DOpaque", ["hush"]),
        ("roles?orderBy=name&reverse=true&paging=limit%3D2,page%3D1", ["viewer", "operator"]),
        ("s2ibuilders", []),
    ],
)
async def test_objects_of_a_namespace_are_found(made, as_, search, expected):
    async def found() -> None:
        assert names(await listed(as_, made, f"/namespaces/{made.name('ns1')}/{search}")) == expected

    await eventually(found, timeout=30)


async def test_an_object_appears_and_goes_as_it_does_in_the_cluster(made, as_, cluster):
    path = f"/namespaces/{made.name('ns2')}/configmaps?conditions=name~passing"
    await cluster.create(CONFIG_MAPS, {"metadata": {"name": "passing"}}, made.name("ns2"))

    async def there() -> None:
        assert names(await listed(as_, made, path)) == ["passing"]

    async def gone() -> None:
        assert await listed(as_, made, path) == []

    await eventually(there, timeout=30)
    await cluster.delete(CONFIG_MAPS, "passing", made.name("ns2"))
    await eventually(gone, timeout=30)


@pytest.mark.parametrize("kind", sorted(KINDS))
async def test_the_administrator_searches_every_kind_and_a_stranger_none(made, as_, kind):
    await listed(as_, made, f"/{kind}", "admin")
    for path in (f"/{kind}", f"/namespaces/{made.name('ns1')}/{kind}"):
        answer = await as_(made, "bob").get(f"{RESOURCES}{path}")
        assert answer.status == 403
        assert "items" not in answer.json


async def test_a_namespace_shows_nothing_of_another(made, as_):
    for kind in ("deployments", "secrets", "cronjobs", "ingresses"):
        assert await listed(as_, made, f"/namespaces/{made.name('ns2')}/{kind}") == []
        answer = await as_(made, "otto").get(f"{RESOURCES}/namespaces/{made.name('ns2')}/{kind}")
        assert answer.status == 403
        assert (await as_(made, "otto").get(f"{RESOURCES}/{kind}")).status == 403


async def test_a_right_in_kubernetes_is_none_here(made, as_):
    answer = await as_(made, "vic").get(f"{RESOURCES}/namespaces/{made.name('ns1')}/deployments")
    assert answer.status == 403


async def test_a_right_here_reads_no_secret_that_kubernetes_refuses(made, as_):
    """RESOURCES-3"""
    namespace = f"/namespaces/{made.name('ns1')}"
    assert names(await listed(as_, made, f"{namespace}/configmaps?conditions=name~sett", "sara")) == [
        "settings"
    ]
    answer = await as_(made, "sara").get(f"{RESOURCES}{namespace}/secrets")
    assert answer.status == 403
    assert "hush" not in answer.text


async def test_conditions_that_cannot_be_read_are_refused(made, as_):
    answer = await as_(made, "admin").get(f"{RESOURCES}/namespaces?conditions=foo")
    assert answer.status == 400
    assert "invalid conditions" in answer.message


async def test_a_deleted_namespace_is_soon_no_more_found(made, as_, cluster):
    name = await made.namespace("passing")
    search = f"/namespaces?conditions=name%3D{name}"

    async def there() -> None:
        assert names(await listed(as_, made, search, "admin")) == [name]

    async def marked() -> None:
        found = await listed(as_, made, search, "admin")
        assert not found or found[0]["metadata"]["deletionTimestamp"]

    await eventually(there, timeout=30)
    await cluster.delete(NAMESPACES, name)
    await eventually(marked, timeout=30)


async def test_quotas_say_what_a_namespace_has_left(made, as_, cluster):
    namespace = made.name("ns1")
    hard = {"count/configmaps": "20", "requests.storage": "8Gi"}
    await cluster.create(RESOURCE_QUOTAS, {"metadata": {"name": "quota"}, "spec": {"hard": hard}}, namespace)

    async def counted_by_kubernetes() -> None:
        status = (await cluster.get(RESOURCE_QUOTAS, "quota", namespace))["status"]
        assert status["hard"] == hard
        assert status["used"]["requests.storage"] == "1Gi"

    async def counted() -> None:
        answer = await as_(made, "erin").get(f"{RESOURCES}/namespaces/{namespace}/quotas")
        data = answer.json["data"]
        assert data["hard"] == hard
        assert data["left"]["requests.storage"] == "7Gi"
        assert data["used"]["count/deployments.apps"] == "2"
        assert data["used"]["count/s2ibuilders.devops.kubesphere.io"] == "0"

    # Kubernetes counts no quota while it waits for the caches of kinds that came or went, which may take it
    # two of its periods of 30 seconds.
    await eventually(counted_by_kubernetes, timeout=120, interval=0.5)
    await eventually(counted, timeout=30)


async def test_workloads_that_are_not_as_they_should_be_are_counted(made, as_):
    path = f"{RESOURCES}/namespaces/{made.name('ns1')}/abnormalworkloads"

    async def counted() -> None:
        answer = await as_(made, "erin").get(path)
        data = answer.json["data"]
        assert (data["deployments"], data["persistentvolumeclaims"], data["jobs"]) == (1, 1, 0)

    await eventually(counted, timeout=30)


async def test_the_first_revision_of_a_deployment_is_its_replica_set(made, as_):
    path = f"{RESOURCES}/namespaces/{made.name('ns1')}/deployments/web/revisions"

    async def there() -> None:
        answer = await as_(made, "erin").get(f"{path}/1")
        assert answer.status == 200, answer.text
        assert answer.json["metadata"]["ownerReferences"][0]["name"] == "web"

    await eventually(there, timeout=30)
    assert (await as_(made, "erin").get(f"{path}/9")).status == 404


async def test_the_administrator_sees_the_health_of_the_platform(made, as_):
    answer = await as_(made, "admin").get(f"{RESOURCES}/componenthealth")
    assert answer.status == 200, answer.text
    assert answer.json.keys() == {"kubesphereStatus", "nodeStatus"}
    answer = await as_(made, "admin").get(f"{RESOURCES}/components")
    assert isinstance(answer.json, list)
    assert (await as_(made, "admin").get(f"{RESOURCES}/components/nosuch")).status == 404
