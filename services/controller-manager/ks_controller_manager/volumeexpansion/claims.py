"""Which PersistentVolumeClaims wait to grow while nothing mounts them, and how far they are.  Pure.

https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from kubekit.objects import annotations, being_deleted
from kubekit.resource import Object

OFFLINE_ANNOTATION = "kubesphere.io/offline-expansion"
"""On a StorageClass: "true" where volumes grow only while nothing mounts them, "false" where not."""

SERVED_ANNOTATION = "kubesphere.io/offline-expansion-served"
"""On a claim: the size for which its workload was stopped. It is not stopped for that size again."""

_BETA_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"


def class_of(claim: Object) -> str:
    """The name of the claim's StorageClass; empty where it has none."""
    written = annotations(claim).get(_BETA_CLASS_ANNOTATION)
    return written or (claim.get("spec") or {}).get("storageClassName") or ""


def grows_offline(storage_class: Object, provisioners: Collection[str]) -> bool:
    """Whether volumes of this class can grow, but only while nothing mounts them.

    `provisioners` are those of which this holds unless a class says otherwise.
    """
    if storage_class.get("allowVolumeExpansion") is not True:
        return False
    said = annotations(storage_class).get(OFFLINE_ANNOTATION)
    return said == "true" if said in ("true", "false") else storage_class.get("provisioner") in provisioners


def requested(claim: Object) -> str:
    """The size that is asked for."""
    resources: dict[str, Any] = (claim.get("spec") or {}).get("resources") or {}
    return str((resources.get("requests") or {}).get("storage") or "0")


def waits(claim: Object) -> bool:
    """Whether the claim is bound, is to be larger than it is, and nothing was stopped for that yet."""
    status: dict[str, Any] = claim.get("status") or {}
    return (
        status.get("phase") == "Bound"
        and not being_deleted(claim)
        and _size(requested(claim)) > _size(_capacity(claim))
        and annotations(claim).get(SERVED_ANNOTATION) != requested(claim)
    )


def grown(claim: Object) -> bool:
    """Whether its volume has grown, but for its file system: that grows when it is mounted again."""
    wanted = _size(requested(claim))
    if wanted <= _size(_capacity(claim)):
        return True
    allocated = ((claim.get("status") or {}).get("allocatedResources") or {}).get("storage")
    # The condition may still be that of a smaller size that was asked for before.
    up_to_date = allocated is None or wanted <= _size(str(allocated))
    return up_to_date and _has(claim, "FileSystemResizePending")


def refused(claim: Object) -> str:
    """Why the storage cannot give that much; empty where it did not say so."""
    status: dict[str, Any] = claim.get("status") or {}
    states: dict[str, str] = status.get("allocatedResourceStatuses") or {}
    infeasible = states.get("storage", "") in ("ControllerResizeInfeasible", "NodeResizeInfeasible")
    if not infeasible and not _has(claim, "ControllerResizeError"):
        return ""
    messages = [one.get("message", "") for one in status.get("conditions") or [] if "Error" in one["type"]]
    return "; ".join(filter(None, messages)) or "the storage refused that size"


def served(claim: Object) -> dict[str, Any]:
    """The merge patch that says that its workload was stopped for the size that is asked for."""
    metadata = claim["metadata"]
    return {"metadata": {"uid": metadata["uid"], "annotations": {SERVED_ANNOTATION: requested(claim)}}}


def _capacity(claim: Object) -> str:
    return str(((claim.get("status") or {}).get("capacity") or {}).get("storage") or "0")


def _has(claim: Object, condition: str) -> bool:
    conditions: list[dict[str, Any]] = (claim.get("status") or {}).get("conditions") or []
    return any(one["type"] == condition and one.get("status") == "True" for one in conditions)


def _size(text: str) -> Decimal:
    return parse_quantity(text)
