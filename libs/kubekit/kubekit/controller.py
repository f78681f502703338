"""Controllers: level-triggered loops that bring the cluster to what an object asks for.

A controller says what it reconciles, what it owns and what else wakes it; queues, retries, workers and
metrics are here.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from time import monotonic, time
from typing import ClassVar

from kubekit import metrics
from kubekit.applier import Applier
from kubekit.cache import Cache, Change
from kubekit.cluster import Cluster
from kubekit.errors import Conflict, KubernetesError
from kubekit.objects import controller_of
from kubekit.queue import QueueClosed, QueueFull, QueueLimits, WorkQueue
from kubekit.resource import Object, Resource
from kubekit.store import Key

__all__ = ["DONE", "Controller", "ControllerManager", "Key", "MapFn", "Outcome", "RequeueAfter"]

log = logging.getLogger(__name__)

FAILURES_KEPT = 1000

OVERDUE_EVERY = 5.0
"""Seconds between looks for writes that the caches do not come to know of."""

MapFn = Callable[[Object], Iterable[Key]]
"""Which objects a change of another one concerns."""


@dataclass(frozen=True, slots=True)
class RequeueAfter:
    """Reconciled for now; look again in `seconds`, whatever happens."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Failure:
    """The last time that a key could not be reconciled; `at` is a Unix time."""

    error: str
    at: float


class Done:
    """Reconciled; the next change wakes it again."""

    def __repr__(self) -> str:
        return "DONE"


DONE = Done()
Outcome = Done | RequeueAfter


