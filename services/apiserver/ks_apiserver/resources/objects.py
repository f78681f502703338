"""The objects that searches read: caches that start when somebody first asks, or read as the caller."""

import asyncio
from collections.abc import Mapping
from time import monotonic

from ks_apiserver.clients.kubernetes import filled, translated
from ks_apiserver.conditions import add_indexes
from ks_apiserver.resources.kinds import Kind
from ks_apiserver.resources.versions import Versions
from kubekit.cache import Cache, IndexFn
from kubekit.cluster import Cluster, Impersonation
from kubekit.resource import Resource
from servicekit.errors import BadRequest
from servicekit.identity import Identity

FILL_TIMEOUT = 20.0
"""Seconds that a request waits for a cache which starts with it."""
_LOOK_EVERY = 0.02
LOOK_AGAIN = 2.0
"""Seconds until the cluster is asked again whether it serves an API by now."""

READ_PAGE = 500
READ_MOST = 20_000
"""Objects that are read as the caller: in one page, and for one answer."""


class Objects:
    """One cache for each kind, shared with whoever else reads it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._versions = Versions(cluster)
        self._filled: dict[str, Cache] = {}
        self._absent: dict[str, tuple[float, Cache]] = {}

    async def of(self, kind: Kind, caller: Identity, namespace: str | None) -> Cache:
        """Where the kind's objects rest, with its indexes: at least those of `namespace`, if there is one.

        Raises Unavailable while they were never read, and Forbidden where Kubernetes refuses the caller. An
        API that the cluster does not serve has no objects.
        """
        if kind.as_caller:
            return await self._read(kind, caller, namespace)
        return await self.cached(kind)

    async def cached(self, kind: Kind) -> Cache:
        """The cache of a kind that is not read as the caller. Raises Unavailable until it was filled once."""
        known = self._filled.get(kind.name)
        if known is not None and known.served:
            return known
        until, absent = self._absent.get(kind.name, (0.0, None))
        if absent is not None and not absent.served and monotonic() < until:
            return absent
        with translated():
            resource = await self._versions.served(kind.served)
        cache = await self.plain(resource, indexes_of(kind))
        if cache.served:
            self._filled[kind.name] = cache
        else:
            self._versions.forget(resource)
            self._absent[kind.name] = monotonic() + LOOK_AGAIN, cache
        return cache

    async def plain(self, resource: Resource, indexes: Mapping[str, IndexFn] | None = None) -> Cache:
        """The cache of any resource; empty when its API is not served. Raises Unavailable likewise."""
        cache = add_indexes(self._cluster.cache(resource, index=indexes, required=False))
        try:
            async with asyncio.timeout(FILL_TIMEOUT):
                while cache.served and not cache.is_synced and cache.state.error is None:  # noqa: ASYNC110  three ends
                    await asyncio.sleep(_LOOK_EVERY)
        except TimeoutError:
            pass  # what is missing is told by what follows
        return filled(cache) if cache.served else cache

    async def _read(self, kind: Kind, caller: Identity, namespace: str | None) -> Cache:
        """A cache for this one answer, of what Kubernetes lets the caller list."""
        resource = kind.served[0]
        cache = add_indexes(Cache(resource, namespace))
        for name, fn in indexes_of(kind).items():
            cache.add_index(name, fn)
        as_user = Impersonation(caller.user, caller.groups)
        token: str | None = None
        with translated():
            while token != "":
                found = await self._cluster.list(
                    resource, namespace, limit=READ_PAGE, continue_=token, as_user=as_user
                )
                for item in found.items:
                    cache.put(item)
                if len(cache) > READ_MOST:
                    raise BadRequest(
                        f"there are more than {READ_MOST} {resource.plural}; ask for those of one namespace",
                        reason="TooMany",
                    )
                token = found.continue_
        return cache


def indexes_of(kind: Kind) -> dict[str, IndexFn]:
    """What a kind's objects are searched and sorted by, beside what all kinds have."""
    return {**kind.indexes, **{name: order.time for name, order in kind.orders.items()}}
