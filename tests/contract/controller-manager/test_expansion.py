"""Volumes that grow unmounted only, on a real control plane, with a manager that dies at every step.

Nothing provisions storage here: the tests play the provisioner and the kubelet, by the fields of a claim's
status that those write.
"""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from harness.services import RunningService
from harness.waiting import eventually
from ks_controller_manager.volumeexpansion.claims import SERVED_ANNOTATION
from ks_controller_manager.volumeexpansion.workloads import RECORD_ANNOTATION
from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.resource import (
    DEPLOYMENTS,
    EVENTS,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
    STATEFUL_SETS,
    STORAGE_CLASSES,
    Object,
    Resource,
)

pytestmark = pytest.mark.kubernetes

CONTROLLERS = ("volumeexpansion-controller",)
CONFIG = {"volumeExpansion": {"poll": "200ms", "deadline": "1h"}}
LONG = 60
LABELS = {"app": "db"}
PENDING = {"conditions": [{"type": "FileSystemResizePending", "status": "True"}]}
LARGE = {"capacity": {"storage": "20Gi"}}


class Storage:
    """A namespace with claims of a StorageClass whose volumes grow unmounted only."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.storage_class = f"{namespace}-disk"
        self._volumes: list[str] = []

    async def open(self, **more: Any) -> None:
        body = {
            "metadata": {"name": self.storage_class},
            "provisioner": "disk.csi.qingcloud.com",
            "allowVolumeExpansion": True,
        }
        await self.cluster.create(STORAGE_CLASSES, body | more)

    async def claim(self, name: str = "data") -> None:
        """A claim of 10Gi, bound to a volume."""
        volume = f"{self.namespace}-{name}"
        self._volumes.append(volume)
        shape: Object = {"accessModes": ["ReadWriteOnce"], "storageClassName": self.storage_class}
        await self.cluster.create(
            PERSISTENT_VOLUMES,
            {
                "metadata": {"name": volume},
                "spec": shape
                | {
                    "capacity": {"storage": "10Gi"},
                    "csi": {"driver": "disk.csi.qingcloud.com", "volumeHandle": volume},
                    "claimRef": {"name": name, "namespace": self.namespace},
                    "persistentVolumeReclaimPolicy": "Retain",
                },
            },
        )
        asked = {"resources": {"requests": {"storage": "10Gi"}}, "volumeName": volume}
        body = {"metadata": {"name": name}, "spec": shape | asked}
        await self.cluster.create(PERSISTENT_VOLUME_CLAIMS, body, self.namespace)

        async def bound() -> None:
            found = await self.cluster.get(PERSISTENT_VOLUME_CLAIMS, name, self.namespace)
            assert found["status"].get("phase") == "Bound"

        await eventually(bound, LONG)

    async def ask(self, size: str = "20Gi", name: str = "data") -> None:
        spec = {"resources": {"requests": {"storage": size}}}
        await self.cluster.patch(PERSISTENT_VOLUME_CLAIMS, name, {"spec": spec}, self.namespace)

    async def provisioner(self, says: Object, name: str = "data") -> None:
        """What a provisioner or kubelet writes into the status of the claim."""
        await self.cluster.patch(
            PERSISTENT_VOLUME_CLAIMS, name, {"status": says}, self.namespace, subresource="status"
        )

    async def run(self, resource: Resource, replicas: int = 1, claim: str = "data", **spec: Any) -> None:
        """A workload whose pods mount the claim; there is no node, so they stay pending."""
        volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": claim}}] if claim else []
        pod = {"containers": [{"name": "c", "image": "i"}], "volumes": volumes}
        if resource is STATEFUL_SETS:
            spec["podManagementPolicy"] = "Parallel"  # none of the pods gets ready
        body = {
            "metadata": {"name": "db"},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": LABELS},
                "template": {"metadata": {"labels": LABELS}, "spec": pod},
                **spec,
            },
        }
        await self.cluster.create(resource, body, self.namespace)
        await self.pods(replicas)

    async def pods(self, count: int) -> None:
        async def check() -> None:
            assert len((await self.cluster.list(PODS, self.namespace)).items) == count

        await eventually(check, LONG)

    async def replicas(self, resource: Resource, wanted: int, stopped: bool) -> None:
        async def check() -> None:
            found = await self.cluster.get(resource, "db", self.namespace)
            noted = RECORD_ANNOTATION in (found["metadata"].get("annotations") or {})
            assert (found["spec"]["replicas"], noted) == (wanted, stopped)

        await eventually(check, LONG)

    async def annotate(self, resource: Resource, name: str, note: dict[str, str], **more: Any) -> None:
        patch = {"metadata": {"annotations": note}} | more
        await self.cluster.patch(resource, name, patch, self.namespace)

    async def said(self, reason: str) -> None:
        async def check() -> None:
            events = (await self.cluster.list(EVENTS, self.namespace)).items
            assert reason in {event["reason"] for event in events}

        await eventually(check, LONG)

    async def close(self) -> None:
        gone = [(STORAGE_CLASSES, self.storage_class)]
        gone += [(PERSISTENT_VOLUMES, name) for name in self._volumes]
        for resource, name in gone:
            with suppress(NotFound):
                await self.cluster.delete(resource, name)
                await self.cluster.patch(resource, name, {"metadata": {"finalizers": None}})


@pytest_asyncio.fixture
async def storage(cluster: Cluster, tenants: Any) -> AsyncIterator[Storage]:
    made = Storage(cluster, (await tenants.namespace())["metadata"]["name"])
    try:
        yield made
    finally:
        await made.close()


@pytest.mark.usefixtures("chosen_once")
@pytest.mark.parametrize("resource", [DEPLOYMENTS, STATEFUL_SETS], ids=str)
async def test_a_workload_is_stopped_until_its_volume_has_grown(storage: Storage, resource: Resource) -> None:
    await storage.open()
    await storage.claim()
    await storage.run(resource, replicas=2)
    await storage.ask()
    await storage.replicas(resource, 0, stopped=True)
    await storage.pods(0)
    await storage.provisioner(PENDING)
    await storage.replicas(resource, 2, stopped=False)
    await storage.pods(2)
    for reason in ("StoppedForExpansion", "ExpansionStarted", "ExpansionFinished", "StartedAfterExpansion"):
        await storage.said(reason)
    # The kubelet grows the file system once the volume is mounted again.
    await storage.provisioner(LARGE | {"conditions": None})
    await storage.ask("30Gi")
    await storage.replicas(resource, 0, stopped=True)


async def looks(manager: RunningService) -> int:
    """How often the manager has looked at a claim."""
    async with aiohttp.ClientSession() as session, session.get(f"{manager.url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    found = [line for line in lines if line.startswith("controller_runtime_reconcile_total{")]
    return sum(int(float(line.rpartition(" ")[2])) for line in found if CONTROLLERS[0] in line)


async def has_looked(manager: RunningService, since: int, times: int) -> None:
    async def check() -> None:
        assert await looks(manager) >= since + times

    await eventually(check, LONG)


async def test_a_stateful_set_waits_for_all_of_its_claims(
    storage: Storage, chosen_once: RunningService
) -> None:
    await storage.open()
    for name in ("data-db-0", "data-db-1"):
        await storage.claim(name)
    shape = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}}
    template = {"metadata": {"name": "data"}, "spec": shape | {"storageClassName": storage.storage_class}}
    await storage.run(STATEFUL_SETS, 2, claim="", volumeClaimTemplates=[template])
    await storage.ask(name="data-db-0")
    await storage.replicas(STATEFUL_SETS, 0, stopped=True)
    await storage.ask(name="data-db-1")
    await storage.pods(0)
    await storage.provisioner(PENDING, "data-db-0")
    await has_looked(chosen_once, since=await looks(chosen_once), times=4)
    await storage.replicas(STATEFUL_SETS, 0, stopped=True)
    await storage.provisioner(PENDING, "data-db-1")
    await storage.replicas(STATEFUL_SETS, 2, stopped=False)


@pytest.mark.usefixtures("chosen_once")
async def test_what_the_storage_refuses_does_not_keep_the_workload_down(storage: Storage) -> None:
    await storage.open()
    await storage.claim()
    await storage.run(DEPLOYMENTS)
    await storage.ask()
    await storage.replicas(DEPLOYMENTS, 0, stopped=True)
    error = {"type": "ControllerResizeError", "status": "True", "message": "quota exceeded"}
    await storage.provisioner({"conditions": [error]})
    await storage.replicas(DEPLOYMENTS, 1, stopped=False)
    await storage.said("ExpansionRefused")


@pytest.mark.usefixtures("chosen_once")
async def test_who_starts_the_workload_in_between_is_not_fought(storage: Storage) -> None:
    await storage.open()
    await storage.claim()
    await storage.run(DEPLOYMENTS)
    await storage.ask()
    await storage.replicas(DEPLOYMENTS, 0, stopped=True)
    await storage.cluster.patch(DEPLOYMENTS, "db", {"spec": {"replicas": 3}}, storage.namespace)
    await storage.replicas(DEPLOYMENTS, 3, stopped=False)
    await storage.said("ExpansionInterrupted")
    await storage.replicas(DEPLOYMENTS, 3, stopped=False)


@pytest.mark.usefixtures("chosen_once")
async def test_pods_that_nothing_would_start_again_are_not_stopped(storage: Storage) -> None:
    await storage.open()
    await storage.claim()
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
    spec = {"containers": [{"name": "c", "image": "i"}], "volumes": volumes}
    await storage.cluster.create(PODS, {"metadata": {"name": "alone"}, "spec": spec}, storage.namespace)
    await storage.ask()
    await storage.said("ExpansionNotPossible")
    await storage.pods(1)


async def test_volumes_that_grow_while_mounted_stop_nothing(
    storage: Storage, chosen_once: RunningService
) -> None:
    await storage.open(provisioner="ebs.csi.aws.com")
    await storage.claim()
    await storage.run(DEPLOYMENTS)
    before = await looks(chosen_once)
    await storage.ask()
    offline = {"kubesphere.io/offline-expansion": "true"}
    await has_looked(chosen_once, since=before, times=1)
    await storage.replicas(DEPLOYMENTS, 1, stopped=False)
    # Until the class asks for it.
    await storage.cluster.patch(
        STORAGE_CLASSES, storage.storage_class, {"metadata": {"annotations": offline}}
    )
    await storage.replicas(DEPLOYMENTS, 0, stopped=True)


def record(since: datetime | None = None) -> dict[str, str]:
    at = (since or datetime.now(UTC)).isoformat(timespec="seconds")
    return {RECORD_ANNOTATION: json.dumps({"claim": "data", "replicas": 2, "since": at})}


async def just_asked(storage: Storage) -> None:
    await storage.provisioner(PENDING)


async def stopped_with_pods(storage: Storage) -> None:
    await storage.annotate(DEPLOYMENTS, "db", record(), spec={"replicas": 0})
    await storage.provisioner(PENDING)


async def stopped_and_grown(storage: Storage) -> None:
    await stopped_with_pods(storage)
    await storage.pods(0)


async def stopped_and_served(storage: Storage) -> None:
    await stopped_and_grown(storage)
    await storage.annotate(PERSISTENT_VOLUME_CLAIMS, "data", {SERVED_ANNOTATION: "20Gi"})


async def stopped_long_ago(storage: Storage) -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=2)
    await storage.annotate(DEPLOYMENTS, "db", record(long_ago), spec={"replicas": 0})


async def stopped_and_its_claim_deleted(storage: Storage) -> None:
    await stopped_and_grown(storage)
    await storage.cluster.delete(PERSISTENT_VOLUME_CLAIMS, "data", storage.namespace)


async def started_and_not_mounted_yet(storage: Storage) -> None:
    await storage.provisioner(PENDING)
    await storage.annotate(PERSISTENT_VOLUME_CLAIMS, "data", {SERVED_ANNOTATION: "20Gi"})


STEPS = [
    just_asked,
    stopped_with_pods,
    stopped_and_grown,
    stopped_and_served,
    stopped_long_ago,
    stopped_and_its_claim_deleted,
    started_and_not_mounted_yet,
]


async def test_a_manager_that_died_at_any_step_is_followed_by_one_that_ends_it(
    cluster: Cluster, tenants: Any, account_kubeconfig: Path, managers: Callable[..., Any]
) -> None:
    left = []
    try:
        for step in STEPS:
            storage = Storage(cluster, (await tenants.namespace())["metadata"]["name"])
            left.append(storage)
            await storage.open()
            await storage.claim()
            await storage.run(DEPLOYMENTS, replicas=2)
            await storage.ask()
            await step(storage)
        config = {"controllers": {"enabled": list(CONTROLLERS)}, "leaderElection": {"enabled": False}}
        async with managers(account_kubeconfig, **config, **CONFIG):
            for storage in left:
                await storage.replicas(DEPLOYMENTS, 2, stopped=False)
                await storage.pods(2)
            await left[STEPS.index(stopped_long_ago)].said("ExpansionTimedOut")
            for storage in left:
                await storage.replicas(DEPLOYMENTS, 2, stopped=False)
    finally:
        for storage in left:
            await storage.close()


async def test_a_manager_killed_while_it_waits_takes_up_where_it_was(
    storage: Storage, account_kubeconfig: Path, managers: Callable[..., Any]
) -> None:
    await storage.open()
    await storage.claim()
    await storage.run(DEPLOYMENTS, replicas=2)
    config = {"controllers": {"enabled": list(CONTROLLERS)}, "leaderElection": {"enabled": False}}
    async with managers(account_kubeconfig, **config, **CONFIG) as running:
        manager: RunningService = running
        for size in ("20Gi", "30Gi"):
            await storage.ask(size)
            await storage.replicas(DEPLOYMENTS, 0, stopped=True)
            await manager.kill()
            grown = {"capacity": {"storage": size}}
            await storage.provisioner(grown)
            await manager.start()
            await storage.replicas(DEPLOYMENTS, 2, stopped=False)
