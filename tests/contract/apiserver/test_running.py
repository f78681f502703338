"""What the service tells of pods that a real node runs, or cannot run: reasons, counts, jobs, routers."""

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
import yaml

from harness.kubernetes import LocalKubernetes
from harness.services import running_service
from harness.signed import SignedClient
from harness.tenancy import Tenancy, tenancy
from harness.waiting import eventually
from kubekit.cluster import Cluster, ClusterConfig
from kubekit.errors import NotFound
from kubekit.resource import (
    CLUSTER_ROLES,
    DEPLOYMENTS,
    JOBS,
    NAMESPACES,
    PODS,
    RESOURCE_QUOTAS,
    SERVICE_ACCOUNTS,
    SERVICES,
)
from localkube.node.archive import Image, write_archive
from localkube.node.images import BUSYBOX

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a node needs root"),
    pytest.mark.timeout(300),
]

SECRET = "a-secret-of-the-tests-that-is-long-enough"
RESOURCES = "/kapis/resources.kubesphere.io/v1alpha2"
OPERATIONS = "/kapis/operations.kubesphere.io/v1alpha2"
CONTROLS = "kubesphere-controls-system"
ROUTER = "tests/router:1"
"""Stands in for ingress-nginx, which is not to be had: healthy, and nothing else."""
SERVE = "trap 'exit 0' TERM; busybox httpd -f -p 10254 -h /www & wait\n"
MANIFESTS = Path(__file__).parents[3] / "installer/components/access/manifests"


class Room(NamedTuple):
    """A namespace on a node, and its admin."""

    cluster: Cluster
    people: Tenancy
    namespace: str
    erin: SignedClient

    async def create(self, name: str, script: str, **container: Any) -> None:
        """Creates a pod of one container."""
        main = {"name": "main", "image": BUSYBOX, "args": ["sh", "-c", script], **container}
        spec = {"terminationGracePeriodSeconds": 0, "containers": [main]}
        await self.cluster.create(PODS, {"metadata": {"name": name}, "spec": spec}, self.namespace)

    async def explained(self, pod: str) -> dict[str, Any]:
        answer = await self.erin.get(f"{RESOURCES}/namespaces/{self.namespace}/pods/{pod}/explain")
        assert answer.status == 200, answer.text
        return answer.json


@pytest_asyncio.fixture(scope="module")
async def room(kubernetes_node, tmp_path_factory) -> AsyncIterator[Room]:
    if not isinstance(kubernetes_node, LocalKubernetes):
        pytest.skip("KS_TEST_KUBECONFIG names a cluster that may have no node, or other images")
    directory = tmp_path_factory.mktemp("running")
    image = Image(
        ROUTER,
        ["/bin/sh", "/serve"],
        files={"bin/busybox": Path("/bin/busybox")},
        links={"bin/sh": "busybox"},
        texts={"serve": SERVE, "www/healthz": "ok"},
        folders=["bin", "www"],
    )
    write_archive(image, directory / "router.tar")
    kubernetes_node.cluster.import_image(directory / "router.tar")
    config = {
        "kubernetes": {"kubeconfig": str(kubernetes_node.kubeconfig)},
        "authentication": {"jwtSecret": SECRET},
        "server": {"checkInterval": "500ms"},
        "router": {"image": ROUTER},
    }
    access = ClusterConfig(kubeconfig=str(kubernetes_node.kubeconfig), qps=500, burst=500)
    async with (
        Cluster(access) as cluster,
        tenancy(cluster) as people,
        running_service("ks-apiserver", config, directory) as service,
    ):
        namespace = await people.namespace("running", admin=["erin"])
        client = SignedClient(service.url, SECRET)
        erin = client.acting_as(people.name("erin"))

        async def known() -> None:
            assert (await erin.get(f"{RESOURCES}/namespaces/{namespace}/pods")).status == 200
            await cluster.get(SERVICE_ACCOUNTS, "default", namespace)

        await eventually(known, timeout=60)
        yield Room(cluster, people, namespace, erin)
        await client.close()


