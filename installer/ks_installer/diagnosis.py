"""Why something is not ready: what its pods and its events say is nearer to the cause than its conditions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kubekit.cluster import Cluster
from kubekit.errors import KubernetesError
from kubekit.resource import EVENTS, PERSISTENT_VOLUME_CLAIMS, PODS, Object

_WORKLOADS = {"Deployment", "StatefulSet", "DaemonSet", "Job"}
_ANY = ""
"""Of events: Kubernetes tells as "Normal" that a claim has no storage class."""
_STARTING = {"ContainerCreating", "PodInitializing"}


async def reason_of_workload(cluster: Cluster, obj: Object) -> str | None:
    """What keeps `obj` from becoming ready, in words: of its pods, else of its own events.

    None where neither says anything; that the reason cannot be asked for is no reason.
    """
    try:
        if obj["kind"] == PERSISTENT_VOLUME_CLAIMS.kind:
            return await _last_event(cluster, obj, _ANY)
        return await _of_pods(cluster, obj) or await warning_about(cluster, obj)
    except KubernetesError:
        return None


async def _of_pods(cluster: Cluster, workload: Object) -> str | None:
    if workload["kind"] not in _WORKLOADS:
        return None
    labels: dict[str, str] = (workload["spec"].get("selector") or {}).get("matchLabels") or {}
    if not labels:
        return None
    selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    pods = (await cluster.list(PODS, workload["metadata"]["namespace"], label_selector=selector)).items
    for pod in pods:
        if reason := trouble_of_pod(pod):
            return "; ".join([reason, *await _about_unbound_claims(cluster, pod)])
    for pod in pods:
        if not _is_ready(pod) and (warning := await warning_about(cluster, pod)):
            return f"pod {pod['metadata']['name']}: {warning}"
    return None


async def _about_unbound_claims(cluster: Cluster, pod: Object) -> list[str]:
    """What is told of each claim of a pod that no node takes; of no use where it has no volumes that wait."""
    told: list[str] = []
    if _is_scheduled(pod):
        return told
    for volume in pod["spec"].get("volumes") or []:
        name = volume.get("persistentVolumeClaim", {}).get("claimName")
        claim = (
            await cluster.get(PERSISTENT_VOLUME_CLAIMS, name, pod["metadata"]["namespace"]) if name else None
        )
        if claim and claim.get("status", {}).get("phase") != "Bound":
            reason = await _last_event(cluster, claim, _ANY)
            told.append(f"its claim {name}: {reason or 'is not bound'}")
    return told


async def warning_about(cluster: Cluster, obj: Object) -> str | None:
    """The last warning among the events of a live object, as `reason: message`."""
    return await _last_event(cluster, obj, "type=Warning")


async def _last_event(cluster: Cluster, obj: Object, kind: str) -> str | None:
    selector = ",".join(filter(None, (f"involvedObject.uid={obj['metadata']['uid']}", kind)))
    namespace = obj["metadata"].get("namespace") or "default"
    found = (await cluster.list(EVENTS, namespace, field_selector=selector)).items
    if not found:
        return None
    last = max(found, key=_time_of)
    return f"{last.get('reason')}: {' '.join(str(last.get('message', '')).split())}"


def trouble_of_pod(pod: Object) -> str | None:
    """What is wrong with a pod: it cannot be scheduled, an image does not come, a container dies."""
    name, status = pod["metadata"]["name"], pod.get("status", {})
    for condition in status.get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"pod {name} cannot be scheduled: {condition.get('message', condition.get('reason'))}"
    for container in _containers(status):
        waiting = container.get("state", {}).get("waiting")
        if waiting and waiting.get("reason") not in _STARTING:
            return f"pod {name}, container {container['name']}: {_words(waiting)}{_last_exit(container)}"
        ended = container.get("state", {}).get("terminated")
        if ended and ended.get("exitCode"):
            return (
                f"pod {name}, container {container['name']} ended with {ended['exitCode']}: {_words(ended)}"
            )
    return None


def _is_scheduled(pod: Object) -> bool:
    return bool(pod["spec"].get("nodeName"))


def _is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _containers(status: dict[str, Any]) -> Iterable[dict[str, Any]]:
    yield from status.get("initContainerStatuses") or []
    yield from status.get("containerStatuses") or []


def _last_exit(container: dict[str, Any]) -> str:
    ended = container.get("lastState", {}).get("terminated")
    return f" (last exit code {ended['exitCode']})" if ended else ""


def _time_of(event: Object) -> str:
    return event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"]


def _words(state: dict[str, Any]) -> str:
    return ": ".join(str(state[key]) for key in ("reason", "message") if state.get(key))
