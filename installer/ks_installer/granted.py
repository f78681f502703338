"""What the platform gave users in a cluster, taken back where nothing of the platform is to stay.

No object of it says that it is the platform's, so that what it looks like has to tell: see `_is_of_a_user`
and `_is_platforms`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.resource import CLUSTER_ROLE_BINDINGS, ROLE_BINDINGS, ROLES, Object, Resource

CREATOR_ANNOTATION = "kubesphere.io/creator"
SYSTEM = "system"
_ACCOUNT_SERVICES = frozenset({"ks-account", "ks-iam"})
"""The field managers that give users their cluster roles: ours, and that of v2.1.1."""


async def take_back(cluster: Cluster) -> None:
    """Deletes the cluster roles' bindings of users, and in each namespace the platform's Roles and bindings.

    A Role that anybody but users is bound to stays with its bindings: a workload may live by it. Safe to
    repeat. Call it when no controller of the platform runs that would put them back.
    """
    for binding in (await cluster.list(CLUSTER_ROLE_BINDINGS)).items:
        if _is_of_a_user(binding):
            await _delete(cluster, CLUSTER_ROLE_BINDINGS, binding)
    bindings = (await cluster.list(ROLE_BINDINGS)).items
    for role in (await cluster.list(ROLES)).items:
        if not _is_platforms(role):
            continue
        bound = [binding for binding in bindings if _binds(binding, role)]
        if all(_binds_users_alone(binding) for binding in bound):
            for binding in bound:
                await _delete(cluster, ROLE_BINDINGS, binding)
            await _delete(cluster, ROLES, role)


def _is_of_a_user(binding: Object) -> bool:
    """As ks-account writes the cluster role of a user: a binding with the user's name, of the user alone."""
    fields: Iterable[Object] = binding["metadata"].get("managedFields") or []
    return [(one["kind"], one["name"]) for one in _subjects(binding)] == [
        ("User", binding["metadata"]["name"])
    ] and any(one.get("manager") in _ACCOUNT_SERVICES for one in fields)


def _is_platforms(role: Object) -> bool:
    """The Roles of each namespace say who made them; their bindings say nothing (v2.1.1 does so too)."""
    return (role["metadata"].get("annotations") or {}).get(CREATOR_ANNOTATION) == SYSTEM


def _binds(binding: Object, role: Object) -> bool:
    reference, meta = binding["roleRef"], role["metadata"]
    place = (binding["metadata"]["namespace"], reference["kind"], reference["name"])
    return place == (meta["namespace"], "Role", meta["name"])


def _binds_users_alone(binding: Object) -> bool:
    return all(subject["kind"] == "User" for subject in _subjects(binding))


def _subjects(binding: Object) -> list[dict[str, Any]]:
    return binding.get("subjects") or []


async def _delete(cluster: Cluster, resource: Resource, obj: Object) -> None:
    meta = obj["metadata"]
    try:
        await cluster.delete(resource, meta["name"], meta.get("namespace"), uid=meta["uid"])
    except NotFound:
        return
