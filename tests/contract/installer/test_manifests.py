"""The manifests for kubectl: built by kustomize, accepted by an API server, understood by the services."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from harness.network_policy import Pod, reaches
from harness.waiting import eventually
from ks_apigateway.routes import builtin_routes, load
from ks_installer.discovery import Discovery
from ks_installer.objects import Ref, apply_order
from kubekit.cluster import Cluster
from kubekit.resource import NAMESPACES, PODS, SERVICE_ACCOUNTS, Object
from localkube.cluster import Localkube
from localkube.versions import PINNED

pytestmark = pytest.mark.kubernetes

K8S = Path(__file__).parents[3] / "k8s"
OVERLAYS = sorted(path.name for path in (K8S / "overlays").iterdir())
SERVICES = ("ks-account", "ks-apigateway", "ks-apiserver", "ks-console", "ks-controller-manager")
SCALED = ("ks-apigateway", "ks-apiserver")
RESTRICTED = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
}


async def output_of(*command: str, **environment: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=os.environ | environment
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert err == b""
    return out.decode()


@pytest.fixture(scope="session")
def build(kubernetes_alone: Localkube) -> Callable[[str], Any]:
    """Builds a folder of k8s/ with the cluster's own kubectl."""

    async def run(folder: str) -> list[Object]:
        text = await output_of(str(kubernetes_alone.kubectl), "kustomize", str(K8S / folder))
        return list(yaml.safe_load_all(text))

    return run


@pytest_asyncio.fixture
async def other_kubernetes(
    kubernetes_alone: Localkube, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Localkube]:
    """A control plane of the supported version that the other tests do not run on."""
    running = (await asyncio.to_thread(kubernetes_alone.status)).version
    version = next(each.kubernetes for each in PINNED if each.kubernetes != running)
    directory = tmp_path_factory.mktemp("manifests") / "kubernetes"
    cluster = Localkube("tests-manifests", directory, version, control_plane_only=True)
    try:
        await asyncio.to_thread(cluster.up)
        yield cluster
    finally:
        await asyncio.to_thread(cluster.down, delete=True)


async def test_the_manifests_are_accepted_by_the_other_kubernetes_too(other_kubernetes: Localkube) -> None:
    """With its own kubectl, in the way that k8s/README.md describes: what the others need is there first."""
    environment = {"KUBECONFIG": str(other_kubernetes.kubeconfig)}
    apply = (str(other_kubernetes.kubectl), "apply", "--server-side", "--kustomize")
    await output_of(*apply, str(K8S / "base/cluster"), **environment)

    async def accepted() -> str:
        """Definitions take a moment to be served."""
        return await output_of(*apply, str(K8S / "overlays/complete"), "--dry-run=server", **environment)

    answered = await eventually(accepted, timeout=60)
    assert "deployment.apps/ks-apigateway serverside-applied (server dry run)" in answered
    assert "workspace.tenant.kubesphere.io/system-workspace serverside-applied" in answered


@pytest.mark.parametrize("overlay", OVERLAYS)
async def test_an_overlay_is_accepted_by_the_cluster(
    overlay: str, build: Callable[[str], Any], installer: Callable[..., Any], cluster: Cluster
) -> None:
    assert (await installer("apply", "--profile", "dev")).code == 0
    discovery = Discovery(cluster)
    for obj in apply_order(await build(f"overlays/{overlay}")):
        resource = await discovery.resource_of(obj)
        assert resource is not None, f"{obj['apiVersion']} {obj['kind']} is not served"
        await cluster.apply(resource, obj, field_manager="tests", dry_run=True)


async def test_the_dev_overlay_is_what_the_installer_applies(
    build: Callable[[str], Any], installer: Callable[..., Any]
) -> None:
    planned = await installer("plan", "--profile", "dev", "--output", "json")
    theirs = {event["object"] for event in planned.events}
    ours = {str(Ref.of(obj)) for obj in await build("overlays/dev")}
    patched = {event for event in theirs if "/cluster-admin" in event or event.startswith("v1/Namespace//")}
    assert ours <= theirs
    assert theirs - ours <= patched


