"""From filters and an order to a page, walking as little as the indexes allow."""

import heapq
from collections.abc import Callable, Collection, Iterable

from ks_apiserver.resources.filters import Filter
from ks_apiserver.resources.kinds import Kind, Order
from ks_apiserver.tenant.search import window
from kubekit.cache import Cache, Row
from kubekit.selection import Selection
from kubekit.store import Key
from servicekit.paging import Page, PageQuery

SortKey = Callable[[Row], tuple[str, str, str]]


def page(
    kind: Kind, cache: Cache, namespace: str | None, filters: Collection[Filter], query: PageQuery
) -> Page[bytes]:
    """The page that `query` asks for of what all filters keep. Order: the kind's own times, `createTime`, or
    else the name; among equals by name.
    """
    query = query.defaults(order_by="createTime", reverse=False)
    order = kind.orders.get(query.order_by or "")
    if order is not None:
        by = _by_time(query.order_by or "", order)
        return _sorted(_rows(cache, namespace, filters), by, query)
    found = _selection(cache, namespace, filters)
    return window(
        found.order_by("createTime" if query.order_by == "createTime" else "name", bool(query.reverse)), query
    )


def count(cache: Cache, namespace: str | None, filters: Collection[Filter]) -> int:
    """How many all filters keep; without any, nothing is walked."""
    if not filters:
        return len(cache) if namespace is None else len(cache.keys(namespace))
    return _selection(cache, namespace, filters).count()


def _selection(cache: Cache, namespace: str | None, filters: Collection[Filter]) -> Selection:
    first = _narrowest(cache, filters)
    if first is None:
        found = cache.select(namespace)
    else:
        found = cache.select(namespace, index=first.index, keys=first.keys)
    for each in filters:
        if each is not first:
            found = found.where(each.test)
    return found


def _narrowest(cache: Cache, filters: Iterable[Filter]) -> Filter | None:
    narrowing = [each for each in filters if each.index is not None or each.keys is not None]
    return min(narrowing, key=lambda each: len(_keys(cache, each)), default=None)


def _keys(cache: Cache, narrowing: Filter) -> Collection[Key]:
    if narrowing.keys is not None:
        return narrowing.keys
    return cache.keys_by(*narrowing.index) if narrowing.index else ()


def _rows(cache: Cache, namespace: str | None, filters: Collection[Filter]) -> list[Row]:
    first = _narrowest(cache, filters)
    keys = cache.keys(namespace) if first is None else _keys(cache, first)
    rows = (cache.row(key) for key in keys if namespace is None or key.namespace == namespace)
    return [row for row in rows if row is not None and all(each.test(row) for each in filters)]


def _by_time(index: str, order: Order) -> SortKey:
    def sort_key(row: Row) -> tuple[str, str, str]:
        return next(iter(row.values(index)), order.missing), row.name, row.namespace or ""

    return sort_key


def _sorted(rows: list[Row], by: SortKey, query: PageQuery) -> Page[bytes]:
    part = query.window(len(rows))
    if part.stop * 4 < len(rows):
        pick = heapq.nlargest if query.reverse else heapq.nsmallest
        ordered = pick(part.stop, rows, key=by)
    else:
        ordered = sorted(rows, key=by, reverse=bool(query.reverse))
    return query.page([row.raw for row in ordered[part]], total=len(rows))
