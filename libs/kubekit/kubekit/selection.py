"""Asking a cache: filter by index, sort by row, answer from bytes. Costs grow with what is selected."""

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import orjson

from kubekit.resource import Object
from kubekit.store import Key, Row, Store

OrderBy = Literal["name", "createTime"]

_ORDERS: dict[str, Callable[[Row], tuple[str, ...]]] = {
    "name": lambda row: (row.name, row.namespace or ""),
    "createTime": lambda row: (row.created, row.name, row.namespace or ""),
}


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the objects selected, as JSON bytes, and how many there are altogether."""

    total: int
    raw: Sequence[bytes]

    def fragments(self) -> list[orjson.Fragment]:
        """For splicing into an answer by orjson.dumps without decoding."""
        return [orjson.Fragment(raw) for raw in self.raw]

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
        self._order: Callable[[Row], tuple[str, ...]] = _ORDERS["name"]
        self._reverse = False

    def where(self, predicate: Callable[[Row], bool]) -> "Selection":
        """Keeps the rows for which `predicate` is true; it is asked before anything is decoded."""
        self._where = (*self._where, predicate)
        return self

    def order_by(self, field: OrderBy, reverse: bool = False) -> "Selection":
        """Sorts by name or creation time; ties by name, then namespace. Raises ValueError."""
        if field not in _ORDERS:
            raise ValueError(f"cannot order by {field!r}; possible are {sorted(_ORDERS)}")
        self._order, self._reverse = _ORDERS[field], reverse
        return self

    def page(self, limit: int | None = None, offset: int = 0) -> Page:
        """Objects `offset` to `offset + limit` in order; all from `offset` on without a limit."""
        if self._everything():
            return self._page_of_all(limit, offset)
        rows = list(self._rows())
        end = len(rows) if limit is None else min(len(rows), max(0, offset) + max(0, limit))
        if end * 4 < len(rows):
            pick = heapq.nlargest if self._reverse else heapq.nsmallest
            rows_in_order = pick(end, rows, key=self._order)
        else:
            rows_in_order = sorted(rows, key=self._order, reverse=self._reverse)
        return Page(len(rows), [row.raw for row in rows_in_order[max(0, offset) : end]])

    def _everything(self) -> bool:
        return self._namespace is None and self._index is None and self._keys is None and not self._where

    def _page_of_all(self, limit: int | None, offset: int) -> Page:
        """A page of the whole cache: from an order that the store keeps, so it costs what the page holds."""
        rows = self._store.ordered(self._order)
        total, start = len(rows), max(0, offset)
        end = total if limit is None else min(total, start + max(0, limit))
        if not self._reverse:
            return Page(total, [row.raw for row in rows[start:end]])
        return Page(total, [row.raw for row in reversed(rows[max(0, total - end) : max(0, total - start)])])

    def count(self) -> int:
        """How many are selected."""
        return sum(1 for _ in self._rows())

    def _rows(self) -> Iterable[Row]:
        rows = self._candidates()
        for predicate in self._where:
            rows = filter(predicate, rows)
        return rows

    def _candidates(self) -> Iterable[Row]:
        """Walks the smallest of what narrows the selection, and looks each row up in the others."""
        narrowed = sorted(self._narrowed(), key=len)
        if not narrowed:
            return self._store
        smallest, *others = narrowed
        return (row for key, row in smallest.items() if all(key in other for other in others))

    def _narrowed(self) -> Iterator[Mapping[Key, Row]]:
        if self._namespace is not None:
            yield self._store.namespace(self._namespace)
        if self._index is not None:
            yield self._store.index(self._index[0]).rows(self._index[1])
        if self._keys is not None:
            rows = self._store.rows
            yield {key: rows[key] for key in self._keys if key in rows}
