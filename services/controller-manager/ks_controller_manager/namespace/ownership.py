"""Which workspace a namespace belongs to, and what that writes into the namespace.  Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ks_controller_manager.names import NAMESPACE_FINALIZER, SYSTEM_WORKSPACE, WORKSPACE_LABEL
from kubekit.objects import being_deleted
from kubekit.resource import WORKSPACES, Object

OwnerReference = dict[str, Any]

WORKSPACE_WAIT = 5.0
"""Seconds from its creation that a namespace waits for its workspace before it gets its finalizer alone."""

WORKSPACE_INDEX = "workspace"
"""Index of namespaces by `workspace_of`."""

OWNER_INDEX = "owner-workspace"
"""Index of namespaces by `owner_of`."""


def workspace_of(namespace: Object) -> str | None:
    """The workspace that the namespace's label names."""
    return (namespace["metadata"].get("labels") or {}).get(WORKSPACE_LABEL) or None


def bound(namespace: Object, workspace: Object | None) -> dict[str, Any]:
    """The merge patch that makes `workspace` own the namespace, as v2.1.1 does; empty where it is so already.

    The namespace is deleted with its workspace then. Those of the system workspace are not owned: no slip
    there may delete what Kubernetes or the platform runs in. While the workspace is not there (yet), or on
    its way out, it becomes no owner, and one that is stays; another workspace never does.
    """
    name, owners = workspace_of(namespace), _owners(namespace)
    if name == SYSTEM_WORKSPACE:
        owners = _owned_by(owners, None)
    elif workspace is not None and not being_deleted(workspace):
        owners = _owned_by(owners, workspace)
    elif owner_of(namespace) != name:
        owners = _owned_by(owners, None)
    return _difference(namespace, _with_finalizer(namespace), owners)


def awaits_workspace(namespace: Object, workspace: Object | None, now: datetime) -> float:
    """Seconds to give the namespace's workspace to be there too: often both are made at once, in any order.

    0 where there is nothing to wait for.
    """
    if workspace is not None or workspace_of(namespace) == SYSTEM_WORKSPACE:
        return 0.0
    created = datetime.fromisoformat(namespace["metadata"]["creationTimestamp"])
    return min(WORKSPACE_WAIT, max(0.0, WORKSPACE_WAIT - (now - created).total_seconds()))


def unbound(namespace: Object) -> dict[str, Any]:
    """The merge patch for a namespace in no workspace: nothing of the platform stays in its metadata."""
    return _difference(namespace, _without_finalizer(namespace), _owned_by(_owners(namespace), None))


def left(namespace: Object) -> dict[str, Any]:
    """The merge patch that takes the namespace out of its workspace; the rest follows from that."""
    metadata = namespace["metadata"]
    return {
        "metadata": {
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
            "labels": {WORKSPACE_LABEL: None},
        }
    }


def released(namespace: Object) -> dict[str, Any]:
    """The merge patch that lets a namespace go which is being deleted."""
    return _difference(namespace, _without_finalizer(namespace), _owners(namespace))


def taken(namespace: Object, workspace: Object) -> dict[str, Any]:
    """The merge patch that has the namespace go with its workspace, though that is on its way out."""
    return _difference(namespace, _finalizers(namespace), _owned_by(_owners(namespace), workspace))


def owner_of(namespace: Object) -> str | None:
    """The name of the workspace that the namespace would be deleted with."""
    return next((owner["name"] for owner in _owners(namespace) if _is_workspace(owner)), None)


def _owned_by(owners: list[OwnerReference], workspace: Object | None) -> list[OwnerReference]:
    """`owners` with `workspace` as the only workspace among them, in the place where it is already."""
    others = [owner for owner in owners if not _is_workspace(owner)]
    if workspace is None:
        return others
    wanted = {
        "apiVersion": WORKSPACES.api_version,
        "kind": WORKSPACES.kind,
        "name": workspace["metadata"]["name"],
        "uid": workspace["metadata"]["uid"],
        # An object has one controller at most.
        "controller": not any(owner.get("controller") for owner in others),
        "blockOwnerDeletion": True,
    }
    if wanted in owners and len(others) + 1 == len(owners):
        return owners
    return [*others, wanted]


def _owners(namespace: Object) -> list[OwnerReference]:
    return namespace["metadata"].get("ownerReferences") or []


def _is_workspace(owner: OwnerReference) -> bool:
    return owner["kind"] == WORKSPACES.kind and owner["apiVersion"].partition("/")[0] == WORKSPACES.group


def _finalizers(namespace: Object) -> list[str]:
    return namespace["metadata"].get("finalizers") or []


def _with_finalizer(namespace: Object) -> list[str]:
    present = _finalizers(namespace)
    return present if NAMESPACE_FINALIZER in present else [*present, NAMESPACE_FINALIZER]


def _without_finalizer(namespace: Object) -> list[str]:
    return [name for name in _finalizers(namespace) if name != NAMESPACE_FINALIZER]


def _difference(namespace: Object, finalizers: list[str], owners: list[OwnerReference]) -> dict[str, Any]:
    """Both lists are written whole, so the patch carries the version that they were computed from."""
    meta = namespace["metadata"]
    changes: dict[str, Any] = {}
    if finalizers != _finalizers(namespace):
        changes["finalizers"] = finalizers
    if owners != _owners(namespace):
        changes["ownerReferences"] = owners
    return {"metadata": changes | {"resourceVersion": meta["resourceVersion"]}} if changes else {}
