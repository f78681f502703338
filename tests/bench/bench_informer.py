"""Memory of a cache of pods, beside the same pods as decoded dictionaries.

Each way runs in a process of its own, so that what one leaves behind does not count for the other.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.kubernetes import KubernetesServer
from harness.tables import print_table
from kubekit.cluster import Cluster, ClusterConfig
from kubekit.resource import NAMESPACES, PODS, Object

PODS_MADE = 2_000
NAMESPACE = "bench-informer"

MEASURE = """
import asyncio, gc, psutil, sys
from kubekit.cluster import Cluster, ClusterConfig
from kubekit.resource import PODS

def resident():
    gc.collect()
    return psutil.Process().memory_info().rss

async def informer(cluster):
    cache = cluster.cache(PODS)
    await cache.synced(60)
    return cache

async def dictionaries(cluster):
    return (await cluster.list(PODS)).items

async def main():
    cluster = Cluster(ClusterConfig(kubeconfig=sys.argv[1]))
    await cluster.open()
    await cluster.list(PODS, limit=1)
    before = resident()
    held = await globals()[sys.argv[2]](cluster)
    print(len(held), resident() - before)
    await cluster.close()

asyncio.run(main())
"""


def pod(number: int) -> Object:
    """A pod of ordinary size: two containers, probes, volumes, labels, about 3 KB when trimmed."""
    name = f"web-7d4b9c6f58-{number:05d}"
    container = {
        "image": "registry.example.org/team/web:1.27.3",
        "env": [{"name": f"SETTING_{i}", "value": f"value-{i}"} for i in range(12)],
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"cpu": "1", "memory": "512Mi"},
        },
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 10},
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8080}, "periodSeconds": 5},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "config", "mountPath": "/etc/web"}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "labels": {"app": "web", "tier": "front", "version": "v1", "pod-template-hash": "7d4b9c6f58"},
            "annotations": {"prometheus.io/scrape": "true", "kubesphere.io/creator": "admin"},
        },
        "spec": {
            "serviceAccountName": "default",
            "automountServiceAccountToken": False,
            "containers": [{"name": "web", **container}, {"name": "sidecar", **container}],
            "volumes": [
                {"name": "data", "emptyDir": {}},
                {"name": "config", "configMap": {"name": "web"}},
            ],
        },
    }


@pytest.fixture
async def pods(kubernetes: KubernetesServer) -> AsyncIterator[Path]:
    """The pods, made once; gives the kubeconfig of their cluster."""
    cluster = Cluster(ClusterConfig(kubeconfig=str(kubernetes.kubeconfig), qps=0))
    await cluster.open()
    await cluster.create(NAMESPACES, {"metadata": {"name": NAMESPACE}})
    places = asyncio.Semaphore(32)

    async def make(number: int) -> None:
        async with places:
            await cluster.create(PODS, pod(number), NAMESPACE)

    await asyncio.gather(*(make(number) for number in range(PODS_MADE)))
    yield kubernetes.kubeconfig
    await cluster.delete(NAMESPACES, NAMESPACE)
    await cluster.close()


def measure(kubeconfig: Path, way: str) -> float:
    """MiB of resident memory for each 1,000 pods held in that `way`."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(kubeconfig), way], capture_output=True, text=True, check=True
    )
    count, grown = map(int, done.stdout.split())
    return grown / 2**20 / count * 1000


@pytest.mark.timeout(600)
def test_memory_of_a_thousand_pods(pods: Path) -> None:
    dictionaries = measure(pods, "dictionaries")
    informer = measure(pods, "informer")
    print_table(
        f"resident memory for {PODS_MADE} pods",
        ("held as", "MiB per 1,000 pods", "against dictionaries"),
        [
            ("decoded dictionaries", f"{dictionaries:.1f}", "1.00"),
            ("kubekit cache", f"{informer:.1f}", f"{informer / dictionaries:.2f}"),
        ],
    )
