"""Is this object ready, and if not, why?  Pure: live objects in, a reason out.

The rules are those of `kubectl rollout status` and `kubectl wait` for the kinds that have any; every other
object is ready once it exists.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubekit.resource import Object


def waiting_for(obj: Object) -> str | None:
    """What `obj` still waits for, in words; None once it is ready."""
    if obj["metadata"].get("deletionTimestamp"):
        return _deletion(obj)
    rule = _RULES.get(obj["kind"])
    return rule(obj) if rule else None


def _deletion(obj: Object) -> str:
    finalizers = [*obj["metadata"].get("finalizers", []), *obj.get("spec", {}).get("finalizers", [])]
    return f"it is being deleted; finalizers left: {', '.join(finalizers) or 'none'}"


def _condition(kind: str) -> Callable[[Object], str | None]:
    def rule(obj: Object) -> str | None:
        found = _conditions(obj).get(kind)
        if found and found.get("status") == "True":
            return None
        return _because(found) or f"condition {kind} is not reported yet"

    return rule


def _custom_resource_definition(obj: Object) -> str | None:
    conditions = _conditions(obj)
    accepted = conditions.get("NamesAccepted")
    if accepted and accepted.get("status") == "False":
        return _because(accepted)
    return _condition("Established")(obj)


def _namespace(obj: Object) -> str | None:
    phase = obj.get("status", {}).get("phase")
    return None if phase == "Active" else f"its phase is {phase}"


def _deployment(obj: Object) -> str | None:
    status, wanted = obj.get("status", {}), obj["spec"].get("replicas", 1)
    if _unseen(obj):
        return "the change was not picked up yet"
    for kind in ("ReplicaFailure", "Progressing"):
        found = _conditions(obj).get(kind)
        if found and found.get("status") == ("True" if kind == "ReplicaFailure" else "False"):
            return _because(found)
    updated = status.get("updatedReplicas", 0)
    if updated >= wanted and status.get("replicas", 0) > updated:
        # They count as available, so that a new pod that does not start would look like a success.
        return f"{status['replicas'] - updated} replicas of before are still there"
    return _replicas(updated, status.get("availableReplicas", 0), wanted)


def _stateful_set(obj: Object) -> str | None:
    status, wanted = obj.get("status", {}), obj["spec"].get("replicas", 1)
    if _unseen(obj):
        return "the change was not picked up yet"
    return _replicas(status.get("updatedReplicas", 0), status.get("readyReplicas", 0), wanted)


def _daemon_set(obj: Object) -> str | None:
    status = obj.get("status", {})
    if _unseen(obj):
        return "the change was not picked up yet"
    wanted = status.get("desiredNumberScheduled", 0)
    return _replicas(status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0), wanted)


def _job(obj: Object) -> str | None:
    failed = _conditions(obj).get("Failed")
    if failed and failed.get("status") == "True":
        return _because(failed)
    return _condition("Complete")(obj)


def _claim(obj: Object) -> str | None:
    phase = obj.get("status", {}).get("phase", "Pending")
    return None if phase == "Bound" else f"its phase is {phase}"


def _replicas(updated: int, available: int, wanted: int) -> str | None:
    if updated >= wanted and available >= wanted:
        return None
    return f"{min(updated, available)} of {wanted} replicas are updated and available"


def _unseen(obj: Object) -> bool:
    return obj.get("status", {}).get("observedGeneration", 0) < obj["metadata"].get("generation", 0)


def _conditions(obj: Object) -> dict[str, dict[str, Any]]:
    return {condition["type"]: condition for condition in obj.get("status", {}).get("conditions") or []}


def _because(condition: dict[str, Any] | None) -> str | None:
    if not condition:
        return None
    parts = [condition.get("reason"), condition.get("message")]
    return (
        ": ".join(part for part in parts if part) or f"condition {condition['type']} is {condition['status']}"
    )


_RULES: dict[str, Callable[[Object], str | None]] = {
    "CustomResourceDefinition": _custom_resource_definition,
    "APIService": _condition("Available"),
    "Namespace": _namespace,
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Job": _job,
    "PersistentVolumeClaim": _claim,
}
