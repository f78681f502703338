"""Questions that any Kubernetes object answers, and the references that tie objects together."""

from typing import Any

from kubekit.resource import Object
from kubekit.store import Key


def key_of(obj: Object) -> Key:
    """What names the object within its resource."""
    metadata = obj["metadata"]
    return Key(metadata.get("namespace"), metadata["name"])


def labels(obj: Object) -> dict[str, str]:
    """The object's labels; empty when it has none."""
    return obj["metadata"].get("labels") or {}


def annotations(obj: Object) -> dict[str, str]:
    """The object's annotations; empty when it has none."""
    return obj["metadata"].get("annotations") or {}


def being_deleted(obj: Object) -> bool:
    """Whether deletion was asked for, and only finalizers keep the object."""
    return bool(obj["metadata"].get("deletionTimestamp"))


def owner_reference(owner: Object, controller: bool = True) -> Object:
    """The ownerReferences entry that makes `owner` an owner: with it, the garbage collector cleans up
    after `owner`.

    `owner` must be as stored (it needs its uid). At most one owner of an object is its controller.
    """
    metadata = owner["metadata"]
    reference: Object = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }
    if controller:
        reference |= {"controller": True, "blockOwnerDeletion": True}
    return reference


def controller_of(obj: Object) -> Object | None:
    """The ownerReferences entry of the controller, None when nobody controls the object."""
    references: list[dict[str, Any]] = obj["metadata"].get("ownerReferences") or []
    return next((reference for reference in references if reference.get("controller")), None)


def controller_uid(obj: Object) -> str | None:
    """The uid of the object's controller: an index function."""
    reference = controller_of(obj)
    return reference["uid"] if reference else None
