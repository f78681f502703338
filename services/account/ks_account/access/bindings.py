"""Users in the bindings of Kubernetes RBAC: reading who is in one, and changing it without losing a
change.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Any

from ks_account.clients.kubernetes import translated
from kubekit.cluster import Cluster
from kubekit.errors import Conflict, NotFound
from kubekit.rbac.policy import BindingKey
from kubekit.resource import CLUSTER_ROLE_BINDINGS, ROLE_BINDINGS, Object, Resource

RBAC_GROUP = "rbac.authorization.k8s.io"
_ATTEMPTS = 12
_PAUSE = 0.02

Subjects = list[dict[str, Any]]


def user_subject(username: str) -> dict[str, Any]:
    """A user as the subject of a binding."""
    return {"kind": "User", "apiGroup": RBAC_GROUP, "name": username}


def users_in(binding: Object) -> list[str]:
    """The names of the users in a binding, each once, in their order there."""
    subjects: Subjects = binding.get("subjects") or []
    return list(dict.fromkeys(s["name"] for s in subjects if s["kind"] == "User"))


def role_of(binding: Object) -> list[str]:
    """The role of a binding, for an index."""
    return [binding["roleRef"]["name"]]


def owning_workspace(binding: Object) -> str:
    """The workspace that controls a binding, "" when none does."""
    owners = binding["metadata"].get("ownerReferences") or []
    return next((o["name"] for o in owners if o["kind"] == "Workspace" and o.get("controller")), "")


class Bindings:
    """Changes bindings with the service's own rights: who may ask for it is decided before."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def include(self, binding: BindingKey, username: str) -> None:
        """Put a user into a binding. Raises NotFound when there is no such binding."""

        def add(subjects: Subjects) -> Subjects:
            return [*subjects, user_subject(username)]

        await self._change(
            binding, lambda found: None if username in users_in(found) else add(_subjects(found))
        )

    async def exclude(self, binding: BindingKey, username: str) -> bool:
        """Take a user out of a binding; gives whether the user was in it.

        A binding that is then without subjects is deleted, unless a workspace controls it.
        """

        def without(found: Object) -> Subjects | None:
            if username not in users_in(found):
                return None
            return [s for s in _subjects(found) if s["kind"] != "User" or s["name"] != username]

        return await self._change(binding, without, delete_empty=True)

    async def exclude_everywhere(self, username: str) -> int:
        """Take a user out of all bindings; gives how many the user was in.

        The cluster is asked, since a cache may not know of a binding that was made a moment ago, and whoever
        gets the name next would inherit it.
        """
        found: list[BindingKey] = []
        with translated():
            for resource in (CLUSTER_ROLE_BINDINGS, ROLE_BINDINGS):
                async for binding in self._cluster.list_all(resource):
                    if username in users_in(binding):
                        metadata = binding["metadata"]
                        found.append(BindingKey(metadata.get("namespace", ""), metadata["name"]))
        return sum([await self.exclude(key, username) for key in found])

    async def _change(
        self,
        key: BindingKey,
        change: Callable[[Object], Subjects | None],
        *,
        delete_empty: bool = False,
    ) -> bool:
        """Write what `change` makes of the subjects, anew as often as somebody else was faster."""
        resource, namespace = _place(key)
        with translated():
            for attempt in range(_ATTEMPTS):
                try:
                    return await self._write(resource, key.name, namespace, change, delete_empty)
                except Conflict:
                    if attempt == _ATTEMPTS - 1:
                        raise
                    await asyncio.sleep(random.uniform(0, _PAUSE * 2 ** min(attempt, 5)))  # noqa: S311
        return False

    async def _write(
        self,
        resource: Resource,
        name: str,
        namespace: str | None,
        change: Callable[[Object], Subjects | None],
        delete_empty: bool,
    ) -> bool:
        try:
            found = await self._cluster.get(resource, name, namespace)
        except NotFound:
            if delete_empty:
                return False
            raise
        subjects = change(found)
        if subjects is None:
            return False
        if subjects or not delete_empty or owning_workspace(found):
            await self._cluster.update(resource, {**found, "subjects": subjects})
        else:
            await self._cluster.delete(resource, name, namespace, uid=found["metadata"]["uid"])
        return True


def _subjects(binding: Object) -> Subjects:
    return binding.get("subjects") or []


def _place(key: BindingKey) -> tuple[Resource, str | None]:
    return (ROLE_BINDINGS, key.namespace) if key.namespace else (CLUSTER_ROLE_BINDINGS, None)
