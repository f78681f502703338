"""Finding workspaces and namespaces as v2.1.1 does: conditions, order and page, on what rests in a cache.

Conditions: `name=a|b` one of these names, `keyword=x` a name, label or annotation that contains x, any
other `key=value` a label of exactly that value; `name~x` a name or display name that contains x. Other
fuzzy conditions match nothing.
"""

from collections.abc import Iterator

from ks_apiserver.conditions import (
    LABEL,
    Test,
    add_indexes,
    has_keyword,
    has_label,
    has_name,
    has_name_like,
    label_of,
)
from kubekit.selection import Selection
from kubekit.store import Key
from servicekit.paging import Conditions, Page, PageQuery

__all__ = ["LABEL", "add_indexes", "label_of", "named", "page", "window"]


def named(names: frozenset[str]) -> list[Key]:
    """The keys of cluster-scoped objects of these names."""
    return [Key(None, name) for name in names]


def page(found: Selection, query: PageQuery) -> Page[bytes]:
    """The page of `found` that `query` asks for, by time of creation unless it says otherwise."""
    for test in _tests(query.conditions):
        found = found.where(test)
    query = query.defaults(order_by="createTime", reverse=False)
    ordered = found.order_by("createTime" if query.order_by == "createTime" else "name", bool(query.reverse))
    return window(ordered, query)


def window(ordered: Selection, query: PageQuery) -> Page[bytes]:
    """The part of `ordered` that `query` asks for. Raises BadRequest when a page may not hold as much."""
    most = query.maximum + 1
    found = ordered.page(most if query.limit < 0 else min(query.limit, most), query.offset)
    query.window(found.total)
    return query.page(found.raw, total=found.total)


def _tests(conditions: Conditions) -> Iterator[Test]:
    for key, value in conditions.match.items():
        if key == "name":
            yield has_name(value)
        else:
            yield has_keyword(value) if key == "keyword" else has_label(key, value)
    for key, value in conditions.fuzzy.items():
        yield has_name_like(value) if key == "name" else _matches_nothing


def _matches_nothing(_: object) -> bool:
    return False
