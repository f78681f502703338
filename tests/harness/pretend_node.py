"""A node that runs nothing: it takes pods as a kubelet does and says that they run.

For what is about the objects of a cluster rather than about programs in it: a control plane alone starts in
seconds and can be had many times over, a node only once on a machine. The scheduler and all controllers are
real. Claims of its storage class are bound to volumes that nobody could mount.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from kubekit.cluster import Cluster
from kubekit.errors import Conflict, KubernetesError, NotFound
from kubekit.resource import (
    NODES,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
    STORAGE_CLASSES,
    Object,
)

NAME = "pretend"
STORAGE_CLASS = "pretend"

_HEARTBEAT = 5.0
_ROUND = 0.2


class PretendNode:
    """`missing` are parts of image names that cannot be pulled; change it at any time."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.missing: set[str] = set()

    async def register(self) -> None:
        """Makes the node and its storage class, the cluster's default."""
        meta = {"name": NAME, "labels": {"kubernetes.io/os": "linux", "kubernetes.io/hostname": NAME}}
        await self._cluster.apply(NODES, {"metadata": meta}, field_manager="tests")
        await self.heartbeat()
        default = {"storageclass.kubernetes.io/is-default-class": "true"}
        await self._cluster.apply(
            STORAGE_CLASSES,
            {
                "metadata": {"name": STORAGE_CLASS, "annotations": default},
                "provisioner": "tests.example/pretend",
            },
            field_manager="tests",
        )

    async def deregister(self) -> None:
        """Takes both away, and every volume that was made."""
        for volume in (await self._cluster.list(PERSISTENT_VOLUMES)).items:
            await self._delete_now(PERSISTENT_VOLUMES.path(None, volume["metadata"]["name"]))
        for kind, name in ((NODES, NAME), (STORAGE_CLASSES, STORAGE_CLASS)):
            with suppress(NotFound):
                await self._cluster.delete(kind, name)

    async def run(self) -> None:
        """Does what a kubelet and a provisioner do, until cancelled."""
        beat = asyncio.get_running_loop().time()
        while True:
            try:
                if asyncio.get_running_loop().time() - beat > _HEARTBEAT:
                    await self.heartbeat()
                    beat = asyncio.get_running_loop().time()
                await self._tend_pods()
                await self._tend_claims()
            except KubernetesError:
                pass  # somebody else was faster, or the API server is away: the next round sees
            await asyncio.sleep(_ROUND)

    async def heartbeat(self) -> None:
        """Says that the node is well."""
        now = _now()
        amounts = {"cpu": "8", "memory": "32Gi", "pods": "200", "ephemeral-storage": "100Gi"}
        ready = {"type": "Ready", "status": "True", "reason": "Pretended", "lastHeartbeatTime": now}
        status = {"capacity": amounts, "allocatable": amounts, "conditions": [ready]}
        await self._cluster.patch(NODES, NAME, {"status": status}, subresource="status")

    async def _tend_pods(self) -> None:
        pods = await self._cluster.list(PODS, field_selector=f"spec.nodeName={NAME}")
        for number, pod in enumerate(pods.items):
            meta = pod["metadata"]
            if meta.get("deletionTimestamp"):
                await self._delete_now(PODS.path(meta["namespace"], meta["name"]))
            elif (status := self._status_of(pod, number)) and not _says(pod, status):
                with suppress(NotFound, Conflict):
                    await self._cluster.patch(
                        PODS, meta["name"], {"status": status}, meta["namespace"], subresource="status"
                    )

    def _status_of(self, pod: Object, number: int) -> dict[str, Any]:
        containers = [self._container(one) for one in pod["spec"]["containers"]]
        ready = str(all(one["ready"] for one in containers))
        return {
            "phase": "Running" if ready == "True" else "Pending",
            "podIP": f"10.99.{number // 250}.{number % 250 + 1}",
            "conditions": [
                {"type": kind, "status": ready} for kind in ("Initialized", "ContainersReady", "Ready")
            ]
            + [{"type": "PodScheduled", "status": "True"}],
            "containerStatuses": containers,
        }

    def _container(self, container: dict[str, Any]) -> dict[str, Any]:
        image = container["image"]
        common = {"name": container["name"], "image": image, "imageID": "", "restartCount": 0}
        if any(part in image for part in self.missing):
            waiting = {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{image}"'}
            return common | {"ready": False, "started": False, "state": {"waiting": waiting}}
        return common | {"ready": True, "started": True, "state": {"running": {"startedAt": _now()}}}

    async def _tend_claims(self) -> None:
        for claim in (await self._cluster.list(PERSISTENT_VOLUME_CLAIMS)).items:
            ours = claim["spec"].get("storageClassName") == STORAGE_CLASS
            if ours and claim.get("status", {}).get("phase") == "Pending":
                await self._cluster.apply(PERSISTENT_VOLUMES, _volume_for(claim), field_manager="tests")

    async def _delete_now(self, path: str) -> None:
        with suppress(NotFound):
            await self._cluster.request("DELETE", path, body={"gracePeriodSeconds": 0})


@asynccontextmanager
async def pretend_node(cluster: Cluster) -> AsyncIterator[PretendNode]:
    """Such a node in `cluster`, which has none, and gone at the end."""
    node = PretendNode(cluster)
    await node.register()
    running = asyncio.create_task(node.run())
    try:
        yield node
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await node.deregister()


def _volume_for(claim: Object) -> Object:
    meta, spec = claim["metadata"], claim["spec"]
    return {
        "metadata": {"name": f"pretend-{meta['uid']}"},
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "storageClassName": STORAGE_CLASS,
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {"name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]},
            "hostPath": {"path": "/nowhere"},
        },
    }


def _says(pod: Object, status: dict[str, Any]) -> bool:
    """Whether the pod is reported as it should be; times and addresses aside."""
    reported = {one["name"]: one for one in pod.get("status", {}).get("containerStatuses") or []}
    return all(
        one["ready"] == reported.get(one["name"], {}).get("ready")
        and one["state"].keys() == reported[one["name"]]["state"].keys()
        and one["image"] == reported[one["name"]]["image"]
        for one in status["containerStatuses"]
    )


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
