"""Caches of the kinds that Applications consist of: one a kind, for as long as an Application names it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from ks_controller_manager.application.kinds import Kind
from ks_controller_manager.application.readiness import STATE, summary
from kubekit.cache import Cache, Change
from kubekit.cluster import Cluster
from kubekit.errors import KubernetesError, Unreachable
from kubekit.informer import Informer
from kubekit.resource import Resource

MAX_WATCHED = 100
"""Kinds that are watched at once, over all Applications."""

PATIENCE = 5.0
"""Seconds that a new cache is given to fill before something is said of it."""

Handler = Callable[[Kind, Change], None]


class TooManyKinds(Exception):
    """Applications name more kinds than are watched at once."""


class Components:
    """Objects of any kind as summaries; `changed` is told of every change that an Application may show."""

    def __init__(self, cluster: Cluster, changed: Handler) -> None:
        self._cluster = cluster
        self._changed = changed
        self._informers: dict[Kind, Informer] = {}

    async def cache(self, kind: Kind, resource: Resource) -> Cache:
        """The filled cache of a kind. Raises TooManyKinds, or KubernetesError while it cannot be filled."""
        informer = self._informers.get(kind)
        if informer is not None and informer.cache.resource != resource:
            await self._release(kind)  # served in another version now
            informer = None
        if informer is None:
            informer = self._watch(kind, resource)
        await _filled(informer.cache)
        return informer.cache

    async def keep(self, named: Callable[[Kind], bool]) -> None:
        """Releases the caches of kinds that are not named any more."""
        for kind in [kind for kind in self._informers if not named(kind)]:
            await self._release(kind)

    async def close(self) -> None:
        """Releases all of them."""
        await self.keep(lambda _kind: False)

    def _watch(self, kind: Kind, resource: Resource) -> Informer:
        if len(self._informers) >= MAX_WATCHED:
            raise TooManyKinds(f"{kind} is not watched: applications name more than {MAX_WATCHED} kinds")
        informer = self._informers[kind] = Informer(self._cluster, Cache(resource, trim=summary))

        def tell(change: Change) -> None:
            if change.old is None or change.new is None or _shown(change.old) != _shown(change.new):
                self._changed(kind, change)

        informer.cache.subscribe(tell)
        informer.start()
        return informer

    async def _release(self, kind: Kind) -> None:
        informer = self._informers.pop(kind, None)
        if informer is not None:
            await informer.stop()


async def _filled(cache: Cache) -> None:
    """Waits until the cache is filled, or why it is not is known."""
    if not cache.is_synced and not _refused(cache.state.error):
        with suppress(Unreachable):
            await cache.synced(PATIENCE)
    cache.require()


def _refused(error: KubernetesError | None) -> bool:
    """Whether waiting would not help."""
    return error is not None and error.status in (401, 403)


def _shown(obj: dict[str, object]) -> tuple[object, ...]:
    metadata = obj["metadata"]
    assert isinstance(metadata, dict)
    return obj[STATE], metadata.get("labels"), metadata.get("ownerReferences"), metadata.get("uid")
