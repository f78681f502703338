"""Objects at rest: trimmed JSON bytes, a row of what is searched and sorted by, and index keys.

A decoded pod takes about 16 KB of dictionaries, its trimmed bytes 3 KB; few of the objects that rest are
ever read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from sys import intern
from typing import Any, NamedTuple, cast

import orjson

from kubekit.ordering import OrderFn, Ordering
from kubekit.resource import Object

Indexed = tuple[tuple[str, tuple[str, ...]], ...]
"""What a row is filed under: index names and values."""

IndexValues = str | Iterable[str] | None
IndexFn = Callable[[Object], IndexValues]
"""What to find an object by: a value, several, or None to leave it out of the index."""


class Key(NamedTuple):
    """Names an object within its resource; `namespace` is None for a cluster-scoped one."""

    namespace: str | None
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class Row:
    """An object at rest. `created` is its RFC 3339 creationTimestamp, which sorts as text."""

    __slots__ = ("created", "indexed", "key", "raw", "uid", "version")

    def __init__(self, key: Key, obj: Object) -> None:
        metadata: Mapping[str, Any] = obj["metadata"]
        self.key = key
        # A copy of the right size: the encoder shrinks a buffer twice as large, whose rest nothing else fits.
        self.raw = bytes(memoryview(orjson.dumps(obj)))
        self.created: str = metadata.get("creationTimestamp") or ""
        self.uid: str = metadata.get("uid") or ""
        self.version: str = metadata.get("resourceVersion") or ""
        self.indexed: Indexed = ()

    @property
    def name(self) -> str:
        """The object's name."""
        return self.key.name

    @property
    def namespace(self) -> str | None:
        """The object's namespace, None when cluster-scoped."""
        return self.key.namespace

    def values(self, index: str) -> tuple[str, ...]:
        """What the object is found by in an index, without decoding it."""
        return next((values for name, values in self.indexed if name == index), ())

    def decode(self) -> Object:
        """A fresh object that the caller may change."""
        return cast("Object", orjson.loads(self.raw))


class Index:
    """Rows by the values of a function. An object that it fails on is left out, and told to `failed`."""

    def __init__(self, fn: IndexFn, failed: Callable[[Key, Exception], None]) -> None:
        self.fn = fn
        self._failed = failed
        self._rows: dict[str, dict[Key, Row]] = {}

    def values(self, row: Row, obj: Object) -> tuple[str, ...]:
        """What `obj` is to be found by."""
        try:
            found = self.fn(obj)
        except Exception as error:
            self._failed(row.key, error)
            return ()
        if found is None:
            return ()
        return (intern(found),) if isinstance(found, str) else tuple(map(intern, dict.fromkeys(found)))

    def put(self, row: Row, values: Iterable[str]) -> None:
        """Files a row under values."""
        for value in values:
            self._rows.setdefault(value, {})[row.key] = row

    def drop(self, row: Row, values: Iterable[str]) -> None:
        """Removes a row from under values; a value without rows takes no memory."""
        for value in values:
            rows = self._rows[value]
            del rows[row.key]
            if not rows:
                del self._rows[value]

    def rows(self, value: str) -> Mapping[Key, Row]:
        """The rows filed under a value."""
        return self._rows.get(value, {})


class Store:
    """Rows by key, by namespace, and by the values of any number of indexes."""

    def __init__(self, failed: Callable[[Key, Exception], None]) -> None:
        self.rows: dict[Key, Row] = {}
        self.bytes = 0
        self._namespaces: dict[str, dict[Key, Row]] = {}
        self._indexes: dict[str, Index] = {}
        self._failed = failed
        self._orders: dict[OrderFn, Ordering] = {}

    def put(self, obj: Object) -> Row | None:
        """Takes an object in. Gives the row that it replaces."""
        metadata = obj["metadata"]
        namespace = metadata.get("namespace")
        key = Key(intern(namespace) if namespace else None, metadata["name"])
        old = self.rows.get(key)
        if old is not None:
            # The key's strings are shared by every structure that holds them, and by the row that follows.
            key = old.key
            self._unfile(old)
        row = Row(key, obj)
        self.rows[key] = row
        self.bytes += len(row.raw)
        if key.namespace is not None:
            self._namespaces.setdefault(key.namespace, {})[key] = row
        for name, index in self._indexes.items():
            self._file(name, index, row, obj)
        for ordering in self._orders.values():
            ordering.add(row)
        return old

    def remove(self, key: Key) -> Row | None:
        """Forgets an object. Gives its last row."""
        row = self.rows.pop(key, None)
        if row is not None:
            self._unfile(row)
        return row

    def ordered(self, by: OrderFn) -> Ordering:
        """Every row in an order, sorted when first asked for and kept up since."""
        ordering = self._orders.get(by)
        if ordering is None:
            ordering = self._orders[by] = Ordering(by, self.rows.values())
        return ordering

    def namespace(self, namespace: str) -> Mapping[Key, Row]:
        """The rows of a namespace."""
        return self._namespaces.get(namespace, {})

    def index(self, name: str) -> Index:
        """An index by its name. Raises KeyError with the names there are."""
        try:
            return self._indexes[name]
        except KeyError:
            raise KeyError(f"no index {name!r}; there are {sorted(self._indexes)}") from None

    def has_index(self, name: str) -> bool:
        """Whether there is an index of that name."""
        return name in self._indexes

    def add_index(self, name: str, fn: IndexFn) -> None:
        """Adds an index over what is and will be there. Raises ValueError for a name in other use."""
        present = self._indexes.get(name)
        if present is not None:
            if not _same(present.fn, fn):
                raise ValueError(f"index {name!r} is there already, with another function")
            return
        self._orders.clear()  # they may read what rows are indexed by
        index = self._indexes[name] = Index(fn, self._failed)
        for row in self.rows.values():
            self._file(name, index, row, row.decode())

    def _file(self, name: str, index: Index, row: Row, obj: Object) -> None:
        values = index.values(row, obj)
        if values:
            row.indexed = (*row.indexed, (name, values))
            index.put(row, values)

    def _unfile(self, row: Row) -> None:
        self.bytes -= len(row.raw)
        for ordering in self._orders.values():
            ordering.drop(row)
        for name, values in row.indexed:
            self._indexes[name].drop(row, values)
        if row.namespace is not None:
            rows = self._namespaces[row.namespace]
            del rows[row.key]
            if not rows:
                del self._namespaces[row.namespace]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows.values())

    def __len__(self) -> int:
        return len(self.rows)


def _same(one: IndexFn, other: IndexFn) -> bool:
    """Whether two functions are the same, or have the same code and no closure."""
    if one is other:
        return True
    code, closure = getattr(one, "__code__", None), getattr(one, "__closure__", None)
    return code is not None and closure is None and code == getattr(other, "__code__", None)
