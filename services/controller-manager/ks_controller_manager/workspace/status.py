"""What a Workspace's status says: the condition Ready, with a reason where it is not.  Pure."""

from __future__ import annotations

from typing import Any

from ks_controller_manager import conditions
from ks_controller_manager.names import WORKSPACE_FINALIZER
from kubekit.resource import Object


def ready(workspace: Object, now: str) -> dict[str, Any]:
    """The status patch once the workspace's roles and bindings are as they should be.

    Empty when it says so already.

    `now` is an RFC 3339 time.
    """
    return conditions.ready(workspace, True, "Reconciled", "Roles and role bindings are in place.", now)


def failed(workspace: Object, reason: str, message: str, now: str) -> dict[str, Any]:
    """The status patch when the cluster refused something."""
    return conditions.ready(workspace, False, reason or "Failed", message, now)


def ending(workspace: Object, now: str) -> dict[str, Any]:
    """The status patch of a workspace that is being deleted and that others still hold.

    Empty when nobody does.
    """
    others = [name for name in workspace["metadata"].get("finalizers") or [] if name != WORKSPACE_FINALIZER]
    if not others:
        return {}
    return conditions.ready(
        workspace, False, "Deleting", f"Waiting for the finalizers {', '.join(others)}.", now
    )
