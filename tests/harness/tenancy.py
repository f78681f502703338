"""Workspaces, namespaces and their roles, made on a cluster as the platform's controllers make them."""

import itertools
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.errors import AlreadyExists, NotFound
from kubekit.resource import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CRDS,
    NAMESPACES,
    ROLE_BINDINGS,
    ROLES,
    WORKSPACES,
    Object,
    Resource,
)

_CRD = Path(__file__).parents[2] / "installer/components/crds/manifests/workspaces.tenant.kubesphere.io.yaml"
_MANAGER = "tests"
_RBAC = "rbac.authorization.k8s.io"
_serial = itertools.count(1)

WORKSPACE_RULES: dict[str, list[dict[str, Any]]] = {
    "admin": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["workspaces", "workspaces/*"]}],
    "regular": [
        {"verbs": ["get"], "apiGroups": ["*"], "resources": ["workspaces"]},
        {
            "verbs": ["create"],
            "apiGroups": ["tenant.kubesphere.io"],
            "resources": ["workspaces/namespaces", "workspaces/devops"],
        },
        {"verbs": ["get"], "apiGroups": ["iam.kubesphere.io"], "resources": ["workspaces/members"]},
    ],
    "viewer": [{"verbs": ["get", "list"], "apiGroups": ["*"], "resources": ["workspaces", "workspaces/*"]}],
}
"""What the three roles of a workspace say about the workspace, which they name."""

NAMESPACE_RULES: dict[str, list[dict[str, Any]]] = {
    "admin": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
    "operator": [
        {"verbs": ["get", "list", "watch"], "apiGroups": ["*"], "resources": ["*"]},
        {"verbs": ["*"], "apiGroups": ["apps", "batch"], "resources": ["*"]},
    ],
    "viewer": [{"verbs": ["get", "list", "watch"], "apiGroups": ["*"], "resources": ["*"]}],
}