def has(kind: str, text: str, container: str = "main") -> Callable[[dict[str, Any]], bool]:
    """Whether an explanation gives a reason of that kind, with the text in it, of the container if any."""
    return lambda told: any(
        reason["type"] == kind
        and text in f"{reason['reason']} {reason['message']}"
        and reason.get("container", container) == container
        for reason in told["reasons"]
    )


@pytest.mark.parametrize(
    ("name", "command", "container", "expected"),
    [
        ("crashes", "echo no more; exit 3", {}, has("crash", "it ended with code 3")),
        ("loops", "exit 1", {}, has("crash", "CrashLoopBackOff")),
        ("no-image", "", {"image": "registry.invalid/none:1"}, has("image", "registry.invalid/none:1")),
        ("no-command", "", {"command": ["/nothing/there"]}, has("crash", "no such file")),
        (
            "too-large",
            "",
            {"resources": {"requests": {"cpu": "5000"}}},
            has("scheduling", "Insufficient cpu"),
        ),
        (
            "not-ready",
            "sleep 3600",
            {"readinessProbe": {"exec": {"command": ["false"]}, "periodSeconds": 1}},
            has("probe", "Readiness probe failed"),
        ),
        (
            "no-secret",
            "sleep 3600",
            {"envFrom": [{"secretRef": {"name": "nosuch"}}]},
            has("container", 'secret "nosuch" not found'),
        ),
    ],
)
async def test_why_a_pod_does_not_run_is_told(room, name, command, container, expected):
    await room.create(name, command, **container)

    async def told() -> None:
        found = await room.explained(name)
        assert not found["running"]
        assert expected(found), found["reasons"]
        assert found["events"]

    await eventually(told, timeout=120)
    await room.cluster.delete(PODS, name, room.namespace)


async def test_nothing_keeps_a_pod_that_runs(room):
    await room.create("runs", "sleep 3600")

    async def told() -> None:
        found = await room.explained("runs")
        assert (found["running"], found["reasons"], found["phase"]) == (True, [], "Running")

    await eventually(told, timeout=120)


def deployment(name: str, image: str = BUSYBOX, **spec: Any) -> dict[str, Any]:
    labels = {"app": name}
    main = {"name": "main", "image": image, "command": ["sleep", "3600"]}
    template = {
        "metadata": {"labels": labels},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [main]},
    }
    return {
        "metadata": {"name": name},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template, **spec},
    }


async def test_a_workload_is_abnormal_until_it_runs(room):
    await room.cluster.create(DEPLOYMENTS, deployment("ails", "registry.invalid/none:1"), room.namespace)
    path = f"{RESOURCES}/namespaces/{room.namespace}"

    async def counted(count: int, status: str) -> None:
        abnormal = (await room.erin.get(f"{path}/abnormalworkloads")).json
        assert abnormal["data"]["deployments"] == count
        found = (await room.erin.get(f"{path}/deployments?conditions=status={status},name=ails")).json
        assert found["total_count"] == 1

    await eventually(lambda: counted(1, "updating"), timeout=120)
    mended = {"spec": {"template": deployment("ails")["spec"]["template"]}}
    await room.cluster.patch(DEPLOYMENTS, "ails", mended, room.namespace)
    await eventually(lambda: counted(0, "running"), timeout=120)
    await room.cluster.delete(DEPLOYMENTS, "ails", room.namespace)


async def test_a_quota_that_keeps_pods_away_is_told(room):
    hard = {"pods": str(len((await room.cluster.list(PODS, room.namespace)).items))}
    await room.create("before", "sleep 3600")
    await room.cluster.create(
        RESOURCE_QUOTAS, {"metadata": {"name": "full"}, "spec": {"hard": hard}}, room.namespace
    )
    await room.cluster.create(DEPLOYMENTS, deployment("waits"), room.namespace)

    async def told() -> None:
        answer = await room.erin.get(
            f"{RESOURCES}/namespaces/{room.namespace}/deployments?conditions=status=updating,name=waits"
        )
        assert answer.json["total_count"] == 1
        (item,) = answer.json["items"]
        failures = [each for each in item["status"]["conditions"] if each["type"] == "ReplicaFailure"]
        assert "exceeded quota: full" in failures[0]["message"]

    await eventually(told, timeout=120)
    await room.cluster.delete(RESOURCE_QUOTAS, "full", room.namespace)
    await room.cluster.delete(DEPLOYMENTS, "waits", room.namespace)


