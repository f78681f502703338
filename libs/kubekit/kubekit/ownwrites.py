"""Reading one's own writes from a cache that has not seen them yet.

A write returns the object as stored, some milliseconds before the watch tells of it. Whoever compares
wanted objects with the cache in between would write them once more.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from time import monotonic

from kubekit.cache import Cache, Change
from kubekit.objects import key_of
from kubekit.resource import Object, Resource
from kubekit.store import Key

TRUSTED = 10.0
"""Seconds that a write is believed over the cache; watches lag less."""

REMEMBERED = 10_000
"""Writes remembered at most; beyond it, a write may be repeated."""

CAUSE: ContextVar[Key | None] = ContextVar("CAUSE", default=None)
"""What is reconciled, in the task that reconciles it."""


_Place = tuple[Resource, Key]


@dataclass(frozen=True, slots=True)
class _Write:
    at: float
    obj: Object
    by: Key | None
    cause: Key | None
    """`by`, until that is reconciled once more."""


class OwnWrites:
    """Remembers what was written until the cache of its resource has caught up."""

    def __init__(self) -> None:
        self._written: dict[_Place, _Write] = {}
        self._caused: dict[Key, set[_Place]] = {}
        """Of what is reconciled, the writes that its last reconciliation has made and no cache has yet."""

    def follow(self, cache: Cache) -> Callable[[], None]:
        """Forgets what `cache` catches up with. Gives the undo."""

        def seen(change: Change) -> None:
            place = (cache.resource, change.key)
            written = self._written.get(place)
            if written is not None and _caught_up(change.object, written.obj):
                self._forget(place)

        return cache.subscribe(seen)

    def note(self, resource: Resource, obj: Object) -> None:
        """Remembers an object as a write returned it."""
        place, cause = (resource, key_of(obj)), CAUSE.get()
        self._forget(place)
        if len(self._written) < REMEMBERED:
            self._written[place] = _Write(monotonic(), obj, cause, cause)
            if cause is not None:
                self._caused.setdefault(cause, set()).add(place)

    def begin(self, cause: Key) -> None:
        """It is reconciled once more, maybe from caches that lack what the last time wrote.

        So what they tell of that later is news.
        """
        for place in self._caused.pop(cause, ()):
            self._written[place] = replace(self._written[place], cause=None)

    def cause(self, resource: Resource, change: Change) -> Key | None:
        """What was reconciled when this very version was written, and not since: it knows of `change`."""
        written = self._written.get((resource, change.key))
        if written is None or change.version != written.obj["metadata"]["resourceVersion"]:
            return None
        return written.cause

    def overdue(self) -> set[Key]:
        """What is to be reconciled anew, as no cache has come to know of a write of it for TRUSTED seconds.

        Others may have deleted the object unseen: a cache that lists anew tells nothing of what it never had.
        """
        late = [place for place, write in self._written.items() if monotonic() - write.at > TRUSTED]
        keys = {by for place in late if (by := self._written[place].by) is not None}
        for place in late:
            self._forget(place)
        return keys

    def latest(self, cache: Cache, key: Key) -> Object | None:
        """The object as last known: as written, until the cache has it as new; None when there is none."""
        present = cache.get(key.name, key.namespace)
        place = (cache.resource, key)
        written = self._written.get(place)
        if written is None:
            return present
        caught_up = present is not None and _caught_up(present, written.obj)
        if caught_up or monotonic() - written.at > TRUSTED:
            self._forget(place)
            return present
        return written.obj

    def _forget(self, place: _Place) -> None:
        written = self._written.pop(place, None)
        if written is None or written.cause is None:
            return
        places = self._caused[written.cause]
        places.discard(place)
        if not places:
            del self._caused[written.cause]


def _caught_up(seen: Object, written: Object) -> bool:
    """Whether `seen` is no older than `written`, as far as they are the same object.

    Resource versions of one resource are integers that grow:
    https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions.
    """
    have, wrote = seen["metadata"], written["metadata"]
    return have["uid"] == wrote["uid"] and _version(have["resourceVersion"]) >= _version(
        wrote["resourceVersion"]
    )


def _version(text: str) -> int:
    return int(text) if text.isdecimal() else 0
