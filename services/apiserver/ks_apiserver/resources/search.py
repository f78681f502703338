"""Searching one kind, in a namespace or in all: what is asked, of whom, from where, in which order."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ks_apiserver.clients.kubernetes import translated
from ks_apiserver.resources import annotations
from ks_apiserver.resources.access import Access
from ks_apiserver.resources.discovery import Discovery
from ks_apiserver.resources.fields import owners
from ks_apiserver.resources.filters import Related, filters, related_kinds
from ks_apiserver.resources.kinds import KINDS, OWNER, Kind
from ks_apiserver.resources.objects import Objects
from ks_apiserver.resources.ordering import count, page
from kubekit.cache import Cache
from kubekit.resource import REPLICA_SETS, SERVICES
from servicekit.errors import NotFound
from servicekit.identity import Identity
from servicekit.lasting import Lasting
from servicekit.paging import Conditions, Page, PageQuery

_ANNOTATED_FROM = {"persistentvolumeclaims": "pods", "storageclasses": "persistentvolumeclaims"}
"""Kinds whose answers carry what another kind tells of them."""


Version = tuple[tuple[str, int, bool], ...]
"""How often each cache behind an answer has changed, and whether its API is served: while that stays the
same, so does the answer."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found. `page` is None where its `version` was known."""

    page: Page[bytes] | None
    version: Version
    holds: Callable[[], bool]
    """Whether the same search would still find this."""


class Search:
    """Finds objects by the conditions, order and page of v2.1.1."""

    def __init__(self, objects: Objects, access: Access, discovery: Discovery) -> None:
        self._objects = objects
        self._access = access
        self._discovery = discovery

    async def page(
        self, caller: Identity, resource: str, query: PageQuery, namespace: str | None = None
    ) -> Lasting[Page[bytes]]:
        """A page of a kind's objects, of one namespace or all, for a caller who may list them.

        Raises Forbidden, NotFound for what is no kind there, and Unavailable until its objects were read.
        """
        found = await self.look(caller, resource, query, namespace)
        assert found.page is not None
        return Lasting(found.page, found.holds)

    async def look(
        self,
        caller: Identity,
        resource: str,
        query: PageQuery,
        namespace: str | None = None,
        known: Version = (),
    ) -> Found:
        """The same, with its version; without the page where that is `known`."""
        self._access.require_lister(caller, resource.partition(".")[0], namespace)
        kind = await self._kind(resource, namespace)
        cache = await self._objects.of(kind, caller, namespace)
        related = await self._related(kind, query.conditions)
        told_by = await self._told_by(kind)
        # From here on nothing waits, so that version and page are of the same moment.
        sources = _there(cache, related.replica_sets, related.services, told_by)
        version = _version(sources)
        holds = _never if kind.as_caller else self._holds(sources, version)
        if version == known and not kind.as_caller:
            return Found(None, version, holds)
        found = page(kind, cache, namespace, filters(kind, cache, query.conditions, related), query)
        return Found(Page(_annotated(kind, list(found.items), told_by), found.total), version, holds)

    async def count(self, resource: str, namespace: str | None, conditions: Conditions) -> int:
        """How many there are, whoever asks. Not for kinds read as the caller, nor for pods by owner."""
        kind = KINDS[resource]
        cache = await self._objects.cached(kind)
        return count(cache, namespace, filters(kind, cache, conditions, Related()))

    def _holds(self, sources: Sequence[Cache], version: Version) -> Callable[[], bool]:
        """Whether roles, bindings and `sources` are still as they are now."""
        access, generation = self._access, self._access.generation

        def holds() -> bool:
            return access.generation == generation and _version(sources) == version

        return holds

    async def _related(self, kind: Kind, conditions: Conditions) -> Related:
        needed = set(related_kinds(kind, conditions))
        return Related(
            replica_sets=await self._objects.plain(REPLICA_SETS, {OWNER: owners})
            if "replicasets" in needed
            else None,
            services=await self._objects.plain(SERVICES) if "services" in needed else None,
        )

    async def _kind(self, resource: str, namespace: str | None) -> Kind:
        """The kind of that name, or else, read as the caller, whatever the cluster calls so."""
        kind = KINDS.get(resource)
        if kind is None:
            with translated():
                served = await self._discovery.find(resource)
            kind = Kind((served,), as_caller=True) if served else None
        if kind is None or (namespace is not None and not kind.namespaced):
            raise NotFound(f"namespaced resource {resource} not found")
        return kind

    async def _told_by(self, kind: Kind) -> Cache | None:
        source = _ANNOTATED_FROM.get(kind.name)
        return await self._objects.cached(KINDS[source]) if source and not kind.as_caller else None


def _never() -> bool:
    return False


def _there(*caches: Cache | None) -> tuple[Cache, ...]:
    return tuple(cache for cache in caches if cache is not None)


def _version(caches: Iterable[Cache]) -> Version:
    return tuple([(cache.resource.version, cache.changes, cache.served) for cache in caches])


def _annotated(kind: Kind, items: list[bytes], told_by: Cache | None) -> list[bytes]:
    if told_by is None:
        return items
    if kind.name == "persistentvolumeclaims":
        return annotations.with_use(items, told_by)
    return annotations.with_claim_count(items, told_by)
