"""The status that v2.1.1 computes of objects, for `conditions=status=...`: pure functions of an object."""

from typing import Any

from kubekit.resource import Object

RUNNING = "running"
STOPPED = "stopped"
UPDATING = "updating"
PAUSED = "paused"
COMPLETE = "complete"
FAILED = "failed"
WARNING = "warning"
UNSCHEDULABLE = "unschedulable"
PENDING = "pending"
LOST = "lost"

TRUE = "true"

_STARTING = frozenset(("ContainerCreating", "PodInitializing"))
"""What containers wait for that are on their way."""
_PHASES = frozenset(("Pending", "Bound", "Lost"))
_HEALTHY = {
    "MemoryPressure": "False",
    "DiskPressure": "False",
    "PIDPressure": "False",
    "NetworkUnavailable": "False",
    "ConfigOK": "True",
    "KubeletReady": "True",
    "Ready": "True",
}
"""What each condition of a healthy node says; others do not count."""


def of_replicated(item: Object) -> str:
    """Of a Deployment or StatefulSet: by how many of its replicas are ready."""
    wanted = _part(item, "spec").get("replicas")
    ready = _part(item, "status").get("readyReplicas") or 0
    if wanted is None or ready == wanted == 0:
        return STOPPED
    return RUNNING if ready == wanted else UPDATING


def of_daemon_set(item: Object) -> str:
    """Of a DaemonSet: by how many of its nodes run it."""
    status = _part(item, "status")
    available = status.get("numberAvailable") or 0
    if available == 0:
        return STOPPED
    return RUNNING if status.get("desiredNumberScheduled") == available else UPDATING


def of_job(item: Object) -> str:
    """Of a Job; one that has not begun counts as failed, as in v2.1.1."""
    status = _part(item, "status")
    if status.get("active"):
        return RUNNING
    if status.get("failed"):
        return FAILED
    return COMPLETE if status.get("succeeded") else FAILED


def of_cron_job(item: Object) -> str:
    """Of a CronJob."""
    return PAUSED if _part(item, "spec").get("suspend") else RUNNING


def of_claim(item: Object) -> str:
    """Of a PersistentVolumeClaim; pending while its phase is not known."""
    phase = _part(item, "status").get("phase")
    return phase.lower() if phase in _PHASES else PENDING


def abnormal_pod(item: Object) -> str | None:
    """`true` for a Pod that somebody has to look at, None for any other.

    It has failed, no node takes it, a container waits for something else than its start or has ended with an
    error, or it runs and is not ready. One that ends is left alone.
    """
    said = _part(item, "status")
    phase = said.get("phase")
    if item["metadata"].get("deletionTimestamp") or phase == "Succeeded":
        return None
    containers = said.get("containerStatuses") or []
    if phase == "Failed" or any(map(_is_stuck, [*(said.get("initContainerStatuses") or []), *containers])):
        return TRUE
    if phase == "Pending":
        return TRUE if any(map(_is_refused, said.get("conditions") or ())) else None
    return TRUE if phase == "Running" and not all(each.get("ready") for each in containers) else None


def _is_stuck(container: Object) -> bool:
    state = _part(container, "state")
    waits = _part(state, "waiting").get("reason")
    return bool(waits and waits not in _STARTING) or bool(_part(state, "terminated").get("exitCode"))


def _is_refused(condition: Object) -> bool:
    return (condition["type"], condition["status"]) == ("PodScheduled", "False")


def of_node(item: Object) -> str:
    """Of a Node: whether it takes pods, and whether its conditions are those of a healthy one."""
    if _part(item, "spec").get("unschedulable"):
        return UNSCHEDULABLE
    for condition in _part(item, "status").get("conditions") or ():
        if condition["status"] != _HEALTHY.get(condition["type"], condition["status"]):
            return WARNING
    return RUNNING


def of_s2i_run(item: Object) -> str:
    """Of an S2iRun: the state that its controller reports."""
    return _part(item, "status").get("runState") or ""


def _part(item: Object, name: str) -> dict[str, Any]:
    return item.get(name) or {}
