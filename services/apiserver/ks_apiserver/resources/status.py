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
