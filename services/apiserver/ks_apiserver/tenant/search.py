"""Finding workspaces and namespaces as v2.1.1 does: conditions, order and page, on what rests in a cache.

Conditions: `name=a|b` one of these names, `keyword=x` a name, label or annotation that contains x, any
other `key=value` a label of exactly that value; `name~x` a name or display name that contains x. Other
fuzzy conditions match nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ks_apiserver import labels
from kubekit.cache import Cache, Row
from kubekit.resource import Object
from kubekit.selection import Selection
from kubekit.store import Key
from servicekit.paging import Conditions, Page, PageQuery

LABEL = "label"
"""Index: by each label, as `key=value`."""
_DISPLAY_NAME = "display name"

Test = Callable[[Row], bool]


def add_indexes(cache: Cache) -> Cache:
    """`cache`, with the indexes that searches here read."""
    cache.add_index(LABEL, _label_pairs)
    cache.add_index(_DISPLAY_NAME, _display_name)
    return cache


def label_of(row: Row, label: str) -> str | None:
    """The value of a label of an object at rest."""
    prefix = f"{label}="
    return next((pair.removeprefix(prefix) for pair in row.values(LABEL) if pair.startswith(prefix)), None)


def named(names: frozenset[str]) -> list[Key]:
    """The keys of cluster-scoped objects of these names."""
    return [Key(None, name) for name in names]


def page(found: Selection, query: PageQuery) -> Page[bytes]:
    """The page of `found` that `query` asks for, by time of creation unless it says otherwise."""
    for test in _tests(query.conditions):
        found = found.where(test)
    query = query.defaults(order_by="createTime", reverse=False)
    ordered = found.order_by("createTime" if query.order_by == "createTime" else "name", bool(query.reverse))
    most = query.maximum + 1
    window = ordered.page(most if query.limit < 0 else min(query.limit, most), query.offset)
    query.window(window.total)
    return query.page(window.raw, total=window.total)


def _tests(conditions: Conditions) -> Iterator[Test]:
    for key, value in conditions.match.items():
        yield _MATCH.get(key, lambda value, key=key: _has_label(key, value))(value)
    for key, value in conditions.fuzzy.items():
        yield _FUZZY.get(key, _matches_nothing)(value)


def _has_name(value: str) -> Test:
    names = frozenset(value.split("|"))
    return lambda row: row.name in names


def _has_label(label: str, value: str) -> Test:
    pair = f"{label}={value}"
    return lambda row: pair in row.values(LABEL)


def _has_keyword(value: str) -> Test:
    def test(row: Row) -> bool:
        if value in row.name:
            return True
        metadata = row.decode()["metadata"]
        pairs = {**(metadata.get("labels") or {}), **(metadata.get("annotations") or {})}
        return any(value in key or value in text for key, text in pairs.items())

    return test


def _has_name_like(value: str) -> Test:
    return lambda row: value in row.name or any(value in text for text in row.values(_DISPLAY_NAME))


def _matches_nothing(_: str) -> Test:
    return lambda _: False


_MATCH: dict[str, Callable[[str], Test]] = {"name": _has_name, "keyword": _has_keyword}
_FUZZY: dict[str, Callable[[str], Test]] = {"name": _has_name_like}


def _label_pairs(item: Object) -> list[str]:
    pairs: Mapping[str, Any] = item["metadata"].get("labels") or {}
    return [f"{key}={value}" for key, value in pairs.items()]


def _display_name(item: Object) -> str | None:
    annotations: Mapping[str, str] = item["metadata"].get("annotations") or {}
    return annotations.get(labels.DISPLAY_NAME)
