"""Searching one kind, in a namespace or in all: what is asked, of whom, from where, in which order."""

from ks_apiserver.resources import annotations
from ks_apiserver.resources.access import Access
from ks_apiserver.resources.fields import owners
from ks_apiserver.resources.filters import Related, filters, related_kinds
from ks_apiserver.resources.kinds import KINDS, OWNER, Kind
from ks_apiserver.resources.objects import Objects
from ks_apiserver.resources.ordering import count, page
from kubekit.resource import REPLICA_SETS, SERVICES
from servicekit.errors import NotFound
from servicekit.identity import Identity
from servicekit.paging import Conditions, Page, PageQuery


class Search:
    """Finds objects by the conditions, order and page of v2.1.1."""

    def __init__(self, objects: Objects, access: Access) -> None:
        self._objects = objects
        self._access = access

    async def page(
        self, caller: Identity, resource: str, query: PageQuery, namespace: str | None = None
    ) -> Page[bytes]:
        """A page of a kind's objects, of one namespace or all, for a caller who may list them.

        Raises Forbidden, NotFound for what is no kind there, and Unavailable until its objects were read.
        """
        self._access.require_lister(caller, resource, namespace)
        kind = KINDS.get(resource)
        if kind is None or (namespace is not None and not kind.namespaced):
            raise NotFound(f"namespaced resource {resource} not found")
        cache = await self._objects.of(kind, caller, namespace)
        kept = filters(kind, cache, query.conditions, await self._related(kind, query.conditions))
        found = page(kind, cache, namespace, kept, query)
        return Page(await self._annotated(kind, list(found.items)), found.total)

    async def count(self, resource: str, namespace: str | None, conditions: Conditions) -> int:
        """How many there are, whoever asks. Not for kinds read as the caller, nor for pods by owner."""
        kind = KINDS[resource]
        cache = await self._objects.cached(kind)
        return count(cache, namespace, filters(kind, cache, conditions, Related()))

    async def _related(self, kind: Kind, conditions: Conditions) -> Related:
        needed = set(related_kinds(kind, conditions))
        return Related(
            replica_sets=await self._objects.plain(REPLICA_SETS, {OWNER: owners})
            if "replicasets" in needed
            else None,
            services=await self._objects.plain(SERVICES) if "services" in needed else None,
        )

    async def _annotated(self, kind: Kind, items: list[bytes]) -> list[bytes]:
        if kind.name == "persistentvolumeclaims" and items:
            return annotations.with_use(items, await self._objects.cached(KINDS["pods"]))
        if kind.name == "storageclasses" and items:
            return annotations.with_claim_count(
                items, await self._objects.cached(KINDS["persistentvolumeclaims"])
            )
        return items
