"""Nodes without a machine: kwok plays their kubelets (https://kwok.sigs.k8s.io), all else is Kubernetes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from harness.go_programs import Program, built
from harness.processes import Process
from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.resource import NODES

KWOK = Program("sigs.k8s.io/kwok", "cmd/kwok", "v0.8.0")
STAGES = Path(__file__).with_name("scripts") / "kwok-stages.yaml"
PLAYED = "kwok.x-k8s.io/node"
"""Annotation and taint of the nodes: pods that do not tolerate it go elsewhere."""
TOLERATIONS = [{"key": PLAYED, "operator": "Exists"}]
HOST = "kubernetes.io/hostname"
_AT_ONCE = 32


def node(name: str, **labels: str) -> dict[str, Any]:
    """A node for 110 pods, which kwok makes ready."""
    room = {"cpu": "32", "memory": "256Gi", "pods": "110"}
    metadata = {"name": name, "labels": {HOST: name, **labels}, "annotations": {PLAYED: "fake"}}
    taint = {"key": PLAYED, "value": "fake", "effect": "NoSchedule"}
    return {
        "metadata": metadata,
        "spec": {"taints": [taint]},
        "status": {"capacity": room, "allocatable": room},
    }


@asynccontextmanager
async def playing(kubeconfig: Path, directory: Path) -> AsyncIterator[None]:
    """kwok at work on a cluster, with its log in `directory`. The first time it is built, for minutes."""
    program = await asyncio.to_thread(built, KWOK)
    command = [str(program), "--kubeconfig", str(kubeconfig), "--config", str(STAGES), "--v=WARN"]
    command.append(f"--manage-nodes-with-annotation-selector={PLAYED}=fake")
    process = Process(command, directory / "kwok.log", directory, environment={"HOME": str(directory)})
    process.launch()
    try:
        yield
    finally:
        await process.stop()


async def create_nodes(cluster: Cluster, nodes: Sequence[dict[str, Any]]) -> None:
    """Creates nodes; returns once all are ready."""
    limit = asyncio.Semaphore(_AT_ONCE)
    names = {each["metadata"]["name"] for each in nodes}

    async def create(body: dict[str, Any]) -> None:
        async with limit:
            await cluster.create(NODES, body)

    async def all_are_ready() -> None:
        found = await cluster.list(NODES)
        ready = {each["metadata"]["name"] for each in found.items if _is_ready(each)}
        assert names <= ready, f"{len(names - ready)} of {len(names)} nodes are not ready"

    await asyncio.gather(*(create(body) for body in nodes))
    await eventually(all_are_ready, timeout=120)


def _is_ready(item: dict[str, Any]) -> bool:
    conditions = item.get("status", {}).get("conditions", ())
    return any((each["type"], each["status"]) == ("Ready", "True") for each in conditions)
