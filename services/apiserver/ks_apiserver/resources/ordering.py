"""From filters and an order to a page, walking as little as the indexes allow."""

from collections.abc import Collection, Iterable

from ks_apiserver.resources.filters import Filter
from ks_apiserver.resources.kinds import Kind
from ks_apiserver.tenant.search import window
from kubekit.cache import Cache
from kubekit.selection import Selection
from servicekit.paging import Page, PageQuery


def page(
    kind: Kind, cache: Cache, namespace: str | None, filters: Collection[Filter], query: PageQuery
) -> Page[bytes]:
    """The page that `query` asks for of what all filters keep. Order: the kind's own times, `createTime`, or
    else the name; among equals by name.
    """
    query = query.defaults(order_by="createTime", reverse=False)
    found = _selection(cache, namespace, filters)
    order = kind.orders.get(query.order_by or "")
    if order is not None:
        found = found.order_by(order.by, bool(query.reverse))
    else:
        found = found.order_by(
            "createTime" if query.order_by == "createTime" else "name", bool(query.reverse)
        )
    return window(found, query)


def count(cache: Cache, namespace: str | None, filters: Collection[Filter]) -> int:
    """How many all filters keep; without any, nothing is walked."""
    return _selection(cache, namespace, filters).count()


def _selection(cache: Cache, namespace: str | None, filters: Collection[Filter]) -> Selection:
    first = _narrowest(cache, filters)
    if first is None:
        found = cache.select(namespace)
    else:
        found = cache.select(namespace, index=first.index, keys=first.keys)
    for each in filters:
        if each.text is not None:
            found = found.containing(*each.text)
        elif each is not first:
            found = found.where(each.test)
    return found


def _narrowest(cache: Cache, filters: Iterable[Filter]) -> Filter | None:
    narrowing = [each for each in filters if each.index is not None or each.keys is not None]
    return min(narrowing, key=lambda each: _size(cache, each), default=None)


def _size(cache: Cache, narrowing: Filter) -> int:
    if narrowing.keys is not None:
        return len(narrowing.keys)
    return cache.count_by(*narrowing.index) if narrowing.index else len(cache)
