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
    return result


def belongs_to(obj: Mapping[str, Any], component: str) -> bool:
    """Whether the labels of a live object say that `component` applied it."""
    labels = obj["metadata"].get("labels") or {}
    return labels.get(MANAGED_BY) == FIELD_MANAGER and labels.get(COMPONENT) == component


def without_fields(ref: Ref) -> Object:
    """The empty intent: applied, it gives up each field that the installer had set on the object."""
    metadata = {"name": ref.name} | ({"namespace": ref.namespace} if ref.namespace else {})
    return {"apiVersion": ref.api_version, "kind": ref.kind, "metadata": metadata}


def changed_paths(live: Any, wanted: Any, path: str = "") -> list[str]:
    """Where two versions of an object differ, as `spec.replicas`.

    What a server writes by itself is left out.
    """
    if isinstance(live, dict) and isinstance(wanted, dict):
        keys = sorted({*live, *wanted} - (_SERVER_WRITTEN if path in ("", "metadata") else set()))
        return [
            found
            for key in keys
            for found in changed_paths(live.get(key), wanted.get(key), f"{path}.{key}" if path else key)
        ]
    return [] if live == wanted else [path]


_SERVER_WRITTEN = {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "status"}


def _rank(obj: Object) -> int:
    return _FIRST_KINDS.index(obj["kind"]) if obj["kind"] in _FIRST_KINDS else len(_FIRST_KINDS)
