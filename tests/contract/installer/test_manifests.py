"""The manifests for kubectl: built by kustomize, accepted by an API server, understood by the services."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ks_installer.discovery import Discovery
from ks_installer.objects import Ref, apply_order
from kubekit.cluster import Cluster
from kubekit.resource import NAMESPACES, PODS, SERVICE_ACCOUNTS, Object
from localkube.cluster import Localkube

pytestmark = pytest.mark.kubernetes

K8S = Path(__file__).parents[3] / "k8s"
OVERLAYS = sorted(path.name for path in (K8S / "overlays").iterdir())
SERVICES = ("ks-account", "ks-apigateway", "ks-apiserver", "ks-console", "ks-controller-manager")
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
            account = {"metadata": {"name": template["spec"]["serviceAccountName"], "namespace": namespace}}
            await cluster.create(SERVICE_ACCOUNTS, account)
            pod = {
                "metadata": {"name": obj["metadata"]["name"], "namespace": namespace},
                "spec": template["spec"],
            }
            await cluster.create(PODS, pod, dry_run=True)
    finally:
        await cluster.delete(NAMESPACES, namespace)


async def test_selectors_find_the_pods_they_mean(build: Callable[[str], Any]) -> None:
    objects = await build("overlays/complete")
    labels = {
        obj["metadata"]["name"]: obj["spec"]["template"]["metadata"]["labels"]
        for obj in objects
        if obj["kind"] == "Deployment"
    }
    assert set(labels) == set(SERVICES)
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
async def test_the_shipped_configuration_is_understood(
    name: str, build: Callable[[str], Any], tmp_path: Path
) -> None:
    objects = await build("overlays/minimal")
    config = next(obj for obj in objects if obj["metadata"]["name"] == "kubesphere-config")
    deployment = next(
        obj for obj in objects if obj["kind"] == "Deployment" and obj["metadata"]["name"] == name
    )
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    environment = {}
    for entry in container.get("env", []):
        secret = tmp_path / Path(entry["value"]).name
        secret.write_text("a secret of at least thirty-two characters")
        environment[entry["name"]] = str(secret)
    for mounted, text in config["data"].items():
        (tmp_path / mounted).write_text(text)
    module = name.replace("-", "_")
    path = str(tmp_path / "kubesphere.yaml")
    effective = yaml.safe_load(
        await output_of(sys.executable, "-m", module, "check-config", "--config", path, **environment)
    )
    assert effective["redis"]["host"] == "redis.kubesphere-system.svc"


async def test_only_the_gateway_reaches_what_stands_behind_it(build: Callable[[str], Any]) -> None:
    policies = {
        obj["spec"]["podSelector"]["matchLabels"]["app"]: obj["spec"]
        for obj in await build("overlays/minimal")
        if obj["kind"] == "NetworkPolicy"
    }
    assert set(policies) == set(SERVICES)
    peers = {name: peers_of(spec) for name, spec in policies.items()}
    gateway, prometheus = (None, "ks-apigateway"), ("kubesphere-monitoring-system", "prometheus")
    assert peers["ks-account"] == peers["ks-apiserver"] == [gateway, prometheus]
    assert peers["ks-controller-manager"] == [prometheus]


def peers_of(policy: Object) -> list[tuple[str | None, str]]:
    """Who may come in: namespace (None for the policy's own) and app of the pods."""
    assert policy["policyTypes"] == ["Ingress"]
    return [
        (
            peer.get("namespaceSelector", {}).get("matchLabels", {}).get("kubernetes.io/metadata.name"),
            peer["podSelector"]["matchLabels"]["app"],
        )
        for rule in policy["ingress"]
        for peer in rule.get("from", [{"podSelector": {"matchLabels": {"app": "anybody"}}}])
    ]


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
