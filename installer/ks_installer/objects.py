"""Kubernetes objects as the installer sees them: who they are, whose they are, and in which order they go.

Pure: nothing here speaks to a cluster.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from kubekit.resource import Object

FIELD_MANAGER = "ks-installer"
MANAGED_BY = "app.kubernetes.io/managed-by"
COMPONENT = "installer.kubesphere.io/component"
KEEP = "installer.kubesphere.io/keep"
"""On what holds data that cannot be made again: it stays, and its namespace, unless all is purged."""

# What others need to exist first; kinds that are not listed come after these, in the order of their files.
_FIRST_KINDS = (
    "Namespace",
    "CustomResourceDefinition",
    "ServiceAccount",
    "ClusterRole",
    "Role",
    "ClusterRoleBinding",
    "RoleBinding",
    "ConfigMap",
    "Secret",
    "PersistentVolumeClaim",
    "Service",
)


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """Which object: its type, and its name.

    `str()` gives `apps/v1/Deployment/namespace/name`, `parse` takes it.
    """

    api_version: str
    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, obj: Mapping[str, Any]) -> Self:
        meta = obj["metadata"]
        return cls(obj["apiVersion"], obj["kind"], meta.get("namespace", ""), meta["name"])

    @classmethod
    def parse(cls, text: str) -> Self:
        """The reference that `str()` gave.  Raises ValueError on anything else."""
        parts = text.rsplit("/", 3)
        if len(parts) != 4 or not (parts[0] and parts[1] and parts[3]) or parts[0].count("/") > 1:
            raise ValueError(f"not a reference to an object: {text!r}")
        return cls(*parts)

    @property
    def title(self) -> str:
        """The object in the words of a user: `Deployment kubesphere-system/redis`."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    def __str__(self) -> str:
        return f"{self.api_version}/{self.kind}/{self.namespace}/{self.name}"


def apply_order(objects: list[Object]) -> list[Object]:
    """`objects` so that each comes after what it may need; equals keep their order."""
    return sorted(objects, key=_rank)


def labelled(obj: Object, component: str) -> Object:
    """A copy of `obj` that says which component it belongs to, for `kubectl get -l` and for pruning."""
    result = copy.deepcopy(obj)
    result["metadata"].setdefault("labels", {}).update({MANAGED_BY: FIELD_MANAGER, COMPONENT: component})
    for claim in _claims_of(result):
        claim["metadata"].setdefault("labels", {}).update({MANAGED_BY: FIELD_MANAGER, COMPONENT: component})
        claim["metadata"].setdefault("annotations", {})[KEEP] = "data"
    return result


def holds_data(obj: Mapping[str, Any]) -> bool:
    """Whether a live object is marked as one whose contents cannot be made again."""
    return KEEP in (obj["metadata"].get("annotations") or {})


def _claims_of(obj: Object) -> list[Object]:
    """The volume claims in `obj`: itself, or those that a StatefulSet makes for its pods."""
    if obj.get("kind") == "PersistentVolumeClaim":
        return [obj]
    return obj["spec"].get("volumeClaimTemplates") or [] if obj.get("kind") == "StatefulSet" else []


def belongs_to(obj: Mapping[str, Any], component: str) -> bool:
    """Whether the labels of a live object say that `component` applied it."""
    labels = obj["metadata"].get("labels") or {}
    return labels.get(MANAGED_BY) == FIELD_MANAGER and labels.get(COMPONENT) == component


def without_fields(ref: Ref) -> Object:
    """The empty intent: applied, it gives up each field that the installer had set on the object."""
    metadata = {"name": ref.name} | ({"namespace": ref.namespace} if ref.namespace else {})
    return {"apiVersion": ref.api_version, "kind": ref.kind, "metadata": metadata}


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs: None stands for one that is not there."""

    path: str
    before: Any
    after: Any


def changes(live: Any, wanted: Any, path: str = "") -> list[Change]:
    """Where two versions of an object differ, as `spec.replicas` or `spec.containers[redis].image`.

    What a server writes by itself is left out.
    """
    if isinstance(live, dict) and isinstance(wanted, dict):
        keys = sorted({*live, *wanted} - (_SERVER_WRITTEN if path in ("", "metadata") else set()))
        return [
            found
            for key in keys
            for found in changes(live.get(key), wanted.get(key), f"{path}.{key}" if path else key)
        ]
    if _by_name(live) and _by_name(wanted):
        before, after = ({item["name"]: item for item in items} for items in (live, wanted))
        return [
            found
            for name in dict.fromkeys((*before, *after))
            for found in changes(before.get(name), after.get(name), f"{path}[{name}]")
        ]
    return [] if live == wanted else [Change(path, live, wanted)]


def _by_name(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(i, dict) and "name" in i for i in value)


_SERVER_WRITTEN = {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "status"}


def _rank(obj: Object) -> int:
    return _FIRST_KINDS.index(obj["kind"]) if obj["kind"] in _FIRST_KINDS else len(_FIRST_KINDS)
