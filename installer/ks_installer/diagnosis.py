"""Why a workload is not ready: what its pods say is nearer to the cause than its own conditions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kubekit.cluster import Cluster
from kubekit.resource import PODS, Object

_WORKLOADS = {"Deployment", "StatefulSet", "DaemonSet", "Job"}


async def reason_of_pods(cluster: Cluster, workload: Object) -> str | None:
    """What keeps the pods of `workload` from running, in words; None where no pod says anything."""
    if workload["kind"] not in _WORKLOADS:
        return None
    labels: dict[str, str] = (workload["spec"].get("selector") or {}).get("matchLabels") or {}
    if not labels:
        return None
    selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    pods = await cluster.list(PODS, workload["metadata"]["namespace"], label_selector=selector)
    return next((reason for pod in pods.items if (reason := trouble_of_pod(pod))), None)


def trouble_of_pod(pod: Object) -> str | None:
    """What is wrong with a pod: it cannot be scheduled, an image does not come, a container dies."""
    name, status = pod["metadata"]["name"], pod.get("status", {})
    for condition in status.get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"pod {name} cannot be scheduled: {condition.get('message', condition.get('reason'))}"
    for container in _containers(status):
        waiting = container.get("state", {}).get("waiting")
        if waiting and waiting.get("reason") not in {"ContainerCreating", "PodInitializing"}:
            return f"pod {name}, container {container['name']}: {_words(waiting)}{_last_exit(container)}"
        ended = container.get("state", {}).get("terminated")
        if ended and ended.get("exitCode"):
            return (
                f"pod {name}, container {container['name']} ended with {ended['exitCode']}: {_words(ended)}"
            )
    return None


def _containers(status: dict[str, Any]) -> Iterable[dict[str, Any]]:
    yield from status.get("initContainerStatuses") or []
    yield from status.get("containerStatuses") or []


def _last_exit(container: dict[str, Any]) -> str:
    ended = container.get("lastState", {}).get("terminated")
    return f" (last exit code {ended['exitCode']})" if ended else ""


def _words(state: dict[str, Any]) -> str:
    return ": ".join(str(state[key]) for key in ("reason", "message") if state.get(key))
