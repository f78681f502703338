"""Pages of Kubernetes objects by the conditions that v2.1.1 knows."""

from collections.abc import Iterable

from kubekit.resource import Object
from servicekit.paging import Page, PageQuery

CREATOR = "kubesphere.io/creator"
DISPLAY_NAME = "kubesphere.io/alias-name"
WORKSPACE = "kubesphere.io/workspace"


def page(objects: Iterable[Object], query: PageQuery, *, order_by: str) -> Page[Object]:
    """The page that is asked for, sorted by `name` or `createTime`, the latter in the case of a tie by
    name.
    """
    query = query.defaults(order_by=order_by, reverse=False)
    found = [each for each in objects if matches(each, query)]
    found.sort(key=_created if query.order_by == "createTime" else _name, reverse=bool(query.reverse))
    return query.page(found)


def matches(obj: Object, query: PageQuery) -> bool:
    """Whether an object meets all conditions; those of an unknown name are about labels."""
    conditions = query.conditions
    return all(_equals(obj, key, value) for key, value in conditions.match.items()) and all(
        _contains(obj, key, value) for key, value in conditions.fuzzy.items()
    )


def _equals(obj: Object, key: str, value: str) -> bool:
    if key == "name":
        return _name(obj) in value.split("|")
    if key == "keyword":
        return (
            _contains(obj, "name", value)
            or _contains(obj, "label", value)
            or _contains(obj, "annotation", value)
        )
    if key == "userfacing":
        return value != "true" or (CREATOR in _annotations(obj) and WORKSPACE not in _labels(obj))
    return _labels(obj).get(key) == value


def _contains(obj: Object, key: str, value: str) -> bool:
    if key == "name":
        return value in _name(obj) or value in _annotations(obj).get(DISPLAY_NAME, "")
    if key in ("label", "annotation"):
        texts = _labels(obj) if key == "label" else _annotations(obj)
        return any(value in text for text in texts.values())
    return value in _labels(obj).get(key, "")


def _name(obj: Object) -> str:
    return obj["metadata"]["name"]


def _created(obj: Object) -> tuple[str, str]:
    return obj["metadata"].get("creationTimestamp", ""), _name(obj)


def _labels(obj: Object) -> dict[str, str]:
    return obj["metadata"].get("labels") or {}


def _annotations(obj: Object) -> dict[str, str]:
    return obj["metadata"].get("annotations") or {}
