"""Whether a component of an Application is ready, and all that is kept of it.  Pure.

What counts as ready for each kind is that of the controller of kubernetes-sigs/application that v2.1.1 ran,
but that an object without figures has none ready, and that what its controller has not seen yet is not
ready: see application-readiness in docs/compatibility/controller-manager.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ks_controller_manager.application.kinds import Kind
from kubekit.resource import Object

READY = "Ready"
IN_PROGRESS = "InProgress"

STATE = "componentState"
"""Where a summary says READY or IN_PROGRESS."""

_KEPT = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp", "labels", "deletionTimestamp")

Status = dict[str, Any]


def summary(obj: Object) -> Object:
    """What is kept of a component while it rests: who it is, whose it is, and whether it is ready."""
    metadata = obj["metadata"]
    kept = {name: metadata[name] for name in (*_KEPT, "ownerReferences") if metadata.get(name)}
    return {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": kept, STATE: state(obj)}


def state(obj: Object) -> str:
    """READY or IN_PROGRESS. Whatever a custom resource holds in its status, this does not fail."""
    kind = Kind(str(obj["apiVersion"]).rpartition("/")[0], obj["kind"])
    status = obj.get("status")
    status = status if isinstance(status, dict) else {}
    spec = obj.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    if kind.group == "apps" and _unseen(obj["metadata"], status):
        return IN_PROGRESS
    return READY if _RULES.get(kind, _by_conditions)(spec, status) else IN_PROGRESS


def _unseen(metadata: dict[str, Any], status: Status) -> bool:
    return _count(status, "observedGeneration") < metadata.get("generation", 0)


def _by_conditions(_spec: Status, status: Status) -> bool:
    found = _conditions(status)
    return found.get("Ready", ("", ""))[0] != "False" and found.get("InProgress", ("", ""))[0] != "True"


def _stateful_set(spec: Status, status: Status) -> bool:
    wanted = _wanted(spec)
    return _count(status, "readyReplicas") == wanted == _count(status, "currentReplicas")


def _deployment(_spec: Status, status: Status) -> bool:
    found = _conditions(status)
    progressing = found.get("Progressing")
    settled = progressing is None or progressing == ("True", "NewReplicaSetAvailable")
    return settled and found.get("Available", ("", ""))[0] != "False"


def _replica_set(spec: Status, status: Status) -> bool:
    if _conditions(status).get("ReplicaFailure", ("", ""))[0] == "True":
        return False
    return _count(status, "readyReplicas") == _wanted(spec) == _count(status, "availableReplicas")


def _daemon_set(_spec: Status, status: Status) -> bool:
    desired = _count(status, "desiredNumberScheduled")
    return _count(status, "numberAvailable") == desired == _count(status, "numberReady")


def _claim(_spec: Status, status: Status) -> bool:
    return status.get("phase") == "Bound"


def _always(_spec: Status, _status: Status) -> bool:
    return True


def _pod(_spec: Status, status: Status) -> bool:
    return _conditions(status).get("Ready", ("", ""))[0] == "True"


def _disruption_budget(_spec: Status, status: Status) -> bool:
    return _count(status, "currentHealthy") >= _count(status, "desiredHealthy")


_RULES: dict[Kind, Callable[[Status, Status], bool]] = {
    Kind("apps", "StatefulSet"): _stateful_set,
    Kind("apps", "Deployment"): _deployment,
    Kind("apps", "ReplicaSet"): _replica_set,
    Kind("apps", "DaemonSet"): _daemon_set,
    Kind("", "PersistentVolumeClaim"): _claim,
    Kind("", "Service"): _always,
    Kind("", "Pod"): _pod,
    Kind("policy", "PodDisruptionBudget"): _disruption_budget,
}


def _conditions(status: Status) -> dict[str, tuple[Any, Any]]:
    """Status and reason of each condition, by its type."""
    listed = status.get("conditions")
    if not isinstance(listed, list):
        return {}
    return {
        str(one["type"]): (one.get("status"), one.get("reason"))
        for one in listed
        if isinstance(one, dict) and "type" in one
    }


def _wanted(spec: Status) -> int:
    replicas = spec.get("replicas")
    return replicas if isinstance(replicas, int) else 1


def _count(status: Status, name: str) -> int:
    value = status.get(name)
    return value if isinstance(value, int) else 0
