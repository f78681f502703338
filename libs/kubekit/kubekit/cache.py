"""A cache of one resource: what an informer fills, and everybody asks and subscribes to."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from time import monotonic
from typing import Any, Literal

from kubekit import metrics
from kubekit.errors import KubernetesError, NotServed, Unreachable
from kubekit.resource import Object, Resource
from kubekit.selection import Selection
from kubekit.store import IndexFn, Key, Row, Store

log = logging.getLogger(__name__)

__all__ = ["Cache", "Change", "Handler", "IndexFn", "Key", "Row", "TrimFn", "default_trim"]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

GRACE = 5.0
"""Seconds that a filled cache may fail before `check` says so: a watch that breaks is mostly back at once."""

ChangeType = Literal["added", "changed", "deleted"]
_CHANGES: tuple[ChangeType, ...] = ("added", "changed", "deleted")
TrimFn = Callable[[Object], Object]


def default_trim(obj: Object) -> Object:
    """Drops what no reader of a cache needs: managedFields and kubectl's copy of what was last applied."""
    metadata: dict[str, Any] = obj["metadata"]
    metadata.pop("managedFields", None)
    annotations: dict[str, str] | None = metadata.get("annotations")
    if annotations and annotations.pop(LAST_APPLIED, None) is not None and not annotations:
        del metadata["annotations"]
    return obj


class Change:
    """Something happened to the object that `key` names. `old` and `new` are decoded once, when first
    asked for.

    They are shared by all subscribers, which must not change them. `old` is None for "added", `new` for
    "deleted".
    """

    def __init__(self, kind: ChangeType, key: Key, old: Row | None, new: Row | None) -> None:
        self.type: ChangeType = kind
        self.key = key
        self._old = old
        self._new = new

    @cached_property
    def old(self) -> Object | None:
        """The object as it was."""
        return self._old.decode() if self._old else None

    @cached_property
    def new(self) -> Object | None:
        """The object as it is."""
        return self._new.decode() if self._new else None

    @property
    def version(self) -> str:
        """The resource version of the object as it is; empty for "deleted"."""
        return self._new.version if self._new else ""

    @property
    def object(self) -> Object:
        """The object as it is, or as it last was."""
        found = self.new or self.old
        assert found is not None
        return found

    def __repr__(self) -> str:
        return f"Change({self.type} {self.key})"


Handler = Callable[[Change], None]


@dataclass(slots=True)
class State:
    """How an informer does: its failure and since when (monotonic), and when it last heard anything."""

    error: KubernetesError | None = None
    failing_since: float | None = None
    heard: float | None = None

    def succeeded(self) -> None:
        """The server was heard."""
        self.error = self.failing_since = None
        self.heard = monotonic()

    def failed(self, error: KubernetesError) -> None:
        """A list or watch failed."""
        self.error = error
        self.failing_since = self.failing_since or monotonic()

    @property
    def age(self) -> float | None:
        """Seconds since the server was last heard; None when never."""
        return None if self.heard is None else monotonic() - self.heard


