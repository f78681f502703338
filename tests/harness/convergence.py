"""Whether a cluster is as its workspaces and namespaces ask for: what differs, is left over, or is twice."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ks_controller_manager.clusterrolebinding import members
from ks_controller_manager.namespace import ownership
from ks_controller_manager.namespace import roles as namespace_roles
from ks_controller_manager.workspace import roles as workspace_roles
from kubekit.apply import differs
from kubekit.cluster import Cluster
from kubekit.objects import being_deleted, controller_of, key_of
from kubekit.resource import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    NAMESPACES,
    ROLE_BINDINGS,
    ROLES,
    WORKSPACES,
    Object,
    Resource,
)
from kubekit.store import Key

KINDS = (WORKSPACES, NAMESPACES, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS, ROLES, ROLE_BINDINGS)
_OWN_NAMES = {"admin", "operator", "viewer"}


@dataclass(frozen=True)
class Snapshot:
    """The objects of a cluster whose names, or whose namespaces', start with one prefix."""

    objects: dict[Resource, dict[Key, Object]]

    def of(self, resource: Resource) -> dict[Key, Object]:
        """Those of one resource, by key."""
        return self.objects[resource]

    def versions(self) -> dict[tuple[Resource, Key], str]:
        """The resource version of each."""
        return {
            (resource, key): obj["metadata"]["resourceVersion"]
            for resource, found in self.objects.items()
            for key, obj in found.items()
        }


async def snapshot(cluster: Cluster, prefix: str) -> Snapshot:
    """What is there now."""
    lists = await asyncio.gather(*(cluster.list(resource) for resource in KINDS))
    return Snapshot(
        {
            resource: {key_of(obj): obj for obj in listed.items if _is_about(obj, prefix)}
            for resource, listed in zip(KINDS, lists, strict=True)
        }
    )


def _is_about(obj: Object, prefix: str) -> bool:
    metadata = obj["metadata"]
    name = metadata.get("namespace") or metadata["name"].removeprefix("workspace:")
    return name.startswith(prefix)


def differences(found: Snapshot) -> list[str]:
    """What is not as wanted, in words; empty where everything is."""
    return [
        *_unfinished(found),
        *_workspaces(found),
        *_namespaces(found),
        *_left_over(found),
        *_twice(found),
    ]


def _unfinished(found: Snapshot) -> Iterator[str]:
    for resource in (WORKSPACES, NAMESPACES):
        for key, obj in found.of(resource).items():
            if being_deleted(obj):
                yield f"{resource.kind} {key} has not come to its end"


def _workspaces(found: Snapshot) -> Iterator[str]:
    for workspace in found.of(WORKSPACES).values():
        for wanted in workspace_roles.cluster_roles(workspace):
            yield from _missing_or_other(found.of(CLUSTER_ROLES), wanted)
        for wanted in workspace_roles.bindings(workspace):
            present = found.of(CLUSTER_ROLE_BINDINGS).get(key_of(wanted))
            merged = workspace_roles.with_members(present, wanted) if present else wanted
            yield from _missing_or_other(found.of(CLUSTER_ROLE_BINDINGS), merged)


def _namespaces(found: Snapshot) -> Iterator[str]:
    for namespace in found.of(NAMESPACES).values():
        name, workspace = namespace["metadata"]["name"], ownership.workspace_of(namespace)
        if workspace is None:
            yield from _outside(found, namespace)
            continue
        owner = found.of(WORKSPACES).get(Key(None, workspace))
        if owner is None:
            yield f"Namespace {name} is in {workspace}, which is no more"
            continue
        if ownership.bound(namespace, owner):
            yield f"Namespace {name} is not bound to {workspace}"
        creator = namespace_roles.creator_binding(namespace)
        for wanted in namespace_roles.roles(name):
            yield from _missing_or_other(found.of(ROLES), wanted)
        for wanted in [*([creator] if creator else []), *_member_bindings(found, name, workspace)]:
            yield from _missing_or_other(found.of(ROLE_BINDINGS), wanted)


def _outside(found: Snapshot, namespace: Object) -> Iterator[str]:
    name = namespace["metadata"]["name"]
    if ownership.unbound(namespace):
        yield f"Namespace {name} is in no workspace, and bound to one"
    for role in members.MEMBER_ROLES:
        if Key(name, role) in found.of(ROLE_BINDINGS):
            yield f"Namespace {name} is in no workspace, and has the {role}s of one"


def _member_bindings(found: Snapshot, namespace: str, workspace: str) -> Iterator[Object]:
    for role, name in members.sources(workspace).items():
        source = found.of(CLUSTER_ROLE_BINDINGS).get(Key(None, name))
        if source is not None:
            yield members.member_binding(namespace, role, source)


def _missing_or_other(present: dict[Key, Object], wanted: Object) -> Iterator[str]:
    there = present.get(key_of(wanted))
    if there is None:
        yield f"{wanted['kind']} {key_of(wanted)} is missing"
    elif differs(there, wanted):
        yield f"{wanted['kind']} {key_of(wanted)} is not as wanted"


def _left_over(found: Snapshot) -> Iterator[str]:
    """What belongs to a workspace or namespace that is no more, or that it does not ask for."""
    uids = {obj["metadata"]["uid"] for obj in found.of(WORKSPACES).values()}
    for resource in (CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS):
        for key, obj in found.of(resource).items():
            owner = controller_of(obj)
            if owner is None or owner["uid"] not in uids:
                yield f"{resource.kind} {key} has no workspace"
    for key, namespace in found.of(NAMESPACES).items():
        owner = controller_of(namespace)
        if owner is not None and owner["uid"] not in uids:
            yield f"Namespace {key} is owned by a workspace that is no more"
    for resource, allowed in ((ROLES, _OWN_NAMES), (ROLE_BINDINGS, {"admin", "viewer", "admin-alice"})):
        for key in found.of(resource):
            if key.name not in allowed:
                yield f"{resource.kind} {key} was not asked for"


def _twice(found: Snapshot) -> Iterator[str]:
    for resource, objects in found.objects.items():
        for key, obj in objects.items():
            metadata = obj["metadata"]
            lists: tuple[list[Any], ...] = (
                [one["uid"] for one in metadata.get("ownerReferences") or []],
                metadata.get("finalizers") or [],
                [(one["kind"], one["name"]) for one in obj.get("subjects") or []],
            )
            if any(len(items) != len(set(items)) for items in lists):
                yield f"{resource.kind} {key} lists something twice"
