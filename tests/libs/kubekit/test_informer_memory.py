"""Five thousand pods fit in a fraction of what a Go informer takes (about 16 MB a thousand)."""

import asyncio
import subprocess
import sys
from typing import Any

from harness.fake_api_server import FakeApiServer
from kubekit.cluster import Cluster

PODS_HELD = 5_000
MOST_MIB_PER_THOUSAND = 8

MEASURE = """
import asyncio, gc, sys, psutil
from kubekit.cluster import Cluster, ClusterConfig
from kubekit.resource import PODS

def resident():
    gc.collect()
    return psutil.Process().memory_info().rss

async def main():
    async with Cluster(ClusterConfig(kubeconfig=sys.argv[1])) as cluster:
        await cluster.list(PODS, limit=1)
        before = resident()
        cache = cluster.cache(PODS, index={"node": lambda pod: pod["spec"]["nodeName"]})
        await cache.synced(60)
        print(len(cache), resident() - before)

asyncio.run(main())
"""


def realistic_pod(number: int) -> dict[str, Any]:
    """Two containers with probes and mounts, a status, and the managedFields that go with them."""
    container = {
        "image": "registry.example.org/team/web:1.27.3",
        "imagePullPolicy": "IfNotPresent",
        "env": [{"name": f"SETTING_{n}", "value": f"value-{n}"} for n in range(12)],
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"cpu": "1", "memory": "512Mi"},
        },
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 10},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "config", "mountPath": "/etc/web"}],
    }
    fields = {f"f:{field}": {".": {}} for field in container}
    managed = {"f:spec": {"f:containers": {'k:{"name":"web"}': fields, 'k:{"name":"sidecar"}': fields}}}
    return {
        "metadata": {
            "name": f"web-7d4b9c6f58-{number:05d}",
            "namespace": f"team-{number % 100}",
            "uid": f"{number:08d}-1111-2222-3333-{number:012d}",
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"app": "web", "pod-template-hash": "7d4b9c6f58"},
            "managedFields": [{"manager": "kubelet", "fieldsType": "FieldsV1", "fieldsV1": managed}] * 3,
        },
        "spec": {
            "nodeName": f"node-{number % 50}",
            "containers": [{"name": "web", **container}, {"name": "sidecar", **container}],
        },
        "status": {
            "phase": "Running",
            "conditions": [
                {"type": name, "status": "True"} for name in ("Initialized", "Ready", "PodScheduled")
            ],
            "containerStatuses": [
                {"name": name, "imageID": "sha256:" + "a" * 64} for name in ("web", "sidecar")
            ],
        },
    }


async def test_five_thousand_pods_stay_small(fake: FakeApiServer, fake_cluster: Cluster) -> None:
    for number in range(PODS_HELD):
        fake.put(realistic_pod(number))
    count, grown = await measure(fake_cluster)
    assert count == PODS_HELD
    mib = grown / 2**20 / count * 1000
    print(f"{mib:.1f} MiB for each 1,000 pods")
    assert mib < MOST_MIB_PER_THOUSAND


async def measure(cluster: Cluster) -> tuple[int, int]:
    """Pods held and bytes taken, in a process of their own, so that the tests' own memory does not count."""
    command = [sys.executable, "-c", MEASURE, str(cluster.config.kubeconfig)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    output, _ = await process.communicate()
    count, grown = map(int, output.split())
    return count, grown