class Controller:
    """One kind of object, and the loop that makes it so. Subclasses set the attributes and write `reconcile`.

    reconciles: the resource whose keys are reconciled.
    owns: resources whose objects this controller makes; a change of one wakes its owner.
    watches: other resources, each with a function from its objects to the keys that they concern.
    workers: how many keys are reconciled at the same time; one key never is twice.
    timeout: seconds after which one reconciliation is given up and retried.
    limits: of the work queue, retries included.
    """

    name: str = ""
    reconciles: Resource
    owns: tuple[Resource, ...] = ()
    watches: Mapping[Resource, MapFn] = {}
    workers: int = 1
    timeout: float = 120
    limits: ClassVar[QueueLimits] = QueueLimits()

    def __init__(self, cluster: Cluster) -> None:
        self.name = self.name or type(self).__name__.removesuffix("Controller").lower()
        self.cluster = cluster
        resources = {self.reconciles, *self.owns, *self.watches}
        self.cache: Mapping[Resource, Cache] = {resource: cluster.cache(resource) for resource in resources}
        self._applier = Applier(cluster, self.cache, self.name, self.merge)
        self._applier.index_owners(self.owns)
        self.queue: WorkQueue[Key] = WorkQueue(self.name, self.limits)
        self.failures: OrderedDict[Key, Failure] = OrderedDict()
        """Of the keys whose last reconciliation failed; of the latest FAILURES_KEPT."""
        self.running = False
        """Whether workers are at work: not before every cache was filled."""
        self._overflowed = False
        self._metrics = metrics.ControllerMetrics(self.name)

    async def reconcile(self, key: Key) -> Outcome:
        """Brings the cluster to what the object that `key` names asks for. It may be gone, or being deleted.

        Must be idempotent and read from the cache. Raise to be called again, later and later.
        """
        raise TypeError(f"{type(self).__name__} must define reconcile()")

    def merge(self, present: Object, wanted: Object) -> Object:
        """What `apply` should make of an object that is there: override to keep what others added to a list.

        See kubekit.apply.keep_items. The result is written only if nobody changed the object meanwhile.
        """
        return wanted

    async def apply(self, owner: Object | None, objects: Iterable[Object], *, prune: bool = False) -> int:
        """Makes `objects` as given; writes only what differs. Gives the number of writes.

        Each has apiVersion, kind and metadata, and is of a resource in `owns` or `watches`. With an
        `owner`, it becomes their controller; with `prune`, what it controls and is not among them is
        deleted. Raises OwnedByAnother, ValueError, and KubernetesError for what the cluster refuses.
        """
        wanted = list(objects)
        writes = await self._applier.apply(owner, wanted)
        if prune:
            if owner is None:
                raise ValueError("prune needs an owner: nothing else tells which objects to delete")
            writes += await self._applier.prune(owner, wanted)
        return writes

    async def patch(
        self, resource: Resource, obj: Object, patch: Object, *, subresource: str | None = None
    ) -> None:
        """Sends a merge patch of `obj`; nothing where the patch is empty, or the object gone meanwhile.

        Raises KubernetesError, and Contested where something else undoes the same patch again and again.
        """
        await self._applier.patch(resource, obj, patch, subresource)

    async def replace(self, resource: Resource, obj: Object, wanted: Object) -> None:
        """Replaces an object, which carries the version it was read at, so that it says what is `wanted`.

        Raises Conflict where it changed since, other KubernetesErrors, and Contested as `patch` does.
        """
        await self._applier.replace(resource, obj, wanted)

    def latest(self, resource: Resource, key: Key) -> Object | None:
        """An object of the cache; or as this controller has written it, until the cache has that too."""
        return self._applier.latest(resource, key)

    async def run(self, stop: asyncio.Event) -> None:
        """Reconciles until `stop` is set, then lets the workers finish what they are at."""
        metrics.MAX_WORKERS.labels(self.name).set(self.workers)
        workers: list[asyncio.Task[None]] = []
        others: list[asyncio.Task[None]] = []
        unsubscribe: list[Callable[[], None]] = []
        try:
            if not await self._synced(stop):
                return
            unsubscribe = self._subscribe()
            workers = [
                asyncio.create_task(self._work(), name=f"{self.name} worker {number}")
                for number in range(self.workers)
            ]
            others.append(asyncio.create_task(self._look_after_writes(), name=f"{self.name} writes"))
            self.running = True
            log.info("%s: started with %d workers", self.name, self.workers)
            await stop.wait()
            await self.queue.shut_down()
            await asyncio.gather(*workers)
        finally:
            self.running = False
            for undo in unsubscribe:
                undo()
            for task in (*workers, *others):
                task.cancel()
            await asyncio.gather(*workers, *others, return_exceptions=True)
            # Whoever runs this controller again, having led again, starts from every object anew.
            self.queue = WorkQueue(self.name, self.limits)

    async def _look_after_writes(self) -> None:
        while True:
            await asyncio.sleep(OVERDUE_EVERY)
            self._wake(self._applier.overdue())

    async def _synced(self, stop: asyncio.Event) -> bool:
        """Waits for the caches, or for `stop`. Gives whether the caches are synced."""
        stopped = asyncio.create_task(stop.wait())
        filled = asyncio.gather(*(cache.synced() for cache in self.cache.values()))
        try:
            await asyncio.wait({stopped, filled}, return_when=asyncio.FIRST_COMPLETED)
            return not stop.is_set()
        finally:
            stopped.cancel()
            filled.cancel()
            await asyncio.gather(stopped, filled, return_exceptions=True)

    def _subscribe(self) -> list[Callable[[], None]]:
        maps: list[tuple[Resource, MapFn]] = [(resource, self._owner_of) for resource in self.owns]
        maps += self.watches.items()
        unsubscribe = [self.cache[self.reconciles].subscribe(lambda change: self._wake([change.key]))]
        for resource, keys_of in maps:

            def wake(change: Change, resource: Resource = resource, keys_of: MapFn = keys_of) -> None:
                cause = self._applier.cause(resource, change)
                for obj in (change.old, change.new):
                    self._wake(key for key in (keys_of(obj) if obj else ()) if key != cause)

            unsubscribe.append(self.cache[resource].subscribe(wake))
        # Last, as it forgets causes.
        return unsubscribe + self._applier.follow()

    def _owner_of(self, obj: Object) -> Iterable[Key]:
        reference = controller_of(obj)
        if reference is None or reference["kind"] != self.reconciles.kind:
            return
        # An owner of another version of the same group is the same owner.
        if reference["apiVersion"].rpartition("/")[0] == self.reconciles.group:
            namespace = obj["metadata"].get("namespace") if self.reconciles.namespaced else None
            yield Key(namespace, reference["name"])

    def _wake(self, keys: Iterable[Key]) -> None:
        try:
            for key in keys:
                self.queue.add(key)
        except QueueFull as error:
            if not self._overflowed:
                log.warning("%s; every %s is reconciled once it is worked off", error, self.reconciles.kind)
            self._overflowed = True

    async def _work(self) -> None:
        while True:
            try:
                key = await self.queue.get()
            except QueueClosed:
                return
            try:
                await self._process(key)
            finally:
                self.queue.done(key)
            if self._overflowed and len(self.queue) == 0:
                self._overflowed = False
                self._wake(self.cache[self.reconciles].keys())

    async def _process(self, key: Key) -> None:
        started = monotonic()
        result = "error"
        self._metrics.active.inc()
        self._applier.begin(key)
        try:
            async with asyncio.timeout(self.timeout):
                outcome = await self.reconcile(key)
            self.queue.forget(key)
            self.failures.pop(key, None)
            result = "success"
            if isinstance(outcome, RequeueAfter):
                result = "requeue_after"
                self._later(key, outcome.seconds)
        except Conflict as error:
            result = "requeue"
            log.debug("%s: %s changed meanwhile, trying again: %s", self.name, key, error)
            self._retry(key)
        except Exception as error:
            self._metrics.errors.inc()
            self._report(key, error)
            self._retry(key)
        finally:
            self._metrics.active.dec()
            self._metrics.seconds.observe(monotonic() - started)
            self._metrics.results[result].inc()

    def _report(self, key: Key, error: Exception) -> None:
        tries = self.queue.retries(key) + 1
        self.failures[key] = Failure(str(error) or type(error).__name__, time())
        self.failures.move_to_end(key)
        if len(self.failures) > FAILURES_KEPT:
            self.failures.popitem(last=False)
        if isinstance(error, TimeoutError):
            log.warning("%s: %s took longer than %.0f s (try %d)", self.name, key, self.timeout, tries)
        elif isinstance(error, KubernetesError):
            log.warning("%s: %s failed (try %d): %s", self.name, key, tries, error)
        else:
            log.error("%s: %s failed (try %d)", self.name, key, tries, exc_info=error)

    def _later(self, key: Key, seconds: float) -> None:
        try:
            self.queue.add_after(key, seconds)
        except QueueFull:
            self._overflowed = True

    def _retry(self, key: Key) -> None:
        try:
            self.queue.add_rate_limited(key)
        except QueueFull:
            self._overflowed = True


class ControllerManager:
    """Runs controllers side by side; what goes wrong in one stays in it."""

    name = "controllers"

    def __init__(self, cluster: Cluster, controllers: Iterable[Controller]) -> None:
        self.cluster = cluster
        self.controllers = tuple(controllers)

    async def run(self, stop: asyncio.Event) -> None:
        """Runs every controller until `stop` is set and all have finished what they were at."""
        await asyncio.gather(*(self._keep_running(controller, stop) for controller in self.controllers))

    async def _keep_running(self, controller: Controller, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await controller.run(stop)
            except Exception:
                log.exception("%s: stopped unexpectedly, starting it again", controller.name)
                await asyncio.sleep(1)
