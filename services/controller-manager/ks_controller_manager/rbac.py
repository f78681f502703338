"""RBAC objects as literals, in the shape in which the API server returns them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kubekit.resource import Object

API_GROUP = "rbac.authorization.k8s.io"
API_VERSION = f"{API_GROUP}/v1"

Rule = dict[str, list[str]]
Subject = dict[str, Any]


def rule(verbs: str, groups: Sequence[str], resources: Sequence[str], names: Sequence[str] = ()) -> Rule:
    """One PolicyRule; `verbs` are separated by spaces."""
    result: Rule = {"apiGroups": list(groups), "resources": list(resources), "verbs": verbs.split()}
    if names:
        result["resourceNames"] = list(names)
    return result


def user(name: str) -> Subject:
    return {"apiGroup": API_GROUP, "kind": "User", "name": name}


def role_ref(kind: str, name: str) -> dict[str, str]:
    return {"apiGroup": API_GROUP, "kind": kind, "name": name}


def role_object(kind: str, metadata: dict[str, Any], rules: list[Rule]) -> Object:
    """A Role or ClusterRole."""
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "rules": rules}


def binding_object(
    kind: str, metadata: dict[str, Any], ref: dict[str, str], subjects: Sequence[Subject]
) -> Object:
    """A RoleBinding or ClusterRoleBinding to exactly `subjects`."""
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": metadata,
        "roleRef": ref,
        "subjects": list(subjects),
    }