async def test_a_job_that_has_ended_runs_again(room):
    template = {
        "spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "main", "image": BUSYBOX, "command": ["echo", "done"]}],
        }
    }
    await room.cluster.create(
        JOBS, {"metadata": {"name": "once"}, "spec": {"template": template}}, room.namespace
    )

    async def complete() -> dict[str, Any]:
        found = await room.cluster.get(JOBS, "once", room.namespace)
        assert found["status"].get("completionTime"), found["status"]
        listed = await room.erin.get(
            f"{RESOURCES}/namespaces/{room.namespace}/jobs?conditions=status=complete,name=once"
        )
        assert [item["metadata"]["uid"] for item in listed.json["items"]] == [found["metadata"]["uid"]]
        return found

    first = await eventually(complete, timeout=120)
    version = first["metadata"]["resourceVersion"]
    path = f"{OPERATIONS}/namespaces/{room.namespace}/jobs/once?action=rerun&resourceVersion={version}"
    answer = await room.erin.request("POST", path)
    assert (answer.status, answer.json) == (200, {"message": "success"})
    second = await eventually(complete, timeout=120)
    assert second["metadata"]["uid"] != first["metadata"]["uid"]
    pods = (await room.cluster.list(PODS, room.namespace, label_selector="job-name=once")).items
    owners = {owner["uid"] for each in pods for owner in each["metadata"]["ownerReferences"]}
    assert second["metadata"]["uid"] in owners


async def test_a_router_is_made_reached_changed_and_removed(room):
    await room.cluster.apply(NAMESPACES, {"metadata": {"name": CONTROLS}}, field_manager="tests")
    for body in yaml.safe_load_all((MANIFESTS / "kubesphere-router.yaml").read_text()):
        if body["kind"] == "ClusterRole":
            await room.cluster.apply(CLUSTER_ROLES, body, field_manager="tests")
    path = f"{RESOURCES}/namespaces/{room.namespace}/router"
    wanted = {"type": "NodePort", "annotations": {"example.org/note": "first"}}
    made = await room.erin.request("POST", path, body=wanted)
    assert made.status == 200, made.text
    name = made.json["metadata"]["name"]

    async def serves() -> dict[str, Any]:
        status = (await room.cluster.get(DEPLOYMENTS, name, CONTROLS)).get("status", {})
        assert status.get("readyReplicas") == 1, status
        found = (await room.erin.get(path)).json
        assert all(port["nodePort"] for port in found["spec"]["ports"])
        assert found["status"]["loadBalancer"]["ingress"][0]["ip"]
        return found

    try:
        found = await eventually(serves, timeout=120)
        assert found["metadata"]["annotations"]["example.org/note"] == "first"
        changed = await room.erin.request(
            "PUT", path, body={"type": "LoadBalancer", "annotations": {"example.org/note": "second"}}
        )
        assert changed.status == 200, changed.text
        stored = await room.cluster.get(SERVICES, name, CONTROLS)
        assert stored["spec"]["type"] == "LoadBalancer"
        assert stored["metadata"]["annotations"]["example.org/note"] == "second"
        assert [port["nodePort"] for port in stored["spec"]["ports"]] == [
            port["nodePort"] for port in found["spec"]["ports"]
        ]
    finally:
        gone = await room.erin.request("DELETE", path)
    assert gone.status == 200, gone.text

    async def removed() -> None:
        for resource in (DEPLOYMENTS, SERVICES, SERVICE_ACCOUNTS):
            with pytest.raises(NotFound):
                await room.cluster.get(resource, name, CONTROLS)
        assert not (await room.cluster.list(PODS, CONTROLS, label_selector="component=ks-router")).items

    await eventually(removed, timeout=120)
