"""The platform as the installer brings it to a real node: every pod runs, and users can work with it.

One installation serves all tests, in their order: it is made of the manifests of before, used, changed,
broken and mended, upgraded under load, and taken away.
"""

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from harness.installed import (
    MONITORED,
    Installation,
    installation,
)
from harness.platform import TENANT, WORKSPACES
from harness.site import KUBECTL_IMAGE, everything
from harness.waiting import eventually
from kubekit.resource import PODS

pytestmark = [pytest.mark.node, pytest.mark.timeout(600)]

SYSTEM = "kubesphere-system"
MONITORING = "kubesphere-monitoring-system"
CONTROLS = "kubesphere-controls-system"
OF_MONITORING = {
    f"StatefulSet {MONITORING}/prometheus-k8s",
    f"StatefulSet {MONITORING}/prometheus-k8s-system",
    f"DaemonSet {MONITORING}/node-exporter",
    f"Deployment {MONITORING}/kube-state-metrics",
    *(f"Service {MONITORING}/{name}" for name in ("kube-state-metrics", "node-exporter")),
    *(f"Service {MONITORING}/{name}" for name in ("prometheus-k8s", "prometheus-k8s-system")),
    "Service kube-system/kube-controller-manager-headless",
    "Service kube-system/kube-scheduler-headless",
}
LISTED = {
    *(f"Namespace /{name}" for name in (SYSTEM, MONITORING, CONTROLS)),
    *(f"Deployment {CONTROLS}/{name}" for name in ("default-http-backend", "kubectl-admin")),
    f"Service {CONTROLS}/default-http-backend",
    f"ConfigMap {CONTROLS}/kubeconfig-admin",
    *(
        f"Deployment {SYSTEM}/{name}"
        for name in ("ks-account", "ks-apigateway", "ks-apiserver", "ks-console", "ks-controller-manager")
    ),
    f"Deployment {SYSTEM}/redis",
    f"StatefulSet {SYSTEM}/openldap",
    *(
        f"Service {SYSTEM}/{name}"
        for name in ("ks-account", "ks-apigateway", "ks-apiserver", "ks-console", "openldap", "redis")
    ),
    *(f"ConfigMap {SYSTEM}/{name}" for name in ("ks-installer", "kubesphere-config", "policy-rules")),
    *(
        f"CustomResourceDefinition /{name}"
        for name in (
            "alertmanagers.monitoring.coreos.com",
            "applications.app.k8s.io",
            "destinationrules.networking.istio.io",
            "fluentbits.logging.kubesphere.io",
            "podmonitors.monitoring.coreos.com",
            "prometheuses.monitoring.coreos.com",
            "prometheusrules.monitoring.coreos.com",
            "s2ibinaries.devops.kubesphere.io",
            "s2ibuilders.devops.kubesphere.io",
            "s2ibuildertemplates.devops.kubesphere.io",
            "s2iruns.devops.kubesphere.io",
            "servicemonitors.monitoring.coreos.com",
            "servicepolicies.servicemesh.kubesphere.io",
            "strategies.servicemesh.kubesphere.io",
            "virtualservices.networking.istio.io",
            "workspaces.tenant.kubesphere.io",
        )
    ),
    *(OF_MONITORING if MONITORED else ()),
}
"""What a minimal installation of v2.1.1 has, by the listings of its overview, but for INSTALLER-4 and 11."""


@pytest_asyncio.fixture(scope="module")
async def installed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """The minimal set, on a node of its own."""
    async with installation(tmp_path_factory.mktemp("installed")) as one:
        yield one


async def test_every_pod_of_the_minimal_set_is_ready(installed: Installation) -> None:
    status = await installed.installer("status")
    assert status.code == 0, status.out
    for namespace in (SYSTEM, MONITORING) if MONITORED else (SYSTEM,):
        pods = (await installed.cluster.list(PODS, namespace)).items
        assert pods
        for pod in pods:
            ready = {one["type"]: one["status"] for one in pod["status"]["conditions"]}["Ready"]
            assert ready == "True", pod["metadata"]["name"]


