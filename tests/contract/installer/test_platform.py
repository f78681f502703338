"""The whole platform as objects: a real control plane, and a node that says that pods run.

What runs inside the pods is of no concern here.
"""

import os
import random
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from harness.network_policy import Pod, reaches
from harness.pretend_node import STORAGE_CLASS, PretendNode, pretend_node
from harness.waiting import eventually
from ks_installer.podspecs import images_of
from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.resource import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    EVENTS,
    NAMESPACES,
    NETWORK_POLICIES,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    RESOURCE_QUOTAS,
    SECRETS,
    SERVICES,
    STORAGE_CLASSES,
)

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(600)]

Run = Callable[..., Coroutine[Any, Any, Any]]

SYSTEM = "kubesphere-system"
MONITORING = "kubesphere-monitoring-system"
KILLS = int(os.environ.get("KS_INSTALLER_KILLS", "3"))
"""How often the installer is killed before it is let finish."""


@pytest_asyncio.fixture(scope="module")
async def node(installer: Run, cluster: Cluster) -> AsyncIterator[PretendNode]:
    """The node of an empty cluster; whatever is installed goes before it."""
    assert (await installer("uninstall", "--purge")).code == 0
    async with pretend_node(cluster) as running:
        yield running
        running.missing.clear()
        assert (await installer("uninstall", "--purge")).code == 0


@pytest.fixture
def configured(tmp_path: Path) -> Callable[..., str]:
    """Writes a ks-config.yaml of these sections and gives its path."""

    def write(**sections: Any) -> str:
        path = tmp_path / "ks-config.yaml"
        path.write_text(yaml.safe_dump(sections))
        return str(path)

    return write


@pytest.fixture
async def installed(node: PretendNode, installer: Run, configured: Callable[..., str]) -> None:
    outcome = await installer("apply", "--config", configured())
    assert outcome.code == 0, outcome.err


async def names(cluster: Cluster, kind: Any, namespace: str) -> set[str]:
    return {obj["metadata"]["name"] for obj in (await cluster.list(kind, namespace)).items}


async def pod_image(cluster: Cluster, name: str) -> str:
    deployment = await cluster.get(DEPLOYMENTS, name, SYSTEM)
    return deployment["spec"]["template"]["spec"]["containers"][0]["image"]


@pytest.mark.usefixtures("installed")
async def test_the_minimal_set_is_installed_and_ready(installer: Run, cluster: Cluster) -> None:
    status = await installer("status")
    assert status.code == 0, status.out
    ready = {event["component"] for event in status.events if event["phase"] == "Ready"}
    assert {"common", "core", "console", "monitoring"} <= ready
    assert not ready & {"metrics_server", "etcd", "openpitrix", "logging", "devops"}
    secret = await cluster.get(SECRETS, "ks-account-secret", SYSTEM)
    assert {"admin-password", "jwt-secret"} <= secret["data"].keys()


@pytest.mark.usefixtures("installed")
async def test_only_the_services_that_need_a_back_end_reach_it(cluster: Cluster) -> None:
    """Redis holds the tokens of everybody."""
    policies = (await cluster.list(NETWORK_POLICIES, SYSTEM)).items
    services = ("ks-account", "ks-apigateway", "ks-apiserver", "ks-console", "ks-controller-manager")
    everybody = [
        *(Pod(SYSTEM, {"app": name}) for name in services),
        Pod("of-somebody", {"app": "ks-account"}),
    ]
    for name, port, allowed in (
        ("redis", "redis", ["ks-account", "ks-apigateway"]),
        ("openldap", "ldap", ["ks-account"]),
    ):
        back_end = Pod(SYSTEM, {"app": name, "tier": "database"})
        reaching = [each for each in everybody if reaches(policies, each, back_end, port)]
        assert reaching == [Pod(SYSTEM, {"app": each}) for each in allowed]


@pytest.mark.usefixtures("installed")
async def test_a_second_run_changes_nothing_and_draws_no_new_password(
    installer: Run, cluster: Cluster, configured: Callable[..., str]
) -> None:
    before = await cluster.get(SECRETS, "ks-account-secret", SYSTEM)
    assert "0 of" in (await installer("plan", "--output", "text")).out
    assert (await installer("apply", "--config", configured())).code == 0
    after = await cluster.get(SECRETS, "ks-account-secret", SYSTEM)
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


@pytest.mark.usefixtures("installed")
async def test_a_password_that_an_installation_of_before_has_not_is_drawn_and_the_others_stay(
    installer: Run, cluster: Cluster, configured: Callable[..., str]
) -> None:
    """Such as that of Redis, which had none."""
    before = await cluster.get(SECRETS, "ks-account-secret", SYSTEM)
    await cluster.patch(SECRETS, "ks-account-secret", {"data": {"redis-password": None}}, SYSTEM)
    assert (await installer("apply", "--config", configured())).code == 0
    after = await cluster.get(SECRETS, "ks-account-secret", SYSTEM)
    assert after["data"].pop("redis-password") != before["data"].pop("redis-password")
    assert after["data"] == before["data"]


