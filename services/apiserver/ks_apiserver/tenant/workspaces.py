"""Workspaces: which a user sees, with what the caller may know of them."""

from collections.abc import Mapping
from typing import Any

import orjson

from ks_apiserver import labels
from ks_apiserver.clients.kubernetes import filled, translated
from ks_apiserver.tenant import search
from ks_apiserver.tenant.access import Access
from ks_apiserver.tenant.namespaces import Namespaces
from kubekit.cluster import Cluster
from kubekit.errors import NotFound as NoSuchObject
from kubekit.rbac import ALL
from kubekit.resource import CLUSTER_ROLE_BINDINGS, WORKSPACES, Object
from servicekit.errors import Conflict, NotFound
from servicekit.identity import Identity
from servicekit.paging import Page, PageQuery

_OF_WORKSPACE = "workspace"


class Workspaces:
    """The workspaces of the cluster, as its cache holds them."""

    def __init__(self, cluster: Cluster, access: Access, namespaces: Namespaces) -> None:
        self._cluster = cluster
        self._access = access
        self._namespaces = namespaces
        self._cache = search.add_indexes(cluster.cache(WORKSPACES))
        self._bindings = cluster.cache(CLUSTER_ROLE_BINDINGS, index={_OF_WORKSPACE: _owning_workspace})

    def page(self, caller: Identity, query: PageQuery) -> Page[bytes]:
        """The workspaces that the caller's roles let them see, each with its counts."""
        names = self._access.workspaces(caller)
        keys = None if names is ALL else search.named(names)
        page = search.page(filled(self._cache).select(keys=keys), query)
        workspaces = [orjson.loads(raw) for raw in page.items]
        counts = self._namespaces.counts(caller, [item["metadata"]["name"] for item in workspaces])
        return Page([orjson.dumps(self._counted(item, counts)) for item in workspaces], page.total)

    async def get(self, caller: Identity, name: str) -> Object:
        """One workspace with its counts, for a caller who may see it. Raises Forbidden and NotFound."""
        await self.require_visible(caller, name)
        return self._counted(await self.existing(name), self._namespaces.counts(caller, [name]))

    async def require_visible(self, caller: Identity, name: str) -> None:
        """Raises Forbidden unless a role lets the caller read the workspace, or they reach a namespace of
        it.

        Only who may read it learns, by NotFound, that there is none.
        """
        if self._access.may_read_workspace(caller, name):
            await self.existing(name)
        elif not self._namespaces.counts(caller, [name]).get(name):
            raise self._access.unreadable_workspace(caller)

    async def require_open(self, name: str) -> None:
        """Raises NotFound when there is no such workspace, and Conflict when it is being deleted."""
        if (await self.existing(name))["metadata"].get("deletionTimestamp"):
            raise Conflict(f'workspace "{name}" is being deleted')

    async def existing(self, name: str) -> Object:
        """The workspace, asked of Kubernetes where the cache lacks it, as it may lag. Raises NotFound."""
        found = filled(self._cache).get(name)
        if found is not None:
            return found
        with translated():
            try:
                return await self._cluster.get(WORKSPACES, name)
            except NoSuchObject as error:
                raise NotFound(f'workspace.{WORKSPACES.group} "{name}" not found') from error

    def _counted(self, workspace: Object, namespaces: Mapping[str, int]) -> Object:
        metadata: dict[str, Any] = workspace["metadata"]
        name = metadata["name"]
        metadata["annotations"] = {
            **(metadata.get("annotations") or {}),
            labels.NAMESPACE_COUNT: str(namespaces.get(name, 0)),
            labels.MEMBER_COUNT: str(self._members(name)),
        }
        return workspace

    def _members(self, workspace: str) -> int:
        bindings = filled(self._bindings).by(_OF_WORKSPACE, workspace)
        subjects = (subject for binding in bindings for subject in binding.get("subjects") or ())
        return len({subject["name"] for subject in subjects if subject["kind"] == "User"})


def _owning_workspace(item: Object) -> list[str]:
    owners = item["metadata"].get("ownerReferences") or ()
    return [owner["name"] for owner in owners if owner["kind"] == WORKSPACES.kind]