async def test_pods_fulfil_the_restricted_standard(build: Callable[[str], Any], cluster: Cluster) -> None:
    namespace = "restricted-pods"
    await cluster.create(NAMESPACES, {"metadata": {"name": namespace, "labels": RESTRICTED}})
    try:
        for obj in await build("overlays/complete"):
            if obj["kind"] != "Deployment":
                continue
            template = obj["spec"]["template"]
            name = template["spec"].get("serviceAccountName")
            if name:
                await cluster.create(SERVICE_ACCOUNTS, {"metadata": {"name": name, "namespace": namespace}})
            pod = {
                "metadata": {"name": obj["metadata"]["name"], "namespace": namespace},
                "spec": template["spec"],
            }
            await cluster.create(PODS, pod, dry_run=True)
    finally:
        await cluster.delete(NAMESPACES, namespace)


async def test_a_complete_installation_survives_the_drain_of_a_node(build: Callable[[str], Any]) -> None:
    """Each service has more than one replica, they keep apart, and an eviction leaves all but one."""
    objects = await build("overlays/complete")
    specs = {(obj["kind"], obj["metadata"]["name"]): obj["spec"] for obj in objects if "spec" in obj}
    for name in SERVICES:
        deployment = specs["Deployment", name]
        if name in SCALED:
            autoscaler = specs["HorizontalPodAutoscaler", name]
            assert autoscaler["scaleTargetRef"]["name"] == name
            assert autoscaler["minReplicas"] >= 2
            assert "replicas" not in deployment, "each apply would undo what the autoscaler did"
        else:
            assert deployment["replicas"] >= 2
        (spread,) = deployment["template"]["spec"]["topologySpreadConstraints"]
        assert spread["topologyKey"] == "kubernetes.io/hostname"
        assert specs["PodDisruptionBudget", name]["maxUnavailable"] == 1


async def test_selectors_find_the_pods_they_mean(build: Callable[[str], Any]) -> None:
    objects = await build("overlays/complete")
    labels = {
        obj["metadata"]["name"]: obj["spec"]["template"]["metadata"]["labels"]
        for obj in objects
        if obj["kind"] == "Deployment"
    }
    assert set(labels) == {*SERVICES, "default-http-backend"}
    for obj in objects:
        if obj["kind"] == "Service":
            selector = obj["spec"]["selector"]
        elif obj["kind"] in ("Deployment", "PodDisruptionBudget"):
            selector = obj["spec"]["selector"]["matchLabels"]
        else:
            continue
        assert [name for name, own in labels.items() if selector.items() <= own.items()] == [
            obj["metadata"]["name"]
        ]


@pytest.mark.parametrize("name", SERVICES)
async def test_the_loss_of_a_node_leaves_one_of_each_service(name: str, build: Callable[[str], Any]) -> None:
    objects = [obj for obj in await build("overlays/complete") if obj["metadata"]["name"] == name]
    deployment, *_ = (obj for obj in objects if obj["kind"] == "Deployment")
    (budget,) = (obj for obj in objects if obj["kind"] == "PodDisruptionBudget")
    scaled = [obj["spec"]["minReplicas"] for obj in objects if obj["kind"] == "HorizontalPodAutoscaler"]
    assert (scaled or [deployment["spec"]["replicas"]])[0] >= 2
    assert budget["spec"].get("maxUnavailable") == 1 or budget["spec"].get("minAvailable") == 1
    (spread,) = deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert spread["topologyKey"] == "kubernetes.io/hostname"
    assert "app" in spread["matchLabelKeys"]


@pytest.mark.parametrize("name", SERVICES)
async def test_the_shipped_configuration_is_understood(
    name: str, build: Callable[[str], Any], tmp_path: Path
) -> None:
    objects = await build("overlays/minimal")
    config, routes = (
        next(obj for obj in objects if obj["metadata"]["name"] == name)
        for name in ("kubesphere-config", "ks-apigateway-routes")
    )
    deployment = next(
        obj for obj in objects if obj["kind"] == "Deployment" and obj["metadata"]["name"] == name
    )
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    environment = {}
    for entry in container.get("env", []):
        file = tmp_path / Path(entry["value"]).name
        file.write_text("a secret of at least thirty-two characters")
        environment[entry["name"]] = str(file)
    for mounted, text in {**config["data"], **routes["data"]}.items():
        (tmp_path / mounted).write_text(text)
    module = name.replace("-", "_")
    path = str(tmp_path / "kubesphere.yaml")
    effective = yaml.safe_load(
        await output_of(sys.executable, "-m", module, "check-config", "--config", path, **environment)
    )
    assert effective["redis"]["host"] == "redis.kubesphere-system.svc"


