"""Making an Application an owner of its components, so that they go with it.  Pure."""

from __future__ import annotations

from typing import Any

from kubekit.objects import owner_reference
from kubekit.resource import Object


def patch(application: Object, component: Object) -> dict[str, Any]:
    """The merge patch that makes the Application one of the component's owners; empty where it is one.

    An Application of the same name that is gone, and would take the component along, is an owner no more.
    """
    metadata = component["metadata"]
    owners: list[dict[str, Any]] = metadata.get("ownerReferences") or []
    reference = owner_reference(application, controller=False) | {
        "controller": False,
        "blockOwnerDeletion": True,
    }
    if any(owner["uid"] == reference["uid"] for owner in owners):
        return {}
    others = [owner for owner in owners if _whose(owner) != _whose(reference)]
    return {
        "metadata": {
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
            "ownerReferences": [*others, reference],
        }
    }


def _whose(owner: dict[str, Any]) -> tuple[str, str, str]:
    return owner["apiVersion"].partition("/")[0], owner["kind"], owner["name"]
