"""What a Workspace's status says: the condition Ready, with a reason where it is not.  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ks_controller_manager import conditions
from ks_controller_manager.names import WORKSPACE_FINALIZER
from kubekit.resource import Object

_NAMED = 20
"""Namespaces that a message names."""


def ready(workspace: Object, now: str) -> dict[str, Any]:
    """The status patch once the workspace's roles and bindings are as they should be.

    Empty when it says so already.

    `now` is an RFC 3339 time.
    """
    return conditions.ready(workspace, True, "Reconciled", "Roles and role bindings are in place.", now)


def failed(workspace: Object, reason: str, message: str, now: str) -> dict[str, Any]:
    """The status patch when the cluster refused something."""
    return conditions.ready(workspace, False, reason or "Failed", message, now)


def keeps_namespaces(workspace: Object) -> bool:
    """Whether whoever deletes the workspace wants its namespaces to stay.

    https://kubernetes.io/docs/concepts/architecture/garbage-collection/#orphaned-dependents
    """
    return "orphan" in (workspace["metadata"].get("finalizers") or [])


def ending(workspace: Object, namespaces: Sequence[Object], now: str) -> dict[str, Any]:
    """The status patch of a workspace that is being deleted and that others still hold.

    Empty when nobody does. `namespaces` are those that are still in it.
    """
    others = [name for name in workspace["metadata"].get("finalizers") or [] if name != WORKSPACE_FINALIZER]
    if not others:
        return {}
    message = f"Waiting for the finalizers {', '.join(others)}."
    if namespaces and "foregroundDeletion" in others:
        message = f"{message} Namespaces that are still there: {_names(namespaces)}."
    return conditions.ready(workspace, False, "Deleting", message, now)


def waiting(workspace: Object, namespaces: Sequence[Object], now: str) -> dict[str, Any]:
    """The status patch of a workspace that would take namespaces along which must stay."""
    message = f"Waiting until the workspace owns these namespaces no more: {_names(namespaces)}."
    return conditions.ready(workspace, False, "Deleting", message, now)


def message(patch: dict[str, Any]) -> str:
    """What a status patch of this module says to people."""
    return patch["status"]["conditions"][-1]["message"]


def _names(namespaces: Sequence[Object]) -> str:
    names = sorted(namespace["metadata"]["name"] for namespace in namespaces)
    return ", ".join([*names[:_NAMED], *(["..."] if len(names) > _NAMED else [])])