async def test_what_is_there_is_what_an_installation_of_v2_1_1_has(installed: Installation) -> None:
    async def complete() -> None:
        there = await everything(installed.cluster)
        assert sorted(LISTED - there.keys()) == []

    await eventually(complete, 90, 1)  # the pod with kubectl comes when ks-account has seen the administrator


def small_deployment(name: str) -> dict[str, Any]:
    """One pod that sleeps, of the image that every local node has."""
    container = {
        "name": "c",
        "image": "localkube/busybox:1",
        "command": ["sleep", "600"],
        "imagePullPolicy": "IfNotPresent",
    }
    pod = {"containers": [container], "terminationGracePeriodSeconds": 0}
    template = {"metadata": {"labels": {"app": name}}, "spec": pod}
    spec = {"selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


async def test_a_workload_runs_in_a_project_of_a_workspace(installed: Installation) -> None:
    """Made through the gateway's NodePort, by the administrator, who had to choose a password first."""
    async with installed.admin() as admin:
        kind = {"apiVersion": "tenant.kubesphere.io/v1alpha1", "kind": "Workspace"}
        workspace = {**kind, "metadata": {"name": "demo"}, "spec": {"manager": "admin"}}
        made = await admin.post(WORKSPACES, workspace)
        assert made.status == 201, made.text

        async def project() -> None:
            body = {"metadata": {"name": "demo-project", "labels": {"kubesphere.io/workspace": "demo"}}}
            answer = await admin.post(f"{TENANT}/workspaces/demo/namespaces", body)
            assert answer.status in (200, 201), answer.text

        await eventually(project, 60, 1)
        place = "/apis/apps/v1/namespaces/demo-project/deployments"
        made = await admin.post(place, small_deployment("demo"))
        assert made.status == 201, made.text

        async def runs() -> None:
            answer = await admin.get(f"{place}/demo")
            assert answer.json["status"].get("availableReplicas") == 1, answer.text

        await eventually(runs, 90, 1)


async def test_the_pod_with_kubectl_reaches_the_cluster(installed: Installation) -> None:
    pods: dict[str, Any] = {}

    async def running() -> None:
        for pod in (await installed.cluster.list(PODS, CONTROLS)).items:
            if pod["metadata"]["name"].startswith("kubectl-admin"):
                pods[pod["metadata"]["name"]] = pod
        assert any(pod["status"].get("phase") == "Running" for pod in pods.values()), list(pods)

    await eventually(running, 90, 1)
    (name,) = pods
    assert pods[name]["spec"]["containers"][0]["image"] == KUBECTL_IMAGE
    asked = ("exec", name, "--", "kubectl", "get", "namespaces", "-o", "name")
    assert f"namespace/{SYSTEM}" in await installed.site.kubectl("-n", CONTROLS, *asked)


async def test_uninstalling_leaves_the_cluster_as_it_was(
    installed: Installation, record_property: Callable[[str, str], None]
) -> None:
    """But for projects and what runs in them, which are not the installer's to delete."""
    began = time.monotonic()
    outcome = await installed.installer("uninstall", "--purge")
    assert outcome.code == 0, outcome.err
    installed.figures["uninstallation"] = f"{time.monotonic() - began:.1f} s"
    await installed.site.kubectl("wait", "--for=condition=Available", "-n", "demo-project", "deployment/demo")
    await installed.site.kubectl("delete", "namespace", "demo-project")

    async def as_before() -> None:
        after = await everything(installed.cluster)
        assert sorted(after.keys() - installed.before.keys()) == []
        assert sorted(installed.before.keys() - after.keys()) == []
        assert after == installed.before

    await eventually(as_before, 120, 1)
    for name, figure in installed.figures.items():
        record_property(name, figure)
