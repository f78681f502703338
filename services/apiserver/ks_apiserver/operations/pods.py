"""The pods of a node that a drain has to move, and why one of them is still there. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from kubekit.objects import annotations, being_deleted, controller_of, labels
from kubekit.resource import Object

_MIRROR = "kubernetes.io/config.mirror"
"""Annotation of what stands for a pod that the kubelet runs from a file."""
MAX_REASON = 300
"""Characters of a reason."""


def to_evict(pods: Iterable[Object]) -> list[Object]:
    """Those that move to another node: not those of daemon sets, nor those that the kubelet itself runs."""
    return [pod for pod in pods if _MIRROR not in annotations(pod) and not _of_daemon_set(pod)]


def _of_daemon_set(pod: Object) -> bool:
    owner = controller_of(pod)
    return owner is not None and owner["kind"] == "DaemonSet"


def why_still_there(pod: Object, budgets: Iterable[Object]) -> str:
    """What keeps the pod on its node; `budgets` are the PodDisruptionBudgets of its namespace."""
    if being_deleted(pod):
        held_by = pod["metadata"].get("finalizers") or ()
        held = f"; finalizers: {', '.join(held_by)}" if held_by else ""
        return f"it is ending, since {pod['metadata']['deletionTimestamp']}{held}"[:MAX_REASON]
    covering = [budget for budget in budgets if selects(budget["spec"].get("selector"), labels(pod))]
    if len(covering) > 1:
        names = ", ".join(budget["metadata"]["name"] for budget in covering)
        return f"more than one PodDisruptionBudget covers it, so it cannot be evicted: {names}"[:MAX_REASON]
    for budget in covering:
        status: dict[str, Any] = budget.get("status") or {}
        if not status.get("disruptionsAllowed"):
            return (
                f"PodDisruptionBudget {budget['metadata']['name']} allows no disruption now: "
                f"{status.get('currentHealthy', 0)} healthy, {status.get('desiredHealthy', 0)} needed"
            )[:MAX_REASON]
    return "it has not been evicted yet"


def selects(selector: Mapping[str, Any] | None, given: Mapping[str, str]) -> bool:
    """Whether a label selector, which may be empty and then selects all, selects these labels."""
    if selector is None:
        return False
    exact: Mapping[str, str] = selector.get("matchLabels") or {}
    rules = selector.get("matchExpressions") or ()
    return all(given.get(key) == value for key, value in exact.items()) and all(
        _holds(rule, given.get(rule["key"])) for rule in rules
    )


def _holds(rule: Mapping[str, Any], value: str | None) -> bool:
    match rule["operator"]:
        case "In":
            return value in rule["values"]
        case "NotIn":
            return value not in rule["values"]
        case "Exists":
            return value is not None
        case _:
            return value is None
