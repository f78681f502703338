"""What users do to workspaces, namespaces and their roles, at random and while the cluster comes and goes."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable

from kubekit.cluster import Cluster
from kubekit.errors import KubernetesError
from kubekit.resource import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    NAMESPACES,
    ROLE_BINDINGS,
    ROLES,
    WORKSPACES,
    Object,
)

_LABEL = "kubesphere.io/workspace"
_PAUSE = 0.15
"""Seconds between two changes at most."""


class Users:
    """Changes a cluster as its administrator; what the cluster refuses or does not answer is left."""

    def __init__(self, cluster: Cluster, prefix: str, chance: random.Random) -> None:
        self._cluster = cluster
        self._prefix = prefix
        self._chance = chance
        self._number = 0
        self._workspaces: list[str] = []
        self._namespaces: list[str] = []
        self.members: dict[str, set[str]] = {}
        """Whom the cluster took as an admin of which workspace."""
        self.done: Counter[str] = Counter()
        """What the cluster took, by its name."""

    async def run(self, stop: asyncio.Event) -> None:
        """Changes one thing after another until `stop` is set."""
        often: dict[Callable[[], Awaitable[None]], int] = {
            self._make_workspace: 3,
            self._make_namespace: 8,
            self._move_namespace: 3,
            self._take_namespace_out: 1,
            self._delete_namespace: 2,
            self._delete_workspace: 1,
            self._break_role: 3,
            self._delete_binding: 3,
            self._add_member: 3,
            self._change_manager: 2,
        }
        while not stop.is_set():
            [change] = self._chance.choices(list(often), list(often.values()))
            try:
                await change()
                self.done[change.__name__] += 1
            except (KubernetesError, IndexError):
                pass  # there is nothing to change yet, or nobody who answers
            await asyncio.sleep(self._chance.uniform(0, _PAUSE))

    async def _make_workspace(self) -> None:
        name = self._name("w")
        body = {"apiVersion": WORKSPACES.api_version, "kind": "Workspace", "metadata": {"name": name}}
        await self._cluster.create(WORKSPACES, body | {"spec": {"manager": "mia"}})
        self._workspaces.append(name)

    async def _make_namespace(self) -> None:
        workspace, name = self._chance.choice(self._workspaces), self._name("n")
        metadata = {"name": name, "labels": {_LABEL: workspace}}
        await self._cluster.create(
            NAMESPACES, {"metadata": {**metadata, "annotations": {"kubesphere.io/creator": "alice"}}}
        )
        self._namespaces.append(name)

    async def _move_namespace(self) -> None:
        await self._label(self._chance.choice(self._namespaces), self._chance.choice(self._workspaces))

    async def _take_namespace_out(self) -> None:
        await self._label(self._chance.choice(self._namespaces), None)

    async def _delete_namespace(self) -> None:
        await self._cluster.delete(NAMESPACES, self._taken(self._namespaces))

    async def _delete_workspace(self) -> None:
        """One that a manager has seen: another goes at once, with nobody to look after its namespaces."""
        name = self._chance.choice(self._workspaces)
        if not (await self._cluster.get(WORKSPACES, name))["metadata"].get("finalizers"):
            return
        self._workspaces.remove(name)
        self.members.pop(name, None)
        await self._cluster.delete(WORKSPACES, name)

    async def _break_role(self) -> None:
        namespace = self._chance.choice(self._namespaces)
        if self._chance.random() < 0.5:
            await self._cluster.delete(ROLES, "operator", namespace)
        else:
            await self._cluster.patch(ROLES, "viewer", {"rules": []}, namespace)

    async def _delete_binding(self) -> None:
        if self._chance.random() < 0.5:
            name = self._chance.choice(["admin", "viewer", "admin-alice"])
            await self._cluster.delete(ROLE_BINDINGS, name, self._chance.choice(self._namespaces))
        else:
            role = f"workspace:{self._chance.choice(self._workspaces)}:regular"
            await self._cluster.delete(CLUSTER_ROLES, role)

    async def _add_member(self) -> None:
        workspace, member = self._chance.choice(self._workspaces), self._name("u")
        subject: Object = {"apiGroup": ROLES.group, "kind": "User", "name": member}
        add = {"op": "add", "path": "/subjects/-", "value": subject}
        await self._cluster.patch(
            CLUSTER_ROLE_BINDINGS, f"workspace:{workspace}:admin", [add], patch_type="json"
        )
        self.members.setdefault(workspace, set()).add(member)

    async def _change_manager(self) -> None:
        workspace, manager = self._chance.choice(self._workspaces), self._name("m")
        await self._cluster.patch(WORKSPACES, workspace, {"spec": {"manager": manager}})

    async def _label(self, namespace: str, workspace: str | None) -> None:
        await self._cluster.patch(NAMESPACES, namespace, {"metadata": {"labels": {_LABEL: workspace}}})

    def _taken(self, names: list[str]) -> str:
        """One that is not named again: whether it goes may stay unknown."""
        name = self._chance.choice(names)
        names.remove(name)
        return name

    def _name(self, sort: str) -> str:
        self._number += 1
        return f"{self._prefix}-{sort}{self._number}"