class Tenancy:
    """What a group of tests makes; all its names end in one that no other run uses."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.suffix = f"{os.getpid()}-{next(_serial)}"
        self.made: list[tuple[Resource, str]] = []
        """Workspaces and namespaces."""
        self._to_remove: list[tuple[Resource, str]] = []

    def name(self, short: str) -> str:
        """The name that stands for `short` in the cluster, of an object or of a person."""
        return f"{short}-{self.suffix}"

    async def workspace(self, short: str, display_name: str = "", **members: Iterable[str]) -> str:
        """A workspace with its roles; `members` are people by role: admin, regular, viewer."""
        name, admin = self.name(short), self.name("admin")
        annotations = {"kubesphere.io/alias-name": display_name, "kubesphere.io/creator": admin}
        body = {
            "apiVersion": WORKSPACES.api_version,
            "kind": WORKSPACES.kind,
            "metadata": {"name": name, "annotations": annotations},
            "spec": {"manager": admin},
        }
        made = await self._create(WORKSPACES, body)
        for role, rules in WORKSPACE_RULES.items():
            await self._role_of_workspace(made, role, rules, members.get(role, ()))
        return name

    async def _role_of_workspace(
        self, workspace: Object, role: str, rules: list[dict[str, Any]], people: Iterable[str]
    ) -> None:
        metadata = workspace["metadata"]
        owner = {"apiVersion": WORKSPACES.api_version, "kind": WORKSPACES.kind, "controller": True}
        owner |= {"blockOwnerDeletion": True, "name": metadata["name"], "uid": metadata["uid"]}
        of_role = {
            "name": f"workspace:{metadata['name']}:{role}",
            "labels": {"kubesphere.io/workspace": metadata["name"]},
            "annotations": {"kubesphere.io/alias-name": f"workspace-{role}"},
            "ownerReferences": [owner],
        }
        named = [{**rule, "resourceNames": [metadata["name"]]} for rule in rules]
        bound = self._binding("ClusterRole", of_role["name"], people)
        await self._apply(CLUSTER_ROLES, {"metadata": of_role, "rules": named})
        await self._apply(CLUSTER_ROLE_BINDINGS, {"metadata": of_role, **bound})

    async def namespace(self, short: str, workspace: str | None = None, **people: Iterable[str]) -> str:
        """A namespace, of a workspace, with its roles; `people` by role: admin, operator, viewer."""
        name = self.name(short)
        metadata = {
            "name": name,
            "labels": {"kubesphere.io/workspace": workspace} if workspace else {},
            "annotations": {
                "kubesphere.io/alias-name": short.upper(),
                "kubesphere.io/creator": self.name("admin"),
                "kubesphere.io/description": "d",
            },
        }
        await self._create(NAMESPACES, {"metadata": metadata})
        for role, rules in NAMESPACE_RULES.items():
            await self._apply(ROLES, {"metadata": {"name": role, "namespace": name}, "rules": rules})
            if role in people:
                await self.bind_in(name, role, people[role], "Role", role)
        return name

    async def bind_in(self, namespace: str, name: str, people: Iterable[str], kind: str, role: str) -> None:
        """Binds people to a Role or ClusterRole in a namespace."""
        metadata = {"name": name, "namespace": namespace}
        await self._apply(ROLE_BINDINGS, {"metadata": metadata, **self._binding(kind, role, people)})

    async def bind_group_in(self, namespace: str, group: str, role: str) -> None:
        """Binds a group to a ClusterRole in a namespace."""
        bound = self._binding("ClusterRole", role, [group])
        bound["subjects"][0]["kind"] = "Group"
        await self._apply(ROLE_BINDINGS, {"metadata": {"name": group, "namespace": namespace}, **bound})

    async def bind_everywhere(self, person: str, role: str) -> None:
        """Binds a person to a ClusterRole."""
        name = self.remove_later(CLUSTER_ROLE_BINDINGS, self.name(f"{person}-{role}"))
        bound = self._binding("ClusterRole", role, [person])
        await self._apply(CLUSTER_ROLE_BINDINGS, {"metadata": {"name": name}, **bound})

    async def cluster_role(self, short: str, rules: list[dict[str, Any]]) -> str:
        """A ClusterRole of `rules`."""
        name = self.remove_later(CLUSTER_ROLES, self.name(short))
        await self._apply(CLUSTER_ROLES, {"metadata": {"name": name}, "rules": rules})
        return name

    def remove_later(self, resource: Resource, name: str) -> str:
        """Has an object deleted with the rest, whoever makes it. Gives its name."""
        self._to_remove.append((resource, name))
        return name

    async def remove(self) -> None:
        """Deletes all that was made; what workspaces own goes with them."""
        for resource, name in reversed(self._to_remove):
            try:
                await self.cluster.delete(resource, name)
            except NotFound:
                pass

    def _binding(self, kind: str, role: str, people: Iterable[str]) -> dict[str, Any]:
        users = [{"apiGroup": _RBAC, "kind": "User", "name": self.name(person)} for person in people]
        return {"roleRef": {"apiGroup": _RBAC, "kind": kind, "name": role}, "subjects": users}

    async def _create(self, resource: Resource, body: Object) -> Object:
        self.made.append((resource, self.remove_later(resource, body["metadata"]["name"])))
        return await self.cluster.create(resource, body)

    async def _apply(self, resource: Resource, body: Object) -> None:
        await self.cluster.apply(resource, body, field_manager=_MANAGER)


@asynccontextmanager
async def tenancy(cluster: Cluster) -> AsyncIterator[Tenancy]:
    """A Tenancy on a cluster that serves workspaces; what it made is gone afterwards."""
    await serve_workspaces(cluster)
    made = Tenancy(cluster)
    try:
        yield made
    finally:
        await made.remove()


async def serve_workspaces(cluster: Cluster) -> None:
    """Has the cluster serve workspaces, if it does not yet."""
    try:
        await cluster.create(CRDS, yaml.safe_load(_CRD.read_text()))
    except AlreadyExists:
        pass

    async def served() -> None:
        try:
            await cluster.list(WORKSPACES, limit=1)
        except NotFound as error:
            raise AssertionError("the cluster does not serve workspaces yet") from error

    await eventually(served, timeout=30)