@pytest.mark.usefixtures("installed")
async def test_components_come_and_go_with_the_configuration_and_leave_their_data(
    installer: Run, cluster: Cluster, configured: Callable[..., str]
) -> None:
    on = configured(
        common={"mysqlEnabled": True},
        etcd={"monitoring": True, "endpointIps": "192.0.2.1", "tlsEnable": False},
    )
    assert (await installer("apply", "--config", on)).code == 0
    assert "mysql" in await names(cluster, DEPLOYMENTS, SYSTEM)
    assert "etcd" in await names(cluster, SERVICES, "kube-system")
    outcome = await installer("apply", "--config", configured())
    assert outcome.code == 0, outcome.err
    assert "mysql" not in await names(cluster, DEPLOYMENTS, SYSTEM)
    assert "etcd" not in await names(cluster, SERVICES, "kube-system")
    assert "mysql-pvc" in await names(cluster, PERSISTENT_VOLUME_CLAIMS, SYSTEM)


@pytest.mark.usefixtures("installed")
async def test_a_changed_value_is_planned_with_what_it_was_and_then_applied(
    installer: Run, cluster: Cluster, configured: Callable[..., str]
) -> None:
    other = configured(console={"port": 30990, "enableMultiLogin": True})
    planned = await installer("plan", "--config", other, "--output", "text")
    assert "spec.ports[http].nodePort: 30880 -> 30990" in planned.out
    assert "Deployment kubesphere-system/ks-account" in planned.out
    assert (await installer("apply", "--config", other)).code == 0
    service = await cluster.get(SERVICES, "ks-console", SYSTEM)
    assert service["spec"]["ports"][0]["nodePort"] == 30990
    # The file is remembered: the next command needs none.
    assert "0 of" in (await installer("plan", "--output", "text")).out


@pytest.mark.usefixtures("installed")
async def test_an_image_that_cannot_be_pulled_is_named_and_others_are_finished(
    node: PretendNode, installer: Run, cluster: Cluster, configured: Callable[..., str]
) -> None:
    await cluster.delete(DEPLOYMENTS, "redis", SYSTEM)
    await cluster.delete(SERVICES, "prometheus-k8s", MONITORING)
    node.missing.add("redis:")
    outcome = await installer("apply", "--config", configured(), "--timeout", "8")
    assert outcome.code == 5
    assert "common is not ready: Deployment kubesphere-system/redis: pod redis-" in outcome.err
    assert "ImagePullBackOff: Back-off pulling image" in outcome.err
    await cluster.get(SERVICES, "prometheus-k8s", MONITORING)
    status = {event["component"]: event for event in (await installer("status")).events}
    assert status["common"]["phase"] == "Failed"
    assert "ImagePullBackOff" in status["common"]["message"]
    told = [event["reason"] for event in (await cluster.list(EVENTS, SYSTEM)).items]
    assert "ComponentFailed" in told
    node.missing.clear()
    assert (await installer("apply", "--config", configured(), "--only", "common")).code == 0
    assert (await installer("apply", "--config", configured())).code == 0


@pytest.mark.usefixtures("installed")
async def test_a_quota_that_is_used_up_is_named(
    installer: Run, cluster: Cluster, configured: Callable[..., str]
) -> None:
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0", "persistentvolumeclaims": "0"}}}
    await cluster.create(RESOURCE_QUOTAS, quota, SYSTEM)
    try:
        on = configured(common={"minioEnabled": True})
        outcome = await installer("apply", "--config", on, "--timeout", "6", "--only", "common")
        assert outcome.code == 5
        assert "PersistentVolumeClaim kubesphere-system/minio-pvc" in outcome.err
        assert "exceeded quota: none" in outcome.err
        await cluster.patch(
            RESOURCE_QUOTAS, "none", {"spec": {"hard": {"persistentvolumeclaims": "9"}}}, SYSTEM
        )
        outcome = await installer("apply", "--config", on, "--timeout", "6", "--only", "common")
        assert outcome.code == 5
        assert "Deployment kubesphere-system/minio: FailedCreate" in outcome.err
        assert "exceeded quota: none" in outcome.err
    finally:
        await cluster.delete(RESOURCE_QUOTAS, "none", SYSTEM)