class Cache:
    """The objects of a resource as the cluster last told. Reads never leave the process."""

    def __init__(self, resource: Resource, namespace: str | None = None, trim: TrimFn = default_trim) -> None:
        self.resource = resource
        self.namespace = namespace
        self.served = True
        """False while the cluster does not serve this API (no such CRD); the cache fills once it does."""
        self.state = State()
        self._trim = trim
        self._store = Store(self._index_failed)
        self._handlers: dict[int, Handler] = {}
        self._subscriptions = 0
        self._synced = asyncio.Event()
        self._failed_indexing = False
        label = str(resource)
        self._objects_metric = metrics.CACHE_OBJECTS.labels(label)
        self._bytes_metric = metrics.CACHE_BYTES.labels(label)
        self._events_metric = {kind: metrics.CACHE_EVENTS.labels(label, kind) for kind in _CHANGES}
        self.changes = 0
        """How many changes there have been: while it stays the same, so does every answer."""

    @property
    def is_synced(self) -> bool:
        """Whether the cache has once held everything; it stays true through later disturbances."""
        return self._synced.is_set()

    async def synced(self, timeout: float | None = None) -> None:  # noqa: ASYNC109  part of the contract
        """Waits until the cache holds everything. Raises Unreachable after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._synced.wait()
        except TimeoutError as error:
            raise Unreachable(f"{self.resource} were not listed within {timeout:g} s") from error

    def require(self) -> None:
        """Returns once the cache has been filled; raises why it is not: NotServed, or what its informer
        met last.

        For answering requests: what a filled cache holds may be old while the server is away, but never
        partial.
        """
        what = f"cache of {self.resource}"
        if not self.served:
            raise NotServed(
                f"{what}: the cluster does not serve {self.resource}; apply its CRD", 404, "NotFound"
            )
        if not self.is_synced:
            raise (self.state.error or Unreachable("not filled yet")).about(what)

    def check(self) -> None:
        """Raises why the cache is not in step with the cluster. An API that is not served is no failure."""
        if not self.served:
            return
        self.require()
        since = self.state.failing_since
        if self.state.error is not None and since is not None and monotonic() - since > GRACE:
            what = f"cache of {self.resource} (last heard of {self.state.age or 0:.0f} s ago)"
            raise self.state.error.about(what)

    def get(self, name: str, namespace: str | None = None) -> Object | None:
        """One object, decoded fresh; the caller may change it. None when there is none."""
        row = self._store.rows.get(Key(namespace, name))
        return row.decode() if row else None

    def row(self, key: Key) -> Row | None:
        """One object at rest."""
        return self._store.rows.get(key)

    def all(self, namespace: str | None = None) -> Iterator[Object]:
        """Every object, of one namespace or all, decoded one by one, as of the moment of the call."""
        rows = self._store if namespace is None else self._store.namespace(namespace).values()
        return (row.decode() for row in list(rows))

    def by(self, index: str, value: str) -> list[Object]:
        """The objects that an index files under a value. Raises KeyError when there is no such index."""
        return [row.decode() for row in self._store.index(index).rows(value).values()]

    def keys_by(self, index: str, value: str) -> list[Key]:
        """The keys that an index files under a value; nothing is decoded."""
        return list(self._store.index(index).rows(value))

    def count_by(self, index: str, value: str) -> int:
        """How many objects an index files under a value."""
        return len(self._store.index(index).rows(value))

    def keys(self, namespace: str | None = None) -> list[Key]:
        """The keys of all objects, of one namespace or all."""
        return list(self._store.rows if namespace is None else self._store.namespace(namespace))

    def select(
        self,
        namespace: str | None = None,
        index: tuple[str, str] | None = None,
        keys: Collection[Key] | None = None,
    ) -> Selection:
        """Objects to filter, sort and page: those of a namespace, filed by index ("name", "value"), and
        among `keys`, as far as given; all without any.
        """
        return Selection(self._store, namespace, index, keys)

    def add_index(self, name: str, fn: IndexFn) -> None:
        """Adds an index. Raises ValueError when one of that name does something else."""
        self._store.add_index(name, fn)

    def has_index(self, name: str) -> bool:
        """Whether there is an index of that name."""
        return self._store.has_index(name)

    def subscribe(self, handler: Handler) -> Callable[[], None]:
        """Calls `handler` for every object present, as "added", and from then on for every change. Gives
        the undo.

        Handlers run in the order of the changes and must return at once: put a key on a queue, set an event.
        """
        number = self._subscriptions = self._subscriptions + 1
        for row in list(self._store):
            self._tell(handler, Change("added", row.key, None, row))
        self._handlers[number] = handler

        def unsubscribe() -> None:
            self._handlers.pop(number, None)

        return unsubscribe

    def __len__(self) -> int:
        return len(self._store)

    def __contains__(self, key: object) -> bool:
        return key in self._store.rows

    @property
    def bytes(self) -> int:
        """Size of the objects at rest, their rows and indexes not counted."""
        return self._store.bytes

    def put(self, obj: Object) -> None:
        """For the informer: takes in an object and tells what changed; nothing, if the version is known."""
        metadata: Mapping[str, Any] = obj["metadata"]
        key = Key(metadata.get("namespace"), metadata["name"])
        old = self._store.rows.get(key)
        if (
            old is not None
            and old.version == metadata.get("resourceVersion")
            and old.uid == metadata.get("uid")
        ):
            return
        if old is not None and old.uid != metadata.get("uid"):
            # Deleted and created again unseen: whoever keeps state of the first must hear of its end.
            self.remove(key)
            old = None
        self._store.put(self._trim(obj))
        self._publish("changed" if old else "added", key, old, self._store.rows[key])

    def remove(self, key: Key) -> None:
        """For the informer: forgets an object, and tells so if it was there."""
        row = self._store.remove(key)
        if row is not None:
            self._publish("deleted", key, row, None)

    def mark_synced(self) -> None:
        """For the informer: everything has been listed once."""
        self._synced.set()

    def _publish(self, kind: ChangeType, key: Key, old: Row | None, new: Row | None) -> None:
        self.changes += 1
        self._events_metric[kind].inc()
        self._objects_metric.set(len(self._store))
        self._bytes_metric.set(self._store.bytes)
        if self._handlers:
            change = Change(kind, key, old, new)
            for handler in list(self._handlers.values()):
                self._tell(handler, change)

    def _tell(self, handler: Handler, change: Change) -> None:
        try:
            handler(change)
        except Exception:
            log.exception("a subscriber of %s failed on %r", self.resource, change)

    def _index_failed(self, key: Key, error: Exception) -> None:
        if not self._failed_indexing:
            self._failed_indexing = True
            log.warning("an index of %s failed on %s, which stays out of it: %r", self.resource, key, error)
