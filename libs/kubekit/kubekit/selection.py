"""Asking a cache: filter by index, sort by row, answer from bytes. Costs grow with what is selected."""

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import orjson

from kubekit.ordering import OrderFn, TextFn
from kubekit.resource import Object
from kubekit.store import Key, Row, Store

OrderBy = Literal["name", "createTime"]

_ORDERS: dict[str, OrderFn] = {
    "name": lambda row: (row.name, row.namespace or ""),
    "createTime": lambda row: (row.created, row.name, row.namespace or ""),
}


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the objects selected, as JSON bytes, and how many there are altogether."""

    total: int
    raw: Sequence[bytes]

    def objects(self) -> list[Object]:
        """Decoded, fresh."""
        return [orjson.loads(raw) for raw in self.raw]


class Selection:
    """Rows of a cache, narrowed step by step; nothing is walked or decoded before an answer is asked for."""

    def __init__(
        self,
        store: Store,
        namespace: str | None,
        index: tuple[str, str] | None,
        keys: Collection[Key] | None = None,
    ) -> None:
        self._store = store
        self._namespace = namespace
        self._index = index
        self._keys = keys
        self._where: tuple[Callable[[Row], bool], ...] = ()
        self._containing: tuple[TextFn, str] | None = None
        self._order: OrderFn = _ORDERS["name"]
        self._reverse = False

    def where(self, predicate: Callable[[Row], bool]) -> "Selection":
        """Keeps the rows for which `predicate` is true; it is asked before anything is decoded."""
        self._where = (*self._where, predicate)
        return self

    def containing(self, text: TextFn, part: str) -> "Selection":
        """Keeps the rows whose text contains `part`: quicker than a predicate where all rows are searched.

        `text` is one of a few functions, each defined once: the store keeps the texts.
        """
        if self._containing is not None:
            return self.where(lambda row: part in text(row))
        self._containing = text, part
        return self

    def order_by(self, field: OrderBy | OrderFn, reverse: bool = False) -> "Selection":
        """Sorts by name or creation time (ties by name, then namespace), or by a function that gives no two
        rows the same; it is one of a few, each defined once. Raises ValueError.
        """
        if isinstance(field, str):
            if field not in _ORDERS:
                raise ValueError(f"cannot order by {field!r}; possible are {sorted(_ORDERS)}")
            field = _ORDERS[field]
        self._order, self._reverse = field, reverse
        return self

    def page(self, limit: int | None = None, offset: int = 0) -> Page:
        """Objects `offset` to `offset + limit` in order; all from `offset` on without a limit."""
        narrowed = self._smallest_first()
        start = max(0, offset)
        if not narrowed or (self._containing is not None and len(narrowed[0]) * 4 > len(self._store)):
            return _window(self._in_order(narrowed), limit, start, self._reverse)
        if len(narrowed) == 1 and not self._tested:
            total = len(narrowed[0])
            end = total if limit is None else min(total, start + max(0, limit))
            if end * len(self._store) < total * total:
                return Page(total, self._walked(narrowed[0], start, end))
        return self._sorted(narrowed, limit, start)

    def rows(self) -> Sequence[Row]:
        """Everything selected, in order, at rest. Callers must not change it."""
        in_order = self._in_order(self._smallest_first())
        return in_order[::-1] if self._reverse else in_order

    def count(self) -> int:
        """How many are selected; without predicates, and by one restriction at most, nothing is walked."""
        narrowed = self._smallest_first()
        if len(narrowed) > 1 or self._tested:
            return sum(1 for _ in self._rows(narrowed))
        return len(narrowed[0]) if narrowed else len(self._store)

    @property
    def _tested(self) -> bool:
        return self._containing is not None or bool(self._where)

    def _in_order(self, narrowed: list[Mapping[Key, Row]]) -> Sequence[Row]:
        """What is selected, by walking an order that the store keeps: nothing is sorted."""
        ordering = self._store.ordered(self._order)
        found = ordering.rows if self._containing is None else ordering.containing(*self._containing)
        if not narrowed and not self._where:
            return found
        rows: Iterable[Row] = found
        for within in narrowed:
            rows = _among(rows, within)
        for predicate in self._where:
            rows = filter(predicate, rows)
        return list(rows)

    def _walked(self, within: Mapping[Key, Row], start: int, end: int) -> list[bytes]:
        """Rows `start` to `end` of many, found by walking the order from its end until they are there."""
        ordered = self._store.ordered(self._order).rows
        found = (row.raw for row in (reversed(ordered) if self._reverse else ordered) if row.key in within)
        return list(islice(found, start, end))

    def _sorted(self, narrowed: list[Mapping[Key, Row]], limit: int | None, start: int) -> Page:
        rows = list(self._rows(narrowed))
        end = len(rows) if limit is None else min(len(rows), start + max(0, limit))
        if end * 4 < len(rows):
            pick = heapq.nlargest if self._reverse else heapq.nsmallest
            in_order = pick(end, rows, key=self._order)
        else:
            in_order = sorted(rows, key=self._order, reverse=self._reverse)
        return Page(len(rows), [row.raw for row in in_order[start:end]])

    def _rows(self, narrowed: list[Mapping[Key, Row]]) -> Iterable[Row]:
        rows = self._candidates(narrowed)
        if self._containing is not None:
            text, part = self._containing
            rows = (row for row in rows if part in text(row))
        for predicate in self._where:
            rows = filter(predicate, rows)
        return rows

    def _candidates(self, narrowed: list[Mapping[Key, Row]]) -> Iterable[Row]:
        """Walks the smallest of what narrows the selection, and looks each row up in the others."""
        if not narrowed:
            return self._store
        smallest, *others = narrowed
        if not others:
            return smallest.values()
        return (row for key, row in smallest.items() if all(key in other for other in others))

    def _smallest_first(self) -> list[Mapping[Key, Row]]:
        return sorted(self._narrowed(), key=len)

    def _narrowed(self) -> Iterator[Mapping[Key, Row]]:
        if self._namespace is not None:
            yield self._store.namespace(self._namespace)
        if self._index is not None:
            yield self._store.index(self._index[0]).rows(self._index[1])
        if self._keys is not None:
            rows = self._store.rows
            yield {key: rows[key] for key in self._keys if key in rows}


def _among(rows: Iterable[Row], within: Mapping[Key, Row]) -> Iterator[Row]:
    return (row for row in rows if row.key in within)


def _window(rows: Sequence[Row], limit: int | None, start: int, reverse: bool) -> Page:
    """A page of rows in order, read from their end when `reverse`."""
    total = len(rows)
    end = total if limit is None else min(total, start + max(0, limit))
    if not reverse:
        return Page(total, [row.raw for row in rows[start:end]])
    return Page(total, [row.raw for row in reversed(rows[max(0, total - end) : max(0, total - start)])])
