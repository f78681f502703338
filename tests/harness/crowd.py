"""A crowded cluster: thousands of namespaces and workloads, made through the API server."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any

from kubekit.cluster import Cluster
from kubekit.errors import AlreadyExists, NotFound
from kubekit.resource import DEPLOYMENTS, NAMESPACES, Object

AT_ONCE = 48
"""Requests at a time."""
SHARES = 3
"""Deployments that most namespaces hold."""


def namespace_name(number: int) -> str:
    """Of the namespace of that number."""
    return f"crowd-{number:05d}"


def deployment(number: int) -> Object:
    """A paused Deployment of ordinary size, so that no controller makes anything of it."""
    name = f"web-{number % 97:02d}-{number:06d}"
    labels = {"app": name, "tier": "front", "version": f"v{number % 5}"}
    container: dict[str, Any] = {
        "name": "web",
        "image": "registry.example.org/team/web:1.27.3",
        "env": [{"name": f"SETTING_{each}", "value": f"value-{each}"} for each in range(6)],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "1"}},
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8080}, "periodSeconds": 5},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": namespace_name(number // SHARES),
            "labels": labels,
            "annotations": {
                "kubesphere.io/creator": "admin",
                "kubesphere.io/description": "made for a crowd",
            },
        },
        "spec": {
            "replicas": number % 3,
            "paused": True,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def pod(number: int) -> Object:
    """A running pod of ordinary size: two containers, probes, volumes, labels, about 3 KB."""
    name = f"web-{number % 97:02d}-7d4b9c6f58-{number:05d}"
    labels = {"app": "web", "tier": "front", "version": f"v{number % 500}", "pod-template-hash": "7d4b9c6f58"}
    began = f"2026-01-{1 + number % 28:02d}T{number % 24:02d}:{number % 60:02d}:{number % 59:02d}Z"
    container: dict[str, Any] = {
        "image": "registry.example.org/team/web:1.27.3",
        "env": [{"name": f"SETTING_{each}", "value": f"value-{each}"} for each in range(12)],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "1"}},
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 10},
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8080}, "periodSeconds": 5},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    ready = [{"type": "Ready", "status": "True", "lastTransitionTime": began}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace_name(number % 2_000),
            "creationTimestamp": began,
            "labels": labels,
            "annotations": {"kubesphere.io/creator": "admin"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "web-7d4b9c6f58", "uid": "of-the-set"}],
        },
        "spec": {
            "nodeName": f"node-{number % 500}",
            "containers": [{"name": "web", **container}, {"name": "sidecar", **container}],
            "volumes": [{"name": "data", "emptyDir": {}}],
        },
        "status": {"phase": "Running", "startTime": began, "conditions": ready},
    }


async def fill(cluster: Cluster, namespaces: int, deployments: int) -> None:
    """Makes so many of each; what is there already stays."""
    names = [namespace_name(number) for number in range(namespaces)]
    await _all(cluster.create(NAMESPACES, {"metadata": {"name": name}}) for name in names)
    await _all(cluster.create(DEPLOYMENTS, deployment(number)) for number in range(deployments))


async def clear(cluster: Cluster, namespaces: int) -> None:
    """Has the namespaces deleted, and all that is in them; does not wait until they are gone."""
    await _all(cluster.delete(NAMESPACES, namespace_name(number)) for number in range(namespaces))


async def _all(calls: Iterable[Awaitable[object]]) -> None:
    """Awaits each call, a bounded number at a time; what is there or gone already is as it should be."""
    waiting = iter(calls)

    async def work() -> None:
        for call in waiting:
            try:
                await call
            except (AlreadyExists, NotFound):
                pass

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
