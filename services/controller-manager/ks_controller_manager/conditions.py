"""Conditions in the status of the platform's objects: Ready, with a reason where they are not.  Pure.

The fields are those of metav1.Condition:
https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from kubekit.resource import Object


def ready(
    obj: Object, holds: bool, reason: str, message: str, now: str, *, has_subresource: bool = True
) -> dict[str, Any]:
    """The status patch that says whether `obj` is as it asks to be; empty when it says so already.

    `reason` is one CamelCase word, `message` for people, `now` an RFC 3339 time. Where the kind's status is
    no subresource, writing it raises the generation too: no observedGeneration could ever be equal to it.
    """
    status = "True" if holds else "False"
    conditions: list[dict[str, Any]] = (obj.get("status") or {}).get("conditions") or []
    present = next((condition for condition in conditions if condition["type"] == "Ready"), {})
    observed = {"observedGeneration": obj["metadata"].get("generation", 0)} if has_subresource else {}
    wanted = {
        "type": "Ready",
        "status": status,
        "reason": reason,
        "message": message,
        **observed,
        "lastTransitionTime": present.get("lastTransitionTime", now)
        if present.get("status") == status
        else now,
    }
    if wanted == present:
        return {}
    others = [condition for condition in conditions if condition["type"] != "Ready"]
    return {"status": {**observed, "conditions": [*others, wanted]}}


def timestamp() -> str:
    """The present time as RFC 3339 writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
