"""What a Workspace's status says: the condition Ready, with a reason where it is not.  Pure."""

from __future__ import annotations

from typing import Any

from ks_controller_manager.names import WORKSPACE_FINALIZER
from kubekit.resource import Object


def ready(workspace: Object, now: str) -> dict[str, Any]:
    """The status patch once the workspace's roles and bindings are as they should be.

    Empty when it says so already.

    `now` is an RFC 3339 time.
    """
    return _changed(workspace, "True", "Reconciled", "Roles and role bindings are in place.", now)


def failed(workspace: Object, reason: str, message: str, now: str) -> dict[str, Any]:
    """The status patch when the cluster refused something."""
    return _changed(workspace, "False", reason or "Failed", message, now)


def ending(workspace: Object, now: str) -> dict[str, Any]:
    """The status patch of a workspace that is being deleted and that others still hold.

    Empty when nobody does.
    """
    others = [name for name in workspace["metadata"].get("finalizers") or [] if name != WORKSPACE_FINALIZER]
    if not others:
        return {}
    return _changed(workspace, "False", "Deleting", f"Waiting for the finalizers {', '.join(others)}.", now)


def _changed(workspace: Object, status: str, reason: str, message: str, now: str) -> dict[str, Any]:
    conditions: list[dict[str, Any]] = (workspace.get("status") or {}).get("conditions") or []
    present = next((condition for condition in conditions if condition["type"] == "Ready"), {})
    wanted = {
        "type": "Ready",
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": workspace["metadata"].get("generation", 0),
        "lastTransitionTime": present.get("lastTransitionTime", now)
        if present.get("status") == status
        else now,
    }
    if wanted == present:
        return {}
    others = [condition for condition in conditions if condition["type"] != "Ready"]
    return {"status": {"observedGeneration": wanted["observedGeneration"], "conditions": [*others, wanted]}}