SYSTEM, CONTROLS = "kubesphere-system", "kubesphere-controls-system"
GATEWAY = Pod(SYSTEM, {"app": "ks-apigateway"})
PROMETHEUS = Pod("kubesphere-monitoring-system", {"app": "prometheus"})
STRANGERS = (
    Pod("project-of-somebody", {}),
    Pod("project-of-somebody", {"app": "ks-apigateway"}),
    Pod("project-of-somebody", {"app": "prometheus"}),
    Pod(CONTROLS, {"username": "alice"}),
    *(Pod(SYSTEM, {"app": name}) for name in SERVICES if name != "ks-apigateway"),
)


@pytest.fixture
async def policies(build: Callable[[str], Any]) -> list[Object]:
    return [obj for obj in await build("overlays/minimal") if obj["kind"] == "NetworkPolicy"]


@pytest.mark.parametrize("name", ["ks-account", "ks-apiserver"])
async def test_only_the_gateway_reaches_what_stands_behind_it(name: str, policies: list[Object]) -> None:
    service = Pod(SYSTEM, {"app": name})
    assert reaches(policies, GATEWAY, service, "http")
    assert reaches(policies, PROMETHEUS, service, "http")
    assert [each for each in STRANGERS if reaches(policies, each, service, "http")] == []


async def test_who_reaches_the_other_services(policies: list[Object]) -> None:
    everybody = (GATEWAY, PROMETHEUS, *STRANGERS)
    manager = Pod(SYSTEM, {"app": "ks-controller-manager"})
    assert [each for each in everybody if reaches(policies, each, manager, "http")] == [PROMETHEUS]
    assert [each for each in everybody if reaches(policies, each, GATEWAY, "ops")] == [PROMETHEUS]
    for name, port in (("ks-apigateway", "http"), ("ks-apigateway", "https"), ("ks-console", "http")):
        assert all(reaches(policies, each, Pod(SYSTEM, {"app": name}), port) for each in everybody)


async def test_nobody_reaches_a_pod_that_holds_the_kubeconfig_of_a_user(policies: list[Object]) -> None:
    pod = Pod(CONTROLS, {"username": "alice"})
    assert [each for each in (GATEWAY, PROMETHEUS, *STRANGERS) if reaches(policies, each, pod, "http")] == []


async def test_the_shipped_routes_are_those_of_the_gateway(
    build: Callable[[str], Any], tmp_path: Path
) -> None:
    objects = await build("overlays/minimal")
    shipped = next(obj for obj in objects if obj["metadata"]["name"] == "ks-apigateway-routes")
    for name, text in shipped["data"].items():
        (tmp_path / name).write_text(text)
    assert load(tmp_path / "gateway.yaml").routes == builtin_routes(), (
        "k8s/base/services/gateway.yaml has another table than ks_apigateway/routes.py"
    )


async def test_applying_again_leaves_the_replicas_to_the_autoscaler(build: Callable[[str], Any]) -> None:
    objects = await build("overlays/complete")
    deployments = {obj["metadata"]["name"]: obj["spec"] for obj in objects if obj["kind"] == "Deployment"}
    scaled = {
        obj["spec"]["scaleTargetRef"]["name"] for obj in objects if obj["kind"] == "HorizontalPodAutoscaler"
    }
    assert scaled == {"ks-apigateway", "ks-apiserver"}
    assert {name for name, spec in deployments.items() if "replicas" not in spec} == scaled
    for name in scaled:
        (container,) = deployments[name]["template"]["spec"]["containers"]
        assert container["resources"]["requests"]["cpu"]