async def test_a_storage_class_that_is_not_there_is_named_before_anything_is_written(
    node: PretendNode, installer: Run, cluster: Cluster, configured: Callable[..., str]
) -> None:
    assert (await installer("uninstall", "--purge")).code == 0
    named = await installer("apply", "--config", configured(persistence={"storageClass": "fast"}))
    assert named.code == 6
    assert (
        f"storage class: persistence.storageClass: 'fast' is not there; there are: {STORAGE_CLASS}"
        in named.err
    )
    await cluster.patch(STORAGE_CLASSES, STORAGE_CLASS, {"metadata": {"annotations": None}})
    try:
        none = await installer("preflight", "--config", configured())
        assert none.code == 6
        assert {event["check"]: event["level"] for event in none.events} == {
            "version": "ok",
            "storage class": "error",
            "resources": "ok",
            "rights": "ok",
        }
        with pytest.raises(NotFound):
            await cluster.get(NAMESPACES, SYSTEM)
    finally:
        await node.register()


async def test_what_is_killed_at_any_moment_can_be_resumed(
    node: PretendNode, installer: Run, configured: Callable[..., str]
) -> None:
    assert (await installer("uninstall", "--purge")).code == 0
    seed = time.time_ns()
    moments = random.Random(seed)
    for _ in range(KILLS):
        await installer("apply", "--config", configured(), kill_after=moments.randint(1, 150))
    resumed = await installer("apply", "--config", configured())
    assert resumed.code == 0, f"seed {seed}: {resumed.err}"
    assert "0 of" in (await installer("plan", "--output", "text")).out, f"seed {seed}"


@pytest.mark.usefixtures("installed")
async def test_every_image_is_taken_from_a_private_registry(
    installer: Run, run_installer: Run, cluster: Cluster, configured: Callable[..., str]
) -> None:
    offline = configured(local_registry="registry.example:5000/mirror")
    assert (await installer("apply", "--config", offline)).code == 0
    listed = (await run_installer("images", "--registry", "registry.example:5000/mirror")).out.split()
    deployments = [obj for ns in (SYSTEM, MONITORING) for obj in (await cluster.list(DEPLOYMENTS, ns)).items]
    images = images_of({**obj, "kind": "Deployment"} for obj in deployments)
    assert len(images) >= 7
    assert all(image.startswith("registry.example:5000/mirror/") for image in images)
    assert set(images) <= set(listed)


@pytest.mark.usefixtures("installed")
async def test_an_upgrade_says_first_what_it_would_do_and_what_is_refused(
    installer: Run, configured: Callable[..., str]
) -> None:
    smaller = configured(common={"redisVolumSize": "1Gi"}, console={"enableMultiLogin": True})
    report = await installer("upgrade", "--check", "--config", smaller)
    assert report.code == 6
    found = {(event["check"], event["level"]): event["message"] for event in report.events}
    assert found["versions", "ok"].startswith("from 0.")
    assert "PersistentVolumeClaim kubesphere-system/redis-pvc" in found["refused", "error"]
    assert "Deployment kubesphere-system/ks-account" in found["new pods", "ok"]
    refused = await installer("apply", "--config", smaller)
    assert refused.code == 1
    assert "common: the cluster refuses PersistentVolumeClaim kubesphere-system/redis-pvc" in refused.err
    assert (await installer("upgrade", "--config", configured())).code == 0


async def test_what_this_version_does_not_install_is_refused(
    installer: Run, configured: Callable[..., str]
) -> None:
    outcome = await installer(
        "apply", "--config", configured(devops={"enabled": True}, logging={"enabled": True})
    )
    assert outcome.code == 2
    assert "devops.enabled: devops is not among" in outcome.err
    assert "logging.enabled: logging is not among" in outcome.err


@pytest.mark.usefixtures("installed")
async def test_uninstalling_keeps_volumes_and_what_opens_them(
    installer: Run, cluster: Cluster, configured: Callable[..., str]
) -> None:
    before = await cluster.get(SECRETS, "ks-account-secret", SYSTEM)
    kept = await installer("uninstall")
    assert kept.code == 0, kept.err
    assert {"redis-pvc", "openldap-pvc-openldap-0"} <= await names(cluster, PERSISTENT_VOLUME_CLAIMS, SYSTEM)
    assert await names(cluster, DEPLOYMENTS, SYSTEM) == set()
    assert await names(cluster, PODS, SYSTEM) == set()
    assert (await installer("apply", "--config", configured())).code == 0
    after = await cluster.get(SECRETS, "ks-account-secret", SYSTEM)
    assert after["data"] == before["data"]
    assert (await installer("uninstall", "--purge")).code == 0

    async def gone() -> None:
        for name in (SYSTEM, MONITORING):
            with pytest.raises(NotFound):
                await cluster.get(NAMESPACES, name)

    await eventually(gone, 60)
    with pytest.raises(NotFound):
        await cluster.get(CONFIG_MAPS, "ks-installer", SYSTEM)
