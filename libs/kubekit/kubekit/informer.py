"""Keeps a cache in step with the cluster: list in pages, watch with bookmarks, resume, and list again when
too late.

https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes says how the
API means it. What is relied on: a list without resourceVersion is at least as new as anything seen before;
a watch from the version of a list, or of any later event or bookmark, misses nothing and repeats nothing;
410 says that the version is too old.
"""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Callable
from time import monotonic
from typing import Protocol

from kubekit import metrics
from kubekit.cache import Cache
from kubekit.errors import Gone, KubernetesError, NotFound
from kubekit.heap import give_back
from kubekit.objects import key_of
from kubekit.pages import RawPage
from kubekit.resource import Resource
from kubekit.store import Key
from kubekit.watch import WatchEvent

log = logging.getLogger(__name__)

BACKOFF_BASE = 0.5
BACKOFF_CAP = 15.0
"""Seconds: the n-th retry in a row waits at random up to BACKOFF_BASE * 2**n, or the cap."""

NOT_SERVED_RETRY = (1.0, 3.0)
"""Seconds between looks for an API that is not served, such as a CRD yet to be created."""


class Source(Protocol):
    """What an informer needs of a cluster."""

    async def list_page(
        self, resource: Resource, namespace: str | None, *, limit: int, continue_: str
    ) -> RawPage: ...

    def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str,
        opened: Callable[[], None],
    ) -> AsyncGenerator[WatchEvent, None]: ...


class Informer:
    """Fills one cache for as long as it runs. Failures are kept in the cache's state and retried."""

    def __init__(self, source: Source, cache: Cache, page_size: int = 500) -> None:
        self.cache = cache
        self._source = source
        self._page_size = page_size
        self._version: str | None = None
        self._failures = 0
        self._missing = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Starts to fill the cache, once."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"informer {self.cache.resource}")

    async def stop(self) -> None:
        """Stops, and waits until it has."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while True:
            try:
                if self._version is None:
                    await self._list()
                await self._watch()
            except Gone as error:
                log.info(
                    "%s: version %s is too old, listing again: %s", self.cache.resource, self._version, error
                )
                self._version = None
                await self._failed(error)
            except NotFound as error:
                await self._not_served(error)
            except KubernetesError as error:
                await self._failed(error)
            except Exception as error:
                # An object that breaks a rule, or a mistake of ours. Start over from a list rather than
                # skip a change.
                log.exception("%s: unexpected failure, listing again", self.cache.resource)
                self._version = None
                await self._failed(KubernetesError(f"{type(error).__name__}: {error}"))

    async def _list(self) -> None:
        """Brings the cache to the state of a list, page by page, without ever holding all of it decoded."""
        metrics.CACHE_LISTS.labels(str(self.cache.resource)).inc()
        seen: set[Key] = set()
        token = ""
        while True:
            page = await self._source.list_page(
                self.cache.resource, self.cache.namespace, limit=self._page_size, continue_=token
            )
            for obj in page.objects(self.cache.resource):
                seen.add(key_of(obj))
                self.cache.put(obj)
            self._heard()
            token = page.continue_
            if not token:
                break
        for key in self.cache.keys():  # noqa: SIM118  a list, not a view
            if key not in seen:
                self.cache.remove(key)
        self._version = page.resource_version
        self.cache.mark_synced()
        give_back()

    async def _watch(self) -> None:
        """Takes in changes from where the cache stands, until the server ends the watch."""
        assert self._version is not None
        started = monotonic()
        # An accepted watch is a sign of life: a quiet resource may have no event, nor bookmark, for a minute.
        events = self._source.watch(
            self.cache.resource,
            self.cache.namespace,
            resource_version=self._version,
            opened=self._heard,
        )
        heard = False
        try:
            async for event in events:
                heard = True
                self._take(event)
                self._heard()
                self._failures = 0
        finally:
            await events.aclose()
            if monotonic() - started > BACKOFF_CAP:
                self._failures = 0
        if not heard and monotonic() - started < 1:
            # A server that accepts watches only to end them must not be asked in a tight loop.
            await self._pause()

    def _take(self, event: WatchEvent) -> None:
        version = event.resource_version
        if event.type == "DELETED":
            self.cache.remove(key_of(event.object))
        elif event.type != "BOOKMARK":
            self.cache.put(event.object)
        self._version = version

    def _heard(self) -> None:
        # Failures count on until a watch works: a list that succeeds before every watch that fails is costly.
        self._missing = 0
        self.cache.served = True
        self.cache.state.succeeded()

    async def _failed(self, error: KubernetesError) -> None:
        metrics.CACHE_FAILURES.labels(str(self.cache.resource)).inc()
        self.cache.state.failed(error)
        await self._pause()

    async def _not_served(self, error: NotFound) -> None:
        """The API is not there: twice in a row, as one wrong answer should empty no cache."""
        self._missing += 1
        self._version = None
        self.cache.state.failed(error)
        if self._missing > 1 or not self.cache.is_synced:
            self.cache.served = False
            for key in self.cache.keys():  # noqa: SIM118  a list, not a view
                self.cache.remove(key)
        await asyncio.sleep(random.uniform(*NOT_SERVED_RETRY))  # noqa: S311  spreads load

    async def _pause(self) -> None:
        self._failures += 1
        longest = min(BACKOFF_CAP, BACKOFF_BASE * 2**self._failures)
        await asyncio.sleep(random.uniform(0.02, longest))  # noqa: S311  spreads load
