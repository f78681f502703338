"""What a Namespace's status says of its place in a workspace: a condition of the platform's own.  Pure.

Conditions of a Namespace have no observedGeneration, as it has no generation; types that are not
Kubernetes' own carry a prefix.
"""

from __future__ import annotations

from typing import Any

from kubekit.resource import Object

READY = "kubesphere.io/Ready"


def ready(namespace: Object, holds: bool, reason: str, message: str, now: str) -> dict[str, Any]:
    """The status patch that says whether the namespace is as it should be; empty when it says so already.

    `reason` is one CamelCase word, `message` for people, `now` an RFC 3339 time.
    """
    status, present = "True" if holds else "False", _present(namespace)
    since = present.get("lastTransitionTime", now) if present.get("status") == status else now
    wanted = {
        "type": READY,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": since,
    }
    return {} if wanted == present else _patch(namespace, [*_others(namespace), wanted])


def silent(namespace: Object) -> dict[str, Any]:
    """The status patch for a namespace in no workspace; empty when nothing of the platform is there."""
    return _patch(namespace, _others(namespace)) if _present(namespace) else {}


def _conditions(namespace: Object) -> list[dict[str, Any]]:
    return (namespace.get("status") or {}).get("conditions") or []


def _present(namespace: Object) -> dict[str, Any]:
    return next((one for one in _conditions(namespace) if one["type"] == READY), {})


def _others(namespace: Object) -> list[dict[str, Any]]:
    return [one for one in _conditions(namespace) if one["type"] != READY]


def _patch(namespace: Object, conditions: list[dict[str, Any]]) -> dict[str, Any]:
    # The whole list is written, so the patch carries the version that it was computed from.
    version = namespace["metadata"]["resourceVersion"]
    return {"metadata": {"resourceVersion": version}, "status": {"conditions": conditions or None}}
